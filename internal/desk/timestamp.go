package desk

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/job"
	"github.com/paraph-sign/paraph/internal/seal"
	"github.com/paraph-sign/paraph/internal/store"
)

const jobTimestamp = "timestamp"

const (
	stampAtOnce = 3 * time.Second     // that sealing waits for timestamp authorities, for all files of an envelope together
	stampFor    = 30 * 24 * time.Hour // that the job goes on trying
)

// timestampKind raises what was sealed to the level that is wanted.
func (d *Desk) timestampKind() job.Kind {
	return job.Kind{Name: jobTimestamp, Workers: 2, Run: d.timestamp, Pause: job.Doubling(10*time.Second, time.Hour, stampFor), GaveUp: d.timestampGaveUp}
}

// stamping is the timestamps that the seals of one envelope get as they are
// made. The first that can't be had is the last that is asked for: nobody waits
// for what a job gets later.
type stamping struct {
	stamper *seal.Stamper // nil: none are wanted
	failed  bool
	left    time.Duration
}

func (d *Desk) stampSeals() *stamping {
	return &stamping{stamper: d.Stamper, failed: d.Stamper == nil || !d.Stamper.Ready(), left: stampAtOnce}
}

// option is SignOptions.Stamp.
func (s *stamping) option(ctx context.Context) func(crypto.Hash, []byte) ([]byte, error) {
	if s.stamper == nil {
		return nil
	}
	return func(hash crypto.Hash, digest []byte) ([]byte, error) {
		if s.failed || s.left <= 0 {
			s.failed = true
			return nil, errors.New("no timestamp could be had at once")
		}
		began := time.Now()
		ctx, cancel := context.WithTimeout(ctx, s.left)
		defer cancel()
		token, err := s.stamper.Stamp(ctx)(hash, digest)
		s.left -= time.Since(began)
		s.failed = err != nil
		return token, err
	}
}

// level is what all seals have, and whether the job has something to do.
func (s *stamping) level() (level string, wants bool) {
	switch {
	case s.stamper == nil:
		return seal.LevelB, false
	case s.failed:
		return seal.LevelB, true
	}
	return seal.LevelT, s.stamper.Level() != seal.LevelT
}

// timestamp is the job that raises an envelope's sealed files to their level,
// and later keeps them there:
//
//  1. Each file gets its revisions in memory, is verified, and is stored under
//     its new digest.
//  2. One transaction puts the new digests in the place of the old ones, if
//     these are still the envelope's, and tells of it in the trail.
//
// What was reached before something failed is kept by 2 as well, so that no
// authority is asked for the same again. If we stop in 1 or before the commit
// of 2, bytes are stored that nothing refers to, and the job runs again; if we
// stop after it, the job finds nothing to do.
func (d *Desk) timestamp(ctx context.Context, j store.Job) error {
	e, err := d.Store.AnyEnvelope(ctx, j.EnvelopeID)
	if err != nil || d.Stamper == nil || e.StampAt.IsZero() || e.StampAt.After(d.Store.Now()) || !e.DeletedAt.IsZero() {
		return err
	}
	made, failed := d.stampFiles(ctx, &e)
	if err := context.Cause(ctx); err != nil {
		return err
	}
	_, err = d.change(ctx, ofServer(e.ID), func(now paraph.Envelope, at time.Time) (paraph.Envelope, []paraph.Event, error) {
		return now.Timestamp(made, at)
	})
	if err = errors.Join(failed, err); err != nil {
		return fmt.Errorf("timestamp envelope %d: %w", e.ID, err)
	}
	return nil
}

// stampFiles raises every file as far as it goes. With an error, what was not
// reached stays as it is, and so does the time at which it is wanted.
func (d *Desk) stampFiles(ctx context.Context, e *paraph.Envelope) (paraph.Stamps, error) {
	out := paraph.Stamps{Files: map[string]string{}}
	files := make([]string, 0, len(e.Documents)+1)
	for _, doc := range e.Documents {
		files = append(files, doc.Sealed)
	}
	if e.AuditLog != "" {
		files = append(files, e.AuditLog)
	}
	trust, err := d.trust(ctx)
	if err != nil {
		return out, err
	}
	var errs []error
	for i, digest := range files {
		st, err := d.stampFile(ctx, digest, trust, len(errs) > 0)
		if err != nil {
			errs = append(errs, err)
		}
		if st.Level == "" { // it could not be looked at
			st.Level = e.SealLevel
		}
		out.Files[digest] = st.digest
		if st.By != "" {
			out.By = st.By
		}
		if out.Level = seal.LowerLevel(out.Level, st.Level); i == 0 {
			out.Level = st.Level
		}
		if out.Next.IsZero() || !st.Renew.IsZero() && st.Renew.Before(out.Next) {
			out.Next = st.Renew
		}
	}
	if len(errs) > 0 {
		out.Next = e.StampAt
	}
	return out, errors.Join(errs...)
}

// stampedFile is what became of a file.
type stampedFile struct {
	seal.Stamped
	digest string
}

// stampFile raises one file and stores it. When an earlier one failed, it is
// only looked at: the cause is likely the same.
func (d *Desk) stampFile(ctx context.Context, digest string, trust seal.VerifyOptions, look bool) (stampedFile, error) {
	out := stampedFile{digest: digest}
	pdf, err := d.Blobs.Get(ctx, digest)
	if err != nil {
		return out, err
	}
	if look {
		out.Level, err = d.Stamper.Look(pdf, trust)
		return out, err
	}
	var failed error
	out.Stamped, failed = d.Stamper.Upgrade(ctx, pdf, trust)
	if len(out.PDF) > len(pdf) {
		if out.digest, err = d.Blobs.Put(ctx, out.PDF); err != nil {
			return stampedFile{digest: digest}, err
		}
	}
	out.PDF = nil
	return out, failed
}

// timestampGaveUp leaves the files as they are, and says so in the trail.
func (d *Desk) timestampGaveUp(ctx context.Context, tx *store.Tx, j store.Job, _ error) error {
	was, err := tx.AnyEnvelope(ctx, j.EnvelopeID)
	if err != nil {
		return err
	}
	e, events, err := was.GiveUpTimestamp(tx.Now())
	if err != nil || len(events) == 0 {
		return err
	}
	if err := tx.SaveEnvelope(ctx, was, &e); err != nil {
		return err
	}
	return d.append(ctx, tx, &e, events)
}

// restamp queues the timestamping of envelopes that want it and for which no
// job waits: one was lost, or the time for the next timestamp has come.
func (d *Desk) restamp(ctx context.Context) error {
	if d.Stamper == nil {
		return nil
	}
	left, err := d.Store.Unstamped(ctx, jobTimestamp, 100)
	if err != nil {
		return err
	}
	for _, e := range left {
		err := d.Store.Update(ctx, func(tx *store.Tx) error {
			queued, err := tx.HasJob(ctx, e.ID, jobTimestamp)
			if err != nil || queued {
				return err
			}
			return d.queue(ctx, tx, store.Job{Kind: jobTimestamp, AccountID: e.AccountID, EnvelopeID: e.ID, DueAt: tx.Now()})
		})
		if err != nil {
			return wrap(err, "queue the timestamping of envelope", e.ID)
		}
	}
	return nil
}

// WantTimestamps marks all sealed envelopes below a level as wanting
// timestamps, those too for which it was given up, and counts them. Servers
// find them with their next sweep.
func WantTimestamps(ctx context.Context, st *store.Store, level string) (n int64, err error) {
	err = st.Update(ctx, func(tx *store.Tx) error {
		n, err = tx.WantStamps(ctx, level)
		return err
	})
	return n, err
}
