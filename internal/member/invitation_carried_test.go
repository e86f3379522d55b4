package member_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
)

// wantNothing looks that a member has only what everybody has.
func (h *house) wantNothing(when string, id member.MembershipID) {
	h.t.Helper()
	m, err := h.members.Member(h.t.Context(), id)
	h.must(err)
	places, err := access.PlacesIn(h.t.Context(), h.db, m.Membership.OrganizationID, string(id))
	h.must(err)
	if is := m.Membership; is.Role != member.RoleMember || is.RoleSource() != member.RoleByDefault || is.Licence != "" || is.WantedLicence != "" || len(places) > 0 {
		h.t.Errorf("%s: %s by %s, licence %q, wanted %q, teams %v", when, is.Role, is.RoleSource(), is.Licence, is.WantedLicence, places)
	}
}

func TestInvitation_to_a_licence_that_refuses_more_wants_a_free_seat(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme, _ := h.acme()
		h.licence(acme, "strict", 1, access.Refuse)
		h.licence(acme, "lax", 0, access.Admit)
		to := func(name, licence string) member.NewInvitation {
			return member.NewInvitation{OrganizationID: acme, Email: name + "@home.example", Licence: licence, ExpiresInDays: 1}
		}
		first := h.invite(to("ada", "strict"))
		if m := h.state(first.MembershipID); m.Licence != "strict" {
			t.Errorf("a pending member holds %q", m.Licence)
		}
		mark := len(h.all(0))
		_, err := h.members.Invite(t.Context(), operator(), to("eve", "strict"))
		h.wantRefused(err, fault.Conflict, "licence_limit_reached")
		if f, ok := fault.As(err); ok && f.Field != "licence" {
			t.Errorf("the refusal is on %q", f.Field)
		}
		h.wantAll(mark)
		if _, err := h.members.UserByEmail(t.Context(), "eve@home.example"); !fault.Is(err, fault.NotFound) {
			t.Errorf("the refused invitation left an account: %v", err)
		}
		h.pass(25 * time.Hour) // who holds the seat by an invitation that has expired may have another
		again := h.invite(to("ada", "strict"))
		_, err = h.members.AcceptInvitation(t.Context(), operator(), again.ID)
		h.must(err)
		if m := h.state(again.MembershipID); m.State != member.Active || m.Licence != "strict" {
			t.Errorf("%s with %q", m.State, m.Licence)
		}
		lax := h.invite(to("bob", "lax"))
		_, err = h.members.AcceptInvitation(t.Context(), operator(), lax.ID)
		h.must(err)
		if m := h.state(lax.MembershipID); m.State != member.Active || m.Licence != "" || m.WantedLicence != "lax" {
			t.Errorf("%s with %q, wanting %q", m.State, m.Licence, m.WantedLicence)
		}
	})
}

// A licence type may refuse more only after somebody was invited to it.
func TestNobody_comes_in_without_a_seat_of_a_licence_that_refuses_more(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme, give := h.acme()
		h.licence(acme, "pro", 0, access.Admit)
		email := func(name string) string { return name + "@acme.example" }
		invited := map[string]member.Invitation{}
		for _, name := range []string{"api", "link", "sso"} {
			invited[name] = h.invite(member.NewInvitation{OrganizationID: acme, Email: email(name), Licence: "pro"})
		}
		refuse, seats := access.Refuse, ptr(int64(3))
		_, err := give.UpdateLicenceType(t.Context(), operator(), acme, "pro", access.LicenceTypeChanges{OverLimit: &refuse})
		h.must(err)
		mark := len(h.all(0))
		_, err = h.members.AcceptInvitation(t.Context(), operator(), invited["api"].ID)
		h.wantRefused(err, fault.Forbidden, member.CodeLicenceLimit)
		person := h.user(email("link"))
		_, err = h.members.AcceptInvitationAs(t.Context(), invited["link"].ID, person.ID, false)
		h.wantRefused(err, fault.Forbidden, member.CodeLicenceLimit)
		h.refused(arrival(acme, "sso", email("sso")), member.CodeLicenceLimit)
		for name, i := range invited {
			if m := h.state(i.MembershipID); m.State != member.Pending {
				t.Errorf("%s is %s", name, m.State)
			}
		}
		h.wantAll(mark, "user.updated") // the address of one was proven

		_, err = give.UpdateLicenceType(t.Context(), operator(), acme, "pro", access.LicenceTypeChanges{Seats: &seats})
		h.must(err)
		_, err = h.members.AcceptInvitation(t.Context(), operator(), invited["api"].ID)
		h.must(err)
		_, err = h.members.AcceptInvitationAs(t.Context(), invited["link"].ID, person.ID, false)
		h.must(err)
		h.in(arrival(acme, "sso", email("sso")))
		for name, i := range invited {
			if m := h.state(i.MembershipID); m.State != member.Active || m.Licence != "pro" {
				t.Errorf("%s is %s with %q", name, m.State, m.Licence)
			}
		}
	})
}

