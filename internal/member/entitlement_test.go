package member_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

func TestRole_falls_back_to_the_next_mapped_then_the_given_then_everybodys(t *testing.T) {
	driven := func(roles ...string) []member.Driven { return []member.Driven{{Roles: append([]string{}, roles...)}} }
	asserts := member.Driven{Roles: []string{"editor"}}
	for _, c := range []struct {
		name string
		e    member.Entitlement
		role string
		by   member.GivenBy
	}{
		{"nobody says", member.Entitlement{}, "member", ""},
		{"by hand", member.Entitlement{GivenRole: "editor", RoleBy: member.ByHand}, "editor", member.ByHand},
		{"by invitation", member.Entitlement{GivenRole: "editor", RoleBy: member.ByInvitation}, "editor", member.ByInvitation},
		{"the strongest mapped", member.Entitlement{Driven: driven("admin", "editor"), GivenRole: "viewer"}, "admin", member.ByMapping},
		{"the next mapped", member.Entitlement{Driven: driven("editor"), Role: "admin", RoleBy: member.ByMapping, GivenRole: "viewer"}, "editor", member.ByMapping},
		{"the given one", member.Entitlement{Driven: driven(), Role: "admin", RoleBy: member.ByMapping, GivenRole: "viewer"}, "viewer", member.ByHand},
		{"everybody's", member.Entitlement{Driven: driven(), Role: "admin", RoleBy: member.ByMapping}, "member", ""},
		{"no living directory speaks", member.Entitlement{Role: "admin", RoleBy: member.ByMapping, GivenRole: "viewer"}, "admin", member.ByMapping},
		{"the connection's", member.Entitlement{Driven: []member.Driven{{}}, Connection: asserts, GivenRole: "viewer"}, "editor", member.ByConnection},
		{"a connection's that gives none any more", member.Entitlement{Role: "editor", RoleBy: member.ByConnection, GivenRole: "viewer"}, "viewer", member.ByHand},
		{"a connection's after a directory that is gone", member.Entitlement{Connection: asserts, Role: "admin", RoleBy: member.ByMapping}, "editor", member.ByConnection},
		{"a connection's of somebody who is out", member.Entitlement{Out: true, Connection: asserts, Role: "admin", RoleBy: member.ByMapping}, "admin", member.ByMapping},
		{"a connection's of somebody whom a hand gave a role, and who is out", member.Entitlement{Out: true, Connection: asserts, GivenRole: "viewer", RoleBy: member.ByHand}, "viewer", member.ByHand},
		{"a directory before the connection", member.Entitlement{Driven: driven("admin"), Connection: asserts, Role: "editor", RoleBy: member.ByConnection}, "admin", member.ByMapping},
		{"a directory that drives roles and gives none", member.Entitlement{Driven: driven(), Connection: asserts, Role: "editor", RoleBy: member.ByConnection}, "member", ""},
		{"the oldest directory's", member.Entitlement{Driven: append(driven("admin"), driven("editor")...)}, "admin", member.ByMapping},
		{"whichever directory gives one", member.Entitlement{Driven: append(driven(), driven("editor")...)}, "editor", member.ByMapping},
	} {
		if role, by := c.e.ResolveRole(); role != c.role || by != c.by {
			t.Errorf("%s: %s by %q, want %s by %q", c.name, role, by, c.role, c.by)
		}
	}
}

// acme is an organization with roles, a team and a licence type.
func (h *house) acme() (id string, give *access.Service) {
	h.t.Helper()
	give = access.NewService(access.Options{
		DB: h.db, Events: h.events, IDs: token.NewSource(time.Now), Now: time.Now,
		Living: func(ctx context.Context, tx db.Tx, id string) error { return h.orgs.LockTx(ctx, tx, org.ID(id)) },
	})
	id = h.organization("Acme")
	for i, slug := range []string{"admin", "editor", "viewer"} {
		_, err := give.CreateRole(h.t.Context(), operator(), access.NewRole{OrganizationID: id, Slug: slug, Name: slug, IsAdmin: slug == "admin", Priority: int64(i + 1)})
		h.must(err)
	}
	return id, give
}

