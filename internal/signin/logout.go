package signin

import (
	"net/http"
	"net/url"

	"github.com/rollcallhq/rollcall/internal/issuer"
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
	present, _, err := c.s.o.SignIns.SessionFor(c.ctx(), token.Secret(web.SessionCookie.Value(c.r)))
	if err != nil {
		return err
	}
	out, err := c.s.o.Issuer.EndSession(c.ctx(), request, present, confirmed)
	if err != nil {
		return err
	}
	if out.Confirm {
		return c.page(http.StatusOK, web.SignOutPage{App: out.ClientName, Action: "/sign-out", Fields: hidden(values)}, out.Redirect)
	}
	return c.signedOut(out)
}

// signedOut takes the cookie back if it was of the session that ended, and leads on. A cookie that did not come along, as with a post of
// another site, may be of any session.
func (c *call) signedOut(out issuer.Logout) error {
	if cookie := web.SessionCookie.Value(c.r); cookie != "" {
		if _, held, err := c.s.o.SignIns.SessionFor(c.ctx(), token.Secret(cookie)); err != nil {
			return err
		} else if !held {
			web.SessionCookie.Clear(c.w, c.r)
		}
	}
	if out.Redirect != "" {
		c.redirect(out.Redirect)
		return nil
	}
	c.redirect("/signed-out")
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
	if _, err := c.s.o.Issuer.Logout(c.ctx(), q.Get("token")); err != nil {
		return err
	}
	return c.signedOut(issuer.Logout{})
}

// receiveLogout takes a message of SAML single logout: the provider's request, or its answer to ours.
func receiveLogout(c *call) error {
	arrival := sso.LogoutArrival{Key: c.values["key"], Bases: c.s.o.Bases, RawQuery: c.r.URL.RawQuery}
	if c.r.Method == http.MethodPost {
		f, err := c.form(maxSAML)
		if err != nil {
			return err
		}
		arrival.RawQuery, arrival.Form = "", f
	}
	out, err := c.s.o.Connections.ReceiveLogout(c.ctx(), arrival)
	if err != nil {
		return err
	}
	switch {
	case out.URL != "":
		c.redirect(out.URL)
		return nil
	case out.Form != nil:
		return c.page(http.StatusOK, web.OnwardPage{Action: out.Form.Action, Fields: fields(out.Form.Fields)}, "")
	}
	return c.signedOut(issuer.Logout{})
}

// receiveLogoutToken is told by an OpenID provider that somebody signed out there (OpenID Connect Back-Channel Logout 1.0, section 2.8).
func receiveLogoutToken(c *call) error {
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
