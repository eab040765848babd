package web

import (
	"net/http"
	"testing"

	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/dev/hostiletest"
)

// A form can't make a webhook for an address that would not be called, and shows why beside the input.
func TestWebhookAddresses(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	s, p := siteOf(t, w), w.Person(t, "Ada")
	v := s.as(t, p)
	for _, a := range hostiletest.Addresses() {
		form := v.post("/settings/webhooks", "url", a.URL("8080"), "events", "document.signed").is(http.StatusUnprocessableEntity)
		if form.errorAt("url") == "" {
			t.Errorf("%s: nothing stands beside the input", a.URL("8080"))
		}
	}
	if es, err := w.Store.Endpoints(t.Context(), p.Who.AccountID); err != nil || len(es) != 0 {
		t.Errorf("%d webhooks were made, %v", len(es), err)
	}
}
