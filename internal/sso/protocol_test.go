package sso_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/outbound"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
)

// The names begin with the numbers of the attack catalogue: P01 to P20 are attacks on the protocol and on tenancy.

// P01: Keycloak CVE-2026-18967, Omni CVE-2026-45720 (check and use apart).
func TestP01_of_a_hundred_parallel_replays_exactly_one_wins(t *testing.T) {
	onBoth(t, func(h *house) {
		p := h.saml(h.acme, "https://idp.example.com/acme")
		h.ok(h.finish(p.verified(), sso.End{})) // active, and with a profile: nothing else is left to lose
		_, in := p.answer()
		var wins, losses atomic.Int64
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				v, err := h.s.ReceiveSAML(ctx, in)
				if err == nil {
					err = h.finish(v, sso.End{})
				}
				var guard *db.GuardError
				var unique *db.UniqueError
				var refusal *sso.Refusal
				switch {
				case err == nil:
					wins.Add(1)
				case errors.As(err, &guard), errors.As(err, &unique), errors.As(err, &refusal) && refusal.Code == string(sso.Replayed):
					losses.Add(1)
				default:
					h.Errorf("%v", err)
				}
			})
		}
		all.Wait()
		if wins.Load() != 1 || losses.Load() != 99 {
			h.Errorf("%d won, %d lost", wins.Load(), losses.Load())
		}
		_, err := h.service(outbound.Policy{}).ReceiveSAML(ctx, in) // as after a restart
		r := h.refused(err, sso.Replayed)
		a, err := h.s.Fail(ctx, r)
		h.ok(err)
		if a.Kind != sso.Unasked || r.Attempt != nil {
			h.Error("a replay changes the attempt that succeeded")
		}
	})
}

// P01: the same assertion under another attempt: a provider that answers twice with one id, or a copy of its database.
func TestP01_an_assertion_id_is_used_once_whatever_it_answers(t *testing.T) {
	onBoth(t, func(h *house) {
		p := h.saml(h.acme, "https://idp.example.com/acme")
		_, first := p.start(sso.SignIn)
		_, second := p.start(sso.SignIn)
		one, two := p.message(first), p.message(second)
		two.AssertionID, two.ID = one.AssertionID, "_another"
		v, err := h.s.ReceiveSAML(ctx, p.arrival(p.Respond(one, samltest.AssertionSigned)))
		h.ok(err)
		in := p.arrival(p.Respond(two, samltest.AssertionSigned))
		late, err := h.s.ReceiveSAML(ctx, in)
		h.ok(err)
		h.ok(h.finish(v, sso.End{}))
		if err := h.finish(late, sso.End{}); err == nil {
			h.Fatal("one assertion made two sign-ins")
		}
		again, err := h.s.ReceiveSAML(ctx, in)
		h.ok(err)
		for _, other := range []*sso.Verified{late, again} {
			if err := h.finish(other, sso.End{}); err == nil {
				h.Fatal("one assertion made two sign-ins")
			}
			used, err := h.s.Used(ctx, other)
			h.ok(err)
			if !used || other.Attempt.ID == v.Attempt.ID {
				h.Errorf("the loser of a write learns that its assertion was used: %v", used)
			}
		}
		fresh := p.verified()
		if used, err := h.s.Used(ctx, fresh); err != nil || used {
			h.Errorf("a new answer is called used: %v", err)
		}
		h.ok(h.finish(fresh, sso.End{}))
		h.ok(h.db.Tx(ctx, func(tx db.Tx) error {
			_, err := tx.Exec(ctx, "DELETE FROM used_assertions")
			return err
		}))
		if used, err := h.s.Used(ctx, fresh); err != nil || !used {
			h.Errorf("an answer whose attempt was used is called new: %v", err)
		}
	})
}

