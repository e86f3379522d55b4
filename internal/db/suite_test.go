package db_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
)

const schema = `
CREATE TABLE org (
  id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL UNIQUE, version BIGINT NOT NULL DEFAULT 0,
  active BOOLEAN NOT NULL DEFAULT TRUE, doc TEXT, seen BIGINT);
CREATE TABLE person (
  org_id TEXT NOT NULL REFERENCES org (id), id TEXT NOT NULL, email TEXT, nick TEXT, code BIGINT,
  PRIMARY KEY (org_id, id), UNIQUE (org_id, code)) {{clustered}};
CREATE UNIQUE INDEX person_email ON person (org_id, email) WHERE email IS NOT NULL;
CREATE UNIQUE INDEX person_nick ON person (org_id, lower(nick));
CREATE TABLE journal (id {{serial_pk}}, line TEXT NOT NULL);`

type harness struct {
	*testing.T
	*db.DB
}

func both(t *testing.T, test func(h harness)) {
	t.Parallel()
	dbtest.Each(t, dbtest.Migrations(schema), func(t *testing.T, open func() *db.DB) {
		t.Parallel()
		test(harness{t, open()})
	})
}

// lanes runs a story with the three ways in which writes share transactions: none, all, and some.
func lanes(t *testing.T, story func(h harness, lane func(i int) string)) {
	for name, lanes := range map[string][]string{"alone": {""}, "one lane": {"l"}, "lanes": {"", "a", "b"}} {
		t.Run(name, func(t *testing.T) {
			both(t, func(h harness) { story(h, func(i int) string { return lanes[i%len(lanes)] }) })
		})
	}
}

func (h harness) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h harness) count(query string, args ...any) int {
	h.Helper()
	var n int
	h.must(h.QueryRow(h.Context(), query, args...).Scan(&n))
	return n
}

func (h harness) lines() (out []string) {
	h.Helper()
	rows, err := h.Query(h.Context(), "SELECT line FROM journal ORDER BY id")
	h.must(err)
	defer rows.Close()
	for rows.Next() {
		var line string
		h.must(rows.Scan(&line))
		out = append(out, line)
	}
	h.must(rows.Err())
	return out
}

func (h harness) exec(query string, args ...any) {
	h.Helper()
	var w db.Write
	w.Exec(query, args...)
	h.must(h.Write(h.Context(), &w))
}

func (h harness) org(id string) {
	h.Helper()
	h.exec("INSERT INTO org (id, name) VALUES ($1, $2)", id, "name of "+id)
}

func TestWrite_is_kept_as_a_whole(t *testing.T) {
	both(t, func(h harness) {
		var w db.Write
		w.Exec("INSERT INTO org (id, name, active) VALUES ($1, $2, $3)", "o", "O", false)
		w.Exec("INSERT INTO person (org_id, id, email) VALUES ($1, $2, $3)", "o", "p", "p@example.com")
		w.Guard("UPDATE org SET version = version + 1 WHERE id = $1 AND version = $2", "o", 0)
		w.Exec("DELETE FROM person WHERE org_id = $1 AND id = $2", "o", "nobody")
		if w.Len() != 4 {
			h.Errorf("Len = %d", w.Len())
		}
		h.must(h.Write(h.Context(), &w))
		if n := h.count("SELECT count(*) FROM org JOIN person ON org_id = org.id WHERE version = 1 AND NOT active"); n != 1 {
			h.Errorf("%d rows, want 1", n)
		}
		if s := h.Stats(); s.Writes != 1 || s.Commits != 1 || s.Failed != 0 {
			h.Errorf("stats %+v", s)
		}
	})
}

func TestWrite_in_a_transaction_is_kept_or_undone_with_it(t *testing.T) {
	both(t, func(h harness) {
		var w db.Write
		w.Exec("INSERT INTO org (id, name) VALUES ($1, $2)", "o", "O")
		w.Many("INSERT INTO person (org_id, id, email) VALUES ($1, $2, $3)", [][]any{{"o", "p", "p@example.com"}, {"o", "q", "q@example.com"}})
		w.Guard("UPDATE org SET version = version + 1 WHERE id = $1 AND version = $2", "o", 0)
		w.GuardSelect("SELECT id FROM person WHERE org_id = $1"+h.ForShare(), "o")
		h.must(h.Tx(h.Context(), func(tx db.Tx) error {
			err := w.In(h.Context(), tx)
			if err == nil {
				_, err = tx.Exec(h.Context(), "UPDATE org SET name = 'after it'")
			}
			return err
		}))
		if n := h.count("SELECT count(*) FROM org JOIN person ON org_id = org.id WHERE version = 1 AND name = 'after it'"); n != 2 {
			h.Errorf("%d rows, want 2", n)
		}
		refused := errors.New("asked before the commit")
		for name, lose := range map[string]func(w *db.Write){
			"guard":  func(w *db.Write) { w.Guard("UPDATE org SET version = 9 WHERE version = $1", 7) },
			"select": func(w *db.Write) { w.GuardSelect("SELECT id FROM org WHERE version = $1", 7) },
			"args":   func(w *db.Write) { w.Exec("INSERT INTO journal (line) VALUES ($1)", struct{}{}) },
			"before": func(w *db.Write) { w.Before = func() error { return refused } },
		} {
			var w db.Write
			w.Exec("INSERT INTO journal (line) VALUES ($1)", name)
			lose(&w)
			err := h.Tx(h.Context(), func(tx db.Tx) error { return w.In(h.Context(), tx) })
			var lost *db.GuardError
			var wrong *db.ArgumentError
			switch {
			case errors.As(err, &lost):
				if lost.Statement != 1 || name != "guard" && name != "select" {
					h.Errorf("%s: %+v", name, lost)
				}
			case errors.As(err, &wrong) && name == "args", errors.Is(err, refused) && name == "before":
			default:
				h.Errorf("%s: %v", name, err)
			}
			if n := h.count("SELECT count(*) FROM journal"); n != 0 {
				h.Errorf("%s: %d rows are left of it", name, n)
			}
		}
	})
}

