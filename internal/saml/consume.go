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
