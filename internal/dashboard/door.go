package dashboard

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
	"github.com/rollcallhq/rollcall/internal/web/words"
)

// visit is a request of somebody who need not be signed in.
type visit struct {
	s      *Server
	w      http.ResponseWriter
	r      *http.Request
	q      *web.Request
	values map[string]string // of the path's placeholders
}

func (v *visit) ctx() context.Context { return v.r.Context() }

func (v *visit) words() *words.Words { return v.s.o.Site.Words(v.r) }

// call is a request of an operator. Only the door makes one.
type call struct {
	*visit

	operator operator.Operator
	session  operator.Session
	token    string // that forms have to send along
	posted   url.Values
}

// enter is the door: it finds who is signed in, or sends to the sign-in and gives nil.
func (s *Server) enter(v *visit) (*call, error) {
	cookie := token.Secret(web.OperatorCookie.Value(v.r))
	who, session, ok, err := s.o.Operators.Authenticate(v.ctx(), cookie)
	if err != nil {
		return nil, err
	}
	if !ok {
		v.toSignIn()
		return nil, nil
	}
	v.q.Note("operator", string(who.ID))
	v.r = v.r.WithContext(event.As(v.ctx(), who.Actor()))
	return &call{visit: v, operator: who, session: session, token: web.FormToken(cookie, formPurpose)}, nil
}

// toSignIn remembers where somebody wanted to look. A part of a page that a script asked for makes the whole page go.
func (v *visit) toSignIn() {
	to := signInPath
	if v.r.Method == http.MethodGet && v.r.URL.Path != Prefix && web.IsText(v.r.URL.Path) {
		to += "?" + url.Values{"to": {v.r.URL.RequestURI()}}.Encode()
	}
	if v.r.Header.Get("HX-Request") != "" {
		v.w.Header().Set("HX-Redirect", to)
		v.w.WriteHeader(http.StatusUnauthorized)
		return
	}
	v.redirect(to)
}

// local gives an address of ours to go on to after a sign-in, or the home page.
func local(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(u.Path, Prefix) || strings.Contains(u.Path, "..") || strings.ContainsAny(to, "\\\n\r\t") {
		return Prefix
	}
	return u.RequestURI()
}

// serve lets an operator through to a row.
func (c *call) serve(at *route) error {
	if !web.IsText(c.r.URL.Path) {
		return errNothingHere()
	}
	switch c.r.Method {
	case http.MethodGet, http.MethodHead:
		if at.get == nil {
			return c.notAllowed(http.MethodPost)
		}
		if !c.operator.Role.May(at.see) {
			return c.forbidden(at.see)
		}
		return at.get(c)
	case http.MethodPost:
		if at.post == nil {
			return c.notAllowed(http.MethodGet)
		}
		if !c.operator.Role.May(at.change) {
			return c.forbidden(at.change)
		}
		if err := c.readForm(); err != nil {
			return err
		}
		return at.post(c)
	}
	return c.notAllowed("GET or POST")
}

func (c *call) forbidden(least operator.Role) error {
	return fault.New(fault.Forbidden, "role_too_low", "%s",
		c.words().T("dashboard.forbidden", "role", c.roleName(c.operator.Role), "least", c.roleName(least)))
}

func (v *visit) notAllowed(methods string) error {
	v.w.Header().Set("Allow", strings.ReplaceAll(methods, " or ", ", "))
	return fault.New(fault.NotAllowed, "method_not_allowed", "%.20s is not possible here; use %s.", v.r.Method, methods)
}

// serveOpen serves a page before the sign-in.
func (v *visit) serveOpen(at *route) error {
	if !web.IsText(v.r.URL.Path) {
		return errNothingHere()
	}
	switch v.r.Method {
	case http.MethodGet, http.MethodHead:
		if at.open.get == nil {
			return v.notAllowed(http.MethodPost)
		}
		return at.open.get(v)
	case http.MethodPost:
		if at.open.post == nil {
			return v.notAllowed(http.MethodGet)
		}
		if err := v.sameOrigin(); err != nil {
			return err
		}
		if err := v.limit(); err != nil {
			return err
		}
		return at.open.post(v)
	}
	return v.notAllowed("GET or POST")
}

// maxForm bounds a form, in bytes: the metadata of an identity provider that somebody pastes is the longest there is.
const maxForm = 2 << 20

// fields reads a posted form.
func (v *visit) fields() (url.Values, error) {
	kind, _, _ := strings.Cut(v.r.Header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded") {
		return nil, fault.New(fault.Invalid, "invalid_request", "The body has to be a form (application/x-www-form-urlencoded).").On("Content-Type")
	}
	body, err := web.ReadBody(v.r, maxForm)
	if err != nil {
		return nil, err
	}
	return readValues(string(body), "The form")
}

// query reads the parameters of the address.
func (v *visit) query() (url.Values, error) {
	return readValues(v.r.URL.RawQuery, "The query of the address")
}

func readValues(text, what string) (url.Values, error) {
	values, err := url.ParseQuery(text)
	if err != nil {
		return nil, fault.New(fault.Invalid, "invalid_request", "%s cannot be read.", what)
	}
	if !web.AreText(values) {
		return nil, fault.New(fault.Invalid, "invalid_request", "%s holds something that is not UTF-8, or the character NUL.", what)
	}
	return values, nil
}

// redirect sends the browser on, always with GET.
func (v *visit) redirect(to string) {
	v.w.Header().Set("Location", to)
	v.w.WriteHeader(http.StatusSeeOther)
}

// done goes on after a change, and says there what was done: key is a sentence "dashboard.did_…" without that beginning.
func (c *call) done(to, key string) error {
	path, query, found := strings.Cut(to, "?")
	if found {
		query += "&"
	}
	c.redirect(path + "?" + query + "did=" + url.QueryEscape(key))
	return nil
}

// refuse answers for a request that got no answer and is nobody's. When not even that can be written the status speaks for itself.
func (v *visit) refuse(err error) {
	f := v.public(err)
	if failed := v.plain(web.Status(f.Kind), v.words().T("dashboard.wrong_title"), wrongView{Sentence: f.Message, ID: v.q.ID}.view(), ""); failed != nil {
		v.s.o.Logger.ErrorContext(v.ctx(), "a page failed", "request_id", v.q.ID, "cause", failed)
		v.w.WriteHeader(web.Status(f.Kind))
	}
}

// public gives what may be shown of an error, and logs what may not.
func (v *visit) public(err error) *fault.Error {
	f := web.Public(err)
	if f.Kind == fault.Internal && !errors.Is(err, context.Canceled) {
		v.s.o.Logger.ErrorContext(v.ctx(), "failed", "request_id", v.q.ID, "cause", err)
	}
	if f.RetryAfter > 0 {
		web.SetRetryAfter(v.w.Header(), f.RetryAfter)
	}
	v.q.Note("refused", f.Code)
	return f
}

// refused answers an operator's request that got no answer, inside the frame that they know.
func (c *call) refused(err error) error {
	if err == nil {
		return nil
	}
	f := c.public(err)
	title := c.words().T("dashboard.wrong_title")
	if f.Kind == fault.NotFound {
		title = c.words().T("dashboard.not_found_title")
	}
	return c.show(frame{Title: title, Status: web.Status(f.Kind), Narrow: true}, refusedView{Title: title, Sentence: f.Message, ID: c.q.ID}.view())
}
