package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// node runs one of the scripts beside DocuSeal's library, which print nothing
// when all is well.
func node(t *testing.T, script string, input []byte) {
	t.Helper()
	if _, err := os.Stat("sdktest/node_modules/standardwebhooks/package.json"); err != nil {
		t.Fatalf("the libraries are not installed; run `npm ci` in internal/api/sdktest: %v", err)
	}
	c := exec.CommandContext(t.Context(), "node", "sdktest/"+script)
	c.Stdin = bytes.NewReader(input)
	if out, err := c.CombinedOutput(); err != nil || len(out) != 0 {
		t.Errorf("%s: %v\n%s", script, err, out)
	}
}

// arrival is a request as a receiver saw it, and what is to be found out about
// it.
type arrival struct {
	Name    string            `json:"name"`
	Headers map[string]string `json:"headers"` // in small letters, as Node has them
	Body    []byte            `json:"body"`
	Secrets []string          `json:"secrets"`
	Wrong   string            `json:"wrong"`
	Schema  json.RawMessage   `json:"schema,omitempty"`

	header http.Header
}

func listen(t *testing.T) (url string, arrivals chan arrival) {
	t.Helper()
	arrivals = make(chan arrival, 100)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		a := arrival{Headers: map[string]string{}, Body: body, Wrong: webhook.GenerateSecret(), header: r.Header}
		for name := range r.Header {
			a.Headers[strings.ToLower(name)] = r.Header.Get(name)
		}
		arrivals <- a
	}))
	t.Cleanup(s.Close)
	return s.URL, arrivals
}

// verified holds requests against the official library for Go, and then all of
// them against that for JavaScript.
func verified(t *testing.T, all []arrival) {
	t.Helper()
	for _, a := range all {
		for _, secret := range a.Secrets {
			if err := verifies(secret, a.Body, a.header); err != nil {
				t.Errorf("%s: %v", a.Name, err)
			}
			if verifies(secret, append(bytes.Clone(a.Body), ' '), a.header) == nil {
				t.Errorf("%s: a longer body passes", a.Name)
			}
		}
		if verifies(a.Wrong, a.Body, a.header) == nil {
			t.Errorf("%s: a wrong secret passes", a.Name)
		}
	}
	input, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	node(t, "webhooks.mjs", input)
}

func verifies(secret string, body []byte, h http.Header) error {
	read := standardwebhooks.NewWebhook
	if !strings.HasPrefix(secret, "whsec_") {
		read = func(secret string) (*standardwebhooks.Webhook, error) {
			return standardwebhooks.NewWebhookRaw([]byte(secret))
		}
	}
	w, err := read(secret)
	if err != nil {
		return err
	}
	return w.Verify(body, h)
}

func loopback() []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }

