package saml_test

import (
	"bytes"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
)

// The attacks on signatures. S numbers are those of the project's attack catalogue.

const signatureOpen = `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">`

// between gives the text from one mark to the end of another.
func between(t testing.TB, doc, from, until string) string {
	t.Helper()
	i := strings.Index(doc, from)
	if i < 0 {
		t.Fatalf("no %q in %s", from, doc)
	}
	j := strings.Index(doc[i:], until)
	if j < 0 {
		t.Fatalf("no %q in %s", until, doc)
	}
	return doc[i : i+j+len(until)]
}

// Signature exclusion: SAML core 5.4 leaves signing optional, so that a reader who verifies what is there verifies nothing.
func TestS01_message_without_any_signature_is_refused(t *testing.T) {
	refused(t, []byte(message().XML()), expectation(), saml.CodeUnsigned)
}

func TestS01_signature_taken_out_is_refused(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		doc := string(idp.Respond(message(), l))
		for strings.Contains(doc, signatureOpen) {
			doc = edit(t, doc, between(t, doc, signatureOpen, "</ds:Signature>"), "")
		}
		refused(t, []byte(doc), expectation(), saml.CodeUnsigned)
	})
}

func TestS01_empty_signature_is_refused(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		for empty, code := range map[string]string{
			signatureOpen + `</ds:Signature>`:                                                            saml.CodeUnsigned,
			signatureOpen + `<ds:SignedInfo></ds:SignedInfo></ds:Signature>`:                             saml.CodeUnsigned,
			signatureOpen + `<ds:SignatureValue>AAAA</ds:SignatureValue></ds:Signature>`:                 saml.CodeUnsigned,
			signatureOpen + `<ds:SignedInfo/><ds:SignatureValue></ds:SignatureValue></ds:Signature>`:     saml.CodeMalformed,
			signatureOpen + `<ds:SignedInfo/><ds:SignatureValue>AAAA</ds:SignatureValue></ds:Signature>`: saml.CodeMalformed,
		} {
			doc := string(idp.Respond(message(), l))
			refused(t, []byte(edit(t, doc, between(t, doc, signatureOpen, "</ds:Signature>"), empty)), expectation(), code)
		}
		for _, part := range []string{"SignatureValue", "DigestValue"} {
			doc := string(idp.Respond(message(), l))
			value := between(t, doc, "<ds:"+part+">", "</ds:"+part+">")
			refused(t, []byte(edit(t, doc, value, "<ds:"+part+"></ds:"+part+">")), expectation(), saml.CodeMalformed)
		}
	})
}

// CVE-2026-28323: where no certificate was configured the check was skipped.
func TestS01_connection_without_certificate_fails_closed(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		e := expectation()
		e.Certificates = nil
		refused(t, idp.Respond(message(), l), e, saml.CodeCertificateUnknown)
	})
}

// XML signature wrapping: Somorovsky et al., On Breaking SAML, USENIX Security 2012; numbered as SAML Raider does.
func TestS02_to_S09_wrapping_is_refused(t *testing.T) {
	for variant := 1; variant <= 8; variant++ {
		t.Run(fmt.Sprintf("S%02d_XSW%d", variant+1, variant), func(t *testing.T) {
			each(t, func(t *testing.T, l samltest.Layout) {
				genuine := idp.Respond(message(), l)
				evil := samltest.XSW(variant, genuine)
				if !bytes.Contains(evil, []byte(samltest.Evil)) || !bytes.Contains(evil, []byte(samltest.Person)) {
					t.Fatalf("nothing is wrapped: %s", evil)
				}
				refused(t, evil, expectation(), saml.CodeMalformed)
			})
		})
	}
}

// The wrappings that keep the layout: the forged element stands where the genuine one stood, and nothing else is there.
func TestS02_to_S09_forged_element_under_a_genuine_signature_is_refused(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		doc := string(idp.Respond(message(), l))
		refused(t, []byte(edit(t, doc, ">"+samltest.Person+"</saml:NameID>", ">"+samltest.Evil+"</saml:NameID>")), expectation(), saml.CodeSignatureInvalid)
		renamed := edit(t, doc, `ID="`+samltest.AssertionID+`"`, `ID="`+samltest.EvilID+`"`)
		renamed = edit(t, renamed, ">"+samltest.Person+"</saml:NameID>", ">"+samltest.Evil+"</saml:NameID>")
		refused(t, []byte(renamed), expectation(), saml.CodeSignatureInvalid)
	})
}

// CVE-2021-28091, CVE-2026-47201, CVE-2022-41912.
func TestS10_forged_assertion_after_the_genuine_one_is_refused(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		genuine := idp.Respond(message(), l)
		evil := edit(t, string(genuine), "</saml:Assertion>", "</saml:Assertion>"+samltest.ForgedAssertion(genuine))
		refused(t, []byte(evil), expectation(), saml.CodeMalformed)
	})
}

func TestS10_genuine_assertion_hidden_elsewhere_is_refused(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		genuine := string(idp.Respond(message(), l))
		assertion := between(t, genuine, "<saml:Assertion ", "</saml:Assertion>")
		forged := samltest.ForgedAssertion([]byte(genuine))
		hidden := map[string]string{
			"Extensions":     edit(t, edit(t, genuine, assertion, forged), "<samlp:Status>", "<samlp:Extensions>"+assertion+"</samlp:Extensions><samlp:Status>"),
			"Advice":         edit(t, genuine, assertion, edit(t, forged, "<saml:AuthnStatement", "<saml:Advice>"+assertion+"</saml:Advice><saml:AuthnStatement")),
			"StatusDetail":   edit(t, edit(t, genuine, assertion, forged), "</samlp:Status>", "<samlp:StatusDetail>"+assertion+"</samlp:StatusDetail></samlp:Status>"),
			"AttributeValue": edit(t, genuine, assertion, edit(t, forged, "</saml:AttributeStatement>", `<saml:Attribute Name="x"><saml:AttributeValue>`+assertion+`</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>`)),
			"KeyInfo":        edit(t, edit(t, genuine, assertion, forged), "<samlp:Status>", signatureOpen+"<ds:KeyInfo>"+assertion+"</ds:KeyInfo></ds:Signature><samlp:Status>"),
			"Response": edit(t, genuine, assertion, forged+`<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r2" Version="2.0" IssueInstant="2026-03-04T05:06:07Z">`+
				assertion+`</samlp:Response>`),
		}
		for place, doc := range hidden {
			t.Run(place, func(t *testing.T) { refused(t, []byte(doc), expectation(), saml.CodeMalformed) })
		}
	})
}

