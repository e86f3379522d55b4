package api

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/api/openapi"
	"github.com/rollcallhq/rollcall/internal/event"
)

// export asks for something that is no JSON.
func (w *world) export(path, accept string) *httptest.ResponseRecorder {
	w.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Authorization", "Bearer "+w.key.Reveal())
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	got := httptest.NewRecorder()
	w.handler.ServeHTTP(got, r)
	if got.Code != http.StatusOK {
		w.Fatalf("%s: %d %s", path, got.Code, got.Body)
	}
	return got
}

// unaudited are the routes that change no settings, members or secrets: they ask, or do again what was done.
func unaudited() []string {
	return []string{
		"POST /api_keys/validations", "POST /connections/{id}/refresh_metadata", "POST /connections/{id}/approve_metadata", "POST /connections/{id}/test_sign_ins",
		"POST /webhook_endpoints/{id}/replay", "POST /webhook_deliveries/{id}/replay", "POST /sso/logout/authorize", "POST /events/{id}/acknowledge",
		"POST /event_consumers/{name}/acknowledge", "POST /directories/{id}/mapping/preview", "POST /connections/{id}/mapping/preview",
	}
}

// Each route that changes something leaves an entry that says what, of what, and that the management key did it.
func TestAudit_has_an_entry_for_every_route_that_changes_something(t *testing.T) {
	onBoth(t, func(w *world) {
		done := map[string]bool{}
		// does makes a request and wants an entry of an action; it gives the answer.
		does := func(route, path, body, action string) reply {
			w.Helper()
			method, _, _ := strings.Cut(route, " ")
			before := w.get("/audit?limit=1&actions=" + action).wants(200).data()
			got := w.send(method, path, body)
			if got.status >= 300 {
				w.Fatalf("%s: %d %s", route, got.status, got.raw)
			}
			done[route] = true
			for _, e := range w.get("/audit?limit=100&actions=" + action).wants(200).data() {
				if len(before) > 0 && e["id"] == before[0]["id"] {
					break
				}
				if cause := e["cause"].(map[string]any); e["action"] == action && cause["type"] == "api" && cause["id"] == "management_key" && e["target"] != nil {
					return got
				}
			}
			w.Errorf("%s leaves no entry %s", route, action)
			return got
		}
		acme := does("POST /organizations", "/organizations", `{"name":"Acme"}`, "organization.created").text("id")
		does("PUT /organizations/{id}", "/organizations/"+acme, `{"name":"Acme Ltd"}`, "organization.updated")
		does("PUT /organizations/{id}/features", "/organizations/"+acme+"/features", `{"features":{"sso":false}}`, "organization.updated")

		w.send("PUT", "/organizations/"+acme+"/features", `{"features":{"sso":true}}`).wants(200)

		key := does("POST /organizations/{organizationId}/api_keys", "/organizations/"+acme+"/api_keys", `{"name":"K"}`, "api_key.created").text("id")
		does("POST /api_keys/{id}/expire", "/api_keys/"+key+"/expire", `{"expires_at":"2100-01-01T00:00:00Z"}`, "api_key.updated")
		does("DELETE /api_keys/{id}", "/api_keys/"+key, "", "api_key.revoked")

		domain := does("POST /organization_domains", "/organization_domains", `{"organization_id":"`+acme+`","domain":"acme.test"}`, "organization_domain.created").text("id")
		does("POST /organization_domains/{id}/verify", "/organization_domains/"+domain+"/verify", `{"verification_strategy":"manual"}`, "organization_domain.verified")
		does("DELETE /organization_domains/{id}", "/organization_domains/"+domain, "", "organization_domain.deleted")

		directory := does("POST /directories", "/directories", `{"organization_id":"`+acme+`","name":"People","type":"okta scim v2.0"}`, "directory.created").text("id")
		does("PATCH /directories/{id}", "/directories/"+directory, `{"name":"Everybody"}`, "directory.updated")
		tok := does("POST /directories/{id}/tokens", "/directories/"+directory+"/tokens", "", "dsync.token.created").text("id")
		does("DELETE /directories/{id}/tokens/{token_id}", "/directories/"+directory+"/tokens/"+tok, "", "dsync.token.revoked")
		feed := w.feed(acme, "")
		does("DELETE /directory_users/{id}", "/directory_users/"+feed.person("ada", ""), "", "dsync.user.deleted")
		does("DELETE /directories/{id}", "/directories/"+directory, "", "dsync.deleted")

		made, provider := w.samlConnection(acme)
		conn := made.text("id")
		done["POST /connections"] = slices.Contains(w.get("/audit?target="+conn).wants(200).each("action"), "connection.created")
		does("PATCH /connections/{id}", "/connections/"+conn, `{"name":"Okta"}`, "connection.updated")
		listed := w.get("/connections/" + conn + "/certificates").wants(200).data()[0]
		does("DELETE /connections/{id}/certificates/{fingerprint}", "/connections/"+conn+"/certificates/"+listed["fingerprint"].(string), "", "connection.updated")
		does("POST /connections/{id}/certificates", "/connections/"+conn+"/certificates", `{"certificate":"`+pemOf(provider.Signer)+`"}`, "connection.updated")
		does("DELETE /connections/{id}", "/connections/"+conn, "", "connection.deleted")

		hook := does("POST /webhook_endpoints", "/webhook_endpoints", `{"endpoint_url":"https://203.0.114.7/hook","events":["user.created"]}`, "webhook_endpoint.created").text("id")
		does("PATCH /webhook_endpoints/{id}", "/webhook_endpoints/"+hook, `{"status":"disabled"}`, "webhook_endpoint.updated")
		does("POST /webhook_endpoints/{id}/rotate_secret", "/webhook_endpoints/"+hook+"/rotate_secret", "", "webhook_endpoint.secret_rotated")
		does("DELETE /webhook_endpoints/{id}", "/webhook_endpoints/"+hook, "", "webhook_endpoint.deleted")

		app := does("POST /connect/applications", "/connect/applications", `{"name":"App","application_type":"oauth","is_first_party":true}`, "connect_application.created").text("id")
		does("PUT /connect/applications/{id}", "/connect/applications/"+app, `{"description":"An app"}`, "connect_application.updated")
		secret := does("POST /connect/applications/{id}/client_secrets", "/connect/applications/"+app+"/client_secrets", "{}", "client_secret.created").text("id")
		does("DELETE /connect/client_secrets/{id}", "/connect/client_secrets/"+secret, "", "client_secret.deleted")
		does("DELETE /connect/applications/{id}", "/connect/applications/"+app, "", "connect_application.deleted")
		uri := does("POST /user_management/redirect_uris", "/user_management/redirect_uris", `{"uri":"https://app.test/callback"}`, "redirect_uri.created").text("id")
		does("DELETE /user_management/redirect_uris/{id}", "/user_management/redirect_uris/"+uri, "", "redirect_uri.deleted")
		does("POST /signing_keys/rotate", "/signing_keys/rotate", `{"compromised":true}`, "signing_key.created")

		contact := does("POST /organizations/{id}/contacts", "/organizations/"+acme+"/contacts", `{"email":"it@acme.test"}`, "contact.created").text("id")
		does("POST /organizations/{id}/contacts/{contact_id}/send_link", "/organizations/"+acme+"/contacts/"+contact+"/send_link", "", "portal_link.created")
		does("DELETE /organizations/{id}/contacts/{contact_id}", "/organizations/"+acme+"/contacts/"+contact, "", "contact.deleted")
		does("POST /portal/generate_link", "/portal/generate_link", `{"organization":"`+acme+`"}`, "portal_link.created")

		does("POST /event_consumers", "/event_consumers", `{"name":"billing"}`, "event_consumer.created")
		does("DELETE /event_consumers/{name}", "/event_consumers/billing", "", "event_consumer.deleted")
		does("DELETE /organizations/{id}", "/organizations/"+acme, "", "organization.deleted")
		w.auditsOfMembers(does)

		for _, r := range served() {
			if route := r.Method + " " + r.Pattern; r.Method != "GET" && r.Pattern != openapi.Path && !done[route] && !slices.Contains(unaudited(), route) {
				t.Errorf("%s changes something, and nobody has looked whether the audit tells of it", route)
			}
		}
		all := w.export("/audit?format=jsonl", "").Body.String()
		for _, private := range []string{made.text("bearer_token"), `"secret":"whsec`, "BEGIN PRIVATE", "BEGIN CERT"} {
			if private != "" && strings.Contains(all, private) {
				t.Errorf("the audit holds %.20q", private)
			}
		}
	})
}

