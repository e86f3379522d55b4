package operator_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/token"
)

// rowsOf is all that is stored of an operator, a line for each row.
func (w *world) rowsOf(id operator.ID) map[string]bool {
	w.t.Helper()
	out := map[string]bool{}
	for _, text := range []string{
		`SELECT 'operator ' || name || ' ' || role || ' ' || CAST(updated_at AS TEXT) || ' ' || CAST(COALESCE(removed_at, 0) AS TEXT) || ' ' || CAST(COALESCE(last_sign_in_at, 0) AS TEXT)
			FROM operators WHERE id = $1`,
		`SELECT 'link ' || hash || ' ' || CAST(COALESCE(used_at, 0) AS TEXT) FROM operator_links WHERE operator_id = $1`,
		`SELECT 'session ' || id || ' ' || CAST(seen_at AS TEXT) || ' ' || CAST(COALESCE(ended_at, 0) AS TEXT) FROM operator_sessions WHERE operator_id = $1`,
		`SELECT 'passkey ' || id || ' ' || credential || ' ' || CAST(COALESCE(last_used_at, 0) AS TEXT) FROM operator_passkeys WHERE operator_id = $1`,
		`SELECT 'ceremony ' || hash FROM operator_ceremonies WHERE operator_id = $1`,
	} {
		rows, err := w.db.Query(ctx, text, string(id))
		if err != nil {
			w.t.Fatal(err)
		}
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				w.t.Fatal(err)
			}
			out[line] = true
		}
		if rows.Close(); rows.Err() != nil {
			w.t.Fatal(rows.Err())
		}
	}
	return out
}

// passkey stores one as a browser's answer would.
func (w *world) passkey(id operator.ID, name, host string) string {
	w.t.Helper()
	var write db.Write
	write.Exec(`INSERT INTO operator_passkeys (id, operator_id, rp_id, credential_id, credential, name, created_at) VALUES ($1, $2, $3, $1, $4, $5, 1)`,
		"passkey_"+name, string(id), host, fmt.Sprintf(`{"id":%q}`, "AAAA"), name)
	if err := w.db.Write(ctx, &write); err != nil {
		w.t.Fatal(err)
	}
	return "passkey_" + name
}

// furnished is an operator with one of everything, open and over.
func (w *world) furnished(email string) (operator.SignedIn, token.Secret) {
	w.t.Helper()
	_, first := w.link(operator.New{Email: email})
	_, second := w.link(operator.New{Email: email})
	_, unused := w.link(operator.New{Email: email})
	over, in := w.redeem(first, operator.New{}), w.redeem(second, operator.New{})
	if err := w.s.EndSession(ctx, in.Operator.ID, over.Session.ID); err != nil {
		w.t.Fatal(err)
	}
	w.passkey(in.Operator.ID, email, "localhost")
	place, _ := operator.PlaceOf("http://localhost:8080")
	if _, err := w.s.BeginPasskey(ctx, in.Operator.ID, place); err != nil {
		w.t.Fatal(err)
	}
	return in, unused
}

func TestWhat_is_done_about_one_operator_touches_no_other(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		owner, _ := w.furnished("owner@example.com")
		gone, _ := w.furnished("gone@example.com")
		if err := w.s.Remove(ctx, gone.Operator.ID); err != nil {
			t.Fatal(err)
		}
		bob, _ := w.furnished("bob@example.com")
		ann, annsLink := w.furnished("ann@example.com")
		others := []operator.ID{owner.Operator.ID, gone.Operator.ID, bob.Operator.ID}
		place, _ := operator.PlaceOf("http://localhost:8080")
		name, more := "Ann", operator.ReadOnly
		for _, step := range []struct {
			name string
			do   func() error
		}{
			{"change", func() error {
				_, err := w.s.Update(ctx, ann.Operator.ID, operator.Change{Name: &name, Role: &more})
				return err
			}},
			{"come in by a link", func() error {
				_, err := w.s.Redeem(ctx, annsLink, operator.New{}, operator.Visitor{})
				return err
			}},
			{"come back", func() error {
				w.later(2 * time.Minute)
				_, _, ok, err := w.s.Authenticate(ctx, ann.Cookie)
				if !ok {
					t.Error("not in")
				}
				return err
			}},
			{"begin a passkey", func() error {
				_, err := w.s.BeginPasskey(ctx, ann.Operator.ID, place)
				return err
			}},
			{"end other sessions", func() error { return w.s.EndOtherSessions(ctx, ann.Operator.ID, ann.Session.ID) }},
			{"end the last session", func() error { return w.s.EndSession(ctx, ann.Operator.ID, ann.Session.ID) }},
			{"delete a passkey", func() error { return w.s.DeletePasskey(ctx, ann.Operator.ID, "passkey_ann@example.com") }},
			{"remove", func() error { return w.s.Remove(ctx, ann.Operator.ID) }},
		} {
			before, own := map[operator.ID]map[string]bool{}, w.rowsOf(ann.Operator.ID)
			for _, id := range others {
				before[id] = w.rowsOf(id)
			}
			if err := step.do(); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			for _, id := range others {
				after := w.rowsOf(id)
				for line := range before[id] {
					if !after[line] {
						t.Errorf("%s: of %s there is no %q any more", step.name, id, line)
					}
				}
				if len(after) != len(before[id]) {
					t.Errorf("%s: of %s there are %d rows, were %d", step.name, id, len(after), len(before[id]))
				}
			}
			if after := w.rowsOf(ann.Operator.ID); fmt.Sprint(after) == fmt.Sprint(own) {
				t.Errorf("%s: nothing happened", step.name)
			}
		}
	})
}

