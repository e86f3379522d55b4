package scimapi_test

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/scimapi/scimapitest"
)

const patchee = `"userName":"ada","title":"Countess","name":{"givenName":"Ada","familyName":"Lovelace"},"emails":[{"value":"a@example.com","type":"work","primary":true},{"value":"h@example.com","type":"home"}]`

//scim:108,111,113,114,115,116,118,119,120,121,122,123,124,127,128,T1,T2,T6,T8,T9,T10
func TestA_patch_is_applied_and_what_it_made_is_stored(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	work, home := map[string]any{"value": "a@example.com", "type": "work", "primary": true}, map[string]any{"value": "h@example.com", "type": "home"}
	plainWork := map[string]any{"value": "a@example.com", "type": "work"}
	for _, c := range []struct {
		name, body string
		want       map[string]any
	}{
		{"add sets one value", patch(`{"op":"add","path":"title","value":"Dr."}`), map[string]any{"title": "Dr."}},
		{"add appends an object", patch(`{"op":"add","path":"emails","value":{"value":"x@example.com"}}`), map[string]any{"emails": []any{work, home, map[string]any{"value": "x@example.com"}}}},
		{"add appends a list, what is there stays once", patch(`{"op":"add","path":"emails","value":[{"value":"h@example.com","type":"home"}]}`), map[string]any{"emails": []any{work, home}}},
		{"add merges", patch(`{"op":"add","path":"name","value":{"middleName":"K"}}`), map[string]any{"name": map[string]any{"givenName": "Ada", "familyName": "Lovelace", "middleName": "K"}}},
		{"add without a path", patch(`{"op":"add","value":{"nickName":"A","emails":[{"value":"x@example.com"}]}}`), map[string]any{"nickName": "A", "emails.2.value": "x@example.com"}},
		{"add to an element", patch(`{"op":"add","path":"emails[type eq \"home\"].display","value":"Home"}`), map[string]any{"emails.1.display": "Home", "emails.0.display": nil}},
		{"replace changes parts of what is complex", patch(`{"op":"replace","path":"name","value":{"givenName":"A."}}`), map[string]any{"name": map[string]any{"givenName": "A.", "familyName": "Lovelace"}}},
		{"replace replaces lists", patch(`{"op":"replace","path":"emails","value":[{"value":"x@example.com"}]}`), map[string]any{"emails": []any{map[string]any{"value": "x@example.com"}}}},
		{"replace empties lists", patch(`{"op":"replace","path":"emails","value":[]}`), map[string]any{"emails": nil}},
		{"replace adds what is not there", patch(`{"op":"replace","path":"nickName","value":"A"}`), map[string]any{"nickName": "A"}},
		{"replace with null unassigns", patch(`{"op":"replace","path":"title","value":null}`), map[string]any{"title": nil}},
		{"replace in an element", patch(`{"op":"replace","path":"emails[type eq \"work\"].value","value":"n@example.com"}`), map[string]any{"emails.0.value": "n@example.com", "emails.1": home}},
		{"replace makes an element", patch(`{"op":"replace","path":"phoneNumbers[type eq \"mobile\"].value","value":"1"}`), map[string]any{"phoneNumbers": []any{map[string]any{"type": "mobile", "value": "1"}}}},
		{
			"several parts land in one element", patch(`{"op":"Add","path":"addresses[type eq \"work\"].locality","value":"London"}`, `{"op":"Add","path":"addresses[type eq \"work\"].country","value":"UK"}`),
			map[string]any{"addresses": []any{map[string]any{"type": "work", "locality": "London", "country": "UK"}}},
		},
		{"remove one value", patch(`{"op":"remove","path":"title"}`), map[string]any{"title": nil}},
		{"remove what is not there", patch(`{"op":"remove","path":"nickName"}`, `{"op":"remove","path":"emails[type eq \"fax\"]"}`), map[string]any{"title": "Countess", "emails": []any{work, home}}},
		{"remove a list", patch(`{"op":"remove","path":"emails"}`), map[string]any{"emails": nil}},
		{"remove elements", patch(`{"op":"remove","path":"emails[type eq \"work\"]"}`), map[string]any{"emails": []any{home}}},
		{"remove the last elements", patch(`{"op":"remove","path":"emails[value ew \"example.com\"]"}`), map[string]any{"emails": nil}},
		{"remove a part of elements", patch(`{"op":"remove","path":"emails[type eq \"work\"].primary"}`), map[string]any{"emails": []any{plainWork, home}}},
		{"remove a part", patch(`{"op":"remove","path":"name.familyName"}`), map[string]any{"name": map[string]any{"givenName": "Ada"}}},
		{"a new primary ends the old one", patch(`{"op":"add","path":"emails","value":{"value":"x@example.com","primary":true}}`), map[string]any{"emails.2.primary": true, "emails.0.primary": false}},
		{"an extension arrives", patch(`{"op":"add","path":"` + scim.EnterpriseURN + `:department","value":"D"}`), map[string]any{"schemas": []any{scim.UserURN, scim.EnterpriseURN}, scim.EnterpriseURN + ".department": "D"}},
		{
			"an extension comes and goes", patch(`{"op":"add","path":"`+scim.EnterpriseURN+`:department","value":"D"}`, `{"op":"remove","path":"`+scim.EnterpriseURN+`:department"}`),
			map[string]any{"schemas": []any{scim.UserURN}, scim.EnterpriseURN: nil},
		},
		{"the core's URN", patch(`{"op":"replace","path":"` + strings.ToUpper(scim.UserURN) + `:NAME.GivenName","value":"X"}`), map[string]any{"name.givenName": "X"}},
		{"dotted and qualified names", patch(`{"op":"replace","value":{"name.givenName":"X","` + scim.EnterpriseURN + `:employeeNumber":"7"}}`), map[string]any{"name.givenName": "X", scim.EnterpriseURN + ".employeeNumber": "7"}},
		{"names in any letter case", `{"OPERATIONS":[{"OP":"REPLACE","PATH":"TITLE","VALUE":"x"}]}`, map[string]any{"title": "x"}},
		{"a text for a boolean", patch(`{"op":"Replace","path":"active","value":"False"}`), map[string]any{"active": false}},
		{"what belongs to the server is passed over", patch(`{"op":"replace","value":{"id":"x","schemas":[],"meta":{},"groups":[],"title":"y"}}`), map[string]any{"title": "y"}},
		{"in the order sent", patch(`{"op":"replace","path":"title","value":"1"}`, `{"op":"remove","path":"title"}`, `{"op":"add","path":"title","value":"3"}`), map[string]any{"title": "3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			id := f.Do("POST", "/Users", `{`+patchee+`}`).Want(http.StatusCreated).ID()
			a := f.Do("PATCH", "/Users/"+id, c.body).Want(http.StatusOK)
			c.want["id"] = id
			wantAt(t, a, c.want)
			if got := f.Do("GET", "/Users/"+id, ""); !reflect.DeepEqual(got.Object(), a.Object()) {
				t.Errorf("stored %s, answered %s", got.Body, a.Body)
			}
			f.Do("DELETE", "/Users/"+id, "").Want(http.StatusNoContent)
		})
	}
}

