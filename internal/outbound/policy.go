package outbound

import (
	"context"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Setting is what an operator changes to allow more.
const Setting = "--allow-target"

// MaxURL is the longest address that is taken, in bytes.
const MaxURL = 2048

// Policy says who may be called. The zero value allows public addresses only.
type Policy struct {
	allowed []netip.Prefix
	// lookup resolves a name while an address is checked; the dialler always asks the system.
	lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	roots  *x509.CertPool // nil: the system's
}

// NewPolicy allows public addresses and those of the prefixes. lookup resolves names when an address is checked, as
// net.Resolver.LookupNetIP does.
func NewPolicy(allowed []netip.Prefix, lookup func(ctx context.Context, host string) ([]netip.Addr, error)) Policy {
	return Policy{allowed: slices.Clone(allowed), lookup: lookup}
}

// Trusting gives the same policy with other roots of TLS than the system's: for servers of tests.
func (p Policy) Trusting(roots *x509.CertPool) Policy {
	p.roots = roots
	return p
}

// RefusedError says that an address may not be called, and why. Its text is for the person who named it.
type RefusedError struct {
	Reason string
	cause  error
}

func (e *RefusedError) Error() string { return e.Reason }

// Unwrap gives what led to it, if anything did.
func (e *RefusedError) Unwrap() error { return e.cause }

func refused(format string, args ...any) *RefusedError {
	return &RefusedError{Reason: fmt.Sprintf(format, args...)}
}

// Permits says whether an address may be called over TLS.
func (p Policy) Permits(a netip.Addr) bool { return p.Named(a) || Public(a) }

// Named says whether the operator has named the address. Only such ones may be called without TLS.
func (p Policy) Named(a netip.Addr) bool {
	a = plain(a)
	return slices.ContainsFunc(p.allowed, func(n netip.Prefix) bool { return n.Contains(a) })
}

func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// closed4 are the IPv4 networks that are not the public Internet (IANA's special-purpose registry, RFC 6890).
func closed4() []netip.Prefix {
	return prefixes(
		"0.0.0.0/8",       // this network
		"10.0.0.0/8",      // private
		"100.64.0.0/10",   // carriers' NAT, and overlay networks
		"127.0.0.0/8",     // loopback
		"169.254.0.0/16",  // link-local, and the metadata services of clouds
		"172.16.0.0/12",   // private
		"192.0.0.0/24",    // protocol assignments
		"192.0.2.0/24",    // documentation
		"192.31.196.0/24", // AS112
		"192.52.193.0/24", // AMT
		"192.88.99.0/24",  // 6to4 relays
		"192.168.0.0/16",  // private
		"192.175.48.0/24", // AS112
		"198.18.0.0/15",   // benchmarks
		"198.51.100.0/24", // documentation
		"203.0.113.0/24",  // documentation
		"224.0.0.0/4",     // multicast
		"240.0.0.0/4",     // reserved, and broadcast
	)
}

// closed6 are the parts of 2000::/3 that are not the public Internet; everything outside 2000::/3 is none anyhow.
func closed6() []netip.Prefix {
	return prefixes(
		"2001::/23",         // protocol assignments, Teredo among them
		"2001:db8::/32",     // documentation
		"2620:4f:8000::/48", // AS112
		"3fff::/20",         // documentation
	)
}

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		out[i] = netip.MustParsePrefix(text)
	}
	return out
}

// Public says whether an address is one of the public Internet. IPv6 addresses that carry an IPv4 address are as public as that one.
func Public(a netip.Addr) bool {
	a = plain(a)
	switch {
	case !a.IsValid():
		return false
	case a.Is4():
		return !within(a, closed4())
	}
	if inner, ok := carried(a); ok {
		return Public(inner)
	}
	return netip.MustParsePrefix("2000::/3").Contains(a) && !within(a, closed6())
}

func within(a netip.Addr, networks []netip.Prefix) bool {
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(a) })
}

