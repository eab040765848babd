package desk

import (
	"context"
	"time"

	"github.com/paraph-sign/paraph/internal/job"
	"github.com/paraph-sign/paraph/internal/store"
)

// The kinds of job.
const (
	jobSeal   = "seal"
	jobMail   = "mail"
	jobExpire = "expire"
	jobSweep  = "sweep"
	jobPrune  = "prune"
	jobReplay = "replay"

	jobListeners = "listeners"
)

// kinds is what the server does by itself. A finished envelope is sealed
// however long that takes; a mail is tried for a day.
func (d *Desk) kinds() []job.Kind {
	return []job.Kind{
		{Name: jobSeal, Workers: 2, Run: d.sealEnvelope, Pause: job.Doubling(time.Second, 10*time.Minute, 0)},
		{Name: jobMail, Workers: 4, Run: d.sendMail, Pause: job.Doubling(10*time.Second, time.Hour, 24*time.Hour), GaveUp: d.mailGaveUp},
		{Name: jobExpire, Run: d.expire, Pause: job.Doubling(time.Second, 10*time.Minute, 0)},
		{Name: jobListeners, Run: d.tendListeners, Pause: job.Doubling(time.Second, time.Minute, time.Hour)},
		d.replayKind(),
		{Name: jobSign, Workers: 2, Run: d.signFinished, Pause: job.Doubling(time.Second, 10*time.Minute, 0)},
		d.timestampKind(),
		{Name: jobSweep, Run: d.sweep, Pause: job.Doubling(time.Minute, time.Hour, 0)},
		{Name: jobPrune, Run: d.prune, Pause: job.Doubling(time.Minute, time.Hour, 0)},
	}
}

const (
	sweepEvery = 10 * time.Minute
	sweepBatch = 500
)

// PrepareSweep queues the sweep and the pruning, which queue themselves again
// from then on. It may be called at every start, by every node.
func (d *Desk) PrepareSweep(ctx context.Context) error {
	return d.Store.Update(ctx, func(tx *store.Tx) error {
		for _, kind := range []string{jobSweep, jobPrune} {
			queued, err := tx.HasJob(ctx, 0, kind)
			if err == nil && !queued {
				err = d.queue(ctx, tx, store.Job{Kind: kind, DueAt: tx.Now()})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// sweep queues what a lost job would have left undone. The next sweep is
// queued in the transaction that closes this one, so that there is always one
// and never two.
func (d *Desk) sweep(ctx context.Context, j store.Job) error {
	if err := d.reseal(ctx); err != nil {
		return err
	}
	if err := d.restamp(ctx); err != nil {
		return err
	}
	if err := d.tendListeners(ctx, j); err != nil {
		return err
	}
	if err := d.tendFailing(ctx); err != nil {
		return err
	}
	if err := d.tendCertificate(ctx); err != nil {
		return err
	}
	return d.Store.Update(ctx, func(tx *store.Tx) error {
		if err := tx.FinishJob(ctx, j, "done", ""); err != nil {
			return err
		}
		return d.queue(ctx, tx, store.Job{Kind: jobSweep, DueAt: tx.Now().Add(sweepEvery)})
	})
}

// reseal queues the sealing of envelopes that are completed but not sealed and
// for which no job waits.
func (d *Desk) reseal(ctx context.Context) error {
	left, err := d.Store.Unsealed(ctx, 100)
	if err != nil {
		return err
	}
	for _, e := range left {
		err := d.Store.Update(ctx, func(tx *store.Tx) error {
			queued, err := tx.HasJob(ctx, e.ID, jobSeal)
			if err != nil || queued {
				return err
			}
			return d.queue(ctx, tx, store.Job{Kind: jobSeal, AccountID: e.AccountID, EnvelopeID: e.ID, DueAt: tx.Now()})
		})
		if err != nil {
			return wrap(err, "queue the sealing of envelope", e.ID)
		}
	}
	return nil
}
