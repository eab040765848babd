package desk_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/mail"
	"github.com/paraph-sign/paraph/internal/seal"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// contract sends an envelope to Clara, then Ben, with a copy to Dora.
func contract(t *testing.T, w *desktest.World, p desktest.Person) paraph.Envelope {
	t.Helper()
	doc, err := w.Desk.Prepare(t.Context(), "lease.pdf", desktest.PDF(2))
	ok(t, err)
	area := []paraph.Area{{DocumentID: -1, Page: 1, X: 0.1, Y: 0.5, W: 0.4, H: 0.05}}
	e, err := w.Desk.CreateAndSend(t.Context(), p.Who, desk.Order{
		Name: "Lease", Source: paraph.FromAPI, Details: paraph.Details{Sequential: true, ExpireAt: w.Store.Now().Add(48 * time.Hour)},
		Documents: []desk.Prepared{doc},
		Recipients: []paraph.Recipient{
			{ID: -1, Kind: paraph.Signer, Name: "Clara", Email: "clara@example.com", Order: 1, SendEmail: true},
			{ID: -2, Kind: paraph.Signer, Name: "Ben", Email: "ben@example.com", Order: 2, SendEmail: true},
			{ID: -3, Kind: paraph.CC, Name: "Dora", Email: "dora@example.com", Order: 3, SendEmail: true},
		},
		Fields: []paraph.Field{
			{RecipientID: -1, Type: paraph.TextField, Name: "Town", Required: true, Areas: area},
			{RecipientID: -2, Type: paraph.TextField, Name: "Town", Required: true, Areas: area},
		},
	})
	ok(t, err)
	return e
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// signs enters the recipient's value and finishes.
func signs(t *testing.T, w *desktest.World, e paraph.Envelope, i int) paraph.Envelope {
	t.Helper()
	r, from := e.Recipients[i], paraph.Actor{IP: "203.0.113.7", UserAgent: "test"}
	_, err := w.Desk.Open(t.Context(), r.Token, from)
	ok(t, err)
	_, err = w.Desk.Enter(t.Context(), r.Token, e.FieldsOf(r.ID)[0].ID, desk.Input{Text: "Hamburg"}, from)
	ok(t, err)
	e, err = w.Desk.Finish(t.Context(), r.Token, from)
	ok(t, err)
	return e
}

// mails are the subjects of what went out since the last call, by address and
// sorted.
func mails(w *desktest.World, since *int64) []string {
	var out []string
	newest := *since
	for _, m := range w.Mail.List() {
		if m.ID > *since {
			out = append(out, m.To.Email+": "+m.Subject)
			newest = max(newest, m.ID)
		}
	}
	*since = newest
	slices.Sort(out)
	return out
}

func wantMails(t *testing.T, when string, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d mails and not %d: %q", when, len(got), len(want), got)
	}
	for i := range want {
		to, words, _ := strings.Cut(want[i], " ")
		if !strings.HasPrefix(got[i], to+": ") || !strings.Contains(got[i], words) {
			t.Errorf("%s: mail %d is %q and not %q", when, i, got[i], want[i])
		}
	}
}

// TestMailsFollow: who gets which mail, and when.
func TestMailsFollow(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		var seen int64
		p := w.Person(t, "Ann Admin")
		e := contract(t, w, p)
		w.RunDue(t)
		wantMails(t, "sent", mails(w, &seen), "clara@example.com asks you to sign")
		_, err := w.Desk.Remind(t.Context(), p.Who, e.ID, e.Recipients[0].ID)
		ok(t, err)
		w.RunDue(t)
		wantMails(t, "reminded", mails(w, &seen), "clara@example.com Reminder")
		e = signs(t, w, e, 0)
		w.RunDue(t)
		wantMails(t, "first signed", mails(w, &seen), "ben@example.com asks you to sign")
		signs(t, w, e, 1)
		w.RunDue(t)
		wantMails(t, "all signed", mails(w, &seen),
			"ben@example.com Completed", "clara@example.com Completed", "dora@example.com Completed", p.User.Email+" Completed")
		for _, m := range w.Mail.List()[:4] {
			if len(m.Attachments) != 1 || m.Attachments[0].Name != "lease (signed).pdf" {
				t.Fatalf("the mail to %s carries %d files", m.To.Email, len(m.Attachments))
			}
			report, err := seal.Verify(m.Attachments[0].Data, seal.VerifyOptions{Roots: w.Desk.Identity.Roots()})
			if err != nil || !report.Valid || !report.Signatures[0].Trusted {
				t.Errorf("the file that was mailed is not the sealed one: %v %s", err, report.Reason)
			}
		}
	})
}

