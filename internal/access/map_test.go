package access

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scim"
)

const directoryID = "directory_01ARZ3NDEKTSV4RRFFQ69G5FAV"

// ann is a person as Microsoft Entra and Okta send them, with an attribute of a schema that nobody declared.
const ann = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"Ann@Example.com","active":true,"title":" Lead ","userType":"Employee",
	"name":{"givenName":"Ann","familyName":"Lee"},
	"emails":[{"value":"ann@home.example","type":"home"},{"value":"ann@example.com","type":"work","primary":true}],
	"addresses":[{"type":"work","locality":"Berlin","country":"DE"}],
	"roles":[{"primary":"True","type":"WindowsAzureActiveDirectoryRole","value":"{\"id\":\"1\",\"value\":\"Admin\",\"displayName\":\"Administrator\"}"},
		{"value":"{\"id\":\"2\",\"value\":\"Reader\",\"displayName\":\"Reader\"}"}],
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Eng-Platform","costCenter":"4711","employeeNumber":"17","manager":{"value":"bob@example.com"}},
	"urn:example:params:scim:schemas:app:2.0:User":{"level":7,"contractor":false,"tags":["a","b"]}}`

func source(t testing.TB, groups ...Group) Source {
	t.Helper()
	doc, err := scim.ReadObject([]byte(ann), scim.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	return OfDocument(scim.Standard().User, doc, groups)
}

func rules(t testing.TB, text string) []Rule {
	t.Helper()
	out, err := ParseRules([]byte(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return out
}

func everything(t testing.TB, text string) Mapping {
	t.Helper()
	return Mapping{SourceID: directoryID, DrivesRoles: true, DrivesTeams: true, DrivesLicences: true, Rules: rules(t, text)}
}

var someRoles = []Role{{Slug: "owner", Priority: 10}, {Slug: "admin", Priority: 20}, {Slug: "editor", Priority: 30}, {Slug: "member", Priority: 100}}

func TestMap_gives_what_its_rules_name(t *testing.T) {
	eng, admins := Group{"directory_group_1", "Engineering"}, Group{"directory_group_2", "admin"}
	pointer := func(s string) *string { return &s }
	cases := []struct {
		name  string
		rules string
		in    []Group
		want  Mapped
	}{
		{"no rules", `[]`, []Group{eng, admins}, Mapped{}},
		{"a role by a group's name", `[{"set":"role","to":"editor","when":{"group":"Engineering"}}]`, []Group{eng}, Mapped{Roles: []string{"editor"}}},
		{"a role by a group's id", `[{"set":"role","to":"editor","when":{"group_id":"directory_group_1"}}]`, []Group{eng}, Mapped{Roles: []string{"editor"}}},
		{"a group of another name", `[{"set":"role","to":"editor","when":{"group":"engineering"}}]`, []Group{eng}, Mapped{}},
		{"a group called like a role", `[{"set":"role","to":"editor","when":{"group":"Engineering"}}]`, []Group{eng, admins}, Mapped{Roles: []string{"editor"}}},
		{"the strongest first", `[{"set":"role","to":"member"},{"set":"role","to":"editor"},{"set":"role","to":"owner","when":{"group":"admin"}}]`, []Group{admins}, Mapped{Roles: []string{"owner", "editor", "member"}}},
		{"the next where a group has gone", `[{"set":"role","to":"editor"},{"set":"role","to":"owner","when":{"group":"admin"}}]`, nil, Mapped{Roles: []string{"editor"}}},
		{"a role that is not there", `[{"set":"role","to":"gone"}]`, nil, Mapped{}},
		{"app roles of Entra, JSON in a string", `[{"set":"role","from":"roles","transform":[{"json":"value"},"lower"]}]`, nil, Mapped{Roles: []string{"admin"}}},
		{"app roles by a table", `[{"set":"role","from":"roles.value","transform":[{"json":"displayName"},{"map":{"Administrator":"owner","Reader":"member"}}]}]`, nil, Mapped{Roles: []string{"owner", "member"}}},
		{"the primary app role alone", `[{"set":"role","from":"roles[primary eq \"True\"].value","transform":[{"json":"value"},"lower"]}]`, nil, Mapped{Roles: []string{"admin"}}},
		{"a table with a rest", `[{"set":"licence","from":"userType","transform":[{"map":{"Contractor":"basic","*":"pro"}}]}]`, nil, Mapped{Licence: "pro"}},
		{"a table without", `[{"set":"licence","from":"userType","transform":[{"map":{"Contractor":"basic"}}]}]`, nil, Mapped{}},
		{"the first licence that fits", `[{"set":"licence","to":"pro","when":{"group":"Sales"}},{"set":"licence","to":"basic"},{"set":"licence","to":"pro"}]`, nil, Mapped{Licence: "basic"}},
		{"teams are gathered, each once", `[{"set":"team","to":"group_2"},{"set":"team","to":"group_1"},{"set":"team","to":"group_2"}]`, nil, Mapped{Teams: []string{"group_1", "group_2"}}},
		{"equals", `[{"set":"team","to":"group_1","when":{"path":"addresses[type eq \"work\"].country","equals":"DE"}}]`, nil, Mapped{Teams: []string{"group_1"}}},
		{"not equals", `[{"set":"team","to":"group_1","when":{"path":"userType","equals":"employee"}}]`, nil, Mapped{}},
		{"in a list", `[{"set":"team","to":"group_1","when":{"path":"emails.value","in":["x@example.com","ann@example.com"]}}]`, nil, Mapped{Teams: []string{"group_1"}}},
		{"prefix", `[{"set":"team","to":"group_1","when":{"path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","prefix":"Eng"}}]`, nil, Mapped{Teams: []string{"group_1"}}},
		{"prefix of something else", `[{"set":"team","to":"group_1","when":{"path":"department","prefix":"Sal"}}]`, nil, Mapped{}},
		{"contains", `[{"set":"team","to":"group_1","when":{"path":"department","contains":"Plat"}}]`, nil, Mapped{Teams: []string{"group_1"}}},
		{"present", `[{"set":"team","to":"group_1","when":{"path":"title","present":true}},{"set":"team","to":"group_2","when":{"path":"nickName","present":true}}]`, nil, Mapped{Teams: []string{"group_1"}}},
		{"absent", `[{"set":"team","to":"group_1","when":{"path":"title","present":false}},{"set":"team","to":"group_2","when":{"path":"nickName","present":false}}]`, nil, Mapped{Teams: []string{"group_2"}}},
		{"false is present", `[{"set":"team","to":"group_1","when":{"path":"urn:example:params:scim:schemas:app:2.0:User:contractor","equals":"false"}}]`, nil, Mapped{Teams: []string{"group_1"}}},
		{"all conditions", `[{"set":"role","to":"owner","when":[{"group":"Engineering"},{"path":"title","present":true}]},{"set":"role","to":"editor","when":[{"group":"Engineering"},{"path":"nickName","present":true}]}]`, []Group{eng}, Mapped{Roles: []string{"owner"}}},
		{
			"trim, before and after", `[{"set":"attribute","name":"unit","from":"department","transform":[{"after":"-"}]},{"set":"attribute","name":"area","from":"department","transform":[{"before":"-"},"upper"]},{"set":"attribute","name":"job","from":"title","transform":["trim",{"after":"-"}]}]`, nil,
			Mapped{Attributes: map[string]any{"unit": "Platform", "area": "ENG", "job": "Lead"}},
		},
		{
			"first and join", `[{"set":"attribute","name":"one","from":"emails.value","transform":["first"],"as":"list"},{"set":"attribute","name":"all","from":"emails.value","transform":[{"join":"; "}]}]`, nil,
			Mapped{Attributes: map[string]any{"one": []string{"ann@home.example"}, "all": "ann@home.example; ann@example.com"}},
		},
		{
			"types", `[{"set":"attribute","name":"level","from":"urn:example:params:scim:schemas:app:2.0:User:level","as":"number"},{"set":"attribute","name":"contractor","from":"urn:example:params:scim:schemas:app:2.0:User:contractor","as":"boolean"},
			{"set":"attribute","name":"tags","from":"urn:example:params:scim:schemas:app:2.0:User:tags","as":"list"},{"set":"attribute","name":"cc","from":"costCenter"}]`, nil,
			Mapped{Attributes: map[string]any{"level": 7.0, "contractor": false, "tags": []string{"a", "b"}, "cc": "4711"}},
		},
		{
			"what is not of the type", `[{"set":"attribute","name":"level","from":"title","as":"number"},{"set":"attribute","name":"level","to":"3","as":"number"},{"set":"attribute","name":"flag","from":"title","as":"boolean"},{"set":"attribute","name":"n","to":"NaN","as":"number"}]`, nil,
			Mapped{Attributes: map[string]any{"level": 3.0}},
		},
		{"the first attribute that has a value", `[{"set":"attribute","name":"a","from":"nickName"},{"set":"attribute","name":"a","from":"title","transform":["trim"]},{"set":"attribute","name":"a","to":"x"}]`, nil, Mapped{Attributes: map[string]any{"a": "Lead"}}},
		{"a default attribute is replaced", `[{"set":"attribute","name":"job_title","from":"userType"}]`, nil, Mapped{Attributes: map[string]any{"job_title": "Employee"}}},
		{
			"fields of the account", `[{"set":"profile","name":"first_name","from":"name.familyName"},{"set":"profile","name":"locale","to":"de"},{"set":"profile","name":"picture_url","from":"photos.value"}]`, nil,
			Mapped{FirstName: pointer("Lee"), Locale: pointer("de")},
		},
	}
	for _, c := range cases {
		got := everything(t, c.rules).Map(source(t, c.in...), someRoles)
		if !slices.Equal(got.Roles, c.want.Roles) || !slices.Equal(got.Teams, c.want.Teams) || got.Licence != c.want.Licence {
			t.Errorf("%s: roles %q, teams %q, licence %q", c.name, got.Roles, got.Teams, got.Licence)
		}
		want := map[string]any{
			"job_title": " Lead ", "employment_type": "Employee", "department_name": "Eng-Platform", "cost_center_name": "4711",
			"employee_number": "17", "manager_email": "bob@example.com",
		}
		maps.Copy(want, c.want.Attributes)
		if !reflect.DeepEqual(got.Attributes, want) {
			t.Errorf("%s: attributes\n got %v\nwant %v", c.name, got.Attributes, want)
		}
		for i, pair := range [][2]*string{{got.FirstName, c.want.FirstName}, {got.LastName, c.want.LastName}, {got.PictureURL, c.want.PictureURL}, {got.Locale, c.want.Locale}} {
			if !reflect.DeepEqual(pair[0], pair[1]) {
				t.Errorf("%s: field %d differs", c.name, i)
			}
		}
	}
}

func TestMap_gives_nothing_that_is_switched_off(t *testing.T) {
	m := everything(t, `[{"set":"role","to":"editor"},{"set":"team","to":"group_1"},{"set":"licence","to":"pro"},{"set":"attribute","name":"a","to":"x"}]`)
	m.TeamsFollow, m.Followed = true, map[string]TeamID{"directory_group_1": "group_9"}
	in := source(t, Group{"directory_group_1", "Engineering"})
	for _, c := range []struct{ roles, teams, licences bool }{{true, false, false}, {false, true, false}, {false, false, true}, {}} {
		m.DrivesRoles, m.DrivesTeams, m.DrivesLicences = c.roles, c.teams, c.licences
		got := m.Map(in, someRoles)
		if len(got.Roles) > 0 != c.roles || len(got.Teams) > 0 != c.teams || got.Licence != "" != c.licences || got.Attributes["a"] != "x" {
			t.Errorf("%+v: %+v", c, got)
		}
		if got.DrivesRoles != c.roles || got.DrivesTeams != c.teams || got.DrivesLicences != c.licences {
			t.Errorf("%+v: says it drives %+v", c, got)
		}
	}
}

func TestMap_puts_people_into_the_teams_that_follow_their_groups(t *testing.T) {
	m := Mapping{SourceID: directoryID, DrivesTeams: true, TeamsFollow: true, Followed: map[string]TeamID{"directory_group_1": "group_9", "": "group_8"}}
	got := m.Map(source(t, Group{"directory_group_1", "Engineering"}, Group{"", "no id"}, Group{"directory_group_7", "unknown"}), nil)
	if !slices.Equal(got.Teams, []string{"group_9"}) || got.Why["team:group_9"] != "group Engineering" {
		t.Errorf("%+v", got)
	}
	m.TeamsFollow = false
	if got := m.Map(source(t, Group{"directory_group_1", "Engineering"}), nil); len(got.Teams) > 0 {
		t.Errorf("%+v", got)
	}
}

func TestMap_says_why(t *testing.T) {
	got := everything(t, `[{"set":"role","to":"editor","when":{"group":"Engineering"}},{"set":"role","from":"roles","transform":[{"json":"value"},"lower"]},
		{"set":"licence","to":"pro","when":{"path":"department","prefix":"Eng"}},{"set":"team","to":"group_1"},{"set":"team","to":"group_2","when":{"path":"nickName","present":false}}]`).
		Map(source(t, Group{"1", "Engineering"}), someRoles)
	for what, why := range map[string]string{
		"role:editor": "group Engineering", "role:admin": "roles", "licence:pro": "department Eng-Platform", "team:group_1": "everybody",
		"team:group_2": "no nickName", "attribute:job_title": "title",
	} {
		if got.Why[what] != why {
			t.Errorf("%s because of %q, want %q", what, got.Why[what], why)
		}
	}
}

func TestMap_reads_claims_by_their_names(t *testing.T) {
	m := Mapping{SourceID: "conn_01ARZ3NDEKTSV4RRFFQ69G5FAV", DrivesRoles: true, Rules: rules(t, `[
		{"set":"role","from":"https://example.com/claims/roles"},{"set":"role","to":"owner","when":{"group":"Owners"}},
		{"set":"attribute","name":"n","from":"n","as":"number"},{"set":"attribute","name":"street","from":"address","transform":[{"json":"street"}]}]`)}
	got := m.Map(OfClaims(map[string]any{
		"https://example.com/claims/roles": []any{"editor", "nobody", true}, "n": 3.5, "title": "CEO", "address": map[string]any{"street": "Main"}, "null": nil,
	}, []string{"Owners"}), someRoles)
	if !slices.Equal(got.Roles, []string{"owner", "editor"}) || !reflect.DeepEqual(got.Attributes, map[string]any{"n": 3.5, "street": "Main"}) {
		t.Errorf("%+v: a connection has no default attributes, its claims mean what the rules say", got)
	}
}

func TestMap_stores_nothing_that_a_database_cannot_hold(t *testing.T) {
	m := everything(t, `[{"set":"attribute","name":"a","from":"a"},{"set":"attribute","name":"b","from":"b","transform":[{"json":"v"}]},{"set":"attribute","name":"c","from":"c","transform":[{"join":"-"}]}]`)
	got := m.Map(OfClaims(map[string]any{
		"a": []any{"x\x00y", "\xff", strings.Repeat("x", longestValue+1), ""}, "b": strings.Repeat(`{"v":`, 100) + "1" + strings.Repeat("}", 100), "c": []any{strings.Repeat("x", longestValue), "y"},
	}, nil), nil)
	if len(got.Attributes) > 0 {
		t.Errorf("%v", got.Attributes)
	}
}

func TestMapping_tells_what_it_looks_at(t *testing.T) {
	m := everything(t, `[{"set":"role","to":"editor","when":[{"path":"title","present":true},{"path":"userType","equals":"x"}]},{"set":"attribute","name":"job_title","from":"nickName"}]`)
	if m.ByGroups() {
		t.Error("no rule asks for groups")
	}
	paths := m.Paths()
	for _, want := range []string{"title", "userType", "nickName"} {
		if !slices.Contains(paths, want) {
			t.Errorf("%q has no %s", paths, want)
		}
	}
	m.DrivesRoles = false
	if slices.Contains(m.Paths(), "title") {
		t.Error("what is switched off is looked at, or the default of a name that a rule has")
	}
	was, is := OfClaims(map[string]any{"nickName": "a", "other": "x"}, nil), OfClaims(map[string]any{"nickName": "a", "other": "y"}, nil)
	if m.Moved(was, is) || !m.Moved(was, OfClaims(map[string]any{"nickName": "b"}, nil)) || !m.Moved(was, OfClaims(nil, nil)) {
		t.Error("moved")
	}
	m = everything(t, `[{"set":"role","to":"editor","when":[{"path":"title","present":true},{"group":"x"}]}]`)
	follows := Mapping{DrivesTeams: true, TeamsFollow: true}
	if !m.ByGroups() || !follows.ByGroups() || (Mapping{TeamsFollow: true}).ByGroups() {
		t.Error("by groups")
	}
	if m.DrivesRoles = false; m.ByGroups() {
		t.Error("a rule that is switched off looks at groups")
	}
}

func TestDiff_tells_who_gains_and_loses(t *testing.T) {
	eng := Group{"directory_group_1", "Engineering"}
	before := everything(t, `[{"set":"role","to":"editor","when":{"group":"Engineering"}},{"set":"team","to":"group_1","when":{"group":"Engineering"}},{"set":"attribute","name":"a","to":"x"},{"set":"profile","name":"locale","to":"de"}]`)
	after := everything(t, `[{"set":"role","to":"owner","when":{"group":"Leads"}},{"set":"team","to":"group_2","when":{"group":"Engineering"}},{"set":"licence","to":"pro","when":{"group":"Engineering"}},{"set":"attribute","name":"b","to":"y"},{"set":"profile","name":"locale","to":"de"}]`)
	before.SourceID, after.SourceID = "conn_1", "conn_1"
	people := func(yield func(Person, error) bool) {
		for _, p := range []Person{
			{ID: "1", Source: source(t, eng), Member: Given{Role: "admin"}}, {ID: "2", Source: source(t)}, {ID: "3", Source: source(t, Group{"2", "Leads"}), Member: Given{Licence: "basic"}},
		} {
			if !yield(p, nil) {
				return
			}
		}
	}
	var got []Difference
	for d, err := range Diff(before, after, someRoles, people) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, d)
	}
	if len(got) != 3 {
		t.Fatalf("%d differences", len(got))
	}
	ab := map[string]Values{"a": {"x", nil}, "b": {nil, "y"}}
	one, two, three := got[0], got[1], got[2]
	if one.Role != (Change{"editor", "admin"}) || one.Licence != (Change{"", "pro"}) || !slices.Equal(one.Gains, []TeamID{"group_2"}) || !slices.Equal(one.Loses, []TeamID{"group_1"}) || !reflect.DeepEqual(one.Attributes, ab) {
		t.Errorf("whose group gave a role falls back to the one by hand: %+v", one)
	}
	if two.Role.Changes() || two.Licence.Changes() || len(two.Gains)+len(two.Loses) > 0 {
		t.Errorf("%+v", two)
	}
	if three.Role != (Change{"member", "owner"}) || three.Licence != (Change{"basic", "basic"}) {
		t.Errorf("%+v", three)
	}
	for range Diff(before, before, someRoles, people) {
		t.Error("nothing changed")
	}
	broken := func(yield func(Person, error) bool) { yield(Person{}, fault.New(fault.Internal, "x", "broken")) }
	for _, err := range Diff(before, after, someRoles, broken) {
		if err == nil {
			t.Error("an error was swallowed")
		}
	}
}
