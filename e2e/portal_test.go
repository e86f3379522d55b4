package e2e_test

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/rollcallhq/rollcall/internal/web/browsertest"
)

// tour is an IT admin in front of the portal.
type tour struct {
	*testing.T
	ctx   context.Context
	story string // in the names of pictures
	page  int
}

func (to *tour) does(steps ...chromedp.Action[chromedp.Void]) {
	to.Helper()
	does(to.ctx, to.T, steps...)
}

// opens goes to a page.
func (to *tour) opens(address string) { to.Helper(); to.does(chromedp.Navigate(address)) }

// sees waits until the page says something.
func (to *tour) sees(all ...string) {
	to.Helper()
	for _, what := range all {
		for range 100 {
			if shows(to.ctx, what) {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if !shows(to.ctx, what) {
			at, _ := chromedp.Run(to.ctx, chromedp.Location())
			page, _ := chromedp.Run(to.ctx, chromedp.Evaluate[string]("document.body.innerText"))
			to.Fatalf("%q is not seen at %s:\n%.4000s", what, at, page)
		}
	}
}

// presses a button, or a link that looks like one, by its words, and waits for the page after it.
func (to *tour) presses(label string) {
	to.Helper()
	to.does(chromedp.Evaluate[chromedp.Void]("document.body.setAttribute('data-before', '1'); 1"))
	pressed, err := chromedp.Run(to.ctx, chromedp.Evaluate[bool](fmt.Sprintf(
		"(e => e ? (e.click(), true) : false)([...document.querySelectorAll('main a, main button')].find(e => e.innerText.trim().startsWith(%q) && e.checkVisibility()))", label)))
	must(to.T, err)
	if !pressed {
		page, _ := chromedp.Run(to.ctx, chromedp.Evaluate[string]("document.body.innerText"))
		to.Fatalf("there is no %q:\n%.4000s", label, page)
	}
	until(to.T, func() bool {
		there, err := chromedp.Run(to.ctx, chromedp.Evaluate[bool]("document.readyState === 'complete' && !document.body.hasAttribute('data-before')"))
		return err == nil && there
	})
}

// types fills a field in.
func (to *tour) types(id, text string) {
	to.Helper()
	to.does(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("document.getElementById(%q).value = %q; 1", id, text)))
}

// takes a picture of the page, wide and at 360 pixels, light and dark. No page is wider than its window, and axe finds nothing serious in any.
func (to *tour) takes(name string) {
	to.Helper()
	to.page++
	for _, look := range browsertest.Looks() {
		look.Put(to.ctx, to.T)
		to.does(chromedp.Evaluate[chromedp.Void]("scrollTo(0, 0); document.activeElement?.blur(); 1"))
		browsertest.Fits(to.ctx, to.T, name+", "+look.Name)
		if !look.Narrow() { // what axe knows of narrow pages is in those
			browsertest.Readable(to.ctx, to.T, name+", "+look.Name)
		}
		browsertest.Picture(to.ctx, to.T, fmt.Sprintf("%s-%02d-%s-%s", cmp.Or(to.story, "portal"), to.page, name, look.Name))
	}
	browsertest.Looks()[0].Put(to.ctx, to.T)
}

func (to *tour) value(expression string) string {
	to.Helper()
	v, err := chromedp.Run(to.ctx, chromedp.Evaluate[string](expression))
	must(to.T, err)
	return v
}

// An IT admin connects Okta by SAML and SCIM, from the link to the first people, without anybody's help. The test identity provider of the
// demo stands for Okta at the sign-in, and the simulated SCIM client of Okta for the rest.
func TestPortal_leads_from_the_link_to_a_live_directory(t *testing.T) {
	h := &home{dir: t.TempDir()}
	p, _ := demo(t, h)
	base := p.says(t, p.out, addressLine)
	api := newClient(base, p.says(t, p.out, keyLine))
	organization := text(api.must(t, 201, "POST", "/organizations", `{"name":"Globex Corporation"}`), "id")
	link := text(api.must(t, 201, "POST", "/portal/generate_link", `{"organization":"`+organization+`"}`), "link")
	ctx, cancel := context.WithTimeout(browser(t, true), 5*time.Minute)
	defer cancel()
	to := &tour{T: t, ctx: ctx}

	to.opens(link)
	to.presses("Open")
	to.opens(base + "/portal/sso")
	to.sees("Which identity provider do your people sign in with?")
	to.takes("pick")
	to.does(chromedp.Evaluate[chromedp.Void]("[...document.querySelectorAll('.tile a')].find(e => e.innerText === 'Okta').click(); 1"))
	to.sees("How shall Okta tell us who signs in?")
	to.takes("protocol")
	to.presses("Begin")

	to.sees("Which email domains are yours?")
	to.types("domain", "globex.example")
	to.presses("Add")
	to.sees("Waiting for the record")
	to.takes("domains")
	domain := text(list(api.must(t, 200, "GET", "/organizations/"+organization, ""), "domains")[0], "id")
	to.presses("Look now")
	to.sees("The record of globex.example is not seen yet")
	api.must(t, 201, "POST", "/organization_domains/"+domain+"/verify", `{"verification_strategy":"manual"}`)
	to.opens(base + "/portal/domains")
	to.sees("Proven. Addresses in it count.")

	to.presses("Continue")
	to.sees("Create the application", "You need to be an application administrator in Okta")
	to.takes("create")
	to.presses("Continue: Enter the addresses")
	to.sees("Audience URI (SP Entity ID)", base+"/saml/")
	to.takes("addresses")
	to.presses("Continue: Send the attributes")
	to.takes("attributes-at-okta")
	to.presses("Continue: Send groups")
	to.presses("Continue: Bring the metadata")
	to.sees("Nothing was brought yet")
	to.takes("metadata-asked")
	to.types("metadata_url-0", base+"/simulate/saml/nothing")
	to.presses("Save and check")
	to.takes("metadata-wrong")
	to.types("metadata_url-0", base+"/simulate/saml/metadata")
	to.presses("Save and check")
	to.sees("It was read without TLS")
	to.presses("This is right, take it over")
	to.sees("Signing certificate", "Good from")
	to.takes("metadata-read")
	to.presses("Continue: Assign people")
	to.presses("Continue: Test the sign-in")
	to.sees("Single sign-on becomes a must with the first success", "Start the test")
	to.takes("test")
	to.signsIn(base, "wrong_audience")
	to.sees("Something is to be mended")
	to.takes("test-failed")
	to.signsIn(base, "sign_in")
	to.sees("It works: ada@globex.example would come in.") // by itself
	to.takes("test-succeeded")
	to.presses("Continue: Attributes")
	to.sees("Ada Lovelace")
	to.takes("attributes")
	to.presses("Continue: Who may come in")
	to.takes("people")
	to.presses("Set up directory sync")

	to.sees("Which provider knows who is in your company?")
	to.does(chromedp.Evaluate[chromedp.Void]("document.querySelector('.tile a').click(); 1")) // the one they sign in with
	to.sees("Sync people from Okta")
	to.presses("Begin")
	to.sees("Switch provisioning on")
	to.presses("Continue: Connect the directory")
	to.sees("Waiting for the first SCIM request of Okta.", "The token is shown once")
	to.takes("token-asked")
	to.presses("Make a token")
	to.sees("SCIM connector base URL")
	scim := to.value("[...document.querySelectorAll('.copy-value')].map(e => e.textContent).find(v => v.includes('/scim/v2/'))")
	secret := to.value("[...document.querySelectorAll('.copy-value')].map(e => e.textContent).find(v => v.startsWith('scim_'))")
	to.takes("token")
	h.env = append(h.env, "ROLLCALL_SCIM_URL="+scim, "ROLLCALL_SCIM_TOKEN="+secret)
	state := filepath.Join(h.dir, "okta.json")
	if code, out, log := h.finish(t, "simulate", "okta", "connect", "--keep-state", state); code != 0 {
		t.Fatalf("%d %s %s", code, out, log)
	}
	to.sees("Received from Okta") // by itself
	to.takes("first-request")
	to.presses("Continue: Choose what Okta may do")
	to.presses("Continue: Assign people with one group")
	to.sees("Waiting for the first person from Okta.")
	if code, out, log := h.finish(t, "simulate", "okta", "hire", "--domain", "globex.example", "--keep-state", state); code != 0 {
		t.Fatalf("%d %s %s", code, out, log)
	}
	to.sees("3 people") // by itself
	to.takes("first-people")
	to.presses("Continue: Push other groups")
	if code, out, log := h.finish(t, "simulate", "okta", "groups", "--domain", "globex.example", "--keep-state", state); code != 0 {
		t.Fatalf("%d %s %s", code, out, log)
	}
	to.sees("First group", "Seen")
	to.takes("first-group")
	to.presses("Continue: Send more attributes")
	to.presses("Continue: Groups and attributes")
	to.does(chromedp.Click("#drives_teams"), chromedp.Click("#teams_follow"))
	to.presses("Show what would change")
	to.sees("What would change")
	to.takes("mapping")
	to.presses("Save")
	to.sees("Saved")
	to.presses("Continue: Go live")
	to.sees("What becomes of whom", "Invited")
	to.takes("live-preview")
	to.presses("Go live")
	to.sees("Directory sync is live")
	to.takes("live")
	p.stop(t)
}

// signsIn makes a test sign-in in a window of its own, as ada@globex.example, while the page of the step stays open.
func (to *tour) signsIn(base, scenario string) {
	to.Helper()
	at := to.value("[...document.querySelectorAll('main a')].find(e => e.innerText.includes('Start a test sign-in')).href")
	window, closes := chromedp.NewContext(to.ctx)
	defer closes()
	must(to.T, chromedp.Do(window))
	does(
		window, to.T, chromedp.Navigate(at), chromedp.Click("input[value=other]"), chromedp.Evaluate[chromedp.Void](`for (const [name, value] of [["email", "ada@globex.example"], ["first_name", "Ada"], ["last_name", "Lovelace"]]) { document.querySelector("[name=" + name + "]").value = value; } 1`),
		chromedp.Click("button[value="+scenario+"]"),
	)
	until(to.T, func() bool {
		here, err := chromedp.Run(window, chromedp.Location())
		return err == nil && strings.HasPrefix(here, base+"/sign-in/test/")
	})
}
