package session_test

import (
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Each condition of a statement, beside rows of others that it must not touch.

func (w *world) rotate(t session.RefreshToken) db.Write {
	var write db.Write
	w.s.RotateInto(&write, t)
	return write
}

func TestRefreshToken_is_rotated_only_as_it_was_issued(t *testing.T) {
	each(t, func(w *world) {
		in := w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1"})
		w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1"})
		good, ok, err := w.s.RefreshToken(ctx, app, in.refresh)
		if w.must(err); !ok {
			t.Fatal("not found")
		}
		other := good
		other.Hash = token.HashOf("rt_none")
		w.wantLost(w.rotate(other))
		other = good
		other.ApplicationID = "conn_app_2"
		w.wantLost(w.rotate(other))

		short := good
		short.Hash, short.ExpiresAt = token.HashOf("rt_short"), w.now().Add(time.Minute)
		var write db.Write
		w.s.RefreshInto(&write, short)
		w.must(w.db.Write(ctx, &write))
		w.later(2 * time.Minute)
		w.wantLost(w.rotate(short))

		revoked := w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1"})
		found, _, err := w.s.RefreshToken(ctx, app, revoked.refresh)
		w.must(err)
		w.must(w.s.EndGrant(ctx, app, revoked.ID, revoked.grant, session.Code{}))
		w.wantLost(w.rotate(found))

		last := w.rotate(good)
		w.must(w.db.Write(ctx, &last))
		w.wantLost(w.rotate(good))
	})
}

func TestGuard_holds_for_its_own_living_session_only(t *testing.T) {
	each(t, func(w *world) {
		w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1"})
		guard := func(id string) db.Write {
			var write db.Write
			w.s.GuardInto(&write, id)
			return write
		}
		w.wantLost(guard("session_none"))
		in := w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1", Life: session.Life{Idle: 48 * time.Hour, Absolute: time.Hour}})
		living := guard(in.ID)
		w.must(w.db.Write(ctx, &living))
		w.later(2 * time.Hour)
		w.wantLost(guard(in.ID))
	})
}

// The token's own row says nothing of it here.
func TestAccessToken_is_as_good_as_its_own_session(t *testing.T) {
	each(t, func(w *world) {
		in, other := w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1"}), w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1"})
		var write db.Write
		write.Exec(`UPDATE sessions SET ended_at = $1, end_reason = 'revoked' WHERE id = $2`, w.now().UnixMicro(), in.ID)
		w.must(w.db.Write(ctx, &write))
		if _, ok, err := w.s.AccessToken(ctx, in.access); ok || err != nil {
			t.Errorf("served after its session ended: %v", err)
		}
		if _, ok, err := w.s.AccessToken(ctx, other.access); !ok || err != nil {
			t.Errorf("the other: %v", err)
		}
	})
}

func TestEnd_of_an_access_token_touches_no_other(t *testing.T) {
	each(t, func(w *world) {
		in, other := w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1"}), w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1"})
		access, _, err := w.s.AccessToken(ctx, in.access)
		w.must(err)
		foreign := access
		foreign.ApplicationID = "conn_app_2"
		w.must(w.s.EndAccessToken(ctx, foreign))
		if got := w.serves(in); got != all {
			t.Errorf("another application ended it: %v", got)
		}
		w.must(w.s.EndAccessToken(ctx, access))
		if got := w.serves(other); got != all {
			t.Errorf("another token: %v", got)
		}
		w.must(w.s.EndGrant(ctx, "conn_app_2", other.ID, other.grant, session.Code{Hash: token.HashOf(other.code)}))
		if got := w.serves(other); got != all {
			t.Errorf("another application ended the code: %v", got)
		}
	})
}

