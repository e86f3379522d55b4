package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rollcallhq/rollcall/internal/api"
	"github.com/rollcallhq/rollcall/internal/dashboard"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/idempotency"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/outbound"
	"github.com/rollcallhq/rollcall/internal/portal"
	"github.com/rollcallhq/rollcall/internal/scimapi"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
	"github.com/rollcallhq/rollcall/internal/web/assets"
	"github.com/rollcallhq/rollcall/internal/webhook"
)

// Limits of the server. A request that is slower than this has something wrong with it; both ends of a proxy keep
// connections for about a minute, and ours have to live longer than its.
const (
	headerTimeout   = 10 * time.Second
	readTimeout     = 60 * time.Second
	writeTimeout    = 90 * time.Second
	idleTimeout     = 2 * time.Minute
	requestDeadline = 60 * time.Second
	maxHeaderBytes  = 64 << 10
	maxBodyBytes    = 16 << 20 // the most an edge may accept; each has its own, lower, limit
	certificatePoll = 3 * time.Second
	eventPoll       = time.Second
	erasurePoll     = time.Minute
	analyzePoll     = 5 * time.Second
	clearPoll       = time.Second
)

// databaseFile is the SQLite database in the data folder.
const databaseFile = "rollcall.db"

// App is Rollcall, built and not yet or no longer serving.
type App struct {
	config  Config
	version string
	log     *slog.Logger
	db      *db.DB
	keys    SealingKeys
	metrics *metrics

	events        *event.Log
	organizations *org.Service
	directories   *directory.Service
	webhooks      *webhook.Service
	signIn        *signIn
	operators     *operator.Service
	admins        *itadmin.Service
	key           token.Hash // of the management key

	// NewKey is the management key when this start made it: to be shown now or never. Else it is empty.
	NewKey token.Secret

	// ClientID is this installation's, which SDKs want beside the management key. It is no secret.
	ClientID string

	cert     *certificate // nil without TLS
	listener net.Listener
	server   *http.Server
	workers  []worker
	hangup   chan struct{} // asks for the certificate to be read again
	stopping atomic.Bool
	closing  sync.Once
}

// worker is background work. It ends when ctx does, having finished or given up what it had in hand; New's list of them is
// what a stop waits for.
type worker struct {
	name string
	run  func(ctx context.Context)
}

