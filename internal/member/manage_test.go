package member_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
)

func TestDeactivation_ends_sessions_of_the_organization_only(t *testing.T) {
	onEach(t, func(h *house) {
		acme, other := h.organization("Acme"), h.organization("Other")
		ada, one := h.in(arrival(acme, "1", "ada@acme.example"))
		_, two := h.in(arrival(acme, "1", "ada@acme.example"))
		_, elsewhere := h.in(arrival(other, "1", "ada@acme.example"))
		_, bobs := h.in(arrival(acme, "2", "bob@acme.example"))
		before := len(h.told(0))
		m, err := h.members.Deactivate(t.Context(), operator(), ada.Membership.ID)
		h.must(err)
		if m.Membership.State != member.Inactive || m.Membership.Why != member.WhyDeactivated {
			t.Errorf("%+v", m)
		}
		if h.living(one) || h.living(two) || !h.living(elsewhere) || !h.living(bobs) {
			t.Error("other sessions than the member's ended")
		}
		h.refused(arrival(acme, "1", "ada@acme.example"), member.CodeMembershipInactive)
		again, err := h.members.Deactivate(t.Context(), operator(), ada.Membership.ID)
		if err != nil || again.Membership.Version != m.Membership.Version {
			t.Errorf("deactivated twice: %+v, %v", again, err)
		}
		m, err = h.members.Reactivate(t.Context(), operator(), ada.Membership.ID)
		if err != nil || m.Membership.State != member.Active || m.Membership.Why != member.WhyReactivated {
			t.Errorf("%+v, %v", m, err)
		}
		h.wantTold(before, "organization_membership.updated", "organization_membership.updated")
		h.in(arrival(acme, "1", "ada@acme.example"))
	})
}

func TestSign_in_beside_deactivation_leaves_no_session(t *testing.T) {
	onEach(t, func(h *house) {
		acme := h.organization("Acme")
		for range 10 {
			ada, _ := h.in(arrival(acme, "1", "ada@acme.example"))
			var at sync.WaitGroup
			for range 4 {
				at.Go(func() {
					if _, _, err := h.signIn(arrival(acme, "1", "ada@acme.example")); err != nil && !fault.Is(err, fault.Forbidden) {
						t.Error(err)
					}
				})
			}
			at.Go(func() {
				if _, err := h.members.Deactivate(context.Background(), operator(), ada.Membership.ID); err != nil {
					t.Error(err)
				}
			})
			at.Wait()
			if n := h.count(`SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL`); n != 0 {
				t.Fatalf("%d sessions of a deactivated member", n)
			}
			_, err := h.members.Reactivate(t.Context(), operator(), ada.Membership.ID)
			h.must(err)
		}
	})
}

func TestRemoved_member_returns_as_the_same_where_signing_in_is_enough(t *testing.T) {
	onEach(t, func(h *house) {
		acme := h.organization("Acme")
		ada, s := h.in(arrival(acme, "1", "ada@acme.example"))
		before := len(h.told(0))
		h.must(h.members.Remove(t.Context(), operator(), ada.Membership.ID))
		if h.living(s) {
			t.Error("the session goes on")
		}
		if err := h.members.Remove(t.Context(), operator(), ada.Membership.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("removed twice: %v", err)
		}
		if _, err := h.members.Reactivate(t.Context(), operator(), ada.Membership.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("reactivated: %v", err)
		}
		closed := arrival(acme, "1", "ada@acme.example")
		closed.JIT = member.JITOff
		h.refused(closed, member.CodeNotAMember)
		back, _ := h.in(arrival(acme, "1", "ada@acme.example"))
		if back.Membership.ID != ada.Membership.ID || back.Membership.State != member.Active || !back.Joined() {
			t.Errorf("back as %+v", back.Membership)
		}
		h.wantTold(before, "organization_membership.deleted", "organization_membership.created")
	})
}

