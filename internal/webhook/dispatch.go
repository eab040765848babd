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
	InFlight int            // 0 means 1024
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

	sending  context.Context // ends when requests under way have to break off
	cutOff   context.CancelFunc
	running  sync.WaitGroup // lanes
	stopPoll context.CancelFunc
	polling  sync.WaitGroup
	scribing chan struct{} // closed when the scribe has written its last
}

// want is a Want and where the answer goes.
type want struct {
	Want
	granted chan<- Grant
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
		cfg.InFlight = 1024
	}
	if cfg.Jitter == nil {
		cfg.Jitter = rand.Float64
	}
	if cfg.Observe == nil {
		cfg.Observe = func(Result) {}
	}
	d := &Dispatcher{
		cfg: cfg, wants: make(chan want, 256), results: make(chan Result, 1024), places: make(chan struct{}, cfg.InFlight),
		lanes: map[int64]*lane{}, limits: map[int64]*rate.Limiter{}, scribing: make(chan struct{}),
	}
	d.sending, d.cutOff = context.WithCancel(context.Background())
	return d, nil
}

// Start sends what is due, now and from now on.
func (d *Dispatcher) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	d.stopPoll = cancel
	go d.scribe()
	d.polling.Go(func() { d.poll(ctx) })
	d.polling.Go(func() { d.heartbeat(ctx) })
}

// Stop takes nothing new, waits for the requests under way, breaks those off
// that outlast Grace, and gives back what was claimed and not sent.
func (d *Dispatcher) Stop() {
	d.stopPoll()
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
	d.polling.Wait()
	close(d.wants)
	<-d.scribing
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

func (d *Dispatcher) poll(ctx context.Context) {
	for {
		if err := d.Poke(ctx); err != nil && ctx.Err() == nil {
			d.cfg.Log.Error("look for due deliveries", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(d.cfg.Poll):
		}
	}
}

// heartbeat renews the claims of all lanes.
func (d *Dispatcher) heartbeat(ctx context.Context) {
	t := time.NewTicker(d.cfg.Lease / 3)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		claims := map[string][]int64{}
		d.mu.Lock()
		for _, l := range d.lanes {
			if ids := l.held(); len(ids) > 0 {
				claims[l.claimID] = ids
			}
		}
		d.mu.Unlock()
		if len(claims) == 0 {
			continue
		}
		if err := d.cfg.Queue.Extend(ctx, claims, d.cfg.Lease); err != nil && ctx.Err() == nil {
			d.cfg.Log.Error("renew the claims of deliveries", "error", err)
		}
	}
}

// retire ends a lane that has nothing to do, unless it was poked meanwhile.
// When more is due later, a timer wakes it.
func (d *Dispatcher) retire(l *lane, nextAt time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-l.poked:
		if !d.stopped {
			return false
		}
	default:
	}
	delete(d.lanes, l.endpointID)
	if !nextAt.IsZero() && !d.stopped {
		time.AfterFunc(max(nextAt.Sub(d.cfg.Queue.Now()), time.Millisecond), func() { d.Wake(l.endpointID) })
	}
	return true
}

func (d *Dispatcher) stopping() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stopped
}

// limiter is the token bucket of an endpoint with a rate; it outlives lanes.
func (d *Dispatcher) limiter(e paraph.Endpoint) *rate.Limiter {
	if e.Rate <= 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	l, ok := d.limits[e.ID]
	if !ok {
		l = rate.NewLimiter(rate.Limit(e.Rate), max(1, int(e.Rate)))
		d.limits[e.ID] = l
	}
	if l.Limit() != rate.Limit(e.Rate) {
		l.SetLimit(rate.Limit(e.Rate))
		l.SetBurst(max(1, int(e.Rate)))
	}
	return l
}

// The most that one transaction of the scribe takes in.
const (
	maxResults = 4096 // more than the channel holds, so that gather's order of draining means what it says
	maxWants   = 64
)

// scribe is the only one who writes: it takes what has come in since its last
// transaction and puts it into the next. A result that can't be written is
// tried again until it can; if we stop before, its claim runs out and the
// delivery is sent once more.
func (d *Dispatcher) scribe() {
	defer close(d.scribing)
	for {
		results, wants, more := d.gather()
		if len(results)+len(wants) > 0 {
			d.settle(results, wants)
		}
		if !more {
			return
		}
	}
}

// gather waits for something to write. Wants are drained before results, so
// that a result which its lane handed in before it wanted more is written
// before more is granted.
func (d *Dispatcher) gather() (results []Result, wants []want, more bool) {
	more = true
	select {
	case r := <-d.results:
		results = append(results, r)
	case w, ok := <-d.wants:
		if !ok {
			more = false
			break
		}
		wants = append(wants, w)
	}
	for more && len(wants) < maxWants {
		select {
		case w, ok := <-d.wants:
			if !ok {
				more = false
				continue
			}
			wants = append(wants, w)
			continue
		default:
		}
		break
	}
	for !more || len(results) < maxResults {
		select {
		case r := <-d.results:
			results = append(results, r)
			continue
		default:
		}
		break
	}
	return results, wants, more
}

func (d *Dispatcher) settle(results []Result, wants []want) {
	asked := make([]Want, len(wants))
	for i, w := range wants {
		asked[i] = w.Want
	}
	grants := d.insist(results, asked)
	for _, r := range results {
		d.cfg.Observe(r)
	}
	for i, w := range wants {
		w.granted <- grants[i]
	}
}

// insist repeats a transaction until it goes through. Without results there is
// nothing that could be lost, and wants are answered with nothing.
func (d *Dispatcher) insist(results []Result, wants []Want) []Grant {
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		grants, err := d.cfg.Queue.Settle(context.WithoutCancel(d.sending), results, wants)
		if err == nil {
			return grants
		}
		d.cfg.Log.Error("write the results of deliveries; will try again", "results", len(results), "in", pause, "error", err)
		if d.stopping() && pause > time.Second {
			d.cfg.Log.Error("results of deliveries were not written; they will be sent again", "results", len(results))
			return make([]Grant, len(wants))
		}
		time.Sleep(pause)
	}
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
