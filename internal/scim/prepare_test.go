package scim

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

var strict = Mode{Strict: true}

func wantJSON(t testing.TB, got *Object, want string) {
	t.Helper()
	if w := objectFrom(t, want); !got.Equal(w) {
		t.Errorf("got  %s\nwant %s", got.AppendJSON(nil), want)
	}
}

// prepared is the document of a user with userName u and these further members, without schemas and userName again.
func prepared(t testing.TB, members string, m Mode) (*Object, error) {
	t.Helper()
	doc, err := Standard().User.Prepare(objectFrom(t, `{"schemas":["`+UserURN+`"],"userName":"u",`+members+`}`), m)
	if err != nil {
		return nil, err
	}
	doc.Delete("schemas")
	doc.Delete("userName")
	return doc, nil
}

//scim:1,2,12,22,T1,T2,T10,T20
func TestPreparing_makes_one_canonical_document_of_every_dialect(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"names in any letter case": {
			`{"SCHEMAS":[],"USERNAME":"u","Name":{"GIVENNAME":"g"},"Emails":[{"Value":"v","Primary":true}]}`,
			`{"schemas":["` + UserURN + `"],"userName":"u","name":{"givenName":"g"},"emails":[{"value":"v","primary":true}]}`,
		},
		"only a user name": {`{"userName":"u"}`, `{"schemas":["` + UserURN + `"],"userName":"u"}`},
		"schemas with repeats and without the base": {
			`{"schemas":["` + EnterpriseURN + `","` + EnterpriseURN + `"],"userName":"u"}`,
			`{"schemas":["` + UserURN + `"],"userName":"u"}`,
		},
		"schemas that is a text": {`{"schemas":"x","userName":"u"}`, `{"schemas":["` + UserURN + `"],"userName":"u"}`},
		"an extension that schemas does not name": {
			`{"schemas":["` + UserURN + `"],"userName":"u","` + EnterpriseURN + `":{"department":"d"}}`,
			`{"schemas":["` + UserURN + `","` + EnterpriseURN + `"],"userName":"u","` + EnterpriseURN + `":{"department":"d"}}`,
		},
		"a custom extension that nobody declared": {
			`{"userName":"u","urn:x:ext:1.0:User":{"A":"1","b":null}}`,
			`{"schemas":["` + UserURN + `","urn:x:ext:1.0:User"],"userName":"u","urn:x:ext:1.0:User":{"A":"1"}}`,
		},
		"everything null or empty": {
			`{"userName":"u","name":null,"emails":[],"addresses":null,"roles":[null],"phoneNumbers":[{}],"photos":[{"value":null}],"title":null,"` +
				EnterpriseURN + `":{"manager":null},"custom":null,"other":{"a":{}}}`,
			`{"schemas":["` + UserURN + `"],"userName":"u"}`,
		},
		"booleans as text": {
			`{"userName":"u","active":"False","emails":[{"value":"v","primary":"TRUE"}]}`,
			`{"schemas":["` + UserURN + `"],"userName":"u","active":false,"emails":[{"value":"v","primary":true}]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := Standard().User.Prepare(objectFrom(t, c.in), Mode{})
			if err != nil {
				t.Fatal(err)
			}
			wantJSON(t, doc, c.want)
		})
	}
}

//scim:3,22
func TestExtension_containers_are_known_by_every_name_seen_in_traffic(t *testing.T) {
	for _, urn := range []string{
		EnterpriseURN, strings.ToUpper(EnterpriseURN), "urn:ietf:params:scim:schemas:extension:enterprise:2.0User",
		"urn:scim:schemas:extension:enterprise:2.0", "urn:scim:schemas:extension:enterprise:1.0",
	} {
		doc, err := prepared(t, `"`+urn+`":{"Department":"d","manager":{"managerId":"7","displayName":"n"}}`, Mode{})
		if err != nil {
			t.Fatal(err)
		}
		wantJSON(t, doc, `{"`+EnterpriseURN+`":{"department":"d","manager":{"value":"7"}}}`)
	}
	doc, err := prepared(t, `"`+EnterpriseURN+`":{"department":"d"},"urn:scim:schemas:extension:enterprise:1.0":{"department":"late","division":"v"}`, Mode{})
	if err != nil {
		t.Fatal(err)
	}
	wantJSON(t, doc, `{"`+EnterpriseURN+`":{"department":"d","division":"v"}}`)
}

func TestAttributes_may_be_named_with_the_URN_of_their_schema(t *testing.T) {
	doc, err := prepared(t, `"`+EnterpriseURN+`:department":"d","`+EnterpriseURN+`.manager":"7","`+UserURN+`:displayName":"n","displayName":"later","`+
		UserURN+`":{"title":"t"}`, Mode{})
	if err != nil {
		t.Fatal(err)
	}
	wantJSON(t, doc, `{"`+EnterpriseURN+`":{"department":"d","manager":{"value":"7"}},"displayName":"n","title":"t"}`)
}

