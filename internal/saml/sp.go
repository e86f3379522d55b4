package saml

import (
	"crypto/x509"
	"encoding/base64"
	"strconv"

	"github.com/beevik/etree"
)

// ServiceProvider is what an identity provider has to know about us on one connection.
type ServiceProvider struct {
	EntityID       string
	ACS            []string          // addresses that responses are posted to; the first is the default
	SLO            string            // address for single logout, both bindings; "" if it is not offered
	Certificate    *x509.Certificate // ours; nil if nothing is signed and nothing encrypted
	SignsRequests  bool
	WantsEncrypted bool // publishes the certificate for encryption; some identity providers then encrypt without being told to
	NameIDFormat   string
}

// Metadata writes the SAML metadata document (metadata 2.0, 2.4.4): elements in the order of the schema, assertions asked to be signed. For
// encryption only what is opened by default is listed: AES-GCM and RSA-OAEP.
func (p ServiceProvider) Metadata() []byte {
	entity := etree.NewElement("md:EntityDescriptor")
	entity.CreateAttr("xmlns:md", nsMetadata)
	entity.CreateAttr("entityID", p.EntityID)
	role := entity.CreateElement("md:SPSSODescriptor")
	role.CreateAttr("AuthnRequestsSigned", strconv.FormatBool(p.SignsRequests))
	role.CreateAttr("WantAssertionsSigned", "true")
	role.CreateAttr("protocolSupportEnumeration", nsProtocol)
	p.keys(role)
	if p.SLO != "" {
		for _, b := range []Binding{BindingRedirect, BindingPost} {
			endpoint(role, "SingleLogoutService", b, p.SLO)
		}
	}
	if p.NameIDFormat != "" {
		role.CreateElement("md:NameIDFormat").SetText(p.NameIDFormat)
	}
	for i, address := range p.ACS {
		acs := endpoint(role, "AssertionConsumerService", BindingPost, address)
		acs.CreateAttr("index", strconv.Itoa(i))
		if i == 0 {
			acs.CreateAttr("isDefault", "true")
		}
	}
	doc := etree.NewDocument()
	doc.CreateProcInst("xml", `version="1.0" encoding="UTF-8"`)
	doc.AddChild(entity)
	doc.Indent(2)
	out, err := doc.WriteToBytes()
	if err != nil {
		return nil // writing to memory does not fail
	}
	return out
}

func (p ServiceProvider) keys(role *etree.Element) {
	if p.Certificate == nil {
		return
	}
	keyDescriptor(role, "signing", p.Certificate)
	if !p.WantsEncrypted {
		return
	}
	key := keyDescriptor(role, "encryption", p.Certificate)
	for _, algorithm := range []string{nsEncryption11 + "aes256-gcm", nsEncryption11 + "aes128-gcm", oaepMGF1SHA1} {
		key.CreateElement("md:EncryptionMethod").CreateAttr("Algorithm", algorithm)
	}
}

func keyDescriptor(role *etree.Element, use string, cert *x509.Certificate) *etree.Element {
	key := role.CreateElement("md:KeyDescriptor")
	key.CreateAttr("use", use)
	info := key.CreateElement("ds:KeyInfo")
	info.CreateAttr("xmlns:ds", nsSignature)
	info.CreateElement("ds:X509Data").CreateElement("ds:X509Certificate").SetText(base64.StdEncoding.EncodeToString(cert.Raw))
	return key
}

func endpoint(role *etree.Element, tag string, b Binding, location string) *etree.Element {
	el := role.CreateElement("md:" + tag)
	el.CreateAttr("Binding", string(b))
	el.CreateAttr("Location", location)
	return el
}
