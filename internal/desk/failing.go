package desk

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/mail"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/webhook"
)

const (
	// sightAge is how long we take an endpoint to be as we last saw it. So a
	// busy endpoint costs a look at its row a second and not one a delivery.
	sightAge  = time.Second
	maxSights = 20_000

	// Owners hear at most this often of given up deliveries of an endpoint that
	// takes others.
	exhaustedEvery = 24 * time.Hour

	failingBatch = 200
)

// sights remember of endpoints whether they failed when we last wrote it down.
type sights struct {
	mu   sync.Mutex
	last map[int64]sight
}

type sight struct {
	at      time.Time
	failing bool
}

func (s *sights) fresh(id int64, failing bool, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := s.last[id]
	return ok && x.failing == failing && !now.Before(x.at) && now.Before(x.at.Add(sightAge))
}

func (s *sights) note(ids []int64, failing bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil || len(s.last)+len(ids) > maxSights {
		s.last = map[int64]sight{}
	}
	for _, id := range ids {
		s.last[id] = sight{now, failing}
	}
}

// outcome is what a batch of results says of one endpoint.
type outcome struct {
	ok     bool
	failed *webhook.Result // the last that failed
	gaveUp *webhook.Result // one whose schedule is used up
}

// outcomesOf folds results by endpoint. Tests, failures of our own, and
// endpoints that are switched off anyhow don't count.
func outcomesOf(results []webhook.Result) map[int64]outcome {
	var out map[int64]outcome
	for i := range results {
		r := &results[i]
		if r.Delivery.Test || r.Attempt.Number == 0 || r.Gone {
			continue
		}
		if out == nil {
			out = map[int64]outcome{}
		}
		o := out[r.Delivery.EndpointID]
		switch {
		case r.Attempt.Code == webhook.CodeOK:
			o.ok = true
		case r.Delivery.State == paraph.DeliveryFailed:
			o.failed, o.gaveUp = r, r
		default:
			o.failed = r
		}
		out[r.Delivery.EndpointID] = o
	}
	return out
}

// noteOutcomes writes down which endpoints fail and which have recovered, in
// the transaction of their results, and tells owners of what was given up. A
// success among failures counts as a recovery.
func (d *Desk) noteOutcomes(ctx context.Context, tx *store.Tx, results []webhook.Result) error {
	outcomes := outcomesOf(results)
	var well, ill []int64
	for _, id := range slices.Sorted(maps.Keys(outcomes)) { // rows are locked in one order on every node
		o := outcomes[id]
		if o.ok && !d.sights.fresh(id, false, tx.Now()) {
			well = append(well, id)
		}
		if !o.ok && !d.sights.fresh(id, true, tx.Now()) {
			ill = append(ill, id)
			f := paraph.Failing{Last: tx.Now(), Code: o.failed.Attempt.Code, Error: o.failed.Attempt.Error}
			if err := tx.NoteFailure(ctx, id, f); err != nil {
				return wrap(err, "note the failure of endpoint", id)
			}
		}
		if o.gaveUp != nil {
			if err := d.tellGivenUp(ctx, tx, o.gaveUp.Delivery); err != nil {
				return wrap(err, "tell of what endpoint gave up", id)
			}
		}
	}
	if err := tx.EndFailing(ctx, well...); err != nil {
		return fmt.Errorf("note the recovery of endpoints: %w", err)
	}
	now := tx.Now()
	tx.After(func() {
		d.sights.note(well, false, now)
		d.sights.note(ill, true, now)
	})
	return nil
}

func (d *Desk) tellGivenUp(ctx context.Context, tx *store.Tx, x paraph.Delivery) error {
	tell, err := tx.NoteExhausted(ctx, x.EndpointID, exhaustedEvery)
	if err != nil || !tell {
		return err
	}
	return d.tellAdmins(ctx, tx, x.AccountID, letter{Kind: mailGivenUp, About: x.EndpointID, DeliveryID: x.ID})
}

// tellAdmins queues a mail to everybody who can mend a space's webhooks.
func (d *Desk) tellAdmins(ctx context.Context, tx *store.Tx, accountID int64, l letter) error {
	members, err := tx.Members(ctx, accountID)
	if err != nil {
		return err
	}
	for _, m := range members {
		if m.Role != paraph.RoleAdmin {
			continue
		}
		l.UserID = m.ID
		if err := d.queueMail(ctx, tx, accountID, 0, l); err != nil {
			return err
		}
	}
	return nil
}

// tendFailing warns the owners of endpoints that have been failing for long,
// and switches off those whose time is over, also when nothing is sent.
func (d *Desk) tendFailing(ctx context.Context) error {
	for after := int64(0); ; {
		since := d.Store.Now().Add(-paraph.FailingLimit / paraph.FailingSteps)
		batch, err := d.Store.FailingEndpoints(ctx, since, after, failingBatch)
		if err != nil {
			return err
		}
		for _, e := range batch {
			if e.Failing.Step(d.Store.Now()) <= e.Failing.Warned {
				continue
			}
			if err := d.warn(ctx, e.ID); err != nil {
				return wrap(err, "warn of endpoint", e.ID)
			}
		}
		if len(batch) < failingBatch {
			return nil
		}
		after = batch[len(batch)-1].ID
	}
}

