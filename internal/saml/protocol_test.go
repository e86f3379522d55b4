package saml_test

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
)

// The grammar's part of the attacks on the protocol. P numbers are those of the project's attack catalogue. Whatever is wrong here was
// signed by the identity provider as it is.

// Casdoor CVE-2026-9093, Keycloak #48878.
func TestP02_audience(t *testing.T) {
	restriction := "<saml:AudienceRestriction><saml:Audience>" + us.EntityID + "</saml:Audience></saml:AudienceRestriction>"
	for name, other := range map[string]string{
		"none":                       "",
		"other":                      "<saml:AudienceRestriction><saml:Audience>https://other.example</saml:Audience></saml:AudienceRestriction>",
		"empty":                      "<saml:AudienceRestriction><saml:Audience></saml:Audience></saml:AudienceRestriction>",
		"without audience":           "<saml:AudienceRestriction></saml:AudienceRestriction>",
		"longer":                     "<saml:AudienceRestriction><saml:Audience>" + us.EntityID + "/</saml:Audience></saml:AudienceRestriction>",
		"upper case":                 "<saml:AudienceRestriction><saml:Audience>" + strings.ToUpper(us.EntityID) + "</saml:Audience></saml:AudienceRestriction>",
		"a second restriction fails": restriction + "<saml:AudienceRestriction><saml:Audience>https://other.example</saml:Audience></saml:AudienceRestriction>",
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			each(t, func(t *testing.T, l samltest.Layout) {
				e := expectation()
				e.Audiences = append(e.Audiences, "")
				r := refused(t, sign(edit(t, message().XML(), restriction, other), l), e, saml.CodeAudienceMismatch)
				if !strings.Contains(r.Wanted, us.EntityID) || r.Got == "" {
					t.Errorf("wanted %q, got %q", r.Wanted, r.Got)
				}
			})
		})
	}
	for _, good := range []string{
		restriction + restriction,
		"<saml:AudienceRestriction><saml:Audience>https://other.example</saml:Audience><saml:Audience>" + us.EntityID + "</saml:Audience></saml:AudienceRestriction>",
		"<saml:AudienceRestriction><saml:Audience>\n  " + us.EntityID + "\n</saml:Audience></saml:AudienceRestriction>",
		restriction + "<saml:OneTimeUse/><saml:ProxyRestriction Count=\"0\"/>",
	} {
		each(t, func(t *testing.T, l samltest.Layout) {
			accepted(t, sign(edit(t, message().XML(), restriction, good), l), expectation())
		})
	}
	each(t, func(t *testing.T, l samltest.Layout) {
		conditions := between(t, message().XML(), "<saml:Conditions", "</saml:Conditions>")
		refused(t, sign(edit(t, message().XML(), conditions, ""), l), expectation(), saml.CodeAudienceMismatch)
		unknown := edit(t, message().XML(), "</saml:Conditions>", `<saml:Condition xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="x"/></saml:Conditions>`)
		refused(t, sign(unknown, l), expectation(), saml.CodeMalformed)
		odd := edit(t, message().XML(), "<saml:Audience>", "<saml:Audience>x</saml:Audience><saml:Issuer>x</saml:Issuer><saml:Audience>")
		refused(t, sign(odd, l), expectation(), saml.CodeMalformed)
	})
}

// Keycloak #45652.
func TestP03_recipient_and_destination(t *testing.T) {
	for name, address := range map[string]string{
		"other tenant":   "https://login.example/saml/xyz/acs",
		"trailing slash": us.ACS + "/",
		"case":           strings.ToUpper(us.ACS),
		"host case":      strings.Replace(us.ACS, "login", "Login", 1),
		"prefix":         strings.TrimSuffix(us.ACS, "s"),
		"query":          us.ACS + "?x=1",
		"space":          us.ACS + " ",
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			each(t, func(t *testing.T, l samltest.Layout) {
				m := message()
				m.Recipient = address
				r := refused(t, idp.Respond(m, l), expectation(), saml.CodeRecipientMismatch)
				if r.Wanted != us.ACS || r.Got != address {
					t.Errorf("wanted %q, got %q", r.Wanted, r.Got)
				}
				m = message()
				m.Destination = address
				refused(t, idp.Respond(m, l), expectation(), saml.CodeDestinationMismatch)
			})
		})
	}
	each(t, func(t *testing.T, l samltest.Layout) {
		e := expectation()
		e.Recipients = append(e.Recipients, "", "https://old.example/acs")
		m := message()
		m.Recipient = ""
		refused(t, idp.Respond(m, l), e, saml.CodeRecipientMismatch)
		m.Recipient = "https://old.example/acs"
		accepted(t, idp.Respond(m, l), e)
		m.Destination = ""
		if l == samltest.AssertionSigned { // bindings 3.5.5.2 asks for it when the message is signed
			accepted(t, idp.Respond(m, l), e)
		} else {
			refused(t, idp.Respond(m, l), e, saml.CodeDestinationMismatch)
		}
		data := between(t, message().XML(), "<saml:SubjectConfirmationData", "/>")
		refused(t, sign(edit(t, message().XML(), data, ""), l), e, saml.CodeRecipientMismatch)
	})
}

