package webhook

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
)

// noon is a Wednesday on which every test of this package takes place.
func noon() time.Time { return time.Date(2027, 3, 10, 12, 0, 0, 0, time.UTC) }

func loopback() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// newTestClient may call loopback, unless the config says otherwise.
func newTestClient(t testing.TB, cfg ClientConfig) *Client {
	t.Helper()
	cfg.UserAgent = "Paraph/test"
	if cfg.Allow == nil {
		cfg.Allow = loopback()
	}
	if cfg.Clock == nil {
		cfg.Clock = noon
	}
	c, err := NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// rawReceiver listens on a real socket and hands every connection, its first request read, to the script. Both sides are closed
// when the test ends.
func rawReceiver(t testing.TB, script func(conn net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serve(t, l, func(conn net.Conn) {
		req, err := http.ReadRequest(bufio.NewReader(conn))
		if err == nil {
			io.Copy(io.Discard, req.Body)
			script(conn)
		}
	})
	return "http://" + l.Addr().String() + "/hook"
}

func serve(t testing.TB, l net.Listener, handle func(net.Conn)) {
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				handle(conn)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
}

// untilClosed blocks until the other side is gone, or a minute has passed, which no test waits for.
func untilClosed(conn net.Conn) {
	conn.SetReadDeadline(time.Now().Add(time.Minute))
	io.Copy(io.Discard, conn)
}

// isInvalid tells whether err stands at a field and says so in a sentence.
func isInvalid(err error, field string) bool {
	e, ok := errors.AsType[*paraph.Error](err)
	return ok && e.Kind == paraph.Invalid && e.Field == field && strings.HasSuffix(e.Message, ".")
}

// fakeDNS answers each lookup with the next of its answers, and goes on with the last.
type fakeDNS struct {
	mu      sync.Mutex
	answers [][]netip.Addr
	asked   []string
}

func dnsOf(answers ...[]netip.Addr) *fakeDNS { return &fakeDNS{answers: answers} }

func addrs(texts ...string) []netip.Addr {
	list := make([]netip.Addr, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParseAddr(text)
	}
	return list
}

func (d *fakeDNS) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, host)
	if len(d.answers) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	answer := d.answers[0]
	if len(d.answers) > 1 {
		d.answers = d.answers[1:]
	}
	return answer, nil
}
