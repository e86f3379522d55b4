package oidc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/oidc"
)

func discovery(t *testing.T, change map[string]any) []byte {
	t.Helper()
	doc := merged(map[string]any{
		"issuer": issuer, "authorization_endpoint": issuer + "/authorize", "token_endpoint": issuer + "/token",
		"userinfo_endpoint": issuer + "/userinfo", "jwks_uri": issuer + "/jwks", "end_session_endpoint": issuer + "/logout",
		"response_types_supported": []string{"code", "id_token"}, "id_token_signing_alg_values_supported": []string{"HS256", "none", "ES256", "RS256", "ES256K"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "tls_client_auth"},
		"scopes_supported":                      []string{"openid", "email"}, "code_challenge_methods_supported": []string{"plain", "S256"},
		"authorization_response_iss_parameter_supported": true, "backchannel_logout_supported": "true",
	}, change)
	for k, v := range doc {
		if v == nil {
			delete(doc, k)
		}
	}
	data, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestDiscovery_takes_of_the_document_what_is_used_and_allowed(t *testing.T) {
	d, err := oidc.ParseDiscovery(discovery(t, nil), issuer, false)
	if err != nil {
		t.Fatal(err)
	}
	if d.Issuer != issuer || d.AuthorizationEndpoint != issuer+"/authorize" || d.TokenEndpoint != issuer+"/token" || d.UserInfoEndpoint != issuer+"/userinfo" ||
		d.JWKSURI != issuer+"/jwks" || d.EndSessionEndpoint != issuer+"/logout" || !d.IssParameter || !d.PKCE || !d.BackChannelLogout {
		t.Errorf("%+v", d)
	}
	if got := fmt.Sprint(d.Algorithms, d.AuthMethods, d.Scopes); got != "[RS256 ES256] [client_secret_post private_key_jwt] [openid email]" {
		t.Error(got)
	}
}

func TestDiscovery_without_lists_means_what_the_standards_say(t *testing.T) {
	d, err := oidc.ParseDiscovery(discovery(t, map[string]any{
		"id_token_signing_alg_values_supported": nil, "token_endpoint_auth_methods_supported": nil, "userinfo_endpoint": nil, "end_session_endpoint": nil,
		"code_challenge_methods_supported": nil, "authorization_response_iss_parameter_supported": nil, "backchannel_logout_supported": nil, "response_types_supported": nil,
	}), issuer, false)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(d.Algorithms, d.AuthMethods, d.PKCE, d.IssParameter, d.BackChannelLogout, d.UserInfoEndpoint); got != "[RS256] [client_secret_basic] false false false" {
		t.Error(got)
	}
}

// R06: OpenID Connect Discovery 1.0, 4.3.
func TestR06_discovery_of_another_issuer_is_refused(t *testing.T) {
	for _, c := range []struct{ published, configured, says string }{
		{issuer + "/", issuer, "slash"},
		{issuer, issuer + "/", "slash"},
		{"https://evil.example", issuer, "another issuer"},
		{"https://IDP.example/tenant", issuer, "another issuer"},
		{"http://idp.example/tenant", issuer, "another issuer"},
		{"accounts.google.com", "https://accounts.google.com", "another issuer"},
		{"https://login.microsoftonline.com/{tenantid}/v2.0", "https://login.microsoftonline.com/common/v2.0", "tenant's own issuer"},
		{"https://login.microsoftonline.com/{tenantid}/v2.0", "https://login.microsoftonline.com/{tenantid}/v2.0", "tenant's own issuer"},
		{"", issuer, "another issuer"},
	} {
		_, err := oidc.ParseDiscovery(discovery(t, map[string]any{"issuer": c.published}), c.configured, true)
		if f := refused(t, err, oidc.CodeIssuerMismatch, "issuer"); !strings.Contains(f.Message, c.says) || f.Wanted != c.configured || f.Got != c.published {
			t.Errorf("%q for %q: %q, wanted %q got %q", c.published, c.configured, f.Message, f.Wanted, f.Got)
		}
	}
}

// R06, R10: an endpoint is https, in itself and where it is on another host.
func TestR06_endpoints_that_are_not_https_are_refused(t *testing.T) {
	for _, name := range []string{"authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint"} {
		for _, address := range []string{
			"http://idp.example/x", "ftp://idp.example/x", "gopher://127.0.0.1:70/x", "//idp.example/x", "/x", "https:///x", "https:x", "https://user:pw@idp.example/x",
			"https://idp.example/x#f", "https://idp.example/ x", "javascript:alert(1)", "https://idp.example\\@evil.example/", "https://[::1", "https://idp.example/\nx",
		} {
			for _, allowHTTP := range []bool{false, true} { // it does not help an issuer with https
				_, err := oidc.ParseDiscovery(discovery(t, map[string]any{name: address}), issuer, allowHTTP)
				refused(t, err, oidc.CodeMalformed, name)
			}
		}
	}
	for _, name := range []string{"authorization_endpoint", "token_endpoint", "jwks_uri"} {
		_, err := oidc.ParseDiscovery(discovery(t, map[string]any{name: nil}), issuer, false)
		refused(t, err, oidc.CodeMalformed, name)
	}
}

// R06: Google's token endpoint is on another host than its issuer; the document vouches for it.
func TestR06_an_endpoint_on_another_host_is_allowed_with_https(t *testing.T) {
	d, err := oidc.ParseDiscovery(discovery(t, map[string]any{"token_endpoint": "https://oauth2.example.net/token"}), issuer, false)
	if err != nil || d.TokenEndpoint != "https://oauth2.example.net/token" {
		t.Errorf("%v %v", d, err)
	}
}

func TestDiscovery_of_a_test_provider_may_use_http_throughout(t *testing.T) {
	local := "http://127.0.0.1:8080"
	doc := discovery(t, map[string]any{
		"issuer": local, "authorization_endpoint": local + "/a", "token_endpoint": local + "/t", "jwks_uri": local + "/j", "userinfo_endpoint": local + "/u",
	})
	if _, err := oidc.ParseDiscovery(doc, local, true); err != nil {
		t.Error(err)
	}
	_, err := oidc.ParseDiscovery(doc, local, false)
	refused(t, err, oidc.CodeMalformed, "authorization_endpoint")
}

func TestDiscovery_that_offers_nothing_acceptable_is_refused(t *testing.T) {
	parse := func(name string, value any) error {
		_, err := oidc.ParseDiscovery(discovery(t, map[string]any{name: value}), issuer, false)
		return err
	}
	f := refused(t, parse("id_token_signing_alg_values_supported", []string{"HS256", "none"}), oidc.CodeAlgorithmNotAllowed, "id_token_signing_alg_values_supported")
	if f.Got != "HS256, none" || !strings.HasPrefix(f.Wanted, "RS256, ") {
		t.Errorf("wanted %q got %q", f.Wanted, f.Got)
	}
	refused(t, parse("token_endpoint_auth_methods_supported", []string{"tls_client_auth"}), oidc.CodeMalformed, "token_endpoint_auth_methods_supported")
	refused(t, parse("response_types_supported", []string{"id_token"}), oidc.CodeMalformed, "response_types_supported")
}

func TestDiscovery_that_is_no_document_is_refused(t *testing.T) {
	for _, data := range []string{"", "null", "[]", "<html>", `{"issuer":1}`, `{"issuer":"a","issuer":"b"}`, "{}"} {
		if d, err := oidc.ParseDiscovery([]byte(data), issuer, false); err == nil {
			t.Errorf("%s gave %+v", data, d)
		}
	}
	_, err := oidc.ParseDiscovery(discovery(t, map[string]any{"x": strings.Repeat("x", oidc.MaxDocument)}), issuer, false)
	if refused(t, err, oidc.CodeMalformed, "").Kind != fault.TooLarge {
		t.Error(err)
	}
}

func TestIssuer_as_people_type_it(t *testing.T) {
	for typed, want := range map[string]string{
		" https://idp.example/ ":                                 "https://idp.example/",
		"https://idp.example/.well-known/openid-configuration":   "https://idp.example",
		"https://idp.example/t/.well-known/openid-configuration": "https://idp.example/t",
		"accounts.google.com":                                    "https://accounts.google.com",
	} {
		if got, err := oidc.ParseIssuer(typed, false); err != nil || got != want {
			t.Errorf("%q gave %q, %v", typed, got, err)
		}
	}
	for typed, code := range map[string]string{
		"": oidc.CodeMalformed, "http://idp.example": oidc.CodeMalformed, "https://": oidc.CodeMalformed, "file:///etc/passwd": oidc.CodeMalformed,
		"https://login.microsoftonline.com/{tenantid}/v2.0": oidc.CodeIssuerMismatch,
	} {
		got, err := oidc.ParseIssuer(typed, false)
		if f := refused(t, err, code, "issuer"); got != "" || typed == "" && f.Message != "The issuer is missing." {
			t.Errorf("%q gave %q", typed, got)
		}
	}
	if got, err := oidc.ParseIssuer("http://127.0.0.1:1", true); err != nil || got != "http://127.0.0.1:1" {
		t.Errorf("%q %v", got, err)
	}
	if got := oidc.DiscoveryURL("https://x.example/a/"); got != "https://x.example/a/.well-known/openid-configuration" {
		t.Error(got)
	}
}

// R09: a provider may publish keys that we cannot or will not use (RFC 7517, 5).
func TestR09_unusable_keys_are_passed_over(t *testing.T) {
	k := keys()
	set := setOf(t,
		map[string]any{"kty": "AKP", "alg": "ML-DSA-44", "kid": "pq", "pub": "AAAA"},
		map[string]any{"kty": "OKP", "crv": "Ed448", "kid": "ed448", "x": "AAAA"},
		map[string]any{"kty": "oct", "kid": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"},
		map[string]any{"kty": "RSA", "kid": "broken", "n": "AQAB"},
		jwk(k.weak, "weak", nil),
		jwk(k.rsa.Public(), "enc", func(m map[string]any) { m["use"] = "enc" }),
		jwk(k.rsa.Public(), "oaep", func(m map[string]any) { m["alg"] = "RSA-OAEP" }),
		jwk(k.ec, "private", nil),
		jwk(k.ec.Public(), "ec", nil),
	)
	if got := fmt.Sprint(set.KIDs()); got != "[ec]" {
		t.Error(got)
	}
	if len(set.Skipped()) != 8 || !strings.Contains(fmt.Sprint(set.Skipped()), "weak RSA key of 1024 bits") {
		t.Error(set.Skipped())
	}
}

func TestR09_a_weak_rsa_key_verifies_nothing(t *testing.T) {
	_, err := oidc.ParseKeySet(document(t, jwk(keys().weak, "weak", nil)))
	if f := refused(t, err, oidc.CodeMalformed, ""); !strings.Contains(f.Got, "1024 bits") {
		t.Error(f.Got)
	}
	huge := jwk(keys().rsa.Public(), "huge", func(m map[string]any) { m["n"] = "_" + strings.Repeat("A", 1999) })
	_, err = oidc.ParseKeySet(document(t, huge))
	if f := refused(t, err, oidc.CodeMalformed, ""); !strings.Contains(f.Got, "more than 4,096 bits") {
		t.Error(f.Got)
	}
}

func TestR09_a_huge_key_set_is_refused(t *testing.T) {
	_, err := oidc.ParseKeySet([]byte(`{"keys":[],"x":"` + strings.Repeat("x", oidc.MaxDocument) + `"}`))
	if refused(t, err, oidc.CodeMalformed, "").Kind != fault.TooLarge {
		t.Error(err)
	}
	_, err = oidc.ParseKeySet([]byte(`{"keys":[` + strings.TrimSuffix(strings.Repeat("{},", 101), ",") + `]}`))
	if refused(t, err, oidc.CodeMalformed, "").Kind != fault.TooLarge {
		t.Error(err)
	}
	for _, data := range []string{"", "[]", "null", `{"keys":[]}`, `{"keys":{}}`, `{"keys":["x"]}`, `{}`} {
		_, err := oidc.ParseKeySet([]byte(data))
		refused(t, err, oidc.CodeMalformed, "")
	}
}

func userinfo(claims map[string]any) []byte {
	data, err := json.Marshal(merged(map[string]any{"sub": "248289761001"}, claims))
	if err != nil {
		panic(err)
	}
	return data
}

// R07: OpenID Connect Core 1.0, 5.3.4.
func TestR07_userinfo_about_somebody_else_is_refused(t *testing.T) {
	const mine = "248289761001"
	for _, sub := range []any{"other", "", nil, 248289761001, mine + " "} {
		info, err := oidc.ParseUserInfo(userinfo(map[string]any{"sub": sub}), "application/json", mine)
		if refused(t, err, oidc.CodeTokenError, "sub"); info.Claims != nil {
			t.Errorf("%v gave %+v", sub, info)
		}
	}
	info, err := oidc.ParseUserInfo(userinfo(map[string]any{"email": "a@b.example"}), "application/json; charset=utf-8", mine)
	if err != nil || info.Subject != mine || info.Claims["email"] != "a@b.example" {
		t.Errorf("%+v %v", info, err)
	}
	_, err = oidc.ParseUserInfo(userinfo(map[string]any{"sub": ""}), "application/json", "")
	refused(t, err, oidc.CodeTokenError, "sub")
}

func TestR07_userinfo_in_another_form_is_refused(t *testing.T) {
	for _, c := range []struct{ body, kind, says string }{
		{"e30.e30.x", "application/jwt", "signs its userinfo"},
		{string(userinfo(nil)), "text/html", "JSON"},
		{string(userinfo(nil)), "", "JSON"},
		{"[]", "application/json", "read"},
		{"null", "application/json", "read"},
		{`{"sub":"x","sub":"248289761001"}`, "application/json", "read"},
		{string(userinfo(map[string]any{"x": strings.Repeat("x", oidc.MaxDocument)})), "application/json", "more than"},
	} {
		_, err := oidc.ParseUserInfo([]byte(c.body), c.kind, "248289761001")
		if f := refused(t, err, oidc.CodeTokenError, ""); !strings.Contains(f.Message, c.says) {
			t.Errorf("%.40s as %s: %s", c.body, c.kind, f.Message)
		}
	}
}

// R07: CVE-2026-14781: email_verified of one document says nothing about the email of the other.
func TestR07_email_verified_counts_only_beside_its_email(t *testing.T) {
	token := func(claims map[string]any) oidc.IDToken { return oidc.IDToken{Issuer: issuer, Claims: claims} }
	info := func(claims map[string]any) *oidc.UserInfo { return &oidc.UserInfo{Claims: claims} }
	for _, c := range []struct {
		token oidc.IDToken
		info  *oidc.UserInfo
		want  oidc.EmailClaim
	}{
		{token(map[string]any{"email_verified": true}), info(map[string]any{"email": "a@b.example"}), oidc.EmailClaim{Address: "a@b.example", Source: "userinfo"}},
		{token(map[string]any{"email": "a@b.example"}), info(map[string]any{"email": "a@b.example", "email_verified": true}), oidc.EmailClaim{Address: "a@b.example", Source: "id_token"}},
		{token(map[string]any{"email": "a@b.example", "email_verified": true}), info(map[string]any{"email": "c@b.example"}), oidc.EmailClaim{Address: "a@b.example", Verified: true, Source: "id_token"}},
		{token(map[string]any{"email": ""}), info(map[string]any{"email": "c@b.example", "email_verified": "true"}), oidc.EmailClaim{Address: "c@b.example", Verified: true, Source: "userinfo"}},
		{token(map[string]any{"email": []any{"a@b.example"}}), nil, oidc.EmailClaim{}},
		{token(nil), info(nil), oidc.EmailClaim{}},
		{token(nil), info(map[string]any{"email": "", "email_verified": true}), oidc.EmailClaim{}},
	} {
		if got := oidc.EmailOf(c.token, c.info); got != c.want {
			t.Errorf("%v %v: %+v; wanted %+v", c.token.Claims, c.info, got, c.want)
		}
	}
}

// R07: CVE-2026-55076: a string that is not empty is not yet true.
func TestR07_forms_of_email_verified(t *testing.T) {
	for value, want := range map[any]bool{true: true, "true": true, "TRUE": true, false: false, "false": false, "": false, "1": false, "yes": false, 1.0: false, 0.0: false, nil: false} {
		got := oidc.EmailOf(oidc.IDToken{Issuer: issuer, Claims: map[string]any{"email": "a@b.example", "email_verified": value}}, nil)
		if got.Verified != want {
			t.Errorf("%T %v: %v", value, value, got.Verified)
		}
	}
}

// R08: nOAuth. An Entra tenant writes any email it likes; only xms_edov says that the domain's owner was verified.
func TestR08_entras_email_is_trusted_by_xms_edov_only(t *testing.T) {
	for _, entra := range []string{
		"https://login.microsoftonline.com/8f0c/v2.0", "https://sts.windows.net/8f0c/", "https://LOGIN.microsoftonline.us/8f0c/v2.0",
		"https://login.partner.microsoftonline.cn/8f0c/v2.0", "https://login.microsoftonline.com:443/8f0c/v2.0",
	} {
		for value, want := range map[any]bool{true: true, "true": true, "1": true, 1.0: true, false: false, "0": false, 0.0: false, "": false, nil: false} {
			claims := map[string]any{"email": "ceo@b.example", "email_verified": true, "xms_edov": value}
			if got := oidc.EmailOf(oidc.IDToken{Issuer: entra, Claims: claims}, nil); got.Verified != want {
				t.Errorf("%s xms_edov %T %v: %v", entra, value, value, got.Verified)
			}
		}
	}
	claims := map[string]any{"email": "a@b.example", "xms_edov": true}
	if oidc.EmailOf(oidc.IDToken{Issuer: issuer, Claims: claims}, nil).Verified {
		t.Error("another provider's xms_edov counts")
	}
	if !oidc.WritesAnyEmail("https://[::1") {
		t.Error("an issuer that cannot be read is trusted")
	}
	if oidc.WritesAnyEmail("https://login.microsoftonline.com.idp.example/") {
		t.Error("a name that only begins alike")
	}
}

func answer(pairs ...string) url.Values {
	v := url.Values{"state": {"s"}}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v
}

// R01: RFC 9207: the answer of provider A at the callback of B.
func TestR01_iss_of_another_provider_is_refused(t *testing.T) {
	announced := oidc.CallbackExpectation{Issuer: issuer, IssParameter: true}
	silent := oidc.CallbackExpectation{Issuer: issuer}
	for _, e := range []oidc.CallbackExpectation{announced, silent} {
		for _, other := range []string{"https://evil.example", issuer + "/", strings.ToUpper(issuer)} {
			_, err := oidc.CheckCallback(answer("code", "c", "iss", other), e)
			if f := refused(t, err, oidc.CodeIssuerMismatch, "iss"); f.Wanted != issuer || f.Got != other {
				t.Errorf("wanted %q got %q", f.Wanted, f.Got)
			}
		}
		c, err := oidc.CheckCallback(answer("code", "c", "iss", issuer), e)
		if err != nil || c.Code != "c" || c.State != "s" {
			t.Errorf("%+v %v", c, err)
		}
		// An error is looked at only once its sender is known.
		_, err = oidc.CheckCallback(answer("error", "access_denied", "iss", "https://evil.example"), e)
		refused(t, err, oidc.CodeIssuerMismatch, "iss")
	}
	_, err := oidc.CheckCallback(answer("code", "c"), announced)
	refused(t, err, oidc.CodeIssuerMismatch, "iss")
	if _, err := oidc.CheckCallback(answer("code", "c"), silent); err != nil {
		t.Error(err)
	}
}

// R02, as far as it shows in the address.
func TestR02_an_answer_without_one_state_is_refused(t *testing.T) {
	e := oidc.CallbackExpectation{Issuer: issuer}
	_, err := oidc.CheckCallback(url.Values{"code": {"c"}}, e)
	refused(t, err, oidc.CodeStateLost, "state")
	_, err = oidc.CheckCallback(answer("code", "c", "state", "t"), e)
	refused(t, err, oidc.CodeMalformed, "state")
	if got := oidc.State(answer("state", "t")); got != "" {
		t.Errorf("two states gave %q", got)
	}
	if got := oidc.State(url.Values{"state": {strings.Repeat("s", 5000)}}); got != "" {
		t.Error("a state of 5,000 bytes")
	}
	if got := oidc.State(answer()); got != "s" {
		t.Error(got)
	}
}

// R11: error beside code, parameters twice.
func TestR11_an_answer_that_is_two_answers_is_refused(t *testing.T) {
	e := oidc.CallbackExpectation{Issuer: issuer}
	for field, query := range map[string]url.Values{
		"code":  answer("error", "access_denied", "code", "c"),
		"error": answer("error", "a", "error", "b"),
		"iss":   answer("code", "c", "iss", issuer, "iss", "https://evil.example"),
	} {
		_, err := oidc.CheckCallback(query, e)
		refused(t, err, oidc.CodeMalformed, field)
	}
	for _, query := range []url.Values{answer("code", "a", "code", "b"), answer("code", "a", "code", "a"), answer("code", ""), answer(), answer("code", strings.Repeat("c", oidc.MaxToken+1))} {
		c, err := oidc.CheckCallback(query, e)
		if refused(t, err, oidc.CodeMalformed, "code"); c.Code != "" {
			t.Errorf("%v gave %q", query, c.Code)
		}
	}
}

func TestCallback_with_an_error_says_what_the_provider_said(t *testing.T) {
	e := oidc.CallbackExpectation{Issuer: issuer}
	_, err := oidc.CheckCallback(answer("error", "access_denied", "error_description", "<b>no\r\x7fway</b> "+strings.Repeat("x", 1000)), e)
	f := refused(t, err, oidc.CodeDenied, "error")
	if !strings.HasPrefix(f.Got, "access_denied <b>no  way</b> ") || len(f.Got) > 510 || strings.Contains(f.Message, "<b>") {
		t.Errorf("%q", f.Got)
	}
	for _, text := range []string{"AADSTS50105: Your administrator has configured…", "User is not assigned to the client application."} {
		_, err = oidc.CheckCallback(answer("error", "access_denied", "error_description", text), e)
		refused(t, err, oidc.CodeNotAssigned, "error")
	}
}

func TestInitiation_by_another_issuer_is_refused(t *testing.T) {
	in, err := oidc.CheckInitiation(url.Values{"iss": {issuer}, "login_hint": {"a@b.example"}, "target_link_uri": {"https://evil.example"}}, issuer)
	if err != nil || in.LoginHint != "a@b.example" {
		t.Errorf("%+v %v", in, err)
	}
	for _, v := range []url.Values{{}, {"iss": {issuer + "/"}}, {"iss": {"https://evil.example"}}} {
		_, err := oidc.CheckInitiation(v, issuer)
		refused(t, err, oidc.CodeIssuerMismatch, "iss")
	}
	_, err = oidc.CheckInitiation(url.Values{"iss": {issuer, issuer}}, issuer)
	refused(t, err, oidc.CodeMalformed, "iss")
}

// R13: CVE-2025-27370: the audience is the issuer and nothing else.
func TestR13_the_audience_of_a_client_assertion_is_the_issuer_only(t *testing.T) {
	key := signingKey(t, oidc.ES256)
	raw, err := oidc.ClientAssertion(key, clientID, issuer, "jti-1", now)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := oidc.VerifyOwn(raw, []oidc.PublicKey{public(t, key)}, "client-authentication+jwt")
	if err != nil {
		t.Fatal(err)
	}
	if claims["aud"] != issuer || claims["iss"] != clientID || claims["sub"] != clientID || claims["jti"] != "jti-1" || claims["exp"] != float64(now.Add(time.Minute).Unix()) {
		t.Errorf("%v", claims)
	}
	for _, args := range [][3]string{{"", issuer, "j"}, {clientID, "", "j"}, {clientID, issuer, ""}} {
		if _, err := oidc.ClientAssertion(key, args[0], args[1], args[2], now); err == nil {
			t.Errorf("made for %v", args)
		}
	}
}

func logoutPeer(t *testing.T) *peer {
	p := newPeer(t).set("typ", "logout+jwt").without("nonce")
	return p.claim("jti", "j1").claim("sid", "s1").claim("exp", now.Add(2*time.Minute).Unix()).
		claim("events", map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}})
}

