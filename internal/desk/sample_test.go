package desk_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/webhook"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// checkBody holds a body against its event's schema.
func checkBody(t testing.TB, n webhook.Name, body []byte) {
	t.Helper()
	text, err := json.Marshal(webhook.EventSchema(n, "https://sign.example.com/schema"))
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("https://sign.example.com/schema", document); err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatalf("%s: %v", n.Name, err)
	}
	if err := c.MustCompile("https://sign.example.com/schema").Validate(v); err != nil {
		t.Errorf("%s: %v", n.Name, err)
	}
}

func TestEveryEventHasAnExample(t *testing.T) {
	t.Parallel()
	for _, n := range webhook.Names() {
		example := func() []byte {
			body, err := desk.Example(n, "https://sign.example.com", "https://example.com/webhooks")
			if err != nil {
				t.Fatal(err)
			}
			return body
		}
		checkBody(t, n, example())
		if a, b := example(), example(); !bytes.Equal(a, b) {
			t.Errorf("%s differs from time to time:\n%s\n%s", n.Name, a, b)
		}
	}
}

// Every type of event can be tested with: the endpoint gets it, and nobody else, marked, signed, logged, and in the shape that it
// will have.
func TestEveryTestArrives(t *testing.T) {
	t.Parallel()
	eachSender(t, func(t *testing.T, s *sender) {
		r, quiet := newReceiver(t), newReceiver(t)
		s.endpoint(quiet.url, func(e *paraph.Endpoint) { e.Events = []string{"*"} })
		// Asking for one event is no reason not to test the others.
		e := s.endpoint(r.url, func(e *paraph.Endpoint) { e.Events = []string{"form.viewed"} })
		for _, n := range webhook.Names() {
			d, err := s.Desk.SendTest(t.Context(), s.Who, e.ID, n.Wire)
			s.must(err)
			got, result := next(t, r.posts, "the test"), s.result()
			checkBody(t, n, []byte(got.body))
			if got.header.Get("X-Paraph-Test") != "1" || got.header.Get("X-Paraph-Event") != n.Name || got.id() != d.MessageID {
				t.Errorf("%s carries %v", n.Name, got.header)
			}
			if (got.header.Get("X-Docuseal-Signature") != "") != (n.Dialect == webhook.DocuSeal) || (len(got.header["X-Documenso-Secret"]) > 0) != (n.Dialect == webhook.Documenso) {
				t.Errorf("%s carries the headers of another dialect: %v", n.Name, got.header)
			}
			if err := webhook.VerifySignature(e.SigningSecret, []byte(got.body), got.header); err != nil {
				t.Errorf("%s: %v", n.Name, err)
			}
			logged, err := s.Store.Delivery(t.Context(), s.Who.AccountID, d.ID)
			s.must(err)
			if !logged.Test || logged.State != paraph.DeliverySucceeded || logged.EventName != n.Name || result.Delivery.ID != d.ID {
				t.Errorf("%s is logged as %+v", n.Name, logged)
			}
		}
		if n := quiet.count.Load(); n != 0 {
			t.Errorf("another endpoint got %d tests", n)
		}
	})
}

// The numbers in a test are made up, and may be those of a stranger's envelope: no link in it opens a file.
func TestTestsOpenNoFiles(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		eve := w.Person(t, "Eve Else")
		e, err := w.Desk.CreateEndpoint(t.Context(), eve.Who, paraph.Endpoint{URL: "https://example.com/hook", Events: []string{"*"}, Enabled: true})
		if err != nil {
			t.Fatal(err)
		}
		links := 0
		for _, n := range webhook.Names() {
			d, err := w.Desk.SendTest(t.Context(), eve.Who, e.ID, n.Name)
			if err != nil {
				t.Fatal(err)
			}
			d, err = w.Store.Delivery(t.Context(), eve.Who.AccountID, d.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile(`/file/([^/"]+)/`).FindAllStringSubmatch(string(d.Body), -1) {
				links++
				if ref, err := w.Desk.Links.OpenFile(m[1], w.Store.Now()); err == nil {
					t.Fatalf("a test of %s opens %+v", n.Name, ref)
				}
			}
			if strings.Contains(string(d.Body), "/file/") && links == 0 {
				t.Fatalf("the links of %s were not tried", n.Name)
			}
		}
		if links < 10 {
			t.Errorf("only %d links were tried", links)
		}
	})
}
