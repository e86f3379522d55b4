package db_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
)

func sqlite(t *testing.T, adjust func(*db.Options)) harness {
	t.Helper()
	options := dbtest.Options(t, db.SQLite, dbtest.Migrations(schema))
	if adjust != nil {
		adjust(&options)
	}
	d, err := db.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil && !errors.Is(err, db.ErrClosed) {
			t.Error(err)
		}
	})
	return harness{t, d}
}

func slow(delay time.Duration) func(*db.Options) {
	return func(o *db.Options) { o.CommitDelay = delay }
}

func line(text string) *db.Write {
	var w db.Write
	w.Exec("INSERT INTO journal (line) VALUES ($1)", text)
	return &w
}

// queueUp starts n writes while the writer is held up, and returns when they wait.
func (h harness) queueUp(n int, start func(i int)) {
	h.Helper()
	holding, release := make(chan struct{}), make(chan struct{})
	var held sync.WaitGroup
	held.Go(func() {
		err := h.Tx(h.Context(), func(db.Tx) error { close(holding); <-release; return nil })
		if err != nil {
			h.Error(err)
		}
	})
	<-holding
	for i := range n {
		go start(i)
	}
	for h.Stats().Queued < int64(n) {
		time.Sleep(time.Millisecond)
	}
	close(release)
	held.Wait()
}

func TestWaiting_writes_share_a_commit(t *testing.T) {
	t.Parallel()
	h := sqlite(t, nil)
	const n = 300
	before := h.Stats().Commits
	var done sync.WaitGroup
	done.Add(n)
	h.queueUp(n, func(i int) {
		defer done.Done()
		if err := h.Write(h.Context(), line(fmt.Sprint(i))); err != nil {
			h.Error(err)
		}
	})
	done.Wait()
	s := h.Stats()
	if s.Commits-before > 3 || s.LargestGroup != 256 || s.Writes != n+1 {
		t.Errorf("stats %+v", s)
	}
	if got := h.count("SELECT count(*) FROM journal"); got != n {
		t.Errorf("%d lines", got)
	}
}

// One write of a full group fails after it changed something: the group is applied anew.
func TestGroup_with_a_late_failure_is_applied_again_without_it(t *testing.T) {
	t.Parallel()
	h := sqlite(t, nil)
	const n = 50
	var done sync.WaitGroup
	done.Add(n)
	var txRuns, failures sync.Map
	h.queueUp(n, func(i int) {
		defer done.Done()
		w := line(fmt.Sprint(i))
		var err error
		switch {
		case i == 7:
			w.Guard("UPDATE org SET version = 1 WHERE id = 'nobody'")
			err = h.Write(h.Context(), w)
		case i == 8:
			err = h.Tx(h.Context(), func(tx db.Tx) error {
				txRuns.Store(time.Now(), true)
				_, err := tx.Exec(h.Context(), "INSERT INTO journal (line) VALUES ('8')")
				return err
			})
		default:
			err = h.Write(h.Context(), w)
		}
		if err != nil {
			failures.Store(i, err)
		}
	})
	done.Wait()
	failures.Range(func(i, err any) bool {
		var lost *db.GuardError
		if i != 7 || !errors.As(err.(error), &lost) || lost.Statement != 1 {
			t.Errorf("write %v: %v", i, err)
		}
		return true
	})
	if got := h.count("SELECT count(DISTINCT line) FROM journal"); got != n-1 {
		t.Errorf("%d lines", got)
	}
	if got := h.count("SELECT count(*) FROM journal"); got != n-1 {
		t.Errorf("%d lines in all", got)
	}
	if s := h.Stats(); s.Regrouped != 1 {
		t.Errorf("stats %+v", s)
	}
}

// A deferred foreign key is found out at the commit, which then concerns only one of the group.
func TestDeferred_failure_at_commit_is_its_own_writes_alone(t *testing.T) {
	t.Parallel()
	options := dbtest.Options(t, db.SQLite, dbtest.Migrations(schema, `
		CREATE TABLE late (id TEXT PRIMARY KEY, org_id TEXT NOT NULL REFERENCES org (id) DEFERRABLE INITIALLY DEFERRED);`))
	d, err := db.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	h := harness{t, d}
	const n = 20
	var done sync.WaitGroup
	done.Add(n)
	h.queueUp(n, func(i int) {
		defer done.Done()
		w := line(fmt.Sprint(i))
		if i == 3 {
			w.Exec("INSERT INTO late (id, org_id) VALUES ('l', 'nobody')")
		}
		if err := h.Write(h.Context(), w); errors.Is(err, db.ErrForeignKey) != (i == 3) || (err != nil) != (i == 3) {
			t.Errorf("write %d: %v", i, err)
		}
	})
	done.Wait()
	if got := h.count("SELECT count(*) FROM journal"); got != n-1 {
		t.Errorf("%d lines", got)
	}
}

