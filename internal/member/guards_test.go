package member_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/member"
)

// rows is everything of a query, as text.
func (h *house) rows(text string, args ...any) string {
	h.t.Helper()
	found, err := h.db.Query(h.t.Context(), text, args...)
	h.must(err)
	defer found.Close()
	var b strings.Builder
	for found.Next() {
		var row string
		h.must(found.Scan(&row))
		fmt.Fprintln(&b, row)
	}
	h.must(found.Err())
	return b.String()
}

// of is all that is stored of a user, at one organization or ("") everywhere.
func (h *house) of(id member.UserID, organizationID string) string {
	h.t.Helper()
	return h.rows(`SELECT email || ' ' || version || ' ' || COALESCE(first_name, '') || ' ' || COALESCE(home_organization_id, '') || ' ' ||
			COALESCE(CASE WHEN $2 = '' THEN last_sign_in_at END, 0) || ' ' || COALESCE(deleted_at, 0) FROM users WHERE id = $1`, string(id), organizationID) +
		h.rows(`SELECT id || ' ' || organization_id || ' ' || state || ' ' || why || ' ' || version || ' ' || COALESCE(directory_user_id, '') FROM organization_memberships
			WHERE user_id = $1 AND (organization_id = $2 OR $2 = '') ORDER BY id`, string(id), organizationID) +
		h.rows(`SELECT connection_id || ' ' || idp_id || ' ' || linked_by || ' ' || last_used_at FROM user_identities
			WHERE user_id = $1 AND (organization_id = $2 OR $2 = '') ORDER BY connection_id, idp_id`, string(id), organizationID)
}

// Each condition of the statements, beside rows of others that they must not touch: another person's at the same organization under ids of
// the same look, and the person's own at another organization.
func TestVerbs_touch_nobody_else_and_no_other_organization(t *testing.T) {
	onEach(t, func(h *house) {
		acme, other := h.organization("Acme"), h.organization("Other")
		ada, _ := h.in(inDirectory(arrival(acme, "1", "ada@acme.example"), "directory_user_1", member.JoinedByExternalID, "1"))
		bob, _ := h.in(inDirectory(arrival(acme, "2", "bob@acme.example"), "directory_user_2", member.JoinedByExternalID, "2"))
		guest := arrival(other, "1", "ada@acme.example")
		guest.EmailVerified, guest.Trust = true, true
		h.in(inDirectory(guest, "directory_user_3", member.JoinedByExternalID, "1"))
		h.in(inDirectory(arrival(other, "2", "bob@acme.example"), "directory_user_4", member.JoinedByExternalID, "2"))
		again := inDirectory(arrival(acme, "1", "ada@acme.example"), "directory_user_1", member.JoinedByExternalID, "1")
		renamed := again
		renamed.FirstName = "Augusta"
		signIn := func(a member.Arrival) func() error {
			return func() error {
				time.Sleep(2 * time.Millisecond) // so that what is touched shows it
				_, _, err := h.signIn(a)
				return err
			}
		}
		for _, step := range []struct {
			name string
			do   func() error
		}{
			{"sign-in", signIn(again)},
			{"sign-in with another name", signIn(renamed)},
			{"deactivation", func() error { _, err := h.members.Deactivate(t.Context(), operator(), ada.Membership.ID); return err }},
			{"reactivation", func() error { _, err := h.members.Reactivate(t.Context(), operator(), ada.Membership.ID); return err }},
			{"unlinking", func() error { return h.members.Unlink(t.Context(), operator(), acme, "conn_of_"+acme, "1") }},
			{"sign-in after it", signIn(again)},
			{"removal", func() error { return h.members.Remove(t.Context(), operator(), ada.Membership.ID) }},
		} {
			bobs, elsewhere, before := h.of(bob.User.ID, ""), h.of(ada.User.ID, other), h.of(ada.User.ID, "")
			if err := step.do(); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			if now := h.of(bob.User.ID, ""); now != bobs {
				t.Errorf("%s changed another person:\n%swas\n%s", step.name, now, bobs)
			}
			if now := h.of(ada.User.ID, other); now[strings.IndexByte(now, '\n'):] != elsewhere[strings.IndexByte(elsewhere, '\n'):] {
				t.Errorf("%s changed another organization:\n%swas\n%s", step.name, now, elsewhere)
			}
			if h.of(ada.User.ID, "") == before {
				t.Errorf("%s changed nothing", step.name)
			}
		}
		places, err := h.members.MembersOf(t.Context(), bob.User.ID)
		if err != nil || len(places) != 2 || places[0].User.ID != bob.User.ID || places[1].User.ID != bob.User.ID {
			t.Errorf("members: %+v, %v", places, err)
		}
		known, err := h.members.Identities(t.Context(), bob.User.ID)
		if err != nil || len(known) != 2 || known[0].IDPID != "2" || known[1].IDPID != "2" {
			t.Errorf("identities: %+v, %v", known, err)
		}
		bobs := h.of(bob.User.ID, "")
		h.must(h.members.DeleteUser(t.Context(), operator(), ada.User.ID))
		if now := h.of(bob.User.ID, ""); now != bobs {
			t.Errorf("deletion changed another person:\n%swas\n%s", now, bobs)
		}
		if _, err := h.members.User(t.Context(), ada.User.ID); err == nil {
			t.Error("a deleted user is found")
		}
	})
}

