package sso_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/saml/second"
	"github.com/rollcallhq/rollcall/internal/sso"
)

func TestDisagreement_of_the_verifiers_refuses_and_alarms(t *testing.T) {
	h := onOne(t)
	p := h.saml(h.acme, "https://idp.example.com/acme")
	h.s.SetSecond(func([]byte, saml.Expectation, *saml.Assertion) error {
		return &saml.Error{Fault: fault.New(fault.Forbidden, saml.CodeVerifiersDisagree, "They disagree.").Compared("alice", "mallory")}
	})
	a, in := p.answer()
	_, err := h.s.ReceiveSAML(ctx, in)
	r := h.refused(err, sso.VerifiersDisagree)
	failed, err := h.s.Fail(ctx, r)
	h.ok(err)
	if failed.ID != a.ID || failed.Refused.Fixer != sso.Rollcall || h.s.Disagreements() != 1 || !strings.Contains(h.log.String(), "level=ERROR") {
		t.Errorf("%+v, %v, %s", failed, h.s.Disagreements(), h.log)
	}
	h.s.SetSecond(func([]byte, saml.Expectation, *saml.Assertion) error { return errors.New("broken") })
	_, in = p.answer()
	if _, err := h.s.ReceiveSAML(ctx, in); err == nil {
		t.Error("let in although the second verifier failed")
	}
	h.s.SetSecond(func([]byte, saml.Expectation, *saml.Assertion) error { return second.GapECDSA })
	_, in = p.answer()
	_, err = h.s.ReceiveSAML(ctx, in)
	h.ok(err)
}

func TestDeleted_organization_is_forgotten(t *testing.T) {
	onBoth(t, func(h *house) {
		p, kept := h.saml(h.acme, "https://idp.example.com/acme"), h.saml(h.beta, "https://idp.example.com/beta")
		h.ok(h.finish(p.verified(), sso.End{}))
		kept.start(sso.SignIn)
		h.news()
		h.ok(h.db.Tx(ctx, func(tx db.Tx) error {
			if err := h.s.DeleteOrganizationTx(ctx, tx, actor, h.acme, h.now()); err != nil {
				return err
			}
			return h.orgs.DeleteTx(ctx, tx, actor, org.ID(h.acme), h.now())
		}))
		if got := h.news(); len(got) < 2 || got[0] != "connection.deleted" || got[len(got)-1] != "organization.deleted" {
			h.Errorf("%v", got)
		}
		if n, err := h.events.Erase(ctx, h.now().Add(5*time.Minute)); n == 0 || err != nil {
			h.Fatalf("%d %v", n, err)
		}
		if h.count("SELECT COUNT(*) FROM profiles WHERE organization_id = $1", h.acme) != 0 || h.count("SELECT COUNT(*) FROM sign_in_attempts WHERE organization_id = $1", h.acme) != 0 {
			h.Error("something is left")
		}
		if h.count("SELECT COUNT(*) FROM sign_in_attempts WHERE organization_id = $1", h.beta) != 1 {
			h.Error("another organization was forgotten too")
		}
		if h.count("SELECT COUNT(*) FROM connections WHERE organization_id = $1 AND (sp_key IS NOT NULL OR client_secret IS NOT NULL)", h.acme) != 0 {
			h.Error("a key is left")
		}
	})
}
