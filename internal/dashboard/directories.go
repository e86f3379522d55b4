package dashboard

import (
	"slices"
	"strings"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/web/ui"
	"github.com/rollcallhq/rollcall/internal/web/words"
)

func directoryPages() []row {
	const everybody, admins = operator.ReadOnly, operator.Admin
	const one = Prefix + "directories/{id}"
	return []row{
		{one, "dashboard_directory", everybody, showDirectory, admins, nil},
		{one + "/users", "dashboard_directory_users", everybody, showPeople, admins, nil},
		exportRow(one+"/users", "dashboard_directory_users", everybody, peopleTable),
		{one + "/users/{user}", "dashboard_directory_user", everybody, showPerson, admins, nil},
		exportRow(one+"/users/{user}/groups", "dashboard_directory_user_groups", everybody, personGroupsTable),
		{one + "/groups", "dashboard_directory_groups", everybody, showGroups, admins, nil},
		exportRow(one+"/groups", "dashboard_directory_groups", everybody, groupsTable),
		{one + "/groups/{group}", "dashboard_directory_group", everybody, showGroup, admins, nil},
		exportRow(one+"/groups/{group}", "dashboard_directory_group", everybody, groupPeopleTable),
		{one + "/health", "dashboard_directory_health", everybody, showHealth, admins, nil},
		{one + "/tokens", "dashboard_directory_tokens", everybody, showTokens, admins, createToken},
		{one + "/tokens/{token}/revoke", "dashboard_directory_token_revoke", admins, showTokenRevoke, admins, revokeToken},
		{one + "/settings", "dashboard_directory_settings", everybody, showDirectorySettings, admins, setDirectory},
		{one + "/go-live", "dashboard_directory_go_live", everybody, showGoLive, admins, goLive},
		exportRow(one+"/go-live", "dashboard_directory_go_live", everybody, foreseenTable),
		{one + "/delete", "dashboard_directory_delete", admins, showDirectoryDelete, admins, deleteDirectory},
		{one + "/exchanges", "dashboard_exchanges", everybody, showExchanges, admins, nil},
		exportRow(one+"/exchanges", "dashboard_exchanges", everybody, exchangesTable),
		{one + "/exchanges/live", "dashboard_exchanges_live", everybody, showExchangesLive, admins, nil},
		{one + "/exchanges/{exchange}", "dashboard_exchange", everybody, showExchange, admins, nil},
		{one + "/exchanges/{exchange}/replay", "dashboard_exchange_replay", everybody, nil, admins, replayExchange},
	}
}

func directoryHref(id directory.ID, parts ...string) string {
	return hrefOf("directories", append([]string{string(id)}, parts...)...)
}

// directoryBadge is where a directory stands.
func directoryBadge(w *words.Words, d directory.Directory) ui.BadgeProps {
	switch {
	case d.Switching == directory.Retired:
		return ui.BadgeProps{Label: w.T("directories.state_retired"), Tone: ui.Neutral, Dot: true}
	case d.Paused:
		return ui.BadgeProps{Label: w.T("directories.state_paused"), Tone: ui.Warn, Dot: true}
	case !d.Live():
		return ui.BadgeProps{Label: w.T("directories.state_silent"), Tone: ui.Info, Dot: true}
	case d.State == directory.Linked:
		return ui.BadgeProps{Label: w.T("directories.state_linked"), Tone: ui.Good, Dot: true}
	}
	return ui.BadgeProps{Label: w.T("directories.state_unlinked"), Tone: ui.Neutral, Dot: true}
}

// directory finds the one of the address with its organization.
func (c *call) directory() (d directory.Directory, o org.Organization, err error) {
	id := c.values["id"]
	if !isID(id, directoryPrefix) {
		return d, o, directory.NotFound(id)
	}
	if d, err = c.s.o.Directories.Get(c.ctx(), directory.ID(id)); err != nil {
		return d, o, err
	}
	o, err = c.organization(d.OrganizationID)
	return d, o, err
}