// at gives the text of a time.
func at(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// Keycloak CVE-2026-1190, Casdoor CVE-2026-9096.
func TestP04_times(t *testing.T) {
	end := now.Add(5 * time.Minute) // of the message
	for _, c := range []struct {
		name string
		now  time.Time
		skew time.Duration
		code string // "" is accepted
	}{
		{"just before the end and the skew", end.Add(2*time.Minute - 1), 0, ""},
		{"at the end and the skew", end.Add(2 * time.Minute), 0, saml.CodeExpired},
		{"skew of one minute holds", end.Add(time.Minute - 1), time.Minute, ""},
		{"skew of one minute ends", end.Add(time.Minute), time.Minute, saml.CodeExpired},
		{"no less than one minute", end.Add(time.Minute - 1), time.Second, ""},
		{"no less than one minute, not more", end.Add(time.Minute), time.Second, saml.CodeExpired},
		{"three minutes hold", end.Add(3*time.Minute - 1), 3 * time.Minute, ""},
		{"no more than three minutes", end.Add(3 * time.Minute), time.Hour, saml.CodeExpired},
		{"just within the skew before the beginning", now.Add(-2 * time.Minute), 0, ""},
		{"before the beginning and the skew", now.Add(-2*time.Minute - 1), 0, saml.CodeNotYetValid},
		{"a year later", now.AddDate(1, 0, 0), 0, saml.CodeExpired},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			each(t, func(t *testing.T, l samltest.Layout) {
				e := expectation()
				e.Now, e.ClockSkew = c.now, c.skew
				if c.code == "" {
					accepted(t, idp.Respond(message(), l), e)
					return
				}
				r := refused(t, idp.Respond(message(), l), e, c.code)
				if !strings.Contains(r.Wanted, "clocks may differ by") {
					t.Errorf("wanted %q does not show the skew", r.Wanted)
				}
			})
		})
	}
}

// change alters one attribute of one element of the unsigned document.
func change(t testing.TB, element, key, value string) string {
	t.Helper()
	doc := message().XML()
	tag := between(t, doc, "<"+element, ">")
	changed := tag
	if strings.Contains(tag, " "+key+`="`) {
		changed = edit(t, tag, between(t, tag, " "+key+`="`, `"`)+strings.SplitN(strings.SplitN(tag, " "+key+`="`, 2)[1], `"`, 2)[0]+`"`, "")
	}
	if value != "" {
		changed = edit(t, changed, "<"+element, "<"+element+" "+key+`="`+value+`"`)
	}
	return edit(t, doc, tag, changed)
}

func TestP04_each_time_counts_by_itself(t *testing.T) {
	past, future := at(now.Add(-time.Hour)), at(now.Add(time.Hour))
	for _, c := range []struct{ element, key, value, code string }{
		{"saml:SubjectConfirmationData", "NotOnOrAfter", past, saml.CodeExpired},
		{"saml:SubjectConfirmationData", "NotOnOrAfter", "", saml.CodeMalformed},
		{"saml:SubjectConfirmationData", "NotBefore", past, saml.CodeMalformed},
		{"saml:SubjectConfirmationData", "NotBefore", future, saml.CodeMalformed},
		{"saml:Conditions", "NotBefore", future, saml.CodeNotYetValid},
		{"saml:Conditions", "NotBefore", "", ""},
		{"saml:Conditions", "NotOnOrAfter", past, saml.CodeExpired},
		{"saml:Conditions", "NotOnOrAfter", "", ""},
		{"saml:AuthnStatement", "SessionNotOnOrAfter", past, saml.CodeExpired},
		{"saml:AuthnStatement", "SessionNotOnOrAfter", future, ""},
		{"saml:AuthnStatement", "AuthnInstant", future, saml.CodeNotYetValid},
		{"saml:AuthnStatement", "AuthnInstant", past, ""},
		{"saml:AuthnStatement", "AuthnInstant", "", saml.CodeMalformed},
		{"saml:Assertion", "IssueInstant", future, saml.CodeNotYetValid},
		{"saml:Assertion", "IssueInstant", "", saml.CodeMalformed},
		{"samlp:Response", "IssueInstant", future, saml.CodeNotYetValid},
		{"samlp:Response", "IssueInstant", "", saml.CodeMalformed},
		{"saml:Assertion", "Version", "1.1", saml.CodeMalformed},
		{"saml:Assertion", "Version", "", saml.CodeMalformed},
		{"samlp:Response", "Version", "2.1", saml.CodeMalformed},
		{"samlp:Response", "Version", "", saml.CodeMalformed},
	} {
		t.Run(strings.ReplaceAll(c.element, ":", "_")+"_"+c.key+"_"+c.value, func(t *testing.T) {
			each(t, func(t *testing.T, l samltest.Layout) {
				doc := sign(change(t, c.element, c.key, c.value), l)
				if c.code == "" {
					accepted(t, doc, expectation())
				} else {
					refused(t, doc, expectation(), c.code)
				}
			})
		})
	}
}

