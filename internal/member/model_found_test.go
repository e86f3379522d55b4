package member_test

import (
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/member"
)

// What the model of the machine has found, each as short as it can be told.

func TestInvitation_goes_with_the_membership_of_somebody_whose_account_is_taken_away(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		home, acme := h.organization("Home"), h.organization("Acme")
		h.applied(named(home, "ada", access.Mapped{}), member.OutcomeActivated)
		gone := named(home, "ada", access.Mapped{})
		gone.Says = member.SaysInactive
		h.must(h.restrict(gone))
		i := h.invite(member.NewInvitation{OrganizationID: acme, Email: gone.Email})
		if m := h.state(i.MembershipID); m.Why != member.WhyAccountDeprovisioned {
			t.Errorf("%+v", m)
		}
		h.must(h.members.Remove(t.Context(), operator(), i.MembershipID))
		if i, err := h.members.Invitation(t.Context(), i.ID); err != nil || i.State != member.InvitationRevoked {
			t.Errorf("%+v: %v", i, err)
		}
		h.invite(member.NewInvitation{OrganizationID: acme, Email: gone.Email})
	})
}

func TestExpired_invitation_leaves_whom_a_directory_wanted_last_or_a_brake_holds(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme, _ := h.acme()
		ids := map[string]member.MembershipID{}
		people := map[string]member.DirectoryPerson{}
		for _, name := range []string{"bob", "cid"} {
			ids[name] = h.invite(member.NewInvitation{OrganizationID: acme, Email: name + "@acme.example", ExpiresInDays: 1}).MembershipID
			d := named(acme, name, access.Mapped{})
			d.Provisioning = member.ExistingOnly
			people[name] = d
			_, err := h.apply(d)
			h.must(err)
		}
		h.pass(25 * time.Hour)
		h.must(h.members.LapseInvitations(t.Context()))
		mark := len(h.all(0))
		held := people["bob"]
		held.Says, held.Held = member.SaysInactive, member.HeldWaiting
		h.must(h.restrict(held))
		h.wantAll(mark) // the app learns nothing of what a brake holds
		if m := h.state(ids["bob"]); m.Told.State != member.Pending || m.Why != member.WhyHeldByBrake {
			t.Errorf("%+v", m)
		}
		directory := people["cid"].DirectoryID
		h.must(h.db.Tx(t.Context(), func(tx db.Tx) error {
			return h.members.FreezeTx(t.Context(), tx, acme, directory, directorys(directory))
		}))
		_, err := h.members.UpdateMembership(t.Context(), operator(), ids["cid"], member.MembershipChanges{Role: ptr("viewer")})
		h.must(err)
		if m := h.state(ids["cid"]); m.State != member.Pending || m.Why != member.WhyInvited {
			t.Errorf("removing the directory changed the state: %+v", m)
		}
	})
}

func TestRole_is_the_oldest_directorys_also_of_who_was_nobody_to_it_until_now(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme, _ := h.acme()
		older := named(acme, "ada", access.Mapped{DrivesRoles: true, Roles: []string{"editor"}})
		older.DirectoryID, older.DirectoryUserID, older.Says = "directory_0", "directory_user_older", member.SaysInactive
		h.must(h.restrict(older))
		newer := named(acme, "ada", access.Mapped{DrivesRoles: true, Roles: []string{"viewer"}})
		h.applied(newer, member.OutcomeActivated)
		older.Says = member.SaysActive
		m := h.applied(older, member.OutcomeUpdated)
		h.wantRole("both want the person in", m.Membership.ID, "editor", member.RoleByDirectory)
	})
}

func TestMember_made_without_a_role_has_it_of_nobody(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme, _ := h.acme()
		u, err := h.members.CreateUser(t.Context(), operator(), member.NewUser{Email: ada})
		h.must(err)
		m, err := h.members.CreateMembership(t.Context(), operator(), member.NewMembership{OrganizationID: acme, UserID: u.ID})
		h.must(err)
		h.wantRole("made by hand", m.Membership.ID, member.RoleMember, member.RoleByDefault)
	})
}

func TestLicence_that_a_hand_takes_from_a_blocked_member_does_not_come_back(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme, _ := h.acme()
		h.licence(acme, "pro", 1, access.Admit)
		ad, _ := h.in(arrival(acme, "1", ada))
		id := ad.Membership.ID
		_, err := h.members.UpdateMembership(t.Context(), operator(), id, member.MembershipChanges{Licence: ptr("pro")})
		h.must(err)
		_, err = h.members.Deactivate(t.Context(), operator(), id)
		h.must(err)
		_, err = h.members.UpdateMembership(t.Context(), operator(), id, member.MembershipChanges{Licence: ptr("")})
		h.must(err)
		if m, err := h.members.Reactivate(t.Context(), operator(), id); err != nil || m.Membership.Licence != "" {
			t.Errorf("%+v: %v", m.Membership, err)
		}
	})
}
