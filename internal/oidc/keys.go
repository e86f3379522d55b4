package oidc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Algorithm is a JWS algorithm (RFC 7518, section 3.1; RFC 8037).
type Algorithm string

// The closed list of algorithms that are verified. The provider signs with ES256 and RS256.
const (
	RS256 Algorithm = "RS256"
	RS384 Algorithm = "RS384"
	RS512 Algorithm = "RS512"
	PS256 Algorithm = "PS256"
	PS384 Algorithm = "PS384"
	PS512 Algorithm = "PS512"
	ES256 Algorithm = "ES256"
	ES384 Algorithm = "ES384"
	ES512 Algorithm = "ES512"
	EdDSA Algorithm = "EdDSA"
)

const (
	rsaBits = 2048
	// certificateLife is the life of the certificate around an RS256 key. Nobody checks it: it is there because the contract's key set
	// carries certificates.
	certificateLife = 10 * 365 * 24 * time.Hour
)

// SigningKey is a key of the provider. It is kept sealed, as Marshal writes it.
type SigningKey struct {
	KID         string // thumbprint of the public key (RFC 7638)
	Alg         Algorithm
	Private     crypto.Signer
	Certificate []byte // DER, self-signed; RS256 only
}

// String hides the key from logs.
func (k SigningKey) String() string { return string(k.Alg) + " key " + k.KID }

// GoString hides it from %#v too.
func (k SigningKey) GoString() string { return k.String() }

// NewSigningKey makes a key for ES256 (P-256) or RS256 (2,048 bits).
func NewSigningKey(alg Algorithm, now time.Time) (SigningKey, error) {
	switch alg {
	case ES256:
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return SigningKey{}, fmt.Errorf("make an ES256 key: %w", err)
		}
		return newSigningKey(alg, private, nil)
	case RS256:
		private, err := rsa.GenerateKey(rand.Reader, rsaBits)
		if err != nil {
			return SigningKey{}, fmt.Errorf("make an RS256 key: %w", err)
		}
		certificate, err := selfSigned(private, now)
		if err != nil {
			return SigningKey{}, err
		}
		return newSigningKey(alg, private, certificate)
	default:
		return SigningKey{}, fmt.Errorf("a signing key is for ES256 or RS256, not %q", alg)
	}
}

func newSigningKey(alg Algorithm, private crypto.Signer, certificate []byte) (SigningKey, error) {
	kid, err := thumbprint(private.Public())
	if err != nil {
		return SigningKey{}, err
	}
	return SigningKey{KID: kid, Alg: alg, Private: private, Certificate: certificate}, nil
}

func thumbprint(public crypto.PublicKey) (string, error) {
	sum, err := (&jose.JSONWebKey{Key: public}).Thumbprint(crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("thumbprint of a public key: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}

func selfSigned(private *rsa.PrivateKey, now time.Time) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("serial of a certificate: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "Rollcall token signing"},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(certificateLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return nil, fmt.Errorf("certificate of a signing key: %w", err)
	}
	return der, nil
}

type storedKey struct {
	Alg         Algorithm `json:"alg"`
	PKCS8       []byte    `json:"pkcs8"`
	Certificate []byte    `json:"certificate,omitempty"`
}

// Marshal writes the key in clear, to be sealed.
func (k SigningKey) Marshal() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.Private)
	if err != nil {
		return nil, fmt.Errorf("write signing key %s: %w", k.KID, err)
	}
	return json.Marshal(storedKey{k.Alg, der, k.Certificate})
}

// UnmarshalSigningKey reads what Marshal wrote.
func UnmarshalSigningKey(data []byte) (SigningKey, error) {
	var stored storedKey
	if err := json.Unmarshal(data, &stored); err != nil {
		return SigningKey{}, errors.New("signing key: not what was written") // the cause could quote the key
	}
	private, err := x509.ParsePKCS8PrivateKey(stored.PKCS8)
	if err != nil {
		return SigningKey{}, errors.New("signing key: not a PKCS #8 key")
	}
	switch private := private.(type) {
	case *ecdsa.PrivateKey:
		if stored.Alg == ES256 && private.Curve == elliptic.P256() {
			return newSigningKey(ES256, private, nil)
		}
	case *rsa.PrivateKey:
		if stored.Alg == RS256 {
			return newSigningKey(RS256, private, stored.Certificate)
		}
	}
	return SigningKey{}, fmt.Errorf("signing key: a %T does not sign with %q", private, stored.Alg)
}

// PublicKey is the published half of a signing key. The zero value verifies nothing.
type PublicKey struct{ jwk jose.JSONWebKey }

// Public gives the published half.
func (k SigningKey) Public() (PublicKey, error) {
	jwk := jose.JSONWebKey{Key: k.Private.Public(), KeyID: k.KID, Algorithm: string(k.Alg), Use: "sig"}
	if k.Certificate != nil {
		certificate, err := x509.ParseCertificate(k.Certificate)
		if err != nil {
			return PublicKey{}, fmt.Errorf("certificate of signing key %s: %w", k.KID, err)
		}
		sum := sha256.Sum256(k.Certificate)
		jwk.Certificates, jwk.CertificateThumbprintSHA256 = []*x509.Certificate{certificate}, sum[:]
	}
	return PublicKey{jwk}, nil
}

// KID is the key's id.
func (k PublicKey) KID() string { return k.jwk.KeyID }

// Alg is the algorithm the key verifies.
func (k PublicKey) Alg() Algorithm { return Algorithm(k.jwk.Algorithm) }

// Marshal writes the key as a JWK (RFC 7517).
func (k PublicKey) Marshal() ([]byte, error) { return k.jwk.MarshalJSON() }

// ParsePublicKey reads what Marshal wrote.
func ParsePublicKey(data []byte) (PublicKey, error) {
	var jwk jose.JSONWebKey
	if err := jwk.UnmarshalJSON(data); err != nil {
		return PublicKey{}, fmt.Errorf("public key: %w", err)
	}
	if !jwk.IsPublic() || jwk.KeyID == "" || jwk.Algorithm == "" {
		return PublicKey{}, errors.New("public key: not the public half of a signing key")
	}
	return PublicKey{jwk}, nil
}

// PublicJWKS is the key set document of keys (RFC 7517, section 5).
func PublicJWKS(keys []PublicKey) ([]byte, error) {
	set := struct {
		Keys []jsontext.Value `json:"keys"`
	}{Keys: []jsontext.Value{}}
	for _, k := range keys {
		one, err := k.Marshal()
		if err != nil {
			return nil, fmt.Errorf("write public key %s: %w", k.KID(), err)
		}
		set.Keys = append(set.Keys, one)
	}
	return json.Marshal(set)
}

// equal compares two secrets in constant time.
func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
