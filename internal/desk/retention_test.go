package desk_test

import (
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/store"
)

// ended stores n deliveries that ended now, and one that waits.
func ended(t *testing.T, w *desktest.World, e paraph.Endpoint, n int) {
	t.Helper()
	ok(t, w.Store.Update(t.Context(), func(tx *store.Tx) error {
		ds := make([]paraph.Delivery, n+1)
		for i := range ds {
			ds[i] = paraph.Delivery{
				AccountID: e.AccountID, EndpointID: e.ID, EventName: "document.signed", MessageID: paraph.NewUUID(), Body: make([]byte, 3000),
				State: paraph.DeliverySucceeded, CreatedAt: tx.Now(), FinishedAt: tx.Now(),
			}
		}
		ds[n/2].State, ds[n/2].FinishedAt, ds[n/2].NextAttemptAt = paraph.DeliveryPending, time.Time{}, tx.Now().Add(1000*time.Hour)
		return tx.InsertDeliveries(t.Context(), ds)
	}))
}

// TestRetention: what ended is there until Retention is over, what waits is
// there however long that takes, and pruning goes on by itself.
func TestRetention(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		w.Desk.Retention = 10 * 24 * time.Hour
		p := w.Person(t, "Ann Admin")
		e, err := w.Desk.CreateEndpoint(t.Context(), p.Who, paraph.Endpoint{URL: "https://example.com/", Events: []string{"form.viewed"}, Enabled: true})
		ok(t, err)
		ended(t, w, e, 250) // more than two batches
		left := func() (states map[paraph.DeliveryState]int) {
			w.RunDue(t)
			ds, err := w.Store.Deliveries(t.Context(), p.Who.AccountID, store.DeliveryFilter{EndpointID: e.ID, Limit: 200})
			ok(t, err)
			states = map[paraph.DeliveryState]int{}
			for _, d := range ds {
				states[d.State]++
			}
			return states
		}
		ok(t, w.Desk.PrepareSweep(t.Context()))
		ok(t, w.Desk.PrepareSweep(t.Context())) // another node
		if got := left(); got[paraph.DeliverySucceeded] != 199 || got[paraph.DeliveryPending] != 1 {
			t.Errorf("just ended, there are %v among the newest", got)
		}
		w.Clock.Advance(10*24*time.Hour + time.Second)
		if got := left(); len(got) != 1 || got[paraph.DeliveryPending] != 1 {
			t.Errorf("when their time is over there are %v", got)
		}
		ended(t, w, e, 3)
		w.Desk.Retention = 0
		w.Clock.Advance(10000 * time.Hour)
		if got := left(); got[paraph.DeliverySucceeded] != 3 {
			t.Errorf("kept for ever are %v", got)
		}
		w.Desk.Retention = 24 * time.Hour
		w.Clock.Advance(10 * time.Minute)
		if got := left(); len(got) != 1 || got[paraph.DeliveryPending] != 2 {
			t.Errorf("once it is set there are %v", got)
		}
	})
}
