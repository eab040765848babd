package desk

import (
	"context"
	"fmt"

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
