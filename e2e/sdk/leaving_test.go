package sdk_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// certainty is an app that keeps the tokens of one sign-in, as the guide's chapter on staying signed in describes it.
type certainty struct {
	issuer     string
	config     oauth2.Config
	tokens     *oauth2.Token
	introspect string
	claims     map[string]any
	userInfo   map[string]any
}

// signedIn signs ada in to an application of the demo and asks for a refresh token too.
func signedIn(t *testing.T, d demonstration) *certainty {
	t.Helper()
	app := freeApp(t)
	id, secret := d.registered(t, app)
	provider, err := oidc.NewProvider(t.Context(), d.url)
	must(t, err)
	c := &certainty{issuer: d.url, config: oauth2.Config{
		ClientID: id, ClientSecret: secret, Endpoint: provider.Endpoint(), RedirectURL: app + "/callback",
		Scopes: []string{oidc.ScopeOpenID, "profile", "email", "groups", oidc.ScopeOfflineAccess},
	}}
	var more struct {
		Introspect string `json:"introspection_endpoint"`
	}
	must(t, provider.Claims(&more))
	c.introspect = more.Introspect
	verifier := oauth2.GenerateVerifier()
	back, err := ada().walk(c.config.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier)), app+"/callback?")
	must(t, err)
	c.tokens, err = c.config.Exchange(t.Context(), back.at.Query().Get("code"), oauth2.VerifierOption(verifier))
	must(t, err)
	raw, _ := c.tokens.Extra("id_token").(string)
	verified, err := provider.Verifier(&oidc.Config{ClientID: id}).Verify(t.Context(), raw)
	must(t, err)
	must(t, verified.Claims(&c.claims))
	info, err := provider.UserInfo(t.Context(), oauth2.StaticTokenSource(c.tokens))
	must(t, err)
	must(t, info.Claims(&c.userInfo))
	return c
}

// active asks for a token what introspection says of it.
func (c *certainty) active(t *testing.T, token string) bool {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.introspect, strings.NewReader(url.Values{"token": {token}}.Encode()))
	must(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(url.QueryEscape(c.config.ClientID), url.QueryEscape(c.config.ClientSecret))
	answer, err := http.DefaultClient.Do(request)
	must(t, err)
	defer func() { _ = answer.Body.Close() }()
	var said struct {
		Active *bool `json:"active"`
	}
	text, err := io.ReadAll(answer.Body)
	must(t, err)
	if err := json.Unmarshal(text, &said); err != nil || said.Active == nil {
		t.Fatalf("introspection answers %d %s", answer.StatusCode, text)
	}
	return *said.Active
}

// refresh uses the refresh token.
func (c *certainty) refresh(ctx context.Context) error {
	old := *c.tokens
	old.AccessToken = ""
	fresh, err := c.config.TokenSource(ctx, &old).Token()
	if err == nil {
		c.tokens = fresh
	}
	return err
}

func TestGuide_says_who_it_is(t *testing.T) {
	d := startDemo(t)
	c := signedIn(t, d)
	for _, name := range []string{
		"sub", "org_id", "email", "email_verified", "given_name", "family_name", "name", "groups", "connection_id", "sid", "auth_time",
	} {
		if c.claims[name] == nil {
			t.Errorf("the ID token lacks %s: %v", name, c.claims)
		}
	}
	for _, name := range []string{"sub", "org_id", "email", "email_verified", "given_name", "family_name", "name", "groups", "connection_id"} {
		if got, want := c.userInfo[name], c.claims[name]; got == nil || toText(t, got) != toText(t, want) {
			t.Errorf("userinfo says %s is %v, the ID token %v", name, got, want)
		}
	}
	if sub, _ := c.claims["sub"].(string); !strings.HasPrefix(sub, "user_") {
		t.Errorf("sub is %v", c.claims["sub"])
	}
}

func toText(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	must(t, err)
	return string(text)
}

