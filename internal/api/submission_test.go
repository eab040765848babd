package api_test

import (
	"fmt"
	"testing"
)

func TestSubmissionStory(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		ann := s.Person(t, "Ann Admin")
		made := s.request(t, ann.Token, "POST", "/api/submissions/pdf", lease()).must(200)
		id, tom, lea := made.number("id"), made.number("submitters.0.id"), made.number("submitters.1.id")
		submitter := func(id int64) string { return fmt.Sprintf("/api/submitters/%d", id) }

		s.request(t, ann.Token, "PUT", submitter(lea), m{"completed": true}).must(422)
		s.request(t, ann.Token, "PUT", submitter(tom), m{"completed": true}).must(422)
		signed := s.request(t, ann.Token, "PUT", submitter(tom), m{
			"values": m{"Full name": "Tom Tenant", "Rent": 850.5, "Pets": true, "Signature": "Tom Tenant"}, "completed": true,
		}).must(200)
		if got := signed.text("status"); got != "completed" {
			t.Errorf("Tom is %s", got)
		}
		s.request(t, ann.Token, "PUT", submitter(tom), m{"name": "Thomas"}).must(422)
		s.request(t, ann.Token, "PUT", submitter(lea), m{
			"values": m{"Signature Field 2": "data:image/png;base64," + base64Of(png(t))}, "completed": true,
		}).must(200)
		s.RunDue(t)

		whole := s.request(t, ann.Token, "GET", fmt.Sprintf("/api/submissions/%d", id), nil).must(200)
		if got := whole.text("status"); got != "completed" {
			t.Errorf("the submission is %s", got)
		}
		whole.text("audit_log_url")
		if got := len(whole.list("documents")); got != 1 {
			t.Errorf("it has %d documents", got)
		}
	})
}
