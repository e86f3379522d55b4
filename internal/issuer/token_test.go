package issuer_test

import (
	"errors"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

func hash(s string) token.Hash { return token.Hash(s) }

func faultCode(err error) string {
	f, ok := fault.As(err)
	if !ok {
		return ""
	}
	return f.Code
}

func operator() event.Actor      { return event.Actor{ID: "management_key", Source: event.API} }
func orgNew(name string) org.New { return org.New{Name: name} }

func deprovisioned() error {
	return fault.New(fault.Forbidden, "user_deprovisioned", "The directory has deactivated the person.")
}

func TestToken_gives_what_the_scopes_allow_and_says_who_signed_in_where(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, alg := range []oidc.Algorithm{oidc.ES256, oidc.RS256} {
			c := w.app(func(n *issuer.New) { n.Algorithm = alg })
			in := w.signIn(c)
			if in.redirect.Query().Get("iss") != home || in.redirect.Query().Get("state") != "st-1" {
				t.Errorf("redirect %s", in.redirect)
			}
			answer := w.token(c.redeem(in.code))
			claims := w.idToken(w.s, answer.IDToken)
			for name, want := range map[string]any{
				"iss": home, "sub": "user_1", "aud": c.ClientID, "nonce": "n-1", "sid": in.session.ID, "org_id": "org_1", "connection_id": "conn_1",
				"email": "ada@acme.test", "email_verified": true, "name": "Ada Lovelace", "at_hash": oidc.AccessTokenHash(alg, answer.AccessToken.Reveal()),
			} {
				if claims[name] != want {
					t.Errorf("%s: %s is %v, want %v", alg, name, claims[name], want)
				}
			}
			if life := claims["exp"].(float64) - claims["iat"].(float64); life != 300 || claims["auth_time"] == nil || claims["amr"].([]any)[0] != "pwd" || claims["groups"].([]any)[0] != "Engineering" {
				t.Errorf("%v", claims)
			}
			body := w.object(answer.JSON())
			if body["token_type"] != "Bearer" || body["expires_in"] != 300.0 || body["id_token"] != answer.IDToken || body["refresh_token"] != answer.RefreshToken.Reveal() ||
				body["scope"] != "openid profile email groups roles offline_access" {
				t.Errorf("%v", body)
			}
			if got := w.info(answer.AccessToken); got["sub"] != "user_1" || got["email"] != "ada@acme.test" || got["iss"] != nil || got["org_id"] != "org_1" {
				t.Errorf("userinfo: %v", got)
			}
		}
	})
}

// RFC 6749, sections 4.1.2 and 10.5.
func TestO03_code_of_another_client_or_address_or_style(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.profile["prof_1"] = issuer.Profile{ID: "prof_1", OrganizationID: "org_1", JSON: []byte(`{}`)} // so that the style alone refuses
		c, other := w.app(), w.app()
		in := w.signIn(c)
		_, err := w.s.Token(ctx, other.redeem(in.code), oidc.StyleOIDC)
		w.wantRefused(err, oidc.InvalidGrant, "another client")
		for _, uri := range []string{"", callback + "/", "https://app.test/bye"} {
			r := c.redeem(in.code)
			r.RedirectURI = uri
			_, err := w.s.Token(ctx, r, oidc.StyleOIDC)
			w.wantRefused(err, oidc.InvalidGrant, "redirect_uri "+uri)
		}
		_, err = w.s.Token(ctx, c.redeem(in.code), oidc.StyleSSO)
		w.wantRefused(err, oidc.InvalidGrant, "the other token route")
		_, err = w.s.Token(ctx, c.redeem(in.code+"x"), oidc.StyleOIDC)
		w.wantRefused(err, oidc.InvalidGrant, "another code")
		answer := w.token(c.redeem(in.code)) // none of them has used it up
		_, err = w.s.Token(ctx, other.redeem(in.code), oidc.StyleOIDC)
		w.wantRefused(err, oidc.InvalidGrant, "another client with a used code")
		if w.info(answer.AccessToken) == nil || !w.active(c, answer.RefreshToken) {
			t.Error("another client's attempt ended the grant")
		}
	})
}