func TestPending_members_are_not_moved_by_hand(t *testing.T) {
	onEach(t, func(h *house) {
		acme := h.organization("Acme")
		ada, _ := h.in(arrival(acme, "1", "ada@acme.example"))
		before := len(h.told(0))
		var w db.Write
		w.Exec(`UPDATE organization_memberships SET state = 'pending', why = 'invited' WHERE id = $1`, string(ada.Membership.ID))
		h.must(h.db.Write(t.Context(), &w))
		refused := func(err error, code string) {
			t.Helper()
			if refusal, ok := fault.As(err); !ok || refusal.Code != code || refusal.Kind != fault.Conflict {
				t.Errorf("%v, want %s", err, code)
			}
		}
		_, err := h.members.Deactivate(t.Context(), operator(), ada.Membership.ID)
		refused(err, "membership_pending")
		_, err = h.members.Reactivate(t.Context(), operator(), ada.Membership.ID)
		refused(err, "membership_pending")
		h.wantTold(before)
	})
}

func TestUnlinked_id_may_be_linked_again(t *testing.T) {
	onEach(t, func(h *house) {
		acme := h.organization("Acme")
		ada, s := h.in(inDirectory(arrival(acme, "1", "ada@acme.example"), "directory_user_1", member.JoinedByExternalID, "1"))
		another := inDirectory(arrival(acme, "2", "ada@acme.example"), "directory_user_2", member.JoinedByEmail, "ada@acme.example")
		h.refused(another, member.CodeIdentityConflict)
		if err := h.members.Unlink(t.Context(), operator(), "org_other", "conn_of_"+acme, "1"); !fault.Is(err, fault.NotFound) {
			t.Errorf("unlinked from another organization: %v", err)
		}
		before := len(h.told(0))
		h.must(h.members.Unlink(t.Context(), operator(), acme, "conn_of_"+acme, "1"))
		if h.living(s) {
			t.Error("the session goes on")
		}
		h.wantTold(before, "organization_membership.updated")
		again, _ := h.in(another)
		if again.User.ID != ada.User.ID || again.Membership.DirectoryUserID != "directory_user_2" {
			t.Errorf("linked %+v", again)
		}
	})
}

func TestDeleted_user_is_gone_everywhere_and_the_address_is_free(t *testing.T) {
	onEach(t, func(h *house) {
		acme, other := h.organization("Acme"), h.organization("Other")
		ada, one := h.in(arrival(acme, "1", "ada@acme.example"))
		_, two := h.in(arrival(other, "1", "ada@acme.example"))
		before := len(h.told(0))
		h.must(h.members.DeleteUser(t.Context(), operator(), ada.User.ID))
		h.wantTold(before, "organization_membership.deleted", "organization_membership.deleted", "user.deleted")
		if h.living(one) || h.living(two) {
			t.Error("sessions go on")
		}
		if err := h.members.DeleteUser(t.Context(), operator(), ada.User.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("deleted twice: %v", err)
		}
		if n := h.count(`SELECT COUNT(*) FROM users WHERE email = '' AND first_name IS NULL AND last_name IS NULL AND deleted_at IS NOT NULL`); n != 1 {
			t.Error("the row is not bare")
		}
		if n := h.count(`SELECT (SELECT COUNT(*) FROM organization_memberships) + (SELECT COUNT(*) FROM user_identities)`); n != 0 {
			t.Errorf("%d memberships and identities", n)
		}
		for { // as the background does, a while later
			n, err := h.events.Erase(t.Context(), time.Now().Add(time.Hour))
			h.must(err)
			if n == 0 {
				break
			}
		}
		all, err := h.events.List(t.Context(), event.Query{Limit: 100})
		h.must(err)
		for _, e := range all {
			if text := string(e.JSON()); strings.Contains(text, "ada@") || strings.Contains(text, "Ada") || strings.Contains(text, "Lovelace") {
				t.Errorf("the log still knows them: %s", text)
			}
		}
		fresh, _ := h.in(arrival(acme, "1", "ada@acme.example"))
		if !fresh.Created() || fresh.User.ID == ada.User.ID {
			t.Errorf("the deleted account came back: %+v", fresh)
		}
	})
}

