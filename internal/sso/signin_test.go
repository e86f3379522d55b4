package sso_test

import (
	"errors"
	"testing"

	"github.com/rollcallhq/rollcall/internal/sso"
)

func TestSignIn_goes_to_the_provider_and_back(t *testing.T) {
	onBoth(t, func(h *house) {
		p := h.saml(h.acme, "https://idp.example.com/acme")
		if p.c.State != sso.Validating {
			h.Fatalf("a complete connection is %s", p.c.State)
		}
		h.news()
		a, in := p.answer()
		if a.State != sso.AtProvider || string(a.Continuation) != "where to go on" {
			h.Fatalf("%+v", a)
		}
		v, err := h.s.ReceiveSAML(ctx, in)
		h.ok(err)
		if string(v.Attempt.Continuation) != "where to go on" || v.Profile.Email != "alice@acme.example" || v.Profile.FirstName != "Alice" ||
			v.Profile.IDPID != "1f3c6f4e-55d7-4f4d-9a55-7f2b1c1f6a11" || v.SessionIndex != "_session-1" || len(v.Profile.Groups) != 3 {
			h.Fatalf("%+v", v)
		}
		h.ok(h.finish(v, sso.End{UserID: "user_1", SessionID: "session_1"}))
		h.wantNews("authentication.sso_started", "connection.activated", "authentication.sso_succeeded")
		data := h.last()
		if data["status"] != "succeeded" || data["email"] != "alice@acme.example" || data["user_id"] != "user_1" || data["ip_address"] != "192.0.2.7" ||
			data["sso"].(map[string]any)["session_id"] != "session_1" {
			h.Errorf("%v", data)
		}
		done, err := h.s.Attempt(ctx, a.ID)
		h.ok(err)
		if done.State != sso.Succeeded || done.UserID != "user_1" || done.ProfileID != v.Profile.ID || done.Email != "alice@acme.example" {
			h.Errorf("%+v", done)
		}
		raw, err := h.s.RawOf(ctx, done)
		h.ok(err)
		if len(raw) == 0 {
			h.Error("what came was not kept")
		}
		c, err := h.s.Get(ctx, p.c.ID)
		h.ok(err)
		if c.State != sso.Active || c.FirstSuccessAt.IsZero() || c.LastSuccessAt.IsZero() || c.Certificates[0].LastUsedAt.IsZero() {
			h.Errorf("%+v", c)
		}
		again := p.verified()
		if again.Profile.ID != v.Profile.ID {
			h.Error("the same person has another profile")
		}
		h.ok(h.finish(again, sso.End{}))
		h.wantNews("authentication.sso_started", "authentication.sso_succeeded")
		stored, err := h.s.Profile(ctx, v.Profile.ID)
		h.ok(err)
		if stored.ConnectionType != "GenericSAML" || stored.Email != "alice@acme.example" || len(stored.Groups) != 3 {
			h.Errorf("%+v", stored)
		}
	})
}

func TestP12_unsolicited_response_is_never_a_sign_in(t *testing.T) {
	onBoth(t, func(h *house) {
		p := h.saml(h.acme, "https://idp.example.com/acme")
		_, err := h.s.ReceiveSAML(ctx, p.arrival(p.Respond(p.message(""), 1)))
		var unasked *sso.UnsolicitedError
		if !errors.As(err, &unasked) || unasked.Connection.ID != p.c.ID || unasked.LoginHint != "alice@acme.example" {
			h.Fatalf("got %v", err)
		}
		p.change(sso.Change{Options: []byte(`{"unsolicited":"refuse"}`)})
		_, err = h.s.ReceiveSAML(ctx, p.arrival(p.Respond(p.message(""), 1)))
		h.refused(err, sso.IDPInitiatedDisabled)
	})
}
