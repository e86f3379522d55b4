package sso_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/sso"
)

func TestEarly_answer_is_not_finished_while_the_verifiers_disagree(t *testing.T) {
	h := onOne(t)
	p := h.saml(h.acme, "https://idp.example.com/acme")
	h.s.SetSecond(func([]byte, saml.Expectation, *saml.Assertion) error {
		return &saml.Error{Fault: fault.New(fault.Forbidden, saml.CodeVerifiersDisagree, "They disagree.")}
	})
	a, in := p.answer()
	in.Early = true
	v, err := h.s.ReceiveSAML(ctx, in)
	h.ok(err)
	var w db.Write
	if err := h.s.FinishInto(&w, v, sso.End{}); err == nil || !strings.Contains(err.Error(), "nobody has asked for its profile") || w.Len() != 0 {
		t.Error("finished although nobody has asked for the profile")
	}
	h.ok(h.db.Ask(ctx, v.Meeting()...))
	if v.Profile.ID == "" || v.Meeting() != nil {
		t.Errorf("asked for, the profile is %+v", v.Profile)
	}
	h.ok(h.s.FinishInto(&w, v, sso.End{}))
	r := h.refused(h.db.Write(ctx, &w), sso.VerifiersDisagree)
	now, err := h.s.Attempt(ctx, a.ID)
	h.ok(err)
	if r.Attempt == nil || r.Attempt.ID != a.ID || now.State != sso.AtProvider {
		t.Errorf("refused %+v, the attempt is %s", r.Attempt, now.State)
	}
	h.refused(v.Agreed(), sso.VerifiersDisagree)
	if h.s.Disagreements() != 1 {
		t.Errorf("%v disagreements were counted, want one however often it is asked", h.s.Disagreements())
	}
}

func TestEarly_test_is_not_finished_while_the_verifiers_disagree(t *testing.T) {
	h := onOne(t)
	p := h.saml(h.acme, "https://idp.example.com/acme")
	broken := errors.New("broken")
	h.s.SetSecond(func([]byte, saml.Expectation, *saml.Assertion) error { return broken })
	_, request := p.start(sso.Test)
	in := p.arrival(p.Respond(p.message(request), samltest.AssertionSigned))
	in.Early = true
	v, err := h.s.ReceiveSAML(ctx, in)
	h.ok(err)
	if _, err := h.s.FinishTest(ctx, v); !errors.Is(err, broken) {
		t.Errorf("got %v, want what the second verifier said", err)
	}
}

func TestCertificates_that_are_kept_are_those_of_now(t *testing.T) {
	onBoth(t, func(h *house) {
		p := h.saml(h.acme, "https://idp.example.com/acme")
		h.ok(h.finish(p.verified(), sso.End{}))
		h.ok(h.finish(p.verified(), sso.End{})) // from memory
		other := h.saml(h.beta, "https://idp.example.com/other")
		p.change(sso.Change{Certificates: &[]string{pemOf(other.Signer)}})
		_, in := p.answer()
		_, err := h.s.ReceiveSAML(ctx, in)
		h.refused(err, sso.CertificateUnknown)
	})
}

func TestCertificates_are_kept_of_so_many_connections(t *testing.T) {
	h := onOne(t)
	for i := range 1000 {
		h.s.KeepParts(sso.ID(fmt.Sprint("conn_", i)))
	}
	if n := h.s.PartsKept(); n < 500 || n > 600 {
		t.Errorf("those of %d connections are kept", n)
	}
}
