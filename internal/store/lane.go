package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
)

const laneColumns = "lanes.endpoint_id, lanes.node_id, lanes.next_at, lanes.breaker, lanes.breaker_until"

func laneFields(l *paraph.Lane) []any {
	return []any{&l.EndpointID, &l.NodeID, at{&l.NextAt}, &l.Breaker, at{&l.HeldUntil}}
}

func scanLane(scan func(...any) error) (l paraph.Lane, err error) {
	err = scan(laneFields(&l)...)
	return l, err
}

// LanesOf answers the lanes of an account's endpoints, by endpoint.
func (r Reader) LanesOf(ctx context.Context, accountID int64) (map[int64]paraph.Lane, error) {
	ls, err := all(ctx, r.q, scanLane, "SELECT "+laneColumns+` FROM endpoints JOIN lanes ON lanes.endpoint_id = endpoints.id
		WHERE endpoints.account_id = $1 AND endpoints.deleted_at = 0 LIMIT $2`, accountID, paraph.MaxEndpoints)
	out := make(map[int64]paraph.Lane, len(ls))
	for _, l := range ls {
		out[l.EndpointID] = l
	}
	return out, err
}

// CountBreakers answers how many lanes of all accounts have their breaker in
// each state but closed.
func (s *Store) CountBreakers(ctx context.Context) (map[paraph.BreakerState]int, error) {
	type count struct {
		state paraph.BreakerState
		n     int
	}
	cs, err := all(ctx, s.q, func(scan func(...any) error) (c count, err error) { err = scan(&c.state, &c.n); return c, err },
		"SELECT breaker, COUNT(*) FROM lanes WHERE breaker <> 'closed' GROUP BY breaker")
	out := map[paraph.BreakerState]int{}
	for _, c := range cs {
		out[c.state] = c.n
	}
	return out, err
}

// Lane is an endpoint with pending deliveries.
type Lane struct {
	EndpointID int64
	NextAt     time.Time // when the first of them is due
	NodeID     string    // the living node that holds the lane; "" for none
	Lost       bool      // nobody holds the lane, and DueLanes does not know of it
}

// pendingOf finds the pending deliveries of an endpoint by an index of them alone.
const pendingOf = "deliveries WHERE state = 'pending' AND endpoint_id = "

// Lanes answers the endpoints that have pending deliveries, and when each is
// due: of an ordered one its oldest, which holds up the others. It takes a few
// index look-ups an endpoint, whatever their backlog.
func (s *Store) Lanes(ctx context.Context) ([]Lane, error) {
	scan := func(scan func(...any) error) (l Lane, err error) {
		err = scan(&l.EndpointID, at{&l.NextAt}, &l.NodeID, &l.Lost)
		return l, err
	}
	return all(ctx, s.q, scan, `WITH RECURSIVE busy (id) AS (
			SELECT MIN(endpoint_id) FROM deliveries WHERE state = 'pending'
			UNION ALL
			SELECT (SELECT MIN(endpoint_id) FROM deliveries WHERE state = 'pending' AND endpoint_id > busy.id)
			FROM busy WHERE busy.id IS NOT NULL
		), due (id, first_at, late_at) AS (
			SELECT id,
				(SELECT MIN(next_attempt_at) FROM `+pendingOf+`busy.id AND late = FALSE),
				(SELECT MIN(next_attempt_at) FROM `+pendingOf+`busy.id AND late = TRUE)
			FROM busy WHERE id IS NOT NULL
		)
		SELECT due.id, CASE
			WHEN endpoints.ordered THEN (SELECT next_attempt_at FROM deliveries WHERE id = (SELECT MIN(id) FROM `+pendingOf+`due.id))
			WHEN late_at IS NULL OR first_at < late_at THEN first_at
			ELSE late_at END,
			CASE WHEN EXISTS (SELECT 1 FROM nodes WHERE nodes.name = lanes.node_id) THEN lanes.node_id ELSE '' END,
			lanes.node_id = '' AND lanes.next_at = 0
		FROM due JOIN endpoints ON endpoints.id = due.id JOIN lanes ON lanes.endpoint_id = due.id WHERE endpoints.enabled`)
}

