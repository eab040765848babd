package paraph_test

import (
	"strings"
	"testing"

	. "github.com/paraph-sign/paraph"
)

func TestSentences(t *testing.T) {
	t.Parallel()
	e := pending(t, true)
	by := Actor{Kind: ByRecipient, Name: "Ada"}
	tests := []struct {
		ev   Event
		want string
	}{
		{Event{Type: EnvelopeCreated, Actor: sender}, "Sam Sender created the envelope"},
		{Event{Type: RecipientInvited, RecipientID: 1}, "Ada was invited"},
		{Event{Type: RecipientReminded, RecipientID: 2, Actor: sender}, "Sam Sender reminded Bob"},
		{Event{Type: RecipientFinished, RecipientID: 1, Actor: by}, "Ada signed"},
		{Event{Type: RecipientFinished, RecipientID: 2, Actor: by}, "Bob approved"},
		{Event{Type: RecipientFinished, RecipientID: 2, Actor: Actor{Kind: ByAPI, Name: "Sam"}}, "Sam completed the part of Bob by the API"},
		{Event{Type: MailFailed, Data: map[string]string{"to": "a@b.c", "mail": "completed_copy"}}, "Mail to a@b.c could not be delivered: completed copy"},
		{Event{Type: "new.thing"}, "new.thing"},
	}
	for _, tt := range tests {
		if got := tt.ev.Sentence(&e); got != tt.want {
			t.Errorf("%s reads %q, want %q", tt.ev.Type, got, tt.want)
		}
	}
	for _, typ := range []EventType{
		EnvelopeCreated, EnvelopeSent, RecipientInvited, RecipientReminded, RecipientChanged, RecipientViewed, RecipientStarted,
		RecipientFinished, RecipientRefused, RecipientCertified, EnvelopeCompleted, EnvelopeSealed, EnvelopeTimestamped, TimestampFailed, EnvelopeCancelled, EnvelopeExpired, EnvelopeArchived,
		EnvelopeUnarchived, EnvelopeDeleted, MailSent, MailFailed,
	} {
		ev := Event{Type: typ, RecipientID: 1, Actor: sender, Data: map[string]string{"to": "a@b.c", "mail": "invitation"}}
		if s := ev.Sentence(&e); s == string(typ) || s == "" || strings.HasPrefix(s, " ") || strings.Contains(s, "  ") {
			t.Errorf("%s reads %q", typ, s)
		}
	}
	for _, k := range RecipientKinds() {
		if w := k.Word(); w == "" || strings.ToUpper(w[:1]) != w[:1] {
			t.Errorf("%s is called %q", k, w)
		}
	}
	if len(DeliveryStates()) != 4 || (Document{Original: "o"}).Current() != "o" {
		t.Error("a list or a look-up is wrong")
	}
	e = empty(t)
	rs := make([]Recipient, 12)
	for i := range rs {
		rs[i].Kind = Viewer
	}
	e = plain(t, of(e.SetRecipients(rs, at(1))))
	if e.Recipients[9].Role != "Tenth Party" || e.Recipients[11].Role != "Party 12" {
		t.Errorf("roles are %q and %q", e.Recipients[9].Role, e.Recipients[11].Role)
	}
}
