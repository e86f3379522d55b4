package signin_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/signin"
)

const authenticatePath = "/user_management/authenticate"

// accountURL is the address that a client of the compatible API makes; more are names and values.
func (w *world) accountURL(more ...string) string {
	q := url.Values{"client_id": {w.app.ClientID}, "redirect_uri": {callback}, "response_type": {"code"}, "state": {"xyz"}}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return "/user_management/authorize?" + q.Encode()
}

// through goes from an address, ours or already the provider's, to the provider and back to the application.
func (b *browser) through(address string) (code string) {
	b.w.t.Helper()
	to, err := url.Parse(address)
	b.w.ok(err)
	if to.Host == "" {
		to = b.get(address).location(b.w.t)
	}
	request, relay := b.w.requestID(to), to.Query().Get("RelayState")
	to = b.deliver(b.w.conn, b.w.message(b.w.conn, request), relay).location(b.w.t)
	if to.Query().Get("state") != "xyz" {
		b.w.t.Errorf("the state is gone: %s", to)
	}
	return b.w.code(to)
}

// authenticate posts JSON as the clients do, with the management key as the secret.
func (w *world) authenticate(members map[string]any) (int, map[string]any) {
	w.t.Helper()
	all := map[string]any{"client_id": w.app.ClientID, "client_secret": managementKey.Reveal(), "code_verifier": nil, "invitation_token": nil}
	for name, value := range members {
		all[name] = value
	}
	body, err := json.Marshal(all)
	w.ok(err)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.server.URL+authenticatePath, strings.NewReader(string(body)))
	w.ok(err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+managementKey.Reveal())
	a := w.browser().do(r)
	if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Content-Type") != "application/json" || a.Header.Get("Access-Control-Allow-Origin") != "" {
		w.t.Errorf("headers %v", a.Header)
	}
	out := map[string]any{}
	w.ok(json.Unmarshal([]byte(a.body), &out))
	return a.StatusCode, out
}

func (w *world) authenticated(code string) map[string]any {
	w.t.Helper()
	status, out := w.authenticate(map[string]any{"grant_type": "authorization_code", "code": code})
	if status != http.StatusOK {
		w.t.Fatalf("%d %v", status, out)
	}
	return out
}

func (w *world) refreshed(token any, more ...string) (int, map[string]any) {
	w.t.Helper()
	members := map[string]any{"grant_type": "refresh_token", "refresh_token": token}
	for i := 0; i+1 < len(more); i += 2 {
		members[more[i]] = more[i+1]
	}
	return w.authenticate(members)
}

// offline verifies an access token by the keys that the clients fetch.
func (w *world) offline(raw any) map[string]any {
	w.t.Helper()
	var set struct{ Keys []json.RawMessage }
	w.ok(json.Unmarshal([]byte(w.browser().get("/sso/jwks/"+w.app.ClientID).want(w.t, http.StatusOK).body), &set))
	var keys []oidc.PublicKey
	for _, one := range set.Keys {
		key, err := oidc.ParsePublicKey(one)
		w.ok(err)
		keys = append(keys, key)
	}
	claims, err := oidc.VerifyOwn(raw.(string), keys, oidc.TypeAccessToken)
	w.ok(err)
	return claims
}

func TestUserManagement_signs_in_by_each_selector(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, selector := range [][]string{
			{"organization_id", string(w.org.ID)},
			{"connection_id", string(w.conn.ID)},
			{"login_hint", samltest.Person},
			{"domain_hint", "acme.example", "screen_hint", "sign-in"},
			{"organization_id", string(w.org.ID), "provider", "authkit"}, // nothing is left to ask for
			{"provider", "authkit"},                                      // the hosted page
		} {
			b, address := w.browser(), w.accountURL(selector...)
			if selector[0] == "provider" {
				page := b.get(address).want(t, http.StatusOK)
				address = b.post("/sign-in", url.Values{"continue": {page.hidden(t, "continue")}, "email": {samltest.Person}}).location(t).String()
			}
			out := w.authenticated(b.through(address))
			user, claims := out["user"].(map[string]any), w.offline(out["access_token"])
			if out["organization_id"] != string(w.org.ID) || out["authentication_method"] != "SSO" || claims["sub"] != user["id"] || claims["org_id"] != out["organization_id"] ||
				claims["role"] != "member" || claims["roles"].([]any)[0] != "member" || claims["iss"] != w.server.URL {
				t.Errorf("%v: %v with %v", selector, out, claims)
			}
			if _, there := out["impersonator"]; there {
				t.Errorf("%v", out)
			}
		}
	})
}

