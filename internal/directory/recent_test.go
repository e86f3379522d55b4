package directory_test

import (
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// Each story: this process remembers the person it has just written, then another process (a second service) changes them. What
// this process does next has to be about the person as they are now.

func title(text string) scim.Member { return scim.Member{Name: "title", Value: scim.StringOf(text)} }

// elsewhere is the house as another process sees it.
func (h *house) elsewhere() *house {
	other := *h
	other.s = h.service(directory.Options{})
	return &other
}

func TestRemembered_person_changed_elsewhere_keeps_that_change(t *testing.T) {
	each(t, func(h *house) {
		u := h.person("ada")
		_, _, err := h.elsewhere().s.UpdateUser(ctx, h.a, string(u.ID), directory.Condition{}, set(title("Countess")), record)
		h.ok(err)
		after := h.activate(u.ID, false)
		d, err := scim.ReadObject(after.Document, scim.DefaultLimits)
		h.ok(err)
		if after.Version != 3 || d.Text("title") != "Countess" || after.Active {
			t.Fatalf("version %d: %s", after.Version, after.Document)
		}
		h.wantNews("user.created", "user.updated", "user.updated")
	})
}

func TestRemembered_person_deactivated_elsewhere_is_reactivated_by_what_looks_like_a_repeat(t *testing.T) {
	each(t, func(h *house) {
		u := h.person("ada")
		h.elsewhere().activate(u.ID, false)
		if again := h.activate(u.ID, true); !again.Active || again.Version != 3 {
			t.Fatalf("%+v", again)
		}
		h.wantNews("user.created", "user.updated", "user.updated")
	})
}

func TestRemembered_person_who_joined_a_group_elsewhere_leaves_it_when_they_go(t *testing.T) {
	each(t, func(h *house) {
		u := h.person("ada")
		g := h.elsewhere().group("Staff", string(u.ID))
		after, _, err := h.s.UpdateUser(ctx, h.a, string(u.ID), directory.Condition{}, set(title("Countess")), record)
		h.ok(err)
		if len(after.Groups) != 1 || after.Groups[0].ID != g.ID {
			t.Errorf("the answer shows groups %+v", after.Groups)
		}
		h.activate(u.ID, false)
		h.wantNews("user.created", "group.created", "group.user_added", "user.updated", "user.updated", "~group.user_removed")
	})
}

func TestRemembered_person_removed_elsewhere_is_not_found(t *testing.T) {
	each(t, func(h *house) {
		u := h.person("ada")
		h.ok(h.elsewhere().s.DeleteUser(ctx, h.a, string(u.ID), directory.Condition{}, record))
		_, _, err := h.s.UpdateUser(ctx, h.a, string(u.ID), directory.Condition{}, set(title("Countess")), record)
		h.wantFault(err, fault.NotFound, "")
		h.wantNews("user.created", "user.deleted")
	})
}

func TestRemembered_version_does_not_satisfy_a_condition_that_is_outdated(t *testing.T) {
	each(t, func(h *house) {
		u := h.person("ada")
		_, _, err := h.elsewhere().s.UpdateUser(ctx, h.a, string(u.ID), directory.Condition{}, set(title("Countess")), record)
		h.ok(err)
		_, _, err = h.s.UpdateUser(ctx, h.a, string(u.ID), directory.Condition{Given: true, Versions: []int64{1}}, set(title("Lady")), record)
		h.wantFault(err, fault.Precondition, "")
		if _, _, err = h.s.UpdateUser(ctx, h.a, string(u.ID), directory.Condition{Given: true, Versions: []int64{2}}, set(title("Lady")), record); err != nil {
			t.Error(err)
		}
	})
}

func TestRemembered_person_is_not_found_through_another_directory(t *testing.T) {
	each(t, func(h *house) {
		u := h.person("ada")
		_, secret := h.directory(directory.New{Name: "Entra"})
		_, _, err := h.s.UpdateUser(ctx, h.open(secret), string(u.ID), directory.Condition{}, set(title("Countess")), record)
		h.wantFault(err, fault.NotFound, "")
	})
}
