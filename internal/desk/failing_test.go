package desk_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/dev/pgtest"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// patient is a webhook whose attempts end as the test says, over one or more
// nodes with a database in common.
type patient struct {
	t     *testing.T
	nodes []*desktest.World
	desktest.Person
	e    paraph.Endpoint
	seen []int64 // newest mail of each node
}

// eachPatient runs a test on every database, with so many nodes.
func eachPatient(t *testing.T, nodes int, f func(t *testing.T, p *patient)) {
	t.Helper()
	t.Parallel()
	run := func(name string, database func(t *testing.T) string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := desktest.Options{Database: database(t), Allow: loopback()}
			p := &patient{t: t, seen: make([]int64, nodes)}
			for range nodes {
				p.nodes = append(p.nodes, desktest.New(t, o))
			}
			p.Person = p.nodes[0].Person(t, "Ann Admin")
			var err error
			p.e, err = p.nodes[0].Desk.CreateEndpoint(t.Context(), p.Who, paraph.Endpoint{URL: "https://crm.example.com/hook", Events: []string{"submission.archived"}, Enabled: true})
			p.must(err)
			for _, w := range p.nodes {
				p.must(w.Desk.PrepareSweep(t.Context()))
			}
			f(t, p)
		})
	}
	run("sqlite", func(t *testing.T) string { return filepath.Join(t.TempDir(), "paraph.db") })
	run("postgres", func(t *testing.T) string { return pgtest.New(t) })
}

func (p *patient) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// attempt has a new delivery tried on a node, which ends with a code and in a
// state.
func (p *patient) attempt(node int, code string, state paraph.DeliveryState, edit ...func(*webhook.Result)) {
	p.t.Helper()
	w := p.nodes[node]
	ds := []paraph.Delivery{{
		AccountID: p.e.AccountID, EndpointID: p.e.ID, EventName: "form.viewed", MessageID: "msg_" + paraph.NewToken(8), Body: []byte("{}"),
		State: paraph.DeliveryPending, NextAttemptAt: w.Store.Now(), CreatedAt: w.Store.Now(),
	}}
	p.must(w.Store.Update(p.t.Context(), func(tx *store.Tx) error { return tx.InsertDeliveries(p.t.Context(), ds) }))
	r := webhook.Result{Delivery: ds[0], Attempt: paraph.Attempt{DeliveryID: ds[0].ID, Number: 1, At: w.Store.Now(), Code: code}}
	r.Delivery.State, r.Delivery.Attempts, r.Delivery.NextAttemptAt = state, 1, w.Store.Now().Add(time.Hour)
	if code != webhook.CodeOK {
		r.Attempt.Error, r.Delivery.LastError = "It went wrong: "+code+".", code
	}
	if state != paraph.DeliveryPending {
		r.Delivery.FinishedAt = w.Store.Now()
	}
	for _, f := range edit {
		f(&r)
	}
	_, err := w.Desk.Queue().Settle(p.t.Context(), webhook.Batch{Results: []webhook.Result{r}})
	p.must(err)
}

func (p *patient) fails(node int) { p.t.Helper(); p.attempt(node, "http_503", paraph.DeliveryPending) }

func (p *patient) succeeds(node int) {
	p.t.Helper()
	p.attempt(node, webhook.CodeOK, paraph.DeliverySucceeded)
}

// passes moves every node's clock and runs what is due on each.
func (p *patient) passes(d time.Duration) {
	p.t.Helper()
	for _, w := range p.nodes {
		w.Clock.Advance(d)
	}
	for _, w := range p.nodes {
		w.RunDue(p.t)
	}
}

// mailed are the subjects of the mails since the last call, and their texts.
func (p *patient) mailed() (subjects, texts []string) {
	for i, w := range p.nodes {
		newest := p.seen[i]
		for _, m := range w.Mail.List() {
			if m.ID > p.seen[i] {
				newest = max(newest, m.ID)
				subject, _, _ := strings.Cut(m.Subject, ":")
				subjects, texts = append(subjects, m.To.Email+" "+subject), append(texts, m.Text)
			}
		}
		p.seen[i] = newest
	}
	slices.Sort(subjects)
	return subjects, texts
}

func (p *patient) wantMail(when string, want ...string) (texts []string) {
	p.t.Helper()
	got, texts := p.mailed()
	for i := range want {
		want[i] = p.User.Email + " " + want[i]
	}
	if !slices.Equal(got, want) {
		p.t.Errorf("%s: mails are %q and not %q", when, got, want)
	}
	return texts
}

