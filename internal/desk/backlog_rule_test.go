package desk

import (
	"maps"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
)

// TestBacklogOfALane: what keeps a lane from sending decides the class of what
// is due in it.
func TestBacklogOfALane(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 9, 14, 10, 0, 0, 0, time.UTC)
	ago := func(minutes time.Duration) time.Time { return now.Add(-minutes * time.Minute) }
	lane := store.LaneBacklog{Breaker: paraph.BreakerClosed, First: 3, Late: 2, Waiting: 4, FirstSince: ago(1), LateSince: ago(2), HeadNext: ago(1), HeadAt: ago(9)}
	for name, tt := range map[string]struct {
		edit   func(l *store.LaneBacklog)
		count  map[Class]int
		oldest map[Class]time.Duration
	}{
		"open":                      {func(*store.LaneBacklog) {}, map[Class]int{ClassFirst: 3, ClassLate: 2, ClassWaiting: 4}, map[Class]time.Duration{ClassFirst: 1, ClassLate: 2, ClassWaiting: 9}},
		"held":                      {func(l *store.LaneBacklog) { l.Breaker = paraph.BreakerOpen }, map[Class]int{ClassHeld: 5, ClassWaiting: 4}, map[Class]time.Duration{ClassHeld: 2, ClassWaiting: 9}},
		"probed":                    {func(l *store.LaneBacklog) { l.Breaker, l.Ordered = paraph.BreakerHalfOpen, true }, map[Class]int{ClassHeld: 5, ClassWaiting: 4}, map[Class]time.Duration{ClassHeld: 2, ClassWaiting: 9}},
		"paced":                     {func(l *store.LaneBacklog) { l.PacedUntil = ago(-1) }, map[Class]int{ClassPaced: 5, ClassWaiting: 4}, map[Class]time.Duration{ClassPaced: 2, ClassWaiting: 9}},
		"was paced":                 {func(l *store.LaneBacklog) { l.PacedUntil = now }, map[Class]int{ClassFirst: 3, ClassLate: 2, ClassWaiting: 4}, map[Class]time.Duration{ClassFirst: 1, ClassLate: 2, ClassWaiting: 9}},
		"ordered":                   {func(l *store.LaneBacklog) { l.Ordered = true }, map[Class]int{ClassFirst: 1, ClassOrdered: 8}, map[Class]time.Duration{ClassFirst: 1, ClassOrdered: 9}},
		"ordered, its head late":    {func(l *store.LaneBacklog) { l.Ordered, l.HeadLate = true, true }, map[Class]int{ClassLate: 1, ClassOrdered: 8}, map[Class]time.Duration{ClassLate: 1, ClassOrdered: 9}},
		"ordered, its head waiting": {func(l *store.LaneBacklog) { l.Ordered, l.HeadLate, l.HeadNext = true, true, ago(-5) }, map[Class]int{ClassWaiting: 1, ClassOrdered: 8}, map[Class]time.Duration{ClassWaiting: 9, ClassOrdered: 9}},
	} {
		l := lane
		tt.edit(&l)
		b := Backlog{Count: map[Class]int{}, Oldest: map[Class]time.Duration{}}
		b.add(l, now)
		for c := range tt.oldest {
			tt.oldest[c] *= time.Minute
		}
		if !maps.Equal(b.Count, tt.count) || !maps.Equal(b.Oldest, tt.oldest) {
			t.Errorf("%s: %v, %v; not %v, %v", name, b.Count, b.Oldest, tt.count, tt.oldest)
		}
	}
}