func TestO03_code_that_comes_back_ends_its_grant(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		in := w.signIn(c)
		answer := w.token(c.redeem(in.code))
		next := w.token(c.refresh(answer.RefreshToken))
		w.later(2 * time.Minute) // the code itself has expired
		_, err := w.s.Token(ctx, c.redeem(in.code), oidc.StyleOIDC)
		w.wantRefused(err, oidc.InvalidGrant, "a used code")
		for name, one := range map[string]token.Secret{"first access token": answer.AccessToken, "second": next.AccessToken, "refresh token": next.RefreshToken} {
			if w.active(c, one) {
				t.Errorf("the %s serves", name)
			}
		}
		if found, _ := w.sessions.Get(ctx, in.session.ID); !found.EndedAt.IsZero() {
			t.Error("the session ended too: whoever has a code of one application could sign people out everywhere")
		}
	})
}

func TestO03_hundred_redemptions_at_once_have_one_winner_and_end_the_grant(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		in := w.signIn(c)
		if answer := w.raced(c.redeem(in.code)); w.active(c, answer.AccessToken) || w.active(c, answer.RefreshToken) {
			t.Error("the grant serves although its code was shown a hundred times")
		}
	})
}

// raced sends one request a hundred times at once and gives the one answer that there may be; all others find the grant used.
func (w *world) raced(request oidc.TokenRequest) issuer.TokenResponse {
	w.Helper()
	var won atomic.Int64
	var got atomic.Value
	var done sync.WaitGroup
	for range 100 {
		done.Go(func() {
			switch answer, err := w.s.Token(ctx, request, oidc.StyleOIDC); {
			case err == nil:
				won.Add(1)
				got.Store(answer)
			case refused(err) != oidc.InvalidGrant:
				w.Error(err)
			}
		})
	}
	done.Wait()
	if won.Load() != 1 {
		w.Fatalf("%d have won", won.Load())
	}
	return got.Load().(issuer.TokenResponse)
}

func TestO03_code_after_its_minute_its_session_and_its_person(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		late := w.signIn(c)
		w.later(61 * time.Second)
		_, err := w.s.Token(ctx, c.redeem(late.code), oidc.StyleOIDC)
		w.wantRefused(err, oidc.InvalidGrant, "after its time")

		ended := w.signIn(c)
		_, err = w.sessions.End(ctx, session.Selection{SessionID: ended.session.ID}, session.Ending{Reason: session.SignedOut})
		w.must(err)
		_, err = w.s.Token(ctx, c.redeem(ended.code), oidc.StyleOIDC)
		w.wantRefused(err, oidc.InvalidGrant, "of an ended session")

		out := w.signIn(c)
		w.shutOut("user_1", deprovisioned())
		_, err = w.s.Token(ctx, c.redeem(out.code), oidc.StyleOIDC)
		w.wantRefused(err, oidc.InvalidGrant, "of a person who is out")
		w.shutOut("user_1", nil)
		_, err = w.s.Token(ctx, c.redeem(out.code), oidc.StyleOIDC)
		w.wantRefused(err, oidc.InvalidGrant, "of a person who was out: the grant has ended")

		broken := w.signIn(c)
		w.shutOut("user_1", errors.New("the database is away"))
		if _, err = w.s.Token(ctx, c.redeem(broken.code), oidc.StyleOIDC); err == nil || refused(err) != "" {
			t.Errorf("a failure is no refusal: %v", err)
		}
		w.shutOut("user_1", nil)
		w.token(c.redeem(broken.code))
	})
}

