package webhook

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/paraph-sign/paraph"
)

// lane sends the deliveries of one endpoint. It lives in one goroutine while
// there is something to do; only held and renew are called from outside.
type lane struct {
	d          *Dispatcher
	endpointID int64
	claimID    string
	poked      chan struct{} // somebody says that something changed
	granted    chan reply
	done       chan landing

	endpoint paraph.Endpoint
	limiter  *rate.Limiter
	buffer   []paraph.Delivery // claimed, not sent yet
	ahead    int               // how much of a buffer it takes to stay busy
	flying   int               // requests under way
	asked    bool              // a want is with the scribe
	askedAt  time.Time
	askedN   int
	more     bool      // there may be more due than we have: ask when there is room
	stale    bool      // the endpoint may have changed: ask even without room
	nextAt   time.Time // when more was due, as of the last grant
	retryAt  time.Time // when the first is due that failed since

	mu     sync.Mutex
	claims map[int64]time.Time // what we hold, buffered or under way, and until when
}

// reply is what the scribe says to a want; not ok: it could not ask.
type reply struct {
	Grant
	ok bool
}

// landing tells that the request of a delivery ended and its result is with
// the scribe; again is when it is due once more, if it is.
type landing struct {
	id    int64
	again time.Time
}

// The buffer of a lane grows from the first to the last while the lane has to
// wait for its next deliveries. A slow endpoint keeps a small one, so that
// other nodes find something to do and a crash delays little.
const (
	firstAhead = 16
	lastAhead  = 128
)

func newLane(d *Dispatcher, endpointID int64) *lane {
	return &lane{
		d: d, endpointID: endpointID, claimID: paraph.NewToken(16), ahead: firstAhead, more: true, stale: true,
		poked: make(chan struct{}, 1), granted: make(chan reply, 1), done: make(chan landing, paraph.MaxConcurrency),
		claims: map[int64]time.Time{},
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

// renew notes until when claims hold, of those that are still held.
func (l *lane) renew(ids []int64, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		if _, ok := l.claims[id]; ok {
			l.claims[id] = until
		}
	}
}

// hold notes the claims of deliveries and returns those that are new. One that
// is still under way was granted again because its claim had run out.
func (l *lane) hold(ds []paraph.Delivery, until time.Time) []paraph.Delivery {
	l.mu.Lock()
	defer l.mu.Unlock()
	fresh := ds[:0]
	for _, d := range ds {
		if _, ok := l.claims[d.ID]; !ok {
			fresh = append(fresh, d)
		}
		l.claims[d.ID] = until
	}
	return fresh
}

func (l *lane) drop(id int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.claims, id)
}

// holds tells whether a claim holds at a time.
func (l *lane) holds(id int64, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return now.Before(l.claims[id])
}

// run works until there is nothing left to do, or the dispatcher stops.
func (l *lane) run() {
	for !l.d.stopping() {
		var tokens <-chan time.Time // when the rate allows the next request
		if wait := l.launch(); wait > 0 {
			tokens = time.After(wait)
		}
		l.ask()
		if l.idle() && l.d.retire(l) {
			return
		}
		select {
		case <-l.poked:
			l.more, l.stale = true, true
		case a := <-l.granted:
			l.take(a)
		case x := <-l.done:
			l.landed(x)
		case <-tokens:
		}
	}
	l.finish()
}

func (l *lane) idle() bool {
	return len(l.buffer) == 0 && l.flying == 0 && !l.asked && !l.more && !l.stale
}

// ask wants more when the buffer runs low and there may be more.
func (l *lane) ask() {
	n := l.room()
	if l.asked || !l.stale && !(l.more && n > 0) {
		return
	}
	now := l.d.cfg.Queue.Now()
	l.asked, l.askedAt, l.askedN, l.stale = true, now, n, false
	if n > 0 {
		l.more = false
	}
	if !l.retryAt.After(now) {
		l.retryAt = time.Time{} // its result is written before we are answered
	}
	l.d.wants <- want{Want{l.endpointID, l.claimID, l.d.cfg.Lease, n}, l.granted}
}

// room is how many more deliveries the lane can take.
func (l *lane) room() int {
	switch {
	case l.endpoint.ID == 0: // we don't know its concurrency yet
		return paraph.DefaultConcurrency
	case l.endpoint.Ordered:
		return max(0, 1-l.flying-len(l.buffer))
	}
	most := max(l.ahead, l.endpoint.Concurrency)
	if l.limiter != nil {
		most = min(most, l.limiter.Burst())
	}
	if len(l.buffer) > most/2 {
		return 0
	}
	return most - len(l.buffer)
}

func (l *lane) take(a reply) {
	l.asked = false
	if !a.ok {
		return // rows are looked for again at the next poll
	}
	if len(l.buffer) == 0 && l.flying < l.endpoint.Concurrency && len(a.Deliveries) == l.askedN && l.askedN > 0 {
		l.ahead = min(2*l.ahead, lastAhead) // it had to wait
	}
	l.endpoint, l.nextAt, l.limiter = a.Endpoint, a.Next, l.d.limiter(a.Endpoint)
	if !a.Endpoint.Enabled {
		l.forget() // what was queued has been skipped
		return
	}
	l.buffer = append(l.buffer, l.hold(a.Deliveries, a.Until)...)
	// Due rows that we were not given are in other hands.
	due := !a.Next.IsZero() && !a.Next.After(l.d.cfg.Queue.Now())
	if due && (len(a.Deliveries) > 0 || a.Next.After(l.askedAt)) {
		l.more = true
	}
}

// forget gives up what was claimed and not sent.
func (l *lane) forget() {
	for _, d := range l.buffer {
		l.drop(d.ID)
	}
	l.buffer = nil
}

func (l *lane) landed(x landing) {
	l.flying--
	l.drop(x.id)
	l.retryAt = earliest(l.retryAt, x.again)
	if l.endpoint.Ordered {
		l.more = true // a grant told us of the head alone
	}
}

// earliest is the earlier of two times, of which zero is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// launch sends as much as concurrency and rate allow. It answers how long the
// rate asks to wait, 0 when it does not.
func (l *lane) launch() time.Duration {
	most := l.endpoint.Concurrency
	if l.endpoint.Ordered {
		most = 1
	}
	now := l.d.cfg.Queue.Now()
	for len(l.buffer) > 0 && l.flying < most {
		d := l.buffer[0]
		if !l.holds(d.ID, now) { // somebody else may be sending it
			l.drop(d.ID)
			l.buffer, l.more = l.buffer[1:], true
			continue
		}
		if wait := l.token(now); wait > 0 {
			return wait
		}
		l.buffer = l.buffer[1:]
		l.flying++
		go l.send(l.endpoint, d)
	}
	return 0
}

// token takes the right to send one from the rate, or tells how long to wait
// for it.
func (l *lane) token(now time.Time) time.Duration {
	if l.limiter == nil {
		return 0
	}
	r := l.limiter.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

func (l *lane) send(e paraph.Endpoint, d paraph.Delivery) {
	l.d.places <- struct{}{}
	o := l.d.cfg.Client.Send(l.d.sending, NewRequest(e, d, l.d.cfg.Queue.Now()))
	<-l.d.places
	r := settled(e, d, o, l.d.cfg.Queue.Now(), l.d.cfg.Jitter())
	x := landing{id: d.ID}
	if r.Delivery.State == paraph.DeliveryPending {
		x.again = r.Delivery.NextAttemptAt
	}
	l.d.results <- r
	l.done <- x
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
	l.d.remove(l)
}
