package dashboard

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

const directoryPrefix = "directory"

// mappingPages are the addresses of mappings.
func mappingPages() []row {
	const see, change = operator.ReadOnly, operator.Admin
	return []row{
		{Prefix + "directories/{id}/mapping", "dashboard_mapping", see, showDirectoryMapping, change, changeDirectoryMapping},
		{connectionsPath + "/{id}/mapping", "dashboard_mapping", see, showConnectionMapping, change, changeConnectionMapping},
	}
}

// mapped is whose mapping a page is about: of the two one is there.
type mapped struct {
	organizationID, sourceID string
	directory                *directory.Directory
	sheet                    sheetView
	frame                    frame
	form                     ui.FormProps
}

func (c *call) mappedDirectory() (mapped, error) {
	if err := c.keepsAccounts(); err != nil {
		return mapped{}, err
	}
	id := c.values["id"]
	if !isID(id, directoryPrefix) {
		return mapped{}, directory.NotFound(id)
	}
	d, err := c.s.o.Directories.Get(c.ctx(), directory.ID(id))
	if err != nil {
		return mapped{}, err
	}
	o, err := c.s.o.Organizations.Get(c.ctx(), org.ID(d.OrganizationID))
	if err != nil {
		return mapped{}, err
	}
	w, at := c.words(), hrefOf("directories", id)
	return mapped{
		organizationID: d.OrganizationID, sourceID: id, directory: &d, form: c.form(at + "/mapping"),
		sheet: sheetView{Head: ui.HeadProps{Title: w.T("access.mapping"), Text: w.T("access.mapping_text", "source", d.Name), Back: ui.Link{Label: d.Name, Href: at}}},
		frame: frame{Title: w.T("access.mapping"), Crumbs: []ui.Link{{Label: o.Name, Href: organizationHref(d.OrganizationID)}, {Label: d.Name, Href: at}, {Label: w.T("access.mapping")}}},
	}, nil
}

func (c *call) mappedConnection() (mapped, error) {
	if err := c.keepsAccounts(); err != nil {
		return mapped{}, err
	}
	one, err := c.connection()
	if err != nil {
		return mapped{}, err
	}
	s, f, err := c.connectionSheet(one, "mapping", misfit{})
	if err != nil {
		return mapped{}, err
	}
	f.Crumbs = append(f.Crumbs, ui.Link{Label: c.words().T("access.mapping")})
	return mapped{organizationID: one.OrganizationID, sourceID: string(one.ID), sheet: s, frame: f, form: c.form(connectionHref(one.ID, "mapping"))}, nil
}

// mappingView is a mapping that can be edited, and who gains and loses by it.
type mappingView struct {
	Sheet     sheetView
	Form      ui.FormProps
	Wrong     misfit
	Switches  []ui.SwitchProps
	Sentences []string // a rule each
	Rules     string   // JSON
	Give      []ui.Option
	Preview   *mappingPreview // nil: not asked for
	Previews  bool            // there is one to ask for
	May       bool
}

// mappingPreview is a page of who gains and loses.
type mappingPreview struct {
	Table   ui.TableProps
	Scanned int
	After   string // where to go on; "" at the end
}

func showDirectoryMapping(c *call) error {
	m, err := c.mappedDirectory()
	if err != nil {
		return err
	}
	return c.showMapping(m)
}

func showConnectionMapping(c *call) error {
	m, err := c.mappedConnection()
	if err != nil {
		return err
	}
	return c.showMapping(m)
}

func (c *call) showMapping(m mapped) error {
	saved, err := c.s.o.Access.Mapping(c.ctx(), m.organizationID, m.sourceID)
	if err != nil {
		return err
	}
	version := saved.Version
	return c.mappingPage(m, access.NewMapping{
		DrivesRoles: saved.DrivesRoles, DrivesTeams: saved.DrivesTeams, DrivesLicences: saved.DrivesLicences, TeamsFollow: saved.TeamsFollow, Rules: saved.Rules, Version: &version,
	}, indented(access.RulesJSON(saved.Rules)), nil, misfit{})
}

func indented(text []byte) string {
	v := jsontext.Value(slices.Clone(text))
	if v.Indent(jsontext.WithIndent("  ")) != nil { // it is shown as it was typed
		return string(text)
	}
	return string(v)
}

