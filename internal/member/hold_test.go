package member_test

import (
	"slices"
	"testing"

	"github.com/rollcallhq/rollcall/internal/member"
)

// heldAs is Ada as a directory wants her out, and its brake holds that.
func heldAs(organizationID string, says member.Says) member.DirectoryPerson {
	d := person(organizationID)
	d.Says, d.Held = says, member.HeldWaiting
	return d
}

func (h *house) ends(organizationID string, kept bool) {
	h.t.Helper()
	d := person(organizationID)
	h.must(h.endHold(member.HoldEnd{OrganizationID: organizationID, DirectoryID: d.DirectoryID, DirectoryUserID: d.DirectoryUserID, Kept: kept}))
}

func TestInvited_person_who_is_held_keeps_the_invitation_until_the_hold_is_released(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme := h.organization("Acme")
		first := h.applied(person(acme), member.OutcomeInvited)
		before := len(h.all(0))
		m := h.applied(heldAs(acme, member.SaysRemoved), member.OutcomeHeld)
		h.is(m, member.Inactive, member.WhyHeldByBrake, true)
		m = h.applied(person(acme), member.OutcomeInvited)
		h.is(m, member.Pending, member.WhyInvitedByDirectory, true)
		if m.Membership.InvitationID != first.Membership.InvitationID {
			t.Error("invited a second time")
		}
		h.applied(heldAs(acme, member.SaysRemoved), member.OutcomeHeld)
		h.wantAll(before)
		h.ends(acme, true)
		h.wantAll(before, "organization_membership.updated")
		m = h.applied(person(acme), member.OutcomeUpdated)
		h.is(m, member.Pending, member.WhyInvitedByDirectory, true)
		if m.Membership.InvitationID != first.Membership.InvitationID {
			t.Error("invited a second time")
		}
		h.applied(heldAs(acme, member.SaysRemoved), member.OutcomeHeld)
		h.ends(acme, false)
		if got := h.all(before); !slices.Contains(got, "invitation.revoked") || !slices.Contains(got, "organization_membership.deleted") {
			t.Errorf("released: %v", got)
		}
	})
}

func TestHand_that_blocks_or_removes_a_held_member_is_told_of_at_once(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme := h.organization("Acme")
		d := person(acme)
		d.Provisioning = member.Direct
		m := h.applied(d, member.OutcomeActivated)
		h.applied(heldAs(acme, member.SaysInactive), member.OutcomeHeld)
		before := len(h.all(0))
		_, err := h.members.Reactivate(t.Context(), operator(), m.Membership.ID)
		managed(t, err)
		_, err = h.members.Deactivate(t.Context(), operator(), m.Membership.ID)
		h.must(err)
		h.wantAll(before, "organization_membership.updated")
		blocked, err := h.members.Member(t.Context(), m.Membership.ID)
		h.must(err)
		if told := blocked.Membership.Told; told != (member.Verdict{State: member.Inactive, Why: member.WhyDeactivated}) {
			t.Errorf("told %+v", told)
		}
		h.must(h.members.Remove(t.Context(), operator(), m.Membership.ID))
		h.wantAll(before, "organization_membership.updated", "organization_membership.deleted")
		h.ends(acme, true) // a hand is stronger
		removed, err := h.members.Member(t.Context(), m.Membership.ID)
		h.must(err)
		h.is(removed, member.Removed, member.WhyRemoved, true)
	})
}

func TestHeld_member_is_listed_as_the_app_was_told(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme := h.organization("Acme")
		d := person(acme)
		d.Provisioning = member.Direct
		h.applied(d, member.OutcomeActivated)
		h.applied(heldAs(acme, member.SaysInactive), member.OutcomeHeld)
		for state, want := range map[member.State]int{member.Active: 1, member.Inactive: 0} {
			found, _, err := h.members.List(t.Context(), member.ListQuery{OrganizationID: acme, States: []member.State{state}, Limit: 5})
			h.must(err)
			if len(found) != want {
				t.Errorf("%d are listed as %s", len(found), state)
			}
		}
	})
}

func TestHold_of_nobody_ends_silently(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme := h.organization("Acme")
		before := len(h.all(0))
		h.ends(acme, false)
		h.applied(heldAs(acme, member.SaysInactive), member.OutcomeStored)
		h.ends(acme, true)
		h.wantAll(before)
	})
}

func TestSign_in_of_somebody_who_is_kept_leaves_the_directorys_word(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme := h.organization("Acme")
		h.applied(person(acme), member.OutcomeInvited)
		h.applied(heldAs(acme, member.SaysInactive), member.OutcomeHeld)
		h.ends(acme, true)
		a := inDirectory(arrival(acme, "ada", ada), "directory_user_1", member.JoinedByEmail, ada) // the brake has the directory say active
		a.Standing.DirectoryID = "directory_1"
		ad, _ := h.in(a)
		m, err := h.members.Member(t.Context(), ad.Membership.ID)
		h.must(err)
		h.is(m, member.Active, member.WhyHeldByBrake, true)
		if n := h.count(`SELECT COUNT(*) FROM membership_claims WHERE says = 'inactive' AND held = 'kept'`); n != 1 {
			t.Error("the word of the directory was changed")
		}
	})
}
