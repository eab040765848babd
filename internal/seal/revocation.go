package seal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ocsp"
)

const (
	maxOCSP      = 64 << 10
	maxCRL       = 4 << 20
	maxIssuer    = 64 << 10
	maxChain     = 10
	maxServices  = 4 // addresses of one kind that are tried for one certificate
	fetchTimeout = 10 * time.Second
	maxKept      = 32 << 20 // bytes of answers that are kept
)

var (
	oidOCSPNoCheck = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}
	errRevoked     = errors.New("the certificate was revoked")
)

// evidence is what judging signatures takes besides the signatures themselves: DER, none twice.
type evidence struct{ certs, ocsps, crls [][]byte }

func (e *evidence) add(o evidence) {
	e.certs, e.ocsps, e.crls = union(e.certs, o.certs), union(e.ocsps, o.ocsps), union(e.crls, o.crls)
}

func union(a, b [][]byte) [][]byte {
	for _, x := range b {
		if !slices.ContainsFunc(a, func(y []byte) bool { return bytes.Equal(x, y) }) {
			a = append(a, x)
		}
	}
	return a
}

// selfIssued tells whether a certificate is the end of its chain.
func selfIssued(c *x509.Certificate) bool {
	return bytes.Equal(c.RawSubject, c.RawIssuer) && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// hasService tells whether a certificate names where its revocation could be learned. One that does not can't be
// revoked: those that an instance issues for itself, and short-lived ones.
func hasService(c *x509.Certificate) bool {
	return len(c.OCSPServer)+len(c.CRLDistributionPoints) > 0
}

func noCheck(c *x509.Certificate) bool {
	return slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(oidOCSPNoCheck) })
}

// findIssuer finds the certificate that signed another; it looks at a few of the right name only.
func findIssuer(c *x509.Certificate, pool []*x509.Certificate) *x509.Certificate {
	tried := 0
	for _, p := range pool {
		if !bytes.Equal(p.RawSubject, c.RawIssuer) || p.Equal(c) {
			continue
		}
		if c.CheckSignatureFrom(p) == nil {
			return p
		}
		if tried++; tried > 8 {
			break
		}
	}
	return nil
}

// readOCSP believes an answer about a certificate when its issuer signed it, or somebody whom the issuer allowed to (RFC 6960,
// 4.2.2.2). It must not have run out before at, nor be from the future of now (unless that is zero).
func readOCSP(der []byte, c, issuer *x509.Certificate, at, now time.Time) (*ocsp.Response, error) {
	r, err := ocsp.ParseResponseForCert(der, c, issuer)
	if err != nil {
		return nil, err
	}
	if d := r.Certificate; d != nil && !d.Equal(issuer) {
		if !slices.Contains(d.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) || r.ProducedAt.Before(d.NotBefore) || r.ProducedAt.After(d.NotAfter) {
			return nil, errors.New("it is signed by somebody who may not")
		}
	}
	if err := current(r.ThisUpdate, r.NextUpdate, at, now); err != nil {
		return nil, err
	}
	switch r.Status {
	case ocsp.Good:
		return r, nil
	case ocsp.Revoked:
		if r.RevokedAt.After(at) {
			return r, nil
		}
		return nil, fmt.Errorf("%w on %s", errRevoked, r.RevokedAt.UTC().Format(time.DateOnly))
	}
	return nil, errors.New("it does not know the certificate")
}

func current(from, until, at, now time.Time) error {
	switch {
	case !now.IsZero() && from.After(now.Add(maxTokenSlip)):
		return errors.New("it is dated in the future")
	case !until.IsZero() && until.Before(at):
		return errors.New("it had run out")
	}
	return nil
}

