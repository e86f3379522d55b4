package oidc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	upstream "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// IDTokenExpectation is what an ID token has to say. Issuer, ClientID, Nonce and Algorithms are needed: without one of them nothing is accepted.
type IDTokenExpectation struct {
	Issuer      string
	ClientID    string
	Nonce       string      // that of the authorization request
	Algorithms  []Algorithm // pinned: those of the discovery document when the connection was made, or one of them
	Now         time.Time
	Skew        time.Duration // 0: 2 minutes; kept between 1 and 3 minutes
	AccessToken string        // that came beside it; at_hash is compared where both are there
	AuthAfter   time.Time     // set where a fresh sign-in was asked for: auth_time must not lie before, less the skew; zero lies before all
}

// IDToken is a verified ID token.
type IDToken struct {
	Issuer, Subject  string
	Audience         []string
	IssuedAt, Expiry time.Time
	AuthTime         time.Time // zero: not said
	SID              string    // of the session at the provider
	ACR              string
	AMR              []string
	KID              string
	Algorithm        Algorithm
	Claims           map[string]any // all of them
}

// VerifyIDToken checks an ID token (OpenID Connect Core 1.0, section 3.1.3.7) with go-oidc's verifier, and what that leaves to its caller: nonce, azp, at_hash,
// nbf and iat with a leeway, auth_time, presence of sub and iat. A refusal is a *fault.Error; ErrUnknownKey is inside where another key set
// could help.
func VerifyIDToken(ctx context.Context, raw string, keys KeySet, e IDTokenExpectation) (IDToken, error) {
	if e.Issuer == "" || e.ClientID == "" || e.Nonce == "" || len(e.Algorithms) == 0 {
		return IDToken{}, errors.New("verify ID token: issuer, client id, nonce and algorithms are needed")
	}
	v := verification{keys: keys, issuer: e.Issuer, clientID: e.ClientID, algorithms: e.Algorithms, now: e.Now, skew: clampSkew(e.Skew), what: "ID token"}
	if err := v.gate(raw, TypeIDToken); err != nil {
		return IDToken{}, err
	}
	_, upstreamErr := v.verifier().Verify(ctx, raw)
	claims, err := v.claims(upstreamErr)
	if err != nil {
		return IDToken{}, err
	}
	t, err := v.idToken(claims, e)
	if err != nil {
		return IDToken{}, err
	}
	if upstreamErr != nil { // go-oidc saw what we did not
		return IDToken{}, refuse(CodeTokenError, "The ID token was refused.").Because(upstreamErr)
	}
	return t, nil
}

const usualSkew = 2 * time.Minute

func clampSkew(d time.Duration) time.Duration {
	if d == 0 {
		return usualSkew
	}
	return min(max(d, time.Minute), 3*time.Minute)
}

// verification is one token under examination. It is the key set of go-oidc's verifier, so that it sees the payload which the signature covers.
type verification struct {
	keys       KeySet
	issuer     string
	clientID   string
	algorithms []Algorithm
	now        time.Time
	skew       time.Duration
	what       string

	header  header
	payload []byte // nil until a signature was verified
	err     *fault.Error
}

func (v *verification) verifier() *upstream.IDTokenVerifier {
	algorithms := make([]string, len(v.algorithms))
	for i, a := range v.algorithms {
		algorithms[i] = string(a)
	}
	return upstream.NewVerifier(v.issuer, v, &upstream.Config{
		ClientID:             v.clientID,
		SupportedSigningAlgs: algorithms,
		Now:                  func() time.Time { return v.now.Add(-v.skew) },
	})
}

// gate refuses by the header, before any arithmetic. Types that name another kind of token are refused (RFC 8725, section 3.11); providers
// write JWT, nothing, or the one that is wanted.
func (v *verification) gate(raw string, typ Type) error {
	if len(raw) > MaxToken {
		return refuse(CodeMalformed, "The %s has more than %d bytes.", v.what, MaxToken)
	}
	h, err := readHeader(raw)
	if err != nil {
		return refuse(CodeMalformed, "The %s is not a signed JWT that is understood.", v.what).Because(err)
	}
	v.header = h
	if !slices.Contains(verifiable(), Algorithm(h.alg)) || !slices.Contains(v.algorithms, Algorithm(h.alg)) {
		return refuse(CodeAlgorithmNotAllowed, "The %s is signed with an algorithm that is not accepted for this connection.", v.what).Compared(joined(v.algorithms), h.alg)
	}
	if h.typ != "" && !strings.EqualFold(h.typ, "JWT") && !strings.EqualFold(strings.TrimPrefix(strings.ToLower(h.typ), "application/"), string(typ)) {
		return refuse(CodeTokenError, "What came as %s is another kind of token.", v.what).Compared(string(typ), h.typ)
	}
	return nil
}

// VerifySignature tries the keys that may have signed; go-oidc calls it.
func (v *verification) VerifySignature(_ context.Context, raw string) ([]byte, error) {
	candidates := v.keys.candidates(v.header)
	if len(candidates) == 0 {
		v.err = v.noKey()
		return nil, v.err
	}
	signed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(v.header.alg)})
	if err != nil {
		v.err = refuse(CodeMalformed, "The %s is not a signed JWT that is understood.", v.what).Because(err)
		return nil, v.err
	}
	for _, key := range candidates {
		if payload, err := signed.Verify(key.Key); err == nil {
			v.payload = payload
			return payload, nil
		}
	}
	v.err = refuse(CodeSignatureInvalid, "The signature of the %s does not fit its key.", v.what).Compared("a signature by key "+v.header.kid, "another one")
	if v.header.kid == "" { // a new key without an id looks like a wrong signature
		v.err = v.err.Because(ErrUnknownKey)
	}
	return nil, v.err
}

