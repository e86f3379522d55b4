package dashboard

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/alert"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
	"github.com/rollcallhq/rollcall/internal/webhook"
)

// Options are what the edge is built from. Those of nouns are what the API has: both call the same verbs.
type Options struct {
	Site      *web.Site
	Operators *operator.Service

	Organizations *org.Service
	Directories   *directory.Service
	Events        *event.Log
	Catalog       *idp.Catalog
	Lifecycle     *lifecycle.Service
	Policies      *lifecycle.Policies
	Webhooks      *webhook.Service
	Connections   *sso.Service
	Issuer        *issuer.Service
	Access        *access.Service
	Mappings      *lifecycle.Mappings
	Audits        *lifecycle.Audits
	Offboardings  *lifecycle.Offboardings
	Alerts        *alert.Service
	Healths       *lifecycle.Healths
	Switches      *lifecycle.Switches

	// Members and Sessions are nil where the app keeps the accounts.
	Members  *member.Service
	Sessions *session.Service

	// NewTest gives the address at which a browser makes a test sign-in through a connection.
	NewTest func(ctx context.Context, connection sso.ID) (string, error)
	// Again repeats a read that an identity provider made, by the path that was recorded; nil: it is not offered.
	Again func(ctx context.Context, d directory.ID, path string) (status int, body []byte, err error)
	// PublicURL gives scheme and host, without a slash at the end, under which the identity provider of an organization reaches us.
	PublicURL func(r *http.Request, organizationID string) string

	// Settings are the installation's as they hold, and Version and Database what runs where; nothing secret is in them.
	Settings          []Setting
	Version, Database string
	// Home is scheme and host of the dashboard, without a slash at the end, where the operator has named one: custom domains, which are for people of
	// organizations, lead there. "": it is served at every host.
	Home string

	// RedeemRate is how many links and passkeys each address may try; zero: DefaultRedeemRate.
	RedeemRate Rate
	Now        func() time.Time // time.Now
	Logger     *slog.Logger     // slog.Default
}

// Rate is a token bucket.
type Rate struct {
	PerSecond float64
	Burst     int
}

// DefaultRedeemRate lets nobody try links or passkeys for long. Neither can be guessed; what it spares is the database.
func DefaultRedeemRate() Rate { return Rate{PerSecond: 0.2, Burst: 20} }

// keptAddresses is how many callers the limit remembers.
const keptAddresses = 100_000

// Prefix is where all addresses of the dashboard begin.
const Prefix = "/dashboard/"

// LinkAddress is the whole address of a link that signs an operator in. base is scheme and host.
func LinkAddress(base string, secret token.Secret) string { return base + linkPath + secret.Reveal() }

// Server is the edge.
type Server struct {
	o      Options
	routes []route
	origin *http.CrossOriginProtection
	redeem *web.Limiter

	tallies tallies
}

// New makes the edge, to be mounted at Prefix.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.PublicURL == nil {
		o.PublicURL = func(r *http.Request, _ string) string { return web.From(r.Context()).Base }
	}
	if o.RedeemRate == (Rate{}) {
		o.RedeemRate = DefaultRedeemRate()
	}
	return &Server{
		o: o, routes: routes(), origin: http.NewCrossOriginProtection(),
		redeem: web.NewBurstLimiter(o.RedeemRate.PerSecond, o.RedeemRate.Burst, keptAddresses),
	}
}

// Serves tells whether a path belongs here.
func Serves(path string) bool {
	return path == strings.TrimSuffix(Prefix, "/") || strings.HasPrefix(path, Prefix)
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := &visit{s: s, w: w, r: r, q: web.From(r.Context())}
	v.q.Route = "dashboard"
	if err := s.serve(v); err != nil {
		v.refuse(err)
	}
}

func (s *Server) serve(v *visit) error {
	if v.r.URL.Path+"/" == Prefix {
		v.redirect(Prefix)
		return nil
	}
	if s.o.Home != "" && v.q.Known != "" && v.q.Known != s.o.Home {
		v.redirect(s.o.Home + Prefix)
		return nil
	}
	at, values := s.find(v.r.URL.Path)
	v.values = values
	if at != nil {
		v.q.Route = at.class
	}
	if at != nil && at.open != nil {
		return v.serveOpen(at)
	}
	// A stranger is sent to the sign-in whether or not there is something at the address.
	c, err := s.enter(v)
	if err != nil || c == nil {
		return err
	}
	if at == nil {
		return c.refused(errNothingHere())
	}
	return c.refused(c.serve(at))
}

func errNothingHere() error {
	return fault.New(fault.NotFound, "not_found", "There is nothing at this address.")
}

// limit takes one try of the caller's address out of its bucket.
func (v *visit) limit() error {
	wait, ok := v.s.redeem.Allow(web.Network(v.q.IP), v.s.o.Now())
	if ok {
		return nil
	}
	f := fault.New(fault.Limited, "too_many_requests", "%s", v.words().T("dashboard.too_many"))
	f.RetryAfter = wait
	return f
}
