package dashboard

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

const (
	rolesPath         = Prefix + "roles"
	permissionsPath   = Prefix + "permissions"
	organizationsPath = Prefix + "organizations"
)

// accessPages are the addresses of roles, permissions, teams and licences. Roles of the installation and of an organization share their pages.
func accessPages() []row {
	const see, change = operator.ReadOnly, operator.Admin
	of := organizationsPath + "/{organization}"
	out := []row{
		{permissionsPath, "dashboard_permissions", see, showPermissions, change, createPermission},
		exportRow(permissionsPath, "dashboard_permissions", see, permissionsTable),
		{permissionsPath + "/{permission}", "dashboard_permission", see, showPermission, change, savePermission},
		{permissionsPath + "/{permission}/delete", "dashboard_permission", see, nil, change, deletePermission},
		{of + "/teams", "dashboard_teams", see, showTeams, change, createTeam},
		exportRow(of+"/teams", "dashboard_teams", see, teamsTable),
		{of + "/teams/{team}", "dashboard_team", see, showTeam, change, saveTeam},
		exportRow(of+"/teams/{team}", "dashboard_team", see, teamMembersTable),
		{of + "/teams/{team}/delete", "dashboard_team", change, askDeleteTeam, change, deleteTeam},
		{of + "/teams/{team}/members/{member}/remove", "dashboard_team_members", see, nil, change, removeTeamMember},
		{of + "/licences", "dashboard_licences", see, showLicences, change, createLicence},
		exportRow(of+"/licences", "dashboard_licences", see, licencesTable),
		{of + "/licences/{licence}", "dashboard_licence", see, showLicence, change, saveLicence},
		{of + "/licences/{licence}/delete", "dashboard_licence", change, askDeleteLicence, change, deleteLicence},
	}
	for _, at := range []string{rolesPath, of + "/roles"} {
		out = append(out,
			row{at, "dashboard_roles", see, showRoles, change, createRole},
			exportRow(at, "dashboard_roles", see, rolesTable),
			row{at + "/{role}", "dashboard_role", see, showRole, change, saveRole},
			row{at + "/{role}/delete", "dashboard_role", change, askDeleteRole, change, deleteRole},
		)
	}
	return out
}

// owner is the organization that the address names; the zero one at the addresses of the installation's own.
func (c *call) owner() (org.Organization, error) {
	if err := c.keepsAccounts(); err != nil {
		return org.Organization{}, err
	}
	id, named := c.values["organization"]
	if !named {
		return org.Organization{}, nil
	}
	return c.organization(id)
}

// accessSheet is what the pages of roles, teams and licences have in common.
func (c *call) accessSheet(o org.Organization, tab string, m misfit) (sheetView, frame) {
	w := c.words()
	s := sheetView{Wrong: m, Head: ui.HeadProps{Title: w.T("access." + tab), Text: w.T("access." + tab + "_text")}}
	f := frame{Title: s.Head.Title, Status: m.Status}
	if o.ID == "" {
		for _, t := range []string{"roles", "permissions"} {
			s.Tabs = append(s.Tabs, ui.Tab{Label: w.T("access." + t), Href: hrefOf(t), Current: t == tab})
		}
		f.Crumbs = []ui.Link{{Label: s.Head.Title, Href: hrefOf(tab)}}
		return s, f
	}
	s.Head.Back = ui.Link{Label: o.Name, Href: organizationHref(string(o.ID))}
	for _, t := range []string{"roles", "teams", "licences"} {
		s.Tabs = append(s.Tabs, ui.Tab{Label: w.T("access." + t), Href: hrefOf("organizations", string(o.ID), t), Current: t == tab})
	}
	f.Crumbs = []ui.Link{{Label: o.Name, Href: organizationHref(string(o.ID))}, {Label: s.Head.Title, Href: hrefOf("organizations", string(o.ID), tab)}}
	return s, f
}

func roleHref(o org.ID, parts ...string) string {
	if o == "" {
		return hrefOf("roles", parts...)
	}
	return hrefOf("organizations", append([]string{string(o), "roles"}, parts...)...)
}

