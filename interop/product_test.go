//go:build interop

package interop_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Full sign-ins through the built program: an application asks Rollcall, Rollcall asks the identity provider, the person types a
// password there, and the application holds the code's tokens against what the identity provider knows.

// throughSAML makes a connection, has start tell the provider of it, gives Rollcall the provider's metadata and signs in.
func throughSAML(t *testing.T, r rollcall, domain, kind string, options map[string]any, who map[string]string, start func(app samlApp) samlProvider) connection {
	t.Helper()
	c := r.draft(t, domain, kind)
	if c.acs == "" || c.entityID == "" {
		t.Fatalf("the API does not say what the provider has to know: %+v", c)
	}
	if strings.Contains(c.acs, "_") || strings.Contains(c.entityID, "_") {
		t.Errorf("an underscore in %s or %s, which some providers do not take", c.acs, c.entityID)
	}
	if options != nil {
		r.update(t, c, map[string]any{"options": options})
	}
	idp := start(samlApp{
		Name: "rollcall", EntityID: c.entityID, ACS: c.acs, SignResponse: true, SignAssertion: true, Metadata: string(fetch(t, c.metadata)),
	})
	r.update(t, c, map[string]any{"metadata_xml": string(fetch(t, idp.Metadata))})
	signsIn(t, r, c, idp.SignIn, who)
	return c
}

// throughOIDC is the same for a provider of OpenID Connect.
func throughOIDC(t *testing.T, r rollcall, domain string, start func(client oidcApp) oidcProvider) connection {
	t.Helper()
	c := r.draft(t, domain, "GenericOIDC")
	client := standInClient()
	if client.RedirectURI = c.redirectURI; client.RedirectURI == "" {
		t.Fatal("the API does not say where the provider has to send people")
	}
	provider := start(client)
	r.update(t, c, map[string]any{"issuer": provider.Issuer, "client_id": client.ID, "client_secret": client.Secret})
	signsIn(t, r, c, provider.SignIn, map[string]string{"email": provider.Who["email"]})
	return c
}

func signsIn(t *testing.T, r rollcall, c connection, signIn, who map[string]string) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Logf("the connection's attempts: %s", r.attempts(t, c))
		}
	}()
	client := r.application(t, "https://rp.example/"+c.id, nil)
	provider := r.asProvider(c, signIn, who)
	provider.provesItself(t, client)
	r.isActive(t, c)
}

func TestPeople_sign_in_through_SimpleSAMLphp(t *testing.T) {
	r := startRollcall(t)
	throughSAML(t, r, "acme.example", "SimpleSamlPhpSAML", map[string]any{"sign_requests": true}, map[string]string{
		"email": "alice@acme.example", "given_name": "Alice", "family_name": "Ångström",
	}, func(app samlApp) samlProvider {
		app.Signing = certificateOf(t, app.Metadata)
		return startSimpleSAMLphp(t, []samlApp{app})
	})
}

func TestPeople_sign_in_through_LemonLDAP(t *testing.T) {
	r := startRollcall(t)
	who := map[string]string{"email": "dwho@badwolf.org", "name": "Doctor Who"}
	t.Run("SAML", func(t *testing.T) {
		throughSAML(t, r, "badwolf.org", "GenericSAML", nil, who, func(app samlApp) samlProvider {
			idp, _ := startLemonLDAP(t, []samlApp{app}, standInClient())
			return idp
		})
	})
	t.Run("OpenID_Connect", func(t *testing.T) {
		throughOIDC(t, startRollcall(t), "badwolf.org", func(client oidcApp) oidcProvider {
			_, provider := startLemonLDAP(t, nil, client)
			return provider
		})
	})
}

func TestPeople_sign_in_through_Keycloak(t *testing.T) {
	r := startRollcall(t)
	who := map[string]string{"email": "ada@acme.example", "given_name": "Ada", "family_name": "Lovelace"}
	c := r.draft(t, "acme.example", "GenericOIDC")
	client := standInClient()
	client.RedirectURI = c.redirectURI
	var provider oidcProvider
	throughSAML(t, startRollcall(t), "acme.example", "KeycloakSAML", map[string]any{"sign_requests": true, "require_encrypted": true}, who, func(app samlApp) samlProvider {
		app.Signing = certificateOf(t, app.Metadata)
		app.Encrypt, app.Certificate = true, app.Signing
		var idp samlProvider
		idp, provider = startKeycloak(t, []samlApp{app}, client)
		return idp
	})
	r.update(t, c, map[string]any{"issuer": provider.Issuer, "client_id": client.ID, "client_secret": client.Secret})
	signsIn(t, r, c, provider.SignIn, who)
}

func TestPeople_sign_in_through_oidc_provider(t *testing.T) {
	throughOIDC(t, startRollcall(t), "acme.example", func(client oidcApp) oidcProvider { return startOidcProvider(t, client) })
}

func TestPeople_sign_in_through_Dex(t *testing.T) {
	throughOIDC(t, startRollcall(t), "acme.example", func(client oidcApp) oidcProvider { return startDex(t, client) })
}

// ready is an installation with a connection to oidc-provider, through which anybody at acme.example signs in.
func ready(t *testing.T) (rollcall, connection, oidcProvider) {
	t.Helper()
	r := startRollcall(t)
	c := r.draft(t, "acme.example", "GenericOIDC")
	client := standInClient()
	client.RedirectURI = c.redirectURI
	provider := startOidcProvider(t, client)
	r.update(t, c, map[string]any{"issuer": provider.Issuer, "client_id": client.ID, "client_secret": client.Secret})
	return r, c, provider
}