// New opens the database, brings its schema up to date, builds every service and takes the address to listen on. The App
// must be Run or Closed.
func New(ctx context.Context, c Config, version string, log *slog.Logger) (_ *App, err error) {
	a := &App{config: c, version: version, log: log, hangup: make(chan struct{}, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()

	// The address first: it is the likeliest thing to be wrong, and nothing has been touched yet.
	if a.listener, err = listen(ctx, c.Listen); err != nil {
		return nil, err
	}
	if c.TLSCert != "" {
		if a.cert, err = loadCertificate(c.TLSCert, c.TLSKey, log); err != nil {
			return nil, err
		}
		a.background("certificate", func(ctx context.Context) { a.cert.follow(ctx, certificatePoll, a.hangup) })
	}
	if a.db, err = OpenDatabase(ctx, c, log); err != nil {
		return nil, err
	}
	if err = a.db.Migrate(ctx, migrations.Files); err != nil {
		return nil, fmt.Errorf("bring the schema up to date: %w", err)
	}
	if a.keys, err = sealingKeys(c); err != nil {
		return nil, err
	}
	a.metrics = newMetrics(version, a.db)
	a.background("statistics", a.tend)

	// The nouns, from the ground up.
	ids := token.NewSource(time.Now)
	a.events = event.NewLog(a.db, ids)
	a.organizations = org.NewService(a.db, a.events, ids, time.Now)
	a.directories = directory.NewService(directory.Options{
		DB: a.db, Events: a.events, IDs: ids, Now: time.Now, Logger: log,
		ExchangeRetention: c.ExchangeRetention, ExchangeMaxBytes: c.ExchangeMaxBytes, APIKeys: a.organizations,
	})
	a.organizations.SetDoors(a.directories)
	a.organizations.SetResolver(resolver(c.DNSServer))
	sealer, err := db.NewSealer(a.keys...)
	if err != nil {
		return nil, err
	}
	answers := idempotency.NewService(idempotency.Options{DB: a.db, Sealer: sealer, Now: time.Now, Logger: log})
	a.background("idempotency", answers.Run)

	if a.key, a.NewKey, err = managementKey(ctx, c, a.organizations); err != nil {
		return nil, err
	}
	if a.ClientID, err = a.organizations.ClientID(ctx); err != nil {
		return nil, err
	}
	a.webhooks = webhook.NewService(webhook.Options{
		DB: a.db, Events: a.events, IDs: ids, Sealer: sealer, Policy: outbound.NewPolicy(c.AllowTarget, lookup), Now: time.Now, Logger: log,
		KnownType: api.KnownWebhookType, Retention: c.WebhookRetention, UserAgent: "Rollcall/" + version,
	})
	a.background("webhooks", a.webhooks.Run)
	a.metrics.count("rollcall_webhooks_delivered_total", "Webhook deliveries that were accepted.", a.webhooks.Delivered)
	a.metrics.count("rollcall_webhooks_retried_total", "Failed attempts of webhook deliveries that will be repeated.", a.webhooks.Retried)
	a.metrics.count("rollcall_webhooks_failed_total", "Webhook deliveries given up after about three days.", a.webhooks.GivenUp)
	a.metrics.age("rollcall_webhooks_oldest_pending_seconds", "Age of the oldest webhook delivery that is still to be done.", a.webhooks.OldestPending)

	a.background("events", func(ctx context.Context) { a.events.Run(ctx, a.eventHousekeeping()) })
	a.background("erasures", func(ctx context.Context) { a.events.RunErasures(ctx, erasurePoll, a.eventHousekeeping().Fail) })
	a.background("directories", a.directories.Run)
	a.background("organizations", func(ctx context.Context) {
		a.organizations.Run(ctx, func(work string, err error) {
			log.Error("background work failed and will be tried again", "work", work, "error", err)
		})
	})
	a.metrics.count("rollcall_exchanges_dropped_total", "Recorded requests lost because the buffer was full.", a.directories.Dropped)
	a.metrics.count("rollcall_scim_unknown_total", "Requests that were refused at an address or with a token of no known directory.", a.directories.Unknown)

	catalog, err := catalogue(c)
	if err != nil {
		return nil, fmt.Errorf("catalogue of identity providers: %w", err)
	}

	domains := web.NewDomains(c.PublicURL, c.CustomDomains...)
	site, err := web.NewSite(c.Brand, time.Now)
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	if a.signIn, err = a.buildSignIn(ctx, c, ids, sealer, catalog, domains, site); err != nil {
		return nil, err
	}
	if err = a.signIn.prepare(ctx); err != nil {
		return nil, err
	}
	a.signIn.run(a)
	a.admins = a.itAdmins(c, ids, sealer, domains)
	alerts := a.alerts(c, ids, a.admins, catalog, domains)
	if c.Accounts == AccountsRollcall {
		a.provision()
		if err := a.pause(ctx); err != nil {
			return nil, err
		}
	}
	a.operators = operator.NewService(operator.Options{DB: a.db, Events: a.events, IDs: ids, Now: time.Now, Logger: log})
	a.background("operators", a.operators.Run)
	if c.DatabaseURL == "" {
		a.background("errands", a.runErrands)
	}
	deletions := lifecycle.NewService(a.db, a.organizations, a.directories, a.signIn.members, time.Now)
	deletions.SetConnections(a.signIn.connections)

	// The edges.
	cursorKey, err := a.keys.derive("scim list cursors")
	if err != nil {
		return nil, err
	}
	ofSCIM := scimapi.Options{
		Directory: a.directories, Catalog: catalog, Secret: cursorKey, RateLimit: c.RateLimit, Now: time.Now, Logger: log,
		Called: domains.Called, Preferred: domains.Preferred,
	}
	scim := scimapi.New(ofSCIM)
	policies, mappings := a.policies(c), lifecycle.NewMappings(a.db, a.signIn.members.Access(), a.directories)
	audits, offboardings := lifecycle.NewAudits(a.db, a.organizations, time.Now), a.offboardings(ids)
	switches := a.switches(c, ids)
	rest := api.New(api.Options{
		Organizations: a.organizations, Directories: a.directories, Events: a.events, Keys: []token.Hash{a.key},
		KnownProvider: func(slug string) bool { _, ok := catalog.Provider(idp.Slug(slug)); return ok }, Logger: log,
		PublicURL:   domains.Preferred,
		Lifecycle:   deletions,
		Policies:    policies,
		Switches:    switches,
		Idempotency: answers, RateLimit: c.APIRateLimit, Now: time.Now,
		Snapshots: lifecycle.NewSnapshots(a.events, a.directories),
		Webhooks:  a.webhooks,
		Audits:    audits, Offboardings: offboardings, Admins: a.admins,
		Connections: a.signIn.connections, NewTest: a.signIn.signIns.NewTest, Issuer: a.signIn.issuer,
		Members: a.signIn.accounts(c), Sessions: a.signIn.sessions,
		Access: a.signIn.members.Access(), Mappings: mappings,
	})
	forOperators := dashboard.New(dashboard.Options{
		Site: site, Operators: a.operators, Organizations: a.organizations, Directories: a.directories, Events: a.events, Catalog: catalog,
		Lifecycle: deletions, Policies: policies, Webhooks: a.webhooks, Connections: a.signIn.connections, NewTest: a.signIn.signIns.NewTest,
		Issuer: a.signIn.issuer, Members: a.signIn.accounts(c), Sessions: a.signIn.sessions, Access: a.signIn.members.Access(), Mappings: mappings,
		Audits: audits, Offboardings: offboardings, Switches: switches, Healths: a.healths(c, audits), Again: a.again(ofSCIM, domains), Alerts: alerts, PublicURL: domains.Preferred, Home: c.publicBase(), Now: time.Now, Logger: log,
		Settings: c.settings(), Version: version, Database: c.DescribeDatabase(),
	})
	forAdmins := a.portalPages(c, alerts, catalog, domains, site, policies, audits, offboardings)
	own := map[string]http.Handler{"/livez": a.own(a.live), "/readyz": a.own(a.ready), "/metrics": a.metricsPage()}

	a.server = newServer(web.Front{
		Log:       log,
		NewID:     func() string { return ids.NewID("req") },
		Proxies:   c.TrustedProxies,
		PublicURL: c.PublicURL,
		Domains:   domains,
		BodyLimit: maxBodyBytes,
		Deadline:  requestDeadline,
		Refuse:    refuse,
		Observe:   a.metrics.observe,
	}.Wrap(edges(own, files(site), scim, rest, forOperators, forAdmins, a.signIn)), log)
	if a.cert != nil {
		a.server.TLSConfig = a.cert.config()
	}
	return a, nil
}

// provision lets members follow what directories say.
func (a *App) provision() {
	a.directories.SetMembers(a.signIn.members, a.signIn.members.Access())
	a.signIn.members.SetDirectories(a.directories)
	a.signIn.members.Access().SetDirectories(a.directories)
	a.background("members", func(ctx context.Context) {
		a.signIn.members.Run(ctx, func(err error) { a.log.Error("work on members failed and will be tried again", "cause", err) })
	})
	a.metrics.count("rollcall_provisioning_applied_total", "People of directories that were applied to members.", a.directories.Applied)
	a.metrics.count("rollcall_provisioning_failed_total", "People of directories that could not be applied to members and were put off.", a.directories.NotApplied)
	a.metrics.age("rollcall_provisioning_oldest_due_seconds", "Age of the oldest change of a directory that has not reached members yet.", a.directories.OldestDue)
}

// pause keeps people whom directories brought while the app kept the accounts from being mailed before the operator says so.
func (a *App) pause(ctx context.Context) error {
	paused, err := a.directories.Pause(ctx)
	for _, h := range paused {
		a.log.Warn("a directory is paused: its people came while the app kept the accounts, and nobody is made a member or invited until you preview it (GET /directories/{id}/provisioning/preview) and let it go live (POST /directories/{id}/go_live)",
			"directory", h.Directory.ID, "organization", h.Directory.OrganizationID, "people", h.People)
	}
	return err
}

// managementKey: a configured key always counts; without one the first start makes its own, and later ones know its hash.
func managementKey(ctx context.Context, c Config, organizations *org.Service) (token.Hash, token.Secret, error) {
	if c.APIKey != "" {
		return token.HashOf(c.APIKey), "", nil
	}
	return organizations.ManagementKey(ctx)
}

// resolver asks one DNS server, or those of the system.
func resolver(server string) *net.Resolver {
	if server == "" {
		return net.DefaultResolver
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server)
	}}
}

