package saml

import (
	"crypto/rsa"
	"crypto/x509"
	"time"
)

// Expectation is what a response is held against: everything that is known about the connection before reading a byte of it.
type Expectation struct {
	Now              time.Time
	Issuer           string              // entity id of the identity provider
	Audiences        []string            // entity ids of ours; one must be meant
	Recipients       []string            // addresses of ours, compared byte for byte; one must be meant
	Certificates     []*x509.Certificate // any one may verify; none of them: everything is refused
	ClockSkew        time.Duration       // how far clocks may differ: 1 to 3 minutes, 0 for 2
	SHA1Until        time.Time           // SHA-1 is accepted before this; zero: never
	Keys             []*rsa.PrivateKey   // open encrypted assertions
	RequireEncrypted bool                // refuse an assertion that came in the clear
	AllowCBC         bool                // open AES-CBC too, which does not protect what it hides from change
	AuthnAfter       time.Time           // set with ForceAuthn: the person must not have signed in before this, less the skew
	Contexts         []string            // RequestedAuthnContext, compared exactly; empty: any
}

// Assertion is who signed in, as the identity provider signed it.
type Assertion struct {
	ID           string
	ResponseID   string
	InResponseTo string // the request it answers; "" for an unsolicited one
	Issuer       string
	Subject      NameID
	Attributes   []Attribute // in the order of the document; one for each Name and NameFormat

	SessionIndex        string
	AuthnInstant        time.Time
	SessionNotOnOrAfter time.Time // zero: the identity provider sets no end
	UsableUntil         time.Time // from then on it is refused as expired, skew included: how long its ID has to be remembered
	Context             string    // AuthnContextClassRef

	Certificate [32]byte // SHA-256 of the certificate that verified
	Expired     bool     // that certificate is past its end
	SHA1        bool     // a signature or digest used SHA-1
	Encrypted   bool
}

// NameID names the person (core 2.2.3).
type NameID struct{ Value, Format, NameQualifier, SPNameQualifier string }

// Attribute is one fact about the person (core 2.7.3.1). A value that is a NameID element is its text.
type Attribute struct {
	Name, FriendlyName, NameFormat string
	Values                         []string
}

// Document is a response that has passed the gate: its form is one that is read. Nothing of it is verified. It is consumed once.
type Document struct{ root *node }

// Open reads a response, decoded XML as DecodePost gives it. Every error is an *Error about its form.
func Open(response []byte) (*Document, error) {
	root, err := gate(response)
	if err != nil {
		return nil, err
	}
	return &Document{root}, nil
}

// Claimed is what the response says of itself. It may find the attempt that it belongs to and must decide nothing.
func (d *Document) Claimed() Claimed { return claims(d.root) }

// Consume verifies the response against what is expected of it. What it returns is what the identity provider signed, for this
// application, at this address, now. It does not know which requests were made and which assertions were used: that InResponseTo is
// one's own and open, and that ID is new until UsableUntil, the caller decides where it is stored.
//
// Every error is an *Error.
func (d *Document) Consume(e Expectation) (*Assertion, error) {
	a, err := consume(d.root, e)
	if err != nil {
		return nil, claiming(err, claims(d.root))
	}
	return a, nil
}

// Consume opens a response and consumes it.
func Consume(response []byte, e Expectation) (*Assertion, error) {
	d, err := Open(response)
	if err != nil {
		return nil, err
	}
	return d.Consume(e)
}

func consume(root *node, e Expectation) (*Assertion, error) {
	r, err := shapeResponse(root)
	if err != nil {
		return nil, err
	}
	var outer verified
	if r.signature != nil {
		if outer, err = signed(root, r.signature, e); err != nil {
			return nil, err
		}
		r.holds(outer.node)
	}
	if !r.success {
		return nil, denied(r.response)
	}
	inner, err := r.open(outer, e)
	if err != nil {
		return nil, err
	}
	return finish(r.response, inner, outer, r.encrypted != nil, e)
}

// holds turns from the document that came in to the one that was verified.
func (r *shaped) holds(response *node) {
	r.response = response
	r.assertion = response.child(nsAssertion, "Assertion")
	r.encrypted = response.child(nsAssertion, "EncryptedAssertion")
}

// open gives the assertion, verified by its own signature or by the Response's.
func (r shaped) open(outer verified, e Expectation) (verified, error) {
	if r.encrypted == nil {
		if e.RequireEncrypted {
			return verified{}, wrongShape("an EncryptedAssertion, as the connection demands", "an Assertion in the clear")
		}
		return trusted(r.assertion, outer, e)
	}
	if len(e.Keys) == 0 {
		return verified{}, refuse(CodeFeatureDisabled, "an Assertion in the clear", "an EncryptedAssertion", "The connection has no key to open encrypted assertions with.")
	}
	v, err := unwrap(r.encrypted, outer, e)
	if err != nil && e.AllowCBC && usesCBC(r.encrypted.el) {
		return verified{}, cannotDecrypt()
	}
	return v, err
}

// unwrap decrypts an assertion. What comes out is a document of its own and passes everything that one passes; that it was encrypted
// to us proves nothing about who wrote it (CVE-2026-2092).
func unwrap(encrypted *node, outer verified, e Expectation) (verified, error) {
	plain, err := decrypt(encrypted.el, e.Keys, e.AllowCBC)
	if err != nil {
		return verified{}, err
	}
	root, err := gate(plain)
	if err != nil {
		return verified{}, err
	}
	if err := solitary(root); err != nil {
		return verified{}, err
	}
	return trusted(root, outer, e)
}

// trusted verifies an assertion by its own signature, which has to hold even where the Response's would do.
func trusted(assertion *node, outer verified, e Expectation) (verified, error) {
	s, err := shapeAssertion(assertion)
	switch {
	case err != nil:
		return verified{}, err
	case s != nil:
		return signed(assertion, s, e)
	case outer.node == nil:
		return verified{}, refuse(CodeUnsigned, "a signed Response or Assertion", "neither", "The identity provider did not sign its answer.")
	}
	return covered(outer, assertion), nil
}

// finish decodes what was verified and judges it.
func finish(response *node, inner, outer verified, encrypted bool, e Expectation) (*Assertion, error) {
	m, err := decodeMessage(response)
	if err != nil {
		return nil, err
	}
	s, err := decodeAssertion(inner)
	if err != nil {
		return nil, err
	}
	responseSigned := outer.node != nil
	if err := m.judge(responseSigned, e); err != nil {
		return nil, err
	}
	if err := s.judge(m, responseSigned, e); err != nil {
		return nil, err
	}
	s.ResponseID, s.Encrypted = m.id, encrypted
	s.Expired = e.Now.After(inner.by.certificate.NotAfter)
	s.SHA1 = s.SHA1 || responseSigned && outer.by.sha1
	return &s.Assertion, nil
}
