package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
)

const deliveryMeta = `deliveries.id, deliveries.account_id, deliveries.endpoint_id, deliveries.event_id, deliveries.envelope_id,
	deliveries.event_name, deliveries.message_id, deliveries.test, deliveries.state, deliveries.attempts,
	deliveries.attempts_before, deliveries.next_attempt_at,
	deliveries.claim_id, deliveries.last_status, deliveries.last_error, deliveries.created_at, deliveries.finished_at`

func deliveryFields(d *paraph.Delivery) []any {
	return []any{
		&d.ID, &d.AccountID, &d.EndpointID, &d.EventID, &d.EnvelopeID, &d.EventName, &d.MessageID, &d.Test, &d.State,
		&d.Attempts, &d.Before,
		at{&d.NextAttemptAt},
		&d.ClaimID, &d.LastStatus, &d.LastError,
		at{&d.CreatedAt},
		at{&d.FinishedAt},
	}
}

func scanDeliveryMeta(scan func(...any) error) (d paraph.Delivery, err error) {
	err = scan(deliveryFields(&d)...)
	return d, err
}

func scanDelivery(scan func(...any) error) (d paraph.Delivery, err error) {
	err = scan(append(deliveryFields(&d), &d.Body)...)
	return d, err
}

// InsertDeliveries queues deliveries and sets their ids, in their order.
func (tx *Tx) InsertDeliveries(ctx context.Context, ds []paraph.Delivery) error {
	for chunk := range pieces(ds, tx.d.rows(16)) {
		if err := tx.insertDeliveries(ctx, chunk); err != nil {
			return fmt.Errorf("queue %d deliveries: %w", len(chunk), err)
		}
	}
	return nil
}

func (tx *Tx) insertDeliveries(ctx context.Context, ds []paraph.Delivery) error {
	var a, b args
	rows, bodies := make([]string, len(ds)), make([]string, len(ds))
	for i, d := range ds {
		rows[i] = a.row(d.AccountID, d.EndpointID, d.EventID, d.EnvelopeID, d.EventName, d.MessageID, d.Test, d.State,
			0, false, micros(d.NextAttemptAt), "", 0, "", micros(d.CreatedAt), micros(d.FinishedAt))
	}
	ids, err := all(ctx, tx.q, scanInt, `INSERT INTO deliveries (account_id, endpoint_id, event_id, envelope_id, event_name, message_id,
		test, state, attempts, late, next_attempt_at, claim_id, last_status, last_error, created_at, finished_at)
		VALUES `+strings.Join(rows, ", ")+" RETURNING id", a...)
	if err != nil {
		return err
	}
	slices.Sort(ids) // they are given out in the order of the rows, but answered in any
	for i, id := range ids {
		ds[i].ID = id
		bodies[i] = b.row(id, ds[i].Body)
	}
	_, err = tx.exec(ctx, "INSERT INTO bodies (id, body) VALUES "+strings.Join(bodies, ", "), b...)
	return err
}

// Delivery answers one delivery of an account, with its body.
func (r Reader) Delivery(ctx context.Context, accountID, id int64) (paraph.Delivery, error) {
	return one(ctx, r.q, "This delivery is not here, or it belongs to another space.", scanDelivery,
		"SELECT "+deliveryMeta+`, bodies.body FROM deliveries JOIN bodies ON bodies.id = deliveries.id
		WHERE deliveries.account_id = $1 AND deliveries.id = $2`, accountID, id)
}

// Attempts answers every attempt of a delivery of an account, in order. A
// schedule and some resends make few; 500 at most are read.
func (r Reader) Attempts(ctx context.Context, accountID, deliveryID int64) ([]paraph.Attempt, error) {
	return all(ctx, r.q, scanAttempt, `SELECT delivery_id, number, at, status, code, error, duration, timings, remote_address,
		request_headers, response_headers, response_body, truncated FROM attempts
		WHERE delivery_id = (SELECT id FROM deliveries WHERE id = $1 AND account_id = $2) ORDER BY number LIMIT 500`, deliveryID, accountID)
}

func scanAttempt(scan func(...any) error) (a paraph.Attempt, err error) {
	var duration int64
	err = scan(&a.DeliveryID, &a.Number, at{&a.At}, &a.Status, &a.Code, &a.Error, &duration, opaque{&a.Timings}, &a.RemoteAddress,
		opaque{&a.RequestHeaders}, opaque{&a.ResponseHeaders}, &a.ResponseBody, &a.Truncated)
	a.Duration = time.Duration(duration) * time.Microsecond
	return a, err
}

// EndpointStats is what became of an endpoint's deliveries in a span of time.
type EndpointStats struct {
	EndpointID int64
	Succeeded  int
	Failed     int
	Pending    int
	LastOK     time.Time
}

