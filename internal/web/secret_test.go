package web

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/webhook"
)

func TestSecretsAreShownOnDemand(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		v, p, e := hooked(t, w)
		path := hookPath(e.ID)
		if n := v.get(path).is(http.StatusOK).Find("a[href='" + path + "/secrets']").Length(); n != 1 {
			t.Errorf("%d links lead to the secrets", n)
		}
		v.get(path + "/secrets").is(http.StatusOK).says("Signing secret").says("Authorization").says("X-Documenso-Secret").silent(e.SigningSecret).silent("hush-hush").silent("Bearer 12345")
		v.post(path + "/secrets").is(http.StatusOK).says(e.SigningSecret).says("hush-hush").says("Bearer 12345")

		v.post(path+"/secret", "grace", "1", "secret", "a secret of my own").goes(path + "/secrets")
		v.get(path + "/secrets").says("a secret of my own").says("End the old one now")
		v.get(path + "/secrets").silent("a secret of my own")
		v.post(path + "/secrets").says("a secret of my own").says(e.SigningSecret)
		v.post(path + "/secret/end").goes(path + "/secrets")
		v.get(path + "/secrets").says("The old secret has ended").silent("Previous signing secret")
		v.post(path + "/secrets").says("a secret of my own").silent(e.SigningSecret)

		for _, wrong := range [][2]string{{"grace", "169"}, {"grace", "-1"}, {"grace", "soon"}, {"grace", "NaN"}, {"secret", "short"}, {"secret", "whsec_!"}} {
			a := v.post(path+"/secret", wrong[0], wrong[1]).is(http.StatusUnprocessableEntity)
			if a.errorAt(wrong[0]) == "" {
				t.Errorf("%v: nothing stands beside it", wrong)
			}
		}
		now, err := w.Store.Endpoint(t.Context(), p.Who.AccountID, e.ID)
		if err != nil || now.SigningSecret != "a secret of my own" {
			t.Errorf("stored %q, %v", now.SigningSecret, err)
		}
	})
}

// What the form shows masked stays as it is when it is sent back.
func TestAMaskSentBackKeepsTheSecret(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	v, p, e := hooked(t, w)
	e, err := w.Desk.UpdateEndpoint(t.Context(), p.Who, e.ID, func(e *paraph.Endpoint) {
		e.Headers = [][2]string{{"X-A", "first"}, {"X-A", "second"}, {"X-B", "third"}}
	})
	if err != nil {
		t.Fatal(err)
	}
	send := func(secret, headers string) paraph.Endpoint {
		t.Helper()
		v.post(hookPath(e.ID), "url", e.URL, "events", "*", "secret", secret, "headers", headers).goes(hookPath(e.ID))
		now, err := w.Store.Endpoint(t.Context(), p.Who.AccountID, e.ID)
		if err != nil {
			t.Fatal(err)
		}
		return now
	}
	form := v.get(hookPath(e.ID) + "/edit")
	now := send(form.value("secret"), form.value("headers"))
	if now.Secret != "hush-hush" || fmt.Sprint(now.Headers) != "[[X-A first] [X-A second] [X-B third]]" {
		t.Errorf("sent back as it was, it is %q, %v", now.Secret, now.Headers)
	}
	now = send("", "X-B: ********\nx-a: ********\nX-New: n")
	if now.Secret != "" || fmt.Sprint(now.Headers) != "[[X-B third] [x-a first] [X-New n]]" {
		t.Errorf("changed, it is %q, %v", now.Secret, now.Headers)
	}
}

func TestMembersSeeSecretsMasked(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		admin, member := w.Team(t, w.Person(t, "Ann Admin"), w.Person(t, "Mel Member"))
		s := siteOf(t, w)
		in := func(p desktest.Person) *visitor {
			t.Helper()
			v := s.as(t, p)
			v.post("/space", "space", strconv.FormatInt(p.Who.AccountID, 10)).goes("/envelopes")
			return v
		}
		mel, ann := in(member), in(admin)
		mel.post("/settings/webhooks", "url", "https://hooks.example.com/a", "events", "*", "secret", "hush-hush").goes("/settings/webhooks")
		es, err := w.Store.Endpoints(t.Context(), member.Who.AccountID)
		if err != nil || len(es) != 1 {
			t.Fatal(es, err)
		}
		e, path := es[0], hookPath(es[0].ID)
		mel.get("/settings/webhooks").says(e.SigningSecret) // who makes it gets it, once
		pages := []string{"/settings/webhooks", path, path + "/edit", path + "/secrets"}
		for _, page := range pages {
			mel.get(page).is(http.StatusOK).silent(e.SigningSecret).silent("hush-hush")
		}
		mel.get(path + "/secrets").says("Only admins")
		for _, verb := range []string{"/secrets", "/secret", "/secret/end"} {
			mel.post(path + verb).is(http.StatusForbidden).silent(e.SigningSecret).silent("hush-hush")
		}
		// The cookie that shows a new secret is not one that anybody can write.
		name := "__Host-fresh"
		for _, forged := range []string{strconv.FormatInt(e.ID, 10), fmt.Sprintf("%d.%d.AAAA", e.ID, w.Store.Now().Add(time.Hour).Unix())} {
			for _, page := range pages {
				mel.cookies[name] = &http.Cookie{Name: name, Value: forged}
				mel.get(page).silent(e.SigningSecret)
			}
		}
		ann.post(path + "/secret").goes(path + "/secrets")
		now, err := w.Store.Endpoint(t.Context(), member.Who.AccountID, e.ID)
		if err != nil {
			t.Fatal(err)
		}
		mel.cookies[name] = ann.cookies[name] // and it is for one user
		mel.get(path + "/secrets").silent(now.SigningSecret)
		w.Clock.Advance(freshFor)
		ann.get(path + "/secrets").silent(now.SigningSecret)
		ann.post(path + "/secrets").says(now.SigningSecret).says("hush-hush")
	})
}