func TestP04_forms_of_a_time(t *testing.T) {
	for _, good := range []string{"2026-03-04T05:30:00Z", "2026-03-04T05:30:00.1234567Z", "2026-03-04T07:30:00+02:00"} {
		a := accepted(t, sign(change(t, "saml:AuthnStatement", "SessionNotOnOrAfter", good), samltest.BothSigned), expectation())
		if a.SessionNotOnOrAfter.Truncate(time.Second) != time.Date(2026, 3, 4, 5, 30, 0, 0, time.UTC) {
			t.Errorf("%s is read as %s", good, a.SessionNotOnOrAfter)
		}
	}
	for _, element := range [][2]string{{"saml:AuthnStatement", "SessionNotOnOrAfter"}, {"saml:AuthnStatement", "AuthnInstant"}, {"saml:Conditions", "NotBefore"}, {"saml:Conditions", "NotOnOrAfter"}, {"saml:SubjectConfirmationData", "NotBefore"}, {"saml:SubjectConfirmationData", "NotOnOrAfter"}, {"saml:Assertion", "IssueInstant"}, {"samlp:Response", "IssueInstant"}} {
		for _, bad := range []string{"2026-03-04T05:30:00", "2026-03-04", "tomorrow", "2026-3-4T5:30:00Z", "2026-13-04T05:30:00Z", "0001-01-01T00:00:00Z", " 2026-03-04T05:30:00Z", "1772602200"} {
			if r := refused(t, sign(change(t, element[0], element[1], bad), samltest.BothSigned), expectation(), saml.CodeMalformed); r.Got != bad {
				t.Errorf("%s is refused for %q", bad, r.Got)
			}
		}
	}
}

func TestP04_usable_until_is_the_earliest_end_and_the_skew(t *testing.T) {
	a := accepted(t, idp.Respond(message(), samltest.BothSigned), expectation())
	if want := now.Add(7 * time.Minute); !a.UsableUntil.Equal(want) {
		t.Errorf("usable until %s, want %s", a.UsableUntil, want)
	}
	for _, c := range [][2]string{{"saml:Conditions", "NotOnOrAfter"}, {"saml:SubjectConfirmationData", "NotOnOrAfter"}, {"saml:AuthnStatement", "SessionNotOnOrAfter"}} {
		a := accepted(t, sign(change(t, c[0], c[1], at(now.Add(time.Minute))), samltest.BothSigned), expectation())
		if want := now.Add(3 * time.Minute); !a.UsableUntil.Equal(want) {
			t.Errorf("%s: usable until %s, want %s", c[0], a.UsableUntil, want)
		}
	}
}

// Casdoor CVE-2026-9098. Which requests were made only the caller knows; here is that what it gets to compare is signed.
func TestP05_request_that_is_answered(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		if a := accepted(t, idp.Respond(message(), l), expectation()); a.InResponseTo != "_request-1" || a.ResponseID != samltest.ResponseID {
			t.Errorf("answers %q in %q", a.InResponseTo, a.ResponseID)
		}
		m := message()
		m.InResponseTo = ""
		if a := accepted(t, idp.Respond(m, l), expectation()); a.InResponseTo != "" {
			t.Errorf("an unsolicited assertion answers %q", a.InResponseTo)
		}
		differs := sign(change(t, "saml:SubjectConfirmationData", "InResponseTo", "_request-2"), l)
		if r := refused(t, differs, expectation(), saml.CodeInResponseTo); r.Claimed.InResponseTo != "_request-1" {
			t.Errorf("claims %+v", r.Claimed)
		}
		accepted(t, sign(change(t, "samlp:Response", "InResponseTo", ""), l), expectation())
		onlyOutside := sign(change(t, "saml:SubjectConfirmationData", "InResponseTo", ""), l)
		if l == samltest.AssertionSigned { // a stranger's word
			refused(t, onlyOutside, expectation(), saml.CodeInResponseTo)
		} else if a := accepted(t, onlyOutside, expectation()); a.InResponseTo != "_request-1" {
			t.Errorf("answers %q", a.InResponseTo)
		}
	})
}

