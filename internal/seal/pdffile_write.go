package seal

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf16"
)

// pdfRaw is written as it is.
type pdfRaw []byte

// writePDF appends v in the format's notation.
func writePDF(b *bytes.Buffer, v any) {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case pdfInt:
		b.WriteString(strconv.FormatInt(int64(v), 10))
	case pdfReal:
		b.WriteString(string(v))
	case pdfName:
		writeName(b, v)
	case pdfString:
		b.WriteString("<" + hex.EncodeToString(v.val) + ">")
	case pdfRef:
		fmt.Fprintf(b, "%d %d R", v.num, v.gen)
	case pdfRaw:
		b.Write(v)
	case pdfArray:
		writeArray(b, v)
	case *pdfDict:
		writeDict(b, v)
	case *pdfStream:
		d := v.dict.clone()
		d.set("Length", pdfInt(len(v.raw)))
		writeDict(b, d)
		b.WriteString("\nstream\n")
		b.Write(v.raw)
		b.WriteString("\nendstream")
	default:
		panic(fmt.Sprintf("seal: no notation for %T", v))
	}
}

func writeArray(b *bytes.Buffer, a pdfArray) {
	b.WriteByte('[')
	for i, e := range a {
		if i > 0 {
			b.WriteByte(' ')
		}
		writePDF(b, e)
	}
	b.WriteByte(']')
}

func writeDict(b *bytes.Buffer, d *pdfDict) {
	b.WriteString("<<")
	for _, k := range d.keys {
		b.WriteByte(' ')
		writeName(b, k)
		b.WriteByte(' ')
		writePDF(b, d.vals[k])
	}
	b.WriteString(" >>")
}

