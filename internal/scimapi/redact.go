package scimapi

import (
	"bytes"
	"strings"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// hidden stands for what is not recorded.
const hidden = "[hidden]"

const passwordName = "password"

// mentionsPassword looks for the word in any letter case. An escape sequence may spell it too, so it counts as a mention.
func mentionsPassword(b []byte) bool {
	if bytes.Contains(b, []byte(`\u`)) {
		return true
	}
	return spellsPassword(b, 'w') || spellsPassword(b, 'W')
}

// spellsPassword looks around each w, which is the rarest letter of the word in the bodies that we see.
func spellsPassword(b []byte, w byte) bool {
	const before = len("pass")
	for from := 0; ; {
		i := bytes.IndexByte(b[from:], w)
		if i < 0 {
			return false
		}
		at := from + i - before
		if at >= 0 && at+len(passwordName) <= len(b) && bytes.EqualFold(b[at:at+len(passwordName)], []byte(passwordName)) {
			return true
		}
		from += i + 1
	}
}

// redacted gives the body without the values of passwords: under the name, however it is qualified, and beside a PATCH path that
// names it. What mentions a password and cannot be read is not kept at all.
func redacted(body []byte) []byte {
	if !mentionsPassword(body) {
		return body
	}
	o, err := scim.ReadObject(body, scim.DefaultLimits)
	if err != nil {
		return []byte("(not kept: it may hold a password, and could not be read)")
	}
	return withoutPasswords(scim.ObjectOf(o)).AppendJSON(make([]byte, 0, len(body)))
}

func withoutPasswords(v scim.Value) scim.Value {
	switch v.Kind() {
	case scim.Array:
		list := make([]scim.Value, 0, len(v.List()))
		for _, e := range v.List() {
			list = append(list, withoutPasswords(e))
		}
		return scim.ListOf(list...)
	case scim.Complex:
		return scim.ObjectOf(objectWithoutPasswords(v.Object()))
	default:
		return v
	}
}

func objectWithoutPasswords(o *scim.Object) *scim.Object {
	path, _ := o.GetFold("path")
	beside := namesPassword(path.Text())
	members := make([]scim.Member, 0, o.Len())
	for _, m := range o.Members() {
		value := m.Value
		if namesPassword(m.Name) || beside && strings.EqualFold(m.Name, "value") || comparesPassword(m) {
			value = scim.StringOf(hidden)
		} else {
			value = withoutPasswords(value)
		}
		members = append(members, scim.Member{Name: m.Name, Value: value})
	}
	return scim.NewObject(members...)
}

// namesPassword is generous: "password", "urn:…:User:password", " Password", "newPassword".
func namesPassword(name string) bool {
	return strings.Contains(strings.ToLower(name), passwordName)
}

// comparesPassword: a filter, or a path with one in brackets, that holds the value a password is compared with.
func comparesPassword(m scim.Member) bool {
	switch {
	case !namesPassword(m.Value.Text()):
		return false
	case strings.EqualFold(m.Name, "filter"):
		return true
	default:
		return strings.EqualFold(m.Name, "path") && strings.ContainsAny(m.Value.Text(), `["'`)
	}
}

// unechoed is the refusal as it may be recorded: one of a filter or path repeats part of it, which may be a password.
func (c *call) unechoed(x *directory.Exchange, e effect) effect {
	if e.refusal == nil || e.refusal.Code != scim.CodeInvalidFilter && e.refusal.Code != scim.CodeInvalidPath {
		return e
	}
	if !mentionsPassword([]byte(unescape(c.query))) && !mentionsPassword(c.bodyText()) {
		return e
	}
	e.refusal = fault.New(e.refusal.Kind, e.refusal.Code, "A filter or path could not be understood. It may hold a password, so what was wrong with it is not kept.")
	x.Answer = []byte(hidden)
	return e
}
