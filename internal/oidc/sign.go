package oidc

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// Type is the typ of a token: it keeps one kind from being shown as another (RFC 8725, section 3.11).
type Type string

// The closed list of types.
const (
	TypeIDToken     Type = "JWT"
	TypeAccessToken Type = "at+jwt"     // RFC 9068
	TypeLogoutToken Type = "logout+jwt" // OpenID Connect Back-Channel Logout 1.0, section 2.4
	TypeReceipt     Type = "offboarding-receipt+jwt"
)

// Sign makes a JWT in compact form; claims is a map or a struct that encodes to a JSON object.
func Sign(key SigningKey, typ Type, claims any) (string, error) {
	payload, err := json.Marshal(claims, json.Deterministic(true))
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	options := (&jose.SignerOptions{}).WithType(jose.ContentType(typ)).WithHeader("kid", key.KID)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Alg), Key: key.Private}, options)
	if err != nil {
		return "", fmt.Errorf("sign with %s: %w", key, err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign with %s: %w", key, err)
	}
	return signed.CompactSerialize()
}

// VerifyOwn checks the signature of a token that the provider made, and that it is of the wanted type, and gives its claims. Issuer,
// audience and times are the caller's to check. A refusal is a *fault.Error of kind Unauthorized.
func VerifyOwn(raw string, keys []PublicKey, typ Type) (map[string]any, error) {
	refusal := func(why string) *fault.Error {
		return fault.New(fault.Unauthorized, string(InvalidToken), "The token %s.", why)
	}
	if len(raw) > maxToken {
		return nil, refusal("is too long")
	}
	h, refused := readHeader(raw)
	if refused != nil {
		return nil, refusal("is not a signed JWT")
	}
	if h.typ != string(typ) {
		return nil, refusal("is of another kind").Compared(string(typ), h.typ)
	}
	i := slices.IndexFunc(keys, func(k PublicKey) bool { return k.KID() == h.kid })
	if i < 0 {
		return nil, refusal("is signed with a key that is not ours")
	}
	signed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(keys[i].Alg())})
	if err != nil {
		return nil, refusal("is not a signed JWT").Because(err)
	}
	payload, err := signed.Verify(keys[i].jwk.Key)
	if err != nil {
		return nil, refusal("has a signature that does not fit").Because(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil || claims == nil {
		return nil, refusal("has claims that cannot be read").Because(err)
	}
	return claims, nil
}

// Hint is what an id_token_hint says.
type Hint struct {
	Subject  string
	ClientID string // the audience: for whom the token was made
	SID      string // the session
	IssuedAt time.Time
	Expired  bool
}

// VerifyHint checks an id_token_hint: an ID token that this issuer made, for clientID where that is not empty. Its being expired is no
// reason to refuse it (OpenID Connect RP-Initiated Logout 1.0, section 2); whoever wants to may look at Expired. keys includes those that
// sign no more. A refusal is a *fault.Error.
func VerifyHint(raw string, keys []PublicKey, issuer, clientID string, now time.Time) (Hint, error) {
	claims, err := VerifyOwn(raw, keys, TypeIDToken)
	if err != nil {
		return Hint{}, err
	}
	c := reader{claims: claims}
	hint := Hint{Subject: c.text("sub"), SID: c.text("sid"), IssuedAt: c.time("iat")}
	audience, expiry := c.audience(), c.time("exp")
	foreign := fault.New(fault.Unauthorized, string(InvalidToken), "id_token_hint was made by somebody else or for somebody else.")
	switch {
	case c.text("iss") != issuer:
		return Hint{}, foreign.Compared(issuer, c.text("iss"))
	case len(audience) != 1 || clientID != "" && audience[0] != clientID:
		return Hint{}, foreign.Compared(clientID, strings.Join(audience, " "))
	case hint.Subject == "" || hint.IssuedAt.IsZero() || expiry.IsZero() || c.err != nil:
		return Hint{}, fault.New(fault.Unauthorized, string(InvalidToken), "id_token_hint lacks a claim.").Because(c.err)
	}
	hint.ClientID, hint.Expired = audience[0], !now.Before(expiry)
	return hint, nil
}

// IDTokenClaims are the claims of an ID token (OpenID Connect Core 1.0, section 2). Zero values are left out.
type IDTokenClaims struct {
	Issuer, Subject, ClientID   string
	IssuedAt, Expires, AuthTime time.Time
	Nonce, SID, ACR             string
	AMR                         []string
	AccessToken                 string         // at_hash is made of it
	Extra                       map[string]any // about the person; cannot replace any of the others
}

// Claims puts them together for a token that will be signed with alg.
func (c IDTokenClaims) Claims(alg Algorithm) map[string]any {
	claims := maps.Clone(c.Extra)
	if claims == nil {
		claims = map[string]any{}
	}
	for _, name := range []string{"nonce", "sid", "acr", "amr", "at_hash", "auth_time", "azp", "c_hash", "s_hash", "events", "nbf", "jti"} {
		delete(claims, name)
	}
	maps.Copy(claims, map[string]any{"iss": c.Issuer, "sub": c.Subject, "aud": c.ClientID, "iat": c.IssuedAt.Unix(), "exp": c.Expires.Unix()})
	for name, value := range map[string]string{"nonce": c.Nonce, "sid": c.SID, "acr": c.ACR} {
		if value != "" {
			claims[name] = value
		}
	}
	if !c.AuthTime.IsZero() {
		claims["auth_time"] = c.AuthTime.Unix()
	}
	if len(c.AMR) > 0 {
		claims["amr"] = c.AMR
	}
	if c.AccessToken != "" {
		claims["at_hash"] = AccessTokenHash(alg, c.AccessToken)
	}
	return claims
}

// AccessTokenHash is at_hash (OpenID Connect Core 1.0, section 3.1.3.6): half of the hash that belongs to alg. For EdDSA that is SHA-512.
// "" for an algorithm that is not known.
func AccessTokenHash(alg Algorithm, token string) string {
	var h hash.Hash
	switch alg {
	case RS256, PS256, ES256:
		h = sha256.New()
	case RS384, PS384, ES384:
		h = sha512.New384()
	case RS512, PS512, ES512, EdDSA:
		h = sha512.New()
	default:
		return ""
	}
	h.Write([]byte(token))
	sum := h.Sum(nil)
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}

// backChannelEvent is the one event of a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.4).
const backChannelEvent = "http://schemas.openid.net/event/backchannel-logout"

// LogoutTokenLife is how long a logout token counts: the standard advises two minutes at most.
const LogoutTokenLife = 2 * time.Minute

// LogoutClaims are the claims of a logout token: sign them with TypeLogoutToken. Of subject and sid one may be empty.
func LogoutClaims(issuer, clientID, subject, sid, id string, now time.Time) map[string]any {
	claims := map[string]any{
		"iss": issuer, "aud": clientID, "iat": now.Unix(), "exp": now.Add(LogoutTokenLife).Unix(), "jti": id,
		"events": map[string]any{backChannelEvent: map[string]any{}},
	}
	if subject != "" {
		claims["sub"] = subject
	}
	if sid != "" {
		claims["sid"] = sid
	}
	return claims
}
