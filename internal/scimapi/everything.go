package scimapi

import (
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// Queries at the base address search all resource types (RFC 7644 section 3.4.2.1): users first, then groups, or all of them in
// the order asked for. A place in that list is a number of matches.

// mostMerged bounds how far into a list of all types one can look when it is sorted: both types have to be read up to there.
const mostMerged = 10_000

// everything is one search for each type; nil for a type that the filter rules out.
type everything struct {
	users, groups *search
	shown         search // what both have in common
	start         int
}

func (c *call) answerEverything(q scim.SearchRequest) error {
	if err := c.strictFilter(q.Filter); err != nil {
		return err
	}
	// An attribute that one of the types lacks has no value there, in strict mode as well.
	users, err := c.searchFor(c.access.Model.User, q, scim.Mode{}, "/")
	if err != nil {
		return err
	}
	groups, err := c.searchFor(c.access.Model.Group, q, scim.Mode{}, "/")
	if err != nil {
		return err
	}
	e := everything{users: &users, groups: &groups, shown: users, start: users.start + users.place.offset}
	e.narrow()
	if users.sort != nil {
		return c.answerMerged(e)
	}
	return c.answerInTurn(e)
}

// strictFilter holds what strict mode demands of a filter, if no type accepts it.
func (c *call) strictFilter(filter string) error {
	if !c.access.Mode.Strict || filter == "" {
		return nil
	}
	f, err := scim.ParseFilter(filter, scim.DefaultFilterLimits)
	if err != nil {
		return err
	}
	if c.access.Model.Group.CheckFilter(f, c.access.Mode) == nil {
		return nil
	}
	return c.access.Model.User.CheckFilter(f, c.access.Mode)
}

// narrow leaves a type out that `meta.resourceType eq` rules out, so that its documents are not searched for nothing.
func (e *everything) narrow() {
	f := e.users.filter
	if f == nil {
		return
	}
	wanted, ok := typeWanted(f)
	if !ok {
		return
	}
	if _, alone := f.(scim.Compare); alone {
		e.users.filter, e.groups.filter = nil, nil
	}
	if !strings.EqualFold(wanted, "User") {
		e.users = nil
	}
	if !strings.EqualFold(wanted, "Group") {
		e.groups = nil
	}
}

// typeWanted finds `meta.resourceType eq "…"` where it must hold: alone or joined by `and`.
func typeWanted(f scim.Filter) (string, bool) {
	switch f := f.(type) {
	case scim.And:
		if name, ok := typeWanted(f.Left); ok {
			return name, true
		}
		return typeWanted(f.Right)
	case scim.Compare:
		is := f.Op == scim.OpEq && f.Path.URN == "" && f.Path.Filter == nil && strings.EqualFold(f.Path.Attr, "meta") &&
			strings.EqualFold(f.Path.Sub, "resourceType") && f.Value.Kind() == scim.String
		return f.Value.Text(), is
	}
	return "", false
}

// found is one resource of either type.
type found struct {
	user  *directory.User
	group *directory.Group
	key   scim.SortKey
}

// part asks for some matches of one type.
func (s *search) part(start, count int) directory.Query {
	q := s.query()
	q.StartIndex, q.Count, q.After, q.Offset, q.NoTotal = start, count, "", 0, false
	return q
}

// answerInTurn gives the users of the page, and groups where they end.
func (c *call) answerInTurn(e everything) error {
	rows, total, err := c.usersOf(e, e.start, e.shown.count)
	if err != nil {
		return err
	}
	groups, more, err := c.groupsOf(e, max(1, e.start-total), e.shown.count-len(rows))
	if err != nil {
		return err
	}
	return c.showEverything(e, append(rows, groups...), total+more)
}

func (c *call) usersOf(e everything, start, count int) ([]found, int, error) {
	if e.users == nil {
		return nil, 0, nil
	}
	page, err := c.server.dir.ListUsers(c.ctx, c.access, e.users.part(start, count))
	rows := make([]found, len(page.Users))
	for i := range page.Users {
		rows[i].user = &page.Users[i]
	}
	return rows, int(page.Total), err
}

func (c *call) groupsOf(e everything, start, count int) ([]found, int, error) {
	if e.groups == nil {
		return nil, 0, nil
	}
	page, err := c.server.dir.ListGroups(c.ctx, c.access, e.groups.part(start, count))
	rows := make([]found, len(page.Groups))
	for i := range page.Groups {
		rows[i].group = &page.Groups[i]
	}
	return rows, int(page.Total), err
}

// answerMerged reads both types in the order asked for as far as the page reaches, and merges them.
func (c *call) answerMerged(e everything) error {
	reach := e.start - 1 + e.shown.count
	if reach > mostMerged {
		return fault.New(fault.Invalid, scim.CodeTooMany,
			"A sorted list of all resource types can be read up to %d. List /Users or /Groups, or narrow the filter.", mostMerged)
	}
	users, total, err := c.usersOf(e, 1, reach)
	if err != nil {
		return err
	}
	groups, more, err := c.groupsOf(e, 1, reach)
	if err != nil {
		return err
	}
	rows, err := merged(c, e, append(users, groups...))
	if err != nil {
		return err
	}
	from := min(e.start-1, len(rows))
	return c.showEverything(e, rows[from:min(reach, len(rows))], total+more)
}

func merged(c *call, e everything, rows []found) ([]found, error) {
	for i := range rows {
		o, order, err := e.object(rows[i])
		if err != nil {
			return nil, err
		}
		rows[i].key = order.Key(o)
	}
	slices.SortStableFunc(rows, func(a, b found) int { return e.shown.sort.Compare(a.key, b.key) })
	return rows, c.ctx.Err()
}

func (e *everything) object(f found) (*scim.Object, *scim.Sort, error) {
	if f.user != nil {
		o, err := e.users.view.userObject(f.user)
		return o, e.users.sort, err
	}
	o, err := e.groups.view.groupObject(f.group)
	return o, e.groups.sort, err
}

func (c *call) showEverything(e everything, rows []found, total int) error {
	p := scim.Page{TotalResults: total, StartIndex: e.start}
	if e.shown.cursors {
		p.StartIndex = 0
		if reached := e.start - 1 + len(rows); len(rows) > 0 && reached < total {
			p.NextCursor = c.server.cursors.encode(e.shown.listing, place{offset: reached})
		}
	}
	return c.showList(p, len(rows), func(dst []byte, i int) ([]byte, error) {
		if rows[i].user != nil {
			return e.users.view.user(dst, rows[i].user)
		}
		return e.groups.view.group(dst, rows[i].group)
	})
}
