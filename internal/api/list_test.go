package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/paraph-sign/paraph/internal/desk/desktest"
)

// ids are the ids of a list's things.
func ids(o object) string {
	var out []string
	for _, v := range o.list("data") {
		out = append(out, fmt.Sprint(v.(map[string]any)["id"]))
	}
	return strings.Join(out, " ")
}

func TestPaging(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		ann := s.Person(t, "Ann Admin")
		for i := range 5 {
			l := lease()
			l["name"] = fmt.Sprintf("Lease %d%%", i+1)
			s.request(t, ann.Token, "POST", "/api/submissions/pdf", l).must(200)
			s.request(t, ann.Token, "POST", "/api/webhooks", m{"url": "https://example.com/hooks", "events": []string{"form.started"}}).must(201)
		}
		for _, resource := range []string{"submissions", "webhooks"} {
			for query, want := range map[string]string{
				"":                          "5 4 3 2 1",
				"limit=2":                   "5 4",
				"limit=2&after=4":           "3 2",
				"after=1":                   "",
				"before=3":                  "5 4",
				"before=1&limit=2":          "3 2",
				"before=5":                  "",
				"before=1&after=4":          "3 2",
				"limit=1000":                "5 4 3 2 1",
				"limit=0":                   "5 4 3 2 1",
				"limit=-1":                  "5 4 3 2 1",
				"after=9223372036854775807": "5 4 3 2 1",
			} {
				got := s.request(t, ann.Token, "GET", "/api/"+resource+"?"+query, nil).must(200)
				if ids(got) != want {
					t.Errorf("%s?%s: %s, want %s", resource, query, ids(got), want)
				}
				if want != "" && (got.number("pagination.next") != int64(want[len(want)-1]-'0') || got.number("pagination.prev") != int64(want[0]-'0')) {
					t.Errorf("%s?%s: pagination %v", resource, query, got.at("pagination"))
				}
			}
		}
		for query, want := range map[string]string{
			"q=lease+3":                   "3",
			"q=3%25":                      "3",
			"q=%25":                       "5 4 3 2 1",
			"q=_":                         "",
			"q=TOM@example":               "5 4 3 2 1",
			"status=completed":            "",
			"status=pending&limit=1":      "5",
			"template_id=1":               "",
			"template_folder=Legal":       "",
			"slug=nothing":                "",
			"archived=true":               "",
			"archived=false&q=lease+1%25": "1",
		} {
			if got := ids(s.request(t, ann.Token, "GET", "/api/submissions?"+query, nil).must(200)); got != want {
				t.Errorf("submissions?%s: %s, want %s", query, got, want)
			}
		}
		for query, want := range map[string]string{
			"limit=3":                        "10 9 8",
			"submission_id=2":                "4 3",
			"q=landlord&limit=2":             "10 8",
			"external_id=crm-7&after=6":      "5 3 1",
			"before=8":                       "10 9",
			"completed_after=2020-01-01":     "",
			"completed_before=2030-01-01":    "",
			"template_id=3":                  "",
			"submission_id=2&external_id=no": "",
		} {
			if got := ids(s.request(t, ann.Token, "GET", "/api/submitters?"+query, nil).must(200)); got != want {
				t.Errorf("submitters?%s: %s, want %s", query, got, want)
			}
		}
		s.request(t, ann.Token, "GET", "/api/submissions?status=lost", nil).must(422)
		s.request(t, ann.Token, "GET", "/api/submitters?completed_after=soon", nil).must(422)
	})
}

func TestCompletedBetween(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		ann := s.Person(t, "Ann Admin")
		made := s.request(t, ann.Token, "POST", "/api/submissions/pdf", lease()).must(200)
		tom := made.number("submitters.0.id")
		s.request(t, ann.Token, "PUT", fmt.Sprintf("/api/submitters/%d", tom), m{"values": m{"Full name": "Tom", "Signature": "Tom"}, "completed": true}).must(200)
		for query, want := range map[string]string{
			"completed_after=2026-09-14T10:00:00Z":  fmt.Sprint(tom),
			"completed_after=2026-09-14T10:00:01Z":  "",
			"completed_before=2026-09-14T10:00:01Z": fmt.Sprint(tom),
			"completed_before=2026-09-14":           "",
			"completed_after=2026-09-14&completed_before=2026-09-15&slug=" + made.text("submitters.0.slug"): fmt.Sprint(tom),
		} {
			if got := ids(s.request(t, ann.Token, "GET", "/api/submitters?"+query, nil).must(200)); got != want {
				t.Errorf("submitters?%s: %q, want %q", query, got, want)
			}
		}
	})
}

func TestArchiveAndDelete(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		ann := s.Person(t, "Ann Admin")
		made := s.request(t, ann.Token, "POST", "/api/submissions/pdf", lease()).must(200)
		path := fmt.Sprintf("/api/submissions/%d", made.number("id"))
		list := func(query string) int {
			return len(s.request(t, ann.Token, "GET", "/api/submissions"+query, nil).must(200).list("data"))
		}
		s.request(t, ann.Token, "DELETE", path, nil).must(200).text("archived_at")
		if list("") != 0 || list("?archived=true") != 1 {
			t.Error("it was not archived")
		}
		s.request(t, ann.Token, "GET", path, nil).must(200).text("archived_at")
		if got := s.request(t, ann.Token, "PUT", path, m{"archived": false}).must(200); got.at("archived_at") != nil || list("") != 1 {
			t.Error("it was not brought back")
		}
		s.request(t, ann.Token, "PUT", path, m{"name": "Other"}).must(422)
		s.request(t, ann.Token, "PUT", path, m{}).must(200)
		s.request(t, ann.Token, "DELETE", path+"?permanently=true", nil).must(200).text("archived_at")
		s.request(t, ann.Token, "GET", path, nil).must(404)
		s.request(t, ann.Token, "GET", path+"/documents", nil).must(404)
		s.request(t, ann.Token, "GET", fmt.Sprintf("/api/submitters/%d", made.number("submitters.0.id")), nil).must(404)
		if got := ids(s.request(t, ann.Token, "GET", "/api/submitters", nil).must(200)); got != "" {
			t.Errorf("submitters of a deleted submission are listed: %s", got)
		}
		s.request(t, ann.Token, "DELETE", path, nil).must(404)
	})
}

func TestMergedDocuments(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{})
	ann := s.Person(t, "Ann Admin")
	one := s.request(t, ann.Token, "POST", "/api/submissions/pdf", lease()).must(200)
	l := lease()
	l["documents"] = append(l["documents"].([]m), m{"name": "Annex", "file": base64Of(desktest.PDF(1))})
	two := s.request(t, ann.Token, "POST", "/api/submissions/pdf", l).must(200)
	s.request(t, ann.Token, "GET", fmt.Sprintf("/api/submissions/%d/documents?merge=true", one.number("id")), nil).must(200)
	s.request(t, ann.Token, "GET", fmt.Sprintf("/api/submissions/%d/documents?merge=true", two.number("id")), nil).must(422)
	if got := s.request(t, ann.Token, "GET", fmt.Sprintf("/api/submissions/%d/documents", two.number("id")), nil).must(200).list("documents"); len(got) != 2 {
		t.Errorf("%d documents", len(got))
	}
}
