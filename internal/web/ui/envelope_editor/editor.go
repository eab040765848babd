// Package editor is the page on which fields are placed: the island that does it, and a plain form for browsers
// without scripts.
package editor

import (
	"strconv"
	"strings"

	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// Script is the bundle the page needs in kit.Page.Scripts.
const Script = "envelope_editor.js"

// Types are the kinds of fields, in the palette's order.
func Types() []string {
	return []string{"signature", "initials", "name", "email", "date", "text", "number", "phone", "checkbox", "radio", "select"}
}

// View is the editor of one envelope or template.
type View struct {
	Name      string
	Source    string // URL of the layout: GET and PUT, JSON
	Back      string // where the arrow at the top left leads
	Next      string // where the button at the top right leads, after all is saved
	NextLabel string
	Plain     Plain
}

// Plain is the form without scripts: one form for each field, one for a new one. Each posts to Action: id (empty for a new
// field), type, recipient, page ("DOCUMENT_ID/PAGE", from 0), x, y, w, h in percent of the page, label, options (a line each), required=on, and do =
// "save" or "delete".
type Plain struct {
	Action     string
	Recipients []kit.Option
	Pages      []kit.Option
	Fields     []PlainField
	Error      string
}

// PlainField is one field in the plain form; places are percentages of the page.
type PlainField struct {
	ID, Type, RecipientID, Page, Label string
	X, Y, W, H                         float64
	Required                           bool
	Options                            []string // radio, select
	Error                              string
}

func (p Plain) blank() PlainField {
	f := PlainField{Type: "signature", X: 10, Y: 80, W: 28, H: 6, Required: true}
	if len(p.Recipients) > 0 {
		f.RecipientID = p.Recipients[0].Value
	}
	if len(p.Pages) > 0 {
		f.Page = p.Pages[0].Value
	}
	return f
}

func typeOptions() []kit.Option {
	var out []kit.Option
	for _, t := range Types() {
		out = append(out, kit.Option{Value: t, Label: t})
	}
	return out
}

func percent(f float64) string { return strconv.FormatFloat(f, 'f', 2, 64) }

func (f PlainField) inputID(name string) string {
	if f.ID == "" {
		return "new-" + name
	}
	return "f-" + f.ID + "-" + name
}

func (f PlainField) choices() string { return strings.Join(f.Options, "\n") }

func (f PlainField) submitLabel() string {
	if f.ID == "" {
		return "Add the field"
	}
	return "Save"
}

func nextLabel(v View) string {
	if v.NextLabel == "" {
		return "Continue"
	}
	return v.NextLabel
}
