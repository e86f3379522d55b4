package member_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
)

func TestSomebody_who_arrived_inactive_becomes_a_member_by_no_other_way(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme, other := h.organization("Acme"), h.organization("Other")
		u, err := h.members.CreateUser(t.Context(), operator(), member.NewUser{Email: "Ada@acme.example"})
		h.must(err)
		d := named(acme, "ada", access.Mapped{})
		d.Says = member.SaysInactive
		h.must(h.restrict(d))
		stranger := named(acme, "bob", access.Mapped{})
		stranger.Says = member.SaysInactive
		h.must(h.restrict(stranger))

		_, err = h.members.CreateMembership(t.Context(), operator(), member.NewMembership{OrganizationID: acme, UserID: u.ID})
		managed(t, err)
		for _, email := range []string{"ada@acme.example", "bob@acme.example"} {
			_, err = h.members.Invite(t.Context(), operator(), member.NewInvitation{OrganizationID: acme, Email: email})
			managed(t, err)
			a := arrival(acme, email, email)
			a.EmailVerified, a.Trust = false, true // outside the verified domains nothing joins them
			if email == "bob@acme.example" {       // of ada's account the organization may not even know
				h.refused(a, member.CodeDeprovisioned)
			}
			a.EmailVerified = true
			h.refused(a, member.CodeDeprovisioned)
		}
		_, err = h.members.CreateMembership(t.Context(), operator(), member.NewMembership{OrganizationID: other, UserID: u.ID})
		h.must(err) // whom one organization's directory wants out is another's business

		d.Says = member.SaysActive
		m := h.applied(d, member.OutcomeLinked)
		if m.User.ID != u.ID {
			t.Errorf("%+v", m)
		}
		removed := stranger
		removed.Says = member.SaysRemoved
		h.must(h.restrict(removed)) // the directory does not know them any more: an administrator may ask them in
		_, err = h.members.Invite(t.Context(), operator(), member.NewInvitation{OrganizationID: acme, Email: "bob@acme.example"})
		h.must(err)
	})
}

func TestSomebody_whom_a_directory_shuts_out_cannot_accept_for_another_address(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme := h.organization("Acme")
		u, err := h.members.CreateUser(t.Context(), operator(), member.NewUser{Email: "eve@home.example"})
		h.must(err)
		i, err := h.members.Invite(t.Context(), operator(), member.NewInvitation{OrganizationID: acme, Email: u.Email})
		h.must(err)
		d := named(acme, "eve", access.Mapped{})
		d.Says = member.SaysInactive
		h.must(h.restrict(d))
		_, err = h.members.UpdateUser(t.Context(), operator(), u.ID, member.UserChanges{Email: ptr("eve@acme.example")})
		h.must(err)
		_, err = h.members.AcceptInvitationAs(t.Context(), i.ID, u.ID, true)
		managed(t, err)
		if m, err := h.members.Member(t.Context(), i.MembershipID); err != nil || m.Membership.State != member.Pending {
			t.Errorf("%+v, %v", m.Membership, err)
		}
	})
}

func TestSomebody_whom_a_directory_wants_is_linked_as_soon_as_there_is_an_account(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme := h.organization("Acme")
		var again lookers
		h.members.SetDirectories(&again)
		for _, name := range []string{"ada", "bob", "cid"} {
			d := named(acme, name, access.Mapped{Attributes: map[string]any{"title": "Countess"}})
			d.Provisioning = member.ExistingOnly
			h.applied(d, member.OutcomeNotExisting)
		}
		looked := func(what string, want ...string) {
			t.Helper()
			for i := range want {
				want[i] = acme + " directory_1 directory_user_" + want[i]
			}
			if !slices.Equal(again.due, want) {
				t.Errorf("%s: %v are looked at, want %v", what, again.due, want)
			}
			again.due = nil
		}
		u, err := h.members.CreateUser(t.Context(), operator(), member.NewUser{Email: "ada@acme.example"})
		h.must(err)
		looked("an account was made", "ada")
		m, err := h.members.CreateMembership(t.Context(), operator(), member.NewMembership{OrganizationID: acme, UserID: u.ID})
		h.must(err)
		if m.Membership.State != member.Active || m.Membership.Why != member.WhyDirectory {
			t.Errorf("%+v", m.Membership)
		}
		looked("a member was made", "ada")
		d := named(acme, "ada", access.Mapped{Attributes: map[string]any{"title": "Countess"}})
		d.Provisioning = member.ExistingOnly
		if m = h.applied(d, member.OutcomeUpdated); m.Membership.DirectoryUserID != d.DirectoryUserID || m.Membership.CustomAttributes["title"] != "Countess" {
			t.Errorf("%+v", m.Membership)
		}

		a := arrival(acme, "2", "bob@acme.example")
		if in := h.entered(a); in.Why != member.WhyDirectory {
			t.Errorf("%+v", in)
		}
		looked("somebody signed in", "bob")
		h.applied(d, member.OutcomeUnchanged)
		_, err = h.members.CreateUser(t.Context(), operator(), member.NewUser{Email: "dan@acme.example"})
		h.must(err)
		looked("nobody's account")
	})
}

func TestSomebody_who_is_in_stays_whatever_is_said_of_nobody(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme := h.organization("Acme")
		h.in(arrival(acme, "1", ada))
		d := named(acme, "ada", access.Mapped{})
		d.Says, d.Email = member.SaysInactive, "" // arrived without an address: nothing joins them
		h.must(h.restrict(d))
		_, _, err := h.signIn(arrival(acme, "1", ada))
		if err != nil || fault.Is(err, fault.Forbidden) {
			t.Error(err)
		}
	})
}

// The write that is computed first is stored last.
func TestDirectorys_word_of_nobody_and_a_new_member_do_not_miss_each_other(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme := h.organization("Acme")
		lost := func(what string, w *db.Write) {
			t.Helper()
			var guard *db.GuardError
			if err := h.db.Write(t.Context(), w); !errors.As(err, &guard) {
				t.Errorf("%s: %v, want a lost guard", what, err)
			}
		}
		out := func(name string) member.DirectoryPerson {
			d := named(acme, name, access.Mapped{})
			d.Says = member.SaysInactive
			return d
		}
		u, err := h.members.CreateUser(t.Context(), operator(), member.NewUser{Email: "ada@acme.example"})
		h.must(err)
		var word db.Write
		h.must(h.members.RestrictInto(t.Context(), h.db, &word, out("ada"), nil, directorys("directory_1")))
		_, err = h.members.CreateMembership(t.Context(), operator(), member.NewMembership{OrganizationID: acme, UserID: u.ID})
		h.must(err)
		lost("a word of nobody who has become somebody", &word)

		for _, mapped := range []access.Mapped{{}, {Attributes: map[string]any{"a": "b"}}} { // as it is written where nothing is mapped, and where something is
			name := fmt.Sprint("bob", len(mapped.Attributes))
			a := arrival(acme, name, name+"@acme.example")
			a.Mapped = mapped
			f, err := h.members.Facts(t.Context(), h.db, a)
			h.must(err)
			ad, err := member.Admit(f, a, time.Now())
			h.must(err)
			var in db.Write
			h.must(h.members.AdmitInto(t.Context(), &in, ad, directorys("directory_1")))
			h.must(h.restrict(out(name)))
			lost("a new member whom a directory has just put out", &in)
		}
	})
}
