package scim

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/fault"
)

const patchedUser = `{"schemas":["` + UserURN + `","` + EnterpriseURN + `"],"userName":"bob","externalId":"00u1","active":true,
	"name":{"givenName":"Bob","familyName":"Jones"},"title":"Guide",
	"emails":[{"type":"work","value":"bob@x","primary":true},{"type":"home","value":"b@home"}],
	"` + EnterpriseURN + `":{"department":"Tour"}}`

func patchFrom(t testing.TB, operations string) Patch {
	t.Helper()
	p, err := ParsePatch(patchBody(t, operations), FilterLimits{}, Mode{})
	if err != nil {
		t.Fatalf("ParsePatch(%s): %v", operations, err)
	}
	return p
}

func patchBody(t testing.TB, operations string) *Object {
	t.Helper()
	return objectFrom(t, `{"schemas":["`+PatchURN+`"],"Operations":[`+operations+`]}`)
}

// applied gives the resource after the operations, and checks that the one before is as it was and that nothing is left
// in the result that Prepare would still change.
func applied(t testing.TB, typ *ResourceType, doc *Object, operations string) *Object {
	t.Helper()
	before := doc.Clone()
	got, err := typ.Apply(doc, patchFrom(t, operations), Mode{})
	if err != nil {
		t.Fatalf("Apply(%s): %v", operations, err)
	}
	if !doc.Equal(before) {
		t.Errorf("Apply(%s) changed its input", operations)
	}
	if canonical, err := typ.Prepare(got, Mode{}); err != nil || !canonical.Equal(got) {
		t.Errorf("Apply(%s) gives %s, which is not canonical: %v", operations, got.AppendJSON(nil), err)
	}
	return got
}

// change is a patch and what it makes of the members of patchedUser it touches; null says the member is gone.
type change struct{ operations, want string }

func runChanges(t *testing.T, typ *ResourceType, from string, changes map[string]change) {
	t.Helper()
	for name, tt := range changes {
		t.Run(name, func(t *testing.T) {
			doc, err := typ.Prepare(objectFrom(t, from), Mode{})
			if err != nil {
				t.Fatal(err)
			}
			got := applied(t, typ, doc, tt.operations)
			want := doc.Clone()
			for _, member := range objectFrom(t, "{"+tt.want+"}").Members() {
				if member.Value.Kind() == Null {
					want.Delete(member.Name)
					continue
				}
				want.Set(member.Name, member.Value)
			}
			if !got.Equal(want) {
				t.Errorf("%s\n got %s\nwant %s", tt.operations, got.AppendJSON(nil), want.AppendJSON(nil))
			}
		})
	}
}

func op(verb, path, value string) string {
	s := `{"op":"` + verb + `"`
	if path != "" {
		s += `,"path":` + string(AppendString(nil, path))
	}
	if value != "" {
		s += `,"value":` + value
	}
	return s + "}"
}

