package web

import (
	"archive/zip"
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/paraph-sign/paraph"
)

// Every download of a sealed envelope, as nobody, as a stranger, as the owner
// and as a recipient with their link.
func TestDownloadsOfASealedEnvelope(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.finish()
	base, link := envelopePath(s.sent.ID), s.carol()
	document := s.path("/documents/{document}")
	for path, kind := range map[string]string{
		"/files.zip": "application/zip", "/combined.pdf": "application/pdf", "/audit-log": "application/pdf",
		document + "/original": "application/pdf", document + "/current": "application/pdf", document + "/sealed": "application/pdf",
	} {
		s.nobody(t).get(base + path).is(http.StatusSeeOther).hides(secretWords...)
		s.signedIn(t, s.stranger).get(base + path).is(http.StatusNotFound).hides(secretWords...)
		for name, a := range map[string]answer{"the owner": s.signedIn(t, s.owner).get(base + path), "a recipient": s.nobody(t).get(link + path)} {
			if a.Code != http.StatusOK || a.Header().Get("Content-Type") != kind || !strings.HasPrefix(a.Header().Get("Content-Disposition"), "attachment;") {
				t.Errorf("%s gets %s as %d %v", name, path, a.Code, a.Header())
			}
		}
	}
	s.nobody(t).get("/sign/guess/files.zip").is(http.StatusNotFound)
	s.nobody(t).get(link + document + "/nonsense").is(http.StatusNotFound)
	linksTo(t, s.nobody(t).get(link), link+"/files.zip", link+"/combined.pdf", link+"/audit-log", link+document+"/original")
	linksTo(t, s.signedIn(t, s.owner).get(base), base+"/files.zip", base+"/combined.pdf", base+"/audit-log")

	files := s.signedIn(t, s.owner).get(base + "/files.zip").Body.Bytes()
	z, err := zip.NewReader(bytes.NewReader(files), int64(len(files)))
	if err != nil || len(z.File) != 3 {
		t.Errorf("the archive is broken, or holds something else: %v", err)
	}
}

func TestDownloadsBeforeItsTurn(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for _, path := range []string{"/files.zip", "/combined.pdf", "/audit-log", s.path("/documents/{document}/original")} {
		if a := s.nobody(t).get(s.carol() + path); a.Code == http.StatusOK {
			t.Errorf("Carol reads %s before it is her turn", path)
		}
	}
	page := s.signedIn(t, s.owner).get(envelopePath(s.sent.ID)).hides("/combined.pdf", "/audit-log")
	linksTo(t, page, envelopePath(s.sent.ID)+"/files.zip")
}

func linksTo(t *testing.T, a answer, paths ...string) {
	t.Helper()
	a.is(http.StatusOK)
	for _, path := range paths {
		if !strings.Contains(a.Body.String(), `href="`+path+`"`) {
			t.Errorf("the page does not lead to %s", path)
		}
	}
}

func TestArchiveThatBreaksOff(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.finish()
	if err := s.Blobs.Delete(t.Context(), s.now().AuditLog); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("an archive without one of its files was handed out as whole")
		}
	}()
	s.signedIn(t, s.owner).get(envelopePath(s.sent.ID) + "/files.zip")
}

func TestPreferencesPage(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	b := s.signedIn(t, s.owner)
	b.get("/settings/documents").is(http.StatusOK).says("Audit pages", "Time zone", "Polski")
	b.post("/settings/documents", "audit", "both", "language", "en", "time_zone", "Nowhere", "file_names", "{x}").is(http.StatusUnprocessableEntity).says("“Nowhere” is no time zone")
	b.post("/settings/documents", "audit", "both", "language", "en", "time_zone", "UTC", "file_names", "{x}").is(http.StatusUnprocessableEntity).says("none of the parts")
	b.post("/settings/documents", "audit", "separate", "language", "fr", "time_zone", "Europe/Paris", "file_names", "{status} {name}").goes("/settings/documents")
	want := paraph.Preferences{Audit: paraph.AuditSeparate, Language: "fr", TimeZone: "Europe/Paris", FileNames: "{status} {name}"}
	if got, err := s.Store.Preferences(t.Context(), s.owner.Who.AccountID); err != nil || got != want {
		t.Errorf("stored is %+v, %v", got, err)
	}
	if got := b.get(s.path("/envelopes/{sent}/documents/{document}/original")).Header().Get("Content-Disposition"); !strings.Contains(got, `filename="original Topsecret merger.pdf"`) {
		t.Errorf("the original is called %s", got)
	}
}

func TestDraftHasALanguageAndAZone(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	b, path := s.signedIn(t, s.owner), envelopePath(s.draft.ID)
	b.upload(path+"/details", html, nil, "name", "Lease", "language", "de", "timezone", "Nowhere").is(http.StatusUnprocessableEntity).says("“Nowhere” is no time zone")
	b.upload(path+"/details", html, nil, "name", "Lease", "language", "de", "timezone", "Europe/Berlin")
	b.upload(path+"/details", html, nil, "name", "Lease again") // a form that doesn't have them leaves them
	e, err := s.Store.Envelope(t.Context(), s.owner.Who.AccountID, s.draft.ID)
	if err != nil || e.Language != "de" || e.TimeZone != "Europe/Berlin" || e.Name != "Lease again" {
		t.Errorf("the draft is %q in %q, %q: %v", e.Name, e.Language, e.TimeZone, err)
	}
}
