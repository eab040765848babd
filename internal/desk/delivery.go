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

// Settle writes what came of attempts, switches off endpoints that are gone,
// and claims what lanes want.
func (q queue) Settle(ctx context.Context, results []webhook.Result, wants []webhook.Want) (grants []webhook.Grant, err error) {
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
	err = update(ctx, func(tx *store.Tx) error {
		if err := tx.SaveResults(ctx, rows); err != nil {
			return err
		}
		if err := q.d.noteOutcomes(ctx, tx, results); err != nil {
			return err
		}
		for id := range gone {
			if err := q.d.endpointGone(ctx, tx, id); err != nil {
				return err
			}
		}
		if grants, err = grant(ctx, tx, wants); err != nil {
			return err
		}
		return tx.AddToHours(ctx, rows) // last: nodes that share an endpoint wait for each other's rows from here on
	})
	return grants, err
}

func grant(ctx context.Context, tx *store.Tx, wants []webhook.Want) ([]webhook.Grant, error) {
	if len(wants) == 0 {
		return nil, nil
	}
	ids := make([]int64, len(wants))
	for i, w := range wants {
		ids[i] = w.EndpointID
	}
	endpoints, err := tx.EndpointsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	grants := make([]webhook.Grant, len(wants))
	for i, w := range wants {
		e := endpoints[w.EndpointID]
		grants[i].Endpoint = e
		if !e.Enabled {
			continue
		}
		if grants[i], err = claim(ctx, tx, e, w); err != nil {
			return nil, err
		}
	}
	return grants, nil
}

func claim(ctx context.Context, tx *store.Tx, e paraph.Endpoint, w webhook.Want) (g webhook.Grant, err error) {
	g = webhook.Grant{Endpoint: e, Until: tx.Now().Add(w.Lease)}
	switch {
	case w.N == 0:
	case e.Ordered:
		g.Deliveries, err = tx.ClaimHead(ctx, e.ID, w.ClaimID, g.Until)
	default:
		g.Deliveries, err = tx.ClaimDeliveries(ctx, e.ID, w.ClaimID, g.Until, w.N)
	}
	switch {
	case err != nil:
	case !e.Ordered && w.N > 0 && len(g.Deliveries) == w.N:
		g.Next = tx.Now() // there may be more, which the next claim will tell
	default:
		g.Next, err = tx.LaneNext(ctx, e.ID)
	}
	return g, err
}

func (q queue) Extend(ctx context.Context, claims map[string][]int64, lease time.Duration) error {
	return q.d.Store.Claim(ctx, func(tx *store.Tx) error {
		for claimID, ids := range claims {
			if err := tx.ExtendClaims(ctx, claimID, ids, tx.Now().Add(lease)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (q queue) Release(ctx context.Context, claims map[string][]int64) error {
	return q.d.Store.Claim(ctx, func(tx *store.Tx) error {
		for claimID, ids := range claims {
			if err := tx.ReleaseClaims(ctx, claimID, ids); err != nil {
				return err
			}
		}
		return nil
	})
}
