package webhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/paraph-sign/paraph"
)

// ClientConfig is what a Client is made of. Only UserAgent is required.
type ClientConfig struct {
	UserAgent      string
	Allow          []netip.Prefix   // networks that may be called though they are not public
	Resolver       Resolver         // default: the system's configuration, read by Go's own resolver
	RootCAs        *x509.CertPool   // default: the system's
	Clock          func() time.Time // default: time.Now
	ResolveTimeout time.Duration    // default: 5 s
	ConnectTimeout time.Duration    // default: 5 s, for the TLS handshake another 5 s
}

// Client makes attempts. It keeps connections for the next one and is safe for concurrent use; make one per process.
type Client struct {
	guard     *guard
	tls       *tls.Config
	pool      *pool
	userAgent string
	clock     func() time.Time
	buffers   sync.Pool // of *[]byte with maxReadBody bytes
	received  atomic.Int64
}

// NewClient refuses a config without a User-Agent.
func NewClient(cfg ClientConfig) (*Client, error) {
	if cfg.UserAgent == "" {
		return nil, errors.New("webhook client: the user agent is missing")
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	return &Client{
		guard: newGuard(cfg), pool: newPool(cfg.Clock), userAgent: cfg.UserAgent, clock: cfg.Clock,
		// HTTP/1.1 only, so that one stalled connection holds up one request.
		tls: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.RootCAs, NextProtos: []string{"http/1.1"}},
		buffers: sync.Pool{New: func() any {
			b := make([]byte, maxReadBody)
			return &b
		}},
	}, nil
}

func newGuard(cfg ClientConfig) *guard {
	g := &guard{newGuardian(cfg.Allow), cfg.Resolver, cfg.ResolveTimeout, cfg.ConnectTimeout}
	if g.resolver == nil {
		g.resolver = &net.Resolver{PreferGo: true}
	}
	if g.resolveTimeout <= 0 {
		g.resolveTimeout = defaultResolve
	}
	if g.connectTimeout <= 0 {
		g.connectTimeout = defaultConnect
	}
	return g
}

// CheckURL is the package's CheckURL, and refuses an address in the URL that would not be called either. For a name that is found
// out when the call is made.
func (c *Client) CheckURL(raw string) error {
	u, err := CheckURL(raw)
	if err != nil {
		return err
	}
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil {
		if err := c.guard.check(addr); err != nil {
			return badURL(err.Error())
		}
	}
	return nil
}

// Received is how many bytes of responses were read so far, headers included, TLS and what lies below it not.
func (c *Client) Received() int64 { return c.received.Load() }

// Close drops the connections that are kept and keeps no more. Attempts under way go on.
func (c *Client) Close() { c.pool.close() }

// Send makes one attempt and always returns what came of it. When ctx ends, the attempt ends with CodeShutdown. Redirects are not
// followed, and no proxy is taken from the environment.
func (c *Client) Send(ctx context.Context, r Request) Outcome {
	o := Outcome{At: c.clock()}
	start, limit := time.Now(), timeoutOf(r.Timeout)
	u, err := CheckURL(r.URL)
	if err != nil {
		return o.fail(err)
	}
	pairs, err := c.requestHeaders(r, o.At)
	if err != nil {
		return o.fail(err)
	}
	x := exchange{client: c, parent: ctx, url: u, pairs: pairs, body: r.Body, limit: limit, start: start, deadline: start.Add(limit)}
	x.run(&o)
	o.hideEchoes(r)
	o.RequestHeaders = maskHeaders(pairs, len(pairs)-len(r.Headers))
	return o
}

// The inputs that errors of this package stand at.
const (
	fieldURL     = "url"
	fieldHeaders = "headers"
	fieldSecret  = "secret"
)

// fail tells of a request that could not be made.
func (o Outcome) fail(err error) Outcome {
	o.Code, o.Error = CodeInternal, "This server could not prepare the request."
	input, ok := errors.AsType[*paraph.Error](err)
	if !ok {
		return o
	}
	o.Error = input.Message
	switch input.Field {
	case fieldURL:
		o.Code = CodeBadURL
	case fieldHeaders:
		o.Code = CodeBadHeader
	case fieldSecret:
		o.Code = CodeBadSecret
	}
	return o
}

func timeoutOf(wanted time.Duration) time.Duration {
	if wanted <= 0 {
		return paraph.DefaultTimeout
	}
	return min(wanted, paraph.MaxTimeout)
}