func TestAudit_tells_what_was_before_and_hides_secrets(t *testing.T) {
	onBoth(t, func(w *world) {
		acme := w.organization("Acme")
		w.send("PUT", "/organizations/"+acme, `{"name":"Acme Ltd","metadata":{"tier":"gold"}}`).wants(200)
		changes := w.get("/audit?limit=1&target=" + acme).wants(200).data()[0]["changes"]
		if got := fmt.Sprint(changes); got != "map[metadata:map[after:map[tier:gold] before:map[]] name:map[after:Acme Ltd before:Acme]]" {
			t.Errorf("%s", got)
		}
		w.send("PUT", "/organizations/"+acme+"/features", `{"features":{"directory_sync":false}}`).wants(200)
		if got := fmt.Sprint(w.get("/audit?limit=1&target=" + acme).wants(200).data()[0]["changes"]); !strings.Contains(got, "directory_sync:false") || !strings.Contains(got, "directory_sync:true") {
			t.Errorf("%s", got)
		}
		oidc := w.send("POST", "/webhook_endpoints", `{"endpoint_url":"https://203.0.114.7/hook","events":["user.created"]}`).wants(201)
		rotated := w.send("POST", "/webhook_endpoints/"+oidc.text("id")+"/rotate_secret", "").wants(200)
		text := w.get("/audit?target=" + oidc.text("id")).wants(200)
		if strings.Contains(text.raw, oidc.text("secret")) || strings.Contains(text.raw, rotated.text("secret")) {
			t.Errorf("a secret is shown: %s", text.raw)
		}
		if got := fmt.Sprint(text.data()[0]["changes"]); got != "map[secret:map[after:(hidden) before:(hidden)]]" {
			t.Errorf("%s", got)
		}
	})
}

