package issuer_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/oidc"
)

func onPage(err error) bool {
	var page *issuer.PageError
	return errors.As(err, &page)
}

func redirected(err error) (out issuer.RedirectError) {
	var redirect *issuer.RedirectError
	if errors.As(err, &redirect) {
		return *redirect
	}
	return out
}

// RFC 9700, section 2.1: redirect URIs are compared exactly, and an unknown one is never redirected to.
func TestO01_redirect_uri_is_compared_character_by_character(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app(func(n *issuer.New) { n.SignIn = append(n.SignIn, issuer.NewURI{URI: "http://127.0.0.1:8400/cb"}) })
		if _, err := w.s.Authorize(ctx, c.request(), oidc.StyleOIDC); err != nil {
			t.Fatal(err)
		}
		other := w.app(func(n *issuer.New) { n.SignIn = []issuer.NewURI{{URI: "https://other.test/cb"}} })
		for _, uri := range []string{
			"https://app.test/callback/", "https://app.test/callbac", "https://app.test/callback?x=1", "https://app.test/callback#x", "https://app.test/callback/../evil",
			"https://app.test/Callback", "https://APP.test/callback", "https://app.test:443/callback", "https://user@app.test/callback", "https://evil.test/callback",
			"https://app.test.evil.test/callback", "http://app.test/callback", "//app.test/callback", "https://app.test/callback%2f", "http://127.0.0.1:8401/cb", "http://localhost:8400/cb",
			"https://other.test/cb", "https://app.test/bye", "",
		} {
			r := c.request()
			r.RedirectURI = uri
			if _, err := w.s.Authorize(ctx, r, oidc.StyleOIDC); !onPage(err) {
				t.Errorf("%s: %v", uri, err)
			}
			if err := w.s.Refused(ctx, r, oidc.Refuse(oidc.InvalidScope, "x")); !onPage(err) {
				t.Errorf("a refusal is redirected to %s: %v", uri, err)
			}
		}
		r := other.request()
		r.ClientID = "client_unknown"
		if _, err := w.s.Authorize(ctx, r, oidc.StyleOIDC); !onPage(err) {
			t.Errorf("an unknown client: %v", err)
		}
		w.must(w.s.Delete(ctx, c.ID))
		if _, err := w.s.Authorize(ctx, c.request(), oidc.StyleOIDC); !onPage(err) {
			t.Errorf("a deleted application: %v", err)
		}
	})
}

func TestO01_what_may_be_registered(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		native := func(n *issuer.New) { n.Public = true }
		for uri, change := range map[string]func(*issuer.New){
			"https://app.test/cb?a=b": nil, "http://localhost:3000/cb": nil, "http://127.0.0.1/cb": nil, "http://[::1]:1/cb": nil, "com.example.app:/cb": native, "com.example.app://cb": native,
		} {
			_, err := w.s.Create(ctx, newWith(uri, change))
			if err != nil {
				t.Errorf("%s: %v", uri, err)
			}
		}
		for _, uri := range []string{
			"http://app.test/cb", "http://localhost.evil.test/cb", "http://127.0.0.1.evil.test/", "javascript:alert(1)", "data:text/html,x", "https://", "https:/cb", "https:cb", "/cb", "app.test/cb",
			"https://app.test/cb#f", "https://app.test/#", "https://u:p@app.test/cb", "https://*.app.test/cb", "https://app.test/a/../b", "https://app.test/%2e%2E/b", "https://app.test/ b",
			"https://app.test/\\b", "myapp://cb", "com.example.app:/cb", "https://app.test/" + strings.Repeat("x", 2048), "http://0.0.0.0/cb", "file:///etc/passwd", "https://app.test/cb\n",
		} {
			if _, err := w.s.Create(ctx, newWith(uri, nil)); !fault.Is(err, fault.Unprocessable) {
				t.Errorf("%q: %v", uri, err)
			}
		}
		if _, err := w.s.Create(ctx, newWith("myapp://cb", native)); !fault.Is(err, fault.Unprocessable) {
			t.Errorf("a scheme without a dot, which is nobody's: %v", err)
		}
	})
}

func newWith(uri string, change func(*issuer.New)) issuer.New {
	n := issuer.New{Name: "App", FirstParty: true, SignIn: []issuer.NewURI{{URI: uri}}}
	if change != nil {
		change(&n)
	}
	return n
}

