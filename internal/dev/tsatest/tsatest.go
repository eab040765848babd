// Package tsatest runs, on loopback, what a timestamped seal needs from outside: a certificate authority with an OCSP responder
// and a list of revoked certificates, and timestamp authorities that can be made to fail in every way.
//
// Only tests may import this package.
package tsatest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
	"golang.org/x/crypto/ocsp"
)

// CA issues certificates and says which are revoked: by OCSP at /ocsp, by a list at /crl; its own certificate is at /ca.
type CA struct {
	Cert  *x509.Certificate
	key   crypto.Signer
	clock func() time.Time
	url   string

	mu      sync.Mutex
	serial  int64
	revoked map[string]time.Time
	down    bool
	asked   map[string]int
}

// NewCA makes an authority that serves until the test ends; clock is what it takes for now.
func NewCA(t testing.TB, clock func() time.Time) *CA {
	t.Helper()
	ca := &CA{clock: clock, revoked: map[string]time.Time{}, asked: map[string]int{}}
	ca.key = newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test Root"}, NotBefore: clock().AddDate(-1, 0, 0),
		NotAfter: clock().AddDate(20, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, ca.key.Public(), ca.key)
	must(t, err)
	ca.Cert, err = x509.ParseCertificate(der)
	must(t, err)
	s := httptest.NewServer(ca)
	t.Cleanup(s.Close)
	ca.url, ca.serial = s.URL, 1
	return ca
}

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return key
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Services says which addresses stand in a certificate.
type Services struct{ OCSP, CRL bool }

// Issue makes a certificate that is valid for a year; change may alter the template.
func (ca *CA) Issue(t testing.TB, name string, s Services, change func(*x509.Certificate)) (crypto.Signer, *x509.Certificate) {
	t.Helper()
	ca.mu.Lock()
	ca.serial++
	serial := ca.serial
	ca.mu.Unlock()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, NotBefore: ca.clock().AddDate(0, -1, 0),
		NotAfter: ca.clock().AddDate(1, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature, IssuingCertificateURL: []string{ca.url + "/ca"},
	}
	if s.OCSP {
		template.OCSPServer = []string{ca.url + "/ocsp"}
	}
	if s.CRL {
		template.CRLDistributionPoints = []string{ca.url + "/crl"}
	}
	if change != nil {
		change(template)
	}
	key := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, ca.Cert, key.Public(), ca.key)
	must(t, err)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	return key, cert
}

// Revoke revokes a certificate as of now.
func (ca *CA) Revoke(c *x509.Certificate) {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	ca.revoked[c.SerialNumber.String()] = ca.clock()
}

// Down makes the authority answer 503, or work again.
func (ca *CA) Down(down bool) {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	ca.down = down
}

// Asked tells how often something was asked for, by its path such as /ocsp.
func (ca *CA) Asked(path string) int {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	return ca.asked[path]
}

func (ca *CA) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	ca.asked[r.URL.Path]++
	if ca.down {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	var body []byte
	var err error
	switch r.URL.Path {
	case "/ca":
		body = ca.Cert.Raw
	case "/ocsp":
		body, err = ca.ocsp(r)
	case "/crl":
		body, err = ca.crl()
	default:
		http.NotFound(w, r)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, _ = w.Write(body) // who asked may be gone
}

func (ca *CA) ocsp(r *http.Request) ([]byte, error) {
	query, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil {
		return nil, err
	}
	q, err := ocsp.ParseRequest(query)
	if err != nil {
		return nil, err
	}
	now := ca.clock()
	answer := ocsp.Response{SerialNumber: q.SerialNumber, Status: ocsp.Good, ThisUpdate: now.Add(-time.Minute), NextUpdate: now.Add(time.Hour)}
	if at, is := ca.revoked[q.SerialNumber.String()]; is {
		answer.Status, answer.RevokedAt = ocsp.Revoked, at
	}
	return ocsp.CreateResponse(ca.Cert, ca.Cert, answer, ca.key)
}

func (ca *CA) crl() ([]byte, error) {
	now := ca.clock()
	list := &x509.RevocationList{Number: big.NewInt(now.Unix()), ThisUpdate: now.Add(-time.Minute), NextUpdate: now.Add(time.Hour)}
	for serial, at := range ca.revoked {
		n, _ := new(big.Int).SetString(serial, 10)
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: n, RevocationTime: at})
	}
	return x509.CreateRevocationList(rand.Reader, list, ca.Cert, ca.key)
}

// A Fault is how a timestamp authority answers in place of doing its job. answer makes the right answer, altered.
type Fault func(w http.ResponseWriter, r *http.Request, answer func(alter func(*timestamp.Timestamp)) []byte)

// TSA is a timestamp authority.
type TSA struct {
	URL   string
	Cert  *x509.Certificate
	key   crypto.Signer
	clock func() time.Time

	mu    sync.Mutex
	fault Fault
	asked int
	auth  string
}

