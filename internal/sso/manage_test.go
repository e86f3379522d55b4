package sso_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
)

func TestConnection_is_a_draft_until_it_has_what_it_needs(t *testing.T) {
	onBoth(t, func(h *house) {
		h.news()
		p := &provider{house: h, IDP: samltest.New("https://idp.example.com/acme")}
		c, err := h.s.Create(ctx, actor, sso.New{OrganizationID: h.acme, Provider: "entra-id", Settings: sso.Change{Name: ptr(" Entra ")}})
		h.ok(err)
		p.c = c
		if c.State != sso.Draft || c.Type != "AzureSAML" || c.Protocol != sso.SAML || c.Name != "Entra" || len(c.Key) != 24 || fmt.Sprint(c.Lacks()) != "[idp_entity_id sso_url certificates]" {
			h.Fatalf("%+v", c)
		}
		_, err = h.s.Start(ctx, sso.Start{ConnectionID: c.ID, Kind: sso.Test, Browser: h.browser, Base: base})
		h.wantFault(err, fault.Conflict, "connection_incomplete")
		_, err = h.s.Update(ctx, actor, c.ID, sso.Change{State: ptr(sso.Active)})
		h.wantFault(err, fault.Unprocessable, "connection_incomplete")
		p.change(sso.Change{MetadataXML: ptr(metadata(p.EntityID, "https://idp.example.com/sso", p.Signer))})
		if p.c.State != sso.Validating || len(p.c.Certificates) != 1 || p.c.Certificates[0].Source != sso.FromMetadata {
			h.Fatalf("%+v", p.c)
		}
		v := p.verified()
		h.ok(h.finish(v, sso.End{}))
		p.change(sso.Change{State: ptr(sso.Inactive)})
		p.change(sso.Change{State: ptr(sso.Active)})
		if p.c.State != sso.Active {
			h.Error(p.c.State)
		}
		h.wantNews("authentication.sso_started", "connection.activated", "authentication.sso_succeeded", "connection.deactivated", "connection.activated")
		p.change(sso.Change{SSOURL: ptr("")})
		if p.c.State != sso.Draft {
			h.Error(p.c.State)
		}
		h.wantNews("connection.deactivated")
		o, err := h.s.Create(ctx, actor, sso.New{OrganizationID: h.acme, Provider: "entra-id", Protocol: sso.OIDC, Settings: sso.Change{Name: ptr("x")}})
		h.ok(err)
		if o.Type != "EntraIdOIDC" || o.Protocol != sso.OIDC {
			h.Errorf("%+v", o)
		}
	})
}

func TestOrganization_with_several_connections_needs_a_default(t *testing.T) {
	onBoth(t, func(h *house) {
		a := h.saml(h.acme, "https://idp.example.com/a")
		got, err := h.s.Choose(ctx, h.acme)
		h.ok(err)
		if got.ID != a.c.ID {
			h.Error("the only one is not chosen")
		}
		b := h.saml(h.acme, "https://idp.example.com/b")
		_, err = h.s.Choose(ctx, h.acme)
		h.wantFault(err, fault.Conflict, "ambiguous_connection_selector")
		for _, p := range []*provider{a, b} {
			p.change(sso.Change{Options: []byte(`{"default":true}`)})
			got, err = h.s.Choose(ctx, h.acme)
			h.ok(err)
			if got.ID != p.c.ID {
				h.Error("the default is not chosen")
			}
		}
		_, err = h.s.Choose(ctx, h.beta)
		h.wantFault(err, fault.NotFound, "connection_not_found")
	})
}

