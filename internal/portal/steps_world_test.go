package portal

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/alert"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/outbound"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
	"github.com/rollcallhq/rollcall/internal/webhook"
)

const stepsBase = "https://sso.example.com"

// desk is an installation with its portal, as an IT admin's browser meets it.
type desk struct {
	*testing.T
	db       *db.DB
	ids      *token.Source
	events   *event.Log
	orgs     *org.Service
	conns    *sso.Service
	dirs     *directory.Service
	members  *member.Service
	access   *access.Service
	policies *lifecycle.Policies
	admins   *itadmin.Service
	mails    *mail.Outbox
	letters  []mail.Letter
	alerts   *alert.Service
	leavers  *lifecycle.Offboardings
	catalog  *idp.Catalog
	dns      dnsTexts
	now      time.Time
	handler  http.Handler
	site     *web.Site
}

// dnsTexts are the TXT records of the world.
type dnsTexts map[string][]string

func (d dnsTexts) LookupTXT(_ context.Context, name string) ([]string, error) {
	return d[strings.TrimSuffix(name, ".")], nil
}

// atDesks runs a test on both engines.
func atDesks(t *testing.T, accounts bool, test func(d *desk)) {
	t.Helper()
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) { test(newDesk(t, open(), accounts)) })
}

func newDesk(t *testing.T, store *db.DB, accounts bool) *desk {
	t.Helper()
	d := &desk{T: t, db: store, dns: dnsTexts{}, now: time.Now()}
	clock := func() time.Time { return d.now }
	d.ids = token.NewSource(clock)
	log := slog.New(slog.DiscardHandler)
	sealer, err := db.NewSealer([]byte("sealing key of tests"))
	d.must(err)
	d.events = event.NewLog(store, d.ids)
	d.orgs = org.NewService(store, d.events, d.ids, clock)
	d.orgs.SetResolver(d.dns)
	d.dirs = directory.NewService(directory.Options{DB: store, Events: d.events, IDs: d.ids, Now: clock, Logger: log})
	d.orgs.SetDoors(d.dirs)
	sessions := session.NewService(session.Options{DB: store, Events: d.events, IDs: d.ids, Sealer: sealer, Now: clock, Logger: log})
	d.members = member.NewService(store, d.events, d.ids, d.orgs, sessions, clock)
	d.members.SetInviting(member.Inviting{Sealer: sealer, Base: func(string) string { return stepsBase }})
	d.catalog, err = idp.Load()
	d.must(err)
	d.conns = sso.NewService(sso.Config{
		DB: store, Events: d.events, IDs: d.ids, Sealer: sealer, Organizations: d.orgs, Sessions: sessions, Members: d.members, Catalog: d.catalog, Now: clock, Logger: log,
		Policy: outbound.NewPolicy([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, func(context.Context, string) ([]netip.Addr, error) {
			return nil, errors.New("no names in tests")
		}),
	})
	d.policies = lifecycle.NewPolicies(lifecycle.PolicyOptions{
		DB: store, Events: d.events, Organizations: d.orgs, Directories: d.dirs, Members: d.members, Connections: d.conns, Sessions: sessions, Now: clock, Access: d.members.Access(),
		ProfilesOnly: !accounts,
	})
	mails, err := mail.NewOutbox(mail.Options{DB: store, IDs: d.ids, Sealer: sealer, Now: clock, Logger: log, Sender: d})
	d.must(err)
	d.mails = mails
	d.admins = itadmin.NewService(itadmin.Options{
		Mails: mails, DB: store, Events: d.events, IDs: d.ids, Sealer: sealer, Organizations: d.orgs, Base: func(string) string { return stepsBase }, Now: clock, Logger: log,
	})
	site, err := web.NewSite(web.Brand{}, clock)
	d.site = site
	d.must(err)
	o := Options{
		Members: d.members, Audits: lifecycle.NewAudits(store, d.orgs, clock), Offboardings: d.offboardings(sessions, sealer, log),
		Alerts: d.alarms(sealer, log), Healths: lifecycle.NewHealths(d.dirs, d.conns, lifecycle.NewAudits(store, d.orgs, clock)),
		Admins: d.admins, Organizations: d.orgs, Connections: d.conns, Directories: d.dirs, Policies: d.policies, Events: d.events, Catalog: d.catalog, Site: site,
		SetUps: lifecycle.NewSetUps(lifecycle.SetUpOptions{DB: store, Directories: d.dirs, ProfilesOnly: !accounts}),
		Bases:  func(string) []string { return []string{stepsBase} }, KeepsAccounts: accounts, Now: clock, Logger: log,
		NewTest: func(_ context.Context, id sso.ID) (string, error) {
			return stepsBase + "/sign-in/test/" + string(id), nil
		},
		AppName: func(context.Context) string { return "Acme Shop" },
		Limits:  Limits{Pages: Rate{PerSecond: 1e6, Burst: 1e6}, Entry: Rate{PerSecond: 1e6, Burst: 1e6}},
	}
	if accounts {
		d.access = d.members.Access()
		d.dirs.SetMembers(d.members, d.access)
		o.Access, o.Mappings = d.access, lifecycle.NewMappings(store, d.access, d.dirs)
	}
	public, err := url.Parse(stepsBase + "/")
	d.must(err)
	d.handler = web.Front{
		Log: log, NewID: func() string { return d.ids.NewID("req") }, PublicURL: public, BodyLimit: 16 << 20,
		Refuse: func(_ http.ResponseWriter, _ *http.Request, f *fault.Error) {
			t.Errorf("the front had to answer: %v", f)
		},
	}.Wrap(New(o))
	return d
}

func (d *desk) alarms(sealer *db.Sealer, log *slog.Logger) *alert.Service {
	clock := func() time.Time { return d.now }
	d.alerts = alert.NewService(alert.Options{
		DB: d.db, Events: d.events, IDs: d.ids, Organizations: d.orgs, Admins: d.admins, Mails: d.mails, Directories: d.dirs, Connections: d.conns, Members: d.members, Catalog: d.catalog,
		Webhooks: webhook.NewService(webhook.Options{DB: d.db, Events: d.events, IDs: d.ids, Sealer: sealer, Now: clock, Logger: log, KnownType: func(event.Type) bool { return true }}),
		Portal:   func(string) string { return stepsBase }, Dashboard: func() string { return stepsBase + "/dashboard/" }, Now: clock, Logger: log,
	})
	return d.alerts
}

func (d *desk) must(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

func (d *desk) operator() event.Actor { return event.Actor{ID: "operator", Source: event.API} }

func (d *desk) organization(name string) org.Organization {
	d.Helper()
	o, err := d.orgs.Create(d.Context(), d.operator(), org.New{Name: name})
	d.must(err)
	return o
}

// browser is an IT admin's: it keeps the cookie of a session, and the token of the last page.
type adminBrowser struct {
	*desk
	organization org.ID
	cookie       string
}

// enter opens a link of an organization.
func (d *desk) enter(id org.ID, intent itadmin.Intent) *adminBrowser {
	d.Helper()
	_, address, err := d.admins.MakeLink(d.Context(), d.operator(), itadmin.NewLink{OrganizationID: id, Intent: intent})
	d.must(err)
	b := &adminBrowser{desk: d, organization: id}
	r := httptest.NewRequest(http.MethodPost, strings.TrimPrefix(address.Reveal(), stepsBase), nil)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		b.cookie = c.Name + "=" + c.Value
	}
	if w.Code != http.StatusSeeOther || b.cookie == "" {
		d.Fatalf("the link does not open: %d %s", w.Code, w.Body)
	}
	return b
}

// seen is an answer.
type seen struct {
	*testing.T
	status int
	to     string
	body   string
}

func (b *adminBrowser) do(method, path, body string) seen {
	b.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Cookie", b.cookie)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return seen{b.T, w.Code, w.Header().Get("Location"), w.Body.String()}
}

func (b *adminBrowser) get(path string) seen { b.Helper(); return b.do(http.MethodGet, path, "") }

var csrfInPage = regexp.MustCompile(`name="csrf" value="([0-9a-f]+)"`)

// token is that of the session: every page has a form to sign out.
func (b *adminBrowser) token() string {
	b.Helper()
	found := csrfInPage.FindStringSubmatch(b.get("/portal/home").body)
	if found == nil {
		b.Fatal("no page with a token")
	}
	return found[1]
}

// post sends a form, given as name, value, name, value.
func (b *adminBrowser) post(path string, pairs ...string) seen {
	b.Helper()
	form := url.Values{csrfField: {b.token()}}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return b.do(http.MethodPost, path, form.Encode())
}

func (s seen) wants(status int) seen {
	s.Helper()
	if s.status != status {
		s.Fatalf("status %d, want %d: %.3000s", s.status, status, text(s.body))
	}
	return s
}

// leads wants the way on.
func (s seen) leads() string {
	s.Helper()
	s.wants(http.StatusSeeOther)
	return s.to
}

func (s seen) shows(all ...string) seen {
	s.Helper()
	for _, want := range all {
		if !strings.Contains(s.body, want) && !strings.Contains(text(s.body), want) {
			s.Errorf("%q is not shown in %.6000s", want, text(s.body))
		}
	}
	return s
}

func (s seen) hides(all ...string) seen {
	s.Helper()
	for _, not := range all {
		if strings.Contains(s.body, not) {
			s.Errorf("%q is shown in %.6000s", not, text(s.body))
		}
	}
	return s
}

var (
	tags   = regexp.MustCompile(`<[^>]*>`)
	spaces = regexp.MustCompile(`\s+`)
)

// text is what a page says.
func text(body string) string {
	body = tags.ReplaceAllString(body, " ")
	body = strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(body)
	return spaces.ReplaceAllString(body, " ")
}

// push is the provider that a directory listens to.
type push struct {
	*desk
	directory directory.Directory
	access    *directory.Access
}

func (d *desk) push(id string, secret string) push {
	d.Helper()
	one, err := d.dirs.Get(d.Context(), directory.ID(id))
	d.must(err)
	opened, err := d.dirs.Authenticate(d.Context(), one.Address(), token.Secret(secret))
	d.must(err)
	return push{d, one, opened}
}

func (p push) object(text string) *scim.Object {
	p.Helper()
	o, err := scim.ReadObject([]byte(text), scim.DefaultLimits)
	p.must(err)
	return o
}

// exchange is the record of a request of the newest Okta.
func (p push) exchange(method, path, summary, agent string) *directory.Exchange {
	return &directory.Exchange{
		ID: p.dirs.NewExchangeID(), OrganizationID: p.directory.OrganizationID, DirectoryID: p.directory.ID, At: p.now.UTC().Truncate(time.Microsecond), Method: method, Path: path, Status: http.StatusOK,
		RequestID: "req_x", UserAgent: agent, Effect: []byte(`{"summary":` + string(scim.AppendString(nil, summary)) + `}`),
	}
}

const oktaAgent = "Okta SCIM Client 1.0.0"

func (p push) person(first, last, email string) {
	p.Helper()
	quote := func(s string) string { return string(scim.AppendString(nil, s)) }
	doc := `{"schemas":["` + scim.UserURN + `"],"userName":` + quote(email) + `,"name":{"givenName":` + quote(first) + `,"familyName":` + quote(last) + `},"emails":[{"value":` + quote(email) + `,"primary":true}],"active":true}`
	_, _, err := p.dirs.CreateUser(p.Context(), p.access, p.object(doc), func(directory.Outcome) *directory.Exchange {
		return p.exchange(http.MethodPost, "/Users", "made the person "+first, oktaAgent)
	})
	p.must(err)
}

func (p push) group(name string) string {
	p.Helper()
	g, err := p.dirs.CreateGroup(p.Context(), p.access, p.object(`{"schemas":["`+scim.GroupURN+`"],"displayName":`+string(scim.AppendString(nil, name))+`}`), nil,
		func(directory.Outcome) *directory.Exchange {
			return p.exchange(http.MethodPost, "/Groups", "made the group", oktaAgent)
		})
	p.must(err)
	return string(g.ID)
}

// provider is the one that signs people in.
type provider struct {
	*desk
	*samltest.IDP
}

const idpEntity = "https://idp.example.com/okta"

func (d *desk) provider() provider { return provider{d, samltest.New(idpEntity)} }

func (p provider) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Signer.Certificate.Raw}))
}