// What a response says and must not: the grammar's refusals arrive with their codes and are noted at the attempt.
func TestP02_P03_P04_P07_P17_responses_for_others_or_another_time_are_refused(t *testing.T) {
	h := onOne(t)
	p := h.saml(h.acme, "https://idp.example.com/acme")
	for name, one := range map[string]struct {
		change func(*samltest.Message)
		code   sso.Code
	}{
		"P02 other audience":        {func(m *samltest.Message) { m.Audience = "https://other.example/saml" }, sso.AudienceMismatch},
		"P03 recipient with slash":  {func(m *samltest.Message) { m.Recipient += "/" }, sso.RecipientMismatch},
		"P03 other destination":     {func(m *samltest.Message) { m.Destination = "https://other.example/acs" }, sso.DestinationMismatch},
		"P04 too late":              {func(m *samltest.Message) { m.Now = m.Now.Add(-time.Hour) }, sso.Expired},
		"P04 too early":             {func(m *samltest.Message) { m.Now = m.Now.Add(time.Hour) }, sso.NotYetValid},
		"P07 other issuer":          {func(m *samltest.Message) { m.Issuer = "https://idp.example.com/other" }, sso.IssuerMismatch},
		"P17 status with a message": {nil, sso.IDPDenied},
	} {
		a, request := p.start(sso.SignIn)
		m := p.message(request)
		var response []byte
		if one.change != nil {
			one.change(&m)
			response = p.Respond(m, samltest.AssertionSigned)
		} else {
			response = []byte(m.Denial("<script>alert(1)</script>", "urn:oasis:names:tc:SAML:2.0:status:Responder", "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"))
		}
		_, err := h.s.ReceiveSAML(ctx, p.arrival(response))
		r := h.refused(err, one.code)
		if r.Attempt == nil || r.Attempt.ID != a.ID {
			t.Errorf("%s: not noted at its attempt", name)
		}
		failed, err := h.s.Fail(ctx, r)
		h.ok(err)
		stored, err := h.s.Attempt(ctx, a.ID)
		h.ok(err)
		if failed.ID != a.ID || stored.State != sso.Failed || stored.Refused.Code != one.code || stored.Refused.Fixer != sso.ITAdmin || stored.Refused.Advice == "" ||
			len(stored.Checks) != 1 || stored.Checks[0].Passed {
			t.Errorf("%s: %+v %+v", name, stored, stored.Refused)
		}
		if data := h.last(); data["status"] != "failed" || data["error"].(map[string]any)["code"] != string(one.code) {
			t.Errorf("%s: %v", name, data)
		}
		if n := h.count("SELECT COUNT(*) FROM profiles"); n != 0 {
			t.Fatalf("%s made a profile", name)
		}
	}
}

// P05: Casdoor CVE-2026-9098.
func TestP05_answer_of_another_request_browser_or_connection_is_refused(t *testing.T) {
	onBoth(t, func(h *house) {
		p := h.saml(h.acme, "https://idp.example.com/acme")
		other := h.saml(h.acme, "https://idp.example.com/acme")
		_, err := h.s.ReceiveSAML(ctx, p.arrival(p.Respond(p.message("_never-made"), samltest.AssertionSigned)))
		h.refused(err, sso.InResponseToUnknown)

		_, request := other.start(sso.SignIn)
		_, err = h.s.ReceiveSAML(ctx, p.arrival(p.Respond(p.message(request), samltest.AssertionSigned)))
		h.refused(err, sso.InResponseToUnknown)

		a, request := p.start(sso.SignIn)
		in := p.arrival(p.Respond(p.message(request), samltest.AssertionSigned))
		for _, browser := range []token.Hash{"", token.HashOf("another browser")} {
			in.Browser = browser
			_, err = h.s.ReceiveSAML(ctx, in)
			r := h.refused(err, sso.StateLost)
			_, err = h.s.Fail(ctx, r)
			h.ok(err)
		}
		still, err := h.s.Attempt(ctx, a.ID)
		h.ok(err)
		if still.State != sso.AtProvider {
			h.Error("another browser ended the attempt")
		}
		in.Browser = p.browser
		_, err = h.s.ReceiveSAML(ctx, in)
		h.ok(err)

		h.wait(11 * time.Minute)
		late := p.Respond(p.message(request), samltest.AssertionSigned)
		_, err = h.s.ReceiveSAML(ctx, p.arrival(late))
		h.refused(err, sso.TimedOutCode)
		h.news()
		h.ok(h.s.Sweep(ctx))
		h.wantNews("authentication.sso_timed_out", "authentication.sso_timed_out")
		_, err = h.s.ReceiveSAML(ctx, p.arrival(late))
		h.refused(err, sso.TimedOutCode)
	})
}

func TestP05_unknown_request_may_start_over_where_the_option_says_so(t *testing.T) {
	h := onOne(t)
	p := h.saml(h.acme, "https://idp.example.com/acme")
	p.change(sso.Change{Options: []byte(`{"restart_unknown_requests":true}`)})
	_, err := h.s.ReceiveSAML(ctx, p.arrival(p.Respond(p.message("_made-up"), samltest.AssertionSigned)))
	var unasked *sso.UnsolicitedError
	if !errors.As(err, &unasked) {
		t.Fatal(err)
	}
}

// P05: a provider that never says what it answers would be asked again and again.
func TestP05_answer_without_request_after_we_asked_does_not_go_round(t *testing.T) {
	h := onOne(t)
	p := h.saml(h.acme, "https://idp.example.com/acme")
	a, _ := p.start(sso.SignIn)
	in := p.arrival(p.Respond(p.message(""), samltest.AssertionSigned))
	in.RelayState = string(a.ID)
	_, err := h.s.ReceiveSAML(ctx, in)
	h.refused(err, sso.InResponseToUnknown)
	in.RelayState = ""
	p.start(sso.SignIn)
	p.start(sso.SignIn)
	_, err = h.s.ReceiveSAML(ctx, in)
	h.refused(err, sso.InResponseToUnknown)
}

