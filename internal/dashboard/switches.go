package dashboard

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/switching"
	"github.com/rollcallhq/rollcall/internal/web/ui"
	"github.com/rollcallhq/rollcall/internal/web/words"
)

// switchPages are the pages of changing an organization's identity provider for another.
func switchPages() []row {
	const everybody, admins = operator.ReadOnly, operator.Admin
	const all, one = organizationsPath + "/{id}/switches", organizationsPath + "/{id}/switches/{switch}"
	return []row{
		{all, "dashboard_switches", everybody, showSwitches, admins, nil},
		{all + "/new", "dashboard_switch_new", admins, showNewSwitch, admins, createSwitch},
		{one, "dashboard_switch", everybody, showSwitch, admins, nil},
		{one + "/people/{old}", "dashboard_switch_match", admins, showMatch(switching.People), admins, setMatch(switching.People)},
		{one + "/groups/{old}", "dashboard_switch_match", admins, showMatch(switching.Groups), admins, setMatch(switching.Groups)},
		{one + "/cut-over", "dashboard_switch_cut_over", admins, showCutOver, admins, cutOver},
		{one + "/revert", "dashboard_switch_revert", admins, reverting().ask, admins, reverting().do},
		{one + "/cancel", "dashboard_switch_cancel", admins, cancelling().ask, admins, cancelling().do},
	}
}

func switchesHref(id org.ID, parts ...string) string {
	return hrefOf("organizations", append([]string{string(id), "switches"}, parts...)...)
}

func switchHref(s switching.Switch, parts ...string) string {
	return switchesHref(s.OrganizationID, append([]string{string(s.ID)}, parts...)...)
}

func switchBadge(w *words.Words, s switching.State) ui.BadgeProps {
	b := ui.BadgeProps{Label: w.T("switches.state_" + string(s)), Dot: true}
	switch s {
	case switching.Preparing:
		b.Tone = ui.Info
	case switching.CutOver:
		b.Tone = ui.Warn
	case switching.Finished:
		b.Tone = ui.Good
	case switching.Reverted, switching.Cancelled:
	}
	return b
}

// openSwitch is what stands on the page of an organization whose identity provider is being switched; nil for any other.
func (c *call) openSwitch(id org.ID) (templ.Component, error) {
	found, _, err := c.s.o.Switches.List(c.ctx(), switching.ListQuery{OrganizationID: id, Limit: 1})
	if err != nil || len(found) == 0 || found[0].State != switching.Preparing && found[0].State != switching.CutOver {
		return nil, err
	}
	w := c.words()
	return switchBanner(w.T("switches.banner_"+string(found[0].State)), found[0].RevertibleUntil, ui.Link{Label: w.T("switches.look"), Href: switchHref(found[0])}), nil
}

// showSwitches lists the switches of an organization.
func showSwitches(c *call) error {
	o, err := c.organization(c.values["id"])
	if err != nil {
		return err
	}
	q, err := c.query()
	if err != nil {
		return err
	}
	p, err := pageOf(q, switching.Prefix)
	if err != nil {
		return err
	}
	found, more, err := c.s.o.Switches.List(c.ctx(), switching.ListQuery{OrganizationID: o.ID, Before: p.before, After: p.after, Limit: perPage})
	if err != nil {
		return err
	}
	w := c.words()
	t := ui.TableProps{
		ID: "switches", Caption: w.T("switches.title"), Columns: []ui.Column{{Label: w.T("switches.begun")}, {Label: w.T("organizations.state")}, {Label: w.T("switches.ended"), Minor: true}},
		Empty: ui.EmptyProps{Icon: ui.IconShield, Title: w.T("switches.none"), Text: w.T("switches.lead")},
	}
	if c.changes() {
		t.Tools = act(action{Label: w.T("switches.start"), Href: switchesHref(o.ID, "new"), Icon: ui.IconPlus})
	}
	for _, one := range found {
		t.Rows = append(t.Rows, ui.Row{ID: string(one.ID), Cells: []templ.Component{timed(one.CreatedAt, switchHref(one)), ui.Badge(switchBadge(w, one.State)), moment(one.EndedAt)}})
	}
	first, last := ends(found, func(s switching.Switch) string { return string(s.ID) })
	t.Pager = pager(q, p, first, last, more)
	return c.show(organizationFrame(o, w.T("switches.title")), listing(c.organizationSheet(o, "switches"), t))
}

