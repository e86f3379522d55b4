package api

import (
	"net/http"
	"net/netip"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/web"
)

// limits are two, so that nobody without a key can slow down one who has it: a request with a management key is counted under that
// key and nothing else, one without under the address it came from, also where the two share it.
type limits struct {
	perSecond float64
	keys      *web.Limiter
	strangers *web.Limiter
}

const (
	limitedKeys      = 100
	limitedStrangers = 10_000 // addresses; one that is forgotten merely starts again
)

func newLimits(perSecond float64) limits {
	return limits{perSecond: perSecond, keys: web.NewLimiter(perSecond, limitedKeys), strangers: web.NewLimiter(perSecond, limitedStrangers)}
}

// admit says which key a request came with, if that has not come too often. A stranger is counted before anything is done for
// them, finding a helpful sentence included.
func (s *server) admit(r *http.Request) (caller string, err error) {
	secret, err := bearer(r)
	accepted := false
	if err == nil {
		caller, accepted = s.accepts(secret)
	}
	if accepted {
		if wait, ok := s.limits.keys.Allow(caller, s.o.Now()); !ok {
			return "", s.errLimited(wait, "with this management key")
		}
		return caller, nil
	}
	if limited := s.strange(r); limited != nil {
		return "", limited
	}
	if err == nil {
		err = errUnauthorized(s.hint(r.Context(), secret))
	}
	return "", err
}

// strange counts a request without a key.
func (s *server) strange(r *http.Request) error {
	if wait, ok := s.limits.strangers.Allow(network(web.From(r.Context()).IP), s.o.Now()); !ok {
		return s.errLimited(wait, "without a valid key from this address")
	}
	return nil
}

// network is what one stranger commands: of an IPv6 address the first 64 bits.
func network(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil || addr.Unmap().Is4() {
		return ip
	}
	const host = 64
	prefix, err := addr.WithZone("").Prefix(host)
	if err != nil {
		return ip
	}
	return prefix.String()
}

func (s *server) errLimited(wait time.Duration, how string) error {
	f := fault.New(fault.Limited, "rate_limited",
		"More than %g requests a second came %s. Nothing was changed; send it again after the time in Retry-After.", s.limits.perSecond, how)
	f.RetryAfter = wait
	return f
}
