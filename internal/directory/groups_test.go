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

func TestMembers_join_and_leave_with_one_event_each(t *testing.T) {
	each(t, func(h *house) {
		a, b, c := h.person("a"), h.person("b"), h.user(`{"userName":"c","active":false}`)
		g := h.group("Staff")
		h.news()
		h.members(g, scim.MembersAdd, string(a.ID), string(b.ID), string(c.ID))
		h.wantNews("group.user_added", "group.user_added")
		if did := h.members(g, scim.MembersAdd, string(a.ID)); did != directory.Unchanged {
			h.t.Errorf("adding a member again: %s", did)
		}
		h.members(g, scim.MembersRemove, string(b.ID))
		h.wantNews("group.user_removed")
		if did := h.members(g, scim.MembersRemove, string(b.ID)); did != directory.Unchanged {
			h.t.Errorf("removing a non-member: %s", did)
		}
		if got, want := h.memberValues(g), []string{string(a.ID), string(c.ID)}; !slices.Equal(got, want) {
			h.t.Errorf("members %v, want %v", got, want)
		}
		h.members(g, scim.MembersReplace, string(b.ID))
		h.wantNews("group.user_removed", "group.user_added")
		h.members(g, scim.MembersRemoveAll)
		h.wantNews("group.user_removed")
	})
}

func TestEvents_of_one_request_are_many_with_ids_of_their_own(t *testing.T) {
	each(t, func(h *house) {
		var ids []string
		for i := range 30 {
			ids = append(ids, string(h.person(fmt.Sprintf("u%02d", i)).ID))
		}
		g := h.group("Staff")
		h.news()
		h.members(g, scim.MembersAdd, ids...)
		seen := map[string]bool{}
		for _, e := range h.newEvents() {
			seen[e.ID] = true
			if !strings.Contains(string(e.Data), `"user":{"object":"directory_user"`) || !strings.Contains(string(e.Data), string(g.ID)) {
				h.t.Fatalf("%s", e.Data)
			}
		}
		if len(seen) != 30 {
			h.t.Fatalf("%d events, want 30", len(seen))
		}
	})
}

func TestConcurrent_changes_of_one_group_lose_no_member(t *testing.T) {
	each(t, func(h *house) {
		const writers, rounds = 16, 5
		people := make([]directory.User, writers*rounds)
		for i := range people {
			people[i] = h.person(fmt.Sprintf("u%03d", i))
		}
		g := h.group("Staff")
		h.news()
		var done sync.WaitGroup
		for w := range writers {
			done.Go(func() {
				for r := range rounds {
					_, _, err := h.s.UpdateGroup(ctx, h.a, string(g.ID), directory.Condition{}, func(o *scim.Object) (*scim.Object, []scim.MemberChange, error) {
						return o, []scim.MemberChange{{Kind: scim.MembersAdd, Members: refs(string(people[w*rounds+r].ID))}}, nil
					}, record)
					if err != nil {
						h.t.Errorf("writer %d: %v", w, err)
					}
				}
			})
		}
		done.Wait()
		if got := h.memberValues(g); len(got) != len(people) {
			h.t.Errorf("%d members, want %d", len(got), len(people))
		}
		if got := h.news(); len(got) != len(people) {
			h.t.Errorf("%d events, want %d", len(got), len(people))
		}
	})
}

// Whoever reads the events has to end with the same members as the store, however leaving and joining interleave.
func TestJoining_and_leaving_at_once_keep_events_and_store_equal(t *testing.T) {
	each(t, func(h *house) {
		u := h.person("ada")
		groups := []directory.Group{h.group("A"), h.group("B"), h.group("C")}
		h.news()
		var done sync.WaitGroup
		for _, g := range groups {
			done.Go(func() {
				for i := range 10 {
					kind := []scim.MemberChangeKind{scim.MembersAdd, scim.MembersRemove}[i%2]
					_, _, err := h.s.UpdateGroup(ctx, h.a, string(g.ID), directory.Condition{}, func(o *scim.Object) (*scim.Object, []scim.MemberChange, error) {
						return o, []scim.MemberChange{{Kind: kind, Members: refs(string(u.ID))}}, nil
					}, record)
					if err != nil {
						h.t.Error(err)
					}
				}
			})
		}
		done.Go(func() {
			for i := range 11 {
				_, _, err := h.s.UpdateUser(ctx, h.a, string(u.ID), directory.Condition{}, set(scim.Member{Name: "active", Value: scim.BoolOf(i%2 == 1)}), record)
				if err != nil {
					h.t.Error(err)
				}
			}
		})
		done.Wait()
		in := map[string]bool{}
		for _, e := range h.newEvents() {
			for _, g := range groups {
				if strings.Contains(string(e.Data), `"object":"directory_group","id":"`+string(g.ID)) {
					switch e.Type {
					case "dsync.group.user_added":
						if in[string(g.ID)] {
							h.t.Errorf("%s: added twice", g.Name)
						}
						in[string(g.ID)] = true
					case "dsync.group.user_removed":
						if !in[string(g.ID)] {
							h.t.Errorf("%s: removed without being in it", g.Name)
						}
						in[string(g.ID)] = false
					}
				}
			}
		}
		last, err := h.s.GetUser(ctx, h.a, string(u.ID), true)
		h.ok(err)
		for _, g := range groups {
			stored := slices.ContainsFunc(last.Groups, func(r directory.GroupRef) bool { return r.ID == g.ID }) && last.Active
			if stored != in[string(g.ID)] {
				h.t.Errorf("%s: events end with %v, the store says %v", g.Name, in[string(g.ID)], stored)
			}
		}
	})
}

