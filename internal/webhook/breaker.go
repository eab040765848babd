package webhook

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/paraph-sign/paraph"
)

// When a breaker opens, and for how long.
const (
	breakerSlot    = 30 * time.Second
	breakerSlots   = 10 // of a window of five minutes
	breakerLeast   = 10 // requests
	breakerPercent = 70 // of them have failed
	breakerHold    = 30 * time.Second
	breakerUnsure  = 5 * time.Second
)

// breaker holds back a lane whose requests fail, all or most. It spends no
// attempts and moves no due times: the lane waits. It is not safe for
// concurrent use.
type breaker struct {
	state  paraph.BreakerState
	until  time.Time // open: when a probe may go out
	recent []slot    // closed: what came of requests, by when they ended
}

// slot counts what came of the requests that ended in one slot of time.
type slot struct {
	At     int64 `json:"at"` // in slots since 1970
	OK     int   `json:"ok"`
	Failed int   `json:"failed"`
}

// restored is a breaker as its last holder left it. A probe whose result
// nobody saw is to be made again.
func restored(state paraph.BreakerState, until time.Time, recent string) breaker {
	b := breaker{state: state, until: until}
	switch state {
	case paraph.BreakerOpen:
	case paraph.BreakerHalfOpen:
		b.state = paraph.BreakerOpen
	default:
		b.state = paraph.BreakerClosed
		if json.Unmarshal([]byte(recent), &b.recent) != nil {
			b.recent = nil // what we did not write counts for nothing
		}
	}
	return b
}

// saved is what restored reads; "" for nothing.
func (b *breaker) saved(now time.Time) string {
	b.expire(now)
	if len(b.recent) == 0 {
		return ""
	}
	text, err := json.Marshal(b.recent)
	if err != nil { // numbers
		panic(err)
	}
	return string(text)
}

// holds tells whether nothing may go out.
func (b *breaker) holds(now time.Time) bool {
	return b.state == paraph.BreakerOpen && Holds(b.until, now)
}

// Holds tells whether a breaker that is open until a time still is. One that
// would be for longer than breakers are was opened before the clock was set
// back.
func Holds(until, now time.Time) bool {
	return now.Before(until) && until.Sub(now) <= breakerHold
}

// probes tells whether one request may go out, to see how the receiver is.
func (b *breaker) probes(now time.Time) bool {
	return b.state == paraph.BreakerOpen && !Holds(b.until, now)
}

// probe says that it went out.
func (b *breaker) probe() { b.state = paraph.BreakerHalfOpen }

// unsure says that the probe told nothing: it failed by our own fault.
func (b *breaker) unsure(now time.Time) {
	b.state, b.until = paraph.BreakerOpen, now.Add(breakerUnsure)
}

// count takes in what came of a request, and tells whether the state is
// another one by that. What ends while the breaker is open went out before.
func (b *breaker) count(ok bool, now time.Time) (changed bool) {
	switch {
	case b.state == paraph.BreakerOpen:
		return false
	case b.state == paraph.BreakerHalfOpen && ok:
		b.state, b.until = paraph.BreakerClosed, time.Time{}
		return true
	case b.state == paraph.BreakerHalfOpen:
		b.open(now)
		return true
	}
	b.add(ok, now)
	if !b.failing() {
		return false
	}
	b.open(now)
	return true
}

func (b *breaker) open(now time.Time) {
	b.state, b.until, b.recent = paraph.BreakerOpen, now.Add(breakerHold), nil
}

func slotOf(now time.Time) int64 { return now.UnixMicro() / breakerSlot.Microseconds() }

func (b *breaker) expire(now time.Time) {
	newest := slotOf(now)
	b.recent = slices.DeleteFunc(b.recent, func(s slot) bool { return s.At <= newest-breakerSlots || s.At > newest })
}

func (b *breaker) add(ok bool, now time.Time) {
	at := slotOf(now)
	if n := len(b.recent); n == 0 || b.recent[n-1].At != at {
		b.expire(now)
		b.recent = append(b.recent, slot{At: at})
	}
	s := &b.recent[len(b.recent)-1]
	if ok {
		s.OK++
	} else {
		s.Failed++
	}
}

func (b *breaker) failing() bool {
	ok, failed := 0, 0
	for _, s := range b.recent {
		ok, failed = ok+s.OK, failed+s.Failed
	}
	return ok+failed >= breakerLeast && failed*100 >= breakerPercent*(ok+failed)
}
