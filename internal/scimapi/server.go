package scimapi

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"time"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/web"
)

// Options are what the edge is built from. Zero fields get the defaults named beside them.
type Options struct {
	Directory *directory.Service

	// Called gives scheme and host, without a slash at the end, that the addresses of resources in the answer to a request begin
	// with; organizationID is "" for a stranger. Preferred gives the same for addresses that are newly handed out. By default both
	// are what web.Front found out.
	Called, Preferred func(r *http.Request, organizationID string) string

	// Catalog knows the ways in which identity providers differ; without it all are taken for standard ones.
	Catalog *idp.Catalog

	// Secret signs cursors. Processes that share a database share it too; by default each process draws its own, and
	// cursors end with it.
	Secret []byte

	RateLimit   float64       // requests a second and token; 0: no limit
	MaxBody     int64         // bytes of a body; 16 MiB, which holds a group of 100,000 members pushed whole
	MaxBulkOps  int           // operations of a bulk request; 1,000
	PageSize    int           // resources of a page if the client does not say; 100
	MaxPageSize int           // most resources of a page; 1,000
	CursorLife  time.Duration // how long a cursor is good for; 1 h

	// DocumentationURI is told in the ServiceProviderConfig; "" leaves it out.
	DocumentationURI string

	Now    func() time.Time // time.Now
	Logger *slog.Logger     // slog.Default
}

func (o Options) filled() Options {
	setDefault(&o.MaxBody, 16<<20)
	setDefault(&o.MaxBulkOps, 1000)
	setDefault(&o.PageSize, 100)
	setDefault(&o.MaxPageSize, 1000)
	setDefault(&o.CursorLife, time.Hour)
	if o.Called == nil {
		o.Called = baseOf
	}
	if o.Preferred == nil {
		o.Preferred = baseOf
	}
	if len(o.Secret) == 0 {
		o.Secret = make([]byte, 32)
		rand.Read(o.Secret)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

func setDefault[T int | int64 | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}

func baseOf(r *http.Request, _ string) string {
	if base := web.From(r.Context()).Base; base != "" {
		return base
	}
	return "http://" + r.Host
}

// limitedTokens is how many tokens the limiter remembers; each costs some hundred bytes.
const limitedTokens = 100_000

type server struct {
	o       Options
	dir     *directory.Service
	log     *slog.Logger
	router  router
	limiter *web.Limiter
	cursors cursors
}

// New makes the handler of everything below /scim/. See the package comment for how to mount it.
func New(o Options) http.Handler {
	o = o.filled()
	return &server{
		o: o, dir: o.Directory, log: o.Logger, router: newRouter(),
		limiter: web.NewLimiter(o.RateLimit, limitedTokens),
		cursors: cursors{secret: o.Secret, life: o.CursorLife, now: o.Now},
	}
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := s.visit(r)
	web.From(r.Context()).Route = v.target.class()
	if s.isPublic(r, v) {
		s.publicConfig(w, r, v)
		return
	}
	c, err := s.open(r, v)
	if err != nil {
		s.turnAway(w, r, v, err)
		return
	}
	web.From(r.Context()).Note("directory", string(c.access.Directory.ID))
	c.serve()
	c.answer.write(w, r.Header)
}
