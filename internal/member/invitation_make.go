package member

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

// invitationRounds is how often a write is computed again because somebody else's came between.
const invitationRounds = 20

// Invite asks somebody in: an invitation, the mail with its link, and the pending membership that it fills. The faults are those of the
// contract: Invalid "email_already_invited_to_organization", "email_already_invited", "user_already_organization_member",
// "user_already_exists", "expires_in_days_too_short", "expires_in_days_too_long", "invalid_role"; Unprocessable "invalid_licence" and "invalid_team";
// Conflict "licence_limit_reached" for a licence without a free seat that refuses more; and Conflict "directory_managed" for somebody whom the
// organization's directory has put out, as only a directory lets them in again, and for a team whose people a directory gives.
func (s *Service) Invite(ctx context.Context, actor event.Actor, n NewInvitation) (Invitation, error) {
	if err := s.checkInvitation(ctx, n); err != nil {
		return Invitation{}, err
	}
	return s.again(ctx, n.OrganizationID, func(w *db.Write) (Invitation, error) {
		if n.OrganizationID != "" {
			s.access.RoleInto(w, n.OrganizationID, cmp.Or(n.Role, RoleMember))
		}
		return s.inviteByHandInto(ctx, w, n, event.Context{Actor: actor})
	})
}

// again writes what is computed anew each time until it holds, and sends what it caused.
func (s *Service) again(ctx context.Context, lane string, compute func(w *db.Write) (Invitation, error)) (Invitation, error) {
	var lost error
	for range invitationRounds {
		w := db.Write{Lane: lane}
		i, err := compute(&w)
		if err != nil {
			return Invitation{}, err
		}
		if lost = s.db.Write(ctx, &w); lost == nil {
			s.Nudge()
			return i, nil
		}
		if !lostWrite(lost) {
			return Invitation{}, fmt.Errorf("write an invitation: %w", lost)
		}
	}
	return Invitation{}, fault.New(fault.Unavailable, "busy", "Too much happened to this invitation at once. Try again.").Because(lost)
}

// checkInvitation refuses what is wrong whoever is invited.
func (s *Service) checkInvitation(ctx context.Context, n NewInvitation) error {
	if _, ok := EmailKey(n.Email); !ok {
		return fault.New(fault.Unprocessable, "invalid_email", "%.80q is no email address.", n.Email).On("email").Compared("an address like person@example.com", shown(n.Email))
	}
	switch longest := int64(MaxInvitationLife / invitationDay); {
	case n.ExpiresInDays < 0:
		return fault.New(fault.Invalid, "expires_in_days_too_short", "An invitation is good for a day at least.").On("expires_in_days").Compared("1 or more", fmt.Sprint(n.ExpiresInDays))
	case n.ExpiresInDays > longest:
		return fault.New(fault.Invalid, "expires_in_days_too_long", "An invitation is good for %d days at most.", longest).On("expires_in_days").
			Compared(fmt.Sprintf("%d or less", longest), fmt.Sprint(n.ExpiresInDays))
	}
	if n.InviterUserID != "" {
		if _, err := s.User(ctx, n.InviterUserID); err != nil {
			return err
		}
	}
	return s.checkCarried(ctx, n)
}

// checkCarried refuses a role, a team or a licence that the organization does not have.
func (s *Service) checkCarried(ctx context.Context, n NewInvitation) error {
	if n.OrganizationID == "" {
		if n.Role != "" || len(n.Teams) > 0 || n.Licence != "" {
			return fault.New(fault.Unprocessable, "organization_required", "Role, teams and licence are those of a member: name the organization too.").On("organization_id")
		}
		return nil
	}
	if _, err := s.organizations.Get(ctx, org.ID(n.OrganizationID)); err != nil {
		return err
	}
	if n.Role != "" {
		roles, err := access.RolesIn(ctx, s.db, n.OrganizationID)
		if err != nil {
			return err
		}
		if _, there := access.Find(roles, n.Role); !there {
			return fault.New(fault.Invalid, "invalid_role", "There is no role %.80q here.", n.Role).On("role_slug")
		}
	}
	if n.Licence != "" {
		if _, there, err := access.UseIn(ctx, s.db, n.OrganizationID, n.Licence); err != nil || !there {
			if err == nil {
				err = fault.New(fault.Unprocessable, "invalid_licence", "There is no licence type %.80q here.", n.Licence).On("licence")
			}
			return err
		}
	}
	return s.checkTeams(ctx, n)
}

