package session_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

func isLost(err error) bool {
	var guard *db.GuardError
	return errors.As(err, &guard)
}

var all, none = [4]bool{true, true, true, true}, [4]bool{}

func TestStart_is_told_and_found_by_its_cookie_alone(t *testing.T) {
	each(t, func(w *world) {
		in := w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1", IP: "203.0.113.9", UserAgent: "Firefox", AMR: []string{"mfa", "pwd"}, IDPSession: "idp-1"})
		found, ok, err := w.s.ByCookie(ctx, in.cookie)
		if err != nil || !ok || found.ID != in.ID || found.UserID != "user_1" || found.OrganizationID != "org_1" || found.IDPSession != "idp-1" || !slices.Equal(found.AMR, []string{"mfa", "pwd"}) {
			t.Fatalf("%+v %v %v", found, ok, err)
		}
		for _, other := range []token.Secret{"", token.NewSecret("rs"), token.Secret(token.HashOf(in.cookie)), token.Secret(in.ID), in.cookie + "x"} {
			if _, ok, err := w.s.ByCookie(ctx, other); ok || err != nil {
				t.Errorf("a session was found by another cookie: %v", err)
			}
		}
		data, cause := w.told(event.SessionCreated)
		if len(data) != 1 || data[0]["id"] != in.ID || data[0]["object"] != "session" || data[0]["status"] != "active" || data[0]["auth_method"] != "sso" ||
			data[0]["ip_address"] != "203.0.113.9" || data[0]["user_agent"] != "Firefox" || data[0]["organization_id"] != "org_1" || data[0]["ended_at"] != nil {
			t.Errorf("told: %v %v", data, cause)
		}
		applications, err := w.s.Applications(ctx, in.ID)
		if err != nil || !slices.Equal(applications, []string{app}) {
			t.Errorf("applications that learned of it: %v %v", applications, err)
		}
	})
}

func TestSession_without_organization_is_told_without_one(t *testing.T) {
	each(t, func(w *world) {
		w.signIn(session.New{UserID: "user_1", Method: session.MagicAuth})
		data, _ := w.told(event.SessionCreated)
		if _, there := data[0]["organization_id"]; there || data[0]["auth_method"] != "magic_code" {
			t.Errorf("%v", data[0])
		}
	})
}

func TestSession_ends_when_it_is_not_used_and_in_any_case(t *testing.T) {
	each(t, func(w *world) {
		life := session.Life{Idle: time.Hour, Absolute: 3 * time.Hour}
		in := w.signIn(session.New{UserID: "user_1", Life: life})
		living := func() bool {
			t.Helper()
			found, ok, err := w.s.ByCookie(ctx, in.cookie)
			w.must(err)
			if ok {
				w.s.Touch(found)
				w.must(w.s.FlushUses(ctx))
			}
			return ok
		}
		for i := range 3 {
			w.later(50 * time.Minute)
			if !living() {
				t.Fatalf("a session that is used ended after %d rounds", i)
			}
		}
		w.later(29 * time.Minute)
		if !living() {
			t.Fatal("ended before its end")
		}
		w.later(2 * time.Minute)
		if living() {
			t.Fatal("a session outlives its absolute end")
		}
		idle := w.signIn(session.New{UserID: "user_1", Life: life})
		w.later(61 * time.Minute)
		if _, ok, _ := w.s.ByCookie(ctx, idle.cookie); ok {
			t.Fatal("an idle session serves")
		}
		var write db.Write
		w.s.GuardInto(&write, idle.ID)
		w.wantLost(write)
	})
}

func TestSession_does_not_outlive_the_providers(t *testing.T) {
	each(t, func(w *world) {
		in := w.signIn(session.New{UserID: "user_1", Until: w.now().Add(20 * time.Minute)})
		w.later(21 * time.Minute)
		if _, ok, _ := w.s.ByCookie(ctx, in.cookie); ok {
			t.Fatal("SessionNotOnOrAfter is not kept")
		}
	})
}

