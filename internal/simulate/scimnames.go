package simulate

import (
	"fmt"
	"strconv"
	"strings"
)

// scene is what a move is about, and what its steps have learnt so far.
type scene struct {
	person   *Known
	document map[string]any // the person as the server shows them
	group    *KnownGroup
	newName  string
	wanted   []string // members that the group shall have in the end, if whole
	whole    bool
	added    []string
	removed  []string
	others   []any // members whom only the server knows
	linked   bool  // the server was asked for the name and had it
	start    int   // of a page
	total    int
	seen     int // elements of the last page
	item     map[string]any
	answer   map[string]any
	depth    int // of moves that do other moves
}

// truth tells whether a name has a value: not absent, "", false, 0 or empty.
func (c *SCIMClient) truth(s *scene, name string) (bool, error) {
	name, negated := strings.CutPrefix(name, "!")
	value, err := c.value(s, name)
	if err != nil {
		return false, err
	}
	yes := value != nil
	switch v := value.(type) {
	case string:
		yes = v != ""
	case bool:
		yes = v
	case []any:
		yes = len(v) > 0
	case map[string]any:
		yes = len(v) > 0
	}
	return yes != negated, nil
}

func (c *SCIMClient) holds(s *scene, names []string) (bool, error) {
	for _, name := range names {
		if yes, err := c.truth(s, name); err != nil || !yes {
			return false, err
		}
	}
	return true, nil
}

// value finds what a name stands for. An unknown name is an error: the dialect is wrong.
func (c *SCIMClient) value(s *scene, name string) (any, error) {
	root, rest, _ := strings.Cut(name, ".")
	var value any
	var err error
	known := true
	switch {
	case root == "person" && s.person != nil:
		value, known = c.ofPerson(s, rest)
	case root == "user" && s.person != nil:
		value, known, err = c.ofUser(s, rest)
	case root == "changes" && s.person != nil:
		value, known, err = c.ofChanges(s, rest)
	case root == "group" && s.group != nil:
		value, known = c.ofGroup(s, rest)
	case root == "item":
		value, known = s.item[rest]
	case root == "answer":
		value, known = s.answer[rest]
	case name == "page.start":
		value = strconv.Itoa(s.start)
	case root == "random":
		value, known = c.ofRandom(rest)
	case root == "stable":
		value, known = c.ofStable(s, rest)
	case name == "app.base":
		value = c.address()
	default:
		known = false
	}
	if err == nil && !known {
		err = fmt.Errorf("the dialect of %s names %q, which means nothing here", c.slug, name)
	}
	return value, err
}

func (c *SCIMClient) ofPerson(s *scene, name string) (any, bool) {
	p := s.person.Person
	switch name {
	case "nickname":
		nick, _, _ := strings.Cut(p.userName(), "@")
		return nick, true
	case "active":
		return s.person.Active, true
	case "activeText":
		return strconv.FormatBool(s.person.Active), true
	case "enterprise":
		return p.Department+p.EmployeeNumber != "", true
	}
	text, known := c.attribute(s, name)
	return text, known || name == "managerId"
}

func (c *SCIMClient) ofUser(s *scene, name string) (value any, known bool, err error) {
	active := textOf(member(s.document, "active"))
	switch name {
	case "id":
		return s.person.SCIMID, true, nil
	case "document":
		return s.document, true, nil
	case "linked":
		return s.linked, true, nil
	case "inactive":
		return strings.EqualFold(active, "false"), true, nil
	case "wanted": // true unless the server says that the person is out
		return !strings.EqualFold(active, "false"), true, nil
	case "changed":
		value, err = c.changed(s)
		return value, true, err
	}
	return nil, false, nil
}

// changed is the server's document with the person's attributes as the provider knows them.
func (c *SCIMClient) changed(s *scene) (map[string]any, error) {
	all, err := c.changes(s)
	if err != nil {
		return nil, err
	}
	out, _ := copied(s.document).(map[string]any)
	if out == nil {
		out = map[string]any{}
	}
	for _, d := range all {
		if d.text == "" {
			d.where.set(out, nil)
		} else {
			d.where.set(out, d.text)
		}
	}
	return out, nil
}

func (c *SCIMClient) ofChanges(s *scene, name string) (any, bool, error) {
	all, err := c.changes(s)
	if err != nil {
		return nil, true, err
	}
	if name == "nested" {
		nested, err := c.nested(s, all)
		return nested, true, err
	}
	var list []any
	values := map[string]any{}
	for _, d := range all {
		filtered := filteredPath.MatchString(d.path)
		if !filtered && d.kind != "remove" {
			values[d.path] = d.value
			if name == "filtered" {
				continue
			}
		}
		list = append(list, map[string]any{"operation": d.operation()})
	}
	switch name {
	case "any", "filtered":
		return list, true, nil
	case "values":
		return values, true, nil
	}
	return nil, false, nil
}

// nested is what differs as a document of its own: whole attributes, and of an extension those that differ.
func (c *SCIMClient) nested(s *scene, all []change) (map[string]any, error) {
	whole, err := c.changed(s)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	for _, d := range all {
		if d.where.schema == "" {
			out[d.where.attribute] = whole[d.where.attribute]
			continue
		}
		d.where.set(out, d.value)
	}
	return out, nil
}

func (c *SCIMClient) ofGroup(s *scene, name string) (any, bool) {
	g := s.group
	switch name {
	case "id":
		return g.SCIMID, true
	case "externalId":
		return g.ExternalID, true
	case "name":
		return g.Name, true
	case "newName":
		return s.newName, true
	case "members":
		all := c.members(s.after())
		if !s.whole {
			all = append(all, s.others...)
		}
		return all, true
	case "added":
		return c.members(s.added), true
	case "removed":
		return c.members(s.removed), true
	case "differs":
		return len(s.added)+len(s.removed) > 0, true
	case "staying":
		return c.members(without(g.Members, s.removed)), true
	}
	return nil, false
}

// members are people as elements of a group; whom the server does not know is left out, as providers do.
func (c *SCIMClient) members(userNames []string) []any {
	var out []any
	for _, name := range userNames {
		if k := c.state.person(name); k != nil && k.SCIMID != "" {
			out = append(out, map[string]any{"id": k.SCIMID, "userName": k.Person.userName(), "name": k.Person.Name()})
		}
	}
	return out
}
