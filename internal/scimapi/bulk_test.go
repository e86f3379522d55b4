package scimapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/scimapi/scimapitest"
)

func bulk(f *scimapitest.Feed, failOnErrors string, operations ...string) scimapitest.Answer {
	f.House.T.Helper()
	return f.Do("POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"failOnErrors":`+failOnErrors+`,"Operations":[`+
		strings.Join(operations, ",")+`]}`).Want(http.StatusOK)
}

func statuses(a scimapitest.Answer) string {
	var out []string
	list, _ := a.At("Operations").([]any)
	for _, r := range list {
		s, _ := scimapitest.At(r, "status").(string)
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

//scim:129,130,135,136
func TestBulk_answers_for_each_operation(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		id, gone := f.User("ada"), f.User("gone")
		f.Events()
		a := bulk(f, "0",
			`{"method":"POST","path":"/Users","bulkId":"n","data":{"userName":"new"}}`,
			`{"method":"POST","path":"/Users","bulkId":"d","data":{"userName":"ADA"}}`,
			`{"method":"put","path":"Users/`+id+`","data":{"userName":"ada","title":"x"}}`,
			`{"method":"PATCH","path":"/Users/`+id+`","version":"W/\"1\"","data":{"Operations":[{"op":"remove","path":"title"}]}}`,
			`{"method":"PATCH","path":"/Users/`+id+`","version":"W/\"2\"","data":{"Operations":[{"op":"remove","path":"title"}]}}`,
			`{"method":"DELETE","path":"/Users/`+gone+`"}`,
			`{"method":"GET","path":"/Users/`+id+`"}`,
			`{"method":"POST","path":"/Bulk","bulkId":"b","data":{"Operations":[]}}`,
			`{"method":"DELETE","path":"/Users/nobody"}`,
		)
		if got := statuses(a); got != "201 409 200 412 200 204 400 404 404" {
			t.Fatalf("statuses %s: %s", got, a.Body)
		}
		for path, want := range map[string]any{
			"schemas.0": "urn:ietf:params:scim:api:messages:2.0:BulkResponse", "Operations.0.bulkId": "n", "Operations.0.method": "POST", "Operations.0.version": `W/"1"`,
			"Operations.0.response": nil, "Operations.1.location": nil, "Operations.1.response.scimType": "uniqueness", "Operations.1.response.status": "409",
			"Operations.2.location": f.Base + "/Users/" + id, "Operations.2.version": `W/"2"`, "Operations.4.version": `W/"3"`,
			"Operations.5.location": f.Base + "/Users/" + gone, "Operations.5.method": "DELETE",
		} {
			if got := a.At(path); got != want {
				t.Errorf("%s: %v, want %v", path, got, want)
			}
		}
		if location, _ := a.At("Operations.0.location").(string); !strings.HasPrefix(location, f.Base+"/Users/") {
			t.Errorf("location %q", location)
		}
		f.WantNews(event.DirectoryUserCreated, event.DirectoryUserUpdated, event.DirectoryUserUpdated, event.DirectoryUserDeleted)
		for _, body := range []string{`{}`, `{"Operations":{}}`, `{"Operations":[],"failOnErrors":"x"}`} {
			f.Do("POST", "/Bulk", body).Want(http.StatusBadRequest)
		}
	})
}

//scim:131
func TestBulk_stops_after_as_many_errors_as_wanted(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	bad := `{"method":"DELETE","path":"/Users/nobody"}`
	good := func(name string) string {
		return `{"method":"POST","path":"/Users","bulkId":"` + name + `","data":{"userName":"` + name + `"}}`
	}
	if got := statuses(bulk(f, "2", good("a"), bad, good("b"), bad, good("c"), bad)); got != "201 404 201 404" {
		t.Errorf("failOnErrors 2: %s", got)
	}
	if got := statuses(bulk(f, "0", good("d"), bad, good("e"), bad, good("f"))); got != "201 404 201 404 201" {
		t.Errorf("failOnErrors 0: %s", got)
	}
	if got := f.Do("GET", "/Users?filter=userName+eq+%22c%22", "").At("totalResults"); got != 0.0 {
		t.Errorf("an operation after the stop was done")
	}
}