// metadata describes the provider.
func (p provider) metadata() string {
	return `<?xml version="1.0"?><md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="` + idpEntity + `"><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` +
		`<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>` + base64.StdEncoding.EncodeToString(p.Signer.Certificate.Raw) +
		`</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>`
}

// test makes a test sign-in; change makes the answer another than the right one, more are checks of who decides on accounts.
func (p provider) test(id sso.ID, change func(*samltest.Message), more ...sso.Check) {
	p.Helper()
	ctx, browser := p.Context(), token.HashOf("browser")
	out, err := p.conns.Start(ctx, sso.Start{ConnectionID: id, Kind: sso.Test, Browser: browser, Base: stepsBase, IP: "192.0.2.7", UserAgent: "Tester/1"})
	p.must(err)
	c, err := p.conns.Get(ctx, id)
	p.must(err)
	at := c.Addresses(stepsBase)
	m := p.Message(samltest.To{EntityID: at.EntityID, ACS: at.ACS}, p.now)
	m.InResponseTo, m.AssertionID = p.requestIn(out.URL), "_"+token.NewKey(20)
	m.Attributes[0].Values, m.NameID = []string{"ada@acme.example"}, "ada@acme.example"
	if change != nil {
		change(&m)
	}
	v, err := p.conns.ReceiveSAML(ctx, sso.SAMLArrival{
		Key: c.Key, Bases: func(string) []string { return []string{stepsBase} }, Response: samltest.Post(p.Respond(m, samltest.BothSigned)), Browser: browser, IP: "192.0.2.7", UserAgent: "Tester/1",
	})
	var refused *sso.Refusal
	if errors.As(err, &refused) {
		_, err = p.conns.Fail(ctx, refused)
		p.must(err)
		return
	}
	p.must(err)
	_, err = p.conns.FinishTest(ctx, v, more...)
	p.must(err)
}

