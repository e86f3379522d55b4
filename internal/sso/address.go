package sso

// Addresses are those of a connection that a provider stores.
type Addresses struct {
	EntityID, Metadata, ACS, SLO   string // SAML
	RedirectURI, BackchannelLogout string // OpenID Connect
	Login                          string
}

// Addresses are those at a base, which has no slash at the end.
func (c Connection) Addresses(base string) Addresses {
	saml, oidc := base+"/saml/"+c.Key, base+"/oidc/"+c.Key
	if c.Protocol == OIDC {
		return Addresses{RedirectURI: oidc + "/callback", BackchannelLogout: oidc + "/backchannel-logout", Login: oidc + "/login"}
	}
	a := Addresses{EntityID: saml, Metadata: saml, ACS: saml + "/acs", SLO: saml + "/slo", Login: saml + "/login"}
	if c.SPEntityID != "" {
		a.EntityID = c.SPEntityID
	}
	return a
}
