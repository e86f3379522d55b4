package signin_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/signin"
	"github.com/rollcallhq/rollcall/internal/sso"
)

func (w *world) begin(b *browser) (request, relay string) {
	return b.atProvider(w.authorization("organization", string(w.org.ID)))
}

// P01: Keycloak CVE-2026-18967, Omni CVE-2026-45720 (look first, then write).
func TestP01_of_a_hundred_parallel_replays_one_wins(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		request, relay := w.begin(b)
		fields := posted(w.idp.Respond(w.message(w.conn, request), samltest.AssertionSigned), relay)
		const n = 100
		results := make(chan answer, n)
		var all sync.WaitGroup
		for range n {
			all.Go(func() { results <- b.post("/saml/"+w.conn.Key+"/acs", fields) })
		}
		all.Wait()
		close(results)
		won := 0
		for a := range results {
			switch a.StatusCode {
			case http.StatusSeeOther:
				won++
			case http.StatusForbidden:
			case http.StatusOK:
				w.already(a)
			default:
				t.Errorf("status %d: %s", a.StatusCode, text(a.body))
			}
		}
		if won != 1 || w.count("sessions") != 1 || w.count("authorization_codes") != 1 || w.count("users") != 1 {
			t.Errorf("%d of %d won; sessions %d, codes %d, users %d; want one of each", won, n, w.count("sessions"), w.count("authorization_codes"), w.count("users"))
		}
	})
}

func TestP01_an_assertion_is_not_used_again_in_another_response(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		request, relay := w.begin(b)
		m := w.message(w.conn, request)
		b.deliver(w.conn, m, relay).location(t)
		w.already(b.deliver(w.conn, m, relay))
		if w.count("authorization_codes") != 1 || w.living() != 1 {
			t.Errorf("%d codes and %d sessions after a replay", w.count("authorization_codes"), w.living())
		}
		again, relay := b.atProvider(w.authorization("organization", string(w.org.ID), "prompt", "login"))
		second := w.message(w.conn, again)
		second.AssertionID = m.AssertionID
		w.refusedWith(b.deliver(w.conn, second, relay), w.conn, sso.Replayed)
	})
}

// P05: Casdoor CVE-2026-9098.
func TestP05_an_answer_to_a_request_of_nobody_is_refused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		_, relay := w.begin(b)
		w.refusedWith(b.deliver(w.conn, w.message(w.conn, "_nobody"), relay), w.conn, sso.InResponseToUnknown)
	})
}

func TestP05_an_answer_in_another_browser_is_refused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		mine, theirs := w.browser(), w.browser()
		request, relay := w.begin(mine)
		w.begin(theirs)
		a := theirs.deliver(w.conn, w.message(w.conn, request), relay)
		w.refusedWith(a, w.conn, sso.StateLost)
		if w.count("sessions") != 0 {
			t.Error("a session came of it")
		}
	})
}

func TestP05_an_answer_to_the_request_of_another_connection_is_refused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		other, err := w.orgs.Create(ctx, operator(), org.New{Name: "Other"})
		w.ok(err)
		second := w.connect(other.ID, w.idp, "")
		request, relay := w.begin(b)
		a := b.deliver(second, w.message(second, request), relay)
		w.refusedWith(a, second, sso.InResponseToUnknown)
	})
}

func TestP05_an_answer_that_comes_too_late_is_refused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		request, relay := w.begin(b)
		w.later(2 * time.Hour)
		a := b.deliver(w.conn, w.message(w.conn, request), relay)
		a.want(t, http.StatusForbidden)
		if w.count("sessions") != 0 {
			t.Error("a session came of it")
		}
	})
}

