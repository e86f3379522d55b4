package sso

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
)

const (
	maxCertificates   = 20
	maxCertificateLen = 16 << 10 // bytes of PEM
	minRSABits        = 2048
)

// parseCertificate reads a certificate as people paste it: PEM, or only the base64 of one, with whatever line breaks.
func parseCertificate(text string) (*x509.Certificate, error) {
	wrong := func(why string) error {
		return invalid("certificates", "invalid_certificate", "A certificate cannot be used: %s. Give it as PEM, beginning with -----BEGIN CERTIFICATE-----, or as the base64 of it.", why)
	}
	text = strings.TrimSpace(text)
	if len(text) > maxCertificateLen {
		return nil, wrong("it is too long")
	}
	var der []byte
	if strings.HasPrefix(text, "-----BEGIN") {
		block, rest := pem.Decode([]byte(text))
		switch {
		case block == nil:
			return nil, wrong("its PEM is broken")
		case block.Type != "CERTIFICATE":
			return nil, wrong("it is a " + bounded(block.Type, 40))
		case len(strings.TrimSpace(string(rest))) > 0:
			return nil, wrong("there is more behind it; give each certificate for itself")
		}
		der = block.Bytes
	} else {
		var err error
		if der, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); err != nil {
			return nil, wrong("it is neither PEM nor base64")
		}
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, wrong("it is no X.509 certificate")
	}
	if reason := weak(c); reason != "" {
		return nil, wrong(reason)
	}
	return c, nil
}

// weak says why signatures by a certificate's key would not be accepted.
func weak(c *x509.Certificate) string {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < minRSABits {
			return "its RSA key has fewer than 2,048 bits"
		}
	case *ecdsa.PublicKey:
	default:
		return "its key is neither RSA nor ECDSA"
	}
	return ""
}

func certificateOf(c *x509.Certificate, source Source, now time.Time) Certificate {
	sum := sha256.Sum256(c.Raw)
	return Certificate{
		Fingerprint: hex.EncodeToString(sum[:]), Subject: tidy(c.Subject.String(), maxName), NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(),
		PEM: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})), Source: source, CreatedAt: now, announced: -1,
	}
}

// x509Of gives a stored certificate back.
func (c Certificate) x509Of() (*x509.Certificate, error) {
	block, _ := pem.Decode([]byte(c.PEM))
	if block == nil {
		return nil, invalid("certificates", "invalid_certificate", "The stored certificate %s cannot be read.", c.Fingerprint)
	}
	return x509.ParseCertificate(block.Bytes)
}

// verifying are the certificates by which a response may be signed, the one that was used last first: it is most likely used now.
func (c Connection) verifying() ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for _, one := range slices.SortedStableFunc(slices.Values(c.Certificates), func(a, b Certificate) int { return b.LastUsedAt.Compare(a.LastUsedAt) }) {
		parsed, err := c.parsed[one.Fingerprint], error(nil)
		if parsed == nil {
			parsed, err = one.x509Of()
		}
		if err != nil {
			return nil, err
		}
		out = append(out, parsed)
	}
	return out, nil
}

// last is the certificate that goes on longest among those that the provider still names.
func (c Connection) last() (Certificate, bool) {
	var last Certificate
	for _, one := range c.Certificates {
		if one.MissingSince.IsZero() && one.NotAfter.After(last.NotAfter) {
			last = one
		}
	}
	return last, last.Fingerprint != ""
}

// LastCertificate gives the name of a connection, and of its certificates the one that ends last; ok is false for a connection that is not
// there, or has none.
func (*Service) LastCertificate(ctx context.Context, r db.Reader, organizationID string, id ID) (name string, last Certificate, ok bool, err error) {
	found, err := connections(ctx, r, selectConnection+" AND organization_id = $1 AND id = $2", organizationID, string(id))
	if err != nil || len(found) == 0 {
		return "", Certificate{}, false, err
	}
	last, ok = found[0].last()
	return found[0].Name, last, ok, nil
}

// withManual replaces the certificates that were given by hand.
func (c *Connection) withManual(texts []string, now time.Time) error {
	if len(texts) > maxCertificates {
		return invalid("certificates", "too_many", "A connection has at most %d certificates.", maxCertificates)
	}
	var kept []Certificate
	for _, one := range c.Certificates {
		if one.Source == FromMetadata {
			kept = append(kept, one)
		}
	}
	before := c.Certificates
	c.Certificates = kept
	for _, text := range texts {
		parsed, err := parseCertificate(text)
		if err != nil {
			return err
		}
		c.add(keeping(certificateOf(parsed, ByHand, now), before))
	}
	if len(c.Certificates) > maxCertificates {
		return invalid("certificates", "too_many", "A connection has at most %d certificates.", maxCertificates)
	}
	return nil
}

// keeping gives a certificate that was there before its history back.
func keeping(c Certificate, before []Certificate) Certificate {
	for _, old := range before {
		if old.Fingerprint == c.Fingerprint {
			c.CreatedAt, c.LastUsedAt, c.announced = old.CreatedAt, old.LastUsedAt, old.announced
		}
	}
	return c
}

// add adds a certificate unless it is there.
func (c *Connection) add(one Certificate) {
	if !slices.ContainsFunc(c.Certificates, func(old Certificate) bool { return old.Fingerprint == one.Fingerprint }) {
		c.Certificates = append(c.Certificates, one)
	}
}

// KeyID names the connection's own key where the provider has to choose among several: the SHA-256 of its certificate.
func (c Connection) KeyID() string {
	block, _ := pem.Decode([]byte(c.SPCertificate))
	if block == nil {
		return ""
	}
	sum := sha256.Sum256(block.Bytes)
	return hex.EncodeToString(sum[:])
}
