package e2e_test

import (
	"context"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

var firstLinkLine = regexp.MustCompile(`(?m)^  Dashboard +(http\S+/dashboard/link/\S+)$`)

// device gives the browser something that makes passkeys, with the right finger on it.
func (to *tour) device() {
	to.Helper()
	_, err := chromedp.Call(to.ctx, webauthn.Enable, webauthn.EnableParams{})
	must(to.T, err)
	_, err = chromedp.Call(to.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Ctap2version: webauthn.Ctap2versionCtap21, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}})
	must(to.T, err)
}

// The operator's first quarter of an hour: in by the printed link, a passkey, the first customer with a directory, and its requests as they come in.
func TestOperator_starts_adds_a_directory_and_sees_its_requests_live_with_the_reason_for_each(t *testing.T) {
	h := &home{dir: t.TempDir(), env: []string{"ROLLCALL_API_KEY=" + managementKey}}
	p := h.launch(t, "serve", "--listen", "127.0.0.1:0")
	link := p.says(t, p.log, firstLinkLine)
	base, _, _ := strings.Cut(link, "/dashboard/")
	ctx, cancel := context.WithTimeout(browser(t, true), 5*time.Minute)
	defer cancel()
	to := &tour{T: t, ctx: ctx, story: "operator"}
	to.device()

	to.opens(link)
	to.sees("Welcome to Rollcall")
	to.types("name", "Olivia Owner")
	to.types("email", "olivia@app.example")
	to.takes("welcome")
	to.presses("Start")
	to.sees("Sign in faster next time")
	to.takes("passkey")
	to.presses("Create a passkey")
	to.opens(base + "/dashboard/account")
	to.sees("Olivia Owner", "Last used")
	to.takes("account")
	to.opens(base + "/dashboard/")
	to.takes("home-empty")
	to.opens(link)
	to.sees("This link does not work")
	to.opens(base + "/dashboard/organizations")
	to.sees("No organization yet")
	to.takes("organizations-empty")
	to.presses("New organization")
	to.types("name", "Globex Corporation")
	to.types("domain", "globex.example")
	to.takes("organization-new")
	to.presses("Create organization")
	to.sees("The organization is there")
	to.takes("organization")
	to.presses("Add directory")
	to.types("provider", "okta")
	to.takes("directory-new")
	to.presses("Create")
	to.sees("/scim/v2/")
	to.takes("directory-made")
	scim := to.value("[...document.querySelectorAll('.copy-value')].map(e => e.textContent).find(v => v.includes('/scim/v2/'))")
	secret := to.value("[...document.querySelectorAll('.copy-value')].map(e => e.textContent).find(v => v.startsWith('scim_'))")
	directory := regexp.MustCompile(`directory_\w+`).FindString(to.value("document.body.innerHTML"))
	at := base + "/dashboard/directories/" + directory

	to.opens(at + "/exchanges")
	to.takes("exchanges-none")
	h.env = append(h.env, "ROLLCALL_SCIM_URL="+scim, "ROLLCALL_SCIM_TOKEN="+secret)
	state := filepath.Join(h.dir, "okta.json")
	for _, act := range []string{"connect", "hire", "groups", "leave"} {
		if code, out, log := h.finish(t, "simulate", "okta", act, "--domain", "globex.example", "--keep-state", state); code != 0 {
			t.Fatalf("%d %s %s", code, out, log)
		}
		if act == "hire" {
			to.sees("POST /Users") // by itself
		}
	}
	to.sees("The person was changed.")
	to.takes("exchanges")
	to.does(chromedp.Evaluate[chromedp.Void]("[...document.querySelectorAll('#exchanges tbody tr')].find(e => e.innerText.includes('PATCH /Users')).querySelector('a').click(); 1"))
	to.sees("dsync.group.user_removed")
	to.takes("exchange")
	to.opens(at + "/users")
	to.sees("ada@globex.example")
	to.takes("people")
	to.presses("Ada")
	to.sees("ada@globex.example")
	to.takes("person")
	to.opens(at)
	to.takes("directory")
	to.opens(base + "/dashboard/members?email=ada@globex.example")
	to.sees("Globex Corporation")
	to.takes("members")
	p.stop(t)
}