func TestAudit_of_an_organization_holds_nothing_of_others(t *testing.T) {
	onBoth(t, func(w *world) {
		acme, other := w.organization("Acme"), w.organization("Other")
		for _, id := range []string{acme, other} {
			w.feed(id, "").person("ada", "")
			w.signIn(id, "1", "ada@"+strings.ToLower(id[4:])+".test")
		}
		got := w.get("/audit?limit=100&organization_id=" + acme).wants(200)
		if len(got.data()) < 5 || strings.Contains(got.raw, other) {
			t.Errorf("%s", got.raw)
		}
		for _, id := range got.each("organization_id") {
			if id != acme {
				t.Errorf("an entry of %q", id)
			}
		}
		if text := w.export("/audit?format=csv&organization_id="+acme, "").Body.String(); strings.Contains(text, other) || !strings.Contains(text, acme) {
			t.Errorf("%s", text)
		}
	})
}

func TestAudit_names_the_exchange_that_caused_a_change(t *testing.T) {
	onBoth(t, func(w *world) {
		f := w.feed(w.organization("Acme"), "")
		person := f.person("ada", "")
		e := w.get("/audit?target=" + person).wants(200).data()[0]
		cause := e["cause"].(map[string]any)
		if cause["type"] != "exchange" || !strings.HasPrefix(cause["id"].(string), "exchange_") || e["actor"].(map[string]any)["id"] != f.id {
			t.Errorf("%v", e)
		}
		if found := w.get("/audit?actor=" + f.id).wants(200).each("target"); !slices.Contains(found, person) {
			t.Errorf("by the directory: %v", found)
		}
	})
}

func TestAudit_is_paged_and_refuses_what_makes_no_sense(t *testing.T) {
	onBoth(t, func(w *world) {
		for i := range 7 {
			w.organization(fmt.Sprintf("O%d", i))
			w.send("POST", "/event_consumers", fmt.Sprintf(`{"name":"c%d"}`, i)).wants(201)
		}
		want := w.get("/audit?limit=100").wants(200).each("id")
		var got []string
		for after := ""; ; {
			page := w.get("/audit?limit=3&after=" + url.QueryEscape(after)).wants(200)
			got = append(got, page.each("id")...)
			if after = page.text("list_metadata.after"); after == "" {
				break
			}
		}
		same(t, "pages", got, want)
		if len(want) != 14 {
			t.Errorf("%d entries", len(want))
		}
		w.get("/audit?after=event_1").refused(400, "invalid_cursor", "after")
		w.get("/audit?before="+want[0]).refused(422, "invalid_cursor", "before")
		w.get("/audit?order=up").refused(422, "invalid_order", "order")
		w.get("/audit?actions=DROP").refused(422, "invalid_action", "actions")
		w.get("/audit?actor="+strings.Repeat("x", 200)).refused(422, "too_long", "actor")
		w.get("/audit?organization_id=x").refused(422, "invalid_id", "organization_id")
		w.get("/audit?range_start=yesterday").refused(422, "invalid_date", "range_start")
		w.get("/audit?format=xml").refused(422, "invalid_format", "format")
		w.get("/audit?format=csv&limit=3").refused(422, "not_paged", "limit")
		stranger := httptest.NewRequest(http.MethodGet, "/audit?format=csv", nil)
		if got := w.serve(stranger); got.status != 401 {
			t.Errorf("a stranger: %d", got.status)
		}
	})
}