// NewTSA makes an authority whose certificate is the CA's.
func NewTSA(t testing.TB, ca *CA, name string, change func(*x509.Certificate)) *TSA {
	t.Helper()
	a := &TSA{clock: ca.clock}
	a.key, a.Cert = ca.Issue(t, name, Services{CRL: true}, func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{Stamping}
		if change != nil {
			change(c)
		}
	})
	s := httptest.NewServer(a)
	t.Cleanup(s.Close)
	a.URL = s.URL
	return a
}

// Stamping is the extended key usage of timestamp authorities, critical as RFC 3161 wants it.
var Stamping = pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: []byte{0x30, 0x0a, 0x06, 0x08, 0x2b, 6, 1, 5, 5, 7, 3, 8}}

// Fail makes the authority fail from now on; nil makes it work again.
func (a *TSA) Fail(f Fault) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fault = f
}

// Asked tells how many requests came.
func (a *TSA) Asked() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked
}

// Auth is the Authorization header that came last.
func (a *TSA) Auth() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.auth
}

func (a *TSA) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.asked++
	a.auth = r.Header.Get("Authorization")
	fault := a.fault
	a.mu.Unlock()
	query, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	q, perr := timestamp.ParseRequest(query)
	if err != nil || perr != nil || r.Header.Get("Content-Type") != "application/timestamp-query" {
		http.Error(w, "no query", http.StatusBadRequest)
		return
	}
	answer := func(alter func(*timestamp.Timestamp)) []byte {
		t := timestamp.Timestamp{
			HashAlgorithm: q.HashAlgorithm, HashedMessage: q.HashedMessage, Time: a.clock(), Nonce: q.Nonce,
			Policy: asn1.ObjectIdentifier{1, 2, 3, 4}, AddTSACertificate: q.Certificates,
		}
		if alter != nil {
			alter(&t)
		}
		der, err := t.CreateResponseWithOpts(a.Cert, a.key, crypto.SHA256)
		if err != nil {
			panic(err)
		}
		return der
	}
	if fault != nil {
		fault(w, r, answer)
		return
	}
	_, _ = w.Write(answer(nil)) // who asked may be gone
}

// Faults are ways to fail, by name.
func Faults() map[string]Fault {
	lie := func(alter func(*timestamp.Timestamp)) Fault {
		return func(w http.ResponseWriter, _ *http.Request, answer func(func(*timestamp.Timestamp)) []byte) {
			_, _ = w.Write(answer(alter))
		}
	}
	return map[string]Fault{
		"down": func(w http.ResponseWriter, _ *http.Request, _ func(func(*timestamp.Timestamp)) []byte) {
			panic(http.ErrAbortHandler)
		},
		"500": func(w http.ResponseWriter, _ *http.Request, _ func(func(*timestamp.Timestamp)) []byte) {
			http.Error(w, "no", http.StatusInternalServerError)
		},
		"elsewhere": func(w http.ResponseWriter, r *http.Request, _ func(func(*timestamp.Timestamp)) []byte) {
			http.Redirect(w, r, "/there", http.StatusTemporaryRedirect)
		},
		"silent": func(_ http.ResponseWriter, r *http.Request, _ func(func(*timestamp.Timestamp)) []byte) {
			<-r.Context().Done()
		},
		"slow": func(w http.ResponseWriter, r *http.Request, answer func(func(*timestamp.Timestamp)) []byte) {
			_, _ = w.Write(answer(nil)[:100])
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
		"huge": func(w http.ResponseWriter, r *http.Request, _ func(func(*timestamp.Timestamp)) []byte) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 32<<10)); err != nil {
					return
				}
			}
		},
		"nonsense": func(w http.ResponseWriter, _ *http.Request, _ func(func(*timestamp.Timestamp)) []byte) {
			_, _ = io.WriteString(w, "<html>It works!</html>")
		},
		"rejection": func(w http.ResponseWriter, _ *http.Request, _ func(func(*timestamp.Timestamp)) []byte) {
			der, err := timestamp.CreateErrorResponse(timestamp.Rejection, timestamp.BadRequest)
			if err != nil {
				panic(err)
			}
			_, _ = w.Write(der)
		},
		"forged": func(w http.ResponseWriter, _ *http.Request, answer func(func(*timestamp.Timestamp)) []byte) {
			der := answer(nil)
			der[len(der)-1] ^= 1
			_, _ = w.Write(der)
		},
		"other content":  lie(func(t *timestamp.Timestamp) { t.HashedMessage = make([]byte, 32) }),
		"other nonce":    lie(func(t *timestamp.Timestamp) { t.Nonce = big.NewInt(7) }),
		"no nonce":       lie(func(t *timestamp.Timestamp) { t.Nonce = nil }),
		"past":           lie(func(t *timestamp.Timestamp) { t.Time = t.Time.Add(-time.Hour) }),
		"future":         lie(func(t *timestamp.Timestamp) { t.Time = t.Time.Add(time.Hour) }),
		"no certificate": lie(func(t *timestamp.Timestamp) { t.AddTSACertificate = false }),
	}
}