//scim:110,111,113,114,115,116,118,119,120,121,122,123,124
func TestPatching_a_user_does_what_RFC_7644_says(t *testing.T) {
	work := `emails[type eq "work"]`
	runChanges(t, Standard().User, patchedUser, map[string]change{
		"add replaces a single value":               {op("add", "title", `"Boss"`), `"title":"Boss"`},
		"add sets what was absent":                  {op("add", "nickName", `"B"`), `"nickName":"B"`},
		"replace of what is absent adds":            {op("replace", "nickName", `"B"`), `"nickName":"B"`},
		"replace with null clears":                  {op("replace", "title", `null`), `"title":null`},
		"add of null changes nothing":               {op("add", "title", `null`), ``},
		"add merges into a complex value":           {op("add", "name", `{"middleName":"M","GIVENNAME":"Rob"}`), `"name":{"givenName":"Rob","familyName":"Jones","middleName":"M"}`},
		"replace of a complex value keeps the rest": {op("replace", "name", `{"givenName":"Rob"}`), `"name":{"givenName":"Rob","familyName":"Jones"}`},
		"null in a complex value clears that part":  {op("replace", "name", `{"givenName":null}`), `"name":{"familyName":"Jones"}`},
		"a complex value without parts is gone":     {op("replace", "name", `{"givenName":null,"familyName":[]}`), `"name":null`},
		"a sub-attribute":                           {op("replace", "name.givenName", `"Rob"`), `"name":{"givenName":"Rob","familyName":"Jones"}`},
		"remove of a sub-attribute":                 {op("remove", "name.givenName", ``), `"name":{"familyName":"Jones"}`},
		"remove of the last sub-attribute":          {op("remove", "name.givenName", ``) + "," + op("remove", "name.familyName", ``), `"name":null`},
		"remove of a single value":                  {op("remove", "title", ``), `"title":null`},
		"remove of what is absent":                  {op("remove", "nickName", ``) + "," + op("remove", `emails[type eq "fax"]`, ``) + "," + op("remove", "name.middleName", ``), ``},
		"add appends a list":                        {op("add", "phoneNumbers", `[{"value":"1"},{"value":"2","type":"work"}]`), `"phoneNumbers":[{"value":"1"},{"value":"2","type":"work"}]`},
		"add appends one object":                    {op("add", "emails", `{"value":"c@x"}`), `"emails":[{"type":"work","value":"bob@x","primary":true},{"type":"home","value":"b@home"},{"value":"c@x"}]`},
		"add does not repeat an equal element":      {op("add", "emails", `[{"primary":true,"value":"bob@x","type":"work"}]`), ``},
		"add completes an element of same type and value": {
			op("add", "emails", `[{"value":"B@home","type":"HOME","display":"Bob"}]`),
			`"emails":[{"type":"work","value":"bob@x","primary":true},{"type":"HOME","value":"B@home","display":"Bob"}]`,
		},
		"a new primary takes it from the old": {
			op("add", "emails", `{"value":"c@x","primary":true}`),
			`"emails":[{"type":"work","value":"bob@x","primary":false},{"type":"home","value":"b@home"},{"value":"c@x","primary":true}]`,
		},
		"primary set on a chosen element": {
			op("replace", `emails[type eq "home"].primary`, `true`),
			`"emails":[{"type":"work","value":"bob@x","primary":false},{"type":"home","value":"b@home","primary":true}]`,
		},
		"primary set by a merged element": {
			op("add", `emails[type eq "home"]`, `{"primary":"True"}`),
			`"emails":[{"type":"work","value":"bob@x","primary":false},{"type":"home","value":"b@home","primary":true}]`,
		},
		"replace of the whole set":          {op("replace", "emails", `[{"value":"n@x"}]`), `"emails":[{"value":"n@x"}]`},
		"replace with an empty list":        {op("replace", "emails", `[]`), `"emails":null`},
		"remove of all elements":            {op("remove", "emails", ``), `"emails":null`},
		"remove of chosen elements":         {op("remove", work, ``), `"emails":[{"type":"home","value":"b@home"}]`},
		"remove of every element":           {op("remove", `emails[value pr]`, ``), `"emails":null`},
		"remove of named elements only":     {op("remove", "emails", `[{"value":"BOB@x"}]`), `"emails":[{"type":"home","value":"b@home"}]`},
		"remove of a value of another type": {op("remove", "emails", `[{"value":"bob@x","type":"home"}]`), ``},
		"remove of a value and type":        {op("remove", "emails", `[{"value":"bob@x","type":"WORK","display":"any"},{"value":"nobody@x"}]`), `"emails":[{"type":"home","value":"b@home"}]`},
		"remove of an address as sent": {
			op("add", "addresses", `[{"type":"work","locality":"Oslo"},{"type":"home","locality":"Bergen"},{"locality":"Oslo","type":"work"}]`) + "," +
				op("remove", "addresses", `{"locality":"Bergen","type":"home"}`),
			`"addresses":[{"type":"work","locality":"Oslo"}]`,
		},
		"elements nobody declared": {
			op("add", "pets", `[{"kind":"cat","name":"Tom"}]`) + "," + op("add", `pets[kind eq "dog"].name`, `"Rex"`) + "," + op("replace", `pets[kind eq "cat"]`, `{"name":"Tim"}`) + "," + op("add", `pets[kind eq "bird"]`, `{"name":"Tweety"}`),
			`"pets":[{"kind":"cat","name":"Tim"},{"kind":"dog","name":"Rex"},{"kind":"bird","name":"Tweety"}]`,
		},
		"an object nobody declared":                              {op("add", "car", `{"colour":"red"}`) + "," + op("add", "car", `{"seats":4}`) + "," + op("remove", "car.colour", ``), `"car":{"seats":4}`},
		"a role as a bare text":                                  {op("add", "roles", `["admin","user"]`) + "," + op("remove", "roles", `["admin"]`), `"roles":[{"value":"user"}]`},
		"null for a chosen element":                              {op("replace", `emails[type eq "work"]`, `null`) + "," + op("add", `emails[type eq "home"]`, `null`), `"emails":[{"type":"home","value":"b@home"}]`},
		"null for what is not there":                             {op("replace", `emails[type eq "fax"].value`, `null`), ``},
		"remove of an empty list":                                {op("remove", "emails", `[]`), ``},
		"remove of a chosen sub-attribute leaves no empty shell": {op("remove", work+".value", ``), `"emails":[{"type":"home","value":"b@home"}]`},
		"remove of a sub-attribute everywhere":                   {op("remove", "emails.type", ``), `"emails":[{"value":"bob@x","primary":true},{"value":"b@home"}]`},
		"replace of a chosen sub-attribute":                      {op("replace", work+".value", `"new@x"`), `"emails":[{"type":"work","value":"new@x","primary":true},{"type":"home","value":"b@home"}]`},
		"replace of several chosen elements": {
			op("replace", `emails[value pr].display`, `"Bob"`),
			`"emails":[{"type":"work","value":"bob@x","primary":true,"display":"Bob"},{"type":"home","value":"b@home","display":"Bob"}]`,
		},
		"replace of a chosen element keeps what it was chosen by": {op("replace", work, `{"value":"new@x"}`), `"emails":[{"type":"work","value":"new@x"},{"type":"home","value":"b@home"}]`},
		"add with a filter that matches nothing creates":          {op("add", `emails[type eq "other" and primary eq true].value`, `"o@x"`), `"emails":[{"type":"work","value":"bob@x","primary":false},{"type":"home","value":"b@home"},{"type":"other","primary":true,"value":"o@x"}]`},
		"a sub-attribute of a list that is empty":                 {op("add", "photos.value", `"https://x/p.png"`), `"photos":[{"value":"https://x/p.png"}]`},
		"operations see what those before did": {
			op("add", "title", `"A"`) + "," + op("remove", "title", ``) + "," + op("add", "nickName", `"N"`) + "," + op("replace", "nickName", `"M"`), `"title":null,"nickName":"M"`,
		},
		"an extension attribute":                           {op("replace", EnterpriseURN+":costCenter", `"7"`), `"` + EnterpriseURN + `":{"department":"Tour","costCenter":"7"}`},
		"the last extension attribute takes the URN along": {op("remove", EnterpriseURN+":department", ``), `"schemas":["` + UserURN + `"],"` + EnterpriseURN + `":null`},
		"a whole extension removed":                        {op("remove", EnterpriseURN, ``), `"schemas":["` + UserURN + `"],"` + EnterpriseURN + `":null`},
		"a whole extension written":                        {op("add", EnterpriseURN, `{"division":"D"}`), `"` + EnterpriseURN + `":{"department":"Tour","division":"D"}`},
		"a pathless value":                                 {op("replace", "", `{"title":"T","nickName":"N"}`), `"title":"T","nickName":"N"`},
		"a pathless list is a whole set":                   {op("replace", "", `{"emails":[{"value":"n@x"}]}`), `"emails":[{"value":"n@x"}]`},
		"a pathless add appends":                           {op("add", "", `{"emails":[{"value":"n@x"}]}`), `"emails":[{"type":"work","value":"bob@x","primary":true},{"type":"home","value":"b@home"},{"value":"n@x"}]`},
		"an immutable attribute is not in the way":         {op("add", "externalId", `"00u2"`), `"externalId":"00u2"`},
	})
}