// named is a person of the directory with an address and id of their own, active at once.
func named(organizationID, name string, m access.Mapped) member.DirectoryPerson {
	d := person(organizationID)
	d.Provisioning, d.Email, d.DirectoryUserID, d.Mapped = member.Direct, name+"@acme.example", "directory_user_"+name, m
	return d
}

func TestMapped_role_team_and_attributes_come_go_and_come_back(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme, give := h.acme()
		team, err := give.CreateTeam(t.Context(), operator(), access.NewTeam{OrganizationID: acme, Name: "Engines"})
		h.must(err)
		all := access.Mapped{DrivesRoles: true, Roles: []string{"admin", "editor"}, DrivesTeams: true, Teams: []string{string(team.ID)}, Attributes: map[string]any{"title": "Countess"}}
		h.applied(named(acme, "other", access.Mapped{DrivesRoles: true, Roles: []string{"admin"}}), member.OutcomeActivated)
		m := h.applied(named(acme, "ada", all), member.OutcomeActivated)
		inTeam := func() bool {
			places, err := access.PlacesIn(t.Context(), h.db, acme, string(m.Membership.ID))
			h.must(err)
			return slices.ContainsFunc(places, func(p access.Place) bool { return p.Team == team.ID })
		}
		if m.Membership.Role != "admin" || m.Membership.RoleBy != member.ByMapping || !inTeam() || m.Membership.CustomAttributes["title"] != "Countess" {
			t.Errorf("%+v, in the team %t", m.Membership, inTeam())
		}
		_, err = h.members.UpdateMembership(t.Context(), operator(), m.Membership.ID, member.MembershipChanges{Role: ptr("viewer")})
		managed(t, err)

		gone := named(acme, "ada", all)
		gone.Says = member.SaysInactive
		h.must(h.restrict(gone))
		if m = h.applied(named(acme, "ada", all), member.OutcomeReturned); m.Membership.Role != "admin" || !inTeam() {
			t.Errorf("came back as %s, in the team %t", m.Membership.Role, inTeam())
		}
		less := all
		less.Roles, less.Teams, less.Attributes = []string{"editor"}, nil, nil
		m = h.applied(named(acme, "ada", less), member.OutcomeUpdated)
		if m.Membership.Role != "editor" || inTeam() || len(m.Membership.CustomAttributes) != 0 {
			t.Errorf("%+v, in the team %t", m.Membership, inTeam())
		}
		less.Roles = nil
		if m = h.applied(named(acme, "ada", less), member.OutcomeUpdated); m.Membership.Role != member.RoleMember {
			t.Errorf("%+v", m.Membership)
		}
		m, err = h.members.UpdateMembership(t.Context(), operator(), m.Membership.ID, member.MembershipChanges{Role: ptr("viewer")})
		h.must(err)
		if m.Membership.Role != "viewer" || m.Membership.RoleBy != member.ByHand {
			t.Errorf("%+v", m.Membership)
		}
		h.applied(named(acme, "ada", all), member.OutcomeUpdated)
		if m = h.applied(named(acme, "ada", less), member.OutcomeUpdated); m.Membership.Role != "viewer" {
			t.Errorf("the given role did not come back: %+v", m.Membership)
		}
		_, err = h.members.UpdateMembership(t.Context(), operator(), m.Membership.ID, member.MembershipChanges{Role: ptr("emperor")})
		if refusal, ok := fault.As(err); !ok || refusal.Code != "invalid_role" {
			t.Errorf("%v", err)
		}
	})
}

// wantRole looks what role a member has, and by whose word the API, the events and the pages say they have it.
func (h *house) wantRole(when string, id member.MembershipID, role string, by member.RoleSource) {
	h.t.Helper()
	m, err := h.members.Member(h.t.Context(), id)
	h.must(err)
	if is := m.Membership; is.Role != role || is.RoleSource() != by {
		h.t.Errorf("%s: %s by %s, want %s by %s", when, is.Role, is.RoleSource(), role, by)
	}
}