func verifyLogout(t *testing.T, raw string) (oidc.LogoutToken, error) {
	t.Helper()
	return oidc.VerifyLogoutToken(context.Background(), raw, allKeys(t), oidc.LogoutExpectation{Issuer: issuer, ClientID: clientID, Algorithms: []oidc.Algorithm{oidc.RS256}, Now: now})
}

// R14: the negative cases of the OpenID suite's back-channel logout plan for clients.
func TestR14_logout_token(t *testing.T) {
	const event = "http://schemas.openid.net/event/backchannel-logout"
	good, err := verifyLogout(t, logoutPeer(t).token())
	if err != nil || good.ID != "j1" || good.SID != "s1" || good.Subject != "248289761001" || !good.Expiry.Equal(now.Add(2*time.Minute)) {
		t.Fatalf("%+v %v", good, err)
	}
	for _, typ := range []any{"JWT", "", "LOGOUT+jwt"} {
		if _, err := verifyLogout(t, logoutPeer(t).set("typ", typ).token()); err != nil {
			t.Errorf("typ %v: %v", typ, err)
		}
	}
	if _, err := verifyLogout(t, logoutPeer(t).without("sub").token()); err != nil {
		t.Errorf("sid only: %v", err)
	}
	if _, err := verifyLogout(t, logoutPeer(t).without("sid").token()); err != nil {
		t.Errorf("sub only: %v", err)
	}
	unsigned := logoutPeer(t).set("alg", "none")
	unsigned.key = nil
	for name, c := range map[string]struct {
		p           *peer
		code, field string
	}{
		"wrong alg":          {logoutPeer(t).with(oidc.ES256, "ec", keys().ec), oidc.CodeAlgorithmNotAllowed, ""},
		"none":               {unsigned, oidc.CodeAlgorithmNotAllowed, ""},
		"wrong key":          {logoutPeer(t).with(oidc.RS256, "rsa", keys().other), oidc.CodeSignatureInvalid, ""},
		"wrong aud":          {logoutPeer(t).claim("aud", "another"), oidc.CodeAudienceMismatch, "aud"},
		"no aud":             {logoutPeer(t).without("aud"), oidc.CodeAudienceMismatch, "aud"},
		"wrong iss":          {logoutPeer(t).claim("iss", "https://evil.example"), oidc.CodeIssuerMismatch, "iss"},
		"no events":          {logoutPeer(t).without("events"), oidc.CodeTokenError, "events"},
		"wrong event":        {logoutPeer(t).claim("events", map[string]any{"https://schemas.openid.net/secevent/caep": map[string]any{}}), oidc.CodeTokenError, "events"},
		"event is no object": {logoutPeer(t).claim("events", map[string]any{event: true}), oidc.CodeTokenError, "events"},
		"events in a list":   {logoutPeer(t).claim("events", []string{event}), oidc.CodeTokenError, "events"},
		"nonce":              {logoutPeer(t).claim("nonce", nonce), oidc.CodeTokenError, "nonce"},
		"nonce that is null": {logoutPeer(t).claim("nonce", nil), oidc.CodeTokenError, "nonce"},
		"no sub and sid":     {logoutPeer(t).without("sub", "sid"), oidc.CodeMissingAttribute, "sub"},
		"no jti":             {logoutPeer(t).without("jti"), oidc.CodeMissingAttribute, "jti"},
		"no iat":             {logoutPeer(t).without("iat"), oidc.CodeMissingAttribute, "iat"},
		"no exp":             {logoutPeer(t).without("exp"), oidc.CodeMissingAttribute, "exp"},
		"expired":            {logoutPeer(t).claim("exp", now.Add(-3*time.Minute).Unix()), oidc.CodeExpired, "exp"},
		"of the future":      {logoutPeer(t).claim("iat", now.Add(3*time.Minute).Unix()), oidc.CodeNotYetValid, "iat"},
		"too long":           {logoutPeer(t).claim("exp", now.Add(time.Hour).Unix()), oidc.CodeTokenError, "exp"},
		"an ID token":        {newPeer(t), oidc.CodeTokenError, "events"},
		"a Nonce that Go's encoding/json takes for nonce": {logoutPeer(t).claim("NONCE", nonce), oidc.CodeTokenError, ""},
		"an access token":         {logoutPeer(t).set("typ", "at+jwt"), oidc.CodeTokenError, ""},
		"sid is a number":         {logoutPeer(t).claim("sid", 7), oidc.CodeMalformed, ""},
		"sub of wrong type alone": {logoutPeer(t).claim("sub", 7), oidc.CodeMalformed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			token, err := verifyLogout(t, c.p.token())
			if refused(t, err, c.code, c.field); token != (oidc.LogoutToken{}) {
				t.Errorf("gave %+v", token)
			}
		})
	}
	_, err = verifyLogout(t, logoutPeer(t).with(oidc.RS256, "new", keys().rsa).token())
	if !errors.Is(err, oidc.ErrUnknownKey) {
		t.Errorf("unknown kid: %v", err)
	}
	for _, e := range []oidc.LogoutExpectation{{ClientID: clientID, Algorithms: []oidc.Algorithm{oidc.RS256}}, {Issuer: issuer, Algorithms: []oidc.Algorithm{oidc.RS256}}, {Issuer: issuer, ClientID: clientID}} {
		e.Now = now
		_, err := oidc.VerifyLogoutToken(context.Background(), logoutPeer(t).claim("iss", e.Issuer).claim("aud", e.ClientID).token(), allKeys(t), e)
		if _, typed := fault.As(err); err == nil || typed {
			t.Errorf("%+v: %v", e, err)
		}
	}
}

