package seal

import (
	"context"
	"fmt"
	"time"
)

// Audit is the evidence that is set on the audit pages. Empty fields and zero times are left out. What is a code is said in
// the words of its language; a code that has no word there stands as it is.
type Audit struct {
	Title     string // the envelope's name
	ID        string // the envelope's id
	Status    string // a code, for example "completed"
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
	Language  string         // one of Languages; default English
	Trail     []byte         // the trail as JSON, which is attached as TrailName; nil attaches none
	At        time.Time      // when the pages are made, for the file's metadata; default Completed
}

// made is when the pages are made.
func (a Audit) made() time.Time {
	if a.At.IsZero() {
		return a.Completed
	}
	return a.At
}

// AuditDocument is one document of the envelope. Digests are SHA-256 in hex.
type AuditDocument struct {
	Name   string
	Pages  int
	SHA256 string // of the file as it was uploaded
	Signed string // of the PDF that it became, when that differs
	Sealed string // of the sealed PDF; only in a file that is made after it
	Note   string // what else there is to say, for example that it carries earlier signatures
}

// AuditRecipient is one recipient and what they did.
type AuditRecipient struct {
	Name, Email string
	Kind        string // a code: "signer", "approver", …
	Role        string // in the template, for example "Buyer"
	Status      string // a code: "signed", "declined", …
	Reason      string // for declining
	Sent        time.Time
	Opened      time.Time
	Acted       time.Time // signed, approved or declined
	IP          string
	UserAgent   string // as the browser sent it
	Proof       string // how they were authenticated, a code: "mail", "link", "api"
	Consent     string // the sentence that they agreed to
	ID          string
	Signature   []byte // PNG, as adopted
}

// AuditEvent is one entry of the trail.
type AuditEvent struct {
	At        time.Time
	Code      string // the type of event; with a kind of recipient behind it where that has a word of its own
	What      string // in words, for a code that the language has no sentence for
	Who       string
	About     string            // the recipient whom it is about
	Data      map[string]string // what else the sentence names: name, level, to, and mail, a code
	IP        string
	UserAgent string
	Hash      string // in hex
}

// AuditPages sets the evidence as a PDF of its own: A4, as many pages as it takes, in the form of PDF/A-3b (see archive).
func (e *Engine) AuditPages(ctx context.Context, a Audit) ([]byte, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("audit pages: %w", err)
	}
	t := newTypesetter(e.fonts)
	sheets, err := setAudit(t, a)
	if err != nil {
		return nil, fmt.Errorf("audit pages: %w", err)
	}
	out, err := newArchive(t, sheets, a)
	if err != nil {
		return nil, fmt.Errorf("audit pages: %w", err)
	}
	return out, nil
}
