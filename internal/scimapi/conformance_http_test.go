package scimapi_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/scimapi"
	"github.com/rollcallhq/rollcall/internal/scimapi/scimapitest"
)

var requestIDHeader = regexp.MustCompile(`^req_[0-9A-Z]{26}$`)

//scim:51,57,58,62,64,90,109,134,139
func TestEvery_refusal_is_a_SCIM_error_that_names_its_request(t *testing.T) {
	f := scimapitest.SQLite(t, func(o *scimapi.Options) { o.MaxBody = 20_000 }).Linked(directory.New{})
	f.User("ada")
	id := f.User("grace")
	for _, c := range []struct {
		method, path, body, header string
		status                     int
		scimType                   string
	}{
		{"GET", "/Users", "", "Authorization: Bearer wrong", 401, ""},
		{"GET", "/Users/nobody", "", "", 404, ""},
		{"GET", "/Robots", "", "", 404, ""},
		{"DELETE", "/Users", "", "", 405, ""},
		{"PUT", "/Bulk", "{}", "", 405, ""},
		{"POST", "/Users", `{"userName":"ADA"}`, "", 409, "uniqueness"},
		{"POST", "/Users", `{}`, "", 400, "invalidValue"},
		{"POST", "/Users", `{`, "", 400, "invalidSyntax"},
		{"POST", "/Users", `{"userName":"x","USERNAME":"y"}`, "", 400, "invalidSyntax"},
		{"POST", "/Users", `{"userName":"x","name":{"givenName":"a","GivenName":"b"}}`, "", 400, "invalidSyntax"},
		{"POST", "/Users", `{"userName":"x\u0000"}`, "", 400, "invalidValue"},
		{"POST", "/Users", `{"userName":"x","a\u0000":1}`, "", 400, "invalidValue"},
		{"POST", "/Users", "{\"userName\":\"\xc3\"}", "", 400, "invalidSyntax"},
		{"POST", "/Users", `{"userName":"x","a":` + strings.Repeat(`{"a":`, 300) + `1` + strings.Repeat(`}`, 300) + `}`, "", 400, "invalidSyntax"},
		{"POST", "/Users", `{"userName":"x","a":` + strings.Repeat(`[`, 300) + strings.Repeat(`]`, 300) + `}`, "", 400, "invalidSyntax"},
		{"POST", "/Users", `{"userName":"` + strings.Repeat("x", 20_000) + `"}`, "", 413, ""},
		{"GET", "/Users?filter=userName+eq", "", "", 400, "invalidFilter"},
		{"GET", "/Users?count=ten", "", "", 400, "invalidValue"},
		{"PATCH", "/Users/" + id, patch(`{"op":"remove"}`), "", 400, "noTarget"},
		{"PUT", "/Users/" + id, `{"userName":"grace"}`, `If-Match: W/"9"`, 412, ""},
		{"GET", "/Me", "", "", 501, ""},
		{"GET", "/Schemas?filter=id+pr", "", "", 403, ""},
	} {
		name, value, _ := strings.Cut(c.header, ": ")
		var header []string
		if name != "" {
			header = []string{name, value}
		}
		a := f.Do(c.method, c.path, c.body, header...).WantError(c.status, c.scimType)
		request := a.Header.Get("X-Request-Id")
		if detail, _ := a.At("detail").(string); !requestIDHeader.MatchString(request) || !strings.Contains(detail, request) {
			t.Errorf("%s %s: X-Request-Id %q, detail %q", c.method, c.path, request, detail)
		}
		if got := a.Header.Get("Content-Type"); got != "application/scim+json; charset=utf-8" {
			t.Errorf("%s %s: Content-Type %q", c.method, c.path, got)
		}
	}
	if got := f.Do("GET", "/Users/"+id, ""); got.Header.Get("ETag") != `W/"1"` {
		t.Errorf("a refusal changed something: %s", got.Body)
	}
}

// What is in an address reaches the database; an engine that cannot store it must not be why a request fails.
//
//scim:57,91,T13
func TestNo_sign_in_an_address_makes_the_server_fail(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		for _, id := range []string{"%00", "%ff", "a%00b", "%c3%28", "..", "%2e%2e", "%2F", "a%2Fb", "%25", "'", "%22", "*", "%F0%9F%8E%A9", strings.Repeat("x", 3000), "bulkId:x", "-1", "null"} {
			for _, kind := range []string{"/Users/", "/Groups/"} {
				for method, body := range map[string]string{
					"GET": "", "DELETE": "", "PUT": `{"userName":"u","displayName":"g"}`, "PATCH": patch(`{"op":"replace","path":"displayName","value":"g"}`),
				} {
					a := f.Do(method, kind+id, body)
					if a.Status != http.StatusNotFound && a.Status != http.StatusMethodNotAllowed {
						t.Errorf("%s %s%.40s: status %d, %s", method, kind, id, a.Status, a.Body)
					}
				}
			}
		}
		for _, value := range []string{"%00", "%ff", "a%00", "%c3%28", "%5Cu0000", "%5Cud800", "%F0%9F%8E%A9", "%25", "'%3B--"} {
			for _, query := range []string{
				"/Users?filter=userName+eq+%22" + value + "%22", "/Users?filter=externalId+eq+%22" + value + "%22", "/Users?filter=id+eq+%22" + value + "%22", "/Users?filter=title+co+%22" + value + "%22",
				"/Groups?filter=displayName+eq+%22" + value + "%22", "/Groups?filter=members+eq+%22" + value + "%22", "/Users?sortBy=" + value, "/Users?attributes=" + value, "/Users?" + value + "=1",
				"/Users?cursor=" + value, "/Users?filter=" + value, "/" + value, "/Schemas/" + value,
			} {
				if a := f.Do("GET", query, ""); a.Status >= 500 {
					t.Errorf("%s: status %d, %s", query, a.Status, a.Body)
				}
			}
		}
		for _, body := range []string{
			`{"displayName":"g","members":[{"value":"\u0000"}]}`, `{"displayName":"\ud800"}`, `{"displayName":"g","members":[{"value":"` + strings.Repeat("x", 5000) + `"}]}`,
			`{"displayName":"` + strings.Repeat("x", 5000) + `"}`, `{"displayName":"h","externalId":"` + strings.Repeat("x", 5000) + `"}`,
		} {
			if a := f.Do("POST", "/Groups", body); a.Status >= 500 {
				t.Errorf("%.80s: status %d, %s", body, a.Status, a.Body)
			}
		}
		for _, body := range []string{`{"userName":"` + strings.Repeat("é", 5000) + `"}`, `{"userName":"u","externalId":"` + strings.Repeat("x", 50000) + `"}`, `{"userName":"\ud800"}`, `{"userName":1e400}`, `{"userName":-0.0}`} {
			if a := f.Do("POST", "/Users", body); a.Status >= 500 {
				t.Errorf("%.80s: status %d, %s", body, a.Status, a.Body)
			}
		}
	})
}

