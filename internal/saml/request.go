package saml

import (
	"crypto/rsa"
	"crypto/x509"
	"time"

	"github.com/beevik/etree"
)

const (
	formatTransient   = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
	formatUnspecified = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
)

// AuthnRequest asks an identity provider to sign somebody in (core 3.4.1, profiles 4.1.4.1).
type AuthnRequest struct {
	ID           string    // NewRequestID
	Issuer       string    // our entity id
	Destination  string    // the identity provider's address for the binding used
	ACS          string    // our address that the response is posted to; "" for the one that the provider has stored
	IssuedAt     time.Time // written in whole seconds
	ForceAuthn   bool      // the person has to sign in anew
	NameIDFormat string    // "" leaves the choice to the identity provider
	LoginHint    string    // becomes the Subject, unspecified format; AD FS and Entra fill in the name field, others insist on that person
	Contexts     []string  // RequestedAuthnContext, exactly one of these
}

// Redirect gives the address to send the browser to. With a key the query is signed by RSA-SHA256. relayState has at most 80 bytes.
func (r AuthnRequest) Redirect(relayState string, key *rsa.PrivateKey) (string, error) {
	return redirect(paramRequest, r.element(), r.Destination, relayState, key)
}

// Post gives the form that the browser posts. With key and certificate the request is signed inside. relayState has at most 80 bytes.
func (r AuthnRequest) Post(relayState string, key *rsa.PrivateKey, cert *x509.Certificate) (Form, error) {
	return post(paramRequest, r.element(), r.Destination, relayState, key, cert)
}

// element builds the request; the order of the children is the schema's.
func (r AuthnRequest) element() *etree.Element {
	el := envelope("AuthnRequest", r.ID, r.Issuer, r.Destination, r.IssuedAt)
	if r.ForceAuthn {
		el.CreateAttr("ForceAuthn", "true")
	}
	if r.ACS != "" {
		el.CreateAttr("ProtocolBinding", string(BindingPost))
		el.CreateAttr("AssertionConsumerServiceURL", r.ACS)
	}
	if r.LoginHint != "" {
		name := el.CreateElement("saml:Subject").CreateElement("saml:NameID")
		name.CreateAttr("Format", formatUnspecified)
		name.SetText(r.LoginHint)
	}
	if r.NameIDFormat != "" {
		policy := el.CreateElement("samlp:NameIDPolicy")
		policy.CreateAttr("Format", r.NameIDFormat)
		if r.NameIDFormat != formatTransient { // which is always created, so the standard wants it left out (core 3.4.1.1)
			policy.CreateAttr("AllowCreate", "true")
		}
	}
	if len(r.Contexts) > 0 {
		wanted := el.CreateElement("samlp:RequestedAuthnContext")
		wanted.CreateAttr("Comparison", "exact")
		for _, c := range r.Contexts {
			wanted.CreateElement("saml:AuthnContextClassRef").SetText(c)
		}
	}
	return el
}