// P08: the connection is chosen by its address alone.
func TestP08_an_assertion_for_one_tenant_is_refused_at_another(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		other, err := w.orgs.Create(ctx, operator(), org.New{Name: "Other", Domains: []org.NewDomain{{Domain: "other.example", State: org.Verified}}})
		w.ok(err)
		// Both trust the same provider with the same entity id and certificate, as tenants of one Google or Okta do.
		second := w.connect(other.ID, w.idp, "")
		b := w.browser()
		at := second.Addresses(w.server.URL)
		for _, step := range []struct {
			mend func(*samltest.Message)
			want sso.Code
		}{
			{func(*samltest.Message) {}, sso.DestinationMismatch}, // made for the first
			{func(m *samltest.Message) { m.Destination, m.Recipient = at.ACS, at.ACS }, sso.AudienceMismatch},
			// Rightly addressed, it still brings a person of the first tenant's domain.
			{func(m *samltest.Message) { m.Destination, m.Recipient, m.Audience = at.ACS, at.ACS, at.EntityID }, sso.EmailDomainNotAllowed},
		} {
			request, relay := b.atProvider(w.authorization("organization", string(other.ID)))
			m := w.message(w.conn, request)
			step.mend(&m)
			w.refusedWith(b.deliver(second, m, relay), second, step.want)
		}
		if w.count("users") != 0 || w.count("sessions") != 0 {
			t.Error("somebody came in")
		}
	})
}

func TestP08_another_providers_signature_is_refused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		stranger := samltest.New("https://stranger.example/metadata")
		b := w.browser()
		request, relay := w.begin(b)
		forged := stranger.Respond(w.message(w.conn, request), samltest.AssertionSigned)
		w.refusedWith(b.post("/saml/"+w.conn.Key+"/acs", posted(forged, relay)), w.conn, sso.CertificateUnknown)
	})
}

func withEmail(m samltest.Message, email string) samltest.Message {
	m.NameID = email
	for i, a := range m.Attributes {
		if strings.HasSuffix(a.Name, "/emailaddress") {
			m.Attributes[i].Values = []string{email}
		}
	}
	return m
}

// P09: Coder CVE-2024-27918.
func TestP09_an_address_outside_the_verified_domains_is_refused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, err := w.orgs.Create(ctx, operator(), org.New{Name: "B", Domains: []org.NewDomain{{Domain: "b.example", State: org.Verified}}})
		w.ok(err)
		b := w.browser()
		for _, email := range []string{
			"ceo@b.example", "ceo@nobody.example", "ceo@sub.acme.example", "ceo@acme.example.evil.example", "ceo@xacme.example", "ceo@acme.example@b.example",
		} {
			request, relay := w.begin(b)
			a := b.deliver(w.conn, withEmail(w.message(w.conn, request), email), relay)
			a.want(t, http.StatusForbidden)
		}
		if w.count("users") != 0 || w.count("sessions") != 0 {
			t.Error("somebody came in")
		}
		request, relay := w.begin(b)
		w.code(b.deliver(w.conn, withEmail(w.message(w.conn, request), "CEO@ACME.example"), relay).location(t))
	})
}

// P10: Keycloak CVE-2026-9087.
func TestP10_another_identity_with_the_same_address_is_not_the_same_person_silently(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.browser().signIn()
		b := w.browser()
		request, relay := w.begin(b)
		m := w.message(w.conn, request)
		for i, a := range m.Attributes {
			if strings.Contains(a.Name, "objectidentifier") {
				m.Attributes[i].Values = []string{"another-person"}
			}
		}
		a := b.deliver(w.conn, m, relay)
		a.want(t, http.StatusForbidden)
		if w.count("sessions") != 1 {
			t.Errorf("%d sessions, want the first one's alone", w.count("sessions"))
		}
	})
}

// P11: Keycloak CVE-2026-2603, -3009, -3047.
func TestP11_what_was_begun_before_a_connection_was_switched_off_ends_nowhere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		request, relay := w.begin(b)
		_, err := w.conns.Update(ctx, operator(), w.conn.ID, sso.Change{State: ref(sso.Inactive)})
		w.ok(err)
		w.refusedWith(b.deliver(w.conn, w.message(w.conn, request), relay), w.conn, sso.ConnectionInactive)
		to := b.get(w.authorization("connection", string(w.conn.ID))).location(t)
		if !strings.HasPrefix(to.String(), callback) || to.Query().Get("error") == "" || to.Query().Get("state") != "xyz" {
			t.Errorf("led to %s, want an error at the callback", to)
		}
		m := w.message(w.conn, "")
		w.refusedWith(b.deliver(w.conn, m, ""), w.conn, sso.ConnectionInactive)
		b.get("/saml/"+w.conn.Key+"/login").want(t, http.StatusForbidden)
	})
}

