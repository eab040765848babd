package api_test

import (
	"fmt"
	"testing"

	"github.com/paraph-sign/paraph/internal/api"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/dev/hostiletest"
)

// A webhook can't be made for, or moved to, an address that would not be called.
func TestWebhookAddresses(t *testing.T) {
	t.Parallel()
	s := serve(t, desktest.New(t, desktest.Options{}), func(c *api.Config) { c.RequestsPerMinute = 10000 })
	ann := s.Person(t, "Ann Admin")
	made := s.request(t, ann.Token, "POST", "/api/webhooks", m{"url": "https://example.com/hook", "events": []string{"*"}}).must(201)
	path := fmt.Sprintf("/api/webhooks/%d", made.number("id"))
	for _, a := range hostiletest.Addresses() {
		url := a.URL("8080")
		if got := s.request(t, ann.Token, "POST", "/api/webhooks", m{"url": url, "events": []string{"*"}}).must(422).text("field"); got != "url" {
			t.Errorf("%s is refused at %q", url, got)
		}
		if got := s.request(t, ann.Token, "PUT", path, m{"url": url}).must(422).text("field"); got != "url" {
			t.Errorf("a move to %s is refused at %q", url, got)
		}
	}
	if all := s.request(t, ann.Token, "GET", "/api/webhooks", nil).must(200).list("data"); len(all) != 1 {
		t.Errorf("there are %d webhooks", len(all))
	}
	if url := s.request(t, ann.Token, "GET", path, nil).must(200).text("url"); url != "https://example.com/hook" {
		t.Errorf("the webhook has moved to %s", url)
	}
}
