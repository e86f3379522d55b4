package dashboard

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/web/ui"
	"github.com/rollcallhq/rollcall/internal/web/words"
)

func organizationPages() []row {
	const everybody, admins = operator.ReadOnly, operator.Admin
	const one = organizationsPath + "/{id}"
	return []row{
		{organizationsPath, "dashboard_organizations", everybody, showOrganizations, admins, nil},
		exportRow(organizationsPath, "dashboard_organizations", everybody, organizationsTable),
		{organizationsPath + "/new", "dashboard_organization_new", admins, showNewOrganization, admins, createOrganization},
		{one, "dashboard_organization", everybody, showOrganization, admins, nil},
		{one + "/edit", "dashboard_organization_edit", admins, showOrganizationEdit, admins, editOrganization},
		{one + "/delete", "dashboard_organization_delete", admins, showOrganizationDelete, admins, deleteOrganization},
		{one + "/domains", "dashboard_domains", everybody, showDomains, admins, addDomain},
		{one + "/domains/{domain}/verify", "dashboard_domain_verify", admins, nil, admins, verifyDomain},
		{one + "/domains/{domain}/vouch", "dashboard_domain_vouch", admins, showDomainVouch, admins, vouchForDomain},
		{one + "/domains/{domain}/refuse", "dashboard_domain_refuse", admins, nil, admins, refuseDomain},
		{one + "/domains/{domain}/delete", "dashboard_domain_delete", admins, showDomainDelete, admins, deleteDomain},
		{one + "/features", "dashboard_features", everybody, showFeatures, admins, setFeatures},
		{one + "/policy", "dashboard_policy", everybody, showPolicy, admins, setPolicy},
		{one + "/policy/left-out", "dashboard_left_out", everybody, showLeftOut, admins, nil},
		exportRow(one+"/policy/left-out", "dashboard_left_out", everybody, leftOutTable),
		exportRow(one+"/policy/break-glass", "dashboard_break_glass", everybody, exemptTable),
		{one + "/policy/break-glass", "dashboard_break_glass", admins, nil, admins, nameBreakGlass},
		{one + "/policy/break-glass/{user}/revoke", "dashboard_break_glass_revoke", admins, showBreakGlassRevoke, admins, revokeBreakGlass},
		exportRow(one+"/directories", "dashboard_directories", everybody, directoriesTable),
		{one + "/directories/new", "dashboard_directory_new", admins, showNewDirectory, admins, createDirectory},
	}
}

// changes tells whether the operator may change what belongs to customers: buttons of others would lead to a refusal.
func (c *call) changes() bool { return c.operator.Role.May(operator.Admin) }

// organizationsTable are all organizations, or those whose names begin with what is searched for.
func organizationsTable(c *call) (table[organizationRow], error) {
	q, err := c.query()
	if err != nil {
		return table[organizationRow]{}, err
	}
	w, search := c.words(), searchOf(q.Get("search"))
	return table[organizationRow]{
		id: "organizations", file: "organizations", at: organizationsPath, query: q, filters: []string{"search"}, cursor: orgPrefix,
		key: func(r organizationRow) string { return string(r.organization.ID) },
		read: func(ctx context.Context, p paging, limit int) ([]organizationRow, bool, error) {
			found, more, err := c.s.o.Organizations.List(ctx, org.ListQuery{Search: search, Before: p.before, After: p.after, Limit: limit})
			if err != nil {
				return nil, false, err
			}
			rows, err := c.organizationRows(ctx, found)
			return rows, more, err
		},
		fields: ui.Fields[organizationRow]{
			ui.InExport("id", func(r organizationRow) string { return string(r.organization.ID) }),
			ui.Both(ui.Column{Label: w.T("organizations.name")}, func(r organizationRow) templ.Component {
				return rowLink(r.organization.Name, organizationHref(string(r.organization.ID)))
			}, "name", func(r organizationRow) string { return r.organization.Name }),
			ui.InExport("external_id", func(r organizationRow) string { return r.organization.ExternalID }),
			ui.Both(ui.Column{Label: w.T("organizations.sign_in")}, func(r organizationRow) templ.Component { return badgesOrNone(c.connectionBadges(r.connections)) },
				"connections", func(r organizationRow) string {
					return statesOf(r.connections, func(one sso.Connection) sso.State { return one.State })
				}),
			ui.Both(ui.Column{Label: w.T("organizations.directory")}, func(r organizationRow) templ.Component { return badgesOrNone(directoryBadges(w, r.directories)) },
				"directories", func(r organizationRow) string {
					return statesOf(r.directories, func(one directory.Directory) directory.State { return one.State })
				}),
			ui.Both(ui.Column{Label: w.T("organizations.domain"), Minor: true}, func(r organizationRow) templ.Component { return textOrNone(domainsShort(w, r.organization.Domains)) },
				"domains", func(r organizationRow) string {
					return statesOf(r.organization.Domains, func(d org.Domain) string { return d.Domain })
				}),
			ui.Both(ui.Column{Label: w.T("organizations.created"), Minor: true}, func(r organizationRow) templ.Component { return moment(r.organization.CreatedAt) },
				"created_at", func(r organizationRow) string { return written(r.organization.CreatedAt) }),
			ui.InExport("updated_at", func(r organizationRow) string { return written(r.organization.UpdatedAt) }),
		},
	}, nil
}

