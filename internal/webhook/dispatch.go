package webhook

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/paraph-sign/paraph"
)

// DispatcherConfig is what a Dispatcher is made of. Queue, Client and Log are
// needed.
type DispatcherConfig struct {
	Queue  Queue
	Client *Client
	Log    *slog.Logger
	// Lease is how long a claim holds; it is renewed three times in it.
	Lease time.Duration // 0 means 30 s
	// Poll is how often rows are looked for that nobody announced: those of
	// other nodes, and those that a crash left.
	Poll time.Duration // 0 means 2 s
	// Grace is how long requests under way may go on after Stop.
	Grace time.Duration // 0 means 10 s
	// InFlight bounds the requests of all lanes together.
	InFlight int            // 0 means 4096
	Jitter   func() float64 // in [0,1); nil is random
	// Observe is told of each attempt once it is written; it must not block.
	Observe func(Result)
}

// Dispatcher sends what is due. Each endpoint with something to send has a
// lane of its own, so that none waits for another; an endpoint with nothing to
// send has nothing here. All writing is done by one scribe, which puts what is
// there at the moment into one transaction.
type Dispatcher struct {
	cfg     DispatcherConfig
	wants   chan want
	results chan Result
	places  chan struct{} // one for each request under way

	mu      sync.Mutex
	lanes   map[int64]*lane
	limits  map[int64]*rate.Limiter // of endpoints with a rate
	stopped bool

	sending context.Context // ends when requests under way have to break off
	cutOff  context.CancelFunc
	looking context.Context // ends when nothing new is to be taken
	noMore  context.CancelFunc
	running sync.WaitGroup // lanes
	helping sync.WaitGroup // poll, heartbeat
	scribe  scribe
	once    sync.Once
}

// NewDispatcher makes a dispatcher; it sends nothing before Start.
func NewDispatcher(cfg DispatcherConfig) (*Dispatcher, error) {
	if cfg.Queue == nil || cfg.Client == nil || cfg.Log == nil {
		return nil, errors.New("webhook: Queue, Client and Log are needed")
	}
	if cfg.Lease == 0 {
		cfg.Lease = 30 * time.Second
	}
	if cfg.Poll == 0 {
		cfg.Poll = 2 * time.Second
	}
	if cfg.Grace == 0 {
		cfg.Grace = 10 * time.Second
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
		cfg: cfg, wants: make(chan want, 256), results: make(chan Result, 1024), places: make(chan struct{}, cfg.InFlight),
		lanes: map[int64]*lane{}, limits: map[int64]*rate.Limiter{},
	}
	d.sending, d.cutOff = context.WithCancel(context.Background())
	d.looking, d.noMore = context.WithCancel(context.Background())
	d.scribe = scribe{queue: cfg.Queue, log: cfg.Log, observe: cfg.Observe, wants: d.wants, results: d.results, ending: d.looking, ended: make(chan struct{})}
	return d, nil
}

// Start sends what is due, now and from now on. Call it once.
func (d *Dispatcher) Start() {
	go d.scribe.run()
	d.helping.Go(d.poll)
	d.helping.Go(d.heartbeat)
}

// Stop takes nothing new, waits for the requests under way, breaks those off
// that outlast Grace, and gives back what was claimed and not sent. It belongs
// to a Start; a second Stop waits for the first.
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
}

// Wake says that a delivery for an endpoint was committed or changed. It never
// blocks for long.
func (d *Dispatcher) Wake(endpointID int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped {
		return
	}
	l, ok := d.lanes[endpointID]
	if !ok {
		l = newLane(d, endpointID)
		d.lanes[endpointID] = l
		d.running.Go(l.run)
	}
	l.poke()
}

// Poke looks for due deliveries of all endpoints now.
func (d *Dispatcher) Poke(ctx context.Context) error {
	lanes, err := d.cfg.Queue.Lanes(ctx)
	if err != nil {
		return err
	}
	now := d.cfg.Queue.Now()
	for _, l := range lanes {
		if !l.NextAt.After(now) {
			d.Wake(l.EndpointID)
		}
	}
	return nil
}

func (d *Dispatcher) poll() {
	for {
		if err := d.Poke(d.looking); err != nil && d.looking.Err() == nil {
			d.cfg.Log.Error("look for due deliveries", "error", err)
		}
		select {
		case <-d.looking.Done():
			return
		case <-time.After(d.cfg.Poll):
		}
	}
}

// heartbeat renews the claims of all lanes for as long as requests are under
// way.
func (d *Dispatcher) heartbeat() {
	t := time.NewTicker(d.cfg.Lease / 3)
	defer t.Stop()
	for {
		select {
		case <-d.sending.Done():
			return
		case <-t.C:
		}
		if err := d.renew(); err != nil && d.sending.Err() == nil {
			d.cfg.Log.Error("renew the claims of deliveries", "error", err)
		}
	}
}

func (d *Dispatcher) renew() error {
	claims, holders := map[string][]int64{}, []*lane{}
	d.mu.Lock()
	for _, l := range d.lanes {
		if ids := l.held(); len(ids) > 0 {
			claims[l.claimID] = ids
			holders = append(holders, l)
		}
	}
	d.mu.Unlock()
	if len(claims) == 0 {
		return nil
	}
	until := d.cfg.Queue.Now().Add(d.cfg.Lease)
	if err := d.cfg.Queue.Extend(d.sending, claims, d.cfg.Lease); err != nil {
		return err
	}
	for _, l := range holders {
		l.renew(claims[l.claimID], until)
	}
	return nil
}

// retire ends a lane that has nothing to do, unless it was poked meanwhile. A
// timer wakes it when more is due before the next poll; the rest is the
// poll's, so that lanes leave no long timers behind.
func (d *Dispatcher) retire(l *lane) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(l.poked) > 0 {
		return false
	}
	delete(d.lanes, l.endpointID)
	if next := earliest(l.nextAt, l.retryAt); !next.IsZero() {
		if wait := next.Sub(d.cfg.Queue.Now()); wait > 0 && wait < d.cfg.Poll {
			time.AfterFunc(wait, func() { d.Wake(l.endpointID) })
		}
	}
	return true
}

func (d *Dispatcher) remove(l *lane) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.lanes, l.endpointID)
}

func (d *Dispatcher) stopping() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stopped
}

// limiter is the token bucket of an endpoint with a rate; it outlives lanes.
func (d *Dispatcher) limiter(e paraph.Endpoint) *rate.Limiter {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e.Rate <= 0 {
		delete(d.limits, e.ID)
		return nil
	}
	l, ok := d.limits[e.ID]
	if !ok {
		l = rate.NewLimiter(rate.Limit(e.Rate), max(1, int(e.Rate)))
		d.limits[e.ID] = l
	}
	if l.Limit() != rate.Limit(e.Rate) {
		now := d.cfg.Queue.Now()
		l.SetLimitAt(now, rate.Limit(e.Rate))
		l.SetBurstAt(now, max(1, int(e.Rate)))
	}
	return l
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
	return Stats{Lanes: len(d.lanes), Held: len(d.lanes), InFlight: len(d.places)}
}

// settled is what a delivery becomes by the outcome of an attempt.
func settled(e paraph.Endpoint, d paraph.Delivery, o Outcome, now time.Time, jitter float64) Result {
	if o.Ours() {
		d.NextAttemptAt = now
		if o.Code != CodeShutdown {
			d.NextAttemptAt = now.Add(10 * time.Second)
		}
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
