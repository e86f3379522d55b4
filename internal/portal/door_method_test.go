package portal

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/itadmin"
)

func TestDoor_takes_the_methods_that_a_page_has_and_forms_of_text_alone(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		c := d.company("Acme")
		for _, r := range routes() {
			path := strings.NewReplacer("{secret}", "portal_x", "{provider}", "okta", "{step}", "create-the-application", "{domain}", "x").Replace(c.path(r.pattern))
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete, http.MethodPut} {
				if slices.Contains(r.methods(), method) {
					continue
				}
				if got := c.raw(method, path, "", "Sec-Fetch-Site", "same-origin"); got.StatusCode != http.StatusMethodNotAllowed || got.Header.Get("Allow") == "" {
					t.Errorf("%s %s: %d", method, path, got.StatusCode)
				}
			}
		}
		form := "csrf=" + c.adminToken()
		before := len(d.audit(c.org.ID))
		for _, one := range []struct{ kind, body string }{
			{"application/json", "{}"},
			{"text/plain", form},
			{"", form},
			{"application/x-www-form-urlencoded", form + "&email=%zz"},
			{"application/x-www-form-urlencoded", form + "&email=%ff%40acme.example"},
			{"application/x-www-form-urlencoded", form + "&name=a%00b&email=x%40acme.example"},
		} {
			got := c.raw(http.MethodPost, "/portal/contacts", one.body, "Content-Type", one.kind, "Sec-Fetch-Site", "same-origin")
			if got.StatusCode != http.StatusBadRequest {
				t.Errorf("%s %q: %d", one.kind, one.body, got.StatusCode)
			}
		}
		if after := len(d.audit(c.org.ID)); after != before {
			t.Errorf("%d entries of the audit, were %d", after, before)
		}
		for _, path := range []string{"/portal/home/%ff", "/portal/link/%ff", "/portal/link/a%00b", "/portal/brake/%ff"} {
			if got := c.raw(http.MethodGet, path, ""); got.StatusCode != http.StatusNotFound {
				t.Errorf("%s: %d", path, got.StatusCode)
			}
		}
	})
}

func TestAddress_of_the_API_below_the_portals_is_not_the_portals(t *testing.T) {
	s := &Server{}
	for path, want := range map[string]bool{
		itadmin.Path: true, itadmin.Path + "/home": true, itadmin.Path + "/generate_link/x": true, itadmin.Path + "/generate_link": false, itadmin.Path + "x": false, "/": false,
	} {
		if got := s.Serves(httptest.NewRequest(http.MethodPost, path, nil)); got != want {
			t.Errorf("%s: %t", path, got)
		}
	}
}
