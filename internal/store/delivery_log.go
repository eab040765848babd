package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
)

// DeliveryFilter chooses among the deliveries of an account.
type DeliveryFilter struct {
	EndpointID int64
	EnvelopeID int64
	ReplayID   int64 // queued last by this replay
	State      paraph.DeliveryState
	Event      string    // dotted name
	Code       string    // how the last attempt ended: an error code, a status ("503"), a class ("5xx"), or "none" for no answer
	Since      time.Time // created at or after
	Until      time.Time // created before
	Query      string    // a delivery's, an envelope's or a message's id
	Before     int64     // only ids below
	After      int64     // only ids above, and the lowest of those
	Limit      int       // at most 200
}

// DeliveryPage is a page of the log.
type DeliveryPage struct {
	Deliveries []paraph.Delivery // newest first, without bodies
	More       bool              // there may be others beyond the farthest of these
	// LookedTo is set when the page is short because enough was looked at: the id to go on from, and when that was created.
	LookedTo int64
	LookedAt time.Time
}

// lookAtMost is how many deliveries one page of the log looks at when a filter
// passes few of them.
const lookAtMost = 20_000

// Deliveries is DeliveryLog for those who want no more than what is near.
func (r Reader) Deliveries(ctx context.Context, accountID int64, f DeliveryFilter) ([]paraph.Delivery, error) {
	p, err := r.DeliveryLog(ctx, accountID, f)
	return p.Deliveries, err
}

// DeliveryLog answers a page of the log. One index leads it through what is
// asked for, and what else is asked is compared, with 20,000 deliveries at most.
func (r Reader) DeliveryLog(ctx context.Context, accountID int64, f DeliveryFilter) (p DeliveryPage, err error) {
	f.Limit = min(max(f.Limit, 1), 200)
	sought, err := r.sought(ctx, accountID, f.Query)
	if err != nil {
		return p, err
	}
	lo, hi, err := r.idBounds(ctx, f)
	if err != nil || lo >= hi || (sought != nil && len(sought) == 0) {
		return p, err
	}
	order, backward := "DESC", f.After > 0
	if backward {
		order = "ASC"
	}
	var probe args
	_, compared := f.where(&probe, accountID, sought)
	var edge int64
	if compared != "" {
		if edge, err = r.lookEdge(ctx, accountID, f, sought, lo, hi, order); err != nil {
			return p, err
		}
	}
	switch {
	case edge > 0 && backward:
		hi = edge + 1
	case edge > 0:
		lo = edge - 1
	}
	var a args
	led, compared := f.where(&a, accountID, sought)
	p.Deliveries, err = all(ctx, r.q, scanDeliveryMeta, "SELECT "+deliveryMeta+" FROM deliveries WHERE "+led+compared+f.between(&a)+
		" AND id > "+a.add(lo)+" AND id < "+a.add(hi)+" ORDER BY id "+order+" LIMIT "+a.add(f.Limit+1), a...)
	if err != nil {
		return p, err
	}
	if p.More = len(p.Deliveries) > f.Limit; p.More {
		p.Deliveries = p.Deliveries[:f.Limit]
	} else if edge > 0 {
		p.More, p.LookedTo = true, edge
		err = r.q.QueryRowContext(ctx, "SELECT created_at FROM deliveries WHERE id = $1", edge).Scan(at{&p.LookedAt})
	}
	if backward {
		slices.Reverse(p.Deliveries)
	}
	return p, err
}

// where is the condition whose index leads through the log in the order of
// ids, and the conditions that are compared. A plus before a column keeps both
// engines from leading by it. A state is written out, for the indexes of
// single states are found by the text.
func (f DeliveryFilter) where(a *args, accountID int64, sought []int64) (led, compared string) {
	var w strings.Builder
	compare := func(set bool, condition string, vs ...any) {
		if set {
			w.WriteString(" AND " + condition)
			for _, v := range vs {
				w.WriteString(a.add(v))
			}
		}
	}
	state := " AND state = '" + string(f.State) + "'"
	if f.State != "" && !slices.Contains(paraph.DeliveryStates(), f.State) {
		state = " AND 1 = 0"
	}
	account, ended := "account_id = "+a.add(accountID), f.State == paraph.DeliveryFailed || f.State == paraph.DeliverySkipped
	byEndpoint, byEnvelope, byReplay := f.EndpointID > 0, f.EnvelopeID > 0, f.ReplayID > 0
	switch {
	case sought != nil:
		led = "id IN (" + list(a, sought) + ") AND +" + account
	case byReplay:
		led, byReplay = "replay_id > 0 AND replay_id = "+a.add(f.ReplayID)+" AND +"+account, false
	case byEnvelope:
		led, byEnvelope = "envelope_id = "+a.add(f.EnvelopeID)+" AND +"+account, false
	case ended:
		led, state = account+state, ""
	case byEndpoint && f.State == paraph.DeliveryPending:
		led, state, byEndpoint = "endpoint_id = "+a.add(f.EndpointID)+state+" AND +"+account, "", false
	case byEndpoint:
		led, byEndpoint = account+" AND endpoint_id = "+a.add(f.EndpointID), false
	default:
		led = account
	}
	compare(byEndpoint, "+endpoint_id = ", f.EndpointID)
	compare(byEnvelope, "+envelope_id = ", f.EnvelopeID)
	compare(byReplay, "replay_id = ", f.ReplayID)
	compare(f.Event != "", "event_name = ", f.Event)
	if f.State != "" {
		w.WriteString(state)
	}
	f.compareCode(compare)
	return led, w.String()
}