func TestWrite_cancelled_in_the_queue_never_happens(t *testing.T) {
	t.Parallel()
	h := sqlite(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	holding, release := make(chan struct{}), make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		if err := h.Tx(t.Context(), func(db.Tx) error { close(holding); <-release; return nil }); err != nil {
			t.Error(err)
		}
	})
	<-holding
	var cancelled sync.WaitGroup
	cancelled.Go(func() {
		if err := h.Write(ctx, line("x")); !errors.Is(err, context.Canceled) {
			t.Errorf("Write: %v", err)
		}
	})
	cancelled.Go(func() {
		if err := h.Tx(ctx, func(db.Tx) error { t.Error("ran"); return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("Tx: %v", err)
		}
	})
	for h.Stats().Queued < 2 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	cancelled.Wait()
	close(release)
	group.Wait()
	h.must(h.Write(t.Context(), line("y")))
	if n := h.count("SELECT count(*) FROM journal"); n != 1 {
		t.Errorf("%d lines", n)
	}
}

func TestWrite_cancelled_once_begun_completes(t *testing.T) {
	t.Parallel()
	h := sqlite(t, slow(600*time.Millisecond))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := h.Write(ctx, line("x")); err != nil {
		t.Errorf("got %v", err)
	}
	if n := h.count("SELECT count(*) FROM journal"); n != 1 {
		t.Errorf("%d lines", n)
	}
}

func TestClose_lets_queued_writes_finish(t *testing.T) {
	t.Parallel()
	options := dbtest.Options(t, db.SQLite, dbtest.Migrations(schema))
	options.CommitDelay = 20 * time.Millisecond
	d, err := db.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	h := harness{t, d}
	const n = 40
	var done sync.WaitGroup
	done.Add(n)
	h.queueUp(n, func(i int) {
		defer done.Done()
		if err := d.Write(t.Context(), line(fmt.Sprint(i))); err != nil {
			t.Errorf("write %d: %v", i, err)
		}
	})
	h.must(d.Close())
	done.Wait()
	again, err := db.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if got := (harness{t, again}).count("SELECT count(*) FROM journal"); got != n {
		t.Errorf("%d lines", got)
	}
}

func TestReaders_do_not_wait_for_a_write(t *testing.T) {
	t.Parallel()
	h := sqlite(t, nil)
	h.must(h.Tx(t.Context(), func(tx db.Tx) error {
		if _, err := tx.Exec(t.Context(), "INSERT INTO journal (line) VALUES ('x')"); err != nil {
			return err
		}
		if n := h.count("SELECT count(*) FROM journal"); n != 0 {
			t.Errorf("a reader saw %d uncommitted lines", n)
		}
		return nil
	}))
}

// There is always a reader here, so SQLite by itself would never start the log over.
func TestLog_stays_bounded_under_steady_reading(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("writes a few hundred megabytes")
	}
	options := dbtest.Options(t, db.SQLite, dbtest.Migrations(schema))
	d, err := db.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	h := harness{t, d}
	h.org("o")
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				err := h.Snapshot(t.Context(), func(r db.Reader) error {
					var n int
					err := r.QueryRow(t.Context(), "SELECT count(*) FROM org").Scan(&n)
					time.Sleep(3 * time.Millisecond)
					return err
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	text := strings.Repeat("x", 4<<20)
	for range 60 {
		h.exec("UPDATE org SET doc = $1", text)
	}
	time.Sleep(1100 * time.Millisecond)
	h.exec("UPDATE org SET doc = 'small'")
	close(stop)
	readers.Wait()
	info, err := os.Stat(options.Path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > 100<<20 {
		t.Errorf("the log has %d MB", info.Size()>>20)
	}
}

func TestForgotten_rows_do_not_hang_close(t *testing.T) {
	t.Parallel()
	options := dbtest.Options(t, db.SQLite, dbtest.Migrations(schema))
	d, err := db.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := d.Query(t.Context(), "SELECT 1 UNION ALL SELECT 2")
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(200*time.Millisecond, rows.Close)
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

// The pure Go driver is a translation bound to the very version of its C runtime it
// was made with; a newer one builds, and misbehaves.
func TestSQLite_driver_has_the_libc_it_was_made_with(t *testing.T) {
	type module struct {
		Version string
		GoMod   string
		Replace *struct{}
	}
	list := func(name string) module {
		cmd := exec.Command("go", "list", "-m", "-json", name)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list %s: %v", name, err)
		}
		var m module
		if err := json.Unmarshal(out, &m); err != nil {
			t.Fatal(err)
		}
		if m.Replace != nil {
			t.Fatalf("%s is replaced", name)
		}
		return m
	}
	pinned, err := os.ReadFile(filepath.Clean(list("modernc.org/sqlite").GoMod))
	if err != nil {
		t.Fatal(err)
	}
	want := "modernc.org/libc " + list("modernc.org/libc").Version
	if !strings.Contains(string(pinned), want+"\n") {
		t.Errorf("modernc.org/sqlite does not require %s: run go get modernc.org/libc@ the version in its go.mod", want)
	}
}