func TestSign_in_beside_deletion_leaves_no_session(t *testing.T) {
	onEach(t, func(h *house) {
		acme := h.organization("Acme")
		for range 10 {
			ada, _ := h.in(arrival(acme, "1", "ada@acme.example"))
			var at sync.WaitGroup
			at.Go(func() { _, _, _ = h.signIn(arrival(acme, "1", "ada@acme.example")) })
			at.Go(func() {
				if err := h.members.DeleteUser(context.Background(), operator(), ada.User.ID); err != nil {
					t.Error(err)
				}
			})
			at.Wait()
			if n := h.count(`SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL AND user_id = $1`, string(ada.User.ID)); n != 0 {
				t.Fatalf("%d sessions of a deleted user", n)
			}
		}
	})
}

func TestLists_are_of_one_organization_or_user_and_leave_removed_members_out(t *testing.T) {
	onEach(t, func(h *house) {
		acme, other := h.organization("Acme"), h.organization("Other")
		var ids []member.MembershipID
		for _, name := range []string{"a", "b", "c", "d"} {
			ad, _ := h.in(arrival(acme, name, name+"@acme.example"))
			ids = append(ids, ad.Membership.ID)
		}
		guest, _ := h.in(arrival(other, "a", "a@acme.example"))
		_, err := h.members.Deactivate(t.Context(), operator(), ids[1])
		h.must(err)
		h.must(h.members.Remove(t.Context(), operator(), ids[2]))
		list := func(q member.ListQuery) (got string, more bool) {
			t.Helper()
			found, more, err := h.members.List(t.Context(), q)
			h.must(err)
			for _, m := range found {
				got += m.User.Email[:1]
			}
			return got, more
		}
		for _, c := range []struct {
			q    member.ListQuery
			want string
			more bool
		}{
			{member.ListQuery{OrganizationID: acme, Limit: 10, Ascending: true}, "abd", false},
			{member.ListQuery{OrganizationID: acme, Limit: 10}, "dba", false},
			{member.ListQuery{OrganizationID: acme, Limit: 2, Ascending: true}, "ab", true},
			{member.ListQuery{OrganizationID: acme, Limit: 2, Ascending: true, After: string(ids[1])}, "d", false},
			{member.ListQuery{OrganizationID: acme, Limit: 10, Ascending: true, States: []member.State{member.Inactive, member.Removed}}, "bc", false},
			{member.ListQuery{UserID: guest.User.ID, Limit: 10}, "aa", false},
			{member.ListQuery{UserID: guest.User.ID, OrganizationID: other, Limit: 10}, "a", false},
		} {
			if got, more := list(c.q); got != c.want || more != c.more {
				t.Errorf("%+v: %q %t, want %q %t", c.q, got, more, c.want, c.more)
			}
		}
		if _, _, err := h.members.List(t.Context(), member.ListQuery{Limit: 10}); !fault.Is(err, fault.Unprocessable) {
			t.Errorf("a list of everybody: %v", err)
		}
	})
}