// carried is the IPv4 address that a translator or tunnel would go on to: NAT64 (RFC 6052), 6to4 (RFC 3056), ISATAP (RFC 5214).
func carried(a netip.Addr) (netip.Addr, bool) {
	b := a.As16()
	last := netip.AddrFrom4([4]byte(b[12:]))
	switch {
	case netip.MustParsePrefix("64:ff9b::/96").Contains(a):
		return last, true
	case b[0] == 0x20 && b[1] == 0x02:
		return netip.AddrFrom4([4]byte(b[2:6])), true
	case binary.BigEndian.Uint32(b[8:12])&^0x02000000 == 0x00005efe:
		return last, true
	}
	return netip.Addr{}, false
}

// Check reads the address of a target and refuses what could never be called, so that whoever names it learns it at once. Names
// are resolved where that is possible; what counts is still what they mean when they are dialled. The error is a *[RefusedError]
// or that of ctx.
func (p Policy) Check(ctx context.Context, text string) (*url.URL, error) {
	u, err := read(text)
	if err != nil {
		return nil, err
	}
	host := strings.TrimSuffix(u.Hostname(), ".")
	if a, err := netip.ParseAddr(host); err == nil {
		return u, p.literal(u, a)
	}
	if last := host[strings.LastIndexByte(host, '.')+1:]; last == "" || last[0] >= '0' && last[0] <= '9' {
		return nil, refused("The host %.80q is neither a name nor an IP address in its usual form, like 192.0.2.1 or [2001:db8::1].", host)
	}
	return u, p.name(ctx, u, host)
}

// read takes an address apart.
func read(text string) (*url.URL, error) {
	if len(text) > MaxURL {
		return nil, refused("The address is longer than %d bytes.", MaxURL)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }) {
		return nil, refused("The address holds a space, a backslash or a control character. Encode it.")
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "" || u.Hostname() == "":
		return nil, refused("The address has to be a whole URL, like https://app.example.com/webhooks.")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, refused("The address has to begin with https://, not %.20q.", u.Scheme+":")
	case u.User != nil:
		return nil, refused("The address must not hold a user name or a password: whoever reads the list of endpoints would see them.")
	case u.Fragment != "":
		return nil, refused("The address must not have a part after #: it would never be sent.")
	case !port(u.Port()):
		return nil, refused("The port of the address is not one from 1 to 65535.")
	}
	return u, nil
}

func port(text string) bool {
	if text == "" {
		return true
	}
	n := 0
	for _, c := range text {
		if c < '0' || c > '9' || n > 65535 {
			return false
		}
		n = n*10 + int(c-'0')
	}
	return n >= 1 && n <= 65535
}

func (p Policy) literal(u *url.URL, a netip.Addr) error {
	switch {
	case p.Named(a):
		return nil
	case !Public(a):
		return refused("%s is not a public address. To let Rollcall call it, name its network in the setting %s.", a, Setting)
	case u.Scheme == "http":
		return refused("The address has to begin with https://: without TLS only networks named in the setting %s are called.", Setting)
	}
	return nil
}

const lookupPatience = 3 * time.Second

// name looks at what a name means now. One that means nothing yet passes with https: it may be made later, and is checked again
// whenever it is dialled.
func (p Policy) name(ctx context.Context, u *url.URL, host string) error {
	found, err := p.resolve(ctx, host)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	permitted, what := p.Permits, "is at an address that is not public"
	if u.Scheme == "http" {
		permitted, what = p.Named, "is called without TLS (http://)"
		if err != nil {
			return &RefusedError{Reason: fmt.Sprintf("The name %.80q cannot be resolved, and without TLS only networks named in the setting %s are called. Use https://.", host, Setting), cause: err}
		}
	}
	if len(found) > 0 && !slices.ContainsFunc(found, permitted) {
		return refused("%.80q %s. To let Rollcall call it, name its network in the setting %s.", host, what, Setting)
	}
	return nil
}

func (p Policy) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if p.lookup == nil {
		return nil, errors.New("no resolver")
	}
	ctx, cancel := context.WithTimeout(ctx, lookupPatience)
	defer cancel()
	return p.lookup(ctx, host)
}
