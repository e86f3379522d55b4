package scim

import (
	"reflect"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/fault"
)

func filterFrom(t testing.TB, s string) Filter {
	t.Helper()
	f, err := ParseFilter(s, FilterLimits{})
	if err != nil {
		t.Fatalf("ParseFilter(%s): %v", s, err)
	}
	return f
}

//scim:74,75,76,77,78,87,T12
func TestA_filter_is_read_by_the_grammar_of_RFC_7644(t *testing.T) {
	a, b, c := Present{Path{Attr: "a"}}, Present{Path{Attr: "b"}}, Present{Path{Attr: "c"}}
	eq := func(attr string, v Value) Compare { return Compare{Path{Attr: attr}, OpEq, v} }
	for name, tt := range map[string]struct {
		in   string
		want Filter
	}{
		"and binds tighter than or":                {`a pr or b pr and c pr`, Or{a, And{b, c}}},
		"and before or":                            {`a pr and b pr or c pr`, Or{And{a, b}, c}},
		"parentheses win":                          {`(a pr or b pr) and c pr`, And{Or{a, b}, c}},
		"not binds tightest":                       {`not (a pr) and b pr`, And{Not{a}, b}},
		"not needs no blank":                       {`not(a pr)`, Not{a}},
		"nothing needs a blank beside parentheses": {`(a pr)and(b pr)`, And{a, b}},
		"operators in any letter case":             {`A PR AND NOT (b Pr) oR c eQ 1`, Or{And{Present{Path{Attr: "A"}}, Not{b}}, eq("c", NumberOf("1"))}},
		"a chain groups to the left":               {`a pr or b pr or c pr`, Or{Or{a, b}, c}},
		"an attribute called not":                  {`not eq "x"`, eq("not", StringOf("x"))},
		"an attribute that begins like a keyword":  {`order pr`, Present{Path{Attr: "order"}}},
		"true":                                 {`active eq true`, eq("active", BoolOf(true))},
		"false in another letter case":         {`active eq False`, eq("active", BoolOf(false))},
		"null":                                 {`title eq null`, eq("title", Value{})},
		"a negative decimal with exponent":     {`n eq -1.5e+3`, eq("n", NumberOf("-1.5e+3"))},
		"JSON escapes":                         {`a eq "x\"\\\/\n\u00e9\u00E9"`, eq("a", StringOf("x\"\\/\néé"))},
		"a surrogate pair":                     {`a eq "\ud83d\ude00"`, eq("a", StringOf("😀"))},
		"a string that looks like the grammar": {`a eq "b pr) or (c[d]"`, eq("a", StringOf("b pr) or (c[d]"))},
		"the empty string":                     {`a eq ""`, eq("a", StringOf(""))},
		"single quotes":                        {`a eq 'it''s \'so\''`, eq("a", StringOf("it's 'so'"))},
		"an unquoted word":                     {`a eq bob@example.com and b pr`, And{eq("a", StringOf("bob@example.com")), b}},
		"an unquoted date":                     {`a eq 2011-05-13T04:42:34Z`, eq("a", StringOf("2011-05-13T04:42:34Z"))},
		"an unquoted word that begins like a number": {`a eq 00u1x`, eq("a", StringOf("00u1x"))},
		"a number with a leading zero is a word":     {`a eq 007`, eq("a", StringOf("007"))},
		"no blank before the literal":                {`a eq"x"and b pr`, And{eq("a", StringOf("x")), b}},
		"blanks all around":                          {"  a\t eq   \"x\"  ", eq("a", StringOf("x"))},
		"a sub-attribute":                            {`name.givenName sw "J"`, Compare{Path{Attr: "name", Sub: "givenName"}, OpSw, StringOf("J")}},
		"$ref":                                       {`manager.$ref pr`, Present{Path{Attr: "manager", Sub: "$ref"}}},
		"a full URN": {
			`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "1"`,
			Compare{Path{URN: EnterpriseURN, Attr: "manager", Sub: "value"}, OpEq, StringOf("1")},
		},
		"a URN with a dot where the colon belongs": {
			EnterpriseURN + `.manager.value pr`, Present{Path{URN: EnterpriseURN, Attr: "manager", Sub: "value"}},
		},
		"a value path": {
			`emails[type eq "work" and value co "@x"]`,
			ValuePath{Path{Attr: "emails", Filter: And{eq("type", StringOf("work")), Compare{Path{Attr: "value"}, OpCo, StringOf("@x")}}}},
		},
		"a value path compared by a sub-attribute": {
			`emails[type eq "work"].value eq "x"`,
			Compare{Path{Attr: "emails", Sub: "value", Filter: eq("type", StringOf("work"))}, OpEq, StringOf("x")},
		},
		"a value path beside a comparison": {
			`userName eq "a" and emails[type eq "work"]`,
			And{eq("userName", StringOf("a")), ValuePath{Path{Attr: "emails", Filter: eq("type", StringOf("work"))}}},
		},
		"a value path with not inside": {
			`emails[not (type eq "work")] or a pr`,
			Or{ValuePath{Path{Attr: "emails", Filter: Not{eq("type", StringOf("work"))}}}, a},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := filterFrom(t, tt.in)
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("ParseFilter(%s)\n got %#v\nwant %#v", tt.in, got, tt.want)
			}
			if again := filterFrom(t, got.String()); !reflect.DeepEqual(again, got) {
				t.Errorf("%s printed as %s is another filter", tt.in, got)
			}
		})
	}
}