func TestEmpty_write_is_no_transaction(t *testing.T) {
	both(t, func(h harness) {
		var w db.Write
		w.Many("INSERT INTO journal (line) VALUES ($1)", nil)
		h.must(h.Write(h.Context(), &w))
		if s := h.Stats(); s.Commits != 0 || w.Len() != 0 {
			h.Errorf("stats %+v, %d statements", s, w.Len())
		}
	})
}

func TestLost_guard_undoes_everything(t *testing.T) {
	both(t, func(h harness) {
		h.org("o")
		guards := map[string]func(*db.Write){
			"update": func(w *db.Write) { w.Guard("UPDATE org SET version = 9 WHERE id = $1 AND version = $2", "o", 7) },
			"delete": func(w *db.Write) { w.Guard("DELETE FROM org WHERE id = $1 AND version = $2", "o", 7) },
			"insert": func(w *db.Write) {
				w.Guard("INSERT INTO journal (line) SELECT $1 WHERE EXISTS (SELECT 1 FROM org WHERE id = $2);", "x", "nobody")
			},
			"conflict": func(w *db.Write) {
				w.Guard("INSERT INTO org (id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING -- there is one", "o", "other")
			},
			"select": func(w *db.Write) {
				w.GuardSelect("SELECT id, id FROM org WHERE id = $1 AND version = $2"+h.ForShare(), "o", 7)
			},
		}
		for name, guard := range guards {
			for _, before := range []int{0, 2} {
				var w db.Write
				for range before {
					w.Exec("INSERT INTO journal (line) VALUES ($1)", "before")
				}
				guard(&w)
				w.Exec("INSERT INTO journal (line) VALUES ($1)", "after")
				err := h.Write(h.Context(), &w)
				var lost *db.GuardError
				if !errors.As(err, &lost) || lost.Statement != before {
					h.Errorf("%s behind %d: got %v", name, before, err)
				}
			}
		}
		if n := h.count("SELECT count(*) FROM journal"); n != 0 {
			h.Errorf("%d lines kept", n)
		}
		if n := h.count("SELECT version FROM org"); n != 0 {
			h.Errorf("version %d", n)
		}
		if s := h.Stats(); s.GuardsLost != 10 || s.Failed != 10 {
			h.Errorf("stats %+v", s)
		}
	})
}

func TestKept_guard_lets_the_rest_through(t *testing.T) {
	both(t, func(h harness) {
		h.org("o")
		var w db.Write
		w.GuardSelect("SELECT 1 FROM org WHERE id = $1"+h.ForUpdate(), "o")
		w.Guard("INSERT INTO person (org_id, id) SELECT $1, $2 WHERE EXISTS (SELECT 1 FROM org WHERE id = $1)", "o", "p")
		h.must(h.Write(h.Context(), &w))
		if n := h.count("SELECT count(*) FROM person"); n != 1 {
			h.Errorf("%d persons", n)
		}
	})
}

func TestUnique_error_names_the_key_the_same_way(t *testing.T) {
	both(t, func(h harness) {
		h.org("o")
		h.exec("INSERT INTO person (org_id, id, email, nick, code) VALUES ('o', 'p', 'e', 'Nick', 5)")
		h.exec("INSERT INTO journal (id, line) VALUES (1000, 'x')")
		cases := []struct {
			query      string
			constraint string
			table      string
			columns    []string
		}{
			{"INSERT INTO org (id, name) VALUES ('o', 'new')", "org_pkey", "org", []string{"id"}},
			{"INSERT INTO org (id, name) VALUES ('new', 'name of o')", "org_name_key", "org", []string{"name"}},
			{"INSERT INTO person (org_id, id) VALUES ('o', 'p')", "person_pkey", "person", []string{"org_id", "id"}},
			{"INSERT INTO person (org_id, id, code) VALUES ('o', 'q', 5)", "person_org_id_code_key", "person", []string{"org_id", "code"}},
			{"INSERT INTO person (org_id, id, email) VALUES ('o', 'q', 'e')", "person_email", "person", []string{"org_id", "email"}},
			{"INSERT INTO person (org_id, id, nick) VALUES ('o', 'q', 'nICK')", "person_nick", "person", []string{"org_id"}},
			{"INSERT INTO journal (id, line) VALUES (1000, 'y')", "journal_pkey", "journal", []string{"id"}},
		}
		for range 2 { // the second time from memory
			for _, c := range cases {
				var w db.Write
				w.Exec("INSERT INTO journal (line) VALUES ('before')")
				w.Exec(c.query)
				err := h.Write(h.Context(), &w)
				var taken *db.UniqueError
				if !errors.As(err, &taken) {
					h.Errorf("%s: got %v", c.query, err)
					continue
				}
				if taken.Constraint != c.constraint || taken.Table != c.table || !reflect.DeepEqual(taken.Columns, c.columns) {
					h.Errorf("%s: got %q %q %q", c.query, taken.Constraint, taken.Table, taken.Columns)
				}
				err = h.Tx(h.Context(), func(tx db.Tx) error {
					_, err := tx.Exec(h.Context(), c.query)
					return err
				})
				if !errors.As(err, &taken) || taken.Constraint != c.constraint {
					h.Errorf("%s in Tx: got %v", c.query, err)
				}
			}
		}
		if n := h.count("SELECT count(*) FROM journal"); n != 1 {
			h.Errorf("%d lines", n)
		}
	})
}

