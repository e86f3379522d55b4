package scim

import "github.com/rollcallhq/rollcall/internal/fault"

// MemberChangeKind is what a PATCH wants done to a group's members.
type MemberChangeKind string

// The closed list of membership changes.
const (
	MembersAdd         MemberChangeKind = "add"          // Members join, those already in stay
	MembersRemove      MemberChangeKind = "remove"       // Members leave, those not in are no fault
	MembersRemoveWhere MemberChangeKind = "remove_where" // members that satisfy Where leave; see MemberMatcher
	MembersRemoveAll   MemberChangeKind = "remove_all"   // everybody leaves
	MembersReplace     MemberChangeKind = "replace"      // Members, possibly none, are all there are
)

// MemberChange is one change of membership. It names members only, so a store need not load a group to apply it.
type MemberChange struct {
	Kind    MemberChangeKind
	Members []MemberRef
	Where   Filter
}

// mostChoices bounds how often one request may look at every member of a group.
const mostChoices = 100

// SplitMembers takes every operation on `members` out of a group's patch, also those in pathless values, and gives them in
// order as changes; rest is what Apply has to do. A resource type without members gives the patch back as it is.
func (r *ResourceType) SplitMembers(p Patch, m Mode) (rest Patch, changes []MemberChange, err error) {
	attr := r.Core.Attribute(membersName)
	if attr == nil {
		return p, nil, nil
	}
	chosen := 0
	for _, op := range p.Operations {
		flat, err := r.flatten(op)
		if err != nil {
			return Patch{}, nil, err
		}
		for _, step := range flat {
			if at := r.resolve(*step.Path); at.attr != attr {
				rest.Operations = append(rest.Operations, step)
				continue
			}
			change, any, err := memberChange(attr, r.resolve(*step.Path), step, m)
			if err != nil {
				return Patch{}, nil, prefixed(err, step.where())
			}
			if any {
				changes = append(changes, change)
			}
			if change.Kind == MembersRemoveWhere {
				chosen++
			}
			if chosen > mostChoices {
				return Patch{}, nil, fault.New(fault.TooLarge, "", "the patch chooses members by more than %d filters; send its operations in several requests", mostChoices)
			}
		}
	}
	return rest, changes, nil
}

func memberChange(attr *Attribute, at place, op Operation, m Mode) (change MemberChange, any bool, err error) {
	if at.subName != "" {
		return MemberChange{}, false, mutability("a member's %s cannot be changed; remove the member and add it again", quoted(at.subName)).On(membersName)
	}
	if op.Path.Filter != nil {
		return chosenMembers(attr, op)
	}
	if op.Op == PatchRemove && op.Value.Kind() == Null {
		return MemberChange{Kind: MembersRemoveAll}, true, nil
	}
	if op.Op != PatchReplace && op.Value.IsUnassigned() {
		return MemberChange{}, false, nil // a list of nobody adds and removes nobody
	}
	if op.Value.Kind() == Null && op.implied {
		return MemberChange{}, false, nil // in an object sent whole, null says nothing; TakeMembers reads it the same way
	}
	refs, err := membersIn(attr, op.Value, m)
	if err != nil {
		return MemberChange{}, false, err
	}
	kinds := map[Op]MemberChangeKind{PatchAdd: MembersAdd, PatchRemove: MembersRemove, PatchReplace: MembersReplace}
	return MemberChange{Kind: kinds[op.Op], Members: refs}, true, nil
}

// membersIn reads a list of members, one member or bare ids.
func membersIn(attr *Attribute, v Value, m Mode) ([]MemberRef, error) {
	if v.IsUnassigned() {
		return nil, nil
	}
	if err := checkMembers(v); err != nil {
		return nil, err
	}
	coerced, err := attr.Coerce(v, membersName, m)
	if err != nil || coerced.Kind() == Null {
		return nil, err
	}
	return memberRefs(coerced)
}

// checkMembers looks at members as they were sent. Only a list without elements means nobody: a text or element that names
// nobody is a mistake, and passing over it would empty a group that is to be replaced.
func checkMembers(v Value) error {
	if isEmptyText(v) {
		return invalidValue("members must be a list of members, got an empty text; send [] for nobody").On(membersName)
	}
	for i, e := range asList(v).List() {
		if id, _ := e.Object().GetFold("value"); isNothing(e) || (e.Kind() == Complex && isNothing(id)) {
			if _, err := memberRef(e, i); err != nil {
				return err
			}
		}
	}
	return nil
}

// chosenMembers reads `members[…]`. The usual `value eq "x"`, also several joined by `or`, names members; any other filter
// has to be decided member by member.
func chosenMembers(attr *Attribute, op Operation) (change MemberChange, any bool, err error) {
	if err := checkElementFilter(op.Path.Filter, attr); err != nil {
		return MemberChange{}, false, err
	}
	named, plain := namedMembers(op.Path.Filter, nil)
	switch {
	case op.Op == PatchRemove && plain:
		return MemberChange{Kind: MembersRemove, Members: unrepeated(named)}, true, nil
	case op.Op == PatchRemove:
		return MemberChange{Kind: MembersRemoveWhere, Where: op.Path.Filter}, true, nil
	}
	return MemberChange{}, false, mutability("a member cannot be changed; remove it and add the new one with path members").On(membersName)
}

func namedMembers(f Filter, into []MemberRef) ([]MemberRef, bool) {
	switch f := f.(type) {
	case Or:
		into, left := namedMembers(f.Left, into)
		if !left {
			return nil, false
		}
		return namedMembers(f.Right, into)
	case Compare:
		isID := f.Op == OpEq && FoldKey(f.Path.String()) == "value" && f.Value.Text() != ""
		return append(into, MemberRef{Value: f.Value.Text()}), isID
	}
	return nil, false
}

func unrepeated(refs []MemberRef) []MemberRef {
	seen := make(map[string]bool, len(refs))
	out := refs[:0]
	for _, ref := range refs {
		if !seen[ref.Value] {
			seen[ref.Value] = true
			out = append(out, ref)
		}
	}
	return out
}

// MemberMatcher prepares the Where of a change for many members.
func (r *ResourceType) MemberMatcher(where Filter) func(MemberRef) bool {
	test := elementMatcher(where, r.Core.Attribute(membersName))
	return func(ref MemberRef) bool { return test(ref.element()) }
}

func (ref MemberRef) element() Value {
	o := NewObject()
	for _, member := range [...]Member{
		{"value", StringOf(ref.Value)},
		{"$ref", StringOf(ref.Ref)},
		{"display", StringOf(ref.Display)},
		{"type", StringOf(ref.Type)},
	} {
		if member.Value.Text() != "" {
			o.Set(member.Name, member.Value)
		}
	}
	return ObjectOf(o)
}
