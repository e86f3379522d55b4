package member

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Pure is an account that is changed by the same steps as by the verbs, without a database.
type Pure struct {
	a   *account
	s   *Service
	now time.Time

	nobodies    []*claim      // what directories have said of nobody
	invitations []*Invitation // all there ever were
}

// Roles that every organization has beside everybody's, and the seats of its licence types; 0 is as many as are wanted.
var (
	PureRoles    = []string{"chief", "editor", "viewer", "scout"}
	PureLicences = map[string]int64{"free": 0, "one": 1}
)

// NewPure makes one: with an account that has signed in before, or with none.
func NewPure(now time.Time, email string) *Pure {
	p := &Pure{now: now}
	p.s = &Service{ids: token.NewSource(time.Now), now: func() time.Time { return p.now }}
	if email != "" {
		p.a = &account{user: User{ID: "user_1", Email: email, EmailVerified: true, Version: 1}}
		p.keep(now)
	}
	return p
}

// keep is the commit.
func (p *Pure) keep(now time.Time) {
	p.now = now
	p.a.settle(now)
	if _, err := p.s.entitle(background, shelf{p}, p.a); err != nil {
		panic(err)
	}
	p.a.number(now)
	was := p.a.user
	p.a.was, p.a.provenAt = &was, ""
	p.a.places = slices.DeleteFunc(p.a.places, (*place).hollow)
	for _, one := range p.a.places {
		if open := p.open(one.m.OrganizationID); open != nil && one.was != nil {
			switch {
			case one.disinvited():
				open.State = InvitationRevoked
			case one.m.State == Active && one.was.neverIn():
				open.State = InvitationAccepted
			}
		}
		m := one.m
		one.was, one.dropped = &m, nil
		for _, c := range one.claims {
			same := *c
			c.was = &same
		}
	}
}

// unlinked are what directories of an organization have said of nobody.
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

func (p *Pure) at(organizationID string) *place {
	if p.a == nil {
		return nil
	}
	return p.a.at(organizationID)
}

// try is move.
func (p *Pure) try(now time.Time, organizationID string, change func(*place) error) error {
	if one := p.at(organizationID); one == nil || one.m.State == Removed {
		return NotFound("Organization membership", organizationID)
	}
	return p.attempt(now, organizationID, func() error { return change(p.at(organizationID)) })
}

// attempt keeps what a change has made, or nothing of it where it is refused.
func (p *Pure) attempt(now time.Time, organizationID string, change func() error) error {
	one, nobodies := p.at(organizationID), slices.Clone(p.nobodies)
	var was place
	if one != nil {
		was = *one
		was.claims, was.dropped = slices.Clone(one.claims), slices.Clone(one.dropped)
	}
	said := map[*claim]claim{}
	for _, c := range slices.Concat(was.claims, nobodies) {
		said[c] = *c
	}
	p.now = now
	err := change()
	if err == nil {
		p.keep(now)
		return nil
	}
	if one != nil {
		*one = was
	} else if p.a != nil {
		p.a.places = slices.DeleteFunc(p.a.places, func(one *place) bool { return one.was == nil })
	}
	p.nobodies = nobodies
	for c, is := range said {
		*c = is
	}
	return err
}

