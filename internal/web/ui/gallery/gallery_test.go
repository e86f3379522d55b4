package gallery

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/rollcallhq/rollcall/internal/web"
	"github.com/rollcallhq/rollcall/internal/web/assets"
	"github.com/rollcallhq/rollcall/internal/web/browsertest"
)

// serve serves the gallery as the program serves pages.
func serve(t *testing.T, brand web.Brand) string {
	t.Helper()
	site, err := web.NewSite(brand, func() time.Time { return Now })
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(assets.Prefix, site.Assets())
	for _, p := range Pages() {
		mux.HandleFunc("GET /"+p.Name, func(w http.ResponseWriter, r *http.Request) {
			if err := site.Write(w, r, web.Answer{Body: p.Body, Script: true, Isolated: true}); err != nil {
				t.Errorf("%s: %v", p.Name, err)
			}
		})
	}
	pages := web.NewPages(site)
	for name, p := range memberPages() {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			r = r.WithContext(web.With(r.Context(), &web.Request{Base: "https://sso.example.com"}))
			if err := pages.Write(w, r, http.StatusOK, p, ""); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func memberPages() map[string]web.Page {
	return map[string]web.Page{
		"member-sign-in":  web.SignInPage{App: "Acme Shop", Codes: true},
		"member-wrong":    web.SignInPage{App: "Acme Shop", Email: "ada@acme", Wrong: "Please give an email address like you@company.com."},
		"member-code":     web.CodePage{Email: "ada@acme.example", Again: "/sign-in", Wrong: "This code is not right, or not valid any more. Check it, or ask for a new one."},
		"member-choose":   web.ChoosePage{App: "Acme Shop", Email: "ada@acme.example", Organizations: []web.Choice{{ID: "1", Name: "Acme Corporation", Last: true}, {ID: "2", Name: "Globex"}}},
		"member-refusal":  web.RefusalPage{ID: "signin_attempt_01KAJ7C9V3Z8P0N6M2Q4R5S7T8", Again: "/sign-in"},
		"member-invited":  web.InvitationPage{Organization: "Acme Corporation", Inviter: "Grace Hopper", Email: "ada@acme.example", App: "Acme Shop", SSO: "Okta", Provable: true},
		"member-guest":    web.InvitationPage{Organization: "Acme Corporation", Inviter: "Grace Hopper", Email: "eve@home.example", App: "Acme Shop", SSO: "Okta", Code: true, Provable: true},
		"member-sign-out": web.SignOutPage{Email: "ada@acme.example", Action: "/sign-out"},
		"member-joined":   web.JoinedPage{Organization: "Acme Corporation", Places: []web.Place{{App: "Acme Shop", URL: "https://shop.example"}}},
		"member-test": web.TestPage{Connection: "Okta", Organization: "Acme Corporation", ID: "signin_attempt_01KAJ7C9V3Z8P0N6M2Q4R5S7T8", Checks: []web.Check{
			{Name: "The answer is signed, and the signature holds", OK: true},
			{Name: "The answer is meant for this connection", Note: "Who mends it: whoever looks after the identity provider.", Expected: "https://sso.example.com/saml/k7d2m9q4x1", Actual: "https://sso.example.com/saml/other"},
		}},
	}
}

func names() []string {
	var out []string
	for _, p := range Pages() {
		out = append(out, p.Name)
	}
	for name := range memberPages() {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestEvery_page_has_nothing_serious_against_it_in_any_look(t *testing.T) {
	base, ctx := serve(t, web.Brand{}), browsertest.Start(t)
	said := browsertest.Complaints(ctx, t)
	for _, l := range browsertest.Looks() {
		l.Put(ctx, t)
		for _, name := range names() {
			must(t, chromedp.Do(ctx, chromedp.Navigate(base+"/"+name)))
			browsertest.Picture(ctx, t, name+"-"+l.Name)
			browsertest.Fits(ctx, t, name+", "+l.Name)
			browsertest.Readable(ctx, t, name+", "+l.Name)
			for _, line := range said() {
				t.Errorf("%s, %s: the browser says %q", name, l.Name, line)
			}
		}
	}
}

// What the tests above rest on: axe finds what is wrong.
func TestAudit_finds_a_field_without_a_label_and_text_that_cannot_be_read(t *testing.T) {
	base, ctx := serve(t, web.Brand{}), browsertest.Start(t)
	must(t, chromedp.Do(ctx, chromedp.Navigate(base+"/settings"), chromedp.Evaluate[chromedp.Void](`document.querySelector('label[for=name]').remove(); document.querySelector('h1').style.color = '#cccccc'; 1`)))
	found := strings.Join(browsertest.Findings(ctx, t), "\n")
	for _, want := range []string{"label (critical)", "color-contrast (serious)"} {
		if !strings.Contains(found, want) {
			t.Errorf("axe does not find %s: %s", want, found)
		}
	}
}

func TestPages_in_a_brand_whose_colour_is_hard_to_read_can_be_read(t *testing.T) {
	ctx := browsertest.Start(t)
	for _, text := range []string{"#ffcc00", "#000000", "#ffffff", "#7f7f7f"} {
		colour, err := assets.ParseColour(text)
		must(t, err)
		base := serve(t, web.Brand{Name: "Acme Shop", Colour: &colour})
		for _, l := range browsertest.Looks()[:2] {
			l.Put(ctx, t)
			for _, name := range []string{"member-sign-in", "portal", "controls"} {
				must(t, chromedp.Do(ctx, chromedp.Navigate(base+"/"+name)))
				if text == "#ffcc00" {
					browsertest.Picture(ctx, t, name+"-brand-"+l.Name)
				}
				browsertest.Readable(ctx, t, text+", "+name+", "+l.Name)
			}
		}
	}
}

func shown(ctx context.Context, t *testing.T, selector string) bool {
	t.Helper()
	yes, err := chromedp.Run(ctx, chromedp.Evaluate[bool](fmt.Sprintf("(e => !!e && e.checkVisibility() && e.getBoundingClientRect().width > 1)(document.querySelector(%q))", selector)))
	must(t, err)
	return yes
}

func TestWithout_script_the_menu_opens_and_nothing_is_offered_that_needs_one(t *testing.T) {
	base, ctx := serve(t, web.Brand{}), browsertest.Start(t)
	browsertest.Looks()[2].Put(ctx, t)
	browsertest.WithoutScript(ctx, t)
	must(t, chromedp.Do(ctx, chromedp.Navigate(base+"/organization")))
	if shown(ctx, t, "[data-theme-toggle]") || shown(ctx, t, "[data-copy]") {
		t.Error("a button is there that does nothing")
	}
	if shown(ctx, t, "#menu") {
		t.Error("the menu is open before it is opened")
	}
	must(t, chromedp.Do(ctx, chromedp.Click(".top-menu")))
	browsertest.Picture(ctx, t, "menu-light-360")
	if !shown(ctx, t, "#menu a[aria-current]") {
		t.Error("the menu does not open")
	}
	must(t, chromedp.Do(ctx, chromedp.Click(".side-close")))
	if shown(ctx, t, "#menu") {
		t.Error("the menu does not close")
	}
	must(t, chromedp.Do(ctx, chromedp.Click(".account-button")))
	browsertest.Picture(ctx, t, "account-light-360")
	if !shown(ctx, t, "#account button") {
		t.Error("the account's menu does not open")
	}
	must(t, chromedp.Do(ctx, chromedp.Navigate(base+"/portal"), chromedp.Click(".portal-now summary")))
	if !shown(ctx, t, ".portal-now .steps li") {
		t.Error("the steps of the portal do not open")
	}
}

func TestKeyboard_reaches_the_content_first(t *testing.T) {
	base, ctx := serve(t, web.Brand{}), browsertest.Start(t)
	browsertest.Looks()[0].Put(ctx, t)
	must(t, chromedp.Do(ctx, chromedp.Navigate(base+"/people"), chromedp.KeyEvent("\t")))
	if !shown(ctx, t, ".skip:focus") {
		t.Fatal("the first stop is not the link to the content")
	}
	must(t, chromedp.Do(ctx, chromedp.KeyEvent("\r")))
	at, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.activeElement.id"))
	must(t, err)
	if at != "main" {
		t.Errorf("the link leads to %q", at)
	}
}

func TestScript_copies_a_value_and_says_so_and_remembers_the_theme(t *testing.T) {
	base, ctx := serve(t, web.Brand{}), browsertest.Start(t)
	browsertest.Looks()[0].Put(ctx, t)
	must(t, chromedp.Do(ctx, chromedp.Navigate(base+"/portal"), chromedp.Evaluate[chromedp.Void]("window.copied = ''; navigator.clipboard.writeText = async (t) => { window.copied = t; }; 1"), chromedp.Click("[data-copy=acs]")))
	says(ctx, t, "window.copied", "https://sso.example.com/saml/k7d2m9q4x1/acs")
	says(ctx, t, "document.getElementById('live').textContent", "Copied: Single sign-on URL")
	must(t, chromedp.Do(ctx, chromedp.Click("[data-theme-toggle]")))
	says(ctx, t, "document.documentElement.className", "js dark")
	must(t, chromedp.Do(ctx, chromedp.Navigate(base+"/member-sign-in")))
	says(ctx, t, "document.documentElement.className", "dark")
}

func TestMessage_is_put_away_by_its_button(t *testing.T) {
	base, ctx := serve(t, web.Brand{}), browsertest.Start(t)
	must(t, chromedp.Do(ctx, chromedp.Navigate(base+"/controls"), chromedp.Click("[data-dismiss]")))
	says(ctx, t, "String(document.querySelectorAll('[data-toast]').length)", "0")
}

// says waits until an expression has a value: scripts and the browser take a moment.
func says(ctx context.Context, t *testing.T, expression, want string) {
	t.Helper()
	got := ""
	for range 50 {
		var err error
		got, err = chromedp.Run(ctx, chromedp.Evaluate[string](expression))
		must(t, err)
		if got == want {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("%s is %q, want %q", expression, got, want)
}
