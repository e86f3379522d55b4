package issuer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

func invalidToken() *oidc.ErrorResponse {
	return oidc.Refuse(oidc.InvalidToken, "The access token is not valid: it has expired, was taken back, or never was one.")
}

// UserInfo gives the claims that the scope of an access token allows, as JSON (OpenID Connect Core 1.0, section 5.3). Only an opaque access
// token of the standard routes is one: an ID token, a code or a refresh token is not found. A refusal is an *oidc.ErrorResponse.
func (s *Service) UserInfo(ctx context.Context, bearer token.Secret) ([]byte, error) {
	t, ok, err := s.sessions.AccessToken(ctx, bearer)
	if err != nil {
		return nil, err
	}
	if !ok || t.Style != oidc.StyleOIDC {
		return nil, invalidToken()
	}
	scope := strings.Fields(t.Scope)
	if !slices.Contains(scope, scopeOpenID) {
		return nil, oidc.Refuse(oidc.InsufficientScope, "The access token was not given the scope openid.")
	}
	g := grantOfToken(t)
	if err := s.stillIn(ctx, g); err != nil {
		return nil, err
	}
	claims, err := s.claims(ctx, g, scope)
	if err != nil {
		return nil, err
	}
	claims["sub"] = g.Subject()
	return marshal(claims)
}

func grantOfToken(t session.AccessToken) Grant {
	return Grant{
		ApplicationID: t.ApplicationID, OrganizationID: t.OrganizationID, SessionID: t.SessionID, UserID: t.UserID, ProfileID: t.ProfileID,
		ConnectionID: t.ConnectionID,
	}
}

// stillIn refuses the token of somebody who may not come in any more. What takes that right away takes the token back too; this is for the
// ways that are found later.
func (s *Service) stillIn(ctx context.Context, g Grant) error {
	err := s.people.Admitted(ctx, g)
	if refused, ok := fault.As(err); ok && refused.Kind != fault.Internal && refused.Kind != fault.Unavailable {
		return invalidToken().Because(refused)
	}
	if err != nil {
		return fmt.Errorf("ask whether %s may come in: %w", g.Subject(), err)
	}
	return nil
}

// isIn is stillIn for a question.
func (s *Service) isIn(ctx context.Context, g Grant) (bool, error) {
	err := s.stillIn(ctx, g)
	var refused *oidc.ErrorResponse
	if errors.As(err, &refused) {
		return false, nil
	}
	return err == nil, err
}

type introspection struct {
	Active         bool   `json:"active"`
	Scope          string `json:"scope,omitempty"`
	ClientID       string `json:"client_id,omitempty"`
	TokenType      string `json:"token_type,omitempty"`
	Expires        int64  `json:"exp,omitzero"`
	IssuedAt       int64  `json:"iat,omitzero"`
	Subject        string `json:"sub,omitempty"`
	Audience       string `json:"aud,omitempty"`
	Issuer         string `json:"iss,omitempty"`
	SID            string `json:"sid,omitempty"`
	OrganizationID string `json:"org_id,omitempty"`
}

// Introspect tells an application about a token of its own (RFC 7662), as JSON. Whatever is not one, another application's too, is
// {"active":false}. A public application is refused: it cannot prove that the token is its own.
func (s *Service) Introspect(ctx context.Context, q oidc.TokenQuestion) ([]byte, error) {
	c, err := s.authenticate(ctx, q.Client, oidc.StyleOIDC)
	if err != nil {
		return nil, err
	}
	if c.Public {
		return nil, invalidClient("A public client cannot ask about tokens.")
	}
	s.noteIntrospection(ctx, c.ID)
	told := introspection{}
	access, ok, err := s.sessions.AccessToken(ctx, token.Secret(q.Token))
	switch {
	case err != nil:
		return nil, err
	case ok && access.ApplicationID == c.ID:
		if in, err := s.isIn(ctx, grantOfToken(access)); err != nil || !in {
			return encode(introspection{}), err
		}
		told = introspection{
			Active: true, Scope: access.Scope, ClientID: c.ClientID, TokenType: "Bearer", Expires: access.ExpiresAt.Unix(), IssuedAt: access.CreatedAt.Unix(),
			Subject: grantOfToken(access).Subject(), Audience: c.ClientID, Issuer: s.o.Issuer, SID: access.SessionID, OrganizationID: access.OrganizationID,
		}
	case !ok:
		if told, err = s.introspectRefresh(ctx, c, token.Secret(q.Token)); err != nil {
			return nil, err
		}
	}
	return encode(told), nil
}

func (s *Service) introspectRefresh(ctx context.Context, c client, secret token.Secret) (introspection, error) {
	t, ok, err := s.sessions.RefreshToken(ctx, c.ID, secret)
	if err != nil || !ok || !t.UsedAt.IsZero() || !t.RevokedAt.IsZero() || !s.time().Before(t.ExpiresAt) {
		return introspection{}, err
	}
	present, err := s.sessions.Get(ctx, t.SessionID)
	if fault.Is(err, fault.NotFound) || err == nil && !present.Living(s.time()) {
		return introspection{}, nil
	}
	if err != nil {
		return introspection{}, err
	}
	if in, err := s.isIn(ctx, Grant{
		ApplicationID: c.ID, OrganizationID: t.OrganizationID, SessionID: t.SessionID, UserID: t.UserID, ProfileID: t.ProfileID, ConnectionID: present.ConnectionID,
	}); err != nil || !in {
		return introspection{}, err
	}
	return introspection{
		Active: true, Scope: t.Scope, ClientID: c.ClientID, TokenType: "refresh_token", Expires: t.ExpiresAt.Unix(), IssuedAt: t.CreatedAt.Unix(),
		Subject: t.UserID, Audience: c.ClientID, Issuer: s.o.Issuer, SID: t.SessionID, OrganizationID: t.OrganizationID,
	}, nil
}

// Revoke takes back a token of the application that asks (RFC 7009): an access token alone, with a refresh token the whole grant. Nothing
// happens for any other token, and the answer is the same.
func (s *Service) Revoke(ctx context.Context, q oidc.TokenQuestion) error {
	c, err := s.authenticate(ctx, q.Client, oidc.StyleOIDC)
	if err != nil {
		return err
	}
	secret := token.Secret(q.Token)
	access, ok, err := s.sessions.AccessToken(ctx, secret)
	if err != nil {
		return err
	}
	if ok {
		if access.ApplicationID != c.ID {
			return nil
		}
		return s.sessions.EndAccessToken(ctx, access)
	}
	t, ok, err := s.sessions.RefreshToken(ctx, c.ID, secret)
	if err != nil || !ok {
		return err
	}
	return s.sessions.EndGrant(ctx, c.ID, t.SessionID, t.GrantID, session.Code{})
}

// Discovery is the provider's document.
func (s *Service) Discovery() ([]byte, error) {
	return oidc.ProviderDocument(s.o.Issuer, oidc.ProviderOptions{
		Scopes: AllScopes()[1:],
		Claims: []string{"email", "email_verified", "name", "given_name", "family_name", "picture", "locale", "groups", "roles", "org_id", "connection_id"},
	})
}
