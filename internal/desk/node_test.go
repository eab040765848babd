package desk_test

import (
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/dev/pgtest"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// cluster is some nodes over one Postgres, each with a dispatcher that looks
// for rows only when it is told to.
func cluster(t *testing.T, n int) (nodes []*sender) {
	t.Helper()
	return clusterAt(t, pgtest.New(t), n)
}

func clusterAt(t *testing.T, database string, n int) (nodes []*sender) {
	t.Helper()
	o := desktest.Options{Database: database, Allow: loopback(), Start: time.Now()}
	for i := range n {
		w := desktest.New(t, o)
		var p desktest.Person
		if i == 0 {
			p = w.Person(t, "Ann Admin")
		} else {
			p = nodes[0].Person
		}
		s := newSender(t, w, p)
		if i > 0 {
			s.results = nodes[0].results // whoever is woken first may take a lane
		}
		s.start(webhook.DispatcherConfig{})
		nodes = append(nodes, s)
	}
	return nodes
}

// all waits for n results of whatever node.
func all(t *testing.T, nodes []*sender, n int) {
	t.Helper()
	for range n {
		next(t, nodes[0].results, "a result of some node")
	}
}

// TestNodesShareTheWork: three nodes over one database deliver everything
// once, and what is ordered in its order, whichever node queued it.
func TestNodesShareTheWork(t *testing.T) {
	t.Parallel()
	nodes := cluster(t, 3)
	const endpoints, rounds, each = 30, 3, 4
	var mu sync.Mutex
	came := map[string][]string{} // by path, bodies in the order of their coming
	seen := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		came[r.URL.Path] = append(came[r.URL.Path], string(b))
		seen[r.Header.Get("Webhook-Id")]++
	}))
	t.Cleanup(server.Close)
	var hooks []paraph.Endpoint
	for i := range endpoints {
		hooks = append(hooks, nodes[0].endpoint(fmt.Sprint(server.URL, "/", i), func(e *paraph.Endpoint) { e.Ordered = i%3 == 0 }))
	}
	var queued sync.WaitGroup
	for i, e := range hooks {
		queued.Go(func() {
			for round := range rounds {
				nodes[(i+round)%3].queueAs(e, round*each, each) // its dispatcher hears at once, the others by the database
			}
		})
	}
	queued.Wait()
	all(t, nodes, endpoints*rounds*each)
	mu.Lock()
	defer mu.Unlock()
	if len(seen) != endpoints*rounds*each {
		t.Errorf("%d webhooks came of %d", len(seen), endpoints*rounds*each)
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s came %d times", id, n)
		}
	}
	for i := 0; i < endpoints; i += 3 {
		for n, body := range came[fmt.Sprint("/", i)] {
			if body != fmt.Sprint(n) {
				t.Errorf("ordered endpoint %d got %v", i, came[fmt.Sprint("/", i)])
				break
			}
		}
	}
}

// queueAs stores n deliveries for an endpoint, numbered from a number on.
func (s *sender) queueAs(e paraph.Endpoint, from, n int) {
	ds := make([]paraph.Delivery, n)
	err := s.Store.Update(s.t.Context(), func(tx *store.Tx) error {
		for i := range ds {
			ds[i] = paraph.Delivery{
				AccountID: e.AccountID, EndpointID: e.ID, EventName: "form.viewed", MessageID: fmt.Sprintf("msg_%d_%d", e.ID, from+i),
				Body: fmt.Append(nil, from+i), State: paraph.DeliveryPending, NextAttemptAt: tx.Now(), CreatedAt: tx.Now(),
			}
		}
		tx.After(func() { s.dispatcher.Wake(e.ID) })
		return tx.InsertDeliveries(s.t.Context(), ds)
	})
	if err != nil {
		s.t.Errorf("queue: %v", err)
	}
}

