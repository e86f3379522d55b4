package lifecycle

import (
	"context"
	"errors"
	"slices"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
)

// SessionFor finds the living session of a browser.
func (s *SignIns) SessionFor(ctx context.Context, cookie token.Secret) (session.Session, bool, error) {
	return s.o.Sessions.ByCookie(ctx, cookie)
}

// SignOut ends the sessions of the person in a browser; without one nothing happens.
func (s *SignIns) SignOut(ctx context.Context, cookie token.Secret) error {
	held, ok, err := s.o.Sessions.ByCookie(ctx, cookie)
	if err != nil || !ok {
		return err
	}
	_, err = s.o.Sessions.End(ctx, held.Here(), session.Ending{Reason: session.SignedOut, Context: cause(held.UserID)})
	return err
}

// silently goes on from a session that the browser holds, if that satisfies what is asked. The compatible profile route always asks the
// identity provider, as its clients expect.
func (s *SignIns) silently(ctx context.Context, v Visitor, a issuer.Authorization, w way) (Next, bool, error) {
	if s.o.ProfilesOnly || a.Style == oidc.StyleSSO || a.Request.Prompts(oidc.PromptLogin) || a.Request.Prompts(oidc.PromptSelectAccount) || a.Request.Prompts(oidc.PromptCreate) {
		return Next{}, false, nil
	}
	held, ok, err := s.o.Sessions.ByCookie(ctx, v.Cookie)
	if err != nil || !ok || !s.fresh(held, a.Request) {
		return Next{}, false, err
	}
	suits, err := s.suits(ctx, held, a, w)
	if err != nil || !suits {
		return Next{}, false, err
	}
	if held.OrganizationID == "" {
		return s.choose(ctx, v, a, held)
	}
	next, err := s.codeFrom(ctx, a, held)
	if refused(err) || lost(err) {
		return Next{}, false, nil // the session ended, or its person may not come in any more: they are asked
	}
	return next, err == nil, err
}

// refused tells a refusal from a failure.
func refused(err error) bool {
	f, ok := fault.As(err)
	return ok && f.Kind != fault.Internal && f.Kind != fault.Unavailable
}

// fresh says whether the person proved who they are lately enough (OpenID Connect Core 1.0, section 3.1.2.1).
func (s *SignIns) fresh(held session.Session, r oidc.AuthorizationRequest) bool {
	return r.MaxAge == nil || s.time().Sub(held.AuthenticatedAt) <= *r.MaxAge
}

// suits says whether a session is of the organization, the connection and the person that are asked for.
func (s *SignIns) suits(ctx context.Context, held session.Session, a issuer.Authorization, w way) (bool, error) {
	switch {
	case a.Expected != "" && held.UserID != a.Expected:
		return false, nil
	case a.Request.Connection != "" && held.ConnectionID != a.Request.Connection:
		return false, nil
	case w.organizationID != "" && held.OrganizationID != w.organizationID && (held.OrganizationID != "" || w.connection != nil):
		return false, nil
	case held.ConnectionID == "" && w.connection != nil && held.OrganizationID == "":
		return false, nil
	}
	if hint := a.Request.LoginHint; hint != "" {
		if _, address := org.EmailDomain(hint); address {
			u, err := s.o.Members.User(ctx, member.UserID(held.UserID))
			if err != nil || !sameAddress(u.Email, hint) {
				return false, ignoreMissing(err)
			}
		}
	}
	return true, nil
}

func sameAddress(a, b string) bool {
	first, ok := member.EmailKey(a)
	second, ok2 := member.EmailKey(b)
	return ok && ok2 && first == second
}

