package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// A list is answered in one of three ways:
//   - all of them: a page by rank, or after a cursor;
//   - `attribute eq "value"` of an indexed attribute: the row;
//   - any other filter or sort: narrowed by SQL where an index knows something, decided by one matcher in Go that reads the
//     documents in order, bounded in time. Both engines thus answer alike.

// table is what users and groups differ in when they are listed.
type table[T any] struct {
	kind     string
	alias    string
	text     string // select with WHERE directory_id = $1
	scan     func(db.Rows) (T, error)
	id       func(T) string
	complete func(*T) (*scim.Object, error) // nil: no matching needed
	narrow   func(*conditions, scim.Filter) string
	match    *scim.ResourceType
}

// ListUsers gives a page of users.
func (s *Service) ListUsers(ctx context.Context, a *Access, q Query) (UserPage, error) {
	matchGroups := q.Sort != nil || mentions(q, "groups")
	text := selectUsers
	if matchGroups || q.Groups && !q.everybody() {
		text = selectUsersG
	}
	refs := map[UserID][]string{}
	t := table[User]{
		kind: kindUser, alias: "u", text: text, id: func(u User) string { return string(u.ID) }, narrow: narrowUsers, match: a.Model.User,
		scan: func(rows db.Rows) (User, error) {
			u, groups, err := s.scanUser(rows)
			if groups != "" {
				refs[u.ID] = strings.Split(groups, ",")
			}
			return u, err
		},
	}
	if q.CompleteUser != nil {
		t.complete = func(u *User) (*scim.Object, error) {
			if ids := refs[u.ID]; matchGroups && len(ids) > 0 && u.Groups == nil {
				var err error
				if u.Groups, err = s.groupRefs(ctx, a.Directory.ID, ids); err != nil {
					return nil, err
				}
			}
			return q.CompleteUser(u)
		}
	}
	out, err := listOf(ctx, s, a, q, t)
	if err != nil {
		return UserPage{}, err
	}
	switch {
	case !q.Groups:
		refs = nil
	case q.everybody():
		if err := s.neighbours(ctx, a.Directory.ID, out.rows, refs); err != nil {
			return UserPage{}, err
		}
	}
	if err := s.attachGroups(ctx, a.Directory.ID, out.rows, refs); err != nil {
		return UserPage{}, err
	}
	if q.Eq != nil && q.Groups && len(out.rows) == 1 {
		s.recent.keep(out.rows[0])
	}
	return UserPage{Total: out.total, Users: out.rows, More: out.more}, nil
}

// everybody: the page is a stretch of the whole list.
func (q Query) everybody() bool { return q.Filter == nil && q.Eq == nil && q.Sort == nil }

// neighbours reads the groups of people whose ids lie side by side: one stretch of the index for the whole page.
func (s *Service) neighbours(ctx context.Context, d ID, page []User, refs map[UserID][]string) error {
	if len(page) == 0 {
		return nil
	}
	return s.pairs(ctx, selectMembersOf, func(member, group string) {
		refs[UserID(member)] = append(refs[UserID(member)], group)
	}, string(d), string(page[0].ID), string(page[len(page)-1].ID))
}

// attachGroups fills in the groups of a page in three queries, not three for each person.
func (s *Service) attachGroups(ctx context.Context, d ID, users []User, refs map[UserID][]string) error {
	if len(refs) == 0 {
		return nil
	}
	tree, err := s.groupTree(ctx, d)
	if err != nil {
		return err
	}
	for i := range users {
		if ids := refs[users[i].ID]; len(ids) > 0 {
			users[i].Groups = tree.refs(ids)
		}
	}
	return nil
}

// ListGroups gives a page of groups.
func (s *Service) ListGroups(ctx context.Context, a *Access, q Query) (GroupPage, error) {
	t := table[Group]{
		kind: kindGroup, alias: "g", text: selectGroups, id: func(g Group) string { return string(g.ID) }, narrow: narrowGroups, match: a.Model.Group,
		scan: func(rows db.Rows) (Group, error) { return scanGroup(rows) },
	}
	if q.CompleteGroup != nil {
		wanted := membersWanted(q)
		t.complete = func(g *Group) (*scim.Object, error) {
			var err error
			if g.Members, err = s.membersFor(ctx, a.Directory.ID, g.ID, wanted); err != nil {
				return nil, err
			}
			return q.CompleteGroup(g)
		}
	}
	out, err := listOf(ctx, s, a, q, t)
	if err != nil {
		return GroupPage{}, err
	}
	for i := range out.rows {
		out.rows[i].Members = nil // what the filter needed may not be all
		if q.Members {
			if out.rows[i].Members, err = s.membersOf(ctx, a.Directory.ID, out.rows[i].ID); err != nil {
				return GroupPage{}, err
			}
		}
	}
	return GroupPage{Total: out.total, Groups: out.rows, More: out.more}, nil
}

