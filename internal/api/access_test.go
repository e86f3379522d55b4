package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/member"
)

// everyChangeOfAccess makes one event of each type that roles, permissions and teams have.
func (w *world) everyChangeOfAccess(organizationID string) {
	w.Helper()
	for _, path := range []string{"/authorization/permissions", "/authorization/roles", "/authorization/organizations/" + organizationID + "/roles"} {
		slug := "s" + fmt.Sprint(len(path))
		w.send("POST", path, `{"slug":"`+slug+`","name":"<&>"}`).wants(201)
		w.send("PATCH", path+"/"+slug, `{"name":"Changed","description":"What for"}`).wants(200)
		w.send("DELETE", path+"/"+slug, "").wants(204)
	}
	teams := "/organizations/" + organizationID + "/groups"
	team, om := teams+"/"+w.send("POST", teams, `{"name":"T"}`).wants(201).text("id"), w.membership(organizationID, "tim")
	w.send("PATCH", team, `{"name":"Team","description":"x"}`).wants(200)
	w.send("POST", team+"/organization-memberships", `{"organization_membership_id":"`+om+`"}`).wants(200)
	w.send("DELETE", team+"/organization-memberships/"+om, "").wants(204)
	w.send("DELETE", team, "").wants(204)
}

func (w *world) membership(organizationID, name string) string {
	w.Helper()
	return string(w.signIn(organizationID, name, name+"@example.com").Membership.ID)
}

func TestRoles_of_an_organization_are_the_installations_and_its_own(t *testing.T) {
	onBoth(t, func(w *world) {
		acme, other := w.organization("Acme"), w.organization("Other")
		own := "/authorization/organizations/" + acme + "/roles"
		same(t, "from the start", w.get("/authorization/roles").wants(200).each("slug"), []string{"member"})
		w.send("POST", "/authorization/roles", `{"slug":"admin","name":"Admin","description":null,"is_admin":true,"resource_type_slug":"organization"}`).wants(201)
		made := w.send("POST", own, `{"name":"Billing Administrator","description":"Bills"}`).wants(201)
		if made.text("slug") != "org-billing-administrator" || made.text("type") != "OrganizationRole" || made.text("description") != "Bills" {
			t.Error(made.raw)
		}
		got := w.get(own).wants(200)
		same(t, "of Acme", got.each("slug"), []string{"member", "admin", "org-billing-administrator"})
		if _, there := got.object["list_metadata"]; there {
			t.Error("roles have no list_metadata")
		}
		same(t, "of the other", w.get("/authorization/organizations/"+other+"/roles").wants(200).each("slug"), []string{"member", "admin"})
		if role := w.get(own + "/admin").wants(200); role.text("type") != "EnvironmentRole" || role.at("is_admin") != true {
			t.Error(role.raw)
		}

		w.send("POST", "/authorization/roles", `{"slug":"admin","name":"Again"}`).refused(409, "role_slug_conflict", "")
		w.send("POST", own, `{"slug":"admin","name":"Mine"}`).refused(409, "organization_role_slug_conflict", "")
		w.send("POST", own, `{"slug":"UP","name":"Mine"}`).refused(422, "invalid_slug", "slug")
		w.send("POST", own, `{"slug":"up"}`).refused(422, "required", "name")
		w.send("POST", own, `{"slug":"up","name":"x","resource_type_slug":"folder"}`).refused(422, "unknown_resource_type", "resource_type_slug")
		w.send("PATCH", own+"/admin", `{"name":"Mine"}`).refused(403, "environment_role", "")
		w.send("PATCH", own+"/nobody", `{"name":"Mine"}`).refused(404, "entity_not_found", "")
		w.send("PATCH", own+"/org-billing-administrator", `{"name":5}`).refused(422, "invalid_type", "name")
		if role := w.send("PATCH", own+"/org-billing-administrator", `{"name":"Finance","description":null,"priority":1}`).wants(200); role.at("description") != nil || role.text("name") != "Finance" {
			t.Error(role.raw)
		}
		same(t, "by priority", w.get(own).each("slug"), []string{"org-billing-administrator", "member", "admin"})
		for _, bad := range []string{"nonsense", "org_01ARZ3NDEKTSV4RRFFQ69G5FAV"} {
			w.get("/authorization/organizations/"+bad+"/roles").refused(404, "entity_not_found", "")
			w.send("POST", "/authorization/organizations/"+bad+"/roles", `{"name":"x"}`).refused(404, "entity_not_found", "")
		}
		w.get("/authorization/roles/%00").refused(404, "entity_not_found", "")
	})
}

