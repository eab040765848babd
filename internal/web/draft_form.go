package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/web/ui/draft"
)

// draftNotes are what was done with a document's file, and what it carries.
func draftNotes(d paraph.Document) []draft.Note {
	var out []draft.Note
	for _, n := range d.Notes {
		if n.Kind != paraph.NoteFormFields {
			out = append(out, draft.Note{Text: n.Sentence(), Warns: n.Warns()})
		}
	}
	return out
}

// form does what the buttons beside a document say of its own form fields:
// "use-form-ID" makes them fields of the first who fills anything in,
// "restore-form-ID" takes that back. What can't be done is added to wrong.
func (s *server) form(r *http.Request, e *paraph.Envelope, f draftForm, wrong *[]*paraph.Error) error {
	what, number, ok := strings.Cut(f.Get("do"), "-form-")
	if len(*wrong) > 0 || !ok || what != "use" && what != "restore" {
		return nil
	}
	id, _ := strconv.ParseInt(number, 10, 64) // no number is no document
	changed, err := paraph.Envelope{}, error(nil)
	if what == "restore" {
		changed, err = s.Desk.RestoreForm(r.Context(), s.who(r), e.ID, id)
	} else if first, ok := firstToFill(e); ok {
		changed, err = s.Desk.ImportForm(r.Context(), s.who(r), e.ID, id, first.ID)
	} else {
		err = paraph.FieldErrorf("recipients", "Add somebody who fills in first: every field belongs to a recipient.")
	}
	shown, rest := oops(err)
	if shown != nil {
		*wrong = append(*wrong, shown)
	}
	if shown == nil && rest == nil {
		*e = changed
	}
	return rest
}

func firstToFill(e *paraph.Envelope) (paraph.Recipient, bool) {
	for _, r := range e.Recipients {
		if r.Kind.HasFields() {
			return r, true
		}
	}
	return paraph.Recipient{}, false
}