type listed[T any] struct {
	total int64
	rows  []T
	more  bool
}

func listOf[T any](ctx context.Context, s *Service, a *Access, q Query, t table[T]) (listed[T], error) {
	q.StartIndex = max(1, q.StartIndex)
	if q.Offset > 0 {
		q.StartIndex = q.Offset + 1
	}
	filter := q.Filter
	if q.Eq != nil {
		path, err := scim.ParsePath(q.Eq.Attribute, scim.DefaultFilterLimits)
		if err != nil {
			return listed[T]{}, err
		}
		filter = scim.Compare{Path: path, Op: scim.OpEq, Value: scim.StringOf(q.Eq.Value)}
	}
	switch {
	case filter == nil && q.Sort == nil && q.After != "":
		return listAfter(ctx, s, a, q, t)
	case filter == nil && q.Sort == nil:
		return listByRank(ctx, s, a, q, t)
	case q.Sort == nil && q.Eq != nil:
		if c, ok := exact(t.kind, q.Eq); ok {
			return listExact(ctx, s, a, q, t, c)
		}
	}
	return listMatching(ctx, s, a, q, t, filter)
}

func listRows[T any](ctx context.Context, s *Service, t table[T], text string, args ...any) ([]T, error) {
	rows, err := s.db.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("list %ss: %w", t.kind, err)
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		row, err := t.scan(rows)
		if err != nil {
			return nil, fmt.Errorf("list %ss: %w", t.kind, err)
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

// listByRank finds the page through the tally: the place of the n-th row is known without reading those before it.
func listByRank[T any](ctx context.Context, s *Service, a *Access, q Query, t table[T]) (listed[T], error) {
	r, err := s.rank(ctx, a.Directory.ID, t.kind)
	if err != nil {
		return listed[T]{}, err
	}
	out := listed[T]{total: r.total}
	first, skip, ok := r.find(int64(q.StartIndex - 1))
	if q.Count == 0 || !ok {
		return out, nil
	}
	text := fmt.Sprintf("%s AND %[2]s.id >= $2 ORDER BY %[2]s.id LIMIT $3 OFFSET $4", t.text, t.alias)
	out.rows, err = listRows(ctx, s, t, text, string(a.Directory.ID), first, q.Count, skip)
	out.more = int64(q.StartIndex-1+len(out.rows)) < r.total
	return out, err
}

func listAfter[T any](ctx context.Context, s *Service, a *Access, q Query, t table[T]) (listed[T], error) {
	var out listed[T]
	var err error
	if !q.NoTotal {
		if out.total, err = s.total(ctx, a.Directory.ID, t.kind); err != nil {
			return out, err
		}
	}
	text := fmt.Sprintf("%s AND %[2]s.id > $2 ORDER BY %[2]s.id LIMIT $3", t.text, t.alias)
	out.rows, err = listRows(ctx, s, t, text, string(a.Directory.ID), q.After, q.Count+1)
	out.more = len(out.rows) > q.Count
	out.rows = out.rows[:min(len(out.rows), q.Count)]
	return out, err
}

// condition is a comparison that an index answers completely.
type condition struct {
	text string
	arg  string
}

// exact knows the comparisons whose index and matcher agree, so that no document has to be looked at.
func exact(kind string, eq *Equal) (condition, bool) {
	name := strings.ToLower(eq.Attribute)
	switch {
	case kind == kindUser && name == "username":
		return condition{"u.user_name_key = $2", scim.UserNameKey(eq.Value)}, true
	case kind == kindUser && name == "externalid":
		return condition{"u.external_id = $2", eq.Value}, eq.Value != ""
	case kind == kindUser && name == "id":
		return condition{"u.id = $2", eq.Value}, true
	case kind == kindGroup && name == "displayname":
		return condition{"g.display_name_key = $2", scim.FoldKey(eq.Value)}, true
	case kind == kindGroup && name == "externalid":
		return condition{"g.external_id = $2", eq.Value}, eq.Value != ""
	case kind == kindGroup && name == "id":
		return condition{"g.id = $2", eq.Value}, true
	}
	return condition{}, false
}

func listExact[T any](ctx context.Context, s *Service, a *Access, q Query, t table[T], c condition) (listed[T], error) {
	rows, err := listRows(ctx, s, t, t.text+" AND "+c.text, string(a.Directory.ID), c.arg)
	if err != nil {
		return listed[T]{}, err
	}
	slices.SortFunc(rows, func(x, y T) int { return strings.Compare(t.id(x), t.id(y)) })
	return pageOf(rows, q), nil
}

func pageOf[T any](rows []T, q Query) listed[T] {
	out := listed[T]{total: int64(len(rows))}
	from := min(q.StartIndex-1, len(rows))
	to := min(from+q.Count, len(rows))
	out.rows, out.more = rows[from:to], to < len(rows)
	return out
}

// scanned is how many rows one step of a search reads.
const scanned = 500

func errTooMany() error {
	return fault.New(fault.Invalid, "tooMany",
		"The filter or sort would search through more than can be read in the time allowed. Filter by userName, externalId, id, emails.value or displayName with eq, or page without a filter.")
}

type keyed struct {
	id  string
	key scim.SortKey
}

// listMatching reads documents in order and lets the matcher decide.
func listMatching[T any](ctx context.Context, s *Service, a *Access, q Query, t table[T], filter scim.Filter) (listed[T], error) {
	if t.complete == nil {
		return listed[T]{}, fmt.Errorf("list %ss: a filter needs the whole resource", t.kind)
	}
	c := conditions{args: []any{string(a.Directory.ID), ""}}
	text := t.text + " AND " + t.alias + ".id > $2"
	if filter != nil {
		if narrow := t.narrow(&c, filter); narrow != "" {
			text += " AND " + narrow
		}
	}
	text += fmt.Sprintf(" ORDER BY %s.id LIMIT %d", t.alias, scanned)
	search := search[T]{s: s, q: q, t: t, filter: filter, deadline: s.now().Add(s.o.ScanLimit)}
	for {
		rows, err := listRows(ctx, s, t, text, c.args...)
		if err != nil {
			return listed[T]{}, err
		}
		if err := search.take(rows); err != nil {
			return listed[T]{}, err
		}
		if len(rows) < scanned {
			return search.page(ctx, a)
		}
		if s.now().After(search.deadline) {
			return listed[T]{}, errTooMany()
		}
		c.args[1] = t.id(rows[len(rows)-1])
	}
}

type search[T any] struct {
	s        *Service
	q        Query
	t        table[T]
	filter   scim.Filter
	deadline time.Time
	found    listed[T]
	keys     []keyed
}

func (f *search[T]) take(rows []T) error {
	for i := range rows {
		doc, err := f.t.complete(&rows[i])
		if err != nil {
			return err
		}
		if f.filter != nil && !f.t.match.Match(f.filter, doc) {
			continue
		}
		f.found.total++
		switch n := int(f.found.total); {
		case f.q.Sort != nil:
			f.keys = append(f.keys, keyed{f.t.id(rows[i]), f.q.Sort.Key(doc)})
		case n >= f.q.StartIndex && len(f.found.rows) < f.q.Count:
			f.found.rows = append(f.found.rows, rows[i])
		}
	}
	return nil
}

func (f *search[T]) page(ctx context.Context, a *Access) (listed[T], error) {
	if f.q.Sort == nil {
		f.found.more = f.q.StartIndex-1+len(f.found.rows) < int(f.found.total)
		return f.found, nil
	}
	slices.SortStableFunc(f.keys, func(x, y keyed) int { return f.q.Sort.Compare(x.key, y.key) })
	part := pageOf(f.keys, f.q)
	f.found.more = part.more
	if len(part.rows) == 0 {
		return f.found, nil
	}
	byID := map[string]T{}
	ids := make([]string, len(part.rows))
	for i, k := range part.rows {
		ids[i] = k.id
	}
	for some := range slices.Chunk(ids, chunk) {
		args := padded(some)
		rows, err := listRows(ctx, f.s, f.t, f.t.text+" AND "+f.t.alias+".id IN ("+list(2, len(args))+")", append([]any{string(a.Directory.ID)}, args...)...)
		if err != nil {
			return f.found, err
		}
		for _, row := range rows {
			byID[f.t.id(row)] = row
		}
	}
	for _, id := range ids {
		if row, ok := byID[id]; ok {
			f.found.rows = append(f.found.rows, row)
		}
	}
	return f.found, nil
}

// queryUsers reads users, who know their groups where those are selected (User.direct).
func (s *Service) queryUsers(ctx context.Context, text string, args ...any) ([]User, error) {
	return s.usersOf(ctx, s.db, text, args...)
}

func (s *Service) usersOf(ctx context.Context, r db.Reader, text string, args ...any) ([]User, error) {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	defer rows.Close()
	var out []User
	for rows.Next() {
		u, _, err := s.scanUser(rows)
		if err != nil {
			return nil, fmt.Errorf("read users: %w", err)
		}
		out = append(out, u)
	}
	return out, rows.Err()
}

// groupTree knows a directory's groups by name and which group is nested in which.
type groupTree struct {
	names   map[string]string
	parents map[string][]string
}

func (t groupTree) nest(child, parent string) { t.parents[child] = append(t.parents[child], parent) }

func (s *Service) groupTree(ctx context.Context, d ID) (groupTree, error) {
	t := groupTree{names: map[string]string{}, parents: map[string][]string{}}
	err := s.pairs(ctx, selectGroupNames, func(id, name string) { t.names[id] = name }, string(d))
	if err != nil {
		return t, err
	}
	return t, s.pairs(ctx, selectNested, t.nest, string(d))
}

func (s *Service) pairs(ctx context.Context, text string, each func(a, b string), args ...any) error {
	rows, err := s.db.Query(ctx, text, args...)
	if err != nil {
		return fmt.Errorf("read groups: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var a, b string
		if err := rows.Scan(&a, &b); err != nil {
			return fmt.Errorf("read groups: %w", err)
		}
		each(a, b)
	}
	return rows.Err()
}

// refs are the groups with these ids and those they are nested in, however deep and even in circles.
func (t groupTree) refs(direct []string) []GroupRef {
	seen := map[string]bool{}
	var out []GroupRef
	add := func(id string, isDirect bool) {
		if name, ok := t.names[id]; ok && !seen[id] {
			seen[id] = true
			out = append(out, GroupRef{ID: GroupID(id), Name: name, Direct: isDirect})
		}
	}
	for _, id := range direct {
		add(id, true)
	}
	for i := 0; i < len(out); i++ {
		for _, parent := range t.parents[string(out[i].ID)] {
			add(parent, false)
		}
	}
	slices.SortFunc(out, func(a, b GroupRef) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out
}

// groupRefs is the tree's answer for one person, reading only what is needed: the names of their groups, unless some group is
// nested.
func (s *Service) groupRefs(ctx context.Context, d ID, direct []string) ([]GroupRef, error) {
	t := groupTree{names: map[string]string{}, parents: map[string][]string{}}
	if err := s.pairs(ctx, selectNested, t.nest, string(d)); err != nil {
		return nil, err
	}
	var err error
	if len(t.parents) > 0 {
		if t, err = s.groupTree(ctx, d); err != nil {
			return nil, err
		}
		return t.refs(direct), nil
	}
	if t.names, err = s.groupNames(ctx, d, direct); err != nil {
		return nil, err
	}
	return t.refs(direct), nil
}

// groupNames are those of the groups with these ids that are there.
func (s *Service) groupNames(ctx context.Context, d ID, ids []string) (map[string]string, error) {
	names := map[string]string{}
	for part := range slices.Chunk(ids, chunk) {
		args := padded(part)
		text := selectGroupNames + " AND id IN (" + list(2, len(args)) + ")"
		err := s.pairs(ctx, text, func(id, name string) { names[id] = name }, append([]any{string(d)}, args...)...)
		if err != nil {
			return nil, err
		}
	}
	return names, nil
}
