package seal

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
)

// FormField is a field of the PDF's own form that can be used as one of ours.
type FormField struct {
	Name     string // fully qualified (ISO 32000-2, 12.7.4.2)
	Label    string // what its author wants people to read; may be empty
	Type     paraph.FieldType
	Required bool
	Default  string // in the form of paraph.Value.Text
	Options  []string
	FontSize float64 // points; 0 fits the box
	Places   []FormPlace
}

// FormPlace is one of the places at which a form field stands: fractions of the displayed page, from its top left.
type FormPlace struct {
	Page       int // from 0
	X, Y, W, H float64
	Option     string // of radio: the option that is chosen here
}

// Flags of form fields (ISO 32000-2, tables 227, 229, 231, 233).
const (
	fieldReadOnly = 1 << 0
	fieldRequired = 1 << 1
	textMultiline = 1 << 12
	buttonRadio   = 1 << 15
	buttonPush    = 1 << 16
	choiceEdit    = 1 << 18
)

// FormFields are the fields of a PDF's own form that people fill in, in the order in which they stand on the pages. Left out are
// those that are hidden, can't be changed, only trigger something, or are signed. The error is an *InputError.
func FormFields(pdf []byte) ([]FormField, error) {
	f, err := openPDF(pdf)
	if err != nil {
		return nil, irregular(err)
	}
	leaves, err := f.leaves()
	if err != nil {
		return nil, irregular(err)
	}
	return f.formFields(leaves), nil
}

// formReader groups the widgets of pages by their fields.
type formReader struct {
	file  *pdfFile
	index map[pdfRef]int // by field, its place in group
	group []formGroup
}

// formGroup is a field with all its widgets.
type formGroup struct {
	field   *pdfDict
	widgets []formWidget
}

type formWidget struct {
	dict  *pdfDict
	place FormPlace
	unit  float64
}

func (f *pdfFile) formFields(leaves []leaf) []FormField {
	if !f.hasForm() {
		return nil
	}
	r := formReader{file: f, index: map[pdfRef]int{}}
	for i, l := range leaves {
		r.page(i, l)
	}
	var out []FormField
	for _, g := range r.group {
		if field, ok := f.formField(g); ok && len(out) < paraph.MaxFields {
			out = append(out, field)
		}
	}
	return out
}

func (r *formReader) page(index int, l leaf) {
	annots := r.file.array(l.dict.vals["Annots"])
	if len(annots) == 0 {
		return
	}
	shape := r.file.shape(l)
	for _, a := range annots {
		ref, _ := a.(pdfRef)
		d := r.file.dict(a)
		if ref.num == 0 || d == nil || d.name("Subtype") != "Widget" || len(r.group) > maxFields {
			continue
		}
		rect, ok := r.file.rectangle(d.vals["Rect"])
		flags, _ := d.int("F")
		if !ok || flags&(annotHidden|annotNoView) != 0 {
			continue
		}
		m := onPage(shape.displayed(rect[0], rect[1], rect[2], rect[3]), shape)
		if !(m.W > 0.0005 && m.H > 0.0005) {
			continue
		}
		r.add(ref, d, formWidget{d, FormPlace{Page: index, X: m.X, Y: m.Y, W: m.W, H: m.H}, r.file.unit(l)})
	}
}

// add finds the field that a widget belongs to: itself when it has a name, otherwise its parent (12.7.4.1).
func (r *formReader) add(ref pdfRef, d *pdfDict, w formWidget) {
	field := d
	if parent, ok := d.vals["Parent"].(pdfRef); ok && d.vals["T"] == nil {
		if above := r.file.dict(parent); above != nil {
			ref, field = parent, above
		}
	}
	i, known := r.index[ref]
	if !known {
		i = len(r.group)
		r.index[ref] = i
		r.group = append(r.group, formGroup{field: field})
	}
	if len(r.group[i].widgets) < paraph.MaxFields {
		r.group[i].widgets = append(r.group[i].widgets, w)
	}
}

// shownName is the name of the field that a widget belongs to, as FormField.Name has it.
func (f *pdfFile) shownName(d *pdfDict) string {
	return paraph.Shorten(paraph.CleanLine(f.fieldName(d)), paraph.MaxNameLength)
}

// fieldName is a field's fully qualified name.
func (f *pdfFile) fieldName(d *pdfDict) string {
	var parts []string
	for range maxPDFDepth {
		if d == nil {
			break
		}
		if t := textOf(f.resolve(d.vals["T"])); t != "" {
			parts = append(parts, t)
		}
		d = f.dict(d.vals["Parent"])
	}
	slices.Reverse(parts)
	return strings.Join(parts, ".")
}

