package directory_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scim"
)

func TestCreate_appends_one_event_and_leaves_an_exchange(t *testing.T) {
	each(t, func(h *house) {
		u := h.user(`{"userName":"ada@example.com","externalId":"00u1","emails":[{"value":"ada@example.com","type":"work","primary":true}]}`)
		events := h.newEvents()
		if len(events) != 1 || events[0].Type != "dsync.user.created" || events[0].OrganizationID != string(h.org.ID) {
			t.Fatalf("%+v", events)
		}
		for _, want := range []string{string(u.ID), `"email":"ada@example.com"`, `"idp_id":"00u1"`, `"state":"active"`} {
			if !strings.Contains(string(events[0].Data), want) {
				h.t.Errorf("%s is not in %s", want, events[0].Data)
			}
		}
		exchanges, err := h.s.Exchanges(ctx, h.dir.ID, "", 10)
		h.ok(err)
		if len(exchanges) != 1 || !strings.Contains(string(exchanges[0].Effect), events[0].ID) {
			h.t.Fatalf("the exchange does not name its event: %+v", exchanges)
		}
		if !strings.Contains(string(events[0].Context), string(exchanges[0].ID)) {
			h.t.Errorf("the event does not name its exchange: %s", events[0].Context)
		}
	})
}

func TestCreate_of_an_active_user_name_is_a_conflict_in_any_letter_case(t *testing.T) {
	each(t, func(h *house) {
		h.person("Ada@example.com")
		h.news()
		_, _, err := h.s.CreateUser(ctx, h.a, doc(h.t, `{"userName":"ADA@EXAMPLE.COM"}`), record)
		h.wantFault(err, fault.Conflict, "uniqueness")
		h.wantNews()
	})
}

func TestCreate_of_an_inactive_person_restores_the_same_id(t *testing.T) {
	each(t, func(h *house) {
		u := h.user(`{"userName":"ada","externalId":"x1"}`)
		g := h.group("Staff", string(u.ID))
		h.activate(u.ID, false)
		h.news()
		back, did, err := h.s.CreateUser(ctx, h.a, doc(h.t, `{"userName":"Ada","title":"CTO"}`), record)
		h.ok(err)
		if back.ID != u.ID || did != directory.Restored || !back.Active {
			h.t.Fatalf("%s %s %v", back.ID, did, back.Active)
		}
		if !strings.Contains(string(back.Document), `"externalId":"x1"`) {
			h.t.Errorf("the externalId that was left out is gone: %s", back.Document)
		}
		h.wantNews("user.updated", "~group.user_added")
		if got := h.memberValues(g); !slices.Equal(got, []string{string(u.ID)}) {
			h.t.Errorf("members %v", got)
		}
	})
}

func TestUpdate_that_changes_nothing_writes_nothing(t *testing.T) {
	each(t, func(h *house) {
		u := h.person("ada")
		h.news()
		same, did, err := h.s.UpdateUser(ctx, h.a, string(u.ID), directory.Condition{}, func(o *scim.Object) (*scim.Object, error) { return o.Clone(), nil }, record)
		h.ok(err)
		if did != directory.Unchanged || same.Version != 1 || !same.UpdatedAt.Equal(u.UpdatedAt) {
			h.t.Fatalf("%s version %d", did, same.Version)
		}
		h.wantNews()
		exchanges, err := h.s.Exchanges(ctx, h.dir.ID, "", 10)
		h.ok(err)
		if len(exchanges) != 1 {
			h.t.Errorf("%d exchanges, want that of the creation only", len(exchanges))
		}
	})
}

func TestUpdate_tells_the_old_values(t *testing.T) {
	each(t, func(h *house) {
		u := h.user(`{"userName":"ada","title":"Engineer"}`)
		h.news()
		_, _, err := h.s.UpdateUser(ctx, h.a, string(u.ID), directory.Condition{}, set(scim.Member{Name: "title", Value: scim.StringOf("CTO")}), record)
		h.ok(err)
		events := h.newEvents()
		want := `"previous_attributes":{"job_title":"Engineer","raw_attributes":{"title":"Engineer"},"custom_attributes":{"job_title":"Engineer"}}`
		if len(events) != 1 || !strings.Contains(string(events[0].Data), want) {
			h.t.Fatalf("%s", events[0].Data)
		}
	})
}