// lookup resolves the names of webhook targets while they are being set up.
func lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// eventHousekeeping: positions are given at once after a commit of this process; the interval is for commits of others.
func (a *App) eventHousekeeping() event.Housekeeping {
	return event.Housekeeping{
		Retention: a.config.EventRetention,
		Every:     eventPoll,
		Fail:      func(err error) { a.log.Error("work on the event log failed and will be tried again", "cause", err) },
	}
}

// tend keeps the database's statistics from falling far behind a first sync, and its queues short.
func (a *App) tend(ctx context.Context) {
	analyze, clear := time.NewTicker(analyzePoll), time.NewTicker(clearPoll)
	defer analyze.Stop()
	defer clear.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-analyze.C:
			if err := a.db.Analyze(ctx); err != nil && ctx.Err() == nil {
				a.log.Warn("the database's statistics could not be refreshed; some reads may be slow", "cause", err)
			}
		case <-clear.C:
			if err := a.db.Clear(ctx); err != nil && ctx.Err() == nil {
				a.log.Warn("the database's queues could not be cleared of what was deleted; some reads may be slow", "cause", err)
			}
		}
	}
}

func (a *App) background(name string, run func(ctx context.Context)) {
	a.workers = append(a.workers, worker{name, run})
}

func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// OpenDatabase opens the database the configuration names, making SQLite's data folder, and does not migrate it.
func OpenDatabase(ctx context.Context, c Config, log *slog.Logger) (*db.DB, error) {
	opts := db.Options{URL: c.DatabaseURL, CommitDelay: c.CommitDelay, Logger: log}
	if c.DatabaseURL == "" {
		if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
			return nil, fmt.Errorf("data folder: %w", err)
		}
		opts.Path = filepath.Join(c.DataDir, databaseFile)
	}
	store, err := db.Open(ctx, opts)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	return store, nil
}