//scim:45,109,110,111,112,117,122,125,126
func TestA_patch_that_is_refused_changes_nothing(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	f.User("taken")
	path := "/Users/" + f.Do("POST", "/Users", `{`+patchee+`}`).Want(http.StatusCreated).ID()
	before := f.Do("GET", path, "")
	f.Events()
	good := `{"op":"replace","path":"title","value":"changed"}`
	for body, code := range map[string]string{
		`{}`: "invalidSyntax", `{"Operations":[]}`: "invalidSyntax", `{"Operations":"x"}`: "invalidSyntax", `[]`: "invalidSyntax", `{"Operations":[1]}`: "invalidSyntax",
		patch(good, `{"op":"merge","path":"title","value":"x"}`): "invalidSyntax", patch(good, `{"path":"title","value":"x"}`): "invalidSyntax", patch(good, `{"op":7}`): "invalidSyntax",
		patch(good, `{"op":"remove"}`): "noTarget", patch(good, `{"op":"remove","path":""}`): "noTarget",
		patch(good, `{"op":"add","path":"emails]","value":1}`): "invalidPath", patch(good, `{"op":"add","path":"1x","value":1}`): "invalidPath", patch(good, `{"op":"add","path":"a..b","value":1}`): "invalidPath",
		patch(good, `{"op":"replace","path":"emails[type xx \"work\"].value","value":"x"}`):                      "invalidFilter",
		patch(good, `{"op":"replace","path":"emails[type ne \"work\" and type ne \"home\"].value","value":"x"}`): "noTarget",
		patch(good, `{"op":"remove","path":"userName"}`):                                                         "mutability", patch(good, `{"op":"replace","path":"id","value":"x"}`): "mutability", patch(good, `{"op":"add","path":"groups","value":[{"value":"x"}]}`): "mutability",
		patch(good, `{"op":"replace","path":"meta.created","value":"2001-01-01T00:00:00Z"}`): "mutability",
		patch(good, `{"op":"replace","path":"active","value":"perhaps"}`):                    "invalidValue", patch(good, `{"op":"replace","path":"name","value":7}`): "invalidValue", patch(good, `{"op":"add","path":"title","value":{"a":1}}`): "invalidValue",
		patch(good, `{"op":"replace","path":"userName","value":""}`): "", patch(good, `{"op":"replace","path":"emails","value":[{"value":{"x":1}}]}`): "invalidValue",
	} {
		a := f.Do("PATCH", path, body)
		if got := a.Want(http.StatusBadRequest).At("scimType"); got != code && code != "" {
			t.Errorf("%s: scimType %v, want %s: %v", body, got, code, a.At("detail"))
		}
	}
	f.Do("PATCH", path, patch(good, `{"op":"replace","path":"userName","value":"TAKEN"}`)).WantError(http.StatusConflict, "uniqueness")
	if after := f.Do("GET", path, ""); string(after.Body) != string(before.Body) {
		t.Errorf("after %s, before %s", after.Body, before.Body)
	}
	f.WantNews()
}

