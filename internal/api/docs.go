package api

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/paraph-sign/paraph/internal/desk"
)

const introduction = "Send documents for signing, follow them, and hear of every step by webhook. The resources are those of DocuSeal's API, so its SDKs work against this server when their url is set to this server's address followed by /api; webhooks and their log are told in the same manner."

//go:embed docs.html.tmpl
var docsPage string

//go:embed docs.css
var docsStyle []byte

// Description is the API in OpenAPI 3.1, as a server of this version at base
// tells it at /api/openapi.json. It needs no server.
func Description(version, base string) ([]byte, error) {
	a := &api{}
	a.cfg = Config{Version: version, Desk: &desk.Desk{Config: desk.Config{Links: desk.Links{Base: base}}}}
	a.huma = humago.New(http.NewServeMux(), humaConfig(a.cfg))
	if err := a.describe(); err != nil {
		return nil, err
	}
	return a.spec()
}

// spec is the OpenAPI document.
func (a *api) spec() ([]byte, error) {
	for _, unused := range []string{"ErrorModel", "ErrorDetail"} { // see ownErrors
		delete(a.huma.OpenAPI().Components.Schemas.Map(), unused)
	}
	b, err := json.Marshal(a.huma.OpenAPI())
	if err != nil {
		return nil, fmt.Errorf("describe the API: %w", err)
	}
	return b, nil
}

