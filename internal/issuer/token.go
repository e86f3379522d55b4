package issuer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Lives of tokens. None outlives its session.
const (
	accessLife           = 5 * time.Minute
	compatibleAccessLife = 10 * time.Minute // of /sso/token, as its contract says; it shows a profile and nothing else
	idTokenLife          = 5 * time.Minute
)

func invalidGrant() *oidc.ErrorResponse {
	return oidc.Refuse(oidc.InvalidGrant, "The code or token is not valid: it has expired, was used, was taken back, or is not this client's.")
}

// Token answers a request to a token endpoint. A refusal is an *oidc.ErrorResponse; any other error is a failure.
func (s *Service) Token(ctx context.Context, r oidc.TokenRequest, style oidc.Style) (TokenResponse, error) {
	c, err := s.authenticate(ctx, r.Client, style)
	if err != nil {
		return TokenResponse{}, err
	}
	switch {
	case style == oidc.StyleUserManagement && s.accounts == nil:
		return TokenResponse{}, noAccounts()
	case r.Grant == oidc.GrantCode:
		return s.redeem(ctx, c, r, style)
	case r.Grant == oidc.GrantRefresh && style != oidc.StyleSSO:
		return s.refresh(ctx, c, r, style)
	}
	return TokenResponse{}, oidc.RefuseGrant(style)
}

// redeem turns a code into tokens. Everything that can be refused without the code's being used is; then one write decides.
func (s *Service) redeem(ctx context.Context, c client, r oidc.TokenRequest, style oidc.Style) (TokenResponse, error) {
	secret := token.Secret(r.Code)
	code, err := s.usable(ctx, c.Application, secret, style)
	if err != nil {
		return TokenResponse{}, err
	}
	if err := fits(c.Application, code, r, style); err != nil {
		return TokenResponse{}, err
	}
	g := grantOf(code)
	if err := s.admitted(ctx, g, code); err != nil {
		return TokenResponse{}, err
	}
	if err := s.invited(ctx, g, r, style); err != nil {
		return TokenResponse{}, err
	}
	b := batch{s: s, app: c.Application, grant: g, grantID: code.GrantID, scope: strings.Fields(code.Scope), given: code.Scope, nonce: code.Nonce, style: style}
	answer, err := b.mint(ctx)
	if err != nil {
		return TokenResponse{}, err
	}
	var w db.Write
	s.sessions.RedeemInto(&w, code)
	b.into(&w)
	c.noteUseInto(&w, b.now)
	if err := s.db.Write(ctx, &w); lost(err) {
		return TokenResponse{}, s.lostCode(ctx, c.Application, secret, style)
	} else if err != nil {
		return TokenResponse{}, fmt.Errorf("redeem a code: %w", err)
	}
	return answer, nil
}

// usable finds a code that this application may redeem now. One that it shows a second time ends the grant: somebody else has it too
// (RFC 6749, section 4.1.2).
func (s *Service) usable(ctx context.Context, a Application, secret token.Secret, style oidc.Style) (session.Code, error) {
	code, ok, err := s.sessions.Code(ctx, a.ID, secret)
	switch {
	case err != nil:
		return session.Code{}, err
	case !ok || code.Style != style:
		return session.Code{}, invalidGrant()
	case !code.UsedAt.IsZero():
		if err := s.endGrant(ctx, a, code.SessionID, code.GrantID, code, "an authorization code was shown twice"); err != nil {
			return session.Code{}, err
		}
		return session.Code{}, invalidGrant()
	case !code.EndedAt.IsZero() || !s.time().Before(code.ExpiresAt):
		return session.Code{}, invalidGrant()
	}
	return code, nil
}

// lostCode is for the write that did not redeem: whoever was first has used the code, or its session has ended.
func (s *Service) lostCode(ctx context.Context, a Application, secret token.Secret, style oidc.Style) error {
	if _, err := s.usable(ctx, a, secret, style); err != nil {
		return err
	}
	return invalidGrant()
}

