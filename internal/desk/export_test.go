package desk

import (
	"context"

	"github.com/paraph-sign/paraph/internal/job"
	"github.com/paraph-sign/paraph/internal/store"
)

// Timestamp works a job that timestamps.
func (d *Desk) Timestamp(ctx context.Context, j store.Job) error { return d.timestamp(ctx, j) }

// TimestampKind is the kind of such jobs.
func (d *Desk) TimestampKind() job.Kind { return d.timestampKind() }

// ReplayStep works a claimed job of a replay; lost, if any, breaks off the
// transaction right before its commit.
func (d *Desk) ReplayStep(ctx context.Context, j store.Job, lost error) error {
	return d.Store.Update(ctx, func(tx *store.Tx) error {
		if err := d.replayOnce(ctx, tx, j); err != nil {
			return err
		}
		return lost
	})
}

// SignFinished works a claimed job that signs parts.
func (d *Desk) SignFinished(ctx context.Context, j store.Job) error { return d.signFinished(ctx, j) }

// ForgetIssuer lets the authority of recipients' certificates be read again.
func (d *Desk) ForgetIssuer() {
	d.issuer.mu.Lock()
	defer d.issuer.mu.Unlock()
	d.issuer.known = nil
}