// RFC 9700, section 4.14.2.
func TestO04_refresh_token_is_used_once_by_its_client(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, other := w.app(), w.app()
		first := w.token(c.redeem(w.signIn(c).code))
		_, err := w.s.Token(ctx, other.refresh(first.RefreshToken), oidc.StyleOIDC)
		w.wantRefused(err, oidc.InvalidGrant, "another client")
		second := w.token(c.refresh(first.RefreshToken))
		if second.RefreshToken == first.RefreshToken || second.AccessToken == first.AccessToken || w.idToken(w.s, second.IDToken)["nonce"] != "n-1" {
			t.Error("nothing new")
		}
		_, err = w.s.Token(ctx, other.refresh(first.RefreshToken), oidc.StyleOIDC)
		w.wantRefused(err, oidc.InvalidGrant, "another client with a used token")
		third := w.token(c.refresh(second.RefreshToken))
		_, err = w.s.Token(ctx, c.refresh(first.RefreshToken), oidc.StyleOIDC)
		w.wantRefused(err, oidc.InvalidGrant, "used before")
		_, err = w.s.Token(ctx, c.refresh(third.RefreshToken), oidc.StyleOIDC)
		w.wantRefused(err, oidc.InvalidGrant, "the living one of a grant whose old one came back")
		if w.info(third.AccessToken) != nil || w.info(first.AccessToken) != nil {
			t.Error("an access token of the grant serves")
		}
	})
}

func TestO04_hundred_refreshes_at_once_have_one_winner_and_end_the_grant(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		first := w.token(c.redeem(w.signIn(c).code))
		if answer := w.raced(c.refresh(first.RefreshToken)); w.active(c, answer.RefreshToken) || w.active(c, answer.AccessToken) {
			t.Error("no grace: a token that comes back ends the grant")
		}
	})
}

func TestO04_scope_may_become_narrower_and_never_wider(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		first := w.token(c.redeem(w.signIn(c, func(r *oidc.AuthorizationRequest) { r.Scope = []string{"openid", "email", "offline_access"} }).code))
		for _, wider := range [][]string{{"openid", "groups"}, {"profile"}, {"openid", "email", "offline_access", "admin"}} {
			_, err := w.s.Token(ctx, c.refresh(first.RefreshToken, wider...), oidc.StyleOIDC)
			w.wantRefused(err, oidc.InvalidScope, strings.Join(wider, " "))
		}
		narrow := w.token(c.refresh(first.RefreshToken, "openid"))
		if got := w.info(narrow.AccessToken); got["email"] != nil || got["sub"] != "user_1" {
			t.Errorf("%v", got)
		}
		if again := w.token(c.refresh(narrow.RefreshToken)); w.info(again.AccessToken)["email"] == nil {
			t.Error("the grant itself became narrower")
		}
	})
}

// Pocket ID CVE-2026-43983, ZITADEL CVE-2023-22492.
func TestO04_refresh_after_the_person_the_connection_or_the_session_went(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		for name, end := range map[string]func(in arrived){
			"person": func(arrived) { w.shutOut("user_1", deprovisioned()) },
			"connection": func(arrived) {
				_, err := w.sessions.End(ctx, session.Selection{OrganizationID: "org_1", ConnectionID: "conn_1"}, session.Ending{Reason: session.ConnectionEnded})
				w.must(err)
			},
			"logout": func(in arrived) {
				_, err := w.sessions.End(ctx, session.Selection{SessionID: in.session.ID}, session.Ending{Reason: session.SignedOut})
				w.must(err)
			},
			"time": func(arrived) { w.later(8 * 24 * time.Hour) },
			"idle": func(arrived) { w.later(13 * time.Hour) },
		} {
			in := w.signIn(c)
			answer := w.token(c.redeem(in.code))
			end(in)
			_, err := w.s.Token(ctx, c.refresh(answer.RefreshToken), oidc.StyleOIDC)
			w.wantRefused(err, oidc.InvalidGrant, name)
			w.shutOut("user_1", nil)
			_, err = w.s.Token(ctx, c.refresh(answer.RefreshToken), oidc.StyleOIDC)
			w.wantRefused(err, oidc.InvalidGrant, name+", again")
			if w.info(answer.AccessToken) != nil || w.active(c, answer.RefreshToken) {
				t.Errorf("%s: a token serves", name)
			}
		}
	})
}

