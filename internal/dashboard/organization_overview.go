package dashboard

import (
	"slices"
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
	rows, err := c.organizationRows([]org.Organization{o})
	if err != nil {
		return err
	}
	features, err := c.s.o.Organizations.Features(c.ctx(), o.ID)
	if err != nil {
		return err
	}
	counts, err := c.countsOf(rows[0].directories)
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
		Sheet: s, Details: organizationPairs(w, o), Directories: c.directoryTable(o, rows[0].directories, counts), Connections: c.connectionTable(o, rows[0].connections),
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

func (c *call) directoryTable(o org.Organization, all []directory.Directory, counts map[directory.ID]directory.Counts) ui.TableProps {
	w := c.words()
	t := ui.TableProps{
		ID: "directories", Caption: w.T("organizations.directories"), Titled: true, Columns: []ui.Column{
			{Label: w.T("organizations.name")},
			{Label: w.T("organizations.state")},
			{Label: w.T("organizations.provider"), Minor: true},
			{Label: w.T("directories.active"), Number: true},
			{Label: w.T("directories.inactive"), Number: true, Minor: true},
			{Label: w.T("directories.groups"), Number: true, Minor: true},
		},
		Empty: ui.EmptyProps{Icon: ui.IconFolderSync, Title: w.T("organizations.no_directory"), Text: w.T("organizations.no_directory_text")},
	}
	if c.changes() {
		t.Empty.Actions = ui.Button(ui.ButtonProps{Label: w.T("organizations.add_directory"), Icon: ui.IconPlus, Href: hrefOf("organizations", string(o.ID), "directories", "new")})
	}
	for _, d := range all {
		n := counts[d.ID]
		t.Rows = append(t.Rows, ui.Row{ID: string(d.ID), Cells: []templ.Component{
			rowLink(d.Name, directoryHref(d.ID)), ui.Badge(directoryBadge(w, d)), textOrNone(c.providerName(d.Provider)),
			ui.Text(numeral(w, n.Active)), ui.Text(numeral(w, n.Inactive)), ui.Text(numeral(w, n.Groups)),
		}})
	}
	return t
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
		Empty: ui.EmptyProps{Icon: ui.IconShield, Title: w.T("organizations.no_connection"), Text: w.T("organizations.no_connection_text")},
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
