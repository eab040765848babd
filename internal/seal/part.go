package seal

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// A document whose recipients sign each for themselves is a form. PrepareParts puts blank fields where values and signatures
// will stand; SignPart fills one recipient's fields and signs them, in one revision, as a form is filled in: nothing that
// an earlier signature covers is touched, so that it stays valid (ISO 32000-2, 12.8.2.2.2). What is on the pages, and what
// lies behind them, can't change any more after the first signature; the audit pages are therefore a file of their own.

// Part is one recipient's share of a document: where their values stand, and their signature.
type Part struct {
	ID     string // names its fields; letters, digits and dashes, unique in the document
	Places []Place
	Sign   *Place // nil: the signature is not shown on a page
}

// Place is a box on a page, as Mark has it.
type Place struct {
	Page       int
	X, Y, W, H float64
	Title      string // for screen readers
	Words      bool   // a text field, whose value programs can read; otherwise a picture
}

// SignedPart is a part with what its recipient entered. Marks say what to draw; Page, X, Y, W and H of them don't count.
type SignedPart struct {
	Part
	Values []PartValue // by place
	Signed []Mark      // drawn where Sign is
}

// PartValue is what stands at a place; the zero value is nothing.
type PartValue struct {
	Text  string // of a place for words
	Marks []Mark
}

// fieldName is a place's field; 0 is the signature's.
func (p Part) fieldName(n int) string {
	if n == 0 {
		return "Paraph-" + p.ID
	}
	return "Paraph-" + p.ID + "-" + strconv.Itoa(n)
}

// lock says which fields the part's signature closes: its own (12.7.5.5).
func (p Part) lock(kind pdfName) *pdfDict {
	names := pdfArray{}
	for i := range p.Places {
		names = append(names, pdfText(p.fieldName(i+1)))
	}
	d := newPDFDict()
	d.set("Type", kind)
	d.set("Action", pdfName("Include"))
	d.set("Fields", names)
	return d
}

func (p Place) mark() Mark { return Mark{Page: p.Page, X: p.X, Y: p.Y, W: p.W, H: p.H} }

// PrepareParts adds the blank fields of all parts, as one revision. It must be done before anybody signs. Signatures that the
// file has stay when they allow what follows; see Stamp.
func (e *Engine) PrepareParts(ctx context.Context, pdf []byte, parts []Part) ([]byte, error) {
	if err := e.checkBytes(pdf); err != nil {
		return nil, err
	}
	f, err := e.regular(ctx, pdf)
	if err != nil {
		return nil, fmt.Errorf("prepare PDF for signatures: %w", err)
	}
	if f.hasForm() && !f.hasSignatures() {
		if f, err = e.flatten(f, flattening{marks: marksOf(parts)}); err != nil {
			return nil, fmt.Errorf("prepare PDF for signatures: %w", err)
		}
	}
	pages, err := f.leaves()
	if err != nil {
		return nil, irregular(err)
	}
	b := blanks{rev: newRevision(f), pages: pages, annots: map[int]pdfArray{}}
	for _, p := range parts {
		if err := b.add(p); err != nil {
			return nil, fmt.Errorf("prepare PDF for signatures: %w", err)
		}
	}
	if err := b.finish(); err != nil {
		return nil, fmt.Errorf("prepare PDF for signatures: %w", err)
	}
	return b.rev.finish(), nil
}

// marksOf are the places of all parts.
func marksOf(parts []Part) (marks []Mark) {
	for _, p := range parts {
		for _, place := range p.Places {
			marks = append(marks, place.mark())
		}
		if p.Sign != nil {
			marks = append(marks, p.Sign.mark())
		}
	}
	return marks
}

// blanks are blank fields in the making.
type blanks struct {
	rev    *pdfRevision
	pages  []leaf
	empty  pdfRef // the looks of all that is blank
	fields pdfArray
	annots map[int]pdfArray // by page
}

func (b *blanks) add(p Part) error {
	if b.empty.num == 0 {
		b.empty = b.rev.alloc()
		b.rev.put(b.empty, b.rev.packed(dictOf("Type", pdfName("XObject"), "Subtype", pdfName("Form"),
			"BBox", pdfArray{pdfInt(0), pdfInt(0), pdfInt(1), pdfInt(1)}, "Resources", newPDFDict()), nil))
	}
	for i, place := range p.Places {
		if err := b.put(p.fieldName(i+1), place, place.field()); err != nil {
			return err
		}
	}
	lock := p.lock("SigFieldLock")
	lock.set("P", pdfInt(2)) // filling other fields and further signatures may follow
	d := dictOf("FT", pdfName("Sig"), "Lock", lock)
	if p.Sign != nil {
		return b.put(p.fieldName(0), *p.Sign, d)
	}
	d.set("Rect", pdfArray{pdfInt(0), pdfInt(0), pdfInt(0), pdfInt(0)})
	b.hang(p.fieldName(0), 0, d)
	return nil
}

