package db_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
)

func adding(id string, before func() error) *db.Write {
	w := &db.Write{Lane: "one", Before: before}
	w.Exec("INSERT INTO org (id, name) VALUES ($1, 'x')", id)
	return w
}

func TestBefore_is_asked_before_the_commit(t *testing.T) {
	both(t, func(h harness) {
		asked := 0
		h.must(h.Write(t.Context(), adding("n", func() error {
			asked++
			if n := h.count("SELECT count(*) FROM org"); n != 0 {
				t.Errorf("%d rows are there to be seen already", n)
			}
			return nil
		})))
		if asked != 1 || h.count("SELECT count(*) FROM org") != 1 {
			t.Errorf("asked %d times, %d rows", asked, h.count("SELECT count(*) FROM org"))
		}
	})
}

// A no leaves nothing behind: neither rows nor locks nor a connection that is used up, more often than there are connections.
func TestBefore_that_says_no_undoes_the_write(t *testing.T) {
	both(t, func(h harness) {
		no := errors.New("no")
		for i := range 20 {
			if err := h.Write(t.Context(), adding(fmt.Sprint("n", i), func() error { return no })); !errors.Is(err, no) {
				t.Fatal(err)
			}
			func() {
				defer func() {
					if recover() == nil {
						t.Error("the panic is the caller's")
					}
				}()
				_ = h.Write(t.Context(), adding(fmt.Sprint("n", i), func() error { panic("no") }))
			}()
		}
		if h.count("SELECT count(*) FROM org") != 0 {
			t.Errorf("%d rows", h.count("SELECT count(*) FROM org"))
		}
		h.must(h.Write(t.Context(), adding("n0", nil)))
	})
}

func TestBefore_does_not_save_a_write_that_lost_its_guard(t *testing.T) {
	both(t, func(h harness) {
		w := adding("n", func() error { return nil })
		w.Guard("UPDATE org SET name = '' WHERE id = 'nobody'")
		var lost *db.GuardError
		if err := h.Write(t.Context(), w); !errors.As(err, &lost) || lost.Statement != 1 {
			t.Error(err)
		}
		if h.count("SELECT count(*) FROM org") != 0 {
			t.Errorf("%d rows", h.count("SELECT count(*) FROM org"))
		}
	})
}

// Who has left does not want it any more, however far it got.
func TestBefore_that_the_caller_does_not_wait_for_undoes_the_write(t *testing.T) {
	both(t, func(h harness) {
		ctx, cancel := context.WithCancel(t.Context())
		err := h.Write(ctx, adding("n", func() error { cancel(); return ctx.Err() }))
		if !errors.Is(err, context.Canceled) || h.count("SELECT count(*) FROM org") != 0 {
			t.Errorf("%v, %d rows", err, h.count("SELECT count(*) FROM org"))
		}
	})
}
