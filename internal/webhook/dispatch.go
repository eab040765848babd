package webhook

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/paraph-sign/paraph"
)

// DispatcherConfig is what a Dispatcher is made of. Queue, Client and Log are
// needed.
type DispatcherConfig struct {
	Queue  Queue
	Client *Client
	Log    *slog.Logger
	// Lease is how long this node holds its lanes after it was last heard of;
	// it is renewed three times in it.
	Lease time.Duration // 0 means 30 s
	// Poll is how often, at least, the queue is asked what is due. All that is
	// there is looked at every fifteenth time.
	Poll time.Duration // 0 means 2 s
	// Linger is how long an idle lane is held for what comes next.
	Linger time.Duration // 0 means 5 s
	// Grace is how long requests under way may go on after Stop.
	Grace time.Duration // 0 means 10 s
	// InFlight bounds the requests of all lanes together, at least 2; see
	// crowd.
	InFlight int            // 0 means 4096
	Jitter   func() float64 // in [0,1); nil is random
	// Observe is told of each attempt once it is written; it must not block.
	Observe func(Result)
}

// Dispatcher sends what is due. Each endpoint with something to send has a
// lane of its own, so that none waits for another; an endpoint with nothing to
// send has nothing here. A lane is held by one node at a time. All writing is
// done by one scribe, which puts what is there at the moment into one
// transaction.
type Dispatcher struct {
	cfg     DispatcherConfig
	wants   chan want
	results chan Result
	notes   chan note
	crowd   *crowd

	term    atomic.Pointer[term] // nil: we hold nothing
	beating sync.Mutex
	stalled atomic.Bool   // a lane waits for the lease to be renewed
	hurry   chan struct{} // renew the lease now
	kicked  chan struct{} // look now
	all     atomic.Bool   // and look at everything

	mu      sync.Mutex
	lanes   map[int64]*lane    // with a goroutine
	parked  map[int64]*lane    // held, and nothing to do
	freeing map[int64]bool     // being given back; true: woken meanwhile
	refused map[int64]*refusal // held by other nodes a moment ago
	stopped bool

	reclaimed, opened atomic.Int64

	sending context.Context // ends when requests under way have to break off
	cutOff  context.CancelFunc
	looking context.Context // ends when nothing new is to be taken
	noMore  context.CancelFunc
	running sync.WaitGroup // lanes
	helping sync.WaitGroup // heartbeat, watch, ears
	scribe  scribe
	once    sync.Once
}

// refusal is a lane that another node holds. Whoever changes its queue tells
// that node too, so to try again and again would only cost transactions.
type refusal struct {
	until time.Time // by the machine's clock
	woken bool
}

const refusalTime = 250 * time.Millisecond

// NewDispatcher makes a dispatcher; it sends nothing before Start.
func NewDispatcher(cfg DispatcherConfig) (*Dispatcher, error) {
	if cfg.Queue == nil || cfg.Client == nil || cfg.Log == nil {
		return nil, errors.New("webhook: Queue, Client and Log are needed")
	}
	for _, x := range []struct {
		d    *time.Duration
		when time.Duration
	}{{&cfg.Lease, 30 * time.Second}, {&cfg.Poll, 2 * time.Second}, {&cfg.Linger, 5 * time.Second}, {&cfg.Grace, 10 * time.Second}} {
		if *x.d == 0 {
			*x.d = x.when
		}
	}
	if cfg.InFlight == 0 {
		cfg.InFlight = 4096
	}
	if cfg.Jitter == nil {
		cfg.Jitter = rand.Float64
	}
	if cfg.Observe == nil {
		cfg.Observe = func(Result) {}
	}
	d := &Dispatcher{
		cfg: cfg, wants: make(chan want, 256), results: make(chan Result, 1024), notes: make(chan note, 256), crowd: newCrowd(cfg.InFlight),
		hurry: make(chan struct{}, 1), kicked: make(chan struct{}, 1),
		lanes: map[int64]*lane{}, parked: map[int64]*lane{}, freeing: map[int64]bool{}, refused: map[int64]*refusal{},
	}
	d.sending, d.cutOff = context.WithCancel(context.Background())
	d.looking, d.noMore = context.WithCancel(context.Background())
	d.scribe = scribe{
		queue: cfg.Queue, log: cfg.Log, observe: cfg.Observe, node: d.node, freed: d.freed,
		wants: d.wants, results: d.results, notes: d.notes, ending: d.looking, ended: make(chan struct{}),
	}
	return d, nil
}

// Start sends what is due, now and from now on. Call it once.
func (d *Dispatcher) Start() {
	go d.scribe.run()
	d.helping.Go(d.keepAlive)
	d.helping.Go(d.watch)
	d.helping.Go(func() { d.cfg.Queue.Listen(d.looking, d.hear) })
}

// Stop takes nothing new, waits for the requests under way, breaks those off
// that outlast Grace, and gives back all lanes, so that another node goes on
// at once. It belongs to a Start; a second Stop waits for the first.
func (d *Dispatcher) Stop() { d.once.Do(d.stop) }

