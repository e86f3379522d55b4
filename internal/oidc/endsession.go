package oidc

import "net/url"

// EndSessionRequest is a request to end the session (OpenID Connect RP-Initiated Logout 1.0, section 2). Nothing in it is verified: without
// a hint that VerifyHint accepts, a person has to confirm, and PostLogoutRedirectURI counts only where it is registered for the client.
type EndSessionRequest struct {
	IDTokenHint           string
	LogoutHint            string
	ClientID              string
	PostLogoutRedirectURI string
	State                 string
	UILocales             string
}

// ParseEndSession reads the values of the query or the form. A refusal is an *ErrorResponse for a page.
func ParseEndSession(values url.Values) (EndSessionRequest, error) {
	p := &parameters{values: values}
	r := EndSessionRequest{
		IDTokenHint:           p.one("id_token_hint", maxHint),
		LogoutHint:            p.one("logout_hint", maxParameter),
		ClientID:              p.one("client_id", maxParameter),
		PostLogoutRedirectURI: p.one("post_logout_redirect_uri", maxParameter),
		State:                 p.one("state", maxState),
		UILocales:             p.one("ui_locales", maxParameter),
	}
	if p.refusal != nil {
		return EndSessionRequest{}, p.refusal.OnPage()
	}
	if r.PostLogoutRedirectURI != "" {
		if refusal := CheckRedirectURI(r.PostLogoutRedirectURI); refusal != nil {
			return EndSessionRequest{}, refusal.On("post_logout_redirect_uri")
		}
	}
	return r, nil
}

// RedirectAfterLogout is the registered address with the state of the request.
func RedirectAfterLogout(uri, state string) (string, error) {
	if state == "" {
		return uri, nil
	}
	return withQuery(uri, url.Values{"state": {state}})
}
