package simulate_test

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/simulate"
)

const (
	spEntity = "https://rc.example/saml/abc"
	acs      = "https://rc.example/saml/abc/acs"
	slo      = "https://rc.example/saml/abc/slo"
)

type samlWorld struct {
	t     *testing.T
	base  string
	idp   *simulate.SAML
	clock *clock
	key   *rsa.PrivateKey
	cert  *x509.Certificate
	meta  saml.IDPMetadata
}

// spKey is made once: RSA keys take their time.
var spKey = sync.OnceValues(func() (*rsa.PrivateKey, *x509.Certificate) {
	key, cert, err := saml.NewKeyPair(spEntity, now)
	if err != nil {
		panic(err)
	}
	return key, cert
})

func newSAMLWorld(t *testing.T) *samlWorld {
	t.Helper()
	w := &samlWorld{t: t, clock: &clock{now}}
	var err error
	w.key, w.cert = spKey()
	w.base = serve(t, "/simulate/saml", func(base string) http.Handler {
		w.idp, err = simulate.NewSAML(simulate.SAMLOptions{
			Base: base, People: people(), Now: w.clock.now,
			ServiceProvider: func(_ context.Context, id string) (simulate.SAMLServiceProvider, bool) {
				return simulate.SAMLServiceProvider{Name: "Acme <app>", ACS: []string{acs, acs + "2"}, SLO: slo, Certificates: []*x509.Certificate{w.cert}}, id == spEntity
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		return w.idp
	})
	document := get(t, w.base+"/metadata")
	if w.meta, err = saml.ParseMetadata([]byte(document.body), "", now); err != nil {
		t.Fatalf("%v in %s", err, document.body)
	}
	return w
}

func (w *samlWorld) request(change ...func(*saml.AuthnRequest)) saml.AuthnRequest {
	r := saml.AuthnRequest{ID: saml.NewRequestID(), Issuer: spEntity, Destination: w.meta.SSO[0].URL, ACS: acs, IssuedAt: w.clock.at}
	for _, c := range change {
		c(&r)
	}
	return r
}

// ask goes to the page by redirect.
func (w *samlWorld) ask(r saml.AuthnRequest) seen {
	w.t.Helper()
	address, err := r.Redirect("relay-1", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return get(w.t, address)
}

// consume takes the answer as Rollcall would.
func (w *samlWorld) consume(s seen) (*saml.Assertion, string, error) {
	w.t.Helper()
	action, fields := s.form(w.t)
	data, err := saml.DecodePost(fields.Get("SAMLResponse"))
	if err != nil {
		w.t.Fatal(err)
	}
	if action != acs {
		w.t.Errorf("sent to %s", action)
	}
	a, err := saml.Consume(data, saml.Expectation{Now: w.clock.at, Issuer: w.meta.EntityID, Audiences: []string{spEntity}, Recipients: []string{acs}, Certificates: w.meta.Certificates})
	return a, fields.Get("RelayState"), err
}

func TestSAML_metadata_is_read(t *testing.T) {
	w := newSAMLWorld(t)
	if w.meta.EntityID != w.idp.EntityID() || len(w.meta.SSO) != 2 || len(w.meta.SLO) != 2 || len(w.meta.Certificates) != 1 || !w.meta.Certificates[0].Equal(w.idp.Certificate()) {
		t.Errorf("%+v", w.meta)
	}
}

func TestSAML_sign_in_by_redirect_and_by_post(t *testing.T) {
	w := newSAMLWorld(t)
	request := w.request()
	page := w.ask(request)
	checkPage(t, page)
	if !strings.Contains(page.body, "Acme &lt;app&gt;") || !strings.Contains(page.body, "Ada Lindqvist") {
		t.Error(page.body)
	}
	sent := page.pick(t, w.base, "person", "sim-ben", "scenario", "sign_in")
	checkPage(t, sent)
	if !strings.Contains(sent.body, "<script>") || !strings.Contains(sent.body, ">Continue</button>") {
		t.Error("the answer is not sent by itself, or not without script")
	}
	a, relay, err := w.consume(sent)
	if err != nil {
		t.Fatal(err)
	}
	if a.InResponseTo != request.ID || a.Subject.Value != "sim-ben" || relay != "relay-1" || a.Issuer != w.idp.EntityID() || a.SessionIndex == "" || !a.AuthnInstant.Equal(now) {
		t.Errorf("%+v", a)
	}
	values := map[string]string{}
	for _, one := range a.Attributes {
		values[one.Name] = strings.Join(one.Values, "|")
	}
	if values["email"] != "ben@acme.example" || values["firstName"] != "Ben" || values["lastName"] != "Okafor" || values["groups"] != "Engineering" || values["id"] != "sim-ben" {
		t.Errorf("%v", values)
	}

	form, err := w.request().Post("relay-2", w.key, w.cert)
	if err != nil {
		t.Fatal(err)
	}
	fields := url.Values{}
	for _, f := range form.Fields {
		fields.Set(f[0], f[1])
	}
	a, relay, err = w.consume(post(t, form.Action, fields).pick(t, w.base, "person", "sim-ada"))
	if err != nil || a.Subject.Value != "sim-ada" || relay != "relay-2" {
		t.Errorf("%+v %v", a, err)
	}
}

func TestSAML_a_person_can_be_typed(t *testing.T) {
	w := newSAMLWorld(t)
	byEmail := func(r *saml.AuthnRequest) {
		r.NameIDFormat, r.LoginHint = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress", "zoë&co@acme.example"
	}
	page := w.ask(w.request(byEmail))
	if !strings.Contains(page.body, `value="zoë&amp;co@acme.example"`) {
		t.Error(page.body)
	}
	a, _, err := w.consume(page.pick(t, w.base, "person", "other", "email", "zoë&co@acme.example", "first_name", "Zoë <b>", "groups", "A & B, C"))
	if err != nil {
		t.Fatal(err)
	}
	if a.Subject.Value != "zoë&co@acme.example" || a.Subject.Format != "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress" {
		t.Errorf("%+v", a.Subject)
	}
	for _, one := range a.Attributes {
		if one.Name == "groups" && strings.Join(one.Values, "|") != "A & B|C" || one.Name == "firstName" && one.Values[0] != "Zoë <b>" {
			t.Errorf("%+v", one)
		}
	}
	for text, pairs := range map[string][]string{
		"not an email":     {"person", "other", "email", "nobody"},
		"no person":        {"person", "sim-nobody"},
		"no scenario":      {"person", "sim-ada", "scenario", "explode"},
		"cannot be sent":   {"person", "other", "email", "a@b.example", "first_name", "a\x01"},
		"more than 200":    {"person", "other", "email", "a@b.example", "first_name", strings.Repeat("a", 201)},
		"more than the 50": {"person", "other", "email", "a@b.example", "groups", strings.Repeat("a,b,", 26)},
	} {
		answer := w.ask(w.request()).pick(t, w.base, pairs...)
		words := map[string]string{"not an email": "is not an email address", "no person": "there is no person", "no scenario": "there is no scenario"}
		if words[text] != "" {
			text = words[text]
		}
		answer.refused(t, text)
	}
}

// Each bad answer is refused by the consumer with the code that its button promises.
func TestSAML_bad_answers_are_refused_as_the_page_says(t *testing.T) {
	w := newSAMLWorld(t)
	for scenario, code := range map[simulate.Scenario]string{
		simulate.Deny: "idp_denied", simulate.WrongAudience: "audience_mismatch", simulate.Expired: "expired", simulate.Unsigned: "unsigned", simulate.Tampered: "signature_invalid", simulate.WrongKey: "certificate_unknown",
	} {
		page := w.ask(w.request())
		if !strings.Contains(page.body, `value="`+string(scenario)+`"`) || !strings.Contains(page.body, "<small>"+code+"</small>") {
			t.Errorf("the page does not offer %s", scenario)
		}
		a, _, err := w.consume(page.pick(t, w.base, "person", "sim-ada", "scenario", string(scenario)))
		var refusal *saml.Error
		if a != nil || !errors.As(err, &refusal) || refusal.Code != code {
			t.Errorf("%s: %+v %v; wanted %s", scenario, a, err, code)
		}
	}
}

func TestSAML_sign_in_that_the_provider_starts(t *testing.T) {
	w := newSAMLWorld(t)
	a, relay, err := w.consume(get(t, w.base+"/start?RelayState=r&sp="+url.QueryEscape(spEntity)).pick(t, w.base, "person", "sim-ada"))
	if err != nil || a.InResponseTo != "" || relay != "r" {
		t.Errorf("%+v %v", a, err)
	}
	get(t, w.base+"/start?sp=https://evil.example").refused(t, "no application")
}

func TestSAML_passive_request_is_answered_without_asking(t *testing.T) {
	w := newSAMLWorld(t)
	xml := `<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_1" IsPassive="true"><Issuer xmlns="urn:oasis:names:tc:SAML:2.0:assertion">` + spEntity + `</Issuer></samlp:AuthnRequest>`
	_, _, err := w.consume(post(t, w.base+"/sso", url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString([]byte(xml))}}))
	var refusal *saml.Error
	if !errors.As(err, &refusal) || refusal.Code != "idp_denied" {
		t.Errorf("%v", err)
	}
}

// However open the door is, an answer goes only to an application's own address.
func TestSAML_answers_go_nowhere_else(t *testing.T) {
	w := newSAMLWorld(t)
	w.ask(w.request(func(r *saml.AuthnRequest) { r.ACS = "https://evil.example/acs" })).refused(t, "not an address of this application")
	w.ask(w.request(func(r *saml.AuthnRequest) { r.Issuer = "https://evil.example" })).refused(t, "no application")
	w.ask(w.request()).pick(t, w.base, "acs", "https://evil.example/acs", "person", "sim-ada").refused(t, "not an address of this application")
	w.ask(w.request()).pick(t, w.base, "sp", "https://evil.example", "person", "sim-ada").refused(t, "no application")
	elsewhere := w.request()
	address, err := elsewhere.Redirect("", nil)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere.Destination = "https://other.example/sso"
	other, err := elsewhere.Redirect("", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, query, _ := strings.Cut(other, "?")
	at, _, _ := strings.Cut(address, "?")
	get(t, at+"?"+query).refused(t, "The request is for")
}

func TestSAML_requests_that_are_none_are_refused(t *testing.T) {
	w := newSAMLWorld(t)
	for _, query := range []string{"", "?SAMLRequest=", "?SAMLRequest=!!", "?SAMLRequest=AAAA"} {
		if s := get(t, w.base+"/sso"+query); s.status != http.StatusBadRequest {
			t.Errorf("%s: %d", query, s.status)
		}
	}
	encoded := func(s string) url.Values {
		return url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString([]byte(s))}}
	}
	for _, xml := range []string{"x", "<a/>", `<AuthnRequest ID="_1"/>`, `<AuthnRequest xmlns="urn:oasis:names:tc:SAML:2.0:protocol"/>`, `<!DOCTYPE a [<!ENTITY x "y">]><AuthnRequest xmlns="urn:oasis:names:tc:SAML:2.0:protocol" ID="&x;"/>`} {
		post(t, w.base+"/sso", encoded(xml)).refused(t, "AuthnRequest")
	}
	post(t, w.base+"/sso", url.Values{"SAMLRequest": {strings.Repeat("A", 300<<10)}}).refused(t, "too large")
	// A deflate bomb stops at the limit.
	bomb, err := saml.AuthnRequest{ID: "_1", Issuer: strings.Repeat(" ", 200<<10) + spEntity, Destination: w.base + "/sso", ACS: acs, IssuedAt: now}.Redirect("", nil)
	if err != nil {
		t.Fatal(err)
	}
	get(t, bomb).refused(t, "longer than")
}

func TestSAML_logout_is_answered_and_can_be_started(t *testing.T) {
	w := newSAMLWorld(t)
	a, _, err := w.consume(w.ask(w.request()).pick(t, w.base, "person", "sim-ada"))
	if err != nil {
		t.Fatal(err)
	}
	e := saml.LogoutExpectation{Now: now, Issuer: w.idp.EntityID(), Destinations: []string{slo}, Certificates: w.meta.Certificates}
	home := get(t, w.base+"/")
	checkPage(t, home)
	started := home.pick(t, w.base)
	got, err := saml.ConsumeLogoutRedirect(started.location.RawQuery, e)
	if err != nil || got.Request == nil || got.Request.NameID.Value != "sim-ada" || got.Request.SessionIndexes[0] != a.SessionIndex {
		t.Fatalf("%+v %v", got, err)
	}
	if again := get(t, w.base+"/"); strings.Contains(again.body, "<form") {
		t.Error("the sign-in is still listed")
	}
	post(t, w.base+"/sign-out", url.Values{"session": {a.SessionIndex}}).refused(t, "not known any more")

	if a, _, err = w.consume(w.ask(w.request()).pick(t, w.base, "person", "sim-ben")); err != nil {
		t.Fatal(err)
	}
	request := saml.LogoutRequest{ID: saml.NewRequestID(), Issuer: spEntity, Destination: w.base + "/slo", IssuedAt: now, NotOnOrAfter: now.Add(time.Minute), NameID: a.Subject, SessionIndexes: []string{a.SessionIndex}}
	address, err := request.Redirect("r", w.key)
	if err != nil {
		t.Fatal(err)
	}
	answer := get(t, address)
	got, err = saml.ConsumeLogoutRedirect(answer.location.RawQuery, e)
	if err != nil || got.Response == nil || got.Response.InResponseTo != request.ID || got.Response.Status != saml.StatusSuccess || got.RelayState != "r" {
		t.Errorf("%+v %v", got, err)
	}
	if again := get(t, w.base+"/"); strings.Contains(again.body, "<form") {
		t.Error("the sign-in is still listed")
	}

	stranger, _, err := saml.NewKeyPair("x", now)
	if err != nil {
		t.Fatal(err)
	}
	if address, err = request.Redirect("", stranger); err != nil {
		t.Fatal(err)
	}
	if s := get(t, address); s.status != http.StatusBadRequest {
		t.Errorf("a stranger's logout: %d", s.status)
	}
	response := saml.LogoutResponse{ID: saml.NewRequestID(), Issuer: spEntity, Destination: w.base + "/slo", IssuedAt: now, InResponseTo: "_x"}
	form, err := response.Post("", w.key, w.cert)
	if err != nil {
		t.Fatal(err)
	}
	if s := post(t, form.Action, url.Values{form.Fields[0][0]: {form.Fields[0][1]}}); s.status != http.StatusOK || !strings.Contains(s.body, saml.StatusSuccess) {
		t.Errorf("%d %s", s.status, s.body)
	}
}

func TestSAML_wants_to_know_where_it_is_and_whom_it_serves(t *testing.T) {
	finder := func(context.Context, string) (simulate.SAMLServiceProvider, bool) {
		return simulate.SAMLServiceProvider{}, false
	}
	key, _ := spKey()
	elliptic, err := oidc.NewSigningKey(oidc.ES256, now)
	if err != nil {
		t.Fatal(err)
	}
	bare, broken := oidc.SigningKey{Alg: oidc.RS256, Private: key}, oidc.SigningKey{Alg: oidc.RS256, Private: key, Certificate: []byte("nonsense")}
	for _, o := range []simulate.SAMLOptions{
		{Base: "", Now: (&clock{now}).now, ServiceProvider: finder},
		{Base: "http://a.example/x/", Now: (&clock{now}).now, ServiceProvider: finder},
		{Base: "http://a.example/{x}", Now: (&clock{now}).now, ServiceProvider: finder},
		{Base: "http://a.example", Now: (&clock{now}).now},
		{Base: "http://a.example", ServiceProvider: finder},
		{Base: "http://a.example", Now: (&clock{now}).now, ServiceProvider: finder, Key: elliptic},
		{Base: "http://a.example", Now: (&clock{now}).now, ServiceProvider: finder, Key: bare},
		{Base: "http://a.example", Now: (&clock{now}).now, ServiceProvider: finder, Key: broken},
	} {
		if _, err := simulate.NewSAML(o); err == nil {
			t.Errorf("%q was made", o.Base)
		}
	}
}
