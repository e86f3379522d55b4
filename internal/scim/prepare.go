package scim

import (
	"strconv"
	"strings"
)

// Prepare turns the body of a POST or PUT into the canonical document, which shares what it did not have to change with in
// and leaves in as it was. Names get the schema's spelling and extensions the container of their URN; booleans, numbers,
// lists and bare values are brought to the declared form; `schemas` is made right; what is null or empty and what belongs
// to the server (id, meta, groups, manager.displayName) is left out, as is the password, which is never kept. What no
// schema knows is kept as sent, or refused in strict mode. Requireds are checked.
//
// A group's `members` stay in the document as a list, also an empty one, until TakeMembers takes them out.
func (r *ResourceType) Prepare(in *Object, m Mode) (*Object, error) {
	if err := r.checkSize(in); err != nil {
		return nil, err
	}
	if err := r.checkSchemas(in, m); err != nil {
		return nil, err
	}
	p := preparation{typ: r, mode: m, out: make([]Member, 1, in.Len()+1)}
	p.out[0].Name = "schemas" // its value is made last
	for _, member := range in.Members() {
		if err := p.take(member); err != nil {
			return nil, err
		}
	}
	doc := NewObject(p.out...)
	r.repairSchemas(doc)
	if err := r.checkRequired(doc); err != nil {
		return nil, err
	}
	return doc, nil
}

// checkSchemas refuses, in strict mode only, a `schemas` that is missing, incomplete or names what is unknown.
func (r *ResourceType) checkSchemas(in *Object, m Mode) error {
	if !m.Strict {
		return nil
	}
	v, _ := in.GetFold("schemas")
	base := false
	for i, e := range v.List() {
		s := r.Schema(e.Text())
		if s == nil {
			return invalidSyntax("schemas[%d] is %s, which %s does not have", i, shown(e), r.Name).On("schemas")
		}
		base = base || s == r.Core
	}
	if !base {
		return invalidSyntax("schemas must be an array that holds %q", r.Core.ID).On("schemas")
	}
	return nil
}

// repairSchemas makes `schemas` hold the base schema and each extension present, once (RFC 7643 section 3).
func (r *ResourceType) repairSchemas(doc *Object) {
	urns := make([]Value, 1, 3)
	urns[0] = StringOf(r.Core.ID)
	for _, member := range doc.members {
		if member.Value.kind == Complex && isURN(member.Name) {
			urns = append(urns, StringOf(member.Name))
		}
	}
	doc.Set("schemas", ListOf(urns...))
}

// isURN tells the name of an extension's container from that of an attribute, which holds no colon.
func isURN(name string) bool { return strings.IndexByte(name, ':') >= 0 }

// checkRequired refuses a document without what its schemas require; a blank text counts as missing.
func (r *ResourceType) checkRequired(doc *Object) error {
	if err := r.Core.checkRequired(doc, ""); err != nil {
		return err
	}
	for i := range r.Extensions {
		e := &r.Extensions[i]
		if !e.Required && len(e.Schema.needs) == 0 {
			continue
		}
		container, ok := doc.Get(e.Schema.ID)
		if !ok && e.Required {
			return invalidValue("the extension %s is required for every %s; send its attributes", e.Schema.ID, r.Name).On(e.Schema.ID)
		}
		if !ok {
			continue
		}
		if err := e.Schema.checkRequired(container.obj, e.Schema.ID+":"); err != nil {
			return err
		}
	}
	return nil
}

func (s *Schema) checkRequired(o *Object, prefix string) error {
	for _, a := range s.needs {
		v, ok := o.Get(a.Name)
		if a.Required && (!ok || isMissing(v)) {
			return invalidValue("%s is required and must not be empty", prefix+a.Name).On(prefix + a.Name)
		}
		if !ok {
			continue
		}
		if place := a.missingSub(v); place != "" {
			return invalidValue("%s is required and must not be empty", prefix+place).On(prefix + place)
		}
	}
	return nil
}

func isMissing(v Value) bool {
	return isNothing(v) || (v.kind == String && strings.TrimSpace(v.s) == "")
}

// missingSub names a required sub-attribute that the value, or an element of it, lacks; "" if there is none.
func (a *Attribute) missingSub(v Value) string {
	if v.kind == Array {
		for i, e := range v.list {
			if sub := a.lacks(e); sub != "" {
				return a.Name + "[" + strconv.Itoa(i) + "]." + sub
			}
		}
		return ""
	}
	if sub := a.lacks(v); sub != "" {
		return a.Name + "." + sub
	}
	return ""
}

