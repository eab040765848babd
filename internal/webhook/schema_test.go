package webhook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/paraph-sign/paraph"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// compiled is an event's schema as a validator of others reads it, formats included. Compiling holds it against the draft's own
// schema of schemas.
func compiled(t testing.TB, n Name) *jsonschema.Schema {
	t.Helper()
	text, err := json.Marshal(EventSchema(n, "https://sign.example/"+n.Name))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("https://sign.example/"+n.Name, parsed(t, text)); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("https://sign.example/" + n.Name)
	if err != nil {
		t.Fatalf("%s: %v\n%s", n.Name, err, text)
	}
	return s
}

func parsed(t testing.TB, text []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEveryGoldenIsAsItsSchemaSays(t *testing.T) {
	t.Parallel()
	for _, n := range Names() {
		text, err := os.ReadFile(filepath.Join("testdata", string(n.Dialect), n.Name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := compiled(t, n).Validate(parsed(t, text)); err != nil {
			t.Errorf("%s: %v", n.Name, err)
		}
		for _, other := range Names() {
			if other != n && compiled(t, other).Validate(parsed(t, text)) == nil {
				t.Errorf("the body of %s passes as %s", n.Name, other.Name)
			}
		}
	}
}

// The least that can be known of an envelope: nothing entered, no template, no owner, tokens left out.
func TestBareBodiesAreAsTheirSchemasSay(t *testing.T) {
	t.Parallel()
	at := snapshots(t)
	to := receiverOf()
	to.OmitTokens = true
	for _, n := range Names() {
		s := at[n.Name]
		s.Template, s.Owner, s.Account, s.Trail = nil, paraph.User{}, paraph.Account{}, nil
		s.Envelope.ExternalID, s.Envelope.Name, s.Envelope.Subject, s.Envelope.Message, s.Envelope.RedirectTo = "", "", "", "", ""
		s.Envelope.Documents, s.Envelope.Fields = nil, nil
		s.Envelope.Recipients = actingOnly(s)
		for i := range s.Envelope.Recipients {
			r := &s.Envelope.Recipients[i]
			r.Email, r.Phone, r.Name, r.Metadata, r.ExternalID, r.UserAgent, r.IP = "", "", "", "[]", "", "", ""
		}
		if err := compiled(t, n).Validate(parsed(t, []byte(render(t, n.Name, s, to)))); err != nil {
			t.Errorf("%s: %v", n.Name, err)
		}
	}
}

// actingOnly are those without whom the event can't be told.
func actingOnly(s Snapshot) []paraph.Recipient {
	return slices.DeleteFunc(slices.Clone(s.Envelope.Recipients), func(r paraph.Recipient) bool { return r.ID != s.Event.RecipientID })
}

// A schema that lets everything pass describes nothing: at every place in every golden body, what is missing, added or of another
// type is noticed.
func TestSchemasNoticeEveryChange(t *testing.T) {
	t.Parallel()
	for _, n := range Names() {
		t.Run(n.Name, func(t *testing.T) {
			t.Parallel()
			schema := compiled(t, n)
			text, err := os.ReadFile(filepath.Join("testdata", string(n.Dialect), n.Name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			tried := 0
			for _, c := range changes(parsed(t, text), "") {
				tried++
				whole := parsed(t, text)
				c.do(whole)
				if err := schema.Validate(whole); err == nil {
					t.Errorf("%s passes", c.what)
				}
			}
			if tried < 10 {
				t.Errorf("only %d changes were tried", tried)
			}
		})
	}
}

// change spoils a body.
type change struct {
	what string
	do   func(whole any)
}

// changes are all that can be done to an object and what is in it. What people put into metadata is nobody's business.
func changes(v any, path string) (out []change) {
	switch v := v.(type) {
	case map[string]any:
		if strings.HasSuffix(path, "/metadata") || strings.HasSuffix(path, "/variables") || path != "" && len(v) == 0 {
			return nil
		}
		out = append(out, change{"something more in " + path, func(whole any) { follow(whole, path).(map[string]any)["more"] = 1 }})
		for _, key := range slices.Sorted(maps.Keys(v)) {
			out = append(out, keyChanges(path, key)...)
			out = append(out, changes(v[key], path+"/"+key)...)
		}
	case []any:
		for i := range v {
			out = append(out, changes(v[i], fmt.Sprintf("%s/%d", path, i))...)
		}
	}
	return out
}

func keyChanges(path, key string) []change {
	out := []change{{"an array in " + path + "/" + key, func(whole any) { follow(whole, path).(map[string]any)[key] = []any{[]any{}} }}}
	if key != "Recipient" && key != "template" {
		out = append(out, change{"nothing in " + path + "/" + key, func(whole any) { delete(follow(whole, path).(map[string]any), key) }})
	}
	return out
}

// follow goes to a place in a body.
func follow(v any, path string) any {
	for part := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		switch x := v.(type) {
		case map[string]any:
			if part != "" {
				v = x[part]
			}
		case []any:
			var i int
			fmt.Sscan(part, &i)
			v = x[i]
		}
	}
	return v
}

func TestSchemasNoticeWrongValues(t *testing.T) {
	t.Parallel()
	at := snapshots(t)
	for _, tc := range []struct{ event, good, bad string }{
		{"document.completed", `"status":"COMPLETED"`, `"status":"DONE"`},
		{"document.completed", `"event":"DOCUMENT_COMPLETED"`, `"event":"DOCUMENT_SIGNED"`},
		{"document.completed", `"createdAt":"2027-03-10T12:00:00.341Z"`, `"createdAt":"10 March"`},
		{"document.completed", `"createdAt":"2027-03-10T12:00:00.341Z"`, `"createdAt":null`},
		{"document.completed", `"id":501,"envelopeId"`, `"id":"501","envelopeId"`},
		{"document.completed", `"id":501,"envelopeId"`, `"id":501.5,"envelopeId"`},
		{"document.completed", `"recipients":[`, `"recipients":[null,`},
		{"form.completed", `"status":"completed"`, `"status":"COMPLETED"`},
		{"form.completed", `"value":true`, `"value":{}`},
		{"form.completed", `"metadata":{`, `"metadata":[{`},
		{"submission.completed", `"uuid":"5c0ffee0-0000-4000-8000-000000000311"`, `"uuid":"311"`},
		{"submission.completed", `"email":"anna@tenant.example"`, `"email":"anna"`},
		{"submission.completed", `"slug":"Lindenhof7Slug"`, `"slug":null`},
		{"submission.archived", `"id":501`, `"id":null`},
	} {
		text := render(t, tc.event, at[tc.event], receiverOf())
		if !strings.Contains(text, tc.good) {
			t.Fatalf("%s has no %s", tc.event, tc.good)
		}
		n, _ := Lookup(tc.event)
		spoiled := strings.Replace(text, tc.good, tc.bad, 1)
		if strings.HasPrefix(tc.bad, `"metadata":[`) {
			spoiled = strings.Replace(spoiled, `"<a>"}`, `"<a>"}]`, 1)
		}
		if err := compiled(t, n).Validate(parsed(t, []byte(spoiled))); err == nil {
			t.Errorf("%s passes with %s", tc.event, tc.bad)
		}
	}
}

// Everything is described in words.
func TestEveryPropertyIsDescribed(t *testing.T) {
	t.Parallel()
	for _, n := range Names() {
		body, parts := DescribeBody(n, "#/")
		for _, p := range append(parts, Property{n.Name, body}) {
			for _, property := range p.Schema.Properties {
				if !strings.HasSuffix(property.Schema.Description, ".") {
					t.Errorf("%s.%s says %q", p.Name, property.Name, property.Schema.Description)
				}
			}
		}
	}
}

// The properties stand in the schema in the order in which they stand in the body.
func TestSchemaHasTheOrderOfTheWire(t *testing.T) {
	t.Parallel()
	for _, n := range Names() {
		text := render(t, n.Name, snapshots(t)[n.Name], receiverOf())
		body, _ := DescribeBody(n, "#/")
		at := 0
		for _, p := range body.Properties {
			i := strings.Index(text[at:], `"`+p.Name+`":`)
			if i < 0 {
				t.Fatalf("%s: %s comes earlier", n.Name, p.Name)
			}
			at += i
		}
	}
}
