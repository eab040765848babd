package desk_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/dev/pgtest"
	"github.com/paraph-sign/paraph/internal/store"
)

// listen adds a listener.
func listen(t *testing.T, w *desktest.World, p desktest.Person, events ...string) paraph.Listener {
	t.Helper()
	l, err := w.Desk.Listen(t.Context(), p.Who, paraph.Listener{URL: "http://localhost:4000/hook", Events: events})
	ok(t, err)
	return l
}

// hear asks once without waiting.
func hear(t *testing.T, w *desktest.World, p desktest.Person, l paraph.Listener, received ...int64) desk.Hearing {
	t.Helper()
	h, err := w.Desk.Hear(t.Context(), p.Who, l.ID, desk.Question{Received: received, Limit: 100})
	ok(t, err)
	return h
}

func idsOf(hs []paraph.Heard) (ids []int64) {
	for _, h := range hs {
		ids = append(ids, h.ID)
	}
	return ids
}

// TestListenerHearsWhatAWebhookIsSent: the same events, in the same order,
// byte by byte.
func TestListenerHearsWhatAWebhookIsSent(t *testing.T) {
	t.Parallel()
	desktest.EachWith(t, desktest.Options{Allow: loopback()}, func(t *testing.T, w *desktest.World) {
		ann, eve := w.Person(t, "Ann Admin"), w.Person(t, "Eve Else")
		hook, err := w.Desk.CreateEndpoint(t.Context(), ann.Who, paraph.Endpoint{URL: "http://127.0.0.1:4000/hook", Events: []string{"*"}, Enabled: true})
		ok(t, err)
		l, err := w.Desk.Listen(t.Context(), ann.Who, paraph.Listener{URL: hook.URL, Events: []string{"*"}})
		ok(t, err)
		forms, others := listen(t, w, ann, "form.*"), listen(t, w, eve, "*")
		e := contract(t, w, ann)
		signs(t, w, e, 0)
		log, err := w.Store.Deliveries(t.Context(), ann.Who.AccountID, store.DeliveryFilter{EndpointID: hook.ID, Limit: 100})
		ok(t, err)
		slices.Reverse(log)
		heard := hear(t, w, ann, l)
		if len(heard.Events) != len(log) || len(log) < 8 || !heard.FullSince.IsZero() {
			t.Fatalf("%d events were heard and %d sent", len(heard.Events), len(log))
		}
		seen := map[string]bool{}
		for i, h := range heard.Events {
			d, err := w.Store.Delivery(t.Context(), ann.Who.AccountID, log[i].ID)
			ok(t, err)
			if h.EventName != d.EventName || string(h.Body) != string(d.Body) || h.EventID != d.EventID || h.Test || !h.At.Equal(d.CreatedAt) {
				t.Errorf("event %d: heard %s %d %s, sent %s %d %s", i, h.EventName, h.EventID, h.Body, d.EventName, d.EventID, d.Body)
			}
			if h.MessageID == d.MessageID || seen[h.MessageID] {
				t.Errorf("event %d has the id %s of another message", i, h.MessageID)
			}
			seen[h.MessageID] = true
		}
		if got := hear(t, w, ann, forms); len(got.Events) != 3 { // viewed, started, completed
			t.Errorf("form.* heard %d events: %+v", len(got.Events), got.Events)
		}
		if got := hear(t, w, eve, others); len(got.Events) != 0 {
			t.Errorf("a stranger heard %d events", len(got.Events))
		}
	})
}

func TestHeardIsAnsweredUntilReceived(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		ann, eve := w.Person(t, "Ann Admin"), w.Person(t, "Eve Else")
		l := listen(t, w, ann, "document.*")
		contract(t, w, ann)
		first := idsOf(hear(t, w, ann, l).Events)
		if again := idsOf(hear(t, w, ann, l).Events); len(first) < 2 || !slices.Equal(first, again) {
			t.Fatalf("at first %v, then %v", first, again)
		}
		if _, err := w.Desk.Hear(t.Context(), eve.Who, l.ID, desk.Question{Received: first, Limit: 9}); paraph.KindOf(err) != paraph.NotFound {
			t.Errorf("a stranger asks: %v", err)
		}
		if rest := idsOf(hear(t, w, ann, l, first[1:]...).Events); !slices.Equal(rest, first[:1]) {
			t.Errorf("all but the first were received, and then came %v", rest)
		}
		if h, err := w.Desk.Hear(t.Context(), ann.Who, l.ID, desk.Question{}); err != nil || len(h.Events) != 0 {
			t.Errorf("with the limit 0 came %v, %v", h, err)
		}
		if err := w.Desk.StopListening(t.Context(), eve.Who, l.ID); paraph.KindOf(err) != paraph.NotFound {
			t.Errorf("a stranger ends it: %v", err)
		}
		ok(t, w.Desk.StopListening(t.Context(), ann.Who, l.ID))
		if _, err := w.Desk.Hear(t.Context(), ann.Who, l.ID, desk.Question{Limit: 9}); paraph.KindOf(err) != paraph.NotFound {
			t.Errorf("an ended listener asks: %v", err)
		}
	})
}