// endpoint is the address that an identity provider stores.
func (c *call) endpoint(d directory.Directory) string {
	return strings.TrimSuffix(c.s.o.PublicURL(c.r, d.OrganizationID), "/") + "/scim/v2/" + d.Address()
}

func (c *call) directoryTabs(d directory.Directory, current string, n directory.Counts) []ui.Tab {
	w := c.words()
	var out []ui.Tab
	for _, one := range []struct {
		name  string
		count int
	}{{"overview", 0}, {"users", int(n.Active + n.Inactive)}, {"groups", int(n.Groups)}, {"health", 0}, {"exchanges", 0}, {"mapping", 0}, {"tokens", 0}, {"settings", 0}} {
		if one.name == "mapping" && c.s.o.Members == nil {
			continue
		}
		href := directoryHref(d.ID, one.name)
		if one.name == "overview" {
			href = directoryHref(d.ID)
		}
		out = append(out, ui.Tab{Label: w.T("directories.tab_" + one.name), Href: href, Current: one.name == current, Count: one.count})
	}
	return out
}

// directorySheet is what stands around each tab of a directory.
func (c *call) directorySheet(d directory.Directory, o org.Organization, tab string) (sheetView, directory.Counts, error) {
	n, err := c.s.o.Directories.Counts(c.ctx(), d.ID)
	if err != nil {
		return sheetView{}, n, err
	}
	head := ui.HeadProps{Title: d.Name, Badge: ui.Badge(directoryBadge(c.words(), d)), Back: ui.Link{Label: o.Name, Href: organizationHref(string(o.ID))}}
	if p := c.providerName(d.Provider); p != "" && p != d.Name {
		head.Text = p
	}
	banner, err := c.holdBanner(d)
	return sheetView{Head: head, Tabs: c.directoryTabs(d, tab, n), Banner: banner}, n, err
}

// directoryFrame is the frame of a page below a directory; titles are those of the pages from it to this one.
func directoryFrame(d directory.Directory, o org.Organization, crumbs ...ui.Link) frame {
	all := []ui.Link{{Label: o.Name, Href: organizationHref(string(o.ID))}, {Label: d.Name, Href: directoryHref(d.ID)}}
	f := frame{Title: d.Name, Crumbs: append(all, crumbs...)}
	if len(crumbs) > 0 {
		f.Title = crumbs[len(crumbs)-1].Label + " · " + d.Name
	}
	return f
}

func (c *call) tabFrame(d directory.Directory, o org.Organization, tab string) frame {
	return directoryFrame(d, o, ui.Link{Label: c.words().T("directories.tab_" + tab), Href: directoryHref(d.ID, tab)})
}

// healthWindow is how many of the newest requests tell how a directory is.
const healthWindow = 100

// directoryHealth is what its newest requests say of a directory.
type directoryHealth struct {
	last    directory.Exchange // the newest; zero: none is kept
	looked  int
	refused int
	problem directory.Exchange // the newest that was refused, zero: none
}

func (c *call) directoryHealth(d directory.ID) (h directoryHealth, err error) {
	found, _, err := c.s.o.Directories.ExchangeHeads(c.ctx(), directory.ExchangeQuery{Directory: d, Limit: healthWindow})
	if err != nil || len(found) == 0 {
		return h, err
	}
	h.last, h.looked = found[0], len(found)
	for _, x := range found {
		if x.Status < refusedFrom {
			continue
		}
		if h.refused++; h.problem.ID == "" {
			h.problem = x
		}
	}
	return h, nil
}

