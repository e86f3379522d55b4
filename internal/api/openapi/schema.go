package openapi

import (
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Schema is the part of JSON Schema (draft 2020-12, which OpenAPI 3.1 takes over) that the API needs.
type Schema struct {
	Ref           string    `json:"$ref,omitempty"`
	Type          []string  `json:"-"` // one or two names; see MarshalJSONTo
	Description   string    `json:"description,omitempty"`
	Const         any       `json:"const,omitzero"` // a text or a truth value
	Enum          []string  `json:"enum,omitempty"`
	Format        string    `json:"format,omitempty"`
	Default       any       `json:"default,omitzero"`
	Minimum       *int      `json:"minimum,omitzero"`
	Maximum       *int      `json:"maximum,omitzero"`
	MaxLength     int       `json:"maxLength,omitzero"`
	Pattern       string    `json:"pattern,omitempty"`
	Properties    Members   `json:"properties,omitempty"`
	Required      []string  `json:"required,omitempty"`
	Additional    *Schema   `json:"additionalProperties,omitzero"`
	PropertyNames *Schema   `json:"propertyNames,omitzero"`
	MaxProperties int       `json:"maxProperties,omitzero"`
	Items         *Schema   `json:"items,omitzero"`
	OneOf         []*Schema `json:"oneOf,omitempty"`
	Deprecated    bool      `json:"deprecated,omitzero"`
}

// Member is a property of an object.
type Member struct {
	Name     string
	Schema   *Schema
	optional bool
}

// Members keep the order in which they are written down: the important ones come first.
type Members []Member

// MarshalJSONTo writes an object.
func (m Members) MarshalJSONTo(e *jsontext.Encoder) error {
	if err := e.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, one := range m {
		if err := e.WriteToken(jsontext.String(one.Name)); err != nil {
			return err
		}
		if err := json.MarshalEncode(e, one.Schema); err != nil {
			return err
		}
	}
	return e.WriteToken(jsontext.EndObject)
}

// bare has Schema's members without its methods.
type bare Schema

// MarshalJSONTo writes a type of one name as a text.
func (s *Schema) MarshalJSONTo(e *jsontext.Encoder) error {
	var kind any
	switch len(s.Type) {
	case 0:
	case 1:
		kind = s.Type[0]
	default:
		kind = s.Type
	}
	return json.MarshalEncode(e, struct {
		Type any `json:"type,omitzero"`
		bare `json:",inline"`
	}{kind, bare(*s)})
}

// The names of JSON types.
const (
	typeObject  = "object"
	typeString  = "string"
	typeInteger = "integer"
	typeBoolean = "boolean"
	typeNull    = "null"
)

func object(members ...Member) *Schema {
	s := &Schema{Type: []string{typeObject}, Properties: members}
	for _, m := range members {
		if !m.optional {
			s.Required = append(s.Required, m.Name)
		}
	}
	return s
}

// noun is an object that says what it is.
func noun(name string, members ...Member) *Schema {
	return object(slices.Concat(Members{has("object", is(name))}, members)...)
}

// has is a member that is always there, may is one that may be missing.
func has(name string, s *Schema) Member { return Member{Name: name, Schema: s} }
func may(name string, s *Schema) Member { return Member{Name: name, Schema: s, optional: true} }

func is(value string) *Schema { return &Schema{Type: []string{typeString}, Const: value} }

func text(about string) *Schema {
	return &Schema{Type: []string{typeString}, Description: about}
}

func moment(about string) *Schema {
	return &Schema{Type: []string{typeString}, Format: "date-time", Description: about}
}

func choice(about string, values ...string) *Schema {
	return &Schema{Type: []string{typeString}, Description: about, Enum: values}
}

func number(about string) *Schema { return &Schema{Type: []string{"number"}, Description: about} }

func count(about string) *Schema {
	return &Schema{Type: []string{typeInteger}, Description: about}
}

func between(from, to int, s *Schema) *Schema {
	s.Minimum, s.Maximum = &from, &to
	return s
}

func flag(about string) *Schema {
	return &Schema{Type: []string{typeBoolean}, Description: about}
}

func listOf(about string, item *Schema) *Schema {
	return &Schema{Type: []string{"array"}, Description: about, Items: item}
}

// anything is an object whose members are not ours to say.
func anything(about string) *Schema {
	return &Schema{Type: []string{typeObject}, Description: about, Additional: &Schema{}}
}

// orNull is s or null.
func orNull(s *Schema) *Schema {
	s.Type = append(s.Type, typeNull)
	return s
}

func deprecated(s *Schema) *Schema {
	s.Deprecated = true
	return s
}

const schemaRef = "#/components/schemas/"

func ref(name string) *Schema { return &Schema{Ref: schemaRef + name} }

// about is ref with words of its own.
func about(words string, s *Schema) *Schema {
	s.Description = words
	return s
}

// page is a list and the cursors of its neighbours.
func page(item string, more ...Member) *Schema {
	return object(append([]Member{
		has("object", is("list")),
		has("data", listOf("The entries of this page.", ref(item))),
		has("list_metadata", object(
			has("before", orNull(text("Cursor of the page before this one, null where there is none."))),
			has("after", orNull(text("Cursor of the page after this one, null where there is none."))),
		)),
	}, more...)...)
}

func made() Member    { return has("created_at", moment("When it was made.")) }
func changed() Member { return has("updated_at", moment("When it was changed last.")) }
