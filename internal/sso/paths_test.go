package sso_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/sso"
)

const (
	polis  = "/api/oauth/saml"
	legacy = "https://saml.former.example"
)

// sharing makes a connection with the path and the entity id that all had in a former product.
func (h *house) sharing(organization, entityID string) *provider {
	return h.saml(organization, entityID, func(n *sso.New) {
		n.Settings.Paths, n.Settings.SPEntityID = &[]string{polis}, ptr(legacy)
	})
}

// at is a response posted at the shared path; the message is addressed there too.
func (p *provider) at(m samltest.Message) sso.SAMLArrival {
	m.Destination, m.Recipient, m.Audience = base+polis, base+polis, legacy
	in := p.arrival(p.Respond(m, samltest.AssertionSigned))
	in.Key, in.Path = "", polis
	return in
}

func (h *house) unrecorded(err error) {
	h.Helper()
	r := h.refused(err, sso.InResponseToUnknown)
	before := h.count("SELECT COUNT(*) FROM sign_in_attempts")
	a, err := h.s.Fail(ctx, r)
	h.ok(err)
	if a.ID != "" || h.count("SELECT COUNT(*) FROM sign_in_attempts") != before || r.Connection.ID != "" {
		h.Errorf("recorded at %q", r.Connection.ID)
	}
}

func TestP08_connection_of_a_shared_path_is_the_one_that_asked(t *testing.T) {
	onBoth(t, func(h *house) {
		a, b := h.sharing(h.acme, "https://idp.example.com/acme"), h.sharing(h.beta, "https://idp.example.com/beta")
		for _, p := range []*provider{a, b} {
			attempt, request := p.start(sso.SignIn)
			m := p.message(request)
			if p == b {
				m.Attributes[0].Values = []string{"bob@beta.example"}
			}
			v, err := h.s.ReceiveSAML(ctx, p.at(m))
			h.ok(err)
			if v.Connection.ID != p.c.ID || v.Attempt.ID != attempt.ID {
				h.Errorf("%s took what %s asked for", v.Connection.ID, p.c.ID)
			}
			h.ok(h.finish(v, sso.End{}))
			_, err = h.s.ReceiveSAML(ctx, p.at(m)) // once more
			h.unrecorded(err)
		}
	})
}

// The shared path never tells tenants apart by what a response says of its issuer.
func TestP08_response_at_a_shared_path_that_answers_another_tenants_request_is_refused(t *testing.T) {
	onBoth(t, func(h *house) {
		a, b := h.sharing(h.acme, "https://idp.example.com/acme"), h.sharing(h.beta, "https://idp.example.com/beta")
		attempt, request := b.start(sso.SignIn)
		_, err := h.s.ReceiveSAML(ctx, a.at(a.message(request))) // signed by A's provider
		r := h.refused(err, sso.CertificateUnknown)
		if r.Connection.ID != b.c.ID || r.Attempt == nil || r.Attempt.ID != attempt.ID {
			h.Error("not noted where it was asked for")
		}
		m := a.message(request)
		m.Issuer = b.EntityID
		_, err = h.s.ReceiveSAML(ctx, a.at(m)) // and in the name of B's
		h.refused(err, sso.CertificateUnknown)

		// What is claimed outside of the signature chooses the connection, and what is signed has to say the same.
		_, own := a.start(sso.SignIn)
		genuine := a.at(a.message(own))
		m = a.message(own)
		m.Destination, m.Recipient, m.Audience = base+polis, base+polis, legacy
		swapped := strings.Replace(a.Over(m.XML(), m.AssertionID), `InResponseTo="`+own+`"`, `InResponseTo="`+request+`"`, 1)
		in := genuine
		in.Response = samltest.Post([]byte(swapped))
		_, err = h.s.ReceiveSAML(ctx, in)
		if r := h.refused(err, sso.CertificateUnknown); r.Connection.ID != b.c.ID {
			h.Errorf("judged by %s", r.Connection.ID)
		}
		_, err = h.s.ReceiveSAML(ctx, genuine)
		h.ok(err)
	})
}

