package paraph

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A Field is something that one recipient fills in, shown at one place or
// several.
type Field struct {
	ID          int64
	EnvelopeID  int64
	RecipientID int64
	UUID        string
	Type        FieldType
	Name        string // may be empty; see Title
	Required    bool
	ReadOnly    bool // shows its default; the recipient can't change it
	Settings    FieldSettings
	Areas       []Area
	Position    int // reading order, from 0

	Value     Value
	EnteredAt time.Time // zero: nothing entered
}

// FieldSettings are what only some types of field look at.
type FieldSettings struct {
	Title       string   `json:"title,omitempty"`
	Description string   `json:"description,omitempty"`
	Default     string   `json:"default,omitempty"`
	Placeholder string   `json:"placeholder,omitempty"`
	Options     []string `json:"options,omitempty"`   // radio, select
	FontSize    float64  `json:"font_size,omitempty"` // points; 0 fits the box
	Min         string   `json:"min,omitempty"`       // number, date
	Max         string   `json:"max,omitempty"`
	FormField   string   `json:"form_field,omitempty"` // name of the PDF's own form field that it was made of
}

// An Area is a place on a page. X, Y, W and H are fractions of the page as it
// is displayed, with the origin at the top left; Page counts from 0.
type Area struct {
	DocumentID int64   `json:"document_id"`
	Page       int     `json:"page"`
	X          float64 `json:"x"`
	Y          float64 `json:"y"`
	W          float64 `json:"w"`
	H          float64 `json:"h"`
	Option     string  `json:"option,omitempty"` // radio: the option that is ticked here
}

// FieldType is what a field asks for.
type FieldType string

// The types of field.
const (
	SignatureField FieldType = "signature"
	InitialsField  FieldType = "initials"
	NameField      FieldType = "name"
	EmailField     FieldType = "email"
	DateField      FieldType = "date"
	TextField      FieldType = "text"
	NumberField    FieldType = "number"
	PhoneField     FieldType = "phone"
	CheckboxField  FieldType = "checkbox"
	RadioField     FieldType = "radio"
	SelectField    FieldType = "select"
)

// FieldTypes are all types, in the order in which a palette offers them.
func FieldTypes() []FieldType {
	return []FieldType{
		SignatureField, InitialsField, NameField, EmailField, DateField, TextField,
		NumberField, PhoneField, CheckboxField, RadioField, SelectField,
	}
}

// Valid reports whether the type is one of ours.
func (t FieldType) Valid() bool { return slices.Contains(FieldTypes(), t) }

// IsImage reports whether fields of this type hold a picture.
func (t FieldType) IsImage() bool { return t == SignatureField || t == InitialsField }

// Label is the type's name as people read it.
func (t FieldType) Label() string {
	if !t.Valid() {
		return "Field"
	}
	s := string(t)
	return strings.ToUpper(s[:1]) + s[1:]
}

// Value is what a recipient entered. The zero Value is nothing.
type Value struct {
	// Text is the value of every type but pictures: a date as YYYY-MM-DD, a
	// number as a decimal, a checkbox as "true" or "false", an option's words.
	// For a typed signature it is the letters.
	Text string `json:"text,omitempty"`
	// Image is the digest of a PNG: signature, initials.
	Image string `json:"image,omitempty"`
	// Method says how a signature was made: draw, type, upload.
	Method string `json:"method,omitempty"`
	// Strokes is the digest of how the pen went over a pad, from which the PNG
	// was made.
	Strokes string `json:"strokes,omitempty"`
	// Face is what a typed signature is set in, one of SignatureFaces.
	Face string `json:"face,omitempty"`
}

// The faces of typed signatures. A browser and a PDF show the same.
const (
	FaceDancingScript = "dancing-script"
	FaceCaveat        = "caveat"
	FaceGreatVibes    = "great-vibes"
)

// SignatureFaces are the faces to choose from; the first is taken when none is
// named.
func SignatureFaces() []string { return []string{FaceDancingScript, FaceCaveat, FaceGreatVibes} }

// IsZero reports whether nothing was entered.
func (v Value) IsZero() bool { return v == Value{} }

// Filled reports whether the value satisfies a required field of the type: a
// required checkbox must be ticked.
func (f Field) Filled() bool {
	switch {
	case f.Type == CheckboxField:
		return f.Value.Text == "true"
	case f.Type.IsImage():
		return f.Value.Image != ""
	}
	return strings.TrimSpace(f.Value.Text) != ""
}

