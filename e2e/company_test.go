package e2e_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/rollcallhq/rollcall/client"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/simulate"
)

// saas is an installation with the app that it serves: an application that people sign in to, an address for logouts and webhooks, and the
// inboxes of everybody who is written to.
type saas struct {
	t     *testing.T
	h     *home
	p     *process
	api   *client
	inbox *inbox

	url            string // the app's
	id             string // the application's
	client, secret string
	hookSecret     string
	mu             sync.Mutex
	loggedOut      []string          // sid of each logout token
	delivered      map[string]string // webhooks by id of their event
}

// allTypes are the events that the app of the stories wants.
func allTypes() []string {
	return []string{
		"dsync.activated", "dsync.deleted", "dsync.user.created", "dsync.user.updated", "dsync.user.deleted", "dsync.group.created", "dsync.group.updated", "dsync.group.deleted",
		"dsync.group.user_added", "dsync.group.user_removed", "user.created", "user.updated", "user.deactivated", "user.reactivated", "organization_membership.created", "organization_membership.updated",
		"organization_membership.deleted", "invitation.created", "invitation.accepted", "session.created", "session.revoked", "group.member_added", "group.member_removed",
	}
}

func newSaaS(t *testing.T, engine db.Engine, more ...string) *saas {
	t.Helper()
	s := &saas{t: t, inbox: newInbox(t), delivered: map[string]string{}}
	s.h = newHome(t, engine, append(append(toLoopback(), "--smtp-url", "smtp://"+s.inbox.address, "--mail-from", "no-reply@app.example"), more...)...)
	s.p = s.h.start(t)
	s.api = s.p.api()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	app := s.api.must(t, 201, "POST", "/connect/applications", fmt.Sprintf(
		`{"name":"The app","application_type":"oauth","is_first_party":true,"redirect_uris":[{"uri":%q}],"backchannel_logout_uri":%q}`, s.url+"/callback", s.url+"/logout"))
	s.id, s.client = text(app, "id"), text(app, "client_id")
	s.secret = text(s.api.must(t, 201, "POST", "/connect/applications/"+s.id+"/client_secrets", ""), "secret")
	return s
}

// listen subscribes the app to everything.
func (s *saas) listen() {
	s.t.Helper()
	made, err := sdkOf(s.t, s.p).CreateWebhookEndpoint(s.t.Context(), sdk.NewWebhookEndpoint{URL: s.url + "/webhook", Types: allTypes()})
	must(s.t, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hookSecret = made.Secret
}

// ServeHTTP is the app.
func (s *saas) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.URL.Path {
	case "/callback", "/signed-out": // the browser stays here
	case "/logout":
		s.loggedOut = append(s.loggedOut, text(claimsOf(s.t, r.PostFormValue("logout_token")), "sid"))
	case "/webhook":
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the sender has gone
		}
		e, err := sdk.VerifyWebhook(body, r.Header, []string{s.hookSecret}, time.Minute, time.Now())
		if err != nil {
			s.t.Errorf("a webhook: %v", err)
		}
		s.delivered[e.ID] = string(body)
	default:
		s.t.Errorf("the app is asked for %s %s", r.Method, r.URL)
	}
}

// claimsOf reads a token without looking at its signature.
func claimsOf(t *testing.T, signed string) object {
	t.Helper()
	parts := strings.Split(signed, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no token", signed)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	must(t, err)
	var claims object
	must(t, json.Unmarshal(raw, &claims))
	return claims
}

// toldOfLogout waits until the app has been told that a session is over.
func (s *saas) toldOfLogout(sid string) {
	s.t.Helper()
	eventually(s.t, "the logout of "+sid, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return slices.Contains(s.loggedOut, sid)
	})
}

// webhook waits for that of an event and gives its body.
func (s *saas) webhook(id string) (body string) {
	s.t.Helper()
	eventually(s.t, "the webhook of "+id, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		body = s.delivered[id]
		return body != ""
	})
	return body
}

