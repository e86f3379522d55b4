package api

import (
	"net/http"
	"testing"
)

const usersPath = "/user_management/users"

func (w *world) user(email string) reply {
	w.Helper()
	return w.send("POST", usersPath, `{"email":"`+email+`"}`).wants(http.StatusCreated)
}

func TestUser_is_made_changed_and_deleted(t *testing.T) {
	onBoth(t, func(w *world) {
		var made reply
		types := w.typesAfter(func() {
			made = w.send("POST", usersPath, `{"email":"Ada@Example.com","first_name":"Ada","last_name":null,"email_verified":true,"external_id":"42",
				"metadata":{"plan":"pro","gone":null},"password":null,"password_hash":null,"ip_address":null,"signals_id":"x"}`).wants(http.StatusCreated)
		})
		same(t, "events", types, []string{"user.created"})
		id := made.text("id")
		if made.text("email") != "Ada@Example.com" || made.at("email_verified") != true || made.text("name") != "Ada" || made.text("metadata.plan") != "pro" ||
			made.at("metadata.gone") != nil || made.text("external_id") != "42" || made.at("last_sign_in_at") != nil {
			t.Errorf("%s", made.raw)
		}
		if by := w.get(usersPath + "/external_id/42").wants(http.StatusOK); by.text("id") != id {
			t.Errorf("%s", by.raw)
		}
		types = w.typesAfter(func() {
			got := w.send("PUT", usersPath+"/"+id, `{"last_name":"Lovelace","metadata":{"plan":null,"seat":"7"},"locale":"en-GB","first_name":null}`).wants(http.StatusOK)
			if got.text("name") != "Ada Lovelace" || got.at("metadata.plan") != nil || got.text("metadata.seat") != "7" || got.text("locale") != "en-GB" || got.text("external_id") != "42" {
				t.Errorf("%s", got.raw)
			}
			w.send("PUT", usersPath+"/"+id, `{"last_name":"Lovelace"}`).wants(http.StatusOK) // changes nothing
		})
		same(t, "events", types, []string{"user.updated"})
		got := w.send("PUT", usersPath+"/"+id, `{"email":"ada@other.example","external_id":null,"locale":null,"name":"Grace Brewster Hopper"}`).wants(http.StatusOK)
		if got.at("email_verified") != false || got.at("external_id") != nil || got.at("locale") != nil || got.text("first_name") != "Grace" || got.text("last_name") != "Brewster Hopper" {
			t.Errorf("%s", got.raw)
		}
		types = w.typesAfter(func() {
			if gone := w.send("DELETE", usersPath+"/"+id, "").wants(http.StatusOK); gone.raw != "" {
				t.Errorf("%s", gone.raw)
			}
		})
		same(t, "events", types, []string{"user.deleted"})
		for _, r := range []reply{w.get(usersPath + "/" + id), w.send("PUT", usersPath+"/"+id, `{}`), w.send("DELETE", usersPath+"/"+id, ""), w.get(usersPath + "/external_id/42")} {
			r.refused(http.StatusNotFound, "entity_not_found", "")
		}
	})
}

func TestUser_that_cannot_be_is_refused_in_the_contracts_words(t *testing.T) {
	onBoth(t, func(w *world) {
		w.send("POST", usersPath, `{"email":"ada@example.com","external_id":"42"}`).wants(http.StatusCreated)
		other := w.user("bob@example.com").text("id")
		detail := func(r reply) string {
			return r.object["errors"].([]any)[0].(map[string]any)["code"].(string)
		}
		for body, want := range map[string]string{
			`{"email":"ADA@example.com"}`:                     "email_not_available",
			`{"email":"nobody"}`:                              "invalid_email",
			`{"email":"carl@example.com","external_id":"42"}`: "external_id_already_used",
		} {
			got := w.send("POST", usersPath, body)
			if got.status != http.StatusBadRequest || got.text("code") != "user_creation_error" || detail(got) != want {
				t.Errorf("%s: %d %s", body, got.status, got.raw)
			}
		}
		for body, want := range map[string]string{
			`{"email":"ada@example.com"}`: "email_not_available", `{"email":"nobody"}`: "invalid_email", `{"external_id":"42"}`: "external_id_already_used",
			`{"metadata":{"":"x"}}`: "invalid_metadata", `{"locale":"` + long(100) + `"}`: "invalid_locale",
		} {
			if got := w.send("PUT", usersPath+"/"+other, body); got.status != http.StatusBadRequest || got.text("code") != want {
				t.Errorf("%s: %d %s", body, got.status, got.raw)
			}
		}
		for body, field := range map[string]string{
			`{}`: "email", `{"email":null}`: "email", `{"email":1}`: "email", `{"email":"x@example.com","password":"secret"}`: "password",
			`{"email":"x@example.com","password_hash":"$2b$"}`: "password_hash", `{"email":"x@example.com","external_id":5}`: "external_id",
			`{"email":"x@example.com","first_name":"\u0000"}`: "first_name",
		} {
			w.send("POST", usersPath, body).refused(http.StatusUnprocessableEntity, "invalid_request_parameters", field)
		}
		w.send("PUT", usersPath+"/"+other, `{"password":"secret"}`).refused(http.StatusUnprocessableEntity, "invalid_request_parameters", "password")
		w.get(usersPath+"/external_id/%00").refused(http.StatusNotFound, "entity_not_found", "")
	})
}

func long(n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = 'x'
	}
	return string(out)
}