// RFC 6749, section 2.3.
func TestO05_client_proves_who_it_is(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, other, public := w.app(), w.app(), w.app(func(n *issuer.New) { n.Public = true })
		in := w.signIn(c)
		for name, shown := range map[string]oidc.ClientCredentials{
			"nothing":                      {ID: c.ClientID, Method: oidc.AuthNone},
			"no secret":                    {ID: c.ClientID, Method: oidc.AuthPost},
			"another secret":               {ID: c.ClientID, Secret: token.NewSecret("cs").Reveal(), Method: oidc.AuthPost},
			"another application's secret": {ID: c.ClientID, Secret: other.secret.Reveal(), Method: oidc.AuthBasic},
			"the management key":           {ID: c.ClientID, Secret: w.management.Reveal(), Method: oidc.AuthBasic},
			"the hash":                     {ID: c.ClientID, Secret: string(token.HashOf(c.secret)), Method: oidc.AuthBasic},
			"bearer":                       {ID: c.ClientID, Secret: c.secret.Reveal(), Method: oidc.AuthBearer},
			"nobody":                       {ID: "client_nobody", Secret: c.secret.Reveal(), Method: oidc.AuthBasic},
			"nobody without a secret":      {ID: "client_nobody", Method: oidc.AuthNone},
			"a secret of a public client":  {ID: public.ClientID, Secret: "x", Method: oidc.AuthPost},
			"no client at all":             {Method: oidc.AuthNone},
		} {
			r := c.redeem(in.code)
			r.Client = shown
			_, err := w.s.Token(ctx, r, oidc.StyleOIDC)
			w.wantRefused(err, oidc.InvalidClient, name)
		}
		w.token(c.redeem(in.code))
		free := w.signIn(public)
		w.token(public.redeem(free.code))
	})
}

func TestO05_two_ways_at_once_a_secret_in_the_address_and_odd_bodies(t *testing.T) {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {"c"}, "redirect_uri": {callback}, "code_verifier": {verifier}, "client_id": {"client_1"}, "client_secret": {"s+%&"}}
	in := oidc.Request{ContentType: "application/x-www-form-urlencoded", Body: []byte(form.Encode())}
	if r, err := oidc.ParseTokenRequest(in, oidc.StyleOIDC); err != nil || r.Client.Secret != "s+%&" {
		t.Fatalf("%v %v", r, err)
	}
	for name, change := range map[string]func(*oidc.Request){
		"two ways":   func(r *oidc.Request) { r.Authorization = "Basic Y2xpZW50XzE6cw==" },
		"in address": func(r *oidc.Request) { r.Query = "client_secret=s" },
		"json":       func(r *oidc.Request) { r.ContentType = "application/json" },
	} {
		changed := in
		change(&changed)
		if _, err := oidc.ParseTokenRequest(changed, oidc.StyleOIDC); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestSecrets_several_live_and_a_deleted_one_ends_at_once(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		first, err := w.s.Secrets(ctx, c.ID)
		w.must(err)
		_, second, err := w.s.CreateSecret(ctx, c.ID)
		w.must(err)
		rotated := c
		rotated.secret = second
		w.token(rotated.redeem(w.signIn(c).code))
		w.token(c.redeem(w.signIn(c).code))
		all, err := w.s.Secrets(ctx, c.ID)
		if err != nil || len(all) != 2 || all[0].LastUsedAt.IsZero() || all[1].LastUsedAt.IsZero() || all[0].Hint != second.Suffix() {
			t.Fatalf("%+v %v", all, err)
		}
		w.must(w.s.DeleteSecret(ctx, first[0].ID))
		_, err = w.s.Token(ctx, c.redeem(w.signIn(c).code), oidc.StyleOIDC)
		w.wantRefused(err, oidc.InvalidClient, "a deleted secret")
		if err := w.s.DeleteSecret(ctx, first[0].ID); !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
		for range 4 {
			_, _, err = w.s.CreateSecret(ctx, c.ID)
			w.must(err)
		}
		if _, _, err = w.s.CreateSecret(ctx, c.ID); !fault.Is(err, fault.Unprocessable) {
			t.Errorf("a sixth secret: %v", err)
		}
		public := w.app(func(n *issuer.New) { n.Public = true })
		if _, _, err = w.s.CreateSecret(ctx, public.ID); !fault.Is(err, fault.Unprocessable) {
			t.Errorf("a secret of a public application: %v", err)
		}
	})
}

