package hostiletest

import (
	"bufio"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"time"
)

// settings is the frame that begins what an HTTP/2 server says (RFC 9113, section 3.4), goaway the one that ends it.
const (
	settings = "\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64"
	goaway   = "\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
)

func (r *Receivers) protocols() {
	bad := func(name string, script func(net.Conn)) {
		r.add(Receiver{Name: name, Code: "bad_response", Says: "not an HTTP response"}, script)
	}
	bad("speaks SSH", say("SSH-2.0-OpenSSH_9.2\r\n\r\n"))
	bad("speaks SMTP", say("220 mail.example ESMTP\r\n"))
	bad("sends the request back", say("POST /hook HTTP/1.1\r\nHost: x\r\n\r\n"))
	bad("says nothing in many lines", forever("", "\r\n\r\n\r\n\r\n"))
	bad("says zeros in a line", say(repeat("\x00", 100)+"\r\n"))
	bad("has a status of two digits", say("HTTP/1.1 20 OK\r\n\r\n"))
	bad("has a status of four digits", say("HTTP/1.1 2000 OK\r\n\r\n"))
	bad("has a status in words", say("HTTP/1.1 abc OK\r\n\r\n"))
	bad("has a negative status", say("HTTP/1.1 -20 OK\r\n\r\n"))
	bad("has no status", say("HTTP/1.1\r\n\r\n"))
	bad("has an unknown version", say("HTTP/11 200 OK\r\n\r\n"))
	bad("is an old streaming server", say("ICY 200 OK\r\n\r\n"))
	bad("switches to another protocol", say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"))
	bad("answers in HTML without headers", say("<html><body>ok</body></html>\r\n"))
	r.add(Receiver{Name: "speaks HTTP/2 and closes", Code: "http2_only", Says: "HTTP/2"}, say(settings+goaway))
	r.add(Receiver{Name: "speaks HTTP/2 and waits", Code: "http2_only", Says: "HTTP/2"}, sayAndHang(settings))
	r.add(Receiver{Name: "refuses by HTTP/2", Code: "http2_only", Says: "HTTP/2"}, say(goaway))
}

func (r *Receivers) secure() {
	add := func(name, code, says string, change func(*tls.Config)) string {
		url := r.tls(change)
		r.All = append(r.All, Receiver{Name: name, URL: url, Code: code, Says: says, Status: map[string]int{"ok": 200}[code]})
		return url
	}
	same := func(*tls.Config) {}
	add("speaks TLS", "ok", "", same)
	add("speaks TLS 1.2", "ok", "", func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 })
	add("prefers HTTP/2", "ok", "", func(c *tls.Config) { c.NextProtos = []string{"h2", "http/1.1"} })
	add("refuses HTTP/1.1 in the handshake", "http2_only", "HTTP/2", func(c *tls.Config) { c.NextProtos = []string{"grpc-exp"} })
	add("has an expired certificate", "tls_failed", "expired", func(c *tls.Config) {
		c.Certificates = []tls.Certificate{r.certificate(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2000, 12, 31, 0, 0, 0, 0, time.UTC), true)}
	})
	add("has a certificate of the future", "tls_failed", "not valid yet", func(c *tls.Config) {
		c.Certificates = []tls.Certificate{r.certificate(time.Date(2190, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2191, 1, 1, 0, 0, 0, 0, time.UTC), true)}
	})
	add("has a certificate that nobody vouches for", "tls_failed", "not trusted", func(c *tls.Config) {
		c.Certificates = []tls.Certificate{r.certificate(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2190, 1, 1, 0, 0, 0, 0, time.UTC), false)}
	})
	add("wants a client's certificate", "tls_failed", "refused", func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert })
	add("speaks TLS 1.1 alone", "tls_failed", "", func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 })
	certificate := r.certificate(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2190, 1, 1, 0, 0, 0, 0, time.UTC), true)
	overTLS := func(name, code, says string, script func(net.Conn)) {
		address := r.listen(func(c net.Conn) {
			s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2"}})
			if _, err := http.ReadRequest(bufio.NewReader(s)); err == nil {
				script(s)
			}
		})
		r.All = append(r.All, Receiver{Name: name, URL: "https://" + address + "/", Code: code, Says: says})
	}
	overTLS("speaks HTTP/2 alone over TLS", "http2_only", "HTTP/2", sayAndHang(settings))
	overTLS("closes within the headers, over TLS", "reset", "closed the connection", say(head))
	overTLS("speaks garbage over TLS", "bad_response", "not an HTTP response", say("220 mail.example ESMTP\r\n"))
	other := r.tls(same)
	r.Resolver.Set("other.example", Addrs("127.0.0.1"))
	r.All = append(
		r.All,
		Receiver{Name: "has a certificate for another name", URL: strings.Replace(other, "127.0.0.1", "other.example", 1), Code: "tls_failed", Says: "another host name"},
		Receiver{Name: "speaks no TLS", URL: "https://" + r.listen(say("HTTP/1.1 400 Bad Request\r\n\r\n")) + "/", Code: "tls_failed", Says: "does not speak TLS"},
		Receiver{Name: "speaks garbage for TLS", URL: "https://" + r.listen(forever("", "garbage\r\n")) + "/", Code: "tls_failed", Says: "does not speak TLS"},
		Receiver{Name: "closes in the handshake", URL: "https://" + r.listen(func(c net.Conn) { _, _ = io.ReadFull(c, make([]byte, 5)) }) + "/", Code: "tls_failed"},
		Receiver{Name: "hangs in the handshake", URL: "https://" + r.listen(hang) + "/", Code: "tls_failed", Says: "within", Slow: true},
		Receiver{Name: "drips its handshake", URL: "https://" + r.listen(drip("", "\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb")) + "/", Code: "tls_failed", Slow: true},
	)
}

