package scimapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/scimapi/scimapitest"
)

//scim:21,28,35,36,61,66,T18
func TestA_group_shows_its_members_and_a_person_their_groups(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		ada := f.User("ada")
		f.Events()
		made := f.Do("POST", "/Groups", `{"displayName":"Staff","members":[{"value":"`+ada+`","display":"Ada"},{"value":"later"}]}`).Want(http.StatusCreated)
		f.WantNews(event.DirectoryGroupCreated, event.DirectoryGroupUserAdded)
		path := "/Groups/" + made.ID()
		if got := f.Do("GET", path, "").Want(http.StatusOK); string(got.Body) != string(made.Body) {
			t.Errorf("read %s, created %s", got.Body, made.Body)
		}
		if made.Header.Get("Location") != f.Base+path || made.At("meta.location") != f.Base+path || made.At("meta.resourceType") != "Group" {
			t.Errorf("created: %v %s", made.Header, made.Body)
		}
		if made.At("members.0.value") != ada || made.At("members.0.$ref") != f.Base+"/Users/"+ada || made.At("members.0.type") != "User" {
			t.Errorf("known member: %s", made.Body)
		}
		if made.At("members.1.value") != "later" || made.At("members.1.$ref") != nil {
			t.Errorf("parked member: %s", made.Body)
		}
		user := f.Do("GET", "/Users/"+ada, "").Want(http.StatusOK)
		if user.At("groups.0.value") != made.ID() || user.At("groups.0.display") != "Staff" || user.At("groups.0.$ref") != f.Base+path || user.At("groups.0.type") != "direct" {
			t.Errorf("groups of the person: %s", user.Body)
		}
		outer := f.Do("POST", "/Groups", `{"displayName":"All","members":[{"value":"`+made.ID()+`"}]}`).Want(http.StatusCreated)
		if outer.At("members.0.type") != "Group" || outer.At("members.0.$ref") != f.Base+path {
			t.Errorf("nested: %s", outer.Body)
		}
		if groups, _ := f.Do("GET", "/Users/"+ada+"?attributes=groups.type", "").At("groups").([]any); len(groups) != 2 {
			t.Errorf("direct and indirect groups: %v", groups)
		}
		f.Do("PUT", "/Users/"+ada+"?attributes=groups", `{"userName":"ada","title":"x"}`).Want(http.StatusOK)
	})
}

//scim:106,127,118,T3,T4,T5,T19
func TestA_group_patch_answers_204_unless_attributes_are_asked_for(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		ada, grace := f.User("ada"), f.User("grace")
		path := "/Groups/" + f.Do("POST", "/Groups", `{"displayName":"Staff"}`).Want(http.StatusCreated).ID()
		f.Events()
		add := `{"Operations":[{"op":"Add","path":"members","value":[{"value":"` + ada + `"},{"value":"` + grace + `"}]}]}`
		a := f.Do("PATCH", path, add).Want(http.StatusNoContent)
		if len(a.Body) != 0 || a.Header.Get("ETag") != `W/"2"` || a.Header.Get("Location") != f.Base+path {
			t.Errorf("204: %v %s", a.Header, a.Body)
		}
		f.WantNews(event.DirectoryGroupUserAdded, event.DirectoryGroupUserAdded)
		again := f.Do("PATCH", path, add).Want(http.StatusNoContent)
		if again.Header.Get("ETag") != `W/"2"` {
			t.Errorf("a repeated addition made %s", again.Header.Get("ETag"))
		}
		f.WantNews()
		a = f.Do("PATCH", path+"?attributes=members", `{"Operations":[{"op":"remove","path":"members[value eq \"`+ada+`\"]"}]}`).Want(http.StatusOK)
		if members, _ := a.At("members").([]any); len(members) != 1 || a.At("members.0.value") != grace || a.At("displayName") != nil {
			t.Errorf("with attributes: %s", a.Body)
		}
		f.WantNews(event.DirectoryGroupUserRemoved)
		a = f.Do("PATCH", path+"?excludedAttributes=members", `{"Operations":[{"op":"Remove","path":"members","value":[{"value":"`+ada+`"}]}]}`).Want(http.StatusOK)
		if a.At("members") != nil || a.At("displayName") != "Staff" {
			t.Errorf("without members: %s", a.Body)
		}
		if got := f.Do("GET", path, ""); got.At("members.0.value") != grace {
			t.Errorf("the group is %s", got.Body)
		}
		f.WantNews()
	})
}

