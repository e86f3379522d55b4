package oidc_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/oidc"
)

// What is refused for a whole reason has to be refused for that one: behind it stands another that looks at what is left.
func TestDocuments_with_more_behind_them_are_refused(t *testing.T) {
	good := string(discovery(t, nil))
	if _, err := oidc.ParseDiscovery([]byte(good), issuer, false); err != nil {
		t.Fatal(err)
	}
	_, err := oidc.ParseDiscovery([]byte(good+"}"), issuer, false)
	refused(t, err, oidc.CodeMalformed, "")

	set := string(document(t, jwk(keys().ec.Public(), "ec", nil)))
	if _, err := oidc.ParseKeySet([]byte(set)); err != nil {
		t.Fatal(err)
	}
	_, err = oidc.ParseKeySet([]byte(set + "}"))
	refused(t, err, oidc.CodeMalformed, "")

	key, err := signingKey(t, oidc.ES256).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if k, err := oidc.UnmarshalSigningKey(append(key, '}')); err == nil || !strings.Contains(err.Error(), "not what was written") {
		t.Errorf("gave %v, %v", k, err)
	}
}

func TestAnswers_of_a_type_that_cannot_be_read_are_refused(t *testing.T) {
	_, err := oidc.ParseTokenResponse([]byte(`{"id_token":"x"}`), 200, "application/json; charset")
	refused(t, err, oidc.CodeTokenError, "")
	_, err = oidc.ParseUserInfo(userinfo(nil), "application/json; charset", "248289761001")
	refused(t, err, oidc.CodeTokenError, "")
}

func TestStored_keys_that_are_damaged_say_what_is(t *testing.T) {
	if _, err := oidc.UnmarshalSigningKey([]byte(`{"alg":"ES256","pkcs8":"eA=="}`)); err == nil || !strings.Contains(err.Error(), "PKCS #8") {
		t.Error(err)
	}
	key := signingKey(t, oidc.RS256)
	key.Certificate = []byte("x")
	if p, err := key.Public(); err == nil {
		t.Errorf("published %v", p)
	}
	if _, err := oidc.ParsePublicKey([]byte(`{"kty":"EC"}`)); err == nil || strings.Contains(err.Error(), "public half") {
		t.Error(err)
	}
}

func TestVerifyOwn_says_why(t *testing.T) {
	key, other := signingKey(t, oidc.ES256), signingKey(t, oidc.ES256)
	ours := []oidc.PublicKey{public(t, key)}
	parts := strings.Split(idToken(t, key, nil), ".")
	foreign := strings.Split(idToken(t, other, nil), ".")
	rs256 := encode(t, map[string]any{"alg": "RS256", "kid": key.KID, "typ": "JWT"})
	for _, c := range []struct{ token, says string }{
		{"text", "is not a signed JWT"},
		{rs256 + "." + parts[1] + "." + parts[2], "is not a signed JWT"},
		{parts[0] + "." + foreign[1] + "." + foreign[2], "has a signature that does not fit"},
		{strings.Join(foreign, "."), "is signed with a key that is not ours"},
	} {
		_, err := oidc.VerifyOwn(c.token, ours, oidc.TypeIDToken)
		if f := refused(t, err, "invalid_token", ""); !strings.Contains(f.Message, c.says) {
			t.Errorf("%.40s: %s, want: %s", c.token, f.Message, c.says)
		}
		_, err = oidc.VerifyHint(c.token, ours, "https://rc.example", "", now)
		if f := refused(t, err, "invalid_token", ""); !strings.Contains(f.Message, c.says) {
			t.Errorf("as a hint %.40s: %s, want: %s", c.token, f.Message, c.says)
		}
	}
}

func TestVerifyOwn_refuses_a_claim_that_comes_twice(t *testing.T) {
	key := signingKey(t, oidc.ES256)
	head := encode(t, map[string]any{"alg": "ES256", "kid": key.KID, "typ": "JWT"})
	p := newPeer(t).with("ES256", key.KID, key.Private)
	_, err := oidc.VerifyOwn(p.sign(head+"."+base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"a","sub":"b"}`))), []oidc.PublicKey{public(t, key)}, oidc.TypeIDToken)
	if f := refused(t, err, "invalid_token", ""); !strings.Contains(f.Message, "has claims that cannot be read") {
		t.Error(f.Message)
	}
}