// StatsOf counts the deliveries of an account's endpoints created since a
// time.
func (r Reader) StatsOf(ctx context.Context, accountID int64, since time.Time) (map[int64]EndpointStats, error) {
	scan := func(scan func(...any) error) (s EndpointStats, err error) {
		err = scan(&s.EndpointID, &s.Succeeded, &s.Failed, &s.Pending, at{&s.LastOK})
		return s, err
	}
	rows, err := all(ctx, r.q, scan, `SELECT endpoint_id,
		COUNT(CASE WHEN state = 'succeeded' THEN 1 END), COUNT(CASE WHEN state = 'failed' THEN 1 END),
		COUNT(CASE WHEN state = 'pending' THEN 1 END), COALESCE(MAX(CASE WHEN state = 'succeeded' THEN finished_at END), 0)
		FROM deliveries WHERE account_id = $1 AND created_at >= $2 GROUP BY endpoint_id`, accountID, micros(since))
	out := make(map[int64]EndpointStats, len(rows))
	for _, s := range rows {
		out[s.EndpointID] = s
	}
	return out, err
}

// Lane is an endpoint with pending deliveries.
type Lane struct {
	EndpointID int64
	NextAt     time.Time // when the first of them is due
}

// Lanes answers the endpoints that have pending deliveries, and when each is
// due: of an ordered one its oldest, which holds up the others. It takes a few
// index look-ups an endpoint, whatever their backlog.
func (s *Store) Lanes(ctx context.Context) ([]Lane, error) {
	scan := func(scan func(...any) error) (l Lane, err error) {
		err = scan(&l.EndpointID, at{&l.NextAt})
		return l, err
	}
	return all(ctx, s.q, scan, `WITH RECURSIVE lanes (id) AS (
			SELECT MIN(endpoint_id) FROM deliveries WHERE state = 'pending'
			UNION ALL
			SELECT (SELECT MIN(endpoint_id) FROM deliveries WHERE state = 'pending' AND endpoint_id > lanes.id)
			FROM lanes WHERE lanes.id IS NOT NULL
		), due (id, first_at, late_at) AS (
			SELECT id,
				(SELECT MIN(next_attempt_at) FROM deliveries WHERE state = 'pending' AND endpoint_id = lanes.id AND late = FALSE),
				(SELECT MIN(next_attempt_at) FROM deliveries WHERE state = 'pending' AND endpoint_id = lanes.id AND late = TRUE)
			FROM lanes WHERE id IS NOT NULL
		)
		SELECT due.id, CASE
			WHEN endpoints.ordered THEN (SELECT next_attempt_at FROM deliveries WHERE id =
				(SELECT MIN(id) FROM deliveries WHERE state = 'pending' AND endpoint_id = due.id))
			WHEN late_at IS NULL OR first_at < late_at THEN first_at
			ELSE late_at END
		FROM due JOIN endpoints ON endpoints.id = due.id WHERE endpoints.enabled`)
}

// LaneNext answers when the next pending delivery of an endpoint is due, of an
// ordered one its oldest; the zero time when there is none.
func (s *Store) LaneNext(ctx context.Context, endpointID int64) (time.Time, error) {
	return s.laneNext(ctx, endpointID)
}

// LaneNext is Store.LaneNext within the transaction.
func (tx *Tx) LaneNext(ctx context.Context, endpointID int64) (time.Time, error) {
	return tx.laneNext(ctx, endpointID)
}

func (r Reader) laneNext(ctx context.Context, endpointID int64) (t time.Time, err error) {
	err = r.q.QueryRowContext(ctx, `SELECT COALESCE(CASE
			WHEN ordered THEN (SELECT next_attempt_at FROM deliveries WHERE id =
				(SELECT MIN(id) FROM deliveries WHERE state = 'pending' AND endpoint_id = $1))
			ELSE (SELECT MIN(t) FROM (
				SELECT MIN(next_attempt_at) AS t FROM deliveries WHERE state = 'pending' AND endpoint_id = $1 AND late = FALSE
				UNION ALL
				SELECT MIN(next_attempt_at) AS t FROM deliveries WHERE state = 'pending' AND endpoint_id = $1 AND late = TRUE
			) AS both_kinds) END, 0) FROM endpoints WHERE id = $1`, endpointID).Scan(at{&t})
	return t, err
}

// stillPending checks a row that is found by its id. Said plainly, it would
// let Postgres walk an index of what is pending instead: its statistics often
// say that nothing is, and then a receiver goes down.
const stillPending = "COALESCE(deliveries.state, '') = 'pending'"

