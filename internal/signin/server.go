package signin

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
)

// Options are what the edge is built from.
type Options struct {
	SignIns     *lifecycle.SignIns
	Issuer      *issuer.Service
	Connections *sso.Service
	Pages       *web.Pages
	// Bases are every address of this installation, first the one that an organization's identity provider is given.
	Bases  func(organizationID string) []string
	Limits Limits
	Now    func() time.Time // time.Now
	Logger *slog.Logger     // slog.Default
}

// Limits are per address of a caller, the network of it with IPv6. Zero fields are those of DefaultLimits.
type Limits struct {
	Pages    Rate // pages and sign-ins
	Mails    Rate // addresses typed and codes entered
	Failures Rate // requests of applications that were refused
}

// Rate is a token bucket.
type Rate struct {
	PerSecond float64
	Burst     int
}

// DefaultLimits suffer an office of thousands behind one address in the morning, and no guessing.
func DefaultLimits() Limits {
	return Limits{Pages: Rate{50, 500}, Mails: Rate{0.5, 60}, Failures: Rate{5, 100}}
}

func (r Rate) or(other Rate) Rate {
	if r == (Rate{}) {
		return other
	}
	return r
}

// keptAddresses is how many callers the limits remember.
const keptAddresses = 100_000

// Limits of bodies in bytes. A SAML response of 256 KiB is a third longer in base64, and may be percent-encoded on top.
const (
	maxForm = 64 << 10
	maxSAML = 1 << 20
)

// Server is the edge.
type Server struct {
	o        Options
	routes   []route
	origin   *http.CrossOriginProtection
	pages    *web.Limiter
	mails    *web.Limiter
	failures *web.Limiter
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
		o: o, routes: routes(), origin: http.NewCrossOriginProtection(), pages: limiter(o.Limits.Pages.or(limits.Pages)),
		mails: limiter(o.Limits.Mails.or(limits.Mails)), failures: limiter(o.Limits.Failures.or(limits.Failures)),
	}
}

// Serves tells whether a request belongs here: by its path, or as a post to an address that a connection has from a former vendor.
func (s *Server) Serves(r *http.Request) bool {
	if at, _ := find(s.routes, r.URL.Path); at != nil {
		return true
	}
	return r.Method == http.MethodPost && isForm(r) && web.IsText(r.URL.Path) && s.taken(r.Context(), r.URL.Path)
}

// unreadable refuses values that are no text.
func unreadable(values url.Values, what string) error {
	if !web.AreText(values) {
		return fault.New(fault.Invalid, "invalid_request", "%s holds something that is not UTF-8, or the character NUL.", what)
	}
	return nil
}

// taken looks for a connection at a further path. A failure of the database is left to be found by the handler.
func (s *Server) taken(ctx context.Context, path string) bool {
	takes, err := s.o.Connections.Takes(ctx, path)
	return takes || err != nil
}

func isForm(r *http.Request) bool {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded")
}

// call is one request being served.
type call struct {
	s      *Server
	w      http.ResponseWriter
	r      *http.Request
	q      *web.Request
	kind   kind
	values map[string]string // of the path's placeholders
}

func (c *call) ctx() context.Context { return c.r.Context() }

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at, values := find(s.routes, r.URL.Path)
	c := &call{s: s, w: w, r: r, q: web.From(r.Context()), values: values, kind: posted}
	e := entry{posted, receiveSAML}
	c.q.Route = "saml_acs"
	if at != nil {
		c.q.Route = at.class
		var ok bool
		if e, ok = at.entry(r.Method); !ok {
			c.kind = at.anyKind()
			c.notAllowed(at)
			return
		}
	}
	c.kind = e.kind
	if !web.IsText(r.URL.Path) {
		c.refuse(fault.New(fault.NotFound, "not_found", "There is nothing at this address."))
		return
	}
	if err := c.serve(e); err != nil {
		c.refuse(err)
	}
}

func (t route) entry(method string) (entry, bool) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	e, ok := t.methods[method]
	return e, ok
}

func (t route) anyKind() kind {
	for _, e := range t.methods {
		return e.kind
	}
	return page
}

