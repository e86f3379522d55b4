package dashboard_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/operator"
)

// ask sends a request as it is, as a page of ours would.
func (b *browser) ask(method, path, kind, body string) answer {
	b.w.t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, b.w.base+path, strings.NewReader(body))
	b.w.ok(err)
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r)
}

const formKind = "application/x-www-form-urlencoded"

func TestDoor_takes_the_methods_that_a_page_has_and_text_alone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, link := w.link("late@example.com", operator.ReadOnly)
		in, out := w.as(operator.Owner), w.stranger()
		csrf := "csrf=" + in.token()
		for _, c := range []struct {
			b            *browser
			method, path string
			allow        string
		}{
			{in, http.MethodPost, "/dashboard/", "GET"},
			{in, http.MethodGet, "/dashboard/sign-out", "POST"},
			{in, http.MethodDelete, "/dashboard/account", "GET, POST"},
			{out, http.MethodPost, "/dashboard/sign-in", "GET"},
			{out, http.MethodGet, "/dashboard/sign-in/passkey", "POST"},
			{out, http.MethodPut, link, "GET, POST"},
		} {
			got := c.b.ask(c.method, c.path, formKind, csrf).want(t, http.StatusMethodNotAllowed)
			if got.Header.Get("Allow") != c.allow {
				t.Errorf("%s %s allows %q, want %q", c.method, c.path, got.Header.Get("Allow"), c.allow)
			}
		}
		for _, path := range []string{"/dashboard/organizations/%ff", "/dashboard/organizations/a%00b"} {
			in.get(path).want(t, http.StatusNotFound)
		}
		out.get("/dashboard/link/%ff").want(t, http.StatusNotFound)
		for _, query := range []string{"?after=%zz", "?after=%ff", "?after=a%00b"} {
			in.get("/dashboard/events"+query).want(t, http.StatusBadRequest)
			out.get("/dashboard/sign-in"+query).want(t, http.StatusBadRequest)
		}
		for kind, body := range map[string]string{"application/json": "{}", "text/plain": csrf, "": csrf} {
			in.ask(http.MethodPost, "/dashboard/account", kind, body).want(t, http.StatusBadRequest)
			out.ask(http.MethodPost, link, kind, body).want(t, http.StatusBadRequest)
		}
		for _, body := range []string{csrf + "&name=%zz", csrf + "&name=%ff", csrf + "&name=a%00b"} {
			in.ask(http.MethodPost, "/dashboard/account", formKind, body).want(t, http.StatusBadRequest)
		}
	})
}

// The tests' servers are at an IP address, where browsers make no passkeys.
func TestPasskeys_are_asked_for_only_where_browsers_make_them(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.base = strings.Replace(w.base, "localhost", "127.0.0.1", 1)
		in, out := w.as(operator.Admin), w.stranger()
		for path, b := range map[string]*browser{"/dashboard/sign-in/passkey": out, "/dashboard/sign-in/passkey/begin": out} {
			b.ask(http.MethodPost, path, formKind, "key=x&response=%7B%7D").want(t, http.StatusUnprocessableEntity).says(t, "Browsers make passkeys only at an address with a name")
		}
		for _, path := range []string{"/dashboard/passkeys", "/dashboard/passkeys/begin"} {
			in.send(path, "key", "x", "response", "{}").want(t, http.StatusUnprocessableEntity).says(t, "Browsers make passkeys only at an address with a name")
		}
	})
}