func TestAuthorize_tells_the_application_what_is_wrong_with_issuer_and_state(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		told := redirected(w.s.Refused(ctx, c.request(), oidc.Refuse(oidc.InvalidScope, "No such scope.")))
		if told.Code != oidc.InvalidScope || told.State != "st-1" || told.Issuer != home {
			t.Fatalf("%+v", told)
		}
		location, err := told.Location()
		if err != nil || !strings.HasPrefix(location, callback+"?") || !strings.Contains(location, "error=invalid_scope") || !strings.Contains(location, "iss=https%3A%2F%2Fsso.example.com") || !strings.Contains(location, "state=st-1") {
			t.Errorf("%s %v", location, err)
		}
	})
}

// RFC 9700, section 2.1.1; RFC 7636.
func TestO02_pkce_is_needed_where_it_protects(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		secret, public := w.app(), w.app(func(n *issuer.New) { n.Public = true })
		demanding := w.app(func(n *issuer.New) { n.UsesPKCE = true })
		for name, one := range map[string]struct {
			c     client
			style oidc.Style
			free  bool
		}{
			"standard": {secret, oidc.StyleOIDC, false}, "compatible with a secret": {secret, oidc.StyleSSO, true},
			"compatible and public": {public, oidc.StyleSSO, false}, "compatible and registered with PKCE": {demanding, oidc.StyleSSO, false},
		} {
			r := one.c.request()
			r.Challenge = ""
			_, err := w.s.Authorize(ctx, r, one.style)
			if one.free && err != nil || !one.free && redirected(err).Code != oidc.InvalidRequest {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestO02_verifier_has_to_fit_the_challenge(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		in := w.signIn(c)
		for _, other := range []string{"", strings.Repeat("x", 43), verifier[:42], oidc.Challenge(verifier), verifier + "x"} {
			r := c.redeem(in.code)
			r.Verifier = other
			_, err := w.s.Token(ctx, r, oidc.StyleOIDC)
			w.wantRefused(err, oidc.InvalidGrant, "verifier "+other)
		}
		if w.token(c.redeem(in.code)).IDToken == "" {
			t.Error("no ID token")
		}
		w.profile["prof_1"] = issuer.Profile{ID: "prof_1", OrganizationID: "org_1", JSON: []byte(`{}`)}
		r := c.request()
		r.Challenge = ""
		bare := w.arrive(c, r, oidc.StyleSSO, issuer.Grant{OrganizationID: "org_1", ProfileID: "prof_1"})
		downgraded := c.redeem(bare.code)
		_, err := w.s.Token(ctx, downgraded, oidc.StyleSSO)
		w.wantRefused(err, oidc.InvalidGrant, "a verifier for a code without challenge")
	})
}

func TestAuthorization_comes_back_only_in_its_browser_and_its_hour(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		a, err := w.s.Authorize(ctx, c.request(), oidc.StyleOIDC)
		w.must(err)
		sealed := w.s.SealAuthorization(a, browser)
		if strings.ContainsAny(sealed, "+/ =&?#%") {
			t.Errorf("%s cannot stand in an address", sealed)
		}
		back, err := w.s.OpenAuthorization(sealed, browser)
		if err != nil || back.ApplicationID != c.ID || back.Request.State != "st-1" || back.Request.Challenge != a.Request.Challenge {
			t.Fatalf("%+v %v", back, err)
		}
		changed := []byte(sealed)
		changed[len(changed)/2] ^= 1
		for name, try := range map[string]struct {
			text    string
			browser string
		}{"another browser": {sealed, "other"}, "no browser": {w.s.SealAuthorization(a, ""), ""}, "changed": {string(changed), string(browser)}, "nothing": {"", string(browser)}} {
			if _, err := w.s.OpenAuthorization(try.text, hash(try.browser)); !onPage(err) || faultCode(err) != "state_lost" {
				t.Errorf("%s: %v", name, err)
			}
		}
		w.later(61 * time.Minute)
		if _, err := w.s.OpenAuthorization(sealed, browser); faultCode(err) != "state_lost" {
			t.Errorf("after an hour: %v", err)
		}
	})
}

