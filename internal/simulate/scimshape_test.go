package simulate_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/simulate"
)

// What is sent has the shape of the traffic that the catalogue has recorded of the provider: the same methods, addresses, filters, headers and
// operations, and in bodies nothing of which there is no record.
func TestEvery_request_has_the_shape_of_recorded_traffic(t *testing.T) {
	everyDialect(t, func(t *testing.T, p idp.Provider, options []string) {
		_, base := newSCIMServer(t)
		c := client(t, p, base, simulate.SCIMOptions{Options: options, Seed: 1})
		playEverything(t, c)
		record := recorded(t, p)
		for _, shape := range inferred()[p.Slug] {
			record.bodies[shape] = true
		}
		for _, x := range c.Exchanges() {
			target := shapeOfTarget(t, x.Method, x.Target)
			if !record.targets[target] {
				t.Errorf("%s has no record: %s\nthere are:\n%s", x.Method+" "+x.Target, target, strings.Join(slices.Sorted(maps.Keys(record.targets)), "\n"))
			}
			if x.Method == "PATCH" && !strings.Contains(x.Body, `"Operations":[{`) {
				t.Errorf("a PATCH without operations: %s", x.Body)
			}
			for _, shape := range shapesOfBody(t, x.Method, x.Target, x.Body) {
				if !record.has(shape) {
					t.Errorf("%s %s: the body has what has no record: %s\n%s", x.Method, x.Target, shape, x.Body)
				}
			}
		}
	})
}

// inferred are forms of which there is no record: those that an operation has with other attributes or in another spelling.
func inferred() map[idp.Slug][]string {
	return map[idp.Slug][]string{
		"entra-id": {
			`/Users: add roles[primary eq "…"].value, value true`, `/Users: replace roles[primary eq "…"].value, value true`,
			"/Users: remove by name, value false", "/Users: remove with a filter, value false",
		},
		"pingfederate": {"/Users: remove by name, value false"},
	}
}

func TestHeaders_are_those_of_recorded_traffic(t *testing.T) {
	everyDialect(t, func(t *testing.T, p idp.Provider, _ []string) {
		for _, story := range p.Stories {
			headers := map[string]string{}
			for _, h := range story.Headers {
				headers[h.Name] = h.Value
			}
			if maps.Equal(headers, p.Dialect.Headers) {
				return
			}
		}
		t.Errorf("no story has the headers %v", p.Dialect.Headers)
	})
}

// playEverything plays each move that the provider has.
func playEverything(t *testing.T, c *simulate.SCIMClient) {
	t.Helper()
	people := cast(t)
	people[1].Role = "Admin"
	ctx := t.Context()
	ok(t, c.Play(ctx, simulate.PlotAll, people, nil))
	if c.Speaks(idp.MoveQuit) && c.Speaks(idp.MoveFindGroup) {
		ok(t, c.PushGroup(ctx, "Staff", people[0].Email)) // those who are no longer wanted are taken out
	}
	people[1].Title, people[1].Phone, people[1].Role = "", "", "Auditor"
	ok(t, c.Change(ctx, people[1]))
	if c.Speaks(idp.MoveImport) {
		ok(t, c.Import(ctx))
	}
	if c.Rhythm() > 0 {
		ok(t, c.Cycle(ctx))
	}
	if c.Speaks(idp.MoveDelete) {
		ok(t, c.Delete(ctx, people[2].Email))
	}
}

type record struct{ targets, bodies map[string]bool }

