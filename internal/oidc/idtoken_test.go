package oidc_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/oidc"
)

func TestIDToken_of_every_kind_of_key_is_read(t *testing.T) {
	k := keys()
	for _, c := range []struct {
		alg oidc.Algorithm
		kid string
		key any
	}{{oidc.RS256, "rsa", k.rsa}, {oidc.PS256, "rsa", k.rsa}, {oidc.ES256, "ec", k.ec}, {oidc.ES384, "ec384", k.ec384}, {oidc.EdDSA, "ed", k.ed}} {
		p := newPeer(t).with(c.alg, c.kid, c.key).claim("auth_time", now.Add(-time.Minute).Unix()).
			claim("sid", "s1").claim("acr", "loa2").claim("amr", []string{"pwd", "otp"}).claim("groups", []string{"a"})
		token := accepted(t, p.token())
		if token.Subject != "248289761001" || token.SID != "s1" || token.ACR != "loa2" || strings.Join(token.AMR, " ") != "pwd otp" ||
			!token.AuthTime.Equal(now.Add(-time.Minute)) || token.Algorithm != c.alg || token.KID != c.kid || token.Issuer != issuer ||
			!token.Expiry.Equal(now.Add(5*time.Minute)) || fmt.Sprint(token.Claims["groups"]) != "[a]" {
			t.Errorf("%s: %+v", c.alg, token)
		}
	}
}

func TestVerifyIDToken_without_an_expectation_accepts_nothing(t *testing.T) {
	for name, change := range map[string]func(*oidc.IDTokenExpectation){
		"issuer":     func(e *oidc.IDTokenExpectation) { e.Issuer = "" },
		"client":     func(e *oidc.IDTokenExpectation) { e.ClientID = "" },
		"nonce":      func(e *oidc.IDTokenExpectation) { e.Nonce = "" },
		"algorithms": func(e *oidc.IDTokenExpectation) { e.Algorithms = nil },
	} {
		raw := newPeer(t)
		if name == "nonce" {
			raw.without("nonce")
		}
		switch name { // what a forger would send
		case "issuer":
			raw.claim("iss", "")
		case "client":
			raw.claim("aud", "")
		}
		token, err := verify(t, raw.token(), change)
		if _, typed := fault.As(err); err == nil || typed || token.Subject != "" {
			t.Errorf("without %s: %v, %v", name, token, err)
		}
	}
}

// R03: nonce missing or of another sign-in (OpenID Connect Core 1.0, 3.1.3.7 number 11).
func TestR03_nonce_missing_or_of_another_sign_in_is_refused(t *testing.T) {
	if f := refusedToken(t, newPeer(t).without("nonce").token(), oidc.CodeAnotherSignIn, "nonce"); f.Got != "none" {
		t.Error(f.Got)
	}
	if f := refusedToken(t, newPeer(t).claim("nonce", "other").token(), oidc.CodeAnotherSignIn, "nonce"); f.Got != "another one" {
		t.Error(f.Got)
	}
	refusedToken(t, newPeer(t).claim("nonce", nonce+" ").token(), oidc.CodeAnotherSignIn, "nonce")
	refusedToken(t, newPeer(t).claim("nonce", []string{nonce}).token(), oidc.CodeMalformed, "")
}

// R04: RFC 8725, 3.1.
func TestR04_none_is_refused(t *testing.T) {
	p := newPeer(t)
	p.key = nil
	for _, alg := range []string{"none", "None", "NONE", ""} {
		p.set("alg", alg)
		refusedToken(t, p.token(), oidc.CodeAlgorithmNotAllowed, "")
		refusedToken(t, p.token(), oidc.CodeAlgorithmNotAllowed, "", func(e *oidc.IDTokenExpectation) { e.Algorithms = append(e.Algorithms, "none", oidc.Algorithm(alg)) })
	}
	raw := newPeer(t).token()
	refusedToken(t, raw[:strings.LastIndex(raw, ".")+1], oidc.CodeSignatureInvalid, "")
}