// chosenMost is more connections, or directories, than an organization has.
const chosenMost = 100

// sides are the connections and directories of an organization as choices.
func (c *call) sides(id org.ID) (connections, directories []ui.Option, err error) {
	found, _, err := c.s.o.Connections.List(c.ctx(), sso.ListQuery{OrganizationID: string(id), Limit: chosenMost, Ascending: true})
	if err != nil {
		return nil, nil, err
	}
	for _, one := range found {
		connections = append(connections, ui.Option{Value: string(one.ID), Label: one.Name + " · " + c.words().T("connections.state_"+string(one.State))})
	}
	all, _, err := c.s.o.Directories.List(c.ctx(), directory.ListQuery{OrganizationID: string(id), Limit: chosenMost, Ascending: true})
	for _, one := range all {
		directories = append(directories, ui.Option{Value: string(one.ID), Label: one.Name + " · " + directoryBadge(c.words(), one).Label})
	}
	return connections, directories, err
}

func showNewSwitch(c *call) error { return c.newSwitchPage(misfit{}) }

func (c *call) newSwitchPage(m misfit) error {
	o, err := c.organization(c.values["id"])
	if err != nil {
		return err
	}
	connections, directories, err := c.sides(o.ID)
	if err != nil {
		return err
	}
	w := c.words()
	field := func(id, name string, all []ui.Option) templ.Component {
		return ui.Select(ui.SelectProps{
			FieldProps: ui.FieldProps{ID: id, Label: w.T("switches." + id), Hint: w.T("switches." + id + "_hint"), Error: m.on(name), Optional: true}, Value: c.kept(id, ""), Empty: w.T("switches.leave_out"), Options: all,
		})
	}
	f := formView{ID: "switch", Form: c.form(switchesHref(o.ID, "new")), Save: w.T("switches.begin"), Fields: []templ.Component{
		field("from_connection", "from.connection_id", connections), field("to_connection", "to.connection_id", connections),
		field("from_directory", "from.directory_id", directories), field("to_directory", "to.directory_id", directories),
		link(w.T("switches.make_directory"), hrefOf("organizations", string(o.ID), "directories", "new")), link(w.T("switches.make_connection"), hrefOf("organizations", string(o.ID), "connections", "new")),
	}}
	s := sheetView{Head: ui.HeadProps{Title: w.T("switches.start"), Text: w.T("switches.lead"), Back: ui.Link{Label: o.Name, Href: switchesHref(o.ID)}}, Wrong: m}
	fr := organizationFrame(o, w.T("switches.start"))
	fr.Narrow, fr.Status = true, m.Status
	return c.show(fr, forms(s, f))
}

func createSwitch(c *call) error {
	o, err := c.organization(c.values["id"])
	if err != nil {
		return err
	}
	n := lifecycle.NewSwitch{
		Connection: switching.Pair{From: c.posted.Get("from_connection"), To: c.posted.Get("to_connection")},
		Directory:  switching.Pair{From: c.posted.Get("from_directory"), To: c.posted.Get("to_directory")},
	}
	made, err := c.s.o.Switches.Create(c.ctx(), c.operator.Actor(), o.ID, n)
	if err != nil {
		return again(err, c.newSwitchPage)
	}
	return c.done(switchHref(made), "switch_begun")
}

// theSwitch finds the one of the address, without its counts, and whose it is.
func (c *call) theSwitch() (o org.Organization, s switching.Switch, err error) {
	if o, err = c.organization(c.values["id"]); err != nil {
		return o, s, err
	}
	id := c.values["switch"]
	if !isID(id, switching.Prefix) {
		return o, s, switching.NotFound(switching.ID(id))
	}
	s, err = c.s.o.Switches.Find(c.ctx(), o.ID, switching.ID(id))
	return o, s, err
}

