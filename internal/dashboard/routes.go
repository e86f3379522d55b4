package dashboard

import (
	"slices"

	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/web"
)

// row is one line of the URL table: an address, who may look at it and who may send its form. {name} stands for one segment. A handler that is
// nil is not there.
type row struct {
	pattern string
	class   string // for metrics and logs
	see     operator.Role
	get     func(*call) error
	change  operator.Role
	post    func(*call) error
}

// openRow is a line for those who are not signed in yet.
type openRow struct {
	pattern   string
	class     string
	get, post func(*visit) error
}

// Addresses that pages name.
const (
	accountPath   = Prefix + "account"
	operatorsPath = Prefix + "operators"
	passkeysPath  = Prefix + "passkeys"
	signInPath    = Prefix + "sign-in"
	linkPath      = Prefix + "link/"
)

// openPages are the addresses before the sign-in.
func openPages() []openRow {
	return []openRow{
		{signInPath, "dashboard_sign_in", showSignIn, nil},
		{signInPath + "/passkey", "dashboard_sign_in_passkey", nil, finishSignIn},
		{signInPath + "/passkey/begin", "dashboard_sign_in_passkey", nil, beginSignIn},
		{linkPath + "{secret}", "dashboard_link", showLink, redeemLink},
	}
}

// pages are the addresses of who is signed in. Families stand together; one that is there for all roles says operator.ReadOnly.
func pages() []row {
	const everybody, admins, owners = operator.ReadOnly, operator.Admin, operator.Owner
	return slices.Concat(
		[]row{
			{Prefix, "dashboard_home", everybody, showHome, admins, nil},
			exportRow(attentionPath, "dashboard_attention", everybody, attentionTable),
			{Prefix + "sign-out", "dashboard_sign_out", everybody, nil, everybody, signOut},
		},
		[]row{
			{accountPath, "dashboard_account", everybody, showAccount, everybody, renameAccount},
			{accountPath + "/passkeys/{id}/delete", "dashboard_account_passkey", everybody, nil, everybody, deletePasskey},
			{accountPath + "/sessions/{id}/end", "dashboard_account_session", everybody, nil, everybody, endSession},
			{accountPath + "/sessions/end-others", "dashboard_account_sessions", everybody, nil, everybody, endOtherSessions},
			{passkeysPath, "dashboard_passkeys", everybody, nil, everybody, keepPasskey},
			{passkeysPath + "/begin", "dashboard_passkeys", everybody, nil, everybody, beginPasskey},
			{passkeysPath + "/new", "dashboard_passkeys", everybody, offerPasskey, everybody, nil},
		},
		[]row{
			{operatorsPath, "dashboard_operators", owners, showOperators, owners, inviteOperator},
			exportRow(operatorsPath, "dashboard_operators", owners, operatorsTable),
			{operatorsPath + "/{id}", "dashboard_operator", owners, showOperator, owners, changeOperator},
			{operatorsPath + "/{id}/link", "dashboard_operator_link", owners, nil, owners, linkOperator},
			{operatorsPath + "/{id}/end-sessions", "dashboard_operator_sessions", owners, nil, owners, endOperatorSessions},
			{operatorsPath + "/{id}/remove", "dashboard_operator_remove", owners, confirmRemoval, owners, removeOperator},
		},
		connectionPages(), memberPages(), accessPages(), mappingPages(), eventPages(), webhookPages(), auditPages(), apiKeyPages(),
		applicationPages(), settingPages(),
		organizationPages(), directoryPages(), brakePages(), switchPages(),
	)
}

// Addresses are those of the pages that somebody who is signed in can look at; {name} stands for one segment.
func Addresses() (out []string) {
	for _, p := range pages() {
		if p.get != nil {
			out = append(out, p.pattern)
		}
	}
	return out
}

// route is a row of either table, ready to be found.
type route struct {
	row

	open *openRow
	path web.Pattern
}

func routes() []route {
	var out []route
	for _, o := range openPages() {
		out = append(out, route{row: row{pattern: o.pattern, class: o.class}, open: &o, path: web.NewPattern(o.pattern)})
	}
	for _, p := range pages() {
		out = append(out, route{row: p, path: web.NewPattern(p.pattern)})
	}
	return out
}

// find gives the route of a path and what its placeholders stand for.
func (s *Server) find(path string) (*route, map[string]string) {
	return web.Find(s.routes, func(r *route) web.Pattern { return r.path }, path)
}
