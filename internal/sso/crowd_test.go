package sso_test

import (
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/outbound"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
)

func TestAttempts_of_one_browser_crowd_out_its_oldest_and_nobody_elses(t *testing.T) {
	onBoth(t, func(h *house) {
		p, other := h.saml(h.acme, "https://idp.example.com/acme"), h.saml(h.organization("Globex", "globex.example"), "https://idp.example.com/globex")
		oldest, request := p.start(sso.SignIn)
		second, _ := p.start(sso.SignIn)
		theirs, _ := other.start(sso.SignIn) // the same browser at another organization
		mine := p.browser
		p.browser = token.HashOf("another browser")
		elsewhere, _ := p.start(sso.SignIn)
		p.browser = mine
		for range 63 {
			p.start(sso.SignIn)
		}
		state := func(a sso.Attempt) sso.AttemptState {
			h.Helper()
			now, err := h.s.Attempt(ctx, a.ID)
			h.ok(err)
			return now.State
		}
		if state(oldest) != sso.TimedOut || state(second) != sso.AtProvider || state(theirs) != sso.AtProvider || state(elsewhere) != sso.AtProvider {
			h.Errorf("oldest %s, second %s, at another organization %s, in another browser %s", state(oldest), state(second), state(theirs), state(elsewhere))
		}
		if got := h.news(); got[len(got)-1] != "authentication.sso_timed_out" {
			h.Errorf("events %v", got)
		}
		_, err := h.s.ReceiveSAML(ctx, p.arrival(p.Respond(p.message(request), samltest.AssertionSigned)))
		h.refused(err, sso.TimedOutCode)
	})
}

func TestAttempts_of_one_network_are_so_many_at_most_in_all_processes(t *testing.T) {
	onBoth(t, func(h *house) {
		p, other := h.saml(h.acme, "https://idp.example.com/acme"), h.service(outbound.NewPolicy(nil, lookup))
		begin := func(s *sso.Service, network, browser string) (sso.Outgoing, error) {
			return s.Start(ctx, sso.Start{ConnectionID: p.c.ID, Kind: sso.SignIn, Browser: token.HashOf(token.Secret(browser)), Base: base, Network: network})
		}
		for i := range 30 { // each a browser of its own, as of somebody who keeps no cookies
			s := h.s
			if i%2 == 0 {
				s = other
			}
			_, err := begin(s, "2001:db8:1:2::/64", string(rune('a'+i)))
			h.ok(err)
		}
		for _, s := range []*sso.Service{h.s, other} {
			_, err := begin(s, "2001:db8:1:2::/64", "one more")
			h.wantFault(err, fault.Limited, "too_many_sign_ins")
		}
		if n := h.count("SELECT COUNT(*) FROM sign_in_attempts"); n != 30 {
			h.Errorf("%d attempts", n)
		}
		_, err := begin(h.s, "2001:db8:1:3::/64", "of another network")
		h.ok(err)
		h.wait(11 * time.Minute)
		_, err = begin(h.s, "2001:db8:1:2::/64", "later")
		h.ok(err)
	})
}
