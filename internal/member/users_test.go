package member_test

import (
	"testing"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
)

func TestAccounts_made_by_hand_are_found_changed_and_listed(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme := h.organization("Acme")
		before := len(h.all(0))
		u, err := h.members.CreateUser(t.Context(), operator(), member.NewUser{Email: ada, FirstName: "Ada", ExternalID: "7", Metadata: map[string]string{"a": "1", "b": "2"}})
		h.must(err)
		code := func(want string) func(any, error) {
			return func(_ any, err error) {
				t.Helper()
				if refusal, ok := fault.As(err); !ok || refusal.Code != want {
					t.Errorf("%v, want %s", err, want)
				}
			}
		}
		user := func(n member.NewUser) (any, error) { return h.members.CreateUser(t.Context(), operator(), n) }
		code("email_not_available")(user(member.NewUser{Email: "ADA@acme.example"}))
		code("invalid_email")(user(member.NewUser{Email: "nobody"}))
		code("external_id_already_used")(user(member.NewUser{Email: "bob@acme.example", ExternalID: "7"}))
		code("invalid_metadata")(user(member.NewUser{Email: "bob@acme.example", Metadata: map[string]string{"": "x"}}))
		if found, err := h.members.UserByExternalID(t.Context(), "7"); err != nil || found.ID != u.ID {
			t.Errorf("%+v, %v", found, err)
		}
		if _, err := h.members.UserByExternalID(t.Context(), ""); !fault.Is(err, fault.NotFound) {
			t.Errorf("whoever has none: %v", err)
		}
		bob, err := h.members.CreateUser(t.Context(), operator(), member.NewUser{Email: "bob@acme.example", EmailVerified: true})
		h.must(err)
		changed, err := h.members.UpdateUser(t.Context(), operator(), bob.ID, member.UserChanges{Email: ptr("rob@acme.example"), LastName: ptr("Roe")})
		h.must(err)
		if changed.EmailVerified || changed.Email != "rob@acme.example" || changed.LastName != "Roe" {
			t.Errorf("%+v", changed)
		}
		same, err := h.members.UpdateUser(t.Context(), operator(), bob.ID, member.UserChanges{LastName: ptr("Roe")})
		if err != nil || same.Version != changed.Version {
			t.Errorf("%+v, %v", same, err)
		}
		_, err = h.members.UpdateUser(t.Context(), operator(), bob.ID, member.UserChanges{Email: ptr(ada)})
		code("email_not_available")(nil, err)
		kept, err := h.members.UpdateUser(t.Context(), operator(), u.ID, member.UserChanges{Metadata: map[string]*string{"a": nil, "c": ptr("3")}, ExternalID: ptr("")})
		h.must(err)
		if kept.Metadata["b"] != "2" || kept.Metadata["c"] != "3" || len(kept.Metadata) != 2 || kept.ExternalID != "" {
			t.Errorf("%+v", kept)
		}
		h.wantAll(before, "user.created", "user.created", "user.updated", "user.updated")
		m, err := h.members.CreateMembership(t.Context(), operator(), member.NewMembership{OrganizationID: acme, UserID: u.ID})
		h.must(err)
		h.is(m, member.Active, member.WhyAPI, false)
		list := func(q member.UserQuery) (ids []member.UserID, more bool) {
			t.Helper()
			q.Ascending = true
			found, more, err := h.members.ListUsers(t.Context(), q)
			h.must(err)
			for _, u := range found {
				ids = append(ids, u.ID)
			}
			return ids, more
		}
		if ids, more := list(member.UserQuery{Limit: 1}); len(ids) != 1 || ids[0] != u.ID || !more {
			t.Errorf("%v, %t", ids, more)
		}
		if ids, more := list(member.UserQuery{Limit: 5, After: string(u.ID)}); len(ids) != 1 || ids[0] != bob.ID || more {
			t.Errorf("%v, %t", ids, more)
		}
		if ids, _ := list(member.UserQuery{Limit: 5, OrganizationID: acme}); len(ids) != 1 || ids[0] != u.ID {
			t.Errorf("%v", ids)
		}
		if ids, _ := list(member.UserQuery{Limit: 5, Email: "Rob@ACME.example"}); len(ids) != 1 || ids[0] != bob.ID {
			t.Errorf("%v", ids)
		}
	})
}

