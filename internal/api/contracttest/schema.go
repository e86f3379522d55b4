package contracttest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Schema is the part of JSON Schema that the contract uses.
type Schema struct {
	Ref           string             `json:"$ref"`
	Type          any                `json:"type"` // a name or a list of them
	Required      []string           `json:"required"`
	Properties    map[string]*Schema `json:"properties"`
	Additional    json.RawMessage    `json:"additionalProperties"` // false, true or a schema
	Items         *Schema            `json:"items"`
	Enum          []any              `json:"enum"`
	Const         any                `json:"const"`
	Format        string             `json:"format"`
	MaxLength     *int               `json:"maxLength"`
	MaxProperties *int               `json:"maxProperties"`
	AllOf         []*Schema          `json:"allOf"`
	OneOf         []*Schema          `json:"oneOf"`
	AnyOf         []*Schema          `json:"anyOf"`
}

// faults lists what is wrong with a value.
func (c Contract) faults(at string, s *Schema, v any) (out []string) {
	if s == nil {
		return []string{at + ": no schema"}
	}
	wrong := func(format string, args ...any) { out = append(out, at+": "+fmt.Sprintf(format, args...)) }
	if s.Ref != "" {
		out = append(out, c.faults(at, c.Schemas[s.Ref], v)...)
	}
	if names := typeNames(s.Type); len(names) > 0 && !slices.ContainsFunc(names, func(n string) bool { return isOfType(v, n) }) {
		wrong("%v is not of type %v", v, s.Type)
	}
	if s.Const != nil && !reflect.DeepEqual(v, s.Const) {
		wrong("%v is not %v", v, s.Const)
	}
	if s.Enum != nil && !slices.ContainsFunc(s.Enum, func(e any) bool { return reflect.DeepEqual(e, v) }) {
		wrong("%v is none of %v", v, s.Enum)
	}
	switch v := v.(type) {
	case string:
		out = append(out, s.textFaults(at, v)...)
	case []any:
		for i, item := range v {
			if s.Items != nil {
				out = append(out, c.faults(fmt.Sprintf("%s[%d]", at, i), s.Items, item)...)
			}
		}
	case map[string]any:
		out = append(out, c.objectFaults(at, s, v)...)
	}
	return append(out, c.combined(at, s, v)...)
}

func (s *Schema) textFaults(at, v string) (out []string) {
	if s.MaxLength != nil && utf8.RuneCountInString(v) > *s.MaxLength {
		out = append(out, at+": is too long")
	}
	if s.Format == "date-time" {
		if got, err := time.Parse("2006-01-02T15:04:05.000Z", v); err != nil || got.Year() < 2000 {
			out = append(out, fmt.Sprintf("%s: %q is no time in UTC with milliseconds", at, v))
		}
	}
	return out
}

func (c Contract) objectFaults(at string, s *Schema, v map[string]any) (out []string) {
	for _, name := range s.Required {
		if _, there := v[name]; !there {
			out = append(out, at+": lacks "+name)
		}
	}
	if s.MaxProperties != nil && len(v) > *s.MaxProperties {
		out = append(out, at+": has too many members")
	}
	var other *Schema
	if len(s.Additional) > 0 && s.Additional[0] == '{' {
		other = &Schema{}
		if err := json.Unmarshal(s.Additional, other); err != nil {
			out = append(out, at+": "+err.Error())
		}
	}
	for name, value := range v {
		switch known := s.Properties[name]; {
		case known != nil:
			out = append(out, c.faults(at+"."+name, known, value)...)
		case string(s.Additional) == "false":
			out = append(out, at+": has "+name)
		case other != nil:
			out = append(out, c.faults(at+"."+name, other, value)...)
		}
	}
	return out
}

func (c Contract) combined(at string, s *Schema, v any) (out []string) {
	for _, part := range s.AllOf {
		out = append(out, c.faults(at, part, v)...)
	}
	valid, closest := 0, []string(nil)
	alternatives := slices.Concat(s.OneOf, s.AnyOf)
	for _, one := range alternatives {
		faults := c.faults(at, one, v)
		if len(faults) == 0 {
			valid++
		} else if closest == nil || len(faults) < len(closest) {
			closest = faults
		}
	}
	switch {
	case len(alternatives) == 0:
	case valid == 0:
		out = append(out, at+": is none of the alternatives; closest: "+strings.Join(closest, "; "))
	case valid > 1 && len(s.OneOf) > 0:
		out = append(out, fmt.Sprintf("%s: is %d of the alternatives at once", at, valid))
	}
	return out
}

func typeNames(t any) []string {
	switch t := t.(type) {
	case string:
		return []string{t}
	case []any:
		out := make([]string, len(t))
		for i, name := range t {
			out[i] = fmt.Sprint(name)
		}
		return out
	}
	return nil
}

func isOfType(v any, name string) bool {
	switch v := v.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case string:
		return name == "string"
	case float64:
		return name == "number" || name == "integer" && v == float64(int64(v))
	case []any:
		return name == "array"
	default:
		return name == "object"
	}
}
