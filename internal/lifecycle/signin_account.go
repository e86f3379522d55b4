package lifecycle

import (
	"context"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Account is what an access token and the answer beside it say of the person of a grant.
func (s *SignIns) Account(ctx context.Context, g issuer.Grant) (issuer.Account, error) {
	u, err := s.o.Members.User(ctx, member.UserID(g.UserID))
	if err != nil {
		return issuer.Account{}, fmt.Errorf("account of user %s: %w", g.UserID, err)
	}
	out := issuer.Account{User: u.Payload()}
	if g.OrganizationID == "" {
		return out, nil
	}
	m, err := s.o.Members.MemberOf(ctx, g.OrganizationID, u.ID)
	if err != nil {
		return issuer.Account{}, fmt.Errorf("role of user %s: %w", g.UserID, err)
	}
	out.Role, out.Roles = m.Membership.Role, []string{m.Membership.Role}
	if out.Permissions, err = access.PermissionsIn(ctx, s.o.DB, g.OrganizationID, out.Role); err != nil {
		return issuer.Account{}, fmt.Errorf("permissions of user %s: %w", g.UserID, err)
	}
	return out, nil
}

// Elsewhere says whether the person of a grant is an active member of an organization, and how that is entered.
func (s *SignIns) Elsewhere(ctx context.Context, g issuer.Grant, organizationID string) (issuer.Elsewhere, bool, error) {
	m, err := s.o.Members.MemberOf(ctx, organizationID, member.UserID(g.UserID))
	if fault.Is(err, fault.NotFound) || err == nil && m.Membership.State != member.Active {
		return issuer.Elsewhere{}, false, nil
	}
	if err != nil {
		return issuer.Elsewhere{}, false, err
	}
	out := issuer.Elsewhere{Email: m.User.Email}
	c, err := s.entrance(ctx, org.ID(organizationID))
	switch {
	case fault.Is(err, fault.Conflict): // several, of which the person chooses by the application's hint
		return out, true, nil
	case err != nil:
		return issuer.Elsewhere{}, false, err
	case c != nil:
		out.ConnectionIDs = []string{string(c.ID)}
	}
	return out, true, nil
}

// Invited has the person of a grant accept the invitation of a link.
func (s *SignIns) Invited(ctx context.Context, g issuer.Grant, link token.Secret) error {
	i, state, err := s.invitation(ctx, link)
	if err == nil && state != InvitedOpen {
		err = notOpen()
	}
	if err != nil {
		return err
	}
	return s.acceptBy(ctx, i.ID, g.UserID, g.ConnectionID, g.OrganizationID)
}

func notOpen() error {
	return fault.New(fault.Invalid, string(issuer.InvitationInvalid), "There is no such invitation, or it was accepted or taken back, or its link has expired.")
}

// EndNamed ends the session that an application names, see [issuer.Service.EndNamed], and goes on to its provider.
func (s *SignIns) EndNamed(ctx context.Context, v Visitor, sessionID, returnTo string) (Exit, error) {
	present, _, err := s.o.Sessions.ByCookie(ctx, v.Cookie)
	if err != nil {
		return Exit{}, err
	}
	out, err := s.o.Issuer.EndNamed(ctx, sessionID, returnTo, present)
	if err != nil {
		return Exit{}, err
	}
	if out.Ended == "" {
		return Exit{URL: out.Redirect}, nil
	}
	ended, err := s.o.Sessions.Get(ctx, out.Ended)
	if err != nil {
		return Exit{}, err
	}
	return s.leave(ctx, v, ended, out.Redirect), nil
}
