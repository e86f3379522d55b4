package app

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
)

const (
	simulatedApp   = "https://app.example/callback"
	simulatedAfter = "https://app.example/bye"
)

// guest is a browser that follows redirects within the installation and stops where one leads out of it.
type guest struct {
	t      *testing.T
	a      *App
	client *http.Client
	trail  string
}

func (g *guest) do(method, address string, form url.Values) (to, body string) {
	g.t.Helper()
	for range 20 {
		if !strings.HasPrefix(address, g.a.URL()) {
			return address, ""
		}
		r, err := http.NewRequestWithContext(g.t.Context(), method, address, strings.NewReader(form.Encode()))
		must(g.t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, err := g.client.Do(r)
		must(g.t, err)
		text, err := io.ReadAll(response.Body)
		must(g.t, err)
		must(g.t, response.Body.Close())
		g.trail += method + " " + address + "\n"
		if response.Header.Get("Location") == "" {
			if response.StatusCode != http.StatusOK {
				g.t.Fatalf("%d at %s\n%s", response.StatusCode, address, text)
			}
			return address, string(text)
		}
		next, err := response.Request.URL.Parse(response.Header.Get("Location"))
		must(g.t, err)
		method, address, form = http.MethodGet, next.String(), nil
	}
	g.t.Fatal("no end of redirects")
	return "", ""
}

var (
	formAction  = regexp.MustCompile(`<form method="post" action="([^"]+)"`)
	hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)
)

// submit sends the first form of a page, with further names and values.
func (g *guest) submit(at, page string, more ...string) (to, body string) {
	g.t.Helper()
	page, _, _ = strings.Cut(page, "</form>")
	action := formAction.FindStringSubmatch(page)
	if action == nil {
		g.t.Fatalf("no form at %s\n%s", at, page)
	}
	fields := url.Values{}
	for _, f := range hiddenField.FindAllStringSubmatch(page, -1) {
		fields.Set(f[1], html.UnescapeString(f[2]))
	}
	for i := 0; i+1 < len(more); i += 2 {
		fields.Set(more[i], more[i+1])
	}
	base, err := url.Parse(at)
	must(g.t, err)
	target, err := base.Parse(html.UnescapeString(action[1]))
	must(g.t, err)
	return g.do(http.MethodPost, target.String(), fields)
}

// signIn goes to the application by a connection as Ada.
func (g *guest) signIn(clientID string, c sso.ID) {
	g.t.Helper()
	challenge := sha256.Sum256([]byte(strings.Repeat("v", 43)))
	at, page := g.do(http.MethodGet, g.a.URL()+"/oauth2/authorize?"+url.Values{
		"client_id": {clientID}, "redirect_uri": {simulatedApp}, "response_type": {"code"}, "scope": {"openid"}, "connection": {string(c)}, "state": {"s"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}.Encode(), nil)
	at, page = g.submit(at, page, "person", "sim-ada", "scenario", "sign_in")
	if page != "" { // by SAML the answer is posted
		at, _ = g.submit(at, page)
	}
	if !strings.HasPrefix(at, simulatedApp+"?") || !strings.Contains(at, "code=") {
		g.t.Fatalf("came to %s by\n%s", at, g.trail)
	}
}

// signOut leaves at the application and gives where that leads; asked says whether the person had to press the button.
func (g *guest) signOut(clientID string) (to string, asked bool) {
	g.t.Helper()
	g.trail = ""
	at, page := g.do(http.MethodGet, g.a.URL()+"/oauth2/logout?"+url.Values{"client_id": {clientID}, "post_logout_redirect_uri": {simulatedAfter}, "state": {"out"}}.Encode(), nil)
	if page == "" {
		return at, false
	}
	to, _ = g.submit(at, page)
	return to, true
}

func TestTest_providers_sign_people_out_both_ways(t *testing.T) {
	c := testConfig(t)
	c.Simulate = true
	a := build(t, c)
	start(t, a)
	actor, ctx := event.Actor{ID: "test", Source: event.System}, t.Context()
	o, err := a.organizations.Create(ctx, actor, org.New{Name: "Acme", Domains: []org.NewDomain{{Domain: DemoDomain, State: org.Verified}}})
	must(t, err)
	app, err := a.signIn.issuer.Default(ctx)
	must(t, err)
	_, err = a.signIn.issuer.Update(ctx, app.ID, issuer.Change{SignIn: &[]issuer.NewURI{{URI: simulatedApp, Default: true}}, SignOut: &[]string{simulatedAfter}})
	must(t, err)
	_, metadata := get(t, a.URL()+simulatePath+"saml/metadata")
	saml, err := a.signIn.connections.Create(ctx, actor, sso.New{OrganizationID: string(o.ID), Type: "GenericSAML", Settings: sso.Change{Name: new("SAML"), MetadataXML: &metadata}})
	must(t, err)
	draft, err := a.signIn.connections.Create(ctx, actor, sso.New{OrganizationID: string(o.ID), Type: "GenericOIDC", Settings: sso.Change{Name: new("OpenID")}})
	must(t, err)
	oidc, err := a.signIn.connections.Update(ctx, actor, draft.ID, sso.Change{
		Issuer: new(a.URL() + simulatePath + "oidc"), ClientID: &draft.Key, ClientSecret: new(simulatedSecret), Options: []byte(`{"single_logout":true}`),
	})
	must(t, err)
	for _, one := range []struct {
		path       string
		connection sso.ID
		left, told string // what shows that the provider was asked, and that it reached us
	}{
		{"saml", saml.ID, "/slo?SAMLResponse=", "It says: urn:oasis:names:tc:SAML:2.0:status:Success"},
		{"oidc", oidc.ID, "/signed-out?state=", "It answered 200 OK"},
	} {
		jar, err := cookiejar.New(nil)
		must(t, err)
		transport := &http.Transport{DisableKeepAlives: true}
		g := &guest{t: t, a: a, client: &http.Client{Jar: jar, Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
		g.signIn(app.ClientID, one.connection)
		to, asked := g.signOut(app.ClientID)
		if !asked || to != simulatedAfter+"?state=out" || !strings.Contains(g.trail, simulatePath+one.path) || !strings.Contains(g.trail, one.left) {
			t.Fatalf("%s: came to %s by\n%s", one.path, to, g.trail)
		}
		g.signIn(app.ClientID, one.connection)
		at, home := g.do(http.MethodGet, a.URL()+simulatePath+one.path+"/", nil)
		if _, said := g.submit(at, home); !strings.Contains(said, one.told) {
			t.Fatalf("%s: the provider says\n%s", one.path, said)
		}
		if to, asked := g.signOut(app.ClientID); asked || to != simulatedAfter+"?state=out" {
			t.Errorf("%s: the session goes on though the provider ended it (%s)", one.path, to)
		}
	}
}