// TestACommitWakesTheHolder: the node that holds a lane hears of what another
// one commits, though none of them looks by itself.
func TestACommitWakesTheHolder(t *testing.T) {
	t.Parallel()
	nodes := cluster(t, 2)
	r := newReceiver(t)
	e := nodes[0].endpoint(r.url)
	for i := range 10 {
		nodes[1].dispatcher.Wake(e.ID)
		nodes[i%2].queueAs(e, i, 1)
		all(t, nodes, 1)
	}
	equal(t, "requests", r.count.Load(), 10)
}

// TestARateHoldsOverNodes: two nodes together send no more than it allows.
func TestARateHoldsOverNodes(t *testing.T) {
	t.Parallel()
	nodes := cluster(t, 2)
	r := newReceiver(t)
	e := nodes[0].endpoint(r.url, func(e *paraph.Endpoint) { e.Rate = 2 })
	for i := range 6 {
		nodes[i%2].queueAs(e, i, 1)
	}
	all(t, nodes, 2)
	for _, s := range nodes {
		s.settled()
	}
	equal(t, "requests in the first moment", r.count.Load(), 2)
	nodes[0].dispatcher.Stop() // its successor knows how many it sent
	nodes[1].settled()
	nodes[1].pass(0)
	nodes[1].settled()
	equal(t, "requests after the lane went to the other node", r.count.Load(), 2)
	nodes[1].pass(time.Second)
	all(t, nodes[1:], 2)
	equal(t, "requests a second later", r.count.Load(), 4)
}

// TestADeadNodesLanesAreTakenOver: a node that holds lanes and says nothing
// any more, not even goodbye.
func TestADeadNodesLanesAreTakenOver(t *testing.T) {
	t.Parallel()
	eachSender(t, func(t *testing.T, s *sender) {
		s.settled()
		r := newReceiver(t)
		e := s.endpoint(r.url)
		q := s.Desk.Queue()
		const lease = 30 * time.Second
		s.must(q.Join(t.Context(), "dead", lease))
		taken, err := q.Settle(t.Context(), webhook.Batch{Node: "dead", Wants: []webhook.Want{{EndpointID: e.ID, N: 9}}})
		s.must(err)
		equal(t, "the lane is taken", taken.Grants[0].Held, true)
		ds := s.queue(e, 3)
		dead, err := q.Settle(t.Context(), webhook.Batch{Node: "dead", Wants: []webhook.Want{{EndpointID: e.ID, N: 9, Held: true}}})
		s.must(err)
		equal(t, "what it reads", len(dead.Grants[0].Deliveries), 3)
		s.pass(lease - time.Microsecond)
		s.settled()
		equal(t, "requests before the lease ran out", r.count.Load(), 0)
		s.pass(time.Microsecond)
		for range 3 {
			equal(t, "attempts", s.result().Delivery.Attempts, 1)
		}
		equal(t, "requests", r.count.Load(), 3)
		if n := s.dispatcher.Stats().Reclaimed; n != 1 {
			t.Errorf("%d lanes were taken over", n)
		}
		alive, err := q.Renew(t.Context(), "dead", lease)
		s.must(err)
		equal(t, "the dead is alive", alive, false)

		late := dead.Grants[0].Deliveries[0] // it comes back with a result
		late.State, late.Attempts = paraph.DeliveryFailed, 1
		_, err = q.Settle(t.Context(), webhook.Batch{Results: []webhook.Result{{Delivery: late, Attempt: paraph.Attempt{DeliveryID: late.ID, Number: 1, Code: "timeout"}}}})
		s.must(err)
		equal(t, "state", s.delivery(ds[0].ID).State, paraph.DeliverySucceeded)
	})
}

