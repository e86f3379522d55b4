package portal

import (
	"net/http"
	"net/url"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
)

// askView is the page where contacts ask for a link. Sent looks the same whoever was asked for.
type askView struct {
	Email, Wrong string
	Sent         bool
}

// showAsk asks for an address; whoever has a session goes home.
func showAsk(v *visit) error {
	_, _, ok, err := v.s.o.Admins.SessionFor(v.ctx(), token.Secret(web.PortalCookie.Value(v.r)))
	if err != nil {
		return err
	}
	if ok {
		v.redirect("/portal/home")
		return nil
	}
	return v.show(http.StatusOK, askPage(askView{}))
}

// takeAsk gives one answer for every address, and does the same work.
func takeAsk(v *visit) error {
	if err := v.limit(v.s.entry); err != nil {
		return err
	}
	email := v.form.Get("email")
	err := v.s.o.Admins.Ask(v.ctx(), email)
	if f, ok := fault.As(err); ok && f.Kind == fault.Unprocessable {
		return v.show(http.StatusUnprocessableEntity, askPage(askView{Email: email, Wrong: v.t("portal.ask_wrong")}))
	}
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, askPage(askView{Email: email, Sent: true}))
}

// linkView is what is seen of a link before it is opened.
type linkView struct {
	Organization string
	Intent       itadmin.Intent
	Email        string // where a code will be mailed to; "" if none
}

// showLink changes nothing: programs that look into mails open links too.
func showLink(v *visit) error {
	if err := v.limit(v.s.entry); err != nil {
		return err
	}
	d, err := v.s.o.Admins.Look(v.ctx(), token.Secret(v.path("secret")))
	if bad, err := v.badLink(err); bad {
		return err
	}
	return v.show(http.StatusOK, linkPage(linkView{d.Organization, d.Intent, d.Email}))
}

// badLink shows where a fresh link is to be had, instead of one that does not open.
func (v *visit) badLink(err error) (bool, error) {
	if f, ok := fault.As(err); ok && f.Code == "portal_link_invalid" {
		v.q.Note("refused", f.Code)
		return true, v.show(http.StatusNotFound, overPage())
	}
	return err != nil, err
}

// openLink is the press of the button.
func openLink(v *visit) error {
	if err := v.limit(v.s.entry); err != nil {
		return err
	}
	opened, err := v.s.o.Admins.Open(v.ctx(), token.Secret(v.path("secret")), token.Secret(web.PortalCookie.Value(v.r)))
	if bad, err := v.badLink(err); bad {
		return err
	}
	web.PortalCookie.Set(v.w, v.r, opened.Cookie.Reveal(), opened.Keep)
	if opened.Email != "" {
		v.redirect("/portal/code")
		return nil
	}
	v.redirect(v.begin(opened.Session))
	return nil
}

// landing is the page that a link for an intent leads to.
func landing(i itadmin.Intent) string {
	switch i {
	case itadmin.SSO:
		return "/portal/sso"
	case itadmin.DirectorySync:
		return "/portal/directory"
	case itadmin.DomainVerification:
		return "/portal/domains"
	case itadmin.CertificateRenewal:
		return "/portal/certificates"
	case itadmin.AuditLogs:
		return "/portal/audit"
	case itadmin.Everything:
	}
	return "/portal/home"
}

func showCode(v *visit) error { return v.askCode(http.StatusOK, "") }

func (v *visit) askCode(status int, wrong string) error {
	email, ok, err := v.s.o.Admins.Waiting(v.ctx(), token.Secret(web.PortalCookie.Value(v.r)))
	if err != nil {
		return err
	}
	if !ok {
		v.redirect(itadmin.Path)
		return nil
	}
	return v.show(status, codePage(email, wrong))
}

func takeCode(v *visit) error {
	if err := v.limit(v.s.entry); err != nil {
		return err
	}
	opened, err := v.s.o.Admins.EnterCode(v.ctx(), token.Secret(web.PortalCookie.Value(v.r)), token.Secret(v.form.Get("code")))
	if f, ok := fault.As(err); ok && f.Kind == fault.Invalid {
		return v.askCode(http.StatusUnprocessableEntity, v.t("portal.code_wrong"))
	}
	if err != nil {
		return err
	}
	web.PortalCookie.Set(v.w, v.r, opened.Cookie.Reveal(), opened.Keep)
	v.redirect(v.begin(opened.Session))
	return nil
}

// signOut ends the session.
func signOut(c *call) error {
	if err := c.s.o.Admins.End(c.ctx(), c.session); err != nil {
		return err
	}
	web.PortalCookie.Clear(c.w, c.r)
	to := itadmin.Path
	c.redirect(to)
	return nil
}

// showDone sends whoever is done on to where the app wants them, and home if it wants them nowhere.
func showDone(c *call) error {
	for _, to := range []string{c.session.SuccessURL, c.session.ReturnURL} {
		if u, err := url.Parse(to); err == nil && (u.Scheme == "https" || u.Scheme == "http") {
			c.redirect(to)
			return nil
		}
	}
	c.redirect("/portal/home")
	return nil
}