// P08: two tenants with one entity id and one certificate, as of one Entra tenant or Okta org.
func TestP08_tenant_is_told_by_the_address_and_never_by_the_issuer(t *testing.T) {
	onBoth(t, func(h *house) {
		a := h.saml(h.acme, "https://idp.example.com/shared")
		b := h.saml(h.beta, "https://idp.example.com/shared")
		_, request := a.start(sso.SignIn)
		m := a.message(request)
		in := b.arrival(a.Respond(m, samltest.AssertionSigned)) // made for A, posted at B
		_, err := h.s.ReceiveSAML(ctx, in)
		if f, ok := fault.As(err); !ok || f.Code != string(sso.AudienceMismatch) && f.Code != string(sso.RecipientMismatch) && f.Code != string(sso.DestinationMismatch) {
			h.Fatalf("got %v", err)
		}
		forged := b.message(request) // the shared provider signs whatever it is asked to
		_, err = h.s.ReceiveSAML(ctx, b.arrival(b.Respond(forged, samltest.AssertionSigned)))
		r := h.refused(err, sso.InResponseToUnknown)
		if r.Connection.ID != b.c.ID || r.Attempt != nil {
			h.Error("B's refusal is noted at A")
		}
		stranger := h.saml(h.beta, "https://idp.example.com/beta")
		_, request = a.start(sso.SignIn)
		m = a.message(request)
		_, err = h.s.ReceiveSAML(ctx, a.arrival(stranger.Respond(m, samltest.AssertionSigned)))
		if f, ok := fault.As(err); !ok || f.Code != string(sso.CertificateUnknown) && f.Code != string(sso.SignatureInvalid) {
			h.Fatalf("got %v", err)
		}
	})
}

// P09: Coder CVE-2024-27918. Which domains let in is decided by others (see the package member); an address that two could read
// differently does not come to them.
func TestP09_address_has_one_domain_and_keeps_it(t *testing.T) {
	h := onOne(t)
	p := h.saml(h.acme, "https://idp.example.com/acme")
	for email, want := range map[string]string{
		"ceo@beta.example":                "ceo@beta.example",
		"ceo@sub.acme.example":            "ceo@sub.acme.example",
		"ceo@acme.example.evil.example":   "ceo@acme.example.evil.example",
		"CEO@ACME.Example":                "CEO@acme.example",
		"ceo@acme.example.":               "",
		"ceo@beta.example@acme.example":   "",
		`"ceo@beta.example"@acme.example`: "",
		"acme.example":                    "",
		"ceo @acme.example":               "",
	} {
		_, request := p.start(sso.SignIn)
		m := p.message(request)
		m.NameID, m.NameIDFormat = "persistent-1", "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
		m.Attributes = []samltest.Attribute{{Name: "email", Values: []string{email}}}
		v, err := h.s.ReceiveSAML(ctx, p.arrival(p.Respond(m, samltest.AssertionSigned)))
		if want == "" {
			h.refused(err, sso.MissingAttribute)
			continue
		}
		h.ok(err)
		if v.Profile.Email != want {
			t.Errorf("%s became %q", email, v.Profile.Email)
		}
	}
	_, request := p.start(sso.SignIn)
	m := p.message(request)
	m.NameID, m.NameIDFormat = "persistent-1", "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	m.Attributes = []samltest.Attribute{{Name: "email", Values: []string{"ceo@аcme.example"}}} // the first letter of the domain is Cyrillic
	v, err := h.s.ReceiveSAML(ctx, p.arrival(p.Respond(m, samltest.AssertionSigned)))
	h.ok(err)
	if strings.HasSuffix(v.Profile.Email, "@acme.example") {
		t.Errorf("it became %q", v.Profile.Email)
	}
}

// P10: Keycloak CVE-2026-9087, Rancher CVE-2025-23389.
func TestP10_person_is_the_identifier_and_never_the_address(t *testing.T) {
	onBoth(t, func(h *house) {
		p := h.saml(h.acme, "https://idp.example.com/acme")
		as := func(id, format, email string) (*sso.Verified, error) {
			_, request := p.start(sso.SignIn)
			m := p.message(request)
			m.NameID, m.NameIDFormat = id, format
			m.Attributes = []samltest.Attribute{{Name: "email", Values: []string{email}}}
			return h.s.ReceiveSAML(ctx, p.arrival(p.Respond(m, samltest.AssertionSigned)))
		}
		const persistent = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
		first, err := as("p-1", persistent, "ann@acme.example")
		h.ok(err)
		h.ok(h.finish(first, sso.End{}))
		moved, err := as("p-1", persistent, "ann.married@acme.example")
		h.ok(err)
		h.ok(h.finish(moved, sso.End{}))
		if moved.Profile.ID != first.Profile.ID {
			h.Error("a new address made another person")
		}
		other, err := as("p-2", persistent, "ann.married@acme.example")
		h.ok(err)
		if other.Profile.ID == first.Profile.ID {
			h.Error("the same address made the same person")
		}
		_, err = as("tmp-1", "urn:oasis:names:tc:SAML:2.0:nameid-format:transient", "ann@acme.example")
		r := h.refused(err, sso.MissingAttribute)
		if !strings.Contains(r.Got, "transient") || !strings.Contains(r.Got, "email") || strings.Contains(r.Got, "ann@") {
			h.Errorf("got %q", r.Got)
		}
	})
}

