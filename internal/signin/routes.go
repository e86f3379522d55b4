package signin

import (
	"net/http"

	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/web"
)

// handler serves one method of one address.
type handler func(*call) error

// kind says who calls an address, and so what a refusal looks like and what protects it.
type kind uint8

const (
	page    kind = iota // a person's browser: pages
	form                // a form of our own pages: from our own origin only
	posted              // a person's browser, sent by an identity provider or an application
	machine             // an application's server: JSON
	open                // anybody, scripts of other origins too: JSON
)

// row is one line of the URL table. {name} stands for one segment.
type row struct {
	pattern string
	class   string // for metrics and logs
	methods map[string]entry
}

type entry struct {
	kind  kind
	serve handler
}

// table is every address there is. HEAD is answered as GET.
func table() []row {
	get, post := http.MethodGet, http.MethodPost
	return []row{
		{"/.well-known/openid-configuration", "oauth2_discovery", map[string]entry{get: {open, discovery}}},
		{"/oauth2/authorize", "oauth2_authorize", map[string]entry{get: {page, authorize}, post: {posted, authorize}}},
		{"/oauth2/token", "oauth2_token", map[string]entry{post: {open, issueToken}}},
		{"/oauth2/userinfo", "oauth2_userinfo", map[string]entry{get: {open, userInfo}, post: {open, userInfo}}},
		{"/oauth2/introspect", "oauth2_introspect", map[string]entry{post: {machine, introspect}}},
		{"/oauth2/revoke", "oauth2_revoke", map[string]entry{post: {open, revoke}}},
		{"/oauth2/jwks", "oauth2_jwks", map[string]entry{get: {open, keySet}}},
		{"/oauth2/logout", "oauth2_logout", map[string]entry{get: {page, endSession}, post: {posted, endSession}}},

		{"/sso/authorize", "sso_authorize", map[string]entry{get: {page, authorizeProfile}}},
		{"/sso/token", "sso_token", map[string]entry{post: {machine, issueProfile}}},
		{"/sso/profile", "sso_profile", map[string]entry{get: {machine, showProfile}}},
		{"/sso/jwks/{client_id}", "sso_jwks", map[string]entry{get: {open, clientKeySet}}},
		{"/sso/logout", "sso_logout", map[string]entry{get: {page, logOutProfile}}},

		{"/user_management/authorize", "user_management_authorize", map[string]entry{get: {page, authorizeAccount}}},
		{"/user_management/authenticate", "user_management_authenticate", map[string]entry{post: {machine, issueAccount}}},
		{"/user_management/sessions/logout", "user_management_logout", map[string]entry{get: {page, logOutNamed}}},

		{"/saml/{key}", "saml_metadata", map[string]entry{get: {page, metadata}}},
		{"/saml/{key}/acs", "saml_acs", map[string]entry{post: {posted, receiveSAML}}},
		{"/saml/{key}/slo", "saml_slo", map[string]entry{get: {page, receiveLogout}, post: {posted, receiveLogout}}},
		{"/saml/{key}/login", "saml_login", map[string]entry{get: {page, startAt}}},
		{"/oidc/{key}/callback", "oidc_callback", map[string]entry{get: {page, receiveOIDC}}},
		{"/oidc/{key}/login", "oidc_login", map[string]entry{get: {page, startAt}, post: {posted, startAt}}},
		{"/oidc/{key}/backchannel-logout", "oidc_backchannel_logout", map[string]entry{post: {machine, receiveLogoutToken}}},
		{"/oidc/{key}/signed-out", "oidc_signed_out", map[string]entry{get: {page, returned}}},

		{"/sign-in", "sign_in", map[string]entry{get: {page, showSignIn}, post: {form, takeEmail}}},
		{"/sign-in/code", "sign_in_code", map[string]entry{post: {form, takeCode}}},
		{"/sign-in/organization", "sign_in_organization", map[string]entry{post: {form, takeChoice}}},
		{lifecycle.LinkPath + "{token}", "sign_in_link", map[string]entry{get: {page, showLink}, post: {form, takeLink}}},
		{lifecycle.JoinedPath, "invitation_accepted", map[string]entry{get: {page, showJoined}}},
		{lifecycle.InvitationPath + "{token}", "invitation", map[string]entry{get: {page, showInvitation}, post: {form, takeInvitation}}},
		{lifecycle.TestPath + "{test}", "sign_in_test", map[string]entry{get: {page, test}}},
		{lifecycle.HopPath, "sign_in_onward", map[string]entry{get: {page, onward}}},
		{"/sign-out", "sign_out", map[string]entry{post: {form, confirmSignOut}}},
		{lifecycle.LeavePath, "sign_out_onward", map[string]entry{get: {page, leave}}},
		{"/signed-out", "signed_out", map[string]entry{get: {page, showSignedOut}}},
	}
}

type route struct {
	row
	path web.Pattern
}

func routes() []route {
	rows := table()
	out := make([]route, len(rows))
	for i, r := range rows {
		out[i] = route{r, web.NewPattern(r.pattern)}
	}
	return out
}

// find gives the route of a path and what its placeholders stand for.
func find(table []route, path string) (*route, map[string]string) {
	return web.Find(table, func(r *route) web.Pattern { return r.path }, path)
}
