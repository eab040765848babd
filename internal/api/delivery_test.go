package api_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
)

// fill puts deliveries into the log, the oldest first.
func fill(t *testing.T, s *server, ann desktest.Person, hook int64, n int, each func(i int, d *paraph.Delivery)) {
	t.Helper()
	for chunk := range slices.Chunk(make([]paraph.Delivery, n), 2000) {
		for i := range chunk {
			d := &chunk[i]
			*d = paraph.Delivery{
				AccountID: ann.Who.AccountID, EndpointID: hook, EventName: "form.viewed", MessageID: "msg_" + paraph.NewToken(24), Body: []byte("{}"),
				State: paraph.DeliveryPending, NextAttemptAt: s.Store.Now(), CreatedAt: s.Store.Now(),
			}
			each(i, d)
		}
		if err := s.Store.Update(t.Context(), func(tx *store.Tx) error { return tx.InsertDeliveries(t.Context(), chunk) }); err != nil {
			t.Fatal(err)
		}
	}
}

// endBadly writes how attempts of the three deliveries that wait ended.
func endBadly(t *testing.T, s *server, hook int64) {
	t.Helper()
	err := s.Store.Update(t.Context(), func(tx *store.Tx) error {
		ds, err := storetest.Due(t.Context(), tx.Reader, hook, tx.Now(), 3)
		if err != nil || len(ds) != 3 {
			return fmt.Errorf("claimed %d: %w", len(ds), err)
		}
		var results []store.Result
		for i, d := range ds {
			d.State, d.Attempts, d.FinishedAt, d.LastStatus, d.LastError = paraph.DeliveryFailed, 1, tx.Now(), 503, "http_503"
			if i == 1 {
				d.LastStatus, d.LastError = 0, "timeout"
			}
			results = append(results, store.Result{Delivery: d, Attempt: paraph.Attempt{DeliveryID: d.ID, Number: 1, At: tx.Now(), Status: d.LastStatus, Code: d.LastError}})
		}
		return settle(t, tx, results)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDeliveryFilters(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		ann := s.Person(t, "Ann Admin")
		hook := s.request(t, ann.Token, "POST", "/api/webhooks", m{"url": "https://example.com/hooks", "events": []string{"*"}, "enabled": false}).must(201).number("id")
		made := s.request(t, ann.Token, "POST", "/api/submissions/pdf", lease()).must(200).number("id")
		s.request(t, ann.Token, "POST", "/api/submissions/pdf", lease()).must(200)
		fill(t, s, ann, hook, 3, func(int, *paraph.Delivery) {})
		endBadly(t, s, hook)
		for query, want := range map[string]int{
			fmt.Sprintf("submission_id=%d", made): 3, "submission_id=999": 0, "code=503": 2, "code=http_503": 2, "code=5xx": 2, "code=timeout": 1, "code=none": 1,
			"code=404": 0, "code=4xx": 0, "state=failed": 3, "state=skipped": 6, "event=DOCUMENT_SENT": 2, "event=form.viewed&code=5xx": 2,
			fmt.Sprintf("submission_id=%d&event=document.sent", made): 1,
		} {
			got := s.request(t, ann.Token, "GET", fmt.Sprintf("/api/webhooks/%d/deliveries?limit=100&%s", hook, query), nil).must(200)
			if n := len(got.list("data")); n != want {
				t.Errorf("%s finds %d, want %d", query, n, want)
			}
		}
	})
}

// What lies behind many others is found by going on, though pages on the way
// are empty.
func TestDeliveryPagesGoOn(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{})
	ann := s.Person(t, "Ann Admin")
	hook := s.request(t, ann.Token, "POST", "/api/webhooks", m{"url": "https://example.com/hooks", "events": []string{"*"}}).must(201).number("id")
	first := true
	fill(t, s, ann, hook, 22_000, func(_ int, d *paraph.Delivery) {
		if first {
			d.EventName, first = "form.declined", false
		}
	})
	path := fmt.Sprintf("/api/webhooks/%d/deliveries?event=form.declined", hook)
	page := s.request(t, ann.Token, "GET", path, nil).must(200)
	if len(page.list("data")) != 0 || page.at("pagination.next") == nil {
		t.Fatalf("the first page is %v", page.v)
	}
	page = s.request(t, ann.Token, "GET", fmt.Sprintf("%s&after=%d", path, page.number("pagination.next")), nil).must(200)
	if len(page.list("data")) != 1 || page.text("data.0.event") != "form.declined" {
		t.Errorf("the second page is %v", page.v)
	}
}
