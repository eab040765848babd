package seal

// SignatureState says what the signatures that a file already has mean for adding to it.
type SignatureState struct {
	Count int // signatures and document timestamps in the form
	// Restricted is true when one of them limits what may follow (a certification, or an approval that locks fields). To
	// draw on such a file breaks its promise, so Verify would never find the result valid: use DropSignatures first.
	Restricted bool
}

// Signatures looks at the signatures that a file has, without judging them. A file that is too irregular to be read by
// strict rules is an *InputError with KindDamaged; after PDFium has saved it, it is regular.
func Signatures(pdf []byte) (SignatureState, error) {
	f, fields, err := openSigned(pdf)
	if err != nil {
		return SignatureState{}, err
	}
	st := SignatureState{Count: len(fields)}
	for _, fd := range fields {
		st.Restricted = st.Restricted || f.restricts(fd)
	}
	return st, nil
}

func openSigned(pdf []byte) (*pdfFile, []sigField, error) {
	f, err := openPDF(pdf)
	if err != nil {
		return nil, nil, refuse(KindDamaged, "The signatures in this PDF can't be read: "+err.Error()+".", err)
	}
	fields, err := f.signatureFields()
	if err == nil {
		fields, err = signed(fields)
	}
	if err != nil {
		return nil, nil, refuse(KindDamaged, "The signatures in this PDF can't be read: "+err.Error()+".", err)
	}
	return f, fields, nil
}

// DropSignatures appends a revision in which no field is signed any more and the certification is gone; what signatures
// look like on the pages stays. It is for files whose signatures can't outlive what is about to be done to them,
// because they forbid it or because the file has to be rewritten; tell people that it was done. A file without
// signatures comes back as it is.
func DropSignatures(pdf []byte) ([]byte, error) {
	f, fields, err := openSigned(pdf)
	if err != nil || len(fields) == 0 {
		return pdf, err
	}
	if _, encrypted := f.trailer().get("Encrypt"); encrypted {
		return nil, refuse(KindPassword, "The PDF is encrypted, so its signatures can't be taken out.", nil)
	}
	ref, root, err := f.catalog()
	if err != nil {
		return nil, refuse(KindDamaged, "The PDF's catalog can't be read.", err)
	}
	rev := newRevision(f)
	for _, fd := range fields {
		if fd.ref.num == 0 {
			return nil, refuse(KindBadSignatures, "A signature in this PDF is kept in an unusual way, so it can't be taken out.", nil)
		}
		rev.put(fd.ref, without(fd.dict, "V", "Lock"))
	}
	rev.put(ref, f.withoutCertification(root))
	return rev.finish(), nil
}

func without(d *pdfDict, keys ...pdfName) *pdfDict {
	c := d.clone()
	for _, k := range keys {
		if _, has := c.vals[k]; has {
			c.set(k, nil) // null is the same as not there (ISO 32000-1, 7.3.7)
		}
	}
	return c
}

// withoutCertification leaves out Perms, which is all about signatures, and the form's mark that the file is signed.
func (f *pdfFile) withoutCertification(root *pdfDict) *pdfDict {
	root = without(root, "Perms")
	if form := f.dict(root.vals["AcroForm"]); form != nil {
		form = form.clone()
		form.set("SigFlags", pdfInt(0))
		root.set("AcroForm", form)
	}
	return root
}
