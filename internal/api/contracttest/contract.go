// Package contracttest holds answers against the contract of the WorkOS-compatible API: the tests of internal/api use it inside,
// those of e2e/sdk on what went over the wire.
package contracttest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
)

// Contract is what the compatible API says of answers and events.
type Contract struct {
	Answers map[string]map[string]*Schema `json:"answers"` // "GET /events" → status → body
	Schemas map[string]*Schema            `json:"schemas"`
}

// Read loads a contract; the path is relative to the folder of the test.
func Read(t testing.TB, path string) Contract {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var c Contract
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return c
}

// Faults lists what is wrong with the answer of a route ("GET /directories/{id}"): nothing where the contract does not have the
// route or the status.
func (c Contract) Faults(route string, status int, body any) (out []string) {
	made := route == "POST /directories" && status == http.StatusCreated
	changed := route == "PATCH /directories/{id}" && status == http.StatusOK
	if made || changed { // our own routes, the contract's resource
		out = c.FaultsOf("Directory", body)
	}
	s := c.Answers[route][fmt.Sprint(status)]
	if s == nil || status == http.StatusBadRequest && !strings.HasPrefix(route, "GET ") && !listed(body) {
		return out
	}
	return append(out, c.faults("", s, body)...)
}

// listed tells the refusals that the contract has from those of bodies that are no JSON: its 400 of a change lists only what is
// wrong with well-formed ones.
func listed(body any) bool {
	o, _ := body.(map[string]any)
	return slices.Contains([]any{"invalid_metadata", "external_id_already_used", "domain_already_verified"}, o["code"])
}

// FaultsOf lists what is wrong with a value of a named schema.
func (c Contract) FaultsOf(schema string, v any) []string { return c.faults("", c.Schemas[schema], v) }

// Route finds the route of a request in the contract; the one with the most literal segments where several fit.
func (c Contract) Route(method, path string) (route string, found bool) {
	best := -1
	segments := strings.Split(strings.Trim(path, "/"), "/")
	for candidate := range c.Answers {
		m, pattern, _ := strings.Cut(candidate, " ")
		if literals := fit(strings.Split(strings.Trim(pattern, "/"), "/"), segments); m == method && literals > best {
			route, best = candidate, literals
		}
	}
	return route, best >= 0
}

// fit counts the literal segments of a pattern; -1 when it does not fit.
func fit(pattern, segments []string) (literals int) {
	if len(pattern) != len(segments) {
		return -1
	}
	for i, p := range pattern {
		switch {
		case strings.HasPrefix(p, "{"):
		case p != segments[i]:
			return -1
		default:
			literals++
		}
	}
	return literals
}
