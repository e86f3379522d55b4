package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
)

func TestOrganization_is_created_and_found_by_both_its_ids(t *testing.T) {
	onBoth(t, func(w *world) {
		made := w.send("POST", "/organizations", `{
			"name":" R&D <EU> 'x' ","external_id":"crm/42 ö?"}`)
		made.refused(http.StatusUnprocessableEntity, "invalid", "external_id") // not ASCII

		made = w.send("POST", "/organizations", `{
			"name":" R&D <EU> 'x' ","external_id":"crm/42 ?","metadata":{"tier":"gold","gone":null},"domains":["Old.Example.com"],
			"domain_data":[{"domain":"example.com","state":"verified"}],"allow_profiles_outside_organization":true,"unknown":{"a":1}}`).wants(http.StatusCreated)
		if !strings.Contains(made.raw, `"name":"R&D <EU> 'x'"`) {
			t.Errorf("the name is not what was sent, without escapes: %s", made.raw)
		}
		if made.at("metadata.tier") != "gold" || len(made.at("metadata").(map[string]any)) != 1 {
			t.Errorf("metadata is %v", made.at("metadata"))
		}
		states := map[string]any{}
		for _, d := range made.object["domains"].([]any) {
			states[d.(map[string]any)["domain"].(string)] = d.(map[string]any)["state"]
		}
		if len(states) != 2 || states["old.example.com"] != "pending" || states["example.com"] != "verified" {
			t.Errorf("domains are %v", states)
		}
		for _, path := range []string{"/organizations/" + made.text("id"), "/organizations/external_id/crm%2F42%20%3F"} {
			if got := w.get(path).wants(http.StatusOK); got.raw != made.raw {
				t.Errorf("%s is\n%s, not\n%s", path, got.raw, made.raw)
			}
		}
		same(t, "events", w.get("/events").each("event"), []string{"organization.created", "organization_domain.created", "organization_domain.created"})
		if actor := w.get("/events").data()[0]["context"].(map[string]any)["actor"].(map[string]any); actor["source"] != "api" || actor["id"] != actorID {
			t.Errorf("the actor is %v", actor)
		}
	})
}

func TestOrganization_takes_null_for_what_is_optional(t *testing.T) {
	onBoth(t, func(w *world) {
		made := w.send("POST", "/organizations", `{"name":"Acme","external_id":null,"metadata":null,"domains":null,"domain_data":null}`).wants(http.StatusCreated)
		if v, there := made.object["external_id"]; !there || v != nil {
			t.Errorf("external_id is not null: %s", made.raw)
		}
	})
}

func TestOrganization_is_refused_with_the_field_that_is_wrong(t *testing.T) {
	onBoth(t, func(w *world) {
		w.send("POST", "/organizations", `{"name":"First","external_id":"taken","domain_data":[{"domain":"taken.example.com","state":"verified"}]}`).wants(http.StatusCreated)
		for body, want := range map[string]struct {
			status      int
			code, field string
		}{
			``:              {422, "required", "name"},
			"  \n":          {422, "required", "name"},
			`{}`:            {422, "required", "name"},
			`{"name":null}`: {422, "required", "name"},
			`{"name":"` + strings.Repeat("a", 256) + `"}`:                                    {422, "too_long", "name"},
			`{"name":"a","external_id":"taken"}`:                                             {400, "external_id_already_used", "external_id"},
			`{"name":"a","external_id":"` + strings.Repeat("a", 129) + `"}`:                  {422, "invalid", "external_id"},
			`{"name":"a","metadata":{"k":"` + strings.Repeat("v", 601) + `"}}`:               {400, "invalid_metadata", "metadata"},
			`{"name":"a","metadata":{"` + strings.Repeat("k", 41) + `":"v"}}`:                {400, "invalid_metadata", "metadata"},
			`{"name":"a","domain_data":[{"domain":"taken.example.com","state":"verified"}]}`: {409, "domain_already_verified", ""},
			`{"name":"a","domain_data":[{"domain":"no domain","state":"verified"}]}`:         {422, "invalid_domain", "domains"},
			`{"name":"a","domain_data":[{"domain":"b.example.com","state":"owned"}]}`:        {422, "invalid_state", "domain_data"},
			`{"name":"a","domains":["c.example.com","C.example.com"]}`:                       {422, "duplicate_domain", "domains"},
		} {
			w.send("POST", "/organizations", body).refused(want.status, want.code, want.field)
		}
		same(t, "organizations", w.get("/organizations").each("name"), []string{"First"})
	})
}

