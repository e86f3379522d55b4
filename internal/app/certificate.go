package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// certificate is a TLS key pair that follows its files. A new pair that cannot be used leaves the old one in place: a slip of
// the tool that renews certificates must not take the service down.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger
	current           atomic.Pointer[tls.Certificate]
	stamp             string // of the files last read, good or not
}

func loadCertificate(certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	c.stamp = c.stampNow()
	return c, c.load()
}

func (c *certificate) load() error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("TLS certificate %s with key %s: %w", c.certFile, c.keyFile, err)
	}
	if pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0]); err != nil {
		return fmt.Errorf("TLS certificate %s: %w", c.certFile, err)
	}
	c.current.Store(&pair)
	return nil
}

// reload reads the pair again, or says why not and keeps the old one.
func (c *certificate) reload() {
	c.stamp = c.stampNow()
	if err := c.load(); err != nil {
		c.log.Error("the new TLS certificate cannot be used; serving on with the old one", "cause", err, "old_expires", c.current.Load().Leaf.NotAfter)
		return
	}
	leaf := c.current.Load().Leaf
	c.log.Info("TLS certificate loaded", "names", leaf.DNSNames, "expires", leaf.NotAfter)
}

// follow looks at the files every so often, and at once when nudged; it ends with ctx. Files are polled because a notification
// is not reliable for the symbolic links by which container platforms exchange secrets.
func (c *certificate) follow(ctx context.Context, every time.Duration, nudge <-chan struct{}) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-nudge:
			c.reload()
		case <-tick.C:
			if c.stampNow() != c.stamp {
				c.reload()
			}
		}
	}
}

// stampNow tells versions of the files apart; a file that is not there is a version too.
func (c *certificate) stampNow() string {
	var stamp string
	for _, path := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(path); err == nil {
			stamp += fmt.Sprintf("%d/%d ", info.ModTime().UnixNano(), info.Size())
		} else {
			stamp += "none "
		}
	}
	return stamp
}

func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			if pair := c.current.Load(); pair != nil {
				return pair, nil
			}
			return nil, errors.New("no certificate")
		},
	}
}
