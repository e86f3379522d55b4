package issuer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Lives of what an authorization goes through.
const (
	authorizationLife  = time.Hour        // from the application to the code
	codeLife           = time.Minute      // on the standard routes
	compatibleCodeLife = 10 * time.Minute // on the compatible ones, whose clients expect it
)

// maxCarried is the largest request that is taken, in bytes of JSON: sealed it has to fit into an address and into an attempt.
const maxCarried = 10 << 10

// Authorization is what an application asks for, checked: the application exists, the redirect URI is its own.
type Authorization struct {
	ApplicationID string                    `json:"application_id"`
	ClientName    string                    `json:"client_name"`
	Style         oidc.Style                `json:"style"`
	Request       oidc.AuthorizationRequest `json:"request"`
	At            time.Time                 `json:"at"`
	// Expected is the subject of the id_token_hint, the only one that may be signed in without being asked; "" for anybody.
	Expected string `json:"expected,omitempty"`
	// Invitation is the id of the one that the sign-in accepts, "" for none. Where there is no application it is what the sign-in is for.
	Invitation string `json:"invitation,omitempty"`
}

// PageError is a refusal that is shown on a page: nobody may be sent to an address that is not proven to be the application's.
type PageError struct{ Fault *fault.Error }

func (e *PageError) Error() string { return e.Fault.Error() }

// Unwrap gives the refusal.
func (e *PageError) Unwrap() error { return e.Fault }

func onPage(code oidc.ErrorCode, format string, args ...any) *PageError {
	return &PageError{fault.New(fault.Invalid, string(code), format, args...)}
}

// RedirectError is a refusal that the application is told by a redirect to its registered address.
type RedirectError struct {
	Redirect    string // the registered redirect URI
	Code        oidc.ErrorCode
	Description string
	State       string
	Issuer      string
}

func (e *RedirectError) Error() string { return string(e.Code) + ": " + e.Description }

// Location is where the browser is to go.
func (e *RedirectError) Location() (string, error) {
	return oidc.Refuse(e.Code, "%s", e.Description).RedirectTo(e.Redirect, e.Issuer, e.State)
}

// Authorize checks what an application asks for. The error is a *PageError or a *RedirectError, or that of the database.
func (s *Service) Authorize(ctx context.Context, r oidc.AuthorizationRequest, style oidc.Style) (Authorization, error) {
	a, err := s.requester(ctx, r)
	if err != nil {
		return Authorization{}, err
	}
	if style == oidc.StyleUserManagement && s.accounts == nil {
		return Authorization{}, s.redirectError(r, noAccounts())
	}
	if refusal := a.permits(&r, style); refusal != nil {
		return Authorization{}, s.redirectError(r, refusal)
	}
	r.Scope = a.granted(r.Scope, style)
	hint, err := s.hint(ctx, oidc.EndSessionRequest{IDTokenHint: r.IDTokenHint, ClientID: a.ClientID})
	if refused := (*PageError)(nil); errors.As(err, &refused) {
		return Authorization{}, s.redirectError(r, oidc.Refuse(oidc.InvalidRequest, "%s", refused.Fault.Message))
	}
	if err != nil {
		return Authorization{}, err
	}
	r.IDTokenHint = "" // verified, and long
	if size := len(encode(r)); size > maxCarried {
		return Authorization{}, s.redirectError(r, oidc.Refuse(oidc.InvalidRequest, "The request is too large: %d bytes of parameters, at most %d are taken.", size, maxCarried))
	}
	return Authorization{ApplicationID: a.ID, ClientName: a.Name, Style: style, Request: r, At: s.time(), Expected: hint.Subject}, nil
}

// Refused says where a request that could not be parsed is refused: r is what could be read of it. The error is as that of Authorize and
// never nil.
func (s *Service) Refused(ctx context.Context, r oidc.AuthorizationRequest, refusal error) error {
	var refused *oidc.ErrorResponse
	if !errors.As(refusal, &refused) {
		return refusal
	}
	if !refused.Redirectable || r.ClientID == "" || r.RedirectURI == "" {
		return &PageError{fault.New(fault.Invalid, string(refused.Code), "%s", refused.Description).On(refused.Field)}
	}
	if _, err := s.requester(ctx, r); err != nil {
		return err
	}
	return s.redirectError(r, refused)
}

// requester finds the application and makes sure that the redirect URI is its own, byte by byte.
func (s *Service) requester(ctx context.Context, r oidc.AuthorizationRequest) (Application, error) {
	a, ok, err := s.byClientID(ctx, r.ClientID)
	if err != nil {
		return Application{}, err
	}
	if !ok {
		return Application{}, onPage(oidc.UnauthorizedClient, "No application has the client_id %.80q.", r.ClientID)
	}
	var registered bool
	if err := s.db.QueryRow(ctx, hasSignIn, a.ID, r.RedirectURI).Scan(&registered); err != nil {
		return Application{}, fmt.Errorf("look for a redirect URI of application %s: %w", a.ID, err)
	}
	if !registered {
		return Application{}, onPage(oidc.InvalidRequest, "The redirect_uri %.200q is not registered for the application %s. It has to be the same, character by character.", r.RedirectURI, a.Name)
	}
	return a, nil
}

func (s *Service) redirectError(r oidc.AuthorizationRequest, refusal *oidc.ErrorResponse) *RedirectError {
	return &RedirectError{Redirect: r.RedirectURI, Code: refusal.Code, Description: refusal.Description, State: r.State, Issuer: s.o.Issuer}
}

