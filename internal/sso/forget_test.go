package sso_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
)

func (p *provider) of(request, id, email string) samltest.Message {
	m := p.message(request)
	m.NameID, m.NameIDFormat = id, "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	m.Attributes = []samltest.Attribute{{Name: "email", Values: []string{email}}}
	return m
}

// leaves makes all that a person can leave behind: a sign-in, one that was refused when it was read and one that was refused before, and
// one that only began.
func (p *provider) leaves(id, email, userID string) sso.ProfileID {
	p.Helper()
	begin := func() string {
		out, err := p.s.Start(ctx, sso.Start{
			ConnectionID: p.c.ID, Kind: sso.SignIn, Browser: p.browser, Base: base, LoginHint: email, IP: "192.0.2.7", UserAgent: "Agent of " + id,
		})
		p.ok(err)
		return requestIn(p, out.URL)
	}
	receive := func(m samltest.Message) (*sso.Verified, error) {
		in := p.arrival(p.Respond(m, samltest.AssertionSigned))
		in.UserAgent = "Agent of " + id
		return p.s.ReceiveSAML(ctx, in)
	}
	v, err := receive(p.of(begin(), id, email))
	p.ok(err)
	_, err = p.s.Fail(ctx, v.Refuse(sso.Deny(sso.EmailDomainNotAllowed, "an address in a verified domain", email)))
	p.ok(err)
	early := p.of(begin(), id, email)
	early.Now = early.Now.Add(time.Hour)
	_, err = receive(early)
	var r *sso.Refusal
	if !errors.As(err, &r) {
		p.Fatal(err)
	}
	_, err = p.s.Fail(ctx, r)
	p.ok(err)
	v, err = receive(p.of(begin(), id, email))
	p.ok(err)
	var w db.Write
	end := sso.End{UserID: userID}
	if userID != "" {
		end.SessionID = p.sessions.StartInto(&w, session.New{
			Cookie: token.HashOf(token.NewSecret("session")), OrganizationID: p.c.OrganizationID, UserID: userID, ConnectionID: string(p.c.ID), ProfileID: string(v.Profile.ID),
			Method: session.SSO, IP: "192.0.2.7", UserAgent: "Agent of " + id, AuthenticatedAt: p.now(), Life: session.Life{Idle: time.Hour, Absolute: time.Hour},
		}).ID
	}
	p.s.FinishInto(&w, v, end)
	p.ok(p.db.Write(ctx, &w))
	begin()
	return v.Profile.ID
}

// said is everything that tables and log say, in one text.
func (h *house) said() string {
	h.Helper()
	var out strings.Builder
	for _, text := range []string{
		"SELECT COALESCE(login_hint, '') || ' ' || COALESCE(idp_id, '') || ' ' || COALESCE(email, '') || ' ' || COALESCE(fault, '') || ' ' || COALESCE(checks, '') || ' ' || COALESCE(user_agent, '') FROM sign_in_attempts",
		"SELECT idp_id || email || raw || COALESCE(subject, '') FROM profiles",
		"SELECT COALESCE(user_agent, '') FROM sessions WHERE organization_id <> '" + h.beta + "'",
	} {
		rows, err := h.db.Query(ctx, text)
		h.ok(err)
		defer rows.Close()
		for rows.Next() {
			var one string
			h.ok(rows.Scan(&one))
			out.WriteString(one + "\n")
		}
		h.ok(rows.Err())
	}
	all, err := h.events.List(ctx, event.Query{Limit: 100})
	h.ok(err)
	for _, e := range all {
		out.Write(e.Data)
	}
	return out.String()
}

func (h *house) erase(organization, subject string) {
	h.Helper()
	h.ok(h.db.Tx(ctx, func(tx db.Tx) error { return h.events.ForgetTx(ctx, tx, organization, subject, h.now()) }))
	n, err := h.events.Erase(ctx, h.now().Add(time.Hour))
	h.ok(err)
	if n != 1 {
		h.Fatalf("%d erasures", n)
	}
}

