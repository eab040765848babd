package api_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/paraph-sign/paraph/internal/desk/desktest"
)

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{})
	a := s.request(t, "", "GET", "/api/openapi.json", nil)
	spec := a.must(200)
	if got := spec.text("openapi"); !strings.HasPrefix(got, "3.1.") {
		t.Errorf("OpenAPI %s", got)
	}
	schemas := spec.at("components.schemas").(map[string]any)
	refs := regexp.MustCompile(`"\$ref":"#/components/schemas/([^"]+)"`).FindAllStringSubmatch(string(a.body), -1)
	for _, r := range refs {
		if schemas[r[1]] == nil {
			t.Errorf("the schema %s is missing", r[1])
		}
	}
	if len(refs) < 20 || schemas["Problem"] == nil || schemas["ErrorModel"] != nil {
		t.Errorf("%d references; ours is there: %v, huma's: %v", len(refs), schemas["Problem"] != nil, schemas["ErrorModel"] != nil)
	}
	seen, bodyless := map[string]bool{}, []string{"resend", "enable", "end_previous_secret", "cancel"}
	for path, methods := range spec.at("paths").(map[string]any) {
		for method, op := range methods.(map[string]any) {
			o := object{t, op.(map[string]any)}
			if id := o.text("operationId"); seen[id] || o.text("summary") == "" || len(o.list("tags")) != 1 {
				t.Errorf("%s %s is described badly: %v", method, path, o.v)
			} else {
				seen[id] = true
			}
			if o.at("responses.default.content").(map[string]any)["application/json"] == nil {
				t.Errorf("%s %s does not say what its errors look like", method, path)
			}
			if (method == "post" || method == "put") && o.v["requestBody"] == nil && !slices.Contains(bodyless, path[strings.LastIndex(path, "/")+1:]) {
				t.Errorf("%s %s takes no body", method, path)
			}
		}
	}
	for _, sdk := range []string{"createSubmissionFromPdf", "listSubmissions", "getSubmission", "getSubmissionDocuments", "getSubmitter", "updateSubmitter", "listSubmitters", "archiveSubmission"} {
		if !seen[sdk] {
			t.Errorf("%s is not described", sdk)
		}
	}
}

// What is answered is what is described: each key of a golden is in the schema
// of its operation, and each key that the schema always has is in the golden.
func TestAnswersAreAsDescribed(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{})
	spec := s.request(t, "", "GET", "/api/openapi.json", nil).must(200)
	for file, schema := range map[string]string{
		"submission_created": "CreatedSubmission", "submission_completed": "Submission", "submissions": "PageSubmission", "submitter": "SubmitterDetail",
		"submitters": "PageSubmitterDetail", "submitter_updated": "SentSubmitter", "documents": "Documents", "submission_archived": "Archived",
		"webhook": "Webhook", "webhook_created": "Webhook", "webhooks": "PageWebhook", "deliveries": "PageDeliveryRow", "delivery": "DeliveryDetail",
		"user": "TokenUser", "event_types": "EventTypes",
	} {
		var v any
		if err := json.Unmarshal(read(t, "testdata/"+file+".json"), &v); err != nil {
			t.Fatal(err)
		}
		described(t, spec, file, map[string]any{"$ref": "#/components/schemas/" + schema}, v)
	}
}

// described walks a value along its schema.
func described(t *testing.T, spec object, path string, schema map[string]any, v any) {
	t.Helper()
	if ref, ok := schema["$ref"].(string); ok {
		found, ok := spec.at("components.schemas").(map[string]any)[ref[strings.LastIndex(ref, "/")+1:]].(map[string]any)
		if !ok {
			t.Errorf("%s: there is no %s", path, ref)
			return
		}
		if v == nil { // null in an object's place; huma can't say so
			return
		}
		schema = found
	}
	if schema["type"] != nil && !typed(schema["type"], v) {
		t.Errorf("%s is %T, described as %v", path, v, schema["type"])
		return
	}
	switch v := v.(type) {
	case []any:
		items, _ := schema["items"].(map[string]any)
		for _, x := range v {
			described(t, spec, path+"[]", items, x)
		}
	case map[string]any:
		properties, ok := schema["properties"].(map[string]any)
		for k, x := range v {
			if p, known := properties[k].(map[string]any); known {
				described(t, spec, path+"."+k, p, x)
			} else if ok && len(properties) > 0 {
				t.Errorf("%s.%s is not described", path, k)
			}
		}
	}
}

