package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
)

// Health is how an endpoint has answered since a time. Attempts are counted
// and not deliveries: one that arrived at the third attempt shows two failures.
type Health struct {
	EndpointID int64
	OK, Failed int64        // attempts
	GaveUp     int64        // deliveries whose schedule was used up
	Times      paraph.Times // of the attempts that were answered, or ran out of time
	LastOK     time.Time    // of all hours that are kept
	Hours      []HealthHour // those with attempts, in order
}

// HealthHour is one hour of Health.
type HealthHour struct {
	At         time.Time // when it began
	OK, Failed int64
	Times      paraph.Times
}

// noTime is the bucket of attempts without a response time.
const noTime = -1

type hourKey struct {
	endpoint, hour int64
	bucket         int
}

type hourCount struct{ ok, failed, gaveUp, lastOK int64 }

// AddToHours counts results in the hours of their endpoints. A batch is added
// up first, so it costs a row for each endpoint and bucket of response times.
func (tx *Tx) AddToHours(ctx context.Context, results []Result) error {
	sums := map[hourKey]hourCount{}
	for _, r := range results {
		if r.Attempt.Number == 0 {
			continue
		}
		k, c := hourOf(r)
		was := sums[k]
		sums[k] = hourCount{was.ok + c.ok, was.failed + c.failed, was.gaveUp + c.gaveUp, max(was.lastOK, c.lastOK)}
	}
	// In one order on every node, so that they don't wait for each other in a circle.
	keys := slices.SortedFunc(maps.Keys(sums), func(a, b hourKey) int {
		return cmp.Or(cmp.Compare(a.endpoint, b.endpoint), cmp.Compare(a.hour, b.hour), cmp.Compare(a.bucket, b.bucket))
	})
	for chunk := range pieces(keys, tx.d.rows(7)) {
		var a args
		rows := make([]string, len(chunk))
		for i, k := range chunk {
			c := sums[k]
			rows[i] = a.row(k.endpoint, k.hour, k.bucket, c.ok, c.failed, c.gaveUp, c.lastOK)
		}
		if _, err := tx.exec(ctx, `INSERT INTO endpoint_hours (endpoint_id, hour, bucket, ok, failed, gave_up, last_ok)
			VALUES `+strings.Join(rows, ", ")+` ON CONFLICT (endpoint_id, hour, bucket) DO UPDATE SET
			ok = endpoint_hours.ok + excluded.ok, failed = endpoint_hours.failed + excluded.failed, gave_up = endpoint_hours.gave_up + excluded.gave_up,
			last_ok = CASE WHEN excluded.last_ok > endpoint_hours.last_ok THEN excluded.last_ok ELSE endpoint_hours.last_ok END`, a...); err != nil {
			return fmt.Errorf("count %d attempts: %w", len(results), err)
		}
	}
	return nil
}

func hourOf(r Result) (k hourKey, c hourCount) {
	t := r.Attempt
	k = hourKey{r.Delivery.EndpointID, micros(t.At.Truncate(time.Hour)), noTime}
	if t.Status > 0 || t.Code == "timeout" {
		k.bucket = paraph.TimeBucket(t.Duration)
	}
	if t.Code == "ok" {
		return k, hourCount{ok: 1, lastOK: micros(t.At)}
	}
	c.failed = 1
	if r.Delivery.State == paraph.DeliveryFailed {
		c.gaveUp = 1
	}
	return k, c
}

type hourRow struct {
	hourKey
	hourCount
}

func scanHour(scan func(...any) error) (r hourRow, err error) {
	err = scan(&r.endpoint, &r.hour, &r.bucket, &r.ok, &r.failed, &r.gaveUp)
	return r, err
}

func (h *Health) add(r hourRow) {
	h.OK, h.Failed, h.GaveUp = h.OK+r.ok, h.Failed+r.failed, h.GaveUp+r.gaveUp
	if r.bucket >= 0 && r.bucket < paraph.TimeBuckets {
		h.Times[r.bucket] += r.ok + r.failed
	}
}

func (h *Health) addHour(r hourRow) {
	at := time.UnixMicro(r.hour).UTC()
	if n := len(h.Hours); n == 0 || !h.Hours[n-1].At.Equal(at) {
		h.Hours = append(h.Hours, HealthHour{At: at})
	}
	hour := &h.Hours[len(h.Hours)-1]
	hour.OK, hour.Failed = hour.OK+r.ok, hour.Failed+r.failed
	if r.bucket >= 0 && r.bucket < paraph.TimeBuckets {
		hour.Times[r.bucket] += r.ok + r.failed
	}
}

