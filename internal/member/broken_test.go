package member_test

import (
	"context"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
)

// verb is something that needs tables. It is tried while one of them is not there.
type verb struct {
	needs []string
	do    func(h *house, ad member.Admission) error
}

func inTx(h *house, do func(tx db.Tx) error) error { return h.db.Tx(context.Background(), do) }

func verbs() map[string]verb {
	ctx := context.Background()
	place := []string{"organization_memberships", "users"}
	return map[string]verb{
		"User": {[]string{"users"}, func(h *house, ad member.Admission) error {
			_, err := h.members.User(ctx, ad.User.ID)
			return err
		}},
		"UserByEmail": {[]string{"users"}, func(h *house, ad member.Admission) error {
			_, err := h.members.UserByEmail(ctx, ad.User.Email)
			return err
		}},
		"MembersOf": {place, func(h *house, ad member.Admission) error {
			_, err := h.members.MembersOf(ctx, ad.User.ID)
			return err
		}},
		"MemberOf": {place, func(h *house, ad member.Admission) error {
			_, err := h.members.MemberOf(ctx, ad.Membership.OrganizationID, ad.User.ID)
			return err
		}},
		"List": {place, func(h *house, ad member.Admission) error {
			_, _, err := h.members.List(ctx, member.ListQuery{UserID: ad.User.ID, Limit: 10})
			return err
		}},
		"Identities": {[]string{"user_identities"}, func(h *house, ad member.Admission) error {
			_, err := h.members.Identities(ctx, ad.User.ID)
			return err
		}},
		"Joined": {[]string{"user_identities", "organization_memberships"}, func(h *house, ad member.Admission) error {
			_, err := h.members.Joined(ctx, h.db, ad.Membership.OrganizationID, ad.Identity.ConnectionID, ad.Identity.IDPID)
			return err
		}},
		"Facts": {[]string{"users", "user_identities", "organization_memberships"}, func(h *house, ad member.Admission) error {
			_, err := h.members.Facts(ctx, h.db, arrival(ad.Membership.OrganizationID, ad.Identity.IDPID, ad.User.Email))
			return err
		}},
		"Deactivate": {append(place, "sessions", "events"), func(h *house, ad member.Admission) error {
			_, err := h.members.Deactivate(ctx, operator(), ad.Membership.ID)
			return err
		}},
		"Remove": {append(place, "sessions", "events"), func(h *house, ad member.Admission) error {
			return h.members.Remove(ctx, operator(), ad.Membership.ID)
		}},
		"Unlink": {append(place, "user_identities", "sessions", "events"), func(h *house, ad member.Admission) error {
			return h.members.Unlink(ctx, operator(), ad.Identity.OrganizationID, ad.Identity.ConnectionID, ad.Identity.IDPID)
		}},
		"DeleteUser": {append(place, "user_identities", "sessions", "events", "erasures"), func(h *house, ad member.Admission) error {
			return h.members.DeleteUser(ctx, operator(), ad.User.ID)
		}},
		"DeleteOrganizationTx": {append(place, "user_identities", "sessions"), func(h *house, ad member.Admission) error {
			return inTx(h, func(tx db.Tx) error {
				return h.members.DeleteOrganizationTx(ctx, tx, operator(), ad.Membership.OrganizationID)
			})
		}},
		"DeleteConnectionTx": {[]string{"user_identities"}, func(h *house, ad member.Admission) error {
			return inTx(h, func(tx db.Tx) error {
				return h.members.DeleteConnectionTx(ctx, tx, ad.Membership.OrganizationID, ad.Identity.ConnectionID)
			})
		}},
		"SignUpInto": {[]string{"users"}, func(h *house, ad member.Admission) error {
			var w db.Write
			_, err := h.members.SignUpInto(ctx, &w, ad.User.Email, event.Context{Actor: operator()})
			return err
		}},
		"Present": {[]string{"users"}, func(h *house, _ member.Admission) error { return member.Present(ctx, h.db, nowhere) }},
		"PresentMembers": {place, func(h *house, ad member.Admission) error {
			return member.PresentMembers(ctx, h.db, ad.Membership.OrganizationID, true, nowhere)
		}},
	}
}

func nowhere(event.Type, time.Time, []byte) error { return nil }

// TestVerbs_whose_tables_cannot_be_read_fail_and_change_nothing: no failure of the database is taken for "nobody" or for success.
func TestVerbs_whose_tables_cannot_be_read_fail_and_change_nothing(t *testing.T) {
	onEach(t, func(h *house) {
		acme := h.organization("Acme")
		ad, s := h.in(inDirectory(arrival(acme, "1", "ada@acme.example"), "directory_user_1", member.JoinedByExternalID, "1"))
		before := len(h.told(0))
		rename := func(from, to string) {
			t.Helper()
			h.must(h.db.Tx(t.Context(), func(tx db.Tx) error {
				_, err := tx.Exec(t.Context(), `ALTER TABLE `+from+` RENAME TO `+to)
				return err
			}))
		}
		for name, v := range verbs() {
			for _, table := range v.needs {
				rename(table, "away")
				err := v.do(h, ad)
				rename("away", table)
				if _, refused := fault.As(err); err == nil || refused {
					t.Errorf("%s without %s: %v", name, table, err)
				}
			}
		}
		h.wantTold(before)
		if !h.living(s) {
			t.Error("the session has ended")
		}
	})
}

func TestMetadata_that_cannot_be_read_is_an_error(t *testing.T) {
	onEach(t, func(h *house) {
		ad, _ := h.in(arrival(h.organization("Acme"), "1", "ada@acme.example"))
		h.must(h.db.Tx(t.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE users SET metadata = 'x'`)
			return err
		}))
		for _, name := range []string{"User", "MemberOf", "List", "Facts", "Deactivate", "DeleteUser", "Present", "PresentMembers", "SignUpInto"} {
			if err := verbs()[name].do(h, ad); err == nil {
				t.Errorf("%s took it", name)
			}
		}
	})
}

func TestSnapshot_ends_with_the_error_of_its_reader(t *testing.T) {
	onEach(t, func(h *house) {
		acme := h.organization("Acme")
		h.in(arrival(acme, "1", "ada@acme.example"))
		for n := range 2 {
			left := n
			full := func(event.Type, time.Time, []byte) error {
				if left--; left < 0 {
					return context.Canceled
				}
				return nil
			}
			if err := member.PresentMembers(t.Context(), h.db, acme, true, full); err == nil {
				t.Error("members: went on")
			}
		}
		if err := member.Present(t.Context(), h.db, func(event.Type, time.Time, []byte) error { return context.Canceled }); err == nil {
			t.Error("accounts: went on")
		}
	})
}
