package api_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/store"
)

func TestWebhookSecrets(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		ann := s.Person(t, "Ann Admin")
		made := s.request(t, ann.Token, "POST", "/api/webhooks", m{
			"url": "https://example.com/hooks", "events": []string{"form.*"}, "secret": "s3cret", "headers": m{"X-Tenant": "t3nant", "X-Other": "0ther"},
		}).must(201)
		first := made.text("signing_secret")
		stored := func() paraph.Endpoint {
			e, err := s.Store.Endpoint(t.Context(), ann.Who.AccountID, made.number("id"))
			if err != nil {
				t.Fatal(err)
			}
			return e
		}
		if e := stored(); first != e.SigningSecret || !strings.HasPrefix(first, "whsec_") {
			t.Errorf("the secret is %q", first)
		}
		for _, path := range []string{"/api/webhooks", "/api/webhooks/1"} {
			shown := string(s.request(t, ann.Token, "GET", path, nil).body)
			for _, secret := range []string{"whsec_", "signing_secret", "s3cret", "t3nant", "0ther"} {
				if strings.Contains(shown, secret) {
					t.Errorf("GET %s shows %s", path, secret)
				}
			}
		}
		// What was read can be sent back as it is.
		shown := s.request(t, ann.Token, "GET", "/api/webhooks/1", nil).must(200)
		s.request(t, ann.Token, "PUT", "/api/webhooks/1", shown.v).must(200)
		if e := stored(); e.Secret != "s3cret" || len(e.Headers) != 2 || e.Headers[1] != [2]string{"X-Tenant", "t3nant"} || e.SigningSecret != first {
			t.Errorf("sending back what was read changed it to %+v", e)
		}
		s.request(t, ann.Token, "PUT", "/api/webhooks/1", m{"secret": "", "headers": m{"X-Tenant": nil, "X-Other": "********", "X-New": "n"}}).must(200)
		if e := stored(); e.Secret != "" || len(e.Headers) != 2 || e.Headers[0] != [2]string{"X-New", "n"} || e.Headers[1] != [2]string{"X-Other", "0ther"} {
			t.Errorf("changed to %+v", e)
		}
		rotated := s.request(t, ann.Token, "POST", "/api/webhooks/1/rotate_secret", nil).must(200).text("signing_secret")
		if rotated == first || rotated != stored().SigningSecret {
			t.Errorf("rotated from %q to %q", first, rotated)
		}
	})
}

