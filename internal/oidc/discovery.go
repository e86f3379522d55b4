package oidc

import (
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/fault"
)

const wellKnown = "/.well-known/openid-configuration"

const googleIssuer = "https://accounts.google.com"

// Discovery is what an identity provider publishes about itself, reduced to what is used and allowed.
//
// The endpoints may lie on other hosts than the issuer: Google's do, so the document, which came over TLS from the issuer, is what
// vouches for them. They are https, hold no user name, and are called through the guarded client only, which refuses private addresses; the
// client's secret goes to no address that did not come from here.
type Discovery struct {
	Issuer                string
	AuthorizationEndpoint string
	TokenEndpoint         string
	UserInfoEndpoint      string // "" if there is none
	JWKSURI               string
	EndSessionEndpoint    string       // "" if there is none
	Algorithms            []Algorithm  // for ID tokens: what the provider names and we verify; never empty
	AuthMethods           []AuthMethod // at the token endpoint, of those we know; never empty
	Scopes                []string     // nil: it does not say
	IssParameter          bool         // it sends iss in its answers (RFC 9207), so an answer without is refused
	PKCE                  bool         // it names S256
	BackChannelLogout     bool
}

// ParseIssuer cleans what a person typed as issuer: surrounding blanks and the path of the discovery document are taken off, and a missing
// scheme is https. A trailing slash stays: it is part of the name. A refusal is a *fault.Error.
func ParseIssuer(typed string, allowHTTP bool) (string, error) {
	issuer := strings.TrimSuffix(strings.TrimSpace(typed), wellKnown)
	if issuer != "" && !strings.Contains(issuer, "://") {
		issuer = "https://" + issuer
	}
	if strings.ContainsAny(issuer, "{}") {
		return "", refuse(CodeIssuerMismatch, "This issuer is a template for many tenants. Use the tenant's own issuer, with its id in place of the braces.").
			On("issuer").Compared("https://login.microsoftonline.com/<tenant id>/v2.0", issuer)
	}
	if why := badAddress(issuer, allowHTTP); why != "" {
		return "", refuse(CodeMalformed, "The issuer %s.", why).On("issuer").Compared("https://…", issuer)
	}
	return issuer, nil
}

// DiscoveryURL is where an issuer publishes its document (OpenID Connect Discovery 1.0, section 4). issuer comes from ParseIssuer.
func DiscoveryURL(issuer string) string { return trimSlash(issuer) + wellKnown }

func trimSlash(s string) string { return strings.TrimSuffix(s, "/") }

// badAddress says what is wrong with an address that Rollcall would call or send people to; "" if nothing is.
func badAddress(address string, allowHTTP bool) string {
	u, err := url.Parse(address)
	switch {
	case address == "":
		return "is missing"
	case err != nil || u.Hostname() == "":
		return "is not an address"
	case u.Scheme != "https" && (u.Scheme != "http" || !allowHTTP):
		return "has to begin with https://"
	case u.User != nil:
		return "must not hold a user name"
	case strings.Contains(address, "#"):
		return "must not have a fragment"
	case strings.ContainsAny(address, " \t\r\n\\"):
		return "holds a character that does not belong there"
	}
	return ""
}

type discoveryDocument struct {
	Issuer                string       `json:"issuer"`
	AuthorizationEndpoint string       `json:"authorization_endpoint"`
	TokenEndpoint         string       `json:"token_endpoint"`
	UserInfoEndpoint      string       `json:"userinfo_endpoint"`
	JWKSURI               string       `json:"jwks_uri"`
	EndSessionEndpoint    string       `json:"end_session_endpoint"`
	ResponseTypes         []string     `json:"response_types_supported"`
	Algorithms            []Algorithm  `json:"id_token_signing_alg_values_supported"`
	AuthMethods           []AuthMethod `json:"token_endpoint_auth_methods_supported"`
	Scopes                []string     `json:"scopes_supported"`
	ChallengeMethods      []string     `json:"code_challenge_methods_supported"`
	IssParameter          flag         `json:"authorization_response_iss_parameter_supported"`
	BackChannelLogout     flag         `json:"backchannel_logout_supported"`
}

// flag is a boolean that some providers write as a string. Anything else is false and no reason to refuse the whole document.
type flag bool

// UnmarshalJSON takes true and "true".
func (f *flag) UnmarshalJSON(data []byte) error {
	*f = string(data) == "true" || string(data) == `"true"`
	return nil
}

