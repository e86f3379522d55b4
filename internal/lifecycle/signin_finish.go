package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
)

// ReceiveSAML takes what a provider had the browser post.
func (s *SignIns) ReceiveSAML(ctx context.Context, v Visitor, a sso.SAMLArrival) (Next, error) {
	a.Browser, a.IP, a.UserAgent, a.Early = v.Browser, v.IP, v.UserAgent, true
	verified, err := s.o.Connections.ReceiveSAML(ctx, a)
	if err != nil {
		return s.notReceived(ctx, v, err)
	}
	return s.finish(ctx, v, verified)
}

// ReceiveOIDC takes what a provider sent the browser back with.
func (s *SignIns) ReceiveOIDC(ctx context.Context, v Visitor, a sso.OIDCArrival) (Next, error) {
	a.Browser, a.IP, a.UserAgent = v.Browser, v.IP, v.UserAgent
	verified, err := s.o.Connections.ReceiveOIDC(ctx, a)
	if err != nil {
		return s.notReceived(ctx, v, err)
	}
	return s.finish(ctx, v, verified)
}

func (s *SignIns) notReceived(ctx context.Context, v Visitor, err error) (Next, error) {
	var unasked *sso.UnsolicitedError
	var refusal *sso.Refusal
	switch {
	case errors.As(err, &unasked):
		return s.restart(ctx, v, unasked.Connection, unasked.LoginHint)
	case errors.As(err, &refusal):
		return s.refused(ctx, v, refusal)
	}
	return Next{}, err
}

// refused records a refusal and shows the page that is the same for all. A test is led to its result.
func (s *SignIns) refused(ctx context.Context, v Visitor, r *sso.Refusal) (Next, error) {
	if next, ok, err := s.already(ctx, v, r); err != nil || ok {
		return next, err
	}
	attempt, err := s.o.Connections.Fail(ctx, r)
	if err != nil {
		return Next{}, err
	}
	if attempt.Kind == sso.Test {
		return s.tested(v, attempt), nil
	}
	next := Next{Page: ShowRefuse, Attempt: string(attempt.ID)}
	if r.Over != nil && len(attempt.Continuation) == 0 {
		attempt.Continuation = r.Over.Continuation
	}
	if a, err := s.o.Issuer.OpenAuthorization(string(attempt.Continuation), v.Browser); err == nil {
		next.Sealed, next.App, next.Target = s.o.Issuer.SealAuthorization(a, v.Browser), a.ClientName, a.Request.RedirectURI
	}
	return next, nil
}

// finish ends a sign-in that the provider vouches for.
func (s *SignIns) finish(ctx context.Context, v Visitor, verified *sso.Verified) (Next, error) {
	if verified.Attempt.Kind == sso.Test {
		if err := verified.Agreed(); err != nil {
			return s.notReceived(ctx, v, err)
		}
		return s.finishTest(ctx, v, verified)
	}
	a, err := s.o.Issuer.OpenAuthorization(string(verified.Attempt.Continuation), v.Browser)
	if err != nil {
		return s.refuse(ctx, v, verified, stateLost())
	}
	for range rounds {
		next, err := s.admit(ctx, v, a, verified)
		if err == nil {
			s.o.Events.Nudge()
			return next, nil
		}
		if f, ok := fault.As(err); ok && f.Kind != fault.Internal {
			return s.refuse(ctx, v, verified, f)
		}
		var redirect *issuer.RedirectError
		if errors.As(err, &redirect) {
			if err := verified.Agreed(); err != nil {
				return s.notReceived(ctx, v, err)
			}
			return s.told(a, err)
		}
		if !lost(err) {
			return Next{}, err
		}
		if f, err := s.spent(ctx, verified); err != nil || f != nil {
			if err != nil {
				return Next{}, err
			}
			return s.refuse(ctx, v, verified, f)
		}
	}
	// Too many others came between.
	return s.refuse(ctx, v, verified, replayed())
}