func TestP05_unsigned_response_cannot_say_what_an_assertion_answers(t *testing.T) {
	m := message()
	m.InResponseTo = ""
	doc := edit(t, string(idp.Respond(m, samltest.AssertionSigned)), " Destination=", ` InResponseTo="_request-9" Destination=`)
	refused(t, []byte(doc), expectation(), saml.CodeInResponseTo)
}

func TestP06_subject_confirmations(t *testing.T) {
	one := between(t, message().XML(), "<saml:SubjectConfirmation ", "</saml:SubjectConfirmation>")
	late := edit(t, one, at(now.Add(5 * time.Minute))[:16], at(now.Add(-5 * time.Minute))[:16])
	elsewhere := edit(t, one, us.ACS, "https://other.example/acs")
	holder := edit(t, one, "cm:bearer", "cm:holder-of-key")
	for name, c := range map[string]struct{ text, code string }{
		"none":                    {"", saml.CodeMalformed},
		"holder of key":           {holder, saml.CodeMalformed},
		"sender vouches":          {edit(t, one, "cm:bearer", "cm:sender-vouches"), saml.CodeMalformed},
		"no method":               {edit(t, one, `Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"`, ""), saml.CodeMalformed},
		"only the second holds":   {late + one, ""},
		"the third holds":         {holder + elsewhere + one, ""},
		"the first fault counts":  {elsewhere + late, saml.CodeRecipientMismatch},
		"the other fault":         {late + elsewhere, saml.CodeExpired},
		"with the confirmer":      {edit(t, one, "<saml:SubjectConfirmationData", "<saml:NameID>x</saml:NameID><saml:SubjectConfirmationData"), ""},
		"a good and a broken one": {one + edit(t, one, "<saml:SubjectConfirmationData", `<x:y xmlns:x="urn:x"/><saml:SubjectConfirmationData`), saml.CodeMalformed},
		"a good and a bad time":   {one + edit(t, one, "NotOnOrAfter=", `NotBefore="x" NotOnOrAfter=`), saml.CodeMalformed},
		"foreign element":         {edit(t, one, "<saml:SubjectConfirmationData", `<x:y xmlns:x="urn:x"/><saml:SubjectConfirmationData`), saml.CodeMalformed},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			each(t, func(t *testing.T, l samltest.Layout) {
				doc := sign(edit(t, message().XML(), one, c.text), l)
				if c.code == "" {
					accepted(t, doc, expectation())
				} else {
					refused(t, doc, expectation(), c.code)
				}
			})
		})
	}
}

func TestP07_issuers(t *testing.T) {
	issuer := "<saml:Issuer>" + idp.EntityID + "</saml:Issuer>"
	each(t, func(t *testing.T, l samltest.Layout) {
		doc := message().XML()
		accepted(t, sign(edit(t, doc, issuer, ""), l), expectation())
		first, rest, _ := strings.Cut(doc, issuer)
		for name, other := range map[string]string{
			"other":      "<saml:Issuer>https://other.example</saml:Issuer>",
			"empty":      "<saml:Issuer></saml:Issuer>",
			"slash":      "<saml:Issuer>" + idp.EntityID + "/</saml:Issuer>",
			"odd format": `<saml:Issuer Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">` + idp.EntityID + "</saml:Issuer>",
		} {
			t.Run(name, func(t *testing.T) {
				refused(t, sign(first+other+rest, l), expectation(), saml.CodeIssuerMismatch)
				refused(t, sign(first+issuer+edit(t, rest, issuer, other), l), expectation(), saml.CodeIssuerMismatch)
			})
		}
		refused(t, sign(first+issuer+edit(t, rest, issuer, ""), l), expectation(), saml.CodeIssuerMismatch)
		entity := `<saml:Issuer Format="urn:oasis:names:tc:SAML:2.0:nameid-format:entity"> ` + idp.EntityID + "\n</saml:Issuer>"
		accepted(t, sign(first+entity+edit(t, rest, issuer, entity), l), expectation())
		nested := "<saml:Issuer><saml:Issuer>" + idp.EntityID + "</saml:Issuer></saml:Issuer>"
		refused(t, sign(first+issuer+edit(t, rest, issuer, nested), l), expectation(), saml.CodeMalformed)
		refused(t, sign(first+nested+rest, l), expectation(), saml.CodeMalformed)
		e := expectation()
		e.Issuer = ""
		refused(t, sign(doc, l), e, saml.CodeIssuerMismatch)
		refused(t, sign(first+edit(t, rest, issuer, ""), l), e, saml.CodeIssuerMismatch)
	})
}

