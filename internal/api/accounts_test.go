package api

import (
	"net/http"
	"strings"
	"testing"
)

func TestUser_is_shown_and_whom_the_providers_know_it_as(t *testing.T) {
	onBoth(t, func(w *world) {
		acme := w.organization("Acme")
		in := w.signIn(acme, "idp-1", "one@example.com")
		id := string(in.User.ID)
		got := w.get(userPath + id).wants(http.StatusOK)
		if got.text("email") != "one@example.com" || got.text("last_name") != "O'Hara <c>" || got.at("metadata") == nil || got.at("external_id") != nil {
			t.Errorf("%s", got.raw)
		}
		if social := w.get(userPath + id + "/identities").wants(http.StatusOK); social.raw != "[]" {
			t.Errorf("%s", social.raw)
		}
		sso := w.get(userPath + id + "/sso_identities").wants(http.StatusOK)
		if one := sso.array[0]; len(sso.array) != 1 || one["idp_id"] != "idp-1" || one["organization_id"] != acme || one["linked_by"] != "created" {
			t.Errorf("%s", sso.raw)
		}
		for _, path := range []string{"", "/identities", "/sso_identities"} {
			for _, id := range []string{"nobody", "user_01JZ0000000000000000000000", acme, "user_%00"} {
				w.get(userPath+id+path).refused(http.StatusNotFound, "entity_not_found", "")
			}
		}
		if !strings.Contains(w.get("/openapi.json").raw, `"/user_management/users/{id}/sso_identities"`) {
			t.Error("not described")
		}
	})
}
