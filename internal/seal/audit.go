package seal

import (
	"context"
	"fmt"
	"time"
)

// Audit is the evidence that is set on the audit pages. Empty fields and zero times are left out.
type Audit struct {
	Title     string // the envelope's name
	ID        string // the envelope's id
	Status    string // in words, for example "Completed"
	Sender    string // name and address of who sent it
	Created   time.Time
	Sent      time.Time
	Completed time.Time

	Documents  []AuditDocument
	Recipients []AuditRecipient
	Events     []AuditEvent

	TrailHash string         // the last hash of the events' chain, in hex
	VerifyURL string         // where anyone can verify the file; also shown as a QR code
	Instance  string         // who runs this server, for the foot of each page
	Zone      *time.Location // for all times; default UTC
}

// AuditDocument is one document of the envelope.
type AuditDocument struct {
	Name   string
	Pages  int
	SHA256 string // of the file as it was uploaded, in hex
	Note   string // for example that it was repaired, or carries earlier signatures
}

// AuditRecipient is one recipient and what they did.
type AuditRecipient struct {
	Name, Email string
	Kind        string // in words: "Signer", "Approver", …
	Role        string // in the template, for example "Buyer"
	Status      string // in words: "Signed", "Declined", …
	Reason      string // for declining
	Sent        time.Time
	Opened      time.Time
	Acted       time.Time // signed, approved or declined
	IP          string
	UserAgent   string
	Proof       string // how they were authenticated, for example "Link sent to their address"
	ID          string
	Signature   []byte // PNG, as adopted
}

// AuditEvent is one entry of the trail.
type AuditEvent struct {
	At        time.Time
	What      string // in words
	Who       string
	IP        string
	UserAgent string
	Hash      string // in hex
}

// AuditPages sets the evidence as a PDF of its own: A4, as many pages as it takes.
func (e *Engine) AuditPages(ctx context.Context, a Audit) ([]byte, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("audit pages: %w", err)
	}
	t := newTypesetter(e.fonts)
	sheets, err := setAudit(t, a)
	if err != nil {
		return nil, fmt.Errorf("audit pages: %w", err)
	}
	out, err := newDocument(t, sheets, a4Width, a4Height)
	if err != nil {
		return nil, fmt.Errorf("audit pages: %w", err)
	}
	return out, nil
}
