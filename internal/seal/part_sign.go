package seal

import (
	"crypto"
	"errors"
	"fmt"
)

// SignPart fills a part's fields and signs it, as one revision: an approval by the identity that closes the part's own
// fields and leaves all others open (FieldMDP; ISO 32000-2, 12.8.2.4). pdf is what PrepareParts gave, or what SignPart gave
// for another part. An error about the file is an *InputError: KindBadSignatures for a part that is signed already, is not
// there, or can't be signed any more because the file is closed.
func (e *Engine) SignPart(pdf []byte, part SignedPart, id Identity, opt SignOptions) ([]byte, error) {
	if err := id.usable(); err != nil {
		return nil, err
	}
	if opt.At.IsZero() {
		return nil, errors.New("sign part: a signing time is needed")
	}
	f, err := openPDF(pdf)
	if err != nil {
		return nil, refuse(KindDamaged, "The PDF can't be signed as it is: "+err.Error()+".", err)
	}
	p, err := e.newPartSigning(f, part, id, opt)
	if err != nil {
		return nil, err
	}
	out, err := p.run()
	if errors.Is(err, errNotStamped) { // once more, without the room for it
		opt.Stamp = nil
		return e.SignPart(pdf, part, id, opt)
	}
	return out, err
}

// partSigning is one part's revision in the making.
type partSigning struct {
	signing
	part   SignedPart
	pages  []leaf
	t      *typesetter
	values []namedField // by place
	field  *pdfDict     // the signature's
}

type namedField struct {
	ref  pdfRef
	dict *pdfDict
}

func (e *Engine) newPartSigning(f *pdfFile, part SignedPart, id Identity, opt SignOptions) (*partSigning, error) {
	p := &partSigning{part: part, t: newTypesetter(e.fonts)}
	p.signing = signing{file: f, id: id, opt: opt, hash: crypto.SHA256, lock: true, kind: "Sig", format: "ETSI.CAdES.detached"}
	p.make = p.makeCMS
	if opt.Stamp != nil {
		p.room += tokenRoom
	}
	for _, c := range id.Chain {
		p.room += len(c.Raw)
	}
	p.room += 4096
	p.reference = partReference(part.Part)
	var err error
	if p.pages, err = f.leaves(); err != nil {
		return nil, irregular(err)
	}
	if err := p.find(); err != nil {
		return nil, err
	}
	p.rev = newRevision(f)
	p.sigRef = p.rev.alloc()
	return p, nil
}

// partReference says what the signature closes.
func partReference(p Part) *pdfDict {
	params := p.lock("TransformParams")
	params.set("V", pdfName("1.2"))
	return dictOf("Type", pdfName("SigRef"), "TransformMethod", pdfName("FieldMDP"), "TransformParams", params)
}

// find looks the part's fields up.
func (p *partSigning) find() error {
	fields, err := p.file.topFields()
	if err != nil {
		return irregular(err)
	}
	for i := range p.part.Places {
		fd, ok := fields[p.part.fieldName(i+1)]
		if !ok {
			return refuse(KindBadSignatures, "The document was not prepared for this signature.", nil)
		}
		p.values = append(p.values, fd)
	}
	fd, ok := fields[p.part.fieldName(0)]
	if !ok {
		return refuse(KindBadSignatures, "The document was not prepared for this signature.", nil)
	}
	if fd.dict.vals["V"] != nil {
		return refuse(KindBadSignatures, "This part of the document is signed already.", nil)
	}
	signatures, err := p.file.signatureFields()
	if err != nil {
		return irregular(err)
	}
	for _, s := range signatures {
		if s.value != nil && p.file.closes(s) {
			return refuse(KindBadSignatures, "An earlier signature closes this PDF: nothing may be added to it, not even a signature.", nil)
		}
	}
	p.fieldRef, p.field = fd.ref, fd.dict
	return nil
}