// refuse records why a verified answer leads nowhere. That the verifiers disagree about it is said before anything else.
func (s *SignIns) refuse(ctx context.Context, v Visitor, verified *sso.Verified, f *fault.Error) (Next, error) {
	if err := verified.Agreed(); err != nil {
		return s.notReceived(ctx, v, err)
	}
	return s.refused(ctx, v, verified.Refuse(f))
}

// spent looks why a write was lost: by another use of the same answer, or by something that a second look at the facts settles.
func (s *SignIns) spent(ctx context.Context, v *sso.Verified) (*fault.Error, error) {
	used, err := s.o.Connections.Used(ctx, v)
	if err != nil {
		return nil, err
	}
	if used {
		return replayed(), nil
	}
	err = s.o.Connections.Renew(ctx, v)
	switch {
	case fault.Is(err, fault.NotFound):
		return connectionShut(), nil
	case err == nil && !v.Connection.LetsIn():
		return v.Connection.Closed(), nil
	}
	return nil, err
}

func connectionShut() *fault.Error {
	return fault.New(fault.Forbidden, string(sso.ConnectionInactive), "The connection lets nobody in at present.")
}

func replayed() *fault.Error {
	return fault.New(fault.Forbidden, string(sso.Replayed), "This answer of the identity provider has been used already.")
}

func stateLost() *fault.Error {
	return fault.New(fault.Forbidden, string(sso.StateLost), "The browser that came back is not the one that began, or it began too long ago.")
}

// admit reads what decides, decides, and writes once: the attempt used, the person let in, their session, the application's code.
func (s *SignIns) admit(ctx context.Context, v Visitor, a issuer.Authorization, verified *sso.Verified) (Next, error) {
	var around surroundings
	arrival, err := s.arrival(ctx, verified, s.around(v, verified, &around)...)
	if err != nil {
		return Next{}, err
	}
	if s.o.ProfilesOnly {
		return s.endInProfile(ctx, a, verified, arrival)
	}
	policy := around.policy
	arrival = under(policy, arrival)
	if arrival.Mapped, err = s.mapped(ctx, verified, around.mapping); err != nil {
		return Next{}, err
	}
	if arrival, err = s.invitedHere(ctx, a, arrival); err != nil {
		return Next{}, err
	}
	proof := s.proofIn(around.sessions, a)
	arrival.Proven = member.UserID(proof.UserID)
	facts, err := s.o.Members.Facts(ctx, s.o.DB, arrival)
	if err != nil {
		return Next{}, err
	}
	admission, err := member.Admit(facts, arrival, s.time())
	if err != nil {
		return Next{}, err
	}
	w := db.Write{Lane: arrival.OrganizationID}
	if admission.Joined() { // by this policy, and not by one that was changed meanwhile
		s.o.Organizations.FreeInto(&w, policy)
	}
	if admission.ByProof() {
		s.o.Sessions.GuardInto(&w, proof.ID)
	}
	userID := string(admission.User.ID)
	if err := s.o.Members.AdmitInto(ctx, &w, admission, cause(userID)); err != nil {
		return Next{}, err
	}
	cookie := token.NewSecret("session")
	started, opened, err := s.seatAmong(ctx, &w, v, around.sessions, session.New{
		Cookie: token.HashOf(cookie), OrganizationID: arrival.OrganizationID, UserID: userID, ConnectionID: string(verified.Connection.ID),
		ProfileID: string(verified.Profile.ID), IDPSession: verified.SessionIndex, Subject: verified.Profile.Named(), Method: session.SSO, AMR: verified.AMR,
		AuthenticatedAt: verified.AuthenticatedAt, Until: verified.SessionUntil, Life: s.lifeUnder(policy),
	}, admission.Proves())
	if err != nil {
		return Next{}, err
	}
	grant := grantOf(a, started)
	grant.Starts = true
	url, err := s.codeInto(&w, a, grant)
	if err != nil {
		return Next{}, err
	}
	if err := s.o.Connections.FinishInto(&w, verified, sso.End{UserID: userID, SessionID: started.ID}, opened...); err != nil {
		return Next{}, err
	}
	if err := s.o.DB.Write(ctx, &w); err != nil {
		return Next{}, err
	}
	if err := s.accept(ctx, a, started); err != nil {
		return Next{}, err
	}
	return Next{
		URL: url, Target: a.Request.RedirectURI, Session: cookie, Until: started.ExpiresAt,
		Remember: remembering(verified.Profile.Email, arrival.OrganizationID, admission),
	}, nil
}