// R14: the other way round, a logout token in place of an ID token.
func TestR14_a_logout_token_is_no_id_token(t *testing.T) {
	refusedToken(t, logoutPeer(t).claim("nonce", nonce).token(), oidc.CodeTokenError, "")
	refusedToken(t, logoutPeer(t).set("typ", "JWT").token(), oidc.CodeAnotherSignIn, "nonce")
}

func TestAuthorizationURL_asks_for_what_it_is_told_and_nothing_replaces_it(t *testing.T) {
	verifier := strings.Repeat("v", 43)
	p := oidc.AuthorizationParameters{
		ClientID: clientID, RedirectURI: "https://rc.example/oidc/k/callback", Scopes: []string{"email"}, State: "s", Nonce: "n", Verifier: verifier, LoginHint: "a@b.example",
		ForceAuthn: true, Extra: url.Values{"hd": {"b.example"}, "state": {"evil"}, "redirect_uri": {"https://evil.example"}, "request_uri": {"https://evil.example"}, "nonce": {"evil"}, "response_mode": {"form_post"}, "prompt": {"none"}},
	}
	raw, err := oidc.AuthorizationURL(oidc.Discovery{AuthorizationEndpoint: "https://idp.example/authorize?tenant=7"}, p)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{
		"tenant": {"7"}, "response_type": {"code"}, "client_id": {clientID}, "redirect_uri": {p.RedirectURI}, "scope": {"openid email"}, "state": {"s"}, "nonce": {"n"},
		"code_challenge": {oidc.Challenge(verifier)}, "code_challenge_method": {"S256"}, "login_hint": {"a@b.example"}, "prompt": {"login"}, "max_age": {"0"}, "hd": {"b.example"},
	}
	if u.Query().Encode() != want.Encode() {
		t.Errorf("got  %s\nwant %s", u.Query().Encode(), want.Encode())
	}
	for _, bad := range []func(*oidc.AuthorizationParameters){
		func(p *oidc.AuthorizationParameters) { p.State = "" },
		func(p *oidc.AuthorizationParameters) { p.Nonce = "" },
		func(p *oidc.AuthorizationParameters) { p.Verifier = "short" },
		func(p *oidc.AuthorizationParameters) { p.ClientID = "" },
		func(p *oidc.AuthorizationParameters) { p.RedirectURI = "" },
	} {
		q := p
		bad(&q)
		if got, err := oidc.AuthorizationURL(oidc.Discovery{AuthorizationEndpoint: "https://idp.example/a"}, q); err == nil {
			t.Errorf("made %s", got)
		}
	}
}