func ignoreMissing(err error) error {
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// codeFrom gives the application a code of a session that goes on.
func (s *SignIns) codeFrom(ctx context.Context, a issuer.Authorization, held session.Session) (Next, error) {
	grant := grantOf(a, held)
	if err := s.Admitted(ctx, grant); err != nil {
		return Next{}, err
	}
	w := db.Write{Lane: held.OrganizationID}
	s.o.Sessions.TouchInto(&w, held)
	url, err := s.codeInto(&w, a, grant)
	if err != nil {
		var redirect *issuer.RedirectError
		if errors.As(err, &redirect) {
			return s.told(a, err)
		}
		return Next{}, err
	}
	if err := s.o.DB.Write(ctx, &w); err != nil {
		return Next{}, err
	}
	s.o.Events.Nudge()
	return Next{URL: url, Target: a.Request.RedirectURI}, nil
}

// choose settles the organization of a session that has none yet: by what the application asks for, the only one there is, or a question.
func (s *SignIns) choose(ctx context.Context, v Visitor, a issuer.Authorization, held session.Session) (Next, bool, error) {
	o, err := s.throughProvider(ctx, a, held)
	switch {
	case err != nil:
		return Next{}, false, err
	case o != nil:
		next, err := s.enterThrough(ctx, v, a, held, *o)
		return next, err == nil, err
	}
	if err := s.accept(ctx, a, held); err != nil {
		next, err := s.told(a, err)
		return next, err == nil, err
	}
	if forInvitation(a) && a.Request.Organization == "" {
		return Next{URL: JoinedPath}, true, nil
	}
	places, err := s.places(ctx, member.UserID(held.UserID), a.Request.Organization)
	if err != nil {
		return Next{}, false, err
	}
	switch {
	case len(places) == 0 && a.Request.Organization != "":
		next, err := s.told(a, oidc.Refuse(oidc.AccessDenied, "The person is not a member of the organization."))
		return next, err == nil, err
	case len(places) == 0:
		next, err := s.codeFrom(ctx, a, held)
		if refused(err) || lost(err) {
			return Next{}, false, nil
		}
		return next, err == nil, err
	case a.Request.Prompts(oidc.PromptNone):
		next, err := s.told(a, oidc.Refuse(oidc.AccountSelectionRequired, "The person has to choose an organization."))
		return next, err == nil, err
	case len(places) == 1:
		next, err := s.enter(ctx, v, a, held, places[0])
		return next, err == nil, err
	}
	return Next{
		Page: AskWhich, App: a.ClientName, Target: a.Request.RedirectURI, Sealed: s.o.Issuer.SealAuthorization(a, v.Browser),
		Choices: choices(places, v.Last.of(s.emailOf(ctx, held.UserID))),
	}, true, nil
}

// of is the organization that a person chose the last time in this browser; "" if that was somebody with another address.
func (l Last) of(email string) string {
	if !sameAddress(l.Email, email) {
		return ""
	}
	return l.OrganizationID
}

// choices shows the organization that was chosen last first, and the others in their order.
func choices(places []org.Organization, last string) []Choice {
	out := make([]Choice, 0, len(places))
	for _, p := range places {
		c := Choice{OrganizationID: string(p.ID), Name: p.Name, Last: string(p.ID) == last}
		if c.Last {
			out = slices.Insert(out, 0, c)
			continue
		}
		out = append(out, c)
	}
	return out
}

// Choose takes the choice of an organization by a person who has proven an address.
func (s *SignIns) Choose(ctx context.Context, v Visitor, sealed, organizationID string) (Next, error) {
	a, err := s.o.Issuer.OpenAuthorization(sealed, v.Browser)
	if err != nil {
		return Next{}, err
	}
	held, ok, err := s.o.Sessions.ByCookie(ctx, v.Cookie)
	if err != nil {
		return Next{}, err
	}
	if !ok || !s.proves(held, a) {
		return s.ask(v, a, "", NotWrong), nil
	}
	if named := a.Request.Organization; named != "" && named != organizationID {
		return Next{}, notAMember()
	}
	places, err := s.places(ctx, member.UserID(held.UserID), organizationID)
	if err != nil {
		return Next{}, err
	}
	if len(places) != 1 {
		return Next{}, notAMember()
	}
	next, err := s.enter(ctx, v, a, held, places[0])
	next.Remember = &Last{Email: s.emailOf(ctx, held.UserID), OrganizationID: organizationID}
	return next, err
}

// proves says whether a session is good enough for a request: begun for it, or fresh where nothing new is asked for.
func (s *SignIns) proves(held session.Session, a issuer.Authorization) bool {
	return !held.AuthenticatedAt.Before(a.At) || !a.Request.Prompts(oidc.PromptLogin) && s.fresh(held, a.Request)
}

func notAMember() error {
	return fault.New(fault.Forbidden, "not_a_member", "This organization is not one that you can choose here.")
}

// places are the organizations that a person is an active member of, only the named one if one is named.
func (s *SignIns) places(ctx context.Context, id member.UserID, named string) ([]org.Organization, error) {
	members, err := s.o.Members.MembersOf(ctx, id)
	if err != nil {
		return nil, err
	}
	var out []org.Organization
	for _, one := range members {
		m := one.Membership
		if m.State != member.Active || named != "" && m.OrganizationID != named {
			continue
		}
		o, err := s.o.Organizations.Get(ctx, org.ID(m.OrganizationID))
		if err != nil {
			if fault.Is(err, fault.NotFound) {
				continue
			}
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}

// enter goes into an organization with an address proven: with a session of its own where the policy lets the person in so, else through
// its connection.
func (s *SignIns) enter(ctx context.Context, v Visitor, a issuer.Authorization, held session.Session, o org.Organization) (Next, error) {
	for range rounds {
		m, err := s.o.Members.MemberOf(ctx, string(o.ID), member.UserID(held.UserID))
		if err != nil {
			return Next{}, err
		}
		free, err := s.freeTo(ctx, string(o.ID), m.User.ID, m.Membership.Primary)
		if f, ok := fault.As(err); ok && f.Code == CodeSSORequired {
			return s.enterThrough(ctx, v, a, held, o)
		}
		if err != nil {
			return Next{}, err
		}
		next, err := s.enterWith(ctx, v, a, held, o, free)
		if !lost(err) {
			return next, err
		}
	}
	return Next{}, fault.New(fault.Unavailable, "busy", "Too much happened at once. Please try again.")
}

// enterThrough goes on to the provider that an organization is entered through.
func (s *SignIns) enterThrough(ctx context.Context, v Visitor, a issuer.Authorization, held session.Session, o org.Organization) (Next, error) {
	c, err := s.entrance(ctx, o.ID)
	switch {
	case fault.Is(err, fault.Conflict):
		return s.told(a, selector(a, ambiguousSelector, "The organization has several connections. Select one of them, or make one the default."))
	case err != nil:
		return Next{}, err
	case c == nil:
		return Next{}, s.shut(ctx, o.ID, held.UserID)
	}
	return s.start(ctx, v, a, *c, s.emailOf(ctx, held.UserID))
}

func (s *SignIns) emailOf(ctx context.Context, id string) string {
	u, err := s.o.Members.User(ctx, member.UserID(id))
	if err != nil {
		return "" // a hint is a convenience
	}
	return u.Email
}

func (s *SignIns) enterWith(ctx context.Context, v Visitor, a issuer.Authorization, held session.Session, o org.Organization, free pass) (Next, error) {
	probe := grantOf(a, held)
	probe.OrganizationID = string(o.ID)
	if err := s.Admitted(ctx, probe); err != nil {
		return Next{}, err
	}
	w := db.Write{Lane: string(o.ID)}
	free.into(s, &w)
	s.o.Sessions.GuardInto(&w, held.ID)
	cookie := token.NewSecret("session")
	started, opened, err := s.seat(ctx, &w, v, session.New{
		Cookie: token.HashOf(cookie), OrganizationID: string(o.ID), UserID: held.UserID, Method: held.Method, AMR: held.AMR, AuthenticatedAt: held.AuthenticatedAt,
		Life: s.lifeUnder(free.policy),
	}, false)
	if err != nil {
		return Next{}, err
	}
	if len(opened) > 0 {
		s.o.Events.Append(&w, s.time(), opened...)
	}
	if free.exempt != nil {
		s.o.Organizations.ExemptUsedInto(&w, *free.exempt, started.ID)
	}
	url, err := s.codeInto(&w, a, grantOf(a, started))
	if err != nil {
		return s.told(a, err)
	}
	if err := s.o.DB.Write(ctx, &w); err != nil {
		return Next{}, err
	}
	s.o.Events.Nudge()
	return Next{URL: url, Target: a.Request.RedirectURI, Session: cookie, Until: started.ExpiresAt}, nil
}

// living is what of a connection has to hold for those who came through it.
func living(c sso.Connection, organizationID string) bool {
	return c.OrganizationID == organizationID && c.Vouches()
}
