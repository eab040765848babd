package seal

import (
	"errors"
	"fmt"
	"strings"
)

// maxFields bounds the form fields that are walked, maxSignatures the signatures that are checked.
const (
	maxFields     = 200_000
	maxFieldName  = 4 << 10 // bytes, with the names of all fields above
	maxSignatures = 128     // one for each of an envelope's recipients, the seal and timestamps
)

// sigField is a signature field of the form, with its signature dictionary when it is signed.
type sigField struct {
	ref   pdfRef // the field's object
	dict  *pdfDict
	name  string // fully qualified
	value *pdfDict
}

// signatureFields lists the signature fields that the newest catalog's form refers to, and no others: a signature that
// no field holds is not one, whatever lies in the file.
func (f *pdfFile) signatureFields() ([]sigField, error) {
	_, root, err := f.catalog()
	if err != nil {
		return nil, err
	}
	form := f.dict(root.vals["AcroForm"])
	if form == nil {
		return nil, nil
	}
	w := fieldWalk{file: f, seen: map[pdfRef]bool{}}
	err = w.walk(f.array(form.vals["Fields"]), "", "", 0)
	return w.found, err
}

type fieldWalk struct {
	file  *pdfFile
	seen  map[pdfRef]bool
	found []sigField
}

func (w *fieldWalk) walk(fields pdfArray, prefix string, kind pdfName, depth int) error {
	if depth > maxPDFDepth {
		return errPDFBounds
	}
	for _, v := range fields {
		ref, indirect := v.(pdfRef)
		if indirect && w.seen[ref] {
			continue
		}
		if len(w.seen) > maxFields {
			return errPDFBounds
		}
		w.seen[ref] = indirect
		d := w.file.dict(v)
		if d == nil {
			continue
		}
		if err := w.field(ref, d, prefix, kind, depth); err != nil {
			return err
		}
	}
	return nil
}

func (w *fieldWalk) field(ref pdfRef, d *pdfDict, prefix string, kind pdfName, depth int) error {
	name := prefix
	if t := textOf(w.file.resolve(d.vals["T"])); t != "" {
		name = strings.TrimPrefix(prefix+"."+t, ".")
	}
	if len(name) > maxFieldName {
		return errPDFBounds
	}
	if ft, ok := w.file.resolve(d.vals["FT"]).(pdfName); ok {
		kind = ft
	}
	value := w.file.dict(d.vals["V"])
	if kind == "Sig" && (value != nil || d.vals["T"] != nil) {
		if len(w.found) >= maxFields {
			return errPDFBounds
		}
		w.found = append(w.found, sigField{ref: ref, dict: d, name: name, value: value})
	}
	return w.walk(w.file.array(d.vals["Kids"]), name, kind, depth+1)
}

// signed leaves the fields that have a signature.
func signed(fields []sigField) ([]sigField, error) {
	var out []sigField
	for _, fd := range fields {
		if fd.value != nil {
			out = append(out, fd)
		}
	}
	if len(out) > maxSignatures {
		return nil, fmt.Errorf("it has %d signatures; %d are the most that are checked", len(out), maxSignatures)
	}
	return out, nil
}

// closes tells whether a signature forbids everything but validation data and timestamps after it: a certification or a
// locked approval with P 1 (ISO 32000-2, 12.8.2.2 and 12.7.5.5).
func (f *pdfFile) closes(fd sigField) bool {
	if lock := f.dict(fd.dict.vals["Lock"]); lock != nil {
		if p, ok := f.resolve(lock.vals["P"]).(pdfInt); ok && p == 1 {
			return true
		}
	}
	for _, params := range f.transforms(fd.value) {
		if p, ok := f.resolve(params.vals["P"]).(pdfInt); ok && p == 1 {
			return true
		}
	}
	return false
}

// restricts tells whether a signature says anything about what may follow it.
func (f *pdfFile) restricts(fd sigField) bool {
	return f.dict(fd.dict.vals["Lock"]) != nil || len(f.transforms(fd.value)) > 0
}

func (f *pdfFile) transforms(sig *pdfDict) (all []*pdfDict) {
	refs := f.array(sig.vals["Reference"])
	for _, r := range refs[:min(len(refs), maxPDFDepth)] {
		d := f.dict(r)
		if d == nil {
			continue
		}
		if m := f.resolve(d.vals["TransformMethod"]); m != pdfName("DocMDP") && m != pdfName("FieldMDP") {
			continue
		}
		params := f.dict(d.vals["TransformParams"])
		if params == nil {
			params = newPDFDict()
		}
		all = append(all, params)
	}
	return all
}

// freeFieldName finds a name that no signature field and no top-level field has.
func (f *pdfFile) freeFieldName(stem string, fields []sigField) string {
	taken := map[string]bool{}
	for _, fd := range fields {
		taken[fd.name] = true
	}
	if _, root, err := f.catalog(); err == nil {
		if form := f.dict(root.vals["AcroForm"]); form != nil {
			for _, v := range f.array(form.vals["Fields"]) {
				if d := f.dict(v); d != nil {
					taken[textOf(f.resolve(d.vals["T"]))] = true
				}
			}
		}
	}
	for i := 1; ; i++ {
		if name := fmt.Sprintf("%s%d", stem, i); !taken[name] {
			return name
		}
	}
}

// signedRange is what a signature covers: [0,gapStart) and [gapEnd,end).
type signedRange struct{ gapStart, gapEnd, end int }

// rangeOf reads ByteRange and Contents and insists that the one leaves out exactly the other.
func (f *pdfFile) rangeOf(sig *pdfDict) (r signedRange, contents []byte, err error) {
	if sig.dup {
		return r, nil, errors.New("its dictionary has the same key twice, so that readers may see different things")
	}
	if r, err = f.byteRange(sig); err != nil {
		return r, nil, err
	}
	c, ok := sig.vals["Contents"].(pdfString)
	if !ok || !c.hex || c.end == 0 {
		return r, nil, errors.New("its Contents is not a hexadecimal string in the file")
	}
	if c.start != r.gapStart || c.end != r.gapEnd {
		return r, nil, errors.New("its ByteRange leaves out something else than the signature itself")
	}
	if c.end-c.start != 2*len(c.val)+2 {
		return r, nil, errors.New("its Contents has other characters than hexadecimal digits")
	}
	return r, c.val, nil
}

func (f *pdfFile) byteRange(sig *pdfDict) (r signedRange, err error) {
	a, ok := sig.vals["ByteRange"].(pdfArray)
	if !ok || len(a) != 4 {
		return r, errors.New("its ByteRange does not have four numbers")
	}
	var n [4]int
	for i, v := range a {
		x, ok := v.(pdfInt)
		if !ok || x < 0 || int64(x) > int64(len(f.buf)) {
			return r, errors.New("its ByteRange reaches out of the file")
		}
		n[i] = int(x)
	}
	r = signedRange{gapStart: n[1], gapEnd: n[2], end: n[2] + n[3]}
	switch {
	case n[0] != 0:
		return r, errors.New("its ByteRange does not start at the beginning of the file")
	case r.gapEnd <= r.gapStart:
		return r, errors.New("its ByteRange runs backwards")
	case r.end > len(f.buf):
		return r, errors.New("its ByteRange reaches out of the file; the file was cut off")
	}
	return r, nil
}
