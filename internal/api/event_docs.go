package api

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/paraph-sign/paraph/internal/webhook"
)

//go:embed event_docs.html.tmpl
var eventDocsPage string

// eventDocs is the page that shows all events to people.
func (a *api) eventDocs() ([]byte, error) {
	t, err := template.New("events").Parse(eventDocsPage)
	if err != nil {
		return nil, fmt.Errorf("read the page of events: %w", err)
	}
	view, err := a.newEventDocs()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, view); err != nil {
		return nil, fmt.Errorf("write the page of events: %w", err)
	}
	return b.Bytes(), nil
}

// eventDocsView is what the page shows.
type eventDocsView struct {
	Version  string
	Headers  []eventHeader
	Dialects []docsDialect
}

type docsDialect struct {
	Anchor, Name, About string
	Headers             []eventHeader // that only this one has
	Families            []docsFamily
	Shapes              []docsShape // of the bodies, those parts first that hold the others
	Missing             string      // events of the dialect that are not sent
}

type docsFamily struct {
	Name   string
	Events []docsEvent
}

type docsEvent struct {
	Name, Wire, About, Example, Body string // Body is the anchor of its shape
}

// docsShape is an object within bodies.
type docsShape struct {
	Anchor, Title string
	Rows          []shapeRow
}

type shapeRow struct {
	Name, Type, Link, About string
	Values                  []string
	Optional                bool
}

// dialectWords are what the page says of the dialects, in their order.
func dialectWords() []docsDialect {
	return []docsDialect{
		{
			Anchor: string(webhook.Documenso), Name: "Documenso’s dialect",
			About:   "What programs that were written for Documenso read. The body says the event’s name in capitals, and tells of the document with its recipients; it has the keys of both its older and its newer readers.",
			Missing: "template.created, template.updated, template.deleted and template.used are not sent, because this server has no templates yet. Nothing can ask for them.",
		},
		{
			Anchor: string(webhook.DocuSeal), Name: "DocuSeal’s dialect",
			About:   "What programs that were written for DocuSeal read. form.* tells of one submitter, submission.* of the whole.",
			Missing: "template.created, template.updated and template.archived are not sent, because this server has no templates yet. Nothing can ask for them.",
		},
	}
}

func (a *api) newEventDocs() (eventDocsView, error) {
	v := eventDocsView{Version: a.cfg.Version, Dialects: dialectWords()}
	for _, h := range eventHeaders() {
		if h.Dialect == "" {
			v.Headers = append(v.Headers, h)
		}
	}
	for i := range v.Dialects {
		d := &v.Dialects[i]
		for _, h := range eventHeaders() {
			if string(h.Dialect) == d.Anchor {
				d.Headers = append(d.Headers, h)
			}
		}
		if err := a.addFamilies(d); err != nil {
			return v, err
		}
	}
	return v, nil
}

// addFamilies puts in a dialect's events, and each shape once.
func (a *api) addFamilies(d *docsDialect) error {
	known := map[string]bool{}
	for _, n := range webhook.Names() {
		if string(n.Dialect) != d.Anchor {
			continue
		}
		if len(d.Families) == 0 || d.Families[len(d.Families)-1].Name != n.Family() {
			d.Families = append(d.Families, docsFamily{Name: n.Family()})
		}
		f := &d.Families[len(d.Families)-1]
		e, err := a.newDocsEvent(n)
		if err != nil {
			return err
		}
		f.Events = append(f.Events, e)
		for _, s := range shapesOf(n) {
			if !known[s.Anchor] {
				known[s.Anchor] = true
				d.Shapes = append(d.Shapes, s)
			}
		}
	}
	return nil
}

func (a *api) newDocsEvent(n webhook.Name) (docsEvent, error) {
	t, ok := a.event(n.Name)
	if !ok {
		return docsEvent{}, fmt.Errorf("there is no %s", n.Name)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, t.Example, "", "  "); err != nil {
		return docsEvent{}, fmt.Errorf("show the example of %s: %w", n.Name, err)
	}
	return docsEvent{n.Name, n.Wire, n.About, pretty.String(), bodyAnchor(n)}, nil
}

// bodyAnchor names the shape of an event's whole body.
func bodyAnchor(n webhook.Name) string {
	switch {
	case n.Dialect == webhook.Documenso:
		return "body-documenso"
	case n.Name == "submission.archived":
		return "body-archived"
	}
	return "body-" + strings.TrimSuffix(n.Family(), ".*")
}

// shapesOf are an event's body and its parts.
func shapesOf(n webhook.Name) []docsShape {
	body, parts := webhook.DescribeBody(n, "")
	title := "The body of " + n.Family()
	switch bodyAnchor(n) {
	case "body-documenso":
		title = "The body"
	case "body-archived":
		title = "The body of " + n.Name
	}
	out := []docsShape{{bodyAnchor(n), title, shapeRows(body)}}
	for _, p := range parts {
		out = append(out, docsShape{partAnchor(p.Name), partTitle(p.Name), shapeRows(p.Schema)})
	}
	return out
}

func partAnchor(name string) string { return "part-" + strings.ToLower(name) }

// partTitle is a part's name without its dialect's.
func partTitle(name string) string {
	return strings.TrimPrefix(strings.TrimPrefix(name, "Documenso"), "Docuseal")
}

func shapeRows(s *webhook.Schema) []shapeRow {
	rows := make([]shapeRow, len(s.Properties))
	for i, p := range s.Properties {
		r := shapeRow{Name: p.Name, About: p.Schema.Description, Values: p.Schema.Enum, Optional: !slices.Contains(s.Required, p.Name)}
		r.Type, r.Link = shapeType(p.Schema)
		rows[i] = r
	}
	return rows
}

// shapeType names a type for people, and the shape that it is.
func shapeType(s *webhook.Schema) (word, link string) {
	switch {
	case s.Ref != "":
		return partTitle(s.Ref), partAnchor(s.Ref)
	case len(s.AnyOf) > 0:
		word, link = shapeType(s.AnyOf[0])
		return word + " or null", link
	case s.Items != nil:
		word, link = shapeType(s.Items)
		return "list of " + word, link
	}
	words := make([]string, len(s.Type))
	for i, t := range s.Type {
		words[i] = shapeWord(s, t)
	}
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " or " + words[n-1], ""
	}
	return words[0], ""
}

func shapeWord(s *webhook.Schema, t string) string {
	switch {
	case t == "string" && s.Format == "date-time":
		return "time"
	case t == "string" && s.Format == "uri":
		return "URL"
	case t == "string" && s.Format == "uuid":
		return "UUID"
	case t == "integer":
		return "whole number"
	case t == "boolean":
		return "true or false"
	}
	return t
}