// DueLanes answers up to n lanes that nobody holds and that will have
// something to do, the first one first. It reads an index and no backlog; what
// was committed since a lane was freed it does not know.
func (s *Store) DueLanes(ctx context.Context, n int) ([]Lane, error) {
	return all(ctx, s.q, scanLaneNext, "SELECT endpoint_id, next_at FROM lanes WHERE node_id = '' AND next_at > 0 ORDER BY next_at LIMIT $1", n)
}

// LaneNexts answers when the next pending delivery of each of some endpoints is
// due, of those that are due after a time; of an ordered one its oldest,
// whenever that is due. One that has none is missing.
func (r Reader) LaneNexts(ctx context.Context, endpointIDs []int64, after time.Time) (map[int64]time.Time, error) {
	if len(endpointIDs) == 0 {
		return nil, nil
	}
	a := args{micros(after)}
	ls, err := all(ctx, r.q, scanLaneNext, `SELECT id, COALESCE(CASE
			WHEN ordered THEN (SELECT next_attempt_at FROM deliveries WHERE id = (SELECT MIN(id) FROM `+pendingOf+`endpoints.id))
			ELSE (SELECT MIN(t) FROM (
				SELECT MIN(next_attempt_at) AS t FROM `+pendingOf+`endpoints.id AND late = FALSE AND next_attempt_at > $1
				UNION ALL
				SELECT MIN(next_attempt_at) AS t FROM `+pendingOf+`endpoints.id AND late = TRUE AND next_attempt_at > $1
			) AS both_kinds) END, 0) FROM endpoints WHERE id IN (`+list(&a, padded(endpointIDs))+")", a...)
	out := make(map[int64]time.Time, len(ls))
	for _, l := range ls {
		if !l.NextAt.IsZero() {
			out[l.EndpointID] = l.NextAt
		}
	}
	return out, err
}

func scanLaneNext(scan func(...any) error) (l Lane, err error) {
	err = scan(&l.EndpointID, at{&l.NextAt})
	return l, err
}

// TakenLane is a lane as the node that took it finds it.
type TakenLane struct {
	paraph.Lane
	PacedUntil time.Time // when its token bucket is full
	Recent     string    // what its last holder wrote
}

// TakeLanes lets a living node hold those of some lanes that nobody holds, or
// that it holds already, and answers these by endpoint. It waits for nobody: a
// lane that another node is just taking or freeing is passed over.
func (tx *Tx) TakeLanes(ctx context.Context, node string, ids []int64) (map[int64]TakenLane, error) {
	scan := func(scan func(...any) error) (l TakenLane, err error) {
		err = scan(append(laneFields(&l.Lane), at{&l.PacedUntil}, &l.Recent)...)
		return l, err
	}
	out := make(map[int64]TakenLane, len(ids))
	for chunk := range slices.Chunk(ids, tx.d.places) {
		a := args{node}
		ls, err := all(ctx, tx.q, scan, `WITH mine AS MATERIALIZED (
				SELECT endpoint_id AS id FROM lanes WHERE endpoint_id IN (`+list(&a, padded(chunk))+`) AND COALESCE(node_id, '') IN ('', $1)
				AND EXISTS (SELECT 1 FROM nodes WHERE name = $1)`+tx.d.skip+`
			) UPDATE lanes SET node_id = $1 FROM mine WHERE lanes.endpoint_id = mine.id
			RETURNING `+laneColumns+", lanes.paced_until, lanes.recent", a...)
		if err != nil {
			return nil, fmt.Errorf("take %d lanes: %w", len(ids), err)
		}
		for _, l := range ls {
			out[l.EndpointID] = l
		}
	}
	return out, nil
}

