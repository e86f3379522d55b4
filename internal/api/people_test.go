package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/scim"
)

func TestDirectory_user_is_shown_with_groups_and_attributes(t *testing.T) {
	onBoth(t, func(w *world) {
		f := w.feed(w.organization("Acme"), "")
		ann := f.person("ann", `,"externalId":"00u1","title":"R&D <Lead>","`+scim.EnterpriseURN+`":{"department":"Tools","employeeNumber":"7","division":"North",
			"costCenter":"42","manager":{"value":"boss@example.com"}}`)
		team, empty := f.group("Team <A>", ann), f.group("Empty")
		got := w.get("/directory_users/" + ann).wants(http.StatusOK)
		for member, want := range map[string]any{
			"object": "directory_user", "id": ann, "directory_id": f.id, "organization_id": f.organization, "idp_id": "00u1", "email": "ann@example.com",
			"first_name": "ann", "last_name": "Sample", "username": "ann@example.com", "state": "active", "job_title": "R&D <Lead>",
		} {
			if got.object[member] != want {
				t.Errorf("%s is %v, want %v", member, got.object[member], want)
			}
		}
		for member, want := range map[string]any{
			"job_title": "R&D <Lead>", "department_name": "Tools", "cost_center_name": "42", "division_name": "North", "employee_number": "7", "manager_email": "boss@example.com",
		} {
			if got.at("custom_attributes."+member) != want {
				t.Errorf("custom attribute %s is %v, want %v", member, got.at("custom_attributes."+member), want)
			}
		}
		if got.text("raw_attributes.title") != "R&D <Lead>" || !strings.Contains(got.raw, "R&D <Lead>") {
			t.Errorf("raw attributes are %v", got.object["raw_attributes"])
		}
		groups := got.object["groups"].([]any)
		if len(groups) != 1 || groups[0].(map[string]any)["id"] != team || groups[0].(map[string]any)["name"] != "Team <A>" || groups[0].(map[string]any)["object"] != "directory_group" {
			t.Errorf("groups are %v", groups)
		}
		listed := w.get("/directory_users?directory=" + f.id).wants(http.StatusOK)
		if !strings.Contains(listed.raw, strings.TrimSpace(got.raw)) {
			t.Errorf("the list shows another person than the address:\n%s\n%s", listed.raw, got.raw)
		}
		same(t, "groups", w.get("/directory_groups?directory="+f.id).each("id"), []string{empty, team})
		same(t, "groups of ann", w.get("/directory_groups?user="+ann).each("id"), []string{team})
		if g := w.get("/directory_groups/" + team).wants(http.StatusOK); g.text("name") != "Team <A>" || g.text("directory_id") != f.id {
			t.Errorf("the group is %s", g.raw)
		}
	})
}

func TestDirectory_user_always_has_the_members_that_may_be_empty(t *testing.T) {
	onBoth(t, func(w *world) {
		f := w.feed(w.organization("Acme"), "")
		u, _, err := w.dirs.CreateUser(w.Context(), f.access, f.object(`{"userName":"no-address","active":true}`), nothing)
		w.must(err)
		got := w.get("/directory_users/" + string(u.ID)).wants(http.StatusOK)
		if v, there := got.object["email"]; !there || v != nil {
			t.Errorf("email is not null: %s", got.raw)
		}
		for _, member := range []string{`"groups":[]`, `"custom_attributes":{}`, `"raw_attributes":{"userName"`, `"emails":[]`} {
			if !strings.Contains(got.raw, member) {
				t.Errorf("no %s in %s", member, got.raw)
			}
		}
	})
}

func TestDirectory_users_who_left_are_in_no_group_and_stay_readable(t *testing.T) {
	onBoth(t, func(w *world) {
		f := w.feed(w.organization("Acme"), "")
		ann, bob := f.person("ann", ""), f.person("bob", "")
		team := f.group("Team", ann, bob)
		f.set(bob, "active", "false")
		same(t, "people", w.get("/directory_users?directory="+f.id).each("id"), []string{bob, ann})
		same(t, "people of the team", w.get("/directory_users?group="+team).each("id"), []string{ann})
		same(t, "groups of bob", w.get("/directory_groups?user="+bob).each("id"), []string{})
		got := w.get("/directory_users/" + bob).wants(http.StatusOK)
		if got.text("state") != "inactive" || len(got.object["groups"].([]any)) != 0 {
			t.Errorf("bob is %s", got.raw)
		}
	})
}