// What Facts read may have changed before the write: then the write has to lose, whatever it was.
func TestAdmission_of_what_has_changed_meanwhile_is_lost(t *testing.T) {
	for name, change := range map[string]string{
		"the user":                `UPDATE users SET version = version + 1 WHERE id = $1`,
		"the user is deleted":     `UPDATE users SET deleted_at = 1 WHERE id = $1`,
		"the membership":          `UPDATE organization_memberships SET version = version + 1 WHERE user_id = $1`,
		"the identity is gone":    `DELETE FROM user_identities WHERE user_id = $1`,
		"the identity is another": `UPDATE user_identities SET user_id = 'user_other' WHERE user_id = $1`,
	} {
		for _, first := range []string{"Ada", "Augusta"} { // the same name, or a change of the account
			t.Run(strings.ReplaceAll(name+" "+first, " ", "_"), func(t *testing.T) {
				onEach(t, func(h *house) {
					acme := h.organization("Acme")
					ad, _ := h.in(arrival(acme, "1", "ada@acme.example"))
					h.in(arrival(acme, "2", "bob@acme.example"))
					a := arrival(acme, "1", "ada@acme.example")
					a.FirstName = first
					f, err := h.members.Facts(t.Context(), h.db, a)
					h.must(err)
					next, err := member.Admit(f, a, time.Now())
					h.must(err)
					if strings.HasSuffix(name, "another") {
						h.must(h.db.Tx(t.Context(), func(tx db.Tx) error {
							_, err := tx.Exec(t.Context(), `INSERT INTO users (id, email, email_key, email_verified, metadata, version, created_at, updated_at)
								VALUES ('user_other', 'x@acme.example', 'x@acme.example', $1, '{}', 1, 1, 1)`, true)
							return err
						}))
					}
					h.must(h.db.Tx(t.Context(), func(tx db.Tx) error {
						_, err := tx.Exec(t.Context(), change, string(ad.User.ID))
						return err
					}))
					var w db.Write
					h.must(h.members.AdmitInto(context.Background(), &w, next, event.Context{Actor: operator()}))
					var lost *db.GuardError
					if err := h.db.Write(t.Context(), &w); !errors.As(err, &lost) {
						t.Errorf("written all the same: %v", err)
					}
				})
			})
		}
	}
}

