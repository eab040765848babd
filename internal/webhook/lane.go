package webhook

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/paraph-sign/paraph"
)

// lane sends the deliveries of one endpoint. It lives in one goroutine while
// there is something to do; only held is asked from outside.
type lane struct {
	d          *Dispatcher
	endpointID int64
	claimID    string
	poked      chan struct{} // somebody says that there is something to do
	granted    chan Grant
	done       chan int64 // a request ended: the id of its delivery

	endpoint paraph.Endpoint
	limiter  *rate.Limiter
	buffer   []paraph.Delivery // claimed, not sent yet
	flying   int               // requests under way
	asked    bool              // a want is with the scribe
	fresh    bool              // there may be more than we know of: ask
	nextAt   time.Time         // when more is due, as of the last grant

	mu     sync.Mutex
	claims map[int64]struct{} // what we hold: buffered or under way
}

func newLane(d *Dispatcher, endpointID int64) *lane {
	return &lane{
		d: d, endpointID: endpointID, claimID: paraph.NewToken(16), poked: make(chan struct{}, 1), granted: make(chan Grant, 1),
		done: make(chan int64, paraph.MaxConcurrency), claims: map[int64]struct{}{},
	}
}

func (l *lane) poke() {
	select {
	case l.poked <- struct{}{}:
	default:
	}
}

// held are the ids of the deliveries that the lane holds.
func (l *lane) held() []int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	ids := make([]int64, 0, len(l.claims))
	for id := range l.claims {
		ids = append(ids, id)
	}
	return ids
}

func (l *lane) hold(ds []paraph.Delivery) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, d := range ds {
		l.claims[d.ID] = struct{}{}
	}
}

func (l *lane) drop(id int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.claims, id)
}

// run works until there is nothing left to do, or the dispatcher stops.
func (l *lane) run() {
	l.fresh = true
	var tokens <-chan time.Time // when the rate allows the next request
	for {
		if l.d.stopping() {
			l.finish()
			return
		}
		wait := l.launch()
		tokens = nil
		if wait > 0 {
			tokens = time.After(wait)
		}
		l.ask()
		if l.idle() && l.d.retire(l, l.nextAt) {
			return
		}
		select {
		case <-l.poked:
			l.fresh = true
		case g := <-l.granted:
			l.take(g)
		case id := <-l.done:
			l.landed(id)
		case <-tokens:
		}
	}
}

func (l *lane) idle() bool {
	return len(l.buffer) == 0 && l.flying == 0 && !l.asked && !l.fresh
}

// ask wants more when the buffer runs low and there may be more.
func (l *lane) ask() {
	n := l.room()
	if l.asked || !l.fresh || n <= 0 {
		return
	}
	l.asked, l.fresh = true, false
	l.d.wants <- want{Want{l.endpointID, l.claimID, l.d.cfg.Lease, n}, l.granted}
}

// room is how many more deliveries the lane can take: enough to be busy for
// the time that a commit takes.
func (l *lane) room() int {
	switch {
	case l.endpoint.ID == 0: // we don't know its concurrency yet
		return paraph.DefaultConcurrency
	case l.endpoint.Ordered:
		return 1 - l.flying - len(l.buffer)
	}
	most := max(4*l.endpoint.Concurrency, 32)
	if len(l.buffer) > most/2 {
		return 0
	}
	return most - len(l.buffer)
}

func (l *lane) take(g Grant) {
	l.asked = false
	l.endpoint, l.nextAt = g.Endpoint, g.Next
	l.limiter = l.d.limiter(g.Endpoint)
	l.buffer = append(l.buffer, g.Deliveries...)
	l.hold(g.Deliveries)
	if len(g.Deliveries) > 0 && !l.nextAt.IsZero() && !l.nextAt.After(l.d.cfg.Queue.Now()) {
		l.fresh = true // more is due already
	}
}

// landed takes note that a request ended and its result is with the scribe. A
// lane that is about to rest asks once more: a failure may be due again.
func (l *lane) landed(id int64) {
	l.flying--
	l.drop(id)
	if len(l.buffer) == 0 && (l.flying == 0 || l.endpoint.Ordered) {
		l.fresh = true
	}
}

// launch sends as much as concurrency and rate allow. It answers how long the
// rate asks to wait, 0 when it does not.
func (l *lane) launch() time.Duration {
	most := l.endpoint.Concurrency
	if l.endpoint.Ordered {
		most = 1
	}
	for len(l.buffer) > 0 && l.flying < most {
		if l.limiter != nil {
			r := l.limiter.Reserve()
			if wait := r.Delay(); wait > 0 {
				r.Cancel()
				return wait
			}
		}
		d := l.buffer[0]
		l.buffer = l.buffer[1:]
		l.flying++
		go l.send(l.endpoint, d)
	}
	return 0
}

func (l *lane) send(e paraph.Endpoint, d paraph.Delivery) {
	l.d.places <- struct{}{}
	o := l.d.cfg.Client.Send(l.d.sending, NewRequest(e, d))
	<-l.d.places
	l.d.results <- settled(e, d, o, l.d.cfg.Queue.Now(), l.d.cfg.Jitter())
	l.done <- d.ID
}

// finish waits for the requests under way and gives back what was not sent.
func (l *lane) finish() {
	if l.asked {
		l.take(<-l.granted)
	}
	for l.flying > 0 {
		l.landed(<-l.done)
	}
	if ids := l.held(); len(ids) > 0 {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := l.d.cfg.Queue.Release(ctx, map[string][]int64{l.claimID: ids}); err != nil {
			l.d.cfg.Log.Warn("give deliveries back", "endpoint", l.endpointID, "error", err)
		}
	}
	l.d.mu.Lock()
	delete(l.d.lanes, l.endpointID)
	l.d.mu.Unlock()
}
