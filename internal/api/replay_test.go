package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/store"
)

// fail stores deliveries of a webhook that failed.
func fail(t *testing.T, s *server, p desktest.Person, hook int64, events ...string) {
	t.Helper()
	err := s.Store.Update(t.Context(), func(tx *store.Tx) error {
		var ds []paraph.Delivery
		for _, e := range events {
			ds = append(ds, paraph.Delivery{
				AccountID: p.Who.AccountID, EndpointID: hook, EventName: e, EnvelopeID: 7, MessageID: paraph.NewUUID(), Body: []byte("{}"),
				State: paraph.DeliveryFailed, CreatedAt: tx.Now(), FinishedAt: tx.Now(), NextAttemptAt: tx.Now(),
			})
		}
		return tx.InsertDeliveries(t.Context(), ds)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func startReplay(t *testing.T, s *server, p desktest.Person, hook int64) int64 {
	t.Helper()
	fail(t, s, p, hook, "form.viewed")
	return s.request(t, p.Token, "POST", fmt.Sprintf("/api/webhooks/%d/replays", hook), m{}).must(201).number("id")
}

func TestReplays(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		ann, eve := s.Person(t, "Ann Admin"), s.Person(t, "Eve Else")
		hook := s.request(t, ann.Token, "POST", "/api/webhooks", bodies["createWebhook"]).must(201).number("id")
		other := s.request(t, ann.Token, "POST", "/api/webhooks", bodies["createWebhook"]).must(201).number("id")
		path := fmt.Sprintf("/api/webhooks/%d/replays", hook)
		if a := s.request(t, ann.Token, "POST", path, m{}); a.status != 422 || !strings.Contains(a.object().text("error"), "Nothing matches") {
			t.Errorf("a replay of nothing is answered %d %s", a.status, a.body)
		}
		fail(t, s, ann, hook, "form.viewed", "form.started", "document.signed", "document.signed")
		early := s.Store.Now()
		s.Clock.Advance(time.Minute)

		for name, tt := range map[string]struct {
			ask   m
			total int64
		}{
			"all":             {m{}, 4},
			"failed":          {m{"states": []string{"failed"}}, 4},
			"skipped":         {m{"states": []string{"skipped"}}, 0},
			"a family":        {m{"events": []string{"form.*"}}, 2},
			"of a submission": {m{"submission_id": 7}, 4},
			"of another":      {m{"submission_id": 8}, 0},
			"since":           {m{"since": early.Add(time.Second).Format(time.RFC3339)}, 0},
			"until":           {m{"until": early.Add(time.Second).Format(time.RFC3339)}, 4},
		} {
			tt.ask["dry_run"] = true
			got := s.request(t, ann.Token, "POST", path, tt.ask).must(201)
			if got.number("total") != tt.total || got.text("state") != "dry_run" || got.at("id") != nil {
				t.Errorf("a dry run of %s answers %v", name, got.v)
			}
		}
		for field, ask := range map[string]m{
			"states": {"states": []string{"pending"}}, "events": {"events": []string{"form.nonsense"}}, "since": {"since": "yesterday"}, "until": {"until": "x"},
			"submission_id": {"submission_id": -1},
		} {
			for _, dry := range []bool{false, true} {
				ask["dry_run"] = dry
				if a := s.request(t, ann.Token, "POST", path, ask); a.status != 422 || a.object().text("error") == "" {
					t.Errorf("%s: %v is answered %d %s", field, ask, a.status, a.body)
				}
			}
		}

		ask := m{"events": []string{"document.*"}}
		made := s.request(t, ann.Token, "POST", path, ask, "Idempotency-Key: one").must(201)
		again := s.request(t, ann.Token, "POST", path, ask, "Idempotency-Key: one")
		if again.header.Get("Idempotent-Replayed") != "true" || again.must(201).number("id") != made.number("id") {
			t.Errorf("the same request again is answered %d %s", again.status, again.body)
		}
		if a := s.request(t, ann.Token, "POST", path, m{}); a.status != 409 || !strings.Contains(a.object().text("error"), fmt.Sprintf("/replays/%d", made.number("id"))) {
			t.Errorf("a second replay is answered %d %s", a.status, a.body)
		}
		s.RunDue(t)
		one := fmt.Sprintf("%s/%d", path, made.number("id"))
		got := s.request(t, ann.Token, "GET", one, nil).must(200)
		if got.text("state") != "running" || got.number("total") != 2 || got.number("queued") != 2 || got.number("waiting") != 2 {
			t.Errorf("the replay is %v", got.v)
		}
		log := fmt.Sprintf("/api/webhooks/%d/deliveries?replay_id=%d", hook, made.number("id"))
		if got := s.request(t, ann.Token, "GET", log, nil).must(200).list("data"); len(got) != 2 {
			t.Errorf("the log of the replay has %d deliveries", len(got))
		}
		for _, a := range []answer{
			s.request(t, eve.Token, "GET", one, nil), s.request(t, eve.Token, "POST", one+"/cancel", nil),
			s.request(t, ann.Token, "GET", fmt.Sprintf("/api/webhooks/%d/replays/%d", other, made.number("id")), nil),
			s.request(t, ann.Token, "POST", fmt.Sprintf("/api/webhooks/%d/replays/%d/cancel", other, made.number("id")), nil),
		} {
			if a.status != 404 {
				t.Errorf("a replay of others is answered %d %s", a.status, a.body)
			}
		}
		for range 2 { // the second time changes nothing
			got = s.request(t, ann.Token, "POST", one+"/cancel", nil).must(200)
			if got.text("state") != "cancelled" || got.number("queued") != 0 || got.number("waiting") != 0 {
				t.Errorf("the cancelled replay is %v", got.v)
			}
		}
		if got := s.request(t, ann.Token, "GET", path+"?limit=1", nil).must(200).list("data"); len(got) != 1 {
			t.Errorf("%d replays are listed", len(got))
		}

		s.request(t, ann.Token, "PUT", fmt.Sprintf("/api/webhooks/%d", hook), m{"enabled": false}).must(200)
		if a := s.request(t, ann.Token, "POST", path, m{}); a.status != 409 || !strings.Contains(a.object().text("error"), "switch it on") {
			t.Errorf("a replay while it is off is answered %d %s", a.status, a.body)
		}
	})
}