func TestForeign_key_is_recognised_both_ways(t *testing.T) {
	both(t, func(h harness) {
		h.org("o")
		h.exec("INSERT INTO person (org_id, id) VALUES ('o', 'p')")
		for _, query := range []string{"INSERT INTO person (org_id, id) VALUES ('nowhere', 'p')", "DELETE FROM org WHERE id = 'o'"} {
			var w db.Write
			w.Exec(query)
			if err := h.Write(h.Context(), &w); !errors.Is(err, db.ErrForeignKey) {
				h.Errorf("%s: got %v", query, err)
			}
		}
	})
}

func TestNo_guarded_increment_is_lost(t *testing.T) {
	lanes(t, func(h harness, lane func(int) string) {
		h.org("o")
		const workers, each = 64, 5
		var tries atomic.Int64
		var group sync.WaitGroup
		for worker := range workers {
			group.Go(func() {
				for range each {
					for done := false; !done; {
						tries.Add(1)
						var version int64
						if err := h.QueryRow(h.Context(), "SELECT version FROM org WHERE id = $1", "o").Scan(&version); err != nil {
							h.Error(err)
							return
						}
						w := db.Write{Lane: lane(worker)}
						w.Guard("UPDATE org SET version = $3 WHERE id = $1 AND version = $2", "o", version, version+1)
						w.Exec("INSERT INTO journal (line) VALUES ($1)", fmt.Sprint(version))
						err := h.Write(h.Context(), &w)
						var lost *db.GuardError
						if err != nil && !errors.As(err, &lost) {
							h.Error(err)
							return
						}
						done = err == nil
					}
				}
			})
		}
		group.Wait()
		if n := h.count("SELECT version FROM org"); n != workers*each {
			h.Errorf("version %d, want %d", n, workers*each)
		}
		if n := h.count("SELECT count(DISTINCT line) FROM journal"); n != workers*each {
			h.Errorf("%d lines, want %d", n, workers*each)
		}
		if s := h.Stats(); s.GuardsLost != tries.Load()-workers*each {
			h.Errorf("stats %+v, %d tries", s, tries.Load())
		}
	})
}

// Many concurrent writes of which some fail late: only those may be undone.
func TestFailing_write_takes_no_neighbour_along(t *testing.T) {
	lanes(t, func(h harness, lane func(int) string) {
		h.org("o")
		h.exec("INSERT INTO person (org_id, id, code) VALUES ('o', 'taken', 1)")
		const writers = 96
		var group sync.WaitGroup
		for i := range writers {
			group.Go(func() {
				w := db.Write{Lane: lane(i / 4)}
				w.Exec("INSERT INTO journal (line) VALUES ($1)", fmt.Sprint(i))
				switch i % 4 {
				case 1:
					w.Exec("INSERT INTO person (org_id, id, code) VALUES ('o', 'other', 1)")
				case 2:
					w.Guard("UPDATE org SET version = 1 WHERE id = 'nobody'")
				}
				err := h.Write(h.Context(), &w)
				if wantErr := i%4 == 1 || i%4 == 2; (err != nil) != wantErr {
					h.Errorf("writer %d: %v", i, err)
				}
			})
			if i%4 == 3 {
				group.Go(func() {
					err := h.Tx(h.Context(), func(tx db.Tx) error {
						if _, err := tx.Exec(h.Context(), "INSERT INTO journal (line) VALUES ($1)", fmt.Sprintf("tx %d", i)); err != nil {
							return err
						}
						if i%8 == 3 {
							return errors.New("changed its mind")
						}
						return nil
					})
					if (err != nil) != (i%8 == 3) {
						h.Errorf("tx %d: %v", i, err)
					}
				})
			}
		}
		group.Wait()
		if n := h.count("SELECT count(*) FROM journal"); n != writers/2+writers/8 {
			h.Errorf("%d lines, want %d", n, writers/2+writers/8)
		}
		if n := h.count("SELECT count(DISTINCT line) FROM journal"); n != writers/2+writers/8 {
			h.Errorf("%d different lines", n)
		}
	})
}

func TestTx_commits_and_then_calls_hooks(t *testing.T) {
	both(t, func(h harness) {
		var seen int
		err := h.Tx(h.Context(), func(tx db.Tx) error {
			tx.OnCommit(func() { seen = h.count("SELECT count(*) FROM org") })
			n, err := tx.Exec(h.Context(), "INSERT INTO org (id, name) VALUES ('a', 'A'), ('b', 'B')")
			if err == nil && n != 2 {
				err = fmt.Errorf("%d rows affected", n)
			}
			if err != nil {
				return err
			}
			return tx.QueryRow(h.Context(), "SELECT count(*) FROM org").Scan(&seen)
		})
		h.must(err)
		if seen != 2 {
			h.Errorf("hook saw %d", seen)
		}
	})
}

