package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/paraph-sign/paraph/internal/desk/desktest"
)

// bodies are what each operation that takes a body is sent.
var bodies = map[string]any{
	"createSubmissionFromPdf": lease(),
	"updateSubmission":        m{"archived": false},
	"updateSubmitter":         m{"name": "Tom T. Tenant"},
	"createWebhook":           m{"url": "https://example.com/hooks", "events": []string{"form.*"}},
	"updateWebhook":           m{"description": "The CRM"},
	"testWebhook":             m{"event": "form.viewed"},
	"createReplay":            m{"dry_run": true},
	"createListener":          m{"events": []string{"form.*"}},
	"hearEvents":              m{},
	"testListeners":           m{"event": "form.viewed"},
	"verifyPdf":               m{"file": base64Of(desktest.PDF(1))},
}

// operation is one of the described routes.
type operation struct{ id, method, path string }

// operations reads all routes from the description, so that a new one can't be
// forgotten here. Deletions come last.
func operations(t *testing.T, s *server) []operation {
	t.Helper()
	spec := s.request(t, "", "GET", "/api/openapi.json", nil).must(200)
	var out []operation
	for path, methods := range spec.v["paths"].(map[string]any) {
		for method, op := range methods.(map[string]any) {
			out = append(out, operation{op.(map[string]any)["operationId"].(string), strings.ToUpper(method), path})
		}
	}
	slices.SortFunc(out, func(a, b operation) int {
		if (a.method == "DELETE") != (b.method == "DELETE") {
			if a.method == "DELETE" {
				return 1
			}
			return -1
		}
		return strings.Compare(a.id, b.id)
	})
	if len(out) < 20 {
		t.Fatalf("only %d operations are described", len(out))
	}
	return out
}

func TestEveryRouteAsNobodyStrangerAndOwner(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		ann, eve := s.Person(t, "Ann Admin"), s.Person(t, "Eve Else")
		made := s.request(t, ann.Token, "POST", "/api/submissions/pdf", lease()).must(200)
		hook := s.request(t, ann.Token, "POST", "/api/webhooks", bodies["createWebhook"]).must(201)
		test := s.request(t, ann.Token, "POST", fmt.Sprintf("/api/webhooks/%d/test", hook.number("id")), bodies["testWebhook"]).must(201)
		listener := s.request(t, ann.Token, "POST", "/api/listeners", bodies["createListener"]).must(201)
		ids := map[string]int64{
			"listeners":   listener.number("id"),
			"replay":      startReplay(t, s, ann, hook.number("id")),
			"submissions": made.number("id"), "submitters": made.number("submitters.0.id"), "webhooks": hook.number("id"), "deliveries": test.number("id"),
		}
		for _, op := range operations(t, s) {
			resource := strings.Split(op.path, "/")[2]
			path := strings.NewReplacer("{id}", fmt.Sprint(ids[resource]), "{replay_id}", fmt.Sprint(ids["replay"]), "{name}", "form.completed").Replace(op.path)
			name := op.method + " " + op.path
			if op.id == "getEventSchema" { // the same for everybody
				if a := s.request(t, "", op.method, path, nil); a.status != 200 || a.header.Get("Content-Type") != "application/schema+json" {
					t.Errorf("%s as nobody is answered %d %s", name, a.status, a.body)
				}
				continue
			}
			for _, token := range []string{"", "api_unknown", strings.Repeat("x", 100000)[:8000]} {
				a := s.request(t, token, op.method, path, bodies[op.id])
				if a.status != http.StatusUnauthorized || a.object().text("error") == "" || a.header.Get("WWW-Authenticate") == "" {
					t.Errorf("%s as nobody is answered %d %s", name, a.status, a.body)
				}
			}
			if strings.Contains(op.path, "{id}") {
				a := s.request(t, eve.Token, op.method, path, bodies[op.id])
				if a.status != http.StatusNotFound || a.object().text("error") == "" {
					t.Errorf("%s as a stranger is answered %d %s", name, a.status, a.body)
				}
			}
			a, kind := s.request(t, ann.Token, op.method, path, bodies[op.id]), "application/json"
			if op.id == "exportDeliveries" {
				kind = "text/csv; charset=utf-8"
			}
			if a.status/100 != 2 || a.header.Get("Content-Type") != kind || a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s as the owner is answered %d %v %s", name, a.status, a.header, a.body)
			}
		}
	})
}

func TestStrangersSeeNothingInLists(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		ann, eve := s.Person(t, "Ann Admin"), s.Person(t, "Eve Else")
		made := s.request(t, ann.Token, "POST", "/api/submissions/pdf", lease()).must(200)
		hook := s.request(t, ann.Token, "POST", "/api/webhooks", bodies["createWebhook"]).must(201)
		s.request(t, ann.Token, "POST", fmt.Sprintf("/api/webhooks/%d/test", hook.number("id")), bodies["testWebhook"]).must(201)
		slug := made.text("submitters.0.slug")
		for _, path := range []string{"/api/submissions", "/api/submitters", "/api/submitters?slug=" + slug, fmt.Sprintf("/api/submitters?submission_id=%d", made.number("id")), "/api/webhooks", "/api/deliveries"} {
			if got := s.request(t, eve.Token, "GET", path, nil).must(200); len(got.list("data")) != 0 || got.at("pagination.next") != nil {
				t.Errorf("GET %s shows a stranger %v", path, got.v)
			}
			if got := s.request(t, ann.Token, "GET", path, nil).must(200); len(got.list("data")) == 0 {
				t.Errorf("GET %s shows its owner nothing", path)
			}
		}
	})
}

func TestTokens(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{})
	ann := s.Person(t, "Ann Admin")
	s.request(t, "", "GET", "/api/user", nil, "Authorization: Bearer "+ann.Token).must(200)
	s.request(t, "", "GET", "/api/user", nil, "Authorization: bearer "+ann.Token).must(200)
	s.request(t, "", "GET", "/api/user", nil, "Authorization: Basic "+ann.Token).must(401)
	s.request(t, "", "GET", "/api/user?token="+ann.Token, nil).must(401)
	tokens, err := s.Store.APITokens(t.Context(), ann.Who.AccountID, ann.User.ID)
	if err != nil || len(tokens) != 1 || !tokens[0].LastUsedAt.Equal(s.Store.Now()) {
		t.Fatalf("the token's use was not noted: %+v, %v", tokens, err)
	}
	if err := s.Desk.DeleteToken(t.Context(), ann.Who, tokens[0].ID); err != nil {
		t.Fatal(err)
	}
	s.request(t, ann.Token, "GET", "/api/user", nil).must(401)
}