// TestALaneHasOneHolder: whoever comes second is refused, until the lane is
// given back; and nobody takes one that is not alive.
func TestALaneHasOneHolder(t *testing.T) {
	t.Parallel()
	eachSender(t, func(t *testing.T, s *sender) {
		s.dispatcher.Stop()
		e := s.endpoint(newReceiver(t).url)
		q := s.Desk.Queue()
		take := func(node string) bool {
			t.Helper()
			out, err := q.Settle(t.Context(), webhook.Batch{Node: node, Wants: []webhook.Want{{EndpointID: e.ID, N: 1}}})
			s.must(err)
			return out.Grants[0].Held
		}
		equal(t, "somebody unknown", take("a"), false)
		s.must(q.Join(t.Context(), "a", time.Minute))
		s.must(q.Join(t.Context(), "b", time.Minute))
		equal(t, "the first", take("a"), true)
		equal(t, "the second", take("b"), false)
		equal(t, "the first again", take("a"), true)
		until := s.Store.Now().Add(30 * time.Second)
		_, err := q.Settle(t.Context(), webhook.Batch{Node: "b", Marks: []webhook.Mark{{EndpointID: e.ID, Breaker: paraph.BreakerOpen, HeldUntil: until}}, Frees: []webhook.Free{{EndpointID: e.ID}}})
		s.must(err)
		lanes, err := s.Store.LanesOf(t.Context(), s.Who.AccountID)
		s.must(err)
		equal(t, "what a stranger's word does", fmt.Sprint(lanes[e.ID].NodeID, lanes[e.ID].Breaker), "a"+string(paraph.BreakerClosed))
		ds := s.queue(e, 1)
		out, err := q.Settle(t.Context(), webhook.Batch{Node: "a", Frees: []webhook.Free{{EndpointID: e.ID}}})
		s.must(err)
		equal(t, "due when it was given back", fmt.Sprint(out.Due), fmt.Sprint([]int64{ds[0].EndpointID}))
		equal(t, "now the second", take("b"), true)
		s.must(q.Leave(t.Context(), "b", nil))
		equal(t, "after it left", take("a"), true)
	})
}

// TestTheBreakerHoldsBackAFailingEndpoint: ten failures, then one probe each
// half a minute until it is well, and no attempt is spent by waiting.
func TestTheBreakerHoldsBackAFailingEndpoint(t *testing.T) {
	t.Parallel()
	eachSender(t, func(t *testing.T, s *sender) {
		r := newReceiver(t, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500)
		e := s.endpoint(r.url, func(e *paraph.Endpoint) { e.Concurrency = 1 })
		ds := s.queue(e, 14)
		for range 10 {
			s.result()
		}
		breaker := func() (l paraph.Lane) {
			s.settled()
			lanes, err := s.Store.LanesOf(t.Context(), s.Who.AccountID)
			s.must(err)
			return lanes[e.ID]
		}
		equal(t, "after ten failures", breaker().Breaker, paraph.BreakerOpen)
		equal(t, "it holds for", breaker().HeldUntil.Sub(s.Store.Now()), 30*time.Second)
		s.pass(30*time.Second - time.Microsecond)
		s.settled()
		equal(t, "requests while it holds", r.count.Load(), 10)
		s.pass(time.Microsecond)
		equal(t, "the probe is the one that was due for longest", s.result().Delivery.ID, ds[10].ID)
		equal(t, "after a probe that failed", breaker().Breaker, paraph.BreakerOpen)
		equal(t, "requests", r.count.Load(), 11)
		s.pass(30 * time.Second)
		for range 3 { // the probe, which is taken, and what waited behind it
			equal(t, "state", s.result().Delivery.State, paraph.DeliverySucceeded)
		}
		equal(t, "after one that succeeded", breaker().Breaker, paraph.BreakerClosed)
		for _, d := range ds[11:] {
			equal(t, "attempts", s.delivery(d.ID).Attempts, 1)
		}
		equal(t, "times it opened", s.dispatcher.Stats().Opened, int64(2))
	})
}

