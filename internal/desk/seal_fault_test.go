package desk_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/blob"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/store"
)

// TestSealingFailsAtEachStep makes sealing fail at its first step, at its second, and so on until none is left: by a full disk,
// by a store that answers nothing, and by the node stopping dead there. Once the cause is gone the envelope is sealed, once, and
// everybody hears of it once.
func TestSealingFailsAtEachStep(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(step int) error{
		"full": func(int) error { return fmt.Errorf("write: %w", blob.ErrFull) },
		"away": func(step int) error { return fmt.Errorf("step %d: connection refused", step) },
		"dead": func(step int) error { panic(fmt.Sprintf("the node stops at step %d", step)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			steps := 0
			for n := 1; ; n++ {
				if !sealWithFault(t, n, fail) {
					break
				}
				steps = n
			}
			if steps < 3 { // the original is read, the sealed file and the log are written
				t.Errorf("sealing took only %d steps", steps)
			}
		})
	}
}

// sealWithFault seals an envelope and fails at the nth step; it tells whether there was such a step.
func sealWithFault(t *testing.T, n int, fail func(step int) error) (reached bool) {
	t.Helper()
	w := desktest.New(t, desktest.Options{})
	p := w.Person(t, "Ann Admin")
	hooks := paraph.Endpoint{URL: "https://example.com/hook", Events: []string{"*"}, Enabled: true}
	hooks, err := w.Desk.CreateEndpoint(t.Context(), p.Who, hooks)
	ok(t, err)
	e := contract(t, w, p)
	e = signs(t, w, signs(t, w, e, 0), 1)
	before := announced(t, w, p, hooks.ID)

	step, sound := 0, w.Blobs
	w.Desk.Blobs = sound.Hooked(func(string) error {
		if step++; step == n {
			reached = true
			return fail(step)
		}
		return nil
	})
	ok(t, w.Desk.RunSealing(t.Context())) // nothing else: the mails read files too
	if !reached {
		return false
	}
	if trouble, failed, err := w.Desk.SealTrouble(t.Context(), &e); err != nil || !failed || trouble.Tries != 1 || trouble.Error == "" || !trouble.NextAt.After(w.Clock.Now()) {
		t.Fatalf("step %d: the trouble is %+v, %v, %v", n, trouble, failed, err)
	}
	if got := announced(t, w, p, hooks.ID); got != before {
		t.Errorf("step %d: something was announced though nothing is sealed", n)
	}
	w.Desk.Blobs = sound
	if n%2 == 0 {
		ok(t, w.Desk.RetrySeal(t.Context(), p.Who, e.ID))
		ok(t, w.Desk.RetrySeal(t.Context(), p.Who, e.ID)) // pressed twice
	} else {
		w.Clock.Advance(time.Minute)
	}
	w.RunDue(t)
	sealedOnce(t, w, p, e.ID)
	after := announced(t, w, p, hooks.ID)
	w.Clock.Advance(time.Hour)
	ok(t, w.Desk.RetrySeal(t.Context(), p.Who, e.ID))
	w.RunDue(t)
	sealedOnce(t, w, p, e.ID)
	if got := announced(t, w, p, hooks.ID); got != after || strings.Count(got, "submission.completed") != 1 || strings.Count(got, "document.completed") != 1 {
		t.Errorf("step %d: told were %s, then %s", n, after, got)
	}
	now, err := w.Store.Envelope(t.Context(), p.Who.AccountID, e.ID)
	ok(t, err)
	if _, failed, err := w.Desk.SealTrouble(t.Context(), &now); failed || err != nil {
		t.Errorf("step %d: the trouble is still told: %v", n, err)
	}
	return true
}

// announced are the events that were told to an endpoint.
func announced(t *testing.T, w *desktest.World, p desktest.Person, endpoint int64) string {
	t.Helper()
	all, err := w.Store.Deliveries(t.Context(), p.Who.AccountID, store.DeliveryFilter{EndpointID: endpoint, Limit: 200})
	ok(t, err)
	var names []string
	for _, d := range all {
		names = append(names, d.EventName)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestRetrySealIsForItsOwner(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		ann, eve := w.Person(t, "Ann Admin"), w.Person(t, "Eve Else")
		e := contract(t, w, ann)
		if err := w.Desk.RetrySeal(t.Context(), ann.Who, e.ID); paraph.KindOf(err) != paraph.Conflict {
			t.Errorf("of one that is pending: %v", err)
		}
		e = signs(t, w, signs(t, w, e, 0), 1)
		if err := w.Desk.RetrySeal(t.Context(), eve.Who, e.ID); paraph.KindOf(err) != paraph.NotFound {
			t.Errorf("by a stranger: %v", err)
		}
		jobs := claimSeal(t, w) // the job itself is lost
		ok(t, w.Store.Update(t.Context(), func(tx *store.Tx) error { return tx.FinishJob(t.Context(), jobs[0], "done", "") }))
		ok(t, w.Desk.RetrySeal(t.Context(), ann.Who, e.ID))
		w.RunDue(t)
		sealedOnce(t, w, ann, e.ID)
	})
}
