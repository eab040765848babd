package seal

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// changesAfter lists what later revisions changed of the document that signature c covers, besides adding signatures,
// timestamps and validation data, and filling in fields as named. The revision that was signed is read as the file it then was.
func (f *pdfFile) changesAfter(c *signatureCheck, fills map[string]bool) ([]string, error) {
	old, err := openRevision(f.buf[:c.rng.end], f.nodes)
	if err != nil {
		return nil, errors.New("what the signature covers is not a whole revision of the file")
	}
	added := len(f.sections) - len(old.sections)
	if added < 0 || old.base != f.base {
		return nil, errors.New("what the signature covers is not an earlier revision of the file")
	}
	for i, s := range old.sections {
		if f.sections[added+i].offset != s.offset {
			return nil, errors.New("the file is not built upon the revision that was signed")
		}
	}
	c.restricts = true
	was, ok := old.asSigned(c)
	if !ok {
		return nil, errors.New("the signature hangs in another field than the one that was signed")
	}
	c.closes, c.restricts = old.closes(was), old.restricts(was)
	if added == 0 {
		return []string{fmt.Sprintf("%d bytes were added after the end", len(f.buf)-c.rng.end)}, nil
	}
	d := &revisionDiff{old: old, new: f, sections: f.sections[:added], closed: c.closes, end: c.rng.end}
	d.fills = fills
	found, err := d.run()
	c.rep.FilledAfter = d.fillings
	return found, err
}

// revisionDiff compares two states of one document.
type revisionDiff struct {
	old, new *pdfFile
	sections []xrefSection // what the new state adds
	closed   bool          // only timestamps and validation data may follow
	end      int           // of the old state, in the file

	changed   map[uint32]bool
	labels    map[uint32]string // what an object that the old document uses is for, in words
	refs      map[uint32]int    // how often the old document refers to an object
	pages     map[uint32]int    // page objects and their numbers, from 1; -1 for nodes of the tree
	pageCount int
	leaves    []pdfRef       // the pages in their order
	annots    map[uint32]int // page annotation arrays that are objects of their own, and their first page
	found     []string

	fills    map[string]bool       // fields that may be filled in, by name; see mayFill
	blank    map[string]namedField // fields of the old document
	fillings int                   // fields that were
}

func (d *revisionDiff) run() ([]string, error) {
	if err := d.findChanged(); err != nil {
		return nil, err
	}
	d.compareTrailers()
	d.checkAddedBytes()
	if len(d.changed) == 0 {
		return d.found, nil
	}
	if d.labels == nil {
		if err := d.mapOld(); err != nil {
			return nil, err
		}
	}
	d.comparePages()
	d.compareCatalogs()
	d.compareForms()
	for _, n := range objectOrder(d.changed) {
		d.compareObject(n)
	}
	return d.found, nil
}

func (d *revisionDiff) report(format string, args ...any) {
	if s := fmt.Sprintf(format, args...); !slices.Contains(d.found, s) && len(d.found) < 100 {
		d.found = append(d.found, s)
	}
}

// findChanged collects the objects whose value or generation differs.
func (d *revisionDiff) findChanged() error {
	d.changed = map[uint32]bool{}
	containers := map[uint32]bool{}
	for _, e := range d.old.xref {
		if e.kind == 2 && e.a >= 0 && e.a <= maxObjectNumber {
			containers[uint32(e.a)] = true
		}
	}
	for _, s := range d.sections {
		for n := range s.entries {
			if same, err := d.same(n); err != nil {
				return err
			} else if !same {
				d.changed[n] = true
			}
			if containers[n] && d.changed[n] {
				d.report("objects were replaced together with the stream that holds them")
			}
		}
	}
	return nil
}

func (d *revisionDiff) same(n uint32) (bool, error) {
	was, err := d.old.object(n)
	if err != nil {
		return false, err
	}
	is, err := d.new.object(n)
	if err != nil {
		return false, err
	}
	return d.old.generation(n) == d.new.generation(n) && equalPDF(was, is), nil
}

