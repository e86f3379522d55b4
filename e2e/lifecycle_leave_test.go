package e2e_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
)

func TestRow_14_access_removed_ends_a_primary_members_account_and_a_guests_membership_only(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		s := newSaaS(t, engine)
		acme, globex := s.newCompany("Acme", "acme.example"), s.newCompany("Globex", "globex.example")
		acme.sync(`"provisioning":"direct"`)
		globex.sync(`"provisioning":"direct"`)
		ada, gus := acme.person("Ada"), globex.person("Gus")
		acme.hire(ada)
		globex.hire(gus)
		// Each is at home in one organization and a guest of the other: Ada by an invitation, Gus by the directory of Acme.
		s.api.must(t, 201, "POST", "/user_management/invitations", `{"email":"`+ada.Email+`","organization_id":"`+globex.id+`"}`)
		acme.hire(gus)
		s.visitor(ada).open(s.inbox.invitation(ada.Email, 0, "Globex"), false)
		s.visitor(gus).open(s.inbox.invitation(gus.Email, 0, "Acme"), false)
		adaHere, adaThere, gusHere, gusThere := s.visitor(ada), s.visitor(ada), s.visitor(gus), s.visitor(gus)
		adaHere.byCode(acme.id)
		adaThere.byCode(globex.id)
		gusHere.byCode(acme.id)
		gusThere.byCode(globex.id)
		acme.want(ada.Email, "primary active directory")
		globex.want(ada.Email, "guest active invitation")
		acme.want(gus.Email, "guest active directory")
		gusID := text(globex.want(gus.Email, "primary active directory"), "user_id")
		adaID := text(acme.member(ada.Email), "user_id")

		must(t, acme.okta.Leave(t.Context(), gus.Email))
		acme.want(gus.Email, "guest inactive directory_inactive")
		globex.want(gus.Email, "primary active directory")
		if gusHere.refreshes() || !gusThere.refreshes() {
			t.Error("a guest's leaving has to end this organization's sessions and no other's")
		}
		s.toldOfLogout(gusHere.sid())
		if got := s.events(gusID, "user.deactivated"); len(got) != 0 {
			t.Errorf("the guest's account is told to be gone: %v", got)
		}

		must(t, acme.okta.Leave(t.Context(), ada.Email))
		acme.want(ada.Email, "primary inactive directory_inactive")
		globex.want(ada.Email, "guest inactive account_deprovisioned")
		if adaHere.refreshes() || adaThere.refreshes() {
			t.Error("a primary member's leaving has to end all sessions")
		}
		s.toldOfLogout(adaHere.sid())
		s.toldOfLogout(adaThere.sid())
		s.wantEvents(adaID, 0, "user.deactivated")
		told := map[string]bool{}
		for _, e := range s.events(adaID, "session.revoked") {
			told[text(e, "data", "id")] = text(e, "context", "reason") == "user_deactivated"
		}
		for _, one := range list(s.api.must(t, 200, "GET", "/user_management/users/"+adaID+"/sessions?limit=100", ""), "data") {
			if id := text(one, "id"); text(one, "status") != "revoked" || !told[id] {
				t.Errorf("a session is %v", one)
			}
		}
		if !told[adaHere.sid()] || !told[adaThere.sid()] {
			t.Errorf("told is %v", told)
		}
	})
}

