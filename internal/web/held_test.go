package web

import (
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/store"
)

// TestHeldBack: while a breaker is open, the pages say so wherever they would
// say that something goes out now.
func TestHeldBack(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		v, _, e := hooked(t, w)
		delivery := v.post(hookPath(e.ID)+"/test", "event", "document.sent").header.Get("Location")
		v.get(hookPath(e.ID)).says("now")
		join := func(tx *store.Tx) error { return tx.JoinNode(t.Context(), "node", time.Hour) }
		if err := w.Store.Update(t.Context(), join); err != nil {
			t.Fatal(err)
		}
		breaks := func(s paraph.BreakerState, until time.Time) {
			t.Helper()
			err := w.Store.Update(t.Context(), func(tx *store.Tx) error {
				if _, err := tx.TakeLanes(t.Context(), "node", []int64{e.ID}); err != nil {
					return err
				}
				return tx.SetBreaker(t.Context(), "node", e.ID, s, until)
			})
			if err != nil {
				t.Fatal(err)
			}
		}

		breaks(paraph.BreakerOpen, w.Store.Now().Add(30*time.Second))
		v.get(hookPath(e.ID)).says("Held back until " + w.Store.Now().Add(30*time.Second).UTC().Format("15:04:05") + " UTC").says("One is tried every 30 s").says("held back")
		v.get("/settings/webhooks/log").says("held back")
		v.get(delivery).says("The only attempt is held back").says("One is tried every 30 seconds, the next in 30 s")

		breaks(paraph.BreakerHalfOpen, w.Store.Now())
		v.get(hookPath(e.ID)).says("Held back while one is tried")

		breaks(paraph.BreakerClosed, time.Time{})
		v.get(hookPath(e.ID)).silent("held back").silent("Held back")
		v.get(delivery).says("The only attempt is due: it waits for its turn").says("A test is tried once.").silent("If that fails")
	})
}
