package scimapi_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/scimapi/scimapitest"
)

// noise is text that no engine can compress: what fits an index when it repeats itself may not otherwise.
func noise(n int) string {
	r, b := rand.New(rand.NewPCG(1, 2)), make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return base64.RawURLEncoding.EncodeToString(b)[:n]
}

//scim:126,t13
func TestValues_too_long_for_an_index_are_a_clear_refusal_or_stored(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		group := "/Groups/" + f.Do("POST", "/Groups", `{"displayName":"G"}`).Want(http.StatusCreated).ID()
		user := "/Users/" + f.User("ada")
		for _, n := range []int{600, 3000, 9000, 200_000} {
			long := noise(n)
			for what, a := range map[string]scimapitest.Answer{
				"userName":          f.Do("POST", "/Users", `{"userName":"`+long+`"}`),
				"externalId":        f.Do("POST", "/Users", `{"userName":"e`+fmt.Sprint(n)+`","externalId":"`+long+`"}`),
				"email":             f.Do("POST", "/Users", `{"userName":"m`+fmt.Sprint(n)+`","emails":[{"value":"`+long+`@example.com"}]}`),
				"title":             f.Do("POST", "/Users", `{"userName":"t`+fmt.Sprint(n)+`","title":"`+long+`"}`),
				"a custom name":     f.Do("POST", "/Users", `{"userName":"c`+fmt.Sprint(n)+`","urn:`+long+`:x":{"a":1}}`),
				"a new userName":    f.Do("PUT", user, `{"userName":"x`+long+`"}`),
				"displayName":       f.Do("POST", "/Groups", `{"displayName":"`+long+`"}`),
				"a new displayName": f.Do("PATCH", group, patch(`{"op":"replace","path":"displayName","value":"y`+long+`"}`)),
				"group externalId":  f.Do("POST", "/Groups", `{"displayName":"e`+fmt.Sprint(n)+`","externalId":"`+long+`"}`),
				"a member":          f.Do("PATCH", group, patch(`{"op":"add","path":"members","value":[{"value":"`+long+`","display":"`+long+`"}]}`)),
				"a member to leave": f.Do("PATCH", group, patch(`{"op":"remove","path":"members","value":[{"value":"`+long+`"}]}`)),
			} {
				switch {
				case a.Status < 300:
				case a.Status != http.StatusBadRequest || a.At("scimType") != "invalidValue":
					t.Errorf("%s of %d bytes: status %d, %.300s", what, n, a.Status, a.Body)
				case len(a.Body) > 1000:
					t.Errorf("%s of %d bytes is told back at length: %d bytes", what, n, len(a.Body))
				}
			}
			for _, filter := range []string{`userName eq "%s"`, `externalId eq "%s"`, `id eq "%s"`, `title eq "%s"`} {
				if a := f.Do("POST", "/Users/.search", `{"filter":"`+strings.ReplaceAll(fmt.Sprintf(filter, long), `"`, `\"`)+`"}`); a.Status >= 500 {
					t.Errorf("%s of %d bytes: status %d", filter, n, a.Status)
				}
			}
		}
	})
}

//scim:96,97,98
func TestPages_beyond_all_numbers_are_empty_or_refused(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		f.User("ada")
		for _, n := range []string{"2147483648", "9223372036854775807", "9223372036854775808", "99999999999999999999999", "-9223372036854775808", "1e3", "0x10", "+5", " 5", "５"} {
			for _, query := range []string{"startIndex=%s", "startIndex=%s&count=9", "count=%s", "startIndex=%[1]s&count=%[1]s", "startIndex=%s&sortBy=userName", "startIndex=%s&filter=title+pr", "cursor=&count=%s"} {
				for _, endpoint := range []string{"/Users?", "/Groups?", "?"} {
					address := endpoint + fmt.Sprintf(query, strings.ReplaceAll(strings.ReplaceAll(n, "+", "%2B"), " ", "+"))
					if a := f.Do("GET", address, ""); a.Status != http.StatusOK && a.Status != http.StatusBadRequest {
						t.Errorf("%s: status %d, %s", address, a.Status, a.Body)
					}
				}
			}
		}
	})
}

