package dashboard_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/dashboard"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
)

func tester() event.Actor { return event.Actor{ID: "test", Source: event.API} }

func (w *world) organization(name string, domains ...org.NewDomain) org.Organization {
	w.t.Helper()
	o, err := w.orgs.Create(ctx, tester(), org.New{Name: name, Domains: domains})
	w.ok(err)
	return o
}

func at(o org.Organization, parts ...string) string {
	return "/dashboard/organizations/" + strings.Join(append([]string{string(o.ID)}, parts...), "/")
}

// causes are the ids of those who caused the events of a type, the newest first.
func (w *world) causes(kind string) (out []string) {
	w.t.Helper()
	rows, err := w.db.Query(ctx, `SELECT context FROM events WHERE type = $1 ORDER BY id DESC`, kind)
	w.ok(err)
	defer rows.Close()
	for rows.Next() {
		var text string
		w.ok(rows.Scan(&text))
		var cause struct {
			Actor event.Actor `json:"actor"`
		}
		w.ok(json.Unmarshal([]byte(text), &cause))
		out = append(out, cause.Actor.ID)
	}
	w.ok(rows.Err())
	return out
}

// byOperator stops the test unless the newest change of a kind, an event or an entry of the audit, has an operator as its cause.
func (w *world) byOperator(t *testing.T, kind string) {
	t.Helper()
	got := append(w.causes(kind), w.audits(kind)...)
	if len(got) == 0 || !strings.Contains(got[0], "operator_") {
		t.Errorf("who caused %s: %v", kind, got)
	}
}

// hostile is what a provider or a customer may call itself.
const hostile = `"><script>alert(1)</script><b>` + "\u202e" + `evil'`

// harmless stops the test where a hostile text has become part of the page.
func (a answer) harmless(t *testing.T) answer {
	t.Helper()
	for _, bad := range []string{"<script>alert", "<b>", `href="javascript:`} {
		if strings.Contains(a.body, bad) {
			t.Errorf("%s has %s in it", a.Request.URL, bad)
		}
	}
	return a
}

func TestOrganization_is_made_renamed_and_deleted_by_who_is_signed_in(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.as(operator.Admin)
		b.get("/dashboard/organizations").want(t, http.StatusOK).says(t, "No organization yet")
		b.send("/dashboard/organizations/new", "name", " ").want(t, http.StatusUnprocessableEntity).says(t, "needs a name")
		b.send("/dashboard/organizations/new", "name", "Acme", "domain", "not a domain").want(t, http.StatusUnprocessableEntity)
		to := b.send("/dashboard/organizations/new", "name", "Acme", "external_id", "c-1", "domain", "acme.example").location(t)
		w.byOperator(t, "organization.created")
		path, _, _ := strings.Cut(to, "?")
		b.get(to).want(t, http.StatusOK).says(t, "Acme", "The organization is there", "acme.example", "c-1", "No directory yet", "Add directory")

		b.send(path+"/edit", "name", "", "external_id", "c-1").want(t, http.StatusUnprocessableEntity).says(t, "needs a name")
		b.send(path+"/edit", "name", hostile, "external_id", "").location(t)
		w.byOperator(t, "organization.updated")
		b.get(path).want(t, http.StatusOK).says(t, hostile).harmless(t)
		b.get("/dashboard/organizations?search="+url.QueryEscape(`script>alert`)).says(t, hostile).harmless(t)
		b.get("/dashboard/organizations?search=nobody").says(t, "No organization has a name like that")

		b.get(path+"/delete").want(t, http.StatusOK).says(t, "cannot be undone").harmless(t)
		b.send(path+"/delete", "confirm", "Acme").want(t, http.StatusUnprocessableEntity).says(t, "exactly so")
		b.get(path).want(t, http.StatusOK)
		b.send(path+"/delete", "confirm", hostile).location(t)
		w.byOperator(t, "organization.deleted")
		b.get(path).want(t, http.StatusNotFound)
		b.get("/dashboard/organizations").says(t, "No organization yet")
	})
}

