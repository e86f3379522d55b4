package sso

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/org"
)

// ReceiveOIDC redeems and verifies what came to a redirect URI. The error is a *Refusal, to be given to Fail. It writes nothing but a
// new reading of the provider's keys, where a token is signed with one that is not known.
func (s *Service) ReceiveOIDC(ctx context.Context, in OIDCArrival) (*Verified, error) {
	came := arrived{raw: noted(in), ip: bounded(in.IP, maxIP), userAgent: bounded(in.UserAgent, maxAgent)}
	c, err := s.ByKey(ctx, in.Key)
	a, err := s.openArrival(c, err, OIDC, in.Browser, came)
	if err != nil {
		return nil, err
	}
	if err := a.belongsTo(s.owned(ctx, c)); err != nil {
		return nil, err
	}
	attempt, err := a.attempt(ctx, oidc.State(in.Query))
	if err != nil {
		return nil, err
	}
	if attempt == nil {
		return nil, a.stateless()
	}
	if f := a.closed(attempt.Kind); f != nil {
		return nil, a.refuseFor(attempt, f)
	}
	if f := a.usable(attempt); f != nil {
		return nil, a.refuseFor(attempt, f)
	}
	v, st, err := a.redeem(ctx, attempt, in)
	if err != nil {
		f, ok := fault.As(err)
		if !ok {
			return nil, err
		}
		r := a.refuseFor(attempt, f)
		r.checks = []Check{checkOf(f)}
		return nil, r
	}
	if v, err = a.conclude(attempt, st, v); err != nil {
		return nil, err
	}
	return v, s.met(ctx, v)
}

// noted is what is kept of a callback: neither code nor state.
func noted(in OIDCArrival) []byte {
	kept := map[string]string{}
	for _, name := range []string{"error", "error_description", "iss"} {
		if value := in.Query.Get(name); value != "" {
			kept[name] = shownLong(value)
		}
	}
	return encode(kept)
}

func (a *arrival) stateless() *Refusal {
	if f := a.closed(SignIn); f != nil {
		return a.refuse(f)
	}
	return a.refuse(deny(StateLost, "the state of a sign-in through this connection", "none, or another", "The answer belongs to no sign-in that was begun through this connection."))
}

// redeem exchanges the code and verifies what comes for it.
func (a *arrival) redeem(ctx context.Context, attempt *Attempt, in OIDCArrival) (*Verified, statement, error) {
	d, err := a.c.provider()
	if err != nil {
		return nil, statement{}, fmt.Errorf("discovery of connection %s: %w", a.c.ID, err)
	}
	callback, err := oidc.CheckCallback(in.Query, oidc.CallbackExpectation{Issuer: a.c.Issuer, IssParameter: d.IssParameter})
	if err != nil {
		return nil, statement{}, err
	}
	keep, err := a.s.secretsOf(*attempt)
	if err != nil {
		return nil, statement{}, err
	}
	tokens, err := a.exchange(ctx, d, callback.Code, keep)
	if err != nil {
		return nil, statement{}, err
	}
	e := oidc.IDTokenExpectation{
		Issuer: a.c.Issuer, ClientID: a.c.ClientID, Nonce: keep.Nonce, Algorithms: a.c.pinned(d), Now: a.s.moment(), Skew: a.c.Options.skew(),
		AccessToken: tokens.AccessToken,
	}
	if attempt.ForceAuthn {
		e.AuthAfter = attempt.CreatedAt
	}
	idToken, err := a.verifyIDToken(ctx, tokens.IDToken, d, e)
	if err != nil {
		return nil, statement{}, err
	}
	info, err := a.userInfo(ctx, d, idToken, tokens.AccessToken)
	if err != nil {
		return nil, statement{}, err
	}
	st := a.statement(idToken, info)
	a.came.raw = encode(st.raw)
	v := &Verified{SessionIndex: idToken.SID, AuthenticatedAt: idToken.AuthTime, AMR: idToken.AMR, ACR: idToken.ACR}
	if v.AuthenticatedAt.IsZero() {
		v.AuthenticatedAt = idToken.IssuedAt
	}
	v.Checks = []Check{
		passed("signature", "a signature by a key of the provider", string(idToken.Algorithm)+" by key "+idToken.KID),
		passed("issuer", a.c.Issuer, idToken.Issuer),
		passed("audience", a.c.ClientID, strings.Join(idToken.Audience, ", ")),
		passed("recipient", keep.RedirectURI, "as wanted"),
		passed("times", "now, give or take "+a.c.Options.skew().String(), "usable until "+org.Time(idToken.Expiry)),
		passed("in_response_to", "the nonce of this attempt", string(attempt.ID)),
	}
	return v, st, nil
}

// pinned are the algorithms an ID token may be signed with: those chosen, of those that the provider names.
func (c Connection) pinned(d oidc.Discovery) []oidc.Algorithm {
	if len(c.Options.Algorithms) == 0 {
		return d.Algorithms
	}
	var out []oidc.Algorithm
	for _, alg := range c.Options.Algorithms {
		out = append(out, oidc.Algorithm(alg))
	}
	return out
}

