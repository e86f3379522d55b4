package e2e_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
)

// newCertificate puts a self-made certificate and its key into a folder and trusts it.
func newCertificate(t *testing.T, dir string, serial int64) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "Rollcall e2e"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	replace(t, filepath.Join(dir, "key.pem"), &pem.Block{Type: "PRIVATE KEY", Bytes: private})
	replace(t, filepath.Join(dir, "cert.pem"), &pem.Block{Type: "CERTIFICATE", Bytes: der})
	leaf, err := x509.ParseCertificate(der)
	must(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return pool
}

// replace is how renewal tools do it: whole files, renamed.
func replace(t *testing.T, path string, block *pem.Block) {
	t.Helper()
	must(t, os.WriteFile(path+".new", pem.EncodeToMemory(block), 0o600))
	must(t, os.Rename(path+".new", path))
}

// served is the serial number of the certificate that a new connection meets.
func served(t *testing.T, p *process) int64 {
	t.Helper()
	conn, err := tls.Dial("tcp", p.address(), &tls.Config{InsecureSkipVerify: true}) // asks which one it is
	must(t, err)
	defer func() { _ = conn.Close() }()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func overTLS(base string, pool *x509.CertPool) *client {
	c := newClient(base, managementKey)
	c.http.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	return c
}

func TestTLS_serves_a_replaced_certificate_without_a_restart(t *testing.T) {
	dir := t.TempDir()
	h := newHome(t, db.SQLite, "--tls-cert", filepath.Join(dir, "cert.pem"), "--tls-key", filepath.Join(dir, "key.pem"))
	pool := newCertificate(t, dir, 1001)
	p := h.start(t)
	if !strings.HasPrefix(p.url, "https://") {
		t.Fatalf("the server says it is at %s", p.url)
	}
	a, err := overTLS(p.url, pool).do(t.Context(), "GET", "/organizations", "")
	must(t, err)
	if a.status != http.StatusOK || a.header.Get("Strict-Transport-Security") == "" {
		t.Errorf("over TLS: %d %v", a.status, a.header)
	}

	pool = newCertificate(t, dir, 1002)
	eventually(t, "the new certificate", func() bool { return served(t, p) == 1002 })
	a, err = overTLS(p.url, pool).do(t.Context(), "GET", "/organizations", "")
	must(t, err)
	if a.status != http.StatusOK {
		t.Errorf("with the new certificate: %d %s", a.status, a.raw)
	}

	// One that cannot be used is told of and changes nothing; a good one on a hang-up does.
	must(t, os.WriteFile(filepath.Join(dir, "cert.pem"), []byte("a slip of the hand"), 0o600))
	eventually(t, "a complaint about the certificate", func() bool { return strings.Contains(p.log.String(), "cannot be used; serving on with the old one") })
	if got := served(t, p); got != 1002 {
		t.Errorf("after an unusable certificate %d is served", got)
	}
	newCertificate(t, dir, 1003)
	p.signal(t, syscall.SIGHUP)
	eventually(t, "the certificate after a hang-up", func() bool { return served(t, p) == 1003 })
	p.stop(t)
}
