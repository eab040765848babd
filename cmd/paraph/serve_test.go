package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
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