func TestTx_is_undone_when_its_function_fails(t *testing.T) {
	both(t, func(h harness) {
		wanted := errors.New("no")
		err := h.Tx(h.Context(), func(tx db.Tx) error {
			tx.OnCommit(func() { h.Error("hook of an undone transaction") })
			if _, err := tx.Exec(h.Context(), "INSERT INTO journal (line) VALUES ('x')"); err != nil {
				return err
			}
			return wanted
		})
		if !errors.Is(err, wanted) {
			h.Errorf("got %v", err)
		}
		if n := h.count("SELECT count(*) FROM journal"); n != 0 {
			h.Errorf("%d lines kept", n)
		}
	})
}

func TestTx_with_a_hidden_failure_cannot_commit(t *testing.T) {
	both(t, func(h harness) {
		h.org("o")
		err := h.Tx(h.Context(), func(tx db.Tx) error {
			if _, err := tx.Exec(h.Context(), "INSERT INTO journal (line) VALUES ('x')"); err != nil {
				return err
			}
			if _, err := tx.Exec(h.Context(), "INSERT INTO org (id, name) VALUES ('o', 'again')"); err == nil {
				h.Error("no failure to hide")
			}
			if _, err := tx.Exec(h.Context(), "INSERT INTO journal (line) VALUES ('y')"); !errors.Is(err, db.ErrTxFailed) {
				h.Errorf("statement after the failed one: %v", err)
			}
			return nil
		})
		if !errors.Is(err, db.ErrTxFailed) {
			h.Errorf("got %v", err)
		}
		if n := h.count("SELECT count(*) FROM journal"); n != 0 {
			h.Errorf("%d lines kept", n)
		}
	})
}

func TestTx_reads_its_rows_one_query_at_a_time(t *testing.T) {
	both(t, func(h harness) {
		h.org("a")
		h.org("b")
		h.must(h.Tx(h.Context(), func(tx db.Tx) error {
			rows, err := tx.Query(h.Context(), "SELECT id FROM org ORDER BY id")
			if err != nil {
				return err
			}
			if !rows.Next() {
				return fmt.Errorf("no row: %w", rows.Err())
			}
			if _, err := tx.Exec(h.Context(), "UPDATE org SET version = 1"); err == nil {
				h.Error("a second statement ran under open rows")
			}
			rows.Close()
			rows.Close()
			_, err = tx.Exec(h.Context(), "UPDATE org SET version = 1")
			return err
		}))
		if n := h.count("SELECT count(*) FROM org WHERE version = 1"); n != 2 {
			h.Errorf("%d rows", n)
		}
	})
}

func TestPanic_in_tx_is_the_callers_and_leaves_nothing_behind(t *testing.T) {
	both(t, func(h harness) {
		func() {
			defer func() {
				if p := recover(); p != "boom" {
					h.Errorf("recovered %v", p)
				}
			}()
			_ = h.Tx(h.Context(), func(tx db.Tx) error {
				if _, err := tx.Exec(h.Context(), "INSERT INTO journal (line) VALUES ('x')"); err != nil {
					h.Error(err)
				}
				if _, err := tx.Query(h.Context(), "SELECT line FROM journal"); err != nil { // left open on purpose
					h.Error(err)
				}
				panic("boom")
			})
		}()
		exited := make(chan struct{})
		go func() {
			defer close(exited)
			_ = h.Tx(h.Context(), func(tx db.Tx) error {
				if _, err := tx.Exec(h.Context(), "INSERT INTO journal (line) VALUES ('y')"); err != nil {
					h.Error(err)
				}
				runtime.Goexit()
				return nil
			})
		}()
		<-exited
		h.exec("INSERT INTO journal (line) VALUES ('z')")
		if n := h.count("SELECT count(*) FROM journal"); n != 1 {
			h.Errorf("%d lines", n)
		}
	})
}

func TestEnded_tx_refuses_statements(t *testing.T) {
	both(t, func(h harness) {
		var kept db.Tx
		h.must(h.Tx(h.Context(), func(tx db.Tx) error { kept = tx; return nil }))
		if _, err := kept.Exec(h.Context(), "INSERT INTO journal (line) VALUES ('x')"); err == nil {
			h.Error("a statement ran outside its transaction")
		}
	})
}

func TestCancelled_context_stops_what_has_not_begun(t *testing.T) {
	both(t, func(h harness) {
		ctx, cancel := context.WithCancel(h.Context())
		cancel()
		var w db.Write
		w.Exec("INSERT INTO journal (line) VALUES ('x')")
		if err := h.Write(ctx, &w); !errors.Is(err, context.Canceled) {
			h.Errorf("Write: %v", err)
		}
		if err := h.Tx(ctx, func(db.Tx) error { h.Error("ran"); return nil }); !errors.Is(err, context.Canceled) {
			h.Errorf("Tx: %v", err)
		}
		if err := h.QueryRow(ctx, "SELECT 1").Scan(new(int)); !errors.Is(err, context.Canceled) {
			h.Errorf("QueryRow: %v", err)
		}
		if n := h.count("SELECT count(*) FROM journal"); n != 0 {
			h.Errorf("%d lines", n)
		}
	})
}

func TestContext_cancelled_within_tx_undoes_it(t *testing.T) {
	both(t, func(h harness) {
		ctx, cancel := context.WithCancel(h.Context())
		err := h.Tx(ctx, func(tx db.Tx) error {
			if _, err := tx.Exec(ctx, "INSERT INTO journal (line) VALUES ('x')"); err != nil {
				return err
			}
			cancel()
			_, err := tx.Exec(ctx, "INSERT INTO journal (line) VALUES ('y')")
			return err
		})
		if !errors.Is(err, context.Canceled) {
			h.Errorf("got %v", err)
		}
		if n := h.count("SELECT count(*) FROM journal"); n != 0 {
			h.Errorf("%d lines", n)
		}
	})
}

