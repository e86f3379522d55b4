package member_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
)

func TestFirst_sign_in_makes_a_user_and_the_next_finds_them(t *testing.T) {
	onEach(t, func(h *house) {
		acme := h.organization("Acme")
		first, _ := h.in(arrival(acme, "1", "Ada@acme.example"))
		h.wantTold(0, "user.created", "organization_membership.created")
		again, _ := h.in(arrival(acme, "1", "Ada@acme.example"))
		h.wantTold(2)
		if !first.Created() || again.Created() || again.User.ID != first.User.ID || again.Membership.ID != first.Membership.ID {
			t.Errorf("first %+v\nagain %+v", first, again)
		}
		u, err := h.members.UserByEmail(t.Context(), "ada@ACME.example")
		h.must(err)
		if u.ID != first.User.ID || u.Email != "Ada@acme.example" || !u.EmailVerified || u.HomeOrganizationID != acme || u.Name() != "Ada Lovelace" ||
			!u.LastSignInAt.Equal(again.User.LastSignInAt) || u.Version != 1 {
			t.Errorf("stored %+v", u)
		}
		m, err := h.members.MemberOf(t.Context(), acme, u.ID)
		h.must(err)
		if m.Membership.State != member.Active || !m.Membership.Primary || m.Membership.Why != member.WhySignIn || m.User.ID != u.ID {
			t.Errorf("stored %+v", m)
		}
		known, err := h.members.Identities(t.Context(), u.ID)
		h.must(err)
		if len(known) != 1 || known[0].IDPID != "1" || known[0].LinkedBy != member.LinkedByCreation || !known[0].LastUsedAt.Equal(again.Identity.LastUsedAt) {
			t.Errorf("identities %+v", known)
		}
	})
}

func TestFirst_sign_ins_of_one_person_at_the_same_time_make_one_user(t *testing.T) {
	onEach(t, func(h *house) {
		acme := h.organization("Acme")
		var at sync.WaitGroup
		for range 16 {
			at.Go(func() {
				if _, _, err := h.signIn(arrival(acme, "1", "ada@acme.example")); err != nil {
					t.Error(err)
				}
			})
		}
		at.Wait()
		for _, table := range []string{"users", "user_identities", "organization_memberships"} {
			if n := h.count(`SELECT COUNT(*) FROM ` + table); n != 1 {
				t.Errorf("%d rows in %s", n, table)
			}
		}
		if n := h.count(`SELECT COUNT(*) FROM sessions`); n != 16 {
			t.Errorf("%d sessions", n)
		}
		h.wantTold(0, "user.created", "organization_membership.created")
	})
}

func TestFirst_sign_ins_at_two_organizations_at_the_same_time_make_one_user(t *testing.T) {
	onEach(t, func(h *house) {
		for range 5 {
			one, two := h.organization("One"), h.organization("Two")
			var at sync.WaitGroup
			for _, o := range []string{one, two} {
				at.Go(func() {
					if _, _, err := h.signIn(arrival(o, "1", "ada@"+o[4:]+".shared.example")); err != nil {
						t.Error(err)
					}
					// the same address at both, as after a domain has moved
					if _, _, err := h.signIn(arrival(o, "2", "bob@"+one[4:]+".example")); err != nil {
						t.Error(err)
					}
				})
			}
			at.Wait()
			if n := h.count(`SELECT COUNT(*) FROM users WHERE email_key = $1`, "bob@"+lower(one[4:])+".example"); n != 1 {
				t.Errorf("%d users", n)
			}
			if n := h.count(`SELECT COUNT(*) FROM organization_memberships m JOIN users u ON u.id = m.user_id WHERE u.email_key = $1 AND m.is_primary`,
				"bob@"+lower(one[4:])+".example"); n != 1 {
				t.Errorf("primary in %d organizations", n)
			}
		}
	})
}

func lower(s string) string {
	key, _ := member.EmailKey("x@" + s + ".example")
	return key[2 : len(key)-len(".example")]
}

func TestAccount_that_is_primary_nowhere_becomes_primary_and_elsewhere_a_guest(t *testing.T) {
	onEach(t, func(h *house) {
		acme, guestly := h.organization("Acme"), h.organization("Guestly")
		var w db.Write
		u, err := h.members.SignUpInto(t.Context(), &w, "ada@acme.example", event.Context{Actor: operator()})
		h.must(err)
		h.must(h.db.Write(t.Context(), &w))
		h.wantTold(0, "user.created")
		ad, _ := h.in(arrival(acme, "1", "ada@acme.example"))
		if ad.User.ID != u.ID || !ad.Membership.Primary || ad.Identity.LinkedBy != member.LinkedByEmail || ad.User.FirstName != "Ada" {
			t.Errorf("at home: %+v", ad)
		}
		h.wantTold(1, "user.updated", "organization_membership.created")
		a := arrival(guestly, "1", "ada@acme.example")
		a.FirstName = "Guest"
		ad, _ = h.in(a)
		if ad.User.ID != u.ID || ad.Membership.Primary || ad.User.HomeOrganizationID != acme || ad.User.FirstName != "Ada" {
			t.Errorf("elsewhere: %+v", ad)
		}
		h.wantTold(3, "organization_membership.created")
		places, err := h.members.MembersOf(t.Context(), u.ID)
		h.must(err)
		if len(places) != 2 || places[0].Membership.OrganizationID != acme || places[1].Membership.OrganizationID != guestly {
			t.Errorf("memberships %+v", places)
		}
	})
}

