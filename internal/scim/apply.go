package scim

import (
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// Apply gives the document after the patch; doc itself is never changed, so a refusal leaves nothing half done
// (RFC 7644 section 3.5.2). The result is canonical as Prepare makes it. Parts that did not change are shared with doc.
//
// Beyond the RFC, and unless the mode is strict: a value path that matches no element creates it from the filter's `eq`
// values (Entra writes `emails[type eq "work"].value` without looking), and unknown attributes are kept. In pathless values
// what a client may not write is passed over. The password is accepted and dropped. Refusals: 400 with mutability,
// noTarget, invalidPath, invalidFilter, invalidValue or invalidSyntax, naming the operation.
func (r *ResourceType) Apply(doc *Object, p Patch, m Mode) (*Object, error) {
	run := patching{typ: r, mode: m, before: doc, doc: NewObject(slices.Clone(doc.Members())...)}
	for _, op := range p.Operations {
		flat, err := r.flatten(op)
		if err != nil {
			return nil, err
		}
		for _, step := range flat {
			if err := checkSize(step.Value, step.Path.String()); err != nil {
				return nil, prefixed(err, step.where())
			}
			if err := run.step(step); err != nil {
				return nil, prefixed(err, step.where())
			}
		}
	}
	if err := run.checkRequired(); err != nil {
		return nil, err
	}
	r.repairSchemas(run.doc)
	return run.doc, nil
}

// patching is one run of Apply. doc's own list of members belongs to it; everything deeper is copied before it changes.
type patching struct {
	typ     *ResourceType
	mode    Mode
	before  *Object
	doc     *Object
	touched []touch
	spent   int
}

// mostPatchWork bounds how many elements and members one patch may look at, so that thousands of operations on thousands
// of elements are refused instead of keeping a processor busy for minutes.
const mostPatchWork = 4_000_000

func (p *patching) spend(at place, op Operation, old Value) error {
	comparisons := 1
	if op.Path.Filter != nil {
		walkPaths(op.Path.Filter, func(Path) { comparisons++ })
	}
	container, _ := p.doc.Get(at.container)
	p.spent += 1 + len(old.List())*comparisons + p.doc.Len() + container.Object().Len() + old.Object().Len()
	if p.spent > mostPatchWork {
		return fault.New(fault.TooLarge, "", "the patch changes too much at once; send its operations in several requests")
	}
	return nil
}

type touch struct {
	at place
	op Operation
}

func (p *patching) step(op Operation) error {
	at := p.typ.resolve(*op.Path)
	if at.whole {
		return p.container(at, op)
	}
	if skip, err := p.permitted(at, op); skip || err != nil {
		return err
	}
	old := at.find(p.doc)
	if err := p.spend(at, op, old); err != nil {
		return err
	}
	now, err := p.changed(at, op, old)
	if err != nil {
		return err
	}
	if a := at.attr; a != nil && a.Mutability == Immutable && !isNothing(old) && !old.Equal(now) {
		return mutability("%s cannot be changed once it is set", a.Name).On(a.Name)
	}
	p.put(at, now)
	p.touched = append(p.touched, touch{at, op})
	return nil
}

// container removes a whole extension; what else can be done with one was flattened into its attributes.
func (p *patching) container(at place, op Operation) error {
	switch {
	case at.container == "":
		return noTarget("the path names only the core schema; add the attribute's name behind a colon")
	case !at.known && p.mode.Strict:
		return invalidSyntax("the schema %s is not known here; /Schemas lists those that are", quoted(at.container))
	case op.Op == PatchRemove, op.Op == PatchReplace && isNothing(op.Value):
		p.doc.Delete(memberName(p.doc, at.container))
		p.touched = append(p.touched, touch{at, op})
		return nil
	case isNothing(op.Value):
		return nil
	}
	return invalidValue("%s is an extension, so the value must be an object of its attributes, got %s", shorten(at.container), shown(op.Value)).On(shorten(at.container))
}

// permitted says whether the operation may touch its target, or is to be passed over.
func (p *patching) permitted(at place, op Operation) (skip bool, err error) {
	name := shorten(op.Path.String())
	switch {
	case at.unknown() && p.mode.Strict:
		return false, invalidSyntax("%s is not known here; /Schemas lists the attributes that are", quoted(name))
	case at.attr == nil:
		return false, nil
	case at.attr.Name == "schemas" && at.container == "" && op.Op != PatchRemove:
		return true, nil // it always says which schemas the document really uses
	case at.attr.Mutability == ReadOnly, at.attr.Name == "schemas" && at.container == "", at.sub != nil && at.sub.Mutability == ReadOnly:
		if op.implied {
			return true, nil
		}
		return false, mutability("%s can only be read", name).On(name)
	case at.attr.Returned == ReturnedNever, at.sub != nil && at.sub.Returned == ReturnedNever:
		return true, nil // never kept, as in Prepare
	case at.subName != "" && at.attr.Type != TypeComplex:
		return false, invalidPath("%s has no sub-attribute %s", at.attr.Name, quoted(at.subName)).On(name)
	case op.Path.Filter != nil && !at.attr.Multi:
		return false, invalidPath("%s has one value only, so brackets cannot choose among its elements; write the path without them", at.attr.Name).On(name)
	case op.Path.Filter != nil:
		return false, checkElementFilter(op.Path.Filter, at.attr)
	}
	return false, nil
}

// checkElementFilter refuses names that no element can have: with `ne` or `not` they would choose every element.
func checkElementFilter(f Filter, a *Attribute) error {
	find := elementLookup(a)
	if err := checkFilter(f, Mode{}, find); err != nil {
		return err
	}
	var unknown error
	walkPaths(f, func(path Path) {
		if unknown == nil && find(path, true).unknown {
			unknown = invalidFilter("%s has no sub-attribute %s to choose elements by", a.Name, quoted(path.String())).On(a.Name)
		}
	})
	return unknown
}

func walkPaths(f Filter, visit func(Path)) {
	switch f := f.(type) {
	case And:
		walkPaths(f.Left, visit)
		walkPaths(f.Right, visit)
	case Or:
		walkPaths(f.Left, visit)
		walkPaths(f.Right, visit)
	case Not:
		walkPaths(f.Of, visit)
	case Compare:
		visit(f.Path)
	case Present:
		visit(f.Path)
	case ValuePath:
		visit(f.Path)
	}
}

// changed computes the attribute's new value; Null means unassigned.
func (p *patching) changed(at place, op Operation, old Value) (Value, error) {
	isList := op.Path.Filter != nil || old.Kind() == Array
	if at.attr != nil {
		isList = at.attr.Multi
	}
	switch {
	case at.subName == "" && op.Path.Filter == nil:
		return p.assign(at.attr, op, old, shorten(op.Path.String()))
	case !isList:
		return p.withSub(at, op, old)
	}
	list, err := p.elements(at, op, old)
	if err != nil || len(list) == 0 {
		return Value{}, err
	}
	return ListOf(list...), nil
}

// assign is the operation on a whole attribute or sub-attribute; a is nil if no schema knows it.
func (p *patching) assign(a *Attribute, op Operation, old Value, where string) (Value, error) {
	if op.Op == PatchRemove {
		return p.removed(a, op, old, where)
	}
	if op.Op == PatchAdd && isNothing(op.Value) {
		return old, nil
	}
	v, err := p.coerce(a, op.Value, where)
	if err != nil {
		return Value{}, err
	}
	switch {
	case a == nil:
		return assignUnknown(op, old, v), nil
	case a.Multi && op.Op == PatchAdd:
		return a.appended(old, v), nil
	case a.Type == TypeComplex && !a.Multi && !(p.mode.Strict && op.Op == PatchReplace):
		return a.mergedInto(old, v, op.Value)
	}
	return v, nil
}

func (p *patching) coerce(a *Attribute, v Value, where string) (Value, error) {
	if a == nil {
		return pruned(v), nil
	}
	if inner, ok := v.Object().GetFold(a.Name); ok && a.Type != TypeComplex && !p.mode.Strict {
		v = inner // path "active" with value {"active": false}
	}
	return a.Coerce(v, where, p.mode)
}

// removed: a list of values with a removal means those and no others (Entra); without one the whole attribute goes.
func (p *patching) removed(a *Attribute, op Operation, old Value, where string) (Value, error) {
	if a == nil || !a.Multi || op.Value.Kind() == Null {
		return Value{}, nil
	}
	v, err := p.coerce(a, op.Value, where)
	if err != nil {
		return Value{}, err
	}
	named := make(map[string]bool, len(v.List()))
	for _, said := range v.List() {
		named[a.saidID(said)] = true
	}
	var left []Value
	for _, e := range old.List() {
		byValue, byAll := a.valueID(e)
		if !named[byValue] && !named[byAll] && !named["is "+a.elementID(e)] {
			left = append(left, e)
		}
	}
	return listOrNull(left), nil
}

func listOrNull(list []Value) Value {
	if len(list) == 0 {
		return Value{}
	}
	return ListOf(list...)
}

// saidID is what a client says of an element it wants removed: the value, with its type if that was sent, as display and
// primary are often left out; without a value the whole element.
func (a *Attribute) saidID(said Value) string {
	byValue, byAll := a.valueID(said)
	if byValue == "" {
		return "is " + a.elementID(said)
	}
	if _, typed := said.Object().Get("type"); typed {
		return byAll
	}
	return byValue
}

// valueID gives keys for an element's value alone, and for value and type; empty if it has no value.
func (a *Attribute) valueID(e Value) (byValue, byAll string) {
	value := a.SubAttribute("value")
	if value == nil || e.Kind() != Complex {
		return "", ""
	}
	all, ok := value.elementKey(e)
	if !ok {
		return "", ""
	}
	_, text, _ := strings.Cut(all, "\x00")
	return "value " + text, "typed " + all
}

// elementID is the same for elements that are the same: by type and value where there is a value (RFC 7643 section 2.4),
// else by everything they hold.
func (a *Attribute) elementID(e Value) string {
	if e.Kind() != Complex {
		if e.Kind() == String && !a.CaseExact {
			return FoldKey(e.Text())
		}
		return string(e.AppendJSON(nil))
	}
	if value := a.SubAttribute("value"); value != nil {
		if key, ok := value.elementKey(e); ok {
			return key
		}
	}
	sorted := slices.Clone(e.Object().Members())
	slices.SortFunc(sorted, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	return string(NewObject(sorted...).AppendJSON(nil))
}

// appended adds elements; one that is there already is brought up to date instead of repeated.
func (a *Attribute) appended(old, more Value) Value {
	list := slices.Clone(old.List())
	at := make(map[string]int, len(list)+len(more.List()))
	for i, e := range list {
		at[a.elementID(e)] = i
	}
	var fresh []int
	for _, e := range more.List() {
		id := a.elementID(e)
		i, there := at[id]
		if !there {
			i = len(list)
			at[id] = i
			list = append(list, e)
		} else if e.Kind() == Complex {
			list[i] = overlaid(list[i], e)
		}
		fresh = append(fresh, i)
	}
	return listOrNull(settlePrimary(list, fresh))
}

// overlaid is the element with what the newer one says.
func overlaid(old, newer Value) Value {
	o := NewObject(slices.Clone(old.Object().Members())...)
	for _, member := range newer.Object().Members() {
		o.Set(member.Name, member.Value)
	}
	return ObjectOf(o)
}

// settlePrimary: an element made primary by the operation takes that from the others (RFC 7644 section 3.5.2).
func settlePrimary(list []Value, fresh []int) []Value {
	winner := -1
	for _, i := range fresh {
		if isPrimary(list[i]) {
			winner = i
			break
		}
	}
	if winner < 0 {
		return list
	}
	for i, e := range list {
		if i != winner && isPrimary(e) {
			list[i] = overlaid(e, ObjectOf(NewObject(Member{"primary", BoolOf(false)})))
		}
	}
	return list
}

func isPrimary(e Value) bool {
	v, _ := e.Object().Get("primary")
	return v.Bool()
}

// assignUnknown treats what no schema knows by its JSON: a list grows by add, an object is merged.
func assignUnknown(op Operation, old, v Value) Value {
	switch {
	case op.Op == PatchAdd && old.Kind() == Array:
		return (&Attribute{CaseExact: true}).appended(old, asList(v))
	case old.Kind() == Complex && v.Kind() == Complex:
		return overlaid(old, v)
	}
	return v
}

func asList(v Value) Value {
	if v.Kind() == Array {
		return v
	}
	return ListOf(v)
}

// mergedInto changes only the sub-attributes that were sent (RFC 7644 sections 3.5.2.1 and 3.5.2.3); raw is what came before
// coercion, which shows the ones to clear. A reference whose `value` is empty is cleared as a whole: manager {"value": ""}.
func (a *Attribute) mergedInto(old, v, raw Value) (Value, error) {
	if raw.Kind() == Array && len(raw.List()) == 1 {
		raw = raw.List()[0]
	}
	if raw.Kind() != Complex && v.Kind() == Null {
		return Value{}, nil
	}
	merged := NewObject(slices.Clone(old.Object().Members())...)
	for _, member := range v.Object().Members() {
		sub := a.SubAttribute(member.Name)
		if was, _ := merged.Get(member.Name); sub != nil && sub.Mutability == Immutable && !isNothing(was) && !was.Equal(member.Value) {
			return Value{}, mutability("%s.%s cannot be changed once it is set", a.Name, sub.Name).On(a.Name + "." + sub.Name)
		}
		merged.Set(member.Name, member.Value)
	}
	for _, member := range raw.Object().Members() {
		if !isNothing(member.Value) && !isEmptyText(member.Value) {
			continue
		}
		name, sub := member.Name, a.SubAttribute(member.Name)
		if sub != nil {
			name = sub.Name
		}
		if _, sent := v.Object().Get(name); sent || (sub != nil && sub.Mutability == ReadOnly) {
			continue
		}
		if name == "value" {
			return Value{}, nil
		}
		merged.Delete(memberName(merged, name))
	}
	return objectOrNull(merged), nil
}

func objectOrNull(o *Object) Value {
	if o.Len() == 0 {
		return Value{}
	}
	return ObjectOf(o)
}

// withSub changes one sub-attribute of a value or element, which may not be there yet.
func (p *patching) withSub(at place, op Operation, old Value) (Value, error) {
	if old.Kind() != Complex && old.Kind() != Null {
		old = ObjectOf(NewObject(Member{"value", old}))
	}
	o := NewObject(slices.Clone(old.Object().Members())...)
	name := memberName(o, at.subName)
	was, _ := o.Get(name)
	now, err := p.assign(at.sub, op, was, shorten(op.Path.String()))
	if err != nil {
		return Value{}, err
	}
	if s := at.sub; s != nil && s.Mutability == Immutable && !isNothing(was) && !was.Equal(now) {
		return Value{}, mutability("%s cannot be changed once it is set", shorten(op.Path.String())).On(at.name + "." + s.Name)
	}
	emptyReference := name == "value" && isEmptyText(now) && at.attr != nil && !at.attr.Multi
	if isNothing(now) || emptyReference {
		o.Delete(name)
		return withoutLabels(at.attr, o, emptyReference || name == "value"), nil
	}
	o.Set(name, now)
	return ObjectOf(o), nil
}

// withoutLabels: what is left of a value says nothing when only its labels are left, or, of a reference, when its `value`
// is gone.
func withoutLabels(a *Attribute, o *Object, valueGone bool) Value {
	if valueGone && a != nil && !a.Multi {
		return Value{}
	}
	for _, member := range o.Members() {
		if member.Name != "type" && member.Name != "primary" {
			return ObjectOf(o)
		}
	}
	return Value{}
}

// elements is the operation on chosen elements of a list, or on one sub-attribute of them.
func (p *patching) elements(at place, op Operation, old Value) ([]Value, error) {
	chosen := func(Value) bool { return true }
	if op.Path.Filter != nil {
		chosen = elementMatcher(op.Path.Filter, at.attr)
	} else if n := len(old.List()); n > 1 && op.Op != PatchRemove {
		return nil, noTarget("%s has %d values; say which one by brackets, as in %s[type eq \"work\"].%s", at.name, n, at.name, at.subName).On(at.name)
	}
	var list []Value
	var fresh []int
	found := false
	for _, e := range asList(old).List() {
		if e.Kind() == Null || !chosen(e) {
			list = appendValue(list, e)
			continue
		}
		found = true
		now, err := p.element(at, op, e)
		if err != nil {
			return nil, err
		}
		if now.Kind() != Null {
			fresh = append(fresh, len(list))
		}
		list = appendValue(list, now)
	}
	if !found && op.Op != PatchRemove && !isNothing(op.Value) {
		created, err := p.created(at, op)
		if err != nil {
			return nil, err
		}
		fresh = append(fresh, len(list))
		list = append(list, created)
	}
	return settlePrimary(list, fresh), nil
}

func appendValue(list []Value, v Value) []Value {
	if v.Kind() == Null {
		return list
	}
	return append(list, v)
}

// element gives one chosen element after the operation; Null if it is gone.
func (p *patching) element(at place, op Operation, e Value) (Value, error) {
	if at.subName != "" {
		return p.withSub(at, op, e)
	}
	if op.Op == PatchRemove || (op.Op == PatchReplace && isNothing(op.Value)) {
		return Value{}, nil
	}
	if isNothing(op.Value) {
		return e, nil
	}
	v, err := p.one(at, op)
	if err != nil || v.Kind() == Null {
		return e, err
	}
	switch {
	case v.Kind() != Complex || e.Kind() != Complex:
		return v, nil
	case op.Op == PatchAdd:
		return overlaid(e, v), nil
	}
	// The element is replaced, but stays the one that was chosen: labels it was chosen by and that are not sent remain.
	labels, _ := eqMembers(op.Path.Filter, at.attr)
	return overlaid(ObjectOf(NewObject(labels...)), v), nil
}

// one reads the operation's value as one element.
func (p *patching) one(at place, op Operation) (Value, error) {
	where := shorten(op.Path.String())
	v, err := p.coerce(at.attr, op.Value, where)
	if err != nil || v.Kind() != Array {
		return v, err
	}
	if n := len(v.List()); n != 1 {
		return Value{}, invalidValue("%s takes one value, got a list of %d", where, n).On(where)
	}
	return v.List()[0], nil
}

// created makes the element that the filter describes. A replace that looks for an element by its value means that very
// element: without it there is no target (RFC 7644 section 3.5.2.3).
func (p *patching) created(at place, op Operation) (Value, error) {
	where := shorten(op.Path.String())
	var labels []Member
	if op.Path.Filter != nil {
		var describes bool
		labels, describes = eqMembers(op.Path.Filter, at.attr)
		byValue := slices.ContainsFunc(labels, func(m Member) bool { return m.Name == "value" })
		if !describes || (byValue && op.Op == PatchReplace) {
			return Value{}, noTarget("no element matches %s, so there is nothing to %s", where, op.Op).On(where)
		}
	}
	if at.subName != "" {
		return p.withSub(at, op, ObjectOf(NewObject(labels...)))
	}
	v, err := p.one(at, op)
	if err != nil || v.Kind() != Complex {
		return v, err
	}
	return overlaid(ObjectOf(NewObject(labels...)), v), nil
}

// eqMembers reads a filter that only joins `eq` by `and` as the description of an element.
func eqMembers(f Filter, a *Attribute) ([]Member, bool) {
	switch f := f.(type) {
	case And:
		left, ok := eqMembers(f.Left, a)
		right, also := eqMembers(f.Right, a)
		for _, member := range right {
			left = putMember(left, member.Name, member.Value, false)
		}
		return left, ok && also
	case Compare:
		if f.Op != OpEq || f.Path.Sub != "" || f.Path.URN != "" || f.Value.Kind() == Null {
			return nil, false
		}
		return eqMember(f, a)
	}
	return nil, false
}

func eqMember(f Compare, a *Attribute) ([]Member, bool) {
	if a == nil {
		return []Member{{f.Path.Attr, f.Value}}, true
	}
	sub := a.SubAttribute(f.Path.Attr)
	if sub == nil { // the element of a list of simple values, which has no members to describe
		return nil, a.Type != TypeComplex
	}
	v, err := sub.Coerce(f.Value, sub.Name, Mode{})
	if err != nil || v.Kind() == Null {
		return nil, false
	}
	return []Member{{sub.Name, v}}, true
}

// put writes the attribute into the document, making and removing the container of its extension as needed.
func (p *patching) put(at place, v Value) {
	if at.container == "" {
		putOrDelete(p.doc, at.name, v)
		return
	}
	name := memberName(p.doc, at.container)
	was, _ := p.doc.Get(name)
	o := NewObject(slices.Clone(was.Object().Members())...)
	putOrDelete(o, at.name, v)
	putOrDelete(p.doc, name, objectOrNull(o))
}

func putOrDelete(o *Object, name string, v Value) {
	name = memberName(o, name)
	if isNothing(v) {
		o.Delete(name)
		return
	}
	o.Set(name, v)
}

// memberName is the spelling the object has for a name in any letter case; the name itself if it has none.
func memberName(o *Object, name string) string {
	if _, ok := o.Get(name); ok {
		return name
	}
	for _, member := range o.Members() {
		if strings.EqualFold(member.Name, name) {
			return member.Name
		}
	}
	return name
}

// checkRequired looks only at what the patch touched, at the end, as later operations may complete what earlier ones
// began. What was wrong before must not keep a deactivation out.
func (p *patching) checkRequired() error {
	for _, t := range p.touched {
		if err := p.checkNewContainer(t); err != nil {
			return err
		}
		if missing := p.missing(t.at); missing != "" {
			if t.op.Op == PatchRemove {
				return prefixed(mutability("%s is required and cannot be removed", missing).On(missing), t.op.where())
			}
			return prefixed(invalidValue("%s is required and must not be empty", missing).On(missing), t.op.where())
		}
	}
	return nil
}

// checkNewContainer: an extension that was not there before comes with all it requires.
func (p *patching) checkNewContainer(t touch) error {
	_, before := p.before.Get(t.at.container)
	now, after := p.doc.Get(t.at.container)
	if before || !after || t.at.container == "" || !t.at.known {
		return nil
	}
	if err := p.typ.Schema(t.at.container).checkRequired(now.Object(), t.at.container+":"); err != nil {
		return prefixed(err, t.op.where())
	}
	return nil
}

// missing names what is required and absent at a touched place; "" if nothing is.
func (p *patching) missing(at place) string {
	if at.container != "" {
		for _, e := range p.typ.Extensions {
			if _, there := p.doc.Get(at.container); !there && e.Schema.ID == at.container {
				if e.Required {
					return at.container
				}
				return "" // an optional extension may go with all it requires
			}
		}
	}
	if at.attr == nil {
		return ""
	}
	v := at.find(p.doc)
	switch {
	case at.attr.Required && isMissing(v):
		return at.attr.Name
	case isNothing(v):
		return ""
	}
	return at.attr.missingSub(v)
}
