package directory_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// erasures are the subjects that are to be forgotten, of an organization.
func (h *house) erasures() []string {
	h.t.Helper()
	rows, err := h.db.Query(ctx, "SELECT subject FROM erasures WHERE organization_id = $1 ORDER BY id", string(h.org.ID))
	h.ok(err)
	defer rows.Close()
	out := []string{}
	for rows.Next() {
		var subject string
		h.ok(rows.Scan(&subject))
		out = append(out, subject)
	}
	h.ok(rows.Err())
	return out
}

func TestErased_person_is_gone_with_all_they_were_found_by(t *testing.T) {
	each(t, func(h *house) {
		former := h.user(`{"userName":"ada@example.com","externalId":"e1"}`)
		h.ok(h.s.DeleteUser(ctx, h.a, string(former.ID), directory.Condition{}, record))
		ada := h.user(`{"userName":"ada@example.com","externalId":"e1","emails":[{"value":"a@example.org"}]}`)
		bob := h.person("bob")
		g := h.group("Staff", string(ada.ID), string(bob.ID))
		before, err := h.s.GetGroup(ctx, h.a, string(g.ID), false)
		h.ok(err)
		h.news()
		h.ok(h.s.Erase(ctx, actor(), ada.ID))
		for _, e := range h.newEvents() {
			if !strings.Contains(string(e.Context), `"source":"api"`) || strings.Contains(string(e.Context), "exchange") {
				h.t.Errorf("%s was caused by %s", e.Type, e.Context)
			}
		}
		if got := h.erasures(); !slices.Equal(got, []string{string(ada.ID)}) {
			h.t.Errorf("to be forgotten: %v", got)
		}
		if got := h.memberValues(g); !slices.Equal(got, []string{string(bob.ID)}) {
			h.t.Errorf("members %v", got)
		}
		if after, err := h.s.GetGroup(ctx, h.a, string(g.ID), false); err != nil || after.Version <= before.Version {
			h.t.Errorf("the group did not change: %v", err)
		}
		for _, table := range []string{
			"directory_user_emails WHERE email_key = 'a@example.org'", "directory_users WHERE user_name_key = 'ada@example.com'",
			"directory_old_ids WHERE user_name_key = 'ada@example.com' OR external_id = 'e1'",
		} {
			var n int
			h.ok(h.db.QueryRow(ctx, "SELECT COUNT(*) FROM "+table).Scan(&n))
			if n != 0 {
				h.t.Errorf("%d rows left in %s", n, table)
			}
		}
		if c, err := h.s.Counts(ctx, h.dir.ID); err != nil || c != (directory.Counts{Active: 1, Groups: 1}) {
			h.t.Errorf("%+v %v", c, err)
		}
		h.wantFault(h.s.Erase(ctx, actor(), ada.ID), fault.NotFound, "entity_not_found")
		if len(h.erasures()) != 1 {
			h.t.Error("erased twice")
		}
	})
}

func TestErasure_tells_consumers_what_a_deletion_does(t *testing.T) {
	each(t, func(h *house) {
		ada := h.person("ada")
		h.group("Staff", string(ada.ID))
		h.news()
		h.ok(h.s.Erase(ctx, actor(), ada.ID))
		h.wantNews("~group.user_removed", "user.deleted")
		again := h.person("ada") // the provider may bring them again: somebody new
		if again.ID == ada.ID {
			h.t.Error("the erased id came back")
		}
		_, err := h.s.GetUser(ctx, h.a, string(ada.ID), false)
		h.wantFault(err, fault.NotFound, "")
	})
}

func TestPerson_whom_consumers_no_longer_see_can_be_erased(t *testing.T) {
	each(t, func(h *house) {
		h = newHouse(h.t, h.db, directory.New{InactiveUsers: directory.Removed})
		ada := h.person("ada")
		h.activate(ada.ID, false)
		h.news()
		h.ok(h.s.Erase(ctx, actor(), ada.ID))
		h.wantNews()
		if got := h.erasures(); !slices.Equal(got, []string{string(ada.ID)}) {
			h.t.Errorf("to be forgotten: %v", got)
		}
	})
}

func TestErasure_leaves_other_organizations_alone(t *testing.T) {
	each(t, func(h *house) {
		a, b := two(h)
		ada, same := a.person("ada"), b.person("ada")
		b.ok(b.s.DeleteUser(ctx, b.a, string(same.ID), directory.Condition{}, record))
		living := b.person("ada")
		a.ok(a.s.Erase(ctx, actor(), ada.ID))
		if len(b.erasures()) != 0 {
			b.t.Error("another organization's person is to be forgotten")
		}
		found, err := b.s.GetUser(ctx, b.a, string(same.ID), false) // the old id still leads to the living record
		b.ok(err)
		if found.ID != living.ID {
			b.t.Errorf("%s", found.ID)
		}
	})
}

// Whoever is erased while others put them into groups and change them is in no group afterwards, and nothing is told of them after their end.
func TestErasure_wins_or_loses_whole_against_other_changes(t *testing.T) {
	each(t, func(h *house) {
		g := h.group("Staff")
		for i := range 15 {
			ada := h.person(fmt.Sprint("ada", i))
			h.news()
			var racing sync.WaitGroup
			racing.Go(func() {
				_, _, err := h.s.UpdateGroup(ctx, h.a, string(g.ID), directory.Condition{}, func(o *scim.Object) (*scim.Object, []scim.MemberChange, error) {
					return o, []scim.MemberChange{{Kind: scim.MembersAdd, Members: refs(string(ada.ID))}}, nil
				}, record)
				if err != nil {
					h.t.Error(err)
				}
			})
			racing.Go(func() {
				_, _, err := h.s.UpdateUser(ctx, h.a, string(ada.ID), directory.Condition{}, set(scim.Member{Name: "title", Value: scim.StringOf("x")}), record)
				if err != nil && !fault.Is(err, fault.NotFound) {
					h.t.Error(err)
				}
			})
			if err := h.s.Erase(ctx, actor(), ada.ID); err != nil {
				h.t.Error(err)
			}
			racing.Wait()
			var members int
			h.ok(h.db.QueryRow(ctx, "SELECT COUNT(*) FROM directory_group_members WHERE member_id = $1", string(ada.ID)).Scan(&members))
			if members != 0 {
				h.t.Error("the erased person is a member")
			}
			if told := h.news(); len(told) == 0 || told[len(told)-1] != "user.deleted" {
				h.t.Errorf("told %v", told)
			}
		}
	})
}

func TestPerson_of_a_removed_directory_is_not_there_to_erase(t *testing.T) {
	each(t, func(h *house) {
		ada := h.person("ada")
		h.ok(h.s.Delete(ctx, actor(), h.dir.ID))
		h.wantFault(h.s.Erase(ctx, actor(), ada.ID), fault.NotFound, "entity_not_found")
		h.wantFault(h.s.Erase(ctx, actor(), "directory_user_none"), fault.NotFound, "entity_not_found")
	})
}
