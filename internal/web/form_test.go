package web

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
)

// Values cost what it takes to keep them, not only their letters.
func TestFormOfManyParts(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	part := "--x\r\nContent-Disposition: form-data; name=\"%d\"\r\n\r\n\r\n"
	var many strings.Builder
	for i := range 10000 {
		fmt.Fprintf(&many, part, i)
	}
	many.WriteString("--x--\r\n")
	r := httptest.NewRequest(http.MethodPost, "/verify", strings.NewReader(many.String()))
	r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	s.nobody(t).send(r).is(http.StatusRequestEntityTooLarge)
}

// When memory is taken up, strangers are asked to come back, and users go on.
func TestVerifyWaitsForRoom(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	n, err := io.Copy(io.Discard, s.Desk.Visits.Guest().Reader(endless{}))
	if err == nil || n < s.Desk.MaxSize {
		t.Fatalf("%d bytes were let in, %v", n, err)
	}
	taken := s.Desk.Visits.Guest()
	if _, err := io.CopyN(io.Discard, taken.Reader(endless{}), n); err != nil {
		t.Fatal(err)
	}
	pdf := []attachment{{"file", "contract.pdf", desktest.PDF(1)}}
	s.nobody(t).upload("/verify", html, pdf).is(http.StatusTooManyRequests).says("taken up")
	s.signedIn(t, s.owner).upload("/envelopes", html, []attachment{{"documents", "contract.pdf", desktest.PDF(1)}}).is(http.StatusSeeOther)
	taken.Leave()
	s.nobody(t).upload("/verify", html, pdf).is(http.StatusOK)
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// A small request that would become large in memory is refused before it does.
func TestLayoutOfManyValues(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	body := `{"version":1,"fields":[` + strings.Repeat("{},", paraph.MaxJSONParts) + `{}]}`
	r := httptest.NewRequest(http.MethodPut, s.path("/envelopes/{draft}/layout"), strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	s.signedIn(t, s.owner).send(r).is(http.StatusRequestEntityTooLarge)
}
