package access

import (
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/fault"
)

func TestRules_that_are_wrong_are_refused_by_number_and_field(t *testing.T) {
	long := strings.Repeat("x", maxText+1)
	good := `{"set":"role","to":"editor"},`
	cases := []struct{ rules, message, field string }{
		{`{}`, "have to be a JSON array", "rules"},
		{`null`, "have to be a JSON array", "rules"},
		{`[`, "have to be a JSON array", "rules"},
		{`[` + good + `1]`, "Rule 2: it has to be an object.", "rules.1"},
		{`[` + strings.Repeat(good, maxRules) + `{"set":"role","to":"a"}]`, "at most 500 rules; these are 501", "rules"},
		{`[{"set":"role","to":"` + strings.Repeat("x", maxRulesBytes) + `"}]`, "at most 262144", "rules"},
		{`[{"to":"editor"}]`, "Rule 1, set: it has to be role, team, licence, attribute or profile", "rules.0.set"},
		{`[` + good + `{"set":"sudo","to":"editor"}]`, `Rule 2, set: it has to be role, team, licence, attribute or profile, not "sudo".`, "rules.1.set"},
		{`[{"set":"role","to":"a","if":{}}]`, "Rule 1, if: there is no such field", "rules.0.if"},
		{`[{"set":"role","to":1}]`, "Rule 1, to: it has to be of another type.", "rules.0.to"},
		{`[{"set":"role","to":"a","to":"b"}]`, "have to be a JSON array", "rules"},
		{`[{"set":"role"}]`, "give either to", "rules.0.to"},
		{`[{"set":"role","to":"a","from":"b"}]`, "give either to", "rules.0.to"},
		{`[{"set":"role","to":"` + long + `"}]`, "longer than 1024 bytes", "rules.0.to"},
		{`[{"set":"role","to":"a\u0000"}]`, "U+0000", "rules.0.to"},
		{`[{"set":"role","name":"x","to":"a"}]`, "only an attribute and a profile field have a name", "rules.0.name"},
		{`[{"set":"attribute","to":"a"}]`, "an attribute's name begins with a letter", "rules.0.name"},
		{`[{"set":"attribute","name":"a b","to":"a"}]`, `"a b" has not`, "rules.0.name"},
		{`[{"set":"profile","name":"email","to":"a"}]`, "first_name, last_name, picture_url, locale", "rules.0.name"},
		{`[{"set":"attribute","name":"a","to":"a","as":"date"}]`, "text, number, boolean or list", "rules.0.as"},
		{`[{"set":"role","to":"a","as":"list"}]`, "only an attribute has a type", "rules.0.as"},
		{`[{"set":"role","from":"emails[type eq"}]`, "it is no SCIM path", "rules.0.from"},
		{`[{"set":"role","to":"a","transform":["trim"]}]`, "only what is read", "rules.0.transform"},
		{`[{"set":"role","from":"a","transform":["rot13"]}]`, `not "rot13"`, "rules.0.transform.0"},
		{`[{"set":"role","from":"a","transform":["trim",{"join":", ","map":{}}]}]`, "exactly one member", "rules.0.transform.1"},
		{`[{"set":"role","from":"a","transform":[{"trim":true}]}]`, `write "trim"`, "rules.0.transform.0"},
		{`[{"set":"role","from":"a","transform":["join"]}]`, "join takes a text", "rules.0.transform.0"},
		{`[{"set":"role","from":"a","transform":[{"before":""}]}]`, "is empty", "rules.0.transform.0"},
		{`[{"set":"role","from":"a","transform":[{"json":"` + long + `"}]}]`, "longer than", "rules.0.transform.0"},
		{`[{"set":"role","from":"a","transform":[{"map":{}}]}]`, "1 to 500 entries", "rules.0.transform.0"},
		{`[{"set":"role","from":"a","transform":[{"map":["a"]}]}]`, "map takes an object", "rules.0.transform.0"},
		{`[{"set":"role","from":"a","transform":[{"map":{"a":"x\u0000"}}]}]`, "U+0000", "rules.0.transform.0"},
		{`[{"set":"role","from":"a","transform":[{"map":{"x\u0000":"a"}}]}]`, "U+0000", "rules.0.transform.0"},
		{`[{"set":"role","from":"a","transform":[1]}]`, "of another type", "rules.0.transform.0"},
		{`[{"set":"role","from":"a","transform":[` + strings.Repeat(`"trim",`, maxTransforms) + `"trim"]}]`, "at most 10 transforms", "rules.0.transform"},
		{`[{"set":"role","to":"a","when":{}}]`, "exactly one of group, group_id and path", "rules.0.when"},
		{`[{"set":"role","to":"a","when":{"group":"x","path":"y"}}]`, "exactly one of group, group_id and path", "rules.0.when"},
		{`[{"set":"role","to":"a","when":{"group":""}}]`, "it is empty", "rules.0.when.group"},
		{`[{"set":"role","to":"a","when":{"group_id":""}}]`, "it is empty", "rules.0.when.group_id"},
		{`[{"set":"role","to":"a","when":{"group":"x","equals":"y"}}]`, "belongs to a path", "rules.0.when.equals"},
		{`[{"set":"role","to":"a","when":{"path":"x"}}]`, "exactly one of equals, in, prefix, contains and present", "rules.0.when"},
		{`[{"set":"role","to":"a","when":{"path":"x","equals":"y","prefix":"z"}}]`, "exactly one of equals", "rules.0.when"},
		{`[{"set":"role","to":"a","when":{"path":"","present":true}}]`, "names no path", "rules.0.when.path"},
		{`[{"set":"role","to":"a","when":{"path":"a[b","present":true}}]`, "no SCIM path", "rules.0.when.path"},
		{`[{"set":"role","to":"a","when":{"path":"x","in":[]}}]`, "it is empty", "rules.0.when.in"},
		{`[{"set":"role","to":"a","when":{"path":"x","prefix":""}}]`, "it is empty", "rules.0.when.prefix"},
		{`[{"set":"role","to":"a","when":{"path":"x","contains":""}}]`, "it is empty", "rules.0.when.contains"},
		{`[{"set":"role","to":"a","when":{"path":"x","in":["a","b\u0000"]}}]`, "U+0000", "rules.0.when.in"},
		{`[{"set":"role","to":"a","when":{"path":"x","in":[` + strings.Repeat(`"a",`, maxTexts) + `"a"]}}]`, "at most 500 texts", "rules.0.when.in"},
		{`[{"set":"role","to":"a","when":[{"group":"x"},{"path":"x","like":"y"}]}]`, "when.1.like: there is no such field", "rules.0.when.1.like"},
		{`[{"set":"role","to":"a","when":[{"group":"x"},{"group":""}]}]`, "it is empty", "rules.0.when.1.group"},
		{`[{"set":"role","to":"a","when":[` + strings.Repeat(`{"group":"x"},`, maxConditions) + `{"group":"x"}]}]`, "at most 10 conditions", "rules.0.when"},
		{`[` + manyAttributes(maxAttributes+1) + `]`, "51 custom attributes; at most 50", "rules"},
	}
	for _, c := range cases {
		_, err := ParseRules([]byte(c.rules))
		f, ok := fault.As(err)
		if !ok || f.Kind != fault.Unprocessable || !strings.Contains(f.Message, c.message) || f.Field != c.field {
			t.Errorf("%.120s: %v on %v; want %q on %q", c.rules, err, f, c.message, c.field)
		}
	}
	if _, err := ParseRules([]byte(`[` + manyAttributes(maxAttributes) + `]`)); err != nil {
		t.Error(err)
	}
}

