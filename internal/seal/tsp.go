package seal

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/digitorus/timestamp"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

const (
	maxTokenReply = 64 << 10         // bytes of an authority's answer
	tokenRoom     = 16 << 10         // bytes that a token may take in a file
	maxTokenSlip  = 5 * time.Minute  // that an authority's clock may differ from ours
	authorityRest = time.Minute      // that one which failed is asked after the others
	tokenTimeout  = 10 * time.Second // for one request
)

// Doer sends a request, as http.Client.Do does.
type Doer func(*http.Request) (*http.Response, error)

// authority is one timestamp authority (RFC 3161) and how it fared.
type authority struct {
	url      string // without user and password
	name     string // its host, for people
	user     *url.Userinfo
	failedAt time.Time // the last time, when nothing has succeeded since
}

// authorities asks one after the other, in their order, those that have just failed last.
type authorities struct {
	ask     Doer
	clock   func() time.Time
	timeout time.Duration
	trust   func(token *cmsMessage, at time.Time) error
	observe func(authority string, err error)

	mu  sync.Mutex
	all []*authority
}

func parseAuthority(raw string) (*authority, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Fragment != "" {
		return nil, errors.New("the address of a timestamp authority is a URL such as https://tsa.example.com/tsr") // without it: it may hold a password
	}
	a := &authority{name: u.Host, user: u.User}
	u.User = nil
	a.url = u.String()
	return a, nil
}

// rested tells whether there is an authority that has not just failed.
func (as *authorities) rested() bool {
	as.mu.Lock()
	defer as.mu.Unlock()
	for _, a := range as.all {
		if !as.resting(a) {
			return true
		}
	}
	return false
}

func (as *authorities) resting(a *authority) bool {
	return !a.failedAt.IsZero() && as.clock().Sub(a.failedAt) < authorityRest
}

// inTurn is the order to ask in.
func (as *authorities) inTurn() []*authority {
	as.mu.Lock()
	defer as.mu.Unlock()
	var first, last []*authority
	for _, a := range as.all {
		if as.resting(a) {
			last = append(last, a)
		} else {
			first = append(first, a)
		}
	}
	return append(first, last...)
}

func (as *authorities) note(a *authority, err error) {
	as.mu.Lock()
	a.failedAt = time.Time{}
	if err != nil {
		a.failedAt = as.clock()
	}
	as.mu.Unlock()
	if as.observe != nil {
		as.observe(a.name, err)
	}
}

// token is a token over a digest from the first authority that gives a good one. What is left until ctx's deadline is
// shared out, so that one which says nothing does not keep the next from being asked.
func (as *authorities) token(ctx context.Context, hash crypto.Hash, digest []byte) ([]byte, error) {
	turn := as.inTurn()
	var errs []error
	for i, a := range turn {
		if ctx.Err() != nil {
			break
		}
		wait := as.timeout
		if deadline, ok := ctx.Deadline(); ok {
			wait = min(wait, time.Until(deadline)/time.Duration(len(turn)-i))
		}
		one, cancel := context.WithTimeout(ctx, wait)
		token, err := as.from(one, a, hash, digest)
		cancel()
		if err == nil || context.Cause(ctx) != context.Canceled { // being stopped is not the authority's failure
			as.note(a, err)
		}
		if err == nil {
			return token, nil
		}
		errs = append(errs, fmt.Errorf("timestamp authority %s: %w", a.name, err))
	}
	return nil, errors.Join(append(errs, ctx.Err())...)
}

func (as *authorities) from(ctx context.Context, a *authority, hash crypto.Hash, digest []byte) ([]byte, error) {
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 63))
	if err != nil {
		return nil, err
	}
	query, err := (&timestamp.Request{HashAlgorithm: hash, HashedMessage: digest, Certificates: true, Nonce: nonce}).Marshal()
	if err != nil {
		return nil, err
	}
	reply, err := as.post(ctx, a, query)
	if err != nil {
		return nil, err
	}
	return as.judge(reply, hash, digest, nonce)
}

func (as *authorities) post(ctx context.Context, a *authority, query []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url, bytes.NewReader(query))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/timestamp-query")
	req.Header.Set("Accept", "application/timestamp-reply")
	if a.user != nil {
		password, _ := a.user.Password()
		req.SetBasicAuth(a.user.Username(), password)
	}
	return bounded(as.ask, req, maxTokenReply)
}

// bounded sends a request and reads an answer of 200 and at most this many bytes.
func bounded(do Doer, req *http.Request, most int) ([]byte, error) {
	resp, err := do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answered with status %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, int64(most)+1))
	if err != nil {
		return nil, fmt.Errorf("read its answer: %w", err)
	}
	if len(body) > most {
		return nil, fmt.Errorf("its answer has more than %d KiB", most>>10)
	}
	return body, nil
}