// events gives those of some types that tell of a thing, oldest first; about is an id somewhere in the data, "" for all.
func (s *saas) events(about string, types ...string) []object {
	s.t.Helper()
	var found []object
	after := ""
	for {
		q := url.Values{"limit": {"100"}, "events": types}
		if after != "" {
			q.Set("after", after)
		}
		page := s.api.must(s.t, 200, "GET", "/events?"+q.Encode(), "")
		for _, e := range list(page, "data") {
			raw, err := json.Marshal(e["data"])
			must(s.t, err)
			if strings.Contains(string(raw), `"`+about) {
				found = append(found, e)
			}
		}
		if after = text(page, "list_metadata", "after"); after == "" {
			return found
		}
	}
}

// wantEvents compares the types of what is told of a thing from a number of events on.
func (s *saas) wantEvents(about string, from int, want ...string) []object {
	s.t.Helper()
	var got []object
	types := slices.Clone(want)
	slices.Sort(types)
	kinds := slices.Compact(types)
	eventually(s.t, fmt.Sprintf("%v of %s", want, about), func() bool {
		got = s.events(about, kinds...)[from:]
		return len(got) >= len(want)
	})
	names := make([]string, len(got))
	for i, e := range got {
		names[i] = text(e, "event")
	}
	if !slices.Equal(names, want) {
		s.t.Errorf("of %s is told %v, want %v", about, names, want)
	}
	return got
}

// company is a customer with an identity provider: it signs people in by SAML, and feeds a directory as Okta does.
type company struct {
	*saas
	id, domain string
	connection string
	directory  string
	address    string // of its SCIM endpoint, without the server
	token      string
	okta       *simulate.SCIMClient
	idp        *simulate.SAML
	idpURL     string
	people     map[string]simulate.Person

	sps map[string]simulate.SAMLServiceProvider
}

// newCompany makes an organization that has proven its domain.
func (s *saas) newCompany(name, domain string) *company {
	s.t.Helper()
	o := s.api.must(s.t, 201, "POST", "/organizations", fmt.Sprintf(`{"name":%q,"domain_data":[{"domain":%q,"state":"verified"}]}`, name, domain))
	return &company{saas: s, id: text(o, "id"), domain: domain, people: map[string]simulate.Person{}, sps: map[string]simulate.SAMLServiceProvider{}}
}

// connect sets single sign-on up. These are whom the provider knows with more than an address.
func (c *company) connect(options string, people ...simulate.Person) {
	c.t.Helper()
	server := httptest.NewUnstartedServer(nil)
	c.idpURL = "http://" + server.Listener.Addr().String() + "/" + c.domain
	var err error
	c.idp, err = simulate.NewSAML(simulate.SAMLOptions{
		Base: c.idpURL, People: people, Now: time.Now,
		ServiceProvider: func(_ context.Context, entityID string) (simulate.SAMLServiceProvider, bool) {
			sp, known := c.sps[entityID]
			return sp, known
		},
	})
	must(c.t, err)
	for _, p := range people {
		c.people[p.Email] = p
	}
	server.Config.Handler = c.idp
	server.Start()
	c.t.Cleanup(server.Close)
	metadata := readAll(c.t, c.idpURL+"/metadata")
	if options == "" {
		options = "{}"
	}
	made := c.api.must(c.t, 201, "POST", "/connections", fmt.Sprintf(
		`{"organization_id":%q,"name":"SSO","connection_type":"GenericSAML","metadata_xml":%q,"options":%s}`, c.id, metadata, options))
	c.connection = text(made, "id")
	c.sps[text(made, "sp_entity_id")] = simulate.SAMLServiceProvider{Name: "Rollcall", ACS: []string{text(made, "acs_url")}}
}

func readAll(t *testing.T, address string) string {
	t.Helper()
	r, err := http.Get(address)
	must(t, err)
	defer func() { _ = r.Body.Close() }()
	raw, err := io.ReadAll(r.Body)
	must(t, err)
	return string(raw)
}

