package api

import (
	"strings"
	"testing"
)

func TestPortal_links_are_made_for_what_there_are_pages_for(t *testing.T) {
	onBoth(t, func(w *world) {
		id := w.organization("Acme")
		ask := func(more string) reply {
			return w.send("POST", "/portal/generate_link", `{"organization":"`+id+`"`+more+`}`)
		}
		seen := map[string]bool{}
		for _, intent := range []string{"", "sso", "dsync", "audit_logs", "certificate_renewal", "domain_verification"} {
			more := `,"return_url":"https://app.example.com/back","success_url":"http://localhost:3000/done?x=1"`
			if intent != "" {
				more += `,"intent":"` + intent + `"`
			}
			link := ask(more).wants(201).text("link")
			if !strings.HasPrefix(link, publicURL+"/portal/link/portal_") || seen[link] {
				t.Errorf("%q: the link is %q", intent, link)
			}
			seen[link] = true
		}
		for _, intent := range []string{"log_streams", "bring_your_own_key"} {
			ask(`,"intent":"`+intent+`"`).refused(422, "intent_not_supported", "intent")
		}
		ask(`,"intent":"everything"`).refused(422, "invalid_intent", "intent")
		for _, bad := range []string{"javascript:alert(1)", "/relative", "https://", "https://u:p@x.example", `https://x.example/\\y`, "https://x.example/a b", "data:text/html,x"} {
			ask(`,"return_url":"`+bad+`"`).refused(422, "invalid_url", "return_url")
			ask(`,"success_url":"`+bad+`"`).refused(422, "invalid_url", "success_url")
		}
		w.send("POST", "/portal/generate_link", `{}`).refused(422, "required", "organization")
		w.send("POST", "/portal/generate_link", `{"organization":"org_01ARZ3NDEKTSV4RRFFQ69G5FAV"}`).refused(404, "entity_not_found", "")
		w.send("POST", "/portal/generate_link", `{"organization":"nonsense"}`).refused(404, "entity_not_found", "")
	})
}

func TestPortal_contacts_are_named_with_a_link_and_by_themselves(t *testing.T) {
	onBoth(t, func(w *world) {
		id, other := w.organization("Acme"), w.organization("Other")
		path := "/organizations/" + id + "/contacts"
		w.send("POST", "/portal/generate_link", `{"organization":"`+id+`","it_contact_emails":["it@acme.example","IT@acme.example"," ida@acme.example "]}`).wants(201)
		same(t, "contacts", w.get(path).wants(200).each("email"), []string{"ida@acme.example", "it@acme.example"})
		w.send("POST", "/portal/generate_link", `{"organization":"`+id+`","it_contact_emails":["nobody"]}`).refused(422, "invalid_email", "it_contact_emails")
		w.send("POST", "/portal/generate_link", `{"organization":"`+id+`","it_contact_emails":["a@b.example"`+strings.Repeat(`,"a@b.example"`, 20)+`]}`).
			refused(422, "too_many", "it_contact_emails")

		made := w.send("POST", path, `{"email":"max@acme.example","name":"Max"}`).wants(201)
		if made.text("object") != "contact" || made.text("name") != "Max" || made.text("organization_id") != id {
			t.Errorf("made %s", made.raw)
		}
		w.send("POST", path, `{"email":"Max@acme.example"}`).refused(409, "contact_exists", "")
		w.send("POST", path, `{"name":"x"}`).refused(422, "required", "email")
		w.send("POST", path, `{"email":"two@@acme.example"}`).refused(422, "invalid_email", "email")
		w.send("POST", path, `{"email":"a@acme.example","name":"`+strings.Repeat("x", 256)+`"}`).refused(422, "too_long", "name")
		w.send("POST", "/organizations/"+other+"/contacts", `{"email":"max@acme.example"}`).wants(201)

		first := w.get(path + "?limit=2").wants(200)
		rest := w.get(path + "?limit=2&after=" + first.at("list_metadata.after").(string)).wants(200)
		same(t, "pages", append(first.each("email"), rest.each("email")...), []string{"max@acme.example", "ida@acme.example", "it@acme.example"})

		one := path + "/" + made.text("id")
		if sent := w.send("POST", one+"/send_link", "").wants(200); sent.text("id") != made.text("id") {
			t.Errorf("sent %s", sent.raw)
		}
		strange := "/organizations/" + other + "/contacts/" + made.text("id")
		w.send("POST", strange+"/send_link", "").refused(404, "entity_not_found", "")
		w.send("DELETE", strange, "").refused(404, "entity_not_found", "")
		w.send("DELETE", one, "").wants(204)
		w.send("DELETE", one, "").refused(404, "entity_not_found", "")
		w.send("POST", one+"/send_link", "").refused(404, "entity_not_found", "")
		w.send("DELETE", path+"/nonsense", "").refused(404, "entity_not_found", "")
		w.get("/organizations/nonsense/contacts").refused(404, "entity_not_found", "")

		same(t, "audit", w.get("/audit?organization_id="+id+"&actions=contact.created,contact.deleted,portal_link.created&order=desc").wants(200).each("action"), []string{
			"contact.deleted", "portal_link.created", "contact.created", "portal_link.created", "contact.created", "contact.created",
		})
	})
}
