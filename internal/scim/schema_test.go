package scim

import (
	"slices"
	"testing"
)

//scim:2,3
func TestAttributes_are_found_in_any_letter_case(t *testing.T) {
	user := Standard().User
	for name, want := range map[string]string{
		"userName": "userName", "USERNAME": "userName", "externalid": "externalId", "ID": "id", "Meta": "meta", "SCHEMAS": "schemas", "x509certificates": "x509Certificates",
	} {
		if a := user.Core.Attribute(name); a == nil || a.Name != want {
			t.Errorf("%s: got %v", name, a)
		}
	}
	for _, name := range []string{"", "user", "userNam\u00e9", "department", "email", string(make([]byte, 200))} {
		if a := user.Core.Attribute(name); a != nil {
			t.Errorf("%q: got %s", name, a.Name)
		}
	}
	name := user.Core.Attribute("name")
	if s := name.SubAttribute("GIVENNAME"); s == nil || s.Name != "givenName" {
		t.Errorf("got %v", s)
	}
	if s := name.SubAttribute("nick"); s != nil {
		t.Errorf("got %s", s.Name)
	}
	if allocs := testing.AllocsPerRun(10, func() { user.Core.Attribute("PHONENUMBERS") }); allocs > 0 {
		t.Errorf("a look-up costs %v allocations", allocs)
	}
}

//scim:3
func TestSchemas_are_found_by_URN_in_any_letter_case_and_by_outdated_ones(t *testing.T) {
	m := Standard()
	for urn, want := range map[string]string{
		UserURN: UserURN, "URN:IETF:params:scim:schemas:core:2.0:USER": UserURN, "urn:ietf:params:scim:schemas:core:2.0User": UserURN, "urn:scim:schemas:core:1.0": UserURN,
		"urn:scim:schemas:core:2.0": UserURN, "urn:scim:schemas:extension:enterprise:1.0": EnterpriseURN, "urn:ietf:params:scim:schemas:extension:enterprise:2.0User": EnterpriseURN,
	} {
		if s := m.User.Schema(urn); s == nil || s.ID != want {
			t.Errorf("%s: got %v", urn, s)
		}
	}
	if s := m.User.Schema(GroupURN); s != nil {
		t.Errorf("a user has the schema %s", s.ID)
	}
	if s := m.Group.Schema("urn:scim:schemas:core:1.0"); s == nil || s.ID != GroupURN {
		t.Errorf("got %v", s)
	}
}

