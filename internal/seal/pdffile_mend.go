package seal

import (
	"bytes"
	"fmt"
	"slices"
)

// mendSaved repairs what PDFium writes when it saves incrementally after a cross-reference stream: its own
// stream lacks the Type and the endobj, so that qpdf and strict readers refuse the file (seen with PDFium as of go-pdfium
// 1.19.2). The stream is the last thing in the file and in nobody's signature, so writing it anew harms nothing. Any
// other file comes back as it is.
func mendSaved(pdf []byte) []byte {
	start, err := lastStartXref(pdf)
	head := bytes.Index(pdf[:min(len(pdf), maxHeaderShift+5)], []byte("%PDF-"))
	if err != nil || head != 0 || start <= 0 || start >= int64(len(pdf)) {
		return pdf
	}
	f := &pdfFile{buf: pdf, nodes: new(int), objects: map[uint32]any{}, busy: map[uint32]bool{}}
	at := int(start)
	num, gen, v, err := f.objectAt(at, false)
	st, ok := v.(*pdfStream)
	if err != nil || !ok || gen != 0 || num < 0 || num > maxObjectNumber || st.dict.vals["Type"] != nil || st.dict.vals["Filter"] != nil {
		return pdf
	}
	row, ok := selfRow(st.dict, at)
	index := st.dict.array("Index")
	if !ok || index == nil {
		return pdf
	}
	d := newPDFDict()
	d.set("Type", pdfName("XRef"))
	for _, k := range st.dict.keys {
		d.set(k, st.dict.vals[k])
	}
	d.set("Index", append(slices.Clone(index), pdfInt(num), pdfInt(1)))
	rows := append(slices.Clone(st.raw), row...)
	d.set("Length", pdfInt(len(rows)))
	return writeMended(pdf[:at], pdfRef{num: uint32(num)}, d, rows)
}

// selfRow is the entry of a cross-reference stream for itself, in PDFium's widths: no kind, offset, generation.
func selfRow(d *pdfDict, at int) ([]byte, bool) {
	w, err := fieldWidths(d)
	if err != nil || w[0] != 0 || w[1] == 0 || at>>(8*min(w[1], 7)) != 0 {
		return nil, false
	}
	row := make([]byte, w[1]+w[2])
	for i := range w[1] {
		row[w[1]-1-i] = byte(at >> (8 * i))
	}
	return row, true
}

func writeMended(before []byte, ref pdfRef, d *pdfDict, rows []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(before) + len(rows) + 4096)
	out.Write(before)
	fmt.Fprintf(&out, "%d 0 obj\n", ref.num)
	writePDF(&out, d)
	out.WriteString("\nstream\n")
	out.Write(rows)
	fmt.Fprintf(&out, "\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n", len(before))
	return out.Bytes()
}
