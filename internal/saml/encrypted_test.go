package saml_test

import (
	"crypto/rsa"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
)

// The consumer's part of the attacks on encrypted assertions; how they are opened is tested beside xmlenc.go.

func ourKey() *rsa.PrivateKey { return samltest.RSA("ours", 2048) }

func encrypting() saml.Expectation {
	e := expectation()
	e.Keys = []*rsa.PrivateKey{samltest.RSA("ours before", 2048), ourKey()}
	return e
}

func sealed(doc string, s samltest.Sealing) string { return samltest.Seal(doc, &ourKey().PublicKey, s) }

// encryptedResponse encrypts what the layout says was signed inside, and signs the Response around it last.
func encryptedResponse(doc string, l samltest.Layout, s samltest.Sealing) []byte {
	if l != samltest.ResponseSigned {
		doc = idp.Over(doc, samltest.AssertionID)
	}
	doc = sealed(doc, s)
	if l != samltest.AssertionSigned {
		doc = idp.Over(doc, samltest.ResponseID)
	}
	return []byte(doc)
}

func TestEncrypted_assertion_is_accepted_in_each_layout(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		doc := encryptedResponse(message().XML(), l, samltest.Sealing{})
		if !accepted(t, doc, encrypting()).Encrypted {
			t.Error("it does not say that it was encrypted")
		}
		e := encrypting()
		e.RequireEncrypted = true
		accepted(t, doc, e)
		refused(t, idp.Respond(message(), l), e, saml.CodeMalformed)
		if accepted(t, idp.Respond(message(), l), encrypting()).Encrypted {
			t.Error("it says that it was encrypted")
		}
		refused(t, doc, expectation(), saml.CodeFeatureDisabled)
		m := message()
		m.Microsoft = true
		accepted(t, encryptedResponse(m.XML(), l, samltest.Sealing{}), encrypting())
	})
}

// CVE-2026-2092: that it was encrypted to us proves nothing, our public key is public.
func TestS23_unsigned_assertion_in_an_unsigned_response_is_refused(t *testing.T) {
	refused(t, []byte(sealed(message().XML(), samltest.Sealing{})), encrypting(), saml.CodeUnsigned)
}

func TestS23_plaintext_passes_every_gate_again(t *testing.T) {
	m := message()
	signed := idp.Over(m.XML(), m.AssertionID)
	assertion := between(t, signed, "<saml:Assertion", "</saml:Assertion>")
	plain := between(t, m.XML(), "<saml:Assertion", "</saml:Assertion>")
	forged := samltest.ForgedAssertion([]byte(m.XML()))
	for name, c := range map[string]struct{ from, to, code string }{
		"comment":          {"</saml:NameID>", "<!---->.evil.example</saml:NameID>", saml.CodeMalformed},
		"CDATA":            {"</saml:NameID>", "<![CDATA[x]]></saml:NameID>", saml.CodeMalformed},
		"DOCTYPE":          {"<saml:Assertion", "<!DOCTYPE x><saml:Assertion", saml.CodeMalformed},
		"second root":      {"</saml:Assertion>", "</saml:Assertion>" + forged, saml.CodeMalformed},
		"nested assertion": {"</saml:AttributeValue>", forged + "</saml:AttributeValue>", saml.CodeMalformed},
		"changed":          {"<saml:AttributeValue>Alice<", "<saml:AttributeValue>Eve<", saml.CodeSignatureInvalid},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			evil := edit(t, assertion, c.from, c.to)
			if name == "nested assertion" {
				evil = edit(t, edit(t, assertion, ">"+samltest.Person+"</saml:AttributeValue>", "></saml:AttributeValue>"), c.from, c.to)
			}
			el, err := samltest.Encrypt([]byte(evil), &ourKey().PublicKey, samltest.Sealing{})
			if err != nil {
				t.Fatal(err)
			}
			refused(t, []byte(edit(t, m.XML(), plain, samltest.Text(el))), encrypting(), c.code)
		})
	}
	el, err := samltest.Encrypt([]byte(signed), &ourKey().PublicKey, samltest.Sealing{}) // a whole Response
	if err != nil {
		t.Fatal(err)
	}
	if r := refused(t, []byte(edit(t, m.XML(), plain, samltest.Text(el))), encrypting(), saml.CodeMalformed); r.Wanted != "an Assertion" {
		t.Errorf("wanted %q", r.Wanted)
	}
}