//scim:115
func TestAn_extension_that_arrives_by_patch_is_named_in_schemas(t *testing.T) {
	typ := badgeModel(t)
	doc := objectFrom(t, `{"schemas":["`+UserURN+`"],"userName":"bob"}`)
	got := applied(t, typ, doc, op("add", badgeURN+":number", `"7"`))
	want := objectFrom(t, `{"schemas":["`+UserURN+`","`+badgeURN+`"],"userName":"bob","`+badgeURN+`":{"number":7}}`)
	if !got.Equal(want) {
		t.Errorf("got %s", got.AppendJSON(nil))
	}
}

// The shapes below are what the identity providers named really send.
//
//scim:t1,t2,t6,t7,t8,t9,t10,t11,2,3,108,128
func TestEvery_dialect_of_a_user_patch_is_understood(t *testing.T) {
	ent := func(rest string) string { return `"` + EnterpriseURN + `":{"department":"Tour"` + rest + `}` }
	runChanges(t, Standard().User, patchedUser, map[string]change{
		"Okta: deactivation without a path":           {`{"op":"replace","value":{"active":false}}`, `"active":false`},
		"Okta: id inside the value":                   {`{"op":"replace","value":{"id":"abc","displayName":"B"}}`, `"displayName":"B"`},
		"Okta: password is taken and not kept":        {`{"op":"replace","value":{"password":"s3cret"}},{"op":"replace","path":"password","value":"s3cret"}`, ``},
		"Okta: null for name and a list":              {`{"op":"replace","value":{"name":null,"emails":null}}`, `"name":null,"emails":null`},
		"Okta: a number where a text is due":          {`{"op":"replace","value":{"externalId":12345}},{"op":"add","path":"addresses","value":[{"postalCode":90210}]}`, `"externalId":"12345","addresses":[{"postalCode":"90210"}]`},
		"Entra: capital operations and text booleans": {`{"op":"Replace","path":"active","value":"False"}`, `"active":false`},
		"Entra: a boolean in a list of objects":       {`{"op":"Replace","path":"active","value":[{"$ref":null,"value":"False"}]}`, `"active":false`},
		"Entra: an address put together from parts": {
			op("Add", `addresses[type eq "work"].streetAddress`, `"Main 1"`) + "," + op("Add", `addresses[type eq "work"].locality`, `"Oslo"`) + "," +
				op("Replace", `addresses[type eq "work"].postalCode`, `"0150"`) + "," + op("Add", `addresses[type eq "home"].locality`, `"Bergen"`),
			`"addresses":[{"type":"work","streetAddress":"Main 1","locality":"Oslo","postalCode":"0150"},{"type":"home","locality":"Bergen"}]`,
		},
		"Entra: replace of an email that is not there": {
			op("remove", "emails", ``) + "," + op("Replace", `emails[type eq "work"].value`, `"n@x"`), `"emails":[{"type":"work","value":"n@x"}]`,
		},
		"Entra: a role chosen by a boolean as text": {
			op("Add", `roles[primary eq "True"].value`, `"admin"`) + "," + op("Replace", `roles[primary eq "True"].display`, `"Admin"`), `"roles":[{"primary":true,"value":"admin","display":"Admin"}]`,
		},
		"Entra: JSON inside a role":           {op("Add", "roles", `[{"primary":true,"type":"WindowsAzureActiveDirectoryRole","value":"{\"id\":\"1\"}"}]`), `"roles":[{"primary":true,"type":"WindowsAzureActiveDirectoryRole","value":"{\"id\":\"1\"}"}]`},
		"Entra: URN path":                     {op("Replace", EnterpriseURN+":department", `"Sales"`), `"` + EnterpriseURN + `":{"department":"Sales"}`},
		"Entra: manager as text":              {op("Add", EnterpriseURN+":manager", `"271"`), ent(`,"manager":{"value":"271"}`)},
		"Entra: manager behind a dot":         {op("Add", EnterpriseURN+".manager", `"271"`), ent(`,"manager":{"value":"271"}`)},
		"Entra: manager as a list":            {op("Add", EnterpriseURN+":manager", `[{"$ref":"../Users/271","value":"271"}]`), ent(`,"manager":{"$ref":"../Users/271","value":"271"}`)},
		"Entra: manager.value":                {op("Add", EnterpriseURN+":manager.value", `"271"`), ent(`,"manager":{"value":"271"}`)},
		"Entra: manager cleared by a text":    {op("Add", EnterpriseURN+":manager", `"271"`) + "," + op("Replace", EnterpriseURN+":manager", `""`), ``},
		"Entra: manager cleared by an object": {op("Add", EnterpriseURN+":manager", `{"value":"271","$ref":"x"}`) + "," + op("Replace", EnterpriseURN+":manager", `{"value":""}`), ``},
		"Entra: manager cleared by its value": {op("Add", EnterpriseURN+":manager", `{"value":"271","$ref":"x"}`) + "," + op("Replace", EnterpriseURN+":manager.value", `""`), ``},
		"Entra: manager cleared by null":      {op("Add", EnterpriseURN+":manager", `{"value":"271"}`) + "," + op("Replace", EnterpriseURN+":manager", `{"value":null}`), ``},
		"Entra: manager removed":              {op("Add", EnterpriseURN+":manager", `{"value":"271"}`) + "," + op("Remove", EnterpriseURN+":manager", ``), ``},
		"Entra with the flag: dotted and URN keys": {
			`{"op":"replace","value":{"name.givenName":"Rob","displayName":"R","` + EnterpriseURN + `:employeeNumber":"9","` + EnterpriseURN + `.division":"D","emails[type eq \"work\"].value":"r@x"}}`,
			`"name":{"givenName":"Rob","familyName":"Jones"},"displayName":"R",` + ent(`,"employeeNumber":"9","division":"D"`) + `,"emails":[{"type":"work","value":"r@x","primary":true},{"type":"home","value":"b@home"}]`,
		},
		"Entra with the flag: the URN as a key":           {`{"op":"add","value":{"` + EnterpriseURN + `":{"division":"D","manager":{"value":"5"}}}}`, ent(`,"division":"D","manager":{"value":"5"}`)},
		"the core URN as a key":                           {`{"op":"replace","value":{"` + UserURN + `":{"title":"T","name.givenName":"Rob"},"` + UserURN + `:nickName":"N"}}`, `"title":"T","nickName":"N","name":{"givenName":"Rob","familyName":"Jones"}`},
		"an extension nulled in a pathless replace":       {`{"op":"replace","value":{"` + EnterpriseURN + `":null}}`, `"schemas":["` + UserURN + `"],"` + EnterpriseURN + `":null`},
		"Microsoft Postman: names in any case":            {`{"OP":"replace","PATH":"NAME.givenname","Value":"Rob"},{"op":"Replace","path":"EMAILS[Type eq \"work\"].VALUE","value":"r@x"}`, `"name":{"givenName":"Rob","familyName":"Jones"},"emails":[{"type":"work","value":"r@x","primary":true},{"type":"home","value":"b@home"}]`},
		"a custom extension missing from schemas":         {op("add", "urn:ietf:params:scim:schemas:extension:Custom:2.0:User:badge", `"7"`), `"schemas":["` + UserURN + `","` + EnterpriseURN + `","urn:ietf:params:scim:schemas:extension:Custom:2.0:User"],"urn:ietf:params:scim:schemas:extension:Custom:2.0:User":{"badge":"7"}`},
		"a custom extension as an object":                 {`{"op":"add","value":{"urn:okta:acme:1.0:user:custom":{"shoe":9}}}`, `"schemas":["` + UserURN + `","` + EnterpriseURN + `","urn:okta:acme:1.0:user:custom"],"urn:okta:acme:1.0:user:custom":{"shoe":9}`},
		"OneLogin: old URNs and managerId":                {`{"op":"replace","value":{"urn:scim:schemas:extension:enterprise:2.0":{"manager":{"managerId":"8","displayName":"Boss"}},"urn:scim:schemas:core:1.0:title":"T"}}`, `"title":"T",` + ent(`,"manager":{"value":"8"}`)},
		"a manager's name alone changes nobody's manager": {op("add", EnterpriseURN+":manager", `{"value":"8"}`) + `,{"op":"replace","value":{"` + EnterpriseURN + `":{"manager":{"displayName":"Boss"}}}}`, ent(`,"manager":{"value":"8"}`)},
		"SailPoint: replace of a complex value":           {op("replace", "name", `{"familyName":"J"}`), `"name":{"givenName":"Bob","familyName":"J"}`},
		"Keycloak: active as a text":                      {`{"op":"replace","value":{"active":"true","userName":"bob2"}}`, `"userName":"bob2"`},
		"Authentik: the whole resource sent back":         {`{"op":"replace","value":{"schemas":["` + UserURN + `"],"id":"1","meta":{"version":"2"},"groups":[{"value":"g"}],"externalId":"00u9","userName":"bob"}}`, `"externalId":"00u9"`},
		"one operation instead of a list of values":       {`{"op":"replace","value":[{"active":false}]}`, `"active":false`},
		"an empty path":                                   {`{"op":"replace","path":"","value":{"active":false}}`, `"active":false`},
		"the attribute again inside the value":            {`{"op":"replace","path":"active","value":{"active":"false"}}`, `"active":false`},
		"an attribute nobody declared":                    {op("add", "shoeSize", `44`) + "," + op("add", "pets", `["cat"]`) + "," + op("add", "pets", `["dog","cat"]`) + "," + op("add", "car.colour", `"red"`), `"shoeSize":44,"pets":["cat","dog"],"car":{"colour":"red"}`},
		"schemas sent along":                              {op("add", "schemas", `["urn:x:y"]`), ``},
	})
	doc, err := Standard().User.Prepare(objectFrom(t, patchedUser), Mode{})
	if err != nil {
		t.Fatal(err)
	}
	renamed := applied(t, Standard().User, doc, `{"op":"replace","value":{"active":"true","userName":"bob2"}}`)
	if renamed.Text("userName") != "bob2" {
		t.Error("userName was not replaced")
	}
}