func TestOrganization_that_is_not_there_is_not_found(t *testing.T) {
	onBoth(t, func(w *world) {
		directory := w.feed(w.organization("Acme"), "").id
		for _, path := range []string{
			"/organizations/org_01ARZ3NDEKTSV4RRFFQ69G5FAV", "/organizations/nonsense", "/organizations/%00", "/organizations/%ff",
			"/organizations/" + directory, "/organizations/external_id/none", "/organizations/external_id/%00", "/organizations/external_id/%FF",
			"/organizations/external_id/", "/organizations/" + strings.Repeat("x", 5000),
		} {
			got := w.get(path)
			got.refused(http.StatusNotFound, "entity_not_found", "")
			if !strings.Contains(got.text("message"), "not found") {
				t.Errorf("%s: %s", path, got.raw)
			}
		}
	})
}

func TestOrganizations_are_listed_by_name_and_domain(t *testing.T) {
	onBoth(t, func(w *world) {
		for _, n := range []string{"alpha", "beta", "gamma"} {
			w.send("POST", "/organizations", `{"name":"`+n+` Inc","domains":["`+n+`.example.com","shared.example.com"]}`).wants(http.StatusCreated)
		}
		for query, want := range map[string][]string{
			"":              {"gamma Inc", "beta Inc", "alpha Inc"},
			"?order=normal": {"gamma Inc", "beta Inc", "alpha Inc"},
			"?order=asc":    {"alpha Inc", "beta Inc", "gamma Inc"},
			"?search=BETA":  {"beta Inc"},
			"?search=%25":   {},
			"?domains=Beta.example.com,gamma.example.com":               {"gamma Inc", "beta Inc"},
			"?domains[]=beta.example.com&domains[]=gamma.example.com":   {"gamma Inc", "beta Inc"},
			"?domains=beta.example.com&domains=alpha.example.com":       {"beta Inc", "alpha Inc"},
			"?domains[0]=beta.example.com&domains[1]=alpha.example.com": {"beta Inc", "alpha Inc"},
			"?domains=none.example.com":                                 {},
			"?unknown=1":                                                {"gamma Inc", "beta Inc", "alpha Inc"},
		} {
			same(t, query, w.get("/organizations"+query).wants(http.StatusOK).each("name"), want)
		}
		w.get("/organizations?search="+strings.Repeat("a", 256)).refused(http.StatusUnprocessableEntity, "too_long", "search")
		many := strings.Builder{}
		for i := range maxValues + 1 {
			many.WriteString(strings.Repeat("a", i+1) + ",")
		}
		w.get("/organizations?domains="+many.String()).refused(http.StatusUnprocessableEntity, "too_many", "domains")
	})
}

