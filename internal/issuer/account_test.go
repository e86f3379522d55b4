package issuer_test

import (
	"errors"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

// plain is the request of a client of the compatible API: no PKCE, no scope.
func (c client) plain() oidc.AuthorizationRequest {
	return oidc.AuthorizationRequest{ClientID: c.ClientID, RedirectURI: callback, State: "st-1"}
}

func (w *world) signInAccount(c client) arrived {
	w.Helper()
	return w.arrive(c, c.plain(), oidc.StyleUserManagement, issuer.Grant{OrganizationID: "org_1", UserID: "user_1", ProfileID: "prof_1", ConnectionID: "conn_1"})
}

func (c client) account(code string) oidc.TokenRequest {
	return oidc.TokenRequest{Grant: oidc.GrantCode, Client: c.credentials(), Code: code}
}

func (w *world) authenticate(r oidc.TokenRequest) (issuer.TokenResponse, error) {
	return w.s.Token(ctx, r, oidc.StyleUserManagement)
}

func (w *world) authenticated(c client) (issuer.TokenResponse, arrived) {
	w.Helper()
	in := w.signInAccount(c)
	answer, err := w.authenticate(c.account(in.code))
	w.must(err)
	return answer, in
}

// offline verifies an access token by the keys at the address of the compatible API, as its clients do.
func (w *world) offline(c client, raw token.Secret) map[string]any {
	w.Helper()
	body, err := w.s.ClientJWKS(ctx, c.ClientID)
	w.must(err)
	var keys []oidc.PublicKey
	for _, one := range w.object(body)["keys"].([]any) {
		key, err := oidc.ParsePublicKey(encoded(w, one))
		w.must(err)
		keys = append(keys, key)
	}
	claims, err := oidc.VerifyOwn(raw.Reveal(), keys, oidc.TypeAccessToken)
	w.must(err)
	return claims
}

func TestAuthenticate_gives_a_user_and_a_token_that_is_verified_offline(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app() // its ID tokens are ES256, which clients of the compatible API do not know
		answer, in := w.authenticated(c)
		body := w.object(answer.JSON())
		if user := body["user"].(map[string]any); user["id"] != "user_1" || body["organization_id"] != "org_1" || body["authentication_method"] != "SSO" || len(body) != 5 {
			t.Errorf("%v", body)
		}
		claims := w.offline(c, answer.AccessToken)
		for name, want := range map[string]any{"iss": home, "sub": "user_1", "sid": in.session.ID, "org_id": "org_1", "role": "admin", "client_id": c.ClientID} {
			if claims[name] != want {
				t.Errorf("%s is %v, want %v", name, claims[name], want)
			}
		}
		if roles, permissions := claims["roles"].([]any), claims["permissions"].([]any); len(roles) != 2 || permissions[0] != "people:read" || claims["jti"] == "" || claims["auth_time"] == nil {
			t.Errorf("%v", claims)
		}
		if life := claims["exp"].(float64) - claims["iat"].(float64); life != 300 {
			t.Errorf("the access token lives %v s", life)
		}
		if w.info(answer.AccessToken) != nil {
			t.Error("the standard routes take it for one of theirs")
		}
		if _, err := w.s.EndSession(ctx, oidc.EndSessionRequest{IDTokenHint: answer.AccessToken.Reveal()}, session.Session{}, true); err == nil {
			t.Error("it serves as an ID token")
		}
	})
}

func TestAuthenticate_without_an_organization_names_no_role(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		in := w.arrive(c, c.plain(), oidc.StyleUserManagement, issuer.Grant{UserID: "user_1"})
		answer, err := w.authenticate(c.account(in.code))
		w.must(err)
		claims, body := w.offline(c, answer.AccessToken), w.object(answer.JSON())
		for _, name := range []string{"org_id", "role", "roles", "permissions"} {
			if _, there := claims[name]; there {
				t.Errorf("%s is %v", name, claims[name])
			}
		}
		if _, there := body["organization_id"]; there || body["authentication_method"] != "MagicAuth" {
			t.Errorf("%v", body)
		}
	})
}

