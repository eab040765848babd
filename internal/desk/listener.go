package desk

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// How listeners are looked after.
const (
	lookForHeard   = time.Second // how often a waiting question looks for what other nodes committed
	checkListeners = 250         // events kept by this node between looks whether a listener is full
	maxHeardAtOnce = 100         // that one question is answered
	heardBatch     = 500         // that are removed in one transaction
)

// Listen adds a listener to an account.
func (d *Desk) Listen(ctx context.Context, who Who, l paraph.Listener) (paraph.Listener, error) {
	var err error
	if l.URL != "" {
		if _, err := webhook.CheckURL(l.URL); err != nil {
			return l, at("url", err)
		}
	}
	if l.Events, err = webhook.CheckEvents(l.Events); err != nil {
		return l, err
	}
	err = d.Store.Update(ctx, func(tx *store.Tx) error {
		alive, err := tx.Listeners(ctx, who.AccountID, tx.Now().Add(-paraph.ListenerLife))
		if err != nil {
			return err
		}
		if len(alive) >= paraph.MaxListeners {
			return paraph.Errorf(paraph.TooMany, "%d programs listen to this space already; end one of them, or wait two minutes for one that has gone.", len(alive))
		}
		l.AccountID, l.CreatedAt, l.AskedAt = who.AccountID, tx.Now(), tx.Now()
		return tx.InsertListener(ctx, &l)
	})
	return l, err
}

// StopListening ends a listener.
func (d *Desk) StopListening(ctx context.Context, who Who, id int64) error {
	return d.Store.Claim(ctx, func(tx *store.Tx) error {
		if _, err := tx.Listener(ctx, who.AccountID, id); err != nil {
			return err
		}
		if err := tx.DeleteListener(ctx, id); err != nil {
			return err
		}
		tx.After(func() { d.ears.wake(id) })
		_, err := tx.PruneHeard(ctx, heardBatch)
		return err
	})
}

// Question is what a listener asks.
type Question struct {
	Received []int64 // events of earlier answers, which need not be told again
	Limit    int     // 0: none, the listener only says that it is there
	Wait     time.Duration
}

// Hearing is what a listener is answered.
type Hearing struct {
	Events []paraph.Heard
	// FullSince is not zero when events passed the listener by since then,
	// because too many waited. It is told once, after all that waited.
	FullSince time.Time
}

// Hear answers what waits for a listener, and waits for it when there is
// nothing. What is not named as received in a later question is answered
// again, so that an answer that was lost costs nothing; and because nothing
// depends on the order of ids, neither does the order in which transactions
// commit.
func (d *Desk) Hear(ctx context.Context, who Who, id int64, q Question) (h Hearing, err error) {
	if len(q.Received) > paraph.MaxHeard {
		return h, paraph.FieldErrorf("received", "At most %d events can be named at once.", paraph.MaxHeard)
	}
	l, err := d.asked(ctx, who, id, q.Received)
	if err != nil || q.Limit <= 0 {
		return h, err
	}
	q.Limit = min(q.Limit, maxHeardAtOnce)
	ear := d.ears.open(id)
	defer d.ears.close(id, ear)
	over := time.NewTimer(min(q.Wait, paraph.MaxListenWait))
	defer over.Stop()
	look := time.NewTicker(lookForHeard)
	defer look.Stop()
	for {
		if h.Events, err = d.Store.Heard(ctx, id, q.Limit); err != nil || len(h.Events) > 0 {
			return h, err
		}
		if !l.FullAt.IsZero() {
			h.FullSince = l.FullAt
			return h, d.emptied(ctx, l)
		}
		if q.Wait <= 0 {
			return h, nil
		}
		select {
		case <-over.C:
			return h, nil
		case <-d.ears.ending:
			return h, nil
		case <-ctx.Done():
			return h, ctx.Err()
		case _, newest := <-ear:
			if !newest {
				return h, nil
			}
		case <-look.C:
		}
		if l, err = d.Store.Listener(ctx, who.AccountID, id); err != nil {
			return h, err
		}
	}
}

// asked notes that a listener asked and what it has received. A listener that
// was silent for too long may have missed something, so it is told that it is
// gone.
func (d *Desk) asked(ctx context.Context, who Who, id int64, received []int64) (l paraph.Listener, err error) {
	err = d.Store.Claim(ctx, func(tx *store.Tx) error {
		if l, err = tx.Listener(ctx, who.AccountID, id); err != nil {
			return err
		}
		if !l.Alive(tx.Now()) {
			return paraph.Errorf(paraph.NotFound, "This listener is not here any more: it did not ask for %d minutes.", int(paraph.ListenerLife.Minutes()))
		}
		if tx.Now().Sub(l.AskedAt) >= paraph.ListenerTouch {
			l.AskedAt = tx.Now()
			if err := tx.SaveListener(ctx, l); err != nil {
				return err
			}
		}
		return tx.Received(ctx, id, received)
	})
	return l, err
}

// emptied lets a listener that was full hear again.
func (d *Desk) emptied(ctx context.Context, l paraph.Listener) error {
	return d.Store.Claim(ctx, func(tx *store.Tx) error {
		l.AskedAt, l.FullAt = tx.Now(), time.Time{}
		return tx.SaveListener(ctx, l)
	})
}