// A Response that was signed for real, inside a forged one that stands where everybody looks.
func TestS10_genuine_response_inside_a_forged_one_is_refused(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		genuine := string(idp.Respond(message(), l))
		m := message()
		m.ID, m.AssertionID, m.NameID = samltest.EvilID, "_evil-2", samltest.Evil
		for _, place := range []string{"<samlp:Status>", "</samlp:Response>"} {
			refused(t, []byte(edit(t, m.XML(), place, genuine+place)), expectation(), saml.CodeMalformed)
		}
	})
}

func TestS10_same_ID_with_a_copied_signature_is_refused(t *testing.T) {
	genuine := string(idp.Respond(message(), samltest.AssertionSigned))
	assertion := between(t, genuine, "<saml:Assertion ", "</saml:Assertion>")
	evil := edit(t, assertion, ">"+samltest.Person+"</saml:NameID>", ">"+samltest.Evil+"</saml:NameID>")
	refused(t, []byte(edit(t, genuine, assertion, evil+assertion)), expectation(), saml.CodeMalformed)
	refused(t, []byte(edit(t, genuine, assertion, assertion+evil)), expectation(), saml.CodeMalformed)
	refused(t, []byte(edit(t, genuine, assertion, evil)), expectation(), saml.CodeSignatureInvalid)
}

func TestS10_two_signed_assertions_are_refused(t *testing.T) {
	m := message()
	second := m
	second.AssertionID, second.NameID = "_assertion-2", "bob@acme.example"
	one := string(idp.Respond(m, samltest.AssertionSigned))
	two := idp.Sign(second.XML(), second.ID, second.AssertionID, samltest.AssertionSigned)
	doc := edit(t, one, "</samlp:Response>", between(t, two, "<saml:Assertion ", "</saml:Assertion>")+"</samlp:Response>")
	refused(t, []byte(doc), expectation(), saml.CodeMalformed)
	refused(t, []byte(idp.Over(doc, samltest.ResponseID)), expectation(), saml.CodeMalformed)
}

// An assertion inside Object of the genuine signature lies inside of what the enveloped transform takes away (OneUptime #2981).
func TestS11_forged_assertion_inside_Object_is_refused(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		genuine := idp.Respond(message(), l)
		evil := edit(t, string(genuine), "</ds:Signature>", "<ds:Object>"+samltest.ForgedAssertion(genuine)+"</ds:Object></ds:Signature>")
		refused(t, []byte(evil), expectation(), saml.CodeMalformed)
		inKey := edit(t, string(genuine), "<ds:KeyInfo>", "<ds:KeyInfo>"+samltest.ForgedAssertion(genuine))
		refused(t, []byte(inKey), expectation(), saml.CodeMalformed)
	})
}

// Anybody can have an identity provider sign an error; that signature proves nothing about an assertion beside it.
func TestS11_signature_of_an_error_response_carries_no_assertion(t *testing.T) {
	denial := idp.Over(message().Denial("", "Responder", "AuthnFailed"), samltest.ResponseID)
	signature := between(t, denial, signatureOpen, "</ds:Signature>")
	forged := samltest.ForgedAssertion([]byte(message().XML()))
	with := edit(t, denial, "</samlp:Response>", forged+"</samlp:Response>")
	refused(t, []byte(with), expectation(), saml.CodeMalformed)
	success := edit(t, between(t, message().XML(), "<samlp:Status>", "</samlp:Status>"), "", "")
	wrong := edit(t, with, between(t, with, "<samlp:Status>", "</samlp:Status>"), success)
	refused(t, []byte(wrong), expectation(), saml.CodeSignatureInvalid)
	// the decoy: the error Response whole, inside the signature that repeats its value
	decoy := edit(t, message().XML(), "<samlp:Status>", edit(t, signature, "</ds:Signature>", "<ds:Object>"+denial+"</ds:Object></ds:Signature>")+"<samlp:Status>")
	refused(t, []byte(edit(t, decoy, `ID="_response-1"`, `ID="_evil-1"`)), expectation(), saml.CodeMalformed)
	twice := edit(t, message().XML(), "<samlp:Status>", signature+edit(t, signature, "</ds:SignatureValue>", "</ds:SignatureValue>")+"<samlp:Status>")
	refused(t, []byte(twice), expectation(), saml.CodeMalformed)
}

func TestS12_signature_outside_of_what_it_signs_is_refused(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		doc := string(idp.Respond(message(), l))
		signature := between(t, doc, signatureOpen, "</ds:Signature>")
		without := edit(t, doc, signature, "")
		for _, place := range []string{"</samlp:Status>", "</saml:Subject>", "</saml:Conditions>", "</saml:AttributeStatement>", "</saml:AttributeValue>", "</saml:Issuer>"} {
			refused(t, []byte(edit(t, without, place, signature+place)), expectation(), saml.CodeMalformed)
		}
	})
	// that of the assertion as the Response's
	doc := string(idp.Respond(message(), samltest.AssertionSigned))
	signature := between(t, doc, signatureOpen, "</ds:Signature>")
	refused(t, []byte(edit(t, edit(t, doc, signature, ""), "<samlp:Status>", signature+"<samlp:Status>")), expectation(), saml.CodeSignatureInvalid)
}

