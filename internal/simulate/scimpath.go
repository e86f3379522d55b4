package simulate

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// attributePath is where a document has a value: [schema:]attribute[filter].sub.
type attributePath struct {
	schema, attribute string
	by, is            string // attribute[by eq is]
	sub               string
}

var (
	pathForm     = regexp.MustCompile(`^(?:(urn:.+):)?([A-Za-z$][\w$-]*)(?:\[(\w+) eq "([^"]*)"\])?(?:\.(\w+))?$`)
	filteredPath = regexp.MustCompile(`\[.*\]`)
)

func parsePath(text string) (attributePath, error) {
	found := pathForm.FindStringSubmatch(text)
	if found == nil {
		return attributePath{}, fmt.Errorf("path %q: want [schema:]attribute[name eq \"value\"].part", text)
	}
	return attributePath{schema: found[1], attribute: found[2], by: found[3], is: found[4], sub: found[5]}, nil
}

// get reads the text that a document has there; "" is nothing.
func (p attributePath) get(document map[string]any) string {
	at := document
	if p.schema != "" {
		at, _ = member(at, p.schema).(map[string]any)
	}
	value := member(at, p.attribute)
	if p.by != "" {
		value = p.element(value)
	}
	if object, ok := value.(map[string]any); ok {
		sub := p.sub
		if sub == "" {
			sub = "value"
		}
		value = member(object, sub)
	}
	return textOf(value)
}

// element finds the element that the filter means, or nil.
func (p attributePath) element(list any) any {
	elements, _ := list.([]any)
	for _, element := range elements {
		if object, ok := element.(map[string]any); ok && strings.EqualFold(textOf(member(object, p.by)), p.is) {
			return object
		}
	}
	return nil
}

// set writes a value there; nil takes it away.
func (p attributePath) set(document map[string]any, value any) {
	at := document
	if p.schema != "" {
		at = inside(at, p.schema)
	}
	if p.by != "" && value == nil && (p.sub == "" || p.sub == "value") {
		p.dropElement(at)
		return
	}
	if p.by != "" {
		at, p.attribute = p.inElement(at), p.sub
		if p.sub == "" {
			p.attribute = "value"
		}
	} else if p.sub != "" {
		at, p.attribute = inside(at, p.attribute), p.sub
	}
	if value == nil {
		delete(at, p.attribute)
		return
	}
	at[p.attribute] = value
}

func (p attributePath) inElement(at map[string]any) map[string]any {
	list := member(at, p.attribute)
	if object, ok := p.element(list).(map[string]any); ok {
		return object
	}
	made := map[string]any{p.by: p.is}
	if yes, err := strconv.ParseBool(strings.ToLower(p.is)); err == nil {
		made[p.by] = yes
	}
	elements, _ := list.([]any)
	at[p.attribute] = append(elements, made)
	return made
}

// dropElement takes the element out whose value goes: what is left of it would mean nothing.
func (p attributePath) dropElement(at map[string]any) {
	elements, _ := member(at, p.attribute).([]any)
	kept := []any{}
	for _, e := range elements {
		if o, ok := e.(map[string]any); !ok || !strings.EqualFold(textOf(member(o, p.by)), p.is) {
			kept = append(kept, e)
		}
	}
	if at[p.attribute] = kept; len(kept) == 0 {
		delete(at, p.attribute)
	}
}

func inside(at map[string]any, name string) map[string]any {
	object, ok := at[name].(map[string]any)
	if !ok {
		object = map[string]any{}
		at[name] = object
	}
	return object
}

// member reads a member; its name is no matter of letter case (RFC 7643 §2.1).
func member(object map[string]any, name string) any {
	if value, ok := object[name]; ok {
		return value
	}
	for key, value := range object {
		if strings.EqualFold(key, name) {
			return value
		}
	}
	return nil
}

// textOf is a simple value as text; "" for everything else.
func textOf(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	}
	return ""
}

// copied is a copy that shares nothing.
func copied(value any) any {
	switch v := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, inner := range v {
			out[name] = copied(inner)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = copied(inner)
		}
		return out
	}
	return value
}