// rolesTable are the installation's roles, or those that an organization has.
func rolesTable(c *call) (table[access.Role], error) {
	o, err := c.owner()
	if err != nil {
		return table[access.Role]{}, err
	}
	w := c.words()
	return table[access.Role]{
		id: "roles", file: "roles", at: roleHref(o.ID), key: func(r access.Role) string { return string(r.ID) },
		read: whole(func(ctx context.Context) ([]access.Role, error) { return c.s.o.Access.Roles(ctx, string(o.ID)) }),
		fields: ui.Fields[access.Role]{
			ui.InExport("id", func(r access.Role) string { return string(r.ID) }),
			ui.InExport("organization_id", func(r access.Role) string { return r.OrganizationID }),
			ui.Both(ui.Column{Label: w.T("common.name")}, func(r access.Role) templ.Component { return c.roleLink(o.ID, r) }, "name", func(r access.Role) string { return r.Name }),
			ui.Both(ui.Column{Label: w.T("access.slug")}, func(r access.Role) templ.Component { return ui.Mono(r.Slug) }, "slug", func(r access.Role) string { return r.Slug }),
			ui.InExport("description", func(r access.Role) string { return r.Description }),
			ui.Both(ui.Column{Label: w.T("access.priority"), Number: true}, func(r access.Role) templ.Component { return ui.Text(numeral(w, r.Priority)) },
				"priority", func(r access.Role) string { return strconv.FormatInt(r.Priority, 10) }),
			ui.Both(ui.Column{Label: w.T("access.permissions"), Number: true, Minor: true}, func(r access.Role) templ.Component { return ui.Text(strconv.Itoa(len(r.Permissions))) },
				"permissions", func(r access.Role) string { return joined(r.Permissions) }),
			ui.Both(ui.Column{Label: w.T("access.kind"), Minor: true}, func(r access.Role) templ.Component { return badges(c.roleBadges(o.ID, r)) },
				"is_admin", func(r access.Role) string { return strconv.FormatBool(r.IsAdmin) }),
		},
	}, nil
}

func showRoles(c *call) error { return c.rolesPage(misfit{}) }

func (c *call) rolesPage(m misfit) error {
	o, err := c.owner()
	if err != nil {
		return err
	}
	list, err := rolesTable(c)
	if err != nil {
		return err
	}
	w := c.words()
	s, f := c.accessSheet(o, "roles", m)
	s.Head.Actions = acts([]action{list.exportAction(c)})
	t := ui.TableProps{Caption: w.T("access.roles")}
	if _, err := list.fill(c, &t); err != nil {
		return err
	}
	return c.show(f, listing(s, t, c.ifAdmin(form(formView{
		ID: "role-form", Form: c.form(roleHref(o.ID)), Title: w.T("access.role_add"), Text: w.T("access.role_add_text"), Save: w.T("access.role_add"),
		Fields: c.roleFields(access.Role{OrganizationID: string(o.ID)}, m, true),
	}))...))
}

// ifAdmin leaves out what only somebody who may change things needs.
func (c *call) ifAdmin(all ...templ.Component) []templ.Component {
	if !c.operator.Role.May(operator.Admin) {
		return nil
	}
	return all
}

// roleLink leads to the page of a role where it is changed: the installation's are not an organization's to change.
func (c *call) roleLink(o org.ID, r access.Role) templ.Component {
	if r.OrganizationID == "" {
		return link(r.Name, roleHref("", r.Slug))
	}
	return link(r.Name, roleHref(o, r.Slug))
}

func (c *call) roleBadges(o org.ID, r access.Role) (out []ui.BadgeProps) {
	w := c.words()
	if r.IsAdmin {
		out = append(out, ui.BadgeProps{Label: w.T("access.admin"), Tone: ui.Info})
	}
	if o != "" && r.OrganizationID == "" {
		out = append(out, ui.BadgeProps{Label: w.T("access.of_installation")})
	}
	return out
}