//scim:109,111,112,108
func TestA_malformed_patch_is_refused_by_what_is_wrong_with_it(t *testing.T) {
	for name, tt := range map[string]struct{ body, code, mentions string }{
		"no operations":              {`{}`, CodeInvalidSyntax, "Operations"},
		"empty operations":           {`{"Operations":[]}`, CodeInvalidSyntax, "at least one"},
		"operations as a text":       {`{"Operations":"x"}`, CodeInvalidSyntax, "Operations"},
		"an operation that is none":  {`{"Operations":[7]}`, CodeInvalidSyntax, "Operations[0]"},
		"another message":            {`{"schemas":["` + SearchURN + `"],"Operations":[{"op":"remove","path":"title"}]}`, CodeInvalidSyntax, PatchURN},
		"no op":                      {`{"Operations":[{"path":"title","value":"x"}]}`, CodeInvalidSyntax, "Operations[0].op"},
		"an unknown op":              {`{"Operations":[{"op":"remove","path":"a"},{"op":"move","path":"title","value":"x"}]}`, CodeInvalidSyntax, "Operations[1].op"},
		"op as a number":             {`{"Operations":[{"op":1}]}`, CodeInvalidSyntax, "Operations[0].op"},
		"a path that is no text":     {`{"Operations":[{"op":"remove","path":["title"]}]}`, CodeInvalidPath, "Operations[0].path"},
		"a malformed path":           {`{"Operations":[{"op":"remove","path":"/title"}]}`, CodeInvalidPath, "Operations[0].path"},
		"a malformed filter in it":   {`{"Operations":[{"op":"remove","path":"emails[type like \"x\"]"}]}`, CodeInvalidFilter, "Operations[0].path"},
		"remove without path":        {`{"Operations":[{"op":"remove","value":{"title":"x"}}]}`, CodeNoTarget, "no path"},
		"add without value":          {`{"Operations":[{"op":"add","path":"title"}]}`, CodeInvalidValue, "no value"},
		"replace without value":      {`{"Operations":[{"op":"replace"}]}`, CodeInvalidValue, "no value"},
		"a pathless text":            {`{"Operations":[{"op":"replace","value":"x"}]}`, CodeInvalidValue, "object of attributes"},
		"a pathless list of several": {`{"Operations":[{"op":"replace","value":[{"a":1},{"b":2}]}]}`, CodeInvalidValue, "object of attributes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParsePatch(objectFrom(t, tt.body), FilterLimits{}, Mode{})
			wantRefusal(t, err, tt.code, tt.mentions)
		})
	}
}

