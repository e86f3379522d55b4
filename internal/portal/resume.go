package portal

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/web"
)

// resumeWithin is how long it is remembered which page was asked for: long enough to ask for a link, find the mail and enter the code.
const resumeWithin = time.Hour

// resumable are the pages that a browser comes back to after it has come in: those that mails lead to, and those that people keep as bookmarks. None
// of them does anything when it is opened.
func resumable() []string {
	return []string{
		"/portal/tokens/{directory}", "/portal/certificates", "/portal/certificates/{connection}", "/portal/secrets/{connection}", "/portal/domains",
		"/portal/brake/{directory}", "/portal/brake/{directory}/{hold}", "/portal/health/{directory}", "/portal/access", "/portal/leavers", "/portal/audit", "/portal/contacts", comparePath,
		"/portal/sso", "/portal/directory",
	}
}

// keepPage has the browser remember the page that it may not see yet.
func (v *visit) keepPage(at *route) {
	if v.r.Method == http.MethodGet && at.resumable() && ofPlainText(v.r.URL.Path) {
		web.PortalPageCookie.Set(v.w, v.r, v.r.URL.Path, resumeWithin)
	}
}

func (r row) resumable() bool { return slices.Contains(resumable(), r.pattern) }

// ofPlainText says that a path lies in the portal, is made of what addresses of its pages are made of, and of nothing that a browser or a cookie could
// read otherwise.
func ofPlainText(path string) bool {
	return strings.HasPrefix(path, itadmin.Path+"/") && !strings.ContainsFunc(path, func(r rune) bool {
		return r != '/' && r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// begin is the page that a session begins at: the one that was asked for before, else the one that its link is for. A link for one purpose leads
// there. What the browser remembers counts only where it is the address of a resumable page of ours.
func (v *visit) begin(in itadmin.Session) string {
	asked := web.PortalPageCookie.Value(v.r)
	if asked == "" {
		return landing(in.Intent)
	}
	web.PortalPageCookie.Clear(v.w, v.r)
	if at, _ := find(v.s.routes, asked); in.Intent == itadmin.Everything && at != nil && at.resumable() && ofPlainText(asked) {
		return asked
	}
	return landing(in.Intent)
}
