package e2e_test

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/rollcallhq/rollcall/internal/org/dnstest"
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

const (
	irma     = "irma@globex.example" // the IT admin of the story
	operates = "ops@app.example"
)

// okta is the story of an IT admin who connects Okta.
type okta struct {
	*tour
	h            *home
	p            *process
	api          *client
	inbox        *inbox
	names        *dnstest.Server
	base, app    string
	organization string
	state        string // file of what the simulated Okta remembers
}

// An IT admin connects Okta by SAML and SCIM, from the mailed link to the first people who leave, without anybody's help but the operator's word
// for one domain. The test identity provider of the demo stands for Okta at the sign-in, and the simulated SCIM client of Okta for the rest.
func TestPortal_leads_from_the_link_to_a_live_directory(t *testing.T) {
	o := &okta{inbox: newInbox(t), names: dnstest.New(t)}
	o.h = &home{dir: t.TempDir(), env: append(o.inbox.env(), "ROLLCALL_DNS_SERVER="+o.names.Address)}
	o.p, _ = demo(t, o.h)
	o.base, o.app = o.p.says(t, o.p.out, addressLine), o.p.says(t, o.p.out, exampleLine)
	o.api, o.state = newClient(o.base, o.p.says(t, o.p.out, keyLine)), filepath.Join(o.h.dir, "okta.json")
	o.organization = text(o.api.must(t, 201, "POST", "/organizations", `{"name":"Globex Corporation"}`), "id")
	ctx, cancel := context.WithTimeout(browser(t, true), 8*time.Minute)
	defer cancel()
	o.tour = &tour{T: t, ctx: ctx}

	o.comesIn()
	o.choosesOkta()
	o.provesTheDomain()
	o.bringsTheMetadata()
	o.testsTheSignIn()
	o.connectsTheDirectory()
	o.seesPeopleArrive()
	o.addsTheDomainOfThePeopleWhoArrived()
	o.seesGroupsArrive()
	o.decidesWhatGroupsGive()
	o.goesLive()
	o.looksAround()
	o.p.stop(t)
}

// comesIn is by the link that the operator has mailed, and the code that is mailed when it is opened.
func (o *okta) comesIn() {
	contact := text(o.api.must(o.T, 201, "POST", "/organizations/"+o.organization+"/contacts", fmt.Sprintf(`{"email":%q,"name":"Irma Admin"}`, irma)), "id")
	o.api.must(o.T, 200, "POST", "/organizations/"+o.organization+"/contacts/"+contact+"/send_link", "")
	o.opens(o.inbox.linkTo(irma, "/portal/link/"))
	o.sees("This link opens the portal of Globex Corporation")
	o.presses("Open")
	o.sees("Enter your code", "i…@globex.example")
	o.types("code", "000000")
	o.presses("Continue")
	o.sees("This code is not right")
	o.types("code", o.inbox.portalCode(irma, 0))
	o.presses("Continue")
	o.sees("Manage SSO", "Not set up yet")
	o.presses("Manage SSO")
}

func (o *okta) choosesOkta() {
	o.sees("Which identity provider do your people sign in with?")
	o.takes("pick")
	o.does(chromedp.Evaluate[chromedp.Void]("[...document.querySelectorAll('.tile a')].find(e => e.innerText === 'Okta').click(); 1"))
	o.sees("How shall Okta tell us who signs in?")
	o.takes("protocol")
	o.presses("Begin")
	o.sees("Which email domains are yours?")
}

// provesTheDomain is by its record in the DNS, which can be mailed to whoever looks after that.
func (o *okta) provesTheDomain() {
	o.types("domain", "globex.example")
	o.presses("Add")
	o.sees("Waiting for the record", "Somebody else looks after the DNS?")
	name, value := o.copied("Name"), o.copied("Value")
	o.unfolds("Somebody else looks after the DNS?")
	mailto, err := url.Parse(o.value("document.querySelector('a[href^=\"mailto:\"]').href"))
	must(o.T, err)
	if body := mailto.Query().Get("body"); !strings.Contains(body, "Name: "+name) || !strings.Contains(body, "Value: "+value) {
		o.Errorf("the mail to whoever looks after the DNS says %q", body)
	}
	o.takes("domains")
	o.presses("Look now")
	o.sees("The record of globex.example is not seen yet")
	o.names.Set(name, value)
	o.presses("Look now")
	o.sees("Proven. Addresses in it count.")
	o.presses("Continue")
}

