// The stories in a browser. With -pictures each leaves what it saw in the folder build, light and dark, wide and at 360 pixels.
//
//	what is done                                                            where
//	a member signs in by SSO and out again, with script and without         TestBrowser_signs_in_with_SSO_and_out_again
//	a member's page goes when the directory takes them away                 TestBrowser_of_somebody_who_leaves_is_signed_out_by_itself
//	an invitation is read, accepted, and ends signed in at the app          TestInvitation_is_accepted_from_the_mail_and_ends_signed_in
//	an operator's first start: link, passkey, organization, directory       TestOperator_starts_adds_a_directory_and_sees_its_requests_live_with_the_reason_for_each
//	Okta by SAML and SCIM, from the mailed link to the first who leaves     TestPortal_leads_from_the_link_to_a_live_directory
//	the demo's own provider from the printed link, by SAML and SCIM         TestRow_28_the_portal_leads_from_sign_on_to_its_test_to_directory_sync_to_its_start
//	the same by OpenID Connect                                              TestPortal_connects_the_test_provider_by_OpenID_Connect
//	an IT contact asks for a link by mail, looks around, deletes            TestPortal_home_is_reached_by_a_mailed_link_and_looks_after_the_provider
//	a domain proven by DNS, a certificate, a token, the end with a warning  TestPortal_link_serves_domain_certificate_token_and_deletion
//	a wrong token and a failing webhook: mailed, mended from the mail, well TestAlerts_are_mailed_once_with_the_way_to_mend_it_and_once_when_it_is_well
//	a burst of people who are shut out: mailed, undone from the mail        TestBrake_is_mailed_and_undone_from_the_mail
//
// Mails are read where they arrive: at a mail server of the test (inbox).
package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/go-jose/go-jose/v4"

	"github.com/rollcallhq/rollcall/internal/web/browsertest"
)

var exampleLine = regexp.MustCompile(`(?m)^  Example app +(\S+)$`)

// browser is a headless one without cookies; without script if told so.
func browser(t *testing.T, script bool) context.Context {
	t.Helper()
	ctx := browsertest.Start(t)
	if !script {
		browsertest.WithoutScript(ctx, t)
	}
	return ctx
}

// does takes steps and says where the browser was when one of them was not possible.
func does(ctx context.Context, t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	for i, step := range steps {
		within, cancel := context.WithTimeout(ctx, 15*time.Second)
		err := chromedp.Do(within, step)
		cancel()
		if err != nil {
			at, _ := chromedp.Run(ctx, chromedp.Location())
			page, _ := chromedp.Run(ctx, chromedp.OuterHTML("html"))
			t.Fatalf("step %d: %v at %s\n%.3000s", i+1, err, at, regexp.MustCompile(`(?s)<style>.*?</style>`).ReplaceAllString(page, ""))
		}
	}
}

func TestBrowser_signs_in_with_SSO_and_out_again(t *testing.T) {
	for name, script := range map[string]bool{"with script": true, "without script": false} {
		t.Run(name, func(t *testing.T) {
			p, _ := demo(t, &home{dir: t.TempDir()})
			app := p.says(t, p.out, exampleLine)
			ctx := browser(t, script)
			to := &tour{T: t, ctx: ctx, story: "sign-in"}
			takes := func(page string) {
				if script { // looking at a page takes one
					to.takes(page)
				}
			}
			does(ctx, t, chromedp.Navigate(app), chromedp.WaitVisible("#login"), chromedp.Click("#login"), chromedp.WaitVisible("button[value=sso]"))
			takes("address")
			does(ctx, t, chromedp.SendKeys("#email", "ada@acme.example"), chromedp.Click("button[value=sso]"), chromedp.WaitVisible("button[value=sign_in]"))
			takes("provider")
			does(ctx, t, chromedp.Click("button[value=sign_in]"))
			if !script {
				does(ctx, t, chromedp.Click(`form[action$="/acs"] button`))
			}
			does(ctx, t, chromedp.WaitVisible("#email"), chromedp.WaitVisible("#logout"))
			takes("in")
			email, err := chromedp.Run(ctx, chromedp.Text("#email"))
			must(t, err)
			if !strings.HasPrefix(email, "ada@acme.example (verified)") {
				t.Fatalf("the app shows %q", email)
			}
			// Signed out at Rollcall, the app hears of it by itself.
			rollcall := p.says(t, p.out, addressLine)
			does(ctx, t, chromedp.Navigate(rollcall+"/oauth2/logout"), chromedp.WaitVisible("form button"))
			takes("out")
			does(ctx, t, chromedp.Click("form button"))
			until(t, func() bool {
				at, err := chromedp.Run(ctx, chromedp.Location())
				must(t, err)
				return strings.HasSuffix(at, "/signed-out")
			})
			until(t, func() bool {
				does(ctx, t, chromedp.Navigate(app))
				page, err := chromedp.Run(ctx, chromedp.OuterHTML("body"))
				return err == nil && strings.Contains(page, `id="login"`)
			})
			// And the other way round. The address is remembered, so nothing has to be typed.
			does(ctx, t, chromedp.Click("#login"), chromedp.Click("button[value=sso]"), chromedp.Click("button[value=sign_in]"))
			if !script {
				does(ctx, t, chromedp.Click(`form[action$="/acs"] button`))
			}
			does(ctx, t, chromedp.WaitVisible("#logout"), chromedp.Click("#logout"), chromedp.WaitVisible("#login"))
			// The provider's session is its own affair; ours is over, so the next sign-in asks again.
			does(ctx, t, chromedp.Click("#login"), chromedp.WaitVisible("button[value=sso]"))
			p.stop(t)
		})
	}
}