//scim:4,5,8,9,10,11,17,18,24,26,28,31,34,35,36,38,45,46
func TestStandard_schemas_are_those_of_the_RFC_with_its_errata(t *testing.T) {
	m := Standard()
	user, group := m.User.Core, m.Group.Core
	enterprise := m.User.Schema(EnterpriseURN)
	type want struct {
		a                          *Attribute
		t                          Type
		multi, required, caseExact bool
		mutability                 Mutability
		returned                   Returned
		uniqueness                 Uniqueness
	}
	for name, w := range map[string]want{
		"id":                     {user.Attribute("id"), TypeString, false, false, true, ReadOnly, ReturnedAlways, UniqueServer},
		"externalId":             {user.Attribute("externalId"), TypeString, false, false, true, ReadWrite, ReturnedDefault, UniqueNone},
		"meta":                   {user.Attribute("meta"), TypeComplex, false, false, false, ReadOnly, ReturnedDefault, UniqueNone},
		"userName":               {user.Attribute("userName"), TypeString, false, true, false, ReadWrite, ReturnedDefault, UniqueServer},
		"password":               {user.Attribute("password"), TypeString, false, false, false, WriteOnly, ReturnedNever, UniqueNone},
		"active":                 {user.Attribute("active"), TypeBoolean, false, false, false, ReadWrite, ReturnedDefault, UniqueNone},
		"groups":                 {user.Attribute("groups"), TypeComplex, true, false, false, ReadOnly, ReturnedDefault, UniqueNone},
		"groups.value":           {user.Attribute("groups").SubAttribute("value"), TypeString, false, false, true, ReadOnly, ReturnedDefault, UniqueNone},
		"emails.value":           {user.Attribute("emails").SubAttribute("value"), TypeString, false, false, false, ReadWrite, ReturnedDefault, UniqueNone},
		"x509Certificates.value": {user.Attribute("x509Certificates").SubAttribute("value"), TypeBinary, false, false, true, ReadWrite, ReturnedDefault, UniqueNone},
		"photos.value":           {user.Attribute("photos").SubAttribute("value"), TypeReference, false, false, true, ReadWrite, ReturnedDefault, UniqueNone},
		"manager.value":          {enterprise.Attribute("manager").SubAttribute("value"), TypeString, false, false, true, ReadWrite, ReturnedDefault, UniqueNone},
		"manager.displayName":    {enterprise.Attribute("manager").SubAttribute("displayName"), TypeString, false, false, false, ReadOnly, ReturnedDefault, UniqueNone},
		"group displayName":      {group.Attribute("displayName"), TypeString, false, true, false, ReadWrite, ReturnedDefault, UniqueNone},
		"members":                {group.Attribute("members"), TypeComplex, true, false, false, ReadWrite, ReturnedDefault, UniqueNone},
		"members.value":          {group.Attribute("members").SubAttribute("value"), TypeString, false, false, true, Immutable, ReturnedDefault, UniqueNone},
		"members.$ref":           {group.Attribute("members").SubAttribute("$ref"), TypeReference, false, false, true, Immutable, ReturnedDefault, UniqueNone},
	} {
		got := want{w.a, w.a.Type, w.a.Multi, w.a.Required, w.a.CaseExact, w.a.Mutability, w.a.Returned, w.a.Uniqueness}
		if got != w {
			t.Errorf("%s: got %+v, want %+v", name, got, w)
		}
	}
	if got := user.Attribute("groups").SubAttribute("$ref").ReferenceTypes; !slices.Equal(got, []string{"Group"}) {
		t.Errorf("groups.$ref refers to %v", got)
	}
	if got := user.Attribute("photos").SubAttribute("type").Canonical; !slices.Equal(got, []string{"photo", "thumbnail"}) {
		t.Errorf("photos have the types %v", got)
	}
	for _, s := range m.Schemas() {
		for _, a := range s.Attributes {
			wellDeclared(t, s.ID, a, true)
		}
	}
}

// wellDeclared checks what holds for every attribute of every schema.
func wellDeclared(t *testing.T, where string, a *Attribute, top bool) {
	t.Helper()
	where += ":" + a.Name
	if !isAttributeName(a.Name) || a.Description == "" || a.Type == "" || a.Mutability == "" || a.Returned == "" || a.Uniqueness == "" {
		t.Errorf("%s is incomplete: %+v", where, a)
	}
	if (a.Type == TypeComplex) != (len(a.Sub) > 0) || (a.Type == TypeComplex && !top && a.Name != "subAttributes") {
		t.Errorf("%s: complex within complex, or without sub-attributes", where)
	}
	if (a.Type == TypeComplex || a.Type == TypeBinary) && a.Uniqueness != UniqueNone {
		t.Errorf("%s claims uniqueness", where)
	}
	if (a.Type == TypeReference) != (len(a.ReferenceTypes) > 0) {
		t.Errorf("%s: reference types %v", where, a.ReferenceTypes)
	}
	for _, s := range a.Sub {
		wellDeclared(t, where, s, false)
	}
}

func TestEmail_is_an_alias_in_filters_only(t *testing.T) {
	user := Standard().User.Core
	target, ok := user.FilterAlias("EMAIL")
	if !ok || target.Attribute != user.Attribute("emails") || target.Sub != target.Attribute.SubAttribute("value") {
		t.Errorf("got %+v, %v", target, ok)
	}
	if _, ok := user.FilterAlias("userName"); ok {
		t.Error("userName is no alias")
	}
	if _, ok := Standard().Group.Core.FilterAlias("email"); ok {
		t.Error("a group has no email")
	}
}

