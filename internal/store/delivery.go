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
	deliveries.last_status, deliveries.last_error, deliveries.created_at, deliveries.finished_at`

func deliveryFields(d *paraph.Delivery) []any {
	return []any{
		&d.ID, &d.AccountID, &d.EndpointID, &d.EventID, &d.EnvelopeID, &d.EventName, &d.MessageID, &d.Test, &d.State,
		&d.Attempts, &d.Before,
		at{&d.NextAttemptAt},
		&d.LastStatus, &d.LastError,
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
	for chunk := range pieces(ds, tx.d.rows(15)) {
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
		if d.State == paraph.DeliveryPending {
			tx.Announce(d.EndpointID)
		}
		rows[i] = a.row(d.AccountID, d.EndpointID, d.EventID, d.EnvelopeID, d.EventName, d.MessageID, d.Test, d.State,
			d.Attempts, d.Attempts > d.Before, micros(d.NextAttemptAt), d.LastStatus, d.LastError, micros(d.CreatedAt), micros(d.FinishedAt))
	}
	ids, err := all(ctx, tx.q, scanInt, `INSERT INTO deliveries (account_id, endpoint_id, event_id, envelope_id, event_name, message_id,
		test, state, attempts, late, next_attempt_at, last_status, last_error, created_at, finished_at)
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

const noDelivery = "This delivery is not here, or it belongs to another space."

// Delivery answers one delivery of an account, with its body.
func (r Reader) Delivery(ctx context.Context, accountID, id int64) (paraph.Delivery, error) {
	return one(ctx, r.q, noDelivery, scanDelivery,
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

// stillPending checks a row that is found by its id. Said plainly, it would
// let Postgres walk an index of what is pending instead: its statistics often
// say that nothing is, and then a receiver goes down.
const stillPending = "COALESCE(deliveries.state, '') = 'pending'"

// Requeue makes a finished delivery due now, its schedule beginning anew. One
// that is pending is brought forward; if it is being sent at this moment, that
// attempt is the one that was asked for, and its result counts as ever.
func (tx *Tx) Requeue(ctx context.Context, accountID, id int64) error {
	ids, err := all(ctx, tx.q, scanInt, `UPDATE deliveries SET attempts_before = CASE WHEN state = 'pending' THEN attempts_before ELSE attempts END,
		state = 'pending', late = FALSE, next_attempt_at = $1, finished_at = 0
		WHERE account_id = $2 AND id = $3 RETURNING endpoint_id`, micros(tx.now), accountID, id)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return paraph.Errorf(paraph.NotFound, noDelivery)
	}
	tx.Announce(ids...)
	return tx.trimAttempts(ctx, []int64{id})
}