func TestUnknown_member_is_parked_and_joins_when_the_person_arrives(t *testing.T) {
	for _, by := range []struct{ name, value, arrives string }{
		{"user name", "ADA@example.com", `{"userName":"ada@example.com"}`},
		{"external id", "00uX", `{"userName":"ada","externalId":"00uX"}`},
	} {
		t.Run(by.name, func(t *testing.T) {
			each(t, func(h *house) {
				g := h.group("Staff", by.value, "nobody-else")
				h.wantNews("group.created")
				found, err := h.s.GetGroup(ctx, h.a, string(g.ID), true)
				h.ok(err)
				if len(found.Members) != 2 || found.Members[0].Kind != directory.MemberParked {
					h.t.Fatalf("%+v", found.Members)
				}
				u := h.user(by.arrives)
				h.wantNews("user.created", "group.user_added")
				if got, want := h.memberValues(g), []string{string(u.ID), "nobody-else"}; !slices.Equal(got, want) {
					h.t.Errorf("members %v, want %v", got, want)
				}
			})
		})
	}
}

func TestParked_member_joins_when_a_rename_makes_somebody_match(t *testing.T) {
	each(t, func(h *house) {
		g := h.group("Staff", "new-name")
		u := h.person("old-name")
		h.news()
		_, _, err := h.s.UpdateUser(ctx, h.a, string(u.ID), directory.Condition{}, set(scim.Member{Name: "userName", Value: scim.StringOf("new-name")}), record)
		h.ok(err)
		if got := h.memberValues(g); !slices.Equal(got, []string{string(u.ID)}) {
			h.t.Errorf("members %v", got)
		}
	})
}

func TestParked_member_can_be_removed_again(t *testing.T) {
	each(t, func(h *house) {
		g := h.group("Staff", "ghost")
		h.members(g, scim.MembersRemove, "ghost")
		h.person("ghost")
		if got := h.memberValues(g); len(got) != 0 {
			h.t.Errorf("members %v", got)
		}
	})
}

func TestGroup_name_is_unique_unless_both_have_different_external_ids(t *testing.T) {
	each(t, func(h *house) {
		create := func(text string) error {
			_, err := h.s.CreateGroup(ctx, h.a, doc(h.t, text), nil, record)
			return err
		}
		h.ok(create(`{"displayName":"Staff","externalId":"1"}`))
		h.ok(create(`{"displayName":"staff","externalId":"2"}`))
		h.wantFault(create(`{"displayName":"STAFF"}`), fault.Conflict, "uniqueness")
		h.wantFault(create(`{"displayName":"STAFF","externalId":"2"}`), fault.Conflict, "uniqueness")
		other := h.group("Other")
		_, _, err := h.s.UpdateGroup(ctx, h.a, string(other.ID), directory.Condition{}, func(o *scim.Object) (*scim.Object, []scim.MemberChange, error) {
			o = o.Clone()
			o.Set("displayName", scim.StringOf("Staff"))
			return o, nil, nil
		}, record)
		h.wantFault(err, fault.Conflict, "uniqueness")
	})
}

func TestDeleting_a_group_says_deleted_and_nothing_else(t *testing.T) {
	each(t, func(h *house) {
		u := h.person("ada")
		g := h.group("Staff", string(u.ID), "parked")
		outer := h.group("Everybody", string(g.ID))
		h.news()
		h.ok(h.s.DeleteGroup(ctx, h.a, string(g.ID), directory.Condition{}, record))
		h.wantNews("group.deleted")
		_, err := h.s.GetGroup(ctx, h.a, string(g.ID), false)
		h.wantFault(err, fault.NotFound, "")
		if got := h.memberValues(outer); len(got) != 0 {
			h.t.Errorf("the deleted group is still nested: %v", got)
		}
		h.person("parked") // nobody waits any more
		h.wantNews("user.created")
	})
}

func TestNested_groups_count_for_scim_and_not_for_consumers(t *testing.T) {
	each(t, func(h *house) {
		u := h.person("ada")
		inner := h.group("Inner", string(u.ID))
		h.news()
		outer := h.group("Outer", string(inner.ID))
		h.wantNews("group.created")
		h.members(inner, scim.MembersAdd, string(outer.ID)) // a circle
		got, err := h.s.GetUser(ctx, h.a, string(u.ID), true)
		h.ok(err)
		if len(got.Groups) != 2 || !got.Groups[0].Direct || got.Groups[1].Direct {
			h.t.Fatalf("%+v", got.Groups)
		}
		api, _, err := h.s.APIUser(ctx, u.ID)
		h.ok(err)
		if len(api.Groups) != 1 || api.Groups[0].ID != inner.ID {
			h.t.Errorf("%+v", api.Groups)
		}
	})
}

