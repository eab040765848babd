package webhook

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func offsets(t *testing.T, s Schedule) []time.Duration {
	t.Helper()
	at, list := noon(), []time.Duration{0}
	for attempt := 1; ; attempt++ {
		next, more := s.Next(attempt, at, 0, 0)
		if !more {
			return list
		}
		at = next
		list = append(list, at.Sub(noon()))
	}
}

func mustSchedule(t testing.TB, text string) Schedule {
	t.Helper()
	s, err := ParseSchedule(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSeedSchedule(t *testing.T) {
	t.Parallel()
	var want []time.Duration
	for _, minutes := range []int{0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 2047} {
		want = append(want, time.Duration(minutes)*time.Minute)
	}
	s := mustSchedule(t, "seed")
	if diff := cmp.Diff(want, offsets(t, s)); diff != "" {
		t.Error(diff)
	}
	if s.Attempts() != 12 {
		t.Errorf("%d attempts, want 12", s.Attempts())
	}
}

func TestStandardAndOwnSchedules(t *testing.T) {
	t.Parallel()
	standard := offsets(t, mustSchedule(t, "standard"))
	if last := standard[len(standard)-1]; len(standard) != 10 || last != 75*time.Hour+35*time.Minute+5*time.Second {
		t.Errorf("%d attempts, the last after %s", len(standard), last)
	}
	own := offsets(t, mustSchedule(t, "0, 5, 60"))
	if diff := cmp.Diff([]time.Duration{0, 5 * time.Second, 65 * time.Second}, own); diff != "" {
		t.Error(diff)
	}
}

func TestScheduleRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"weekly", "0", ",", "-5", "5, 0, 5", "1.5", "604801", "5;6", "99999999999999999999"} {
		if _, err := ParseSchedule(text); !isInvalid(err, "schedule") {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func TestNextKeepsItsPromises(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, err := ParseSchedule(rapid.SampledFrom([]string{"seed", "standard", "1", "3600,7200"}).Draw(t, "schedule"))
		if err != nil {
			t.Fatal(err)
		}
		attempt := rapid.IntRange(1, s.Attempts()).Draw(t, "attempt")
		jitter := rapid.Float64Range(0, 0.999999).Draw(t, "jitter")
		hint := time.Duration(rapid.Int64Range(0, int64(MaxRetryAfter)).Draw(t, "hint"))
		next, more := s.Next(attempt, noon(), hint, jitter)
		if more != (attempt < s.Attempts()) {
			t.Fatalf("more = %v at attempt %d of %d", more, attempt, s.Attempts())
		}
		if !more {
			return
		}
		wait, step := next.Sub(noon()), s.Steps()[attempt-1]
		if wait < step || wait < hint || wait > max(hint, step+step/10) {
			t.Fatalf("waits %s for a step of %s and a hint of %s", wait, step, hint)
		}
	})
}

func FuzzParseSchedule(f *testing.F) {
	for _, text := range []string{"", "seed", "standard", "5,300", "0 5 5", "x", "1,,2"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSchedule(text)
		if err != nil {
			return
		}
		again, err := ParseSchedule(s.String())
		if err != nil || again.String() != s.String() || again.Attempts() != s.Attempts() {
			t.Errorf("%q became %q and then %v, %v", text, s, again, err)
		}
	})
}
