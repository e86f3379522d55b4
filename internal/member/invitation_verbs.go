package member

import (
	"context"
	"slices"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

// change reads an invitation and writes what is made of it, again where somebody was faster.
func (s *Service) change(ctx context.Context, id InvitationID, compute func(w *db.Write, i Invitation) (Invitation, error)) (Invitation, error) {
	first, err := s.Invitation(ctx, id)
	if err != nil {
		return Invitation{}, err
	}
	_, err = s.again(ctx, first.OrganizationID, func(w *db.Write) (Invitation, error) {
		i, err := s.Invitation(ctx, id)
		if err != nil {
			return Invitation{}, err
		}
		return compute(w, i)
	})
	if err != nil {
		return Invitation{}, err
	}
	return s.Invitation(ctx, id)
}

func notPending(i Invitation) error {
	return fault.New(fault.Invalid, "invite_not_pending", "The invitation is not pending: it was accepted or revoked, or has expired.").
		Compared(string(InvitationPending), string(i.State))
}

// AcceptInvitation makes the invited account a member on an administrator's word that it is the person's. Invalid "invite_not_pending"; Invalid "invalid_invite"
// for one to the app alone whose address has no account; Conflict "directory_managed"; Forbidden "user_deprovisioned", "membership_inactive", and
// "licence_limit_reached" where the licence that they are to have lets nobody in without a seat.
func (s *Service) AcceptInvitation(ctx context.Context, actor event.Actor, id InvitationID) (Invitation, error) {
	return s.change(ctx, id, func(w *db.Write, i Invitation) (Invitation, error) {
		if i.State != InvitationPending {
			return Invitation{}, notPending(i)
		}
		u, err := s.UserByEmail(ctx, i.Email)
		if fault.Is(err, fault.NotFound) {
			err = fault.New(fault.Invalid, "invalid_invite", "Nobody has an account with the address of the invitation. The person accepts it by its link.")
		}
		if err != nil {
			return Invitation{}, err
		}
		return s.acceptAsInto(ctx, w, i, u, event.Context{Actor: actor})
	})
}

// AcceptInvitationAs makes the account that has just been signed in to a member. The caller has seen the invitation's link in the same browser,
// and the account either has the invited address, proven, or came in through the organization's own connection (vouched); else it is
// Forbidden "invitation_cannot_be_used_for_email". What the same account has accepted before is given as it is.
func (s *Service) AcceptInvitationAs(ctx context.Context, id InvitationID, user UserID, vouched bool) (Invitation, error) {
	cause := event.Context{Actor: event.Actor{ID: string(user), Source: event.System}}
	accepted, err := s.Invitation(ctx, id)
	if err != nil || accepted.State == InvitationAccepted && accepted.AcceptedUserID == user {
		return accepted, err
	}
	return s.change(ctx, id, func(w *db.Write, i Invitation) (Invitation, error) {
		u, err := s.User(ctx, user)
		if err != nil {
			return Invitation{}, err
		}
		own, _ := EmailKey(u.Email)
		invited, _ := EmailKey(i.Email)
		switch {
		case i.State != InvitationPending || i.LinkExpired(s.time()):
			return Invitation{}, notPending(i)
		case !vouched && (own != invited || !u.EmailVerified):
			return Invitation{}, fault.New(fault.Forbidden, "invitation_cannot_be_used_for_email", "The invitation is for another address than the one that was proven.")
		}
		return s.acceptAsInto(ctx, w, i, u, cause)
	})
}

// acceptAsInto adds the acceptance to a write: the membership active, the account at home where the domain says so, the invitation used.
func (s *Service) acceptAsInto(ctx context.Context, w *db.Write, i Invitation, u User, cause event.Context) (Invitation, error) {
	a, err := s.account(ctx, s.db, u.ID)
	if err != nil {
		return Invitation{}, err
	}
	if a.deprovisionedFor(i.OrganizationID) {
		return Invitation{}, fault.New(fault.Forbidden, CodeDeprovisioned, "This account may not be used.")
	}
	if i.OrganizationID == "" {
		w.GuardSelect(guardUser+s.db.ForShare(), string(u.ID), a.user.Version)
		return s.usedInto(w, i, u.ID, "", cause), nil
	}
	p := a.at(i.OrganizationID)
	if p == nil || p.m.State == Removed {
		return Invitation{}, fault.New(fault.Forbidden, CodeNotAMember, "The membership that the invitation was for is no more.")
	}
	if err := s.atHome(ctx, a, i.OrganizationID); err != nil {
		return Invitation{}, err
	}
	if p.m.State == Active {
		return s.grantInto(ctx, w, i, a, p, cause)
	}
	said, err := s.unlinked(ctx, s.db, i.OrganizationID, a.user.Email)
	if err != nil {
		return Invitation{}, err
	}
	s.hearInto(w, p, a.user.Email, said)
	p.join(ViaInvitation, s.time())
	if _, err := s.accountInto(ctx, s.db, w, a, cause); err != nil { // which marks the invitation of who comes in
		return Invitation{}, err
	}
	if err := p.cameIn(a.user); err != nil {
		return Invitation{}, err
	}
	return i, s.seated(ctx, p)
}

// cameIn refuses where something else shuts the person out.
func (p *place) cameIn(u User) error {
	switch {
	case p.m.State == Active:
		return nil
	case p.decides(u).Barred():
		return fault.New(fault.Conflict, "directory_managed", "The directory %s has put this person out. Activate them in the identity provider.", p.bars()).
			Compared("a person whom no directory has put out", string(p.m.Why))
	case p.m.Why == WhyAccountDeprovisioned:
		return fault.New(fault.Forbidden, CodeMembershipInactive, "The organization that the account belongs to has taken it away.").
			Compared(string(Active), string(p.m.Why))
	}
	return fault.New(fault.Forbidden, CodeMembershipInactive, "This member was deactivated. An administrator of the app can reactivate them.").
		Compared(string(Active), string(p.m.Why))
}

// grantInto gives a member who is in already, having come in through the organization's connection, what the invitation carries. Where that
// was for another address, the membership that waited for it goes.
func (s *Service) grantInto(ctx context.Context, w *db.Write, i Invitation, a *account, p *place, cause event.Context) (Invitation, error) {
	if i.MembershipID != p.m.ID {
		if _, err := s.dropInto(ctx, w, i, func(p *place, _ User) error {
			p.m.RemovedAt = s.time()
			return nil
		}, cause); err != nil {
			return Invitation{}, err
		}
	}
	if i.Role != "" {
		p.m.GivenRole, p.m.RoleBy = i.Role, ByInvitation
	}
	if i.Licence != "" {
		p.m.GivenLicence = i.Licence
	}
	p.m.InvitationID = string(i.ID)
	if _, err := s.accountInto(ctx, s.db, w, a, cause); err != nil {
		return Invitation{}, err
	}
	if err := s.teamsInto(ctx, w, NewInvitation{OrganizationID: i.OrganizationID, MembershipID: p.m.ID, Teams: i.Teams}, nil, cause); err != nil {
		return Invitation{}, err
	}
	return s.usedInto(w, i, a.user.ID, p.m.ID, cause), nil
}

// atHome makes the account the organization's where it is nobody's and the organization has verified the domain of its address.
func (s *Service) atHome(ctx context.Context, a *account, organizationID string) error {
	if a.user.HomeOrganizationID != "" {
		return nil
	}
	owner, err := org.OfDomain(ctx, s.db, EmailDomain(a.user.Email))
	if err == nil && string(owner) == organizationID {
		a.user.HomeOrganizationID = organizationID
	}
	return err
}

// usedInto marks the invitation as accepted.
func (s *Service) usedInto(w *db.Write, i Invitation, u UserID, m MembershipID, cause event.Context) Invitation {
	now := s.time()
	w.Guard(acceptInvitation, string(i.ID), i.Version, string(u), db.TextOrNull(string(m)), now.UnixMicro())
	i.State, i.AcceptedUserID, i.MembershipID, i.AcceptedAt, i.UpdatedAt, i.Token = InvitationAccepted, u, m, now, now, ""
	i.Version++
	s.unsentInto(w, i.ID)
	s.events.Append(w, now, invitationEntry(event.InvitationAccepted, i, cause))
	return i
}

// acceptInto marks the pending invitation of a membership that becomes active as accepted, if there is one: the first sign-in through the
// organization's connection needs no link. It is for a write that guards the membership.
func (s *Service) acceptInto(ctx context.Context, r db.Reader, w *db.Write, m Membership, u User, cause event.Context) error {
	found, err := s.openOf(ctx, r, m, u)
	for _, i := range found {
		s.usedInto(w, i, u.ID, m.ID, cause)
	}
	return err
}

// revokeInto takes back the pending invitation of a membership that nobody may fill any more, if there is one.
func (s *Service) revokeInto(ctx context.Context, r db.Reader, w *db.Write, m Membership, u User, cause event.Context) error {
	found, err := s.openOf(ctx, r, m, u)
	for _, i := range found {
		s.takeBackInto(w, i, cause)
	}
	return err
}

func (s *Service) openOf(ctx context.Context, r db.Reader, m Membership, u User) ([]Invitation, error) {
	key, _ := EmailKey(u.Email)
	return s.readInvitations(ctx, r, invitationOfMembership, m.OrganizationID, string(m.ID), key)
}

func (s *Service) takeBackInto(w *db.Write, i Invitation, cause event.Context) Invitation {
	now := s.time()
	w.Guard(revokeInvitation, string(i.ID), i.Version, now.UnixMicro())
	i.State, i.RevokedAt, i.UpdatedAt, i.Token = InvitationRevoked, now, now, ""
	i.Version++
	s.unsentInto(w, i.ID)
	s.events.Append(w, now, invitationEntry(event.InvitationRevoked, i, cause))
	return i
}

// RevokeInvitation takes a pending or expired invitation back, and with it the membership that nobody has come in by. Invalid "invite_not_pending";
// a person whom a directory wants in is a Conflict "directory_managed", as by Remove.
func (s *Service) RevokeInvitation(ctx context.Context, actor event.Actor, id InvitationID) (Invitation, error) {
	cause := event.Context{Actor: actor}
	return s.change(ctx, id, func(w *db.Write, i Invitation) (Invitation, error) {
		if i.State != InvitationPending && i.State != InvitationExpired || i.Token == "" {
			return Invitation{}, notPending(i)
		}
		took, err := s.dropInto(ctx, w, i, func(p *place, u User) error { return p.remove(u, s.time()) }, cause)
		if err != nil || took {
			return i, err
		}
		return s.takeBackInto(w, i, cause), nil
	})
}

// dropInto takes the membership out that nobody has come in by. took says that its invitation goes with it.
func (s *Service) dropInto(ctx context.Context, w *db.Write, i Invitation, drop func(p *place, u User) error, cause event.Context) (took bool, err error) {
	a, p, err := s.membershipOf(ctx, i)
	if err != nil || p == nil || p.m.JoinedBy != "" || p.m.State == Removed || p.m.InvitationID != string(i.ID) { // it waits for another one
		return false, err
	}
	if err := drop(p, a.user); err != nil {
		return false, err
	}
	open, err := s.openOf(ctx, s.db, p.m, a.user)
	if err != nil {
		return false, err
	}
	_, err = s.accountInto(ctx, s.db, w, a, cause)
	return p.disinvited() && slices.ContainsFunc(open, func(one Invitation) bool { return one.ID == i.ID }), err
}

// membershipOf is the membership that an invitation is for, with its account; nil where there is none.
func (s *Service) membershipOf(ctx context.Context, i Invitation) (*account, *place, error) {
	if i.MembershipID == "" {
		return nil, nil, nil
	}
	found, err := s.accountsOf(ctx, s.db, i.OrganizationID, []string{string(i.MembershipID)})
	a := found[i.MembershipID]
	if err != nil || a == nil {
		return nil, nil, err
	}
	return a, a.at(i.OrganizationID), nil
}

// Waits refuses where nobody comes in by a pending invitation at present, for something shuts the person out: Conflict "directory_managed", and
// Forbidden "membership_inactive".
func (s *Service) Waits(ctx context.Context, i Invitation) error {
	_, err := s.waits(ctx, i)
	return err
}

// waits gives the membership too; nil for an invitation to the app alone.
func (s *Service) waits(ctx context.Context, i Invitation) (*place, error) {
	a, p, err := s.membershipOf(ctx, i)
	if err != nil || p == nil || p.m.State == Pending {
		return p, err
	}
	return p, p.cameIn(a.user)
}

// ResendInvitation mails an invitation again, a minute after the last mail at the earliest and MaxInvitationMails times at most (Limited). The link stays
// the same while it is good; that of a directory's invitation is made anew when it has expired. Invalid "invite_accepted", "invite_revoked"
// and "invite_expired"; somebody who is shut out meanwhile is refused as by Waits. locale "" keeps the invitation's.
func (s *Service) ResendInvitation(ctx context.Context, actor event.Actor, id InvitationID, locale string) (Invitation, error) {
	return s.change(ctx, id, func(w *db.Write, i Invitation) (Invitation, error) {
		switch i.State {
		case InvitationAccepted:
			return Invitation{}, fault.New(fault.Invalid, "invite_accepted", "The invitation has been accepted already.")
		case InvitationRevoked:
			return Invitation{}, fault.New(fault.Invalid, "invite_revoked", "The invitation has been revoked. Invite the person again.")
		case InvitationExpired:
			return Invitation{}, fault.New(fault.Invalid, "invite_expired", "The invitation has expired. Invite the person again.")
		case InvitationPending:
		}
		if locale != "" {
			i.Locale = locale
		}
		return s.resendInto(ctx, w, i, InvitationMailPause, event.Context{Actor: actor})
	})
}

// RenewLink mails a fresh link to the address of a directory's invitation whose link has expired, an hour after the last mail at the earliest. Whoever
// opened the old link may ask for it: it goes to the invited address alone. Invalid "invite_not_pending" where nothing is to be renewed.
func (s *Service) RenewLink(ctx context.Context, t token.Secret) (Invitation, error) {
	found, err := s.InvitationByToken(ctx, t)
	if err != nil {
		return Invitation{}, err
	}
	cause := event.Context{Actor: event.Actor{ID: string(found.ID), Source: event.System}}
	return s.change(ctx, found.ID, func(w *db.Write, i Invitation) (Invitation, error) {
		if i.State != InvitationPending || !i.FromDirectory() || !i.LinkExpired(s.time()) || !i.hash.Matches(t) {
			return Invitation{}, notPending(i)
		}
		return s.resendInto(ctx, w, i, RenewalPause, cause)
	})
}

func (s *Service) resendInto(ctx context.Context, w *db.Write, i Invitation, pause time.Duration, cause event.Context) (Invitation, error) {
	p, err := s.waits(ctx, i)
	if err != nil {
		return Invitation{}, err
	}
	if p != nil { // or who is shut out at this moment would be mailed
		w.GuardSelect(guardMembership+s.db.ForShare(), p.m.OrganizationID, string(p.m.ID), p.m.Version)
	}
	now := s.time()
	if wait := i.UpdatedAt.Add(pause).Sub(now); wait > 0 || i.Sent >= MaxInvitationMails {
		refused := fault.New(fault.Limited, "too_many_mails", "The invitation was mailed a moment ago. Wait a little before you send it again.")
		if refused.RetryAfter = wait; i.Sent >= MaxInvitationMails {
			refused.Message = "The invitation was mailed as often as one may be. Revoke it and invite the person again."
			refused.RetryAfter = invitationDay
		}
		return Invitation{}, refused
	}
	i.renew(now)
	w.Guard(sendInvitation, string(i.ID), i.Version, string(i.hash), s.sealed(i), i.ExpiresAt.UnixMicro(), db.TextOrNull(i.Locale), now.UnixMicro())
	i.Sent, i.UpdatedAt = i.Sent+1, now
	i.Version++
	s.unsentInto(w, i.ID)
	s.events.Append(w, now, invitationEntry(event.InvitationResent, i, cause))
	return i, s.mailInto(ctx, w, i)
}

// renew makes a link anew that has expired.
func (i *Invitation) renew(now time.Time) {
	if i.LinkExpired(now) {
		i.Token, i.ExpiresAt = token.NewSecret(InvitationPrefix), now.Add(InvitationLife)
		i.hash = token.HashOf(i.Token)
	}
}

// keepMailInto has what was not sent yet of an invitation wait until the person is asked in again, whom something shuts out.
func (s *Service) keepMailInto(w *db.Write, id string) {
	w.Exec(keepInvitation, id, s.time().UnixMicro())
	s.unsentInto(w, InvitationID(id))
}

// keptMailInto mails what keepMailInto has kept. Nothing else is mailed to who is asked in again. It is for a write that guards the membership.
func (s *Service) keptMailInto(ctx context.Context, r db.Reader, w *db.Write, id string) error {
	found, err := s.readInvitations(ctx, r, invitationKept, id)
	if err != nil || len(found) == 0 || found[0].State != InvitationPending {
		return err
	}
	i, now := found[0], s.time()
	i.renew(now)
	w.Guard(mailKept, id, string(i.hash), s.sealed(i), i.ExpiresAt.UnixMicro(), now.UnixMicro())
	return s.mailInto(ctx, w, i)
}