func TestUserManagement_checks_PKCE_that_the_application_began(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		begin := func() string {
			return w.browser().through(w.accountURL("organization_id", string(w.org.ID), "code_challenge", challenge(), "code_challenge_method", "S256"))
		}
		if status, out := w.authenticate(map[string]any{"grant_type": "authorization_code", "code": begin()}); status != http.StatusBadRequest || out["error"] != "invalid_grant" {
			t.Errorf("%d %v", status, out)
		}
		if status, out := w.authenticate(map[string]any{"grant_type": "authorization_code", "code": begin(), "code_verifier": verifier}); status != http.StatusOK {
			t.Errorf("%d %v", status, out)
		}
	})
}

func TestUserManagement_page_mails_a_code_where_there_is_no_connection(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.ok(w.conns.Delete(ctx, operator(), w.conn.ID))
		b := w.browser()
		link, _, _ := w.mailedAt(b, w.accountURL("provider", "authkit", "screen_hint", "sign-up"), "kim@other.example")
		out := w.authenticated(w.code(b.post(link, url.Values{}).location(t)))
		claims := w.offline(out["access_token"])
		if out["authentication_method"] != "MagicAuth" || claims["org_id"] != nil || claims["role"] != nil || out["user"].(map[string]any)["email"] != "kim@other.example" {
			t.Errorf("%v with %v", out, claims)
		}
	})
}

func TestUserManagement_refresh_goes_on_until_the_membership_ends(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		out := w.authenticated(w.browser().through(w.accountURL("organization_id", string(w.org.ID))))
		status, next := w.refreshed(out["refresh_token"])
		if status != http.StatusOK || next["refresh_token"] == out["refresh_token"] || next["user"] == nil {
			t.Fatalf("%d %v", status, next)
		}
		if status, again := w.refreshed(out["refresh_token"]); status != http.StatusBadRequest || again["error"] != "invalid_grant" || again["error_description"] == "" {
			t.Errorf("the old token: %d %v", status, again)
		}
		if status, _ := w.refreshed(next["refresh_token"]); status != http.StatusBadRequest {
			t.Errorf("the grant goes on after a token came back: %d", status)
		}
		out = w.authenticated(w.browser().through(w.accountURL("organization_id", string(w.org.ID))))
		m, err := w.members.MemberOf(ctx, string(w.org.ID), member.UserID(out["user"].(map[string]any)["id"].(string)))
		w.ok(err)
		_, err = w.members.Deactivate(ctx, operator(), m.Membership.ID)
		w.ok(err)
		if status, again := w.refreshed(out["refresh_token"]); status != http.StatusBadRequest || again["error"] != "invalid_grant" {
			t.Errorf("after the membership ended: %d %v", status, again)
		}
	})
}

func TestUserManagement_refresh_for_another_organization_is_sent_to_sign_in_there(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		out := w.authenticated(w.browser().through(w.accountURL("organization_id", string(w.org.ID))))
		other, err := w.orgs.Create(ctx, operator(), org.New{Name: "Other"})
		w.ok(err)
		if status, refusal := w.refreshed(out["refresh_token"], "organization_id", string(other.ID)); status != http.StatusBadRequest || refusal["error"] != "organization_membership_not_found" {
			t.Errorf("of an organization of others: %d %v", status, refusal)
		}
		w.join(other.ID, out["user"].(map[string]any)["id"].(string))
		status, refusal := w.refreshed(out["refresh_token"], "organization_id", string(other.ID))
		if status != http.StatusBadRequest || refusal["error"] != "sso_required" || refusal["email"] != samltest.Person || refusal["connection_ids"] == nil {
			t.Errorf("%d %v", status, refusal)
		}
		if status, next := w.refreshed(out["refresh_token"], "organization_id", string(w.org.ID)); status != http.StatusOK {
			t.Errorf("its own, after that: %d %v", status, next)
		}
	})
}

// join makes somebody a member of another organization, as an administrator's hand does.
func (w *world) join(id org.ID, userID string) {
	w.t.Helper()
	now := time.Now().UnixMicro()
	var write db.Write
	write.Exec(`INSERT INTO organization_memberships (id, organization_id, user_id, state, is_primary, role, why, version, created_at, updated_at)
		VALUES ($1, $2, $3, 'active', FALSE, 'member', 'api', 1, $4, $4)`, "om_01JE0000000000000000000000", string(id), userID, now)
	w.ok(w.db.Write(ctx, &write))
}