func TestOrganizations_are_listed_page_by_page_with_the_state_of_their_set_up(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var last org.Organization
		for i := range 30 {
			last = w.organization(fmt.Sprintf("Customer %02d", i), org.NewDomain{Domain: fmt.Sprintf("a%d.example", i), State: org.Verified}, org.NewDomain{Domain: fmt.Sprintf("b%d.example", i), State: org.Pending})
		}
		_, _, err := w.dirs.Create(ctx, tester(), directory.New{OrganizationID: string(last.ID), Name: "Okta", Type: directory.OktaSCIM})
		w.ok(err)
		_, err = w.conns.Create(ctx, tester(), sso.New{OrganizationID: string(last.ID), Provider: "okta", Settings: sso.Change{Name: new("Okta")}})
		w.ok(err)
		b := w.as(operator.ReadOnly)
		page := b.get("/dashboard/organizations").want(t, http.StatusOK).says(t, "Customer 29", "Customer 05", "Waiting for the provider", "a29.example and 1 more")
		if !strings.Contains(page.body, `data-tone="warn"`) {
			t.Error("the state of the connection is not there")
		}
		if strings.Contains(page.text(), "Customer 04") || strings.Contains(page.body, "/organizations/new") {
			t.Error("the page is too long, or offers what the reader may not do")
		}
		next := hrefOf(t, page, "rel=\"next\"")
		second := b.get("/dashboard/organizations"+next).want(t, http.StatusOK).says(t, "Customer 04", "Customer 00")
		b.get("/dashboard/organizations"+hrefOf(t, second, "rel=\"prev\"")).says(t, "Customer 29", "Customer 05")
		b.get("/dashboard/organizations?after=nonsense").want(t, http.StatusBadRequest)
	})
}

// hrefOf is where the link with a mark in it leads.
func hrefOf(t *testing.T, a answer, mark string) string {
	t.Helper()
	i := strings.Index(a.body, mark)
	if i < 0 {
		t.Fatalf("%s has no link with %s", a.Request.URL, mark)
	}
	tag := a.body[strings.LastIndex(a.body[:i], "<"):]
	_, rest, _ := strings.Cut(tag, `href="`)
	href, _, _ := strings.Cut(rest, `"`)
	return strings.ReplaceAll(href, "&amp;", "&")
}

// zone answers for TXT records.
type zone map[string][]string

func (z zone) LookupTXT(_ context.Context, name string) ([]string, error) {
	if found, ok := z[strings.TrimSuffix(name, ".")]; ok {
		return found, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func TestDomain_is_added_proven_vouched_for_and_deleted_in_its_own_organization_only(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		z := zone{}
		w.orgs.SetResolver(z)
		acme, other := w.organization("Acme"), w.organization("Globex")
		b := w.as(operator.Admin)
		b.get(at(acme, "domains")).want(t, http.StatusOK).says(t, "No domain yet")
		b.send(at(acme, "domains"), "domain", "no domain").want(t, http.StatusUnprocessableEntity)
		b.send(at(acme, "domains"), "domain", "acme.example").location(t)
		w.byOperator(t, "organization_domain.created")
		b.send(at(acme, "domains"), "domain", "acme.example").want(t, http.StatusConflict).says(t, "has the domain acme.example already")

		o, err := w.orgs.Get(ctx, acme.ID)
		w.ok(err)
		d := o.Domains[0]
		b.get(at(acme, "domains")).says(t, "Pending", "rollcall-domain-verification")
		b.send(at(acme, "domains", d.ID, "verify")).location(t)
		b.get(at(acme, "domains")).says(t, "Pending")
		for _, verb := range []string{"verify", "vouch", "delete"} {
			b.send(at(other, "domains", d.ID, verb)).want(t, http.StatusNotFound)
		}
		b.get(at(other, "domains", d.ID, "vouch")).want(t, http.StatusNotFound)
		if got, err := w.orgs.GetDomain(ctx, d.ID); err != nil || got.State != org.Pending {
			t.Fatalf("%+v %v", got, err)
		}

		z[d.Records()[0].Name] = []string{d.Records()[0].Value}
		if to := b.send(at(acme, "domains", d.ID, "verify")).location(t); !strings.HasSuffix(to, "did=domain_verified") {
			t.Error(to)
		}
		w.byOperator(t, "organization_domain.verified")
		b.get(at(acme, "domains")).says(t, "Verified", "Proven by a DNS record")
		b.send(at(acme, "domains", d.ID, "vouch")).want(t, http.StatusBadRequest).says(t, "verified already")

		b.send(at(acme, "domains"), "domain", "second.example").location(t)
		o, err = w.orgs.Get(ctx, acme.ID)
		w.ok(err)
		second := o.Domains[1].ID
		if o.Domains[0].Domain == "second.example" {
			second = o.Domains[0].ID
		}
		b.get(at(acme, "domains", second, "vouch")).want(t, http.StatusOK).says(t, "Vouch for second.example?", "Acme")
		b.send(at(acme, "domains", second, "vouch")).location(t)
		b.get(at(acme, "domains")).says(t, "An operator has vouched for it")
		b.get(at(acme, "domains", second, "delete")).want(t, http.StatusOK).says(t, "Delete second.example?")
		b.send(at(acme, "domains", second, "delete")).location(t)
		w.byOperator(t, "organization_domain.deleted")
		if o, err = w.orgs.Get(ctx, acme.ID); err != nil || len(o.Domains) != 1 {
			t.Errorf("%+v %v", o.Domains, err)
		}
	})
}

