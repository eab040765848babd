package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
)

// TestWebhooksAsTold goes the way that the guide to webhooks tells: avatar,
// “User settings”, the tab “Webhooks”, the button, the form, the list.
func TestWebhooksAsTold(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		s := siteOf(t, w)
		p := w.Person(t, "Ada")
		v := s.as(t, p)
		menu := v.get("/envelopes").Find("header a:contains('User settings')")
		v.get(menu.AttrOr("href", "")).goes("/settings/profile")
		tab := v.get("/settings/profile").Find("nav[aria-label='Settings'] a:contains('Webhooks')")
		list := v.get(tab.AttrOr("href", "")).is(http.StatusOK).says("No webhooks yet")
		open := list.Find("a[data-dialog]").First()
		if strings.TrimSpace(open.Text()) != "Create Webhook" || list.Find("dialog#"+open.AttrOr("data-dialog", "")).Length() != 1 {
			t.Fatalf("the button %q opens no modal", open.Text())
		}
		form := list.Find("dialog#create form")
		for _, e := range []string{"document.created", "document.sent", "document.opened", "document.signed", "document.completed"} {
			if n := form.Find("input[name=events][value='" + e + "']").Length(); n != 1 {
				t.Errorf("%d inputs for %s", n, e)
			}
		}
		if form.Find("input[name=secret]").Length() != 1 || strings.TrimSpace(form.Find("button").Last().Text()) != "Create Webhook" {
			t.Error("the modal has no secret, or its button is called otherwise")
		}
		v.get(open.AttrOr("href", "")).is(http.StatusOK) // the same without scripts

		v.post(form.AttrOr("action", ""), "url", "https://hooks.example.com/a", "events", "document.signed", "events", "document.completed", "secret", "hush").goes("/settings/webhooks")
		list = v.get("/settings/webhooks").says("https://hooks.example.com/a").says("document.signed")
		secret := list.Find("copy-button").AttrOr("data-text", "")
		es, err := w.Store.Endpoints(t.Context(), p.Who.AccountID)
		if err != nil || len(es) != 1 || es[0].SigningSecret != secret || es[0].Secret != "hush" || !es[0].Enabled || fmt.Sprint(es[0].Events) != "[document.signed document.completed]" {
			t.Fatalf("stored %+v, %v; shown %q", es, err, secret)
		}
		v.get("/settings/webhooks").silent(secret)
		row := list.Find("tbody tr").First()
		if got := row.Find("td.actions a").Map(func(_ int, a *goquery.Selection) string { return strings.TrimSpace(a.Text()) }); fmt.Sprint(got) != "[Edit Delete]" {
			t.Errorf("the row offers %q", got)
		}

		edit := row.Find("a:contains('Edit')").AttrOr("href", "")
		a := v.get(edit).is(http.StatusOK)
		if a.value("url") != "https://hooks.example.com/a" || a.Find("input[name=events][checked]").Length() != 2 {
			t.Error("the form does not show the webhook")
		}
		v.post(hookPath(es[0].ID), "url", "https://hooks.example.com/b", "events", "form.*", "events", "form.viewed", "schedule", "own", "steps", "5, 300", "timeout", "2.5",
			"rate", "10", "headers", "Authorization: Bearer x\r\n\r\nX-Team:legal", "description", "The CRM", "ordered", "on").goes(hookPath(es[0].ID))
		e, err := w.Store.Endpoint(t.Context(), p.Who.AccountID, es[0].ID)
		if err != nil || e.URL != "https://hooks.example.com/b" || fmt.Sprint(e.Events) != "[form.*]" || e.Schedule != "5,300" || e.Timeout != 2500*time.Millisecond ||
			e.Rate != 10 || fmt.Sprint(e.Headers) != "[[Authorization Bearer x] [X-Team legal]]" || !e.Ordered || e.Secret != "" || e.SigningSecret != secret || !e.Enabled {
			t.Errorf("stored %+v, %v", e, err)
		}
		again := v.get(edit)
		if again.value("steps") != "5, 300" || again.value("timeout") != "2.5" || again.value("headers") != "Authorization: ********\nX-Team: ********" {
			t.Errorf("the form shows %q, %q, %q", again.value("steps"), again.value("timeout"), again.value("headers"))
		}

		v.get(row.Find("a:contains('Delete')").AttrOr("href", "")).is(http.StatusOK).says("Delete this webhook?")
		v.post(hookPath(e.ID) + "/delete").goes("/settings/webhooks")
		v.get("/settings/webhooks").says("No webhooks yet")
		v.get(hookPath(e.ID)).is(http.StatusNotFound)
	})
}

func TestWebhookFormSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	s := siteOf(t, w)
	v := s.as(t, w.Person(t, "Ada"))
	good := map[string]string{"url": "https://hooks.example.com/a", "events": "document.signed", "description": "Kept"}
	for _, c := range []struct{ name, value, at string }{
		{"url", "", "url"},
		{"url", "ftp://x.example", "url"},
		{"url", "https://me:pw@x.example/", "url"},
		{"url", "http://0x7f.1/", "url"},
		{"events", "", "events"},
		{"events", "document.singed", "events"},
		{"secret", "line\nbreak", "secret"},
		{"headers", "no colon", "headers"},
		{"headers", "Host: x", "headers"},
		{"headers", "webhook-id: x", "headers"},
		{"schedule", "sometimes", "schedule"},
		{"schedule", "own", "schedule"},
		{"timeout", "99", "timeout"},
		{"timeout", "0", "timeout"},
		{"timeout", "NaN", "timeout"},
		{"timeout", "soon", "timeout"},
		{"timeout", "-1", "timeout"},
		{"concurrency", "65", "concurrency"},
		{"concurrency", "1.5", "concurrency"},
		{"concurrency", "0", "concurrency"},
		{"rate", "-1", "rate"},
		{"rate", "1e9", "rate"},
		{"rate", "Inf", "rate"},
	} {
		var pairs []string
		for name, value := range good {
			if name != c.name {
				pairs = append(pairs, name, value)
			}
		}
		a := v.post("/settings/webhooks", append(pairs, c.name, c.value)...).is(http.StatusUnprocessableEntity)
		if a.errorAt(c.at) == "" {
			t.Errorf("%s = %q: nothing stands beside %s", c.name, c.value, c.at)
		}
		if a.value("description") != "Kept" {
			t.Errorf("%s = %q: what was entered is lost", c.name, c.value)
		}
	}
	v.get("/settings/webhooks").says("No webhooks yet")
}

// hooked is somebody with a webhook.
func hooked(t *testing.T, w *desktest.World) (*visitor, desktest.Person, paraph.Endpoint) {
	t.Helper()
	p := w.Person(t, "Ada")
	e, err := w.Desk.CreateEndpoint(t.Context(), p.Who, paraph.Endpoint{
		URL: "https://hooks.example.com/a", Events: []string{"*"}, Secret: "hush-hush", Headers: [][2]string{{"Authorization", "Bearer 12345"}}, Enabled: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return siteOf(t, w).as(t, p), p, e
}

func TestSwitchAndRotate(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		v, p, e := hooked(t, w)
		path := hookPath(e.ID)
		v.post(path+"/switch", "on", "no").goes(path)
		v.get(path).says("This webhook is switched off").says("Switch on")
		v.post(path+"/test", "event", "document.sent").goes(path)
		v.get(path).says("switch it on first")
		v.post(path+"/switch", "on", "yes").goes(path)
		v.get(path).says("Switch off")
		v.post(path + "/secret").goes(path + "/secrets")
		now, err := w.Store.Endpoint(t.Context(), p.Who.AccountID, e.ID)
		if err != nil || now.SigningSecret == e.SigningSecret || now.PreviousSecret != e.SigningSecret || now.PreviousUntil.Sub(w.Store.Now()) != paraph.DefaultGrace {
			t.Errorf("rotated to %+v; %v", now, err)
		}
		if got := v.get(path+"/secrets").Find("copy-button").AttrOr("data-text", ""); got != now.SigningSecret {
			t.Errorf("shown %q", got)
		}
		for _, page := range []string{path, path + "/edit", path + "/secrets", "/settings/webhooks"} {
			v.get(page).is(http.StatusOK).silent(now.SigningSecret).silent(e.SigningSecret).silent("hush-hush").silent("Bearer 12345")
		}
		v.post(path+"/test", "event", "nothing.happened").goes(path)
		v.get(path).says("There is no event")
	})
}