func TestPasskeys_are_ones_own_to_see_and_delete(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ann, _ := w.link(operator.New{Email: "ann@example.com"})
		bob, _ := w.link(operator.New{Email: "bob@example.com"})
		first, second := w.passkey(ann.Operator.ID, "first", "localhost"), w.passkey(ann.Operator.ID, "second", "localhost")
		theirs := w.passkey(bob.Operator.ID, "theirs", "localhost")
		w.refused(w.s.DeletePasskey(ctx, ann.Operator.ID, theirs), "entity_not_found")
		w.refused(w.s.DeletePasskey(ctx, ann.Operator.ID, "passkey_none"), "entity_not_found")
		if err := w.s.DeletePasskey(ctx, ann.Operator.ID, first); err != nil {
			t.Fatal(err)
		}
		for id, want := range map[operator.ID]string{ann.Operator.ID: second, bob.Operator.ID: theirs} {
			if found, err := w.s.Passkeys(ctx, id); err != nil || len(found) != 1 || found[0].ID != want {
				t.Errorf("%+v, %v; want %s alone", found, err, want)
			}
			if o, err := w.s.Get(ctx, id); err != nil || o.Passkeys != 1 {
				t.Errorf("%s is said to have %d passkeys, %v", id, o.Passkeys, err)
			}
		}
	})
}

// What is over stays as it ended: a time in the record does not move.
func TestSession_that_has_ended_keeps_the_time_of_its_end(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		in, _ := w.furnished("ann@example.com")
		w.furnished("owner@example.com")
		ends := func() (out string) {
			for line := range w.rowsOf(in.Operator.ID) {
				if len(line) > 8 && line[:8] == "session " && line[len(line)-2:] != " 0" {
					out += line + ";"
				}
			}
			return out
		}
		was := ends()
		if was == "" {
			t.Fatal("no session has ended")
		}
		w.later(time.Minute)
		if err := w.s.EndOtherSessions(ctx, in.Operator.ID, in.Session.ID); err != nil {
			t.Fatal(err)
		}
		if n := w.count(`SELECT COUNT(*) FROM audit_entries WHERE action = 'operator_session.revoked' AND target = $1`, string(in.Operator.ID)); n != 0 {
			t.Errorf("%d entries for no session", n)
		}
		if is := ends(); is != was {
			t.Errorf("%s became %s", was, is)
		}
		over := w.count(`SELECT COUNT(*) FROM operator_sessions WHERE operator_id = $1 AND ended_at IS NOT NULL`, string(in.Operator.ID))
		w.refused(w.s.EndSession(ctx, in.Operator.ID, w.endedSession(in.Operator.ID)), "entity_not_found")
		if is := ends(); is != was || over != 1 {
			t.Errorf("%s became %s", was, is)
		}
	})
}

func (w *world) endedSession(id operator.ID) (session string) {
	w.t.Helper()
	if err := w.db.QueryRow(ctx, `SELECT id FROM operator_sessions WHERE operator_id = $1 AND ended_at IS NOT NULL`, string(id)).Scan(&session); err != nil {
		w.t.Fatal(err)
	}
	return session
}

func TestLink_opens_only_while_it_is_good(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, first := w.link(operator.New{})
		if opening, err := w.s.Open(ctx, first); err != nil || !opening.First {
			t.Fatalf("%+v %v", opening, err)
		}
		if _, made, err := w.s.First(ctx); err != nil || !made {
			t.Fatalf("no link for the first operator: %v", err)
		}
		tooLate := operator.NewSecret()
		_, own := w.link(operator.New{Email: "ann@example.com"})
		if err := w.s.StoreFirst(ctx, token.HashOf(tooLate), time.Hour); err != nil {
			t.Fatal(err)
		}
		for _, secret := range []token.Secret{first, tooLate} { // there is one now
			_, err := w.s.Open(ctx, secret)
			w.refused(err, "link_not_valid")
		}
		if secret, made, err := w.s.First(ctx); made || secret != "" || err != nil {
			t.Errorf("a link for a first operator beside one: %v", err)
		}
		if opening, err := w.s.Open(ctx, own); err != nil || opening.First || opening.Operator.Email != "ann@example.com" {
			t.Errorf("%+v %v", opening, err)
		}
		w.redeem(own, operator.New{})
		_, err := w.s.Open(ctx, own)
		w.refused(err, "link_not_valid")
		_, late := w.link(operator.New{Email: "ann@example.com"})
		w.later(operator.CommandLinkLife)
		for _, bad := range []token.Secret{late, "", "nonsense", operator.NewSecret(), token.Secret(string(late) + "x")} {
			_, err = w.s.Open(ctx, bad)
			w.refused(err, "link_not_valid")
		}
	})
}