func TestPaths_of_a_former_vendor_lead_to_one_connection(t *testing.T) {
	onBoth(t, func(h *house) {
		a := h.saml(h.acme, "https://idp.example.com/a")
		a.change(sso.Change{Paths: &[]string{"/sso/saml/acs/01HXYZ"}, SPEntityID: ptr("https://old.vendor.example/01HXYZ")})
		_, request := a.start(sso.SignIn)
		m := a.message(request)
		m.Audience, m.Recipient, m.Destination = "https://old.vendor.example/01HXYZ", "https://sso.customer.example/sso/saml/acs/01HXYZ", "https://sso.customer.example/sso/saml/acs/01HXYZ"
		in := a.arrival(a.Respond(m, samltest.AssertionSigned))
		in.Key, in.Path, in.Bases = "", "/sso/saml/acs/01HXYZ", func(string) []string { return []string{base, "https://sso.customer.example"} }
		_, err := h.s.ReceiveSAML(ctx, in)
		h.ok(err)
		in.Path = "/sso/saml/acs/other"
		_, err = h.s.ReceiveSAML(ctx, in)
		h.refused(err, sso.ConnectionInactive)
		for path, code := range map[string]string{
			"/saml/x/acs": "reserved_path", "/oidc/x": "reserved_path", "/SSO/Token": "reserved_path", "/sso/authorize": "reserved_path", "/scim/v2": "reserved_path",
			"/x": "invalid_path", "x/y": "invalid_path", "/a//b": "invalid_path", "/a/../b": "invalid_path", "/a/b/": "invalid_path", "/a/b?c": "invalid_path", "/a/%2e": "invalid_path",
			"/organizations/x": "reserved_path",
		} {
			_, err = h.s.Update(ctx, actor, a.c.ID, sso.Change{Paths: &[]string{path}})
			h.wantFault(err, fault.Unprocessable, code)
		}
	})
}

// served is metadata at an address, over TLS as far as the connection knows.
func (p *provider) served(body *atomic.Value) *atomic.Int64 {
	p.Helper()
	var asked atomic.Int64
	server := p.server(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		fmt.Fprint(w, body.Load())
	}))
	p.change(sso.Change{MetadataURL: ptr(server.URL + "/m")})
	return &asked
}

func TestMetadata_is_read_when_a_certificate_is_not_known_but_not_too_often(t *testing.T) {
	onBoth(t, func(h *house) {
		p := h.saml(h.acme, "https://idp.example.com/acme")
		var body atomic.Value
		body.Store(metadata(p.EntityID, "https://idp.example.com/sso", p.Signer))
		asked := p.served(&body)
		fresh := &samltest.IDP{EntityID: p.EntityID, Signer: samltest.NewSigner(samltest.RSA("fresh", 2048), samltest.Year(2020), samltest.Year(2040))}
		h.wait(20 * time.Minute)
		before := asked.Load()
		for range 5 {
			_, request := p.start(sso.SignIn)
			_, err := h.s.ReceiveSAML(ctx, p.arrival(fresh.Respond(p.message(request), samltest.AssertionSigned)))
			if f, ok := fault.As(err); !ok || f.Code != string(sso.CertificateUnknown) {
				h.Fatalf("got %v", err)
			}
		}
		if n := asked.Load() - before; n != 1 {
			h.Errorf("the metadata was asked for %d times", n)
		}
		h.wait(20 * time.Minute)
		body.Store(metadata(p.EntityID, "https://idp.example.com/sso", p.Signer, fresh.Signer))
		_, request := p.start(sso.SignIn)
		_, err := h.s.ReceiveSAML(ctx, p.arrival(fresh.Respond(p.message(request), samltest.AssertionSigned)))
		if f, ok := fault.As(err); !ok || f.Code != string(sso.CertificateUnknown) { // without TLS it waits
			h.Fatalf("got %v", err)
		}
		c, err := h.s.ApproveMetadata(ctx, actor, p.c.ID)
		h.ok(err)
		if len(c.Certificates) != 2 {
			h.Errorf("%+v", c.Certificates)
		}
		_, request = p.start(sso.SignIn)
		_, err = h.s.ReceiveSAML(ctx, p.arrival(fresh.Respond(p.message(request), samltest.AssertionSigned)))
		h.ok(err)
	})
}