// proofIn is the session in which this browser has proven an address, and chosen no organization yet, if that is good enough for what is
// asked; the zero session for none.
func (s *SignIns) proofIn(present []session.Session, a issuer.Authorization) session.Session {
	for _, one := range slices.Backward(present) {
		if one.OrganizationID == "" && one.Method == session.MagicAuth && one.Living(s.time()) && s.proves(one, a) {
			return one
		}
	}
	return session.Session{}
}

// remembering leaves out the organization of whom the provider's word alone does not let in: the next time they prove their address again.
func remembering(email, organizationID string, by member.Admission) *Last {
	if by.ByProof() {
		organizationID = ""
	}
	return &Last{Email: email, OrganizationID: organizationID}
}

// surroundings are what a sign-in is decided by beside the person: they are read with them.
type surroundings struct {
	policy   org.Policy
	mapping  access.Mapping
	sessions []session.Session // of the browser
}

func (s *SignIns) around(v Visitor, verified *sso.Verified, into *surroundings) []db.Question {
	if s.o.ProfilesOnly {
		return nil
	}
	id := verified.Connection.OrganizationID
	return []db.Question{
		org.AskPolicy(org.ID(id), &into.policy), access.AskMapping(id, string(verified.Connection.ID), &into.mapping),
		s.o.Sessions.AskInBrowser(v.Cookie, v.Browser, &into.sessions),
	}
}

// mapped is what the connection's mapping gives the person, nothing where it drives nothing.
func (s *SignIns) mapped(ctx context.Context, v *sso.Verified, m access.Mapping) (access.Mapped, error) {
	if m.Version == 0 {
		return access.Mapped{}, nil
	}
	var roles []access.Role
	var err error
	if m.DrivesRoles {
		roles, err = access.RolesIn(ctx, s.o.DB, v.Connection.OrganizationID)
	}
	return m.Map(access.OfClaims(v.Profile.Raw, v.Profile.Groups), roles), err
}

// endInProfile is the end of a sign-in where the app keeps the accounts.
func (s *SignIns) endInProfile(ctx context.Context, a issuer.Authorization, verified *sso.Verified, arrival member.Arrival) (Next, error) {
	if err := admitProfile(arrival); err != nil {
		return Next{}, err
	}
	w := db.Write{Lane: arrival.OrganizationID}
	url, err := s.o.Issuer.CodeInto(&w, a, issuer.Grant{
		ApplicationID: a.ApplicationID, OrganizationID: arrival.OrganizationID, ProfileID: string(verified.Profile.ID),
		ConnectionID: string(verified.Connection.ID), AMR: verified.AMR, AuthenticatedAt: verified.AuthenticatedAt, SessionUntil: verified.SessionUntil,
	})
	if err != nil {
		return Next{}, err
	}
	if err := s.o.Connections.FinishInto(&w, verified, sso.End{}); err != nil {
		return Next{}, err
	}
	if err := s.o.DB.Write(ctx, &w); err != nil {
		return Next{}, err
	}
	return Next{URL: url, Target: a.Request.RedirectURI, Remember: &Last{Email: verified.Profile.Email, OrganizationID: arrival.OrganizationID}}, nil
}