//scim:132
func TestBulk_references_reach_forward_and_backward_in_data_and_path(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		a := bulk(f, "1",
			`{"method":"POST","path":"/Groups","bulkId":"g","data":{"displayName":"G","members":[{"value":"bulkId:later","type":"User"}]}}`,
			`{"method":"POST","path":"/Users","bulkId":"later","data":{"userName":"later"}}`,
			`{"method":"POST","path":"/Users","bulkId":"boss","data":{"userName":"boss"}}`,
			`{"method":"PATCH","path":"/Groups/bulkId:g","data":{"Operations":[{"op":"add","path":"members","value":[{"value":"bulkId:boss"}]}]}}`,
			`{"method":"PATCH","path":"/Users/bulkId:later","data":{"Operations":[{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value","value":"bulkId:boss"}]}}`,
			`{"method":"PATCH","path":"/Groups/bulkId:g","data":{"Operations":[{"op":"remove","path":"members[value eq \"bulkId:later\"]"}]}}`,
		)
		if got := statuses(a); got != "201 201 201 204 200 204" {
			t.Fatalf("%s: %s", got, a.Body)
		}
		f.WantNews(event.DirectoryUserCreated, event.DirectoryGroupCreated, event.DirectoryGroupUserAdded, event.DirectoryUserCreated,
			event.DirectoryGroupUserAdded, event.DirectoryUserUpdated, event.DirectoryGroupUserRemoved)
		group, _ := a.At("Operations.0.location").(string)
		boss, _ := a.At("Operations.2.location").(string)
		later, _ := a.At("Operations.1.location").(string)
		got := f.Do("GET", strings.TrimPrefix(group, f.Base), "").Want(http.StatusOK)
		if members, _ := got.At("members").([]any); len(members) != 1 || got.At("members.0.$ref") != boss {
			t.Errorf("group %s", got.Body)
		}
		person := f.Do("GET", strings.TrimPrefix(later, f.Base), "").Want(http.StatusOK)
		if manager, _ := person.At("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.manager.value").(string); manager == "" || !strings.HasSuffix(boss, manager) {
			t.Errorf("person %s", person.Body)
		}
		a = bulk(f, "0",
			`{"method":"POST","path":"/Groups","bulkId":"x","data":{"displayName":"X","members":[{"value":"bulkId:missing"}]}}`,
			`{"method":"POST","path":"/Groups","bulkId":"y","data":{"displayName":"Y","members":[{"value":"bulkId:bad"}]}}`,
			`{"method":"POST","path":"/Users","bulkId":"bad","data":{"userName":""}}`)
		if got := statuses(a); got != "400 409 400" {
			t.Errorf("references to nothing: %s: %s", got, a.Body)
		}
		f.WantNews()
	})
}

//scim:133
func TestBulk_closes_circles_of_references(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		a := bulk(f, "0",
			`{"method":"POST","path":"/Groups","bulkId":"a","data":{"displayName":"A","members":[{"type":"Group","value":"bulkId:b"}]}}`,
			`{"method":"POST","path":"/Groups","bulkId":"b","data":{"displayName":"B","members":[{"type":"Group","value":"bulkId:a"}]}}`)
		if got := statuses(a); got != "201 201" {
			t.Fatalf("%s: %s", got, a.Body)
		}
		first, _ := a.At("Operations.0.location").(string)
		second, _ := a.At("Operations.1.location").(string)
		if got := f.Do("GET", strings.TrimPrefix(first, f.Base), "").At("members.0.$ref"); got != second {
			t.Errorf("the first has %v, want %s", got, second)
		}
		got := f.Do("GET", strings.TrimPrefix(second, f.Base), "")
		if got.At("members.0.$ref") != first || got.Header.Get("ETag") != a.At("Operations.1.version") {
			t.Errorf("the second: %v %s, want member %s", got.Header, got.Body, first)
		}
		a = bulk(f, "0",
			`{"method":"POST","path":"/Groups","bulkId":"c","data":{"displayName":"","members":[{"value":"bulkId:d"}]}}`,
			`{"method":"POST","path":"/Groups","bulkId":"d","data":{"displayName":"D","members":[{"value":"bulkId:c"}]}}`)
		if got := statuses(a); got != "400 409" {
			t.Errorf("a circle that cannot be closed: %s: %s", got, a.Body)
		}
		if got := f.Do("GET", "/Groups?filter=displayName+eq+%22D%22", "").At("totalResults"); got != 0.0 {
			t.Error("half of a circle is left")
		}
	})
}