func TestMetadata_is_read_daily_by_one_process(t *testing.T) {
	onBoth(t, func(h *house) {
		p := h.saml(h.acme, "https://idp.example.com/acme")
		var body atomic.Value
		body.Store(metadata(p.EntityID, "https://idp.example.com/sso", p.Signer))
		asked := p.served(&body)
		before := asked.Load()
		h.ok(h.s.RefreshDue(ctx))
		if asked.Load() != before {
			h.Error("asked before its day")
		}
		h.wait(25 * time.Hour)
		done := make(chan error)
		for range 4 {
			go func() { done <- h.s.RefreshDue(ctx) }()
		}
		for range 4 {
			h.ok(<-done)
		}
		if n := asked.Load() - before; n != 1 {
			h.Errorf("asked %d times", n)
		}
		h.wait(25 * time.Hour)
		body.Store("<html>")
		if err := h.s.RefreshDue(ctx); err == nil {
			h.Error("a page is metadata")
		}
		c, err := h.s.Get(ctx, p.c.ID)
		h.ok(err)
		if c.MetadataError == "" || c.State != sso.Validating || len(c.Warnings(h.now())) == 0 {
			h.Errorf("%+v", c)
		}
	})
}

func TestCertificate_that_ends_is_announced_once_for_each_day(t *testing.T) {
	onBoth(t, func(h *house) {
		p := h.saml(h.acme, "https://idp.example.com/acme")
		now := h.now()
		soon := samltest.NewSigner(samltest.RSA("soon", 2048), now.Add(-time.Hour), now.Add(61*24*time.Hour))
		p.change(sso.Change{Certificates: &[]string{pemOf(soon)}})
		h.news()
		h.ok(h.s.WatchCertificates(ctx))
		h.wantNews()
		const ending = "connection.saml_certificate_renewal_required"
		for _, days := range []int{2, 29, 17, 7, 5} { // 59, 30, 13, 6, 1 days are left
			h.wait(time.Duration(days) * 24 * time.Hour)
			done := make(chan error)
			for range 3 {
				go func() { done <- h.s.WatchCertificates(ctx) }()
			}
			for range 3 {
				h.ok(<-done)
			}
			h.wantNews(ending)
		}
		data := h.last()
		if data["days_until_expiry"] != 1.0 || data["certificate"].(map[string]any)["is_expired"] != false {
			h.Errorf("%v", data)
		}
		later := samltest.NewSigner(samltest.RSA("later", 2048), now.Add(-time.Hour), now.Add(500*24*time.Hour))
		_, err := h.s.AddCertificate(ctx, actor, p.c.ID, pemOf(later))
		h.ok(err)
		h.wantNews("connection.saml_certificate_renewed")
		h.ok(h.s.WatchCertificates(ctx))
		h.wantNews()
	})
}

func TestCertificates_are_taken_as_people_paste_them(t *testing.T) {
	h := onOne(t)
	p := h.saml(h.acme, "https://idp.example.com/acme")
	whole := pemOf(samltest.NewSigner(samltest.RSA("pasted", 2048), samltest.Year(2020), samltest.Year(2040)))
	lines := strings.Split(strings.TrimSpace(whole), "\n")
	inner := strings.Join(lines[1:len(lines)-1], "\r\n")
	for _, text := range []string{whole, "\n  " + whole + "\n", inner, strings.Join(strings.Fields(inner), "")} {
		p.change(sso.Change{Certificates: &[]string{text}})
		if len(p.c.Certificates) != 1 {
			t.Errorf("%.20q", text)
		}
	}
	weak := samltest.NewSigner(samltest.RSA("weak", 1024), samltest.Year(2020), samltest.Year(2040))
	for _, text := range []string{"", "nonsense!", whole + whole, strings.ReplaceAll(whole, "CERTIFICATE", "PRIVATE KEY"), pemOf(weak), "AAAA", strings.Repeat("A", 20_000)} {
		_, err := h.s.Update(ctx, actor, p.c.ID, sso.Change{Certificates: &[]string{text}})
		h.wantFault(err, fault.Unprocessable, "invalid_certificate")
	}
}