func switchFrame(w *words.Words, o org.Organization, crumbs ...ui.Link) frame {
	all := []ui.Link{{Label: o.Name, Href: organizationHref(string(o.ID))}, {Label: w.T("switches.title"), Href: switchesHref(o.ID)}}
	return frame{Title: crumbs[len(crumbs)-1].Label, Crumbs: append(all, crumbs...)}
}

// showSwitch shows where a switch stands, what its cut-over does, and who is who.
func showSwitch(c *call) error {
	o, s, err := c.theSwitch()
	if err != nil {
		return err
	}
	q, err := c.query()
	if err != nil {
		return err
	}
	p, t, err := c.pairingTable(o, s, q)
	if err != nil {
		return err
	}
	pairs, err := c.switchPairs(s)
	if err != nil {
		return err
	}
	w := c.words()
	v := switchView{
		Sheet: sheetView{Head: ui.HeadProps{
			Title: w.T("switches.one"), Text: w.T("switches.text_" + string(s.State)), Badge: ui.Badge(switchBadge(w, s.State)), Back: ui.Link{Label: o.Name, Href: switchesHref(o.ID)},
		}},
		Facts: pairs, Stats: switchStats(w, p.Switch), Filter: t.Tools, Known: c.knownAt(p), People: t,
	}
	v.People.Tools = nil
	if c.changes() {
		v.Acts = switchActs(w, s)
	}
	return c.show(switchFrame(w, o, ui.Link{Label: w.T("switches.one")}), v.view())
}

// knownAt says as of when who is who was found, and asks again while something has changed since.
func (c *call) knownAt(p lifecycle.PairingPage) knownView {
	v := knownView{At: p.At, Stale: p.Stale || p.At.IsZero()}
	if v.Stale {
		v.Again = c.r.URL.RequestURI()
	}
	return v
}

func switchActs(w *words.Words, s switching.Switch) []action {
	switch s.State {
	case switching.Preparing:
		return []action{{Label: w.T("switches.cut_over"), Href: switchHref(s, "cut-over")}, {Label: w.T("switches.cancel"), Href: switchHref(s, "cancel"), Variant: ui.Secondary}}
	case switching.CutOver:
		return []action{{Label: w.T("switches.revert"), Href: switchHref(s, "revert"), Variant: ui.Danger}}
	case switching.Reverted, switching.Cancelled, switching.Finished:
	}
	return nil
}

// switchPairs tell of a switch; a connection or directory that is not there any more has its id alone.
func (c *call) switchPairs(s switching.Switch) ([]ui.Pair, error) {
	w := c.words()
	out := []ui.Pair{idPair(w, string(s.ID)), {Key: w.T("switches.begun"), Value: exactly(s.CreatedAt)}}
	for _, part := range []struct{ key, list, id string }{
		{"from_connection", "connections", s.Connection.From},
		{"to_connection", "connections", s.Connection.To},
		{"from_directory", "directories", s.Directory.From},
		{"to_directory", "directories", s.Directory.To},
	} {
		if part.id == "" {
			continue
		}
		name, err := c.partName(part.list, part.id)
		if err != nil {
			return nil, err
		}
		out = append(out, ui.Pair{Key: w.T("switches." + part.key), Value: link(name, hrefOf(part.list, part.id))})
	}
	if !s.CutOverAt.IsZero() {
		out = append(out, ui.Pair{Key: w.T("switches.cut_over_at"), Value: exactly(s.CutOverAt)}, ui.Pair{Key: w.T("switches.revertible_until"), Value: exactly(s.RevertibleUntil)})
	}
	if !s.EndedAt.IsZero() {
		out = append(out, ui.Pair{Key: w.T("switches.ended"), Value: exactly(s.EndedAt)})
	}
	return out, nil
}

func (c *call) partName(list, id string) (name string, err error) {
	if list == "connections" {
		var one sso.Connection
		one, err = c.s.o.Connections.Get(c.ctx(), sso.ID(id))
		name = one.Name
	} else {
		var one directory.Directory
		one, err = c.s.o.Directories.Get(c.ctx(), directory.ID(id))
		name = one.Name
	}
	if fault.Is(err, fault.NotFound) {
		return id, nil
	}
	return cmp.Or(name, id), err
}

