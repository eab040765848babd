package assets_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"

	"github.com/paraph-sign/paraph/internal/web/ui/assets"
)

func built() fstest.MapFS {
	return fstest.MapFS{
		"manifest.json":    {Data: []byte(`{"app.css":"app-AAAA.css","font.woff2":"font-BBBB.woff2"}`)},
		"app-AAAA.css":     {Data: []byte("body{}")},
		"app-AAAA.css.br":  {Data: []byte("brotli")},
		"app-AAAA.css.gz":  {Data: []byte("gzip")},
		"font-BBBB.woff2":  {Data: []byte("font")},
		"dist.go":          {Data: []byte("package dist")},
		"secret/inner.css": {Data: []byte("inner")},
	}
}

func TestNewRefusesAnEmptyBuild(t *testing.T) {
	t.Parallel()
	_, err := assets.New(assets.Config{Files: fstest.MapFS{".gitkeep": {}}})
	if !errors.Is(err, assets.ErrNotBuilt) {
		t.Fatalf("got %v, want ErrNotBuilt", err)
	}
}

func TestNewRefusesAManifestThatNamesAMissingFile(t *testing.T) {
	t.Parallel()
	files := built()
	delete(files, "font-BBBB.woff2")
	if _, err := assets.New(assets.Config{Files: files}); err == nil {
		t.Fatal("a missing file was accepted")
	}
}

func TestURL(t *testing.T) {
	t.Parallel()
	a, err := assets.New(assets.Config{Files: built()})
	if err != nil {
		t.Fatal(err)
	}
	if got := a.URL("app.css"); got != "/assets/app-AAAA.css" {
		t.Errorf("app.css is at %q", got)
	}
	if got := get(t, a, a.URL("nothing.css"), ""); got.Code != http.StatusNotFound {
		t.Errorf("an unknown name answers %d", got.Code)
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	a, err := assets.New(assets.Config{Files: built()})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, path, accept string
		code               int
		body, encoding     string
	}{
		{"plain", "/assets/app-AAAA.css", "", 200, "body{}", ""},
		{"brotli first", "/assets/app-AAAA.css", "gzip, br", 200, "brotli", "br"},
		{"gzip", "/assets/app-AAAA.css", "gzip;q=0.5", 200, "gzip", "gzip"},
		{"refused coding", "/assets/app-AAAA.css", "br;q=0, gzip;q=0", 200, "body{}", ""},
		{"a font has no twin", "/assets/font-BBBB.woff2", "br", 200, "font", ""},
		{"source", "/assets/dist.go", "", 404, "", ""},
		{"manifest", "/assets/manifest.json", "", 404, "", ""},
		{"twin by name", "/assets/app-AAAA.css.br", "", 404, "", ""},
		{"upwards", "/assets/../dist.css", "", 404, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := get(t, a, tt.path, tt.accept)
			if got.Code != tt.code {
				t.Fatalf("answered %d, want %d", got.Code, tt.code)
			}
			if tt.code == 200 && (got.Body.String() != tt.body || got.Header().Get("Content-Encoding") != tt.encoding) {
				t.Errorf("got %q in %q", got.Body.String(), got.Header().Get("Content-Encoding"))
			}
		})
	}
}

func get(t *testing.T, h http.Handler, path, accept string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.URL.Path = path
	if accept != "" {
		r.Header.Set("Accept-Encoding", accept)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
