package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/seal"
)

func TestDisposition(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Lease.pdf":       `attachment; filename="Lease.pdf"; filename*=UTF-8''Lease.pdf`,
		"Müller & Co.pdf": `attachment; filename="M_ller & Co.pdf"; filename*=UTF-8''M%C3%BCller%20%26%20Co.pdf`,
		"a\"b\\c%d.pdf":   `attachment; filename="a_b_c_d.pdf"; filename*=UTF-8''a%22b%5Cc%25d.pdf`,
		"عقد.pdf":         `attachment; filename="___.pdf"; filename*=UTF-8''%D8%B9%D9%82%D8%AF.pdf`,
		"x\r\nX-Evil: 1":  `attachment; filename="x__X-Evil: 1"; filename*=UTF-8''x%0D%0AX-Evil%3A%201`,
	} {
		if got := disposition(attached, name); got != want {
			t.Errorf("%q is handed out as %s, want %s", name, got, want)
		}
	}
}

func TestDownloads(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	ada := s.signedIn(t, s.owner)
	base := s.path("/envelopes/{sent}/documents/{document}/")
	original := ada.get(base + "original").is(http.StatusOK)
	if got := original.Body.String(); !strings.HasPrefix(got, "%PDF-") || original.Header().Get("Content-Length") != id(int64(len(got))) {
		t.Errorf("the original comes with %v", original.Header())
	}
	if got := original.Header().Get("Content-Disposition"); !strings.Contains(got, `filename="Topsecret merger.pdf"`) {
		t.Errorf("it is called %s", got)
	}
	ada.get(base+"original", "If-None-Match", original.Header().Get("ETag")).is(http.StatusNotModified)
	ada.get(base + "sealed").is(http.StatusNotFound).says("not sealed yet")
	ada.get(base + "nonsense").is(http.StatusNotFound)
	shown := ada.get(base + "current?view=1").is(http.StatusOK)
	if got := shown.Header().Get("Content-Disposition"); !strings.HasPrefix(got, "inline") {
		t.Errorf("it is shown as %s", got)
	}
	s.finish()
	sealed := ada.get(base + "sealed").is(http.StatusOK)
	if rep, err := seal.Verify(sealed.Body.Bytes(), seal.VerifyOptions{}); err != nil || !rep.Valid {
		t.Errorf("the sealed file is judged %+v, %v", rep, err)
	}
	log := ada.get(envelopePath(s.sent.ID) + "/audit-log").is(http.StatusOK)
	if got := log.Header().Get("Content-Disposition"); !strings.Contains(got, "Audit Log - Topsecret merger.pdf") {
		t.Errorf("the audit log is called %s", got)
	}
}

func TestFileLinks(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	b := s.nobody(t)
	a := b.get(s.file).is(http.StatusOK)
	h := a.Header()
	if h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") {
		t.Errorf("the file comes with %v", h)
	}
	head := b.send(httptest.NewRequest(http.MethodHead, s.file, nil)).is(http.StatusOK)
	if head.Body.Len() > 0 || head.Header().Get("Content-Length") != h.Get("Content-Length") {
		t.Error("HEAD sends more, or says less, than it should")
	}
	parts := strings.Split(s.file, "/")
	token := parts[2]
	for _, forged := range []string{"", "x", token[:len(token)-1], token + "A", "A" + token[1:]} {
		if a := b.get("/file/" + forged + "/x.pdf"); a.Code == http.StatusOK {
			t.Errorf("the forged link %q opens a file", forged)
		}
	}
	picture := s.Desk.Links.File(desk.FileRef{Kind: desk.FileValue, EnvelopeID: s.sent.ID, ID: s.sent.Fields[0].ID, Expires: s.Store.Now().Add(time.Hour)}, "signature.png")
	picture = strings.TrimPrefix(picture, s.Desk.Links.Base)
	b.get(picture).is(http.StatusNotFound)
	s.finish()
	if a := b.get(picture).is(http.StatusOK); a.Header().Get("Content-Type") != "image/png" {
		t.Errorf("the signature is %v", a.Header())
	}
	if rep, err := seal.Verify(b.get(s.file).is(http.StatusOK).Body.Bytes(), seal.VerifyOptions{}); err != nil || !rep.Valid {
		t.Errorf("the link leads to the old file: %v", err)
	}
	s.Clock.Advance(2 * time.Hour)
	b.get(picture).is(http.StatusGone).says("run out")
	s.signedIn(t, s.owner).post(envelopePath(s.sent.ID) + "/delete").is(http.StatusSeeOther)
	b.get(s.file).is(http.StatusNotFound)
}

func TestPreview(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	path := "/e/" + s.sent.Slug
	b := s.nobody(t)
	a := b.get(path).is(http.StatusOK)
	a.says("Topsecret merger", "Bob Brown", "b•••@s•••.example", "Waiting for turn")
	a.hides("bob@secret.example", s.sent.Recipients[0].Token, "/documents/", "/file/")
	if got := a.Header().Get("X-Robots-Tag"); !strings.Contains(got, "noindex") {
		t.Error("search engines may keep it")
	}
	s.finish()
	b.get(path).says("Completed", s.now().Documents[0].Sealed)
	b.get("/e/" + s.draft.Slug).is(http.StatusNotFound)
	s.signedIn(t, s.owner).get(path).says("Open it in your list")
	s.signedIn(t, s.stranger).get(path).hides("Open it in your list")
}

func TestMaskEmail(t *testing.T) {
	t.Parallel()
	for email, want := range map[string]string{
		"bob@example.com": "b•••@e•••.com", "é@münchen.example": "é•••@m•••.example", "x@localhost": "x•••@l•••", "nonsense": "•••", "@x.y": "•••", "a@": "a•••@••••",
	} {
		if got := maskEmail(email); got != want {
			t.Errorf("%q is masked as %q, want %q", email, got, want)
		}
	}
}

func TestVerifyPage(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.finish()
	sealed := s.signedIn(t, s.owner).get(s.path("/envelopes/{sent}/documents/{document}/sealed")).is(http.StatusOK).Body.Bytes()
	b := s.nobody(t)
	check := func(data []byte, accept string) answer {
		t.Helper()
		return b.upload("/verify", accept, []attachment{{"file", "contract.pdf", data}})
	}
	check(sealed, html).is(http.StatusOK).says("Sealed, and unchanged since", "Sealed by this server", "Paraph test", "contract.pdf")
	changed := append(append([]byte{}, sealed...), "\n% one line more\n"...)
	check(changed, html).is(http.StatusOK).says("Not valid")
	check(desktest.PDF(1), html).is(http.StatusOK).says("This file is not sealed")
	check([]byte("no PDF"), html).is(http.StatusUnprocessableEntity).says("This file is not a PDF")
	check(make([]byte, 11<<20), html).is(http.StatusRequestEntityTooLarge).says("larger than 10 MB")
	var rep seal.Report
	check(sealed, "application/json").is(http.StatusOK).read(&rep)
	want, err := s.Desk.Verify(t.Context(), sealed)
	if err != nil || !rep.Valid || rep.Digest != want.Digest || len(rep.Signatures) != len(want.Signatures) {
		t.Errorf("the JSON is %+v, want %+v", rep, want)
	}
	for range 10 {
		check(desktest.PDF(1), html)
	}
	check(sealed, html).is(http.StatusTooManyRequests)
}