// readCRL is readOCSP for a list of the issuer's own.
func readCRL(l *x509.RevocationList, c, issuer *x509.Certificate, at, now time.Time) error {
	if !bytes.Equal(l.RawIssuer, issuer.RawSubject) {
		return errors.New("it is somebody else's")
	}
	if err := l.CheckSignatureFrom(issuer); err != nil {
		return err
	}
	for _, e := range l.Extensions {
		if e.Critical && !e.Id.Equal(oidIssuingPoint) {
			return errors.New("it is of a kind that is not read (a delta, or something newer)")
		}
	}
	if err := current(l.ThisUpdate, l.NextUpdate, at, now); err != nil {
		return err
	}
	for _, e := range l.RevokedCertificateEntries {
		if e.SerialNumber.Cmp(c.SerialNumber) == 0 && !e.RevocationTime.After(at) {
			return fmt.Errorf("%w on %s", errRevoked, e.RevocationTime.UTC().Format(time.DateOnly))
		}
	}
	return nil
}

var oidIssuingPoint = asn1.ObjectIdentifier{2, 5, 29, 28}

// gatherer gathers evidence from the addresses that certificates name.
type gatherer struct {
	fetch   Doer
	clock   func() time.Time
	timeout time.Duration
	roots   []*x509.Certificate

	mu   sync.Mutex
	kept map[string]keptAnswer
	size int
}

// keptAnswer is an answer that is good until a time.
type keptAnswer struct {
	body  []byte
	until time.Time
}

func (c *gatherer) recall(key string) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k, ok := c.kept[key]; ok && c.clock().Before(k.until) {
		return k.body
	}
	return nil
}

func (c *gatherer) keep(key string, body []byte, until time.Time) {
	if !until.After(c.clock()) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil || c.size+len(body) > maxKept {
		c.kept, c.size = map[string]keptAnswer{}, 0
	}
	c.kept[key] = keptAnswer{body, until}
	c.size += len(body)
}

// about gathers all for one signer: the certificates up to the end of the chain, and what is said of each one's
// revocation. Signed is when the signature was there, as far as is known.
func (c *gatherer) about(ctx context.Context, signer *x509.Certificate, pool []*x509.Certificate, signed time.Time) (evidence, error) {
	return c.chain(ctx, signer, pool, signed, 0)
}

func (c *gatherer) chain(ctx context.Context, cert *x509.Certificate, pool []*x509.Certificate, signed time.Time, depth int) (evidence, error) {
	ev := evidence{certs: [][]byte{cert.Raw}}
	if selfIssued(cert) {
		return ev, nil
	}
	if depth > maxChain {
		return ev, errors.New("the chain of certificates does not end")
	}
	issuer := c.issuer(ctx, cert, pool)
	if issuer == nil {
		if !hasService(cert) {
			return ev, nil
		}
		return ev, fmt.Errorf("the issuer of the certificate of %q is not known: %s", cert.Subject.CommonName, cert.Issuer)
	}
	if hasService(cert) {
		said, err := c.revocation(ctx, cert, issuer, pool, signed, depth)
		if err != nil {
			return ev, fmt.Errorf("revocation of the certificate of %q: %w", cert.Subject.CommonName, err)
		}
		ev.add(said)
	}
	rest, err := c.chain(ctx, issuer, pool, signed, depth+1)
	ev.add(rest)
	return ev, err
}

