package seal

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Combined is a PDF that is put together of others, for reading: it carries no signature, and its first page says so and names
// what it was made of.
type Combined struct {
	Title, ID string // of the envelope
	Instance  string
	VerifyURL string
	Language  string // one of Languages; default English
	Parts     []CombinedPart
}

// CombinedPart is one of the files.
type CombinedPart struct {
	Name   string
	SHA256 string // of the file, in hex
	PDF    []byte // regular, as Seal gives it
}

// Combine puts PDFs together. Of each it takes the pages with what stands on them; outlines, forms, attachments and scripts stay behind.
func (e *Engine) Combine(ctx context.Context, c Combined) ([]byte, error) {
	if len(c.Parts) == 0 {
		return nil, errors.New("combine PDFs: there are none")
	}
	rev, root := newPDF()
	tree := rev.alloc()
	w := combining{rev: rev, tree: tree}
	var counts []int
	for _, p := range c.Parts {
		if err := context.Cause(ctx); err != nil {
			return nil, fmt.Errorf("combine PDFs: %w", err)
		}
		n, err := w.add(p.PDF)
		if err != nil {
			return nil, fmt.Errorf("combine PDFs: %s: %w", p.Name, irregular(err))
		}
		counts = append(counts, n)
	}
	t := newTypesetter(e.fonts)
	sheets, err := setCover(t, c, counts)
	if err != nil {
		return nil, fmt.Errorf("combine PDFs: %w", err)
	}
	cover, err := newDrawing(rev, &t.glyphs).newPages(tree, sheets)
	if err != nil {
		return nil, fmt.Errorf("combine PDFs: %w", err)
	}
	pages := append(cover, w.pages...)
	rev.put(tree, dictOf("Type", pdfName("Pages"), "Kids", pages, "Count", pdfInt(len(pages))))
	catalog := dictOf("Type", pdfName("Catalog"), "Pages", tree)
	if len(w.layers) > 0 {
		catalog.set("OCProperties", dictOf("OCGs", w.layers, "D", dictOf("OFF", w.hidden)))
	}
	rev.put(root, catalog)
	return rev.finish(), nil
}

// setCover is the page that says what the file is.
func setCover(t *typesetter, c Combined, counts []int) ([]*sheet, error) {
	w := wordsOf(c.Language)
	b := &auditSetter{t: t, w: w, a: Audit{ID: c.ID, Instance: c.Instance, VerifyURL: c.VerifyURL}, pictures: pictureSet{}}
	b.newPage()
	width := auditWidth
	if c.VerifyURL != "" {
		if err := b.qr(auditRight-qrSide, b.y); err != nil {
			return nil, err
		}
		width -= qrSide + 24
	}
	b.stack(auditLeft, width, 6, b.set(w.Combined, styleTitle, width))
	b.stack(auditLeft, width, 5, b.set(c.Title, styleSubject, width))
	b.stack(auditLeft, width, 14, b.set(w.Unsealed, styleBody, width))
	b.y = max(b.y, auditTop+qrSide)
	b.section(w.Documents, 40)
	for i, p := range c.Parts {
		b.stack(auditLeft, auditWidth, 7,
			b.set(p.Name, styleStrong, auditWidth), b.set(fmt.Sprintf("%s: %d", w.Pages, counts[i]), styleSmall, auditWidth),
			b.set(spell(w.Sealed, p.SHA256), styleSmall, auditWidth))
	}
	if c.VerifyURL != "" {
		b.section(w.Verify, 30)
		b.stack(auditLeft, auditWidth, 4, b.set(fill(w.CheckAt, "url", c.VerifyURL), styleBody, auditWidth))
	}
	for _, sh := range b.sheets { // its pages are not counted: those of the documents have numbers of their own
		k := b.set(join(" · ", c.Instance, c.ID), styleSmall, auditWidth)
		for i, l := range k.lines {
			sh.text(l, auditLeft, auditBottom+24+k.pitch()*float64(i)+styleSmall.size, styleSmall.size, faint)
		}
	}
	return b.sheets, nil
}

// combining copies pages into a file that begins.
type combining struct {
	rev            *pdfRevision
	tree           pdfRef
	pages          pdfArray
	layers, hidden pdfArray // of optional content (ISO 32000-2, 8.11)

	file   *pdfFile // that is copied from
	copies map[pdfRef]pdfRef
	queue  []pdfRef
}