func TestAFailingWebhookSaysSo(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		v, p, e := hooked(t, w)
		path := hookPath(e.ID)
		if err := w.Desk.PrepareSweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		fail := func(days int) {
			t.Helper()
			for range 2 * days {
				settle(t, w, e, webhook.Result{
					Delivery: paraph.Delivery{State: paraph.DeliveryPending, Attempts: 1, NextAttemptAt: w.Store.Now().Add(time.Hour), LastStatus: 503, LastError: "http_503"},
					Attempt:  paraph.Attempt{Number: 1, Status: 503, Code: "http_503", Error: "The receiver answered 503 Service Unavailable."},
				})
				w.Clock.Advance(12 * time.Hour)
				w.RunDue(t)
			}
		}
		v.get(path).silent("has failed since")
		fail(3)
		v.get(path).says("Every attempt has failed since 14 September 2026, 10:00 UTC").says("answered 503").says("will be switched off at 19 September 2026, 10:00 UTC").says("Failing")
		v.get("/settings/webhooks").says("Failing")
		fail(2)
		v.get("/settings/webhooks").says("Off: failing").silent("Failing")
		v.get(path).says("This webhook was switched off").says("Every attempt since").silent("will be switched off")

		v = siteOf(t, w).as(t, p) // the session of then has run out
		a := v.post(path+"/switch", "on", "yes")
		page := v.get(a.header.Get("Location")).is(http.StatusOK).says("The webhook is on").says("10 deliveries failed or were skipped while it was off")
		replay := page.Find("a:contains('Send them now')").AttrOr("href", "")
		form := v.get(replay).is(http.StatusOK)
		if form.value("since") != "2026-09-14T10:00" {
			t.Errorf("%s begins at %q", replay, form.value("since"))
		}
		form.says("10 deliveries")
		v.get(path).silent("Send them now").silent("has failed since")

		settle(t, w, e, webhook.Result{
			Delivery: paraph.Delivery{State: paraph.DeliveryFailed, Attempts: 1, FinishedAt: w.Store.Now(), LastStatus: 410, LastError: "http_410"},
			Attempt:  paraph.Attempt{Number: 1, Status: 410, Code: "http_410"}, Gone: true,
		})
		v.get("/settings/webhooks").says("Off: gone")
		v.post(path+"/switch", "on", "yes")
		v.post(path+"/switch", "on", "no")
		if list := v.get("/settings/webhooks"); strings.Contains(list.Find("tbody").Text(), "Off:") || !strings.Contains(list.Find("tbody").Text(), "Off") {
			t.Errorf("paused by hand the list says %q", list.Find("tbody").Text())
		}
	})
}

// settle writes a result of a new delivery of a webhook, as the dispatcher does.
func settle(t *testing.T, w *desktest.World, e paraph.Endpoint, r webhook.Result) {
	t.Helper()
	ds := []paraph.Delivery{{
		AccountID: e.AccountID, EndpointID: e.ID, EventName: "document.sent", MessageID: "msg_" + paraph.NewToken(8), Body: []byte("{}"),
		State: paraph.DeliveryPending, NextAttemptAt: w.Store.Now(), CreatedAt: w.Store.Now(),
	}}
	err := w.Store.Update(t.Context(), func(tx *store.Tx) error { return tx.InsertDeliveries(t.Context(), ds) })
	if err != nil {
		t.Fatal(err)
	}
	made := ds[0]
	made.State, made.Attempts, made.NextAttemptAt, made.FinishedAt = r.Delivery.State, r.Delivery.Attempts, r.Delivery.NextAttemptAt, r.Delivery.FinishedAt
	made.LastStatus, made.LastError = r.Delivery.LastStatus, r.Delivery.LastError
	r.Delivery, r.Attempt.DeliveryID, r.Attempt.At = made, made.ID, w.Store.Now()
	if _, err := w.Desk.Queue().Settle(t.Context(), webhook.Batch{Results: []webhook.Result{r}}); err != nil {
		t.Fatal(err)
	}
}