// ClaimDeliveries takes up to n due deliveries of an endpoint, first attempts
// before retries, until a time; then they are free again. A claimed row stays
// pending, with the claim's end as its due time.
func (tx *Tx) ClaimDeliveries(ctx context.Context, endpointID int64, claimID string, until time.Time, n int) ([]paraph.Delivery, error) {
	var out []paraph.Delivery
	for _, late := range []bool{false, true} {
		if len(out) >= n {
			break
		}
		// A plain LIMIT $4 would let SQLite parse the statement anew for each value. A WITH is run once. Postgres may run a subquery in the WHERE again for each row, and so claim more than n.
		ds, err := all(ctx, tx.q, scanDelivery, `WITH due AS MATERIALIZED (
				SELECT id FROM deliveries WHERE state = 'pending' AND endpoint_id = $1 AND late = $2 AND next_attempt_at <= $3
				ORDER BY next_attempt_at, id LIMIT $4 + 0`+tx.d.skip+`
			) UPDATE deliveries SET claim_id = $5, next_attempt_at = $6 FROM due WHERE deliveries.id = due.id
			RETURNING `+deliveryMeta+", (SELECT body FROM bodies WHERE bodies.id = deliveries.id)", endpointID, late, micros(tx.now), n-len(out), claimID, micros(until))
		if err != nil {
			return nil, fmt.Errorf("claim deliveries of endpoint %d: %w", endpointID, err)
		}
		slices.SortFunc(ds, func(a, b paraph.Delivery) int { return int(a.ID - b.ID) })
		out = append(out, ds...)
	}
	return out, nil
}

// ClaimHead takes the oldest pending delivery of an ordered endpoint, if it is
// due and nobody is sending it.
func (tx *Tx) ClaimHead(ctx context.Context, endpointID int64, claimID string, until time.Time) ([]paraph.Delivery, error) {
	ds, err := all(ctx, tx.q, scanDelivery, `WITH due AS MATERIALIZED (
			SELECT id FROM deliveries WHERE id = (SELECT MIN(id) FROM deliveries WHERE state = 'pending' AND endpoint_id = $1)
			AND `+stillPending+` AND next_attempt_at <= $2`+tx.d.skip+`
		) UPDATE deliveries SET claim_id = $3, next_attempt_at = $4 FROM due WHERE deliveries.id = due.id
		RETURNING `+deliveryMeta+", (SELECT body FROM bodies WHERE bodies.id = deliveries.id)", endpointID, micros(tx.now), claimID, micros(until))
	if err != nil {
		return nil, fmt.Errorf("claim the head of endpoint %d: %w", endpointID, err)
	}
	return ds, nil
}

// ExtendClaims lets claims that are still being worked on run until a later
// time.
func (tx *Tx) ExtendClaims(ctx context.Context, claimID string, ids []int64, until time.Time) error {
	if len(ids) == 0 {
		return nil
	}
	var a args
	_, err := tx.exec(ctx, "UPDATE deliveries SET next_attempt_at = "+a.add(micros(until))+" WHERE "+stillPending+" AND claim_id = "+
		a.add(claimID)+" AND id IN ("+list(&a, ids)+")", a...)
	return err
}

// ReleaseClaims gives claimed deliveries back, due at once, none of their
// attempts spent.
func (tx *Tx) ReleaseClaims(ctx context.Context, claimID string, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	var a args
	_, err := tx.exec(ctx, "UPDATE deliveries SET claim_id = '', next_attempt_at = "+a.add(micros(tx.now))+" WHERE "+stillPending+" AND claim_id = "+
		a.add(claimID)+" AND id IN ("+list(&a, ids)+")", a...)
	return err
}

// Result is what an attempt made of a claimed delivery.
type Result struct {
	Delivery paraph.Delivery // as claimed, with State, Attempts, NextAttemptAt and Last… as they shall be
	Attempt  paraph.Attempt  // Number 0: nothing to log
}

// SaveResults writes attempts and what became of their deliveries, many in one
// statement. A delivery whose claim was lost meanwhile keeps its state; the
// attempt is logged all the same. One that was skipped while its request was
// under way is told of as succeeded when it did. The log numbers attempts
// itself, over all replays; Attempt.Number is not looked at. No delivery may
// come twice.
func (tx *Tx) SaveResults(ctx context.Context, results []Result) error {
	for chunk := range pieces(results, tx.d.rows(12)) {
		if err := tx.saveAttempts(ctx, chunk); err != nil {
			return fmt.Errorf("save %d attempts: %w", len(chunk), err)
		}
		if err := tx.saveStates(ctx, chunk); err != nil {
			return fmt.Errorf("save %d deliveries: %w", len(chunk), err)
		}
	}
	return nil
}