func (f *pdfFile) formField(g formGroup) (FormField, bool) {
	flags, _ := f.inField(g.field, "Ff").(pdfInt)
	kind, _ := f.inField(g.field, "FT").(pdfName)
	if kind == "" {
		kind, _ = f.inField(g.widgets[0].dict, "FT").(pdfName)
	}
	if flags&fieldReadOnly != 0 {
		return FormField{}, false
	}
	label, _ := f.inField(g.field, "TU").(pdfString)
	out := FormField{
		Name: f.shownName(g.field), Label: paraph.Shorten(paraph.CleanLine(textOf(label)), paraph.MaxNameLength),
		Required: flags&fieldRequired != 0,
	}
	if strings.Trim(strings.ToLower(out.Label), "dmyjt./- ") == "" { // "dd.mm.yyyy" is how to fill it in, no name
		out.Label = ""
	}
	for _, w := range g.widgets {
		out.Places = append(out.Places, w.place)
	}
	switch {
	case kind == "Tx":
		f.textField(g, &out)
	case kind == "Ch":
		f.choiceField(g, flags, &out)
	case kind == "Btn" && flags&buttonPush == 0:
		f.buttonField(g, flags, &out)
	case kind == "Sig" && f.dict(f.inField(g.field, "V")) == nil:
		out.Type = paraph.SignatureField
		if said(out, "initial", "initials", "paraphe") {
			out.Type = paraph.InitialsField
		}
	default:
		return FormField{}, false
	}
	return out, true
}

// said tells whether a field's name or label has one of some words.
func said(field FormField, words ...string) bool {
	text := strings.ToLower(field.Name[strings.LastIndex(field.Name, ".")+1:] + " " + field.Label)
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= 0x80) }) {
		if slices.Contains(words, part) {
			return true
		}
	}
	return false
}

func (f *pdfFile) textField(g formGroup, out *FormField) {
	out.Type, out.FontSize = paraph.TextField, f.fontSize(g)
	value, _ := f.inField(g.field, "V").(pdfString)
	out.Default = paraph.CleanText(strings.ReplaceAll(textOf(value), "\r", "\n"))
	format := f.scriptedFormat(g.widgets[0].dict)
	if format == "" {
		format = f.scriptedFormat(g.field)
	}
	switch {
	case format == formatDate || format == "" && said(*out, "date", "datum", "fecha", "data"):
		if day, ok := asDay(out.Default); ok {
			out.Type, out.Default = paraph.DateField, day
		}
	case format == formatNumber:
		n := strings.ReplaceAll(out.Default, ",", "")
		if v, err := (paraph.Field{Type: paraph.NumberField}).CheckValue(paraph.Value{Text: n}); err == nil {
			out.Type, out.Default = paraph.NumberField, v.Text
		}
	}
	if len([]rune(out.Default)) > paraph.MaxValueLength {
		out.Default = ""
	}
}

// asDay reads a date as forms have it; "" is one too. What can be read as two days is none.
func asDay(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", true
	}
	for _, layout := range []string{time.DateOnly, "2.1.2006", "2 January 2006", "January 2, 2006", "2-Jan-2006", "2 Jan 2006"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Format(time.DateOnly), true
		}
	}
	return "", false
}

// The formats that a field's script can say.
const (
	formatDate   = pdfName("Date")
	formatNumber = pdfName("Number")
)

// scriptedFormat is what a field's formatting script is for, by the functions that Acrobat writes there ("AFDate_FormatEx" and
// the like), or what was kept of it when the script was removed.
func (f *pdfFile) scriptedFormat(d *pdfDict) pdfName {
	if kept, ok := f.inField(d, formatKey).(pdfName); ok {
		return kept
	}
	actions, _ := f.inField(d, "AA").(*pdfDict)
	if actions == nil {
		return ""
	}
	format := f.dict(actions.vals["F"])
	if format == nil {
		return ""
	}
	var script []byte
	switch js := f.resolve(format.vals["JS"]).(type) {
	case pdfString:
		script = js.val
	case *pdfStream:
		script, _ = f.decode(js, 1<<20)
	}
	switch {
	case bytes.Contains(script, []byte("AFDate_")):
		return formatDate
	case bytes.Contains(script, []byte("AFNumber_")):
		return formatNumber
	}
	return ""
}

