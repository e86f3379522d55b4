package operator_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/token"
)

var ctx = context.Background()

type world struct {
	t  *testing.T
	db *db.DB
	s  *operator.Service

	mu     sync.Mutex
	offset time.Duration
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.offset)
}

func (w *world) later(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.offset += d
}

func each(t *testing.T, story func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) {
		w := &world{t: t, db: open()}
		ids := token.NewSource(time.Now)
		w.s = operator.NewService(operator.Options{DB: w.db, Events: event.NewLog(w.db, ids), IDs: ids, Now: w.now, Logger: slog.New(slog.DiscardHandler)})
		story(t, w)
	})
}

func (w *world) count(query string, args ...any) (n int) {
	w.t.Helper()
	if err := w.db.QueryRow(ctx, query, args...).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) refused(err error, code string) {
	w.t.Helper()
	if f, ok := fault.As(err); !ok || f.Code != code {
		w.t.Fatalf("got %v, want a refusal %q", err, code)
	}
}

// link makes a link as the command line does and gives its secret.
func (w *world) link(n operator.New) (operator.Asked, token.Secret) {
	w.t.Helper()
	secret := operator.NewSecret()
	asked, err := w.s.LinkFor(ctx, n, token.HashOf(secret), operator.CommandLinkLife)
	if err != nil {
		w.t.Fatal(err)
	}
	return asked, secret
}

func (w *world) redeem(secret token.Secret, n operator.New) operator.SignedIn {
	w.t.Helper()
	in, err := w.s.Redeem(ctx, secret, n, operator.Visitor{IP: "192.0.2.1", UserAgent: "test"})
	if err != nil {
		w.t.Fatal(err)
	}
	return in
}

func TestLink_of_the_command_line_is_for_whom_it_says_or_for_the_only_one_there_is(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		asked, first := w.link(operator.New{})
		if !asked.First {
			t.Fatalf("%+v", asked)
		}
		ann := w.redeem(first, operator.New{Email: " Ann@Example.com ", Name: "Ann", Role: operator.ReadOnly}).Operator
		if ann.Role != operator.Owner || ann.Email != "Ann@Example.com" {
			t.Errorf("%+v", ann)
		}
		if asked, _ = w.link(operator.New{}); asked.Operator.ID != ann.ID || asked.Made {
			t.Errorf("%+v", asked)
		}
		if asked, _ = w.link(operator.New{Email: "ann@example.COM"}); asked.Operator.ID != ann.ID {
			t.Errorf("%+v", asked)
		}
		if asked, _ = w.link(operator.New{Email: "bob@example.com"}); !asked.Made || asked.Operator.Role != operator.Admin {
			t.Errorf("%+v", asked)
		}
		_, err := w.s.LinkFor(ctx, operator.New{}, token.HashOf(operator.NewSecret()), time.Minute)
		w.refused(err, "email_required")
		_, err = w.s.LinkFor(ctx, operator.New{Email: "bob@example.com", Role: operator.Owner}, token.HashOf(operator.NewSecret()), time.Minute)
		w.refused(err, "operator_exists")
		_, err = w.s.LinkFor(ctx, operator.New{Email: "x@example.com", Role: "boss"}, token.HashOf(operator.NewSecret()), time.Minute)
		w.refused(err, "invalid_role")
		_, err = w.s.Invite(ctx, operator.New{Email: "BOB@example.com", Role: operator.Admin}, token.HashOf(operator.NewSecret()), time.Minute)
		w.refused(err, "operator_exists")
	})
}

func TestFirst_operator_of_the_command_line_is_the_owner_whatever_it_says(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		asked, _ := w.link(operator.New{Email: "ann@example.com", Role: operator.ReadOnly})
		if asked.Operator.Role != operator.Owner {
			t.Errorf("%+v", asked)
		}
	})
}

func TestOf_two_who_want_to_be_the_first_one_is(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var secrets []token.Secret
		for range 6 {
			_, secret := w.link(operator.New{})
			secrets = append(secrets, secret)
		}
		errs := make(chan error, len(secrets))
		for i, secret := range secrets {
			go func() {
				_, err := w.s.Redeem(ctx, secret, operator.New{Email: string(rune('a'+i)) + "@example.com"}, operator.Visitor{})
				errs <- err
			}()
		}
		in := 0
		for range secrets {
			err := <-errs
			if err == nil {
				in++
				continue
			}
			w.refused(err, "link_not_valid")
		}
		if all, err := w.s.List(ctx); in != 1 || len(all) != 1 || err != nil {
			t.Errorf("%d came in, %d are there, %v", in, len(all), err)
		}
	})
}