func switchStats(w *words.Words, s switching.Switch) []ui.StatProps {
	n := s.Counts
	out := []ui.StatProps{
		{Label: w.T("switches.match_matched"), Value: w.Number(n.People.Matched), Icon: ui.IconUsers, Href: "?match=matched"},
		{Label: w.T("switches.match_unmatched"), Value: w.Number(n.People.Unmatched), Icon: ui.IconUserMinus, Href: "?match=unmatched"},
		{Label: w.T("switches.match_ambiguous"), Value: w.Number(n.People.Ambiguous), Icon: ui.IconUsers, Href: "?match=ambiguous"},
		{Label: w.T("switches.leaving"), Value: w.Number(n.Leaving), Icon: ui.IconUserMinus, Tone: ui.Good},
	}
	if n.Leaving > 0 {
		out[3].Tone = ui.Bad
	}
	return out
}

// kindOf is what the address asks for: people, or groups.
func kindOf(q url.Values) switching.Kind {
	if q.Get("kind") == plural(switching.Groups) {
		return switching.Groups
	}
	return switching.People
}

// plural is how addresses call a kind.
func plural(kind switching.Kind) string {
	if kind == switching.Groups {
		return "groups"
	}
	return "people"
}

// pairingTable is a page of who, or which group, is whose counterpart.
func (c *call) pairingTable(o org.Organization, s switching.Switch, q url.Values) (lifecycle.PairingPage, ui.TableProps, error) {
	kind := kindOf(q)
	match, known := chosen(q.Get("match"), []switching.Match{switching.Matched, switching.Unmatched, switching.Ambiguous, switching.OnlyNew})
	p := paging{before: q.Get("before"), after: q.Get("after")}
	if !known || !isAnyLine(p.before) || !isAnyLine(p.after) {
		return lifecycle.PairingPage{}, ui.TableProps{}, errPlace()
	}
	search := searchOf(strings.TrimSpace(q.Get("search")))
	found, err := c.s.o.Switches.Look(c.ctx(), o.ID, s.ID, kind, lifecycle.PairingQuery{Match: match, Search: search, Before: p.before, After: p.after, Limit: perPage, Ascending: true})
	if err != nil {
		return found, ui.TableProps{}, err
	}
	w, path := c.words(), c.r.URL.Path
	t := ui.TableProps{
		ID: "who", Caption: w.T("switches.who_is_who"), Titled: true, Columns: []ui.Column{
			{Label: w.T("switches.old")}, {Label: w.T("switches.match")}, {Label: w.T("switches.new")}, {Label: w.T("organizations.actions"), Unseen: true, Number: true},
		},
		Tools: pairingFilter(pairingFilterProps{path, plural(kind), string(match), search, cleared(q, path, "kind", "match", "search")}),
		Empty: ui.EmptyProps{Icon: ui.IconSearch, Title: w.T("switches.nobody")},
	}
	byHand := c.changes() && s.Directory.There() && (s.State == switching.Preparing || s.State == switching.CutOver && kind == switching.People)
	for _, one := range found.Lines {
		t.Rows = append(t.Rows, pairingRow(w, s, kind, one, byHand))
	}
	first, last := ends(found.Lines, func(l lifecycle.Pairing) string { return l.ID })
	t.Pager = pager(q, p, first, last, found.More)
	return found, t, nil
}

func isAnyLine(id string) bool {
	return id == "" || slices.ContainsFunc([]string{directoryUserPrefix, membershipPrefix, directoryGroupPrefix}, func(prefix string) bool { return isID(id, prefix) })
}

