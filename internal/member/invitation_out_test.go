package member_test

import (
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
)

// leaver is somebody whom a directory, or a hand, has asked in, with what shuts them out and what lets them be asked in again.
type leaver struct {
	invite  func(h *hosts, acme string) member.Invitation
	out, in func(h *hosts, acme string, i member.Invitation)
	kind    fault.Kind
	code    string
	why     member.Why
}

// directoryAsks has the directory invite somebody outside its domains.
func directoryAsks(h *hosts, acme string) member.Invitation {
	h.t.Helper()
	h.applied(person(acme), member.OutcomeInvited)
	found, _, err := h.members.Invitations(h.t.Context(), member.InvitationQuery{OrganizationID: acme, Limit: 1})
	h.must(err)
	return found[0]
}

func says(s member.Says, held member.Held) func(h *hosts, acme string, _ member.Invitation) {
	return func(h *hosts, acme string, _ member.Invitation) {
		h.t.Helper()
		d := person(acme)
		if d.Says, d.Held = s, held; s == member.SaysActive {
			_, err := h.apply(d)
			h.must(err)
			return
		}
		h.must(h.restrict(d))
	}
}

func leavers() map[string]leaver {
	block := func(h *hosts, _ string, i member.Invitation) {
		h.t.Helper()
		_, err := h.members.Deactivate(h.t.Context(), operator(), i.MembershipID)
		h.must(err)
	}
	lift := func(h *hosts, _ string, i member.Invitation) {
		h.t.Helper()
		_, err := h.members.Reactivate(h.t.Context(), operator(), i.MembershipID)
		h.must(err)
	}
	home := func(s member.Says) func(h *hosts, _ string, _ member.Invitation) {
		return func(h *hosts, _ string, _ member.Invitation) {
			h.t.Helper()
			var id string
			h.must(h.db.QueryRow(h.t.Context(), `SELECT id FROM organizations WHERE name = 'Home'`).Scan(&id))
			says(s, "")(h, id, member.Invitation{})
		}
	}
	return map[string]leaver{
		"the directory says inactive": {directoryAsks, says(member.SaysInactive, ""), says(member.SaysActive, ""), fault.Conflict, "directory_managed", member.WhyDirectoryInactive},
		"the brake holds it":          {directoryAsks, says(member.SaysInactive, member.HeldWaiting), says(member.SaysActive, ""), fault.Conflict, "directory_managed", member.WhyHeldByBrake},
		"a hand blocks":               {directoryAsks, block, lift, fault.Forbidden, "membership_inactive", member.WhyDeactivated},
		"the account is deprovisioned": {func(h *hosts, acme string) member.Invitation {
			d := person(h.organization("Home"))
			d.Provisioning = member.Direct
			h.applied(d, member.OutcomeActivated)
			return h.invite(member.NewInvitation{OrganizationID: acme, Email: ada})
		}, home(member.SaysInactive), home(member.SaysActive), fault.Forbidden, "membership_inactive", member.WhyAccountDeprovisioned},
	}
}

func onEachLeaver(t *testing.T, story func(h *hosts, l leaver, acme string, i member.Invitation)) {
	t.Helper()
	for name, l := range leavers() {
		t.Run(name, func(t *testing.T) {
			onEachHosts(t, func(h *hosts) {
				acme := h.organization("Acme")
				story(h, l, acme, l.invite(h, acme))
			})
		})
	}
}

// sent mails what is due and counts all letters.
func (h *hosts) sent() int {
	h.t.Helper()
	_, err := h.mails.Send(h.t.Context())
	h.must(err)
	return len(h.letters)
}

