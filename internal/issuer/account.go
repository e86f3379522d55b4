package issuer

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

// scopeAccount is the scope of every grant of StyleUserManagement, and of no other: no application can be registered for it. It keeps a
// refresh token of one style from being used at the other's endpoint.
const scopeAccount = "user_management"

const accessTokenPrefix = "at" // of the jti

// Account is what StyleUserManagement tells of a person, at one moment.
type Account struct {
	User        []byte   // JSON, as the API shows it
	Role        string   // in the organization of the grant; "" without one, and then there are no roles and permissions
	Roles       []string // strongest first
	Permissions []string // of all roles together
}

// Elsewhere is another organization that a person is an active member of.
type Elsewhere struct {
	Email         string
	ConnectionIDs []string // through which it is entered
}

// Accounts tells of accounts. It is asked at every redemption and every refresh of StyleUserManagement, outside any transaction.
type Accounts interface {
	Account(ctx context.Context, g Grant) (Account, error)
	// Elsewhere says whether the person of a grant is an active member of the named organization.
	Elsewhere(ctx context.Context, g Grant, organizationID string) (e Elsewhere, member bool, err error)
	// Invited has the person of a grant accept the invitation of a link. A *fault.Error refuses: it is not open, or not theirs.
	Invited(ctx context.Context, g Grant, link token.Secret) error
}

// Refusals of an invitation_token, in the words of the contract.
const (
	InvitationInvalid  oidc.ErrorCode = "invitation_invalid"
	InvitationNotTheir oidc.ErrorCode = "invitation_cannot_be_used_for_email"
)

// RefuseInvitation words why an invitation was not accepted, which may be no refusal at all.
func RefuseInvitation(err error) error {
	f, ok := fault.As(err)
	switch {
	case !ok || f.Kind == fault.Internal || f.Kind == fault.Unavailable:
		return err
	case f.Code == string(InvitationNotTheir):
		return oidc.Refuse(InvitationNotTheir, "%s", f.Message).On("invitation_token").Because(err)
	}
	return oidc.Refuse(InvitationInvalid, "The invitation cannot be accepted: %s", f.Message).On("invitation_token").Because(err)
}

// invited uses the invitation that comes with a code. The code is still good afterwards, also where it is refused: it can be shown again without.
func (s *Service) invited(ctx context.Context, g Grant, r oidc.TokenRequest, style oidc.Style) error {
	if r.Invitation == "" || style != oidc.StyleUserManagement {
		return nil
	}
	return RefuseInvitation(s.accounts.Invited(ctx, g, token.Secret(r.Invitation)))
}

// SetAccounts is called while the services are built, where accounts are kept. Without it StyleUserManagement is refused.
func (s *Service) SetAccounts(a Accounts) { s.accounts = a }

// noAccounts is the refusal where the app keeps the accounts.
func noAccounts() *oidc.ErrorResponse {
	return oidc.Refuse(oidc.UnauthorizedClient, "This installation keeps no accounts (accounts: app), so there is nobody to sign in by /user_management. Use /sso.")
}

// mintAccount makes the tokens of StyleUserManagement: an access token that the application verifies by itself, offline, and a refresh
// token. An access token is nowhere stored: what ends the session lets it live on for the rest of its minutes, and ends the refresh token
// at once.
func (b *batch) mintAccount(ctx context.Context, expires time.Time) (TokenResponse, error) {
	a, err := b.s.accounts.Account(ctx, b.grant)
	if err != nil {
		return TokenResponse{}, fmt.Errorf("account of %s: %w", b.grant.Subject(), err)
	}
	// RS256 whatever the application has for its ID tokens: the key set of the compatible routes shows no other keys.
	key, err := b.s.signer(ctx, oidc.RS256)
	if err != nil {
		return TokenResponse{}, err
	}
	signed, err := oidc.Sign(key, oidc.TypeAccessToken, b.accountClaims(a, expires))
	if err != nil {
		return TokenResponse{}, err
	}
	answer := TokenResponse{AccessToken: token.Secret(signed), ExpiresIn: expires.Sub(b.now), Scope: b.scope, Style: b.style, account: a, grant: b.grant}
	answer.RefreshToken = b.mintRefresh()
	return answer, nil
}

// accountClaims: who verifies them by the keys of another application finds in client_id for whom the token was made (RFC 9068, section
// 2.2). There is no aud, which clients of the compatible API would have to be told about.
func (b *batch) accountClaims(a Account, expires time.Time) map[string]any {
	claims := map[string]any{
		"iss": b.s.o.Issuer, "sub": b.grant.UserID, "sid": b.grant.SessionID, "jti": b.s.ids.NewID(accessTokenPrefix), "client_id": b.app.ClientID,
		"iat": b.now.Unix(), "exp": expires.Unix(), "auth_time": b.grant.AuthenticatedAt.Unix(), // the SDK for Python takes no token without
	}
	if b.grant.OrganizationID != "" {
		claims["org_id"] = b.grant.OrganizationID
		claims["permissions"] = append([]string{}, a.Permissions...)
	}
	if b.grant.OrganizationID != "" && a.Role != "" {
		claims["role"], claims["roles"] = a.Role, append([]string{}, a.Roles...)
	}
	return claims
}

