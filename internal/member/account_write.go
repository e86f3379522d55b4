package member

import (
	"context"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/session"
)

// accountInto adds what has become of an account to a write, guarded by everything that was read: states, roles and licences, what
// directories say, the end of sessions, the events. Where a guard is lost the caller reads and decides again. After the commit the caller
// calls event.Log.Nudge, and mail.Outbox.Nudge where somebody was invited.
//
// It tells whether anything was to be written.
func (s *Service) accountInto(ctx context.Context, r db.Reader, w *db.Write, a *account, cause event.Context) (changed bool, err error) {
	now := s.time()
	a.settle(now)
	given, err := s.entitle(ctx, r, a)
	if err != nil {
		return false, err
	}
	a.number(now)
	if !a.changed() {
		return false, nil
	}
	if a.together {
		w.Once("user " + string(a.user.ID))
	}
	s.rowInto(w, a)
	if a.provenAt != "" {
		w.Exec(deleteForeign, string(a.user.ID), a.provenAt)
	}
	for _, p := range a.places {
		if err := s.placeRowsInto(ctx, r, w, a, p, given[p], cause); err != nil {
			return false, err
		}
	}
	if err := s.endingsInto(ctx, r, w, a, cause); err != nil {
		return false, err
	}
	if entries := a.entries(cause.JSON()); len(entries) > 0 {
		s.events.Append(w, now, entries...)
	}
	return true, nil
}

func (a *account) changed() bool {
	if a.was == nil || a.was.Version != a.user.Version {
		return true
	}
	for _, p := range a.places {
		if p.changed() {
			return true
		}
	}
	return false
}

func (p *place) changed() bool { return p.was == nil || p.was.Version != p.m.Version }

// hollow tells whether the membership never was, and is not to be: it is not written.
func (p *place) hollow() bool { return p.was == nil && p.m.State == Removed }

func (s *Service) rowInto(w *db.Write, a *account) {
	switch {
	case a.was == nil:
		insertUserInto(w, a.user)
	case a.was.Version != a.user.Version:
		updateUserInto(w, a.user, a.was.Version)
	case a.touched():
		w.Guard(touchUser, string(a.user.ID), a.was.Version, a.user.LastSignInAt.UnixMicro())
	case a.together:
		w.EachSelect(guardUser+s.db.ForShare(), string(a.user.ID), a.was.Version)
	default:
		w.GuardSelect(guardUser+s.db.ForShare(), string(a.user.ID), a.was.Version)
	}
}

func (a *account) touched() bool { return !a.user.LastSignInAt.Equal(a.was.LastSignInAt) }

func (s *Service) placeRowsInto(ctx context.Context, r db.Reader, w *db.Write, a *account, p *place, g granted, cause event.Context) error {
	if p.hollow() {
		return nil
	}
	if !p.changed() { // what is decided of the account is decided by all that is said of it
		w.GuardSelect(guardMembership+s.db.ForShare(), p.m.OrganizationID, string(p.m.ID), p.m.Version)
		return nil
	}
	if p.enters() {
		s.organizations.LivesInto(w, org.ID(p.m.OrganizationID))
	}
	s.grantedBefore(w, p, g)
	update := w.Guard
	if a.together && p.alone(g) {
		update = w.Each
	}
	if p.was == nil {
		insertMembershipInto(w, p.m)
	} else {
		updateMembershipInto(update, p.m, p.was.Version)
	}
	s.grantedAfter(w, p, g)
	now := s.time()
	for _, c := range p.dropped {
		w.Guard(deleteClaim, c.organizationID, c.directoryID, c.directoryUserID, c.was.version)
	}
	for _, c := range p.claims {
		claimInto(w, update, c, now)
	}
	if g.teams != nil {
		if err := s.access.TeamsInto(ctx, r, w, *g.teams, cause); err != nil {
			return err
		}
	}
	return s.invitationOf(ctx, r, w, a, p, cause)
}

// alone tells whether nobody else's membership is concerned by what becomes of this one: it may be written before or after any other.
func (p *place) alone(g granted) bool {
	return p.was != nil && !g.role && !g.admin && !g.seat && len(p.dropped) == 0 && p.was.State == p.m.State && p.was.Role == p.m.Role &&
		p.was.Licence == p.m.Licence && p.was.DirectoryUserID == p.m.DirectoryUserID
}

// enters tells whether the membership is new or has come back.
func (p *place) enters() bool {
	return p.m.State != Removed && (p.was == nil || p.was.State == Removed)
}