// statesOf is a word of each in one cell of an export.
func statesOf[T any, S ~string](all []T, of func(T) S) string {
	out := make([]S, len(all))
	for i, one := range all {
		out[i] = of(one)
	}
	return joined(out)
}

func showOrganizations(c *call) error {
	list, err := organizationsTable(c)
	if err != nil {
		return err
	}
	w, q := c.words(), list.query
	search := searchOf(q.Get("search"))
	t := ui.TableProps{Caption: w.T("organizations.title"), Empty: c.noOrganizations(search), Tools: ui.Filter(ui.FilterProps{
		Action: organizationsPath, Search: "search", Query: search, Label: w.T("organizations.search"), Clear: cleared(q, organizationsPath, "search"),
	})}
	if _, err := list.fill(c, &t); err != nil {
		return err
	}
	head := ui.HeadProps{Title: w.T("organizations.title"), Text: w.T("organizations.lead")}
	actions := []action{list.exportAction(c)}
	if c.changes() {
		actions = append(actions, action{Label: w.T("organizations.new"), Icon: ui.IconPlus, Href: organizationsPath + "/new"})
	}
	head.Actions = acts(actions)
	return c.show(frame{Title: head.Title}, listing(sheetView{Head: head}, t))
}

func (c *call) newOrganizationButton() templ.Component {
	return ui.Button(ui.ButtonProps{Label: c.words().T("organizations.new"), Icon: ui.IconPlus, Href: organizationsPath + "/new"})
}

func (c *call) noOrganizations(search string) ui.EmptyProps {
	w := c.words()
	if search != "" {
		return ui.EmptyProps{Icon: ui.IconSearch, Title: w.T("organizations.none_found"), Text: w.T("organizations.none_found_text")}
	}
	e := ui.EmptyProps{Icon: ui.IconBuilding, Title: w.T("organizations.none"), Text: w.T("organizations.none_text")}
	if c.changes() {
		e.Actions = c.newOrganizationButton()
	}
	return e
}

// organizationRow is an organization with where its set-up stands.
type organizationRow struct {
	organization org.Organization
	connections  []sso.Connection
	directories  []directory.Directory
}

// organizationRows reads what a page of organizations has, all of one kind at once.
func (c *call) organizationRows(ctx context.Context, page []org.Organization) ([]organizationRow, error) {
	ids := make([]string, len(page))
	for i, o := range page {
		ids[i] = string(o.ID)
	}
	directories, err := c.s.o.Directories.OfOrganizations(ctx, ids...)
	if err != nil {
		return nil, err
	}
	connections, err := c.s.o.Connections.OfOrganizations(ctx, ids...)
	if err != nil {
		return nil, err
	}
	out := make([]organizationRow, len(page))
	for i, o := range page {
		out[i] = organizationRow{o, connections[string(o.ID)], directories[string(o.ID)]}
	}
	return out, nil
}

// domainsShort names the first domain and how many there are beside it.
func domainsShort(w *words.Words, all []org.Domain) string {
	switch len(all) {
	case 0:
		return ""
	case 1:
		return all[0].Domain
	}
	return w.T("organizations.and_more", "domain", all[0].Domain, "n", len(all)-1)
}

// connectionBadges are the states that connections are in, each once.
func (c *call) connectionBadges(all []sso.Connection) []ui.BadgeProps {
	var out []ui.BadgeProps
	for _, one := range all {
		if b := c.connectionBadge(one.State); !slices.Contains(out, b) {
			out = append(out, b)
		}
	}
	return out
}

func directoryBadges(w *words.Words, all []directory.Directory) []ui.BadgeProps {
	var out []ui.BadgeProps
	for _, d := range all {
		if b := directoryBadge(w, d); !slices.Contains(out, b) {
			out = append(out, b)
		}
	}
	return out
}

