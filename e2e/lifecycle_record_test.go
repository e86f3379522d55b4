package e2e_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/simulate"
)

func TestRow_23_every_change_is_an_event_and_the_same_webhook_and_people_and_groups_can_be_read(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		s := newSaaS(t, engine)
		s.listen()
		c := s.newCompany("Acme", "acme.example")
		c.sync(`"provisioning":"direct"`)
		ada, ctx := c.person("Ada"), t.Context()
		c.hire(ada)
		person := text(c.directoryUser(ada.Email), "id")
		promoted := ada
		promoted.Title = "Head"
		must(t, c.okta.Change(ctx, promoted))
		must(t, c.okta.PushGroup(ctx, "Staff", ada.Email))
		group := list(s.api.must(t, 200, "GET", "/directory_groups?user="+person, ""), "data")
		if len(group) != 1 || text(group[0], "name") != "Staff" {
			t.Fatalf("her groups are %v", group)
		}
		must(t, c.okta.Quit(ctx, "Staff", ada.Email))
		must(t, c.okta.Rename(ctx, "Staff", "Crew"))
		must(t, c.okta.Unlink(ctx, "Crew"))
		must(t, c.okta.Leave(ctx, ada.Email))
		c.scim().must(t, 204, "DELETE", "/Users/"+person, "")
		c.settled()

		s.wantEvents(person, 0, "dsync.user.created", "dsync.user.updated", "dsync.group.user_added", "dsync.group.user_removed", "dsync.user.updated", "dsync.user.deleted")
		s.wantEvents(text(group[0], "id"), 0, "dsync.group.created", "dsync.group.user_added", "dsync.group.user_removed", "dsync.group.updated", "dsync.group.deleted")
		for _, e := range s.events(c.id, allTypes()...) {
			var got object
			if err := json.Unmarshal([]byte(s.webhook(text(e, "id"))), &got); err != nil || text(got, "event") != text(e, "event") || text(got, "created_at") != text(e, "created_at") {
				t.Errorf("of %v the app got %v (%v)", e, got, err)
			}
		}
	})
}

func TestRow_24_removals_that_Okta_never_sends_are_derived_when_somebody_leaves_and_undone_when_they_return(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		s := newSaaS(t, engine)
		c := s.newCompany("Acme", "acme.example")
		c.sync(`"provisioning":"direct"`)
		ada, ben := c.person("Ada"), c.person("Ben")
		c.hire(ada, ben)
		must(t, c.okta.PushGroup(t.Context(), "Staff", ada.Email, ben.Email))
		person := text(c.directoryUser(ada.Email), "id")
		group := text(list(s.api.must(t, 200, "GET", "/directory_groups?directory="+c.directory, ""), "data")[0], "id")
		sent := len(c.okta.Exchanges())
		must(t, c.okta.Leave(t.Context(), ada.Email))
		for _, x := range c.okta.Exchanges()[sent:] {
			if strings.Contains(x.Target, "Groups") {
				t.Fatalf("this Okta sends %s %s", x.Method, x.Target)
			}
		}
		removed := s.wantEvents(person, 0, "dsync.group.user_removed")[0]
		left := s.events(person, "dsync.user.updated")
		context, _ := removed["context"].(object)
		if context["derived"] != true || text(context, "exchange_id") == "" || text(context, "exchange_id") != text(left[len(left)-1], "context", "exchange_id") || text(removed, "data", "group", "id") != group {
			t.Errorf("the derived removal is %v", removed)
		}
		// The app sees who is effectively in; the provider what it wrote.
		effective := func() (out []string) {
			for _, u := range list(s.api.must(t, 200, "GET", "/directory_users?group="+group, ""), "data") {
				out = append(out, text(u, "email"))
			}
			slices.Sort(out)
			return out
		}
		if got := effective(); !slices.Equal(got, []string{ben.Email}) {
			t.Errorf("in the group are %v", got)
		}
		if in := members(t, c.scim(), group); len(in) != 2 {
			t.Errorf("the provider reads %v", in)
		}
		must(t, c.okta.Return(t.Context(), ada.Email))
		again := s.wantEvents(person, 0, "dsync.group.user_added", "dsync.group.user_added")[1]
		if context, _ := again["context"].(object); context["derived"] != true || len(effective()) != 2 {
			t.Errorf("after her return the event is %v, in the group are %v", again, effective())
		}
	})
}