func TestSnapshot_sees_one_moment(t *testing.T) {
	both(t, func(h harness) {
		h.org("a")
		h.must(h.Snapshot(h.Context(), func(r db.Reader) error {
			for i := range 3 {
				var n int
				if err := r.QueryRow(h.Context(), "SELECT count(*) FROM org").Scan(&n); err != nil {
					return err
				}
				if n != 1 {
					h.Errorf("reading %d: %d rows", i, n)
				}
				h.org(fmt.Sprint(i))
			}
			return nil
		}))
		if n := h.count("SELECT count(*) FROM org"); n != 4 {
			h.Errorf("%d rows", n)
		}
	})
}

func TestSnapshot_cannot_write(t *testing.T) {
	both(t, func(h harness) {
		err := h.Snapshot(h.Context(), func(r db.Reader) error {
			return r.QueryRow(h.Context(), "INSERT INTO journal (line) VALUES ('x') RETURNING id").Scan(new(int))
		})
		if err == nil || h.count("SELECT count(*) FROM journal") != 0 {
			h.Errorf("wrote: %v", err)
		}
	})
}

type (
	name  string
	whole int32
)

func TestValues_survive_the_round_trip(t *testing.T) {
	both(t, func(h harness) {
		text, number, flag, none := "pointed", int64(-1<<62), true, (*string)(nil)
		cases := []struct {
			column string
			arg    any
			dest   any
			want   any
		}{
			{"doc", "plain €", new(string), "plain €"},
			{"doc", "", new(string), ""},
			{"doc", name("named"), new(name), name("named")},
			{"doc", []byte(`{"a":1}`), new([]byte), []byte(`{"a":1}`)},
			{"doc", []byte(`{"a":1}`), new(any), `{"a":1}`},
			{"doc", []byte{}, new([]byte), []byte{}},
			{"doc", json.RawMessage(`[1]`), new(json.RawMessage), json.RawMessage(`[1]`)},
			{"doc", []byte(nil), new([]byte), []byte(nil)},
			{"doc", &text, new(*string), &text},
			{"doc", none, new(*string), none},
			{"doc", nil, new(sql.NullString), sql.NullString{}},
			{"doc", sql.NullString{String: "x", Valid: true}, new(sql.NullString), sql.NullString{String: "x", Valid: true}},
			{"doc", nil, new(any), nil},
			{"seen", 7, new(int), 7},
			{"seen", whole(7), new(whole), whole(7)},
			{"seen", int64(1 << 62), new(int64), int64(1 << 62)},
			{"seen", &number, new(*int64), &number},
			{"seen", (*int64)(nil), new(*int64), (*int64)(nil)},
			{"seen", nil, new(sql.NullInt64), sql.NullInt64{}},
			{"seen", 5, new(any), int64(5)},
			{"active", false, new(bool), false},
			{"active", &flag, new(any), true},
			{"active", false, new(*bool), new(bool)},
		}
		h.org("o")
		for i, c := range cases {
			h.exec("UPDATE org SET "+c.column+" = $2 WHERE id = $1", "o", c.arg)
			if err := h.QueryRow(h.Context(), "SELECT "+c.column+" FROM org WHERE id = $1", "o").Scan(c.dest); err != nil {
				h.Errorf("case %d: %v", i, err)
				continue
			}
			if got := reflect.ValueOf(c.dest).Elem().Interface(); !reflect.DeepEqual(got, c.want) {
				h.Errorf("case %d: %T %#v, want %#v", i, c.arg, got, c.want)
			}
		}
	})
}

func TestBytes_are_stored_as_text(t *testing.T) {
	both(t, func(h harness) {
		h.org("o")
		h.exec("UPDATE org SET doc = $1", []byte("abc"))
		if n := h.count("SELECT count(*) FROM org WHERE doc = $1 AND doc LIKE 'a%'", "abc"); n != 1 {
			h.Error("the bytes do not compare as text")
		}
	})
}

func TestUnfit_destinations_are_refused(t *testing.T) {
	both(t, func(h harness) {
		h.org("o")
		cases := []struct {
			column string
			dest   any
		}{
			{"doc", new(string)}, {"seen", new(int64)}, {"name", new(int64)}, {"name", new(bool)}, {"name", "no pointer"},
		}
		for _, c := range cases {
			if err := h.QueryRow(h.Context(), "SELECT "+c.column+" FROM org").Scan(c.dest); err == nil || errors.Is(err, db.ErrNoRows) {
				h.Errorf("%s into %T: %v", c.column, c.dest, err)
			}
		}
		if err := h.QueryRow(h.Context(), "SELECT id, name FROM org").Scan(new(string)); err == nil {
			h.Error("two columns fit one destination")
		}
		if err := h.QueryRow(h.Context(), "SELECT id FROM org WHERE id = 'x'").Scan(new(string)); !errors.Is(err, db.ErrNoRows) {
			h.Errorf("no row: %v", err)
		}
	})
}