// organizationTabs are the pages of an organization.
func (c *call) organizationTabs(id, current string) []ui.Tab {
	w := c.words()
	tab := func(name, href string) ui.Tab {
		return ui.Tab{Label: w.T("organizations.tab_" + name), Href: href, Current: name == current}
	}
	tabs := []ui.Tab{tab("overview", organizationHref(id))}
	if c.s.o.Members != nil {
		tabs = append(tabs, tab("members", membersPath+"?organization="+id), tab("access", hrefOf("organizations", id, "roles")))
	}
	for _, name := range []string{"domains", "policy", "features", "switches"} {
		if name == "switches" && c.s.o.Members == nil { // nobody is carried over
			continue
		}
		tabs = append(tabs, tab(name, hrefOf("organizations", id, name)))
	}
	return tabs
}

// organizationSheet is what stands around each tab of an organization.
func (c *call) organizationSheet(o org.Organization, tab string) sheetView {
	w, id := c.words(), string(o.ID)
	head := ui.HeadProps{Title: o.Name, Back: ui.Link{Label: w.T("organizations.title"), Href: organizationsPath}}
	if c.changes() && tab == "overview" {
		head.Actions = acts([]action{
			{Label: w.T("organizations.edit"), Href: hrefOf("organizations", id, "edit"), Variant: ui.Secondary},
			{Label: w.T("organizations.add_directory"), Href: hrefOf("organizations", id, "directories", "new"), Icon: ui.IconPlus},
		})
	}
	return sheetView{Head: head, Tabs: c.organizationTabs(id, tab)}
}

// organizationFrame is the frame of a page below an organization; title is "" for its own.
func organizationFrame(o org.Organization, title string) frame {
	if title == "" {
		return frame{Title: o.Name, Crumbs: []ui.Link{{Label: o.Name}}}
	}
	return frame{Title: title, Crumbs: []ui.Link{{Label: o.Name, Href: organizationHref(string(o.ID))}, {Label: title}}}
}

func showNewOrganization(c *call) error {
	return c.newOrganizationPage(newOrganizationForm{}, misfit{})
}

type newOrganizationForm struct{ name, externalID, domain string }

func (c *call) newOrganizationPage(n newOrganizationForm, m misfit) error {
	w := c.words()
	head := ui.HeadProps{Title: w.T("organizations.new"), Text: w.T("organizations.new_lead"), Back: ui.Link{Label: w.T("organizations.title"), Href: organizationsPath}}
	f := formView{ID: "organization", Form: c.form(organizationsPath + "/new"), Save: w.T("organizations.create"), Fields: []templ.Component{
		organizationNameField(w, n.name, m),
		ui.Input(ui.InputProps{FieldProps: ui.FieldProps{
			ID: "domain", Label: w.T("organizations.domain"), Hint: w.T("organizations.domain_hint"), Error: m.on("domain"), Optional: true,
		}, Value: n.domain, Placeholder: "example.com", MaxLength: 253, Mono: true}),
		externalIDField(w, n.externalID, m),
	}}
	return c.show(frame{Title: head.Title, Crumbs: []ui.Link{{Label: head.Title}}, Narrow: true, Status: m.Status}, forms(sheetView{Head: head, Wrong: m}, f))
}

func organizationNameField(w *words.Words, value string, m misfit) templ.Component {
	return ui.Input(ui.InputProps{FieldProps: ui.FieldProps{ID: "name", Label: w.T("organizations.name"), Error: m.on("name")}, Value: value, MaxLength: 255})
}

func externalIDField(w *words.Words, value string, m misfit) templ.Component {
	return ui.Input(ui.InputProps{FieldProps: ui.FieldProps{
		ID: "external_id", Label: w.T("organizations.external_id"), Hint: w.T("organizations.external_id_hint"), Error: m.on("external_id"), Optional: true,
	}, Value: value, MaxLength: 128, Mono: true})
}

func createOrganization(c *call) error {
	n := newOrganizationForm{name: c.posted.Get("name"), externalID: c.posted.Get("external_id"), domain: c.posted.Get("domain")}
	wanted := org.New{Name: n.name, ExternalID: n.externalID}
	if n.domain != "" {
		wanted.Domains = []org.NewDomain{{Domain: n.domain, State: org.Pending}}
	}
	made, err := c.s.o.Organizations.Create(c.ctx(), c.operator.Actor(), wanted)
	if err != nil {
		return again(err, func(m misfit) error {
			if m.Field == "domains" || m.Field == "domain_data" {
				m.Field = "domain"
			}
			return c.newOrganizationPage(n, m)
		})
	}
	return c.done(organizationHref(string(made.ID)), "organization_created")
}