// What ended at one moment did not end again at a later one.
func TestEnd_keeps_the_moment_of_what_has_ended(t *testing.T) {
	each(t, func(w *world) {
		in, grant := w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1", ConnectionID: "conn_1"}), w.alone("org_1", "conn_1", "prof_1")
		moments := func() (all [5]int64) {
			for i, one := range []struct{ text, arg string }{
				{`SELECT COALESCE(ended_at, 0) FROM authorization_codes WHERE grant_id = $1`, in.grant},
				{`SELECT COALESCE(revoked_at, 0) FROM refresh_tokens WHERE grant_id = $1`, in.grant},
				{`SELECT COALESCE(revoked_at, 0) FROM access_tokens WHERE grant_id = $1`, in.grant},
				{`SELECT COALESCE(ended_at, 0) FROM authorization_codes WHERE grant_id = $1`, grant.grant},
				{`SELECT COALESCE(revoked_at, 0) FROM access_tokens WHERE grant_id = $1`, grant.grant},
			} {
				w.must(w.db.QueryRow(ctx, one.text, one.arg).Scan(&all[i]))
			}
			return all
		}
		for _, one := range []signedIn{in, grant} {
			w.must(w.s.EndGrant(ctx, app, one.ID, one.grant, session.Code{Hash: token.HashOf(one.code)}))
		}
		first := moments()
		for i, at := range first {
			if at == 0 {
				t.Fatalf("%d has not ended: %v", i, first)
			}
		}
		again := func(name string) {
			if now := moments(); now != first {
				t.Errorf("%s ended it again: %v, first %v", name, now, first)
			}
		}
		w.later(time.Minute)
		for _, one := range []signedIn{in, grant} {
			w.must(w.s.EndGrant(ctx, app, one.ID, one.grant, session.Code{Hash: token.HashOf(one.code)}))
			w.must(w.s.EndAccessToken(ctx, session.AccessToken{Hash: token.HashOf(one.access), ApplicationID: app}))
		}
		again("the grant")
		w.must(w.db.Tx(ctx, func(tx db.Tx) error { return w.s.EndApplicationTx(ctx, tx, app) }))
		again("the application")
		_, err := w.s.End(ctx, session.Selection{OrganizationID: "org_1"}, session.Ending{Reason: session.Revoked})
		w.must(err)
		again("the organization")
	})
}

func TestEnd_of_one_session_leaves_grants_without_one(t *testing.T) {
	each(t, func(w *world) {
		in, grant := w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1", ConnectionID: "conn_1"}), w.alone("org_1", "conn_1", "prof_1")
		_, err := w.s.End(ctx, session.Selection{OrganizationID: "org_1", SessionID: in.ID}, session.Ending{Reason: session.Revoked})
		w.must(err)
		if got := w.serves(grant); !got[1] || !got[2] {
			t.Errorf("the grant of nobody's session: %v", got)
		}
	})
}

func TestUse_of_a_session_is_written_for_no_other(t *testing.T) {
	each(t, func(w *world) {
		in, other := w.signIn(session.New{UserID: "user_1"}), w.signIn(session.New{UserID: "user_1"})
		w.later(10 * time.Minute)
		var write db.Write
		w.s.TouchInto(&write, in.Session)
		w.must(w.db.Write(ctx, &write))
		if after, err := w.s.Get(ctx, other.ID); err != nil || !after.SeenAt.Equal(other.SeenAt) {
			t.Errorf("seen at %s, want %s: %v", after.SeenAt, other.SeenAt, err)
		}
		if after, err := w.s.Get(ctx, in.ID); err != nil || !after.SeenAt.After(in.SeenAt) {
			t.Errorf("not seen again: %v", err)
		}
		_, err := w.s.Get(ctx, "session_none")
		if f, ok := fault.As(err); !ok || f.Code != "entity_not_found" {
			t.Errorf("a session that is not there: %v", err)
		}
	})
}

func TestApplications_are_those_of_the_session(t *testing.T) {
	each(t, func(w *world) {
		in, other := w.signIn(session.New{UserID: "user_1"}), w.signIn(session.New{UserID: "user_1"})
		now := w.now()
		var write db.Write
		w.s.CodeInto(&write, session.Code{
			Hash: "x", ApplicationID: "conn_app_2", SessionID: other.ID, UserID: "user_1", RedirectURI: "https://app.test/cb", Scope: "openid",
			Style: "oidc", GrantID: w.s.NewGrantID(), AuthenticatedAt: now, CreatedAt: now, ExpiresAt: now.Add(time.Minute),
		})
		w.must(w.db.Write(ctx, &write))
		if got, err := w.s.Applications(ctx, in.ID); err != nil || len(got) != 1 || got[0] != app {
			t.Errorf("%v, %v", got, err)
		}
	})
}

func TestMagic_is_tried_and_used_for_itself_only(t *testing.T) {
	each(t, func(w *world) {
		m, other := w.magic("ada@acme.test", "browser"), w.magic("bob@acme.test", "browser")
		for range session.MaxMagicTries {
			if _, err := w.s.CheckCode(ctx, m.ID, wrong(m.digits), m.visitor); !refused(err) {
				t.Fatal(err)
			}
		}
		found, err := w.s.CheckCode(ctx, other.ID, other.digits, other.visitor)
		if w.must(err); found.Tries != 1 {
			t.Errorf("tries of another were counted: %d", found.Tries)
		}
		third := w.magic("eve@acme.test", "browser")
		var write db.Write
		w.s.RedeemMagicInto(&write, found, "user_1", other.visitor)
		w.must(w.db.Write(ctx, &write))
		if _, err := w.s.CheckCode(ctx, other.ID, other.digits, other.visitor); !refused(err) {
			t.Errorf("used, and good again: %v", err)
		}
		if _, err := w.s.CheckLink(ctx, third.link, third.visitor); err != nil {
			t.Errorf("another one was used: %v", err)
		}
	})
}

