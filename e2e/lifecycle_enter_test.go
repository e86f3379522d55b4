package e2e_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/simulate"
)

// invite asks somebody in by hand and gives the mailed link.
func (c *company) invite(email, more string) (id, link string) {
	c.t.Helper()
	had := c.inbox.count(email)
	made := c.api.must(c.t, 201, "POST", "/user_management/invitations", fmt.Sprintf(`{"email":%q,"organization_id":%q%s}`, email, c.id, more))
	link = c.inbox.invitation(email, had, "")
	if link != text(made, "accept_invitation_url") {
		c.t.Errorf("the mailed link is %s, the API says %s", link, text(made, "accept_invitation_url"))
	}
	return text(made, "id"), link
}

func (c *company) policy() object {
	c.t.Helper()
	return c.api.must(c.t, 200, "GET", "/organizations/"+c.id+"/policy", "")
}

func TestRow_04_everyone_has_to_use_the_identity_provider_once_it_is_set_up_and_settings_say_otherwise(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		s := newSaaS(t, engine)
		c := s.newCompany("Acme", "acme.example")
		ada, gus := c.person("Ada"), simulate.Person{Email: "gus@elsewhere.example", FirstName: "Gus"}
		guest := s.visitor(gus)
		_, link := c.invite(gus.Email, "")
		guest.open(link, false)
		guest.byCode(c.id)
		nia := simulate.Person{Email: "nia@elsewhere.example", FirstName: "Nia"} // a guest who never tries the provider
		_, link = c.invite(nia.Email, "")
		s.visitor(nia).open(link, false)
		s.visitor(nia).byCode(c.id)
		c.connect("", ada)
		if p := c.policy(); text(p, "sso") != "required_for_all" || text(p, "sso_state") != "not_started" {
			t.Errorf("before anybody came in the policy is %v", p)
		}
		if !guest.refreshes() {
			t.Error("a provider that nobody has tried locks people out")
		}
		primary := c.visitor(ada)
		primary.signIn(c.id)
		if p := c.policy(); text(p, "sso_state") != "required" {
			t.Errorf("after the first sign-in the policy is %v", p)
		}
		byCode := func(v *visitor) bool {
			return v.redeem(v.open(s.ask(c.id, "prompt", "select_account"), false).at.Query().Get("code"))
		}
		if guest.refreshes() {
			t.Error("a guest goes on without the provider")
		}
		// Whoever is not of its domains proves the address first, and is then led to the provider: there they are only by both.
		vouched := s.visitor(gus)
		if !byCode(vouched) || text(claimsOf(t, vouched.idToken), "connection_id") != c.connection {
			t.Errorf("a guest came in by %v", vouched.idToken)
		}

		set := func(body string) { s.api.must(t, 200, "PUT", "/organizations/"+c.id+"/policy", body) }
		set(`{"sso":"required_for_primary_members"}`)
		guest = s.visitor(gus)
		if !byCode(guest) {
			t.Error("a guest is bound by what is for primary members")
		}
		// Whoever is bound is led to the provider, whatever they ask for: there she is only by its word.
		other := c.visitor(ada)
		if end := other.open(s.ask(c.id, "prompt", "select_account"), false); end.at.Query().Get("code") == "" || !other.redeem(end.at.Query().Get("code")) || text(claimsOf(t, other.idToken), "connection_id") != c.connection {
			t.Errorf("a primary member came in by %v", other.idToken)
		}
		set(`{"sso":"optional"}`)
		other = s.visitor(ada)
		if !byCode(other) || text(claimsOf(t, other.idToken), "connection_id") != "" {
			t.Error("where it is optional a primary member may not choose the code")
		}

		// Back to the strictest: who would be left without a way in is known by number and name first, and what it forbids ends with it.
		refused := s.api.must(t, 409, "PUT", "/organizations/"+c.id+"/policy", `{"sso":"required_for_all"}`)
		if text(refused, "code") != "people_left_out" || refused["confirm"] != 1.0 || !strings.Contains(text(refused, "message"), nia.Email) {
			t.Errorf("the refusal is %v", refused)
		}
		left := list(s.api.must(t, 200, "GET", "/organizations/"+c.id+"/left_out", ""), "data")
		if len(left) != 1 || text(left[0], "email") != nia.Email { // Gus has come in by the code and the provider
			t.Errorf("left out are %v", left)
		}
		set(`{"sso":"required_for_all","confirm":1}`)
		if guest.refreshes() || other.refreshes() || !primary.refreshes() {
			t.Error("the policy has to end what it does not let go on, and nothing else")
		}
	})
}