func (f DeliveryFilter) compareCode(compare func(set bool, condition string, vs ...any)) {
	status, err := strconv.Atoi(f.Code)
	switch {
	case f.Code == "":
	case f.Code == "none":
		compare(true, "last_status = 0 AND last_error <> ''")
	case err == nil:
		compare(true, "last_status = ", status)
	case len(f.Code) == 3 && strings.HasSuffix(f.Code, "xx"):
		class := int(f.Code[0]-'0') * 100
		compare(true, "last_status >= ", class)
		compare(true, "last_status < ", class+100)
	default:
		compare(true, "last_error = ", f.Code)
	}
}

// between compares the times exactly; idBounds has already kept the rest away.
func (f DeliveryFilter) between(a *args) (w string) {
	if !f.Since.IsZero() {
		w += " AND created_at >= " + a.add(micros(f.Since))
	}
	if !f.Until.IsZero() {
		w += " AND created_at < " + a.add(micros(f.Until))
	}
	return w
}

// lookEdge is the id of the last delivery that a page looks at, or 0 when that
// is all there are.
func (r Reader) lookEdge(ctx context.Context, accountID int64, f DeliveryFilter, sought []int64, lo, hi int64, order string) (int64, error) {
	var probe, a args
	led, _ := f.where(&probe, accountID, sought)
	a = probe[:strings.Count(led, "$")]
	ids, err := all(ctx, r.q, scanInt, "SELECT id FROM deliveries WHERE "+led+" AND id > "+a.add(lo)+" AND id < "+a.add(hi)+
		" ORDER BY id "+order+" LIMIT 1 OFFSET "+a.add(lookAtMost-1), a...)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	return ids[0], nil
}

// sought are the ids of the deliveries that a search word names, nil when none
// is given. Each of its meanings has an index of its own.
func (r Reader) sought(ctx context.Context, accountID int64, query string) ([]int64, error) {
	q := strings.TrimSpace(query)
	if q == "" {
		return nil, nil
	}
	n, err := strconv.ParseInt(q, 10, 64)
	if err != nil {
		n = -1
	}
	ids, err := all(ctx, r.q, scanInt, `SELECT id FROM deliveries WHERE message_id = $1 AND +account_id = $3
		UNION SELECT id FROM deliveries WHERE id = $2 AND +account_id = $3
		UNION SELECT id FROM (SELECT id FROM deliveries WHERE +account_id = $3 AND envelope_id = COALESCE((SELECT id FROM envelopes WHERE public_id = $1 AND account_id = $3), $2)
			ORDER BY id DESC LIMIT 1000) AS of_envelope`, q, n, accountID)
	if ids == nil {
		ids = []int64{}
	}
	return ids, err
}

// idBounds are the ids that a page lies between, both excluded. Ids grow with
// the time of creation, but for transactions that ran side by side, which get
// clockSlack, and for a clock that was set back meanwhile, which gets nothing.
func (r Reader) idBounds(ctx context.Context, f DeliveryFilter) (lo, hi int64, err error) {
	lo, hi = max(f.After, 0), int64(1)<<62
	if f.Before > 0 {
		hi = f.Before
	}
	if !f.Since.IsZero() {
		id, err := r.firstSince(ctx, f.Since.Add(-clockSlack))
		if err != nil {
			return 0, 0, err
		}
		lo = max(lo, id-1)
	}
	if !f.Until.IsZero() {
		id, err := r.firstSince(ctx, f.Until.Add(clockSlack))
		if err != nil {
			return 0, 0, err
		}
		hi = min(hi, id)
	}
	return lo, hi, nil
}

// clockSlack is how far the order of ids and that of times may differ.
const clockSlack = 2 * time.Second

// firstSince finds the lowest id of a delivery created at or after a time, or
// one above all ids, by halving: some twenty look-ups in a log of a million.
func (r Reader) firstSince(ctx context.Context, t time.Time) (int64, error) {
	var low, high int64
	err := r.q.QueryRowContext(ctx, "SELECT COALESCE((SELECT MIN(id) FROM deliveries), 1), COALESCE((SELECT MAX(id) FROM deliveries), 0)").Scan(&low, &high)
	for err == nil && low <= high {
		mid := low + (high-low)/2
		var id int64
		var created time.Time
		err = r.q.QueryRowContext(ctx, "SELECT id, created_at FROM deliveries WHERE id >= $1 ORDER BY id LIMIT 1", mid).Scan(&id, at{&created})
		switch {
		case errors.Is(err, sql.ErrNoRows): // pruned since
			high, err = mid-1, nil
			continue
		case err != nil:
			return 0, fmt.Errorf("find the deliveries of a time: %w", err)
		}
		if created.Before(t) {
			low = id + 1
		} else {
			high = mid - 1
		}
	}
	return low, err
}
