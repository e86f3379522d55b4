package sso

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/idp"
)

// Limits of what can be chosen.
const (
	minSkew, maxSkew, defaultSkew = 60, 180, 120
	maxConnectionName             = 255
	maxURI                        = 1024
	maxURL                        = 2048
	maxMapped                     = 60 // entries of an attribute map
	maxNames                      = 10 // of one entry
	maxAttributeName              = 256
	maxContexts                   = 10
	maxScopes                     = 20
	maxPaths                      = 10
	maxPath                       = 255
	maxSHA1                       = 366 * 24 * time.Hour
)

// algorithms are those an ID token may be signed with: no secret that the provider shares with others, and never none.
func algorithms() []string {
	return []string{"RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA"}
}

// merged gives the options with those changed that a JSON object names; null is the default again.
func (o Options) merged(patch []byte) (Options, error) {
	if len(patch) == 0 {
		return o, nil
	}
	if o.SingleLogout != nil {
		o.SingleLogout = new(*o.SingleLogout) // what is read goes where it points, which is the connection as it was
	}
	if err := json.Unmarshal(patch, &o, json.RejectUnknownMembers(true)); err != nil {
		var wrong *json.SemanticError
		field := "options"
		if errors.As(err, &wrong) && wrong.JSONPointer != "" {
			field += strings.ReplaceAll(string(wrong.JSONPointer), "/", ".")
		}
		return o, invalid(bounded(field, 80), "invalid_option", "%s is not an option of connections, or not of the type that the option has.", bounded(field, 80)).Because(err)
	}
	return o, nil
}

func (o Options) check(now time.Time) error {
	wrong := func(name, format string, args ...any) error {
		return invalid("options."+name, "invalid_option", "options."+name+" "+format, args...)
	}
	switch {
	case o.ClockSkew != 0 && (o.ClockSkew < minSkew || o.ClockSkew > maxSkew):
		return wrong("clock_skew", "is a number of seconds from %d to %d, or 0 for %d.", minSkew, maxSkew, defaultSkew)
	case o.NameIDFormat != "" && !slices.Contains(idp.NameIDFormats(), idp.NameIDFormat(o.NameIDFormat)):
		return wrong("nameid_format", "is one of %s, or empty to ask for none.", nameIDFormats())
	case o.AllowSHA1Until != nil && o.AllowSHA1Until.After(now.Add(maxSHA1)):
		return wrong("allow_sha1_until", "is a time within a year: SHA-1 signatures can be forged.")
	case len(o.Contexts) > maxContexts || slices.ContainsFunc(o.Contexts, notURI):
		return wrong("requested_authn_contexts", "are at most %d URIs.", maxContexts)
	case o.Unsolicited != "" && o.Unsolicited != Restart && o.Unsolicited != Refuse:
		return wrong("unsolicited", "is restart or refuse.")
	case len(o.Scopes) > maxScopes || slices.ContainsFunc(o.Scopes, notScope):
		return wrong("scopes", "are at most %d scopes, without spaces and quotes.", maxScopes)
	case o.AuthMethod != "" && !slices.Contains([]AuthMethod{SecretBasic, SecretPost, PrivateKeyJWT}, o.AuthMethod):
		return wrong("token_endpoint_auth_method", "is client_secret_basic, client_secret_post or private_key_jwt.")
	}
	for _, alg := range o.Algorithms {
		if !slices.Contains(algorithms(), alg) {
			return wrong("id_token_signing_algs", "are of %s; %.20q is none.", strings.Join(algorithms(), ", "), alg)
		}
	}
	return nil
}

func notURI(s string) bool {
	return s == "" || len(s) > maxURI || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}

// notScope is RFC 6749 section 3.3 the other way round.
func notScope(s string) bool {
	return s == "" || len(s) > maxAttributeName || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '"' || r == '\\' })
}

// skew is how far clocks may differ.
func (o Options) skew() time.Duration {
	if o.ClockSkew == 0 {
		return defaultSkew * time.Second
	}
	return time.Duration(o.ClockSkew) * time.Second
}

// unsolicited is what is done about responses that nobody asked for.
func (o Options) unsolicited() UnsolicitedPolicy {
	if o.Unsolicited == "" {
		return Restart
	}
	return o.Unsolicited
}

var meaningForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

func (m AttributeMap) check() error {
	if len(m) > maxMapped {
		return invalid("attribute_map", "too_many", "attribute_map has at most %d entries; these are %d.", maxMapped, len(m))
	}
	for meaning, names := range m {
		field := "attribute_map." + bounded(meaning, 60)
		if !meaningForm.MatchString(meaning) {
			return invalid(field, "invalid_attribute", "A name in attribute_map begins with a lower-case letter and has lower-case letters, digits and underscores; %.60q does not.", meaning)
		}
		if len(names) == 0 || len(names) > maxNames || slices.ContainsFunc(names, func(n string) bool { return n == "" || len(n) > maxAttributeName || strings.ContainsRune(n, 0) }) {
			return invalid(field, "invalid_attribute", "%s takes 1 to %d names of attributes, each of 1 to %d bytes.", field, maxNames, maxAttributeName)
		}
	}
	return nil
}

