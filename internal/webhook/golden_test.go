package webhook

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paraph-sign/paraph"
)

var update = flag.Bool("update", false, "write the golden files anew")

func receiverOf() paraph.Endpoint {
	return paraph.Endpoint{URL: "https://hooks.reader.example/in?x=1&y=<2>"}
}

// TestGoldens holds every body against testdata/<dialect>/<event>.json, which has the same bytes, indented.
func TestGoldens(t *testing.T) {
	t.Parallel()
	at := snapshots(t)
	for _, n := range Names() {
		t.Run(n.Name, func(t *testing.T) {
			t.Parallel()
			s, ok := at[n.Name]
			if !ok {
				t.Fatal("the story never comes to this event")
			}
			body, err := Render(n.Name, s, receiverOf())
			if err != nil {
				t.Fatal(err)
			}
			checkCompact(t, body)
			compareGolden(t, filepath.Join("testdata", string(n.Dialect), n.Name+".json"), body)
		})
	}
}

// checkCompact: as sent there is no white space between tokens and nothing is escaped that JSON doesn't ask to escape.
func checkCompact(t *testing.T, body []byte) {
	t.Helper()
	var compact bytes.Buffer
	if err := json.Compact(&compact, body); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(compact.Bytes(), body) {
		t.Errorf("not compact: %s", body)
	}
	if bytes.Contains(body, []byte(`\u003c`)) || bytes.Contains(body, []byte(`\u0026`)) {
		t.Errorf("HTML is escaped: %s", body)
	}
}

func compareGolden(t *testing.T, path string, body []byte) {
	t.Helper()
	var indented bytes.Buffer
	if err := json.Indent(&indented, body, "", "  "); err != nil {
		t.Fatal(err)
	}
	indented.WriteByte('\n')
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, indented.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), indented.String()); diff != "" {
		t.Errorf("%s (go test ./internal/webhook -update writes it anew)\n%s", path, diff)
	}
}

func TestNoGoldenWithoutAnEvent(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(Names()) {
		t.Errorf("%d golden files for %d events", len(files), len(Names()))
	}
}
