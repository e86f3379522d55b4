package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
)

// employee is a document with all that row 17 names; more are members of the object that come last.
func employee(name, email, department, costCenter, manager, title, picture, appRole, licence string) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","urn:example:app:2.0:User"],
		"userName":%q,"externalId":"e-1","name":{"givenName":%q,"familyName":"Novak"},"emails":[{"value":%q,"type":"work","primary":true}],"active":true,"title":%q,
		"photos":[{"type":"photo","value":%q}],
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":%q,"costCenter":%q,"manager":{"value":%q}},
		"urn:example:app:2.0:User":{"appRole":%q,"plan":%q,"badge":"B-7"}}`, email, name, email, title, picture, department, costCenter, manager, appRole, licence)
}

func TestRow_17_attribute_changes_flow_through_a_mapping_that_is_previewed_and_edited(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		s := newSaaS(t, engine)
		c := s.newCompany("Acme", "acme.example")
		c.sync(`"provisioning":"direct"`)
		for _, role := range []string{"editor", "admin"} {
			s.api.must(t, 201, "POST", "/authorization/roles", fmt.Sprintf(`{"slug":%q,"name":%q}`, role, role))
		}
		for _, plan := range []string{"pro", "lite"} {
			s.api.must(t, 201, "POST", "/organizations/"+c.id+"/licence_types", fmt.Sprintf(`{"slug":%q,"name":%q}`, plan, plan))
		}
		sales := text(s.api.must(t, 201, "POST", "/organizations/"+c.id+"/groups", `{"name":"Sales people"}`), "id")
		idp := c.scim()
		id := text(idp.must(t, 201, "POST", "/Users", employee("Ada", "ada@acme.example", "Sales", "CC-1", "boss@acme.example", "Clerk", "https://pictures.example/1.png", "Editor", "lite")), "id")
		c.settled()
		was := c.want("ada@acme.example", "primary active directory")
		if text(was, "role", "slug") != "member" || was["licence"] != nil {
			t.Errorf("without a mapping she is %v", was)
		}

		const plan = `"urn:example:app:2.0:User:`
		mapping := `{"drives_roles":true,"drives_teams":true,"drives_licences":true,"rules":[
			{"set":"role","from":` + plan + `appRole","transform":["lower"]},
			{"set":"licence","to":"pro","when":{"path":` + plan + `plan","equals":"pro"}},{"set":"licence","to":"lite","when":{"path":` + plan + `plan","equals":"lite"}},
			{"set":"team","to":"` + sales + `","when":{"path":"department","equals":"Sales"}},
			{"set":"attribute","name":"badge","from":` + plan + `badge"},
			{"set":"profile","name":"picture_url","from":"photos[type eq \"photo\"].value"}]}`
		address := "/directories/" + c.directory + "/mapping"
		foreseen := list(s.api.must(t, 200, "POST", address+"/preview", mapping), "data")
		if len(foreseen) != 1 || text(foreseen[0], "role", "after") != "editor" || text(foreseen[0], "licence", "after") != "lite" || len(list(foreseen[0], "teams_gained")) != 1 {
			t.Errorf("foreseen is %v", foreseen)
		}
		if now := c.member("ada@acme.example"); text(now, "role", "slug") != "member" || s.api.must(t, 200, "GET", address, "")["version"] != 0.0 {
			t.Errorf("the preview has made %v of her", now)
		}
		s.api.must(t, 200, "PUT", address, mapping)
		c.settled()
		inTeam := func() bool {
			in := list(s.api.must(t, 200, "GET", "/organizations/"+c.id+"/groups/"+sales+"/organization-memberships", ""), "data")
			return len(in) == 1 && text(in[0], "id") == text(was, "id")
		}
		check := func(email, role, licence, picture string, team bool, attributes map[string]string) {
			t.Helper()
			m := c.want(email, "primary active directory")
			if text(m, "id") != text(was, "id") || text(m, "role", "slug") != role || text(m, "role_source") != "directory" || text(m, "licence") != licence || text(m, "user", "profile_picture_url") != picture || inTeam() != team {
				t.Errorf("she is %v, in the team %v", m, inTeam())
			}
			for name, want := range attributes {
				if got := text(m, "custom_attributes", name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
		}
		check("ada@acme.example", "editor", "lite", "https://pictures.example/1.png", true, map[string]string{
			"department_name": "Sales", "cost_center_name": "CC-1", "manager_email": "boss@acme.example", "job_title": "Clerk", "badge": "B-7",
		})

		idp.must(t, 200, "PUT", "/Users/"+id, employee("Adele", "adele@acme.example", "Law", "CC-2", "chief@acme.example", "Counsel", "https://pictures.example/2.png", "Admin", "pro"))
		c.settled()
		check("adele@acme.example", "admin", "pro", "https://pictures.example/2.png", false, map[string]string{
			"department_name": "Law", "cost_center_name": "CC-2", "manager_email": "chief@acme.example", "job_title": "Counsel",
		})
		if m := c.member("adele@acme.example"); text(m, "user", "first_name") != "Adele" {
			t.Errorf("she is called %v", m["user"])
		}
		s.wantEvents(id, 0, "dsync.user.created", "dsync.user.updated")
		if got := s.events(text(was, "user_id"), "user.updated"); len(got) == 0 {
			t.Error("nobody is told that the account changed")
		}
	})
}