func TestRow_10_who_is_unknown_becomes_an_invited_primary_member_and_who_has_an_account_a_guest(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		s := newSaaS(t, engine)
		// Dora's account is at home in an organization that had the domain before; Gus's in another one. Eve has one that is at home nowhere.
		former, globex := s.newCompany("Former", "acme.example"), s.newCompany("Globex", "globex.example")
		former.sync(`"provisioning":"direct"`)
		globex.sync(`"provisioning":"direct"`)
		dora, gus := former.person("Dora"), globex.person("Gus")
		former.hire(dora)
		globex.hire(gus)
		s.visitor(dora).byCode(former.id) // she has proven her address
		eve := former.person("Eve")
		s.visitor(eve).byCode("")
		for _, d := range list(s.api.must(t, 200, "GET", "/organizations/"+former.id, ""), "domains") {
			s.api.must(t, 204, "DELETE", "/organization_domains/"+text(d, "id"), "")
		}
		c := s.newCompany("Acme", "acme.example")
		ada := c.person("Ada")
		c.connect("", ada)
		c.sync("")
		c.hire(ada, dora, eve, gus)

		c.want(dora.Email, "guest active directory")
		former.want(dora.Email, "primary active directory")
		c.want(eve.Email, "primary active directory") // at home nowhere, so here
		// An address outside the organization's domains is not its to speak for: the holder accepts.
		c.want(gus.Email, "guest pending invited_by_directory")
		s.visitor(gus).open(s.inbox.invitation(gus.Email, 0, "Acme"), false)
		c.want(gus.Email, "guest active directory")
		globex.want(gus.Email, "primary active directory")
		for _, known := range []string{dora.Email, eve.Email} {
			for _, l := range s.inbox.to(known) {
				if linkIn.MatchString(l.text) {
					t.Errorf("%s, who has an account, is invited: %s", known, l.text)
				}
			}
		}

		pending := c.want(ada.Email, "primary pending invited_by_directory")
		s.inbox.invitation(ada.Email, 0, "Acme")
		c.visitor(ada).signIn(c.id)
		is := c.want(ada.Email, "primary active directory")
		if text(is, "id") != text(pending, "id") || is["joined_at"] == nil {
			t.Errorf("pending was %v, in is %v", pending, is)
		}
		s.wantEvents(text(is, "id"), 0, "organization_membership.created", "organization_membership.updated")
		if got := s.events(ada.Email, "invitation.accepted"); len(got) != 1 {
			t.Errorf("of the invitation is told %v", got)
		}
	})
}