func (c *call) roleFields(r access.Role, m misfit, fresh bool) []templ.Component {
	w := c.words()
	fields := []templ.Component{
		ui.Input(ui.InputProps{FieldProps: ui.FieldProps{ID: "name", Label: w.T("common.name"), Error: m.on("name")}, Value: c.kept("name", r.Name), MaxLength: 255}),
	}
	if fresh {
		fields = append(fields, ui.Input(ui.InputProps{
			FieldProps: ui.FieldProps{ID: "slug", Label: w.T("access.slug"), Hint: w.T("access.slug_hint"), Error: m.on("slug"), Optional: r.OrganizationID != ""},
			Value:      c.kept("slug", ""), Mono: true, MaxLength: 255,
		}))
	}
	priority := ""
	if !fresh {
		priority = strconv.FormatInt(r.Priority, 10)
	}
	return append(fields,
		ui.TextArea(ui.TextAreaProps{
			FieldProps: ui.FieldProps{ID: "description", Label: w.T("common.description"), Optional: true, Error: m.on("description")}, Value: c.kept("description", r.Description), Rows: 2,
		}),
		ui.Input(ui.InputProps{
			FieldProps: ui.FieldProps{ID: "priority", Label: w.T("access.priority"), Hint: w.T("access.priority_hint"), Error: m.on("priority"), Optional: true},
			Type:       "number", Value: c.kept("priority", priority),
		}),
		ui.Switch(ui.SwitchProps{FieldProps: ui.FieldProps{ID: "is_admin", Label: w.T("access.admin"), Hint: w.T("access.admin_hint")}, On: r.IsAdmin || c.posted.Get("is_admin") != ""}),
	)
}

// priority reads the number of the form; 0 for none.
func (c *call) priority() (int64, error) {
	text := strings.TrimSpace(c.posted.Get("priority"))
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fault.New(fault.Unprocessable, "invalid_priority", "The priority is a whole number.").On("priority")
	}
	return n, nil
}

func createRole(c *call) error {
	o, err := c.owner()
	if err != nil {
		return err
	}
	priority, err := c.priority()
	if err != nil {
		return again(err, c.rolesPage)
	}
	made, err := c.s.o.Access.CreateRole(c.ctx(), c.operator.Actor(), access.NewRole{
		OrganizationID: string(o.ID), Slug: strings.TrimSpace(c.posted.Get("slug")), Name: strings.TrimSpace(c.posted.Get("name")),
		Description: c.posted.Get("description"), Priority: priority, IsAdmin: c.posted.Get("is_admin") != "",
	})
	if err != nil {
		return again(err, c.rolesPage)
	}
	return c.done(roleHref(o.ID, made.Slug), "saved")
}

// role finds the one of the address. At an organization's address it is its own: the installation's has a page of its own.
func (c *call) role() (org.Organization, access.Role, error) {
	o, err := c.owner()
	if err != nil {
		return o, access.Role{}, err
	}
	r, err := c.s.o.Access.Role(c.ctx(), string(o.ID), c.values["role"])
	if err == nil && r.OrganizationID != string(o.ID) {
		err = access.RoleNotFound(c.values["role"])
	}
	return o, r, err
}

func showRole(c *call) error { return c.rolePage(misfit{}) }

// permissionsOffered is how many permissions a page lets choose from.
const permissionsOffered = 500

func (c *call) rolePage(m misfit) error {
	o, r, err := c.role()
	if err != nil {
		return err
	}
	all, _, err := c.s.o.Access.Permissions(c.ctx(), access.Page{Limit: permissionsOffered, Ascending: true})
	if err != nil {
		return err
	}
	w := c.words()
	s, f := c.accessSheet(o, "roles", m)
	s.Head = ui.HeadProps{Title: r.Name, Text: r.Description, Badge: ui.Badge(ui.BadgeProps{Label: r.Slug}), Back: ui.Link{Label: w.T("access.roles"), Href: roleHref(o.ID)}}
	if c.operator.Role.May(operator.Admin) && r.Slug != access.RoleMember {
		s.Head.Actions = act(action{Label: w.T("common.delete"), Href: roleHref(o.ID, r.Slug, "delete"), Variant: ui.Danger, Icon: ui.IconTrash})
	}
	f.Title, f.Crumbs = r.Name, append(f.Crumbs, ui.Link{Label: r.Name})
	fields := c.roleFields(r, m, false)
	for _, p := range all {
		fields = append(fields, ui.Check(ui.CheckProps{
			FieldProps: ui.FieldProps{ID: "permission-" + p.Slug, Name: "permission", Label: p.Name, Hint: p.Slug, Lax: true}, Value: p.Slug, Checked: slices.Contains(r.Permissions, p.Slug),
		}))
	}
	return c.show(f, forms(s, formView{ID: "role-form", Form: c.form(roleHref(o.ID, r.Slug)), Title: w.T("access.role"), Text: w.T("access.role_text"), Save: w.T("common.save"), Fields: fields}))
}