// authenticationMethod is how the person came in, in the words of the contract.
func (g Grant) authenticationMethod() string {
	if g.ConnectionID != "" {
		return "SSO"
	}
	return "MagicAuth"
}

// accountJSON is the body of an answer of StyleUserManagement.
func (t TokenResponse) accountJSON() []byte {
	return encode(struct {
		User           jsontext.Value `json:"user"`
		OrganizationID string         `json:"organization_id,omitempty"`
		AccessToken    string         `json:"access_token"`
		RefreshToken   string         `json:"refresh_token"`
		Method         string         `json:"authentication_method"`
	}{t.account.User, t.grant.OrganizationID, t.AccessToken.Reveal(), t.RefreshToken.Reveal(), t.grant.authenticationMethod()})
}

// stays refuses a refresh that asks for another organization than the session's: a session serves one. Whoever is a member of the other
// is sent there by the application, through /user_management/authorize; the refresh token is not used.
func (s *Service) stays(ctx context.Context, g Grant, wanted string) error {
	if wanted == "" || wanted == g.OrganizationID {
		return nil
	}
	there, member, err := s.accounts.Elsewhere(ctx, g, wanted)
	switch {
	case err != nil:
		return fmt.Errorf("ask whether %s is a member of %.80s: %w", g.Subject(), wanted, err)
	case !member:
		return oidc.Refuse("organization_membership_not_found", "The person is not an active member of the organization '%.80s'.", wanted).On("organization_id")
	}
	refusal := oidc.Refuse("sso_required", "This session is of another organization. Send the browser to /user_management/authorize with organization_id to go on there.")
	refusal.More = map[string]any{"email": there.Email, "connection_ids": append([]string{}, there.ConnectionIDs...)}
	return refusal.On("organization_id")
}

// EndNamed ends the session that an application names at /user_management/sessions/logout, and with it all that its person has in this
// browser if it is this browser's; present is the session that the browser's cookie leads to, zero without one. An id is enough, as with
// the contract: it is in the access token and in no address but this, and ending is all it is good for. One that is not there any more is
// no refusal: the person is signed out. returnTo has to be registered as a post_logout_redirect_uri of an application that the session was
// used for, or of the default application; else the error is a *PageError and nothing ends.
func (s *Service) EndNamed(ctx context.Context, sessionID, returnTo string, present session.Session) (Logout, error) {
	if sessionID == "" || !token.Is(sessionID, session.Prefix) {
		return Logout{}, onPage(oidc.InvalidRequest, "session_id is missing or is no session's id.")
	}
	if returnTo != "" {
		allowed, err := s.mayReturn(ctx, sessionID, returnTo)
		if err != nil {
			return Logout{}, err
		}
		if !allowed {
			return Logout{}, onPage(oidc.InvalidRequest, "The return_to %.200q is not registered as a post_logout_redirect_uri of the application. It has to be the same, character by character.", returnTo)
		}
	}
	out := Logout{Redirect: returnTo}
	named, err := s.sessions.Get(ctx, sessionID)
	if fault.Is(err, fault.NotFound) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	here, err := s.here(ctx, oidc.Hint{SID: named.ID, Subject: named.UserID}, present)
	if err != nil {
		return out, err
	}
	which := session.Selection{SessionID: named.ID}
	if here != "" {
		which = present.Here()
	}
	n, err := s.sessions.End(ctx, which, session.Ending{
		Reason: session.SignedOut, Context: event.Context{Actor: event.Actor{ID: named.UserID, Source: event.System}},
	})
	if n > 0 {
		out.Ended = named.ID
	}
	return out, err
}

func (s *Service) mayReturn(ctx context.Context, sessionID, returnTo string) (allowed bool, err error) {
	if len(returnTo) > maxURI || strings.ContainsRune(returnTo, 0) {
		return false, nil
	}
	err = s.db.QueryRow(ctx, mayReturnTo, returnTo, sessionID).Scan(&allowed)
	if err != nil {
		return false, fmt.Errorf("look for the address after a logout: %w", err)
	}
	return allowed, nil
}

// mintRefresh makes the refresh token of a batch.
func (b *batch) mintRefresh() token.Secret {
	secret := token.NewSecret("rt")
	b.refresh = session.RefreshToken{
		Hash: token.HashOf(secret), GrantID: b.grantID, ApplicationID: b.app.ID, OrganizationID: b.grant.OrganizationID,
		SessionID: b.grant.SessionID, UserID: b.grant.UserID, ProfileID: b.grant.ProfileID, Scope: b.given, Nonce: b.nonce,
		AuthenticatedAt: b.grant.AuthenticatedAt, CreatedAt: b.now, ExpiresAt: b.grant.SessionUntil,
	}
	return secret
}
