package webhook

import "sync/atomic"

// crowd bounds the requests under way of all lanes together so that few lanes
// can't use up the room of the others. Half of the places are for the first
// request of each lane. Of the other half a lane has at most an eighth of
// those that are still free, beside its first: the more lanes hang, the fewer
// places each of them keeps, and some are always left for the next.
type crowd struct {
	firsts chan struct{}
	half   int64
	others atomic.Int64
}

func newCrowd(most int) *crowd {
	half := max(1, most/2)
	return &crowd{firsts: make(chan struct{}, max(1, most-half)), half: int64(half)}
}

// admits tells whether a lane with n requests under way may have another one
// now. The first of a lane always may, though it has to wait for its place.
func (c *crowd) admits(n int) bool {
	if n == 0 {
		return true
	}
	free := c.half - c.others.Load()
	return int64(n) <= max(0, free)/8
}

// enter takes the place of a request and waits for it if it is a first one;
// leave gives it back.
func (c *crowd) enter(first bool) {
	if first {
		c.firsts <- struct{}{}
	}
}

func (c *crowd) leave(first bool) {
	if first {
		<-c.firsts
	} else {
		c.others.Add(-1)
	}
}

// book counts a request that is not a lane's first, before it begins.
func (c *crowd) book(first bool) {
	if !first {
		c.others.Add(1)
	}
}

func (c *crowd) size() int { return len(c.firsts) + int(c.others.Load()) }
