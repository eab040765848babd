package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// EventType is an event that webhooks can ask for.
type EventType struct {
	Name      string   `json:"name" doc:"As webhooks ask for it." example:"form.completed"`
	Wire      string   `json:"wire" doc:"As the body says it."`
	Dialect   string   `json:"dialect" doc:"documenso or docuseal: whose shape the body has."`
	Family    string   `json:"family" doc:"What selects it together with its relatives." example:"form.*"`
	About     string   `json:"about" doc:"When it happens."`
	Aliases   []string `json:"aliases" doc:"Other names that webhooks can ask for it by."`
	SchemaURL string   `json:"schema_url" doc:"The JSON Schema of its body, to be had without a token."`
	Example   rawJSON  `json:"example" doc:"A body."`
}

// EventTypes are all of them.
type EventTypes struct {
	Data []EventType `json:"data"`
}

// EventTypeDetail is an event with its schema.
type EventTypeDetail struct {
	EventType
	Schema rawJSON `json:"schema" doc:"The JSON Schema of its body, in the draft 2020-12."`
}

// exampleURL is where the examples go.
const exampleURL = "https://example.com/webhooks"

// catalogue is every event of a server at base. It needs no server.
func catalogue(base string) ([]EventTypeDetail, error) {
	var out []EventTypeDetail
	for _, n := range webhook.Names() {
		t, err := eventType(n, base)
		if err != nil {
			return nil, fmt.Errorf("describe %s: %w", n.Name, err)
		}
		out = append(out, t)
	}
	return out, nil
}

func eventType(n webhook.Name, base string) (t EventTypeDetail, err error) {
	t.EventType = EventType{
		Name: n.Name, Wire: n.Wire, Dialect: string(n.Dialect), Family: n.Family(), About: n.About, Aliases: []string{},
		SchemaURL: base + "/api/events/types/" + n.Name + "/schema",
	}
	if n.Wire != n.Name {
		t.Aliases = []string{n.Wire}
	}
	if t.Example, err = desk.Example(n, base, exampleURL); err != nil {
		return t, err
	}
	t.Schema, err = json.Marshal(webhook.EventSchema(n, t.SchemaURL, t.Example))
	return t, err
}

func (a *api) listEventTypes(context.Context, *struct{}) (EventTypes, error) {
	out := EventTypes{Data: make([]EventType, len(a.events))}
	for i, t := range a.events {
		out.Data[i] = t.EventType
	}
	return out, nil
}

// byName names an event in the path.
type byName struct {
	Name string `path:"name" doc:"The event's name or one of its aliases." example:"form.completed"`
}

func (a *api) getEventType(_ context.Context, in *byName) (EventTypeDetail, error) {
	t, ok := a.event(in.Name)
	if !ok {
		return t, noEvent(in.Name)
	}
	return t, nil
}

func (a *api) event(name string) (EventTypeDetail, bool) {
	i := slices.IndexFunc(a.events, func(t EventTypeDetail) bool { return t.Name == name || slices.Contains(t.Aliases, name) })
	if i < 0 {
		return EventTypeDetail{}, false
	}
	return a.events[i], true
}

func noEvent(name string) error {
	return paraph.Errorf(paraph.NotFound, "There is no event “%s”; see /api/events/types.", short(name))
}

// eventSchema serves the schema by itself, to everybody: validators follow $id without a token.
func (a *api) eventSchema(w http.ResponseWriter, r *http.Request) {
	t, ok := a.event(r.PathValue("name"))
	if !ok {
		a.refuse(w, r, noEvent(r.PathValue("name")))
		return
	}
	serveBytes("application/schema+json", t.Schema).ServeHTTP(w, r)
}

// describeEventSchema puts eventSchema, which passes by huma, into the description.
func (a *api) describeEventSchema() {
	a.order = append(a.order, "getEventSchema")
	a.huma.OpenAPI().AddOperation(&huma.Operation{
		Method: "GET", Path: "/api/events/types/{name}/schema", OperationID: "getEventSchema", Tags: []string{others},
		Summary: "Get the JSON Schema of an event's body", Description: "By itself, under its $id. It needs no token.",
		Security:   []map[string][]string{},
		Parameters: []*huma.Param{{Name: "name", In: "path", Description: "The event's name or one of its aliases.", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}},
		Responses: map[string]*huma.Response{
			"200":     {Description: "OK", Content: map[string]*huma.MediaType{"application/schema+json": {Schema: &huma.Schema{Type: huma.TypeObject}}}},
			"default": a.errorResponses()["default"],
		},
	})
}
