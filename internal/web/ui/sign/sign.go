// Package sign is the page on which a recipient acts: the island that guides through the document, and a plain form that does
// the same for browsers without scripts.
package sign

import (
	"strconv"

	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// Script is the bundle the page needs in kit.Page.Scripts.
const Script = "sign.js"

// View is the signing page of one recipient.
type View struct {
	Source string // URL of the task: GET, JSON
	Plain  string // URL of the page that shows Form alone
	Form   Form
}

// Form is the document and the recipient's fields as one plain multipart form. It posts to Action: "field-ID" for each value
// (a checkbox "true", a date as 2006-01-02), "field-ID-text" and "field-ID-file" for a signature or initials, "consent" = "on". The
// decline form posts "reason" to DeclineAction.
type Form struct {
	Envelope      string
	Sender        string
	Message       string
	Documents     []Download // the same as PDFs
	Pages         []Picture
	Fields        []FormField
	Action        string
	DeclineAction string
	Consent       string // what finishing means
	Finish        string // what the button says; "Sign and finish" when empty
	Error         string // why the last try was refused
	ConsentError  string
	Consented     bool
}

// Picture is one page. Text is what it says, for readers who cannot see it.
type Picture struct {
	Image         string
	Width, Height int
	Text          string
}

// FormField is one field of the recipient.
type FormField struct {
	ID, Type, Label, Value, Placeholder string
	Page                                int // of all pages, from 1
	Options                             []string
	Min, Max                            string
	Required, ReadOnly                  bool
	SignatureImage                      string // URL when it is signed already
	Error                               string
}

func (f FormField) name() string { return "field-" + f.ID }

func (f FormField) title() string {
	label := f.Label
	if label == "" {
		label = kitType(f.Type)
	}
	return label + " (page " + strconv.Itoa(f.Page) + ")"
}

func (f FormField) options() []kit.Option {
	var out []kit.Option
	if f.Type == "select" {
		out = append(out, kit.Option{Value: "", Label: "Choose …"})
	}
	for _, o := range f.Options {
		out = append(out, kit.Option{Value: o, Label: o, Selected: o == f.Value, Disabled: f.ReadOnly})
	}
	return out
}

func (f FormField) input() kit.Field {
	in := kit.Field{
		Name: f.name(), Label: f.title(), Value: f.Value, Placeholder: f.Placeholder, Error: f.Error,
		Required: f.Required, Optional: !f.Required && !f.ReadOnly, ReadOnly: f.ReadOnly, Min: f.Min, Max: f.Max,
	}
	switch f.Type {
	case "date", "email", "number":
		in.Type = f.Type
	case "phone":
		in.Type, in.Autocomplete = "tel", "tel"
	case "select":
		in.Type, in.Options = "select", f.options()
	case "checkbox":
		in.Type, in.Checked, in.Value = "checkbox", f.Value == "true", "true"
		in.Disabled = f.ReadOnly
	}
	return in
}

func (f FormField) isSignature() bool { return f.Type == "signature" || f.Type == "initials" }

func (f FormField) typed() kit.Field {
	return kit.Field{Name: f.name() + "-text", Label: "Type it", Error: f.Error, Autocomplete: "name", MaxLength: 100}
}

func (f FormField) file() kit.Field {
	return kit.Field{Name: f.name() + "-file", Label: "or choose a picture, PNG or JPEG", Type: "file", Accept: "image/png,image/jpeg"}
}

func kitType(t string) string {
	if t == "" {
		return "Field"
	}
	return string(t[0]-'a'+'A') + t[1:]
}

func (f Form) finish() string {
	if f.Finish == "" {
		return "Sign and finish"
	}
	return f.Finish
}

func (f Form) consent() string {
	if f.Consent == "" {
		return "I agree to sign this document electronically, and that my electronic signature binds me as one on paper would."
	}
	return f.Consent
}

func number(n int) string { return strconv.Itoa(n) }

func pageAlt(i int, p Picture) string {
	if p.Text == "" {
		return "Page " + number(i+1)
	}
	return p.Text
}