func TestConnections_of_one_organization_are_kept_apart(t *testing.T) {
	onEach(t, func(h *house) {
		acme, other := h.organization("Acme"), h.organization("Other")
		first := inDirectory(arrival(acme, "1", "ada@acme.example"), "directory_user_1", member.JoinedByExternalID, "1")
		ada, _ := h.in(first)
		second := first
		second.ConnectionID = "conn_second"
		if linked, _ := h.in(second); linked.User.ID != ada.User.ID {
			t.Fatalf("another account: %s", linked.User.ID)
		}
		h.in(inDirectory(arrival(acme, "2", "bob@acme.example"), "directory_user_2", member.JoinedByExternalID, "2"))
		at := func() string {
			return h.rows(`SELECT last_used_at || '' FROM user_identities WHERE connection_id = 'conn_second'`)
		}
		before := at()
		time.Sleep(2 * time.Millisecond)
		h.in(first)
		if at() != before {
			t.Error("the use of one connection was written to the other")
		}
		for _, c := range [][4]string{
			{acme, first.ConnectionID, "1", "directory_user_1"},
			{acme, first.ConnectionID, "2", "directory_user_2"},
			{acme, first.ConnectionID, "3", ""},
			{acme, "conn_third", "1", ""},
			{other, first.ConnectionID, "1", ""},
		} {
			if got, err := h.members.Joined(t.Context(), h.db, c[0], c[1], c[2]); err != nil || got != c[3] {
				t.Errorf("%v: joined with %q, %v", c, got, err)
			}
		}
		// The directory person of another organization is nobody here.
		eve, _ := h.in(inDirectory(arrival(other, "9", "eve@other.example"), "directory_user_1", member.JoinedByExternalID, "9"))
		if eve.User.ID == ada.User.ID {
			t.Error("somebody came into another person's account by the directory of another organization")
		}
		h.must(h.db.Tx(t.Context(), func(tx db.Tx) error { return h.members.DeleteConnectionTx(t.Context(), tx, other, "conn_second") }))
		if at() != before {
			t.Error("another organization deleted the connection's identities")
		}
		h.must(h.members.Unlink(t.Context(), operator(), acme, first.ConnectionID, "1"))
		if at() != before {
			t.Error("both were unlinked")
		}
		if err := h.members.Unlink(t.Context(), operator(), acme, "conn_third", "1"); err == nil {
			t.Error("unlinked at a connection that has no such id")
		}
	})
}

func TestDeletion_of_an_organization_leaves_the_others(t *testing.T) {
	onEach(t, func(h *house) {
		acme, other := h.organization("Acme"), h.organization("Other")
		ada, _ := h.in(arrival(acme, "1", "ada@acme.example"))
		h.in(arrival(other, "1", "ada@acme.example"))
		bob, _ := h.in(arrival(other, "2", "bob@other.example"))
		adas := h.of(ada.User.ID, acme)
		h.must(h.db.Tx(t.Context(), func(tx db.Tx) error { return h.members.DeleteOrganizationTx(t.Context(), tx, operator(), other) }))
		if now := h.of(ada.User.ID, acme); now != adas {
			t.Errorf("the other organization's:\n%swas\n%s", now, adas)
		}
		if now := h.of(bob.User.ID, other); strings.Count(now, "\n") != 1 || strings.Contains(now, other) {
			t.Errorf("left behind:\n%s", now)
		}
	})
}

