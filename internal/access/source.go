package access

import (
	"strconv"

	"github.com/rollcallhq/rollcall/internal/scim"
)

func parsePath(path string) (scim.Path, error) { return scim.ParsePath(path, scim.DefaultFilterLimits) }

// OfDocument is a person of a directory: the SCIM document, read by the paths of the directory's model, and the groups they are directly in.
func OfDocument(user *scim.ResourceType, doc *scim.Object, groups []Group) Source {
	return Reader(user)(doc, groups)
}

// Reader is OfDocument for many people: each path is looked up once. It is not safe for concurrent use.
func Reader(user *scim.ResourceType) func(doc *scim.Object, groups []Group) Source {
	known := map[string]func(*scim.Object) []scim.Value{}
	find := func(path string) func(*scim.Object) []scim.Value {
		read, ok := known[path]
		if !ok {
			if p, err := parsePath(path); err == nil { // a claim's name is no path, and nobody has it
				read = user.Reader(p)
			}
			known[path] = read
		}
		return read
	}
	return func(doc *scim.Object, groups []Group) Source {
		return Source{Groups: groups, Value: func(path string) (any, bool) {
			read := find(path)
			if read == nil {
				return nil, false
			}
			return valuesOf(read(doc))
		}}
	}
}

func valuesOf(found []scim.Value) (any, bool) {
	switch len(found) {
	case 0:
		return nil, false
	case 1:
		return valueOf(found[0]), true
	}
	list := make([]any, len(found))
	for i, v := range found {
		list[i] = valueOf(v)
	}
	return list, true
}

// OfClaims is a person who signs in: what the provider said, by the names it has for it, and the values of its groups claim. A name is
// taken as it is; dots in it mean nothing.
func OfClaims(claims map[string]any, groups []string) Source {
	all := make([]Group, len(groups))
	for i, name := range groups {
		all[i] = Group{Name: name}
	}
	return Source{Groups: all, Value: func(name string) (any, bool) {
		v, ok := claims[name]
		return v, ok && v != nil
	}}
}

func valueOf(v scim.Value) any {
	switch v.Kind() {
	case scim.String:
		return v.Text()
	case scim.Bool:
		return v.Bool()
	case scim.Number:
		n, err := strconv.ParseFloat(v.Text(), 64)
		if err != nil || !finite(n) {
			return v.Text()
		}
		return n
	case scim.Array:
		out := make([]any, len(v.List()))
		for i, one := range v.List() {
			out[i] = valueOf(one)
		}
		return out
	case scim.Complex:
		out := map[string]any{}
		for _, m := range v.Object().Members() {
			out[m.Name] = valueOf(m.Value)
		}
		return out
	}
	return nil
}

// defaultAttributes are what every directory gives, under the names that the compatible API has for them.
func defaultAttributes() []Rule {
	attribute := func(name, from string) Rule { return Rule{Set: SetAttribute, Name: name, From: from} }
	const enterprise = scim.EnterpriseURN + ":"
	return []Rule{
		attribute("job_title", "title"),
		attribute("employment_type", "userType"),
		attribute("department_name", enterprise+"department"),
		attribute("cost_center_name", enterprise+"costCenter"),
		attribute("division_name", enterprise+"division"),
		attribute("employee_number", enterprise+"employeeNumber"),
		// Known only where the provider names managers by address.
		{Set: SetAttribute, Name: "manager_email", From: enterprise + "manager.value", When: []Condition{{Path: enterprise + "manager.value", Test: TestContains, Texts: []string{"@"}}}},
	}
}
