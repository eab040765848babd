// Package envelope is an envelope's own page: documents, recipients and what
// happened.
package envelope

import (
	"strconv"
	"time"

	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// View is the page of one envelope.
type View struct {
	ID         int64
	Name       string
	State      string // for kit.StatusBadge
	Note       *kit.Notice
	Documents  []Document
	AuditLog   string // URL, "" until there is one
	Archive    string // URL of all files as a ZIP, "" without documents
	Combined   string // URL of all sealed PDFs as one, "" until they are sealed
	Recipients []Recipient
	Sequential bool
	Done, All  int
	Message    string
	Facts      []kit.Pair
	Times      []Moment
	Timeline   []kit.Moment
	Troubles   []string // mails that wait for another try
	Sealing    Sealing  // when it failed so far
	Trail      Trail
	Deliveries []Delivery
	Preview    string // the public page's URL
	Draft      bool
	CanCancel  bool
	Archived   bool
	Open       string // the dialog that is shown from the start: cancel, delete
	Now        time.Time
}

// Moment is a time with a name.
type Moment struct {
	Label string
	At    time.Time
}

// Document is one PDF with its ways out.
type Document struct {
	Name, Facts                     string
	Thumbnail                       string
	Width, Height                   int
	View, Original, Current, Sealed string // URLs; "" for what isn't there
}

// Recipient is one person.
type Recipient struct {
	ID          int64
	Name, Email string
	Role, Does  string // does: "signs", …
	State       kit.Status
	Detail      string // what is to say besides
	At          time.Time
	Link        string // the signing link, "" when it leads nowhere
	Remind      string // where to post, "" when it can't be reminded
	Order       int
	Number      int // of its colour
}

// Trail says whether the evidence is whole.
type Trail struct {
	Sound bool
	Text  string
	Hash  string
}

// Delivery is one webhook of this envelope.
type Delivery struct {
	Event, State, Href string
	Code               string
	At                 time.Time
}

func (v View) base() string { return "/envelopes/" + strconv.FormatInt(v.ID, 10) }

func (v View) trailStatus() kit.Status {
	if v.Trail.Sound {
		return kit.Status{Label: "Trail verified", Tone: kit.Success, Icon: "check"}
	}
	return kit.Status{Label: "Trail broken", Tone: kit.Error, Icon: "warning"}
}

func (v View) archiveButton() kit.Button {
	if v.Archived {
		return kit.Button{Label: "Bring back", Name: "archived", Value: "no"}
	}
	return kit.Button{Label: "Archive", Name: "archived", Value: "yes"}
}

func number(n int) string { return strconv.Itoa(n) }

func (v View) cancelDialog() kit.Confirm {
	return kit.Confirm{
		ID: "cancel", Title: "Cancel this envelope?", Text: "Nobody can sign it any more. Everybody who was invited is told. This can’t be undone.",
		Action: v.base() + "/cancel", Label: "Cancel the envelope", Danger: true, Close: v.base(), Open: v.Open == "cancel", KeepText: "Keep it open",
		Fields: []kit.Field{{ID: "cancel-reason", Name: "reason", Label: "Reason", Type: "textarea", Optional: true, MaxLength: 2000, Hint: "Goes into the audit trail and the mail."}},
	}
}

func (v View) deleteDialog() kit.Confirm {
	text := "It leaves your list for good, with its documents and its history."
	if v.CanCancel {
		text = "It is out for signing: it is cancelled first, and everybody who was invited is told. Then it leaves your list for good."
	}
	return kit.Confirm{
		ID: "delete", Title: "Delete this envelope?", Text: text, Action: v.base() + "/delete", Label: "Delete", Danger: true,
		Close: v.base(), Open: v.Open == "delete",
	}
}

// everything says what the downloads of all files hold.
func (v View) everything() string {
	if v.Combined == "" {
		return "The documents as they stand and as they were sent."
	}
	return "Sealed and original documents and the audit log; as one PDF it is a copy to read, without a seal."
}

// Sealing is why a completed envelope is not sealed yet, and where to have it
// tried again.
type Sealing struct {
	Text  string
	Retry string
}