func TestDirectory_users_who_left_are_gone_where_the_directory_removes_them(t *testing.T) {
	onBoth(t, func(w *world) {
		f := w.feed(w.organization("Acme"), `,"inactive_users":"removed"`)
		ann, bob := f.person("ann", ""), f.person("bob", "")
		f.set(bob, "active", "false")
		same(t, "people", w.get("/directory_users?directory="+f.id).each("id"), []string{ann})
		w.get("/directory_users/"+bob).refused(http.StatusNotFound, "entity_not_found", "")
	})
}

func TestDirectory_users_and_groups_of_nested_groups_are_direct_ones(t *testing.T) {
	onBoth(t, func(w *world) {
		f := w.feed(w.organization("Acme"), "")
		ann := f.person("ann", "")
		inner := f.group("Inner", ann)
		outer := f.group("Outer", inner)
		same(t, "people of the outer group", w.get("/directory_users?group="+outer).each("id"), []string{})
		same(t, "groups of ann", w.get("/directory_groups?user="+ann).each("id"), []string{inner})
		if groups := w.get("/directory_users/" + ann).object["groups"].([]any); len(groups) != 1 || groups[0].(map[string]any)["id"] != inner {
			t.Errorf("groups are %v", groups)
		}
	})
}

func TestDirectory_users_are_found_by_email_and_idp_id(t *testing.T) {
	onBoth(t, func(w *world) {
		f := w.feed(w.organization("Acme"), "")
		ann := f.person("ann", `,"externalId":"00u1"`)
		bob := f.person("bob", "")
		for query, want := range map[string][]string{
			"":                                   {bob, ann},
			"&email=Ann@Example.com":             {ann},
			"&email=none@example.com":            {},
			"&idp_id=00u1":                       {ann},
			"&idp_id=" + bob:                     {bob},
			"&idp_id=00u1&email=bob@example.com": {},
			"&order=asc":                         {ann, bob},
		} {
			same(t, query, w.get("/directory_users?directory="+f.id+query).wants(http.StatusOK).each("id"), want)
		}
	})
}

func TestDirectory_users_and_groups_of_others_are_never_shown(t *testing.T) {
	onBoth(t, func(w *world) {
		a, b := w.feed(w.organization("A"), ""), w.feed(w.organization("B"), "")
		ann, bea := a.person("ann", ""), b.person("bea", "")
		teamA, teamB := a.group("Team", ann), b.group("Team", bea)
		for query, want := range map[string][]string{
			"directory=" + a.id:                     {ann},
			"directory=" + a.id + "&group=" + teamB: {},
			"directory=" + a.id + "&group=" + teamA: {ann},
			"directory=" + a.id + "&before=" + bea:  {ann},
			"directory=" + a.id + "&after=" + bea:   {ann},
			"directory=" + b.id + "&after=" + ann:   {},
		} {
			for _, id := range w.get("/directory_users?" + query).wants(http.StatusOK).each("id") {
				if len(want) == 0 || id != want[0] {
					t.Errorf("%s shows %s", query, id)
				}
			}
		}
		same(t, "groups", w.get("/directory_groups?directory="+a.id+"&user="+bea).each("id"), []string{})
	})
}

func TestDirectory_users_and_groups_are_refused_without_a_directory_or_with_a_wrong_one(t *testing.T) {
	onBoth(t, func(w *world) {
		f := w.feed(w.organization("Acme"), "")
		ann := f.person("ann", "")
		team := f.group("Team", ann)
		w.get("/directory_users").refused(http.StatusUnprocessableEntity, "required", "directory")
		w.get("/directory_groups").refused(http.StatusUnprocessableEntity, "required", "directory")
		for _, path := range []string{
			"/directory_users?directory=nonsense", "/directory_users?directory=" + f.organization, "/directory_users?group=nonsense", "/directory_users?group=" + ann,
			"/directory_users?directory=directory_01ARZ3NDEKTSV4RRFFQ69G5FAV", "/directory_users?group=directory_group_01ARZ3NDEKTSV4RRFFQ69G5FAV",
			"/directory_groups?directory=nonsense", "/directory_groups?user=nonsense", "/directory_groups?user=" + team,
			"/directory_groups?user=directory_user_01ARZ3NDEKTSV4RRFFQ69G5FAV",
			"/directory_users/nonsense", "/directory_users/" + team, "/directory_users/%00", "/directory_users/%FF", "/directory_users/directory_user_01ARZ3NDEKTSV4RRFFQ69G5FAV",
			"/directory_groups/nonsense", "/directory_groups/" + ann, "/directory_groups/%00", "/directory_groups/directory_group_01ARZ3NDEKTSV4RRFFQ69G5FAV",
		} {
			got := w.get(path)
			got.refused(http.StatusNotFound, "entity_not_found", "")
			if !strings.Contains(got.text("message"), "not found") {
				t.Errorf("%s: %s", path, got.raw)
			}
		}
	})
}
