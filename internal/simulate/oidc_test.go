package simulate_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	upstream "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/simulate"
)

const callback = "https://rc.example/oidc/abc/callback"

type oidcWorld struct {
	t     *testing.T
	base  string
	clock *clock
	d     oidc.Discovery
	keys  oidc.KeySet
	told  string // where back-channel logouts go
}

func newOIDCWorld(t *testing.T) *oidcWorld {
	t.Helper()
	w := &oidcWorld{t: t, clock: &clock{time.Now().UTC().Truncate(time.Second)}}
	w.base = serve(t, "/simulate/oidc", func(base string) http.Handler {
		idp, err := simulate.NewOIDC(simulate.OIDCOptions{
			Base: base, People: people(), Now: w.clock.now, HTTP: http.DefaultClient,
			Client: func(_ context.Context, id string) (simulate.OIDCClient, bool) {
				switch id {
				case "confidential":
					return simulate.OIDCClient{
						Secret: "s3cret", RedirectURIs: []string{callback}, InitiateLoginURI: "https://rc.example/oidc/abc/login?x=1",
						BackChannelLogout: w.told, AfterLogoutAddress: []string{"https://rc.example/bye"},
					}, true
				case "public":
					return simulate.OIDCClient{RedirectURIs: []string{callback}}, true
				}
				return simulate.OIDCClient{}, false
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		return idp
	})
	var err error
	if w.d, err = oidc.ParseDiscovery([]byte(get(t, oidc.DiscoveryURL(w.base)).body), w.base, true); err != nil {
		t.Fatal(err)
	}
	if w.keys, err = oidc.ParseKeySet([]byte(get(t, w.d.JWKSURI).body)); err != nil {
		t.Fatal(err)
	}
	return w
}

var verifier = strings.Repeat("v", 43)

func (w *oidcWorld) ask(change ...func(url.Values)) seen {
	w.t.Helper()
	address, err := oidc.AuthorizationURL(w.d, oidc.AuthorizationParameters{ClientID: "confidential", RedirectURI: callback, Scopes: []string{"email"}, State: "s", Nonce: "n", Verifier: verifier})
	if err != nil {
		w.t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		w.t.Fatal(err)
	}
	query := u.Query()
	for _, c := range change {
		c(query)
	}
	u.RawQuery = query.Encode()
	return get(w.t, u.String())
}

func set(name, value string) func(url.Values) { return func(v url.Values) { v.Set(name, value) } }

func (w *oidcWorld) exchange(code string, change ...func(*oidc.Exchange)) seen {
	w.t.Helper()
	x := oidc.Exchange{Code: code, RedirectURI: callback, Verifier: verifier, ClientID: "confidential", Method: oidc.AuthBasic, Secret: "s3cret"}
	for _, c := range change {
		c(&x)
	}
	body, authorization, err := x.Request()
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, w.d.TokenEndpoint, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	answer, err := browser().Do(r)
	return see(w.t, answer, err)
}

// signIn goes the whole way as Rollcall would.
func (w *oidcWorld) signIn(pairs ...string) (oidc.IDToken, oidc.TokenResponse, error) {
	w.t.Helper()
	back := w.ask().pick(w.t, w.base, pairs...)
	c, err := oidc.CheckCallback(back.location.Query(), oidc.CallbackExpectation{Issuer: w.base, IssParameter: w.d.IssParameter})
	if err != nil {
		return oidc.IDToken{}, oidc.TokenResponse{}, err
	}
	answer := w.exchange(c.Code)
	tokens, err := oidc.ParseTokenResponse([]byte(answer.body), answer.status, answer.header.Get("Content-Type"))
	if err != nil {
		w.t.Fatal(err)
	}
	token, err := oidc.VerifyIDToken(context.Background(), tokens.IDToken, w.keys, oidc.IDTokenExpectation{
		Issuer: w.base, ClientID: "confidential", Nonce: "n", Algorithms: w.d.Algorithms, Now: w.clock.at, AccessToken: tokens.AccessToken,
	})
	return token, tokens, err
}

func TestOIDC_sign_in(t *testing.T) {
	w := newOIDCWorld(t)
	page := w.ask()
	checkPage(t, page)
	token, tokens, err := w.signIn("person", "sim-ben")
	if err != nil {
		t.Fatal(err)
	}
	if token.Subject != "sim-ben" || token.Claims["email"] != "ben@acme.example" || token.SID == "" || !token.AuthTime.Equal(w.clock.at) || !oidc.EmailOf(token, nil).Verified {
		t.Errorf("%+v", token)
	}
	r, err := http.NewRequest(http.MethodGet, w.d.UserInfoEndpoint, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+tokens.AccessToken)
	answer, err := browser().Do(r)
	s := see(t, answer, err)
	info, err := oidc.ParseUserInfo([]byte(s.body), s.header.Get("Content-Type"), token.Subject)
	if err != nil || info.Claims["given_name"] != "Ben" {
		t.Errorf("%+v %v", info, err)
	}
	w.clock.at = w.clock.at.Add(11 * time.Minute)
	answer, err = browser().Do(r)
	if s := see(t, answer, err); s.status != http.StatusUnauthorized {
		t.Errorf("userinfo by an expired token: %d", s.status)
	}
	if s := get(t, w.d.UserInfoEndpoint); s.status != http.StatusUnauthorized {
		t.Errorf("userinfo without a token: %d", s.status)
	}
}

func TestOIDC_is_understood_by_another_implementation(t *testing.T) {
	w := newOIDCWorld(t)
	ctx := context.Background()
	provider, err := upstream.NewProvider(ctx, w.base)
	if err != nil {
		t.Fatal(err)
	}
	for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams} {
		config := oauth2.Config{ClientID: "confidential", ClientSecret: "s3cret", Endpoint: provider.Endpoint(), RedirectURL: callback, Scopes: []string{"openid"}}
		config.Endpoint.AuthStyle = style
		back := get(t, config.AuthCodeURL("st", oauth2.S256ChallengeOption(verifier), upstream.Nonce("n"))).pick(t, w.base, "person", "sim-ada")
		tokens, err := config.Exchange(ctx, back.location.Query().Get("code"), oauth2.VerifierOption(verifier))
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := tokens.Extra("id_token").(string)
		token, err := provider.Verifier(&upstream.Config{ClientID: "confidential"}).Verify(ctx, raw)
		if err != nil || token.Subject != "sim-ada" || token.Nonce != "n" || token.VerifyAccessToken(tokens.AccessToken) != nil {
			t.Errorf("%+v %v", token, err)
		}
	}
}

func TestOIDC_bad_answers_are_refused(t *testing.T) {
	w := newOIDCWorld(t)
	for scenario, code := range map[simulate.Scenario]string{
		simulate.Deny: oidc.CodeDenied, simulate.WrongAudience: oidc.CodeAudienceMismatch, simulate.Expired: oidc.CodeExpired,
		simulate.Unsigned: oidc.CodeAlgorithmNotAllowed, simulate.Tampered: oidc.CodeSignatureInvalid, simulate.WrongKey: oidc.CodeSignatureInvalid,
	} {
		if page := w.ask(); !strings.Contains(page.body, `value="`+string(scenario)+`"`) || !strings.Contains(page.body, "<small>"+code+"</small>") {
			t.Errorf("the page does not offer %s", scenario)
		}
		token, _, err := w.signIn("person", "sim-ada", "scenario", string(scenario))
		f, ok := fault.As(err)
		if !ok || f.Code != code || token.Subject != "" {
			t.Errorf("%s: %+v %v; wanted %s", scenario, token, err, code)
		}
	}
	if home := get(t, w.base+"/"); strings.Contains(home.body, "<form") {
		t.Error("a bad answer counts as a sign-in")
	}
}

func TestOIDC_a_code_is_redeemed_once_by_its_owner(t *testing.T) {
	w := newOIDCWorld(t)
	code := func() string {
		return w.ask().pick(t, w.base, "person", "sim-ada").location.Query().Get("code")
	}
	once := code()
	if s := w.exchange(once); s.status != http.StatusOK {
		t.Fatalf("%d %s", s.status, s.body)
	}
	for name, c := range map[string]struct {
		answer seen
		code   string
	}{
		"used":           {w.exchange(once), "invalid_grant"},
		"invented":       {w.exchange("x"), "invalid_grant"},
		"other redirect": {w.exchange(code(), func(x *oidc.Exchange) { x.RedirectURI = "https://evil.example" }), "invalid_grant"},
		"other verifier": {w.exchange(code(), func(x *oidc.Exchange) { x.Verifier = strings.Repeat("w", 43) }), "invalid_grant"},
		"no verifier":    {w.exchange(code(), func(x *oidc.Exchange) { x.Verifier = "" }), "invalid_grant"},
		"other client":   {w.exchange(code(), func(x *oidc.Exchange) { x.ClientID, x.Method = "public", oidc.AuthNone }), "invalid_grant"},
		"wrong secret":   {w.exchange(code(), func(x *oidc.Exchange) { x.Secret = "guess" }), "invalid_client"},
		"no secret":      {w.exchange(code(), func(x *oidc.Exchange) { x.Method = oidc.AuthNone }), "invalid_client"},
		"unknown client": {w.exchange(code(), func(x *oidc.Exchange) { x.ClientID = "nobody" }), "invalid_client"},
	} {
		status := map[string]int{"invalid_grant": 400, "invalid_client": 401}[c.code]
		if c.answer.status != status || !strings.Contains(c.answer.body, `"error":"`+c.code+`"`) {
			t.Errorf("%s: %d %s", name, c.answer.status, c.answer.body)
		}
	}
	late := code()
	w.clock.at = w.clock.at.Add(time.Minute)
	if s := w.exchange(late); s.status != http.StatusBadRequest {
		t.Errorf("expired: %d", s.status)
	}
}

func TestOIDC_answers_go_nowhere_else(t *testing.T) {
	w := newOIDCWorld(t)
	w.ask(set("redirect_uri", "https://evil.example/cb")).refused(t, "not a redirect URI")
	w.ask(set("client_id", "nobody")).refused(t, "no application")
	w.ask(set("redirect_uri", "javascript:alert(1)")).refused(t, "scheme")
	w.ask().pick(t, w.base, "request", "client_id=confidential&redirect_uri=https://evil.example", "person", "sim-ada").refused(t, "not a redirect URI")
	w.ask().pick(t, w.base, "request", "%zz", "person", "sim-ada").refused(t, "cannot be read")
	w.ask().pick(t, w.base, "person", "sim-nobody").refused(t, "no person")
	for code, change := range map[string]func(url.Values){
		"invalid_scope":             set("scope", "email"),
		"unsupported_response_type": set("response_type", "token"),
		"login_required":            set("prompt", "none"),
		"invalid_request": func(v url.Values) {
			v.Set("client_id", "public")
			v.Del("code_challenge")
			v.Del("code_challenge_method")
		},
	} {
		s := w.ask(change)
		if s.location == nil || s.location.Query().Get("error") != code || s.location.Query().Get("state") != "s" || s.location.Query().Get("iss") != w.base || !strings.HasPrefix(s.location.String(), callback+"?") {
			t.Errorf("%s: %d %v", code, s.status, s.location)
		}
	}
}

func TestOIDC_sign_in_that_the_provider_starts(t *testing.T) {
	w := newOIDCWorld(t)
	to := get(t, w.base+"/start?client_id=confidential&login_hint=ada@acme.example").location
	if to == nil || to.Query().Get("x") != "1" {
		t.Fatalf("%v", to)
	}
	in, err := oidc.CheckInitiation(to.Query(), w.base)
	if err != nil || in.LoginHint != "ada@acme.example" {
		t.Errorf("%+v %v", in, err)
	}
	get(t, w.base+"/start?client_id=public").refused(t, "No application")
	if page := w.ask(set("login_hint", "chiara@acme.example")); !strings.Contains(page.body, `value="sim-chiara" checked`) {
		t.Error("the hint chooses nobody")
	}
}

func TestOIDC_logout_and_back_channel(t *testing.T) {
	w := newOIDCWorld(t)
	var received []string
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		form, err := url.ParseQuery(string(body))
		if err != nil {
			t.Error(err)
		}
		received = append(received, form.Get("logout_token"))
	}))
	defer app.Close()
	token, tokens, err := w.signIn("person", "sim-ada")
	if err != nil {
		t.Fatal(err)
	}
	get(t, w.base+"/").pick(t, w.base).refused(t, "no address for back-channel logout")
	w.told = app.URL
	if s := get(t, w.base+"/").pick(t, w.base); s.status != http.StatusOK || len(received) != 1 {
		t.Fatalf("%d %s", s.status, s.body)
	}
	got, err := oidc.VerifyLogoutToken(context.Background(), received[0], w.keys, oidc.LogoutExpectation{Issuer: w.base, ClientID: "confidential", Algorithms: w.d.Algorithms, Now: w.clock.at})
	if err != nil || got.SID != token.SID || got.Subject != "sim-ada" {
		t.Errorf("%+v %v", got, err)
	}
	post(t, w.base+"/sign-out", url.Values{"session": {token.SID}}).refused(t, "not known any more")

	end := func(pairs ...string) seen {
		v := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return get(t, w.d.EndSessionEndpoint+"?"+v.Encode())
	}
	if s := end("id_token_hint", tokens.IDToken, "post_logout_redirect_uri", "https://rc.example/bye", "state", "x"); s.location == nil || s.location.String() != "https://rc.example/bye?state=x" {
		t.Errorf("%d %v", s.status, s.location)
	}
	if s := end("id_token_hint", tokens.IDToken, "post_logout_redirect_uri", "https://evil.example"); s.location != nil || s.status != http.StatusOK {
		t.Errorf("%d %v", s.status, s.location)
	}
	end("id_token_hint", "a.b.c").refused(t, "token")
	end("post_logout_redirect_uri", "javascript:x").refused(t, "scheme")
}

func TestOIDC_wants_to_know_where_it_is_and_whom_it_serves(t *testing.T) {
	finder := func(context.Context, string) (simulate.OIDCClient, bool) { return simulate.OIDCClient{}, false }
	for _, o := range []simulate.OIDCOptions{
		{Base: "/x", Now: (&clock{now}).now, Client: finder},
		{Base: "http://a.example", Now: (&clock{now}).now},
		{Base: "http://a.example", Client: finder},
	} {
		if _, err := simulate.NewOIDC(o); err == nil {
			t.Errorf("%q was made", o.Base)
		}
	}
}

// What is remembered is bounded: the oldest sign-ins give way.
func TestOIDC_remembers_the_last_fifty_sign_ins(t *testing.T) {
	w := newOIDCWorld(t)
	for range 52 {
		if _, _, err := w.signIn("person", "sim-ada"); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(get(t, w.base+"/").body, "<form"); n != 50 {
		t.Errorf("%d are listed", n)
	}
	w.clock.at = w.clock.at.Add(9 * time.Hour)
	if n := strings.Count(get(t, w.base+"/").body, "<form"); n != 0 {
		t.Errorf("%d are listed after nine hours", n)
	}
}
