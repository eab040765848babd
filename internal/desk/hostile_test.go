package desk_test

import (
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/dev/hostiletest"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// neighbours is a sender whose spaces are full of hostile endpoints, with one good endpoint in each.
type neighbours struct {
	*desktest.World
	t      *testing.T
	sender []*sender
	good   []paraph.Endpoint
	all    map[int64]hostiletest.Receiver // by endpoint

	came  chan struct{}
	mu    sync.Mutex
	first map[int64]webhook.Result // of each endpoint
}

// eventsAmongHostiles is how many each endpoint is told.
const eventsAmongHostiles = 4

// TestHostileNeighbours: beside every hostile receiver at once, a good endpoint gets everything, while they hang; and what each of
// them comes to is in the log.
func TestHostileNeighbours(t *testing.T) {
	t.Parallel()
	desktest.EachWith(t, desktest.Options{Allow: loopback(), Start: hostiletest.Now()}, func(t *testing.T, w *desktest.World) {
		hostile, good := hostiletest.Start(t), newReceiver(t)
		n := &neighbours{World: w, t: t, all: map[int64]hostiletest.Receiver{}, came: make(chan struct{}, 1), first: map[int64]webhook.Result{}}
		n.start(hostile)
		n.settle(hostile, good.url)
		for _, s := range n.sender {
			for range eventsAmongHostiles {
				s.archive()
			}
		}
		n.until("the good endpoints' deliveries", func() bool { return good.count.Load() == int64(len(n.good)*eventsAmongHostiles) })
		n.until("an attempt at every hostile receiver", func() bool { return len(n.first) == len(n.all)+len(n.good) })
		for _, e := range n.good {
			n.checkGood(e)
		}
		for id, r := range n.all {
			n.checkHostile(id, r)
		}
		if hostile.Trapped() != 0 {
			t.Error("a redirect was followed")
		}
	})
}

func (n *neighbours) start(hostile *hostiletest.Receivers) {
	n.t.Helper()
	client, err := webhook.NewClient(webhook.ClientConfig{
		UserAgent: "Paraph/test", Allow: loopback(), RootCAs: hostile.Roots, Resolver: hostile.Resolver, Clock: n.Clock.Now,
	})
	must(n.t, err)
	n.t.Cleanup(client.Close)
	d, err := webhook.NewDispatcher(webhook.DispatcherConfig{
		Queue: n.Desk.Queue(), Client: client, Log: slog.New(slog.NewTextHandler(n.t.Output(), nil)), Poll: 24 * time.Hour, Observe: n.observe,
	})
	must(n.t, err)
	n.Desk.WakeLanes(d.Wake)
	d.Start()
	n.t.Cleanup(d.Stop)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (n *neighbours) observe(r webhook.Result) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.first[r.Delivery.EndpointID]; !ok {
		n.first[r.Delivery.EndpointID] = r
	}
	select {
	case n.came <- struct{}{}:
	default:
	}
}

// settle makes spaces with as many endpoints as one may have.
func (n *neighbours) settle(hostile *hostiletest.Receivers, good string) {
	n.t.Helper()
	for at, r := range hostile.All {
		if at%(paraph.MaxEndpoints-1) == 0 {
			s := newSender(n.t, n.World, n.Person(n.t, "Ann Admin"))
			n.sender = append(n.sender, s)
			n.good = append(n.good, s.endpoint(good))
		}
		e := n.sender[len(n.sender)-1].endpoint(r.URL, func(e *paraph.Endpoint) { e.Timeout = paraph.MinTimeout })
		n.all[e.ID] = r
	}
}

func (n *neighbours) until(what string, done func() bool) {
	n.t.Helper()
	for late := time.After(soon); ; {
		n.mu.Lock()
		over := done()
		n.mu.Unlock()
		if over {
			return
		}
		select {
		case <-n.came:
		case <-late:
			n.t.Fatalf("%s did not come: %d endpoints have a result", what, len(n.first))
		}
	}
}

func (n *neighbours) checkGood(e paraph.Endpoint) {
	n.t.Helper()
	ds, err := n.Store.Deliveries(n.t.Context(), e.AccountID, store.DeliveryFilter{EndpointID: e.ID, Limit: 100})
	must(n.t, err)
	if len(ds) != eventsAmongHostiles {
		n.t.Errorf("the good endpoint has %d deliveries", len(ds))
	}
	for _, d := range ds {
		attempts, err := n.Store.Attempts(n.t.Context(), e.AccountID, d.ID)
		must(n.t, err)
		if len(attempts) != 1 || attempts[0].Status != http.StatusOK {
			n.t.Errorf("a good delivery took %d attempts and is %s", len(attempts), d.State)
		}
	}
}

func (n *neighbours) checkHostile(id int64, want hostiletest.Receiver) {
	n.t.Helper()
	r := n.first[id]
	if r.Attempt.Code != want.Code || r.Attempt.Status != want.Status || r.Gone != (want.Status == http.StatusGone) || !strings.Contains(r.Attempt.Error, want.Says) {
		n.t.Errorf("%s: %s, %d, gone %v: %s", want.Name, r.Attempt.Code, r.Attempt.Status, r.Gone, r.Attempt.Error)
	}
	state, wait := paraph.DeliveryPending, r.Delivery.NextAttemptAt.Sub(n.Clock.Now())
	switch {
	case want.Code == webhook.CodeOK:
		state = paraph.DeliverySucceeded
	case r.Gone:
		state = paraph.DeliveryFailed
	case wait < max(time.Minute, want.RetryAfter):
		n.t.Errorf("%s: tried again after %s", want.Name, wait)
	}
	if r.Delivery.State != state {
		n.t.Errorf("%s: the delivery is %s", want.Name, r.Delivery.State)
	}
}
