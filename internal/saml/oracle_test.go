package saml_test

import (
	"bytes"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
)

// xmlsec1 verifies the first signature of a document by the certificate. It shares nothing with us but the standard.
func xmlsec1(t *testing.T, doc []byte, c *x509.Certificate) error {
	t.Helper()
	program, err := exec.LookPath("xmlsec1")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("xmlsec1 is not installed; .ci/needs installs it")
		}
		t.Skip("xmlsec1 is not installed (Debian's package xmlsec1); without it nobody else verifies what is accepted here")
	}
	folder := t.TempDir()
	certificate, document := filepath.Join(folder, "c.pem"), filepath.Join(folder, "d.xml")
	if err := os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(document, doc, 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program, "--verify", "--pubkey-cert-pem", certificate, "--enabled-key-data", "rsa,ec,ecdsa",
		"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:protocol:Response", "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion", document)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Logf("%s", bytes.TrimSpace(out))
	}
	return err
}

// good makes every kind of document that is accepted in the clear, by a name.
func good(t *testing.T, f func(t *testing.T, doc []byte, e saml.Expectation, signer samltest.Signer)) {
	inclusive := idp.Signer
	inclusive.Prefixes = "saml samlp"
	bare := idp.Signer
	bare.KeyInfo = "none"
	for name, signer := range map[string]samltest.Signer{
		"RSA_2048":           idp.Signer,
		"RSA_3072_SHA_512":   {Key: samltest.RSA("3072", 3072), Certificate: samltest.NewSigner(samltest.RSA("3072", 3072), samltest.Year(2020), samltest.Year(2040)).Certificate, Method: samltest.RSASHA512, Digest: samltest.DigestSHA512},
		"inclusive_prefixes": inclusive,
		"without_KeyInfo":    bare,
		"P_256":              samltest.NewSigner(samltest.ECDSA(elliptic.P256()), samltest.Year(2020), samltest.Year(2040)),
		"P_384":              samltest.NewSigner(samltest.ECDSA(elliptic.P384()), samltest.Year(2020), samltest.Year(2040)),
		"P_521":              samltest.NewSigner(samltest.ECDSA(elliptic.P521()), samltest.Year(2020), samltest.Year(2040)),
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, l samltest.Layout) {
				e := expectation()
				e.Certificates = []*x509.Certificate{signer.Certificate}
				odd := message()
				odd.Attributes = append(odd.Attributes, samltest.Attribute{Name: "odd <&>\"'", Values: []string{"a\tb\nc\rd", "<&>\"'", "ünï – 日本 𝄞", " ", "]]>"}})
				odd.Microsoft = true
				for _, m := range []samltest.Message{message(), odd} {
					f(t, []byte(signer.Sign(m.XML(), m.ID, m.AssertionID, l)), e, signer)
				}
			})
		})
	}
}

func TestOracle_xmlsec1_verifies_what_is_accepted(t *testing.T) {
	good(t, func(t *testing.T, doc []byte, e saml.Expectation, signer samltest.Signer) {
		accepted(t, doc, e)
		if err := xmlsec1(t, doc, signer.Certificate); err != nil {
			t.Errorf("xmlsec1 does not verify what is accepted: %v\n%s", err, doc)
		}
	})
}

func TestOracle_xmlsec1_refuses_what_was_changed(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		doc := []byte(edit(t, string(idp.Respond(message(), l)), ">Alice<", ">Eve<"))
		refused(t, doc, expectation(), saml.CodeSignatureInvalid)
		if xmlsec1(t, doc, idp.Certificate) == nil {
			t.Error("xmlsec1 verifies what was changed, so it verifies nothing")
		}
	})
}