func (o *okta) bringsTheMetadata() {
	o.sees("Create the application", "You need to be an application administrator in Okta")
	o.takes("create")
	o.presses("Continue: Enter the addresses")
	o.sees("Audience URI (SP Entity ID)", o.base+"/saml/")
	o.takes("addresses")
	o.presses("Continue: Send the attributes")
	o.sees("firstName", "user.email")
	o.takes("attributes-at-okta")
	o.presses("Continue: Send groups")
	o.sees("groups")
	o.presses("Continue: Bring the metadata")
	o.sees("Nothing was brought yet")
	o.takes("metadata-asked")
	o.types("metadata_url-0", o.base+"/simulate/saml/nothing")
	o.presses("Save and check")
	if shows(o.ctx, "Good from") {
		o.Error("a certificate is shown of metadata that is not there")
	}
	o.takes("metadata-wrong")
	o.types("metadata_url-0", o.base+"/simulate/saml/metadata")
	o.presses("Save and check")
	o.sees("It was read without TLS")
	o.presses("This is right, take it over")
	o.sees("Signing certificate", "Good from", o.base+"/simulate/saml/metadata")
	o.takes("metadata-read")
	o.presses("Continue: Assign people")
	o.sees("Assign to")
	o.presses("Continue: Test the sign-in")
}

// testsTheSignIn until every check is good: the page has the list of them, whoever makes the test.
func (o *okta) testsTheSignIn() {
	o.sees("Single sign-on becomes a must with the first success", "Start the test")
	o.takes("test")
	o.signsIn(o.base, "wrong_audience")
	o.sees("Something is to be mended", "Expected:", "Got:")
	o.takes("test-failed")
	o.signsIn(o.base, "sign_in")
	o.sees("It works: ada@globex.example would come in.") // by itself
	o.wantChecks(
		"The answer is signed, and the signature holds", "The signing certificate is one of the connection", "The answer comes from the connection's provider",
		"The answer is meant for this connection", "The answer was sent to the right address", "The answer is valid now", "The answer is to this request, and was not used before",
		"An identifier of the person came",
	)
	o.takes("test-succeeded")
	o.presses("Continue: Attributes")
	o.sees("From the last test", "Ada", "Lovelace", "ada@globex.example")
	o.takes("attributes")
	o.presses("Continue: Who may come in")
	o.sees("Who becomes a member at the first sign-in", "Who has to use the identity provider")
	o.takes("people")
	o.presses("Set up directory sync")
}

// wantChecks wants each of these to have been looked at and be good, and nothing be wrong.
func (o *okta) wantChecks(names ...string) {
	o.Helper()
	page := o.value("document.querySelector('main').innerText")
	for _, name := range names {
		if !strings.Contains(page, "Seen\n"+name+"\n") {
			o.Errorf("it is not said that %q is good:\n%s", name, page)
		}
	}
	if strings.Contains(page, "Not right") {
		o.Errorf("something is wrong with a sign-in that works:\n%s", page)
	}
}

// unfolds opens what is folded up under these words.
func (to *tour) unfolds(words string) {
	to.Helper()
	to.does(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("[...document.querySelectorAll('main summary')].find(e => e.innerText.includes(%q)).click(); 1", words)))
}

// plays has the simulated Okta do something.
func (o *okta) plays(act string, more ...string) {
	o.Helper()
	args := append([]string{"simulate", "okta", act, "--keep-state", o.state}, more...)
	if code, out, log := o.h.finish(o.T, args...); code != 0 {
		o.Fatalf("%d %s %s", code, out, log)
	}
}

func (o *okta) connectsTheDirectory() {
	o.sees("Which provider knows who is in your company?", "Your people sign in with it")
	o.does(chromedp.Evaluate[chromedp.Void]("document.querySelector('.tile a').click(); 1")) // the one they sign in with
	o.sees("Sync people from Okta")
	o.presses("Begin")
	o.sees("Switch provisioning on")
	o.presses("Continue: Connect the directory")
	o.sees("Waiting for the first SCIM request of Okta.", "The token is shown once")
	o.takes("token-asked")
	o.presses("Make a token")
	o.sees("SCIM connector base URL")
	scim, secret := o.copied("SCIM connector base URL"), o.copied("Authorization")
	if !strings.HasPrefix(scim, o.base+"/scim/v2/") || !strings.HasPrefix(secret, "scim_") {
		o.Fatalf("the page shows %q and a token that begins %.5q", scim, secret)
	}
	o.takes("token")
	o.h.env = append(o.h.env, "ROLLCALL_SCIM_URL="+scim, "ROLLCALL_SCIM_TOKEN="+secret)
	o.plays("connect")
	o.sees("Received from Okta") // by itself
	o.takes("first-request")
	o.presses("Continue: Choose what Okta may do")
	o.sees("Deactivate Users")
	o.presses("Continue: Assign people with one group")
}

func (o *okta) seesPeopleArrive() {
	o.sees("Waiting for the first person from Okta.")
	o.plays("hire", "--domain", "globex.example")
	o.sees("3 people") // by itself
	o.takes("first-people")
	o.plays("hire", "--domain", "labs.globex.example", "--user", "lena.labs@labs.globex.example")
	o.sees("4 people")
}