func saveRole(c *call) error {
	o, r, err := c.role()
	if err != nil {
		return err
	}
	priority, err := c.priority()
	if err != nil {
		return again(err, c.rolePage)
	}
	name, about, admin := strings.TrimSpace(c.posted.Get("name")), c.posted.Get("description"), c.posted.Get("is_admin") != ""
	ch := access.RoleChanges{Name: &name, Description: &about, IsAdmin: &admin}
	if priority != 0 {
		ch.Priority = &priority
	}
	if _, err := c.s.o.Access.UpdateRole(c.ctx(), c.operator.Actor(), string(o.ID), r.Slug, ch); err != nil {
		return again(err, c.rolePage)
	}
	wanted, err := c.permissionsWanted(r)
	if err != nil {
		return err
	}
	if _, err := c.s.o.Access.SetPermissions(c.ctx(), c.operator.Actor(), string(o.ID), r.Slug, wanted); err != nil {
		return again(err, c.rolePage)
	}
	return c.done(roleHref(o.ID, r.Slug), "saved")
}

// permissionsWanted are those that are ticked, and those that the role has and the page did not offer.
func (c *call) permissionsWanted(r access.Role) ([]string, error) {
	offered, more, err := c.s.o.Access.Permissions(c.ctx(), access.Page{Limit: permissionsOffered, Ascending: true})
	if err != nil {
		return nil, err
	}
	wanted := append([]string{}, c.posted["permission"]...)
	for _, slug := range r.Permissions {
		shown := slices.ContainsFunc(offered, func(p access.Permission) bool { return p.Slug == slug })
		if more && !shown && !slices.Contains(wanted, slug) {
			wanted = append(wanted, slug)
		}
	}
	return wanted, nil
}

func askDeleteRole(c *call) error { return c.askRole(misfit{}) }

func (c *call) askRole(m misfit) error {
	o, r, err := c.role()
	if err != nil {
		return err
	}
	w := c.words()
	_, f := c.accessSheet(o, "roles", m)
	return c.show(f, asking(m, ui.ConfirmProps{
		Title: w.T("access.role_delete_title", "name", r.Name), Text: w.T("access.role_delete_text"), Form: c.form(roleHref(o.ID, r.Slug, "delete")),
		Confirm: w.T("common.delete"), Cancel: ui.Link{Href: roleHref(o.ID, r.Slug)},
	}))
}

func deleteRole(c *call) error {
	o, r, err := c.role()
	if err != nil {
		return err
	}
	if err := c.s.o.Access.DeleteRole(c.ctx(), c.operator.Actor(), string(o.ID), r.Slug); err != nil {
		return again(err, c.askRole)
	}
	return c.done(roleHref(o.ID), "deleted")
}

// The permissions: the installation's words that the app asks for.

const permissionPrefix = "perm"

// permissionsTable are the permissions.
func permissionsTable(c *call) (table[access.Permission], error) {
	if err := c.keepsAccounts(); err != nil {
		return table[access.Permission]{}, err
	}
	query, err := c.query()
	if err != nil {
		return table[access.Permission]{}, err
	}
	w := c.words()
	return table[access.Permission]{
		id: "permissions", file: "permissions", at: permissionsPath, query: query, cursor: permissionPrefix, key: func(p access.Permission) string { return string(p.ID) },
		read: func(ctx context.Context, p paging, limit int) ([]access.Permission, bool, error) {
			return c.s.o.Access.Permissions(ctx, access.Page{Before: p.before, After: p.after, Limit: limit})
		},
		fields: ui.Fields[access.Permission]{
			ui.InExport("id", func(p access.Permission) string { return string(p.ID) }),
			ui.Both(ui.Column{Label: w.T("common.name")}, func(p access.Permission) templ.Component { return link(p.Name, hrefOf("permissions", p.Slug)) },
				"name", func(p access.Permission) string { return p.Name }),
			ui.Both(ui.Column{Label: w.T("access.slug")}, func(p access.Permission) templ.Component { return ui.Mono(p.Slug) }, "slug", func(p access.Permission) string { return p.Slug }),
			ui.Both(ui.Column{Label: w.T("common.description"), Minor: true}, func(p access.Permission) templ.Component { return ui.Text(p.Description) },
				"description", func(p access.Permission) string { return p.Description }),
		},
	}, nil
}

func showPermissions(c *call) error { return c.permissionsPage(misfit{}) }