func TestPayloads_have_every_member_of_the_contract(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	u := member.User{ID: "user_1", Email: "ada@acme.example", CreatedAt: at, UpdatedAt: at}
	const bare = `{"object":"user","id":"user_1","email":"ada@acme.example","email_verified":false,"first_name":null,"last_name":null,"name":null,` +
		`"profile_picture_url":null,"locale":null,"external_id":null,"metadata":{},"last_sign_in_at":null,"created_at":"2026-11-22T12:00:00.000Z","updated_at":"2026-11-22T12:00:00.000Z"}`
	if got := string(u.Payload()); got != bare {
		t.Errorf("got  %s\nwant %s", got, bare)
	}
	u.FirstName, u.LastName, u.LastSignInAt = "Ada", "Lovelace", at
	m := member.Membership{ID: "om_1", OrganizationID: "org_1", UserID: "user_1", State: member.Active, Role: member.RoleMember, CreatedAt: at, UpdatedAt: at}
	for state, want := range map[member.State]string{member.Pending: "pending", member.Active: "active", member.Inactive: "inactive", member.Removed: "inactive"} {
		m.State = state
		var got struct {
			Object, ID, Status string
			Managed            bool `json:"directory_managed"`
			Role               struct{ Slug string }
			Roles              []struct{ Slug string }
			User               struct {
				Name     string
				SignedIn string `json:"last_sign_in_at"`
			}
		}
		if err := json.Unmarshal(member.Member{Membership: m, User: u}.Payload(), &got); err != nil {
			t.Fatal(err)
		}
		if got.Object != "organization_membership" || got.Status != want || got.Managed || got.Role.Slug != "member" || len(got.Roles) != 1 ||
			got.User.Name != "Ada Lovelace" || got.User.SignedIn != "2026-11-22T12:00:00.000Z" {
			t.Errorf("%s: %+v", state, got)
		}
		if event := string(m.Payload()); strings.Contains(event, `"user":`) || strings.Contains(event, "Ada") {
			t.Errorf("an event says whose it is: %s", event)
		}
	}
}

func TestOnly_what_is_there_can_be_changed(t *testing.T) {
	onEach(t, func(h *house) {
		acme := h.organization("Acme")
		ad, _ := h.in(arrival(acme, "1", "ada@acme.example"))
		before := len(h.told(0))
		for name, err := range map[string]error{
			"deactivate": func() error { _, err := h.members.Deactivate(t.Context(), operator(), "om_nobody"); return err }(),
			"unlink":     h.members.Unlink(t.Context(), operator(), acme, "conn_of_"+acme, "nobody"),
			"delete":     h.members.DeleteUser(t.Context(), operator(), "user_nobody"),
			"member":     func() error { _, err := h.members.Member(t.Context(), "om_nobody"); return err }(),
			"member of":  func() error { _, err := h.members.MemberOf(t.Context(), "org_other", ad.User.ID); return err }(),
			"user":       func() error { _, err := h.members.User(t.Context(), "user_nobody"); return err }(),
			"by email":   func() error { _, err := h.members.UserByEmail(t.Context(), "nobody"); return err }(),
		} {
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		var w db.Write
		if _, err := h.members.SignUpInto(t.Context(), &w, "nobody", event.Context{}); !fault.Is(err, fault.Unprocessable) || w.Len() != 0 {
			t.Errorf("signed up: %v", err)
		}
		// An identity of somebody who was removed, and one that was never joined with a directory: nothing is told of a membership.
		h.must(h.members.Unlink(t.Context(), operator(), acme, "conn_of_"+acme, "1"))
		h.wantTold(before)
		joined, _ := h.in(inDirectory(arrival(acme, "2", "bob@acme.example"), "directory_user_2", member.JoinedByExternalID, "2"))
		h.must(h.members.Remove(t.Context(), operator(), joined.Membership.ID))
		before = len(h.told(0))
		h.must(h.members.Unlink(t.Context(), operator(), acme, "conn_of_"+acme, "2"))
		h.wantTold(before)
	})
}

func TestDeleted_connection_leaves_no_identities_behind(t *testing.T) {
	onEach(t, func(h *house) {
		acme, other := h.organization("Acme"), h.organization("Other")
		ad, _ := h.in(arrival(acme, "1", "ada@acme.example"))
		h.in(arrival(other, "1", "ada@acme.example"))
		h.must(h.db.Tx(t.Context(), func(tx db.Tx) error {
			if err := h.members.DeleteConnectionTx(t.Context(), tx, other, "conn_of_"+acme); err != nil { // not its own
				return err
			}
			return h.members.DeleteConnectionTx(t.Context(), tx, acme, "conn_of_"+acme)
		}))
		known, err := h.members.Identities(t.Context(), ad.User.ID)
		if err != nil || len(known) != 1 || known[0].OrganizationID != other {
			t.Errorf("known as %+v: %v", known, err)
		}
	})
}
