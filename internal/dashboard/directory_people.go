package dashboard

import (
	"cmp"
	"net/url"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/web/ui"
	"github.com/rollcallhq/rollcall/internal/web/words"
)

const (
	directoryUserPrefix  = "directory_user"
	directoryGroupPrefix = "directory_group"
)

// showPeople lists the people of a directory, whatever their state.
func showPeople(c *call) error {
	d, o, err := c.directory()
	if err != nil {
		return err
	}
	q, err := c.query()
	if err != nil {
		return err
	}
	s, _, err := c.directorySheet(d, o, "users")
	if err != nil {
		return err
	}
	t, err := c.peopleTable(d, q, directory.PeopleQuery{Directory: d.ID})
	if err != nil {
		return err
	}
	s.Head.Actions = acts([]action{c.exportAction(exportHref(directoryHref(d.ID, "users"), q, "search", "state"))})
	return c.show(c.tabFrame(d, o, "users"), listing(s, t))
}

// peopleTable is a page of people with its filter.
func (c *call) peopleTable(d directory.Directory, q url.Values, of directory.PeopleQuery) (ui.TableProps, error) {
	p, err := pageOf(q, directoryUserPrefix)
	if err != nil {
		return ui.TableProps{}, err
	}
	of.Search, of.Before, of.After, of.Limit = searchOf(q.Get("search")), p.before, p.after, perPage
	of.Inactive = inactiveOf(q)
	found, more, err := c.s.o.Directories.People(c.ctx(), of)
	if err != nil {
		return ui.TableProps{}, err
	}
	w := c.words()
	t := ui.TableProps{
		ID: "people", Caption: w.T("directories.tab_users"), Columns: []ui.Column{
			{Label: w.T("organizations.name")},
			{Label: w.T("organizations.state")},
			{Label: w.T("directories.user_name"), Minor: true},
			{Label: w.T("directories.external_id"), Minor: true},
			{Label: w.T("organizations.changed"), Minor: true},
		},
		Tools: peopleFilter(c.r.URL.Path, of.Search, q.Get("state"), cleared(q, c.r.URL.Path, "search", "state")), Empty: noPeople(w, d, of),
	}
	for _, u := range found {
		row, err := personRow(w, u)
		if err != nil {
			return t, err
		}
		t.Rows = append(t.Rows, row)
	}
	first, last := ends(found, func(u directory.User) string { return string(u.ID) })
	if t.Pager = pager(q, p, first, last, more); of.Search != "" && more {
		t.Pager.Summary = w.T("directories.narrow")
	}
	return t, nil
}

func noPeople(w *words.Words, d directory.Directory, q directory.PeopleQuery) ui.EmptyProps {
	switch {
	case q.Search != "" || q.Inactive != nil:
		return ui.EmptyProps{Icon: ui.IconSearch, Title: w.T("directories.nobody_found"), Text: w.T("directories.nobody_found_text")}
	case q.Group != "":
		return ui.EmptyProps{Icon: ui.IconUsers, Title: w.T("directories.nobody_in_group")}
	case d.State == directory.Unlinked:
		return ui.EmptyProps{Icon: ui.IconUsers, Title: w.T("directories.nobody"), Text: w.T("directories.waiting_text")}
	}
	return ui.EmptyProps{Icon: ui.IconUsers, Title: w.T("directories.nobody"), Text: w.T("directories.nobody_text")}
}

func personRow(w *words.Words, u directory.User) (ui.Row, error) {
	all, err := directory.Attributes(u)
	if err != nil {
		return ui.Row{}, err
	}
	a := attributesByName(all)
	return ui.Row{ID: string(u.ID), Cells: []templ.Component{
		ui.Person(a["name"], cmp.Or(a["email"], a["username"]), directoryHref(u.DirectoryID, "users", string(u.ID))), ui.Badge(personBadge(w, u.State())),
		textOrNone(a["username"]), textOrNone(a["idp_id"]), moment(u.UpdatedAt),
	}}, nil
}

func attributesByName(all []directory.Attribute) map[string]string {
	out := map[string]string{}
	for _, a := range all {
		out[a.Name] = a.Value
	}
	return out
}

func personBadge(w *words.Words, s directory.PersonState) ui.BadgeProps {
	b := ui.BadgeProps{Label: w.T("directories.person_" + string(s)), Dot: true}
	switch s {
	case directory.PersonActive:
		b.Tone = ui.Good
	case directory.PersonSuspended:
		b.Tone = ui.Warn
	case directory.PersonInactive:
	}
	return b
}

