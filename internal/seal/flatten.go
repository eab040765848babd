package seal

import (
	"bytes"
	"context"
	"fmt"
)

// Flatten makes a PDF's own form fields part of its pages. Of those that are named in used only the box stays, because fields
// of ours take their place; all others look as they did. A signed file is refused with KindBadSignatures: its signatures
// would break.
func (e *Engine) Flatten(ctx context.Context, pdf []byte, used []string) ([]byte, error) {
	f, err := e.regular(ctx, pdf)
	if err != nil {
		return nil, fmt.Errorf("flatten form: %w", err)
	}
	if f.hasSignatures() {
		return nil, fmt.Errorf("flatten form: %w", refuse(KindBadSignatures, "This PDF is signed, so its form fields can't be taken over.", nil))
	}
	replaced := make(map[string]bool, len(used))
	for _, name := range used {
		replaced[name] = true
	}
	f, err = e.flatten(f, flattening{used: replaced})
	if err != nil {
		return nil, fmt.Errorf("flatten form: %w", err)
	}
	return f.buf, nil
}

// flattening is what becomes of a form's fields.
type flattening struct {
	used  map[string]bool // by name: only their boxes stay
	marks []Mark          // what is about to be drawn: a field that one covers shows only its box
}

// flatten draws every form field but those for signatures as part of its page, as one revision.
func (e *Engine) flatten(f *pdfFile, k flattening) (*pdfFile, error) {
	pages, err := f.leaves()
	if err != nil {
		return nil, irregular(err)
	}
	s := stamping{rev: newRevision(f), pages: pages, t: newTypesetter(e.fonts), pictures: pictureSet{}}
	sheets := map[int]*stampedPage{}
	for i, l := range pages {
		p, err := s.flattenPage(i, l, k)
		if err != nil {
			return nil, err
		}
		if p != nil {
			sheets[i] = p
		}
	}
	if len(sheets) == 0 {
		return f, nil
	}
	if err := s.draw(sheets, nil); err != nil {
		return nil, err
	}
	if err := s.rev.leaveSignatureFields(); err != nil {
		return nil, err
	}
	flat, err := openPDF(s.rev.finish())
	if err != nil {
		return nil, irregular(err)
	}
	return flat, nil
}

// flattenPage is nil for a page without form fields.
func (s *stamping) flattenPage(index int, l leaf, k flattening) (*stampedPage, error) {
	all := s.rev.file.array(l.dict.vals["Annots"])
	if len(all) == 0 {
		return nil, nil
	}
	p := &stampedPage{shape: s.rev.file.shape(l), sheet: &sheet{}, annots: pdfArray{}}
	for _, a := range all {
		d := s.rev.file.dict(a)
		if d == nil || d.name("Subtype") != "Widget" {
			p.annots = append(p.annots, a)
			continue
		}
		if err := s.flattenWidget(p, index, d, a, k); err != nil {
			return nil, err
		}
	}
	if len(p.annots) == len(all) {
		return nil, nil
	}
	return p, nil
}

func (s *stamping) flattenWidget(p *stampedPage, page int, d *pdfDict, a any, k flattening) error {
	f := s.rev.file
	box, ok := f.widget(d, p.shape)
	box.Page = page
	used := ok && k.used[f.shownName(d)]
	isSignature := f.inField(d, "FT") == pdfName("Sig")
	flags, _ := d.int("F")
	switch {
	case isSignature && !used:
		p.annots = append(p.annots, a)
	case !ok || flags&(annotHidden|annotNoView) != 0:
	case used || replacedBy(box, k.marks):
		if ref, ok := s.rev.boxOf(d); ok {
			p.below = append(p.below, ref)
		}
	default:
		return s.keepLook(p, d, box)
	}
	return nil
}

// keepLook draws what a field shows: its appearance, or its box and value when it has none or says that it is out of date.
func (s *stamping) keepLook(p *stampedPage, d *pdfDict, box Mark) error {
	f := s.rev.file
	kind := f.inField(d, "FT")
	if look, ok := s.rev.appearance(d); ok && !(f.needsAppearances() && (kind == pdfName("Tx") || kind == pdfName("Ch"))) {
		if look.ref.num != 0 {
			p.below = append(p.below, look)
		}
		return nil
	}
	if look, ok := s.rev.boxOf(d); ok {
		p.below = append(p.below, look)
	}
	if kind == pdfName("Ch") && f.fieldFlags(d)&fieldCombo == 0 && f.listOptions(s, p, d, box) {
		return nil
	}
	if f.value(d, &box); box.Kind == "" {
		return nil
	}
	if kind != pdfName("Tx") || f.fieldFlags(d)&fieldMultiline == 0 {
		box = box.middle(p.shape.height)
	}
	return box.draw(s.t, p.sheet, p.shape.width, p.shape.height, s.pictures)
}

