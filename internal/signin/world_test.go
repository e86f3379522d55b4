package signin_test

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/outbound"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/signin"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
)

var ctx = context.Background()

func operator() event.Actor { return event.Actor{ID: "test", Source: event.API} }

const (
	callback      = "https://app.example/callback"
	managementKey = token.Secret("sk_test_0123456789abcdef0123456789abcdef")
	verifier      = "0123456789abcdef0123456789abcdef0123456789abcdef"
)

// letters gathers what would have been mailed.
type letters struct {
	mu  sync.Mutex
	got []mail.Letter
}

func (l *letters) Send(_ context.Context, letter mail.Letter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got = append(l.got, letter)
	return nil
}

// world is an installation behind a server, an organization with a verified domain, and an identity provider that does what it is told.
type world struct {
	t       testing.TB
	db      *db.DB
	events  *event.Log
	orgs    *org.Service
	dirs    *directory.Service
	members *member.Service
	conns   *sso.Service
	issuer  *issuer.Service
	signIns *lifecycle.SignIns
	policy  *lifecycle.Policies
	mails   *mail.Outbox
	inbox   *letters
	server  *httptest.Server
	log     *bytes.Buffer

	idp    *samltest.IDP
	org    org.Organization
	conn   sso.Connection
	app    issuer.Application
	secret token.Secret
	offset time.Duration
	mu     sync.Mutex
}

type change func(*lifecycle.SignInOptions, *signin.Options)

// each runs a story on both engines.
func each(t *testing.T, story func(t *testing.T, w *world), changes ...change) {
	t.Helper()
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) { story(t, newWorld(t, open(), changes...)) })
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.offset)
}