// P10: the persistent id wins; the same address under another id of the connection is never linked again.
func TestP10_same_address_under_another_id_is_refused(t *testing.T) {
	onEach(t, func(h *house) {
		acme := h.organization("Acme")
		h.in(arrival(acme, "1", "ada@acme.example"))
		h.refused(arrival(acme, "2", "ADA@acme.example"), member.CodeIdentityConflict)
		h.refused(inDirectory(arrival(acme, "2", "ada@acme.example"), "directory_user_1", member.JoinedByEmail, "ada@acme.example"), member.CodeIdentityConflict)
		if n := h.count(`SELECT COUNT(*) FROM user_identities`); n != 1 {
			t.Errorf("%d identities", n)
		}
	})
}

// P10: an id that the provider has given to somebody else, as the directory shows.
func TestP10_reused_id_does_not_open_the_former_persons_account(t *testing.T) {
	onEach(t, func(h *house) {
		acme := h.organization("Acme")
		h.in(inDirectory(arrival(acme, "ada", "ada@acme.example"), "directory_user_1", member.JoinedByUserName, "ada"))
		h.refused(inDirectory(arrival(acme, "ada", "ada@acme.example"), "directory_user_2", member.JoinedByUserName, "ada"), member.CodeIdentityConflict)
		gone := arrival(acme, "ada", "ada@acme.example")
		gone.JIT, gone.Standing = member.JITDirectory, member.Standing{Says: member.SaysUnknown}
		h.refused(gone, member.CodeDeprovisioned)
		joined, err := h.members.Joined(t.Context(), h.db, acme, "conn_of_"+acme, "ada")
		if err != nil || joined != "directory_user_1" {
			t.Errorf("joined with %q: %v", joined, err)
		}
	})
}

func TestNew_id_takes_the_former_ones_place_where_the_directory_knows_the_person_by_it(t *testing.T) {
	onEach(t, func(h *house) {
		acme := h.organization("Acme")
		first, _ := h.in(inDirectory(arrival(acme, "ada@acme.example", "ada@acme.example"), "directory_user_1", member.JoinedByUserName, "ada@acme.example"))
		renamed := inDirectory(arrival(acme, "ada.king@acme.example", "ada.king@acme.example"), "directory_user_1", member.JoinedByUserName, "Ada.King@acme.example")
		second, _ := h.in(renamed)
		if second.User.ID != first.User.ID || second.User.Email != "ada@acme.example" && second.User.Email != "ada.king@acme.example" {
			t.Errorf("renamed: %+v", second)
		}
		known, err := h.members.Identities(t.Context(), first.User.ID)
		h.must(err)
		if len(known) != 1 || known[0].IDPID != "ada.king@acme.example" || known[0].LinkedBy != member.LinkedByDirectory {
			t.Errorf("identities %+v", known)
		}
		if second.User.Email != "ada.king@acme.example" {
			t.Errorf("the address did not follow: %s", second.User.Email)
		}
		h.wantTold(2, "user.updated")
	})
}

func TestAddress_follows_the_provider_unless_somebody_has_it(t *testing.T) {
	onEach(t, func(h *house) {
		acme := h.organization("Acme")
		ada, _ := h.in(arrival(acme, "1", "ada@acme.example"))
		h.in(arrival(acme, "2", "bob@acme.example"))
		moved, _ := h.in(arrival(acme, "1", "bob@acme.example"))
		if moved.User.ID != ada.User.ID || moved.User.Email != "ada@acme.example" {
			t.Errorf("took an address: %+v", moved.User)
		}
		moved, _ = h.in(arrival(acme, "1", "countess@acme.example"))
		if moved.User.ID != ada.User.ID || moved.User.Email != "countess@acme.example" {
			t.Errorf("did not follow: %+v", moved.User)
		}
		if _, err := h.members.UserByEmail(t.Context(), "ada@acme.example"); !fault.Is(err, fault.NotFound) {
			t.Errorf("the former address still finds somebody: %v", err)
		}
		h.wantTold(4, "user.updated")
	})
}

