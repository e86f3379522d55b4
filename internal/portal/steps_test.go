package portal

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
)

// begin makes a connection through the pages and gives it.
func (b *adminBrowser) begin(provider, protocol string) sso.Connection {
	b.Helper()
	b.post("/portal/sso/new/"+provider, "protocol", protocol).leads()
	found, _, err := b.conns.List(b.Context(), sso.ListQuery{OrganizationID: string(b.organization), Limit: 1})
	b.must(err)
	return found[0]
}

func (b *adminBrowser) beginDirectory(provider string) directory.Directory {
	b.Helper()
	b.post("/portal/directory/new/" + provider).leads()
	found, _, err := b.dirs.List(b.Context(), directory.ListQuery{OrganizationID: string(b.organization), Limit: 1})
	b.must(err)
	return found[0]
}

func (b *adminBrowser) connection(id sso.ID) sso.Connection {
	b.Helper()
	c, err := b.conns.Get(b.Context(), id)
	b.must(err)
	return c
}

// stepWith is the slug of the first step of a guide that has a check, or a block.
func (d *desk) stepWith(provider string, protocol idp.Protocol, is func(idp.Block) bool) string {
	d.Helper()
	p, _ := d.catalog.Provider(idp.Slug(provider))
	for _, step := range p.Guides[protocol].Steps {
		if slices.ContainsFunc(step.Blocks, is) {
			return step.Slug
		}
	}
	d.Fatalf("%s by %s has no such step", provider, protocol)
	return ""
}

func has(c idp.Check) func(idp.Block) bool {
	return func(b idp.Block) bool { return slices.Contains(b.Checks, c) }
}

func asksFor(b idp.Block) bool { return len(b.Ask) > 0 }

func needsToken(b idp.Block) bool {
	return slices.Contains(b.Placeholders(), idp.PlaceholderSCIMToken)
}

func TestEvery_step_of_every_guide_is_drawn_with_its_values_filled_in(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		o, pages := d.organization("Acme"), 0
		b := d.enter(o.ID, itadmin.Everything)
		feeds := d.enter(o.ID, itadmin.DirectorySync)
		for _, p := range d.catalog.Providers() {
			for _, protocol := range []idp.Protocol{idp.SAML, idp.OIDC, idp.SCIM} {
				if !p.Speaks(protocol) {
					continue
				}
				guide, in := p.Guides[protocol], b
				var at string
				var want []string
				if protocol == idp.SCIM {
					one := feeds.beginDirectory(string(p.Slug))
					at, in, want = "/portal/directory/"+string(one.ID), feeds, []string{stepsBase + "/scim/v2/" + one.Address()}
				} else {
					one := b.begin(string(p.Slug), string(protocol))
					at, want = "/portal/sso/"+string(one.ID), []string{one.Addresses(stepsBase).Metadata} // which the ACS address begins with
					if protocol == idp.OIDC {
						want = []string{one.Addresses(stepsBase).RedirectURI}
					}
				}
				whole := ""
				for _, step := range guide.Steps {
					page := in.get(at + "/guide/" + step.Slug).wants(http.StatusOK).shows(step.Title)
					part := in.get(at+"/guide/"+step.Slug+"/checks").wants(http.StatusOK).hides("<html", "{{")
					page.hides("{{", "setup.")
					if n := strings.Count(page.body, `id="checks"`); n > 1 || len(checksOf(step)) > 0 && (n != 1 || !strings.Contains(part.body, `id="checks"`)) {
						t.Errorf("%s by %s, %s: the checks stand there %d times", p.Name, protocol, step.Title, n)
					}
					for _, block := range step.Blocks {
						for _, fields := range block.Ask {
							for _, f := range fields {
								page.shows(f.Label)
							}
						}
						for _, line := range block.Map {
							page.shows(line.Name)
						}
					}
					whole += page.body
					pages++
				}
				for _, value := range want {
					if host := strings.TrimPrefix(value, "https://"); !strings.Contains(whole, host) && !strings.Contains(whole, strings.TrimPrefix(value, stepsBase)) {
						t.Errorf("%s by %s: %s is on no page", p.Name, protocol, value)
					}
				}
			}
		}
		if pages < 300 {
			t.Errorf("walked only %d pages", pages)
		}
	})
}

func TestProviders_are_found_by_name_and_each_has_its_logo(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		b := d.enter(d.organization("Acme").ID, itadmin.SSO)
		all := b.get("/portal/sso/new").wants(http.StatusOK).shows("Okta", "Microsoft Entra ID", "Google Workspace", "Another SAML 2.0 identity provider", "<svg xmlns=")
		if n := strings.Count(all.body, `class="tile"`); n < 25 {
			t.Errorf("only %d providers are there", n)
		}
		b.get("/portal/sso/new?q=oKt").wants(http.StatusOK).shows("Okta", "Another SAML 2.0 identity provider").hides("Google Workspace")
		b.get("/portal/sso/new?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").wants(http.StatusOK).shows("No provider of this name").hides("<script>alert")
		b.get("/portal/sso/new/okta").wants(http.StatusOK).shows("SAML", "OpenID Connect", "Single sign-on: people sign in", "The protocol by which a provider tells the app who is in")
		b.get("/portal/sso/new/nobody").wants(http.StatusNotFound)
		b.get("/portal/sso/new/custom-scim").wants(http.StatusNotFound) // it signs nobody in
		b.post("/portal/sso/new/okta", "protocol", "scim").wants(http.StatusUnprocessableEntity).shows("cannot be connected by")
	})
}