func pairingRow(w *words.Words, s switching.Switch, kind switching.Kind, one lifecycle.Pairing, byHand bool) ui.Row {
	b := ui.BadgeProps{Label: w.T("switches.match_" + string(one.Match)), Dot: true}
	switch one.Match {
	case switching.Matched:
		b.Tone = ui.Good
	case switching.Unmatched, switching.Ambiguous:
		b.Tone = ui.Warn
	case switching.OnlyNew:
		b.Tone = ui.Info
	}
	if by := sayOr(w, "switches.by_"+string(one.By), ""); by != "" {
		b.Label += ": " + by
	}
	var change templ.Component = templ.NopComponent
	if byHand && one.Old != nil && (s.State == switching.Preparing || one.New == nil) {
		change = act(action{Label: w.T("switches.match_by_hand"), Href: switchHref(s, plural(kind), one.ID), Variant: ui.Secondary, Small: true})
	}
	return ui.Row{ID: one.ID, Cells: []templ.Component{sideOf(one.Old), ui.Badge(b), sideOf(one.New), change}}
}

func sideOf(p *lifecycle.PairingSide) templ.Component {
	if p == nil {
		return ui.Text("–")
	}
	name := p.Name
	if name == "" && p.Email == "" {
		name = p.ID
	}
	return ui.Person(name, p.Email, "")
}

// counterpartsShown is how many of the new side a page offers: who is not among them is looked for.
const counterpartsShown = 25

// showMatch offers people, or groups, of the new side for one of the old.
func showMatch(kind switching.Kind) func(*call) error {
	return func(c *call) error { return c.matchPage(kind, misfit{}) }
}

func (c *call) matchPage(kind switching.Kind, m misfit) error {
	o, s, err := c.theSwitch()
	if err != nil {
		return err
	}
	old, err := c.oldSide(kind)
	if err != nil {
		return err
	}
	q, err := c.query()
	if err != nil {
		return err
	}
	offered, err := c.offered(kind, directory.ID(s.Directory.To), searchOf(q.Get("search")))
	if err != nil {
		return err
	}
	called, err := c.calledOf(kind, directory.ID(s.Directory.From), old)
	if err != nil {
		return err
	}
	w, path := c.words(), switchHref(s, plural(kind), old)
	t := ui.TableProps{
		ID: "offered", Caption: w.T("switches.new"), Columns: []ui.Column{{Label: w.T("organizations.name")}, {Label: w.T("organizations.actions"), Unseen: true, Number: true}},
		Tools: ui.Filter(ui.FilterProps{Action: path, Search: "search", Query: searchOf(q.Get("search")), Label: w.T("directories.search_" + plural(kind)), Clear: cleared(q, path, "search")}),
		Empty: ui.EmptyProps{Icon: ui.IconSearch, Title: w.T("switches.nobody")},
	}
	button := func(id, label string) templ.Component {
		f := c.form(path)
		f.Hidden = append(slices.Clone(f.Hidden), ui.Hidden{Name: "new", Value: id})
		return act(action{Label: w.T("switches." + label), Form: f, Variant: ui.Secondary, Small: true})
	}
	for _, one := range offered {
		t.Rows = append(t.Rows, ui.Row{ID: one.ID, Cells: []templ.Component{sideOf(&one), button(one.ID, "this_one")}})
	}
	sheet := sheetView{Head: ui.HeadProps{
		Title: w.T("switches.match_title", "name", called), Text: w.T("switches.match_lead"), Back: ui.Link{Label: w.T("switches.one"), Href: switchHref(s)}, Actions: button("", "nobody_is"),
	}, Wrong: m}
	f := switchFrame(w, o, ui.Link{Label: w.T("switches.one"), Href: switchHref(s)}, ui.Link{Label: w.T("switches.match_by_hand")})
	f.Status = m.Status
	return c.show(f, listing(sheet, t))
}

// oldSide is the id of the address of somebody, or of a group, of the old side.
func (c *call) oldSide(kind switching.Kind) (string, error) {
	id := c.values["old"]
	fits := isID(id, directoryGroupPrefix)
	if kind == switching.People {
		fits = isID(id, directoryUserPrefix) || isID(id, membershipPrefix)
	}
	if !fits {
		return "", fault.New(fault.NotFound, "entity_not_found", "The old side of the switch has no '%.80s'.", id)
	}
	return id, nil
}

