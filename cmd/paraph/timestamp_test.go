package main

import (
	"context"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph/internal/dev/tsatest"
	"github.com/paraph-sign/paraph/internal/seal"
)

// TestTimestampFlags: what can't work is told at the start, and no password with it.
func TestTimestampFlags(t *testing.T) {
	t.Parallel()
	roots := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		cmd  serveCmd
		says string
	}{
		"a level without an authority": {serveCmd{PAdESLevel: "B-LT"}, "needs a timestamp authority"},
		"roots without an authority":   {serveCmd{TSARoots: roots}, "without --tsa-url"},
		"no level":                     {serveCmd{TSAURL: []string{"https://tsa.example.com"}, PAdESLevel: "B-X"}, "B-T, B-LT or B-LTA"},
		"an authority for nothing":     {serveCmd{TSAURL: []string{"https://tsa.example.com"}, PAdESLevel: "B-B"}, "leave out --tsa-url"},
		"an address that is none":      {serveCmd{TSAURL: []string{"me:hush@tsa.example.com"}}, "--tsa-url"},
		"roots that are none":          {serveCmd{TSAURL: []string{"https://tsa.example.com"}, TSARoots: roots}, "no certificate is in it"},
	} {
		s := c.cmd
		s.world, s.Listen, s.MaxUpload, s.Name = world{Data: t.TempDir()}, "127.0.0.1:0", 1, "Test"
		in, err := s.start(context.Background(), slog.New(slog.DiscardHandler))
		if err == nil {
			_ = in.close() // it should not have started
		}
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestServeWithTimestamps has a started server ask a real authority, and count it.
func TestServeWithTimestamps(t *testing.T) {
	t.Parallel()
	ca := tsatest.NewCA(t, time.Now)
	tsa := tsatest.NewTSA(t, ca, "Timely", nil)
	dir := t.TempDir()
	roots := filepath.Join(dir, "roots.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Cert.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	id, err := seal.LoadOrCreateIdentity(dir, "Test", time.Now()) // the server finds it there
	if err != nil {
		t.Fatal(err)
	}
	c := serveCmd{world: world{Data: dir}, Listen: "127.0.0.1:0", MaxUpload: 1, Name: "Test", TSAURL: []string{tsa.URL}, TSARoots: roots}
	in, err := c.start(context.Background(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer in.close() //nolint:errcheck // it ends with the test
	if s := in.desk.Stamper; s == nil || s.Level() != seal.LevelLTA {
		t.Fatal("nothing is timestamped by default")
	}
	sealed, err := seal.Sign(sampleContract, id, seal.SignOptions{At: time.Now(), Stamp: in.desk.Stamper.Stamp(t.Context())})
	if err != nil {
		t.Fatal(err)
	}
	rep, err := in.desk.Verify(t.Context(), sealed)
	if err != nil || !rep.Valid || rep.Signatures[0].Level != seal.LevelT || !rep.Signatures[0].TimestampTrusted {
		t.Errorf("%v %s", err, rep.Text())
	}
	// The list of revoked certificates is on loopback, where nobody who isn't allowed to may be sent by a certificate.
	if st, err := in.desk.Stamper.Upgrade(t.Context(), sealed, seal.VerifyOptions{Roots: id.Roots()}); err == nil || !strings.Contains(err.Error(), "not public") || st.Level != seal.LevelT {
		t.Errorf("%s, %v", st.Level, err)
	}
	res, err := http.Get("http://" + in.address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || !strings.Contains(string(body), `paraph_timestamp_requests_total{authority="`+strings.TrimPrefix(tsa.URL, "http://")+`",result="ok"} 1`) {
		t.Errorf("the metrics don't tell: %v", err)
	}
}
