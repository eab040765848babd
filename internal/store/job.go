package store

import (
	"context"
	"fmt"
	"time"

	"github.com/paraph-sign/paraph"
)

// Job is a piece of the server's own work, leased like a delivery.
type Job struct {
	ID         int64
	Kind       string
	AccountID  int64
	EnvelopeID int64  // 0 when it is about none
	Payload    string // JSON, as its kind wants it
	State      string // pending, done, failed
	DueAt      time.Time
	ClaimID    string
	Attempts   int
	LastError  string
	CreatedAt  time.Time
	FinishedAt time.Time
}

const jobColumns = "id, kind, account_id, envelope_id, payload, state, due_at, claim_id, attempts, last_error, created_at, finished_at"

func scanJob(scan func(...any) error) (j Job, err error) {
	err = scan(&j.ID, &j.Kind, &j.AccountID, &j.EnvelopeID, &j.Payload, &j.State, at{&j.DueAt}, &j.ClaimID, &j.Attempts, &j.LastError,
		at{&j.CreatedAt}, at{&j.FinishedAt})
	return j, err
}

// InsertJob queues a job and sets its id.
func (tx *Tx) InsertJob(ctx context.Context, j *Job) (err error) {
	j.State, j.CreatedAt = "pending", tx.now
	j.ID, err = tx.insert(ctx, `INSERT INTO jobs (kind, account_id, envelope_id, payload, state, due_at, claim_id, attempts, last_error,
		created_at, finished_at) VALUES ($1, $2, $3, $4, 'pending', $5, '', 0, '', $6, 0) RETURNING id`,
		j.Kind, j.AccountID, j.EnvelopeID, j.Payload, micros(j.DueAt), micros(tx.now))
	if err != nil {
		return fmt.Errorf("queue %s: %w", j.Kind, err)
	}
	return nil
}

// ClaimJobs takes up to n due jobs of a kind until a time.
func (tx *Tx) ClaimJobs(ctx context.Context, kind, claimID string, until time.Time, n int) ([]Job, error) {
	jobs, err := all(ctx, tx.q, scanJob, `WITH due AS MATERIALIZED (
			SELECT id AS due_id FROM jobs WHERE state = 'pending' AND kind = $1 AND due_at <= $2 ORDER BY due_at, id LIMIT $3`+tx.d.skip+`
		) UPDATE jobs SET claim_id = $4, due_at = $5 FROM due WHERE id = due_id
		RETURNING `+jobColumns, kind, micros(tx.now), n, claimID, micros(until))
	if err != nil {
		return nil, fmt.Errorf("claim %s: %w", kind, err)
	}
	return jobs, nil
}

// Below, COALESCE is for the reason of stillPending in delivery.go.

// ExtendJob lets a claim run until a later time; false when it was lost.
func (tx *Tx) ExtendJob(ctx context.Context, j Job, until time.Time) (bool, error) {
	n, err := tx.exec(ctx, "UPDATE jobs SET due_at = $1 WHERE id = $2 AND claim_id = $3 AND COALESCE(state, '') = 'pending'", micros(until), j.ID, j.ClaimID)
	return n == 1, err
}

// FinishJob closes a claimed job as done or failed; one whose claim was lost
// stays as it is. What it carried is not kept: it may hold a token.
func (tx *Tx) FinishJob(ctx context.Context, j Job, state, lastError string) error {
	_, err := tx.exec(ctx, `UPDATE jobs SET state = $1, claim_id = '', payload = '', attempts = attempts + 1, last_error = $2, finished_at = $3
		WHERE id = $4 AND claim_id = $5 AND COALESCE(state, '') = 'pending'`, state, lastError, micros(tx.now), j.ID, j.ClaimID)
	return err
}

// RetryJob gives a claimed job back, due at a time. spend counts the attempt.
func (tx *Tx) RetryJob(ctx context.Context, j Job, due time.Time, lastError string, spend bool) error {
	n := 0
	if spend {
		n = 1
	}
	_, err := tx.exec(ctx, `UPDATE jobs SET claim_id = '', due_at = $1, attempts = attempts + $2, last_error = $3
		WHERE id = $4 AND claim_id = $5 AND COALESCE(state, '') = 'pending'`, micros(due), n, lastError, j.ID, j.ClaimID)
	return err
}

// JobNext answers when the next job of a kind is due; the zero time when none
// is waiting.
func (s *Store) JobNext(ctx context.Context, kind string) (t time.Time, err error) {
	err = s.q.QueryRowContext(ctx, "SELECT COALESCE(MIN(due_at), 0) FROM jobs WHERE state = 'pending' AND kind = $1", kind).Scan(at{&t})
	return t, err
}

// JobsOf answers the jobs of a kind that an envelope of an account has,
// newest first.
func (r Reader) JobsOf(ctx context.Context, accountID, envelopeID int64, kind string) ([]Job, error) {
	return all(ctx, r.q, scanJob, "SELECT "+jobColumns+` FROM jobs WHERE envelope_id = $1 AND kind = $2 AND account_id = $3
		ORDER BY id DESC LIMIT 100`, envelopeID, kind, accountID)
}

// HasJob reports whether a job of a kind waits for an envelope.
func (r Reader) HasJob(ctx context.Context, envelopeID int64, kind string) (bool, error) {
	ids, err := all(ctx, r.q, scanInt, "SELECT id FROM jobs WHERE envelope_id = $1 AND kind = $2 AND state = 'pending' LIMIT 1", envelopeID, kind)
	return len(ids) > 0, err
}

// Unsealed answers envelopes that are completed and not sealed and for which
// nothing is queued that would seal them: what a lost job would leave behind.
func (s *Store) Unsealed(ctx context.Context, limit int) ([]paraph.Envelope, error) {
	return all(ctx, s.q, scanEnvelope, "SELECT "+envelopeColumns+` FROM envelopes WHERE status = 'completed' AND sealed_at = 0
		AND deleted_at = 0 AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.envelope_id = envelopes.id AND jobs.kind = 'seal' AND jobs.state = 'pending')
		ORDER BY id LIMIT $1`, limit)
}

// PruneJobs removes up to n jobs that finished before a time.
func (tx *Tx) PruneJobs(ctx context.Context, before time.Time, n int) (int64, error) {
	return tx.exec(ctx, "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE state <> 'pending' AND finished_at < $1 ORDER BY finished_at LIMIT $2)", micros(before), n)
}
