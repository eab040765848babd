package seal

import "crypto/x509"

// Where recipients sign each for themselves, those who sign later fill their fields in later. That is let through only for a field
// that was blank and on its page when the earlier signature was made, that is filled with words or looks and nothing else,
// and that is closed by a later, sound signature whose certificate is of the same authority as the earlier one's: whoever
// fills a field without such a certificate changes the document.

// mayFill names the fields that may be filled in after signature i; none when it, or one before it, restricts more than fields.
func (v *verification) mayFill(i int) map[string]bool {
	c := v.checks[i]
	by := c.authority()
	if by == nil {
		return nil
	}
	names := map[string]bool{}
	for _, o := range v.checks[i+1:] {
		if a := o.authority(); a == nil || !a.Equal(by) {
			continue
		}
		if own, only := v.file.fieldsClosedBy(o.field); only {
			for _, n := range own {
				names[n] = true
			}
		}
	}
	for _, o := range v.checks[:i+1] {
		closed, only := v.file.fieldsClosedBy(o.field)
		if !only {
			return nil
		}
		for _, n := range closed {
			delete(names, n)
		}
	}
	return names
}

// authority is the certificate, among those in a sound signature, that issued the signer's; nil when there is none.
func (c *signatureCheck) authority() *x509.Certificate {
	if c.timestamp || c.cms == nil || c.rep.Problem != "" {
		return nil
	}
	if !c.issuerKnown {
		c.issuerKnown = true
		for _, a := range c.cms.certs {
			if !a.Equal(c.cms.signer) && c.cms.signer.CheckSignatureFrom(a) == nil {
				c.issuer = a
				break
			}
		}
	}
	return c.issuer
}

// fieldsClosedBy lists the fields that a signature closes; only is false when it may close more than that (12.8.2.4).
func (f *pdfFile) fieldsClosedBy(fd sigField) (names []string, only bool) {
	if fd.value == nil {
		return nil, false
	}
	for _, v := range f.array(fd.value.vals["Reference"]) {
		ref := f.dict(v)
		if ref == nil || f.resolve(ref.vals["TransformMethod"]) != pdfName("FieldMDP") {
			return nil, false
		}
		params := f.dict(ref.vals["TransformParams"])
		if params == nil || params.dup || f.resolve(params.vals["Action"]) != pdfName("Include") {
			return nil, false
		}
		if p := f.resolve(params.vals["P"]); p != nil && p != pdfInt(2) && p != pdfInt(3) {
			return nil, false
		}
		for _, n := range f.array(params.vals["Fields"]) {
			names = append(names, textOf(f.resolve(n)))
		}
	}
	return names, true
}

// filled tells whether a changed object is a field that was blank and has been filled in as it may be.
func (d *revisionDiff) filled(n uint32, was, is *pdfDict) bool {
	kind, name := was.name("FT"), textOf(was.vals["T"])
	if !d.fills[name] || d.refs[n] != 2 || kind != "Tx" && kind != "Btn" { // 2: by its page and by the form
		return false
	}
	if was.vals["V"] != nil || was.vals["Parent"] != nil || was.vals["Kids"] != nil || is.dup || len(differingKeys(was, is, "V", "AP")) > 0 {
		return false
	}
	if d.blank == nil {
		d.blank, _ = d.old.topFields()
	}
	if d.blank[name].ref.num != n {
		return false
	}
	if _, words := is.vals["V"].(pdfString); is.vals["V"] != nil && (!words || kind != "Tx") {
		return false
	}
	return d.newLooks(is.vals["AP"])
}

// newLooks tells whether a value gives one appearance, which the old document does not use for anything.
func (d *revisionDiff) newLooks(v any) bool {
	looks, ok := v.(*pdfDict)
	if !ok || looks.dup || len(looks.keys) != 1 {
		return false
	}
	ref, ok := looks.vals["N"].(pdfRef)
	form, is := d.new.resolve(ref).(*pdfStream)
	_, used := d.labels[ref.num]
	return ok && is && !used && !form.dict.dup && form.dict.name("Subtype") == "Form"
}