func TestFeatures_are_switched_by_what_is_ticked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme := w.organization("Acme")
		b := w.as(operator.Admin)
		b.get(at(acme, "features")).want(t, http.StatusOK).says(t, "Single sign-on", "Directory sync")
		b.send(at(acme, "features"), "sso", "on").location(t)
		f, err := w.orgs.Features(ctx, acme.ID)
		if err != nil || !f.On(org.SSO) || f.On(org.DirectorySync) {
			t.Fatal(f.All(), err)
		}
		b.get(at(acme)).says(t, "Directory sync is switched off")
		b.send(at(acme, "directories", "new"), "provider", "okta", "provisioning", "invite").want(t, http.StatusForbidden).says(t, "directory_sync is switched off")
		b.send(at(acme, "features"), "sso", "on", "directory_sync", "on").location(t)
		if f, err = w.orgs.Features(ctx, acme.ID); err != nil || !f.On(org.DirectorySync) {
			t.Error(f.All(), err)
		}
		reader := w.as(operator.ReadOnly).get(at(acme, "features")).want(t, http.StatusOK)
		if strings.Contains(reader.body, `form="features"`) {
			t.Error("a button is offered to who may only look")
		}
	})
}

// people makes active members.
func (w *world) people(o org.Organization, emails ...string) (out []member.User) {
	w.t.Helper()
	for _, email := range emails {
		u, err := w.members.CreateUser(ctx, tester(), member.NewUser{Email: email, FirstName: "Ada", LastName: "Lovelace"})
		w.ok(err)
		_, err = w.members.CreateMembership(ctx, tester(), member.NewMembership{OrganizationID: string(o.ID), UserID: u.ID})
		w.ok(err)
		out = append(out, u)
	}
	return out
}