func TestRole_that_somebody_has_is_kept(t *testing.T) {
	onBoth(t, func(w *world) {
		acme := w.organization("Acme")
		own := "/authorization/organizations/" + acme + "/roles"
		w.send("POST", own, `{"slug":"lead","name":"Lead"}`).wants(201)
		om := w.membership(acme, "ann")
		var write db.Write
		write.Exec(`UPDATE organization_memberships SET role = 'lead' WHERE organization_id = $1 AND id = $2`, acme, om)
		w.must(w.db.Write(w.Context(), &write))
		w.send("DELETE", own+"/lead", "").refused(409, "role_has_assignments", "")
		w.send("DELETE", own+"/member", "").refused(403, "environment_role", "")
		w.send("DELETE", "/authorization/roles/member", "").refused(409, "default_role", "")
		write = db.Write{}
		write.Exec(`UPDATE organization_memberships SET role = 'member' WHERE organization_id = $1 AND id = $2`, acme, om)
		w.must(w.db.Write(w.Context(), &write))
		f := w.feed(acme, "")
		w.send("PUT", "/directories/"+f.id+"/mapping", `{"rules":[{"set":"role","to":"lead"}]}`).wants(200)
		w.send("DELETE", own+"/lead", "").refused(409, "role_has_group_role_mappings", "")
		w.send("PUT", "/directories/"+f.id+"/mapping", ``).wants(200)
		w.send("DELETE", own+"/lead", "").wants(204)
		w.get(own+"/lead").refused(404, "entity_not_found", "")
	})
}

func TestPermissions_of_roles(t *testing.T) {
	onBoth(t, func(w *world) {
		for _, slug := range []string{"a:read", "a:write", "b"} {
			w.send("POST", "/authorization/permissions", `{"slug":"`+slug+`","name":"`+slug+`"}`).wants(201)
		}
		w.send("POST", "/authorization/permissions", `{"slug":"b","name":"b"}`).refused(409, "permission_slug_conflict", "")
		w.send("POST", "/authorization/permissions", `{"name":"b"}`).refused(422, "required", "slug")
		page := w.get("/authorization/permissions?limit=2&order=asc").wants(200)
		same(t, "page 1", page.each("slug"), []string{"a:read", "a:write"})
		same(t, "page 2", w.get("/authorization/permissions?order=asc&after="+page.text("list_metadata.after")).wants(200).each("slug"), []string{"b"})
		w.get("/authorization/permissions?after=role_01ARZ3NDEKTSV4RRFFQ69G5FAV").refused(400, "invalid_cursor", "after")

		acme := w.organization("Acme")
		for _, role := range []string{"/authorization/roles/member", "/authorization/organizations/" + acme + "/roles/lead"} {
			if strings.HasSuffix(role, "lead") {
				w.send("POST", "/authorization/organizations/"+acme+"/roles", `{"slug":"lead","name":"Lead"}`).wants(201)
			}
			w.send("PUT", role+"/permissions", `{"permissions":["b","a:read"]}`).wants(200)
			got := w.send("POST", role+"/permissions", `{"slug":"a:write"}`).wants(200)
			if fmt.Sprint(got.at("permissions")) != "[a:read a:write b]" {
				t.Error(got.raw)
			}
			w.send("PUT", role+"/permissions", `{"permissions":["c"]}`).refused(422, "unknown_permission", "permissions")
			w.send("PUT", role+"/permissions", `{}`).refused(422, "required", "permissions")
			w.send("POST", role+"/permissions", `{"slug":"c"}`).refused(422, "unknown_permission", "slug")
			w.send("DELETE", role+"/permissions/c", "").refused(404, "entity_not_found", "")
			got = w.send("DELETE", role+"/permissions/a:write", "").wants(200)
			if fmt.Sprint(got.at("permissions")) != "[a:read b]" {
				t.Error(got.raw)
			}
		}
		w.send("PATCH", "/authorization/permissions/b", `{"name":"Better","description":"x"}`).wants(200)
		w.send("DELETE", "/authorization/permissions/b", "").wants(204)
		w.get("/authorization/permissions/b").refused(404, "entity_not_found", "")
		if got := w.get("/authorization/roles/member").wants(200); fmt.Sprint(got.at("permissions")) != "[a:read]" {
			t.Error(got.raw)
		}
	})
}

