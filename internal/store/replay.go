package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
)

const replayColumns = `id, account_id, endpoint_id, states, events, envelope_id, since, until, state, why, cursor_id, last_id,
	total, queued, waiting, succeeded, failed, skipped, created_by, (SELECT name FROM users WHERE users.id = replays.created_by),
	created_at, finished_at`

func scanReplay(scan func(...any) error) (r paraph.Replay, err error) {
	f := &r.Filter
	err = scan(&r.ID, &r.AccountID, &r.EndpointID, opaque{&f.States}, opaque{&f.Events}, &f.EnvelopeID, at{&f.Since}, at{&f.Until},
		&r.State, &r.Why, &r.Cursor, &r.Last, &r.Total, &r.Queued, &r.Waiting, &r.Succeeded, &r.Failed, &r.Skipped, &r.CreatedBy, &r.ByName,
		at{&r.CreatedAt}, at{&r.FinishedAt})
	return r, err
}

const noReplay = "This replay is not here, or it belongs to another webhook."

// Replays answers the replays of an account's endpoint, newest first: those
// with ids below before (0: any) or above after, at most limit.
func (r Reader) Replays(ctx context.Context, accountID, endpointID, before, after int64, limit int) ([]paraph.Replay, error) {
	var a args
	w := "account_id = " + a.add(accountID) + " AND endpoint_id = " + a.add(endpointID)
	order := "DESC"
	if before > 0 {
		w += " AND id < " + a.add(before)
	}
	if after > 0 {
		w, order = w+" AND id > "+a.add(after), "ASC"
	}
	rs, err := all(ctx, r.q, scanReplay, "SELECT "+replayColumns+" FROM replays WHERE "+w+" ORDER BY id "+order+" LIMIT "+
		a.add(min(max(limit, 1), 200)), a...)
	if after > 0 {
		slices.Reverse(rs)
	}
	return rs, err
}

// Replay answers one replay of an account's endpoint.
func (r Reader) Replay(ctx context.Context, accountID, endpointID, id int64) (paraph.Replay, error) {
	return one(ctx, r.q, noReplay, scanReplay, "SELECT "+replayColumns+" FROM replays WHERE account_id = $1 AND endpoint_id = $2 AND id = $3",
		accountID, endpointID, id)
}

// RunningReplay answers the replay of an account's endpoint that is running;
// NotFound when none is.
func (r Reader) RunningReplay(ctx context.Context, accountID, endpointID int64) (paraph.Replay, error) {
	return one(ctx, r.q, noReplay, scanReplay, "SELECT "+replayColumns+` FROM replays WHERE account_id = $1 AND endpoint_id = $2
		AND state = 'running'`, accountID, endpointID)
}

// ReplayCount is how many deliveries a filter matches, and the ids between
// which they lie.
type ReplayCount struct {
	N           int
	First, Last int64
}

// CountReplay counts the deliveries of an account's endpoint that a replay of
// these events (by name; none: all) would send, of those that were over at a
// time. It reads as much of the log as matches the states; call it outside of a
// transaction that writes.
func (r Reader) CountReplay(ctx context.Context, accountID, endpointID int64, f paraph.ReplayFilter, names []string, at time.Time) (c ReplayCount, err error) {
	for _, s := range f.States {
		one := f
		one.States = []paraph.DeliveryState{s}
		var a args
		var x ReplayCount
		err := r.q.QueryRowContext(ctx, "SELECT COUNT(*), COALESCE(MIN(id), 0), COALESCE(MAX(id), 0) FROM deliveries WHERE "+
			replayed(&a, accountID, endpointID, one, names, at, s != paraph.DeliverySucceeded), a...).Scan(&x.N, &x.First, &x.Last)
		if err != nil {
			return c, err
		}
		if x.N > 0 && (c.N == 0 || x.First < c.First) {
			c.First = x.First
		}
		c.N, c.Last = c.N+x.N, max(c.Last, x.Last)
	}
	return c, nil
}

