package member_test

import (
	"slices"
	"testing"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
)

func TestLicence_is_a_directorys_before_a_connections_before_the_given_one(t *testing.T) {
	driven := func(licence string) []member.Driven { return []member.Driven{{Licence: &licence}} }
	gives := func(licence string) member.Driven { return member.Driven{Licence: &licence} }
	for _, c := range []struct {
		name string
		e    member.Entitlement
		want string
	}{
		{"nobody says", member.Entitlement{Licence: "held"}, "held"},
		{"a directory's", member.Entitlement{Driven: driven("pro"), Connection: gives("lite"), GivenLicence: "given"}, "pro"},
		{"a connection's", member.Entitlement{Driven: []member.Driven{{}}, Connection: gives("lite"), GivenLicence: "given"}, "lite"},
		{"a directory that gives none", member.Entitlement{Driven: driven(""), Connection: gives("lite"), Licence: "lite"}, ""},
		{"a connection that gives none", member.Entitlement{Connection: gives(""), Licence: "lite"}, ""},
		{"a connection's of somebody whom a brake keeps", member.Entitlement{Out: true, Connection: gives("lite"), Licence: "pro"}, "pro"},
		{"a connection that gives none, and a hand", member.Entitlement{Connection: gives(""), Licence: "lite", GivenLicence: "given"}, "given"},
	} {
		if got := c.e.ResolveLicence(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// entered is the membership after a sign-in.
func (h *house) entered(a member.Arrival) member.Membership {
	h.t.Helper()
	ad, _ := h.in(a)
	m, err := h.members.Member(h.t.Context(), ad.Membership.ID)
	h.must(err)
	return m.Membership
}

// places are the teams of a membership, and who put it there.
func (h *house) places(m member.Membership) (out []string) {
	h.t.Helper()
	found, err := access.PlacesIn(h.t.Context(), h.db, m.OrganizationID, string(m.ID))
	h.must(err)
	for _, p := range found {
		out = append(out, string(p.Team)+" "+string(p.PutBy))
	}
	slices.Sort(out)
	return out
}

func (h *house) team(organizationID, name string) string {
	h.t.Helper()
	made, err := h.members.Access().CreateTeam(h.t.Context(), operator(), access.NewTeam{OrganizationID: organizationID, Name: name})
	h.must(err)
	return string(made.ID)
}

// licence makes a type with as many seats.
func (h *house) licence(organizationID, slug string, seats int64, over access.OverLimit) {
	h.t.Helper()
	_, err := h.members.Access().CreateLicenceType(h.t.Context(), operator(), access.NewLicenceType{
		OrganizationID: organizationID, Slug: slug, Name: slug, Seats: &seats, OverLimit: over,
	})
	h.must(err)
}

func TestConnections_mapping_gives_teams_licence_and_attributes_at_each_sign_in(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme, _ := h.acme()
		red, blue, own := h.team(acme, "Red"), h.team(acme, "Blue"), h.team(acme, "Own")
		h.licence(acme, "pro", 1, access.Admit)
		a := arrival(acme, "1", ada)
		a.Mapped = access.Mapped{
			DrivesTeams: true, Teams: []string{red}, DrivesLicences: true, Licence: "pro", Attributes: map[string]any{"level": 3.0}, Locale: ptr("de"),
		}
		mark := len(h.all(0))
		m := h.entered(a)
		if got := h.places(m); !slices.Equal(got, []string{red + " connection"}) || m.Licence != "pro" || m.CustomAttributes["level"] != 3.0 {
			t.Errorf("teams %v, %+v", got, m)
		}
		if u, err := h.members.User(t.Context(), m.UserID); err != nil || u.Locale != "de" {
			t.Errorf("%+v, %v", u, err)
		}
		h.wantAll(mark, "user.created", "organization_membership.created", "group.member_added", "session.created")
		mark = len(h.all(0))
		if again := h.entered(a); again.Version != m.Version {
			t.Errorf("the same sign-in wrote version %d over %d", again.Version, m.Version)
		}
		h.wantAll(mark, "session.created")

		_, err := h.members.Access().AddToTeam(t.Context(), operator(), acme, access.TeamID(own), string(m.ID))
		h.must(err)
		err = h.members.Access().RemoveFromTeam(t.Context(), operator(), acme, access.TeamID(red), string(m.ID))
		if f, ok := fault.As(err); !ok || f.Code != "directory_managed" {
			t.Errorf("%v", err)
		}
		a.Mapped.Teams, a.Mapped.Licence, a.Mapped.Attributes = []string{blue}, "", map[string]any{"grade": "b"}
		m = h.entered(a)
		if got, want := h.places(m), sorted(blue+" connection", own+" hand"); !slices.Equal(got, want) || m.Licence != "" {
			t.Errorf("teams %v, want %v; %+v", got, want, m)
		}
		if _, had := m.CustomAttributes["level"]; had || m.CustomAttributes["grade"] != "b" {
			t.Errorf("%v", m.CustomAttributes)
		}
		a.Mapped = access.Mapped{} // the mapping drives nothing any more
		m = h.entered(a)
		if got := h.places(m); !slices.Equal(got, []string{own + " hand"}) || len(m.CustomAttributes) != 0 {
			t.Errorf("teams %v, %v", got, m.CustomAttributes)
		}
	})
}

func sorted(all ...string) []string { return slices.Sorted(slices.Values(all)) }

func TestConnections_licence_waits_for_a_seat_or_keeps_somebody_new_out(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme, _ := h.acme()
		h.licence(acme, "open", 1, access.Admit)
		h.licence(acme, "strict", 1, access.Refuse)
		with := func(idpID, email, licence string) member.Arrival {
			a := arrival(acme, idpID, email)
			a.Mapped = access.Mapped{DrivesLicences: true, Licence: licence}
			return a
		}
		if m := h.entered(with("1", ada, "open")); m.Licence != "open" {
			t.Errorf("%+v", m)
		}
		if m := h.entered(with("2", "bob@acme.example", "open")); m.Licence != "" || m.WantedLicence != "open" || m.State != member.Active {
			t.Errorf("%+v", m)
		}
		if m := h.entered(with("3", "cid@acme.example", "strict")); m.Licence != "strict" {
			t.Errorf("%+v", m)
		}
		_, _, err := h.signIn(with("4", "dan@acme.example", "strict"))
		if f, ok := fault.As(err); !ok || f.Code != member.CodeLicenceLimit || f.Kind != fault.Forbidden {
			t.Errorf("%v", err)
		}
		if _, err := h.members.UserByEmail(t.Context(), "dan@acme.example"); !fault.Is(err, fault.NotFound) {
			t.Errorf("who was refused has an account: %v", err)
		}
		// A member already is not turned away.
		if m := h.entered(with("2", "bob@acme.example", "strict")); m.State != member.Active || m.WantedLicence != "strict" {
			t.Errorf("%+v", m)
		}
	})
}