func TestPolicy_is_set_and_what_the_form_did_not_change_stays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme := w.organization("Acme")
		b := w.as(operator.Admin)
		b.get(at(acme, "policy")).want(t, http.StatusOK).says(t, "The policy has not started", "Nobody is exempted")
		path := at(acme, "policy")
		same := []string{"sso", "required_for_all", "optional_until", "", "jit", ""}
		b.send(path, append(same, "session_idle_seconds", "90", "session_life_seconds", "600")...).location(t)
		w.byOperator(t, "organization_policy.updated")
		p, err := w.policies.Get(ctx, acme.ID)
		if err != nil || p.Idle != 90*time.Minute || p.Life != 10*time.Hour || p.SSO != org.RequiredForAll || p.Policy.JIT != org.JITDefault {
			t.Fatalf("%+v %v", p, err)
		}
		for field, value := range map[string]string{"session_idle_seconds": "4", "session_life_seconds": "a lot", "optional_until": "tomorrow", "jit": "everybody", "sso": "never"} {
			form := map[string]string{"sso": "required_for_all", "optional_until": "", "jit": "", "session_idle_seconds": "90", "session_life_seconds": "600"}
			form[field] = value
			var pairs []string
			for k, v := range form {
				pairs = append(pairs, k, v)
			}
			b.send(path, pairs...).want(t, http.StatusUnprocessableEntity)
		}
		until := w.now().Add(72 * time.Hour).UTC().Format("2006-01-02")
		form := []string{"sso", "required_for_all", "optional_until", until, "jit", "off", "session_idle_seconds", "90", "session_life_seconds", ""}
		b.send(path, form...).location(t)
		if p, err = w.policies.Get(ctx, acme.ID); err != nil || p.InForce != org.Optional || p.Policy.JIT != org.JITOff || p.Life != 0 || p.SSOOptionalUntil.Format("2006-01-02") != until {
			t.Fatalf("%+v %v", p, err)
		}
		form[1] = "required_for_primary_members" // and the same day, which stays
		b.send(path, form...).location(t)
		if p, err = w.policies.Get(ctx, acme.ID); err != nil || p.SSO != org.RequiredForPrimary || p.SSOOptionalUntil.Format("2006-01-02") != until {
			t.Fatalf("%+v %v", p, err)
		}
		form[1] = "required_for_all"
		b.send(path, form...).want(t, http.StatusConflict).says(t, "Make a test sign-in of the connection first")
		form[1], form[3] = "required_for_primary_members", ""
		b.send(path, form...).want(t, http.StatusConflict) // it would hold at once
	})
}

// proven gives an organization a connection that somebody has come in through.
func (w *world) proven(o org.Organization) {
	w.t.Helper()
	c, err := w.conns.Create(ctx, tester(), sso.New{OrganizationID: string(o.ID), Provider: "okta", Settings: sso.Change{Name: new("Okta")}})
	w.ok(err)
	var write db.Write
	write.Exec(`UPDATE connections SET first_success_at = 1, state = 'active' WHERE id = $1`, string(c.ID))
	w.ok(w.db.Write(ctx, &write))
}

func TestPolicy_that_leaves_people_out_names_them_first(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme := w.organization("Acme")
		w.people(acme, "ada@acme.example", "alan@acme.example")
		w.proven(acme)
		b := w.as(operator.Admin)
		form := []string{"sso", "optional", "optional_until", "", "jit", "", "session_idle_seconds", "", "session_life_seconds", ""}
		b.send(at(acme, "policy"), form...).location(t)
		form[1] = "required_for_all"
		asks := b.send(at(acme, "policy"), form...).want(t, http.StatusConflict).says(t, "2 people would be left without a way in", "ada@acme.example", "alan@acme.example")
		if !strings.Contains(asks.body, `name="confirm" value="2"`) {
			t.Error("the page does not carry the number")
		}
		asks.says(t, "Leave them time", "Show all of them")
		left := at(acme, "policy", "left-out")
		if in14 := w.now().Add(14 * 24 * time.Hour).UTC().Format("2006-01-02"); !strings.Contains(asks.body, `value="`+in14+`"`) || !strings.Contains(asks.body, left+"?sso=required_for_all") {
			t.Errorf("the page proposes no day, or leads to no list: %s", asks.body)
		}
		b.get(left).want(t, http.StatusOK).says(t, "ada@acme.example", "alan@acme.example", "has never come in through the provider")
		b.get(left+"?sso=required_for_primary_members").want(t, http.StatusOK).says(t, "Nobody")
		b.get(left+"?sso=without").want(t, http.StatusOK).says(t, "ada@acme.example", "nobody has proven the address")
		b.get(left+"?sso=never").want(t, http.StatusUnprocessableEntity)
		if export := b.get(left+"/export?sso=without").want(t, http.StatusOK); !strings.Contains(export.body, "address_not_proven") || !strings.Contains(export.body, "alan@acme.example") {
			t.Errorf("exported %s", export.body)
		}
		b.get(at(acme, "policy")).says(t, "Who might not get in")
		until := w.now().Add(14 * 24 * time.Hour).UTC().Format("2006-01-02")
		b.send(at(acme, "policy"), "sso", "required_for_all", "optional_until", until, "jit", "", "session_idle_seconds", "", "session_life_seconds", "").location(t)
		if p, err := w.policies.Get(ctx, acme.ID); err != nil || p.SSO != org.RequiredForAll || p.InForce != org.Optional {
			t.Fatalf("%+v %v", p, err)
		}
		b.send(at(acme, "policy"), "sso", "optional", "optional_until", "", "jit", "", "session_idle_seconds", "", "session_life_seconds", "").location(t)
		b.send(at(acme, "policy"), append(form, "confirm", "1")...).want(t, http.StatusConflict)
		if p, err := w.policies.Get(ctx, acme.ID); err != nil || p.SSO != org.Optional {
			t.Fatalf("%+v %v", p, err)
		}
		b.send(at(acme, "policy"), append(form, "confirm", "2")...).location(t)
		if p, err := w.policies.Get(ctx, acme.ID); err != nil || p.SSO != org.RequiredForAll || p.Reach != lifecycle.Required {
			t.Fatalf("%+v %v", p, err)
		}
		b.get(at(acme, "policy")).says(t, "The policy is in force")
	})
}