// hearing are the listeners of an account for which events are kept.
func (d *Desk) hearing(ctx context.Context, tx *store.Tx, accountID int64) ([]paraph.Endpoint, error) {
	ls, err := tx.Listeners(ctx, accountID, tx.Now().Add(-paraph.ListenerLife-paraph.ListenerMargin))
	if err != nil {
		return nil, err
	}
	var out []paraph.Endpoint
	for _, l := range ls {
		if l.FullAt.IsZero() {
			out = append(out, l.Endpoint())
		}
	}
	return out, nil
}

// queueHeard keeps what was rendered for listeners, whose ids stand in the
// place of an endpoint's, and wakes those that wait after the commit.
func (d *Desk) queueHeard(ctx context.Context, tx *store.Tx, ds []paraph.Delivery) error {
	if len(ds) == 0 {
		return nil
	}
	hs := make([]paraph.Heard, len(ds))
	for i, x := range ds {
		hs[i] = paraph.Heard{
			ListenerID: x.EndpointID, EventID: x.EventID, EventName: x.EventName, MessageID: x.MessageID, Body: x.Body, Test: x.Test, At: x.CreatedAt,
		}
		tx.After(func() { d.ears.wake(x.EndpointID) })
	}
	if err := tx.InsertHeard(ctx, hs); err != nil {
		return err
	}
	n, many := d.ears.kept.Add(int64(len(hs))), int64(len(hs))
	if n/checkListeners == (n-many)/checkListeners {
		return nil
	}
	return d.queue(ctx, tx, store.Job{Kind: jobListeners, DueAt: tx.Now()})
}

// TestListeners sends a test of an event to the listeners of an account that
// ask for it. It tells how many listen at all, and how many were told.
func (d *Desk) TestListeners(ctx context.Context, who Who, name string) (listening, told int, err error) {
	n, ok := webhook.Lookup(name)
	if !ok {
		return 0, 0, paraph.FieldErrorf("event", "There is no event “%s”.", paraph.Shorten(name, 60))
	}
	err = d.Store.Update(ctx, func(tx *store.Tx) error {
		ls, err := d.hearing(ctx, tx, who.AccountID)
		if err != nil {
			return err
		}
		listening = len(ls)
		ls = slices.DeleteFunc(ls, func(l paraph.Endpoint) bool { return !webhook.Match(l.Events, n.Name) })
		if told = len(ls); told == 0 {
			return nil
		}
		s, err := d.sample(ctx, tx, who, n)
		if err != nil {
			return err
		}
		var ds []paraph.Delivery
		for _, l := range ls {
			body, err := webhook.Render(n.Name, s, l)
			if err != nil {
				return fmt.Errorf("render a test of %s: %w", n.Name, err)
			}
			x := newDelivery(l, n.Name, body, paraph.Event{At: tx.Now()})
			x.Test = true
			ds = append(ds, x)
		}
		return d.queueHeard(ctx, tx, ds)
	})
	return listening, told, err
}

// tendListeners removes those that did not ask, marks those that are full, and
// removes what waits for nobody.
func (d *Desk) tendListeners(ctx context.Context, _ store.Job) error {
	for more := true; more; {
		err := d.Store.Claim(ctx, func(tx *store.Tx) error { // not to collide with transactions of events
			if err := tx.PruneListeners(ctx, tx.Now().Add(-paraph.ListenerLife-paraph.ListenerMargin)); err != nil {
				return err
			}
			if err := tx.FillListeners(ctx, paraph.MaxHeard); err != nil {
				return err
			}
			n, err := tx.PruneHeard(ctx, heardBatch)
			more = n == heardBatch
			return err
		})
		if err != nil {
			return fmt.Errorf("look after listeners: %w", err)
		}
	}
	return nil
}

// Waiting tells how many questions of listeners wait at this node.
func (d *Desk) Waiting() int {
	d.ears.mu.Lock()
	defer d.ears.mu.Unlock()
	return len(d.ears.waiting)
}

// EndWaits answers all questions of listeners that wait, and lets none wait
// from now on: for the end of the server.
func (d *Desk) EndWaits() { d.ears.end() }

// ears are the questions of listeners that wait at this node, one for each
// listener: a newer question ends an older one.
type ears struct {
	kept   atomic.Int64 // events that this node kept for listeners
	ending chan struct{}
	once   sync.Once

	mu      sync.Mutex
	waiting map[int64]chan struct{}
}

func newEars() *ears { return &ears{ending: make(chan struct{}), waiting: map[int64]chan struct{}{}} }

// open is told of each wake of a listener from now on, and closed when a newer
// question takes its place.
func (e *ears) open(id int64) chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	if was, ok := e.waiting[id]; ok {
		close(was)
	}
	ear := make(chan struct{}, 1)
	e.waiting[id] = ear
	return ear
}

func (e *ears) close(id int64, ear chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.waiting[id] == ear {
		delete(e.waiting, id)
	}
}

func (e *ears) wake(id int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if ear, ok := e.waiting[id]; ok {
		select {
		case ear <- struct{}{}:
		default:
		}
	}
}

func (e *ears) end() { e.once.Do(func() { close(e.ending) }) }