func TestA_page_for_consumers_shows_everybodys_direct_groups_by_name(t *testing.T) {
	each(t, func(h *house) {
		ada, bob, cyd, dan := h.person("ada"), h.person("bob"), h.person("cyd"), h.person("dan")
		staff := h.group("Staff", string(ada.ID), string(bob.ID), string(cyd.ID))
		crew := h.group("Crew", string(ada.ID))
		h.group("Everybody", string(staff.ID), string(crew.ID))
		h.activate(cyd.ID, false)
		found, _, more, err := h.s.APIUsers(ctx, directory.APIQuery{Directory: h.dir.ID, Limit: 4, Ascending: true})
		h.ok(err)
		if len(found) != 4 || more {
			h.t.Fatalf("%d people, more: %t", len(found), more)
		}
		in := func(groups ...directory.Group) (refs []directory.GroupRef) {
			for _, g := range groups {
				refs = append(refs, directory.GroupRef{ID: g.ID, Name: g.Name, Direct: true})
			}
			return refs
		}
		for i, want := range []struct {
			who directory.UserID
			in  []directory.GroupRef
		}{{ada.ID, in(staff, crew)}, {bob.ID, in(staff)}, {cyd.ID, nil}, {dan.ID, nil}} {
			if u := found[i]; u.ID != want.who || !slices.Equal(u.Groups, want.in) {
				h.t.Errorf("%s is in %+v, want %s in %+v", u.ID, u.Groups, want.who, want.in)
			}
		}
	})
}

func TestStale_group_ids_heal_by_external_id_else_name(t *testing.T) {
	each(t, func(h *house) {
		g := h.group("Staff")
		h.ok(h.s.DeleteGroup(ctx, h.a, string(g.ID), directory.Condition{}, record))
		again := h.group("staff")
		found, err := h.s.GetGroup(ctx, h.a, string(g.ID), false)
		h.ok(err)
		if found.ID != again.ID {
			h.t.Errorf("%s led to %s, want %s", g.ID, found.ID, again.ID)
		}
		h.wantFault(h.s.DeleteGroup(ctx, h.a, string(g.ID), directory.Condition{}, record), fault.NotFound, "")
		outer := h.group("Outer", string(g.ID)) // a member reference heals too
		if got := h.memberValues(outer); !slices.Equal(got, []string{string(again.ID)}) {
			h.t.Errorf("members %v", got)
		}
	})
}

// On PostgreSQL a value can be parked in the moment its person arrives, each write blind to the other.
func TestSweep_settles_a_member_who_was_parked_while_the_person_arrived(t *testing.T) {
	each(t, func(h *house) {
		g := h.group("Staff")
		u := h.person("ada")
		h.news()
		_, err := h.exec(`INSERT INTO directory_parked_members (directory_id, value_key, group_id, value) VALUES ($1, 'ada', $2, 'ADA')`, string(h.dir.ID), string(g.ID))
		h.ok(err)
		h.ok(h.s.Sweep(ctx))
		if got := h.memberValues(g); !slices.Equal(got, []string{string(u.ID)}) {
			h.t.Errorf("members %v", got)
		}
		h.wantNews("group.user_added")
	})
}

// Many people join at once while one of them leaves for good and another becomes inactive: whoever is told of has to be there.
func TestMany_who_join_at_once_are_those_who_are_there(t *testing.T) {
	each(t, func(h *house) {
		for round := range 8 {
			var ids []string
			for i := range 120 {
				ids = append(ids, string(h.person(fmt.Sprintf("r%d-u%03d", round, i)).ID))
			}
			g := h.group(fmt.Sprintf("Staff %d", round))
			h.news()
			var done sync.WaitGroup
			done.Go(func() { h.members(g, scim.MembersAdd, ids...) })
			done.Go(func() {
				if err := h.s.DeleteUser(ctx, h.a, ids[7], directory.Condition{}, record); err != nil {
					h.t.Error(err)
				}
			})
			done.Go(func() { h.activate(directory.UserID(ids[9]), false) })
			done.Wait()
			in := map[string]int{}
			for _, e := range h.newEvents() {
				for _, id := range []string{ids[7], ids[9], ids[11]} {
					if strings.Contains(string(e.Data), `"user":{"object":"directory_user","id":"`+id) {
						in[id] += map[string]int{"dsync.group.user_added": 1, "dsync.group.user_removed": -1}[string(e.Type)]
					}
				}
			}
			if in[ids[7]] != 0 || in[ids[9]] != 0 || in[ids[11]] != 1 {
				h.t.Fatalf("round %d: deleted %d, inactive %d, present %d", round, in[ids[7]], in[ids[9]], in[ids[11]])
			}
			if found, err := h.s.GetGroup(ctx, h.a, string(g.ID), true); err != nil || slices.ContainsFunc(found.Members, func(m directory.Member) bool {
				return m.Value == ids[7] && m.Kind == directory.MemberUser
			}) {
				h.t.Fatalf("round %d: somebody who was deleted is a member: %v", round, err)
			}
		}
	})
}