// shows is asked in the page itself: a navigation meanwhile takes what was found away from whoever asks twice, and is no failure.
func shows(ctx context.Context, what string) bool {
	yes, err := chromedp.Run(ctx, chromedp.Evaluate[bool](fmt.Sprintf("document.body !== null && document.body.innerText.includes(%q)", what)))
	return err == nil && yes
}

// until asks again until the answer is yes.
func until(t *testing.T, yes func() bool) {
	t.Helper()
	for range 50 {
		if yes() {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	t.Fatal("it did not happen in ten seconds")
}

var leaveLine = regexp.MustCompile(`(?m)^ROLLCALL_SCIM_TOKEN=.*$`)

// The scene of the demo: the simulated provider takes somebody away, the page in their browser goes by itself, and the seconds are told.
func TestBrowser_of_somebody_who_leaves_is_signed_out_by_itself(t *testing.T) {
	p, lines := demo(t, &home{dir: t.TempDir()})
	app, leave := p.says(t, p.out, exampleLine), leaveLine.FindString(p.out.String())
	pasted(t, lines[0])
	ctx := browser(t, true)
	does(
		ctx, t, chromedp.Navigate(app), chromedp.Click("#login"), chromedp.SendKeys("#email", "ada@acme.example"), chromedp.Click("button[value=sso]"),
		chromedp.Click("button[value=sign_in]"), chromedp.WaitVisible("#logout"),
	)
	if out, err := exec.CommandContext(t.Context(), "sh", "-c", leave).CombinedOutput(); err != nil || !strings.Contains(string(out), "Okta: user deactivated") {
		t.Fatalf("%v: %s", err, out)
	}
	does(ctx, t, chromedp.WaitVisible("#login"))
	page, err := chromedp.Run(ctx, chromedp.Text("main"))
	must(t, err)
	if !strings.Contains(page, "You were signed out at") {
		t.Errorf("the page says %q", page)
	}
	to := &tour{T: t, ctx: ctx, story: "leaver"}
	to.takes("signed-out")
	does(ctx, t, chromedp.Click("#login"), chromedp.Click("button[value=sso]"), chromedp.Click("button[value=sign_in]"))
	until(t, func() bool {
		return shows(ctx, "You could not be signed in")
	})
	to.takes("refused")
	var told []object
	until(t, func() bool {
		told = list(pasted(t, lines[3]), "data")
		return len(told) == 1 && told[0]["span_ms"] != nil
	})
	signedReceipt(t, p, told[0])
	p.stop(t)
}

// signedReceipt looks at the receipt of the only leaver of the demo as their auditor does, with the key set alone, and at the metric that has its span.
func signedReceipt(t *testing.T, p *process, record object) {
	t.Helper()
	base := p.says(t, p.out, addressLine)
	api := newClient(base, p.says(t, p.out, keyLine))
	told := list(api.must(t, 200, "GET", "/offboardings/"+text(record, "id"), ""), "events")
	api.must(t, 200, "POST", "/events/"+text(told[0], "id")+"/acknowledge", "") // the example app does not: it has no API key
	var receipt object
	until(t, func() bool {
		receipt = api.must(t, 200, "GET", "/offboardings/"+text(record, "id")+"/receipt", "")
		return claimsOf(t, text(receipt, "receipt"))["frozen"] == true
	})
	answer, err := http.Get(base + "/oauth2/jwks")
	must(t, err)
	defer answer.Body.Close()
	var keys jose.JSONWebKeySet
	must(t, json.NewDecoder(answer.Body).Decode(&keys))
	signed, err := jose.ParseSignedCompact(text(receipt, "receipt"), []jose.SignatureAlgorithm{jose.ES256})
	must(t, err)
	key := keys.Key(signed.Signatures[0].Header.KeyID)
	if len(key) != 1 {
		t.Fatalf("the key set has %d keys of the receipt", len(key))
	}
	raw, err := signed.Verify(key[0])
	must(t, err)
	var said object
	must(t, json.Unmarshal(raw, &said))
	span, _ := said["span_ms"].(float64)
	if said["complete"] != true || text(said, "jti") != text(record, "id") || text(said, "requested_at") == "" || text(said, "acknowledgement", "at") == "" ||
		len(list(said, "logouts")) != 1 || span <= 0 {
		t.Errorf("the receipt says %s of the record %v", raw, record)
	}
	t.Logf("out in %v ms", span)
	until(t, func() bool { // it is counted after it was written
		page := readAll(t, base+"/metrics")
		return strings.Contains(page, "rollcall_offboarding_seconds_count 1\n") && strings.Contains(page, fmt.Sprintf("rollcall_offboarding_seconds_sum %v\n", (time.Duration(span)*time.Millisecond).Seconds()))
	})
}