func TestLogout_of_the_provider_ends_the_session_and_is_answered(t *testing.T) {
	onBoth(t, func(h *house) {
		p := h.saml(h.acme, "https://idp.example.com/acme")
		p.change(sso.Change{SLOURL: ptr("https://idp.example.com/slo")})
		v := p.verified()
		var w db.Write
		cookie := token.NewSecret("session")
		started := h.sessions.StartInto(&w, session.New{
			Cookie: token.HashOf(cookie), OrganizationID: h.acme, UserID: "user_1", ConnectionID: string(p.c.ID), ProfileID: string(v.Profile.ID),
			IDPSession: v.SessionIndex, Method: session.SSO, AuthenticatedAt: v.AuthenticatedAt,
		})
		h.ok(h.s.FinishInto(&w, v, sso.End{UserID: "user_1", SessionID: started.ID}))
		h.ok(h.db.Write(ctx, &w))
		out, ok, err := h.s.Logout(ctx, started, base)
		h.ok(err)
		if !ok || !strings.HasPrefix(out.URL, "https://idp.example.com/slo?SAMLRequest=") || !strings.Contains(out.URL, "&Signature=") {
			h.Errorf("%v %q", ok, out.URL)
		}
		at := p.c.Addresses(base)
		query := func(name, index string) string {
			u := logoutRequest(h, p, at.SLO, name, index)
			parsed, err := url.Parse(u)
			h.ok(err)
			return parsed.RawQuery
		}
		unsigned := strings.Split(query(samltest.Person, v.SessionIndex), "&SigAlg")[0]
		_, err = h.s.ReceiveLogout(ctx, sso.LogoutArrival{Key: p.c.Key, Bases: bases, RawQuery: unsigned})
		h.wantFault(err, fault.Forbidden, "unsigned") // S24
		noted, _, err := h.s.Attempts(ctx, sso.AttemptQuery{ConnectionID: p.c.ID, Limit: 1})
		h.ok(err)
		if r := noted[0].Refused; noted[0].Kind != sso.Unasked || r == nil || r.Code != sso.Unsigned || !strings.Contains(r.Message, "leave its logout URL empty") ||
			strings.Contains(fmt.Sprintf("%+v", noted[0]), samltest.Person) {
			h.Errorf("%+v", r)
		}
		done, err := h.s.ReceiveLogout(ctx, sso.LogoutArrival{Key: p.c.Key, Bases: bases, RawQuery: query("bob@acme.example", v.SessionIndex)})
		if err != nil || done.Ended != 0 {
			h.Errorf("another person's logout: %d %v", done.Ended, err)
		}
		good := query(samltest.Person, v.SessionIndex)
		done, err = h.s.ReceiveLogout(ctx, sso.LogoutArrival{Key: p.c.Key, Bases: bases, RawQuery: good})
		h.ok(err)
		if done.Ended != 1 || !strings.HasPrefix(done.URL, "https://idp.example.com/slo?SAMLResponse=") {
			h.Errorf("%+v", done)
		}
		if _, ok, err := h.sessions.ByCookie(ctx, cookie); ok || err != nil {
			h.Errorf("the session lives on (%v)", err)
		}
		_, err = h.s.ReceiveLogout(ctx, sso.LogoutArrival{Key: p.c.Key, Bases: bases, RawQuery: good})
		h.wantFault(err, fault.Forbidden, "replayed")
	})
}

