package scimapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/scimapi/scimapitest"
)

// What a client may send wrongly, in every place where it can be sent: none of it is our fault, so none of it makes a 5xx. 501 is
// a refusal by name.
//
//scim:51,58
func TestNothing_that_a_client_sends_is_answered_as_our_fault(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		user := f.User("ada")
		group := f.Do("POST", "/Groups", `{"displayName":"G","members":["`+user+`"]}`).Want(http.StatusCreated).ID()
		odd := []string{
			"", "null", "[]", "{}", "{", "\x00", "\xff\xfe", `"x"`, `{"schemas":5}`, `{"userName":null}`, `{"userName":{"a":[[[]]]}}`, `{"userName":["a","b"]}`,
			`{"displayName":7,"members":{"value":{"value":[]}}}`, `{"displayName":"x","members":[null,5,true,[],{}]}`, `{"displayName":"x","members":"` + strings.Repeat("y", 5000) + `"}`,
			`{"userName":"x","emails":"a","name":[],"active":"perhaps","urn:a:b":5,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":[1]}`,
			`{"userName":"\ud800","id":{},"meta":[],"groups":5}`, `{"Operations":null}`, `{"Operations":[]}`, `{"Operations":[null,[],5]}`, `{"Operations":{"op":"add"}}`,
			`{"Operations":[{"op":"remove","path":"members[value eq \"\\u0000\"]"}]}`, `{"Operations":[{"op":"replace","path":"members","value":{"a":1}}]}`,
			`{"Operations":[{"op":"add","path":"` + strings.Repeat("a[", 400) + `","value":1}]}`, `{"Operations":[{"op":"add","path":"emails[type eq \"work\"","value":[]}]}`,
			`{"Operations":[{"op":"add","value":{"a.b.c.d":1,"":2,":":3,".":4}}]}`, `{"Operations":[{"method":"PATCH","path":"/Users/bulkId:","data":{}}]}`,
			`{"Operations":[{"method":"POST","bulkId":"a","path":"/Users","data":{"userName":"bulkId:a"}}]}`, `{"failOnErrors":-1,"Operations":[{"method":5}]}`,
			`{"filter":5}`, `{"filter":"(((((("}`, `{"count":{}}`, `{"startIndex":1e99}`, `{"cursor":5}`, `{"attributes":5,"sortBy":[]}`, `{"sortBy":"a[","sortOrder":"x"}`,
			`{"filter":"` + strings.Repeat("not (", 2000) + `"}`,
		}
		paths := []string{"", "/.search", "/Users", "/Users/" + user, "/Groups", "/Groups/" + group, "/Users/.search", "/Bulk", "/Me", "/Schemas", "/Users/%00", "/Users/%ff%2f", "/Groups/" + strings.Repeat("x", 3000)}
		queries := []string{
			"", "?filter=%00", "?filter=userName%20eq%20%22%5Cu0000%22", "?filter=" + strings.Repeat("(", 9000), "?attributes=%00,%ff,[[[", "?sortBy=%00", "?cursor=%ff",
			"?count=99999999999999999999", "?startIndex=2147483647&count=1000", "?%zz=%&filter=%zz", "?filter=id%20eq%20%22" + strings.Repeat("x", 3000) + "%22",
			"?filter=members%20eq%20%22%C3%28%22", "?filter=emails.value%20eq%20%22%ff%22%20or%20externalId%20eq%20%22%22",
		}
		check := func(method, path, body string, header ...string) {
			t.Helper()
			if a := f.Do(method, path, body, header...); a.Status >= 500 && a.Status != http.StatusNotImplemented {
				t.Errorf("%s %.200s %.200q: %d %s", method, path, body, a.Status, a.Body)
			}
		}
		for _, path := range paths {
			for _, body := range odd {
				check("POST", path, body)
				check("PUT", path, body)
				check("PATCH", path, body)
			}
			for _, query := range queries {
				check("GET", path+query, "")
			}
			for _, tag := range []string{`W/""`, ",,,", "*", `W/"99999999999999999999"`, "\xff"} {
				check("GET", path, "", "If-None-Match", tag)
				check("PATCH", path, `{"Operations":[{"op":"add","path":"displayName","value":"x"}]}`, "If-Match", tag, "User-Agent", "\xff")
			}
		}
		if strings.Contains(h.Lines.String(), "panic") {
			t.Error("something panicked")
		}
		f.Do("GET", "/Users/"+user, "").Want(http.StatusOK)
	})
}