func (f *pdfFile) generation(n uint32) int64 {
	if e := f.xref[n]; e.kind == 1 {
		return e.b
	}
	return 0
}

// equalPDF compares values as readers see them: 1 and 1.0 are the same, and so are (a) and <61>.
func equalPDF(a, b any) bool {
	return equalBy(a, b, func(x, y float64) bool { return x == y })
}

func equalBy(a, b any, same func(x, y float64) bool) bool {
	each := func(x, y any) bool { return equalBy(x, y, same) }
	switch a := a.(type) {
	case pdfInt, pdfReal:
		x, ok1 := number(a)
		y, ok2 := number(b)
		return ok1 && ok2 && same(x, y)
	case pdfString:
		s, ok := b.(pdfString)
		return ok && bytes.Equal(a.val, s.val)
	case pdfArray:
		s, ok := b.(pdfArray)
		return ok && slices.EqualFunc(a, s, each)
	case *pdfDict:
		s, ok := b.(*pdfDict)
		return ok && !a.dup && !s.dup && len(unequalKeys(a, s, each)) == 0
	case *pdfStream:
		s, ok := b.(*pdfStream)
		return ok && !a.dict.dup && !s.dict.dup && bytes.Equal(a.raw, s.raw) && len(unequalKeys(a.dict, s.dict, each, "Length")) == 0
	}
	switch b.(type) {
	case pdfString, pdfArray, *pdfDict, *pdfStream:
		return false
	}
	return a == b
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case pdfInt:
		return float64(v), true
	case pdfReal:
		f, err := strconv.ParseFloat(string(v), 64)
		return f, err == nil && !strings.ContainsAny(string(v), "eE") // which only some readers take for a number
	}
	return 0, false
}

// differingKeys lists the keys, but for those left out, whose values differ; a null is a missing key.
func differingKeys(a, b *pdfDict, except ...pdfName) (keys []pdfName) {
	return unequalKeys(a, b, equalPDF, except...)
}

func unequalKeys(a, b *pdfDict, equal func(x, y any) bool, except ...pdfName) (keys []pdfName) {
	for _, k := range a.keys {
		if !equal(a.vals[k], b.vals[k]) && !slices.Contains(except, k) {
			keys = append(keys, k)
		}
	}
	for _, k := range b.keys {
		if _, both := a.vals[k]; !both && b.vals[k] != nil && !slices.Contains(except, k) {
			keys = append(keys, k)
		}
	}
	return keys
}

