package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
)

// TestPendingByLane: each lane is counted to its part of the budget, with its
// breaker, by leaps through indexes.
func TestPendingByLane(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		if lanes, _, err := s.PendingByLane(ctx, 100); err != nil || len(lanes) != 0 {
			t.Errorf("of nothing: %v, %v", lanes, err)
		}
		p, q := storetest.Endpoint(t, s, a.ID), storetest.Endpoint(t, s, a.ID)
		storetest.Queue(t, s, storetest.Deliveries(p, 30, s.Now()))
		storetest.Queue(t, s, storetest.Deliveries(q, 5, s.Now()))
		begin := s.Now()
		for _, sql := range []string{"DELETE FROM lanes WHERE endpoint_id = $1", "INSERT INTO lanes (endpoint_id, breaker, paced_until) VALUES ($1, 'open', 7000000)"} {
			if _, err := s.Writer().Exec(sql, q.ID); err != nil {
				t.Fatal(err)
			}
		}
		clock.Advance(time.Minute)
		var plans []string
		var lanes []store.LaneBacklog
		limit := 0
		var err error
		s.Spy(func(query string, _ []any) { plans = append(plans, query) }, func(s *store.Store) { lanes, limit, err = s.PendingByLane(ctx, 40) })
		if err != nil || limit != 20 || len(lanes) != 2 || len(plans) != 2 {
			t.Fatalf("%d lanes, counted to %d in %d queries, %v", len(lanes), limit, len(plans), err)
		}
		want := store.LaneBacklog{EndpointID: p.ID, Breaker: paraph.BreakerClosed, First: 20, FirstSince: begin, HeadNext: begin, HeadAt: begin}
		if lanes[0] != want {
			t.Errorf("the first lane is %+v and not %+v", lanes[0], want)
		}
		want.EndpointID, want.Breaker, want.First, want.PacedUntil = q.ID, paraph.BreakerOpen, 5, time.UnixMicro(7000000).UTC()
		if lanes[1] != want {
			t.Errorf("the second lane is %+v and not %+v", lanes[1], want)
		}
		soon := storetest.Deliveries(p, 12, s.Now())
		for i := range soon {
			soon[i].NextAttemptAt = s.Now().Add(time.Hour)
		}
		storetest.Queue(t, s, soon)
		if lanes, _, err := s.PendingByLane(ctx, 1000); err != nil || lanes[0].First != 30 || lanes[0].Waiting != 12 {
			t.Errorf("with 12 that are due later: %+v, %v", lanes, err)
		}
	})
}

// TestPendingByLaneReadsNoTable: SQLite's plan leaps through the partial
// indexes, for each of its parts.
func TestPendingByLaneReadsNoTable(t *testing.T) {
	t.Parallel()
	s, _ := storetest.New(t, "sqlite")
	fill(t, s)
	s.Spy(func(query string, args []any) {
		plan, err := s.Query(ctx, "EXPLAIN QUERY PLAN "+query, args...)
		check(t, err)
		for _, row := range plan {
			if text, ok := row[3].(string); ok && strings.HasPrefix(text, "SCAN deliveries") && !strings.Contains(text, "INDEX") {
				t.Errorf("%s in the plan of\n%s", text, query)
			}
		}
	}, func(s *store.Store) {
		_, _, err := s.PendingByLane(ctx, 1000)
		check(t, err)
	})
}