func TestRow_18_groups_come_one_to_one_and_each_switch_lets_them_drive_one_thing(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		s := newSaaS(t, engine)
		c := s.newCompany("Acme", "acme.example")
		c.sync(`"provisioning":"direct"`)
		ada, ben := c.person("Ada"), c.person("Ben")
		c.hire(ada, ben)
		okta, ctx := c.okta, t.Context()
		groups := func() map[string]string {
			out := map[string]string{}
			for _, g := range list(s.api.must(t, 200, "GET", "/directory_groups?directory="+c.directory, ""), "data") {
				out[text(g, "name")] = text(g, "id")
			}
			return out
		}
		must(t, okta.PushGroup(ctx, "Staff", ada.Email, ben.Email))
		id := groups()["Staff"]
		if in := members(t, c.scim(), id); len(in) != 2 {
			t.Errorf("in the group are %v", in)
		}
		must(t, okta.Quit(ctx, "Staff", ben.Email))
		must(t, okta.Join(ctx, "Staff", ben.Email))
		must(t, okta.Rename(ctx, "Staff", "Crew"))
		if got := groups(); len(got) != 1 || got["Crew"] != id {
			t.Errorf("groups are %v", got)
		}
		must(t, okta.PushGroup(ctx, "Crew", ada.Email)) // full push: who is not in it is out
		if in := members(t, c.scim(), id); len(in) != 1 || in[text(c.directoryUser(ada.Email), "id")] != 1 {
			t.Errorf("after a full push in the group are %v", in)
		}
		s.wantEvents(id, 0, "dsync.group.created", "dsync.group.user_added", "dsync.group.user_added", "dsync.group.user_removed", "dsync.group.user_added", "dsync.group.updated", "dsync.group.user_removed")

		// Each kind by its own switch, and by no other.
		s.api.must(t, 201, "POST", "/authorization/roles", `{"slug":"crew","name":"Crew"}`)
		s.api.must(t, 201, "POST", "/organizations/"+c.id+"/licence_types", `{"slug":"pro","name":"Pro"}`)
		team := text(s.api.must(t, 201, "POST", "/organizations/"+c.id+"/groups", `{"name":"By hand"}`), "id")
		for _, drives := range []string{"roles", "teams", "licences"} {
			s.api.must(t, 200, "PUT", "/directories/"+c.directory+"/mapping", fmt.Sprintf(`{"drives_%s":true,"rules":[{"set":"role","to":"crew","when":{"group":"Crew"}},
				{"set":"licence","to":"pro","when":{"group":"Crew"}},{"set":"team","to":%q,"when":{"group":"Crew"}}]}`, drives, team))
			c.settled()
			m := c.member(ada.Email)
			in := list(s.api.must(t, 200, "GET", "/organizations/"+c.id+"/groups/"+team+"/organization-memberships", ""), "data")
			got := map[string]bool{"roles": text(m, "role", "slug") == "crew", "licences": text(m, "licence") == "pro", "teams": len(in) == 1}
			for kind, given := range got {
				if given != (kind == drives) {
					t.Errorf("with the switch for %s, %s are given: %v", drives, kind, given)
				}
			}
			if other := c.member(ben.Email); text(other, "role", "slug") != "member" || other["licence"] != nil {
				t.Errorf("who is not in the group is %v", other)
			}
		}
		must(t, okta.Unlink(ctx, "Crew"))
		if got := groups(); len(got) != 0 {
			t.Errorf("groups are %v", got)
		}
		c.settled()
		if m := c.member(ada.Email); m["licence"] != nil {
			t.Errorf("without the group she has %v", m["licence"])
		}
		s.wantEvents(id, 0, "dsync.group.deleted")
	})
}

