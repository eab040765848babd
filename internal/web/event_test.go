package web

import (
	"net/http"
	"slices"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// The form offers every event, every family and all; a test can be sent of
// every event, whatever the webhook asks for.
func TestPagesOfferEveryEvent(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	p := w.Person(t, "Ada")
	v := siteOf(t, w).as(t, p)
	e, err := w.Desk.CreateEndpoint(t.Context(), p.Who, paraph.Endpoint{URL: "https://hooks.example.com/a", Events: []string{"form.viewed"}, Enabled: true})
	if err != nil {
		t.Fatal(err)
	}
	values := func(s *goquery.Selection) []string {
		return s.Map(func(_ int, e *goquery.Selection) string { return e.AttrOr("value", "") })
	}
	var names []string
	choices := []string{"*"}
	for _, n := range webhook.Names() {
		names = append(names, n.Name)
		choices = append(choices, n.Name)
		if alone := n.Family() == "recipient.*"; !alone && !slices.Contains(choices, n.Family()) {
			choices = append(choices, n.Family())
		}
	}
	form := v.get("/settings/webhooks/new").is(http.StatusOK)
	got := values(form.Find("input[name=events]"))
	slices.Sort(got)
	slices.Sort(choices)
	if !slices.Equal(got, choices) {
		t.Errorf("the form offers %v, want %v", got, choices)
	}
	if form.Find("a[href='/docs/events']").Length() != 1 {
		t.Error("the form does not lead to the page of events")
	}
	if got := values(v.get(hookPath(e.ID)).Find("select[name=event] option")); !slices.Equal(got, names) {
		t.Errorf("tests are offered of %v", got)
	}
}