func TestMember_is_exempted_from_the_policy_for_a_while(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme, other := w.organization("Acme"), w.organization("Globex")
		ada := w.people(acme, "ada@acme.example")[0]
		w.people(other, "eve@globex.example")
		b := w.as(operator.Admin)
		path := at(acme, "policy", "break-glass")
		b.send(path, "email", "nobody@acme.example", "reason", "Okta is down", "hours", "4").want(t, http.StatusUnprocessableEntity).says(t, "No member of this organization has the address nobody@acme.example")
		b.send(path, "email", "eve@globex.example", "reason", "Okta is down", "hours", "4").want(t, http.StatusUnprocessableEntity).says(t, "No member of this organization")
		b.send(path, "email", "ada@acme.example", "reason", "Okta is down", "hours", "100000").want(t, http.StatusUnprocessableEntity).says(t, "from 1 to 720")
		b.send(path, "email", "ada@acme.example", "reason", "", "hours", "4").want(t, http.StatusUnprocessableEntity).says(t, "Say why")
		b.send(path, "email", " ADA@acme.example ", "reason", hostile, "hours", "4").location(t)
		b.get(at(acme, "policy")).want(t, http.StatusOK).says(t, "Ada Lovelace", hostile, "in 3 hours").harmless(t)
		if all, err := w.policies.BreakGlassUsers(ctx, acme.ID); err != nil || len(all) != 1 || !strings.HasPrefix(all[0].NamedBy, "operator_") {
			t.Fatalf("%+v %v", all, err)
		}
		revoke := path + "/" + string(ada.ID) + "/revoke"
		b.get(revoke).want(t, http.StatusOK).says(t, "End the exemption of ada@acme.example?")
		b.get(strings.Replace(revoke, string(acme.ID), string(other.ID), 1)).want(t, http.StatusNotFound)
		b.send(strings.Replace(revoke, string(acme.ID), string(other.ID), 1)).want(t, http.StatusNotFound)
		b.send(revoke).location(t)
		if all, err := w.policies.BreakGlassUsers(ctx, acme.ID); err != nil || len(all) != 0 {
			t.Errorf("%+v %v", all, err)
		}
	})
}

func TestWhere_the_app_keeps_the_accounts_nobody_is_exempted(t *testing.T) {
	w := small(t, func(o *dashboard.Options) { o.Members = nil })
	acme := w.organization("Acme")
	b := w.as(operator.Admin)
	if page := b.get(at(acme, "policy")).want(t, http.StatusOK); strings.Contains(page.text(), "Exempt") || strings.Contains(page.body, "?organization=") {
		t.Error("the page offers what there is not:", page.text())
	}
	b.send(at(acme, "policy", "break-glass"), "email", "a@b.example").want(t, http.StatusNotImplemented)
	b.get(at(acme, "policy", "break-glass", "user_x", "revoke")).want(t, http.StatusNotImplemented)
	b.send(at(acme, "policy", "break-glass", "user_x", "revoke")).want(t, http.StatusNotImplemented)
}

