package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
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
	transport *http.Transport
	userAgent string
	clock     func() time.Time
	buffers   sync.Pool    // of *readBuffer
	dropped   atomic.Int64 // when idle connections were last dropped, unix nanoseconds
}

// NewClient refuses a config without a User-Agent.
func NewClient(cfg ClientConfig) (*Client, error) {
	if cfg.UserAgent == "" {
		return nil, errors.New("webhook client: the user agent is missing")
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	g := newGuard(cfg)
	c := &Client{guard: g, transport: newTransport(cfg, g), userAgent: cfg.UserAgent, clock: cfg.Clock}
	c.buffers.New = func() any { return new(readBuffer) }
	c.dropped.Store(cfg.Clock().UnixNano())
	return c, nil
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

// newTransport sets no Proxy: the environment must not reroute what the guard has checked. HTTP/1.1 only, so that one receiver's
// stalled connection holds up one request.
func newTransport(cfg ClientConfig, g *guard) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		DialContext:            g.dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.RootCAs},
		TLSHandshakeTimeout:    g.connectTimeout,
		Protocols:              protocols,
		DisableCompression:     true,
		MaxIdleConns:           1024,
		MaxIdleConnsPerHost:    256,
		IdleConnTimeout:        60 * time.Second,
		MaxResponseHeaderBytes: maxHeaderBytes,
		WriteBufferSize:        8 << 10,
	}
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

// Close drops the connections that are kept. Attempts under way go on.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Send makes one attempt and always returns what came of it. When ctx ends, the attempt ends with CodeShutdown.
func (c *Client) Send(ctx context.Context, r Request) Outcome {
	o := Outcome{At: c.clock()}
	x := &exchange{start: time.Now()}
	if u, err := CheckURL(r.URL); err != nil {
		o.fail(err)
	} else if pairs, err := c.requestHeaders(r, o.At); err != nil {
		o.fail(err)
	} else {
		c.dropOldConnections(o.At)
		c.exchange(ctx, x, newHTTPRequest(u, r, pairs), r.Timeout, &o)
		o.RequestHeaders = maskHeaders(pairs, len(pairs)-len(r.Headers))
	}
	x.finish(&o)
	return o
}

// The inputs that errors of this package stand at.
const (
	fieldURL     = "url"
	fieldHeaders = "headers"
	fieldSecret  = "secret"
)

// fail tells of a request that could not be made.
func (o *Outcome) fail(err error) {
	o.Code, o.Error = CodeInternal, "This server could not prepare the request."
	input, ok := errors.AsType[*paraph.Error](err)
	if !ok {
		return
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
}

// dropOldConnections sees to it that a name whose address has changed is looked up again soon, however busy its connections are.
func (c *Client) dropOldConnections(now time.Time) {
	last := c.dropped.Load()
	if now.UnixNano()-last > int64(connectionReuse) && c.dropped.CompareAndSwap(last, now.UnixNano()) {
		c.transport.CloseIdleConnections()
	}
}

func newHTTPRequest(u *url.URL, r Request, pairs [][2]string) *http.Request {
	body := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(r.Body)), nil }
	first, _ := body()
	return &http.Request{
		Method: http.MethodPost, URL: u, Host: u.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: wireHeaders(pairs, len(pairs)-len(r.Headers)), Body: first, GetBody: body, ContentLength: int64(len(r.Body)),
	}
}

func timeoutOf(wanted time.Duration) time.Duration {
	if wanted <= 0 {
		return paraph.DefaultTimeout
	}
	return min(wanted, paraph.MaxTimeout)
}

// exchange goes to the transport itself: http.Client would follow redirects and read cookies and user names.
func (c *Client) exchange(parent context.Context, x *exchange, req *http.Request, timeout time.Duration, o *Outcome) {
	limit := timeoutOf(timeout)
	ctx, cancel := context.WithTimeout(parent, limit)
	defer cancel()
	resp, err := c.transport.RoundTrip(req.WithContext(x.context(ctx)))
	if err == nil {
		err = c.receive(resp, o)
	}
	if err != nil {
		o.Code, o.Error = explain(parent, ctx, x.reached(), limit, err)
	}
}
