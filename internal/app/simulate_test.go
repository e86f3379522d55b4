package app

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
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

// connected makes an application, and a connection to each of the two test providers.
func connected(t *testing.T, a *App) (app issuer.Application, saml, oidc sso.Connection) {
	t.Helper()
	actor, ctx := event.Actor{ID: "test", Source: event.System}, t.Context()
	o, err := a.organizations.Create(ctx, actor, org.New{Name: "Acme", Domains: []org.NewDomain{{Domain: DemoDomain, State: org.Verified}}})
	must(t, err)
	app, err = a.signIn.issuer.Default(ctx)
	must(t, err)
	_, err = a.signIn.issuer.Update(ctx, app.ID, issuer.Change{SignIn: &[]issuer.NewURI{{URI: simulatedApp, Default: true}}, SignOut: &[]string{simulatedAfter}})
	must(t, err)
	_, metadata := get(t, a.URL()+simulatePath+"saml/metadata")
	saml, err = a.signIn.connections.Create(ctx, actor, sso.New{OrganizationID: string(o.ID), Type: "GenericSAML", Settings: sso.Change{Name: new("SAML"), MetadataXML: &metadata}})
	must(t, err)
	draft, err := a.signIn.connections.Create(ctx, actor, sso.New{OrganizationID: string(o.ID), Type: "GenericOIDC", Settings: sso.Change{Name: new("OpenID")}})
	must(t, err)
	oidc, err = a.signIn.connections.Update(ctx, actor, draft.ID, sso.Change{
		Issuer: new(a.URL() + simulatePath + "oidc"), ClientID: &draft.Key, ClientSecret: new(simulatedSecret), Options: []byte(`{"single_logout":true}`),
	})
	must(t, err)
	return app, saml, oidc
}