//scim:28,36
func TestGroups_that_hold_each_other_do_no_harm(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		user := f.User("ada")
		a := f.Do("POST", "/Groups", `{"displayName":"A","members":[{"value":"`+user+`"}]}`).Want(http.StatusCreated).ID()
		b := f.Do("POST", "/Groups", `{"displayName":"B","members":[{"value":"`+a+`"}]}`).Want(http.StatusCreated).ID()
		for _, m := range []string{b, a} {
			f.Do("PATCH", "/Groups/"+a, patch(`{"op":"add","path":"members","value":[{"value":"`+m+`"}]}`)).Want(http.StatusNoContent, http.StatusBadRequest)
		}
		groups, _ := f.Do("GET", "/Users/"+user, "").Want(http.StatusOK).At("groups").([]any)
		if len(groups) != 2 {
			t.Errorf("groups %v", groups)
		}
		wantAt(t, f.Do("GET", "/Users?filter=groups.value+eq+%22"+b+"%22", "").Want(http.StatusOK), map[string]any{"totalResults": 1.0})
		f.Do("DELETE", "/Groups/"+b, "").Want(http.StatusNoContent)
		f.Do("DELETE", "/Groups/"+a, "").Want(http.StatusNoContent)
		wantAt(t, f.Do("GET", "/Users/"+user, "").Want(http.StatusOK), map[string]any{"groups": nil})
	})
}

//scim:24,46,62
func TestOf_many_who_create_one_name_at_once_exactly_one_succeeds(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		for endpoint, name := range map[string]string{"/Users": "userName", "/Groups": "displayName"} {
			answers := make([]scimapitest.Answer, 8)
			var all sync.WaitGroup
			for i := range answers {
				all.Go(func() {
					spelling := []string{"Straße", "strasse", "STRASSE", "straße"}[i%4]
					answers[i] = f.Do("POST", endpoint, `{"`+name+`":"`+spelling[:4]+`"}`)
				})
			}
			all.Wait()
			created := 0
			for _, a := range answers {
				if a.Status == http.StatusCreated {
					created++
				} else {
					a.WantError(http.StatusConflict, "uniqueness")
				}
			}
			if created != 1 {
				t.Errorf("%s: %d were created", endpoint, created)
			}
		}
	})
}

//scim:110,113
func TestMembers_added_and_removed_at_once_are_all_accounted_for(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		ids := people(f, 12)
		path := "/Groups/" + f.Do("POST", "/Groups", `{"displayName":"G","members":[{"value":"`+strings.Join(ids[:6], `"},{"value":"`)+`"}]}`).Want(http.StatusCreated).ID()
		f.Events()
		var all sync.WaitGroup
		statuses := make([]int, len(ids))
		for i, id := range ids {
			all.Go(func() {
				body := patch(`{"op":"remove","path":"members[value eq \"` + id + `\"]"}`)
				if i >= 6 {
					body = patch(`{"op":"add","path":"members","value":[{"value":"` + id + `"}]}`)
				}
				statuses[i] = f.Do("PATCH", path, body).Status
			})
		}
		all.Wait()
		for i, s := range statuses {
			if s != http.StatusNoContent {
				t.Errorf("change %d: status %d", i, s)
			}
		}
		got := map[any]bool{}
		list, _ := f.Do("GET", path, "").At("members").([]any)
		for _, m := range list {
			got[scimapitest.At(m, "value")] = true
		}
		for i, id := range ids {
			if got[id] != (i >= 6) {
				t.Errorf("member %d is in: %v", i, got[id])
			}
		}
		count := map[event.Type]int{}
		for _, e := range f.Events() {
			count[e.Type]++
		}
		if count[event.DirectoryGroupUserAdded] != 6 || count[event.DirectoryGroupUserRemoved] != 6 {
			t.Errorf("events %v", count)
		}
	})
}