func TestRow_19_teams_can_follow_groups_and_are_then_nobody_elses_to_edit(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		s := newSaaS(t, engine)
		c := s.newCompany("Acme", "acme.example")
		c.sync(`"provisioning":"direct"`)
		ada, ben := c.person("Ada"), c.person("Ben")
		c.hire(ada, ben)
		must(t, c.okta.PushGroup(t.Context(), "Staff", ada.Email))
		s.api.must(t, 200, "PUT", "/directories/"+c.directory+"/mapping", `{"drives_teams":true,"teams_follow_groups":true}`)
		c.settled()
		base := "/organizations/" + c.id + "/groups"
		team := func() object {
			t.Helper()
			found := list(s.api.must(t, 200, "GET", base, ""), "data")
			if len(found) != 1 {
				t.Fatalf("teams are %v", found)
			}
			return found[0]
		}
		who := func() (out []string) {
			for _, m := range list(s.api.must(t, 200, "GET", base+"/"+text(team(), "id")+"/organization-memberships", ""), "data") {
				out = append(out, text(m, "user", "email"))
			}
			slices.Sort(out)
			return out
		}
		first := team()
		if text(first, "name") != "Staff" || first["directory_managed"] != true || text(first, "directory_id") != c.directory || !slices.Equal(who(), []string{ada.Email}) {
			t.Errorf("the team is %v with %v", first, who())
		}
		must(t, c.okta.Join(t.Context(), "Staff", ben.Email))
		must(t, c.okta.Rename(t.Context(), "Staff", "Crew"))
		c.settled()
		eventually(t, "the team to follow", func() bool { return text(team(), "name") == "Crew" && len(who()) == 2 })
		if text(team(), "id") != text(first, "id") {
			t.Error("renamed, it is another team")
		}
		must(t, c.okta.Quit(t.Context(), "Crew", ada.Email))
		c.settled()
		if got := who(); !slices.Equal(got, []string{ben.Email}) {
			t.Errorf("in the team are %v", got)
		}
		at, adas := base+"/"+text(first, "id"), text(c.member(ada.Email), "id")
		for _, edit := range [][3]string{
			{"PATCH", at, `{"name":"Mine"}`},
			{"DELETE", at, ""},
			{"POST", at + "/organization-memberships", `{"organization_membership_id":"` + adas + `"}`},
			{"DELETE", at + "/organization-memberships/" + text(c.member(ben.Email), "id"), ""},
		} {
			if why := s.refusal(409, edit[0], edit[1], edit[2], "directory_managed"); !strings.Contains(why, "Okta") {
				t.Errorf("%s %s is refused without naming the directory: %s", edit[0], edit[1], why)
			}
		}
		s.wantEvents(adas, 0, "group.member_added", "group.member_removed")
	})
}