// FreeLane is a lane that its holder gives back, with what the next one has to
// know.
type FreeLane struct {
	EndpointID int64
	NotBefore  time.Time // when it can go on, whatever is due; zero: at once
	PacedUntil time.Time
	Recent     string
}

// FreeLanes gives lanes back that a node holds, and answers those that have
// something to do at once: what was committed before the last look and noticed
// by nobody. Those that it does not hold stay as they are.
func (tx *Tx) FreeLanes(ctx context.Context, node string, frees []FreeLane) (due []int64, err error) {
	for chunk := range pieces(frees, tx.d.rows(4)) {
		next, err := tx.nextAts(ctx, chunk)
		if err != nil {
			return nil, fmt.Errorf("look when %d lanes have to go on: %w", len(chunk), err)
		}
		a := args{node}
		rows := make([]string, len(chunk))
		for i, f := range chunk {
			at := next[f.EndpointID]
			rows[i] = "(CAST(" + a.add(f.EndpointID) + " AS BIGINT), CAST(" + a.add(micros(at)) + " AS BIGINT), CAST(" + a.add(micros(f.PacedUntil)) +
				" AS BIGINT), CAST(" + a.add(f.Recent) + " AS TEXT))"
			if !at.IsZero() && !at.After(tx.now) {
				due = append(due, f.EndpointID)
			}
		}
		if _, err := tx.exec(ctx, "WITH r (id, next_at, paced_until, recent) AS (VALUES "+strings.Join(rows, ", ")+`)
			UPDATE lanes SET node_id = '', next_at = r.next_at, paced_until = r.paced_until, recent = r.recent FROM r
			WHERE lanes.endpoint_id = r.id AND COALESCE(lanes.node_id, '') = $1`, a...); err != nil {
			return nil, fmt.Errorf("free %d lanes: %w", len(chunk), err)
		}
	}
	return due, nil
}

// nextAts answers when lanes have something to do: when their first delivery
// is due, and they can go on.
func (tx *Tx) nextAts(ctx context.Context, frees []FreeLane) (map[int64]time.Time, error) {
	var a args
	ids, notBefore := make([]int64, len(frees)), make(map[int64]time.Time, len(frees))
	for i, f := range frees {
		ids[i], notBefore[f.EndpointID] = f.EndpointID, f.NotBefore
	}
	ls, err := all(ctx, tx.q, scanLaneNext, `SELECT lanes.endpoint_id, COALESCE(CASE
			WHEN NOT endpoints.enabled THEN 0
			WHEN endpoints.ordered THEN (SELECT next_attempt_at FROM deliveries WHERE id = (SELECT MIN(id) FROM `+pendingOf+`lanes.endpoint_id))
			ELSE (SELECT MIN(t) FROM (
				SELECT MIN(next_attempt_at) AS t FROM `+pendingOf+`lanes.endpoint_id AND late = FALSE
				UNION ALL
				SELECT MIN(next_attempt_at) AS t FROM `+pendingOf+`lanes.endpoint_id AND late = TRUE
			) AS both_kinds) END, 0)
		FROM lanes JOIN endpoints ON endpoints.id = lanes.endpoint_id WHERE lanes.endpoint_id IN (`+list(&a, padded(ids))+")", a...)
	out := make(map[int64]time.Time, len(ls))
	for _, l := range ls {
		if least := notBefore[l.EndpointID]; !l.NextAt.IsZero() && least.After(l.NextAt) {
			l.NextAt = least
		}
		out[l.EndpointID] = l.NextAt
	}
	return out, err
}

// SetBreaker writes the state of the breaker of a lane that a node holds.
func (tx *Tx) SetBreaker(ctx context.Context, node string, endpointID int64, s paraph.BreakerState, until time.Time) error {
	_, err := tx.exec(ctx, "UPDATE lanes SET breaker = $1, breaker_until = $2 WHERE endpoint_id = $3 AND COALESCE(node_id, '') = $4",
		string(s), micros(until), endpointID, node)
	return err
}

