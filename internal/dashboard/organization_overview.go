package dashboard

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/web/ui"
	"github.com/rollcallhq/rollcall/internal/web/words"
)

// showOrganization is the first tab: what the organization has, and where its set-up stands.
func showOrganization(c *call) error {
	o, err := c.organization(c.values["id"])
	if err != nil {
		return err
	}
	rows, err := c.organizationRows(c.ctx(), []org.Organization{o})
	if err != nil {
		return err
	}
	features, err := c.s.o.Organizations.Features(c.ctx(), o.ID)
	if err != nil {
		return err
	}
	w := c.words()
	s := c.organizationSheet(o, "overview")
	if s.Banner, err = c.openSwitch(o.ID); err != nil {
		return err
	}
	for _, f := range org.AllFeatures() {
		if !features.On(f) {
			s.Alerts = append(s.Alerts, ui.AlertProps{Tone: ui.Warn, Title: w.T("organizations.feature_off_" + string(f)), Text: w.T("organizations.feature_off_text")})
		}
	}
	v := organizationView{
		Sheet: s, Details: organizationPairs(w, o), Connections: c.connectionTable(o, rows[0].connections),
	}
	if v.Directories, err = c.directoryTable(o, rows[0].directories); err != nil {
		return err
	}
	if c.changes() {
		v.Delete = hrefOf("organizations", string(o.ID), "delete")
	}
	return c.show(organizationFrame(o, ""), v.view())
}

func organizationPairs(w *words.Words, o org.Organization) []ui.Pair {
	var domains []string
	for _, d := range o.Domains {
		domains = append(domains, d.Domain)
	}
	pairs := []ui.Pair{
		idPair(w, string(o.ID)),
		{Key: w.T("organizations.external_id"), Text: o.ExternalID, Mono: true},
		{Key: w.T("organizations.tab_domains"), Text: strings.Join(domains, ", ")},
		{Key: w.T("organizations.created"), Value: exactly(o.CreatedAt)},
		{Key: w.T("organizations.changed"), Value: exactly(o.UpdatedAt)},
	}
	for _, key := range sortedKeys(o.Metadata) {
		pairs = append(pairs, ui.Pair{Key: key, Text: o.Metadata[key], Mono: true})
	}
	return pairs
}

func sortedKeys(m map[string]string) []string {
	var out []string
	for key := range m {
		out = append(out, key)
	}
	slices.Sort(out)
	return out
}

// directoryRow is a directory in a list, with how many it has.
type directoryRow struct {
	directory.Directory
	n directory.Counts
}

// directoriesTable are the directories of an organization.
func directoriesTable(c *call) (table[directoryRow], error) {
	o, err := c.organization(c.values["id"])
	if err != nil {
		return table[directoryRow]{}, err
	}
	rows, err := c.organizationRows(c.ctx(), []org.Organization{o})
	if err != nil {
		return table[directoryRow]{}, err
	}
	return c.directoriesOf(o, rows[0].directories), nil
}

func (c *call) directoriesOf(o org.Organization, all []directory.Directory) table[directoryRow] {
	w := c.words()
	number := func(label string, minor bool, name string, of func(directory.Counts) int64) ui.Field[directoryRow] {
		return ui.Both(ui.Column{Label: label, Number: true, Minor: minor}, func(r directoryRow) templ.Component { return ui.Text(numeral(w, of(r.n))) },
			name, func(r directoryRow) string { return strconv.FormatInt(of(r.n), 10) })
	}
	return table[directoryRow]{
		id: "directories", file: "directories", at: hrefOf("organizations", string(o.ID), "directories"), key: func(r directoryRow) string { return string(r.ID) },
		read: whole(func(context.Context) ([]directoryRow, error) {
			counts, err := c.countsOf(all)
			out := make([]directoryRow, len(all))
			for i, d := range all {
				out[i] = directoryRow{d, counts[d.ID]}
			}
			return out, err
		}),
		fields: ui.Fields[directoryRow]{
			ui.InExport("id", func(r directoryRow) string { return string(r.ID) }),
			ui.InExport("organization_id", func(r directoryRow) string { return r.OrganizationID }),
			ui.Both(ui.Column{Label: w.T("organizations.name")}, func(r directoryRow) templ.Component { return rowLink(r.Name, directoryHref(r.ID)) },
				"name", func(r directoryRow) string { return r.Name }),
			ui.Both(ui.Column{Label: w.T("organizations.state")}, func(r directoryRow) templ.Component { return ui.Badge(directoryBadge(w, r.Directory)) },
				"state", func(r directoryRow) string { return string(r.State) }),
			ui.Both(ui.Column{Label: w.T("organizations.provider"), Minor: true}, func(r directoryRow) templ.Component { return textOrNone(c.providerName(r.Provider)) },
				"provider", func(r directoryRow) string { return r.Provider }),
			number(w.T("directories.active"), false, "active", func(n directory.Counts) int64 { return n.Active }),
			number(w.T("directories.inactive"), true, "inactive", func(n directory.Counts) int64 { return n.Inactive }),
			number(w.T("directories.groups"), true, "groups", func(n directory.Counts) int64 { return n.Groups }),
			ui.InExport("created_at", func(r directoryRow) string { return written(r.CreatedAt) }),
		},
	}
}

func (c *call) directoryTable(o org.Organization, all []directory.Directory) (ui.TableProps, error) {
	w, list := c.words(), c.directoriesOf(o, all)
	t := ui.TableProps{
		Caption: w.T("organizations.directories"), Titled: true, Export: list.exportLink(c),
		Empty: ui.EmptyProps{Icon: ui.IconFolderSync, Title: w.T("organizations.no_directory"), Text: w.T("organizations.no_directory_text")},
	}
	if c.changes() {
		t.Empty.Actions = ui.Button(ui.ButtonProps{Label: w.T("organizations.add_directory"), Icon: ui.IconPlus, Href: hrefOf("organizations", string(o.ID), "directories", "new")})
	}
	_, err := list.fill(c, &t)
	return t, err
}

func (c *call) connectionTable(o org.Organization, all []sso.Connection) ui.TableProps {
	w := c.words()
	t := ui.TableProps{
		ID: "connections", Caption: w.T("organizations.connections"), Titled: true, Columns: []ui.Column{
			{Label: w.T("organizations.name")},
			{Label: w.T("organizations.state")},
			{Label: w.T("organizations.provider"), Minor: true},
			{Label: w.T("organizations.last_sign_in"), Minor: true},
		},
		Empty:  ui.EmptyProps{Icon: ui.IconShield, Title: w.T("organizations.no_connection"), Text: w.T("organizations.no_connection_text")},
		Export: ui.Link{Label: w.T("log.export_csv"), Href: connectionsPath + "/export?organization=" + string(o.ID)},
	}
	if c.changes() {
		add := hrefOf("organizations", string(o.ID), "connections", "new")
		button := ui.Button(ui.ButtonProps{Label: w.T("organizations.add_connection"), Icon: ui.IconPlus, Href: add, Variant: ui.Secondary})
		t.Empty.Actions = button
		if len(all) > 0 {
			t.Tools = button
		}
	}
	for _, one := range all {
		t.Rows = append(t.Rows, ui.Row{ID: string(one.ID), Cells: []templ.Component{
			rowLink(one.Name, hrefOf("connections", string(one.ID))), ui.Badge(c.connectionBadge(one.State)), textOrNone(c.providerName(one.Provider)),
			moment(one.LastSuccessAt),
		}})
	}
	return t
}