var requestID = regexp.MustCompile(`ID="([^"]+)"`)

func (p provider) requestIn(address string) string {
	p.Helper()
	u, err := url.Parse(address)
	p.must(err)
	packed, err := base64.StdEncoding.DecodeString(u.Query().Get("SAMLRequest"))
	p.must(err)
	request, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	p.must(err)
	return requestID.FindStringSubmatch(string(request))[1]
}

func newUser(email string) member.NewUser { return member.NewUser{Email: email} }

func newMembership(u member.UserID, organization string) member.NewMembership {
	return member.NewMembership{OrganizationID: organization, UserID: u}
}

func newRole(slug, name string) access.NewRole { return access.NewRole{Slug: slug, Name: name} }

func pemOfSigner(s samltest.Signer) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate.Raw}))
}

func samlEscape(text string) string { return html.EscapeString(text) }

// refused is the record of a request with a wrong token.
func (p push) refused() *directory.Exchange {
	x := p.exchange(http.MethodGet, "/Users", "", oktaAgent)
	x.Status, x.Refused = http.StatusUnauthorized, true
	x.Effect = []byte(`{"summary":"refused","refusal":{"reason":"The token is wrong.","fix_by":"it_admin","advice":"Paste the token again."}}`)
	return x
}

// join puts somebody into a group.
func (p push) join(group, email string) {
	p.Helper()
	users, _, _, err := p.dirs.APIUsers(p.Context(), directory.APIQuery{Directory: p.directory.ID, Email: email, Limit: 1})
	p.must(err)
	_, _, err = p.dirs.UpdateGroup(p.Context(), p.access, group, directory.Condition{}, func(doc *scim.Object) (*scim.Object, []scim.MemberChange, error) {
		return doc.Clone(), []scim.MemberChange{{Kind: scim.MembersAdd, Members: []scim.MemberRef{{Value: string(users[0].ID)}}}}, nil
	}, func(directory.Outcome) *directory.Exchange {
		return p.exchange(http.MethodPatch, "/Groups/"+group, "changed the group", oktaAgent)
	})
	p.must(err)
}

