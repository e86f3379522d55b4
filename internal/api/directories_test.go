package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/token"
)

const badge = `{"id":"urn:example:params:scim:schemas:extension:badge:2.0:User","name":"Badge","description":"Badges","attributes":[
	{"name":"number","type":"string","multiValued":false,"description":"Number","required":false,"caseExact":false,"mutability":"readWrite","returned":"default","uniqueness":"none"}]}`

func TestDirectory_is_created_with_an_address_and_a_token_that_opens_it(t *testing.T) {
	onBoth(t, func(w *world) {
		organization := w.organization("Acme")
		made := w.send("POST", "/directories", `{"organization_id":"`+organization+`","name":"Acme & <Co>","type":"okta scim v2.0"}`).wants(http.StatusCreated)
		want := publicURL + "/scim/v2/" + made.text("external_key")
		if made.text("scim_endpoint") != want || strings.Contains(want, "_") {
			t.Errorf("the address is %q, want %q", made.text("scim_endpoint"), want)
		}
		if !strings.Contains(made.raw, `"name":"Acme & <Co>"`) {
			t.Errorf("the name is escaped: %s", made.raw)
		}
		if made.text("state") != "unlinked" || made.text("inactive_users") != "kept" || made.text("provisioning") != "invite" || made.object["strict"] != false ||
			made.object["label"] != nil || made.object["provider"] != nil {
			t.Errorf("not the defaults: %s", made.raw)
		}
		secret := token.Secret(made.text("bearer_token"))
		if !token.WellFormed(secret, "scim") {
			t.Errorf("the token has not the form of one")
		}
		access, err := w.dirs.Authenticate(w.Context(), made.text("external_key"), secret)
		w.must(err)
		if string(access.Directory.ID) != made.text("id") {
			t.Errorf("the token opens %s", access.Directory.ID)
		}
		for _, path := range []string{"/directories", "/directories/" + made.text("id"), "/directories/" + made.text("id") + "/tokens", "/events?limit=100"} {
			if got := w.get(path).wants(http.StatusOK); strings.Contains(got.raw, secret.Reveal()) || strings.Contains(got.raw, "bearer_token") {
				t.Errorf("%s shows the token again", path)
			}
		}
		if strings.Contains(w.log.String(), secret.Reveal()) {
			t.Error("the log holds the token")
		}
		same(t, "events", w.get("/events").each("event"), []string{"organization.created", "dsync.token.created"})
	})
}

func TestDirectory_keeps_the_settings_it_is_made_with(t *testing.T) {
	onBoth(t, func(w *world) {
		made := w.feed(w.organization("Acme"), `,"provider":"okta","label":"acme-people","inactive_users":"removed","provisioning":"existing_only","strict":true,
			"extensions":{"user":[`+badge+`]}`).made
		if made.text("scim_endpoint") != publicURL+"/scim/v2/acme-people" {
			t.Errorf("the address is %q", made.text("scim_endpoint"))
		}
		got := w.get("/directories/" + made.text("id")).wants(http.StatusOK)
		for member, want := range map[string]any{
			"provider": "okta", "label": "acme-people", "inactive_users": "removed", "provisioning": "existing_only", "strict": true,
			"scim_endpoint": publicURL + "/scim/v2/acme-people",
		} {
			if got.object[member] != want {
				t.Errorf("%s is %v, want %v", member, got.object[member], want)
			}
		}
		if schemas, _ := got.at("extensions.user").([]any); len(schemas) != 1 || schemas[0].(map[string]any)["name"] != "Badge" {
			t.Errorf("extensions are %v", got.object["extensions"])
		}
	})
}

func TestDirectory_takes_null_for_what_is_optional(t *testing.T) {
	onBoth(t, func(w *world) {
		w.feed(w.organization("Acme"), `,"provider":null,"label":null,"inactive_users":null,"provisioning":null,"strict":null,"extensions":null,"domain":null`)
	})
}

