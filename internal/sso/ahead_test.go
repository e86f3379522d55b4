package sso_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/outbound"
	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/sso"
)

func TestHint_is_what_is_plain_to_see(t *testing.T) {
	long := strings.Repeat("x", 128)
	for document, want := range map[string]string{
		`<Response ID="_1" InResponseTo="_a">`:                          "_a",
		`<Response InResponseTo='_a' ID="_1">`:                          "_a",
		`<Response InResponseTo="` + long + `">`:                        long,
		`<Response InResponseTo="` + long + `x">`:                       "",
		`<Response InResponseTo="">`:                                    "",
		`<Response InResponseTo="_a`:                                    "",
		`<Response InResponseTo=`:                                       "",
		`<Response InResponseTo=_a ID="_1">`:                            "",
		`<Response NotInResponseTo="_a">`:                               "",
		`<Response>` + strings.Repeat(" ", 2048) + ` InResponseTo="_a"`: "",
		``: "",
	} {
		if got := sso.Hint(document); got != want {
			t.Errorf("%.60s: %q, want %q", document, got, want)
		}
	}
}

func TestPlain_is_a_short_and_simple_document(t *testing.T) {
	for document, want := range map[string]bool{
		"<a>" + strings.Repeat("x", 64<<10-3): true,
		"<a>" + strings.Repeat("x", 64<<10-2): false,
		"a":                                   false, "": false, " <a>": false, "\xef\xbb\xbf<a>": false,
		"<a>\xff</a>":                          false,
		"<!DOCTYPE a><a/>":                     false,
		"<a><!-- --></a>":                      false,
		"<a><![CDATA[x]]></a>":                 false,
		strings.Repeat("<", 1000):              true,
		strings.Repeat("<", 1001):              false,
		"<a" + strings.Repeat(" xmlns:b=", 64): true,
		"<a" + strings.Repeat(" xmlns:b=", 65): false,
	} {
		if got := sso.Plain(document); got != want {
			t.Errorf("%.60q: %v", document, got)
		}
	}
}

// What is not plain is judged by the gate first, and what that refuses costs one verifier, whoever sends it.
func TestGate_comes_before_the_second_verifier_where_a_document_is_not_plain(t *testing.T) {
	h := onOne(t)
	p := h.saml(h.acme, "https://idp.example.com/acme")
	var asked atomic.Int64
	h.s.SetAhead(func() { asked.Add(1) })
	signed := func(change func(m *samltest.Message)) string {
		_, request := p.start(sso.SignIn)
		m := p.message(request)
		change(&m)
		return string(p.Respond(m, samltest.AssertionSigned))
	}
	plain := signed(func(*samltest.Message) {})
	odd := signed(func(m *samltest.Message) {
		m.Attributes = append(m.Attributes, samltest.Attribute{Name: "about", Values: []string{strings.Repeat("xmlns ", 70)}})
	})
	namespaces := strings.Replace(plain, "<samlp:Response", "<samlp:Response"+strings.Repeat(` xmlns:b="urn:b"`, 70), 1)
	for name, one := range map[string]struct {
		document string
		plain    bool
		want     int64
	}{
		"plain":               {plain, true, 1},
		"odd but read":        {odd, false, 1},
		"a document type":     {"<!DOCTYPE a>" + plain, false, 0},
		"a comment":           {strings.Replace(plain, "</samlp:Response>", "<!-- --></samlp:Response>", 1), false, 0},
		"too many namespaces": {namespaces, false, 0},
	} {
		if sso.Plain(one.document) != one.plain {
			t.Fatalf("%s: plain is %v", name, !one.plain)
		}
		asked.Store(0)
		v, err := h.s.ReceiveSAML(ctx, p.arrival([]byte(one.document)))
		if (v != nil) != (one.want == 1) {
			t.Errorf("%s: %v", name, err)
		}
		if asked.Load() != one.want {
			t.Errorf("%s: asked %d times", name, asked.Load())
		}
	}
}

// The hint finds nothing that the document does not say once it is read.
func TestHint_that_is_wrong_is_forgotten(t *testing.T) {
	onBoth(t, func(h *house) {
		p := h.saml(h.acme, "https://idp.example.com/acme")
		other, otherRequest := p.start(sso.SignIn)
		a, request := p.start(sso.SignIn)
		document := string(p.Respond(p.message(request), samltest.AssertionSigned))
		document = strings.Replace(document, "<samlp:Response", `<samlp:Response Consent=" InResponseTo='`+otherRequest+`'"`, 1)
		if sso.Hint(document) != otherRequest {
			h.Fatalf("hint %q, want the other request", sso.Hint(document))
		}
		var asked atomic.Int64
		h.s.SetAhead(func() { asked.Add(1) })
		v, err := h.s.ReceiveSAML(ctx, p.arrival([]byte(document)))
		h.ok(err)
		if v.Attempt.ID != a.ID || v.Attempt.ID == other.ID {
			h.Errorf("finishes %s, want %s", v.Attempt.ID, a.ID)
		}
		if asked.Load() != 1 {
			h.Errorf("the second verifier was asked ahead %d times, of two attempts that are this browser's", asked.Load())
		}
	})
}

func TestPanic_of_the_gate_is_an_error(t *testing.T) {
	h := onOne(t)
	p := h.saml(h.acme, "https://idp.example.com/acme")
	_, in := p.answer()
	h.s.SetGate(func([]byte) (*saml.Document, error) { panic("a mistake") })
	if v, err := h.s.ReceiveSAML(ctx, in); v != nil || err == nil || !strings.Contains(err.Error(), "a mistake") {
		t.Errorf("%+v, %v", v, err)
	}
}

// What was read of the connection at the front of a sign-in is held against it in the write, whatever process has changed it since.
func TestConnection_that_is_shut_meanwhile_lets_nobody_in(t *testing.T) {
	onBoth(t, func(h *house) {
		other := h.service(outbound.Policy{})
		shut := map[string]func(c sso.Connection) error{
			"switched off": func(c sso.Connection) error {
				_, err := other.Update(ctx, actor, c.ID, sso.Change{State: ptr(sso.Inactive)})
				return err
			},
			"deleted": func(c sso.Connection) error { return other.Delete(ctx, actor, c.ID) },
		}
		before := map[string]func(p *provider){
			"never used": func(*provider) {},
			"just used":  func(p *provider) { h.ok(h.finish(p.verified(), sso.End{})) },
			"used a while ago": func(p *provider) {
				h.ok(h.finish(p.verified(), sso.End{}))
				h.wait(2 * time.Minute)
			},
		}
		for how, end := range shut {
			for when, prepare := range before {
				p := h.saml(h.acme, "https://idp.example.com/"+strings.ReplaceAll(how+when, " ", "_"))
				prepare(p)
				v := p.verified()
				h.ok(end(p.c))
				var guard *db.GuardError
				if err := h.finish(v, sso.End{}); !errors.As(err, &guard) {
					h.Errorf("%s, %s: %v", when, how, err)
				}
				if a, err := h.s.Attempt(ctx, v.Attempt.ID); err == nil && a.State == sso.Succeeded {
					h.Errorf("%s, %s: the attempt succeeded", when, how)
				}
			}
		}
	})
}