// DescribeDatabase says where the data is, without any password.
func (c Config) DescribeDatabase() string {
	if c.DatabaseURL != "" {
		return withoutPassword(c.DatabaseURL)
	}
	return filepath.Join(c.DataDir, databaseFile)
}

// AddressInUseError says that another program has the address to listen on.
type AddressInUseError struct{ Addr string }

func (e *AddressInUseError) Error() string {
	return e.Addr + " is in use by another program: stop it, or choose another address, like --listen 127.0.0.1:0 for a free port"
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, &AddressInUseError{Addr: addr}
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s may not be listened on by this user: ports below 1024 need a privilege; choose one above with --listen", addr)
	case err != nil:
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return l, nil
}

// Addr is the address listened on, with the port that was picked where the configuration had 0.
func (a *App) Addr() string { return a.listener.Addr().String() }

// URL is where a person on this machine, or anybody by the public URL, finds Rollcall.
func (a *App) URL() string {
	if a.config.PublicURL != nil {
		return a.config.PublicURL.String()
	}
	scheme := "http"
	if a.cert != nil {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(a.Addr())
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return scheme + "://" + net.JoinHostPort("localhost", port)
	}
	return scheme + "://" + a.Addr()
}

// Reload reads the TLS certificate again, as a hang-up signal asks for.
func (a *App) Reload() {
	select {
	case a.hangup <- struct{}{}:
	default: // one is waiting already
	}
}

