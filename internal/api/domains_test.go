package api

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"
)

// texts are the TXT records there are in the world, by name with a dot at the end.
type texts map[string][]string

func (t texts) LookupTXT(_ context.Context, name string) ([]string, error) {
	if found, there := t[name]; there {
		return found, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// everyChangeOfAnOrganization makes one event of each type that organizations, domains and API keys have, and deletes it at last.
func (w *world) everyChangeOfAnOrganization(id string) {
	w.Helper()
	w.send("PUT", "/organizations/"+id, `{"name":"Renamed"}`).wants(200)
	key := w.send("POST", "/organizations/"+id+"/api_keys", `{"name":"Key","permissions":["scim"]}`).wants(201).text("id")
	w.send("POST", "/api_keys/"+key+"/expire", `{"expires_at":"2099-01-01T00:00:00Z"}`).wants(200)
	w.send("DELETE", "/api_keys/"+key, "").wants(204)

	domain := w.send("POST", "/organization_domains", `{"organization_id":"`+id+`","domain":"slow.example.com"}`).wants(201).text("id")
	w.now = func() time.Time { return time.Now().Add(31 * 24 * time.Hour) }
	w.must(w.orgs.CheckDomains(w.Context()))
	w.now = time.Now
	if got := w.get("/organization_domains/" + domain).wants(200).text("state"); got != "failed" {
		w.Fatalf("the domain is %s", got)
	}
	w.send("POST", "/organization_domains/"+domain+"/verify", "").wants(201)
	w.send("POST", "/organization_domains/"+domain+"/verify", `{"verification_strategy":"manual"}`).wants(201)
	w.send("DELETE", "/organizations/"+id, "").wants(202)
}

func (w *world) domain(organization, name string) reply {
	w.Helper()
	return w.send("POST", "/organization_domains", `{"organization_id":"`+organization+`","domain":"`+name+`"}`)
}

func TestDomain_is_verified_by_the_record_that_its_answer_names(t *testing.T) {
	onBoth(t, func(w *world) {
		id := w.organization("Acme")
		for i, name := range []string{"example.com", "example.org"} { // proven by one of the two records each
			made := w.domain(id, name).wants(201)
			path := "/organization_domains/" + made.text("id")
			if made.text("state") != "pending" || made.text("organization_id") != id || made.text("verification_strategy") != "dns" {
				t.Errorf("made %s", made.raw)
			}
			records := made.at("verification_records").([]any)
			first, second := records[0].(map[string]any), records[1].(map[string]any)
			if first["name"] != name || first["type"] != "TXT" || first["value"] != made.text("verification_prefix")+"="+made.text("verification_token") {
				t.Errorf("the first record is %v", first)
			}
			if second["name"] != "_"+made.text("verification_prefix")+"."+name || second["value"] != made.text("verification_token") {
				t.Errorf("the second record is %v", second)
			}
			if got := w.send("POST", path+"/verify", "").wants(201); got.text("state") != "pending" {
				t.Errorf("without a record: %s", got.raw)
			}
			one := records[i].(map[string]any)
			w.dns[one["name"].(string)+"."] = []string{"v=spf1 -all", `"` + one["value"].(string) + `"`}
			if got := w.send("POST", path+"/verify", `{}`).wants(201); got.text("state") != "verified" {
				t.Errorf("with the record: %s", got.raw)
			}
			got := w.get(path).wants(200)
			if got.text("state") != "verified" || len(got.at("verification_records").([]any)) != 0 {
				t.Errorf("afterwards %s", got.raw)
			}
			w.send("POST", path+"/verify", "").refused(400, "domain_already_verified", "id")
			w.send("POST", path+"/verify", `{"verification_strategy":"manual"}`).refused(400, "domain_already_verified", "id")
		}
		same(t, "events", w.get("/events").each("event"), []string{
			"organization.created", "organization_domain.created", "organization_domain.verified", "organization_domain.created", "organization_domain.verified",
		})
	})
}

func TestDomain_is_verified_on_the_operators_word_and_deleted(t *testing.T) {
	onBoth(t, func(w *world) {
		id, other := w.organization("Acme"), w.organization("Other")
		made := w.domain(id, " Example.COM. ").wants(201)
		path := "/organization_domains/" + made.text("id")
		w.send("POST", path+"/verify", `{"verification_strategy":"carrier pigeon"}`).refused(422, "invalid", "verification_strategy")
		got := w.send("POST", path+"/verify", `{"verification_strategy":"manual","x":1}`).wants(201)
		if got.text("state") != "verified" || got.text("verification_strategy") != "manual" || got.text("domain") != "example.com" {
			t.Errorf("vouched for: %s", got.raw)
		}
		taken := w.domain(other, "example.com")
		taken.refused(409, "domain_already_exists", "")
		if strings.Contains(taken.raw, id) || strings.Contains(taken.raw, "Acme") {
			t.Errorf("the refusal names the other organization: %s", taken.raw)
		}
		w.send("DELETE", path, "").wants(204)
		w.send("DELETE", path, "").refused(404, "entity_not_found", "")
		w.get(path).refused(404, "entity_not_found", "")
		if n := len(w.get("/organizations/" + id).at("domains").([]any)); n != 0 {
			t.Errorf("%d domains are left", n)
		}
		w.domain(other, "example.com").wants(201)
		same(t, "events", w.get("/events?organization_id="+id).each("event"), []string{
			"organization.created", "organization_domain.created", "organization_domain.verified", "organization_domain.deleted",
		})
	})
}

func TestDomain_that_two_have_asked_for_is_of_the_first_to_prove_it(t *testing.T) {
	onBoth(t, func(w *world) {
		first, second := w.organization("First"), w.organization("Second")
		a, b := w.domain(first, "example.com").wants(201), w.domain(second, "example.com").wants(201)
		w.dns["example.com."] = []string{
			"rollcall-domain-verification=" + a.text("verification_token"), "rollcall-domain-verification=" + b.text("verification_token"),
		}
		w.send("POST", "/organization_domains/"+b.text("id")+"/verify", "").wants(201)
		for _, body := range []string{"", `{"verification_strategy":"manual"}`} {
			got := w.send("POST", "/organization_domains/"+a.text("id")+"/verify", body)
			got.refused(409, "domain_already_verified", "")
			if strings.Contains(got.raw, second) || strings.Contains(got.raw, "Second") {
				t.Errorf("the refusal names the other organization: %s", got.raw)
			}
		}
		if got := w.get("/organization_domains/" + a.text("id")).text("state"); got != "pending" {
			t.Errorf("the state is %s", got)
		}
		w.now = func() time.Time { return time.Now().Add(time.Hour) }
		w.must(w.orgs.CheckDomains(w.Context()))
		failed := w.get("/events?events=organization_domain.verification_failed").wants(200).data()
		if len(failed) != 1 || failed[0]["data"].(map[string]any)["reason"] != "domain_verified_by_other_organization" {
			t.Errorf("failures: %v", failed)
		}
	})
}

func TestDomain_is_refused_with_the_field_that_is_wrong(t *testing.T) {
	onBoth(t, func(w *world) {
		id := w.organization("Acme")
		w.domain(id, "taken.example.com").wants(201)
		organization := `"organization_id":"` + id + `"`
		for body, want := range map[string]struct {
			status      int
			code, field string
		}{
			``:                         {422, "required", "domain"},
			`{` + organization + `}`:   {422, "required", "domain"},
			`{"domain":"a.example"}`:   {422, "required", "organization_id"},
			`{"domain":null}`:          {422, "required", "domain"},
			`{"domain":["a.example"]}`: {422, "invalid_type", "domain"},
			`{"domain":"a.example","organization_id":"org_01ARZ3NDEKTSV4RRFFQ69G5FAV"}`: {404, "entity_not_found", ""},
			`{"domain":"a.example","organization_id":"nonsense"}`:                       {404, "entity_not_found", ""},
			`{"domain":"no domain",` + organization + `}`:                               {422, "invalid_domain", "domain"},
			`{"domain":"10.0.0.1",` + organization + `}`:                                {422, "invalid_domain", "domain"},
			`{"domain":"*.example.com",` + organization + `}`:                           {422, "invalid_domain", "domain"},
			`{"domain":"münchen.example",` + organization + `}`:                         {422, "invalid_domain", "domain"},
			`{"domain":"a\u0000.example",` + organization + `}`:                         {422, "invalid_character", "domain"},
			`{"domain":"TAKEN.example.com",` + organization + `}`:                       {409, "domain_already_exists", ""},
		} {
			w.send("POST", "/organization_domains", body).refused(want.status, want.code, want.field)
		}
		if got := w.domain(id, "münchen.example"); !strings.Contains(got.text("message"), "xn--") {
			t.Errorf("the refusal does not say how: %s", got.raw)
		}
		w.domain(id, "xn--mnchen-3ya.example").wants(201)
		for _, bad := range []string{"nonsense", id, "org_domain_01ARZ3NDEKTSV4RRFFQ69G5FAV", "%00"} {
			w.get("/organization_domains/"+bad).refused(404, "entity_not_found", "")
			w.send("DELETE", "/organization_domains/"+bad, "").refused(404, "entity_not_found", "")
			w.send("POST", "/organization_domains/"+bad+"/verify", "").refused(404, "entity_not_found", "")
		}
	})
}