func TestTeams_have_members(t *testing.T) {
	onBoth(t, func(w *world) {
		acme, other := w.organization("Acme"), w.organization("Other")
		path := "/organizations/" + acme + "/groups"
		team := w.send("POST", path, `{"name":"Engineering","description":null}`).wants(201).text("id")
		w.send("POST", path, `{"name":" "}`).refused(422, "required", "name")
		w.send("PATCH", path+"/"+team, `{"name":"Platform","description":"Builds"}`).wants(200)
		same(t, "teams", w.get(path).wants(200).each("name"), []string{"Platform"})
		ann, bob, foreign := w.membership(acme, "ann"), w.membership(acme, "bob"), w.membership(other, "cal")
		members := path + "/" + team + "/organization-memberships"
		for _, om := range []string{ann, bob, ann} {
			w.send("POST", members, `{"organization_membership_id":"`+om+`"}`).wants(200)
		}
		w.send("POST", members, `{"organization_membership_id":"`+foreign+`"}`).refused(404, "entity_not_found", "")
		w.send("POST", members, `{}`).refused(404, "entity_not_found", "")
		_, err := w.members.Deactivate(w.Context(), event.Actor{ID: "test", Source: event.API}, member.MembershipID(bob))
		w.must(err)
		got := w.get(members + "?order=asc").wants(200)
		same(t, "members", got.each("id"), []string{ann, bob})
		same(t, "states", got.each("status"), []string{"active", "inactive"})
		w.send("DELETE", members+"/"+ann, "").wants(204)
		w.send("DELETE", members+"/"+ann, "").refused(404, "entity_not_found", "")
		w.send("DELETE", members+"/nonsense", "").refused(404, "entity_not_found", "")
		same(t, "members", w.get(members).wants(200).each("id"), []string{bob})

		elsewhere := "/organizations/" + other + "/groups/" + team
		w.get(elsewhere).refused(404, "entity_not_found", "")
		w.get(elsewhere+"/organization-memberships").refused(404, "entity_not_found", "")
		w.send("DELETE", elsewhere, "").refused(404, "entity_not_found", "")
		w.get(path+"/nonsense").refused(404, "entity_not_found", "")
		w.send("DELETE", path+"/"+team, "").wants(204)
		w.get(path+"/"+team).refused(404, "entity_not_found", "")
		same(t, "events", w.get("/events?events=group.created,group.updated,group.deleted,group.member_added,group.member_removed").wants(200).each("event"),
			[]string{"group.created", "group.updated", "group.member_added", "group.member_added", "group.member_removed", "group.deleted"})
	})
}

