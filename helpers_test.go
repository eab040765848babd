package paraph_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	. "github.com/paraph-sign/paraph"
)

var (
	start  = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	sender = Actor{Kind: ByUser, UserID: 3, Name: "Sam Sender", Email: "sam@example.com", IP: "192.0.2.1", UserAgent: "Test/1"}
	signer = Actor{Kind: ByRecipient, Name: "Ada", Email: "ada@example.com", IP: "192.0.2.9", UserAgent: "Browser/1"}
)

func digest(c string) string { return strings.Repeat(c, 64) }

func at(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }

func box(document int64) []Area {
	return []Area{{DocumentID: document, X: .1, Y: .1, W: .2, H: .05}}
}

// must unwraps what a rule answers when it has to work.
func must(t testing.TB, e Envelope, events []Event, err error) Envelope {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
	return e
}

// result is what a rule without events answers.
type result struct {
	e   Envelope
	err error
}

func of(e Envelope, err error) result { return result{e, err} }

func plain(t testing.TB, r result) Envelope {
	t.Helper()
	return must(t, r.e, nil, r.err)
}

// empty is a draft with one document of two pages, id 7, and nobody in it.
func empty(t testing.TB) Envelope {
	t.Helper()
	e, events, err := New(1, 3, "Lease", FromWeb, sender, start)
	e = must(t, e, events, err)
	e.ID = 5
	return plain(t, of(e.AddDocument(Document{ID: 7, Name: "lease", Original: digest("a"), Pages: []Page{{595, 842}, {595, 842}}}, start)))
}

// draft has Ada (1, signer; fields 11 signature, 12 optional text), Bob (2,
// approver; 21 required checkbox) and Cy (3, cc).
func draft(t testing.TB, sequential bool) Envelope {
	t.Helper()
	e := empty(t)
	e = plain(t, of(e.SetDetails(Details{Name: "Lease", Sequential: sequential, ExpireAt: at(10000)}, start)))
	e = plain(t, of(e.SetRecipients([]Recipient{
		{ID: 1, Kind: Signer, Name: "Ada", Email: "ada@example.com", SendEmail: true, Order: 1},
		{ID: 2, Kind: Approver, Name: "Bob", Email: "bob@example.com", SendEmail: true, Order: 2},
		{ID: 3, Kind: CC, Email: "cy@example.com", Order: 1},
	}, start)))
	e = plain(t, of(e.SetFields([]Field{
		{RecipientID: 1, Type: SignatureField, Required: true, Areas: box(7)},
		{RecipientID: 1, Type: TextField, Name: "Note", Areas: box(7)},
		{RecipientID: 2, Type: CheckboxField, Required: true, Areas: box(7)},
	}, start)))
	for i, id := range []int64{11, 12, 21} { // as the store would
		e.Fields[i].ID = id
	}
	return e
}

func pending(t testing.TB, sequential bool) Envelope {
	t.Helper()
	e, events, err := draft(t, sequential).Send(sender, at(1))
	return must(t, e, events, err)
}

func signed(t testing.TB, e Envelope) Envelope {
	t.Helper()
	e, evs, err := e.Enter(1, 11, Value{Image: digest("b"), Method: "draw"}, signer, at(2))
	e = must(t, e, evs, err)
	e, evs, err = e.Finish(1, "I agree.", signer, at(3))
	return must(t, e, evs, err)
}

func completed(t testing.TB) Envelope {
	t.Helper()
	e, evs, err := signed(t, pending(t, true)).Enter(2, 21, Value{Text: "true"}, signer, at(4))
	e = must(t, e, evs, err)
	e, evs, err = e.Finish(2, "I agree.", signer, at(5))
	return must(t, e, evs, err)
}

func types(events []Event) string {
	var s []string
	for _, ev := range events {
		s = append(s, string(ev.Type))
	}
	return strings.Join(s, " ")
}

// refused checks kind and field of an error, and that it is a sentence.
func refused(t testing.TB, err error, kind Kind, field string) {
	t.Helper()
	var pe *Error
	if !errors.As(err, &pe) {
		t.Fatalf("error is %v, want one of kind %s", err, kind)
	}
	if pe.Kind != kind || pe.Field != field {
		t.Errorf("error is %s at %q (%s), want %s at %q", pe.Kind, pe.Field, pe.Message, kind, field)
	}
	if kind != Internal && !strings.HasSuffix(pe.Message, ".") {
		t.Errorf("message %q is not a sentence", pe.Message)
	}
}