// calledOf is how somebody, or a group, of the old side is called; the id of one that is not there any more.
func (c *call) calledOf(kind switching.Kind, of directory.ID, id string) (string, error) {
	switch {
	case kind == switching.Groups:
		g, err := c.s.o.Directories.Group(c.ctx(), of, directory.GroupID(id))
		if fault.Is(err, fault.NotFound) {
			return id, nil
		}
		return cmp.Or(g.Name, id), err
	case isID(id, membershipPrefix):
		m, err := c.s.o.Members.Member(c.ctx(), member.MembershipID(id))
		if fault.Is(err, fault.NotFound) || err == nil && m.Membership.OrganizationID != c.values["id"] {
			return id, nil
		}
		return cmp.Or(m.User.Name(), m.User.Email, id), err
	}
	shown, err := c.s.o.Directories.ShowPeople(c.ctx(), of, []string{id})
	return cmp.Or(shown[id].Name, shown[id].Email, id), err
}

func (c *call) offered(kind switching.Kind, of directory.ID, search string) (out []lifecycle.PairingSide, err error) {
	if kind == switching.Groups {
		found, _, err := c.s.o.Directories.Groups(c.ctx(), directory.GroupQuery{Directory: of, Search: search, Limit: counterpartsShown})
		for _, g := range found {
			out = append(out, lifecycle.PairingSide{ID: string(g.ID), Shown: directory.Shown{Name: g.Name}})
		}
		return out, err
	}
	found, _, err := c.s.o.Directories.People(c.ctx(), directory.PeopleQuery{Directory: of, Search: search, Limit: counterpartsShown})
	if err != nil {
		return nil, err
	}
	for _, u := range found {
		all, err := directory.Attributes(u)
		if err != nil {
			return nil, err
		}
		a := attributesByName(all)
		out = append(out, lifecycle.PairingSide{ID: string(u.ID), Shown: directory.Shown{Name: a["name"], Email: a["email"]}})
	}
	return out, nil
}

func setMatch(kind switching.Kind) func(*call) error {
	return func(c *call) error {
		o, s, err := c.theSwitch()
		if err != nil {
			return err
		}
		old, err := c.oldSide(kind)
		if err != nil {
			return err
		}
		if !c.posted.Has("new") {
			return fault.New(fault.Invalid, "required", "Say who it is in the new directory, or that nobody is.").On("new")
		}
		if _, err := c.s.o.Switches.SetMatch(c.ctx(), c.operator.Actor(), o.ID, s.ID, kind, old, c.posted.Get("new")); err != nil {
			return again(err, func(m misfit) error { return c.matchPage(kind, m) })
		}
		return c.done(switchHref(s)+"?kind="+plural(kind), "matched")
	}
}

func showCutOver(c *call) error { return c.cutOverPage(misfit{}) }

// cutOverPage names the numbers that come back with the answer. While they are not known there is nothing to press; after a refusal they are those of
// now, so that it is not refused again.
func (c *call) cutOverPage(m misfit) error {
	o, s, err := c.theSwitch()
	if err != nil {
		return err
	}
	if s.State != switching.Preparing && m.Message == "" {
		c.redirect(switchHref(s))
		return nil
	}
	p, err := c.s.o.Switches.Look(c.ctx(), o.ID, s.ID, switching.People, lifecycle.PairingQuery{Match: switching.Ambiguous, Limit: 1, Ascending: true})
	if err != nil {
		return err
	}
	if m.Message != "" {
		if p.Switch, err = c.s.o.Switches.Get(c.ctx(), o.ID, s.ID); err != nil {
			return err
		}
	}
	w, n := c.words(), p.Switch.Counts
	f := switchFrame(w, o, ui.Link{Label: w.T("switches.one"), Href: switchHref(s)}, ui.Link{Label: w.T("switches.cut_over")})
	f.Narrow, f.Status = true, m.Status
	if p.At.IsZero() && m.Message == "" {
		known := knownView{Stale: true, Again: switchHref(s, "cut-over")}
		head := sheetView{Head: ui.HeadProps{Title: w.T("switches.cut_over_title", "name", o.Name), Back: ui.Link{Label: w.T("switches.one"), Href: switchHref(s)}}, Wrong: m}
		return c.show(f, countingView{head, known}.view())
	}
	asks := c.form(switchHref(s, "cut-over"))
	for _, one := range []struct {
		name  string
		value int
	}{{"unmatched", n.People.Without()}, {"groups_lost", n.GroupsLost}, {"leaving", n.Leaving}} {
		asks.Hidden = append(asks.Hidden, ui.Hidden{Name: one.name, Value: strconv.Itoa(one.value)})
	}
	lines := cutOverLines(w, n)
	if p.Stale && m.Message == "" {
		lines = append(lines, w.T("switches.line_stale"))
	}
	return c.show(f, asking(m, ui.ConfirmProps{
		Title: w.T("switches.cut_over_title", "name", o.Name), Text: w.T("switches.cut_over_lead"), Lines: lines,
		Form: asks, Confirm: w.T("switches.cut_over"), Variant: ui.Primary, Cancel: ui.Link{Href: switchHref(s)},
	}))
}