// Names come from strangers, and a table is opened by a program that reckons.
func TestExport_is_safe_to_open_in_a_spreadsheet(t *testing.T) {
	onBoth(t, func(w *world) {
		acme := w.organization("Acme")
		hostile := []string{`=HYPERLINK("http://evil.test";"x")`, "+1", "-1+1", "@SUM(A1)", "\t=1", " =1", "\r=1", "＝1", "a\"b,c\nd", "plain"}
		for i, name := range hostile {
			ad := w.signIn(acme, fmt.Sprint(i), fmt.Sprintf("p%d@acme.test", i))
			w.must(w.db.Write(w.Context(), renamed(string(ad.User.ID), name)))
		}
		got := w.export("/organizations/"+acme+"/access", "text/csv")
		if kind := got.Header().Get("Content-Type"); !strings.HasPrefix(kind, "text/csv") || !strings.Contains(got.Header().Get("Content-Disposition"), "attachment") {
			t.Errorf("%q", kind)
		}
		rows, err := csv.NewReader(got.Body).ReadAll()
		w.must(err)
		if len(rows) != len(hostile)+1 || rows[0][4] != "first_name" {
			t.Fatalf("%d rows, %v", len(rows), rows[0])
		}
		for i, row := range rows[1:] {
			cell := row[4]
			if harmless := i == 8 || i == 9; harmless == strings.HasPrefix(cell, "'") {
				t.Errorf("%q became %q", hostile[i], cell)
			}
		}
		lines := w.export("/organizations/"+acme+"/access?format=jsonl", "").Body.String()
		if n := strings.Count(lines, "\n"); n != len(hostile) {
			t.Errorf("%d lines", n)
		}
	})
}

func TestAccess_is_listed_now_and_at_a_time(t *testing.T) {
	onBoth(t, func(w *world) {
		acme, other := w.organization("Acme"), w.organization("Other")
		before := time.Now().Add(-time.Minute).UTC().Format(time.RFC3339Nano)
		ada, bob := w.signIn(acme, "1", "ada@acme.test"), w.signIn(acme, "2", "bob@acme.test")
		w.signIn(other, "1", "eve@other.test")
		between := time.Now().UTC().Format(time.RFC3339Nano)
		time.Sleep(2 * time.Millisecond)
		_, err := w.members.Deactivate(w.Context(), event.Actor{ID: "test", Source: event.API}, bob.Membership.ID)
		w.must(err)
		path := "/organizations/" + acme + "/access"
		same(t, "now", w.get(path).wants(200).each("user_id"), []string{string(ada.User.ID)})
		first := w.get(path + "?limit=1&at=" + between).wants(200)
		second := w.get(path + "?limit=1&at=" + between + "&after=" + first.text("list_metadata.after")).wants(200)
		same(t, "then", append(first.each("user_id"), second.each("user_id")...), []string{string(ada.User.ID), string(bob.User.ID)})
		if second.at("list_metadata.after") != nil {
			t.Errorf("there is more: %s", second.raw)
		}
		same(t, "before", w.get(path+"?at="+before).wants(200).each("user_id"), []string{})
		w.get(path+"?at=2200-01-01").refused(422, "invalid_date", "at")
		w.get(path+"?after=user_1").refused(400, "invalid_cursor", "after")
		w.get("/organizations/org_01JDXA5Q0G8YQZP0R3M4T7W9KE/access").refused(404, "entity_not_found", "")
		if got := w.serve(httptest.NewRequest(http.MethodGet, path, nil)); got.status != 401 {
			t.Errorf("a stranger: %d", got.status)
		}
	})
}