func showDirectory(c *call) error {
	d, o, err := c.directory()
	if err != nil {
		return err
	}
	s, n, err := c.directorySheet(d, o, "overview")
	if err != nil {
		return err
	}
	health, err := c.directoryHealth(d.ID)
	if err != nil {
		return err
	}
	progress, err := c.s.o.Directories.Progress(c.ctx(), d.ID)
	if err != nil {
		return err
	}
	features, err := c.s.o.Organizations.Features(c.ctx(), o.ID)
	if err != nil {
		return err
	}
	w := c.words()
	s.Alerts = directoryAlerts(w, d, features, health)
	v := directoryView{
		Sheet: s, Stats: c.directoryStats(d, n, health), Endpoint: c.endpointCard(d), Details: c.directoryPairs(d), Health: healthPairs(w, d, health),
	}
	v.Quiet = c.quiet(d)
	if progress.State == directory.Applying {
		v.Progress = ui.ProgressProps{
			Label: w.T("directories.applying"), Value: int(progress.Done), Max: int(progress.Total),
			Note: w.T("directories.applied_of", "n", int(progress.Done), "of", int(progress.Total)),
		}
	}
	if c.changes() {
		v.Delete = directoryHref(d.ID, "delete")
	}
	return c.show(directoryFrame(d, o), v.view())
}

// quiet says of a directory that gives nobody anything why it does not, and leads to what ends that; the zero value is for one that is live. One of
// a switch goes live with the cut-over and not before.
func (c *call) quiet(d directory.Directory) quietView {
	w := c.words()
	var kind string
	switch {
	case d.Switching == directory.Retired:
		kind = "retired"
	case d.Live():
		return quietView{}
	case d.Switching != "":
		kind = "coming"
	case d.Paused:
		kind = "paused"
	default:
		kind = "silent"
	}
	v := quietView{Title: w.T("directories.is_" + kind), Text: w.T("directories.is_" + kind + "_text")}
	if d.Switching == "" {
		v.Look = ui.Link{Label: w.T("directories.look_at_live"), Href: directoryHref(d.ID, "go-live")}
	}
	return v
}

// directoryAlerts are what somebody should do something about, the worst first.
func directoryAlerts(w *words.Words, d directory.Directory, f org.Features, h directoryHealth) []ui.AlertProps {
	var out []ui.AlertProps
	if !f.On(org.DirectorySync) {
		out = append(out, ui.AlertProps{Tone: ui.Bad, Title: w.T("directories.off"), Text: w.T("directories.off_text")})
	}
	if h.last.Status >= refusedFrom {
		e := effectOf(h.last)
		out = append(out, ui.AlertProps{Tone: ui.Bad, Title: w.T("directories.last_refused"), Text: e.Summary})
	}
	if d.State == directory.Unlinked && h.last.ID == "" {
		out = append(out, ui.AlertProps{Tone: ui.Info, Title: w.T("directories.waiting"), Text: w.T("directories.waiting_text")})
	}
	return out
}

func (c *call) directoryStats(d directory.Directory, n directory.Counts, h directoryHealth) []ui.StatProps {
	w := c.words()
	stats := []ui.StatProps{
		{Label: w.T("directories.active"), Value: numeral(w, n.Active), Icon: ui.IconUsers, Href: directoryHref(d.ID, "users") + "?state=active"},
		{Label: w.T("directories.inactive"), Value: numeral(w, n.Inactive), Icon: ui.IconUserMinus, Href: directoryHref(d.ID, "users") + "?state=inactive"},
		{Label: w.T("directories.groups"), Value: numeral(w, n.Groups), Icon: ui.IconTeam, Href: directoryHref(d.ID, "groups")},
	}
	refused := ui.StatProps{
		Label: w.T("directories.refused"), Value: w.Number(h.refused), Icon: ui.IconActivity, Href: directoryHref(d.ID, "exchanges") + "?show=refused",
		Note: w.N("directories.of_last", h.looked), Tone: ui.Good,
	}
	if h.refused > 0 {
		refused.Tone = ui.Bad
	}
	return append(stats, refused)
}

func (c *call) endpointCard(d directory.Directory) []ui.CopyProps {
	w := c.words()
	return []ui.CopyProps{{ID: "endpoint", Label: w.T("directories.endpoint"), Value: c.endpoint(d), Hint: w.T("directories.endpoint_hint")}}
}

