package webhook

import (
	"time"

	"github.com/paraph-sign/paraph"
)

// lane sends the deliveries of one endpoint. It lives in one goroutine while
// there is something to do; parked it belongs to whoever holds the
// dispatcher's mutex.
type lane struct {
	d          *Dispatcher
	endpointID int64
	poked      chan struct{} // somebody says that something changed
	granted    chan reply
	done       chan landing

	term     *term // by which we hold it; nil: we don't
	endpoint paraph.Endpoint
	pace     pace
	breaker  breaker
	place    Place // how far it has been read
	buffer   []paraph.Delivery
	flying   map[int64]bool // requests under way, and whether each is the lane's first
	since    map[int64]bool // what landed since we asked: its row may have been read before

	ahead     int  // how much of a buffer it takes to stay busy
	asked     bool // a want is with the scribe
	unasked   bool // the last one could not be asked
	askedN    int
	askedTerm *term
	more      bool      // there may be more due than we have: ask when there is room
	stale     bool      // the endpoint may have changed: ask even without room
	nextAt    time.Time // when there is something to do again
	parkedAt  time.Time // by the machine's clock
}

// reply is what the scribe says to a want; not ok: it could not ask.
type reply struct {
	Grant
	ok bool
}

// landing tells that the request of a delivery ended and its result is with
// the scribe.
type landing struct {
	id     int64
	unsent bool      // there was no request, and there is no result
	ours   bool      // it failed by our own fault
	ok     bool      // it succeeded
	again  time.Time // when it is due once more, if it is
}

// The buffer of a lane grows from the first to the last while the lane has to
// wait for its next deliveries. A slow endpoint keeps a small one.
const (
	firstAhead = 16
	lastAhead  = 128
)

func newLane(d *Dispatcher, endpointID int64) *lane {
	return &lane{
		d: d, endpointID: endpointID, ahead: firstAhead, more: true, stale: true, flying: map[int64]bool{}, since: map[int64]bool{},
		poked: make(chan struct{}, 1), granted: make(chan reply, 1), done: make(chan landing, paraph.MaxConcurrency),
	}
}

func (l *lane) poke() {
	select {
	case l.poked <- struct{}{}:
	default:
	}
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
	if len(l.buffer) > 0 || len(l.flying) > 0 || l.asked {
		return false
	}
	return l.held() || !l.more && !l.stale
}

// held tells whether the breaker lets nothing out for now.
func (l *lane) held() bool { return l.breaker.holds(l.d.cfg.Queue.Now()) }

// ask wants more when the buffer runs low and there may be more.
func (l *lane) ask() {
	n := l.room()
	if l.asked || !l.stale && !(l.more && n > 0) {
		return
	}
	now := l.d.cfg.Queue.Now()
	if l.breaker.holds(now) || l.breaker.state == paraph.BreakerHalfOpen {
		return
	}
	w := Want{EndpointID: l.endpointID, Held: l.term != nil, N: n, After: l.place, Probe: l.breaker.probes(now)}
	if l.place == (Place{}) {
		w.Beyond = len(l.buffer) + len(l.flying)
	}
	l.asked, l.askedN, l.askedTerm, l.stale = true, n, l.term, false
	if l.term == nil {
		l.askedTerm = l.d.term.Load()
	}
	if n > 0 {
		l.more = false
	}
	l.d.wants <- want{w, l.granted}
}

// room is how many more deliveries the lane can take.
func (l *lane) room() int {
	switch {
	case l.endpoint.ID == 0: // we don't know its concurrency yet
		return paraph.DefaultConcurrency
	case l.breaker.state != paraph.BreakerClosed, l.endpoint.Ordered:
		return max(0, 1-len(l.flying)-len(l.buffer))
	}
	most := max(l.ahead, l.endpoint.Concurrency)
	if l.pace.every > 0 {
		most = min(most, l.pace.burst)
	}
	// From the beginning again would be read what we have.
	if len(l.buffer) > most/2 || len(l.buffer) > 0 && l.place == (Place{}) {
		return 0
	}
	return most - len(l.buffer)
}

func (l *lane) take(a reply) {
	l.asked, l.unasked = false, !a.ok
	defer clear(l.since)
	switch {
	case !a.ok:
		l.lose()
		l.more, l.stale = false, false
		return
	case l.askedTerm != l.d.term.Load(): // what it says is of a lease that is over
		l.lose()
		return
	case !a.Held:
		l.lose()
		l.more, l.stale = false, false
		return
	}
	if l.term == nil {
		l.term = l.askedTerm
		l.breaker, l.pace.full = restored(a.Breaker, a.HeldUntil, a.Recent), a.PacedUntil
	}
	if len(l.buffer) == 0 && len(l.flying) < l.endpoint.Concurrency && a.Full {
		l.ahead = min(2*l.ahead, lastAhead) // it had to wait
	}
	l.endpoint, l.nextAt = a.Endpoint, a.Next
	l.pace.set(a.Endpoint.Rate)
	if !a.Endpoint.Enabled {
		l.forget() // what was queued has been skipped
		return
	}
	l.fill(a)
}

