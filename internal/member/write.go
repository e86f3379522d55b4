package member

import (
	"context"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/session"
)

// AdmitInto adds the admission to a write, guarded: the write fails with a guard lost or a unique violation when anything that Facts
// read has changed since; the caller then reads and decides again. It comes before the session that the sign-in starts, for it may end
// others, and after the commit the caller calls event.Log.Nudge.
func (s *Service) AdmitInto(ctx context.Context, w *db.Write, ad Admission, cause event.Context) error {
	if ad.returns() {
		return s.comeInInto(ctx, w, ad, cause)
	}
	loses, err := s.keepAdmin(ctx, &ad)
	if err != nil {
		return err
	}
	if err := s.userInto(ctx, w, ad); err != nil {
		return err
	}
	p, g := &place{m: ad.Membership}, granted{admin: loses}
	s.grantedBefore(w, p, g)
	s.membershipInto(w, ad)
	s.grantedAfter(w, p, g)
	s.identityInto(w, ad)
	if entries := ad.entries(cause.JSON()); len(entries) > 0 {
		s.events.Append(w, ad.Identity.LastUsedAt, entries...)
	}
	return nil
}

// keepAdmin leaves the last administrator's role where the connection's mapping would take it, and tells whether it takes one that others have.
func (s *Service) keepAdmin(ctx context.Context, ad *Admission) (loses bool, err error) {
	before := ad.membershipBefore
	if before == nil || before.Role == ad.Membership.Role {
		return false, nil
	}
	loses, last, err := s.lastAdmin(ctx, s.db, ad.Membership, before.Role, ad.Membership.Role)
	if err != nil || !last {
		return loses, err
	}
	ad.Membership.Role, ad.Membership.RoleBy = before.Role, before.RoleBy
	return false, nil
}

// comeInInto lets somebody in who was pending, out or gone, with all that follows: what the directory says now is taken over, the account
// is given back, the invitation accepted, what it carried given.
func (s *Service) comeInInto(ctx context.Context, w *db.Write, ad Admission, cause event.Context) error {
	a, err := s.account(ctx, s.db, ad.User.ID)
	if err != nil {
		return err
	}
	p := a.at(ad.Membership.OrganizationID)
	if (p == nil) != (ad.membershipBefore == nil) || p != nil && p.m.Version != ad.membershipBefore.Version || a.user.Version != ad.userBefore.Version {
		return &db.GuardError{} // it is decided again
	}
	if p == nil {
		p = &place{m: ad.Membership}
		a.places = append(a.places, p)
	}
	now, deprovisioned := s.time(), a.user
	a.user = ad.User
	a.user.DeprovisionedAt, a.user.DeprovisionedBy = deprovisioned.DeprovisionedAt, deprovisioned.DeprovisionedBy
	if ad.proves {
		a.provenAt = ad.Membership.OrganizationID
	}
	p.join(ad.via, now)
	p.m.DirectoryUserID, p.m.Role, p.m.RoleBy = ad.Membership.DirectoryUserID, ad.Membership.Role, ad.Membership.RoleBy
	if err := s.wantedNow(ctx, p, ad.standing); err != nil {
		return err
	}
	if _, err := s.accountInto(ctx, s.db, w, a, cause); err != nil {
		return err
	}
	if p.m.State != Active {
		return &db.GuardError{}
	}
	s.identityInto(w, ad)
	return nil
}

// returns tells whether more follows than a new session, or a new member: somebody comes in who was pending, out or gone, or whose account
// another organization has taken away.
func (a Admission) returns() bool {
	if before := a.membershipBefore; before != nil {
		return before.State != Active
	}
	return a.userBefore != nil && a.userBefore.DeprovisionedBy != ""
}

// wantedNow takes the word of the directory that the sign-in was decided by. The rest of what it says follows.
func (s *Service) wantedNow(ctx context.Context, p *place, by Standing) error {
	if by.Says != SaysActive || by.DirectoryID == "" {
		return nil
	}
	for _, c := range p.claims {
		if c.directoryID == by.DirectoryID && c.directoryUserID == by.DirectoryUserID {
			p.wanted(c)
			return nil
		}
	}
	known, err := readClaims(ctx, s.db, selectClaim, p.m.OrganizationID, by.DirectoryID, by.DirectoryUserID)
	if err != nil {
		return err
	}
	known = append(known, &claim{
		organizationID: p.m.OrganizationID, directoryID: by.DirectoryID, directoryUserID: by.DirectoryUserID, provisioning: ExistingOnly, said: encode(saying{}),
	})
	p.wanted(known[0])
	return nil
}

