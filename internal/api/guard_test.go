package api_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paraph-sign/paraph/internal/api"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
)

func TestRateLimit(t *testing.T) {
	t.Parallel()
	s := serve(t, desktest.New(t, desktest.Options{}), func(c *api.Config) { c.RequestsPerMinute = 30 })
	ann, eve := s.Person(t, "Ann Admin"), s.Person(t, "Eve Else")
	for range 30 {
		s.request(t, ann.Token, "GET", "/api/user", nil).must(200)
	}
	refused := s.request(t, ann.Token, "GET", "/api/user", nil)
	refused.must(429).text("error")
	wait, err := strconv.Atoi(refused.header.Get("Retry-After"))
	if err != nil || wait < 1 || wait > 60 {
		t.Fatalf("Retry-After is %q", refused.header.Get("Retry-After"))
	}
	s.request(t, eve.Token, "GET", "/api/user", nil).must(200)
	s.Clock.Advance(time.Duration(wait) * time.Second)
	s.request(t, ann.Token, "GET", "/api/user", nil).must(200)
	s.request(t, ann.Token, "GET", "/api/user", nil).must(429)
}

func TestIdempotencyKey(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		ann, eve := s.Person(t, "Ann Admin"), s.Person(t, "Eve Else")
		hook := m{"url": "https://example.com/hooks", "events": []string{"*"}}
		const key = "Idempotency-Key: order-1"
		first := s.request(t, ann.Token, "POST", "/api/webhooks", hook, key)
		first.must(201)
		second := s.request(t, ann.Token, "POST", "/api/webhooks", hook, key)
		second.must(201)
		if string(first.body) != string(second.body) || second.header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("the repetition is answered %s, the first was %s", second.body, first.body)
		}
		count := func(token string) int {
			return len(s.request(t, token, "GET", "/api/webhooks", nil).must(200).list("data"))
		}
		if n := count(ann.Token); n != 1 {
			t.Errorf("%d webhooks were made", n)
		}
		if got := s.request(t, ann.Token, "POST", "/api/webhooks", m{"url": "https://example.com/other", "events": []string{"*"}}, key).must(422).text("field"); got != "Idempotency-Key" {
			t.Errorf("another request with the key is refused at %q", got)
		}
		s.request(t, ann.Token, "POST", "/api/webhooks/1/test", m{"event": "form.viewed"}, key).must(422)
		s.request(t, eve.Token, "POST", "/api/webhooks", hook, key).must(201) // a key is an account's own
		s.request(t, ann.Token, "POST", "/api/webhooks", hook, "Idempotency-Key: "+strings.Repeat("k", 256)).must(422)

		bad := m{"url": "ftp://example.com", "events": []string{"*"}}
		for range 2 {
			s.request(t, ann.Token, "POST", "/api/webhooks", bad, "Idempotency-Key: bad").must(422)
		}
		s.Clock.Advance(24 * time.Hour)
		s.request(t, ann.Token, "POST", "/api/webhooks", hook, key).must(201)
		if n := count(ann.Token); n != 2 {
			t.Errorf("a day later there are %d webhooks", n)
		}
	})
}

// A server that stopped in the middle of a request leaves its key reserved.
func TestIdempotencyKeyOfALostRequest(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		ann := s.Person(t, "Ann Admin")
		hook := m{"url": "https://example.com/hooks", "events": []string{"*"}}
		if _, replay, err := s.Desk.ReserveAnswer(t.Context(), ann.Who, "lost", "some hash"); err != nil || replay {
			t.Fatalf("reserved: replay %v, %v", replay, err)
		}
		if _, _, err := s.Desk.ReserveAnswer(t.Context(), ann.Who, "lost", "some hash"); err == nil {
			t.Error("a key can be reserved twice")
		}
		s.Clock.Advance(59 * time.Second)
		s.request(t, ann.Token, "POST", "/api/webhooks", hook, "Idempotency-Key: lost").must(422) // another hash
		s.Clock.Advance(time.Second)
		s.request(t, ann.Token, "POST", "/api/webhooks", hook, "Idempotency-Key: lost").must(201)
	})
}

func TestIdempotencyKeyAtTheSameTime(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		ann := s.Person(t, "Ann Admin")
		const n = 8
		statuses := make([]int, n)
		var wait sync.WaitGroup
		for i := range n {
			wait.Go(func() {
				req, _ := http.NewRequestWithContext(t.Context(), "POST", s.url+"/api/webhooks", strings.NewReader(`{"url":"https://example.com/h","events":["*"]}`))
				req.Header.Set("X-Auth-Token", ann.Token)
				req.Header.Set("Idempotency-Key", "race")
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
				statuses[i] = res.StatusCode
			})
		}
		wait.Wait()
		for _, status := range statuses {
			if status != 201 && status != 409 {
				t.Errorf("answered %d; all: %v", status, statuses)
			}
		}
		if got := len(s.request(t, ann.Token, "GET", "/api/webhooks", nil).must(200).list("data")); got != 1 {
			t.Errorf("%d webhooks were made", got)
		}
	})
}

func TestUnknownRoutesAndMethods(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{})
	ann := s.Person(t, "Ann Admin")
	for path, want := range map[string]int{"/api/": 404, "/api/templates": 404, "/api/submissions/1/2/3": 404, "/api/user/": 404} {
		s.request(t, ann.Token, "GET", path, nil).must(want).text("error")
	}
	a := s.request(t, ann.Token, "DELETE", "/api/user", nil)
	a.must(405).text("error")
	if a.header.Get("Allow") == "" {
		t.Error("405 without Allow")
	}
	s.request(t, ann.Token, "GET", "/api/submissions/abc", nil).must(422).text("field")
	s.request(t, ann.Token, "GET", "/api/submissions/9223372036854775807", nil).must(404)
	s.request(t, ann.Token, "GET", "/api/submissions/9223372036854775808", nil).must(422)
	s.request(t, ann.Token, "GET", "/api/submissions?limit=many", nil).must(422)
	if got := s.request(t, ann.Token, "GET", "/api/submissions?nonsense=1", nil).must(200); got.number("pagination.count") != 0 {
		t.Error("an unknown parameter changes the answer")
	}
}

// What goes wrong inside says nothing about the inside, but a number to find
// it in the log by.
func TestInternalErrors(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{})
	ann := s.Person(t, "Ann Admin")
	if err := s.Store.Close(); err != nil {
		t.Fatal(err)
	}
	a := s.request(t, ann.Token, "GET", "/api/user", nil)
	said := a.must(500).text("error")
	if id := a.header.Get("X-Request-Id"); id == "" || !strings.Contains(said, id) || strings.Contains(said, "sql") || strings.Contains(said, "database") {
		t.Errorf("a broken database is told as %q", said)
	}
}