// P08, the grammar's part: another tenant's identity provider signs something right for us.
func TestP08_assertion_of_another_tenants_provider_is_refused(t *testing.T) {
	other := samltest.New("https://other.example/idp")
	each(t, func(t *testing.T, l samltest.Layout) {
		refused(t, other.Respond(other.Message(us, now), l), expectation(), saml.CodeCertificateUnknown)
		e := expectation()
		e.Certificates = []*x509.Certificate{other.Certificate} // one key for two tenants, as Google and Entra ID may have
		r := refused(t, other.Respond(other.Message(us, now), l), e, saml.CodeIssuerMismatch)
		if r.Wanted != idp.EntityID || r.Got != other.EntityID || r.Claimed.Issuer != other.EntityID {
			t.Errorf("wanted %q, got %q, claimed %+v", r.Wanted, r.Got, r.Claimed)
		}
	})
}

func TestP16_certificate_past_its_end_is_accepted_and_marked(t *testing.T) {
	old := samltest.NewSigner(idp.Key, samltest.Year(2020), now.Add(-time.Hour))
	young := samltest.NewSigner(idp.Key, now.Add(time.Hour), samltest.Year(2040))
	each(t, func(t *testing.T, l samltest.Layout) {
		for _, c := range []struct {
			signer  samltest.Signer
			expired bool
		}{{old, true}, {young, false}, {idp.Signer, false}} {
			e := expectation()
			e.Certificates = []*x509.Certificate{c.signer.Certificate}
			a := accepted(t, []byte(c.signer.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l)), e)
			if a.Expired != c.expired {
				t.Errorf("expired is %v", a.Expired)
			}
		}
	})
}

func TestP17_status_other_than_success_is_translated(t *testing.T) {
	for _, c := range []struct {
		words  string
		codes  []string
		code   string
		detail string
		says   string
	}{
		{"", []string{"Responder", "AuthnFailed"}, saml.CodeDenied, "AuthnFailed", "could not sign the person in"},
		{"", []string{"Responder", "NoPassive"}, saml.CodeDenied, "NoPassive", "was told not to"},
		{"", []string{"Responder", "RequestDenied"}, saml.CodeDenied, "RequestDenied", "declined"},
		{"", []string{"Requester", "InvalidNameIDPolicy"}, saml.CodeDenied, "InvalidNameIDPolicy", "NameID format"},
		{"", []string{"Responder", "NoAuthnContext"}, saml.CodeDenied, "NoAuthnContext", "method"},
		{"", []string{"Responder"}, saml.CodeDenied, "Responder", "failed to answer"},
		{"", []string{"Responder", "Responder", "AuthnFailed"}, saml.CodeDenied, "AuthnFailed", "could not sign"},
		{"", []string{"Responder", "Strange"}, saml.CodeDenied, "Responder", "failed to answer"},
		{"", []string{"Strange"}, saml.CodeDenied, "", "refused the sign-in"},
		{"", []string{"Responder", "Success"}, saml.CodeDenied, "Responder", "failed to answer"},
		{"AADSTS50105: Your administrator has configured the application to block users.", []string{"Responder"}, saml.CodeNotAssigned, "Responder", "not assigned"},
		{"User is not assigned to the client application.", []string{"Responder", "RequestDenied"}, saml.CodeNotAssigned, "RequestDenied", "not assigned"},
	} {
		t.Run(strings.Join(c.codes, "_"), func(t *testing.T) {
			m := message()
			denial := m.Denial(c.words, c.codes...)
			for _, doc := range []string{denial, idp.Over(denial, m.ID)} {
				r := refused(t, []byte(doc), expectation(), c.code)
				if !strings.Contains(r.Message, c.says) || r.Detail != c.detail || !strings.Contains(r.Got, strings.Join(c.codes, ", ")) || r.Claimed.InResponseTo != "_request-1" || r.Claimed.ID != m.ID {
					t.Errorf("%s, detail %s, claimed %+v", told(r), r.Detail, r.Claimed)
				}
			}
		})
	}
}

func TestP17_words_of_the_provider_come_out_short_and_printable(t *testing.T) {
	r := refused(t, []byte(message().Denial("<script>alert(1)</script>\n\u202e"+strings.Repeat("ü", 5000), "Responder")), expectation(), saml.CodeDenied)
	if len(r.Got) > 300 || strings.ContainsAny(r.Got, "\n\u202e") || !strings.Contains(r.Got, "<script>") {
		t.Errorf("got %q", r.Got)
	}
}