func TestErasure_of_an_account_reaches_profile_attempts_session_and_events(t *testing.T) {
	onBoth(t, func(h *house) {
		p, beta := h.saml(h.acme, "https://idp.example.com/acme"), h.saml(h.beta, "https://idp.example.com/beta")
		ann, bob := h.ids.NewID("user"), h.ids.NewID("user")
		gone := p.leaves("id-of-ann-1", "Ann@acme.example", ann)
		kept := p.leaves("id-of-bob-1", "bob@acme.example", bob)
		other := beta.leaves("id-of-ann-1", "ann@acme.example", h.ids.NewID("user")) // somebody else's tenant
		attempts, events := h.count("SELECT COUNT(*) FROM sign_in_attempts"), len(h.news())
		h.erase(h.acme, ann)
		if _, err := h.s.Profile(ctx, gone); err == nil {
			h.Error("the profile is still there")
		}
		for _, id := range []sso.ProfileID{kept, other} {
			_, err := h.s.Profile(ctx, id)
			h.ok(err)
		}
		h.ok(h.s.Delete(ctx, actor, beta.c.ID)) // what beta says of its Ann is in the way of looking
		h.ok(h.db.Tx(ctx, func(tx db.Tx) error {
			_, err := tx.Exec(ctx, "DELETE FROM sign_in_attempts WHERE organization_id = $1", h.beta)
			return err
		}))
		h.erase(h.beta, "")
		h.seen = ""
		said := strings.ToLower(h.said())
		for _, trace := range []string{"ann@acme.example", "id-of-ann-1"} {
			if strings.Contains(said, trace) {
				h.Errorf("%s is still said: %s", trace, said)
			}
		}
		for _, trace := range []string{"bob@acme.example", "id-of-bob-1"} {
			if !strings.Contains(said, trace) {
				h.Errorf("%s was forgotten too", trace)
			}
		}
		if n := h.count("SELECT COUNT(*) FROM sign_in_attempts"); n != attempts-4 {
			h.Errorf("%d attempts, were %d", n, attempts)
		}
		if n := len(h.news()); n < events {
			h.Errorf("%d events, were %d", n, events)
		}
		if n := h.count("SELECT COUNT(*) FROM sign_in_attempts WHERE raw IS NOT NULL"); n != 3 {
			h.Errorf("%d answers are kept, want Bob's three", n)
		}
		found, _, err := h.s.Attempts(ctx, sso.AttemptQuery{ConnectionID: p.c.ID, Limit: 10, Ascending: true})
		h.ok(err)
		if r := found[0].Refused; r == nil || r.Code != sso.EmailDomainNotAllowed || r.Got != "" || r.Advice == "" || found[0].State != sso.Failed {
			h.Errorf("left of a refusal: %+v", found[0])
		}
	})
}

// Where no accounts are kept the person is one of a directory, known by what the log says of them.
func TestErasure_of_a_directory_person_reaches_profiles_without_account(t *testing.T) {
	onBoth(t, func(h *house) {
		p := h.saml(h.acme, "https://idp.example.com/acme")
		id := h.ids.NewID("directory_user")
		h.ok(h.db.Tx(ctx, func(tx db.Tx) error {
			return h.events.AppendTx(ctx, tx, h.now(), event.Entry{
				OrganizationID: h.acme, Type: event.DirectoryUserCreated, Context: event.Context{Actor: actor}.JSON(),
				Data: []byte(`{"object":"directory_user","id":"` + id + `","idp_id":"id-of-ann-1","email":"ann@acme.example","organization_id":"` + h.acme + `"}`),
			})
		}))
		gone := p.leaves("id-of-ann-1", "ann@acme.example", "")
		kept := p.leaves("id-of-bob-1", "bob@acme.example", "")
		h.erase(h.acme, id)
		if _, err := h.s.Profile(ctx, gone); err == nil {
			h.Error("the profile is still there")
		}
		_, err := h.s.Profile(ctx, kept)
		h.ok(err)
		if said := h.said(); strings.Contains(said, "ann@acme.example") || strings.Contains(said, "id-of-ann-1") || !strings.Contains(said, "bob@acme.example") {
			h.Errorf("%s", said)
		}
	})
}