func TestTouch_writes_once_a_minute(t *testing.T) {
	each(t, func(w *world) {
		in := w.signIn(session.New{UserID: "user_1"})
		found, _, err := w.s.ByCookie(ctx, in.cookie)
		w.must(err)
		w.later(30 * time.Second)
		w.s.Touch(found)
		before := w.db.Stats().Writes
		w.must(w.s.FlushUses(ctx))
		if w.db.Stats().Writes != before {
			t.Error("written within the minute")
		}
		w.later(31 * time.Second)
		w.s.Touch(found)
		w.must(w.s.FlushUses(ctx))
		if after, _, _ := w.s.ByCookie(ctx, in.cookie); !after.SeenAt.After(found.SeenAt) {
			t.Error("the use was not written")
		}
		_, err = w.s.End(ctx, session.Selection{SessionID: in.ID}, session.Ending{Reason: session.Revoked})
		w.must(err)
		w.later(2 * time.Minute)
		w.s.Touch(found)
		w.must(w.s.FlushUses(ctx))
		if after, _ := w.s.Get(ctx, in.ID); after.EndedAt.IsZero() || after.SeenAt.After(after.EndedAt) {
			t.Error("the use of an ended session was written")
		}
	})
}

// TestEnd_ends_sessions_codes_and_tokens_of_its_selection_only: each way of ending, in a write of its own and in a transaction.
func TestEnd_ends_sessions_codes_and_tokens_of_its_selection_only(t *testing.T) {
	one := session.New{OrganizationID: "org_1", UserID: "user_1", ConnectionID: "conn_1", ProfileID: "prof_1", IDPSession: "s1"}
	others := []session.New{
		{OrganizationID: "org_1", UserID: "user_2", ConnectionID: "conn_1", ProfileID: "prof_2", IDPSession: "s2"},
		{OrganizationID: "org_1", UserID: "user_1", ConnectionID: "conn_2", ProfileID: "prof_3", IDPSession: "s1"},
		{OrganizationID: "org_2", UserID: "user_1", ConnectionID: "conn_3", ProfileID: "prof_4", IDPSession: "s1"},
	}
	for name, c := range map[string]struct {
		sel   session.Selection
		stay  []bool  // of others
		alone [3]bool // stay: same connection, other connection, other organization
	}{
		"user":         {session.Selection{UserID: "user_1"}, []bool{true, false, false}, [3]bool{true, true, true}},
		"membership":   {session.Selection{UserID: "user_1", OrganizationID: "org_1"}, []bool{true, false, true}, [3]bool{true, true, true}},
		"organization": {session.Selection{OrganizationID: "org_1"}, []bool{false, false, true}, [3]bool{false, false, true}},
		"connection":   {session.Selection{OrganizationID: "org_1", ConnectionID: "conn_1"}, []bool{false, true, true}, [3]bool{false, true, true}},
		"provider":     {session.Selection{OrganizationID: "org_1", ConnectionID: "conn_1", IDPSession: "s1"}, []bool{true, true, true}, [3]bool{true, true, true}},
		"profile":      {session.Selection{OrganizationID: "org_1", ProfileID: "prof_1"}, []bool{true, true, true}, [3]bool{false, true, true}},
	} {
		for _, way := range []string{"End", "EndTx"} {
			t.Run(name+" "+way, func(t *testing.T) {
				each(t, func(w *world) {
					in := w.signIn(one)
					var rest []signedIn
					for _, n := range others {
						rest = append(rest, w.signIn(n))
					}
					grants := []signedIn{w.alone("org_1", "conn_1", "prof_1"), w.alone("org_1", "conn_2", "prof_9"), w.alone("org_2", "conn_3", "prof_8")}
					why := session.Ending{Reason: session.MembershipEnded, Context: event.Context{Actor: event.Actor{ID: "directory_1", Source: event.System}}}
					n := w.end(way, c.sel, why)
					ended := []string{in.ID}
					if got := w.serves(in); got != none {
						t.Errorf("still serves: %v", got)
					}
					if code, ok, err := w.s.Code(ctx, app, in.code); err != nil || !ok || code.EndedAt.IsZero() {
						t.Errorf("the code's own row does not say that it has ended: %v", err)
					}
					for i, other := range rest {
						want := all
						if !c.stay[i] {
							want, ended = none, append(ended, other.ID)
						}
						if got := w.serves(other); got != want {
							t.Errorf("session %d serves %v, want %v", i, got, want)
						}
					}
					for i, g := range grants {
						if got := w.serves(g); got[1] != c.alone[i] || got[2] != c.alone[i] {
							t.Errorf("grant %d without session serves %v, want %v", i, got, c.alone[i])
						}
					}
					data, cause := w.told(event.SessionRevoked)
					var told []string
					for i, d := range data {
						told = append(told, d["id"].(string))
						if d["status"] != "revoked" || d["ended_at"] == nil || cause[i]["reason"] != "membership_ended" || cause[i]["actor"].(map[string]any)["id"] != "directory_1" {
							t.Errorf("told: %v %v", d, cause[i])
						}
					}
					slices.Sort(told)
					slices.Sort(ended)
					if n != len(ended) || !slices.Equal(told, ended) {
						t.Errorf("told of %v, ended %v (%d)", told, ended, n)
					}
					if again := w.end(way, c.sel, why); again != 0 {
						t.Errorf("ended %d again", again)
					}
				})
			})
		}
	}
}

