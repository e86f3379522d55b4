package session_test

import (
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/session"
)

// A sign-in asks for the sessions of its browser: what that costs must not grow with the sessions of everybody else. What SQLite plans does not
// depend on what is stored.
func TestSessions_of_a_browser_are_found_without_going_through_others(t *testing.T) {
	each(t, func(w *world) {
		if w.db.Engine() != db.SQLite {
			return // PostgreSQL plans by what is stored
		}
		rows, err := w.db.Query(ctx, "EXPLAIN QUERY PLAN "+session.SessionsHere, "cookie", "browser", int64(1))
		w.must(err)
		defer rows.Close()
		var plan []string
		for rows.Next() {
			var id, parent, unused int64
			var step string
			w.must(rows.Scan(&id, &parent, &unused, &step))
			plan = append(plan, step)
		}
		w.must(rows.Err())
		all := strings.Join(plan, "\n")
		if strings.Contains(all, "SCAN") || !strings.Contains(all, "sessions_cookie") || !strings.Contains(all, "sessions_browser") {
			t.Errorf("the plan is\n%s", all)
		}
	})
}