// What a receiver echoes is not read from the log.
func TestEchoedSecretsAreMasked(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{})
	ann := s.Person(t, "Ann Admin")
	s.request(t, ann.Token, "POST", "/api/webhooks", m{"url": "https://example.com/hooks", "events": []string{"document.sent"}, "secret": "hush-hush", "headers": m{"X-Auth": "Bearer 12345"}}).must(201)
	s.request(t, ann.Token, "POST", "/api/submissions/pdf", lease()).must(200)
	d, err := s.Store.Delivery(t.Context(), ann.Who.AccountID, 1)
	if err != nil {
		t.Fatal(err)
	}
	_, token, _ := strings.Cut(string(d.Body), `"token":"`)
	token, _, _ = strings.Cut(token, `"`)
	if len(token) < 10 {
		t.Fatalf("the body has no token: %s", d.Body)
	}
	err = s.Store.Update(t.Context(), func(tx *store.Tx) error {
		return tx.SaveResults(t.Context(), []store.Result{{Delivery: d, Attempt: paraph.Attempt{
			DeliveryID: d.ID, Number: 1, At: tx.Now(), Status: 500, Code: "http_500", ResponseHeaders: [][2]string{{"X-Echo", "Bearer 12345"}},
			ResponseBody: []byte("you sent hush-hush and " + string(d.Body)),
		}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	a := s.request(t, ann.Token, "GET", "/api/deliveries/1", nil)
	if got := a.must(200).list("attempts"); len(got) != 1 || !strings.Contains(string(a.body), "you sent ********") {
		t.Errorf("the attempt is %v", got)
	}
	for _, secret := range []string{token, "hush-hush", "12345"} {
		if strings.Contains(string(a.body), secret) {
			t.Errorf("%q can be read", secret)
		}
	}
	s.request(t, ann.Token, "DELETE", "/api/webhooks/1", nil).must(200)
	if a := s.request(t, ann.Token, "GET", "/api/deliveries/1", nil); a.status == 200 && strings.Contains(string(a.body), token) {
		t.Error("the token can be read once the webhook is gone")
	}
}

func TestWebhookLife(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		ann := s.Person(t, "Ann Admin")
		s.request(t, ann.Token, "POST", "/api/webhooks", m{"url": "https://example.com/hooks", "events": []string{"form.*", "FORM.*"}}).must(422)
		s.request(t, ann.Token, "POST", "/api/webhooks", m{"url": "https://example.com/hooks", "events": []string{"document.*"}}).must(201)
		s.request(t, ann.Token, "POST", "/api/submissions/pdf", lease()).must(200)
		log := func(query string) object {
			return s.request(t, ann.Token, "GET", "/api/webhooks/1/deliveries"+query, nil).must(200)
		}
		if got := ids(log("")); got != "2 1" {
			t.Fatalf("the log has %s", got)
		}
		if log("").text("data.1.event") != "document.created" || log("").number("data.1.submission_id") != 1 || log("").at("data.1.next_attempt_at") == nil {
			t.Errorf("the first is %v", log("").at("data.1"))
		}
		for query, want := range map[string]string{
			"?event=document.sent": "2", "?event=DOCUMENT_SENT": "2", "?state=pending": "2 1", "?state=failed": "", "?q=1": "2 1", "?q=2": "2",
			"?since=2026-09-14T10:00:00Z": "2 1", "?until=2026-09-14T10:00:00Z": "", "?limit=1": "2", "?after=2": "1", "?before=1": "2",
			"?q=" + log("").text("data.0.message_id"): "2",
		} {
			if got := ids(log(query)); got != want {
				t.Errorf("deliveries%s: %q, want %q", query, got, want)
			}
		}
		off := s.request(t, ann.Token, "PUT", "/api/webhooks/1", m{"enabled": false}).must(200)
		if off.at("disabled_at") == nil || off.at("disabled_reason") != nil || log("").text("data.0.state") != "skipped" {
			t.Errorf("switched off: %v", off.v)
		}
		s.request(t, ann.Token, "POST", "/api/deliveries/1/resend", nil).must(409)
		s.request(t, ann.Token, "PUT", "/api/webhooks/1", m{"enabled": true}).must(200)
		if got := s.request(t, ann.Token, "POST", "/api/deliveries/1/resend", nil).must(200); got.text("state") != "pending" {
			t.Errorf("sent again: %v", got.v)
		}
		if got := s.request(t, ann.Token, "GET", "/api/deliveries/1", nil).must(200); got.text("body.event") != "DOCUMENT_CREATED" || len(got.list("attempts")) != 0 {
			t.Errorf("the delivery is %v", got.v)
		}
		test := s.request(t, ann.Token, "POST", "/api/webhooks/1/test", m{"event": "FORM_VIEWED"})
		test.must(422)
		for _, name := range s.request(t, ann.Token, "GET", "/api/events/types", nil).must(200).list("data") {
			got := s.request(t, ann.Token, "POST", "/api/webhooks/1/test", m{"event": name.(map[string]any)["name"]}).must(201)
			if got.at("test") != true || got.at("submission_id") != nil || got.number("sequence") != 0 {
				t.Errorf("a test is %v", got.v)
			}
		}
		s.request(t, ann.Token, "DELETE", "/api/webhooks/1", nil).must(200)
		s.request(t, ann.Token, "GET", "/api/webhooks/1", nil).must(404)
		s.request(t, ann.Token, "GET", "/api/webhooks/1/deliveries", nil).must(404)
		s.request(t, ann.Token, "DELETE", "/api/webhooks/1", nil).must(404)
	})
}

func TestSecretsAreForAdmins(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		admin, member := s.Team(t, s.Person(t, "Ann Admin"), s.Person(t, "Mel Member"))
		made := s.request(t, member.Token, "POST", "/api/webhooks", m{
			"url": "https://example.com/hooks", "events": []string{"form.*"}, "secret": "s3cret", "headers": m{"X-Tenant": "t3nant"},
		}).must(201)
		if made.text("signing_secret") == "" {
			t.Error("who makes a webhook gets its secret")
		}
		path := "/api/webhooks/" + strconv.FormatInt(made.number("id"), 10)
		shown := s.request(t, admin.Token, "GET", path+"/secret", nil).must(200)
		if shown.text("signing_secret") != made.text("signing_secret") || shown.text("secret") != "s3cret" || shown.text("headers.X-Tenant") != "t3nant" || shown.at("previous_signing_secret") != nil {
			t.Errorf("an admin is shown %v", shown.v)
		}
		for _, route := range [][2]string{{"GET", "/secret"}, {"POST", "/rotate_secret"}, {"POST", "/end_previous_secret"}} {
			a := s.request(t, member.Token, route[0], path+route[1], nil)
			a.must(403)
			if strings.Contains(string(a.body), "whsec_") {
				t.Errorf("%v tells a member a secret", route)
			}
		}
		rotated := s.request(t, admin.Token, "POST", path+"/rotate_secret", m{"grace_hours": 1.5, "signing_secret": "a text that I made up"}).must(200)
		if rotated.text("signing_secret") != "a text that I made up" || rotated.text("previous_secret_until") != "2026-09-14T11:30:00.123Z" {
			t.Errorf("rotated to %v", rotated.v)
		}
		shown = s.request(t, admin.Token, "GET", path+"/secret", nil).must(200)
		if shown.text("previous_signing_secret") != made.text("signing_secret") || shown.text("previous_until") != "2026-09-14T11:30:00.123Z" {
			t.Errorf("after a rotation an admin is shown %v", shown.v)
		}
		for _, wrong := range []m{{"grace_hours": -1}, {"grace_hours": 169}, {"grace_hours": "soon"}, {"signing_secret": "short"}} {
			s.request(t, admin.Token, "POST", path+"/rotate_secret", wrong).must(422)
		}
		s.request(t, admin.Token, "POST", path+"/end_previous_secret", nil).must(200)
		shown = s.request(t, admin.Token, "GET", path+"/secret", nil).must(200)
		if shown.at("previous_signing_secret") != nil || shown.at("previous_until") != nil {
			t.Errorf("after its end an admin is shown %v", shown.v)
		}
	})
}

func TestEnableTellsWhatWasMissed(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		ann := s.Person(t, "Ann Admin")
		made := s.request(t, ann.Token, "POST", "/api/webhooks", m{"url": "https://example.com/hooks", "events": []string{"document.sent"}}).must(201)
		path := "/api/webhooks/" + strconv.FormatInt(made.number("id"), 10)
		off := s.request(t, ann.Token, "PUT", path, m{"enabled": false}).must(200)
		if off.text("disabled_by") != "hand" || off.at("disabled_reason") != nil {
			t.Errorf("switched off: %v", off.v)
		}
		s.Clock.Advance(time.Minute)
		s.request(t, ann.Token, "POST", "/api/submissions/pdf", lease()).must(200)
		on := s.request(t, ann.Token, "POST", path+"/enable", nil).must(200)
		if on.at("enabled") != true || on.at("disabled_by") != nil || on.number("missed.count") != 1 || on.text("missed.since") != off.text("disabled_at") {
			t.Errorf("switched on: %v", on.v)
		}
		if again := s.request(t, ann.Token, "POST", path+"/enable", nil).must(200); again.at("missed") != nil {
			t.Errorf("switched on twice: %v", again.v)
		}
	})
}
