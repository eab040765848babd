package store

import (
	"context"
	"fmt"

	"github.com/paraph-sign/paraph"
)

// Result is what an attempt made of a delivery.
type Result struct {
	Delivery paraph.Delivery // as read, with State, Attempts, NextAttemptAt and Last… as they shall be
	Attempt  paraph.Attempt  // Number 0: none was made, and there is nothing to log
}

// read is how many attempts the delivery had when it was read.
func (r Result) read() int {
	if r.Attempt.Number == 0 {
		return r.Delivery.Attempts
	}
	return r.Delivery.Attempts - 1
}

// SaveResults writes attempts and what became of their deliveries. A delivery
// that another node has tried since it was read, or that has succeeded, keeps
// its state; the attempt is logged all the same, with the next number that is
// free. One that was skipped or given up while its request was under way is
// told of as succeeded when it did. What became of a delivery that is gone is
// dropped. No delivery may come twice.
func (tx *Tx) SaveResults(ctx context.Context, results []Result) error {
	logged := make([]paraph.Attempt, 0, len(results))
	for _, r := range results {
		if r.Attempt.Number != 0 {
			logged = append(logged, r.Attempt)
		}
	}
	if err := tx.saveAttempts(ctx, logged); err != nil {
		return fmt.Errorf("save %d attempts: %w", len(logged), err)
	}
	if err := tx.saveStates(ctx, results); err != nil {
		return fmt.Errorf("save %d deliveries: %w", len(results), err)
	}
	return nil
}

const attemptColumns = `INSERT INTO attempts (delivery_id, number, at, status, code, error, duration, timings, remote_address,
	request_headers, response_headers, response_body, truncated) `

// saveAttempts takes the number that an attempt came with, and looks for a free
// one only when that is taken.
func (tx *Tx) saveAttempts(ctx context.Context, attempts []paraph.Attempt) error {
	if tx.d.arrays && len(attempts) > 1 {
		return tx.saveManyAttempts(ctx, attempts)
	}
	for _, t := range attempts {
		n, err := tx.exec(ctx, attemptColumns+`VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (delivery_id, number) DO NOTHING`,
			t.DeliveryID, t.Number, micros(t.At), t.Status, t.Code, t.Error, t.Duration.Microseconds(), timingsJSON(t.Timings), t.RemoteAddress,
			pairsJSON(t.RequestHeaders), pairsJSON(t.ResponseHeaders), stored(t.ResponseBody), t.Truncated)
		if err == nil && n == 0 {
			err = tx.saveAttemptAnyhow(ctx, t)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) saveAttemptAnyhow(ctx context.Context, t paraph.Attempt) error {
	_, err := tx.exec(ctx, attemptColumns+`SELECT id, (SELECT COALESCE(MAX(number), 0) + 1 FROM attempts WHERE delivery_id = $1),
		$2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 FROM deliveries WHERE id = $1`,
		t.DeliveryID, micros(t.At), t.Status, t.Code, t.Error, t.Duration.Microseconds(), timingsJSON(t.Timings), t.RemoteAddress,
		pairsJSON(t.RequestHeaders), pairsJSON(t.ResponseHeaders), stored(t.ResponseBody), t.Truncated)
	return err
}

// stored is a body as a column that holds no NULL takes it.
func stored(body []byte) []byte {
	if body == nil {
		return []byte{}
	}
	return body
}

// saveManyAttempts is saveAttempts in one journey to the server, and another
// one for what collides.
func (tx *Tx) saveManyAttempts(ctx context.Context, attempts []paraph.Attempt) error {
	n := len(attempts)
	ids, numbers, ats, statuses, durations := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	codes, failures, timings, addresses, sent, got := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	bodies, cut := make([][]byte, n), make([]bool, n)
	for i, t := range attempts {
		ids[i], numbers[i], ats[i], statuses[i], durations[i] = t.DeliveryID, int64(t.Number), micros(t.At), int64(t.Status), t.Duration.Microseconds()
		codes[i], failures[i], timings[i], addresses[i] = t.Code, t.Error, timingsJSON(t.Timings), t.RemoteAddress
		sent[i], got[i], bodies[i], cut[i] = pairsJSON(t.RequestHeaders), pairsJSON(t.ResponseHeaders), stored(t.ResponseBody), t.Truncated
	}
	written, err := all(ctx, tx.q, scanInt, attemptColumns+`SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[],
			$7::bigint[], $8::text[], $9::text[], $10::text[], $11::text[], $12::bytea[], $13::boolean[])
		ON CONFLICT (delivery_id, number) DO NOTHING RETURNING delivery_id`,
		ids, numbers, ats, statuses, codes, failures, durations, timings, addresses, sent, got, bodies, cut)
	if err != nil || len(written) == n {
		return err
	}
	done := make(map[int64]bool, len(written))
	for _, id := range written {
		done[id] = true
	}
	for _, t := range attempts {
		if done[t.DeliveryID] {
			continue
		}
		if err := tx.saveAttemptAnyhow(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// asRead holds while a delivery is as it was read; its attempts are compared
// beside it. What follows is whether the result is a success.
const asRead = "(" + stillPending + " OR COALESCE(deliveries.state, '') IN ('skipped', 'failed') AND "

func (tx *Tx) saveStates(ctx context.Context, results []Result) error {
	if tx.d.arrays && len(results) > 1 {
		return tx.saveManyStates(ctx, results)
	}
	for _, r := range results {
		d := r.Delivery
		if _, err := tx.exec(ctx, `UPDATE deliveries SET state = $1, attempts = $2, late = (late OR $3 > attempts_before), next_attempt_at = $4,
				last_status = $5, last_error = $6, finished_at = $7
			WHERE id = $8 AND attempts = $9 AND `+asRead+"$10)", string(d.State), d.Attempts, d.Attempts, micros(d.NextAttemptAt), d.LastStatus, d.LastError,
			micros(d.FinishedAt), d.ID, r.read(), d.State == paraph.DeliverySucceeded); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) saveManyStates(ctx context.Context, results []Result) error {
	n := len(results)
	ids, was, attempts, next, statuses, finished := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	states, failures := make([]string, n), make([]string, n)
	for i, r := range results {
		d := r.Delivery
		ids[i], was[i], attempts[i], next[i] = d.ID, int64(r.read()), int64(d.Attempts), micros(d.NextAttemptAt)
		statuses[i], finished[i], states[i], failures[i] = int64(d.LastStatus), micros(d.FinishedAt), string(d.State), d.LastError
	}
	_, err := tx.exec(ctx, `UPDATE deliveries SET state = r.state, attempts = r.attempts, late = (deliveries.late OR r.attempts > deliveries.attempts_before),
			next_attempt_at = r.next_at, last_status = r.status, last_error = r.error, finished_at = r.finished
		FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[])
			AS r (id, was, state, attempts, next_at, status, error, finished)
		WHERE deliveries.id = r.id AND deliveries.attempts = r.was AND `+asRead+"r.state = 'succeeded')",
		ids, was, states, attempts, next, statuses, failures, finished)
	return err
}
