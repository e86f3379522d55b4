package api

import (
	"net/http"
	"strings"
	"testing"
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