// RFC 7662, section 4; RFC 7009, section 2.1.
func TestO08_token_of_another_client_is_not_told_of_and_not_taken(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, other := w.app(), w.app()
		answer := w.token(c.redeem(w.signIn(c).code))
		for _, one := range []token.Secret{answer.AccessToken, answer.RefreshToken} {
			body, err := w.s.Introspect(ctx, oidc.TokenQuestion{Client: other.credentials(), Token: one.Reveal()})
			if err != nil || string(body) != `{"active":false}` {
				t.Errorf("%s %v", body, err)
			}
			w.must(w.s.Revoke(ctx, oidc.TokenQuestion{Client: other.credentials(), Token: one.Reveal()}))
			if !w.active(c, one) {
				t.Error("another client has taken it back")
			}
		}
		for _, none := range []string{"", "x", answer.IDToken, c.ClientID, string(token.HashOf(answer.AccessToken))} {
			if w.active(c, token.Secret(none)) {
				t.Errorf("%q is active", none)
			}
			w.must(w.s.Revoke(ctx, oidc.TokenQuestion{Client: c.credentials(), Token: none}))
		}
		body, err := w.s.Introspect(ctx, oidc.TokenQuestion{Client: c.credentials(), Token: answer.AccessToken.Reveal()})
		w.must(err)
		if told := w.object(body); told["sub"] != "user_1" || told["client_id"] != c.ClientID || told["iss"] != home || told["token_type"] != "Bearer" || told["exp"] == nil || told["org_id"] != "org_1" {
			t.Errorf("%v", told)
		}
		public := w.app(func(n *issuer.New) { n.Public = true })
		_, err = w.s.Introspect(ctx, oidc.TokenQuestion{Client: public.credentials(), Token: "x"})
		w.wantRefused(err, oidc.InvalidClient, "a public client")
		_, err = w.s.Introspect(ctx, oidc.TokenQuestion{Client: oidc.ClientCredentials{ID: c.ClientID, Method: oidc.AuthNone}, Token: "x"})
		w.wantRefused(err, oidc.InvalidClient, "nobody")
		w.wantRefused(w.s.Revoke(ctx, oidc.TokenQuestion{Client: oidc.ClientCredentials{ID: c.ClientID, Method: oidc.AuthNone}, Token: "x"}), oidc.InvalidClient, "nobody")
	})
}

func TestRevoke_takes_an_access_token_alone_and_with_a_refresh_token_the_grant(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		first := w.token(c.redeem(w.signIn(c).code))
		w.must(w.s.Revoke(ctx, oidc.TokenQuestion{Client: c.credentials(), Token: first.AccessToken.Reveal()}))
		if w.active(c, first.AccessToken) || !w.active(c, first.RefreshToken) {
			t.Fatal("an access token alone")
		}
		second := w.token(c.refresh(first.RefreshToken))
		w.must(w.s.Revoke(ctx, oidc.TokenQuestion{Client: c.credentials(), Token: second.RefreshToken.Reveal()}))
		if w.active(c, second.AccessToken) || w.active(c, second.RefreshToken) {
			t.Error("the grant serves")
		}
	})
}