// Tenants of one provider: the same certificate, and then the same entity id too.
func TestP08_shared_certificate_and_entity_id_do_not_let_an_answer_change_tenants(t *testing.T) {
	onBoth(t, func(h *house) {
		a, b := h.sharing(h.acme, "https://idp.example.com/one"), h.sharing(h.beta, "https://idp.example.com/other")
		b.Signer = a.Signer
		b.change(sso.Change{Certificates: &[]string{pemOf(a.Signer)}})
		_, request := b.start(sso.SignIn)
		_, err := h.s.ReceiveSAML(ctx, a.at(a.message(request)))
		h.refused(err, sso.IssuerMismatch)

		b.change(sso.Change{IDPEntityID: &a.EntityID})
		b.IDP = a.IDP
		_, own := a.start(sso.SignIn)
		v, err := h.s.ReceiveSAML(ctx, a.at(a.message(own)))
		h.ok(err)
		if v.Connection.ID != a.c.ID {
			h.Error("an answer to A's request went to B")
		}
		// One provider may answer B's request with A's person: it is B's sign-in, whose domains decide then.
		v, err = h.s.ReceiveSAML(ctx, b.at(a.message(request)))
		h.ok(err)
		if v.Connection.ID != b.c.ID || v.Profile.OrganizationID != h.beta {
			h.Errorf("%+v", v.Profile)
		}
		// The signed part answers A, the rest of the document B: with one provider only the equality of the two keeps them apart.
		m := a.message(own)
		m.Destination, m.Recipient, m.Audience = base+polis, base+polis, legacy
		swapped := strings.Replace(a.Over(m.XML(), m.AssertionID), `InResponseTo="`+own+`"`, `InResponseTo="`+request+`"`, 1)
		in := a.at(m)
		in.Response = samltest.Post([]byte(swapped))
		if _, err = h.s.ReceiveSAML(ctx, in); err == nil {
			h.Fatal("an answer that answers two requests is accepted")
		}
		h.refused(err, sso.InResponseToUnknown)
	})
}

func TestShared_path_refuses_what_answers_no_open_request(t *testing.T) {
	onBoth(t, func(h *house) {
		a := h.sharing(h.acme, "https://idp.example.com/acme")
		var restart *sso.UnsolicitedError
		if _, err := h.s.ReceiveSAML(ctx, a.at(a.message(""))); !errors.As(err, &restart) || restart.Connection.ID != a.c.ID {
			h.Fatalf("alone at its path: %v", err)
		}
		b := h.sharing(h.beta, "https://idp.example.com/beta")
		keyed := h.saml(h.acme, "https://idp.example.com/keyed") // asks, and has not this path
		_, elsewhere := keyed.start(sso.SignIn)
		for _, request := range []string{"", "_never-made", elsewhere} {
			_, err := h.s.ReceiveSAML(ctx, a.at(a.message(request)))
			h.unrecorded(err)
		}
		in := a.at(a.message(""))
		in.Response = samltest.Post([]byte("<rubbish"))
		_, err := h.s.ReceiveSAML(ctx, in)
		if r := h.refused(err, sso.Malformed); r.Connection.ID != "" {
			h.Error("rubbish is recorded at a connection")
		}
		// The connection's own address goes on as before.
		_, err = h.s.ReceiveSAML(ctx, func() sso.SAMLArrival {
			m := a.message("")
			m.Audience = legacy
			return a.arrival(a.Respond(m, samltest.AssertionSigned))
		}())
		if !errors.As(err, &restart) {
			h.Errorf("at its own address: %v", err)
		}
		// What is signed answers nothing although the document claims to.
		_, request := a.start(sso.SignIn)
		m := a.message("")
		m.Destination, m.Recipient, m.Audience = base+polis, base+polis, legacy
		in.Response = samltest.Post([]byte(strings.Replace(a.Over(m.XML(), m.AssertionID), `Version="2.0"`, `Version="2.0" InResponseTo="`+request+`"`, 1)))
		_, err = h.s.ReceiveSAML(ctx, in)
		h.refused(err, sso.InResponseToUnknown)
		h.ok(h.s.Delete(ctx, actor, b.c.ID))
		if _, err := h.s.ReceiveSAML(ctx, a.at(a.message(""))); !errors.As(err, &restart) {
			h.Errorf("alone again: %v", err)
		}
	})
}