// field is what the field at a place is: text, or a button, which is what viewers show a picture in. Nobody can enter
// anything in a viewer, for that would not be a signature.
func (p Place) field() *pdfDict {
	var d *pdfDict
	if p.Words {
		d = dictOf("FT", pdfName("Tx"), "Ff", pdfInt(fieldReadOnly|textMultiline), "DA", pdfText("/Helv 0 Tf 0 g"))
	} else {
		d = dictOf("FT", pdfName("Btn"), "Ff", pdfInt(fieldReadOnly|buttonPush))
	}
	if p.Title != "" {
		d.set("TU", pdfText(p.Title))
	}
	return d
}

func (b *blanks) put(name string, p Place, d *pdfDict) error {
	if err := p.mark().check(len(b.pages)); err != nil {
		return err
	}
	shape := b.rev.file.shape(b.pages[p.Page])
	if shape.width < minSide || shape.height < minSide {
		return damagedPage(p.Page, fmt.Errorf("it has no size"))
	}
	d.set("Rect", shape.rect(p))
	d.set("AP", dictOf("N", b.empty))
	b.hang(name, p.Page, d)
	return nil
}

// rect is a place in the page's own space.
func (s pageShape) rect(p Place) pdfArray {
	x0, y0 := s.toUser.apply(p.X*s.width, (1-p.Y-p.H)*s.height)
	x1, y1 := s.toUser.apply((p.X+p.W)*s.width, (1-p.Y)*s.height)
	return pdfArray{pdfReal(decimal(min(x0, x1))), pdfReal(decimal(min(y0, y1))), pdfReal(decimal(max(x0, x1))), pdfReal(decimal(max(y0, y1)))}
}

func (b *blanks) hang(name string, page int, d *pdfDict) {
	ref := b.rev.alloc()
	d.set("Type", pdfName("Annot"))
	d.set("Subtype", pdfName("Widget"))
	d.set("T", pdfText(name))
	d.set("F", pdfInt(invisibleFlags)) // Print and Locked
	d.set("P", b.pages[page].ref)
	b.rev.put(ref, d)
	b.fields = append(b.fields, ref)
	b.annots[page] = append(b.annots[page], ref)
}

func (b *blanks) finish() error {
	for _, index := range slices.Sorted(maps.Keys(b.annots)) {
		l := b.pages[index]
		page := l.dict.clone()
		page.set("Annots", append(slices.Clone(b.rev.file.array(l.dict.vals["Annots"])), b.annots[index]...))
		b.rev.put(l.ref, page)
	}
	return b.putForm()
}

// putForm adds the fields to the document's form, and the font that viewers may show their words in.
func (b *blanks) putForm() error {
	f := b.rev.file
	ref, root, err := f.catalog()
	if err != nil {
		return irregular(err)
	}
	form := newPDFDict()
	if old := f.dict(root.vals["AcroForm"]); old != nil {
		form = old.clone()
	}
	form.set("Fields", append(slices.Clone(f.array(form.vals["Fields"])), b.fields...))
	form.set("SigFlags", pdfInt(3)) // SignaturesExist and AppendOnly
	form.set("DR", f.withHelvetica(form.vals["DR"]))
	root = root.clone()
	at := b.rev.alloc()
	root.set("AcroForm", at)
	b.rev.put(at, form)
	b.rev.put(ref, root)
	return nil
}

func (f *pdfFile) withHelvetica(v any) *pdfDict {
	resources, fonts := newPDFDict(), newPDFDict()
	if have := f.dict(v); have != nil {
		resources = have.clone()
	}
	if have := f.dict(resources.vals["Font"]); have != nil {
		fonts = have.clone()
	}
	if fonts.vals["Helv"] == nil {
		fonts.set("Helv", dictOf("Type", pdfName("Font"), "Subtype", pdfName("Type1"), "BaseFont", pdfName("Helvetica"), "Encoding", pdfName("WinAnsiEncoding")))
	}
	resources.set("Font", fonts)
	return resources
}