// sync sets directory sync up; more are members of the directory's JSON, like "provisioning":"direct".
func (c *company) sync(more string) {
	c.t.Helper()
	if more != "" {
		more = "," + more
	}
	d := c.api.must(c.t, 201, "POST", "/directories", fmt.Sprintf(`{"organization_id":%q,"name":"Okta","type":"okta scim v2.0","provider":"okta"%s}`, c.id, more))
	at, err := url.Parse(text(d, "scim_endpoint"))
	must(c.t, err)
	c.directory, c.address, c.token = text(d, "id"), at.Path, text(d, "bearer_token")
	c.okta = c.plays("okta")
	must(c.t, c.okta.Connect(c.t.Context()))
}

// plays gives the SCIM client of a provider, pointed at the directory.
func (c *company) plays(provider idp.Slug) *simulate.SCIMClient {
	c.t.Helper()
	catalog, err := idp.Load()
	must(c.t, err)
	who, known := catalog.Provider(provider)
	if !known {
		c.t.Fatalf("there is no provider %s", provider)
	}
	made, err := simulate.NewSCIMClient(who, simulate.Target{BaseURL: c.p.url + c.address, Token: c.token}, simulate.SCIMOptions{Seed: 1})
	must(c.t, err)
	return made
}

// scim is a provider that says what it is told to, in no dialect.
func (c *company) scim() *client { return newClient(c.p.url+c.address, c.token) }

// person is somebody of the company.
func (c *company) person(name string) simulate.Person {
	return simulate.Person{Email: strings.ToLower(name) + "@" + c.domain, FirstName: name, LastName: "Novak"}
}

// hire has the provider bring people, and waits until Rollcall is done with them.
func (c *company) hire(people ...simulate.Person) {
	c.t.Helper()
	for _, p := range people {
		must(c.t, c.okta.Hire(c.t.Context(), p))
	}
	c.settled()
}

// settled waits until members are as the directory says.
func (c *company) settled() {
	c.t.Helper()
	eventually(c.t, "the members to be as the directory says", func() bool {
		return text(c.api.must(c.t, 200, "GET", "/directories/"+c.directory+"/provisioning", ""), "state") == "up_to_date"
	})
}

// inStates lists members by their state.
func (c *company) inStates(states ...string) []object {
	c.t.Helper()
	q := url.Values{"organization_id": {c.id}, "limit": {"100"}, "statuses": states}
	return list(c.api.must(c.t, 200, "GET", "/user_management/organization_memberships?"+q.Encode(), ""), "data")
}

// member is somebody's membership in whichever state; nil where there is none.
func (c *company) member(email string) object {
	c.t.Helper()
	for _, m := range c.inStates("active", "pending", "inactive", "removed") {
		if text(m, "user", "email") == email {
			return m
		}
	}
	return nil
}

// standing says how somebody is in: kind, status and why; "" who is nobody here.
func (c *company) standing(email string) string {
	c.t.Helper()
	m := c.member(email)
	if m == nil {
		return ""
	}
	kind := "guest"
	if m["primary"] == true {
		kind = "primary"
	}
	return strings.Join([]string{kind, text(m, "status"), text(m, "why")}, " ")
}

// want is the standing that somebody has to have now.
func (c *company) want(email, standing string) object {
	c.t.Helper()
	if got := c.standing(email); got != standing {
		c.t.Fatalf("%s is %q, want %q", email, got, standing)
	}
	return c.member(email)
}

// directoryUser is somebody as the directory has them; nil where it does not.
func (c *company) directoryUser(email string) object {
	c.t.Helper()
	for _, u := range list(c.api.must(c.t, 200, "GET", "/directory_users?limit=100&directory="+c.directory, ""), "data") {
		if text(u, "email") == email {
			return u
		}
	}
	return nil
}

// refusal gives code and message of a request that has to be refused so.
func (s *saas) refusal(status int, method, path, body, code string) string {
	s.t.Helper()
	o := s.api.must(s.t, status, method, path, body)
	if text(o, "code") != code {
		s.t.Errorf("%s %s is refused by %v, want %s", method, path, o, code)
	}
	return text(o, "message")
}