// newGuest is a browser without cookies.
func newGuest(t *testing.T, a *App) *guest {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	transport := &http.Transport{DisableKeepAlives: true}
	return &guest{t: t, a: a, client: &http.Client{Jar: jar, Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func TestTest_providers_sign_people_out_both_ways(t *testing.T) {
	c := testConfig(t)
	c.Simulate = true
	a := build(t, c)
	start(t, a)
	app, saml, oidc := connected(t, a)
	for _, one := range []struct {
		path       string
		connection sso.ID
		left, told string // what shows that the provider was asked, and that it reached us
	}{
		{"saml", saml.ID, "/slo?SAMLResponse=", "It says: urn:oasis:names:tc:SAML:2.0:status:Success"},
		{"oidc", oidc.ID, "/signed-out?state=", "It answered 200 OK"},
	} {
		g := newGuest(t, a)
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

func TestConnections_to_the_test_providers_go_on_after_a_restart(t *testing.T) {
	c := testConfig(t)
	c.Simulate = true
	a := build(t, c)
	stop := start(t, a)
	app, saml, oidc := connected(t, a)
	signIn := func(a *App) {
		t.Helper()
		for _, id := range []sso.ID{saml.ID, oidc.ID} {
			newGuest(t, a).signIn(app.ClientID, id)
		}
	}
	signIn(a)
	before := a.signIn.testIDP.Certificate()
	must(t, stop())

	c.Listen = a.Addr()
	again := build(t, c)
	start(t, again)
	if !again.signIn.testIDP.Certificate().Equal(before) {
		t.Error("the provider has another certificate")
	}
	signIn(again)

	for _, protocol := range []string{"saml", "oidc"} {
		var stored string
		must(t, again.db.QueryRow(t.Context(), `SELECT value FROM installation WHERE name = $1`, "test_provider_key/"+protocol).Scan(&stored))
		if strings.Contains(stored, "pkcs8") || len(stored) < 1000 {
			t.Errorf("the key is stored as %.40q", stored)
		}
	}
}

func TestKey_of_the_test_provider_that_cannot_be_opened_is_told_at_the_start(t *testing.T) {
	c := testConfig(t)
	c.Simulate = true
	a := build(t, c)
	stop := start(t, a)
	var w db.Write
	w.Exec(`UPDATE installation SET value = 'nonsense' WHERE name = 'test_provider_key/saml'`)
	must(t, a.db.Write(t.Context(), &w))
	must(t, stop())
	if _, err := New(t.Context(), c, "test", slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "key of the test identity provider") {
		t.Errorf("it starts: %v", err)
	}
}

// A connection to the test provider has no lock. Nothing but the demo may offer, make or serve one.
func TestTest_provider_is_offered_by_the_demo_alone(t *testing.T) {
	for _, demo := range []bool{true, false} {
		c := testConfig(t)
		c.Simulate = demo
		a := build(t, c)
		start(t, a)
		jar, err := cookiejar.New(nil)
		must(t, err)
		client := &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}}
		page := func(method, path string, form url.Values) (int, string) {
			r, err := http.NewRequestWithContext(t.Context(), method, a.URL()+path, strings.NewReader(form.Encode()))
			must(t, err)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			response, err := client.Do(r)
			must(t, err)
			text, err := io.ReadAll(response.Body)
			must(t, err)
			must(t, response.Body.Close())
			return response.StatusCode, string(text)
		}
		link, err := a.PortalLink(t.Context())
		must(t, err)
		if status, text := page(http.MethodPost, strings.TrimPrefix(link.Reveal(), a.URL()), nil); status != http.StatusOK || !strings.Contains(text, portalDemoName) {
			t.Fatalf("the link leads to %d\n%s", status, text)
		}
		for _, path := range []string{"/portal/sso/new/" + testProvider, "/portal/directory/new/" + testProvider, "/simulate/scim/", "/simulate/saml/metadata"} {
			if status, _ := page(http.MethodGet, path, nil); (status == http.StatusOK) != demo {
				t.Errorf("with the demo %v, %s is answered %d", demo, path, status)
			}
		}
		for _, path := range []string{"/portal/sso/new", "/portal/directory/new"} {
			if _, text := page(http.MethodGet, path, nil); strings.Contains(text, "Rollcall test identity provider") != demo {
				t.Errorf("with the demo %v, %s offers it or not", demo, path)
			}
		}
		_, err = a.signIn.connections.Create(t.Context(), event.Actor{ID: "test", Source: event.System}, sso.New{
			OrganizationID: string(a.anOrganization(t)), Provider: testProvider, Protocol: sso.SAML, Settings: sso.Change{Name: new("Test")},
		})
		if (err == nil) != demo {
			t.Errorf("with the demo %v, a connection to it is made: %v", demo, err)
		}
	}
}

func (a *App) anOrganization(t *testing.T) org.ID {
	t.Helper()
	o, err := a.organizations.Create(t.Context(), event.Actor{ID: "test", Source: event.System}, org.New{Name: "Acme"})
	must(t, err)
	return o.ID
}

// The page sends where it is told: it must not be a way to whatever else this machine can reach.
func TestTest_provider_sends_people_to_directories_of_this_installation_alone(t *testing.T) {
	c := testConfig(t)
	c.Simulate = true
	a := build(t, c)
	start(t, a)
	d, err := a.Demo(t.Context())
	must(t, err)
	var reached atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(elsewhere.Close)
	send := func(address, act string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.URL()+simulatePath+"scim/", strings.NewReader(url.Values{"address": {address}, "token": {d.Token.Reveal()}, "act": {act}}.Encode()))
		must(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
		must(t, err)
		text, err := io.ReadAll(response.Body)
		must(t, err)
		must(t, response.Body.Close())
		return response.StatusCode, string(text)
	}
	for _, address := range []string{
		elsewhere.URL + "/scim/v2/demo", elsewhere.URL, "", "http://127.0.0.1/scim/v2/demo", a.URL() + "/scim/v2/nobody", a.URL() + "@" + strings.TrimPrefix(elsewhere.URL, "http://") + "/scim/v2/demo",
		a.URL() + "/scim/v2/../../metrics", `"><script>alert(1)</script>`,
	} {
		if status, text := send(address, "connect"); status != http.StatusBadRequest || !strings.Contains(text, "nothing is sent anywhere else") || strings.Contains(text, "<script>alert") {
			t.Errorf("%s is answered %d\n%.2000s", address, status, text)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("%d requests went elsewhere", n)
	}
	if status, text := send(d.SCIMBase, "steal"); status != http.StatusBadRequest || !strings.Contains(text, "nothing of that name") {
		t.Errorf("an act nobody knows is answered %d\n%.2000s", status, text)
	}
	for _, one := range []struct {
		act             string
		active, removed int64
	}{{"connect", 0, 0}, {"send", 3, 0}, {"leave", 2, 1}, {"return", 3, 0}, {"send", 3, 0}} {
		if status, text := send(d.SCIMBase, one.act); status != http.StatusOK {
			t.Fatalf("%s is answered %d\n%.3000s", one.act, status, text)
		}
		counts, err := a.directories.Counts(t.Context(), d.Directory)
		must(t, err)
		if counts.Active != one.active || counts.Inactive != one.removed {
			t.Errorf("after %s there are %+v", one.act, counts)
		}
	}
}