func TestOrganization_is_changed_where_the_body_says_so(t *testing.T) {
	onBoth(t, func(w *world) {
		made := w.send("POST", "/organizations", `{"name":"Acme","external_id":"a","metadata":{"keep":"1","go":"2"},
			"domain_data":[{"domain":"one.example.com","state":"verified"},{"domain":"two.example.com","state":"pending"}]}`).wants(201)
		path := "/organizations/" + made.text("id")
		for _, silent := range []string{
			``, `{}`, `{"name":null,"metadata":null,"domains":null,"domain_data":null,"allow_profiles_outside_organization":true}`,
			`{"name":" Acme ","external_id":"a","metadata":{"keep":"1","never":null}}`,
			`{"domain_data":[{"domain":"TWO.example.com","state":"pending"},{"domain":"one.example.com","state":"pending"}]}`,
		} {
			if got := w.send("PUT", path, silent).wants(200); got.raw != made.raw {
				t.Errorf("%s changed\n%s to\n%s", silent, made.raw, got.raw)
			}
		}
		same(t, "events", w.get("/events").each("event"), []string{"organization.created", "organization_domain.created", "organization_domain.created"})

		got := w.send("PUT", path, `{"name":"R&D <EU>","external_id":null,"metadata":{"go":null,"new":"3"},
			"domain_data":[{"domain":"two.example.com","state":"verified"},{"domain":"three.example.com","state":"pending"}]}`).wants(200)
		if got.text("name") != "R&D <EU>" || got.at("external_id") != nil || got.text("metadata.keep") != "1" || got.text("metadata.new") != "3" ||
			len(got.at("metadata").(map[string]any)) != 2 {
			t.Errorf("changed to %s", got.raw)
		}
		states := map[string]any{}
		for _, d := range got.at("domains").([]any) {
			states[d.(map[string]any)["domain"].(string)] = d.(map[string]any)["state"]
		}
		if len(states) != 2 || states["two.example.com"] != "verified" || states["three.example.com"] != "pending" {
			t.Errorf("domains are %v", states)
		}
		if read := w.get(path); read.raw != got.raw {
			t.Errorf("read\n%s, not\n%s", read.raw, got.raw)
		}
		same(t, "events", w.get("/events").each("event")[3:], []string{
			"organization.updated", "organization_domain.verified", "organization_domain.created", "organization_domain.deleted",
		})
		w.get("/organizations/external_id/a").refused(404, "entity_not_found", "")
		if got := w.send("PUT", path, `{"domains":[]}`).wants(200); len(got.at("domains").([]any)) != 0 {
			t.Errorf("without domains: %s", got.raw)
		}
		if got := w.send("PUT", path, `{"external_id":"a"}`).wants(200); got.text("external_id") != "a" {
			t.Errorf("with an external id again: %s", got.raw)
		}
	})
}

func TestOrganization_change_is_refused_whole(t *testing.T) {
	onBoth(t, func(w *world) {
		w.send("POST", "/organizations", `{"name":"First","external_id":"taken","domain_data":[{"domain":"taken.example.com","state":"verified"}]}`).wants(201)
		metadata := strings.Builder{}
		for i := range 50 {
			metadata.WriteString(`"` + strings.Repeat("k", i%39+1) + string(rune('a'+i/39)) + `":"v",`)
		}
		made := w.send("POST", "/organizations", `{"name":"Acme","metadata":{`+strings.TrimSuffix(metadata.String(), ",")+`}}`).wants(201)
		path := "/organizations/" + made.text("id")
		for body, want := range map[string]struct {
			status      int
			code, field string
		}{
			`{"name":""}`: {422, "required", "name"},
			`{"name":"` + strings.Repeat("a", 256) + `"}`: {422, "too_long", "name"},
			`{"name":["a"]}`:                           {422, "invalid_type", "name"},
			`{"name":"b","external_id":"taken"}`:       {400, "external_id_already_used", "external_id"},
			`{"name":"b","external_id":"é"}`:           {422, "invalid", "external_id"},
			`{"name":"b","external_id":7}`:             {422, "invalid_type", "external_id"},
			`{"name":"b","metadata":{"one more":"v"}}`: {400, "invalid_metadata", "metadata"},
			`{"name":"b","metadata":{"k":1}}`:          {422, "invalid_type", "metadata.k"},
			`{"name":"b","domain_data":[{"domain":"taken.example.com","state":"verified"}]}`: {409, "domain_already_verified", ""},
			`{"name":"b","domains":["no domain"]}`:                                           {422, "invalid_domain", "domains"},
			`{"name":"b","domains":["a.example.com","a.example.com"]}`:                       {422, "duplicate_domain", "domains"},
			`{`: {400, "invalid_json", ""},
		} {
			w.send("PUT", path, body).refused(want.status, want.code, want.field)
		}
		if got := w.get(path); got.raw != made.raw {
			t.Errorf("refusals changed it to %s", got.raw)
		}
		same(t, "events", w.get("/events?organization_id="+made.text("id")).each("event"), []string{"organization.created"})
		w.send("PUT", "/organizations/org_01ARZ3NDEKTSV4RRFFQ69G5FAV", `{"name":"b"}`).refused(404, "entity_not_found", "")
		w.send("PUT", "/organizations/nonsense", `{"name":"b"}`).refused(404, "entity_not_found", "")
	})
}