// tls starts a server that answers 200.
func (r *Receivers) tls(change func(*tls.Config)) string {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes are to fail
	s.TLS = &tls.Config{}
	change(s.TLS)
	own := len(s.TLS.Certificates) > 0
	s.StartTLS()
	r.t.Cleanup(s.Close)
	if !own {
		r.Roots.AddCert(s.Certificate())
	}
	return s.URL
}

// certificate is one of an authority of its own, for 127.0.0.1.
func (r *Receivers) certificate(from, to time.Time, trusted bool) tls.Certificate {
	r.t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: to, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(nil, template, template, public, private)
	if err != nil {
		r.t.Fatal(err)
	}
	if parsed, err := x509.ParseCertificate(der); err != nil {
		r.t.Fatal(err)
	} else if trusted {
		r.Roots.AddCert(parsed)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}
}

func (r *Receivers) names() {
	_, port, err := net.SplitHostPort(r.listen(say(head + "Content-Length: 0\r\n\r\n")))
	if err != nil {
		r.t.Fatal(err)
	}
	name := func(want Receiver, host string, answers ...[]netip.Addr) {
		if len(answers) > 0 {
			r.Resolver.Set(host, answers...)
		}
		want.URL = "http://" + host + ":" + port + "/"
		r.All = append(r.All, want)
	}
	name(Receiver{Name: "has no name", Code: "dns_failed", Says: "does not exist"}, "missing.example")
	name(Receiver{Name: "has a name without addresses", Code: "dns_failed", Says: "no address"}, "empty.example", []netip.Addr{})
	name(Receiver{Name: "has a name that nobody answers for", Code: "dns_failed", Slow: true}, "silent.example", nil)
	name(Receiver{Name: "has a private address among public ones", Code: "blocked_address", Says: "not public"}, "mixed.example", Addrs("127.0.0.1", "10.0.0.1"))
	name(Receiver{Name: "has the cloud's metadata for an address", Code: "blocked_address", Says: "not public"}, "meta.example", Addrs("169.254.169.254"))
	name(Receiver{Name: "moved inside since it was checked", Code: "blocked_address", Says: "not public"}, "moves.example", Addrs("10.0.0.1"))
	name(Receiver{Name: "has one address that refuses", Code: "ok", Status: 200}, "second.example", Addrs("127.0.0.77", "127.0.0.1"))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.t.Fatal(err)
	}
	r.All = append(r.All, Receiver{Name: "does not listen", URL: "http://" + l.Addr().String() + "/", Code: "connect_refused", Says: "refused"})
	if err := l.Close(); err != nil {
		r.t.Fatal(err)
	}
}