func (d *Dispatcher) stop() {
	d.noMore()
	d.mu.Lock()
	d.stopped = true
	for _, l := range d.lanes {
		l.poke()
	}
	d.mu.Unlock()
	late := time.AfterFunc(d.cfg.Grace, d.cutOff)
	d.running.Wait()
	late.Stop()
	d.cutOff()
	d.helping.Wait()
	close(d.wants)
	<-d.scribe.ended
	d.leave()
}

// leave is the end of our term. If it can't be written, our lease runs out.
func (d *Dispatcher) leave() {
	node := d.node()
	if node == "" {
		return
	}
	d.mu.Lock()
	frees := make([]Free, 0, len(d.parked))
	now := d.cfg.Queue.Now()
	for _, l := range d.parked {
		frees = append(frees, l.free(now))
	}
	d.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := d.cfg.Queue.Leave(ctx, node, frees); err != nil {
		d.cfg.Log.Warn("give back the lanes of this node; others wait for its lease to run out", "error", err)
	}
	d.term.Store(nil)
}

// Wake says that a delivery for an endpoint was committed or changed. It never
// blocks for long. Before the first lease it does nothing, for then
// everything is looked at.
func (d *Dispatcher) Wake(endpointID int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wake(endpointID)
}

func (d *Dispatcher) wake(id int64) {
	if d.stopped || d.term.Load() == nil {
		return
	}
	if _, ok := d.freeing[id]; ok {
		d.freeing[id] = true
		return
	}
	if r, ok := d.refused[id]; ok {
		if time.Now().Before(r.until) {
			r.woken = true
			return
		}
		delete(d.refused, id)
	}
	l, ok := d.lanes[id]
	if !ok {
		if l, ok = d.parked[id]; ok {
			delete(d.parked, id)
		} else {
			l = newLane(d, id)
		}
		d.lanes[id] = l
		d.running.Go(l.run)
	}
	l.poke()
}

// retire ends the goroutine of a lane that has nothing to do, unless it was
// poked meanwhile. If we hold the lane it is parked, and given back when
// nothing comes for a while.
func (d *Dispatcher) retire(l *lane) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(l.poked) > 0 {
		return false
	}
	d.put(l)
	return true
}

func (d *Dispatcher) put(l *lane) {
	delete(d.lanes, l.endpointID)
	if l.held() {
		l.nextAt = l.breaker.until
	}
	switch {
	case l.term != nil && l.term == d.term.Load():
		l.parkedAt = time.Now()
		d.parked[l.endpointID] = l
		if len(d.parked) == 1 || !l.nextAt.IsZero() && l.nextAt.Sub(d.cfg.Queue.Now()) < d.cfg.Poll { // the watch may be asleep for want of any
			d.kick()
		}
	case l.unasked:
		d.all.Store(true) // it is found again with the others, at the next poll
	default:
		d.refused[l.endpointID] = &refusal{until: time.Now().Add(refusalTime)}
		if len(d.refused) == 1 {
			d.kick()
		}
	}
}

func (d *Dispatcher) remove(l *lane) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.put(l)
}

func (d *Dispatcher) stopping() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stopped
}

// Stats are the dispatcher's figures of this moment, and counts since Start.
type Stats struct {
	Lanes     int   // endpoints that are being worked for
	Held      int   // lanes that this node holds, those with nothing to do just now included
	InFlight  int   // requests under way
	Reclaimed int64 // lanes taken from nodes that died, since Start
	Opened    int64 // times a breaker opened, since Start
}

// Stats may be called at any time.
func (d *Dispatcher) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return Stats{
		Lanes: len(d.lanes), Held: len(d.lanes) + len(d.parked) + len(d.freeing), InFlight: d.crowd.size(),
		Reclaimed: d.reclaimed.Load(), Opened: d.opened.Load(),
	}
}

// settled is what a delivery becomes by the outcome of an attempt.
func settled(e paraph.Endpoint, d paraph.Delivery, o Outcome, now time.Time, jitter float64) Result {
	if o.Ours() {
		d.NextAttemptAt = now.Add(10 * time.Second)
		return Result{Delivery: d}
	}
	d.Attempts++
	d.LastStatus, d.LastError = o.Status, o.Code
	r := Result{Attempt: o.Attempt(d.ID, d.Attempts), Gone: o.Gone()}
	switch schedule, err := ParseSchedule(e.Schedule); {
	case o.Succeeded():
		d.State, d.FinishedAt, d.LastError = paraph.DeliverySucceeded, now, ""
	case err != nil || o.Gone() || d.Test:
		d.State, d.FinishedAt = paraph.DeliveryFailed, now
	default:
		next, again := schedule.Next(d.Attempts-d.Before, now, o.RetryAfter, jitter)
		d.NextAttemptAt = next
		if !again {
			d.State, d.FinishedAt = paraph.DeliveryFailed, now
		}
	}
	r.Delivery = d
	return r
}
