package webhook

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"
)

// NewFetcher makes an HTTP client for addresses that somebody else names, such as those in certificates: it reaches public
// addresses only and those in allow, whatever a name resolves to and wherever it is redirected, three times at most. It uses
// no proxy and keeps no cookies. Deadlines and bounds on what is read are the caller's.
func NewFetcher(cfg ClientConfig) *http.Client {
	g := newGuard(cfg)
	return &http.Client{
		Transport: &http.Transport{
			DialContext: g.dial, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: 30 * time.Second,
			MaxResponseHeaderBytes: 64 << 10, MaxIdleConns: 16, MaxConnsPerHost: 4, IdleConnTimeout: 30 * time.Second,
		},
		CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if len(via) > 3 {
				return errors.New("redirected more than three times")
			}
			return nil
		},
	}
}

// dial connects to an address whose name it has resolved and checked.
func (g *guard) dial(ctx context.Context, _, address string) (net.Conn, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return nil, err
	}
	addrs, err := g.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	return g.dialAny(ctx, addrs, uint16(port))
}
