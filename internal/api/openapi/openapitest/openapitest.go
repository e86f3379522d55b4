// Package openapitest holds answers against the OpenAPI document: what the document promises is what tests see.
package openapitest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/rollcallhq/rollcall/internal/api/openapi"
)

// Document is one that was read. It may be shared.
type Document struct {
	Raw map[string]any

	mu       sync.Mutex
	compiler *jsonschema.Compiler
	compiled map[string]*jsonschema.Schema
}

// where the document is as a resource of the compiler.
const where = "https://rollcall.example/openapi.json"

// Read takes a document apart. Schemas are held against the meta-schema of JSON Schema 2020-12 when they are compiled.
func Read(text []byte) (*Document, error) {
	raw, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	members, ok := raw.(map[string]any)
	if !ok {
		return nil, errors.New("the document is no object")
	}
	d := &Document{Raw: members, compiler: jsonschema.NewCompiler(), compiled: map[string]*jsonschema.Schema{}}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	return d, d.compiler.AddResource(where, raw)
}

// At follows a JSON pointer without its leading slash; nil if there is nothing.
func (d *Document) At(pointer ...string) any {
	var v any = d.Raw
	for _, name := range pointer {
		o, _ := v.(map[string]any)
		v = o[name]
	}
	return v
}

// Schema compiles the schema at a place of the document.
func (d *Document) Schema(pointer ...string) (*jsonschema.Schema, error) {
	escaped := make([]string, len(pointer))
	for i, name := range pointer {
		escaped[i] = strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(name)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	at := where + "#/" + strings.Join(escaped, "/")
	if s := d.compiled[at]; s != nil {
		return s, nil
	}
	s, err := d.compiler.Compile(at)
	if err == nil {
		d.compiled[at] = s
	}
	return s, err
}

// Faults lists how an answer differs from what is described. Ranges of statuses are not understood; 5xx and 404s and 405s of no route
// are not for here.
func (d *Document) Faults(route openapi.Route, status int, contentType string, body []byte) []string {
	place := []string{"paths", route.Pattern, strings.ToLower(route.Method), "responses", strconv.Itoa(status)}
	described, _ := d.At(place...).(map[string]any)
	if described == nil {
		return []string{fmt.Sprintf("status %d is not described", status)}
	}
	contents, _ := described["content"].(map[string]any)
	switch {
	case len(body) == 0 && len(contents) == 0:
		return nil
	case len(body) == 0:
		return []string{"the body that is described is missing"}
	case contents[contentType] == nil:
		return []string{fmt.Sprintf("a body of type %q is not described", contentType)}
	}
	if contentType != "application/json" {
		return d.lines(append(place, "content", contentType, "schema"), body)
	}
	faults := d.valueFaults(append(place, "content", contentType, "schema"), body)
	return append(faults, codeFaults(described, status, body)...)
}

// lines: each of them is of the schema.
func (d *Document) lines(place []string, body []byte) (faults []string) {
	for line := range bytes.Lines(body) {
		faults = append(faults, d.valueFaults(place, line)...)
	}
	return faults
}

func (d *Document) valueFaults(place []string, body []byte) []string {
	schema, err := d.Schema(place...)
	if err != nil {
		return []string{err.Error()}
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return []string{err.Error()}
	}
	var faults []string
	if err := schema.Validate(value); err != nil {
		faults = append(faults, err.Error())
	}
	return append(faults, d.Undescribed("", d.At(place...), value)...)
}

// Undescribed lists the members of a value that its schema does not name.
func (d *Document) Undescribed(at string, schema, value any) (faults []string) {
	s := d.resolve(schema)
	if alternatives, ok := s["oneOf"].([]any); ok {
		for i, one := range alternatives {
			got := d.Undescribed(at, one, value)
			if i == 0 || len(got) < len(faults) {
				faults = got
			}
		}
		return faults
	}
	switch v := value.(type) {
	case []any:
		for i, item := range v {
			faults = append(faults, d.Undescribed(at+"["+strconv.Itoa(i)+"]", s["items"], item)...)
		}
	case map[string]any:
		known, _ := s["properties"].(map[string]any)
		_, open := s["additionalProperties"]
		for name, one := range v {
			switch {
			case known[name] != nil:
				faults = append(faults, d.Undescribed(at+"."+name, known[name], one)...)
			case !open:
				faults = append(faults, at+"."+name+" is not described")
			}
		}
	}
	slices.Sort(faults)
	return faults
}

// resolve follows references.
func (d *Document) resolve(schema any) map[string]any {
	s, _ := schema.(map[string]any)
	for {
		ref, _ := s["$ref"].(string)
		pointer, found := strings.CutPrefix(ref, "#/")
		if !found {
			return s
		}
		s, _ = d.At(strings.Split(pointer, "/")...).(map[string]any)
	}
}

// codeFaults: a refusal's code is one that the description of its status names.
func codeFaults(described map[string]any, status int, body []byte) []string {
	const refusals = 400
	var problem struct {
		Code string `json:"code"`
	}
	if status < refusals {
		return nil
	}
	if err := json.Unmarshal(body, &problem); err != nil {
		return []string{err.Error()}
	}
	_, codes, _ := strings.Cut(described["description"].(string), ": ")
	if !slices.Contains(strings.Split(strings.TrimSuffix(codes, "."), ", "), problem.Code) {
		return []string{fmt.Sprintf("the code %s is not described for %d, where there are: %s", problem.Code, status, codes)}
	}
	return nil
}