func TestOrganization_goes_with_all_it_has(t *testing.T) {
	onBoth(t, func(w *world) {
		made := w.send("POST", "/organizations", `{"name":"Acme","external_id":"a","domain_data":[{"domain":"example.com","state":"verified"}]}`).wants(201)
		id := made.text("id")
		f := w.feed(id, `,"label":"acme"`)
		person, kept := f.person("ann", ""), w.feed(w.organization("Other"), "")
		key := w.apiKey(id, `{"name":"Key"}`).wants(201)
		last := w.get("/events?order=desc&limit=1").each("id")[0]
		w.send("DELETE", "/organizations/"+id, "").wants(202)

		for _, path := range []string{
			"/organizations/" + id, "/organizations/external_id/a", "/organizations/" + id + "/features", "/organizations/" + id + "/api_keys",
			"/directories/" + f.id, "/directory_users/" + person, "/organization_domains/" + made.at("domains").([]any)[0].(map[string]any)["id"].(string),
		} {
			w.get(path).refused(404, "entity_not_found", "")
		}
		w.send("DELETE", "/organizations/"+id, "").refused(404, "entity_not_found", "")
		w.send("PUT", "/organizations/"+id, `{"name":"b"}`).refused(404, "entity_not_found", "")
		w.send("PUT", "/organizations/"+id+"/features", `{"features":{"sso":false}}`).refused(404, "entity_not_found", "")
		w.apiKey(id, `{"name":"b"}`).refused(404, "entity_not_found", "")
		w.domain(id, "b.example.com").refused(404, "entity_not_found", "")
		w.send("POST", "/directories", `{"organization_id":"`+id+`","name":"b","type":"okta scim v2.0"}`).refused(404, "entity_not_found", "")
		same(t, "organizations", w.get("/organizations").each("name"), []string{"Other"})
		same(t, "of the domain", w.get("/organizations?domains=example.com").each("name"), []string{})
		if _, err := w.dirs.Authenticate(w.Context(), "", token.Secret(f.made.text("bearer_token"))); !fault.Is(err, fault.Unauthorized) {
			t.Errorf("the token of a deleted organization: %v", err)
		}
		if _, err := w.dirs.Authenticate(w.Context(), "", token.Secret(kept.made.text("bearer_token"))); err != nil {
			t.Errorf("another organization's token: %v", err)
		}
		if got := w.validate(key.text("value")); got.at("api_key") != nil {
			t.Errorf("the API key of a deleted organization: %s", got.raw)
		}
		told := w.get("/events?after=" + last).wants(200)
		same(t, "events", told.each("event"), []string{"dsync.deleted", "organization_domain.deleted", "api_key.revoked", "organization.deleted"})
		if gone := told.data()[3]["data"].(map[string]any); gone["name"] != "Acme" || gone["external_id"] != "a" {
			t.Errorf("the organization as it was is %v", gone)
		}

		w.send("POST", "/organizations", `{"name":"Again","external_id":"a","domain_data":[{"domain":"example.com","state":"verified"}]}`).wants(201)
		w.feed(kept.organization, `,"label":"acme"`)
	})
}