// Node-saml and ruby-saml take any of these in one version or another (CVE-2024-45409, CVE-2025-29774).
func TestS12_reference_to_anything_but_the_parents_ID_is_refused(t *testing.T) {
	uris := map[string]func(string) string{
		"no_hash":     func(id string) string { return id },
		"quote":       func(id string) string { return "#" + id + "&quot;" },
		"xpointer":    func(id string) string { return "#xpointer(id('" + id + "'))" },
		"empty":       func(string) string { return "" },
		"hash_only":   func(string) string { return "#" },
		"other":       func(string) string { return "#_other" },
		"address":     func(id string) string { return "https://evil.example/x#" + id },
		"upper_case":  func(id string) string { return "#" + strings.ToUpper(id) },
		"with_spaces": func(id string) string { return " #" + id },
	}
	for name, uri := range uris {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, l samltest.Layout) {
				s := idp.Signer
				s.URI = uri
				refused(t, []byte(s.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l)), expectation(), saml.CodeSignatureInvalid)
			})
		})
	}
	t.Run("absent", func(t *testing.T) {
		s := idp.Signer
		s.SignedInfo = func(info string) string { return edit(t, info, ` URI="#_assertion-1"`, "") }
		refused(t, []byte(s.Over(message().XML(), samltest.AssertionID)), expectation(), saml.CodeSignatureInvalid)
	})
	t.Run("parent without an ID", func(t *testing.T) {
		s := idp.Signer
		s.URI = func(string) string { return "#" }
		doc := edit(t, s.Over(message().XML(), samltest.AssertionID), ` ID="_assertion-1"`, "")
		refused(t, []byte(doc), expectation(), saml.CodeSignatureInvalid)
	})
}

func TestS12_parts_of_a_signature_that_are_there_twice_are_refused(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		doc := string(idp.Respond(message(), l))
		for _, part := range []string{"ds:SignedInfo", "ds:SignatureValue", "ds:Reference", "ds:DigestValue", "ds:DigestMethod", "ds:Transforms", "ds:SignatureMethod", "ds:CanonicalizationMethod", "ds:KeyInfo", "ds:Signature"} {
			text := between(t, doc, "<"+part, "</"+part+">")
			if part == "ds:Signature" {
				text = between(t, doc, signatureOpen, "</ds:Signature>")
			}
			refused(t, []byte(edit(t, doc, text, text+text)), expectation(), saml.CodeMalformed)
		}
		for _, part := range []string{"ds:Reference", "ds:DigestValue", "ds:DigestMethod", "ds:Transforms", "ds:SignatureMethod", "ds:CanonicalizationMethod"} {
			refused(t, []byte(edit(t, doc, between(t, doc, "<"+part, "</"+part+">"), "")), expectation(), saml.CodeMalformed)
		}
	})
}

// What an identity provider itself would have signed with a strange SignedInfo.
func TestS12_second_reference_is_refused_even_when_signed(t *testing.T) {
	s := idp.Signer
	s.SignedInfo = func(info string) string {
		reference := between(t, info, "<ds:Reference", "</ds:Reference>")
		return edit(t, info, reference, reference+edit(t, reference, "#_assertion-1", "#_response-1"))
	}
	refused(t, []byte(s.Over(message().XML(), samltest.AssertionID)), expectation(), saml.CodeMalformed)
	for _, extra := range []string{`<ds:HMACOutputLength>8</ds:HMACOutputLength>`, `<ds:Object/>`, `<x:y xmlns:x="urn:x"/>`, "text"} {
		for _, place := range []string{"SignatureMethod", "CanonicalizationMethod", "DigestMethod", "DigestValue", "Reference", "Transforms", "Transform"} {
			s.SignedInfo = func(info string) string { return edit(t, info, "</ds:"+place+">", extra+"</ds:"+place+">") }
			refused(t, []byte(s.Over(message().XML(), samltest.AssertionID)), expectation(), saml.CodeMalformed)
		}
	}
}

// A signature at another place among the children is the same signature: schema order is for writers.
func TestS12_signature_behind_the_other_children_is_accepted(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		doc := string(idp.Respond(message(), l))
		if l == samltest.BothSigned { // the Response covers where the Assertion has its own
			signature := between(t, doc, signatureOpen, "</ds:Signature>")
			accepted(t, []byte(edit(t, edit(t, doc, signature, ""), "</samlp:Response>", signature+"</samlp:Response>")), expectation())
			return
		}
		signature := between(t, doc, signatureOpen, "</ds:Signature>")
		end := map[samltest.Layout]string{samltest.ResponseSigned: "</samlp:Response>", samltest.AssertionSigned: "</saml:Assertion>"}[l]
		accepted(t, []byte(edit(t, edit(t, doc, signature, ""), end, signature+end)), expectation())
	})
}

// CVE-2017-11427 to -11430, CVE-2025-29775: text is cut at a comment by one library and not by another.
func TestS13_comment_anywhere_is_refused(t *testing.T) {
	places := []string{"</saml:NameID>", "</saml:AttributeValue>", "</saml:Audience>", "</saml:Issuer>", "</ds:DigestValue>", "</ds:SignatureValue>", "</ds:X509Certificate>", "</saml:Assertion>", "</samlp:Response>"}
	for _, place := range places {
		each(t, func(t *testing.T, l samltest.Layout) {
			after := edit(t, string(idp.Respond(message(), l)), place, "<!-- -->"+place)
			refused(t, []byte(after), expectation(), saml.CodeMalformed)
			if !strings.HasPrefix(place, "</ds:") {
				refused(t, sign(edit(t, message().XML(), place, "<!---->.evil.example"+place), l), expectation(), saml.CodeMalformed)
			}
		})
	}
	refused(t, append([]byte("<!-- x -->"), idp.Respond(message(), samltest.BothSigned)...), expectation(), saml.CodeMalformed)
	refused(t, append(idp.Respond(message(), samltest.BothSigned), "<!-- x -->"...), expectation(), saml.CodeMalformed)
}

