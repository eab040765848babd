package webhook

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestEveryEndHasAdvice(t *testing.T) {
	t.Parallel()
	for _, code := range append(ReceiverCodes(), CodeShutdown, CodeInternal) {
		if _, ok := advice()[code]; !ok {
			t.Errorf("nothing is said of %s", code)
		}
	}
	if n := len(ReceiverCodes()) + 2; n != len(advice()) {
		t.Errorf("there is advice for %d codes and not for %d", len(advice()), n)
	}
	for status := 100; status < 600; status++ {
		text := Advice(statusCode(status), status)
		if ok := status >= 200 && status <= 299; ok != (text == "") || (!ok && !strings.HasSuffix(text, ".")) {
			t.Errorf("of %d it says %q", status, text)
		}
	}
	if Advice("", 0) != "" {
		t.Error("there is advice for nothing")
	}
	for status, word := range map[int]string{301: "Redirect", 401: "secret", 404: "path", 429: "Retry-After", 500: "log", 503: "proxy"} {
		if text := Advice("http_"+strconv.Itoa(status), status); !strings.Contains(text, word) {
			t.Errorf("of %d it says %q", status, text)
		}
	}
}

func TestAhead(t *testing.T) {
	t.Parallel()
	s, err := ParseSchedule("60, 120, 300")
	if err != nil {
		t.Fatal(err)
	}
	next := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	at := func(minutes ...int) (out []time.Time) {
		for _, m := range minutes {
			out = append(out, next.Add(time.Duration(m)*time.Minute))
		}
		return out
	}
	for attempt, want := range map[int][]time.Time{-1: nil, 0: nil, 1: at(1, 3, 8), 2: at(2, 7), 3: at(5), 4: nil, 9: nil} {
		if got := s.Ahead(attempt, next); !slices.Equal(got, want) {
			t.Errorf("after attempt %d come %v, want %v", attempt, got, want)
		}
	}
}