// fill takes in what was granted. What we have already is due as long as its
// result is not written, so it may come again.
func (l *lane) fill(a reply) {
	if l.askedN > 0 {
		again := l.place != (Place{}) && !a.Full && !l.endpoint.Ordered
		l.place = Place{}
		if a.Full {
			l.place = a.After
		}
		l.more = l.more || a.Full || again // what came in before that place is found from the beginning
	}
	for _, d := range a.Deliveries {
		switch {
		case l.since[d.ID]:
			l.more = true // it may be due once more
		case !l.has(d.ID):
			l.buffer = append(l.buffer, d)
		}
	}
	if !a.Next.IsZero() && !a.Next.After(l.d.cfg.Queue.Now()) && len(l.buffer)+len(l.flying) == 0 {
		l.more = true // it fell due just now
	}
}

func (l *lane) has(id int64) bool {
	if _, ok := l.flying[id]; ok {
		return true
	}
	for _, d := range l.buffer {
		if d.ID == id {
			return true
		}
	}
	return false
}

// forget gives up what was read and not sent.
func (l *lane) forget() { l.buffer, l.place = nil, Place{} }

// lose is what remains when we don't hold the lane any more.
func (l *lane) lose() {
	l.forget()
	l.term, l.nextAt = nil, time.Time{}
	l.more, l.stale = true, true
}

func (l *lane) landed(x landing) {
	delete(l.flying, x.id)
	if l.asked {
		l.since[x.id] = true
	}
	l.nextAt = earliest(l.nextAt, x.again)
	if l.endpoint.Ordered || x.unsent {
		l.more = true // a grant told us of the head alone
	}
	switch {
	case x.unsent || x.ours:
		if l.breaker.state == paraph.BreakerHalfOpen {
			l.breaker.unsure(l.d.cfg.Queue.Now())
			l.more = true
		}
	case l.breaker.count(x.ok, l.d.cfg.Queue.Now()):
		l.turned()
	}
}

// turned tells of the breaker's new state.
func (l *lane) turned() {
	switch l.breaker.state {
	case paraph.BreakerOpen:
		l.d.opened.Add(1)
		l.forget()
		l.nextAt, l.more = l.breaker.until, true
	case paraph.BreakerClosed:
		l.more = true
	}
	if l.term != nil {
		l.d.notes <- note{node: l.term.node, mark: &Mark{l.endpointID, l.breaker.state, l.breaker.until}}
	}
}

// launch sends as much as concurrency, rate and breaker allow. It answers how
// long the rate asks to wait, 0 when it does not.
func (l *lane) launch() time.Duration {
	now := l.d.cfg.Queue.Now()
	if l.term != nil && l.term != l.d.term.Load() {
		l.lose()
	}
	for len(l.buffer) > 0 && len(l.flying) < l.most() && l.d.crowd.admits(len(l.flying)) {
		if !l.d.lives(l.term, now) { // somebody else may be sending it
			l.d.stall()
			return 0
		}
		if wait := l.pace.take(now); wait > 0 {
			return l.rest(now, wait)
		}
		if l.breaker.probes(now) {
			l.breaker.probe()
			l.turned()
		}
		d := l.buffer[0]
		l.buffer = l.buffer[1:]
		first := l.first()
		l.flying[d.ID] = first
		l.d.crowd.book(first)
		go l.send(l.endpoint, d, l.term, first)
	}
	return 0
}

// rest waits for the next token; for a distant one without a goroutine.
func (l *lane) rest(now time.Time, wait time.Duration) time.Duration {
	if wait < l.d.cfg.Linger || len(l.flying) > 0 {
		return wait
	}
	l.forget()
	l.nextAt = now.Add(wait)
	return 0
}

// first tells whether none of the requests under way counts as the lane's first.
func (l *lane) first() bool {
	for _, first := range l.flying {
		if first {
			return false
		}
	}
	return true
}

// most is how many requests may be under way.
func (l *lane) most() int {
	switch {
	case l.breaker.state == paraph.BreakerHalfOpen, l.held():
		return 0
	case l.breaker.state == paraph.BreakerOpen, l.endpoint.Ordered:
		return 1
	}
	return l.endpoint.Concurrency
}

func (l *lane) send(e paraph.Endpoint, d paraph.Delivery, t *term, first bool) {
	l.d.crowd.enter(first)
	if !l.d.lives(t, l.d.cfg.Queue.Now()) { // the wait was too long
		l.d.crowd.leave(first)
		l.done <- landing{id: d.ID, unsent: true}
		return
	}
	o := l.d.cfg.Client.Send(l.d.sending, NewRequest(e, d, l.d.cfg.Queue.Now()))
	l.d.crowd.leave(first)
	if o.Code == CodeShutdown {
		l.done <- landing{id: d.ID, unsent: true}
		return
	}
	r := settled(e, d, o, l.d.cfg.Queue.Now(), l.d.cfg.Jitter())
	x := landing{id: d.ID, ours: o.Ours(), ok: o.Succeeded()}
	if r.Delivery.State == paraph.DeliveryPending {
		x.again = r.Delivery.NextAttemptAt
	}
	l.d.results <- r
	l.done <- x
}

// free is the lane as it is given back.
func (l *lane) free(now time.Time) Free {
	notBefore := l.pace.next(now)
	if l.breaker.holds(now) {
		notBefore = l.breaker.until
	}
	return Free{EndpointID: l.endpointID, NotBefore: notBefore, PacedUntil: l.pace.full, Recent: l.breaker.saved(now)}
}

// finish waits for the requests under way. What was read and not sent is as it
// was.
func (l *lane) finish() {
	if l.asked {
		l.take(<-l.granted)
	}
	for len(l.flying) > 0 {
		l.landed(<-l.done)
	}
	l.forget()
	l.d.remove(l)
}
