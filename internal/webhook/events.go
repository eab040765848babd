package webhook

import (
	"slices"
	"strings"

	"github.com/paraph-sign/paraph"
)

// Dialect is whose shapes a body has.
type Dialect string

// The dialects.
const (
	Documenso Dialect = "documenso"
	DocuSeal  Dialect = "docuseal"
)

// Name is an event that endpoints can subscribe to.
type Name struct {
	Name    string // as people select it, and as it is stored: "document.signed"
	Wire    string // as the body says it: "DOCUMENT_SIGNED"; the same as Name in the DocuSeal dialect
	Dialect Dialect
	About   string // when it happens, in a sentence
}

// Family is the pattern that selects the event and its relatives, such as "document.*".
func (n Name) Family() string {
	first, _, _ := strings.Cut(n.Name, ".")
	return first + ".*"
}

// names is the table; nothing changes it.
var names = [...]Name{
	{"document.created", "DOCUMENT_CREATED", Documenso, "A document was made: uploaded, or created by the API."},
	{"document.sent", "DOCUMENT_SENT", Documenso, "A draft went out to its recipients."},
	{"document.opened", "DOCUMENT_OPENED", Documenso, "A recipient opened the document for the first time; once for each of them."},
	{"document.signed", "DOCUMENT_SIGNED", Documenso, "A recipient finished their part; once for each of them."},
	{"document.recipient.completed", "DOCUMENT_RECIPIENT_COMPLETED", Documenso, "A recipient finished their part (the newer name of document.signed)."},
	{"document.completed", "DOCUMENT_COMPLETED", Documenso, "Every recipient has acted and the sealed PDF is ready."},
	{"document.rejected", "DOCUMENT_REJECTED", Documenso, "A recipient rejected the document."},
	{"document.cancelled", "DOCUMENT_CANCELLED", Documenso, "The sender cancelled or deleted the document."},
	{"document.reminder.sent", "DOCUMENT_REMINDER_SENT", Documenso, "A reminder went to a recipient."},
	{"recipient.expired", "RECIPIENT_EXPIRED", Documenso, "A recipient's time to sign ran out; once for each who had not finished."},
	{"form.viewed", "form.viewed", DocuSeal, "A recipient opened the form for the first time; once for each of them."},
	{"form.started", "form.started", DocuSeal, "A recipient began to fill in the form."},
	{"form.completed", "form.completed", DocuSeal, "A recipient completed and signed the form. Of the last one it is told once the documents are sealed."},
	{"form.declined", "form.declined", DocuSeal, "A recipient declined to sign."},
	{"submission.created", "submission.created", DocuSeal, "A submission was made, with its documents and submitters."},
	{"submission.completed", "submission.completed", DocuSeal, "All recipients have completed the submission, and the sealed PDFs are ready."},
	{"submission.expired", "submission.expired", DocuSeal, "The submission's time ran out before everybody had signed."},
	{"submission.archived", "submission.archived", DocuSeal, "The submission was archived."},
}

// Names are all events that can happen, in the order in which they are offered.
func Names() []Name { return slices.Clone(names[:]) }

// Lookup finds an event by its name or by its wire name.
func Lookup(name string) (Name, bool) {
	for _, n := range names {
		if n.Name == name || n.Wire == name {
			return n, true
		}
	}
	return Name{}, false
}

// Match tells whether subscriptions (names, families such as "form.*", or "*") ask for the event of that name.
func Match(subscriptions []string, name string) bool {
	for _, s := range subscriptions {
		if s == name || s == "*" {
			return true
		}
		if prefix, ok := strings.CutSuffix(s, "*"); ok && strings.HasSuffix(prefix, ".") && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// CheckEvents returns the subscriptions in the spelling in which they are stored, each once: names (wire names are understood),
// families, or "*". The error stands at "events" and, for a slip of the pen, says what was probably meant.
func CheckEvents(subscriptions []string) ([]string, error) {
	var out []string
	for _, s := range subscriptions {
		stored, ok := storedName(strings.TrimSpace(s))
		if !ok {
			return nil, unknownEvent(s)
		}
		if !slices.Contains(out, stored) {
			out = append(out, stored)
		}
	}
	if len(out) == 0 {
		return nil, paraph.FieldErrorf("events", "Select at least one event.")
	}
	return out, nil
}

func storedName(s string) (string, bool) {
	if n, ok := Lookup(s); ok {
		return n.Name, true
	}
	return s, s == "*" || slices.ContainsFunc(names[:], func(n Name) bool { return n.Family() == s })
}

func unknownEvent(s string) error {
	shown := paraph.Shorten(paraph.CleanLine(s), 60)
	if strings.HasPrefix(strings.ToLower(s), "template") {
		return paraph.FieldErrorf("events", "“%s” is not sent, because there are no templates yet.", shown)
	}
	if near := nearest(s); near != "" {
		return paraph.FieldErrorf("events", "There is no event “%s”. Did you mean “%s”?", shown, near)
	}
	return paraph.FieldErrorf("events", "There is no event “%s”. Events are called “document.signed” or “form.completed”; “form.*” selects a family and “*” all.", shown)
}

// nearest is the known spelling with the fewest letters to change, if that is no more than a third of them.
func nearest(s string) string {
	s = strings.ToLower(paraph.Shorten(s, 60))
	best, distance := "", len(s)/3+1
	for _, n := range names {
		for _, candidate := range []string{n.Name, n.Family()} {
			if d := editDistance(s, candidate); d < distance {
				best, distance = candidate, d
			}
		}
	}
	return best
}

// editDistance is Levenshtein's, in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