func TestRow_11_adding_a_person_sends_the_invitation_and_the_state_is_invited_until_the_first_sign_in(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		s := newSaaS(t, engine)
		c := s.newCompany("Acme", "acme.example")
		ada, ben := c.person("Ada"), c.person("Ben")
		c.connect("", ada, ben)
		c.sync("")
		c.hire(ada, ben)
		for _, email := range []string{ada.Email, ben.Email} {
			s.inbox.invitation(email, 0, "Acme")
			c.want(email, "primary pending invited_by_directory")
		}
		if got := s.events(c.id, "invitation.created"); len(got) != 2 || text(got[0], "context", "exchange_id") == "" {
			t.Errorf("of invitations is told %v", got)
		}
		if u := c.directoryUser(ada.Email); text(u, "state") != "active" {
			t.Errorf("to the provider an invited person is %v", u)
		}
		c.visitor(ada).signIn(c.id) // without the link
		if in, invited := c.inStates("active"), c.inStates("pending"); len(in) != 1 || len(invited) != 1 || text(in[0], "user", "email") != ada.Email || text(invited[0], "user", "email") != ben.Email {
			t.Errorf("active are %v, invited %v", in, invited)
		}
		invitations := map[string]string{}
		for _, i := range list(s.api.must(t, 200, "GET", "/user_management/invitations?organization_id="+c.id, ""), "data") {
			invitations[text(i, "email")] = text(i, "state")
		}
		if invitations[ada.Email] != "accepted" || invitations[ben.Email] != "pending" {
			t.Errorf("invitations are %v", invitations)
		}
		s.api.must(t, 422, "GET", "/user_management/organization_memberships?organization_id="+c.id+"&statuses=asleep", "")

		for mode, want := range map[string]string{"direct": "primary active directory", "existing_only": ""} {
			other := s.newCompany(mode, strings.ReplaceAll(mode, "_", "-")+".example")
			other.sync(`"provisioning":"` + mode + `"`)
			cleo := other.person("Cleo")
			other.hire(cleo)
			if got := other.standing(cleo.Email); got != want {
				t.Errorf("%s makes %q of her, want %q", mode, got, want)
			}
			if other.directoryUser(cleo.Email) == nil || s.inbox.count(cleo.Email) != 0 {
				t.Errorf("%s: the directory has %v, %d mails went out", mode, other.directoryUser(cleo.Email), s.inbox.count(cleo.Email))
			}
		}
	})
}

func TestRow_12_signing_in_creates_those_whom_the_directory_knows_and_a_setting_says_who_else(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		s := newSaaS(t, engine)
		c := s.newCompany("Acme", "acme.example")
		ada, ben, cleo, out := c.person("Ada"), c.person("Ben"), c.person("Cleo"), simulate.Person{Email: "out@elsewhere.example", FirstName: "Out"}
		c.connect("", ada, ben, cleo, out)
		force := func(want string) {
			t.Helper()
			if p := c.policy(); text(p, "jit_in_force") != want {
				t.Errorf("in force is %v, want %s", p["jit_in_force"], want)
			}
		}
		force("verified_domain")
		c.visitor(ada).signIn(c.id)
		c.want(ada.Email, "primary active sign_in")
		if s.inbox.count(ada.Email) != 0 {
			t.Error("she was mailed")
		}
		s.wantEvents(text(c.member(ada.Email), "id"), 0, "organization_membership.created")
		refused := func(p simulate.Person, code string) {
			t.Helper()
			if got := c.visitor(p).refused(c.id); got != code {
				t.Errorf("%s is refused with %s, want %s", p.Email, got, code)
			}
			if got := c.standing(p.Email); got != "" {
				t.Errorf("refused, %s is %s", p.Email, got)
			}
		}
		refused(out, "email_domain_not_allowed")

		c.sync(`"provisioning":"existing_only"`)
		c.hire(ben)
		force("directory")
		c.want(ada.Email, "primary active sign_in")
		if c.standing(ben.Email) != "" {
			t.Errorf("before his sign-in Ben is %s", c.standing(ben.Email))
		}
		refused(cleo, "not_in_directory")
		c.visitor(ben).signIn(c.id)
		c.want(ben.Email, "primary active directory")

		set := func(jit string) { s.api.must(t, 200, "PUT", "/organizations/"+c.id+"/policy", `{"jit":"`+jit+`"}`) }
		set("off")
		refused(cleo, "not_a_member")
		set("verified_domain")
		c.visitor(cleo).signIn(c.id)
		c.want(cleo.Email, "primary active sign_in")
	})
}

