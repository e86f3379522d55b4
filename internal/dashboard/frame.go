package dashboard

import (
	"maps"
	"strings"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/web"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// place is a line of the menu: an address and, as part of the key of its name, what it is called.
type place struct {
	name string // of the sentence "dashboard.nav_…"
	path string
	icon ui.Icon
}

// menu is what the menu has, in groups. A place whose address has no page, or none for this operator, is left out.
func menu() [][]place {
	return [][]place{
		{
			{"home", Prefix, ui.IconHome},
		},
		{
			{"organizations", Prefix + "organizations", ui.IconBuilding},
			{"members", Prefix + "members", ui.IconUsers},
			{"connections", connectionsPath, ui.IconShield},
			{"roles", rolesPath, ui.IconLock},
		},
		{
			{"events", Prefix + "events", ui.IconActivity},
			{"webhooks", Prefix + "webhooks", ui.IconWebhook},
			{"applications", Prefix + "applications", ui.IconCode},
			{"api_keys", Prefix + "api-keys", ui.IconKey},
		},
		{
			{"audit", Prefix + "audit", ui.IconAudit},
			{"operators", operatorsPath, ui.IconUser},
			{"settings", Prefix + "settings", ui.IconSettings},
		},
	}
}

// groupNames are the headings of menu's groups, as parts of the keys "dashboard.group_…"; "" for none.
func groupNames() []string { return []string{"", "customers", "apps", "installation"} }

// frame is what stands around a page.
type frame struct {
	Title  string
	Crumbs []ui.Link // from the menu's place, which is there already, to this page
	Narrow bool      // text and forms
	Status int       // 0: 200
	Toast  *ui.ToastProps
}

// show answers with a page inside the frame.
func (c *call) show(f frame, body templ.Component) error {
	nav, here := c.nav()
	shell := ui.ShellProps{
		Title: f.Title, Nav: nav, Crumbs: append(here, f.Crumbs...), Narrow: f.Narrow, Toast: f.Toast,
		Account: ui.Account{
			Name: c.operator.Called(), Note: c.operator.Email + " · " + c.roleName(c.operator.Role), SignOut: c.form(Prefix + "sign-out"),
			Links: []ui.Link{{Label: c.words().T("dashboard.account_title"), Href: accountPath}},
		},
	}
	if shell.Toast == nil {
		shell.Toast = c.said()
	}
	if len(shell.Crumbs) == 0 {
		shell.Crumbs = []ui.Link{{Label: f.Title}}
	}
	return c.s.o.Site.Write(c.w, c.r, web.Answer{Status: f.Status, Body: inShell(shell, body), Script: true, Isolated: true})
}

// nav is the menu for this operator, and the place of it that the page belongs to.
func (c *call) nav() (groups []ui.NavGroup, here []ui.Link) {
	names := groupNames()
	for i, places := range menu() {
		g := ui.NavGroup{}
		if names[i] != "" {
			g.Label = c.words().T("dashboard.group_" + names[i])
		}
		for _, p := range places {
			at, _ := c.s.find(p.path)
			if at == nil || !c.operator.Role.May(at.see) {
				continue
			}
			item := ui.NavItem{Label: c.words().T("dashboard.nav_" + p.name), Href: p.path, Icon: p.icon, Current: below(c.r.URL.Path, p.path)}
			if item.Current {
				here = []ui.Link{{Label: item.Label, Href: p.path}}
			}
			g.Items = append(g.Items, item)
		}
		if len(g.Items) > 0 {
			groups = append(groups, g)
		}
	}
	return groups, here
}

// homes are addresses that belong to a place of the menu without lying below it.
func homes() map[string]string {
	return map[string]string{
		Prefix + "directories/": Prefix + "organizations", permissionsPath: rolesPath, Prefix + "webhook-deliveries/": webhooksPath, Prefix + "signing-keys": applicationsPath,
	}
}

func below(path, at string) bool {
	if at == Prefix {
		return path == at
	}
	for beginning, home := range homes() {
		if home == at && strings.HasPrefix(path, beginning) {
			return true
		}
	}
	return path == at || strings.HasPrefix(path, at+"/")
}

// said is what the page before has done: one of our own sentences, named by the address.
func (c *call) said() *ui.ToastProps {
	values, err := c.query()
	if err != nil {
		return nil
	}
	if key := "dashboard.did_" + values.Get("did"); values.Has("did") && c.words().Has(key) {
		return &ui.ToastProps{Tone: ui.Good, Title: c.words().T(key)}
	}
	return nil
}

func (v *visit) roleName(r operator.Role) string { return v.words().T("dashboard.role_" + string(r)) }

// stacked is a form whose fields stand below each other.
func stacked(f ui.FormProps) ui.FormProps {
	attrs := maps.Clone(f.Attrs)
	if attrs == nil {
		attrs = templ.Attributes{}
	}
	attrs["class"] = "stack"
	f.Attrs = attrs
	return f
}

// plain answers with a page of one card. script is the name of its one script, "" for none.
func (v *visit) plain(status int, title string, body templ.Component, script string) error {
	return v.s.o.Site.Write(v.w, v.r, web.Answer{
		Status: status, Body: inPlain(ui.PlainProps{Title: title, Script: script}, title, body), Script: script != "", Isolated: true,
	})
}