//scim:108,T1
func TestA_message_without_schemas_or_with_one_operation_for_a_list_is_taken(t *testing.T) {
	for _, body := range []string{
		`{"Operations":[{"op":"remove","path":"title"}]}`, `{"OPERATIONS":{"Op":"REMOVE","Path":"title"}}`,
		`{"schemas":null,"operations":[{"op":"remove","path":"title"}]}`, `{"Schemas":["` + strings.ToUpper(PatchURN) + `"],"Operations":[{"op":"remove","path":"title"}]}`,
	} {
		p, err := ParsePatch(objectFrom(t, body), FilterLimits{}, Mode{})
		if err != nil || len(p.Operations) != 1 || p.Operations[0].Op != PatchRemove || p.Operations[0].Path.Attr != "title" {
			t.Errorf("%s: %+v, %v", body, p, err)
		}
	}
}

//scim:45,112,117,122,125,126,110
func TestA_patch_that_cannot_be_applied_is_refused_as_a_whole(t *testing.T) {
	typ := badgeModel(t)
	doc, err := typ.Prepare(objectFrom(t, patchedUser), Mode{})
	if err != nil {
		t.Fatal(err)
	}
	doc.Set(badgeURN, objectValue(t, `{"born":"1970"}`))
	for name, tt := range map[string]struct{ operations, code, mentions string }{
		"a required attribute removed":         {op("remove", "userName", ``), CodeMutability, "userName"},
		"a required attribute nulled":          {op("replace", "userName", `null`), CodeInvalidValue, "userName"},
		"a required attribute blanked":         {op("replace", "", `{"userName":" "}`), CodeInvalidValue, "userName"},
		"a readOnly attribute":                 {op("replace", "id", `"x"`), CodeMutability, "Operations[0] (replace id)"},
		"a readOnly attribute removed":         {op("remove", "groups", ``), CodeMutability, "groups"},
		"a readOnly attribute by filter":       {op("remove", `groups[value eq "g"]`, ``), CodeMutability, "groups"},
		"part of a readOnly attribute":         {op("replace", "meta.created", `"2020-01-01T00:00:00Z"`), CodeMutability, "meta.created"},
		"a readOnly part":                      {op("replace", EnterpriseURN+":manager.displayName", `"B"`), CodeMutability, "displayName"},
		"schemas removed":                      {op("remove", "schemas", ``), CodeMutability, "schemas"},
		"an immutable attribute changed":       {op("replace", badgeURN+":born", `"1980"`), CodeMutability, "born"},
		"an immutable attribute removed":       {op("remove", badgeURN+":born", ``), CodeMutability, "born"},
		"a boolean that is none":               {op("replace", "active", `"perhaps"`), CodeInvalidValue, "active"},
		"an object for a text":                 {op("replace", "title", `{"a":"b"}`), CodeInvalidValue, "title"},
		"a text for a complex value":           {op("replace", "name", `"Bob"`), CodeInvalidValue, "name"},
		"a boolean for a text":                 {op("add", "emails", `[{"value":true}]`), CodeInvalidValue, "emails[0].value"},
		"a number with a fraction":             {op("add", badgeURN+":number", `1.5`), CodeInvalidValue, "number"},
		"a date that is none":                  {op("add", badgeURN+":issued", `"soon"`), CodeInvalidValue, "issued"},
		"nothing to replace":                   {op("replace", `emails[value eq "nobody@x"].display`, `"x"`), CodeNoTarget, "no element matches"},
		"nothing to replace as a whole":        {op("replace", `emails[value eq "nobody@x"]`, `{"value":"x"}`), CodeNoTarget, "no element matches"},
		"a filter that describes no element":   {op("add", `emails[type eq "a" or type eq "b"].value`, `"x"`), CodeNoTarget, "no element matches"},
		"one of several without saying which":  {op("replace", "emails.value", `"x"`), CodeNoTarget, "brackets"},
		"a filter on an unknown sub-attribute": {op("remove", `emails[kind ne "x"]`, ``), CodeInvalidFilter, "kind"},
		"an order among booleans":              {op("remove", `emails[primary gt true]`, ``), CodeInvalidFilter, "no order"},
		"brackets on a single value":           {op("replace", `name[givenName eq "Bob"].familyName`, `"x"`), CodeInvalidPath, "one value only"},
		"a part of a text":                     {op("replace", "title.value", `"x"`), CodeInvalidPath, "sub-attribute"},
		"a list for one element":               {op("replace", `emails[type eq "work"]`, `[{"value":"a"},{"value":"b"}]`), CodeInvalidValue, "one value"},
		"the core schema alone":                {op("remove", UserURN, ``), CodeNoTarget, "core schema"},
		"a text for an extension":              {op("replace", EnterpriseURN, `"x"`), CodeInvalidValue, "extension"},
		"a path with an index as a key":        {op("replace", "", `{"emails[0]":"x"}`), CodeInvalidFilter, "Operations[0]"},
		"an extension inside the core":         {op("replace", "", `{"`+UserURN+`":{"`+EnterpriseURN+`":{"division":"D"}}}`), CodeInvalidSyntax, "beside"},
		"the second of two":                    {op("replace", "title", `"New"`) + "," + op("replace", "active", `7`), CodeInvalidValue, "Operations[1] (replace active)"},
	} {
		t.Run(name, func(t *testing.T) {
			before := doc.Clone()
			got, err := typ.Apply(doc, patchFrom(t, tt.operations), Mode{})
			wantRefusal(t, err, tt.code, tt.mentions)
			if got != nil || !doc.Equal(before) {
				t.Error("something was applied")
			}
		})
	}
}

func objectValue(t testing.TB, json string) Value { return ObjectOf(objectFrom(t, json)) }

//scim:125
func TestAn_immutable_attribute_can_be_set_once_and_repeated(t *testing.T) {
	typ := badgeModel(t)
	doc := objectFrom(t, `{"schemas":["`+UserURN+`"],"userName":"bob"}`)
	once := applied(t, typ, doc, op("add", badgeURN+":born", `"1970"`))
	twice := applied(t, typ, once, op("replace", badgeURN+":born", `"1970"`))
	if !twice.Equal(once) {
		t.Errorf("got %s", twice.AppendJSON(nil))
	}
	dropped := applied(t, typ, once, op("add", badgeURN+":pin", `"1234"`))
	if !dropped.Equal(once) {
		t.Errorf("what is never returned was kept: %s", dropped.AppendJSON(nil))
	}
}

