package portal

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
)

// visit is a request of whoever comes: it knows no organization.
type visit struct {
	s      *Server
	w      http.ResponseWriter
	r      *http.Request
	q      *web.Request
	values map[string]string // of the path's placeholders
	form   url.Values        // of a post
	file   []byte            // that was sent with it, where the page takes one
}

// call is a request of a session. Its organization is the session's and no other; door makes it, and nothing else does.
type call struct {
	*visit

	session      itadmin.Session
	organization org.Organization
	token        string // that forms of this session carry
}

func (v *visit) ctx() context.Context { return v.r.Context() }

// path is what a placeholder of the address stands for.
func (v *visit) path(name string) string { return v.values[name] }

// t is a sentence in the language of the browser.
func (v *visit) t(key string, pairs ...any) string { return v.s.o.Site.Words(v.r).T(key, pairs...) }

// org is the one organization of the call.
func (c *call) org() org.ID { return c.session.OrganizationID }

// actor is who acts, for audit and events.
func (c *call) actor() event.Actor { return c.session.Actor() }

// generateLink is below the portal's path and the API's: the contract has it there.
const generateLink = itadmin.Path + "/generate_link"

// Serves tells whether a request belongs here. Everything below the portal's path does: what is not in the table is a page that says so.
func (*Server) Serves(r *http.Request) bool {
	if r.URL.Path == generateLink {
		return false
	}
	return r.URL.Path == itadmin.Path || strings.HasPrefix(r.URL.Path, itadmin.Path+"/")
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at, values := find(s.routes, r.URL.Path)
	v := &visit{s: s, w: w, r: r, q: web.From(r.Context()), values: values}
	v.q.Route = "portal"
	if at != nil {
		v.q.Route = at.class
	}
	if err := v.serve(at); err != nil {
		v.refuse(err)
	}
}

func (v *visit) serve(at *route) error {
	if at == nil || !web.IsText(v.r.URL.Path) {
		return fault.New(fault.NotFound, "not_found", "%s", v.t("portal.not_found"))
	}
	method := v.r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if !slices.Contains(at.methods(), method) {
		v.w.Header().Set("Allow", strings.Join(at.methods(), ", "))
		return fault.New(fault.NotAllowed, "method_not_allowed", "%s is not possible here.", v.r.Method)
	}
	if err := v.limit(v.s.pages); err != nil {
		return err
	}
	if err := v.read(at.row, method); err != nil {
		return err
	}
	if at.inside() {
		return v.enter(at, method)
	}
	if method == http.MethodPost {
		return at.visit.post(v)
	}
	return at.visit.get(v)
}

// enter goes through the door.
func (v *visit) enter(at *route, method string) error {
	c, err := v.door(at.row)
	if err != nil {
		return err
	}
	if c == nil {
		v.keepPage(at)
		v.redirect(itadmin.Path)
		return nil
	}
	if method == http.MethodPost {
		if err := c.genuine(); err != nil {
			return err
		}
		return at.call.post(c)
	}
	return at.call.get(c)
}

// door makes a call of a request whose cookie has a living session that the page is for. It gives nil where there is no session: whoever
// comes is asked to get a link.
func (v *visit) door(at row) (*call, error) {
	cookie := token.Secret(web.PortalCookie.Value(v.r))
	in, o, ok, err := v.s.o.Admins.SessionFor(v.ctx(), cookie)
	if err != nil || !ok {
		return nil, err
	}
	if !at.serves(in.Intent) {
		return nil, fault.New(fault.Forbidden, "not_for_this", "%s", v.t("portal.not_for_this"))
	}
	return &call{visit: v, session: in, organization: o, token: web.FormToken(cookie, formPurpose)}, nil
}

// limit takes one request of the caller's address out of its bucket.
func (v *visit) limit(l *web.Limiter) error {
	wait, ok := l.Allow(web.Network(v.q.IP), v.s.o.Now())
	if ok {
		return nil
	}
	f := fault.New(fault.Limited, "too_many_requests", "%s", v.t("portal.too_many"))
	f.RetryAfter = wait
	return f
}

// read takes the form of a post, which has to come from a page of ours.
func (v *visit) read(at row, method string) error {
	if method != http.MethodPost {
		return nil
	}
	if err := v.s.origin.Check(v.r); err != nil {
		return crossOrigin(v).Because(err)
	}
	kind, _, _ := strings.Cut(v.r.Header.Get("Content-Type"), ";")
	if at.uploads() && strings.EqualFold(strings.TrimSpace(kind), multipartForm) {
		return v.readUpload()
	}
	if !strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded") {
		return fault.New(fault.Invalid, "invalid_request", "The body has to be a form.").On("Content-Type")
	}
	body, err := web.ReadBody(v.r, maxForm)
	if err != nil {
		return err
	}
	if v.form, err = url.ParseQuery(string(body)); err != nil {
		return fault.New(fault.Invalid, "invalid_request", "The form cannot be read.")
	}
	if !web.AreText(v.form) {
		return fault.New(fault.Invalid, "invalid_request", "The form holds something that is not UTF-8, or the character NUL.")
	}
	return nil
}

// redirect sends the browser on after a post, or to where it has to begin.
func (v *visit) redirect(to string) {
	v.w.Header().Set("Cache-Control", "no-store")
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
}

// show writes a page before the door.
func (v *visit) show(status int, body templ.Component) error {
	return v.s.o.Site.Write(v.w, v.r, web.Answer{Status: status, Body: body, Script: true, Isolated: true})
}

// refuse answers for a request that got no answer.
func (v *visit) refuse(err error) {
	f := web.Public(err)
	if f.Kind == fault.Internal {
		v.s.o.Logger.ErrorContext(v.ctx(), "failed", "request_id", v.q.ID, "cause", err)
	}
	if f.RetryAfter > 0 {
		web.SetRetryAfter(v.w.Header(), f.RetryAfter)
	}
	v.q.Note("refused", f.Code)
	status := web.Status(f.Kind)
	if err := v.show(status, wrongPage(v.t("portal.wrong_title"), f.Message, v.q.ID)); err != nil {
		v.s.o.Logger.ErrorContext(v.ctx(), "a page failed", "request_id", v.q.ID, "cause", err)
		v.w.WriteHeader(status)
	}
}
