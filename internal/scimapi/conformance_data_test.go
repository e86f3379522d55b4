package scimapi_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/scimapi/scimapitest"
)

// This suite goes through the statements of docs/reference/scim-statements.txt as a client sees them: section by section, a file
// for each. What the tests of internal/scim show completely is not shown again here, unless the wire could make a difference.

// wantAt compares places of a body with what they should hold; nil means absent.
func wantAt(t *testing.T, a scimapitest.Answer, want map[string]any) {
	t.Helper()
	for path, value := range want {
		if got := a.At(path); !reflect.DeepEqual(got, value) {
			t.Errorf("%s: %v, want %v; body %s", path, got, value, a.Body)
		}
	}
}

// patch is the body of a PATCH with these operations.
func patch(operations ...string) string {
	return `{"schemas":["` + scim.PatchURN + `"],"Operations":[` + strings.Join(operations, ",") + `]}`
}

//scim:1,2,3,22
func TestNames_and_URNs_are_taken_in_any_letter_case_and_answered_in_the_schemas_spelling(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	a := f.Do("POST", "/Users", `{"SCHEMAS":["URN:ietf:params:scim:schemas:core:2.0:user","urn:ietf:params:scim:schemas:core:2.0:User"],"USERNAME":"ada",
		"Name":{"GIVENNAME":"Ada"},"EMAILS":[{"VALUE":"ada@example.com","Type":"work"}],
		"URN:IETF:params:scim:schemas:extension:ENTERPRISE:2.0:user":{"DEPARTMENT":"Engines"},"urn:example:own:1.0":{"Any":"x"}}`).Want(http.StatusCreated)
	wantAt(t, f.Do("GET", "/Users/"+a.ID(), ""), map[string]any{
		"schemas":  []any{scim.UserURN, scim.EnterpriseURN, "urn:example:own:1.0"},
		"userName": "ada", "name.givenName": "Ada", "emails.0.value": "ada@example.com", "emails.0.type": "work",
		scim.EnterpriseURN + ".department": "Engines", "urn:example:own:1.0.Any": "x",
	})
}

//scim:12,T10
func TestNull_an_empty_list_and_absence_are_one(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	a := f.Do("POST", "/Users", `{"userName":"ada","title":null,"name":null,"emails":[],"addresses":null,"phoneNumbers":[null],"groups":[],"roles":[{}],
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":null}`).Want(http.StatusCreated)
	for _, name := range []string{"title", "name", "emails", "addresses", "phoneNumbers", "groups", "roles", scim.EnterpriseURN} {
		if _, there := a.Object()[name]; there {
			t.Errorf("%s is in %s", name, a.Body)
		}
	}
	f.Do("PUT", "/Users/"+a.ID(), `{"userName":"ada","title":"Countess","emails":[{"value":"a@example.com"}]}`).Want(http.StatusOK)
	a = f.Do("PUT", "/Users/"+a.ID(), `{"userName":"ada","title":null,"emails":[]}`).Want(http.StatusOK)
	wantAt(t, a, map[string]any{"title": nil, "emails": nil})
}

//scim:13,14,15,31
func TestLists_have_one_primary_and_no_repeats_and_keep_foreign_types(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	a := f.Do("POST", "/Users", `{"userName":"ada","emails":[{"value":"a@example.com","type":"work","primary":true},{"value":"b@example.com","type":"telepathy","primary":true},
		{"value":"a@example.com","type":"work"}],"photos":[{"value":"https://example.com/a.png","type":"thumbnail"}]}`).Want(http.StatusCreated)
	list, _ := a.At("emails").([]any)
	if len(list) != 2 || a.At("emails.0.primary") != true || a.At("emails.1.primary") == true || a.At("emails.1.type") != "telepathy" || a.At("photos.0.type") != "thumbnail" {
		t.Errorf("%s", a.Body)
	}
}