func TestP11_a_switched_off_feature_and_a_deleted_organization_let_nobody_in(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		code := b.signIn()
		request, relay := b.atProvider(w.authorization("organization", string(w.org.ID), "prompt", "login"))
		_, err := w.orgs.SetFeatures(ctx, operator(), w.org.ID, map[org.Feature]bool{org.SSO: false})
		w.ok(err)
		w.refusedWith(b.deliver(w.conn, w.message(w.conn, request), relay), w.conn, sso.FeatureDisabled)
		if status, answer := w.redeem(code); status != http.StatusBadRequest || answer["error"] != "invalid_grant" {
			t.Errorf("a code was redeemed: %d %v", status, answer)
		}
		if to := b.get(w.authorization("connection", string(w.conn.ID))).location(t); to.Query().Get("error") == "" {
			t.Errorf("led to %s", to)
		}
	})
}

// P12: sign-in CSRF by a response that nobody asked for.
func TestP12_an_unsolicited_response_begins_a_sign_in_of_our_own_and_is_none(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		b.get("/signed-out")
		m := w.message(w.conn, "")
		fields := posted(w.idp.Respond(m, samltest.AssertionSigned), "")
		first := b.post("/saml/"+w.conn.Key+"/acs", fields).want(t, http.StatusOK) // no cookie: it is posted again from here
		if !strings.Contains(first.body, "Finishing your sign-in") {
			t.Fatalf("page: %s", text(first.body))
		}
		fields.Set("rollcall_again", "1")
		to := b.post("/saml/"+w.conn.Key+"/acs", fields).location(t)
		request := w.requestID(to)
		if w.count("sessions") != 0 || w.count("authorization_codes") != 0 {
			t.Error("the response was a sign-in")
		}
		code := w.code(b.deliver(w.conn, w.message(w.conn, request), to.Query().Get("RelayState")).location(t))
		if code == "" || w.count("sessions") != 1 {
			t.Error("the sign-in of our own did not end well")
		}
	})
}

func TestP12_a_provider_that_never_names_our_request_is_refused_the_second_time(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		w.begin(b)
		m := w.message(w.conn, "")
		w.requestID(b.deliver(w.conn, m, "").location(t))
		m.ID, m.AssertionID = "_second", "_seconda"
		w.refusedWith(b.deliver(w.conn, m, ""), w.conn, sso.IDPInitiatedDisabled)
	})
}

func TestP12_a_connection_may_refuse_unsolicited_responses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, err := w.conns.Update(ctx, operator(), w.conn.ID, sso.Change{Options: []byte(`{"unsolicited":"refuse"}`)})
		w.ok(err)
		b := w.browser()
		w.begin(b)
		w.refusedWith(b.deliver(w.conn, w.message(w.conn, ""), ""), w.conn, sso.IDPInitiatedDisabled)
	})
}

// P13: the relay state is never an address.
func TestP13_a_relay_state_leads_nowhere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, relay := range []string{
			"https://evil.example/", "//evil.example", `\\evil.example`, "javascript:alert(1)", "/x\r\nSet-Cookie: a=b", strings.Repeat("x", 5<<10), "", callback + "?code=1",
		} {
			b := w.browser()
			request, _ := w.begin(b)
			a := b.deliver(w.conn, w.message(w.conn, request), relay)
			if a.StatusCode == http.StatusSeeOther {
				w.code(a.location(t))
			} else if a.StatusCode != http.StatusForbidden && a.StatusCode != http.StatusBadRequest {
				t.Errorf("relay state %.30q: status %d", relay, a.StatusCode)
			}
			if strings.Contains(a.Header.Get("Location"), "evil") || strings.Contains(a.body, "evil.example") {
				t.Errorf("relay state %q went on", relay)
			}
		}
	})
}

