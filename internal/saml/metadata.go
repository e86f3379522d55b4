package saml

import (
	"crypto/x509"
	"time"
)

// IDPMetadata is what a connection needs to know of an identity provider.
type IDPMetadata struct {
	EntityID           string
	SSO                []Endpoint          // where requests go; at least one
	SLO                []Endpoint          // where logout goes; often none
	Certificates       []*x509.Certificate // for signatures, each once, in the order of the document; at least one. Ends are not judged here
	WantRequestsSigned bool                // what it says; Keycloak always says so
	NameIDFormats      []string
	ValidUntil         time.Time // zero: no end
}

// Endpoint is an address and the binding it speaks.
type Endpoint struct {
	Binding     Binding
	URL         string
	ResponseURL string // for responses, where that is another address; only in SLO
}
