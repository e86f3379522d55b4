package second_test

import (
	"bytes"
	"compress/flate"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/saml/second"
)

var (
	now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	idp = samltest.New("https://idp.example/metadata")
	us  = samltest.To{EntityID: "https://login.example/saml/abc", ACS: "https://login.example/saml/abc/acs"}
)

func expectation() saml.Expectation {
	return saml.Expectation{
		Now: now, Issuer: idp.EntityID, Audiences: []string{us.EntityID}, Recipients: []string{us.ACS},
		Certificates: []*x509.Certificate{idp.Certificate},
	}
}

func message() samltest.Message { return idp.Message(us, now) }

func edit(t testing.TB, doc, from, to string) string {
	t.Helper()
	if !strings.Contains(doc, from) {
		t.Fatalf("nothing to change: %q", from)
	}
	return strings.Replace(doc, from, to, 1)
}

// check consumes a document, which has to be accepted, and asks the second verifier.
func check(t testing.TB, doc []byte, e saml.Expectation) error {
	t.Helper()
	ours, err := saml.Consume(doc, e)
	if err != nil {
		t.Fatalf("refused by the first: %v", err)
	}
	asked := second.Check(doc, e, ours)
	if ahead := second.Ahead(doc, e).Check(doc, e, ours); (asked == nil) != (ahead == nil) || asked != nil && asked.Error() != ahead.Error() {
		t.Fatalf("asked ahead it says %v, and afterwards %v", ahead, asked)
	}
	return asked
}

func each(t *testing.T, f func(t *testing.T, l samltest.Layout)) {
	for _, l := range samltest.Layouts() {
		t.Run(strings.ReplaceAll(l.String(), " ", "_"), func(t *testing.T) { f(t, l) })
	}
}

func agree(t testing.TB, doc []byte, e saml.Expectation) {
	t.Helper()
	if err := check(t, doc, e); err != nil {
		var refusal *saml.Error
		if errors.As(err, &refusal) {
			t.Fatalf("%v: ours %s, theirs %s", err, refusal.Wanted, refusal.Got)
		}
		t.Fatal(err)
	}
}

func TestSecond_agrees_about_every_good_document(t *testing.T) {
	for name, change := range map[string]func(*testing.T, string) string{
		"plain": func(_ *testing.T, doc string) string { return doc },
		"odd text": func(t *testing.T, doc string) string {
			return edit(t, doc, ">Alice<", "> a&#9;b\nc ü 𝄞 &lt;&amp;]]&gt;<")
		},
		"empty value": func(t *testing.T, doc string) string { return edit(t, doc, ">Alice<", "><") },
		"NameID as value": func(t *testing.T, doc string) string {
			return edit(t, doc, ">Alice<", "><saml:NameID>target</saml:NameID><")
		},
		"repeated attribute": func(t *testing.T, doc string) string {
			return edit(t, doc, "</saml:AttributeStatement>", `<saml:Attribute Name="groups"><saml:AttributeValue>more</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>`)
		},
		"no attributes": func(t *testing.T, doc string) string {
			from, until := strings.Index(doc, "<saml:AttributeStatement>"), strings.Index(doc, "</saml:Assertion>")
			return doc[:from] + doc[until:]
		},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			each(t, func(t *testing.T, l samltest.Layout) {
				doc := change(t, message().XML())
				agree(t, []byte(idp.Sign(doc, samltest.ResponseID, samltest.AssertionID, l)), expectation())
			})
		})
	}
	each(t, func(t *testing.T, l samltest.Layout) {
		m := message()
		m.Microsoft = true
		agree(t, idp.Respond(m, l), expectation())
	})
}

// What gosaml2 cannot do as it is and can when it is asked otherwise.
func TestSecond_is_asked_so_that_it_can_answer(t *testing.T) {
	next := samltest.New("https://idp.example/next")
	old := samltest.NewSigner(idp.Key, samltest.Year(2020), now.Add(-time.Hour))
	each(t, func(t *testing.T, l samltest.Layout) {
		t.Run("two certificates without KeyInfo", func(t *testing.T) {
			s := idp.Signer
			s.KeyInfo = "none"
			e := expectation()
			e.Certificates = []*x509.Certificate{next.Certificate, idp.Certificate}
			agree(t, []byte(s.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l)), e)
		})
		t.Run("certificate past its end", func(t *testing.T) {
			e := expectation()
			e.Certificates = []*x509.Certificate{old.Certificate}
			agree(t, []byte(old.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l)), e)
		})
		t.Run("clocks that differ", func(t *testing.T) {
			e := expectation()
			e.ClockSkew = 3 * time.Minute
			for _, at := range []time.Time{now.Add(8*time.Minute - 1), now.Add(-3 * time.Minute)} {
				e.Now = at
				agree(t, idp.Respond(message(), l), e)
			}
		})
		t.Run("one of several addresses", func(t *testing.T) {
			e := expectation()
			e.Recipients = []string{"https://a.example", "https://b.example", us.ACS}
			agree(t, idp.Respond(message(), l), e)
		})
		t.Run("SHA-1", func(t *testing.T) {
			s := idp.Signer
			s.Method, s.Digest = samltest.RSASHA1, samltest.DigestSHA1
			e := expectation()
			e.SHA1Until = now.Add(time.Hour)
			agree(t, []byte(s.Sign(message().XML(), samltest.ResponseID, samltest.AssertionID, l)), e)
		})
		t.Run("encrypted", func(t *testing.T) {
			key := samltest.RSA("ours", 2048)
			e := expectation()
			e.Keys = []*rsa.PrivateKey{samltest.RSA("before", 2048), key}
			doc := message().XML()
			if l != samltest.ResponseSigned {
				doc = idp.Over(doc, samltest.AssertionID)
			}
			doc = samltest.Seal(doc, &key.PublicKey, samltest.Sealing{})
			if l != samltest.AssertionSigned {
				doc = idp.Over(doc, samltest.ResponseID)
			}
			agree(t, []byte(doc), e)
		})
	})
}

