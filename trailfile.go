package paraph

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// A TrailFile is the audit trail as programs read it: the JSON that is
// attached to sealed PDFs. docs/audit-trail.md describes it.
type TrailFile struct {
	Format     string           `json:"format"` // TrailFormat
	About      string           `json:"about"`
	Instance   string           `json:"instance,omitempty"`
	VerifyURL  string           `json:"verify_url,omitempty"`
	MadeAt     time.Time        `json:"made_at"`
	Envelope   TrailEnvelope    `json:"envelope"`
	Documents  []TrailDocument  `json:"documents"`
	Recipients []TrailRecipient `json:"recipients"`
	Events     []TrailEvent     `json:"events"`
	LastHash   string           `json:"last_hash"`
}

// TrailFormat names the form that a TrailFile has.
const TrailFormat = "paraph-audit-trail/1"

// TrailEnvelope is the envelope in a TrailFile.
type TrailEnvelope struct {
	ID          int64     `json:"id"`
	PublicID    string    `json:"public_id"`
	Name        string    `json:"name"`
	Status      Status    `json:"status"`
	SentBy      string    `json:"sent_by,omitempty"`
	CreatedAt   time.Time `json:"created_at"`
	SentAt      time.Time `json:"sent_at,omitzero"`
	CompletedAt time.Time `json:"completed_at,omitzero"`
	Language    string    `json:"language"`
	TimeZone    string    `json:"time_zone"`
}

// TrailDocument is a document in a TrailFile. The digests are SHA-256, in
// lower-case hex. That of the sealed file is only in files that were made after
// it: no file holds its own.
type TrailDocument struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Pages    int    `json:"pages"`
	Uploaded string `json:"uploaded_sha256"`
	Original string `json:"original_sha256"`
	Sealed   string `json:"sealed_sha256,omitempty"`
}

// TrailRecipient is a recipient in a TrailFile.
type TrailRecipient struct {
	ID          int64         `json:"id"`
	UUID        string        `json:"uuid"`
	Name        string        `json:"name"`
	Email       string        `json:"email"`
	Kind        RecipientKind `json:"kind"`
	Role        string        `json:"role,omitempty"`
	SentAt      time.Time     `json:"sent_at,omitzero"`
	OpenedAt    time.Time     `json:"opened_at,omitzero"`
	CompletedAt time.Time     `json:"completed_at,omitzero"`
	DeclinedAt  time.Time     `json:"declined_at,omitzero"`
	IP          string        `json:"ip,omitempty"`
	UserAgent   string        `json:"user_agent,omitempty"`
	Proof       Proof         `json:"authentication,omitempty"`
	Consent     string        `json:"consent,omitempty"`
}

// Proof is how a recipient was authenticated.
type Proof string

// The ways of authentication.
const (
	ProofMail Proof = "mail" // a link that was sent to their address
	ProofLink Proof = "link" // a link that the sender handed out
	ProofAPI  Proof = "api"  // none: a program of the sender completed their part
)

// TrailEvent is an event in a TrailFile. Hash is the SHA-256 of Content's bytes
// without the spaces between them; see ChainHash.
type TrailEvent struct {
	When    time.Time       `json:"when"` // Content's "at", for people
	Hash    string          `json:"hash"`
	Content json.RawMessage `json:"content"`
}

const aboutTrail = "The events of one envelope. An event's hash is the SHA-256 of its content, written as JSON without spaces, with its members in this order, " +
	"those of data sorted, and <, > and & as \\u003c, \\u003e and \\u0026. Its member prev is the hash of the event before it, at is in microseconds since 1970."

// NewTrailFile gathers what is known of an envelope and its events.
func NewTrailFile(e *Envelope, events []Event) TrailFile {
	f := TrailFile{Format: TrailFormat, About: aboutTrail, Envelope: TrailEnvelope{
		ID: e.ID, PublicID: e.PublicID, Name: e.Name, Status: e.Status, CreatedAt: e.CreatedAt, SentAt: e.SentAt, CompletedAt: e.EndedAt,
	}}
	for _, d := range e.Documents {
		f.Documents = append(f.Documents, TrailDocument{d.ID, d.Name, len(d.Pages), d.Uploaded, d.Original, d.Sealed})
	}
	for _, r := range e.Recipients {
		f.Recipients = append(f.Recipients, TrailRecipient{
			ID: r.ID, UUID: r.UUID, Name: r.Name, Email: r.Email, Kind: r.Kind, Role: r.Role, SentAt: r.SentAt, OpenedAt: r.OpenedAt,
			CompletedAt: r.CompletedAt, DeclinedAt: r.DeclinedAt, IP: r.IP, UserAgent: r.UserAgent,
			Proof: ProofOf(r, events), Consent: ConsentOf(r, events),
		})
	}
	for _, ev := range events {
		f.Events = append(f.Events, TrailEvent{When: ev.At.UTC(), Hash: ev.Hash, Content: linkOf(ev)})
		f.LastHash = ev.Hash
	}
	return f
}