//scim:16,t17
func TestNumbers_that_no_schema_knows_keep_their_digits(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	a := f.Do("POST", "/Users", `{"userName":"ada","urn:example:x:1":{"long":12345678901234567890,"exact":1.10,"tiny":1e-7,"no":false,"list":[1,"a",{"b":null,"c":2}]}}`).Want(http.StatusCreated)
	if got := string(f.Do("GET", "/Users/"+a.ID(), "").Body); !strings.Contains(got, `{"long":12345678901234567890,"exact":1.10,"tiny":1e-7,"no":false,"list":[1,"a",{"b":null,"c":2}]}`) {
		t.Errorf("%s", got)
	}
}

//scim:108,109,111,126
func TestOperations_that_say_nothing_are_refused(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	path := "/Users/" + f.User("ada")
	f.Events()
	for _, op := range []string{
		`{"op":"replace","path":"title"}`, `{"op":"add","path":"emails"}`, `{"op":"add"}`, `{"op":"replace"}`, `{"op":"replace","value":"x"}`, `{}`, `null`, `{"op":null}`,
		`{"op":"add","path":7,"value":1}`, `{"op":"add","path":["title"],"value":1}`,
	} {
		if a := f.Do("PATCH", path, patch(op)); a.Status != http.StatusBadRequest {
			t.Errorf("%s: status %d, %s", op, a.Status, a.Body)
		}
	}
	f.WantNews()
}

//scim:62,72
func TestSomebody_who_was_inactive_comes_back_as_the_same_record_however_they_come(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		id := f.Do("POST", "/Users", `{"userName":"ada","externalId":"X","active":false}`).Want(http.StatusCreated).ID()
		still := f.Do("POST", "/Users", `{"userName":"ADA","active":false}`)
		if still.Status == http.StatusCreated {
			wantAt(t, still, map[string]any{"id": id, "active": false})
		} else {
			still.WantError(http.StatusConflict, "uniqueness")
		}
		wantAt(t, f.Do("POST", "/Users", `{"userName":"Ada","externalId":"Y"}`).Want(http.StatusCreated), map[string]any{"id": id, "active": true, "externalId": "Y", "userName": "Ada"})
		f.Do("POST", "/Users", `{"userName":"ada"}`).WantError(http.StatusConflict, "uniqueness")
		wantAt(t, f.Do("GET", "/Users", ""), map[string]any{"totalResults": 1.0})
	})
}

//scim:112,126,t1
func TestA_strict_directory_refuses_what_only_tolerance_understands(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{Strict: true})
	whole := func(rest string) string { return `{"schemas":["` + scim.UserURN + `"],"userName":"ada"` + rest + `}` }
	path := "/Users/" + f.Do("POST", "/Users", whole("")).Want(http.StatusCreated).ID()
	f.Events()
	for _, body := range []string{`{"userName":"x"}`, whole(`,"own":1`), whole(`,"title":7`), whole(`,"emails":{"value":"x"}`), whole(`,"urn:example:x:1":{"a":1}`), whole(`,"nickName":true`)} {
		f.Do("PUT", path, body).Want(http.StatusBadRequest)
	}
	for _, op := range []string{`{"op":"Replace","path":"title","value":"x"}`, `{"op":"replace","value":{"title":"x"}}`, `{"op":"replace","path":"emails[type eq \"work\"].value","value":"x"}`, `{"op":"replace","path":"own","value":"x"}`} {
		f.Do("PATCH", path, patch(op)).Want(http.StatusBadRequest)
	}
	f.WantNews()
	wantAt(t, f.Do("PATCH", path, patch(`{"op":"replace","path":"title","value":"x"}`)).Want(http.StatusOK), map[string]any{"title": "x"})
}