// admitProfile is what counts without accounts: the address belongs to the organization, and no directory wants the person out.
func admitProfile(a member.Arrival) error {
	switch {
	case a.Standing.Says == member.SaysInactive:
		return fault.New(fault.Forbidden, string(sso.UserDeprovisioned), "The organization's directory says that this person is not to come in.").
			Compared("active in the directory", "inactive")
	case !a.EmailVerified && !a.Trust:
		return fault.New(fault.Forbidden, string(sso.EmailDomainNotAllowed), "The email address lies in no domain that the organization has verified.").
			Compared("an address in a verified domain", a.Email)
	}
	return nil
}

func grantOf(a issuer.Authorization, started session.Session) issuer.Grant {
	return issuer.Grant{
		ApplicationID: a.ApplicationID, OrganizationID: started.OrganizationID, SessionID: started.ID, SessionUntil: started.ExpiresAt, UserID: started.UserID,
		ProfileID: started.ProfileID, ConnectionID: started.ConnectionID, AMR: started.AMR, AuthenticatedAt: started.AuthenticatedAt,
	}
}

// cause: a person acted, by signing in.
func cause(userID string) event.Context {
	return event.Context{Actor: event.Actor{ID: userID, Source: event.System}}
}

// arrival gathers what member decides by, and asks other questions with it.
func (s *SignIns) arrival(ctx context.Context, v *sso.Verified, also ...db.Question) (member.Arrival, error) {
	p, verified := v.Profile, v.DomainVerified
	found, known, err := s.standing(ctx, v, verified, also...)
	if err != nil {
		return member.Arrival{}, err
	}
	a := member.Arrival{
		OrganizationID: v.Connection.OrganizationID, ConnectionID: string(v.Connection.ID), IDPID: p.IDPID, Email: p.Email, FirstName: p.FirstName, LastName: p.LastName,
		EmailVerified: verified, Standing: standingFor(found, known.Joined()), Trust: v.Connection.Options.AllowOutsideDomains, JIT: member.JITVerifiedDomain,
		Known: known,
	}
	if found.Standing != directory.StandingNone {
		a.JIT = member.JITDirectory
	}
	return a, nil
}

// standing looks a person up in the organization's directories, and reads with it who is behind their identity and what they are called
// at their connection, and what else is asked.
func (s *SignIns) standing(ctx context.Context, v *sso.Verified, verified bool, also ...db.Question) (found directory.Found, known *member.Known, err error) {
	id, keys := v.Connection.OrganizationID, keysOf(v, verified)
	var seen directory.Seen
	questions := append([]db.Question{directory.Looking(id, keys, &seen)}, v.Meeting()...)
	if !s.o.ProfilesOnly {
		questions = append(questions, s.o.Members.Knowing(id, string(v.Connection.ID), v.Profile.IDPID, &known))
	}
	if err := s.o.DB.Ask(ctx, append(questions, also...)...); err != nil {
		return found, nil, fmt.Errorf("look for a person who signs in: %w", err)
	}
	keys.Joined = directory.UserID(known.Joined())
	found, ok := seen.For(keys.Joined)
	if !ok {
		if found, err = directory.StandingOf(ctx, s.o.DB, id, keys); err != nil {
			return found, nil, fmt.Errorf("look for the person in the directories: %w", err)
		}
	}
	return found, known, nil
}

// standingFor words what the directories say for member.
func standingFor(f directory.Found, joined string) member.Standing {
	out := member.Standing{DirectoryID: string(f.DirectoryID), DirectoryUserID: string(f.UserID), JoinedBy: member.JoinedBy(f.JoinedBy)}
	switch f.Standing {
	case directory.StandingActive:
		out.Says = member.SaysActive
	case directory.StandingInactive:
		out.Says = member.SaysInactive
	case directory.StandingUnknown:
		out.Says = member.SaysUnknown
	case directory.StandingNone:
		out.Says = member.NoDirectory
	}
	if f.JoinedGone && f.UserID != "" {
		out.Succeeds = joined
	}
	return out
}
