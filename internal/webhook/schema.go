package webhook

import (
	"encoding/json"
	"reflect"
	"strings"
	"unicode"
)

// Schema is a JSON Schema of the draft 2020-12, with the keywords that bodies need. Properties stand in the order of the wire.
type Schema struct {
	Dialect              string            `json:"$schema,omitempty"`
	ID                   string            `json:"$id,omitempty"`
	Title                string            `json:"title,omitempty"`
	Description          string            `json:"description,omitempty"`
	Ref                  string            `json:"$ref,omitempty"`
	AnyOf                []*Schema         `json:"anyOf,omitempty"`
	Type                 Types             `json:"type,omitempty"`
	Const                string            `json:"const,omitempty"`
	Enum                 []string          `json:"enum,omitempty"`
	Format               string            `json:"format,omitempty"`
	Properties           Properties        `json:"properties,omitempty"`
	Required             []string          `json:"required,omitempty"`
	AdditionalProperties *bool             `json:"additionalProperties,omitempty"`
	Items                *Schema           `json:"items,omitempty"`
	MinItems             int               `json:"minItems,omitempty"`
	Examples             []json.RawMessage `json:"examples,omitempty"`
	Parts                Properties        `json:"$defs,omitempty"`
}

// Types are the JSON types that a value can have.
type Types []string

// MarshalJSON writes one type as a string and several as an array.
func (t Types) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return json.Marshal(t[0])
	}
	return json.Marshal([]string(t))
}

// Property is a schema and its name.
type Property struct {
	Name   string
	Schema *Schema
}

// Properties keep their order.
type Properties []Property

// MarshalJSON writes an object.
func (p Properties) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, property := range p {
		if i > 0 {
			b = append(b, ',')
		}
		name, err := encode(property.Name)
		if err != nil {
			return nil, err
		}
		value, err := encode(property.Schema)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, name...), ':'), value...)
	}
	return append(b, '}'), nil
}

// Get is the schema of that name, nil when there is none.
func (p Properties) Get(name string) *Schema {
	for _, property := range p {
		if property.Name == name {
			return property.Schema
		}
	}
	return nil
}

// SchemaDialect is the $schema of what EventSchema returns.
const SchemaDialect = "https://json-schema.org/draft/2020-12/schema"

// DescribeBody tells what an event's body looks like, from the same types that render it. The body refers to its parts by refs and
// their name: "#/$defs/" when the parts are put into its Parts.
func DescribeBody(n Name, refs string) (body *Schema, parts Properties) {
	d := describer{name: n, refs: refs}
	body = d.object(bodyType(n))
	body.Title, body.Description = n.Name, n.About
	return body, d.parts
}

// EventSchema is the event's schema in one piece, under its $id, with examples.
func EventSchema(n Name, id string, examples ...json.RawMessage) *Schema {
	body, parts := DescribeBody(n, "#/$defs/")
	body.Dialect, body.ID, body.Examples, body.Parts = SchemaDialect, id, examples, parts
	return body
}

// bodyType is the type that renders an event.
func bodyType(n Name) reflect.Type {
	switch {
	case n.Dialect == Documenso:
		return reflect.TypeFor[documensoBody]()
	case n.Name == "submission.archived":
		return reflect.TypeFor[docusealBody[docusealArchived]]()
	case n.Family() == "submission.*":
		return reflect.TypeFor[docusealBody[docusealSubmission]]()
	}
	return reflect.TypeFor[docusealBody[docusealForm]]()
}

// describer reads types. A field's tags say what its type can't: doc, enum, format, example, types (of a value that can have
// several), nullable:"false" for a time that is always there, and const:"wire" for the event's own name.
type describer struct {
	name  Name
	refs  string
	parts Properties
}

func (d *describer) object(t reflect.Type) *Schema {
	closed := false
	s := &Schema{Type: Types{"object"}, AdditionalProperties: &closed}
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		optional := options == "omitempty"
		s.Properties = append(s.Properties, Property{name, d.property(f, optional)})
		if !optional {
			s.Required = append(s.Required, name)
		}
	}
	return s
}

func (d *describer) property(f reflect.StructField, optional bool) *Schema {
	s := d.value(f.Type, f.Tag)
	if optional && f.Type.Kind() == reflect.Slice {
		s.MinItems = 1 // an empty one is left out
	}
	nullable := f.Type.Kind() == reflect.Pointer && !optional || f.Type == reflect.TypeFor[stamp]() && f.Tag.Get("nullable") != "false"
	if nullable {
		s = orNullSchema(s)
	}
	s.Description = f.Tag.Get("doc")
	if example := f.Tag.Get("example"); example != "" {
		s.Examples = []json.RawMessage{exampleFor(s, example)}
	}
	return s
}

// exampleFor is a tag's text as the JSON that the schema asks for.
func exampleFor(s *Schema, text string) json.RawMessage {
	if len(s.Type) > 0 && s.Type[0] == "integer" {
		return json.RawMessage(text)
	}
	b, _ := json.Marshal(text) // of a string it never fails
	return b
}

func orNullSchema(s *Schema) *Schema {
	if s.Ref != "" {
		return &Schema{AnyOf: []*Schema{s, {Type: Types{"null"}}}}
	}
	s.Type = append(s.Type, "null")
	return s
}

func (d *describer) value(t reflect.Type, tag reflect.StructTag) *Schema {
	switch {
	case tag.Get("types") != "":
		return &Schema{Type: strings.Split(tag.Get("types"), ",")}
	case t == reflect.TypeFor[stamp]():
		return &Schema{Type: Types{"string"}, Format: "date-time"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return d.value(t.Elem(), tag)
	case reflect.Slice:
		return &Schema{Type: Types{"array"}, Items: d.value(t.Elem(), "")}
	case reflect.Struct:
		return d.part(t)
	case reflect.Bool:
		return &Schema{Type: Types{"boolean"}}
	case reflect.Int, reflect.Int64:
		return &Schema{Type: Types{"integer"}}
	case reflect.String:
		return d.text(tag)
	}
	panic("webhook: a body has a " + t.String() + " without the tag types")
}

func (d *describer) text(tag reflect.StructTag) *Schema {
	s := &Schema{Type: Types{"string"}, Format: tag.Get("format")}
	if tag.Get("const") == "wire" {
		s.Const = d.name.Wire
	}
	if enum := tag.Get("enum"); enum != "" {
		s.Enum = strings.Split(enum, ",")
	}
	return s
}

// part describes a struct once and refers to it. One without fields is an object of which nothing is said.
func (d *describer) part(t reflect.Type) *Schema {
	if t.NumField() == 0 {
		return &Schema{Type: Types{"object"}}
	}
	name := partName(t)
	if d.parts.Get(name) == nil {
		s := &Schema{}
		d.parts = append(d.parts, Property{name, s})
		*s = *d.object(t)
	}
	return &Schema{Ref: d.refs + name}
}

// partName is a type's name as it is published: DocumensoPayload.
func partName(t reflect.Type) string {
	name := []rune(t.Name())
	name[0] = unicode.ToUpper(name[0])
	return string(name)
}
