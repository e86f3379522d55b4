package issuer

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// maxURI is the longest redirect URI, in bytes.
const maxURI = 2048

// privateUse is a scheme of a native app: a domain name in reverse, so it holds a dot (RFC 8252, section 7.1).
var privateUse = regexp.MustCompile(`^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+$`)

// checkURI refuses what no code and nobody may be sent to (RFC 9700, section 2.1; RFC 8252, section 7). native: an application that
// proves itself by PKCE may have a scheme of its own.
func checkURI(field, uri string, native bool) *fault.Error {
	wrong := func(format string, args ...any) *fault.Error {
		return fault.New(fault.Unprocessable, "invalid_redirect_uri", format, args...).On(field)
	}
	switch {
	case uri == "":
		return wrong("%s is an address like https://app.example.com/callback; it is empty.", field)
	case len(uri) > maxURI:
		return wrong("%s has at most %d bytes; this one has %d.", field, maxURI, len(uri))
	case strings.ContainsFunc(uri, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("\\\"<>^`{|}*", r) }):
		return wrong("%s holds a space, a wildcard or a character that has to be percent-encoded: %.200q. Addresses are compared character by character.", field, uri)
	}
	u, err := url.Parse(uri)
	switch {
	case err != nil || !u.IsAbs():
		return wrong("%s has to be a whole address like https://app.example.com/callback, not %.200q.", field, uri)
	case strings.Contains(uri, "#"):
		return wrong("%s must not have a part after #: %.200q (RFC 6749, section 3.1.2).", field, uri)
	case u.User != nil:
		return wrong("%s must not hold a user name.", field)
	case dotted(u.EscapedPath()):
		return wrong("%s must not hold . or .. as a part of its path: %.200q. Browsers take them out.", field, uri)
	}
	switch scheme := strings.ToLower(u.Scheme); {
	case scheme == "https" && u.Hostname() != "" && u.Opaque == "":
		return nil
	case scheme == "http" && u.Opaque == "" && loopback(u.Hostname()):
		return nil
	case scheme == "http":
		return wrong("%s has to begin with https://, except for addresses of the same machine (localhost, 127.0.0.1, [::1]): %.200q.", field, uri)
	case native && privateUse.MatchString(u.Scheme):
		return nil
	case privateUse.MatchString(u.Scheme):
		return wrong("%s has a scheme of its own, which only an application with PKCE may have (is_public or uses_pkce): %.200q.", field, uri)
	}
	return wrong("%s has to begin with https://: %.200q.", field, uri)
}

func dotted(path string) bool {
	for segment := range strings.SplitSeq(strings.ToLower(path), "/") {
		segment = strings.ReplaceAll(segment, "%2e", ".")
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback() && !a.Is4In6()
}