func TestAuthenticate_token_does_not_outlive_its_session(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		in := w.signInAccount(c)
		w.later(in.session.ExpiresAt.Sub(w.now()) - time.Minute)
		_, err := w.authenticate(c.account(in.code))
		w.wantRefused(err, oidc.InvalidGrant, "a code of last week")
		w.ahead = 0
		answer, err := w.authenticate(c.account(w.signInAccount(c).code))
		w.must(err)
		for range 200 { // used every hour, so that it is not idle
			w.later(time.Hour)
			next, err := w.authenticate(c.refresh(answer.RefreshToken))
			if err != nil {
				w.wantRefused(err, oidc.InvalidGrant, "refresh")
				break
			}
			w.must(w.sessions.FlushUses(ctx))
			answer = next
		}
		if exp := time.Unix(int64(w.offline(c, answer.AccessToken)["exp"].(float64)), 0); w.now().Sub(exp) < 0 || w.ahead < 160*time.Hour {
			t.Errorf("after %s the last token still lives until %s", w.ahead, exp)
		}
	})
}

func TestAuthenticate_knows_the_management_key_as_the_secret_of_the_default_application_only(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a, err := w.s.Default(ctx)
		w.must(err)
		_, err = w.s.AddRedirectURI(ctx, callback)
		w.must(err)
		for _, method := range []oidc.AuthMethod{oidc.AuthPost, oidc.AuthBearer} {
			c := client{Application: a, secret: w.management}
			r := c.account(w.signInAccount(c).code)
			r.Client = oidc.ClientCredentials{ID: a.ClientID, Secret: w.management.Reveal(), Method: method}
			if _, err := w.authenticate(r); err != nil {
				t.Error(err)
			}
		}
		other := w.app()
		r := other.account(w.signInAccount(other).code)
		r.Client.Secret = w.management.Reveal()
		_, err = w.authenticate(r)
		w.wantRefused(err, oidc.InvalidClient, "the management key at another application")
	})
}

func TestAuthenticate_wants_PKCE_of_a_public_application_and_checks_it_where_it_was_begun(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		public := w.app(func(n *issuer.New) { n.Public = true })
		if _, err := w.s.Authorize(ctx, public.plain(), oidc.StyleUserManagement); redirected(err).Code != oidc.InvalidRequest {
			t.Error(err)
		}
		for _, c := range []client{public, w.app()} {
			asked := c.plain()
			asked.Challenge = oidc.Challenge(verifier)
			begin := func() string {
				return w.arrive(c, asked, oidc.StyleUserManagement, issuer.Grant{OrganizationID: "org_1", UserID: "user_1"}).code
			}
			_, err := w.authenticate(c.account(begin()))
			w.wantRefused(err, oidc.InvalidGrant, "without the verifier")
			r := c.account(begin())
			r.Verifier = verifier
			if _, err := w.authenticate(r); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestAuthenticate_keeps_the_styles_apart(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		answer, _ := w.authenticated(c)
		_, err := w.s.Token(ctx, c.refresh(answer.RefreshToken), oidc.StyleOIDC)
		w.wantRefused(err, oidc.InvalidGrant, "its refresh token at /oauth2/token")
		standard := w.token(c.redeem(w.signIn(c).code))
		_, err = w.authenticate(c.refresh(standard.RefreshToken))
		w.wantRefused(err, oidc.InvalidGrant, "a refresh token of /oauth2/token")
		_, err = w.authenticate(c.account(w.signIn(c).code))
		w.wantRefused(err, oidc.InvalidGrant, "a code of /oauth2/authorize")
		r := c.redeem(w.signInAccount(c).code)
		_, err = w.s.Token(ctx, r, oidc.StyleOIDC)
		w.wantRefused(err, oidc.InvalidGrant, "its code at /oauth2/token")
		if _, err := w.authenticate(c.refresh(answer.RefreshToken)); err != nil { // none of that has hurt it
			t.Error(err)
		}
		other := w.app()
		next, _ := w.authenticated(c)
		_, err = w.authenticate(other.refresh(next.RefreshToken))
		w.wantRefused(err, oidc.InvalidGrant, "another application's refresh token")
		_, err = w.authenticate(oidc.TokenRequest{Grant: oidc.GrantMagicAuth, Client: c.credentials(), Code: "123456", Email: "ada@acme.test"})
		w.wantRefused(err, oidc.MethodNotAllowed, "a mailed code")
	})
}

