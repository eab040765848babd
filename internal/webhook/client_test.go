package webhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/paraph-sign/paraph"
)

func TestSendCarriesEverything(t *testing.T) {
	t.Parallel()
	type arrival struct {
		header http.Header
		method string
		body   []byte
	}
	arrived := make(chan arrival, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		arrived <- arrival{r.Header, r.Method, body}
		w.Header().Set("X-Request-Id", "7")
		fmt.Fprint(w, "thanks")
	}))
	defer server.Close()
	secret := GenerateSecret()
	c := newTestClient(t, ClientConfig{})
	o := c.Send(t.Context(), Request{
		URL: server.URL, Body: []byte(`{"a":"ü"}`), ID: "evt_1", Event: "document.signed", Attempt: 3, Secrets: []string{secret},
		Documenso: true, DocumensoSecret: "hush", DocuSeal: true, Headers: [][2]string{{"x-tenant", "acme"}, {"X-Tenant", "two"}}, Test: true,
	})
	got := <-arrived
	if !o.Succeeded() || o.Status != 200 || string(o.ResponseBody) != "thanks" || o.Truncated || o.Error != "" {
		t.Errorf("outcome %+v", o)
	}
	if got.method != "POST" || string(got.body) != `{"a":"ü"}` {
		t.Errorf("%s %s", got.method, got.body)
	}
	want := http.Header{
		"Content-Type": {"application/json"}, "User-Agent": {"Paraph/test"}, "Content-Length": {"10"},
		"Webhook-Id": {"evt_1"}, "Webhook-Timestamp": {"1804680000"}, "Webhook-Signature": got.header["Webhook-Signature"],
		"X-Docuseal-Signature": {docusealSignature(secret, noon(), got.body)}, "X-Documenso-Secret": {"hush"},
		"X-Paraph-Event": {"document.signed"}, "X-Paraph-Attempt": {"3"}, "X-Paraph-Test": {"1"}, "X-Tenant": {"acme", "two"},
	}
	if diff := cmp.Diff(want, got.header); diff != "" {
		t.Error(diff)
	}
	w, _ := standardwebhooks.NewWebhook(secret)
	if err := w.VerifyIgnoringTimestamp(got.body, got.header); err != nil {
		t.Error(err)
	}
}

func TestLogMasksSecrets(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	secret := GenerateSecret()
	o := newTestClient(t, ClientConfig{}).Send(t.Context(), Request{
		URL: server.URL, ID: "evt_1", Secrets: []string{secret}, Documenso: true, DocumensoSecret: "hush", DocuSeal: true,
		Headers: [][2]string{{"Authorization", "Bearer abc"}},
	})
	text := fmt.Sprint(o.RequestHeaders)
	for _, hidden := range []string{"hush", "abc", secret, secret[6:]} {
		if strings.Contains(text, hidden) {
			t.Errorf("the log shows %q: %s", hidden, text)
		}
	}
	for _, shown := range []string{"[webhook-id evt_1]", "[X-Documenso-Secret ********]", "[Authorization ********]", "X-Docuseal-Signature"} {
		if !strings.Contains(text, shown) {
			t.Errorf("the log lacks %q: %s", shown, text)
		}
	}
}

// TestDeadlinesOfConnecting: each phase has its own, and none outlasts the exchange's.
func TestDeadlinesOfConnecting(t *testing.T) {
	t.Parallel()
	stuck := blockedResolver{make(chan struct{})}
	t.Cleanup(func() { close(stuck.release) })
	for _, tc := range []struct {
		name, url, code string
		timeout         time.Duration
		cfg             ClientConfig
	}{
		{"DNS does not answer", "http://receiver.example/", CodeDNSFailed, 0, ClientConfig{Resolver: stuck, ResolveTimeout: 20 * time.Millisecond}},
		{"DNS outlasts the exchange", "http://receiver.example/", CodeDNSFailed, 20 * time.Millisecond, ClientConfig{Resolver: stuck}},
		{"connect deadline", fullBacklog(t), CodeConnectTimeout, 0, ClientConfig{ConnectTimeout: 50 * time.Millisecond}},
		{"connecting outlasts the exchange", fullBacklog(t), CodeConnectTimeout, 50 * time.Millisecond, ClientConfig{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o := newTestClient(t, tc.cfg).Send(t.Context(), Request{URL: tc.url, Timeout: tc.timeout})
			if o.Code != tc.code || o.Error == "" || o.Status != 0 {
				t.Errorf("%d %s (%s), want %s", o.Status, o.Code, o.Error, tc.code)
			}
			if o.Timings.Total > paraph.DefaultTimeout-time.Second {
				t.Errorf("took %s: the short deadline did not end it", o.Timings.Total)
			}
		})
	}
}

type blockedResolver struct{ release chan struct{} }

func (b blockedResolver) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	select {
	case <-b.release:
	case <-ctx.Done():
	}
	return nil, ctx.Err()
}

