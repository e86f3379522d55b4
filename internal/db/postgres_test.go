package db_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
)

func postgres(t *testing.T) harness {
	t.Helper()
	return harness{t, dbtest.Open(t, db.PostgreSQL, dbtest.Migrations(schema))}
}

// Two transactions lock the same two rows in opposite order; PostgreSQL ends one of them.
func TestDeadlocked_tx_is_repeated(t *testing.T) {
	t.Parallel()
	h := postgres(t)
	h.org("a")
	h.org("b")
	var group, bothHoldOne sync.WaitGroup
	bothHoldOne.Add(2)
	for _, order := range [][]string{{"a", "b"}, {"b", "a"}} {
		group.Go(func() {
			var met sync.Once
			err := h.Tx(t.Context(), func(tx db.Tx) error {
				for _, id := range order {
					if _, err := tx.Exec(t.Context(), "UPDATE org SET version = version + 1 WHERE id = $1", id); err != nil {
						return fmt.Errorf("lock %s: %w", id, err)
					}
					met.Do(func() { bothHoldOne.Done(); bothHoldOne.Wait() })
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := h.count("SELECT sum(version) FROM org"); n != 4 {
		t.Errorf("%d increments", n)
	}
	if s := h.Stats(); s.Retries == 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestDeadlocked_writes_are_repeated(t *testing.T) {
	t.Parallel()
	h := postgres(t)
	h.org("a")
	h.org("b")
	const rounds = 40
	var group sync.WaitGroup
	for _, order := range [][]string{{"a", "b"}, {"b", "a"}} {
		group.Go(func() {
			for range rounds {
				var w db.Write
				for _, id := range order {
					w.Guard("UPDATE org SET version = version + 1 WHERE id = $1", id)
				}
				if err := h.Write(t.Context(), &w); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if n := h.count("SELECT sum(version) FROM org"); n != 4*rounds {
		t.Errorf("%d increments", n)
	}
}

// What was ended by the administrator before its commit is undone, so it may be repeated.
func TestTx_on_an_ended_connection_is_repeated(t *testing.T) {
	t.Parallel()
	h := postgres(t)
	runs := 0
	h.must(h.Tx(t.Context(), func(tx db.Tx) error {
		runs++
		if _, err := tx.Exec(t.Context(), "INSERT INTO journal (line) VALUES ('x')"); err != nil {
			return err
		}
		if runs > 1 {
			return nil
		}
		_, err := tx.Exec(t.Context(), "SELECT pg_terminate_backend(pg_backend_pid())")
		return err
	}))
	if n := h.count("SELECT count(*) FROM journal"); n != 1 || runs != 2 {
		t.Errorf("%d lines after %d runs", n, runs)
	}
}

func TestWrite_ended_by_the_administrator_is_repeated_and_then_an_error(t *testing.T) {
	t.Parallel()
	h := postgres(t)
	w := line("x")
	w.Exec("SELECT pg_terminate_backend(pg_backend_pid())")
	err := h.Write(t.Context(), w)
	var unknown *db.UnknownOutcomeError
	if err == nil || errors.As(err, &unknown) {
		t.Errorf("got %v", err)
	}
	if s := h.Stats(); s.Retries == 0 {
		t.Errorf("stats %+v", s)
	}
	if n := h.count("SELECT count(*) FROM journal"); n != 0 {
		t.Errorf("%d lines", n)
	}
}

// The backend goes while the commit itself runs, in a deferred trigger: nobody can say.
func TestConnection_lost_during_commit_is_an_unknown_outcome(t *testing.T) {
	t.Parallel()
	h := harness{t, dbtest.Open(t, db.PostgreSQL, dbtest.Migrations(schema, `
-- +goose StatementBegin
CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
-- +goose StatementEnd
CREATE CONSTRAINT TRIGGER die AFTER INSERT ON journal DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die();`))}
	var unknown *db.UnknownOutcomeError
	if err := h.Write(t.Context(), line("x")); !errors.As(err, &unknown) {
		t.Errorf("Write: %v", err)
	}
	err := h.Tx(t.Context(), func(tx db.Tx) error {
		_, err := tx.Exec(t.Context(), "INSERT INTO journal (line) VALUES ('y')")
		return err
	})
	if !errors.As(err, &unknown) {
		t.Errorf("Tx: %v", err)
	}
	if s := h.Stats(); s.Unknown != 2 || s.Retries != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestDeferred_constraint_fails_at_the_commit(t *testing.T) {
	t.Parallel()
	h := harness{t, dbtest.Open(t, db.PostgreSQL, dbtest.Migrations(schema, `
		CREATE TABLE late (id TEXT PRIMARY KEY, org_id TEXT NOT NULL REFERENCES org (id) DEFERRABLE INITIALLY DEFERRED);`))}
	w := line("x")
	w.Exec("INSERT INTO late (id, org_id) VALUES ('l', 'nobody')")
	if err := h.Write(t.Context(), w); !errors.Is(err, db.ErrForeignKey) {
		t.Errorf("got %v", err)
	}
	if n := h.count("SELECT count(*) FROM journal"); n != 0 {
		t.Errorf("%d lines", n)
	}
}

// A guard that selects keeps its row locked until the write commits.
func TestGuard_holds_its_lock_until_the_commit(t *testing.T) {
	t.Parallel()
	h := postgres(t)
	h.org("a")
	var group sync.WaitGroup
	group.Go(func() {
		var w db.Write
		w.GuardSelect("SELECT id FROM org WHERE id = $1"+h.ForUpdate(), "a")
		w.Exec("SELECT pg_sleep(0.3)")
		w.Exec("INSERT INTO journal (line) SELECT version || '' FROM org WHERE id = $1", "a")
		if err := h.Write(t.Context(), &w); err != nil {
			t.Error(err)
		}
	})
	for h.count("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'") == 0 {
	}
	h.exec("UPDATE org SET version = 5 WHERE id = 'a'")
	group.Wait()
	if n := h.count("SELECT count(*) FROM journal WHERE line = '0'"); n != 1 {
		t.Error("the row changed under the guard")
	}
}

func TestSettings_of_the_server_do_not_weaken_a_commit(t *testing.T) {
	t.Parallel()
	options := dbtest.Options(t, db.PostgreSQL, nil)
	options.URL += "&synchronous_commit=off&default_transaction_isolation=serializable"
	d, err := db.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var commit, isolation string
	if err := d.QueryRow(t.Context(), "SELECT current_setting('synchronous_commit'), current_setting('transaction_isolation')").Scan(&commit, &isolation); err != nil {
		t.Fatal(err)
	}
	if commit != "on" || isolation != "read committed" {
		t.Errorf("synchronous_commit %s, isolation %s", commit, isolation)
	}
}

// hold locks the row of an organization until release is called; whoever changes it waits.
func (h harness) hold(id string) (release func()) {
	h.Helper()
	locked, let, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- h.Tx(h.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(h.Context(), "UPDATE org SET version = version WHERE id = $1", id)
			close(locked)
			<-let
			return err
		})
	}()
	<-locked
	return func() {
		close(let)
		h.must(<-ended)
	}
}

// waiting waits until so many writes wait in the lane.
func (h harness) waiting(n int64) {
	h.Helper()
	for range 500 {
		if h.Stats().Queued == n {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	h.Fatalf("%d writes wait, want %d", h.Stats().Queued, n)
}

func TestWrites_of_a_lane_that_meet_share_one_transaction(t *testing.T) {
	t.Parallel()
	h := postgres(t)
	h.org("o")
	release := h.hold("o")
	first := h.goWrite(t.Context(), "lane", "UPDATE org SET version = version + 1 WHERE id = 'o'")
	h.waiting(0)
	h.blocked()
	before := h.Stats()
	var others []<-chan error
	for i := range 10 {
		others = append(others, h.goWrite(t.Context(), "lane", fmt.Sprintf("INSERT INTO journal (line) VALUES ('%d')", i)))
	}
	elsewhere := h.goWrite(t.Context(), "another lane", "INSERT INTO journal (line) VALUES ('elsewhere')")
	h.waiting(10)
	h.must(<-elsewhere)
	release()
	h.must(<-first)
	for _, done := range others {
		h.must(<-done)
	}
	after := h.Stats()
	// the first, the other lane's, the holder's, and one for all ten
	if commits := after.Commits - before.Commits; commits != 4 || after.LargestGroup != 10 {
		t.Errorf("%d commits, stats %+v", commits, after)
	}
	if n := h.count("SELECT count(*) FROM journal"); n != 11 {
		t.Errorf("%d lines", n)
	}
}

func TestWrite_that_is_cancelled_while_it_waits_in_a_lane_is_dropped(t *testing.T) {
	t.Parallel()
	h := postgres(t)
	h.org("o")
	release := h.hold("o")
	first := h.goWrite(t.Context(), "lane", "UPDATE org SET version = version + 1 WHERE id = 'o'")
	h.blocked()
	ctx, cancel := context.WithCancel(t.Context())
	dropped := h.goWrite(ctx, "lane", "INSERT INTO journal (line) VALUES ('dropped')")
	h.waiting(1)
	kept := h.goWrite(t.Context(), "lane", "INSERT INTO journal (line) VALUES ('kept')")
	h.waiting(2)
	cancel()
	if err := <-dropped; !errors.Is(err, context.Canceled) {
		t.Errorf("dropped: %v", err)
	}
	release()
	h.must(<-first)
	h.must(<-kept)
	if n := h.count("SELECT count(*) FROM journal WHERE line = 'dropped'"); n != 0 {
		t.Error("it was written")
	}
}

func TestWrites_that_share_a_transaction_wait_for_a_connection_no_longer_than_one_of_them_is_wanted(t *testing.T) {
	t.Parallel()
	h := postgres(t)
	h.org("o")
	release := h.hold("o")
	first := h.goWrite(t.Context(), "lane", "UPDATE org SET version = version + 1 WHERE id = 'o'")
	h.blocked()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var given []<-chan error
	for range 3 {
		given = append(given, h.goWrite(ctx, "lane", "INSERT INTO journal (line) VALUES ('given up')"))
	}
	h.waiting(3)
	let := h.occupy(16) // of the 16 connections those that are free, and the two that will be
	release()
	h.must(<-first)
	h.waiting(2) // the third has been sent off with them, and finds no connection
	cancel()
	for _, done := range given {
		select {
		case err := <-done:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("given up: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("it still waits for a connection, for nobody")
		}
	}
	let()
	if n := h.count("SELECT count(*) FROM journal"); n != 0 {
		t.Errorf("%d lines", n)
	}
}

// occupy has so many transactions take a connection, now or as soon as there is one, until let is called.
func (h harness) occupy(n int) (let func()) {
	h.Helper()
	var all sync.WaitGroup
	end := make(chan struct{})
	for range n {
		all.Go(func() {
			if err := h.Tx(h.Context(), func(db.Tx) error { <-end; return nil }); err != nil {
				h.Error(err)
			}
		})
	}
	time.Sleep(300 * time.Millisecond) // those who wait for a connection cannot be seen
	let = sync.OnceFunc(func() {
		close(end)
		all.Wait()
	})
	h.Cleanup(let)
	return let
}

// blocked waits until something waits for a lock.
func (h harness) blocked() {
	h.Helper()
	for range 2000 {
		if h.count("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()") > 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	h.Fatal("nothing waits for a lock")
}

func (h harness) goWrite(ctx context.Context, lane, sql string) <-chan error {
	done := make(chan error, 1)
	go func() {
		w := db.Write{Lane: lane}
		w.Exec(sql)
		done <- h.Write(ctx, &w)
	}()
	return done
}

func TestAnalyze_tells_the_planner_what_it_has_not_seen(t *testing.T) {
	t.Parallel()
	h := postgres(t)
	h.exec("ALTER TABLE journal SET (autovacuum_enabled = false)")
	known := func() int {
		return h.count("SELECT CAST(reltuples AS BIGINT) FROM pg_class WHERE oid = 'journal'::regclass")
	}
	for _, rows := range []int{100, 5000} {
		h.exec("INSERT INTO journal (line) SELECT 'line ' || n FROM generate_series(1, CAST($1 AS BIGINT)) AS n", rows-h.count("SELECT count(*) FROM journal"))
		for range 600 { // the server counts changes about once a second, and ten seconds after the last statement of a connection that has nothing to do
			h.must(h.Analyze(t.Context()))
			if known() == rows {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if known() != rows {
			t.Errorf("of %d rows the planner knows %d", rows, known())
		}
	}
}

// queued is a table through which rows have gone, as the server has counted them; autovacuum leaves it alone.
func (h harness) queued(rows int) {
	h.Helper()
	h.exec("ALTER TABLE journal SET (autovacuum_enabled = false)")
	h.exec("INSERT INTO journal (line) SELECT 'line ' || n FROM generate_series(1, CAST($1 AS BIGINT)) AS n", rows)
	h.exec("DELETE FROM journal")
	h.litter(rows)
}

// litter waits until the server has counted the dead rows of the journal: it does about once a second, and ten seconds after the last statement
// of a connection that has nothing to do.
func (h harness) litter(rows int) {
	h.Helper()
	for range 600 {
		if h.dead() >= rows {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	h.Fatalf("%d dead rows are known", h.dead())
}

func (h harness) dead() int {
	return h.count("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relid = 'journal'::regclass")
}

func TestClear_takes_out_what_went_through_a_queue(t *testing.T) {
	t.Parallel()
	h := postgres(t)
	h.queued(3000)
	for range 3 { // as often as need be: it is cleared each time
		h.must(h.Clear(t.Context()))
		if n := h.dead(); n != 0 {
			t.Fatalf("%d dead rows are left", n)
		}
		h.queued(3000)
	}
}

// A table that is mostly alive is left to autovacuum: to clear it costs what it is large.
func TestClear_leaves_tables_that_are_mostly_alive(t *testing.T) {
	t.Parallel()
	h := postgres(t)
	h.exec("ALTER TABLE journal SET (autovacuum_enabled = false)")
	h.exec("INSERT INTO journal (line) SELECT 'line ' || n FROM generate_series(1, 9000) AS n")
	h.exec("DELETE FROM journal WHERE id % 3 = 0")
	h.litter(3000)
	h.must(h.Clear(t.Context()))
	if h.dead() != 3000 {
		t.Errorf("%d of 3000 dead rows are left", h.dead())
	}
}

// What an old snapshot still sees cannot be taken out: it is not tried again each second.
func TestClear_rests_where_it_cannot_clear(t *testing.T) {
	t.Parallel()
	h := postgres(t)
	vacuums := func() int {
		return h.count("SELECT vacuum_count FROM pg_stat_user_tables WHERE relid = 'journal'::regclass")
	}
	h.must(h.Snapshot(t.Context(), func(r db.Reader) error {
		var n int
		h.must(r.QueryRow(t.Context(), "SELECT count(*) FROM journal").Scan(&n))
		h.queued(3000)
		for range 5 {
			h.must(h.Clear(t.Context()))
		}
		return nil
	}))
	if n := vacuums(); n != 1 {
		t.Errorf("tried %d times", n)
	}
}

func TestWrite_of_many_rows_keeps_no_lane_waiting(t *testing.T) {
	t.Parallel()
	h := postgres(t)
	h.org("o")
	release := h.hold("o")
	big := make(chan error, 1)
	go func() {
		w := db.Write{Lane: "lane"}
		w.Guard("UPDATE org SET version = version + 1 WHERE id = 'o'")
		rows := make([][]any, 100)
		for i := range rows {
			rows[i] = []any{fmt.Sprint(i)}
		}
		w.Many("INSERT INTO journal (line) VALUES ($1)", rows)
		big <- h.Write(t.Context(), &w)
	}()
	h.blocked()
	patience, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	small := <-h.goWrite(patience, "lane", "INSERT INTO journal (line) VALUES ('small')")
	release()
	h.must(small)
	h.must(<-big)
	if n := h.count("SELECT count(*) FROM journal"); n != 101 {
		t.Errorf("%d lines", n)
	}
}