// P11: Keycloak CVE-2026-2603, -3009, -3047.
func TestP11_what_is_switched_off_lets_nobody_in_not_even_those_on_their_way(t *testing.T) {
	onBoth(t, func(h *house) {
		p := h.saml(h.acme, "https://idp.example.com/acme")
		_, in := p.answer()
		unasked := p.arrival(p.Respond(p.message(""), samltest.AssertionSigned))
		v, err := h.s.ReceiveSAML(ctx, in)
		h.ok(err)
		p.change(sso.Change{State: ptr(sso.Inactive)})
		if err := h.finish(v, sso.End{}); err == nil {
			h.Error("finished through a connection that was switched off meanwhile")
		}
		for _, in := range []sso.SAMLArrival{in, unasked} {
			_, err = h.s.ReceiveSAML(ctx, in)
			h.refused(err, sso.ConnectionInactive)
		}
		_, err = h.s.Start(ctx, sso.Start{ConnectionID: p.c.ID, Kind: sso.SignIn, Browser: p.browser, Base: base})
		h.wantFault(err, fault.Forbidden, "connection_inactive")
		_, err = h.s.Start(ctx, sso.Start{OrganizationID: h.acme, Kind: sso.SignIn, Browser: p.browser, Base: base})
		h.wantFault(err, fault.NotFound, "connection_not_found")

		p.change(sso.Change{State: ptr(sso.Active)})
		_, err = h.orgs.SetFeatures(ctx, actor, org.ID(h.acme), map[org.Feature]bool{org.SSO: false})
		h.ok(err)
		for _, in := range []sso.SAMLArrival{in, unasked} {
			_, err = h.s.ReceiveSAML(ctx, in)
			h.refused(err, sso.FeatureDisabled)
		}
		_, err = h.s.Start(ctx, sso.Start{ConnectionID: p.c.ID, Kind: sso.Test, Browser: p.browser, Base: base})
		h.wantFault(err, fault.Forbidden, "feature_disabled")
		_, err = h.s.Create(ctx, actor, sso.New{OrganizationID: h.acme, Type: "OktaSAML", Settings: sso.Change{Name: ptr("x")}})
		h.wantFault(err, fault.Forbidden, "feature_disabled")
		_, err = h.orgs.SetFeatures(ctx, actor, org.ID(h.acme), map[org.Feature]bool{org.SSO: true})
		h.ok(err)

		v, err = h.s.ReceiveSAML(ctx, in)
		h.ok(err)
		h.ok(h.s.Delete(ctx, actor, p.c.ID))
		if err := h.finish(v, sso.End{}); err == nil {
			h.Error("finished through a connection that was deleted meanwhile")
		}
		_, err = h.s.ReceiveSAML(ctx, in)
		r := h.refused(err, sso.ConnectionInactive)
		a, err := h.s.Fail(ctx, r)
		h.ok(err)
		if a.ID != "" {
			h.Error("something was recorded for nobody")
		}
	})
}

func TestP11_deletion_ends_the_sessions_in_the_same_transaction(t *testing.T) {
	onBoth(t, func(h *house) {
		p := h.saml(h.acme, "https://idp.example.com/acme")
		v := p.verified()
		var w db.Write
		cookie := token.NewSecret("session")
		started := h.sessions.StartInto(&w, session.New{
			Cookie: token.HashOf(cookie), OrganizationID: h.acme, UserID: "user_1", ConnectionID: string(p.c.ID), ProfileID: string(v.Profile.ID),
			IDPSession: v.SessionIndex, Method: session.SSO, AuthenticatedAt: v.AuthenticatedAt, Life: session.Life{Idle: time.Hour, Absolute: 2 * time.Hour},
		})
		h.ok(h.s.FinishInto(&w, v, sso.End{UserID: "user_1", SessionID: started.ID}))
		h.ok(h.db.Write(ctx, &w))
		h.news()
		h.ok(h.s.Delete(ctx, actor, p.c.ID))
		h.wantNews("session.revoked", "connection.deleted")
		if _, ok, err := h.sessions.ByCookie(ctx, cookie); ok || err != nil {
			h.Errorf("the session lives on (%v)", err)
		}
	})
}