// showPerson shows what the provider wrote of somebody, and what was made of it.
func showPerson(c *call) error {
	d, o, err := c.directory()
	if err != nil {
		return err
	}
	id := c.values["user"]
	if !isID(id, directoryUserPrefix) {
		return fault.New(fault.NotFound, "entity_not_found", "Directory user not found: '%.80s'.", id)
	}
	u, err := c.s.o.Directories.Person(c.ctx(), d.ID, directory.UserID(id))
	if err != nil {
		return err
	}
	all, err := directory.Attributes(u)
	if err != nil {
		return err
	}
	w, a := c.words(), attributesByName(all)
	name := cmp.Or(a["name"], a["email"], a["username"])
	people := ui.Link{Label: w.T("directories.tab_users"), Href: directoryHref(d.ID, "users")}
	v := personView{
		Sheet:      sheetView{Head: ui.HeadProps{Title: name, Text: a["email"], Badge: ui.Badge(personBadge(w, u.State())), Back: people}},
		Attributes: attributeTable(w, all), Groups: c.groupsOfPerson(d, u), Document: documentCode(w, u.Document),
	}
	if u.State() == directory.PersonSuspended {
		v.Sheet.Alerts = []ui.AlertProps{{Tone: ui.Warn, Title: w.T("directories.suspended"), Text: w.T("directories.suspended_text")}}
	}
	if v.Facts, err = c.personFacts(o, u); err != nil {
		return err
	}
	return c.show(directoryFrame(d, o, people, ui.Link{Label: name}), v.view())
}

func (c *call) personFacts(o org.Organization, u directory.User) ([]ui.Pair, error) {
	w := c.words()
	pairs := []ui.Pair{
		idPair(w, string(u.ID)),
		{Key: w.T("directories.arrived"), Value: exactly(u.CreatedAt)},
		{Key: w.T("organizations.changed"), Value: exactly(u.UpdatedAt)},
		{Key: w.T("directories.version"), Text: numeral(w, u.Version)},
	}
	if c.s.o.Members == nil {
		return pairs, nil
	}
	taken, err := c.s.o.Members.TakenOver(c.ctx(), string(o.ID), string(u.DirectoryID), string(u.ID))
	if err != nil {
		return nil, err
	}
	return append(pairs, takenPair(w, taken)), nil
}

// takenPair says what was made of a person: a member, or why none.
func takenPair(w *words.Words, taken member.Taken) ui.Pair {
	p := ui.Pair{Key: w.T("directories.member")}
	switch {
	case taken.Member != nil:
		m := taken.Member.Membership
		p.Value = link(w.T("directories.member_is", "state", w.T("directories.member_"+string(m.State)), "why", w.T("directories.why_"+string(m.Why))), memberHref(m.ID))
	case taken.Outcome != "":
		p.Text = w.T("directories.outcome_" + string(taken.Outcome))
	default:
		p.Text = w.T("directories.no_member")
	}
	return p
}

func attributeTable(w *words.Words, all []directory.Attribute) ui.TableProps {
	t := ui.TableProps{ID: "attributes", Caption: w.T("directories.attributes"), Titled: true, Columns: []ui.Column{
		{Label: w.T("directories.attribute")}, {Label: w.T("directories.value")}, {Label: w.T("directories.from")},
	}}
	for _, a := range all {
		from := ui.Mono(a.From)
		if a.From == "" {
			from = ui.Text(w.T("directories.from_arrival"))
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []templ.Component{ui.Mono(a.Name), ui.Text(a.Value), from}})
	}
	return t
}

func (c *call) groupsOfPerson(d directory.Directory, u directory.User) ui.TableProps {
	w := c.words()
	t := ui.TableProps{
		ID: "groups", Caption: w.T("directories.groups"), Titled: true,
		Columns: []ui.Column{{Label: w.T("organizations.name")}, {Label: w.T("directories.how")}}, Empty: ui.EmptyProps{Icon: ui.IconTeam, Title: w.T("directories.in_no_group")},
	}
	for _, g := range u.Groups {
		how := w.T("directories.direct")
		if !g.Direct {
			how = w.T("directories.nested")
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []templ.Component{rowLink(g.Name, directoryHref(d.ID, "groups", string(g.ID))), ui.Text(how)}})
	}
	return t
}

