package webhook

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// TestFetcher reaches what it is allowed to and nothing else, also when it is sent there.
func TestFetcher(t *testing.T) {
	t.Parallel()
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusFound)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		}
	}))
	t.Cleanup(inside.Close)
	guarded := NewFetcher(ClientConfig{})
	allowed := NewFetcher(ClientConfig{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	for _, c := range []struct {
		client *http.Client
		path   string
		says   string
	}{
		{guarded, "/", "not public"}, {allowed, "/", ""}, {allowed, "/away", "not public"}, {allowed, "/round", "redirected"},
	} {
		resp, err := c.client.Get(inside.URL + c.path)
		if err == nil {
			resp.Body.Close()
		}
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v", c.path, err)
		}
	}
}
