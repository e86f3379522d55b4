package dashboard

import (
	"net/http"
	"strings"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
	"github.com/rollcallhq/rollcall/internal/web/assets"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// showSignIn says how to come in.
func showSignIn(v *visit) error {
	q, err := v.query()
	if err != nil {
		return err
	}
	_, _, in, err := v.s.o.Operators.Authenticate(v.ctx(), token.Secret(web.OperatorCookie.Value(v.r)))
	if err != nil {
		return err
	}
	if in {
		v.redirect(local(q.Get("to")))
		return nil
	}
	return v.signInPage(http.StatusOK, signInView{To: local(q.Get("to"))})
}

func (v *visit) signInPage(status int, page signInView) error {
	_, page.Passkeys = v.place()
	page.Form = passkeyForm(ui.FormProps{Action: signInPath + "/passkey", Hidden: []ui.Hidden{{Name: "to", Value: page.To}}}, "show", signInPath+"/passkey/begin")
	return v.plain(status, v.words().T("dashboard.sign_in_title"), page.view(), assets.Passkey)
}

// showLink asks before a link is used: programs that look into messages open links too.
func showLink(v *visit) error {
	if err := v.limit(); err != nil {
		return err
	}
	opening, err := v.s.o.Operators.Open(v.ctx(), token.Secret(v.values["secret"]))
	if err != nil {
		return v.deadLink(err)
	}
	return v.linkPage(http.StatusOK, opening, linkView{})
}

func (v *visit) linkPage(status int, opening operator.Opening, page linkView) error {
	page.First, page.Who = opening.First, opening.Operator.Called()
	title := v.words().T("dashboard.link_title")
	if opening.First {
		title = v.words().T("dashboard.first_title")
	}
	return v.plain(status, title, page.view(), "")
}

// deadLink is one page for all links that open nothing, so that nobody learns what there was.
func (v *visit) deadLink(err error) error {
	if f, ok := fault.As(err); !ok || f.Code != "link_not_valid" {
		return err
	}
	v.q.Note("refused", "link_not_valid")
	return v.plain(http.StatusNotFound, v.words().T("dashboard.dead_title"), deadView{}.view(), "")
}

// redeemLink signs in by a link.
func redeemLink(v *visit) error {
	form, err := v.fields()
	if err != nil {
		return err
	}
	secret := token.Secret(v.values["secret"])
	first := operator.New{Email: form.Get("email"), Name: form.Get("name")}
	in, err := v.s.o.Operators.Redeem(v.ctx(), secret, first, v.visitor())
	if f, ok := fault.As(err); ok && (f.Field == "email" || f.Field == "name") {
		page := linkView{Email: first.Email, Name: first.Name}
		page.wrong(f)
		return v.linkPage(web.Status(f.Kind), operator.Opening{First: true}, page)
	}
	if err != nil {
		return v.deadLink(err)
	}
	if err := v.signedIn(in); err != nil {
		return err
	}
	if _, ok := v.place(); ok && in.Operator.Passkeys == 0 {
		v.redirect(passkeysPath + "/new?welcome=1")
		return nil
	}
	v.redirect(Prefix)
	return nil
}

// signedIn hands the key of a new session to the browser, and ends the one that it had.
func (v *visit) signedIn(in operator.SignedIn) error {
	v.q.Note("operator", string(in.Operator.ID))
	web.OperatorCookie.Set(v.w, v.r, in.Cookie.Reveal(), operator.SessionLife)
	who, before, ok, err := v.s.o.Operators.Authenticate(v.ctx(), token.Secret(web.OperatorCookie.Value(v.r)))
	if err != nil {
		return err
	}
	if ok {
		if err := v.s.o.Operators.EndSession(event.As(v.ctx(), who.Actor()), who.ID, before.ID); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return nil
}

// visitor is where a sign-in comes from.
func (v *visit) visitor() operator.Visitor {
	const longest = 400
	text := strings.ToValidUTF8(v.r.UserAgent(), "")
	text = strings.Map(func(c rune) rune {
		if c < ' ' {
			return -1
		}
		return c
	}, text[:min(len(text), longest)])
	return operator.Visitor{IP: v.q.IP, UserAgent: strings.ToValidUTF8(text, "")}
}

// signOut ends the session.
func signOut(c *call) error {
	if err := c.s.o.Operators.EndSession(c.ctx(), c.operator.ID, c.session.ID); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	web.OperatorCookie.Clear(c.w, c.r)
	c.redirect(signInPath)
	return nil
}