func (c *call) directoryPairs(d directory.Directory) []ui.Pair {
	w := c.words()
	return []ui.Pair{
		idPair(w, string(d.ID)),
		{Key: w.T("organizations.provider"), Text: c.providerName(d.Provider)},
		{Key: w.T("directories.type"), Text: string(d.Type), Mono: true},
		{Key: w.T("directories.new_people"), Text: w.T("directories.provisioning_" + string(d.Provisioning))},
		{Key: w.T("directories.inactive"), Text: w.T("directories.inactive_" + string(d.InactiveUsers))},
		{Key: w.T("directories.strict"), Text: yesNo(w, d.Strict)},
		{Key: w.T("organizations.created"), Value: exactly(d.CreatedAt)},
	}
}

func healthPairs(w *words.Words, d directory.Directory, h directoryHealth) []ui.Pair {
	pairs := []ui.Pair{{Key: w.T("directories.last_request"), Value: moment(h.last.At)}}
	if h.last.ID != "" {
		pairs = append(pairs, ui.Pair{Key: w.T("directories.what_it_did"), Value: link(orDash(effectOf(h.last).Summary), directoryHref(d.ID, "exchanges", string(h.last.ID)))})
	}
	if h.problem.ID != "" {
		pairs = append(
			pairs,
			ui.Pair{Key: w.T("directories.last_problem"), Value: link(orDash(effectOf(h.problem).Summary), directoryHref(d.ID, "exchanges", string(h.problem.ID)))},
			ui.Pair{Key: w.T("directories.when"), Value: moment(h.problem.At)},
		)
	}
	return pairs
}

// directoryForm is the form that adds a directory, as it was filled in.
type directoryForm struct {
	provider, name, provisioning string
	silent                       bool
}

func showNewDirectory(c *call) error {
	o, err := c.organization(c.values["id"])
	if err != nil {
		return err
	}
	return c.newDirectoryPage(o, directoryForm{provisioning: string(directory.Invite)}, misfit{})
}

func (c *call) newDirectoryPage(o org.Organization, n directoryForm, m misfit) error {
	w, id := c.words(), string(o.ID)
	head := ui.HeadProps{
		Title: w.T("organizations.add_directory"), Text: w.T("directories.add_lead", "organization", o.Name), Back: ui.Link{Label: o.Name, Href: organizationHref(id)},
	}
	f := formView{ID: "directory", Form: c.form(hrefOf("organizations", id, "directories", "new")), Save: w.T("directories.create"), Fields: []templ.Component{
		ui.Select(ui.SelectProps{FieldProps: ui.FieldProps{
			ID: "provider", Label: w.T("organizations.provider"), Hint: w.T("directories.provider_hint"), Error: m.on("provider"),
		}, Value: n.provider, Empty: w.T("directories.choose"), Options: c.scimProviders()}),
		ui.Input(ui.InputProps{FieldProps: ui.FieldProps{
			ID: "name", Label: w.T("organizations.name"), Hint: w.T("directories.name_hint"), Error: m.on("name"), Optional: true,
		}, Value: n.name, MaxLength: 255}),
		c.provisioningField(directory.Provisioning(n.provisioning), m, false),
		ui.Switch(ui.SwitchProps{FieldProps: ui.FieldProps{ID: "silent", Label: w.T("directories.only_collect"), Hint: w.T("directories.only_collect_hint")}, On: n.silent}),
	}}
	fr := organizationFrame(o, head.Title)
	fr.Narrow, fr.Status = true, m.Status
	return c.show(fr, forms(sheetView{Head: head, Wrong: m}, f))
}

// scimProviders are those of the catalogue that push people by SCIM, by their names; whatever is not there comes last.
func (c *call) scimProviders() []ui.Option {
	var out []ui.Option
	for _, p := range c.providersByName() {
		if len(p.DirectoryTypes) > 0 {
			out = append(out, ui.Option{Value: string(p.Slug), Label: p.Name})
		}
	}
	return out
}

