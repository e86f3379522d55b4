package dashboard_test

import (
	"bytes"
	"context"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/alert"
	"github.com/rollcallhq/rollcall/internal/dashboard"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/outbound"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
	"github.com/rollcallhq/rollcall/internal/web/assets"
	"github.com/rollcallhq/rollcall/internal/webhook"
)

var ctx = context.Background()

// world is an installation whose dashboard is behind a server. Its address is http://localhost:…, where browsers make passkeys.
type world struct {
	t         testing.TB
	db        *db.DB
	events    *event.Log
	operators *operator.Service
	orgs      *org.Service
	dirs      *directory.Service
	members   *member.Service
	conns     *sso.Service
	webhooks  *webhook.Service
	issuer    *issuer.Service
	alerts    *alert.Service
	sessions  *session.Service
	signIns   *lifecycle.SignIns
	policies  *lifecycle.Policies
	switches  *lifecycle.Switches
	server    *httptest.Server
	edge      http.Handler
	base      string
	log       *bytes.Buffer
	logging   sync.Mutex // holds log

	mu     sync.Mutex
	offset time.Duration
}

// each runs a story on both engines.
func each(t *testing.T, story func(t *testing.T, w *world), changes ...func(*dashboard.Options)) {
	t.Helper()
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) { story(t, newWorld(t, open(), changes...)) })
}

