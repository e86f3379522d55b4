package scimapi_test

import (
	"net/http"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/scimapi/scimapitest"
)

//scim:61,72
func TestSomebody_can_arrive_inactive(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		a := f.Do("POST", "/Users", `{"userName":"ada","active":false,"emails":[{"value":"ada@example.com","type":"work"}]}`).Want(http.StatusCreated)
		wantAt(t, a, map[string]any{"active": false})
		f.WantNews(event.DirectoryUserCreated)
		wantAt(t, f.Do("GET", "/Users/"+a.ID(), ""), map[string]any{"active": false})
		if got := found(f, "/Users", `userName eq "ada"`); got != "ada" {
			t.Errorf("found %q", got)
		}
	})
}

//scim:68,70
func TestPUT_clears_what_it_leaves_out_but_keeps_who_and_whether_somebody_is(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		id := f.Do("POST", "/Users", `{"userName":"ada","externalId":"X1","active":false,"title":"x","emails":[{"value":"a@example.com"}],"own":1,"`+scim.EnterpriseURN+`":{"department":"d"},"urn:example:x:1":{"a":"b"}}`).
			Want(http.StatusCreated).ID()
		a := f.Do("PUT", "/Users/"+id, `{"userName":"Ada"}`).Want(http.StatusOK)
		wantAt(t, a, map[string]any{
			"id": id, "userName": "Ada", "externalId": "X1", "active": false, "title": nil, "emails": nil, "own": nil, scim.EnterpriseURN: nil, "urn:example:x:1": nil, "schemas": []any{scim.UserURN},
		})
		wantAt(t, f.Do("PUT", "/Users/"+id, `{"userName":"Ada","externalId":null,"active":true}`).Want(http.StatusOK), map[string]any{"active": true})
		wantAt(t, f.Do("PUT", "/Users/"+id, `{"userName":"Ada","externalId":"X2","active":null}`).Want(http.StatusOK), map[string]any{"externalId": "X2", "active": true})
		g := f.Do("POST", "/Groups", `{"displayName":"G","externalId":"G1","x":1}`).Want(http.StatusCreated).ID()
		wantAt(t, f.Do("PUT", "/Groups/"+g, `{"displayName":"H"}`).Want(http.StatusOK), map[string]any{"displayName": "H", "externalId": "G1", "x": nil})
	})
}

//scim:64,T18
func TestMembers_that_name_nobody_are_refused_and_never_empty_a_group(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		user := f.User("ada")
		path := "/Groups/" + f.Do("POST", "/Groups", `{"displayName":"G","members":[{"value":"`+user+`"}]}`).Want(http.StatusCreated).ID()
		f.Events()
		for _, members := range []string{
			`[{}]`, `[null]`, `[{"value":null}]`, `[{"value":""}]`, `[""]`, `""`, `{}`, `[{"display":"ada"}]`, `[[]]`, `[true]`, `false`, `[{"value":{"id":"x"}}]`, `[{"value":[]}]`,
			`["` + user + `",null]`, `[{"value":"` + user + `"},{}]`, `[{"$ref":"../Users/` + user + `"}]`,
		} {
			for _, name := range []string{"members", "MEMBERS", scim.GroupURN + ":members"} {
				f.Do("PUT", path, `{"displayName":"G","`+name+`":`+members+`}`).WantError(http.StatusBadRequest, "invalidValue")
				f.Do("POST", "/Groups", `{"displayName":"H","`+name+`":`+members+`}`).WantError(http.StatusBadRequest, "invalidValue")
			}
			for _, op := range []string{"replace", "add", "remove"} {
				f.Do("PATCH", path, patch(`{"op":"`+op+`","path":"members","value":`+members+`}`)).Want(http.StatusBadRequest, http.StatusNoContent)
				if op != "remove" {
					f.Do("PATCH", path, patch(`{"op":"`+op+`","value":{"members":`+members+`}}`)).Want(http.StatusBadRequest, http.StatusNoContent)
				}
			}
			wantAt(t, f.Do("GET", path, ""), map[string]any{"members.0.value": user, "members.1": nil})
		}
		f.WantNews()
	})
}

//scim:67,71
func TestWhat_is_deleted_is_gone_for_every_method_and_its_name_is_free(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		for endpoint, name := range map[string]string{"/Users": "userName", "/Groups": "displayName"} {
			body := `{"` + name + `":"thing"}`
			id := f.Do("POST", endpoint, body).Want(http.StatusCreated).ID()
			path := endpoint + "/" + id
			if a := f.Do("DELETE", path, "").Want(http.StatusNoContent); len(a.Body) != 0 {
				t.Errorf("DELETE answered %s", a.Body)
			}
			f.Do("GET", path, "").WantError(http.StatusNotFound, "")
			f.Do("DELETE", path, "").WantError(http.StatusNotFound, "")
			f.Do("PUT", path, body).WantError(http.StatusNotFound, "")
			f.Do("PATCH", path, patch(`{"op":"replace","path":"displayName","value":"x"}`)).WantError(http.StatusNotFound, "")
			wantAt(t, f.Do("GET", endpoint, ""), map[string]any{"totalResults": 0.0})
			if again := f.Do("POST", endpoint, body).Want(http.StatusCreated).ID(); again == id {
				t.Errorf("%s was given twice", id)
			}
		}
	})
}

//scim:62,126,T19
func TestRepeats_end_as_clients_expect(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		user := f.User("ada")
		group := "/Groups/" + f.Do("POST", "/Groups", `{"displayName":"G"}`).Want(http.StatusCreated).ID()
		f.Events()
		f.Do("POST", "/Users", `{"userName":"ada"}`).WantError(http.StatusConflict, "uniqueness")
		f.WantNews()
		add, remove := patch(`{"op":"add","path":"members","value":[{"value":"`+user+`"}]}`), patch(`{"op":"remove","path":"members[value eq \"`+user+`\"]"}`)
		for range 3 {
			f.Do("PATCH", group, add).Want(http.StatusNoContent)
		}
		f.WantNews(event.DirectoryGroupUserAdded)
		for range 3 {
			f.Do("PATCH", group, remove).Want(http.StatusNoContent)
		}
		f.WantNews(event.DirectoryGroupUserRemoved)
		f.Do("DELETE", "/Users/"+user, "").Want(http.StatusNoContent)
		f.Do("DELETE", "/Users/"+user, "").WantError(http.StatusNotFound, "")
	})
}