func TestRole_source_is_the_one_that_holds_now_whichever_way_the_mapped_role_went(t *testing.T) {
	mapped := func(roles ...string) access.Mapped { return access.Mapped{DrivesRoles: true, Roles: roles} }
	onEachHosts(t, func(h *hosts) {
		acme, _ := h.acme()
		h.applied(named(acme, "other", mapped("admin")), member.OutcomeActivated)
		says := func(name string, m access.Mapped) {
			h.t.Helper()
			_, err := h.apply(named(acme, name, m))
			h.must(err)
		}
		of := func(name string) member.MembershipID {
			h.t.Helper()
			u, err := h.members.UserByEmail(t.Context(), name+"@acme.example")
			h.must(err)
			m, err := h.members.MemberOf(t.Context(), acme, u.ID)
			h.must(err)
			return m.Membership.ID
		}
		byHand := func(id member.MembershipID, role string) {
			h.t.Helper()
			_, err := h.members.UpdateMembership(t.Context(), operator(), id, member.MembershipChanges{Role: &role})
			h.must(err)
		}

		says("ada", mapped("admin", "editor"))
		ada := of("ada")
		h.wantRole("in two groups", ada, "admin", member.RoleByDirectory)
		says("ada", mapped("editor", "admin"))
		h.wantRole("the priority changed", ada, "editor", member.RoleByDirectory)
		says("ada", mapped("admin"))
		h.wantRole("left the one group", ada, "admin", member.RoleByDirectory)
		says("ada", mapped())
		h.wantRole("left the last group", ada, "member", member.RoleByDefault)
		says("ada", mapped("editor"))
		says("ada", access.Mapped{})
		h.wantRole("the mapping drives no roles any more", ada, "member", member.RoleByDefault)
		byHand(ada, "viewer")
		says("ada", mapped("editor"))
		h.wantRole("the mapping is back", ada, "editor", member.RoleByDirectory)
		says("ada", access.Mapped{})
		h.wantRole("and gone, after a hand gave one", ada, "viewer", member.RoleByHand)

		for name, goes := range map[string]access.Mapped{"bob": mapped(), "cid": {}} {
			i := h.invite(member.NewInvitation{OrganizationID: acme, Email: name + "@acme.example", Role: "viewer"})
			_, err := h.members.AcceptInvitation(t.Context(), operator(), i.ID)
			h.must(err)
			h.wantRole("invited", i.MembershipID, "viewer", member.RoleByInvitation)
			says(name, mapped("editor"))
			h.wantRole("invited and mapped", i.MembershipID, "editor", member.RoleByDirectory)
			says(name, goes)
			h.wantRole("invited, and the mapped role went", i.MembershipID, "viewer", member.RoleByInvitation)
			byHand(i.MembershipID, "editor")
			says(name, mapped("admin"))
			says(name, goes)
			h.wantRole("invited, and a hand gave another before the mapping", i.MembershipID, "editor", member.RoleByHand)
		}

		says("dan", mapped("editor"))
		dan := of("dan")
		h.must(h.db.Tx(t.Context(), func(tx db.Tx) error {
			return h.members.FreezeTx(t.Context(), tx, acme, named(acme, "dan", access.Mapped{}).DirectoryID, directorys(named(acme, "dan", access.Mapped{}).DirectoryID))
		}))
		h.wantRole("the directory is removed: its last word stands", dan, "editor", member.RoleByDirectory)
		byHand(dan, "viewer")
		h.wantRole("and a hand spoke after it", dan, "viewer", member.RoleByHand)
	})
}

func TestRole_source_falls_back_from_a_connections_mapping_to_the_invitation(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme, _ := h.acme()
		i := h.invite(member.NewInvitation{OrganizationID: acme, Email: ada, Role: "viewer"})
		a := arrival(acme, "1", ada)
		a.Mapped = access.Mapped{DrivesRoles: true, Roles: []string{"editor"}}
		h.entered(a)
		h.wantRole("mapped at the sign-in", i.MembershipID, "editor", member.RoleByConnection)
		a.Mapped.Roles = nil
		h.entered(a)
		h.wantRole("the next sign-in brings none", i.MembershipID, "viewer", member.RoleByInvitation)
	})
}

