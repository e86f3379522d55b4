package contracttest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/api/contracttest"
)

func read(t *testing.T) contracttest.Contract {
	t.Helper()
	return contracttest.Read(t, "../testdata/contract.json")
}

func TestFaults_of_each_kind_are_found(t *testing.T) {
	c := read(t)
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
		got := strings.Join(c.FaultsOf(one.schema, v), "\n")
		if one.want == "" && got != "" || !strings.Contains(got, one.want) {
			t.Errorf("%s with %s: found %q, want %q", one.schema, one.to, got, one.want)
		}
	}
}

func TestRoute_prefers_the_literal(t *testing.T) {
	c := contracttest.Contract{Answers: map[string]map[string]*contracttest.Schema{
		"GET /a/{id}": nil, "GET /a/b": nil, "POST /a/{id}": nil, "GET /a/{id}/c": nil,
	}}
	for _, one := range []struct{ method, path, want string }{
		{"GET", "/a/b", "GET /a/b"},
		{"GET", "/a/x", "GET /a/{id}"},
		{"POST", "/a/b", "POST /a/{id}"},
		{"GET", "/a/x/c", "GET /a/{id}/c"},
		{"DELETE", "/a/b", ""},
		{"GET", "/a", ""},
	} {
		if got, found := c.Route(one.method, one.path); got != one.want || found != (one.want != "") {
			t.Errorf("%s %s: got %q, %v", one.method, one.path, got, found)
		}
	}
}