// OneUptime #2988.
func TestS14_processing_instruction_and_CDATA_are_refused(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		for _, inside := range []string{"<?p x?>", "<?p <saml:NameID>?>", "<![CDATA[x]]>", "<![CDATA[]]>", `<?xml version="1.0"?>`} {
			doc := string(idp.Respond(message(), l))
			refused(t, []byte(edit(t, doc, "</saml:NameID>", inside+"</saml:NameID>")), expectation(), saml.CodeMalformed)
			refused(t, []byte(inside+doc+inside), expectation(), saml.CodeMalformed)
		}
	})
}

// A character reference is the character: exclusive canonicalization says so too, and the outcome is the same.
func TestS14_character_reference_changes_nothing(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		doc := string(idp.Respond(message(), l))
		accepted(t, []byte(edit(t, doc, ">alice@", ">&#97;lic&#x65;@")), expectation())
		refused(t, []byte(edit(t, doc, ">alice@", ">&mallory;@")), expectation(), saml.CodeMalformed)
	})
}

// CVE-2020-29509, -29510, -29511: encoding/xml writes these otherwise than it read them.
func TestS15_names_that_do_not_survive_a_round_trip_are_refused(t *testing.T) {
	for _, odd := range []string{"<x::Root/>", "<:x/>", "<x:/>", "<a:b:c/>", `<x :y="1"/>`, `<x y:="1"/>`, `<x a:b:c="1"/>`, `<x x::y="1"/>`, `<x :xmlns="urn:x"/>`, "<!x <!-- -->>", "<1x/>", "<x\u0301y/>", "<-x/>"} {
		each(t, func(t *testing.T, l samltest.Layout) {
			doc := string(idp.Respond(message(), l))
			refused(t, []byte(edit(t, doc, "</samlp:Status>", odd+"</samlp:Status>")), expectation(), saml.CodeMalformed)
			refused(t, []byte(odd+doc), expectation(), saml.CodeMalformed)
		})
	}
}

// CVE-2025-66568 and The Fragile Lock (PortSwigger, December 2025): canonicalization fails, and the signature of nothing holds.
func TestS16_relative_namespace_is_refused(t *testing.T) {
	empty := base64.StdEncoding.EncodeToString([]byte("\xe3\xb0\xc4B\x98\xfc\x1c\x14\x9a\xfb\xf4\xc8\x99o\xb9$'\xaeA\xe4d\x9b\x93L\xa4\x95\x99\x1bxR\xb8U")) // SHA-256 of nothing
	for _, relative := range []string{`xmlns:n="1"`, `xmlns:n="a/b"`, `xmlns:n="../x"`, `xmlns:n=""`, `xmlns:n="//x"`, `xmlns:n=":x"`, `xmlns:n="1a:x"`, `xmlns=""`} {
		for _, tag := range []string{"<samlp:Response ", "<saml:Assertion ", "<saml:Subject", "<ds:SignedInfo", "<ds:Signature ", "<saml:NameID "} {
			each(t, func(t *testing.T, l samltest.Layout) {
				s := idp.Signer
				s.DigestValue = empty
				for _, doc := range []string{string(idp.Respond(message(), l)), s.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l)} {
					refused(t, []byte(edit(t, doc, tag, strings.TrimSpace(tag)+" "+relative+tag[len(strings.TrimSpace(tag)):])), expectation(), saml.CodeMalformed)
				}
			})
		}
	}
}

func TestS16_digest_of_nothing_is_refused(t *testing.T) {
	s := idp.Signer
	s.DigestValue = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
	each(t, func(t *testing.T, l samltest.Layout) {
		refused(t, []byte(s.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l)), expectation(), saml.CodeSignatureInvalid)
	})
}

// GHSL-2024-329 and -330.
func TestS17_foreign_and_doubled_IDs_are_refused(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		for _, more := range []string{` Id="_x"`, ` id="_x"`, ` iD="_x"`, ` xml:id="_x"`, ` xmlns:x="urn:x" x:ID="_x"`, ` xmlns:x="urn:x" x:Id="_x"`, ` ID="_x"`, ` xmlns:s="urn:oasis:names:tc:SAML:2.0:assertion" s:ID="_x"`} {
			for _, tag := range []string{"<samlp:Response", "<saml:Assertion", "<saml:Subject>", "<saml:AttributeValue>"} {
				doc := string(idp.Respond(message(), l))
				if strings.HasPrefix(more, " ID=") && strings.HasSuffix(tag, ">") {
					continue // an ID on any element of SAML is one
				}
				refused(t, []byte(edit(t, doc, strings.TrimSuffix(tag, ">"), strings.TrimSuffix(tag, ">")+more)), expectation(), saml.CodeMalformed)
			}
		}
		doc := string(idp.Respond(message(), l))
		refused(t, []byte(edit(t, doc, "<ds:SignedInfo>", `<ds:SignedInfo ID="_x">`)), expectation(), saml.CodeMalformed)
		refused(t, []byte(edit(t, doc, "<ds:KeyInfo>", `<ds:KeyInfo Id="_assertion-1">`)), expectation(), saml.CodeMalformed)
		accepted(t, []byte(edit(t, doc, signatureOpen, strings.TrimSuffix(signatureOpen, ">")+` Id="_signature">`)), expectation())
		for _, bad := range []string{"1", "a b", "", "_x#", "ü", "_" + strings.Repeat("x", 1024)} {
			refused(t, []byte(edit(t, doc, ` ID="`+samltest.ResponseID+`"`, ` ID="`+bad+`"`)), expectation(), saml.CodeMalformed)
		}
	})
}