// warn does what an endpoint's failing asks for now. Two nodes that do it at
// once tell its owner once.
func (d *Desk) warn(ctx context.Context, id int64) error {
	return d.Store.Update(ctx, func(tx *store.Tx) error {
		e, err := tx.AnyEndpoint(ctx, id)
		if paraph.KindOf(err) == paraph.NotFound {
			return nil
		}
		if err != nil || !e.Enabled {
			return err
		}
		switch step := e.Failing.Step(tx.Now()); {
		case step == paraph.FailingSteps:
			why := fmt.Sprintf("Every attempt since %s failed. The last failure: %s", spell(e.Failing.Since), e.Failing.Error)
			return d.switchOff(ctx, tx, e, paraph.OffByFailing, why)
		case step > e.Failing.Warned:
			tell, err := tx.NoteWarning(ctx, id, step)
			if err != nil || !tell {
				return err
			}
			return d.tellAdmins(ctx, tx, e.AccountID, letter{Kind: mailFailing, About: id})
		}
		return nil
	})
}

// switchOff is the server's own switching off of an endpoint, and tells
// whoever can do something about it.
func (d *Desk) switchOff(ctx context.Context, tx *store.Tx, was paraph.Endpoint, by paraph.WhyOff, why string) error {
	e := was
	e.Enabled = false
	if err := switchEndpoint(ctx, tx, was, &e, by, why); err != nil {
		return err
	}
	if err := tx.UpdateEndpoint(ctx, e); err != nil {
		return err
	}
	tx.After(func() { d.lanes(e.ID) })
	return d.tellAdmins(ctx, tx, e.AccountID, letter{Kind: mailDisabled, About: e.ID})
}

func spell(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// Missed is what an endpoint did not get while it was off.
type Missed struct {
	Since time.Time
	N     int // deliveries that failed or were skipped since
}

// EnableEndpoint switches an endpoint on, and tells what it missed, which can
// be replayed. One that is on missed nothing.
func (d *Desk) EnableEndpoint(ctx context.Context, who Who, id int64) (e paraph.Endpoint, m Missed, err error) {
	e, err = d.UpdateEndpoint(ctx, who, id, func(e *paraph.Endpoint) {
		m.Since = time.Time{} // it may run again
		if !e.Enabled {
			m.Since = e.MissedSince()
		}
		e.Enabled = true
	})
	if err != nil || m.Since.IsZero() {
		return e, Missed{}, err
	}
	m.N, _, err = d.CountReplay(ctx, who, id, paraph.ReplayFilter{Since: m.Since})
	return e, m, err
}

// hookMail is the part of a mail about an endpoint that all of them have.
func (d *Desk) hookMail(ctx context.Context, j store.Job, l letter) (m mail.WebhookFailing, e paraph.Endpoint, err error) {
	u, err := d.Store.User(ctx, l.UserID)
	if err != nil {
		return m, e, err
	}
	if e, err = d.Store.Endpoint(ctx, j.AccountID, l.About); err != nil {
		return m, e, err
	}
	return mail.WebhookFailing{
		To: mail.Address{Name: u.Name, Email: u.Email}, Endpoint: e.URL, Since: e.Failing.Since, Last: e.Failing.Error,
		URL: fmt.Sprintf("%s/settings/webhooks/%d", d.Links.Base, e.ID),
	}, e, nil
}

func (d *Desk) writeDisabled(ctx context.Context, j store.Job, l letter) (mail.Message, error) {
	m, e, err := d.hookMail(ctx, j, l)
	if err != nil {
		return mail.Message{}, err
	}
	if e.Enabled {
		return mail.Message{}, errMoot
	}
	m.Disabled, m.Problem = true, e.DisabledWhy
	if e.DisabledBy == paraph.OffByFailing {
		m.Problem = "It was switched off because nothing was delivered for five days."
	} else {
		m.Since, m.Last = time.Time{}, ""
	}
	return mail.NewWebhookFailing(m), nil
}

func (d *Desk) writeFailing(ctx context.Context, j store.Job, l letter) (mail.Message, error) {
	m, e, err := d.hookMail(ctx, j, l)
	if err != nil {
		return mail.Message{}, err
	}
	if !e.Enabled || e.Failing.Since.IsZero() {
		return mail.Message{}, errMoot
	}
	m.Problem, m.OffAt = "Every attempt to deliver to it has failed for a while.", e.Failing.OffAt()
	return mail.NewWebhookFailing(m), nil
}

// writeGivenUp is not moot when the endpoint has recovered: what was given up
// stays so.
func (d *Desk) writeGivenUp(ctx context.Context, j store.Job, l letter) (mail.Message, error) {
	m, e, err := d.hookMail(ctx, j, l)
	if err != nil {
		return mail.Message{}, err
	}
	x, err := d.Store.Delivery(ctx, j.AccountID, l.DeliveryID)
	if err != nil {
		return mail.Message{}, err
	}
	if x.State != paraph.DeliveryFailed {
		return mail.Message{}, errMoot
	}
	m.GaveUp, m.OffAt = true, e.Failing.OffAt()
	m.Problem = fmt.Sprintf("A delivery of %s was given up after its last attempt.", x.EventName)
	if m.Last == "" {
		m.Last = x.LastError
	}
	m.URL = fmt.Sprintf("%s/deliveries/%d", m.URL, x.ID)
	return mail.NewWebhookFailing(m), nil
}
