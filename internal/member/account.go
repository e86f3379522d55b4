package member

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/session"
)

// account is a user with all memberships and all that is claimed about them: what every decision is made on. Verbs change what is claimed,
// settle draws the states from it, and accountInto writes what has become of it, guarded by what was read.
type account struct {
	user   User
	was    *User // as it was read; nil: new
	places []*place
	living *[]session.Open // of the account, if they were read with it; nil: not yet

	together bool // read with others, with whom it is written; not again by the same write

	// provenAt is the organization that vouches for an address which nobody had proven: what others made for it goes.
	provenAt string
}

// place is a membership with what directories say of it.
type place struct {
	m       Membership
	was     *Membership // as it was read; nil: new
	claims  []*claim
	dropped []*claim // claims of directories that are gone, which a newer word or a hand has put aside

	forgotten bool // what hands and invitations gave goes, teams too
}

// account reads an account with everything about it.
func (s *Service) account(ctx context.Context, r db.Reader, id UserID) (*account, error) {
	var found []*account
	if err := db.Ask(ctx, r, askAccounts("= $1", []any{string(id)}, &found)); err != nil {
		return nil, fmt.Errorf("read an account: %w", err)
	}
	if len(found) == 0 {
		return nil, NotFound("User", string(id))
	}
	return found[0], nil
}

// askAccounts is the question for accounts with everything about them, to be asked with others. which is the condition that a user's id meets,
// as in "= $1", with its arguments. Who is not there, or deleted, is not in into.
func askAccounts(which string, args []any, into *[]*account) db.Question {
	return db.Question{SQL: fmt.Sprintf(selectAccount, which), Args: args, Read: func(rows db.Rows) (err error) {
		*into, err = readAccounts(rows)
		return err
	}}
}

// readAccounts reads accounts, which come in their order, each with its memberships in theirs.
func readAccounts(rows db.Rows) (out []*account, err error) {
	for rows.Next() {
		var u User
		var row userRow
		var membership membershipRow
		var said claimRow
		if err := rows.Scan(slices.Concat(row.into(&u), membership.into(), said.into())...); err != nil {
			return nil, err
		}
		if len(out) == 0 || out[len(out)-1].user.ID != u.ID {
			if err := row.finish(&u); err != nil {
				return nil, err
			}
			out = append(out, openAccount(u))
		}
		a := out[len(out)-1]
		if id := text(membership.id); id != "" && (len(a.places) == 0 || string(a.places[len(a.places)-1].m.ID) != id) {
			m, err := membership.membership()
			if err != nil {
				return nil, err
			}
			a.places = append(a.places, openPlace(*m))
		}
		if said.directoryID != nil {
			p := a.places[len(a.places)-1]
			p.claims = append(p.claims, said.claim())
			p.m.DirectoryManaged = p.hasOne()
			p.was.DirectoryManaged = p.m.DirectoryManaged
		}
	}
	return out, rows.Err()
}

func openAccount(u User) *account {
	was := u
	return &account{user: u, was: &was}
}

func openPlace(m Membership) *place {
	was := m
	return &place{m: m, was: &was}
}

// hasOne tells whether a living directory has the member, see isManaged.
func (p *place) hasOne() bool {
	return p.m.DirectoryUserID != "" && slices.ContainsFunc(p.claims, (*claim).has)
}

// at is the account's membership in an organization, nil if there is none.
func (a *account) at(organizationID string) *place {
	i := slices.IndexFunc(a.places, func(p *place) bool { return p.m.OrganizationID == organizationID })
	if organizationID == "" || i < 0 {
		return nil
	}
	return a.places[i]
}

// decides is all that decides about a membership.
func (p *place) decides(u User) Claims {
	c := Claims{
		Deprovisioned: u.DeprovisionedBy != "" && u.DeprovisionedBy != p.m.OrganizationID,
		Blocked:       !p.m.BlockedAt.IsZero(), Reactivated: p.m.BlockedAt.IsZero() && p.m.BlockedBy != "", RemovedByHand: !p.m.RemovedAt.IsZero(),
		JoinedBy: p.m.JoinedBy,
	}
	for _, one := range p.claims {
		c.Directories = append(c.Directories, one.pure())
	}
	c.Expired = p.m.InvitationID != "" && p.m.InvitationID == p.m.expiredInvitation
	c.Invited = p.m.InvitationID != "" && !c.Expired
	return c
}

// deprovisionedFor tells whether the organization that the account is at home in has taken it away, and no directory of this one ("" for none)
// wants the person in.
func (a *account) deprovisionedFor(organizationID string) bool {
	if a.user.DeprovisionedBy == "" || a.user.DeprovisionedBy == organizationID {
		return false
	}
	p := a.at(organizationID)
	return p == nil || !p.decides(a.user).in()
}

// settle draws what follows from all that is claimed. An account is deprovisioned as long as the directories of the organization where it is
// at home want the person out, and that decides about its other memberships.
func (a *account) settle(now time.Time) {
	home := a.at(a.user.HomeOrganizationID)
	switch out := home != nil && home.leaves(a.user); {
	case out && a.user.DeprovisionedBy != a.user.HomeOrganizationID:
		a.user.DeprovisionedAt, a.user.DeprovisionedBy = now, a.user.HomeOrganizationID
	case !out:
		a.user.DeprovisionedAt, a.user.DeprovisionedBy = time.Time{}, ""
	}
	flagged := a.was == nil || a.was.DeprovisionedBy != a.user.DeprovisionedBy
	for _, p := range a.places {
		if flagged || p.was == nil || p.moved() || !p.m.same(*p.was) {
			p.settle(a.user, now)
		}
	}
}

