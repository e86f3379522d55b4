package scim

import "strings"

// AsksDeactivation looks into the body of a POST, PUT or PATCH on a user, which may be refused for something else: does
// it, as far as it can be understood, set `active` to false? The last setting counts. So a body with a mistake in another
// place is still known to have asked for the end of somebody's access.
func AsksDeactivation(body []byte) bool {
	o, err := readLoosely(body)
	if err != nil {
		return false
	}
	w := activeWish{user: userSchema()}
	w.attributes(o)
	for _, operations := range everyFold(o, "Operations") {
		for _, op := range oneOrMany(operations) {
			w.operation(op.obj)
		}
	}
	return w.deactivate
}

// activeWish follows what a body says about `active`.
type activeWish struct {
	user       *Schema
	deactivate bool
}

func (w *activeWish) set(v Value) {
	if active, ok := understoodBool(unwrapped(v)); ok {
		w.deactivate = !active
	}
}

// attributes reads an object whose names are attributes, plain, with the schema's URN in front, or in its container.
func (w *activeWish) attributes(o *Object) {
	for _, member := range o.Members() {
		switch {
		case w.isActive(member.Name):
			w.set(member.Value)
		case w.user.goesBy(member.Name):
			for _, inner := range member.Value.obj.Members() {
				if w.isActive(inner.Name) {
					w.set(inner.Value)
				}
			}
		}
	}
}

func (w *activeWish) isActive(name string) bool {
	const attr = "active"
	name = strings.TrimSpace(name)
	if strings.EqualFold(name, attr) {
		return true
	}
	rest := len(name) - len(attr)
	if rest < 2 || !strings.EqualFold(name[rest:], attr) || (name[rest-1] != ':' && name[rest-1] != '.') {
		return false
	}
	return w.user.goesBy(name[:rest-1])
}

// operation reads one member of `Operations`; nil, for what is no object, says nothing.
func (w *activeWish) operation(op *Object) {
	verb := strings.TrimSpace(textFold(op, "op"))
	if !strings.EqualFold(verb, "add") && !strings.EqualFold(verb, "replace") {
		return
	}
	value, _ := op.GetFold("value")
	path := strings.TrimSpace(textFold(op, "path"))
	if path != "" && w.isActive(path) && !holdsActive(value) {
		w.set(value)
		return
	}
	if path == "" || w.isActive(path) || w.user.goesBy(path) {
		for _, v := range oneOrMany(value) {
			w.attributes(v.obj)
		}
	}
}

// holdsActive tells {"active":…} at the path `active`, which some clients send, from a wrapped value.
func holdsActive(v Value) bool {
	_, ok := v.obj.GetFold("active")
	return ok
}

func oneOrMany(v Value) []Value {
	if v.kind == Array {
		return v.list
	}
	return []Value{v}
}

// everyFold gives the values of all members of that name, as a body read loosely may repeat it.
func everyFold(o *Object, name string) []Value {
	var values []Value
	for _, member := range o.Members() {
		if strings.EqualFold(member.Name, name) {
			values = append(values, member.Value)
		}
	}
	return values
}
