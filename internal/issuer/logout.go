package issuer

import (
	"context"
	"fmt"
	"slices"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/session"
)

// Logout is what becomes of a request to end the session.
type Logout struct {
	Confirm    bool   // nothing has ended: a person has to press a button first
	Ended      string // the id of the session that was ended, of several the one that was asked for; "" if there was none
	Redirect   string // where the browser goes afterwards; "": to our own page
	ClientName string // of the application that asks; "" if that is not known
}

// EndSession ends the session that an application asks to end (OpenID Connect RP-Initiated Logout 1.0), and with it all that its person has
// in this browser: whoever signs out there expects that nobody goes on as them. present is the session of the
// browser, zero without one; confirmed says that the person has pressed the button. Without a hint that proves that the application
// knows of this session, the person is asked. The hint may be expired, and signed by a key that signs no more. The error is a *PageError
// for what may not be, as a redirect to an address that is not the application's.
func (s *Service) EndSession(ctx context.Context, r oidc.EndSessionRequest, present session.Session, confirmed bool) (Logout, error) {
	hint, err := s.hint(ctx, r)
	if err != nil {
		return Logout{}, err
	}
	out, err := s.afterLogout(ctx, r, hint)
	if err != nil {
		return Logout{}, err
	}
	here, err := s.here(ctx, hint, present)
	if err != nil {
		return Logout{}, err
	}
	var which session.Selection
	switch {
	case here != "":
		which, out.Ended = present.Here(), here
	case confirmed && present.ID != "":
		which, out.Ended = present.Here(), present.ID
	case confirmed || hint.SID == "" || present.ID != "":
		out.Confirm = !confirmed && present.ID != ""
		return out, nil
	default: // of a browser whose cookie is gone: the application shows that it is its own, and that one alone
		which, out.Ended = session.Selection{SessionID: hint.SID}, hint.SID
	}
	n, err := s.sessions.End(ctx, which, session.Ending{
		Reason: session.SignedOut, Context: event.Context{Actor: event.Actor{ID: actorOf(present, hint), Source: event.System}},
	})
	if n == 0 {
		out.Ended = ""
	}
	return out, err
}

// here is the session of a hint if it is of the person who is present, in this browser: the one that the cookie leads to, or one at another
// organization beside it. Else "".
func (s *Service) here(ctx context.Context, hint oidc.Hint, present session.Session) (string, error) {
	switch {
	case hint.SID == "" || present.ID == "" || hint.Subject != present.UserID:
		return "", nil
	case hint.SID == present.ID:
		return present.ID, nil
	case present.Browser == "":
		return "", nil
	}
	beside, err := s.sessions.Living(ctx, s.o.DB, present.Here())
	for _, one := range beside {
		if one.ID == hint.SID {
			return one.ID, err
		}
	}
	return "", err
}

func actorOf(present session.Session, hint oidc.Hint) string {
	if present.UserID != "" {
		return present.UserID
	}
	return hint.Subject
}

// hint verifies the id_token_hint; without one it is zero.
func (s *Service) hint(ctx context.Context, r oidc.EndSessionRequest) (oidc.Hint, error) {
	if r.IDTokenHint == "" {
		return oidc.Hint{}, nil
	}
	keys, err := s.allKeys(ctx)
	if err != nil {
		return oidc.Hint{}, err
	}
	hint, err := oidc.VerifyHint(r.IDTokenHint, keys, s.o.Issuer, r.ClientID, s.time())
	if refused, ok := fault.As(err); ok {
		return oidc.Hint{}, &PageError{fault.New(fault.Invalid, string(oidc.InvalidRequest), "The id_token_hint is not one of this provider for this application.").On("id_token_hint").Because(refused)}
	}
	return hint, err
}

// afterLogout finds where the browser may go: only to an address that the application has registered for it, byte by byte.
func (s *Service) afterLogout(ctx context.Context, r oidc.EndSessionRequest, hint oidc.Hint) (Logout, error) {
	clientID := hint.ClientID
	if clientID == "" {
		clientID = r.ClientID
	}
	a, known, err := s.byClientID(ctx, clientID)
	if err != nil {
		return Logout{}, err
	}
	out := Logout{ClientName: a.Name}
	if r.PostLogoutRedirectURI == "" {
		return out, nil
	}
	if !known || !slices.ContainsFunc(a.SignOut, func(u RedirectURI) bool { return u.URI == r.PostLogoutRedirectURI }) {
		return Logout{}, onPage(oidc.InvalidRequest, "The post_logout_redirect_uri %.200q is not registered for the application. It has to be the same, character by character.", r.PostLogoutRedirectURI)
	}
	if out.Redirect, err = oidc.RedirectAfterLogout(r.PostLogoutRedirectURI, r.State); err != nil {
		return Logout{}, fmt.Errorf("redirect after the logout: %w", err)
	}
	return out, nil
}