//scim:34,T2,T9,T10,T11
func TestValues_are_brought_to_the_declared_form(t *testing.T) {
	ent := func(manager string) string { return `"` + EnterpriseURN + `":{"manager":` + manager + `}` }
	for name, c := range map[string]struct{ in, want string }{
		"a number where a string is due":    {`"externalId":4711,"addresses":[{"postalCode":91608}]`, `{"externalId":"4711","addresses":[{"postalCode":"91608"}]}`},
		"one object where a list is due":    {`"emails":{"value":"v"}`, `{"emails":[{"value":"v"}]}`},
		"texts where objects are due":       {`"emails":["a",{"value":"b"}],"roles":"r"`, `{"emails":[{"value":"a"},{"value":"b"}],"roles":[{"value":"r"}]}`},
		"a list of one where one is due":    {`"title":["t"],"name":[{"givenName":"g"}]`, `{"title":"t","name":{"givenName":"g"}}`},
		"a simple value wrapped":            {`"title":[{"$ref":null,"value":"t"}],"active":[{"value":"False"}]`, `{"title":"t","active":false}`},
		"an empty text for what has none":   {`"profileUrl":"","name":"","emails":""`, `{}`},
		"an empty text for a string":        {`"title":""`, `{"title":""}`},
		"manager as a text":                 {ent(`"271"`), `{"` + EnterpriseURN + `":{"manager":{"value":"271"}}}`},
		"manager as a number":               {ent(`271`), `{"` + EnterpriseURN + `":{"manager":{"value":"271"}}}`},
		"manager as a list":                 {ent(`[{"$ref":"../Users/271","value":"271"}]`), `{"` + EnterpriseURN + `":{"manager":{"$ref":"../Users/271","value":"271"}}}`},
		"manager cleared by an empty text":  {ent(`""`), `{}`},
		"manager cleared by an empty value": {ent(`{"value":"","displayName":"x"}`), `{}`},
		"manager with both spellings":       {ent(`{"managerId":"1","value":"2"}`), `{"` + EnterpriseURN + `":{"manager":{"value":"2"}}}`},
		"manager without what is readOnly":  {ent(`{"value":"2","displayName":"x"}`), `{"` + EnterpriseURN + `":{"manager":{"value":"2"}}}`},
		"a role that is JSON in a text":     {`"roles":[{"value":"{\"id\":\"1\"}","primary":"True"}]`, `{"roles":[{"value":"{\"id\":\"1\"}","primary":true}]}`},
		"unknown attributes":                {`"custom":{"A":1},"emails":[{"value":"v","x":"y"}]`, `{"custom":{"A":1},"emails":[{"value":"v","x":"y"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := prepared(t, c.in, Mode{})
			if err != nil {
				t.Fatal(err)
			}
			wantJSON(t, doc, c.want)
		})
	}
}

//scim:15,16,29,30,32
func TestValues_are_kept_as_they_were_sent(t *testing.T) {
	in := `{"locale":"en_US","phoneNumbers":[{"value":"(555) 1234","type":"Desk phone"}],"addresses":[{"country":"United States","type":"hq"}],` +
		`"roles":[{"value":" Admin ","display":""}],"emails":[{"value":"Not.An@Address","type":"WORK"}],"timezone":"nowhere"}`
	doc, err := prepared(t, in[1:len(in)-1], Mode{})
	if err != nil {
		t.Fatal(err)
	}
	wantJSON(t, doc, in)
	doc, err = Standard().User.Prepare(objectFrom(t, `{"userName":"Barbara.JENSEN"}`), Mode{})
	if err != nil || doc.Text("userName") != "Barbara.JENSEN" {
		t.Errorf("the spelling of userName was not kept: %v, %q", err, doc.Text("userName"))
	}
}

//scim:17,18,19,26,28,63,73
func TestWhat_belongs_to_the_server_is_dropped_and_the_password_never_kept(t *testing.T) {
	for _, m := range []Mode{{}, strict} {
		doc, err := prepared(t, `"id":"bulkId","meta":{"resourceType":"Group","version":1},"groups":[{"value":"g"}],"password":{"odd":"s3cret"},"externalId":"E1"`, m)
		if err != nil {
			t.Fatal(err)
		}
		wantJSON(t, doc, `{"externalId":"E1"}`)
	}
}

//scim:13,14
func TestElements_of_one_type_and_value_are_merged_and_one_is_primary(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"the same type and value": {
			`"emails":[{"type":"work","value":"a@x"},{"type":"home","value":"a@x"},{"type":"Work","value":"A@X","display":"d","primary":true}]`,
			`{"emails":[{"type":"work","value":"a@x","display":"d","primary":true},{"type":"home","value":"a@x"}]}`,
		},
		"the same in other letter case, not ASCII": {`"roles":[{"value":"É"},{"value":"é"}]`, `{"roles":[{"value":"É"}]}`},
		"no values to compare":                     {`"addresses":[{"type":"work","region":"a"},{"type":"work","region":"b"}]`, `{"addresses":[{"type":"work","region":"a"},{"type":"work","region":"b"}]}`},
		"two primaries":                            {`"emails":[{"value":"a","primary":true},{"value":"b","primary":true}]`, `{"emails":[{"value":"a","primary":true},{"value":"b","primary":false}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := prepared(t, c.in, Mode{})
			if err != nil {
				t.Fatal(err)
			}
			wantJSON(t, doc, c.want)
		})
	}
	many := strings.Repeat(`{"value":"same"},`, 40) + `{"value":"last"}`
	doc, err := prepared(t, `"roles":[`+many+`]`, Mode{})
	if err != nil {
		t.Fatal(err)
	}
	wantJSON(t, doc, `{"roles":[{"value":"same"},{"value":"last"}]}`)
	_, err = prepared(t, `"emails":[{"value":"a","primary":true},{"value":"b","primary":true}]`, strict)
	wantRefusal(t, err, CodeInvalidValue, "emails[1].primary")
}

//scim:24,35,64
func TestWhat_is_required_has_to_be_there(t *testing.T) {
	m := Standard()
	for _, body := range []string{`{}`, `{"userName":null}`, `{"userName":""}`, `{"userName":"  "}`} {
		_, err := m.User.Prepare(objectFrom(t, body), Mode{})
		wantRefusal(t, err, CodeInvalidValue, "userName is required")
	}
	for _, body := range []string{`{"members":[]}`, `{"displayName":""}`, `{"displayName":[]}`} {
		_, err := m.Group.Prepare(objectFrom(t, body), Mode{})
		wantRefusal(t, err, CodeInvalidValue, "displayName is required")
	}
}

//scim:23
func TestA_required_extension_and_its_required_attributes_have_to_be_there(t *testing.T) {
	ext, err := ParseExtension(objectFrom(t, `{"id":"urn:acme:1.0:User","required":true,"attributes":[{"name":"badge","required":true},
		{"name":"desk","type":"complex","subAttributes":[{"name":"room","required":true},{"name":"floor","type":"integer"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	user := Standard().With([]Extension{ext}, nil).User
	for name, c := range map[string]struct{ members, mentions string }{
		"no container":              {``, "the extension urn:acme:1.0:User is required"},
		"an empty container":        {`,"urn:acme:1.0:User":{}`, "the extension urn:acme:1.0:User is required"},
		"no required attribute":     {`,"urn:acme:1.0:User":{"desk":{"room":"1"}}`, "urn:acme:1.0:User:badge is required"},
		"no required sub-attribute": {`,"urn:acme:1.0:User":{"badge":"b","desk":{"floor":1}}`, "urn:acme:1.0:User:desk.room is required"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := user.Prepare(objectFrom(t, `{"userName":"u"`+c.members+`}`), Mode{})
			wantRefusal(t, err, CodeInvalidValue, c.mentions)
		})
	}
	doc, err := user.Prepare(objectFrom(t, `{"userName":"u","URN:ACME:1.0:USER":{"BADGE":7,"desk":{"room":"1","floor":"2"}}}`), Mode{})
	if err != nil {
		t.Fatal(err)
	}
	wantJSON(t, doc, `{"schemas":["`+UserURN+`","urn:acme:1.0:User"],"userName":"u","urn:acme:1.0:User":{"badge":"7","desk":{"room":"1","floor":2}}}`)
}

//scim:6,7,8,9,33
func TestValues_of_the_wrong_type_are_refused_by_name(t *testing.T) {
	for name, c := range map[string]struct{ members, mentions string }{
		"a boolean that is none":     {`"active":"maybe"`, `active must be true or false, got the string "maybe"`},
		"a boolean that is empty":    {`"active":""`, "active must be true or false"},
		"an object for a string":     {`"title":{"a":1}`, "title must be a string, got an object"},
		"a boolean for a string":     {`"title":true`, "title must be a string, got true"},
		"two where one is due":       {`"title":["a","b"]`, "title must be a string, got an array"},
		"a text for a name":          {`"name":"Bob"`, "name must be one object with the members formatted, familyName"},
		"a list in a list":           {`"emails":[["a"]]`, "emails[0] must be one value"},
		"an element's sub-attribute": {`"emails":[{"value":"v"},{"value":"w","primary":"x"}]`, "emails[1].primary must be true or false"},
		"no base64":                  {`"x509Certificates":[{"value":"***"}]`, "x509Certificates[0].value must be bytes in base64"},
		"no URI":                     {`"profileUrl":"http://[::1"`, "profileUrl must be a URI"},
		"an extension as a text":     {`"` + EnterpriseURN + `":"x"`, "must be an object of the schema's attributes"},
		"within an extension":        {`"` + EnterpriseURN + `":{"department":{"x":1}}`, EnterpriseURN + ":department must be a string"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := prepared(t, c.members, Mode{})
			wantRefusal(t, err, CodeInvalidValue, c.mentions)
		})
	}
	_, err := prepared(t, `"active":"`+strings.Repeat("x", 5000)+`"`, Mode{})
	wantRefusal(t, err, CodeInvalidValue, "…")
	if len(err.Error()) > 300 {
		t.Errorf("the refusal repeats %d bytes", len(err.Error()))
	}
}

//scim:6,7,8,9
func TestLexical_forms_of_the_data_types(t *testing.T) {
	for _, c := range []struct {
		t    Type
		in   string
		want string // "" if refused
	}{
		{TypeInteger, `5`, `5`},
		{TypeInteger, `-12`, `-12`},
		{TypeInteger, `"7"`, `7`},
		{TypeInteger, `5.0`, ``},
		{TypeInteger, `1e3`, ``},
		{TypeInteger, `"007"`, ``},
		{TypeInteger, `"-"`, ``},
		{TypeInteger, `true`, ``},
		{TypeDecimal, `5.25`, `5.25`},
		{TypeDecimal, `5`, `5`},
		{TypeDecimal, `"0.5"`, `0.5`},
		{TypeDecimal, `".5"`, ``},
		{TypeDecimal, `"5."`, ``},
		{TypeDecimal, `"1e"`, ``},
		{TypeDecimal, `"Infinity"`, ``},
		{TypeDateTime, `"2026-01-31T08:30:00Z"`, `"2026-01-31T08:30:00Z"`},
		{TypeDateTime, `"2026-01-31T08:30:00.123+02:00"`, `"2026-01-31T08:30:00.123+02:00"`},
		{TypeDateTime, `"2026-01-31T08:30:00"`, `"2026-01-31T08:30:00"`},
		{TypeDateTime, `"2026-01-31"`, ``},
		{TypeDateTime, `"2026-02-30T08:30:00Z"`, ``},
		{TypeDateTime, `"2026-01-31 08:30:00Z"`, ``},
		{TypeDateTime, `1769848200`, ``},
		{TypeBinary, `"AQID"`, `"AQID"`},
		{TypeBinary, `"AQ=="`, `"AQ=="`},
		{TypeBinary, `"AQ"`, `"AQ"`},
		{TypeBinary, `"_-8"`, `"_-8"`},
		{TypeBinary, `"A"`, ``},
		{TypeReference, `"https://x.example/a?b#c"`, `"https://x.example/a?b#c"`},
		{TypeReference, `"../Users/1"`, `"../Users/1"`},
		{TypeReference, `"%zz"`, ``},
		{TypeReference, `7`, ``},
	} {
		a := simple("it", c.t, "")
		v, _ := objectFrom(t, `{"v":`+c.in+`}`).Get("v")
		got, err := a.Coerce(v, "it", Mode{})
		if c.want == "" {
			wantRefusal(t, err, CodeInvalidValue, "it must be")
			continue
		}
		if err != nil || string(got.AppendJSON(nil)) != c.want {
			t.Errorf("%s %s: got %s, %v; want %s", c.t, c.in, got.AppendJSON(nil), err, c.want)
		}
	}
	for _, c := range []struct {
		t  Type
		in string
	}{{TypeBinary, "AQ"}, {TypeReference, "http://x/a b"}, {TypeInteger, "5"}, {TypeBoolean, "true"}} {
		if _, err := simple("it", c.t, "").Coerce(StringOf(c.in), "it", strict); err == nil {
			t.Errorf("strict mode takes the text %q for %s", c.in, c.t)
		}
	}
}

func TestStrict_mode_refuses_what_is_unknown_or_of_another_type(t *testing.T) {
	for name, c := range map[string]struct{ members, code, mentions string }{
		"an unknown attribute":     {`"custom":1`, CodeInvalidSyntax, `"custom" is no attribute of User`},
		"an unknown extension":     {`"urn:x:1.0:User":{"a":1}`, CodeInvalidSyntax, "urn:x:1.0:User"},
		"an unknown sub-attribute": {`"name":{"nick":"x"}`, CodeInvalidSyntax, "name.nick must be left out"},
		"a boolean as text":        {`"active":"True"`, CodeInvalidValue, "active"},
		"a number for a string":    {`"title":1`, CodeInvalidValue, "title"},
		"one where a list is due":  {`"emails":{"value":"v"}`, CodeInvalidValue, "emails must be an array"},
		"a text for an object":     {`"emails":["v"]`, CodeInvalidValue, "emails[0] must be an object"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := prepared(t, c.members, strict)
			wantRefusal(t, err, c.code, c.mentions)
		})
	}
	user := Standard().User
	_, err := user.Prepare(objectFrom(t, `{"userName":"u"}`), strict)
	wantRefusal(t, err, CodeInvalidSyntax, UserURN)
	_, err = user.Prepare(objectFrom(t, `{"schemas":["`+UserURN+`","urn:x"],"userName":"u"}`), strict)
	wantRefusal(t, err, CodeInvalidSyntax, "schemas[1]", "urn:x")
}

//scim:68
func TestReplacing_leaves_out_what_was_left_out(t *testing.T) {
	first, err := prepared(t, `"title":"t","nickName":"n"`, Mode{})
	if err != nil {
		t.Fatal(err)
	}
	second, err := prepared(t, `"title":null`, Mode{})
	if err != nil {
		t.Fatal(err)
	}
	wantJSON(t, first, `{"title":"t","nickName":"n"}`)
	wantJSON(t, second, `{}`)
}

func TestPreparing_leaves_its_input_as_it_was(t *testing.T) {
	in := objectFrom(t, `{"USERNAME":"u","emails":[{"VALUE":"a","primary":true},{"value":"b","primary":"true"},null],"members":[],"name":{"x":null}}`)
	before := in.Clone()
	doc, err := Standard().User.Prepare(in, Mode{})
	if err != nil {
		t.Fatal(err)
	}
	doc.Set("userName", StringOf("other"))
	if !in.Equal(before) {
		t.Errorf("the input became %s", in.AppendJSON(nil))
	}
}

//scim:27
func TestA_user_is_active_unless_the_document_says_no(t *testing.T) {
	for members, want := range map[string]bool{`"title":"t"`: true, `"active":null`: true, `"active":true`: true, `"active":false`: false, `"active":"FALSE"`: false} {
		doc, err := prepared(t, members, Mode{})
		if err != nil {
			t.Fatal(err)
		}
		if got := ActiveOf(doc); got != want {
			t.Errorf("%s: got %v", members, got)
		}
	}
}

//scim:36,T18
func TestMembers_are_taken_out_of_a_groups_document(t *testing.T) {
	group := Standard().Group
	doc, err := group.Prepare(objectFrom(t, `{"displayName":"g","Members":[{"Value":"1","$ref":null,"display":"One","type":"User"},"2",{"value":"1"},{"value":3,"$ref":"../Groups/3"}]}`), Mode{})
	if err != nil {
		t.Fatal(err)
	}
	refs, present, err := TakeMembers(doc)
	if err != nil || !present {
		t.Fatalf("got %v, %v", present, err)
	}
	want := []MemberRef{{Value: "1", Display: "One", Type: "User"}, {Value: "2"}, {Value: "3", Ref: "../Groups/3"}}
	if len(refs) != len(want) {
		t.Fatalf("got %+v", refs)
	}
	for i := range want {
		if refs[i] != want[i] {
			t.Errorf("member %d: got %+v, want %+v", i, refs[i], want[i])
		}
	}
	wantJSON(t, doc, `{"schemas":["`+GroupURN+`"],"displayName":"g"}`)
}

//scim:12,T5,T18
func TestAn_empty_list_of_members_differs_from_none_and_a_member_without_id_is_refused(t *testing.T) {
	group := Standard().Group
	for body, want := range map[string]bool{`[]`: true, `null`: false} {
		doc, err := group.Prepare(objectFrom(t, `{"displayName":"g","members":`+body+`}`), Mode{})
		if err != nil {
			t.Fatal(err)
		}
		refs, present, err := TakeMembers(doc)
		if err != nil || present != want || len(refs) != 0 {
			t.Errorf("members %s: got %v, %v, %v", body, refs, present, err)
		}
	}
	for body, mentions := range map[string]string{
		`[{"value":"1"},{"display":"x"}]`: "members[1].value", `[""]`: "members[0].value", `[{"value":""}]`: "members[0].value", `[{"value":null,"type":"User"}]`: "members[0].value",
		`[null]`: "members[0].value", `[{}]`: "members[0].value", `{}`: "members[0].value", `["1",null]`: "members[1].value", `""`: "empty text",
	} {
		doc, err := group.Prepare(objectFrom(t, `{"displayName":"g","MEMBERS":`+body+`}`), Mode{})
		if err == nil {
			_, _, err = TakeMembers(doc)
		}
		wantRefusal(t, err, CodeInvalidValue, mentions)
	}
}

func TestNames_stay_unique_when_containers_are_put_together(t *testing.T) {
	doc, err := prepared(t, `"`+UserURN+`":{"x":1,"title":"t"},"X":2,"TITLE":"later","`+EnterpriseURN+`":{"y":1},"urn:scim:schemas:extension:enterprise:1.0":{"Y":2,"z":3},
		"roles":[{"value":"r","w":1},{"value":"R","W":2,"v":3}]`, Mode{})
	if err != nil {
		t.Fatal(err)
	}
	wantJSON(t, doc, `{"x":1,"title":"t","`+EnterpriseURN+`":{"y":1,"z":3},"roles":[{"value":"r","w":1,"v":3}]}`)
}

func TestWhat_holds_too_much_is_refused_and_what_just_fits_is_prepared_quickly(t *testing.T) {
	names := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(`,"n` + strconv.Itoa(i) + `":1`)
		}
		return b.String()[1:]
	}
	elements := func(n int) string { return `[{"value":"x"}` + strings.Repeat(`,{"value":"x"}`, n-1) + `]` }
	for _, over := range []string{names(mostNames), `"own":{` + names(mostNames+1) + `}`, `"roles":[{` + names(mostNames+1) + `}]`, `"emails":` + elements(mostElements+1), `"` + UserURN + `":{"own":` + elements(mostElements+1) + `}`} {
		_, err := prepared(t, over, Mode{})
		wantRefusal(t, err, CodeInvalidValue, "at most")
	}
	if _, err := Standard().Group.Prepare(objectFrom(t, `{"displayName":"g","MEMBERS":`+elements(mostElements+1)+`}`), Mode{}); err != nil {
		t.Errorf("a large group: %v", err)
	}
	extra, started := names(mostNames-10), time.Now()
	doc, err := prepared(t, `"`+UserURN+`":{"title":1},`+extra+`,"`+EnterpriseURN+`":{"DEPARTMENT":"d",`+extra+`},"emails":`+elements(mostElements)+`,"roles":[{"VALUE":"r"},{"value":"R",`+extra+`}]`, Mode{})
	if err != nil {
		t.Fatal(err)
	}
	if doc.Len() < mostNames-10 {
		t.Errorf("got %d members", doc.Len())
	}
	if took := time.Since(started); took > 2*time.Second {
		t.Errorf("took %s", took)
	}
}