func TestDirectory_is_refused_with_the_field_that_is_wrong(t *testing.T) {
	onBoth(t, func(w *world) {
		organization := w.organization("Acme")
		w.feed(organization, `,"label":"taken"`)
		good := `"organization_id":"` + organization + `","name":"People","type":"okta scim v2.0"`
		for body, want := range map[string]struct {
			status      int
			code, field string
		}{
			``:   {422, "required", "organization_id"},
			`{}`: {422, "required", "organization_id"},
			`{"organization_id":"` + organization + `"}`:                                              {422, "required", "name"},
			`{"organization_id":"` + organization + `","name":"a"}`:                                   {422, "invalid_type", "type"},
			`{"organization_id":"` + organization + `","name":"a","type":"bamboohr"}`:                 {422, "invalid_type", "type"},
			`{"organization_id":"org_01ARZ3NDEKTSV4RRFFQ69G5FAV","name":"a","type":"okta scim v2.0"}`: {404, "entity_not_found", ""},
			`{"organization_id":"nonsense","name":"a","type":"okta scim v2.0"}`:                       {404, "entity_not_found", ""},
			`{` + good + `,"label":"taken"}`:                                                          {409, "label_taken", ""},
			`{` + good + `,"label":"Under_score"}`:                                                    {422, "invalid_label", "label"},
			`{` + good + `,"label":"users"}`:                                                          {422, "invalid_label", "label"},
			`{` + good + `,"provider":"../okta"}`:                                                     {422, "invalid_provider", "provider"},
			`{` + good + `,"provider":"unheard-of"}`:                                                  {422, "invalid_provider", "provider"},
			`{` + good + `,"inactive_users":"hidden"}`:                                                {422, "invalid", "inactive_users"},
			`{` + good + `,"provisioning":"all"}`:                                                     {422, "invalid", "provisioning"},
			`{` + good + `,"strict":"true"}`:                                                          {422, "invalid_type", "strict"},
			`{` + good + `,"extensions":[]}`:                                                          {422, "invalid_extensions", "extensions"},
			`{` + good + `,"extensions":{"people":[]}}`:                                               {422, "invalid_extensions", "extensions"},
			`{` + good + `,"extensions":{"user":{}}}`:                                                 {422, "invalid_extensions", "extensions"},
			`{` + good + `,"extensions":{"user":[1]}}`:                                                {422, "invalid_extensions", "extensions"},
			`{` + good + `,"extensions":{"user":[{"id":"no urn"}]}}`:                                  {422, "invalid_extensions", "extensions"},
		} {
			w.send("POST", "/directories", body).refused(want.status, want.code, want.field)
		}
		if got := w.get("/directories").data(); len(got) != 1 {
			t.Errorf("a refused request made a directory: %v", got)
		}
	})
}

func TestDirectory_shows_how_many_people_and_groups_it_holds(t *testing.T) {
	onBoth(t, func(w *world) {
		f := w.feed(w.organization("Acme"), "")
		f.person("ann", "")
		f.person("bob", "")
		f.person("cy", `,"active":false`)
		f.group("Team")
		got := w.get("/directories/" + f.id).wants(http.StatusOK)
		if got.at("metadata.users.active") != 2.0 || got.at("metadata.users.inactive") != 1.0 || got.at("metadata.groups") != 1.0 || got.text("state") != "linked" {
			t.Errorf("the directory is %s", got.raw)
		}
	})
}

func TestDirectories_are_listed_by_organization_and_name(t *testing.T) {
	onBoth(t, func(w *world) {
		first, second := w.organization("First"), w.organization("Second")
		a, b := w.feed(first, ""), w.feed(second, "")
		for query, want := range map[string][]string{
			"":                          {b.id, a.id},
			"?order=asc":                {a.id, b.id},
			"?organization_id=" + first: {a.id},
			"?organization_id=org_01ARZ3NDEKTSV4RRFFQ69G5FAV": {},
			"?search=peop":           {b.id, a.id},
			"?search=nobody":         {},
			"?domain=foo.example":    {b.id, a.id},
			"?search=&order=&limit=": {b.id, a.id},
		} {
			same(t, query, w.get("/directories"+query).wants(http.StatusOK).each("id"), want)
		}
		w.get("/directories?organization_id="+a.id).refused(http.StatusUnprocessableEntity, "invalid_id", "organization_id")
	})
}