// Health answers how an account's endpoint has answered since a time, from
// the beginning of its hour. It reads at most 32 small rows an hour, however
// much was sent.
func (r Reader) Health(ctx context.Context, accountID, endpointID int64, since time.Time) (Health, error) {
	h := Health{EndpointID: endpointID}
	rows, err := all(ctx, r.q, scanHour, `SELECT endpoint_id, hour, bucket, ok, failed, gave_up FROM endpoint_hours
		WHERE endpoint_id = (SELECT id FROM endpoints WHERE account_id = $1 AND id = $2) AND hour >= $3 ORDER BY hour, bucket`,
		accountID, endpointID, micros(since.Truncate(time.Hour)))
	if err != nil {
		return h, err
	}
	for _, row := range rows {
		h.add(row)
		h.addHour(row)
	}
	last, err := r.lastSuccesses(ctx, accountID, []int64{endpointID})
	h.LastOK = last[endpointID]
	return h, err
}

// Healths is Health of some of an account's endpoints; the hours have no
// Times.
func (r Reader) Healths(ctx context.Context, accountID int64, ids []int64, since time.Time) (map[int64]Health, error) {
	out := make(map[int64]Health, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	sums := func(columns string) ([]hourRow, error) {
		var a args
		return all(ctx, r.q, scanHour, "SELECT "+columns+`, CAST(SUM(ok) AS BIGINT), CAST(SUM(failed) AS BIGINT), CAST(SUM(gave_up) AS BIGINT)
			FROM endpoint_hours WHERE endpoint_id IN (SELECT id FROM endpoints WHERE account_id = `+a.add(accountID)+" AND id IN ("+list(&a, ids)+
			")) AND hour >= "+a.add(micros(since.Truncate(time.Hour)))+" GROUP BY 1, 2, 3 ORDER BY 1, 2, 3", a...)
	}
	buckets, err := sums("endpoint_id, 0, bucket")
	if err != nil {
		return nil, err
	}
	hours, err := sums("endpoint_id, hour, -1")
	if err != nil {
		return nil, err
	}
	last, err := r.lastSuccesses(ctx, accountID, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		out[id] = Health{EndpointID: id, LastOK: last[id]}
	}
	for _, row := range buckets {
		h := out[row.endpoint]
		h.add(row)
		out[row.endpoint] = h
	}
	for _, row := range hours {
		h := out[row.endpoint]
		h.addHour(row)
		out[row.endpoint] = h
	}
	return out, nil
}

// lastSuccesses answers when each of some of an account's endpoints answered
// well for the last time, as far as hours are kept. The newest hour with a
// success has it, so it reads few rows of an endpoint that works and one for
// each hour and bucket of one that doesn't.
func (r Reader) lastSuccesses(ctx context.Context, accountID int64, ids []int64) (map[int64]time.Time, error) {
	type last struct {
		id int64
		at time.Time
	}
	scan := func(scan func(...any) error) (l last, err error) {
		err = scan(&l.id, at{&l.at})
		return l, err
	}
	var a args
	rows, err := all(ctx, r.q, scan, `SELECT id, COALESCE((SELECT MAX(last_ok) FROM endpoint_hours WHERE endpoint_id = endpoints.id AND hour =
			(SELECT hour FROM endpoint_hours WHERE endpoint_id = endpoints.id AND last_ok > 0 ORDER BY hour DESC LIMIT 1)), 0)
		FROM endpoints WHERE account_id = `+a.add(accountID)+" AND id IN ("+list(&a, ids)+")", a...)
	out := make(map[int64]time.Time, len(rows))
	for _, l := range rows {
		out[l.id] = l.at
	}
	return out, err
}

// MaxBacklog is how far Backlogs counts; its query holds one more.
const MaxBacklog = 1000

// Backlogs answers how many deliveries of some of an account's endpoints are
// pending. It stops counting at MaxBacklog + 1, which stands for more.
func (r Reader) Backlogs(ctx context.Context, accountID int64, ids []int64) (map[int64]int64, error) {
	out := make(map[int64]int64, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	scan := func(scan func(...any) error) (n [2]int64, err error) {
		err = scan(&n[0], &n[1])
		return n, err
	}
	var a args
	rows, err := all(ctx, r.q, scan, `SELECT id, (SELECT COUNT(*) FROM (SELECT 1 FROM deliveries WHERE state = 'pending' AND endpoint_id = endpoints.id LIMIT 1001) AS waiting)
		FROM endpoints WHERE account_id = `+a.add(accountID)+" AND id IN ("+list(&a, ids)+")", a...)
	for _, n := range rows {
		out[n[0]] = n[1]
	}
	return out, err
}

// PruneHours removes up to n rows of hours before a time, and tells how many
// it removed.
func (tx *Tx) PruneHours(ctx context.Context, before time.Time, n int) (int, error) {
	gone, err := tx.exec(ctx, `DELETE FROM endpoint_hours WHERE (endpoint_id, hour, bucket) IN
		(SELECT endpoint_id, hour, bucket FROM endpoint_hours WHERE hour < $1 ORDER BY hour LIMIT $2)`, micros(before), n)
	return int(gone), err
}