// judge believes an answer only when it is to this very question, of now, and soundly signed (RFC 3161, 2.2 and 2.3).
func (as *authorities) judge(reply []byte, hash crypto.Hash, digest []byte, nonce *big.Int) ([]byte, error) {
	token, err := tokenOf(reply)
	if err != nil {
		return nil, err
	}
	m, err := parseCMS(token)
	if err != nil {
		return nil, err
	}
	t, err := checkTimestamp(m, func(h crypto.Hash) []byte {
		if h != hash {
			return nil
		}
		return digest
	})
	if errors.Is(err, errContentChanged) {
		return nil, errors.New("it stamped something else than what was sent")
	}
	if err != nil {
		return nil, err
	}
	slip := t.at.Sub(as.clock())
	switch {
	case t.nonce == nil || t.nonce.Cmp(nonce) != 0:
		return nil, errors.New("it answered another request (the nonce differs)")
	case slip > maxTokenSlip || slip < -maxTokenSlip:
		return nil, fmt.Errorf("its clock and ours differ by %s", slip.Abs().Round(time.Second))
	case !m.bindsCertificate() && m.signed[oidSigningCertV1.String()] == nil:
		return nil, errors.New("its timestamp does not bind its certificate")
	case len(token) > tokenRoom:
		return nil, fmt.Errorf("its timestamp has %d bytes; %d are the most that are kept", len(token), tokenRoom)
	}
	if err := checkStamping(m.signer, t.at); err != nil {
		return nil, err
	}
	return token, as.trust(m, t.at)
}

// tokenOf takes the token out of an answer (RFC 3161, 2.4.2), which has one when its status is granted (0) or granted with
// modifications (1).
func tokenOf(reply []byte) ([]byte, error) {
	in := cryptobyte.String(reply)
	var outer, status, said, token cryptobyte.String
	var code int
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1(&status, cbasn1.SEQUENCE) || !status.ReadASN1Integer(&code) {
		return nil, errors.New("its answer is no timestamp")
	}
	if code != 0 && code != 1 {
		_ = status.ReadASN1(&said, cbasn1.SEQUENCE) && said.ReadASN1(&said, cbasn1.UTF8String) // a reason may be there
		return nil, fmt.Errorf("it refused (status %d)%s", code, optional(": ", plain(strings.ToValidUTF8(string(firstOf(said, 200)), "")), ""))
	}
	if !outer.ReadASN1Element(&token, cbasn1.SEQUENCE) || !outer.Empty() {
		return nil, errors.New("its answer is no timestamp")
	}
	return token, nil
}

var oidExtKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}

// checkStamping demands a certificate that is for timestamps and nothing else, critically so (RFC 3161, 2.3), and that was
// valid at the time.
func checkStamping(c *x509.Certificate, at time.Time) error {
	critical := false
	for _, e := range c.Extensions {
		critical = critical || e.Id.Equal(oidExtKeyUsage) && e.Critical
	}
	if !critical || len(c.ExtKeyUsage) != 1 || len(c.UnknownExtKeyUsage) != 0 || c.ExtKeyUsage[0] != x509.ExtKeyUsageTimeStamping {
		return errors.New("its certificate is not one for timestamps alone")
	}
	if at.Before(c.NotBefore) || at.After(c.NotAfter) {
		return fmt.Errorf("its certificate was not valid at the time (it ran from %s to %s)",
			c.NotBefore.UTC().Format(time.DateOnly), c.NotAfter.UTC().Format(time.DateOnly))
	}
	return nil
}

// withTimestamp puts a token over a signature into its unsigned attributes (RFC 3161, appendix A).
func withTimestamp(cms, token []byte) ([]byte, error) {
	var outer cmsContentInfo
	var sd cmsSignedData
	if _, err := asn1.Unmarshal(cms, &outer); err != nil {
		return nil, err
	}
	if _, err := asn1.Unmarshal(outer.Content.Bytes, &sd); err != nil {
		return nil, err
	}
	if len(sd.Signers) != 1 || len(sd.Signers[0].UnsignedAttrs.FullBytes) > 0 {
		return nil, errors.New("there is no room for a timestamp in the signature")
	}
	attr, err := asn1.Marshal(cmsAttribute{oidTimestampToken, asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: token}})
	if err != nil {
		return nil, err
	}
	sd.Signers[0].UnsignedAttrs = asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 1, IsCompound: true, Bytes: attr}
	return marshalSignedData(sd)
}
