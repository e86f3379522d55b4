package directory

import (
	"context"
	"fmt"
	"strings"

	"github.com/rollcallhq/rollcall/internal/scim"
)

// Narrowing turns what an index knows of a filter into SQL. The SQL may let more through than the filter does, never less: the
// matcher decides.

// conditions gathers the arguments of a statement; $1 is the directory.
type conditions struct{ args []any }

func (c *conditions) arg(v any) string {
	c.args = append(c.args, v)
	return fmt.Sprintf("$%d", len(c.args))
}

// narrowWith walks and, or and comparisons; "" means that nothing is known.
func narrowWith(c *conditions, f scim.Filter, leaf func(*conditions, string, scim.Value) string) string {
	switch f := f.(type) {
	case scim.And:
		left, right := narrowWith(c, f.Left, leaf), narrowWith(c, f.Right, leaf)
		if left == "" || right == "" {
			return left + right
		}
		return left + " AND " + right
	case scim.Or:
		mark := len(c.args)
		left, right := narrowWith(c, f.Left, leaf), narrowWith(c, f.Right, leaf)
		if left == "" || right == "" {
			c.args = c.args[:mark]
			return ""
		}
		return "((" + left + ") OR (" + right + "))"
	case scim.Compare:
		if f.Op == scim.OpEq {
			return leaf(c, attributeName(f.Path), f.Value)
		}
	case scim.ValuePath:
		return narrowWith(c, f.Path.Filter, func(c *conditions, name string, v scim.Value) string {
			return leaf(c, attributeName(f.Path)+"."+name, v)
		})
	}
	return ""
}

// attributeName is a path of the core schema in lower case; one of an extension keeps its URN and so matches nothing here.
func attributeName(p scim.Path) string {
	name := p.Attr
	if p.Sub != "" {
		name += "." + p.Sub
	}
	name = strings.ToLower(name)
	if p.URN == "" || strings.EqualFold(p.URN, scim.UserURN) || strings.EqualFold(p.URN, scim.GroupURN) {
		return name
	}
	return p.URN + ":" + name
}

func narrowUsers(c *conditions, f scim.Filter) string { return narrowWith(c, f, narrowUser) }

func narrowUser(c *conditions, name string, v scim.Value) string {
	if name == "active" && v.Kind() == scim.Bool {
		return "u.active = " + c.arg(v.Bool())
	}
	if v.Kind() != scim.String || v.Text() == "" {
		return ""
	}
	switch name {
	case "username":
		return "u.user_name_key = " + c.arg(scim.UserNameKey(v.Text()))
	case "externalid":
		return "u.external_id = " + c.arg(v.Text())
	case "id":
		return "u.id = " + c.arg(v.Text())
	case "emails", "emails.value", "email":
		return fmt.Sprintf(hasEmail, c.arg(scim.FoldKey(v.Text())))
	}
	return ""
}

func narrowGroups(c *conditions, f scim.Filter) string { return narrowWith(c, f, narrowGroup) }

func narrowGroup(c *conditions, name string, v scim.Value) string {
	if v.Kind() != scim.String || v.Text() == "" {
		return ""
	}
	switch name {
	case "displayname":
		return "g.display_name_key = " + c.arg(scim.FoldKey(v.Text()))
	case "externalid":
		return "g.external_id = " + c.arg(v.Text())
	case "id":
		return "g.id = " + c.arg(v.Text())
	case "members", "members.value":
		return `g.id IN (SELECT group_id FROM directory_group_members WHERE directory_id = $1 AND member_id = ` + c.arg(v.Text()) + `
			UNION ALL SELECT group_id FROM directory_parked_members WHERE directory_id = $1 AND value_key = ` + c.arg(scim.UserNameKey(v.Text())) + `)`
	}
	return ""
}

// wanted are the members a filter has to know of: those it names, or all where it asks something else of members.
type wanted struct {
	values []string
	all    bool
}

// membersWanted lets `members eq "x"` look at one member of a group, not at a hundred thousand.
func membersWanted(q Query) wanted {
	w := wanted{all: q.Sort != nil && q.Members}
	walk(q, func(name string, f scim.Filter) {
		if !strings.HasPrefix(name, "members") {
			return
		}
		c, ok := f.(scim.Compare)
		if ok && c.Op == scim.OpEq && c.Value.Kind() == scim.String && c.Path.Filter == nil && (name == "members" || name == "members.value") {
			w.values = append(w.values, c.Value.Text())
			return
		}
		w.all = true
	})
	return w
}

// mentions tells whether a query's filter looks at an attribute.
func mentions(q Query, attribute string) (found bool) {
	walk(q, func(name string, _ scim.Filter) { found = found || strings.HasPrefix(name, attribute) })
	return found
}

// walk shows every comparison of a query with the lower-case name of what it compares.
func walk(q Query, see func(name string, f scim.Filter)) {
	if q.Eq != nil {
		see(strings.ToLower(q.Eq.Attribute), scim.Compare{Op: scim.OpEq, Value: scim.StringOf(q.Eq.Value)})
	}
	if q.Filter != nil {
		walkFilter(q.Filter, "", see)
	}
}

func walkFilter(f scim.Filter, within string, see func(string, scim.Filter)) {
	name := func(p scim.Path) string { return strings.TrimPrefix(within+"."+attributeName(p), ".") }
	switch f := f.(type) {
	case scim.And:
		walkFilter(f.Left, within, see)
		walkFilter(f.Right, within, see)
	case scim.Or:
		walkFilter(f.Left, within, see)
		walkFilter(f.Right, within, see)
	case scim.Not:
		walkFilter(f.Of, within, see)
	case scim.ValuePath:
		walkFilter(f.Path.Filter, name(scim.Path{URN: f.Path.URN, Attr: f.Path.Attr}), see)
	case scim.Present:
		see(name(f.Path), f)
	case scim.Compare:
		see(name(f.Path), f)
	}
}

func (s *Service) membersFor(ctx context.Context, d ID, g GroupID, w wanted) ([]Member, error) {
	if w.all {
		return s.membersOf(ctx, d, g)
	}
	if len(w.values) == 0 {
		return nil, nil
	}
	found := map[string]target{}
	if err := s.presentOf(ctx, d, g, w.values, found); err != nil {
		return nil, err
	}
	out := make([]Member, 0, len(found))
	for _, t := range found {
		out = append(out, Member{Value: t.id, Kind: t.kind, Display: t.display})
	}
	return out, nil
}