func TestP17_error_never_carries_an_identity(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		status := between(t, message().XML(), "<samlp:Status>", "</samlp:Status>")
		failed := edit(t, message().XML(), "status:Success", "status:Responder")
		refused(t, sign(failed, l), expectation(), saml.CodeMalformed)
		for _, odd := range []string{
			"", "<samlp:Status></samlp:Status>", `<samlp:Status><samlp:StatusCode/></samlp:Status>`, status + status,
			`<samlp:Status><samlp:StatusCode Value="Success"/></samlp:Status>`,
			`<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>`,
			`<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:StatusCode></samlp:Status>`,
			`<samlp:Status><x:StatusCode xmlns:x="urn:x" Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>`,
			`<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"><x:y xmlns:x="urn:x"/></samlp:StatusCode></samlp:Status>`,
		} {
			refused(t, sign(edit(t, message().XML(), status, odd), l), expectation(), saml.CodeMalformed)
		}
		assertion := between(t, message().XML(), "<saml:Assertion", "</saml:Assertion>")
		refused(t, []byte(idp.Over(edit(t, message().XML(), assertion, ""), samltest.ResponseID)), expectation(), saml.CodeMalformed)
		refused(t, sign(edit(t, message().XML(), "<samlp:Status>", "<samlp:Extensions><x:y xmlns:x=\"urn:x\"/></samlp:Extensions><samlp:Status>"), l), expectation(), saml.CodeMalformed)
		accepted(t, sign(edit(t, message().XML(), "<samlp:Status>", "<samlp:Extensions></samlp:Extensions><samlp:Status>"), l), expectation())
	})
}

func TestP17_signed_error_has_to_hold(t *testing.T) {
	denial := idp.Over(message().Denial("", "Responder", "AuthnFailed"), samltest.ResponseID)
	refused(t, []byte(edit(t, denial, "AuthnFailed", "NoPassive")), expectation(), saml.CodeSignatureInvalid)
}

