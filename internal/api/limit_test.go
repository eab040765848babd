package api

import (
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
)

// However many tokens there are, no more than a bound is remembered, and those
// who have used theirs up are not let in by being forgotten first.
func TestLimitsAreBounded(t *testing.T) {
	t.Parallel()
	l := newLimits(2)
	now := time.Date(2026, 9, 14, 10, 0, 0, 0, time.UTC)
	for id := range int64(maxLimiters) {
		l.take(id, now)
	}
	later := now.Add(time.Minute) // all are full again
	for range 2 {
		if _, ok := l.take(7, later); !ok {
			t.Fatal("token 7 was refused")
		}
	}
	for id := range int64(100) {
		l.take(1_000_000+id, later)
	}
	if n := len(l.buckets); n > maxLimiters {
		t.Errorf("%d tokens are remembered", n)
	}
	if _, ok := l.take(7, later); ok {
		t.Error("token 7 was forgotten though it had used up its requests")
	}
	if wait, ok := l.take(7, later); ok || wait <= 0 || wait > 30*time.Second {
		t.Errorf("the next request is possible in %v", wait)
	}
}

// Every kind of error has a status of its own, or is ours.
func TestEveryKindHasAStatus(t *testing.T) {
	t.Parallel()
	for kind, want := range map[paraph.Kind]int{
		paraph.Invalid: 422, paraph.Unauthenticated: 401, paraph.Forbidden: 403, paraph.NotFound: 404, paraph.Conflict: 422, paraph.Ended: 422,
		paraph.NotYourTurn: 422, paraph.TooLarge: 413, paraph.Full: 507, paraph.TooMany: 429,
	} {
		if statuses[kind] != want {
			t.Errorf("%s is answered %d, want %d", kind, statuses[kind], want)
		}
	}
	if statuses[paraph.Internal] != 0 {
		t.Error("an internal error would be shown as it is")
	}
}
