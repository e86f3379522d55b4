package e2e_test

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

var portalLine = regexp.MustCompile(`(?m)^  Portal +(\S+)$`)

// copied is the value that stands under a label, as whoever presses its copy button has it.
func (to *tour) copied(label string) string {
	to.Helper()
	return to.value(fmt.Sprintf("([...document.querySelectorAll('.copy')].find(e => e.querySelector('.copy-label')?.innerText === %q)?.querySelector('.copy-value') ?? {textContent: 'nothing'}).textContent", label))
}

// wayOn is how the button that leads on looks.
func (to *tour) wayOn() string {
	to.Helper()
	return to.value("getComputedStyle([...document.querySelectorAll('.step-nav .btn')].at(-1)).backgroundColor")
}

// inWindow does something in a window of its own, while the page stays open.
func (to *tour) inWindow(story func(in *tour)) {
	to.Helper()
	window, closes := chromedp.NewContext(to.ctx)
	defer closes()
	must(to.T, chromedp.Do(window))
	story(&tour{T: to.T, ctx: window, story: cmp.Or(to.story, "portal") + "-idp"})
}

// Whoever starts the demo connects its test identity provider from the printed link to a live directory, with nothing but what the pages show, which lead
// from single sign-on to its test to directory sync to its start, and by no other way.
func TestRow_28_the_portal_leads_from_sign_on_to_its_test_to_directory_sync_to_its_start(t *testing.T) {
	h := &home{dir: t.TempDir()}
	p, _ := demo(t, h)
	ctx, cancel := context.WithTimeout(browser(t, true), 5*time.Minute)
	defer cancel()
	to := &tour{T: t, ctx: ctx, story: "demo"}
	begun := time.Now()
	base := p.says(t, p.out, addressLine)
	api := newClient(base, p.says(t, p.out, keyLine))
	birchwood := text(list(api.must(t, 200, "GET", "/organizations?search=Birchwood", ""), "data")[0], "id")
	members := func() []object {
		return list(api.must(t, 200, "GET", "/user_management/organization_memberships?organization_id="+birchwood+"&statuses=active&statuses=pending", ""), "data")
	}
	comesFirst := func(to *tour) {
		to.presses("Rollcall test identity provider")
		to.sees("Single sign-on comes first")
	}

	to.opens(p.says(t, p.out, portalLine))
	to.sees("This link opens the portal of Birchwood")
	to.takes("link")
	to.presses("Open")
	to.takes("home")
	to.presses("Manage Directory Sync")
	comesFirst(to)
	to.takes("sign-on-first")
	to.presses("Set up single sign-on")
	to.sees("For trying out", "Most used", "More providers")
	to.takes("pick")
	to.presses("Rollcall test identity provider")
	to.takes("protocol")
	to.presses("Begin")
	to.sees("Bring the metadata", "Metadata address")
	to.takes("metadata")
	to.types("metadata_url-0", to.copied("Metadata address"))
	to.presses("Save and check")
	to.presses("This is right, take it over")
	to.sees("Signing certificate")
	to.takes("metadata-read")
	to.presses("Continue: Test the sign-in")
	to.takes("test")
	at := to.value("[...document.querySelectorAll('main a')].find(e => e.innerText.includes('Start a test sign-in')).href")
	to.inWindow(func(in *tour) {
		in.opens(base + "/portal/directory/new") // set up is not tested
		comesFirst(in)
		in.opens(at)
		in.sees("ada@birchwood.example")
		in.takes("sign-in")
		in.presses("Sign in")
		in.sees("ada@birchwood.example")
		in.takes("result")
	})
	to.sees("It works: ada@birchwood.example would come in.")
	to.takes("tested")
	to.presses("Continue: Attributes")
	to.presses("Continue: Who may come in")
	to.presses("Set up directory sync")

	to.sees("Your people sign in with it")
	to.takes("pick-directory")
	to.presses("Rollcall test identity provider")
	to.presses("Begin")
	to.sees("Connect the directory")
	to.presses("Make a token")
	to.takes("token")
	page, scim, secret := to.copied("Page of the test provider"), to.copied("SCIM address"), to.copied("Token")
	to.inWindow(func(in *tour) {
		send := func(act string) {
			in.opens(page)
			in.does(
				chromedp.SendKeys("[name=address]", scim), chromedp.SendKeys("[name=token]", secret), chromedp.Click("button[value="+act+"]"),
			)
			in.sees("Done. The set-up page shows what arrived.")
		}
		in.opens(page)
		in.takes("send")
		waiting := to.wayOn()
		send("connect")
		to.sees("Received from Rollcall test identity provider")
		until(t, func() bool { return to.wayOn() != waiting }) // the way on steps forward, on the same page
		to.takes("connected")
		to.presses("Continue: Send the people")
		send("send")
		in.takes("sent")
		to.sees("3 people")
		to.takes("people")
		to.presses("Continue: Groups and attributes")
		to.presses("Continue: Go live")
		to.sees("What becomes of whom", "ada@birchwood.example")
		to.takes("live-preview")
		if early := members(); len(early) != 0 {
			t.Errorf("before it is live these are members: %v", early)
		}
		to.presses("Go live")
		to.sees("Directory sync is live")
		until(t, func() bool { return len(members()) == 3 })
		to.takes("live")
		send("leave")
	})
	to.presses("Finish")
	to.sees("Manage Directory Sync", "2 active")
	to.takes("end")
	if took := time.Since(begun); took > 4*time.Minute {
		t.Errorf("a program needs %s for the clicks, and a person more", took)
	}
	p.stop(t)
}

// The other protocol of the test provider, with values that the step shows.
func TestPortal_connects_the_test_provider_by_OpenID_Connect(t *testing.T) {
	p, _ := demo(t, &home{dir: t.TempDir()})
	ctx, cancel := context.WithTimeout(browser(t, true), 3*time.Minute)
	defer cancel()
	to := &tour{T: t, ctx: ctx, story: "demo-oidc"}
	to.opens(p.says(t, p.out, portalLine))
	to.presses("Open")
	to.presses("Manage SSO")
	to.presses("Rollcall test identity provider")
	to.does(chromedp.Click("input[value=oidc]"))
	to.presses("Begin")
	to.sees("Hand over the details")
	to.types("issuer-0", to.copied("Issuer"))
	to.types("client_id-0", to.copied("Client ID"))
	to.types("client_secret-0", to.copied("Client secret"))
	to.takes("details")
	to.presses("Save and check")
	to.presses("Continue: Test the sign-in")
	at := to.value("[...document.querySelectorAll('main a')].find(e => e.innerText.includes('Start a test sign-in')).href")
	to.inWindow(func(in *tour) {
		in.opens(at)
		in.presses("Sign in")
	})
	to.sees("It works: ada@birchwood.example would come in.")
	to.takes("tested")
	p.stop(t)
}
