package web

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
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
	a := v.get("/dev/inbox").is(http.StatusOK).says("document.sent").says("Answered 503").silent("<i>")
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

// TestDevInboxChecksSignatures: by the secrets of the webhooks that lead to
// the same address, and of no others.
func TestDevInboxChecksSignatures(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{Base: "http://127.0.0.1:1", Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	s := siteOf(t, w)
	ann := w.Person(t, "Ann Admin")
	hook := func(name string) paraph.Endpoint {
		e, err := w.Desk.CreateEndpoint(t.Context(), ann.Who, paraph.Endpoint{URL: "http://127.0.0.1:1/dev/inbox/" + name, Events: []string{"*"}, Secret: "sesame", Enabled: true})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	crm, other := hook("crm"), hook("crm-2")
	send := func(signer paraph.Endpoint, event, body string, at time.Time) {
		t.Helper()
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/dev/inbox/crm", strings.NewReader(body+"!"))
		if signer.SigningSecret != "" {
			r = httptest.NewRequest(http.MethodPost, "/dev/inbox/crm", strings.NewReader(body))
			key, err := standardwebhooks.NewWebhook(signer.SigningSecret)
			if err != nil {
				t.Fatal(err)
			}
			signature, err := key.Sign("msg_1", at, []byte(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Webhook-Id", "msg_1")
			r.Header.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
			r.Header.Set("Webhook-Signature", signature)
			r.Header.Set("X-Documenso-Secret", "sesame")
		}
		r.Header.Set("X-Paraph-Event", event)
		if s.handler.ServeHTTP(w, r); w.Code != http.StatusOK {
			t.Fatalf("answered %d", w.Code)
		}
	}
	v := s.visitor(t)
	send(crm, "form.viewed", `{"a":1}`, w.Store.Now())
	v.get("/dev/inbox").says("Signed by webhook " + strconv.FormatInt(crm.ID, 10)).says("Standard Webhooks: made with the secret of webhook").says("X-Documenso-Secret is that of webhook")
	send(other, "form.started", `{"a":1}`, w.Store.Now())
	v.get("/dev/inbox?event=form.started").says("Wrong signature").says("made with no secret of a webhook that leads here").silent("Signed by")
	send(crm, "document.sent", `{"a":1}`, w.Store.Now().Add(-time.Hour))
	v.get("/dev/inbox?event=document.sent").says("Wrong signature").says("too old by 55 min")
	send(paraph.Endpoint{}, "document.signed", `{}`, w.Store.Now())
	v.get("/dev/inbox?event=document.signed").says("Not signed").silent("Wrong signature")
	if n := v.get("/dev/inbox").Find("details.attempt").Length(); n != 4 {
		t.Errorf("%d requests are shown", n)
	}
	if n := v.get("/dev/inbox").Find("select[name=event] option").Length(); n != 5 {
		t.Errorf("%d events can be chosen", n)
	}
	v.get("/dev/inbox?event=%3Cb%3E").says("No <b> yet")
	if _, err := w.Desk.RotateSecret(t.Context(), ann.Who, crm.ID, desk.Rotation{Grace: time.Hour}); err != nil {
		t.Fatal(err)
	}
	send(crm, "form.declined", `{}`, w.Store.Now())
	v.get("/dev/inbox?event=form.declined").says("before its rotation")
	v.post("/dev/inbox")
	v.get("/dev/inbox").says("Nothing received yet")
}
