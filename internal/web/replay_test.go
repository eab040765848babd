package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/store"
)

// failDeliveries stores deliveries of a webhook that failed.
func failDeliveries(t *testing.T, w *desktest.World, e paraph.Endpoint, events ...string) {
	t.Helper()
	err := w.Store.Update(t.Context(), func(tx *store.Tx) error {
		var ds []paraph.Delivery
		for _, name := range events {
			ds = append(ds, paraph.Delivery{
				AccountID: e.AccountID, EndpointID: e.ID, EventName: name, MessageID: paraph.NewUUID(), Body: []byte("{}"), State: paraph.DeliveryFailed,
				CreatedAt: tx.Now(), FinishedAt: tx.Now(), NextAttemptAt: tx.Now(),
			})
		}
		return tx.InsertDeliveries(t.Context(), ds)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestReplayAsTold: from the webhook to the form, the count, the progress and
// its end, without scripts.
func TestReplayAsTold(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		p := w.Person(t, "Ada")
		e, err := w.Desk.CreateEndpoint(t.Context(), p.Who, paraph.Endpoint{URL: "https://hooks.example.com/a", Events: []string{"*"}, Enabled: true})
		if err != nil {
			t.Fatal(err)
		}
		failDeliveries(t, w, e, "document.sent", "document.signed", "form.viewed")
		w.Clock.Advance(2 * time.Hour)
		v := siteOf(t, w).as(t, p)
		link := v.get(hookPath(e.ID)).Find("a:contains('Replay')").AttrOr("href", "")
		form := v.get(link).is(http.StatusOK).silent("Nothing matches").Find("main form[method=get]")
		if form.Find("input[name=state][checked]").Length() != 2 || form.Find("input[name=period][checked]").AttrOr("value", "") != "any" {
			t.Errorf("the empty form chooses %d states", form.Find("input[name=state][checked]").Length())
		}

		v.get(link + "?period=hour&state=failed").is(http.StatusOK).says("Nothing matches")
		v.get(link + "?state=skipped&since=2026-01-01T00:00:00Z").is(http.StatusOK).says("Nothing matches")
		v.get(link + "?since=yesterday&period=own").is(http.StatusUnprocessableEntity).says("Write a time such as")
		v.get(link + "?envelope=x").is(http.StatusUnprocessableEntity).says("is a number")
		v.get(link + "?state=pending").is(http.StatusUnprocessableEntity).says("sent anyway")
		counted := v.get(link + "?period=day&state=failed&event=document.*").is(http.StatusOK).says("2 deliveries to send again")
		confirm := counted.Find("main form[action='" + hookPath(e.ID) + "/replays']")
		var pairs []string
		for _, in := range confirm.Find("input[type=hidden]").EachIter() {
			pairs = append(pairs, in.AttrOr("name", ""), in.AttrOr("value", ""))
		}
		v.post(hookPath(e.ID)+"/replays", pairs...).goes(replayPath(e.ID, 1))

		page := v.get(replayPath(e.ID, 1)).is(http.StatusOK).says("Replay of 2 deliveries").says("Running").says("Ada")
		if bar := page.Find("progress"); bar.AttrOr("max", "") != "2" || bar.AttrOr("value", "") != "0" {
			t.Errorf("the bar is at %q of %q", bar.AttrOr("value", ""), bar.AttrOr("max", ""))
		}
		if page.Find("#replay[data-live]").Length() != 1 || !strings.Contains(page.Find("head noscript").Text(), `http-equiv="refresh"`) {
			t.Error("the page does not ask for itself again")
		}
		v.post(hookPath(e.ID)+"/replays", "state", "failed").is(http.StatusConflict).says("still running")
		v.get(link).says("A replay is running")
		w.RunDue(t)
		log := v.get(hookPath(e.ID) + "?replay=1").is(http.StatusOK).says("Replay: 1")
		if n := log.Find("#deliveries tbody tr").Length(); n != 2 {
			t.Errorf("the log of the replay has %d rows", n)
		}
		v.get(replayPath(e.ID, 1)).says("All are queued")
		v.get(replayPath(e.ID, 1) + "?do=cancel").says("Cancel this replay?")
		v.post(replayPath(e.ID, 1) + "/cancel").goes(replayPath(e.ID, 1))
		page = v.get(replayPath(e.ID, 1)).says("Cancelled").says("Nothing more is queued").says("Replay what is left")
		if page.Find("#replay[data-live]").Length() != 0 || page.Find("head noscript").Length() != 0 {
			t.Error("a page that is at rest asks for itself again")
		}
		again := page.Find("a:contains('Replay what is left')").AttrOr("href", "")
		v.get(again).is(http.StatusOK).says("2 deliveries to send again").says("Replays so far")

		if _, err := w.Desk.UpdateEndpoint(t.Context(), p.Who, e.ID, func(e *paraph.Endpoint) { e.Enabled = false }); err != nil {
			t.Fatal(err)
		}
		off := v.get(again).is(http.StatusOK).says("Switch it on first").says("Since it was switched off")
		if off.Find("button[disabled]:contains('again')").Length() != 1 {
			t.Error("a replay can be begun while the webhook is off")
		}
		v.post(hookPath(e.ID)+"/replays", "state", "failed").is(http.StatusConflict).says("switched off")
		v.get(fmt.Sprintf("%s/replays/%d", hookPath(e.ID), 99)).is(http.StatusNotFound)
	})
}
