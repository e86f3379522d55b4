package scimapi_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/scimapi/scimapitest"
)

func bulkOf(operations ...string) string {
	return `{"schemas":["` + scim.BulkRequestURN + `"],"Operations":[` + strings.Join(operations, ",") + `]}`
}

//scim:109,129,130,132,136
func TestBulk_operations_are_answered_one_by_one(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		old := f.User("old")
		f.User("taken")
		a := f.Do("POST", "/Bulk", bulkOf(
			`{"method":"POST","path":"/Groups","bulkId":"g","data":{"displayName":"G","members":[{"value":"bulkId:u"},{"value":"`+old+`"}]}}`,
			`{"method":"post","path":"/Users","bulkId":"u","data":{"userName":"new"}}`,
			`{"method":"PATCH","path":"/Users/bulkId:u","data":`+patch(`{"op":"add","path":"title","value":"x"}`)+`}`,
			`{"method":"PATCH","path":"/Users/`+old+`","version":"W/\"7\"","data":`+patch(`{"op":"add","path":"title","value":"x"}`)+`}`,
			`{"method":"POST","path":"/Users","bulkId":"dup","data":{"userName":"TAKEN"}}`,
			`{"method":"PUT","path":"/Users/`+old+`","data":{"userName":"older"}}`,
			`{"method":"POST","path":"/Users","data":{"userName":"no bulkId"}}`,
			`{"method":"GET","path":"/Users/`+old+`"}`,
			`{"method":"DELETE","path":"/Users/nobody"}`,
			`{"method":"POST","path":"/Users","bulkId":"lost","data":{"userName":"lost","`+scim.EnterpriseURN+`":{"manager":{"value":"bulkId:nowhere"}}}}`,
		)).Want(http.StatusOK)
		wantAt(t, a, map[string]any{"schemas": []any{scim.BulkResponseURN}})
		for i, want := range []struct{ status, bulkID, method string }{
			{"201", "g", "POST"}, {"201", "u", "POST"}, {"200", "", "PATCH"}, {"412", "", "PATCH"}, {"409", "dup", "POST"}, {"200", "", "PUT"}, {"400", "", "POST"}, {"400", "", "GET"}, {"404", "", "DELETE"}, {"400", "lost", "POST"},
		} {
			at := "Operations." + string(rune('0'+i)) + "."
			var id any
			if want.bulkID != "" {
				id = want.bulkID
			}
			status, _ := a.At(at + "status").(string)
			alike := status == want.status || i == 7 && strings.HasPrefix(status, "4")
			if !alike || a.At(at+"bulkId") != id || !strings.EqualFold(a.At(at+"method").(string), want.method) {
				t.Errorf("operation %d: %v, want %v", i, scimapitest.At(a.Object(), strings.TrimSuffix(at, ".")), want)
			}
			failed, created := status >= "400", want.method == "POST"
			if (a.At(at+"response.schemas.0") == scim.ErrorURN) != failed || (a.At(at+"location") == nil) != (failed && created) {
				t.Errorf("operation %d: %v", i, scimapitest.At(a.Object(), strings.TrimSuffix(at, ".")))
			}
		}
		user, _ := a.At("Operations.1.location").(string)
		group, _ := a.At("Operations.0.location").(string)
		made := f.DoAt(user, "GET", "").Want(http.StatusOK)
		wantAt(t, made, map[string]any{"userName": "new", "title": "x"})
		wantAt(t, f.DoAt(group, "GET", ""), map[string]any{"members.0.value": old, "members.1.value": made.ID(), "members.2": nil})
		if got := found(f, "/Users", `userName eq "lost" or userName eq "no bulkId" or title pr and userName eq "older"`); got != "" {
			t.Errorf("of refused operations there is %q", got)
		}
		for _, wrong := range []string{`{}`, `{"Operations":{}}`, `[]`} {
			f.Do("POST", "/Bulk", wrong).WantError(http.StatusBadRequest, "invalidSyntax")
		}
		unreadable := f.Do("POST", "/Bulk", bulkOf(`1`, `{"method":"DELETE","path":"/Users/`+old+`"}`)).Want(http.StatusOK)
		wantAt(t, unreadable, map[string]any{"Operations.0.status": "400", "Operations.0.location": nil, "Operations.1.status": "204"})
	})
}

//scim:139,140
func TestOf_many_who_delete_or_change_one_version_exactly_one_succeeds(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		for range 3 {
			path := "/Groups/" + f.Do("POST", "/Groups", `{"displayName":"G"}`).Want(http.StatusCreated).ID()
			statuses := make([]int, 9)
			var all sync.WaitGroup
			for i := range statuses {
				all.Go(func() {
					switch i % 3 {
					case 0:
						statuses[i] = f.Do("PUT", path, `{"displayName":"G`+string(rune('0'+i))+`"}`, "If-Match", `W/"1"`).Status
					case 1:
						statuses[i] = f.Do("PATCH", path, patch(`{"op":"add","path":"members","value":[{"value":"m`+string(rune('0'+i))+`"}]}`), "If-Match", `W/"1"`).Status
					default:
						statuses[i] = f.Do("DELETE", path, "", "If-Match", `W/"1"`).Status
					}
				})
			}
			all.Wait()
			won := 0
			for _, s := range statuses {
				switch {
				case s < 300:
					won++
				case s != http.StatusPreconditionFailed && s != http.StatusNotFound:
					t.Errorf("status %d", s)
				}
			}
			if won != 1 {
				t.Errorf("%d succeeded: %v", won, statuses)
			}
			f.Do("DELETE", path, "").Want(http.StatusNoContent, http.StatusNotFound)
		}
	})
}