//scim:16,29,30,31,32,33,T17
func TestValues_come_back_as_they_were_sent(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	sent := `{"schemas":["` + scim.UserURN + `"],"userName":"Ada.Lovelace@EXAMPLE.com","externalId":"  007 ","displayName":"  Ada  Ω≈ç√ 愛達 🎩 ","locale":"en_US",
		"preferredLanguage":"en-GB;q=0.8, de","timezone":"Europe/London","active":true,"phoneNumbers":[{"value":"(0)20 / 7946-0000 ext. 12","type":"work"}],
		"addresses":[{"type":"work","country":"United Kingdom","postalCode":"01 234"}],"roles":[{"value":"{\"id\":\"1\",\"value\":\"admin\"}"}],
		"x509Certificates":[{"value":"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"}]}`
	a := f.Do("POST", "/Users", sent).Want(http.StatusCreated)
	got := f.Do("GET", "/Users/"+a.ID(), "").Want(http.StatusOK).Object()
	delete(got, "id")
	delete(got, "meta")
	var want map[string]any
	if err := json.Unmarshal([]byte(sent), &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, sent %v", got, want)
	}
}

//scim:17,19,65
func TestThe_server_alone_decides_id_and_meta(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	meta := `"id":"bulkId","meta":{"resourceType":"Group","created":"2001-01-01T00:00:00Z","lastModified":"2001-01-01T00:00:00Z","location":"https://example.com/","version":"W/\"77\""}`
	for endpoint, name := range map[string]string{"/Users": `"userName":"ada"`, "/Groups": `"displayName":"g"`} {
		made := f.Do("POST", endpoint, `{`+name+`,`+meta+`}`).Want(http.StatusCreated)
		path := endpoint + "/" + made.ID()
		for _, a := range []scimapitest.Answer{
			made, f.Do("PUT", path, `{`+name+`,`+meta+`}`).Want(http.StatusOK),
			f.Do("PATCH", path+"?attributes=meta", patch(`{"op":"replace","value":{`+meta+`}}`)).Want(http.StatusOK),
		} {
			wantAt(t, a, map[string]any{
				"id": made.ID(), "meta.version": `W/"1"`, "meta.resourceType": strings.Trim(endpoint, "/s"), "meta.location": f.Base + path,
				"meta.created": made.At("meta.created"), "meta.lastModified": made.At("meta.created"),
			})
		}
	}
}

//scim:17
func TestIds_are_never_given_twice_and_exact_in_letter_case(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		seen := map[string]bool{}
		for range 3 {
			id := f.User("ada")
			if seen[id] {
				t.Errorf("%s was given before", id)
			}
			seen[id] = true
			if other := strings.ToLower(id); other != id {
				f.Do("GET", "/Users/"+other, "").WantError(http.StatusNotFound, "")
			}
			f.Do("DELETE", "/Users/"+id, "").Want(http.StatusNoContent)
		}
	})
}

//scim:18,47
func TestAn_externalId_may_be_there_twice_and_is_found_in_its_own_letter_case_only(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f, other := h.Linked(directory.New{}), h.Linked(directory.New{Name: "Other"})
		f.Do("POST", "/Users", `{"userName":"a","externalId":"X-1"}`).Want(http.StatusCreated)
		f.Do("POST", "/Users", `{"userName":"b","externalId":"x-1"}`).Want(http.StatusCreated)
		f.Do("POST", "/Users", `{"userName":"c","externalId":"X-1"}`).Want(http.StatusCreated)
		other.Do("POST", "/Users", `{"userName":"d","externalId":"X-1"}`).Want(http.StatusCreated)
		if got := found(f, "/Users", `externalId eq "X-1"`); got != "a c" {
			t.Errorf("found %s", got)
		}
		if got := found(f, "/Users", `EXTERNALID eq "x-1"`); got != "b" {
			t.Errorf("found %s", got)
		}
	})
}

