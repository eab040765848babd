package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestTakesGzip(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"": false, "br": false, "gzip": true, "br, gzip;q=0.5": true, "gzip; q=1": true, "gzip;q=0": false, "gzip;q=0.000, br": false, "gzip;q=much": false,
		"xgzip": false,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept-Encoding", header)
		if got := takesGzip(r); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}

func TestSignersPagesComeCompressed(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for _, path := range []string{s.bob(), s.bob() + "/plain", s.bob() + "/task"} {
		plain := s.nobody(t).get(path).is(http.StatusOK)
		if plain.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s: compressed for who did not ask", path)
		}
		squeezed := s.nobody(t).get(path, "Accept-Encoding", "br, gzip").is(http.StatusOK)
		if squeezed.Header().Get("Content-Encoding") != "gzip" || squeezed.Header().Get("Vary") == "" {
			t.Fatalf("%s: headers %v", path, squeezed.Header())
		}
		size := squeezed.Body.Len()
		z, err := gzip.NewReader(squeezed.Body)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(z)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if string(body) != plain.Body.String() || size >= len(body) {
			t.Errorf("%s: %d bytes compressed of %d, or not the same", path, size, len(body))
		}
	}
}

func TestFailuresAreNotCompressed(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for _, path := range []string{"/sign/nonsense", "/sign/nonsense/task"} {
		a := s.nobody(t).get(path, "Accept-Encoding", "gzip").is(http.StatusNotFound)
		if a.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s: a failure is compressed", path)
		}
	}
}