func TestLast_owner_stays_one(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ann, _ := w.link(operator.New{Email: "ann@example.com"})
		bob, _ := w.link(operator.New{Email: "bob@example.com"})
		less, more := operator.Admin, operator.Owner
		_, err := w.s.Update(ctx, ann.Operator.ID, operator.Change{Role: &less})
		w.refused(err, "last_owner")
		w.refused(w.s.Remove(ctx, ann.Operator.ID), "last_owner")
		if _, err := w.s.Update(ctx, bob.Operator.ID, operator.Change{Role: &more}); err != nil {
			t.Fatal(err)
		}
		// Two owners who take the role from each other at the same time: one stays.
		errs := make(chan error, 2)
		for _, id := range []operator.ID{ann.Operator.ID, bob.Operator.ID} {
			go func() {
				_, err := w.s.Update(ctx, id, operator.Change{Role: &less})
				errs <- err
			}()
		}
		a, b := <-errs, <-errs
		if (a == nil) == (b == nil) {
			t.Errorf("%v, %v: want one done and one refused", a, b)
		}
		if n := w.count(`SELECT COUNT(*) FROM operators WHERE role = 'owner' AND removed_at IS NULL`); n != 1 {
			t.Errorf("%d owners", n)
		}
	})
}

func TestRemoved_operator_is_out_in_every_way_and_may_come_again(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, _ = w.link(operator.New{Email: "owner@example.com"})
		asked, secret := w.link(operator.New{Email: "bob@example.com"})
		in := w.redeem(secret, operator.New{})
		_, unused := w.link(operator.New{Email: "bob@example.com"})
		if err := w.s.Remove(ctx, asked.Operator.ID); err != nil {
			t.Fatal(err)
		}
		if _, _, ok, err := w.s.Authenticate(ctx, in.Cookie); ok || err != nil {
			t.Error("the session lives on", err)
		}
		_, err := w.s.Open(ctx, unused)
		w.refused(err, "link_not_valid")
		_, err = w.s.Get(ctx, asked.Operator.ID)
		w.refused(err, "entity_not_found")
		w.refused(w.s.Remove(ctx, asked.Operator.ID), "entity_not_found")
		w.refused(w.s.Link(ctx, asked.Operator.ID, token.HashOf(operator.NewSecret()), time.Minute), "entity_not_found")
		again, _ := w.link(operator.New{Email: "bob@example.com"})
		if !again.Made || again.Operator.ID == asked.Operator.ID {
			t.Errorf("%+v", again)
		}
		if n := w.count(`SELECT COUNT(*) FROM audit_entries WHERE action = 'operator.removed' AND target = $1`, string(asked.Operator.ID)); n != 1 {
			t.Errorf("%d entries of the audit", n)
		}
	})
}

func TestSessions_are_ones_own_to_end(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, s1 := w.link(operator.New{Email: "ann@example.com"})
		_, s2 := w.link(operator.New{Email: "ann@example.com"})
		_, s3 := w.link(operator.New{Email: "bob@example.com"})
		a1, a2, b := w.redeem(s1, operator.New{}), w.redeem(s2, operator.New{}), w.redeem(s3, operator.New{})
		w.refused(w.s.EndSession(ctx, b.Operator.ID, a1.Session.ID), "entity_not_found")
		if err := w.s.EndOtherSessions(ctx, a1.Operator.ID, a2.Session.ID); err != nil {
			t.Fatal(err)
		}
		for cookie, want := range map[token.Secret]bool{a1.Cookie: false, a2.Cookie: true, b.Cookie: true, "": false, "operator_cookie_x": false} {
			if _, _, ok, err := w.s.Authenticate(ctx, cookie); ok != want || err != nil {
				t.Errorf("a session is open: %v, want %v (%v)", ok, want, err)
			}
		}
		if left, err := w.s.Sessions(ctx, a1.Operator.ID); err != nil || len(left) != 1 || left[0].ID != a2.Session.ID || left[0].IP != "192.0.2.1" {
			t.Errorf("%+v %v", left, err)
		}
	})
}

func TestNothing_that_opens_a_door_is_stored_or_in_the_audit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, secret := w.link(operator.New{Email: "ann@example.com"})
		in := w.redeem(secret, operator.New{})
		place, _ := operator.PlaceOf("http://localhost:8080")
		asked, err := w.s.BeginSignIn(ctx, place)
		if err != nil {
			t.Fatal(err)
		}
		for _, query := range []string{`SELECT hash FROM operator_links`, `SELECT cookie_hash FROM operator_sessions`, `SELECT hash FROM operator_ceremonies`, `SELECT changes || context || target FROM audit_entries`} {
			rows, err := w.db.Query(ctx, query)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for ; rows.Next(); n++ {
				var text string
				if err := rows.Scan(&text); err != nil {
					t.Fatal(err)
				}
				for _, s := range []token.Secret{secret, in.Cookie, asked.Key} {
					if strings.Contains(text, s.Reveal()) {
						t.Errorf("%s: a secret", query)
					}
				}
			}
			rows.Close()
			if n == 0 || rows.Err() != nil {
				t.Errorf("%s: %d rows, %v", query, n, rows.Err())
			}
		}
	})
}