// issuer looks in what is there, in the system's roots, and at the addresses that the certificate names (RFC 5280, 4.2.2.1).
func (c *gatherer) issuer(ctx context.Context, cert *x509.Certificate, pool []*x509.Certificate) *x509.Certificate {
	if p := findIssuer(cert, pool); p != nil {
		return p
	}
	if p := findIssuer(cert, c.roots); p != nil {
		return p
	}
	if chains, err := cert.Verify(x509.VerifyOptions{CurrentTime: cert.NotBefore, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err == nil && len(chains[0]) > 1 {
		return chains[0][1]
	}
	for _, url := range firstOf(cert.IssuingCertificateURL, maxServices) {
		body := c.recall(url)
		if body == nil {
			var err error
			if body, err = c.get(ctx, url, maxIssuer); err != nil {
				continue
			}
			c.keep(url, body, c.clock().Add(24*time.Hour))
		}
		if p := findIssuer(cert, parseCerts(body)); p != nil {
			return p
		}
	}
	return nil
}

func firstOf[T any](s []T, n int) []T { return s[:min(n, len(s))] }

// parseCerts reads certificates in DER or PEM; what is none is left out.
func parseCerts(data []byte) (out []*x509.Certificate) {
	if c, err := x509.ParseCertificate(data); err == nil {
		return []*x509.Certificate{c}
	}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if c, err := x509.ParseCertificate(block.Bytes); err == nil && block.Type == "CERTIFICATE" {
			out = append(out, c)
		}
	}
	return out
}

// revocation asks the certificate's OCSP responders, then its lists; a good answer of one is enough, and that it was revoked
// is one too.
func (c *gatherer) revocation(ctx context.Context, cert, issuer *x509.Certificate, pool []*x509.Certificate, signed time.Time, depth int) (evidence, error) {
	var errs []error
	for _, url := range firstOf(cert.OCSPServer, maxServices) {
		ev, err := c.byOCSP(ctx, url, cert, issuer, pool, signed, depth)
		if err == nil || errors.Is(err, errRevoked) {
			return ev, err
		}
		errs = append(errs, fmt.Errorf("OCSP at %s: %w", url, err))
	}
	for _, url := range firstOf(cert.CRLDistributionPoints, maxServices) {
		der, err := c.byCRL(ctx, url, cert, issuer, signed)
		if err == nil || errors.Is(err, errRevoked) {
			return evidence{crls: [][]byte{der}}, err
		}
		errs = append(errs, fmt.Errorf("list at %s: %w", url, err))
	}
	return evidence{}, errors.Join(errs...)
}

func (c *gatherer) byOCSP(ctx context.Context, url string, cert, issuer *x509.Certificate, pool []*x509.Certificate, signed time.Time, depth int) (evidence, error) {
	sum := sha256.Sum256(cert.Raw)
	key := url + " " + string(sum[:])
	der := c.recall(key)
	if der == nil {
		query, err := ocsp.CreateRequest(cert, issuer, nil)
		if err != nil {
			return evidence{}, err
		}
		if der, err = c.post(ctx, url, query); err != nil {
			return evidence{}, err
		}
	}
	now := c.clock()
	r, err := readOCSP(der, cert, issuer, signed, now)
	if err == nil {
		err = current(r.ThisUpdate, r.NextUpdate, now, now)
	}
	if err != nil {
		return evidence{}, err
	}
	c.keep(key, der, r.NextUpdate)
	ev := evidence{ocsps: [][]byte{der}}
	if d := r.Certificate; d != nil && !d.Equal(issuer) {
		ev.certs = append(ev.certs, d.Raw)
		if !noCheck(d) && hasService(d) && depth <= maxChain {
			if more, err := c.revocation(ctx, d, issuer, pool, signed, maxChain+1); err == nil { // helps those who check responders too
				ev.add(more)
			}
		}
	}
	return ev, nil
}

func (c *gatherer) byCRL(ctx context.Context, url string, cert, issuer *x509.Certificate, signed time.Time) ([]byte, error) {
	der := c.recall(url)
	fresh := der == nil
	if fresh {
		var err error
		if der, err = c.get(ctx, url, maxCRL); err != nil {
			return nil, err
		}
		if block, _ := pem.Decode(der); block != nil {
			der = block.Bytes
		}
	}
	l, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, err
	}
	now := c.clock()
	if err = readCRL(l, cert, issuer, signed, now); err == nil {
		err = current(l.ThisUpdate, l.NextUpdate, now, now)
	}
	if fresh && err == nil {
		c.keep(url, der, l.NextUpdate)
	}
	return der, err
}

func (c *gatherer) get(ctx context.Context, url string, most int) ([]byte, error) {
	return c.request(ctx, http.MethodGet, url, nil, most)
}

func (c *gatherer) post(ctx context.Context, url string, query []byte) ([]byte, error) {
	return c.request(ctx, http.MethodPost, url, query, maxOCSP)
}

func (c *gatherer) request(ctx context.Context, method, url string, query []byte, most int) ([]byte, error) {
	if !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://") {
		return nil, errors.New("only http is used")
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(query))
	if err != nil {
		return nil, err
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/ocsp-request")
	}
	return bounded(c.fetch, req, most)
}