func TestDirectory_that_is_deleted_is_gone_with_all_it_held(t *testing.T) {
	onBoth(t, func(w *world) {
		f := w.feed(w.organization("Acme"), "")
		ann := f.person("ann", "")
		team := f.group("Team", ann)
		got := w.send("DELETE", "/directories/"+f.id, "").wants(http.StatusAccepted)
		if got.raw != "" {
			t.Errorf("the answer is %s", got.raw)
		}
		for _, path := range []string{
			"/directories/" + f.id, "/directories/" + f.id + "/tokens", "/directories/" + f.id + "/exchanges", "/directory_users/" + ann,
			"/directory_groups/" + team, "/directory_users?directory=" + f.id, "/directory_users?group=" + team,
			"/directory_groups?directory=" + f.id, "/directory_groups?user=" + ann,
		} {
			w.get(path).refused(http.StatusNotFound, "entity_not_found", "")
		}
		w.send("DELETE", "/directories/"+f.id, "").refused(http.StatusNotFound, "entity_not_found", "")
		w.send("POST", "/directories/"+f.id+"/tokens", "").refused(http.StatusNotFound, "entity_not_found", "")
		same(t, "directories", w.get("/directories").each("id"), []string{})
		if _, err := w.dirs.Authenticate(w.Context(), "", token.Secret(f.made.text("bearer_token"))); err == nil {
			t.Error("the token of a deleted directory still opens it")
		}
		kinds := w.get("/events?limit=100").each("event")
		if kinds[len(kinds)-1] != "dsync.deleted" || strings.Contains(strings.Join(kinds, " "), "user.deleted") {
			t.Errorf("events are %q", kinds)
		}
	})
}

func TestDirectory_that_is_not_there_is_not_found(t *testing.T) {
	onBoth(t, func(w *world) {
		organization := w.organization("Acme")
		for _, id := range []string{"directory_01ARZ3NDEKTSV4RRFFQ69G5FAV", "nonsense", "%00", "%FF", organization, "directory_01arz3ndektsv4rrffq69g5fav"} {
			for _, path := range []string{"/directories/" + id, "/directories/" + id + "/tokens", "/directories/" + id + "/exchanges"} {
				w.get(path).refused(http.StatusNotFound, "entity_not_found", "")
			}
			w.send("DELETE", "/directories/"+id, "").refused(http.StatusNotFound, "entity_not_found", "")
		}
	})
}

func TestTokens_of_a_directory_are_made_listed_and_revoked(t *testing.T) {
	onBoth(t, func(w *world) {
		f := w.feed(w.organization("Acme"), `,"label":"acme"`)
		path := "/directories/" + f.id + "/tokens"
		made := w.send("POST", path, "").wants(http.StatusCreated)
		secret := token.Secret(made.text("bearer_token"))
		if made.text("token_suffix") != secret.Suffix() || made.text("scim_endpoint") != publicURL+"/scim/v2/acme" {
			t.Errorf("the token is %s", made.raw)
		}
		_, err := w.dirs.Authenticate(w.Context(), "acme", secret)
		w.must(err)
		w.send("POST", path, "{}").refused(http.StatusConflict, "token_limit", "")
		w.send("POST", path, "nonsense").refused(http.StatusBadRequest, "invalid_json", "")

		listed := w.get(path).wants(http.StatusOK)
		if got := listed.data(); len(got) != 2 || got[1]["id"] != made.text("id") || got[1]["revoked_at"] != nil || got[1]["bearer_token"] != nil {
			t.Errorf("tokens are %s", listed.raw)
		}
		if got := w.send("DELETE", path+"/"+made.text("id"), "").wants(http.StatusNoContent); got.raw != "" {
			t.Errorf("the answer is %s", got.raw)
		}
		if _, err := w.dirs.Authenticate(w.Context(), "acme", secret); err == nil {
			t.Error("the revoked token still opens the directory")
		}
		if got := w.get(path).data(); got[1]["revoked_at"] == nil || got[0]["revoked_at"] != nil {
			t.Errorf("tokens are %v", got)
		}
		for _, id := range []string{made.text("id"), "directory_token_01ARZ3NDEKTSV4RRFFQ69G5FAV", "nonsense", "%00", f.id} {
			w.send("DELETE", path+"/"+id, "").refused(http.StatusNotFound, "entity_not_found", "")
		}
	})
}

