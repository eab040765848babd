package api_test

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
)

func TestHealthOfAWebhook(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		ann := s.Person(t, "Ann Admin")
		id := s.request(t, ann.Token, "POST", "/api/webhooks", bodies["createWebhook"]).must(201).number("id")
		path := fmt.Sprintf("/api/webhooks/%d/health", id)
		idle := s.request(t, ann.Token, "GET", path, nil).must(200)
		if len(idle.list("hours")) != 0 || idle.at("success_rate") != nil || idle.at("p95_ms") != nil || idle.at("last_success_at") != nil {
			t.Errorf("an idle webhook is %v", idle.v)
		}
		now := s.Store.Now()
		result := func(age time.Duration, status int, code string) store.Result {
			return store.Result{Delivery: paraph.Delivery{EndpointID: id}, Attempt: paraph.Attempt{Number: 1, At: now.Add(-age), Status: status, Code: code, Duration: 100 * time.Millisecond}}
		}
		err := s.Store.Update(t.Context(), func(tx *store.Tx) error {
			return tx.AddToHours(t.Context(), []store.Result{result(0, 200, "ok"), result(0, 500, "http_500"), result(0, 200, "ok"), result(25*time.Hour, 200, "ok"), result(0, 204, "ok")})
		})
		if err != nil {
			t.Fatal(err)
		}
		day := s.request(t, ann.Token, "GET", path, nil).must(200)
		if p := day.at("p95_ms").(float64); p < 81 || p > 119 {
			t.Errorf("p95 is %v ms", p)
		}
		if day.number("succeeded") != 3 || day.number("failed") != 1 || day.at("success_rate") != 0.75 || len(day.list("hours")) != 1 || day.number("hours.0.failed") != 1 {
			t.Errorf("a day is %v", day.v)
		}
		if week := s.request(t, ann.Token, "GET", path+"?hours=168", nil).must(200); week.number("succeeded") != 4 || len(week.list("hours")) != 2 {
			t.Errorf("a week is %v", week.v)
		}
		for _, hours := range []string{"-1", "721", "x"} {
			s.request(t, ann.Token, "GET", path+"?hours="+hours, nil).must(422)
		}
	})
}

func TestAllDeliveriesAndTheirFile(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		ann, eve := s.Person(t, "Ann Admin"), s.Person(t, "Eve Else")
		var hooks []int64
		for range 2 {
			id := s.request(t, ann.Token, "POST", "/api/webhooks", bodies["createWebhook"]).must(201).number("id")
			s.request(t, ann.Token, "POST", fmt.Sprintf("/api/webhooks/%d/test", id), bodies["testWebhook"]).must(201)
			hooks = append(hooks, id)
		}
		for q, want := range map[string]int{"": 2, "?state=pending": 2, "?state=failed": 0, fmt.Sprintf("?webhook_id=%d", hooks[0]): 1, "?limit=1": 1} {
			if got := len(s.request(t, ann.Token, "GET", "/api/deliveries"+q, nil).must(200).list("data")); got != want {
				t.Errorf("%q finds %d, want %d", q, got, want)
			}
			if q == "?limit=1" {
				continue
			}
			a := s.request(t, ann.Token, "GET", "/api/deliveries.csv"+q, nil)
			rows, err := csv.NewReader(strings.NewReader(string(a.body))).ReadAll()
			if err != nil || len(rows) != want+1 || rows[0][0] != "id" {
				t.Errorf("the file of %q is %s, %v", q, a.body, err)
			}
			if d := a.header.Get("Content-Disposition"); d != `attachment; filename="deliveries-2026-09-14.csv"` {
				t.Errorf("it is called %s", d)
			}
		}
		if a := s.request(t, eve.Token, "GET", "/api/deliveries.csv", nil); a.status != 200 || strings.Count(string(a.body), "\n") != 1 {
			t.Errorf("a stranger gets %d %s", a.status, a.body)
		}
		s.request(t, ann.Token, "GET", "/api/deliveries.csv?state=nonsense", nil).must(422)
		s.request(t, ann.Token, "GET", "/api/deliveries?since=yesterday", nil).must(422)
	})
}
