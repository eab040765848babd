package main

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
)

// TestVariablesAreRead sets variables of the process, so it runs beside no other.
func TestVariablesAreRead(t *testing.T) {
	for name, value := range map[string]string{
		"PARAPH_SEAL_P12": "/keys/seal.p12", "PARAPH_BASE_URL": "https://sign.example.com",
		"PARAPH_WEBHOOK_ALLOW_NET": "10.0.0.0/8,192.168.0.0/16",
		"PARAPH_VERSION":           "1.2.3", // images set it; it is none of ours
	} {
		t.Setenv(name, value)
	}
	var c cli
	parser, err := kong.New(&c, kong.DefaultEnvars("PARAPH"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse([]string{"serve"}); err != nil {
		t.Fatal(err)
	}
	if s := c.Serve; s.SealP12 != "/keys/seal.p12" || s.BaseURL != "https://sign.example.com" || len(s.WebhookAllowNet) != 2 {
		t.Errorf("the variables gave %+v", s)
	}
}

// TestHealthFollowsTheDatabase: /healthz answers as the database does: when it is gone, 503.
func TestHealthFollowsTheDatabase(t *testing.T) {
	t.Parallel()
	c := serveCmd{world: world{Data: t.TempDir()}, Listen: "127.0.0.1:0", MaxUpload: 1, Name: "Test"}
	in, err := c.start(context.Background(), slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer in.close() //nolint:errcheck // the store is closed already
	get := func(path string) (int, string) {
		res, err := http.Get("http://" + in.address + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
	if code, _ := get("/healthz"); code != http.StatusOK {
		t.Errorf("healthy: %d", code)
	}
	if code, body := get("/metrics"); code != http.StatusOK || !strings.Contains(body, "# TYPE paraph_") {
		t.Errorf("metrics: %d", code)
	}
	in.desk.Stop()
	if err := in.store.Close(); err != nil {
		t.Fatal(err)
	}
	if code, body := get("/healthz"); code != http.StatusServiceUnavailable || strings.Contains(body, "sql") {
		t.Errorf("without a database: %d %s", code, body)
	}
}

// TestSeed: --seed fills an empty instance once, with envelopes in every state.
func TestSeed(t *testing.T) {
	t.Parallel()
	c := serveCmd{
		world: world{Data: t.TempDir()}, Listen: "127.0.0.1:0", BaseURL: "http://127.0.0.1:1", MaxUpload: 10, Name: "Test", Dev: true, Seed: true,
		WebhookAllowNet: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	}
	in, err := c.start(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer in.close() //nolint:errcheck // of no consequence here
	var first, second strings.Builder
	if err := c.seed(t.Context(), &first, in); err != nil {
		t.Fatal(err)
	}
	if err := c.seed(t.Context(), &second, in); err != nil || second.Len() != 0 || !strings.Contains(first.String(), "ada@example.com") {
		t.Errorf("the first time %q, the second %q, %v", first.String(), second.String(), err)
	}
	u, err := in.store.UserByEmail(t.Context(), "ada@example.com")
	if err != nil {
		t.Fatal(err)
	}
	spaces, err := in.store.Spaces(t.Context(), u.ID)
	if err != nil || len(spaces) != 2 {
		t.Fatalf("%d spaces, %v", len(spaces), err)
	}
	states, err := in.store.CountEnvelopes(t.Context(), spaces[0].ID, store.EnvelopeFilter{})
	if err != nil {
		t.Fatal(err)
	}
	states[paraph.Pending] += states[paraph.Expired] // one expires within seconds
	delete(states, paraph.Expired)
	want := map[paraph.Status]int{paraph.Draft: 1, paraph.Pending: 4, paraph.Completed: 2, paraph.Rejected: 1, paraph.Cancelled: 1}
	if !maps.Equal(states, want) {
		t.Errorf("the envelopes are %v and not %v", states, want)
	}
}
