package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// running is a server with somebody's token.
type running struct {
	*instance
	url, token string
	who        desk.Who
}

func startServer(t *testing.T, change func(*serveCmd)) *running {
	t.Helper()
	c := serveCmd{
		world: world{Data: t.TempDir()}, Listen: "127.0.0.1:0", BaseURL: "http://sign.example.com", MaxUpload: 10, Name: "Test", Dev: true,
		WebhookAllowNet: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	}
	if change != nil {
		change(&c)
	}
	shareEngine(t, c.Data)
	in, err := c.start(t.Context(), slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.close() }) // a test may have closed it
	u, err := in.desk.SignUp(t.Context(), desk.NewUser{Email: "ada@example.com", Name: "Ada", Password: "a long enough password"}, true)
	if err != nil {
		t.Fatal(err)
	}
	spaces, err := in.store.Spaces(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	r := &running{instance: in, url: "http://" + in.address, who: desk.Who{AccountID: spaces[0].ID, UserID: u.ID}}
	if r.token, _, err = in.desk.CreateToken(t.Context(), r.who, "test"); err != nil {
		t.Fatal(err)
	}
	return r
}

// shareEngine lets a server find the PDF engine as other tests compiled it,
// which takes seconds.
func shareEngine(t *testing.T, data string) {
	t.Helper()
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	dir = filepath.Join(dir, "paraph-test", "engine")
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.Symlink(dir, filepath.Join(data, "cache"))); err != nil {
		t.Fatal(err)
	}
}

// hit is a request that a target received.
type hit struct {
	header http.Header
	body   []byte
}

// newHitTarget answers with the statuses in turn, then with 200.
func newHitTarget(t *testing.T, statuses ...int) (url string, hits chan hit) {
	t.Helper()
	hits = make(chan hit, 100)
	var mu sync.Mutex
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		status := http.StatusOK
		if len(statuses) > 0 {
			status, statuses = statuses[0], statuses[1:]
		}
		if status == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(status)
		hits <- hit{r.Header.Clone(), body}
	}))
	t.Cleanup(s.Close)
	return s.URL + "/hook", hits
}

// listening is a listener at work; stop ends it and returns what it printed.
func startListening(t *testing.T, c *listenCmd) (stop func() string) {
	t.Helper()
	var out bytes.Buffer
	c.Timeout = 15 * time.Second
	l, err := c.prepare(&streams{nil, &out, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	l.waitFor = func(context.Context, time.Duration) {}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- l.work(ctx) }()
	return func() string {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
		return out.String()
	}
}

func next[T any](t *testing.T, from chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(time.Minute):
		t.Fatal("nothing came within a minute")
	}
	return v
}

// trigger sends a test event until somebody listens.
func (r *running) trigger(t *testing.T, event string) {
	t.Helper()
	for {
		s := paraphWith(t, "", "trigger", event, "--server", r.url, "--token", r.token)
		if s.code == 0 {
			return
		}
		if !strings.Contains(s.err, "nobody listens") || t.Context().Err() != nil {
			t.Fatalf("trigger %s: %+v", event, s)
		}
	}
}