// sends has what is due sent, each with the same outcome.
func sends(t *testing.T, w *desktest.World, e paraph.Endpoint, outcome func(d *paraph.Delivery, a *paraph.Attempt)) {
	t.Helper()
	err := w.Store.Update(t.Context(), func(tx *store.Tx) error {
		ds, err := storetest.Due(t.Context(), tx.Reader, e.ID, tx.Now(), 100)
		if err != nil {
			return err
		}
		var results []store.Result
		for _, d := range ds {
			a := paraph.Attempt{DeliveryID: d.ID, Number: 1, At: tx.Now(), Duration: 30 * time.Millisecond}
			d.Attempts++
			outcome(&d, &a)
			d.LastStatus, d.LastError = a.Status, a.Code
			results = append(results, store.Result{Delivery: d, Attempt: a})
		}
		if err := tx.SaveResults(t.Context(), results); err != nil {
			return err
		}
		return tx.AddToHours(t.Context(), results)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDeliveryPage(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		v, p, e := hooked(t, w)
		to := v.post(hookPath(e.ID)+"/test", "event", "document.sent")
		path := to.header.Get("Location")
		a := v.get(path).is(http.StatusOK).says("document.sent").says("The only attempt is due").says("Somebody sent a test").says("A test is tried once.").silent("If that fails").says("None yet.")
		if a.Find("[data-live]").Length() == 0 {
			t.Error("what is pending is not watched")
		}
		ds, err := w.Store.Deliveries(t.Context(), p.Who.AccountID, store.DeliveryFilter{Limit: 1})
		if err != nil || len(ds) != 1 {
			t.Fatal(ds, err)
		}
		d, err := w.Store.Delivery(t.Context(), p.Who.AccountID, ds[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		token := between(string(d.Body), `"token":"`, `"`)
		if len(token) < 10 {
			t.Fatalf("the body has no token: %s", d.Body)
		}
		event := d // the same of an event that happened
		event.ID, event.Test, event.MessageID = 0, false, "msg_event"
		err = w.Store.Update(t.Context(), func(tx *store.Tx) error { return tx.InsertDeliveries(t.Context(), []paraph.Delivery{event}) })
		if err != nil {
			t.Fatal(err)
		}
		ds, err = w.Store.Deliveries(t.Context(), p.Who.AccountID, store.DeliveryFilter{Limit: 1})
		if err != nil || len(ds) != 1 || ds[0].Test {
			t.Fatal(ds, err)
		}
		tested := path
		d, path = ds[0], deliveryPath(ds[0])
		v.get(path).says("Attempt 1 of 12 is due: it waits for its turn, or is under way.").says("If that fails")
		sends(t, w, e, func(d *paraph.Delivery, a *paraph.Attempt) { // a receiver that echoes all it gets
			if d.Test {
				d.State, d.FinishedAt = paraph.DeliveryFailed, w.Store.Now()
			}
			d.NextAttemptAt = w.Store.Now().Add(4 * time.Minute)
			a.Status, a.Code, a.Error, a.RemoteAddress = 503, "http_503", "The receiver answered 503 Service Unavailable.", "198.51.100.4:443"
			a.Timings = paraph.Timings{DNS: 2 * time.Millisecond, Connect: 5 * time.Millisecond, TLS: 12 * time.Millisecond, FirstByte: 28 * time.Millisecond, Total: 30 * time.Millisecond}
			a.RequestHeaders = [][2]string{{"webhook-id", d.MessageID}, {"X-Documenso-Secret", "********"}}
			a.ResponseHeaders = [][2]string{{"X-Echo", "hush-hush"}, {"X-Auth", "Bearer 12345"}}
			a.ResponseBody, a.Truncated = []byte("<b>you sent "+string(d.Body)+"</b>\xff"), true
		})
		a = v.get(path).is(http.StatusOK).silent(token).silent("hush-hush").silent("Bearer 12345").silent("<b>you sent")
		for _, says := range []string{
			"Retrying", "503 Service Unavailable", "198.51.100.4:443", "Attempt 2 of 12 comes in 4 min", "X-Echo", "A proxy answered, but the program behind it did not.",
			"Attempt 1: 503 Service Unavailable", "Then again after 2 min, 4 min, 8 min, 16 min, 32 min, 1 h 4 min, and 4 more times. It is given up after the last, on", "The rest was not kept.", d.MessageID, "TLS 7.0 ms", "Waiting 16 ms",
		} {
			a.says(says)
		}
		if n := a.Find("svg.timing rect").Length(); n != 5 {
			t.Errorf("the bar has %d pieces", n)
		}
		if body := a.Find("pre[aria-label='Body of the request']").Text(); !strings.HasPrefix(body, "{\n  \"event\": \"DOCUMENT_SENT\",") || !strings.Contains(body, `"token": "********"`) {
			t.Errorf("the body is shown as %s", body)
		}
		v.get(hookPath(e.ID)).says("503").says("in 4 min")
		v.get(tested).says("A test is tried once. Resend sends it again.")

		v.post(path + "/resend").goes(path)
		v.get(path).says("is due: it waits for its turn").says("It is sent again")
		sends(t, w, e, func(d *paraph.Delivery, a *paraph.Attempt) {
			d.State, d.FinishedAt, a.Status, a.Code = paraph.DeliverySucceeded, w.Store.Now(), 200, "ok"
		})
		a = v.get(path).says("Delivered").says("Attempt 2").says("Its body is empty.")
		if a.Find("[data-live]").Length() != 0 {
			t.Error("what is over is still watched")
		}
		v.get("/settings/webhooks").says("33.3 %").says("1 of 3 attempts")
	})
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

func TestDeliveryOfAnotherWebhook(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	v, p, e := hooked(t, w)
	other, err := w.Desk.CreateEndpoint(t.Context(), p.Who, paraph.Endpoint{URL: "https://hooks.example.com/b", Events: []string{"*"}, Enabled: true})
	if err != nil {
		t.Fatal(err)
	}
	d, err := w.Desk.SendTest(t.Context(), p.Who, other.ID, "form.viewed")
	if err != nil {
		t.Fatal(err)
	}
	v.get(deliveryPath(d)).is(http.StatusOK)
	v.get(hookPath(e.ID) + "/deliveries/" + id(d.ID)).is(http.StatusNotFound)
	v.post(hookPath(e.ID) + "/deliveries/" + id(d.ID) + "/resend").is(http.StatusNotFound)
}

func TestDeliveryLog(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		v, p, e := hooked(t, w)
		v.get(hookPath(e.ID)).is(http.StatusOK).says("Nothing sent yet")
		var first paraph.Delivery
		for i := range deliveriesAtOnce*2 + 3 {
			name := "document.sent"
			if i == 0 {
				name = "form.declined"
			}
			d, err := w.Desk.SendTest(t.Context(), p.Who, e.ID, name)
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				first = d
				w.Clock.Advance(24 * time.Hour)
			}
		}
		seen := map[string]bool{}
		path, pages := hookPath(e.ID), 0
		var back string
		for ; path != ""; pages++ {
			a := v.get(path).is(http.StatusOK)
			for _, href := range hrefs(a, "#deliveries td.lead a") {
				if seen[href] {
					t.Errorf("%s stands on two pages", href)
				}
				seen[href] = true
			}
			path, back = a.Find("a[rel=next]").AttrOr("href", ""), a.Find("a[rel=prev]").AttrOr("href", "")
		}
		if pages != 3 || len(seen) != deliveriesAtOnce*2+3 {
			t.Errorf("%d deliveries on %d pages", len(seen), pages)
		}
		if got := len(hrefs(v.get(back), "#deliveries td.lead a")); got != deliveriesAtOnce {
			t.Errorf("the page before the last has %d", got)
		}
		for q, want := range map[string]int{
			"event=form.declined": 1, "state=succeeded": 0, "state=pending&event=form.declined": 1, "q=" + id(first.ID): 1, "q=" + first.MessageID: 1, "q=nothing": 0,
			"until=2026-09-14": 1, "since=2026-09-14&until=2026-09-14": 1, "since=2026-09-16": 0, "state=nonsense&event=form.declined": 1, "within=1h": deliveriesAtOnce, "within=1h&event=form.declined": 0, "within=nonsense&event=form.declined": 1,
			"code=none": 0, "code=timeout": 0, "code=503": 0,
		} {
			if got := len(hrefs(v.get(hookPath(e.ID)+"?"+q).is(http.StatusOK), "#deliveries td.lead a")); got != want {
				t.Errorf("%s: %d deliveries, want %d", q, got, want)
			}
		}
		if a := v.get(hookPath(e.ID) + "?since=yesterday").is(http.StatusOK); a.errorAt("since") == "" {
			t.Error("nothing stands beside what is no date")
		}
	})
}

func hrefs(a shown, selector string) []string {
	var out []string
	for _, n := range a.Find(selector).Nodes {
		for _, attr := range n.Attr {
			if attr.Key == "href" {
				out = append(out, attr.Val)
			}
		}
	}
	return out
}
