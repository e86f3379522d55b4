package simulate

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/rollcallhq/rollcall/internal/idp"
)

// The marks of templates. They are written with « » because no provider sends those.
const (
	markFrom = "«from»" // begin with the object of this name; the other members are laid over it
	markPart = "«part»" // the dialect's part of this name
	markEach = "«each»" // «give» for every element of the list
	markWhen = "«when»" // «give» if the name has a value
	markGive = "«give»"
)

var (
	placeholder = regexp.MustCompile(`\{\{([a-zA-Z.]+)(\|[a-z]*)?\}\}`)
	alone       = regexp.MustCompile(`^\{\{([a-zA-Z.]+)(\|[a-z]*)?\}\}$`)
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

// render fills a template for JSON. A member whose value would be empty is left out, unless the template says "|null" or "|".
func (c *SCIMClient) render(s *scene, template any) (any, error) {
	values, err := c.renderAll(s, template)
	if err != nil || len(values) == 0 {
		return nil, err
	}
	return values[0], nil
}

// renderAll gives no value, one or, for «each», many.
func (c *SCIMClient) renderAll(s *scene, template any) ([]any, error) {
	switch t := template.(type) {
	case string:
		return c.renderText(s, t)
	case []any:
		out := []any{}
		for _, element := range t {
			values, err := c.renderAll(s, element)
			if err != nil {
				return nil, err
			}
			out = append(out, values...)
		}
		return []any{out}, nil
	case map[string]any:
		return c.renderObject(s, t)
	}
	return []any{template}, nil
}

func (c *SCIMClient) renderText(s *scene, text string) ([]any, error) {
	found := alone.FindStringSubmatch(text)
	if found == nil {
		filled, err := c.text(s, text, plain)
		return []any{filled}, err
	}
	value, err := c.value(s, found[1])
	if err != nil {
		return nil, err
	}
	if list, ok := value.([]any); ok && list == nil {
		value = []any{}
	}
	if value != nil && value != "" {
		return []any{copied(value)}, nil
	}
	switch found[2] {
	case "|null":
		return []any{nil}, nil
	case "|":
		return []any{""}, nil
	}
	return nil, nil
}

func (c *SCIMClient) renderObject(s *scene, t map[string]any) ([]any, error) {
	if name, ok := t[markPart].(string); ok {
		part, known := c.dialect.Parts[name]
		if !known {
			return nil, fmt.Errorf("the dialect of %s has no part %q", c.slug, name)
		}
		return c.renderAll(s, part)
	}
	if name, ok := t[markEach].(string); ok {
		return c.renderEach(s, name, t[markGive])
	}
	if name, ok := t[markWhen].(string); ok {
		if yes, err := c.truth(s, name); err != nil || !yes {
			return nil, err
		}
		return c.renderAll(s, t[markGive])
	}
	return c.renderMembers(s, t)
}

func (c *SCIMClient) renderEach(s *scene, name string, give any) ([]any, error) {
	value, err := c.value(s, name)
	if err != nil {
		return nil, err
	}
	list, _ := value.([]any)
	var out []any
	for _, element := range list {
		inner := *s
		inner.item, _ = element.(map[string]any)
		values, err := c.renderAll(&inner, give)
		if err != nil {
			return nil, err
		}
		out = append(out, values...)
	}
	return out, nil
}

func (c *SCIMClient) renderMembers(s *scene, t map[string]any) ([]any, error) {
	out := map[string]any{}
	if from, ok := t[markFrom]; ok {
		under, err := c.render(s, from)
		if err != nil {
			return nil, err
		}
		out, _ = under.(map[string]any)
		if out == nil {
			return nil, fmt.Errorf("the dialect of %s begins with %v, which is no object here", c.slug, from)
		}
	}
	for name, inner := range t {
		if name == markFrom {
			continue
		}
		values, err := c.renderAll(s, inner)
		if err != nil {
			return nil, err
		}
		if len(values) > 0 {
			out[name] = values[0]
		}
	}
	if len(out) == 0 && len(t) > 0 {
		return nil, nil
	}
	return []any{out}, nil
}

func plain(text string) string { return text }

// text fills the placeholders of a text.
func (c *SCIMClient) text(s *scene, template string, escape func(string) string) (string, error) {
	var fault error
	filled := placeholder.ReplaceAllStringFunc(template, func(mark string) string {
		value, err := c.value(s, placeholder.FindStringSubmatch(mark)[1])
		if err != nil {
			fault = err
		}
		return escape(textOf(value))
	})
	return filled, fault
}

// target fills method and target, and writes the query as the provider does.
func (c *SCIMClient) target(s *scene, send string) (method, target string, err error) {
	method, target, _ = strings.Cut(send, " ")
	path, query, _ := strings.Cut(target, "?")
	if path, err = c.text(s, path, url.PathEscape); err != nil {
		return "", "", err
	}
	var pairs []string
	if c.query != "" {
		pairs = append(pairs, c.query)
	}
	if query != "" {
		for pair := range strings.SplitSeq(query, "&") {
			name, value, _ := strings.Cut(pair, "=")
			if value, err = c.text(s, value, inFilter); err != nil {
				return "", "", err
			}
			pairs = append(pairs, name+"="+strings.ReplaceAll(url.QueryEscape(value), "+", c.dialect.Blank))
		}
	}
	switch {
	case c.dialect.Ends && len(pairs) > 0:
		path += "?" + strings.Join(pairs, "&") + "&"
	case c.dialect.Ends || len(pairs) > 0:
		path += "?" + strings.Join(pairs, "&")
	}
	return method, path, nil
}

// inFilter escapes a value inside the quotes of a filter, which are JSON's (RFC 7644 §3.4.2.2).
func inFilter(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil { // of a string it cannot happen
		return text
	}
	return string(quoted[1 : len(quoted)-1])
}

// told fills a sentence. The words of a stranger in it lose what is not for reading.
func (c *SCIMClient) told(s *scene, sentence string) (string, error) {
	return c.text(s, sentence, func(text string) string {
		text = strings.Map(func(r rune) rune {
			if unicode.IsPrint(r) {
				return r
			}
			return ' '
		}, text)
		const longest = 400
		if len(text) > longest {
			return strings.ToValidUTF8(text[:longest], "") + "…"
		}
		return text
	})
}

func statusKey(prefix string, status int) string { return prefix + strconv.Itoa(status) }

// wants tells whether a status is no failure for a step.
func wants(step idp.DialectStep, status int) bool {
	if len(step.Want) > 0 {
		return slices.Contains(step.Want, status)
	}
	return status >= http.StatusOK && status < http.StatusMultipleChoices
}