func (c *call) serve(e entry) error {
	if e.kind == open {
		c.w.Header().Set("Access-Control-Allow-Origin", "*")
	}
	if e.kind == form {
		if err := c.s.origin.Check(c.r); err != nil {
			return fault.New(fault.Forbidden, "cross_origin", "This form was not sent from its own page. Open the page again and send it from there.").Because(err)
		}
	}
	if e.kind == page || e.kind == form || e.kind == posted {
		if err := c.limit(c.s.pages); err != nil {
			return err
		}
	}
	return e.serve(c)
}

// notAllowed answers other methods, and the question of a script of another origin whether it may ask (Fetch standard, CORS preflight).
func (c *call) notAllowed(at *route) {
	var methods []string
	preflight := c.r.Method == http.MethodOptions
	for method, e := range at.methods {
		methods = append(methods, method)
		preflight = preflight && e.kind == open
	}
	slices.Sort(methods)
	c.w.Header().Set("Allow", strings.Join(methods, ", "))
	if preflight {
		h := c.w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
		h.Set("Access-Control-Max-Age", "86400")
		c.w.WriteHeader(http.StatusNoContent)
		return
	}
	c.refuse(fault.New(fault.NotAllowed, "method_not_allowed", "%s is not possible here; use %s.", c.r.Method, strings.Join(methods, " or ")))
}

// limit takes one request of the caller's address out of its bucket.
func (c *call) limit(l *web.Limiter) error {
	wait, ok := l.Allow(web.Network(c.q.IP), c.s.o.Now())
	if ok {
		return nil
	}
	f := fault.New(fault.Limited, "too_many_requests", "%s", c.s.o.Pages.Words(c.r).T("member.too_many"))
	f.RetryAfter = wait
	return f
}

// query reads the parameters of the address. One that cannot be read is a refusal: a guess at what was meant is none.
func (c *call) query() (url.Values, error) {
	values, err := c.providers()
	if err != nil {
		return nil, err
	}
	return values, unreadable(values, "The query of the address")
}

// providers reads the parameters of an address that an identity provider wrote: what it says of an error may be in any encoding.
func (c *call) providers() (url.Values, error) {
	values, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return nil, fault.New(fault.Invalid, "invalid_request", "The query of the address cannot be read.")
	}
	return values, nil
}

// form reads the fields of a posted form.
func (c *call) form(limit int64) (url.Values, error) {
	if !isForm(c.r) {
		return nil, fault.New(fault.Invalid, "invalid_request", "The body has to be a form.").On("Content-Type").
			Compared("application/x-www-form-urlencoded", web.Mask(c.r.Header.Get("Content-Type")))
	}
	body, err := web.ReadBody(c.r, limit)
	if err != nil {
		return nil, err
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fault.New(fault.Invalid, "invalid_request", "The form cannot be read.")
	}
	return values, unreadable(values, "The form")
}

// one is a field that must not come twice: two programs would take different ones.
func one(values url.Values, name string) (string, error) {
	if len(values[name]) > 1 {
		return "", fault.New(fault.Invalid, "invalid_request", "%s is given %d times.", name, len(values[name])).On(name)
	}
	return values.Get(name), nil
}

// visitor is the browser that calls. Where it has no cookie yet that binds its steps, it gets one, if it is to begin something.
func (c *call) visitor(begins bool) lifecycle.Visitor {
	v := lifecycle.Visitor{
		Cookie: token.Secret(web.SessionCookie.Value(c.r)), Last: readLast(web.LastCookie.Value(c.r)), Base: c.q.Base, IP: c.q.IP, Network: web.Network(c.q.IP), UserAgent: agent(c.r),
		Restarted: web.RestartCookie.Value(c.r),
	}
	browser := token.Secret(web.BrowserCookie.Value(c.r))
	if browser == "" && begins {
		browser = token.NewSecret("browser")
		web.BrowserCookie.Set(c.w, c.r, browser.Reveal(), browserLife)
	}
	if browser != "" {
		v.Browser = token.HashOf(browser)
	}
	return v
}

// browserLife is longer than any sign-in, and is added to a session's life; the cookie opens nothing.
const browserLife = 24 * time.Hour

func agent(r *http.Request) string {
	const longest = 400
	text := strings.ToValidUTF8(r.UserAgent(), "")
	return strings.Map(func(c rune) rune {
		if c < ' ' {
			return -1
		}
		return c
	}, text[:min(len(text), longest)])
}
