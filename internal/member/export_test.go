package member

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Pure is an account that is changed by the same steps as by the verbs, without a database.
type Pure struct {
	a *account
	s *Service

	nobodies []*claim // what directories have said of nobody
}

// unlinked are those of an organization.
func (p *Pure) unlinked(organizationID string) (out []*claim) {
	for _, c := range p.nobodies {
		if c.organizationID == organizationID {
			out = append(out, c)
		}
	}
	return out
}

// hear is hearInto and its commit.
func (p *Pure) hear(one *place) {
	one.hearAll(p.unlinked(one.m.OrganizationID))
	p.forget(func(c *claim) bool { return c.membershipID != "" })
}

func (p *Pure) forget(which func(*claim) bool) { p.nobodies = slices.DeleteFunc(p.nobodies, which) }

// NewPure makes one: with an account that has signed in before, or with none.
func NewPure(now time.Time, email string) *Pure {
	p := &Pure{s: &Service{ids: token.NewSource(time.Now), now: func() time.Time { return now }}}
	if email != "" {
		p.a = &account{user: User{ID: "user_1", Email: email, EmailVerified: true, Version: 1}}
		p.keep(now)
	}
	return p
}

// keep is the commit.
func (p *Pure) keep(now time.Time) {
	p.a.settle(now)
	p.a.number(now)
	was := p.a.user
	p.a.was, p.a.provenAt = &was, ""
	p.a.places = slices.DeleteFunc(p.a.places, (*place).hollow)
	for _, one := range p.a.places {
		m := one.m
		one.was, one.dropped = &m, nil
		for _, c := range one.claims {
			same := *c
			c.was = &same
		}
	}
}

func (p *Pure) try(now time.Time, organizationID string, change func(*place) error) error {
	one := p.at(organizationID)
	if one == nil || one.m.State == Removed {
		return NotFound("Organization membership", organizationID)
	}
	err := change(one)
	if err == nil {
		p.keep(now)
	}
	return err
}

func (p *Pure) at(organizationID string) *place {
	if p.a == nil {
		return nil
	}
	return p.a.at(organizationID)
}

func (p *Pure) Apply(now time.Time, d DirectoryPerson) error {
	f := &application{p: d, now: now, account: p.a, claim: &claim{organizationID: d.OrganizationID, directoryID: d.DirectoryID, directoryUserID: d.DirectoryUserID}}
	if f.place = p.at(d.OrganizationID); f.place != nil {
		for _, c := range f.place.claims {
			if c.directoryID == d.DirectoryID && c.directoryUserID == d.DirectoryUserID {
				f.claim = c
			}
		}
	}
	f.say()
	p.forget(func(c *claim) bool { return c.organizationID == d.OrganizationID && c.directoryID == d.DirectoryID })
	if nobody, err := p.s.cast(context.Background(), nil, f); err != nil || nobody != "" {
		if same := *f.claim; err == nil && same.emailKey != "" {
			same.was = f.claim
			p.nobodies = append(p.nobodies, &same)
		}
		return err
	}
	p.a = f.account
	f.place.hear(f.claim)
	f.profile()
	p.a.settle(now)
	if m := &f.place.m; m.State == Pending && m.InvitationID == "" {
		m.InvitationID = "invitation_of_directory"
	} else if m.State == Removed && m.JoinedBy == "" {
		m.InvitationID = ""
	}
	p.keep(now)
	return nil
}

func (p *Pure) EndHold(now time.Time, h HoldEnd) error {
	if one := p.at(h.OrganizationID); one != nil {
		p.a.endHold(h)
		p.a.settle(now)
		one.disinvite()
		p.keep(now)
	}
	return nil
}

func (p *Pure) Freeze(now time.Time, organizationID, directoryID string) {
	p.forget(func(c *claim) bool { return c.organizationID == organizationID && c.directoryID == directoryID })
	if one := p.at(organizationID); one != nil {
		for _, c := range one.claims {
			if c.directoryID == directoryID && c.frozenAt.IsZero() {
				c.frozenAt = now
				same := *c
				c.was = &same
			}
		}
	}
}

func (p *Pure) SignIn(now time.Time, a Arrival) error {
	f := Facts{newUser: "user_1", newMembership: MembershipID(p.s.ids.NewID("om"))}
	one := p.at(a.OrganizationID)
	if p.a != nil {
		f.ByEmail = &Person{User: p.a.user, Claims: []Claim{}}
		if one != nil {
			m := one.m
			f.ByEmail.Membership = &m
			for _, c := range one.claims {
				f.ByEmail.Claims = append(f.ByEmail.Claims, c.pure())
			}
			if id := a.Standing.DirectoryUserID; id != "" && id == m.DirectoryUserID {
				f.ByDirectory = f.ByEmail
			}
		}
	}
	if !f.isIn() {
		f.unlinked = p.unlinked(a.OrganizationID)
	}
	ad, err := Admit(f, a, now)
	if err != nil {
		return err
	}
	if p.a == nil {
		p.a = &account{}
	}
	deprovisioned := p.a.user
	p.a.user = ad.User
	p.a.user.DeprovisionedAt, p.a.user.DeprovisionedBy = deprovisioned.DeprovisionedAt, deprovisioned.DeprovisionedBy
	returns := ad.returns() || len(ad.unlinked) > 0
	if one == nil {
		one = &place{m: ad.Membership}
		p.a.places = append(p.a.places, one)
	}
	if !returns {
		one.m = ad.Membership
	} else {
		one.join(ad.via, now)
		one.m.DirectoryUserID = ad.Membership.DirectoryUserID
		p.hear(one)
		one.wants(ad.standing)
	}
	p.keep(now)
	if one.m.State != Active {
		return errors.New("admitted, and not active: " + string(one.m.Why))
	}
	return nil
}

