package scim

import "strconv"

const membersName = "members"

// MemberRef is one member of a group as a client named it. Only Value, the id, is always there.
type MemberRef struct{ Value, Display, Type, Ref string }

// TakeMembers removes `members` from a group's document and gives what they name, each value once. present tells an empty
// list, which means nobody, from null and absence, which say nothing.
func TakeMembers(doc *Object) (refs []MemberRef, present bool, err error) {
	v, ok := doc.Get(membersName)
	doc.Delete(membersName)
	if !ok || v.kind == Null {
		return nil, false, nil
	}
	refs, err = memberRefs(v)
	return refs, true, err
}

// memberRefs reads a list of members, or one of them.
func memberRefs(v Value) ([]MemberRef, error) {
	list := v.list
	if v.kind != Array {
		list = []Value{v}
	}
	refs := make([]MemberRef, 0, len(list))
	seen := make(map[string]struct{}, len(list))
	for i, e := range list {
		ref, err := memberRef(e, i)
		if err != nil {
			return nil, err
		}
		if _, twice := seen[ref.Value]; twice {
			continue
		}
		seen[ref.Value] = struct{}{}
		refs = append(refs, ref)
	}
	return refs, nil
}

func memberRef(e Value, i int) (MemberRef, error) {
	ref := MemberRef{Value: e.s}
	if e.kind == Complex {
		ref = MemberRef{Value: textFold(e.obj, "value"), Display: textFold(e.obj, "display"), Type: textFold(e.obj, "type"), Ref: textFold(e.obj, "$ref")}
	}
	if ref.Value == "" {
		place := membersName + "[" + strconv.Itoa(i) + "].value"
		return MemberRef{}, invalidValue("%s must be the id of a user or a group, got %s", place, shown(e)).On(place)
	}
	return ref, nil
}

// textFold is the text at name in any letter case; a number counts as its digits.
func textFold(o *Object, name string) string {
	v, ok := o.Get(name)
	if !ok {
		v, _ = o.GetFold(name)
	}
	return v.s
}