// Limits on fields.
const (
	MaxFields      = 2000
	MaxValueLength = 10000 // runes of text in one value
	MaxOptions     = 200
	MaxFontSize    = 200    // points
	minAreaSide    = 0.0005 // of a page: 0.1 mm of the width of A4

	maxFieldBytes = 4 << 20 // of all fields of an envelope: they are told with every event
	areaBytes     = 100     // that a place takes
)

// fieldBytes is about how much fields take when they are stored or told.
func fieldBytes(fs []Field) int {
	n := 0
	for _, f := range fs {
		s := f.Settings
		n += len(f.Name) + len(s.Title) + len(s.Description) + len(s.Default) + len(s.Placeholder) + len(s.Min) + len(s.Max) + len(s.FormField)
		for _, o := range s.Options {
			n += len(o)
		}
		for _, a := range f.Areas {
			n += areaBytes + len(a.Option)
		}
	}
	return n
}

// CheckValue returns v in the form in which it is stored, or an Invalid error
// that stands at the field. The empty value is accepted: it clears the field.
func (f Field) CheckValue(v Value) (Value, error) {
	at := f.InputName()
	if f.Type.IsImage() {
		if v.Image != "" && !isDigest(v.Image) {
			return Value{}, FieldErrorf(at, "The picture of this %s is missing.", f.Type)
		}
		if !slices.Contains([]string{"", "draw", "type", "upload"}, v.Method) {
			return Value{}, FieldErrorf(at, "A %s is drawn, typed or uploaded.", f.Type)
		}
		if v.Strokes != "" && (v.Method != "draw" || !isDigest(v.Strokes)) {
			return Value{}, FieldErrorf(at, "The strokes of this %s are missing.", f.Type)
		}
		if v.Face != "" && (v.Method != "type" || !slices.Contains(SignatureFaces(), v.Face)) {
			return Value{}, FieldErrorf(at, "“%s” is not a face for signatures.", Shorten(v.Face, 40))
		}
		v.Text = Shorten(CleanLine(v.Text), MaxNameLength)
		return v, nil
	}
	v.Image, v.Method, v.Strokes, v.Face = "", "", "", ""
	if utf8.RuneCountInString(v.Text) > MaxValueLength {
		return Value{}, &Error{Kind: TooLarge, Field: at, Message: "This text is too long; at most " + strconv.Itoa(MaxValueLength) + " characters fit."}
	}
	v.Text = CleanText(v.Text)
	if f.Type != TextField {
		v.Text = strings.TrimSpace(CleanLine(v.Text))
	}
	if v.Text == "" {
		return Value{}, nil
	}
	return f.checkText(at, v)
}

func (f Field) checkText(at string, v Value) (Value, error) {
	switch f.Type {
	case EmailField:
		s, err := ParseEmail(at, v.Text)
		v.Text = s
		return v, err
	case DateField:
		return f.checkDate(at, v)
	case NumberField:
		return f.checkNumber(at, v)
	case PhoneField:
		return checkPhone(at, v)
	case CheckboxField:
		return checkCheckbox(at, v)
	case RadioField, SelectField:
		if !slices.Contains(f.Settings.Options, v.Text) {
			return Value{}, FieldErrorf(at, "“%s” is not one of the choices.", Shorten(v.Text, 60))
		}
	}
	return v, nil
}

func (f Field) checkDate(at string, v Value) (Value, error) {
	d, err := time.Parse(time.DateOnly, v.Text)
	if err != nil || d.Year() < 1 {
		return Value{}, FieldErrorf(at, "“%s” is not a date; write it as 2026-12-31.", Shorten(v.Text, 30))
	}
	if f.Settings.Min != "" && v.Text < f.Settings.Min {
		return Value{}, FieldErrorf(at, "The earliest possible date is %s.", f.Settings.Min)
	}
	if f.Settings.Max != "" && v.Text > f.Settings.Max {
		return Value{}, FieldErrorf(at, "The latest possible date is %s.", f.Settings.Max)
	}
	return v, nil
}

func (f Field) checkNumber(at string, v Value) (Value, error) {
	n, err := strconv.ParseFloat(v.Text, 64)
	if err != nil || n != n || n > 1e300 || n < -1e300 || strings.ContainsAny(v.Text, "xXpP_") {
		return Value{}, FieldErrorf(at, "“%s” is not a number; write it as 1234.5.", Shorten(v.Text, 30))
	}
	if lo, err := strconv.ParseFloat(f.Settings.Min, 64); err == nil && n < lo {
		return Value{}, FieldErrorf(at, "The smallest possible number is %s.", f.Settings.Min)
	}
	if hi, err := strconv.ParseFloat(f.Settings.Max, 64); err == nil && n > hi {
		return Value{}, FieldErrorf(at, "The largest possible number is %s.", f.Settings.Max)
	}
	return v, nil
}