func (c *call) permissionsPage(m misfit) error {
	list, err := permissionsTable(c)
	if err != nil {
		return err
	}
	w := c.words()
	s, f := c.accessSheet(org.Organization{}, "permissions", m)
	s.Head.Actions = acts([]action{list.exportAction(c)})
	t := ui.TableProps{Caption: w.T("access.permissions"), Empty: ui.EmptyProps{Icon: ui.IconLock, Title: w.T("access.permissions_none")}}
	if _, err := list.fill(c, &t); err != nil {
		return err
	}
	return c.show(f, listing(s, t, c.ifAdmin(form(formView{
		ID: "permission-form", Form: c.form(permissionsPath), Title: w.T("access.permission_add"), Save: w.T("access.permission_add"), Fields: c.permissionFields(access.Permission{}, m),
	}))...))
}

// permissionFields: the slug of what is there already is part of the address.
func (c *call) permissionFields(p access.Permission, m misfit) []templ.Component {
	w := c.words()
	fields := []templ.Component{
		ui.Input(ui.InputProps{FieldProps: ui.FieldProps{ID: "name", Label: w.T("common.name"), Error: m.on("name")}, Value: c.kept("name", p.Name), MaxLength: 255}),
	}
	if p.Slug == "" {
		fields = append(fields, ui.Input(ui.InputProps{
			FieldProps: ui.FieldProps{ID: "slug", Label: w.T("access.slug"), Hint: w.T("access.slug_hint"), Error: m.on("slug")}, Value: c.kept("slug", ""), Mono: true, MaxLength: 255,
		}))
	}
	return append(fields, ui.TextArea(ui.TextAreaProps{
		FieldProps: ui.FieldProps{ID: "description", Label: w.T("common.description"), Optional: true, Error: m.on("description")}, Value: c.kept("description", p.Description), Rows: 2,
	}))
}

func createPermission(c *call) error {
	if err := c.keepsAccounts(); err != nil {
		return err
	}
	_, err := c.s.o.Access.CreatePermission(c.ctx(), c.operator.Actor(), access.NewPermission{
		Slug: strings.TrimSpace(c.posted.Get("slug")), Name: strings.TrimSpace(c.posted.Get("name")), Description: c.posted.Get("description"),
	})
	if err != nil {
		return again(err, c.permissionsPage)
	}
	return c.done(permissionsPath, "saved")
}

func (c *call) permission() (access.Permission, error) {
	if err := c.keepsAccounts(); err != nil {
		return access.Permission{}, err
	}
	return c.s.o.Access.Permission(c.ctx(), c.values["permission"])
}

func showPermission(c *call) error { return c.permissionPage(misfit{}) }

func (c *call) permissionPage(m misfit) error {
	p, err := c.permission()
	if err != nil {
		return err
	}
	w := c.words()
	s, f := c.accessSheet(org.Organization{}, "permissions", m)
	s.Head = ui.HeadProps{Title: p.Name, Badge: ui.Badge(ui.BadgeProps{Label: p.Slug}), Back: ui.Link{Label: w.T("access.permissions"), Href: permissionsPath}}
	if c.operator.Role.May(operator.Admin) {
		s.Head.Actions = act(action{Label: w.T("common.delete"), Form: c.form(hrefOf("permissions", p.Slug, "delete")), Variant: ui.Danger, Icon: ui.IconTrash})
	}
	f.Title, f.Crumbs = p.Name, append(f.Crumbs, ui.Link{Label: p.Name})
	return c.show(f, forms(s, formView{ID: "permission-form", Form: c.form(hrefOf("permissions", p.Slug)), Save: w.T("common.save"), Fields: c.permissionFields(p, m)}))
}

func savePermission(c *call) error {
	p, err := c.permission()
	if err != nil {
		return err
	}
	name, about := strings.TrimSpace(c.posted.Get("name")), c.posted.Get("description")
	if _, err := c.s.o.Access.UpdatePermission(c.ctx(), c.operator.Actor(), p.Slug, access.PermissionChanges{Name: &name, Description: &about}); err != nil {
		return again(err, c.permissionPage)
	}
	return c.done(permissionsPath, "saved")
}

func deletePermission(c *call) error {
	p, err := c.permission()
	if err != nil {
		return err
	}
	if err := c.s.o.Access.DeletePermission(c.ctx(), c.operator.Actor(), p.Slug); err != nil {
		return again(err, c.permissionPage)
	}
	return c.done(permissionsPath, "deleted")
}
