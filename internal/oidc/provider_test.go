package oidc_test

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	json2 "github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/oidc"
)

const redirectURI = "https://app.example/callback?x=1"

var challenge = oidc.Challenge(strings.Repeat("v", 43))

func request(pairs ...string) url.Values {
	v := url.Values{
		"client_id": {"client_1"}, "redirect_uri": {redirectURI}, "response_type": {"code"}, "scope": {"openid email"}, "state": {"s"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v
}

func replaced(name string, values ...string) url.Values {
	v := request()
	v.Del(name)
	for _, one := range values {
		v.Add(name, one)
	}
	return v
}

// told wants an OAuth refusal.
func told(t *testing.T, err error, code oidc.ErrorCode, field string) *oidc.ErrorResponse {
	t.Helper()
	var e *oidc.ErrorResponse
	if !errors.As(err, &e) {
		t.Fatalf("got %v; wanted %s", err, code)
	}
	if e.Code != code || e.Field != field {
		t.Fatalf("refused with %s on %q (%v); wanted %s on %q", e.Code, e.Field, err, code, field)
	}
	return e
}

// byRedirect wants a refusal of which the application may be told, once its address is known to be registered.
func byRedirect(t *testing.T, v url.Values, code oidc.ErrorCode, field string) *oidc.ErrorResponse {
	t.Helper()
	r, err := oidc.ParseAuthorization(v, oidc.StyleOIDC)
	e := told(t, err, code, field)
	if !e.Redirectable || r.ClientID != "client_1" || r.RedirectURI != redirectURI {
		t.Fatalf("not redirectable: %v, %+v", e, r)
	}
	return e
}

func byPage(t *testing.T, v url.Values, field string) {
	t.Helper()
	_, err := oidc.ParseAuthorization(v, oidc.StyleOIDC)
	if e := told(t, err, oidc.InvalidRequest, field); e.Redirectable {
		t.Fatalf("%v would be sent by a redirect", e)
	}
}

func TestAuthorization_with_everything_is_read(t *testing.T) {
	v := request("response_mode", "query", "nonce", "n", "prompt", "login consent", "max_age", "3600", "login_hint", "a@b.example", "id_token_hint", "a.b.c",
		"acr_values", "x y", "ui_locales", "de en", "organization", "org_1", "connection", "conn_1", "provider", "authkit", "domain", "b.example", "domain_hint", "c.example",
		"screen_hint", "sign-up", "invitation_token", "inv", "provider_scopes", "a,b", "provider_scopes", "c", "provider_query_params[hd]", "d.example", "unknown", "1", "unknown", "2")
	got, err := oidc.ParseAuthorization(v, oidc.StyleOIDC)
	if err != nil {
		t.Fatal(err)
	}
	hour := time.Hour
	want := oidc.AuthorizationRequest{
		ClientID: "client_1", RedirectURI: redirectURI, State: "s", Nonce: "n", Scope: []string{"openid", "email"}, Challenge: challenge,
		Prompt: []oidc.Prompt{"login", "consent"}, MaxAge: &hour, LoginHint: "a@b.example", IDTokenHint: "a.b.c", ACRValues: []string{"x", "y"}, UILocales: []string{"de", "en"},
		Organization: "org_1", Connection: "conn_1", Provider: "authkit", Domain: "b.example", DomainHint: "c.example", ScreenHint: oidc.ScreenSignUp, Invitation: "inv",
		ProviderScopes: []string{"a", "b", "c"}, ProviderQuery: map[string]string{"hd": "d.example"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !got.Prompts(oidc.PromptLogin) || got.Prompts(oidc.PromptNone) || !got.HasScope("email") || got.HasScope("profile") {
		t.Error("the questions about it are answered wrongly")
	}
	stored, err := json2.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var again oidc.AuthorizationRequest
	if err := json2.Unmarshal(stored, &again); err != nil || !cmp.Equal(want, again) {
		t.Errorf("kept as %s: %v", stored, err)
	}
	if err := again.UnmarshalJSON([]byte("[]")); err == nil {
		t.Error("a list was read")
	}
}

func TestAuthorization_names_of_user_management_are_understood(t *testing.T) {
	v := request("organization_id", "org_1", "connection_id", "conn_1")
	r, err := oidc.ParseAuthorization(v, oidc.StyleUserManagement)
	if err != nil || r.Organization != "org_1" || r.Connection != "conn_1" {
		t.Errorf("%+v %v", r, err)
	}
	byRedirect(t, request("organization_id", "org_1", "organization", "org_2"), oidc.InvalidRequest, "organization")
	if r, err := oidc.ParseAuthorization(request("organization_id", "org_1", "organization", "org_1", "screen_hint", "sign-in"), oidc.StyleOIDC); err != nil || r.Organization != "org_1" || r.ScreenHint != oidc.ScreenSignIn {
		t.Errorf("%+v %v", r, err)
	}
}

// O01: what no comparison with registered URIs should have to sort out.
func TestO01_redirect_uri_that_nobody_may_have_is_shown_on_a_page(t *testing.T) {
	for _, uri := range []string{
		"https://app.example/cb#f", "https://app.example/cb#", "/cb", "//evil.example/cb", "app.example/cb", "https://user@app.example/cb", "https://user:pw@app.example/cb",
		"javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "vbscript:x", "file:///x", "https:///cb", "http:cb", "https://app.example\\@evil.example", "https://app.example/a b",
		"https://app.example/\"><script>", "https://[::1/cb", "https://app.example/`", "blob:https://x", "about:blank",
	} {
		byPage(t, replaced("redirect_uri", uri), "redirect_uri")
	}
	byPage(t, replaced("redirect_uri"), "redirect_uri")
	byPage(t, replaced("redirect_uri", ""), "redirect_uri")
	byPage(t, replaced("redirect_uri", redirectURI, redirectURI), "redirect_uri")
	for text, v := range map[string]url.Values{
		"redirect_uri is missing.": replaced("redirect_uri"), "client_id is given 2 times; it may come once.": replaced("client_id", "a", "b"), "client_id is missing.": replaced("client_id"),
	} {
		if _, err := oidc.ParseAuthorization(v, oidc.StyleOIDC); err == nil || err.(*oidc.ErrorResponse).Description != text { //nolint:errorlint // just made
			t.Errorf("%v; wanted %q", err, text)
		}
	}
	byPage(t, replaced("redirect_uri", redirectURI, "https://evil.example"), "redirect_uri")
	byPage(t, replaced("redirect_uri", "https://app.example/\r\nx"), "redirect_uri")
	byPage(t, replaced("redirect_uri", "https://app.example/"+strings.Repeat("x", 3000)), "redirect_uri")
	byPage(t, replaced("client_id"), "client_id")
	byPage(t, replaced("client_id", "a", "b"), "client_id")
	for _, uri := range []string{"com.example.app:/cb", "http://127.0.0.1:51234/cb", "http://[::1]:1/cb", "https://app.example/../cb", "https://app.example:8443/cb?a=b&c=%20"} {
		if r, err := oidc.ParseAuthorization(replaced("redirect_uri", uri), oidc.StyleOIDC); err != nil || r.RedirectURI != uri {
			t.Errorf("%s: %q %v", uri, r.RedirectURI, err)
		}
	}
}

func TestO01_a_refusal_goes_to_the_registered_uri_as_it_is_written(t *testing.T) {
	e := oidc.Refuse(oidc.InvalidScope, "no \"such\" scope\r\nSet-Cookie: \\ é")
	got, err := e.RedirectTo("https://app.example/cb?keep=%2f&b", "https://rc.example", "a b&c")
	if err != nil {
		t.Fatal(err)
	}
	want := "https://app.example/cb?keep=%2f&b&error=invalid_scope&error_description=no+%27such%27+scope%3F%3FSet-Cookie%3A+%3F+%3F&iss=https%3A%2F%2Frc.example&state=a+b%26c"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for uri, want := range map[string]string{
		"https://a.example/cb":   "https://a.example/cb?code=c&iss=i",
		"https://a.example/cb?":  "https://a.example/cb?code=c&iss=i",
		"https://a.example/cb?&": "https://a.example/cb?&code=c&iss=i",
	} {
		if got, err := oidc.RedirectWithCode(uri, "c", "i", ""); err != nil || got != want {
			t.Errorf("%s: %s %v", uri, got, err)
		}
	}
	if got, err := oidc.RedirectWithCode("https://a.example/cb", "c", "i", "s"); err != nil || got != "https://a.example/cb?code=c&iss=i&state=s" {
		t.Errorf("%s %v", got, err)
	}
	for _, uri := range []string{"https://a.example/#f", "https://[::1"} {
		if got, err := e.RedirectTo(uri, "i", ""); err == nil {
			t.Errorf("%s gave %s", uri, got)
		}
	}
}

// O02: RFC 7636, 4.3: without a method the challenge would count as "plain".
func TestO02_pkce_other_than_s256_is_refused(t *testing.T) {
	byRedirect(t, replaced("code_challenge"), oidc.InvalidRequest, "code_challenge")
	without := replaced("code_challenge")
	without.Del("code_challenge_method")
	byRedirect(t, without, oidc.InvalidRequest, "code_challenge")
	byRedirect(t, replaced("code_challenge_method"), oidc.InvalidRequest, "code_challenge_method")
	byRedirect(t, replaced("code_challenge_method", "plain"), oidc.InvalidRequest, "code_challenge_method")
	byRedirect(t, replaced("code_challenge_method", "s256"), oidc.InvalidRequest, "code_challenge_method")
	for _, bad := range []string{"x", challenge + "=", challenge[:42], challenge + "a", strings.Repeat("!", 43), challenge[:42] + "\u00e9"} {
		byRedirect(t, replaced("code_challenge", bad), oidc.InvalidRequest, "code_challenge")
	}
	for _, style := range []oidc.Style{oidc.StyleSSO, oidc.StyleUserManagement} {
		if r, err := oidc.ParseAuthorization(without, style); err != nil || r.Challenge != "" {
			t.Errorf("%s: %v", style, err)
		}
		_, err := oidc.ParseAuthorization(replaced("code_challenge_method", "plain"), style)
		told(t, err, oidc.InvalidRequest, "code_challenge_method")
		_, err = oidc.ParseAuthorization(replaced("code_challenge"), style)
		told(t, err, oidc.InvalidRequest, "code_challenge")
	}
}

func TestO02_verifier(t *testing.T) {
	const verifier, sum = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" // RFC 7636, appendix B
	if got := oidc.Challenge(verifier); got != sum {
		t.Fatal(got)
	}
	if err := oidc.CheckVerifier(sum, verifier); err != nil {
		t.Error(err)
	}
	if err := oidc.CheckVerifier("", ""); err != nil {
		t.Error(err)
	}
	for _, c := range [][2]string{
		{sum, strings.Repeat("a", 43)},
		{sum, ""},
		{"", verifier}, // downgrade: the challenge was taken out of the request
		{sum, sum},     // plain
		{oidc.Challenge("short"), "short"},
		{oidc.Challenge(strings.Repeat("a", 42)), strings.Repeat("a", 42)},
		{oidc.Challenge(strings.Repeat("a", 129)), strings.Repeat("a", 129)},
		{oidc.Challenge(strings.Repeat("a", 43) + " "), strings.Repeat("a", 43) + " "},
	} {
		e := told(t, oidc.CheckVerifier(c[0], c[1]), oidc.InvalidGrant, "code_verifier")
		if (c[1] == "") != (e.Description == "code_verifier is missing.") {
			t.Errorf("%q: %s", c[1], e.Description)
		}
		if (c[0] == "") != strings.Contains(e.Description, "asked for without code_challenge") {
			t.Errorf("%q: %s", c[0], e.Description)
		}
	}
	if err := oidc.CheckVerifier(oidc.Challenge(strings.Repeat("~", 128)), strings.Repeat("~", 128)); err != nil {
		t.Error(err)
	}
}

// O05: RFC 6749, 2.3: one method of authentication.
func TestO05_client_authentication(t *testing.T) {
	basic := func(id, secret string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
	}
	parse := func(authorization, body string, style oidc.Style) (oidc.TokenRequest, error) {
		return oidc.ParseTokenRequest(oidc.Request{
			ContentType: "application/x-www-form-urlencoded", Authorization: authorization, Body: []byte("grant_type=authorization_code&code=c&" + body),
		}, style)
	}
	for _, c := range []struct {
		authorization, body string
		style               oidc.Style
		want                oidc.ClientCredentials
	}{
		{basic("i", "s"), "", oidc.StyleOIDC, oidc.ClientCredentials{ID: "i", Secret: "s", Method: oidc.AuthBasic}},
		{basic("i", "s"), "client_id=i", oidc.StyleOIDC, oidc.ClientCredentials{ID: "i", Secret: "s", Method: oidc.AuthBasic}},
		{basic("a%3Ab", "p%2Bq%25+r:t"), "", oidc.StyleOIDC, oidc.ClientCredentials{ID: "a:b", Secret: "p+q% r:t", Method: oidc.AuthBasic}},
		{strings.Replace(basic("i", "s"), "Basic", "bASIC ", 1), "", oidc.StyleOIDC, oidc.ClientCredentials{ID: "i", Secret: "s", Method: oidc.AuthBasic}},
		{"", "client_id=i&client_secret=s%2Bt", oidc.StyleOIDC, oidc.ClientCredentials{ID: "i", Secret: "s+t", Method: oidc.AuthPost}},
		{"", "client_id=i", oidc.StyleOIDC, oidc.ClientCredentials{ID: "i", Method: oidc.AuthNone}},
		{"", "client_id=i&client_secret=", oidc.StyleOIDC, oidc.ClientCredentials{ID: "i", Method: oidc.AuthNone}},
		{"Bearer k", "client_id=i", oidc.StyleSSO, oidc.ClientCredentials{ID: "i", Secret: "k", Method: oidc.AuthBearer}},
		{"Bearer k", "client_id=i&client_secret=k", oidc.StyleSSO, oidc.ClientCredentials{ID: "i", Secret: "k", Method: oidc.AuthPost}},
	} {
		got, err := parse(c.authorization, c.body, c.style)
		if err != nil || got.Client != c.want {
			t.Errorf("%q %q: %+v %v", c.authorization, c.body, got.Client, err)
		}
	}
	for _, c := range []struct {
		authorization, body string
		style               oidc.Style
		code                oidc.ErrorCode
		field               string
	}{
		{basic("i", "s"), "client_secret=s", oidc.StyleOIDC, oidc.InvalidRequest, "client_secret"},
		{basic("i", "s"), "client_id=i&client_secret=other", oidc.StyleOIDC, oidc.InvalidRequest, "client_secret"},
		{basic("i", "s"), "client_id=j", oidc.StyleOIDC, oidc.InvalidRequest, "client_id"},
		{"", "", oidc.StyleOIDC, oidc.InvalidClient, "client_id"},
		{"", "client_secret=s", oidc.StyleOIDC, oidc.InvalidClient, "client_id"},
		{"", "client_id=i&client_id=j", oidc.StyleOIDC, oidc.InvalidRequest, "client_id"},
		{"", "client_id=i&client_secret=s&client_secret=t", oidc.StyleOIDC, oidc.InvalidRequest, "client_secret"},
		{"", "client_id=i&client_assertion=a.b.c", oidc.StyleOIDC, oidc.InvalidClient, "client_assertion"},
		{basic("i", "s"), "client_assertion_type=x", oidc.StyleOIDC, oidc.InvalidClient, "client_assertion"},
		{"Basic !!!", "", oidc.StyleOIDC, oidc.InvalidClient, "Authorization"},
		{"Basic", "", oidc.StyleOIDC, oidc.InvalidClient, "Authorization"},
		{"Basic " + base64.StdEncoding.EncodeToString([]byte("nocolon")), "", oidc.StyleOIDC, oidc.InvalidClient, "Authorization"},
		{basic("%zz", "s"), "", oidc.StyleOIDC, oidc.InvalidClient, "Authorization"},
		{basic("i", "%zz"), "", oidc.StyleOIDC, oidc.InvalidClient, "Authorization"},
		{basic("", "s"), "client_id=i", oidc.StyleOIDC, oidc.InvalidClient, "Authorization"},
		{basic("i", ""), "", oidc.StyleOIDC, oidc.InvalidClient, "Authorization"},
		{basic(strings.Repeat("i", 600), "s"), "", oidc.StyleOIDC, oidc.InvalidClient, "Authorization"},
		{basic("i", strings.Repeat("s", 600)), "", oidc.StyleOIDC, oidc.InvalidClient, "Authorization"},
		{basic("i", strings.Repeat("s", 9000)), "", oidc.StyleOIDC, oidc.InvalidClient, "Authorization"},
		{"Bearer k", "client_id=i", oidc.StyleOIDC, oidc.InvalidClient, "Authorization"},
		{"Digest x", "client_id=i", oidc.StyleSSO, oidc.InvalidClient, "Authorization"},
		{"Bearer k", "", oidc.StyleSSO, oidc.InvalidClient, "client_id"},
		{"Bearer ", "client_id=i", oidc.StyleSSO, oidc.InvalidClient, "Authorization"},
		{"Bearer " + strings.Repeat("k", 513), "client_id=i", oidc.StyleSSO, oidc.InvalidClient, "Authorization"},
		{"Bearer k", "client_id=i&client_secret=other", oidc.StyleSSO, oidc.InvalidRequest, "client_secret"},
	} {
		got, err := parse(c.authorization, c.body, c.style)
		if told(t, err, c.code, c.field); got.Client != (oidc.ClientCredentials{}) || got.Code != "" {
			t.Errorf("%.40q %q gave %+v", c.authorization, c.body, got.Client)
		}
	}
}

// O05: RFC 6749, 2.3.1 and 3.2: nothing in the address, and a form.
func TestO05_secrets_in_the_address_and_other_bodies_are_refused(t *testing.T) {
	const body = "grant_type=authorization_code&code=c&client_id=i"
	for _, style := range []oidc.Style{oidc.StyleOIDC, oidc.StyleSSO, oidc.StyleUserManagement} {
		for _, name := range []string{"client_secret", "code", "code_verifier", "refresh_token", "client_id", "grant_type", "access_token", "token", "client_assertion"} {
			_, err := oidc.ParseTokenRequest(oidc.Request{ContentType: "application/x-www-form-urlencoded", Query: "a=b&" + name + "=x", Body: []byte(body)}, style)
			told(t, err, oidc.InvalidRequest, name)
		}
		_, err := oidc.ParseTokenRequest(oidc.Request{ContentType: "application/x-www-form-urlencoded", Query: "%zz", Body: []byte(body)}, style)
		told(t, err, oidc.InvalidRequest, "")
		for _, kind := range []string{"", "text/plain", "multipart/form-data; boundary=x", "application/xml", "application/x-www-form-urlencoded; =", "application/json+x"} {
			_, err := oidc.ParseTokenRequest(oidc.Request{ContentType: kind, Body: []byte(body)}, style)
			if e := told(t, err, oidc.InvalidRequest, "Content-Type"); strings.Contains(e.Description, "json") != style.Compatible() {
				t.Errorf("%s: %s", style, e.Description)
			}
		}
		_, err = oidc.ParseTokenRequest(oidc.Request{ContentType: "application/x-www-form-urlencoded", Body: []byte("a=%zz")}, style)
		told(t, err, oidc.InvalidRequest, "")
		_, err = oidc.ParseTokenRequest(oidc.Request{ContentType: "application/x-www-form-urlencoded", Body: []byte(body + "&x=" + strings.Repeat("x", oidc.MaxTokenBody))}, style)
		told(t, err, oidc.InvalidRequest, "")
		if _, err := oidc.ParseTokenRequest(oidc.Request{ContentType: "Application/X-WWW-Form-Urlencoded; charset=UTF-8", Body: []byte(body)}, style); err != nil {
			t.Errorf("%s: %v", style, err)
		}
	}
	_, err := oidc.ParseTokenRequest(oidc.Request{ContentType: "application/json", Body: []byte(`{"grant_type":"authorization_code","client_id":"i","code":"c"}`)}, oidc.StyleOIDC)
	told(t, err, oidc.InvalidRequest, "Content-Type")
}

func TestTokenRequest_as_json_on_the_compatible_routes(t *testing.T) {
	parse := func(body string) (oidc.TokenRequest, error) {
		return oidc.ParseTokenRequest(oidc.Request{ContentType: "application/json; charset=utf-8", Body: []byte(body)}, oidc.StyleUserManagement)
	}
	got, err := parse(`{"grant_type":"refresh_token","client_id":"i","client_secret":"s","refresh_token":"r","organization_id":"org_1","ip_address":null,"user_agent":"u","invitation_token":"inv","extra":{"a":[1]}}`)
	want := oidc.TokenRequest{
		Grant: oidc.GrantRefresh, Client: oidc.ClientCredentials{ID: "i", Secret: "s", Method: oidc.AuthPost}, RefreshToken: "r", Organization: "org_1", UserAgent: "u", Invitation: "inv",
	}
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v %s", err, cmp.Diff(want, got))
	}
	got, err = parse(`{"grant_type":"urn:workos:oauth:grant-type:magic-auth:code","client_id":"i","code":"123456","email":"a@b.example","ip_address":"203.0.113.4"}`)
	want = oidc.TokenRequest{Grant: oidc.GrantMagicAuth, Client: oidc.ClientCredentials{ID: "i", Method: oidc.AuthNone}, Code: "123456", Email: "a@b.example", IPAddress: "203.0.113.4"}
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v %s", err, cmp.Diff(want, got))
	}
	for body, field := range map[string]string{
		`{"grant_type":"authorization_code","client_id":"i","code":7}`:     "code",
		`{"grant_type":"authorization_code","client_id":"i","code":null}`:  "code",
		`{"grant_type":"authorization_code","client_id":["i"],"code":"c"}`: "client_id",
		`{"grant_type":"authorization_code","grant_type":"refresh_token"}`: "",
		`[]`: "", `null`: "", ``: "", `"x"`: "", `{`: "",
		`{"client_id":"i","code":"c"}`: "grant_type",
		`{"grant_type":"urn:workos:oauth:grant-type:magic-auth:code","client_id":"i","code":"1"}`: "email",
	} {
		_, err := parse(body)
		told(t, err, oidc.InvalidRequest, field)
	}
}

func TestTokenRequest_grants(t *testing.T) {
	parse := func(style oidc.Style, body string) (oidc.TokenRequest, error) {
		return oidc.ParseTokenRequest(oidc.Request{ContentType: "application/x-www-form-urlencoded", Body: []byte("client_id=i&" + body)}, style)
	}
	got, err := parse(oidc.StyleOIDC, "grant_type=authorization_code&code=c&redirect_uri=https%3A%2F%2Fa.example&code_verifier=v&organization_id=org_1")
	if err != nil || got.Code != "c" || got.RedirectURI != "https://a.example" || got.Verifier != "v" || got.Organization != "" {
		t.Errorf("%+v %v", got, err)
	}
	got, err = parse(oidc.StyleOIDC, "grant_type=refresh_token&refresh_token=r&scope=openid+email+openid")
	if err != nil || got.RefreshToken != "r" || !slices.Equal(got.Scope, []string{"openid", "email"}) {
		t.Errorf("%+v %v", got, err)
	}
	for _, c := range []struct {
		style oidc.Style
		body  string
		code  oidc.ErrorCode
		field string
	}{
		{oidc.StyleOIDC, "", oidc.InvalidRequest, "grant_type"},
		{oidc.StyleOIDC, "grant_type=authorization_code&grant_type=refresh_token&code=c", oidc.InvalidRequest, "grant_type"},
		{oidc.StyleOIDC, "grant_type=authorization_code", oidc.InvalidRequest, "code"},
		{oidc.StyleOIDC, "grant_type=authorization_code&code=c&code=d", oidc.InvalidRequest, "code"},
		{oidc.StyleOIDC, "grant_type=refresh_token", oidc.InvalidRequest, "refresh_token"},
		{oidc.StyleOIDC, "grant_type=refresh_token&refresh_token=r&scope=%22", oidc.InvalidScope, "scope"},
		{oidc.StyleOIDC, "grant_type=password&username=a&password=b", oidc.UnsupportedGrantType, "grant_type"},
		{oidc.StyleOIDC, "grant_type=client_credentials", oidc.UnsupportedGrantType, "grant_type"},
		{oidc.StyleOIDC, "grant_type=" + url.QueryEscape(string(oidc.GrantMagicAuth)) + "&code=1&email=a", oidc.UnsupportedGrantType, "grant_type"},
		{oidc.StyleSSO, "grant_type=" + url.QueryEscape(string(oidc.GrantMagicAuth)) + "&code=1&email=a", oidc.UnsupportedGrantType, "grant_type"},
		{oidc.StyleUserManagement, "grant_type=password&code=1&email=a&password=b", oidc.MethodNotAllowed, "grant_type"},
		{oidc.StyleSSO, "grant_type=refresh_token&refresh_token=r", oidc.UnsupportedGrantType, "grant_type"},
		{oidc.StyleOIDC, "grant_type=authorization_code&code=" + strings.Repeat("c", 513), oidc.InvalidRequest, "code"},
		{oidc.StyleOIDC, "grant_type=authorization_code&code=c%00", oidc.InvalidRequest, "code"},
	} {
		_, err := parse(c.style, c.body)
		told(t, err, c.code, c.field)
	}
}

// O06: OpenID Connect Core 1.0, 3.1.2.6.
func TestO06_request_objects_are_refused_in_their_own_words(t *testing.T) {
	byRedirect(t, request("request", "a.b.c"), oidc.RequestNotSupported, "request")
	byRedirect(t, request("request_uri", "https://app.example/r"), oidc.RequestURINotSupported, "request_uri")
	byRedirect(t, request("registration", "{}"), oidc.RegistrationNotSupported, "registration")
	byRedirect(t, request("request", "", "request", "a.b.c"), oidc.RequestNotSupported, "request")
	if _, err := oidc.ParseAuthorization(request("request", ""), oidc.StyleOIDC); err != nil {
		t.Error(err)
	}
}

func TestO06_response_type_and_mode(t *testing.T) {
	byRedirect(t, replaced("response_type"), oidc.InvalidRequest, "response_type")
	byRedirect(t, replaced("response_type", "code", "code"), oidc.InvalidRequest, "response_type")
	for _, kind := range []string{"token", "id_token", "code id_token", "code token", "none", "CODE"} {
		byRedirect(t, replaced("response_type", kind), oidc.UnsupportedResponseType, "response_type")
	}
	for _, mode := range []string{"fragment", "form_post", "query.jwt", "QUERY"} {
		byRedirect(t, request("response_mode", mode), oidc.InvalidRequest, "response_mode")
	}
}

func TestO06_prompt_max_age_and_hints(t *testing.T) {
	if r, err := oidc.ParseAuthorization(request("prompt", "none"), oidc.StyleOIDC); err != nil || !r.Prompts(oidc.PromptNone) {
		t.Errorf("%+v %v", r, err)
	}
	for _, bad := range []string{"none login", "login none", "sometimes", "NONE"} {
		byRedirect(t, request("prompt", bad), oidc.InvalidRequest, "prompt")
	}
	for text, want := range map[string]time.Duration{"0": 0, "60": time.Minute, "2147483647": (1<<31 - 1) * time.Second} {
		if r, err := oidc.ParseAuthorization(request("max_age", text), oidc.StyleOIDC); err != nil || r.MaxAge == nil || *r.MaxAge != want {
			t.Errorf("%s: %v %v", text, r.MaxAge, err)
		}
	}
	for _, bad := range []string{"-1", "1.5", "x", "0x10", "1e3", "99999999999999999999", "+5"} {
		byRedirect(t, request("max_age", bad), oidc.InvalidRequest, "max_age")
	}
	if r, err := oidc.ParseAuthorization(request("max_age", ""), oidc.StyleOIDC); err != nil || r.MaxAge != nil {
		t.Errorf("an empty max_age counts: %v", err)
	}
	byRedirect(t, request("login_hint", "a\r\nSet-Cookie: x"), oidc.InvalidRequest, "login_hint")
	byRedirect(t, request("login_hint", "a\x00"), oidc.InvalidRequest, "login_hint")
	byRedirect(t, request("login_hint", "\xff"), oidc.InvalidRequest, "login_hint")
	byRedirect(t, request("login_hint", "a\x7f"), oidc.InvalidRequest, "login_hint")
	byRedirect(t, request("login_hint", strings.Repeat("a", 2049)), oidc.InvalidRequest, "login_hint")
	byRedirect(t, request("id_token_hint", strings.Repeat("a", 8193)), oidc.InvalidRequest, "id_token_hint")
	byRedirect(t, request("screen_hint", "other"), oidc.InvalidRequest, "screen_hint")
	byRedirect(t, request("login_hint", "a", "login_hint", "b"), oidc.InvalidRequest, "login_hint")
}

func TestAuthorization_state_may_have_four_kibibytes(t *testing.T) {
	long := strings.Repeat("s", 4096)
	if r, err := oidc.ParseAuthorization(replaced("state", long), oidc.StyleSSO); err != nil || r.State != long {
		t.Error(err)
	}
	byRedirect(t, replaced("state", long+"s"), oidc.InvalidRequest, "state")
	byRedirect(t, replaced("state", "a", "b"), oidc.InvalidRequest, "state")
	// What else is wrong, the state goes back with the refusal.
	r, err := oidc.ParseAuthorization(request("response_mode", "fragment"), oidc.StyleOIDC)
	if told(t, err, oidc.InvalidRequest, "response_mode"); r.State != "s" || r.Scope != nil {
		t.Errorf("%+v", r)
	}
}

func TestAuthorization_scope(t *testing.T) {
	byRedirect(t, replaced("scope"), oidc.InvalidScope, "scope")
	byRedirect(t, replaced("scope", "email"), oidc.InvalidScope, "scope")
	byRedirect(t, replaced("scope", `openid "x"`), oidc.InvalidScope, "scope")
	byRedirect(t, replaced("scope", `openid a\b`), oidc.InvalidScope, "scope")
	byRedirect(t, replaced("scope", "openid é"), oidc.InvalidScope, "scope")
	var many []string
	for i := range 50 {
		many = append(many, fmt.Sprint("s", i))
	}
	byRedirect(t, replaced("scope", "openid "+strings.Join(many, " ")), oidc.InvalidScope, "scope")
	if r, err := oidc.ParseAuthorization(replaced("scope", "openid openid  email "), oidc.StyleOIDC); err != nil || !slices.Equal(r.Scope, []string{"openid", "email"}) {
		t.Errorf("%v %v", r.Scope, err)
	}
	if r, err := oidc.ParseAuthorization(replaced("scope"), oidc.StyleSSO); err != nil || r.Scope != nil {
		t.Errorf("%v %v", r.Scope, err)
	}
}

func TestParseScope(t *testing.T) {
	for _, bad := range []string{"a\x01b", "a\"", "a\\b", "\x7f", "é"} {
		if got, ok := oidc.ParseScope(bad); ok {
			t.Errorf("%q gave %v", bad, got)
		}
	}
	if got, ok := oidc.ParseScope(" a  b a "); !ok || !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("%v", got)
	}
}

func TestAuthorization_lists_are_bounded(t *testing.T) {
	byRedirect(t, request("provider_scopes", strings.Repeat("a,", 51)), oidc.InvalidRequest, "provider_scopes")
	v := request()
	for i := range 51 {
		v.Set(fmt.Sprintf("provider_query_params[k%d]", i), "v")
	}
	byRedirect(t, v, oidc.InvalidRequest, "provider_query_params")
	byRedirect(t, request("provider_query_params[a]", "1", "provider_query_params[a]", "2"), oidc.InvalidRequest, "provider_query_params[a]")
	r, err := oidc.ParseAuthorization(request("provider_scopes[]", "a", "provider_query_params[]", "1", "provider_query_params", "x", "provider_query_params[a", "y", "x]", "z"), oidc.StyleOIDC)
	if err != nil || !slices.Equal(r.ProviderScopes, []string{"a"}) || r.ProviderQuery != nil {
		t.Errorf("%+v %v", r, err)
	}
}

// O07, as far as it is grammar: a foreign hint is no hint, and the address is looked at.
func TestO07_end_session(t *testing.T) {
	got, err := oidc.ParseEndSession(url.Values{
		"id_token_hint": {"a.b.c"}, "logout_hint": {"h"}, "client_id": {"i"}, "post_logout_redirect_uri": {"https://app.example/bye"}, "state": {"s"}, "ui_locales": {"de"},
	})
	want := oidc.EndSessionRequest{IDTokenHint: "a.b.c", LogoutHint: "h", ClientID: "i", PostLogoutRedirectURI: "https://app.example/bye", State: "s", UILocales: "de"}
	if err != nil || got != want {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := oidc.ParseEndSession(url.Values{}); err != nil || got != (oidc.EndSessionRequest{}) {
		t.Errorf("%+v %v", got, err)
	}
	for field, v := range map[string]url.Values{
		"id_token_hint":            {"id_token_hint": {"a", "b"}},
		"state":                    {"state": {strings.Repeat("s", 4097)}},
		"post_logout_redirect_uri": {"post_logout_redirect_uri": {"javascript:alert(1)"}},
	} {
		_, err := oidc.ParseEndSession(v)
		if told(t, err, oidc.InvalidRequest, field).Redirectable {
			t.Errorf("%s would be sent by a redirect", field)
		}
	}
	if got, err := oidc.RedirectAfterLogout("https://app.example/bye?a", "s t"); err != nil || got != "https://app.example/bye?a&state=s+t" {
		t.Errorf("%s %v", got, err)
	}
	if got, err := oidc.RedirectAfterLogout("https://app.example/bye", ""); err != nil || got != "https://app.example/bye" {
		t.Errorf("%s %v", got, err)
	}
}

// O08: the requests; whose token it is, the issuer knows.
func TestO08_introspection_and_revocation_requests(t *testing.T) {
	parse := func(in oidc.Request) (oidc.TokenQuestion, error) { return oidc.ParseTokenQuestion(in) }
	form := func(body string) oidc.Request {
		return oidc.Request{ContentType: "application/x-www-form-urlencoded", Body: []byte(body)}
	}
	got, err := parse(form("token=t&token_type_hint=refresh_token&client_id=i&client_secret=s"))
	if err != nil || got.Token != "t" || got.Hint != "refresh_token" || got.Client != (oidc.ClientCredentials{ID: "i", Secret: "s", Method: oidc.AuthPost}) {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := parse(form("token=t&token_type_hint=access_token&client_id=i")); err != nil || got.Hint != "access_token" {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := parse(form("token=t&token_type_hint=magic&client_id=i")); err != nil || got.Hint != "" {
		t.Errorf("%+v %v", got, err)
	}
	for body, field := range map[string]string{"client_id=i": "token", "token=a&token=b&client_id=i": "token", "client_id=i&token=" + strings.Repeat("t", 8193): "token"} {
		got, err := parse(form(body))
		if told(t, err, oidc.InvalidRequest, field); got.Token != "" {
			t.Error(got.Token)
		}
	}
	_, err = parse(form("token=t"))
	told(t, err, oidc.InvalidClient, "client_id")
	_, err = parse(oidc.Request{ContentType: "application/x-www-form-urlencoded", Query: "token=t", Body: []byte("client_id=i")})
	told(t, err, oidc.InvalidRequest, "token")
	_, err = parse(oidc.Request{ContentType: "application/json", Body: []byte(`{"token":"t","client_id":"i"}`)})
	told(t, err, oidc.InvalidRequest, "Content-Type")
}

func signingKey(t *testing.T, alg oidc.Algorithm) oidc.SigningKey {
	t.Helper()
	key, err := oidc.NewSigningKey(alg, now)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func public(t *testing.T, k oidc.SigningKey) oidc.PublicKey {
	t.Helper()
	p, err := k.Public()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSigningKey_survives_being_kept(t *testing.T) {
	for _, alg := range []oidc.Algorithm{oidc.ES256, oidc.RS256} {
		key := signingKey(t, alg)
		data, err := key.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := oidc.UnmarshalSigningKey(data)
		if err != nil || again.KID != key.KID || again.Alg != alg || string(again.Certificate) != string(key.Certificate) {
			t.Fatalf("%v %v", again, err)
		}
		raw, err := oidc.Sign(again, oidc.TypeIDToken, map[string]any{"sub": "x"})
		if err != nil {
			t.Fatal(err)
		}
		stored, err := public(t, key).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		pub, err := oidc.ParsePublicKey(stored)
		if err != nil || pub.KID() != key.KID || pub.Alg() != alg {
			t.Fatalf("%v %v", pub, err)
		}
		if claims, err := oidc.VerifyOwn(raw, []oidc.PublicKey{pub}, oidc.TypeIDToken); err != nil || claims["sub"] != "x" {
			t.Errorf("%v %v", claims, err)
		}
	}
	if _, err := oidc.NewSigningKey("HS256", now); err == nil {
		t.Error("made a symmetric key")
	}
}

func TestSigningKey_that_was_not_written_here_is_refused(t *testing.T) {
	pkcs8 := func(key any) []byte {
		data, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	stored := func(alg string, der []byte) []byte {
		data, err := json.Marshal(map[string]any{"alg": alg, "pkcs8": der})
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for _, data := range [][]byte{nil, []byte("{}"), stored("RS256", []byte("x")), stored("ES256", pkcs8(keys().rsa)), stored("RS256", pkcs8(keys().ec)), stored("ES256", pkcs8(keys().ec384)), stored("EdDSA", pkcs8(keys().ed))} {
		if k, err := oidc.UnmarshalSigningKey(data); err == nil {
			t.Errorf("%s gave %v", data, k)
		}
	}
	private, err := json.Marshal(jwk(keys().ec, "x", func(m map[string]any) { m["alg"] = "ES256" }))
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range []string{"", "{}", string(private), `{"kty":"oct","k":"AAAA","kid":"x","alg":"HS256"}`} {
		if k, err := oidc.ParsePublicKey([]byte(data)); err == nil {
			t.Errorf("%s gave %v", data, k)
		}
	}
	for _, lacks := range []string{"alg", "kid"} {
		data, err := json.Marshal(jwk(keys().ec.Public(), "x", func(m map[string]any) { m["alg"] = "ES256"; delete(m, lacks) }))
		if err != nil {
			t.Fatal(err)
		}
		if k, err := oidc.ParsePublicKey(data); err == nil {
			t.Errorf("%s gave %v", data, k)
		}
	}
}

// O11: what the contract's JwksResponse wants of an RS256 key.
func TestO11_key_set_has_what_the_contract_wants_and_nothing_private(t *testing.T) {
	rs, es := signingKey(t, oidc.RS256), signingKey(t, oidc.ES256)
	data, err := oidc.PublicJWKS([]oidc.PublicKey{public(t, rs), public(t, es)})
	if err != nil {
		t.Fatal(err)
	}
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(data, &set); err != nil {
		t.Fatal(err)
	}
	k := set.Keys[0]
	if len(set.Keys) != 2 || k["alg"] != "RS256" || k["kty"] != "RSA" || k["use"] != "sig" || k["kid"] != rs.KID || k["e"] != "AQAB" || k["n"] == "" {
		t.Fatalf("%s", data)
	}
	der, err := base64.StdEncoding.DecodeString(k["x5c"].([]any)[0].(string))
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	if !certificate.PublicKey.(*rsa.PublicKey).Equal(rs.Private.Public()) || k["x5t#S256"] != base64.RawURLEncoding.EncodeToString(sum[:]) {
		t.Errorf("the certificate is not the key's")
	}
	if certificate.PublicKey.(*rsa.PublicKey).N.BitLen() != 2048 || certificate.NotAfter.Sub(now) < 9*365*24*time.Hour {
		t.Errorf("%v until %v", certificate.Subject, certificate.NotAfter)
	}
	if e := set.Keys[1]; e["alg"] != "ES256" || e["crv"] != "P-256" || e["kid"] != es.KID || len(es.KID) != 43 || e["use"] != "sig" || e["x5c"] != nil {
		t.Errorf("%v", e)
	}
	for _, k := range set.Keys {
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
			if _, there := k[private]; there {
				t.Errorf("%s is published", private)
			}
		}
	}
	if empty, err := oidc.PublicJWKS(nil); err != nil || string(empty) != `{"keys":[]}` {
		t.Errorf("%s %v", empty, err)
	}
	if _, err := oidc.ParseKeySet(data); err != nil {
		t.Errorf("our own relying party cannot read it: %v", err)
	}
}

func idToken(t *testing.T, key oidc.SigningKey, change func(map[string]any)) string {
	t.Helper()
	claims := oidc.IDTokenClaims{
		Issuer: "https://rc.example", Subject: "user_1", ClientID: "client_1", IssuedAt: now.Add(-time.Hour), Expires: now.Add(-30 * time.Minute), AuthTime: now.Add(-2 * time.Hour),
		Nonce: "n", SID: "session_1", ACR: "a", AMR: []string{"sso"}, AccessToken: "t", Extra: map[string]any{"email": "a@b.example", "sub": "evil", "iss": "evil", "aud": "evil", "exp": 0, "sid": "evil", "events": 1},
	}.Claims(key.Alg)
	if change != nil {
		change(claims)
	}
	raw, err := oidc.Sign(key, oidc.TypeIDToken, claims)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestIDTokenClaims_about_a_person_replace_no_other(t *testing.T) {
	key := signingKey(t, oidc.ES256)
	got, err := oidc.VerifyOwn(idToken(t, key, nil), []oidc.PublicKey{public(t, key)}, oidc.TypeIDToken)
	want := map[string]any{
		"iss": "https://rc.example", "sub": "user_1", "aud": "client_1", "iat": float64(now.Add(-time.Hour).Unix()), "exp": float64(now.Add(-30 * time.Minute).Unix()),
		"auth_time": float64(now.Add(-2 * time.Hour).Unix()), "nonce": "n", "sid": "session_1", "acr": "a", "amr": []any{"sso"}, "at_hash": oidc.AccessTokenHash(oidc.ES256, "t"), "email": "a@b.example",
	}
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v %s", err, cmp.Diff(want, got))
	}
	bare := oidc.IDTokenClaims{Issuer: "i", Subject: "s", ClientID: "c", IssuedAt: now, Expires: now, Extra: map[string]any{"nonce": "evil", "at_hash": "evil", "auth_time": 1, "amr": 1, "azp": "evil", "sid": "evil", "acr": "evil"}}.Claims(oidc.ES256)
	if len(bare) != 5 {
		t.Errorf("%v", bare)
	}
	if got := (oidc.IDTokenClaims{Subject: "s"}).Claims(oidc.ES256); got["sub"] != "s" {
		t.Errorf("%v", got)
	}
}

func TestSign_names_its_key_and_type(t *testing.T) {
	key := signingKey(t, oidc.ES256)
	for _, typ := range []oidc.Type{oidc.TypeIDToken, oidc.TypeAccessToken, oidc.TypeLogoutToken} {
		raw, err := oidc.Sign(key, typ, struct {
			Sub string `json:"sub"`
		}{"x"})
		if err != nil {
			t.Fatal(err)
		}
		header, err := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[0])
		if err != nil || string(header) != fmt.Sprintf(`{"alg":"ES256","kid":%q,"typ":%q}`, key.KID, typ) {
			t.Errorf("%s %v", header, err)
		}
	}
	if _, err := oidc.Sign(key, oidc.TypeIDToken, map[string]any{"x": func() {}}); err == nil {
		t.Error("signed what cannot be encoded")
	}
	if _, err := oidc.Sign(oidc.SigningKey{Alg: "none", Private: keys().rsa}, oidc.TypeIDToken, map[string]any{}); err == nil {
		t.Error("signed with none")
	}
}

func TestVerifyOwn_refuses_what_is_not_ours(t *testing.T) {
	key, other := signingKey(t, oidc.ES256), signingKey(t, oidc.ES256)
	ours := []oidc.PublicKey{public(t, key)}
	raw := idToken(t, key, nil)
	parts := strings.Split(raw, ".")
	stranger := other
	stranger.KID = key.KID
	access, err := oidc.Sign(key, oidc.TypeAccessToken, map[string]any{"sub": "x"})
	if err != nil {
		t.Fatal(err)
	}
	list, err := oidc.Sign(key, oidc.TypeIDToken, []int{1})
	if err != nil {
		t.Fatal(err)
	}
	null, err := oidc.Sign(key, oidc.TypeIDToken, nil)
	if err != nil {
		t.Fatal(err)
	}
	long := idToken(t, key, func(m map[string]any) { m["x"] = strings.Repeat("x", 9000) })
	for name, token := range map[string]string{
		"null": null, "long": long,
		"of another key": idToken(t, other, nil), "of another key with our kid": idToken(t, stranger, nil), "access token": access, "without signature": parts[0] + "." + parts[1] + ".",
		"changed": parts[0] + "." + encode(t, map[string]any{"sub": "admin"}) + "." + parts[2], "nothing": "", "text": "x", "too long": strings.Repeat("x", 9000), "no claims": list,
		"none":  encode(t, map[string]any{"alg": "none", "kid": key.KID, "typ": "JWT"}) + "." + parts[1] + ".",
		"hs256": newPeer(t).with("HS256", key.KID, der(t, key.Private.Public())).token(),
	} {
		claims, err := oidc.VerifyOwn(token, ours, oidc.TypeIDToken)
		if f := refused(t, err, "invalid_token", ""); claims != nil || f.Kind != fault.Unauthorized {
			t.Errorf("%s: %v %v", name, claims, f.Kind)
		}
	}
	if _, err := oidc.VerifyOwn(raw, nil, oidc.TypeIDToken); err == nil {
		t.Error("accepted without keys")
	}
	if _, err := oidc.VerifyOwn(raw, append([]oidc.PublicKey{{}, public(t, other)}, ours...), oidc.TypeIDToken); err != nil {
		t.Error(err)
	}
}

// O06, O07, O11: an expired hint still says who is meant; a foreign or changed one says nothing.
func TestO07_id_token_hint(t *testing.T) {
	key, old := signingKey(t, oidc.ES256), signingKey(t, oidc.RS256)
	ours := []oidc.PublicKey{public(t, key), public(t, old)}
	hint := func(raw, clientID string) (oidc.Hint, error) {
		return oidc.VerifyHint(raw, ours, "https://rc.example", clientID, now)
	}
	want := oidc.Hint{Subject: "user_1", ClientID: "client_1", SID: "session_1", IssuedAt: now.Add(-time.Hour), Expired: true}
	for _, k := range []oidc.SigningKey{key, old} {
		if got, err := hint(idToken(t, k, nil), "client_1"); err != nil || got != want {
			t.Errorf("%+v %v", got, err)
		}
	}
	got, err := hint(idToken(t, key, func(m map[string]any) { m["exp"] = now.Add(time.Second).Unix() }), "")
	if err != nil || got.Expired || got.ClientID != "client_1" {
		t.Errorf("%+v %v", got, err)
	}
	for name, change := range map[string]func(map[string]any){
		"issuer":        func(m map[string]any) { m["iss"] = "https://other.example" },
		"audience":      func(m map[string]any) { m["aud"] = "client_2" },
		"two audiences": func(m map[string]any) { m["aud"] = []string{"client_1", "client_2"} },
		"no audience":   func(m map[string]any) { delete(m, "aud") },
		"no subject":    func(m map[string]any) { delete(m, "sub") },
		"no iat":        func(m map[string]any) { delete(m, "iat") },
		"no exp":        func(m map[string]any) { delete(m, "exp") },
		"sid a number":  func(m map[string]any) { m["sid"] = 7 },
	} {
		got, err := hint(idToken(t, key, change), "client_1")
		if f := refused(t, err, "invalid_token", ""); got != (oidc.Hint{}) || f.Kind != fault.Unauthorized {
			t.Errorf("%s: %+v", name, got)
		}
	}
	_, err = hint(idToken(t, signingKey(t, oidc.ES256), nil), "client_1")
	refused(t, err, "invalid_token", "")
	logout, err := oidc.Sign(key, oidc.TypeLogoutToken, oidc.LogoutClaims("https://rc.example", "client_1", "user_1", "session_1", "j", now))
	if err != nil {
		t.Fatal(err)
	}
	_, err = hint(logout, "client_1")
	refused(t, err, "invalid_token", "")
}

func TestErrorResponse_says_the_kind_and_the_json(t *testing.T) {
	for code, kind := range map[oidc.ErrorCode]fault.Kind{
		oidc.InvalidClient: fault.Unauthorized, oidc.InvalidToken: fault.Unauthorized, oidc.InsufficientScope: fault.Forbidden, oidc.InvalidGrant: fault.Invalid, oidc.ServerError: fault.Internal, oidc.TemporarilyUnavailable: fault.Unavailable,
	} {
		if got := oidc.Refuse(code, "x").Kind(); got != kind {
			t.Errorf("%s is %s", code, got)
		}
	}
	cause := errors.New("the database said so")
	e := oidc.Refuse(oidc.ServerError, "Try %s.", "again").Because(cause)
	if got := string(e.JSON()); got != `{"error":"server_error","error_description":"Try again."}` {
		t.Error(got)
	}
	if !errors.Is(e, cause) || !strings.Contains(e.Error(), "the database said so") {
		t.Error(e)
	}
	if got := string(oidc.Refuse(oidc.InvalidGrant, "").JSON()); got != `{"error":"invalid_grant"}` {
		t.Error(got)
	}
}

// RFC 6749, 4.1.2.1: whatever a description quotes, it stays printable ASCII.
func TestErrorResponse_never_leaves_its_alphabet(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		e := oidc.Refuse(oidc.InvalidRequest, "%s", rapid.String().Draw(r, "text"))
		to, err := e.RedirectTo("https://app.example/cb", "https://rc.example", "s")
		if err != nil {
			r.Fatal(err)
		}
		u, err := url.Parse(to)
		if err != nil {
			r.Fatal(err)
		}
		for _, c := range u.Query().Get("error_description") {
			if c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
				r.Fatalf("%q", c)
			}
		}
	})
}