// In an unsigned Response everything around the assertion is a stranger's to change, so none of it may switch the second verifier off.
func TestSecond_cannot_be_switched_off_by_a_stranger(t *testing.T) {
	evil := samltest.New("https://evil.example")
	doc := string(idp.Respond(message(), samltest.AssertionSigned))
	issuer := "<saml:Issuer>" + idp.EntityID + "</saml:Issuer>"
	e := expectation()
	e.Recipients = append(e.Recipients, "https://old.example/acs")
	for name, changed := range map[string]string{
		"no Issuer":         edit(t, doc, issuer, ""),
		"other Destination": edit(t, doc, `Destination="`+us.ACS+`"`, `Destination="https://old.example/acs"`),
		"many elements":     edit(t, doc, "</samlp:Status>", "<samlp:StatusDetail>"+strings.Repeat("<x/>", 2000)+"</samlp:StatusDetail></samlp:Status>"),
		"other KeyInfo":     edit(t, doc, fmt.Sprintf("<ds:X509Certificate>%s", samltest.Post(idp.Certificate.Raw)), "<ds:X509Certificate>"+samltest.Post(evil.Certificate.Raw)),
		"no certificate":    edit(t, edit(t, doc, "<ds:X509Data>", "<ds:KeyName>x"), "<ds:X509Certificate>"+samltest.Post(idp.Certificate.Raw)+"</ds:X509Certificate></ds:X509Data>", "</ds:KeyName>"),
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) { agree(t, []byte(changed), e) })
	}
}

func TestSecond_tells_its_gaps(t *testing.T) {
	issuer := "<saml:Issuer>" + idp.EntityID + "</saml:Issuer>"
	odd := idp.Signer
	odd.KeyInfo = "<ds:KeyInfo><ds:KeyName>x</ds:KeyName></ds:KeyInfo>"
	ec := samltest.NewSigner(samltest.ECDSA(elliptic.P256()), samltest.Year(2020), samltest.Year(2040))
	byEC := expectation()
	byEC.Certificates = []*x509.Certificate{ec.Certificate}
	two := expectation()
	two.Recipients = append(two.Recipients, "https://old.example/acs")
	elsewhere := message()
	elsewhere.Destination = "https://old.example/acs"
	many := message()
	many.Attributes = []samltest.Attribute{{Name: "groups", Values: make([]string, 1000)}}
	confirmation := `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"/>`
	key := samltest.RSA("ours", 2048)
	opening := expectation()
	opening.Keys = []*rsa.PrivateKey{key}
	for name, c := range map[string]struct {
		doc []byte
		e   saml.Expectation
		gap second.Gap
	}{
		"issuer":        {[]byte(idp.Over(edit(t, message().XML(), issuer, ""), samltest.ResponseID)), expectation(), second.GapResponseIssuer},
		"confirmations": {[]byte(idp.Over(edit(t, message().XML(), "</saml:Subject>", confirmation+"</saml:Subject>"), samltest.AssertionID)), expectation(), second.GapConfirmations},
		"addresses":     {idp.Respond(elsewhere, samltest.ResponseSigned), two, second.GapAddresses},
		"ECDSA":         {[]byte(ec.Over(message().XML(), samltest.AssertionID)), byEC, second.GapECDSA},
		"KeyInfo":       {[]byte(idp.Over(odd.Over(message().XML(), samltest.AssertionID), samltest.ResponseID)), expectation(), second.GapKeyInfo},
		"size":          {idp.Respond(many, samltest.BothSigned), expectation(), second.GapSize},
		"encryption":    {[]byte(samltest.Seal(idp.Over(message().XML(), samltest.AssertionID), &key.PublicKey, samltest.Sealing{Transport: samltest.OAEP11, Digest: samltest.DigestSHA256, Mask: samltest.MaskSHA512})), opening, second.GapEncryption},
	} {
		t.Run(name, func(t *testing.T) {
			var gap second.Gap
			if err := check(t, c.doc, c.e); !errors.As(err, &gap) || gap != c.gap {
				t.Errorf("answered %v, want the gap %q", err, c.gap)
			}
		})
	}
}