func TestSAML_is_set_up_by_a_metadata_address_that_has_to_be_looked_at_where_it_has_no_TLS(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		p, o := d.provider(), d.organization("Acme")
		serve := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, p.metadata()) }))
		defer serve.Close()
		b := d.enter(o.ID, itadmin.SSO)
		c := b.begin("okta", "saml")
		step := "/portal/sso/" + string(c.ID) + "/guide/" + d.stepWith("okta", idp.SAML, asksFor)
		b.get(step).shows("Metadata URL", "Or instead: Metadata file", "Nothing was brought yet")

		b.post(step, "alternative", "0", "metadata_url", "").wants(http.StatusUnprocessableEntity).shows("Fill in Metadata URL.")
		b.post(step, "alternative", "0", "metadata_url", "http://192.0.2.1/").wants(http.StatusUnprocessableEntity).shows(`value="http://192.0.2.1/"`, "metadata_url-0-error")
		b.post(step, "alternative", "7", "metadata_url", serve.URL).wants(http.StatusBadRequest)

		if to := b.post(step, "alternative", "0", "metadata_url", serve.URL).leads(); to != step+"#checks" {
			t.Errorf("it leads to %s", to)
		}
		b.get(step).shows("It was read without TLS", "This is right, take it over", idpEntity)
		if got := b.connection(c.ID); got.Pending == nil || got.IDPEntityID != "" {
			t.Fatalf("the reading is not held: %+v", got)
		}
		b.post("/portal/sso/" + string(c.ID) + "/approve").leads()
		b.get(step).shows(idpEntity, "https://idp.example.com/sso", "Good from 2020-01-01 until 2040-01-01").hides("take it over")
		if got := b.connection(c.ID); got.State != sso.Validating || got.MetadataURL != serve.URL {
			t.Errorf("the connection is %s with %s", got.State, got.MetadataURL)
		}
		b.post("/portal/sso/" + string(c.ID) + "/approve").leads() // nothing waits any more, and nothing breaks
	})
}

func TestSAML_is_set_up_by_a_file_or_value_by_value(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		p, b := d.provider(), d.enter(d.organization("Acme").ID, itadmin.SSO)
		c := b.begin("okta", "saml")
		step := "/portal/sso/" + string(c.ID) + "/guide/" + d.stepWith("okta", idp.SAML, asksFor)
		b.post(step, "alternative", "1", "metadata_xml", "<nothing/>").wants(http.StatusUnprocessableEntity).shows("metadata_xml-1-error")
		b.post(step, "alternative", "1", "metadata_xml", p.metadata()).leads()
		if got := b.connection(c.ID); got.IDPEntityID != idpEntity || len(got.Certificates) != 1 {
			t.Fatalf("the file is not taken over: %+v", got)
		}

		b.post(step, "alternative", "2", "sso_url", "javascript:alert(1)", "idp_entity_id", idpEntity, "certificate", p.pem()).
			wants(http.StatusUnprocessableEntity).shows("sso_url-2-error").hides(`href="javascript:`)
		b.post(step, "alternative", "2", "sso_url", "https://idp.example.com/other", "idp_entity_id", idpEntity, "certificate", "no certificate").
			wants(http.StatusUnprocessableEntity).shows("certificate-2-error")
		b.post(step, "alternative", "2", "sso_url", "https://idp.example.com/other", "idp_entity_id", idpEntity, "certificate", p.pem()).leads()
		second := samltest.NewSigner(samltest.RSA(samltest.Second, 2048), samltest.Year(2021), samltest.Year(2022))
		b.post(step, "alternative", "2", "sso_url", "https://idp.example.com/other", "idp_entity_id", idpEntity, "certificate", pemOfSigner(second)).leads()
		got := b.connection(c.ID)
		if got.SSOURL != "https://idp.example.com/other" || got.MetadataURL != "" || len(got.Certificates) != 2 {
			t.Errorf("the values are not taken over, or a certificate is lost: %s %q %d", got.SSOURL, got.MetadataURL, len(got.Certificates))
		}
		b.get(step).shows("It has ended. Sign-ins go on")
	})
}

func TestOIDC_keeps_its_secret_where_the_field_is_left_empty(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		var issuer *httptest.Server
		issuer = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/keys") {
				key := samltest.RSA(samltest.First, 2048)
				fmt.Fprintf(w, `{"keys":[{"kty":"RSA","kid":"1","use":"sig","alg":"RS256","e":"AQAB","n":%q}]}`, base64.RawURLEncoding.EncodeToString(key.N.Bytes()))
				return
			}
			fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":"%s/authorize","token_endpoint":"%s/token","jwks_uri":"%s/keys","response_types_supported":["code"],"subject_types_supported":["public"],"id_token_signing_alg_values_supported":["RS256"]}`,
				issuer.URL, issuer.URL, issuer.URL, issuer.URL)
		}))
		defer issuer.Close()
		b := d.enter(d.organization("Acme").ID, itadmin.SSO)
		c := b.begin("keycloak", "oidc")
		step := "/portal/sso/" + string(c.ID) + "/guide/" + d.stepWith("keycloak", idp.OIDC, asksFor)
		b.post(step, "alternative", "0", "issuer", issuer.URL, "client_id", "rollcall", "client_secret", "").wants(http.StatusUnprocessableEntity).shows("Fill in")
		answer := []string{"alternative", "0", "issuer", issuer.URL, "client_id", "rollcall", "client_secret", "very-secret-word", "client_secret_expires_at"}
		b.post(step, append(answer, "soon")...).wants(http.StatusUnprocessableEntity).shows("This is no day", `value="soon"`).hides("very-secret-word")
		b.post(step, append(answer, "1970-01-01")...).wants(http.StatusUnprocessableEntity).shows("between the years")
		if got := b.connection(c.ID); got.HasSecret {
			t.Error("a secret is kept whose end is refused")
		}
		b.post(step, append(answer, "2099-01-31")...).leads()
		b.get(step).shows("Leave this empty to keep it", issuer.URL, `value="2099-01-31"`).hides("very-secret-word")
		b.post(step, "alternative", "0", "issuer", issuer.URL, "client_id", "other", "client_secret", "", "client_secret_expires_at", "2099-01-31").leads()
		got := b.connection(c.ID)
		if !got.HasSecret || got.ClientID != "other" || len(got.Lacks()) != 0 || got.ClientSecretExpiresAt.Format(time.DateOnly) != "2099-01-31" {
			t.Errorf("the connection lacks %v, its secret ends %v", got.Lacks(), got.ClientSecretExpiresAt)
		}
		b.post(step, "alternative", "0", "issuer", issuer.URL, "client_id", "other", "client_secret", "").leads()
		if got := b.connection(c.ID); !got.ClientSecretExpiresAt.IsZero() {
			t.Errorf("a day that was taken out is kept: %v", got.ClientSecretExpiresAt)
		}
		b.get("/portal/sso/" + string(c.ID) + "/guide/" + d.stepWith("keycloak", idp.OIDC, has(idp.CheckClient))).shows("The provider says whether it accepts them at the test sign-in")
	})
}

