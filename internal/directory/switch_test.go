package directory_test

import (
	"testing"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
)

// silence makes the house's directory one that only collects, as a switch does; whoever was let in before does not know.
func (h *house) silence() {
	h.t.Helper()
	_, err := h.exec(`UPDATE directories SET live_at = NULL WHERE id = $1`, string(h.dir.ID))
	h.ok(err)
}

func TestDirectory_that_only_collects_shuts_nobody_out_and_has_them_looked_at_when_it_lives(t *testing.T) {
	each(t, func(h *house) {
		h.taken()
		ada, bob := h.person("ada"), h.person("bob")
		h.provision(h.s)
		h.told()
		h.silence()
		h.activate(ada.ID, false)
		h.ok(h.s.DeleteUser(ctx, h.a, string(bob.ID), directory.Condition{}, record))
		h.wantTold(nil, nil)
		if n := h.due(); n != 2 {
			t.Errorf("%d people are due", n)
		}
		h.provision(h.s)
		h.wantTold(nil, nil)
		if n := h.due(); n != 0 {
			t.Errorf("%d people are due after they were looked at", n)
		}
	})
}

func TestRequest_that_is_under_way_when_its_directory_falls_silent_shuts_nobody_out(t *testing.T) {
	each(t, func(h *house) {
		l := h.taken()
		ada := h.person("ada")
		h.provision(h.s)
		h.told()
		times := 0
		l.restricting = func() {
			if times++; times == 1 {
				h.silence()
			}
		}
		h.activate(ada.ID, false)
		h.wantTold(nil, nil)
		if times != 1 || h.due() != 1 {
			t.Errorf("asked to shut out %d times, %d due", times, h.due())
		}
	})
}

func TestTeams_do_not_follow_groups_of_a_directory_that_has_fallen_silent(t *testing.T) {
	each(t, func(h *house) {
		h.taken()
		h.maps(access.NewMapping{DrivesTeams: true, TeamsFollow: true})
		h.group("Before")
		h.silence() // the door was opened before
		h.group("After")
		var n int64
		h.ok(h.db.QueryRow(ctx, `SELECT COUNT(*) FROM teams`).Scan(&n))
		if n != 1 {
			t.Errorf("%d teams follow", n)
		}
	})
}

func TestSilenced_directory_forgets_whom_it_was_about_to_tell_of(t *testing.T) {
	each(t, func(h *house) {
		h.taken()
		next, _, err := h.s.Create(ctx, actor(), directory.New{OrganizationID: string(h.org.ID), Name: "Next", Type: directory.AzureSCIM, Silent: true})
		h.ok(err)
		h.person("ada")
		h.ok(h.s.Reapply(ctx, actor(), string(h.org.ID), h.dir.ID))
		pair := directory.Pair{From: h.dir.ID, To: next.ID}
		h.ok(h.db.Tx(ctx, func(tx db.Tx) error { return h.s.HoldTx(ctx, tx, string(h.org.ID), pair) }))
		err = h.db.Tx(ctx, func(tx db.Tx) error { return h.s.HoldTx(ctx, tx, string(h.org.ID), pair) })
		if err == nil {
			t.Error("taken into a second switch")
		}
		h.ok(h.db.Tx(ctx, func(tx db.Tx) error {
			return h.s.CutOverTx(ctx, tx, event.Actor{ID: "test", Source: event.API}, string(h.org.ID), pair)
		}))
		if n := h.due(); n != 0 {
			t.Errorf("%d people are due", n)
		}
		if p := h.progress(h.dir.ID); p.State != directory.UpToDate {
			t.Errorf("progress of the silenced one %+v", p)
		}
		h.provision(h.s)
		h.wantTold(nil, nil)
	})
}
