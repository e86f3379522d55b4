package scimapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/scimapi/scimapitest"
)

//scim:17,19,20,21,61,63,65,66,137
func TestA_person_is_created_and_read_back_with_id_location_and_version(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Feed(directory.New{})
		made := f.Do("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"Ada@Example.com","id":"mine",
			"meta":{"resourceType":"Group","version":"x"},"name":{"givenName":"Ada"},"emails":[{"value":"ada@example.com","type":"work","primary":true}]}`).
			Want(http.StatusCreated)
		f.WantNews(event.DirectoryActivated, event.DirectoryUserCreated)
		location := f.Base + "/Users/" + made.ID()
		got := f.Do("GET", "/Users/"+made.ID(), "").Want(http.StatusOK)
		if string(got.Body) != string(made.Body) {
			t.Errorf("read %s, created %s", got.Body, made.Body)
		}
		for _, a := range []scimapitest.Answer{made, got} {
			if a.Header.Get("Location") != location || a.Header.Get("Content-Location") != location || a.At("meta.location") != location {
				t.Errorf("location %q, %q, %v; want %q", a.Header.Get("Location"), a.Header.Get("Content-Location"), a.At("meta.location"), location)
			}
			if a.Header.Get("ETag") != `W/"1"` || a.At("meta.version") != `W/"1"` {
				t.Errorf("ETag %q, version %v", a.Header.Get("ETag"), a.At("meta.version"))
			}
			if a.At("meta.resourceType") != "User" || a.At("meta.created") != a.At("meta.lastModified") || a.At("active") != true || a.At("userName") != "Ada@Example.com" {
				t.Errorf("answer %s", a.Body)
			}
		}
		if strings.Contains(made.ID(), "mine") {
			t.Errorf("the client chose the id %s", made.ID())
		}
	})
}

//scim:62,T14,T19
func TestA_taken_userName_is_a_conflict_in_any_letter_case(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		f.User("ada")
		other := f.User("grace")
		f.Events()
		f.Do("POST", "/Users", `{"userName":"ADA"}`).WantError(http.StatusConflict, "uniqueness")
		f.Do("PUT", "/Users/"+other, `{"userName":"Ada"}`).WantError(http.StatusConflict, "uniqueness")
		f.Do("PATCH", "/Users/"+other, `{"Operations":[{"op":"replace","path":"userName","value":"aDa"}]}`).WantError(http.StatusConflict, "uniqueness")
		f.WantNews()
	})
}

//scim:20,68,70,71,72
func TestA_person_is_replaced_deactivated_brought_back_and_deleted(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		id := f.Do("POST", "/Users", `{"userName":"ada","externalId":"x1","title":"Countess","active":false}`).Want(http.StatusCreated).ID()
		f.WantNews(event.DirectoryUserCreated)
		put := f.Do("PUT", "/Users/"+id, `{"userName":"ada","displayName":"Ada"}`).Want(http.StatusOK)
		if put.At("title") != nil || put.At("displayName") != "Ada" || put.At("externalId") != "x1" || put.At("active") != false {
			t.Errorf("after PUT: %s", put.Body)
		}
		f.WantNews(event.DirectoryUserUpdated)
		same := f.Do("PUT", "/Users/"+id, `{"userName":"ada","displayName":"Ada"}`).Want(http.StatusOK)
		if string(same.Body) != string(put.Body) {
			t.Errorf("the same PUT again: %s, was %s", same.Body, put.Body)
		}
		f.WantNews()
		again := f.Do("POST", "/Users", `{"userName":"ADA","active":true}`).Want(http.StatusCreated)
		if again.ID() != id || again.At("active") != true {
			t.Errorf("restored: %s", again.Body)
		}
		f.WantNews(event.DirectoryUserUpdated)
		f.Do("DELETE", "/Users/"+id, "").Want(http.StatusNoContent)
		f.WantNews(event.DirectoryUserDeleted)
		for _, method := range []string{"GET", "DELETE"} {
			f.Do(method, "/Users/"+id, "").WantError(http.StatusNotFound, "")
		}
		f.User("ada")
		f.WantNews(event.DirectoryUserCreated)
	})
}

//scim:110,127,T1,T2,T6
func TestA_patch_answers_the_person_and_changes_all_or_nothing(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		id := f.User("ada")
		f.Events()
		a := f.Do("PATCH", "/Users/"+id, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[
			{"op":"Replace","path":"active","value":"False"},{"op":"add","value":{"name.givenName":"Ada"}}]}`).Want(http.StatusOK)
		if a.At("active") != false || a.At("name.givenName") != "Ada" || a.Header.Get("ETag") != `W/"2"` {
			t.Errorf("patched: %v %s", a.Header, a.Body)
		}
		f.WantNews(event.DirectoryUserUpdated)
		f.Do("PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","path":"displayName","value":"A"},{"op":"remove","path":"userName"}]}`).
			WantError(http.StatusBadRequest, "mutability")
		if got := f.Do("GET", "/Users/"+id, ""); got.At("displayName") != nil || got.Header.Get("ETag") != `W/"2"` {
			t.Errorf("half a patch was applied: %s", got.Body)
		}
		f.WantNews()
	})
}

//scim:103,104,105,106
func TestProjection_works_on_every_verb(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		body := `{"userName":"ada","displayName":"Ada","emails":[{"value":"a@example.com","type":"work"}],"name":{"givenName":"A","familyName":"L"}}`
		made := f.Do("POST", "/Users?attributes=userName", body).Want(http.StatusCreated)
		id := made.ID()
		answers := map[string]scimapitest.Answer{
			"POST":    made,
			"GET":     f.Do("GET", "/Users/"+id+"?ATTRIBUTES=USERNAME", "").Want(http.StatusOK),
			"PUT":     f.Do("PUT", "/Users/"+id+"?attributes=urn:ietf:params:scim:schemas:core:2.0:User:userName", body).Want(http.StatusOK),
			"changed": f.Do("PUT", "/Users/"+id+"?attributes=userName", strings.Replace(body, "Ada", "Ada L", 1)).Want(http.StatusOK),
			"PATCH":   f.Do("PATCH", "/Users/"+id+"?attributes=userName&excludedAttributes=userName", `{"Operations":[{"op":"add","value":{"title":"x"}}]}`).Want(http.StatusOK),
		}
		for verb, a := range answers {
			if a.At("userName") != "ada" || a.At("id") != id || a.At("displayName") != nil || a.At("name") != nil {
				t.Errorf("%s: %s", verb, a.Body)
			}
		}
		for name, a := range map[string]scimapitest.Answer{
			"list":    f.Do("GET", "/Users?attributes=name.givenName", "").Want(http.StatusOK),
			".search": f.Do("POST", "/Users/.search", `{"attributes":["name.givenName"]}`).Want(http.StatusOK),
		} {
			if a.At("Resources.0.name.givenName") != "A" || a.At("Resources.0.name.familyName") != nil || a.At("Resources.0.userName") != nil || a.At("Resources.0.id") != id {
				t.Errorf("%s: %s", name, a.Body)
			}
		}
		a := f.Do("GET", "/Users/"+id+"?excludedAttributes=emails,name,id", "").Want(http.StatusOK)
		if a.At("emails") != nil || a.At("name") != nil || a.At("id") != id || a.At("displayName") != "Ada L" {
			t.Errorf("excluded: %s", a.Body)
		}
	})
}

//scim:138,139
func TestConditions_are_kept(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		id := f.User("ada")
		path := "/Users/" + id
		for _, tag := range []string{`W/"1"`, `"1"`, `"7", W/"1"`, "*"} {
			a := f.Do("GET", path, "", "If-None-Match", tag).Want(http.StatusNotModified)
			if len(a.Body) != 0 || a.Header.Get("ETag") != `W/"1"` {
				t.Errorf("304: %v %s", a.Header, a.Body)
			}
		}
		f.Do("GET", path, "", "If-None-Match", `W/"2"`).Want(http.StatusOK)
		f.Events()
		patch := `{"Operations":[{"op":"replace","path":"title","value":"x"}]}`
		for _, tag := range []string{`W/"2"`, `"abc"`} {
			f.Do("PATCH", path, patch, "If-Match", tag).WantError(http.StatusPreconditionFailed, "")
			f.Do("PUT", path, `{"userName":"b"}`, "If-Match", tag).WantError(http.StatusPreconditionFailed, "")
			f.Do("DELETE", path, "", "If-Match", tag).WantError(http.StatusPreconditionFailed, "")
		}
		f.WantNews()
		f.Do("PATCH", path, patch, "If-Match", `W/"1"`).Want(http.StatusOK)
		f.Do("PUT", path, `{"userName":"ada"}`, "If-Match", "*").Want(http.StatusOK)
		f.Do("DELETE", path, "", "If-Match", `"3"`).Want(http.StatusNoContent)
		f.WantNews(event.DirectoryUserUpdated, event.DirectoryUserUpdated, event.DirectoryUserDeleted)
	})
}

//scim:140
func TestOf_two_writes_on_one_version_exactly_one_succeeds(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		id := f.User("ada")
		statuses := make([]int, 8)
		var all sync.WaitGroup
		for i := range statuses {
			all.Go(func() {
				body := fmt.Sprintf(`{"Operations":[{"op":"replace","path":"title","value":"t%d"}]}`, i)
				statuses[i] = f.Do("PATCH", "/Users/"+id, body, "If-Match", `W/"1"`).Status
			})
		}
		all.Wait()
		count := map[int]int{}
		for _, s := range statuses {
			count[s]++
		}
		if count[http.StatusOK] != 1 || count[http.StatusPreconditionFailed] != len(statuses)-1 {
			t.Errorf("statuses %v", statuses)
		}
	})
}

//scim:26,73
func TestA_password_is_in_no_answer_and_no_exchange(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		const secret = "s3cr3t-Passw0rd"
		f := h.Linked(directory.New{})
		id := f.Do("POST", "/Users", `{"userName":"ada","password":"`+secret+`"}`).Want(http.StatusCreated).ID()
		path := "/Users/" + id
		for _, body := range []string{
			`{"Operations":[{"op":"replace","path":"password","value":"` + secret + `"}]}`,
			`{"Operations":[{"op":"replace","value":"` + secret + `","path":"urn:ietf:params:scim:schemas:core:2.0:User:password"}]}`,
			`{"Operations":[{"op":"replace","value":{"p\u0061ssword":"` + secret + `"}}]}`,
			`{"Operations":[{"op":"replace","path":"PassWord","value":"` + secret + `"},`,
		} {
			f.Do("PATCH", path, body)
		}
		f.Do("PUT", path, `{"userName":"ada","Password":{"value":["`+secret+`"]}}`)
		f.Do("GET", `/Users?filter=password%20eq%20%22`+secret+`%22`, "").Want(http.StatusForbidden, http.StatusBadRequest)
		f.Do("POST", "/Users/.search", `{"filter":"password sw \"`+secret+`\""}`).Want(http.StatusForbidden, http.StatusBadRequest)
		f.Do("GET", `/Users?filter=password%20eq%20%22`+secret, "").Want(http.StatusBadRequest)
		f.Do("PATCH", path, `{"Operations":[{"op":"replace","path":"emails[password eq \"`+secret+`","value":"x"}]}`).Want(http.StatusBadRequest)
		f.Do("GET", "/Users?sortBy=password", "").Want(http.StatusForbidden, http.StatusBadRequest)
		f.Do("POST", "/Bulk", `{"Operations":[{"method":"POST","path":"/Users","bulkId":"1","data":{"userName":"eve","password":"`+secret+`"}}]}`).Want(http.StatusOK)
		if got := f.Do("GET", path+"?attributes=password", ""); strings.Contains(string(got.Body), secret) {
			t.Errorf("answered: %s", got.Body)
		}
		for _, x := range f.Exchanges(15) {
			if whole := x.Path + string(x.Body) + string(x.Answer) + string(x.Effect); strings.Contains(whole, secret) || strings.Contains(whole, f.Token.Reveal()) {
				t.Errorf("%s %s keeps a secret: %s", x.Method, x.Path, whole)
			}
		}
		if strings.Contains(h.Lines.String(), secret) || strings.Contains(h.Lines.String(), f.Token.Reveal()) {
			t.Error("a secret is in the log")
		}
	})
}

//scim:45,69
func TestAn_immutable_attribute_can_be_set_once(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{Extensions: []byte(`{"user":[{"id":"urn:example:badge","name":"Badge","attributes":[
		{"name":"number","type":"string","mutability":"immutable"},{"name":"color","type":"string"}]}]}`)})
	id := f.User("ada")
	put := func(badge string) scimapitest.Answer {
		return f.Do("PUT", "/Users/"+id, `{"userName":"ada","urn:example:badge":`+badge+`}`)
	}
	put(`{"number":"1","color":"red"}`).Want(http.StatusOK)
	put(`{"number":"1","color":"blue"}`).Want(http.StatusOK)
	put(`{"number":"2","color":"blue"}`).WantError(http.StatusBadRequest, "mutability")
	if got := f.Do("GET", "/Users/"+id, "").At("urn:example:badge.number"); got != "1" {
		t.Errorf("number %v", got)
	}
}

//scim:56,57
func TestNobody_reaches_the_people_of_another_directory(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		a, b := h.Linked(directory.New{}), h.Linked(directory.New{Name: "B"})
		user, group := a.User("ada"), a.Do("POST", "/Groups", `{"displayName":"G"}`).Want(http.StatusCreated).ID()
		for _, path := range []string{"/Users/" + user, "/Groups/" + group} {
			for _, method := range []string{"GET", "DELETE"} {
				b.Do(method, path, "").WantError(http.StatusNotFound, "")
			}
			b.Do("PATCH", path, `{"Operations":[{"op":"replace","path":"displayName","value":"x"}]}`).WantError(http.StatusNotFound, "")
		}
		for _, path := range []string{"/Users", "/Groups", "", "/Users?filter=id%20eq%20%22" + user + "%22"} {
			if got := b.Do("GET", path, "").Want(http.StatusOK).At("totalResults"); got != 0.0 {
				t.Errorf("%s: %v", path, got)
			}
		}
		b.WantNews()
	})
}

//scim:61
func TestPosting_an_inactive_person_twice_answers_the_same_person_twice(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		body := `{"userName":"ada","active":false}`
		first := f.Do("POST", "/Users", body).Want(http.StatusCreated)
		f.Events()
		again := f.Do("POST", "/Users", body).Want(http.StatusCreated)
		if again.ID() != first.ID() || again.At("active") != false || again.At("meta.version") != `W/"1"` {
			t.Errorf("%s", again.Body)
		}
		f.WantNews()
	})
}
