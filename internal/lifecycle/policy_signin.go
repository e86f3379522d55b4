package lifecycle

import (
	"context"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// CodeSSORequired refuses whom an organization's policy does not let in without its provider.
const CodeSSORequired = "sso_required"

// pass is by what somebody comes in to an organization without its provider.
type pass struct {
	policy org.Policy
	exempt *org.BreakGlass // the policy alone would not let them in
}

// freeTo gives what lets somebody come in to an organization by a mailed code, or refuses with CodeSSORequired. Only the organization's own
// connection satisfies its policy, whatever other organizations have asked of the person.
func (s *SignIns) freeTo(ctx context.Context, organizationID string, userID member.UserID, primary bool) (pass, error) {
	p, err := org.PolicyIn(ctx, s.o.DB, org.ID(organizationID))
	if err != nil || !p.At(s.time()).Binds(primary) {
		return pass{policy: p}, err
	}
	proven, err := sso.Proven(ctx, s.o.DB, organizationID)
	if err != nil || !proven {
		return pass{policy: p}, err
	}
	b, exempt, err := org.BreakGlassIn(ctx, s.o.DB, org.ID(organizationID), string(userID), s.time())
	switch {
	case err != nil:
		return pass{}, err
	case exempt:
		return pass{policy: p, exempt: &b}, nil
	}
	return pass{}, denied(CodeSSORequired, "This organization is entered through its identity provider.")
}

// into makes a write hold only while the pass does.
func (p pass) into(s *SignIns, w *db.Write) {
	s.o.Organizations.FreeInto(w, p.policy)
	if p.exempt != nil {
		s.o.Organizations.ExemptInto(w, *p.exempt)
	}
}

// admittedByPolicy asks at each code and each refresh of a session that no provider vouched for.
func (s *SignIns) admittedByPolicy(ctx context.Context, g issuer.Grant, m member.Membership) error {
	if g.OrganizationID == "" || g.ConnectionID != "" {
		return nil
	}
	_, err := s.freeTo(ctx, g.OrganizationID, m.UserID, m.Primary)
	return err
}

// managed says whether an address has to come in through a connection of an organization: its policy binds who has it.
func (s *SignIns) managed(ctx context.Context, organizationID, email string) (bool, error) {
	u, err := s.o.Members.UserByEmail(ctx, email)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return false, err
	}
	primary := true // whoever is new in the organization's own domain becomes one
	if err == nil {
		m, err := s.o.Members.MemberOf(ctx, organizationID, u.ID)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return false, err
		}
		primary = err != nil || m.Membership.State == member.Removed || m.Membership.Primary
	}
	_, err = s.freeTo(ctx, organizationID, u.ID, primary)
	if refused(err) {
		return true, nil
	}
	return false, err
}

// choosable says whether people of an organization may choose how they come in, so that they have to be asked where an application names
// the organization and not the connection. An application that has them choose an account has them asked, too: it is how a break-glass user
// comes to the page while the provider is down.
func (s *SignIns) choosable(ctx context.Context, a issuer.Authorization, id org.ID) (bool, error) {
	if s.o.ProfilesOnly || a.Style == oidc.StyleSSO || !s.mails() {
		return false, nil
	}
	if a.Request.Prompts(oidc.PromptSelectAccount) {
		return true, nil
	}
	p, err := org.PolicyIn(ctx, s.o.DB, id)
	return p.At(s.time()) != org.RequiredForAll, err
}

// shut refuses somebody whom the policy demands a provider of that lets nobody in, and tells the operator why.
func (s *SignIns) shut(ctx context.Context, id org.ID, user string) error {
	f, err := s.o.Organizations.Features(ctx, id)
	if err != nil {
		return err
	}
	why := "no connection of the organization lets anybody in"
	if !f.On(org.SSO) {
		why = "the feature sso is switched off for the organization"
	}
	s.o.Logger.WarnContext(ctx, "a person was refused because the organization requires single sign-on, which nobody can use", "organization", string(id), "user", user, "why", why,
		"mend", "switch it on again, make the policy optional for a while, or name a break-glass user")
	return denied(CodeSSORequired, "This organization is entered through its identity provider, which is switched off at present. Please ask the person who looks after sign-in at your company.")
}

// under applies a policy to somebody who has just arrived through a connection.
func under(p org.Policy, a member.Arrival) member.Arrival {
	if p.JIT != org.JITDefault {
		a.JIT = member.JIT(p.JIT)
	}
	return a
}

// lifeUnder is how long sessions of an organization live; what its policy leaves open is the installation's.
func (s *SignIns) lifeUnder(p org.Policy) session.Life {
	life := s.o.Life
	if p.Idle > 0 {
		life.Idle = p.Idle
	}
	if p.Life > 0 {
		life.Absolute = p.Life
	}
	return life
}