// has takes any simple value where the record shows null, and null where it shows any.
func (r record) has(shape string) bool {
	place, _, _ := cutLast(shape, ":")
	if strings.HasSuffix(shape, ":null") {
		for known := range r.bodies {
			if strings.HasPrefix(known, place+":") || strings.HasPrefix(known, place+"/") || strings.HasPrefix(known, place+"[]") {
				return true
			}
		}
	}
	return r.bodies[shape] || r.bodies[place+":null"]
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func recorded(t *testing.T, p idp.Provider) record {
	t.Helper()
	r := record{map[string]bool{}, map[string]bool{}}
	for _, story := range p.Stories {
		for _, step := range story.Steps {
			r.targets[shapeOfTarget(t, step.Method, step.Target)] = true
			for _, shape := range shapesOfBody(t, step.Method, step.Target, step.Body) {
				r.bodies[shape] = true
			}
		}
	}
	return r
}

var quoted = regexp.MustCompile(`"[^"]*"`)

// shapeOfTarget is an address without the ids, names and numbers in it.
func shapeOfTarget(t *testing.T, method, target string) string {
	t.Helper()
	path, query, hasQuery := strings.Cut(target, "?")
	shape := method + " " + endpointOf(path)
	if strings.Count(path, "/") > 1 {
		shape += "/…"
	}
	if !hasQuery {
		return shape
	}
	var pairs []string
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		text, err := url.QueryUnescape(value)
		if err != nil {
			t.Fatal(err)
		}
		switch name {
		case "aadOptscim062020", "AzureAdScimPatch2017": // part of the tenant's address, so it is in every target
			continue
		case "filter": // how blanks are written is part of it
			blank := "%20"
			if strings.Contains(value, "+") {
				blank = "+"
			}
			text = strings.ReplaceAll(quoted.ReplaceAllString(text, `"…"`), " ", blank)
		case "startIndex", "count":
			text = "…"
		}
		pairs = append(pairs, name+"="+text)
	}
	if len(pairs) == 0 && !strings.HasSuffix(query, "&") && query != "" {
		return shape
	}
	return shape + "?" + strings.Join(pairs, "&")
}

func endpointOf(path string) string {
	return "/" + strings.Split(strings.TrimPrefix(path, "/"), "/")[0]
}

// shapesOfBody are the places in a body with the kind of value there; of a PATCH, those of each operation.
func shapesOfBody(t *testing.T, method, target, body string) []string {
	t.Helper()
	if body == "" {
		return nil
	}
	var document map[string]any
	if err := json.Unmarshal([]byte(body), &document); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	path, _, _ := strings.Cut(target, "?")
	at := endpointOf(path)
	if method != "PATCH" {
		return places(at, document)
	}
	var out []string
	operations, _ := document["Operations"].([]any)
	for _, o := range operations {
		operation, _ := o.(map[string]any)
		op, _ := operation["op"].(string)
		where, _ := operation["path"].(string)
		value, hasValue := operation["value"]
		out = append(out, fmt.Sprintf("%s: %s %s, value %t", at, op, formOf(where), hasValue))
		if where != "" {
			out = append(out, places(at+placeOf(where), value)...)
			continue
		}
		inner, _ := value.(map[string]any)
		for key, value := range inner {
			out = append(out, at+": key "+formOf(key))
			out = append(out, places(at+placeOf(key), value)...)
		}
	}
	return out
}

var (
	ofMembers = regexp.MustCompile(`^(members|roles)\[.*\]`)
	dotted    = regexp.MustCompile(`^\w+\.\w+$`)
)

// formOf tells the ways apart in which a PATCH names what it changes.
func formOf(path string) string {
	switch {
	case path == "":
		return "without a path"
	case ofMembers.MatchString(path):
		return quoted.ReplaceAllString(path, `"…"`)
	case strings.Contains(path, "["):
		return "with a filter"
	case strings.HasPrefix(path, "urn:"):
		return "in a schema"
	case dotted.MatchString(path):
		return "with a dot"
	case path == "members":
		return path
	}
	return "by name"
}

// placeOf is where in a document a path leads; of the elements of a list it does not matter which.
func placeOf(path string) string {
	schema := ""
	if strings.HasPrefix(path, "urn:") && path != enterprise && !strings.HasPrefix(path, "urn:okta:") {
		schema, path, _ = cutLast(path, ":")
		schema = "/" + schema
	} else if strings.HasPrefix(path, "urn:") {
		return "/" + path
	}
	path = regexp.MustCompile(`\[.*\]`).ReplaceAllString(path, "[]")
	return schema + "/" + strings.ReplaceAll(path, ".", "/")
}

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

func places(at string, value any) []string {
	var out []string
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			if name != "meta" && name != "groups" { // sent back as the server gave them
				out = append(out, places(at+"/"+name, inner)...)
			}
		}
		return out
	case []any:
		if len(v) == 0 {
			return []string{at + "[]"}
		}
		for _, inner := range v {
			out = append(out, places(at+"[]", inner)...)
		}
		return out
	case string:
		return []string{at + ":text"}
	case bool:
		return []string{at + ":truth"}
	case nil:
		return []string{at + ":null"}
	}
	return []string{at + ":number"}
}
