package api

import (
	"log/slog"
	"net/http"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/org"
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

	// PublicURL gives scheme and host, without a slash at the end, under which identity providers reach us: SCIM addresses begin
	// with it. By default it is what web.Front found out.
	PublicURL func(*http.Request) string

	// KnownProvider says whether the catalogue of identity providers has an entry of this name. By default any name of the right
	// form may be given to a directory.
	KnownProvider func(slug string) bool

	MaxBody int64        // bytes of a body; 1 MiB
	Logger  *slog.Logger // slog.Default

	Webhooks *webhook.Service
}

const defaultMaxBody = 1 << 20

func (o Options) filled() Options {
	if o.MaxBody <= 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.PublicURL == nil {
		o.PublicURL = func(r *http.Request) string { return web.From(r.Context()).Base }
	}
	if o.KnownProvider == nil {
		o.KnownProvider = func(string) bool { return true }
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

type server struct {
	o      Options
	routes []route
}

// New makes the handler of the whole API. See the package comment for how to mount it.
func New(o Options) http.Handler {
	return &server{o: o.filled(), routes: routes()}
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	found := s.find(r.URL)
	web.From(r.Context()).Route = found.class()
	a, err := s.answer(r, found)
	if err == nil {
		err = a.write(w)
	}
	if err != nil {
		s.refuse(w, r, found, err)
	}
}

// answer: an address that is none is a 404 for everybody, for the addresses are no secret; what is at the others is behind the
// door, the methods too.
func (s *server) answer(r *http.Request, t target) (answer, error) {
	if t.row == nil {
		return answer{}, errNowhere(r)
	}
	c, err := s.open(r, t)
	if err != nil {
		return answer{}, err
	}
	h, err := t.handler(r.Method)
	if err != nil {
		return answer{}, err
	}
	return h(c)
}
