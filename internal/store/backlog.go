package store

import (
	"context"
	"time"

	"github.com/paraph-sign/paraph"
)

// LaneBacklog is what waits for one endpoint.
type LaneBacklog struct {
	EndpointID int64
	Ordered    bool
	Breaker    paraph.BreakerState
	PacedUntil time.Time // the endpoint's rate lets nothing out before
	First      int       // first attempts that are due, or under way
	Late       int       // the same of retries
	Waiting    int       // due later
	FirstSince time.Time // since when the one that is due longest is due; zero for none
	LateSince  time.Time
	HeadLate   bool      // the oldest has been tried before
	HeadNext   time.Time // when the oldest is due
	HeadAt     time.Time // when the event of the oldest happened
}

// minCounted is how far is counted in a lane at least.
const minCounted = 10

// PendingByLane answers what waits for each endpoint that anything waits for. It
// takes a few index look-ups an endpoint, and counts to about budget in all, so
// that the work doesn't grow with the backlog; limit is how far it counted in
// each lane. A number that has reached limit may be larger in truth.
func (s *Store) PendingByLane(ctx context.Context, budget int) (lanes []LaneBacklog, limit int, err error) {
	var n int
	if err := s.q.QueryRowContext(ctx, "WITH RECURSIVE "+pendingLanes+" SELECT COUNT(id) FROM busy").Scan(&n); err != nil || n == 0 {
		return nil, budget, err
	}
	limit = max(budget/n, minCounted)
	lanes, err = all(ctx, s.q, scanLaneBacklog, `WITH RECURSIVE `+pendingLanes+`
		SELECT busy.id, endpoints.ordered, COALESCE(lanes.breaker, 'closed'), COALESCE(lanes.paced_until, 0),
			(SELECT COUNT(*) FROM (SELECT 1 FROM deliveries WHERE state = 'pending' AND endpoint_id = busy.id AND late = FALSE AND next_attempt_at <= $1 LIMIT $2 + 0) AS x),
			(SELECT COUNT(*) FROM (SELECT 1 FROM deliveries WHERE state = 'pending' AND endpoint_id = busy.id AND late = TRUE AND next_attempt_at <= $1 LIMIT $2 + 0) AS x),
			(SELECT COUNT(*) FROM (SELECT 1 FROM deliveries WHERE state = 'pending' AND endpoint_id = busy.id AND late = FALSE AND next_attempt_at > $1 LIMIT $2 + 0) AS x)
			+ (SELECT COUNT(*) FROM (SELECT 1 FROM deliveries WHERE state = 'pending' AND endpoint_id = busy.id AND late = TRUE AND next_attempt_at > $1 LIMIT $2 + 0) AS x),
			COALESCE((SELECT MIN(next_attempt_at) FROM deliveries WHERE state = 'pending' AND endpoint_id = busy.id AND late = FALSE AND next_attempt_at <= $1), 0),
			COALESCE((SELECT MIN(next_attempt_at) FROM deliveries WHERE state = 'pending' AND endpoint_id = busy.id AND late = TRUE AND next_attempt_at <= $1), 0),
			head.late, head.next_attempt_at, head.created_at
		FROM busy JOIN endpoints ON endpoints.id = busy.id LEFT JOIN lanes ON lanes.endpoint_id = busy.id
		JOIN deliveries AS head ON head.id = (SELECT MIN(id) FROM deliveries WHERE state = 'pending' AND endpoint_id = busy.id) ORDER BY busy.id`,
		micros(s.Now()), limit)
	return lanes, limit, err
}

// pendingLanes is the endpoints that have pending deliveries, by leaps through
// the index.
const pendingLanes = `busy (id) AS (
		SELECT MIN(endpoint_id) FROM deliveries WHERE state = 'pending'
		UNION ALL
		SELECT (SELECT MIN(endpoint_id) FROM deliveries WHERE state = 'pending' AND endpoint_id > busy.id) FROM busy WHERE busy.id IS NOT NULL
	)`

func scanLaneBacklog(scan func(...any) error) (l LaneBacklog, err error) {
	err = scan(&l.EndpointID, &l.Ordered, &l.Breaker, at{&l.PacedUntil}, &l.First, &l.Late, &l.Waiting, at{&l.FirstSince}, at{&l.LateSince},
		&l.HeadLate, at{&l.HeadNext}, at{&l.HeadAt})
	return l, err
}

// JobBacklog is what waits of one kind of job.
type JobBacklog struct {
	Kind    string
	Due     int       // that should run now
	Waiting int       // due later, or being worked
	Since   time.Time // since when the one that is due longest is due; zero for none
}

// JobBacklog answers what waits of a kind of job, counting each number to
// limit.
func (s *Store) JobBacklog(ctx context.Context, kind string, limit int) (JobBacklog, error) {
	scan := func(scan func(...any) error) (b JobBacklog, err error) {
		err = scan(&b.Kind, &b.Due, &b.Waiting, at{&b.Since})
		return b, err
	}
	return one(ctx, s.q, "", scan, `SELECT CAST($1 AS TEXT),
		(SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE state = 'pending' AND kind = $1 AND due_at <= $2 LIMIT $3 + 0) AS x),
		(SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE state = 'pending' AND kind = $1 AND due_at > $2 LIMIT $3 + 0) AS x),
		COALESCE((SELECT MIN(due_at) FROM jobs WHERE state = 'pending' AND kind = $1 AND due_at <= $2), 0)`, kind, micros(s.Now()), limit)
}
