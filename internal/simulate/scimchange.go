package simulate

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/rollcallhq/rollcall/internal/idp"
)

// change is one difference between what the provider knows and what the server has.
type change struct {
	kind  string // add, replace or remove
	op    string // as the dialect spells it
	where attributePath
	path  string // in a PATCH
	text  string // wanted; "" for remove
	value any    // what a PATCH carries; nil for remove
}

// operation is the difference as a PATCH says it. A removal has no value.
func (d change) operation() map[string]any {
	o := map[string]any{"op": d.op, "path": d.path}
	if d.kind != "remove" {
		o["value"] = d.value
	}
	return o
}

// changes compares the person with the server's document by the attribute mapping.
func (c *SCIMClient) changes(s *scene) ([]change, error) {
	var out []change
	for _, a := range c.dialect.Attributes {
		d, differs, err := c.compare(s, a)
		if err != nil {
			return nil, err
		}
		if differs {
			out = append(out, d)
		}
	}
	return out, nil
}

func (c *SCIMClient) compare(s *scene, a idp.AttributeMap) (change, bool, error) {
	where, err := parsePath(a.Path)
	if err != nil {
		return change{}, false, err
	}
	want, known := c.attribute(s, a.From)
	if !known {
		return change{}, false, nil
	}
	inner := *s
	inner.item = map[string]any{"text": want, "uuid": stableUUID(c.seed, a.From+want)}
	if want != "" && a.Text != "" {
		if want, err = c.text(&inner, a.Text, plain); err != nil {
			return change{}, false, err
		}
	}
	have := where.get(s.document)
	if have == want {
		return change{}, false, nil
	}
	d := change{kind: "replace", where: where, path: a.Path, text: want, value: want}
	if a.Patch != "" {
		d.path = a.Patch
	}
	switch {
	case want == "" && a.ClearedBy == "":
		d.kind, d.value = "remove", nil
	case have == "":
		d.kind = "add"
	}
	if want != "" && a.Value != nil {
		inner.item = map[string]any{"text": want}
		if d.value, err = c.render(&inner, a.Value); err != nil {
			return change{}, false, err
		}
	}
	d.op = d.kind
	if spelled := c.dialect.Ops[d.kind]; spelled != "" {
		d.op = spelled
	}
	return d, true, nil
}

// readBack takes from a document what the attribute mapping knows of a person. A manager whom the client does not know stays an id, which no
// change touches.
func (c *SCIMClient) readBack(p Person, document map[string]any) (Person, error) {
	if name := textOf(member(document, "userName")); name != "" {
		p.UserName = name
	}
	for _, a := range c.dialect.Attributes {
		where, err := parsePath(a.Path)
		if err != nil {
			return p, err
		}
		value := where.get(document)
		if field := p.field(a.From); field != nil {
			*field = unfilled(a.Text, value)
		} else if a.From == "managerId" {
			p.Manager = c.state.nameOf(value)
		}
	}
	return p, nil
}

// unfilled takes out of a filled template what stood for {{item.text}}.
func unfilled(template, filled string) string {
	before, after, found := strings.Cut(template, "{{item.text}}")
	if !found {
		return filled
	}
	pattern := func(part string) string {
		var literals []string
		for _, literal := range placeholder.Split(part, -1) {
			literals = append(literals, regexp.QuoteMeta(literal))
		}
		return strings.Join(literals, ".*?")
	}
	form := "^" + pattern(before) + "(.*?)" + pattern(after) + "$"
	if match := regexp.MustCompile(form).FindStringSubmatch(filled); match != nil {
		return match[1]
	}
	return ""
}

// Set changes one of a person's attributes by its name in the mappings: title, department, lastName and so on.
func (p *Person) Set(name, value string) error {
	field := p.field(name)
	if field == nil {
		return fmt.Errorf("there is no attribute %q; there are email, firstName, lastName, title, department, employeeNumber, phone, city, manager and role", name)
	}
	*field = value
	return nil
}

func (p *Person) field(name string) *string {
	switch name {
	case "email":
		return &p.Email
	case "firstName":
		return &p.FirstName
	case "lastName":
		return &p.LastName
	case "title":
		return &p.Title
	case "department":
		return &p.Department
	case "employeeNumber":
		return &p.EmployeeNumber
	case "phone":
		return &p.Phone
	case "city":
		return &p.City
	case "manager":
		return &p.Manager
	case "role":
		return &p.Role
	}
	return nil
}

// attribute is the wanted text of a mapped attribute; known is false where the provider cannot say yet, as with a manager who is not provisioned.
func (c *SCIMClient) attribute(s *scene, name string) (text string, known bool) {
	p := s.person
	switch name {
	case "userName":
		return p.Person.userName(), true
	case "name":
		return p.Person.Name(), true
	case "id":
		return p.ExternalID, true
	case "managerId":
		manager := c.state.person(p.Person.Manager)
		if manager == nil || manager.SCIMID == "" {
			return "", p.Person.Manager == ""
		}
		return manager.SCIMID, true
	}
	if field := p.Person.field(name); field != nil {
		return *field, true
	}
	return "", false
}