func TestR04_hs256_with_the_public_key_is_refused(t *testing.T) {
	public := der(t, keys().rsa.Public())
	for _, secret := range [][]byte{public, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})} {
		p := newPeer(t).with("HS256", "rsa", secret)
		refusedToken(t, p.token(), oidc.CodeAlgorithmNotAllowed, "")
		refusedToken(t, p.token(), oidc.CodeAlgorithmNotAllowed, "", func(e *oidc.IDTokenExpectation) { e.Algorithms = append(e.Algorithms, "HS256") })
	}
}

func TestR04_an_algorithm_that_is_not_pinned_is_refused(t *testing.T) {
	f := refusedToken(t, newPeer(t).with(oidc.RS512, "rsa", keys().rsa).token(), oidc.CodeAlgorithmNotAllowed, "")
	if f.Got != "RS512" || !strings.Contains(f.Wanted, "RS256") {
		t.Errorf("wanted %q got %q", f.Wanted, f.Got)
	}
}

func TestR04_rs256_with_the_kid_of_an_ec_key_is_refused(t *testing.T) {
	f := refusedToken(t, newPeer(t).with(oidc.RS256, "ec", keys().rsa).token(), oidc.CodeSignatureInvalid, "")
	if f.Wanted != "a key for RS256" || errors.Is(f, oidc.ErrUnknownKey) {
		t.Errorf("%v %+v", f, f)
	}
	refusedToken(t, newPeer(t).with(oidc.ES256, "rsa", keys().ec).token(), oidc.CodeSignatureInvalid, "")
	refusedToken(t, newPeer(t).with(oidc.ES384, "ec", keys().ec384).token(), oidc.CodeSignatureInvalid, "")
}

// R04: a key whose own alg is another one is not used for this one (RFC 7517, 4.4).
func TestR04_a_key_pinned_to_another_algorithm_is_not_used(t *testing.T) {
	set := setOf(t, jwk(keys().rsa.Public(), "rsa", func(m map[string]any) { m["alg"] = "PS256" }))
	_, err := oidc.VerifyIDToken(context.Background(), newPeer(t).token(), set, expectation())
	refused(t, err, oidc.CodeSignatureInvalid, "")
	for _, change := range []func(map[string]any){
		func(m map[string]any) { m["alg"] = "RS256" },
		func(m map[string]any) { delete(m, "use") },
	} {
		if _, err := oidc.VerifyIDToken(context.Background(), newPeer(t).token(), setOf(t, jwk(keys().rsa.Public(), "rsa", change)), expectation()); err != nil {
			t.Error(err)
		}
	}
}

// R04: keys that the token brings along are not looked at.
func TestR04_jwk_jku_and_x5u_in_the_header_are_ignored(t *testing.T) {
	attacker := keys().other
	for _, header := range []map[string]any{
		{"jwk": jwk(attacker.Public(), "rsa", nil)},
		{"jku": "https://evil.example/jwks"},
		{"x5u": "https://evil.example/cert.pem"},
		{"x5c": []string{base64.StdEncoding.EncodeToString(der(t, attacker.Public()))}},
	} {
		p := newPeer(t).with(oidc.RS256, "rsa", attacker)
		maps.Copy(p.header, header)
		if _, err := verify(t, p.token()); err == nil {
			t.Errorf("a token signed by %v was accepted", header)
		}
	}
	// With the genuine key they do no harm, except that go-jose refuses a jwk that it cannot parse.
	accepted(t, newPeer(t).set("jku", "https://evil.example/jwks").set("x5u", "https://evil.example/c").token())
}

// R04: RFC 7515, 4.1.11; RFC 7797; CVE-2026-33322.
func TestR04_crit_and_b64_are_refused(t *testing.T) {
	refusedToken(t, newPeer(t).set("crit", []string{"exp"}).token(), oidc.CodeMalformed, "")
	refusedToken(t, newPeer(t).set("crit", []string{"b64"}).set("b64", false).token(), oidc.CodeMalformed, "")
	refusedToken(t, newPeer(t).set("b64", true).token(), oidc.CodeMalformed, "")
	p := newPeer(t).set("b64", false)
	claims, err := json.Marshal(p.claims)
	if err != nil {
		t.Fatal(err)
	}
	refusedToken(t, p.sign(encode(t, p.header)+"."+string(claims)), oidc.CodeMalformed, "")
}

