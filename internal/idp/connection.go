package idp

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ConnectionType is the kind of a connection as the public API spells it. It
// names the provider and the protocol at once.
type ConnectionType string

// The types of connections to providers nobody has given a type of their own.
const (
	ConnectionGenericSAML ConnectionType = "GenericSAML"
	ConnectionGenericOIDC ConnectionType = "GenericOIDC"
)

// ConnectionTypes lists every connection type that can be created by this
// protocol, in alphabetical order; none for SCIM, which makes directories.
func ConnectionTypes(protocol Protocol) []ConnectionType {
	switch protocol {
	case SAML:
		return []ConnectionType{
			"ADFSSAML", "Auth0SAML", "AzureSAML", "ClassLinkSAML", "CloudflareSAML", "CyberArkSAML", "DuoSAML", ConnectionGenericSAML,
			"GoogleSAML", "JumpCloudSAML", "KeycloakSAML", "LastPassSAML", "MiniOrangeSAML", "NetIqSAML", "OktaSAML", "OneLoginSAML",
			"OracleSAML", "PingFederateSAML", "PingOneSAML", "RipplingSAML", "SalesforceSAML", "ShibbolethSAML", "SimpleSamlPhpSAML", "VMwareSAML",
		}
	case OIDC:
		return []ConnectionType{"EntraIdOIDC", ConnectionGenericOIDC, "GoogleOIDC", "OktaOIDC"}
	default:
		return nil
	}
}

// Protocol is the protocol a connection of this type speaks. False for a type
// outside [ConnectionTypes].
func (t ConnectionType) Protocol() (Protocol, bool) {
	for _, protocol := range []Protocol{SAML, OIDC} {
		if slices.Contains(ConnectionTypes(protocol), t) {
			return protocol, true
		}
	}
	return "", false
}

// NameIDFormat is the URI of a form in which SAML names a person (SAML core 8.3).
type NameIDFormat string

// The formats that Rollcall may ask for. A transient name is another one at every
// sign-in, so nobody could be found again by it; it is not among them.
const (
	NameIDEmail       NameIDFormat = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
	NameIDUnspecified NameIDFormat = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
	NameIDPersistent  NameIDFormat = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
)

// NameIDFormats lists every format that may be asked for.
func NameIDFormats() []NameIDFormat {
	return []NameIDFormat{NameIDEmail, NameIDUnspecified, NameIDPersistent}
}

func (p Provider) checkConnections() error {
	for protocol, connectionType := range p.ConnectionTypes {
		if !p.Speaks(protocol) || !slices.Contains(ConnectionTypes(protocol), connectionType) {
			return fmt.Errorf("connection_types.%s is %q: want a protocol the provider speaks and one of its types %q", protocol, connectionType, ConnectionTypes(protocol))
		}
	}
	for _, protocol := range []Protocol{SAML, OIDC} {
		if p.Speaks(protocol) && (p.ConnectionTypes[protocol] == "" || len(p.Claims[protocol]) == 0) {
			return fmt.Errorf("protocols has %q: connection_types.%s and claims.%s must be set", protocol, protocol, protocol)
		}
	}
	for _, connectionType := range p.StandsForConnections {
		if !slices.Contains(slices.Collect(maps.Values(p.ConnectionTypes)), connectionType) {
			return fmt.Errorf("stands_for_connections has %q, which is not in connection_types", connectionType)
		}
	}
	return p.checkNameIDFormat()
}

func (p Provider) checkNameIDFormat() error {
	if p.NameIDFormat == "" {
		return nil
	}
	if !p.Speaks(SAML) {
		return fmt.Errorf("nameid_format without saml in protocols has nothing to name")
	}
	return closed("nameid_format", []NameIDFormat{p.NameIDFormat}, NameIDFormats())
}

// checkUnverified refuses a doubt about something that is not there, such as a
// claim that has been removed since.
func (p Provider) checkUnverified() error {
	for _, place := range p.Unverified {
		parts := strings.Split(place, ".")
		known := place == "nameid_format" && p.NameIDFormat != ""
		if len(parts) == 3 && parts[0] == "claims" {
			known = len(p.Claims[Protocol(parts[1])][Claim(parts[2])]) > 0
		}
		if !known {
			return fmt.Errorf("unverified has %q: want nameid_format or claims.{protocol}.{claim}, and set here", place)
		}
	}
	return nil
}