func TestS17_same_ID_on_two_elements_is_refused(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		m := message()
		m.ID = m.AssertionID
		refused(t, []byte(idp.Over(m.XML(), m.ID)), expectation(), saml.CodeMalformed)
	})
}

func TestS17_doubled_attributes_are_refused(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		doc := string(idp.Respond(message(), l))
		for from, to := range map[string]string{
			` Destination="`:              ` Destination="x" Destination="`,
			`<saml:SubjectConfirmation `:  `<saml:SubjectConfirmation Method="x" `,
			`<saml:NameID `:               `<saml:NameID xmlns:a="urn:x" xmlns:b="urn:x" a:y="1" b:y="2" `,
			`<saml:AuthnStatement `:       `<saml:AuthnStatement xmlns:a="urn:x" xmlns:a="urn:y" `,
			`<ds:Reference `:              `<ds:Reference URI="#x" `,
			`<saml:AudienceRestriction>`:  `<saml:AudienceRestriction x:y="undeclared">`,
			`<saml:AttributeStatement>`:   `<saml:AttributeStatement><x:undeclared/>`,
			`<saml:Attribute `:            `<saml:Attribute xmlns:xml="urn:x" `,
			`<samlp:StatusCode `:          `<samlp:StatusCode xmlns:xmlns="urn:x" `,
			`<saml:AuthnContext>`:         `<saml:AuthnContext xmlns:x="http://www.w3.org/XML/1998/namespace">`,
			`<saml:AuthnContextClassRef>`: `<saml:AuthnContextClassRef xmlns="http://www.w3.org/2000/xmlns/">`,
		} {
			refused(t, []byte(edit(t, doc, from, to)), expectation(), saml.CodeMalformed)
		}
	})
}

// CVE-2025-66567: who compares prefixes reads another tree than who compares namespaces.
func TestS17_prefix_that_means_two_namespaces_is_refused(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		doc := string(idp.Respond(message(), l))
		for from, to := range map[string]string{
			"<saml:Subject>":        `<saml:Subject xmlns:ds="urn:x">`,
			"<saml:Conditions ":     `<saml:Conditions xmlns:samlp="urn:oasis:names:tc:SAML:2.0:assertion" `,
			"<samlp:Status>":        `<samlp:Status xmlns:saml="urn:x">`,
			"<ds:SignatureValue>":   `<ds:SignatureValue xmlns:ds="urn:x">`,
			"<saml:AuthnStatement ": `<saml:AuthnStatement xmlns:saml="http://www.w3.org/2000/09/xmldsig#" `,
		} {
			refused(t, []byte(edit(t, doc, from, to)), expectation(), saml.CodeMalformed)
		}
		// first something harmless, then one of ours
		odd := edit(t, edit(t, doc, "<samlp:Status>", `<samlp:Status xmlns:q="urn:x">`), "<saml:Subject>", `<saml:Subject xmlns:q="http://www.w3.org/2000/09/xmldsig#">`)
		refused(t, []byte(odd), expectation(), saml.CodeMalformed)
	})
	fine := edit(t, edit(t, message().XML(), "<samlp:Status>", `<samlp:Status xmlns:q="urn:x">`), "<saml:Subject>", `<saml:Subject xmlns:q="urn:y">`)
	each(t, func(t *testing.T, l samltest.Layout) { accepted(t, sign(fine, l), expectation()) })
}

func TestS17_elements_in_a_wrong_namespace_are_refused(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		doc := string(idp.Respond(message(), l))
		refused(t, []byte(strings.ReplaceAll(doc, "http://www.w3.org/2000/09/xmldsig#\"", "http://www.w3.org/2000/09/xmldsig\"")), expectation(), saml.CodeMalformed)
		refused(t, []byte(strings.ReplaceAll(doc, "urn:oasis:names:tc:SAML:2.0:assertion", "urn:oasis:names:tc:SAML:1.0:assertion")), expectation(), saml.CodeMalformed)
		refused(t, []byte(strings.ReplaceAll(doc, "urn:oasis:names:tc:SAML:2.0:protocol", "urn:oasis:names:tc:SAML:1.0:protocol")), expectation(), saml.CodeMalformed)
		m := message()
		m.Microsoft = true
		microsoft := string(idp.Respond(m, l))
		refused(t, []byte(edit(t, microsoft, `<Assertion xmlns="urn:oasis:names:tc:SAML:2.0:assertion"`, `<Assertion xmlns="urn:oasis:names:tc:SAML:2.0:protocol"`)), expectation(), saml.CodeMalformed)
		refused(t, sign(edit(t, m.XML(), `<Subject>`, `<Subject xmlns="urn:x">`), l), expectation(), saml.CodeMalformed)
	})
}