func (p *place) wanted(c *claim) {
	if c.held == HeldKept { // the brake wants the person in, not the directory
		return
	}
	c.says, c.outcome = SaysActive, OutcomeReturned
	p.hear(c)
}

// Proves says that the admission proves an address that nobody had proven: it ends all sessions that the account has.
func (a Admission) Proves() bool { return a.proves }

func (s *Service) userInto(ctx context.Context, w *db.Write, ad Admission) error {
	switch before := ad.userBefore; {
	case before == nil:
		insertUserInto(w, ad.User)
	case before.Version == ad.User.Version:
		w.Guard(touchUser, string(ad.User.ID), before.Version, ad.User.LastSignInAt.UnixMicro())
	default:
		updateUserInto(w, ad.User, before.Version)
	}
	if !ad.proves {
		return nil
	}
	return s.proveInto(ctx, w, ad.User.ID, ad.Membership.OrganizationID)
}

// proveInto leaves an account to the one who has just proven its address: what other organizations linked to it while nobody had, they may
// have linked to be there first (account pre-hijacking, Sudhodanan and Paverd 2022).
func (s *Service) proveInto(ctx context.Context, w *db.Write, id UserID, organizationID string) error {
	w.Exec(deleteForeign, string(id), organizationID)
	_, err := s.sessions.EndInto(ctx, s.db, w, session.Selection{UserID: string(id)}, session.Ending{
		Reason: session.NotAdmitted, Context: event.Context{Actor: event.Actor{ID: string(id), Source: event.System}},
	})
	return err
}

func (s *Service) membershipInto(w *db.Write, ad Admission) {
	m, before := ad.Membership, ad.membershipBefore
	if ad.Joined() {
		s.organizations.LivesInto(w, org.ID(m.OrganizationID))
	}
	switch {
	case before == nil:
		if m.RoleBy != "" {
			s.access.RoleInto(w, m.OrganizationID, m.Role)
		}
		insertMembershipInto(w, m)
	case before.Version == m.Version:
		w.GuardSelect(guardMembership+s.db.ForShare(), m.OrganizationID, string(m.ID), m.Version)
	default:
		if m.Role != before.Role {
			s.access.RoleInto(w, m.OrganizationID, m.Role)
		}
		updateMembershipInto(w, m, before.Version)
	}
}

func (s *Service) identityInto(w *db.Write, ad Admission) {
	i := ad.Identity
	for _, former := range ad.replaces {
		w.Guard(deleteIdentity, former.OrganizationID, former.ConnectionID, former.IDPID, string(former.UserID))
	}
	if ad.identityBefore != nil {
		w.Guard(touchIdentity, i.OrganizationID, i.ConnectionID, i.IDPID, string(i.UserID), i.LastUsedAt.UnixMicro())
		return
	}
	w.Exec(insertIdentity, i.ConnectionID, i.IDPID, i.OrganizationID, string(i.UserID), string(i.LinkedBy), i.CreatedAt.UnixMicro())
}

func insertUserInto(w *db.Write, u User) {
	w.Exec(insertUser, append(append([]any{string(u.ID)}, userArgs(u)...), u.CreatedAt.UnixMicro())...)
}

// updateUserInto writes an account over the version that was read.
func updateUserInto(w *db.Write, u User, version int64) {
	w.Guard(updateUser, append([]any{string(u.ID), version}, userArgs(u)...)...)
}

// userArgs are the values of insertUser from the second on, and those that updateUser sets.
func userArgs(u User) []any {
	key, _ := EmailKey(u.Email)
	metadata := []byte("{}")
	if u.Metadata != nil {
		metadata = encode(u.Metadata)
	}
	return []any{
		u.Email, key, u.EmailVerified, db.TextOrNull(u.FirstName), db.TextOrNull(u.LastName), db.TextOrNull(u.PictureURL), db.TextOrNull(u.Locale),
		db.TextOrNull(u.ExternalID), metadata, db.TextOrNull(u.HomeOrganizationID), db.MicrosOrNull(u.DeprovisionedAt), db.TextOrNull(u.DeprovisionedBy),
		db.MicrosOrNull(u.LastSignInAt), u.Version, u.UpdatedAt.UnixMicro(),
	}
}