func TestUnfit_arguments_are_refused(t *testing.T) {
	both(t, func(h harness) {
		for _, arg := range []any{time.Now(), "a\x00b", []byte("a\x00"), "\xff", 1.5, struct{}{}, []string{"a"}} {
			var w db.Write
			w.Exec("INSERT INTO journal (line) VALUES ('x')")
			w.Exec("UPDATE org SET doc = $2 WHERE id = $1", "o", arg)
			var refused *db.ArgumentError
			if err := h.Write(h.Context(), &w); !errors.As(err, &refused) || refused.Argument != 2 {
				h.Errorf("%T: %v", arg, err)
			}
			if _, err := h.Query(h.Context(), "SELECT $1", arg); !errors.As(err, &refused) {
				h.Errorf("%T in Query: %v", arg, err)
			}
		}
		if n := h.count("SELECT count(*) FROM journal"); n != 0 {
			h.Errorf("%d lines", n)
		}
	})
}

func TestPlaceholders_may_repeat_and_come_out_of_order(t *testing.T) {
	both(t, func(h harness) {
		h.exec(`INSERT INTO org (id, name, doc, version) VALUES ($3, $2 || '$1', $2, $1) -- $4`, 8, "n", "o")
		if n := h.count("SELECT count(*) FROM org WHERE id = $2 AND name = $3 AND version = $1 AND version + 0 = $1", 8, "o", "n$1"); n != 1 {
			h.Error("not found")
		}
	})
}

