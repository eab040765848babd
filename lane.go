package paraph

import "time"

// A Lane is an endpoint's own queue. One node at a time works in it, so that
// rate, concurrency, order and breaker hold over all nodes.
type Lane struct {
	EndpointID int64
	NodeID     string    // who holds it; "" for nobody
	NextAt     time.Time // while nobody holds it: when there is something to do; zero for nothing
	Breaker    BreakerState
	HeldUntil  time.Time // breaker open: when the next probe may go out
}

// BreakerState is whether a lane sends.
type BreakerState string

// The states of a breaker.
const (
	BreakerClosed   BreakerState = "closed"    // requests go out
	BreakerOpen     BreakerState = "open"      // most requests failed of late: nothing goes out until HeldUntil
	BreakerHalfOpen BreakerState = "half-open" // one request is under way, to see whether the receiver is well again
)