func TestTLS(t *testing.T) {
	t.Parallel()
	roots := x509.NewCertPool()
	secure := func(change func(*httptest.Server)) string {
		server := quietServer(t)
		server.TLS = &tls.Config{}
		change(server)
		server.StartTLS()
		roots.AddCert(server.Certificate())
		return server.URL
	}
	trusted := secure(func(*httptest.Server) {})
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serve(t, silent, untilClosed)
	silence := "https://" + silent.Addr().String() + "/"
	both := secure(func(s *httptest.Server) { s.EnableHTTP2 = true })
	config := ClientConfig{RootCAs: roots}
	for _, tc := range []struct {
		name, url, code, says string
		timeout               time.Duration
		cfg                   ClientConfig
	}{
		{"trusted", trusted, CodeOK, "", 0, config},
		{"HTTP/2 as well", both, CodeOK, "", 0, config},
		{"unknown authority", trusted, CodeTLSFailed, "not trusted", 0, ClientConfig{}},
		{"silence, handshake deadline", silence, CodeTLSFailed, "in time", 0, ClientConfig{ConnectTimeout: 300 * time.Millisecond}},
		{"silence, whole deadline", silence, CodeTLSFailed, "within 300ms", 300 * time.Millisecond, ClientConfig{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o := newTestClient(t, tc.cfg).Send(t.Context(), Request{URL: tc.url, Timeout: tc.timeout})
			if o.Code != tc.code || !strings.Contains(o.Error, tc.says) {
				t.Errorf("%s (%s), want %s (%s)", o.Code, o.Error, tc.code, tc.says)
			}
			if o.Succeeded() && o.Timings.TLS <= o.Timings.Connect {
				t.Errorf("no time for TLS: %+v", o.Timings)
			}
		})
	}
}

// quietServer does not log the handshakes that the test wants to fail.
func quietServer(t *testing.T) *httptest.Server {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(s.Close)
	return s
}

func TestShutdownSpendsNothing(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	url := rawReceiver(t, func(c net.Conn) {
		stop()
		untilClosed(c)
	})
	if o := newTestClient(t, ClientConfig{}).Send(ctx, Request{URL: url}); o.Code != CodeShutdown || !o.Ours() {
		t.Errorf("%s (%s), ours %v", o.Code, o.Error, o.Ours())
	}
}

func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "ok") }))
	defer server.Close()
	now := noon()
	dns := dnsOf(addrs("127.0.0.1"))
	c := newTestClient(t, ClientConfig{Resolver: dns, Clock: func() time.Time { return now }})
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	send := func() Outcome {
		t.Helper()
		o := c.Send(t.Context(), Request{URL: "http://receiver.example:" + port})
		if !o.Succeeded() || o.RemoteAddress != server.Listener.Addr().String() {
			t.Fatalf("%s from %q", o.Code, o.RemoteAddress)
		}
		return o
	}
	if first := send(); first.Timings.DNS == 0 || first.Timings.Connect < first.Timings.DNS || first.Timings.FirstByte < first.Timings.Connect || first.Timings.Total < first.Timings.FirstByte {
		t.Errorf("timings of a new connection: %+v", first.Timings)
	}
	if second := send(); second.Timings.Connect != 0 || second.Timings.DNS != 0 || second.Timings.Total == 0 {
		t.Errorf("timings of a used connection: %+v", second.Timings)
	}
	now = now.Add(maxConnAge + time.Second)
	send()
	if len(dns.asked) != 2 {
		t.Errorf("looked up %d times, want once and again after %s", len(dns.asked), maxConnAge)
	}
}

// A pooled connection that the receiver has closed meanwhile is no failure of anybody's: the request goes out on a new one.
func TestDeadPooledConnectionIsReplaced(t *testing.T) {
	t.Parallel()
	var conns atomic.Int32
	url := rawReceiver(t, func(c net.Conn) {
		conns.Add(1)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	})
	c := newTestClient(t, ClientConfig{})
	for i := range 20 {
		if o := c.Send(t.Context(), Request{URL: url, Body: []byte(`{}`)}); !o.Succeeded() {
			t.Fatalf("attempt %d: %s (%s)", i, o.Code, o.Error)
		}
	}
	if conns.Load() != 20 {
		t.Errorf("%d requests arrived, want 20", conns.Load())
	}
}

func TestBadInputOfOurOwn(t *testing.T) {
	t.Parallel()
	c := newTestClient(t, ClientConfig{})
	for code, r := range map[string]Request{
		CodeBadURL:    {URL: "ftp://x"},
		CodeBadHeader: {URL: "http://127.0.0.1:1/", Headers: [][2]string{{"Host", "x"}}},
		CodeBadSecret: {URL: "http://127.0.0.1:1/", Secrets: []string{"whsec_???"}},
	} {
		if o := c.Send(t.Context(), r); o.Code != code || o.Error == "" {
			t.Errorf("%s (%s), want %s", o.Code, o.Error, code)
		}
	}
	if _, err := NewClient(ClientConfig{}); err == nil {
		t.Error("a client without a user agent was made")
	}
}