func TestP18_attributes(t *testing.T) {
	statement := between(t, message().XML(), "<saml:AttributeStatement>", "</saml:AttributeStatement>")
	with := func(t *testing.T, text string, l samltest.Layout) []saml.Attribute {
		t.Helper()
		return accepted(t, sign(edit(t, message().XML(), statement, text), l), expectation()).Attributes
	}
	value := func(s string) string { return "<saml:AttributeValue>" + s + "</saml:AttributeValue>" }
	each(t, func(t *testing.T, l samltest.Layout) {
		for name, c := range map[string]struct {
			text string
			want []saml.Attribute
		}{
			"none":      {"", nil},
			"no values": {`<saml:AttributeStatement><saml:Attribute Name="a"/></saml:AttributeStatement>`, []saml.Attribute{{Name: "a"}}},
			"empty": {
				`<saml:AttributeStatement><saml:Attribute Name="a">` + value("") + value("x") + `</saml:Attribute></saml:AttributeStatement>`,
				[]saml.Attribute{{Name: "a", Values: []string{"", "x"}}},
			},
			"repeated": {
				`<saml:AttributeStatement><saml:Attribute Name="a" FriendlyName="f">` + value("1") + `</saml:Attribute><saml:Attribute Name="b">` + value("2") + `</saml:Attribute><saml:Attribute Name="a" FriendlyName="g">` + value("3") + `</saml:Attribute></saml:AttributeStatement>`,
				[]saml.Attribute{{Name: "a", FriendlyName: "f", Values: []string{"1", "3"}}, {Name: "b", Values: []string{"2"}}},
			},
			"friendly names collide": {
				`<saml:AttributeStatement><saml:Attribute Name="a" FriendlyName="f">` + value("1") + `</saml:Attribute><saml:Attribute Name="b" FriendlyName="f">` + value("2") + `</saml:Attribute></saml:AttributeStatement>`,
				[]saml.Attribute{{Name: "a", FriendlyName: "f", Values: []string{"1"}}, {Name: "b", FriendlyName: "f", Values: []string{"2"}}},
			},
			"name formats": {
				`<saml:AttributeStatement><saml:Attribute Name="a" NameFormat="urn:1">` + value("1") + `</saml:Attribute><saml:Attribute Name="a" NameFormat="urn:2">` + value("2") + `</saml:Attribute></saml:AttributeStatement>`,
				[]saml.Attribute{{Name: "a", NameFormat: "urn:1", Values: []string{"1"}}, {Name: "a", NameFormat: "urn:2", Values: []string{"2"}}},
			},
			"nil": {
				`<saml:AttributeStatement><saml:Attribute Name="a"><saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>` + value("1") + `<saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="1"/><saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="false">2</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>`,
				[]saml.Attribute{{Name: "a", Values: []string{"1", "2"}}},
			},
			"typed": {
				`<saml:AttributeStatement><saml:Attribute Name="a"><saml:AttributeValue xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string"> 1 </saml:AttributeValue></saml:Attribute></saml:AttributeStatement>`,
				[]saml.Attribute{{Name: "a", Values: []string{" 1 "}}},
			},
			"NameID": {
				`<saml:AttributeStatement><saml:Attribute Name="urn:oid:1.3.6.1.4.1.5923.1.1.1.10">` + value(`<saml:NameID Format="x">target</saml:NameID>`) + `</saml:Attribute></saml:AttributeStatement>`,
				[]saml.Attribute{{Name: "urn:oid:1.3.6.1.4.1.5923.1.1.1.10", Values: []string{"target"}}},
			},
			"two statements": {
				`<saml:AttributeStatement><saml:Attribute Name="a">` + value("1") + `</saml:Attribute></saml:AttributeStatement><saml:AttributeStatement><saml:Attribute Name="a">` + value("2") + `</saml:Attribute></saml:AttributeStatement>`,
				[]saml.Attribute{{Name: "a", Values: []string{"1", "2"}}},
			},
		} {
			t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
				got := with(t, c.text, l)
				if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", c.want) {
					t.Errorf("read %+v, want %+v", got, c.want)
				}
			})
		}
		for _, odd := range []string{
			`<saml:AttributeStatement><x:y xmlns:x="urn:x"/></saml:AttributeStatement>`,
			`<saml:AttributeStatement><saml:EncryptedAttribute/></saml:AttributeStatement>`,
			`<saml:AttributeStatement><saml:Attribute Name="a"><x:y xmlns:x="urn:x"/></saml:Attribute></saml:AttributeStatement>`,
			`<saml:AttributeStatement><saml:Attribute Name="a">` + value("<x>1</x>") + `</saml:Attribute></saml:AttributeStatement>`,
			`<saml:AttributeStatement><saml:Attribute Name="a">` + value("1<saml:NameID>2</saml:NameID>") + `</saml:Attribute></saml:AttributeStatement>`,
			`<saml:AttributeStatement><saml:Attribute Name="a">` + value("<saml:NameID>2</saml:NameID>1") + `</saml:Attribute></saml:AttributeStatement>`,
			`<saml:AttributeStatement><saml:Attribute Name="a">` + value("<saml:NameID>1</saml:NameID><saml:NameID>2</saml:NameID>") + `</saml:Attribute></saml:AttributeStatement>`,
			`<saml:AttributeStatement><saml:Attribute Name="a">` + value("<saml:NameID><x>1</x></saml:NameID>") + `</saml:Attribute></saml:AttributeStatement>`,
			`<saml:AttributeStatement>text</saml:AttributeStatement>`,
			`<saml:AuthzDecisionStatement/>`,
		} {
			refused(t, sign(edit(t, message().XML(), statement, odd), l), expectation(), saml.CodeMalformed)
		}
	})
}

func TestP18_five_thousand_groups_are_read(t *testing.T) {
	m := message()
	groups := make([]string, 5001)
	for i := range groups {
		groups[i] = fmt.Sprint("g", i)
	}
	m.Attributes = []samltest.Attribute{{Name: "groups", Values: groups}}
	each(t, func(t *testing.T, l samltest.Layout) {
		doc := strings.ReplaceAll(m.XML(), "saml:", "s:")
		doc = strings.ReplaceAll(doc, "xmlns:saml=", "xmlns:s=")
		doc = strings.ReplaceAll(doc, "s:Issuer", "saml:Issuer")
		doc = strings.ReplaceAll(doc, "<saml:Issuer>", `<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">`)
		a := accepted(t, sign(doc, l), expectation())
		if !slices.Equal(a.Attributes[0].Values, groups) {
			t.Error("groups were lost")
		}
	})
}

