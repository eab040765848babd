package webhook

import "time"

// pace is a token bucket in one time: when it is full again. So it fits into
// the lane's row and goes with the lane from node to node.
type pace struct {
	every time.Duration // a token; 0: no limit
	burst int
	full  time.Time
}

// set takes over an endpoint's rate in requests a second. The bucket holds a
// second's worth, and one token at least.
func (p *pace) set(rate float64) {
	p.every, p.burst = 0, 0
	if rate > 0 {
		p.every = time.Duration(float64(time.Second) / rate)
		p.burst = max(1, int(rate))
	}
}

// take takes a token, or tells how long to wait for the next one.
func (p *pace) take(now time.Time) (wait time.Duration) {
	if p.every == 0 {
		return 0
	}
	p.full = p.from(now) // kept, or a bucket from before the clock was set back would be empty at every look until the clock is there again
	next := p.full.Add(p.every)
	if over := next.Sub(now) - time.Duration(p.burst)*p.every; over > 0 {
		return over
	}
	p.full = next
	return 0
}

// from is when the bucket is full, but not before now; and not later than an
// empty one takes, which it is when the clock was set back.
func (p *pace) from(now time.Time) time.Time {
	if latest := now.Add(time.Duration(p.burst) * p.every); p.full.After(latest) {
		return latest
	}
	if p.full.Before(now) {
		return now
	}
	return p.full
}

// next is when there is a token again, if there is none now.
func (p *pace) next(now time.Time) time.Time {
	at := p.from(now).Add(p.every - time.Duration(p.burst)*p.every)
	if p.every == 0 || !at.After(now) {
		return time.Time{}
	}
	return at
}