func (v *verification) noKey() *fault.Error {
	known := joined(v.keys.KIDs())
	if slices.Contains(v.keys.KIDs(), v.header.kid) {
		return refuse(CodeSignatureInvalid, "The key that the %s names is of another kind than its algorithm.", v.what).Compared("a key for "+v.header.alg, v.header.kid)
	}
	return refuse(CodeSignatureInvalid, "The %s is signed with a key that the provider does not publish.", v.what).Compared(known, v.header.kid).Because(ErrUnknownKey)
}

// claims decodes the verified payload strictly: a member that comes twice has two meanings.
func (v *verification) claims(upstreamErr error) (map[string]any, error) {
	if v.err != nil {
		return nil, v.err
	}
	var claims map[string]any
	if err := json.Unmarshal(v.payload, &claims); err != nil { // nothing, where go-oidc could not even read the token
		return nil, refuse(CodeMalformed, "The %s is not a signed JSON object that can be read.", v.what).Because(errors.Join(err, upstreamErr))
	}
	return claims, nil
}

func (v *verification) idToken(claims map[string]any, e IDTokenExpectation) (IDToken, error) {
	c := &reader{claims: claims}
	t := IDToken{
		Issuer: c.text("iss"), Subject: c.text("sub"), Audience: c.audience(), IssuedAt: c.time("iat"), Expiry: c.time("exp"),
		AuthTime: c.time("auth_time"), SID: c.text("sid"), ACR: c.text("acr"), AMR: lenient(claims["amr"]),
		KID: v.header.kid, Algorithm: Algorithm(v.header.alg), Claims: claims,
	}
	if err := v.common(c, t.Issuer, t.Audience, t.IssuedAt, t.Expiry); err != nil {
		return IDToken{}, err
	}
	nonce, hash, azp := c.text("nonce"), c.text("at_hash"), c.text("azp")
	switch {
	case c.err != nil:
		return IDToken{}, refuse(CodeMalformed, "A claim of the ID token has a form that is not allowed.").Because(c.err)
	case len(t.Audience) > 1 && azp == "":
		return IDToken{}, refuse(CodeAudienceMismatch, "The ID token is meant for several applications and does not say which one asked for it.").On("azp").Compared(e.ClientID, "no azp")
	case azp != "" && azp != e.ClientID:
		return IDToken{}, refuse(CodeAudienceMismatch, "Another application asked for the ID token.").On("azp").Compared(e.ClientID, azp)
	case t.Subject == "" || len(t.Subject) > 255:
		return IDToken{}, refuse(CodeMissingAttribute, "The ID token has no subject, or one of more than 255 characters.").On("sub").Compared("1 to 255 characters", fmt.Sprintf("%d characters", len(t.Subject)))
	case !equal(nonce, e.Nonce):
		return IDToken{}, refuse(CodeAnotherSignIn, "The ID token belongs to another sign-in.").On("nonce").Compared("the nonce of this sign-in", presence(nonce))
	case hash != "" && e.AccessToken != "" && !equal(hash, AccessTokenHash(t.Algorithm, e.AccessToken)):
		return IDToken{}, refuse(CodeTokenError, "The access token is not the one the ID token was made with.").On("at_hash")
	case t.AuthTime.Before(e.AuthAfter.Add(-v.skew)):
		return IDToken{}, refuse(CodeExpired, "A fresh sign-in was asked for, and the provider did not ask the person again.").
			On("auth_time").Compared("after "+stamp(e.AuthAfter), stamp(t.AuthTime))
	}
	return t, nil
}

// common checks what ID and logout tokens share.
func (v *verification) common(c *reader, issuer string, audience []string, issuedAt, expiry time.Time) error {
	notBefore := c.time("nbf")
	switch {
	case c.err != nil:
		return refuse(CodeMalformed, "A claim of the %s has a form that is not allowed.", v.what).Because(c.err)
	case issuer != v.issuer && !(v.issuer == googleIssuer && "https://"+issuer == googleIssuer):
		return refuse(CodeIssuerMismatch, "The %s comes from another issuer.", v.what).On("iss").Compared(v.issuer, issuer)
	case !slices.Contains(audience, v.clientID):
		return refuse(CodeAudienceMismatch, "The %s is meant for another application.", v.what).On("aud").Compared(v.clientID, strings.Join(audience, ", "))
	case issuedAt.IsZero():
		return refuse(CodeMissingAttribute, "The %s does not say when it was made.", v.what).On("iat")
	case expiry.IsZero():
		return refuse(CodeMissingAttribute, "The %s does not say until when it counts.", v.what).On("exp")
	case !v.now.Before(expiry.Add(v.skew)):
		return refuse(CodeExpired, "The %s has expired.", v.what).On("exp").Compared("after "+stamp(v.now), stamp(expiry))
	case issuedAt.After(v.now.Add(v.skew)):
		return refuse(CodeNotYetValid, "The %s was made in the future; check the clocks.", v.what).On("iat").Compared("before "+stamp(v.now), stamp(issuedAt))
	case notBefore.After(v.now.Add(v.skew)):
		return refuse(CodeNotYetValid, "The %s does not count yet; check the clocks.", v.what).On("nbf").Compared("before "+stamp(v.now), stamp(notBefore))
	}
	return nil
}

// lenient reads amr: some providers send one string where the standard wants a list.
func lenient(v any) []string {
	if one, _ := v.(string); one != "" {
		return []string{one}
	}
	return (&reader{claims: map[string]any{"amr": v}}).texts("amr")
}

func presence(s string) string {
	if s == "" {
		return "none"
	}
	return "another one"
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "nothing"
	}
	return t.UTC().Format(time.RFC3339)
}
