package e2e_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/rollcallhq/rollcall/internal/org/dnstest"
)

// nextCertificate is one that a provider has made for its next key, in PEM.
func nextCertificate(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "next key of the provider"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(3, 0, 0)}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}))
}

// accepted tells whether a SCIM token opens a directory.
func accepted(t *testing.T, base, token string) bool {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/Users?count=1", nil)
	must(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(r)
	must(t, err)
	must(t, res.Body.Close())
	return res.StatusCode == http.StatusOK
}

// opensFor opens the portal by a link for one purpose.
func (to *tour) opensFor(api *client, organization, intent string) {
	to.Helper()
	body := fmt.Sprintf(`{"organization":%q}`, organization)
	if intent != "" {
		body = fmt.Sprintf(`{"organization":%q,"intent":%q}`, organization, intent)
	}
	to.opens(text(api.must(to.T, 201, "POST", "/portal/generate_link", body), "link"))
	to.presses("Open")
}

// What comes after the set-up, each by a link for it: a further domain, the provider's next key, another token, and the end of it all.
func TestPortal_link_serves_domain_certificate_token_and_deletion(t *testing.T) {
	names := dnstest.New(t)
	in := newInbox(t)
	h := &home{dir: t.TempDir(), env: append(in.env(), "ROLLCALL_DNS_SERVER="+names.Address)}
	p, _ := demo(t, h)
	base := p.says(t, p.out, addressLine)
	api := newClient(base, p.says(t, p.out, keyLine))
	organization := list(api.must(t, 200, "GET", "/organizations?search=Demo", ""), "data")[0]
	id, name := text(organization, "id"), text(organization, "name")
	api.must(t, 201, "POST", "/organizations/"+id+"/contacts", `{"email":"ida@acme.example"}`)
	ctx, cancel := context.WithTimeout(browser(t, true), 4*time.Minute)
	defer cancel()
	to := &tour{T: t, ctx: ctx, story: "later"}

	to.opensFor(api, id, "domain_verification")
	to.sees("Which email domains are yours?")
	to.types("domain", "research.acme.example")
	to.presses("Add")
	to.sees("Waiting for the record")
	to.takes("domain-waits")
	to.presses("Look now")
	to.sees("The record of research.acme.example is not seen yet")
	names.Set(to.copied("Name"), to.copied("Value"))
	to.presses("Look now")
	to.sees("research.acme.example")
	if page := to.value("document.body.innerText"); strings.Contains(page, "Waiting for the record") {
		t.Errorf("the record is there and the domain is not proven:\n%s", page)
	}
	to.takes("domain-proven")

	// The next key stands beside the present one until the provider uses it; then the old one goes.
	to.opensFor(api, id, "certificate_renewal")
	to.sees("Add a certificate")
	to.takes("certificates")
	fingerprints := func() int {
		n, err := chromedp.Run(to.ctx, chromedp.Evaluate[int]("[...document.querySelectorAll('main dt')].filter(e => e.innerText.includes('fingerprint')).length"))
		must(t, err)
		return n
	}
	present := regexp.MustCompile(`\b[0-9a-f]{64}\b`).FindString(to.value("document.body.innerText"))
	to.types("certificate", "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----")
	to.presses("Add")
	to.takes("certificate-wrong")
	if n := fingerprints(); n != 1 {
		t.Errorf("there are %d certificates after one that cannot be read", n)
	}
	to.types("certificate", nextCertificate(t))
	to.presses("Add")
	to.sees("next key of the provider")
	to.takes("certificates-both")
	if n := fingerprints(); n != 2 {
		t.Errorf("there are %d certificates, want both", n)
	}
	to.does(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("document.querySelector('form[action*=%q] button').click(); 1", present)))
	until(t, func() bool { return !shows(to.ctx, present) })
	to.sees("next key of the provider")
	if n := fingerprints(); n != 1 || strings.Contains(to.value("document.body.innerText"), "Remove this certificate") {
		t.Errorf("there are %d certificates, and the last one can be removed", n)
	}
	to.takes("certificate-next")

	// A token changes without a gap.
	to.opensFor(api, id, "")
	scim, old := p.says(t, p.out, scimLine), p.says(t, p.out, tokenLine)
	to.presses("Tokens")
	to.presses("Make a token")
	to.sees("Here is the new token")
	fresh := to.value("[...document.querySelectorAll('.copy-value')].map(e => e.textContent).find(v => v.startsWith('scim_'))")
	to.takes("tokens-both")
	if !accepted(t, scim, old) || !accepted(t, scim, fresh) {
		t.Error("the two tokens are not both good")
	}
	to.presses("Make a token")
	to.sees("Two tokens are good already")
	revoke := fmt.Sprintf("[...document.querySelectorAll('.entry')].find(e => e.innerText.includes(%q)).querySelector('button').click(); 1", old[len(old)-4:])
	to.does(chromedp.Evaluate[chromedp.Void](revoke))
	until(t, func() bool { return !accepted(t, scim, old) })
	if !accepted(t, scim, fresh) {
		t.Error("the new token went with the old one")
	}
	to.opens(base + "/portal/home")

	// Whoever would be left without a way in is named before the provider goes.
	stays := text(api.must(t, 201, "POST", "/user_management/users", `{"email":"stays@other.example","first_name":"Sta","last_name":"Ys"}`), "id")
	api.must(t, 201, "POST", "/user_management/organization_memberships", fmt.Sprintf(`{"user_id":%q,"organization_id":%q}`, stays, id))
	confirms := func() {
		to.does(chromedp.Evaluate[chromedp.Void]("document.querySelector('[name=confirm]').value = " + strconv.Quote(name) + "; 1"))
		to.presses("Delete identity provider")
	}
	to.presses("Delete identity provider")
	to.takes("delete")
	confirms()
	to.sees("Some people would have no way in", "Sta Ys")
	to.takes("delete-warned")
	confirms()
	to.sees("Not set up yet")
	to.takes("deleted")
	if accepted(t, scim, fresh) {
		t.Error("a token of the deleted directory opens it")
	}
	for _, told := range []string{
		"The settings of a connection for single sign-on were changed", "A token for directory sync was made", "A token for directory sync was revoked",
		"A connection for single sign-on was deleted", "A directory was deleted",
	} {
		in.tells("ida@acme.example", told, "portal_link_")
	}
	for _, l := range append(in.to("ida@acme.example"), in.to(operates)...) {
		if strings.Contains(l.text, fresh) {
			t.Errorf("a token is mailed: %s", l.text)
		}
	}
	p.stop(t)
}
