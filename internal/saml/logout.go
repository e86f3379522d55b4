package saml

import (
	"crypto/rsa"
	"crypto/x509"
	"time"
)

// LogoutRequest says that a session has ended or shall end (core 3.7.1).
type LogoutRequest struct {
	ID             string // NewRequestID
	Issuer         string
	Destination    string
	IssuedAt       time.Time
	NotOnOrAfter   time.Time // zero: none given
	NameID         NameID    // as the assertion had it, with its qualifiers
	SessionIndexes []string  // none: all sessions of that person
	Asynchronous   bool      // no response is wanted (asynchronous single logout extension)
}

// LogoutResponse answers a LogoutRequest (core 3.7.2).
type LogoutResponse struct {
	ID           string // NewRequestID
	Issuer       string
	Destination  string
	IssuedAt     time.Time
	InResponseTo string
	Status       string // status code; "" is written as success
}

// LogoutExpectation is what a received logout message is held against.
type LogoutExpectation struct {
	Now          time.Time
	Issuer       string              // entity id of the identity provider
	Destinations []string            // our single logout addresses, compared exactly
	Certificates []*x509.Certificate // any one may verify; none: refuse
	ClockSkew    time.Duration       // 0: 2 minutes
	SHA1Until    time.Time
	Keys         []*rsa.PrivateKey // open an EncryptedID
	AllowCBC     bool
}

// Logout is a verified message: either Request or Response is set.
type Logout struct {
	Request     *LogoutRequest
	Response    *LogoutResponse
	RelayState  string
	UsableUntil time.Time // a request must be remembered by its ID until then, so that it is not taken twice
	Certificate [32]byte  // SHA-256 of the certificate that verified
}
