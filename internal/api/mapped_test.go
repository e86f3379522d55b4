package api

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
)

// home is an organization that has verified the domain of everybody in these tests.
func (w *world) home() string {
	w.Helper()
	return w.send("POST", "/organizations", `{"name":"Acme","domain_data":[{"domain":"example.com","state":"verified"}]}`).wants(http.StatusCreated).text("id")
}

// maps saves the mapping of a directory, and has everybody looked at by it.
func (f feed) maps(mapping string) {
	f.Helper()
	f.send("PUT", "/directories/"+f.id+"/mapping", mapping).wants(http.StatusOK)
	f.settle()
}

// settle has members take over what directories say.
func (w *world) settle() {
	w.Helper()
	w.must(w.dirs.Provision(w.Context()))
}

// memberNamed is the membership of somebody with an address, as the API shows it.
func (w *world) memberNamed(organizationID, email string) reply {
	w.Helper()
	u, err := w.members.UserByEmail(w.Context(), email)
	w.must(err)
	m, err := w.members.MemberOf(w.Context(), organizationID, u.ID)
	w.must(err)
	return w.get(membershipPath + "/" + string(m.Membership.ID)).wants(http.StatusOK)
}

func (w *world) managedBy(r reply, directoryID string) {
	w.Helper()
	r.refused(http.StatusConflict, "directory_managed", "")
	if !strings.Contains(r.text("message"), `"People" (`+directoryID+`)`) {
		w.Errorf("%s does not name %s", r.raw, directoryID)
	}
}

func TestTeam_places_of_rules_are_the_living_directories_and_then_everybodys(t *testing.T) {
	onBoth(t, func(w *world) {
		w.provisioned()
		acme := w.home()
		shared := w.send("POST", "/organizations/"+acme+"/groups", `{"name":"Shared"}`).wants(201).text("id")
		own := w.send("POST", "/organizations/"+acme+"/groups", `{"name":"Own"}`).wants(201).text("id")
		first, second := w.feed(acme, `,"provisioning":"direct"`), w.feed(acme, `,"provisioning":"direct"`)
		first.person("ada", "")
		second.person("ada", "")
		first.maps(`{"drives_teams":true,"rules":[{"set":"team","to":"` + shared + `"},{"set":"team","to":"` + own + `"}]}`)
		second.maps(`{"drives_teams":true,"rules":[{"set":"team","to":"` + shared + `"}]}`)
		m := w.memberNamed(acme, "ada@example.com").text("id")
		leave := func(team string) reply {
			return w.send("DELETE", "/organizations/"+acme+"/groups/"+team+"/organization-memberships/"+m, "")
		}
		w.managedBy(leave(own), first.id)

		w.send("DELETE", "/directories/"+first.id, "").wants(http.StatusAccepted)
		w.settle()
		for _, team := range []string{own, shared} {
			same(t, "nobody is lost", w.get("/organizations/"+acme+"/groups/"+team+"/organization-memberships").wants(200).each("id"), []string{m})
		}
		w.managedBy(leave(shared), second.id)
		leave(own).wants(http.StatusNoContent)

		w.send("DELETE", "/directories/"+second.id, "").wants(http.StatusAccepted)
		places, err := w.access.TeamsOfMember(w.Context(), acme, m)
		w.must(err)
		if len(places) != 1 || places[0].PutBy != "hand" {
			t.Errorf("%+v", places)
		}
		leave(shared).wants(http.StatusNoContent)
	})
}