// connected is an organization whose connection to Okta is ready for a test.
func (d *desk) connected(intent itadmin.Intent) (*adminBrowser, provider, sso.Connection) {
	d.Helper()
	o := d.organization("Acme")
	_, err := d.orgs.CreateDomain(d.Context(), d.operator(), o.ID, "acme.example")
	d.must(err)
	b, p := d.enter(o.ID, intent), d.provider()
	c := b.begin("okta", "saml")
	b.post("/portal/sso/"+string(c.ID)+"/guide/"+d.stepWith("okta", idp.SAML, asksFor), "alternative", "1", "metadata_xml", p.metadata()).leads()
	return b, p, b.connection(c.ID)
}

func TestTest_sign_in_is_followed_live_with_what_was_right_and_what_was_not(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		b, p, c := d.connected(itadmin.SSO)
		step := "/portal/sso/" + string(c.ID) + "/guide/" + d.stepWith("okta", idp.SAML, has(idp.CheckTestSignIn))
		checks := step + "/checks"
		b.get(step).shows("Start the test", `hx-get="`+checks+`"`, `hx-trigger="every 2s"`, "Look again", `/portal/sso/`+string(c.ID)+`/test"`)
		if to := b.get("/portal/sso/" + string(c.ID) + "/test").leads(); to != stepsBase+"/sign-in/test/"+string(c.ID) {
			t.Errorf("the test begins at %s", to)
		}
		p.test(c.ID, func(m *samltest.Message) { m.Audience = "https://other.example.com" })
		b.get(checks).shows("Something is to be mended", "https://other.example.com", "0 seconds ago", "Not right", "The answer is meant for this connection", `hx-trigger`).hides("It works")
		p.test(c.ID, nil, sso.Check{Name: "email_in_verified_domain", Passed: true, Got: "ada@acme.example"})
		b.get(checks).shows("It works: ada@acme.example would come in", "Seen").hides("Something is to be mended", "hx-trigger")
		if b.connection(c.ID).FirstSuccessAt.IsZero() {
			t.Error("the test has not proven the connection")
		}
		b.get("/portal/sso/"+string(c.ID)+"/attributes").shows("From the last test", "Alice Liddell", "engineering, admins, everyone")
	})
}

func TestTest_of_a_connection_that_lacks_something_says_what(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		b := d.enter(d.organization("Acme").ID, itadmin.SSO)
		c := b.begin("okta", "saml")
		b.get("/portal/sso/" + string(c.ID) + "/guide/" + d.stepWith("okta", idp.SAML, has(idp.CheckTestSignIn))).
			shows("A test can begin once the connection has: entity id, sign-in address, certificate").hides("/test\"")
	})
}

func TestSet_up_goes_on_where_it_was_left(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		o := d.organization("Acme")
		b, p := d.enter(o.ID, itadmin.Everything), d.provider()
		if to := b.get("/portal/sso").leads(); to != "/portal/sso/new" {
			t.Errorf("at first it goes to %s", to)
		}
		c := b.begin("okta", "saml")
		if to := b.get("/portal/sso").leads(); to != "/portal/domains" {
			t.Errorf("without a domain it goes to %s", to)
		}
		dom, err := d.orgs.CreateDomain(d.Context(), d.operator(), o.ID, "acme.example")
		d.must(err)
		_, err = d.orgs.VouchForDomain(d.Context(), d.operator(), dom.ID)
		d.must(err)
		guide := d.guide("okta", idp.SAML)
		at := "/portal/sso/" + string(c.ID)
		if to := b.get("/portal/sso").leads(); to != at+"/guide/"+guide.Steps[0].Slug {
			t.Errorf("with a domain it goes to %s", to)
		}
		asked := d.stepWith("okta", idp.SAML, asksFor)
		b.post(at+"/guide/"+asked, "alternative", "1", "metadata_xml", p.metadata()).leads()
		i := slices.IndexFunc(guide.Steps, func(s idp.GuideStep) bool { return s.Slug == asked })
		if to := b.get("/portal/sso").leads(); to != at+"/guide/"+guide.Steps[i+1].Slug {
			t.Errorf("with metadata it goes to %s", to)
		}
		p.test(c.ID, nil)
		if to := b.get("/portal/sso").leads(); to != at+"/people" {
			t.Errorf("after the test it goes to %s", to)
		}
	})
}

func (d *desk) guide(provider string, protocol idp.Protocol) idp.Guide {
	p, _ := d.catalog.Provider(idp.Slug(provider))
	return p.Guides[protocol]
}

func TestDraft_that_was_begun_by_mistake_is_taken_away_and_nothing_else_is(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		b, _, c := d.connected(itadmin.SSO)
		draft := b.begin("okta", "oidc")
		b.get("/portal/sso/new").shows("/portal/sso/" + string(draft.ID) + "/delete").hides("/portal/sso/" + string(c.ID) + "/delete")
		b.post("/portal/sso/" + string(c.ID) + "/delete").wants(http.StatusConflict)
		b.post("/portal/sso/" + string(draft.ID) + "/delete").leads()
		if _, err := d.conns.Get(d.Context(), draft.ID); err == nil {
			t.Error("the draft is still there")
		}
		b.connection(c.ID)
	})
}

