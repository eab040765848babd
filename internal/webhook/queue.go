package webhook

import (
	"context"
	"time"

	"github.com/paraph-sign/paraph"
)

// Queue is where the dispatcher finds what is due, and where it writes what
// came of it. Rows are the queue: a delivery is claimed for a lease, and is
// free again when the lease runs out.
type Queue interface {
	Now() time.Time
	// Lanes are the endpoints that have pending deliveries, and when the first
	// of each is due.
	Lanes(ctx context.Context) ([]Lane, error)
	// Settle writes results and then grants wants, in one transaction, so that
	// a lane's next deliveries cost no commit of their own. It answers one
	// Grant for each Want, in their order. A delivery whose claim was lost
	// keeps its state.
	Settle(ctx context.Context, results []Result, wants []Want) ([]Grant, error)
	// Extend lets claims run for another lease: ids of deliveries by claim.
	Extend(ctx context.Context, claims map[string][]int64, lease time.Duration) error
	// Release gives claimed deliveries back, due at once, none of their
	// attempts spent.
	Release(ctx context.Context, claims map[string][]int64) error
}

// Lane is an endpoint with pending deliveries.
type Lane struct {
	EndpointID int64
	NextAt     time.Time
}

// Want asks for up to N due deliveries of an endpoint, first attempts before
// retries; of an ordered endpoint for its oldest alone. N may be 0, to hear of
// the endpoint only.
type Want struct {
	EndpointID int64
	ClaimID    string
	Lease      time.Duration
	N          int
}

// Grant answers a Want.
type Grant struct {
	Endpoint   paraph.Endpoint // as it is now; Enabled is false for one that was deleted
	Deliveries []paraph.Delivery
	Until      time.Time // when their claims run out
	Next       time.Time // when the lane has more to do than was granted, or sooner; zero: nothing waits
}

// Result is what came of one attempt.
type Result struct {
	Delivery paraph.Delivery // as it shall be: State, Attempts, NextAttemptAt, Last…, FinishedAt; ClaimID as claimed
	Attempt  paraph.Attempt  // Number is 0 when the failure was our own, which is not logged
	Gone     bool            // the endpoint answered 410 and is to be switched off
}