// TestSilentListenerIsGone: after two minutes it is told so, after three
// nothing is kept for it, and the sweep removes it.
func TestSilentListenerIsGone(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		ann := w.Person(t, "Ann Admin")
		l := listen(t, w, ann, "*")
		for range 3 {
			w.Clock.Advance(paraph.ListenerLife - time.Second)
			hear(t, w, ann, l)
		}
		w.Clock.Advance(paraph.ListenerLife + time.Second)
		if _, err := w.Desk.Hear(t.Context(), ann.Who, l.ID, desk.Question{Limit: 9}); paraph.KindOf(err) != paraph.NotFound {
			t.Errorf("a listener that was silent asks: %v", err)
		}
		contract(t, w, ann)
		kept, err := w.Store.Heard(t.Context(), l.ID, 100)
		ok(t, err)
		if len(kept) == 0 {
			t.Error("another node's clock may be late, but nothing was kept")
		}
		w.Clock.Advance(paraph.ListenerMargin)
		contract(t, w, ann)
		if more, err := w.Store.Heard(t.Context(), l.ID, 100); err != nil || len(more) != len(kept) {
			t.Errorf("%d events are kept, after %d: %v", len(more), len(kept), err)
		}
		ok(t, w.Desk.PrepareSweep(t.Context()))
		w.RunDue(t)
		if n, err := w.Store.CountListeners(t.Context(), time.Time{}); err != nil || n != 0 {
			t.Errorf("%d listeners are left, %v", n, err)
		}
		if rest, err := w.Store.Heard(t.Context(), l.ID, 100); err != nil || len(rest) != 0 {
			t.Errorf("%d events are left, %v", len(rest), err)
		}
	})
}

// TestFullListener: past a thousand events that wait no more are kept; the
// listener is told after them, once, and then hears again.
func TestFullListener(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		ann := w.Person(t, "Ann Admin")
		l := listen(t, w, ann, "document.created")
		many := make([]paraph.Heard, paraph.MaxHeard)
		for i := range many {
			many[i] = paraph.Heard{ListenerID: l.ID, EventName: "document.created", MessageID: strconv.Itoa(i), Body: []byte("{}"), At: w.Store.Now()}
		}
		ok(t, w.Store.Update(t.Context(), func(tx *store.Tx) error { return tx.InsertHeard(t.Context(), many) }))
		for range 250 { // so that this node looks
			_, _, err := w.Desk.TestListeners(t.Context(), ann.Who, "document.created")
			ok(t, err)
		}
		full := w.Store.Now()
		w.RunDue(t)
		w.Clock.Advance(time.Second)
		if listening, told, err := w.Desk.TestListeners(t.Context(), ann.Who, "document.created"); err != nil || listening != 0 || told != 0 {
			t.Errorf("a full listener was told: %d of %d, %v", told, listening, err)
		}
		h, total := hear(t, w, ann, l), 0
		for ; len(h.Events) > 0; h = hear(t, w, ann, l, idsOf(h.Events)...) {
			if total += len(h.Events); !h.FullSince.IsZero() {
				t.Fatal("it is told that it was full before it heard all that waited")
			}
		}
		if total != paraph.MaxHeard+250 || !h.FullSince.Equal(full) {
			t.Errorf("%d events waited; full since %v and not %v", total, h.FullSince, full)
		}
		if h := hear(t, w, ann, l); !h.FullSince.IsZero() {
			t.Error("it is told twice")
		}
		if listening, told, err := w.Desk.TestListeners(t.Context(), ann.Who, "document.created"); err != nil || listening != 1 || told != 1 {
			t.Errorf("afterwards %d of %d were told, %v", told, listening, err)
		}
	})
}

func TestListenersAreBounded(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		ann := w.Person(t, "Ann Admin")
		for range paraph.MaxListeners {
			listen(t, w, ann, "*")
		}
		_, err := w.Desk.Listen(t.Context(), ann.Who, paraph.Listener{Events: []string{"*"}})
		if paraph.KindOf(err) != paraph.TooMany {
			t.Errorf("one more: %v", err)
		}
		w.Clock.Advance(paraph.ListenerLife + time.Second)
		listen(t, w, ann, "*")
		for _, wrong := range []paraph.Listener{{}, {Events: []string{"form.complete"}}, {Events: []string{"*"}, URL: "ftp://x"}} {
			if _, err := w.Desk.Listen(t.Context(), ann.Who, wrong); paraph.KindOf(err) != paraph.Invalid {
				t.Errorf("%+v: %v", wrong, err)
			}
		}
	})
}

// waitFor asks and waits, in the background.
func waitFor(t *testing.T, d *desk.Desk, p desktest.Person, l paraph.Listener) chan desk.Hearing {
	t.Helper()
	answers := make(chan desk.Hearing, 1)
	go func() {
		h, err := d.Hear(t.Context(), p.Who, l.ID, desk.Question{Limit: 100, Wait: paraph.MaxListenWait})
		if err != nil {
			t.Error(err)
		}
		answers <- h
	}()
	return answers
}

// TestWaitingListener hears of an event of its own node and of another's, and
// is let go when the server ends.
func TestWaitingListener(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	here, there := desktest.New(t, desktest.Options{Database: database}), desktest.New(t, desktest.Options{Database: database})
	ann := here.Person(t, "Ann Admin")
	l := listen(t, here, ann, "document.created")
	for _, node := range []*desktest.World{here, there} {
		answers := waitFor(t, here.Desk, ann, l)
		_, told, err := node.Desk.TestListeners(t.Context(), ann.Who, "document.created")
		ok(t, err)
		h := <-answers
		if told != 1 || len(h.Events) != 1 || !h.Events[0].Test {
			t.Errorf("%d were told, and heard was %+v", told, h)
		}
		hear(t, here, ann, l, idsOf(h.Events)...)
	}
	answers := waitFor(t, here.Desk, ann, l)
	here.Desk.EndWaits()
	if h := <-answers; len(h.Events) != 0 {
		t.Errorf("at the end %+v was heard", h)
	}
}