func TestToken_of_another_directory_is_not_found(t *testing.T) {
	onBoth(t, func(w *world) {
		a, b := w.feed(w.organization("A"), ""), w.feed(w.organization("B"), "")
		id := w.get("/directories/" + a.id + "/tokens").each("id")[0]
		w.send("DELETE", "/directories/"+b.id+"/tokens/"+id, "").refused(http.StatusNotFound, "entity_not_found", "")
		if _, err := w.dirs.Authenticate(w.Context(), "", token.Secret(a.made.text("bearer_token"))); err != nil {
			t.Errorf("the token was ended: %v", err)
		}
	})
}

func TestExchanges_are_listed_with_what_was_said(t *testing.T) {
	onBoth(t, func(w *world) {
		f, other := w.feed(w.organization("A"), ""), w.feed(w.organization("B"), "")
		ids := []string{f.exchange("/Users/1"), f.exchange("/Users/2"), f.exchange("/Users/3")}
		theirs := other.exchange("/Users/4")
		path := "/directories/" + f.id + "/exchanges"

		got := w.get(path).wants(http.StatusOK)
		same(t, "exchanges", got.each("id"), reversed(ids))
		one := got.data()[0]
		for member, want := range map[string]any{
			"object": "exchange", "directory_id": f.id, "method": "POST", "path": "/Users/3", "status": 201.0, "milliseconds": 1.5,
			"request_id": "req_x", "user_agent": "Okta <SCIM>", "body": `{"userName":"a&b"}`, "answer": nil,
		} {
			if one[member] != want {
				t.Errorf("%s is %v, want %v", member, one[member], want)
			}
		}
		if effect, _ := one["effect"].(map[string]any); effect["summary"] != "made" {
			t.Errorf("the effect is %v", one["effect"])
		}
		first := w.get(path + "?limit=2").wants(http.StatusOK)
		same(t, "first page", first.each("id"), []string{ids[2], ids[1]})
		if first.text("list_metadata.after") != ids[1] || first.at("list_metadata.before") != nil {
			t.Errorf("the cursors are %v", first.at("list_metadata"))
		}
		for _, parameter := range []string{"before", "after"} {
			second := w.get(path + "?limit=2&" + parameter + "=" + ids[1]).wants(http.StatusOK)
			same(t, "second page", second.each("id"), []string{ids[0]})
			if second.at("list_metadata.after") != nil {
				t.Errorf("the cursors are %v", second.at("list_metadata"))
			}
		}
		same(t, "from another directory's cursor", w.get(path+"?before="+theirs).each("id"), reversed(ids))

		for query, want := range map[string]struct {
			status      int
			code, field string
		}{
			"?limit=101":                             {422, "invalid_limit", "limit"},
			"?order=asc":                             {422, "invalid_order", "order"},
			"?before=" + f.id:                        {400, "invalid_cursor", "before"},
			"?before=" + ids[0] + "&after=" + ids[1]: {422, "ambiguous", "before"},
			"?before=exchange_Z":                     {400, "invalid_cursor", "before"},
		} {
			w.get(path+query).refused(want.status, want.code, want.field)
		}
	})
}

// exchange lets a person arrive whose request is recorded.
func (f feed) exchange(path string) string {
	f.Helper()
	x := &directory.Exchange{
		ID: f.dirs.NewExchangeID(), At: f.access.Directory.CreatedAt, Method: "POST", Path: path, Status: http.StatusCreated, Took: 1500_000,
		RequestID: "req_x", UserAgent: "Okta <SCIM>", Effect: []byte(`{"summary":"made"}`), Body: []byte(`{"userName":"a&b"}`),
	}
	_, _, err := f.dirs.CreateUser(f.Context(), f.access, f.object(`{"userName":"`+path+`@example.com","active":true}`),
		func(directory.Outcome) *directory.Exchange { return x })
	f.must(err)
	return string(x.ID)
}