//scim:20,137
func TestA_change_moves_lastModified_and_version_and_no_change_moves_nothing(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		body := `{"userName":"ada","title":"Countess","emails":[{"value":"a@example.com","type":"work"}]}`
		made := f.Do("POST", "/Users", body).Want(http.StatusCreated)
		path := "/Users/" + made.ID()
		for _, same := range []scimapitest.Answer{
			f.Do("PUT", path, body), f.Do("PUT", path, string(made.Body)),
			f.Do("PATCH", path, patch(`{"op":"replace","path":"title","value":"Countess"}`)),
			f.Do("PATCH", path, patch(`{"op":"add","path":"emails","value":{"type":"work","value":"a@example.com"}}`)),
			f.Do("PATCH", path, patch(`{"op":"remove","path":"nickName"}`)),
		} {
			wantAt(t, same.Want(http.StatusOK), map[string]any{"meta.lastModified": made.At("meta.created"), "meta.version": `W/"1"`})
		}
		time.Sleep(2 * time.Millisecond)
		changed := f.Do("PATCH", path, patch(`{"op":"replace","path":"title","value":"Dr."}`)).Want(http.StatusOK)
		before, after := instant(t, made.At("meta.lastModified")), instant(t, changed.At("meta.lastModified"))
		if !after.After(before) || changed.At("meta.created") != made.At("meta.created") || changed.At("meta.version") != changed.Header.Get("ETag") || changed.Header.Get("ETag") != `W/"2"` {
			t.Errorf("%s, before %s", changed.Body, made.Body)
		}
	})
}

func instant(t *testing.T, v any) time.Time {
	t.Helper()
	text, _ := v.(string)
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

//scim:23,44,45,46,47
func TestA_declared_extension_is_enforced(t *testing.T) {
	const urn = "urn:example:staff:1.0:User"
	f := scimapitest.SQLite(t).Linked(directory.New{Extensions: []byte(`{"user":[{"id":"` + urn + `","name":"Staff","required":true,"attributes":[
		{"name":"number","type":"string","required":true,"caseExact":true},{"name":"pin","type":"string","mutability":"writeOnly","returned":"never"},
		{"name":"notes","type":"string","returned":"request"},{"name":"score","type":"integer","mutability":"readOnly"},{"name":"Always","type":"string","returned":"always"}]}]}`)})
	f.Do("POST", "/Users", `{"userName":"ada"}`).WantError(http.StatusBadRequest, "invalidValue")
	f.Do("POST", "/Users", `{"userName":"ada","`+urn+`":{"notes":"x"}}`).WantError(http.StatusBadRequest, "invalidValue")
	made := f.Do("POST", "/Users", `{"userName":"ada","`+urn+`":{"NUMBER":"aB1","pin":"1234","notes":"n","score":7,"always":"y"}}`).Want(http.StatusCreated)
	wantAt(t, made, map[string]any{urn + ".number": "aB1", urn + ".pin": nil, urn + ".notes": "n", urn + ".score": nil, urn + ".Always": "y"})
	path := "/Users/" + made.ID()
	wantAt(t, f.Do("GET", path, ""), map[string]any{urn + ".number": "aB1", urn + ".pin": nil, urn + ".notes": nil})
	wantAt(t, f.Do("GET", path+"?attributes="+urn+":notes,"+urn+":pin", ""), map[string]any{urn + ".notes": "n", urn + ".pin": nil, urn + ".Always": "y", "userName": nil})
	wantAt(t, f.Do("GET", path+"?excludedAttributes="+urn, ""), map[string]any{urn + ".number": nil, urn + ".Always": "y"})
	f.Do("PUT", path, `{"userName":"ada"}`).WantError(http.StatusBadRequest, "invalidValue")
	f.Do("PATCH", path, patch(`{"op":"replace","path":"`+urn+`:score","value":9}`)).WantError(http.StatusBadRequest, "mutability")
	f.Do("PATCH", path, patch(`{"op":"remove","path":"`+urn+`:number"}`)).WantError(http.StatusBadRequest, "mutability")
	if got := found(f, "/Users", urn+`:number eq "aB1"`) + found(f, "/Users", urn+`:number eq "ab1"`); got != "ada" {
		t.Errorf("found %s", got)
	}
	filtered(f, "/Users", urn+`:pin eq "1234"`).Want(http.StatusBadRequest, http.StatusForbidden)
}

//scim:24,25,46,47,62,T14
func TestUser_names_keep_their_spelling_and_are_unique_as_PRECIS_prepares_them(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		for _, empty := range []string{`{}`, `{"userName":""}`, `{"userName":"  "}`, `{"userName":null}`} {
			f.Do("POST", "/Users", empty).WantError(http.StatusBadRequest, "invalidValue")
		}
		for name, same := range map[string]string{
			"Ada": "aDA", "Åsa": "A\u030Asa", "Ζωή@παράδειγμα.gr": "ζωή@ΠΑΡΆΔΕΙΓΜΑ.gr", "ｆｕｌｌ": "full", "two words": "Two Words", "plus+tag@example.com": "PLUS+tag@example.com", "🎩 hat": "🎩 HAT",
		} {
			made := f.Do("POST", "/Users", `{"userName":"`+name+`"}`).Want(http.StatusCreated)
			if made.At("userName") != name {
				t.Errorf("%q came back as %v", name, made.At("userName"))
			}
			f.Do("POST", "/Users", `{"userName":"`+same+`"}`).WantError(http.StatusConflict, "uniqueness")
			if got := found(f, "/Users", `userName eq "`+same+`"`); got != name {
				t.Errorf("looking for %q found %q, want %q", same, got, name)
			}
			if got := found(f, "/Users", `userName eq "`+same+`" and userName pr`); got != name {
				t.Errorf("looking for %q the long way found %q, want %q", same, got, name)
			}
		}
	})
}

