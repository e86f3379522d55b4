package sso_test

import (
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/sso"
)

func TestSLO_addresses_come_from_the_metadata_and_belong_together(t *testing.T) {
	onBoth(t, func(h *house) {
		p := h.saml(h.acme, "https://idp.example.com/acme")
		with := func(answers string) string {
			const redirect = `Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" `
			return strings.Replace(metadata(p.EntityID, "https://idp.example.com/sso", p.Signer), "<md:SingleSignOnService ",
				"<md:SingleLogoutService "+redirect+`Location="https://idp.example.com/slo"`+answers+"/><md:SingleSignOnService ", 1)
		}
		want := func(requests, answers string) {
			h.Helper()
			c, err := h.s.Get(ctx, p.c.ID)
			h.ok(err)
			if c.SLOURL != requests || c.SLOResponseURL != answers {
				h.Errorf("%q and %q, want %q and %q", c.SLOURL, c.SLOResponseURL, requests, answers)
			}
		}
		p.change(sso.Change{MetadataXML: ptr(with(` ResponseLocation="https://idp.example.com/answers"`))})
		want("https://idp.example.com/slo", "https://idp.example.com/answers")
		p.change(sso.Change{MetadataXML: ptr(with(""))})
		want("https://idp.example.com/slo", "")
		p.change(sso.Change{SLOResponseURL: ptr("https://idp.example.com/a")})
		want("https://idp.example.com/slo", "https://idp.example.com/a")
		p.change(sso.Change{SLOURL: ptr("https://idp.example.com/slo")})
		want("https://idp.example.com/slo", "https://idp.example.com/a")
		p.change(sso.Change{SLOURL: ptr("https://idp.example.com/other")})
		want("https://idp.example.com/other", "")
		for _, bad := range []string{"javascript:alert(1)", "http://idp.example.com/slo", "https://user@idp.example.com/"} {
			_, err := h.s.Update(ctx, actor, p.c.ID, sso.Change{SLOResponseURL: ptr(bad)})
			h.wantFault(err, fault.Unprocessable, "invalid_url")
		}
		o, err := h.s.Create(ctx, actor, sso.New{OrganizationID: h.acme, Provider: "entra-id", Protocol: sso.OIDC, Settings: sso.Change{Name: ptr("x")}})
		h.ok(err)
		if _, err = h.s.Update(ctx, actor, o.ID, sso.Change{SLOResponseURL: ptr("https://idp.example.com/a")}); err == nil {
			h.Error("an OpenID connection has an address of SAML")
		}
	})
}

func TestSingle_logout_is_on_for_SAML_off_for_OpenID_and_can_be_chosen(t *testing.T) {
	onBoth(t, func(h *house) {
		p := h.saml(h.acme, "https://idp.example.com/acme")
		p.change(sso.Change{SLOURL: ptr("https://idp.example.com/slo")})
		v := p.verified()
		h.ok(h.finish(v, sso.End{}))
		ended := session.Session{OrganizationID: h.acme, ConnectionID: string(p.c.ID), ProfileID: string(v.Profile.ID)}
		goes := func(s session.Session, want bool) {
			h.Helper()
			_, ok, err := h.s.Logout(ctx, s, base)
			if err != nil || ok != want {
				h.Errorf("goes to the provider: %v (%v), want %v", ok, err, want)
			}
		}
		goes(ended, true)
		for _, one := range []struct {
			options string
			on      bool
		}{{`{"single_logout":false}`, false}, {`{"single_logout":true}`, true}, {`{"force_authn":true}`, true}, {`{"single_logout":false}`, false}, {`{"single_logout":null}`, true}} {
			p.change(sso.Change{Options: []byte(one.options)})
			goes(ended, one.on)
			if got := p.c.ShownOptions().SingleLogout; *got != one.on {
				h.Errorf("%s is shown as %v", one.options, *got)
			}
		}
		_, err := h.s.Update(ctx, actor, p.c.ID, sso.Change{Options: []byte(`{"single_logout":"yes"}`)})
		h.wantFault(err, fault.Unprocessable, "invalid_option")

		// What is not of this connection goes nowhere.
		foreign := h.saml(h.organization("Other", "other.example"), "https://idp.example.com/other")
		foreign.change(sso.Change{SLOURL: ptr("https://idp.example.com/slo")})
		for name, s := range map[string]session.Session{
			"another organization":         {OrganizationID: foreign.c.OrganizationID, ConnectionID: ended.ConnectionID, ProfileID: ended.ProfileID},
			"another connection's profile": {OrganizationID: foreign.c.OrganizationID, ConnectionID: string(foreign.c.ID), ProfileID: ended.ProfileID},
			"no profile":                   {OrganizationID: h.acme, ConnectionID: ended.ConnectionID},
			"a profile that is gone":       {OrganizationID: h.acme, ConnectionID: ended.ConnectionID, ProfileID: "prof_none"},
			"no connection":                {OrganizationID: h.acme, ProfileID: ended.ProfileID},
			"a connection that is gone":    {OrganizationID: h.acme, ConnectionID: "conn_none", ProfileID: ended.ProfileID},
		} {
			if _, ok, err := h.s.Logout(ctx, s, base); ok || err != nil {
				h.Errorf("%s: %v %v", name, ok, err)
			}
		}
		o, err := h.s.Create(ctx, actor, sso.New{OrganizationID: h.acme, Provider: "entra-id", Protocol: sso.OIDC, Settings: sso.Change{Name: ptr("x")}})
		h.ok(err)
		if *o.ShownOptions().SingleLogout {
			h.Error("on for OpenID Connect")
		}
		o, err = h.s.Update(ctx, actor, o.ID, sso.Change{Options: []byte(`{"single_logout":true}`)})
		h.ok(err)
		goes(session.Session{OrganizationID: h.acme, ConnectionID: string(o.ID)}, false) // no discovery yet
	})
}

func TestSettings_that_are_refused_say_what_would_do(t *testing.T) {
	onBoth(t, func(h *house) {
		p := h.saml(h.acme, "https://idp.example.com/acme")
		refused := func(ch sso.Change, wants ...string) {
			h.Helper()
			_, err := h.s.Update(ctx, actor, p.c.ID, ch)
			f, ok := fault.As(err)
			for _, want := range wants {
				if !ok || !strings.Contains(f.Message, want) || strings.ContainsAny(f.Message, "[]") {
					h.Errorf("no %q in %v", want, err)
				}
			}
		}
		refused(sso.Change{Options: []byte(`{"nameid_format":"mine"}`)}, "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress, ")
		refused(sso.Change{SSOURL: ptr("http://192.0.2.1/sso")}, "https://", "--allow-target", "192.0.2.1")
	})
}
