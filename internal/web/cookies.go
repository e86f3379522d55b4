package web

import (
	"net/http"
	"strings"
	"time"
)

// Cookie is one of the cookies there are. Each has a job, and none does another's.
type Cookie string

const (
	// BrowserCookie binds what a browser began to what it finishes. It opens nothing. The identity provider posts from its own site,
	// so it must come along from there.
	BrowserCookie Cookie = "browser"
	// SessionCookie is the key of a session.
	SessionCookie Cookie = "session"
	// RestartCookie remembers for a minute that the browser was sent back to its identity provider, who sends it on from its own site.
	RestartCookie Cookie = "restart"
	// LastCookie remembers what a person typed last.
	LastCookie Cookie = "last"
	// LogoutCookie holds, sealed, where a person goes after the identity provider has signed them out. Its answer may be posted.
	LogoutCookie Cookie = "logout"
	// OperatorCookie is the key of an operator's session.
	OperatorCookie Cookie = "operator"
	// PortalCookie is the key of an IT admin's session in the set-up portal, and before it the key of the wait for a code.
	PortalCookie Cookie = "portal"
	// PortalPageCookie remembers which page of the portal was asked for by a browser that had to come in first.
	PortalPageCookie Cookie = "portal-page"
)

// secure: only where the client came by TLS can a cookie have the prefix that no other host and no clear-text page can set
// (RFC 6265bis section 4.1.3.2).
func secure(r *http.Request) bool { return strings.HasPrefix(From(r.Context()).Base, "https://") }

func (c Cookie) name(r *http.Request) string {
	if secure(r) {
		return "__Host-rollcall-" + string(c)
	}
	return "rollcall-" + string(c)
}

// sameSite: None needs Secure, so without TLS a post from the identity provider comes without the cookie, and the page that posts
// again helps.
func (c Cookie) sameSite(r *http.Request) http.SameSite {
	if (c == BrowserCookie || c == RestartCookie || c == LogoutCookie) && secure(r) {
		return http.SameSiteNoneMode
	}
	return http.SameSiteLaxMode
}

// Value is what the browser sent, or "". Two different values are none: one of them was put there by somebody else.
func (c Cookie) Value(r *http.Request) string {
	value := ""
	for _, got := range r.CookiesNamed(c.name(r)) {
		if value != "" && got.Value != value {
			return ""
		}
		value = got.Value
	}
	return value
}

// Set hands a value to the browser for so long; 0: until it is closed.
func (c Cookie) Set(w http.ResponseWriter, r *http.Request, value string, keep time.Duration) {
	http.SetCookie(w, c.made(r, value, int(keep/time.Second)))
}

// Clear takes it back.
func (c Cookie) Clear(w http.ResponseWriter, r *http.Request) { http.SetCookie(w, c.made(r, "", -1)) }

func (c Cookie) made(r *http.Request, value string, maxAge int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure wherever there is TLS
		Name: c.name(r), Value: value, Path: "/", MaxAge: maxAge, Secure: secure(r), HttpOnly: true, SameSite: c.sameSite(r),
	}
}
