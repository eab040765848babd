package desk

import (
	"context"
	"time"

	"github.com/paraph-sign/paraph/internal/store"
)

// How often and how much at once is pruned: a batch takes a few milliseconds,
// and no longer does anybody wait for one.
const (
	keepJobs      = 7 * 24 * time.Hour
	keepHours     = 35 * 24 * time.Hour // of health, of which a page shows 30 days at most
	pruneEvery    = 10 * time.Minute
	pruneBatch    = 64
	givePages     = 128
	restsPerBatch = 3
	longestRest   = time.Second
)

// prune removes what has run out and gives the space back. The next is queued
// in the transaction that closes this one, so that there is always one and
// never two. If we stop anywhere in between, the next goes on where this one
// was: what is to be removed is told by the rows alone.
func (d *Desk) prune(ctx context.Context, j store.Job) error {
	for _, step := range []func(context.Context) (bool, error){d.pruneDeliveries(), d.pruneReplays, d.pruneHours, d.pruneJobs, d.pruneExpired, d.giveBack} {
		if err := inSteps(ctx, step); err != nil {
			return err
		}
	}
	return d.Store.Update(ctx, func(tx *store.Tx) error {
		if err := tx.FinishJob(ctx, j, "done", ""); err != nil {
			return err
		}
		return d.queue(ctx, tx, store.Job{Kind: jobPrune, DueAt: tx.Now().Add(pruneEvery)})
	})
}

// inSteps repeats a step while there is more to do, and rests after each for
// three times as long as it took: after a long time off there may be millions
// of rows, and what is going on now comes first.
func inSteps(ctx context.Context, step func(ctx context.Context) (more bool, err error)) error {
	for {
		start := time.Now()
		more, err := step(ctx)
		if err != nil || !more {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(min(restsPerBatch*time.Since(start), longestRest)):
		}
	}
}

// pruneDeliveries removes deliveries, with their attempts and bodies, that ended
// longer ago than Retention. Those that a replay has still to go through stay
// for as long. Their events stay: they are the audit trail.
func (d *Desk) pruneDeliveries() func(ctx context.Context) (more bool, err error) {
	var from store.Mark
	return func(ctx context.Context) (more bool, err error) {
		if d.Retention == 0 {
			return false, nil
		}
		err = d.Store.Claim(ctx, func(tx *store.Tx) error {
			replaying, err := tx.Replaying(ctx)
			if err != nil {
				return err
			}
			_, next, err := tx.PruneDeliveries(ctx, tx.Now().Add(-d.Retention), from, pruneBatch, replaying)
			from, more = next, next != store.Mark{}
			return err
		})
		return more, err
	}
}

// pruneReplays removes replays that ended longer ago than Retention.
func (d *Desk) pruneReplays(ctx context.Context) (more bool, err error) {
	if d.Retention == 0 {
		return false, nil
	}
	err = d.Store.Claim(ctx, func(tx *store.Tx) error {
		n, err := tx.PruneReplays(ctx, tx.Now().Add(-d.Retention), pruneBatch)
		more = n == pruneBatch
		return err
	})
	return more, err
}

func (d *Desk) pruneHours(ctx context.Context) (more bool, err error) {
	err = d.Store.Claim(ctx, func(tx *store.Tx) error {
		n, err := tx.PruneHours(ctx, tx.Now().Add(-keepHours), pruneBatch)
		more = n == pruneBatch
		return err
	})
	return more, err
}

func (d *Desk) pruneJobs(ctx context.Context) (more bool, err error) {
	err = d.Store.Claim(ctx, func(tx *store.Tx) error {
		n, err := tx.PruneJobs(ctx, tx.Now().Add(-keepJobs), pruneBatch)
		more = n == pruneBatch
		return err
	})
	return more, err
}

func (d *Desk) pruneExpired(ctx context.Context) (more bool, err error) {
	err = d.Store.Claim(ctx, func(tx *store.Tx) error {
		more, err = tx.PruneExpired(ctx, pruneBatch)
		return err
	})
	return more, err
}

func (d *Desk) giveBack(ctx context.Context) (more bool, err error) {
	return d.Store.GiveBack(ctx, givePages)
}