func TestMailsOfOtherEnds(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		var seen int64
		p := w.Person(t, "Ann Admin")
		e := signs(t, w, contract(t, w, p), 0)
		w.RunDue(t)
		mails(w, &seen)
		_, err := w.Desk.Decline(t.Context(), e.Recipients[1].Token, "Too dear", paraph.Actor{})
		ok(t, err)
		w.RunDue(t)
		wantMails(t, "declined", mails(w, &seen), "clara@example.com declined", p.User.Email+" declined")

		e = contract(t, w, p)
		w.RunDue(t)
		mails(w, &seen)
		_, err = w.Desk.Cancel(t.Context(), p.Who, e.ID, "")
		ok(t, err)
		w.RunDue(t)
		wantMails(t, "cancelled", mails(w, &seen), "clara@example.com cancelled")

		e = contract(t, w, p)
		_, err = w.Desk.Cancel(t.Context(), p.Who, e.ID, "")
		ok(t, err)
		w.RunDue(t) // the invitation that still waited has nothing to say any more
		wantMails(t, "cancelled at once", mails(w, &seen), "clara@example.com cancelled")
	})
}

func TestExpiryComesByItself(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		p := w.Person(t, "Ann Admin")
		e := contract(t, w, p)
		w.Clock.Advance(48*time.Hour - time.Second)
		w.RunDue(t)
		if got, err := w.Store.Envelope(t.Context(), p.Who.AccountID, e.ID); err != nil || got.Status != paraph.Pending {
			t.Fatalf("a second before its time it is %s, %v", got.Status, err)
		}
		w.Clock.Advance(time.Second)
		w.RunDue(t)
		if got, err := w.Store.Envelope(t.Context(), p.Who.AccountID, e.ID); err != nil || got.Status != paraph.Expired {
			t.Errorf("when its time is over it is %s, %v", got.Status, err)
		}
	})
}

// deadMailer is an SMTP server that is away.
type deadMailer struct{}

func (deadMailer) Send(context.Context, mail.Message) error { return errors.New("connection refused") }

// TestDeadMailServer holds up nothing, and shows on the timeline after a day.
func TestDeadMailServer(t *testing.T) {
	t.Parallel()
	desktest.EachWith(t, desktest.Options{Mailer: deadMailer{}}, func(t *testing.T, w *desktest.World) {
		p := w.Person(t, "Ann Admin")
		e := contract(t, w, p)
		w.RunDue(t)
		e = signs(t, w, signs(t, w, e, 0), 1)
		w.RunDue(t)
		got, err := w.Store.Envelope(t.Context(), p.Who.AccountID, e.ID)
		if err != nil || got.SealedAt.IsZero() {
			t.Fatalf("it was not sealed: %v", err)
		}
		for range 40 { // tries that come late count as tries
			w.Clock.Advance(time.Hour)
			w.RunDue(t)
		}
		failed := map[string]bool{}
		for _, ev := range trail(t, w, p, e.ID) {
			if ev.Type == paraph.MailFailed {
				failed[ev.Data["to"]] = true
			}
		}
		// The invitations had nothing to say any more before their day was over.
		if !failed["clara@example.com"] || !failed["ben@example.com"] || !failed["dora@example.com"] || !failed[p.User.Email] {
			t.Errorf("mails that failed on the timeline: %v", failed)
		}
	})
}

func trail(t *testing.T, w *desktest.World, p desktest.Person, id int64) []paraph.Event {
	t.Helper()
	events, err := w.Store.Events(t.Context(), p.Who.AccountID, id)
	ok(t, err)
	ok(t, paraph.VerifyTrail(events))
	return events
}

func count(events []paraph.Event, kind paraph.EventType) int {
	n := 0
	for _, ev := range events {
		if ev.Type == kind {
			n++
		}
	}
	return n
}

// TestSealingSurvivesEveryCrash plays the crash after each step of sealing, as
// sealEnvelope writes them down. Each time it ends sealed, once.
func TestSealingSurvivesEveryCrash(t *testing.T) {
	t.Parallel()
	crashes := map[string]func(t *testing.T, w *desktest.World, e paraph.Envelope){
		"before anything: the node died with its claim": func(t *testing.T, w *desktest.World, _ paraph.Envelope) {
			jobs := claimSeal(t, w)
			if len(jobs) != 1 {
				t.Fatalf("%d jobs wait to seal", len(jobs))
			}
			w.RunDue(t)
			w.Clock.Advance(time.Minute)
		},
		"after the bytes were stored, before the commit": func(t *testing.T, w *desktest.World, e paraph.Envelope) {
			claimSeal(t, w)
			_, err := w.Blobs.Put(t.Context(), []byte("a sealed file that nothing refers to"))
			ok(t, err)
			w.Clock.Advance(time.Minute)
		},
		"after the commit, before the job was closed": func(t *testing.T, w *desktest.World, e paraph.Envelope) {
			w.RunDue(t)
			again := store.Job{Kind: "seal", AccountID: e.AccountID, EnvelopeID: e.ID, DueAt: w.Store.Now()}
			ok(t, w.Store.Update(t.Context(), func(tx *store.Tx) error { return tx.InsertJob(t.Context(), &again) }))
		},
		"the job itself was lost": func(t *testing.T, w *desktest.World, e paraph.Envelope) {
			jobs := claimSeal(t, w)
			ok(t, w.Store.Update(t.Context(), func(tx *store.Tx) error { return tx.FinishJob(t.Context(), jobs[0], "done", "") }))
			ok(t, w.Desk.PrepareSweep(t.Context()))
		},
	}
	for name, crash := range crashes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			desktest.Each(t, func(t *testing.T, w *desktest.World) {
				p := w.Person(t, "Ann Admin")
				e := contract(t, w, p)
				e = signs(t, w, signs(t, w, e, 0), 1)
				crash(t, w, e)
				w.RunDue(t)
				sealedOnce(t, w, p, e.ID)
			})
		})
	}
}

