// Package hostiletest has receivers of webhooks that do everything wrong, on real sockets, each with what an attempt at it
// has to come to. The sender's tests try each by itself, and all of them beside a good one.
//
// Only tests may import this package.
package hostiletest

import (
	"bufio"
	"context"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Receiver is one endpoint and what comes of an attempt at it.
type Receiver struct {
	Name       string
	URL        string
	Code       string // the stable code of the outcome
	Status     int
	RetryAfter time.Duration
	Truncated  bool
	Says       string // part of the sentence for people
	Slow       bool   // only a deadline ends it
}

// Receivers are all of them, with what a client needs to know to reach them.
type Receivers struct {
	All   []Receiver
	Roots *x509.CertPool
	// Resolver knows the names that some of the URLs have.
	Resolver Resolver

	t       testing.TB
	trapped atomic.Int64
	trap    string
}

// Now is when the dates of the receivers are true: a Wednesday.
func Now() time.Time { return time.Date(2027, 3, 10, 12, 0, 0, 0, time.UTC) }

// Start starts all receivers. They end with the test.
func Start(t testing.TB) *Receivers {
	t.Helper()
	r := &Receivers{t: t, Roots: x509.NewCertPool(), Resolver: Resolver{}}
	r.trap = r.raw(func(net.Conn) { r.trapped.Add(1) })
	r.timing()
	r.endings()
	r.statuses()
	r.waits()
	r.bodies()
	r.headers()
	r.protocols()
	r.secure()
	r.names()
	return r
}

// Trapped counts the requests that came where a redirect pointed.
func (r *Receivers) Trapped() int64 { return r.trapped.Load() }

// add starts a receiver that handles each connection by a script, after the first request was read.
func (r *Receivers) add(want Receiver, script func(net.Conn)) {
	want.URL = r.raw(script)
	r.All = append(r.All, want)
}

// raw listens and hands every connection, its first request read, to the script.
func (r *Receivers) raw(script func(net.Conn)) string {
	r.t.Helper()
	return "http://" + r.listen(func(c net.Conn) {
		req, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err == nil {
			script(c)
		}
	}) + "/hook"
}

// listen handles connections until the test ends, and answers the address.
func (r *Receivers) listen(handle func(net.Conn)) string {
	r.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				handle(c)
			})
		}
	})
	r.t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return l.Addr().String()
}

// Resolver answers names with addresses, in turn and then with the last. A name without any does not exist, one with an empty list
// has no address, and one with a nil list is never answered.
type Resolver map[string]*answers

type answers struct {
	mu   sync.Mutex
	list [][]netip.Addr
}

// Set makes a name answer so.
func (r Resolver) Set(name string, list ...[]netip.Addr) { r[name] = &answers{list: list} }

// LookupNetIP is *net.Resolver's.
func (r Resolver) LookupNetIP(ctx context.Context, _, name string) ([]netip.Addr, error) {
	a, ok := r[name]
	if !ok {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	a.mu.Lock()
	now := a.list[0]
	if len(a.list) > 1 {
		a.list = a.list[1:]
	}
	a.mu.Unlock()
	if now == nil {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return now, nil
}

// Addrs reads addresses.
func Addrs(texts ...string) []netip.Addr {
	list := make([]netip.Addr, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParseAddr(text)
	}
	return list
}

// The ways to speak.

const head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"

func say(text string) func(net.Conn) {
	return func(c net.Conn) { _, _ = io.WriteString(c, text) } // the sender may have gone
}

func sayAndHang(text string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = io.WriteString(c, text)
		hang(c)
	}
}

// hang says nothing until the other side has gone, or a minute has passed, for which no test waits.
func hang(c net.Conn) {
	_ = c.SetReadDeadline(time.Now().Add(time.Minute))
	_, _ = io.Copy(io.Discard, c)
}

// forever says a text and then another until nobody listens, and allocates nothing meanwhile.
func forever(text, again string) func(net.Conn) {
	more := []byte(again)
	return func(c net.Conn) {
		for _, err := io.WriteString(c, text); err == nil; {
			_, err = c.Write(more)
		}
	}
}

// drip says a text and then a byte every few milliseconds, so that no single read waits long, until nobody listens.
func drip(text, again string) func(net.Conn) {
	return func(c net.Conn) {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		_, err := io.WriteString(c, text)
		for i := 0; err == nil; i++ {
			<-tick.C
			_, err = io.WriteString(c, again[i%len(again):i%len(again)+1])
		}
	}
}

func sayAndReset(text string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = io.WriteString(c, text)
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}
}

func answer(status, headers string) func(net.Conn) {
	return say("HTTP/1.1 " + status + "\r\n" + headers + "Content-Length: 0\r\n\r\n")
}

func repeat(text string, bytes int) string { return strings.Repeat(text, bytes/len(text)) }