func (c *call) mappingPage(m mapped, n access.NewMapping, rules string, p *mappingPreview, bad misfit) error {
	w := c.words()
	m.sheet.Wrong, m.frame.Status = bad, bad.Status
	v := mappingView{
		Sheet: m.sheet, Form: m.form, Wrong: bad, Rules: rules, Preview: p, Previews: m.directory != nil, May: c.operator.Role.May(operator.Admin),
		Switches: []ui.SwitchProps{
			{FieldProps: ui.FieldProps{ID: "drives_roles", Label: w.T("access.drives_roles"), Hint: w.T("access.drives_roles_hint")}, On: n.DrivesRoles},
			{FieldProps: ui.FieldProps{ID: "drives_teams", Label: w.T("access.drives_teams"), Hint: w.T("access.drives_teams_hint")}, On: n.DrivesTeams},
			{FieldProps: ui.FieldProps{ID: "drives_licences", Label: w.T("access.drives_licences"), Hint: w.T("access.drives_licences_hint")}, On: n.DrivesLicences},
		},
	}
	if m.directory != nil {
		v.Switches = append(v.Switches, ui.SwitchProps{FieldProps: ui.FieldProps{ID: "teams_follow", Label: w.T("access.teams_follow"), Hint: w.T("access.teams_follow_hint")}, On: n.TeamsFollow})
	}
	if n.Version != nil {
		v.Form.Hidden = append(v.Form.Hidden, ui.Hidden{Name: "version", Value: strconv.FormatInt(*n.Version, 10)})
	}
	names, err := c.givable(m.organizationID)
	if err != nil {
		return err
	}
	v.Give = names.options
	for _, r := range n.Rules {
		v.Sentences = append(v.Sentences, c.ruleSentence(r, names))
	}
	return c.show(m.frame, v.view())
}

// givables are what a rule can give, by the names that people know.
type givables struct {
	options []ui.Option
	names   map[string]string
}

func (c *call) givable(organizationID string) (givables, error) {
	out, w := givables{names: map[string]string{}}, c.words()
	add := func(set access.Target, to, name string) {
		key := string(set) + ":" + to
		out.names[key] = name
		out.options = append(out.options, ui.Option{Value: key, Label: w.T("access.target_"+string(set)) + " " + name})
	}
	roles, err := c.s.o.Access.Roles(c.ctx(), organizationID)
	if err != nil {
		return out, err
	}
	for _, r := range roles {
		add(access.SetRole, r.Slug, r.Name)
	}
	teams, _, err := c.s.o.Access.Teams(c.ctx(), organizationID, access.Page{Limit: teamsOffered})
	if err != nil {
		return out, err
	}
	for _, t := range teams {
		if !t.Follows() {
			add(access.SetTeam, string(t.ID), t.Name)
		}
	}
	licences, err := c.s.o.Access.Licences(c.ctx(), organizationID)
	if err != nil {
		return out, err
	}
	for _, l := range licences {
		add(access.SetLicence, l.Type.Slug, l.Type.Name)
	}
	return out, nil
}

// ruleSentence says what a rule does.
func (c *call) ruleSentence(r access.Rule, names givables) string {
	w := c.words()
	what := r.Name
	if r.To != "" {
		what = r.To
		if name, known := names.names[string(r.Set)+":"+r.To]; known {
			what = name
		}
	}
	given := w.T("access.target_"+string(r.Set)) + " " + what
	if r.From != "" {
		given = w.T("access.rule_from", "what", given, "path", r.From)
	}
	if len(r.When) == 0 {
		return w.T("access.rule_always", "what", given)
	}
	conditions := make([]string, len(r.When))
	for i, one := range r.When {
		conditions[i] = c.conditionSentence(one)
	}
	return w.T("access.rule_when", "what", given, "when", strings.Join(conditions, w.T("access.and")))
}

func (c *call) conditionSentence(one access.Condition) string {
	w := c.words()
	if one.Group != nil {
		name := one.Group.Name
		if name == "" {
			name = one.Group.ID
		}
		return w.T("access.when_group", "group", name)
	}
	return w.T("access.when_"+string(one.Test), "path", one.Path, "texts", strings.Join(one.Texts, ", "))
}

// What the buttons of the form do.
const (
	doPreview = "preview"
	doAdd     = "add"
	doSave    = "save"
)

func changeDirectoryMapping(c *call) error {
	m, err := c.mappedDirectory()
	if err != nil {
		return err
	}
	return c.changeMapping(m)
}

func changeConnectionMapping(c *call) error {
	m, err := c.mappedConnection()
	if err != nil {
		return err
	}
	return c.changeMapping(m)
}