func TestWhat_has_ended_is_cleared_away(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, secret := w.link(operator.New{Email: "ann@example.com"})
		w.redeem(secret, operator.New{})
		place, _ := operator.PlaceOf("http://localhost:8080")
		if _, err := w.s.BeginSignIn(ctx, place); err != nil {
			t.Fatal(err)
		}
		tables := []string{"operator_links", "operator_sessions", "operator_ceremonies"}
		rows := func() (n int) {
			for _, table := range tables {
				n += w.count(`SELECT COUNT(*) FROM ` + table)
			}
			return n
		}
		for _, step := range []struct {
			after time.Duration
			want  int
		}{{0, 3}, {6 * time.Minute, 2}, {60 * 24 * time.Hour, 0}} {
			w.later(step.after)
			if err := w.s.Tidy(ctx); err != nil {
				t.Fatal(err)
			}
			if got := rows(); got != step.want {
				t.Errorf("after %s there are %d rows, want %d", step.after, got, step.want)
			}
		}
	})
}

func TestAddresses_and_names_that_cannot_be_read_are_refused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, email := range []string{"", "ann", "@example.com", "ann@", "ann@example", "a nn@example.com", "ann@exa\u202emple.com", "a@b@example.com", "ann@example.com\n", strings.Repeat("a", 250) + "@example.com", "\xff@example.com"} {
			_, err := w.s.Invite(ctx, operator.New{Email: email, Role: operator.Admin}, token.HashOf(operator.NewSecret()), time.Minute)
			if email == "ann@example.com\n" { // what is pasted may have spaces around it
				if err != nil {
					t.Errorf("%q: %v", email, err)
				}
				continue
			}
			w.refused(err, "invalid_email")
		}
		for _, name := range []string{"Ann\u202e", "An\x00n", strings.Repeat("ä", 101)} {
			_, err := w.s.Invite(ctx, operator.New{Email: "bob@example.com", Name: name, Role: operator.Admin}, token.HashOf(operator.NewSecret()), time.Minute)
			w.refused(err, "invalid_name")
		}
	})
}

func TestPasskeys_have_a_place_only_where_browsers_make_them(t *testing.T) {
	for base, want := range map[string]operator.Place{
		"https://rollcall.example.com":      {Host: "rollcall.example.com", Origin: "https://rollcall.example.com"},
		"https://rollcall.example.com:8443": {Host: "rollcall.example.com", Origin: "https://rollcall.example.com:8443"},
		"http://localhost:8080":             {Host: "localhost", Origin: "http://localhost:8080"},
		"http://rollcall.example.com":       {}, "https://192.0.2.1": {}, "http://127.0.0.1:8080": {}, "https://[2001:db8::1]": {}, "": {}, "nonsense": {},
	} {
		if got, ok := operator.PlaceOf(base); got != want || ok != (want != operator.Place{}) {
			t.Errorf("%s: %+v %v", base, got, ok)
		}
	}
}

func TestAnswers_of_no_passkey_are_refused_and_use_up_their_challenge(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		asked, _ := w.link(operator.New{Email: "ann@example.com"})
		other, _ := w.link(operator.New{Email: "bob@example.com"})
		place, _ := operator.PlaceOf("http://localhost:8080")
		begin := func() token.Secret {
			c, err := w.s.BeginPasskey(ctx, asked.Operator.ID, place)
			if err != nil {
				t.Fatal(err)
			}
			return c.Key
		}
		keep := func(id operator.ID, key token.Secret) {
			t.Helper()
			_, err := w.s.KeepPasskey(ctx, id, place, key, []byte(`{"id":"AA","rawId":"AA","type":"public-key","response":{}}`), "")
			w.refused(err, "passkey_refused")
		}
		keep(asked.Operator.ID, "nonsense")
		key := begin()
		keep(other.Operator.ID, key) // somebody else's: it is not used up
		if n := w.count(`SELECT COUNT(*) FROM operator_ceremonies`); n != 1 {
			t.Errorf("%d challenges, want 1", n)
		}
		keep(asked.Operator.ID, key)
		if n := w.count(`SELECT COUNT(*) FROM operator_ceremonies`); n != 0 {
			t.Errorf("%d challenges, want none", n)
		}
		key = begin()
		w.later(6 * time.Minute)
		keep(asked.Operator.ID, key)
		for _, response := range []string{``, `{}`, `[]`, `null`, strings.Repeat(`[`, 10000), `{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"AA","signature":"AA","userHandle":"AA"}}`} {
			c, err := w.s.BeginSignIn(ctx, place)
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.s.SignIn(ctx, place, c.Key, []byte(response), operator.Visitor{})
			w.refused(err, "passkey_refused")
		}
	})
}
