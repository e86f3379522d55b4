package saml_test

import (
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
)

// FuzzConsume: whatever is made of documents that one identity provider signed about one person, what is accepted is about that person,
// word for word, and everything else is a typed refusal.
func FuzzConsume(f *testing.F) {
	idp := &samltest.IDP{EntityID: idp.EntityID, Signer: samltest.NewSigner(samltest.RSA(samltest.First, 2048), samltest.Year(2020), samltest.Year(2040))}
	key := samltest.RSA(samltest.Second, 2048)
	e := expectation()
	e.Certificates, e.Keys = []*x509.Certificate{idp.Certificate}, []*rsa.PrivateKey{key}
	m := message()
	evil := samltest.New("https://evil.example")
	for _, l := range samltest.Layouts() {
		genuine := idp.Respond(m, l)
		f.Add(genuine)
		f.Add(evil.Respond(m, l))
		f.Add([]byte(strings.ReplaceAll(string(genuine), samltest.Person, samltest.Evil)))
		f.Add([]byte(strings.ReplaceAll(string(genuine), "</saml:NameID>", "<!-- --></saml:NameID>")))
		f.Add([]byte(strings.ReplaceAll(string(genuine), "</saml:Assertion>", "</saml:Assertion>"+samltest.ForgedAssertion(genuine))))
		if l != samltest.ResponseSigned {
			f.Add([]byte(samltest.Seal(idp.Over(m.XML(), m.AssertionID), &key.PublicKey, samltest.Sealing{})))
		}
		for variant := 1; variant <= 8; variant++ {
			f.Add(samltest.XSW(variant, genuine))
		}
	}
	f.Add([]byte(m.XML()))
	f.Add([]byte(idp.Over(m.Denial("no", "Responder", "AuthnFailed"), m.ID)))
	want := fmt.Sprintf("%+v", accepted(f, idp.Respond(m, samltest.BothSigned), e).Attributes)
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := saml.Consume(data, e)
		if err != nil {
			var refusal *saml.Error
			if !errors.As(err, &refusal) || refusal.Code == "" {
				t.Fatalf("%q is refused with %v", data, err)
			}
			return
		}
		if a.Subject.Value != samltest.Person || a.Issuer != idp.EntityID || a.ID != samltest.AssertionID || fmt.Sprintf("%+v", a.Attributes) != want {
			t.Fatalf("%q is accepted as %+v", data, a)
		}
	})
}
