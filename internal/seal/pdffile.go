package seal

import (
	"bytes"
	"errors"
	"fmt"
)

// Bounds on what a PDF may make the reader do. They lie far above real documents and far below harm.
const (
	maxPDFDepth    = 64         // nesting of arrays and dictionaries, and of trees that are walked
	maxNodes       = 20_000_000 // values parsed in one file, all its revisions together; less for a small one, see openPDF
	fewNodes       = 3_000_000  // values parsed in a file of no size
	maxSections    = 1_000      // cross-reference sections, that is, revisions
	maxEntries     = 2_000_000  // cross-reference entries over all sections
	maxDecoded     = 64 << 20   // bytes one compressed stream may become
	maxAllDecoded  = 256 << 20  // bytes all compressed streams of a file may become
	maxHeaderShift = 1024       // bytes that may stand before %PDF- (ISO 32000-1, annex H, note 13)
)

var errPDFBounds = errors.New("the file is built in a way that would take too much to read")

// xrefEntry tells where an object is: kind 0 free, 1 at offset a with generation b, 2 in object stream a at index b.
type xrefEntry struct {
	kind byte
	a    int64
	b    int64
}

// xrefSection is one cross-reference section, which is what one revision adds.
type xrefSection struct {
	offset  int // in the file, where the section starts
	stream  bool
	trailer *pdfDict
	entries map[uint32]xrefEntry
	twice   bool // an object is listed more than once, or in a hybrid file's hidden part
}

func (s *xrefSection) add(n uint32, e xrefEntry) {
	if _, again := s.entries[n]; again {
		s.twice = true
	}
	s.entries[n] = e
}

// pdfFile reads the object layer of a PDF that is regular: its cross-reference chain must be right, nothing is repaired
// or guessed. That is on purpose: a signature can only be judged in a file that every reader sees the same way. Broken
// files go through PDFium first.
type pdfFile struct {
	buf      []byte
	base     int // what is added to offsets written in the file
	sections []xrefSection
	xref     map[uint32]xrefEntry
	objects  map[uint32]any
	streams  map[uint32]*objectStream
	nodes    *int
	decoded  int
	read     int // bytes that were read as objects; see charge
	busy     map[uint32]bool
}

// objectStream is a decoded object stream: the objects' numbers and where each starts in data.
type objectStream struct {
	data   []byte
	nums   []uint32
	starts []int
	twice  bool // it names an object more than once
}

// openPDF reads the cross-reference chain of buf, newest section first.
// A small file may hold fewer values than a large one: what is packed into it could take gigabytes otherwise.
func openPDF(buf []byte) (*pdfFile, error) {
	nodes := max(0, maxNodes-fewNodes-4*len(buf))
	return openRevision(buf, &nodes)
}

// openRevision is openPDF with the count of parsed values shared, so that many revisions don't multiply the bound.
func openRevision(buf []byte, nodes *int) (*pdfFile, error) {
	head := bytes.Index(buf[:min(len(buf), maxHeaderShift+5)], []byte("%PDF-"))
	if head < 0 {
		return nil, errors.New("it does not start like a PDF")
	}
	start, err := lastStartXref(buf)
	if err != nil {
		return nil, err
	}
	bases := []int{head}
	if head != 0 {
		bases = append(bases, 0)
	}
	for _, base := range bases {
		f := &pdfFile{buf: buf, base: base, nodes: nodes, objects: map[uint32]any{}, streams: map[uint32]*objectStream{}, busy: map[uint32]bool{}}
		if err = f.readChain(start); err == nil {
			return f, nil
		}
	}
	return nil, err
}

func lastStartXref(buf []byte) (int64, error) {
	i := bytes.LastIndex(buf, []byte("startxref"))
	if i < 0 {
		return 0, errors.New("its end is missing (no startxref)")
	}
	lx := pdfLexer{buf: buf, pos: i + len("startxref"), nodes: new(int)}
	n, err := lx.integer()
	if err != nil {
		return 0, errors.New("its startxref has no number")
	}
	return n, nil
}