func checkPhone(at string, v Value) (Value, error) {
	digits := 0
	for i, r := range v.Text {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r == '+' && i == 0, strings.ContainsRune(" -().", r):
		default:
			return Value{}, FieldErrorf(at, "“%s” is not a phone number; write it as +49 30 123456.", Shorten(v.Text, 30))
		}
	}
	if digits < 5 || digits > 15 { // E.164 has 15 at most
		return Value{}, FieldErrorf(at, "A phone number has between 5 and 15 digits.")
	}
	return v, nil
}

func checkCheckbox(at string, v Value) (Value, error) {
	b, err := strconv.ParseBool(v.Text)
	if v.Text == "on" {
		b, err = true, nil
	}
	if err != nil {
		return Value{}, FieldErrorf(at, "A checkbox is true or false, not “%s”.", Shorten(v.Text, 30))
	}
	v.Text = strconv.FormatBool(b)
	return v, nil
}

// InputName is the name of the field's input in forms and errors.
func (f Field) InputName() string { return "field_" + strconv.FormatInt(f.ID, 10) }

// Title is what people read beside the field: its own title or name, or its
// type.
func (f Field) Title() string {
	switch {
	case f.Settings.Title != "":
		return f.Settings.Title
	case f.Name != "":
		return f.Name
	}
	return f.Type.Label()
}

// FieldNames returns the name of each field by id, for readers that need one:
// an unnamed field is "<Type> Field <n>", n counting that type over the
// envelope (DocuSeal's rule).
func FieldNames(fields []Field) map[int64]string {
	names := make(map[int64]string, len(fields))
	count := map[FieldType]int{}
	for _, f := range fields {
		count[f.Type]++
		names[f.ID] = f.Name
		if f.Name == "" {
			names[f.ID] = f.Type.Label() + " Field " + strconv.Itoa(count[f.Type])
		}
	}
	return names
}

// Check says what is wrong with the field itself: its type, its places, its
// options and its default. pages tells a document's pages, nil for a document
// that isn't in the envelope.
func (f Field) Check(pages func(documentID int64) []Page) error {
	at := f.InputName()
	if !f.Type.Valid() {
		return FieldErrorf(at, "“%s” is not a type of field.", Shorten(string(f.Type), 40))
	}
	if utf8.RuneCountInString(f.Name) > MaxNameLength {
		return FieldErrorf(at, "A field's name has at most %d characters.", MaxNameLength)
	}
	if len(f.Areas) == 0 {
		return FieldErrorf(at, "The field “%s” has no place on a page.", f.Title())
	}
	for _, a := range f.Areas {
		if err := f.checkArea(at, a, pages(a.DocumentID)); err != nil {
			return err
		}
	}
	if !(f.Settings.FontSize >= 0 && f.Settings.FontSize <= MaxFontSize) {
		return FieldErrorf(at, "The font size of “%s” lies between 0 and %d points.", f.Title(), MaxFontSize)
	}
	if err := f.checkOptions(at); err != nil {
		return err
	}
	if f.Settings.Default == "" || f.Type.IsImage() {
		return nil
	}
	_, err := f.CheckValue(Value{Text: f.Settings.Default})
	return err
}

func (f Field) checkArea(at string, a Area, pages []Page) error {
	if pages == nil {
		return FieldErrorf(at, "The field “%s” is on a document that is not in this envelope.", f.Title())
	}
	if a.Page < 0 || a.Page >= len(pages) {
		return FieldErrorf(at, "The field “%s” is on page %d, but the document has %d.", f.Title(), a.Page+1, len(pages))
	}
	const slack = 1e-6 // of rounding in what a browser sends
	inside := a.X >= -slack && a.Y >= -slack && a.X+a.W <= 1+slack && a.Y+a.H <= 1+slack
	if !inside || !(a.W >= minAreaSide) || !(a.H >= minAreaSide) {
		return FieldErrorf(at, "The field “%s” lies off page %d: x, y, w and h are fractions of the page between 0 and 1.", f.Title(), a.Page+1)
	}
	return nil
}

func (f Field) checkOptions(at string) error {
	if f.Type != RadioField && f.Type != SelectField {
		return nil
	}
	o := f.Settings.Options
	if len(o) == 0 || len(o) > MaxOptions {
		return FieldErrorf(at, "The field “%s” needs between 1 and %d choices.", f.Title(), MaxOptions)
	}
	for i, s := range o {
		if strings.TrimSpace(s) == "" || slices.Contains(o[:i], s) {
			return FieldErrorf(at, "The choices of “%s” must be different and not empty.", f.Title())
		}
	}
	return nil
}