func TestR04_a_token_of_another_type_is_refused(t *testing.T) {
	for _, typ := range []string{"at+jwt", "application/at+jwt", "logout+jwt", "secevent+jwt", "JOSE"} {
		refusedToken(t, newPeer(t).set("typ", typ).token(), oidc.CodeTokenError, "")
	}
	for _, typ := range []string{"JWT", "jwt", ""} {
		accepted(t, newPeer(t).set("typ", typ).token())
	}
	accepted(t, newPeer(t).without("typ").token())
}

func TestR04_what_is_no_compact_token_is_refused(t *testing.T) {
	good := newPeer(t).token()
	parts := strings.Split(good, ".")
	twice := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","alg":"RS256","kid":"rsa"}`))
	for _, raw := range []string{
		"", ".", "..", "...", "a.b.c", good + ".x", parts[0] + "." + parts[1], "{}", `{"payload":"","signatures":[]}`,
		twice + "." + parts[1] + "." + parts[2], "=" + good, good[1:], strings.Repeat("a", oidc.MaxToken+1),
		base64.RawURLEncoding.EncodeToString([]byte(`[]`)) + ".a.b",
	} {
		if _, err := verify(t, raw); err == nil {
			t.Errorf("%.60q was accepted", raw)
		} else {
			refused(t, err, oidc.CodeMalformed, "")
		}
	}
}

func TestR04_a_token_over_the_limit_is_refused_before_any_arithmetic(t *testing.T) {
	f := refusedToken(t, newPeer(t).claim("filler", strings.Repeat("x", oidc.MaxToken)).token(), oidc.CodeMalformed, "")
	if !strings.Contains(f.Message, "65536 bytes") {
		t.Error(f.Message)
	}
}

func TestR04_a_changed_claim_breaks_the_signature(t *testing.T) {
	parts := strings.Split(newPeer(t).token(), ".")
	evil := encode(t, merged(newPeer(t).claims, map[string]any{"sub": "admin"}))
	f := refusedToken(t, parts[0]+"."+evil+"."+parts[2], oidc.CodeSignatureInvalid, "")
	if errors.Is(f, oidc.ErrUnknownKey) {
		t.Error("a wrong signature of a known key asks for another key set")
	}
	refusedToken(t, newPeer(t).with(oidc.RS256, "rsa", keys().other).token(), oidc.CodeSignatureInvalid, "")
}

// R04: one parser reads the first, another the last of two members.
func TestR04_a_claim_that_comes_twice_is_refused(t *testing.T) {
	p := newPeer(t)
	claims, err := json.Marshal(p.claims)
	if err != nil {
		t.Fatal(err)
	}
	twice := strings.TrimSuffix(string(claims), "}") + `,"sub":"admin"}`
	refusedToken(t, p.sign(encode(t, p.header)+"."+base64.RawURLEncoding.EncodeToString([]byte(twice))), oidc.CodeMalformed, "")
}

// R04: Go's encoding/json takes "SUB" for "sub"; what counts are the exact names.
func TestR04_letter_case_of_a_claim_counts(t *testing.T) {
	refusedToken(t, newPeer(t).without("sub").claim("SUB", "admin").token(), oidc.CodeMissingAttribute, "sub")
	refusedToken(t, newPeer(t).without("aud").claim("AUD", clientID).token(), oidc.CodeAudienceMismatch, "aud")
	refusedToken(t, newPeer(t).without("iss").claim("Iss", issuer).token(), oidc.CodeIssuerMismatch, "iss")
	refusedToken(t, newPeer(t).without("exp").claim("EXP", now.Add(time.Hour).Unix()).token(), oidc.CodeMissingAttribute, "exp")
}