func TestSession_ends_by_itself_when_nobody_uses_it_and_when_it_is_old(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, secret := w.link(operator.New{Email: "ann@example.com"})
		in := w.redeem(secret, operator.New{})
		open := func() bool {
			t.Helper()
			_, _, ok, err := w.s.Authenticate(ctx, in.Cookie)
			if err != nil {
				t.Fatal(err)
			}
			return ok
		}
		begun := w.now()
		for w.now().Sub(begun) < operator.SessionLife-operator.SessionIdle {
			w.later(operator.SessionIdle - time.Minute)
			if w.now().Sub(begun) < operator.SessionLife && !open() {
				t.Fatalf("ended after %s, though it was used", w.now().Sub(begun))
			}
		}
		w.later(begun.Add(operator.SessionLife).Sub(w.now()) - 2*time.Minute)
		if !open() {
			t.Fatal("ended before its life was over")
		}
		w.later(3 * time.Minute)
		if left, err := w.s.Sessions(ctx, in.Operator.ID); open() || len(left) != 0 || err != nil {
			t.Errorf("goes on after its life: %+v, %v", left, err)
		}
		_, secret = w.link(operator.New{Email: "ann@example.com"})
		in = w.redeem(secret, operator.New{})
		w.later(operator.SessionIdle)
		if left, err := w.s.Sessions(ctx, in.Operator.ID); open() || len(left) != 0 || err != nil {
			t.Errorf("goes on unused: %+v, %v", left, err)
		}
	})
}

func TestOwner_who_was_removed_is_no_other_owner(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ann, _ := w.link(operator.New{Email: "ann@example.com"})
		bob, _ := w.link(operator.New{Email: "bob@example.com", Role: operator.Owner})
		if err := w.s.Remove(ctx, bob.Operator.ID); err != nil {
			t.Fatal(err)
		}
		less := operator.Admin
		_, err := w.s.Update(ctx, ann.Operator.ID, operator.Change{Role: &less})
		w.refused(err, "last_owner")
		w.refused(w.s.Remove(ctx, ann.Operator.ID), "last_owner")
		_, err = w.s.Update(ctx, bob.Operator.ID, operator.Change{Role: &less})
		w.refused(err, "entity_not_found")
	})
}

func TestBrowser_is_asked_not_to_make_a_passkey_again_that_the_operator_has_at_this_place(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ann, _ := w.link(operator.New{Email: "ann@example.com"})
		bob, _ := w.link(operator.New{Email: "bob@example.com"})
		for _, p := range []struct {
			id         operator.ID
			name, host string
		}{{ann.Operator.ID, "YW5uLWhlcmU", "localhost"}, {ann.Operator.ID, "YW5uLWVsc2V3aGVyZQ", "ops.example.com"}, {bob.Operator.ID, "Ym9iLWhlcmU", "localhost"}} {
			var write db.Write
			write.Exec(`INSERT INTO operator_passkeys (id, operator_id, rp_id, credential_id, credential, name, created_at) VALUES ($1, $2, $3, $1, $4, '', 1)`,
				p.name, string(p.id), p.host, fmt.Sprintf(`{"id":%q}`, p.name+strings.Repeat("=", (4-len(p.name)%4)%4)))
			if err := w.db.Write(ctx, &write); err != nil {
				t.Fatal(err)
			}
		}
		place, _ := operator.PlaceOf("http://localhost:8080")
		c, err := w.s.BeginPasskey(ctx, ann.Operator.ID, place)
		if err != nil {
			t.Fatal(err)
		}
		asks := string(c.Options)
		if !strings.Contains(asks, "YW5uLWhlcmU") || strings.Contains(asks, "YW5uLWVsc2V3aGVyZQ") || strings.Contains(asks, "Ym9iLWhlcmU") {
			t.Errorf("the browser is asked %s", asks)
		}
	})
}

func TestChallenge_is_used_up_by_its_own_answer_alone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ann, _ := w.link(operator.New{Email: "ann@example.com"})
		place, _ := operator.PlaceOf("http://localhost:8080")
		begin := func() token.Secret {
			c, err := w.s.BeginPasskey(ctx, ann.Operator.ID, place)
			if err != nil {
				t.Fatal(err)
			}
			return c.Key
		}
		first, second := begin(), begin()
		for _, step := range []struct {
			answer token.Secret
			after  time.Duration
			left   int
		}{{token.NewSecret("x"), 0, 2}, {first, 0, 1}, {first, 0, 1}, {second, 6 * time.Minute, 1}} {
			w.later(step.after)
			_, err := w.s.KeepPasskey(ctx, ann.Operator.ID, place, step.answer, []byte(`{}`), "")
			w.refused(err, "passkey_refused")
			if n := w.count(`SELECT COUNT(*) FROM operator_ceremonies`); n != step.left {
				t.Errorf("%d challenges are left, want %d", n, step.left)
			}
		}
	})
}