func TestP13_relay_state_decides_nothing(t *testing.T) {
	h := onOne(t)
	p := h.saml(h.acme, "https://idp.example.com/acme")
	for _, state := range []string{"https://evil.example/", "//evil.example", `\\evil.example`, "javascript:alert(1)", "a\r\nSet-Cookie: b", strings.Repeat("x", 5000), "sign_in_attempt_01ARZ3NDEKTSV4RRFFQ69G5FAV"} {
		_, in := p.answer()
		in.RelayState = state
		v, err := h.s.ReceiveSAML(ctx, in)
		h.ok(err)
		if string(v.Attempt.Continuation) != "where to go on" {
			t.Errorf("%.20q led elsewhere", state)
		}
	}
}

// P14: CVE-2023-45683, CVE-2026-29191: what is shown of foreign text is bounded and printable; escaping is the page's.
func TestP14_refusals_repeat_foreign_text_short_and_printable(t *testing.T) {
	h := onOne(t)
	p := h.saml(h.acme, "https://idp.example.com/acme")
	_, request := p.start(sso.SignIn)
	m := p.message(request)
	m.NameIDFormat = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
	m.Attributes = nil
	for i := range 60 {
		m.Attributes = append(m.Attributes, samltest.Attribute{Name: fmt.Sprintf("<script>%d", i) + strings.Repeat("y", 100), Values: []string{"secret value"}})
	}
	_, err := h.s.ReceiveSAML(ctx, p.arrival(p.Respond(m, samltest.AssertionSigned)))
	r := h.refused(err, sso.MissingAttribute)
	if len(r.Got) > 2000 || strings.Contains(r.Got, "secret value") || strings.ContainsAny(r.Got, "\r\n\x00") {
		t.Errorf("got %d bytes", len(r.Got))
	}
}

// P15: Keycloak CVE-2026-16443.
func TestP15_metadata_that_changes_who_it_is_waits_for_approval(t *testing.T) {
	onBoth(t, func(h *house) {
		p := h.saml(h.acme, "https://idp.example.com/acme")
		stranger := samltest.New("https://idp.example.com/stranger")
		body := metadata(p.EntityID, "https://idp.example.com/sso", p.Signer)
		server := h.server(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }))
		c, err := h.s.Update(ctx, actor, p.c.ID, sso.Change{MetadataURL: ptr(server.URL + "/metadata"), Certificates: &[]string{}})
		h.ok(err)
		if c.Pending == nil || len(c.Certificates) != 0 || c.State != sso.Draft || fmt.Sprint(c.Pending.Reasons) != "[not_secure]" {
			h.Fatalf("read without TLS and taken over: %+v %+v", c.State, c.Pending)
		}
		c, err = h.s.ApproveMetadata(ctx, actor, c.ID)
		h.ok(err)
		if c.Pending != nil || len(c.Certificates) != 1 || c.State != sso.Validating {
			h.Fatalf("%+v", c)
		}
		_, err = h.s.ApproveMetadata(ctx, actor, c.ID)
		h.wantFault(err, fault.Conflict, "nothing_pending")

		body = metadata(stranger.EntityID, "https://evil.example/sso", stranger.Signer)
		c, err = h.s.RefreshMetadata(ctx, actor, c.ID)
		h.ok(err)
		if c.Pending == nil || c.IDPEntityID != p.EntityID || c.SSOURL != "https://idp.example.com/sso" || len(c.Certificates) != 1 ||
			!strings.Contains(fmt.Sprint(c.Pending.Reasons), "entity_id_changed") {
			h.Fatalf("%+v", c)
		}
		_, request := p.start(sso.SignIn)
		m := p.message(request)
		_, err = h.s.ReceiveSAML(ctx, p.arrival(stranger.Respond(m, samltest.AssertionSigned)))
		if f, ok := fault.As(err); !ok || f.Code != string(sso.CertificateUnknown) && f.Code != string(sso.SignatureInvalid) {
			h.Fatalf("a certificate that waits verifies: %v", err)
		}
	})
}

