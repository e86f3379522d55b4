package scimapi

import (
	"context"
	"net/http"
	"net/url"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/web"
)

// Again is what a read that was recorded is answered with now.
type Again struct {
	Status int
	Body   []byte
}

// NewAgain makes the function by which an operator repeats a recorded read: path is that of the exchange, below the directory's address, with
// its query. It needs no token, for it serves who looks after the installation; nothing of it is recorded, for the provider has sent nothing.
// base gives scheme and host, without a slash at the end, that addresses of resources in the answer begin with. A directory that is not there
// is NotFound, a path that is none Invalid.
func NewAgain(o Options, base func(organizationID string) string) func(ctx context.Context, id directory.ID, path string) (Again, error) {
	o = o.filled()
	s := &server{o: o, dir: o.Directory, log: o.Logger, router: newRouter(), cursors: cursors{secret: o.Secret, life: o.CursorLife, now: o.Now}}
	return func(ctx context.Context, id directory.ID, path string) (Again, error) {
		access, err := o.Directory.Inspect(ctx, id)
		if err != nil {
			return Again{}, err
		}
		address := base(access.Directory.OrganizationID) + "/scim/v2/" + access.Directory.Address()
		u, err := url.Parse("/scim/v2/" + access.Directory.Address() + path)
		if err != nil {
			return Again{}, fault.New(fault.Invalid, "invalid_path", "The path of this request cannot be repeated.").Because(err)
		}
		return s.again(ctx, access, address, &http.Request{Method: http.MethodGet, URL: u, Header: http.Header{}}), nil
	}
}

// again reads, whatever the request says: it is a GET, and GETs change nothing.
func (s *server) again(ctx context.Context, access *directory.Access, base string, r *http.Request) Again {
	v := visit{at: s.o.Now(), target: s.router.find(r.URL), method: http.MethodGet, query: r.URL.RawQuery, requestID: web.From(ctx).ID, base: base}
	c := &call{visit: v, ctx: ctx, server: s, access: access, header: r.Header, r: r.WithContext(ctx)}
	if access.Off {
		c.refuse(errFeatureOff())
	} else if err := c.handle(); err != nil {
		c.refuse(err)
	}
	return Again{Status: c.answer.status, Body: c.answer.body}
}
