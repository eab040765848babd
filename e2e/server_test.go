// Package e2e tells a few stories with the real binary, as its users would
// live them: a browser, a receiver of webhooks, kill -9. It needs Chromium,
// Node, poppler and qpdf, which `make deps` installs, and fails without them.
package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// binary is the program under test: PARAPH_BIN, or one that is built now.
var binary = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("PARAPH_BIN"); path != "" {
		return filepath.Abs(path)
	}
	dir, err := os.MkdirTemp("", "paraph-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "paraph")
	cmd := exec.Command("go", "build", "-o", path, "../cmd/paraph")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build paraph: %w\n%s", err, out)
	}
	return path, nil
})

// server is the binary, serving.
type server struct {
	t        *testing.T
	data     string
	database string // address of its database
	base     string
	args     []string
	// wrapper, when set, is a command that runs the binary with args at its end.
	wrapper []string
	cmd     *exec.Cmd
	done    chan struct{} // closed when the process has ended
	log     *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newServer makes a server with an empty data folder; it does not run yet.
func newServer(t *testing.T, args ...string) *server {
	t.Helper()
	data := t.TempDir()
	return newServerAt(t, data, filepath.Join(data, "paraph.db"), args...)
}

// newNode makes a server over a Postgres, and a data folder that it may share
// with other nodes; it does not run yet.
func newNode(t *testing.T, data, database string) *server {
	t.Helper()
	return newServerAt(t, data, database, "--database-url", database)
}

func newServerAt(t *testing.T, data, database string, args ...string) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	address := l.Addr().String()
	must(t, l.Close())
	s := &server{t: t, data: data, database: database, base: "http://" + address, log: &lockedBuffer{}}
	s.args = append([]string{
		"serve", "--dev", "--data", data, "--listen", address, "--base-url", s.base, "--webhook-allow-net", "127.0.0.0/8",
	}, args...)
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("the server's log:\n%s", tail(s.log.String(), 8000))
		}
	})
	return s
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

// start runs the server and waits until it answers.
func (s *server) start() {
	s.t.Helper()
	path, err := binary()
	must(s.t, err)
	line := append([]string{path}, s.args...)
	if s.wrapper != nil {
		line = append(append([]string{}, s.wrapper...), s.args...)
	}
	s.cmd = exec.Command(line[0], line[1:]...)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	must(s.t, s.cmd.Start())
	cmd, done := s.cmd, make(chan struct{})
	s.done = done
	go func() {
		_ = cmd.Wait() // it is killed in the end
		close(done)
	}()
	deadline := time.After(time.Minute)
	for {
		res, err := http.Get(s.base + "/healthz")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-done:
			s.t.Fatalf("the server ended: %s\n%s", cmd.ProcessState, s.log)
		case <-deadline:
			s.t.Fatalf("the server did not answer within a minute\n%s", s.log)
		case <-time.After(20 * time.Millisecond): // the only way to see another process listen
		}
	}
}

// kill ends the server as a power cut would.
func (s *server) kill() {
	if s.cmd == nil || s.cmd.Process == nil {
		return
	}
	_ = s.cmd.Process.Kill() // it may have ended by itself
	<-s.done
	s.cmd = nil
}

// command runs another command of the binary on the server's data.
func (s *server) command(stdin string, args ...string) string {
	s.t.Helper()
	path, err := binary()
	must(s.t, err)
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "PARAPH_DATA="+s.data)
	if strings.HasPrefix(s.database, "postgres:") {
		cmd.Env = append(cmd.Env, "PARAPH_DATABASE_URL="+s.database)
	}
	cmd.Stdin = strings.NewReader(stdin)
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("paraph %s: %v\n%s", strings.Join(args, " "), err, errOut.String())
	}
	return strings.TrimSpace(string(out))
}

// hook is a webhook as it arrived.
type hook struct {
	event   string
	id      string
	attempt string
	path    string
	status  int // how it was answered
	header  http.Header
	body    []byte
}

// receiver takes webhooks and keeps them.
type receiver struct {
	url    string
	mu     sync.Mutex
	hooks  []hook
	answer func(n int, h hook) int // status for the n-th webhook (from 1)
	slow   string                  // a path at which each answer takes a while
	came   chan struct{}
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	r := &receiver{url: "http://" + l.Addr().String() + "/hook", came: make(chan struct{}, 1), answer: func(int, hook) int { return http.StatusNoContent }}
	srv := &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = srv.Serve(l) }() // ends with Close
	t.Cleanup(func() { _ = srv.Close() })
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the sender was killed in the middle
	}
	h := hook{
		event: req.Header.Get("X-Paraph-Event"), id: req.Header.Get("Webhook-Id"), attempt: req.Header.Get("X-Paraph-Attempt"),
		path: req.URL.Path, header: req.Header, body: body,
	}
	if r.slow != "" && h.path == r.slow {
		<-time.After(80 * time.Millisecond)
	}
	r.mu.Lock()
	h.status = r.answer(len(r.hooks)+1, h)
	r.hooks = append(r.hooks, h)
	r.mu.Unlock()
	w.WriteHeader(h.status)
	select {
	case r.came <- struct{}{}:
	default:
	}
}

func (r *receiver) all() []hook {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]hook(nil), r.hooks...)
}

// await waits until done says so of what has arrived.
func (r *receiver) await(t *testing.T, what string, done func([]hook) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for !done(r.all()) {
		select {
		case <-r.came:
		case <-ctx.Done():
			var names []string
			for _, h := range r.all() {
				names = append(names, h.event)
			}
			t.Fatalf("waited two minutes for %s; %d webhooks came: %s", what, len(names), tail(strings.Join(names, " "), 2000))
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// tool runs a program that must be installed and returns what it printed.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is not installed: run `make deps`", name)
	}
	out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("%s %s: exit %d\n%s", name, strings.Join(args, " "), exit.ExitCode(), out)
		}
		t.Fatal(err)
	}
	return string(out)
}
