package mail_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// server is a mail server of this process.
type server struct {
	address string
	roots   *x509.CertPool

	mu       sync.Mutex
	received []received
	secured  int // mails that came over TLS
	plain    int
	dropped  int                          // connections to be cut after the mail was taken
	refuse   func(to string, n int) error // n counts the recipients asked for, from 1
	asked    int
	users    []string
}

type received struct{ from, to, data string }

type options struct{ tls, implicit, auth bool }

// serve starts a server for mail.example on this machine.
func serve(t *testing.T, o options) *server {
	t.Helper()
	s := &server{}
	backend := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		in := &sessionOf{server: s, conn: c}
		if o.auth {
			return &authenticating{in}, nil
		}
		return in, nil
	}))
	backend.Domain, backend.AllowInsecureAuth, backend.ErrorLog = "mail.example", true, log.New(io.Discard, "", 0)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = listener.Addr().String()
	if o.tls || o.implicit {
		backend.TLSConfig, s.roots = certificate(t)
	}
	if o.implicit {
		listener = tls.NewListener(listener, backend.TLSConfig)
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = backend.Serve(listener) })
	t.Cleanup(func() {
		_ = backend.Close()
		_ = listener.Close() // a server that has not begun to serve does not know it
		serving.Wait()
	})
	return s
}

func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.example"}, DNSNames: []string{"mail.example", "localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}, roots
}

func (s *server) mails() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.received...)
}

// sessionOf is one connection.
type sessionOf struct {
	server *server
	conn   *smtp.Conn
	mail   received
}

func (i *sessionOf) Mail(from string, _ *smtp.MailOptions) error {
	i.mail.from = from
	return nil
}

func (i *sessionOf) Rcpt(to string, _ *smtp.RcptOptions) error {
	i.server.mu.Lock()
	defer i.server.mu.Unlock()
	i.server.asked++
	if i.server.refuse != nil {
		if err := i.server.refuse(to, i.server.asked); err != nil {
			return err
		}
	}
	i.mail.to = to
	return nil
}

func (i *sessionOf) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	i.mail.data = string(data)
	i.server.mu.Lock()
	defer i.server.mu.Unlock()
	i.server.received = append(i.server.received, i.mail)
	if _, ok := i.conn.TLSConnectionState(); ok {
		i.server.secured++
	} else {
		i.server.plain++
	}
	if i.server.dropped > 0 {
		i.server.dropped--
		time.AfterFunc(20*time.Millisecond, func() { _ = i.conn.Conn().Close() }) // after the answer, before the goodbye
	}
	return nil
}

func (i *sessionOf) Reset()        {}
func (i *sessionOf) Logout() error { return nil }

// authenticating is a connection that asks for user "rollcall" and password "let me in".
type authenticating struct{ *sessionOf }

func (a *authenticating) AuthMechanisms() []string { return []string{sasl.Plain} }

func (a *authenticating) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "rollcall" || password != "let me in" {
			return errors.New("wrong")
		}
		a.server.mu.Lock()
		defer a.server.mu.Unlock()
		a.server.users = append(a.server.users, user)
		return nil
	}), nil
}
