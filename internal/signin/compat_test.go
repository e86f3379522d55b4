package signin_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/saml/samltest"
)

func (b *browser) profileCode() string {
	b.w.t.Helper()
	request, relay := b.atProvider("/sso/authorize?" + url.Values{
		"client_id": {b.w.app.ClientID}, "redirect_uri": {callback}, "response_type": {"code"}, "connection": {string(b.w.conn.ID)}, "provider_scopes": {"a,b"},
	}.Encode())
	return b.w.code(b.deliver(b.w.conn, b.w.message(b.w.conn, request), relay).location(b.w.t))
}

// The compatible routes take forms and JSON, the management key as the secret, and no PKCE; errors carry a message.
func TestCompatible_routes_give_a_profile_for_a_code_by_form_and_by_JSON(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		byForm := w.profile(b.profileCode())
		body, err := json.Marshal(map[string]any{
			"client_id": w.app.ClientID, "client_secret": managementKey.Reveal(), "grant_type": "authorization_code", "code": b.profileCode(), "code_verifier": nil,
		})
		w.ok(err)
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.server.URL+"/sso/token", strings.NewReader(string(body)))
		w.ok(err)
		r.Header.Set("Content-Type", "application/json")
		a := b.do(r).want(t, http.StatusOK)
		byJSON := map[string]any{}
		w.ok(json.Unmarshal([]byte(a.body), &byJSON))
		if byForm["profile"].(map[string]any)["id"] != byJSON["profile"].(map[string]any)["id"] || a.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%v and %v", byForm, byJSON)
		}
		r, err = http.NewRequestWithContext(ctx, http.MethodGet, w.server.URL+"/sso/profile", nil)
		w.ok(err)
		r.Header.Set("Authorization", "Bearer "+byForm["access_token"].(string))
		if shown := b.do(r).want(t, http.StatusOK); !strings.Contains(shown.body, `"idp_id"`) {
			t.Errorf("profile: %s", shown.body)
		}
		r.Header.Set("Authorization", "Bearer nothing")
		refused := b.do(r).want(t, http.StatusUnauthorized)
		if !strings.Contains(refused.body, `"message"`) || refused.Header.Get("X-Request-Id") == "" {
			t.Errorf("refusal: %s", refused.body)
		}
		again := b.post("/sso/token", url.Values{"client_id": {w.app.ClientID}, "client_secret": {"sk_wrong"}, "grant_type": {"authorization_code"}, "code": {"x"}})
		if again.StatusCode < 400 || again.StatusCode > 401 || !strings.Contains(again.body, `"invalid_client"`) {
			t.Errorf("a wrong secret: %d %s", again.StatusCode, again.body)
		}
		b.get("/sso/jwks/"+w.app.ClientID).want(t, http.StatusOK)
		b.get("/sso/logout?token=nothing").want(t, http.StatusNotFound)
	})
}

func TestScripts_of_public_applications_may_read_what_holds_no_cookie(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		for path, method := range map[string]string{"/oauth2/token": "POST", "/oauth2/userinfo": "GET", "/oauth2/jwks": "GET", "/.well-known/openid-configuration": "GET"} {
			r, err := http.NewRequestWithContext(ctx, http.MethodOptions, w.server.URL+path, nil)
			w.ok(err)
			r.Header.Set("Origin", "https://spa.example")
			r.Header.Set("Access-Control-Request-Method", method)
			a := b.do(r).want(t, http.StatusNoContent)
			if a.Header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(a.Header.Get("Access-Control-Allow-Methods"), method) || a.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s: %v", path, a.Header)
			}
		}
		for _, path := range []string{"/oauth2/introspect", "/sso/token", "/sign-in", "/sign-out"} {
			r, err := http.NewRequestWithContext(ctx, http.MethodOptions, w.server.URL+path, nil)
			w.ok(err)
			if a := b.do(r).want(t, http.StatusMethodNotAllowed); a.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s may be read by scripts of others", path)
			}
		}
	})
}

func TestAddress_of_a_former_vendor_takes_responses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const path = "/sso/saml/acs/01hzbc6n1eb1zy7kg32x"
		other := samltest.New("https://second.example/metadata")
		c := w.connect(w.org.ID, other, `{"default":true}`)
		c = w.paths(c, path)
		b := w.browser()
		request, relay := b.atProvider(w.authorization("connection", string(c.ID)))
		m := w.message(c, request)
		m.Issuer, m.Destination, m.Recipient = other.EntityID, w.server.URL+path, w.server.URL+path
		w.code(b.post(path, posted(other.Respond(m, samltest.AssertionSigned), relay)).location(t))
		b.post("/sso/saml/acs/unknown", posted([]byte("x"), "")).want(t, http.StatusNotFound)
	})
}