func TestAuthenticate_code_serves_once_and_its_second_showing_ends_the_grant(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		answer, in := w.authenticated(c)
		_, err := w.authenticate(c.account(in.code))
		w.wantRefused(err, oidc.InvalidGrant, "again")
		_, err = w.authenticate(c.refresh(answer.RefreshToken))
		w.wantRefused(err, oidc.InvalidGrant, "what came of the code")
	})
}

func TestAuthenticate_refresh_token_rotates_and_its_reuse_ends_the_grant(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		first, _ := w.authenticated(c)
		second, err := w.authenticate(c.refresh(first.RefreshToken))
		w.must(err)
		if second.RefreshToken == first.RefreshToken || w.offline(c, second.AccessToken)["jti"] == w.offline(c, first.AccessToken)["jti"] {
			t.Error("nothing is new")
		}
		_, err = w.authenticate(c.refresh(first.RefreshToken))
		w.wantRefused(err, oidc.InvalidGrant, "the old one")
		_, err = w.authenticate(c.refresh(second.RefreshToken))
		w.wantRefused(err, oidc.InvalidGrant, "the new one, after the old one came back")
	})
}

func TestAuthenticate_refresh_of_many_at_once_succeeds_once_at_most(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		answer, _ := w.authenticated(c)
		var mu sync.Mutex
		var wait sync.WaitGroup
		good := 0
		for range 8 {
			wait.Go(func() {
				if _, err := w.authenticate(c.refresh(answer.RefreshToken)); err == nil {
					mu.Lock()
					good++
					mu.Unlock()
				}
			})
		}
		wait.Wait()
		if good > 1 {
			t.Errorf("%d refreshes with one token", good)
		}
	})
}

func TestAuthenticate_asks_each_time_whether_the_person_may_come_in(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		answer, _ := w.authenticated(c)
		in := w.signInAccount(c)
		w.shutOut("user_1", deprovisioned())
		_, err := w.authenticate(c.account(in.code))
		w.wantRefused(err, oidc.InvalidGrant, "the code")
		_, err = w.authenticate(c.refresh(answer.RefreshToken))
		w.wantRefused(err, oidc.InvalidGrant, "the refresh token")
		w.shutOut("user_1", nil)
		_, err = w.authenticate(c.refresh(answer.RefreshToken))
		w.wantRefused(err, oidc.InvalidGrant, "a grant that was ended")
		w.shutOut("user_1", errors.New("the database is away"))
		in = w.signInAccount(c)
		if _, err = w.authenticate(c.account(in.code)); err == nil || refused(err) != "" {
			t.Errorf("a failure is told as %v", err)
		}
	})
}

func TestAuthenticate_session_that_has_ended_refuses_its_code_and_refresh_token(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		answer, in := w.authenticated(c)
		unused := w.signInAccount(c)
		for _, one := range []arrived{in, unused} {
			_, err := w.sessions.End(ctx, session.Selection{SessionID: one.session.ID}, session.Ending{Reason: session.Revoked, Context: event.Context{Actor: operator()}})
			w.must(err)
		}
		_, err := w.authenticate(c.refresh(answer.RefreshToken))
		w.wantRefused(err, oidc.InvalidGrant, "the refresh token")
		_, err = w.authenticate(c.account(unused.code))
		w.wantRefused(err, oidc.InvalidGrant, "the code")
	})
}