// P14: crewjam CVE-2023-45683, ZITADEL CVE-2026-29191.
func TestP14_what_comes_with_a_response_is_text_on_the_page(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		evil := `"><script>alert(1)</script>`
		b := w.browser()
		a := b.post("/saml/"+w.conn.Key+"/acs", url.Values{"SAMLResponse": {evil}, "RelayState": {evil}}).want(t, http.StatusOK)
		if strings.Contains(a.body, "<script>alert") || !strings.Contains(a.Header.Get("Content-Security-Policy"), "script-src 'self';") {
			t.Errorf("the page holds a stranger's script, or none of ours:\n%s", a.body)
		}
		request, relay := w.begin(b)
		m := w.message(w.conn, request)
		m.Issuer, m.Audience = evil, evil
		page := b.deliver(w.conn, m, relay).want(t, http.StatusForbidden)
		if strings.Contains(page.body, "alert(1)") {
			t.Errorf("the refusal shows what came: %s", page.body)
		}
	})
}

// P20: Keycloak CVE-2026-1529. A mailed proof serves once, in the browser that asked, for the account that it was made for.
func TestP20_a_mailed_proof_serves_once_and_in_one_browser(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b, thief := w.browser(), w.browser()
		link, code, magic := w.mailed(b, "grace@home.example")
		thief.get("/signed-out")
		thief.get(w.authorization())
		thief.post(link, nil).want(t, http.StatusBadRequest)
		thief.post("/sign-in/code", url.Values{"magic": {magic}, "code": {code}}).want(t, http.StatusUnprocessableEntity)
		if strings.Contains(b.get(link).want(t, http.StatusOK).body, "Location") || w.count("sessions") != 0 {
			t.Error("opening a link was enough")
		}
		w.code(b.post(link, nil).location(t))
		b.post(link, nil).want(t, http.StatusBadRequest)
		b.post("/sign-in/code", url.Values{"magic": {magic}, "code": {code}}).want(t, http.StatusUnprocessableEntity)
		if w.count("sessions") != 1 {
			t.Errorf("%d sessions, want one", w.count("sessions"))
		}
	})
}

func TestDeprovisioned_person_stays_out_whatever_the_provider_asserts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		code := b.signIn()
		d, secret, err := w.dirs.Create(ctx, operator(), directory.New{OrganizationID: string(w.org.ID), Name: "Directory", Type: directory.GenericSCIM})
		w.ok(err)
		w.hire(secret, `{"userName":"alice@acme.example","active":false}`)
		_ = d
		if status, answer := w.redeem(code); status != http.StatusBadRequest {
			t.Errorf("a code was redeemed: %d %v", status, answer)
		}
		if to := b.get(w.authorization("prompt", "none")).location(t); to.Query().Get("error") != "login_required" {
			t.Errorf("led to %s", to)
		}
		request, relay := w.begin(b)
		w.refusedWith(b.deliver(w.conn, w.message(w.conn, request), relay), w.conn, sso.UserDeprovisioned)
	})
}

func TestAccounts_of_the_app_a_sign_in_ends_in_a_profile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		request, relay := b.atProvider("/sso/authorize?" + url.Values{
			"client_id": {w.app.ClientID}, "redirect_uri": {callback}, "response_type": {"code"}, "state": {"s"}, "organization": {string(w.org.ID)},
		}.Encode())
		a := b.deliver(w.conn, w.message(w.conn, request), relay)
		code := w.code(a.location(t))
		if strings.Contains(strings.Join(a.Header.Values("Set-Cookie"), ""), "session") || w.count("users") != 0 || w.count("sessions") != 0 {
			t.Error("an account or a session was made")
		}
		tokens := w.profile(code)
		profile, _ := tokens["profile"].(map[string]any)
		if profile["email"] != "alice@acme.example" || profile["connection_id"] != string(w.conn.ID) || tokens["access_token"] == nil {
			t.Errorf("got %v", tokens)
		}
	}, func(o *lifecycle.SignInOptions, _ *signin.Options) { o.ProfilesOnly = true })
}