// invitationOf has the pending invitation follow the membership: accepted by who came in, taken back from whom nobody wants any more, and not mailed
// to whom something shuts out for a while.
func (s *Service) invitationOf(ctx context.Context, r db.Reader, w *db.Write, a *account, p *place, cause event.Context) error {
	switch {
	case p.was == nil:
		return nil
	case p.disinvited():
		return s.revokeInto(ctx, r, w, *p.was, a.user, cause)
	case p.m.State == Active && p.was.neverIn():
		return s.acceptInto(ctx, r, w, p.m, a.user, cause)
	case p.m.InvitationID == "" || p.m.InvitationID != p.was.InvitationID:
		return nil
	case p.was.State == Pending && p.m.State == Inactive:
		s.keepMailInto(w, p.m.InvitationID)
	case p.was.State != Pending && p.m.State == Pending:
		return s.keptMailInto(ctx, r, w, p.m.InvitationID)
	}
	return nil
}

// disinvited tells whether the invitation goes that nobody has come in by, as the membership does.
func (p *place) disinvited() bool {
	return p.m.State == Removed && p.was.neverIn() && p.m.InvitationID != p.was.InvitationID
}

// neverIn tells whether the member was asked in, and has not come: they are pending, or something shuts them out for a while.
func (m Membership) neverIn() bool {
	return m.told().State == Pending || m.JoinedBy == "" && m.InvitationID != ""
}

// endingsInto ends the sessions of whom this shuts out: all of an account that is taken away, or that has just been proven, else those of
// the organization.
func (s *Service) endingsInto(ctx context.Context, r db.Reader, w *db.Write, a *account, cause event.Context) error {
	if a.was == nil {
		return nil
	}
	everywhere := session.Selection{UserID: string(a.user.ID)}
	switch {
	case a.was.DeprovisionedBy == "" && a.user.DeprovisionedBy != "":
		return s.endInto(ctx, r, w, a, everywhere, session.Ending{Reason: session.UserDeactivated, Context: cause})
	case a.provenAt != "":
		return s.endInto(ctx, r, w, a, everywhere, session.Ending{Reason: session.NotAdmitted, Context: cause})
	}
	for _, p := range a.places {
		if p.was == nil || p.was.State != Active || p.m.State == Active {
			continue
		}
		one := everywhere
		one.OrganizationID = p.m.OrganizationID
		if err := s.endInto(ctx, r, w, a, one, session.Ending{Reason: session.MembershipEnded, Context: cause}); err != nil {
			return err
		}
	}
	return nil
}

// endInto ends sessions of an account, of which none has to be read where they were read with it.
func (s *Service) endInto(ctx context.Context, r db.Reader, w *db.Write, a *account, sel session.Selection, why session.Ending) error {
	if a.living != nil {
		return s.sessions.EndAmongInto(w, *a.living, sel, why)
	}
	_, err := s.sessions.EndInto(ctx, r, w, sel, why)
	return err
}

// entries are the events of what has become of the account.
func (a *account) entries(cause []byte) (out []event.Entry) {
	switch {
	case a.was == nil:
		out = append(out, userEntry(event.UserCreated, a.user, cause))
	case a.told():
		out = append(out, userEntry(event.UserUpdated, a.user, cause))
	}
	was := ""
	if a.was != nil {
		was = a.was.DeprovisionedBy
	}
	switch is := a.user.DeprovisionedBy; {
	case was == "" && is != "":
		out = append(out, userEntry(event.UserDeactivated, a.user, cause))
	case was != "" && is == "":
		out = append(out, userEntry(event.UserReactivated, a.user, cause))
	}
	for _, p := range a.places {
		out = append(out, p.entries(cause)...)
	}
	return out
}

// told tells whether anything that an account shows has changed.
func (a *account) told() bool {
	now := a.user
	now.DeprovisionedAt, now.DeprovisionedBy, now.HomeOrganizationID = a.was.DeprovisionedAt, a.was.DeprovisionedBy, a.was.HomeOrganizationID
	return !now.same(*a.was)
}

// entries compares what the app was told with what it is to be told: of what the brake holds it learns nothing.
func (p *place) entries(cause []byte) (out []event.Entry) {
	is, was := p.m.told(), p.m
	if p.was != nil {
		was = p.was.told()
	}
	gone := is.State == Removed
	switch {
	case p.was == nil && gone, p.was != nil && was.State == Removed && gone:
		return nil
	case !gone && (p.was == nil || was.State == Removed):
		out = append(out, memberEntry(event.OrganizationMembershipCreated, p.m, cause))
	case gone:
		out = append(out, memberEntry(event.OrganizationMembershipDeleted, p.m, cause))
	case !is.same(was):
		out = append(out, memberEntry(event.OrganizationMembershipUpdated, p.m, cause))
	}
	if p.beginsToWait() {
		out = append(out, memberEntry(event.LicenceLimitReached, p.m, cause))
	}
	return out
}
