package webhook

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// scriptedReceiver calls the script for each request of each connection; it ends the connection by returning false.
func scriptedReceiver(t *testing.T, script func(connection, request int, c net.Conn) bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var connections atomic.Int32
	serve(t, l, func(c net.Conn) {
		connection, br := int(connections.Add(1)), bufio.NewReader(c)
		for request := 1; ; request++ {
			req, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			io.Copy(io.Discard, req.Body)
			if !script(connection, request, c) {
				return
			}
		}
	})
	return "http://" + l.Addr().String() + "/"
}

const answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// What a receiver writes on a kept connection without being asked is not the answer to the next request.
func TestUnaskedAnswerIsNotTaken(t *testing.T) {
	t.Parallel()
	more, written := make(chan struct{}), make(chan struct{})
	url := scriptedReceiver(t, func(connection, _ int, c net.Conn) bool {
		io.WriteString(c, answer)
		if connection == 1 {
			<-more
			io.WriteString(c, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
			close(written)
		}
		return true
	})
	c := newTestClient(t, ClientConfig{})
	if o := c.Send(t.Context(), Request{URL: url}); !o.Succeeded() {
		t.Fatal(o.Code)
	}
	close(more)
	<-written
	if o := c.Send(t.Context(), Request{URL: url}); !o.Succeeded() {
		t.Errorf("%s (%s)", o.Code, o.Error)
	}
}

// A receiver that closes a kept connection in answer to a request gets the request once more, on a new connection, and not again.
func TestStaleConnectionIsRetriedOnce(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	url := scriptedReceiver(t, func(connection, request int, c net.Conn) bool {
		requests.Add(1)
		if connection == 1 && request == 1 {
			io.WriteString(c, answer)
			return true
		}
		return false
	})
	c := newTestClient(t, ClientConfig{})
	if o := c.Send(t.Context(), Request{URL: url}); !o.Succeeded() {
		t.Fatal(o.Code)
	}
	if o := c.Send(t.Context(), Request{URL: url}); o.Code != CodeReset {
		t.Errorf("%s (%s)", o.Code, o.Error)
	}
	if requests.Load() != 3 {
		t.Errorf("%d requests, want the good one, the one that was cut, and its repeat", requests.Load())
	}
}

// The same over TLS, where the end of a connection is a message of its own: a receiver that closes its kept connections between two
// requests gets the next one on a new connection, as its first.
func TestConnectionClosedBetweenRequests(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		var requests atomic.Int32
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
		roots := x509.NewCertPool()
		if secure {
			server.StartTLS()
			roots.AddCert(server.Certificate())
		} else {
			server.Start()
		}
		defer server.Close()
		c := newTestClient(t, ClientConfig{RootCAs: roots})
		for i := range 5 {
			o := c.Send(t.Context(), Request{URL: server.URL})
			if !o.Succeeded() || o.Timings.Connect == 0 {
				t.Errorf("TLS %v, request %d: %s (%s), connected after %s", secure, i, o.Code, o.Error, o.Timings.Connect)
			}
			if c.pool.count != 1 {
				t.Errorf("TLS %v: %d connections are kept", secure, c.pool.count)
			}
			server.CloseClientConnections() // waits until they are closed
		}
		if requests.Load() != 5 {
			t.Errorf("TLS %v: %d requests for 5 deliveries", secure, requests.Load())
		}
	}
}

func TestConnectionIsNotKept(t *testing.T) {
	t.Parallel()
	for name, says := range map[string]string{
		"closed by header": "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.0":         "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"more than asked":  answer + "HTTP/1.1 200 OK\r\n",
		"body unread":      "HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n" + string(bytes.Repeat([]byte("x"), 70000)),
	} {
		url := scriptedReceiver(t, func(_, _ int, c net.Conn) bool {
			io.WriteString(c, says)
			return true
		})
		c := newTestClient(t, ClientConfig{})
		if o := c.Send(t.Context(), Request{URL: url}); !o.Succeeded() {
			t.Errorf("%s: %s (%s)", name, o.Code, o.Error)
		}
		if c.pool.count != 0 {
			t.Errorf("%s: the connection was kept", name)
		}
	}
}

func TestKeptAcrossChunksAndNoContent(t *testing.T) {
	t.Parallel()
	for _, says := range []string{
		answer, "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + answer,
	} {
		url := scriptedReceiver(t, func(_, _ int, c net.Conn) bool {
			io.WriteString(c, says)
			return true
		})
		c := newTestClient(t, ClientConfig{})
		for range 3 {
			c.Send(t.Context(), Request{URL: url, Body: []byte("{}")})
		}
		if c.pool.count != 1 {
			t.Errorf("%q: %d connections kept", says, c.pool.count)
		}
	}
}

func TestLargeBodiesArriveWhole(t *testing.T) {
	t.Parallel()
	got := make(chan []byte, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- body
	}))
	defer server.Close()
	c := newTestClient(t, ClientConfig{})
	for _, size := range []int{0, 1, maxReadBody - 300, maxReadBody, maxReadBody + 1, 3 << 20} {
		body := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
		if o := c.Send(t.Context(), Request{URL: server.URL, Body: body}); !o.Succeeded() || !bytes.Equal(<-got, body) {
			t.Errorf("%d bytes: %s (%s)", size, o.Code, o.Error)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }))
	defer server.Close()
	c := newTestClient(t, ClientConfig{})
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			for j := range 20 {
				body := []byte{'"', byte('a' + i%26), byte('a' + j), '"'}
				if o := c.Send(t.Context(), Request{URL: server.URL, Body: body}); !o.Succeeded() || !bytes.Equal(o.ResponseBody, body) {
					t.Errorf("%s, sent %s and got %s", o.Code, body, o.ResponseBody)
				}
			}
		})
	}
	wg.Wait()
	if c.pool.count == 0 || c.pool.count > 32 {
		t.Errorf("%d connections kept for 32 senders", c.pool.count)
	}
}

func TestPoolLetsGo(t *testing.T) {
	t.Parallel()
	now := noon()
	p := newPool(func() time.Time { return now })
	add := func(key string) net.Conn {
		t.Helper()
		ours, theirs := net.Pipe()
		t.Cleanup(func() { theirs.Close() })
		if !p.add(&conn{Conn: ours, tcp: ours, key: key, born: now}) {
			t.Fatal("not kept")
		}
		return theirs
	}
	old := add("a")
	now = now.Add(idleTimeout - time.Second)
	add("a")
	add("b")
	now = now.Add(2 * time.Second)
	p.sweep()
	if p.count != 2 || len(p.idle) != 2 {
		t.Errorf("%d connections for %d hosts are left, want 2 for 2", p.count, len(p.idle))
	}
	if _, err := old.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the old connection is still open: %v", err)
	}
	p.close()
	if p.count != 0 || len(p.idle) != 0 || p.add(&conn{}) {
		t.Error("a closed pool keeps connections")
	}
}