// ParseDiscovery reads the document that issuer publishes (OpenID Connect Discovery 1.0, section 3). The issuer in it has to be the same text,
// trailing slash included (section 4.3). allowHTTP is for test installations: it lets an issuer with http, and only such a one, have endpoints with http.
func ParseDiscovery(data []byte, issuer string, allowHTTP bool) (Discovery, error) {
	var doc discoveryDocument
	if len(data) > MaxDocument {
		return Discovery{}, fault.New(fault.TooLarge, CodeMalformed, "The discovery document has more than %d bytes.", MaxDocument)
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return Discovery{}, refuse(CodeMalformed, "The discovery document is not the JSON that OpenID Connect Discovery describes.").Because(err)
	}
	if err := sameIssuer(doc.Issuer, issuer); err != nil {
		return Discovery{}, err
	}
	d := Discovery{
		Issuer: doc.Issuer, AuthorizationEndpoint: doc.AuthorizationEndpoint, TokenEndpoint: doc.TokenEndpoint,
		UserInfoEndpoint: doc.UserInfoEndpoint, JWKSURI: doc.JWKSURI, EndSessionEndpoint: doc.EndSessionEndpoint,
		Scopes: doc.Scopes, IssParameter: bool(doc.IssParameter), PKCE: slices.Contains(doc.ChallengeMethods, "S256"), BackChannelLogout: bool(doc.BackChannelLogout),
	}
	if err := d.checkEndpoints(allowHTTP); err != nil {
		return Discovery{}, err
	}
	if len(doc.ResponseTypes) > 0 && !slices.Contains(doc.ResponseTypes, "code") {
		return Discovery{}, refuse(CodeMalformed, "The provider does not offer the authorization code flow.").On("response_types_supported").Compared("code", strings.Join(doc.ResponseTypes, ", "))
	}
	return d, d.choose(doc)
}

func sameIssuer(got, wanted string) error {
	refusal := func(format string, args ...any) error {
		return refuse(CodeIssuerMismatch, format, args...).On("issuer").Compared(wanted, got)
	}
	switch {
	case strings.ContainsAny(got, "{}"):
		return refusal("The provider answers for many tenants at this address. Use the tenant's own issuer, with its id in the path.")
	case got == wanted:
		return nil
	case trimSlash(got) == trimSlash(wanted):
		return refusal("The issuer differs from the one the provider names by a slash at its end.")
	default:
		return refusal("The provider names another issuer than the one that was configured.")
	}
}

func (d Discovery) checkEndpoints(allowHTTP bool) error {
	allowHTTP = allowHTTP && strings.HasPrefix(d.Issuer, "http://")
	for _, e := range []struct {
		name, address string
		optional      bool
	}{
		{"authorization_endpoint", d.AuthorizationEndpoint, false},
		{"token_endpoint", d.TokenEndpoint, false},
		{"jwks_uri", d.JWKSURI, false},
		{"userinfo_endpoint", d.UserInfoEndpoint, true},
		{"end_session_endpoint", d.EndSessionEndpoint, true},
	} {
		if e.optional && e.address == "" {
			continue
		}
		if why := badAddress(e.address, allowHTTP); why != "" {
			return refuse(CodeMalformed, "%s in the discovery document %s.", e.name, why).On(e.name).Compared("https://…", e.address)
		}
	}
	return nil
}

// choose takes of the lists what we can do. A missing list means RS256 and client_secret_basic by the standards.
func (d *Discovery) choose(doc discoveryDocument) error {
	named := doc.Algorithms
	if len(named) == 0 {
		named = []Algorithm{RS256}
	}
	for _, alg := range verifiable() {
		if slices.Contains(named, alg) {
			d.Algorithms = append(d.Algorithms, alg)
		}
	}
	if len(d.Algorithms) == 0 {
		return refuse(CodeAlgorithmNotAllowed, "The provider signs ID tokens with no algorithm that is accepted; it has to use RS256, ES256 or a stronger one of their kind.").
			On("id_token_signing_alg_values_supported").Compared(joined(verifiable()), joined(named))
	}
	methods := doc.AuthMethods
	if len(methods) == 0 {
		methods = []AuthMethod{AuthBasic}
	}
	for _, m := range []AuthMethod{AuthBasic, AuthPost, AuthPrivateKeyJWT, AuthNone} {
		if slices.Contains(methods, m) {
			d.AuthMethods = append(d.AuthMethods, m)
		}
	}
	if len(d.AuthMethods) == 0 {
		return refuse(CodeMalformed, "The provider offers no client authentication that is known.").
			On("token_endpoint_auth_methods_supported").Compared("client_secret_basic, client_secret_post or private_key_jwt", joined(methods))
	}
	return nil
}

// verifiable lists every algorithm that is verified at all: no symmetric one, as its key would be public, and never none.
func verifiable() []Algorithm {
	return []Algorithm{RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA}
}

func joined[T ~string](list []T) string {
	var b strings.Builder
	for i, s := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(s))
	}
	return b.String()
}
