// Package draft is the way from a file to an envelope that goes out: the page
// where it begins, the form for documents and people, and the last look before
// it is sent. Between the last two stands the field editor.
package draft

import (
	"strconv"
	"time"

	envelopenew "github.com/paraph-sign/paraph/internal/web/ui/envelope_new"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// New is the page on which an envelope begins.
type New struct {
	Name   string
	Errors []string // one for each file that was refused
	Drop   envelopenew.Drop
}

// View is the form of a draft.
type View struct {
	ID         int64
	Documents  []Document
	Drop       envelopenew.Drop
	Errors     []string // one for each file that was refused
	Recipients envelopenew.Recipients
	Sequential bool
	Name       string
	Subject    string
	Message    string
	ExpireOn   string            // 2006-01-02
	Languages  []kit.Option      // of the audit pages
	TimeZone   string            // of times in them; "": the space's
	Today      string            // 2006-01-02
	Wrong      map[string]string // by input, and "" for what stands at none
}

// Document is one PDF in the draft.
type Document struct {
	Notes      []Note
	FormFields int  // that the PDF has of its own and that can be used
	Imported   bool // they are used

	ID            int64
	Name, Facts   string
	Thumbnail     string
	Width, Height int
}

// Review is the last look.
type Review struct {
	ID         int64
	Name       string
	Missing    string // what has to be done first; "" when it can go out
	Fix        string // where that is done
	Documents  []Document
	Recipients []Person
	Sequential bool
	Subject    string
	Message    string
	ExpireAt   time.Time
	Now        time.Time
}

// Person is a recipient as the last look shows them.
type Person struct {
	Name, Email, Does, Role string
	Fields                  int
	Order, Number           int
}

func base(id int64) string { return "/envelopes/" + strconv.FormatInt(id, 10) }

func number(n int) string { return strconv.Itoa(n) }

type step struct{ label, href string }

func steps(id int64) []step {
	return []step{{"Documents and people", base(id) + "/edit"}, {"Fields", base(id) + "/fields"}, {"Review and send", base(id) + "/review"}}
}

func current(yes bool) string {
	if yes {
		return "step"
	}
	return "false"
}

func (p Person) fields() string {
	switch p.Fields {
	case 0:
		return "no fields"
	case 1:
		return "1 field"
	}
	return strconv.Itoa(p.Fields) + " fields"
}

// Note is something about a document's file.
type Note struct {
	Text  string
	Warns bool
}

func (d Document) formText() string {
	switch {
	case d.Imported:
		return "Its form fields are used as fields. Change them, or give them to others, in the next step."
	case d.FormFields == 1:
		return "This PDF has a form field of its own."
	}
	return "This PDF has " + number(d.FormFields) + " form fields of its own."
}

func formValue(what string, d Document) string { return what + "-form-" + strconv.FormatInt(d.ID, 10) }

func (v View) removeLabel(d Document) string { return "Remove " + d.Name }

func removeValue(d Document) string { return "remove-document-" + strconv.FormatInt(d.ID, 10) }
