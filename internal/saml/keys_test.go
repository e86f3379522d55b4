package saml

import (
	"crypto/rsa"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestKeyPair_is_named_after_the_entity_and_runs_ten_years(t *testing.T) {
	key, cert := pairs[0]()
	if cert.Subject.CommonName != "https://sp.example/saml/a" || cert.Issuer.CommonName != cert.Subject.CommonName {
		t.Errorf("subject %s, issuer %s", cert.Subject, cert.Issuer)
	}
	if key.N.BitLen() != 2048 || !key.PublicKey.Equal(cert.PublicKey.(*rsa.PublicKey)) {
		t.Errorf("a key of %d bits", key.N.BitLen())
	}
	if !cert.NotBefore.Equal(noon.Add(-24*time.Hour)) || !cert.NotAfter.Equal(noon.AddDate(10, 0, 0)) {
		t.Errorf("valid from %s to %s", cert.NotBefore, cert.NotAfter)
	}
	if err := cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature); err != nil {
		t.Error(err)
	}
	if cert.SerialNumber.Sign() <= 0 {
		t.Errorf("serial %s", cert.SerialNumber)
	}
}

func TestKeyPair_of_a_long_entity_id_keeps_to_the_limit_of_a_name(t *testing.T) {
	_, cert, err := NewKeyPair("https://"+strings.Repeat("é", 100), noon)
	if err != nil || len([]rune(cert.Subject.CommonName)) != 64 {
		t.Errorf("%q, %v", cert.Subject.CommonName, err)
	}
}

func TestRequestID_is_a_name_of_128_random_bits(t *testing.T) {
	a, b := NewRequestID(), NewRequestID()
	if !regexp.MustCompile(`^_[0-9a-f]{32}$`).MatchString(a) || a == b {
		t.Error(a, b)
	}
}
