package saml

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"math/big"
	"time"
)

const (
	keyBits = 2048
	// keyYears is how long a certificate of ours runs: it is a container for a key that the other side stores, and an earlier end would only
	// break sign-ins. A key is replaced by rotation and not by running out.
	keyYears = 10
)

// NewKeyPair makes a connection's RSA key of 2,048 bits and a self-signed certificate for it, named after the entity id (its first 64
// characters, which is all that RFC 5280 allows a name) and valid from a day before now, since clocks differ, for ten years.
func NewKeyPair(entityID string, now time.Time) (*rsa.PrivateKey, *x509.Certificate, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, nil, fmt.Errorf("make a key for %s: %w", entityID, err)
	}
	var serial [16]byte
	rand.Read(serial[:])
	serial[0] &= 0x7f // positive, as RFC 5280 4.1.2.2 asks
	template := x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial[:]),
		Subject:      pkix.Name{CommonName: commonName(entityID)},
		NotBefore:    now.AddDate(0, 0, -1).UTC(),
		NotAfter:     now.AddDate(keyYears, 0, 0).UTC(),
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		return nil, nil, fmt.Errorf("make a certificate for %s: %w", entityID, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, fmt.Errorf("read the certificate for %s: %w", entityID, err)
	}
	return key, cert, nil
}

func commonName(entityID string) string {
	const most = 64
	runes := []rune(entityID)
	return string(runes[:min(len(runes), most)])
}

// NewRequestID makes the ID of a message: an xs:ID (so it starts with no digit) with 128 random bits (core 1.3.4).
func NewRequestID() string {
	var raw [16]byte
	rand.Read(raw[:])
	return "_" + hex.EncodeToString(raw[:])
}