// later moves the clock.
func (w *world) later(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.offset += d
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func newWorld(t testing.TB, d *db.DB, changes ...change) *world {
	t.Helper()
	w := assemble(t, d, changes...)
	w.furnish()
	return w
}

// restarted is the same installation in another process.
func (w *world) restarted() *world {
	w.t.Helper()
	next := assemble(w.t, w.db)
	next.idp, next.org, next.conn, next.app, next.secret, next.offset = w.idp, w.org, w.conn, w.app, w.secret, w.offset
	return next
}

// assemble builds the services and starts the server.
func assemble(t testing.TB, d *db.DB, changes ...change) *world {
	t.Helper()
	return assembleWith(t, d, func(*sso.Config) {}, changes...)
}

func assembleWith(t testing.TB, d *db.DB, connections func(*sso.Config), changes ...change) *world {
	t.Helper()
	w := &world{t: t, db: d, inbox: &letters{}, log: &bytes.Buffer{}}
	var mu sync.Mutex
	logger := slog.New(slog.NewTextHandler(locked{&mu, w.log}, nil))
	ids := token.NewSource(time.Now)
	w.events = event.NewLog(d, ids)
	w.orgs = org.NewService(d, w.events, ids, w.now)
	w.dirs = directory.NewService(directory.Options{DB: d, Events: w.events, IDs: ids, Now: w.now, Logger: logger, APIKeys: w.orgs})
	w.orgs.SetDoors(w.dirs)
	sealer, err := db.NewSealer([]byte("0123456789abcdef0123456789abcdef"))
	w.ok(err)
	catalog, err := idp.Load()
	w.ok(err)
	policy := outbound.NewPolicy([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, func(ctx context.Context, host string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	})
	sessions := session.NewService(session.Options{DB: d, Events: w.events, IDs: ids, Sealer: sealer, Now: w.now, Logger: logger})
	w.members = member.NewService(d, w.events, ids, w.orgs, sessions, w.now)
	w.mails, err = mail.NewOutbox(mail.Options{DB: d, IDs: ids, Sealer: sealer, Now: w.now, Logger: logger, Sender: w.inbox, App: "Test"})
	w.ok(err)
	config := sso.Config{
		DB: d, Events: w.events, IDs: ids, Sealer: sealer, Organizations: w.orgs, Sessions: sessions, Members: w.members, Policy: policy, Catalog: catalog,
		Now: w.now, Logger: logger,
	}
	connections(&config)
	w.conns = sso.NewService(config)
	site, err := web.NewSite(web.Brand{}, w.now)
	w.ok(err)
	w.server = httptest.NewUnstartedServer(nil)
	base := "http://" + w.server.Listener.Addr().String()
	w.issuer = issuer.NewService(issuer.Options{
		DB: d, Events: w.events, IDs: ids, Sealer: sealer, Sessions: sessions, Policy: policy, Issuer: base, ClientID: w.orgs.ClientID,
		ManagementKeys: []token.Hash{token.HashOf(managementKey)}, UserAgent: "test", Now: w.now, Logger: logger,
	})
	bases := func(string) []string { return []string{base} }
	lo := lifecycle.SignInOptions{
		DB: d, Events: w.events, Organizations: w.orgs, Members: w.members, Connections: w.conns, Sessions: sessions, Issuer: w.issuer, Mails: w.mails,
		Sealer: sealer, Now: w.now, Logger: logger, Bases: bases,
	}
	so := signin.Options{Issuer: w.issuer, Connections: w.conns, Pages: web.NewPages(site), Bases: bases, Now: w.now, Logger: logger}
	for _, c := range changes {
		c(&lo, &so)
	}
	w.signIns = lifecycle.NewSignIns(lo)
	w.policy = lifecycle.NewPolicies(lifecycle.PolicyOptions{
		DB: d, Events: w.events, Organizations: w.orgs, Directories: w.dirs, Members: w.members, Connections: w.conns, Sessions: sessions, Mails: w.mails,
		Now: w.now, ProfilesOnly: lo.ProfilesOnly,
		Access: access.NewService(access.Options{DB: d, Events: w.events, IDs: ids, Now: w.now, Living: func(ctx context.Context, tx db.Tx, id string) error {
			return w.orgs.LockTx(ctx, tx, org.ID(id))
		}}),
	})
	so.SignIns = w.signIns
	w.issuer.SetPeople(w.signIns)
	w.issuer.SetProfiles(w.signIns)
	if !lo.ProfilesOnly {
		w.issuer.SetAccounts(w.signIns)
	}
	w.members.SetInviting(member.Inviting{Sealer: sealer, Mails: w.mails, Base: func(string) string { return base }})
	edge := signin.New(so)
	w.server.Config.Handler = web.Front{
		Log: logger, NewID: func() string { return ids.NewID("req") }, Domains: web.NewDomains(nil), Deadline: time.Minute, BodyLimit: 16 << 20,
		Refuse: func(rw http.ResponseWriter, _ *http.Request, _ *fault.Error) {
			rw.WriteHeader(http.StatusInternalServerError)
		},
	}.Wrap(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !edge.Serves(r) {
			http.NotFound(rw, r)
			return
		}
		edge.ServeHTTP(rw, r)
	}))
	w.server.Start()
	t.Cleanup(w.server.Close)
	return w
}

type locked struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func (w *world) furnish() {
	w.t.Helper()
	var err error
	w.org, err = w.orgs.Create(ctx, operator(), org.New{Name: "Acme", Domains: []org.NewDomain{{Domain: "acme.example", State: org.Verified}}})
	w.ok(err)
	w.idp = samltest.New("https://idp.example/metadata")
	w.conn = w.connect(w.org.ID, w.idp, "")
	w.app, err = w.issuer.Default(ctx)
	w.ok(err)
	_, err = w.issuer.AddRedirectURI(ctx, callback)
	w.ok(err)
	_, w.secret, err = w.issuer.CreateSecret(ctx, w.app.ID)
	w.ok(err)
	w.ok(w.issuer.TendKeys(ctx))
}

func ref[T any](v T) *T { return &v }

// connect makes a SAML connection that trusts an identity provider; options is a JSON object.
func (w *world) connect(id org.ID, p *samltest.IDP, options string) sso.Connection {
	w.t.Helper()
	cert := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate.Raw}))
	n := sso.New{OrganizationID: string(id), Type: "GenericSAML", Settings: sso.Change{
		Name:        ref("Acme SAML"),
		IDPEntityID: ref(p.EntityID), SSOURL: ref("https://idp.example/sso"), Certificates: ref([]string{cert}),
	}}
	if options != "" {
		n.Settings.Options = []byte(options)
	}
	c, err := w.conns.Create(ctx, operator(), n)
	w.ok(err)
	return c
}