func TestMapping_never_takes_the_last_administrators_role(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme, _ := h.acme()
		admin, viewer := access.Mapped{DrivesRoles: true, Roles: []string{"admin"}}, access.Mapped{DrivesRoles: true, Roles: []string{"viewer"}}
		names := []string{"ada", "bob"}
		for _, name := range names {
			h.applied(named(acme, name, admin), member.OutcomeActivated)
		}
		var at sync.WaitGroup
		for _, name := range names { // both at once lose the group
			at.Go(func() {
				if _, err := h.apply(named(acme, name, viewer)); err != nil {
					t.Error(err)
				}
			})
		}
		at.Wait()
		if n := h.count(`SELECT COUNT(*) FROM organization_memberships WHERE organization_id = $1 AND role = 'admin'`, acme); n != 1 {
			t.Errorf("%d administrators, want the last one to stay", n)
		}
		for i, name := range names {
			u, err := h.members.UserByEmail(t.Context(), name+"@acme.example")
			h.must(err)
			m, err := h.members.MemberOf(t.Context(), acme, u.ID)
			h.must(err)
			want := member.RoleByDirectory
			if m.Membership.Role == "admin" {
				want = member.RoleByBeingLast
			}
			if got := m.Membership.RoleSource(); got != want {
				t.Errorf("%s is %s because of %s, want %s", name, m.Membership.Role, got, want)
			}
			if m.Membership.Role == "admin" { // another administrator comes, and the mapping takes what it would have taken
				h.applied(named(acme, "cid", admin), member.OutcomeActivated)
				again := named(acme, name, viewer)
				again.Mapped.Attributes = map[string]any{"i": fmt.Sprint(i)}
				if m = h.applied(again, member.OutcomeUpdated); m.Membership.Role != "viewer" || m.Membership.RoleSource() != member.RoleByDirectory {
					t.Errorf("%+v", m.Membership)
				}
			}
		}
	})
}

func TestHand_takes_the_last_administrators_role_that_a_mapping_gave(t *testing.T) {
	onEachInviting(t, func(h *house) {
		n := 0
		for name, end := range map[string]func(d member.DirectoryPerson){
			"the directory is gone": func(d member.DirectoryPerson) {
				h.must(h.db.Tx(t.Context(), func(tx db.Tx) error {
					return h.members.FreezeTx(t.Context(), tx, d.OrganizationID, d.DirectoryID, directorys(d.DirectoryID))
				}))
			},
			"its mapping gives no role": func(d member.DirectoryPerson) {
				d.Mapped.Roles = nil
				kept := h.applied(d, member.OutcomeUpdated)
				h.wantRole("kept against the mapping", kept.Membership.ID, "admin", member.RoleByBeingLast)
			},
			"its mapping drives no roles": func(d member.DirectoryPerson) {
				d.Mapped = access.Mapped{}
				h.applied(d, member.OutcomeUpdated)
			},
		} {
			n++
			acme, _ := h.acme()
			d := named(acme, fmt.Sprintf("ada-%d", n), access.Mapped{DrivesRoles: true, Roles: []string{"admin"}})
			m := h.applied(d, member.OutcomeActivated)
			end(d)
			got, err := h.members.UpdateMembership(t.Context(), operator(), m.Membership.ID, member.MembershipChanges{Role: ptr(member.RoleMember)})
			h.must(err)
			if got.Membership.Role != member.RoleMember {
				t.Errorf("%s: answered with %s by %s", name, got.Membership.Role, got.Membership.RoleSource())
			}
			h.wantRole(name, m.Membership.ID, member.RoleMember, member.RoleByHand)
		}
	})
}

