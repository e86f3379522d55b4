package oidc_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"testing"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/oidc"
)

// Whatever a stranger sends, the answer is a value that keeps its promises or a refusal of the right type.

func FuzzTokenRequest(f *testing.F) {
	f.Add("application/x-www-form-urlencoded", "", "", []byte("grant_type=authorization_code&code=c&client_id=i&client_secret=s"), 0)
	f.Add("application/json", "Bearer k", "", []byte(`{"grant_type":"refresh_token","refresh_token":"r","client_id":"i","scope":null}`), 2)
	f.Add("application/x-www-form-urlencoded", "Basic aTpz", "a=b", []byte("grant_type=refresh_token&refresh_token=r"), 1)
	styles := []oidc.Style{oidc.StyleOIDC, oidc.StyleSSO, oidc.StyleUserManagement}
	f.Fuzz(func(t *testing.T, kind, authorization, query string, body []byte, style int) {
		in := oidc.Request{ContentType: kind, Authorization: authorization, Query: query, Body: body}
		r, err := oidc.ParseTokenRequest(in, styles[uint(style)%3])
		var refusal *oidc.ErrorResponse
		switch {
		case err != nil && !errors.As(err, &refusal):
			t.Fatalf("%T %v", err, err)
		case err != nil && (refusal.Kind() == fault.Internal || r.Client.ID != "" || r.Code != "" || r.RefreshToken != ""):
			t.Fatalf("%v beside %v", err, r)
		case err == nil && (r.Client.ID == "" || r.Code == "" && r.RefreshToken == "" || (r.Client.Secret == "") != (r.Client.Method == oidc.AuthNone)):
			t.Fatalf("accepted %#v", r.Client)
		}
		if _, err := oidc.ParseTokenQuestion(in); err != nil && !errors.As(err, &refusal) {
			t.Fatalf("%T %v", err, err)
		}
	})
}

func FuzzAuthorization(f *testing.F) {
	f.Add(request().Encode(), 0)
	f.Add(request("prompt", "none", "max_age", "3", "provider_query_params[hd]", "x").Encode(), 1)
	f.Add("client_id=a&redirect_uri=https://a.example/%23", 2)
	styles := []oidc.Style{oidc.StyleOIDC, oidc.StyleSSO, oidc.StyleUserManagement}
	f.Fuzz(func(t *testing.T, query string, style int) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		r, err := oidc.ParseAuthorization(values, styles[uint(style)%3])
		var refusal *oidc.ErrorResponse
		switch {
		case err == nil && (r.ClientID == "" || oidc.CheckRedirectURI(r.RedirectURI) != nil || style%3 == 0 && (len(r.Challenge) != 43 || !slices.Contains(r.Scope, "openid"))):
			t.Fatalf("accepted %+v", r)
		case err == nil:
			if _, err := json.Marshal(r); err != nil {
				t.Fatal(err)
			}
		case !errors.As(err, &refusal):
			t.Fatalf("%T %v", err, err)
		case refusal.Redirectable:
			// What may be redirected has an address that nothing can break out of.
			to, err := refusal.RedirectTo(r.RedirectURI, "https://rc.example", r.State)
			if err != nil || r.ClientID == "" {
				t.Fatalf("%v %+v", err, r)
			}
			before, _ := url.Parse(r.RedirectURI)
			after, err := url.Parse(to)
			if err != nil || after.Host != before.Host || after.Scheme != before.Scheme || after.Path != before.Path {
				t.Fatalf("%s became %s", r.RedirectURI, to)
			}
		}
	})
}

func FuzzIDToken(f *testing.F) {
	t := &testing.T{}
	good := newPeer(t)
	f.Add(good.token(), "{}")
	f.Add(newPeer(t).with(oidc.ES256, "ec", keys().ec).token(), `{"aud":["rollcall","x"],"azp":"rollcall"}`)
	f.Add("a.b.c", `{"exp":-1,"nbf":1e400,"amr":{}}`)
	set, err := oidc.ParseKeySet(document(t, jwk(keys().rsa.Public(), "rsa", nil), jwk(keys().ec.Public(), "ec", nil)))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw, over string) {
		check := func(raw string) {
			token, err := oidc.VerifyIDToken(context.Background(), raw, set, expectation())
			if _, typed := fault.As(err); err != nil && (!typed || token.Claims != nil) {
				t.Fatalf("%T %v beside %v", err, err, token)
			}
			if err == nil && (token.Claims["nonce"] != nonce || token.Issuer != issuer || token.Subject == "" || !slices.Contains(token.Audience, clientID)) {
				t.Fatalf("accepted %+v", token)
			}
			if _, err := oidc.VerifyLogoutToken(context.Background(), raw, set, oidc.LogoutExpectation{Issuer: issuer, ClientID: clientID, Algorithms: []oidc.Algorithm{oidc.RS256}, Now: now}); err == nil {
				t.Fatal("accepted as a logout token")
			}
		}
		check(raw)
		var claims map[string]any
		if json.Unmarshal([]byte(over), &claims) == nil && claims["events"] == nil { // genuine signatures over any claims
			p := newPeer(t).with(oidc.ES256, "ec", keys().ec)
			p.claims = merged(p.claims, claims)
			check(p.token())
		}
	})
}

func FuzzDiscovery(f *testing.F) {
	f.Add(discovery(&testing.T{}, nil))
	f.Add([]byte(`{"issuer":"https://idp.example/tenant","jwks_uri":"https://a@b"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := oidc.ParseDiscovery(data, issuer, false)
		if _, typed := fault.As(err); err != nil && !typed {
			t.Fatalf("%T %v", err, err)
		}
		if err != nil {
			return
		}
		if d.Issuer != issuer || len(d.Algorithms) == 0 || len(d.AuthMethods) == 0 {
			t.Fatalf("accepted %+v", d)
		}
		for _, address := range []string{d.AuthorizationEndpoint, d.TokenEndpoint, d.JWKSURI} {
			if u, err := url.Parse(address); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
				t.Fatalf("accepted %q", address)
			}
		}
	})
}

func FuzzKeySet(f *testing.F) {
	t := &testing.T{}
	f.Add(document(t, jwk(keys().rsa.Public(), "rsa", nil), jwk(keys().ed.Public(), "ed", nil), map[string]any{"kty": "x"}))
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := oidc.ParseKeySet(data)
		if _, typed := fault.As(err); err != nil && !typed {
			t.Fatalf("%T %v", err, err)
		}
		if err == nil && len(set.KIDs()) == 0 {
			t.Fatal("accepted a set without keys")
		}
		_, err = oidc.VerifyIDToken(context.Background(), newPeer(t).without("kid").with(oidc.ES256, "", keys().ec).token(), set, expectation())
		if _, typed := fault.As(err); err != nil && !typed {
			t.Fatalf("%T %v", err, err)
		}
	})
}

func FuzzUserInfo(f *testing.F) {
	f.Add(userinfo(map[string]any{"email": "a@b.example", "email_verified": "true"}), "application/json")
	f.Fuzz(func(t *testing.T, data []byte, kind string) {
		info, err := oidc.ParseUserInfo(data, kind, "248289761001")
		if _, typed := fault.As(err); err != nil && !typed {
			t.Fatalf("%T %v", err, err)
		}
		if err == nil && info.Subject != "248289761001" {
			t.Fatalf("accepted %+v", info)
		}
		oidc.EmailOf(oidc.IDToken{Issuer: issuer}, &info)
		if _, err := oidc.ParseTokenResponse(data, 200, kind); err != nil {
			if _, typed := fault.As(err); !typed {
				t.Fatalf("%T %v", err, err)
			}
		}
	})
}
