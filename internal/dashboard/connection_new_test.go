package dashboard_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/sso"
)

func TestConnection_is_added_by_choosing_a_provider_and_says_what_it_lacks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme, beta := w.organization("Acme"), w.organization("Beta")
		b := w.as(operator.Admin)
		path := at(acme, "connections", "new")
		if body := b.get(at(acme)).want(t, http.StatusOK).says(t, "Add connection").body; !strings.Contains(body, `href="`+path+`"`) {
			t.Error("the organization's page does not lead there")
		}
		b.get(path).want(t, http.StatusOK).says(t, "Okta · SAML 2.0", "Okta · OpenID Connect", "Make the connection")
		for _, wrong := range []string{"", "okta", "nobody/saml", "okta/scim", "rippling/scim", hostile} {
			b.send(path, "provider", wrong).want(t, http.StatusUnprocessableEntity).says(t, "Choose an identity provider").harmless(t)
		}
		b.send(path, "provider", "okta/saml", "name", strings.Repeat("x", 300)).want(t, http.StatusUnprocessableEntity)

		page := b.get(b.send(path, "provider", "okta/saml", "name", "").location(t)).want(t, http.StatusOK).says(t, "Connection made", "Draft", "/acs", "Still missing")
		w.byOperator(t, "connection.created")
		b.get(b.send(path, "provider", "keycloak/oidc", "name", "Staff").location(t)).want(t, http.StatusOK).says(t, "Staff", "Redirect URI")
		found, _, err := w.conns.List(ctx, sso.ListQuery{OrganizationID: string(acme.ID), Limit: 5})
		if err != nil || len(found) != 2 {
			t.Fatalf("%+v %v", found, err)
		}
		if found[1].Name != "Okta" || found[1].Type != "OktaSAML" || found[1].State != sso.Draft || found[0].Name != "Staff" || found[0].Protocol != sso.OIDC {
			t.Errorf("%+v", found)
		}
		page.harmless(t)
		if none, _, err := w.conns.List(ctx, sso.ListQuery{OrganizationID: string(beta.ID), Limit: 5}); err != nil || len(none) != 0 {
			t.Errorf("the other organization has %d, %v", len(none), err)
		}

		looking := w.as(operator.ReadOnly)
		if body := looking.get(at(acme)).want(t, http.StatusOK).body; strings.Contains(body, path) {
			t.Error("who may only look is shown the way")
		}
		looking.get(path).want(t, http.StatusForbidden)
		looking.send(path, "provider", "okta/saml").want(t, http.StatusForbidden)
		b.get(strings.Replace(path, string(acme.ID), "org_01ARZ3NDEKTSV4RRFFQ69G5FAV", 1)).want(t, http.StatusNotFound)
	})
}

func TestConnection_of_an_organization_without_the_feature_is_not_made(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme := w.organization("Acme")
		b := w.as(operator.Admin)
		b.send(at(acme, "features"), "directory_sync", "on").location(t)
		b.send(at(acme, "connections", "new"), "provider", "okta/saml").want(t, http.StatusForbidden).says(t, "sso is switched off")
	})
}
