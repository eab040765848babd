package seal

import "strings"

// appearance is what a form field shows, as the form XObject that shows it and where that is placed in the page's user space.
type appearance struct {
	ref   pdfRef
	place matrix
}

// Flags of an annotation (ISO 32000-2, table 167).
const (
	annotHidden = 1 << 1
	annotNoView = 1 << 5
)

// widget is where a form field lies on the displayed page.
func (f *pdfFile) widget(d *pdfDict, shape pageShape) (Mark, bool) {
	rect, ok := f.rectangle(d.vals["Rect"])
	if !ok {
		return Mark{}, false
	}
	return onPage(shape.displayed(rect[0], rect[1], rect[2], rect[3]), shape), true
}

// inField is an entry of a field that may be inherited from the fields above it (12.7.4.1).
func (f *pdfFile) inField(d *pdfDict, k pdfName) any {
	for range maxPDFDepth {
		if d == nil {
			return nil
		}
		if v, ok := d.get(k); ok {
			return f.resolve(v)
		}
		d = f.dict(d.vals["Parent"])
	}
	return nil
}

// onPage is a box as a mark's, cut at the page's edges.
func onPage(b *frame, shape pageShape) Mark {
	x0, y0 := max(0, b.x/shape.width), max(0, b.y/shape.height)
	x1, y1 := min(1, (b.x+b.w)/shape.width), min(1, (b.y+b.h)/shape.height)
	return Mark{X: x0, Y: y0, W: x1 - x0, H: y1 - y0}
}

// appearance is the normal appearance of a field in the state that it is in, placed as a viewer places it (12.5.5, algorithm
// "appearance streams"): its box, transformed by its matrix, is scaled and moved to the annotation's rectangle.
func (r *pdfRevision) appearance(d *pdfDict) (appearance, bool) {
	f := r.file
	looks := f.dict(d.vals["AP"])
	if looks == nil {
		return appearance{}, false
	}
	states, is := f.resolve(looks.vals["N"]).(*pdfDict)
	if !is {
		return r.look(d, looks.vals["N"])
	}
	state := d.name("AS")
	if v, ok := f.inField(d, "V").(pdfName); ok && v != state {
		state = "Off" // the value counts
	}
	if f.dict(states.vals[state]) == nil && len(states.keys) > 0 {
		return appearance{}, true // a state without a look, such as Off
	}
	return r.look(d, states.vals[state])
}

// look places an appearance stream of an annotation.
func (r *pdfRevision) look(d *pdfDict, v any) (appearance, bool) {
	f := r.file
	ref, _ := v.(pdfRef)
	stream, ok := f.resolve(v).(*pdfStream)
	if !ok || ref.num == 0 {
		return appearance{}, false
	}
	rect, ok1 := f.rectangle(d.vals["Rect"])
	box, ok2 := f.rectangle(stream.dict.vals["BBox"])
	if !ok1 || !ok2 {
		return appearance{}, false
	}
	return appearance{r.asForm(ref, stream), fitted(box, f.matrix(stream.dict.vals["Matrix"]), rect)}, true
}

// asForm gives an appearance that can be drawn by a page: some writers leave out that it is a form, or what it takes from the
// document's form.
func (r *pdfRevision) asForm(ref pdfRef, stream *pdfStream) pdfRef {
	_, has := stream.dict.get("Resources")
	if has && stream.dict.name("Subtype") == "Form" {
		return ref
	}
	dict := stream.dict.clone()
	dict.set("Type", pdfName("XObject"))
	dict.set("Subtype", pdfName("Form"))
	if _, root, err := r.file.catalog(); err == nil && !has {
		if form := r.file.dict(root.vals["AcroForm"]); form != nil && form.vals["DR"] != nil {
			dict.set("Resources", form.vals["DR"])
		}
	}
	ref = r.alloc()
	r.put(ref, &pdfStream{dict: dict, raw: stream.raw})
	return ref
}

func (f *pdfFile) matrix(v any) matrix {
	a := f.array(v)
	var n [6]float64
	for i := range n {
		x, ok := 0.0, len(a) == 6
		if ok {
			x, ok = number(f.resolve(a[i]))
		}
		if !ok {
			return matrix{a: 1, d: 1}
		}
		n[i] = x
	}
	return matrix{n[0], n[1], n[2], n[3], n[4], n[5]}
}

// fitted maps the bounds of box under m onto rect; drawing the form applies m itself.
func fitted(box [4]float64, m matrix, rect [4]float64) matrix {
	x0, y0 := m.apply(box[0], box[1])
	x1, y1 := x0, y0
	for _, p := range [3][2]float64{{box[2], box[1]}, {box[0], box[3]}, {box[2], box[3]}} {
		x, y := m.apply(p[0], p[1])
		x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x), max(y1, y)
	}
	if x1 == x0 || y1 == y0 {
		return matrix{a: 1, d: 1, e: rect[0] - x0, f: rect[1] - y0}
	}
	sx, sy := (rect[2]-rect[0])/(x1-x0), (rect[3]-rect[1])/(y1-y0)
	return matrix{a: sx, d: sy, e: rect[0] - sx*x0, f: rect[1] - sy*y0}
}

// value makes what a field without a look says a mark; an empty field leaves Kind empty.
func (f *pdfFile) value(d *pdfDict, m *Mark) {
	v := f.inField(d, "V")
	if name, ok := v.(pdfName); ok {
		if f.inField(d, "FT") == pdfName("Btn") && name != "Off" {
			m.Kind = MarkCheck
		}
		return
	}
	text := textOf(first(f, v))
	for _, o := range f.array(f.inField(d, "Opt")) {
		if export, shown := f.option(o); export == text {
			text = shown
			break
		}
	}
	if text != "" {
		m.Kind, m.Text, m.FontSize = MarkText, strings.ReplaceAll(text, "\r", "\n"), f.fontSize(formGroup{widgets: []formWidget{{dict: d, unit: 1}}})
	}
}
