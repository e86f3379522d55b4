package db_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
)

// lineOf asks for a value.
func lineOf(value string, into *string) db.Question {
	return db.Question{SQL: "SELECT CAST($1 AS TEXT)", Args: []any{value}, Read: func(rows db.Rows) error {
		for rows.Next() {
			if err := rows.Scan(into); err != nil {
				return err
			}
		}
		return rows.Err()
	}}
}

func TestAsk_answers_each_question_in_its_turn(t *testing.T) {
	both(t, func(h harness) {
		for n := range 4 {
			got := make([]string, n)
			var questions []db.Question
			for i := range n {
				questions = append(questions, lineOf(fmt.Sprint("line ", i), &got[i]))
			}
			h.must(h.Ask(t.Context(), questions...))
			for i := range n {
				if got[i] != fmt.Sprint("line ", i) {
					t.Errorf("of %d: %q", n, got)
				}
			}
		}
	})
}

// What fails ends it, says why, and holds no connection: more fail than there are.
func TestAsk_ends_with_the_first_error(t *testing.T) {
	both(t, func(h harness) {
		own := errors.New("own")
		for name, wrong := range map[string]db.Question{
			"statement": {SQL: "SELECT nothing FROM nowhere", Read: func(db.Rows) error { return nil }},
			"argument":  {SQL: "SELECT CAST($1 AS TEXT)", Args: []any{struct{}{}}, Read: func(db.Rows) error { return nil }},
			"reading":   {SQL: "SELECT 1", Read: func(db.Rows) error { return own }},
		} {
			for range 20 {
				var before, after string
				err := h.Ask(t.Context(), lineOf("before", &before), wrong, lineOf("after", &after))
				if err == nil || name == "reading" && !errors.Is(err, own) || after != "" {
					t.Fatalf("%s: %v, before %q, after %q", name, err, before, after)
				}
				if err := h.Ask(t.Context(), wrong); err == nil {
					t.Fatalf("%s alone is good", name)
				}
			}
			var again string
			h.must(h.Ask(t.Context(), lineOf("again", &again)))
			if again != "again" {
				t.Errorf("after %s: %q", name, again)
			}
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		var a, b string
		if err := h.Ask(gone, lineOf("a", &a), lineOf("b", &b)); !errors.Is(err, context.Canceled) {
			t.Errorf("nobody waits: %v", err)
		}
	})
}
