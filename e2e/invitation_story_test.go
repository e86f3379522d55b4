package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// invites has an invitation mailed and gives its link.
func invites(t *testing.T, in *inbox, api *client, organization, email, into string) string {
	t.Helper()
	before := in.count(email)
	api.must(t, 201, "POST", "/user_management/invitations", fmt.Sprintf(`{"email":%q,"organization_id":%q}`, email, organization))
	return in.invitation(email, before, into)
}

// goesOn leads from the page that says who has joined what to the app, which knows them.
func (to *tour) goesOn(organization, app, email string) {
	to.Helper()
	to.sees("You are in", "You are a member of "+organization)
	to.takes("joined")
	to.presses("Go on to Northwind")
	until(to.T, func() bool {
		at, err := chromedp.Run(to.ctx, chromedp.Location())
		return err == nil && strings.HasPrefix(at, app)
	})
	to.sees(email)
	to.does(chromedp.WaitVisible("#logout"))
	to.takes("app")
}

// Somebody is invited, reads the mail, accepts in the browser and is signed in at the app: by a mailed code where the organization has no provider,
// and through the provider where it has one.
func TestInvitation_is_accepted_from_the_mail_and_ends_signed_in(t *testing.T) {
	in := newInbox(t)
	h := &home{dir: t.TempDir(), env: in.env()}
	p, _ := demo(t, h)
	base, app := p.says(t, p.out, addressLine), p.says(t, p.out, exampleLine)
	api := newClient(base, p.says(t, p.out, keyLine))
	demoOrganization := text(list(api.must(t, 200, "GET", "/organizations?search=Demo", ""), "data")[0], "id")
	globex := text(api.must(t, 201, "POST", "/organizations", `{"name":"Globex Corporation"}`), "id")

	t.Run("by a code", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(browser(t, true), 2*time.Minute)
		defer cancel()
		to := &tour{T: t, ctx: ctx, story: "invitation-code"}
		to.opens(invites(t, in, api, globex, "grace@globex.example", "Globex Corporation"))
		to.sees("Join Globex Corporation", "grace@globex.example")
		to.takes("invited")
		before := in.count("grace@globex.example")
		to.presses("Accept and mail me a code")
		to.sees("grace@globex.example")
		to.takes("code")
		to.does(chromedp.SendKeys("input[autocomplete=one-time-code]", in.code("grace@globex.example", before)))
		to.takes("code-typed")
		to.presses("Sign in")
		to.goesOn("Globex Corporation", app, "grace@globex.example")
	})
	t.Run("through the provider", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(browser(t, true), 2*time.Minute)
		defer cancel()
		to := &tour{T: t, ctx: ctx, story: "invitation-sso"}
		to.opens(invites(t, in, api, demoOrganization, "ben@acme.example", "Demo organization"))
		to.sees("Join Demo organization")
		to.takes("invited")
		to.presses("Continue with SSO")
		to.takes("provider")
		to.does(chromedp.Click("input[value=sim-ben]"))
		to.presses("Sign in")
		to.goesOn("Demo organization", app, "ben@acme.example")
	})
	p.stop(t)
}