//scim:126,62
func TestA_value_of_the_wrong_type_is_refused_on_create_and_replace(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	path := "/Users/" + f.User("ada")
	for _, part := range []string{`"active":"perhaps"`, `"active":[true,false]`, `"name":"Ada"`, `"name":[{"givenName":"a"},{"givenName":"b"}]`, `"emails":7.5`, `"title":{"x":1}`, `"title":["a","b"]`, `"userName":{"value":"x"}`, `"emails":[{"primary":"perhaps","value":"x"}]`} {
		for _, a := range []scimapitest.Answer{f.Do("POST", "/Users", `{"userName":"new",`+part+`}`), f.Do("PUT", path, `{"userName":"ada",`+part+`}`)} {
			if strings.Contains(part, "userName") || strings.Contains(part, "7.5") {
				a.Want(http.StatusBadRequest, http.StatusCreated, http.StatusOK) // twice the same name, and a bare value for an element
				continue
			}
			if a.Status != http.StatusBadRequest || a.At("scimType") != "invalidValue" {
				t.Errorf("%s: status %d, %s", part, a.Status, a.Body)
			}
		}
	}
}

//scim:110,118,127,T3,T4,T5,T7,T18
func TestGroup_patches_in_every_dialect_change_exactly_the_members_they_name(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		a, b, c := f.User("a"), f.User("b"), f.User("c")
		path := "/Groups/" + f.Do("POST", "/Groups", `{"displayName":"G"}`).Want(http.StatusCreated).ID()
		one := func(id string) string { return `{"value":"` + id + `"}` }
		for _, s := range []struct {
			name, body string
			status     int
			want       []string
		}{
			{"add two", patch(`{"op":"add","path":"members","value":[` + one(a) + `,` + one(b) + `]}`), 204, []string{a, b}},
			{"remove with a list is those", patch(`{"op":"Remove","path":"members","value":[{"$ref":null,"value":"` + a + `"}]}`), 204, []string{b}},
			{"add one object", patch(`{"op":"Add","path":"members","value":` + one(a) + `}`), 204, []string{a, b}},
			{"remove by filter, several at once", patch(`{"op":"remove","path":"members[value eq \"`+a+`\"]"}`, `{"op":"remove","path":"members[value eq \"`+b+`\"]"}`, `{"op":"add","path":"members","value":[`+one(c)+`]}`), 204, []string{c}},
			{"remove who is not in", patch(`{"op":"remove","path":"members[value eq \"` + a + `\"]"}`), 204, []string{c}},
			{"a rename beside members, without a path", patch(`{"op":"replace","value":{"id":"x","displayName":"H","members":[` + one(a) + `,` + one(c) + `]}}`), 204, []string{a, c}},
			{"a rename with members null", patch(`{"op":"replace","value":{"displayName":"G","members":null}}`), 204, []string{a, c}},
			{"remove by or", patch(`{"op":"remove","path":"members[value eq \"` + a + `\" or value eq \"` + b + `\"]"}`), 204, []string{c}},
			{"an unknown member stays, and wipes nobody", patch(`{"op":"add","path":"members","value":[{"value":"later"}]}`), 204, []string{c, "later"}},
			{"replace with an unknown one", patch(`{"op":"replace","path":"members","value":[` + one(a) + `,{"value":"later"}]}`), 204, []string{a, "later"}},
			{"half of it is wrong", patch(`{"op":"remove","path":"members"}`, `{"op":"add","path":"members","value":[{}]}`), 400, []string{a, "later"}},
			{"the name goes", patch(`{"op":"remove","path":"members"}`, `{"op":"remove","path":"displayName"}`), 400, []string{a, "later"}},
			{"a member cannot be edited", patch(`{"op":"replace","path":"members[value eq \"` + a + `\"].display","value":"x"}`), 400, []string{a, "later"}},
			{"remove with an empty list", patch(`{"op":"remove","path":"members","value":[]}`), 204, []string{a, "later"}},
			{"remove all", patch(`{"op":"remove","path":"members"}`), 204, nil},
			{"bare ids", patch(`{"op":"add","path":"members","value":["` + a + `","` + b + `"]}`), 204, []string{a, b}},
			{"replace with nobody", patch(`{"op":"replace","path":"members","value":[]}`), 204, nil},
		} {
			f.Do("PATCH", path, s.body).Want(s.status)
			var got []string
			list, _ := f.Do("GET", path, "").Want(http.StatusOK).At("members").([]any)
			for _, m := range list {
				id, _ := scimapitest.At(m, "value").(string)
				got = append(got, id)
			}
			slices.Sort(got)
			slices.Sort(s.want)
			if !slices.Equal(got, s.want) {
				t.Errorf("%s: %v, want %v", s.name, got, s.want)
			}
		}
		wantAt(t, f.Do("GET", path, ""), map[string]any{"displayName": "G"})
		shown := f.Do("PATCH", path+"?attributes=members", patch(`{"op":"add","path":"members","value":[`+one(a)+`]}`)).Want(http.StatusOK)
		wantAt(t, shown, map[string]any{"members.0.value": a, "displayName": nil})
	})
}

//scim:t18
func TestA_member_who_is_not_there_yet_joins_on_arrival(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		path := "/Groups/" + f.Do("POST", "/Groups", `{"displayName":"G","members":[{"value":"X-1","display":"Ada","type":"User"}]}`).Want(http.StatusCreated).ID()
		wantAt(t, f.Do("GET", path, ""), map[string]any{"members.0.value": "X-1", "members.0.$ref": nil})
		id := f.Do("POST", "/Users", `{"userName":"ada","externalId":"X-1"}`).Want(http.StatusCreated).ID()
		wantAt(t, f.Do("GET", path, ""), map[string]any{"members.0.value": id, "members.0.type": "User", "members.1": nil})
	})
}