// permits refuses what this application may not ask for, and narrows the request to the application's organization.
func (a Application) permits(r *oidc.AuthorizationRequest, style oidc.Style) *oidc.ErrorResponse {
	switch {
	case r.Challenge == "" && (style == oidc.StyleOIDC || a.Public || a.UsesPKCE):
		return oidc.Refuse(oidc.InvalidRequest, "code_challenge is missing: this application has to use PKCE with S256.")
	case a.OrganizationID != "" && r.Organization != "" && r.Organization != a.OrganizationID:
		return oidc.Refuse(oidc.AccessDenied, "The application is of another organization.")
	}
	if a.OrganizationID != "" {
		r.Organization = a.OrganizationID
	}
	return nil
}

// granted is the scope of a grant.
func (a Application) granted(scope []string, style oidc.Style) []string {
	if style == oidc.StyleUserManagement {
		return []string{scopeAccount}
	}
	return a.allowed(scope)
}

// allowed leaves out what the application is not registered for, or nobody knows (OpenID Connect Core 1.0, section 3.1.2.1).
func (a Application) allowed(scope []string) []string {
	out := []string{}
	for _, name := range scope {
		if name == scopeOpenID || slices.Contains(a.Scopes, name) {
			out = append(out, name)
		}
	}
	return out
}

// Refuse makes the refusal that the application is told.
func (s *Service) Refuse(a Authorization, code oidc.ErrorCode, description string) *RedirectError {
	return s.redirectError(a.Request, oidc.Refuse(code, "%s", description))
}

func authorizationPlace(browser token.Hash) string { return "authorization/" + string(browser) }

// SealAuthorization writes an authorization so that only the browser it was made for can bring it back, for an hour. It may stand in an
// address as it is.
func (s *Service) SealAuthorization(a Authorization, browser token.Hash) string {
	return s.seal(authorizationPlace(browser), encode(a))
}

// OpenAuthorization reads what SealAuthorization wrote. What is another browser's, older than an hour or changed is a *PageError with the
// code state_lost.
func (s *Service) OpenAuthorization(sealed string, browser token.Hash) (Authorization, error) {
	gone := &PageError{fault.New(fault.Invalid, "state_lost", "This sign-in was begun in another browser or too long ago. Go back to the application and begin again.")}
	clear, err := s.open(authorizationPlace(browser), sealed)
	if err != nil || browser == "" {
		return Authorization{}, gone
	}
	var a Authorization
	if err := json.Unmarshal(clear, &a); err != nil {
		return Authorization{}, gone
	}
	if age := s.time().Sub(a.At); age < -time.Minute || age > authorizationLife {
		return Authorization{}, gone
	}
	return a, nil
}

// seal is the sealer's text in the letters of addresses.
func (s *Service) seal(place string, clear []byte) string {
	return strings.NewReplacer("+", "-", "/", "_").Replace(s.o.Sealer.Seal(place, clear))
}

func (s *Service) open(place, sealed string) ([]byte, error) {
	return s.o.Sealer.Open(place, strings.NewReplacer("-", "+", "_", "/").Replace(sealed))
}

// CodeInto adds a code to the write that signs somebody in, and gives the address that the browser goes to with it. The write holds only if
// application and redirect URI are still there, and the session is living; one that the same write starts comes before.
func (s *Service) CodeInto(w *db.Write, a Authorization, g Grant) (redirect string, err error) {
	now := s.time()
	life := codeLife
	if a.Style.Compatible() {
		life = compatibleCodeLife
	}
	if a.Style == oidc.StyleSSO && g.ProfileID == "" {
		return "", s.Refuse(a, oidc.AccessDenied, "The sign-in was not through an identity provider, so there is no profile.")
	}
	if a.Style == oidc.StyleUserManagement && (g.UserID == "" || g.SessionID == "") {
		return "", s.Refuse(a, oidc.AccessDenied, "The sign-in ended in no account.")
	}
	if want := a.Request.Organization; want != "" && want != g.OrganizationID {
		return "", s.Refuse(a, oidc.AccessDenied, "The sign-in was at another organization than the application asked for.")
	}
	if want := a.Request.Connection; want != "" && want != g.ConnectionID {
		return "", s.Refuse(a, oidc.AccessDenied, "The sign-in was through another connection than the application asked for.")
	}
	code := token.NewSecret("code")
	if redirect, err = oidc.RedirectWithCode(a.Request.RedirectURI, code.Reveal(), s.o.Issuer, a.Request.State); err != nil {
		return "", fmt.Errorf("redirect with a code: %w", err)
	}
	w.GuardSelect(uriToSignIn+s.db.ForShare(), a.ApplicationID, a.Request.RedirectURI)
	if g.SessionID != "" && !g.Starts {
		s.sessions.GuardInto(w, g.SessionID)
	}
	s.sessions.CodeInto(w, session.Code{
		Hash: token.HashOf(code), ApplicationID: a.ApplicationID, OrganizationID: g.OrganizationID, SessionID: g.SessionID, UserID: g.UserID,
		ProfileID: g.ProfileID, ConnectionID: g.ConnectionID, RedirectURI: a.Request.RedirectURI, Challenge: a.Request.Challenge, Nonce: a.Request.Nonce,
		Scope: strings.Join(a.Request.Scope, " "), Style: a.Style, GrantID: s.sessions.NewGrantID(), AMR: g.AMR, AuthenticatedAt: g.AuthenticatedAt,
		Until: g.SessionUntil, CreatedAt: now, ExpiresAt: now.Add(life),
	})
	return redirect, nil
}
