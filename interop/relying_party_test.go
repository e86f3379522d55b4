//go:build interop

package interop_test

import (
	"crypto/rand"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/rollcallhq/rollcall/internal/oidc"
)

// understands signs in with Rollcall's own grammar of OpenID Connect, internal/oidc, which does no network itself.
func (p oidcProvider) understands(t *testing.T, app oidcApp) {
	t.Helper()
	discovery, err := oidc.ParseDiscovery(fetch(t, oidc.DiscoveryURL(p.Issuer)), p.Issuer, true)
	must(t, err)
	keys, err := oidc.ParseKeySet(fetch(t, discovery.JWKSURI))
	must(t, err)
	asked := oidc.AuthorizationParameters{
		ClientID: app.ID, RedirectURI: app.RedirectURI, Scopes: append([]string{"openid"}, p.Scopes...), State: rand.Text(), Nonce: rand.Text(),
		Verifier: oauth2.GenerateVerifier(), ForceAuthn: !p.Silent,
	}
	var begun time.Time
	if asked.ForceAuthn {
		begun = time.Now()
	}
	start, err := oidc.AuthorizationURL(discovery, asked)
	must(t, err)
	query := newBrowser(t, p.SignIn).walk(t, start, app.RedirectURI).URL.Query()
	callback, err := oidc.CheckCallback(query, oidc.CallbackExpectation{Issuer: discovery.Issuer, IssParameter: discovery.IssParameter})
	must(t, err)
	if callback.State != asked.State {
		t.Errorf("state is %q, want %q", callback.State, asked.State)
	}
	tokens := p.exchange(t, discovery, oidc.Exchange{
		Code: callback.Code, RedirectURI: app.RedirectURI, Verifier: asked.Verifier, ClientID: app.ID, Method: oidc.AuthMethod(app.Method), Secret: app.Secret,
	})
	idToken, err := oidc.VerifyIDToken(t.Context(), tokens.IDToken, keys, oidc.IDTokenExpectation{
		Issuer: discovery.Issuer, ClientID: app.ID, Nonce: asked.Nonce, Algorithms: discovery.Algorithms, Now: time.Now(),
		AccessToken: tokens.AccessToken, AuthAfter: begun,
	})
	must(t, err)
	body, _, kind := request(t, http.MethodGet, discovery.UserInfoEndpoint, "", "Bearer "+tokens.AccessToken)
	info, err := oidc.ParseUserInfo(body, kind, idToken.Subject)
	must(t, err)
	if email := oidc.EmailOf(idToken, &info); email.Address != p.Who["email"] {
		t.Errorf("email is %+v, want %s", email, p.Who["email"])
	}
	if wrong, err := oidc.VerifyIDToken(t.Context(), tokens.IDToken, keys, oidc.IDTokenExpectation{
		Issuer: discovery.Issuer, ClientID: app.ID, Nonce: asked.Nonce + "x", Algorithms: discovery.Algorithms, Now: time.Now(),
	}); err == nil {
		t.Errorf("accepted with another nonce: %+v", wrong)
	}
}

func (p oidcProvider) exchange(t *testing.T, discovery oidc.Discovery, x oidc.Exchange) oidc.TokenResponse {
	t.Helper()
	form, authorization, err := x.Request()
	must(t, err)
	body, status, kind := request(t, http.MethodPost, discovery.TokenEndpoint, form, authorization)
	tokens, err := oidc.ParseTokenResponse(body, status, kind)
	must(t, err)
	return tokens
}

func request(t *testing.T, method, address, form, authorization string) (body []byte, status int, kind string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form))
	must(t, err)
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	response, err := (&http.Client{Timeout: 30 * time.Second}).Do(r)
	must(t, err)
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	must(t, err)
	return body, response.StatusCode, response.Header.Get("Content-Type")
}