func checkConnectionName(name string) error {
	switch {
	case name == "":
		return invalid("name", "required", "The connection needs a name.")
	case utf8.RuneCountInString(name) > maxConnectionName || strings.ContainsRune(name, 0):
		return invalid("name", "invalid", "The name has at most %d characters, none of them U+0000.", maxConnectionName)
	}
	return nil
}

func nameIDFormats() string {
	var names []string
	for _, f := range idp.NameIDFormats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

// checkBrowserURL holds an address that browsers are sent to. Whether its host is public is not for us to say: an identity provider may
// be reachable for employees only. Without TLS it is taken where the operator has named the network.
func (s *Service) checkBrowserURL(field, text string, named func(string) error) error {
	u, err := url.Parse(text)
	switch {
	case len(text) > maxURL || err != nil || u.Host == "" || u.Opaque != "" || u.User != nil || u.Fragment != "" ||
		strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' || r == '"' || r == '<' || r == '>' }):
		return invalid(field, "invalid_url", "%s has to be a whole URL like https://idp.example.com/sso, without user name and without a part after #.", field)
	case u.Scheme == "https":
		return nil
	case u.Scheme != "http":
		return invalid(field, "invalid_url", "%s has to begin with https://.", field)
	}
	if err := named(text); err != nil {
		return invalid(field, "invalid_url", "%s has to begin with https://. Without TLS it may only lead to a private network that this installation allows by --allow-target, and %.80s is in none.", field, u.Host).Because(err)
	}
	return nil
}

var pathForm = regexp.MustCompile(`^(/[A-Za-z0-9][A-Za-z0-9._~-]*)+$`)

// Reserved are first segments of paths of our own, at which a connection cannot be served.
func Reserved() []string {
	return []string{
		"saml", "oidc", "scim", "oauth2", "sign-in", "sign-out", "signed-out", "simulate", ".well-known", "user_management", "connect", "connections", "sign_in_attempts", "signing_keys", "profiles",
		"organizations", "organization_domains", "organization_memberships", "api_keys", "directories", "directory_users", "directory_groups",
		"webhook_endpoints", "webhook_deliveries", "events", "event_consumers", "audit", "offboardings", "openapi.json", "livez", "readyz", "metrics", "portal", "dashboard",
		"assets", "setup", "invitations", "users", "groups", "roles", "permissions", "authorization", "idp", "sessions", "mail", "domains", "applications",
		"sign-out", "simulate",
	}
}

// reservedSSO are our own paths below /sso, where a former vendor's addresses may lie too.
func reservedSSO() []string { return []string{"authorize", "token", "profile", "jwks", "logout"} }

// Free says whether a path may be one of a connection: it has two or more parts, and none of our own addresses is at or below its beginning.
func Free(path string) bool {
	segments := strings.Split(path, "/")
	if len(path) > maxPath || !pathForm.MatchString(path) || len(segments) < 3 {
		return false
	}
	first := strings.ToLower(segments[1])
	return !slices.Contains(Reserved(), first) && (first != "sso" || !slices.Contains(reservedSSO(), strings.ToLower(segments[2])))
}

// checkPaths holds the paths of a former vendor, like /sso/saml/acs/01H….
func checkPaths(paths []string) error {
	if len(paths) > maxPaths {
		return invalid("acs_paths", "too_many", "acs_paths are at most %d.", maxPaths)
	}
	for i, path := range paths {
		segments := strings.Split(path, "/")
		if len(path) > maxPath || !pathForm.MatchString(path) || len(segments) < 3 {
			return invalid("acs_paths", "invalid_path", "%.80q is not a path of two or more parts like /sso/saml/acs/01HXYZ.", path)
		}
		if !Free(path) {
			return invalid("acs_paths", "reserved_path", "%.80q lies among the addresses of Rollcall itself.", path)
		}
		if slices.Contains(paths[:i], path) {
			return invalid("acs_paths", "duplicate_path", "%.80q is given twice.", path)
		}
	}
	return nil
}

// describe is for errors that wrap.
func describe(verb string, id ID, err error) error {
	if _, ok := fault.As(err); ok || err == nil {
		return err
	}
	return fmt.Errorf("%s connection %s: %w", verb, id, err)
}

// Shown are the options with what holds where nothing was chosen.
func (o Options) Shown() Options {
	o.ClockSkew, o.Unsolicited = int(o.skew()/time.Second), o.unsolicited()
	if o.Contexts == nil {
		o.Contexts = []string{}
	}
	if o.Scopes == nil {
		o.Scopes = []string{}
	}
	if o.Algorithms == nil {
		o.Algorithms = []string{}
	}
	return o
}

// ShownOptions are the options with what holds where nothing was chosen, for this connection's protocol too.
func (c Connection) ShownOptions() Options {
	o := c.Options.Shown()
	o.SingleLogout = new(c.singleLogout())
	return o
}

// singleLogout says whether people who sign out here are sent on to the provider.
func (c Connection) singleLogout() bool {
	if c.Options.SingleLogout != nil {
		return *c.Options.SingleLogout
	}
	return c.Protocol == SAML
}
