package directory_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scim"
)

func (h *house) update(c directory.Changes) directory.Directory {
	h.t.Helper()
	d, err := h.s.Update(ctx, actor(), h.dir.ID, c)
	h.ok(err)
	return d
}

func to[T any](v T) *T { return &v }

func TestDirectory_takes_new_settings_and_keeps_the_others(t *testing.T) {
	each(t, func(h *house) {
		extensions := []byte(`{"user":[],"group":[]}`)
		h.update(directory.Changes{
			Name: to(" Staff "), Label: to("staff"), Provider: to("okta"), InactiveUsers: to(directory.Removed), Provisioning: to(directory.Direct),
			Strict: to(true), Extensions: extensions,
		})
		got, err := h.s.Get(ctx, h.dir.ID)
		h.ok(err)
		if got.Name != "Staff" || got.Label != "staff" || got.Provider != "okta" || got.InactiveUsers != directory.Removed ||
			got.Provisioning != directory.Direct || !got.Strict || string(got.Extensions) != string(extensions) || !got.UpdatedAt.After(h.dir.UpdatedAt) ||
			got.AddressKey != h.dir.AddressKey || got.Type != h.dir.Type || got.State != directory.Linked {
			h.t.Errorf("%+v", got)
		}
		if kept := h.update(directory.Changes{Name: to("Staff")}); !kept.UpdatedAt.Equal(got.UpdatedAt) || kept.Label != "staff" || !kept.Strict {
			h.t.Errorf("a change that is none: %+v", kept)
		}
		if got := h.update(directory.Changes{Label: to(""), Provider: to(""), Strict: to(false), Extensions: []byte("{}")}); got.Label != "" ||
			got.Provider != "" || got.Strict || string(got.Extensions) != "{}" || got.Name != "Staff" {
			h.t.Errorf("%+v", got)
		}
		h.wantNews() // the contract has no event for it
	})
}

func TestDirectory_refuses_settings_that_are_wrong_and_changes_nothing(t *testing.T) {
	each(t, func(h *house) {
		h.directory(directory.New{Name: "Other", Label: "taken"})
		for _, one := range []struct {
			c    directory.Changes
			kind fault.Kind
			code string
		}{
			{directory.Changes{Label: to("taken")}, fault.Conflict, "label_taken"},
			{directory.Changes{Label: to("users")}, fault.Unprocessable, "invalid_label"},
			{directory.Changes{Name: to(" ")}, fault.Unprocessable, "required"},
			{directory.Changes{Provider: to("no_such")}, fault.Unprocessable, "invalid_provider"},
			{directory.Changes{InactiveUsers: to(directory.InactiveUsers("gone"))}, fault.Unprocessable, "invalid"},
			{directory.Changes{Provisioning: to(directory.Provisioning("all"))}, fault.Unprocessable, "invalid"},
			{directory.Changes{Extensions: []byte(`{"people":[]}`)}, fault.Unprocessable, "invalid_extensions"},
		} {
			one.c.Strict = to(true)
			_, err := h.s.Update(ctx, actor(), h.dir.ID, one.c)
			h.wantFault(err, one.kind, one.code)
		}
		if got, err := h.s.Get(ctx, h.dir.ID); err != nil || got.Strict || got.Label != "" {
			h.t.Errorf("%+v %v", got, err)
		}
		h.ok(h.s.Delete(ctx, actor(), h.dir.ID))
		_, err := h.s.Update(ctx, actor(), h.dir.ID, directory.Changes{Name: to("x")})
		h.wantFault(err, fault.NotFound, "entity_not_found")
	})
}

func TestChanged_settings_hold_in_every_process_and_a_former_label_opens_nothing(t *testing.T) {
	each(t, func(h *house) {
		processes := h.processes()
		for _, label := range []string{"one", "two", "three"} {
			h.update(directory.Changes{Label: to(label), Strict: to(label == "two")})
			for i, s := range processes {
				for _, address := range []string{label, h.dir.AddressKey} {
					a, err := s.Authenticate(ctx, address, h.token)
					h.ok(err)
					if a.Mode.Strict != (label == "two") {
						h.t.Fatalf("process %d acts on former settings", i)
					}
				}
			}
		}
		h.update(directory.Changes{Label: to("")})
		for i, s := range processes {
			for _, former := range []string{"one", "two", "three"} {
				if _, err := s.Authenticate(ctx, former, h.token); !fault.Is(err, fault.Unauthorized) {
					h.t.Fatalf("process %d: the former label %s opens: %v", i, former, err)
				}
			}
			_, err := s.Authenticate(ctx, h.dir.AddressKey, h.token)
			h.ok(err)
		}
	})
}

