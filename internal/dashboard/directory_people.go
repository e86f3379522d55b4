package dashboard

import (
	"cmp"
	"context"
	"net/url"
	"strconv"

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

// personRow is a person of a directory, with what their attributes are.
type personRow struct {
	directory.User
	attributes map[string]string
}

func personRows(all []directory.User) ([]personRow, error) {
	out := make([]personRow, len(all))
	for i, u := range all {
		found, err := directory.Attributes(u)
		if err != nil {
			return nil, err
		}
		out[i] = personRow{u, attributesByName(found)}
	}
	return out, nil
}

// peopleTable are the people of a directory, whatever their state.
func peopleTable(c *call) (table[personRow], error) {
	d, _, err := c.directory()
	if err != nil {
		return table[personRow]{}, err
	}
	return c.peopleIn(d, "")
}

// groupPeopleTable are the people of a group.
func groupPeopleTable(c *call) (table[personRow], error) {
	d, _, g, err := c.group()
	if err != nil {
		return table[personRow]{}, err
	}
	return c.peopleIn(d, g.ID)
}

// peopleIn are the people of a directory, or of one of its groups.
func (c *call) peopleIn(d directory.Directory, g directory.GroupID) (table[personRow], error) {
	q, err := c.query()
	if err != nil {
		return table[personRow]{}, err
	}
	w := c.words()
	of := directory.PeopleQuery{Directory: d.ID, Group: g, Search: searchOf(q.Get("search")), Inactive: inactiveOf(q)}
	t := table[personRow]{
		id: "people", file: "directory-users", at: directoryHref(d.ID, "users"), query: q, filters: []string{"search", "state"}, cursor: directoryUserPrefix,
		key: func(r personRow) string { return string(r.ID) },
		read: func(ctx context.Context, p paging, limit int) ([]personRow, bool, error) {
			page := of
			page.Before, page.After, page.Whole, page.Limit = p.before, p.after, p.whole, limit
			found, more, err := c.s.o.Directories.People(ctx, page)
			if err != nil {
				return nil, false, err
			}
			rows, err := personRows(found)
			return rows, more, err
		},
		fields: ui.Fields[personRow]{
			ui.InExport("id", func(r personRow) string { return string(r.ID) }),
			ui.Both(ui.Column{Label: w.T("organizations.name")}, func(r personRow) templ.Component {
				return ui.Person(r.attributes["name"], cmp.Or(r.attributes["email"], r.attributes["username"]), directoryHref(r.DirectoryID, "users", string(r.ID)))
			}, "name", func(r personRow) string { return r.attributes["name"] }),
			ui.InExport("email", func(r personRow) string { return r.attributes["email"] }),
			ui.Both(ui.Column{Label: w.T("organizations.state")}, func(r personRow) templ.Component { return ui.Badge(personBadge(w, r.State())) },
				"state", func(r personRow) string { return string(r.State()) }),
			ui.Both(ui.Column{Label: w.T("directories.user_name"), Minor: true}, func(r personRow) templ.Component { return textOrNone(r.attributes["username"]) },
				"user_name", func(r personRow) string { return r.attributes["username"] }),
			ui.Both(ui.Column{Label: w.T("directories.external_id"), Minor: true}, func(r personRow) templ.Component { return textOrNone(r.attributes["idp_id"]) },
				"idp_id", func(r personRow) string { return r.attributes["idp_id"] }),
			ui.InExport("created_at", func(r personRow) string { return written(r.CreatedAt) }),
			ui.Both(ui.Column{Label: w.T("organizations.changed"), Minor: true}, func(r personRow) templ.Component { return moment(r.UpdatedAt) },
				"updated_at", func(r personRow) string { return written(r.UpdatedAt) }),
		},
	}
	if g != "" {
		t.file, t.at = "directory-group-users", directoryHref(d.ID, "groups", string(g))
	}
	return t, nil
}

// inactiveOf is the state that a list of a directory's people is narrowed to; nil is all.
func inactiveOf(query url.Values) *bool {
	state := query.Get("state")
	if state != "active" && state != "inactive" {
		return nil
	}
	inactive := state == "inactive"
	return &inactive
}

func showPeople(c *call) error {
	d, o, err := c.directory()
	if err != nil {
		return err
	}
	list, err := peopleTable(c)
	if err != nil {
		return err
	}
	s, _, err := c.directorySheet(d, o, "users")
	if err != nil {
		return err
	}
	t, err := c.peoplePage(d, "", list)
	if err != nil {
		return err
	}
	s.Head.Actions = acts([]action{list.exportAction(c)})
	return c.show(c.tabFrame(d, o, "users"), listing(s, t))
}

// peoplePage is a page of people with its filter.
func (c *call) peoplePage(d directory.Directory, g directory.GroupID, list table[personRow]) (ui.TableProps, error) {
	w, q, path := c.words(), list.query, c.r.URL.Path
	search := searchOf(q.Get("search"))
	t := ui.TableProps{
		Caption: w.T("directories.tab_users"), Tools: peopleFilter(path, search, q.Get("state"), cleared(q, path, "search", "state")),
		Empty: noPeople(w, d, directory.PeopleQuery{Search: search, Inactive: inactiveOf(q), Group: g}),
	}
	_, err := list.fill(c, &t)
	if search != "" && t.Pager.Next != "" {
		t.Pager.Summary = w.T("directories.narrow")
	}
	return t, err
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

// person finds the one of the address, in the directory of the address.
func (c *call) person() (d directory.Directory, o org.Organization, u directory.User, err error) {
	if d, o, err = c.directory(); err != nil {
		return d, o, u, err
	}
	id := c.values["user"]
	if !isID(id, directoryUserPrefix) {
		return d, o, u, fault.New(fault.NotFound, "entity_not_found", "Directory user not found: '%.80s'.", id)
	}
	u, err = c.s.o.Directories.Person(c.ctx(), d.ID, directory.UserID(id))
	return d, o, u, err
}

// showPerson shows what the provider wrote of somebody, and what was made of it.
func showPerson(c *call) error {
	d, o, u, err := c.person()
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
		Attributes: attributeTable(w, all), Document: documentCode(w, u.Document),
	}
	list := c.groupsOf(d, u)
	v.Groups = ui.TableProps{Caption: w.T("directories.groups"), Titled: true, Empty: ui.EmptyProps{Icon: ui.IconTeam, Title: w.T("directories.in_no_group")}, Export: list.exportLink(c)}
	if _, err := list.fill(c, &v.Groups); err != nil {
		return err
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

// personGroupsTable are the groups that somebody is in, those by way of others too.
func personGroupsTable(c *call) (table[directory.GroupRef], error) {
	d, _, u, err := c.person()
	if err != nil {
		return table[directory.GroupRef]{}, err
	}
	return c.groupsOf(d, u), nil
}

func (c *call) groupsOf(d directory.Directory, u directory.User) table[directory.GroupRef] {
	w := c.words()
	return table[directory.GroupRef]{
		id: "groups", file: "directory-user-groups", at: directoryHref(d.ID, "users", string(u.ID), "groups"), key: func(directory.GroupRef) string { return "" },
		read: whole(func(context.Context) ([]directory.GroupRef, error) { return u.Groups, nil }),
		fields: ui.Fields[directory.GroupRef]{
			ui.InExport("id", func(g directory.GroupRef) string { return string(g.ID) }),
			ui.Both(ui.Column{Label: w.T("organizations.name")}, func(g directory.GroupRef) templ.Component {
				return rowLink(g.Name, directoryHref(d.ID, "groups", string(g.ID)))
			},
				"name", func(g directory.GroupRef) string { return g.Name }),
			ui.Both(ui.Column{Label: w.T("directories.how")}, func(g directory.GroupRef) templ.Component {
				if g.Direct {
					return ui.Text(w.T("directories.direct"))
				}
				return ui.Text(w.T("directories.nested"))
			}, "direct", func(g directory.GroupRef) string { return strconv.FormatBool(g.Direct) }),
		},
	}
}

// documentCode shows a document of the store, which holds it without blanks.
func documentCode(w *words.Words, doc []byte) ui.CodeProps {
	return ui.CodeProps{ID: "document", Label: w.T("directories.document"), Text: indented(doc), JSON: true, Copy: true}
}

// groupsTable are the groups of a directory.
func groupsTable(c *call) (table[directory.Group], error) {
	d, _, err := c.directory()
	if err != nil {
		return table[directory.Group]{}, err
	}
	q, err := c.query()
	if err != nil {
		return table[directory.Group]{}, err
	}
	w := c.words()
	return table[directory.Group]{
		id: "groups", file: "directory-groups", at: directoryHref(d.ID, "groups"), query: q, filters: []string{"search"}, cursor: directoryGroupPrefix,
		key: func(g directory.Group) string { return string(g.ID) },
		read: func(ctx context.Context, p paging, limit int) ([]directory.Group, bool, error) {
			return c.s.o.Directories.Groups(ctx, directory.GroupQuery{Directory: d.ID, Search: searchOf(q.Get("search")), Whole: p.whole, Before: p.before, After: p.after, Limit: limit})
		},
		fields: ui.Fields[directory.Group]{
			ui.InExport("id", func(g directory.Group) string { return string(g.ID) }),
			ui.Both(ui.Column{Label: w.T("organizations.name")}, func(g directory.Group) templ.Component {
				return rowLink(g.Name, directoryHref(d.ID, "groups", string(g.ID)))
			},
				"name", func(g directory.Group) string { return g.Name }),
			ui.Both(ui.Column{Label: w.T("directories.external_id"), Minor: true}, func(g directory.Group) templ.Component { return textOrNone(g.IdPID) },
				"idp_id", func(g directory.Group) string { return g.IdPID }),
			ui.InExport("created_at", func(g directory.Group) string { return written(g.CreatedAt) }),
			ui.Both(ui.Column{Label: w.T("organizations.changed"), Minor: true}, func(g directory.Group) templ.Component { return moment(g.UpdatedAt) },
				"updated_at", func(g directory.Group) string { return written(g.UpdatedAt) }),
		},
	}, nil
}

func showGroups(c *call) error {
	d, o, err := c.directory()
	if err != nil {
		return err
	}
	list, err := groupsTable(c)
	if err != nil {
		return err
	}
	s, _, err := c.directorySheet(d, o, "groups")
	if err != nil {
		return err
	}
	w, q, path := c.words(), list.query, c.r.URL.Path
	search := searchOf(q.Get("search"))
	t := ui.TableProps{
		Caption: w.T("directories.groups"), Empty: ui.EmptyProps{Icon: ui.IconTeam, Title: w.T("directories.no_groups"), Text: w.T("directories.no_groups_text")},
		Tools: ui.Filter(ui.FilterProps{Action: path, Search: "search", Query: search, Label: w.T("directories.search_groups"), Clear: cleared(q, path, "search")}),
	}
	if search != "" {
		t.Empty = ui.EmptyProps{Icon: ui.IconSearch, Title: w.T("directories.no_group_found"), Text: w.T("directories.nobody_found_text")}
	}
	if _, err := list.fill(c, &t); err != nil {
		return err
	}
	s.Head.Actions = acts([]action{list.exportAction(c)})
	return c.show(c.tabFrame(d, o, "groups"), listing(s, t))
}

// group finds the one of the address, in the directory of the address.
func (c *call) group() (d directory.Directory, o org.Organization, g directory.Group, err error) {
	if d, o, err = c.directory(); err != nil {
		return d, o, g, err
	}
	id := c.values["group"]
	if !isID(id, directoryGroupPrefix) {
		return d, o, g, fault.New(fault.NotFound, "entity_not_found", "Directory group not found: '%.80s'.", id)
	}
	g, err = c.s.o.Directories.Group(c.ctx(), d.ID, directory.GroupID(id))
	return d, o, g, err
}

// showGroup shows who is in a group.
func showGroup(c *call) error {
	d, o, g, err := c.group()
	if err != nil {
		return err
	}
	w := c.words()
	list, err := c.peopleIn(d, g.ID)
	if err != nil {
		return err
	}
	groups := ui.Link{Label: w.T("directories.groups"), Href: directoryHref(d.ID, "groups")}
	v := groupView{
		Sheet:  sheetView{Head: ui.HeadProps{Title: g.Name, Text: w.T("directories.group_lead"), Back: groups, Actions: acts([]action{list.exportAction(c)})}},
		Others: otherMembers(w, d, g), Document: documentCode(w, g.Document),
		Facts: []ui.Pair{
			idPair(w, string(g.ID)),
			{Key: w.T("directories.external_id"), Text: g.IdPID, Mono: true},
			{Key: w.T("directories.arrived"), Value: exactly(g.CreatedAt)},
			{Key: w.T("organizations.changed"), Value: exactly(g.UpdatedAt)},
		},
	}
	if v.People, err = c.peoplePage(d, g.ID, list); err != nil {
		return err
	}
	return c.show(directoryFrame(d, o, groups, ui.Link{Label: g.Name}), v.view())
}

// otherMembers are the first of the groups in a group, and of the values that name nobody yet.
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