// What pages show is read here.
func TestRow_26_people_and_groups_that_are_synced_can_be_seen_with_what_the_provider_sent(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		s := newSaaS(t, engine)
		c := s.newCompany("Acme", "acme.example")
		c.sync(`"provisioning":"direct"`)
		cast, err := simulate.Cast(c.domain, 3, 1)
		must(t, err)
		must(t, c.okta.Play(t.Context(), simulate.PlotHire, cast, nil))
		c.settled()
		must(t, c.okta.PushGroup(t.Context(), "Staff", cast[0].Email, cast[1].Email))
		must(t, c.okta.Leave(t.Context(), cast[2].Email))
		c.settled()
		d := s.api.must(t, 200, "GET", "/directories/"+c.directory, "")
		counts, _ := d["metadata"].(object)
		users, _ := counts["users"].(object)
		if text(d, "state") != "linked" || users["active"] != 2.0 || users["inactive"] != 1.0 || counts["groups"] != 1.0 {
			t.Errorf("the directory is %v", d)
		}
		for i, p := range cast {
			u := c.directoryUser(p.Email)
			want := []string{"active", "active", "inactive"}[i]
			if text(u, "state") != want || text(u, "custom_attributes", "department_name") != p.Department || text(u, "raw_attributes", "userName") != p.Email {
				t.Errorf("%s is %v, want %s", p.Email, u, want)
			}
			if m := c.member(p.Email); text(m, "directory_user_id") != text(u, "id") {
				t.Errorf("%s is the member %v", p.Email, m)
			}
		}
		// Another organization's people are not among them.
		other := s.newCompany("Globex", "globex.example")
		other.sync("")
		if found := list(s.api.must(t, 200, "GET", "/directory_users?directory="+other.directory, ""), "data"); len(found) != 0 {
			t.Errorf("a new directory has %v", found)
		}
		requests := list(s.api.must(t, 200, "GET", "/directories/"+c.directory+"/exchanges?limit=100", ""), "data")
		if written := slices.IndexFunc(requests, func(x object) bool { return text(x, "method") == "POST" }); written < 0 || !strings.Contains(text(requests[written], "body"), c.domain) && !strings.Contains(text(requests[written], "body"), "Staff") {
			t.Errorf("what the provider sent is %v", requests)
		}
	})
}

func TestRow_29_deleting_the_identity_provider_names_who_would_be_left_out_and_removes_both_halves(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		s := newSaaS(t, engine)
		c := s.newCompany("Acme", "acme.example")
		ada, ben, gus := c.person("Ada"), c.person("Ben"), simulate.Person{Email: "gus@elsewhere.example", FirstName: "Gus", LastName: "Elsewhere"}
		c.connect(`{"allow_outside_domains":true}`, ada, gus)
		c.visitor(gus).signIn(c.id) // nobody but this provider has ever vouched for his address
		c.sync(`"provisioning":"direct"`)
		c.hire(ada, ben)
		v := c.visitor(ada)
		v.signIn(c.id)
		at := "/organizations/" + c.id + "/identity_provider"
		refused := s.api.must(t, 409, "DELETE", at, "")
		if text(refused, "code") != "people_left_out" || refused["confirm"] != 1.0 || !strings.Contains(text(refused, "message"), "Gus Elsewhere") {
			t.Errorf("the warning is %v", refused)
		}
		s.refusal(409, "DELETE", at+"?confirm=2", "", "people_left_out")
		if !v.refreshes() {
			t.Error("a refused deletion ended a session")
		}
		s.api.must(t, 204, "DELETE", at+"?confirm=1", "")
		s.api.must(t, 404, "GET", "/connections/"+c.connection, "")
		s.api.must(t, 404, "GET", "/directories/"+c.directory, "")
		c.scim().must(t, 401, "GET", "/Users", "")
		if v.refreshes() {
			t.Error("a session through the provider goes on")
		}
		s.toldOfLogout(v.sid())
		for _, p := range []simulate.Person{ada, ben} {
			c.want(p.Email, "primary active directory")
		}
		s.wantEvents(c.directory, 0, "dsync.activated", "dsync.deleted")
		back := s.visitor(ada)
		back.byCode(c.id)
		if text(claimsOf(t, back.idToken), "connection_id") != "" {
			t.Error("she came in through what is deleted")
		}
	})
}

