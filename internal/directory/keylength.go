package directory

import (
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// longestKey is how many bytes a value may have that people, groups and members are found by, and its form for comparison, which
// can be longer. An entry of a PostgreSQL index holds 2,704 bytes, and two such values with two ids have to fit. SQLite could take
// more, but both engines answer alike.
const longestKey = 1000

func checkKey(field, value, key string) error {
	if len(value) <= longestKey && len(key) <= longestKey {
		return nil
	}
	return fault.New(fault.Invalid, scim.CodeInvalidValue,
		"%s is %d bytes long; at most %d are possible, because it is looked for. Send a shorter one.", field, max(len(value), len(key)), longestKey).On(field)
}

func (d draft) checkKeys() error {
	if err := checkKey("userName", d.doc.Text("userName"), d.userNameKey); err != nil {
		return err
	}
	for _, key := range d.emails {
		if err := checkKey("emails.value", "", key); err != nil {
			return err
		}
	}
	return checkKey("externalId", d.externalID, "")
}

func (d groupDraft) checkKeys() error {
	if err := checkKey("displayName", d.Name, d.nameKey); err != nil {
		return err
	}
	return checkKey("externalId", d.externalID, "")
}

// checkKeys is for values that wait for somebody; all others are ids of ours.
func (m membership) checkKeys() error {
	for _, t := range m.add {
		if t.kind != MemberParked {
			continue
		}
		if err := checkKey("members.value", t.id, scim.UserNameKey(t.id)); err != nil {
			return err
		}
	}
	return nil
}