func TestRename_to_a_taken_name_is_a_conflict_and_frees_the_old_one_otherwise(t *testing.T) {
	each(t, func(h *house) {
		a, b := h.person("ada"), h.person("bob")
		rename := func(id directory.UserID, name string) error {
			_, _, err := h.s.UpdateUser(ctx, h.a, string(id), directory.Condition{}, set(scim.Member{Name: "userName", Value: scim.StringOf(name)}), record)
			return err
		}
		h.wantFault(rename(a.ID, "BOB"), fault.Conflict, "uniqueness")
		h.ok(rename(b.ID, "carl"))
		h.ok(rename(a.ID, "bob"))
	})
}

func TestDeactivation_derives_removals_and_return_derives_additions(t *testing.T) {
	each(t, func(h *house) {
		u := h.person("ada")
		h.group("Staff", string(u.ID))
		h.group("Admins", string(u.ID))
		h.wantNews("user.created", "group.created", "group.user_added", "group.created", "group.user_added")
		h.activate(u.ID, false)
		h.wantNews("user.updated", "~group.user_removed", "~group.user_removed")
		h.activate(u.ID, true)
		h.wantNews("user.updated", "~group.user_added", "~group.user_added")
	})
}

func TestInactive_users_removed_says_deleted_and_created_with_the_same_id(t *testing.T) {
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) {
		h := newHouse(t, open(), directory.New{InactiveUsers: directory.Removed})
		u := h.person("ada")
		h.group("Staff", string(u.ID))
		h.news()
		h.activate(u.ID, false)
		h.wantNews("~group.user_removed", "user.deleted")
		_, _, err := h.s.UpdateUser(ctx, h.a, string(u.ID), directory.Condition{}, set(scim.Member{Name: "title", Value: scim.StringOf("x")}), record)
		h.ok(err)
		h.wantNews()
		still, err := h.s.GetUser(ctx, h.a, string(u.ID), false)
		h.ok(err)
		if still.Active {
			t.Error("SCIM must look the same in both modes")
		}
		h.activate(u.ID, true)
		events := h.newEvents()
		if len(events) != 2 || events[0].Type != "dsync.user.created" || !strings.Contains(string(events[0].Data), string(u.ID)) {
			t.Fatalf("%+v", events)
		}
		h.person("inactive-at-first")
		h.news()
		h.user(`{"userName":"bob","active":false}`)
		h.wantNews()
	})
}

func TestDelete_is_final_frees_the_name_and_remembers_the_id(t *testing.T) {
	each(t, func(h *house) {
		u := h.user(`{"userName":"ada","externalId":"x1"}`)
		g := h.group("Staff", string(u.ID))
		h.news()
		h.ok(h.s.DeleteUser(ctx, h.a, string(u.ID), directory.Condition{}, record))
		h.wantNews("~group.user_removed", "user.deleted")
		_, err := h.s.GetUser(ctx, h.a, string(u.ID), false)
		h.wantFault(err, fault.NotFound, "")
		h.wantFault(h.s.DeleteUser(ctx, h.a, string(u.ID), directory.Condition{}, record), fault.NotFound, "")
		if got := h.memberValues(g); len(got) != 0 {
			h.t.Errorf("members %v", got)
		}
		again := h.user(`{"userName":"renamed","externalId":"x1"}`)
		healed, err := h.s.GetUser(ctx, h.a, string(u.ID), false)
		h.ok(err)
		if healed.ID != again.ID || again.ID == u.ID {
			h.t.Errorf("the stale id %s led to %s, want %s", u.ID, healed.ID, again.ID)
		}
		h.wantFault(h.s.DeleteUser(ctx, h.a, string(u.ID), directory.Condition{}, record), fault.NotFound, "")
	})
}

