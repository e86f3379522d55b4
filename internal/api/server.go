package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/api/openapi"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/idempotency"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
	"github.com/rollcallhq/rollcall/internal/webhook"
)

// Options are what the edge is built from.
type Options struct {
	Organizations *org.Service
	Directories   *directory.Service
	Events        *event.Log

	// Keys are the hashes of the management keys that are accepted. With none every request is a 401.
	Keys []token.Hash

	// PublicURL gives scheme and host, without a slash at the end, under which the identity provider of an organization reaches us:
	// SCIM addresses begin with it. By default it is what web.Front found out.
	PublicURL func(r *http.Request, organizationID string) string

	// KnownProvider says whether the catalogue of identity providers has an entry of this name. By default any name of the right
	// form may be given to a directory.
	KnownProvider func(slug string) bool

	MaxBody int64        // bytes of a body; 1 MiB
	Logger  *slog.Logger // slog.Default

	Lifecycle *lifecycle.Service
	Policies  *lifecycle.Policies
	Switches  *lifecycle.Switches

	// Idempotency keeps the answers to requests with an Idempotency-Key. Without it that header is ignored.
	Idempotency *idempotency.Service

	// RateLimit is how many requests a second each management key may make, and each address that comes without one; 0 is no limit.
	RateLimit float64

	Now func() time.Time // time.Now

	Snapshots *lifecycle.Snapshots

	Webhooks *webhook.Service

	Connections *sso.Service

	// NewTest gives the address at which a browser makes a test sign-in through a connection. Without it none are offered.
	NewTest func(ctx context.Context, connection sso.ID) (string, error)
	Issuer  *issuer.Service

	// Members and Sessions are nil where the app keeps the accounts.
	Members  *member.Service
	Access   *access.Service
	Mappings *lifecycle.Mappings
	Sessions *session.Service

	Audits       *lifecycle.Audits
	Offboardings *lifecycle.Offboardings
	Admins       *itadmin.Service
}

const defaultMaxBody = 1 << 20

func (o Options) filled() Options {
	if o.MaxBody <= 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.PublicURL == nil {
		o.PublicURL = func(r *http.Request, _ string) string { return web.From(r.Context()).Base }
	}
	if o.KnownProvider == nil {
		o.KnownProvider = func(string) bool { return true }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

type server struct {
	o      Options
	routes []route
	limits limits

	document document
}

// New makes the handler of the whole API. See the package comment for how to mount it.
func New(o Options) http.Handler {
	o = o.filled()
	return &server{o: o, routes: routes(), limits: newLimits(o.RateLimit), document: newDocument()}
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == openapi.Path {
		s.describe(w, r)
		return
	}
	found := s.find(r.URL)
	web.From(r.Context()).Route = found.class()
	if err := s.serve(w, r, found); err != nil {
		s.refuse(w, r, found, err)
	}
}

// serve: an address that is none is a 404 for everybody, for the addresses are no secret; what is at the others is behind the
// door, the methods too.
func (s *server) serve(w http.ResponseWriter, r *http.Request, t target) error {
	if t.row == nil {
		return errNowhere(r)
	}
	c, err := s.open(r, t)
	if err != nil {
		return err
	}
	h, err := t.handler(r.Method)
	if err != nil {
		return err
	}
	if c.repeatable(t) {
		return c.once(w, t, h)
	}
	return c.carryOut(w, h)
}

// carryOut has written nothing when it returns an error.
func (c *call) carryOut(w http.ResponseWriter, h handler) error {
	a, err := h(c)
	if err != nil {
		return err
	}
	return a.write(w)
}
