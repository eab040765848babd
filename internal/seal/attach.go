package seal

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"
)

// TrailName is the name under which the audit trail is attached to a PDF.
const TrailName = "audit-trail.json"

// attachment is a file within a PDF.
type attachment struct {
	name, kind, about string
	data              []byte
	at                time.Time
}

func trailAttachment(trail []byte, at time.Time) attachment {
	return attachment{name: TrailName, kind: "application/json", about: "Audit trail", data: trail, at: at}
}

// attach puts a file into the PDF as data that belongs to the whole of it (ISO 32000-2, 7.11.4 and 14.13): in the catalog's list of
// associated files, and among the embedded files, where viewers show it. Who calls writes the catalog.
func (r *pdfRevision) attach(catalog *pdfDict, a attachment) {
	params := dictOf("Size", pdfInt(len(a.data)))
	if !a.at.IsZero() {
		date := pdfString{val: []byte(a.at.UTC().Format("D:20060102150405Z"))}
		params.set("CreationDate", date)
		params.set("ModDate", date)
	}
	file, spec := r.alloc(), r.alloc()
	r.put(file, r.packed(dictOf("Type", pdfName("EmbeddedFile"), "Subtype", pdfName(a.kind), "Params", params), a.data))
	r.put(spec, dictOf("Type", pdfName("Filespec"), "F", pdfText(a.name), "UF", pdfText(a.name), "Desc", pdfText(a.about),
		"AFRelationship", pdfName("Data"), "EF", dictOf("F", file, "UF", file)))
	catalog.set("AF", append(append(pdfArray{}, r.file.array(catalog.vals["AF"])...), spec))
	r.nameFile(catalog, a.name, spec)
}

// attachTo attaches a file to a document that is there.
func (r *pdfRevision) attachTo(a attachment) error {
	ref, root, err := r.file.catalog()
	if err != nil {
		return err
	}
	root = root.clone()
	r.attach(root, a)
	r.put(ref, root)
	return nil
}

// nameFile adds a file to the tree of names, which is written as one leaf with those that are there. One that can't be read stays
// as it is: the file is then found in the list of associated files only.
func (r *pdfRevision) nameFile(catalog *pdfDict, name string, spec pdfRef) {
	names := newPDFDict()
	if have := r.file.dict(catalog.vals["Names"]); have != nil {
		names = have.clone()
	}
	all, err := r.file.nameTree(names.vals["EmbeddedFiles"])
	if err != nil {
		return
	}
	for i := 1; slices.ContainsFunc(all, func(n namedValue) bool { return n.name == name }); i++ {
		name = fmt.Sprintf("%d-%s", i, name)
	}
	all = append(all, namedValue{name, spec})
	slices.SortStableFunc(all, func(a, b namedValue) int { return bytes.Compare([]byte(a.name), []byte(b.name)) })
	leaf := make(pdfArray, 0, 2*len(all))
	for _, n := range all {
		leaf = append(leaf, pdfString{val: []byte(n.name)}, n.value)
	}
	names.set("EmbeddedFiles", dictOf("Names", leaf))
	catalog.set("Names", names)
}

// namedValue is an entry of a tree of names (7.9.6).
type namedValue struct {
	name  string // its bytes
	value any
}

const maxNames = 10_000

func (f *pdfFile) nameTree(v any) ([]namedValue, error) {
	w := nameWalk{file: f, seen: map[pdfRef]bool{}}
	if v == nil {
		return nil, nil
	}
	err := w.visit(v, 0)
	return w.found, err
}

type nameWalk struct {
	file  *pdfFile
	seen  map[pdfRef]bool
	found []namedValue
}

var errNames = errors.New("its tree of names is broken")

func (w *nameWalk) visit(v any, depth int) error {
	if ref, ok := v.(pdfRef); ok {
		if w.seen[ref] {
			return errNames
		}
		w.seen[ref] = true
	}
	node := w.file.dict(v)
	if node == nil || depth > maxPDFDepth {
		return errNames
	}
	pairs := w.file.array(node.vals["Names"])
	for i := 0; i+1 < len(pairs); i += 2 {
		key, ok := w.file.resolve(pairs[i]).(pdfString)
		if !ok || len(w.found) >= maxNames {
			return errNames
		}
		w.found = append(w.found, namedValue{string(key.val), pairs[i+1]})
	}
	for _, kid := range w.file.array(node.vals["Kids"]) {
		if err := w.visit(kid, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// TrailOf gives the audit trail that is attached to a PDF, nil when there is none. It looks at the file's last revision and says
// nothing of who attached it: that follows from the seal. Of several the last one that was associated counts. Errors are an
// *InputError with KindDamaged.
func TrailOf(pdf []byte) ([]byte, error) {
	f, err := openPDF(pdf)
	if err != nil {
		return nil, irregular(err)
	}
	return f.attachedTrail(-1)
}

// attachedTrail is TrailOf with a bound on the trail's size in bytes, -1 for what any stream may have.
func (f *pdfFile) attachedTrail(limit int) ([]byte, error) {
	_, root, err := f.catalog()
	if err != nil {
		return nil, irregular(err)
	}
	specs := f.array(root.vals["AF"])
	if names := f.dict(root.vals["Names"]); len(specs) == 0 && names != nil {
		all, err := f.nameTree(names.vals["EmbeddedFiles"])
		if err != nil {
			return nil, irregular(err)
		}
		for _, n := range all {
			specs = append(specs, n.value)
		}
	}
	for _, v := range slices.Backward(specs) {
		spec := f.dict(v)
		if spec == nil || textOf(f.resolve(spec.vals["UF"])) != TrailName {
			continue
		}
		if ef := f.dict(spec.vals["EF"]); ef != nil {
			return f.embedded(ef.vals["F"], limit)
		}
	}
	return nil, nil
}

func (f *pdfFile) embedded(v any, limit int) ([]byte, error) {
	st, ok := f.resolve(v).(*pdfStream)
	if !ok {
		return nil, irregular(errors.New("an attached file is missing"))
	}
	data, err := f.decode(st, limit)
	if err != nil {
		return nil, irregular(err)
	}
	return data, nil
}
