package scim

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Kind is the JSON kind of a Value.
type Kind uint8

// The JSON kinds. The zero Value is Null, which in SCIM means "unassigned" (RFC 7643 section 2.5).
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Complex
)

var kindNames = [...]string{"null", "a boolean", "a number", "a string", "an array", "an object"}

func (k Kind) String() string { return kindNames[k] }

// Value is one JSON value. It is immutable by convention: whoever changes a document clones what it changes.
type Value struct {
	kind Kind
	b    bool
	s    string // String: its text; Number: its literal as sent, so that nothing is lost
	list []Value
	obj  *Object
}

// StringOf makes a string.
func StringOf(s string) Value { return Value{kind: String, s: s} }

// BoolOf makes a boolean.
func BoolOf(b bool) Value { return Value{kind: Bool, b: b} }

// NumberOf makes a number from a JSON number literal.
func NumberOf(literal string) Value { return Value{kind: Number, s: literal} }

// ListOf makes an array.
func ListOf(elements ...Value) Value { return Value{kind: Array, list: elements} }

// ObjectOf makes an object.
func ObjectOf(o *Object) Value { return Value{kind: Complex, obj: o} }

// Kind gives the JSON kind.
func (v Value) Kind() Kind { return v.kind }

// Text is the string, or the number literal; "" for other kinds.
func (v Value) Text() string { return v.s }

// Bool is the boolean; false for other kinds.
func (v Value) Bool() bool { return v.b }

// List is the array's elements; nil for other kinds.
func (v Value) List() []Value { return v.list }

// Object is the object; nil for other kinds.
func (v Value) Object() *Object { return v.obj }

// IsUnassigned reports null and the empty array, which RFC 7643 section 2.5 makes equal to absence.
func (v Value) IsUnassigned() bool {
	return v.kind == Null || (v.kind == Array && len(v.list) == 0)
}

// Equal compares deeply: members of objects in any order, elements of arrays in order, numbers by literal.
func (v Value) Equal(w Value) bool {
	if v.kind != w.kind {
		return false
	}
	switch v.kind {
	case Array:
		return slices.EqualFunc(v.list, w.list, Value.Equal)
	case Complex:
		return v.obj.Equal(w.obj)
	default:
		return v.b == w.b && v.s == w.s
	}
}

// Clone copies deeply.
func (v Value) Clone() Value {
	switch v.kind {
	case Array:
		list := make([]Value, len(v.list))
		for i, e := range v.list {
			list[i] = e.Clone()
		}
		v.list = list
	case Complex:
		v.obj = v.obj.Clone()
	}
	return v
}

// AppendJSON appends the value as compact JSON without HTML escaping.
func (v Value) AppendJSON(dst []byte) []byte {
	switch v.kind {
	case Bool:
		if v.b {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case Number:
		return append(dst, v.s...)
	case String:
		return AppendString(dst, v.s)
	case Array:
		dst = append(dst, '[')
		for i, e := range v.list {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = e.AppendJSON(dst)
		}
		return append(dst, ']')
	case Complex:
		return v.obj.AppendJSON(dst)
	default:
		return append(dst, "null"...)
	}
}

// AppendString appends s as a JSON string. Everything here was read as valid UTF-8, so quoting cannot fail.
func AppendString(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x7f {
			out, err := jsontext.AppendQuote(dst, strings.ToValidUTF8(s, "\uFFFD"))
			if err != nil { // only for invalid UTF-8, which was just replaced
				panic(err)
			}
			return out
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

// Member is one name and value of an object.
type Member struct {
	Name  string
	Value Value
}

// Object is a JSON object that keeps the order of its members. Names are unique, also after case folding.
type Object struct {
	members []Member
}

// NewObject makes an object of members, whose names the caller knows to be unique.
func NewObject(members ...Member) *Object { return &Object{members: members} }

// Len is the number of members; a nil object has none.
func (o *Object) Len() int {
	if o == nil {
		return 0
	}
	return len(o.members)
}

// Members gives the members in order. The slice belongs to the object.
func (o *Object) Members() []Member {
	if o == nil {
		return nil
	}
	return o.members
}

// Get finds a member by its exact name.
func (o *Object) Get(name string) (Value, bool) {
	for i := range o.Members() {
		if o.members[i].Name == name {
			return o.members[i].Value, true
		}
	}
	return Value{}, false
}

// GetFold finds a member by name in any letter case (RFC 7643 section 2.1).
func (o *Object) GetFold(name string) (Value, bool) {
	for i := range o.Members() {
		if strings.EqualFold(o.members[i].Name, name) {
			return o.members[i].Value, true
		}
	}
	return Value{}, false
}

// Text is the string at name, or "" if it is absent or no string.
func (o *Object) Text(name string) string {
	v, _ := o.Get(name)
	if v.kind != String {
		return ""
	}
	return v.s
}

// Set puts value at name: in the place the name has, else at the end.
func (o *Object) Set(name string, value Value) {
	for i := range o.members {
		if o.members[i].Name == name {
			o.members[i].Value = value
			return
		}
	}
	o.members = append(o.members, Member{name, value})
}

// Delete removes the member and reports whether it was there.
func (o *Object) Delete(name string) bool {
	for i := range o.Members() {
		if o.members[i].Name == name {
			o.members = slices.Delete(o.members, i, i+1)
			return true
		}
	}
	return false
}

// Clone copies deeply; nil stays nil.
func (o *Object) Clone() *Object {
	if o == nil {
		return nil
	}
	members := make([]Member, len(o.members))
	for i, m := range o.members {
		members[i] = Member{m.Name, m.Value.Clone()}
	}
	return &Object{members: members}
}

// Equal compares deeply, members in any order.
func (o *Object) Equal(p *Object) bool {
	if o.Len() != p.Len() {
		return false
	}
	for _, m := range o.Members() {
		v, ok := p.Get(m.Name)
		if !ok || !m.Value.Equal(v) {
			return false
		}
	}
	return true
}

// AppendJSON appends the object as compact JSON, members in order.
func (o *Object) AppendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	for i, m := range o.Members() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendString(dst, m.Name)
		dst = append(dst, ':')
		dst = m.Value.AppendJSON(dst)
	}
	return append(dst, '}')
}