// endGrant takes back what an application was given, and says so in the log of the program: the operator may want to know.
func (s *Service) endGrant(ctx context.Context, a Application, sessionID, grantID string, code session.Code, why string) error {
	s.log.Warn("a grant was ended", "why", why, "application", a.ID, "grant", grantID, "session", sessionID)
	return s.sessions.EndGrant(ctx, a.ID, sessionID, grantID, code)
}

// fits compares what the code was issued for with what comes.
func fits(a Application, code session.Code, r oidc.TokenRequest, style oidc.Style) error {
	switch {
	case r.RedirectURI != code.RedirectURI && (style == oidc.StyleOIDC || r.RedirectURI != ""):
		return oidc.Refuse(oidc.InvalidGrant, "redirect_uri is not the one the code was issued for.").On("redirect_uri")
	case code.Challenge == "" && (style == oidc.StyleOIDC || a.Public || a.UsesPKCE):
		return oidc.Refuse(oidc.InvalidGrant, "The code was asked for without PKCE, which this application has to use.")
	}
	return oidc.CheckVerifier(code.Challenge, r.Verifier)
}

func grantOf(c session.Code) Grant {
	return Grant{
		ApplicationID: c.ApplicationID, OrganizationID: c.OrganizationID, SessionID: c.SessionID, SessionUntil: c.Until, UserID: c.UserID,
		ProfileID: c.ProfileID, ConnectionID: c.ConnectionID, AMR: c.AMR, AuthenticatedAt: c.AuthenticatedAt,
	}
}

// admitted asks whether the person may still come in. Who may not loses the grant.
func (s *Service) admitted(ctx context.Context, g Grant, code session.Code) error {
	return s.judge(ctx, g, code.GrantID, code)
}

func (s *Service) judge(ctx context.Context, g Grant, grantID string, code session.Code) error {
	err := s.people.Admitted(ctx, g)
	if err == nil {
		return nil
	}
	refused, ok := fault.As(err)
	if !ok || refused.Kind == fault.Internal || refused.Kind == fault.Unavailable {
		return fmt.Errorf("ask whether %s may come in: %w", g.Subject(), err)
	}
	if err := s.endGrant(ctx, Application{ID: g.ApplicationID}, g.SessionID, grantID, code, "the person may not come in any more"); err != nil {
		return err
	}
	return invalidGrant().Because(refused)
}

// refresh turns a refresh token into the next one.
func (s *Service) refresh(ctx context.Context, c client, r oidc.TokenRequest, style oidc.Style) (TokenResponse, error) {
	secret := token.Secret(r.RefreshToken)
	old, err := s.refreshable(ctx, c.Application, secret, style)
	if err != nil {
		return TokenResponse{}, err
	}
	scope, err := narrowed(old.Scope, r.Scope)
	if err != nil {
		return TokenResponse{}, err
	}
	present, err := s.sessions.Get(ctx, old.SessionID)
	if fault.Is(err, fault.NotFound) || err == nil && !present.Living(s.time()) {
		return TokenResponse{}, invalidGrant()
	}
	if err != nil {
		return TokenResponse{}, err
	}
	g := Grant{
		ApplicationID: c.ID, OrganizationID: old.OrganizationID, SessionID: old.SessionID, SessionUntil: present.ExpiresAt, UserID: old.UserID,
		ProfileID: old.ProfileID, ConnectionID: present.ConnectionID, AMR: present.AMR, AuthenticatedAt: old.AuthenticatedAt,
	}
	if err := s.judge(ctx, g, old.GrantID, session.Code{}); err != nil {
		return TokenResponse{}, err
	}
	if err := s.stays(ctx, g, r.Organization); err != nil {
		return TokenResponse{}, err
	}
	b := batch{s: s, app: c.Application, grant: g, grantID: old.GrantID, scope: scope, given: old.Scope, nonce: old.Nonce, style: style}
	answer, err := b.mint(ctx)
	if err != nil {
		return TokenResponse{}, err
	}
	var w db.Write
	s.sessions.RotateInto(&w, old)
	b.into(&w)
	c.noteUseInto(&w, b.now)
	if err := s.db.Write(ctx, &w); lost(err) {
		if _, err := s.refreshable(ctx, c.Application, secret, style); err != nil {
			return TokenResponse{}, err
		}
		return TokenResponse{}, invalidGrant()
	} else if err != nil {
		return TokenResponse{}, fmt.Errorf("refresh: %w", err)
	}
	s.sessions.Touch(present)
	return answer, nil
}

