package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// random is what differs from run to run, by what stands in its place.
var random = []struct {
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`), "UUID"},
	{regexp.MustCompile(`whsec_[A-Za-z0-9+/=]+`), "whsec_SECRET"},
	{regexp.MustCompile(`envelope_[a-z]{16}`), "envelope_ID"},
	{regexp.MustCompile(`"[a-z]{25}"`), `"DATA"`},
	{regexp.MustCompile(`msg_[A-Za-z0-9_-]+`), "msg_ID"},
	{regexp.MustCompile(`"slug": "[A-Za-z0-9_-]+"`), `"slug": "SLUG"`},
	{regexp.MustCompile(`/(s|sign|e)/[A-Za-z0-9_-]+"`), `/$1/TOKEN"`},
	{regexp.MustCompile(`/file/[A-Za-z0-9_-]+/`), "/file/TOKEN/"},
}

// golden compares an answer with testdata/name.json. Keys are compared in
// their order; what is random is put aside.
func golden(t *testing.T, name string, a answer, status int) {
	t.Helper()
	a.must(status)
	var b bytes.Buffer
	if err := json.Indent(&b, bytes.TrimSpace(a.body), "", "  "); err != nil {
		t.Fatal(err)
	}
	got := b.String() + "\n"
	for _, r := range random {
		got = r.what.ReplaceAllString(got, r.with)
	}
	path := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestGoldens(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		ann := s.Person(t, "Ann Admin")
		get := func(path string) answer { return s.request(t, ann.Token, "GET", path, nil) }
		golden(t, "user", get("/api/user"), 200)
		golden(t, "event_types", get("/api/events/types"), 200)
		hook := m{
			"url": "https://example.com/hooks", "events": []string{"form.completed", "DOCUMENT_SIGNED"}, "secret": "s3cret",
			"headers": m{"X-Tenant": "42"}, "description": "The CRM", "schedule": []int{5, 300}, "timeout": 2.5, "concurrency": 2, "rate": 10, "ordered": true,
		}
		golden(t, "webhook_created", s.request(t, ann.Token, "POST", "/api/webhooks", hook), 201)

		made := s.request(t, ann.Token, "POST", "/api/submissions/pdf", lease())
		golden(t, "submission_created", made, 200)
		tom := fmt.Sprintf("/api/submitters/%d", made.object().number("submitters.0.id"))
		lea := fmt.Sprintf("/api/submitters/%d", made.object().number("submitters.1.id"))
		submission := fmt.Sprintf("/api/submissions/%d", made.object().number("id"))
		s.Clock.Advance(time.Minute)
		golden(t, "submitter_updated", s.request(t, ann.Token, "PUT", tom, m{
			"phone": "+49 30 123456", "values": m{"Full name": "Tom Tenant", "Rent": 850.5, "Pets": true, "Signature": "Tom Tenant"}, "completed": true,
		}), 200)
		golden(t, "submitter", get(tom), 200)
		golden(t, "submission_pending", get(submission), 200)
		s.Clock.Advance(time.Minute)
		s.request(t, ann.Token, "PUT", lea, m{"values": m{"Signature Field 2": "Lea"}, "completed": true}).must(200)
		s.RunDue(t)
		golden(t, "submission_completed", get(submission), 200)
		golden(t, "submissions", get("/api/submissions"), 200)
		golden(t, "submitters", get("/api/submitters?limit=1"), 200)
		golden(t, "documents", get(submission+"/documents"), 200)

		logged(t, s)
		golden(t, "webhook", get("/api/webhooks/1"), 200)
		golden(t, "webhooks", get("/api/webhooks"), 200)
		golden(t, "deliveries", get("/api/webhooks/1/deliveries?limit=2"), 200)
		golden(t, "delivery", get("/api/deliveries/1"), 200)
		golden(t, "submission_archived", s.request(t, ann.Token, "DELETE", submission, nil), 200)
	})
}

// logged writes two attempts of the first delivery, as the sender does.
func logged(t *testing.T, s *server) {
	t.Helper()
	err := s.Store.Update(t.Context(), func(tx *store.Tx) error {
		ds, err := storetest.Due(t.Context(), tx.Reader, 1, tx.Now(), 1)
		if err != nil || len(ds) != 1 {
			return fmt.Errorf("claimed %d: %w", len(ds), err)
		}
		failed := ds[0]
		failed.Attempts, failed.LastStatus, failed.LastError, failed.NextAttemptAt = 1, 500, "http_500", tx.Now()
		if err := settle(t, tx, []store.Result{{Delivery: failed, Attempt: paraph.Attempt{
			DeliveryID: failed.ID, Number: 1, At: tx.Now(), Status: 500, Code: "http_500", Error: "The receiver answered 500.",
			Duration: 120500 * time.Microsecond, Timings: paraph.Timings{DNS: 2 * time.Millisecond, Connect: 5 * time.Millisecond, Total: 120500 * time.Microsecond},
			RemoteAddress: "203.0.113.9:443", RequestHeaders: [][2]string{{"Content-Type", "application/json"}, {"X-Tenant", "********"}},
			ResponseHeaders: [][2]string{{"Content-Type", "text/plain"}}, ResponseBody: []byte("oh no \xff"), Truncated: true,
		}}}); err != nil {
			return err
		}
		if ds, err = storetest.Due(t.Context(), tx.Reader, 1, tx.Now(), 100); err != nil {
			return err
		}
		i := slices.IndexFunc(ds, func(d paraph.Delivery) bool { return d.ID == failed.ID })
		if i < 0 {
			return fmt.Errorf("the failed delivery is not due again")
		}
		ok := ds[i]
		ok.State, ok.Attempts, ok.LastStatus, ok.LastError, ok.FinishedAt = paraph.DeliverySucceeded, 2, 200, "", tx.Now()
		return settle(t, tx, []store.Result{{Delivery: ok, Attempt: paraph.Attempt{
			DeliveryID: ok.ID, Number: 2, At: tx.Now(), Status: 200, Code: "ok", Duration: 30 * time.Millisecond, Timings: paraph.Timings{Total: 30 * time.Millisecond},
		}}})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// keys are the keys of an object's JSON in their order.
func keys(t *testing.T, raw json.RawMessage) []string {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	var out []string
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	for d.More() {
		k, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, k.(string))
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// The keys that DocuSeal's programs know, in their order.
func TestKeysInOrder(t *testing.T) {
	t.Parallel()
	const submitter = "id slug uuid name email phone completed_at declined_at external_id submission_id metadata opened_at sent_at created_at updated_at status application_key "
	for file, want := range map[string]map[string]string{
		"submission_created": {
			"":             "id name submitters source submitters_order status schema fields expire_at created_at",
			"submitters":   submitter + "values documents preferences role embed_src",
			"schema":       "attachment_uuid name",
			"fields":       "uuid submitter_uuid name type required preferences areas",
			"fields.areas": "x y w h page attachment_uuid",
		},
		"submission_completed": {
			"":                  "id name slug source submitters_order expire_at created_at updated_at archived_at submitters created_by_user variables submission_events documents audit_log_url combined_document_url status completed_at",
			"submitters":        submitter + "values documents preferences role",
			"created_by_user":   "id email first_name last_name",
			"submission_events": "id submitter_id event_type event_timestamp data",
			"documents":         "name url",
		},
		"submitter":           {"": submitter + "template values documents preferences submission_events role"},
		"submitter_updated":   {"": submitter + "values documents preferences role embed_src"},
		"submissions":         {"": "data pagination", "pagination": "count next prev"},
		"submitters":          {"": "data pagination", "pagination": "count next prev", "data": submitter + "template values documents preferences submission_events role"},
		"documents":           {"": "id documents", "documents": "name url"},
		"submission_archived": {"": "id archived_at"},
		"delivery": {
			"":         "id webhook_id sequence event message_id submission_id test state next_attempt_at last_status last_error created_at finished_at body schedule attempts",
			"attempts": "number at status error message advice duration_ms timings remote_address request_headers response_headers response_body truncated",
		},
	} {
		b, err := os.ReadFile(filepath.Join("testdata", file+".json"))
		if err != nil {
			t.Fatal(err)
		}
		for path, want := range want {
			raw := json.RawMessage(b)
			for part := range strings.SplitSeq(path, ".") {
				if part == "" {
					continue
				}
				var v map[string]json.RawMessage
				if err := json.Unmarshal(raw, &v); err != nil {
					t.Fatal(err)
				}
				raw = v[part]
				var list []json.RawMessage
				if json.Unmarshal(raw, &list) == nil && len(list) > 0 {
					raw = list[0]
				}
			}
			if diff := cmp.Diff(strings.Fields(want), keys(t, raw)); diff != "" {
				t.Errorf("%s, %q (-want +got):\n%s", file, path, diff)
			}
		}
	}
}

// A delivery's body is shown byte for byte but for the tokens.
func TestDeliveryBodyHasNoTokens(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		ann := s.Person(t, "Ann Admin")
		s.request(t, ann.Token, "POST", "/api/webhooks", m{"url": "https://example.com/hooks", "events": []string{"*"}}).must(201)
		made := s.request(t, ann.Token, "POST", "/api/submissions/pdf", lease()).must(200)
		tokens := []string{made.text("submitters.0.slug"), made.text("submitters.1.slug")}
		list := s.request(t, ann.Token, "GET", "/api/webhooks/1/deliveries", nil).must(200).list("data")
		carried := 0
		for _, d := range list {
			id := int64(d.(map[string]any)["id"].(float64))
			stored, err := s.Store.Delivery(t.Context(), ann.Who.AccountID, id)
			if err != nil {
				t.Fatal(err)
			}
			shown := s.request(t, ann.Token, "GET", fmt.Sprintf("/api/deliveries/%d", id), nil)
			shown.must(200)
			var v struct{ Body json.RawMessage }
			if err := json.Unmarshal(shown.body, &v); err != nil {
				t.Fatal(err)
			}
			want := string(stored.Body)
			for _, token := range tokens {
				carried += strings.Count(want, token)
				want = strings.ReplaceAll(want, token, "********")
			}
			if string(v.Body) != want {
				t.Errorf("%s is shown as\n%s\nwant\n%s", stored.EventName, v.Body, want)
			}
		}
		if len(list) < 3 || carried == 0 {
			t.Errorf("%d deliveries carried %d tokens: nothing was tested", len(list), carried)
		}
	})
}

// settle writes results as the dispatcher has it.
func settle(t *testing.T, tx *store.Tx, results []store.Result) error {
	t.Helper()
	if err := tx.SaveResults(t.Context(), results); err != nil {
		return err
	}
	return tx.AddToHours(t.Context(), results)
}
