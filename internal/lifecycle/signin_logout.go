package lifecycle

import (
	"context"
	"errors"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// A sign-out first ends the session here, with all that follows from it, and only then goes on to the provider:
//
//	application ─▶ session ended ─▶ provider ─▶ its answer ─▶ where the application wants the person
//	                    │               └ never answers: the person stays there, signed out here
//	                    └▶ no provider to tell: where the application wants the person, else our own page

// LeavePath is where a browser changes from one of our hosts to another on its way out.
const LeavePath = "/sign-out/onward"

// LeaveLife is how long a provider may take to answer before the way back is forgotten.
const LeaveLife = 10 * time.Minute

const (
	leaveHopLife = time.Minute
	leavePlace   = "sign_out.provider"
	leaveHop     = "sign_out.onward"
	// maxKept is what fits into a cookie of 4096 bytes with its name and attributes (RFC 6265bis, section 5.6).
	maxKept = 3800
)

// Exit is the next step of a browser that is being signed out. With neither URL nor Form that is our own page.
type Exit struct {
	URL     string
	Form    *sso.Form
	Kept    string // to be kept by the browser for LeaveLife, and given back with the provider's answer
	Done    bool   // what was kept has served
	Refused string // code, of an answer of the provider that was refused
}

// leaving is what the browser keeps. It is sealed: where it leads was checked when the application asked.
type leaving struct {
	Begun sso.BegunLogout `json:"b"`
	After string          `json:"a,omitempty"`
	Until time.Time       `json:"u"`
}

// leap is a way out on its way to another of our hosts.
type leap struct {
	Organization string    `json:"o"`
	Connection   string    `json:"c"`
	Profile      string    `json:"p,omitempty"`
	IDPSession   string    `json:"s,omitempty"`
	Subject      string    `json:"n,omitempty"`
	After        string    `json:"a,omitempty"`
	Until        time.Time `json:"u"`
}

// EndSession ends the session that an application asks to end, see [issuer.Service.EndSession], and goes on to its provider.
func (s *SignIns) EndSession(ctx context.Context, v Visitor, r oidc.EndSessionRequest, confirmed bool) (issuer.Logout, Exit, error) {
	present, _, err := s.o.Sessions.ByCookie(ctx, v.Cookie)
	if err != nil {
		return issuer.Logout{}, Exit{}, err
	}
	out, err := s.o.Issuer.EndSession(ctx, r, present, confirmed)
	if err != nil || out.Confirm {
		return out, Exit{}, err
	}
	if out.Ended == "" {
		return out, Exit{URL: out.Redirect}, nil
	}
	ended, err := s.o.Sessions.Get(ctx, out.Ended)
	if err != nil {
		return out, Exit{}, err
	}
	return out, s.leave(ctx, v, ended, out.Redirect), nil
}

// SignOutProfile ends what a profile is signed in to, by a ticket that the application was given. At the provider it means this browser's
// session if it is of that profile, else all of the person's.
func (s *SignIns) SignOutProfile(ctx context.Context, v Visitor, ticket string) (Exit, error) {
	of, err := s.o.Issuer.OpenLogout(ticket)
	if err != nil {
		return Exit{}, err
	}
	held, _, err := s.o.Sessions.ByCookie(ctx, v.Cookie)
	if err != nil {
		return Exit{}, err
	}
	p, err := s.o.Connections.Profile(ctx, sso.ProfileID(of.ProfileID))
	if err := ignoreMissing(err); err != nil {
		return Exit{}, err
	}
	if _, err := s.o.Issuer.Logout(ctx, ticket); err != nil {
		return Exit{}, err
	}
	if held.ProfileID != of.ProfileID || held.OrganizationID != of.OrganizationID {
		held = session.Session{OrganizationID: of.OrganizationID, ConnectionID: string(p.ConnectionID), ProfileID: string(p.ID)}
	}
	return s.leave(ctx, v, held, ""), nil
}

// leave goes on to the provider of a session that has ended. The sign-out is done: what stands in the way to the provider is noted and
// keeps nobody from going where the application wants them.
func (s *SignIns) leave(ctx context.Context, v Visitor, ended session.Session, after string) Exit {
	c, ok, err := s.o.Connections.LeavesTo(ctx, ended)
	if err != nil || !ok {
		return s.stay(ctx, ended, after, err)
	}
	base := s.o.Bases(c.OrganizationID)[0]
	if base == v.Base {
		return s.sendOut(ctx, ended, after, base)
	}
	// The provider answers at the connection's own host, and what the browser keeps has to be of that host.
	text, err := json.Marshal(leap{
		Organization: ended.OrganizationID, Connection: ended.ConnectionID, Profile: ended.ProfileID, IDPSession: ended.IDPSession,
		Subject: ended.Subject.Text, After: after,
		Until: s.time().Add(leaveHopLife),
	})
	if err != nil {
		return s.stay(ctx, ended, after, err)
	}
	return Exit{URL: base + LeavePath + "?to=" + addressable(s.o.Sealer.Seal(leaveHop, text))}
}

// stay ends the way out before the provider.
func (s *SignIns) stay(ctx context.Context, ended session.Session, after string, why error) Exit {
	if why != nil {
		s.o.Logger.WarnContext(ctx, "signed out here, but not at the identity provider", "connection", ended.ConnectionID, "session", ended.ID, "cause", why)
	}
	return Exit{URL: after}
}

var errTooLong = errors.New("the address that the application gave is too long, with its state, to be kept until the provider answers")

// sendOut leads to the provider from the host that it answers to.
func (s *SignIns) sendOut(ctx context.Context, ended session.Session, after, base string) Exit {
	out, ok, err := s.o.Connections.Logout(ctx, ended, base)
	if err != nil || !ok {
		return s.stay(ctx, ended, after, err)
	}
	text, err := json.Marshal(leaving{Begun: out.Begun, After: after, Until: s.time().Add(LeaveLife)})
	if err != nil {
		return s.stay(ctx, ended, after, err)
	}
	kept := s.o.Sealer.Seal(leavePlace, text)
	if len(kept) > maxKept {
		return s.stay(ctx, ended, after, errTooLong)
	}
	return Exit{URL: out.URL, Form: out.Form, Kept: kept}
}

// Leave goes on with a way out that began at another of our hosts. It serves for a minute.
func (s *SignIns) Leave(ctx context.Context, to string) (Exit, error) {
	gone := fault.New(fault.NotFound, "not_found", "This address serves no more. You are signed out.")
	sealed, ok := fromAddress(to)
	if !ok {
		return Exit{}, gone
	}
	text, err := s.o.Sealer.Open(leaveHop, sealed)
	if err != nil {
		return Exit{}, gone
	}
	var l leap
	if err := json.Unmarshal(text, &l); err != nil || !s.time().Before(l.Until) {
		return Exit{}, gone
	}
	ended := session.Session{OrganizationID: l.Organization, ConnectionID: l.Connection, ProfileID: l.Profile, IDPSession: l.IDPSession, Subject: session.Subject{Text: l.Subject}}
	return s.sendOut(ctx, ended, l.After, s.o.Bases(l.Organization)[0]), nil
}

// opened is what the browser kept; nothing if it is not ours, or too old.
func (s *SignIns) opened(kept string) (l leaving) {
	text, err := s.o.Sealer.Open(leavePlace, kept)
	if err != nil || json.Unmarshal(text, &l) != nil || !s.time().Before(l.Until) {
		return leaving{}
	}
	return l
}

// ReceiveLogout takes a message of SAML single logout: the provider's request, which is answered, or its answer to ours. An answer that is
// refused is noted with the connection's attempts; the person, who is signed out here, sees our own page.
func (s *SignIns) ReceiveLogout(ctx context.Context, in sso.LogoutArrival, kept string) (Exit, error) {
	l := s.opened(kept)
	in.Bases, in.Begun = s.o.Bases, l.Begun
	out, err := s.o.Connections.ReceiveLogout(ctx, in)
	switch f, ok := fault.As(err); {
	case ok && in.Answers() && refused(err) && f.Kind != fault.NotFound:
		return Exit{Refused: f.Code}, nil
	case err != nil:
		return Exit{}, err
	case in.Answers():
		return Exit{URL: l.After, Done: true}, nil
	}
	return Exit{URL: out.URL, Form: out.Form}, nil
}

// Returned takes a browser back that an OpenID provider has signed out (OpenID Connect RP-Initiated Logout 1.0, section 3).
func (s *SignIns) Returned(ctx context.Context, key, state, kept string) (Exit, error) {
	c, err := s.o.Connections.ByKey(ctx, key)
	if err != nil {
		return Exit{}, err
	}
	l := s.opened(kept)
	if !l.Begun.Answered(c.ID, state) {
		return Exit{Refused: string(sso.StateLost)}, nil
	}
	return Exit{URL: l.After, Done: true}, nil
}