func (w *world) end(way string, sel session.Selection, why session.Ending) (n int) {
	w.Helper()
	var err error
	if way == "End" {
		n, err = w.s.End(ctx, sel, why)
	} else {
		err = w.db.Tx(ctx, func(tx db.Tx) (err error) {
			n, err = w.s.EndTx(ctx, tx, sel, why)
			return err
		})
	}
	w.must(err)
	return n
}

func TestEnd_of_nobody_in_particular_is_refused(t *testing.T) {
	each(t, func(w *world) {
		in := w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1", ConnectionID: "conn_1"})
		for _, sel := range []session.Selection{{}, {ConnectionID: "conn_1"}, {ProfileID: "p"}, {IDPSession: "x"}} {
			if _, err := w.s.End(ctx, sel, session.Ending{Reason: session.Revoked}); err == nil {
				t.Errorf("%+v ended something", sel)
			}
		}
		if got := w.serves(in); got != all {
			t.Error(got)
		}
	})
}

func TestEnd_of_very_many_sessions_tells_of_each(t *testing.T) {
	each(t, func(w *world) {
		const many = 905
		var write db.Write
		for i := range many {
			w.s.StartInto(&write, session.New{Cookie: token.HashOf(token.NewSecret("rs")), OrganizationID: "org_1", UserID: fmt.Sprint("user_", i), Method: session.SSO})
		}
		w.must(w.db.Write(ctx, &write))
		if n := w.end("End", session.Selection{OrganizationID: "org_1"}, session.Ending{Reason: session.OrganizationDeleted}); n != many {
			t.Errorf("ended %d", n)
		}
		if data, _ := w.told(event.SessionRevoked); len(data) != many {
			t.Errorf("told of %d", len(data))
		}
	})
}