// Run serves until ctx ends, then stops: no new connections, requests in flight finish within the shutdown timeout, background
// work ends, the database closes. It returns nil after an orderly stop.
func (a *App) Run(ctx context.Context) error {
	work, endWork := context.WithCancel(context.WithoutCancel(ctx))
	defer endWork()
	var working sync.WaitGroup
	for _, w := range a.workers {
		working.Go(func() { w.run(work) })
	}
	served := make(chan error, 1)
	go func() { served <- a.serve() }()

	var err error
	select {
	case err = <-served:
		err = fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
		err = a.stopServing(ctx)
		if e := <-served; !errors.Is(e, http.ErrServerClosed) {
			err = errors.Join(err, e)
		}
	}
	endWork()
	working.Wait()
	return errors.Join(err, a.Close())
}

func (a *App) serve() error {
	if a.cert == nil {
		return a.server.Serve(a.listener)
	}
	return a.server.ServeTLS(a.listener, "", "")
}

func (a *App) stopServing(ctx context.Context) error {
	a.stopping.Store(true)
	a.log.Info("stopping", "timeout", a.config.ShutdownTimeout.String())
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.config.ShutdownTimeout)
	defer cancel()
	if err := a.server.Shutdown(ctx); err != nil {
		// What is cut off here was not acknowledged; its transaction is whole or not there.
		return errors.Join(fmt.Errorf("some requests did not finish in %s: %w", a.config.ShutdownTimeout, err), a.server.Close())
	}
	return nil
}

// Close gives back what New took. It is for an App that was not Run; after Run it does nothing.
func (a *App) Close() (err error) {
	a.closing.Do(func() {
		if a.listener != nil {
			if e := a.listener.Close(); !errors.Is(e, net.ErrClosed) {
				err = e
			}
		}
		if a.db != nil {
			err = errors.Join(err, a.db.Close())
		}
	})
	return err
}

func (a *App) metricsPage() http.Handler {
	page := a.metrics.handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.From(r.Context()).Quiet()
		web.From(r.Context()).Route = "metrics"
		page.ServeHTTP(w, r)
	})
}

// files serves what pages fetch. Their lines would fill the log without saying anything.
func files(site *web.Site) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.From(r.Context()).Quiet()
		web.From(r.Context()).Route = "assets"
		site.Assets().ServeHTTP(w, r)
	})
}

// edges sends a request where its path belongs, and takes paths as they are: http.ServeMux would redirect doubled slashes, and
// some providers send them and do not follow.
func edges(own map[string]http.Handler, files, scim, rest, operators http.Handler, admins *portal.Server, people *signIn) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, ok := own[r.URL.Path]
		switch {
		case ok && (r.Method == http.MethodGet || r.Method == http.MethodHead):
			page.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, assets.Prefix):
			files.ServeHTTP(w, r)
		case dashboard.Serves(r.URL.Path):
			operators.ServeHTTP(w, r)
		case isSCIM(r.URL.Path):
			scim.ServeHTTP(w, r)
		case people.simulated != nil && strings.HasPrefix(r.URL.Path, simulatePath):
			people.simulated.ServeHTTP(w, r)
		case admins.Serves(r):
			admins.ServeHTTP(w, r)
		case people.edge.Serves(r):
			people.edge.ServeHTTP(w, r)
		default:
			rest.ServeHTTP(w, r)
		}
	})
}

// isSCIM says whose error format is due for a path. Slashes may be doubled at the front too: a base address that ends with one.
func isSCIM(path string) bool { return strings.HasPrefix(strings.TrimLeft(path, "/"), "scim/") }

// Migrate brings the schema up to date without serving and gives its version.
func Migrate(ctx context.Context, c Config, log *slog.Logger) (version int64, err error) {
	store, err := OpenDatabase(ctx, c, log)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := store.Migrate(ctx, migrations.Files); err != nil {
		return 0, fmt.Errorf("bring the schema up to date: %w", err)
	}
	return store.SchemaVersion(ctx)
}
