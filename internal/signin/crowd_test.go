package signin_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/session"
)

// O14: whoever keeps no cookies could else make a row and an event with each request.
func TestStranger_cannot_leave_any_number_of_sign_ins_open(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.browser().atProvider(w.authorization("connection", string(w.conn.ID)))
		var more db.Write
		var rows [][]any
		for i := range 1999 {
			rows = append(rows, []any{fmt.Sprintf("sign_in_attempt_%d", i), string(w.org.ID), string(w.conn.ID), w.now().UnixMicro(), w.now().UnixMicro() + 1e8, "127.0.0.1"})
		}
		more.Many(`INSERT INTO sign_in_attempts (id, organization_id, connection_id, kind, state, created_at, expires_at, network) VALUES ($1, $2, $3, 'sign_in', 'at_provider', $4, $5, $6)`, rows)
		w.ok(w.db.Write(ctx, &more))
		before := len(w.types())
		a := w.browser().get(w.authorization("connection", string(w.conn.ID))).want(t, http.StatusTooManyRequests)
		if a.Header.Get("Retry-After") != "60" || !strings.Contains(a.body, "from this network") || len(w.types()) != before || w.count("sign_in_attempts") != 2000 {
			t.Errorf("Retry-After %q, %d events, %d attempts: %s", a.Header.Get("Retry-After"), len(w.types())-before, w.count("sign_in_attempts"), text(a.body))
		}
	})
}

func TestMailed_codes_of_an_address_run_out_for_a_day_whether_anybody_has_it_or_not(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.browser().signIn() // Alice has an account
		w.ok(w.conns.Delete(ctx, operator(), w.conn.ID))
		ask := func(email string) answer {
			b := w.browser()
			page := b.get(w.authorization())
			return b.post("/sign-in", url.Values{"continue": {page.hidden(t, "continue")}, "email": {email}})
		}
		for range session.MaxMagicsDaily / session.MaxMagics {
			for range session.MaxMagics {
				ask("alice@acme.example").want(t, http.StatusOK)
				ask("nobody@guest.example").want(t, http.StatusOK)
			}
			w.later(session.MagicWindow + 1e9)
		}
		known, unknown := ask("alice@acme.example").want(t, http.StatusTooManyRequests), ask("nobody@guest.example").want(t, http.StatusTooManyRequests)
		if strings.ReplaceAll(text(known.body), "alice@acme.example", "nobody@guest.example") != text(unknown.body) || !strings.Contains(text(known.body), "Too many codes") {
			t.Errorf("%s\n%s", text(known.body), text(unknown.body))
		}
	})
}