// browser keeps cookies and follows nothing by itself.
type browser struct {
	w      *world
	client *http.Client
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	w.ok(err)
	return &browser{w, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// answer is a response with its body read.
type answer struct {
	*http.Response
	body string
}

func (b *browser) do(r *http.Request) answer {
	b.w.t.Helper()
	response, err := b.client.Do(r)
	b.w.ok(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	b.w.ok(err)
	return answer{response, string(body)}
}

func (b *browser) get(address string) answer {
	b.w.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.w.server.URL + address
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	b.w.ok(err)
	return b.do(r)
}

func (b *browser) post(address string, fields url.Values, headers ...string) answer {
	b.w.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.w.server.URL + address
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(fields.Encode()))
	b.w.ok(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return b.do(r)
}

// want stops the test on another status.
func (a answer) want(t testing.TB, status int) answer {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%s %s: status %d, want %d; Location %q\n%s", a.Request.Method, a.Request.URL, a.StatusCode, status, a.Header.Get("Location"), text(a.body))
	}
	return a
}

// location is where the answer leads.
func (a answer) location(t testing.TB) *url.URL {
	t.Helper()
	if a.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s %s: status %d, want a redirect\n%s", a.Request.Method, a.Request.URL, a.StatusCode, text(a.body))
	}
	u, err := url.Parse(a.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func text(page string) string {
	page = regexp.MustCompile(`(?s)<style>.*?</style>|<svg.*?</svg>|<[^>]*>`).ReplaceAllString(page, " ")
	return strings.Join(strings.Fields(page), " ")
}

// hidden is the value of a field of the page's form.
func (a answer) hidden(t testing.TB, name string) string {
	t.Helper()
	m := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(a.body)
	if m == nil {
		t.Fatalf("no field %s on the page: %s", name, text(a.body))
	}
	return strings.NewReplacer("&#43;", "+", "&#34;", `"`, "&amp;", "&").Replace(m[1])
}

func challenge() string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// authorization is the address of a request of the default application; more are names and values.
func (w *world) authorization(more ...string) string {
	q := url.Values{
		"client_id": {w.app.ClientID}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid profile email"}, "state": {"xyz"},
		"code_challenge": {challenge()}, "code_challenge_method": {"S256"}, "nonce": {"n-1"},
	}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
		if more[i+1] == "" {
			q.Del(more[i])
		}
	}
	return "/oauth2/authorize?" + q.Encode()
}

// atProvider begins a sign-in and gives the id of the request with which the browser came to the provider, and its relay state.
func (b *browser) atProvider(address string) (request, relay string) {
	b.w.t.Helper()
	to := b.get(address).location(b.w.t)
	return b.w.requestID(to), to.Query().Get("RelayState")
}

func (w *world) requestID(to *url.URL) string {
	w.t.Helper()
	if to.Host != "idp.example" {
		w.t.Fatalf("led to %s, want the identity provider", to)
	}
	packed, err := base64.StdEncoding.DecodeString(to.Query().Get("SAMLRequest"))
	w.ok(err)
	doc, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	w.ok(err)
	m := regexp.MustCompile(` ID="([^"]+)"`).FindSubmatch(doc)
	if m == nil {
		w.t.Fatalf("no ID in %s", doc)
	}
	return string(m[1])
}

// message is a right answer of the provider for a connection.
func (w *world) message(c sso.Connection, request string) samltest.Message {
	at := c.Addresses(w.server.URL)
	m := w.idp.Message(samltest.To{EntityID: at.EntityID, ACS: at.ACS}, w.now())
	m.InResponseTo, m.ID, m.AssertionID = request, "_r"+request, "_a"+request
	return m
}

func posted(response []byte, relay string) url.Values {
	return url.Values{"SAMLResponse": {samltest.Post(response)}, "RelayState": {relay}}
}

// deliver posts a response as the provider's page does.
func (b *browser) deliver(c sso.Connection, m samltest.Message, relay string) answer {
	b.w.t.Helper()
	return b.post("/saml/"+c.Key+"/acs", posted(b.w.idp.Respond(m, samltest.AssertionSigned), relay))
}

// signIn goes the whole way to the code.
func (b *browser) signIn(more ...string) (code string) {
	b.w.t.Helper()
	request, relay := b.atProvider(b.w.authorization(append([]string{"organization", string(b.w.org.ID)}, more...)...))
	to := b.deliver(b.w.conn, b.w.message(b.w.conn, request), relay).location(b.w.t)
	return b.w.code(to)
}

// code is what an application gets at its callback.
func (w *world) code(to *url.URL) string {
	w.t.Helper()
	if !strings.HasPrefix(to.String(), callback+"?") || to.Query().Get("code") == "" {
		w.t.Fatalf("led to %s, want the callback with a code", to)
	}
	return to.Query().Get("code")
}

// redeem is the application's token request.
func (w *world) redeem(code string) (int, map[string]any) {
	w.t.Helper()
	return w.token(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}})
}