// checkTeams refuses a team that the organization does not have, or whose people nobody changes by hand.
func (s *Service) checkTeams(ctx context.Context, n NewInvitation) error {
	for _, id := range n.Teams {
		err := s.access.Handled(ctx, n.OrganizationID, access.TeamID(id))
		if fault.Is(err, fault.NotFound) {
			return fault.New(fault.Unprocessable, "invalid_team", "There is no team %.80q here.", id).On("team_ids")
		}
		if f, managed := fault.As(err); managed {
			return f.On("team_ids")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// inviteByHandInto is inviteInto with the pending membership that a directory would have made before.
func (s *Service) inviteByHandInto(ctx context.Context, w *db.Write, n NewInvitation, cause event.Context) (Invitation, error) {
	key, _ := EmailKey(n.Email)
	before, err := s.pendingInvitation(ctx, s.db, n.OrganizationID, key)
	if err == nil && before != nil && before.State == InvitationPending {
		err = alreadyInvited(n)
	}
	if err != nil {
		return Invitation{}, err
	}
	known, err := s.accountOf(ctx, n.Email)
	if err != nil {
		return Invitation{}, err
	}
	id := InvitationID(s.ids.NewID(InvitationPrefix))
	if n.OrganizationID == "" {
		if known != nil {
			return Invitation{}, fault.New(fault.Invalid, "user_already_exists", "Somebody with this address has an account already.").On("email")
		}
		return s.inviteAsInto(ctx, w, id, n, cause)
	}
	p, err := s.pendingInto(ctx, w, id, n, known, cause)
	if err != nil {
		return Invitation{}, err
	}
	n.MembershipID = p.m.ID
	i, err := s.inviteAsInto(ctx, w, id, n, cause)
	if err == nil && p.m.State != Pending { // whose account another organization has taken away is mailed when it gives the account back
		s.keepMailInto(w, string(i.ID))
	}
	return i, err
}

// teamsInto puts the pending member into the teams that the invitation names: they are shown as pending there. takes are those whose doing goes.
func (s *Service) teamsInto(ctx context.Context, w *db.Write, n NewInvitation, takes []access.PutBy, cause event.Context) error {
	if len(n.Teams) == 0 && len(takes) == 0 {
		return nil
	}
	teams := make([]access.TeamID, len(n.Teams))
	for i, id := range n.Teams {
		teams[i] = access.TeamID(id)
	}
	return s.access.TeamsInto(ctx, s.db, w, access.TeamsOf{
		OrganizationID: n.OrganizationID, MembershipID: string(n.MembershipID), Teams: teams, By: access.ByInvitation, Takes: takes,
	}, cause)
}

func alreadyInvited(n NewInvitation) error {
	if n.OrganizationID == "" {
		return fault.New(fault.Invalid, "email_already_invited", "This address has an invitation that is still open. Resend or revoke it.").On("email")
	}
	return fault.New(fault.Invalid, "email_already_invited_to_organization", "This address has an invitation to the organization that is still open. Resend or revoke it.").On("email")
}

// accountOf is whose the address is; nil for nobody.
func (s *Service) accountOf(ctx context.Context, email string) (*User, error) {
	u, err := s.UserByEmail(ctx, email)
	if fault.Is(err, fault.NotFound) {
		return nil, nil //nolint:nilnil // nobody is an answer
	}
	if err != nil {
		return nil, err
	}
	return &u, nil
}

// pendingInto adds the membership that the invitation fills, and the account of an address that nobody has.
func (s *Service) pendingInto(ctx context.Context, w *db.Write, id InvitationID, n NewInvitation, known *User, cause event.Context) (*place, error) {
	now := s.time()
	a := &account{user: User{ID: UserID(s.ids.NewID(userPrefix)), Email: n.Email, Locale: n.Locale, Version: 1, CreatedAt: now, UpdatedAt: now}}
	if known != nil {
		var err error
		if a, err = s.account(ctx, s.db, known.ID); err != nil {
			return nil, err
		}
	}
	p := a.at(n.OrganizationID)
	if p == nil {
		p = &place{m: Membership{
			ID: MembershipID(s.ids.NewID(membershipPrefix)), OrganizationID: n.OrganizationID, UserID: a.user.ID, Role: RoleMember, Version: 1, CreatedAt: now, UpdatedAt: now,
		}}
		a.places = append(a.places, p)
	}
	said, err := s.unlinked(ctx, s.db, n.OrganizationID, a.user.Email)
	if err != nil {
		return nil, err
	}
	waited := p.was != nil && p.m.JoinedBy == ""
	if err := p.invitable(a.user, said); err != nil {
		return nil, err
	}
	var takes []access.PutBy
	if waited { // for another invitation, by which they never came in
		p.forget()
		takes = byPeople()
	}
	p.m.InvitationID, p.m.GivenRole, p.m.GivenLicence = string(id), n.Role, n.Licence
	if n.Role != "" {
		p.m.RoleBy = ByInvitation
	}
	if _, err = s.accountInto(ctx, s.db, w, a, cause); err == nil {
		err = s.seatFor(ctx, p, n.Licence)
	}
	if n.MembershipID = p.m.ID; err == nil {
		err = s.teamsInto(ctx, w, n, takes, cause)
	}
	return p, err
}

// seatFor refuses to invite somebody to a licence that lets nobody in without a seat, where none is left.
func (s *Service) seatFor(ctx context.Context, p *place, licence string) error {
	if licence == "" || p.m.Licence == licence {
		return nil
	}
	use, there, err := access.UseIn(ctx, s.db, p.m.OrganizationID, licence)
	if err != nil || !there || use.Free() && p.m.WantedLicence != licence || use.Type.OverLimit != access.Refuse {
		return err
	}
	return noSeat(use)
}

// invitable refuses a member who need not, or may not, be asked in, and has another come in anew. said is what directories say of the address
// that is nobody's yet.
func (p *place) invitable(u User, said []*claim) error {
	switch c := p.decides(u).with(said); {
	case c.Barred(), p.m.State != Active && c.living().Barred():
		who := place{claims: append(p.claims[:len(p.claims):len(p.claims)], said...)}
		return fault.New(fault.Conflict, "directory_managed", "The directory %s has put this person out, and only a directory lets them in again. Activate them in the identity provider.", who.bars()).
			Compared("a person whom no directory has put out", string(p.m.Why)).On("email")
	case p.m.State == Active:
		return fault.New(fault.Invalid, "user_already_organization_member", "Somebody with this address is a member of the organization already.").On("email")
	case !p.m.BlockedAt.IsZero() && p.m.State != Removed:
		return fault.New(fault.Conflict, "membership_inactive", "This member was deactivated. Reactivate the membership instead of inviting the person.").
			Compared("no member, or a removed one", string(p.m.State)).On("email")
	}
	p.forgetFrozen() // or the last word of a directory that is gone would let the person in before they accept
	p.m.RemovedAt, p.m.JoinedAt, p.m.JoinedBy = time.Time{}, time.Time{}, ""
	p.m.BlockedAt, p.m.BlockedBy = time.Time{}, "" // of whom a hand had blocked and then removed: now one asks them in
	return nil
}

// inviteInto adds an invitation to a write that has made its membership, with the mail and the event. Where one is pending already and a
// directory wants the person too, that one becomes the directory's and nothing is mailed. The write is guarded; a lost guard is computed
// again by the caller, who nudges events and mails after the commit.
func (s *Service) inviteInto(ctx context.Context, w *db.Write, n NewInvitation, cause event.Context) (Invitation, error) {
	return s.inviteAsInto(ctx, w, InvitationID(s.ids.NewID(InvitationPrefix)), n, cause)
}

func (s *Service) inviteAsInto(ctx context.Context, w *db.Write, id InvitationID, n NewInvitation, cause event.Context) (Invitation, error) {
	key, ok := EmailKey(n.Email)
	if !ok {
		return Invitation{}, fault.New(fault.Unprocessable, "invalid_email", "%.80q is no email address.", n.Email).On("email")
	}
	before, err := s.pendingInvitation(ctx, s.db, n.OrganizationID, key)
	switch {
	case err != nil:
		return Invitation{}, err
	case before != nil && before.State == InvitationExpired:
		w.Guard(expireInvitation, string(before.ID), before.Version)
	case before != nil && n.DirectoryID != "":
		return s.adoptInto(w, *before, n), nil
	case before != nil:
		return Invitation{}, alreadyInvited(n)
	}
	now := s.time()
	i := Invitation{
		ID: id, OrganizationID: n.OrganizationID, Email: n.Email, State: InvitationPending, Token: token.NewSecret(InvitationPrefix), Role: n.Role, Teams: n.Teams,
		Licence: n.Licence, InviterUserID: n.InviterUserID, MembershipID: n.MembershipID, DirectoryID: n.DirectoryID, DirectoryUserID: n.DirectoryUserID,
		Locale: n.Locale, Sent: 1, ExpiresAt: now.Add(n.life()), Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	i.hash = token.HashOf(i.Token)
	if i.Teams == nil {
		i.Teams = []string{}
	}
	w.Exec(insertInvitation, string(i.ID), i.OrganizationID, i.Email, key, string(i.hash), s.sealed(i), db.TextOrNull(i.Role), encode(i.Teams), db.TextOrNull(i.Licence),
		db.TextOrNull(string(i.InviterUserID)), db.TextOrNull(string(i.MembershipID)), db.TextOrNull(i.DirectoryID), db.TextOrNull(i.DirectoryUserID),
		db.TextOrNull(i.Locale), i.ExpiresAt.UnixMicro(), now.UnixMicro())
	s.events.Append(w, now, invitationEntry(event.InvitationCreated, i, cause))
	return i, s.mailInto(ctx, w, i)
}

// adoptInto makes a pending invitation the directory's.
func (s *Service) adoptInto(w *db.Write, i Invitation, n NewInvitation) Invitation {
	if i.DirectoryID == n.DirectoryID && i.DirectoryUserID == n.DirectoryUserID && i.MembershipID == n.MembershipID {
		return i
	}
	w.Guard(adoptInvitation, string(i.ID), i.Version, n.DirectoryID, db.TextOrNull(n.DirectoryUserID), db.TextOrNull(string(n.MembershipID)))
	i.DirectoryID, i.DirectoryUserID, i.MembershipID, i.Version = n.DirectoryID, n.DirectoryUserID, n.MembershipID, i.Version+1
	return i
}

func (n NewInvitation) life() time.Duration {
	if n.ExpiresInDays == 0 {
		return InvitationLife
	}
	return time.Duration(n.ExpiresInDays) * invitationDay
}

func (s *Service) sealed(i Invitation) string {
	return s.inviting.Sealer.Seal(invitationPlace(i.ID), []byte(i.Token.Reveal()))
}

func invitationEntry(t event.Type, i Invitation, cause event.Context) event.Entry {
	return event.Entry{OrganizationID: i.OrganizationID, Type: t, Context: cause.JSON(), Data: i.Payload()}
}

// mailInto adds the mail with the link. Without an outbox the link is given away by hand.
func (s *Service) mailInto(ctx context.Context, w *db.Write, i Invitation) error {
	if s.inviting.Mails == nil {
		return nil
	}
	c := mail.Invitation{Link: s.AcceptURL(i), ExpiresAt: i.ExpiresAt}
	var err error
	if c.Organization, c.Inviter, err = s.InvitedBy(ctx, i); err != nil {
		return err
	}
	return s.inviting.Mails.Put(w, mail.Message{OrganizationID: i.OrganizationID, To: i.Email, Content: c, About: string(i.ID)})
}

// InvitedBy names, for people, the organization and who invites; "" where there is none or they are no more.
func (s *Service) InvitedBy(ctx context.Context, i Invitation) (organization, inviter string, err error) {
	if i.OrganizationID != "" {
		o, err := s.organizations.Get(ctx, org.ID(i.OrganizationID))
		if err != nil {
			return "", "", err
		}
		organization = o.Name
	}
	if i.InviterUserID == "" {
		return organization, "", nil
	}
	u, err := s.User(ctx, i.InviterUserID)
	if fault.Is(err, fault.NotFound) {
		return organization, "", nil
	}
	if err != nil {
		return "", "", err
	}
	if inviter = u.Name(); inviter == "" {
		inviter = u.Email
	}
	return organization, inviter, nil
}

// unsentInto has what was not sent yet of an invitation not be sent any more: it has come to its end, or another mail takes its place.
func (s *Service) unsentInto(w *db.Write, id InvitationID) {
	if s.inviting.Mails != nil {
		s.inviting.Mails.Withdraw(w, string(id))
	}
}

// Nudge has what a write brought about go out at once. It comes after the commit.
func (s *Service) Nudge() {
	s.events.Nudge()
	if s.inviting.Mails != nil {
		s.inviting.Mails.Nudge()
	}
}

// MailsInvitations tells whether there is a way to mail: without one, links are given away by hand.
func (s *Service) MailsInvitations() bool { return s.inviting.Mails != nil && s.inviting.Mails.Sends() }