// refreshable finds a refresh token that this application may use now. One that comes back ends the grant (RFC 9700, section 4.14.2); there
// is no time in which the last one still counts.
func (s *Service) refreshable(ctx context.Context, a Application, secret token.Secret, style oidc.Style) (session.RefreshToken, error) {
	t, ok, err := s.sessions.RefreshToken(ctx, a.ID, secret)
	switch {
	case err != nil:
		return session.RefreshToken{}, err
	case !ok || styleOf(t) != style || !t.RevokedAt.IsZero() || !s.time().Before(t.ExpiresAt):
		return session.RefreshToken{}, invalidGrant()
	case !t.UsedAt.IsZero():
		if err := s.endGrant(ctx, a, t.SessionID, t.GrantID, session.Code{}, "a refresh token was shown twice"); err != nil {
			return session.RefreshToken{}, err
		}
		return session.RefreshToken{}, invalidGrant()
	}
	return t, nil
}

// styleOf is at which of the endpoints a refresh token serves.
func styleOf(t session.RefreshToken) oidc.Style {
	if t.Scope == scopeAccount {
		return oidc.StyleUserManagement
	}
	return oidc.StyleOIDC
}

// narrowed gives the scope of an access token: what was given, or a part of it (RFC 6749, section 6).
func narrowed(given string, asked []string) ([]string, error) {
	all := strings.Fields(given)
	if asked == nil {
		return all, nil
	}
	for _, name := range asked {
		if !slices.Contains(all, name) {
			return nil, oidc.Refuse(oidc.InvalidScope, "The scope %.60q was not given at sign-in.", name).On("scope")
		}
	}
	return asked, nil
}

// batch is what one redemption or refresh gives out.
type batch struct {
	s       *Service
	app     Application
	grant   Grant
	grantID string
	scope   []string // of the access token
	given   string   // of the grant
	nonce   string
	style   oidc.Style

	now     time.Time
	access  session.AccessToken
	refresh session.RefreshToken
}

// mint makes the tokens, in memory.
func (b *batch) mint(ctx context.Context) (TokenResponse, error) {
	b.now = b.s.time()
	answer := TokenResponse{AccessToken: token.NewSecret("at"), Scope: b.scope, Style: b.style}
	life := accessLife
	if b.style == oidc.StyleSSO {
		life = compatibleAccessLife
	}
	expires := b.now.Add(life)
	if until := b.grant.SessionUntil; !until.IsZero() && until.Before(expires) {
		expires = until
	}
	if b.style == oidc.StyleUserManagement {
		return b.mintAccount(ctx, expires)
	}
	answer.ExpiresIn = expires.Sub(b.now)
	b.access = session.AccessToken{
		Hash: token.HashOf(answer.AccessToken), GrantID: b.grantID, ApplicationID: b.app.ID, OrganizationID: b.grant.OrganizationID, SessionID: b.grant.SessionID,
		UserID: b.grant.UserID, ProfileID: b.grant.ProfileID, ConnectionID: b.grant.ConnectionID, Style: b.style, Scope: strings.Join(b.scope, " "),
		CreatedAt: b.now, ExpiresAt: expires,
	}
	if b.style == oidc.StyleSSO {
		found, err := b.s.profile(ctx, b.grant.OrganizationID, b.grant.ProfileID)
		if err != nil {
			return TokenResponse{}, err
		}
		answer.Profile = found.JSON
		return answer, nil
	}
	if b.grant.SessionID != "" && slices.Contains(strings.Fields(b.given), scopeOffline) {
		answer.RefreshToken = b.mintRefresh()
	}
	var err error
	if slices.Contains(b.scope, scopeOpenID) {
		answer.IDToken, err = b.idToken(ctx, answer.AccessToken)
	}
	return answer, err
}

