//go:build interop

package interop_test

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// oidcApp is a client as an OpenID provider has to be told of it.
type oidcApp struct {
	ID, Secret, RedirectURI string
	Method                  string // of authenticating at the token endpoint
}

// oidcProvider is a running OpenID provider that knows the app it was started with.
type oidcProvider struct {
	Name, Version string
	Issuer        string
	SignIn        map[string]string // what a person types
	Scopes        []string
	Who           map[string]string // claims, from the ID token or userinfo
	Parameters    map[string]string // further ones of the authorization request
	Silent        bool              // about when the person signed in, so a fresh sign-in cannot be asked for
}

// standInClient is a client of this test. Nobody listens at its redirect URI: the browser stops before it.
func standInClient() oidcApp {
	return oidcApp{ID: "stand-in", Secret: "stand-in-" + rand.Text(), RedirectURI: "https://rp.example/callback", Method: "client_secret_basic"}
}

// provesItself signs in with code, PKCE and nonce, as go-oidc checks it.
func (p oidcProvider) provesItself(t *testing.T, app oidcApp) {
	t.Helper()
	ctx := t.Context()
	provider, err := oidc.NewProvider(ctx, p.Issuer)
	must(t, err)
	config := oauth2.Config{
		ClientID: app.ID, ClientSecret: app.Secret, RedirectURL: app.RedirectURI, Endpoint: provider.Endpoint(),
		Scopes: append([]string{oidc.ScopeOpenID}, p.Scopes...),
	}
	verifier, state, nonce := oauth2.GenerateVerifier(), rand.Text(), rand.Text()
	options := []oauth2.AuthCodeOption{oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)}
	for name, value := range p.Parameters {
		options = append(options, oauth2.SetAuthURLParam(name, value))
	}
	start := config.AuthCodeURL(state, options...)
	got := newBrowser(t, p.SignIn).walk(t, start, app.RedirectURI).URL.Query()
	if got.Get("state") != state || got.Get("code") == "" {
		t.Fatalf("the callback has %v", got)
	}
	if iss := got.Get("iss"); iss != "" && iss != p.Issuer {
		t.Errorf("iss is %q, want %q", iss, p.Issuer)
	}
	token, err := config.Exchange(ctx, got.Get("code"), oauth2.VerifierOption(verifier))
	must(t, err)
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		t.Fatal("no ID token")
	}
	idToken, err := provider.Verifier(&oidc.Config{ClientID: app.ID}).Verify(ctx, raw)
	must(t, err)
	if idToken.Nonce != nonce {
		t.Errorf("nonce is %q, want %q", idToken.Nonce, nonce)
	}
	claims := map[string]any{}
	must(t, idToken.Claims(&claims))
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	must(t, err)
	if info.Subject != idToken.Subject || idToken.Subject == "" {
		t.Errorf("userinfo is about %q, the ID token about %q", info.Subject, idToken.Subject)
	}
	must(t, info.Claims(&claims))
	for name, want := range p.Who {
		if got, isText := claims[name].(string); !isText || !strings.EqualFold(got, want) {
			t.Errorf("claim %s is %v, want %q; all: %v", name, claims[name], want, claims)
		}
	}
}