func TestConnections_stale_word_never_overrules_a_directory(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme, _ := h.acme()
		red, blue := h.team(acme, "Red"), h.team(acme, "Blue")
		for _, slug := range []string{"pro", "lite"} {
			h.licence(acme, slug, 5, access.Admit)
		}
		a := arrival(acme, "1", ada)
		a.Mapped = access.Mapped{
			DrivesRoles: true, Roles: []string{"editor"}, DrivesTeams: true, Teams: []string{red}, DrivesLicences: true, Licence: "pro",
			Attributes: map[string]any{"level": "three"}, PictureURL: ptr("https://example.com/sso.png"),
		}
		m := h.entered(a)
		d := named(acme, "ada", access.Mapped{
			DrivesRoles: true, DrivesTeams: true, Teams: []string{blue}, DrivesLicences: true, Attributes: map[string]any{"job_title": "Countess"},
		})
		d.PictureURL = "https://example.com/directory.png"
		h.applied(d, member.OutcomeLinked)
		overruled := func(when string) {
			t.Helper()
			got, err := h.members.Member(t.Context(), m.ID)
			h.must(err)
			if is := got.Membership; is.Role != member.RoleMember || is.Licence != "" || is.CustomAttributes["job_title"] != "Countess" || is.CustomAttributes["level"] != nil {
				t.Errorf("%s: %+v", when, is)
			}
			if got := h.places(m); !slices.Equal(got, []string{blue + " mapping"}) {
				t.Errorf("%s: teams %v", when, got)
			}
			if got.User.PictureURL != d.PictureURL {
				t.Errorf("%s: picture %s", when, got.User.PictureURL)
			}
		}
		overruled("after the directory spoke")
		in := inDirectory(a, d.DirectoryUserID, member.JoinedByEmail, ada)
		in.Standing.DirectoryID = d.DirectoryID
		in.Mapped.Roles, in.Mapped.Attributes = []string{"viewer"}, map[string]any{"level": "four"}
		h.entered(in)
		overruled("after another sign-in")

		d.Mapped = access.Mapped{Attributes: map[string]any{"job_title": "Countess"}} // the directory drives nothing any more
		h.applied(d, member.OutcomeUpdated)
		got, err := h.members.Member(t.Context(), m.ID)
		h.must(err)
		if is := got.Membership; is.Role != "viewer" || is.Licence != "pro" || is.CustomAttributes["level"] != nil {
			t.Errorf("%+v", is)
		}
		if got := h.places(m); !slices.Equal(got, []string{red + " connection"}) {
			t.Errorf("teams %v", got)
		}
	})
}