func TestEnd_that_was_computed_before_another_session_began_is_lost(t *testing.T) {
	each(t, func(w *world) {
		w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1"})
		var write db.Write
		_, err := w.s.EndInto(ctx, w.db, &write, session.Selection{UserID: "user_1"}, session.Ending{Reason: session.UserDeactivated})
		w.must(err)
		late := w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1"})
		w.wantLost(write)
		if got := w.serves(late); got != all {
			t.Errorf("a lost write has done something: %v", got)
		}
		var stale db.Write
		_, err = w.s.EndInto(ctx, w.db, &stale, session.Selection{UserID: "user_1"}, session.Ending{Reason: session.UserDeactivated})
		w.must(err)
		w.end("End", session.Selection{SessionID: late.ID}, session.Ending{Reason: session.SignedOut})
		w.wantLost(stale)
		if data, _ := w.told(event.SessionRevoked); len(data) != 1 {
			t.Errorf("told %d times", len(data))
		}
	})
}

// TestEnd_beside_tokens_being_made_leaves_none: whatever comes first, after the end no token of the session serves.
func TestEnd_beside_tokens_being_made_leaves_none(t *testing.T) {
	each(t, func(w *world) {
		for range 15 {
			in := w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1"})
			made := make([]token.Secret, 20)
			var done sync.WaitGroup
			for i := range made {
				done.Go(func() {
					made[i] = token.NewSecret("at")
					var write db.Write
					w.s.GuardInto(&write, in.ID)
					w.s.AccessInto(&write, session.AccessToken{
						Hash: token.HashOf(made[i]), GrantID: in.grant, ApplicationID: app, OrganizationID: "org_1", SessionID: in.ID, UserID: "user_1", Style: "oidc",
						CreatedAt: w.now(), ExpiresAt: w.now().Add(time.Minute),
					})
					if err := w.db.Write(ctx, &write); err != nil && !isLost(err) {
						t.Error(err)
					}
				})
			}
			done.Go(func() {
				w.end("End", session.Selection{UserID: "user_1"}, session.Ending{Reason: session.UserDeactivated})
			})
			done.Wait()
			var living int64
			w.must(w.db.QueryRow(ctx, `SELECT COUNT(*) FROM access_tokens WHERE session_id = $1 AND revoked_at IS NULL`, in.ID).Scan(&living))
			if living != 0 {
				t.Fatalf("%d tokens outlive their session", living)
			}
		}
	})
}

func TestRefreshToken_is_rotated_by_one_of_a_hundred(t *testing.T) {
	each(t, func(w *world) {
		in := w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1"})
		old, ok, err := w.s.RefreshToken(ctx, app, in.refresh)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		var won atomic.Int64
		var done sync.WaitGroup
		for range 100 {
			done.Go(func() {
				var write db.Write
				w.s.RotateInto(&write, old)
				switch err := w.db.Write(ctx, &write); {
				case err == nil:
					won.Add(1)
				case !isLost(err):
					t.Error(err)
				}
			})
		}
		done.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d have won", won.Load())
		}
	})
}

func TestCode_is_redeemed_only_as_it_was_issued(t *testing.T) {
	each(t, func(w *world) {
		in := w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1"})
		right, _, err := w.s.Code(ctx, app, in.code)
		w.must(err)
		for name, change := range map[string]func(*session.Code){
			"another application": func(c *session.Code) { c.ApplicationID = "conn_app_2" },
			"another address":     func(c *session.Code) { c.RedirectURI += "/" },
			"another style":       func(c *session.Code) { c.Style = "sso" },
			"another code":        func(c *session.Code) { c.Hash = token.HashOf("x") },
		} {
			c := right
			change(&c)
			var write db.Write
			w.s.RedeemInto(&write, c)
			if err := w.db.Write(ctx, &write); !isLost(err) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, ok, _ := w.s.Code(ctx, "conn_app_2", in.code); ok {
			t.Error("another application sees the code")
		}
		if _, ok, _ := w.s.RefreshToken(ctx, "conn_app_2", in.refresh); ok {
			t.Error("another application sees the refresh token")
		}
		var write db.Write
		w.s.RedeemInto(&write, right)
		w.must(w.db.Write(ctx, &write))
		w.wantLost(write)
		late := w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1"})
		right, _, err = w.s.Code(ctx, app, late.code)
		w.must(err)
		w.later(61 * time.Second)
		var expired db.Write
		w.s.RedeemInto(&expired, right)
		w.wantLost(expired)
	})
}

func TestGrant_ends_with_its_tokens_and_no_others(t *testing.T) {
	each(t, func(w *world) {
		in, other := w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1"}), w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1"})
		w.must(w.s.EndGrant(ctx, "conn_app_2", in.ID, in.grant, session.Code{}))
		if got := w.serves(in); got != all {
			t.Fatalf("another application ended the grant: %v", got)
		}
		w.must(w.s.EndGrant(ctx, app, in.ID, in.grant, session.Code{Hash: token.HashOf(in.code)}))
		if got := w.serves(in); got != [4]bool{true, false, false, false} {
			t.Errorf("serves %v: the session stays, the grant is gone", got)
		}
		if got := w.serves(other); got != all {
			t.Errorf("the other grant: %v", got)
		}
		access, _, err := w.s.AccessToken(ctx, other.access)
		w.must(err)
		w.must(w.s.EndAccessToken(ctx, access))
		if got := w.serves(other); got != [4]bool{true, true, false, true} {
			t.Errorf("after the end of an access token: %v", got)
		}
	})
}