func writeName(b *bytes.Buffer, n pdfName) {
	b.WriteByte('/')
	for _, c := range []byte(n) {
		if c <= ' ' || c >= 0x7f || c == '#' || isDelim(c) {
			fmt.Fprintf(b, "#%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
}

// pdfText is a text string: as it is when ASCII, otherwise UTF-16 with its mark (ISO 32000-1, 7.9.2.2).
func pdfText(s string) pdfString {
	for _, c := range []byte(s) {
		if c >= 0x7f || c < ' ' {
			val := []byte{0xfe, 0xff}
			for _, u := range utf16.Encode([]rune(s)) {
				val = append(val, byte(u>>8), byte(u))
			}
			return pdfString{val: val}
		}
	}
	return pdfString{val: []byte(s)}
}

// maxText bounds the texts that are read, in bytes as they stand in the file: many things can refer to one long text.
const maxText = 32 << 10

// textOf reads a text string back, as far as maxText.
func textOf(v any) string {
	s, ok := v.(pdfString)
	if !ok {
		return ""
	}
	switch b := firstOf(s.val, maxText); {
	case bytes.HasPrefix(b, []byte{0xfe, 0xff}):
		u := make([]uint16, 0, len(b)/2)
		for i := 2; i+1 < len(b); i += 2 {
			u = append(u, uint16(b[i])<<8|uint16(b[i+1]))
		}
		return string(utf16.Decode(u))
	case bytes.HasPrefix(b, []byte{0xef, 0xbb, 0xbf}):
		return string(bytes.ToValidUTF8(b[3:], []byte("\uFFFD")))
	default:
		r := make([]rune, len(b))
		for i, c := range b {
			r[i] = rune(c)
		}
		return string(r)
	}
}

// pdfRevision collects objects for one incremental update of a file (ISO 32000-1, 7.5.6).
type pdfRevision struct {
	file    *pdfFile
	out     bytes.Buffer
	next    uint32
	offsets map[pdfRef]int
	fresh   bool // the file begins with it
	deflate *zlib.Writer
}

// packed is a stream, deflated. What deflates is made once a revision, because it needs nearly a megabyte.
func (r *pdfRevision) packed(dict *pdfDict, data []byte) *pdfStream {
	var b bytes.Buffer
	if r.deflate == nil {
		r.deflate = zlib.NewWriter(&b)
	} else {
		r.deflate.Reset(&b)
	}
	_, _ = r.deflate.Write(data) // into memory
	_ = r.deflate.Close()
	dict.set("Filter", pdfName("FlateDecode"))
	return &pdfStream{dict: dict, raw: b.Bytes()}
}

// newPDF begins a file: PDF 1.7, with a comment of bytes beyond ASCII so that nobody takes it for text (7.5.2). Who calls puts
// the catalog, as the object that is given.
func newPDF() (rev *pdfRevision, root pdfRef) {
	rev = &pdfRevision{offsets: map[pdfRef]int{}, next: 1, fresh: true}
	root = rev.alloc()
	rev.file = &pdfFile{xref: map[uint32]xrefEntry{}, sections: []xrefSection{{trailer: dictOf("Root", root)}}}
	rev.out.WriteString("%PDF-1.7\n%\xE2\xE3\xCF\xD3\n")
	return rev, root
}

func newRevision(f *pdfFile) *pdfRevision {
	r := &pdfRevision{file: f, offsets: map[pdfRef]int{}}
	r.out.Grow(len(f.buf) + 64<<10)
	r.out.Write(f.buf)
	if n := len(f.buf); n > 0 && f.buf[n-1] != '\n' {
		r.out.WriteByte('\n')
	}
	for n := range f.xref {
		r.next = max(r.next, n+1)
	}
	if size, ok := f.trailer().int("Size"); ok && size > 0 && size <= maxObjectNumber {
		r.next = max(r.next, uint32(size))
	}
	return r
}

// alloc takes an object number that no revision has used.
func (r *pdfRevision) alloc() pdfRef {
	r.next++
	return pdfRef{num: r.next - 1}
}

// put writes v as object ref and returns where the value starts.
func (r *pdfRevision) put(ref pdfRef, v any) int {
	r.offsets[ref] = r.out.Len()
	r.next = max(r.next, ref.num+1)
	fmt.Fprintf(&r.out, "%d %d obj\n", ref.num, ref.gen)
	at := r.out.Len()
	writePDF(&r.out, v)
	r.out.WriteString("\nendobj\n")
	return at
}

// finish writes the cross-reference section in the kind that the file's newest one has, and the end.
func (r *pdfRevision) finish() []byte {
	last := r.file.sections[0]
	trailer := newPDFDict()
	for _, k := range []pdfName{"Root", "Info", "ID"} {
		if v, ok := last.trailer.get(k); ok {
			trailer.set(k, v)
		}
	}
	if r.fresh {
		sum := sha256.Sum256(r.out.Bytes())
		id := pdfString{val: sum[:16]}
		trailer.set("ID", pdfArray{id, id})
	} else {
		trailer.set("Prev", pdfInt(last.offset-r.file.base))
	}
	var start int
	if last.stream {
		start = r.xrefStream(trailer)
	} else {
		start = r.xrefTable(trailer)
	}
	fmt.Fprintf(&r.out, "startxref\n%d\n%%%%EOF\n", start-r.file.base)
	return r.out.Bytes()
}

func (r *pdfRevision) refs() []pdfRef {
	refs := make([]pdfRef, 0, len(r.offsets))
	for ref := range r.offsets {
		refs = append(refs, ref)
	}
	slices.SortFunc(refs, func(a, b pdfRef) int { return int(a.num) - int(b.num) })
	return refs
}

func (r *pdfRevision) xrefTable(trailer *pdfDict) int {
	start := r.out.Len()
	r.out.WriteString("xref\n")
	refs := r.refs()
	if r.fresh { // one subsection, which begins with the head of the list of free objects (7.5.4)
		fmt.Fprintf(&r.out, "0 %d\n0000000000 65535 f\r\n", r.next)
	}
	for i, ref := range refs {
		if !r.fresh && (i == 0 || refs[i-1].num+1 != ref.num) {
			fmt.Fprintf(&r.out, "%d %d\n", ref.num, run(refs[i:]))
		}
		fmt.Fprintf(&r.out, "%010d %05d n\r\n", r.offsets[ref]-r.file.base, ref.gen)
	}
	trailer.set("Size", pdfInt(r.next))
	r.out.WriteString("trailer\n")
	writePDF(&r.out, trailer)
	r.out.WriteByte('\n')
	return start
}

// run counts how many of the first references have numbers in a row.
func run(refs []pdfRef) int {
	n := 1
	for n < len(refs) && refs[n].num == refs[n-1].num+1 {
		n++
	}
	return n
}

func (r *pdfRevision) xrefStream(trailer *pdfDict) int {
	self := r.alloc()
	start := r.out.Len()
	r.offsets[self] = start
	var rows bytes.Buffer
	index := pdfArray{}
	for _, ref := range r.refs() {
		index = append(index, pdfInt(ref.num), pdfInt(1))
		off := uint64(r.offsets[ref] - r.file.base)
		rows.Write([]byte{1, byte(off >> 32), byte(off >> 24), byte(off >> 16), byte(off >> 8), byte(off), byte(ref.gen >> 8), byte(ref.gen)})
	}
	d := newPDFDict()
	d.set("Type", pdfName("XRef"))
	d.set("Size", pdfInt(r.next))
	d.set("W", pdfArray{pdfInt(1), pdfInt(5), pdfInt(2)})
	d.set("Index", index)
	for _, k := range trailer.keys {
		d.set(k, trailer.vals[k])
	}
	d.set("Length", pdfInt(rows.Len()))
	fmt.Fprintf(&r.out, "%d 0 obj\n", self.num)
	writePDF(&r.out, d)
	r.out.WriteString("\nstream\n")
	r.out.Write(rows.Bytes())
	r.out.WriteString("\nendstream\nendobj\n")
	return start
}
