package api_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/paraph-sign/paraph/internal/api"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
)

// server is the API over a world.
type server struct {
	*desktest.World
	url string
}

func serve(t testing.TB, w *desktest.World, change func(*api.Config)) *server {
	t.Helper()
	cfg := api.Config{Desk: w.Desk, Store: w.Store, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Version: "1.2.3", MaxSize: w.Desk.MaxSize}
	if change != nil {
		change(&cfg)
	}
	h, err := api.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return &server{w, s.URL}
}

// each runs a test against the API on every database engine.
func each(t *testing.T, f func(t *testing.T, s *server)) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) { f(t, serve(t, w, nil)) })
}

// on runs a test against the API on SQLite.
func on(t *testing.T, o desktest.Options) *server {
	t.Helper()
	return serve(t, desktest.New(t, o), nil)
}

// answer is what the API said.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

// request asks the API. body is text, bytes, or becomes JSON; headers are
// name: value.
func (s *server) request(t testing.TB, token, method, path string, body any, headers ...string) answer {
	t.Helper()
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	case []byte:
		r = bytes.NewReader(b)
	default:
		j, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		r = bytes.NewReader(j)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, r)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("X-Auth-Token", token)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{t, res.StatusCode, res.Header, b}
}

// must insists on a status and reads the body.
func (a answer) must(status int) object {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("answered %d, want %d: %s", a.status, status, a.body)
	}
	return a.object()
}

func (a answer) object() object {
	a.t.Helper()
	var v map[string]any
	if err := json.Unmarshal(a.body, &v); err != nil {
		a.t.Fatalf("answered %d %s: %v", a.status, a.body, err)
	}
	return object{a.t, v}
}

// object reads JSON by a path such as "submitters.0.slug".
type object struct {
	t testing.TB
	v map[string]any
}

func (o object) at(path string) any {
	o.t.Helper()
	var v any = o.v
	for part := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			got, ok := x[part]
			if !ok {
				o.t.Fatalf("%s: there is no %q in %v", path, part, x)
			}
			v = got
		case []any:
			i := int(part[0] - '0')
			if len(part) != 1 || i >= len(x) {
				o.t.Fatalf("%s: there is no %q in a list of %d", path, part, len(x))
			}
			v = x[i]
		default:
			o.t.Fatalf("%s: %q is asked of %v", path, part, v)
		}
	}
	return v
}

func (o object) text(path string) string {
	o.t.Helper()
	s, ok := o.at(path).(string)
	if !ok {
		o.t.Fatalf("%s is %v, no text", path, o.at(path))
	}
	return s
}

func (o object) number(path string) int64 {
	o.t.Helper()
	n, ok := o.at(path).(float64)
	if !ok {
		o.t.Fatalf("%s is %v, no number", path, o.at(path))
	}
	return int64(n)
}

func (o object) list(path string) []any {
	o.t.Helper()
	l, ok := o.at(path).([]any)
	if !ok {
		o.t.Fatalf("%s is %v, no list", path, o.at(path))
	}
	return l
}

// m is a JSON object in a test.
type m = map[string]any

func base64Of(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// area is a place of its own for the n-th field.
func area(page, n int) m {
	return m{"x": 0.1, "y": 0.1 + 0.08*float64(n), "w": 0.3, "h": 0.05, "page": page}
}

// lease is a submission for two who sign one after the other.
func lease() m {
	return m{
		"name": "Lease", "order": "preserved",
		"documents": []m{{"name": "Lease 1.2", "file": base64Of(desktest.PDF(2)), "fields": []m{
			{"name": "Full name", "type": "text", "role": "Tenant", "areas": []m{area(1, 0)}},
			{"name": "Rent", "type": "number", "role": "Tenant", "required": false, "areas": []m{area(1, 1)}},
			{"name": "Pets", "type": "checkbox", "role": "Tenant", "required": false, "areas": []m{area(1, 2)}},
			{"name": "Signature", "type": "signature", "role": "Tenant", "areas": []m{area(2, 0)}},
			{"type": "signature", "role": "Landlord", "areas": []m{area(2, 1)}},
		}}},
		"submitters": []m{
			{"role": "Tenant", "name": "Tom Tenant", "email": "tom@example.com", "external_id": "crm-7", "metadata": m{"deal": "D-1"}},
			{"role": "Landlord", "name": "Lea Landlord", "email": "lea@example.com"},
		},
	}
}

func png(t testing.TB) []byte { return desktest.Signature(t) }

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
