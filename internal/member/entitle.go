package member

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
)

// granted is what has to be written and guarded beside a membership for what it is given.
type granted struct {
	role  bool            // a role that could be deleted meanwhile
	seat  bool            // a licence of which one more is held
	admin bool            // the role of an administrator goes: somebody else has to have one
	teams *access.TeamsOf // nil: they stay
}

// entitle resolves roles, licences, teams and attributes of the memberships that have changed.
func (s *Service) entitle(ctx context.Context, r db.Reader, a *account) (map[*place]granted, error) {
	out := map[*place]granted{}
	for _, p := range a.places {
		if p.was != nil && p.m.same(*p.was) && !p.moved() && p.m.WantedLicence == "" { // who waits for a seat may get one now
			continue
		}
		if p.keeps() {
			out[p] = granted{}
			continue
		}
		g, err := s.entitlePlace(ctx, r, p)
		if err != nil {
			return nil, err
		}
		out[p] = g
	}
	return out, nil
}

// keeps tells whether the brake holds the member, so that all that they have been given stays theirs, the seat too.
func (p *place) keeps() bool {
	return p.m.Held() && (p.m.Told.State == Active || p.m.Told.State == Pending)
}

func (s *Service) entitlePlace(ctx context.Context, r db.Reader, p *place) (g granted, err error) {
	e, said, err := p.entitlement()
	if err != nil {
		return g, err
	}
	if err := s.giveRole(ctx, r, p, e, &g); err != nil {
		return g, err
	}
	if err := s.giveLicence(ctx, r, p, e, &g); err != nil {
		return g, err
	}
	g.teams = p.teamsOf(e)
	switch {
	case len(said) > 0:
		p.m.CustomAttributes = attributes(said)
	case p.anew() && !e.Out:
		err = p.assertedAttributes()
	}
	return g, err
}

// droveTeams tells whether a mapping put the member into teams before.
func (p *place) droveTeams() bool {
	for _, c := range p.claims {
		if c.saidBefore().Mapped.Teams != nil {
			return true
		}
	}
	return false
}

// attributes of several directories are put together; the oldest directory's win.
func attributes(said []saying) map[string]any {
	out := map[string]any{}
	for i := len(said) - 1; i >= 0; i-- {
		maps.Copy(out, said[i].Mapped.Attributes)
	}
	return out
}

// giveRole gives the resolved role, unless a mapping would take the last administrator's.
func (s *Service) giveRole(ctx context.Context, r db.Reader, p *place, e Entitlement, g *granted) error {
	before := Membership{}
	if p.was != nil {
		before = *p.was
	}
	role, by := e.ResolveRole()
	if by == ByHand && e.RoleBy.mapped() {
		invited, err := carriedRole(ctx, r, p.m, role)
		if err != nil {
			return err
		}
		if invited {
			by = ByInvitation
		}
	}
	if role != before.Role && role != RoleMember {
		roles, err := access.RolesIn(ctx, r, p.m.OrganizationID)
		if err != nil {
			return err
		}
		if _, there := access.Find(roles, role); !there { // deleted since it was said
			role, by = RoleMember, ""
		}
	}
	// A hand that has just spoken is no mapping, whoever gave the role before it.
	if role != before.Role && before.State == Active && p.m.State == Active && (by.mapped() || e.RoleBy.mapped()) {
		lost, last, err := s.lastAdmin(ctx, r, p.m, before.Role, role)
		if err != nil {
			return err
		}
		if last {
			p.m.Role, p.m.RoleBy = before.Role, ByBeingLast
			return nil
		}
		g.admin = lost
	}
	p.m.Role, p.m.RoleBy = role, by
	g.role = role != before.Role
	return nil
}

// carriedRole tells whether a given role, which comes back in place of a mapped one, is that of the invitation that the member came by: whose
// word it was is not kept while a mapping's counts.
func carriedRole(ctx context.Context, r db.Reader, m Membership, role string) (bool, error) {
	if m.InvitationID == "" {
		return false, nil
	}
	var id string
	err := r.QueryRow(ctx, invitationWithRole, m.OrganizationID, m.InvitationID, role).Scan(&id)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the role of invitation %s: %w", m.InvitationID, err)
	}
	return true, nil
}

// lastAdmin tells whether the change takes a role of administrators, and whether nobody else has one.
func (s *Service) lastAdmin(ctx context.Context, r db.Reader, m Membership, from, to string) (lost, last bool, err error) {
	roles, err := access.RolesIn(ctx, r, m.OrganizationID)
	if err != nil {
		return false, false, err
	}
	was, _ := access.Find(roles, from)
	is, _ := access.Find(roles, to)
	if !was.IsAdmin || is.IsAdmin {
		return false, false, nil
	}
	var id string
	err = r.QueryRow(ctx, otherAdmin, m.OrganizationID, string(m.ID)).Scan(&id)
	if errors.Is(err, db.ErrNoRows) {
		return true, true, nil
	}
	if err != nil {
		return true, false, fmt.Errorf("look for another administrator: %w", err)
	}
	return true, false, nil
}

// giveLicence gives the resolved licence where a seat is left. Who is out holds none, and gets it again by coming back.
func (s *Service) giveLicence(ctx context.Context, r db.Reader, p *place, e Entitlement, g *granted) error {
	wanted, held := e.ResolveLicence(), ""
	if p.was != nil {
		held = p.was.Licence
	}
	if p.m.State != Active && p.m.State != Pending {
		p.m.Licence, p.m.WantedLicence, p.m.wantedSince = "", "", time.Time{}
		if len(e.Driven) == 0 && p.m.GivenLicence == "" { // what nobody would say again is remembered
			p.m.WantedLicence = e.Licence
		}
		return nil
	}
	p.m.Licence, p.m.WantedLicence, p.m.wantedSince = "", "", time.Time{}
	if wanted == "" {
		return nil
	}
	if wanted == held {
		p.m.Licence = wanted
		return nil
	}
	use, found, err := access.UseIn(ctx, r, p.m.OrganizationID, wanted)
	switch {
	case err != nil:
		return err
	case !found: // the licence type is no more
	case use.Free():
		p.m.Licence, g.seat = wanted, true
	default:
		p.waitFor(wanted, s.time())
	}
	return nil
}

// grantedBefore adds the guards that have to stand before the membership is written.
func (s *Service) grantedBefore(w *db.Write, p *place, g granted) {
	if g.role {
		s.access.RoleInto(w, p.m.OrganizationID, p.m.Role)
	}
	if g.admin {
		w.GuardSelect(lockAdminRoles+s.db.ForUpdate(), p.m.OrganizationID)
	}
	if g.seat {
		s.access.SeatInto(w, p.m.OrganizationID, p.m.Licence)
	}
}

// grantedAfter adds those that look at what was written.
func (s *Service) grantedAfter(w *db.Write, p *place, g granted) {
	if g.admin {
		w.GuardSelect(otherAdmin, p.m.OrganizationID, string(p.m.ID))
	}
}
