package sso

// Addresses are those of a connection that a provider stores.
type Addresses struct {
	EntityID, Metadata, ACS, SLO   string // SAML
	RedirectURI, BackchannelLogout string // OpenID Connect
	SignedOut                      string // OpenID Connect: post_logout_redirect_uri
	Login                          string
}

// Addresses are those at a base, which has no slash at the end.
func (c Connection) Addresses(base string) Addresses {
	saml, oidc := base+"/saml/"+c.Key, base+"/oidc/"+c.Key
	if c.Protocol == OIDC {
		return Addresses{RedirectURI: oidc + "/callback", BackchannelLogout: oidc + "/backchannel-logout", SignedOut: oidc + "/signed-out", Login: oidc + "/login"}
	}
	a := Addresses{EntityID: saml, Metadata: saml, ACS: saml + "/acs", SLO: saml + "/slo", Login: saml + "/login"}
	if c.SPEntityID != "" {
		a.EntityID = c.SPEntityID
	}
	return a
}

// ACS are the addresses at which responses of the connection are taken: its own and those of a former vendor, at every base.
func (c Connection) ACS(bases []string) []string {
	var out []string
	for _, base := range bases {
		out = append(out, base+"/saml/"+c.Key+"/acs")
	}
	for _, base := range bases {
		for _, path := range c.Paths {
			out = append(out, base+path)
		}
	}
	return out
}

// audiences are our entity ids: the one that was chosen, else that of each base.
func (c Connection) audiences(bases []string) []string {
	if c.SPEntityID != "" {
		return []string{c.SPEntityID}
	}
	out := make([]string, len(bases))
	for i, base := range bases {
		out[i] = base + "/saml/" + c.Key
	}
	return out
}
