package oidc

// Style says by which routes an application talks to the provider: they share everything but a few habits of their clients.
type Style string

// The closed list of styles.
const (
	// StyleOIDC: /oauth2/…, standard OpenID Connect; PKCE with S256 always.
	StyleOIDC Style = "oidc"
	// StyleSSO: /sso/…, as WorkOS; PKCE is optional for a client with a secret, the token request may be JSON.
	StyleSSO Style = "sso"
	// StyleUserManagement: /user_management/…, as WorkOS; habits as StyleSSO.
	StyleUserManagement Style = "user_management"
)

// Compatible tells the WorkOS routes from the standard ones.
func (s Style) Compatible() bool { return s == StyleSSO || s == StyleUserManagement }