// schemaAt compiles a schema as it is served.
func schemaAt(t *testing.T, s *server, event string) (*jsonschema.Schema, json.RawMessage) {
	t.Helper()
	a := s.request(t, "", "GET", "/api/events/types/"+event+"/schema", nil)
	if a.status != 200 || a.header.Get("Content-Type") != "application/schema+json" {
		t.Fatalf("the schema of %s is answered %d %v", event, a.status, a.header)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	id := a.object().text("$id")
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(id, v); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(id)
	if err != nil {
		t.Fatal(err)
	}
	return schema, a.body
}

// The whole way: a test of every event that the API lists, sent by the real
// sender over a real socket, is signed so that the official libraries believe
// it, and has the shape that the API says. In the midst of it the secret is
// rotated: from then on both are good.
func TestEverythingSentVerifies(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{Allow: loopback(), Start: time.Now()})
	d, err := webhook.NewDispatcher(webhook.DispatcherConfig{Queue: s.Desk.Queue(), Client: s.Desk.Client, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	s.Desk.WakeLanes(d.Wake)
	d.Start()
	t.Cleanup(d.Stop)
	url, arrivals := listen(t)
	ann := s.Person(t, "Ann Admin")
	hook := s.request(t, ann.Token, "POST", "/api/webhooks", m{"url": url, "events": []string{"form.viewed"}, "secret": "hush"}).must(201)
	secrets := []string{hook.text("signing_secret")}
	var all []arrival
	for i, row := range s.request(t, ann.Token, "GET", "/api/events/types", nil).must(200).list("data") {
		name := object{t, row.(m)}.text("name")
		if i == 3 {
			fresh := s.request(t, ann.Token, "POST", fmt.Sprintf("/api/webhooks/%d/rotate_secret", hook.number("id")), m{}).must(200).text("signing_secret")
			secrets = append([]string{fresh}, secrets...)
		}
		sent := s.request(t, ann.Token, "POST", fmt.Sprintf("/api/webhooks/%d/test", hook.number("id")), m{"event": name}).must(201)
		a := <-arrivals
		a.Name, a.Secrets = name, secrets
		schema, text := schemaAt(t, s, name)
		a.Schema = text
		body, err := jsonschema.UnmarshalJSON(bytes.NewReader(a.Body))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(body); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if a.Headers["x-paraph-test"] != "1" || a.Headers["x-paraph-event"] != name || a.Headers["webhook-id"] != sent.text("message_id") {
			t.Errorf("%s carries %v", name, a.Headers)
		}
		all = append(all, a)
	}
	if len(all) != len(webhook.Names()) {
		t.Errorf("%d events were tested with, there are %d", len(all), len(webhook.Names()))
	}
	verified(t, all)
}

// Bodies that go wrong easily; a rotation that is going on, when each of both
// secrets is enough; and a secret that somebody made up.
func TestOddBodiesVerify(t *testing.T) {
	t.Parallel()
	c, err := webhook.NewClient(webhook.ClientConfig{UserAgent: "Paraph/test", Allow: loopback()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	url, arrivals := listen(t)
	fresh, old, own := webhook.GenerateSecret(), webhook.GenerateSecret(), "a secret of one's own"
	var all []arrival
	for name, body := range map[string]string{
		"beyond ASCII":     `{"name":"Mietvertrag ✍ 松尾 芭蕉 𝒮 e\u0301 ` + "e\u0301 \u2028 \u2029 \ufeff" + `"}`,
		"escapes":          `{"a":"\u0000 \" \\ \/ \b \ud83d\ude00 <&>","b":1250.50,"c":1e3,"d":12345678901234567890}`,
		"the smallest":     `{}`,
		"space and breaks": " {\r\n\t\"a\" : [ ]\n}\n",
		"large":            `{"a":"` + strings.Repeat("ä", 1<<20) + `"}`,
	} {
		for _, secrets := range [][]string{{fresh}, {fresh, old}, {own}} {
			o := c.Send(t.Context(), webhook.Request{URL: url, ID: "msg_1", Event: "form.completed", Attempt: 2, Secrets: secrets, Body: []byte(body), DocuSeal: true})
			if !o.Succeeded() {
				t.Fatalf("%s: %+v", name, o)
			}
			a := <-arrivals
			a.Name, a.Secrets = name, secrets
			if string(a.Body) != body || len(strings.Fields(a.Headers["webhook-signature"])) != len(secrets) {
				t.Errorf("%s: %d bytes arrived of %d, signed %q", name, len(a.Body), len(body), a.Headers["webhook-signature"])
			}
			all = append(all, a)
		}
	}
	verified(t, all)
}

func TestOpenAPIIsValid(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{})
	a := s.request(t, "", "GET", "/api/openapi.json", nil)
	a.must(200)
	node(t, "openapi.mjs", a.body)
	kept := read(t, "../../docs/openapi.json")
	node(t, "openapi.mjs", kept)
}

// What really happens is told as it is described, whichever way an envelope
// ends.
func TestRealEventsAreAsDescribed(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{})
	ann := s.Person(t, "Ann Admin")
	s.request(t, ann.Token, "POST", "/api/webhooks", m{"url": "https://example.com/hooks", "events": []string{"*"}, "headers": m{"X-A": "b"}}).must(201)
	s.request(t, ann.Token, "POST", "/api/webhooks", m{"url": "https://example.com/hooks", "events": []string{"*"}, "omit_tokens": true}).must(201)
	live(t, s, ann)

	kept, err := s.Store.Deliveries(t.Context(), ann.Who.AccountID, store.DeliveryFilter{Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, row := range kept {
		d, err := s.Store.Delivery(t.Context(), ann.Who.AccountID, row.ID)
		if err != nil {
			t.Fatal(err)
		}
		schema, _ := schemaAt(t, s, d.EventName)
		body, err := jsonschema.UnmarshalJSON(bytes.NewReader(d.Body))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(body); err != nil {
			t.Errorf("%s: %v\n%s", d.EventName, err, d.Body)
		}
		seen[d.EventName] = true
	}
	for _, n := range webhook.Names() {
		if !seen[n.Name] {
			t.Errorf("%s did not happen", n.Name)
		}
	}
}

// live leads envelopes to all their ends.
func live(t *testing.T, s *server, ann desktest.Person) {
	t.Helper()
	ask := func(method, path string, body any) object {
		return s.request(t, ann.Token, method, path, body).must(200)
	}
	made := func(change m) object {
		l := lease()
		maps.Copy(l, change)
		return ask("POST", "/api/submissions/pdf", l)
	}
	whole := made(nil)
	id := whole.number("id")
	if _, err := s.Desk.Remind(t.Context(), ann.Who, id, whole.number("submitters.0.id")); err != nil {
		t.Fatal(err)
	}
	ask("PUT", fmt.Sprintf("/api/submitters/%d", whole.number("submitters.0.id")), m{
		"values": m{"Full name": "Tom Tenant", "Rent": 850.5, "Pets": true, "Signature": "Tom Tenant"}, "completed": true,
	})
	if _, err := s.Desk.Open(t.Context(), whole.text("submitters.1.slug"), paraph.Actor{Kind: paraph.ByRecipient, IP: "203.0.113.7", UserAgent: "Browser"}); err != nil {
		t.Fatal(err)
	}
	ask("PUT", fmt.Sprintf("/api/submitters/%d", whole.number("submitters.1.id")), m{"values": m{"Signature Field 2": "Lea"}, "completed": true})
	s.RunDue(t)
	ask("DELETE", fmt.Sprintf("/api/submissions/%d", id), nil)

	if _, err := s.Desk.Decline(t.Context(), made(nil).text("submitters.0.slug"), "Too dear.", paraph.Actor{Kind: paraph.ByRecipient}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Desk.Cancel(t.Context(), ann.Who, made(nil).number("id"), "Sold."); err != nil {
		t.Fatal(err)
	}
	ask("DELETE", fmt.Sprintf("/api/submissions/%d?permanently=true", made(nil).number("id")), nil)
	made(m{"expire_at": s.Store.Now().Add(time.Hour).Format(time.RFC3339)})
	s.Clock.Advance(2 * time.Hour)
	s.RunDue(t)
}
