package session_test

import (
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/session"
)

// A sign-in asks for the sessions of its browser: what that costs must not grow with the sessions of everybody else. What SQLite plans does not
// depend on what is stored.
func TestSessions_of_a_browser_are_found_without_going_through_others(t *testing.T) {
	each(t, func(w *world) {
		plan, ok := dbtest.SQLitePlan(t, w.db, session.SessionsHere, "cookie", "browser", int64(1))
		if ok && (strings.Contains(plan, "SCAN") || !strings.Contains(plan, "sessions_cookie") || !strings.Contains(plan, "sessions_browser")) {
			t.Errorf("the plan is\n%s", plan)
		}
	})
}