// replayed matches the deliveries that a replay is about. What was skipped
// counts by when that was: a retry that was skipped when its endpoint was
// switched off may be far older. Whatever became of a delivery after at is no
// business of the replay. byState leads by the index of a single state; a plus
// keeps both engines from leading by a column.
func replayed(a *args, accountID, endpointID int64, f paraph.ReplayFilter, names []string, at time.Time, byState bool) string {
	account, endpoint := "account_id = ", "endpoint_id = "
	var w []string
	switch {
	case f.EnvelopeID > 0: // its deliveries are few
		account, endpoint = "+account_id = ", "+endpoint_id = "
		w = append(w, "envelope_id = "+a.add(f.EnvelopeID))
	case byState:
		endpoint = "+endpoint_id = "
	}
	states := make([]string, 0, len(f.States))
	for _, s := range f.States {
		if slices.Contains(paraph.Replayable(), s) { // written out: an index of a single state is found by the text
			states = append(states, "state = '"+string(s)+"'")
		}
	}
	w = append(w, account+a.add(accountID), endpoint+a.add(endpointID), "test = FALSE",
		or(states), "+finished_at <= "+a.add(micros(at)))
	if len(names) > 0 {
		w = append(w, "event_name IN ("+list(a, names)+")")
	}
	const when = "CASE WHEN state = 'skipped' THEN finished_at ELSE created_at END"
	if !f.Since.IsZero() {
		w = append(w, when+" >= "+a.add(micros(f.Since)))
	}
	if !f.Until.IsZero() {
		w = append(w, when+" < "+a.add(micros(f.Until)))
	}
	return strings.Join(w, " AND ")
}

func or(conditions []string) string {
	switch len(conditions) {
	case 0:
		return "1 = 0"
	case 1:
		return conditions[0]
	}
	return "(" + strings.Join(conditions, " OR ") + ")"
}

// InsertReplay adds a replay and sets its id. A second one that runs for an
// endpoint is a Conflict.
func (tx *Tx) InsertReplay(ctx context.Context, r *paraph.Replay) (err error) {
	f := r.Filter
	r.ID, err = tx.insert(ctx, `INSERT INTO replays (account_id, endpoint_id, states, events, envelope_id, since, until, state, why, cursor_id,
		last_id, total, queued, waiting, succeeded, failed, skipped, created_by, created_at, finished_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', $9, $10, $11, 0, 0, 0, 0, 0, $12, $13, 0) RETURNING id`,
		r.AccountID, r.EndpointID, asJSON(f.States), asJSON(f.Events), f.EnvelopeID, micros(f.Since), micros(f.Until), string(r.State),
		r.Cursor, r.Last, r.Total, r.CreatedBy, micros(r.CreatedAt))
	if err != nil && tx.d.unique(err) {
		return &paraph.Error{Kind: paraph.Conflict, Message: "A replay is already running for this webhook.", Err: err}
	}
	return err
}

// AnyReplay answers a replay of whatever account, for the server's own work.
func (tx *Tx) AnyReplay(ctx context.Context, id int64) (paraph.Replay, error) {
	return one(ctx, tx.q, noReplay, scanReplay, "SELECT "+replayColumns+" FROM replays WHERE id = $1", id)
}

// WaitingReplays answers the replays of an endpoint that have queued
// deliveries which are not counted yet, 100 at most.
func (tx *Tx) WaitingReplays(ctx context.Context, endpointID int64) ([]paraph.Replay, error) {
	return all(ctx, tx.q, scanReplay, "SELECT "+replayColumns+" FROM replays WHERE endpoint_id = $1 AND waiting > 0 ORDER BY id LIMIT 100", endpointID)
}

// Replaying answers the endpoints whose log a running replay has not gone
// through yet.
func (tx *Tx) Replaying(ctx context.Context) (map[int64]bool, error) {
	ids, err := all(ctx, tx.q, scanInt, "SELECT endpoint_id FROM replays WHERE state = 'running' AND cursor_id < last_id")
	out := make(map[int64]bool, len(ids))
	for _, id := range ids {
		out[id] = true
	}
	return out, err
}

// SaveReplay writes how far a replay is.
func (tx *Tx) SaveReplay(ctx context.Context, r paraph.Replay) error {
	_, err := tx.exec(ctx, `UPDATE replays SET state = $1, why = $2, cursor_id = $3, queued = $4, waiting = $5, succeeded = $6, failed = $7,
		skipped = $8, finished_at = $9 WHERE id = $10`, string(r.State), r.Why, r.Cursor, r.Queued, r.Waiting, r.Succeeded, r.Failed, r.Skipped,
		micros(r.FinishedAt), r.ID)
	return err
}

// StopReplays cancels what runs for an endpoint.
func (tx *Tx) StopReplays(ctx context.Context, endpointID int64, why string) error {
	_, err := tx.exec(ctx, "UPDATE replays SET state = 'cancelled', why = $1, finished_at = $2 WHERE endpoint_id = $3 AND state = 'running'",
		why, micros(tx.now), endpointID)
	return err
}