func showOrganizationEdit(c *call) error {
	o, err := c.organization(c.values["id"])
	if err != nil {
		return err
	}
	return c.organizationEditPage(o, o.Name, o.ExternalID, misfit{})
}

func (c *call) organizationEditPage(o org.Organization, name, externalID string, m misfit) error {
	w, id := c.words(), string(o.ID)
	s := c.organizationSheet(o, "edit")
	s.Wrong = m
	f := formView{
		ID: "organization", Form: c.form(hrefOf("organizations", id, "edit")), Title: w.T("organizations.edit"), Save: w.T("organizations.save"),
		Fields: []templ.Component{organizationNameField(w, name, m), externalIDField(w, externalID, m)},
	}
	fr := organizationFrame(o, w.T("organizations.edit"))
	fr.Status = m.Status
	return c.show(fr, forms(s, f))
}

func editOrganization(c *call) error {
	o, err := c.organization(c.values["id"])
	if err != nil {
		return err
	}
	name, externalID := c.posted.Get("name"), c.posted.Get("external_id")
	_, err = c.s.o.Organizations.Update(c.ctx(), c.operator.Actor(), o.ID, org.Changes{Name: told(name, o.Name), ExternalID: told(externalID, o.ExternalID)})
	if err != nil {
		return again(err, func(m misfit) error { return c.organizationEditPage(o, name, externalID, m) })
	}
	return c.done(organizationHref(string(o.ID)), "saved")
}

func showOrganizationDelete(c *call) error {
	o, err := c.organization(c.values["id"])
	if err != nil {
		return err
	}
	return c.organizationDeletePage(o, misfit{})
}

// organizationDeletePage says what goes with an organization.
func (c *call) organizationDeletePage(o org.Organization, m misfit) error {
	w, id := c.words(), string(o.ID)
	rows, err := c.organizationRows(c.ctx(), []org.Organization{o})
	if err != nil {
		return err
	}
	people, err := c.peopleOf(rows[0].directories)
	if err != nil {
		return err
	}
	var says []string
	for _, one := range []struct {
		key string
		n   int
	}{{"organizations.lose_connections", len(rows[0].connections)}, {"organizations.lose_directories", len(rows[0].directories)}, {"organizations.lose_people", people}} {
		if one.n > 0 {
			says = append(says, w.N(one.key, one.n))
		}
	}
	says = append(says, w.T("organizations.lose_members"), w.T("organizations.lose_data"))
	f := organizationFrame(o, w.T("organizations.delete"))
	f.Narrow, f.Status = true, m.Status
	return c.show(f, asking(m, ui.ConfirmProps{
		Title: w.T("organizations.delete_title", "name", o.Name), Text: w.T("organizations.delete_lead"), Lines: says, Form: c.form(hrefOf("organizations", id, "delete")),
		Confirm: w.T("organizations.delete"), Cancel: ui.Link{Href: organizationHref(id)}, Type: o.Name, Error: m.on("confirm"),
	}))
}

// peopleOf counts who is in some directories.
func (c *call) peopleOf(all []directory.Directory) (int, error) {
	counts, err := c.countsOf(all)
	n := 0
	for _, one := range counts {
		n += int(one.Active + one.Inactive)
	}
	return n, err
}

func (c *call) countsOf(all []directory.Directory) (map[directory.ID]directory.Counts, error) {
	if len(all) == 0 {
		return nil, nil
	}
	ids := make([]directory.ID, len(all))
	for i, d := range all {
		ids[i] = d.ID
	}
	return c.s.o.Directories.CountsOf(c.ctx(), ids...)
}

func deleteOrganization(c *call) error {
	o, err := c.organization(c.values["id"])
	if err != nil {
		return err
	}
	if m := c.confirmed(o.Name); m.Message != "" {
		return c.organizationDeletePage(o, m)
	}
	if err := c.s.o.Lifecycle.DeleteOrganization(c.ctx(), c.operator.Actor(), o.ID); err != nil {
		return again(err, func(m misfit) error { return c.organizationDeletePage(o, m) })
	}
	return c.done(organizationsPath, "organization_deleted")
}

// confirmed asks that a name was typed in.
func (c *call) confirmed(name string) misfit {
	if squeezed(c.posted.Get("confirm")) == squeezed(name) {
		return misfit{}
	}
	return misfit{Field: "confirm", Message: c.words().T("organizations.confirm_wrong", "name", name), Status: http.StatusUnprocessableEntity}
}

// squeezed is a text as browsers show it: several blanks are one.
func squeezed(text string) string { return strings.Join(strings.Fields(text), " ") }
