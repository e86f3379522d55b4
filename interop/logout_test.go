//go:build interop

package interop_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// leaver is a person at an application of Rollcall that registers where to go after a logout.
type leaver struct {
	r      rollcall
	c      connection
	b      *browser
	client oidcApp
	after  string
}

// signsIn goes to the application's callback and says whether a password was typed on the way.
func (l leaver) signsIn(t *testing.T) (typed bool) {
	t.Helper()
	challenge := sha256.Sum256([]byte(strings.Repeat("v", 43)))
	l.b.trail = nil
	got := l.b.walk(t, l.r.url+"/oauth2/authorize?"+url.Values{
		"client_id": {l.client.ID}, "redirect_uri": {l.client.RedirectURI}, "response_type": {"code"}, "scope": {"openid"}, "connection": {l.c.id}, "state": {"in"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}.Encode(), l.client.RedirectURI)
	if got.URL.Query().Get("code") == "" {
		t.Fatalf("no code at %s\n%s\n%s", got.URL, l.b.story(), l.r.attempts(t, l.c))
	}
	return strings.Contains(l.b.story(), "POST http") && strings.Contains(l.b.story(), "loginuserpass")
}

// A sign-out goes through Rollcall to SimpleSAMLphp and back to the application, and one at SimpleSAMLphp reaches Rollcall.
func TestPeople_sign_out_through_SimpleSAMLphp_both_ways(t *testing.T) {
	r := startRollcall(t)
	c := r.draft(t, "acme.example", "SimpleSamlPhpSAML")
	slo, _ := r.call(t, http.MethodGet, "/connections/"+c.id, nil)["sp_slo_url"].(string)
	idp := startSimpleSAMLphp(t, []samlApp{{
		Name: "rollcall", EntityID: c.entityID, ACS: c.acs, SLO: slo, SignResponse: true, SignAssertion: true, Signing: certificateOf(t, string(fetch(t, c.metadata))),
	}})
	r.update(t, c, map[string]any{"metadata_xml": string(fetch(t, idp.Metadata)), "options": map[string]any{"sign_requests": true}})
	l := leaver{r: r, c: c, b: newBrowser(t, idp.SignIn), after: "https://rp.example/bye"}
	l.client = r.application(t, "https://rp.example/back", map[string]any{"post_logout_redirect_uris": []string{l.after}})
	if !l.signsIn(t) {
		t.Fatalf("signed in without a password\n%s", l.b.story())
	}
	if l.signsIn(t) {
		t.Fatalf("the session does not serve\n%s", l.b.story())
	}
	l.b.trail = nil
	out := l.b.walk(t, r.url+"/oauth2/logout?"+url.Values{"client_id": {l.client.ID}, "post_logout_redirect_uri": {l.after}, "state": {"s 1"}}.Encode(), l.after)
	if out.URL.String() != l.after+"?state=s+1" || !strings.Contains(l.b.story(), "SingleLogoutService.php?SAMLRequest=") || !strings.Contains(l.b.story(), "/slo?SAMLResponse=") {
		t.Fatalf("came to %s\n%s\n%s", out.URL, l.b.story(), r.attempts(t, c))
	}
	if !l.signsIn(t) {
		t.Fatalf("the session at the provider goes on\n%s", l.b.story())
	}
	l.b.trail = nil
	at := strings.TrimSuffix(idp.Metadata, "metadata.php")
	done := at + "done"
	l.b.walk(t, at+"SingleLogoutService.php?"+url.Values{"ReturnTo": {done}}.Encode(), done)
	if !strings.Contains(l.b.story(), "/slo?SAMLRequest=") || !strings.Contains(l.b.story(), "SingleLogoutService.php?SAMLResponse=") {
		t.Fatalf("Rollcall was not told, or did not answer\n%s", l.b.story())
	}
	if !l.signsIn(t) {
		t.Fatalf("the session here goes on\n%s", l.b.story())
	}
}