func TestRow_30_what_the_identity_provider_manages_is_read_only_elsewhere_and_the_refusal_names_it(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		s := newSaaS(t, engine)
		c := s.newCompany("Acme", "acme.example")
		c.sync(`"provisioning":"direct"`)
		s.api.must(t, 201, "POST", "/authorization/roles", `{"slug":"editor","name":"Editor"}`)
		s.api.must(t, 201, "POST", "/organizations/"+c.id+"/licence_types", `{"slug":"pro","name":"Pro"}`)
		s.api.must(t, 200, "PUT", "/directories/"+c.directory+"/mapping", `{"drives_roles":true,"drives_licences":true,"rules":[{"set":"role","to":"editor"},{"set":"licence","to":"pro"}]}`)
		ada := c.person("Ada")
		c.hire(ada)
		m := c.want(ada.Email, "primary active directory")
		account, member := "/user_management/users/"+text(m, "user_id"), "/user_management/organization_memberships/"+text(m, "id")
		if m["directory_managed"] != true {
			t.Errorf("she is %v", m)
		}
		told := len(s.events(text(m, "id"), "organization_membership.updated"))
		for _, edit := range [][3]string{
			{"PUT", account, `{"first_name":"Eve"}`},
			{"PUT", account, `{"last_name":"Eve"}`},
			{"PUT", account, `{"email":"eve@acme.example"}`},
			{"PUT", member, `{"role_slug":"member"}`},
			{"PUT", member, `{"licence":null}`},
			{"DELETE", member, ""},
		} {
			if why := s.refusal(409, edit[0], edit[1], edit[2], "directory_managed"); !strings.Contains(why, "Okta") {
				t.Errorf("%s %s is refused without naming the directory: %s", edit[0], edit[2], why)
			}
		}
		if is := c.member(ada.Email); text(is, "user", "first_name") != "Ada" || text(is, "role", "slug") != "editor" || text(is, "licence") != "pro" || len(s.events(text(m, "id"), "organization_membership.updated")) != told {
			t.Errorf("the refused edits made her %v", is)
		}
		// What nobody manages stays the app's, and what only restricts is never refused.
		s.api.must(t, 200, "PUT", account, `{"metadata":{"desk":"7"}}`)
		s.api.must(t, 200, "PUT", member+"/deactivate", "")
		c.want(ada.Email, "primary inactive deactivated")
		must(t, c.okta.Change(t.Context(), simulate.Person{Email: ada.Email, FirstName: "Adele", LastName: "Novak"}))
		c.settled()
		if is := c.want(ada.Email, "primary inactive deactivated"); text(is, "user", "first_name") != "Adele" {
			t.Errorf("the provider's change made her %v", is)
		}
		s.api.must(t, 200, "PUT", member+"/reactivate", "")
		must(t, c.okta.Leave(t.Context(), ada.Email))
		s.refusal(409, "PUT", member+"/reactivate", "", "directory_managed")
		s.refusal(409, "POST", "/user_management/invitations", `{"email":"`+ada.Email+`","organization_id":"`+c.id+`"}`, "directory_managed")
	})
}