func TestDomain_is_added_proven_and_offered_where_the_provider_has_named_it(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		b, p, c := d.connected(itadmin.SSO)
		p.test(c.ID, func(m *samltest.Message) {
			m.Attributes[0].Values, m.NameID = []string{"ada@subsidiary.example"}, "ada@subsidiary.example"
		})
		page := b.get("/portal/domains").wants(http.StatusOK).shows("Add subsidiary.example", "acme.example", "Waiting for the record", "mailto:?subject=DNS%20record%20for%20acme.example", "Type: TXT")
		if !regexp.MustCompile(`<button[^>]*name="domain"[^>]*value="subsidiary.example"|<button[^>]*value="subsidiary.example"[^>]*name="domain"`).MatchString(page.body) {
			t.Error("the domain is not added by one click")
		}
		b.post("/portal/domains", "domain", "subsidiary.example").leads()
		b.get("/portal/domains").hides("Add subsidiary.example")
		b.post("/portal/domains", "domain", "no domain").wants(http.StatusUnprocessableEntity).shows(`value="no domain"`, "domain-error")
		b.post("/portal/domains", "domain", "subsidiary.example").wants(http.StatusUnprocessableEntity).shows("already")

		o, err := d.orgs.Get(d.Context(), b.organization)
		d.must(err)
		sub := o.Domains[slices.IndexFunc(o.Domains, func(d org.Domain) bool { return d.Domain == "subsidiary.example" })]
		b.get("/portal/domains").shows(sub.Records()[0].Value)
		b.post("/portal/domains/" + sub.ID + "/check").wants(http.StatusOK).shows("The record of subsidiary.example is not seen yet")
		d.dns["subsidiary.example"] = []string{sub.Records()[0].Value}
		b.post("/portal/domains/" + sub.ID + "/check").leads()
		b.get("/portal/domains").shows("Proven. Addresses in it count")
		b.post("/portal/domains/" + sub.ID + "/check").leads() // once more is harmless
		b.post("/portal/domains/" + sub.ID + "/delete").wants(http.StatusConflict)
		other := o.Domains[slices.IndexFunc(o.Domains, func(d org.Domain) bool { return d.Domain == "acme.example" })]
		b.post("/portal/domains/" + other.ID + "/delete").leads()
		b.get("/portal/domains").hides(other.ID)
	})
}

func TestAttributes_are_renamed_and_what_is_wrong_is_said(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		b, _, c := d.connected(itadmin.SSO)
		at := "/portal/sso/" + string(c.ID) + "/attributes"
		b.get(at).wants(http.StatusOK).shows("Looked for as:")
		b.post(at, "email", "mail\r\nurn:oid:0.9.2342.19200300.100.1.3\n", "custom_name_0", "cost_center", "custom_from_0", "CC").leads()
		want := sso.AttributeMap{"email": {"mail", "urn:oid:0.9.2342.19200300.100.1.3"}, "cost_center": {"CC"}}
		if got := b.connection(c.ID).AttributeMap; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("the map is %v", got)
		}
		b.get(at).shows("cost_center", "urn:oid:0.9.2342.19200300.100.1.3")
		b.post(at, "email", "mail", "custom_name_0", "cost_center").wants(http.StatusUnprocessableEntity).shows("needs both")
		b.post(at, "custom_name_0", "Bad Name", "custom_from_0", "x").wants(http.StatusUnprocessableEntity).shows("begins with a lower-case letter")
		b.post(at, "custom_name_0", "email", "custom_from_0", "x", "email", "mail").wants(http.StatusUnprocessableEntity).shows("two rows")
		if got := b.connection(c.ID).AttributeMap; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("a refused form has changed the map to %v", got)
		}
	})
}

func TestNobody_is_locked_out_by_a_policy_without_having_been_named(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		b, p, c := d.connected(itadmin.SSO)
		d.guest(b.organization, "grace@elsewhere.example")
		step := "/portal/sso/" + string(c.ID) + "/guide/" + d.stepWith("okta", idp.SAML, has(idp.CheckTestSignIn))
		b.get(step).shows("Single sign-on becomes a must with the first success", "grace@elsewhere.example", "Keep it optional for now")
		day := d.now.Add(14 * 24 * time.Hour).UTC().Format(time.DateOnly)
		b.get(step).shows("Keep it optional until then", `value="`+day+`"`)
		b.post(step, "optional", "yes", "until", "soon").wants(http.StatusUnprocessableEntity)
		b.post(step, "optional", "yes", "until", day).leads()
		if now, err := d.policies.Get(d.Context(), b.organization); err != nil || now.SSO != org.RequiredForAll || now.InForce != org.Optional || now.SSOOptionalUntil.Format(time.DateOnly) != day {
			t.Fatalf("it is not optional until the day: %+v %v", now, err)
		}
		b.post(step, "optional", "yes").leads()
		b.get(step).hides("becomes a must")

		people := "/portal/sso/" + string(c.ID) + "/people"
		b.post(people, "sso", "required_for_all").wants(http.StatusUnprocessableEntity).shows("Make a test sign-in that succeeds first").hides("POST /connections")
		p.test(c.ID, nil)
		b.post(people, "sso", "required_for_all", "jit", "off").wants(http.StatusUnprocessableEntity).shows("1 person would have no way in", "grace@elsewhere.example", "Require it: 1 person is left out")
		if now, err := d.policies.Get(d.Context(), b.organization); err != nil || now.SSO != org.Optional || now.JIT == "off" {
			t.Fatalf("it is required without a confirmation: %+v %v", now, err)
		}
		b.post(people, "sso", "required_for_all", "jit", "directory", "until", day).leads()
		if now, err := d.policies.Get(d.Context(), b.organization); err != nil || now.SSO != org.RequiredForAll || now.InForce != org.Optional {
			t.Fatalf("nobody was left time: %+v %v", now, err)
		}
		b.post(people, "sso", "optional").leads()
		b.post(people, "sso", "required_for_all", "jit", "off", "confirm", "7").wants(http.StatusUnprocessableEntity).shows("1 person would have no way in")
		b.post(people, "sso", "required_for_all", "jit", "off", "confirm", "one").wants(http.StatusUnprocessableEntity)
		b.post(people, "sso", "required_for_all", "jit", "off", "confirm", "1").leads()
		if now, err := d.policies.Get(d.Context(), b.organization); err != nil || now.SSO != org.RequiredForAll || now.JIT != "off" {
			t.Errorf("it is %+v %v", now, err)
		}
		b.post(people, "jit", "everybody").wants(http.StatusUnprocessableEntity)
	})
}