func TestLicence_types_show_their_use(t *testing.T) {
	onBoth(t, func(w *world) {
		acme := w.organization("Acme")
		path := "/organizations/" + acme + "/licence_types"
		made := w.send("POST", path, `{"slug":"pro","name":"Pro","seats":2}`).wants(201)
		if made.text("over_limit") != "admit" || made.at("used") != 0.0 || made.at("seats") != 2.0 {
			t.Error(made.raw)
		}
		var write db.Write
		write.Exec(`UPDATE organization_memberships SET licence = 'pro' WHERE organization_id = $1 AND id = $2`, acme, w.membership(acme, "ann"))
		w.must(w.db.Write(w.Context(), &write))
		if got := w.get(path + "/pro").wants(200); got.at("used") != 1.0 {
			t.Error(got.raw)
		}
		same(t, "all", w.get(path).wants(200).each("slug"), []string{"pro"})
		if got := w.send("PATCH", path+"/pro", `{"seats":null,"over_limit":"refuse"}`).wants(200); got.at("seats") != nil || got.text("over_limit") != "refuse" {
			t.Error(got.raw)
		}
		if got := w.send("PATCH", path+"/pro", `{"name":"P"}`).wants(200); got.at("seats") != nil || got.text("name") != "P" {
			t.Error(got.raw)
		}
		w.send("POST", path, `{"slug":"pro","name":"Pro"}`).refused(409, "licence_slug_conflict", "")
		w.send("POST", path, `{"slug":"x","name":"X","seats":-1}`).refused(422, "invalid_seats", "seats")
		w.send("PATCH", path+"/pro", `{"seats":"many"}`).refused(422, "invalid_type", "seats")
		w.send("PATCH", path+"/pro", `{"over_limit":"maybe"}`).refused(422, "invalid_over_limit", "over_limit")
		w.send("DELETE", path+"/pro", "").refused(409, "licence_has_holders", "")
		w.get("/organizations/"+w.organization("Other")+"/licence_types/pro").refused(404, "entity_not_found", "")
		write = db.Write{}
		write.Exec(`UPDATE organization_memberships SET licence = NULL WHERE organization_id = $1`, acme)
		w.must(w.db.Write(w.Context(), &write))
		w.send("DELETE", path+"/pro", "").wants(204)
		w.get(path+"/pro").refused(404, "entity_not_found", "")
	})
}

func TestMapping_of_a_directory(t *testing.T) {
	onBoth(t, func(w *world) {
		acme := w.organization("Acme")
		f := w.feed(acme, "")
		path := "/directories/" + f.id + "/mapping"
		if none := w.get(path).wants(200); none.at("version") != 0.0 || none.at("drives_roles") != false || none.at("created_at") != nil {
			t.Error(none.raw)
		}
		saved := w.send("PUT", path, `{"drives_roles":true,"rules":[{"set":"role","to":"member","when":{"group":"Everybody"}},{"set":"attribute","name":"team","from":"department","transform":["trim",{"map":{"Eng":"Engineering","*":"Other"}}]}],"version":0}`).wants(200)
		if saved.at("version") != 1.0 || saved.at("drives_roles") != true {
			t.Error(saved.raw)
		}
		w.send("PUT", path, `{"version":0}`).refused(412, "version_conflict", "")
		w.send("PUT", path, `{"rules":[{"set":"role","to":"member"},{"set":"role","to":"nobody"}]}`).refused(422, "invalid_rule", "rules.1.to")
		w.send("PUT", path, `{"rules":[{"set":"role","to":"member","when":{"group":""}}]}`).refused(422, "invalid_rule", "rules.0.when.group")
		w.send("PUT", path, `{"rules":{}}`).refused(422, "invalid_rules", "rules")
		w.send("PUT", path, `{"drives_roles":"yes"}`).refused(422, "invalid_type", "drives_roles")
		if now := w.get(path).wants(200); now.raw != saved.raw {
			t.Errorf("what is refused changed it: %s", now.raw)
		}
		for _, bad := range []string{"nonsense", "directory_01ARZ3NDEKTSV4RRFFQ69G5FAV"} {
			w.get("/directories/"+bad+"/mapping").refused(404, "entity_not_found", "")
			w.send("PUT", "/directories/"+bad+"/mapping", `{}`).refused(404, "entity_not_found", "")
			w.send("POST", "/directories/"+bad+"/mapping/preview", `{}`).refused(404, "entity_not_found", "")
			w.get("/connections/"+bad+"/mapping").refused(404, "entity_not_found", "")
		}
		told, err := w.server.o.Events.List(w.Context(), event.Query{Types: []event.Type{event.MappingUpdated}, Limit: 10})
		w.must(err)
		if len(told) != 1 || told[0].OrganizationID != acme || string(told[0].Data) != saved.raw {
			t.Errorf("told %+v", told)
		}
	})
}