// cutOverLines say what becomes of whom, of those there are.
func cutOverLines(w *words.Words, n switching.Tally) (out []string) {
	for _, one := range []struct {
		key string
		n   int
	}{{"matched", n.People.Matched}, {"unmatched", n.People.Without()}, {"groups_lost", n.GroupsLost}, {"leaving", n.Leaving}, {"new", n.People.OnlyNew}} {
		if one.n > 0 {
			out = append(out, w.N("switches.line_"+one.key, one.n))
		}
	}
	return out
}

func cutOver(c *call) error {
	o, s, err := c.theSwitch()
	if err != nil {
		return err
	}
	seen := func(name string) *int {
		n, err := strconv.Atoi(strings.TrimSpace(c.posted.Get(name)))
		if err != nil {
			return nil
		}
		return &n
	}
	e := lifecycle.Expected{Unmatched: seen("unmatched"), GroupsLost: seen("groups_lost"), Leaving: seen("leaving")}
	if _, err := c.s.o.Switches.CutOver(c.ctx(), c.operator.Actor(), o.ID, s.ID, e); err != nil {
		return again(err, c.cutOverPage)
	}
	return c.done(switchHref(s), "cut_over")
}

// switchEnd is one of the two ways back.
type switchEnd struct {
	name, did string
	variant   ui.Variant
	end       func(*lifecycle.Switches, context.Context, event.Actor, org.ID, switching.ID) (switching.Switch, error)
}

func reverting() switchEnd {
	return switchEnd{"revert", "switch_reverted", ui.Danger, (*lifecycle.Switches).Revert}
}

func cancelling() switchEnd {
	return switchEnd{"cancel", "switch_cancelled", ui.Primary, (*lifecycle.Switches).Cancel}
}

func (e switchEnd) ask(c *call) error { return e.page(c, misfit{}) }

func (e switchEnd) page(c *call, m misfit) error {
	o, s, err := c.theSwitch()
	if err != nil {
		return err
	}
	w := c.words()
	f := switchFrame(w, o, ui.Link{Label: w.T("switches.one"), Href: switchHref(s)}, ui.Link{Label: w.T("switches." + e.name)})
	f.Narrow, f.Status = true, m.Status
	return c.show(f, asking(m, ui.ConfirmProps{
		Title: w.T("switches."+e.name+"_title", "name", o.Name), Text: w.T("switches." + e.name + "_lead"), Form: c.form(switchHref(s, e.name)), Confirm: w.T("switches." + e.name),
		Variant: e.variant, Cancel: ui.Link{Href: switchHref(s)},
	}))
}

func (e switchEnd) do(c *call) error {
	o, s, err := c.theSwitch()
	if err != nil {
		return err
	}
	if _, err := e.end(c.s.o.Switches, c.ctx(), c.operator.Actor(), o.ID, s.ID); err != nil {
		return again(err, func(m misfit) error { return e.page(c, m) })
	}
	return c.done(switchHref(s), e.did)
}