//scim:27,72
func TestActive_is_an_ordinary_attribute_and_inactive_people_stay(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		id := f.User("ada")
		path := "/Users/" + id
		f.Do("PATCH", path, patch(`{"op":"replace","path":"active","value":false}`)).Want(http.StatusOK)
		wantAt(t, f.Do("GET", path, "").Want(http.StatusOK), map[string]any{"active": false, "userName": "ada"})
		if got := found(f, "/Users", `userName eq "ada"`) + "," + found(f, "/Users", `active eq false`) + "," + found(f, "/Users", `active eq true`); got != "ada,ada," {
			t.Errorf("found %s", got)
		}
		f.Do("POST", "/Users", `{"userName":"grace"}`).Want(http.StatusCreated)
		f.Do("PUT", "/Users/"+f.User("eve"), `{"userName":"ADA"}`).WantError(http.StatusConflict, "uniqueness")
		wantAt(t, f.Do("PATCH", path, patch(`{"op":"replace","value":{"active":true}}`)).Want(http.StatusOK), map[string]any{"active": true, "id": id})
	})
}

//scim:28,36,38
func TestA_person_shows_direct_and_indirect_groups_and_cannot_write_them(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		user := f.User("ada")
		inner := f.Do("POST", "/Groups", `{"displayName":"Inner","members":[{"value":"`+user+`"}]}`).Want(http.StatusCreated).ID()
		outer := f.Do("POST", "/Groups", `{"displayName":"Outer","members":[{"value":"`+inner+`","type":"Group"}]}`).Want(http.StatusCreated)
		wantAt(t, outer, map[string]any{"members.0.value": inner, "members.0.type": "Group", "members.0.$ref": f.Base + "/Groups/" + inner})
		a := f.Do("GET", "/Users/"+user, "").Want(http.StatusOK)
		types := map[any]any{}
		list, _ := a.At("groups").([]any)
		for _, g := range list {
			types[scimapitest.At(g, "value")] = scimapitest.At(g, "type")
			if ref, _ := scimapitest.At(g, "$ref").(string); f.DoAt(ref, "GET", "").Want(http.StatusOK).ID() != scimapitest.At(g, "value") {
				t.Errorf("%s leads elsewhere", ref)
			}
		}
		if len(types) != 2 || types[inner] != "direct" || types[outer.ID()] != "indirect" {
			t.Errorf("groups %v", list)
		}
		f.Do("PUT", "/Users/"+user, `{"userName":"ada","groups":[]}`).Want(http.StatusOK)
		f.Do("PATCH", "/Users/"+user, patch(`{"op":"remove","path":"groups"}`)).WantError(http.StatusBadRequest, "mutability")
		if got, _ := f.Do("GET", "/Users/"+user, "").At("groups").([]any); len(got) != 2 {
			t.Errorf("groups after writing them: %v", got)
		}
	})
}

//scim:9,T9
func TestReferences_lead_to_what_they_name(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	boss := f.User("boss")
	a := f.Do("POST", "/Users", `{"userName":"ada","`+scim.EnterpriseURN+`":{"manager":{"value":"`+boss+`","$ref":"../Users/`+boss+`","displayName":"forged"}}}`).Want(http.StatusCreated)
	wantAt(t, a, map[string]any{scim.EnterpriseURN + ".manager.value": boss, scim.EnterpriseURN + ".manager.$ref": "../Users/" + boss, scim.EnterpriseURN + ".manager.displayName": nil})
	location, _ := a.At("meta.location").(string)
	without := strings.Replace(location, "/scim/v2/", "/scim/", 1)
	for _, address := range []string{location, without} {
		if got := f.DoAt(address, "GET", "").Want(http.StatusOK).ID(); got != a.ID() {
			t.Errorf("%s is %s", address, got)
		}
	}
}