func (w *world) token(fields url.Values) (int, map[string]any) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.server.URL+"/oauth2/token", strings.NewReader(fields.Encode()))
	w.ok(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(url.QueryEscape(w.app.ClientID), url.QueryEscape(w.secret.Reveal()))
	a := w.browser().do(r)
	if a.Header.Get("Cache-Control") != "no-store" {
		w.t.Errorf("token answer may be stored: %q", a.Header.Get("Cache-Control"))
	}
	out := map[string]any{}
	w.ok(json.Unmarshal([]byte(a.body), &out))
	return a.StatusCode, out
}

// claims of an ID token, not verified.
func (w *world) claims(answer map[string]any) map[string]any {
	w.t.Helper()
	parts := strings.Split(answer["id_token"].(string), ".")
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	w.ok(err)
	out := map[string]any{}
	w.ok(json.Unmarshal(raw, &out))
	return out
}

// attempts are those of a connection, newest first.
func (w *world) attempts(c sso.Connection) []sso.Attempt {
	w.t.Helper()
	out, _, err := w.conns.Attempts(ctx, sso.AttemptQuery{ConnectionID: c.ID, Limit: 100})
	w.ok(err)
	return out
}

// refusedWith checks that a sign-in was refused neutrally, and for which reason.
func (w *world) refusedWith(a answer, c sso.Connection, code sso.Code) {
	w.t.Helper()
	a.want(w.t, http.StatusForbidden)
	if !strings.Contains(a.body, "could not be signed in") || strings.Contains(a.body, string(code)) {
		w.t.Errorf("the page is not the neutral one: %s", text(a.body))
	}
	if strings.Contains(strings.Join(a.Header.Values("Set-Cookie"), ";"), "rollcall-session") {
		w.t.Error("a refusal set a session")
	}
	for _, attempt := range w.attempts(c) {
		if attempt.Refused != nil && strings.Contains(a.body, string(attempt.ID)) {
			if attempt.Refused.Code != code {
				w.t.Errorf("refused with %s (%s; wanted %q, got %q), want %s", attempt.Refused.Code, attempt.Refused.Message, attempt.Refused.Wanted, attempt.Refused.Got, code)
			}
			return
		}
	}
	w.t.Errorf("no refused attempt of connection %s on the page %s", c.ID, text(a.body))
}

// count gives the number of rows of a table.
func (w *world) count(table string) (n int) {
	w.t.Helper()
	w.ok(w.db.QueryRow(ctx, "SELECT COUNT(*) FROM "+table).Scan(&n))
	return n
}

// types are the types of the events so far.
func (w *world) types() (out []string) {
	w.t.Helper()
	after := ""
	for {
		part, err := w.events.List(ctx, event.Query{After: after, Limit: 100})
		w.ok(err)
		if len(part) == 0 {
			return out
		}
		for _, e := range part {
			out = append(out, string(e.Type))
		}
		after = part[len(part)-1].ID
	}
}

func (w *world) wantTypes(want ...string) {
	w.t.Helper()
	got := w.types()
	for _, one := range want {
		if !slices.Contains(got, one) {
			w.t.Errorf("no event %s among %v", one, got)
		}
	}
}
