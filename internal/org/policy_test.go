package org_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

func TestPolicy_with_a_date_is_optional_until_then_and_strict_from_then_on(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	until := now.Add(time.Hour)
	for name, c := range map[string]struct {
		is            org.Policy
		before, after org.SSOPolicy
	}{
		"nothing set":                 {org.DefaultPolicy("o"), org.RequiredForAll, org.RequiredForAll},
		"optional for good":           {org.Policy{SSO: org.Optional}, org.Optional, org.Optional},
		"all, from a date on":         {org.Policy{SSO: org.RequiredForAll, SSOOptionalUntil: until}, org.Optional, org.RequiredForAll},
		"primary, from a date on":     {org.Policy{SSO: org.RequiredForPrimary, SSOOptionalUntil: until}, org.Optional, org.RequiredForPrimary},
		"the default, from a date on": {org.Policy{SSO: org.Optional, SSOOptionalUntil: until}, org.Optional, org.RequiredForAll},
	} {
		if got := c.is.At(until.Add(-1)); got != c.before {
			t.Errorf("%s: before the date %s", name, got)
		}
		if got := c.is.At(until); got != c.after || c.is.Later() != c.after {
			t.Errorf("%s: from the date on %s, in the end %s", name, got, c.is.Later())
		}
	}
	order := org.AllSSOPolicies()
	for i, a := range order {
		for j, b := range order {
			if a.Stricter(b) != (i < j) {
				t.Errorf("%s stricter than %s: %v", a, b, a.Stricter(b))
			}
		}
	}
	for policy, want := range map[org.SSOPolicy][2]bool{org.RequiredForAll: {true, true}, org.RequiredForPrimary: {true, false}, org.Optional: {false, false}} {
		if got := [2]bool{policy.Binds(true), policy.Binds(false)}; got != want {
			t.Errorf("%s binds %v", policy, got)
		}
	}
}

func TestPolicy_change_of_who_is_bound_takes_the_date_away(t *testing.T) {
	now := time.Now()
	until, primary := now.Add(time.Hour), org.RequiredForPrimary
	p, err := org.DefaultPolicy("o").With(org.PolicyChange{OptionalUntil: &until}, now)
	if err != nil || p.SSOOptionalUntil.IsZero() {
		t.Fatalf("%+v %v", p, err)
	}
	if p, err = p.With(org.PolicyChange{SSO: &primary}, now); err != nil || !p.SSOOptionalUntil.IsZero() || p.SSO != primary {
		t.Errorf("%+v %v", p, err)
	}
	late := p
	late.SSOOptionalUntil = now.Add(-time.Hour) // a date that has passed may stay while other things are changed
	if _, err := late.With(org.PolicyChange{JIT: new(org.JIT)}, now); err != nil {
		t.Error(err)
	}
}

// policies is a service whose clock can be moved, with two organizations.
type policies struct {
	*testing.T
	db        *db.DB
	s         *org.Service
	at        time.Time
	id, other org.ID
}

func onPolicies(t *testing.T, story func(p *policies)) {
	t.Helper()
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) {
		ids := token.NewSource(time.Now)
		p := &policies{T: t, db: open(), at: time.Now().UTC().Truncate(time.Microsecond)}
		p.s = org.NewService(p.db, event.NewLog(p.db, ids), ids, func() time.Time { return p.at })
		for _, to := range []*org.ID{&p.id, &p.other} {
			made, err := p.s.Create(t.Context(), event.Actor{ID: "test", Source: event.API}, org.New{Name: "N"})
			p.must(err)
			*to = made.ID
		}
		story(p)
	})
}

func (p *policies) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *policies) tx(do func(ctx context.Context, tx db.Tx, actor event.Actor) error) error {
	return p.db.Tx(p.Context(), func(tx db.Tx) error { return do(p.Context(), tx, event.Actor{ID: "test", Source: event.API}) })
}

func (p *policies) set(policy org.Policy) error {
	return p.tx(func(ctx context.Context, tx db.Tx, actor event.Actor) error {
		_, err := p.s.SetPolicyTx(ctx, tx, actor, policy)
		return err
	})
}

