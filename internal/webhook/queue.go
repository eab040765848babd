package webhook

import (
	"context"
	"time"

	"github.com/paraph-sign/paraph"
)

// Queue is where the dispatcher finds what is due, and where it writes what
// came of it. Rows are the queue. A node leases lanes and not deliveries: while
// it holds an endpoint's lane nobody else sends for that endpoint, so what is
// read needs no mark of its own.
type Queue interface {
	Now() time.Time
	// Join begins a node's lease.
	Join(ctx context.Context, node string, lease time.Duration) error
	// Renew begins it anew. When alive is false the node was buried, and holds
	// nothing any more.
	Renew(ctx context.Context, node string, lease time.Duration) (alive bool, err error)
	// Leave frees all that a node holds and ends its lease.
	Leave(ctx context.Context, node string, frees []Free) error
	// Bury ends the nodes whose leases have run out, and answers the endpoints
	// whose lanes are free by that.
	Bury(ctx context.Context) ([]int64, error)
	// Lanes are the endpoints that have pending deliveries, and when the first
	// of each is due. It takes a few look-ups for each of them.
	Lanes(ctx context.Context) ([]Lane, error)
	// Due are up to n lanes that nobody holds, by when they have something to
	// do. It takes one look-up, but what was committed since a lane was freed
	// is not known to it.
	Due(ctx context.Context, n int) ([]Lane, error)
	// Settle writes results, marks and frees and then grants wants, in one
	// transaction, so that a lane's next deliveries cost no commit of their
	// own.
	Settle(ctx context.Context, b Batch) (Settled, error)
	// Listen calls f with the endpoints that other nodes announce, until ctx
	// ends; with none when all have to be looked at.
	Listen(ctx context.Context, f func(endpointIDs []int64))
}

// Lane is an endpoint with pending deliveries.
type Lane struct {
	EndpointID int64
	NextAt     time.Time
	NodeID     string // the living node that holds it; "" for none
	Lost       bool   // nobody holds it, and Due does not know of it
}

// Batch is what one transaction writes and answers.
type Batch struct {
	Node    string // for whom lanes are taken and freed; "" takes and frees nothing
	Results []Result
	Marks   []Mark
	Frees   []Free
	Wants   []Want
}

// Settled answers a Batch.
type Settled struct {
	Grants []Grant // one for each Want, in their order
	Due    []int64 // endpoints of Frees that have something to do at once
}

// Mark is a lane's breaker as everybody shall see it.
type Mark struct {
	EndpointID int64
	Breaker    paraph.BreakerState
	HeldUntil  time.Time
}

// Free gives a lane back, with what the next holder has to know of it.
type Free struct {
	EndpointID int64
	NotBefore  time.Time // when rate and breaker allow the next request
	PacedUntil time.Time
	Recent     string
}

// Want asks for up to N due deliveries of an endpoint, first attempts before
// retries; of an ordered endpoint for its oldest alone. N may be 0, to hear of
// the endpoint only.
type Want struct {
	EndpointID int64
	Held       bool // we hold the lane; else it is to be taken first
	N          int
	Beyond     int   // so many more than N, because as many of the first are in our hands already
	After      Place // where to go on reading
	Probe      bool  // of all that is due, the one that has been due for longest
}

// Place is how far a lane has been read; the zero Place is its beginning.
type Place struct{ First, Late Cursor }

// Of is the place among first attempts, or among retries.
func (p *Place) Of(late bool) *Cursor {
	if late {
		return &p.Late
	}
	return &p.First
}

// Cursor is a place among first attempts or among retries.
type Cursor struct {
	At time.Time
	ID int64
}

// Grant answers a Want.
type Grant struct {
	Held       bool            // the lane is ours; if not, the rest says nothing
	Endpoint   paraph.Endpoint // as it is now; Enabled is false for one that was deleted
	Deliveries []paraph.Delivery
	After      Place     // behind the last of them
	Full       bool      // there may be more due behind it
	Next       time.Time // when the first is due that is not due yet, of an ordered endpoint the oldest; zero: none
	// Of a lane that was taken: what its last holder left.
	Breaker    paraph.BreakerState
	HeldUntil  time.Time
	PacedUntil time.Time
	Recent     string
}

// Result is what came of one attempt.
type Result struct {
	Delivery paraph.Delivery // as it shall be: State, Attempts, NextAttemptAt, Last…, FinishedAt
	Attempt  paraph.Attempt  // Number is 0 when the failure was our own, which is not logged
	Gone     bool            // the endpoint answered 410 and is to be switched off
}
