package e2e_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// An IT contact asks for a link, proves the address, looks after what is connected, and takes it away again after the warning.
func TestPortal_home_is_reached_by_a_mailed_link_and_looks_after_the_provider(t *testing.T) {
	in := newInbox(t)
	h := &home{dir: t.TempDir(), env: in.env()}
	p, _ := demo(t, h)
	base := p.says(t, p.out, addressLine)
	api := newClient(base, p.says(t, p.out, keyLine))
	organization := list(api.must(t, 200, "GET", "/organizations?search=Demo", ""), "data")[0]
	id, name := text(organization, "id"), text(organization, "name")
	api.must(t, 201, "POST", "/organizations/"+id+"/contacts", `{"email":"ida@acme.example","name":"Ida Admin"}`)
	ctx, cancel := context.WithTimeout(browser(t, true), 3*time.Minute)
	defer cancel()
	to := &tour{T: t, ctx: ctx}

	to.opens(base + "/portal")
	to.sees("Get a link to the portal")
	to.takes("home-ask")
	to.types("email", "ida@acme.example")
	to.presses("Mail me a link")
	to.sees("Look into your mail")
	to.takes("home-sent")
	to.opens(in.linkTo("ida@acme.example", "/portal/link/"))
	to.sees("This link opens the portal of " + name)
	to.takes("home-link")
	to.presses("Open")
	to.sees("Enter your code")
	to.takes("home-code")
	to.types("code", in.portalCode("ida@acme.example", 0))
	to.presses("Continue")
	to.sees("Manage SSO", "Manage Directory Sync", "Delete identity provider")
	to.takes("home")
	to.presses("Who has access")
	to.sees("Access at")
	to.takes("home-access")
	to.presses("Leavers")
	to.takes("home-leavers")
	to.presses("Audit")
	to.sees("portal_session.created")
	to.takes("home-audit")
	to.presses("IT contacts")
	to.sees("ida@acme.example")
	to.takes("home-contacts")
	to.presses("Overview")
	to.presses("Tokens")
	to.presses("Make a token")
	to.sees("Here is the new token")
	to.takes("home-tokens")
	to.opens(base + "/portal/certificates")
	to.takes("home-certificates")
	directory := text(list(api.must(t, 200, "GET", "/directories?organization_id="+id, ""), "data")[0], "id")
	for name, page := range map[string]string{"health": "health/" + directory, "compare": "compare", "brake": "brake/" + directory, "domains": "domains"} {
		to.opens(base + "/portal/" + page)
		to.takes("home-" + name)
	}
	to.opens(base + "/portal/home")
	to.presses("Delete identity provider")
	to.takes("home-delete")
	to.does(chromedp.Evaluate[chromedp.Void]("document.querySelector('[name=confirm]').value = " + strconv.Quote(name) + "; 1"))
	to.presses("Delete identity provider")
	if shows(to.ctx, "Some people would have no way in") {
		to.takes("home-delete-warned")
		to.does(chromedp.Evaluate[chromedp.Void]("document.querySelector('[name=confirm]').value = " + strconv.Quote(name) + "; 1"))
		to.presses("Delete identity provider")
	}
	to.sees("Not set up yet")
	to.takes("home-deleted")
	for _, told := range []string{"A token for directory sync was made", "A connection for single sign-on was deleted", "A directory was deleted"} {
		in.tells("ida@acme.example", told, "Ida Admin")
	}
	p.stop(t)
}