func TestDomain_that_an_IT_admin_asks_for_is_on_the_home_page_until_it_is_approved_or_refused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme, other := w.organization("Acme "+hostile), w.organization("Other")
		d, err := w.orgs.CreateDomain(ctx, tester(), acme.ID, "acme.example")
		w.ok(err)
		b := w.as(operator.Admin)
		b.send(at(acme, "domains", d.ID, "refuse")).want(t, http.StatusConflict).says(t, "Nobody is waiting")
		asker := hostile
		_, err = w.orgs.AskApproval(ctx, event.Actor{ID: "contact_1", Source: event.AdminPortal, Name: &asker}, acme.ID, d.ID)
		w.ok(err)
		b.get("/dashboard/").want(t, http.StatusOK).says(t, "acme.example", "Approval asked for").harmless(t)
		b.get(at(acme, "domains")).says(t, "asks you to approve this domain", "Approve", "Refuse").harmless(t)
		b.send(at(other, "domains", d.ID, "refuse")).want(t, http.StatusNotFound)
		reader := w.as(operator.ReadOnly)
		reader.send(at(acme, "domains", d.ID, "refuse")).want(t, http.StatusForbidden)
		b.send(at(acme, "domains", d.ID, "refuse")).location(t)
		w.byOperator(t, "organization_domain.approval_refused")
		if strings.Contains(b.get("/dashboard/").text(), "Approval asked for") || strings.Contains(b.get(at(acme, "domains")).text(), "asks you") {
			t.Error("it is refused, and still asked")
		}
		_, err = w.orgs.AskApproval(ctx, event.Actor{ID: "contact_1", Source: event.AdminPortal}, acme.ID, d.ID)
		w.ok(err)
		b.get(at(acme, "domains", d.ID, "vouch")).want(t, http.StatusOK)
		b.send(at(acme, "domains", d.ID, "vouch")).location(t)
		if strings.Contains(b.get("/dashboard/").text(), "Approval asked for") {
			t.Error("it is approved, and still asked")
		}
	})
}

func TestDirectory_shows_its_health_with_links_to_the_groups(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme, other := w.organization("Acme"), w.organization("Other")
		f, b := w.feed(acme, directory.New{}), w.as(operator.ReadOnly)
		b.get(f.at("health")).want(t, http.StatusOK).says(t, "The directory has brought nobody yet", "What Okta can send")
		u := f.user(`{"userName":"ada@acme.example"}`)
		g := f.group("App users "+hostile, string(u.ID))
		theirs := w.feed(other, directory.New{Name: "Theirs"})
		theirs.user(`{"userName":"theirs@other.example"}`)
		f.deactivate(u)
		w.later(2 * time.Hour)
		b = w.as(operator.Admin)
		page := b.get(f.at("health")).want(t, http.StatusOK).says(t, "App users", "Derived here", "used for assigning and for pushing?", "Everybody who signed in").harmless(t)
		if !strings.Contains(page.body, `href="`+f.at("groups", string(g.ID))+`"`) {
			t.Error("no link to the group")
		}
		c := w.okta(acme, "Okta")
		w.came(c, hostile)
		b.get(f.at("health")).says(t, "How to have Okta send them", "Force Sync").harmless(t)
		if got := b.get(theirs.at("health")).want(t, http.StatusOK).text(); strings.Contains(got, "App users") || strings.Contains(got, "Force Sync") {
			t.Error("another organization's people and groups")
		}
	})
}

// came is a sign-in that succeeded.
func (w *world) came(c sso.Connection, who string) {
	w.t.Helper()
	var as db.Write
	as.Exec(`UPDATE sign_in_attempts SET state = 'succeeded' WHERE id = $1`, string(w.attempt(c, who)))
	w.ok(w.db.Write(ctx, &as))
}