// topFields are the form's fields that have no parent, by name; of two of one name the first.
func (f *pdfFile) topFields() (map[string]namedField, error) {
	_, root, err := f.catalog()
	if err != nil {
		return nil, err
	}
	form := f.dict(root.vals["AcroForm"])
	if form == nil {
		return nil, nil
	}
	all := f.array(form.vals["Fields"])
	out := make(map[string]namedField, len(all))
	for _, v := range all {
		ref, ok := v.(pdfRef)
		d := f.dict(v)
		if !ok || d == nil {
			continue
		}
		name := textOf(f.resolve(d.vals["T"]))
		if _, again := out[name]; !again {
			out[name] = namedField{ref, d}
		}
	}
	return out, nil
}

// look is a place with its looks, composed but not yet written.
type look struct {
	field namedField
	shape pageShape
	place Place
	sheet *sheet
}

func (p *partSigning) run() ([]byte, error) {
	looks, signed, err := p.compose()
	if err != nil {
		return nil, err
	}
	d := newDrawing(p.rev, &p.t.glyphs)
	for i, l := range looks {
		if l.sheet == nil {
			continue
		}
		dict := l.field.dict.clone()
		if text := p.part.Values[i].Text; l.place.Words && text != "" {
			dict.set("V", pdfText(text))
		}
		if err := d.dress(dict, l); err != nil {
			return nil, err
		}
		p.rev.put(l.field.ref, dict)
	}
	field := p.field.clone()
	if signed != nil {
		if err := d.dress(field, *signed); err != nil {
			return nil, err
		}
	}
	p.putSignature()
	field.set("V", p.sigRef)
	p.rev.put(p.fieldRef, field)
	return p.fill(p.rev.finish())
}

// compose shapes all that is drawn before any of it is written.
func (p *partSigning) compose() (looks []look, signed *look, err error) {
	pictures := pictureSet{}
	for i, v := range p.part.Values[:min(len(p.part.Values), len(p.part.Places))] {
		l, err := p.look(p.part.Places[i], p.values[i], v.Marks, pictures)
		if err != nil {
			return nil, nil, err
		}
		looks = append(looks, l)
	}
	if p.part.Sign == nil || len(p.part.Signed) == 0 {
		return looks, nil, nil
	}
	l, err := p.look(*p.part.Sign, namedField{p.fieldRef, p.field}, p.part.Signed, pictures)
	return looks, &l, err
}

// look draws marks that fill a place; without marks there is no sheet.
func (p *partSigning) look(place Place, fd namedField, marks []Mark, pictures pictureSet) (look, error) {
	l := look{field: fd, place: place}
	if err := place.mark().check(len(p.pages)); err != nil {
		return l, err
	}
	l.shape = p.file.shape(p.pages[place.Page])
	if len(marks) == 0 {
		return l, nil
	}
	l.sheet = &sheet{}
	for _, m := range marks {
		m.Page, m.X, m.Y, m.W, m.H = 0, 0, 0, 1, 1
		if err := m.draw(p.t, l.sheet, place.W*l.shape.width, place.H*l.shape.height, pictures); err != nil {
			return l, fmt.Errorf("page %d: %w", place.Page+1, err)
		}
	}
	return l, nil
}

// dress gives a field its looks. A viewer fits what Matrix makes of BBox into the field's rectangle (12.5.5), so Matrix
// needs to do no more than turn it as the page is turned.
func (d *drawing) dress(field *pdfDict, l look) error {
	w, h := l.place.W*l.shape.width, l.place.H*l.shape.height
	ops, resources, err := d.content(l.sheet, h)
	if err != nil {
		return err
	}
	u := l.shape.toUser
	ref := d.rev.alloc()
	d.rev.put(ref, d.rev.packed(dictOf("Type", pdfName("XObject"), "Subtype", pdfName("Form"),
		"BBox", pdfArray{pdfInt(0), pdfInt(0), pdfReal(decimal(w)), pdfReal(decimal(h))},
		"Matrix", pdfArray{pdfReal(decimal(u.a)), pdfReal(decimal(u.b)), pdfReal(decimal(u.c)), pdfReal(decimal(u.d)), pdfInt(0), pdfInt(0)},
		"Resources", resources), ops))
	field.set("AP", dictOf("N", ref))
	return nil
}
