package event_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/token"
)

func TestTally_counts_each_part_and_what_directories_changed_in_it_up_to_a_bound(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, _ *event.Log) {
		first := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
		at := first
		l := event.NewLog(d, token.NewSource(func() time.Time { return at }))
		add := func(hour, minute int, kinds ...event.Type) {
			t.Helper()
			at = first.Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
			for _, kind := range kinds {
				appendEvents(t, d, l, at, entry("org_1", kind, "{}"))
			}
		}
		add(-1, 59, "dsync.user.created")
		add(0, 0, "dsync.user.created", event.UserCreated, "dsync.user.updated")
		add(1, 30, event.UserCreated, event.UserCreated, "dsync.user.updated", "dsync.user.updated")
		add(3, 0, "dsync.user.updated")
		edges := []time.Time{first, first.Add(time.Hour), first.Add(2 * time.Hour), first.Add(3 * time.Hour)}
		for most, want := range map[int][2][]int{10: {{3, 4, 0}, {2, 2, 0}}, 3: {{3, 3, 0}, {2, 1, 0}}} {
			all, syncs, err := l.Tally(ctx, edges, most)
			if err != nil || !slices.Equal(all, want[0]) || !slices.Equal(syncs, want[1]) {
				t.Errorf("at most %d: %v, %v, %v; want %v", most, all, syncs, err, want)
			}
		}
		if all, syncs, err := l.Tally(ctx, nil, 10); err != nil || len(all)+len(syncs) != 0 {
			t.Errorf("without edges: %v, %v, %v", all, syncs, err)
		}
	})
}

// What a part costs must not grow with the log: its rows are found by the index and come in its order. What SQLite plans does not depend on
// what is stored.
func TestTally_of_a_part_looks_at_its_rows_alone(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, _ *event.Log) {
		plan, ok := dbtest.SQLitePlan(t, d, event.TallyEvents, "event_1", "event_2", int64(10))
		if ok && (strings.Contains(plan, "SCAN events") || strings.Contains(plan, "B-TREE") || !strings.Contains(plan, "SEARCH events USING")) {
			t.Errorf("the plan is\n%s", plan)
		}
	})
}