// trailer is the newest section's trailer dictionary.
func (f *pdfFile) trailer() *pdfDict { return f.sections[0].trailer }

func (f *pdfFile) readChain(start int64) error {
	seen := map[int64]bool{}
	total := 0
	for next, more := start, true; more; {
		if seen[next] || len(f.sections) >= maxSections {
			return errors.New("its chain of cross-reference tables does not end")
		}
		seen[next] = true
		s, err := f.readSection(next)
		if err != nil {
			return err
		}
		if total += len(s.entries); total > maxEntries {
			return errPDFBounds
		}
		f.sections = append(f.sections, s)
		prev, has := s.trailer.get("Prev")
		if !has {
			break
		}
		n, ok := prev.(pdfInt)
		if !ok {
			return errors.New("a trailer's Prev is not a number")
		}
		next = int64(n)
	}
	f.merge()
	return nil
}

// merge lays the sections over each other, the newest on top.
func (f *pdfFile) merge() {
	if len(f.sections) == 1 {
		f.xref = f.sections[0].entries
		return
	}
	f.xref = map[uint32]xrefEntry{}
	for i := len(f.sections) - 1; i >= 0; i-- {
		for n, e := range f.sections[i].entries {
			f.xref[n] = e
		}
	}
}

func (f *pdfFile) readSection(offset int64) (xrefSection, error) {
	if offset < 0 || offset >= int64(len(f.buf)-f.base) {
		return xrefSection{}, errors.New("a cross-reference table lies outside of the file")
	}
	at := int(offset) + f.base
	lx := f.lexer(at)
	lx.skipSpace()
	if bytes.HasPrefix(lx.buf[lx.pos:], []byte("xref")) {
		return f.readTable(at, lx)
	}
	s, err := f.readXrefStream(at)
	if err != nil {
		return s, fmt.Errorf("no cross-reference table at offset %d: %w", offset, err)
	}
	return s, nil
}

func (f *pdfFile) readTable(at int, lx *pdfLexer) (xrefSection, error) {
	s := xrefSection{offset: at, entries: map[uint32]xrefEntry{}}
	lx.pos += len("xref")
	for !lx.keyword("trailer") {
		if err := readSubsection(lx, &s); err != nil {
			return s, fmt.Errorf("the cross-reference table at %d can't be read: %w", at, err)
		}
	}
	v, err := lx.object(0)
	if err != nil {
		return s, fmt.Errorf("the trailer after %d can't be read: %w", at, err)
	}
	d, ok := v.(*pdfDict)
	if !ok {
		return s, errors.New("a trailer is not a dictionary")
	}
	s.trailer = d
	return s, f.readHybrid(&s)
}

func readSubsection(lx *pdfLexer, s *xrefSection) error {
	first, err := lx.integer()
	if err != nil {
		return err
	}
	count, err := lx.integer()
	if err != nil {
		return err
	}
	if first < 0 || count < 0 || count > maxEntries || first > maxObjectNumber {
		return errPDFBounds
	}
	for i := int64(0); i < count; i++ {
		off, err := lx.integer()
		if err != nil {
			return err
		}
		gen, err := lx.integer()
		if err != nil {
			return err
		}
		e := xrefEntry{kind: 1, a: off, b: gen}
		switch {
		case lx.keyword("n"):
		case lx.keyword("f"):
			e.kind = 0
		default:
			return errors.New("an entry is neither used nor free")
		}
		s.add(uint32(first+i), e)
	}
	return nil
}

// readHybrid adds the hidden entries of a hybrid file's cross-reference stream (ISO 32000-1, 7.5.8.4).
func (f *pdfFile) readHybrid(s *xrefSection) error {
	v, has := s.trailer.get("XRefStm")
	if !has {
		return nil
	}
	n, ok := v.(pdfInt)
	if !ok {
		return errors.New("a trailer's XRefStm is not a number")
	}
	h, err := f.readXrefStream(int(n) + f.base)
	if err != nil {
		return fmt.Errorf("the hybrid cross-reference stream can't be read: %w", err)
	}
	s.twice = true
	for num, e := range h.entries {
		if old, ok := s.entries[num]; !ok || old.kind == 0 {
			s.entries[num] = e
		}
	}
	return nil
}

