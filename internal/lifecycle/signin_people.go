package lifecycle

import (
	"context"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
)

func orgID(id string) org.ID { return org.ID(id) }

// Admitted refuses a grant whose person may not come in any more. It is asked at each authorization from a session, each redemption and
// each refresh: the organization is there, its connection lets people in and is the one they came through, the membership is active, its
// policy lets them in without a connection where they came through none, and no directory wants the person out.
func (s *SignIns) Admitted(ctx context.Context, g issuer.Grant) error {
	if err := s.admittedByWay(ctx, g); err != nil {
		return err
	}
	email := ""
	if g.UserID != "" {
		m, err := s.admittedByMembership(ctx, g)
		if err != nil {
			return err
		}
		if err := s.admittedByPolicy(ctx, g, m.Membership); err != nil {
			return err
		}
		email = m.User.Email
	}
	return s.admittedByDirectory(ctx, g, email)
}

func denied(code, sentence string) error { return fault.New(fault.Forbidden, code, "%s", sentence) }

func (s *SignIns) admittedByWay(ctx context.Context, g issuer.Grant) error {
	if g.OrganizationID == "" {
		return nil
	}
	f, err := s.o.Organizations.Features(ctx, org.ID(g.OrganizationID))
	switch {
	case fault.Is(err, fault.NotFound):
		return denied("organization_deleted", "The organization is no more.")
	case err != nil:
		return err
	case g.ConnectionID != "" && !f.On(org.SSO):
		return denied(string(sso.FeatureDisabled), "Single sign-on is switched off for this organization.")
	case g.ConnectionID == "": // the policy is asked when it is known who the person is
		return nil
	}
	c, err := s.o.Connections.Get(ctx, sso.ID(g.ConnectionID))
	if fault.Is(err, fault.NotFound) || err == nil && !living(c, g.OrganizationID) {
		return denied(string(sso.ConnectionInactive), "The connection lets nobody in at present.")
	}
	return err
}

func (s *SignIns) admittedByMembership(ctx context.Context, g issuer.Grant) (member.Member, error) {
	if g.OrganizationID == "" {
		u, err := s.o.Members.User(ctx, member.UserID(g.UserID))
		if fault.Is(err, fault.NotFound) {
			return member.Member{}, denied("user_deleted", "The account is no more.")
		}
		return member.Member{User: u}, err
	}
	m, err := s.o.Members.MemberOf(ctx, g.OrganizationID, member.UserID(g.UserID))
	if fault.Is(err, fault.NotFound) || err == nil && m.Membership.State != member.Active {
		return m, denied("membership_inactive", "The person is not an active member of the organization.")
	}
	return m, err
}

func (s *SignIns) admittedByDirectory(ctx context.Context, g issuer.Grant, email string) error {
	if g.OrganizationID == "" {
		return nil
	}
	v := &sso.Verified{Profile: sso.Profile{Email: email}, Connection: sso.Connection{ID: sso.ID(g.ConnectionID), OrganizationID: g.OrganizationID}}
	if g.ProfileID != "" {
		p, err := s.o.Connections.Profile(ctx, sso.ProfileID(g.ProfileID))
		if fault.Is(err, fault.NotFound) || err == nil && p.OrganizationID != g.OrganizationID {
			return denied("profile_deleted", "The profile is no more.")
		}
		if err != nil {
			return err
		}
		v.Profile = p
	}
	owner, err := s.ownerOf(ctx, v.Profile.Email)
	if err != nil {
		return err
	}
	found, _, err := s.standing(ctx, v, owner != "" && string(owner) == g.OrganizationID)
	if err != nil {
		return err
	}
	if found.Standing == directory.StandingInactive {
		return denied(string(sso.UserDeprovisioned), "The organization's directory says that this person is not to come in.")
	}
	return nil
}

// Claims are what is known of the person of a grant under OpenID's names.
func (s *SignIns) Claims(ctx context.Context, g issuer.Grant, _ []string) (map[string]any, error) {
	claims := map[string]any{}
	put := func(name, value string) {
		if value != "" {
			claims[name] = value
		}
	}
	put("org_id", g.OrganizationID)
	put("connection_id", g.ConnectionID)
	if g.ProfileID != "" {
		p, err := s.o.Connections.Profile(ctx, sso.ProfileID(g.ProfileID))
		if err != nil {
			return nil, fmt.Errorf("claims of profile %s: %w", g.ProfileID, err)
		}
		owner, err := s.ownerOf(ctx, p.Email)
		if err != nil {
			return nil, err
		}
		put("idp_id", p.IDPID)
		put("email", p.Email)
		claims["email_verified"] = owner != "" && string(owner) == g.OrganizationID
		put("given_name", p.FirstName)
		put("family_name", p.LastName)
		put("name", p.Name)
		claims["groups"] = append([]string{}, p.Groups...)
		claims["roles"] = append([]string{}, p.Roles...)
	}
	if g.UserID == "" {
		return claims, nil
	}
	u, err := s.o.Members.User(ctx, member.UserID(g.UserID))
	if err != nil {
		return nil, fmt.Errorf("claims of user %s: %w", g.UserID, err)
	}
	put("email", u.Email)
	claims["email_verified"] = u.EmailVerified
	put("given_name", u.FirstName)
	put("family_name", u.LastName)
	put("picture", u.PictureURL)
	put("locale", u.Locale)
	if claims["name"] == nil {
		put("name", joinNames(u.FirstName, u.LastName))
	}
	return claims, s.role(ctx, g, claims)
}

func joinNames(first, last string) string {
	if first == "" || last == "" {
		return first + last
	}
	return first + " " + last
}

// role is the person's role in the organization: ours, and not what a provider calls one.
func (s *SignIns) role(ctx context.Context, g issuer.Grant, claims map[string]any) error {
	if g.OrganizationID == "" {
		return nil
	}
	m, err := s.o.Members.MemberOf(ctx, g.OrganizationID, member.UserID(g.UserID))
	if err != nil {
		return ignoreMissing(err)
	}
	claims["role"] = m.Membership.Role
	claims["roles"] = []string{m.Membership.Role}
	return nil
}

// Profile finds a profile for the routes that show it.
func (s *SignIns) Profile(ctx context.Context, id string) (issuer.Profile, error) {
	p, err := s.o.Connections.Profile(ctx, sso.ProfileID(id))
	if err != nil {
		return issuer.Profile{}, err
	}
	return issuer.Profile{ID: string(p.ID), OrganizationID: p.OrganizationID, ConnectionID: string(p.ConnectionID), JSON: p.Payload()}, nil
}
