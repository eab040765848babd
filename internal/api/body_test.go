package api_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
)

// A body that would take many times its length in memory is refused unread.
func TestBodyOfManyValues(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{})
	ann := s.Person(t, "Ann Admin")
	body := `{"documents":[{}],"submitters":[` + strings.Repeat("{},", paraph.MaxJSONParts) + `{}]}`
	a := s.request(t, ann.Token, http.MethodPost, "/api/submissions/pdf", body)
	if got := a.must(http.StatusRequestEntityTooLarge); got.text("field") != "body" || !strings.Contains(got.text("error"), "values") {
		t.Errorf("the answer is %s", a.body)
	}
}

// While memory is taken up by other bodies, a program is asked to come back.
func TestBodyWaitsForRoom(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{})
	ann := s.Person(t, "Ann Admin")
	n, err := io.Copy(io.Discard, s.Desk.Uploads.Guest().Reader(zeros{}))
	if paraph.KindOf(err) != paraph.TooMany {
		t.Fatal(err)
	}
	taken := s.Desk.Uploads.Guest()
	if _, err := io.CopyN(io.Discard, taken.Reader(zeros{}), n); err != nil {
		t.Fatal(err)
	}
	a := s.request(t, ann.Token, http.MethodPost, "/api/submissions/pdf", strings.Repeat(" ", 2<<20)+"{}")
	if a.must(http.StatusTooManyRequests); a.header.Get("Retry-After") == "" {
		t.Error("the answer does not say when to come back")
	}
	taken.Leave()
	s.request(t, ann.Token, http.MethodPost, "/api/submissions/pdf", strings.Repeat(" ", 2<<20)+"{}").must(http.StatusUnprocessableEntity)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
