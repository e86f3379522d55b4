package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// nasty are bodies for any target. Where status is 0, anything but a failure of ours is right: some targets take them.
type nasty struct {
	name, body string
	status     int
}

func nastyBodies() []nasty {
	deep := strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000)
	return []nasty{
		{"no JSON", "userName=ann", 400},
		{"half a JSON", `{"userName":"ann"`, 400},
		{"two JSONs", `{"userName":"a"}{"userName":"b"}`, 400},
		{"an array", `[]`, 400},
		{"a string", `"ann"`, 400},
		{"a number", `1e999`, 400},
		{"deep objects", deep, 400},
		{"deep arrays", `{"schemas":` + strings.Repeat("[", 50_000) + strings.Repeat("]", 50_000) + `}`, 400},
		{"a bare NUL", "{\"userName\":\"a\x00b\"}", 400},
		{"an escaped NUL", `{"userName":"a\u0000b","displayName":"a\u0000b","name":"a\u0000b"}`, 0},
		{"broken UTF-8", "{\"userName\":\"\xff\xfe\",\"displayName\":\"\xc3\x28\",\"name\":\"\xf0\x28\x8c\xbc\"}", 0},
		{"a lone surrogate", `{"userName":"\ud800","displayName":"\udfff","name":"\ud800"}`, 0},
		{"a name of NUL", `{"\u0000":1}`, 0},
		{"a bad escape", `{"userName":"\x"}`, 400},
		{"duplicate names", `{"userName":"a","userName":"b","displayName":"a","displayName":"b","name":"a","name":"b"}`, 0},
		{"names that differ in case", `{"userName":"a","USERNAME":"b","displayName":"a","DISPLAYNAME":"b"}`, 0},
		{"three megabytes", `{"userName":"` + strings.Repeat("x", 3<<20) + `"}`, 0},
		{"three megabytes of blanks", strings.Repeat(" ", 3<<20), 0},
		{"a long name", `{"` + strings.Repeat("x", 100_000) + `":1}`, 0},
		{"a long value", fmt.Sprintf(`{"userName":%[1]q,"displayName":%[1]q,"name":%[1]q,"organization_id":%[1]q}`, strings.Repeat("ä", 50_000)), 0},
		{"many names", "{" + strings.Repeat(`"a":1,`, 50_000) + `"b":1}`, 0},
		{"many values", `{"emails":[` + strings.Repeat(`{"value":"a@b.c"},`, 20_000) + `{"value":"z@b.c"}]}`, 0},
		{"numbers that are none", `{"userName":NaN}`, 400},
		{"a huge number", `{"startIndex":1e400,"count":-1e400,"userName":123456789012345678901234567890}`, 0},
		{"a comment", "{/* hello */}", 400},
		{"a byte order mark", "\ufeff{}", 0},
		{"UTF-16", "\xff\xfe{\x00}\x00", 400},
		{"a patch without operations", patchBody(""), 0},
		{"a patch of nothing known", patchBody(`{"op":"explode","path":"active"}`), 0},
		{"a patch with a path that is none", patchBody(`{"op":"replace","path":"emails[type eq","value":1}`), 0},
		{"a patch with a deep path", patchBody(`{"op":"replace","path":"` + strings.Repeat("(", 5000) + `","value":1}`), 0},
		{"a patch with a NUL in its path", patchBody(`{"op":"remove","path":"emails[value eq \"\u0000\"]"}`), 0},
		{"a patch of ten thousand operations", patchBody(strings.Repeat(`{"op":"add","path":"nickName","value":"x"},`, 10_000) + `{"op":"remove","path":"nickName"}`), 0},
		{"a search with a bad filter", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"userName eq \"\u0000\" and ((("}`, 0},
		{"a bulk that refers to itself", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[` +
			`{"method":"POST","path":"/Groups","bulkId":"a","data":{"displayName":"A","members":[{"value":"bulkId:a"}]}},` +
			`{"method":"POST","path":"/Groups","bulkId":"b","data":{"displayName":"B","members":[{"value":"bulkId:c"}]}}]}`, 0},
		{"a bulk inside of a bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{"method":"POST","path":"/Bulk","data":{}}]}`, 0},
		{"a bulk of oddities", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[null,1,{},{"method":"\u0000","path":"//%zz"}]}`, 0},
	}
}

// oddValues are one of each type, and some of no good one.
func oddValues() []string {
	return []string{`null`, `true`, `-0.5`, `18446744073709551616`, `""`, `"\u202e"`, `{}`, `[]`, `[null]`, `[[]]`, `{"value":{"value":[]}}`}
}

func memberNames() []string {
	return []string{
		"schemas", "id", "userName", "externalId", "displayName", "name", "emails", "active", "members", "meta", "Operations", "failOnErrors",
		"filter", "startIndex", "count", "attributes", "sortBy", "organization_id", "type", "label", "provider", "strict", "extensions",
		"domain_data", "metadata", "inactive_users", "provisioning", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
	}
}

// wrongTypes puts every type where it is not due, everywhere at once.
func wrongTypes() []nasty {
	var all []nasty
	for _, value := range oddValues() {
		var members, operations []string
		for _, name := range memberNames() {
			members = append(members, fmt.Sprintf("%q:%s", name, value))
			operations = append(operations, fmt.Sprintf(`{"op":"replace","path":%q,"value":%s}`, name, value))
		}
		all = append(all,
			nasty{"everything is " + value, "{" + strings.Join(members, ",") + "}", 0},
			nasty{"an operation is " + value, patchBody(value), 0},
			nasty{"every operation sets " + value, patchBody(strings.Join(operations, ",")), 0},
			nasty{"a pathless operation sets " + value, patchBody(`{"op":"replace","value":` + value + `}`), 0},
			nasty{"a user with " + value, fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"odd","name":%[1]s,"emails":[%[1]s],"active":%[1]s}`, value), 0},
			nasty{"a member that is " + value, fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"odd","members":[%[1]s,{"value":%[1]s}]}`, value), 0},
		)
	}
	return all
}

// oneWrongType puts every type at one place. They are so many that each target gets a third of them.
func oneWrongType(target int) []nasty {
	var all []nasty
	for i, value := range oddValues() {
		for j, name := range memberNames() {
			if (i+j+target)%3 == 0 {
				all = append(all, nasty{name + " is " + value, fmt.Sprintf(`{"displayName":"x","name":"x",%q:%s}`, name, value), 0})
			}
		}
	}
	return all
}

func TestNasty_bodies_are_refused_in_words_and_never_break_the_server(t *testing.T) {
	besieged(t, func(t *testing.T, f fixture) {
		for i, at := range f.targets() {
			for _, n := range slices.Concat(nastyBodies(), wrongTypes(), oneWrongType(i)) {
				what := fmt.Sprintf("%s %s with %s", at.method, at.path, n.name)
				a, answered := f.send(t, f.request(at, n.body))
				if !answered {
					t.Errorf("%s: no answer", what)
					continue
				}
				f.check(t, what, a)
				if n.status != 0 && a.status != n.status {
					t.Errorf("%s: %d, want %d: %s", what, a.status, n.status, a.raw)
				}
			}
		}
	})
}