// guest is an active member outside the verified domains.
func (d *desk) guest(id org.ID, email string) {
	d.Helper()
	u, err := d.members.CreateUser(d.Context(), d.operator(), newUser(email))
	d.must(err)
	_, err = d.members.CreateMembership(d.Context(), d.operator(), newMembership(u.ID, string(id)))
	d.must(err)
}

func TestDirectory_waits_for_single_sign_on_unless_the_link_is_for_it_alone(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		b, p, c := d.connected(itadmin.Everything)
		b.get("/portal/directory/new/okta").shows("Single sign-on comes first").hides(">Begin<")
		b.post("/portal/directory/new/okta").wants(http.StatusUnprocessableEntity).shows("Single sign-on comes first: connect it")
		if found, _, err := d.dirs.List(d.Context(), directory.ListQuery{OrganizationID: string(b.organization), Limit: 1}); err != nil || len(found) > 0 {
			t.Fatalf("a directory was made: %v %v", found, err)
		}
		alone := d.enter(b.organization, itadmin.DirectorySync)
		alone.post("/portal/directory/new/okta").leads()
		p.test(c.ID, nil)
		one := b.beginDirectory("okta")
		if !one.LiveAt.IsZero() || one.Type != directory.OktaSCIM || one.Provider != "okta" {
			t.Errorf("the directory is %+v", one)
		}
		if tokens, err := d.dirs.Tokens(d.Context(), one.ID); err != nil || len(tokens) != 0 {
			t.Errorf("it has a token that nobody has seen: %v %v", tokens, err)
		}
		b.get("/portal/directory/new").shows("Okta", "Go on")
	})
}

var shownToken = regexp.MustCompile(`scim_[A-Za-z0-9_-]{20,}`)

// makeToken presses the button and gives what is shown.
func (b *adminBrowser) makeToken(one directory.Directory) string {
	b.Helper()
	step := "/portal/directory/" + string(one.ID) + "/guide/" + b.stepWith(one.Provider, idp.SCIM, needsToken)
	secret := shownToken.FindString(b.post(step).wants(http.StatusOK).body)
	if secret == "" {
		b.Fatal("no token is shown")
	}
	return secret
}

func TestToken_is_shown_once_and_replaces_only_those_that_were_never_used(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		b := d.enter(d.organization("Acme").ID, itadmin.DirectorySync)
		one := b.beginDirectory("okta")
		step := "/portal/directory/" + string(one.ID) + "/guide/" + d.stepWith("okta", idp.SCIM, needsToken)
		b.get(step).shows("The token is shown once, when you make it", stepsBase+"/scim/v2/"+one.Address())
		first := b.makeToken(one)
		b.get(step).hides(first)
		second := b.makeToken(one)
		if _, err := d.dirs.Authenticate(d.Context(), one.Address(), token.Secret(first)); err == nil {
			t.Error("the token that was never used still opens the door")
		}
		p := d.push(string(one.ID), second)
		p.person("Ada", "Lovelace", "ada@acme.example")
		d.used(one.ID)
		b.get(step).shows("A token is in use already")
		third := b.makeToken(one)
		d.push(string(one.ID), second)
		d.push(string(one.ID), third)
		d.used(one.ID)
		b.post(step).wants(http.StatusUnprocessableEntity).shows("2 live tokens already")
		d.push(string(one.ID), second)
		d.push(string(one.ID), third)
	})
}

func TestDirectory_shows_what_arrives_as_it_arrives(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		b := d.enter(d.organization("Acme").ID, itadmin.DirectorySync)
		one := b.beginDirectory("okta")
		at := "/portal/directory/" + string(one.ID) + "/guide/"
		request, user, group := at+d.stepWith("okta", idp.SCIM, has(idp.CheckFirstRequest)), at+d.stepWith("okta", idp.SCIM, has(idp.CheckFirstUser)), at+d.stepWith("okta", idp.SCIM, has(idp.CheckFirstGroup))
		b.get(request).shows("Waiting for the first SCIM request of Okta", `hx-get="`+request+`/checks"`, "Look again")
		p := d.push(string(one.ID), b.makeToken(one))
		p.dirs.Note(p.refused())
		d.flush()
		b.get(request+"/checks").shows("Not right", "The token is wrong", "Paste the token again").hides("Seen ")
		p.person("Ada", "Lovelace", "ada@acme.example")
		d.now = d.now.Add(3 * time.Second)
		b.get(request+"/checks").shows("Received from Okta 3 seconds ago", "made the person Ada")
		b.get(user+"/checks").shows("1 person", "Ada Lovelace", "ada@acme.example")
		b.get(group + "/checks").shows("Waiting for the first group from Okta")
		p.group("Engineering")
		b.get(group+"/checks").shows("1 group", "Engineering")
		for i := range 12 {
			p.person(fmt.Sprintf("Person%d", i), "Sample", fmt.Sprintf("p%d@acme.example", i))
		}
		b.get(user+"/checks").shows("13 people", "Person11 Sample", "and 5 more").hides("Person0 Sample")
		if to := b.get("/portal/directory").leads(); to != "/portal/directory/"+string(one.ID)+"/guide/"+d.guide("okta", idp.SCIM).Steps[5].Slug {
			t.Errorf("the set-up goes on at %s", to)
		}
		b.get("/portal/domains").wants(http.StatusForbidden)
		d.enter(b.organization, itadmin.Everything).get("/portal/domains").shows("Add acme.example")
	})
}