// P16: both certificates count while the provider changes from one to the other, also for those on their way.
func TestP16_certificates_overlap_and_an_expired_one_warns(t *testing.T) {
	h := onOne(t)
	p := h.saml(h.acme, "https://idp.example.com/acme")
	old := samltest.NewSigner(samltest.RSA("old", 2048), samltest.Year(2020), samltest.Year(2021))
	p.change(sso.Change{Certificates: &[]string{pemOf(p.Signer), pemOf(old)}})
	_, in := p.answer()
	_, err := h.s.ReceiveSAML(ctx, in)
	h.ok(err)
	_, request := p.start(sso.SignIn)
	byOld := &samltest.IDP{EntityID: p.EntityID, Signer: old}
	in = p.arrival(byOld.Respond(p.message(request), samltest.AssertionSigned))
	v, err := h.s.ReceiveSAML(ctx, in)
	h.ok(err)
	if len(v.Warnings) != 1 || !strings.Contains(v.Warnings[0], "past its end") {
		t.Errorf("%v", v.Warnings)
	}
	p.change(sso.Change{Certificates: &[]string{pemOf(p.Signer)}})
	_, err = h.s.ReceiveSAML(ctx, in)
	if f, ok := fault.As(err); !ok || f.Code != string(sso.CertificateUnknown) && f.Code != string(sso.SignatureInvalid) {
		t.Fatalf("got %v", err)
	}
}

func TestP18_attributes_come_in_every_shape(t *testing.T) {
	h := onOne(t)
	p := h.saml(h.acme, "https://idp.example.com/acme")
	p.change(sso.Change{AttributeMap: &sso.AttributeMap{"department": {"dept"}, "badges": {"badge"}, "nothing": {"none"}}})
	groups := make([]string, 5_200)
	for i := range groups {
		groups[i] = fmt.Sprintf("g%04d", i)
	}
	_, request := p.start(sso.SignIn)
	m := p.message(request)
	m.NameID, m.NameIDFormat = "p-1", "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	m.Attributes = []samltest.Attribute{
		{Name: "urn:oid:0.9.2342.19200300.100.1.3", Values: []string{"ann@acme.example"}},
		{Name: "GIVENNAME", Values: []string{"", "Ann"}},
		{Name: "sn", Values: []string{"  Ray "}},
		{Name: "dept", Values: []string{"R&D"}},
		{Name: "badge", Values: []string{"a", "b", "a"}},
		{Name: "groups", Values: groups},
	}
	v, err := h.s.ReceiveSAML(ctx, p.arrival(p.Respond(m, samltest.AssertionSigned)))
	h.ok(err)
	got := v.Profile
	if got.Email != "ann@acme.example" || got.FirstName != "Ann" || got.LastName != "Ray" || len(got.Groups) != 5_000 || got.GroupsCut != 200 ||
		got.Custom["department"] != "R&D" || fmt.Sprint(got.Custom["badges"]) != "[a b]" || got.Custom["nothing"] != nil {
		t.Errorf("%q %q %q %d %d %v", got.Email, got.FirstName, got.LastName, len(got.Groups), got.GroupsCut, got.Custom)
	}
	if len(v.Warnings) != 1 || !strings.Contains(v.Warnings[0], "5200") {
		t.Errorf("%v", v.Warnings)
	}
	_, request = p.start(sso.SignIn)
	m = p.message(request)
	m.Attributes = []samltest.Attribute{{Name: "id", Values: []string{"one", "two"}}, {Name: "email", Values: []string{"ann@acme.example"}}}
	_, err = h.s.ReceiveSAML(ctx, p.arrival(p.Respond(m, samltest.AssertionSigned)))
	h.refused(err, sso.MissingAttribute)
}

func TestP19_old_sign_in_does_not_do_where_a_new_one_was_asked_for(t *testing.T) {
	h := onOne(t)
	p := h.saml(h.acme, "https://idp.example.com/acme")
	p.change(sso.Change{Options: []byte(`{"force_authn":true}`)})
	h.wait(10 * time.Minute)
	_, request := p.start(sso.SignIn)
	m := p.message(request)
	m.Now, m.Life = m.Now.Add(-4*time.Minute), 10*time.Minute
	_, err := h.s.ReceiveSAML(ctx, p.arrival(p.Respond(m, samltest.AssertionSigned)))
	h.refused(err, sso.Expired)
	_, request = p.start(sso.SignIn)
	_, err = h.s.ReceiveSAML(ctx, p.arrival(p.Respond(p.message(request), samltest.AssertionSigned)))
	h.ok(err)
	p.change(sso.Change{Options: []byte(`{"requested_authn_contexts":["https://refeds.org/profile/mfa"]}`)})
	_, request = p.start(sso.SignIn)
	_, err = h.s.ReceiveSAML(ctx, p.arrival(p.Respond(p.message(request), samltest.AssertionSigned)))
	if _, ok := fault.As(err); !ok {
		t.Fatalf("a weaker way of authentication did: %v", err)
	}
}

