package desk

import (
	"context"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// Queue is the desk as the webhook dispatcher knows it.
func (d *Desk) Queue() webhook.Queue { return queue{d} }

type queue struct{ d *Desk }

func (q queue) Now() time.Time { return q.d.Store.Now() }

func (q queue) Join(ctx context.Context, node string, lease time.Duration) error {
	return q.d.Store.Claim(ctx, func(tx *store.Tx) error { return tx.JoinNode(ctx, node, lease) })
}

func (q queue) Renew(ctx context.Context, node string, lease time.Duration) (alive bool, err error) {
	err = q.d.Store.Claim(ctx, func(tx *store.Tx) error {
		alive, err = tx.RenewNode(ctx, node, lease)
		return err
	})
	return alive, err
}

func (q queue) Leave(ctx context.Context, node string, frees []webhook.Free) error {
	return q.d.Store.Claim(ctx, func(tx *store.Tx) error { return tx.LeaveNode(ctx, node, freeLanes(frees)) })
}

// Bury writes only when there is somebody to bury.
func (q queue) Bury(ctx context.Context) (freed []int64, err error) {
	lapsed, err := q.d.Store.Lapsed(ctx)
	if err != nil || !lapsed {
		return nil, err
	}
	err = q.d.Store.Claim(ctx, func(tx *store.Tx) error {
		freed, err = tx.BuryNodes(ctx)
		return err
	})
	return freed, err
}

func (q queue) Lanes(ctx context.Context) ([]webhook.Lane, error) {
	lanes, err := q.d.Store.Lanes(ctx)
	return webhookLanes(lanes), err
}

func (q queue) Due(ctx context.Context, n int) ([]webhook.Lane, error) {
	lanes, err := q.d.Store.DueLanes(ctx, n)
	return webhookLanes(lanes), err
}

func webhookLanes(lanes []store.Lane) []webhook.Lane {
	out := make([]webhook.Lane, len(lanes))
	for i, l := range lanes {
		out[i] = webhook.Lane(l)
	}
	return out
}

func freeLanes(frees []webhook.Free) []store.FreeLane {
	out := make([]store.FreeLane, len(frees))
	for i, f := range frees {
		out[i] = store.FreeLane(f)
	}
	return out
}

func (q queue) Listen(ctx context.Context, f func([]int64)) { q.d.Store.Listen(ctx, f) }

// Settle writes what came of attempts and what lanes have to say, switches off
// endpoints that are gone, and grants what lanes want. Where there is nothing
// to write it waits for no writer.
func (q queue) Settle(ctx context.Context, b webhook.Batch) (out webhook.Settled, err error) {
	if len(b.Results)+len(b.Marks)+len(b.Frees) == 0 && !takes(b.Wants) {
		out.Grants, err = grant(ctx, q.d.Store.Reader, q.d.Store.Now(), b.Wants, nil)
		return out, err
	}
	update := q.d.Store.Settle
	for _, r := range b.Results {
		if r.Gone {
			update = q.d.Store.Update
		}
	}
	err = update(ctx, func(tx *store.Tx) error {
		out = webhook.Settled{}
		if err := q.save(ctx, tx, b.Results); err != nil {
			return err
		}
		for _, m := range b.Marks {
			if err := tx.SetBreaker(ctx, b.Node, m.EndpointID, m.Breaker, m.HeldUntil); err != nil {
				return wrap(err, "mark the breaker of endpoint", m.EndpointID)
			}
		}
		if out.Due, err = tx.FreeLanes(ctx, b.Node, freeLanes(b.Frees)); err != nil {
			return err
		}
		taken, err := take(ctx, tx, b)
		if err == nil {
			out.Grants, err = grant(ctx, tx.Reader, tx.Now(), b.Wants, taken)
		}
		return err
	})
	return out, err
}

func takes(wants []webhook.Want) bool {
	for _, w := range wants {
		if !w.Held {
			return true
		}
	}
	return false
}

func (q queue) save(ctx context.Context, tx *store.Tx, results []webhook.Result) error {
	rows := make([]store.Result, len(results))
	for i, r := range results {
		rows[i] = store.Result{Delivery: r.Delivery, Attempt: r.Attempt}
	}
	if err := tx.SaveResults(ctx, rows); err != nil {
		return err
	}
	if err := q.d.noteOutcomes(ctx, tx, results); err != nil {
		return err
	}
	gone := map[int64]bool{}
	for _, r := range results {
		if id := r.Delivery.EndpointID; r.Gone && !gone[id] {
			gone[id] = true
			if err := q.d.endpointGone(ctx, tx, id); err != nil {
				return wrap(err, "switch off endpoint", id)
			}
		}
	}
	return tx.AddToHours(ctx, rows)
}

// take takes the lanes that are wanted and not held.
func take(ctx context.Context, tx *store.Tx, b webhook.Batch) (map[int64]store.TakenLane, error) {
	var ids []int64
	for _, w := range b.Wants {
		if !w.Held {
			ids = append(ids, w.EndpointID)
		}
	}
	if len(ids) == 0 || b.Node == "" {
		return nil, nil
	}
	return tx.TakeLanes(ctx, b.Node, ids)
}

// grant reads what was wanted.
func grant(ctx context.Context, r store.Reader, now time.Time, wants []webhook.Want, taken map[int64]store.TakenLane) ([]webhook.Grant, error) {
	grants := make([]webhook.Grant, len(wants))
	var ids []int64
	for i, w := range wants {
		l, ok := taken[w.EndpointID]
		if grants[i].Held = ok || w.Held; grants[i].Held {
			ids = append(ids, w.EndpointID)
		}
		if ok {
			g := &grants[i]
			g.Breaker, g.HeldUntil, g.PacedUntil, g.Recent = l.Breaker, l.HeldUntil, l.PacedUntil, l.Recent
		}
	}
	if len(ids) == 0 {
		return grants, nil
	}
	endpoints, err := r.EndpointsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	var reads []reading
	for i, w := range wants {
		g := &grants[i]
		if g.Endpoint = endpoints[w.EndpointID]; !g.Held || !g.Endpoint.Enabled {
			continue
		}
		if g.Breaker == paraph.BreakerOpen || g.Breaker == paraph.BreakerHalfOpen {
			if webhook.Holds(g.HeldUntil, now) {
				continue
			}
			w.Probe, w.N = true, min(w.N, 1)
		}
		g.After = w.After
		reads = append(reads, reading{w, g})
	}
	return grants, read(ctx, r, now, reads)
}

// reading is a want of a lane that we hold, and what is read for it.
type reading struct {
	webhook.Want
	*webhook.Grant
}

// read reads what is due for many lanes at once, and when more will be. First
// attempts go before retries; a probe is what has been due for longest.
func read(ctx context.Context, r store.Reader, now time.Time, reads []reading) error {
	for _, x := range reads {
		if x.N == 0 || !x.Endpoint.Ordered {
			continue
		}
		ds, err := r.DueHead(ctx, x.Want.EndpointID, now)
		if err != nil {
			return wrap(err, "read what is due for endpoint", x.Want.EndpointID)
		}
		x.Deliveries = ds
	}
	for _, late := range []bool{false, true} {
		if err := readDue(ctx, r, now, late, reads); err != nil {
			return err
		}
	}
	var done []int64
	for _, x := range reads {
		if !x.Full {
			done = append(done, x.Want.EndpointID)
		}
	}
	next, err := r.LaneNexts(ctx, done, now)
	for _, x := range reads {
		x.Next = next[x.Want.EndpointID] // of one that is full there is none: it asks again
	}
	return err
}

// readDue reads first attempts, or retries where those left room.
func readDue(ctx context.Context, r store.Reader, now time.Time, late bool, reads []reading) error {
	var wants []store.DueWant
	var of []reading
	for _, x := range reads {
		n, after := x.N+x.Beyond-len(x.Deliveries), *x.Grant.After.Of(late)
		if x.Probe {
			n, after = 1, webhook.Cursor{}
		}
		if x.N == 0 || x.Endpoint.Ordered || n <= 0 {
			continue
		}
		wants = append(wants, store.DueWant{EndpointID: x.Want.EndpointID, Late: late, After: store.Cursor(after), N: n})
		of = append(of, x)
	}
	found, err := r.DueDeliveries(ctx, now, wants...)
	if err != nil {
		return err
	}
	for i, x := range of {
		x.add(late, found[i])
	}
	return nil
}

func (x reading) add(late bool, ds []paraph.Delivery) {
	switch n := len(ds); {
	case n == 0:
	case x.Probe:
		if len(x.Deliveries) == 0 || ds[0].NextAttemptAt.Before(x.Deliveries[0].NextAttemptAt) {
			x.Deliveries = ds
		}
	default:
		*x.Grant.After.Of(late) = webhook.Cursor{At: ds[n-1].NextAttemptAt, ID: ds[n-1].ID}
		x.Deliveries = append(x.Deliveries, ds...)
	}
	x.Full = !x.Probe && len(x.Deliveries) >= x.N+x.Beyond
}