func TestPending_member_who_is_shut_out_is_not_mailed_and_lets_nobody_in(t *testing.T) {
	onEachLeaver(t, func(h *hosts, l leaver, acme string, i member.Invitation) {
		l.out(h, acme, i)
		if m := h.state(i.MembershipID); m.State != member.Inactive || m.Why != l.why {
			t.Fatalf("%s, %s", m.State, m.Why)
		}
		if n := h.sent(); n != 0 {
			t.Errorf("%d letters went out to a leaver", n)
		}
		h.pass(2 * time.Hour)
		mark := len(h.all(0))
		refused := func(err error) {
			t.Helper()
			h.wantRefused(err, l.kind, l.code)
			if l.code == "directory_managed" {
				managed(t, err)
			}
		}
		refused(h.members.Waits(t.Context(), i))
		_, err := h.members.ResendInvitation(t.Context(), operator(), i.ID, "")
		refused(err)
		if l.why != member.WhyAccountDeprovisioned {
			_, err = h.members.AcceptInvitation(t.Context(), operator(), i.ID)
			refused(err)
		}
		if i.FromDirectory() {
			h.pass(member.InvitationLife)
			_, err = h.members.RenewLink(t.Context(), i.Token)
			refused(err)
		}
		if n := h.sent(); n != 0 {
			t.Errorf("%d letters went out to a leaver", n)
		}
		h.wantAll(mark)
	})
}

func TestPending_member_who_is_asked_in_again_is_mailed_once_and_only_what_was_not_sent(t *testing.T) {
	onEachLeaver(t, func(h *hosts, l leaver, acme string, i member.Invitation) {
		l.out(h, acme, i)
		if n := h.sent(); n != 0 {
			t.Fatalf("%d letters went out to a leaver", n)
		}
		l.in(h, acme, i)
		if m := h.state(i.MembershipID); m.State != member.Pending {
			t.Fatalf("%s, %s", m.State, m.Why)
		}
		again, err := h.members.Invitation(t.Context(), i.ID)
		if err != nil || again.State != member.InvitationPending || again.Token != i.Token || again.Sent != 1 {
			t.Errorf("%+v: %v", again, err)
		}
		if n := h.sent(); n != 1 {
			t.Fatalf("%d letters, want the one that was withdrawn", n)
		}
		l.out(h, acme, i)
		l.in(h, acme, i)
		if n := h.sent(); n != 1 {
			t.Errorf("%d letters, want no second one", n)
		}
		h.must(h.members.Waits(t.Context(), i))
		accepted, err := h.members.AcceptInvitation(t.Context(), operator(), i.ID)
		if err != nil || accepted.State != member.InvitationAccepted {
			t.Errorf("%s: %v", accepted.State, err)
		}
		h.wantEvents("created", "accepted")
	})
}

func TestMail_that_was_withdrawn_has_a_link_that_is_good_when_it_is_sent_after_all(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme := h.organization("Acme")
		i := directoryAsks(h, acme)
		says(member.SaysInactive, "")(h, acme, i)
		h.pass(2 * member.InvitationLife)
		says(member.SaysActive, "")(h, acme, i)
		again, err := h.members.Invitation(t.Context(), i.ID)
		if err != nil || again.Token == i.Token || again.LinkExpired(h.now()) {
			t.Errorf("%+v: %v", again, err)
		}
		if l := h.mailed(); len(h.letters) != 1 || l.To != ada {
			t.Errorf("%d letters, the last to %s", len(h.letters), l.To)
		}
		if by, err := h.members.InvitationByToken(t.Context(), again.Token); err != nil || by.ID != i.ID {
			t.Errorf("%+v: %v", by, err)
		}
	})
}

// Whom the directory first shuts out and then deletes has no invitation any more, and is asked in anew.
func TestInvitation_of_somebody_who_is_shut_out_and_then_deleted_is_taken_back(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme := h.organization("Acme")
		i := directoryAsks(h, acme)
		says(member.SaysInactive, "")(h, acme, i)
		says(member.SaysRemoved, "")(h, acme, i)
		if is, err := h.members.Invitation(t.Context(), i.ID); err != nil || is.State != member.InvitationRevoked {
			t.Errorf("%s: %v", is.State, err)
		}
		says(member.SaysActive, "")(h, acme, i)
		if m := h.state(i.MembershipID); m.State != member.Pending || m.InvitationID == string(i.ID) {
			t.Errorf("%s by %s", m.State, m.InvitationID)
		}
		if n := h.sent(); n != 1 {
			t.Errorf("%d letters, want 1", n)
		}
		h.wantEvents("created", "revoked", "created")
	})
}