// A stranger posts rubbish at an address that everybody can know.
func TestStranger_can_fill_neither_the_table_nor_the_log(t *testing.T) {
	onBoth(t, func(h *house) {
		p := h.saml(h.acme, "https://idp.example.com/acme")
		h.news()
		for i := range 130 {
			in := p.arrival(nil)
			in.Response = base64.StdEncoding.EncodeToString([]byte("<rubbish/>"))
			_, err := h.s.ReceiveSAML(ctx, in)
			var r *sso.Refusal
			if !errors.As(err, &r) {
				h.Fatal(err)
			}
			_, err = h.s.Fail(ctx, r)
			h.ok(err)
			if i%10 == 9 {
				h.wait(15 * time.Second)
			}
		}
		if n := h.count("SELECT COUNT(*) FROM sign_in_attempts"); n != 100 {
			h.Errorf("%d refusals are kept", n)
		}
		h.wantNews()
		h.wait(time.Minute)
		for range 50 {
			_, err := h.s.ReceiveSAML(ctx, p.arrival([]byte("<rubbish/>")))
			var r *sso.Refusal
			if !errors.As(err, &r) {
				h.Fatal(err)
			}
			_, err = h.s.Fail(ctx, r)
			h.ok(err)
		}
		if h.s.Dropped() != 30 {
			h.Errorf("%v were not recorded", h.s.Dropped())
		}
	})
}

// S-less: a claim of an unverified message never ends somebody else's attempt.
func TestUnverified_message_ends_no_attempt_of_another_browser(t *testing.T) {
	h := onOne(t)
	p := h.saml(h.acme, "https://idp.example.com/acme")
	a, request := p.start(sso.SignIn)
	in := p.arrival([]byte(strings.ReplaceAll(string(p.Respond(p.message(request), samltest.AssertionSigned)), "Alice", "Mallory")))
	in.Browser = token.HashOf("mallory")
	_, err := h.s.ReceiveSAML(ctx, in)
	r := h.refused(err, sso.SignatureInvalid)
	_, err = h.s.Fail(ctx, r)
	h.ok(err)
	still, err := h.s.Attempt(ctx, a.ID)
	h.ok(err)
	if still.State != sso.AtProvider || r.Attempt != nil {
		t.Error("mallory ended the attempt")
	}
}

func TestTestSignIn_makes_nothing_but_a_list_of_checks(t *testing.T) {
	onBoth(t, func(h *house) {
		p := h.saml(h.acme, "https://idp.example.com/acme")
		p.change(sso.Change{State: ptr(sso.Inactive)})
		h.news()
		a, request := p.start(sso.Test)
		in := p.arrival(p.Respond(p.message(request), samltest.AssertionSigned))
		v, err := h.s.ReceiveSAML(ctx, in)
		h.ok(err)
		if err := h.finish(v, sso.End{}); err == nil {
			h.Fatal("a test became a sign-in")
		}
		done, err := h.s.FinishTest(ctx, v, sso.Check{Name: "directory", Passed: true, Got: "found by externalId"})
		h.ok(err)
		if done.ID != a.ID || done.State != sso.Succeeded || len(done.Checks) != 12 || done.Checks[11].Name != "directory" {
			h.Errorf("%+v", done)
		}
		_, err = h.s.FinishTest(ctx, v)
		h.refused(err, sso.Replayed)
		_, err = h.s.ReceiveSAML(ctx, in)
		h.refused(err, sso.Replayed)
		if h.count("SELECT COUNT(*) FROM profiles") != 0 {
			h.Error("a test made a profile")
		}
		h.wantNews()
		p.change(sso.Change{State: ptr(sso.Active)})
		_, request = p.start(sso.Test)
		v, err = h.s.ReceiveSAML(ctx, p.arrival(p.Respond(p.message(request), samltest.AssertionSigned)))
		h.ok(err)
		done, err = h.s.FinishTest(ctx, v, sso.Check{Name: "email_in_verified_domain", Code: sso.EmailDomainNotAllowed})
		h.ok(err)
		if done.State != sso.Failed || done.Refused.Code != sso.EmailDomainNotAllowed {
			h.Errorf("%+v", done.Refused)
		}
		_, request = p.start(sso.Test)
		v, err = h.s.ReceiveSAML(ctx, p.arrival(p.Respond(p.message(request), samltest.AssertionSigned)))
		h.ok(err)
		_, err = h.s.FinishTest(ctx, v)
		h.ok(err)
		h.wantNews("connection.activated")
	})
}