func TestMapping_of_a_connection_knows_groups_by_name(t *testing.T) {
	onBoth(t, func(w *world) {
		conn := w.send("POST", "/connections", `{"organization_id":"`+w.organization("Acme")+`","name":"Okta","connection_type":"GenericSAML"}`)
		if conn.status != http.StatusCreated {
			t.Fatal(conn.raw)
		}
		path := "/connections/" + conn.text("id") + "/mapping"
		w.send("PUT", path, `{"drives_roles":true,"rules":[{"set":"role","to":"member","when":{"group":"Everybody"}},{"set":"role","from":"https://example.com/roles"}]}`).wants(200)
		w.send("PUT", path, `{"teams_follow_groups":true}`).refused(422, "invalid_mapping", "teams_follow_groups")
		w.send("PUT", path, `{"rules":[{"set":"role","to":"member","when":{"group_id":"x"}}]}`).refused(422, "invalid_rule", "rules.0.when.group_id")
		if got := w.get(path).wants(200); got.at("version") != 1.0 {
			t.Error(got.raw)
		}
	})
}

func TestMapping_is_previewed_before_it_is_saved(t *testing.T) {
	onBoth(t, func(w *world) {
		acme := w.organization("Acme")
		w.send("POST", "/authorization/roles", `{"slug":"editor","name":"Editor"}`).wants(201)
		f := w.feed(acme, "")
		ann, bob := f.person("ann", `,"title":"Lead"`), f.person("bob", "")
		f.person("gone", `,"active":false,"title":"Lead"`)
		f.group("Editors", ann, bob)
		f.group("admin", bob)
		preview := "/directories/" + f.id + "/mapping/preview"
		const body = `{"drives_roles":true,"drives_teams":true,"teams_follow_groups":true,"rules":[
			{"set":"role","to":"editor","when":[{"group":"Editors"},{"path":"title","present":true}]},{"set":"profile","name":"locale","to":"de","when":{"path":"title","equals":"Lead"}}]}`
		got := w.send("POST", preview, body).wants(200)
		same(t, "who", got.each("directory_user_id"), []string{ann, bob})
		if got.at("scanned") != 3.0 || got.at("list_metadata.after") != nil {
			t.Error(got.raw)
		}
		one, two := got.data()[0], got.data()[1]
		for what, pair := range map[string][2]any{
			"role":   {one["role"], map[string]any{"before": "member", "after": "editor"}},
			"teams":  {one["teams_gained"], []any{map[string]any{"id": nil, "name": "Editors"}}},
			"locale": {one["attributes"], map[string]any{"profile.locale": map[string]any{"before": nil, "after": "de"}}},
			"none":   {two["role"], nil},
			"both":   {two["teams_gained"], []any{map[string]any{"id": nil, "name": "Editors"}, map[string]any{"id": nil, "name": "admin"}}},
		} {
			if fmt.Sprint(pair[0]) != fmt.Sprint(pair[1]) {
				t.Errorf("%s: got %v, want %v", what, pair[0], pair[1])
			}
		}
		if why := fmt.Sprint(one["why"]); !strings.Contains(why, "role:editor:group Editors") {
			t.Error(why)
		}
		first := w.send("POST", preview+"?limit=1", body).wants(200)
		same(t, "first", first.each("directory_user_id"), []string{ann})
		rest := w.send("POST", preview+"?limit=1&after="+first.text("list_metadata.after"), body).wants(200)
		same(t, "second", rest.each("directory_user_id"), []string{bob})
		same(t, "end", w.send("POST", preview+"?after="+rest.text("list_metadata.after"), body).wants(200).each("directory_user_id"), []string{})

		if m := w.get("/directories/" + f.id + "/mapping").wants(200); m.at("version") != 0.0 {
			t.Error("a preview saved something")
		}
		same(t, "events", w.get("/events?events=mapping.updated,group.created").wants(200).each("event"), []string{})
		same(t, "nothing changes", w.send("POST", preview, ``).wants(200).each("directory_user_id"), []string{})
		w.send("POST", preview, `{"rules":[{"set":"role","to":"nobody"}]}`).refused(422, "invalid_rule", "rules.0.to")
		w.send("POST", preview+"?order=desc", body).refused(422, "invalid_order", "before")
		w.send("POST", preview+"?after=nonsense", body).refused(400, "invalid_cursor", "after")
	})
}
