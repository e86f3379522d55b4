package scim

import (
	"testing"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// badgeModel has a custom extension of every type that the built-in schemas do not use.
func badgeModel(t testing.TB) *ResourceType {
	t.Helper()
	e, err := ParseExtension(objectFrom(t, `{"id":"urn:example:2.0:Badge","name":"Badge","attributes":[
		{"name":"number","type":"integer"},{"name":"height","type":"decimal"},{"name":"issued","type":"dateTime"},
		{"name":"seal","type":"binary"},{"name":"rooms","type":"string","multiValued":true},
		{"name":"born","type":"string","mutability":"immutable"},
		{"name":"pin","type":"string","mutability":"writeOnly","returned":"never"},
		{"name":"note","type":"string","returned":"request"},{"name":"code","type":"string","caseExact":true}]}`))
	if err != nil {
		t.Fatal(err)
	}
	return Standard().With([]Extension{e}, nil).User
}

const badgeURN = "urn:example:2.0:Badge"

const matchedUser = `{"schemas":["` + UserURN + `","` + EnterpriseURN + `"],"id":"Ab1","externalId":"00uX","userName":"Bjensen@Example.com",
	"name":{"givenName":"Barbara","familyName":"Jensen"},"active":true,"title":"","displayName":"Straße",
	"emails":[{"type":"work","value":"b@example.com","primary":true},{"type":"home","value":"babs@home.example"}],
	"roles":[{"primary":true,"value":"admin"}],"favourite":{"colour":"Green","n":3},"flags":["x","Y"],
	"groups":[{"value":"g1","display":"Staff"}],
	"` + EnterpriseURN + `":{"department":"Tour","manager":{"value":"M9"}},
	"` + badgeURN + `":{"number":9007199254740993,"height":1.5,"issued":"2020-01-31T10:00:00+02:00","seal":"AQID","rooms":["A1","B2"],"code":"Xy"},
	"urn:x:other:2.0:Thing":{"size":"XL"},
	"meta":{"resourceType":"User","created":"2011-05-13T04:42:34Z","lastModified":"2011-05-13T04:42:34.5Z"}}`

//scim:79,81,82,83,84,85,86,87,88,89,93,3,74,T2,T14
func TestA_filter_matches_the_resources_RFC_7644_says(t *testing.T) {
	typ := badgeModel(t)
	doc := objectFrom(t, matchedUser)
	for filter, want := range map[string]bool{
		// letter case
		`userName eq "bjensen@example.com"`: true,
		`USERNAME eq "BJENSEN@EXAMPLE.COM"`: true,
		`userName eq "bjensen"`:             false,
		`userName sw "BJENSEN"`:             true,
		`userName co "@EXAMPLE"`:            true,
		`userName ew ".COM"`:                true,
		`userName gt "a"`:                   true,
		`id eq "Ab1"`:                       true,
		`id eq "ab1"`:                       false,
		`externalId eq "00ux"`:              false,
		`displayName eq "STRASSE"`:          true,
		badgeURN + `:code eq "xy"`:          false,
		// no value
		`nickName eq "x"`:                    false,
		`nickName ne "x"`:                    true,
		`nickName pr`:                        false,
		`nickName eq null`:                   true,
		`nickName ne null`:                   false,
		`userName eq null`:                   false,
		`userName ne null`:                   true,
		`title pr`:                           false,
		`title eq ""`:                        true,
		`nickName gt "a" or nickName le "a"`: false,
		// presence
		`name pr`:                     true,
		`name.givenName pr`:           true,
		`emails pr`:                   true,
		`photos pr`:                   false,
		EnterpriseURN + ` pr`:         true,
		EnterpriseURN + `.manager pr`: true,
		// more than one value
		`emails co "@home"`:                                           true,
		`emails.value eq "b@example.com"`:                             true,
		`emails.type eq "home"`:                                       true,
		`emails.type ne "home"`:                                       true,
		`email eq "BABS@home.example"`:                                true,
		`email pr`:                                                    true,
		`emails[type eq "work" and value co "@example"]`:              true,
		`emails[type eq "work" and value co "@home"]`:                 false,
		`emails.type eq "work" and emails.value co "@home"`:           true,
		`emails[type eq "work"].value eq "b@example.com"`:             true,
		`emails[type eq "work"].value eq "babs@home.example"`:         false,
		`emails[type eq "other"].value ne "x"`:                        true,
		`emails[not (type eq "work")].value sw "babs"`:                true,
		`emails[primary eq false].type eq "home"`:                     true,
		`emails[type eq "work"] pr`:                                   true,
		`emails[type eq "fax"]`:                                       false,
		`userName eq "bjensen@example.com" and emails[type eq "fax"]`: false,
		// booleans as text
		`roles[primary eq "True"].value eq "admin"`: true,
		`active eq "TRUE"`:                          true,
		`active eq True`:                            true,
		`active ne false`:                           true,
		`active eq "yes"`:                           false,
		// URNs
		EnterpriseURN + `:manager.value eq "M9"`:                                          true,
		EnterpriseURN + `:manager eq "m9"`:                                                false,
		`URN:IETF:params:scim:schemas:extension:enterprise:2.0:user:DEPARTMENT eq "tour"`: true,
		UserURN + `:name.familyName eq "jensen"`:                                          true,
		`schemas eq "` + EnterpriseURN + `"`:                                              true,
		`schemas eq "urn:IETF:params:scim:schemas:core:2.0:user"`:                         true,
		`schemas eq "urn:other"`:                                                          false,
		`groups eq "g1"`:                                                                  true,
		`groups.display eq "staff"`:                                                       true,
		// meta
		`meta.resourceType eq "User"`:                      true,
		`meta.resourceType eq User`:                        true,
		`meta.lastModified gt "2011-05-13T06:42:34+02:00"`: true,
		`meta.created eq "2011-05-13T06:42:34+02:00"`:      true,
		`meta.created lt "2011-05-13T04:42:35Z"`:           true,
		`meta.created ge "2011-05-13"`:                     true,
		`meta.created sw "2011-05"`:                        true,
		`meta.created gt "yesterday"`:                      false,
		// other types
		badgeURN + `:number eq 9007199254740993`:       true,
		badgeURN + `:number eq 9007199254740992`:       false,
		badgeURN + `:number gt 9007199254740992`:       true,
		badgeURN + `:number eq "9007199254740993"`:     true,
		badgeURN + `:height eq 1.50`:                   true,
		badgeURN + `:height lt 2`:                      true,
		badgeURN + `:height eq "tall"`:                 false,
		badgeURN + `:issued eq "2020-01-31T08:00:00Z"`: true,
		badgeURN + `:seal eq "AQID"`:                   true,
		badgeURN + `:seal eq "aqid"`:                   false,
		badgeURN + `:rooms eq "b2"`:                    true,
		badgeURN + `:rooms[value eq "a1"]`:             true,
		badgeURN + `:rooms.value sw "B"`:               true,
		// what no schema knows
		`favourite.colour eq "green"`:          true,
		`favourite.n ge 3`:                     true,
		`flags eq "y"`:                         true,
		`urn:x:other:2.0:Thing:size eq "xl"`:   true,
		`urn:x:missing:2.0:Thing:size eq "xl"`: false,
		`nonsense eq "x"`:                      false,
		`nonsense[a eq "b"].c eq "d"`:          false,
		`userName.nonsense pr`:                 false,
		`name eq "Barbara"`:                    false,
		`name.nonsense pr`:                     false,
		// logic
		`not (title pr)`:                             true,
		`not (userName pr) or id pr`:                 true,
		`nickName pr or userName pr and name pr`:     true,
		`(nickName pr or userName pr) and photos pr`: false,
	} {
		f := filterFrom(t, filter)
		if got := typ.Match(f, doc); got != want {
			t.Errorf("%s: %v, want %v", filter, got, want)
		}
		if err := typ.CheckFilter(f, Mode{}); err != nil {
			t.Errorf("%s is refused: %v", filter, err)
		}
	}
}

//scim:89
func TestWho_is_not_said_to_be_inactive_is_found_as_active(t *testing.T) {
	doc := objectFrom(t, `{"userName":"bob"}`)
	if !Standard().User.Match(filterFrom(t, `active eq true`), doc) || Standard().User.Match(filterFrom(t, `active eq false`), doc) {
		t.Error("an absent active is not read as true")
	}
}

//scim:25,T14
func TestUser_names_are_compared_as_PRECIS_prepares_them(t *testing.T) {
	doc := objectFrom(t, `{"userName":"ＺＯË@example.com"}`)
	for _, same := range []string{`zoë@example.com`, `ZOE\u0308@example.com`} {
		if !Standard().User.Match(filterFrom(t, `userName eq "`+same+`"`), doc) {
			t.Errorf("%s does not find its full-width spelling", same)
		}
	}
}

// Known failure of another server: the two halves of emails[a and b] hit different addresses.
//
//scim:85
func TestBoth_halves_of_a_value_filter_have_to_hold_for_one_element(t *testing.T) {
	doc := objectFrom(t, `{"emails":[{"type":"work","value":"a@x"},{"type":"home","value":"b@x"}]}`)
	if Standard().User.Match(filterFrom(t, `emails[type eq "work" and value eq "b@x"]`), doc) {
		t.Error("halves of two elements were combined")
	}
}

//scim:t13
func TestNonsense_matches_nobody_and_is_no_error(t *testing.T) {
	doc := objectFrom(t, matchedUser)
	for _, filter := range []string{
		`userName eq "6d2f4e0a-nobody"`, `userName eq 12`, `userName eq true`, `active eq "maybe"`, `meta.created eq "never"`, `id eq null`,
		`emails[type eq 5].value eq "x"`, `name eq "x"`, `active co "t"`, `meta eq "x"`, `externalId eq "` + "\u202e" + `"`,
	} {
		f := filterFrom(t, filter)
		if err := Standard().User.CheckFilter(f, Mode{}); err != nil {
			t.Errorf("%s: %v", filter, err)
		}
		if Standard().User.Match(f, doc) {
			t.Errorf("%s matches", filter)
		}
	}
}

//scim:80
func TestBooleans_and_binaries_have_no_order(t *testing.T) {
	typ := badgeModel(t)
	for _, filter := range []string{
		`active gt true`, `emails.primary le false`, `emails[primary ge true]`, `not (active lt "x")`, `a pr or active gt true`,
		badgeURN + `:seal gt "AA"`, `title pr and x509Certificates gt "AA"`,
	} {
		wantRefusal(t, typ.CheckFilter(filterFrom(t, filter), Mode{}), CodeInvalidFilter, "no order")
	}
}

//scim:92,26
func TestWhat_is_never_returned_cannot_be_asked_about(t *testing.T) {
	typ := badgeModel(t)
	for _, filter := range []string{
		`password eq "x"`, `PASSWORD pr`, `userName eq "a" and password sw "x"`, `not (password eq "a")`, UserURN + `:password co "x"`,
		badgeURN + `:pin eq "1"`, badgeURN + `.pin eq "1"`, `password.value eq "x"`, `password[value eq "x"]`,
	} {
		err := typ.CheckFilter(filterFrom(t, filter), Mode{})
		if f, ok := fault.As(err); !ok || f.Kind != fault.Forbidden || f.Code != CodeSensitive {
			t.Errorf("%s: %v", filter, err)
		}
	}
	if _, err := typ.ParseSort("password", ""); !fault.Is(err, fault.Forbidden) {
		t.Errorf("sort by password: %v", err)
	}
}

//scim:90
func TestStrict_mode_knows_only_eq_and_and_and_declared_attributes(t *testing.T) {
	user := Standard().User
	for _, filter := range []string{
		`userName ne "x"`, `userName sw "x"`, `title pr`, `not (userName eq "x")`, `userName eq "x" or userName eq "y"`,
		`nonsense eq "x"`, `name.nonsense eq "x"`, `urn:x:y:2.0:Z:a eq "x"`, `emails[nonsense eq "x"].value eq "y"`, `emails[type ne "x"]`,
		EnterpriseURN + `:nonsense eq "x"`,
	} {
		wantRefusal(t, user.CheckFilter(filterFrom(t, filter), Mode{Strict: true}), CodeInvalidFilter)
	}
	for _, filter := range []string{
		`userName eq "x"`, `externalId eq "x" and emails.value eq "y"`, `emails[type eq "work"].value eq "x"`, EnterpriseURN + `:manager.value eq "x"`,
		`meta.resourceType eq "User"`, `id eq "x" and ` + EnterpriseURN + `:manager eq "y"`,
	} {
		if err := user.CheckFilter(filterFrom(t, filter), Mode{Strict: true}); err != nil {
			t.Errorf("%s: %v", filter, err)
		}
	}
}

//scim:44,103,104,105,26
func TestA_projection_gives_what_was_asked_for(t *testing.T) {
	typ := badgeModel(t)
	doc := objectFrom(t, `{"schemas":["`+UserURN+`"],"id":"1","userName":"bob","name":{"givenName":"B","familyName":"C"},
		"emails":[{"type":"work","value":"a@x"},{"type":"home","value":"b@x"}],"extra":"e","password":"secret",
		"`+EnterpriseURN+`":{"department":"D","manager":{"value":"m"}},"`+badgeURN+`":{"code":"c","note":"n","pin":"p"},
		"urn:x:o:2.0:T":{"k":"v","l":"w"},"meta":{"resourceType":"User","version":"W/\"1\""}}`)
	for name, tt := range map[string]struct {
		attributes, excluded []string
		want                 string
	}{
		"nothing asked: all but never and request": {nil, nil, `{"schemas":["` + UserURN + `"],"id":"1","userName":"bob","name":{"givenName":"B","familyName":"C"},
			"emails":[{"type":"work","value":"a@x"},{"type":"home","value":"b@x"}],"extra":"e",
			"` + EnterpriseURN + `":{"department":"D","manager":{"value":"m"}},"` + badgeURN + `":{"code":"c"},
			"urn:x:o:2.0:T":{"k":"v","l":"w"},"meta":{"resourceType":"User","version":"W/\"1\""}}`},
		"one, in any letter case":          {[]string{"USERNAME"}, nil, `{"schemas":["` + UserURN + `"],"id":"1","userName":"bob"}`},
		"a list with commas":               {[]string{"userName, extra"}, nil, `{"schemas":["` + UserURN + `"],"id":"1","userName":"bob","extra":"e"}`},
		"a sub-attribute":                  {[]string{"name.familyName", "emails.value"}, nil, `{"schemas":["` + UserURN + `"],"id":"1","name":{"familyName":"C"},"emails":[{"value":"a@x"},{"value":"b@x"}]}`},
		"brackets are passed over":         {[]string{`emails[type eq "work"].value,extra`}, nil, `{"schemas":["` + UserURN + `"],"id":"1","emails":[{"value":"a@x"},{"value":"b@x"}],"extra":"e"}`},
		"a URN":                            {[]string{UserURN + ":userName", EnterpriseURN + ":manager"}, nil, `{"schemas":["` + UserURN + `"],"id":"1","userName":"bob","` + EnterpriseURN + `":{"manager":{"value":"m"}}}`},
		"a whole extension":                {[]string{EnterpriseURN}, nil, `{"schemas":["` + UserURN + `"],"id":"1","` + EnterpriseURN + `":{"department":"D","manager":{"value":"m"}}}`},
		"an extension nobody declared":     {[]string{"urn:x:o:2.0:T:K"}, nil, `{"schemas":["` + UserURN + `"],"id":"1","urn:x:o:2.0:T":{"k":"v"}}`},
		"returned=request, when named":     {[]string{badgeURN + ":note"}, nil, `{"schemas":["` + UserURN + `"],"id":"1","` + badgeURN + `":{"note":"n"}}`},
		"never what is never returned":     {[]string{"password", badgeURN + ":pin"}, nil, `{"schemas":["` + UserURN + `"],"id":"1"}`},
		"a name nobody knows":              {[]string{"nonsense"}, nil, `{"schemas":["` + UserURN + `"],"id":"1"}`},
		"the whole wins over its part":     {[]string{"name.givenName", "name"}, nil, `{"schemas":["` + UserURN + `"],"id":"1","name":{"givenName":"B","familyName":"C"}}`},
		"all but some":                     {nil, []string{"emails,extra", "meta", EnterpriseURN + ":manager", badgeURN, "urn:x:o:2.0:T.k", "name.givenName"}, `{"schemas":["` + UserURN + `"],"id":"1","userName":"bob","name":{"familyName":"C"},"` + EnterpriseURN + `":{"department":"D"},"urn:x:o:2.0:T":{"l":"w"}}`},
		"what is always returned stays":    {[]string{"extra"}, []string{"id", "schemas"}, `{"schemas":["` + UserURN + `"],"id":"1","extra":"e"}`},
		"always stays when excluded alone": {nil, []string{"id,schemas,userName,name,emails,extra,meta", EnterpriseURN, badgeURN, "urn:x:o:2.0:T"}, `{"schemas":["` + UserURN + `"],"id":"1"}`},
		"both given: attributes win":       {[]string{"extra"}, []string{"extra"}, `{"schemas":["` + UserURN + `"],"id":"1","extra":"e"}`},
		"empty parameters ask for nothing": {[]string{"", " , "}, []string{"emails,name,extra,meta", EnterpriseURN, badgeURN, "urn:x:o:2.0:T"}, `{"schemas":["` + UserURN + `"],"id":"1","userName":"bob"}`},
	} {
		t.Run(name, func(t *testing.T) {
			before := doc.Clone()
			p, err := ParseProjection(tt.attributes, tt.excluded)
			if err != nil {
				t.Fatal(err)
			}
			if got := typ.Project(doc, p); !got.Equal(objectFrom(t, tt.want)) {
				t.Errorf("got %s\nwant %s", got.AppendJSON(nil), tt.want)
			}
			if !doc.Equal(before) {
				t.Error("the document itself was changed")
			}
		})
	}
}

//scim:44
func TestWhat_is_returned_on_request_comes_back_to_who_just_set_it(t *testing.T) {
	typ := badgeModel(t)
	doc := objectFrom(t, `{"id":"1","userName":"bob","`+badgeURN+`":{"note":"n"}}`)
	p, err := Projection{}.Also(badgeURN + ":note")
	if err != nil {
		t.Fatal(err)
	}
	if got := typ.Project(doc, p); !got.Equal(doc) {
		t.Errorf("got %s", got.AppendJSON(nil))
	}
}

//scim:106
func TestMembers_need_not_be_loaded_when_nobody_asked_for_them(t *testing.T) {
	for _, tt := range []struct {
		attributes, excluded string
		members              bool
	}{
		{"", "", true},
		{"", "members", false},
		{"", "MEMBERS,displayName", false},
		{"", GroupURN + ":members", false},
		{"", "members.display", true},
		{"", "displayName", true},
		{"", EnterpriseURN, true},
		{"id,displayName", "", false},
		{"displayName,members.value", "", true},
		{GroupURN, "", true},
		{GroupURN + ":members", "members", true},
	} {
		p, err := ParseProjection([]string{tt.attributes}, []string{tt.excluded})
		if err != nil || p.Wants("members") != tt.members {
			t.Errorf("attributes=%s excludedAttributes=%s: %v %v", tt.attributes, tt.excluded, p.Wants("members"), err)
		}
		if all := tt.attributes == "" && tt.excluded == ""; p.IsAll() != all {
			t.Errorf("attributes=%s excludedAttributes=%s: IsAll %v", tt.attributes, tt.excluded, p.IsAll())
		}
	}
}

func TestA_projection_that_is_no_list_of_names_is_refused(t *testing.T) {
	for _, in := range []string{"a b", "/name", "emails[", "a.b.c", "name."} {
		_, err := ParseProjection([]string{in}, nil)
		wantRefusal(t, err, CodeInvalidValue, "attributes")
		_, err = ParseProjection(nil, []string{in})
		wantRefusal(t, err, CodeInvalidValue, "excludedAttributes")
	}
}

//scim:37
func TestReferences_that_differ_in_the_version_alone_are_equal(t *testing.T) {
	doc := objectFrom(t, `{"schemas":["`+UserURN+`"],"groups":[{"value":"g1","$ref":"https://sync.example.com/scim/v2/acme/Groups/g1"}]}`)
	for address, want := range map[string]bool{
		"https://sync.example.com/scim/v2/acme/Groups/g1":   true,
		"https://sync.example.com/scim/acme/Groups/g1":      true,
		"https://sync.example.com/scim/v1.1/acme/Groups/g1": true,
		"https://sync.example.com/scim/v2/acme/Groups/g2":   false,
		"https://sync.example.com/scim/vx/acme/Groups/g1":   false,
		"https://sync.example.com/scim/v2/acme/Groups/G1":   false,
	} {
		for op, equal := range map[string]bool{"eq": true, "ne": false} {
			f, err := ParseFilter(`groups.$ref `+op+` "`+address+`"`, DefaultFilterLimits)
			if err != nil {
				t.Fatal(err)
			}
			if got := Standard().User.Match(f, doc); got != (want == equal) {
				t.Errorf("%s %s: %t", op, address, got)
			}
		}
	}
}