func TestMemberships_by_hand_are_made_once_and_given_back(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme, _ := h.acme()
		u, err := h.members.CreateUser(t.Context(), operator(), member.NewUser{Email: ada, EmailVerified: true})
		h.must(err)
		make := func(role string) (member.Member, error) {
			return h.members.CreateMembership(t.Context(), operator(), member.NewMembership{OrganizationID: acme, UserID: u.ID, Role: role})
		}
		refused := func(err error, code string) {
			t.Helper()
			if refusal, ok := fault.As(err); !ok || refusal.Code != code {
				t.Errorf("%v, want %s", err, code)
			}
		}
		_, err = make("emperor")
		refused(err, "invalid_role")
		before := len(h.all(0))
		m, err := make("editor")
		h.must(err)
		if m.Membership.Role != "editor" || m.Membership.RoleBy != member.ByHand || m.Membership.JoinedAt.IsZero() {
			t.Errorf("%+v", m.Membership)
		}
		_, err = make("")
		refused(err, "user_already_organization_member")
		_, err = h.members.Deactivate(t.Context(), operator(), m.Membership.ID)
		h.must(err)
		again, err := make("")
		h.must(err)
		h.is(again, member.Active, member.WhyReactivated, false)
		if again.Membership.ID != m.Membership.ID || again.Membership.Role != "editor" {
			t.Errorf("%+v", again.Membership)
		}
		h.must(h.members.Remove(t.Context(), operator(), m.Membership.ID))
		again, err = make("viewer")
		h.must(err)
		if again.Membership.ID != m.Membership.ID || again.Membership.Role != "viewer" {
			t.Errorf("%+v", again.Membership)
		}
		h.wantAll(before, "organization_membership.created", "organization_membership.updated", "organization_membership.updated", "organization_membership.deleted",
			"organization_membership.created")
		_, err = h.members.CreateMembership(t.Context(), operator(), member.NewMembership{OrganizationID: "org_nobody", UserID: u.ID})
		refused(err, "entity_not_found")
		_, err = h.members.CreateMembership(t.Context(), operator(), member.NewMembership{OrganizationID: acme, UserID: "user_nobody"})
		refused(err, "entity_not_found")
		_, err = h.members.Invite(t.Context(), operator(), member.NewInvitation{OrganizationID: acme, Email: "bob@acme.example"})
		h.must(err)
		bob, err := h.members.UserByEmail(t.Context(), "bob@acme.example")
		h.must(err)
		_, err = h.members.CreateMembership(t.Context(), operator(), member.NewMembership{OrganizationID: acme, UserID: bob.ID})
		refused(err, "cannot_reactivate_pending_organization_membership")
	})
}

func TestEnding_all_sessions_of_somebody_leaves_others_alone(t *testing.T) {
	onEach(t, func(h *house) {
		acme, other := h.organization("Acme"), h.organization("Other")
		ad, one := h.in(arrival(acme, "1", ada))
		_, two := h.in(arrival(other, "1", ada))
		_, bobs := h.in(arrival(acme, "2", "bob@acme.example"))
		if n, err := h.members.EndAll(t.Context(), operator(), ad.User.ID); err != nil || n != 2 {
			t.Errorf("%d ended, %v", n, err)
		}
		if h.living(one) || h.living(two) || !h.living(bobs) {
			t.Error("the wrong sessions ended")
		}
		if _, err := h.members.EndAll(t.Context(), operator(), "user_nobody"); !fault.Is(err, fault.NotFound) {
			t.Errorf("%v", err)
		}
	})
}