func TestSeats_are_never_more_than_there_are(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme, give := h.acme()
		for _, over := range []access.OverLimit{access.Admit, access.Refuse} {
			_, err := give.CreateLicenceType(t.Context(), operator(), access.NewLicenceType{OrganizationID: acme, Slug: string(over), Name: "Pro", Seats: ptr(int64(2)), OverLimit: over})
			h.must(err)
		}
		pro := access.Mapped{DrivesLicences: true, Licence: string(access.Admit)}
		var at sync.WaitGroup
		for _, name := range []string{"a", "b", "c", "d"} {
			at.Go(func() {
				if _, err := h.apply(named(acme, name, pro)); err != nil {
					t.Error(err)
				}
			})
		}
		at.Wait()
		held := func(licence string) int64 {
			return h.count(`SELECT COUNT(*) FROM organization_memberships WHERE organization_id = $1 AND licence = $2`, acme, licence)
		}
		if n := held("admit"); n != 2 {
			t.Errorf("%d of 2 seats", n)
		}
		if n := h.count(`SELECT COUNT(*) FROM organization_memberships WHERE organization_id = $1 AND state = 'active' AND wanted_licence = 'admit'`, acme); n != 2 {
			t.Errorf("%d were let in without a licence, want 2", n)
		}
		var told int
		for _, kind := range h.all(0) {
			if kind == "licence.limit_reached" {
				told++
			}
		}
		if told != 2 {
			t.Errorf("told %d times that the limit is reached", told)
		}
		everybody, left := []string{"a", "b", "c", "d"}, ""
		for _, name := range everybody { // one who holds a licence leaves and makes room, and who waits gets it
			u, err := h.members.UserByEmail(t.Context(), name+"@acme.example")
			h.must(err)
			if m, err := h.members.MemberOf(t.Context(), acme, u.ID); err != nil || m.Membership.Licence != "" && left == "" {
				h.must(err)
				left = name
			}
		}
		gone := named(acme, left, pro)
		gone.Says = member.SaysInactive
		h.must(h.restrict(gone))
		if n := held("admit"); n != 1 {
			t.Errorf("%d seats are taken after one left", n)
		}
		for _, name := range everybody {
			if name != left {
				_, err := h.apply(named(acme, name, pro))
				h.must(err)
			}
		}
		if n := held("admit"); n != 2 {
			t.Errorf("%d of 2 seats after one left", n)
		}

		strict := access.Mapped{DrivesLicences: true, Licence: string(access.Refuse)}
		h.applied(named(acme, "e", strict), member.OutcomeActivated)
		h.applied(named(acme, "f", strict), member.OutcomeActivated)
		if m := h.applied(named(acme, "g", strict), member.OutcomeRefused); m.Membership.ID != "" {
			t.Errorf("%+v", m.Membership)
		}
		guest, _ := h.in(arrival(acme, "h", "h@acme.example"))
		_, err := h.members.UpdateMembership(t.Context(), operator(), guest.Membership.ID, member.MembershipChanges{Licence: ptr("refuse")})
		if refusal, ok := fault.As(err); !ok || refusal.Code != "licence_limit_reached" {
			t.Errorf("%v", err)
		}
		e := h.applied(named(acme, "e", strict), member.OutcomeUnchanged)
		_, err = h.members.UpdateMembership(t.Context(), operator(), e.Membership.ID, member.MembershipChanges{Licence: ptr("")})
		managed(t, err)
	})
}

func TestConnections_mapping_gives_a_role_where_no_directory_does(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme, _ := h.acme()
		a := arrival(acme, "1", ada)
		a.Mapped = access.Mapped{DrivesRoles: true, Roles: []string{"editor"}}
		if m := h.entered(a); m.Role != "editor" || m.RoleBy != member.ByConnection {
			t.Errorf("%+v", m)
		}
		a.Mapped.Roles = nil
		if m := h.entered(a); m.Role != member.RoleMember {
			t.Errorf("%+v", m)
		}
	})
}

func TestSign_in_beside_a_directorys_deactivation_leaves_no_session(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme := h.organization("Acme")
		d := named(acme, "ada", access.Mapped{})
		h.applied(d, member.OutcomeActivated)
		for range 8 {
			in := inDirectory(arrival(acme, "1", ada), d.DirectoryUserID, member.JoinedByEmail, ada)
			in.Standing.DirectoryID = d.DirectoryID
			h.in(in)
			gone := d
			gone.Says = member.SaysInactive
			var at sync.WaitGroup
			for range 3 {
				at.Go(func() {
					plain := arrival(acme, "1", ada) // begun before the directory spoke
					if _, _, err := h.signIn(plain); err != nil && !fault.Is(err, fault.Forbidden) {
						t.Error(err)
					}
				})
			}
			at.Go(func() {
				if err := h.restrict(gone); err != nil {
					t.Error(err)
				}
			})
			at.Wait()
			if n := h.count(`SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL`); n != 0 {
				t.Fatalf("%d sessions of somebody who is out", n)
			}
			h.applied(d, member.OutcomeReturned)
		}
	})
}