// standsForConnection tells whether a connection of this type means this provider
// when nobody names one. A type of its own needs no word about it.
func (p Provider) standsForConnection(t ConnectionType) bool {
	if t == ConnectionGenericSAML || t == ConnectionGenericOIDC {
		return slices.Contains(p.StandsForConnections, t)
	}
	return p.hasConnectionType(t)
}

func (p Provider) hasConnectionType(t ConnectionType) bool {
	for _, has := range p.ConnectionTypes {
		if has == t {
			return true
		}
	}
	return false
}

// checkConnectionTypes finds the types that stand for nobody or for two.
func (c *Catalog) checkConnectionTypes() []error {
	var faults []error
	for _, connectionType := range append(ConnectionTypes(SAML), ConnectionTypes(OIDC)...) {
		var standing []Slug
		for _, provider := range c.providers {
			if provider.standsForConnection(connectionType) {
				standing = append(standing, provider.Slug)
			}
		}
		if len(standing) != 1 {
			faults = append(faults, fmt.Errorf("connection type %q: want exactly one provider it stands for, got %q", connectionType, standing))
		}
	}
	return faults
}

// ByConnectionType lists the providers a connection of this type may belong to. The
// first is the one the type stands for: it is meant when nobody names a provider.
// The others share a generic type. Empty for an unknown type.
func (c *Catalog) ByConnectionType(connectionType ConnectionType) []Provider {
	var first, others []Provider
	for _, provider := range c.providers {
		switch {
		case provider.standsForConnection(connectionType):
			first = append(first, provider)
		case provider.hasConnectionType(connectionType):
			others = append(others, provider)
		}
	}
	return append(first, others...)
}

// WellKnownClaims are the names that identity providers in general use, best
// first: those of the provider that the protocol's generic type stands for. A
// name means one claim only. The caller may change the map and its slices.
func (c *Catalog) WellKnownClaims(protocol Protocol) map[Claim][]string {
	generic := map[Protocol]ConnectionType{SAML: ConnectionGenericSAML, OIDC: ConnectionGenericOIDC}[protocol]
	names := make(map[Claim][]string)
	if providers := c.ByConnectionType(generic); len(providers) > 0 {
		for claim, known := range providers[0].Claims[protocol] {
			names[claim] = slices.Clone(known)
		}
	}
	return names
}

// nameKey is what SignInNames are worked out for.
type nameKey struct {
	slug     Slug // "" for whatever is unknown
	protocol Protocol
}

// SignInNames are ClaimNames worked out once, for every sign-in to read. Nobody may change them.
func (c *Catalog) SignInNames(slug Slug, protocol Protocol) map[Claim][]string {
	key := nameKey{slug, protocol}
	if _, known := c.Provider(slug); !known {
		key.slug = ""
	}
	if names, ok := c.names.Load(key); ok {
		return names.(map[Claim][]string)
	}
	names, _ := c.names.LoadOrStore(key, c.ClaimNames(key.slug, protocol))
	return names.(map[Claim][]string)
}

// ClaimNames are the names to look for in a sign-in by this provider without any
// configuration, best first: its own, then the well-known ones. A name that the
// provider uses for one claim is not looked for under another. An unknown
// provider has the well-known names. The caller may change the result.
func (c *Catalog) ClaimNames(slug Slug, protocol Protocol) map[Claim][]string {
	provider, _ := c.Provider(slug)
	own := provider.Claims[protocol]
	taken := make(map[string]bool)
	for _, names := range own {
		for _, name := range names {
			taken[name] = true
		}
	}
	all := c.WellKnownClaims(protocol)
	for _, claim := range knownClaims() {
		rest := slices.DeleteFunc(all[claim], func(name string) bool { return taken[name] })
		if names := append(slices.Clone(own[claim]), rest...); len(names) > 0 {
			all[claim] = names
		} else {
			delete(all, claim)
		}
	}
	return all
}