// Were the first verifier mistaken about anything that counts, the second says so.
func TestSecond_disagrees_when_the_first_is_mistaken(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		for name, mistake := range map[string]func(*saml.Assertion){
			"person":            func(a *saml.Assertion) { a.Subject.Value = samltest.Evil },
			"format":            func(a *saml.Assertion) { a.Subject.Format = "urn:x" },
			"qualifier":         func(a *saml.Assertion) { a.Subject.NameQualifier = "x" },
			"SP qualifier":      func(a *saml.Assertion) { a.Subject.SPNameQualifier = "x" },
			"assertion":         func(a *saml.Assertion) { a.ID = samltest.EvilID },
			"issuer":            func(a *saml.Assertion) { a.Issuer = "https://evil.example" },
			"value":             func(a *saml.Assertion) { a.Attributes[0].Values[0] = samltest.Evil },
			"name":              func(a *saml.Assertion) { a.Attributes[0].Name = "x" },
			"another attribute": func(a *saml.Assertion) { a.Attributes = append(a.Attributes, saml.Attribute{Name: "x"}) },
			"certificate":       func(a *saml.Assertion) { a.Certificate[0]++ },
		} {
			t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
				doc := idp.Respond(message(), l)
				ours, err := saml.Consume(doc, expectation())
				if err != nil {
					t.Fatal(err)
				}
				mistake(ours)
				disagreement(t, second.Check(doc, expectation(), ours))
			})
		}
		t.Run("signature", func(t *testing.T) {
			doc := idp.Respond(message(), l)
			ours, err := saml.Consume(doc, expectation())
			if err != nil {
				t.Fatal(err)
			}
			disagreement(t, second.Check([]byte(edit(t, string(doc), ">Alice<", ">Eve<")), expectation(), ours))
			disagreement(t, second.Check([]byte(message().XML()), expectation(), ours))
			disagreement(t, second.Check([]byte("<"), expectation(), ours))
			disagreement(t, second.Check(nil, expectation(), ours))
			nowhere := expectation()
			nowhere.Recipients = nil
			disagreement(t, second.Check(doc, nowhere, ours))
		})
	})
}

// What was asked ahead counts for nothing but the same question.
func TestSecond_asked_ahead_judges_what_was_accepted(t *testing.T) {
	other := samltest.New("https://idp.example/other")
	doc := idp.Respond(message(), samltest.AssertionSigned)
	e := expectation()
	ours, err := saml.Consume(doc, e)
	if err != nil {
		t.Fatal(err)
	}
	mistaken := *ours
	mistaken.Subject.Value = samltest.Evil
	disagreement(t, second.Ahead(doc, e).Check(doc, e, &mistaken))
	before := e
	before.Certificates = []*x509.Certificate{other.Certificate, idp.Certificate} // the guess is wrong
	if err := second.Ahead(doc, before).Check(doc, before, ours); err != nil {
		t.Errorf("another certificate than the first: %v", err)
	}
	forged := []byte(edit(t, string(doc), ">Alice<", ">Eve<"))
	disagreement(t, second.Ahead(forged, e).Check(forged, e, ours))
	none := e
	none.Certificates = nil
	disagreement(t, second.Ahead(doc, none).Check(doc, none, ours))
	// A guess of one certificate's signature never stands for another's.
	twice := e
	twice.Certificates = []*x509.Certificate{idp.Certificate, other.Certificate}
	byOther := *ours
	byOther.Certificate = sha256.Sum256(other.Certificate.Raw)
	disagreement(t, second.Ahead(doc, twice).Check(doc, twice, &byOther))
}

// POST compresses nothing: what is no document is not inflated until it is one.
func TestSecond_inflates_nothing(t *testing.T) {
	doc := idp.Respond(message(), samltest.AssertionSigned)
	e := expectation()
	ours, err := saml.Consume(doc, e)
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(doc); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	disagreement(t, second.Check(packed.Bytes(), e, ours))
	disagreement(t, second.Ahead(packed.Bytes(), e).Check(packed.Bytes(), e, ours))
}

func disagreement(t *testing.T, err error) {
	t.Helper()
	var refusal *saml.Error
	if !errors.As(err, &refusal) || refusal.Code != saml.CodeVerifiersDisagree {
		t.Errorf("answered %v, want %s", err, saml.CodeVerifiersDisagree)
	}
}

// BenchmarkBoth is consuming and asking the second verifier; BenchmarkConsume and BenchmarkFloor stand beside saml.
func BenchmarkBoth(b *testing.B) {
	for _, l := range samltest.Layouts() {
		doc := idp.Respond(message(), l)
		e := expectation()
		b.Run(l.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := check(b, doc, e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
