package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// contract is what the compatible API says of answers and events, in the part of JSON Schema that it uses.
type contract struct {
	Answers map[string]map[string]*schema `json:"answers"` // "GET /events" → status → body
	Schemas map[string]*schema            `json:"schemas"`
}

type schema struct {
	Ref           string             `json:"$ref"`
	Type          any                `json:"type"` // a name or a list of them
	Required      []string           `json:"required"`
	Properties    map[string]*schema `json:"properties"`
	Additional    json.RawMessage    `json:"additionalProperties"` // false, true or a schema
	Items         *schema            `json:"items"`
	Enum          []any              `json:"enum"`
	Const         any                `json:"const"`
	Format        string             `json:"format"`
	MaxLength     *int               `json:"maxLength"`
	MaxProperties *int               `json:"maxProperties"`
	AllOf         []*schema          `json:"allOf"`
	OneOf         []*schema          `json:"oneOf"`
	AnyOf         []*schema          `json:"anyOf"`
}

func readContract(t testing.TB) contract {
	t.Helper()
	text, err := os.ReadFile("testdata/contract.json")
	if err != nil {
		t.Fatal(err)
	}
	var c contract
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// check holds an answer against the contract where that has the route and the status.
func (c contract) check(t testing.TB, r *http.Request, at target, got reply) {
	t.Helper()
	if at.row == nil || got.raw == "" {
		return
	}
	made := at.row.pattern == "/directories" && got.status == http.StatusCreated
	changed := at.row.pattern == "/directories/{id}" && r.Method == http.MethodPatch && got.status == http.StatusOK
	if made || changed { // our own routes, the contract's resource
		c.report(t, r, c.faults("", c.Schemas["Directory"], got.object))
	}
	s := c.Answers[r.Method+" "+at.row.pattern][fmt.Sprint(got.status)]
	if s == nil || got.status == http.StatusBadRequest && !slices.Contains([]any{"invalid_metadata", "external_id_already_used", "domain_already_verified"}, got.object["code"]) && r.Method != http.MethodGet {
		return // the contract's 400 lists only what is wrong with well-formed bodies
	}
	c.report(t, r, c.faults("", s, got.object))
}

func (c contract) report(t testing.TB, r *http.Request, faults []string) {
	t.Helper()
	for _, f := range faults {
		t.Errorf("%s %s: %s", r.Method, r.URL, f)
	}
}

// faults lists what is wrong with a value.
func (c contract) faults(at string, s *schema, v any) (out []string) {
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

func (s *schema) textFaults(at, v string) (out []string) {
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

func (c contract) objectFaults(at string, s *schema, v map[string]any) (out []string) {
	for _, name := range s.Required {
		if _, there := v[name]; !there {
			out = append(out, at+": lacks "+name)
		}
	}
	if s.MaxProperties != nil && len(v) > *s.MaxProperties {
		out = append(out, at+": has too many members")
	}
	var other *schema
	if len(s.Additional) > 0 && s.Additional[0] == '{' {
		other = &schema{}
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

func (c contract) combined(at string, s *schema, v any) (out []string) {
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

func TestContract_check_finds_each_kind_of_fault(t *testing.T) {
	c := readContract(t)
	good := `{"object":"directory_group","id":"a","idp_id":"b","directory_id":"c","organization_id":"d","name":"e","created_at":"2026-01-15T12:00:00.000Z","updated_at":"2026-01-15T12:00:00.000Z"}`
	for _, one := range []struct{ schema, from, to, want string }{
		{"DirectoryGroup", "", "", ""},
		{"DirectoryGroup", `"name":"e"`, `"x":"e"`, "lacks name"},
		{"DirectoryGroup", `"name":"e"`, `"name":null`, "not of type string"},
		{"DirectoryGroup", `"directory_group"`, `"group"`, "is not directory_group"},
		{"DirectoryGroup", `12:00:00.000Z`, `12:00:00Z`, "no time"},
		{"DirectoryGroupList", "", "", "lacks data"},
		{"EventSchema", "", "", "none of the alternatives"},
	} {
		var v any
		if err := json.Unmarshal([]byte(strings.Replace(good, one.from, one.to, 1)), &v); err != nil {
			t.Fatal(err)
		}
		got := strings.Join(c.faults("", c.Schemas[one.schema], v), "\n")
		if one.want == "" && got != "" || !strings.Contains(got, one.want) {
			t.Errorf("%s with %s: found %q, want %q", one.schema, one.to, got, one.want)
		}
	}
}

// Every answer of every test is held against the contract (world.serve); here one of each kind and every type of event is made on
// purpose, so that none is left out.
func TestContract_holds_for_every_event_that_is_appended(t *testing.T) {
	onBoth(t, func(w *world) {
		made := w.send("POST", "/organizations", `{"name":"R&D <EU>","domain_data":[{"domain":"example.com","state":"pending"}]}`).wants(201)
		f := w.feed(made.text("id"), "")
		ann, bob := f.person("ann", `,"title":"Engineer"`), f.person("bob", "")
		team := f.group("Team", ann)
		f.set(ann, "title", `"Lead"`)
		f.set(bob, "active", "false")
		f.rename(team, "Crew", scim.MemberChange{Kind: scim.MembersRemoveAll})
		w.must(w.dirs.DeleteUser(w.Context(), f.access, ann, directory.Condition{}, nothing))
		w.must(w.dirs.DeleteGroup(w.Context(), f.access, team, directory.Condition{}, nothing))
		second := w.send("POST", "/directories/"+f.id+"/tokens", "").wants(201).text("id")
		w.send("DELETE", "/directories/"+f.id+"/tokens/"+second, "").wants(204)
		w.send("DELETE", "/directories/"+f.id, "").wants(202)
		w.everyChangeOfAnOrganization(made.text("id"))

		seen := map[string]bool{}
		for _, kind := range w.get("/events?limit=100").wants(200).each("event") {
			seen[kind] = true
		}
		for _, kind := range event.Types() {
			if !seen[string(kind)] {
				t.Errorf("no %s was made", kind)
			}
		}
	})
}