// What is compared with each other grows with the square of its number; none of these may take minutes.
//
//scim:126,134
func TestRequests_that_would_keep_a_processor_busy_are_refused_or_quick(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	user := "/Users/" + f.User("ada")
	group := "/Groups/" + f.Do("POST", "/Groups", `{"displayName":"G"}`).Want(http.StatusCreated).ID()
	many := func(n int, format string) string {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = strings.ReplaceAll(format, "#", strconv.Itoa(i))
		}
		return strings.Join(parts, ",")
	}
	for _, c := range []struct {
		what, method, path, body string
		status                   int
		scimType                 string
	}{
		{"operations that add", "PATCH", user, patch(many(20_000, `{"op":"add","path":"emails","value":{"value":"#@x"}}`)), 413, ""},
		{"new attributes", "PATCH", user, patch(many(20_000, `{"op":"add","path":"c#","value":"#"}`)), 413, ""},
		{"new elements by path", "PATCH", user, patch(many(10_000, `{"op":"add","path":"addresses[type eq \"t#\"].locality","value":"#"}`)), 413, ""},
		{"one list", "PATCH", user, patch(`{"op":"add","path":"emails","value":[` + many(60_000, `{"value":"#@x"}`) + `]}`), 400, "invalidValue"},
		{"a list", "PUT", user, `{"userName":"ada","emails":[` + many(60_000, `{"value":"#@x"}`) + `]}`, 400, "invalidValue"},
		{"attributes", "PUT", user, `{"userName":"ada",` + many(60_000, `"c#":"#"`) + `}`, 400, "invalidValue"},
		{"containers", "POST", "/Users", `{"userName":"eve",` + many(60_000, `"urn:x:#":{"a":#}`) + `}`, 400, "invalidValue"},
		{"filters on members", "PATCH", group, patch(many(15_000, `{"op":"remove","path":"members[display eq \"m#\"]"}`)), 413, ""},
	} {
		started := time.Now()
		f.Do(c.method, c.path, c.body).WantError(c.status, c.scimType)
		if took := time.Since(started); took > 20*time.Second {
			t.Errorf("%s: took %s", c.what, took)
		}
	}
	f.Do("PATCH", group, patch(`{"op":"add","path":"members","value":[`+many(6_000, `{"value":"m#"}`)+`]}`)).Want(http.StatusNoContent)
	wantAt(t, f.Do("GET", user, ""), map[string]any{"meta.version": `W/"1"`})
}

//scim:129,130,132,133
func TestBulk_requests_that_contradict_themselves_are_answered_operation_by_operation(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	id := f.User("ada")
	a := f.Do("POST", "/Bulk", bulkOf(
		`{"method":"POST","path":"/Users","bulkId":"nothing"}`, `{"method":"PATCH","path":"/Users/`+id+`"}`, `{"method":"PUT","path":"/Users/`+id+`","data":"x"}`,
		`{"method":"POST","path":"/Groups","bulkId":"self","data":{"displayName":"Self","members":[{"value":"bulkId:self"}]}}`,
		`{"method":"DELETE","path":"/Users/bulkId:gone"}`, `{"method":"POST","path":"/Users","bulkId":"gone","data":{"userName":"gone"}}`,
		`{"method":"POST","path":"/Users","bulkId":"twice","data":{"userName":"one"}}`, `{"method":"POST","path":"/Users","bulkId":"twice","data":{"userName":"two"}}`,
	)).Want(http.StatusOK)
	if got := statuses(a); got != "400 400 400 201 204 201 201 400" {
		t.Errorf("statuses %s: %s", got, a.Body)
	}
	f.Do("GET", "/Users/"+id, "").Want(http.StatusOK)
	if got := found(f, "/Users", `userName eq "gone"`); got != "" {
		t.Errorf("%s is still there", got)
	}
}