func (f *pdfFile) readXrefStream(at int) (xrefSection, error) {
	s := xrefSection{offset: at, stream: true, entries: map[uint32]xrefEntry{}}
	if at < 0 || at >= len(f.buf) {
		return s, errors.New("it lies outside of the file")
	}
	_, _, v, err := f.objectAt(at, false)
	if err != nil {
		return s, err
	}
	st, ok := v.(*pdfStream)
	if !ok || st.dict.name("Type") != "XRef" {
		return s, errors.New("there is something else")
	}
	w, err := fieldWidths(st.dict)
	if err != nil {
		return s, err
	}
	data, err := f.decode(st, (maxEntries+1)*(w[0]+w[1]+w[2]))
	if err != nil {
		return s, err
	}
	s.trailer = st.dict
	err = readXrefRows(st.dict, w, data, &s)
	return s, err
}

func readXrefRows(d *pdfDict, w [3]int, data []byte, s *xrefSection) error {
	index := d.array("Index")
	if index == nil {
		index = pdfArray{pdfInt(0), d.vals["Size"]}
	}
	row := w[0] + w[1] + w[2]
	for i := 0; i+1 < len(index); i += 2 {
		first, ok1 := index[i].(pdfInt)
		count, ok2 := index[i+1].(pdfInt)
		if !ok1 || !ok2 || first < 0 || count < 0 || first > maxObjectNumber {
			return errors.New("its Index is wrong")
		}
		for k := pdfInt(0); k < count && len(data) >= row; k++ {
			if len(s.entries) >= maxEntries || first+k > maxObjectNumber {
				return errPDFBounds
			}
			e := xrefEntry{kind: 1}
			if w[0] > 0 {
				e.kind = byte(bigEndian(data[:w[0]]))
			}
			e.a, e.b = bigEndian(data[w[0]:w[0]+w[1]]), bigEndian(data[w[0]+w[1]:row])
			s.add(uint32(first+k), e)
			data = data[row:]
		}
	}
	return nil
}

func fieldWidths(d *pdfDict) (w [3]int, err error) {
	a := d.array("W")
	if len(a) < 3 {
		return w, errors.New("its W is missing")
	}
	for i := range w {
		n, ok := a[i].(pdfInt)
		if !ok || n < 0 || n > 7 {
			return w, errors.New("its W is wrong")
		}
		w[i] = int(n)
	}
	if w[0]+w[1]+w[2] == 0 {
		return w, errors.New("its W is empty")
	}
	return w, nil
}

func bigEndian(b []byte) (n int64) {
	for _, c := range b {
		n = n<<8 | int64(c)
	}
	return n
}

func (f *pdfFile) lexer(pos int) *pdfLexer { return &pdfLexer{buf: f.buf, pos: pos, nodes: f.nodes} }

// objectAt parses "n g obj … " at a place in the file. Indirect stream lengths are looked up only when follow is set.
func (f *pdfFile) objectAt(at int, follow bool) (num, gen int64, v any, err error) {
	if at < 0 || at >= len(f.buf) {
		return 0, 0, nil, errors.New("an object lies outside of the file")
	}
	lx := f.lexer(at)
	if num, err = lx.integer(); err == nil {
		gen, err = lx.integer()
	}
	if err != nil || !lx.keyword("obj") {
		return 0, 0, nil, fmt.Errorf("no object at offset %d", at)
	}
	v, err = lx.object(0)
	if full := f.charge(lx.pos - at); full != nil || err != nil {
		return num, gen, nil, errors.Join(full, err)
	}
	d, ok := v.(*pdfDict)
	if !ok || !lx.keyword("stream") {
		return num, gen, v, nil
	}
	raw, err := f.streamBytes(d, lx.pos, follow)
	return num, gen, &pdfStream{dict: d, raw: raw}, err
}

