package webhook

import (
	"context"
	"time"

	"github.com/paraph-sign/paraph"
)

// Queue is where the dispatcher finds what is due. Rows are the queue: a
// delivery is claimed for a lease, and is free again when the lease runs out.
type Queue interface {
	Now() time.Time
	// Lanes are the endpoints that have pending deliveries, and when the first
	// of each is due.
	Lanes(ctx context.Context) ([]Lane, error)
	// Next is when the next delivery of an endpoint is due, zero for none.
	Next(ctx context.Context, endpointID int64) (time.Time, error)
	// Claim takes up to n due deliveries of an endpoint, first attempts before
	// retries; of an ordered endpoint at most one, its oldest. It also answers
	// the endpoint as it is now; of one that is switched off it takes none.
	// The error is of kind paraph.NotFound for an endpoint that was deleted.
	Claim(ctx context.Context, endpointID int64, claimID string, lease time.Duration, n int) (paraph.Endpoint, []paraph.Delivery, error)
	// Save writes what came of attempts. A delivery whose claim was lost keeps
	// its state.
	Save(ctx context.Context, results []Result) error
	// Extend lets claims run for another lease.
	Extend(ctx context.Context, claimID string, ids []int64, lease time.Duration) error
	// Release gives claimed deliveries back, none of their attempts spent.
	Release(ctx context.Context, claimID string, ids []int64) error
}

// Lane is an endpoint with pending deliveries.
type Lane struct {
	EndpointID int64
	NextAt     time.Time
}

// Result is what came of one attempt.
type Result struct {
	Delivery paraph.Delivery // as it shall be: State, Attempts, NextAttemptAt, Last…, FinishedAt; ClaimID as claimed
	Attempt  paraph.Attempt
	Gone     bool // the endpoint answered 410 and is to be switched off
}