// flush lets the background write what is buffered: the records of refusals, the last use of tokens.
func (d *desk) flush() {
	d.Helper()
	ctx, cancel := context.WithCancel(d.Context())
	cancel()
	d.dirs.Run(ctx)
}

// used waits until the last use of the tokens is written.
func (d *desk) used(directory.ID) { d.Helper(); d.flush() }

// applied runs the background until members follow the directory.
func (d *desk) applied(id directory.ID) {
	d.Helper()
	ctx, cancel := context.WithCancel(d.Context())
	done := make(chan struct{})
	go func() { defer close(done); d.dirs.Run(ctx) }()
	defer func() { cancel(); <-done }()
	for range 200 {
		p, err := d.dirs.Progress(d.Context(), id)
		d.must(err)
		if p.State == directory.UpToDate {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	d.Fatal("members do not follow")
}

func (d *desk) memberships(id org.ID) int {
	d.Helper()
	found, _, err := d.members.List(d.Context(), member.ListQuery{OrganizationID: string(id), Limit: 100})
	d.must(err)
	return len(found)
}

// audit is what is in the audit of an organization.
func (d *desk) audit(id org.ID) []event.AuditEntry {
	d.Helper()
	page, err := d.events.Audit(d.Context(), event.AuditQuery{OrganizationID: string(id), Limit: 100})
	d.must(err)
	return page.Entries
}