// needsAppearances tells whether the form asks viewers to draw its fields anew (ISO 32000-2, table 224).
func (f *pdfFile) needsAppearances() bool {
	_, root, err := f.catalog()
	if err != nil {
		return false
	}
	form := f.dict(root.vals["AcroForm"])
	return form != nil && f.resolve(form.vals["NeedAppearances"]) == true
}

// replacedBy tells whether one of the marks on the same page covers most of a box.
func replacedBy(box Mark, marks []Mark) bool {
	for _, m := range marks {
		w := min(m.X+m.W, box.X+box.W) - max(m.X, box.X)
		h := min(m.Y+m.H, box.Y+box.H) - max(m.Y, box.Y)
		if m.Page == box.Page && w > 0 && h > 0 && w*h > 0.6*box.W*box.H {
			return true
		}
	}
	return false
}

// boxOf is what a field looks like without its value: a button that is off, otherwise its background and border, as its appearance
// characteristics have them (ISO 32000-2, table 192); not ok when it has neither.
func (r *pdfRevision) boxOf(d *pdfDict) (appearance, bool) {
	f := r.file
	if looks := f.dict(d.vals["AP"]); looks != nil && f.inField(d, "FT") == pdfName("Btn") {
		if states, is := f.resolve(looks.vals["N"]).(*pdfDict); is && states.vals["Off"] != nil {
			return r.look(d, states.vals["Off"])
		}
	}
	rect, ok := f.rectangle(d.vals["Rect"])
	looks := f.dict(d.vals["MK"])
	if !ok || looks == nil {
		return appearance{}, false
	}
	w, h := rect[2]-rect[0], rect[3]-rect[1]
	var ops bytes.Buffer
	if fill := f.colour(looks.vals["BG"], "g", "rg", "k"); fill != "" {
		fmt.Fprintf(&ops, "%s 0 0 %s %s re f\n", fill, decimal(w), decimal(h))
	}
	width, line := 1.0, false
	if style := f.dict(d.vals["BS"]); style != nil {
		if n, ok := number(f.resolve(style.vals["W"])); ok {
			width = n
		}
		line = style.name("S") == "U"
	}
	if stroke := f.colour(looks.vals["BC"], "G", "RG", "K"); stroke != "" && width > 0 && width < min(w, h) {
		in := decimal(width / 2)
		fmt.Fprintf(&ops, "%s %s w ", stroke, decimal(width))
		if line {
			fmt.Fprintf(&ops, "0 %s m %s %s l S\n", in, decimal(w), in)
		} else {
			fmt.Fprintf(&ops, "%s %s %s %s re S\n", in, in, decimal(w-width), decimal(h-width))
		}
	}
	if ops.Len() == 0 {
		return appearance{}, false
	}
	ref := r.alloc()
	r.put(ref, r.packed(dictOf("Type", pdfName("XObject"), "Subtype", pdfName("Form"), "Resources", newPDFDict(),
		"BBox", pdfArray{pdfInt(0), pdfInt(0), pdfReal(decimal(w)), pdfReal(decimal(h))}), ops.Bytes()))
	return appearance{ref, matrix{1, 0, 0, 1, rect[0], rect[1]}}, true
}

// colour writes an array of one, three or four numbers as the operator that sets that colour; "" for none.
func (f *pdfFile) colour(v any, grey, rgb, cmyk string) string {
	a := f.array(v)
	op := map[int]string{1: grey, 3: rgb, 4: cmyk}[len(a)]
	if op == "" {
		return ""
	}
	var b bytes.Buffer
	for _, part := range a {
		n, ok := number(f.resolve(part))
		if !ok || n < 0 || n > 1 {
			return ""
		}
		b.WriteString(decimal(n) + " ")
	}
	return b.String() + op
}

// leaveSignatureFields takes every field out of the form but those for signatures; a form without any goes.
func (r *pdfRevision) leaveSignatureFields() error {
	ref, root, err := r.file.catalog()
	if err != nil {
		return irregular(err)
	}
	form := r.file.dict(root.vals["AcroForm"])
	if form == nil {
		return nil
	}
	var kept pdfArray
	for _, v := range r.file.array(form.vals["Fields"]) {
		w := fieldWalk{file: r.file, seen: map[pdfRef]bool{}}
		if err := w.walk(pdfArray{v}, "", "", 0); err == nil && len(w.found) > 0 {
			kept = append(kept, v)
		}
	}
	root = root.clone()
	if len(kept) == 0 {
		root.set("AcroForm", nil)
	} else {
		form = without(form, "CO", "NeedAppearances")
		form.set("Fields", kept)
		root.set("AcroForm", form)
	}
	r.put(ref, root)
	return nil
}