// exchange redeems the code. The secret goes to the address of the token endpoint and follows no redirect.
func (a *arrival) exchange(ctx context.Context, d oidc.Discovery, code string, keep secrets) (oidc.TokenResponse, error) {
	x := oidc.Exchange{Code: code, RedirectURI: keep.RedirectURI, Verifier: keep.Verifier, ClientID: a.c.ClientID, Method: oidc.AuthMethod(a.c.method(d))}
	if err := a.authenticate(&x, a.s.moment()); err != nil {
		return oidc.TokenResponse{}, err
	}
	body, authorization, err := x.Request()
	if err != nil {
		return oidc.TokenResponse{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, fetchPatience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.TokenEndpoint, strings.NewReader(body))
	if err != nil {
		return oidc.TokenResponse{}, unreachable(d.TokenEndpoint, err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "Rollcall")
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	answer, err := a.s.clients.strict.Do(r)
	if err != nil {
		return oidc.TokenResponse{}, unreachable(d.TokenEndpoint, err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(io.LimitReader(answer.Body, oidc.MaxDocument+1))
	if err != nil {
		return oidc.TokenResponse{}, unreachable(d.TokenEndpoint, err)
	}
	return oidc.ParseTokenResponse(data, answer.StatusCode, answer.Header.Get("Content-Type"))
}

// method is how we authenticate: as chosen, else by Basic unless the provider takes only the other.
func (c Connection) method(d oidc.Discovery) AuthMethod {
	switch {
	case c.Options.AuthMethod != "":
		return c.Options.AuthMethod
	case !slices.Contains(d.AuthMethods, oidc.AuthBasic) && slices.Contains(d.AuthMethods, oidc.AuthPost):
		return SecretPost
	default:
		return SecretBasic
	}
}

// authenticate adds the secret, or what is signed with the connection's own key.
func (a *arrival) authenticate(x *oidc.Exchange, now time.Time) error {
	if x.Method == oidc.AuthPrivateKeyJWT {
		key, cert, err := a.s.keyPair(a.c)
		if err != nil {
			return err
		}
		signing := oidc.SigningKey{KID: a.c.KeyID(), Alg: oidc.RS256, Private: key, Certificate: cert.Raw}
		x.Assertion, err = oidc.ClientAssertion(signing, a.c.ClientID, a.c.Issuer, a.s.c.IDs.NewID("jti"), now)
		return err
	}
	if a.c.clientSecret == "" {
		return deny(IDPTokenError, "a client secret", "none", "The connection has no client secret to show to the identity provider.")
	}
	clear, err := a.s.c.Sealer.Open(secretPlace(a.c.ID), a.c.clientSecret)
	if err != nil {
		return fmt.Errorf("client secret of connection %s: %w", a.c.ID, err)
	}
	x.Secret = string(clear)
	return nil
}

// verifyIDToken verifies a token, once more with a fresh key set where its key is not known.
func (a *arrival) verifyIDToken(ctx context.Context, raw string, d oidc.Discovery, e oidc.IDTokenExpectation) (oidc.IDToken, error) {
	keys, err := oidc.ParseKeySet([]byte(a.c.jwks))
	if err != nil {
		return oidc.IDToken{}, err
	}
	t, err := oidc.VerifyIDToken(ctx, raw, keys, e)
	if !errors.Is(err, oidc.ErrUnknownKey) {
		return t, err
	}
	fresh, errFetch := a.s.refreshKeys(ctx, a.c, d)
	if errFetch != nil || fresh == "" {
		return t, errors.Join(err, errFetch)
	}
	if keys, errFetch = oidc.ParseKeySet([]byte(fresh)); errFetch != nil {
		return t, err
	}
	return oidc.VerifyIDToken(ctx, raw, keys, e)
}

// userInfo asks for more where the ID token has no address.
func (a *arrival) userInfo(ctx context.Context, d oidc.Discovery, t oidc.IDToken, accessToken string) (*oidc.UserInfo, error) {
	m := mappingOf(a.s.c.Catalog, a.c)
	if d.UserInfoEndpoint == "" || accessToken == "" || claimed(t.Claims).first(m.names(meansEmail, "email")) != "" {
		return nil, nil //nolint:nilnil // nothing is needed
	}
	ctx, cancel := context.WithTimeout(ctx, fetchPatience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.UserInfoEndpoint, nil)
	if err != nil {
		return nil, unreachable(d.UserInfoEndpoint, err)
	}
	r.Header.Set("Authorization", "Bearer "+accessToken)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "Rollcall")
	answer, err := a.s.clients.strict.Do(r)
	if err != nil {
		return nil, unreachable(d.UserInfoEndpoint, err)
	}
	defer answer.Body.Close()
	doc, err := readAnswer(d.UserInfoEndpoint, answer, maxUserInfo)
	if err != nil {
		return nil, err
	}
	info, err := oidc.ParseUserInfo(doc.body, answer.Header.Get("Content-Type"), t.Subject)
	if err != nil {
		return nil, err
	}
	return &info, nil
}

// statement joins both documents; where they differ the signed one counts. Whether the address is verified is said by the document
// that has the address.
func (a *arrival) statement(t oidc.IDToken, info *oidc.UserInfo) statement {
	claims := map[string]any{}
	holder := t.Claims
	if info != nil {
		maps.Copy(claims, info.Claims)
		if text, _ := t.Claims["email"].(string); text == "" {
			holder = info.Claims
		}
	}
	maps.Copy(claims, t.Claims)
	if value, there := holder["email_verified"]; there {
		claims["email_verified"] = value
	} else {
		delete(claims, "email_verified")
	}
	st := claimed(claims)
	st.verified = vouched(t.Issuer, holder)
	return st
}

// vouched says what the provider says about the address of a document; nil if nothing. Tenants of Microsoft Entra ID can write any
// address, so there only xms_edov counts.
func vouched(issuer string, holder map[string]any) *bool {
	name := "email_verified"
	if oidc.WritesAnyEmail(issuer) {
		name = "xms_edov"
	}
	if value, there := holder[name]; !there || value == nil {
		return nil
	}
	is := oidc.EmailOf(oidc.IDToken{Issuer: issuer, Claims: holder}, nil).Verified
	return &is
}
