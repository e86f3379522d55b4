package portal

import (
	"net/http"
	"slices"

	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/web"
)

// row is one line of the URL table. {name} stands for one segment.
type row struct {
	pattern string
	class   string // for metrics and logs
	// intents are those of links that the page is for, beside links to everything; none: it is for every session.
	intents []itadmin.Intent
	visit   visits // before the door
	call    calls  // behind it
}

// visits and calls are the handlers of the two sides of the door; a row has those of one side. HEAD is answered as GET.
type (
	visits struct{ get, post func(*visit) error }
	calls  struct{ get, post func(*call) error }
)

// table is every address there is.
func table() []row {
	return append(brakeRows(), []row{
		{itadmin.Path, "portal_ask", nil, visits{showAsk, takeAsk}, calls{}},
		{itadmin.LinkPath + "{secret}", "portal_link", nil, visits{showLink, openLink}, calls{}},
		{"/portal/code", "portal_code", nil, visits{showCode, takeCode}, calls{}},

		{"/portal/home", "portal_home", nil, visits{}, calls{get: showHome}},
		{"/portal/access", "portal_access", only(itadmin.AuditLogs), visits{}, calls{get: showAccess}},
		{"/portal/access.csv", "portal_access", only(itadmin.AuditLogs), visits{}, calls{get: exportAccess}},
		{"/portal/leavers", "portal_leavers", only(itadmin.AuditLogs), visits{}, calls{get: showLeavers}},
		{"/portal/leavers.csv", "portal_leavers", only(itadmin.AuditLogs), visits{}, calls{get: exportLeavers}},
		{"/portal/leavers/{offboarding}/receipt", "portal_receipt", only(itadmin.AuditLogs), visits{}, calls{get: showReceipt}},
		{"/portal/audit", "portal_audit", only(itadmin.AuditLogs), visits{}, calls{get: showAudit}},
		{"/portal/audit.csv", "portal_audit", only(itadmin.AuditLogs), visits{}, calls{get: exportAudit}},
		{comparePath, "portal_compare", only(itadmin.DirectorySync), visits{}, calls{showCompare, takeCompare}},
		{"/portal/contacts", "portal_contacts", only(itadmin.Everything), visits{}, calls{showContacts, addContact}},
		{"/portal/contacts/{contact}/remove", "portal_contacts", only(itadmin.Everything), visits{}, calls{post: removeContact}},
		{"/portal/delete", "portal_delete", only(itadmin.Everything), visits{}, calls{showDelete, takeDelete}},
		{"/portal/health/{directory}", "portal_health", only(itadmin.DirectorySync), visits{}, calls{get: showHealth}},
		{"/portal/tokens/{directory}", "portal_tokens", only(itadmin.DirectorySync), visits{}, calls{showTokens, makeToken}},
		{"/portal/tokens/{directory}/{token}/revoke", "portal_tokens", only(itadmin.DirectorySync), visits{}, calls{post: revokeToken}},
		{"/portal/certificates", "portal_certificates", only(itadmin.CertificateRenewal, itadmin.SSO), visits{}, calls{get: chooseCertificates}},
		{"/portal/certificates/{connection}", "portal_certificates", only(itadmin.CertificateRenewal, itadmin.SSO), visits{}, calls{showCertificates, addCertificate}},
		{"/portal/certificates/{connection}/{fingerprint}/delete", "portal_certificates", only(itadmin.CertificateRenewal, itadmin.SSO), visits{}, calls{post: deleteCertificate}},
		{"/portal/secrets/{connection}", "portal_secret", only(itadmin.SSO), visits{}, calls{showSecret, setSecret}},
		{"/portal/sign-out", "portal_sign_out", nil, visits{}, calls{post: signOut}},
		{"/portal/done", "portal_done", nil, visits{}, calls{get: showDone}},
	}...)
}

// only are the intents of links that open a page, beside those to everything; itadmin.Everything alone: no others do.
func only(intents ...itadmin.Intent) []itadmin.Intent { return intents }

// serves tells whether a page is for sessions of an intent.
func (r row) serves(i itadmin.Intent) bool {
	return len(r.intents) == 0 || i == itadmin.Everything || slices.Contains(r.intents, i)
}

func (r row) inside() bool { return r.call.get != nil || r.call.post != nil }

// methods are those that the page answers.
func (r row) methods() []string {
	var out []string
	if r.visit.get != nil || r.call.get != nil {
		out = append(out, http.MethodGet, http.MethodHead)
	}
	if r.visit.post != nil || r.call.post != nil {
		out = append(out, http.MethodPost)
	}
	return out
}

// Addresses are those of the pages behind the door that can be looked at; {name} stands for one segment.
func Addresses() (out []string) {
	for _, r := range append(table(), stepRows()...) {
		if r.call.get != nil {
			out = append(out, r.pattern)
		}
	}
	return out
}

type route struct {
	row
	path web.Pattern
}

func routes() []route {
	rows := append(table(), stepRows()...)
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