func TestProvider_that_sends_in_rounds_shows_how_far_it_is(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		b := d.enter(d.organization("Acme").ID, itadmin.DirectorySync)
		one := b.beginDirectory("entra-id")
		step := "/portal/directory/" + string(one.ID) + "/guide/" + d.guide("entra-id", idp.SCIM).Steps[0].Slug + "/checks"
		b.get(step).hides("How far")
		p := d.push(string(one.ID), b.makeToken(one))
		mark := func(line, verdict string) {
			t.Helper()
			body := b.get(step).wants(http.StatusOK).body
			if !regexp.MustCompile(`(?s)data-verdict="` + verdict + `">(?:<span|\s)[^§]{0,900}` + line).MatchString(strings.ReplaceAll(body, "<li ", "§<li ")) {
				t.Errorf("%q is not %s: %.3000s", line, verdict, text(body))
			}
		}
		p.person("Ada", "Lovelace", "ada@acme.example")
		mark("Connection tested", "passed")
		mark("First person seen", "passed")
		mark("Next round seen", "waiting")
		b.get(step).shows("40 minutes lie between two rounds. The next one is due at about " + d.now.Add(40*time.Minute).UTC().Format("15:04"))
		d.now = d.now.Add(41 * time.Minute)
		b.get(step).shows("Nothing has come for longer")
		p.person("Grace", "Hopper", "grace@acme.example")
		mark("Next round seen", "passed")
	})
}

func TestGroups_give_roles_after_a_look_at_what_would_change(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		b := d.enter(d.organization("Acme").ID, itadmin.DirectorySync)
		_, err := d.access.CreateRole(d.Context(), d.operator(), newRole("editor", "Editor"))
		d.must(err)
		one := b.beginDirectory("okta")
		p := d.push(string(one.ID), b.makeToken(one))
		p.person("Ada", "Lovelace", "ada@acme.example")
		group := p.group("Engineering")
		p.join(group, "ada@acme.example")
		at := "/portal/directory/" + string(one.ID) + "/mapping"
		b.get(at).wants(http.StatusOK).shows("Role Editor", "Engineering", "There are none yet")
		b.post(at, "version", "0", "rules", "[]", "group", group, "do", "preview").wants(http.StatusUnprocessableEntity).shows("needs both")
		b.post(at, "version", "x", "rules", "[]").wants(http.StatusUnprocessableEntity)
		b.post(at, "version", "0", "rules", "not json", "do", "save").wants(http.StatusUnprocessableEntity)
		b.post(at, "version", "0", "rules", "[]", "drives_roles", "on", "group", group, "gives", "role:editor", "attribute", "region", "from", "locale", "do", "preview").wants(http.StatusOK).
			shows("Looked at 1 person", "Ada Lovelace", "→ editor", "Role Editor: for members of “Engineering”", "Attribute “region” is read from locale")
		if m := d.mapping(b.organization, one); m.Version != 0 {
			t.Fatal("a look has saved the mapping")
		}
		rules := `[{"set":"role","to":"editor","when":[{"group_id":"` + group + `"}]}]`
		b.post(at, "version", "0", "rules", rules, "drives_roles", "on", "do", "save").leads()
		m := d.mapping(b.organization, one)
		if !m.DrivesRoles || m.DrivesTeams || len(m.Rules) != 1 || m.Rules[0].To != "editor" {
			t.Fatalf("the mapping is %+v", m)
		}
		b.post(at, "version", "0", "rules", rules, "do", "save").wants(http.StatusUnprocessableEntity) // somebody else was faster
		b.get(at).shows("Role Editor: for members of “Engineering”")
		b.post(at, "version", fmt.Sprint(m.Version), "rules", rules, "remove", "0", "do", "save").leads()
		if m := d.mapping(b.organization, one); len(m.Rules) != 0 || m.DrivesRoles {
			t.Errorf("the rule is still there: %+v", m)
		}
	})
}

func (d *desk) mapping(id org.ID, one directory.Directory) access.Mapping {
	d.Helper()
	m, err := d.access.Mapping(d.Context(), string(id), string(one.ID))
	d.must(err)
	return m
}