// A client may ask for somebody's end of access while their record lacks what a newer schema requires.
//
//scim:27
func TestWhat_was_missing_before_does_not_keep_a_deactivation_out(t *testing.T) {
	got, err := Standard().User.Apply(objectFrom(t, `{"schemas":["`+UserURN+`"],"active":true}`), patchFrom(t, op("replace", "active", `false`)), Mode{})
	if err != nil || ActiveOf(got) {
		t.Errorf("got %v, %v", got, err)
	}
}

// Known failure of another server: keys of a pathless value were applied in random order.
//
//scim:110
func TestMembers_of_a_pathless_value_are_applied_in_their_order(t *testing.T) {
	doc := objectFrom(t, `{"schemas":["`+UserURN+`"],"userName":"bob"}`)
	for range 20 {
		got := applied(t, Standard().User, doc, `{"op":"replace","value":{"name":{"givenName":"A","familyName":"F"},"name.givenName":"B"}}`)
		if name, _ := got.Get("name"); name.Object().Text("givenName") != "B" {
			t.Fatalf("got %s", got.AppendJSON(nil))
		}
	}
}

// Known failure of another library: removing or replacing more than the element that was meant.
//
//scim:116
func TestAn_operation_without_effect_gives_an_equal_document(t *testing.T) {
	doc, err := Standard().User.Prepare(objectFrom(t, patchedUser), Mode{})
	if err != nil {
		t.Fatal(err)
	}
	for _, operations := range []string{
		op("replace", "active", `"True"`), op("remove", "nickName", ``), op("add", "emails", `[{"type":"home","value":"b@home"}]`),
		op("replace", "", `{"title":"Guide","id":"x"}`), op("replace", EnterpriseURN+":department", `"Tour"`), op("add", "photos", `[]`),
	} {
		if got := applied(t, Standard().User, doc, operations); !got.Equal(doc) {
			t.Errorf("%s gives %s", operations, got.AppendJSON(nil))
		}
	}
}

//scim:108,112
func TestStrict_mode_takes_only_patches_of_the_interoperability_profile(t *testing.T) {
	strict := Mode{Strict: true}
	for name, tt := range map[string]struct{ operations, code string }{
		"no path":                {`{"op":"replace","value":{"active":false}}`, CodeInvalidPath},
		"brackets":               {op("replace", `emails[type eq "work"].value`, `"x"`), CodeInvalidPath},
		"an attribute twice":     {op("replace", "title", `"x"`) + "," + op("remove", "TITLE", ``), CodeInvalidSyntax},
		"op in another case":     {op("Replace", "title", `"x"`), CodeInvalidSyntax},
		"a name in another case": {`{"Op":"replace","path":"title","value":"x"}`, CodeInvalidSyntax},
		"an unknown attribute":   {op("replace", "shoeSize", `1`), CodeInvalidSyntax},
		"an unknown part":        {op("replace", "name.nick", `"x"`), CodeInvalidSyntax},
		"an unknown extension":   {op("replace", "urn:x:y:2.0:Z:a", `"x"`), CodeInvalidSyntax},
		"a boolean as a text":    {op("replace", "active", `"false"`), CodeInvalidValue},
		"one object for a list":  {op("replace", "emails", `{"value":"x"}`), CodeInvalidValue},
		"a whole unknown URN":    {op("remove", "urn:x:y:2.0:Z", ``), CodeInvalidSyntax},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := ParsePatch(patchBody(t, tt.operations), FilterLimits{}, strict)
			if err == nil {
				_, err = Standard().User.Apply(objectFrom(t, patchedUser), p, strict)
			}
			wantRefusal(t, err, tt.code)
		})
	}
	p, err := ParsePatch(patchBody(t, op("replace", "active", `false`)+","+op("replace", "name", `{"givenName":"Rob"}`)+","+op("add", EnterpriseURN+":division", `"D"`)), FilterLimits{}, strict)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Standard().User.Apply(objectFrom(t, patchedUser), p, strict)
	if err != nil {
		t.Fatal(err)
	}
	if name, _ := got.Get("name"); ActiveOf(got) || name.Object().Len() != 1 {
		t.Errorf("got %s", got.AppendJSON(nil))
	}
	if _, err := ParsePatch(objectFrom(t, `{"Operations":[{"op":"remove","path":"title"}]}`), FilterLimits{}, strict); err == nil {
		t.Error("a message without schemas was taken")
	}
}

func changesText(changes []MemberChange) string {
	var all []string
	for _, c := range changes {
		var ids []string
		for _, ref := range c.Members {
			ids = append(ids, ref.Value)
		}
		s := fmt.Sprintf("%s(%s)", c.Kind, strings.Join(ids, " "))
		if c.Where != nil {
			s += c.Where.String()
		}
		all = append(all, s)
	}
	return strings.Join(all, " ")
}

