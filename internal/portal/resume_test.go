package portal

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/org"
)

const pageCookie = "__Host-rollcall-portal-page"

// jarred is a browser that keeps every cookie.
type jarred struct {
	*desk
	cookies map[string]string
}

// jar begins without any.
func (d *desk) jar() *jarred { return &jarred{d, map[string]string{}} }

// do asks for a page, or posts a form before the door.
func (b *jarred) do(method, path string, pairs ...string) seen {
	b.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range b.cookies {
		r.Header.Add("Cookie", name+"="+value)
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode {
			b.Errorf("the cookie is %v", c)
		}
		if b.cookies[c.Name] = c.Value; c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	return seen{b.T, w.Code, w.Header().Get("Location"), w.Body.String()}
}

// opens opens a link of the app and tells where it leads.
func (b *jarred) opens(id org.ID, intent itadmin.Intent) string {
	b.Helper()
	_, address, err := b.admins.MakeLink(b.Context(), b.operator(), itadmin.NewLink{OrganizationID: id, Intent: intent})
	b.must(err)
	return b.do(http.MethodPost, strings.TrimPrefix(address.Reveal(), stepsBase)).leads()
}

func TestPage_that_a_mail_leads_to_is_come_back_to_after_link_and_code(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		o := d.organization("Acme")
		_, err := d.admins.AddContact(d.Context(), d.operator(), o.ID, itadmin.NewContact{Email: "ida@acme.example"})
		d.must(err)
		b := d.jar()
		const page = "/portal/tokens/directory_01KAJ7C9V3Z8P0N6M2Q4R5S7T8"
		if to := b.do(http.MethodGet, page).leads(); to != itadmin.Path {
			t.Fatalf("without a session it leads to %q", to)
		}
		b.do(http.MethodGet, itadmin.Path).wants(http.StatusOK)
		b.do(http.MethodPost, itadmin.Path, "email", "ida@acme.example").wants(http.StatusOK)
		_, err = d.admins.AnswerAsks(d.Context())
		d.must(err)
		link := regexp.MustCompile(stepsBase + `(/portal/link/\S+)`).FindStringSubmatch(d.sent("ida@acme.example"))[1]
		b.do(http.MethodGet, link).wants(http.StatusOK)
		if to := b.do(http.MethodPost, link).leads(); to != "/portal/code" {
			t.Fatalf("the link leads to %q", to)
		}
		b.do(http.MethodPost, "/portal/code", "code", "12").wants(http.StatusUnprocessableEntity)
		code := regexp.MustCompile(`(?m)^ +(\d{6})$`).FindStringSubmatch(d.sent("ida@acme.example"))[1]
		if to := b.do(http.MethodPost, "/portal/code", "code", code).leads(); to != page {
			t.Errorf("the code leads to %q", to)
		}
		if kept := b.cookies[pageCookie]; kept != "" {
			t.Errorf("%q is remembered for the next time", kept)
		}
		if to := b.opens(o.ID, itadmin.Everything); to != "/portal/home" {
			t.Errorf("the next link leads to %q", to)
		}
		b.do(http.MethodGet, "/portal/audit").wants(http.StatusOK)
		if kept := b.cookies[pageCookie]; kept != "" {
			t.Errorf("%q is remembered of who is in", kept)
		}
	})
}

func TestLink_for_one_purpose_leads_there_whatever_was_asked_for_before(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		o, b := d.organization("Acme"), d.jar()
		b.do(http.MethodGet, "/portal/audit").leads()
		if to := b.opens(o.ID, itadmin.DomainVerification); to != "/portal/domains" {
			t.Errorf("it leads to %q", to)
		}
		if kept := b.cookies[pageCookie]; kept != "" {
			t.Errorf("%q is remembered for the next time", kept)
		}
	})
}

func TestOnly_pages_of_the_portal_that_do_nothing_are_come_back_to(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		o := d.organization("Acme")
		for _, kept := range []string{
			"https://evil.example/portal/audit", "//evil.example/portal/audit", "/\\evil.example/portal/audit", "/dashboard/", "/portal/nothing", "/portal/delete", "/portal/done",
			"/portal/sso/conn_1/test", "/portal/tokens/a/b/revoke", "/portal/tokens/a.b", "/portal/tokens/a?b", "/portal/tokens/a%2Fb", "portal/audit", "//portal/audit", "/portal/audit/", "/portal/tokens/é", "/portal/tokens/", "/portal/tokens/..",
		} {
			b := d.jar()
			b.cookies[pageCookie] = kept
			if to := b.opens(o.ID, itadmin.Everything); to != "/portal/home" {
				t.Errorf("a browser that remembers %q is sent to %q", kept, to)
			}
		}
		for _, path := range []string{"/portal/delete", "/portal/done", "/portal/home", "/portal/sso/conn_1/test", "/portal/directory/directory_1/guide/x/checks", "/portal/tokens/a.b", "/portal/tokens/a%3Bb"} {
			b := d.jar()
			if to := b.do(http.MethodGet, path).leads(); to != itadmin.Path || b.cookies[pageCookie] != "" {
				t.Errorf("%s leads to %q and is remembered as %q", path, to, b.cookies[pageCookie])
			}
		}
		b := d.jar()
		b.do(http.MethodPost, "/portal/contacts", "email", "x@acme.example").leads()
		b.do(http.MethodHead, "/portal/contacts").leads()
		if kept := b.cookies[pageCookie]; kept != "" {
			t.Errorf("a post and a HEAD are remembered as %q", kept)
		}
	})
}

func TestPages_to_come_back_to_are_in_the_table_and_can_be_looked_at(t *testing.T) {
	all := routes()
	for _, pattern := range resumable() {
		found := false
		for _, r := range all {
			found = found || r.pattern == pattern && r.call.get != nil
		}
		if !found {
			t.Errorf("there is no page %s", pattern)
		}
	}
}