func TestGoing_live_shows_what_becomes_of_whom_and_then_does_it(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		o := d.organization("Acme")
		dom, err := d.orgs.CreateDomain(d.Context(), d.operator(), o.ID, "acme.example")
		d.must(err)
		_, err = d.orgs.VouchForDomain(d.Context(), d.operator(), dom.ID)
		d.must(err)
		b := d.enter(o.ID, itadmin.DirectorySync)
		one := b.beginDirectory("okta")
		at := "/portal/directory/" + string(one.ID) + "/live"
		b.get(at).shows("Okta has sent nobody yet")
		p := d.push(string(one.ID), b.makeToken(one))
		p.person("Ada", "Lovelace", "ada@acme.example")
		p.person("Nobody", "Address", "not-an-address")
		b.get(at).shows("Go live", "Invited", "No email address", "Ada Lovelace")
		b.get(at + "?provisioning=direct").shows("In at once")
		b.get(at + "?provisioning=existing_only").shows("Has no account")
		b.get(at + "?provisioning=%22%3E%3Cscript%3E&after=%27").wants(http.StatusOK).hides("<script>\"")
		if n := d.memberships(b.organization); n != 0 {
			t.Fatalf("%d people are members before it is live", n)
		}
		b.post(at, "provisioning", "nonsense", "shown", "nonsense", "do", "live").wants(http.StatusUnprocessableEntity)
		b.post(at, "provisioning", "direct", "shown", "invite", "do", "show").wants(http.StatusOK).shows("In at once")
		b.post(at, "provisioning", "direct", "shown", "invite", "do", "live").wants(http.StatusUnprocessableEntity).shows("another choice than the one that was shown", "In at once")
		b.post(at, "do", "live").wants(http.StatusUnprocessableEntity)
		if now, err := d.dirs.Get(d.Context(), one.ID); err != nil || !now.LiveAt.IsZero() || now.Provisioning != directory.Invite {
			t.Fatalf("it went live, or changed, without what was chosen having been seen: %+v %v", now, err)
		}
		b.post(at, "provisioning", "direct", "shown", "direct", "do", "live").leads()
		after, err := d.dirs.Get(d.Context(), one.ID)
		d.must(err)
		if after.LiveAt.IsZero() || after.Provisioning != directory.Direct {
			t.Fatalf("the directory is %+v", after)
		}
		d.applied(one.ID)
		if n := d.memberships(b.organization); n != 1 {
			t.Errorf("%d people are members after it is live", n)
		}
		b.get(at).shows("Directory sync is live", "2 people").hides("Go live</button>")
		if to := b.get("/portal/directory").leads(); to != at {
			t.Errorf("the set-up goes on at %s", to)
		}

		var pause db.Write
		pause.Exec("UPDATE directories SET paused_at = $2 WHERE id = $1", string(one.ID), d.now.UnixMicro())
		d.must(d.db.Write(d.Context(), &pause))
		b.get(at).shows("Go live", "Ada Lovelace").hides("Directory sync is live")
	})
}

func TestWhat_an_IT_admin_changes_is_in_the_audit_by_the_link(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		b, p, c := d.connected(itadmin.Everything)
		p.test(c.ID, nil)
		one := b.beginDirectory("okta")
		b.makeToken(one)
		b.post("/portal/directory/"+string(one.ID)+"/live", "provisioning", "invite", "shown", "invite", "do", "live").leads()
		by := map[string]int{}
		for _, e := range d.audit(b.organization) {
			if e.Context.Actor.Source == event.AdminPortal && strings.HasPrefix(e.Context.Actor.ID, "portal_link_") {
				by[string(e.Action)]++
			}
		}
		if len(by) < 4 {
			t.Errorf("of the portal there are only %v", by)
		}
	})
}

func TestNothing_of_another_organization_is_there(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		theirs, p, c := d.connected(itadmin.Everything)
		p.test(c.ID, nil)
		one := theirs.beginDirectory("okta")
		o, err := d.orgs.Get(d.Context(), theirs.organization)
		d.must(err)
		b := d.enter(d.organization("Globex").ID, itadmin.Everything)
		fill := strings.NewReplacer("{connection}", string(c.ID), "{directory}", string(one.ID), "{domain}", o.Domains[0].ID)
		asked := 0
		for _, r := range stepRoutes() {
			if !strings.Contains(r.pattern, "{connection}") && !strings.Contains(r.pattern, "{directory}") && !strings.Contains(r.pattern, "{domain}") {
				continue
			}
			step := d.stepWith("okta", idp.SAML, asksFor)
			if r.part == partDirectory {
				step = d.stepWith("okta", idp.SCIM, needsToken)
			}
			path := strings.ReplaceAll(fill.Replace(r.pattern), "{step}", step)
			asked++
			if r.method == http.MethodGet {
				b.get(path).wants(http.StatusNotFound)
			} else {
				b.post(path, "alternative", "1", "metadata_xml", p.metadata(), "do", "save", "version", "0", "jit", "off").wants(http.StatusNotFound)
			}
			theirs.do(r.method, path, "").status204or(t)
		}
		if asked < 18 {
			t.Errorf("asked only %d addresses", asked)
		}
		if now := theirs.connection(c.ID); now.UpdatedAt != b.connection(c.ID).UpdatedAt || len(now.AttributeMap) != 0 {
			t.Error("the connection was changed")
		}
		if tokens, err := d.dirs.Tokens(d.Context(), one.ID); err != nil || len(tokens) != 0 {
			t.Errorf("tokens were made: %v %v", tokens, err)
		}
	})
}

// status204or: of the owner nothing is missing, so that the 404 of the other says something.
func (s seen) status204or(t *testing.T) {
	t.Helper()
	if s.status == http.StatusNotFound {
		t.Errorf("the owner finds nothing either: %.500s", text(s.body))
	}
}

func TestEvery_post_needs_the_token_of_the_session_and_each_part_its_link(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		id := d.organization("Acme").ID
		b := d.enter(id, itadmin.Everything)
		audits := d.enter(id, itadmin.AuditLogs)
		posts := 0
		for _, r := range stepRoutes() {
			path := regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(r.pattern, "x")
			if got := audits.do(r.method, path, ""); got.status != http.StatusForbidden {
				t.Errorf("%s %s of a link for something else: %d", r.method, path, got.status)
			}
			if r.method != http.MethodPost {
				continue
			}
			posts++
			for _, body := range []string{"", "csrf=", "csrf=0000", "csrf=" + audits.token()} {
				b.do(http.MethodPost, path, body).wants(http.StatusForbidden)
			}
			if got := (&adminBrowser{desk: d}).do(http.MethodPost, path, "csrf="+b.token()); got.status != http.StatusSeeOther || got.to != itadmin.Path {
				t.Errorf("%s without a session: %d %s", path, got.status, got.to)
			}
		}
		if posts < 12 {
			t.Errorf("there are only %d posts", posts)
		}
		d.enter(id, itadmin.DirectorySync).get("/portal/sso/new").wants(http.StatusForbidden)
		d.enter(id, itadmin.SSO).get("/portal/directory/new").wants(http.StatusForbidden)
		d.enter(id, itadmin.DomainVerification).get("/portal/domains").wants(http.StatusOK)
	})
}