func TestRow_15_access_restored_gives_the_same_account_role_and_teams_back_without_an_invitation(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		s := newSaaS(t, engine)
		c := s.newCompany("Acme", "acme.example")
		ada := c.person("Ada")
		c.connect("", ada)
		c.sync("")
		c.hire(ada)
		s.inbox.next(ada.Email, 0)
		c.visitor(ada).signIn(c.id)
		was := c.want(ada.Email, "primary active directory")
		id := text(was, "id")
		s.api.must(t, 201, "POST", "/authorization/roles", `{"slug":"editor","name":"Editor"}`)
		s.api.must(t, 200, "PUT", "/user_management/organization_memberships/"+id, `{"role_slug":"editor"}`)
		team := text(s.api.must(t, 201, "POST", "/organizations/"+c.id+"/groups", `{"name":"Builders"}`), "id")
		roster := "/organizations/" + c.id + "/groups/" + team + "/organization-memberships"
		s.api.must(t, 200, "POST", roster, `{"organization_membership_id":"`+id+`"}`)
		before := len(s.events(id, "organization_membership.updated"))

		must(t, c.okta.Leave(t.Context(), ada.Email))
		c.want(ada.Email, "primary inactive directory_inactive")
		if code := c.visitor(ada).refused(c.id); code != "user_deprovisioned" {
			t.Errorf("she is refused with %s", code)
		}
		must(t, c.okta.Return(t.Context(), ada.Email))
		c.settled()
		is := c.want(ada.Email, "primary active directory")
		if text(is, "id") != id || text(is, "user_id") != text(was, "user_id") || text(is, "role", "slug") != "editor" {
			t.Errorf("she was %v and is %v", was, is)
		}
		if in := list(s.api.must(t, 200, "GET", roster, ""), "data"); len(in) != 1 || text(in[0], "id") != id || text(in[0], "status") != "active" {
			t.Errorf("the team is %v", in)
		}
		c.visitor(ada).signIn(c.id)
		if n := s.inbox.count(ada.Email); n != 1 {
			t.Errorf("she got %d mails", n)
		}
		s.wantEvents(id, before, "organization_membership.updated", "organization_membership.updated")
		s.wantEvents(text(was, "user_id"), 0, "user.created", "user.deactivated", "user.reactivated")
	})
}

func TestRow_16_deactivation_leaves_no_gap_and_a_kill_after_the_answer_changes_nothing(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		s := newSaaS(t, engine)
		c := s.newCompany("Acme", "acme.example")
		ada := c.person("Ada")
		c.connect("", ada)
		c.sync("")
		c.hire(ada)
		v := c.visitor(ada)
		v.signIn(c.id)
		held := v.silent(c.id)
		if !v.introspected(v.access) || !v.introspected(v.refresh) || v.userInfo() != 200 || held == "" {
			t.Fatal("she is not in")
		}
		if v.seconds <= 0 || v.seconds > 300 {
			t.Errorf("an access token lives %v seconds", v.seconds)
		}

		must(t, c.okta.Leave(t.Context(), ada.Email))
		out := func(when string) {
			t.Helper()
			for what, in := range map[string]bool{
				"introspection of the access token": v.introspected(v.access), "introspection of the refresh token": v.introspected(v.refresh),
				"userinfo": v.userInfo() != 401, "a code": v.redeem(held), "a refresh": v.refreshes(), "the session": v.silent(c.id) != "",
			} {
				if in {
					t.Errorf("%s lets her in %s", what, when)
				}
			}
		}
		out("after the answer")
		if code := c.visitor(ada).refused(c.id); code != "user_deprovisioned" {
			t.Errorf("she is refused with %s", code)
		}
		s.toldOfLogout(v.sid())
		member := text(c.want(ada.Email, "primary inactive directory_inactive"), "id")

		// What it came to is on record, and each application's page says how long it may be wrong.
		var record object
		eventually(t, "the record of her leaving", func() bool {
			found := list(s.api.must(t, 200, "GET", "/organizations/"+c.id+"/offboardings", ""), "data")
			if len(found) == 1 {
				record = s.api.must(t, 200, "GET", "/offboardings/"+text(found[0], "id"), "")
			}
			logouts := list(record, "logouts")
			return len(logouts) == 1 && text(logouts[0], "state") == "delivered"
		})
		ended, _ := record["sessions"].(object)
		if text(record, "organization_membership_id") != member || text(record, "why") != "directory_inactive" || ended["ended"] != 1.0 || text(record, "cause", "exchange_id") == "" {
			t.Errorf("the record is %v", record)
		}
		gap := s.api.must(t, 200, "GET", "/connect/applications/"+s.id+"/gap", "")
		if worst, _ := gap["worst_gap_ms"].(float64); worst <= 0 || worst > 300_000 {
			t.Errorf("the gap is %v", gap)
		}

		// Somebody who returns and leaves once more, with the process gone right after the answer.
		must(t, c.okta.Return(t.Context(), ada.Email))
		c.settled()
		v = c.visitor(ada)
		v.signIn(c.id)
		held = v.silent(c.id)
		must(t, c.okta.Leave(t.Context(), ada.Email))
		s.p.kill(t)
		s.h.settle(t)
		s.p = s.h.start(t, "--listen", strings.TrimPrefix(s.p.url, "http://"))
		out("after a kill")
		s.toldOfLogout(v.sid())
	})
}

