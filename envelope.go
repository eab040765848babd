package paraph

import (
	"slices"
	"time"
)

// An Envelope is one signing process: documents, recipients, fields, and a
// life. Its methods never change the envelope they are called on; see the
// rules in decide.go.
type Envelope struct {
	ID        int64
	AccountID int64
	OwnerID   int64  // the user who made it
	PublicID  string // "envelope_" and 16 letters
	Slug      string // opens its preview page
	Name      string
	Status    Status
	Source    Source

	Sequential bool // recipients act in their order
	Subject    string
	Message    string
	ExternalID string
	RedirectTo string // where a browser goes on after finishing; a recipient's own comes first
	ReplyTo    string
	// OwnSignatures: each recipient's part is signed with a certificate of their
	// own, as the account had set when this was sent; see SignedPart.
	OwnSignatures bool

	Language string // of the audit pages; "": the account's
	TimeZone string // of times in them, by its IANA name; "": the account's

	ExpireAt   time.Time // zero: never
	CreatedAt  time.Time
	UpdatedAt  time.Time
	SentAt     time.Time
	EndedAt    time.Time // completed, rejected, cancelled or expired
	SealedAt   time.Time // the artefacts are stored
	ArchivedAt time.Time
	DeletedAt  time.Time

	AuditLog string // digest of the audit log's PDF, once sealed; "" when it is no file of its own
	// SealLevel is the PAdES level of the sealed files: B-B, B-T, B-LT or B-LTA;
	// "" for those sealed before it was kept.
	SealLevel string
	StampAt   time.Time // when the sealed files want timestamps; zero: not
	Version   int64     // grows by one at each change; compared and swapped

	Documents  []Document
	Recipients []Recipient // by Order, then ID
	Fields     []Field     // by Position
}

// Status is where an envelope stands in its life.
type Status string

// The states of an envelope.
const (
	Draft     Status = "draft"
	Pending   Status = "pending"
	Completed Status = "completed"
	Rejected  Status = "rejected"
	Cancelled Status = "cancelled"
	Expired   Status = "expired"
)

// Statuses are all states, in the order in which tabs offer them.
func Statuses() []Status {
	return []Status{Draft, Pending, Completed, Rejected, Cancelled, Expired}
}

// Valid reports whether s is one of ours.
func (s Status) Valid() bool { return slices.Contains(Statuses(), s) }

// Ended reports whether nobody can act any more.
func (s Status) Ended() bool { return s != Draft && s != Pending }

// Source is how an envelope came to be.
type Source string

// The sources of envelopes.
const (
	FromWeb Source = "web"
	FromAPI Source = "api"
)

// Recipient returns the recipient with that id.
func (e *Envelope) Recipient(id int64) (Recipient, bool) {
	i := slices.IndexFunc(e.Recipients, func(r Recipient) bool { return r.ID == id })
	if i < 0 {
		return Recipient{}, false
	}
	return e.Recipients[i], true
}

// RecipientByToken returns the recipient whose signing link carries the token.
func (e *Envelope) RecipientByToken(token string) (Recipient, bool) {
	for _, r := range e.Recipients {
		if SameToken(r.Token, token) {
			return r, true
		}
	}
	return Recipient{}, false
}

// Document returns the document with that id.
func (e *Envelope) Document(id int64) (Document, bool) {
	i := slices.IndexFunc(e.Documents, func(d Document) bool { return d.ID == id })
	if i < 0 {
		return Document{}, false
	}
	return e.Documents[i], true
}

// Field returns the field with that id.
func (e *Envelope) Field(id int64) (Field, bool) {
	i := slices.IndexFunc(e.Fields, func(f Field) bool { return f.ID == id })
	if i < 0 {
		return Field{}, false
	}
	return e.Fields[i], true
}

// FieldsOf returns the fields of one recipient, in reading order.
func (e *Envelope) FieldsOf(recipientID int64) []Field {
	var out []Field
	for _, f := range e.Fields {
		if f.RecipientID == recipientID {
			out = append(out, f)
		}
	}
	return out
}

// Pages is the number of pages of all documents.
func (e *Envelope) Pages() int {
	n := 0
	for _, d := range e.Documents {
		n += len(d.Pages)
	}
	return n
}

// InTurn reports whether it is this recipient's time to act: the envelope is
// pending, they have not acted, and nobody has to act before them.
func (e *Envelope) InTurn(r Recipient) bool {
	if e.Status != Pending || r.Done() {
		return false
	}
	if !e.Sequential {
		return true
	}
	return !slices.ContainsFunc(e.Recipients, func(o Recipient) bool { return o.Order < r.Order && !o.Done() })
}

// WaitingFor returns the recipients whose turn it is.
func (e *Envelope) WaitingFor() []Recipient {
	var out []Recipient
	for _, r := range e.Recipients {
		if e.InTurn(r) {
			out = append(out, r)
		}
	}
	return out
}

// Progress counts the recipients who have completed, and all who act.
func (e *Envelope) Progress() (done, all int) {
	for _, r := range e.Recipients {
		if r.Kind.Acts() {
			all++
			if !r.CompletedAt.IsZero() {
				done++
			}
		}
	}
	return done, all
}

// clone copies the envelope so that a rule can change it.
func (e *Envelope) clone() Envelope {
	c := *e
	c.Documents = slices.Clone(e.Documents)
	c.Recipients = slices.Clone(e.Recipients)
	c.Fields = slices.Clone(e.Fields)
	return c
}

// pagesOf tells a document's pages, nil for a stranger's.
func (e *Envelope) pagesOf(id int64) []Page {
	d, ok := e.Document(id)
	if !ok {
		return nil
	}
	return d.Pages
}
