package desk

import (
	"context"
	"fmt"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// Resend makes a delivery due now, its schedule beginning anew. The bytes and
// the id are the same as ever.
func (d *Desk) Resend(ctx context.Context, who Who, id int64) (out paraph.Delivery, err error) {
	err = d.Store.Update(ctx, func(tx *store.Tx) error {
		x, err := tx.Delivery(ctx, who.AccountID, id)
		if err != nil {
			return err
		}
		e, err := tx.Endpoint(ctx, who.AccountID, x.EndpointID)
		if err != nil {
			return err
		}
		if !e.Enabled {
			return paraph.Errorf(paraph.Conflict, "This webhook is switched off; switch it on first.")
		}
		if err := tx.Requeue(ctx, who.AccountID, id); err != nil {
			return err
		}
		tx.After(func() { d.lanes(x.EndpointID) })
		out, err = tx.Delivery(ctx, who.AccountID, id)
		return err
	})
	return out, err
}

// SendTest queues a test of an event for one endpoint only. It is signed,
// sent and logged like a real one, and marked.
func (d *Desk) SendTest(ctx context.Context, who Who, endpointID int64, name string) (out paraph.Delivery, err error) {
	n, ok := webhook.Lookup(name)
	if !ok {
		return out, paraph.FieldErrorf("event", "There is no event “%s”.", paraph.Shorten(name, 60))
	}
	err = d.Store.Update(ctx, func(tx *store.Tx) error {
		e, err := tx.Endpoint(ctx, who.AccountID, endpointID)
		if err != nil {
			return err
		}
		if !e.Enabled {
			return paraph.Errorf(paraph.Conflict, "This webhook is switched off; switch it on first.")
		}
		s, err := d.sample(ctx, tx, who, n)
		if err != nil {
			return err
		}
		body, err := webhook.Render(n.Name, s, e)
		if err != nil {
			return fmt.Errorf("render a test of %s: %w", n.Name, err)
		}
		out = newDelivery(e, n.Name, body, paraph.Event{At: tx.Now()})
		out.Test = true
		ds := []paraph.Delivery{out}
		err = d.queueDeliveries(ctx, tx, ds)
		out = ds[0]
		return err
	})
	return out, err
}

// Queue is the desk as the webhook dispatcher knows it.
func (d *Desk) Queue() webhook.Queue { return queue{d} }

type queue struct{ d *Desk }

func (q queue) Now() time.Time { return q.d.Store.Now() }

func (q queue) Lanes(ctx context.Context) ([]webhook.Lane, error) {
	lanes, err := q.d.Store.Lanes(ctx)
	out := make([]webhook.Lane, len(lanes))
	for i, l := range lanes {
		out[i] = webhook.Lane(l)
	}
	return out, err
}

func (q queue) Next(ctx context.Context, endpointID int64) (time.Time, error) {
	return q.d.Store.LaneNext(ctx, endpointID)
}

func (q queue) Claim(ctx context.Context, endpointID int64, claimID string, lease time.Duration, n int) (e paraph.Endpoint, ds []paraph.Delivery, err error) {
	if e, err = q.d.Store.AnyEndpoint(ctx, endpointID); err != nil {
		return e, nil, err
	}
	if !e.Enabled || n == 0 {
		return e, nil, nil
	}
	err = q.d.Store.Claim(ctx, func(tx *store.Tx) error {
		if e.Ordered {
			ds, err = tx.ClaimHead(ctx, endpointID, claimID, tx.Now().Add(lease))
			return err
		}
		ds, err = tx.ClaimDeliveries(ctx, endpointID, claimID, tx.Now().Add(lease), n)
		return err
	})
	return e, ds, err
}

func (q queue) Extend(ctx context.Context, claimID string, ids []int64, lease time.Duration) error {
	return q.d.Store.Claim(ctx, func(tx *store.Tx) error { return tx.ExtendClaims(ctx, claimID, ids, tx.Now().Add(lease)) })
}

func (q queue) Release(ctx context.Context, claimID string, ids []int64) error {
	return q.d.Store.Claim(ctx, func(tx *store.Tx) error { return tx.ReleaseClaims(ctx, claimID, ids) })
}

// Save writes what came of attempts, and switches off endpoints that are gone.
func (q queue) Save(ctx context.Context, results []webhook.Result) error {
	rows := make([]store.Result, len(results))
	gone := map[int64]bool{}
	for i, r := range results {
		rows[i] = store.Result{Delivery: r.Delivery, Attempt: r.Attempt}
		if r.Gone {
			gone[r.Delivery.EndpointID] = true
		}
	}
	update := q.d.Store.Claim
	if len(gone) > 0 {
		update = q.d.Store.Update
	}
	return update(ctx, func(tx *store.Tx) error {
		if err := tx.SaveResults(ctx, rows); err != nil {
			return err
		}
		for id := range gone {
			if err := q.d.endpointGone(ctx, tx, id); err != nil {
				return err
			}
		}
		return nil
	})
}
