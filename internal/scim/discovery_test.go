package scim

import (
	"strings"
	"testing"
	"time"
)

//scim:39,40,144,148,150
func TestServiceProviderConfig_tells_what_is_there_and_denies_what_is_not(t *testing.T) {
	full := ServiceProviderConfig(Capabilities{
		DocumentationURI: "https://x.example/docs", BulkOperations: 1000, BulkPayload: 1 << 20, FilterResults: 200, Sort: true, ETag: true,
		Cursors: true, DefaultPageSize: 100, MaxPageSize: 200, CursorTimeout: time.Hour,
		AuthenticationSchemes: []AuthenticationScheme{{Type: SchemeBearerToken, Name: "Bearer", Description: "A token.", Primary: true}},
	}, "https://x.example/scim/v2/d/ServiceProviderConfig")
	wantJSON(t, full, `{"schemas":["`+ServiceProviderConfigURN+`"],"documentationUri":"https://x.example/docs","patch":{"supported":true},
		"bulk":{"supported":true,"maxOperations":1000,"maxPayloadSize":1048576},"filter":{"supported":true,"maxResults":200},
		"changePassword":{"supported":false},"sort":{"supported":true},"etag":{"supported":true},
		"pagination":{"cursor":true,"index":true,"defaultPaginationMethod":"index","defaultPageSize":100,"maxPageSize":200,"cursorTimeout":3600},
		"authenticationSchemes":[{"type":"oauthbearertoken","name":"Bearer","description":"A token.","primary":true}],
		"meta":{"resourceType":"ServiceProviderConfig","location":"https://x.example/scim/v2/d/ServiceProviderConfig"}}`)
	none := ServiceProviderConfig(Capabilities{Strict: true}, "l")
	wantJSON(t, none, `{"schemas":["`+ServiceProviderConfigURN+`"],"patch":{"supported":true},"bulk":{"supported":false,"maxOperations":0,"maxPayloadSize":0},
		"filter":{"supported":false,"maxResults":0},"changePassword":{"supported":false},"sort":{"supported":false},"etag":{"supported":false},
		"pagination":{"cursor":false,"index":true,"defaultPaginationMethod":"index"},"interopProfileConformant":true,"authenticationSchemes":[],
		"meta":{"resourceType":"ServiceProviderConfig","location":"l"}}`)
}

//scim:42,142
func TestResource_types_name_their_schemas(t *testing.T) {
	m := Standard()
	wantJSON(t, m.User.Describe("https://x/v2"), `{"schemas":["`+ResourceTypeURN+`"],"id":"User","name":"User","endpoint":"/Users","description":"People's accounts",
		"schema":"`+UserURN+`","schemaExtensions":[{"schema":"`+EnterpriseURN+`","required":false}],
		"meta":{"resourceType":"ResourceType","location":"https://x/v2/ResourceTypes/User"}}`)
	ids := map[string]bool{}
	for _, s := range m.Schemas() {
		ids[s.ID] = true
	}
	for _, r := range m.ResourceTypes() {
		if !ids[r.Describe("").Text("schema")] {
			t.Errorf("%s names a schema that is not listed", r.Name)
		}
	}
}

//scim:43,48,142
func TestSchemas_are_described_completely_and_messages_are_none(t *testing.T) {
	for _, s := range Standard().Schemas() {
		if strings.Contains(s.ID, ":api:messages:") {
			t.Errorf("%s is listed", s.ID)
		}
		o := s.Describe("https://x/v2")
		meta, _ := o.Get("meta")
		if o.Text("id") != s.ID || o.Text("name") == "" || o.Text("description") == "" || meta.Object().Text("location") != "https://x/v2/Schemas/"+s.ID {
			t.Errorf("%s: got %s", s.ID, o.AppendJSON(nil))
		}
		attributes, _ := o.Get("attributes")
		describedCompletely(t, s.ID, attributes)
	}
}

func describedCompletely(t *testing.T, where string, attributes Value) {
	t.Helper()
	if len(attributes.List()) == 0 {
		t.Errorf("%s has no attributes", where)
	}
	for _, e := range attributes.List() {
		o := e.Object()
		for _, name := range []string{"name", "type", "multiValued", "description", "required", "caseExact", "mutability", "returned", "uniqueness"} {
			if _, ok := o.Get(name); !ok {
				t.Errorf("%s.%s has no %s", where, o.Text("name"), name)
			}
		}
		if _, ok := o.Get("referenceTypes"); ok != (o.Text("type") == "reference") {
			t.Errorf("%s.%s: referenceTypes %v", where, o.Text("name"), ok)
		}
		sub, ok := o.Get("subAttributes")
		if ok != (o.Text("type") == "complex") {
			t.Errorf("%s.%s: subAttributes %v", where, o.Text("name"), ok)
		}
		if ok {
			describedCompletely(t, where+"."+o.Text("name"), sub)
		}
	}
}

//scim:43
func TestAn_attribute_is_described_as_it_behaves(t *testing.T) {
	wantJSON(t, Standard().User.Core.Attribute("userName").describe(), `{"name":"userName","type":"string","multiValued":false,
		"description":"The name the person signs in with.","required":true,"caseExact":false,"mutability":"readWrite","returned":"default","uniqueness":"server"}`)
	wantJSON(t, Standard().Group.Core.Attribute("members").SubAttribute("$ref").describe(), `{"name":"$ref","type":"reference","multiValued":false,
		"description":"The address of the member.","required":false,"caseExact":true,"mutability":"immutable","returned":"default","uniqueness":"none","referenceTypes":["User","Group"]}`)
}

//scim:19,66
func TestMeta_holds_UTC_times_and_the_version(t *testing.T) {
	created := time.Date(2026, 1, 31, 10, 30, 0, 123456789, time.FixedZone("", 7200))
	meta := MetaOf("User", created, created.Add(time.Minute).Truncate(time.Second), "https://x/v2/Users/1", `W/"3"`)
	wantJSON(t, meta.Object(), `{"resourceType":"User","created":"2026-01-31T08:30:00.123456Z","lastModified":"2026-01-31T08:31:00Z","location":"https://x/v2/Users/1","version":"W/\"3\""}`)
	if _, ok := MetaOf("User", created, created, "l", "").Object().Get("version"); ok {
		t.Error("a version was made up")
	}
}