func (tx *Tx) saveAttempts(ctx context.Context, results []Result) error {
	var a args
	var rows []string
	for _, r := range results {
		t := r.Attempt
		if t.Number == 0 {
			continue
		}
		body := t.ResponseBody
		if body == nil {
			body = []byte{}
		}
		id := a.add(t.DeliveryID)
		rows = append(rows, "("+id+", (SELECT COALESCE(MAX(number), 0) + 1 FROM attempts WHERE delivery_id = "+id+"), "+
			list(&a, []any{
				micros(t.At), t.Status, t.Code, t.Error, t.Duration.Microseconds(), asJSON(t.Timings), t.RemoteAddress,
				pairsJSON(t.RequestHeaders), pairsJSON(t.ResponseHeaders), body, t.Truncated,
			})+")")
	}
	if len(rows) == 0 {
		return nil
	}
	_, err := tx.exec(ctx, `INSERT INTO attempts (delivery_id, number, at, status, code, error, duration, timings, remote_address,
		request_headers, response_headers, response_body, truncated) VALUES `+strings.Join(rows, ", ")+
		" ON CONFLICT (delivery_id, number) DO NOTHING", a...)
	return err
}

// keepsClaim holds while a delivery is still the claim's: id and claim_id are
// compared beside it.
const keepsClaim = "(" + stillPending + " OR COALESCE(deliveries.state, '') = 'skipped' AND "

func (tx *Tx) saveState(ctx context.Context, d paraph.Delivery) error {
	_, err := tx.exec(ctx, `UPDATE deliveries SET state = $1, attempts = $2, late = (late OR $2 > attempts_before), next_attempt_at = $3, claim_id = '',
			last_status = $4, last_error = $5, finished_at = $6
		WHERE id = $7 AND claim_id = $8 AND `+keepsClaim+"$9)", string(d.State), d.Attempts, micros(d.NextAttemptAt), d.LastStatus, d.LastError,
		micros(d.FinishedAt), d.ID, d.ClaimID, d.State == paraph.DeliverySucceeded && d.ClaimID != "")
	return err
}

func (tx *Tx) saveStates(ctx context.Context, results []Result) error {
	if len(results) == 1 { // what SQLite always has; it takes half the time
		return tx.saveState(ctx, results[0].Delivery)
	}
	var a args
	rows := make([]string, len(results))
	for i, r := range results {
		d := r.Delivery
		cells := []string{
			"CAST(" + a.add(d.ID) + " AS BIGINT)", "CAST(" + a.add(d.ClaimID) + " AS TEXT)", "CAST(" + a.add(string(d.State)) + " AS TEXT)",
			"CAST(" + a.add(d.Attempts) + " AS BIGINT)", "CAST(" + a.add(micros(d.NextAttemptAt)) + " AS BIGINT)",
			"CAST(" + a.add(d.LastStatus) + " AS BIGINT)", "CAST(" + a.add(d.LastError) + " AS TEXT)", "CAST(" + a.add(micros(d.FinishedAt)) + " AS BIGINT)",
		}
		rows[i] = "(" + strings.Join(cells, ", ") + ")"
	}
	_, err := tx.exec(ctx, `WITH r (id, claim_id, state, attempts, next_at, status, error, finished) AS (VALUES `+strings.Join(rows, ", ")+`)
		UPDATE deliveries SET state = r.state, attempts = r.attempts, late = (deliveries.late OR r.attempts > deliveries.attempts_before), next_attempt_at = r.next_at, claim_id = '',
			last_status = r.status, last_error = r.error, finished_at = r.finished
		FROM r WHERE deliveries.id = r.id AND deliveries.claim_id = r.claim_id
			AND `+keepsClaim+"r.state = 'succeeded' AND r.claim_id <> '')", a...)
	return err
}

// Requeue makes a finished delivery due now, its schedule beginning anew. One
// that is pending is brought forward; while it is being sent the error is a
// Conflict.
func (tx *Tx) Requeue(ctx context.Context, accountID, id int64) error {
	n, err := tx.exec(ctx, `UPDATE deliveries SET attempts_before = CASE WHEN state = 'pending' THEN attempts_before ELSE attempts END,
		state = 'pending', late = FALSE, next_attempt_at = $1, claim_id = '', finished_at = 0
		WHERE account_id = $2 AND id = $3 AND (state <> 'pending' OR claim_id = '')`, micros(tx.now), accountID, id)
	if err != nil {
		return err
	}
	if n == 1 {
		return tx.trimAttempts(ctx, []int64{id})
	}
	if _, err := tx.Delivery(ctx, accountID, id); err != nil {
		return err
	}
	return paraph.Errorf(paraph.Conflict, "This delivery is being sent right now.")
}
