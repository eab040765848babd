package store_test

import (
	"testing"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
)

// TestHeardCommitsInAnyOrder: a transaction that commits late, after a
// listener received what came later, is heard all the same.
func TestHeardCommitsInAnyOrder(t *testing.T) {
	t.Parallel()
	s, _ := storetest.New(t, "postgres") // SQLite has one writer, so order is kept there
	keep := func(tx *store.Tx, name string) {
		check(t, tx.InsertHeard(ctx, []paraph.Heard{{ListenerID: 1, EventName: name, MessageID: name, Body: []byte("{}"), At: tx.Now()}}))
	}
	heard := func() []paraph.Heard {
		hs, err := s.Heard(ctx, 1, 9)
		check(t, err)
		return hs
	}
	storetest.Update(t, s, func(late *store.Tx) error {
		keep(late, "early id")
		storetest.Update(t, s, func(tx *store.Tx) error { keep(tx, "late id"); return nil })
		hs := heard()
		if len(hs) != 1 || hs[0].EventName != "late id" {
			t.Fatalf("heard %+v", hs)
		}
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.Received(ctx, 1, []int64{hs[0].ID}) })
		return nil
	})
	if hs := heard(); len(hs) != 1 || hs[0].EventName != "early id" {
		t.Errorf("afterwards heard %+v", hs)
	}
}

// TestEventsAndListenersDoNotCollide: a listener that asks, is full and ends
// while events are kept for it has no transaction of an event run again.
func TestEventsAndListenersDoNotCollide(t *testing.T) {
	t.Parallel()
	s, _ := storetest.New(t, "postgres")
	a, _ := storetest.Space(t, s, "ada")
	l := paraph.Listener{AccountID: a.ID, URL: "http://localhost", Events: []string{"*"}, CreatedAt: s.Now(), AskedAt: s.Now()}
	storetest.Update(t, s, func(tx *store.Tx) error { return tx.InsertListener(ctx, &l) })
	keep := func(tx *store.Tx) error {
		return tx.InsertHeard(ctx, []paraph.Heard{{ListenerID: l.ID, EventName: "form.viewed", MessageID: "m", Body: []byte("{}"), At: tx.Now()}})
	}
	storetest.Update(t, s, keep)
	runs := 0
	storetest.Update(t, s, func(event *store.Tx) error {
		runs++
		ls, err := event.Listeners(ctx, a.ID, s.Now())
		if err != nil || len(ls) != 1 || ls[0].ID != l.ID || len(ls[0].Events) != 1 || ls[0].Events[0] != "*" {
			t.Errorf("the listeners are %+v, %v", ls, err)
		}
		check(t, s.Claim(ctx, func(tx *store.Tx) error {
			check(t, tx.SaveListener(ctx, l))
			check(t, tx.Received(ctx, l.ID, []int64{1}))
			check(t, tx.FillListeners(ctx, 1))
			check(t, tx.DeleteListener(ctx, l.ID))
			_, err := tx.PruneHeard(ctx, 9)
			return err
		}))
		return keep(event)
	})
	if runs != 1 {
		t.Errorf("the transaction of the event ran %d times", runs)
	}
	if hs, err := s.Heard(ctx, l.ID, 9); err != nil || len(hs) != 1 {
		t.Errorf("kept is %+v, %v", hs, err)
	}
}