// R05: OpenID Connect Core 1.0, 3.1.3.7 numbers 3 to 5.
func TestR05_audience_and_azp(t *testing.T) {
	f := refusedToken(t, newPeer(t).claim("aud", "another").token(), oidc.CodeAudienceMismatch, "aud")
	if f.Wanted != clientID || f.Got != "another" {
		t.Errorf("wanted %q got %q", f.Wanted, f.Got)
	}
	refusedToken(t, newPeer(t).without("aud").token(), oidc.CodeAudienceMismatch, "aud")
	refusedToken(t, newPeer(t).claim("aud", []string{}).token(), oidc.CodeAudienceMismatch, "aud")
	refusedToken(t, newPeer(t).claim("aud", []string{"a", "b"}).token(), oidc.CodeAudienceMismatch, "aud")
	refusedToken(t, newPeer(t).claim("aud", strings.ToUpper(clientID)).token(), oidc.CodeAudienceMismatch, "aud")
	refusedToken(t, newPeer(t).claim("aud", clientID+" another").token(), oidc.CodeAudienceMismatch, "aud")
	refusedToken(t, newPeer(t).claim("aud", []string{clientID, "another"}).token(), oidc.CodeAudienceMismatch, "azp")
	refusedToken(t, newPeer(t).claim("aud", []string{clientID, "another"}).claim("azp", "another").token(), oidc.CodeAudienceMismatch, "azp")
	refusedToken(t, newPeer(t).claim("azp", "another").token(), oidc.CodeAudienceMismatch, "azp")

	for _, odd := range []any{[]any{clientID, 7}, []any{clientID, nil}, 7, map[string]any{clientID: true}} {
		refusedToken(t, newPeer(t).claim("aud", odd).claim("azp", clientID).token(), oidc.CodeMalformed, "")
	}
	accepted(t, newPeer(t).claim("aud", []string{clientID}).token())
	accepted(t, newPeer(t).claim("azp", clientID).token())
	accepted(t, newPeer(t).claim("aud", []string{"another", clientID}).claim("azp", clientID).token())
}

func TestR05_sub_iat_and_exp_are_needed(t *testing.T) {
	for _, name := range []string{"sub", "iat", "exp"} {
		for _, p := range []*peer{newPeer(t).without(name), newPeer(t).claim(name, nil)} {
			if f := refusedToken(t, p.token(), oidc.CodeMissingAttribute, name); f.Message == "" {
				t.Errorf("%s: no message", name)
			}
		}
	}
	refusedToken(t, newPeer(t).claim("sub", "").token(), oidc.CodeMissingAttribute, "sub")
	refusedToken(t, newPeer(t).claim("sub", strings.Repeat("s", 256)).token(), oidc.CodeMissingAttribute, "sub")
	refusedToken(t, newPeer(t).claim("sub", 7).token(), oidc.CodeMalformed, "")
	accepted(t, newPeer(t).claim("sub", strings.Repeat("s", 255)).token())
}

func TestR05_times_count_with_the_allowed_skew(t *testing.T) {
	minutes := func(n int) func(*oidc.IDTokenExpectation) {
		return func(e *oidc.IDTokenExpectation) { e.Skew = time.Duration(n) * time.Minute }
	}
	at := func(claim string, d time.Duration) string { return newPeer(t).claim(claim, now.Add(d).Unix()).token() }
	none := func(*oidc.IDTokenExpectation) {}
	for _, c := range []struct {
		claim  string
		offset time.Duration
		change func(*oidc.IDTokenExpectation)
		code   string // "": accepted
	}{
		{"exp", -119 * time.Second, none, ""},
		{"exp", -120 * time.Second, none, oidc.CodeExpired},
		{"exp", -61 * time.Second, minutes(1), oidc.CodeExpired},
		{"exp", -59 * time.Second, minutes(1), ""},
		{"exp", -181 * time.Second, minutes(60), oidc.CodeExpired},
		{"exp", -179 * time.Second, minutes(60), ""},
		{"iat", 120 * time.Second, none, ""},
		{"iat", 121 * time.Second, none, oidc.CodeNotYetValid},
		{"nbf", 120 * time.Second, none, ""},
		{"nbf", 121 * time.Second, none, oidc.CodeNotYetValid},
		{"nbf", -time.Hour, none, ""},
	} {
		_, err := verify(t, at(c.claim, c.offset), c.change)
		switch {
		case c.code == "" && err != nil:
			t.Errorf("%s %v: refused: %v", c.claim, c.offset, err)
		case c.code != "":
			refused(t, err, c.code, c.claim)
		}
	}
	for _, bad := range []any{"tomorrow", -5, 1e300, true} {
		refusedToken(t, newPeer(t).claim("exp", bad).token(), oidc.CodeMalformed, "")
	}
	accepted(t, newPeer(t).claim("iat", float64(now.Unix())-0.5).token())
}