func TestInvitation_of_a_blocked_person_is_revoked_with_the_membership(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme := h.organization("Acme")
		i := directoryAsks(h, acme)
		says(member.SaysInactive, "")(h, acme, i)
		revoked, err := h.members.RevokeInvitation(t.Context(), operator(), i.ID)
		if err != nil || revoked.State != member.InvitationRevoked || h.state(i.MembershipID).State != member.Removed {
			t.Errorf("%s: %v", revoked.State, err)
		}
		h.wantEvents("created", "revoked")
	})
}

func (h *hosts) freeze(acme, directoryID string) {
	h.t.Helper()
	h.must(h.db.Tx(h.t.Context(), func(tx db.Tx) error {
		return h.members.FreezeTx(h.t.Context(), tx, acme, directoryID, directorys(directoryID))
	}))
}

// The last word of a directory that is gone says nothing about whether a living one would let the invited person in.
func TestPerson_whom_a_living_directory_shuts_out_is_not_invited_for_what_one_that_is_gone_said(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme := h.organization("Acme")
		first := person(acme)
		first.Provisioning = member.Direct
		m := h.applied(first, member.OutcomeActivated)
		second := first
		second.DirectoryID, second.DirectoryUserID, second.Says = "directory_2", "directory_user_2", member.SaysInactive
		_, err := h.apply(second)
		h.must(err)
		h.freeze(acme, first.DirectoryID)
		h.must(h.members.Remove(t.Context(), operator(), m.Membership.ID))
		_, err = h.members.Invite(t.Context(), operator(), member.NewInvitation{OrganizationID: acme, Email: ada})
		managed(t, err)
		if n := h.sent(); n != 0 {
			t.Errorf("%d letters", n)
		}
	})
}

func TestPerson_whom_a_directory_that_is_gone_asked_in_comes_in_when_a_hand_lifts_their_block(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme := h.organization("Acme")
		i := directoryAsks(h, acme)
		_, err := h.members.Deactivate(t.Context(), operator(), i.MembershipID)
		h.must(err)
		h.freeze(acme, i.DirectoryID)
		_, err = h.members.Reactivate(t.Context(), operator(), i.MembershipID)
		h.must(err)
		if m := h.state(i.MembershipID); m.State != member.Pending || m.InvitationID != string(i.ID) {
			t.Fatalf("%s, %s, by %q", m.State, m.Why, m.InvitationID)
		}
		if n := h.sent(); n != 1 {
			t.Errorf("%d letters", n)
		}
		_, err = h.members.AcceptInvitation(t.Context(), operator(), i.ID)
		h.must(err)
	})
}

func TestPerson_whose_account_is_deprovisioned_is_mailed_an_invitation_when_it_is_given_back(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		home, acme := h.organization("Home"), h.organization("Acme")
		d := person(home)
		d.Provisioning = member.Direct
		h.applied(d, member.OutcomeActivated)
		says(member.SaysInactive, "")(h, home, member.Invitation{})
		i := h.invite(member.NewInvitation{OrganizationID: acme, Email: ada})
		if m := h.state(i.MembershipID); m.Why != member.WhyAccountDeprovisioned || i.State != member.InvitationPending {
			t.Fatalf("%s, %s; invitation %s", m.State, m.Why, i.State)
		}
		if n := h.sent(); n != 0 {
			t.Errorf("%d letters went out to a leaver", n)
		}
		says(member.SaysActive, "")(h, home, member.Invitation{})
		if m := h.state(i.MembershipID); m.State != member.Pending {
			t.Errorf("%s, %s", m.State, m.Why)
		}
		if n := h.sent(); n != 1 {
			t.Errorf("%d letters, want 1", n)
		}
	})
}
