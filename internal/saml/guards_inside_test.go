package saml

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/saml/samltest"
)

// S21: RFC 9231 2.3.6: the value has one length, or the same r and s would have many forms.
func TestS21_ECDSA_octets_of_another_length_are_refused(t *testing.T) {
	key := samltest.ECDSA(elliptic.P256())
	cert := samltest.NewSigner(key, samltest.Year(2020), samltest.Year(2040)).Certificate
	sum := sha256.Sum256([]byte("x"))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	rs := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	padded := append(append(append([]byte{}, rs[:32]...), 0), rs[32:]...)
	a := octetAlgorithm{ecdsa: true}
	if !a.holds(cert, sum[:], rs) {
		t.Fatal("a good value is refused")
	}
	if a.holds(cert, sum[:], padded) {
		t.Error("a value with a zero more is accepted")
	}
}

// S12: an element without an ID cannot be what a reference names.
func TestS12_reference_to_an_element_without_an_ID_is_refused(t *testing.T) {
	doc := `<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">` +
		`<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>` +
		`<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>` +
		`<ds:Reference URI="#"><ds:Transforms>` +
		`<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/><ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>` +
		`</ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>AAAA</ds:DigestValue></ds:Reference></ds:SignedInfo>`
	info, err := resolve(parse(t, doc))
	if err != nil {
		t.Fatal(err)
	}
	if err := (&signature{}).signedInfo(info, ""); code(err) != CodeSignatureInvalid {
		t.Errorf("got %v, want %s", err, CodeSignatureInvalid)
	}
	named, err := resolve(parse(t, strings.Replace(doc, `URI="#"`, `URI="#_1"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if err := (&signature{}).signedInfo(named, "_1"); err != nil {
		t.Error(err)
	}
}

func TestSigning_refuses_a_certificate_of_another_kind_of_key(t *testing.T) {
	key, _ := pairs[0]()
	cert := samltest.NewSigner(samltest.ECDSA(elliptic.P256()), samltest.Year(2020), samltest.Year(2040)).Certificate
	if err := SignElement(parse(t, `<a ID="_1"><Issuer/></a>`), key, cert, "Issuer"); err == nil || !strings.Contains(err.Error(), "another key") {
		t.Errorf("got %v", err)
	}
}

// S23: parameters in markup are parameters too.
func TestS23_OAEP_parameters_in_markup_are_refused(t *testing.T) {
	el := seal(t, samltest.Sealing{})
	el.FindElement(".//EncryptedKey/EncryptionMethod").CreateElement("xenc:OAEPparams").CreateElement("xenc:x")
	if _, err := opens(t, el, false); err == nil || !strings.Contains(err.Error(), "OAEP parameters") {
		t.Errorf("got %v", err)
	}
}