func TestTeam_places_that_a_connection_gives_too_are_its_own_when_the_directory_goes(t *testing.T) {
	onBoth(t, func(w *world) {
		w.provisioned()
		acme := w.home()
		team := w.send("POST", "/organizations/"+acme+"/groups", `{"name":"Shared"}`).wants(201).text("id")
		conn := w.send("POST", "/connections", `{"organization_id":"`+acme+`","name":"Okta","connection_type":"GenericSAML"}`).wants(201).text("id")
		f := w.feed(acme, `,"provisioning":"direct"`)
		f.person("ada", "")
		f.maps(`{"drives_teams":true,"rules":[{"set":"team","to":"` + team + `"}]}`)
		m := w.memberNamed(acme, "ada@example.com").text("id")
		w.exec(`UPDATE organization_memberships SET asserted = $2 WHERE id = $1`, m, `{"connection":"`+conn+`","mapped":{"teams":["`+team+`"]}}`)
		w.send("DELETE", "/directories/"+f.id, "").wants(http.StatusAccepted)
		leave := func() reply {
			return w.send("DELETE", "/organizations/"+acme+"/groups/"+team+"/organization-memberships/"+m, "")
		}
		got := leave()
		got.refused(http.StatusConflict, "directory_managed", "")
		if !strings.Contains(got.text("message"), `The connection "Okta" (`+conn+`)`) {
			t.Error(got.raw)
		}
		if places, err := w.access.TeamsOfMember(w.Context(), acme, m); err != nil || len(places) != 1 || places[0].PutBy != "connection" {
			t.Errorf("%+v %v", places, err)
		}
		w.send("DELETE", "/connections/"+conn, "").wants(http.StatusNoContent)
		leave().wants(http.StatusNoContent)
	})
}

// wantProgress asks how far members have come with what a directory says.
func (f feed) wantProgress(state string, done, total float64) {
	f.Helper()
	if p := f.get("/directories/" + f.id + "/provisioning").wants(http.StatusOK); p.text("state") != state || p.object["done"] != done || p.object["total"] != total {
		f.Errorf("progress %s, want %s: %v of %v", p.raw, state, done, total)
	}
}

func TestMapping_that_is_saved_has_everybody_looked_at_and_reports_how_far(t *testing.T) {
	onBoth(t, func(w *world) {
		w.provisioned()
		w.send("POST", "/authorization/roles", `{"slug":"editor","name":"Editor"}`).wants(201)
		acme := w.home()
		f := w.feed(acme, `,"provisioning":"direct"`)
		f.person("ada", "")
		f.person("bob", `,"active":false`)
		w.settle()
		path, mapping := "/directories/"+f.id+"/mapping", `{"drives_roles":true,"rules":[{"set":"role","to":"editor"}]}`
		w.send("PUT", path, mapping).wants(http.StatusOK)
		f.wantProgress("applying", 0, 2)
		w.settle()
		f.wantProgress("up_to_date", 2, 2)
		if m := w.memberNamed(acme, "ada@example.com"); m.text("role.slug") != "editor" {
			t.Error(m.raw)
		}
		w.send("PUT", path, mapping).wants(http.StatusOK) // what changes nothing is silent
		f.wantProgress("up_to_date", 2, 2)
		w.send("PUT", path, `{"drives_teams":true}`).wants(http.StatusOK)
		told := w.get("/audit?actions=mapping.updated").wants(http.StatusOK).data()
		if len(told) != 2 {
			t.Fatalf("the audit tells %v", told)
		}
		rule := `[map[set:role to:editor]]`
		for i, want := range []string{
			`map[drives_roles:map[after:false before:true] drives_teams:map[after:true before:false] rules:map[after:[] before:` + rule + `]]`,
			`map[drives_roles:map[after:true before:false] rules:map[after:` + rule + ` before:[]]]`,
		} {
			if got := fmt.Sprint(told[i]["changes"]); got != want {
				t.Errorf("the audit tells of changes\n got %s\nwant %s", got, want)
			}
		}
	})
}

