package webhook

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestCheckHeaders(t *testing.T) {
	t.Parallel()
	good := [][2]string{{"Authorization", "Bearer x"}, {"X-Api-Key", "k"}, {"x-empty", ""}}
	if err := CheckHeaders(good); err != nil {
		t.Error(err)
	}
	for _, bad := range [][2]string{
		{"", "x"},
		{"a b", "x"},
		{"a\r\nb", "x"},
		{"ä", "x"},
		{"X-A", "1\r\nX-B: 2"},
		{"X-A", "1\n2"},
		{"X-A", "1\x002"},
		{"Webhook-Id", "x"},
		{"WEBHOOK-SIGNATURE", "x"},
		{"x-docuseal-signature", "x"},
		{"X-Documenso-Secret", "x"},
		{"X-PARAPH-Event", "x"},
		{"Content-Length", "1"},
		{"Content-Type", "x"},
		{"Transfer-Encoding", "chunked"},
		{"Connection", "close"},
		{"Host", "x"},
		{"Proxy-Authorization", "x"},
		{"Upgrade", "x"},
		{"Expect", "100-continue"},
		{"TE", "x"},
		{"Trailer", "x"},
		{"Keep-Alive", "x"},
		{"User-Agent", "x"},
		{"Accept-Encoding", "gzip"},
		{"X-Long", strings.Repeat("x", 4097)},
	} {
		if err := CheckHeaders([][2]string{bad}); !isInvalid(err, "headers") {
			t.Errorf("%q: got %v", bad, err)
		}
	}
	if err := CheckHeaders(make([][2]string, 21)); err == nil || !strings.Contains(err.Error(), "at most 20") {
		t.Errorf("21 headers: %v", err)
	}
}

func TestParseRetryAfter(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{
		"":                                  0,
		"120":                               2 * time.Minute,
		" 5 ":                               5 * time.Second,
		"36001":                             MaxRetryAfter,
		"99999999999999999999999":           MaxRetryAfter,
		"-5":                                0,
		"1.5":                               0,
		"soon":                              0,
		"Wed, 10 Mar 2027 12:10:00 GMT":     10 * time.Minute,
		"Wednesday, 10-Mar-27 12:00:30 GMT": 30 * time.Second,
		"Wed Mar 10 12:01:00 2027":          time.Minute,
		"Wed, 10 Mar 2027 11:59:59 GMT":     0,
		"Fri, 12 Mar 2027 12:00:00 GMT":     MaxRetryAfter,
	} {
		if got := parseRetryAfter(value, noon()); got != want {
			t.Errorf("%q: got %s, want %s", value, got, want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, value := range []string{"120", "-1", "Wed, 10 Mar 2027 12:10:00 GMT", "99999999999999999999", "\x00"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if got := parseRetryAfter(value, noon()); got < 0 || got > MaxRetryAfter {
			t.Errorf("%q: %s", value, got)
		}
	})
}

// FuzzCheckHeaders holds the check against what net/http would refuse to write or would split.
func FuzzCheckHeaders(f *testing.F) {
	f.Add("X-A", "b")
	f.Add("X-A\r\n", "b\nc")
	f.Fuzz(func(t *testing.T, name, value string) {
		if CheckHeaders([][2]string{{name, value}}) != nil {
			return
		}
		var b strings.Builder
		if err := (http.Header{http.CanonicalHeaderKey(name): {value}}).Write(&b); err != nil || strings.Count(b.String(), "\n") != 1 {
			t.Errorf("%q: %q wrote %q, %v", name, value, b.String(), err)
		}
	})
}