// ProofOf tells how a recipient was authenticated when they acted, "" for one
// who does not act.
func ProofOf(r Recipient, events []Event) Proof {
	if !r.Kind.Acts() {
		return ""
	}
	if ev, ok := finishOf(r, events); ok && ev.Actor.Kind != ByRecipient {
		return ProofAPI
	}
	if r.Email != "" && r.SendEmail {
		return ProofMail
	}
	return ProofLink
}

// ConsentOf is the sentence that a recipient agreed to, "" when there was none.
func ConsentOf(r Recipient, events []Event) string {
	ev, _ := finishOf(r, events)
	return ev.Data["consent"]
}

func finishOf(r Recipient, events []Event) (Event, bool) {
	for _, ev := range events {
		if ev.Type == RecipientFinished && ev.RecipientID == r.ID {
			return ev, true
		}
	}
	return Event{}, false
}

// JSON is the file's bytes.
func (f TrailFile) JSON() ([]byte, error) {
	b, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return nil, fmt.Errorf("write audit trail: %w", err)
	}
	return append(b, '\n'), nil
}

// maxTrailFile bounds what ReadTrailFile takes, in bytes.
const maxTrailFile = 32 << 20

// ReadTrailFile reads what JSON wrote, and checks that the events' chain holds:
// each hash, each link, the numbers from 1 on, and that the last is LastHash. A
// chain that doesn't hold is an error; the file is answered all the same.
func ReadTrailFile(b []byte) (TrailFile, error) {
	var f TrailFile
	if len(b) > maxTrailFile {
		return f, Errorf(TooLarge, "The audit trail is larger than %d MB.", maxTrailFile>>20)
	}
	if err := json.Unmarshal(b, &f); err != nil {
		return f, Errorf(Invalid, "The audit trail is not the JSON that it should be.")
	}
	if f.Format != TrailFormat {
		return f, Errorf(Invalid, "The audit trail has the format “%s”; this program knows “%s”.", Shorten(CleanLine(f.Format), 60), TrailFormat)
	}
	events, err := f.Chain()
	if err == nil {
		err = VerifyTrail(events)
	}
	if err == nil && (len(events) == 0 || events[len(events)-1].Hash != f.LastHash) {
		err = errors.New("its last hash is not the one of its last event")
	}
	if err != nil {
		return f, Errorf(Invalid, "The audit trail's chain is broken: %s.", err.Error())
	}
	return f, nil
}

// Chain reads the events back. The error says which isn't one.
func (f TrailFile) Chain() ([]Event, error) {
	events := make([]Event, 0, len(f.Events))
	for i, t := range f.Events {
		var l link
		d := json.NewDecoder(bytes.NewReader(t.Content))
		d.DisallowUnknownFields()
		if err := d.Decode(&l); err != nil {
			return nil, fmt.Errorf("event %d is not one: %w", i+1, err)
		}
		ev := Event{
			EnvelopeID: l.EnvelopeID, Seq: l.Seq, Type: l.Type, At: time.UnixMicro(l.At).UTC(), RecipientID: l.RecipientID, PrevHash: l.Prev, Hash: t.Hash, Data: l.Data,
			Actor: Actor{Kind: l.ActorKind, UserID: l.UserID, Name: l.Name, Email: l.Email, IP: l.IP, UserAgent: l.UserAgent},
		}
		var as bytes.Buffer
		if err := json.Compact(&as, t.Content); err != nil || !bytes.Equal(as.Bytes(), linkOf(ev)) {
			return nil, fmt.Errorf("event %d is not written as its hash is made", i+1)
		}
		events = append(events, ev)
	}
	return events, nil
}