func (f *pdfFile) streamBytes(d *pdfDict, pos int, follow bool) ([]byte, error) {
	if bytes.HasPrefix(f.buf[pos:], []byte("\r\n")) {
		pos += 2
	} else if pos < len(f.buf) && (f.buf[pos] == '\n' || f.buf[pos] == '\r') {
		pos++
	}
	length := d.vals["Length"]
	if _, indirect := length.(pdfRef); indirect && follow {
		length = f.resolve(length)
	}
	if n, ok := length.(pdfInt); ok && n >= 0 && int64(n) <= int64(len(f.buf)-pos) {
		lx := f.lexer(pos + int(n))
		if lx.keyword("endstream") {
			return f.buf[pos : pos+int(n)], nil
		}
	}
	end := bytes.Index(f.buf[pos:], []byte("endstream"))
	if end < 0 {
		return nil, errors.Join(errors.New("a stream does not end"), f.charge(len(f.buf)-pos))
	}
	if err := f.charge(end); err != nil {
		return nil, err
	}
	return f.buf[pos : pos+end], nil
}

// object reads object n in its newest version; a missing or free one is nil, as the format has it.
func (f *pdfFile) object(n uint32) (any, error) {
	if v, ok := f.objects[n]; ok {
		return v, nil
	}
	e, ok := f.xref[n]
	if !ok || e.kind == 0 || e.kind > 2 {
		return nil, nil
	}
	if f.busy[n] {
		return nil, fmt.Errorf("object %d needs itself to be read", n)
	}
	if err := f.charge(0); err != nil {
		return nil, err
	}
	f.busy[n] = true
	defer delete(f.busy, n)
	v, err := f.load(n, e)
	if err != nil {
		return nil, fmt.Errorf("object %d can't be read: %w", n, err)
	}
	f.objects[n] = v
	return v, nil
}

// charge counts bytes that were read as objects. Objects that lie in each other could make a small file cost its square in
// time and memory; those of a real one lie side by side, and are read once.
func (f *pdfFile) charge(n int) error {
	if f.read += n; f.read > 4*(len(f.buf)+f.decoded)+1<<20 {
		return errPDFBounds
	}
	return nil
}

func (f *pdfFile) load(n uint32, e xrefEntry) (any, error) {
	if e.kind == 2 {
		return f.compressed(n, e)
	}
	if e.a < 0 || e.a > int64(len(f.buf)) {
		return nil, errors.New("it lies outside of the file")
	}
	num, gen, v, err := f.objectAt(int(e.a)+f.base, true)
	if err != nil {
		return nil, err
	}
	if num != int64(n) || gen != e.b {
		return nil, fmt.Errorf("object %d %d stands in its place", num, gen)
	}
	return v, nil
}

func (f *pdfFile) compressed(n uint32, e xrefEntry) (any, error) {
	if e.a < 0 || e.a > maxObjectNumber {
		return nil, errPDFBounds
	}
	os, err := f.objectStream(uint32(e.a))
	if err != nil {
		return nil, err
	}
	i := int(e.b)
	if i < 0 || i >= len(os.nums) || os.nums[i] != n {
		return nil, errors.New("its object stream does not have it")
	}
	lx := pdfLexer{buf: os.data, pos: os.starts[i], nodes: f.nodes, away: true}
	v, err := lx.object(0)
	if full := f.charge(lx.pos - os.starts[i]); full != nil {
		return nil, full
	}
	return v, err
}

func (f *pdfFile) objectStream(n uint32) (*objectStream, error) {
	if os, ok := f.streams[n]; ok {
		return os, nil
	}
	if f.xref[n].kind == 2 {
		return nil, errors.New("an object stream lies in an object stream")
	}
	v, err := f.object(n)
	if err != nil {
		return nil, err
	}
	st, ok := v.(*pdfStream)
	if !ok || st.dict.name("Type") != "ObjStm" {
		return nil, errors.New("its object stream is missing")
	}
	data, err := f.decode(st, maxDecoded+1)
	if err != nil {
		return nil, err
	}
	os, err := f.parseObjectStream(st.dict, data)
	if err == nil {
		f.streams[n] = os
	}
	return os, err
}

