package api

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/paraph-sign/paraph/internal/webhook"
)

// eventHeader is a header of the requests that webhooks are.
type eventHeader struct {
	Name, About, Example string
	Dialect              webhook.Dialect // the only one that has it; "" for both
	Always               bool
}

// eventHeaders are all of them, in the order in which they are sent.
func eventHeaders() []eventHeader {
	return []eventHeader{
		{"User-Agent", "The server and its version.", "Paraph/1.0", "", true},
		{"webhook-id", "Names the message. The same on every attempt and replay, so that repeats can be told.", "msg_2b7Qx0VnYkq1TzR8mCwD4fLs", "", true},
		{"webhook-timestamp", "When this attempt was made, in seconds since 1970.", "1789380000", "", true},
		{"webhook-signature", "Signatures in the manner of Standard Webhooks, with spaces between; while a rotated secret still holds there are two.", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=", "", true},
		{"X-Docuseal-Signature", "The seconds of webhook-timestamp, a dot, and the HMAC-SHA256 of seconds, dot and body in hex; its key is the whole signing secret.", "1789380000.2f1b6c0d…", webhook.DocuSeal, true},
		{"X-Documenso-Secret", "The secret that you set for the webhook, as it is; empty when there is none.", "s3cret", webhook.Documenso, true},
		{"X-Paraph-Event", "The event's name.", "", "", true},
		{"X-Paraph-Attempt", "Which attempt this is, from 1.", "1", "", true},
		{"X-Paraph-Test", "1 for a test that somebody sent by hand; not there otherwise.", "1", "", false},
	}
}

// describeEvents adds the section webhooks of OpenAPI 3.1: what this server sends.
func (a *api) describeEvents() error {
	o := a.huma.OpenAPI()
	o.Webhooks = map[string]*huma.PathItem{}
	o.Components.Parameters = map[string]*huma.Param{}
	for _, n := range webhook.Names() {
		body, parts := webhook.DescribeBody(n, "#/components/schemas/")
		name := eventSchemaName(n)
		for _, p := range append(parts, webhook.Property{Name: name, Schema: body}) {
			if err := a.addSchema(p); err != nil {
				return err
			}
		}
		o.Webhooks[n.Name] = &huma.PathItem{Post: a.eventOperation(n, name)}
	}
	return nil
}

// eventSchemaName: FormCompletedEvent.
func eventSchemaName(n webhook.Name) string {
	var b strings.Builder
	for part := range strings.SplitSeq(n.Name, ".") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String() + "Event"
}

// addSchema puts a schema of ours among those of huma. A part that several events share is the same for all.
func (a *api) addSchema(p webhook.Property) error {
	text, err := json.Marshal(p.Schema)
	if err != nil {
		return fmt.Errorf("describe %s: %w", p.Name, err)
	}
	var keywords map[string]json.RawMessage
	if err := json.Unmarshal(text, &keywords); err != nil {
		return fmt.Errorf("describe %s: %w", p.Name, err)
	}
	s := &huma.Schema{Extensions: map[string]any{}}
	for k, v := range keywords {
		s.Extensions[k] = v
	}
	a.huma.OpenAPI().Components.Schemas.Map()[p.Name] = s
	return nil
}

func (a *api) eventOperation(n webhook.Name, schema string) *huma.Operation {
	media := &huma.MediaType{Schema: &huma.Schema{Ref: "#/components/schemas/" + schema}}
	if t, ok := a.event(n.Name); ok {
		media.Example = t.Example
	}
	return &huma.Operation{
		OperationID: "receive" + strings.TrimSuffix(schema, "Event"), Summary: n.Name, Description: n.About, Tags: []string{webhooks},
		Security: []map[string][]string{}, Parameters: a.headerParameters(n),
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": media}},
		Responses: map[string]*huma.Response{
			"2XX":     {Description: "Received. What else is answered is kept in the log, up to 8 KiB, and means nothing."},
			"410":     {Description: "Switches the webhook off for good: it asks never to be called again."},
			"default": {Description: "Failed, redirects too. It is tried again by the webhook's schedule, not before what Retry-After asks for, up to ten hours."},
		},
	}
}

// headerParameters refers to the headers of an event, which are described once.
func (a *api) headerParameters(n webhook.Name) (out []*huma.Param) {
	known := a.huma.OpenAPI().Components.Parameters
	for _, h := range eventHeaders() {
		if h.Dialect != "" && h.Dialect != n.Dialect {
			continue
		}
		if h.Name == "X-Paraph-Event" {
			out = append(out, &huma.Param{Name: h.Name, In: "header", Description: h.About, Required: true, Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{n.Name}}})
			continue
		}
		known[h.Name] = &huma.Param{Name: h.Name, In: "header", Description: h.About, Required: h.Always, Schema: &huma.Schema{Type: huma.TypeString}, Example: h.Example}
		out = append(out, &huma.Param{Ref: "#/components/parameters/" + h.Name})
	}
	return out
}