func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"set":"attribute","name":"a` + strconv.Itoa(i) + `","to":"x"}`)
	}
	return b.String()
}

const everyKind = `[{"set":"role","to":"editor","when":{"group":"Engineering"}},{"set":"team","to":"group_1","when":[{"group_id":"g"},{"path":"a","equals":""}]},
	{"set":"licence","from":"roles[primary eq \"True\"].value","transform":["trim","lower","upper","first",{"join":""},{"before":"@"},{"after":"-"},{"map":{"a":"b","*":""}},{"json":"value"}]},
	{"set":"attribute","name":"a.b-c_1","from":"https://example.com/claims/x","as":"number","when":[{"path":"a","in":["b"]},{"path":"a","prefix":"b"},{"path":"a","contains":"b"},{"path":"a","present":true},{"path":"a","present":false}]},
	{"set":"profile","name":"locale","to":"<&>é"}]`

func TestRules_are_written_as_they_are_read(t *testing.T) {
	first := rules(t, everyKind)
	text := RulesJSON(first)
	if again := rules(t, string(text)); !reflect.DeepEqual(again, first) {
		t.Errorf("%+v\n%+v", again, first)
	}
	if strings.Contains(string(text), `\u003c`) {
		t.Errorf("written as no browser would: %s", text)
	}
	if got := string(RulesJSON(nil)); got != "[]" {
		t.Error(got)
	}
}

// FuzzParseRules: whatever is sent is refused with a sentence, or means the same when it is written and read again, and maps anybody.
func FuzzParseRules(f *testing.F) {
	f.Add([]byte(everyKind))
	for _, seed := range []string{`[]`, `[{"set":"role","to":"a","when":[{"path":"x","in":["a"]}]}]`, `[{"set":"role","from":"emails[type eq \"work\"].value"}]`, `[{"set":"x"}]`, `null`} {
		f.Add([]byte(seed))
	}
	in := source(f, Group{"1", "Engineering"})
	f.Fuzz(func(t *testing.T, text []byte) {
		parsed, err := ParseRules(text)
		if err != nil {
			if r, ok := fault.As(err); !ok || r.Kind != fault.Unprocessable || r.Field == "" || r.Message == "" {
				t.Fatalf("%v is no refusal", err)
			}
			return
		}
		again, err := ParseRules(RulesJSON(parsed))
		if err != nil || string(RulesJSON(again)) != string(RulesJSON(parsed)) {
			t.Fatalf("%v: %s became %s", err, RulesJSON(parsed), RulesJSON(again))
		}
		m := Mapping{SourceID: directoryID, DrivesRoles: true, DrivesTeams: true, DrivesLicences: true, Rules: parsed}
		got := m.Map(in, someRoles)
		for _, slug := range got.Roles {
			if _, known := Find(someRoles, slug); !known {
				t.Fatalf("gives the role %q, which is not there", slug)
			}
		}
	})
}