// reopen takes the directory's present settings.
func (h *house) reopen() { h.t.Helper(); h.a = h.open(h.token) }

func TestInactive_people_are_told_of_when_consumers_are_to_see_them_otherwise(t *testing.T) {
	each(t, func(h *house) {
		ada, bob := h.person("ada"), h.person("bob")
		h.group("Staff", string(ada.ID), string(bob.ID))
		h.activate(ada.ID, false)
		h.news()
		h.update(directory.Changes{InactiveUsers: to(directory.Removed)})
		h.ok(h.s.Align(ctx))
		events := h.newEvents()
		if len(events) != 1 || events[0].Type != "dsync.user.deleted" || !strings.Contains(string(events[0].Data), string(ada.ID)) ||
			!strings.Contains(string(events[0].Context), `"derived":true`) || !strings.Contains(string(events[0].Data), `"state":"inactive"`) {
			h.t.Fatalf("events %v", events)
		}
		h.ok(h.s.Align(ctx))
		h.wantNews() // once
		h.reopen()
		h.activate(ada.ID, true)
		h.wantNews("user.created", "~group.user_added")
		h.activate(ada.ID, false)
		h.wantNews("~group.user_removed", "user.deleted")
		h.update(directory.Changes{InactiveUsers: to(directory.Kept)})
		h.ok(h.s.Align(ctx))
		h.wantNews("~user.created")
		h.reopen()
		h.activate(ada.ID, true)
		h.wantNews("user.updated", "~group.user_added")
	})
}

// What is told first of a person may be their own next request, before the background has come to them.
func TestPerson_not_yet_told_of_is_told_of_by_their_own_request(t *testing.T) {
	each(t, func(h *house) {
		ada, bob := h.person("ada"), h.person("bob")
		h.activate(ada.ID, false)
		h.activate(bob.ID, false)
		h.news()
		h.update(directory.Changes{InactiveUsers: to(directory.Removed)})
		h.reopen()
		h.activate(ada.ID, true) // consumers still have her
		h.wantNews("user.updated")
		h.ok(h.s.DeleteUser(ctx, h.a, string(bob.ID), directory.Condition{}, record)) // and him
		h.wantNews("user.deleted")
		cyd := h.person("cyd")
		h.activate(cyd.ID, false)
		h.news()
		h.update(directory.Changes{InactiveUsers: to(directory.Kept)})
		h.reopen()
		_, _, err := h.s.UpdateUser(ctx, h.a, string(cyd.ID), directory.Condition{}, set(scim.Member{Name: "title", Value: scim.StringOf("x")}), record)
		h.ok(err)
		h.wantNews("user.created")
		h.ok(h.s.Align(ctx))
		h.wantNews()
	})
}

// A large push is guarded by the absence of events, so nobody may vanish without one while it is under way.
func TestDeletion_of_somebody_not_yet_told_of_is_told_where_everybody_is_seen(t *testing.T) {
	each(t, func(h *house) {
		h = newHouse(h.t, h.db, directory.New{InactiveUsers: directory.Removed})
		ada := h.person("ada")
		h.activate(ada.ID, false)
		h.update(directory.Changes{InactiveUsers: to(directory.Kept)})
		h.reopen()
		h.news()
		h.ok(h.s.DeleteUser(ctx, h.a, string(ada.ID), directory.Condition{}, record))
		h.wantNews("user.deleted")
	})
}