//scim:76,85,90
func TestA_malformed_filter_is_refused_with_the_place_named(t *testing.T) {
	for name, tt := range map[string]struct{ in, mentions string }{
		"nothing":                            {``, "empty"},
		"blanks only":                        {`   `, "empty"},
		"no operator":                        {`userName`, "expected one of eq"},
		"unknown operator":                   {`userName like "x"`, "like"},
		"no literal":                         {`userName eq`, "expected a literal after eq at character 12"},
		"no literal before and":              {`userName eq and title pr`, "expected a literal"},
		"an open string":                     {`userName eq "x`, "no closing quote"},
		"an escape at the end":               {`userName eq "x\`, "no closing quote"},
		"an open single quote":               {`userName eq 'x`, "no closing quote"},
		"a bad escape":                       {`userName eq "\q"`, "JSON string"},
		"half a surrogate pair":              {`userName eq "\ud800"`, "JSON string"},
		"an escaped NUL":                     {`userName eq "\u0000"`, "JSON string"},
		"a NUL":                              {"userName eq \"\x00\"", "U+0000"},
		"invalid UTF-8":                      {"userName eq \"\xff\"", "UTF-8"},
		"an open parenthesis":                {`(a pr`, "not closed"},
		"a closing parenthesis too many":     {`a pr)`, "character 5"},
		"an open bracket":                    {`emails[type eq "x"`, "not closed"},
		"brackets in brackets":               {`emails[type[a pr]]`, "inside brackets"},
		"brackets behind a sub-attribute":    {`emails.value[a pr]`, "only follow an attribute"},
		"not without parentheses":            {`not userName pr`, "needs parentheses"},
		"two filters":                        {`a pr b pr`, "character 6"},
		"an unquoted literal with blanks":    {`displayName eq Sales Team`, "double quotes"},
		"only an operator":                   {`and`, "expected one of eq"},
		"a trailing and":                     {`a pr and`, "expected an attribute name"},
		"a name that begins with a digit":    {`1a pr`, "attribute name"},
		"three names":                        {`a.b.c pr`, "attribute name"},
		"a prefix that is no URN":            {`foo:bar pr`, "attribute name"},
		"a sub-attribute missing after ].":   {`emails[type eq "x"]. eq "y"`, "sub-attribute"},
		"a comparison of the literal itself": {`"x" eq userName`, "attribute name"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseFilter(tt.in, FilterLimits{})
			wantRefusal(t, err, CodeInvalidFilter, tt.mentions)
		})
	}
}

func TestA_filter_cannot_cost_more_than_its_limits(t *testing.T) {
	lim := FilterLimits{Length: 100, Depth: 3, Nodes: 5}
	for name, in := range map[string]string{
		"too long":               `a eq "` + strings.Repeat("x", 100) + `"`,
		"nested parentheses":     `((((a pr))))`,
		"nested not":             `not (not (not (not (a pr))))`,
		"parentheses in bracket": `a[(((b pr)))]`,
		"many comparisons":       `a pr and b pr and c pr and d pr`,
		"many in a bracket":      `a[b pr or c pr or d pr]`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseFilter(in, lim)
			wantRefusal(t, err, CodeInvalidFilter)
		})
	}
	if _, err := ParseFilter(strings.Repeat("(", 8000), FilterLimits{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("8000 open parentheses: %v", err)
	}
	if f := filterFrom(t, `((a pr)) and b pr`); f == nil {
		t.Error("closed parentheses still count as nested")
	}
}

