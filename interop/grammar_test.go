//go:build interop

package interop_test

import (
	"crypto/rsa"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/saml"
)

// grammar is a service provider made of internal/saml alone: its metadata, its signed requests, its reading of responses and of
// logout. The server around it is tried by the tests of the product.
type grammar struct {
	samlApp
	key *rsa.PrivateKey
}

// grammars are two of them: one sends its request by redirect and takes what comes, one by POST and demands encryption.
func grammars(t *testing.T) []grammar {
	t.Helper()
	var all []grammar
	for _, name := range []string{"by-redirect", "by-post"} {
		base := "https://sp.example/saml/" + name
		key, certificate, err := saml.NewKeyPair(base, time.Now())
		must(t, err)
		app := samlApp{
			Name: name, EntityID: base, ACS: base + "/acs", SLO: base + "/slo", Signing: certificate, SignResponse: true, SignAssertion: true,
		}
		if name == "by-post" {
			app.Encrypt, app.Certificate = true, certificate
		}
		app.Metadata = string(saml.ServiceProvider{
			EntityID: app.EntityID, ACS: []string{app.ACS}, SLO: app.SLO, Certificate: certificate, SignsRequests: true, WantsEncrypted: app.Encrypt,
			NameIDFormat: emailFormat,
		}.Metadata())
		all = append(all, grammar{app, key})
	}
	return all
}

func appsOf(all []grammar) []samlApp {
	var apps []samlApp
	for _, g := range all {
		apps = append(apps, g.samlApp)
	}
	return apps
}

// understands signs in with Rollcall's own requests and reads the answers with Rollcall's own consumer, then signs out.
func (p samlProvider) understands(t *testing.T, all []grammar) {
	t.Helper()
	metadata, err := saml.ParseMetadata(fetch(t, p.Metadata), "", time.Now())
	must(t, err)
	for _, g := range all {
		t.Run(g.Name, func(t *testing.T) {
			b := newBrowser(t, p.SignIn)
			assertion := g.signIn(t, b, p, metadata)
			if assertion.Subject.Value != p.Who.NameID || assertion.Encrypted != g.Encrypt {
				t.Errorf("got %+v, want %s, encrypted %t", assertion, p.Who.NameID, g.Encrypt)
			}
			for name, want := range p.Who.Attributes {
				i := slices.IndexFunc(assertion.Attributes, func(a saml.Attribute) bool { return a.Name == name })
				if i < 0 || assertion.Attributes[i].Values[0] != want {
					t.Errorf("no attribute %s with %q in %+v", name, want, assertion.Attributes)
				}
			}
			g.signOut(t, b, metadata, assertion)
		})
	}
}

func addressFor(t *testing.T, endpoints []saml.Endpoint, binding saml.Binding) string {
	t.Helper()
	i := slices.IndexFunc(endpoints, func(e saml.Endpoint) bool { return e.Binding == binding })
	if i < 0 {
		t.Fatalf("no address for %s in %+v", binding, endpoints)
	}
	return endpoints[i].URL
}

func (g grammar) signIn(t *testing.T, b *browser, p samlProvider, metadata saml.IDPMetadata) *saml.Assertion {
	t.Helper()
	request := saml.AuthnRequest{
		ID: saml.NewRequestID(), Issuer: g.EntityID, ACS: g.ACS, IssuedAt: time.Now(), ForceAuthn: true, NameIDFormat: emailFormat,
	}
	var got arrival
	if g.Name == "by-post" {
		request.Destination = addressFor(t, metadata.SSO, saml.BindingPost)
		form, err := request.Post("relay", g.key, g.Signing)
		must(t, err)
		values := url.Values{}
		for _, field := range form.Fields {
			values.Set(field[0], field[1])
		}
		got = b.from(t, arrival{URL: parsed(t, form.Action), Form: values}, g.ACS)
	} else {
		request.Destination = addressFor(t, metadata.SSO, saml.BindingRedirect)
		start, err := request.Redirect("relay", g.key)
		must(t, err)
		got = b.walk(t, start, g.ACS)
	}
	document, err := saml.DecodePost(got.Form.Get("SAMLResponse"))
	must(t, err)
	assertion, err := saml.Consume(document, saml.Expectation{
		Now: time.Now(), Issuer: metadata.EntityID, Audiences: []string{g.EntityID}, Recipients: []string{g.ACS}, Certificates: metadata.Certificates,
		Keys: []*rsa.PrivateKey{g.key}, RequireEncrypted: g.Encrypt, AuthnAfter: request.IssuedAt,
		AllowCBC: p.CBC,
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, document)
	}
	if assertion.InResponseTo != request.ID || got.Form.Get("RelayState") != "relay" {
		t.Errorf("in response to %q with %q, want %q with relay", assertion.InResponseTo, got.Form.Get("RelayState"), request.ID)
	}
	return assertion
}

// signOut asks the identity provider to end the session, by a signed redirect, and reads its signed answer.
func (g grammar) signOut(t *testing.T, b *browser, metadata saml.IDPMetadata, a *saml.Assertion) {
	t.Helper()
	request := saml.LogoutRequest{
		ID: saml.NewRequestID(), Issuer: g.EntityID, Destination: addressFor(t, metadata.SLO, saml.BindingRedirect), IssuedAt: time.Now(),
		NameID: a.Subject, SessionIndexes: []string{a.SessionIndex}, NotOnOrAfter: time.Now().Add(time.Minute),
	}
	start, err := request.Redirect("out", g.key)
	must(t, err)
	got := b.walk(t, start, g.SLO)
	logout, err := saml.ConsumeLogoutRedirect(got.URL.RawQuery, saml.LogoutExpectation{
		Now: time.Now(), Issuer: metadata.EntityID, Destinations: []string{g.SLO}, Certificates: metadata.Certificates,
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, got.URL)
	}
	if logout.Response == nil || logout.Response.InResponseTo != request.ID {
		t.Errorf("got %+v, want the answer to %s", logout, request.ID)
	}
}
