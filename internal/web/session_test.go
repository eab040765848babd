package web

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
)

// Who has one IPv6 address has many; they are one caller.
func TestCaller(t *testing.T) {
	t.Parallel()
	s := &server{Config: Config{TrustProxy: true}}
	for ip, want := range map[string]string{
		"203.0.113.9":                 "203.0.113.9",
		"2001:db8:1:2:3:4:5:6":        "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff:ffff::1":   "2001:db8:1:2::/64",
		"2001:db8:1:3::1":             "2001:db8:1:3::/64",
		"::ffff:203.0.113.9":          "203.0.113.9",
		"198.51.100.1, 2001:db8::1:1": "2001:db8::/64",
	} {
		r := httptest.NewRequest("POST", "/signin", nil)
		r.Header.Set("X-Forwarded-For", ip)
		if got := s.caller(r); got != want {
			t.Errorf("%s counts as %s, want %s", ip, got, want)
		}
	}
}

// Trying many names gives nobody their tries back.
func TestTriesAreRemembered(t *testing.T) {
	t.Parallel()
	tr, now := newTries(2, time.Minute), time.Date(2026, 9, 14, 10, 0, 0, 0, time.UTC)
	for i := range maxTriers - 1 {
		if err := tr.check(now, fmt.Sprint("old ", i)); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(time.Minute) // those have their tries again
	for range 2 {
		if err := tr.check(now, "mallory"); err != nil {
			t.Fatal(err)
		}
	}
	for i := range maxTriers - 1 {
		if err := tr.check(now, fmt.Sprint("new ", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := tr.check(now, "mallory"); paraph.KindOf(err) != paraph.TooMany {
		t.Errorf("the tries were forgotten: %v", err)
	}
	if n := len(tr.places); n > maxTriers {
		t.Errorf("%d are remembered, at most %d should be", n, maxTriers)
	}
}
