package seal

import (
	"bytes"
	"math"
)

// keepsSignatures tells whether the signatures in a file can stay when the file is drawn on: all can be read by strict
// rules, and none restricts what may follow.
func keepsSignatures(pdf []byte) bool {
	st, err := Signatures(pdf)
	return err == nil && !st.Restricted
}

// settleSigned finishes a save of a file that carried signatures. After an incremental one they stay as they were signed;
// a file that was written whole has none that could be good, so they are dropped.
func settleSigned(original, saved []byte, incremental bool) ([]byte, error) {
	if incremental {
		return trimRevision(original, saved), nil
	}
	return DropSignatures(saved)
}

// trimRevision makes an incremental save small again. PDFium writes every object that it has looked at anew, the
// signatures too; a signature's dictionary then stands at another place than the gap in its ByteRange, and a strict
// verification has to refuse it. What comes back is the original with one revision of what really differs. A save that
// is not built upon the original is given back as it is.
func trimRevision(original, saved []byte) []byte {
	if head := bytes.Index(original, []byte("%PDF-")); head > 0 && bytes.HasPrefix(saved, original[head:]) {
		saved = append(original[:head:head], saved...) // PDFium leaves out what stands before the header
	}
	if !bytes.HasPrefix(saved, original) {
		return saved
	}
	old, err1 := openPDF(original)
	is, err2 := openPDF(saved)
	if err1 != nil || err2 != nil || old.base != is.base || len(is.sections) <= len(old.sections) {
		return saved
	}
	rev := newRevision(old)
	signatures := old.signatureObjects()
	for _, s := range is.sections[:len(is.sections)-len(old.sections)] {
		for n := range s.entries {
			if !signatures[n] && !rev.keep(is, n) {
				return saved
			}
		}
	}
	if len(rev.offsets) == 0 {
		return original
	}
	return rev.finish()
}

// keep writes object n of another state of the file into the revision when it differs; it is false for what can't be read.
func (r *pdfRevision) keep(is *pdfFile, n uint32) bool {
	was, err1 := r.file.object(n)
	now, err2 := is.object(n)
	if err1 != nil || err2 != nil {
		return false
	}
	if st, ok := now.(*pdfStream); ok && (st.dict.name("Type") == "XRef" || st.dict.name("Type") == "ObjStm") {
		return true
	}
	if alike(was, now) {
		return true
	}
	ref := pdfRef{num: n}
	if e := is.xref[n]; e.kind == 1 {
		ref.gen = uint16(e.b)
	}
	if _, done := r.offsets[ref]; !done {
		r.put(ref, now)
	}
	return true
}

// signatureObjects are the objects of signature dictionaries, which nobody but their maker has any business to write.
func (f *pdfFile) signatureObjects() map[uint32]bool {
	set := map[uint32]bool{}
	fields, err := f.signatureFields()
	if err != nil {
		return set
	}
	for _, fd := range fields {
		if ref, ok := fd.dict.vals["V"].(pdfRef); ok && fd.value != nil {
			set[ref.num] = true
		}
	}
	return set
}

// alike is equality but for the precision that numbers lose when PDFium writes them.
func alike(a, b any) bool {
	return equalBy(a, b, func(x, y float64) bool { return math.Abs(x-y) <= 1e-4*max(1, math.Abs(x)) })
}