// R10: what is asked for is public, or named by the operator, at every dial.
func TestR10_private_addresses_are_never_asked(t *testing.T) {
	h := onOne(t)
	called := false
	server := h.server(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	strict := h.service(outbound.NewPolicy(nil, lookup))
	for _, address := range []string{
		server.URL, "https://127.0.0.1/m", "https://10.1.2.3/m", "https://169.254.169.254/latest/meta-data", "https://[::1]/m", "https://[::ffff:10.0.0.1]/m",
		"https://[::ffff:169.254.169.254]/m", "http://198.51.100.7/m", "gopher://idp.example.com/", "file:///etc/passwd", "https://user:pw@idp.example.com/m", "https://2130706433/m",
	} {
		_, err := strict.Create(ctx, actor, sso.New{OrganizationID: h.acme, Type: "OktaSAML", Settings: sso.Change{Name: ptr("x"), MetadataURL: &address}})
		h.wantFault(err, fault.Unprocessable, "idp_unreachable")
		_, err = strict.Create(ctx, actor, sso.New{OrganizationID: h.acme, Type: "OktaOIDC", Settings: sso.Change{Name: ptr("x"), Issuer: &address}})
		if f, ok := fault.As(err); !ok || f.Kind != fault.Unprocessable {
			t.Errorf("%s: %v", address, err)
		}
	}
	redirect := h.server(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://[::1]:1/", http.StatusFound)
	}))
	_, err := h.s.Create(ctx, actor, sso.New{OrganizationID: h.acme, Type: "OktaSAML", Settings: sso.Change{Name: ptr("x"), MetadataURL: &redirect.URL}})
	h.wantFault(err, fault.Unprocessable, "idp_unreachable")
	huge := h.server(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		chunk := []byte(strings.Repeat("x", 1<<16))
		for range 40 {
			w.Write(chunk)
		}
	}))
	_, err = h.s.Create(ctx, actor, sso.New{OrganizationID: h.acme, Type: "OktaSAML", Settings: sso.Change{Name: ptr("x"), MetadataURL: &huge.URL}})
	h.wantFault(err, fault.Unprocessable, "idp_unreachable")
	if called {
		t.Error("a private address was asked")
	}
}

// The second verifier is asked ahead only for the browser that has begun the attempt: a stranger's post costs one verifier.
func TestStranger_has_one_verifier_at_work(t *testing.T) {
	h := onOne(t)
	p := h.saml(h.acme, "https://idp.example.com/acme")
	var asked atomic.Int64
	h.s.SetAhead(func() { asked.Add(1) })
	_, in := p.answer()
	for name, one := range map[string]struct {
		in   sso.SAMLArrival
		want int64
	}{
		"no cookie":       {func() sso.SAMLArrival { in := in; in.Browser = ""; return in }(), 0},
		"another browser": {func() sso.SAMLArrival { in := in; in.Browser = token.HashOf("another"); return in }(), 0},
		"unsolicited":     {p.arrival(p.Respond(p.message(""), samltest.AssertionSigned)), 0},
		"rubbish":         {p.arrival([]byte("<rubbish")), 0},
		"long": {func() sso.SAMLArrival {
			_, request := p.start(sso.SignIn)
			m := p.message(request)
			m.Attributes = append(m.Attributes, samltest.Attribute{Name: "about", Values: []string{strings.Repeat("x", 70<<10)}})
			return p.arrival(p.Respond(m, samltest.AssertionSigned))
		}(), 0},
		"the browser": {in, 1},
	} {
		asked.Store(0)
		v, err := h.s.ReceiveSAML(ctx, one.in)
		if (name == "the browser" || name == "long") != (v != nil) {
			t.Errorf("%s: %v", name, err)
		}
		if asked.Load() != one.want {
			t.Errorf("%s: asked %d times", name, asked.Load())
		}
	}
}

// SimpleSAMLphp 1.x and LemonLDAP::NG encrypt with nothing else, so the refusal says what to set.
func TestAES_CBC_is_refused_with_the_option_that_allows_it(t *testing.T) {
	h := onOne(t)
	p := h.saml(h.acme, "https://idp.example.com/acme")
	block, _ := pem.Decode([]byte(p.c.SPCertificate))
	ours, err := x509.ParseCertificate(block.Bytes)
	h.ok(err)
	key, is := ours.PublicKey.(*rsa.PublicKey)
	if !is {
		t.Fatal("no RSA key")
	}
	sealed := func(cipher string) sso.SAMLArrival {
		_, request := p.start(sso.SignIn)
		m := p.message(request)
		return p.arrival([]byte(samltest.Seal(p.Over(m.XML(), m.AssertionID), key, samltest.Sealing{Cipher: cipher})))
	}
	_, err = h.s.ReceiveSAML(ctx, sealed(samltest.AES128CBC))
	r := h.refused(err, sso.AlgorithmNotAllowed)
	if !strings.Contains(r.Message, "options.allow_cbc") || !strings.Contains(sso.Explain(sso.AlgorithmNotAllowed).Advice, "allow_cbc") {
		t.Errorf("%s", r.Message)
	}
	p.change(sso.Change{Options: []byte(`{"allow_cbc":true}`)})
	for _, cipher := range []string{samltest.AES128CBC, samltest.AES256GCM} {
		v, err := h.s.ReceiveSAML(ctx, sealed(cipher))
		h.ok(err)
		if v.Profile.Email != "alice@acme.example" {
			t.Errorf("%+v", v.Profile)
		}
	}
}