func TestRole_order_decides_at_once_for_whom_several_roles_are_mapped(t *testing.T) {
	onBoth(t, func(w *world) {
		w.provisioned()
		acme := w.home()
		roles := "/authorization/organizations/" + acme + "/roles"
		w.send("POST", roles, `{"slug":"lead","name":"Lead","priority":10}`).wants(201)
		w.send("POST", roles, `{"slug":"editor","name":"Editor","priority":20}`).wants(201)
		f, idle := w.feed(acme, `,"provisioning":"direct"`), w.feed(acme, `,"provisioning":"direct"`)
		ada := f.person("ada", `,"title":"chief"`)
		f.group("Leads", ada)
		f.group("Editors", ada)
		idle.maps(`{"drives_roles":true,"rules":[{"set":"role","to":"member"}]}`)
		f.maps(`{"drives_roles":true,"rules":[{"set":"role","to":"lead","when":{"group":"Leads"}},{"set":"role","to":"editor","when":{"group":"Editors"}},
			{"set":"role","from":"title"}]}`)
		wants := func(when, role string) {
			t.Helper()
			f.wantProgress("applying", 0, 1)
			w.settle()
			f.wantProgress("up_to_date", 1, 1)
			if m := w.memberNamed(acme, "ada@example.com"); m.text("role.slug") != role || m.text("role_source") != "directory" {
				t.Errorf("%s: %s", when, m.raw)
			}
		}
		w.settle()
		if m := w.memberNamed(acme, "ada@example.com"); m.text("role.slug") != "lead" {
			t.Error(m.raw)
		}
		w.send("PATCH", roles+"/lead", `{"name":"Head"}`).wants(200) // nobody is looked at for that
		f.wantProgress("up_to_date", 1, 1)
		w.send("PATCH", roles+"/editor", `{"priority":5}`).wants(200)
		wants("the editor goes before", "editor")
		idle.wantProgress("up_to_date", 0, 0)
		w.send("POST", roles, `{"slug":"chief","name":"Chief","priority":1}`).wants(201)
		wants("a rule reads the role that has come", "chief")
		w.send("PATCH", roles+"/chief", `{"priority":30}`).wants(200)
		wants("it goes behind", "editor")
		w.send("DELETE", roles+"/chief", "").wants(204)
		wants("it is gone", "editor")
		var said string
		w.must(w.db.QueryRow(w.Context(), `SELECT claim FROM membership_claims WHERE organization_id = $1`, acme).Scan(&said))
		if !strings.Contains(said, `"roles":["editor","lead"]`) {
			t.Errorf("the directory gives %s", said)
		}
	})
}

func TestUser_fields_that_a_directory_gives_come_and_go_with_it(t *testing.T) {
	onBoth(t, func(w *world) {
		w.provisioned()
		acme := w.home()
		f := w.feed(acme, `,"provisioning":"direct"`)
		ada := f.person("ada", `,"locale":"de","photos":[{"value":"https://p.example/ada","type":"photo"}]`)
		w.settle()
		path := usersPath + "/" + w.memberNamed(acme, "ada@example.com").text("user_id")
		w.managedBy(w.send("PUT", path, `{"locale":"fr"}`), f.id)
		w.managedBy(w.send("PUT", path, `{"locale":null}`), f.id)
		f.set(ada, "locale", `null`)
		f.set(ada, "photos", `[]`)
		w.settle()
		if u := w.get(path); u.at("locale") != nil || u.at("profile_picture_url") != nil || u.text("first_name") != "ada" {
			t.Error(u.raw)
		}
		w.send("PUT", path, `{"locale":"fr"}`).wants(http.StatusOK)
	})
}

func TestMembership_is_managed_as_long_as_a_directory_that_is_there_has_the_person(t *testing.T) {
	onBoth(t, func(w *world) {
		w.provisioned()
		acme := w.home()
		first, second := w.feed(acme, `,"provisioning":"direct"`), w.feed(acme, `,"provisioning":"direct"`)
		person := first.person("ada", "")
		w.settle()
		second.person("ada", "")
		w.settle()
		wants := func(when string, want bool) {
			t.Helper()
			one, listed := w.memberNamed(acme, "ada@example.com"), w.memberships("organization_id=" + acme).data()[0]
			if one.at("directory_managed") != want || listed["directory_managed"] != want || one.text("directory_user_id") != person {
				t.Errorf("%s: %s, listed as %v", when, one.raw, listed["directory_managed"])
			}
		}
		wants("two have her", true)
		w.send("DELETE", "/directories/"+first.id, "").wants(http.StatusAccepted)
		wants("one has her", true)
		w.send("DELETE", "/directories/"+second.id, "").wants(http.StatusAccepted)
		wants("none has her", false)
		m := w.memberNamed(acme, "ada@example.com").text("id")
		types := w.typesAfter(func() { w.send("PUT", membershipPath+"/"+m+"/deactivate", "").wants(http.StatusOK) })
		same(t, "told", types, []string{"organization_membership.updated"})
		w.send("PUT", membershipPath+"/"+m+"/reactivate", "").wants(http.StatusOK)
		wants("a hand speaks of her", false)
		third := w.feed(acme, `,"provisioning":"direct"`)
		person = third.person("ada", "")
		w.settle()
		wants("another comes to have her", true)
	})
}

