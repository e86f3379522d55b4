package event_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/token"
)

func carryOver(t *testing.T, from *db.DB, to db.Engine) (*db.DB, *event.Log) {
	t.Helper()
	var raw bytes.Buffer
	// What other rooms say; the tables of those that are not there do not matter.
	seeds := db.Packing{
		Leave:  map[string]string{"door_leases": "not of this room", "webhook_processes": "not of this room"},
		Seeded: map[string]string{"installation": "TRUE", "webhook_cursor": "TRUE", "logout_cursor": "TRUE"},
	}
	o := db.BackupOptions{Now: time.Now(), Migrations: migrations.Files, Packings: []db.Packing{event.Packing(from), seeds}}
	if _, err := from.Backup(ctx, &raw, o); err != nil {
		t.Fatal(err)
	}
	target := dbtest.Open(t, to, nil)
	o.Packings[0] = event.Packing(target)
	if _, err := target.Restore(ctx, &raw, o); err != nil {
		t.Fatal(err)
	}
	return target, event.NewLog(target, token.NewSource(time.Now))
}

// outOfOrder has events whose positions are not in the order of their numbers, as happens when a slow transaction commits after a
// quicker one that began later, and two at the end that were given none yet.
func outOfOrder(t *testing.T, d *db.DB, l *event.Log) (ids []string) {
	t.Helper()
	for i := range 8 {
		ids = append(ids, appendEvents(t, d, l, time.Now(), entry("org_1", "dsync.user.created", fmt.Sprintf("{%d}", i)))...)
	}
	if d.Engine() == db.SQLite {
		return ids
	}
	var w db.Write
	w.Exec(`DELETE FROM event_queue`)
	for pos, seq := range []int{3, 1, 5, 2, 6, 4} {
		w.Exec(`INSERT INTO event_positions (pos, seq) VALUES ($1, $2)`, 10+pos, seq)
	}
	w.Exec(`UPDATE event_head SET last = 15`)
	w.Exec(`INSERT INTO event_queue (seq) VALUES (8), (7)`)
	if err := d.Write(ctx, &w); err != nil {
		t.Fatal(err)
	}
	return []string{ids[2], ids[0], ids[4], ids[1], ids[5], ids[3], ids[6], ids[7]}
}

func idsOf(events []event.Event) []string {
	out := make([]string, len(events))
	for i, e := range events {
		out[i] = e.ID
	}
	return out
}

func TestBackup_keeps_the_readers_order_whichever_engine_it_goes_to(t *testing.T) {
	for _, from := range dbtest.Engines(t) {
		source := dbtest.Open(t, from, migrations.Files)
		log := event.NewLog(source, token.NewSource(time.Now))
		want := outOfOrder(t, source, log)
		for _, to := range dbtest.Engines(t) {
			t.Run(fmt.Sprintf("%s to %s and back", from, to), func(t *testing.T) {
				target, restored := carryOver(t, source, to)
				if got := idsOf(list(t, restored, event.Query{})); !slices.Equal(got, want) {
					t.Errorf("the order is %v, want %v", got, want)
				}
				if got := idsOf(list(t, restored, event.Query{OrganizationID: "org_1", Types: []event.Type{"dsync.user.created"}})); !slices.Equal(got, want) {
					t.Errorf("of the organization there are %v, want %v", got, want)
				}
				for i, id := range want {
					if got := idsOf(list(t, restored, event.Query{After: id})); !slices.Equal(got, want[i+1:]) {
						t.Errorf("after event %d come %v", i, got)
					}
				}
				// What is appended now comes last, also after going back.
				next := appendEvents(t, target, restored, time.Now(), entry("org_1", "dsync.user.updated", "{}"), entry("org_1", "dsync.user.deleted", "{}"))
				all := slices.Concat(want, next)
				if got := idsOf(list(t, restored, event.Query{})); !slices.Equal(got, all) {
					t.Errorf("with new ones the order is %v, want %v", got, all)
				}
				_, back := carryOver(t, target, from)
				if got := idsOf(list(t, back, event.Query{})); !slices.Equal(got, all) {
					t.Errorf("back again the order is %v, want %v", got, all)
				}
			})
		}
		// The original gives those without a position the same order.
		if got := idsOf(list(t, log, event.Query{})); !slices.Equal(got, want) {
			t.Errorf("the original says %v, the backup %v", got, want)
		}
	}
}

// While a backup's moment is fixed nobody may give positions: what somebody is giving just then would be in one order there and in
// another in the backup.
func TestBackup_waits_for_whoever_is_giving_positions(t *testing.T) {
	if !slices.Contains(dbtest.Engines(t), db.PostgreSQL) {
		t.Skip("positions are given on PostgreSQL, which is left out")
	}
	d := dbtest.Open(t, db.PostgreSQL, migrations.Files)
	l := event.NewLog(d, token.NewSource(time.Now))
	first := appendEvents(t, d, l, time.Now(), entry("org_1", "dsync.user.created", "{1}"))
	second := appendEvents(t, d, l, time.Now(), entry("org_1", "dsync.user.created", "{2}"))
	done := make(chan *event.Log, 1)
	err := d.Tx(ctx, func(tx db.Tx) error {
		var last int64
		if err := tx.QueryRow(ctx, `SELECT last FROM event_head FOR UPDATE`).Scan(&last); err != nil {
			return err
		}
		go func() {
			defer close(done) // also when it fails
			_, restored := carryOver(t, d, db.SQLite)
			done <- restored
		}()
		select {
		case <-done:
			t.Error("the backup did not wait")
		case <-time.After(200 * time.Millisecond):
		}
		// This one saw the second event alone.
		for _, sql := range []string{
			`DELETE FROM event_queue WHERE seq = 2`, `INSERT INTO event_positions (pos, seq) VALUES (1, 2)`, `UPDATE event_head SET last = 1`,
		} {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Concat(second, first)
	restored := <-done
	if restored == nil {
		t.Fatal("the backup failed")
	}
	if got := idsOf(list(t, restored, event.Query{})); !slices.Equal(got, want) {
		t.Errorf("the backup says %v, want %v", got, want)
	}
	if got := idsOf(list(t, l, event.Query{})); !slices.Equal(got, want) {
		t.Errorf("the log says %v, want %v", got, want)
	}
}