// CVE-2025-25291, CVE-2025-25292, node-saml's multiple-root fixture.
func TestS18_what_parsers_read_in_two_ways_is_refused(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		doc := string(idp.Respond(message(), l))
		utf16 := []byte{0xff, 0xfe}
		for _, r := range doc {
			utf16 = append(utf16, byte(r), 0)
		}
		for name, evil := range map[string][]byte{
			"DOCTYPE":                []byte(`<!DOCTYPE x>` + doc),
			"internal subset":        []byte(`<!DOCTYPE x [<!ATTLIST saml:Assertion Fake ID #IMPLIED>]>` + doc),
			"notation":               []byte(`<!DOCTYPE x [<!NOTATION n SYSTEM "x"><!ENTITY e "f">]>` + doc),
			"DOCTYPE inside":         []byte(edit(t, doc, "<samlp:Status>", "<!DOCTYPE x><samlp:Status>")),
			"second root":            []byte(doc + samltest.ForgedAssertion([]byte(doc))),
			"second root before":     []byte(`<x/>` + doc),
			"the same again":         []byte(doc + doc),
			"text after":             []byte(doc + "x"),
			"text before":            []byte("x" + doc),
			"no-break space after":   []byte(doc + "\u00a0"),
			"byte order mark":        []byte("\ufeff" + doc),
			"UTF-16":                 utf16,
			"UTF-7":                  []byte(`<?xml version="1.0" encoding="UTF-7"?>` + doc),
			"Latin-1":                []byte(`<?xml version="1.0" encoding="ISO-8859-1"?>` + doc),
			"two encodings":          []byte(`<?xml version="1.0" xencoding="UTF-8" encoding="UTF-7"?>` + doc),
			"encoding in a comment":  []byte(`<?xml version="1.0" x='encoding="UTF-7"'?>` + doc),
			"XML 1.1":                []byte(`<?xml version="1.1"?>` + doc),
			"declaration later":      []byte(` <?xml version="1.0"?>` + doc),
			"two declarations":       []byte(`<?xml version="1.0"?><?xml version="1.0"?>` + doc),
			"style sheet":            []byte(`<?xml-stylesheet href="x"?>` + doc),
			"NUL":                    []byte(edit(t, doc, ">alice@", ">\x00alice@")),
			"NUL reference":          []byte(edit(t, doc, ">alice@", ">&#0;alice@")),
			"control character":      []byte(edit(t, doc, ">alice@", ">\x01alice@")),
			"no UTF-8":               []byte(edit(t, doc, ">alice@", ">\xff\xfealice@")),
			"half":                   []byte(doc[:len(doc)/2]),
			"nothing":                {},
			"space":                  []byte("  \n"),
			"less than in attribute": []byte(edit(t, doc, `ID="_response-1"`, `ID="<_response-1"`)),
			"wrong end":              []byte(edit(t, doc, "</saml:Subject>", "</saml:subject>")),
			"wrong prefix at end":    []byte(edit(t, doc, "</saml:Subject>", "</samlp:Subject>")),
			"end without beginning":  []byte(doc + "</x>"),
		} {
			t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) { refused(t, evil, expectation(), saml.CodeMalformed) })
		}
		for _, fine := range []string{`<?xml version="1.0"?>`, `<?xml version="1.0" encoding="UTF-8"?>` + "\n", `<?xml version='1.0' encoding='utf-8' standalone='no' ?>`, " \n"} {
			accepted(t, []byte(fine+doc+"\n"), expectation())
		}
	})
}

// python3-saml #447 and its kin. All of them are signed by the identity provider, so that only the list refuses them.
func TestS19_other_transforms_are_refused(t *testing.T) {
	enveloped, exclusive := `<ds:Transform Algorithm="`+samltest.Enveloped+`"></ds:Transform>`, `<ds:Transform Algorithm="`+samltest.Exclusive+`"></ds:Transform>`
	for name, transforms := range map[string]string{
		"XSLT":            enveloped + `<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"></ds:Transform>`,
		"XPath":           enveloped + `<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"></ds:Transform>`,
		"XPath filter":    `<ds:Transform Algorithm="http://www.w3.org/2002/06/xmldsig-filter2"></ds:Transform>` + exclusive,
		"base64":          enveloped + `<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#base64"></ds:Transform>`,
		"inclusive":       enveloped + `<ds:Transform Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"></ds:Transform>`,
		"inclusive 1.1":   enveloped + `<ds:Transform Algorithm="http://www.w3.org/2006/12/xml-c14n11"></ds:Transform>`,
		"with comments":   enveloped + `<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#WithComments"></ds:Transform>`,
		"unknown":         enveloped + `<ds:Transform Algorithm="urn:x"></ds:Transform>`,
		"only exclusive":  exclusive,
		"only enveloped":  enveloped,
		"wrong order":     exclusive + enveloped,
		"three":           enveloped + exclusive + exclusive,
		"twice enveloped": enveloped + enveloped,
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			each(t, func(t *testing.T, l samltest.Layout) {
				s := idp.Signer
				s.Transforms = transforms
				refused(t, []byte(s.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l)), expectation(), saml.CodeAlgorithmNotAllowed)
			})
		})
	}
}

func TestS19_other_canonicalization_of_SignedInfo_is_refused(t *testing.T) {
	for _, c := range []string{"http://www.w3.org/2001/10/xml-exc-c14n#WithComments", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315", "http://www.w3.org/2006/12/xml-c14n11", "urn:x"} {
		each(t, func(t *testing.T, l samltest.Layout) {
			s := idp.Signer
			s.Canonicalization = c
			refused(t, []byte(s.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l)), expectation(), saml.CodeAlgorithmNotAllowed)
		})
	}
}

func TestS19_transforms_hold_nothing_else(t *testing.T) {
	for _, inside := range []string{"<ds:XPath></ds:XPath>", "text", `<x:y xmlns:x="urn:x"></x:y>`} {
		for _, transforms := range []string{
			`<ds:Transform Algorithm="` + samltest.Enveloped + `">` + inside + `</ds:Transform><ds:Transform Algorithm="` + samltest.Exclusive + `"></ds:Transform>`,
			`<ds:Transform Algorithm="` + samltest.Enveloped + `"></ds:Transform><ds:Transform Algorithm="` + samltest.Exclusive + `">` + inside + `</ds:Transform>`,
		} {
			each(t, func(t *testing.T, l samltest.Layout) {
				s := idp.Signer
				s.Transforms = transforms
				refused(t, []byte(s.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l)), expectation(), saml.CodeMalformed)
			})
		}
	}
}

func TestS19_prefix_lists(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		s := idp.Signer
		s.Prefixes = "samlp saml"
		accepted(t, []byte(s.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l)), expectation())
		s.Prefixes = strings.TrimSpace(strings.Repeat("p ", 17))
		refused(t, []byte(s.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l)), expectation(), saml.CodeAlgorithmNotAllowed)
		s.Prefixes = "saml"
		s.SignedInfo = func(info string) string {
			return edit(t, info, "</ec:InclusiveNamespaces>", "<ds:XPath></ds:XPath></ec:InclusiveNamespaces>")
		}
		refused(t, []byte(s.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l)), expectation(), saml.CodeMalformed)
	})
}

