package web

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/seal"
)

// p12 is a certificate with its key that lasts for so many days.
func p12(t *testing.T, name string, from time.Time, days int) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(4711), Subject: pkix.Name{CommonName: name}, NotBefore: from.Add(-time.Hour), NotAfter: from.AddDate(0, 0, days)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	data, err := pkcs12.Modern.Encode(key, leaf, nil, "open sesame")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestCertificatePage: upload, what is wrong beside its input, the way back, a
// new one, and what can be downloaded.
func TestCertificatePage(t *testing.T) {
	t.Parallel()
	s := newSite(t, desktest.Options{Own: true})
	owner := s.Person(t, "Olive Owner")
	b, now := s.signedIn(t, owner), s.Clock.Now()
	page := func() string {
		t.Helper()
		return text(b.get("/settings/certificate").is(http.StatusOK).Body.String())
	}
	has := func(when, in string, words ...string) {
		t.Helper()
		for _, w := range words {
			if !strings.Contains(in, w) {
				t.Errorf("%s: no %q in %s", when, w, in)
			}
		}
	}
	has("at first", page(), "Paraph test", "Paraph test Authority", "Made by this server", "ECDSA, P-256", "14 September 2036", "Seals")
	file := p12(t, "Notary Ltd", now, 40)
	send := func(data []byte, password string) answer {
		t.Helper()
		return b.upload("/settings/certificate/upload", "text/html", []attachment{{"file", "it.p12", data}}, "password", password)
	}
	has("wrong password", text(send(file, "guess").is(http.StatusUnprocessableEntity).Body.String()), "The password of the PKCS#12 file is wrong")
	has("no password", text(send(file, "").is(http.StatusUnprocessableEntity).Body.String()), "The PKCS#12 file needs a password.")
	has("nonsense", text(send([]byte("hello"), "").is(http.StatusUnprocessableEntity).Body.String()), "not a PKCS#12 file")
	has("too large", text(send(make([]byte, seal.MaxIdentityFile+1), "").is(http.StatusUnprocessableEntity).Body.String()), "larger than 1 MB")
	has("nothing", text(b.upload("/settings/certificate/upload", "text/html", nil).is(http.StatusUnprocessableEntity).Body.String()), "Choose a file first.")
	send(file, "open sesame").goes("/settings/certificate")
	got := page()
	has("uploaded", got, "Notary Ltd", "Ends soon", "itself", "ECDSA, P-384", "39 days left", "by Olive Owner", "Earlier", "Paraph test")
	if strings.Contains(got, "open sesame") {
		t.Error("the page knows the password")
	}
	der := b.get("/settings/certificate/2/certificate.cer").is(http.StatusOK)
	if c, err := x509.ParseCertificate(der.Body.Bytes()); err != nil || c.Subject.CommonName != "Notary Ltd" || der.Header().Get("Content-Disposition") != `attachment; filename="certificate.cer"` {
		t.Errorf("the file is %v, %v, %v", c, err, der.Header())
	}
	block, rest := pem.Decode(b.get("/settings/certificate/1/authority.pem").is(http.StatusOK).Body.Bytes())
	if block == nil || block.Type != "CERTIFICATE" || len(rest) != 0 {
		t.Errorf("the authority is %v and %q", block, rest)
	}
	for _, path := range []string{"2/authority.pem", "1/key.pem", "9/certificate.pem", "x/certificate.pem"} {
		b.get("/settings/certificate/" + path).is(http.StatusNotFound)
	}
	b.post("/settings/certificate/1/use").goes("/settings/certificate")
	has("back", page(), "3652 days left", "Seal with “Notary Ltd” again?")
	has("a name that is too long", text(b.post("/settings/certificate/generate", "name", strings.Repeat("n", 65)).is(http.StatusUnprocessableEntity).Body.String()), "a certificate takes 64")
	b.post("/settings/certificate/generate", "name", "Olive & Co", "authority", "true").goes("/settings/certificate")
	has("made", page(), "Olive & Co", "Olive & Co Authority")
}

// TestCertificateThatEnds: the owner is told in the settings, and nobody else.
func TestCertificateThatEnds(t *testing.T) {
	t.Parallel()
	s := newSite(t, desktest.Options{Own: true})
	owner, stranger := s.Person(t, "Olive Owner"), s.Person(t, "Stan Stranger")
	b := s.signedIn(t, owner)
	file := p12(t, "Notary Ltd", s.Clock.Now(), 20)
	b.upload("/settings/certificate/upload", "text/html", []attachment{{"file", "it.p12", file}}, "password", "open sesame").goes("/settings/certificate")
	for _, c := range []struct {
		after time.Duration
		want  string
	}{{0, "ends on 4 October 2026"}, {21 * 24 * time.Hour, "ended on 4 October 2026"}} {
		s.Clock.Advance(c.after)
		b = s.signedIn(t, owner)
		for _, path := range []string{"/settings/profile", "/settings/instance"} {
			if got := text(b.get(path).is(http.StatusOK).Body.String()); !strings.Contains(got, c.want) {
				t.Errorf("%s has no %q", path, c.want)
			}
		}
		if got := text(s.signedIn(t, stranger).get("/settings/profile").is(http.StatusOK).Body.String()); strings.Contains(got, "October") {
			t.Errorf("a stranger is told: %s", got)
		}
	}
	if got := text(b.get("/settings/certificate").is(http.StatusOK).Body.String()); !strings.Contains(got, "expired on 2026-10-04") || !strings.Contains(got, "Does not seal") {
		t.Errorf("the page: %s", got)
	}
}

// TestTheOperatorsCertificate is shown and can't be changed.
func TestTheOperatorsCertificate(t *testing.T) {
	t.Parallel()
	s := newSite(t, desktest.Options{})
	owner := s.Person(t, "Olive Owner")
	if err := s.Desk.PrepareCertificate(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	b := s.signedIn(t, owner)
	got := b.get("/settings/certificate").is(http.StatusOK).Body.String()
	if !strings.Contains(text(got), "can’t be changed here") || strings.Contains(got, "/settings/certificate/upload") || strings.Contains(got, "/settings/certificate/generate") {
		t.Errorf("the page: %s", text(got))
	}
	file := []attachment{{"file", "it.p12", p12(t, "Mine", s.Clock.Now(), 10)}}
	if got := b.upload("/settings/certificate/upload", "application/json", file, "password", "open sesame").is(http.StatusConflict).Body.String(); !strings.Contains(got, "given at the start of the server (a test)") {
		t.Errorf("it was refused so: %s", got)
	}
}