// typed tells whether a value has a JSON Schema type, or one of several.
func typed(types, v any) bool {
	if list, ok := types.([]any); ok {
		return slices.ContainsFunc(list, func(one any) bool { return typed(one, v) })
	}
	switch v := v.(type) {
	case nil:
		return types == "null"
	case bool:
		return types == "boolean"
	case string:
		return types == "string"
	case float64:
		return types == "number" || types == "integer" && v == float64(int64(v))
	case []any:
		return types == "array"
	}
	return types == "object"
}

func TestDocsPage(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{})
	a := s.request(t, "", "GET", "/docs/api", nil)
	if a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		t.Fatalf("answered %d %v", a.status, a.header)
	}
	if csp := a.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("CSP %q", csp)
	}
	page, err := goquery.NewDocumentFromReader(strings.NewReader(string(a.body)))
	if err != nil {
		t.Fatal(err)
	}
	if n := page.Find("script, style, [style], img, iframe").Length(); n != 0 {
		t.Errorf("%d parts that the CSP forbids", n)
	}
	page.Find("[src], link[href]").Each(func(_ int, e *goquery.Selection) {
		if href := e.AttrOr("src", e.AttrOr("href", "")); !strings.HasPrefix(href, "/docs/") {
			t.Errorf("the page loads %s", href)
		}
	})
	ids := map[string]bool{}
	page.Find("[id]").Each(func(_ int, e *goquery.Selection) { ids[e.AttrOr("id", "")] = true })
	page.Find("a[href^='#']").Each(func(_ int, e *goquery.Selection) {
		if href := e.AttrOr("href", ""); !ids[href[1:]] {
			t.Errorf("a link leads to %s, which isn't there", href)
		}
	})
	for _, op := range operations(t, s) {
		at := page.Find("article#" + op.id)
		if at.Length() != 1 || !strings.Contains(at.Find(".route").Text(), op.path) || !strings.Contains(at.Find("pre").Text(), "curl") {
			t.Errorf("%s is not described", op.id)
		}
	}
	rows := page.Find("article#createSubmissionFromPdf dt code").Map(func(_ int, e *goquery.Selection) string { return e.Text() })
	for _, want := range []string{"documents[].fields[].areas[].page", "submitters[].fields[].default_value", "message.subject"} {
		if !slices.Contains(rows, want) {
			t.Errorf("the body of a new submission lacks %s; it has %v", want, rows)
		}
	}
	if css := s.request(t, "", "GET", "/docs/api.css", nil); css.status != 200 || !strings.HasPrefix(css.header.Get("Content-Type"), "text/css") {
		t.Errorf("the stylesheet is answered %d", css.status)
	}
}

// The commands on the page work, with a file and the ids of what there is.
func TestExamplesOnThePageWork(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{})
	ann := s.Person(t, "Ann Admin")
	page, err := goquery.NewDocumentFromReader(strings.NewReader(string(s.request(t, "", "GET", "/docs/api", nil).body)))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"createSubmissionFromPdf", "updateSubmission", "updateSubmitter", "createWebhook", "testWebhook", "updateWebhook"} {
		at := page.Find("article#" + id)
		_, body, found := strings.Cut(at.Find("pre").Text(), "<<END\n")
		if !found {
			t.Fatalf("%s has no body", id)
		}
		body = strings.TrimSuffix(body, "\nEND")
		body = strings.Replace(body, `$(base64 < lease.pdf | tr -d '\n')`, base64Of(desktest.PDF(1)), 1)
		path := strings.ReplaceAll(at.Find(".route code").Text(), "{id}", "1")
		if a := s.request(t, ann.Token, at.Find(".method").Text(), path, body); a.status/100 != 2 {
			t.Errorf("%s is answered %d %s", id, a.status, a.body)
		}
	}
}