func TestRaw_answers_are_sealed_and_blanked_after_a_week(t *testing.T) {
	onBoth(t, func(h *house) {
		p := h.saml(h.acme, "https://idp.example.com/acme")
		v := p.verified()
		h.ok(h.finish(v, sso.End{}))
		if h.count("SELECT COUNT(*) FROM sign_in_attempts WHERE raw LIKE '%:Assertion%'") != 0 {
			h.Error("an answer is stored in clear")
		}
		raw, err := h.s.RawOf(ctx, v.Attempt)
		h.ok(err)
		if !strings.Contains(string(raw), "Assertion") {
			h.Error("the answer is not kept")
		}
		h.wait(8 * 24 * time.Hour)
		h.ok(h.s.Sweep(ctx))
		if raw, err = h.s.RawOf(ctx, v.Attempt); raw != nil || err != nil {
			h.Errorf("still there after a week (%v)", err)
		}
		h.wait(90 * 24 * time.Hour)
		h.ok(h.s.Sweep(ctx))
		if h.count("SELECT COUNT(*) FROM sign_in_attempts") != 0 || h.count("SELECT COUNT(*) FROM used_assertions") != 0 {
			h.Error("attempts are kept for ever")
		}
	})
}

// Who the people of a connection are goes with it, in the same transaction; accounts and memberships stay.
func TestDeletion_takes_identities_and_profiles_along_and_leaves_the_members(t *testing.T) {
	onBoth(t, func(h *house) {
		p, other := h.saml(h.acme, "https://idp.example.com/acme"), h.saml(h.acme, "https://idp.example.com/other")
		var user member.User
		for _, c := range []*provider{p, other} {
			v := c.verified()
			a := member.Arrival{
				OrganizationID: h.acme, ConnectionID: string(c.c.ID), IDPID: v.Profile.IDPID, Email: v.Profile.Email, EmailVerified: true, JIT: member.JITVerifiedDomain,
			}
			facts, err := h.members.Facts(ctx, h.db, a)
			h.ok(err)
			ad, err := member.Admit(facts, a, h.now())
			h.ok(err)
			w := db.Write{Lane: h.acme}
			h.ok(h.members.AdmitInto(ctx, &w, ad, event.Context{Actor: actor}))
			h.ok(h.s.FinishInto(&w, v, sso.End{UserID: string(ad.User.ID)}))
			h.ok(h.db.Write(ctx, &w))
			user = ad.User
		}
		h.ok(h.s.Delete(ctx, actor, p.c.ID))
		left, err := h.members.Identities(ctx, user.ID)
		h.ok(err)
		if len(left) != 1 || left[0].ConnectionID != string(other.c.ID) {
			h.Errorf("%+v", left)
		}
		if n := h.count("SELECT COUNT(*) FROM profiles"); n != 1 {
			h.Errorf("%d profiles", n)
		}
		m, err := h.members.MemberOf(ctx, h.acme, user.ID)
		h.ok(err)
		if m.Membership.State != member.Active {
			h.Errorf("the membership is %s", m.Membership.State)
		}
	})
}

func TestConnections_of_a_page_of_organizations_are_read_at_once(t *testing.T) {
	onBoth(t, func(h *house) {
		first := h.saml(h.acme, "https://idp.example.com/one").c
		second := h.saml(h.acme, "https://idp.example.com/two").c
		found, err := h.s.OfOrganizations(ctx, h.acme, "org_none")
		h.ok(err)
		mine := found[h.acme]
		if len(found) != 1 || len(mine) != 2 || mine[0].ID != first.ID || mine[1].ID != second.ID || len(mine[0].Certificates) == 0 {
			h.Errorf("%+v", found)
		}
		h.ok(h.s.Delete(ctx, actor, first.ID))
		if found, err = h.s.OfOrganizations(ctx, h.acme); err != nil || len(found[h.acme]) != 1 || found[h.acme][0].ID != second.ID {
			h.Errorf("%+v, %v", found, err)
		}
		if found, err = h.s.OfOrganizations(ctx); err != nil || len(found) > 0 {
			h.Errorf("%+v, %v", found, err)
		}
	})
}