func (p *patient) now() paraph.Endpoint {
	p.t.Helper()
	e, err := p.nodes[0].Store.AnyEndpoint(p.t.Context(), p.e.ID)
	p.must(err)
	return e
}

const (
	subjectFailing = "A webhook is failing"
	subjectGivenUp = "A webhook’s delivery was given up"
	subjectOff     = "A webhook was switched off"
)

func TestAFailingWebhookIsWarnedOfAndSwitchedOff(t *testing.T) {
	eachPatient(t, 2, func(t *testing.T, p *patient) {
		start := p.nodes[0].Store.Now()
		p.fails(0)
		for hours := 0; hours < 120; hours += 6 {
			if hours == 30 || hours == 60 || hours == 90 {
				texts := p.wantMail(fmt.Sprint("after ", hours, " hours"), subjectFailing)
				for _, want := range []string{"crm.example.com/hook", "It went wrong: http_503.", "14 September 2026, 10:00 UTC", "19 September 2026, 10:00 UTC", "/settings/webhooks/"} {
					if len(texts) == 1 && !strings.Contains(texts[0], want) {
						t.Errorf("the mail after %d hours does not say %q:\n%s", hours, want, texts[0])
					}
				}
			} else {
				p.wantMail(fmt.Sprint("after ", hours, " hours"))
			}
			p.fails(hours / 6 % 2)
			p.passes(6 * time.Hour)
		}
		e := p.now()
		if e.Enabled || e.DisabledBy != paraph.OffByFailing || !strings.Contains(e.DisabledWhy, "It went wrong: http_503.") || !e.Failing.Since.Equal(start) {
			t.Errorf("after five days it is %+v", e)
		}
		texts := p.wantMail("after five days", subjectOff)
		if len(texts) == 1 && (!strings.Contains(texts[0], "five days") || !strings.Contains(texts[0], "http_503")) {
			t.Errorf("the mail is\n%s", texts[0])
		}
		waiting, err := p.nodes[0].Store.Deliveries(t.Context(), p.e.AccountID, store.DeliveryFilter{EndpointID: p.e.ID, State: paraph.DeliverySkipped, Limit: 200})
		p.must(err)
		equal(t, "skipped", len(waiting), 21)
		p.passes(48 * time.Hour)
		p.wantMail("when it is off")

		e, missed, err := p.nodes[1].Desk.EnableEndpoint(t.Context(), p.Who, p.e.ID)
		p.must(err)
		if !e.Enabled || e.DisabledBy != "" || e.DisabledWhy != "" || !e.Failing.Since.IsZero() || !missed.Since.Equal(start) || missed.N != 21 {
			t.Errorf("switched on it is %+v and missed %+v", e, missed)
		}
		equal(t, "failing", p.now().Failing, e.Failing)
		_, missed, err = p.nodes[1].Desk.EnableEndpoint(t.Context(), p.Who, p.e.ID)
		p.must(err)
		equal(t, "missed since the second switching on", missed.N, 0)
		p.fails(0)
		p.passes(29 * time.Hour)
		p.fails(0)
		p.passes(30 * time.Minute)
		p.wantMail("after it began anew")
		equal(t, "on", p.now().Enabled, true)
	})
}

func TestTimeAloneSwitchesOff(t *testing.T) {
	eachPatient(t, 1, func(t *testing.T, p *patient) {
		p.fails(0)
		p.passes(13 * time.Hour)
		p.fails(0) // and nothing is sent any more
		for range 18 {
			p.passes(6 * time.Hour)
		}
		p.wantMail("by time alone", subjectFailing, subjectFailing, subjectFailing, subjectOff)
		equal(t, "on", p.now().Enabled, false)
	})
}

func TestASingleFailureSwitchesNothingOff(t *testing.T) {
	eachPatient(t, 1, func(t *testing.T, p *patient) {
		p.fails(0)
		p.passes(11 * time.Hour)
		p.fails(0)
		for range 40 {
			p.passes(6 * time.Hour)
		}
		p.wantMail("failures within a few hours")
		equal(t, "on", p.now().Enabled, true)
	})
}

func TestASuccessEndsFailing(t *testing.T) {
	eachPatient(t, 2, func(t *testing.T, p *patient) {
		for range 3 {
			for range 5 {
				p.fails(0)
				p.passes(20 * time.Hour)
			}
			equal(t, "failing", p.now().Failing.Since.IsZero(), false)
			p.succeeds(1)
			if f := p.now().Failing; f != (paraph.Failing{}) {
				t.Errorf("after a success it is %+v", f)
			}
			p.passes(time.Hour)
		}
		equal(t, "on", p.now().Enabled, true)
		got, _ := p.mailed()
		equal(t, "mails", len(got), 9) // three each time
	})
}