func TestA_model_with_extensions_leaves_the_one_it_came_from_alone(t *testing.T) {
	base := Standard()
	ext, err := ParseExtension(objectFrom(t, `{"id":"urn:acme:1.0:User","attributes":[{"name":"badge"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	more := base.With([]Extension{ext}, nil)
	if more.User.Schema("URN:ACME:1.0:user") == nil || base.User.Schema("urn:acme:1.0:User") != nil {
		t.Error("the extension is not in the new model, or in the old one too")
	}
	if len(more.Schemas()) != len(base.Schemas())+1 {
		t.Errorf("got %d schemas from %d", len(more.Schemas()), len(base.Schemas()))
	}
}

//scim:4,5,8,10,11,43
func TestA_declared_extension_has_the_defaults_and_limits_of_the_RFC(t *testing.T) {
	e, err := ParseExtension(objectFrom(t, `{"schemas":["`+SchemaURN+`"],"ID":"urn:acme:scim:1.0:User","description":"d","attributes":[
		{"name":"plain"},{"name":"file","type":"BINARY","caseExact":false},{"name":"link","type":"reference"},
		{"name":"desk","type":"complex","multiValued":true,"subAttributes":[{"name":"room","type":"integer","canonicalValues":["1"]}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	plain := e.Schema.Attribute("PLAIN")
	if e.Required || e.Schema.Name != "User" || plain.Type != TypeString || plain.Multi || plain.Required || plain.CaseExact ||
		plain.Mutability != ReadWrite || plain.Returned != ReturnedDefault || plain.Uniqueness != UniqueNone {
		t.Errorf("got %+v, %+v", e, plain)
	}
	if !e.Schema.Attribute("file").CaseExact || !e.Schema.Attribute("link").CaseExact || e.Schema.Attribute("desk").SubAttribute("room").Type != TypeInteger {
		t.Error("binary and reference are case-exact, and desk has a room")
	}
	one := func(attribute string) string { return `{"id":"urn:acme:1.0:User","attributes":[` + attribute + `]}` }
	for body, mentions := range map[string]string{
		`{}`: "id must be a URN",
		`{"id":"acme","attributes":[{"name":"a"}]}`:                      "id must be a URN",
		`{"id":"urn:a b:c","attributes":[{"name":"a"}]}`:                 "id must be a URN",
		`{"id":7,"attributes":[{"name":"a"}]}`:                           "id must be a string",
		`{"id":"` + EnterpriseURN + `","attributes":[{"name":"a"}]}`:     "standard schema",
		`{"id":"urn:scim:schemas:core:1.0","attributes":[{"name":"a"}]}`: "standard schema",
		`{"id":"urn:acme:1.0:User"}`:                                     "attributes must be an array",
		one(``):                                                          "attributes must be an array",
		one(`7`):                                                         "name must be a letter",
		one(`{"name":"1a"}`):                                             "name must be a letter",
		one(`{"name":"a.b"}`):                                            "name must be a letter",
		one(`{"name":"a"},{"name":"A"}`):                                 "A is declared twice",
		one(`{"name":"a","type":"text"}`):                                "a.type must be one of string, boolean",
		one(`{"name":"a","required":"yes"}`):                             "a.required must be true or false",
		one(`{"name":"a","mutability":"never"}`):                         "a.mutability must be one of",
		one(`{"name":"a","uniqueness":"server"}`):                        "a.uniqueness must be none",
		one(`{"name":"a","required":true,"mutability":"readOnly"}`):      "a.required must be false",
		one(`{"name":"a","canonicalValues":[1]}`):                        "a.canonicalValues must be an array of strings",
		one(`{"name":"a","type":"complex"}`):                             "a.subAttributes must be an array",
		one(`{"name":"a","subAttributes":[{"name":"b"}]}`):               "a.subAttributes are for the type complex",
		one(`{"name":"a","type":"complex","subAttributes":[{"name":"b","type":"complex","subAttributes":[{"name":"c"}]}]}`): "a.b.type must not be complex",
	} {
		_, err := ParseExtension(objectFrom(t, body))
		wantRefusal(t, err, CodeInvalidValue, mentions)
	}
}
