package desk_test

import (
	"maps"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
)

// TestBacklogClasses: each pending delivery is in the class that says why it
// waits, and finished ones in none.
func TestBacklogClasses(t *testing.T) {
	t.Parallel()
	desktest.EachWith(t, desktest.Options{Allow: loopback()}, func(t *testing.T, w *desktest.World) {
		ann := w.Person(t, "Ann Admin")
		endpoint := func(e paraph.Endpoint) int64 {
			e.URL, e.Events, e.Enabled = "http://127.0.0.1:1/hook", []string{"*"}, true
			e, err := w.Desk.CreateEndpoint(t.Context(), ann.Who, e)
			ok(t, err)
			return e.ID
		}
		plain, ordered := endpoint(paraph.Endpoint{}), endpoint(paraph.Endpoint{Ordered: true})
		for _, id := range []int64{plain, plain, plain, ordered, ordered, ordered} {
			_, err := w.Desk.SendTest(t.Context(), ann.Who, id, "form.viewed")
			ok(t, err)
		}
		due := func(endpoint int64, n int) []paraph.Delivery {
			var ds []paraph.Delivery
			ok(t, w.Store.Claim(t.Context(), func(tx *store.Tx) (err error) {
				ds, err = storetest.Due(t.Context(), tx.Reader, endpoint, tx.Now(), n)
				return err
			}))
			return ds
		}
		settle := func(d paraph.Delivery, state paraph.DeliveryState, next time.Duration) {
			d.State, d.Attempts, d.NextAttemptAt = state, 1, w.Store.Now().Add(next)
			ok(t, w.Store.Claim(t.Context(), func(tx *store.Tx) error {
				return tx.SaveResults(t.Context(), []store.Result{{Delivery: d, Attempt: paraph.Attempt{DeliveryID: d.ID, Number: 1, At: w.Store.Now()}}})
			}))
		}
		ds := due(plain, 3)
		settle(ds[0], paraph.DeliveryPending, time.Minute)
		settle(ds[1], paraph.DeliveryPending, time.Hour)
		settle(ds[2], paraph.DeliverySucceeded, 0)
		_, err := w.Desk.SendTest(t.Context(), ann.Who, plain, "form.viewed")
		ok(t, err)
		w.Clock.Advance(5 * time.Minute)
		b, err := w.Desk.Backlog(t.Context())
		ok(t, err)
		want := map[desk.Class]int{desk.ClassFirst: 2, desk.ClassLate: 1, desk.ClassWaiting: 1, desk.ClassOrdered: 2}
		if !maps.Equal(b.Count, want) || b.Lanes != 2 || b.Capped != 0 {
			t.Errorf("the backlog is %+v and not %v", b, want)
		}
		ages := map[desk.Class]time.Duration{
			desk.ClassFirst: 5 * time.Minute, desk.ClassLate: 4 * time.Minute, desk.ClassWaiting: 5 * time.Minute, desk.ClassOrdered: 5 * time.Minute,
		}
		if !maps.Equal(b.Oldest, ages) {
			t.Errorf("the oldest are %v and not %v", b.Oldest, ages)
		}
		lanes, limit, err := w.Store.PendingByLane(t.Context(), 3)
		if err != nil || limit != 10 || len(lanes) != 2 {
			t.Errorf("%d lanes, counted to %d, %v", len(lanes), limit, err)
		}
		ok(t, w.Desk.PrepareSweep(t.Context()))
		jobs, err := w.Desk.JobBacklog(t.Context())
		ok(t, err)
		for _, j := range jobs {
			if j.Kind == "sweep" && (j.Due != 1 || j.Waiting != 0 || !j.Since.Equal(w.Store.Now())) || j.Kind == "seal" && j != (store.JobBacklog{Kind: "seal"}) {
				t.Errorf("of %s waits %+v", j.Kind, j)
			}
		}
	})
}