func TestRow_31_the_audit_trail_leads_from_the_providers_request_to_the_apps_acknowledgement(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		s := newSaaS(t, engine)
		s.listen()
		c := s.newCompany("Acme", "acme.example")
		ada := c.person("Ada")
		c.connect("", ada)
		c.sync(`"provisioning":"direct"`)
		c.hire(ada)
		v := c.visitor(ada)
		v.signIn(c.id)
		must(t, c.okta.Leave(t.Context(), ada.Email))
		m := c.want(ada.Email, "primary inactive directory_inactive")

		// The request, and what it says it has done.
		requests := list(s.api.must(t, 200, "GET", "/directories/"+c.directory+"/exchanges?limit=100", ""), "data")
		known := map[string]object{}
		for _, x := range requests {
			known[text(x, "id")] = x
		}
		events := s.events(c.id, allTypes()...)
		leaving := ""
		for _, e := range events {
			cause, source := text(e, "context", "exchange_id"), text(e, "context", "actor", "source")
			if strings.HasPrefix(text(e, "event"), "dsync.user") || strings.HasPrefix(text(e, "event"), "organization_membership") {
				if known[cause] == nil || source != "system" || text(e, "context", "actor", "id") != c.directory {
					t.Errorf("%s comes from %v", text(e, "event"), e["context"])
				}
				leaving = cause
			}
		}
		if text(known[leaving], "method") != "PATCH" || known[leaving]["status"] != 200.0 {
			t.Errorf("she left by %v", known[leaving])
		}
		ofLeaving := map[string]string{}
		for _, e := range s.events("", allTypes()...) {
			if text(e, "context", "exchange_id") == leaving {
				ofLeaving[text(e, "event")] = text(e, "id")
			}
		}
		for _, kind := range []string{"dsync.user.updated", "organization_membership.updated", "session.revoked", "user.deactivated"} {
			if ofLeaving[kind] == "" {
				t.Errorf("of her leaving is told %v, want %s", ofLeaving, kind)
			}
		}

		// Every change has one entry with one cause; the same ids go to the app.
		seen := map[string]bool{}
		for after := ""; ; {
			page := s.api.must(t, 200, "GET", "/audit?limit=100"+after, "")
			for _, entry := range list(page, "data") {
				id, kind := text(entry, "id"), text(entry, "cause", "type")
				if seen[id] || text(entry, "cause", "id") == "" || kind == "exchange" && known[text(entry, "cause", "id")] == nil {
					t.Errorf("an entry is %v", entry)
				}
				seen[id] = true
			}
			next := text(page, "list_metadata", "after")
			if next == "" {
				break
			}
			after = "&after=" + next
		}
		for kind, id := range ofLeaving {
			if kind != "session.revoked" && !seen[id] {
				t.Errorf("%s %s is not in the audit trail", kind, id)
			}
			s.webhook(id)
		}

		// The app says that it has dealt with it, and the record closes.
		s.toldOfLogout(v.sid())
		s.api.must(t, 200, "POST", "/events/"+ofLeaving["organization_membership.updated"]+"/acknowledge", "")
		var record object
		eventually(t, "the whole record", func() bool {
			found := list(s.api.must(t, 200, "GET", "/organizations/"+c.id+"/offboardings", ""), "data")
			if len(found) == 1 {
				record = s.api.must(t, 200, "GET", "/offboardings/"+text(found[0], "id"), "")
			}
			return record["complete"] == true
		})
		if text(record, "organization_membership_id") != text(m, "id") || text(record, "cause", "exchange_id") != leaving || text(record, "acknowledgement", "event_id") != ofLeaving["organization_membership.updated"] || len(list(record, "webhooks")) == 0 {
			t.Errorf("the record is %v", record)
		}
		receipt := s.api.must(t, 200, "GET", "/offboardings/"+text(record, "id")+"/receipt", "")
		said := claimsOf(t, text(receipt, "receipt"))
		raw, err := json.Marshal(said)
		must(t, err)
		if text(said, "cause", "exchange_id") != leaving || said["complete"] != true || strings.Contains(string(raw), ada.Email) {
			t.Errorf("the receipt says %s", raw)
		}
	})
}
