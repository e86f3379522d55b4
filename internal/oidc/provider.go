package oidc

import (
	"github.com/go-json-experiment/json"
)

// ProviderOptions are what differs between installations in the provider's document.
type ProviderOptions struct {
	Scopes []string // beside openid
	Claims []string // beside those of every ID token
}

type providerDocument struct {
	Issuer                string       `json:"issuer"`
	AuthorizationEndpoint string       `json:"authorization_endpoint"`
	TokenEndpoint         string       `json:"token_endpoint"`
	UserInfoEndpoint      string       `json:"userinfo_endpoint"`
	JWKSURI               string       `json:"jwks_uri"`
	IntrospectionEndpoint string       `json:"introspection_endpoint"`
	RevocationEndpoint    string       `json:"revocation_endpoint"`
	EndSessionEndpoint    string       `json:"end_session_endpoint"`
	ResponseTypes         []string     `json:"response_types_supported"`
	ResponseModes         []string     `json:"response_modes_supported"`
	GrantTypes            []Grant      `json:"grant_types_supported"`
	SubjectTypes          []string     `json:"subject_types_supported"`
	Algorithms            []Algorithm  `json:"id_token_signing_alg_values_supported"`
	AuthMethods           []AuthMethod `json:"token_endpoint_auth_methods_supported"`
	IntrospectionMethods  []AuthMethod `json:"introspection_endpoint_auth_methods_supported"`
	RevocationMethods     []AuthMethod `json:"revocation_endpoint_auth_methods_supported"`
	ChallengeMethods      []string     `json:"code_challenge_methods_supported"`
	Prompts               []Prompt     `json:"prompt_values_supported"`
	Scopes                []string     `json:"scopes_supported"`
	Claims                []string     `json:"claims_supported"`
	IssParameter          bool         `json:"authorization_response_iss_parameter_supported"`
	BackChannel           bool         `json:"backchannel_logout_supported"`
	BackChannelSession    bool         `json:"backchannel_logout_session_supported"`
	ClaimsParameter       bool         `json:"claims_parameter_supported"`
	RequestParameter      bool         `json:"request_parameter_supported"`
	RequestURIParameter   bool         `json:"request_uri_parameter_supported"` // true is what a missing member means
}

// ProviderDocument is the provider's discovery document (OpenID Connect Discovery 1.0, section 3; RFC 8414). issuer comes from the
// configuration, never from a request: who could choose it could make clients trust another provider.
func ProviderDocument(issuer string, o ProviderOptions) ([]byte, error) {
	confidential := []AuthMethod{AuthBasic, AuthPost}
	at := func(path string) string { return trimSlash(issuer) + path }
	return json.Marshal(providerDocument{
		Issuer:                issuer,
		AuthorizationEndpoint: at("/oauth2/authorize"),
		TokenEndpoint:         at("/oauth2/token"),
		UserInfoEndpoint:      at("/oauth2/userinfo"),
		JWKSURI:               at("/oauth2/jwks"),
		IntrospectionEndpoint: at("/oauth2/introspect"),
		RevocationEndpoint:    at("/oauth2/revoke"),
		EndSessionEndpoint:    at("/oauth2/logout"),
		ResponseTypes:         []string{"code"},
		ResponseModes:         []string{"query"},
		GrantTypes:            []Grant{GrantCode, GrantRefresh},
		SubjectTypes:          []string{"public"},
		Algorithms:            []Algorithm{ES256, RS256},
		AuthMethods:           []AuthMethod{AuthBasic, AuthPost, AuthNone},
		IntrospectionMethods:  confidential,
		RevocationMethods:     []AuthMethod{AuthBasic, AuthPost, AuthNone},
		ChallengeMethods:      []string{"S256"},
		Prompts:               []Prompt{PromptNone, PromptLogin, PromptConsent, PromptSelectAccount, PromptCreate},
		Scopes:                append([]string{"openid"}, o.Scopes...),
		Claims:                append([]string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "sid", "at_hash", "amr"}, o.Claims...),
		IssParameter:          true,
		BackChannel:           true,
		BackChannelSession:    true,
	})
}