// docs is the page that shows the OpenAPI document to people.
func (a *api) docs() ([]byte, error) {
	t, err := template.New("docs").Parse(docsPage)
	if err != nil {
		return nil, fmt.Errorf("read the page of the API: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, newDocs(a.huma.OpenAPI(), a.order)); err != nil {
		return nil, fmt.Errorf("write the page of the API: %w", err)
	}
	return b.Bytes(), nil
}

// docsView is what the page shows.
type docsView struct {
	Title, Version, Intro, Base string
	Groups                      []docsGroup
}

type docsGroup struct {
	Anchor, Name, About string
	Operations          []docsOperation
}

type docsOperation struct {
	ID, Method, Path, Summary, About, Curl, Status string
	Parameters, Request, Response                  []docsRow
}

// docsRow is a parameter or a key of a body.
type docsRow struct {
	Name, In, Type, About string
	Required              bool
}

func newDocs(api *huma.OpenAPI, order []string) docsView {
	v := docsView{Title: api.Info.Title, Version: api.Info.Version, Intro: api.Info.Description, Base: api.Servers[0].URL}
	for _, tag := range api.Tags {
		g := docsGroup{Anchor: anchor(tag.Name), Name: tag.Name, About: tag.Description}
		for _, op := range operationsOf(api, order, tag.Name) {
			g.Operations = append(g.Operations, newDocsOperation(api, op))
		}
		v.Groups = append(v.Groups, g)
	}
	return v
}

func anchor(s string) string { return strings.ReplaceAll(strings.ToLower(s), " ", "-") }

// operationsOf are the operations of a group, in the order of the route table.
func operationsOf(api *huma.OpenAPI, order []string, group string) []*huma.Operation {
	var out []*huma.Operation
	for _, p := range api.Paths {
		for _, op := range []*huma.Operation{p.Get, p.Post, p.Put, p.Delete} {
			if op != nil && slices.Contains(op.Tags, group) {
				out = append(out, op)
			}
		}
	}
	slices.SortFunc(out, func(x, y *huma.Operation) int {
		return slices.Index(order, x.OperationID) - slices.Index(order, y.OperationID)
	})
	return out
}

func newDocsOperation(api *huma.OpenAPI, op *huma.Operation) docsOperation {
	d := docsOperation{ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary, About: op.Description}
	for _, p := range op.Parameters {
		d.Parameters = append(d.Parameters, docsRow{Name: p.Name, In: p.In, Type: typeWord(api, p.Schema), About: p.Description, Required: p.Required})
	}
	var body *huma.Schema
	if op.RequestBody != nil {
		body = op.RequestBody.Content["application/json"].Schema
		d.Request = rowsOf(api, body, "", nil)
	}
	for _, status := range sortedKeys(op.Responses) {
		if m := op.Responses[status].Content["application/json"]; m != nil && strings.HasPrefix(status, "2") {
			d.Status, d.Response = status, rowsOf(api, m.Schema, "", nil)
		}
	}
	d.Curl = curl(api, op, body)
	return d
}

// resolved follows a reference.
func resolved(api *huma.OpenAPI, s *huma.Schema) *huma.Schema {
	if s != nil && s.Ref != "" {
		return api.Components.Schemas.SchemaFromRef(s.Ref)
	}
	return s
}

// rowsOf flattens a schema: documents[].fields[].name. Nested schemas are
// shown where they stand; seen keeps a recursive one from going on for ever.
func rowsOf(api *huma.OpenAPI, s *huma.Schema, prefix string, seen []string) []docsRow {
	if s == nil || s.Ref != "" && slices.Contains(seen, s.Ref) {
		return nil
	}
	if s.Type == huma.TypeArray {
		return rowsOf(api, s.Items, prefix+"[].", seen)
	}
	if s.Ref == "" {
		return nil
	}
	seen = append(slices.Clone(seen), s.Ref)
	whole := resolved(api, s)
	if prefix != "" && !strings.HasSuffix(prefix, ".") {
		prefix += "."
	}
	var rows []docsRow
	for _, name := range propertyNames(api, s.Ref) {
		p := whole.Properties[name]
		rows = append(rows, docsRow{Name: prefix + name, Type: typeWord(api, p), About: p.Description, Required: slices.Contains(whole.Required, name)})
		rows = append(rows, rowsOf(api, p, prefix+name, seen)...)
	}
	return rows
}

// propertyNames are the keys of a schema in the order in which its type, and
// with it the JSON, has them.
func propertyNames(api *huma.OpenAPI, ref string) []string {
	registry := api.Components.Schemas
	known := registry.SchemaFromRef(ref).Properties
	var names []string
	for _, f := range reflect.VisibleFields(registry.TypeFromRef(ref)) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if _, ok := known[name]; ok && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// typeWord names a type for people.
func typeWord(api *huma.OpenAPI, s *huma.Schema) string {
	if s == nil {
		return ""
	}
	nullable := s.Nullable
	s = resolved(api, s)
	word := map[string]string{"": "any", huma.TypeBoolean: "true or false", huma.TypeInteger: "whole number"}[s.Type]
	switch {
	case s.Type == huma.TypeArray:
		word = "list of " + typeWord(api, s.Items) + "s"
	case s.Format == "date-time":
		word = "time"
	case s.ContentEncoding == "base64":
		word = "base64"
	case word == "":
		word = s.Type
	}
	if nullable && s.Type != huma.TypeArray {
		word += " or null"
	}
	return word
}

// curl is the operation as a command.
func curl(api *huma.OpenAPI, op *huma.Operation, body *huma.Schema) string {
	var b strings.Builder
	b.WriteString("curl")
	if op.Method != "GET" {
		b.WriteString(" -X " + op.Method)
	}
	fmt.Fprintf(&b, " %s%s \\\n  -H \"X-Auth-Token: $TOKEN\"", api.Servers[0].URL, strings.ReplaceAll(op.Path, "{id}", "42"))
	if body != nil {
		fmt.Fprintf(&b, " \\\n  -H \"Content-Type: application/json\" \\\n  --data-binary @- <<END\n%s\nEND", exampleOf(op.OperationID))
	}
	return b.String()
}

// exampleOf is a body that works as it stands, but for the ids and the file.
func exampleOf(operation string) string {
	switch operation {
	case "createSubmissionFromPdf":
		return `{
  "documents": [{
    "name": "Lease",
    "file": "$(base64 < lease.pdf | tr -d '\n')",
    "fields": [
      {"name": "Full name", "role": "Tenant",
        "areas": [{"x": 0.1, "y": 0.7, "w": 0.3, "h": 0.03, "page": 1}]},
      {"name": "Signature", "type": "signature", "role": "Tenant",
        "areas": [{"x": 0.1, "y": 0.75, "w": 0.3, "h": 0.06, "page": 1}]}
    ]
  }],
  "submitters": [
    {"role": "Tenant", "name": "Tom Tenant", "email": "tom@example.com"}
  ]
}`
	case "updateSubmitter":
		return `{"values": {"Full name": "Tom Tenant", "Signature": "Tom Tenant"}, "completed": true}`
	case "updateSubmission":
		return `{"archived": true}`
	case "createWebhook":
		return `{"url": "https://example.com/hooks", "events": ["form.completed", "submission.completed"]}`
	case "updateWebhook":
		return `{"enabled": false}`
	case "testWebhook":
		return `{"event": "form.completed"}`
	}
	return "{}"
}