// addsTheDomainOfThePeopleWhoArrived is done by one press, and by the operator's word instead of a record.
func (o *okta) addsTheDomainOfThePeopleWhoArrived() {
	back := o.value("location.href")
	o.opens(o.base + "/portal/domains")
	o.sees("Your provider has named people of these domains:")
	o.presses("Add labs.globex.example")
	o.sees("Waiting for the record")
	before := o.inbox.count(operates)
	o.unfolds("Nobody can change the DNS?")
	o.presses("Ask for approval")
	o.sees("Approval was asked for")
	o.takes("approval-asked")
	asked := o.inbox.about(operates, before, "asked to approve a domain")
	if link := "/dashboard/organizations/" + o.organization + "/domains"; !strings.Contains(asked.text, link) || !strings.Contains(asked.text, "labs.globex.example") {
		o.Errorf("the operator is asked without %s: %s", link, asked.text)
	}
	before = o.inbox.count(irma)
	for _, d := range list(o.api.must(o.T, 200, "GET", "/organizations/"+o.organization, ""), "domains") {
		if text(d, "domain") == "labs.globex.example" {
			o.api.must(o.T, 201, "POST", "/organization_domains/"+text(d, "id")+"/verify", `{"verification_strategy":"manual"}`)
		}
	}
	if granted := o.inbox.about(irma, before, "approved a domain"); !strings.Contains(granted.text, "labs.globex.example") {
		o.Errorf("who asked is told %s", granted.text)
	}
	o.opens(o.base + "/portal/domains")
	if shows(o.ctx, "Waiting for the record") || shows(o.ctx, "Add labs.globex.example") {
		o.Error("the domain was approved and is not proven")
	}
	o.opens(back)
}

func (o *okta) seesGroupsArrive() {
	o.presses("Continue: Push other groups")
	o.sees("Waiting for the first group from Okta.", "two-group fix")
	o.plays("groups", "--domain", "globex.example")
	o.sees("First group", "Seen") // by itself
	o.takes("first-group")
	o.presses("Continue: Send more attributes")
	o.sees("External namespace")
	o.presses("Continue: Groups and attributes")
}

func (o *okta) decidesWhatGroupsGive() {
	o.does(chromedp.Click("#drives_teams"), chromedp.Click("#teams_follow"))
	o.presses("Show what would change")
	o.sees("What would change", "Nothing is saved yet.")
	o.takes("mapping")
	o.presses("Save")
	o.sees("Saved")
	o.presses("Continue: Go live")
}

// goesLive shows what becomes of whom before it does it; then it mails the invitations.
func (o *okta) goesLive() {
	o.sees("What becomes of whom", "Invited", "ada@globex.example", "lena.labs@labs.globex.example")
	o.takes("live-preview")
	if n := o.inbox.count("ada@globex.example"); n > 0 {
		o.Errorf("%d mails were sent to people before anybody went live", n)
	}
	o.presses("Go live")
	o.sees("Directory sync is live")
	o.takes("live")
	o.presses("Finish")
	o.sees("Manage Directory Sync")
}

// looksAround: one has come in by then, and one has left.
func (o *okta) looksAround() {
	o.takes("home")
	in := o.inbox.invitation("ada@globex.example", 0, "Globex Corporation")
	o.inWindow(func(w *tour) {
		w.opens(in)
		w.sees("Join Globex Corporation")
		w.presses("Continue with SSO")
		w.chooses("ada@globex.example")
		w.does(chromedp.Click("button[value=sign_in]"))
		w.goesOn("Globex Corporation", o.app, "ada@globex.example")
	})
	o.presses("Who has access")
	o.sees("Ada Lovelace", "ada@globex.example")
	o.takes("access")
	o.plays("leave", "--user", "ada@globex.example")
	o.presses("Leavers")
	o.sees("Ada Lovelace", "Receipt")
	o.takes("leavers")
	o.presses("Who has access")
	if shows(o.ctx, "Ada Lovelace") {
		o.Error("who has left has access")
	}
	o.presses("Audit")
	o.sees("Irma Admin", "organization_domain.approval_granted")
	o.takes("audit")
}

// chooses is whom the test identity provider says that it is: somebody who is typed.
func (to *tour) chooses(email string) {
	to.Helper()
	to.does(chromedp.Click("input[value=other]"), chromedp.Evaluate[chromedp.Void](fmt.Sprintf(
		`for (const [name, value] of [["email", %q], ["first_name", "Ada"], ["last_name", "Lovelace"]]) { document.querySelector("[name=" + name + "]").value = value; } 1`, email)))
}

// signsIn makes a test sign-in in a window of its own, as ada@globex.example, while the page of the step stays open.
func (to *tour) signsIn(base, scenario string) {
	to.Helper()
	at := to.value("[...document.querySelectorAll('main a')].find(e => e.innerText.includes('Start a test sign-in')).href")
	window, closes := chromedp.NewContext(to.ctx)
	defer closes()
	must(to.T, chromedp.Do(window))
	in := &tour{T: to.T, ctx: window}
	in.opens(at)
	in.chooses("ada@globex.example")
	in.does(chromedp.Click("button[value=" + scenario + "]"))
	until(to.T, func() bool {
		here, err := chromedp.Run(window, chromedp.Location())
		return err == nil && strings.HasPrefix(here, base+"/sign-in/test/")
	})
}
