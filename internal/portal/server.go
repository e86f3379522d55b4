package portal

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/alert"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/web"
)

// Options are what the edge is built from.
type Options struct {
	Admins        *itadmin.Service
	Alerts        *alert.Service
	Organizations *org.Service
	Connections   *sso.Service
	Directories   *directory.Service
	Members       *member.Service
	Policies      *lifecycle.Policies
	Audits        *lifecycle.Audits
	Offboardings  *lifecycle.Offboardings
	Healths       *lifecycle.Healths
	Events        *event.Log
	SetUps        *lifecycle.SetUps
	Catalog       *idp.Catalog
	Site          *web.Site

	// Bases are every address of this installation, first the one that an organization's identity provider is given.
	Bases func(organizationID string) []string
	// NewTest gives the address at which a browser makes a test sign-in through a connection.
	NewTest func(ctx context.Context, connection sso.ID) (string, error)
	// AppName is what people sign in to; "" where nobody has said.
	AppName func(ctx context.Context) string
	// Access and Mappings are what groups of a directory give; nil where the app keeps the accounts.
	Access   *access.Service
	Mappings *lifecycle.Mappings
	// TestIDP is where the test identity provider of the demo is, which is in its catalogue alone; "" elsewhere.
	TestIDP string
	// KeepsAccounts: Rollcall has the accounts. Where the app has them nothing is known of who has access and who left.
	KeepsAccounts bool

	Limits Limits
	Now    func() time.Time // time.Now
	Logger *slog.Logger     // slog.Default
}

// Limits are per address of a caller, the network of it with IPv6. Zero fields are those of DefaultLimits.
type Limits struct {
	Pages Rate // all pages
	Entry Rate // addresses typed, links opened, codes entered
}

// Rate is a token bucket.
type Rate struct {
	PerSecond float64
	Burst     int
}

// DefaultLimits suffer an office behind one address, and no guessing.
func DefaultLimits() Limits { return Limits{Pages: Rate{20, 200}, Entry: Rate{0.2, 20}} }

func (r Rate) or(other Rate) Rate {
	if r == (Rate{}) {
		return other
	}
	return r
}

const (
	keptAddresses = 100_000 // callers that the limits remember
	maxForm       = 1 << 20 // bytes: a provider's metadata is pasted into some
)

// Server is the edge.
type Server struct {
	o      Options
	routes []route
	origin *http.CrossOriginProtection
	pages  *web.Limiter
	entry  *web.Limiter
	steps  *steps

	comparing chan struct{} // a place for each comparison that is made
}

// New makes the edge.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	limits := DefaultLimits()
	limiter := func(r Rate) *web.Limiter { return web.NewBurstLimiter(r.PerSecond, r.Burst, keptAddresses) }
	return &Server{
		o: o, comparing: make(chan struct{}, comparedAtOnce), steps: newSteps(o), routes: routes(), origin: http.NewCrossOriginProtection(),
		pages: limiter(o.Limits.Pages.or(limits.Pages)), entry: limiter(o.Limits.Entry.or(limits.Entry)),
	}
}