// changeMapping adds a rule to what stands in the form, shows who gains and loses by it, or saves it.
func (c *call) changeMapping(m mapped) error {
	n := access.NewMapping{
		OrganizationID: m.organizationID, SourceID: m.sourceID, DrivesRoles: c.posted.Get("drives_roles") != "", DrivesTeams: c.posted.Get("drives_teams") != "",
		DrivesLicences: c.posted.Get("drives_licences") != "", TeamsFollow: c.posted.Get("teams_follow") != "",
	}
	if v, err := strconv.ParseInt(c.posted.Get("version"), 10, 64); err == nil {
		n.Version = &v
	}
	typed := c.posted.Get("rules")
	draw := func(bad misfit) error { return c.mappingPage(m, n, typed, nil, bad) }
	var err error
	if n.Rules, err = access.ParseRules([]byte(orElse(strings.TrimSpace(typed), "[]"))); err != nil {
		return again(err, draw)
	}
	do, after, _ := strings.Cut(c.posted.Get("do"), ":")
	switch {
	case do == doAdd:
		return c.addRule(m, n, typed)
	case do == doPreview && m.directory != nil:
		p, err := c.previewMapping(m, n, after)
		if err != nil {
			return again(err, draw)
		}
		return c.mappingPage(m, n, typed, p, misfit{})
	}
	if _, err := c.s.o.Mappings.Set(c.ctx(), c.operator.Actor(), n); err != nil {
		return again(err, draw)
	}
	return c.done(m.form.Action, "mapping_saved")
}

// addRule puts the rule of the small form behind the others. Nothing is saved by it.
func (c *call) addRule(m mapped, n access.NewMapping, typed string) error {
	set, to, _ := strings.Cut(c.posted.Get("give"), ":")
	rule := access.Rule{Set: access.Target(set), To: to}
	if group := strings.TrimSpace(c.posted.Get("group")); group != "" {
		rule.When = []access.Condition{{Group: &access.Group{Name: group}}}
	}
	switch rule.Set {
	case access.SetRole:
		n.DrivesRoles = true
	case access.SetTeam:
		n.DrivesTeams = true
	case access.SetLicence:
		n.DrivesLicences = true
	case access.SetAttribute, access.SetProfile:
	}
	all := append(slices.Clone(n.Rules), rule)
	text := access.RulesJSON(all)
	checked, err := access.ParseRules(text)
	if err != nil {
		return again(err, func(bad misfit) error { return c.mappingPage(m, n, typed, nil, bad) })
	}
	n.Rules = checked
	return c.mappingPage(m, n, indented(text), nil, misfit{})
}

// differencesShown is how many people a page of a preview has.
const differencesShown = 50

// previewMapping looks from a person on.
func (c *call) previewMapping(m mapped, n access.NewMapping, after string) (*mappingPreview, error) {
	if after != "" && !isID(after, "directory_user") {
		return nil, errPlace()
	}
	found, err := c.s.o.Directories.PreviewMapping(c.ctx(), directory.MappingQuery{Directory: *m.directory, Mapping: n, After: after, Limit: differencesShown})
	if err != nil {
		return nil, err
	}
	w := c.words()
	p := &mappingPreview{Scanned: found.Scanned, After: found.After, Table: ui.TableProps{
		ID: "differences", Caption: w.T("access.differences"), Titled: true,
		Columns: []ui.Column{
			{Label: w.T("access.person")},
			{Label: w.T("people.role")},
			{Label: w.T("people.licence")},
			{Label: w.T("access.gains")},
			{Label: w.T("access.loses")},
			{Label: w.T("access.attributes"), Minor: true},
		},
		Empty: ui.EmptyProps{Icon: ui.IconCheckCircle, Title: w.T("access.no_difference"), Text: w.N("access.scanned", found.Scanned)},
	}}
	for _, d := range found.Differences {
		p.Table.Rows = append(p.Table.Rows, ui.Row{Cells: []templ.Component{
			ui.Person(d.Person.Name, orElse(d.Person.Email, d.Person.ID), ""), c.changed(d.Role), c.changed(d.Licence),
			teamBadges(d.Gains, found.Teams, ui.Good), teamBadges(d.Loses, found.Teams, ui.Warn), ui.Text(attributesChanged(d)),
		}})
	}
	return p, nil
}

func (c *call) changed(ch access.Change) templ.Component {
	if !ch.Changes() {
		return ui.Text("–")
	}
	return ui.Text(orDash(ch.Before) + " → " + orDash(ch.After))
}

func teamBadges(ids []access.TeamID, teams map[access.TeamID]directory.PreviewedTeam, tone ui.Tone) templ.Component {
	out := make([]ui.BadgeProps, len(ids))
	for i, id := range ids {
		out[i] = ui.BadgeProps{Label: teams[id].Name, Tone: tone}
	}
	return badges(out)
}

func attributesChanged(d access.Difference) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(d.Attributes)) {
		v := d.Attributes[name]
		out = append(out, name+": "+valueText(v.Before)+" → "+valueText(v.After))
	}
	return strings.Join(out, "; ")
}

func valueText(v any) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprint(v)
}