func TestRow_20_invited_people_are_in_their_groups_and_teams_and_marked_pending(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		s := newSaaS(t, engine)
		c := s.newCompany("Acme", "acme.example")
		ada := c.person("Ada")
		c.connect("", ada)
		c.sync("")
		s.api.must(t, 200, "PUT", "/directories/"+c.directory+"/mapping", `{"drives_teams":true,"teams_follow_groups":true}`)
		c.hire(ada)
		must(t, c.okta.PushGroup(t.Context(), "Staff", ada.Email))
		c.settled()
		status := func() string {
			teams := list(s.api.must(t, 200, "GET", "/organizations/"+c.id+"/groups", ""), "data")
			if len(teams) != 1 {
				return "no team"
			}
			in := list(s.api.must(t, 200, "GET", "/organizations/"+c.id+"/groups/"+text(teams[0], "id")+"/organization-memberships", ""), "data")
			if len(in) != 1 {
				return fmt.Sprintf("%d members", len(in))
			}
			return text(in[0], "status")
		}
		eventually(t, "the pending member in the team", func() bool { return status() == "pending" })
		group := text(list(s.api.must(t, 200, "GET", "/directory_groups?directory="+c.directory, ""), "data")[0], "id")
		if in := list(s.api.must(t, 200, "GET", "/directory_users?group="+group, ""), "data"); len(in) != 1 || text(in[0], "email") != ada.Email {
			t.Errorf("in the group are %v", in)
		}
		c.visitor(ada).signIn(c.id)
		if got := status(); got != "active" {
			t.Errorf("after the first sign-in she is %s in the team", got)
		}
	})
}

func TestRow_22_stale_ids_lead_to_the_living_person_of_the_directory_that_is_called(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		s := newSaaS(t, engine)
		c := s.newCompany("Acme", "acme.example")
		c.sync(`"provisioning":"direct"`)
		ada := c.person("Ada")
		c.hire(ada)
		old := text(c.directoryUser(ada.Email), "id")
		before := c.okta.State()
		s.api.must(t, 202, "DELETE", "/directories/"+c.directory, "")
		c.sync(`"provisioning":"direct"`)
		c.hire(ada)
		is := text(c.directoryUser(ada.Email), "id")
		if is == old || len(before.People) != 1 || before.People[0].SCIMID != old {
			t.Fatalf("she was %s and is %s", old, is)
		}
		idp := c.scim()
		for what, got := range map[string]object{
			"GET":   idp.must(t, 200, "GET", "/Users/"+old, ""),
			"PATCH": idp.must(t, 200, "PATCH", "/Users/"+old, patchBody(`{"op":"replace","path":"title","value":"Clerk"}`)),
		} {
			if text(got, "id") != is {
				t.Errorf("%s of the former id is answered by %v", what, got)
			}
		}
		group := text(idp.must(t, 201, "POST", "/Groups", groupBody("Staff")), "id")
		idp.must(t, 204, "PATCH", "/Groups/"+group, addMember(old)) // as Okta is answered
		if in := members(t, idp, group); len(in) != 1 || in[is] != 1 {
			t.Errorf("in the group are %v", in)
		}
		idp.must(t, 404, "DELETE", "/Users/"+old, "")
		idp.must(t, 404, "GET", "/Users/directory_user_01JZ0000000000000000000000", "")
		stranger := s.newCompany("Globex", "globex.example")
		stranger.sync("")
		stranger.scim().must(t, 404, "GET", "/Users/"+old, "")

		// A leaver who is deactivated by the former id is out.
		idp.must(t, 200, "PATCH", "/Users/"+old, deactivate())
		c.want(ada.Email, "primary inactive directory_inactive")
	})
}