func (p *Pure) Apply(now time.Time, d DirectoryPerson) error {
	p.now = now
	f := &application{p: d, now: now, account: p.a, claim: &claim{organizationID: d.OrganizationID, directoryID: d.DirectoryID, directoryUserID: d.DirectoryUserID}}
	known := p.nobodies
	if f.place = p.at(d.OrganizationID); f.place != nil {
		known = slices.Concat(known, f.place.claims)
	}
	for _, c := range known {
		if c.organizationID == d.OrganizationID && c.directoryID == d.DirectoryID && c.directoryUserID == d.DirectoryUserID {
			f.claim = c
		}
	}
	f.say()
	p.forget(func(c *claim) bool { return c.organizationID == d.OrganizationID && c.directoryID == d.DirectoryID })
	f.p.Mapped.DrivesLicences = false // whether a seat is left of what nobody new is given is asked the database
	if nobody, err := p.s.cast(background, nil, f); err != nil || nobody != "" {
		if same := *f.claim; err == nil && same.emailKey != "" {
			was := same
			same.was = &was
			p.nobodies = append(p.nobodies, &same)
		}
		return err
	}
	p.a = f.account
	f.place.hear(f.claim)
	f.profile()
	p.a.settle(now)
	if f.asks() {
		f.place.m.InvitationID = string(p.asked(NewInvitation{OrganizationID: d.OrganizationID, DirectoryID: d.DirectoryID}, p.invitationID()))
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

// Freeze does what the statements of FreezeTx do.
func (p *Pure) Freeze(now time.Time, organizationID, directoryID string) {
	p.forget(func(c *claim) bool { return c.organizationID == organizationID && c.directoryID == directoryID })
	one := p.at(organizationID)
	if one == nil {
		return
	}
	for _, c := range one.claims {
		if c.directoryID == directoryID && c.frozenAt.IsZero() {
			c.frozenAt = now
			same := *c
			c.was = &same
			if one.m.asserted != "" {
				one.m.asserted += " "
				one.was.asserted = one.m.asserted
			}
		}
	}
}

func (p *Pure) SignIn(now time.Time, a Arrival) error {
	p.now = now
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
	if one == nil {
		one = &place{m: ad.Membership}
		p.a.places = append(p.a.places, one)
	}
	switch {
	case !ad.returns() && !ad.anew() && len(ad.unlinked) == 0:
		one.m = ad.Membership
	case one.m.State != Active || one.was == nil:
		one.m.DirectoryUserID, one.m.asserted = ad.Membership.DirectoryUserID, ad.Membership.asserted
		p.hear(one)
		one.join(ad.via, now)
		one.wants(ad.standing)
	default:
		one.m.DirectoryUserID, one.m.asserted = ad.Membership.DirectoryUserID, ad.Membership.asserted
	}
	p.keep(now)
	if one.m.State != Active {
		return errors.New("admitted, and not active: " + string(one.m.Why))
	}
	return nil
}

// wants is wantedNow.
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
	p.wanted(&claim{
		organizationID: p.m.OrganizationID, directoryID: by.DirectoryID, directoryUserID: by.DirectoryUserID, provisioning: ExistingOnly, said: encode(saying{}),
	})
}

func (p *Pure) Create(now time.Time, n NewMembership) error {
	if p.a == nil {
		return NotFound("User", "user_1")
	}
	n.UserID = p.a.user.ID
	return p.attempt(now, n.OrganizationID, func() error {
		one, err := p.s.enterByHand(p.a, n, event.Actor{ID: "hand"})
		if err != nil {
			return err
		}
		if p.hear(one); one.decides(p.a.user).Barred() {
			return one.readmitted("hand", p.a.user)
		}
		return p.s.giveByHand(background, shelf{p}, one, n.gives())
	})
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

func (p *Pure) Give(now time.Time, organizationID string, c MembershipChanges) error {
	return p.try(now, organizationID, func(one *place) error { return p.s.giveByHand(background, shelf{p}, one, c) })
}

// open is the pending row of an organization, of which there is one at most; its time may be over.
func (p *Pure) open(organizationID string) *Invitation {
	i := slices.IndexFunc(p.invitations, func(i *Invitation) bool { return i.OrganizationID == organizationID && i.State == InvitationPending })
	if i < 0 {
		return nil
	}
	return p.invitations[i]
}

func (p *Pure) invitationID() InvitationID {
	return InvitationID(fmt.Sprintf("invitation_%d", len(p.invitations)+1))
}

// asked is inviteAsInto.
func (p *Pure) asked(n NewInvitation, id InvitationID) InvitationID {
	switch before := p.open(n.OrganizationID); {
	case before != nil && before.stateAt(p.now) == InvitationExpired:
		before.State = InvitationExpired
	case before != nil:
		before.DirectoryID = n.DirectoryID
		return before.ID
	}
	p.invitations = append(p.invitations, &Invitation{
		ID: id, OrganizationID: n.OrganizationID, State: InvitationPending, Role: n.Role, DirectoryID: n.DirectoryID, ExpiresAt: p.now.Add(n.life()),
	})
	return id
}

// Invite is inviteByHandInto with pendingInto.
func (p *Pure) Invite(now time.Time, n NewInvitation) error {
	if open := p.open(n.OrganizationID); open != nil && open.stateAt(now) == InvitationPending {
		return alreadyInvited(n)
	}
	a, id := p.a, p.invitationID()
	if p.a == nil {
		p.a = &account{user: User{ID: "user_1", Email: "ada@acme.example", Version: 1}}
	}
	err := p.attempt(now, n.OrganizationID, func() error {
		one := p.at(n.OrganizationID)
		if one == nil {
			one = &place{m: Membership{
				ID: MembershipID(p.s.ids.NewID("om")), OrganizationID: n.OrganizationID, UserID: p.a.user.ID, Role: RoleMember, Version: 1, CreatedAt: now, UpdatedAt: now,
			}}
			p.a.places = append(p.a.places, one)
		}
		if err := one.invitable(p.a.user, p.unlinked(n.OrganizationID)); err != nil {
			return err
		}
		if one.m.InvitationID, one.m.GivenRole, one.m.GivenLicence = string(id), n.Role, n.Licence; n.Role != "" {
			one.m.RoleBy = ByInvitation
		}
		p.asked(n, id)
		return nil
	})
	if err != nil {
		p.a = a
	}
	return err
}

// Accept has the person come in by the invitation: acceptAsInto.
func (p *Pure) Accept(now time.Time, organizationID string) error {
	i := p.open(organizationID)
	switch one := p.at(organizationID); {
	case i == nil:
		return NotFound("Invitation", organizationID)
	case i.stateAt(now) != InvitationPending:
		return notPending(*i)
	case p.a.user.DeprovisionedBy != "" && p.a.user.DeprovisionedBy != organizationID:
		return fault.New(fault.Forbidden, CodeDeprovisioned, "This account may not be used.")
	case one.m.State == Active:
		panic("an invitation is open of who is in: " + string(one.m.Why))
	}
	return p.try(now, organizationID, func(one *place) error {
		p.hear(one)
		one.join(ViaInvitation, now)
		p.a.settle(now)
		return one.cameIn(p.a.user)
	})
}

// Revoke takes the invitation back.
func (p *Pure) Revoke(now time.Time, organizationID string) error {
	i := p.open(organizationID)
	if i == nil {
		return NotFound("Invitation", organizationID)
	}
	if one := p.at(organizationID); one.m.JoinedBy == "" && one.decides(p.a.user).Wanted() {
		return one.remove(p.a.user, now)
	}
	if p.drop(now, i, func(one *place) { one.m.RemovedAt, one.m.InvitationID = now, "" }); i.State == InvitationPending {
		i.State = InvitationRevoked
	}
	return nil
}

// Lapse is LapseInvitations.
func (p *Pure) Lapse(now time.Time) error {
	for _, i := range p.invitations {
		if i.State == InvitationPending && !i.FromDirectory() && i.LinkExpired(now) {
			i.State = InvitationExpired
			p.drop(now, i, func(one *place) { one.m.expiredInvitation = one.m.InvitationID })
		}
	}
	return nil
}

// drop is dropInto.
func (p *Pure) drop(now time.Time, i *Invitation, drop func(one *place)) {
	if one := p.at(i.OrganizationID); one != nil && (one.m.State == Pending || one.m.JoinedBy == "" && one.m.State != Removed) && one.m.InvitationID == string(i.ID) {
		drop(one)
		p.keep(now)
	}
}

// Seen is what there is to see of somebody in an organization; the zero value where there is nothing.
type Seen struct {
	Membership
	Deprovisioned bool // the account
	Teams         []string
}

// Look gives what became of the membership.
func (p *Pure) Look(organizationID string) Seen {
	seen := Seen{Deprovisioned: p.a != nil && p.a.user.DeprovisionedBy != ""}
	if one := p.at(organizationID); one != nil {
		seen.Membership = one.m
	}
	return seen
}

// shelf answers what entitle asks a database.
type shelf struct{ p *Pure }

func (s shelf) Query(_ context.Context, sql string, args ...any) (db.Rows, error) {
	var out sheet
	switch {
	case strings.Contains(sql, "FROM roles"):
		for i, slug := range PureRoles {
			out.rows = append(out.rows, []any{"role_" + slug, "", slug, slug, nil, []byte("[]"), int64(i + 1), false, int64(0), int64(0)})
		}
	case strings.Contains(sql, "FROM licence_types"):
		slug := args[1].(string)
		if seats, there := PureLicences[slug]; there {
			row := []any{"licence_" + slug, args[0], slug, slug, nil, "refuse", int64(0), int64(0)}
			if seats > 0 {
				row[4] = seats
			}
			out.rows = append(out.rows, row)
		}
	case strings.Contains(sql, "SELECT COUNT(*) FROM organization_memberships"):
		n := int64(0)
		if one := s.p.at(args[0].(string)); one != nil && one.was != nil && one.was.Licence == args[1] {
			n++
		}
		out.rows = append(out.rows, []any{n})
	case sql == invitationWithRole:
		for _, i := range s.p.invitations {
			if i.OrganizationID == args[0] && string(i.ID) == args[1] && i.Role == args[2] {
				out.rows = append(out.rows, []any{string(i.ID)})
			}
		}
	default:
		return nil, errors.New("the shelf has no answer to " + sql)
	}
	return &out, nil
}

func (s shelf) QueryRow(ctx context.Context, sql string, args ...any) db.Row {
	rows, err := s.Query(ctx, sql, args...)
	if err != nil || !rows.Next() {
		return none{cmp.Or(err, db.ErrNoRows)}
	}
	return rows
}

type none struct{ err error }

func (n none) Scan(...any) error { return n.err }

// sheet is rows that are there already.
type sheet struct {
	rows [][]any
	at   int
}

func (s *sheet) Next() bool {
	s.at++
	return s.at <= len(s.rows)
}

func (s *sheet) Scan(dest ...any) error {
	for i, value := range s.rows[s.at-1] {
		to := reflect.ValueOf(dest[i]).Elem()
		if value == nil {
			to.SetZero()
			continue
		}
		if to.Kind() == reflect.Pointer {
			to.Set(reflect.New(to.Type().Elem()))
			to = to.Elem()
		}
		to.Set(reflect.ValueOf(value).Convert(to.Type()))
	}
	return nil
}

func (*sheet) Err() error { return nil }
func (*sheet) Close()     {}