func TestDeletion_of_an_organization_gives_back_whom_it_had_deprovisioned(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme, other, third := h.organization("Acme"), h.organization("Other"), h.organization("Third")
		// Ada is at home in one and Bob in another; both are guests of the third.
		guest := func(home string, d member.DirectoryPerson) member.Member {
			d.Provisioning = member.Direct
			m := h.applied(d, member.OutcomeActivated)
			m, err := h.members.CreateMembership(t.Context(), operator(), member.NewMembership{OrganizationID: third, UserID: m.User.ID})
			h.must(err)
			d.Says = member.SaysInactive
			h.must(h.restrict(d))
			if m, err = h.members.MemberOf(t.Context(), third, m.User.ID); m.User.DeprovisionedBy != home {
				t.Errorf("%+v, %v", m.User, err)
			}
			h.is(m, member.Inactive, member.WhyAccountDeprovisioned, false)
			return m
		}
		adas := guest(acme, person(acme))
		bob := person(other)
		bob.Email, bob.DirectoryUserID, bob.DirectoryID = "bob@other.example", "directory_user_2", "directory_2"
		bobs := guest(other, bob)
		_, err := h.members.Deactivate(t.Context(), operator(), bobs.Membership.ID)
		h.must(err)

		before := len(h.all(0))
		h.must(h.db.Tx(t.Context(), func(tx db.Tx) error { return h.members.DeleteOrganizationTx(t.Context(), tx, operator(), acme) }))
		h.wantAll(before, "user.reactivated", "organization_membership.updated")
		m, err := h.members.Member(t.Context(), adas.Membership.ID)
		h.must(err)
		h.is(m, member.Active, member.WhyAPI, false)
		if u := m.User; u.DeprovisionedBy != "" || !u.DeprovisionedAt.IsZero() || u.HomeOrganizationID != "" {
			t.Errorf("%+v", u)
		}
		h.in(func() member.Arrival {
			a := arrival(third, "1", ada)
			a.EmailVerified, a.Trust = true, true
			return a
		}())
		m, err = h.members.Member(t.Context(), bobs.Membership.ID)
		h.must(err)
		h.is(m, member.Inactive, member.WhyAccountDeprovisioned, false)

		// What a hand has blocked stays blocked.
		h.must(h.db.Tx(t.Context(), func(tx db.Tx) error { return h.members.DeleteOrganizationTx(t.Context(), tx, operator(), other) }))
		m, err = h.members.Member(t.Context(), bobs.Membership.ID)
		h.must(err)
		h.is(m, member.Inactive, member.WhyDeactivated, false)
	})
}

func TestDeleted_account_of_whom_a_directory_wants_out_is_not_let_in_anew(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme, other := h.organization("Acme"), h.organization("Other")
		d := person(acme)
		d.Provisioning = member.Direct
		m := h.applied(d, member.OutcomeActivated)
		_, err := h.members.CreateMembership(t.Context(), operator(), member.NewMembership{OrganizationID: other, UserID: m.User.ID})
		h.must(err)
		d.Says = member.SaysInactive
		h.must(h.restrict(d))
		h.must(h.members.DeleteUser(t.Context(), operator(), m.User.ID))

		again, err := h.members.CreateUser(t.Context(), operator(), member.NewUser{Email: ada, EmailVerified: true})
		h.must(err)
		_, err = h.members.CreateMembership(t.Context(), operator(), member.NewMembership{OrganizationID: acme, UserID: again.ID})
		managed(t, err)
		_, err = h.members.Invite(t.Context(), operator(), member.NewInvitation{OrganizationID: acme, Email: ada})
		managed(t, err)
		_, err = h.members.CreateMembership(t.Context(), operator(), member.NewMembership{OrganizationID: other, UserID: again.ID})
		h.must(err) // where no directory says so

		h.applied(d, member.OutcomeStored)
		d.Says = member.SaysActive
		m = h.applied(d, member.OutcomeLinked)
		h.is(m, member.Active, member.WhyDirectory, true)
		if m.User.ID != again.ID {
			t.Errorf("%+v", m.User)
		}
	})
}

func TestDeleted_account_whom_a_directory_wants_in_is_made_anew_by_its_next_word(t *testing.T) {
	onEachInviting(t, func(h *house) {
		d := person(h.organization("Acme"))
		d.Provisioning = member.Direct
		first := h.applied(d, member.OutcomeActivated)
		h.must(h.members.DeleteUser(t.Context(), operator(), first.User.ID))
		m := h.applied(d, member.OutcomeActivated)
		h.is(m, member.Active, member.WhyDirectory, true)
		if m.User.ID == first.User.ID {
			t.Errorf("%+v", m.User)
		}
	})
}