// CVE-2026-9090, CVE-2023-48703: a key that comes with the message is the sender's choice.
func TestS20_certificate_in_KeyInfo_is_not_trusted(t *testing.T) {
	evil := samltest.New("https://evil.example")
	each(t, func(t *testing.T, l samltest.Layout) {
		doc := []byte(evil.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l))
		r := refused(t, doc, expectation(), saml.CodeCertificateUnknown)
		if !strings.Contains(r.Wanted, fingerprint(idp.Certificate)) || !strings.Contains(r.Got, fingerprint(evil.Certificate)) {
			t.Errorf("wanted %q, got %q: both fingerprints help the administrator", r.Wanted, r.Got)
		}
		s := evil.Signer // the right certificate, the wrong key
		s.Certificate = idp.Certificate
		refused(t, []byte(s.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l)), expectation(), saml.CodeSignatureInvalid)
		s.KeyInfo = `<ds:KeyInfo><ds:X509Data><ds:X509Certificate>` + der(idp.Certificate) + `</ds:X509Certificate><ds:X509Certificate>` + der(evil.Certificate) + `</ds:X509Certificate></ds:X509Data></ds:KeyInfo>`
		refused(t, []byte(s.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l)), expectation(), saml.CodeSignatureInvalid)
		s.KeyInfo = `<ds:KeyInfo><ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue></ds:KeyInfo>`
		refused(t, []byte(s.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l)), expectation(), saml.CodeSignatureInvalid)
		s.KeyInfo = "none"
		refused(t, []byte(s.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l)), expectation(), saml.CodeSignatureInvalid)
		for _, odd := range []string{`<ds:KeyInfo><x:y xmlns:x="urn:x"/></ds:KeyInfo>`, `<ds:KeyInfo><ds:X509Data><x:y xmlns:x="urn:x"/></ds:X509Data></ds:KeyInfo>`} {
			s.KeyInfo = odd
			refused(t, []byte(s.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l)), expectation(), saml.CodeMalformed)
		}
	})
}

// What KeyInfo says does not matter in the other direction either: the key is what verifies.
func TestS20_KeyInfo_does_not_matter_when_the_key_is_right(t *testing.T) {
	evil := samltest.New("https://evil.example")
	for _, info := range []string{
		"none",
		`<ds:KeyInfo></ds:KeyInfo>`,
		`<ds:KeyInfo><ds:KeyName>k</ds:KeyName></ds:KeyInfo>`,
		`<ds:KeyInfo><ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue></ds:KeyInfo>`,
		`<ds:KeyInfo><ds:X509Data><ds:X509Certificate>` + der(evil.Certificate) + `</ds:X509Certificate></ds:X509Data></ds:KeyInfo>`,
		`<ds:KeyInfo><ds:X509Data><ds:X509Certificate>no certificate</ds:X509Certificate></ds:X509Data></ds:KeyInfo>`,
		`<ds:KeyInfo><ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data></ds:KeyInfo>`,
	} {
		each(t, func(t *testing.T, l samltest.Layout) {
			s := idp.Signer
			s.KeyInfo = info
			accepted(t, []byte(s.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l)), expectation())
		})
	}
}

func TestS20_either_of_two_certificates_may_verify_without_KeyInfo(t *testing.T) {
	next := samltest.New("https://idp.example/next")
	for _, order := range [][]*x509.Certificate{{idp.Certificate, next.Certificate}, {next.Certificate, idp.Certificate}} {
		for _, signer := range []*samltest.IDP{idp, next} {
			for _, info := range []string{"none", ""} {
				each(t, func(t *testing.T, l samltest.Layout) {
					s := signer.Signer
					s.KeyInfo = info
					e := expectation()
					e.Certificates = order
					a := accepted(t, []byte(s.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l)), e)
					if fmt.Sprintf("%x", a.Certificate) != fingerprint(signer.Certificate) {
						t.Error("the wrong certificate is said to have verified")
					}
				})
			}
		}
	}
}

func TestS21_weak_algorithms_are_refused(t *testing.T) {
	weak := samltest.NewSigner(samltest.RSA("weak", 1024), samltest.Year(2020), samltest.Year(2040))
	short := samltest.NewSigner(samltest.ECDSA(elliptic.P224()), samltest.Year(2020), samltest.Year(2040))
	p256 := samltest.NewSigner(samltest.ECDSA(elliptic.P256()), samltest.Year(2020), samltest.Year(2040))
	with := func(s samltest.Signer, method, digest string) samltest.Signer {
		s.Method, s.Digest = method, digest
		return s
	}
	for name, s := range map[string]samltest.Signer{
		"SHA-1 signature":     with(idp.Signer, samltest.RSASHA1, ""),
		"SHA-1 digest":        with(idp.Signer, "", samltest.DigestSHA1),
		"ECDSA SHA-1":         with(p256, samltest.ECDSASHA1, ""),
		"HMAC":                with(idp.Signer, samltest.HMACSHA256, ""),
		"PSS":                 with(idp.Signer, samltest.RSAPSS, ""),
		"no algorithm":        with(idp.Signer, "urn:x", ""),
		"none by ECDSA":       with(p256, "urn:x", ""),
		"no digest":           with(idp.Signer, "", "urn:x"),
		"MD5":                 with(idp.Signer, "http://www.w3.org/2001/04/xmldsig-more#rsa-md5", ""),
		"RSA-1024":            weak,
		"P-224":               short,
		"RSA by an ECDSA key": with(p256, samltest.RSASHA256, ""),
		"ECDSA by an RSA key": with(idp.Signer, samltest.ECDSASHA256, ""),
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			each(t, func(t *testing.T, l samltest.Layout) {
				e := expectation()
				e.Certificates = []*x509.Certificate{s.Certificate}
				refused(t, []byte(s.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l)), e, saml.CodeAlgorithmNotAllowed)
			})
		})
	}
}