func TestAuthenticate_session_serves_one_organization(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		answer, _ := w.authenticated(c)
		r := c.refresh(answer.RefreshToken)
		r.Organization = "org_2"
		_, err := w.authenticate(r)
		var refusal *oidc.ErrorResponse
		if !errors.As(err, &refusal) || refusal.Code != "sso_required" || refusal.More["email"] != "ada@acme.test" || refusal.More["connection_ids"].([]string)[0] != "conn_2" {
			t.Errorf("%v", err)
		}
		r.Organization = "org_3"
		_, err = w.authenticate(r)
		w.wantRefused(err, "organization_membership_not_found", "an organization of others")
		r.Organization = "org_1"
		if _, err := w.authenticate(r); err != nil { // the refusals did not use the token
			t.Error(err)
		}
	})
}

func TestAuthenticate_sign_in_that_ends_in_a_profile_gives_no_code(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		a, err := w.s.Authorize(ctx, c.plain(), oidc.StyleUserManagement)
		w.must(err)
		var write db.Write
		if _, err := w.s.CodeInto(&write, a, issuer.Grant{OrganizationID: "org_1", ProfileID: "prof_1"}); redirected(err).Code != oidc.AccessDenied {
			t.Error(err)
		}
	})
}

func TestEndNamed_ends_the_session_and_goes_only_where_an_application_of_it_may_send_people(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		w.app(func(n *issuer.New) { n.SignOut = []string{"https://other.test/bye"} })
		answer, in := w.authenticated(c)
		for _, to := range []string{"https://evil.test/", "https://app.test/bye/", "https://other.test/bye", "https://app.test/bye\x00", callback} {
			_, err := w.s.EndNamed(ctx, in.session.ID, to, session.Session{})
			if page := (*issuer.PageError)(nil); !errors.As(err, &page) {
				t.Errorf("%q: %v", to, err)
			}
		}
		if _, err := w.authenticate(c.refresh(answer.RefreshToken)); err != nil {
			t.Errorf("a refused logout has ended something: %v", err)
		}
		for _, id := range []string{"", "user_1", "session_nothing"} {
			if _, err := w.s.EndNamed(ctx, id, "", session.Session{}); err == nil {
				t.Errorf("%q is a session", id)
			}
		}
		out, err := w.s.EndNamed(ctx, in.session.ID, "https://app.test/bye", session.Session{})
		w.must(err)
		if u, err := url.Parse(out.Redirect); err != nil || u.Host != "app.test" || out.Ended != in.session.ID {
			t.Errorf("%+v", out)
		}
		out, err = w.s.EndNamed(ctx, in.session.ID, "https://app.test/bye", session.Session{})
		w.must(err)
		if out.Ended != "" || out.Redirect != "https://app.test/bye" {
			t.Errorf("again: %+v", out)
		}
		_, err = w.s.EndNamed(ctx, w.ids.NewID(session.Prefix), "", session.Session{})
		w.must(err)
	})
}

func TestEndNamed_ends_the_others_of_the_person_in_the_same_browser_and_nobody_elses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		start := func(user, organization string, in token.Hash) session.Session {
			var write db.Write
			out := w.sessions.StartInto(&write, session.New{Cookie: token.HashOf(token.NewSecret("rs")), OrganizationID: organization, UserID: user, Browser: in, Method: session.SSO})
			w.must(w.db.Write(ctx, &write))
			return out
		}
		one, beside, elsewhere, other := start("user_1", "org_1", browser), start("user_1", "org_2", browser), start("user_1", "org_1", "another"), start("user_2", "org_1", browser)
		_, err := w.s.EndNamed(ctx, one.ID, "", beside)
		w.must(err)
		for _, s := range []struct {
			session.Session
			lives bool
		}{{one, false}, {beside, false}, {elsewhere, true}, {other, true}} {
			now, err := w.sessions.Get(ctx, s.ID)
			w.must(err)
			if now.Living(w.now()) != s.lives {
				t.Errorf("%s of %s lives: %t", s.ID, s.UserID, !s.lives)
			}
		}
	})
}
