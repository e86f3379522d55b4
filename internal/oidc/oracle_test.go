package oidc_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	upstream "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/rollcallhq/rollcall/internal/oidc"
)

// provider is the least that can be put over the grammar, so that another implementation can be a client of it.
type provider struct {
	t        *testing.T
	base     string
	key      oidc.SigningKey
	asked    oidc.AuthorizationRequest
	received oidc.TokenRequest
}

func newProvider(t *testing.T, alg oidc.Algorithm) *provider {
	p := &provider{t: t, key: signingKey(t, alg)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.document)
	mux.HandleFunc("GET /oauth2/jwks", p.jwks)
	mux.HandleFunc("GET /oauth2/authorize", p.authorize)
	mux.HandleFunc("POST /oauth2/token", p.token)
	mux.HandleFunc("GET /oauth2/userinfo", func(w http.ResponseWriter, _ *http.Request) {
		p.json(w, http.StatusOK, []byte(`{"sub":"user_1","email":"a@b.example","email_verified":true}`))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p.base = server.URL
	return p
}

func (p *provider) json(w http.ResponseWriter, status int, data []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if _, err := w.Write(data); err != nil {
		p.t.Error(err)
	}
}

func (p *provider) document(w http.ResponseWriter, _ *http.Request) {
	data, err := oidc.ProviderDocument(p.base, oidc.ProviderOptions{Scopes: []string{"email", "profile"}, Claims: []string{"email"}})
	if err != nil {
		p.t.Error(err)
	}
	p.json(w, http.StatusOK, data)
}

func (p *provider) jwks(w http.ResponseWriter, _ *http.Request) {
	data, err := oidc.PublicJWKS([]oidc.PublicKey{public(p.t, p.key)})
	if err != nil {
		p.t.Error(err)
	}
	p.json(w, http.StatusOK, data)
}

func (p *provider) authorize(w http.ResponseWriter, r *http.Request) {
	request, err := oidc.ParseAuthorization(r.URL.Query(), oidc.StyleOIDC)
	if err != nil {
		p.t.Errorf("authorize: %v", err)
		return
	}
	p.asked = request
	to, err := oidc.RedirectWithCode(request.RedirectURI, "the-code", p.base, request.State)
	if err != nil {
		p.t.Error(err)
	}
	http.Redirect(w, r, to, http.StatusFound)
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Error(err)
	}
	request, err := oidc.ParseTokenRequest(oidc.Request{ContentType: r.Header.Get("Content-Type"), Authorization: r.Header.Get("Authorization"), Query: r.URL.RawQuery, Body: body}, oidc.StyleOIDC)
	if err != nil {
		p.t.Errorf("token: %v", err)
		return
	}
	p.received = request
	var refusal *oidc.ErrorResponse
	if err := oidc.CheckVerifier(p.asked.Challenge, request.Verifier); errors.As(err, &refusal) {
		p.json(w, http.StatusBadRequest, refusal.JSON())
		return
	}
	claims := oidc.IDTokenClaims{
		Issuer: p.base, Subject: "user_1", ClientID: request.Client.ID, IssuedAt: time.Now(), Expires: time.Now().Add(time.Minute), Nonce: p.asked.Nonce, AccessToken: "at",
		Extra: map[string]any{"email": "a@b.example"},
	}
	raw, err := oidc.Sign(p.key, oidc.TypeIDToken, claims.Claims(p.key.Alg))
	if err != nil {
		p.t.Error(err)
	}
	answer, err := json.Marshal(map[string]any{"id_token": raw, "access_token": "at", "token_type": "Bearer", "expires_in": 60})
	if err != nil {
		p.t.Error(err)
	}
	p.json(w, http.StatusOK, answer)
}

// x/oauth2 and go-oidc as an application's client: discovery, PKCE, both ways of client authentication, keys, ID token, at_hash, userinfo.
func TestProvider_is_understood_by_another_implementation(t *testing.T) {
	for _, alg := range []oidc.Algorithm{oidc.ES256, oidc.RS256} {
		for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams} {
			ours := newProvider(t, alg)
			ctx := context.Background()
			theirs, err := upstream.NewProvider(ctx, ours.base)
			if err != nil {
				t.Fatal(err)
			}
			config := oauth2.Config{ClientID: "client:1", ClientSecret: "p+q%r s", Endpoint: theirs.Endpoint(), RedirectURL: "https://app.example/cb", Scopes: []string{"openid", "email"}}
			config.Endpoint.AuthStyle = style
			verifier := oauth2.GenerateVerifier()
			code := follow(t, config.AuthCodeURL("st&ate", oauth2.S256ChallengeOption(verifier), upstream.Nonce("n")), "st&ate", ours.base)
			tokens, err := config.Exchange(ctx, code, oauth2.VerifierOption(verifier))
			if err != nil {
				t.Fatal(err)
			}
			if got := ours.received.Client; got.ID != "client:1" || got.Secret != "p+q%r s" {
				t.Errorf("%s by %s", got.ID, got.Method)
			}
			raw, _ := tokens.Extra("id_token").(string)
			verified, err := theirs.Verifier(&upstream.Config{ClientID: "client:1"}).Verify(ctx, raw)
			if err != nil || verified.Nonce != "n" || verified.Subject != "user_1" {
				t.Fatalf("%+v %v", verified, err)
			}
			if err := verified.VerifyAccessToken(tokens.AccessToken); err != nil {
				t.Error(err)
			}
			info, err := theirs.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
			if err != nil || info.Email != "a@b.example" || !info.EmailVerified {
				t.Errorf("%+v %v", info, err)
			}
			if _, err := config.Exchange(ctx, code, oauth2.VerifierOption(oauth2.GenerateVerifier())); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
				t.Errorf("another verifier: %v", err)
			}
		}
	}
}