func TestCode_is_not_given_for_an_address_or_application_that_went_meanwhile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for name, change := range map[string]func(c client){
			"address": func(c client) {
				_, err := w.s.Update(ctx, c.ID, issuer.Change{SignIn: &[]issuer.NewURI{}})
				w.must(err)
			},
			"application": func(c client) { w.must(w.s.Delete(ctx, c.ID)) },
		} {
			c := w.app()
			a, err := w.s.Authorize(ctx, c.request(), oidc.StyleOIDC)
			w.must(err)
			change(c)
			var write db.Write
			_, err = w.s.CodeInto(&write, a, issuer.Grant{OrganizationID: "org_1", ProfileID: "prof_1", AuthenticatedAt: w.now()})
			w.must(err)
			var lost *db.GuardError
			if err := w.db.Write(ctx, &write); !errors.As(err, &lost) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// A parameter that names another organization than the application's, or than the one signed in at, leads nowhere.
func TestO14_organization_of_somebody_else(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme, err := w.organizations.Create(ctx, operator(), orgNew("Acme"))
		w.must(err)
		c := w.app(func(n *issuer.New) { n.FirstParty, n.OrganizationID = false, string(acme.ID) })
		r := c.request()
		a, err := w.s.Authorize(ctx, r, oidc.StyleOIDC)
		if err != nil || a.Request.Organization != string(acme.ID) {
			t.Fatalf("the application is of one organization, so the sign-in is: %q %v", a.Request.Organization, err)
		}
		r.Organization = "org_other"
		if _, err := w.s.Authorize(ctx, r, oidc.StyleOIDC); redirected(err).Code != oidc.AccessDenied {
			t.Errorf("%v", err)
		}
		var write db.Write
		if _, err := w.s.CodeInto(&write, a, issuer.Grant{OrganizationID: "org_other", ProfileID: "prof_1"}); redirected(err).Code != oidc.AccessDenied || write.Len() != 0 {
			t.Errorf("a sign-in at another organization got a code: %v", err)
		}
		if _, err := w.s.Create(ctx, issuer.New{Name: "X", OrganizationID: "org_none"}); !fault.Is(err, fault.NotFound) {
			t.Errorf("an organization that is not there: %v", err)
		}
	})
}

func TestO14_code_of_another_connection_than_was_asked_for_is_refused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.app().request()
		r.Connection = "conn_1"
		a, err := w.s.Authorize(ctx, r, oidc.StyleOIDC)
		w.must(err)
		var write db.Write
		if _, err := w.s.CodeInto(&write, a, issuer.Grant{ConnectionID: "conn_2", ProfileID: "prof_1"}); redirected(err).Code != oidc.AccessDenied || write.Len() != 0 {
			t.Errorf("a sign-in through another connection got a code: %v", err)
		}
		if _, err := w.s.CodeInto(&write, a, issuer.Grant{ConnectionID: "conn_1", ProfileID: "prof_1"}); err != nil {
			t.Errorf("the connection that was asked for: %v", err)
		}
	})
}

func TestScope_is_what_the_application_is_registered_for(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app(func(n *issuer.New) { n.Scopes = []string{"openid", "email"} })
		in := w.signIn(c, func(r *oidc.AuthorizationRequest) { r.Scope = append(r.Scope, "admin") })
		answer := w.token(c.redeem(in.code))
		if strings.Join(answer.Scope, " ") != "openid email" || answer.RefreshToken != "" {
			t.Errorf("%v, refresh token %t", answer.Scope, answer.RefreshToken != "")
		}
		claims := w.idToken(w.s, answer.IDToken)
		if claims["email"] != "ada@acme.test" || claims["name"] != nil || claims["groups"] != nil || claims["roles"] != nil {
			t.Errorf("%v", claims)
		}
	})
}

func TestUserManagement_is_refused_where_the_app_keeps_the_accounts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		w.s.SetAccounts(nil)
		if _, err := w.s.Authorize(ctx, c.request(), oidc.StyleUserManagement); redirected(err).Code != oidc.UnauthorizedClient {
			t.Error(err)
		}
		_, err := w.s.Token(ctx, c.redeem("x"), oidc.StyleUserManagement)
		w.wantRefused(err, oidc.UnauthorizedClient, "token")
	})
}