func TestInvitation_names_no_team_that_is_not_there_or_that_a_directory_fills(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme, _ := h.acme()
		own, foreign := h.team(acme, "Own"), h.team(h.organization("Other"), "Foreign")
		h.must(h.write(func(w *db.Write) error {
			return h.members.Access().FollowInto(t.Context(), h.db, w, access.Followed{
				OrganizationID: acme, DirectoryID: "directory_1", Group: access.Group{ID: "directory_group_1", Name: "Engines"},
			}, directorys("directory_1"))
		}))
		var follows string
		h.must(h.db.QueryRow(t.Context(), `SELECT id FROM teams WHERE name = 'Engines'`).Scan(&follows))
		for team, want := range map[string]struct {
			kind fault.Kind
			code string
		}{"group_none": {fault.Unprocessable, "invalid_team"}, foreign: {fault.Unprocessable, "invalid_team"}, follows: {fault.Conflict, "directory_managed"}} {
			_, err := h.members.Invite(t.Context(), operator(), member.NewInvitation{OrganizationID: acme, Email: "ada@home.example", Teams: []string{own, team}})
			h.wantRefused(err, want.kind, want.code)
			if f, ok := fault.As(err); ok && (f.Field != "team_ids" || want.code == "invalid_team" && !strings.Contains(f.Message, team)) {
				t.Errorf("the refusal is on %q: %s", f.Field, f.Message)
			}
		}
		i := h.invite(member.NewInvitation{OrganizationID: acme, Email: "ada@home.example", Teams: []string{own}})
		if places, err := access.PlacesIn(t.Context(), h.db, acme, string(i.MembershipID)); err != nil || len(places) != 1 {
			t.Errorf("in %v: %v", places, err)
		}
	})
}

func TestInvitation_that_nobody_came_in_by_leaves_nothing_behind(t *testing.T) {
	for end, do := range map[string]func(h *hosts, i member.Invitation){
		"revoked": func(h *hosts, i member.Invitation) {
			_, err := h.members.RevokeInvitation(h.t.Context(), operator(), i.ID)
			h.must(err)
		},
		"lapsed": func(h *hosts, _ member.Invitation) {
			h.pass(25 * time.Hour)
			h.must(h.members.LapseInvitations(h.t.Context()))
		},
		"expired a moment ago": func(h *hosts, _ member.Invitation) { h.pass(25 * time.Hour) },
		"the pending member removed": func(h *hosts, i member.Invitation) {
			h.must(h.members.Remove(h.t.Context(), operator(), i.MembershipID))
		},
	} {
		t.Run(end, func(t *testing.T) {
			onEachHosts(t, func(h *hosts) {
				acme, _ := h.acme()
				one, two := h.team(acme, "One"), h.team(acme, "Two")
				h.licence(acme, "pro", 5, access.Admit)
				n := member.NewInvitation{OrganizationID: acme, Email: "ada@home.example", ExpiresInDays: 1}
				full := n
				full.Role, full.Licence, full.Teams = "admin", "pro", []string{one, two}
				do(h, h.invite(full))
				bare := h.invite(n)
				h.wantNothing(end+", and invited again", bare.MembershipID)
				_, err := h.members.AcceptInvitation(t.Context(), operator(), bare.ID)
				h.must(err)
				h.wantNothing(end+", invited again, and accepted", bare.MembershipID)
				if m := h.state(bare.MembershipID); m.State != member.Active {
					t.Errorf("%s", m.State)
				}
			})
		})
	}
}