// What we ask an identity provider with, our own provider understands, whatever id and secret are.
func TestExchange_is_read_by_the_token_endpoint(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.StringMatching(`[!-~äß€+%:&=]{1,40}`)
		x := oidc.Exchange{
			Code: text.Draw(r, "code"), RedirectURI: "https://rc.example/cb", Verifier: strings.Repeat("v", 50), ClientID: text.Draw(r, "id"), Secret: text.Draw(r, "secret"),
			Method: rapid.SampledFrom([]oidc.AuthMethod{oidc.AuthBasic, oidc.AuthPost, oidc.AuthNone}).Draw(r, "method"),
		}
		body, authorization, err := x.Request()
		if err != nil {
			r.Fatal(err)
		}
		got, err := oidc.ParseTokenRequest(oidc.Request{ContentType: "application/x-www-form-urlencoded", Authorization: authorization, Body: []byte(body)}, oidc.StyleOIDC)
		if err != nil {
			r.Fatal(err)
		}
		want := oidc.ClientCredentials{ID: x.ClientID, Secret: x.Secret, Method: x.Method}
		if x.Method == oidc.AuthNone {
			want.Secret = ""
		}
		if got.Client != want || got.Code != x.Code || got.RedirectURI != x.RedirectURI || got.Verifier != x.Verifier || got.Grant != oidc.GrantCode {
			r.Fatalf("sent %+v, read %+v %+v", x, got, got.Client)
		}
	})
}

