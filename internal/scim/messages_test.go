package scim

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/fault"
)

//scim:51
func TestAn_error_has_its_status_as_text_and_no_empty_scimType(t *testing.T) {
	got := string(AppendError(nil, 400, CodeInvalidValue, "say \"x\"\n"))
	if want := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","scimType":"invalidValue","detail":"say \"x\"\n"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	got = string(AppendError([]byte("x"), 404, "", ""))
	if want := `x{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"404","detail":""}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

//scim:95,146
func TestA_list_has_all_its_numbers_and_Resources_also_when_empty(t *testing.T) {
	const head = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"]`
	number := func(dst []byte, i int) []byte { return append(dst, '0'+byte(i)) }
	for want, got := range map[string][]byte{
		head + `,"totalResults":0,"startIndex":1,"itemsPerPage":0,"Resources":[]}`:                         AppendList(nil, Page{StartIndex: 1}, 0, number),
		head + `,"totalResults":12,"startIndex":3,"itemsPerPage":2,"Resources":[0,1]}`:                     AppendList(nil, Page{TotalResults: 12, StartIndex: 3}, 2, number),
		head + `,"totalResults":3,"itemsPerPage":1,"nextCursor":"n","previousCursor":"p","Resources":[0]}`: AppendList(nil, Page{TotalResults: 3, NextCursor: "n", PreviousCursor: "p"}, 1, number),
		head + `,"itemsPerPage":0,"Resources":[]}`:                                                         AppendList(nil, Page{TotalResults: -1}, 0, number),
	} {
		if string(got) != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

//scim:96,97,98,107,149
func TestA_search_is_read_from_a_body_and_from_an_address_alike(t *testing.T) {
	body, err := ParseSearchRequest(objectFrom(t, `{"schemas":["`+SearchURN+`"],"Attributes":["userName","name.givenName"],"excludedattributes":"emails, groups",
		"filter":"userName eq \"a\"","sortBy":"userName","sortOrder":"descending","StartIndex":"-5","count":-1,"cursor":"","unknown":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	query, err := url.ParseQuery(`attributes=userName,name.givenName&excludedAttributes=emails,+groups&FILTER=userName+eq+%22a%22&sortby=userName&sortOrder=descending&startindex=-5&count=-1&cursor=&&aadOptscim062020`)
	if err != nil {
		t.Fatal(err)
	}
	address, err := ParseSearchQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	for name, q := range map[string]SearchRequest{"body": body, "address": address} {
		if !slices.Equal(q.Attributes, []string{"userName", "name.givenName"}) || !slices.Equal(q.ExcludedAttributes, []string{"emails", "groups"}) ||
			q.Filter != `userName eq "a"` || q.SortBy != "userName" || q.SortOrder != "descending" {
			t.Errorf("%s: got %+v", name, q)
		}
		if q.StartIndex == nil || *q.StartIndex != 1 || q.Count == nil || *q.Count != 0 || q.Cursor == nil || *q.Cursor != "" {
			t.Errorf("%s: got %v, %v, %v", name, q.StartIndex, q.Count, q.Cursor)
		}
	}
	empty, err := ParseSearchRequest(objectFrom(t, `{"startIndex":null,"count":""}`))
	if err != nil || empty.StartIndex != nil || empty.Count != nil || empty.Cursor != nil {
		t.Errorf("got %+v, %v", empty, err)
	}
	huge, err := ParseSearchRequest(objectFrom(t, `{"count":9999999999}`))
	if err != nil || *huge.Count != 1<<31-1 {
		t.Errorf("got %v, %v", huge.Count, err)
	}
}

//scim:98,148
func TestA_search_with_a_wrong_number_or_type_is_refused_by_name(t *testing.T) {
	for body, c := range map[string][2]string{
		`{"count":"ten"}`:             {CodeInvalidValue, "count must be a whole number"},
		`{"startIndex":1.5}`:          {CodeInvalidValue, "startIndex must be a whole number"},
		`{"startIndex":true}`:         {CodeInvalidValue, "startIndex must be a whole number"},
		`{"count":"x","cursor":""}`:   {CodeInvalidCount, "count must be a whole number"},
		`{"count":"x","cursor":null}`: {CodeInvalidValue, "count must be a whole number"},
		`{"filter":7}`:                {CodeInvalidValue, "filter must be a string"},
		`{"attributes":[1]}`:          {CodeInvalidValue, "attributes must be an array of attribute names"},
	} {
		_, err := ParseSearchRequest(objectFrom(t, body))
		wantRefusal(t, err, c[0], c[1])
	}
}

//scim:105
func TestA_comma_within_a_value_filter_does_not_end_a_name(t *testing.T) {
	q, err := ParseSearchQuery(url.Values{"attributes": {` userName ,emails[type eq "a,]b" and value eq "c"].value,,urn:x:1.0:User:y,`}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"userName", `emails[type eq "a,]b" and value eq "c"].value`, "urn:x:1.0:User:y"}
	if !slices.Equal(q.Attributes, want) {
		t.Errorf("got %q", q.Attributes)
	}
}

//scim:129
func TestEach_bulk_operation_answers_for_its_own_mistakes(t *testing.T) {
	r, err := ParseBulkRequest(objectFrom(t, `{"schemas":["`+BulkRequestURN+`"],"failonerrors":"2","operations":[
		{"Method":"post","PATH":"/Users","bulkId":"a","data":{"userName":"u"}},
		{"method":"PATCH","path":"/Users/1","version":"W/\"1\"","data":{"Operations":[]}},
		{"method":"DELETE","path":"/Groups/2"},
		{"method":"POST","path":"/Users","data":{}},
		{"method":"POST","path":"/Users","bulkId":"a","data":{}},
		{"method":"POST","path":"/Users/1","bulkId":"b","data":{}},
		{"method":"GET","path":"/Users/1"},
		{"method":"PUT","path":"/Users","data":{}},
		{"method":"PUT","path":"/Users/1"},
		{"method":"DELETE","path":""},
		{"method":"DELETE","path":"/Users/1?x"},
		7]}`))
	if err != nil {
		t.Fatal(err)
	}
	if r.FailOnErrors != 2 || len(r.Operations) != 12 {
		t.Fatalf("got %d, %d", r.FailOnErrors, len(r.Operations))
	}
	first, second, third := r.Operations[0], r.Operations[1], r.Operations[2]
	if first.Method != "POST" || first.BulkID != "a" || first.Path != "/Users" || first.Data.Text("userName") != "u" || first.Refused != nil {
		t.Errorf("got %+v", first)
	}
	if endpoint, id := second.Target(); endpoint != "/Users" || id != "1" || second.Version != `W/"1"` || second.Index != 1 || second.Refused != nil {
		t.Errorf("got %+v", second)
	}
	if third.Method != "DELETE" || third.Data != nil || third.Refused != nil {
		t.Errorf("got %+v", third)
	}
	for i, mentions := range map[int]string{
		3: "Operations[3].bulkId is required", 4: "that of operation 0", 5: "without an id", 6: "method must be POST", 7: "must name a resource",
		8: "Operations[8].data must be an object", 9: "path must be an endpoint", 10: "path must be an endpoint", 11: "Operations[11] must be an object",
	} {
		f, ok := fault.As(r.Operations[i].Refused)
		if !ok || f.Kind != fault.Invalid || !strings.Contains(f.Message, mentions) {
			t.Errorf("operation %d: got %v", i, r.Operations[i].Refused)
		}
	}
	for _, body := range []string{`{}`, `{"Operations":{}}`, `{"Operations":null}`} {
		_, err := ParseBulkRequest(objectFrom(t, body))
		wantRefusal(t, err, CodeInvalidSyntax, "Operations must be an array")
	}
	_, err = ParseBulkRequest(objectFrom(t, `{"failOnErrors":"x","Operations":[]}`))
	wantRefusal(t, err, CodeInvalidValue, "failOnErrors")
}

//scim:134
func TestToo_many_bulk_operations_are_refused_with_the_limit(t *testing.T) {
	r := BulkRequest{Operations: make([]BulkOperation, 3)}
	if err := r.Within(3); err != nil {
		t.Error(err)
	}
	err := r.Within(2)
	if !fault.Is(err, fault.TooLarge) || !strings.Contains(err.Error(), "at most 2") {
		t.Errorf("got %v", err)
	}
}

//scim:132
func TestBulk_references_are_found_and_replaced_in_data_and_path(t *testing.T) {
	op := BulkOperation{Method: "PATCH", Path: "/Groups/bulkId:g", Data: objectFrom(t, `{"members":[{"value":"bulkId:u1","$ref":"https://x/Users/bulkId:u1"},{"value":"bulkId:u2"}],
		"displayName":"about bulkId:u1","Operations":[{"op":"remove","path":"members[value eq \"bulkId:u3\" or value eq \"bulkId:nobody\"]"}]}`)}
	before := op.Data.Clone()
	if got := op.References(); !slices.Equal(got, []string{"g", "u1", "u2", "u3", "nobody"}) {
		t.Errorf("got %q", got)
	}
	ids := map[string]string{"g": "G", "u1": "U1", "u2": "U2", "u3": "U3"}
	resolved := op.Resolve(func(bulkID string) (string, bool) { id, ok := ids[bulkID]; return id, ok })
	if resolved.Path != "/Groups/G" {
		t.Errorf("got path %s", resolved.Path)
	}
	wantJSON(t, resolved.Data, `{"members":[{"value":"U1","$ref":"https://x/Users/U1"},{"value":"U2"}],"displayName":"about bulkId:u1",
		"Operations":[{"op":"remove","path":"members[value eq \"U3\" or value eq \"bulkId:nobody\"]"}]}`)
	if got := resolved.References(); !slices.Equal(got, []string{"nobody"}) {
		t.Errorf("left are %q", got)
	}
	if !op.Data.Equal(before) || op.Path != "/Groups/bulkId:g" {
		t.Error("the operation itself was changed")
	}
}
