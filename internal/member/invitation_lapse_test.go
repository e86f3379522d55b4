package member_test

import (
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
)

func TestMembership_of_an_expired_invitation_goes_and_comes_back_with_another(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme := h.organization("Acme")
		i := h.invite(member.NewInvitation{OrganizationID: acme, Email: "ada@home.example", ExpiresInDays: 2, Role: ""})
		h.pass(47 * time.Hour)
		h.must(h.members.LapseInvitations(t.Context()))
		if m := h.state(i.MembershipID); m.State != member.Pending {
			t.Errorf("before its time: %+v", m)
		}
		h.pass(time.Hour)
		mark := len(h.all(0))
		h.must(h.members.LapseInvitations(t.Context()))
		h.must(h.members.LapseInvitations(t.Context())) // once is enough
		if m := h.state(i.MembershipID); m.State != member.Removed || m.Why != member.WhyInvitationExpired {
			t.Errorf("after its time: %+v", m)
		}
		h.wantAll(mark, "organization_membership.deleted")
		got, err := h.members.InvitationByToken(t.Context(), i.Token)
		if err != nil || got.State != member.InvitationExpired {
			t.Errorf("%+v: %v", got, err)
		}
		_, err = h.members.ResendInvitation(t.Context(), operator(), i.ID, "")
		h.wantRefused(err, fault.Invalid, "invite_expired")

		next := h.invite(member.NewInvitation{OrganizationID: acme, Email: "ada@home.example"})
		if m := h.state(i.MembershipID); next.MembershipID != i.MembershipID || m.State != member.Pending || m.Why != member.WhyInvited {
			t.Errorf("%s, %+v", next.MembershipID, m)
		}
		if old, err := h.members.RevokeInvitation(t.Context(), operator(), i.ID); err != nil || old.State != member.InvitationRevoked {
			t.Errorf("%+v: %v", old, err)
		}
		if m := h.state(i.MembershipID); m.State != member.Pending {
			t.Errorf("revoking the old invitation took the new one's membership: %+v", m)
		}
		_, err = h.members.AcceptInvitationAs(t.Context(), next.ID, h.user("ada@home.example").ID, false)
		h.must(err)
		if m := h.state(i.MembershipID); m.State != member.Active || m.Why != member.WhyInvitation {
			t.Errorf("%+v", m)
		}
	})
}

func TestExpired_invitation_takes_nobody_whom_others_want(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme := h.organization("Acme")
		wanted := h.invite(member.NewInvitation{OrganizationID: acme, Email: "bob@acme.example", ExpiresInDays: 1})
		d := named(acme, "bob", access.Mapped{})
		d.Provisioning = member.ExistingOnly
		_, err := h.apply(d)
		h.must(err)
		asked := h.invite(member.NewInvitation{OrganizationID: acme, Email: "cid@acme.example", ExpiresInDays: 1})
		adopted := named(acme, "cid", access.Mapped{})
		adopted.Provisioning = member.Invite
		_, err = h.apply(adopted)
		h.must(err)
		in := h.invite(member.NewInvitation{OrganizationID: acme, Email: "eve@acme.example", ExpiresInDays: 1})
		h.in(arrival(acme, "eve", "eve@acme.example"))
		app := h.invite(member.NewInvitation{Email: "dan@acme.example", ExpiresInDays: 1})

		h.pass(25 * time.Hour)
		h.must(h.members.LapseInvitations(t.Context()))
		for id, want := range map[member.MembershipID]member.State{wanted.MembershipID: member.Pending, asked.MembershipID: member.Pending, in.MembershipID: member.Active} {
			if m := h.state(id); m.State != want {
				t.Errorf("%+v, want %s", m, want)
			}
		}
		for id, want := range map[member.InvitationID]member.InvitationState{
			wanted.ID: member.InvitationExpired, asked.ID: member.InvitationPending, in.ID: member.InvitationAccepted, app.ID: member.InvitationExpired,
		} {
			if i, err := h.members.Invitation(t.Context(), id); err != nil || i.State != want {
				t.Errorf("%+v, want %s: %v", i, want, err)
			}
		}
		d.Says = member.SaysRemoved // and once the directory does not want them any more, nobody does
		h.must(h.restrict(d))
		if m := h.state(wanted.MembershipID); m.State != member.Removed {
			t.Errorf("%+v", m)
		}
	})
}

func TestMail_of_an_invitation_that_has_come_to_its_end_is_not_sent(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme := h.organization("Acme")
		h.invite(member.NewInvitation{OrganizationID: acme, Email: "ada@acme.example"})
		h.in(arrival(acme, "1", "ada@acme.example")) // comes in before the mail has gone out
		taken := h.invite(member.NewInvitation{OrganizationID: acme, Email: "bob@acme.example"})
		_, err := h.members.RevokeInvitation(t.Context(), operator(), taken.ID)
		h.must(err)
		again := h.invite(member.NewInvitation{OrganizationID: acme, Email: "cid@acme.example"})
		h.pass(member.InvitationMailPause)
		_, err = h.members.ResendInvitation(t.Context(), operator(), again.ID, "")
		h.must(err)
		if l := h.mailed(); l.To != "cid@acme.example" || len(h.letters) != 1 {
			t.Errorf("%d letters, the last %+v", len(h.letters), l)
		}
		if n := h.count(`SELECT COUNT(*) FROM mails WHERE state = 'withdrawn' AND content IS NULL AND next_at IS NULL AND finished_at IS NOT NULL`); n != 3 {
			t.Errorf("%d mails are withdrawn, want 3", n)
		}
		h.pass(member.InvitationMailPause)
		_, err = h.members.RevokeInvitation(t.Context(), operator(), again.ID)
		h.must(err)
		if n := h.count(`SELECT COUNT(*) FROM mails WHERE state = 'sent'`); n != 1 {
			t.Errorf("%d mails were sent, want 1 to stay so", n)
		}
	})
}