func TestUse_is_not_written_back_nor_past_the_end(t *testing.T) {
	each(t, func(w *world) {
		in := w.signIn(session.New{UserID: "user_1", Life: session.Life{Absolute: time.Hour}})
		touch := func(after time.Duration) session.Session {
			w.later(after)
			var write db.Write
			w.s.TouchInto(&write, in.Session)
			w.must(w.db.Write(ctx, &write))
			found, err := w.s.Get(ctx, in.ID)
			w.must(err)
			return found
		}
		late := touch(10 * time.Minute)
		if early := touch(-5 * time.Minute); !early.SeenAt.Equal(late.SeenAt) {
			t.Errorf("an earlier use was written over a later one: %s, %s", early.SeenAt, late.SeenAt)
		}
		if over := touch(2 * time.Hour); !over.SeenAt.Equal(late.SeenAt) {
			t.Errorf("a use was written after the end: %s", over.SeenAt)
		}
	})
}

// What was read beside other questions ends as what EndInto reads itself: of the user and the organization alone, and only if nobody has
// signed in since.
func TestEnd_among_what_was_read_before_is_that_of_the_selection_alone(t *testing.T) {
	each(t, func(w *world) {
		here, there := w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1"}), w.signIn(session.New{OrganizationID: "org_2", UserID: "user_1"})
		nowhere, other := w.signIn(session.New{UserID: "user_1"}), w.signIn(session.New{OrganizationID: "org_1", UserID: "user_2"})
		ended := w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1"})
		w.end("End", session.Selection{SessionID: ended.ID}, session.Ending{Reason: session.SignedOut})
		read := func() (living []session.Open) {
			w.must(w.db.Ask(ctx, w.s.AskLiving("(SELECT user_id FROM sessions WHERE id = $1)", []any{here.ID}, &living)))
			return living
		}
		why := session.Ending{Reason: session.MembershipEnded}
		if living := read(); len(living) != 3 {
			t.Fatalf("%d sessions of the user live, want 3", len(living))
		}

		for _, wide := range []session.Selection{{}, {OrganizationID: "org_1"}, {UserID: "user_1", ConnectionID: "conn_1"}, {UserID: "user_1", Unvouched: true}} {
			var write db.Write
			if err := w.s.EndAmongInto(&write, read(), wide, why); err == nil || write.Len() != 0 {
				t.Errorf("%+v: %v, %d statements; want an error and none", wide, err, write.Len())
			}
		}
		var strangers db.Write
		w.must(w.s.EndAmongInto(&strangers, read(), session.Selection{UserID: "user_2"}, why)) // who has one that was not read
		w.wantLost(strangers)
		var nobodys db.Write
		w.must(w.s.EndAmongInto(&nobodys, read(), session.Selection{UserID: "user_3"}, why)) // who has none: those that were read are not theirs
		w.must(w.db.Write(ctx, &nobodys))
		if got := w.serves(here); got != all {
			t.Errorf("a session of somebody else does not serve: %v", got)
		}

		var stale db.Write
		w.must(w.s.EndAmongInto(&stale, read(), session.Selection{UserID: "user_1", OrganizationID: "org_1"}, why))
		late := w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1"})
		w.wantLost(stale)

		var one db.Write
		w.must(w.s.EndAmongInto(&one, read(), session.Selection{UserID: "user_1", OrganizationID: "org_1"}, why))
		w.must(w.db.Write(ctx, &one))
		for _, s := range []signedIn{here, late} {
			if got := w.serves(s); got != none {
				t.Errorf("a session of the organization serves: %v", got)
			}
		}
		for _, s := range []signedIn{there, nowhere, other} {
			if got := w.serves(s); got != all {
				t.Errorf("a session of another organization, or person, does not serve: %v", got)
			}
		}
		var every db.Write
		w.must(w.s.EndAmongInto(&every, read(), session.Selection{UserID: "user_1"}, why))
		w.must(w.db.Write(ctx, &every))
		if left := read(); len(left) != 0 {
			t.Errorf("%d sessions are left", len(left))
		}
	})
}
