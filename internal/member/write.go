package member

import (
	"context"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/session"
)

// AdmitInto adds the admission to a write, guarded: the write fails with a guard lost or a unique violation when anything that Facts
// read has changed since; the caller then reads and decides again. It comes before the session that the sign-in starts, for it may end
// others, and after the commit the caller calls event.Log.Nudge.
func (s *Service) AdmitInto(ctx context.Context, w *db.Write, ad Admission, cause event.Context) error {
	if ad.returns() || ad.anew() || len(ad.unlinked) > 0 {
		return s.comeInInto(ctx, w, ad, cause)
	}
	if err := s.userInto(ctx, w, ad); err != nil {
		return err
	}
	s.membershipInto(w, ad)
	s.identityInto(w, ad)
	if entries := ad.entries(cause.JSON()); len(entries) > 0 {
		s.events.Append(w, ad.Identity.LastUsedAt, entries...)
	}
	return nil
}

// comeInInto lets somebody in who was pending, out or gone, or is given something else than at the last sign-in, with all that follows: what
// the directory says now is taken over, the account is given back, the invitation accepted, what it carried and what is mapped given.
func (s *Service) comeInInto(ctx context.Context, w *db.Write, ad Admission, cause event.Context) error {
	a, p, err := s.comer(ctx, ad)
	if err != nil {
		return err
	}
	if ad.proves {
		a.provenAt = ad.Membership.OrganizationID
	}
	p.m.DirectoryUserID, p.m.asserted = ad.Membership.DirectoryUserID, ad.Membership.asserted
	if p.m.State != Active || p.was == nil {
		s.hearInto(w, p, a.user.Email, ad.unlinked)
		p.join(ad.via, s.time())
		if err := s.wantedNow(ctx, p, ad.standing); err != nil {
			return err
		}
	}
	if _, err := s.accountInto(ctx, s.db, w, a, cause); err != nil {
		return err
	}
	if p.m.State != Active {
		return &db.GuardError{}
	}
	s.identityInto(w, ad)
	return s.seated(ctx, p)
}

// comer is who comes in, read anew: where it is not what the admission was decided by, that is decided again.
func (s *Service) comer(ctx context.Context, ad Admission) (*account, *place, error) {
	a := &account{}
	if ad.userBefore != nil {
		var err error
		if a, err = s.account(ctx, s.db, ad.User.ID); err != nil {
			return nil, nil, err
		}
		if a.user.Version != ad.userBefore.Version {
			return nil, nil, &db.GuardError{}
		}
	}
	deprovisioned := a.user
	a.user = ad.User
	a.user.DeprovisionedAt, a.user.DeprovisionedBy = deprovisioned.DeprovisionedAt, deprovisioned.DeprovisionedBy
	p := a.at(ad.Membership.OrganizationID)
	switch before := ad.membershipBefore; {
	case (p == nil) != (before == nil), p != nil && p.m.Version != before.Version:
		return nil, nil, &db.GuardError{}
	case p == nil:
		p = &place{m: ad.Membership}
		a.places = append(a.places, p)
	}
	return a, p, nil
}

// seated refuses somebody who comes in for the first time, and for whom no seat is left, where the licence type has it so.
func (s *Service) seated(ctx context.Context, p *place) error {
	if p.m.WantedLicence == "" || !p.enters() && p.was.State != Pending {
		return nil
	}
	use, found, err := access.UseIn(ctx, s.db, p.m.OrganizationID, p.m.WantedLicence)
	if err != nil || !found || use.Type.OverLimit != access.Refuse {
		return err
	}
	return refuse(CodeLicenceLimit, "All seats of the licence %q are taken, and it lets nobody in without one.", use.Type.Slug).
		Compared("a licence with a free seat", use.Type.Slug)
}

// anew tells whether the connection's mapping gives something else than at the last sign-in.
func (a Admission) anew() bool {
	was := ""
	if a.membershipBefore != nil {
		was = a.membershipBefore.asserted
	}
	return a.Membership.asserted != was
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
		s.unheardInto(w, m.OrganizationID, ad.User.Email, nil)
	}
	switch {
	case before == nil:
		insertMembershipInto(w, m)
	case before.Version == m.Version:
		w.GuardSelect(guardMembership+s.db.ForShare(), m.OrganizationID, string(m.ID), m.Version)
	default:
		updateMembershipInto(w.Guard, m, before.Version)
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
