package e2e

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/dev/faulttest"
	"github.com/paraph-sign/paraph/internal/dev/pgtest"
)

// The stories of this file, and TestFaultFullDisk, have the same end: whatever
// a server accepted, by answering 2xx, is there; every event of it has reached
// every endpoint; nothing is completed and unsealed. A delivery may have come
// twice when it was in flight at a fault, sent and not yet written down, and
// only then. docs/faults.md has the table.

// inFlightAtOnce is how many requests a node has under way at most.
func inFlightAtOnce(c *customers) int { return len(c.endpoints) * paraph.DefaultConcurrency }

// TestFaultKilled: a server on SQLite is killed at random moments under load.
func TestFaultKilled(t *testing.T) {
	t.Parallel()
	began, n := time.Now(), faulttest.Times(2, 6, 50)
	s := newServer(t)
	s.start()
	c := newCustomers(t, s)
	dice, inFlight, seen := newDice(t), 0, 0
	for i := range n {
		stop := c.begin(3)
		if i == 0 || dice.IntN(5) > 0 { // one time in five the kill comes while the server is still starting
			c.progress()
		}
		time.Sleep(time.Duration(dice.IntN(700)) * time.Millisecond) // a random moment is the point
		s.kill()
		stop()
		inFlight += c.unrecorded(&seen)
		s.start()
	}
	c.finish("SQLite, kill -9", n, inFlight, began)
}

// TestFaultNodeKilled: one of three nodes on a Postgres is killed under load,
// again and again. The others go on.
func TestFaultNodeKilled(t *testing.T) {
	t.Parallel()
	began, n := time.Now(), faulttest.Times(1, 2, 20)
	data, database := t.TempDir(), pgtest.New(t)
	nodes := []*server{newNode(t, data, database), newNode(t, data, database), newNode(t, data, database)}
	for _, s := range nodes {
		s.start()
	}
	c := newCustomers(t, nodes...)
	dice, inFlight, seen := newDice(t), 0, 0
	stop := c.begin(4)
	for range n {
		c.progress()
		time.Sleep(time.Duration(dice.IntN(700)) * time.Millisecond) // a random moment is the point
		victim := nodes[dice.IntN(len(nodes))]
		victim.kill()
		inFlight += c.unrecorded(&seen) // of all nodes, so it is more than the victim's
		c.progress()
		victim.start()
	}
	stop()
	c.finish("Postgres, kill -9 of one of three nodes", n, inFlight, began)
}

// TestFaultPostgresRestarted: Postgres goes away under load and comes back,
// shut down and crashed in turn. The server says 5xx meanwhile, and goes on.
func TestFaultPostgresRestarted(t *testing.T) {
	t.Parallel()
	began, n := time.Now(), faulttest.Times(1, 2, 20)
	cluster := pgtest.NewCluster(t)
	s := newNode(t, t.TempDir(), cluster.URL())
	s.start()
	c := newCustomers(t, s)
	c.excused = func(r *refusal) bool { return r.status >= 500 }
	dice := newDice(t)
	stop := c.begin(3)
	for i := range n {
		c.progress()
		time.Sleep(time.Duration(dice.IntN(700)) * time.Millisecond) // a random moment is the point
		cluster.Stop([]string{"INT", "QUIT"}[i%2])
		time.Sleep(time.Duration(dice.IntN(1000)) * time.Millisecond)
		cluster.Start()
	}
	c.progress()
	stop()
	c.finish("Postgres restarted", n, n*inFlightAtOnce(c), began)
}

func newDice(t *testing.T) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// begin lets n customers work until the function that it returns is called.
func (c *customers) begin(n int) (stop func()) {
	ctx, cancel := context.WithCancel(c.t.Context())
	var all sync.WaitGroup
	for range n {
		all.Go(func() { c.work(ctx) })
	}
	return func() {
		cancel()
		all.Wait()
	}
}

// finish waits until nothing is left to do, and holds the story to its account.
func (c *customers) finish(story string, faults, inFlight int, began time.Time) {
	c.t.Helper()
	c.settle()
	c.check()
	c.tally(faulttest.Tally{Story: story, Faults: faults, InFlight: inFlight}, began)
}

// tally counts what is owed and what came, by the server's own log.
func (c *customers) tally(x faulttest.Tally, began time.Time) {
	c.t.Helper()
	taken := c.taken()
	for _, id := range c.endpoints {
		for _, d := range c.deliveries(id, "") {
			x.Accepted++
			if d.State == string(paraph.DeliverySucceeded) && taken[d.MessageID] > 0 {
				x.Delivered++
			} else {
				c.t.Errorf("%s %s is %s and was taken %d times", d.Event, d.MessageID, d.State, taken[d.MessageID])
			}
			x.Twice += max(0, taken[d.MessageID]-1)
		}
	}
	x.Took = time.Since(began)
	x.Check(c.t)
}

// taken is how often each message was answered 2xx.
func (c *customers) taken() map[string]int {
	n := map[string]int{}
	for _, h := range c.hooks.all() {
		if h.status/100 == 2 {
			n[h.id]++
		}
	}
	return n
}

// unrecorded counts the deliveries that were on the way when the server was
// killed now: sent since the kill before, and not written down. They are taken
// from the webhooks that arrived, of which the first are seen already.
func (c *customers) unrecorded(seen *int) (n int) {
	c.t.Helper()
	hooks, sent := c.hooks.all(), map[string]bool{}
	for _, h := range hooks[*seen:] {
		sent[h.id] = true
	}
	*seen = len(hooks)
	c.eachPending(func(d paraph.Delivery) {
		if sent[d.MessageID] {
			n++
		}
	})
	c.t.Logf("%d on the way", n)
	return n
}