//scim:68,70,106,T5
func TestA_PUT_without_members_clears_them_and_the_exchange_says_how_many(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		body := `{"displayName":"Staff","externalId":"g1","members":["` + f.User("ada") + `","` + f.User("grace") + `"]}`
		path := "/Groups/" + f.Do("POST", "/Groups", body).Want(http.StatusCreated).ID()
		f.Events()
		if a := f.Do("PUT", path, body).Want(http.StatusOK); a.Header.Get("ETag") != `W/"1"` || a.At("members.1") == nil {
			t.Errorf("the same PUT: %v %s", a.Header, a.Body)
		}
		f.WantNews()
		a := f.Do("PUT", path, `{"displayName":"Staff"}`).Want(http.StatusOK)
		if members, ok := a.At("members").([]any); !ok || len(members) != 0 || a.At("externalId") != "g1" {
			t.Errorf("after PUT without members: %s", a.Body)
		}
		f.WantNews(event.DirectoryGroupUserRemoved, event.DirectoryGroupUserRemoved)
		var found bool
		for _, x := range f.Exchanges(6) {
			found = found || strings.Contains(string(x.Effect), `"members_cleared":2`) && strings.Contains(string(x.Effect), "left members out")
		}
		if !found {
			t.Error("no exchange tells that members were cleared")
		}
	})
}

//scim:106
func TestExcluded_members_are_left_out_everywhere(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		ada := f.User("ada")
		id := f.Do("POST", "/Groups?excludedAttributes=members", `{"displayName":"Staff","members":[{"value":"`+ada+`"}]}`).Want(http.StatusCreated)
		path := "/Groups/" + id.ID()
		answers := []scimapitest.Answer{
			id,
			f.Do("GET", path+"?excludedAttributes=members", "").Want(http.StatusOK),
			f.Do("GET", path+"?excludedAttributes=Members,externalId", "").Want(http.StatusOK),
			f.Do("GET", path+"?attributes=displayName", "").Want(http.StatusOK),
			f.Do("GET", path+"?excludedAttributes=urn:ietf:params:scim:schemas:core:2.0:Group:members", "").Want(http.StatusOK),
		}
		for i, a := range answers {
			if a.At("members") != nil || a.At("displayName") != "Staff" {
				t.Errorf("%d: %s", i, a.Body)
			}
		}
		for _, query := range []string{`filter=displayName%20eq%20%22staff%22&excludedAttributes=members`, `filter=members%20eq%20%22` + ada + `%22&excludedAttributes=members`} {
			a := f.Do("GET", "/Groups?"+query, "").Want(http.StatusOK)
			if a.At("totalResults") != 1.0 || a.At("Resources.0.members") != nil || a.At("Resources.0.displayName") != "Staff" {
				t.Errorf("%s: %s", query, a.Body)
			}
		}
		if a := f.Do("GET", `/Groups?filter=displayName%20eq%20%22staff%22`, ""); a.At("Resources.0.members.0.value") != ada {
			t.Errorf("members are missing: %s", a.Body)
		}
	})
}

//scim:71
func TestA_deleted_group_is_gone_for_everybody(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		ada := f.User("ada")
		path := "/Groups/" + f.Do("POST", "/Groups", `{"displayName":"Staff","members":[{"value":"`+ada+`"}]}`).Want(http.StatusCreated).ID()
		f.Events()
		f.Do("DELETE", path, "").Want(http.StatusNoContent)
		f.WantNews(event.DirectoryGroupDeleted)
		f.Do("DELETE", path, "").WantError(http.StatusNotFound, "")
		if a := f.Do("GET", "/Users/"+ada, "").Want(http.StatusOK); a.At("groups") != nil {
			t.Errorf("still in a group: %s", a.Body)
		}
	})
}