func TestUsers_are_listed_by_address_and_organization(t *testing.T) {
	onBoth(t, func(w *world) {
		acme := w.organization("Acme")
		in := w.signIn(acme, "1", "one@example.com")
		ada, bob := w.user("ada@example.com").text("id"), w.user("bob@example.com").text("id")
		for query, want := range map[string][]string{
			"":                         {bob, ada, string(in.User.ID)},
			"?email=ADA@example.com":   {ada},
			"?email=nobody":            {},
			"?organization_id=" + acme: {string(in.User.ID)},
			"?organization=" + acme:    {string(in.User.ID)},
			"?order=asc&limit=2":       {string(in.User.ID), ada},
			"?limit=1&after=" + bob:    {ada},
			"?organization_id=" + acme + "&email=ada@example.com": {},
		} {
			same(t, query, w.get(usersPath+query).wants(http.StatusOK).each("id"), want)
		}
		w.get(usersPath+"?organization_id=nothing").refused(http.StatusUnprocessableEntity, "invalid_request_parameters", "organization_id")
	})
}

func TestMembership_is_made_by_hand_and_comes_back_as_it_was(t *testing.T) {
	onBoth(t, func(w *world) {
		acme, ada := w.organization("Acme"), w.user("ada@example.com").text("id")
		w.role("admin")
		body := `{"user_id":"` + ada + `","organization_id":"` + acme + `","role_slug":"admin","role_slugs":null}`
		var made reply
		types := w.typesAfter(func() { made = w.send("POST", membershipPath, body).wants(http.StatusCreated) })
		same(t, "events", types, []string{"organization_membership.created"})
		path := membershipPath + "/" + made.text("id")
		if made.text("status") != "active" || made.text("role.slug") != "admin" || made.text("why") != "api" || made.at("primary") != false || made.text("user.email") != "ada@example.com" || made.at("joined_at") == nil {
			t.Errorf("%s", made.raw)
		}
		w.send("POST", membershipPath, body).refused(http.StatusBadRequest, "user_already_organization_member", "user_id")
		w.send("PUT", path+"/deactivate", "").wants(http.StatusOK)
		bare := `{"user_id":"` + ada + `","organization_id":"` + acme + `"}`
		if back := w.send("POST", membershipPath, bare).wants(http.StatusCreated); back.text("id") != made.text("id") || back.text("status") != "active" || back.text("role.slug") != "admin" {
			t.Errorf("%s", back.raw)
		}
		w.send("DELETE", path, "").wants(http.StatusOK)
		if back := w.send("POST", membershipPath, bare).wants(http.StatusCreated); back.text("status") != "active" {
			t.Errorf("%s", back.raw)
		}
	})
}

// role makes one of the installation.
func (w *world) role(slug string) {
	w.Helper()
	w.exec(`INSERT INTO roles (id, organization_id, slug, name, permissions, priority, created_at, updated_at) VALUES ($1, '', $2, $2, '[]', 5, 1700000000000000, 1700000000000000)`,
		"role_"+slug, slug)
}

func TestMembership_has_one_role_that_there_is(t *testing.T) {
	onBoth(t, func(w *world) {
		acme, ada := w.organization("Acme"), w.user("ada@example.com").text("id")
		w.role("admin")
		with := func(more string) reply {
			return w.send("POST", membershipPath, `{"user_id":"`+ada+`","organization_id":"`+acme+`"`+more+`}`)
		}
		with(`,"role_slug":"nothing"`).refused(http.StatusUnprocessableEntity, "invalid_role", "role_slug")
		with(`,"role_slugs":["admin","member"]`).refused(http.StatusUnprocessableEntity, "multiple_roles_not_enabled", "role_slugs")
		with(`,"role_slug":"admin","role_slugs":["admin"]`).refused(http.StatusUnprocessableEntity, "invalid_request_parameters", "role_slugs")
		with(`,"role_slugs":[]`).refused(http.StatusUnprocessableEntity, "invalid_request_parameters", "role_slugs")
		with(`,"licence":"nothing"`).refused(http.StatusUnprocessableEntity, "invalid_request_parameters", "licence")
		path := membershipPath + "/" + with(`,"role_slugs":["admin"]`).wants(http.StatusCreated).text("id")
		types := w.typesAfter(func() {
			if got := w.send("PUT", path, `{"role_slug":"member"}`).wants(http.StatusOK); got.text("role.slug") != "member" || got.at("roles").([]any)[0].(map[string]any)["slug"] != "member" {
				t.Errorf("%s", got.raw)
			}
			w.send("PUT", path, `{"role_slug":"member"}`).wants(http.StatusOK)
			w.send("PUT", path, `{}`).wants(http.StatusOK)
		})
		same(t, "events", types, []string{"organization_membership.updated"})
		w.send("PUT", path, `{"role_slug":"nothing"}`).refused(http.StatusUnprocessableEntity, "invalid_role", "role_slug")
		for body, status := range map[string]int{
			`{}`: 422, `{"user_id":"` + ada + `"}`: 422, `{"user_id":"x","organization_id":"` + acme + `"}`: 404,
			`{"user_id":"` + ada + `","organization_id":"org_01JZ0000000000000000000000"}`:   404,
			`{"user_id":"user_01JZ0000000000000000000000","organization_id":"` + acme + `"}`: 404,
		} {
			if got := w.send("POST", membershipPath, body); got.status != status {
				t.Errorf("%s: %d %s", body, got.status, got.raw)
			}
		}
	})
}