func TestApplication_ends_with_all_it_was_given_and_the_session_stays(t *testing.T) {
	each(t, func(w *world) {
		in, grant := w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1"}), w.alone("org_1", "conn_1", "prof_1")
		for _, id := range []string{"conn_app_2", app} {
			w.must(w.db.Tx(ctx, func(tx db.Tx) error { return w.s.EndApplicationTx(ctx, tx, id) }))
			want, wantAlone := all, true
			if id == app {
				want, wantAlone = [4]bool{true, false, false, false}, false
			}
			if got, other := w.serves(in), w.serves(grant); got != want || other[1] != wantAlone || other[2] != wantAlone {
				t.Errorf("%s: %v %v", id, got, other)
			}
		}
	})
}

func TestAccessToken_serves_in_its_time_and_with_its_session(t *testing.T) {
	each(t, func(w *world) {
		in := w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1", Until: w.now().Add(2 * time.Minute)})
		if got := w.serves(in); !got[2] {
			t.Fatal(got)
		}
		w.later(3 * time.Minute)
		if got := w.serves(in); got[2] {
			t.Error("an access token outlives its session")
		}
		grant := w.alone("org_1", "conn_1", "prof_1")
		w.later(6 * time.Minute)
		if got := w.serves(grant); got[2] {
			t.Error("an expired access token serves")
		}
	})
}

func TestClean_deletes_what_serves_nobody_and_nothing_else(t *testing.T) {
	each(t, func(w *world) {
		w.signIn(session.New{OrganizationID: "org_1", UserID: "user_1"})
		w.alone("org_1", "conn_1", "prof_1")
		w.magic("a@acme.test", "browser")
		count := func() (out [6]int64) {
			for i, table := range []string{"sessions", "session_applications", "authorization_codes", "access_tokens", "refresh_tokens", "magic_auths"} {
				w.must(w.db.QueryRow(ctx, "SELECT COUNT(*) FROM "+table).Scan(&out[i]))
			}
			return out
		}
		clean := func(after time.Duration, want [6]int64) {
			t.Helper()
			w.later(after)
			w.must(w.s.Clean(ctx))
			if got := count(); got != want {
				t.Errorf("rows left: %v, want %v", got, want)
			}
		}
		clean(0, [6]int64{1, 1, 2, 2, 1, 1})
		clean(2*time.Hour, [6]int64{1, 1, 2, 0, 1, 1})
		clean(24*time.Hour, [6]int64{1, 1, 0, 0, 1, 0})
		clean(7*24*time.Hour, [6]int64{1, 1, 0, 0, 0, 0})
		clean(30*24*time.Hour, [6]int64{})
	})
}