func TestS21_SHA1_is_accepted_until_the_date_and_marked(t *testing.T) {
	for _, s := range []samltest.Signer{
		{Key: idp.Key, Certificate: idp.Certificate, Method: samltest.RSASHA1},
		{Key: idp.Key, Certificate: idp.Certificate, Digest: samltest.DigestSHA1},
		{Key: idp.Key, Certificate: idp.Certificate, Method: samltest.RSASHA1, Digest: samltest.DigestSHA1},
	} {
		each(t, func(t *testing.T, l samltest.Layout) {
			doc := []byte(s.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l))
			e := expectation()
			e.SHA1Until = e.Now.Add(1)
			if !accepted(t, doc, e).SHA1 {
				t.Error("SHA-1 was used and nobody says so")
			}
			e.SHA1Until = e.Now
			refused(t, doc, e, saml.CodeAlgorithmNotAllowed)
		})
	}
	e := expectation()
	e.SHA1Until = e.Now.Add(1)
	if accepted(t, idp.Respond(message(), samltest.BothSigned), e).SHA1 {
		t.Error("SHA-1 was not used")
	}
	// only the Response's signature is weak
	doc := idp.Over(message().XML(), samltest.AssertionID)
	s := idp.Signer
	s.Method = samltest.RSASHA1
	if !accepted(t, []byte(s.Over(doc, samltest.ResponseID)), e).SHA1 {
		t.Error("SHA-1 was used by the Response and nobody says so")
	}
}

func TestS21_good_algorithms_are_accepted(t *testing.T) {
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		for _, method := range []string{samltest.ECDSASHA256, samltest.ECDSASHA384, samltest.ECDSASHA512} {
			s := samltest.NewSigner(samltest.ECDSA(curve), samltest.Year(2020), samltest.Year(2040))
			s.Method, s.Digest = method, samltest.DigestSHA512
			each(t, func(t *testing.T, l samltest.Layout) {
				e := expectation()
				e.Certificates = []*x509.Certificate{idp.Certificate, s.Certificate}
				accepted(t, []byte(s.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l)), e)
			})
		}
	}
	for _, method := range []string{samltest.RSASHA256, samltest.RSASHA384, samltest.RSASHA512} {
		for _, digest := range []string{samltest.DigestSHA256, samltest.DigestSHA384, samltest.DigestSHA512} {
			s := idp.Signer
			s.Method, s.Digest = method, digest
			each(t, func(t *testing.T, l samltest.Layout) {
				accepted(t, []byte(s.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l)), expectation())
			})
		}
	}
}

// ECDSA on another curve than the trusted key's, and a value in the form of X.509.
func TestS21_ECDSA_value_of_another_form_is_refused(t *testing.T) {
	ours := samltest.NewSigner(samltest.ECDSA(elliptic.P256()), samltest.Year(2020), samltest.Year(2040))
	other := samltest.NewSigner(samltest.ECDSA(elliptic.P384()), samltest.Year(2020), samltest.Year(2040))
	other.Certificate = ours.Certificate
	e := expectation()
	e.Certificates = []*x509.Certificate{ours.Certificate}
	each(t, func(t *testing.T, l samltest.Layout) {
		refused(t, []byte(other.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l)), e, saml.CodeSignatureInvalid)
		doc := ours.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l)
		value := between(t, doc, "<ds:SignatureValue>", "</ds:SignatureValue>")
		raw, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(strings.TrimPrefix(value, "<ds:SignatureValue>"), "</ds:SignatureValue>"))
		if err != nil {
			t.Fatal(err)
		}
		refused(t, []byte(edit(t, doc, value, "<ds:SignatureValue>AAAA</ds:SignatureValue>")), e, saml.CodeSignatureInvalid)
		asn := append(append([]byte{0x30, 68, 2, 32}, raw[:32]...), append([]byte{2, 32}, raw[32:]...)...)
		refused(t, []byte(edit(t, doc, value, "<ds:SignatureValue>"+base64.StdEncoding.EncodeToString(asn)+"</ds:SignatureValue>")), e, saml.CodeSignatureInvalid)
	})
}

// CVE-2025-47949, CVE-2025-54369, CVE-2025-54419: a signature that is there has to hold, whichever else does.
func TestS25_every_signature_has_to_hold(t *testing.T) {
	evil := samltest.New("https://evil.example")
	inner := evil.Over(message().XML(), samltest.AssertionID)
	refused(t, []byte(idp.Over(inner, samltest.ResponseID)), expectation(), saml.CodeCertificateUnknown)
	inner = idp.Over(message().XML(), samltest.AssertionID)
	refused(t, []byte(evil.Over(inner, samltest.ResponseID)), expectation(), saml.CodeCertificateUnknown)
	changed := edit(t, inner, ">Alice<", ">Eve<")
	refused(t, []byte(idp.Over(changed, samltest.ResponseID)), expectation(), saml.CodeSignatureInvalid)
}

func TestBase64_of_a_signature_may_be_broken_into_lines(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		doc := string(idp.Respond(message(), l))
		value := between(t, doc, "<ds:SignatureValue>", "</ds:SignatureValue>")
		if l != samltest.BothSigned {
			broken := edit(t, value, value[40:80], value[40:60]+"\r\n   \t"+value[60:80]+"\n")
			accepted(t, []byte(edit(t, doc, value, broken)), expectation())
		}
		refused(t, []byte(edit(t, doc, value, edit(t, value, value[40:60], "!!!"+value[43:60]))), expectation(), saml.CodeMalformed)
	})
}