func (f *pdfFile) parseObjectStream(d *pdfDict, data []byte) (*objectStream, error) {
	count, ok1 := f.resolve(d.vals["N"]).(pdfInt)
	first, ok2 := f.resolve(d.vals["First"]).(pdfInt)
	if !ok1 || !ok2 || count < 0 || count > maxEntries || first < 0 || int64(first) > int64(len(data)) {
		return nil, errors.New("its object stream is wrong")
	}
	os := &objectStream{data: data}
	seen := make(map[uint32]bool, min(int(count), 1000))
	lx := pdfLexer{buf: data[:first], nodes: f.nodes}
	for i := pdfInt(0); i < count; i++ {
		num, err := lx.integer()
		if err != nil {
			return nil, err
		}
		off, err := lx.integer()
		if err != nil {
			return nil, err
		}
		if num < 0 || num > maxObjectNumber || off < 0 || off > int64(len(data))-int64(first) {
			return nil, errPDFBounds
		}
		os.twice = os.twice || seen[uint32(num)]
		seen[uint32(num)] = true
		os.nums = append(os.nums, uint32(num))
		os.starts = append(os.starts, int(first)+int(off))
	}
	return os, nil
}

// resolve follows references to a value; what can't be read is nil.
func (f *pdfFile) resolve(v any) any {
	for range 8 {
		r, ok := v.(pdfRef)
		if !ok {
			return v
		}
		next, err := f.deref(r)
		if err != nil {
			return nil
		}
		v = next
	}
	return nil
}

// deref reads what r refers to; a reference with another generation than the entry's is nil.
func (f *pdfFile) deref(r pdfRef) (any, error) {
	if e := f.xref[r.num]; e.kind == 1 && e.b != int64(r.gen) || e.kind == 2 && r.gen != 0 {
		return nil, nil
	}
	return f.object(r.num)
}

func (f *pdfFile) dict(v any) *pdfDict {
	switch v := f.resolve(v).(type) {
	case *pdfDict:
		return v
	case *pdfStream:
		return v.dict
	}
	return nil
}

func (f *pdfFile) array(v any) pdfArray {
	a, _ := f.resolve(v).(pdfArray)
	return a
}

// catalog is the document's root dictionary and its reference.
func (f *pdfFile) catalog() (pdfRef, *pdfDict, error) {
	root, ok := f.trailer().vals["Root"].(pdfRef)
	if !ok {
		return root, nil, errors.New("its trailer has no Root")
	}
	v, err := f.deref(root)
	if err != nil {
		return root, nil, err
	}
	d, ok := v.(*pdfDict)
	if !ok {
		return root, nil, errors.New("its catalog is missing")
	}
	return root, d, nil
}

// firstPage walks down the page tree to its first leaf.
func (f *pdfFile) firstPage(catalog *pdfDict) (pdfRef, *pdfDict, error) {
	ref, d := f.firstLeaf(catalog.vals["Pages"], 0)
	if d == nil {
		return ref, nil, errors.New("it has no pages")
	}
	return ref, d, nil
}

func (f *pdfFile) firstLeaf(v any, depth int) (pdfRef, *pdfDict) {
	ref, ok := v.(pdfRef)
	d := f.dict(v)
	if !ok || d == nil || depth > maxPDFDepth {
		return ref, nil
	}
	kids, has := d.get("Kids")
	if !has || d.name("Type") == "Page" {
		return ref, d
	}
	for i, k := range f.array(kids) {
		if r, leaf := f.firstLeaf(k, depth+1); leaf != nil {
			return r, leaf
		}
		if i > maxPDFDepth {
			break
		}
	}
	return ref, nil
}
