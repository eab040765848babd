package paraph

import "time"

// A Recipient is someone who must act on an envelope, or gets a copy of it.
type Recipient struct {
	ID         int64
	EnvelopeID int64
	UUID       string
	Kind       RecipientKind
	Role       string // the label in a template or on the API, such as "Buyer"; unique in its envelope
	Name       string
	Email      string
	Phone      string // E.164
	Order      int    // from 1; recipients of one number act side by side
	Token      string // opens their signing page

	ExternalID string
	Metadata   string // a JSON object, as the API gave it; "" means {}
	SendEmail  bool
	RedirectTo string // where the browser goes on after finishing; "" means our own page

	SentAt        time.Time // invited
	OpenedAt      time.Time
	StartedAt     time.Time // the first value of theirs was stored
	CompletedAt   time.Time
	DeclinedAt    time.Time
	DeclineReason string
	RemindedAt    time.Time

	IP        string // of their latest act
	UserAgent string

	CreatedAt time.Time
	UpdatedAt time.Time
}

// RecipientKind is what a recipient has to do.
type RecipientKind string

// The kinds of recipient.
const (
	Signer    RecipientKind = "signer"
	Approver  RecipientKind = "approver"
	Viewer    RecipientKind = "viewer"
	Assistant RecipientKind = "assistant"
	CC        RecipientKind = "cc"
)

// RecipientKinds are all kinds, in the order in which a menu offers them.
func RecipientKinds() []RecipientKind {
	return []RecipientKind{Signer, Approver, Viewer, Assistant, CC}
}

// Valid reports whether the kind is one of ours.
func (k RecipientKind) Valid() bool {
	for _, x := range RecipientKinds() {
		if k == x {
			return true
		}
	}
	return false
}

// Acts reports whether the envelope waits for recipients of this kind.
func (k RecipientKind) Acts() bool { return k != CC }

// HasFields reports whether fields may belong to recipients of this kind.
func (k RecipientKind) HasFields() bool { return k == Signer || k == Approver || k == Assistant }

// RecipientStatus is where a recipient stands: the first that holds of
// declined, completed, opened, sent, awaiting.
type RecipientStatus string

// The states of a recipient.
const (
	Awaiting           RecipientStatus = "awaiting"
	RecipientSent      RecipientStatus = "sent"
	RecipientOpened    RecipientStatus = "opened"
	RecipientCompleted RecipientStatus = "completed"
	RecipientDeclined  RecipientStatus = "declined"
)

// Status tells where the recipient stands.
func (r Recipient) Status() RecipientStatus {
	switch {
	case !r.DeclinedAt.IsZero():
		return RecipientDeclined
	case !r.CompletedAt.IsZero():
		return RecipientCompleted
	case !r.OpenedAt.IsZero():
		return RecipientOpened
	case !r.SentAt.IsZero():
		return RecipientSent
	}
	return Awaiting
}

// Done reports whether the envelope no longer waits for this recipient.
func (r Recipient) Done() bool {
	return !r.Kind.Acts() || !r.CompletedAt.IsZero() || !r.DeclinedAt.IsZero()
}

// DisplayName is the name, or what is known instead of it.
func (r Recipient) DisplayName() string {
	switch {
	case r.Name != "":
		return r.Name
	case r.Email != "":
		return r.Email
	}
	return r.Role
}

// notesFit refuses what is too long of what programs keep with a recipient; at
// is put before the input's name.
func (r *Recipient) notesFit(at string) error {
	for _, x := range []struct{ field, text string }{{"phone", r.Phone}, {"external_id", r.ExternalID}, {"redirect_to", r.RedirectTo}} {
		if err := notLong(at+x.field, x.text); err != nil {
			return err
		}
	}
	return nil
}

// Limits on recipients.
const (
	MaxRecipients    = 100
	MaxNoteLength    = 2000 // runes of an external id, a phone number, an address to go on to
	MaxDeclineReason = 2000 // runes
)