func TestUserManagement_refuses_other_ways_in_the_contracts_words(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, one := range []struct {
			members map[string]any
			want    string
		}{
			{map[string]any{"grant_type": "password", "email": "a@b.example", "password": "x"}, "authentication_method_not_allowed"},
			{map[string]any{"grant_type": "urn:workos:oauth:grant-type:magic-auth:code", "code": "123456", "email": "a@b.example"}, "authentication_method_not_allowed"},
			{map[string]any{"grant_type": "authorization_code"}, "invalid_request"},
			{map[string]any{"grant_type": "authorization_code", "code": "code_nothing"}, "invalid_grant"},
			{map[string]any{"grant_type": "refresh_token", "refresh_token": "rt_nothing"}, "invalid_grant"},
			{map[string]any{"grant_type": "refresh_token", "refresh_token": "rt_nothing", "client_id": "client_nothing"}, "invalid_client"},
			{map[string]any{}, "invalid_request"},
		} {
			status, out := w.authenticate(one.members)
			if status != http.StatusBadRequest || out["error"] != one.want || out["error_description"] == "" || out["message"] == "" {
				t.Errorf("%v: %d %v", one.members, status, out)
			}
		}
		b := w.browser()
		to := b.get(w.accountURL("provider", "GoogleOAuth")).location(t)
		if to.Query().Get("error") != "connection_strategy_invalid" || to.Query().Get("state") != "xyz" {
			t.Errorf("%s", to)
		}
		b.get(strings.Replace(w.accountURL(), "callback", "elsewhere", 1)).want(t, http.StatusBadRequest)
	})
}

func TestUserManagement_is_refused_where_the_app_keeps_the_accounts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		to := w.browser().get(w.accountURL("organization_id", string(w.org.ID))).location(t)
		if to.Query().Get("error") != string(oidc.UnauthorizedClient) {
			t.Errorf("%s", to)
		}
		if status, out := w.authenticate(map[string]any{"grant_type": "authorization_code", "code": "x"}); status != http.StatusBadRequest || out["error"] != "unauthorized_client" {
			t.Errorf("%d %v", status, out)
		}
	}, func(o *lifecycle.SignInOptions, _ *signin.Options) { o.ProfilesOnly = true })
}

func (w *world) logoutURL(sid any, returnTo string) string {
	q := url.Values{"session_id": {sid.(string)}}
	if returnTo != "" {
		q.Set("return_to", returnTo)
	}
	return "/user_management/sessions/logout?" + q.Encode()
}

func TestUserManagement_logout_ends_the_session_and_returns_to_a_registered_address(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.registerLogout()
		b := w.browser()
		out := w.authenticated(b.through(w.accountURL("organization_id", string(w.org.ID))))
		sid := w.offline(out["access_token"])["sid"]
		b.get(w.logoutURL(sid, "https://evil.example/")).want(t, http.StatusBadRequest)
		b.get(w.logoutURL("nothing", "")).want(t, http.StatusBadRequest)
		if status, next := w.refreshed(out["refresh_token"]); status != http.StatusOK {
			t.Fatalf("a refused logout ended the session: %d %v", status, next)
		} else {
			out = next
		}
		if to := b.get(w.logoutURL(sid, afterLogout)).location(t); to.String() != afterLogout {
			t.Errorf("led to %s", to)
		}
		if status, _ := w.refreshed(out["refresh_token"]); status != http.StatusBadRequest {
			t.Errorf("the session goes on: %d", status)
		}
		w.wantTypes(string(event.SessionRevoked))
		if to := b.get(w.logoutURL(sid, afterLogout)).location(t); to.String() != afterLogout {
			t.Errorf("a second time it led to %s", to)
		}
		if to := b.get(w.logoutURL(sid, "")).location(t); to.Path != "/signed-out" {
			t.Errorf("without an address it led to %s", to)
		}
		b.atProvider(w.accountURL("organization_id", string(w.org.ID))) // the browser is nobody any more
	})
}

func TestUserManagement_logout_goes_on_to_the_provider_and_back(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.withLogout("")
		b := w.browser()
		out := w.authenticated(b.through(w.accountURL("organization_id", string(w.org.ID))))
		request := w.asked(b.get(w.logoutURL(w.offline(out["access_token"])["sid"], afterLogout)).location(t))
		if to := b.get(w.redirected(w.answerTo(request.ID), w.idp)).location(t); to.String() != afterLogout {
			t.Errorf("led to %s", to)
		}
	})
}

func TestUserManagement_permissions_of_the_role_stand_in_the_token(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var write db.Write
		write.Exec(`INSERT INTO roles (id, organization_id, slug, name, permissions, priority, created_at, updated_at)
			VALUES ($1, '', 'member', 'Member', '["people:read"]', 1, $2, $2)`, "role_01JE0000000000000000000000", time.Now().UnixMicro())
		w.ok(w.db.Write(ctx, &write))
		out := w.authenticated(w.browser().through(w.accountURL("organization_id", string(w.org.ID))))
		if permissions := w.offline(out["access_token"])["permissions"].([]any); len(permissions) != 1 || permissions[0] != "people:read" {
			t.Errorf("%v", permissions)
		}
	})
}
