package session_test

import (
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

// A sign-in asks for the sessions of its browser: what that costs must not grow with the sessions of everybody else. What SQLite plans does not
// depend on what is stored.
func TestSessions_of_a_browser_are_found_without_going_through_others(t *testing.T) {
	each(t, func(w *world) {
		w.planned(session.SessionsHere, []any{"cookie", "browser", int64(1)}, "sessions_cookie", "sessions_browser_expiry")
	})
}

// Nor with those that reached their end long ago and are still shown, nor, for somebody whom a provider signs out, with those of everybody
// else who came through the same connection.
func TestSessions_that_live_are_found_without_going_through_others(t *testing.T) {
	for name, c := range map[string]struct {
		sel  session.Selection
		uses []string
	}{
		"user":         {session.Selection{UserID: "u"}, []string{"sessions_user_expiry (user_id=? AND expires_at>?)"}},
		"membership":   {session.Selection{UserID: "u", OrganizationID: "o"}, []string{"sessions_user_expiry (user_id=? AND expires_at>?)"}},
		"browser":      {session.Selection{UserID: "u", Browser: token.Hash("b")}, []string{"expires_at>?"}},
		"organization": {session.Selection{OrganizationID: "o"}, []string{"sessions_organization_expiry (organization_id=? AND expires_at>?)"}},
		"profile":      {session.Selection{OrganizationID: "o", ProfileID: "p"}, []string{"sessions_profile (profile_id=? AND expires_at>?)"}},
		"subject":      {session.Selection{OrganizationID: "o", ConnectionID: "c", Subject: "s"}, []string{"sessions_subject (", "session_names_subject ("}},
		"provider":     {session.Selection{OrganizationID: "o", ConnectionID: "c", IDPSession: "i"}, []string{"sessions_idp_session (", "session_names_idp ("}},
		"both":         {session.Selection{OrganizationID: "o", ConnectionID: "c", Subject: "s", IDPSession: "i"}, []string{"(connection_id=? AND ", "session_names_"}},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(w *world) {
				text, args, err := session.LivingStatement(c.sel)
				w.must(err)
				w.planned(text, args, c.uses...)
			})
		})
	}
}

func (w *world) planned(text string, args []any, uses ...string) {
	w.Helper()
	plan, ok := dbtest.SQLitePlan(w.T, w.db, text, args...)
	if !ok {
		return
	}
	if strings.Contains(plan, "SCAN sessions") || strings.Contains(plan, "SCAN session_names") {
		w.Errorf("all is gone through:\n%s", plan)
	}
	for _, use := range uses {
		if !strings.Contains(plan, use) {
			w.Errorf("%q is not in the plan:\n%s", use, plan)
		}
	}
}