func (p *policies) name(id org.ID, user string, d time.Duration) error {
	return p.tx(func(ctx context.Context, tx db.Tx, actor event.Actor) error {
		_, err := p.s.NameBreakGlassTx(ctx, tx, actor, org.BreakGlass{OrganizationID: id, UserID: user, Reason: "r", ExpiresAt: p.at.Add(d)})
		return err
	})
}

// holds says whether a write is kept that somebody is let in by.
func (p *policies) holds(into func(w *db.Write)) bool {
	p.Helper()
	var w db.Write
	into(&w)
	err := p.db.Write(p.Context(), &w)
	var lost *db.GuardError
	if err != nil && !errors.As(err, &lost) {
		p.Fatal(err)
	}
	return err == nil
}

func TestPolicy_that_was_changed_lets_nobody_in_by_what_it_was(t *testing.T) {
	onPolicies(t, func(p *policies) {
		before, err := org.PolicyIn(t.Context(), p.db, p.id)
		p.must(err)
		free := func(policy org.Policy) bool { return p.holds(func(w *db.Write) { p.s.FreeInto(w, policy) }) }
		if !free(before) {
			t.Error("nothing has changed")
		}
		after := before
		after.SSO = org.Optional
		p.must(p.set(after))
		if free(before) {
			t.Error("let in by a policy that was changed")
		}
		var moved *org.PolicyMovedError
		if err := p.set(after); !errors.As(err, &moved) {
			t.Errorf("set over another change: %v", err)
		}
		now, err := org.PolicyIn(t.Context(), p.db, p.id)
		p.must(err)
		if !free(now) || now.Version != 1 || now.SSO != org.Optional {
			t.Errorf("%+v", now)
		}
		p.must(p.set(now)) // changes nothing
		if again, err := org.PolicyIn(t.Context(), p.db, p.id); err != nil || again.Version != 1 {
			t.Errorf("%+v %v", again, err)
		}
		if other, err := org.PolicyIn(t.Context(), p.db, p.other); err != nil || other != org.DefaultPolicy(p.other) {
			t.Errorf("another organization's is %+v %v", other, err)
		}
		gone := org.DefaultPolicy("org_nowhere")
		if free(gone) {
			t.Error("let in to no organization")
		}
	})
}

func TestBreak_glass_is_of_one_person_at_one_organization_until_its_end(t *testing.T) {
	onPolicies(t, func(p *policies) {
		p.must(p.name(p.id, "user_1", time.Hour))
		b, ok, err := org.BreakGlassIn(t.Context(), p.db, p.id, "user_1", p.at)
		if err != nil || !ok || b.NamedBy != "test" {
			t.Fatalf("%+v %v %v", b, ok, err)
		}
		exempt := func() bool { return p.holds(func(w *db.Write) { p.s.ExemptInto(w, b) }) }
		if !exempt() {
			t.Error("is not exempt")
		}
		for _, c := range []struct {
			id   org.ID
			user string
		}{{p.other, "user_1"}, {p.id, "user_2"}} {
			if _, ok, err := org.BreakGlassIn(t.Context(), p.db, c.id, c.user, p.at); ok || err != nil {
				t.Errorf("%s at %s: %v", c.user, c.id, err)
			}
			err := p.tx(func(ctx context.Context, tx db.Tx, actor event.Actor) error {
				return p.s.RevokeBreakGlassTx(ctx, tx, actor, c.id, c.user)
			})
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("revoked %s at %s: %v", c.user, c.id, err)
			}
		}
		p.at = p.at.Add(time.Hour)
		if exempt() {
			t.Error("exempt after its end")
		}
		if _, ok, _ := org.BreakGlassIn(t.Context(), p.db, p.id, "user_1", p.at); ok {
			t.Error("exempt after its end")
		}
		if all, err := org.ExemptIn(t.Context(), p.db, p.id, p.at); err != nil || len(all) != 0 {
			t.Errorf("%v %v", all, err)
		}
		p.must(p.name(p.id, "user_2", time.Hour)) // who is over goes with the next
		if all, err := p.s.BreakGlassUsers(t.Context(), p.id); err != nil || len(all) != 1 || all[0].UserID != "user_2" {
			t.Errorf("%v %v", all, err)
		}
		if err := p.name(p.id, "user_3", org.MaxBreakGlassLife+time.Second); !fault.Is(err, fault.Unprocessable) {
			t.Errorf("for longer than there may be: %v", err)
		}
	})
}