func (a *Attribute) lacks(v Value) string {
	for _, s := range a.Sub {
		if !s.Required {
			continue
		}
		if inner, ok := v.obj.Get(s.Name); !ok || isMissing(inner) {
			return s.Name
		}
	}
	return ""
}

// preparation is one run of Prepare.
type preparation struct {
	typ  *ResourceType
	mode Mode
	out  []Member
	// seen is kept once core attributes came under their URN, as they may come again under their plain names; the first
	// one counts.
	seen names
}

func (p *preparation) take(member Member) error {
	if isURN(member.Name) {
		return p.qualified(member)
	}
	a := p.typ.Core.Attribute(member.Name)
	if a == nil {
		return p.unknown(member)
	}
	if a.Mutability == ReadOnly || a.Returned == ReturnedNever || a.Name == "schemas" {
		return nil
	}
	if a.Name == membersName && !member.Value.IsUnassigned() {
		if err := checkMembers(member.Value); err != nil {
			return err
		}
	}
	v, err := a.Coerce(member.Value, a.Name, p.mode)
	if err != nil {
		return err
	}
	if v.kind == Null && a.Name == membersName && member.Value.kind == Array {
		v = ListOf() // nobody, which for a group differs from nothing said
	}
	p.put(a.Name, v)
	return nil
}

func (p *preparation) put(name string, v Value) {
	if v.kind == Null {
		return
	}
	if p.seen != nil && !p.seen.add(name) {
		return
	}
	p.out = append(p.out, Member{name, v})
}

func (p *preparation) unknown(member Member) error {
	if p.mode.Strict {
		return invalidSyntax("%s is no attribute of %s; leave it out or declare an extension that has it", quoted(member.Name), p.typ.Name).On(shorten(member.Name))
	}
	p.put(member.Name, pruned(member.Value))
	return nil
}

// qualified takes the container of an extension, or one attribute named with its schema's URN.
func (p *preparation) qualified(member Member) error {
	if s := p.typ.Schema(member.Name); s != nil {
		return p.container(s, member.Value)
	}
	s, attr := p.typ.splitQualified(member.Name)
	if s == nil {
		return p.unknown(member)
	}
	return p.container(s, ObjectOf(NewObject(Member{attr, member.Value})))
}

// splitQualified reads "<urn>:attr", and "<urn>.attr" as one client writes it; the schema is nil if it is neither. The
// second form goes first: what precedes its last colon may be an outdated URN of the same schema.
func (r *ResourceType) splitQualified(name string) (*Schema, string) {
	colon := strings.LastIndexByte(name, ':')
	if dot := strings.IndexByte(name[colon:], '.'); dot >= 0 {
		return r.Schema(name[:colon+dot]), name[colon+dot+1:]
	}
	return r.Schema(name[:colon]), name[colon+1:]
}

func (p *preparation) container(s *Schema, v Value) error {
	if isNothing(v) {
		return nil
	}
	if v.kind != Complex {
		return invalidValue("%s must be an object of the schema's attributes, got %s", s.ID, shown(v)).On(s.ID)
	}
	if s == p.typ.Core {
		return p.core(v.obj)
	}
	members, bad := coerceMembers(v.obj.members, s.Attribute, false, p.mode)
	if bad != nil {
		bad.place = ":" + strings.TrimPrefix(bad.place, ".")
		return bad.at(s.ID)
	}
	if len(members) > 0 {
		p.addContainer(s.ID, v, members)
	}
	return nil
}

func (p *preparation) core(o *Object) error {
	if p.seen == nil {
		p.seen = nameSet(p.out)
	}
	for _, member := range o.members {
		if isURN(member.Name) {
			return invalidSyntax("%s holds %s; put it beside, not into, the core schema", p.typ.Core.ID, quoted(member.Name))
		}
		if err := p.take(member); err != nil {
			return err
		}
	}
	return nil
}

// addContainer adds to the container if the same extension came under another of its names before.
func (p *preparation) addContainer(urn string, v Value, members []Member) {
	for i := range p.out {
		if p.out[i].Name != urn {
			continue
		}
		p.out[i].Value = ObjectOf(NewObject(union(p.out[i].Value.obj.members, members)...))
		return
	}
	if !sameMembers(members, v.obj.members) {
		v = ObjectOf(NewObject(members...))
	}
	p.out = append(p.out, Member{urn, v})
}

// ActiveOf says whether the document's account may be used: yes, unless it says no.
func ActiveOf(doc *Object) bool {
	v, _ := doc.Get("active")
	return v.kind != Bool || v.b
}
