package web

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/mail"
)

func TestMailError(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{
		"send mail mail-3-x by 127.0.0.1: dial tcp 127.0.0.1:9: connect: connection refused": "the mail server can’t be reached",
		"send mail mail-3-x by mx.example: 550 5.1.1 mailbox unavailable.":                   "the mail server said: 550 5.1.1 mailbox unavailable",
		"550 no": "the mail server said: 550 no",
	} {
		if got := mailError(said); got != want {
			t.Errorf("%q is told as %q, want %q", said, got, want)
		}
	}
}

// Every type of event has words of its own.
func TestEveryEventHasWords(t *testing.T) {
	t.Parallel()
	e := &paraph.Envelope{Recipients: []paraph.Recipient{{ID: 1, Name: "Bob", Kind: paraph.Signer}}}
	seen := map[string]paraph.EventType{}
	for _, k := range []paraph.EventType{
		paraph.EnvelopeCreated, paraph.EnvelopeSent, paraph.RecipientInvited, paraph.RecipientReminded, paraph.RecipientChanged, paraph.RecipientViewed,
		paraph.RecipientStarted, paraph.RecipientFinished, paraph.RecipientRefused, paraph.RecipientCertified, paraph.EnvelopeCompleted, paraph.EnvelopeSealed, paraph.EnvelopeTimestamped, paraph.TimestampFailed, paraph.EnvelopeCancelled,
		paraph.EnvelopeExpired, paraph.EnvelopeArchived, paraph.EnvelopeUnarchived, paraph.EnvelopeDeleted, paraph.MailSent, paraph.MailFailed,
	} {
		m := moment(e, paraph.Event{Type: k, RecipientID: 1, Actor: paraph.Actor{Kind: paraph.ByUser, Name: "Ada"}, Data: map[string]string{"mail": "invitation", "to": "bob@example.com"}})
		if m.Title == "" || strings.Contains(m.Title, string(k)) || m.Icon == "dot" {
			t.Errorf("%s is told as %q", k, m.Title)
		}
		if other, twice := seen[m.Title]; twice {
			t.Errorf("%s and %s are both told as %q", k, other, m.Title)
		}
		seen[m.Title] = k
	}
}

// deadMailer is a mail server that is not there.
type deadMailer struct{}

func (deadMailer) Send(context.Context, mail.Message) error {
	return errors.New("send mail x by mx.example: dial tcp 192.0.2.1:25: connect: connection refused")
}

// A mail that could not be sent is told on the envelope's page, while it is
// tried and after it was given up.
func TestMailTroubles(t *testing.T) {
	t.Parallel()
	s := newSceneWith(t, desktest.Options{Mailer: deadMailer{}})
	ada := s.signedIn(t, s.owner)
	s.RunDue(t)
	ada.get(envelopePath(s.sent.ID)).says("The invitation to Bob Brown could not be sent yet", "the mail server can’t be reached")
	for range 60 {
		s.Clock.Advance(time.Hour)
		s.RunDue(t)
	}
	ada.get(envelopePath(s.sent.ID)).says("The invitation to bob@secret.example could not be sent", "given up")
}
