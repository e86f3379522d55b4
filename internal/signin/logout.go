package signin

import (
	"net/http"
	"net/url"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
)

// endSession ends the session that an application asks to end, or asks the person first.
func endSession(c *call) error {
	values, err := c.parameters()
	if err != nil {
		return err
	}
	if c.returned(values) {
		return nil
	}
	return c.endSession(values, false)
}

// confirmSignOut is the button of the page that asks.
func confirmSignOut(c *call) error {
	f, err := c.form(maxForm)
	if err != nil {
		return err
	}
	return c.endSession(f, true)
}

func (c *call) endSession(values url.Values, confirmed bool) error {
	request, err := oidc.ParseEndSession(values)
	if err != nil {
		return err
	}
	out, exit, err := c.s.o.SignIns.EndSession(c.ctx(), c.visitor(false), request, confirmed)
	if err != nil {
		return err
	}
	if out.Confirm {
		return c.page(http.StatusOK, web.SignOutPage{App: out.ClientName, Action: "/sign-out", Fields: hidden(values)}, out.Redirect)
	}
	return c.exit(exit)
}

// exit takes the next step out: the session cookie back if its session has ended, then the way on. A cookie that did
// not come along, as with a post of another site, may be of any session.
func (c *call) exit(e lifecycle.Exit) error {
	if cookie := web.SessionCookie.Value(c.r); cookie != "" {
		_, held, err := c.s.o.SignIns.SessionFor(c.ctx(), token.Secret(cookie))
		if err != nil {
			return err
		}
		if !held {
			web.SessionCookie.Clear(c.w, c.r)
		}
	}
	switch {
	case e.Kept != "":
		web.LogoutCookie.Set(c.w, c.r, e.Kept, lifecycle.LeaveLife)
	case e.Done:
		web.LogoutCookie.Clear(c.w, c.r)
	}
	if e.Refused != "" {
		c.q.Note("refused", e.Refused)
	}
	switch {
	case e.URL != "":
		c.redirect(e.URL)
	case e.Form != nil:
		return c.page(http.StatusOK, web.OnwardPage{Action: e.Form.Action, Fields: fields(e.Form.Fields)}, "")
	default:
		c.redirect("/signed-out")
	}
	return nil
}

// hidden hands the request on to the button's form.
func hidden(values url.Values) []web.Field {
	var out []web.Field
	for _, name := range []string{"id_token_hint", "logout_hint", "client_id", "post_logout_redirect_uri", "state"} {
		if value := values.Get(name); value != "" {
			out = append(out, web.Field{Name: name, Value: value})
		}
	}
	return out
}

func showSignedOut(c *call) error {
	return c.page(http.StatusOK, web.SignedOutPage{}, "")
}

// logOutProfile ends what a profile is signed in to, by an address that the application was given.
func logOutProfile(c *call) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	e, err := c.s.o.SignIns.SignOutProfile(c.ctx(), c.visitor(false), q.Get("token"))
	if err != nil {
		return err
	}
	return c.exit(e)
}

// logOutNamed ends the session that an application names, and goes on to its provider and to where the application wants the person.
func logOutNamed(c *call) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	id, err := one(q, "session_id")
	if err != nil {
		return err
	}
	returnTo := ""
	if q.Has("return_to") {
		if returnTo, err = one(q, "return_to"); err != nil {
			return err
		}
	}
	e, err := c.s.o.SignIns.EndNamed(c.ctx(), c.visitor(false), id, returnTo)
	if err != nil {
		return err
	}
	return c.exit(e)
}

// leave goes on with a sign-out that began at another of our hosts.
func leave(c *call) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	e, err := c.s.o.SignIns.Leave(c.ctx(), q.Get("to"))
	if err != nil {
		return err
	}
	return c.exit(e)
}

// receiveLogout takes a message of SAML single logout: the provider's request, or its answer to ours.
func receiveLogout(c *call) error {
	arrival := sso.LogoutArrival{Key: c.values["key"], RawQuery: c.r.URL.RawQuery}
	if c.r.Method == http.MethodPost {
		f, err := c.form(maxSAML)
		if err != nil {
			return err
		}
		arrival.RawQuery, arrival.Form = "", f
	}
	kept := web.LogoutCookie.Value(c.r)
	if kept == "" && arrival.Form.Get(bounced) == "" && arrival.Form != nil && arrival.Answers() {
		return c.bounce(arrival.Form) // without TLS the cookie does not come with a post of another site
	}
	e, err := c.s.o.SignIns.ReceiveLogout(c.ctx(), arrival, kept)
	if err != nil {
		return err
	}
	return c.exit(e)
}

// returned takes a person back whom an OpenID provider has signed out.
func returned(c *call) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	state, err := one(q, "state")
	if err != nil {
		return err
	}
	e, err := c.s.o.SignIns.Returned(c.ctx(), c.values["key"], state, web.LogoutCookie.Value(c.r))
	if err != nil {
		return err
	}
	return c.exit(e)
}

// receiveLogoutToken is told by an OpenID provider that somebody signed out there. Whatever is wrong with a token is a 400 (OpenID Connect
// Back-Channel Logout 1.0, section 2.8).
func receiveLogoutToken(c *call) error {
	err := c.takeLogoutToken()
	f, ok := fault.As(err)
	if !ok || f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		return err
	}
	return oidc.Refuse(oidc.InvalidRequest, "%s", f.Message).Because(err)
}

func (c *call) takeLogoutToken() error {
	f, err := c.form(maxForm)
	if err != nil {
		return err
	}
	raw, err := one(f, "logout_token")
	if err != nil {
		return err
	}
	if _, err := c.s.o.Connections.ReceiveLogoutToken(c.ctx(), c.values["key"], raw); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusOK)
	return nil
}