// TestListenForwards: what is sent on is what a webhook would have been sent.
func TestListenForwards(t *testing.T) {
	t.Parallel()
	r := startServer(t, nil)
	target, hits := newHitTarget(t, 200, 500, 302, 200, 503, 503, 503)
	secret := webhook.GenerateSecret()
	stop := startListening(t, &listenCmd{
		remote: remote{r.url, r.token}, ForwardTo: target, Events: []string{"form.*", "document.sent"}, Secret: secret, DocumensoSecret: "sesame", Retries: 2, PrintJSON: true,
	})
	r.trigger(t, "form.viewed")
	first := next(t, hits)
	if err := webhook.VerifySignature(secret, first.body, first.header); err != nil {
		t.Errorf("the signature: %v", err)
	}
	if in := webhook.Inspect([]string{secret}, webhook.Received{Header: first.header, Body: first.body, At: time.Now(), Tolerance: webhook.DefaultTolerance}); !in.Valid || len(in.Checks) != 2 {
		t.Errorf("both signatures: %+v", in)
	}
	for name, want := range map[string]string{"X-Paraph-Event": "form.viewed", "X-Paraph-Attempt": "1", "X-Paraph-Test": "1", "Content-Type": "application/json", "User-Agent": "Paraph/" + version} {
		if got := first.header.Get(name); got != want {
			t.Errorf("%s is %q and not %q", name, got, want)
		}
	}
	r.trigger(t, "document.sent")
	tries := []hit{next(t, hits), next(t, hits), next(t, hits)}
	for i, h := range tries {
		if h.header.Get("X-Paraph-Attempt") != fmt.Sprint(i+1) || h.header.Get("X-Documenso-Secret") != "sesame" || h.header.Get("Webhook-Id") != tries[0].header.Get("Webhook-Id") || !bytes.Equal(h.body, tries[0].body) {
			t.Errorf("attempt %d: %v", i+1, h.header)
		}
	}
	if !bytes.Contains(tries[0].body, []byte(target)) {
		t.Error("the body of a Documenso event does not name the target")
	}
	r.trigger(t, "form.declined")
	for range 3 {
		next(t, hits)
	}
	r.trigger(t, "form.completed")
	r.trigger(t, "form.started") // so that the one before is over
	next(t, hits)
	next(t, hits)
	out := stop()
	for _, want := range []string{
		secret, "again in 1s", "again in 2s", "a redirect (302)", "left after 3 attempts", `"event_type": "form.viewed"`, "form.completed (test)" + strings.Repeat(" ", 11) + "200",
		"5 events: ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "\x1b[") {
		t.Error("it is coloured though nobody looks")
	}
	if n, err := r.store.CountListeners(t.Context(), time.Time{}); err != nil || n != 0 {
		t.Errorf("%d listeners are left, %v", n, err)
	}
}

// fakeAPI is a server that behaves as it is told: one step for each request.
type fakeAPI struct {
	t     *testing.T
	mu    sync.Mutex
	steps []func(w http.ResponseWriter, path string, body map[string]any)
	done  chan struct{}
}

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	if len(f.steps) == 0 {
		f.mu.Unlock()
		if r.Method != http.MethodDelete {
			<-r.Context().Done()
		}
		return
	}
	step := f.steps[0]
	f.steps = f.steps[1:]
	if len(f.steps) == 0 {
		defer close(f.done)
	}
	f.mu.Unlock()
	if r.Header.Get("X-Auth-Token") != "api_x" {
		f.t.Errorf("%s came with the token %q", r.URL.Path, r.Header.Get("X-Auth-Token"))
	}
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		f.t.Error(err)
	}
	step(w, r.URL.Path, body)
}