// Gitea CVE-2026-55982.
func TestO09_userinfo_takes_access_tokens_only_and_keeps_to_their_scope(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		in, unused := w.signIn(c), w.signIn(c)
		answer := w.token(c.redeem(in.code))
		for name, bearer := range map[string]string{
			"id token": answer.IDToken, "code": unused.code, "used code": in.code, "refresh token": answer.RefreshToken.Reveal(), "nothing": "",
			"client secret": c.secret.Reveal(), "hash": string(token.HashOf(answer.AccessToken)), "session": in.session.ID,
		} {
			if _, err := w.s.UserInfo(ctx, token.Secret(bearer)); refused(err) != oidc.InvalidToken {
				t.Errorf("%s: %v", name, err)
			}
		}
		w.token(c.redeem(unused.code)) // being shown has not used it
		bare := w.token(c.redeem(w.signIn(c, func(r *oidc.AuthorizationRequest) { r.Scope = []string{"openid"} }).code))
		if got := w.info(bare.AccessToken); len(got) != 3 || got["sub"] != "user_1" || got["org_id"] != "org_1" || got["connection_id"] != "conn_1" {
			t.Errorf("%v", got)
		}
		w.shutOut("user_1", deprovisioned())
		if w.info(answer.AccessToken) != nil {
			t.Error("somebody who is out is told of")
		}
		w.shutOut("user_1", nil)
		without := w.token(c.redeem(w.signIn(c, func(r *oidc.AuthorizationRequest) { r.Scope = []string{"email"} }).code))
		if _, err := w.s.UserInfo(ctx, without.AccessToken); refused(err) != oidc.InsufficientScope || without.IDToken != "" {
			t.Errorf("without openid: %v", err)
		}
		w.later(6 * time.Minute)
		if w.info(bare.AccessToken) != nil {
			t.Error("after its time")
		}
	})
}

