package member

import (
	"context"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
)

// NewMembership puts an account into an organization by hand, active at once.
type NewMembership struct {
	OrganizationID string
	UserID         UserID
	Role           string // slug; "": everybody's
	Licence        string // slug; "" for none
}

// MembershipChanges are what an update changes of a membership; what is nil stays.
type MembershipChanges struct {
	Role    *string // slug; "": everybody's
	Licence *string // slug; "": none
}

// CreateMembership makes an account a member, a guest unless the account is at home there, and gives back the membership of somebody who was
// blocked or removed by hand. A pending member is Invalid "cannot_reactivate_pending_organization_membership"; an active one Invalid
// "user_already_organization_member"; one whom a directory shuts out, or has stored as inactive, a Conflict "directory_managed". Refusals of role and licence are those
// of UpdateMembership.
func (s *Service) CreateMembership(ctx context.Context, actor event.Actor, n NewMembership) (out Member, err error) {
	if _, err := s.organizations.Get(ctx, org.ID(n.OrganizationID)); err != nil {
		return Member{}, err
	}
	err = s.guarded(ctx, n.OrganizationID, func(w *db.Write) error {
		a, err := s.account(ctx, s.db, n.UserID)
		if err != nil {
			return err
		}
		p, err := s.enterByHand(a, n, actor)
		if err != nil {
			return err
		}
		if err := s.meantByHand(ctx, w, a, p, actor); err != nil {
			return err
		}
		if err := s.giveByHand(ctx, s.db, p, n.gives()); err != nil {
			return err
		}
		_, err = s.accountInto(ctx, s.db, w, a, event.Context{Actor: actor})
		out = Member{Membership: p.m, User: a.user}
		return err
	})
	if err != nil {
		return Member{}, fmt.Errorf("make user %s a member of %s: %w", n.UserID, n.OrganizationID, err)
	}
	return out, nil
}

// gives is what a hand gives with the membership: who comes back has what they had, and who is new everybody's role, unless something else is named.
func (n NewMembership) gives() (c MembershipChanges) {
	if n.Role != "" {
		c.Role = &n.Role
	}
	if n.Licence != "" {
		c.Licence = &n.Licence
	}
	return c
}

// enterByHand is the membership of somebody whom a hand lets in.
func (s *Service) enterByHand(a *account, n NewMembership, actor event.Actor) (*place, error) {
	now, p := s.time(), a.at(n.OrganizationID)
	switch {
	case p == nil:
		p = &place{m: Membership{
			ID: MembershipID(s.ids.NewID(membershipPrefix)), OrganizationID: n.OrganizationID, UserID: a.user.ID, Role: RoleMember, Version: 1,
			CreatedAt: now, UpdatedAt: now,
		}}
		a.places = append(a.places, p)
		if p.decides(a.user).Deprovisioned {
			return nil, p.readmitted(actor.ID, a.user)
		}
	case p.m.State == Active:
		return nil, fault.New(fault.Invalid, "user_already_organization_member", "The user is a member of the organization already.").On("user_id")
	case p.m.State == Pending:
		return nil, fault.New(fault.Invalid, "cannot_reactivate_pending_organization_membership", "The membership waits for its invitation to be accepted.").On("user_id")
	default:
		if err := p.readmitted(actor.ID, a.user); err != nil {
			return nil, err
		}
	}
	p.join(ViaAPI, now)
	return p, nil
}

// meantByHand has whom a hand lets in be whom directories mean that have spoken of nobody: they may bar that.
func (s *Service) meantByHand(ctx context.Context, w *db.Write, a *account, p *place, actor event.Actor) error {
	said, err := s.unlinked(ctx, s.db, p.m.OrganizationID, a.user.Email)
	if err != nil {
		return err
	}
	s.hearInto(w, p, a.user.Email, said)
	if p.decides(a.user).Barred() {
		return p.readmitted(actor.ID, a.user)
	}
	return nil
}

// UpdateMembership gives a member another role or licence by hand. What a directory's mapping gives is a Conflict "directory_managed"; a role that
// the organization does not have Unprocessable "invalid_role"; a licence type it does not have Unprocessable "invalid_licence", one without a
// free seat that refuses more a Conflict "licence_limit_reached".
func (s *Service) UpdateMembership(ctx context.Context, actor event.Actor, id MembershipID, c MembershipChanges) (Member, error) {
	return s.move(ctx, actor, id, func(p *place, _ User) error { return s.giveByHand(ctx, s.db, p, c) })
}

func (s *Service) giveByHand(ctx context.Context, r db.Reader, p *place, c MembershipChanges) error {
	e, _, err := p.entitlement()
	if err != nil {
		return err
	}
	if c.Role != nil && (*c.Role != p.m.Role || p.m.RoleBy == ByConnection) {
		if err := s.roleByHand(ctx, r, p, e, *c.Role); err != nil {
			return err
		}
	}
	had := e.Licence
	if had == "" { // who is out holds none, and would have it back
		had = e.ResolveLicence()
	}
	if c.Licence != nil && *c.Licence != had {
		return s.licenceByHand(ctx, r, p, e, *c.Licence)
	}
	return nil
}

func (s *Service) roleByHand(ctx context.Context, r db.Reader, p *place, e Entitlement, slug string) error {
	for _, d := range e.Driven {
		if len(d.Roles) > 0 {
			return p.managed("role", "the role")
		}
	}
	if slug == "" {
		slug = RoleMember
	}
	roles, err := access.RolesIn(ctx, r, p.m.OrganizationID)
	if err != nil {
		return err
	}
	if _, there := access.Find(roles, slug); !there && slug != RoleMember {
		return fault.New(fault.Unprocessable, "invalid_role", "Role '%.48s' is not a valid role.", slug).On("role_slug")
	}
	p.m.GivenRole, p.m.Role, p.m.RoleBy = slug, slug, ByHand
	return p.m.overrule(func(m *mapped) { m.Roles = nil })
}

func (s *Service) licenceByHand(ctx context.Context, r db.Reader, p *place, e Entitlement, slug string) error {
	for _, d := range e.Driven {
		if d.Licence != nil && *d.Licence != "" {
			return p.managed("licence", "the licence")
		}
	}
	p.m.GivenLicence, p.m.Licence, p.m.WantedLicence = slug, "", ""
	if err := p.m.overrule(func(m *mapped) { m.Licence = nil }); err != nil || slug == "" {
		return err
	}
	use, there, err := access.UseIn(ctx, r, p.m.OrganizationID, slug)
	switch {
	case err != nil:
		return err
	case !there:
		return fault.New(fault.Unprocessable, "invalid_licence", "Licence '%.48s' is not a licence type of the organization.", slug).On("licence")
	case !use.Free() && use.Type.OverLimit == access.Refuse:
		return noSeat(use)
	}
	return nil
}

// noSeat refuses to give a licence by hand of which no seat is left.
func noSeat(use access.Use) error {
	return fault.New(fault.Conflict, CodeLicenceLimit, "All %d seats of the licence %q are taken.", use.Used, use.Type.Slug).On("licence").
		Compared("a licence with a free seat", use.Type.Slug)
}

// managed refuses what a directory's mapping gives.
func (p *place) managed(field, what string) error {
	return fault.New(fault.Conflict, "directory_managed", "The directory %s gives %s by its mapping. Change it in the identity provider, or the mapping.", p.manager(), what).
		On(field).Compared("a field that no directory manages", field)
}