//scim:138,139
func TestConditions_hold_for_groups_and_need_somebody_to_match(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	path := "/Groups/" + f.Do("POST", "/Groups", `{"displayName":"G"}`).Want(http.StatusCreated).ID()
	f.Do("GET", path, "", "If-None-Match", `W/"1"`).Want(http.StatusNotModified)
	rename := patch(`{"op":"replace","path":"displayName","value":"H"}`)
	f.Do("PATCH", path, rename, "If-Match", `W/"2"`).WantError(http.StatusPreconditionFailed, "")
	if tag := f.Do("PATCH", path, rename, "If-Match", `W/"1"`).Want(http.StatusNoContent).Header.Get("ETag"); tag != `W/"2"` {
		t.Errorf("ETag %q", tag)
	}
	f.Do("DELETE", path, "", "If-Match", `W/"1"`).WantError(http.StatusPreconditionFailed, "")
	f.Do("DELETE", path, "", "If-Match", "*").Want(http.StatusNoContent)
	f.Do("PUT", path, `{"displayName":"G"}`, "If-Match", "*").Want(http.StatusNotFound, http.StatusPreconditionFailed)
}

//scim:42,43,48,142,143,144
func TestEverything_that_discovery_names_is_there(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{Extensions: []byte(`{"user":[{"id":"urn:example:badge","name":"Badge","attributes":[{"name":"number","type":"string"}]}]}`)})
	types := f.Do("GET", "/ResourceTypes?sortBy=id&startIndex=2&count=1", "").Want(http.StatusOK)
	list, _ := types.At("Resources").([]any)
	if types.At("totalResults") != float64(len(list)) || len(list) != 2 {
		t.Fatalf("%s", types.Body)
	}
	for _, typ := range list {
		id, _ := scimapitest.At(typ, "id").(string)
		endpoint, _ := scimapitest.At(typ, "endpoint").(string)
		schema, _ := scimapitest.At(typ, "schema").(string)
		location, _ := scimapitest.At(typ, "meta.location").(string)
		if f.DoAt(location, "GET", "").Want(http.StatusOK).ID() != id || id != scimapitest.At(typ, "name") {
			t.Errorf("%s", location)
		}
		f.Do("GET", endpoint, "").Want(http.StatusOK)
		urns := []string{schema}
		extensions, _ := scimapitest.At(typ, "schemaExtensions").([]any)
		for _, e := range extensions {
			urn, _ := scimapitest.At(e, "schema").(string)
			urns = append(urns, urn)
			if _, there := scimapitest.At(e, "required").(bool); !there {
				t.Errorf("%v does not say whether it is required", e)
			}
		}
		for _, urn := range urns {
			a := f.Do("GET", "/Schemas/"+urn, "").Want(http.StatusOK)
			wantAt(t, a, map[string]any{"id": urn, "meta.resourceType": "Schema", "meta.location": f.Base + "/Schemas/" + urn})
		}
	}
	schemas := f.Do("GET", "/Schemas", "").Want(http.StatusOK)
	all, _ := schemas.At("Resources").([]any)
	for _, s := range all {
		if id, _ := scimapitest.At(s, "id").(string); strings.Contains(id, ":api:messages:") {
			t.Errorf("%s is no schema", id)
		}
		if scimapitest.At(s, "id") == scim.SchemaURN {
			continue // its attributes hold attributes, which no other schema may (RFC 7643 section 8.7.2)
		}
		attributes, _ := scimapitest.At(s, "attributes").([]any)
		for _, a := range attributes {
			complete(t, a)
		}
	}
	for _, path := range []string{"/ResourceTypes", "/Schemas", "/ServiceProviderConfig", "/Schemas/" + scim.UserURN} {
		f.Do("GET", path+"?filter=id+pr", "").WantError(http.StatusForbidden, "")
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
			f.Do(method, path, "{}").WantError(http.StatusMethodNotAllowed, "")
		}
	}
	f.Do("GET", "/Schemas/urn:example:none", "").WantError(http.StatusNotFound, "")
	f.Do("GET", "/ResourceTypes/Robot", "").WantError(http.StatusNotFound, "")
}

// complete wants every characteristic of RFC 7643 section 7 that the type has.
func complete(t *testing.T, attribute any) {
	t.Helper()
	wanted := []string{"name", "type", "multiValued", "description", "required", "mutability", "returned"}
	switch scimapitest.At(attribute, "type") {
	case "string":
		wanted = append(wanted, "caseExact", "uniqueness")
	case "reference":
		wanted = append(wanted, "caseExact", "referenceTypes")
	case "complex":
		wanted = append(wanted, "subAttributes")
	}
	for _, name := range wanted {
		if scimapitest.At(attribute, name) == nil && (name != "description" || scimapitest.At(attribute, "name") != "number") {
			t.Errorf("%v lacks %s", attribute, name)
		}
	}
	sub, _ := scimapitest.At(attribute, "subAttributes").([]any)
	for _, a := range sub {
		if scimapitest.At(a, "type") == "complex" {
			t.Errorf("%v is complex within what is complex", a)
		}
		complete(t, a)
	}
}