// A list is one argument, whatever its texts are and however many.
func TestAmong_finds_those_of_a_list_and_no_others(t *testing.T) {
	both(t, func(h harness) {
		odd := []string{"a", `it's "b", [c]\`, "zoë €", "", "null", "1"}
		for _, id := range odd {
			h.org(id)
		}
		h.org("A")
		text := "SELECT COUNT(*) FROM org WHERE " + h.Among("id", "$1")
		many := odd
		for i := range 5000 {
			many = append(many, fmt.Sprint("nobody", i))
		}
		for want, lists := range map[int][][]string{0: {nil, {}, {"b"}}, 1: {{"a", "a"}, {""}, {"1"}, odd[1:2]}, len(odd): {odd, many}} {
			for _, list := range lists {
				if got := h.count(text, db.List(list)); got != want {
					h.Errorf("%d of %.3q are found, want %d", got, list, want)
				}
			}
		}
	})
}

func TestLarge_text_survives(t *testing.T) {
	both(t, func(h harness) {
		large := strings.Repeat("0123456789abcdeé", 1<<20)
		h.org("o")
		h.exec("UPDATE org SET doc = $1 WHERE id = $2", []byte(large), "o")
		var got []byte
		h.must(h.QueryRow(h.Context(), "SELECT doc FROM org WHERE id = $1", "o").Scan(&got))
		if string(got) != large {
			h.Errorf("%d bytes of %d came back", len(got), len(large))
		}
	})
}

func TestMany_applies_to_every_row(t *testing.T) {
	statements := map[string]string{
		"plain":      "INSERT INTO person (org_id, id, email, code) VALUES ($1, $2, $3, $4)",
		"mixed":      "insert into person (code, org_id, id, email, nick)\n values ($4, $1, $2, $3, 'nick ' || $2)",
		"no numbers": "INSERT INTO person (org_id, id, email, code) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
		"upsert":     "INSERT INTO person (org_id, id, email, code) VALUES ($1, $2, $3, $4) ON CONFLICT (org_id, id) DO UPDATE SET code = excluded.code",
		"select":     "INSERT INTO person (org_id, id, email, code) SELECT $1, $2, $3, $4 WHERE EXISTS (SELECT 1 FROM org WHERE id = $1)",
	}
	both(t, func(h harness) {
		h.org("o")
		for name, statement := range statements {
			const n = 1200
			rows := make([][]any, n)
			for i := range rows {
				var email *string
				if i%2 == 1 {
					text := fmt.Sprintf(`"x",{%d}\@example.com`, i)
					email = &text
				}
				rows[i] = []any{"o", fmt.Sprintf("p%d", i), email, i}
			}
			var w db.Write
			w.Exec("DELETE FROM person")
			w.Many(statement, rows)
			if w.Len() != 2 {
				h.Errorf("%s: Len %d", name, w.Len())
			}
			h.must(h.Write(h.Context(), &w))
			if got := h.count("SELECT count(*) FROM person"); got != n {
				h.Errorf("%s: %d rows", name, got)
			}
			if got := h.count("SELECT count(*) FROM person WHERE email IS NULL"); got != n/2 {
				h.Errorf("%s: %d without email", name, got)
			}
			if got := h.count("SELECT count(*) FROM person WHERE id = 'p' || code AND (email IS NULL OR email = '\"x\",{' || code || '}\\@example.com')"); got != n {
				h.Errorf("%s: %d rows as sent", name, got)
			}
		}
		var w db.Write
		w.Exec("INSERT INTO journal (line) VALUES ('x')")
		w.Many(statements["plain"], [][]any{{"o", "new", nil, nil}, {"o", "p1", nil, nil}})
		var taken *db.UniqueError
		if err := h.Write(h.Context(), &w); !errors.As(err, &taken) || taken.Constraint != "person_pkey" {
			h.Errorf("got %v", err)
		}
		if n := h.count("SELECT count(*) FROM person WHERE id = 'new'"); n != 0 {
			h.Error("a row of a failed Many stayed")
		}
	})
}

func TestMany_updates(t *testing.T) {
	both(t, func(h harness) {
		h.org("a")
		h.org("b")
		var w db.Write
		w.Many("UPDATE org SET version = $2, seen = $3 WHERE id = $1", [][]any{{"a", 1, nil}, {"b", 2, 3}})
		h.must(h.Write(h.Context(), &w))
		if n := h.count("SELECT sum(version) FROM org WHERE coalesce(seen, 3) = 3"); n != 3 {
			h.Errorf("sum %d", n)
		}
	})
}

// ways are those in which a write can be applied, by name.
func (h harness) ways() map[string]func(*db.Write) error {
	return map[string]func(*db.Write) error{
		"alone": func(w *db.Write) error { return h.Write(h.Context(), w) },
		"in a transaction": func(w *db.Write) error {
			return h.Tx(h.Context(), func(tx db.Tx) error { return w.In(h.Context(), tx) })
		},
	}
}

func TestEach_is_a_guard_of_every_row(t *testing.T) {
	updates := map[string]string{
		"plain":    "UPDATE org SET version = version + 1, seen = $3, doc = $4, active = $5 WHERE id = $1 AND version = $2",
		"a string": "UPDATE org SET version = version + 1, seen = $3, doc = 'x' || $4, active = $5 WHERE id = $1 AND version = $2",
		"a choice": "UPDATE org SET version = version + 1, seen = $3, doc = (SELECT $4 FROM org o WHERE o.id = org.id), active = $5 WHERE id = $1 AND version = $2",
	}
	both(t, func(h harness) {
		for name, update := range updates {
			for way, apply := range h.ways() {
				h.exec("DELETE FROM org")
				ids := []string{"a", "b", "c"}
				for _, id := range ids {
					h.org(id)
				}
				write := func(versions ...int) error {
					var w db.Write
					for i, id := range ids {
						w.EachSelect("SELECT id FROM org WHERE id = $1 AND version = $2"+h.ForShare(), id, 0)
						var seen *int64
						if i == 1 {
							seen = new(int64)
						}
						w.Each(update, id, versions[i], seen, []byte("doc of "+id), i == 2)
					}
					if w.Len() != 2 {
						h.Errorf("%s: Len %d", name, w.Len())
					}
					return apply(&w)
				}
				for i := range ids { // whichever row it is
					versions := []int{0, 0, 0}
					versions[i] = 7
					var lost *db.GuardError
					if err := write(versions...); !errors.As(err, &lost) || lost.Statement != 1 {
						h.Errorf("%s, %s: got %v", name, way, err)
					}
				}
				if n := h.count("SELECT count(*) FROM org WHERE version = 0 AND doc IS NULL"); n != 3 {
					h.Errorf("%s, %s: of a lost guard %d rows are left as they were", name, way, n)
				}
				h.must(write(0, 0, 0))
				if n := h.count("SELECT count(*) FROM org WHERE version = 1 AND doc LIKE '%doc of ' || id AND (seen = 0 AND id = 'b' OR seen IS NULL AND id <> 'b') AND active = (id = 'c')"); n != 3 {
					h.Errorf("%s, %s: %d rows as sent", name, way, n)
				}
				remove := func(versions ...int) error {
					var w db.Write
					for i, id := range ids[1:] {
						w.Each("DELETE FROM org WHERE id = $1 AND version = $2", id, versions[i])
					}
					return apply(&w)
				}
				var lost *db.GuardError
				if err := remove(1, 0); !errors.As(err, &lost) || h.count("SELECT count(*) FROM org") != 3 {
					h.Errorf("%s, %s: of a row that has changed: %v", name, way, err)
				}
				if h.must(remove(1, 1)); h.count("SELECT count(*) FROM org WHERE id = 'a'") != 1 || h.count("SELECT count(*) FROM org") != 1 {
					h.Errorf("%s, %s: others are deleted", name, way)
				}
				h.org("b")
				h.org("c")
				var w db.Write
				for i, id := range ids {
					w.EachSelect("SELECT 1 FROM org WHERE id = $1 AND version = $2"+h.ForUpdate(), id, []int{1, 0, 1}[i])
				}
				if err := apply(&w); !errors.As(err, &lost) || lost.Statement != 0 {
					h.Errorf("%s, %s: a row that is not there: %v", name, way, err)
				}
			}
		}
	})
}

func TestJust_affects_the_rows_that_were_meant_or_none(t *testing.T) {
	texts := map[string]string{
		"update": "UPDATE org SET version = version + 1 WHERE seen = $1 AND version = $2",
		"delete": "DELETE FROM org WHERE seen = $1 AND version = $2;\n",
	}
	both(t, func(h harness) {
		for name, text := range texts {
			for way, apply := range h.ways() {
				h.exec("DELETE FROM org")
				for _, id := range []string{"b", "a", "c", "other"} {
					h.org(id)
				}
				h.exec("UPDATE org SET seen = 5 WHERE id <> 'other'")
				just := func(seen int, ids ...string) error {
					var w db.Write
					w.Exec("INSERT INTO journal (line) VALUES ('before')")
					w.Just(ids, text, seen, 0)
					return apply(&w)
				}
				lines := h.count("SELECT count(*) FROM journal")
				for _, wrong := range [][]string{nil, {"a"}, {"a", "b"}, {"a", "b", "other"}, {"a", "b", "c", "other"}, {"a", "b", "c", "gone"}, {"a,b", "c"}, {"a", "a", "b", "c"}} {
					var lost *db.GuardError
					if err := just(5, wrong...); !errors.As(err, &lost) || lost.Statement != 1 {
						h.Errorf("%s, %s, %v: %v", name, way, wrong, err)
					}
				}
				var lost *db.GuardError
				if err := just(7, "a"); !errors.As(err, &lost) {
					h.Errorf("%s, %s: one that is not affected: %v", name, way, err)
				}
				if n := h.count("SELECT count(*) FROM org WHERE version = 0"); n != 4 || h.count("SELECT count(*) FROM journal") != lines {
					h.Errorf("%s, %s: of a lost guard %d rows are left as they were", name, way, n)
				}
				h.must(just(7))
				h.must(just(5, "c", "a", "b"))
				if n := h.count("SELECT count(*) FROM org WHERE version = 0"); n != 1 {
					h.Errorf("%s, %s: %d rows are left as they were", name, way, n)
				}
				if n := h.count("SELECT count(*) FROM journal"); n != lines+2 {
					h.Errorf("%s, %s: %d lines", name, way, n-lines)
				}
			}
		}
	})
}

func TestWide_gathers_rows_in_their_order(t *testing.T) {
	texts := []string{"", "INSERT INTO journal (line) VALUES ($1)", "INSERT INTO journal (line) VALUES ($1), ($2)", "INSERT INTO journal (line) VALUES ($1), ($2), ($3)"}
	others := slices.Clone(texts)
	both(t, func(h harness) {
		for n := range 8 {
			h.exec("DELETE FROM journal")
			var w db.Write
			want := ""
			for i := range n {
				w.Wide(texts, fmt.Sprint("a", i))
				w.Exec("INSERT INTO journal (line) VALUES ('between')")
				want += fmt.Sprint("a", i, " ")
			}
			if n > 0 {
				w.Wide(others, "other")
				want += strings.Repeat("between ", n) + "other"
			}
			statements := (n+2)/3 + n
			if n > 0 {
				statements++
			}
			if w.Len() != statements {
				h.Errorf("%d rows: %d statements, want %d", n, w.Len(), statements)
			}
			if n > 0 {
				h.must(h.Write(h.Context(), &w))
			}
			if got := strings.Join(h.lines(), " "); got != want {
				h.Errorf("%d rows: %s, want %s", n, got, want)
			}
		}
		var w db.Write
		w.Wide(nil, "x")
		if err := h.Write(h.Context(), &w); err == nil {
			h.Error("no text for a row")
		}
	})
}

func TestOnce_refuses_the_second(t *testing.T) {
	both(t, func(h harness) {
		var w db.Write
		w.Exec("INSERT INTO journal (line) VALUES ('x')")
		w.Once("a")
		w.Once("b")
		h.must(h.Write(h.Context(), &w))
		w.Once("a")
		for name, err := range map[string]error{
			"alone":            h.Write(h.Context(), &w),
			"in a transaction": h.Tx(h.Context(), func(tx db.Tx) error { return w.In(h.Context(), tx) }),
		} {
			if !errors.Is(err, db.ErrTwice) {
				h.Errorf("%s: %v", name, err)
			}
		}
		if n := h.count("SELECT count(*) FROM journal"); n != 1 {
			h.Errorf("%d lines", n)
		}
	})
}

func TestBroken_statement_is_an_error_and_undoes_the_write(t *testing.T) {
	both(t, func(h harness) {
		for _, broken := range []string{"INSERT INTO nowhere (a) VALUES (1)", "not sql", `UPDATE org SET "missing" = 1`} {
			var w db.Write
			w.Exec("INSERT INTO journal (line) VALUES ('x')")
			w.Exec(broken)
			if err := h.Write(h.Context(), &w); err == nil {
				h.Errorf("%s: no error", broken)
			}
		}
		if n := h.count("SELECT count(*) FROM journal"); n != 0 {
			h.Errorf("%d lines", n)
		}
		h.exec("INSERT INTO journal (line) VALUES ('fine')")
	})
}

func TestClosed_database_says_so(t *testing.T) {
	both(t, func(h harness) {
		h.must(h.Close())
		var w db.Write
		w.Exec("INSERT INTO journal (line) VALUES ('x')")
		if err := h.Write(h.Context(), &w); !errors.Is(err, db.ErrClosed) {
			h.Errorf("Write: %v", err)
		}
		if err := h.Tx(h.Context(), func(db.Tx) error { return nil }); !errors.Is(err, db.ErrClosed) {
			h.Errorf("Tx: %v", err)
		}
		if err := h.QueryRow(h.Context(), "SELECT 1").Scan(new(int)); !errors.Is(err, db.ErrClosed) {
			h.Errorf("QueryRow: %v", err)
		}
		if err := h.Ping(h.Context()); !errors.Is(err, db.ErrClosed) {
			h.Errorf("Ping: %v", err)
		}
		if err := h.Close(); !errors.Is(err, db.ErrClosed) {
			h.Errorf("Close: %v", err)
		}
	})
}

func TestData_is_there_after_reopening(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, dbtest.Migrations(schema), func(t *testing.T, open func() *db.DB) {
		first := harness{t, open()}
		first.org("o")
		first.must(first.Close())
		second := harness{t, open()}
		if n := second.count("SELECT count(*) FROM org"); n != 1 {
			t.Errorf("%d rows", n)
		}
		second.must(second.Ping(t.Context()))
	})
}

func TestWritten_write_may_be_written_again(t *testing.T) {
	both(t, func(h harness) {
		var w db.Write
		w.Exec("INSERT INTO journal (line) VALUES ($1)", "x")
		h.must(h.Write(h.Context(), &w))
		h.must(h.Write(h.Context(), &w))
		if n := h.count("SELECT count(*) FROM journal"); n != 2 {
			h.Errorf("%d lines", n)
		}
	})
}