func TestInvitation_again_gives_what_it_names_itself(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme, _ := h.acme()
		one, two, three := h.team(acme, "One"), h.team(acme, "Two"), h.team(acme, "Three")
		n := member.NewInvitation{OrganizationID: acme, Email: "ada@home.example", ExpiresInDays: 1, Role: "admin", Teams: []string{one, two}}
		h.invite(n)
		h.pass(25 * time.Hour)
		n.Role, n.Teams = "viewer", []string{two, three}
		mark := len(h.all(0))
		i := h.invite(n)
		h.wantAll(mark, "organization_membership.updated", "group.member_removed", "group.member_added", "invitation.created")
		h.wantRole("invited again", i.MembershipID, "viewer", member.RoleByInvitation)
		places, err := access.PlacesIn(t.Context(), h.db, acme, string(i.MembershipID))
		h.must(err)
		var in []string
		for _, p := range places {
			in = append(in, string(p.Team))
		}
		if want := []string{two, three}; !slices.Equal(in, want) {
			t.Errorf("in %v, want %v", in, want)
		}
	})
}

func TestWho_is_removed_by_hand_comes_back_as_anybody(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme, give := h.acme()
		h.licence(acme, "pro", 5, access.Admit)
		byHand, byInvitation := h.team(acme, "By hand"), h.team(acme, "By invitation")
		h.in(arrival(acme, "0", "boss@acme.example"))
		i := h.invite(member.NewInvitation{OrganizationID: acme, Email: ada, Role: "editor", Licence: "pro", Teams: []string{byInvitation}})
		h.in(arrival(acme, "1", ada))
		id := i.MembershipID
		_, err := h.members.UpdateMembership(t.Context(), operator(), id, member.MembershipChanges{Role: ptr("admin")})
		h.must(err)
		_, err = give.AddToTeam(t.Context(), operator(), acme, access.TeamID(byHand), string(id))
		h.must(err)

		_, err = h.members.Deactivate(t.Context(), operator(), id) // which keeps all
		h.must(err)
		back, err := h.members.Reactivate(t.Context(), operator(), id)
		h.must(err)
		places, err := access.PlacesIn(t.Context(), h.db, acme, string(id))
		h.must(err)
		if is := back.Membership; is.Role != "admin" || is.Licence != "pro" || len(places) != 2 {
			t.Errorf("reactivated: %s, licence %q, teams %v", is.Role, is.Licence, places)
		}

		mark := len(h.all(0))
		h.must(h.members.Remove(t.Context(), operator(), id))
		h.wantAll(mark, "group.member_removed", "group.member_removed", "organization_membership.deleted")
		h.in(arrival(acme, "1", ada))
		h.wantNothing("removed by hand, and signed in again", id)
		h.must(h.members.Remove(t.Context(), operator(), id))
		again, err := h.members.CreateMembership(t.Context(), operator(), member.NewMembership{OrganizationID: acme, UserID: back.User.ID})
		h.must(err)
		h.wantNothing("removed by hand, and let in by hand", again.Membership.ID)
	})
}

func TestWho_is_removed_by_a_directory_comes_back_with_what_hands_and_invitations_gave(t *testing.T) {
	for _, says := range []member.Says{member.SaysInactive, member.SaysRemoved} {
		for _, by := range []string{"hand", "invitation"} {
			t.Run(string(says)+" "+by, func(t *testing.T) {
				onEachHosts(t, func(h *hosts) {
					acme, give := h.acme()
					h.licence(acme, "pro", 5, access.Admit)
					team := h.team(acme, "Engines")
					d := named(acme, "ada", access.Mapped{})
					var id member.MembershipID
					if by == "hand" {
						id = h.applied(d, member.OutcomeActivated).Membership.ID
						_, err := h.members.UpdateMembership(t.Context(), operator(), id, member.MembershipChanges{Role: ptr("editor"), Licence: ptr("pro")})
						h.must(err)
						_, err = give.AddToTeam(t.Context(), operator(), acme, access.TeamID(team), string(id))
						h.must(err)
					} else {
						i := h.invite(member.NewInvitation{OrganizationID: acme, Email: d.Email, Role: "editor", Licence: "pro", Teams: []string{team}})
						_, err := h.members.AcceptInvitation(t.Context(), operator(), i.ID)
						h.must(err)
						id = h.applied(d, member.OutcomeLinked).Membership.ID
					}
					gone := d
					gone.Says = says
					h.must(h.restrict(gone))
					if m := h.state(id); m.Licence != "" || m.State == member.Active {
						t.Errorf("gone: %s, and holds %q", m.State, m.Licence)
					}
					back := h.applied(d, member.OutcomeReturned).Membership
					places, err := access.PlacesIn(t.Context(), h.db, acme, string(id))
					h.must(err)
					if back.ID != id || back.State != member.Active || back.Role != "editor" || back.Licence != "pro" || len(places) != 1 {
						t.Errorf("back as %s %s, licence %q, teams %v", back.State, back.Role, back.Licence, places)
					}
				})
			})
		}
	}
}