// fontSize is the size that a field's default appearance sets (12.7.4.3), 0 for one that fits the box.
func (f *pdfFile) fontSize(g formGroup) float64 {
	da, _ := f.inField(g.widgets[0].dict, "DA").(pdfString)
	words := strings.Fields(string(da.val))
	for i, w := range words {
		if w != "Tf" || i == 0 {
			continue
		}
		size, ok := number(pdfReal(words[i-1]))
		if size *= g.widgets[0].unit; ok && size >= 4 && size <= paraph.MaxFontSize {
			return size
		}
	}
	return 0
}

func (f *pdfFile) choiceField(g formGroup, flags pdfInt, out *FormField) {
	out.Type, out.FontSize = paraph.SelectField, f.fontSize(g)
	value := textOf(first(f, f.inField(g.field, "V")))
	if len(f.array(f.inField(g.field, "Opt"))) > paraph.MaxOptions {
		out.Type, out.Default = paraph.TextField, value
		return
	}
	for _, o := range f.array(f.inField(g.field, "Opt")) {
		export, shown := f.option(o)
		shown = strings.TrimSpace(paraph.CleanLine(shown))
		if shown == "" || slices.Contains(out.Options, shown) {
			continue
		}
		out.Options = append(out.Options, shown)
		if value == export && value != "" {
			out.Default = shown
		}
	}
	if len(out.Options) == 0 || flags&choiceEdit != 0 && value != "" && out.Default == "" {
		out.Type, out.Default, out.Options = paraph.TextField, value, nil
	}
}

// first is the first of an array, or the value itself.
func first(f *pdfFile, v any) any {
	if a, ok := v.(pdfArray); ok && len(a) > 0 {
		return f.resolve(a[0])
	}
	return v
}

// option is a choice: what is stored, and what is shown.
func (f *pdfFile) option(v any) (export, shown string) {
	switch o := f.resolve(v).(type) {
	case pdfString:
		return textOf(o), textOf(o)
	case pdfArray:
		if len(o) >= 2 {
			return textOf(f.resolve(o[0])), textOf(f.resolve(o[1]))
		}
	}
	return "", ""
}

// buttonField is a checkbox, or a group of radio buttons when its widgets stand for different values.
func (f *pdfFile) buttonField(g formGroup, flags pdfInt, out *FormField) {
	names := f.array(f.inField(g.field, "Opt"))
	chosen, _ := f.inField(g.field, "V").(pdfName)
	var states []pdfName
	for i, w := range g.widgets {
		state := f.onState(w.dict)
		shown := string(state)
		if i < len(names) {
			_, shown = f.option(names[i])
		}
		if shown = strings.TrimSpace(paraph.CleanLine(pdfDoc(shown))); shown == "" {
			shown = fmt.Sprintf("Choice %d", i+1)
		}
		states = append(states, state)
		out.Places[i].Option = shown
		if !slices.Contains(out.Options, shown) {
			out.Options = append(out.Options, shown)
		}
		if chosen != "" && chosen == state || w.dict.name("AS") == state && state != "" && chosen == "" {
			out.Default = shown
		}
	}
	if len(out.Options) > 1 && len(out.Options) <= paraph.MaxOptions && (flags&buttonRadio != 0 || len(slices.Compact(slices.Clone(states))) > 1) {
		out.Type = paraph.RadioField
		return
	}
	out.Type, out.Options = paraph.CheckboxField, nil
	if out.Default != "" {
		out.Default = "true"
	}
	for i := range out.Places {
		out.Places[i].Option = ""
	}
}

// onState is the name of a button's appearance when it is chosen; its other one is Off.
func (f *pdfFile) onState(d *pdfDict) pdfName {
	looks := f.dict(d.vals["AP"])
	if looks == nil {
		return ""
	}
	states := f.dict(looks.vals["N"])
	if states == nil {
		return ""
	}
	for _, k := range states.keys {
		if k != "Off" {
			return k
		}
	}
	return ""
}

// pdfDoc reads a name's bytes as text: UTF-8 where they are that, otherwise Latin-1. Some writers escape them twice.
func pdfDoc(s string) string {
	if strings.Count(s, "#") > 0 {
		if again, err := url.PathUnescape(strings.ReplaceAll(strings.ReplaceAll(s, "%", "%25"), "#", "%")); err == nil {
			s = again
		}
	}
	if clean := strings.ToValidUTF8(s, ""); clean == s {
		return s
	}
	r := make([]rune, len(s))
	for i := range len(s) {
		r[i] = rune(s[i])
	}
	return string(r)
}
