package paraph

import "time"

// An Event is something that happened to an envelope. Events are appended in
// the transaction of the change that they tell, and never changed: they are
// the audit trail, and what webhooks and mails follow from.
type Event struct {
	ID          int64 // grows over the whole instance: the sequence number of logs and the API
	AccountID   int64
	EnvelopeID  int64
	Seq         int64 // from 1 within the envelope
	Type        EventType
	At          time.Time
	RecipientID int64 // whom it is about, 0 for nobody
	Actor       Actor
	Data        map[string]string // what else belongs to the evidence
	PrevHash    string
	Hash        string // see Chain
}

// An Actor is who does something, and from where.
type Actor struct {
	Kind      ActorKind
	UserID    int64
	Name      string
	Email     string
	IP        string
	UserAgent string
}

// ActorKind tells people from programs.
type ActorKind string

// The kinds of actor.
const (
	ByUser      ActorKind = "user"
	ByRecipient ActorKind = "recipient"
	ByAPI       ActorKind = "api"    // a user's program
	BySystem    ActorKind = "system" // the server itself
)

// maxUserAgent bounds what a browser says of itself, in runes.
const maxUserAgent = 500

// clean is the actor as it can be stored: browsers send headers that are not
// UTF-8, and of any length.
func (a Actor) clean() Actor {
	a.Name, a.Email, a.IP = CleanLine(a.Name), CleanLine(a.Email), CleanLine(a.IP)
	a.UserAgent = Shorten(CleanLine(a.UserAgent), maxUserAgent)
	return a
}

// Label is the actor's name as people read it.
func (a Actor) Label() string {
	switch {
	case a.Kind == BySystem:
		return "Paraph"
	case a.Name != "":
		return a.Name
	}
	return a.Email
}

// EventType is what happened.
type EventType string

// The types of event.
const (
	EnvelopeCreated     EventType = "envelope.created"
	DocumentAdded       EventType = "document.added"
	DocumentRemoved     EventType = "document.removed"
	DocumentChanged     EventType = "document.changed" // its form fields became ours, or were given back
	EnvelopeSent        EventType = "envelope.sent"
	RecipientInvited    EventType = "recipient.invited"
	RecipientReminded   EventType = "recipient.reminded"
	RecipientChanged    EventType = "recipient.changed"
	RecipientViewed     EventType = "recipient.opened"
	RecipientStarted    EventType = "recipient.started"
	RecipientFinished   EventType = "recipient.completed"
	RecipientRefused    EventType = "recipient.declined"
	RecipientCertified  EventType = "recipient.certified" // their part was signed with a certificate of their own, or the server's when they did not act
	EnvelopeCompleted   EventType = "envelope.completed"
	EnvelopeSealed      EventType = "envelope.sealed"
	EnvelopeTimestamped EventType = "envelope.timestamped"      // what was sealed got timestamps or validation data
	TimestampFailed     EventType = "envelope.timestamp.failed" // no authority answered for weeks
	EnvelopeCancelled   EventType = "envelope.cancelled"
	EnvelopeExpired     EventType = "envelope.expired"
	EnvelopeArchived    EventType = "envelope.archived"
	EnvelopeUnarchived  EventType = "envelope.unarchived"
	EnvelopeDeleted     EventType = "envelope.deleted"
	MailSent            EventType = "mail.sent"
	MailFailed          EventType = "mail.failed"
)
