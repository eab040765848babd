package desk_test

import (
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/webhook"
)

func TestWhatIsSettledIsCountedByTheHour(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		p := w.Person(t, "Ann Admin")
		e, err := w.Desk.CreateEndpoint(t.Context(), p.Who, paraph.Endpoint{URL: "https://hooks.example.com/a", Events: []string{"*"}, Enabled: true})
		if err != nil {
			t.Fatal(err)
		}
		d, err := w.Desk.SendTest(t.Context(), p.Who, e.ID, "form.viewed")
		if err != nil {
			t.Fatal(err)
		}
		d.State, d.Attempts, d.FinishedAt, d.LastStatus = paraph.DeliverySucceeded, 1, w.Store.Now(), 200
		a := paraph.Attempt{DeliveryID: d.ID, Number: 1, At: w.Store.Now(), Status: 200, Code: webhook.CodeOK, Duration: 30 * time.Millisecond}
		if _, err := w.Desk.Queue().Settle(t.Context(), webhook.Batch{Results: []webhook.Result{{Delivery: d, Attempt: a}}}); err != nil {
			t.Fatal(err)
		}
		h, err := w.Store.Health(t.Context(), e.AccountID, e.ID, w.Store.Now())
		if err != nil || h.OK != 1 || h.Failed != 0 || !h.LastOK.Equal(w.Store.Now()) {
			t.Errorf("its health is %+v, %v", h, err)
		}
	})
}
