package paraph_test

import (
	"slices"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
)

func TestFailingSteps(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	after := func(d time.Duration) time.Time { return start.Add(d) }
	for _, c := range []struct {
		name  string
		f     paraph.Failing
		after time.Duration
		step  int
		off   time.Duration // 0: never
	}{
		{"nothing wrong", paraph.Failing{}, 9 * day, 0, 0},
		{"just begun", paraph.Failing{Since: start, Last: start}, 0, 0, 5 * day},
		{"failed once, long ago", paraph.Failing{Since: start, Last: start}, 9 * day, 0, 5 * day},
		{"failures too near", paraph.Failing{Since: start, Last: after(12*time.Hour - 1)}, 4 * day, 0, 5 * day},
		{"before the first quarter", paraph.Failing{Since: start, Last: after(day)}, 30*time.Hour - 1, 0, 5 * day},
		{"the first quarter", paraph.Failing{Since: start, Last: after(12 * time.Hour)}, 30 * time.Hour, 1, 5 * day},
		{"the second", paraph.Failing{Since: start, Last: after(day), Warned: 1, WarnedAt: after(30 * time.Hour)}, 60 * time.Hour, 2, 5 * day},
		{"the third", paraph.Failing{Since: start, Last: after(day), Warned: 2, WarnedAt: after(60 * time.Hour)}, 90 * time.Hour, 3, 5 * day},
		{"just before the end", paraph.Failing{Since: start, Last: after(day), Warned: 3, WarnedAt: after(90 * time.Hour)}, 5*day - 1, 3, 5 * day},
		{"the end", paraph.Failing{Since: start, Last: after(day), Warned: 3, WarnedAt: after(90 * time.Hour)}, 5 * day, 4, 5 * day},
		{"the end, but nobody was warned", paraph.Failing{Since: start, Last: after(6 * day)}, 7 * day, 3, 5 * day},
		{"and warned too late", paraph.Failing{Since: start, Last: after(7 * day), Warned: 3, WarnedAt: after(7 * day)}, 8*day - 1, 3, 8 * day},
		{"and warned long enough", paraph.Failing{Since: start, Last: after(7 * day), Warned: 3, WarnedAt: after(7 * day)}, 8 * day, 4, 8 * day},
		{"the clock went back", paraph.Failing{Since: start, Last: after(day)}, -day, 0, 5 * day},
	} {
		if got := c.f.Step(after(c.after)); got != c.step {
			t.Errorf("%s: step %d, want %d", c.name, got, c.step)
		}
		want := after(c.off)
		if c.off == 0 {
			want = time.Time{}
		}
		if got := c.f.OffAt(); !got.Equal(want) {
			t.Errorf("%s: off at %v, want %v", c.name, got, want)
		}
	}
}

func TestSigningSecrets(t *testing.T) {
	t.Parallel()
	until := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	e := paraph.Endpoint{SigningSecret: "new", PreviousSecret: "old", PreviousUntil: until}
	if got := e.SigningSecrets(until.Add(-1)); !slices.Equal(got, []string{"new", "old"}) {
		t.Errorf("in its grace: %v", got)
	}
	if got := e.SigningSecrets(until); !slices.Equal(got, []string{"new"}) {
		t.Errorf("after it: %v", got)
	}
	if got := (paraph.Endpoint{}).SigningSecrets(until); got != nil {
		t.Errorf("of nothing: %v", got)
	}
}