// R06: the issuer is compared exactly.
func TestR06_a_token_of_another_issuer_is_refused(t *testing.T) {
	for _, got := range []string{issuer + "/", "https://idp.example", strings.ToUpper(issuer), "http://idp.example/tenant", "idp.example/tenant", ""} {
		f := refusedToken(t, newPeer(t).claim("iss", got).token(), oidc.CodeIssuerMismatch, "iss")
		if f.Got != got || f.Wanted != issuer {
			t.Errorf("wanted %q got %q", f.Wanted, f.Got)
		}
	}
}

// R06: Google writes its issuer without scheme into some tokens; nobody else may.
func TestR06_googles_issuer_without_scheme_is_accepted_of_google_only(t *testing.T) {
	google := func(e *oidc.IDTokenExpectation) { e.Issuer = "https://accounts.google.com" }
	accepted(t, newPeer(t).claim("iss", "accounts.google.com").token(), google)
	accepted(t, newPeer(t).claim("iss", "https://accounts.google.com").token(), google)
	refusedToken(t, newPeer(t).claim("iss", "accounts.google.com.evil.example").token(), oidc.CodeIssuerMismatch, "iss", google)
	refusedToken(t, newPeer(t).claim("iss", "http://accounts.google.com").token(), oidc.CodeIssuerMismatch, "iss", google)
	refusedToken(t, newPeer(t).claim("iss", "accounts.google.com").token(), oidc.CodeIssuerMismatch, "iss")
}

// R09: OpenID Connect Core 1.0, 10.1.1.
func TestR09_an_unknown_kid_says_that_another_key_set_may_help(t *testing.T) {
	f := refusedToken(t, newPeer(t).with(oidc.RS256, "new", keys().other).token(), oidc.CodeSignatureInvalid, "")
	if !errors.Is(f, oidc.ErrUnknownKey) || f.Got != "new" || !strings.Contains(f.Wanted, "rsa") {
		t.Errorf("%+v", f)
	}
	// A genuine signature under a kid that is not in the set is refused as well.
	f = refusedToken(t, newPeer(t).with(oidc.RS256, "gone", keys().rsa).token(), oidc.CodeSignatureInvalid, "")
	if !errors.Is(f, oidc.ErrUnknownKey) {
		t.Errorf("%v", f)
	}
}