func (p *Pure) Create(now time.Time, organizationID string) error {
	if p.a == nil {
		return NotFound("User", "user_1")
	}
	undo := p.asItIs(organizationID)
	one, err := p.s.enterByHand(p.a, NewMembership{OrganizationID: organizationID, UserID: p.a.user.ID}, event.Actor{ID: "hand"})
	if err == nil && one.decides(p.a.user).with(p.unlinked(organizationID)).Barred() {
		err = NotFound("Membership that nobody bars", organizationID)
	}
	if err == nil {
		p.hear(one)
	}
	if err != nil {
		undo()
	}
	p.a.places = slices.DeleteFunc(p.a.places, func(one *place) bool { return err != nil && one.was == nil })
	p.keep(now)
	return err
}

// asItIs remembers a membership, for a change that is refused: nothing of it is written.
func (p *Pure) asItIs(organizationID string) (undo func()) {
	one := p.at(organizationID)
	if one == nil {
		return func() {}
	}
	was := *one
	was.claims, was.dropped = slices.Clone(one.claims), slices.Clone(one.dropped)
	return func() { *one = was }
}

func (p *Pure) Deactivate(now time.Time, organizationID string) error {
	return p.try(now, organizationID, func(one *place) error { return one.deactivate("hand", p.a.user, now) })
}

func (p *Pure) Reactivate(now time.Time, organizationID string) error {
	return p.try(now, organizationID, func(one *place) error { return one.reactivate("hand", p.a.user) })
}

func (p *Pure) Remove(now time.Time, organizationID string) error {
	return p.try(now, organizationID, func(one *place) error { return one.remove(p.a.user, now) })
}

func (p *place) wants(by Standing) {
	if by.Says != SaysActive {
		return
	}
	for _, c := range p.claims {
		if c.directoryID == by.DirectoryID && c.directoryUserID == by.DirectoryUserID {
			p.wanted(c)
			return
		}
	}
	p.wanted(&claim{organizationID: p.m.OrganizationID, directoryID: by.DirectoryID, directoryUserID: by.DirectoryUserID, provisioning: ExistingOnly})
}

// Seen is what there is to see of somebody in an organization; the zero value where there is nothing.
type Seen struct {
	Membership
	Deprovisioned bool // the account
}

// Look gives what became of the membership.
func (p *Pure) Look(organizationID string) Seen {
	seen := Seen{Deprovisioned: p.a != nil && p.a.user.DeprovisionedBy != ""}
	if one := p.at(organizationID); one != nil {
		seen.Membership = one.m
	}
	return seen
}

// Invite asks somebody in by hand, as the invitation does it who has an account or not.
func (p *Pure) Invite(now time.Time, organizationID string) error {
	one := p.at(organizationID)
	if one == nil && (Claims{}).with(p.unlinked(organizationID)).Barred() {
		return NotFound("Person whom nobody bars", organizationID)
	}
	if p.a == nil {
		p.a = &account{user: User{ID: "user_1", Email: "ada@acme.example", Version: 1}}
	}
	switch {
	case one == nil:
		one = &place{m: Membership{
			ID: MembershipID(p.s.ids.NewID("om")), OrganizationID: organizationID, UserID: p.a.user.ID, Role: RoleMember, Version: 1, CreatedAt: now, UpdatedAt: now,
		}}
		if one.decides(p.a.user).Deprovisioned {
			p.keep(now)
			return nil // a pending membership that comes to nothing is another story's
		}
		p.a.places = append(p.a.places, one)
	case one.m.State != Removed || one.m.Why.directorys() || one.decides(p.a.user).with(p.unlinked(organizationID)).Barred():
		return NotFound("Removed membership", organizationID)
	}
	one.forgetFrozen()
	one.m.RemovedAt, one.m.BlockedAt, one.m.BlockedBy, one.m.JoinedAt, one.m.JoinedBy = time.Time{}, time.Time{}, "", time.Time{}, ""
	one.m.InvitationID = "invitation_by_hand"
	p.keep(now)
	return nil
}

// Accept has the person come in by the invitation.
func (p *Pure) Accept(now time.Time, organizationID string) error {
	return p.try(now, organizationID, func(one *place) error {
		if one.m.State != Pending {
			return NotFound("Pending membership", organizationID)
		}
		if one.decides(p.a.user).with(p.unlinked(organizationID)).Barred() {
			return NotFound("Person whom nobody bars", organizationID)
		}
		p.hear(one)
		one.join(ViaInvitation, now)
		return nil
	})
}

// SelectUnlinked finds the people of an address of whom nobody is meant.
func SelectUnlinked() string { return selectUnlinked }

// AheadTexts are the statements of ReadAhead.
func (s *Service) AheadTexts() (claimsOfPeople, accounts, claims string) {
	which := s.accountsAmong()
	return s.claimsAmong(), fmt.Sprintf(selectAccount, which), fmt.Sprintf(selectClaimsOf, which)
}