func TestSSO_answers_with_the_profile_and_takes_the_management_key_for_the_default_application(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.profile["prof_1"] = issuer.Profile{ID: "prof_1", OrganizationID: "org_1", ConnectionID: "conn_1", JSON: []byte(`{"object":"profile","id":"prof_1"}`)}
		w.profile["prof_2"] = issuer.Profile{ID: "prof_2", OrganizationID: "org_2", JSON: []byte(`{}`)}
		a, err := w.s.Default(ctx)
		w.must(err)
		clientID, err := w.organizations.ClientID(ctx)
		if err != nil || a.ClientID != clientID || !a.Default || !a.FirstParty || a.Algorithm != oidc.RS256 {
			t.Fatalf("%+v %v", a, err)
		}
		_, err = w.s.AddRedirectURI(ctx, callback)
		w.must(err)
		c := client{Application: a}
		r := oidc.AuthorizationRequest{ClientID: clientID, RedirectURI: callback, State: "x"}
		shown := func(code string, method oidc.AuthMethod) oidc.TokenRequest {
			return oidc.TokenRequest{Grant: oidc.GrantCode, Code: code, Client: oidc.ClientCredentials{ID: clientID, Secret: w.management.Reveal(), Method: method}}
		}
		for _, method := range []oidc.AuthMethod{oidc.AuthPost, oidc.AuthBearer} {
			in := w.arrive(c, r, oidc.StyleSSO, issuer.Grant{OrganizationID: "org_1", ProfileID: "prof_1", ConnectionID: "conn_1"})
			w.later(5 * time.Minute) // the compatible routes' codes live ten
			answer, err := w.s.Token(ctx, shown(in.code, method), oidc.StyleSSO)
			w.must(err)
			body := w.object(answer.JSON())
			if body["token_type"] != "Bearer" || body["expires_in"] != 600.0 || body["profile"].(map[string]any)["id"] != "prof_1" || answer.RefreshToken != "" || answer.IDToken != "" {
				t.Errorf("%v", body)
			}
			profile, err := w.s.ProfileOf(ctx, answer.AccessToken)
			if err != nil || string(profile) != `{"object":"profile","id":"prof_1"}` {
				t.Errorf("%s %v", profile, err)
			}
			if w.info(answer.AccessToken) != nil {
				t.Error("a token of the compatible route serves at userinfo")
			}
			_, err = w.sessions.End(ctx, session.Selection{OrganizationID: "org_1", ConnectionID: "conn_1"}, session.Ending{Reason: session.ConnectionEnded})
			w.must(err)
			if _, err := w.s.ProfileOf(ctx, answer.AccessToken); refused(err) != oidc.InvalidToken {
				t.Errorf("after the connection's end: %v", err)
			}
		}
		other := w.arrive(c, r, oidc.StyleSSO, issuer.Grant{OrganizationID: "org_1", ProfileID: "prof_2"})
		_, err = w.s.Token(ctx, shown(other.code, oidc.AuthPost), oidc.StyleSSO)
		w.wantRefused(err, oidc.InvalidGrant, "a profile of another organization")
		in := w.arrive(c, r, oidc.StyleSSO, issuer.Grant{OrganizationID: "org_1", ProfileID: "prof_1"})
		wrong := shown(in.code, oidc.AuthPost)
		wrong.Client.Secret = token.NewSecret("sk").Reveal()
		_, err = w.s.Token(ctx, wrong, oidc.StyleSSO)
		w.wantRefused(err, oidc.InvalidClient, "another key")
		_, err = w.s.Token(ctx, shown(in.code, oidc.AuthPost), oidc.StyleOIDC)
		w.wantRefused(err, oidc.InvalidClient, "the management key at the standard route")
		mine := w.app()
		stolen := shown(in.code, oidc.AuthPost)
		stolen.Client.ID = mine.ClientID
		_, err = w.s.Token(ctx, stolen, oidc.StyleSSO)
		w.wantRefused(err, oidc.InvalidClient, "the management key as another application's")
		oidcToken := w.token(mine.redeem(w.signIn(mine).code))
		if _, err := w.s.ProfileOf(ctx, oidcToken.AccessToken); refused(err) != oidc.InvalidToken {
			t.Errorf("a standard token at the profile route: %v", err)
		}
		_, err = w.s.Authorize(ctx, r, oidc.StyleSSO)
		w.must(err)
	})
}

func TestGrant_without_accounts_is_about_the_profile_and_has_no_refresh_token(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		in := w.arrive(c, c.request(), oidc.StyleOIDC, issuer.Grant{OrganizationID: "org_1", ProfileID: "prof_1", ConnectionID: "conn_1"})
		answer := w.token(c.redeem(in.code))
		claims := w.idToken(w.s, answer.IDToken)
		if claims["sub"] != "prof_1" || claims["sid"] != nil || answer.RefreshToken != "" || w.info(answer.AccessToken)["sub"] != "prof_1" {
			t.Errorf("%v", claims)
		}
	})
}

func TestToken_does_not_outlive_its_session(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		in := w.signIn(c)
		w.must(w.shorten(in.session.ID, 40*time.Second))
		answer := w.token(c.redeem(in.code))
		if answer.ExpiresIn > 40*time.Second || answer.ExpiresIn < 30*time.Second {
			t.Errorf("lives %s", answer.ExpiresIn)
		}
	})
}

// shorten makes the session end soon, for its code too.
func (w *world) shorten(id string, d time.Duration) error {
	for _, text := range []string{`UPDATE sessions SET expires_at = $2 WHERE id = $1`, `UPDATE authorization_codes SET until_at = $2 WHERE session_id = $1`} {
		if err := w.exec(text, id, w.now().Add(d).UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}
