package webhook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/paraph-sign/paraph"
)

// Snapshot is all that bodies are rendered from: an event, and the world right after it, as it stands in the event's transaction.
// All ids must be the stored ones.
type Snapshot struct {
	Event    paraph.Event
	Envelope paraph.Envelope
	Account  paraph.Account
	Owner    paraph.User
	Trail    []paraph.Event // the envelope's events up to and with Event; needed for submission.* only
	Template *Template      // what the envelope was made from, nil when from nothing
	Links    Links
}

// Template is what readers are told of a template.
type Template struct {
	ID         int64
	Name       string
	ExternalID string
	Folder     string // "Parent / Child"
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// Links make the URLs in bodies. A body is kept and replayed, so they must work for as long as deliveries do.
type Links struct {
	Document func(paraph.Document) string // its current PDF: the sealed one once there is one
	Picture  func(paraph.Field) string    // the image in a signature or initials field; asked only when there is one
	AuditLog func(paraph.Envelope) string // asked only when there is one
	Envelope func(paraph.Envelope) string // the envelope's public page
	// BytesAre says how Documenso's dialect calls the place of a document's bytes: "S3_PATH" or "FILE_PATH".
	BytesAre string
}

// Render returns the body that tells the endpoint of the snapshot's event under that name. The bytes depend on nothing else, so
// the same input gives the same bytes. It fails for a name that it doesn't know, and when an event about a recipient has none.
func Render(name string, s Snapshot, to paraph.Endpoint) ([]byte, error) {
	n, ok := Lookup(name)
	if !ok {
		return nil, fmt.Errorf("render %q: no such event", name)
	}
	if n.Dialect == Documenso {
		return RenderDocumenso(n, s, to)
	}
	return RenderDocuSeal(n, s, to)
}

// acting is the recipient whom the event is about.
func (s Snapshot) acting(n Name) (paraph.Recipient, error) {
	r, ok := s.Envelope.Recipient(s.Event.RecipientID)
	if !ok {
		return r, fmt.Errorf("render %s for envelope %d: recipient %d is not in it", n.Name, s.Envelope.ID, s.Event.RecipientID)
	}
	return r, nil
}

// encode writes JSON as it is sent: keys in the order of the struct, no HTML escapes, no line end.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// stamp is a time as both dialects write it: ISO 8601 in UTC with three fractional digits. The zero time is null.
type stamp time.Time

func (t stamp) MarshalJSON() ([]byte, error) {
	at := time.Time(t)
	if at.IsZero() {
		return []byte("null"), nil
	}
	return []byte(at.UTC().Format(`"2006-01-02T15:04:05.000Z"`)), nil
}

// orNull is a string that is null when it is empty.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// numberOrNull is a number that is null when it is 0.
func numberOrNull(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

// object is a JSON object that came as text; anything else becomes {}, for it must never keep an event from being told.
func object(text string) json.RawMessage {
	if trimmed := bytes.TrimSpace([]byte(text)); len(trimmed) > 0 && trimmed[0] == '{' && json.Valid(trimmed) {
		return trimmed
	}
	return json.RawMessage("{}")
}

// number is the text of a number field as a JSON number: the same digits where JSON can write them.
func number(text string) any {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil
	}
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	return f
}
