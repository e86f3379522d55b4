package portal

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// testable is a connection of an organization that a test sign-in can go through.
func (d *desk) testable(b *adminBrowser) (provider, sso.Connection) {
	d.Helper()
	p := d.provider()
	c, err := d.conns.Create(d.Context(), d.operator(), sso.New{OrganizationID: string(b.organization), Type: "GenericSAML", Settings: sso.Change{
		Name: new("Sign-in"), MetadataXML: new(p.metadata()),
	}})
	d.must(err)
	return p, c
}

func TestWho_signed_in_and_did_not_arrive_is_named_with_what_the_provider_calls_sending_again(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		for provider, fix := range map[string]string{"okta": "Force Sync", "entra-id": "Provision on demand", "pingone": "User Filter"} {
			b := d.enter(d.organization("Acme "+provider).ID, itadmin.DirectorySync)
			one := b.beginDirectory(provider)
			health := "/portal/health/" + string(one.ID)
			b.get(health).wants(http.StatusOK).shows("The directory has brought nobody yet", "Never").hides("ada@acme.example", fix)
			p := d.push(string(one.ID), b.makeToken(one))
			idp, connection := d.testable(b)
			p.person("Grace", "Hopper", "grace@acme.example")
			b.get(health).shows("Everybody who signed in of late is in the directory")
			idp.test(connection.ID, nil)
			b.get(health).shows("ada@acme.example", "How to have", fix)
			p.person("Ada", "Lovelace", "ADA@acme.example")
			b.get(health).shows("Everybody who signed in of late is in the directory").hides("ada@acme.example")
		}
	})
}

func TestChecks_of_the_first_person_name_who_signed_in_and_is_missing_escaped(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		b := d.enter(d.organization("Acme").ID, itadmin.DirectorySync)
		one := b.beginDirectory("okta")
		p := d.push(string(one.ID), b.makeToken(one))
		p.person("Grace", "Hopper", "grace@acme.example")
		idp, connection := d.testable(b)
		idp.test(connection.ID, func(m *samltest.Message) { m.Attributes, m.NameID = nil, samlEscape(hostile) })
		idp.test(connection.ID, nil)
		at := "/portal/directory/" + string(one.ID) + "/guide/assign-people-with-one-group/checks"
		b.get(at).wants(http.StatusOK).shows("ada@acme.example signed in and has not arrived", "Force Sync").hides("<script>alert", "<img src=x")
		b.get("/portal/health/"+string(one.ID)).hides("<script>alert", "<img src=x")
	})
}

func TestOne_group_for_both_is_named_with_the_two_group_fix_where_the_provider_wants_two(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		for provider, two := range map[string]bool{"okta": true, "entra-id": false} {
			b := d.enter(d.organization("Acme "+provider).ID, itadmin.DirectorySync)
			one := b.beginDirectory(provider)
			p := d.push(string(one.ID), b.makeToken(one))
			p.person("Ada", "Lovelace", "ada@acme.example")
			group := p.group("App users " + hostile)
			p.join(group, "ada@acme.example")
			health := "/portal/health/" + string(one.ID)
			b.get(health).wants(http.StatusOK).shows("No group lists anybody who has left").hides("Derived here")
			p.leaves("ada@acme.example")
			d.now = d.now.Add(2 * time.Hour)
			page := b.get(health).shows("App users", "Derived here").hides("<script>alert", "<img src=x", "No group lists anybody")
			if two {
				page.shows("used for assigning and for pushing?", "Assign the app by another group than “App users")
			} else {
				page.hides("used for assigning and for pushing?")
			}
		}
	})
}

// leaves makes somebody inactive.
func (p push) leaves(email string) {
	p.Helper()
	users, _, _, err := p.dirs.APIUsers(p.Context(), directory.APIQuery{Directory: p.directory.ID, Email: email, Limit: 1})
	p.must(err)
	_, _, err = p.dirs.UpdateUser(p.Context(), p.access, string(users[0].ID), directory.Condition{MentionsActive: true}, func(doc *scim.Object) (*scim.Object, error) {
		out := doc.Clone()
		out.Set("active", scim.BoolOf(false))
		return out, nil
	}, func(directory.Outcome) *directory.Exchange {
		return p.exchange(http.MethodPatch, "/Users/"+string(users[0].ID), "deactivated", oktaAgent)
	})
	p.must(err)
}

func TestHealth_says_what_the_provider_can_send_and_what_arrives_and_when_the_next_round_is_due(t *testing.T) {
	atDesks(t, false, func(d *desk) {
		b := d.enter(d.organization("Acme").ID, itadmin.DirectorySync)
		one := b.beginDirectory("entra-id")
		health := "/portal/health/" + string(one.ID)
		p := d.push(string(one.ID), b.makeToken(one))
		b.get(health).wants(http.StatusOK).shows("What Microsoft Entra ID can send", "Picture No", "Department Yes department").hides("Next round")
		p.person("Ada", "Lovelace", "ada@acme.example")
		b.get(health).shows("With 1 of 1 person", "usually 40 minutes", "About "+d.now.Add(40*time.Minute).UTC().Format("15:04"))
		for range 3 {
			d.now = d.now.Add(45 * time.Minute)
			p.person("Somebody", "Else", d.ids.NewID("x")+"@acme.example")
		}
		b.get(health).shows("of late every 45 minutes", "About "+d.now.Add(45*time.Minute).UTC().Format("15:04"))
		d.now = d.now.Add(time.Hour)
		b.get(health).shows("Was due at about")
	})
}

func TestDomain_can_be_approved_by_the_operator_instead_of_the_DNS_who_is_mailed(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		b, other := d.enter(d.organization("Acme").ID, itadmin.DomainVerification), d.enter(d.organization("Other").ID, itadmin.DomainVerification)
		_, err := d.admins.AddContact(d.Context(), d.operator(), b.organization, itadmin.NewContact{Email: "it@acme.example"})
		d.must(err)
		one, err := d.orgs.CreateDomain(d.Context(), d.operator(), b.organization, "acme.example")
		d.must(err)
		d.tell()
		ask := "/portal/domains/" + one.ID + "/ask"
		b.get("/portal/domains").wants(http.StatusOK).shows("Nobody can change the DNS?").hides("Approval was asked for")
		other.post(ask).wants(http.StatusNotFound)
		b.post(ask).leads()
		b.get("/portal/domains").shows("Approval was asked for").hides("Nobody can change the DNS?")
		b.post(ask).leads() // it is asked once
		if told := d.tell(); told != 1 {
			t.Errorf("%d were told", told)
		}
		_, err = d.orgs.RefuseApproval(d.Context(), d.operator(), one.ID)
		d.must(err)
		b.get("/portal/domains").shows("Not approved", "Nobody can change the DNS?")
		b.post(ask).leads()
		_, err = d.orgs.VouchForDomain(d.Context(), d.operator(), one.ID)
		d.must(err)
		b.get("/portal/domains").shows("Proven. Addresses in it count.").hides("Approval was asked for", "Not approved")
		b.post(ask).leads()
	})
}

// tell lets the mails about approvals be written, and says how many letters ask for one.
func (d *desk) tell() (n int) {
	d.Helper()
	d.now = d.now.Add(time.Minute)
	_, err := d.admins.TellOfChanges(d.Context())
	d.must(err)
	_, err = d.mails.Send(d.Context())
	d.must(err)
	for _, l := range d.letters {
		if strings.Contains(l.Text, "asked to approve a domain") && strings.Contains(l.Text, "acme.example") {
			n++
		}
	}
	d.letters = nil
	return n
}