// Cursor is a place in a lane's queue: reading goes on after it. The zero
// Cursor is its beginning.
type Cursor struct {
	At time.Time
	ID int64
}

// DueWant asks for up to N deliveries of an endpoint that come after a place:
// first attempts, or retries.
type DueWant struct {
	EndpointID int64
	Late       bool
	After      Cursor
	N          int
}

const (
	dueColumns = deliveryMeta + ", (SELECT body FROM bodies WHERE bodies.id = deliveries.id)"
	dueOrder   = " ORDER BY next_attempt_at, id LIMIT "
)

// DueDeliveries reads what is due at a time, for each of the wants. The
// holders of the lanes alone may send it.
func (r Reader) DueDeliveries(ctx context.Context, now time.Time, wants ...DueWant) ([][]paraph.Delivery, error) {
	if r.d.arrays && len(wants) > 1 {
		return r.dueOfMany(ctx, now, wants)
	}
	out := make([][]paraph.Delivery, len(wants))
	for i, w := range wants {
		// A plain LIMIT $6 would let SQLite parse the statement anew for each value.
		ds, err := all(ctx, r.q, scanDelivery, "SELECT "+dueColumns+" FROM "+pendingOf+
			"$1 AND late = $2 AND next_attempt_at <= $3 AND (next_attempt_at, id) > ($4, $5)"+dueOrder+"$6 + 0",
			w.EndpointID, w.Late, micros(now), micros(w.After.At), w.After.ID, w.N)
		if err != nil {
			return nil, fmt.Errorf("read what is due for endpoint %d: %w", w.EndpointID, err)
		}
		out[i] = ds
	}
	return out, nil
}

// dueOfMany is DueDeliveries in one journey to the server.
func (r Reader) dueOfMany(ctx context.Context, now time.Time, wants []DueWant) ([][]paraph.Delivery, error) {
	n := len(wants)
	ids, afters, afterIDs, most, late := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n), make([]bool, n)
	for i, w := range wants {
		ids[i], late[i], afters[i], afterIDs[i], most[i] = w.EndpointID, w.Late, micros(w.After.At), w.After.ID, int64(w.N)
	}
	out := make([][]paraph.Delivery, n)
	_, err := all(ctx, r.q, func(scan func(...any) error) (none struct{}, err error) {
		var d paraph.Delivery
		var i int
		if err = scan(append(deliveryFields(&d), &d.Body, &i)...); err == nil {
			out[i-1] = append(out[i-1], d)
		}
		return none, err
	}, "SELECT "+dueColumns+`, w.i
		FROM unnest($1::bigint[], $2::boolean[], $3::bigint[], $4::bigint[], $5::bigint[]) WITH ORDINALITY AS w (endpoint, is_late, at, id, n, i)
		CROSS JOIN LATERAL (SELECT * FROM `+pendingOf+`w.endpoint AND late = w.is_late AND next_attempt_at <= $6
			AND (next_attempt_at, id) > (w.at, w.id)`+dueOrder+`w.n) AS deliveries ORDER BY w.i, deliveries.next_attempt_at, deliveries.id`,
		ids, late, afters, afterIDs, most, micros(now))
	if err != nil {
		return nil, fmt.Errorf("read what is due for %d endpoints: %w", n, err)
	}
	return out, nil
}

// DueHead reads the oldest pending delivery of an ordered endpoint, if it is
// due at a time: one or none.
func (r Reader) DueHead(ctx context.Context, endpointID int64, now time.Time) ([]paraph.Delivery, error) {
	return all(ctx, r.q, scanDelivery, "SELECT "+deliveryMeta+`, (SELECT body FROM bodies WHERE bodies.id = deliveries.id) FROM deliveries
		WHERE id = (SELECT MIN(id) FROM `+pendingOf+"$1) AND "+stillPending+" AND next_attempt_at <= $2", endpointID, micros(now))
}