func objectOrder(m map[uint32]bool) []uint32 {
	keys := make([]uint32, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (d *revisionDiff) compareTrailers() {
	for _, k := range []pdfName{"Root", "Info", "Encrypt"} {
		if !equalPDF(d.old.trailer().vals[k], d.new.trailer().vals[k]) {
			d.report("the file's %s was replaced", map[pdfName]string{"Root": "catalog", "Info": "information", "Encrypt": "encryption"}[k])
		}
	}
}

// compareCatalogs allows the form (looked at by itself), validation data and the format's version to differ, each of them only
// while it is what it should be: so that the same object can't serve as something else, say as fonts.
func (d *revisionDiff) compareCatalogs() {
	_, was, err1 := d.old.catalog()
	_, is, err2 := d.new.catalog()
	if err1 != nil || err2 != nil {
		d.report("the catalog can't be read")
		return
	}
	d.rejectTwice(is, "the catalog")
	for _, k := range differingKeys(was, is, "AcroForm", "DSS", "Extensions", "Version") {
		d.report("%s", catalogChange(k))
	}
	d.compareExempt(was, is)
}

func catalogChange(k pdfName) string {
	switch k {
	case "Pages":
		return "the pages were replaced"
	case "OpenAction", "AA", "Names":
		return "scripts, actions or attachments were added or changed"
	case "Metadata":
		return "the metadata was changed"
	case "Perms":
		return "the permissions were changed"
	case "OCProperties":
		return "the layers were changed"
	}
	return fmt.Sprintf("the catalog's %s was changed", plain(string(k)))
}

// compareForms allows fields to be added at the end when each is an invisible signature.
func (d *revisionDiff) compareForms() {
	_, wasRoot, err1 := d.old.catalog()
	_, isRoot, err2 := d.new.catalog()
	if err1 != nil || err2 != nil {
		return
	}
	was, is := d.old.dict(wasRoot.vals["AcroForm"]), d.new.dict(isRoot.vals["AcroForm"])
	if was == nil {
		was = newPDFDict()
	}
	if is == nil {
		is = newPDFDict()
	}
	d.rejectTwice(is, "the form")
	for _, k := range differingKeys(was, is, "Fields", "SigFlags") {
		d.report("the form's %s was changed", plain(string(k)))
	}
	if !d.old.isArray(was.vals["Fields"]) || !d.new.isArray(is.vals["Fields"]) {
		d.report("the form's list of fields is something else")
	}
	d.compareLists(d.old.array(was.vals["Fields"]), d.new.array(is.vals["Fields"]), "form fields", "the form")
}

// compareLists checks that a list of fields or annotations only grew at its end, by signatures.
func (d *revisionDiff) compareLists(was, is pdfArray, what, where string) {
	if len(is) < len(was) || !slices.EqualFunc(was, is[:len(was)], equalPDF) {
		d.report("%s were removed or replaced", what)
		return
	}
	for _, v := range is[len(was):] {
		if why := d.addedField(v, where); why != "" {
			d.report("%s", why)
		}
	}
}

// addedField says what is wrong with a field or annotation that was added; nothing when it is an invisible signature.
func (d *revisionDiff) addedField(v any, where string) string {
	_, ok := v.(pdfRef)
	fd := d.new.dict(v)
	if !ok || fd == nil {
		return "something unreadable was added to the form or to a page"
	}
	if fd.dup {
		return "a field that has a key twice was added"
	}
	if d.new.resolve(fd.vals["FT"]) != pdfName("Sig") {
		if d.new.resolve(fd.vals["Subtype"]) == pdfName("Widget") {
			return "a form field was added to " + where
		}
		return "an annotation was added to " + where
	}
	for _, k := range fd.keys {
		if !slices.Contains([]pdfName{"Type", "Subtype", "FT", "T", "TU", "F", "Ff", "Rect", "P", "V", "Lock", "SV", "AP", "MK", "DA", "BS", "M", "NM"}, k) {
			return fmt.Sprintf("a signature field with %s was added", plain(string(k)))
		}
	}
	if !d.invisible(fd) {
		return "a visible signature was added"
	}
	return d.addedSignature(fd)
}

func (d *revisionDiff) invisible(fd *pdfDict) bool {
	flags, _ := d.new.resolve(fd.vals["F"]).(pdfInt)
	hidden, printed, noView, toggled := flags&2 != 0, flags&4 != 0, flags&32 != 0, flags&256 != 0 // ISO 32000-1, table 165
	if hidden || noView && !printed && !toggled {
		return true
	}
	rect := d.new.array(fd.vals["Rect"])
	if len(rect) == 0 {
		return fd.vals["Subtype"] == nil // no widget at all
	}
	return len(rect) == 4 && (equalPDF(rect[0], rect[2]) || equalPDF(rect[1], rect[3]))
}

func (d *revisionDiff) addedSignature(fd *pdfDict) string {
	sig := d.new.dict(fd.vals["V"])
	if sig == nil {
		return "an empty signature field was added"
	}
	if d.closed && d.new.resolve(sig.vals["SubFilter"]) != pdfName("ETSI.RFC3161") {
		return "a further signature was added after one that closes the file"
	}
	return ""
}

// compareObject judges one changed object that the old document uses; the rest can't be seen through it.
func (d *revisionDiff) compareObject(n uint32) {
	label, used := d.labels[n]
	if !used {
		return
	}
	was, _ := d.old.object(n)
	is, _ := d.new.object(n)
	wasDict, ok1 := was.(*pdfDict)
	isDict, ok2 := is.(*pdfDict)
	switch {
	case d.isFormPart(n):
	case d.annots[n] > 0:
		wasList, _ := was.(pdfArray)
		isList, _ := is.(pdfArray)
		if _, ok := is.(pdfArray); !ok {
			d.report("annotations were removed or replaced")
		}
		d.compareLists(wasList, isList, "annotations", d.annotsOf(n))
	case ok1 && ok2 && d.pages[n] > 0:
		d.comparePage(n, wasDict, isDict)
	case ok1 && ok2 && d.filled(n, wasDict, isDict):
		d.fillings++
	case ok1 && ok2 && d.isEmptySignature(wasDict):
		d.compareFilled(wasDict, isDict)
	default:
		d.report("%s was changed", label)
	}
}

// isFormPart tells whether an object is the catalog, the form or its list of fields, which are compared as a whole.
func (d *revisionDiff) isFormPart(n uint32) bool {
	ref, root, err := d.old.catalog()
	if err != nil {
		return false
	}
	if d.refs[n] > 1 && ref.num != n {
		return false // it is something else too
	}
	if ref.num == n {
		return true
	}
	for _, k := range []pdfName{"AcroForm", "Extensions"} {
		if r, ok := root.vals[k].(pdfRef); ok && r.num == n {
			return true
		}
	}
	if form := d.old.dict(root.vals["AcroForm"]); form != nil {
		if r, ok := form.vals["Fields"].(pdfRef); ok && r.num == n && d.annots[n] == 0 {
			return true
		}
	}
	return false
}

func (d *revisionDiff) comparePage(n uint32, was, is *pdfDict) {
	if is.dup || len(differingKeys(was, is, "Annots")) > 0 || !d.old.isArray(was.vals["Annots"]) || !d.new.isArray(is.vals["Annots"]) {
		d.report("page %d was changed", d.pages[n])
		return
	}
	page := fmt.Sprintf("page %d", d.pages[n])
	d.compareLists(d.old.array(was.vals["Annots"]), d.new.array(is.vals["Annots"]), "annotations of "+page, page)
}

// isEmptySignature tells whether a field of the old document waited for a signature.
func (d *revisionDiff) isEmptySignature(was *pdfDict) bool {
	return d.old.resolve(was.vals["FT"]) == pdfName("Sig") && d.old.resolve(was.vals["V"]) == nil
}

// compareFilled allows a field that waited for a signature to get it, with its looks.
func (d *revisionDiff) compareFilled(was, is *pdfDict) {
	if diff := differingKeys(was, is, "V", "AP", "AS", "F", "M", "MK", "Lock"); len(diff) > 0 || is.dup {
		d.report("the signature field %q was changed", plain(textOf(was.vals["T"])))
		return
	}
	if why := d.addedSignature(is); why != "" {
		d.report("%s", why)
	}
}

// mapOld walks all that the old document uses, but for its validation data, and says what each object is for.
func (d *revisionDiff) mapOld() error {
	d.labels, d.refs, d.pages, d.annots = map[uint32]string{}, map[uint32]int{}, map[uint32]int{}, map[uint32]int{}
	ref, root, err := d.old.catalog()
	if err != nil {
		return err
	}
	d.labels[ref.num] = "the catalog"
	d.number(root.vals["Pages"], 0)
	first := []pdfName{"Pages", "AcroForm", "Metadata"}
	for _, k := range first {
		d.visit(root.vals[k], catalogLabel(k))
	}
	for _, k := range root.keys {
		if k != "DSS" && k != "Extensions" && !slices.Contains(first, k) {
			d.visit(root.vals[k], catalogLabel(k))
		}
	}
	if r, ok := root.vals["Extensions"].(pdfRef); ok {
		d.refs[r.num]++
		d.labels[r.num] = "the list of extensions"
	}
	d.visit(d.old.trailer().vals["Info"], "the document information")
	return nil
}

func catalogLabel(k pdfName) string {
	switch k {
	case "Pages":
		return "the page tree"
	case "AcroForm":
		return "the form"
	case "Metadata":
		return "the metadata"
	case "OpenAction", "AA", "Names":
		return "a script, action or attachment"
	}
	return fmt.Sprintf("the catalog's %s", plain(string(k)))
}

// number gives the pages their numbers and finds their annotation arrays.
func (d *revisionDiff) number(v any, depth int) {
	ref, ok := v.(pdfRef)
	node := d.old.dict(v)
	if !ok || node == nil || depth > maxPDFDepth || d.pages[ref.num] != 0 || len(d.pages) > maxFields {
		return
	}
	kids, isTree := node.get("Kids")
	if !isTree {
		d.pageCount++
		d.leaves = append(d.leaves, ref)
		d.pages[ref.num] = d.pageCount
		if r, ok := node.vals["Annots"].(pdfRef); ok && d.annots[r.num] == 0 {
			d.annots[r.num] = d.pageCount
		}
		return
	}
	d.pages[ref.num] = -1
	for _, k := range d.old.array(kids) {
		d.number(k, depth+1)
	}
}

// labelled is a value on the way through the document, and what it is for.
type labelled struct {
	value any
	label string
}

// visit labels everything that can be reached from v and has no label yet.
func (d *revisionDiff) visit(v any, label string) {
	todo := []labelled{{v, label}}
	for len(todo) > 0 {
		it := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		switch v := it.value.(type) {
		case pdfRef:
			d.refs[v.num]++
			if _, seen := d.labels[v.num]; seen {
				continue
			}
			todo = append(todo, d.enter(v, it.label)...)
		case pdfArray:
			for _, e := range v {
				todo = append(todo, labelled{e, it.label})
			}
		case *pdfDict:
			todo = append(todo, children(v, it.label)...)
		case *pdfStream:
			todo = append(todo, children(v.dict, it.label)...)
		}
	}
}

func children(d *pdfDict, label string) (all []labelled) {
	for _, k := range d.keys {
		switch d.vals[k].(type) {
		case pdfRef, pdfArray, *pdfDict:
			all = append(all, labelled{d.vals[k], label})
		}
	}
	return all
}

// enter labels an object and gives its parts, with better labels for the parts of a page and for form fields.
func (d *revisionDiff) enter(ref pdfRef, label string) []labelled {
	v, err := d.old.object(ref.num)
	dict, isDict := v.(*pdfDict)
	page := d.pages[ref.num]
	switch {
	case page > 0:
		label = fmt.Sprintf("page %d", page)
	case isDict && dict.vals["T"] != nil && (dict.vals["FT"] != nil || dict.vals["Kids"] != nil):
		label = fmt.Sprintf("the form field %q", plain(textOf(d.old.resolve(dict.vals["T"]))))
	}
	d.labels[ref.num] = label
	if err != nil {
		return nil
	}
	if page <= 0 || !isDict {
		return []labelled{{v, label}}
	}
	var parts []labelled
	for _, k := range dict.keys {
		parts = append(parts, labelled{dict.vals[k], pagePart(k, page)})
	}
	return parts
}

func pagePart(k pdfName, page int) string {
	switch k {
	case "Parent":
		return "the page tree"
	case "Contents":
		return fmt.Sprintf("the content of page %d", page)
	case "Annots":
		return fmt.Sprintf("an annotation of page %d", page)
	}
	return fmt.Sprintf("the resources of page %d", page)
}