func (b *batch) idToken(ctx context.Context, access token.Secret) (string, error) {
	claims, err := b.s.claims(ctx, b.grant, b.scope)
	if err != nil {
		return "", err
	}
	key, err := b.s.signer(ctx, b.app.Algorithm)
	if err != nil {
		return "", err
	}
	return oidc.Sign(key, oidc.TypeIDToken, oidc.IDTokenClaims{
		Issuer: b.s.o.Issuer, Subject: b.grant.Subject(), ClientID: b.app.ClientID, IssuedAt: b.now, Expires: b.now.Add(idTokenLife),
		AuthTime: b.grant.AuthenticatedAt, Nonce: b.nonce, SID: b.grant.SessionID, AMR: b.grant.AMR, AccessToken: access.Reveal(), Extra: claims,
	}.Claims(b.app.Algorithm))
}

// into adds the tokens to the write that uses what they come of.
func (b *batch) into(w *db.Write) {
	if b.access.Hash != "" {
		b.s.sessions.AccessInto(w, b.access)
	}
	if b.refresh.Hash != "" {
		b.s.sessions.RefreshInto(w, b.refresh)
	}
}

// scopeOf tells which scope a claim needs (OpenID Connect Core 1.0, section 5.4); what is not listed needs profile.
func scopeOf(claim string) string {
	switch claim {
	case "email", "email_verified":
		return "email"
	case "groups":
		return "groups"
	case "roles", "role":
		return "roles"
	}
	return "profile"
}

// claims are what is known of the person and allowed by the scope, with what the issuer itself knows. Who they are about and where they
// come from is not the teller's to say.
func (s *Service) claims(ctx context.Context, g Grant, scope []string) (map[string]any, error) {
	told, err := s.people.Claims(ctx, g, scope)
	if err != nil {
		return nil, fmt.Errorf("claims about %s: %w", g.Subject(), err)
	}
	out := map[string]any{}
	for name, value := range told {
		if slices.Contains(scope, scopeOf(name)) {
			out[name] = value
		}
	}
	for _, name := range []string{"sub", "iss", "aud", "exp", "iat", "org_id", "connection_id", "sid"} {
		delete(out, name)
	}
	for name, value := range map[string]string{"org_id": g.OrganizationID, "connection_id": g.ConnectionID} {
		if value != "" {
			out[name] = value
		}
	}
	return out, nil
}

// JSON is the answer's body (RFC 6749, section 5.1; OpenID Connect Core 1.0, section 3.1.3.3; the compatible API's on its routes).
func (t TokenResponse) JSON() []byte {
	switch t.Style {
	case oidc.StyleOIDC:
	case oidc.StyleUserManagement:
		return t.accountJSON()
	case oidc.StyleSSO:
		return encode(struct {
			TokenType   string         `json:"token_type"`
			AccessToken string         `json:"access_token"`
			ExpiresIn   int64          `json:"expires_in"`
			Profile     jsontext.Value `json:"profile"`
		}{"Bearer", t.AccessToken.Reveal(), int64(t.ExpiresIn / time.Second), t.Profile})
	}
	return encode(struct {
		AccessToken  string `json:"access_token"`
		TokenType    string `json:"token_type"`
		ExpiresIn    int64  `json:"expires_in"`
		RefreshToken string `json:"refresh_token,omitempty"`
		IDToken      string `json:"id_token,omitempty"`
		Scope        string `json:"scope"`
	}{t.AccessToken.Reveal(), "Bearer", int64(t.ExpiresIn / time.Second), t.RefreshToken.Reveal(), t.IDToken, strings.Join(t.Scope, " ")})
}

// marshal writes claims.
func marshal(claims map[string]any) ([]byte, error) {
	return json.Marshal(claims, json.Deterministic(true))
}
