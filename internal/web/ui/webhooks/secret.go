package webhooks

import (
	"time"

	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// Secrets is the page of one webhook's secrets: masked, or all shown.
type Secrets struct {
	ID        int64
	URL       string
	Admin     bool // may see and change them
	Shown     bool // the values are the real ones
	Signing   string
	Previous  string    // "" when none is valid any more
	Until     time.Time // of Previous
	Documenso string    // "" for none
	Headers   [][2]string
	Fresh     *Secret
	Grace     string // as entered
	Wrong     kit.Wrong
	Now       time.Time
}

func (v Secrets) path() string { return path(v.ID) + "/secrets" }

func (v Secrets) graces() []kit.Option {
	out := []kit.Option{
		{Value: "0", Label: "Ends at once"},
		{Value: "1", Label: "1 hour"},
		{Value: "24", Label: "24 hours"},
		{Value: "72", Label: "3 days"},
		{Value: "168", Label: "7 days"},
	}
	for i := range out {
		out[i].Selected = out[i].Value == v.Grace
	}
	return out
}

// Trouble is what is known of a webhook that takes nothing; nil: nothing.
type Trouble struct {
	Since, OffAt time.Time
	Last         string // what went wrong, in a sentence
}

func (t Trouble) text() string {
	s := "Every attempt has failed since " + t.Since.UTC().Format("2 January 2006, 15:04 UTC") + ". "
	if t.Last != "" {
		s += "The last failure: " + t.Last + " "
	}
	return s + "Unless a delivery succeeds before, the webhook will be switched off at " + t.OffAt.UTC().Format("2 January 2006, 15:04 UTC") + "."
}

// Missed is what a webhook did not get while it was off.
type Missed struct {
	Since time.Time
	Count int
	Href  string // where it can be sent
}

func (m Missed) text() string {
	if m.Count == 1 {
		return "1 delivery failed or was skipped while it was off."
	}
	return number(m.Count) + " deliveries failed or were skipped while it was off."
}