func TestExchange_by_assertion_or_without_a_secret(t *testing.T) {
	body, authorization, err := oidc.Exchange{Code: "c", ClientID: "i", Method: oidc.AuthPrivateKeyJWT, Assertion: "a.b.c"}.Request()
	if err != nil || authorization != "" || !strings.Contains(body, "client_assertion=a.b.c") || !strings.Contains(body, "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer") {
		t.Errorf("%s %s %v", body, authorization, err)
	}
	for _, m := range []oidc.AuthMethod{oidc.AuthBasic, oidc.AuthPost, oidc.AuthPrivateKeyJWT, oidc.AuthBearer, ""} {
		if _, _, err := (oidc.Exchange{Code: "c", ClientID: "i", Method: m}).Request(); err == nil {
			t.Errorf("%q with nothing to authenticate with", m)
		}
	}
}

// R12: GHSA-prh4: what is printed of a request holds no secret.
func TestR12_secrets_are_not_printed(t *testing.T) {
	const secret = "s3cr3t"
	key := signingKey(t, oidc.ES256)
	for _, v := range []any{
		oidc.Exchange{ClientID: "i", Secret: secret, Code: secret, Verifier: secret, Assertion: secret},
		oidc.TokenResponse{IDToken: secret, AccessToken: secret, RefreshToken: secret},
		oidc.ClientCredentials{ID: "i", Secret: secret, Method: oidc.AuthPost},
		oidc.TokenRequest{Code: secret, RefreshToken: secret, Verifier: secret, Client: oidc.ClientCredentials{Secret: secret}},
		oidc.TokenQuestion{Token: secret},
		key,
	} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
			text := fmt.Sprintf(format, v)
			if strings.Contains(text, secret) || strings.Contains(text, fmt.Sprint(key.Private)) || text == "" {
				t.Errorf("%T by %s: %s", v, format, text)
			}
		}
	}
	_, err := oidc.ParseTokenRequest(oidc.Request{Query: "client_secret=" + secret}, oidc.StyleOIDC)
	if err == nil || strings.Contains(err.Error(), secret) {
		t.Error(err)
	}
	_, err = oidc.ParseTokenResponse([]byte(`{"access_token":"`+secret+`"}`), 200, "application/json")
	if err == nil || strings.Contains(fmt.Sprintf("%+v", err), secret) {
		t.Error(err)
	}
	_, err = oidc.UnmarshalSigningKey([]byte(`{"alg":"` + secret))
	if err == nil || strings.Contains(err.Error(), secret) {
		t.Error(err)
	}
}