// number gives new versions to what has changed.
func (a *account) number(now time.Time) {
	if a.was != nil && !a.user.same(*a.was) {
		a.user.Version, a.user.UpdatedAt = a.was.Version+1, now
	}
	for _, p := range a.places {
		switch {
		case p.was == nil:
		case !p.m.same(*p.was):
			p.m.Version, p.m.UpdatedAt = p.was.Version+1, now
		case p.moved(): // whoever decided by what directories said decides again
			p.m.Version = p.was.Version + 1
		}
	}
}

// leaves tells whether directories want the person out, and no brake holds that.
func (p *place) leaves(u User) bool {
	c := p.decides(u)
	return c.Out() && !c.Waits()
}

// told is what the app goes on knowing of a member whom the brake holds: in the same words, as long as the state is the same.
func (p *place) told(c Claims, is Verdict) Verdict {
	if is != (Verdict{Inactive, WhyHeldByBrake}) {
		return Verdict{}
	}
	told := Told(c)
	if p.was != nil && p.was.told().State == told.State {
		told.Why = p.was.told().Why
	}
	return told
}

func (p *place) settle(u User, now time.Time) {
	c := p.decides(u)
	v := Decide(c)
	p.m.State, p.m.Why, p.m.Primary = v.State, v.Why, u.HomeOrganizationID == p.m.OrganizationID
	p.m.Told = p.told(c, v)
	p.m.DirectoryManaged = p.hasOne()
	if p.goes() {
		p.forgotten = true
		p.forget()
	}
	if v.State == Active && p.m.JoinedBy == "" {
		p.m.JoinedBy = ViaDirectory
	}
	if v.State == Active && p.m.JoinedAt.IsZero() {
		p.m.JoinedAt = now
	}
}

// goes tells whether a hand removes the person now, or an invitation that nobody came in by.
func (p *place) goes() bool {
	return p.m.State == Removed && p.was != nil && p.was.State != Removed && (!p.m.RemovedAt.IsZero() || p.m.Why == WhyInvitationExpired)
}

// forget lets go of the role and the licence that hands and invitations have given: whoever is let in anew has what they are let in with.
func (p *place) forget() {
	if given := p.m.GivenLicence; given != "" && p.m.Licence == given {
		p.m.Licence = ""
	} else if given != "" && p.m.WantedLicence == given {
		p.m.WantedLicence = ""
	}
	p.m.GivenRole, p.m.GivenLicence = "", ""
}

// moved tells whether what directories say differs from what was read.
func (p *place) moved() bool {
	return len(p.dropped) > 0 || slices.ContainsFunc(p.claims, (*claim).changed)
}

// hear takes a directory's word. A new word puts aside what directories that are gone said last.
func (p *place) hear(c *claim) {
	known := slices.ContainsFunc(p.claims, func(one *claim) bool { return one == c })
	if !known {
		c.membershipID = p.m.ID
		p.claims = append(p.claims, c)
		slices.SortFunc(p.claims, oldestFirst)
	}
	if !known || c.was == nil || c.was.says != c.says {
		p.forgetFrozen()
	}
	if c.says == SaysActive { // who was removed by hand is wanted again
		p.m.RemovedAt, c.held = time.Time{}, ""
	}
}

// oldestFirst is the order in which claims are read, and in which what directories map counts.
func oldestFirst(a, b *claim) int {
	return cmp.Or(cmp.Compare(a.directoryID, b.directoryID), cmp.Compare(a.directoryUserID, b.directoryUserID))
}

// forgetFrozen puts aside the last words of directories that are gone.
func (p *place) forgetFrozen() {
	kept := p.claims[:0:0]
	for _, c := range p.claims {
		if c.frozenAt.IsZero() {
			kept = append(kept, c)
		} else {
			p.dropped = append(p.dropped, c)
		}
	}
	p.claims = kept
}

// block shuts the person out by hand. It holds until a hand lifts it.
func (p *place) block(by string, now time.Time) {
	if p.m.BlockedAt.IsZero() {
		p.m.BlockedAt, p.m.BlockedBy = now, by
	}
}

// readmit lifts every bar that a hand may lift, and is false where a directory has to.
func (p *place) readmit(by string, u User) bool {
	c := p.decides(u)
	if c.Barred() || c.Deprovisioned && !c.in() {
		return false
	}
	if c.Out() {
		p.forgetFrozen()
	}
	p.m.BlockedAt, p.m.BlockedBy, p.m.RemovedAt = time.Time{}, by, time.Time{}
	return true
}

// join notes that the person has come in. The first way stays.
func (p *place) join(via JoinedVia, now time.Time) {
	p.m.RemovedAt = time.Time{}
	if p.m.JoinedBy == "" {
		p.m.JoinedBy, p.m.JoinedAt = via, now
	}
}
