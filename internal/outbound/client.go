package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// Limits of a call. The whole of it is bounded by the context of the request.
const (
	connectPatience = 5 * time.Second
	// Receivers close idle connections, many after five seconds; being earlier avoids writing into one that is about to go.
	idlePatience   = 4 * time.Second
	idlePerHost    = 32
	maxHeaderBytes = 32 << 10
)

// Client makes an HTTP client that keeps to the policy: it checks each address as it dials, follows no redirect, and uses no proxy.
// Close its idle connections when it is no longer needed.
func (p Policy) Client() *http.Client {
	return &http.Client{
		Transport:     &transport{open: newTransport(p.Named, nil), secure: newTransport(p.Permits, p.roots)},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// transport keeps connections with and without TLS apart: they may go to different addresses.
type transport struct{ open, secure *http.Transport }

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "http" {
		return t.open.RoundTrip(r)
	}
	return t.secure.RoundTrip(r)
}

// CloseIdleConnections is what http.Client calls.
func (t *transport) CloseIdleConnections() {
	t.open.CloseIdleConnections()
	t.secure.CloseIdleConnections()
}

func newTransport(permitted func(netip.Addr) bool, roots *x509.CertPool) *http.Transport {
	dialler := &net.Dialer{
		Timeout: connectPatience,
		Control: func(_, address string, _ syscall.RawConn) error { return check(address, permitted) },
	}
	return &http.Transport{
		Proxy: nil, // a proxy would resolve the name itself, out of our sight
		DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
			return dialler.DialContext(ctx, "tcp", addr)
		},
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout:    connectPatience,
		MaxIdleConnsPerHost:    idlePerHost,
		IdleConnTimeout:        idlePatience,
		MaxResponseHeaderBytes: maxHeaderBytes,
		DisableCompression:     true, // an answer that unpacks to gigabytes is refused as it comes
	}
}

// check looks at the address that a name was resolved to, right before the connection is made.
func check(address string, permitted func(netip.Addr) bool) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address to dial: %w", err)
	}
	if !permitted(target.Addr()) {
		return refused("The target is at %s, which may not be called. To allow it, name its network in the setting %s.", target.Addr(), Setting)
	}
	return nil
}