// providersByName are those of the catalogue, with what stands for all others at the end.
func (c *call) providersByName() []idp.Provider {
	rank := func(p idp.Provider) string {
		if strings.HasPrefix(string(p.Slug), "custom-") {
			return "\U0010FFFF" + p.Name
		}
		return strings.ToLower(p.Name)
	}
	return slices.SortedFunc(slices.Values(c.s.o.Catalog.Providers()), func(a, b idp.Provider) int { return strings.Compare(rank(a), rank(b)) })
}

func (c *call) provisioningField(value directory.Provisioning, m misfit, disabled bool) templ.Component {
	w := c.words()
	p := ui.ChoicesProps{
		FieldProps: ui.FieldProps{ID: "provisioning", Label: w.T("directories.provisioning"), Error: m.on("provisioning"), Disabled: disabled}, Value: string(value),
	}
	for _, one := range []directory.Provisioning{directory.Invite, directory.Direct, directory.ExistingOnly} {
		p.Options = append(p.Options, ui.Option{
			Value: string(one), Label: w.T("directories.provisioning_" + string(one)), Hint: w.T("directories.provisioning_hint_" + string(one)),
		})
	}
	return ui.Choices(p)
}

// createDirectory makes a directory and answers with its endpoint and its bearer token, which no other page shows.
func createDirectory(c *call) error {
	o, err := c.organization(c.values["id"])
	if err != nil {
		return err
	}
	n := directoryForm{c.posted.Get("provider"), strings.TrimSpace(c.posted.Get("name")), c.posted.Get("provisioning"), c.posted.Get("silent") != ""}
	redraw := func(m misfit) error { return c.newDirectoryPage(o, n, m) }
	p, known := c.s.o.Catalog.Provider(idp.Slug(n.provider))
	if !known || len(p.DirectoryTypes) == 0 {
		return again(fault.New(fault.Unprocessable, "invalid_provider", "%s", c.words().T("directories.choose_provider")).On("provider"), redraw)
	}
	name := n.name
	if name == "" {
		name = p.Name
	}
	made, secret, err := c.s.o.Directories.Create(c.ctx(), c.operator.Actor(), directory.New{
		OrganizationID: string(o.ID), Name: name, Type: directory.Type(p.DirectoryTypes[0]), Provider: n.provider, Provisioning: directory.Provisioning(n.provisioning), Silent: n.silent,
	})
	if err != nil {
		return again(err, redraw)
	}
	return c.showSecret(made, o, c.words().T("directories.made", "name", made.Name), secret)
}

func showDirectoryDelete(c *call) error {
	d, o, err := c.directory()
	if err != nil {
		return err
	}
	return c.directoryDeletePage(d, o, misfit{})
}

func (c *call) directoryDeletePage(d directory.Directory, o org.Organization, m misfit) error {
	n, err := c.s.o.Directories.Counts(c.ctx(), d.ID)
	if err != nil {
		return err
	}
	w := c.words()
	f := directoryFrame(d, o, ui.Link{Label: w.T("directories.delete")})
	f.Narrow, f.Status = true, m.Status
	says := []string{w.T("directories.lose_tokens"), w.N("directories.lose_people", int(n.Active+n.Inactive)), w.T("directories.lose_management"), w.T("directories.lose_return")}
	return c.show(f, asking(m, ui.ConfirmProps{
		Title: w.T("directories.delete_title", "name", d.Name), Text: w.T("directories.delete_lead", "organization", o.Name), Lines: says,
		Form: c.form(directoryHref(d.ID, "delete")), Confirm: w.T("directories.delete"), Cancel: ui.Link{Href: directoryHref(d.ID)}, Type: d.Name, Error: m.on("confirm"),
	}))
}

func deleteDirectory(c *call) error {
	d, o, err := c.directory()
	if err != nil {
		return err
	}
	if m := c.confirmed(d.Name); m.Message != "" {
		return c.directoryDeletePage(d, o, m)
	}
	if err := c.s.o.Directories.Delete(c.ctx(), c.operator.Actor(), d.ID); err != nil {
		return again(err, func(m misfit) error { return c.directoryDeletePage(d, o, m) })
	}
	return c.done(organizationHref(string(o.ID)), "directory_deleted")
}