// P09: an address outside the verified domains opens nobody's account.
func TestP09_address_outside_verified_domains_never_links(t *testing.T) {
	onEach(t, func(h *house) {
		acme, evil := h.organization("Acme"), h.organization("Evil")
		ada, _ := h.in(arrival(acme, "1", "ceo@acme.example"))
		a := arrival(evil, "1", "ceo@acme.example")
		a.EmailVerified = false
		h.refused(a, member.CodeEmailDomain)
		a.Trust = true
		h.refused(a, member.CodeEmailDomain)
		a.Email = "somebody@free.example"
		ad, _ := h.in(a)
		if ad.User.ID == ada.User.ID || ad.User.EmailVerified || ad.Membership.Primary || ad.User.HomeOrganizationID != "" {
			t.Errorf("let in as %+v", ad)
		}
		a.Email = "ceo@acme.example" // known by now, and says that it is somebody else
		ad, _ = h.in(a)
		if ad.User.ID == ada.User.ID || ad.User.Email != "somebody@free.example" {
			t.Errorf("let in as %+v", ad)
		}
	})
}

// An organization that was there first with somebody's unproven address has nothing of the account once they prove it.
func TestP20_account_made_before_its_address_was_proven_is_left_to_who_proves_it(t *testing.T) {
	onEach(t, func(h *house) {
		evil, acme := h.organization("Evil"), h.organization("Acme")
		for i, prove := range []func(email string) member.UserID{
			func(email string) member.UserID {
				var w db.Write
				u, err := h.members.SignUpInto(t.Context(), &w, email, event.Context{Actor: operator()})
				h.must(err)
				h.must(h.db.Write(t.Context(), &w))
				return u.ID
			},
			func(email string) member.UserID {
				ad, _ := h.in(arrival(acme, email, email))
				return ad.User.ID
			},
		} {
			email := []string{"victim@free.example", "victim@acme.example"}[i]
			a := arrival(evil, email, email)
			a.EmailVerified, a.Trust = false, true
			made, early := h.in(a)
			before := len(h.told(0))
			if id := prove(email); id != made.User.ID {
				t.Fatalf("another account: %s", id)
			}
			if got := h.told(before); len(got) == 0 || got[0] != "user.updated" {
				t.Errorf("events %v", got)
			}
			if h.living(early) {
				t.Error("the early session goes on")
			}
			h.refused(a, member.CodeEmailDomain)
			u, err := h.members.User(t.Context(), made.User.ID)
			h.must(err)
			if !u.EmailVerified {
				t.Error("not proven")
			}
		}
	})
}

func TestConnections_of_other_organizations_share_no_ids(t *testing.T) {
	onEach(t, func(h *house) {
		acme, other := h.organization("Acme"), h.organization("Other")
		ada, _ := h.in(arrival(acme, "1", "ada@acme.example"))
		bob, _ := h.in(arrival(other, "1", "bob@other.example"))
		if ada.User.ID == bob.User.ID {
			t.Error("one account for two people")
		}
		a := arrival(other, "1", "eve@other.example")
		a.ConnectionID = "conn_of_" + acme // a caller's mistake must not cross
		f, err := h.members.Facts(t.Context(), h.db, a)
		h.must(err)
		if f.ByIdentity != nil {
			t.Errorf("found %+v", f.ByIdentity)
		}
	})
}

func TestSign_in_at_an_organization_that_is_deleted_makes_nothing(t *testing.T) {
	onEach(t, func(h *house) {
		for range 5 {
			acme := h.organization("Acme")
			h.in(arrival(acme, "0", "first@"+lower(acme[4:])+".example"))
			var at sync.WaitGroup
			at.Go(func() { _, _, _ = h.signIn(arrival(acme, "0", "first@"+lower(acme[4:])+".example")) })
			at.Go(func() { _, _, _ = h.signIn(arrival(acme, "1", "second@"+lower(acme[4:])+".example")) })
			at.Go(func() {
				h.must(h.db.Tx(context.Background(), func(tx db.Tx) error {
					if err := h.orgs.LockTx(context.Background(), tx, org.ID(acme)); err != nil {
						return err
					}
					if err := h.members.DeleteOrganizationTx(context.Background(), tx, operator(), acme); err != nil {
						return err
					}
					return h.orgs.DeleteTx(context.Background(), tx, operator(), org.ID(acme), time.Now())
				}))
			})
			at.Wait()
			if _, _, err := h.signIn(arrival(acme, "2", "third@"+lower(acme[4:])+".example")); err == nil {
				t.Error("let in at a deleted organization")
			}
			for _, left := range []string{
				`SELECT COUNT(*) FROM organization_memberships WHERE organization_id = $1`, `SELECT COUNT(*) FROM user_identities WHERE organization_id = $1`,
				`SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL AND organization_id = $1`, `SELECT COUNT(*) FROM users WHERE home_organization_id = $1`,
			} {
				if n := h.count(left, acme); n != 0 {
					t.Errorf("%d left by %s", n, left)
				}
			}
		}
	})
}
