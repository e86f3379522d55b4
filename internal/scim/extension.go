package scim

import (
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// What one declared extension may hold at most, so that describing and checking it stays cheap.
const (
	maxExtensionAttributes = 500
	maxNameLen             = 128
)

// ParseExtension reads the declaration of a custom schema in the shape of RFC 7643 section 7: id, name, description and
// attributes, with the defaults of section 2.2. A further member `required` makes the extension required. The refusal
// names the attribute and the characteristic.
func ParseExtension(o *Object) (Extension, error) {
	d := declaration{}
	s := &Schema{ID: d.text(o, "id", "", ""), Name: d.text(o, "name", "", ""), Description: d.text(o, "description", "", "")}
	e := Extension{Schema: s, Required: d.flag(o, "required", false, "")}
	d.checkURN(s.ID)
	if s.Name == "" {
		s.Name = s.ID[strings.LastIndexByte(s.ID, ':')+1:]
	}
	list, _ := o.GetFold("attributes")
	s.Attributes = d.attributes(list, "", "attributes", true)
	if d.err != nil {
		return Extension{}, d.err
	}
	e.Schema = s.indexed()
	return e, nil
}

// declaration remembers the first mistake, so that reading goes on without a check after each step.
type declaration struct{ err *fault.Error }

func (d *declaration) refuse(err *fault.Error) {
	if d.err == nil {
		d.err = err
	}
}

func (d *declaration) text(o *Object, name, otherwise, where string) string {
	v, ok := o.GetFold(name)
	if !ok || v.kind == Null {
		return otherwise
	}
	if v.kind != String {
		d.refuse(invalidValue("%s%s must be a string, got %s", where, name, shown(v)).On(where + name))
	}
	return v.s
}

func (d *declaration) flag(o *Object, name string, otherwise bool, where string) bool {
	v, ok := o.GetFold(name)
	if !ok || v.kind == Null {
		return otherwise
	}
	if v.kind != Bool {
		d.refuse(invalidValue("%s%s must be true or false, got %s", where, name, shown(v)).On(where + name))
	}
	return v.b
}

func (d *declaration) texts(o *Object, name, where string) []string {
	v, _ := o.GetFold(name)
	if v.kind == Null {
		return nil
	}
	list := make([]string, 0, len(v.list))
	for _, e := range v.list {
		if e.kind == String {
			list = append(list, e.s)
		}
	}
	if v.kind != Array || len(list) != len(v.list) {
		d.refuse(invalidValue("%s%s must be an array of strings", where, name).On(where + name))
	}
	return list
}

// checkURN wants a URN of the customer's own: one of the standard's would change what every client means by it.
func (d *declaration) checkURN(urn string) {
	parts := strings.SplitN(urn, ":", 3)
	valid := len(parts) == 3 && strings.EqualFold(parts[0], "urn") && parts[1] != "" && parts[2] != "" && len(urn) <= 2*maxNameLen
	for i := range len(urn) {
		c := urn[i]
		valid = valid && (isLetter(c) || isDigit(c) || strings.IndexByte("-_.:+", c) >= 0)
	}
	if !valid {
		d.refuse(invalidValue("id must be a URN as urn:example:scim:schemas:extension:1.0:User, got %s", quoted(urn)).On("id"))
		return
	}
	m := Standard()
	taken := strings.HasPrefix(strings.ToLower(urn), "urn:ietf:params:scim:") || m.User.Schema(urn) != nil || m.Group.Schema(urn) != nil
	if taken {
		d.refuse(invalidValue("id %s is the name of a standard schema; choose a URN of your own", quoted(urn)).On("id"))
	}
}

func (d *declaration) attributes(v Value, where, name string, complexAllowed bool) []*Attribute {
	if v.kind != Array || len(v.list) == 0 || len(v.list) > maxExtensionAttributes {
		d.refuse(invalidValue("%s%s must be an array of 1 to %d attributes", where, name, maxExtensionAttributes).On(where + name))
		return nil
	}
	seen := make(map[string]bool, len(v.list))
	list := make([]*Attribute, 0, len(v.list))
	for _, e := range v.list {
		a := d.attribute(e, where, complexAllowed)
		if d.err != nil {
			return nil
		}
		if key := FoldKey(a.Name); seen[key] {
			d.refuse(invalidValue("%s%s is declared twice; names have no letter case", where, a.Name).On(where + a.Name))
		} else {
			seen[key] = true
		}
		list = append(list, a)
	}
	return list
}

func (d *declaration) attribute(v Value, where string, complexAllowed bool) *Attribute {
	name := d.text(v.obj, "name", "", where)
	if !isAttributeName(name) || len(name) > maxNameLen {
		d.refuse(invalidValue("%sname must be a letter followed by letters, digits, -, _ or $, got %s", where, quoted(name)).On(where + "name"))
		return nil
	}
	where += name + "."
	t := choice(d, v.obj, where, "type", TypeString, TypeBoolean, TypeDecimal, TypeInteger, TypeDateTime, TypeBinary, TypeReference, TypeComplex)
	a := simple(name, t, d.text(v.obj, "description", "", where))
	a.Multi = d.flag(v.obj, "multiValued", false, where)
	a.Required = d.flag(v.obj, "required", false, where)
	a.CaseExact = d.flag(v.obj, "caseExact", a.CaseExact, where) || a.CaseExact
	a.Mutability = choice(d, v.obj, where, "mutability", ReadWrite, ReadOnly, Immutable, WriteOnly)
	a.Returned = choice(d, v.obj, where, "returned", ReturnedDefault, ReturnedAlways, ReturnedNever, ReturnedRequest)
	a.Uniqueness = choice(d, v.obj, where, "uniqueness", UniqueNone, UniqueServer, UniqueGlobal)
	a.Canonical = d.texts(v.obj, "canonicalValues", where)
	a.ReferenceTypes = d.texts(v.obj, "referenceTypes", where)
	d.checkAttribute(a, v.obj, where, complexAllowed)
	return a
}

// checkAttribute refuses what the characteristics may not be together.
func (d *declaration) checkAttribute(a *Attribute, o *Object, where string, complexAllowed bool) {
	sub, hasSub := o.GetFold("subAttributes")
	hasSub = hasSub && !isNothing(sub)
	switch {
	case a.Type == TypeComplex && !complexAllowed:
		d.refuse(invalidValue("%stype must not be complex: a complex attribute holds simple ones only", where).On(where + "type"))
	case a.Type == TypeComplex:
		a.Sub = d.attributes(sub, where, "subAttributes", false)
	case hasSub:
		d.refuse(invalidValue("%ssubAttributes are for the type complex only", where).On(where + "subAttributes"))
	}
	if a.Uniqueness != UniqueNone {
		d.refuse(invalidValue("%suniqueness must be none: uniqueness of custom attributes is not enforced here", where).On(where + "uniqueness"))
	}
	if a.Required && (a.Mutability == ReadOnly || a.Returned == ReturnedNever) {
		d.refuse(invalidValue("%srequired must be false for what no client can set, or what is never kept", where).On(where + "required"))
	}
	if a.Type == TypeReference && len(a.ReferenceTypes) == 0 {
		a.ReferenceTypes = []string{"external"}
	}
}

// choice reads one of a closed list; the first one is the default.
func choice[T ~string](d *declaration, o *Object, where, name string, options ...T) T {
	got := d.text(o, name, string(options[0]), where)
	i := slices.IndexFunc(options, func(option T) bool { return strings.EqualFold(string(option), got) })
	if i < 0 {
		all := make([]string, 0, len(options))
		for _, option := range options {
			all = append(all, string(option))
		}
		d.refuse(invalidValue("%s%s must be one of %s, got %s", where, name, strings.Join(all, ", "), quoted(got)).On(where + name))
		return options[0]
	}
	return options[i]
}
