package portal

import (
	"cmp"
	"net/http"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/web"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// intentKey is the sentence that says what a link is for.
func intentKey(i itadmin.Intent) string {
	return "portal.intent_" + cmp.Or(string(i), "everything")
}

// shell are the properties of a page of this session: whose it is, the way back to the app, the way out.
func (c *call) shell(title string, steps ...ui.Step) ui.PortalProps {
	p := ui.PortalProps{Title: title, Organization: c.organization.Name, Steps: steps}
	if c.session.ReturnURL != "" {
		p.Exit = ui.Link{Label: c.t("portal.back_to_app"), Href: c.session.ReturnURL}
	}
	out := c.formTo("/portal/sign-out")
	out.Attrs = nil
	p.Account = ui.Account{Name: c.t("portal.guest"), Note: c.organization.Name, SignOut: out}
	if c.session.Contact.ID != "" {
		p.Account.Name, p.Account.Note = c.session.Contact.Called(), c.session.Contact.Email
	}
	return p
}

// page writes a page of this session.
func (c *call) page(status int, p ui.PortalProps, body templ.Component) error {
	return c.s.o.Site.Write(c.w, c.r, web.Answer{Status: status, Body: framed(p, body), Script: true, Isolated: true})
}

// ok writes a page under the tabs of the portal's home.
func (c *call) ok(title string, body templ.Component) error {
	return c.page(http.StatusOK, c.shell(title), under(c.tabs(), body))
}

// tabs are the pages beside each other that this session may see.
func (c *call) tabs() []ui.Tab {
	var out []ui.Tab
	for _, one := range []struct{ label, path string }{
		{"portal.tab_home", "/portal/home"},
		{"portal.tab_access", "/portal/access"},
		{"portal.tab_leavers", "/portal/leavers"},
		{"portal.tab_audit", "/portal/audit"},
		{"portal.tab_compare", comparePath},
		{"portal.tab_contacts", "/portal/contacts"},
	} {
		if !c.s.o.KeepsAccounts && (one.path == "/portal/access" || one.path == "/portal/leavers") {
			continue
		}
		at, _ := find(c.s.routes, one.path)
		if at == nil || !at.serves(c.session.Intent) {
			continue
		}
		out = append(out, ui.Tab{Label: c.t(one.label), Href: one.path, Current: c.r.URL.Path == one.path})
	}
	return out
}