// TestGuide_says_what_happens_to_those_who_leave: the directory deactivates somebody who is signed in.
func TestGuide_says_what_happens_to_those_who_leave(t *testing.T) {
	d := startDemo(t)
	env := append(d.env, "SCIM="+d.scim, "TOKEN="+d.token)
	scim := `curl -sS --fail-with-body -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/scim+json' `
	person := pasted(t, env, scim+`"$SCIM/Users" -d '{"userName":"ada@acme.example","emails":[{"value":"ada@acme.example","primary":true}],"active":true}'`)
	c := signedIn(t, d)
	if !c.active(t, c.tokens.AccessToken) || !c.active(t, c.tokens.RefreshToken) {
		t.Fatal("introspection knows the tokens of somebody who is in as inactive")
	}
	must(t, c.refresh(t.Context()))

	pasted(t, env, scim+`-X PATCH "$SCIM/Users/`+member(t, person, "id")+`" -d '{"Operations":[{"op":"replace","path":"active","value":false}]}'`)
	var refused *oauth2.RetrieveError
	if err := c.refresh(t.Context()); !errors.As(err, &refused) || refused.ErrorCode != "invalid_grant" {
		t.Errorf("a refresh of somebody who has left: %v", err)
	}
	if status := c.userInfoStatus(t); status != http.StatusUnauthorized {
		t.Errorf("userinfo of somebody who has left is answered with %d", status)
	}
	if shown, err := ada().walk(d.authorization(c), c.config.RedirectURL); err != nil || shown.status != http.StatusForbidden {
		t.Errorf("somebody who has left and signs in again is shown %d %v", shown.status, err)
	}
	failed := pasted(t, d.env, `curl -sS "$ROLLCALL_URL/events?events=authentication.sso_failed" -H "Authorization: Bearer $ROLLCALL_API_KEY"`)
	if !strings.Contains(failed, `"user_deprovisioned"`) {
		t.Errorf("the refusal is not told: %s", failed)
	}
}

func TestGuide_says_what_ends_with_a_session(t *testing.T) {
	d := startDemo(t)
	c := signedIn(t, d)
	d.deleteConnection(t)
	if c.active(t, c.tokens.AccessToken) || c.active(t, c.tokens.RefreshToken) {
		t.Error("introspection knows tokens of a session that has ended as active")
	}
	if err := c.refresh(t.Context()); err == nil {
		t.Error("a refresh token outlives its session")
	}
	if status := c.userInfoStatus(t); status != http.StatusUnauthorized {
		t.Errorf("userinfo is answered with %d", status)
	}
	ended := pasted(t, d.env, `curl -sS "$ROLLCALL_URL/events?events=session.revoked" -H "Authorization: Bearer $ROLLCALL_API_KEY"`)
	if sid, _ := c.claims["sid"].(string); sid == "" || !strings.Contains(ended, `"id":"`+sid+`"`) {
		t.Errorf("session.revoked of %s is not told: %s", sid, ended)
	}
}

func TestGuide_says_what_a_connection_that_is_switched_off_stops(t *testing.T) {
	d := startDemo(t)
	c := signedIn(t, d)
	id, _ := c.claims["connection_id"].(string)
	pasted(t, d.env, `curl -sS --fail-with-body -X PATCH "$ROLLCALL_URL/connections/`+id+`" -H "Authorization: Bearer $ROLLCALL_API_KEY" -d '{"state":"inactive"}'`)
	if err := c.refresh(t.Context()); err == nil {
		t.Error("a refresh token serves though the connection is switched off")
	}
}

// authorization is where the app would send somebody who wants in.
func (d demonstration) authorization(c *certainty) string {
	return c.config.AuthCodeURL("state", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()), oauth2.SetAuthURLParam("organization", d.organization))
}

func (c *certainty) userInfoStatus(t *testing.T) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.issuer+"/oauth2/userinfo", nil)
	must(t, err)
	request.Header.Set("Authorization", "Bearer "+c.tokens.AccessToken)
	answer, err := http.DefaultClient.Do(request)
	must(t, err)
	must(t, answer.Body.Close())
	return answer.StatusCode
}