//scim:34,T9
func TestThe_enterprise_attributes_are_kept_and_the_manager_understood_in_every_form(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	a := f.Do("POST", "/Users", `{"userName":"ada","`+scim.EnterpriseURN+`":{"employeeNumber":"7","costCenter":"c","organization":"o","division":"d","department":"e","manager":"m1"}}`).
		Want(http.StatusCreated)
	wantAt(t, a, map[string]any{
		scim.EnterpriseURN: map[string]any{"employeeNumber": "7", "costCenter": "c", "organization": "o", "division": "d", "department": "e", "manager": map[string]any{"value": "m1"}},
	})
	path := "/Users/" + a.ID()
	for _, form := range []struct {
		path, value string
		want        any
	}{
		{scim.EnterpriseURN + ":manager", `"m2"`, "m2"},
		{scim.EnterpriseURN + ".manager", `[{"$ref":"x","value":"m3"}]`, "m3"},
		{scim.EnterpriseURN + ":manager.value", `"m4"`, "m4"},
		{scim.EnterpriseURN + ":manager", `{"value":"m5"}`, "m5"},
		{scim.EnterpriseURN + ":manager", `""`, nil},
		{scim.EnterpriseURN + ":manager", `271`, "271"},
		{scim.EnterpriseURN + ":manager", `{"value":""}`, nil},
	} {
		got := f.Do("PATCH", path, patch(`{"op":"replace","path":"`+form.path+`","value":`+form.value+`}`))
		if v := got.Want(http.StatusOK).At(scim.EnterpriseURN + ".manager.value"); v != form.want {
			t.Errorf("%s %s: %v, want %v", form.path, form.value, v, form.want)
		}
	}
}

//scim:35,62
func TestGroup_names_are_required_and_taken_ones_refused_unless_told_apart_by_externalId(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		for _, body := range []string{`{}`, `{"displayName":""}`, `{"displayName":null,"members":[]}`} {
			f.Do("POST", "/Groups", body).WantError(http.StatusBadRequest, "invalidValue")
		}
		f.Do("POST", "/Groups", `{"displayName":"Staff","externalId":"1"}`).Want(http.StatusCreated)
		f.Do("POST", "/Groups", `{"displayName":"Staff","externalId":"1"}`).WantError(http.StatusConflict, "uniqueness")
		f.Do("POST", "/Groups", `{"displayName":"staff"}`).WantError(http.StatusConflict, "uniqueness")
		f.Do("POST", "/Groups", `{"displayName":"Staff","externalId":"2"}`).Want(http.StatusCreated)
		third := f.Do("POST", "/Groups", `{"displayName":"Other"}`).Want(http.StatusCreated).ID()
		f.Do("PATCH", "/Groups/"+third, patch(`{"op":"replace","path":"displayName","value":"Staff"}`)).WantError(http.StatusConflict, "uniqueness")
		f.Do("PUT", "/Groups/"+third, `{"displayName":"STAFF"}`).WantError(http.StatusConflict, "uniqueness")
	})
}

//scim:t11,t20
func TestLittle_is_demanded_and_numbers_pass_for_text(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	f.Do("POST", "/Users", `{"userName":"just a name"}`).Want(http.StatusCreated)
	a := f.Do("POST", "/Users", `{"userName":12345,"externalId":678,"addresses":[{"postalCode":1234}],"`+scim.EnterpriseURN+`":{"employeeNumber":9}}`).Want(http.StatusCreated)
	wantAt(t, a, map[string]any{"userName": "12345", "externalId": "678", "addresses.0.postalCode": "1234", scim.EnterpriseURN + ".employeeNumber": "9"})
	if got := found(f, "/Users", `externalId eq "678"`); got != "12345" {
		t.Errorf("found %s", got)
	}
}

func jsonText(s string) (string, error) {
	b, err := json.Marshal(s)
	return string(b), err
}
