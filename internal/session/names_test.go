package session_test

import (
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/session"
)

// A provider ends whom it names, by what it calls them now or called them at an earlier sign-in, and nobody of another connection or
// organization whose provider uses the same words.
func TestEnd_by_names_is_of_one_connection(t *testing.T) {
	here := session.Selection{OrganizationID: "org_1", ConnectionID: "conn_1"}
	with := func(subject, idpSession string) session.Selection {
		sel := here
		sel.Subject, sel.IDPSession = subject, idpSession
		return sel
	}
	for name, c := range map[string]struct {
		sel session.Selection
		end bool
	}{
		"now, by subject":               {with("now", ""), true},
		"now, by session":               {with("", "s-now"), true},
		"now, by both":                  {with("now", "s-now"), true},
		"before, by subject":            {with("before", ""), true},
		"before, by session":            {with("", "s-before"), true},
		"before, by both":               {with("before", "s-before"), true},
		"subject now, session before":   {with("now", "s-before"), false},
		"subject before, session now":   {with("before", "s-now"), false},
		"somebody else":                 {with("else", ""), false},
		"somebody's other session":      {with("now", "s-else"), false},
		"earlier, somebody's other one": {with("before", "s-else"), false},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(w *world) {
				var all []signedIn
				for _, at := range []session.New{
					{OrganizationID: "org_1", ConnectionID: "conn_1", UserID: "user_1"},
					{OrganizationID: "org_1", ConnectionID: "conn_2", UserID: "user_2"},
					{OrganizationID: "org_2", ConnectionID: "conn_1", UserID: "user_3"},
				} {
					at.IDPSession = "s-now"
					in := w.signIn(at)
					var write db.Write
					write.Exec(`UPDATE sessions SET subject = 'now', subject_key = 'now' WHERE id = $1`, in.ID)
					write.Exec(`INSERT INTO session_names (session_id, subject_key, idp_session, created_at) VALUES ($1, 'before', 's-before', 1)`, in.ID)
					w.must(w.db.Write(ctx, &write))
					all = append(all, in)
				}
				n, err := w.s.End(ctx, c.sel, session.Ending{Reason: session.SignedOut})
				w.must(err)
				if got := w.serves(all[0]); (n == 1) != c.end || n > 1 || (got == none) != c.end {
					w.Errorf("%d ended, and of the one that was named there serves %v", n, got)
				}
				for _, other := range all[1:] {
					if w.serves(other) == none {
						w.Errorf("the session at %s by %s ended too", other.OrganizationID, other.ConnectionID)
					}
				}
			})
		})
	}
}
