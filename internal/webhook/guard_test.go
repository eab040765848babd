package webhook

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// The outcome for each spelling of an address, by a client that may call nothing but public addresses. Each is sent for real: what
// must be refused never reaches a socket, so no code here is a connection error.
func TestGuardRefuses(t *testing.T) {
	t.Parallel()
	c := newTestClient(t, ClientConfig{Allow: []netip.Prefix{}, Resolver: dnsOf()})
	for _, tc := range []struct{ host, code string }{
		// loopback, "this" network
		{"127.0.0.1", CodeBlockedAddress},
		{"127.255.255.254", CodeBlockedAddress},
		{"0.0.0.0", CodeBlockedAddress},
		{"0.1.2.3", CodeBlockedAddress},
		{"[::1]", CodeBlockedAddress},
		{"[::]", CodeBlockedAddress},
		{"[0:0:0:0:0:0:0:1]", CodeBlockedAddress},
		// private, shared, link-local, metadata
		{"10.0.0.1", CodeBlockedAddress},
		{"10.255.255.255", CodeBlockedAddress},
		{"172.16.0.1", CodeBlockedAddress},
		{"172.31.255.255", CodeBlockedAddress},
		{"192.168.0.1", CodeBlockedAddress},
		{"100.64.0.1", CodeBlockedAddress},
		{"100.127.255.255", CodeBlockedAddress},
		{"100.100.100.200", CodeBlockedAddress},
		{"169.254.0.1", CodeBlockedAddress},
		{"169.254.169.254", CodeBlockedAddress},
		{"168.63.129.16", CodeBlockedAddress},
		{"192.0.0.192", CodeBlockedAddress},
		// benchmarks, documentation, multicast, reserved, broadcast
		{"198.18.0.1", CodeBlockedAddress},
		{"198.19.255.255", CodeBlockedAddress},
		{"192.0.2.1", CodeBlockedAddress},
		{"198.51.100.1", CodeBlockedAddress},
		{"203.0.113.1", CodeBlockedAddress},
		{"224.0.0.1", CodeBlockedAddress},
		{"239.255.255.255", CodeBlockedAddress},
		{"240.0.0.1", CodeBlockedAddress},
		{"255.255.255.255", CodeBlockedAddress},
		{"192.88.99.1", CodeBlockedAddress},
		// IPv6: unique local, link-local, site-local, multicast, documentation, discard, Teredo, ORCHID
		{"[fc00::1]", CodeBlockedAddress},
		{"[fd00:ec2::254]", CodeBlockedAddress},
		{"[fdff::1]", CodeBlockedAddress},
		{"[fe80::1]", CodeBlockedAddress},
		{"[fec0::1]", CodeBlockedAddress},
		{"[ff02::1]", CodeBlockedAddress},
		{"[2001:db8::1]", CodeBlockedAddress},
		{"[3fff::1]", CodeBlockedAddress},
		{"[100::1]", CodeBlockedAddress},
		{"[2001::1]", CodeBlockedAddress},
		{"[2001:20::1]", CodeBlockedAddress},
		// IPv4 inside IPv6: 6to4, NAT64 in both prefixes, compatible, translated
		{"[2002:7f00:1::]", CodeBlockedAddress},
		{"[2002:a00:1::1]", CodeBlockedAddress},
		{"[2002:c0a8:101::1]", CodeBlockedAddress},
		{"[64:ff9b::7f00:1]", CodeBlockedAddress},
		{"[64:ff9b::127.0.0.1]", CodeBlockedAddress},
		{"[64:ff9b::808:808]", CodeBlockedAddress},
		{"[64:ff9b:1::7f00:1]", CodeBlockedAddress},
		{"[::127.0.0.1]", CodeBlockedAddress},
		{"[::7f00:1]", CodeBlockedAddress},
		{"[::ffff:0:127.0.0.1]", CodeBlockedAddress},
		// v4-mapped in every spelling
		{"[::ffff:127.0.0.1]", CodeBadURL},
		{"[::ffff:7f00:1]", CodeBadURL},
		{"[0:0:0:0:0:ffff:7f00:1]", CodeBadURL},
		{"[::FFFF:10.0.0.1]", CodeBadURL},
		{"[::ffff:8.8.8.8]", CodeBadURL},
		{"[::ffff:a9fe:a9fe]", CodeBadURL},
		{"[0000:0000:0000:0000:0000:ffff:127.0.0.1]", CodeBadURL},
		// decimal, octal, hex, short
		{"2130706433", CodeBadURL},
		{"017700000001", CodeBadURL},
		{"0x7f000001", CodeBadURL},
		{"0X7F000001", CodeBadURL},
		{"0177.0.0.1", CodeBadURL},
		{"0x7f.0.0.1", CodeBadURL},
		{"0x7f.1", CodeBadURL},
		{"127.1", CodeBadURL},
		{"127.0.1", CodeBadURL},
		{"127.0.0.0x1", CodeBadURL},
		{"0", CodeBadURL},
		{"00000177.0.0.1", CodeBadURL},
		{"127.0.0.01", CodeBadURL},
		{"127.000.000.001", CodeBadURL},
		{"1.2.3.4.5", CodeBadURL},
		{"256.0.0.1", CodeBadURL},
		{"4294967296", CodeBadURL},
		{"169.254.43518", CodeBadURL},
		{"example.0x", CodeBadURL},
		{"example.1", CodeBadURL},
		{"08.8.8.8", CodeBadURL},
		// other digits and dots: full-width, circled, ideographic full stop
		{"１２７.０.０.１", CodeBlockedAddress},
		{"①②⑦.⓪.⓪.①", CodeBlockedAddress},
		{"127。0。0。1", CodeBlockedAddress},
		{"１２７。１", CodeBadURL},
		{"⑩.0.0.1", CodeBlockedAddress},
		{"0ｘ7f.1", CodeBadURL},
		// trailing dots, zones, brackets, escapes
		{"127.0.0.1.", CodeBadURL},
		{"2130706433.", CodeBadURL},
		{"[::1.]", CodeBadURL},
		{"localhost..", CodeBadURL},
		{".", CodeBadURL},
		{"[fe80::1%25eth0]", CodeBadURL},
		{"[::1%25lo]", CodeBadURL},
		{"[::1", CodeBadURL},
		{"::1", CodeBadURL},
		{"127.0.0.1%00.example.com", CodeBadURL},
		{"127%2e0.0.1", CodeBadURL},
		{"[127.0.0.1]", CodeBadURL},
		{"%31%32%37.0.0.1", CodeBadURL},
		{"[v1.fe80::1]", CodeBadURL},
		// user info, and what some parsers take for it
		{"user@127.0.0.1", CodeBadURL},
		{"user:pass@example.com", CodeBadURL},
		{"example.com@127.0.0.1", CodeBadURL},
		{":@example.com", CodeBadURL},
		{"@example.com", CodeBadURL},
		{`example.com\@127.0.0.1`, CodeBadURL},
		{`127.0.0.1\.example.com`, CodeBadURL},
		{"example.com:80@127.0.0.1", CodeBadURL},
		// ports and hosts that are none
		{"example.com:", CodeBadURL},
		{"example.com:0", CodeBadURL},
		{"example.com:65536", CodeBadURL},
		{"example.com:http", CodeBadURL},
		{"", CodeBadURL},
		{":80", CodeBadURL},
		{"exa mple.com", CodeBadURL},
		{"exa\tmple.com", CodeBadURL},
		{"-example.com", CodeBadURL},
		{"example-.com", CodeBadURL},
		{"exa$mple.com", CodeBadURL},
		{"a..b", CodeBadURL},
		{strings.Repeat("a", 64) + ".com", CodeBadURL},
		{strings.Repeat("a.", 127) + "com", CodeBadURL},
		{"xn--a.example", CodeDNSFailed},
	} {
		t.Run(tc.host, func(t *testing.T) {
			t.Parallel()
			if o := c.Send(t.Context(), Request{URL: "http://" + tc.host + "/"}); o.Code != tc.code || o.Error == "" {
				t.Errorf("http://%s/: got %s (%s), want %s", tc.host, o.Code, o.Error, tc.code)
			}
		})
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
// each connection asks exactly once.
func TestRebinding(t *testing.T) {
	t.Parallel()
	var hits atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		w.Header().Set("Connection", "close")
	}))
	defer server.Close()
	at, _ := url.Parse(server.URL)
	dns := dnsOf(addrs("127.0.0.1"), addrs("127.0.0.2"))
	c := newTestClient(t, ClientConfig{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Resolver: dns})
	raw := "http://receiver.example:" + at.Port() + "/"
	if o := c.Send(t.Context(), Request{URL: raw}); !o.Succeeded() || o.RemoteAddress != at.Host {
		t.Fatalf("first: %s (%s) from %s", o.Code, o.Error, o.RemoteAddress)
	}
	if o := c.Send(t.Context(), Request{URL: raw}); o.Code != CodeBlockedAddress {
		t.Errorf("second: %s (%s)", o.Code, o.Error)
	}
	if len(dns.asked) != 2 || hits.Load() != 1 {
		t.Errorf("asked %d times for 2 connections, %d requests arrived", len(dns.asked), hits.Load())
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
