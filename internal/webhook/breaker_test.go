package webhook

import (
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
)

// TestBreaker tells what becomes of a breaker by requests that succeed (+) or
// fail (-), with the pauses between them.
func TestBreaker(t *testing.T) {
	t.Parallel()
	const closed, open, half = paraph.BreakerClosed, paraph.BreakerOpen, paraph.BreakerHalfOpen
	for name, tt := range map[string]struct {
		requests string        // "p" is a probe that goes out
		pause    time.Duration // before each
		want     paraph.BreakerState
	}{
		"nothing":                          {"", 0, closed},
		"nine failures are too few":        {"---------", 0, closed},
		"ten failures":                     {"----------", 0, open},
		"seven of ten":                     {"+++-------", 0, open},
		"six of ten":                       {"++++------", 0, closed},
		"seven of ten, the last a success": {"-------+++", 0, open},
		"many successes before":            {"++++++++++++++++++++++++----------", 0, closed},
		"failures a minute apart leave the window":  {"------------------", time.Minute, closed},
		"ten within five minutes":                   {"----------", 29 * time.Second, open},
		"what ends while it is open counts no more": {"----------++++", 0, open},
		"a probe is under way":                      {"----------p", 30 * time.Second, half},
		"a probe that succeeds":                     {"----------p+", 30 * time.Second, closed},
		"and what came before is forgotten":         {"----------p+---------", 0, closed},
		"a probe that fails":                        {"----------p-", 30 * time.Second, open},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, now := restored("", time.Time{}, ""), noon()
			for _, c := range tt.requests {
				now = now.Add(tt.pause)
				switch c {
				case 'p':
					now = now.Add(breakerHold)
					if !b.probes(now) {
						t.Fatal("no probe may go out")
					}
					b.probe()
				default:
					was := b.state
					if changed := b.count(c == '+', now); changed != (b.state != was) {
						t.Errorf("from %s to %s, changed: %v", was, b.state, changed)
					}
				}
			}
			if b.state != tt.want {
				t.Errorf("it is %s and not %s", b.state, tt.want)
			}
		})
	}
}

func TestABreakerHolds(t *testing.T) {
	t.Parallel()
	b, now := restored("", time.Time{}, ""), noon()
	for range 10 {
		b.count(false, now)
	}
	for _, x := range []struct {
		after         time.Duration
		holds, probes bool
	}{{0, true, false}, {30*time.Second - 1, true, false}, {30 * time.Second, false, true}, {-time.Hour, false, true}} {
		at := now.Add(x.after)
		if b.holds(at) != x.holds || b.probes(at) != x.probes {
			t.Errorf("after %s it holds: %v, may probe: %v", x.after, b.holds(at), b.probes(at))
		}
	}
	b.probe()
	b.unsure(now)
	if !b.holds(now) || !b.probes(now.Add(breakerUnsure)) {
		t.Error("a probe that told nothing is not made again a little later")
	}
}

// TestABreakerGoesFromNodeToNode: the next holder counts on.
func TestABreakerGoesFromNodeToNode(t *testing.T) {
	t.Parallel()
	a, now := restored("", time.Time{}, ""), noon()
	for range 9 {
		a.count(false, now)
	}
	b := restored(a.state, a.until, a.saved(now))
	if !b.count(false, now) || b.state != paraph.BreakerOpen {
		t.Errorf("after the tenth failure it is %+v", b)
	}
	if c := restored(paraph.BreakerHalfOpen, b.until, ""); c.state != paraph.BreakerOpen || !c.probes(now.Add(breakerHold)) {
		t.Errorf("a probe whose result nobody saw is %+v", c)
	}
	if d := restored("", time.Time{}, "{"); d.state != paraph.BreakerClosed || len(d.recent) != 0 {
		t.Errorf("of nonsense it makes %+v", d)
	}
	if text := a.saved(now.Add(time.Hour)); text != "" {
		t.Errorf("an hour later it still says %s", text)
	}
}

func TestPace(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rate  float64
		waits []time.Duration // asked for at one moment
	}{
		{0, []time.Duration{0, 0, 0, 0}},
		{2, []time.Duration{0, 0, 500 * time.Millisecond, 500 * time.Millisecond}},
		{0.5, []time.Duration{0, 2 * time.Second}},
		{2.5, []time.Duration{0, 0, 400 * time.Millisecond}},
	} {
		var p pace
		p.set(tt.rate)
		for i, want := range tt.waits {
			if got := p.take(noon()); got != want {
				t.Errorf("%g a second, token %d: wait %s, want %s", tt.rate, i, got, want)
			}
		}
	}
	var p pace
	p.set(2)
	for i := range 10 { // over the time it is the rate
		at := noon().Add(time.Duration(i) * 500 * time.Millisecond)
		if wait := p.take(at); wait != 0 {
			t.Errorf("at %s it waits %s", at, wait)
		}
	}
	p = pace{full: noon().Add(26 * time.Hour)} // the clock was set back
	p.set(1)
	if wait := p.take(noon()); wait > time.Second {
		t.Errorf("after the clock was set back it waits %s", wait)
	}
	if wait := p.take(noon().Add(time.Second)); wait != 0 {
		t.Errorf("after a second by the clock that was set back it still waits %s", wait)
	}
	if next := p.next(noon()); next.After(noon().Add(time.Second)) {
		t.Errorf("it says to come back at %s", next)
	}
}

// TestFewLanesLeaveRoom: however many hang with all they may have, the next
// one gets its first request and more.
func TestFewLanesLeaveRoom(t *testing.T) {
	t.Parallel()
	c := newCrowd(4096)
	var each []int
	for range 300 {
		n := 0
		for ; n < paraph.MaxConcurrency && c.admits(n); n++ {
			c.book(n == 0)
			c.enter(n == 0)
		}
		each = append(each, n)
	}
	if each[0] != paraph.MaxConcurrency {
		t.Errorf("alone, a lane has %d requests under way and not %d", each[0], paraph.MaxConcurrency)
	}
	for i, n := range each {
		if n < 1 || i < 20 && n < paraph.MaxConcurrency || i < 40 && n < 8 {
			t.Fatalf("lane %d of those that hang got %d: %v", i, n, each)
		}
	}
	if c.size() > 4096 {
		t.Errorf("%d requests are under way", c.size())
	}
}