func TestR09_a_token_without_kid_is_tried_with_every_key_that_fits(t *testing.T) {
	token := newPeer(t).without("kid").token()
	k := keys()
	for name, set := range map[string]oidc.KeySet{
		"one key without id":         setOf(t, jwk(k.rsa.Public(), "", nil)),
		"several, the last fits":     setOf(t, jwk(k.ec.Public(), "a", nil), jwk(k.other.Public(), "b", nil), jwk(k.rsa.Public(), "c", nil)),
		"two keys with the same kid": setOf(t, jwk(k.other.Public(), "rsa", nil), jwk(k.rsa.Public(), "rsa", nil)),
	} {
		if _, err := oidc.VerifyIDToken(context.Background(), token, set, expectation()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := oidc.VerifyIDToken(context.Background(), token, setOf(t, jwk(k.other.Public(), "", nil)), expectation())
	if f := refused(t, err, oidc.CodeSignatureInvalid, ""); !errors.Is(f, oidc.ErrUnknownKey) {
		t.Error("a rotated key without id does not ask for another key set")
	}
	_, err = oidc.VerifyIDToken(context.Background(), token, oidc.KeySet{}, expectation())
	refused(t, err, oidc.CodeSignatureInvalid, "")
}

// R09: the number of keys that are tried is bounded, whatever the provider publishes.
func TestR09_only_some_keys_are_tried_for_a_token_without_kid(t *testing.T) {
	var list []map[string]any
	for range 16 {
		list = append(list, jwk(keys().other.Public(), "", nil))
	}
	list = append(list, jwk(keys().rsa.Public(), "", nil))
	_, err := oidc.VerifyIDToken(context.Background(), newPeer(t).without("kid").token(), setOf(t, list...), expectation())
	refused(t, err, oidc.CodeSignatureInvalid, "")
	if _, err := oidc.VerifyIDToken(context.Background(), newPeer(t).without("kid").token(), setOf(t, list[1:]...), expectation()); err != nil {
		t.Error(err)
	}
}

func TestIDToken_at_hash_is_compared_where_it_is_there(t *testing.T) {
	with := func(e *oidc.IDTokenExpectation) { e.AccessToken = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y" }
	good := "77QmUPtjPfzWtF2AnpK9RQ" // OpenID Connect Core 1.0, appendix A.3: the access token above, RS256
	accepted(t, newPeer(t).claim("at_hash", good).token(), with)
	accepted(t, newPeer(t).token(), with)
	accepted(t, newPeer(t).claim("at_hash", "other").token())
	refusedToken(t, newPeer(t).claim("at_hash", "77QmUPtjPfzWtF2AnpK9RR").token(), oidc.CodeTokenError, "at_hash", with)
	refusedToken(t, newPeer(t).claim("at_hash", 7).token(), oidc.CodeMalformed, "", with)
}

func TestIDToken_of_an_old_sign_in_is_refused_where_a_fresh_one_was_asked_for(t *testing.T) {
	fresh := func(e *oidc.IDTokenExpectation) { e.AuthAfter = now.Add(-time.Minute) }
	at := func(d time.Duration) string { return newPeer(t).claim("auth_time", now.Add(d).Unix()).token() }
	accepted(t, at(-time.Minute), fresh)
	accepted(t, at(-3*time.Minute), fresh) // the skew
	refusedToken(t, at(-181*time.Second), oidc.CodeExpired, "auth_time", fresh)
	if f := refusedToken(t, newPeer(t).token(), oidc.CodeExpired, "auth_time", fresh); f.Got != "nothing" || f.Wanted != "after 2026-11-22T08:59:00Z" {
		t.Errorf("wanted %s got %s", f.Wanted, f.Got)
	}
}

func TestIDToken_amr_may_be_one_string(t *testing.T) {
	if token := accepted(t, newPeer(t).claim("amr", "mfa").token()); len(token.AMR) != 1 || token.AMR[0] != "mfa" {
		t.Errorf("%v", token.AMR)
	}
	if token := accepted(t, newPeer(t).claim("amr", "").token()); token.AMR != nil {
		t.Errorf("%q", token.AMR)
	}
	if token := accepted(t, newPeer(t).claim("amr", 7).token()); token.AMR != nil {
		t.Errorf("%v", token.AMR)
	}
}

// go-oidc sees a distributed claim without its source as an error; nothing of ours does.
func TestIDToken_that_only_the_library_refuses_is_refused(t *testing.T) {
	refusedToken(t, newPeer(t).claim("_claim_names", map[string]any{"groups": "src1"}).token(), oidc.CodeTokenError, "")
	accepted(t, newPeer(t).claim("_claim_names", map[string]any{"groups": "src1"}).
		claim("_claim_sources", map[string]any{"src1": map[string]any{"endpoint": "https://graph.example/x"}}).token())
}