//scim:t3,t4,t5,t7,t18,t19,36,113,116,118,120
func TestMembership_changes_are_read_from_every_dialect(t *testing.T) {
	group := Standard().Group
	for name, tt := range map[string]struct{ operations, want, rest string }{
		"add a list":                            {op("add", "members", `[{"value":"a","display":"A"},{"value":"b"}]`), "add(a b)", ""},
		"add one object":                        {op("add", "members", `{"value":"a"}`), "add(a)", ""},
		"add bare ids":                          {op("add", "members", `["a","b"]`), "add(a b)", ""},
		"add one twice":                         {op("add", "members", `[{"value":"a"},{"value":"a"}]`), "add(a)", ""},
		"add nobody":                            {op("add", "members", `[]`), "", ""},
		"Entra: add with a null $ref":           {op("Add", "members", `[{"$ref":null,"value":"a"}]`), "add(a)", ""},
		"Entra: remove a list":                  {op("Remove", "members", `[{"$ref":null,"value":"a"},{"value":"b"}]`), "remove(a b)", ""},
		"remove one object":                     {op("remove", "members", `{"value":"a"}`), "remove(a)", ""},
		"remove an empty list: nobody":          {op("remove", "members", `[]`), "", ""},
		"Okta: remove by value":                 {op("remove", `members[value eq "a"]`, ``) + "," + op("remove", `members[value eq "b"]`, ``), "remove(a) remove(b)", ""},
		"Okta: several by or":                   {op("remove", `members[value eq "a" or value eq 'b' or VALUE EQ c or value eq "a"]`, ``), "remove(a b c)", ""},
		"remove by an id that is a number":      {op("remove", `members[value eq 12]`, ``), "remove(12)", ""},
		"remove by display":                     {op("remove", `members[display eq "A"]`, ``), `remove_where()display eq "A"`, ""},
		"remove by type and value":              {op("remove", `members[type eq "User" and value eq "a"]`, ``), `remove_where()type eq "User" and value eq "a"`, ""},
		"remove all":                            {op("remove", "members", ``), "remove_all()", ""},
		"Keycloak: remove with null":            {op("remove", "members", `null`), "remove_all()", ""},
		"replace":                               {op("replace", "members", `[{"value":"a"}]`), "replace(a)", ""},
		"replace with nobody":                   {op("replace", "members", `[]`), "replace()", ""},
		"replace with null":                     {op("replace", "members", `null`), "replace()", ""},
		"Okta: rename and members without path": {`{"op":"replace","value":{"id":"g","displayName":"G","members":[{"value":"a"}]}}`, "replace(a)", "id displayName"},
		"Authentik: the whole group":            {`{"op":"replace","value":{"schemas":[],"id":"g","externalId":"e","displayName":"G","members":[{"value":"a"}]}}`, "replace(a)", "schemas id externalId displayName"},
		"a rename with members null":            {`{"op":"replace","value":{"displayName":"G","members":null}}`, "", "displayName"},
		"pathless empty members":                {`{"op":"replace","value":{"members":[]}}`, "replace()", ""},
		"pathless add":                          {`{"op":"add","value":{"Members":[{"Value":"a"}]}}`, "add(a)", ""},
		"pathless with URN key":                 {`{"op":"add","value":{"` + GroupURN + `:members":[{"value":"a"}]}}`, "add(a)", ""},
		"pathless with URN container":           {`{"op":"add","value":{"` + GroupURN + `":{"members":[{"value":"a"}],"displayName":"G"}}}`, "add(a)", "displayName"},
		"URN path":                              {op("add", strings.ToLower(GroupURN)+":MEMBERS", `[{"value":"a"}]`), "add(a)", ""},
		"order is kept": {
			op("remove", `members[value eq "a"]`, ``) + "," + op("replace", "displayName", `"G"`) + "," + op("add", "members", `[{"value":"b"}]`) + "," + op("remove", "members", `[{"value":"c"}]`),
			"remove(a) add(b) remove(c)", "displayName",
		},
	} {
		t.Run(name, func(t *testing.T) {
			rest, changes, err := group.SplitMembers(patchFrom(t, tt.operations), Mode{})
			if err != nil {
				t.Fatal(err)
			}
			if got := changesText(changes); got != tt.want {
				t.Errorf("changes %s, want %s", got, tt.want)
			}
			var left []string
			for _, o := range rest.Operations {
				left = append(left, o.Path.Attr)
			}
			if got := strings.Join(left, " "); got != tt.rest {
				t.Errorf("rest %s, want %s", got, tt.rest)
			}
			doc := objectFrom(t, `{"schemas":["`+GroupURN+`"],"displayName":"G"}`)
			if _, err := group.Apply(doc, rest, Mode{}); err != nil {
				t.Errorf("the rest cannot be applied: %v", err)
			}
		})
	}
}

func TestA_member_keeps_what_was_said_about_it(t *testing.T) {
	_, changes, err := Standard().Group.SplitMembers(patchFrom(t, op("add", "members", `[{"value":"a","DISPLAY":"A","type":"Group","$ref":"../Groups/a"}]`)), Mode{})
	want := MemberRef{Value: "a", Display: "A", Type: "Group", Ref: "../Groups/a"}
	if err != nil || len(changes) != 1 || changes[0].Members[0] != want {
		t.Errorf("got %+v, %v", changes, err)
	}
}

// Known failures of other servers: a group emptied by a removal that named somebody, or by an id nobody knows.
//
//scim:t3,t18,36,125,126
func TestA_membership_change_that_is_not_understood_is_refused_and_never_empties_a_group(t *testing.T) {
	for name, tt := range map[string]struct{ operations, code, mentions string }{
		"a member without id":             {op("add", "members", `[{"value":"a"},{"display":"B"}]`), CodeInvalidValue, "members[1].value"},
		"an empty id":                     {op("replace", "members", `[{"value":""}]`), CodeInvalidValue, "members[0].value"},
		"remove with an empty text":       {op("remove", "members", `""`), CodeInvalidValue, "members"},
		"remove with a member without id": {op("remove", "members", `[{"display":"B"}]`), CodeInvalidValue, "members[0].value"},
		"a list of nothing":               {op("replace", "members", `[{}]`), CodeInvalidValue, "members[0].value"},
		"a list of null":                  {op("replace", "members", `[null]`), CodeInvalidValue, "members[0].value"},
		"a null id":                       {op("replace", "", `{"members":[{"value":null,"display":"A"}]}`), CodeInvalidValue, "members[0].value"},
		"an object with a null id":        {op("replace", "members", `{"value":null}`), CodeInvalidValue, "members[0].value"},
		"an object of nothing":            {op("replace", "members", `{}`), CodeInvalidValue, "members"},
		"an object of nothing to remove":  {op("remove", "members", `{}`), CodeInvalidValue, "members"},
		"a boolean":                       {op("replace", "members", `true`), CodeInvalidValue, "members"},
		"a list in the list":              {op("add", "members", `[["a"]]`), CodeInvalidValue, "members[0]"},
		"a part of a member":              {op("replace", `members[value eq "a"].display`, `"B"`), CodeMutability, "display"},
		"a part of all members":           {op("remove", "members.value", ``), CodeMutability, "value"},
		"a member changed":                {op("replace", `members[value eq "a"]`, `{"value":"b"}`), CodeMutability, "Operations[0]"},
		"an unknown sub-attribute":        {op("remove", `members[vlaue ne "a"]`, ``), CodeInvalidFilter, "vlaue"},
		"a bad second operation":          {op("add", "members", `[{"value":"a"}]`) + "," + op("add", "members", `[{}, {"value":null}]`), CodeInvalidValue, "Operations[1]"},
	} {
		t.Run(name, func(t *testing.T) {
			_, changes, err := Standard().Group.SplitMembers(patchFrom(t, tt.operations), Mode{})
			wantRefusal(t, err, tt.code, tt.mentions)
			if changes != nil {
				t.Error("changes came with the refusal")
			}
		})
	}
}