// TestEarsThatWereCut: a node whose connection for announcements is cut hears
// again, and what was committed meanwhile is found, though none of the nodes
// looks by itself.
func TestEarsThatWereCut(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	nodes := clusterAt(t, database, 2)
	db, err := sql.Open("pgx", database)
	nodes[0].must(err)
	defer db.Close()
	r := newReceiver(t)
	e := nodes[0].endpoint(r.url)
	nodes[0].queueAs(e, 0, 1) // so that this one holds the lane
	all(t, nodes, 1)
	for i := range 4 {
		cut := 0
		nodes[0].must(db.QueryRowContext(t.Context(), `SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname = current_database() AND query LIKE 'LISTEN %'`).Scan(&cut))
		if i == 0 && cut == 0 {
			t.Error("nobody listened")
		}
		nodes[1-i%2].queueAs(e, i+1, 1)
		all(t, nodes, 1)
	}
	equal(t, "requests", r.count.Load(), 5)
}

// TestASlowBreakerSpendsNoAttempts: with many deliveries waiting for a receiver
// that is down, the breaker's one probe in half a minute makes the schedule
// longer and not shorter: each has all its attempts, none before its time, and
// none is given up by the clock. When the receiver is back, the next probe
// lets all go that are left.
func TestASlowBreakerSpendsNoAttempts(t *testing.T) {
	t.Parallel()
	eachSender(t, func(t *testing.T, s *sender) {
		const n, attempts = 25, 3
		down := newReceiver(t, slices.Repeat([]int{503}, n*attempts)...)
		stays := s.endpoint(down.url, func(e *paraph.Endpoint) { e.Schedule, e.Concurrency = "60,60", 1 })
		began := s.Store.Now()
		ds := s.queue(stays, n)
		for range 10 {
			s.result()
		}
		for range n*attempts - 10 {
			s.holds(stays)
			s.pass(30 * time.Second)
			s.result()
		}
		if took := s.Store.Now().Sub(began); took < 30*time.Minute {
			t.Errorf("%d attempts took %s", n*attempts, took)
		}
		for _, d := range ds {
			equal(t, "state", s.delivery(d.ID).State, paraph.DeliveryFailed)
			log, err := s.Store.Attempts(t.Context(), s.Who.AccountID, d.ID)
			s.must(err)
			equal(t, "attempts in the log", len(log), attempts)
			for i := 1; i < len(log); i++ {
				if waited := log[i].At.Sub(log[i-1].At); waited < time.Minute {
					t.Errorf("attempt %d came %s after the one before", i+1, waited)
				}
			}
		}

		back := newReceiver(t, slices.Repeat([]int{503}, 12)...)
		returns := s.endpoint(back.url, func(e *paraph.Endpoint) { e.Schedule, e.Concurrency = "60,60", 1 })
		ds = s.queue(returns, n)
		for range 10 {
			s.result()
		}
		for range 2 {
			s.holds(returns)
			s.pass(30 * time.Second)
			s.result()
		}
		s.holds(returns)
		s.pass(30 * time.Second)
		for i := range n { // those that were never tried, and those whose minute is over
			if i == n-1 {
				s.settled()
				s.pass(30 * time.Second) // the last probe that failed has a minute of its own
			}
			equal(t, "state", s.result().Delivery.State, paraph.DeliverySucceeded)
		}
		for _, d := range ds {
			if x := s.delivery(d.ID); x.State != paraph.DeliverySucceeded || x.Attempts > 2 {
				t.Errorf("%s is %s after %d attempts", x.MessageID, x.State, x.Attempts)
			}
		}
	})
}

// holds waits until an endpoint's breaker is open, and holds.
func (s *sender) holds(e paraph.Endpoint) {
	s.t.Helper()
	for {
		lanes, err := s.Store.LanesOf(s.t.Context(), s.Who.AccountID)
		s.must(err)
		if l := lanes[e.ID]; l.Breaker == paraph.BreakerOpen && l.HeldUntil.After(s.Store.Now()) {
			return
		}
		runtime.Gosched()
	}
}
