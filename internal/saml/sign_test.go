package saml

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// pairs are made once: an RSA key costs more than all else in these tests.
var pairs = [3]func() (*rsa.PrivateKey, *x509.Certificate){newPair("https://sp.example/saml/a"), newPair("https://sp.example/saml/b"), newPair("https://idp.example")}

func newPair(name string) func() (*rsa.PrivateKey, *x509.Certificate) {
	type made struct {
		key  *rsa.PrivateKey
		cert *x509.Certificate
	}
	once := sync.OnceValue(func() made {
		key, cert, err := NewKeyPair(name, noon)
		if err != nil {
			panic(err)
		}
		return made{key, cert}
	})
	return func() (*rsa.PrivateKey, *x509.Certificate) { m := once(); return m.key, m.cert }
}

func parse(t testing.TB, text string) *etree.Element {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromString(text); err != nil {
		t.Fatal(err)
	}
	return doc.Root()
}

func text(t testing.TB, el *etree.Element) string {
	t.Helper()
	b, err := serialize(el)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// verifies asks goxmldsig, reading the text anew.
func verifies(t testing.TB, document string, cert *x509.Certificate) bool {
	t.Helper()
	context := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{cert}})
	context.Clock = dsig.NewFakeClockAt(noon)
	_, err := context.Validate(parse(t, document))
	return err == nil
}

// xmlsecVerifies asks xmlsec1, which shares no code with us.
func xmlsecVerifies(t testing.TB, document string, cert *x509.Certificate, idOf string) bool {
	t.Helper()
	program := xmlsec(t)
	dir := t.TempDir()
	file, pem := filepath.Join(dir, "m.xml"), filepath.Join(dir, "c.pem")
	write(t, file, []byte(document))
	write(t, pem, certificatePEM(cert))
	out, err := exec.Command(program, "--verify", "--pubkey-cert-pem", pem, "--id-attr:ID", idOf, file).CombinedOutput()
	if err != nil {
		t.Logf("xmlsec1: %s", out)
	}
	return err == nil
}

func write(t testing.TB, file string, data []byte) {
	t.Helper()
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

const unsigned = `<outer xmlns:s="urn:s" xmlns="urn:outer"><s:Message ID="_1" Note="a&#10;b&quot;"><s:Issuer>me &amp; you&#13;</s:Issuer><inner xmlns:q="urn:q" q:x="1">é</inner></s:Message></outer>`

func TestSignature_is_verified_by_others_inside_a_document_and_alone(t *testing.T) {
	key, cert := pairs[0]()
	outer := parse(t, unsigned)
	message := outer.ChildElements()[0]
	if err := SignElement(message, key, cert, "Issuer"); err != nil {
		t.Fatal(err)
	}
	if got := message.ChildElements()[1].Tag; got != "Signature" {
		t.Errorf("behind Issuer stands %s", got)
	}
	if whole := text(t, outer); !xmlsecVerifies(t, whole, cert, "urn:s:Message") {
		t.Errorf("xmlsec1 refuses it in place: %s", whole)
	}
	alone := text(t, detach(message))
	if !verifies(t, alone, cert) || !xmlsecVerifies(t, alone, cert, "urn:s:Message") {
		t.Errorf("refused alone: %s", alone)
	}
	if _, other := pairs[1](); verifies(t, alone, other) {
		t.Error("another certificate verifies it")
	}
	if bent := strings.Replace(alone, "é", "e", 1); verifies(t, bent, cert) || xmlsecVerifies(t, bent, cert, "urn:s:Message") {
		t.Error("it holds for another text")
	}
}

func TestSignature_goes_first_where_the_schema_wants_it(t *testing.T) {
	key, cert := pairs[0]()
	el := parse(t, `<a ID="_1"><b/></a>`)
	if err := SignElement(el, key, cert, ""); err != nil {
		t.Fatal(err)
	}
	if el.ChildElements()[0].Tag != "Signature" || !verifies(t, text(t, el), cert) {
		t.Error(text(t, el))
	}
}

func TestSigning_refuses_what_nobody_could_verify(t *testing.T) {
	key, cert := pairs[0]()
	other, _ := pairs[1]()
	signed := parse(t, `<a ID="_1"><Issuer/></a>`)
	if err := SignElement(signed, key, cert, "Issuer"); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name string
		el   *etree.Element
		key  *rsa.PrivateKey
		cert *x509.Certificate
		want string
	}{
		{"no ID", parse(t, `<a><Issuer/></a>`), key, cert, "no ID"},
		{"no place", parse(t, `<a ID="_1"><b><Issuer/></b></a>`), key, cert, "no Issuer"},
		{"twice", signed, key, cert, "signed already"},
		{"another key", parse(t, `<a ID="_1"><Issuer/></a>`), other, cert, "another key"},
		{"no key", parse(t, `<a ID="_1"><Issuer/></a>`), nil, cert, "are needed"},
		{"no certificate", parse(t, `<a ID="_1"><Issuer/></a>`), key, nil, "are needed"},
	}
	for _, c := range cases {
		before := text(t, c.el)
		err := SignElement(c.el, c.key, c.cert, "Issuer")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if text(t, c.el) != before {
			t.Errorf("%s: the element was changed", c.name)
		}
	}
}

func certificatePEM(cert *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
}