// small is a world on SQLite, for what has nothing to do with the engine.
func small(t testing.TB, changes ...func(*dashboard.Options)) *world {
	t.Helper()
	return newWorld(t, dbtest.Open(t, db.SQLite, migrations.Files), changes...)
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

// newWorld builds the services as the app does, and starts the server.
func newWorld(t testing.TB, d *db.DB, changes ...func(*dashboard.Options)) *world {
	t.Helper()
	w := &world{t: t, db: d, log: &bytes.Buffer{}}
	logger := slog.New(slog.NewTextHandler(locked{&w.logging, w.log}, nil))
	ids := token.NewSource(time.Now)
	sealer, err := db.NewSealer([]byte("0123456789abcdef0123456789abcdef"))
	w.ok(err)
	catalog, err := idp.Load()
	w.ok(err)
	policy := outbound.NewPolicy([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	})
	w.server = httptest.NewUnstartedServer(nil)
	w.base = strings.Replace("http://"+w.server.Listener.Addr().String(), "127.0.0.1", "localhost", 1)

	w.events = event.NewLog(d, ids)
	w.operators = operator.NewService(operator.Options{DB: d, Events: w.events, IDs: ids, Now: w.now, Logger: logger})
	w.orgs = org.NewService(d, w.events, ids, w.now)
	w.dirs = directory.NewService(directory.Options{DB: d, Events: w.events, IDs: ids, Now: w.now, Logger: logger, APIKeys: w.orgs})
	w.orgs.SetDoors(w.dirs)
	w.sessions = session.NewService(session.Options{DB: d, Events: w.events, IDs: ids, Sealer: sealer, Now: w.now, Logger: logger})
	w.members = member.NewService(d, w.events, ids, w.orgs, w.sessions, w.now)
	mails, err := mail.NewOutbox(mail.Options{DB: d, IDs: ids, Sealer: sealer, Now: w.now, Logger: logger, App: "Test"})
	w.ok(err)
	w.conns = sso.NewService(sso.Config{
		DB: d, Events: w.events, IDs: ids, Sealer: sealer, Organizations: w.orgs, Sessions: w.sessions, Members: w.members, Policy: policy, Catalog: catalog, Now: w.now, Logger: logger,
	})
	w.issuer = issuer.NewService(issuer.Options{
		DB: d, Events: w.events, IDs: ids, Sealer: sealer, Sessions: w.sessions, Policy: policy, Issuer: w.base, ClientID: w.orgs.ClientID, UserAgent: "test", Now: w.now, Logger: logger,
	})
	w.members.SetInviting(member.Inviting{Sealer: sealer, Mails: mails, Base: func(string) string { return w.base }})
	w.signIns = lifecycle.NewSignIns(lifecycle.SignInOptions{
		DB: d, Events: w.events, Organizations: w.orgs, Members: w.members, Connections: w.conns, Sessions: w.sessions, Issuer: w.issuer, Mails: mails,
		Sealer: sealer, Now: w.now, Logger: logger, Bases: func(string) []string { return []string{w.base} },
	})
	w.issuer.SetPeople(w.signIns)
	w.issuer.SetProfiles(w.signIns)
	w.issuer.SetAccounts(w.signIns)
	w.dirs.SetMembers(w.members, w.members.Access())
	w.webhooks = webhook.NewService(webhook.Options{
		DB: d, Events: w.events, IDs: ids, Sealer: sealer, Policy: policy, Now: w.now, Logger: logger, KnownType: func(event.Type) bool { return true }, UserAgent: "test",
	})
	w.policies = lifecycle.NewPolicies(lifecycle.PolicyOptions{
		DB: d, Events: w.events, Organizations: w.orgs, Directories: w.dirs, Members: w.members, Connections: w.conns, Sessions: w.sessions, Mails: mails, Now: w.now, Access: w.members.Access(),
	})
	admins := itadmin.NewService(itadmin.Options{
		DB: d, Events: w.events, IDs: ids, Sealer: sealer, Organizations: w.orgs, Mails: mails, Base: func(string) string { return w.base }, Now: w.now, Logger: logger,
	})
	w.alerts = alert.NewService(alert.Options{
		DB: d, Events: w.events, IDs: ids, Organizations: w.orgs, Admins: admins, Mails: mails, Directories: w.dirs, Connections: w.conns, Webhooks: w.webhooks, Members: w.members, Catalog: catalog,
		Portal: func(string) string { return w.base }, Dashboard: func() string { return w.base + dashboard.Prefix }, Now: w.now, Logger: logger,
	})
	deletions := lifecycle.NewService(d, w.orgs, w.dirs, w.members, w.now)
	deletions.SetConnections(w.conns)
	site, err := web.NewSite(web.Brand{}, w.now)
	w.ok(err)
	w.switches = lifecycle.NewSwitches(lifecycle.SwitchOptions{
		DB: d, Events: w.events, IDs: ids, Organizations: w.orgs, Directories: w.dirs, Connections: w.conns, Members: w.members, Access: w.members.Access(), Now: w.now, Logger: logger,
	})
	o := dashboard.Options{
		Site: site, Operators: w.operators, Organizations: w.orgs, Directories: w.dirs, Events: w.events, Catalog: catalog, Lifecycle: deletions, Policies: w.policies,
		Webhooks: w.webhooks, Connections: w.conns, Issuer: w.issuer, Access: w.members.Access(), Mappings: lifecycle.NewMappings(d, w.members.Access(), w.dirs),
		Alerts: w.alerts, Healths: lifecycle.NewHealths(w.dirs, w.conns, nil),
		Audits: lifecycle.NewAudits(d, w.orgs, w.now), Members: w.members, Sessions: w.sessions, NewTest: w.signIns.NewTest, Now: w.now, Logger: logger,
		Offboardings: lifecycle.NewOffboardings(lifecycle.OffboardingOptions{
			DB: d, Events: w.events, IDs: ids, Organizations: w.orgs, Directories: w.dirs, Webhooks: w.webhooks, Issuer: w.issuer, Observe: func(float64) {}, Now: w.now, Logger: logger,
		}),
		Switches:   w.switches,
		RedeemRate: dashboard.Rate{PerSecond: 1000, Burst: 1000},
	}
	for _, change := range changes {
		change(&o)
	}
	edge := dashboard.New(o)
	w.edge = edge
	w.server.Config.Handler = web.Front{
		Log: logger, NewID: func() string { return ids.NewID("req") }, Deadline: time.Minute, BodyLimit: 16 << 20,
		Refuse: func(rw http.ResponseWriter, _ *http.Request, _ *fault.Error) {
			rw.WriteHeader(http.StatusInternalServerError)
		},
	}.Wrap(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, assets.Prefix):
			site.Assets().ServeHTTP(rw, r)
		case dashboard.Serves(r.URL.Path):
			edge.ServeHTTP(rw, r)
		default:
			http.NotFound(rw, r)
		}
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

// said is what the log holds so far. A line about a request may come after its answer.
func (w *world) said() string {
	w.logging.Lock()
	defer w.logging.Unlock()
	return w.log.String()
}

// browser keeps cookies and follows nothing by itself.
type browser struct {
	w      *world
	client *http.Client
}

// stranger is a browser that nobody has signed in with.
func (w *world) stranger() *browser {
	jar, err := cookiejar.New(nil)
	w.ok(err)
	return &browser{w, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// link makes an operator and gives the path of a link that signs them in.
func (w *world) link(email string, role operator.Role) (operator.Operator, string) {
	w.t.Helper()
	secret := operator.NewSecret()
	o, err := w.operators.Invite(ctx, operator.New{Email: email, Role: role}, token.HashOf(secret), operator.SentLinkLife)
	w.ok(err)
	return o, "/dashboard/link/" + secret.Reveal()
}

// as is the browser of a new operator of this role, signed in.
func (w *world) as(role operator.Role) *browser {
	w.t.Helper()
	_, path := w.link(string(role)+"@example.com", role)
	b := w.stranger()
	b.post(path, nil).want(w.t, http.StatusSeeOther)
	return b
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

func (b *browser) get(path string) answer {
	b.w.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.w.base+path, nil)
	b.w.ok(err)
	return b.do(r)
}

// post sends fields as a browser does from our own pages; headers are pairs that replace what it says.
func (b *browser) post(path string, fields url.Values, headers ...string) answer {
	b.w.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.w.base+path, strings.NewReader(fields.Encode()))
	b.w.ok(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return b.do(r)
}

var tokenInPage = regexp.MustCompile(`name="csrf" value="([0-9a-f]+)"`)

// token is that of the session, as every page has it.
func (b *browser) token() string {
	b.w.t.Helper()
	found := tokenInPage.FindStringSubmatch(b.get("/dashboard/account").want(b.w.t, http.StatusOK).body)
	if found == nil {
		b.w.t.Fatal("a page without a token")
	}
	return found[1]
}

// send is a post with the token of the session: pairs are names and values of further fields.
func (b *browser) send(path string, pairs ...string) answer {
	b.w.t.Helper()
	fields := url.Values{"csrf": {b.token()}}
	for i := 0; i+1 < len(pairs); i += 2 {
		fields.Add(pairs[i], pairs[i+1])
	}
	return b.post(path, fields)
}

// want stops the test on another status.
func (a answer) want(t testing.TB, status int) answer {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%s %s: status %d, want %d; Location %q\n%.1500s", a.Request.Method, a.Request.URL, a.StatusCode, status, a.Header.Get("Location"), a.text())
	}
	return a
}

var tags = regexp.MustCompile(`(?s)<head>.*?</head>|<[^>]*>`)

// text is what a person reads.
func (a answer) text() string {
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(a.body, " "))), " ")
}

// says stops the test where a person does not read all of these.
func (a answer) says(t testing.TB, wanted ...string) answer {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(a.text(), want) {
			t.Fatalf("%s %s does not say %q:\n%.3000s", a.Request.Method, a.Request.URL, want, a.text())
		}
	}
	return a
}

// location is where the answer leads.
func (a answer) location(t testing.TB) string {
	t.Helper()
	a.want(t, http.StatusSeeOther)
	return a.Header.Get("Location")
}

// audits are the changes by an action, newest first, as "target actor".
func (w *world) audits(action string) (out []string) {
	w.t.Helper()
	rows, err := w.db.Query(ctx, `SELECT target, actor_id FROM audit_entries WHERE action = $1 ORDER BY id DESC`, action)
	w.ok(err)
	defer rows.Close()
	for rows.Next() {
		var target, actor string
		w.ok(rows.Scan(&target, &actor))
		out = append(out, target+" "+actor)
	}
	w.ok(rows.Err())
	return out
}