// Were the grammar mistaken about what a response answers, the path still lets nobody in by another request.
func TestShared_path_holds_what_is_signed_against_what_was_claimed(t *testing.T) {
	h := onOne(t)
	a := h.sharing(h.acme, "https://idp.example.com/acme")
	h.sharing(h.beta, "https://idp.example.com/beta")
	_, other := a.start(sso.SignIn)
	_, request := a.start(sso.SignIn)
	for _, signed := range []string{other, ""} {
		h.s.SetConsume(func(d *saml.Document, e saml.Expectation) (*saml.Assertion, error) {
			ours, err := d.Consume(e)
			if err == nil {
				ours.InResponseTo = signed
			}
			return ours, err
		})
		_, err := h.s.ReceiveSAML(ctx, a.at(a.message(request)))
		h.refused(err, sso.InResponseToUnknown)
	}
}

// A host of one organization serves no other's paths, and does not make its own shared.
func TestP08_path_at_an_organizations_own_host_is_not_another_organizations(t *testing.T) {
	onBoth(t, func(h *house) {
		a, b := h.sharing(h.acme, "https://idp.example.com/acme"), h.sharing(h.beta, "https://idp.example.com/beta")
		const own = "https://login.acme.example"
		hosts := func(organization string) []string {
			if organization == h.acme {
				return []string{own, base}
			}
			return []string{base}
		}
		post := func(p *provider, called string, m samltest.Message) error {
			m.Destination, m.Recipient, m.Audience = called+polis, called+polis, legacy
			in := p.arrival(p.Respond(m, samltest.AssertionSigned))
			in.Key, in.Path, in.Bases, in.Called = "", polis, hosts, called
			_, err := h.s.ReceiveSAML(ctx, in)
			return err
		}
		_, asked := b.start(sso.SignIn)
		h.refused(post(b, own, b.message(asked)), sso.CertificateUnknown) // taken for a response at A's only connection there
		h.ok(post(b, base, b.message(asked)))
		_, asked = a.start(sso.SignIn)
		h.ok(post(a, own, a.message(asked)))
		var restart *sso.UnsolicitedError
		if err := post(a, own, a.message("")); !errors.As(err, &restart) {
			h.Errorf("A's host is shared with B: %v", err)
		}
		h.refused(post(a, base, a.message("")), sso.InResponseToUnknown)
		second := h.sharing(h.acme, "https://idp.example.com/acme2") // now two of A's
		_, asked = b.start(sso.SignIn)
		h.refused(post(b, own, b.message(asked)), sso.InResponseToUnknown)
		_, asked = second.start(sso.SignIn)
		h.ok(post(second, own, second.message(asked)))
		h.ok(h.s.Delete(ctx, actor, a.c.ID))
		h.ok(h.s.Delete(ctx, actor, second.c.ID))
		h.refused(post(b, own, b.message(asked)), sso.ConnectionInactive)
	})
}

// The provider has the address of a former vendor: a request that named another would be refused there.
func TestRequest_of_a_connection_with_a_former_address_names_none(t *testing.T) {
	h := onOne(t)
	for _, p := range []*provider{h.sharing(h.acme, "https://idp.example.com/acme"), h.saml(h.acme, "https://idp.example.com/own")} {
		out, err := h.s.Start(ctx, sso.Start{ConnectionID: p.c.ID, Kind: sso.SignIn, Browser: p.browser, Base: base})
		h.ok(err)
		u, err := url.Parse(out.URL)
		h.ok(err)
		if named := strings.Contains(string(requestXML(t, u.Query().Get("SAMLRequest"), true)), "AssertionConsumerServiceURL"); named != (len(p.c.Paths) == 0) {
			t.Errorf("%v: names an address: %v", p.c.Paths, named)
		}
	}
}
