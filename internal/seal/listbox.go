package seal

import "cmp"

// Flags of a field (ISO 32000-2, tables 231 and 233), by their bits.
const (
	fieldMultiline = 1 << 12
	fieldCombo     = 1 << 17
)

func (f *pdfFile) fieldFlags(d *pdfDict) int {
	flags, _ := f.inField(d, "Ff").(pdfInt)
	return int(flags)
}

// middle is a box no higher than one line, in the middle of a box: a value on a single line is centred.
func (m Mark) middle(pageHeight float64) Mark {
	line := cmp.Or(m.FontSize, 12) * 1.5 / pageHeight
	if m.Kind == MarkText && line < m.H {
		m.Y, m.H = m.Y+(m.H-line)/2, line
	}
	return m
}

// listOptions draws a list box as a viewer does: its options from the first that is shown, those that are chosen light on dark. It
// is false for a list without options.
func (f *pdfFile) listOptions(s *stamping, p *stampedPage, d *pdfDict, box Mark) bool {
	options := f.array(f.inField(d, "Opt"))
	if len(options) == 0 {
		return false
	}
	size := cmp.Or(f.fontSize(formGroup{widgets: []formWidget{{dict: d, unit: 1}}}), 12)
	top, _ := f.inField(d, "TI").(pdfInt)
	frame := frame{box.X * p.shape.width, box.Y * p.shape.height, box.W * p.shape.width, box.H * p.shape.height}
	pitch, y := size*1.12, frame.y+1.6
	for i := max(0, int(top)); i < len(options) && y+pitch <= frame.y+frame.h; i++ {
		_, shown := f.option(options[i])
		ink := black
		if f.chosen(d, options[i], i) {
			p.sheet.rect(frame.x+1, y, frame.w-2, pitch, black)
			ink = color{255, 255, 255}
		}
		for _, l := range s.t.lines(shown, faceRegular, 0) {
			p.sheet.text(l, frame.x+2.5, y+size*0.9, min(size, size*(frame.w-6)/max(1, points(l.width, size))), ink)
			break
		}
		y += pitch
	}
	return true
}

// chosen tells whether an option is among a field's values, by index when the field has those (12.7.5.4).
func (f *pdfFile) chosen(d *pdfDict, option any, index int) bool {
	if chosen := f.array(f.inField(d, "I")); chosen != nil {
		for _, v := range chosen {
			if f.resolve(v) == pdfInt(index) {
				return true
			}
		}
		return false
	}
	export, _ := f.option(option)
	values := f.array(f.inField(d, "V"))
	if values == nil {
		values = pdfArray{f.inField(d, "V")}
	}
	for _, v := range values {
		if v != nil && textOf(f.resolve(v)) == export {
			return true
		}
	}
	return false
}