// TestListenSurvivesTheServer: what it does when the server is away, answers
// nonsense, lost it, or told it that something is missing.
func TestListenSurvivesTheServer(t *testing.T) {
	t.Parallel()
	answer := func(status int, text string) func(http.ResponseWriter, string, map[string]any) {
		return func(w http.ResponseWriter, _ string, _ map[string]any) {
			w.WriteHeader(status)
			fmt.Fprint(w, text)
		}
	}
	event := func(id int) string {
		return fmt.Sprintf(`{"id":%d,"event":"form.viewed","message_id":"m%d","created_at":"2026-09-14T10:00:00.000Z","body":"{}"}`, id, id)
	}
	asks := func(path string, received []any, then string) func(http.ResponseWriter, string, map[string]any) {
		return func(w http.ResponseWriter, got string, body map[string]any) {
			told, _ := body["received"].([]any)
			if got != path || !slices.Equal(told, received) {
				t.Errorf("it asked %s with %v, and not %s with %v", got, told, path, received)
			}
			fmt.Fprint(w, then)
		}
	}
	f := &fakeAPI{t: t, done: make(chan struct{})}
	f.steps = append(f.steps,
		answer(201, `{"id":7}`),
		answer(503, `no`),
		func(http.ResponseWriter, string, map[string]any) { panic(http.ErrAbortHandler) },
		answer(200, `<html>`),
		asks("/api/listeners/7/events", nil, `{"events":[`+event(1)+`,`+event(2)+`],"missed_since":null}`),
		answer(429, `{"error":"Too many requests."}`),
		asks("/api/listeners/7/events", []any{1.0, 2.0}, `{"events":[],"missed_since":"2026-09-14T10:00:00.000Z"}`),
		answer(404, `{"error":"gone"}`),
		answer(503, `{"error":"not yet"}`),
		answer(201, `{"id":8}`),
		asks("/api/listeners/8/events", nil, `{"events":[`+event(3)+`]}`),
	)
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	stop := startListening(t, &listenCmd{remote: remote{s.URL, "api_x"}, Events: []string{"*"}})
	next(t, f.done)
	out := stop()
	for _, want := range []string{"503", "trying again", "The server is back.", "are missing: more than 1000", "has let go of us"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
}

// TestListenRefuses: what can't be is said before anything begins, and what
// the server refuses at once.
func TestListenRefuses(t *testing.T) {
	t.Parallel()
	r := startServer(t, nil)
	for range paraph.MaxListeners {
		if _, err := r.desk.Listen(t.Context(), r.who, paraph.Listener{Events: []string{"*"}}); err != nil {
			t.Fatal(err)
		}
	}
	for want, args := range map[string][]string{
		"--token":               {},
		"unknown, revoked":      {"--token", "api_wrong"},
		"Did you mean":          {"--token", r.token, "--events", "form.complet"},
		"base64":                {"--token", r.token, "--secret", "whsec_*"},
		"between 0 and 5":       {"--token", r.token, "--retries", "9"},
		"1s and 30s":            {"--token", r.token, "--timeout", "31s"},
		"http":                  {"--token", r.token, "--forward-to", "ftp://localhost/x"},
		"not an API token":      {"--token", "a b"},
		"an address such as":    {"--token", "x", "--server", "localhost:3000"},
		"does not answer":       {"--token", "x", "--server", "http://127.0.0.1:1"},
		"10 programs listen to": {"--token", r.token},
	} {
		if !slices.Contains(args, "--server") {
			args = append(args, "--server", r.url)
		}
		if s := paraphWith(t, "", append([]string{"listen"}, args...)...); s.code == 0 || !strings.Contains(s.err, want) {
			t.Errorf("%v: exit %d, %q does not say %q", args, s.code, s.err, want)
		}
	}
}

func TestTrigger(t *testing.T) {
	t.Parallel()
	r := startServer(t, nil)
	target, hits := newHitTarget(t, 200, 503)
	e, err := r.desk.CreateEndpoint(t.Context(), r.who, paraph.Endpoint{URL: target, Events: []string{"*"}, Enabled: true})
	if err != nil {
		t.Fatal(err)
	}
	at := []string{"--server", r.url, "--token", r.token}
	hook := append([]string{"--webhook", fmt.Sprint(e.ID)}, at...)
	if s := paraphWith(t, "", append([]string{"trigger", "FORM_VIEWED"}, hook...)...); s.code != 1 || !strings.Contains(s.err, "form.viewed") {
		t.Errorf("an unknown spelling: %+v", s)
	}
	if s := paraphWith(t, "", append([]string{"trigger", "DOCUMENT_SENT"}, hook...)...); s.code != 0 || !strings.Contains(s.out, "200  ") {
		t.Errorf("a success: %+v", s)
	}
	if h := next(t, hits); h.header.Get("X-Paraph-Event") != "document.sent" || h.header.Get("X-Paraph-Test") != "1" {
		t.Errorf("it came with %v", h.header)
	}
	if s := paraphWith(t, "", append([]string{"trigger", "form.viewed"}, hook...)...); s.code != 1 || !strings.Contains(s.out, "503  ") || s.err != "" {
		t.Errorf("a failure: %+v", s)
	}
	if s := paraphWith(t, "", append([]string{"trigger", "form.viewed"}, at...)...); s.code != 1 || !strings.Contains(s.err, "nobody listens") {
		t.Errorf("nobody listens: %+v", s)
	}
	if _, err := r.desk.Listen(t.Context(), r.who, paraph.Listener{Events: []string{"document.*"}}); err != nil {
		t.Fatal(err)
	}
	if s := paraphWith(t, "", append([]string{"trigger", "form.viewed"}, at...)...); s.code != 1 || !strings.Contains(s.err, "1 program listens, but to other events") {
		t.Errorf("to others: %+v", s)
	}
	if s := paraphWith(t, "", append([]string{"trigger", "document.sent"}, at...)...); s.code != 0 || !strings.Contains(s.out, "1 of 1") {
		t.Errorf("to one that listens: %+v", s)
	}
	if s := paraphWith(t, "", "trigger", "--list"); s.code != 0 || strings.Count(s.out, "\n") != len(webhook.Names()) {
		t.Errorf("the list: %+v", s)
	}
	for want, args := range map[string][]string{
		"trigger --list": {"trigger"}, "Did you mean": {"trigger", "form.complete"}, "shows all": {"trigger", "zzzz"}, "--token is needed": {"trigger", "form.viewed"},
	} {
		if s := paraphWith(t, "", args...); s.code != 1 || !strings.Contains(s.err, want) {
			t.Errorf("%v: %+v does not say %q", args, s, want)
		}
	}
}

// TestStopEndsWaits: a server stops at once though a listener waits.
func TestStopEndsWaits(t *testing.T) {
	t.Parallel()
	r := startServer(t, nil)
	l, err := r.desk.Listen(t.Context(), r.who, paraph.Listener{Events: []string{"*"}})
	if err != nil {
		t.Fatal(err)
	}
	server, err := remote{r.url, r.token}.client()
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() {
		var answer struct{ Events []heardEvent }
		answered <- server.call(t.Context(), http.MethodPost, fmt.Sprintf("/listeners/%d/events", l.ID), map[string]any{"wait": 30}, &answer)
	}()
	for waits := 0; waits == 0; waits = r.desk.Waiting() {
		if t.Context().Err() != nil {
			t.Fatal("nobody waits")
		}
	}
	if err := r.close(); err != nil {
		t.Error(err)
	}
	if err := next(t, answered); err != nil {
		t.Errorf("the waiting question was answered %v", err)
	}
}