//scim:49,50,51
func TestHEAD_and_OPTIONS_work_where_GET_does(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	id := f.User("ada")
	for path, allow := range map[string]string{
		"/Users": "GET, HEAD, OPTIONS, POST", "/Users/" + id: "DELETE, GET, HEAD, OPTIONS, PATCH, PUT", "/Groups": "GET, HEAD, OPTIONS, POST", "/Schemas": "GET, HEAD, OPTIONS",
		"/ServiceProviderConfig": "GET, HEAD, OPTIONS", "/ResourceTypes/User": "GET, HEAD, OPTIONS",
	} {
		get, head := f.Do("GET", path, "").Want(http.StatusOK), f.Do("HEAD", path, "").Want(http.StatusOK)
		if len(head.Body) != 0 || head.Header.Get("Content-Type") != get.Header.Get("Content-Type") || head.Header.Get("ETag") != get.Header.Get("ETag") {
			t.Errorf("HEAD %s: %v %q", path, head.Header, head.Body)
		}
		if got := f.Do("OPTIONS", path, "").Want(http.StatusNoContent).Header.Get("Allow"); got != allow {
			t.Errorf("OPTIONS %s: %q, want %q", path, got, allow)
		}
		if got := f.Do("TRACE", path, "").WantError(http.StatusMethodNotAllowed, "").Header.Get("Allow"); got != allow {
			t.Errorf("TRACE %s: Allow %q, want %q", path, got, allow)
		}
	}
	f.Do("HEAD", "/Users/nobody", "").Want(http.StatusNotFound)
}

//scim:59
func TestNothing_is_redirected(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	for _, path := range []string{"/Users/", "//Users", "/Users//", "/./Users", "/users", ""} {
		if a := f.Do("GET", path, ""); a.Status >= 300 && a.Status < 400 || a.Header.Get("Location") != "" {
			t.Errorf("%s: status %d, Location %q", path, a.Status, a.Header.Get("Location"))
		}
	}
}

//scim:56,57
func TestReferences_never_reach_into_another_directory(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		a, b := h.Linked(directory.New{}), h.Linked(directory.New{Name: "B"})
		user := a.Do("POST", "/Users", `{"userName":"ada","externalId":"X1"}`).Want(http.StatusCreated).ID()
		theirs := a.Do("POST", "/Groups", `{"displayName":"Theirs","members":[{"value":"`+user+`"}]}`).Want(http.StatusCreated).ID()
		g := b.Do("POST", "/Groups", `{"displayName":"Ours","members":[{"value":"`+user+`"},{"value":"`+theirs+`"}]}`).Want(http.StatusCreated)
		wantAt(t, g, map[string]any{"members.0.$ref": nil, "members.1.$ref": nil, "members.0.display": nil})
		wantAt(t, a.Do("GET", "/Users/"+user, ""), map[string]any{"groups.0.value": theirs, "groups.1": nil})
		b.Do("PUT", "/Groups/"+theirs, `{"displayName":"Taken"}`).WantError(http.StatusNotFound, "")
		b.Do("POST", "/Bulk", `{"schemas":["`+scim.BulkRequestURN+`"],"Operations":[{"method":"DELETE","path":"/Users/`+user+`"},{"method":"PATCH","path":"/Groups/`+theirs+`","data":`+
			patch(`{"op":"remove","path":"members"}`)+`}]}`).Want(http.StatusOK)
		wantAt(t, a.Do("GET", "/Groups/"+theirs, ""), map[string]any{"displayName": "Theirs", "members.0.value": user})
		b.Do("POST", "/Users", `{"userName":"ada","externalId":"X1"}`).Want(http.StatusCreated)
		wantAt(t, b.Do("GET", "/Groups/"+g.ID(), ""), map[string]any{"displayName": "Ours"})
	})
}

//scim:t16,55
func TestQueries_may_hold_anything_beside_what_is_known(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	id := f.User("ada")
	for _, query := range []string{"?", "?&", "?&&=", "?=x", "?aadOptscim062020", "?aadOptscim062020&", "?%", "?%zz=1", "?a;b", "?filter", "?filter=", "?attributes=&excludedAttributes=", "??", "?startIndex=", "?sortBy="} {
		f.Do("GET", "/Users"+query, "").Want(http.StatusOK)
		f.Do("GET", "/Users/"+id+query, "").Want(http.StatusOK)
		f.Do("PUT", "/Users/"+id+query, `{"userName":"ada"}`).Want(http.StatusOK)
	}
}