func TestTokenResponse_of_a_provider(t *testing.T) {
	got, err := oidc.ParseTokenResponse([]byte(`{"id_token":"a.b.c","access_token":"t","token_type":"bearer","expires_in":"3600","refresh_token":"r"}`), 200, "application/json;charset=UTF-8")
	if err != nil || got.IDToken != "a.b.c" || got.AccessToken != "t" || got.RefreshToken != "r" {
		t.Errorf("%v %v", got.IDToken, err)
	}
	for _, body := range []string{`{"id_token":"x","token_type":"N_A"}`, `{"id_token":"x","access_token":"t"}`} {
		if got, err := oidc.ParseTokenResponse([]byte(body), 200, "application/json"); err != nil || got.IDToken != "x" {
			t.Errorf("%s: %v", body, err)
		}
	}
	for _, c := range []struct {
		body   string
		status int
		kind   string
		got    string
	}{
		{`{"error":"invalid_grant","error_description":"expired\ncode"}`, 400, "application/json", "400 invalid_grant expired code"},
		{`{"error":"invalid_client"}`, 200, "application/json", "200 invalid_client"},
		{`{"id_token":"x"}`, 500, "application/json", "500"},
		{`<html>`, 502, "text/html", "502 text/html"},
		{`x`, 200, "application/json", "200"},
		{`{"access_token":"t"}`, 200, "application/json", ""},
		{`{"id_token":"x","access_token":"t","token_type":"mac"}`, 200, "application/json", "mac"},
		{strings.Repeat(" ", oidc.MaxDocument) + `{"id_token":"x"}`, 200, "application/json", ""},
	} {
		_, err := oidc.ParseTokenResponse([]byte(c.body), c.status, c.kind)
		f, ok := fault.As(err)
		if !ok || f.Code != oidc.CodeTokenError || f.Got != c.got {
			t.Errorf("%.50s: %v, got %q", c.body, err, f.Got)
		}
	}
}