func follow(t *testing.T, address, state, issuer string) string {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	to, err := url.Parse(answer.Header.Get("Location"))
	if err != nil || to.Query().Get("state") != state || to.Query().Get("iss") != issuer {
		t.Fatalf("%s %v", to, err)
	}
	return to.Query().Get("code")
}

// The library's own check of logout tokens accepts ours.
func TestLogoutClaims_are_understood_by_another_implementation(t *testing.T) {
	ours := newProvider(t, oidc.ES256)
	theirs, err := upstream.NewProvider(context.Background(), ours.base)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := oidc.Sign(ours.key, oidc.TypeLogoutToken, oidc.LogoutClaims(ours.base, "client_1", "user_1", "session_1", "j", time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	got, err := theirs.Verifier(&upstream.Config{ClientID: "client_1"}).VerifyLogout(context.Background(), raw)
	if err != nil || got.Subject != "user_1" || got.SessionID != "session_1" || got.TokenID != "j" || got.Expiry.Sub(got.IssuedAt) != oidc.LogoutTokenLife {
		t.Errorf("%+v %v", got, err)
	}
	claims := oidc.LogoutClaims(ours.base, "client_1", "", "", "j", now)
	if _, there := claims["sub"]; there || claims["sid"] != nil {
		t.Errorf("%v", claims)
	}
}

// O12: every address in the document comes from the issuer that was given, whatever its end.
func TestO12_document_is_made_of_the_issuer(t *testing.T) {
	for _, issuer := range []string{"https://rc.example", "https://rc.example/", "https://rc.example/sign/"} {
		data, err := oidc.ProviderDocument(issuer, oidc.ProviderOptions{Scopes: []string{"email"}})
		if err != nil {
			t.Fatal(err)
		}
		d, err := oidc.ParseDiscovery(data, issuer, false)
		if err != nil {
			t.Fatalf("our own relying party: %v", err)
		}
		if want := strings.TrimSuffix(issuer, "/") + "/oauth2/token"; d.TokenEndpoint != want || !d.IssParameter || !d.PKCE || !d.BackChannelLogout {
			t.Errorf("%+v", d)
		}
		var doc map[string]any
		if err := json.Unmarshal(data, &doc); err != nil {
			t.Fatal(err)
		}
		for name, value := range doc {
			if text, ok := value.(string); ok && !strings.HasPrefix(text, strings.TrimSuffix(issuer, "/")) {
				t.Errorf("%s is %s", name, text)
			}
		}
		if doc["request_uri_parameter_supported"] != false || len(doc["response_types_supported"].([]any)) != 1 {
			t.Errorf("%s", data)
		}
	}
}