const hostile = `"><script>alert(1)</script><img src=x onerror=alert(2)>` + "\u202egnp.exe" + `javascript:alert(3)`

func TestWhat_strangers_write_is_text_wherever_it_is_shown(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		o, err := d.orgs.Create(d.Context(), d.operator(), org.New{Name: hostile})
		d.must(err)
		b, p := d.enter(o.ID, itadmin.Everything), d.provider()
		c := b.begin("okta", "saml")
		ask := "/portal/sso/" + string(c.ID) + "/guide/" + d.stepWith("okta", idp.SAML, asksFor)
		test := "/portal/sso/" + string(c.ID) + "/guide/" + d.stepWith("okta", idp.SAML, has(idp.CheckTestSignIn))
		b.post(ask, "alternative", "1", "metadata_xml", p.metadata()).leads()
		p.test(c.ID, func(m *samltest.Message) {
			m.Attributes[1].Values = []string{samlEscape(hostile)}
			m.Attributes[4].Values = []string{samlEscape(hostile)}
		}, sso.Check{Name: hostile, Wanted: hostile, Got: hostile, Code: sso.Code(hostile)})
		p.test(c.ID, nil)
		one := b.beginDirectory("okta")
		feed := d.push(string(one.ID), b.makeToken(one))
		feed.person(hostile, hostile, "evil@acme.example")
		feed.group(hostile)
		at := "/portal/directory/" + string(one.ID)
		clean := func(s seen) {
			t.Helper()
			s.hides("<script>alert", "<img", "onerror=alert(2)>\"", `href="javascript`)
			if strings.Count(s.body, "<script") != strings.Count(s.body, `<script src="/assets/`)+strings.Count(s.body, `<script defer src="/assets/`)+strings.Count(s.body, `<script type="module" src="/assets/`) && strings.Contains(s.body, "<script>") {
				t.Errorf("a script of somebody else is there: %.2000s", s.body)
			}
		}
		shown := 0
		for _, path := range []string{
			ask, test, test + "/checks", "/portal/sso/new", "/portal/domains", "/portal/sso/" + string(c.ID) + "/attributes", "/portal/sso/" + string(c.ID) + "/people",
			at + "/guide/" + d.stepWith("okta", idp.SCIM, has(idp.CheckFirstUser)), at + "/guide/" + d.stepWith("okta", idp.SCIM, has(idp.CheckFirstGroup)),
			at + "/guide/" + d.stepWith("okta", idp.SCIM, has(idp.CheckFirstRequest)) + "/checks", at + "/mapping", at + "/live", "/portal/directory/new",
		} {
			page := b.get(path).wants(http.StatusOK)
			clean(page)
			shown += strings.Count(page.body, "&lt;script&gt;alert(1)")
		}
		for path, pairs := range map[string][]string{
			ask:               {"alternative", "2", "sso_url", hostile, "idp_entity_id", hostile, "certificate", hostile},
			"/portal/domains": {"domain", hostile},
			at + "/mapping":   {"version", "0", "rules", "[]", "attribute", hostile, "from", hostile, "do", "preview"},
			at + "/live":      {"provisioning", hostile, "shown", hostile, "do", "live"},
			"/portal/sso/" + string(c.ID) + "/attributes": {"email", hostile, "custom_name_0", hostile, "custom_from_0", hostile},
			"/portal/sso/" + string(c.ID) + "/people":     {"sso", hostile, "jit", hostile, "confirm", hostile},
		} {
			page := b.post(path, pairs...).wants(http.StatusUnprocessableEntity)
			clean(page)
			shown += strings.Count(page.body, "&lt;script&gt;alert(1)")
		}
		if shown < 15 {
			t.Errorf("what strangers wrote was shown only %d times", shown)
		}
	})
}

func TestWithout_accounts_a_directory_is_live_at_once_and_gives_nothing(t *testing.T) {
	atDesks(t, false, func(d *desk) {
		b := d.enter(d.organization("Acme").ID, itadmin.DirectorySync)
		one := b.beginDirectory("okta")
		if one.LiveAt.IsZero() {
			t.Error("it waits for a Go live that has no meaning")
		}
		b.get("/portal/directory/" + string(one.ID) + "/mapping").wants(http.StatusNotFound)
		b.get("/portal/directory/" + string(one.ID) + "/live").wants(http.StatusOK).shows("Directory sync is live")
		s := d.enter(b.organization, itadmin.SSO)
		c := s.begin("okta", "saml")
		s.get("/portal/sso/" + string(c.ID) + "/people").wants(http.StatusNotFound)
		s.get("/portal/sso/" + string(c.ID) + "/attributes").wants(http.StatusOK).shows("Finish")
	})
}

func TestFeature_that_is_switched_off_says_whom_to_ask(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		o := d.organization("Acme")
		_, err := d.orgs.SetFeatures(d.Context(), d.operator(), o.ID, map[org.Feature]bool{org.SSO: false, org.DirectorySync: false})
		d.must(err)
		b := d.enter(o.ID, itadmin.DirectorySync)
		b.get("/portal/directory/new").shows("Directory sync is switched off for your organization").hides(`class="tile"`)
		b.post("/portal/directory/new/okta").wants(http.StatusUnprocessableEntity).shows("switched off")
		s := d.enter(o.ID, itadmin.SSO)
		s.get("/portal/sso/new").shows("Single sign-on is switched off for your organization").hides(`class="tile"`)
		s.post("/portal/sso/new/okta", "protocol", "saml").wants(http.StatusUnprocessableEntity).shows("switched off")
	})
}