func claimSeal(t *testing.T, w *desktest.World) (jobs []store.Job) {
	t.Helper()
	ok(t, w.Store.Update(t.Context(), func(tx *store.Tx) (err error) {
		jobs, err = tx.ClaimJobs(t.Context(), "seal", "a node that dies", tx.Now().Add(30*time.Second), 10)
		return err
	}))
	return jobs
}

func sealedOnce(t *testing.T, w *desktest.World, p desktest.Person, id int64) {
	t.Helper()
	e, err := w.Store.Envelope(t.Context(), p.Who.AccountID, id)
	ok(t, err)
	if n := count(trail(t, w, p, id), paraph.EnvelopeSealed); n != 1 || e.SealedAt.IsZero() {
		t.Fatalf("it was sealed %d times", n)
	}
	for _, digest := range []string{e.Documents[0].Sealed, e.AuditLog} {
		pdf, err := w.Blobs.Get(t.Context(), digest)
		ok(t, err)
		if report, err := seal.Verify(pdf, seal.VerifyOptions{Roots: w.Desk.Identity.Roots()}); err != nil || !report.Valid {
			t.Errorf("what is stored does not verify: %v %s", err, report.Reason)
		}
	}
}

// TestSealingWhileTheEnvelopeChanges: the artefacts of an older version are
// not taken; they are made again.
func TestSealingWhileTheEnvelopeChanges(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		p := w.Person(t, "Ann Admin")
		e := signs(t, w, signs(t, w, contract(t, w, p), 0), 1)
		_, err := w.Desk.Archive(t.Context(), p.Who, e.ID, true)
		ok(t, err)
		w.RunDue(t)
		w.Clock.Advance(time.Minute)
		w.RunDue(t)
		sealedOnce(t, w, p, e.ID)
	})
}

// TestEveryEventIsTold: which webhooks follow from the main story, in order.
func TestEveryEventIsTold(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		p := w.Person(t, "Ann Admin")
		_, err := w.Desk.CreateEndpoint(t.Context(), p.Who, paraph.Endpoint{URL: "https://example.com/hook", Events: []string{"*"}, Enabled: true})
		ok(t, err)
		signs(t, w, signs(t, w, contract(t, w, p), 0), 1)
		w.RunDue(t)
		ds, err := w.Store.Deliveries(t.Context(), p.Who.AccountID, store.DeliveryFilter{Limit: 200})
		ok(t, err)
		var names []string
		for _, d := range slices.Backward(ds) {
			names = append(names, d.EventName)
		}
		want := "document.created submission.created document.sent " +
			"document.opened form.viewed form.started document.signed document.recipient.completed form.completed " +
			"document.opened form.viewed form.started document.signed document.recipient.completed " +
			"form.completed document.completed submission.completed"
		if got := strings.Join(names, " "); got != want {
			t.Errorf("told:\n%s\nwant:\n%s", got, want)
		}
	})
}

// TestTestsOfEveryEvent: each event can be tried out, with a body of its own.
func TestTestsOfEveryEvent(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		p := w.Person(t, "Ann Admin")
		e, err := w.Desk.CreateEndpoint(t.Context(), p.Who, paraph.Endpoint{URL: "https://example.com/hook", Events: []string{"form.viewed"}, Enabled: true})
		ok(t, err)
		for _, n := range webhook.Names() {
			name := n.Name
			d, err := w.Desk.SendTest(t.Context(), p.Who, e.ID, name)
			if err != nil || !d.Test || d.EventName != name || len(d.Body) < 100 {
				t.Errorf("%s: %v, test %v, %d bytes", name, err, d.Test, len(d.Body))
			}
		}
		if _, err := w.Desk.SendTest(t.Context(), p.Who, e.ID, "document.singed"); paraph.KindOf(err) != paraph.Invalid {
			t.Errorf("an unknown event: %v", err)
		}
	})
}
