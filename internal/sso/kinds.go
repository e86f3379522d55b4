package sso

import (
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/idp"
)

// Type is the kind of a connection in the contract's words; it names the provider and the protocol at once.
type Type = idp.ConnectionType

// kindOf finds out what is to be connected: a type names protocol and provider; a provider of the catalogue has a type for each protocol
// it speaks, and means SAML where it speaks both and none is named.
func kindOf(catalog *idp.Catalog, n New) (Type, idp.Slug, Protocol, error) {
	if n.Type != "" {
		return kindOfType(catalog, n)
	}
	if n.Provider == "" {
		return "", "", "", invalid("connection_type", "required", "The connection needs a connection_type like OktaSAML, or a provider of the catalogue like okta with a protocol.")
	}
	provider, known := catalog.Provider(idp.Slug(n.Provider))
	if !known {
		return "", "", "", errProvider(n.Provider)
	}
	protocol := n.Protocol
	if protocol == "" {
		protocol = SAML
		if !provider.Speaks(idp.SAML) {
			protocol = OIDC
		}
	}
	t, speaks := provider.ConnectionTypes[idp.Protocol(protocol)]
	if !speaks {
		return "", "", "", invalid("protocol", "invalid_protocol", "%s cannot be connected by %.20q. Use saml or oidc, whichever it speaks.", provider.Name, string(protocol))
	}
	return t, provider.Slug, protocol, nil
}

func kindOfType(catalog *idp.Catalog, n New) (Type, idp.Slug, Protocol, error) {
	protocol, known := n.Type.Protocol()
	if !known {
		return "", "", "", invalid("connection_type", "invalid_type", "The connection_type %.60q cannot be created. Use one of: %s.", string(n.Type), typeNames())
	}
	if n.Protocol != "" && n.Protocol != Protocol(protocol) {
		return "", "", "", invalid("protocol", "invalid_protocol", "%s is a connection by %s; leave protocol out.", n.Type, protocol)
	}
	may := catalog.ByConnectionType(n.Type)
	if n.Provider == "" && len(may) > 0 {
		return n.Type, may[0].Slug, Protocol(protocol), nil
	}
	at := slices.IndexFunc(may, func(p idp.Provider) bool { return string(p.Slug) == n.Provider })
	if at < 0 {
		if _, exists := catalog.Provider(idp.Slug(n.Provider)); !exists {
			return "", "", "", errProvider(n.Provider)
		}
		return "", "", "", invalid("provider", "invalid_provider", "A connection of the type %s does not lead to %.60q. Leave one of the two out.", n.Type, n.Provider)
	}
	return n.Type, may[at].Slug, Protocol(protocol), nil
}

func typeNames() string {
	var names []string
	for _, p := range []idp.Protocol{idp.SAML, idp.OIDC} {
		for _, t := range idp.ConnectionTypes(p) {
			names = append(names, string(t))
		}
	}
	return strings.Join(names, ", ")
}

func errProvider(slug string) error {
	return invalid("provider", "invalid_provider", "There is no identity provider %.60q in the catalogue. Use connection_type GenericSAML or GenericOIDC if yours is not there.", slug)
}

// invalid refuses a field of a request.
func invalid(field, code, format string, args ...any) *fault.Error {
	return fault.New(fault.Unprocessable, code, format, args...).On(field)
}