func TestConnections_word_counts_again_after_a_directory_is_gone(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme, _ := h.acme()
		red, blue := h.team(acme, "Red"), h.team(acme, "Blue")
		a := arrival(acme, "1", ada)
		a.Mapped = access.Mapped{DrivesRoles: true, Roles: []string{"editor"}, DrivesTeams: true, Teams: []string{red}, Attributes: map[string]any{"level": "three"}}
		m := h.entered(a)
		d := named(acme, "ada", access.Mapped{DrivesRoles: true, Roles: []string{"viewer"}, DrivesTeams: true, Teams: []string{blue}, Attributes: map[string]any{"job_title": "Countess"}})
		h.applied(d, member.OutcomeLinked)
		h.must(h.db.Tx(t.Context(), func(tx db.Tx) error {
			return h.members.FreezeTx(t.Context(), tx, acme, d.DirectoryID, directorys(d.DirectoryID))
		}))
		if got, err := h.members.Member(t.Context(), m.ID); err != nil || got.Membership.Role != "viewer" {
			t.Errorf("%+v, %v", got.Membership, err)
		}
		is := h.entered(a) // with the very same word as before the directory
		if is.Role != "editor" || is.CustomAttributes["level"] != "three" || is.CustomAttributes["job_title"] != "Countess" {
			t.Errorf("%+v", is)
		}
		if got, want := h.places(m), sorted(blue+" mapping", red+" connection"); !slices.Equal(got, want) {
			t.Errorf("teams %v, want %v", got, want)
		}
	})
}

func TestHand_counts_until_the_next_sign_in(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme, _ := h.acme()
		h.licence(acme, "pro", 5, access.Admit)
		a := arrival(acme, "1", ada)
		a.Mapped = access.Mapped{DrivesRoles: true, Roles: []string{"editor"}, DrivesLicences: true, Licence: "pro"}
		m := h.entered(a)
		got, err := h.members.UpdateMembership(t.Context(), operator(), m.ID, member.MembershipChanges{Role: ptr("viewer"), Licence: ptr("")})
		h.must(err)
		if is := got.Membership; is.Role != "viewer" || is.RoleBy != member.ByHand || is.Licence != "" {
			t.Errorf("%+v", is)
		}
		if is := h.entered(a); is.Role != "editor" || is.Licence != "pro" {
			t.Errorf("%+v", is)
		}
	})
}

func TestConnections_mapping_never_takes_the_last_administrators_role(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme, _ := h.acme()
		a := arrival(acme, "1", ada)
		a.Mapped = access.Mapped{DrivesRoles: true, Roles: []string{"admin"}}
		h.entered(a)
		a.Mapped.Roles = []string{"viewer"}
		if m := h.entered(a); m.Role != "admin" || m.RoleSource() != member.RoleByBeingLast {
			t.Errorf("%+v", m)
		}
		b := arrival(acme, "2", "bob@acme.example")
		b.Mapped = access.Mapped{DrivesRoles: true, Roles: []string{"admin"}}
		h.entered(b)
		a.Mapped.Roles = []string{"editor"}
		if m := h.entered(a); m.Role != "editor" {
			t.Errorf("%+v", m)
		}
	})
}
