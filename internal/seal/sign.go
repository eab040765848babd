package seal

import (
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// SignOptions says what a signature's dictionary tells; all but At may be empty.
type SignOptions struct {
	Name        string // who signs; the certificate's common name when empty
	Reason      string
	Location    string
	ContactInfo string
	At          time.Time // the signing time, M
	// Stamp gives a timestamp token over a digest (Stamper.Stamp), which makes the signature B-T. When it fails, the
	// signature is B-B: that is no error. nil makes it B-B.
	Stamp func(hash crypto.Hash, digest []byte) ([]byte, error)
}

// invisibleFlags are Print and Locked (ISO 32000-1, table 165).
const invisibleFlags = 132

// Sign appends one incremental revision with a PAdES B-B signature over the whole file and returns the file; the bytes
// that were there stay as they are. A file without signatures is certified (DocMDP, P 1: only validation data and
// timestamps may follow, ISO 32000-2, 12.8.2.2); in one that is signed already the signature is an approval
// with a field lock that says the same.
//
// The file must be regular, as the engine saves it. Errors about the file are an *InputError: KindPassword for an encrypted
// one, KindBadSignatures for one that earlier signatures close for any further one, KindDamaged for what can't be read.
func Sign(pdf []byte, id Identity, opt SignOptions) ([]byte, error) {
	if err := id.usable(); err != nil {
		return nil, err
	}
	if opt.At.IsZero() {
		return nil, fmt.Errorf("seal: a signing time is needed")
	}
	f, err := openPDF(pdf)
	if err != nil {
		return nil, refuse(KindDamaged, "The PDF can't be signed as it is: "+err.Error()+".", err)
	}
	if _, encrypted := f.trailer().get("Encrypt"); encrypted {
		return nil, refuse(KindPassword, "The PDF is encrypted, so it can't be signed.", nil)
	}
	s, err := newSigning(f, id, opt)
	if err != nil {
		return nil, err
	}
	if s.closed {
		return nil, refuse(KindBadSignatures, "An earlier signature closes this PDF: nothing may be added to it, not even a signature.", nil)
	}
	out, err := s.run()
	if errors.Is(err, errNotStamped) { // once more, without the room for it
		opt.Stamp = nil
		return Sign(pdf, id, opt)
	}
	return out, err
}

var errNotStamped = errors.New("no timestamp authority answered")

// makeCMS signs, and has the signature timestamped when that is wanted.
func (s *signing) makeCMS(h crypto.Hash, digest []byte) ([]byte, error) {
	cms, err := cmsSign(s.id, h, digest)
	if err != nil || s.opt.Stamp == nil {
		return cms, err
	}
	m, err := parseCMS(cms)
	if err != nil {
		return nil, err
	}
	sum := h.New()
	sum.Write(m.signature)
	token, err := s.opt.Stamp(h, sum.Sum(nil))
	if err != nil {
		return nil, errNotStamped
	}
	return withTimestamp(cms, token)
}

// signing is one signature in the making.
type signing struct {
	file    *pdfFile
	rev     *pdfRevision
	id      Identity
	opt     SignOptions
	hash    crypto.Hash
	certify bool // there is no signature yet
	lock    bool // say that nothing may follow
	closed  bool // an earlier signature says so

	reference *pdfDict // what may follow; nil says it by lock

	kind, format pdfName // Type and SubFilter
	make         func(hash crypto.Hash, digest []byte) ([]byte, error)

	rootRef, pageRef, sigRef, fieldRef pdfRef
	root, page                         *pdfDict
	fieldName                          string

	contentsAt, rangeAt, room int
}

func newSigning(f *pdfFile, id Identity, opt SignOptions) (*signing, error) {
	s := &signing{file: f, id: id, opt: opt, hash: crypto.SHA256, lock: true, kind: "Sig", format: "ETSI.CAdES.detached"}
	s.make = s.makeCMS
	if opt.Stamp != nil {
		s.room += tokenRoom
	}
	var err error
	if s.rootRef, s.root, err = f.catalog(); err != nil {
		return nil, refuse(KindDamaged, "The PDF can't be signed as it is: "+err.Error()+".", err)
	}
	if s.pageRef, s.page, err = f.firstPage(s.root); err != nil {
		return nil, refuse(KindNoPages, "The PDF has no page, so there is nothing to sign.", err)
	}
	fields, err := f.signatureFields()
	if err != nil {
		return nil, refuse(KindDamaged, "The PDF's form can't be read, so it can't be signed: "+err.Error()+".", err)
	}
	s.certify = true
	for _, fd := range fields {
		if fd.value == nil {
			continue
		}
		s.certify = false
		s.closed = s.closed || f.closes(fd)
	}
	s.fieldName = f.freeFieldName("Seal", fields)
	s.rev = newRevision(f)
	s.sigRef, s.fieldRef = s.rev.alloc(), s.rev.alloc()
	for _, c := range id.Chain {
		s.room += len(c.Raw)
	}
	s.room += 4096
	return s, nil
}

func (s *signing) run() ([]byte, error) {
	s.putSignature()
	s.putField()
	s.putAnnotation()
	s.putForm()
	out := s.rev.finish()
	return s.fill(out)
}

// putSignature writes the dictionary with room for ByteRange and Contents, which are known only at the end.
func (s *signing) putSignature() {
	name := s.opt.Name
	if name == "" && len(s.id.Chain) > 0 {
		name = s.id.Chain[0].Subject.CommonName
	}
	d := newPDFDict()
	d.set("Type", s.kind)
	d.set("Filter", pdfName("Adobe.PPKLite"))
	d.set("SubFilter", s.format)
	if !s.opt.At.IsZero() { // a timestamp says itself when it is from
		d.set("M", pdfString{val: []byte(s.opt.At.UTC().Format("D:20060102150405Z"))})
	}
	for _, t := range []struct {
		key pdfName
		val string
	}{{"Name", name}, {"Reason", s.opt.Reason}, {"Location", s.opt.Location}, {"ContactInfo", s.opt.ContactInfo}} {
		if t.val != "" {
			d.set(t.key, pdfText(t.val))
		}
	}
	if s.reference == nil && s.lock {
		s.reference = s.lockReference()
	}
	if s.reference != nil {
		d.set("Reference", pdfArray{s.reference})
	}
	gap := pdfRaw("<" + strings.Repeat("00", s.room) + ">")
	d.set("Contents", gap)
	d.set("ByteRange", pdfRaw(byteRange(0, 0, 0)))
	s.rev.put(s.sigRef, d)
	// ByteRange and Contents are the last two values, so their places follow from the end: " >>\nendobj\n".
	s.rangeAt = s.rev.out.Len() - len(" >>\nendobj\n") - len(byteRange(0, 0, 0))
	s.contentsAt = s.rangeAt - len(" /ByteRange ") - len(gap)
}

func byteRange(a, b, c int) string { return fmt.Sprintf("[0 %10d %10d %10d]", a, b, c) }

// lockReference says what may follow: certification by DocMDP, approval by FieldMDP over all fields.
func (s *signing) lockReference() *pdfDict {
	params, ref := newPDFDict(), newPDFDict()
	params.set("Type", pdfName("TransformParams"))
	params.set("V", pdfName("1.2"))
	ref.set("Type", pdfName("SigRef"))
	if s.certify {
		ref.set("TransformMethod", pdfName("DocMDP"))
	} else {
		ref.set("TransformMethod", pdfName("FieldMDP"))
		ref.set("Data", s.rootRef)
		params.set("Action", pdfName("All"))
	}
	params.set("P", pdfInt(1))
	ref.set("TransformParams", params)
	return ref
}

func (s *signing) putField() {
	d := newPDFDict()
	d.set("Type", pdfName("Annot"))
	d.set("Subtype", pdfName("Widget"))
	d.set("FT", pdfName("Sig"))
	d.set("T", pdfText(s.fieldName))
	d.set("F", pdfInt(invisibleFlags))
	d.set("Rect", pdfArray{pdfInt(0), pdfInt(0), pdfInt(0), pdfInt(0)})
	d.set("P", s.pageRef)
	d.set("V", s.sigRef)
	if s.lock && !s.certify {
		lock := newPDFDict()
		lock.set("Type", pdfName("SigFieldLock"))
		lock.set("Action", pdfName("All"))
		lock.set("P", pdfInt(1))
		d.set("Lock", lock)
	}
	s.rev.put(s.fieldRef, d)
}

// putAnnotation hangs the field on page 1, in the page's own array or in the one it refers to.
func (s *signing) putAnnotation() {
	ref, indirect := s.page.vals["Annots"].(pdfRef)
	annots := append(append(pdfArray{}, s.file.array(s.page.vals["Annots"])...), s.fieldRef)
	if _, is := s.file.resolve(ref).(pdfArray); indirect && is {
		s.rev.put(ref, annots)
		return
	}
	page := s.page.clone()
	page.set("Annots", annots)
	s.rev.put(s.pageRef, page)
}

// putForm adds the field to the form, wherever that is kept, and the certification to the catalog.
func (s *signing) putForm() {
	root := s.root.clone()
	form := newPDFDict()
	if old := s.file.dict(root.vals["AcroForm"]); old != nil {
		form = old.clone()
	}
	fields := append(append(pdfArray{}, s.file.array(form.vals["Fields"])...), s.fieldRef)
	flags, _ := form.int("SigFlags")
	form.set("SigFlags", pdfInt(flags|3))
	changed := s.certify && s.lock
	if ref, ok := form.vals["Fields"].(pdfRef); ok && s.file.array(ref) != nil {
		s.rev.put(ref, fields)
	} else {
		form.set("Fields", fields)
	}
	if ref, ok := root.vals["AcroForm"].(pdfRef); ok && s.file.dict(ref) != nil {
		s.rev.put(ref, form)
	} else {
		root.set("AcroForm", form)
		changed = true
	}
	if s.certify && s.lock {
		perms := newPDFDict()
		if old := s.file.dict(root.vals["Perms"]); old != nil {
			perms = old.clone()
		}
		perms.set("DocMDP", s.sigRef)
		root.set("Perms", perms)
	}
	if changed {
		s.rev.put(s.rootRef, root)
	}
}

// fill sets ByteRange, signs what it names, and puts the signature into its gap.
func (s *signing) fill(out []byte) ([]byte, error) {
	gap := 2*s.room + 2
	copy(out[s.rangeAt:], byteRange(s.contentsAt, s.contentsAt+gap, len(out)-s.contentsAt-gap))
	h := s.hash.New()
	h.Write(out[:s.contentsAt])
	h.Write(out[s.contentsAt+gap:])
	cms, err := s.make(s.hash, h.Sum(nil))
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if len(cms) > s.room {
		return nil, fmt.Errorf("seal: the signature has %d bytes, there is room for %d", len(cms), s.room)
	}
	hex.Encode(out[s.contentsAt+1:], cms)
	return out, nil
}
