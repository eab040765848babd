package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/paraph-sign/paraph/internal/desk/desktest"
)

func TestDownloads(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		ann, eve := s.Person(t, "Ann Admin"), s.Person(t, "Eve Else")
		made := s.request(t, ann.Token, "POST", "/api/submissions/pdf", lease()).must(200)
		path := fmt.Sprintf("/api/submissions/%d/downloads", made.number("id"))
		before := s.request(t, ann.Token, "GET", path, nil).must(200)
		if before.at("audit_log_url") != nil || before.at("combined_document_url") != nil || before.at("documents.0.sealed_url") != nil {
			t.Errorf("before anybody has signed there is %v", before.v)
		}
		if got := before.text("documents.0.name"); got != "Lease 1.2" {
			t.Errorf("the document is called %q", got)
		}
		for _, at := range []string{"documents.0.original_url", "documents.0.current_url", "archive_url"} {
			if !strings.HasPrefix(before.text(at), s.Desk.Links.Base+"/file/") {
				t.Errorf("%s is %q", at, before.text(at))
			}
		}
		s.request(t, eve.Token, "GET", path, nil).must(404)
		s.request(t, "", "GET", path, nil).must(401)

		s.sealedLease(t, ann)
		sealed := s.request(t, ann.Token, "GET", fmt.Sprintf("/api/submissions/%d/downloads", made.number("id")+1), nil).must(200)
		for _, at := range []string{"documents.0.sealed_url", "audit_log_url", "combined_document_url", "archive_url"} {
			if !strings.HasPrefix(sealed.text(at), s.Desk.Links.Base+"/file/") {
				t.Errorf("sealed, %s is %q", at, sealed.text(at))
			}
		}
	})
}

func TestLanguageAndTimeZone(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{})
	ann := s.Person(t, "Ann Admin")
	l := lease()
	l["language"], l["timezone"] = "de", "Europe/Berlin"
	made := s.request(t, ann.Token, "POST", "/api/submissions/pdf", l).must(200)
	if e := s.envelope(t, ann, made.number("id")); e.Language != "de" || e.TimeZone != "Europe/Berlin" {
		t.Errorf("stored is %q, %q", e.Language, e.TimeZone)
	}
	for field, wrong := range map[string]string{"language": "tlh", "timezone": "Mars/Base"} {
		l := lease()
		l[field] = wrong
		a := s.request(t, ann.Token, "POST", "/api/submissions/pdf", l)
		if a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), wrong) {
			t.Errorf("a wrong %s is answered %d %s", field, a.status, a.body)
		}
	}
}
