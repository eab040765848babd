package api_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/webhook"
)

func TestEventTypes(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{})
	ann := s.Person(t, "Ann Admin")
	rows := s.request(t, ann.Token, "GET", "/api/events/types", nil).must(200).list("data")
	for i, n := range webhook.Names() {
		row := object{t, rows[i].(m)}
		one := s.request(t, ann.Token, "GET", "/api/events/types/"+n.Wire, nil).must(200)
		schema := s.request(t, "", "GET", "/api/events/types/"+n.Wire+"/schema", nil).must(200)
		if !reflect.DeepEqual(one.at("schema"), any(schema.v)) {
			t.Errorf("%s: the schema by itself is another", n.Name)
		}
		delete(one.v, "schema")
		if !reflect.DeepEqual(one.v, row.v) {
			t.Errorf("%s by itself is %v", n.Name, one.v)
		}
		if row.text("name") != n.Name || row.text("family") != n.Family() || row.text("about") != n.About || row.text("wire") != n.Wire {
			t.Errorf("%s is %v", n.Name, row.v)
		}
		if id := "https://sign.example.com/api/events/types/" + n.Name + "/schema"; row.text("schema_url") != id || schema.text("$id") != id {
			t.Errorf("%s: the schema is at %s and calls itself %s", n.Name, row.text("schema_url"), schema.text("$id"))
		}
		if schema.text("$schema") != webhook.SchemaDialect || !reflect.DeepEqual(schema.at("examples"), []any{row.at("example")}) {
			t.Errorf("%s: %v", n.Name, schema.v)
		}
		if want := n.Wire != n.Name; slices.Contains(row.list("aliases"), any(n.Wire)) != want {
			t.Errorf("%s: aliases %v", n.Name, row.list("aliases"))
		}
	}
	for _, path := range []string{"/api/events/types/form.gone", "/api/events/types/template.created/schema", "/api/events/types/*/schema"} {
		if a := s.request(t, ann.Token, "GET", path, nil).must(404); !strings.HasPrefix(a.text("error"), "There is no event “") {
			t.Errorf("%s: %v", path, a.v)
		}
	}
	s.request(t, "", "GET", "/api/events/types/form.viewed", nil).must(401)
}

// The section webhooks of the description has each event, with the headers of
// its dialect.
func TestOpenAPIWebhooks(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{})
	spec := s.request(t, "", "GET", "/api/openapi.json", nil).must(200)
	told := spec.at("webhooks").(m)
	if len(told) != len(webhook.Names()) {
		t.Errorf("%d events are described, there are %d", len(told), len(webhook.Names()))
	}
	for _, n := range webhook.Names() {
		op := object{t, told[n.Name].(m)["post"].(m)}
		body := object{t, op.at("requestBody.content").(m)["application/json"].(m)}
		name := strings.TrimPrefix(body.text("schema.$ref"), "#/components/schemas/")
		key := map[webhook.Dialect]string{webhook.Documenso: "event", webhook.DocuSeal: "event_type"}[n.Dialect]
		schema := object{t, spec.at("components.schemas").(m)[name].(m)}
		if got := schema.at("properties").(m)[key].(m)["const"]; got != n.Wire || schema.at("additionalProperties") != false {
			t.Errorf("%s: the schema %s is for %v", n.Name, name, got)
		}
		var headers []string
		for _, p := range op.list("parameters") {
			if ref, ok := p.(m)["$ref"].(string); ok {
				p = spec.at("components.parameters").(m)[strings.TrimPrefix(ref, "#/components/parameters/")]
			}
			headers = append(headers, p.(m)["name"].(string))
		}
		want := []string{"User-Agent", "webhook-id", "webhook-timestamp", "webhook-signature", "X-Documenso-Secret", "X-Paraph-Event", "X-Paraph-Attempt", "X-Paraph-Test"}
		if n.Dialect == webhook.DocuSeal {
			want[4] = "X-Docuseal-Signature"
		}
		if !slices.Equal(headers, want) {
			t.Errorf("%s: headers %v", n.Name, headers)
		}
		for _, status := range []string{"2XX", "410", "default"} {
			if op.at("responses").(m)[status] == nil {
				t.Errorf("%s says nothing of %s", n.Name, status)
			}
		}
		if security, ok := op.at("security").([]any); !ok || len(security) != 0 {
			t.Errorf("%s: security %v", n.Name, op.v["security"])
		}
	}
}

func TestEventsPage(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{})
	a := s.request(t, "", "GET", "/docs/events", nil)
	if a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") || !strings.Contains(a.header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Fatalf("answered %d %v", a.status, a.header)
	}
	page, err := goquery.NewDocumentFromReader(strings.NewReader(string(a.body)))
	if err != nil {
		t.Fatal(err)
	}
	if n := page.Find("script, style, [style], img, iframe").Length(); n != 0 {
		t.Errorf("%d parts that the CSP forbids", n)
	}
	ids := map[string]bool{}
	page.Find("[id]").Each(func(_ int, e *goquery.Selection) {
		if id := e.AttrOr("id", ""); ids[id] {
			t.Errorf("%s is there twice", id)
		} else {
			ids[id] = true
		}
	})
	page.Find("a[href^='#']").Each(func(_ int, e *goquery.Selection) {
		if href := e.AttrOr("href", ""); !ids[href[1:]] {
			t.Errorf("a link leads to %s, which isn't there", href)
		}
	})
	for _, n := range webhook.Names() {
		at := page.Find("article[id='" + n.Name + "']")
		if at.Length() != 1 || !strings.Contains(at.Text(), n.About) || !strings.Contains(at.Find(".route").Text(), n.Wire) {
			t.Errorf("%s is not described: %s", n.Name, at.Text())
		}
		var example map[string]any
		if err := json.Unmarshal([]byte(at.Find("pre").Text()), &example); err != nil || len(example) < 3 {
			t.Errorf("the example of %s: %v", n.Name, err)
		}
		body, parts := webhook.DescribeBody(n, "")
		rows := page.Find("article[id='" + strings.TrimPrefix(at.Find(".links a").First().AttrOr("href", ""), "#") + "'] dt").Length()
		if rows != len(body.Properties) {
			t.Errorf("%s has %d properties, %d are shown", n.Name, len(body.Properties), rows)
		}
		for _, p := range parts {
			if got := page.Find("#part-" + strings.ToLower(p.Name) + " dt").Length(); got != len(p.Schema.Properties) {
				t.Errorf("%s has %d properties, %d are shown", p.Name, len(p.Schema.Properties), got)
			}
		}
	}
}
