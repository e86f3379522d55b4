package openapi_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rollcallhq/rollcall/internal/api/openapi"
	"github.com/rollcallhq/rollcall/internal/api/openapi/openapitest"
	"github.com/rollcallhq/rollcall/internal/event"
)

// everything is the document of all that is described, whether served already or not.
var everything = sync.OnceValues(func() (*openapitest.Document, error) {
	var routes []openapi.Route
	for r := range openapi.Operations() {
		routes = append(routes, r)
	}
	return openapitest.Read(openapi.Document(routes))
})

func read(t *testing.T) *openapitest.Document {
	t.Helper()
	d, err := everything()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// walk visits every object and array below v, with its place.
func walk(place []string, v any, visit func(place []string, v any)) {
	visit(place, v)
	switch v := v.(type) {
	case map[string]any:
		for name, one := range v {
			walk(append(slices.Clone(place), name), one, visit)
		}
	case []any:
		for i, one := range v {
			walk(append(slices.Clone(place), strconv.Itoa(i)), one, visit)
		}
	}
}

func TestDocument_has_the_form_of_openapi(t *testing.T) {
	d := read(t)
	if d.Raw["openapi"] != "3.1.1" || d.At("info", "title") != "Rollcall" || d.At("info", "version") == nil {
		t.Errorf("head: %v %v", d.Raw["openapi"], d.Raw["info"])
	}
	for name := range d.Raw {
		if !slices.Contains([]string{"openapi", "info", "servers", "security", "tags", "paths", "components"}, name) {
			t.Errorf("%s is no member of a document", name)
		}
	}
	var tags []string
	for _, one := range d.Raw["tags"].([]any) {
		tags = append(tags, one.(map[string]any)["name"].(string))
	}
	seen := map[string]string{}
	for path, item := range d.At("paths").(map[string]any) {
		if !strings.HasPrefix(path, "/") {
			t.Errorf("path %q", path)
		}
		for method, value := range item.(map[string]any) {
			op := value.(map[string]any)
			at := strings.ToUpper(method) + " " + path
			id, _ := op["operationId"].(string)
			if id == "" || seen[id] != "" {
				t.Errorf("%s: the operationId %q is empty or also that of %s", at, id, seen[id])
			}
			seen[id] = at
			if tag := op["tags"].([]any)[0].(string); !slices.Contains(tags, tag) {
				t.Errorf("%s: the tag %q is not listed", at, tag)
			}
			if s, _ := op["summary"].(string); s == "" || strings.HasSuffix(s, ".") {
				t.Errorf("%s: the summary is %q", at, s)
			}
			checkParameters(t, d, at, path, op)
			checkAnswers(t, at, method, op)
		}
	}
}

func checkParameters(t *testing.T, d *openapitest.Document, at, path string, op map[string]any) {
	t.Helper()
	seen := map[string]bool{}
	keyed := false
	all, _ := op["parameters"].([]any)
	for _, one := range all {
		p := one.(map[string]any)
		if p["$ref"] == "#/components/parameters/IdempotencyKey" {
			keyed = true
			continue
		}
		where, name := p["in"].(string), p["name"].(string)
		if seen[where+name] || p["schema"] == nil || p["description"] == nil {
			t.Errorf("%s: the parameter %s is there twice or lacks something", at, name)
		}
		seen[where+name] = true
		switch where {
		case "path":
			if !strings.Contains(path, "{"+name+"}") || p["required"] != true {
				t.Errorf("%s: %s is not of the path, or not required", at, name)
			}
		case "query":
			if p["required"] == true {
				t.Errorf("%s: %s is required, and a refusal cannot say so", at, name)
			}
		default:
			t.Errorf("%s: a parameter in %s", at, where)
		}
	}
	if got, want := strings.Count(path, "{"), 0; got != want {
		for name := range seen {
			if strings.HasPrefix(name, "path") {
				got--
			}
		}
		if got != 0 {
			t.Errorf("%s: not all of the path's parameters are described", at)
		}
	}
	if wanted := !strings.HasPrefix(at, "GET ") && at != "POST /api_keys/validations"; keyed != wanted {
		t.Errorf("%s: takes an Idempotency-Key: %v", at, keyed)
	}
	if d.At("components", "parameters", "IdempotencyKey", "in") != "header" {
		t.Error("the Idempotency-Key is no header")
	}
}

// bare answer 200 with no body, as the contract has it.
var bare = []string{
	"DELETE /user_management/users/{id}", "DELETE /user_management/organization_memberships/{id}", "POST /user_management/sessions/revoke",
}

func checkAnswers(t *testing.T, at, method string, op map[string]any) {
	t.Helper()
	_, body := op["requestBody"]
	if body && (method == "get" || method == "delete") {
		t.Errorf("%s has a body", at)
	}
	successes := 0
	for status, value := range op["responses"].(map[string]any) {
		answer := value.(map[string]any)
		if s, _ := answer["description"].(string); s == "" {
			t.Errorf("%s: %s is not described", at, status)
		}
		code, err := strconv.Atoi(status)
		if err != nil && status != "default" {
			t.Errorf("%s: status %q", at, status)
		}
		if err == nil && code < 300 {
			successes++
			if (answer["content"] == nil) != (code == http.StatusNoContent || answer["content"] == nil && (code == http.StatusAccepted || slices.Contains(bare, at))) {
				t.Errorf("%s: %d has a body: %v", at, code, answer["content"] != nil)
			}
		}
		if code == http.StatusTooManyRequests && answer["headers"].(map[string]any)["Retry-After"] == nil {
			t.Errorf("%s: 429 without Retry-After", at)
		}
	}
	if successes != 1 {
		t.Errorf("%s has %d successes", at, successes)
	}
	for _, status := range []string{"401", "429", "default"} {
		if op["responses"].(map[string]any)[status] == nil && op["security"] == nil {
			t.Errorf("%s: %s is not described", at, status)
		}
	}
	if security, given := op["security"].([]any); given != strings.HasSuffix(at, openapi.Path) || len(security) > 0 {
		t.Errorf("%s: security is %v", at, op["security"])
	}
}

func TestDocument_refers_to_nothing_that_is_not_there(t *testing.T) {
	d := read(t)
	used := map[string]bool{}
	walk(nil, d.Raw, func(place []string, v any) {
		o, _ := v.(map[string]any)
		ref, isRef := o["$ref"].(string)
		if !isRef || len(place) > 0 && place[len(place)-1] == "properties" {
			return
		}
		pointer, _ := strings.CutPrefix(ref, "#/")
		if d.At(strings.Split(pointer, "/")...) == nil {
			t.Errorf("%s refers to %s, which is not there", strings.Join(place, "/"), ref)
		}
		used[pointer] = true
	})
	for _, kind := range []string{"schemas", "parameters", "headers"} {
		for name := range d.At("components", kind).(map[string]any) {
			if !used["components/"+kind+"/"+name] {
				t.Errorf("nothing uses %s %s", kind, name)
			}
		}
	}
}

func TestSchemas_are_JSON_schemas_and_describe_each_member(t *testing.T) {
	d := read(t)
	walk(nil, d.Raw, func(place []string, v any) {
		if len(place) == 0 || place[len(place)-1] != "schema" && (len(place) != 3 || place[1] != "schemas") {
			return
		}
		if _, err := d.Schema(place...); err != nil {
			t.Errorf("%s: %v", strings.Join(place, "/"), err)
		}
		walk(place, v, func(place []string, v any) {
			o, isObject := v.(map[string]any)
			if !isObject || len(place) < 2 || place[len(place)-2] != "properties" || o["$ref"] != nil || o["const"] != nil || o["type"] == "object" {
				return
			}
			if s, _ := o["description"].(string); s == "" {
				t.Errorf("%s is not described", strings.Join(place, "/"))
			}
		})
	})
}

func TestExamples_are_of_their_schemas(t *testing.T) {
	d := read(t)
	for path, item := range d.At("paths").(map[string]any) {
		for method, value := range item.(map[string]any) {
			if value.(map[string]any)["requestBody"] == nil {
				continue
			}
			place := []string{"paths", path, method, "requestBody", "content", "application/json"}
			s, err := d.Schema(append(place, "schema")...)
			if err != nil {
				t.Fatal(err)
			}
			example := d.At(append(place, "example")...)
			if example == nil {
				t.Errorf("%s %s has no example", method, path)
				continue
			}
			if err := s.Validate(example); err != nil {
				t.Errorf("%s %s: %v", method, path, err)
			}
			for _, fault := range d.Undescribed("", d.At(append(place, "schema")...), example) {
				t.Errorf("%s %s: %s", method, path, fault)
			}
		}
	}
}

// comingKinds are types of events that are described ahead of the catalogue. One that comes is taken from here.
func comingKinds() []event.Type {
	return []event.Type{}
}

func TestKinds_of_events_are_those_of_the_catalogue(t *testing.T) {
	catalogue, kinds := slices.Concat(event.Types(), event.OwnTypes()), openapi.Kinds()
	for _, kind := range catalogue {
		if kinds[kind].Data == nil || !strings.HasSuffix(kinds[kind].About, ".") {
			t.Errorf("%s is not described in internal/api/openapi", kind)
		}
	}
	for kind := range kinds {
		switch there, comes := slices.Contains(catalogue, kind), slices.Contains(comingKinds(), kind); {
		case there && comes:
			t.Errorf("%s is in the catalogue now; take it off the list of those to come", kind)
		case !there && !comes:
			t.Errorf("%s is described and not in the catalogue", kind)
		}
	}
}

func TestDocument_is_the_same_each_time(t *testing.T) {
	routes := []openapi.Route{{Method: "GET", Pattern: "/events"}, {Method: "GET", Pattern: "/organizations"}, {Method: "GET", Pattern: "/nothing"}}
	first := string(openapi.Document(routes))
	slices.Reverse(routes)
	if string(openapi.Document(routes)) != first || !json.Valid([]byte(first)) || strings.Contains(first, "/nothing") {
		t.Error("two documents of the same routes differ, or hold what is not described")
	}
}