func TestInvitation_of_somebody_whom_a_directory_wants_in_is_not_revoked(t *testing.T) {
	for _, how := range []member.Provisioning{member.Invite, member.ExistingOnly} {
		t.Run(string(how), func(t *testing.T) {
			onEachHosts(t, func(h *hosts) {
				acme, _ := h.acme()
				d := person(acme)
				if d.Provisioning = how; how == member.ExistingOnly {
					h.invite(member.NewInvitation{OrganizationID: acme, Email: d.Email})
				}
				_, err := h.apply(d)
				h.must(err)
				found, _, err := h.members.Invitations(t.Context(), member.InvitationQuery{OrganizationID: acme, Limit: 1})
				h.must(err)
				i := found[0]
				before, mark := h.state(i.MembershipID), len(h.all(0))
				_, err = h.members.RevokeInvitation(t.Context(), operator(), i.ID)
				managed(t, err)
				if is := h.state(i.MembershipID); is.Version != before.Version || !is.RemovedAt.IsZero() {
					t.Errorf("%+v", is)
				}
				if is, err := h.members.Invitation(t.Context(), i.ID); err != nil || is.State != member.InvitationPending {
					t.Errorf("%s: %v", is.State, err)
				}
				h.wantAll(mark)

				gone := d
				gone.Says = member.SaysInactive // and then a hand may
				h.must(h.restrict(gone))
				revoked, err := h.members.RevokeInvitation(t.Context(), operator(), i.ID)
				if err != nil || revoked.State != member.InvitationRevoked || h.state(i.MembershipID).State != member.Removed {
					t.Errorf("%s, the membership is %s: %v", revoked.State, h.state(i.MembershipID).State, err)
				}
			})
		})
	}
}

// Those whom a former release let keep what hands had given are as they would be now.
func TestUpgrade_takes_what_hands_gave_from_whom_hands_had_removed(t *testing.T) {
	text, err := migrations.Files.ReadFile("00017_invitations.sql")
	if err != nil {
		t.Fatal(err)
	}
	onEachHosts(t, func(h *hosts) {
		acme, give := h.acme()
		one := h.team(acme, "One")
		ids := map[string]member.MembershipID{}
		for _, name := range []string{"removed", "blocked", "wanted"} {
			ad, _ := h.in(arrival(acme, name, name+"@acme.example"))
			ids[name] = ad.Membership.ID
			_, err := h.members.UpdateMembership(t.Context(), operator(), ad.Membership.ID, member.MembershipChanges{Role: ptr("admin")})
			h.must(err)
			_, err = give.AddToTeam(t.Context(), operator(), acme, access.TeamID(one), string(ad.Membership.ID))
			h.must(err)
		}
		_, err := h.members.Deactivate(t.Context(), operator(), ids["blocked"])
		h.must(err)
		h.exec(`UPDATE organization_memberships SET state = 'removed', why = 'removed', removed_at = 1 WHERE id = $1`, string(ids["removed"]))
		h.exec(`UPDATE organization_memberships SET removed_at = 1 WHERE id = $1`, string(ids["wanted"]))
		for statement := range strings.SplitSeq(string(text), ";\n") {
			if _, change, found := strings.Cut("\n"+statement, "\nDELETE "); found {
				h.exec("DELETE " + change)
			} else if _, change, found := strings.Cut("\n"+statement, "\nUPDATE "); found {
				h.exec("UPDATE " + change)
			}
		}
		h.wantNothing("removed before the upgrade", ids["removed"])
		for _, name := range []string{"blocked", "wanted"} {
			m := h.state(ids[name])
			places, err := access.PlacesIn(t.Context(), h.db, acme, string(ids[name]))
			h.must(err)
			if m.Role != "admin" || m.GivenRole != "admin" || len(places) != 1 || !m.RemovedAt.IsZero() {
				t.Errorf("%s: %+v, teams %v", name, m, places)
			}
		}
	})
}
