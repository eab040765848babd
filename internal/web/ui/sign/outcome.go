package sign

import (
	"time"

	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// Outcome is the page of a signing link when there is nothing to do: not yet,
// not any more, or for somebody who only gets a copy.
type Outcome struct {
	Envelope  string
	Sender    string
	Title     string
	Text      string
	Reason    string // somebody's own words: why it was declined or cancelled
	Status    kit.Status
	Waiting   []Waiting // who is still to act
	Downloads []Download
	Next      string // where the browser goes on
	NextHost  string // the same for people
	Verify    string
	Sealing   bool
	Now       time.Time
}

// Waiting is somebody else, by name alone.
type Waiting struct {
	Name, Does string
	State      kit.Status
}

// Download is a file to take along.
type Download struct {
	Label, Href, Facts string
	Original           string // URL of the document as it was sent, "" for none
}