func TestOpenidClient_uses_Rollcall_for_all_it_offers(t *testing.T) {
	r, c, provider := ready(t)
	client := r.application(t, localClient(t).RedirectURI, map[string]any{"scopes": []string{"openid", "profile", "email", "offline_access"}})
	t.Setenv("PEER_FULL", "yes")
	app := startOpenidClient(t, r.url, client, map[string]string{"connection": c.id})
	b := newBrowser(t, provider.SignIn)
	got := app.learned(t, b, client)
	claims := got["claims"].(map[string]any)
	holds(t, claims, provider.Who["email"], c)
	if active := got["introspection"].(map[string]any)["active"]; active != true {
		t.Errorf("introspection of a fresh token says %v", active)
	}
	if got["refreshed"] != claims["sub"] {
		t.Errorf("after a refresh it is %v, want %v", got["refreshed"], claims["sub"])
	}
	if after := got["afterRevocation"].(map[string]any)["active"]; after != false {
		t.Errorf("introspection of a revoked token says %v", after)
	}
	if end, _ := got["endSession"].(string); !strings.HasPrefix(end, r.url+"/oauth2/logout?") {
		t.Errorf("signing out begins at %q", end)
	} else if shown := b.page(t, end); shown.status != http.StatusOK {
		t.Errorf("signing out ends in %d: %.500s", shown.status, shown.body)
	}
}

// holds checks the claims that every application gets of somebody who came through oidc-provider.
func holds(t *testing.T, claims map[string]any, email string, c connection) {
	t.Helper()
	want := map[string]any{"email": email, "email_verified": true, "org_id": c.organization, "connection_id": c.id, "given_name": "Grace", "family_name": "Hopper"}
	for name, value := range want {
		if claims[name] != value {
			t.Errorf("claim %s is %v, want %v", name, claims[name], value)
		}
	}
	if sub, _ := claims["sub"].(string); sub == "" {
		t.Errorf("no subject in %v", claims)
	}
}

func TestAuthlib_signs_people_in_at_Rollcall(t *testing.T) {
	r, c, provider := ready(t)
	client := r.application(t, localClient(t).RedirectURI, nil)
	client.Method = "client_secret_post"
	app := startAuthlib(t, r.url, client, map[string]string{"organization": c.organization})
	holds(t, app.signsIn(t, newBrowser(t, provider.SignIn), client), provider.Who["email"], c)
}

func TestModAuthOpenidc_signs_people_in_at_Rollcall_and_out_when_Rollcall_says_so(t *testing.T) {
	r, c, provider := ready(t)
	local := localClient(t)
	client := r.application(t, local.RedirectURI, map[string]any{"backchannel_logout_uri": local.RedirectURI + "?logout=backchannel"})
	app := startModAuthOpenidc(t, r.url, client, map[string]string{"connection": c.id})
	b := newBrowser(t, provider.SignIn)
	claims := app.signsIn(t, b, client)
	holds(t, claims, provider.Who["email"], c)
	if shown := b.page(t, app.start); shown.status != http.StatusOK || shown.body != "Signed in." {
		t.Fatalf("the protected page answers %d: %.500s", shown.status, shown.body)
	}
	r.call(t, http.MethodDelete, "/connections/"+c.id, nil) // ends every session that began through it
	deadline := time.Now().Add(20 * time.Second)
	for {
		shown, err := b.open(arrival{URL: parsed(t, app.start)})
		must(t, err)
		if shown.location != nil {
			if !strings.HasPrefix(shown.location.String(), r.url+"/oauth2/authorize?") {
				t.Errorf("sent to %s", shown.location)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still signed in (%d) after the session was ended", shown.status)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func TestWorkOS_SDK_signs_people_in_at_Rollcall(t *testing.T) {
	r, c, provider := ready(t)
	for name, selector := range map[string]map[string]string{"connection": {"connection": c.id}, "organization": {"organization": c.organization}} {
		t.Run(name, func(t *testing.T) {
			client := localClient(t)
			client.ID, client.Secret = r.clientID, managementKey
			r.call(t, http.MethodPost, "/user_management/redirect_uris", map[string]any{"uri": client.RedirectURI})
			app := startWorkOS(t, r.url, client, selector)
			got := app.learned(t, newBrowser(t, provider.SignIn), client)
			profile := got["profile"].(map[string]any)
			for field, want := range map[string]any{
				"email": provider.Who["email"], "firstName": "Grace", "lastName": "Hopper", "idpId": provider.Who["sub"],
				"connectionId": c.id, "organizationId": c.organization, "connectionType": "GenericOIDC",
			} {
				if profile[field] != want {
					t.Errorf("%s is %v, want %v", field, profile[field], want)
				}
			}
			if again, is := got["again"].(map[string]any); !is || !maps.Equal(flat(again), flat(profile)) {
				t.Errorf("asked again, the profile is %v, was %v", got["again"], profile)
			}
			if got["state"] != "workos-state" {
				t.Errorf("state came back as %v", got["state"])
			}
		})
	}
}

// flat keeps what can be compared.
func flat(object map[string]any) map[string]string {
	out := make(map[string]string)
	for name, value := range object {
		if text, is := value.(string); is {
			out[name] = text
		}
	}
	return out
}