func TestRow_21_active_false_and_true_disable_and_enable_and_who_arrives_inactive_gets_no_invitation_or_seat(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		s := newSaaS(t, engine)
		c := s.newCompany("Acme", "acme.example")
		c.sync("")
		s.api.must(t, 201, "POST", "/organizations/"+c.id+"/licence_types", `{"slug":"pro","name":"Pro","seats":1}`)
		s.api.must(t, 200, "PUT", "/directories/"+c.directory+"/mapping", `{"drives_licences":true,"rules":[{"set":"licence","to":"pro"}]}`)
		used := func() any { return s.api.must(t, 200, "GET", "/organizations/"+c.id+"/licence_types/pro", "")["used"] }
		idp := c.scim()
		person := func(active string) string {
			return `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@acme.example","externalId":"e-1","emails":[{"value":"ada@acme.example","primary":true}],"active":` + active + `}`
		}
		id := text(idp.must(t, 201, "POST", "/Users", person("false")), "id")
		c.settled()
		if got := c.standing("ada@acme.example"); got != "" || used() != 0.0 {
			t.Errorf("who arrived inactive is %q, %v seats are taken", got, used())
		}
		if u := c.directoryUser("ada@acme.example"); text(u, "id") != id || text(u, "state") != "inactive" {
			t.Errorf("stored is %v", u)
		}
		for _, filter := range []string{"email+eq+%22ADA@acme.example%22", "emails.value+eq+%22ada@acme.example%22"} {
			found := list(idp.must(t, 200, "GET", "/Users?filter="+filter, ""), "Resources")
			if len(found) != 1 || text(found[0], "id") != id {
				t.Errorf("%s finds %v", filter, found)
			}
		}

		idp.must(t, 200, "PUT", "/Users/"+id, person("true"))
		c.settled()
		c.want("ada@acme.example", "primary pending invited_by_directory")
		if used() != 1.0 {
			t.Errorf("%v seats are taken", used())
		}
		v := s.visitor(c.person("Ada"))
		v.open(s.inbox.invitation("ada@acme.example", 0, "Acme"), false)
		v.byCode(c.id)
		c.want("ada@acme.example", "primary active directory")
		idp.must(t, 200, "PUT", "/Users/"+id, person("false"))
		c.want("ada@acme.example", "primary inactive directory_inactive")
		if used() != 0.0 || v.refreshes() {
			t.Errorf("disabled, %v seats are taken", used())
		}
		idp.must(t, 200, "PUT", "/Users/"+id, person("true"))
		c.settled()
		c.want("ada@acme.example", "primary active directory")
		if used() != 1.0 {
			t.Errorf("enabled, %v seats are taken", used())
		}
		states := []string{}
		for _, e := range s.wantEvents(id, 0, "dsync.user.created", "dsync.user.updated", "dsync.user.updated", "dsync.user.updated") {
			states = append(states, text(e, "data", "state"))
		}
		if !slices.Equal(states, []string{"inactive", "active", "inactive", "active"}) {
			t.Errorf("the app was told %v", states)
		}
	})
}

func TestRow_25_suspended_in_Okta_stays_active_and_deactivated_or_deleted_does_not(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		s := newSaaS(t, engine)
		c := s.newCompany("Acme", "acme.example")
		c.sync(`"provisioning":"direct"`)
		ada, ben := c.person("Ada"), c.person("Ben")
		c.hire(ada, ben)
		state := func(email string) string { return text(c.directoryUser(email), "state") }

		sent := len(c.okta.Exchanges())
		must(t, c.okta.Suspend(t.Context(), ada.Email))
		if state(ada.Email) != "active" || c.standing(ada.Email) != "primary active directory" || len(c.okta.Exchanges()) != sent {
			t.Errorf("suspended, she is %s, %s", state(ada.Email), c.standing(ada.Email))
		}
		must(t, c.okta.Leave(t.Context(), ada.Email))
		if state(ada.Email) != "inactive" {
			t.Errorf("deactivated, she is %s", state(ada.Email))
		}
		c.want(ada.Email, "primary inactive directory_inactive")
		c.scim().must(t, 204, "DELETE", "/Users/"+text(c.directoryUser(ben.Email), "id"), "")
		if u := c.directoryUser(ben.Email); u != nil {
			t.Errorf("deleted, he is %v", u)
		}
		c.want(ben.Email, "primary inactive directory_removed")
	})
}
