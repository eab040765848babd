package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/web/ui/assets"
	"github.com/paraph-sign/paraph/internal/web/ui/dev"
)

func TestDevMail(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	s := siteOf(t, w)
	p := w.Person(t, "Ada")
	v := s.visitor(t)
	v.get("/dev/mail").is(http.StatusOK).says("No mail yet")
	v.post("/forgot", "email", p.User.Email).is(http.StatusOK)
	link := s.linkIn(t, p.User.Email, "/reset/")
	a := v.get("/dev/mail").is(http.StatusOK)
	a = v.get(a.Find("td.lead a").AttrOr("href", "")).is(http.StatusOK).says(p.User.Email)
	if a.Find("a[href='"+siteBase+link+"']").Length() != 1 {
		t.Error("the link in the text can't be followed")
	}
	frame := a.Find("iframe")
	if got := frame.AttrOr("sandbox", ""); got == "" || strings.Contains(got, "allow-scripts") || strings.Contains(got, "allow-same-origin") {
		t.Errorf("the frame may %q", got)
	}
	if !strings.Contains(a.header.Get("Content-Security-Policy"), "frame-src 'self'") {
		t.Error("the page may not show its frame")
	}
	html := v.get(frame.AttrOr("src", "")).is(http.StatusOK)
	policy := html.header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "style-src 'unsafe-inline'", "frame-ancestors 'self'", "sandbox allow-popups"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy %q lacks %q", policy, part)
		}
	}
	if html.header.Get("X-Frame-Options") != "SAMEORIGIN" || html.Find("base[target=_blank]").Length() != 1 || html.Find("a[href='"+siteBase+link+"']").Length() == 0 {
		t.Error("the HTML can't be framed, or its links can't be followed")
	}
	v.get("/dev/mail/99").is(http.StatusNotFound)
	for host, status := range map[string]int{
		"rebound.example": 404, "rebound.example:3000": 404, "": 404, "localhost.rebound.example": 404, "10.0.0.1": 404,
		"localhost:3000": 200, "127.0.0.1:3000": 200, "[::1]:3000": 200,
	} {
		for _, path := range []string{"/dev/mail", "/dev/mail/1", "/dev/mail/1/html", "/dev/inbox"} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Host = host
			if a := v.do(r); a.status != status {
				t.Errorf("%s by the name %q is answered %d, want %d", path, host, a.status, status)
			}
		}
	}
}

func TestNoDevMailWhenMailGoesOut(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	files, err := assets.New(assets.Config{Files: fstest.MapFS{"manifest.json": {Data: []byte("{}")}}})
	if err != nil {
		t.Fatal(err)
	}
	h, err := New(Config{Desk: w.Desk, Store: w.Store, Assets: files, Log: w.Desk.Log, BaseURL: siteBase, MaxSize: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/dev/mail", "/dev/mail/1", "/dev/mail/1/html"} {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		if rec.Code != http.StatusNotFound {
			t.Errorf("%s: status %d", path, rec.Code)
		}
	}
}

func TestPieces(t *testing.T) {
	t.Parallel()
	got := dev.Pieces("See https://a.example/x?y=1.\nOr (http://b.example), or not.")
	want := []dev.Piece{
		{Text: "See "}, {Text: "https://a.example/x?y=1", Link: true}, {Text: ".\nOr ("}, {Text: "http://b.example", Link: true}, {Text: "), or not."},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDevInbox(t *testing.T) {
	t.Parallel()
	s := siteOf(t, desktest.New(t, desktest.Options{}))
	v := s.visitor(t)
	v.get("/dev/inbox").is(http.StatusOK).says("Nothing received yet")
	send := func(path, body string) int {
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Paraph-Event", "document.sent")
		rec := httptest.NewRecorder()
		s.handler.ServeHTTP(rec, r)
		return rec.Code
	}
	for path, want := range map[string]int{
		"/dev/inbox/crm": 200, "/dev/inbox/crm?status=503": 503, "/dev/inbox/crm?status=204": 204, "/dev/inbox/crm?status=1": 422, "/dev/inbox/crm?status=x": 422,
	} {
		if got := send(path, `{"a":{"b":"<i>"}}`); got != want {
			t.Errorf("%s: status %d, want %d", path, got, want)
		}
	}
	if got := send("/dev/inbox/large", strings.Repeat("x", inboxBody+1)); got != http.StatusRequestEntityTooLarge {
		t.Errorf("a large body: status %d", got)
	}
	a := v.get("/dev/inbox").is(http.StatusOK).says("document.sent").says("answered 503").silent("<i>")
	if got := a.Find("pre").First().Text(); got != "{\n  \"a\": {\n    \"b\": \"<i>\"\n  }\n}" {
		t.Errorf("the body is shown as %q", got)
	}
	for range inboxRequests {
		send("/dev/inbox/crm", "{}")
	}
	if n := v.get("/dev/inbox").Find("details.attempt").Length(); n != inboxRequests {
		t.Errorf("%d requests are kept", n)
	}
}