func TestThe_usual_look_up_needs_no_parser(t *testing.T) {
	for _, tt := range []struct{ in, attr, value string }{
		{`userName eq "bob@example.com"`, "userName", "bob@example.com"},
		{`externalId EQ "00u1"`, "externalId", "00u1"},
		{`displayName eq  "Zoë and Bob) or (x"`, "displayName", "Zoë and Bob) or (x"},
		{`emails.value eq"x"`, "emails.value", "x"},
		{`userName eq ""`, "userName", ""},
	} {
		attr, value, ok := SimpleEq(tt.in)
		if !ok || attr != tt.attr || value != tt.value {
			t.Errorf("SimpleEq(%s) = %q, %q, %v", tt.in, attr, value, ok)
		}
		if !strings.Contains(tt.attr, ".") {
			parsed := filterFrom(t, tt.in).(Compare)
			if parsed.Path.Attr != attr || parsed.Value.Text() != value {
				t.Errorf("the parser reads %s as %s", tt.in, parsed)
			}
		}
	}
}

func TestWhat_is_more_than_a_simple_look_up_is_left_to_the_parser(t *testing.T) {
	for _, in := range []string{
		``, `userName`, `userName eq`, `userName eq "`, `userName ne "x"`, `userName eq "a\"b"`, `userName eq "\u0041"`,
		`userName eq "a" or title eq "b"`, `userName eq "a" `, `userName eq bob`, `userName eq 'bob'`, "userName eq \"\x00\"",
		"userName eq \"\xff\"", `(userName eq "x")`, `emails[type eq "x"]`, ` eq "x"`, `a.b.c eq "x"`, `urn:x:y:a eq "x"`, `9 eq "x"`,
		`userName eqq "x"`,
	} {
		if attr, value, ok := SimpleEq(in); ok {
			t.Errorf("SimpleEq(%q) = %q, %q", in, attr, value)
		}
	}
}

//scim:112
func TestA_path_is_read_with_or_without_URN_brackets_and_sub_attribute(t *testing.T) {
	work := Compare{Path{Attr: "type"}, OpEq, StringOf("work")}
	for in, want := range map[string]Path{
		`userName`:                                {Attr: "userName"},
		`name.givenName`:                          {Attr: "name", Sub: "givenName"},
		`emails[type eq "work"]`:                  {Attr: "emails", Filter: work},
		`emails[type eq "work"].value`:            {Attr: "emails", Filter: work, Sub: "value"},
		` emails[ type  eq 'work' ].value`:        {Attr: "emails", Filter: work, Sub: "value"},
		UserURN + `:emails[type eq "work"].value`: {URN: UserURN, Attr: "emails", Filter: work, Sub: "value"},
		UserURN + `.emails[type eq "work"].value`: {URN: UserURN, Attr: "emails", Filter: work, Sub: "value"},
		EnterpriseURN + `:department`:             {URN: EnterpriseURN, Attr: "department"},
		EnterpriseURN + `:manager.displayName`:    {URN: EnterpriseURN, Attr: "manager", Sub: "displayName"},
		EnterpriseURN + `.manager.value`:          {URN: EnterpriseURN, Attr: "manager", Sub: "value"},
		`urn:x:thing:2.0`:                         {URN: "urn:x:thing:2.0"},
		`http://schemas.example.com/2.0/Group`:    {URN: "http://schemas.example.com/2.0/Group"},
	} {
		got, err := ParsePath(in, FilterLimits{})
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("ParsePath(%s) = %#v, %v", in, got, err)
			continue
		}
		if again, err := ParsePath(got.String(), FilterLimits{}); err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("%s printed as %s is another path: %#v, %v", in, got, again, err)
		}
	}
}

//scim:112
func TestA_malformed_path_is_invalidPath_and_a_malformed_filter_in_it_invalidFilter(t *testing.T) {
	for in, code := range map[string]string{
		``: CodeInvalidPath, `/active`: CodeInvalidPath, `name.`: CodeInvalidPath, `.name`: CodeInvalidPath, `a b`: CodeInvalidPath,
		`emails[0].value`: CodeInvalidFilter, `emails[type eq "work"]value`: CodeInvalidPath, `emails[type eq "work"].`: CodeInvalidPath,
		`emails[type eq "work"].value eq "x"`: CodeInvalidPath, `emails[`: CodeInvalidFilter, `emails[]`: CodeInvalidFilter,
		`emails[type like "x"].value`: CodeInvalidFilter, `emails]`: CodeInvalidPath, `a.b.c`: CodeInvalidPath, `urn:`: CodeInvalidPath,
		`größe`: CodeInvalidPath, "a\x00": CodeInvalidPath, `name.givenName[a pr]`: CodeInvalidPath,
		strings.Repeat("a", 9000): CodeInvalidPath,
	} {
		_, err := ParsePath(in, FilterLimits{})
		f, ok := fault.As(err)
		if !ok || f.Code != code {
			t.Errorf("ParsePath(%s): %v, want %s", shorten(in), err, code)
		}
	}
}