// add copies a file's pages and answers how many.
func (w *combining) add(pdf []byte) (int, error) {
	f, err := openPDF(pdf)
	if err != nil {
		return 0, err
	}
	leaves, err := f.leaves()
	if err != nil {
		return 0, err
	}
	w.file, w.copies, w.queue = f, map[pdfRef]pdfRef{}, nil
	for _, l := range leaves {
		w.copies[l.ref] = w.rev.alloc()
		w.pages = append(w.pages, w.copies[l.ref])
	}
	for _, l := range leaves {
		w.rev.put(w.copies[l.ref], w.page(l))
	}
	w.optional()
	for len(w.queue) > 0 {
		ref := w.queue[0]
		w.queue = w.queue[1:]
		v, err := f.deref(ref)
		if err != nil {
			return 0, err
		}
		w.rev.put(w.copies[ref], w.value(v))
	}
	return len(leaves), nil
}

// page keeps what is to be seen, and says what it inherits.
func (w *combining) page(l leaf) *pdfDict {
	out := dictOf("Type", pdfName("Page"), "Parent", w.tree)
	for _, k := range []pdfName{"MediaBox", "CropBox", "Rotate", "Resources"} {
		if v := l.attribute(k); v != nil {
			out.set(k, w.value(v))
		}
	}
	for _, k := range []pdfName{"BleedBox", "TrimBox", "ArtBox", "Contents", "Group", "UserUnit"} {
		if v, ok := l.dict.get(k); ok {
			out.set(k, w.value(v))
		}
	}
	var annots pdfArray
	for _, a := range w.file.array(l.dict.vals["Annots"]) {
		if d := w.file.dict(a); d != nil {
			annots = append(annots, w.annotation(d))
		}
	}
	if annots != nil {
		out.set("Annots", annots)
	}
	return out
}

// annotation keeps how one looks and, of a link, where it leads; what it does otherwise, and the form that it belongs to, stay behind.
func (w *combining) annotation(d *pdfDict) *pdfDict {
	out := newPDFDict()
	link := d.name("Subtype") == "Link"
	for _, k := range d.keys {
		switch k {
		case "Parent", "AA", "StructParent", "Popup", "IRT", "FS", "FT", "T", "V", "Lock", "SV":
		case "A":
			if a := w.file.dict(d.vals[k]); link && a != nil && a.name("S") == "URI" {
				out.set(k, dictOf("S", a.vals["S"], "URI", w.value(a.vals["URI"])))
			} else if link && a != nil && a.name("S") == "GoTo" {
				out.set(k, dictOf("S", a.vals["S"], "D", w.value(a.vals["D"])))
			}
		default:
			out.set(k, w.value(d.vals[k]))
		}
	}
	return out
}

// optional keeps which layers there are and which are hidden at first.
func (w *combining) optional() {
	_, root, err := w.file.catalog()
	if err != nil {
		return
	}
	properties := w.file.dict(root.vals["OCProperties"])
	if properties == nil {
		return
	}
	all := w.file.array(properties.vals["OCGs"])
	config := w.file.dict(properties.vals["D"])
	if config == nil {
		config = newPDFDict()
	}
	on, off := w.file.array(config.vals["ON"]), w.file.array(config.vals["OFF"])
	for _, layer := range all {
		ref, ok := layer.(pdfRef)
		if !ok {
			continue
		}
		copied := w.value(ref)
		w.layers = append(w.layers, copied)
		if slices.Contains(off, any(ref)) || config.name("BaseState") == "OFF" && !slices.Contains(on, any(ref)) {
			w.hidden = append(w.hidden, copied)
		}
	}
}

// value copies a value; what it refers to is queued. The trees of the file that is copied from are not followed.
func (w *combining) value(v any) any {
	switch v := v.(type) {
	case pdfRef:
		return w.reference(v)
	case pdfArray:
		out := make(pdfArray, len(v))
		for i, e := range v {
			out[i] = w.value(e)
		}
		return out
	case *pdfDict:
		return w.dict(v)
	case *pdfStream:
		return &pdfStream{dict: w.dict(v.dict), raw: v.raw}
	}
	return v
}

func (w *combining) dict(d *pdfDict) *pdfDict {
	out := newPDFDict()
	for _, k := range d.keys {
		if k != "StructParents" && k != "Length" { // a stream's length is written with it
			out.set(k, w.value(d.vals[k]))
		}
	}
	return out
}

func (w *combining) reference(ref pdfRef) any {
	if to, ok := w.copies[ref]; ok {
		return to
	}
	if d := w.file.dict(ref); d != nil && slices.Contains([]pdfName{"Page", "Pages", "Catalog", "StructTreeRoot", "StructElem"}, d.name("Type")) {
		return nil
	}
	w.copies[ref] = w.rev.alloc()
	w.queue = append(w.queue, ref)
	return w.copies[ref]
}