// TallyReplay counts what became of a replay's deliveries since the last look,
// each once, and answers when the first of those that wait is due; the zero
// time when none waits. It reads what is not counted yet, and no more.
func (tx *Tx) TallyReplay(ctx context.Context, r *paraph.Replay) (next time.Time, err error) {
	scan := func(scan func(...any) error) (s paraph.DeliveryState, err error) {
		err = scan(&s)
		return s, err
	}
	over, err := all(ctx, tx.q, scan, `UPDATE deliveries SET replay_was = '' WHERE replay_id = $1 AND replay_was <> '' AND COALESCE(state, '') <> 'pending'
		RETURNING state`, r.ID)
	if err != nil {
		return next, fmt.Errorf("count what replay %d did: %w", r.ID, err)
	}
	for _, s := range over {
		switch s {
		case paraph.DeliverySucceeded:
			r.Succeeded++
		case paraph.DeliveryFailed:
			r.Failed++
		case paraph.DeliverySkipped:
			r.Skipped++
		}
	}
	err = tx.q.QueryRowContext(ctx, "SELECT COUNT(*), COALESCE(MIN(next_attempt_at), 0) FROM deliveries WHERE replay_id = $1 AND replay_was <> ''",
		r.ID).Scan(&r.Waiting, at{&next})
	return next, err
}

// replayReach is how many rows of a log one step of a replay looks at, so that
// a filter that matches few of many reads no more than that in one transaction.
const replayReach = 2000

// QueueReplay queues up to n more deliveries of a replay, in the order of
// their ids, behind everything that was never tried, and tells how many these
// were. It moves the replay's cursor over all that it has looked at.
func (tx *Tx) QueueReplay(ctx context.Context, r *paraph.Replay, names []string, n int) (int, error) {
	reach, err := tx.replayReach(ctx, r)
	if err != nil {
		return 0, err
	}
	var a args
	id, now := a.add(r.ID), a.add(micros(tx.now))
	ids, err := all(ctx, tx.q, scanInt, `WITH picked AS MATERIALIZED (
			SELECT id AS picked_id FROM deliveries WHERE `+replayed(&a, r.AccountID, r.EndpointID, r.Filter, names, r.CreatedAt, false)+`
			AND id > `+a.add(r.Cursor)+" AND id <= "+a.add(reach)+" ORDER BY id LIMIT "+a.add(n)+` + 0
		) UPDATE deliveries SET replay_id = `+id+`, replay_was = state, state = 'pending', attempts_before = attempts, late = TRUE,
			next_attempt_at = `+now+`, finished_at = 0 FROM picked WHERE deliveries.id = picked.picked_id
		RETURNING deliveries.id`, a...)
	if err != nil {
		return 0, fmt.Errorf("queue more of replay %d: %w", r.ID, err)
	}
	r.Queued, r.Waiting = r.Queued+len(ids), r.Waiting+len(ids)
	if len(ids) < n {
		r.Cursor = reach
	} else {
		for _, x := range ids {
			r.Cursor = max(r.Cursor, x)
		}
	}
	return len(ids), tx.trimAttempts(ctx, ids)
}

// replayReach is the id up to which the next step looks.
func (tx *Tx) replayReach(ctx context.Context, r *paraph.Replay) (int64, error) {
	if r.Filter.EnvelopeID > 0 {
		return r.Last, nil
	}
	ids, err := all(ctx, tx.q, scanInt, `SELECT id FROM deliveries WHERE account_id = $1 AND endpoint_id = $2 AND id > $3 AND id <= $4
		ORDER BY id LIMIT 1 OFFSET $5`, r.AccountID, r.EndpointID, r.Cursor, r.Last, replayReach-1)
	if err != nil || len(ids) == 0 {
		return r.Last, err
	}
	return ids[0], nil
}

// TakeBackReplay returns what a replay queued and nobody has tried since to
// the state that it had, and tells how many these were. What was skipped
// counts as skipped now.
func (tx *Tx) TakeBackReplay(ctx context.Context, r *paraph.Replay) error {
	n, err := tx.exec(ctx, `UPDATE deliveries SET state = replay_was, replay_was = '', replay_id = 0,
		finished_at = CASE WHEN replay_was = 'skipped' THEN $1 ELSE COALESCE((SELECT MAX(at) FROM attempts WHERE delivery_id = deliveries.id), created_at) END
		WHERE replay_id = $2 AND replay_was <> '' AND COALESCE(state, '') = 'pending' AND attempts = attempts_before`, micros(tx.now), r.ID)
	r.Queued, r.Waiting = r.Queued-int(n), max(0, r.Waiting-int(n))
	return err
}

// PruneReplays removes up to n replays that ended before a time.
func (tx *Tx) PruneReplays(ctx context.Context, before time.Time, n int) (int64, error) {
	return tx.exec(ctx, `DELETE FROM replays WHERE id IN (SELECT id FROM replays WHERE state <> 'running' AND finished_at < $1
		AND waiting = 0 ORDER BY finished_at LIMIT $2)`, micros(before), n)
}