func TestP19_sign_in_anew_and_by_a_method(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		e := expectation()
		e.AuthnAfter = now.Add(2 * time.Minute)
		accepted(t, idp.Respond(message(), l), e)
		e.AuthnAfter = now.Add(2*time.Minute + 1)
		refused(t, idp.Respond(message(), l), e, saml.CodeExpired)
		e = expectation()
		e.Contexts = []string{"urn:x", message().Context}
		accepted(t, idp.Respond(message(), l), e)
		e.Contexts = []string{"urn:x", ""}
		if r := refused(t, idp.Respond(message(), l), e, saml.CodeDenied); r.Detail != "NoAuthnContext" {
			t.Errorf("detail %q", r.Detail)
		}
		context := between(t, message().XML(), "<saml:AuthnContext>", "</saml:AuthnContext>")
		refused(t, sign(edit(t, message().XML(), context, ""), l), e, saml.CodeDenied)
		accepted(t, sign(edit(t, message().XML(), context, ""), l), expectation())
		statement := between(t, message().XML(), "<saml:AuthnStatement", "</saml:AuthnStatement>")
		refused(t, sign(edit(t, message().XML(), statement, ""), l), expectation(), saml.CodeMalformed)
		for _, odd := range []string{edit(t, statement, "<saml:AuthnContext>", "<saml:AuthnContext/><saml:AuthnContext>"), edit(t, statement, "<saml:AuthnContext>", "<saml:AuthnContext><saml:AuthnContextDecl/>")} {
			refused(t, sign(edit(t, message().XML(), statement, odd), l), expectation(), saml.CodeMalformed)
		}
	})
}

func TestP19_of_several_statements_the_earliest_times_and_the_first_session_count(t *testing.T) {
	statement := between(t, message().XML(), "<saml:AuthnStatement", "</saml:AuthnStatement>")
	other := `<saml:AuthnStatement AuthnInstant="2026-03-04T05:00:00Z" SessionIndex="_other" SessionNotOnOrAfter="2026-03-04T06:00:00Z"><saml:AuthnContext><saml:AuthnContextClassRef>urn:x</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`
	for _, both := range []string{statement + other, statement + other + statement} {
		a := accepted(t, sign(edit(t, message().XML(), statement, both), samltest.BothSigned), expectation())
		if a.SessionIndex != "_session-1" || a.Context != message().Context || !a.AuthnInstant.Equal(time.Date(2026, 3, 4, 5, 0, 0, 0, time.UTC)) || !a.SessionNotOnOrAfter.Equal(time.Date(2026, 3, 4, 6, 0, 0, 0, time.UTC)) {
			t.Errorf("read %+v", a)
		}
	}
}

func TestSubject_is_read_and_demanded(t *testing.T) {
	id := between(t, message().XML(), "<saml:NameID", "</saml:NameID>")
	each(t, func(t *testing.T, l samltest.Layout) {
		a := accepted(t, sign(edit(t, message().XML(), id, `<saml:NameID Format="urn:f" NameQualifier="q" SPNameQualifier="s">`+"\n "+samltest.Person+"\t</saml:NameID>"), l), expectation())
		if a.Subject != (saml.NameID{Value: samltest.Person, Format: "urn:f", NameQualifier: "q", SPNameQualifier: "s"}) || a.Issuer != idp.EntityID || a.ID != samltest.AssertionID {
			t.Errorf("read %+v", a)
		}
		for _, none := range []string{"", "<saml:NameID></saml:NameID>", "<saml:NameID> \n</saml:NameID>"} {
			if r := refused(t, sign(edit(t, message().XML(), id, none), l), expectation(), saml.CodeMissingAttribute); r.Field != "NameID" {
				t.Errorf("field %q", r.Field)
			}
		}
		for _, odd := range []string{"<saml:EncryptedID/>", "<saml:BaseID/>", id + id, "<saml:NameID><x>y</x></saml:NameID>", "<saml:NameID>" + strings.Repeat("x", 1025) + "</saml:NameID>"} {
			refused(t, sign(edit(t, message().XML(), id, odd), l), expectation(), saml.CodeMalformed)
		}
		subject := between(t, message().XML(), "<saml:Subject>", "</saml:Subject>")
		refused(t, sign(edit(t, message().XML(), subject, ""), l), expectation(), saml.CodeMissingAttribute)
		refused(t, sign(edit(t, message().XML(), subject, subject+subject), l), expectation(), saml.CodeMalformed)
		conditions := between(t, message().XML(), "<saml:Conditions", "</saml:Conditions>")
		refused(t, sign(edit(t, message().XML(), subject+conditions, conditions+subject), l), expectation(), saml.CodeMalformed)
	})
}

func TestP07_message_without_an_ID_is_refused(t *testing.T) {
	m := message()
	refused(t, []byte(edit(t, string(idp.Respond(m, samltest.AssertionSigned)), ` ID="`+m.ID+`"`, "")), expectation(), saml.CodeMalformed)
	refused(t, []byte(idp.Over(edit(t, m.XML(), ` ID="`+m.AssertionID+`"`, ""), m.ID)), expectation(), saml.CodeMalformed)
}