// Something meaningful hidden beside what is signed, where only the outer walk would find it.
func TestS23_covered_assertion_hides_nothing(t *testing.T) {
	forged := samltest.ForgedAssertion([]byte(message().XML()))
	doc := edit(t, message().XML(), "<saml:AttributeValue>"+samltest.Person+"</saml:AttributeValue>", "<saml:AttributeValue>"+forged+"</saml:AttributeValue>")
	refused(t, encryptedResponse(doc, samltest.ResponseSigned, samltest.Sealing{}), encrypting(), saml.CodeMalformed)
	object := edit(t, message().XML(), "</saml:AuthnContextClassRef>", `<ds:Object xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/></saml:AuthnContextClassRef>`)
	refused(t, encryptedResponse(object, samltest.ResponseSigned, samltest.Sealing{}), encrypting(), saml.CodeMalformed)
}

func TestS23_plaintext_assertion_beside_an_encrypted_one_is_refused(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		doc := string(encryptedResponse(message().XML(), l, samltest.Sealing{}))
		refused(t, []byte(edit(t, doc, "</samlp:Response>", samltest.ForgedAssertion([]byte(message().XML()))+"</samlp:Response>")), encrypting(), saml.CodeMalformed)
		encrypted := between(t, doc, "<saml:EncryptedAssertion", "</saml:EncryptedAssertion>")
		refused(t, []byte(edit(t, doc, encrypted, encrypted+encrypted)), encrypting(), saml.CodeMalformed)
		refused(t, []byte(edit(t, doc, "<samlp:Status>", "<samlp:Extensions>"+encrypted+"</samlp:Extensions><samlp:Status>")), encrypting(), saml.CodeMalformed)
		refused(t, []byte(edit(t, doc, "</samlp:Status>", "<samlp:StatusDetail>"+encrypted+"</samlp:StatusDetail></samlp:Status>")), encrypting(), saml.CodeMalformed)
	})
}

// The Response is verified before anything is decrypted.
func TestS23_ciphertext_moved_into_another_response_is_refused(t *testing.T) {
	one := string(encryptedResponse(message().XML(), samltest.ResponseSigned, samltest.Sealing{}))
	m := message()
	m.NameID = samltest.Evil
	two := sealed(m.XML(), samltest.Sealing{})
	swapped := edit(t, one, between(t, one, "<saml:EncryptedAssertion", "</saml:EncryptedAssertion>"), between(t, two, "<saml:EncryptedAssertion", "</saml:EncryptedAssertion>"))
	refused(t, []byte(swapped), encrypting(), saml.CodeSignatureInvalid)
}

// GHSA-hwqm-qvj9-4jr2; Jager and Somorovsky 2011: with CBC whatever goes wrong looks the same.
func TestS23_with_CBC_all_failures_are_one(t *testing.T) {
	cbc := samltest.Sealing{Cipher: samltest.AES256CBC}
	e := encrypting()
	doc := encryptedResponse(message().XML(), samltest.AssertionSigned, cbc)
	refused(t, doc, e, saml.CodeAlgorithmNotAllowed)
	e.AllowCBC = true
	accepted(t, doc, e)
	evil := samltest.New("https://evil.example")
	var told0 string
	for name, text := range map[string]string{
		"unsigned":        sealed(message().XML(), cbc),
		"another signer":  sealed(evil.Over(message().XML(), samltest.AssertionID), cbc),
		"another key":     samltest.Seal(idp.Over(message().XML(), samltest.AssertionID), &samltest.RSA("theirs", 2048).PublicKey, cbc),
		"changed":         sealed(edit(t, idp.Over(message().XML(), samltest.AssertionID), ">Alice<", ">Eve<"), cbc),
		"not XML":         sealed(edit(t, message().XML(), "</saml:NameID>", "<!-- --></saml:NameID>"), cbc),
		"another element": sealed(edit(t, message().XML(), "<saml:Conditions", "<saml:Advice/><saml:Conditions"), cbc),
	} {
		r := refused(t, []byte(text), e, saml.CodeMalformed)
		if told0 == "" {
			told0 = told(r)
		}
		if told(r) != told0 || r.Detail != "decryption_failed" {
			t.Errorf("%s is told apart: %s", name, told(r))
		}
	}
}