// documentCode shows a document of the store, which holds it without blanks.
func documentCode(w *words.Words, doc []byte) ui.CodeProps {
	return ui.CodeProps{ID: "document", Label: w.T("directories.document"), Text: indented(doc), JSON: true, Copy: true}
}

func showGroups(c *call) error {
	d, o, err := c.directory()
	if err != nil {
		return err
	}
	q, err := c.query()
	if err != nil {
		return err
	}
	p, err := pageOf(q, directoryGroupPrefix)
	if err != nil {
		return err
	}
	s, _, err := c.directorySheet(d, o, "groups")
	if err != nil {
		return err
	}
	search := searchOf(q.Get("search"))
	found, more, err := c.s.o.Directories.Groups(c.ctx(), directory.GroupQuery{Directory: d.ID, Search: search, Before: p.before, After: p.after, Limit: perPage})
	if err != nil {
		return err
	}
	w, path := c.words(), c.r.URL.Path
	t := ui.TableProps{
		ID: "groups", Caption: w.T("directories.groups"),
		Columns: []ui.Column{{Label: w.T("organizations.name")}, {Label: w.T("directories.external_id"), Minor: true}, {Label: w.T("organizations.changed"), Minor: true}},
		Tools:   ui.Filter(ui.FilterProps{Action: path, Search: "search", Query: search, Label: w.T("directories.search_groups"), Clear: cleared(q, path, "search")}),
		Empty:   ui.EmptyProps{Icon: ui.IconTeam, Title: w.T("directories.no_groups"), Text: w.T("directories.no_groups_text")},
	}
	if search != "" {
		t.Empty = ui.EmptyProps{Icon: ui.IconSearch, Title: w.T("directories.no_group_found"), Text: w.T("directories.nobody_found_text")}
	}
	for _, g := range found {
		t.Rows = append(t.Rows, ui.Row{ID: string(g.ID), Cells: []templ.Component{
			rowLink(g.Name, directoryHref(d.ID, "groups", string(g.ID))), textOrNone(g.IdPID), moment(g.UpdatedAt),
		}})
	}
	first, last := ends(found, func(g directory.Group) string { return string(g.ID) })
	t.Pager = pager(q, p, first, last, more)
	return c.show(c.tabFrame(d, o, "groups"), listing(s, t))
}

// showGroup shows who is in a group.
func showGroup(c *call) error {
	d, o, err := c.directory()
	if err != nil {
		return err
	}
	id := c.values["group"]
	if !isID(id, directoryGroupPrefix) {
		return fault.New(fault.NotFound, "entity_not_found", "Directory group not found: '%.80s'.", id)
	}
	g, err := c.s.o.Directories.Group(c.ctx(), d.ID, directory.GroupID(id))
	if err != nil {
		return err
	}
	q, err := c.query()
	if err != nil {
		return err
	}
	w := c.words()
	groups := ui.Link{Label: w.T("directories.groups"), Href: directoryHref(d.ID, "groups")}
	v := groupView{
		Sheet: sheetView{Head: ui.HeadProps{Title: g.Name, Text: w.T("directories.group_lead"), Back: groups}}, Others: otherMembers(w, d, g), Document: documentCode(w, g.Document),
		Facts: []ui.Pair{
			idPair(w, string(g.ID)),
			{Key: w.T("directories.external_id"), Text: g.IdPID, Mono: true},
			{Key: w.T("directories.arrived"), Value: exactly(g.CreatedAt)},
			{Key: w.T("organizations.changed"), Value: exactly(g.UpdatedAt)},
		},
	}
	if v.People, err = c.peopleTable(d, q, directory.PeopleQuery{Directory: d.ID, Group: g.ID}); err != nil {
		return err
	}
	return c.show(directoryFrame(d, o, groups, ui.Link{Label: g.Name}), v.view())
}

// otherMembers are the groups in a group, and the values that name nobody yet.
func otherMembers(w *words.Words, d directory.Directory, g directory.Group) ui.TableProps {
	t := ui.TableProps{
		ID: "others", Caption: w.T("directories.other_members"), Titled: true, Columns: []ui.Column{{Label: w.T("organizations.name")}, {Label: w.T("directories.kind")}},
	}
	for _, m := range g.Members {
		name, kind := ui.Mono(m.Value), w.T("directories.kind_parked")
		if m.Kind == directory.MemberGroup {
			name, kind = rowLink(m.Display, directoryHref(d.ID, "groups", m.Value)), w.T("directories.kind_group")
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []templ.Component{name, ui.Text(kind)}})
	}
	return t
}