func TestRequest_let_in_before_the_change_is_put_right_after_it(t *testing.T) {
	each(t, func(h *house) {
		ada, bob := h.person("ada"), h.person("bob")
		h.news()
		old := h.a
		h.update(directory.Changes{InactiveUsers: to(directory.Removed)})
		h.ok(h.s.Align(ctx))
		h.a = old // a request under way
		h.activate(ada.ID, false)
		h.wantNews("user.updated")
		h.ok(h.s.Align(ctx))
		h.wantNews("~user.deleted")
		h.reopen()
		h.activate(ada.ID, true)
		h.wantNews("user.created")
		h.activate(bob.ID, false)
		h.wantNews("user.deleted")
	})
}

// A change computed from a person whom consumers have been told of meanwhile must not be told as if they had not.
func TestChange_computed_before_consumers_were_told_is_computed_again(t *testing.T) {
	each(t, func(h *house) {
		ada := h.person("ada")
		h.activate(ada.ID, false)
		h.news()
		h.update(directory.Changes{InactiveUsers: to(directory.Removed)})
		h.reopen()
		first := true
		_, _, err := h.s.UpdateUser(ctx, h.a, string(ada.ID), directory.Condition{MentionsActive: true}, func(o *scim.Object) (*scim.Object, error) {
			if first {
				first = false
				h.ok(h.s.Align(ctx))
			}
			return set(scim.Member{Name: "active", Value: scim.BoolOf(true)})(o)
		}, record)
		h.ok(err)
		h.wantNews("~user.deleted", "user.created")
	})
}

func TestTelling_survives_a_restart_takes_many_and_ends(t *testing.T) {
	each(t, func(h *house) {
		for i := range 205 {
			h.user(`{"userName":"u` + strings.Repeat("x", i) + `","active":false}`)
		}
		h.news()
		h.update(directory.Changes{InactiveUsers: to(directory.Removed)})
		now := time.Now()
		next := h.service(directory.Options{Now: func() time.Time { return now }}) // another process, or this one later
		h.ok(next.Align(ctx))
		if got := h.news(); len(got) != 205 {
			h.t.Errorf("%d events", len(got))
		}
		marked := func() (n int) {
			h.t.Helper()
			h.ok(h.db.QueryRow(ctx, "SELECT COUNT(*) FROM directories WHERE align_until IS NOT NULL").Scan(&n))
			return n
		}
		if marked() != 1 {
			h.t.Error("the mark went while requests may be under way")
		}
		now = now.Add(time.Hour)
		h.ok(next.Align(ctx))
		if marked() != 0 {
			h.t.Error("the mark stays")
		}
		h.wantNews()
	})
}

func TestPeople_of_other_directories_are_not_told_of(t *testing.T) {
	each(t, func(h *house) {
		a, b := two(h)
		eve := b.person("eve")
		b.activate(eve.ID, false)
		b.news()
		a.update(directory.Changes{InactiveUsers: to(directory.Removed)})
		a.ok(a.s.Align(ctx))
		b.wantNews()
	})
}

func TestCounts_of_several_directories_are_those_of_each(t *testing.T) {
	each(t, func(h *house) {
		a, b := two(h)
		ada := a.person("ada")
		a.group("Staff")
		b.person("bob")
		b.activate(b.person("eve").ID, false)
		empty, _ := a.directory(directory.New{Name: "Empty"})
		for range 2 {
			got, err := h.s.CountsOf(ctx, a.dir.ID, b.dir.ID, empty.ID)
			h.ok(err)
			if len(got) != 3 || got[a.dir.ID] != (directory.Counts{Active: 1, Groups: 1}) || got[b.dir.ID] != (directory.Counts{Active: 1, Inactive: 1}) ||
				got[empty.ID] != (directory.Counts{}) {
				h.t.Errorf("%+v", got)
			}
			h.ok(h.s.FoldTally(ctx))
		}
		a.ok(a.s.DeleteUser(ctx, a.a, string(ada.ID), directory.Condition{}, record))
		if got, err := h.s.CountsOf(ctx, a.dir.ID); err != nil || got[a.dir.ID] != (directory.Counts{Groups: 1}) {
			h.t.Errorf("%+v %v", got, err)
		}
		if got, err := h.s.CountsOf(ctx); err != nil || len(got) != 0 {
			h.t.Errorf("%+v %v", got, err)
		}
	})
}