// A trap that parsers fall into: the resource's name is part of the URN, whatever the last colon says.
//
//scim:3,87
func TestThe_name_of_a_resource_is_part_of_its_URN(t *testing.T) {
	user := Standard().User
	for in, want := range map[string]place{
		EnterpriseURN:                        {container: EnterpriseURN, known: true, whole: true},
		strings.ToUpper(EnterpriseURN):       {container: EnterpriseURN, known: true, whole: true},
		EnterpriseURN + `.manager`:           {container: EnterpriseURN, known: true, name: "manager"},
		EnterpriseURN + `:MANAGER.VALUE`:     {container: EnterpriseURN, known: true, name: "manager", subName: "value"},
		UserURN:                              {known: true, whole: true},
		UserURN + `:username`:                {known: true, name: "userName"},
		UserURN + `.name.GIVENNAME`:          {known: true, name: "name", subName: "givenName"},
		`urn:scim:schemas:core:1.0:userName`: {known: true, name: "userName"},
		`urn:x:custom:2.0:Person`:            {container: "urn:x:custom:2.0:Person", whole: true},
		`urn:x:custom:2.0:Person.badge`:      {container: "urn:x:custom:2.0:Person", name: "badge"},
		`urn:x:custom:2.0:Person:badge`:      {container: "urn:x:custom:2.0:Person", name: "badge"},
		`urn:x:custom:Person:badge.color`:    {container: "urn:x:custom:Person", name: "badge", subName: "color"},
		`nonsense.thing`:                     {known: true, name: "nonsense", subName: "thing"},
	} {
		path, err := ParsePath(in, FilterLimits{})
		if err != nil {
			t.Errorf("ParsePath(%s): %v", in, err)
			continue
		}
		got := user.resolve(path)
		got.attr, got.sub = nil, nil
		if got != want {
			t.Errorf("%s means %+v, want %+v", in, got, want)
		}
	}
}

var filterSeeds = []string{
	`userName eq "bob@example.com"`, `not (a pr) and b.c gt 1 or d[e eq "f" and g pr].h ne null`, `a eq 'x'`, `a eq "\u00e9"`, `a eq x`,
	`emails[type eq "work"].value`, `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "1"`, `urn:a:b:c.d.e pr`,
	`((a pr))`, `a pr or (b pr or c pr)`, `a pr and (b pr and c pr)`, `http://x/y:z pr`, `a eq -0.1E-5`,
}

func FuzzFilter(f *testing.F) {
	for _, s := range filterSeeds {
		f.Add(s)
	}
	user := Standard().User
	doc := objectFrom(f, oktaUser)
	wide := FilterLimits{Length: 1 << 20}
	f.Fuzz(func(t *testing.T, s string) {
		parsed, err := ParseFilter(s, FilterLimits{})
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%q: %v is no refusal", s, err)
			}
			return
		}
		again, err := ParseFilter(parsed.String(), wide)
		if err != nil || !reflect.DeepEqual(parsed, again) {
			t.Fatalf("%q printed as %q: %v", s, parsed, err)
		}
		_ = user.CheckFilter(parsed, Mode{})
		_ = user.CheckFilter(parsed, Mode{Strict: true})
		if user.Match(parsed, doc) == user.Match(Not{parsed}, doc) {
			t.Fatalf("%q and its negation agree", s)
		}
		if attr, value, ok := SimpleEq(s); ok {
			if c, is := parsed.(Compare); !is || c.Op != OpEq || c.Path.String() != attr || c.Value.Text() != value {
				t.Fatalf("%q: the short cut reads %q, %q", s, attr, value)
			}
		}
	})
}

func FuzzPath(f *testing.F) {
	for _, s := range filterSeeds {
		f.Add(s)
	}
	for _, s := range []string{EnterpriseURN, EnterpriseURN + ".manager", `emails[type eq "work"]`, `a.b`, UserURN + `.emails[a pr].b`} {
		f.Add(s)
	}
	user := Standard().User
	wide := FilterLimits{Length: 1 << 20}
	f.Fuzz(func(t *testing.T, s string) {
		parsed, err := ParsePath(s, FilterLimits{})
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%q: %v is no refusal", s, err)
			}
			return
		}
		again, err := ParsePath(parsed.String(), wide)
		if err != nil || !reflect.DeepEqual(parsed, again) {
			t.Fatalf("%q printed as %q: %v", s, parsed, err)
		}
		user.resolve(parsed)
	})
}

func BenchmarkSimpleEq(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, _, ok := SimpleEq(`userName eq "barbara.jensen@example.com"`); !ok {
			b.Fatal("not recognised")
		}
	}
}

func BenchmarkParseFilter(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseFilter(`userName eq "barbara" and emails[type eq "work"].value co "@example.com"`, FilterLimits{}); err != nil {
			b.Fatal(err)
		}
	}
}
