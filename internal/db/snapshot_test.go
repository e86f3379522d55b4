package db_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
)

const countJournal = "SELECT count(*) FROM journal"

func TestSnapshotAfter_reads_what_prepare_saw(t *testing.T) {
	both(t, func(h harness) {
		h.exec("INSERT INTO journal (line) VALUES ($1)", "before")
		var seen, later int
		h.must(h.SnapshotAfter(h.Context(), func(tx db.Tx) error {
			if err := tx.QueryRow(h.Context(), countJournal).Scan(&seen); err != nil {
				return err
			}
			h.exec("INSERT INTO journal (line) VALUES ($1)", "between")
			return nil
		}, func(r db.Reader) error {
			h.exec("INSERT INTO journal (line) VALUES ($1)", "after")
			return r.QueryRow(h.Context(), countJournal).Scan(&later)
		}))
		if seen != 1 || later != 1 {
			h.Errorf("prepare saw %d rows and read %d, want 1 and 1", seen, later)
		}
		if n := h.count(countJournal); n != 3 {
			h.Errorf("%d rows in the end", n)
		}
	})
}

func TestSnapshotAfter_gives_back_the_errors_of_both_and_its_connections(t *testing.T) {
	both(t, func(h harness) {
		wrong := errors.New("wrong")
		fine := func(tx db.Tx) error {
			var n int
			return tx.QueryRow(h.Context(), countJournal).Scan(&n)
		}
		for range 40 { // more than there are connections
			err := h.SnapshotAfter(h.Context(), func(db.Tx) error { return wrong }, func(db.Reader) error { t.Error("read all the same"); return nil })
			if !errors.Is(err, wrong) {
				h.Fatalf("prepare failed and got %v", err)
			}
			if err := h.SnapshotAfter(h.Context(), fine, func(db.Reader) error { return wrong }); !errors.Is(err, wrong) {
				h.Fatalf("read failed and got %v", err)
			}
		}
	})
}

func TestSnapshotAfter_of_many_at_once_do_not_wait_for_each_other_for_ever(t *testing.T) {
	both(t, func(h harness) {
		ctx, cancel := context.WithTimeout(h.Context(), 30*time.Second)
		defer cancel()
		var all sync.WaitGroup
		for range 48 {
			all.Go(func() {
				var n int
				look := func(r db.Reader) error { return r.QueryRow(ctx, countJournal).Scan(&n) }
				if err := h.SnapshotAfter(ctx, func(tx db.Tx) error { return look(tx) }, look); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
}

// The lock comes before the moment: whoever held it before is seen, and what prepare writes is not.
func TestSnapshotAfter_on_PostgreSQL_prepares_under_a_lock_without_conflicts(t *testing.T) {
	t.Parallel()
	h := postgres(t)
	h.org("o")
	holding, release := make(chan struct{}), make(chan struct{})
	var holder sync.WaitGroup
	holder.Go(func() {
		err := h.Tx(h.Context(), func(tx db.Tx) error {
			var id string
			if err := tx.QueryRow(h.Context(), "SELECT id FROM org FOR UPDATE").Scan(&id); err != nil {
				return err
			}
			close(holding)
			<-release
			_, err := tx.Exec(h.Context(), "UPDATE org SET version = version + 1")
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-holding
	time.AfterFunc(100*time.Millisecond, func() { close(release) })
	var prepared, read int
	h.must(h.SnapshotAfter(h.Context(), func(tx db.Tx) error {
		if _, err := tx.Exec(h.Context(), "LOCK TABLE org IN EXCLUSIVE MODE"); err != nil {
			return err
		}
		if err := tx.QueryRow(h.Context(), "SELECT version FROM org").Scan(&prepared); err != nil {
			return err
		}
		_, err := tx.Exec(h.Context(), "UPDATE org SET version = 100")
		return err
	}, func(r db.Reader) error {
		if n := h.count("SELECT version FROM org"); n != 100 {
			t.Errorf("prepare was not committed before read began: %d", n)
		}
		return r.QueryRow(h.Context(), "SELECT version FROM org").Scan(&read)
	}))
	holder.Wait()
	if prepared != 1 || read != 1 {
		t.Errorf("prepare saw version %d, read saw %d; want 1 and 1", prepared, read)
	}
	if s := h.Stats(); s.Retries != 0 {
		t.Errorf("%d repetitions", s.Retries)
	}
}

func TestSnapshotAfter_on_PostgreSQL_prepares_again_after_a_serialization_failure(t *testing.T) {
	t.Parallel()
	h := postgres(t)
	h.org("o")
	runs := 0
	h.must(h.SnapshotAfter(h.Context(), func(tx db.Tx) error {
		var version int
		if err := tx.QueryRow(h.Context(), "SELECT version FROM org").Scan(&version); err != nil {
			return err
		}
		if runs++; runs == 1 {
			h.exec("UPDATE org SET version = 5")
		}
		_, err := tx.Exec(h.Context(), "UPDATE org SET version = version + 1")
		return err
	}, func(r db.Reader) error {
		var version int
		if err := r.QueryRow(h.Context(), "SELECT version FROM org").Scan(&version); err != nil || version != 5 {
			t.Errorf("read saw version %d: %v", version, err)
		}
		return nil
	}))
	if runs != 2 {
		t.Errorf("prepared %d times", runs)
	}
}