func TestRow_13_an_invitation_carries_role_teams_and_licence_and_leads_to_single_sign_on(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		s := newSaaS(t, engine)
		c := s.newCompany("Acme", "acme.example")
		ada := c.person("Ada")
		c.connect("", ada)
		s.api.must(t, 201, "POST", "/authorization/roles", `{"slug":"editor","name":"Editor"}`)
		s.api.must(t, 201, "POST", "/organizations/"+c.id+"/licence_types", `{"slug":"pro","name":"Pro","seats":1}`)
		team := text(s.api.must(t, 201, "POST", "/organizations/"+c.id+"/groups", `{"name":"Builders"}`), "id")
		id, link := c.invite(ada.Email, `,"role_slug":"editor","licence":"pro","team_ids":["`+team+`"]`)
		c.want(ada.Email, "guest pending invited") // until the provider vouches for her
		s.refusal(400, "POST", "/user_management/invitations", `{"email":"`+ada.Email+`","organization_id":"`+c.id+`"}`, "email_already_invited_to_organization")

		v := c.visitor(ada)
		end := v.open(link, false)
		if at, _ := url.Parse(s.p.url); end.status != 200 || end.at.Host != at.Host || s.inbox.count(ada.Email) != 1 {
			t.Errorf("the link led to %s, she got %d mails", end.at, s.inbox.count(ada.Email))
		}
		m := c.want(ada.Email, "primary active invitation")
		if text(m, "role", "slug") != "editor" || text(m, "role_source") != "invitation" || text(m, "licence") != "pro" {
			t.Errorf("she is %v", m)
		}
		if in := list(s.api.must(t, 200, "GET", "/organizations/"+c.id+"/groups/"+team+"/organization-memberships", ""), "data"); len(in) != 1 || text(in[0], "id") != text(m, "id") {
			t.Errorf("the team is %v", in)
		}
		if i := s.api.must(t, 200, "GET", "/user_management/invitations/"+id, ""); text(i, "state") != "accepted" || text(i, "accepted_user_id") != text(m, "user_id") {
			t.Errorf("the invitation is %v", i)
		}
		attempts := list(s.api.must(t, 200, "GET", "/connections/"+c.connection+"/sign_in_attempts", ""), "data")
		if len(attempts) != 1 || text(attempts[0], "state") != "succeeded" || text(attempts[0], "email") != ada.Email {
			t.Errorf("through the provider went %v", attempts)
		}
		s.wantEvents(text(m, "id"), 0, "organization_membership.created", "organization_membership.updated")
		s.wantEvents(id, 0, "invitation.created", "invitation.accepted")
		v.signIn(c.id)
		if text(claimsOf(t, v.idToken), "org_id") != c.id {
			t.Error("she is not in the organization")
		}
	})
}

// The setting itself is on the set-up pages; what they rely on is that a directory which is not live yet does nothing to anybody.
func TestRow_27_directory_sync_waits_until_single_sign_on_is_set_up_and_tested(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		s := newSaaS(t, engine)
		c := s.newCompany("Acme", "acme.example")
		ada, ben := c.person("Ada"), c.person("Ben")
		c.sync(`"live":false`)
		c.hire(ada, ben)
		if c.standing(ada.Email) != "" || s.inbox.count(ada.Email) != 0 || len(s.events(c.id, "invitation.created", "organization_membership.created")) != 0 {
			t.Errorf("a directory that collects made her %q and sent %d mails", c.standing(ada.Email), s.inbox.count(ada.Email))
		}
		c.connect("", ada, ben)
		// A directory that only collects has no say at sign-ins either: this is somebody whom it has never heard of.
		test := s.api.must(t, 201, "POST", "/connections/"+c.connection+"/test_sign_ins", "")
		if end := c.visitor(ada).open(text(test, "url"), true); end.status != 200 {
			t.Errorf("the test ended with %d: %s", end.status, wordsOf(end.page))
		}
		if p := c.policy(); text(p, "sso_state") != "required" || text(p, "jit_in_force") != "verified_domain" || c.standing(ada.Email) != "" {
			t.Errorf("after a successful test the policy is %v, she is %q", p, c.standing(ada.Email))
		}
		foreseen := map[string]string{}
		for _, f := range list(s.api.must(t, 200, "GET", "/directories/"+c.directory+"/provisioning/preview?limit=100", ""), "data") {
			foreseen[text(f, "email")] = text(f, "outcome")
		}
		if foreseen[ada.Email] != "invited" || foreseen[ben.Email] != "invited" {
			t.Errorf("foreseen is %v", foreseen)
		}
		s.api.must(t, 200, "POST", "/directories/"+c.directory+"/go_live", "")
		c.settled()
		c.want(ada.Email, "primary pending invited_by_directory")
		s.inbox.invitation(ada.Email, 0, "Acme")
		c.visitor(ada).signIn(c.id)
		c.want(ada.Email, "primary active directory")
	})
}