func TestMembers_are_chosen_one_by_one_by_other_filters(t *testing.T) {
	group := Standard().Group
	refs := []MemberRef{{Value: "a", Type: "User", Display: "Ann"}, {Value: "g", Type: "Group"}, {Value: "p"}}
	for filter, want := range map[string]string{
		`type eq "user"`: "a", `type ne "User"`: "g p", `not (display pr)`: "g p", `value sw "a" or value eq "p"`: "a p", `value eq "A"`: "", `display eq "ann"`: "a",
	} {
		match := group.MemberMatcher(filterFrom(t, filter))
		var got []string
		for _, ref := range refs {
			if match(ref) {
				got = append(got, ref.Value)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s chooses %v, want %s", filter, got, want)
		}
	}
}

func TestA_user_has_no_members_to_split_off(t *testing.T) {
	p := patchFrom(t, op("add", "members", `[{"value":"a"}]`))
	rest, changes, err := Standard().User.SplitMembers(p, Mode{})
	if err != nil || changes != nil || len(rest.Operations) != 1 {
		t.Errorf("got %+v %+v %v", rest, changes, err)
	}
}

func TestA_patch_cannot_cost_more_than_its_limit(t *testing.T) {
	list := strings.Repeat(`{"type":"work"},`, 3000)
	doc := objectFrom(t, `{"schemas":["`+UserURN+`"],"userName":"bob","emails":[`+list[:len(list)-1]+`]}`)
	p := patchFrom(t, op("remove", `emails[type eq "work" and value eq "x"].display`, ``))
	for range 500 {
		p.Operations = append(p.Operations, p.Operations[0])
	}
	if _, err := Standard().User.Apply(doc, p, Mode{}); !fault.Is(err, fault.TooLarge) {
		t.Errorf("got %v", err)
	}
}

func TestSimple_values_of_a_list_can_be_chosen_and_removed(t *testing.T) {
	typ := badgeModel(t)
	doc := objectFrom(t, `{"schemas":["`+UserURN+`","`+badgeURN+`"],"userName":"bob","`+badgeURN+`":{"rooms":["A1","B2","C3"]}}`)
	for operations, want := range map[string]string{
		op("remove", badgeURN+`:rooms[value eq "b2"]`, ``):     `["A1","C3"]`,
		op("remove", badgeURN+":rooms", `["a1","C3"]`):         `["B2"]`,
		op("add", badgeURN+":rooms", `["c3","D4"]`):            `["A1","B2","C3","D4"]`,
		op("replace", badgeURN+`:rooms[value sw "B"]`, `"E5"`): `["A1","E5","C3"]`,
		op("replace", badgeURN+`:rooms`, `"E5"`):               `["E5"]`,
	} {
		got := applied(t, typ, doc, operations)
		badge, _ := got.Get(badgeURN)
		if rooms, _ := badge.Object().Get("rooms"); string(rooms.AppendJSON(nil)) != want {
			t.Errorf("%s gives %s", operations, rooms.AppendJSON(nil))
		}
	}
}

func FuzzPatch(f *testing.F) {
	for _, s := range []string{
		op("replace", "active", `"False"`), op("add", `emails[type eq "work"].value`, `"x"`), op("remove", "members", `[{"value":"a"}]`),
		op("remove", `members[value eq "a"]`, ``), `{"op":"replace","value":{"name.givenName":"x","` + EnterpriseURN + `":{"manager":"5"}}}`,
		op("add", EnterpriseURN+".manager", `[{"$ref":null,"value":"1"}]`), op("add", "emails", `[{"value":"a","primary":true},{"value":"a"}]`),
		op("remove", "name.givenName", ``) + "," + op("replace", "photos.value", `"x"`), op("add", "x[y eq 1].z", `{"a":[null,{}]}`), op("remove", EnterpriseURN, ``),
		op("replace", "", `{"x":{"y":null},"größe":1}`), op("replace", "name", `{"givenName":null,"x":{}}`),
	} {
		f.Add(s)
	}
	user, group := Standard().User, Standard().Group
	docs := map[*ResourceType]*Object{user: objectFrom(f, patchedUser), group: objectFrom(f, `{"schemas":["`+GroupURN+`"],"displayName":"G","x":[{"y":1}]}`)}
	f.Fuzz(func(t *testing.T, operations string) {
		body, err := ReadObject([]byte(`{"Operations":[`+operations+`]}`), DefaultLimits)
		if err != nil {
			t.Skip()
		}
		for _, m := range []Mode{{}, {Strict: true}} {
			for typ, doc := range docs {
				fuzzApply(t, typ, doc, body, m)
			}
		}
	})
}

func fuzzApply(t *testing.T, typ *ResourceType, doc, body *Object, m Mode) {
	asked := body.Clone()
	p, err := ParsePatch(body, FilterLimits{}, m)
	if err == nil {
		p, _, err = typ.SplitMembers(p, m)
	}
	var got *Object
	before := doc.Clone()
	if err == nil {
		got, err = typ.Apply(doc, p, m)
	}
	if !doc.Equal(before) || !body.Equal(asked) {
		t.Fatalf("%s changed what it was given", body.AppendJSON(nil))
	}
	if err != nil {
		if _, ok := fault.As(err); !ok {
			t.Fatalf("%s: %v is no refusal", body.AppendJSON(nil), err)
		}
		return
	}
	canonical, err := typ.Prepare(got, Mode{})
	if err != nil || !canonical.Equal(got) {
		t.Fatalf("%s gives %s, canonical would be %v, %v", body.AppendJSON(nil), got.AppendJSON(nil), canonical, err)
	}
}

func BenchmarkApply_replace_active(b *testing.B) {
	user := Standard().User
	doc, err := user.Prepare(objectFrom(b, oktaUser), Mode{})
	if err != nil {
		b.Fatal(err)
	}
	p := patchFrom(b, op("replace", "", `{"active":false}`))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := user.Apply(doc, p, Mode{}); err != nil {
			b.Fatal(err)
		}
	}
}
