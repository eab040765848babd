package store

import (
	"context"
	"slices"
	"time"

	"github.com/paraph-sign/paraph"
)

// failureNotedEvery is how often a failing endpoint's row is written.
const failureNotedEvery = time.Hour

// NoteFailure writes down that an endpoint fails, unless it is off or that was
// done within the last hour. Code and Error of f, at Last, are what failed.
func (tx *Tx) NoteFailure(ctx context.Context, endpointID int64, f paraph.Failing) error {
	_, err := tx.exec(ctx, `UPDATE endpoints SET failing_since = CASE WHEN failing_since = 0 THEN $1 ELSE failing_since END,
			failed_at = $1, failed_code = $2, failed_error = $3
		WHERE id = $4 AND enabled AND (failing_since = 0 OR failed_at <= $5)`,
		micros(f.Last), f.Code, f.Error, endpointID, micros(f.Last.Add(-failureNotedEvery)))
	return err
}

// EndFailing forgets the failures of endpoints that were failing. When their
// owners were last told of a delivery that was given up stays known.
func (tx *Tx) EndFailing(ctx context.Context, endpointIDs ...int64) error {
	if len(endpointIDs) == 0 {
		return nil
	}
	slices.Sort(endpointIDs) // rows are locked in one order on every node
	var a args
	_, err := tx.exec(ctx, `UPDATE endpoints SET failing_since = 0, failed_at = 0, failed_code = '', failed_error = '', warned = 0, warned_at = 0
		WHERE failing_since <> 0 AND id IN (`+list(&a, endpointIDs)+")", a...)
	return err
}

// NoteExhausted tells whether an endpoint's owner is to be told now that a
// delivery was given up: for the first since the endpoint fails, and otherwise
// once in a time. It answers true once, whatever the number of nodes.
func (tx *Tx) NoteExhausted(ctx context.Context, endpointID int64, every time.Duration) (bool, error) {
	n, err := tx.exec(ctx, `UPDATE endpoints SET exhausted_at = $1
		WHERE id = $2 AND deleted_at = 0 AND exhausted_at <= $3 AND (failing_since = 0 OR exhausted_at < failing_since)`,
		micros(tx.now), endpointID, micros(tx.now.Add(-every)))
	return n == 1, err
}

// NoteWarning writes down that an endpoint's owner is told of a step. It
// answers false when that has been done, or the endpoint has recovered.
func (tx *Tx) NoteWarning(ctx context.Context, endpointID int64, step int) (bool, error) {
	n, err := tx.exec(ctx, `UPDATE endpoints SET warned = $1, warned_at = $2 WHERE id = $3 AND enabled AND failing_since <> 0 AND warned < $1`,
		step, micros(tx.now), endpointID)
	return n == 1, err
}

// FailingEndpoints answers endpoints that are on and have been failing since a
// time, of whatever account: the n with the lowest ids above one.
func (s *Store) FailingEndpoints(ctx context.Context, since time.Time, after int64, n int) ([]paraph.Endpoint, error) {
	return all(ctx, s.q, s.scanEndpoint, "SELECT "+endpointColumns+` FROM endpoints
		WHERE failing_since <> 0 AND failing_since <= $1 AND id > $2 AND enabled AND deleted_at = 0 ORDER BY id LIMIT $3`,
		micros(since), after, n)
}