func TestMapping_preview_is_what_saving_does_beside_another_directory(t *testing.T) {
	onBoth(t, func(w *world) {
		w.provisioned()
		acme := w.home()
		for _, slug := range []string{"lead", "editor"} {
			w.send("POST", "/authorization/roles", `{"slug":"`+slug+`","name":"`+slug+`"}`).wants(201)
			w.send("POST", "/organizations/"+acme+"/licence_types", `{"slug":"`+slug+`","name":"`+slug+`"}`).wants(201)
		}
		red := w.send("POST", "/organizations/"+acme+"/groups", `{"name":"Red"}`).wants(201).text("id")
		blue := w.send("POST", "/organizations/"+acme+"/groups", `{"name":"Blue"}`).wants(201).text("id")
		older, newer := w.feed(acme, `,"provisioning":"direct"`), w.feed(acme, `,"provisioning":"direct"`)
		const emails = "ada bob"
		for name := range strings.FieldsSeq(emails) {
			older.person(name, `,"title":"T"`)
		}
		w.settle()
		newer.person("ada", `,"title":"N"`) // and bob is the older one's alone
		w.settle()
		everything := func(slug, team, more string) string {
			return `{"drives_roles":true,"drives_teams":true,"drives_licences":true,"rules":[{"set":"role","to":"` + slug + `"},{"set":"licence","to":"` + slug + `"},
				{"set":"team","to":"` + team + `"},{"set":"attribute","name":"office","from":"title"}` + more + `]}`
		}
		const picture = `,{"set":"profile","name":"picture_url","from":"title"},{"set":"profile","name":"locale","from":"title"}`
		state := func(email string) map[string]any {
			m := w.memberNamed(acme, email)
			out := map[string]any{
				"role": m.text("role.slug"), "licence": m.at("licence"), "profile.picture_url": m.at("user.profile_picture_url"), "profile.locale": m.at("user.locale"),
				"office": m.at("custom_attributes.office"),
			}
			places, err := w.access.TeamsOfMember(w.Context(), acme, m.text("id"))
			w.must(err)
			for _, p := range places {
				out["team "+p.Team.Name] = true
			}
			return out
		}
		// foreseen is what a preview says somebody will have who has something now.
		foreseen := func(preview reply, email string, has map[string]any) map[string]any {
			out := maps.Clone(has)
			for _, d := range preview.data() {
				if d["email"] != email {
					continue
				}
				set := func(name string, change any) {
					pair, _ := change.(map[string]any)
					if pair == nil {
						return
					}
					if fmt.Sprint(pair["before"]) != fmt.Sprint(has[name]) {
						t.Errorf("%s of %s is %v, the preview says %v", name, email, has[name], pair["before"])
					}
					out[name] = pair["after"]
				}
				set("role", d["role"])
				set("licence", d["licence"])
				for name, pair := range d["attributes"].(map[string]any) {
					set(name, pair)
				}
				for _, gained := range d["teams_gained"].([]any) {
					out["team "+gained.(map[string]any)["name"].(string)] = true
				}
				for _, lost := range d["teams_lost"].([]any) {
					delete(out, "team "+lost.(map[string]any)["name"].(string))
				}
			}
			return out
		}
		for _, step := range []struct {
			of      feed
			mapping string
		}{
			{newer, everything("lead", red, picture)},
			{older, everything("editor", red, "")}, // goes before the newer one's
			{older, everything("editor", blue, "")},
			{newer, `{}`}, // the older one's are left
			{newer, everything("lead", red, picture)},
			{older, `{}`}, // and the newer one's
			{newer, `{}`},
		} {
			preview := w.send("POST", "/directories/"+step.of.id+"/mapping/preview", step.mapping).wants(200)
			want := map[string]map[string]any{}
			for name := range strings.FieldsSeq(emails) {
				email := name + "@example.com"
				want[email] = foreseen(preview, email, state(email))
			}
			step.of.maps(step.mapping)
			for email, one := range want {
				if got := state(email); fmt.Sprint(got) != fmt.Sprint(one) {
					t.Errorf("%s of %s:\n got %v\nforeseen %v\n%s", step.mapping, email, got, one, preview.raw)
				}
			}
		}
	})
}
