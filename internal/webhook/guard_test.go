package webhook

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/paraph-sign/paraph/internal/dev/hostiletest"
)

// canary listens at all addresses of this machine and counts who comes.
type canary struct {
	port string
	came atomic.Int64
	at   sync.Map // addresses that were called
}

func newCanary(t *testing.T) *canary {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	c := &canary{}
	if _, c.port, err = net.SplitHostPort(l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	serve(t, l, func(conn net.Conn) {
		c.came.Add(1)
		at, _ := netip.ParseAddrPort(conn.LocalAddr().String())
		c.at.Store(at.Addr().Unmap().String(), true)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
	})
	return c
}

// The outcome for each spelling of an address, by a client that may call nothing but public addresses. Each is sent for real, to a
// port on which all addresses of this machine listen: nobody may come.
func TestGuardRefuses(t *testing.T) {
	t.Parallel()
	c, canary := newTestClient(t, ClientConfig{Allow: []netip.Prefix{}, Resolver: dnsOf()}), newCanary(t)
	addresses := hostiletest.Addresses()
	if len(addresses) < 80 {
		t.Fatalf("%d addresses", len(addresses))
	}
	t.Run("each", func(t *testing.T) {
		for _, a := range addresses {
			t.Run(a.Host, func(t *testing.T) {
				t.Parallel()
				if o := c.Send(t.Context(), Request{URL: a.URL(canary.port)}); o.Code != a.Code || o.Error == "" {
					t.Errorf("%s: got %s (%s), want %s", a.URL(canary.port), o.Code, o.Error, a.Code)
				}
				if err := c.CheckURL(a.URL(canary.port)); !isInvalid(err, "url") {
					t.Errorf("%s may be stored: %v", a.URL(canary.port), err)
				}
			})
		}
	})
	if n := canary.came.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

// Names that lead inside are found out when they are looked up: those that this machine knows itself, and those that a resolver
// answers with an address of every kind.
func TestGuardRefusesNames(t *testing.T) {
	t.Parallel()
	canary := newCanary(t)
	for _, name := range []string{
		"localhost", "LOCALHOST", "localhost.", "app.localhost", "ip6-localhost", "metadata", "metadata.google.internal", "metadata.google.internal.",
		"instance-data", "kubernetes.default.svc", "host.docker.internal", "router.local", "wpad", "127.0.0.1.nip.example", "ｌｏｃａｌｈｏｓｔ", "bücher.example",
	} {
		for _, answer := range []string{"127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "fd00:ec2::254", "10.96.0.1", "fe80::1%lo", "0.0.0.0", "::"} {
			c := newTestClient(t, ClientConfig{Allow: []netip.Prefix{}, Resolver: dnsOf(addrs(answer))})
			if o := c.Send(t.Context(), Request{URL: "http://" + name + ":" + canary.port + "/"}); o.Code != CodeBlockedAddress {
				t.Errorf("%s at %s: %s (%s)", name, answer, o.Code, o.Error)
			}
		}
	}
	own, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"localhost", own} {
		c := newTestClient(t, ClientConfig{Allow: []netip.Prefix{}})
		if o := c.Send(t.Context(), Request{URL: "http://" + name + ":" + canary.port + "/"}); o.Code != CodeBlockedAddress && o.Code != CodeDNSFailed {
			t.Errorf("%s by the system's resolver: %s (%s)", name, o.Code, o.Error)
		}
	}
	if n := canary.came.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

// Every port may be called: a receiver may listen anywhere, and what is not public is out of reach at any port.
func TestGuardAllowsEveryPort(t *testing.T) {
	t.Parallel()
	g := newTestClient(t, ClientConfig{Allow: []netip.Prefix{}}).guard
	for _, port := range []string{"1", "22", "25", "80", "443", "3000", "6379", "8443", "65535"} {
		if err := g.control(netip.MustParseAddrPort("8.8.8.8:"+port), "8.8.8.8:"+port); err != nil {
			t.Errorf("port %s: %v", port, err)
		}
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"https://example.com/hook":              "https://example.com/hook",
		"http://example.com":                    "http://example.com",
		"HTTPS://EXAMPLE.COM:8443/Hook?a=b#c":   "https://example.com:8443/Hook?a=b",
		"https://bücher.example/ä?q=ü":          "https://xn--bcher-kva.example/%C3%A4?q=%C3%BC",
		"https://my_host.internal/x":            "https://my_host.internal/x",
		"https://example.com./x":                "https://example.com./x",
		"http://8.8.8.8:81/":                    "http://8.8.8.8:81/",
		"http://[2606:4700:0:0:0:0:0:1111]/":    "http://[2606:4700::1111]/",
		"http://[2606:4700::1111]:8080/":        "http://[2606:4700::1111]:8080/",
		"http://localhost:3000/dev/inbox":       "http://localhost:3000/dev/inbox",
		"https://3com.example/":                 "https://3com.example/",
		"https://hooks.example/a%2Fb/%E2%82%AC": "https://hooks.example/a%2Fb/%E2%82%AC",
	} {
		u, err := CheckURL(raw)
		if err != nil || u.String() != want {
			t.Errorf("%s: got %v, %v; want %s", raw, u, err, want)
		}
	}
	for _, raw := range []string{
		"", "example.com", "/hook", "ftp://example.com/", "file:///etc/passwd", "javascript:alert(1)", "http:example.com", "https:///x", "//example.com/",
		"gopher://example.com/", "unix:///run/x.sock", " https://example.com/", "https://example.com/\n", "https://" + strings.Repeat("a/", 1100),
	} {
		if _, err := CheckURL(raw); !isInvalid(err, "url") {
			t.Errorf("%q: got %v", raw, err)
		}
	}
}

func TestClientCheckURLKnowsTheAllowList(t *testing.T) {
	t.Parallel()
	strict, lan := newTestClient(t, ClientConfig{Allow: []netip.Prefix{}}), newTestClient(t, ClientConfig{Allow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}})
	if err := strict.CheckURL("http://10.1.2.3/"); err == nil {
		t.Error("a private address was accepted")
	}
	if err := lan.CheckURL("http://10.1.2.3/"); err != nil {
		t.Error(err)
	}
	if err := lan.CheckURL("http://10.2.2.3/"); err == nil {
		t.Error("a private address outside of the allowed network was accepted")
	}
}

// One private answer among public ones is how a name is made to point inside every other time: nothing is called.
func TestAnyPrivateAnswerRefusesTheName(t *testing.T) {
	t.Parallel()
	for _, answer := range [][]netip.Addr{
		addrs("8.8.8.8", "127.0.0.1"), addrs("10.0.0.1", "8.8.8.8"), addrs("2606:4700::1111", "::1"), addrs("::ffff:192.168.1.1"), addrs("8.8.8.8", "fe80::1%eth0"),
	} {
		c := newTestClient(t, ClientConfig{Allow: []netip.Prefix{}, Resolver: dnsOf(answer)})
		if o := c.Send(t.Context(), Request{URL: "http://receiver.example/"}); o.Code != CodeBlockedAddress {
			t.Errorf("%v: got %s (%s)", answer, o.Code, o.Error)
		}
	}
}

// A name that points to an allowed address when it is first asked for and inside afterwards: the second connection is refused, and
// each connection asks exactly once, so that there is no other answer to dial. Somebody listens at both addresses.
func TestRebinding(t *testing.T) {
	t.Parallel()
	canary, dns := newCanary(t), dnsOf(addrs("127.0.0.1"), addrs("127.0.0.2"))
	c := newTestClient(t, ClientConfig{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Resolver: dns})
	raw := "http://receiver.example:" + canary.port + "/"
	if o := c.Send(t.Context(), Request{URL: raw}); !o.Succeeded() || o.RemoteAddress != "127.0.0.1:"+canary.port {
		t.Fatalf("first: %s (%s) from %s", o.Code, o.Error, o.RemoteAddress)
	}
	if o := c.Send(t.Context(), Request{URL: raw}); o.Code != CodeBlockedAddress {
		t.Errorf("second: %s (%s)", o.Code, o.Error)
	}
	if _, inside := canary.at.Load("127.0.0.2"); inside || len(dns.asked) != 2 || canary.came.Load() != 1 {
		t.Errorf("asked %d times for 2 connections, %d came, inside: %v", len(dns.asked), canary.came.Load(), inside)
	}
}

// The kernel is about to call something else than what was checked: the last check stops it.
func TestControlRefusesAnotherAddress(t *testing.T) {
	t.Parallel()
	g := newTestClient(t, ClientConfig{}).guard
	target := netip.MustParseAddrPort("127.0.0.1:80")
	for _, address := range []string{"127.0.0.2:80", "127.0.0.1:81", "[::ffff:127.0.0.1]:80", "nonsense"} {
		if err := g.control(target, address); err == nil {
			t.Errorf("%s was let through for %s", address, target)
		}
	}
	if err := g.control(target, "127.0.0.1:80"); err != nil {
		t.Error(err)
	}
}

func TestSecondAddressIsTriedWhenTheFirstRefuses(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	at, _ := url.Parse(server.URL)
	c := newTestClient(t, ClientConfig{Resolver: dnsOf(addrs("127.0.0.77", "127.0.0.1"))})
	if o := c.Send(t.Context(), Request{URL: "http://receiver.example:" + at.Port() + "/"}); !o.Succeeded() {
		t.Errorf("%s (%s)", o.Code, o.Error)
	}
}

// The environment's proxy would see and reroute what the guard checked.
func TestNoProxyFromTheEnvironment(t *testing.T) {
	proxied := make(chan struct{}, 1)
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { proxied <- struct{}{} }))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("ALL_PROXY", proxy.URL)
	c := newTestClient(t, ClientConfig{Resolver: dnsOf()})
	if o := c.Send(context.Background(), Request{URL: "http://receiver.example/"}); o.Code != CodeDNSFailed || len(proxied) != 0 {
		t.Errorf("got %s, proxied %d", o.Code, len(proxied))
	}
}

// FuzzCheckURL: whatever is accepted is http or https to a host that is a plain address or a name that no program takes for one,
// and reads the same when it is read again.
func FuzzCheckURL(f *testing.F) {
	for _, raw := range []string{
		"https://example.com/hook", "http://127.1/", "http://[::1]:80/", "http://bücher.example", "http://a@b", "http://①.1/", "http://x.0x7f/", "https://a%zz/", "http://exa\\mple/",
	} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := CheckURL(raw)
		if err != nil {
			return
		}
		host := u.Hostname()
		if _, err := netip.ParseAddr(host); err != nil && net.ParseIP(strings.TrimSuffix(host, ".")) != nil {
			t.Errorf("%q: %q is an address in disguise", raw, host)
		}
		if u.User != nil || strings.ContainsAny(host, "/\\@#?% \t\r\n") {
			t.Errorf("%q became %q", raw, u)
		}
		if uri := u.RequestURI(); strings.ContainsFunc(uri, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			t.Errorf("%q: the request line would have %q", raw, uri)
		}
		again, err := CheckURL(u.String())
		if err != nil && len(u.String()) <= maxURLLength || err == nil && again.String() != u.String() {
			t.Errorf("%q became %q and then %v, %v", raw, u, again, err)
		}
	})
}