func TestStale_ids_of_a_removed_directory_heal_by_user_name(t *testing.T) {
	each(t, func(h *house) {
		u := h.person("ada")
		h.ok(h.s.Delete(ctx, actor(), h.dir.ID))
		_, err := h.s.Authenticate(ctx, "", h.token)
		h.wantFault(err, fault.Unauthorized, "unauthorized")
		_, secret := h.directory(directory.New{})
		h.a = h.open(secret)
		again := h.person("Ada")
		healed, did, err := h.s.UpdateUser(ctx, h.a, string(u.ID), directory.Condition{}, set(scim.Member{Name: "title", Value: scim.StringOf("x")}), record)
		h.ok(err)
		if healed.ID != again.ID || did != directory.Updated {
			h.t.Fatalf("%s %s", healed.ID, did)
		}
		h.a.Mode.Strict = true
		_, err = h.s.GetUser(ctx, h.a, string(u.ID), false)
		h.wantFault(err, fault.NotFound, "")
	})
}

func TestAnother_organizations_ids_are_not_found(t *testing.T) {
	each(t, func(h *house) {
		u, g := h.person("ada"), h.group("Staff")
		other := newHouse(t, h.db, directory.New{})
		_, err := other.s.GetUser(ctx, other.a, string(u.ID), true)
		h.wantFault(err, fault.NotFound, "")
		_, err = other.s.GetGroup(ctx, other.a, string(g.ID), true)
		h.wantFault(err, fault.NotFound, "")
		_, _, err = other.s.UpdateUser(ctx, other.a, string(u.ID), directory.Condition{}, set(), record)
		h.wantFault(err, fault.NotFound, "")
		h.wantFault(other.s.DeleteUser(ctx, other.a, string(u.ID), directory.Condition{}, record), fault.NotFound, "")
		h.wantFault(other.s.DeleteGroup(ctx, other.a, string(g.ID), directory.Condition{}, record), fault.NotFound, "")
		other.person("ada") // no conflict across organizations
		mine := other.group("Staff")
		other.members(mine, scim.MembersAdd, string(u.ID))
		if found, _ := other.s.GetGroup(ctx, other.a, string(mine.ID), true); found.Members[0].Kind != directory.MemberParked {
			t.Error("a person of another organization became a member")
		}
		_, err = other.s.Authenticate(ctx, other.dir.AddressKey, h.token)
		h.wantFault(err, fault.Unauthorized, "unauthorized")
	})
}

func TestIf_Match_lets_exactly_one_of_two_writers_through(t *testing.T) {
	each(t, func(h *house) {
		u := h.person("ada")
		errs := make([]error, 2)
		var done sync.WaitGroup
		for i := range errs {
			done.Go(func() {
				_, _, errs[i] = h.s.UpdateUser(ctx, h.a, string(u.ID), directory.Condition{Given: true, Versions: []int64{1}},
					set(scim.Member{Name: "title", Value: scim.StringOf(string(rune('a' + i)))}), record)
			})
		}
		done.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			h.t.Fatalf("%v / %v", errs[0], errs[1])
		}
		h.wantFault(errors.Join(errs...), fault.Precondition, "")
	})
}

func TestSuspension_bars_sign_in_until_active_is_said_again(t *testing.T) {
	each(t, func(h *house) {
		u := h.person("ada")
		h.news()
		did, err := h.s.SuspendUser(ctx, h.a, string(u.ID), record)
		h.ok(err)
		if !did {
			h.t.Fatal("nothing was done")
		}
		events := h.newEvents()
		if len(events) != 1 || !strings.Contains(string(events[0].Data), `"state":"suspended"`) {
			h.t.Fatalf("%+v", events)
		}
		u, _, err = h.s.UpdateUser(ctx, h.a, string(u.ID), directory.Condition{}, set(scim.Member{Name: "title", Value: scim.StringOf("x")}), record)
		h.ok(err)
		if !u.Suspended {
			h.t.Error("a change of the title let a leaver back in")
		}
		if u = h.activate(u.ID, true); u.Suspended {
			h.t.Error("an accepted active:true has to end the suspension")
		}
		if did, err = h.s.SuspendUser(ctx, h.a, string(h.user(`{"userName":"bob","active":false}`).ID), record); did || err != nil {
			h.t.Errorf("an inactive person needs no suspension: %v %v", did, err)
		}
	})
}
