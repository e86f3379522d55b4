package dashboard

import (
	"slices"
	"strings"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

func showNewConnection(c *call) error {
	o, err := c.organization(c.values["id"])
	if err != nil {
		return err
	}
	return c.newConnectionPage(o, misfit{})
}

func (c *call) newConnectionPage(o org.Organization, m misfit) error {
	w, id := c.words(), string(o.ID)
	head := ui.HeadProps{
		Title: w.T("organizations.add_connection"), Text: w.T("connections.add_lead", "organization", o.Name), Back: ui.Link{Label: o.Name, Href: organizationHref(id)},
	}
	f := formView{ID: "connection", Form: c.form(hrefOf("organizations", id, "connections", "new")), Save: w.T("connections.add_create"), Fields: []templ.Component{
		ui.Select(ui.SelectProps{FieldProps: ui.FieldProps{
			ID: "provider", Label: w.T("connections.add_provider"), Hint: w.T("connections.add_provider_hint"), Error: m.on("provider"),
		}, Value: c.posted.Get("provider"), Empty: w.T("connections.add_choose"), Options: c.signInProviders()}),
		ui.Input(ui.InputProps{FieldProps: ui.FieldProps{
			ID: "name", Label: w.T("organizations.name"), Hint: w.T("connections.add_name_hint"), Error: m.on("name"), Optional: true,
		}, Value: c.posted.Get("name"), MaxLength: 255}),
	}}
	fr := organizationFrame(o, head.Title)
	fr.Narrow, fr.Status = true, m.Status
	return c.show(fr, forms(sheetView{Head: head, Wrong: m}, f))
}

// signInProviders are those of the catalogue that people can sign in through, once for each protocol; whatever is not there comes last.
func (c *call) signInProviders() []ui.Option {
	var out []ui.Option
	for _, p := range c.providersByName() {
		for _, protocol := range []idp.Protocol{idp.SAML, idp.OIDC} {
			if _, speaks := p.ConnectionTypes[protocol]; speaks {
				out = append(out, ui.Option{Value: string(p.Slug) + "/" + string(protocol), Label: p.Name + " · " + protocolName(sso.Protocol(protocol))})
			}
		}
	}
	return out
}

// createConnection makes a draft. What it lacks, and what the provider has to be told, is on its own page.
func createConnection(c *call) error {
	o, err := c.organization(c.values["id"])
	if err != nil {
		return err
	}
	redraw := func(m misfit) error { return c.newConnectionPage(o, m) }
	if !slices.ContainsFunc(c.signInProviders(), func(one ui.Option) bool { return one.Value == c.posted.Get("provider") }) {
		return again(fault.New(fault.Unprocessable, "invalid_provider", "%s", c.words().T("connections.add_refused")).On("provider"), redraw)
	}
	provider, protocol, _ := strings.Cut(c.posted.Get("provider"), "/")
	name := strings.TrimSpace(c.posted.Get("name"))
	if name == "" {
		name = c.providerName(provider)
	}
	made, err := c.s.o.Connections.Create(c.ctx(), c.operator.Actor(), sso.New{
		OrganizationID: string(o.ID), Provider: provider, Protocol: sso.Protocol(protocol), Settings: sso.Change{Name: &name},
	})
	if err != nil {
		return again(err, redraw)
	}
	return c.done(connectionHref(made.ID), "connection_created")
}
