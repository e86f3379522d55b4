package scim

import (
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// misfit says why a value does not fit its attribute. The place is put together on the way out, so that values that fit
// cost nothing.
type misfit struct {
	code        string
	place       string // relative to the attribute that was asked: "", ".type", "[2].value"
	wanted, got string
}

func (f *misfit) within(place string) *misfit {
	f.place = place + f.place
	return f
}

func (f *misfit) at(where string) *fault.Error {
	place := where + f.place
	return fault.New(fault.Invalid, f.code, "%s must be %s, got %s", place, f.wanted, f.got).On(place).Compared(f.wanted, f.got)
}

func wanted(what string, got Value) *misfit {
	return &misfit{code: CodeInvalidValue, wanted: what, got: shown(got)}
}

// Coerce brings one attribute's value into canonical form: names in the schema's spelling, JSON types as declared, a list
// where the attribute is multi-valued, sub-attributes only the server may write left out. What is unassigned comes back as
// Null, elements included. The value itself stays as it was sent. A refusal names the place, starting with where.
func (a *Attribute) Coerce(v Value, where string, m Mode) (Value, error) {
	out, bad := a.coerce(v, m)
	if bad != nil {
		return Value{}, bad.at(where)
	}
	return out, nil
}

func (a *Attribute) coerce(v Value, m Mode) (Value, *misfit) {
	if a.Multi {
		return a.coerceMany(v, m)
	}
	return a.coerceOne(v, m)
}

func (a *Attribute) coerceOne(v Value, m Mode) (Value, *misfit) {
	if v.kind == Null {
		return v, nil
	}
	if a.Type == TypeComplex {
		return a.coerceComplex(v, m)
	}
	return a.coerceSimple(v, m)
}

// isNothing is IsUnassigned, and the empty object, in which nothing is assigned either.
func isNothing(v Value) bool {
	return v.IsUnassigned() || (v.kind == Complex && v.obj.Len() == 0)
}

func isEmptyText(v Value) bool { return v.kind == String && v.s == "" }

func (a *Attribute) coerceMany(v Value, m Mode) (Value, *misfit) {
	if isNothing(v) || (!m.Strict && isEmptyText(v)) {
		return Value{}, nil
	}
	if v.kind != Array {
		if m.Strict {
			return Value{}, wanted("an array", v)
		}
		v = ListOf(v)
	}
	list, bad := a.coerceElements(v.list, m)
	if bad != nil || len(list) == 0 {
		return Value{}, bad
	}
	if a.Type == TypeComplex && len(list) > 1 {
		if list, bad = a.onePrimary(a.withoutRepeats(list), m); bad != nil {
			return Value{}, bad
		}
	}
	return ListOf(list...), nil
}

// coerceElements gives back the list itself if nothing had to be changed.
func (a *Attribute) coerceElements(list []Value, m Mode) ([]Value, *misfit) {
	out, changed := list, false
	for i, e := range list {
		var c Value
		var bad *misfit
		switch {
		case isNothing(e):
		case e.kind == Array:
			bad = wanted("one value, not a list within the list", e)
		default:
			c, bad = a.coerceElement(e, m)
		}
		if bad != nil {
			return nil, bad.within("[" + strconv.Itoa(i) + "]")
		}
		if !changed && (c.kind == Null || !same(c, e)) {
			out, changed = append(make([]Value, 0, len(list)), list[:i]...), true
		}
		if changed && c.kind != Null {
			out = append(out, c)
		}
	}
	return out, nil
}

// coerceElement keeps an element that is an empty text: dropping it could hide a mistake, as a member without id.
func (a *Attribute) coerceElement(e Value, m Mode) (Value, *misfit) {
	if isEmptyText(e) && a.Type == TypeComplex && !m.Strict && a.SubAttribute("value") != nil {
		return ObjectOf(NewObject(Member{"value", e})), nil
	}
	return a.coerceOne(e, m)
}

// same reports whether coercion gave back what it got; it may say no for what is only equal.
func same(a, b Value) bool {
	switch {
	case a.kind != b.kind:
		return false
	case a.kind == Complex:
		return a.obj == b.obj
	case a.kind == Array:
		return len(a.list) == len(b.list) && (len(a.list) == 0 || &a.list[0] == &b.list[0])
	default:
		return a.b == b.b && a.s == b.s
	}
}

// coerceComplex takes the forms in which clients send a complex value: an object, the bare `value` of one that has such a
// sub-attribute, a list of one.
func (a *Attribute) coerceComplex(v Value, m Mode) (Value, *misfit) {
	switch {
	case v.kind == Complex:
		return a.coerceObject(v, m)
	case m.Strict:
		return Value{}, wanted("an object", v)
	case v.kind == Array && len(v.list) == 0, isEmptyText(v):
		return Value{}, nil
	case v.kind == Array && len(v.list) == 1 && v.list[0].kind != Array:
		return a.coerceOne(v.list[0], m)
	}
	value := a.SubAttribute("value")
	if value == nil || (v.kind != String && v.kind != Number) {
		return Value{}, wanted(a.shape(), v)
	}
	c, bad := value.coerce(v, m)
	if bad != nil {
		return Value{}, bad
	}
	return ObjectOf(NewObject(Member{value.Name, c})), nil
}

func (a *Attribute) shape() string {
	names := make([]string, 0, len(a.Sub))
	for _, s := range a.Sub {
		names = append(names, s.Name)
	}
	return "one object with the members " + strings.Join(names, ", ")
}

func (a *Attribute) coerceObject(v Value, m Mode) (Value, *misfit) {
	members, bad := coerceMembers(v.obj.Members(), a.SubAttribute, a.Mutability == ReadOnly, m)
	if bad != nil {
		return Value{}, bad
	}
	if len(members) == 0 {
		return Value{}, nil
	}
	out := v
	if !sameMembers(members, v.obj.members) {
		out = ObjectOf(NewObject(members...))
	}
	if value, ok := out.obj.Get("value"); ok && !a.Multi && isEmptyText(value) && a.SubAttribute("value") != nil {
		return Value{}, nil // the way clients clear a reference such as manager
	}
	return out, nil
}

func sameMembers(a, b []Member) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// coerceMembers brings the members of an object into canonical form, names looked up by find, and gives back the same
// slice if nothing had to be changed. What no schema knows is kept as it is.
func coerceMembers(members []Member, find func(string) *Attribute, withReadOnly bool, m Mode) ([]Member, *misfit) {
	out, changed := members, false
	for i, member := range members {
		sub := find(member.Name)
		name, c, bad := coerceMember(member, sub, withReadOnly, m)
		if bad != nil {
			return nil, bad.within("." + shorten(member.Name))
		}
		if !changed && (c.kind == Null || name != member.Name || !same(c, member.Value)) {
			out, changed = append(make([]Member, 0, len(members)), members[:i]...), true
		}
		switch {
		case !changed || c.kind == Null:
		case sub != nil && len(sub.aka) > 0: // the same may be here under another of its names
			out = putMember(out, name, c, strings.EqualFold(name, member.Name))
		default:
			out = append(out, Member{name, c})
		}
	}
	return out, nil
}

func coerceMember(member Member, sub *Attribute, withReadOnly bool, m Mode) (string, Value, *misfit) {
	switch {
	case sub == nil && m.Strict:
		return "", Value{}, &misfit{code: CodeInvalidSyntax, wanted: "left out", got: "an attribute the schema does not know"}
	case sub == nil:
		return member.Name, pruned(member.Value), nil
	case sub.Returned == ReturnedNever, sub.Mutability == ReadOnly && !withReadOnly:
		return sub.Name, Value{}, nil
	}
	c, bad := sub.coerce(member.Value, m)
	return sub.Name, c, bad
}

// putMember appends; if the name is there already, because an object held it under another name too, the one sent under
// its own name wins.
func putMember(members []Member, name string, v Value, own bool) []Member {
	for i := range members {
		if members[i].Name == name {
			if own {
				members[i].Value = v
			}
			return members
		}
	}
	return append(members, Member{name, v})
}

// pruned gives an unknown value without its unassigned members, so that null and absence are one also there.
func pruned(v Value) Value {
	if isNothing(v) {
		return Value{}
	}
	if v.kind != Complex || !needsPruning(v) {
		return v
	}
	kept := make([]Member, 0, v.obj.Len())
	for _, member := range v.obj.members {
		if p := pruned(member.Value); p.kind != Null {
			kept = append(kept, Member{member.Name, p})
		}
	}
	if len(kept) == 0 {
		return Value{}
	}
	return ObjectOf(NewObject(kept...))
}

func needsPruning(v Value) bool {
	if v.kind != Complex {
		return false
	}
	for _, member := range v.obj.members {
		if isNothing(member.Value) || needsPruning(member.Value) {
			return true
		}
	}
	return false
}

// withoutRepeats merges elements of the same type and value (RFC 7643 section 2.4). Members of a group are not compared
// here: TakeMembers knows them by value alone.
func (a *Attribute) withoutRepeats(list []Value) []Value {
	value := a.SubAttribute("value")
	if value == nil || value.Mutability == Immutable {
		return list
	}
	if len(list) <= fewNames && !value.anyRepeat(list) {
		return list
	}
	at := make(map[string]int, len(list))
	out := make([]Value, 0, len(list))
	for _, e := range list {
		key, ok := value.elementKey(e)
		if i, seen := at[key]; ok && seen {
			out[i] = merged(out[i], e)
			continue
		}
		at[key] = len(out)
		out = append(out, e)
	}
	return out
}

// anyRepeat says, without making keys, whether two elements may be the same; value is the sub-attribute.
func (a *Attribute) anyRepeat(list []Value) bool {
	for i := range list {
		v, ok := list[i].obj.Get(a.Name)
		if !ok {
			continue
		}
		for _, other := range list[:i] {
			w, ok := other.obj.Get(a.Name)
			if ok && (v.s == w.s || !a.CaseExact && (strings.EqualFold(v.s, w.s) || !isASCII(v.s))) {
				return true
			}
		}
	}
	return false
}

// elementKey gives the key of an element's type and value; an element without value is like no other.
func (a *Attribute) elementKey(e Value) (string, bool) {
	v, ok := e.obj.Get(a.Name)
	if !ok {
		return "", false
	}
	s := v.s
	if !a.CaseExact {
		s = FoldKey(s)
	}
	return FoldKey(e.obj.Text("type")) + "\x00" + s, true
}

// merged is the first element with what only the second has, and primary if either is.
func merged(first, second Value) Value {
	o := NewObject(union(first.obj.members, second.obj.members)...)
	if p, _ := second.obj.Get("primary"); p.b {
		o.Set("primary", p)
	}
	return ObjectOf(o)
}

// union is the first members and those of the second whose names, letter case folded, are not among them.
func union(first, second []Member) []Member {
	all := make([]Member, 0, len(first)+len(second))
	all = append(all, first...)
	names := nameSet(first)
	for _, member := range second {
		if names.add(member.Name) {
			all = append(all, member)
		}
	}
	return all
}

// names is a set of names without letter case.
type names map[string]struct{}

func nameSet(members []Member) names {
	set := make(names, len(members))
	for i := range members {
		set[FoldKey(members[i].Name)] = struct{}{}
	}
	return set
}

// add reports whether the name is new.
func (n names) add(name string) bool {
	key := FoldKey(name)
	_, known := n[key]
	n[key] = struct{}{}
	return !known
}

// onePrimary leaves at most one element primary, the first (RFC 7643 section 2.4).
func (a *Attribute) onePrimary(list []Value, m Mode) ([]Value, *misfit) {
	found, owned := false, false
	for i, e := range list {
		if p, _ := e.obj.Get("primary"); !p.b {
			continue
		}
		if !found {
			found = true
			continue
		}
		if m.Strict {
			return nil, &misfit{CodeInvalidValue, "[" + strconv.Itoa(i) + "].primary", "false, as an element before is primary", "true"}
		}
		if !owned {
			list, owned = append([]Value(nil), list...), true
		}
		demoted := NewObject(append([]Member(nil), e.obj.members...)...)
		demoted.Set("primary", BoolOf(false))
		list[i] = ObjectOf(demoted)
	}
	return list, nil
}

func (a *Attribute) coerceSimple(v Value, m Mode) (Value, *misfit) {
	if !m.Strict {
		v = unwrapped(v)
	}
	if v.kind == Null {
		return v, nil
	}
	switch a.Type {
	case TypeString:
		return coerceString(v, m)
	case TypeBoolean:
		return coerceBoolean(v, m)
	case TypeInteger:
		return coerceNumber(v, m, isInteger, "an integer, without fraction or exponent")
	case TypeDecimal:
		return coerceNumber(v, m, isNumber, "a number")
	}
	if isEmptyText(v) && !m.Strict {
		return Value{}, nil // an empty text is no date, address or bytes: the client has none
	}
	if v.kind != String || !a.lexical(v.s, m) {
		return Value{}, wanted(a.lexicalForm(), v)
	}
	return v, nil
}

// unwrapped takes a simple value out of the wrappings some clients put it in: a list of one, an object with `value`.
func unwrapped(v Value) Value {
	if v.kind == Array && len(v.list) == 0 {
		return Value{}
	}
	if v.kind == Array && len(v.list) == 1 {
		v = v.list[0]
	}
	if v.kind != Complex {
		return v
	}
	inner, found := Value{}, v.obj.Len() == 0
	for _, member := range v.obj.members {
		switch {
		case strings.EqualFold(member.Name, "value"):
			inner, found = member.Value, true
		case !isNothing(member.Value):
			return v // it says more than a simple value can
		}
	}
	if !found || inner.kind == Array || inner.kind == Complex {
		return v
	}
	return inner
}

func coerceString(v Value, m Mode) (Value, *misfit) {
	switch {
	case v.kind == String:
		return v, nil
	case v.kind == Number && !m.Strict:
		return StringOf(v.s), nil
	default:
		return Value{}, wanted("a string", v)
	}
}

func coerceBoolean(v Value, m Mode) (Value, *misfit) {
	if v.kind == Bool {
		return v, nil
	}
	if b, ok := understoodBool(v); ok && !m.Strict {
		return BoolOf(b), nil
	}
	return Value{}, wanted("true or false", v)
}

// understoodBool reads a boolean, also one written as text in any letter case.
func understoodBool(v Value) (value, ok bool) {
	switch {
	case v.kind == Bool:
		return v.b, true
	case v.kind == String && strings.EqualFold(v.s, "true"):
		return true, true
	case v.kind == String && strings.EqualFold(v.s, "false"):
		return false, true
	default:
		return false, false
	}
}

func coerceNumber(v Value, m Mode, valid func(string) bool, form string) (Value, *misfit) {
	if isEmptyText(v) && !m.Strict {
		return Value{}, nil
	}
	isText := v.kind == String && !m.Strict
	if (v.kind != Number && !isText) || !valid(v.s) {
		return Value{}, wanted(form, v)
	}
	return NumberOf(v.s), nil
}

// isInteger takes a JSON number that has neither fraction nor exponent (RFC 7643 section 2.3.4).
func isInteger(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || (len(digits) > 1 && digits[0] == '0') {
		return false
	}
	return onlyDigits(digits)
}

// isNumber takes a JSON number: a digit on both sides of the point if there is one (RFC 7643 section 2.3.3).
func isNumber(s string) bool {
	mantissa, exponent, hasExponent := s, "", false
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, exponent, hasExponent = s[:i], s[i+1:], true
	}
	whole, fraction, hasFraction := strings.Cut(mantissa, ".")
	if !isInteger(whole) || (hasFraction && !onlyDigits(fraction)) {
		return false
	}
	exponent = strings.TrimPrefix(strings.TrimPrefix(exponent, "+"), "-")
	return !hasExponent || onlyDigits(exponent)
}

func onlyDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func (a *Attribute) lexicalForm() string {
	switch a.Type {
	case TypeDateTime:
		return "a date and time as 2026-01-31T08:30:00Z"
	case TypeBinary:
		return "bytes in base64"
	default:
		return "a URI or a relative one"
	}
}

func (a *Attribute) lexical(s string, m Mode) bool {
	switch a.Type {
	case TypeDateTime:
		_, ok := parseDateTime(s)
		return ok
	case TypeBinary:
		return isBase64(s, m)
	default:
		return isURI(s, m)
	}
}

// parseDateTime reads an xsd:dateTime (RFC 7643 section 2.3.5). One without zone is taken as UTC.
func parseDateTime(s string) (time.Time, bool) {
	const shape = "2006-01-02T15:04:05"
	if len(s) < len(shape) || s[4] != '-' || s[10] != 'T' || s[13] != ':' || strings.IndexByte(s, ',') >= 0 {
		return time.Time{}, false
	}
	for _, layout := range []string{time.RFC3339Nano, shape} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// isBase64 takes every common spelling of base64, as certificates are pasted from everywhere; strictly only that of
// RFC 4648 section 4.
func isBase64(s string, m Mode) bool {
	if _, err := base64.StdEncoding.DecodeString(s); err == nil {
		return true
	}
	if m.Strict {
		return false
	}
	for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if _, err := e.DecodeString(s); err == nil {
			return true
		}
	}
	return false
}

// isURI takes what can be read as a URI or a relative one; blanks in it are refused only strictly, as people type them.
func isURI(s string, m Mode) bool {
	if m.Strict && strings.ContainsAny(s, " <>\"{}|\\^`") {
		return false
	}
	_, err := url.Parse(s)
	return err == nil
}