func TestWhatDoesNotCountAsFailing(t *testing.T) {
	eachPatient(t, 1, func(t *testing.T, p *patient) {
		p.attempt(0, "http_503", paraph.DeliveryFailed, func(r *webhook.Result) { r.Delivery.Test = true })
		p.attempt(0, webhook.CodeShutdown, paraph.DeliveryPending, func(r *webhook.Result) { r.Attempt.Number = 0 })
		if f := p.now().Failing; f != (paraph.Failing{}) {
			t.Errorf("a test and a failure of our own made it %+v", f)
		}
		p.fails(0)
		p.passes(2 * time.Second)
		p.attempt(0, webhook.CodeOK, paraph.DeliverySucceeded, func(r *webhook.Result) { r.Delivery.Test = true })
		if f := p.now().Failing; f.Since.IsZero() {
			t.Error("a test that succeeded ended the failing")
		}
		p.passes(time.Minute)
		p.wantMail("tests")
	})
}

func TestWhatIsGivenUpIsToldOnce(t *testing.T) {
	eachPatient(t, 2, func(t *testing.T, p *patient) {
		p.attempt(0, "http_500", paraph.DeliveryFailed)
		p.attempt(1, "http_500", paraph.DeliveryFailed)
		p.passes(time.Second)
		texts := p.wantMail("two at once", subjectGivenUp)
		if len(texts) == 1 && (!strings.Contains(texts[0], "form.viewed") || !strings.Contains(texts[0], "/deliveries/") || !strings.Contains(texts[0], "http_500")) {
			t.Errorf("the mail is\n%s", texts[0])
		}
		p.passes(23 * time.Hour)
		p.succeeds(1)
		p.passes(time.Minute)
		p.attempt(1, "http_500", paraph.DeliveryFailed)
		p.passes(time.Minute)
		p.wantMail("once more on the same day, after a success")
		p.succeeds(1)
		p.passes(time.Hour)
		p.attempt(0, "http_500", paraph.DeliveryFailed)
		p.passes(time.Minute)
		p.wantMail("on the next day", subjectGivenUp)
	})
}

func TestPausedGoneAndFailingAreToldApart(t *testing.T) {
	eachPatient(t, 1, func(t *testing.T, p *patient) {
		d := p.nodes[0].Desk
		p.fails(0)
		p.must(func() error {
			_, err := d.UpdateEndpoint(t.Context(), p.Who, p.e.ID, func(e *paraph.Endpoint) { e.Enabled = false })
			return err
		}())
		e := p.now()
		if e.DisabledBy != paraph.OffByHand || e.DisabledWhy != "" {
			t.Errorf("paused by hand it is %+v", e)
		}
		for range 30 {
			p.passes(6 * time.Hour)
		}
		p.wantMail("while it is paused")
		p.archived() // what happens meanwhile is kept
		p.passes(time.Minute)
		_, missed, err := d.EnableEndpoint(t.Context(), p.Who, p.e.ID)
		p.must(err)
		equal(t, "missed while paused", missed.N, 2)
		equal(t, "failing since", p.now().Failing.Since, time.Time{})

		p.attempt(0, "http_410", paraph.DeliveryFailed, func(r *webhook.Result) { r.Gone = true })
		e = p.now()
		if e.Enabled || e.DisabledBy != paraph.OffByGone || !strings.Contains(e.DisabledWhy, "410") || !e.Failing.Since.IsZero() {
			t.Errorf("gone it is %+v", e)
		}
		p.passes(time.Minute)
		p.wantMail("gone", subjectOff)
	})
}

// archived is an event that the webhook asks for.
func (p *patient) archived() {
	p.t.Helper()
	s := &sender{World: p.nodes[0], Person: p.Person, t: p.t}
	s.archive()
}

func TestANewURLBeginsAnew(t *testing.T) {
	eachPatient(t, 1, func(t *testing.T, p *patient) {
		p.fails(0)
		e, err := p.nodes[0].Desk.UpdateEndpoint(t.Context(), p.Who, p.e.ID, func(e *paraph.Endpoint) { e.URL = "https://other.example.com/" })
		p.must(err)
		if !e.Failing.Since.IsZero() || !p.now().Failing.Since.IsZero() {
			t.Errorf("the new URL inherits %+v", p.now().Failing)
		}
	})
}
