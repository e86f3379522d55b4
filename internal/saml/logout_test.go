package saml

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"
	saml2 "github.com/russellhaering/gosaml2"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/rollcallhq/rollcall/internal/saml/samltest"
)

const slo = "https://sp.example/saml/a/slo"

func logoutRequest() LogoutRequest {
	return LogoutRequest{
		ID: "_logout1", Issuer: "https://idp.example", Destination: slo, IssuedAt: noon, NotOnOrAfter: noon.Add(3 * time.Minute),
		NameID:         NameID{Value: "ada@acme.example", Format: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", NameQualifier: "https://idp.example", SPNameQualifier: "https://sp.example/saml/a"},
		SessionIndexes: []string{"_s1", "_s2"},
	}
}

func logoutResponse() LogoutResponse {
	return LogoutResponse{ID: "_answer1", Issuer: "https://idp.example", Destination: slo, IssuedAt: noon, InResponseTo: "_logout0", Status: StatusResponder, Detail: StatusPartialLogout}
}

// The third pair is the identity provider's.
func logoutExpected() LogoutExpectation {
	_, cert := pairs[2]()
	return LogoutExpectation{Now: noon, Issuer: "https://idp.example", Destinations: []string{"https://sp.example/other", slo}, Certificates: []*x509.Certificate{cert}}
}

func queryOf(t testing.TB, r interface {
	Redirect(string, *rsa.PrivateKey) (string, error)
}, state string,
) string {
	t.Helper()
	key, _ := pairs[2]()
	address, err := r.Redirect(state, key)
	if err != nil {
		t.Fatal(err)
	}
	_, query, _ := strings.Cut(address, "?")
	return query
}

func formOf(t testing.TB, r interface {
	Post(string, *rsa.PrivateKey, *x509.Certificate) (Form, error)
}, state string,
) url.Values {
	t.Helper()
	key, cert := pairs[2]()
	f, err := r.Post(state, key, cert)
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{}
	for _, field := range f.Fields {
		form.Add(field[0], field[1])
	}
	return form
}

func TestLogout_comes_through_both_bindings_as_it_was_meant(t *testing.T) {
	_, cert := pairs[2]()
	request, response := logoutRequest(), logoutResponse()
	want := Logout{RelayState: "s t", UsableUntil: noon.Add(7 * time.Minute), Certificate: sha256.Sum256(cert.Raw)}
	asked, answered := want, want
	asked.Request, answered.Response = &request, &response
	for name, c := range map[string]struct {
		got  func() (*Logout, error)
		want Logout
	}{
		"request by redirect":  {func() (*Logout, error) { return ConsumeLogoutRedirect(queryOf(t, request, "s t"), logoutExpected()) }, asked},
		"request by post":      {func() (*Logout, error) { return ConsumeLogoutPost(formOf(t, request, "s t"), logoutExpected()) }, asked},
		"response by redirect": {func() (*Logout, error) { return ConsumeLogoutRedirect(queryOf(t, response, "s t"), logoutExpected()) }, answered},
		"response by post":     {func() (*Logout, error) { return ConsumeLogoutPost(formOf(t, response, "s t"), logoutExpected()) }, answered},
	} {
		got, err := c.got()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(&c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestLogout_may_be_about_all_sessions_and_want_no_response(t *testing.T) {
	r := LogoutRequest{ID: "_1", Issuer: "https://idp.example", Destination: slo, IssuedAt: noon, NameID: NameID{Value: "ada"}, Asynchronous: true}
	got, err := ConsumeLogoutPost(formOf(t, r, ""), logoutExpected())
	if err != nil || cmp.Diff(&r, got.Request) != "" {
		t.Errorf("%+v, %v", got, err)
	}
	empty := strings.Replace(text(t, logoutRequest().element()), "</saml:Issuer>", "</saml:Issuer><samlp:Extensions/>", 1)
	if got, err := ConsumeLogoutPost(signedForm(t, "SAMLRequest", empty), logoutExpected()); err != nil || got.Request.Asynchronous {
		t.Errorf("%+v, %v", got, err)
	}
	ok := logoutResponse()
	ok.Status, ok.Detail = "", ""
	got, err = ConsumeLogoutRedirect(queryOf(t, ok, ""), logoutExpected())
	if err != nil || got.Response.Status != StatusSuccess || got.Response.Detail != "" {
		t.Errorf("%+v, %v", got, err)
	}
}

// Two programs must agree about what is sent: gosaml2 reads what we write, we read what gosaml2 writes.
func TestLogout_is_understood_by_gosaml2_and_its_own_is_understood(t *testing.T) {
	key, cert := pairs[2]()
	keys := &pair509{key, cert}
	theirs := &saml2.SAMLServiceProvider{
		IdentityProviderIssuer: "https://idp.example", ServiceProviderIssuer: "https://idp.example", ServiceProviderSLOURL: slo, IdentityProviderSLOURL: slo,
		IDPCertificateStore: &dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{cert}}, Clock: dsig.NewFakeClockAt(noon), SPKeyStore: keys, SPSigningKeyStore: keys,
		SignAuthnRequests: true, NameIdFormat: formatUnspecified,
	}
	request, err := theirs.ValidateEncodedLogoutRequestPOST(formOf(t, logoutRequest(), "").Get("SAMLRequest"))
	if err != nil || request.ID != "_logout1" || request.NameID.Value != "ada@acme.example" || !request.SignatureValidated {
		t.Errorf("request: %+v, %v", request, err)
	}
	done := logoutResponse()
	done.Status, done.Detail = "", ""
	response, err := theirs.ValidateEncodedLogoutResponsePOST(formOf(t, done, "").Get("SAMLResponse"))
	if err != nil || response.InResponseTo != "_logout0" {
		t.Errorf("response: %+v, %v", response, err)
	}

	doc, err := theirs.BuildLogoutRequestDocumentNoSig("ada", "_s9")
	if err != nil {
		t.Fatal(err)
	}
	address, err := theirs.BuildLogoutURLRedirect("state", doc)
	if err != nil {
		t.Fatal(err)
	}
	// It sorts the query, so that the signed octets stand there in another order than they were signed in: nobody's raw octets.
	u, _ := url.Parse(address)
	q := u.Query()
	raw := "SAMLRequest=" + url.QueryEscape(q.Get("SAMLRequest")) + "&RelayState=state&SigAlg=" + url.QueryEscape(q.Get("SigAlg")) + "&Signature=" + url.QueryEscape(q.Get("Signature"))
	for _, query := range []string{raw, u.RawQuery} {
		got, err := ConsumeLogoutRedirect(query, logoutExpected())
		if err != nil || got.Request.NameID.Value != "ada" || got.Request.SessionIndexes[0] != "_s9" || got.RelayState != "state" {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

type pair509 struct {
	key  *rsa.PrivateKey
	cert *x509.Certificate
}

func (p *pair509) GetKeyPair() (*rsa.PrivateKey, []byte, error) { return p.key, p.cert.Raw, nil }

func TestLogout_by_post_is_verified_by_xmlsec(t *testing.T) {
	_, cert := pairs[2]()
	for param, form := range map[string]url.Values{"SAMLRequest": formOf(t, logoutRequest(), ""), "SAMLResponse": formOf(t, logoutResponse(), "")} {
		data, _ := base64.StdEncoding.DecodeString(form.Get(param))
		if !xmlsecVerifies(t, string(data), cert, nsProtocol+":"+parse(t, string(data)).Tag) {
			t.Errorf("%s", data)
		}
	}
}

func TestLogout_is_never_sent_unsigned(t *testing.T) {
	_, cert := pairs[2]()
	var errs [4]error
	_, errs[0] = logoutRequest().Redirect("", nil)
	_, errs[1] = logoutRequest().Post("", nil, cert)
	_, errs[2] = logoutResponse().Redirect("", nil)
	_, errs[3] = logoutResponse().Post("", nil, cert)
	for i, err := range errs {
		if !errors.Is(err, errUnsignedLogout) {
			t.Errorf("%d: %v", i, err)
		}
	}
}

func TestLogout_request_says_no_more_than_is_known(t *testing.T) {
	r := LogoutRequest{ID: "_1", Issuer: "i", Destination: slo, IssuedAt: noon, NameID: NameID{Value: "ada"}}
	want := `<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_1" Version="2.0" ` +
		`IssueInstant="2026-11-22T12:00:00Z" Destination="https://sp.example/saml/a/slo"><saml:Issuer>i</saml:Issuer><saml:NameID>ada</saml:NameID></samlp:LogoutRequest>`
	if diff := cmp.Diff(want, text(t, r.element())); diff != "" {
		t.Error(diff)
	}
	answer := LogoutResponse{ID: "_2", Issuer: "i", Destination: slo, IssuedAt: noon, InResponseTo: "_1"}
	want = `<samlp:LogoutResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_2" Version="2.0" ` +
		`IssueInstant="2026-11-22T12:00:00Z" Destination="https://sp.example/saml/a/slo" InResponseTo="_1"><saml:Issuer>i</saml:Issuer>` +
		`<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status></samlp:LogoutResponse>`
	if diff := cmp.Diff(want, text(t, answer.element())); diff != "" {
		t.Error(diff)
	}
}

// A request keeps to 80 bytes of state; what came with the other side's is given back though it be longer.
func TestLogout_response_gives_back_a_long_state(t *testing.T) {
	key, cert := pairs[2]()
	long := strings.Repeat("s", 2<<10)
	if got, err := ConsumeLogoutRedirect(queryOf(t, logoutResponse(), long), logoutExpected()); err != nil || got.RelayState != long {
		t.Errorf("by redirect: %v", err)
	}
	if got, err := ConsumeLogoutPost(formOf(t, logoutResponse(), long), logoutExpected()); err != nil || got.RelayState != long {
		t.Errorf("by post: %v", err)
	}
	if _, err := logoutResponse().Redirect(long+"s", key); faultCode(err) != "relay_state_too_long" {
		t.Errorf("beyond 2 KiB: %v", err)
	}
	if _, err := logoutRequest().Post(strings.Repeat("s", 81), key, cert); faultCode(err) != "relay_state_too_long" {
		t.Errorf("a request: %v", err)
	}
}

// signedQuery signs a message of any text for the redirect binding.
func signedQuery(t testing.TB, param, document string) string {
	t.Helper()
	packed, err := deflate([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return signOctets(t, param+"="+escape(base64.StdEncoding.EncodeToString(packed))+"&SigAlg="+escape(algRSASHA256))
}

func signOctets(t testing.TB, octets string) string {
	t.Helper()
	key, _ := pairs[2]()
	digest := sha256.Sum256([]byte(octets))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return octets + "&Signature=" + escape(base64.StdEncoding.EncodeToString(signature))
}

// signedForm signs a message of any text for the POST binding.
func signedForm(t testing.TB, param, document string) url.Values {
	t.Helper()
	key, cert := pairs[2]()
	el := parse(t, document)
	after := "Issuer"
	if el.SelectElement("Issuer") == nil {
		after = ""
	}
	if err := SignElement(el, key, cert, after); err != nil {
		t.Fatal(err)
	}
	return url.Values{param: {base64.StdEncoding.EncodeToString([]byte(text(t, el)))}}
}

func TestS24_logout_that_is_not_signed_is_refused(t *testing.T) {
	request, response := text(t, logoutRequest().element()), text(t, logoutResponse().element())
	for param, document := range map[string]string{"SAMLRequest": request, "SAMLResponse": response} {
		_, err := ConsumeLogoutPost(url.Values{param: {base64.StdEncoding.EncodeToString([]byte(document))}}, logoutExpected())
		if code(err) != CodeUnsigned {
			t.Errorf("%s by post: %v", param, err)
		}
		signed := signedQuery(t, param, document)
		plain, _, _ := strings.Cut(signed, "&SigAlg=")
		for _, query := range []string{plain, signed[:strings.Index(signed, "&Signature=")], plain + signed[strings.Index(signed, "&Signature="):], signed[:strings.Index(signed, "&Signature=")] + "&Signature="} {
			if _, err := ConsumeLogoutRedirect(query, logoutExpected()); code(err) != CodeUnsigned {
				t.Errorf("%s by redirect: %v", query, err)
			}
		}
	}
}

func TestS24_unsigned_rubbish_is_refused_as_unsigned(t *testing.T) {
	for _, document := range []string{"", "<", "ada", "<!DOCTYPE a><a/>"} {
		packed, _ := deflate([]byte(document))
		if _, err := ConsumeLogoutRedirect("SAMLRequest="+escape(base64.StdEncoding.EncodeToString(packed)), logoutExpected()); code(err) != CodeUnsigned {
			t.Errorf("%q: %v", document, err)
		}
		if _, err := ConsumeLogoutRedirect(signedQuery(t, "SAMLRequest", document), logoutExpected()); code(err) != CodeMalformed {
			t.Errorf("%q, signed: %v", document, err)
		}
	}
}

// Each refused message tells, unverified, what it may be found by.
func TestLogout_refusal_carries_what_the_message_claims(t *testing.T) {
	document := text(t, logoutResponse().element())
	packed, _ := deflate([]byte(document))
	_, byRedirect := ConsumeLogoutRedirect("SAMLResponse="+escape(base64.StdEncoding.EncodeToString(packed)), logoutExpected())
	_, byPost := ConsumeLogoutPost(url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString([]byte(document))}}, logoutExpected())
	for _, err := range []error{byRedirect, byPost} {
		var e *Error
		if !errors.As(err, &e) || e.Claimed != (Claimed{ID: "_answer1", InResponseTo: "_logout0", Issuer: "https://idp.example"}) {
			t.Errorf("%+v", err)
		}
	}
}

func TestS12_logout_with_a_second_signature_under_a_genuine_one_is_refused(t *testing.T) {
	key, cert := pairs[2]()
	el := logoutRequest().element()
	el.CreateElement("ds:Signature").CreateAttr("xmlns:ds", nsSignature)
	signer := samltest.Signer{Key: key, Certificate: cert}
	document := signer.Over(text(t, el), "_logout1")
	form := url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString([]byte(document))}}
	if _, err := ConsumeLogoutPost(form, logoutExpected()); code(err) != CodeMalformed {
		t.Errorf("got %v", err)
	}
	if good := signer.Over(text(t, logoutRequest().element()), "_logout1"); good == document {
		t.Error("the second signature is missing")
	} else if _, err := ConsumeLogoutPost(url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString([]byte(good))}}, logoutExpected()); err != nil {
		t.Errorf("the genuine one alone: %v", err)
	}
}

// gosaml2 GHSA-pcgw-qcv5-h8ch: a genuine signed element inside an unsigned LogoutRequest made it pass.
func TestS24_genuine_signature_elsewhere_in_the_message_proves_nothing(t *testing.T) {
	key, cert := pairs[2]()
	assertion := parse(t, secretAssertion)
	if err := SignElement(assertion, key, cert, "Issuer"); err != nil {
		t.Fatal(err)
	}
	genuine := parse(t, text(t, logoutRequest().element()))
	if err := SignElement(genuine, key, cert, "Issuer"); err != nil {
		t.Fatal(err)
	}
	signature := genuine.SelectElement("Signature")
	for _, c := range []struct {
		name, want string
		wrap       func(*etree.Element)
	}{
		{"assertion as a child", CodeMalformed, func(el *etree.Element) { el.AddChild(assertion.Copy()) }},
		{"assertion in Extensions", CodeUnsigned, func(el *etree.Element) { inExtensions(el, assertion.Copy()) }},
		{"request in Extensions", CodeUnsigned, func(el *etree.Element) { inExtensions(el, genuine.Copy()) }},
		{"request as a child", CodeMalformed, func(el *etree.Element) { el.AddChild(genuine.Copy()) }},
		{"request in its own Issuer", CodeMalformed, func(el *etree.Element) { el.SelectElement("Issuer").AddChild(genuine.Copy()) }},
		{"signature of the other ID", CodeSignatureInvalid, func(el *etree.Element) { el.InsertChildAt(1, signature.Copy()) }},
		{"request in an Object", CodeMalformed, func(el *etree.Element) { object(el, genuine) }},
		{"signature deeper", CodeMalformed, func(el *etree.Element) { el.SelectElement("NameID").AddChild(signature.Copy()) }},
		{"two signatures", CodeMalformed, func(el *etree.Element) { el.InsertChildAt(1, signature.Copy()); el.InsertChildAt(1, signature.Copy()) }},
		{"signature with the same ID", CodeSignatureInvalid, func(el *etree.Element) { el.CreateAttr("ID", "_logout1"); el.InsertChildAt(1, signature.Copy()) }},
	} {
		evil := logoutRequest()
		evil.ID, evil.NameID.Value = "_evil", "eve@acme.example"
		el := evil.element()
		c.wrap(el)
		form := url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString([]byte(text(t, el)))}}
		if got, err := ConsumeLogoutPost(form, logoutExpected()); code(err) != c.want {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

func inExtensions(el, child *etree.Element) {
	x := etree.NewElement("samlp:Extensions")
	x.AddChild(child)
	el.InsertChildAt(1, x)
}

func object(el, genuine *etree.Element) {
	s := genuine.SelectElement("Signature").Copy()
	s.CreateElement("ds:Object").AddChild(genuine.Copy())
	el.InsertChildAt(1, s)
}

func TestS24_request_and_response_at_once_are_refused(t *testing.T) {
	packed, _ := deflate([]byte(text(t, logoutRequest().element())))
	value := escape(base64.StdEncoding.EncodeToString(packed))
	algorithm := "&SigAlg=" + escape(algRSASHA256)
	for _, query := range []string{
		signOctets(t, "SAMLRequest="+value+"&SAMLResponse="+value+algorithm),
		signOctets(t, "SAMLResponse="+value+"&SAMLRequest="+value+algorithm),
		signOctets(t, "SAMLRequest="+value+algorithm) + "&SAMLResponse=" + value,
		signOctets(t, "SAMLRequest="+value+algorithm) + "&SAMLResponse",
		signOctets(t, "SAMLRequest="+value+algorithm) + "&SAMLRequest=" + value,
		signOctets(t, "SAMLRequest="+value+algorithm) + "&RelayState=a&RelayState=b",
		signOctets(t, "SAMLRequest="+value+algorithm) + "&SigAlg=x",
		signOctets(t, "SAMLRequest="+value+algorithm) + "&Signature=x",
		signOctets(t, "SAMLRequest="+value+algorithm) + "&SAML%52equest=" + value,
		signOctets(t, "SAML%52equest="+value+algorithm),
		signOctets(t, "SAMLRequest="+value+algorithm) + "&SAML%52esponse=" + value,
		algorithm, "", "&", "x=y",
	} {
		if _, err := ConsumeLogoutRedirect(query, logoutExpected()); code(err) != CodeMalformed {
			t.Errorf("%.200s: %v", query, err)
		}
	}
	form := formOf(t, logoutRequest(), "")
	for _, fields := range []url.Values{
		{"SAMLRequest": form["SAMLRequest"], "SAMLResponse": form["SAMLRequest"]},
		{"SAMLRequest": {form.Get("SAMLRequest"), form.Get("SAMLRequest")}},
		{"SAMLRequest": form["SAMLRequest"], "RelayState": {"a", "b"}},
		{},
	} {
		if _, err := ConsumeLogoutPost(fields, logoutExpected()); code(err) != CodeMalformed || !strings.Contains(err.Error(), "exactly one SAML message") {
			t.Errorf("%d fields: %v", len(fields), err)
		}
	}
}

// The signature is over the octets that came (bindings 3.4.4.1). Others write %2b for %2B or leave a colon as it is; an address that means
// the same in other octets was not signed (samlify, issue 634).
func TestS24_signature_holds_for_the_octets_that_came_and_no_others(t *testing.T) {
	packed, _ := deflate([]byte(text(t, logoutRequest().element())))
	lower := func(s string) string { // as .NET writes
		out := []byte(s)
		for i := 0; i+2 < len(out); i++ {
			if out[i] == '%' {
				copy(out[i+1:i+3], bytes.ToLower(out[i+1:i+3]))
			}
		}
		return string(out)
	}
	message := "SAMLRequest=" + escape(base64.StdEncoding.EncodeToString(packed))
	state := "&RelayState=a+b%2Fc"
	for _, octets := range []string{
		lower(message) + lower(state) + lower("&SigAlg="+escape(algRSASHA256)),
		message + state + "&SigAlg=" + algRSASHA256, // with ':', '/' and '#' encoded only where needed
		message + "&RelayState=&SigAlg=" + escape(algRSASHA256),
		message + "&RelayState&SigAlg=" + escape(algRSASHA256),
	} {
		octets = strings.ReplaceAll(octets, "#", "%23")
		if _, err := ConsumeLogoutRedirect(signOctets(t, octets), logoutExpected()); err != nil {
			t.Errorf("as it came: %v", err)
		}
	}
	good := signOctets(t, message+state+"&SigAlg="+escape(algRSASHA256))
	if got, err := ConsumeLogoutRedirect(good, logoutExpected()); err != nil || got.RelayState != "a b/c" {
		t.Fatalf("%+v, %v", got, err)
	}
	// Order and strangers in between do not matter: which octets are signed, and in which order, is fixed.
	pieces := strings.Split(good, "&")
	if _, err := ConsumeLogoutRedirect("x=1&"+pieces[3]+"&"+pieces[1]+"&y&"+pieces[0]+"&"+pieces[2]+"&SAMLEncoding="+escape(encodingDeflate), logoutExpected()); err != nil {
		t.Errorf("in another order: %v", err)
	}
	for name, query := range map[string]string{
		"lower case":              lower(good),
		"another blank":           strings.Replace(good, "a+b", "a%20b", 1),
		"another state":           strings.Replace(good, "a+b", "a+c", 1),
		"state added":             signOctets(t, message+"&SigAlg="+escape(algRSASHA256)) + "&RelayState=x",
		"empty state added":       signOctets(t, message+"&SigAlg="+escape(algRSASHA256)) + "&RelayState=",
		"state taken away":        strings.Replace(good, state, "", 1),
		"signed in another order": signOctets(t, "SigAlg="+escape(algRSASHA256)+"&"+message),
		"another algorithm":       strings.Replace(good, "sha256", "sha512", 1),
		"another signature":       good[:strings.Index(good, "&Signature=")] + "&Signature=" + escape(base64.StdEncoding.EncodeToString(make([]byte, 256))),
		"encoded again":           strings.Replace(good, "b%2Fc", "b%2fc", 1),
		"decoded":                 strings.Replace(good, "b%2Fc", "b/c", 1),
	} {
		if query == good {
			t.Errorf("%s: nothing was changed", name)
		}
		if _, err := ConsumeLogoutRedirect(query, logoutExpected()); code(err) != CodeSignatureInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestS24_logout_query_that_is_malformed_is_refused(t *testing.T) {
	document := text(t, logoutRequest().element())
	packed, _ := deflate([]byte(document))
	b64 := base64.StdEncoding.EncodeToString
	good := "SAMLRequest=" + escape(b64(packed))
	for name, c := range map[string]struct{ query, words string }{
		"no base64":            {"SAMLRequest=%25%25", "not base64"},
		"base64 with a break":  {"SAMLRequest=" + escape("\n"+b64(packed)+"!"), "not base64"},
		"bad escape":           {"SAMLRequest=%zz", "encoded in an odd way"},
		"bad escape in a name": {good + "&%zz=1", "not encoded as addresses are"},
		"not deflated":         {"SAMLRequest=" + escape(b64([]byte(document))), "not compressed"},
		"cut off":              {"SAMLRequest=" + escape(b64(packed[:len(packed)/2])), "not compressed"},
		"something behind":     {"SAMLRequest=" + escape(b64(append(bytes.Clone(packed), "evil"...))), "follows the compressed"},
		"signature no base64":  {good + "&SigAlg=x&Signature=*", "signature in the address is not base64"},
		"other encoding":       {good + "&SAMLEncoding=urn:other", "encoded in a way"},
		"too long":             {good + "&x=" + strings.Repeat("A", 64<<10), "too long"},
		"no message":           {"RelayState=x", "no SAML message"},
		"message twice":        {good + "&" + good, "twice"},
	} {
		if _, err := ConsumeLogoutRedirect(c.query, logoutExpected()); code(err) != CodeMalformed || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v", name, err)
		}
	}
	longest := good + "&x=" + strings.Repeat("A", 64<<10-len(good)-3)
	if _, err := ConsumeLogoutRedirect(longest, logoutExpected()); code(err) != CodeUnsigned {
		t.Errorf("the longest that is read: %v", err)
	}
	if _, err := ConsumeLogoutPost(url.Values{"SAMLRequest": {"%" + b64(packed)}}, logoutExpected()); code(err) != CodeMalformed || !strings.Contains(err.Error(), "encoded") {
		t.Errorf("no base64 by POST: %v", err)
	}
	if _, err := ConsumeLogoutPost(url.Values{"SAMLRequest": {b64(packed)}}, logoutExpected()); code(err) != CodeMalformed {
		t.Errorf("POST is never inflated: %v", err)
	}
}

// CVE-2023-26483, CVE-2023-28119: a short query that grows without end.
func TestS22_deflate_bomb_on_redirect_is_stopped(t *testing.T) {
	var packed bytes.Buffer
	w, _ := flate.NewWriter(&packed, flate.BestCompression)
	blanks := bytes.Repeat([]byte(" "), 1<<20)
	for range 30 {
		w.Write(blanks)
	}
	w.Close()
	if packed.Len() > 40<<10 {
		t.Fatalf("no bomb: %d bytes", packed.Len())
	}
	allocated := testing.AllocsPerRun(1, func() {
		_, err := ConsumeLogoutRedirect("SAMLRequest="+escape(base64.StdEncoding.EncodeToString(packed.Bytes())), logoutExpected())
		if code(err) != CodeMalformed || !strings.Contains(err.Error(), "too large") {
			t.Errorf("got %v", err)
		}
	})
	if allocated > 1000 {
		t.Errorf("%v allocations", allocated)
	}
	exact, err := deflate(bytes.Repeat([]byte("x"), maxInflated))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := inflate(exact); err != nil || len(got) != maxInflated {
		t.Errorf("at the limit: %d, %v", len(got), err)
	}
	if _, err := inflate(append(exact[:0:0], mustDeflate(t, maxInflated+1)...)); err == nil {
		t.Error("one byte more passed")
	}
}

func mustDeflate(t testing.TB, n int) []byte {
	t.Helper()
	packed, err := deflate(bytes.Repeat([]byte("x"), n))
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

// Every condition, by both bindings, in a message that is signed well.
func TestS24_signed_logout_for_others_or_of_another_time_is_refused(t *testing.T) {
	request, response := text(t, logoutRequest().element()), text(t, logoutResponse().element())
	nameID := request[strings.Index(request, "<saml:NameID"):strings.Index(request, "<samlp:SessionIndex")]
	cases := []struct {
		name, from   string
		param, wants string
		changes      []string
	}{
		{"other issuer", request, "SAMLRequest", CodeIssuerMismatch, []string{">https://idp.example<", ">https://evil.example<"}},
		{"no issuer", request, "SAMLRequest", CodeIssuerMismatch, []string{"<saml:Issuer>https://idp.example</saml:Issuer>", ""}},
		{"odd issuer", request, "SAMLRequest", CodeIssuerMismatch, []string{"<saml:Issuer>", `<saml:Issuer Format="urn:x">`}},
		{"other issuer of a response", response, "SAMLResponse", CodeIssuerMismatch, []string{">https://idp.example<", ">https://idp.example/<"}},
		{"other destination", request, "SAMLRequest", CodeDestinationMismatch, []string{slo, slo + "/"}},
		{"other case", request, "SAMLRequest", CodeDestinationMismatch, []string{slo, "https://SP.example/saml/a/slo"}},
		{"no destination", request, "SAMLRequest", CodeDestinationMismatch, []string{` Destination="` + slo + `"`, ""}},
		{"no destination of a response", response, "SAMLResponse", CodeDestinationMismatch, []string{` Destination="` + slo + `"`, ""}},
		{"over", request, "SAMLRequest", CodeExpired, []string{`NotOnOrAfter="2026-11-22T12:03:00Z"`, `NotOnOrAfter="2026-11-22T11:58:00Z"`}},
		{"old", request, "SAMLRequest", CodeExpired, []string{`IssueInstant="2026-11-22T12:00:00Z"`, `IssueInstant="2026-11-22T11:53:00Z"`}},
		{"old response", response, "SAMLResponse", CodeExpired, []string{`IssueInstant="2026-11-22T12:00:00Z"`, `IssueInstant="2026-11-22T11:53:00Z"`}},
		{"of the future", request, "SAMLRequest", CodeNotYetValid, []string{`IssueInstant="2026-11-22T12:00:00Z"`, `IssueInstant="2026-11-22T12:02:01Z"`}},
		{"no time", request, "SAMLRequest", CodeMalformed, []string{` IssueInstant="2026-11-22T12:00:00Z"`, ""}},
		{"bad end", request, "SAMLRequest", CodeMalformed, []string{`NotOnOrAfter="2026-11-22T12:03:00Z"`, `NotOnOrAfter="never"`}},
		{"version", request, "SAMLRequest", CodeMalformed, []string{`Version="2.0"`, `Version="1.1"`}},
		{"no name", request, "SAMLRequest", CodeMalformed, []string{nameID, ""}},
		{"two names", request, "SAMLRequest", CodeMalformed, []string{nameID, nameID + nameID}},
		{"empty name", request, "SAMLRequest", CodeMalformed, []string{">ada@acme.example<", "> <"}},
		{"long name", request, "SAMLRequest", CodeMalformed, []string{">ada@acme.example<", ">" + strings.Repeat("a", 1025) + "<"}},
		{"element in the name", request, "SAMLRequest", CodeMalformed, []string{">ada@acme.example<", "><b/><"}},
		{"empty session", request, "SAMLRequest", CodeMalformed, []string{">_s1<", "><"}},
		{"long session", request, "SAMLRequest", CodeMalformed, []string{">_s1<", ">" + strings.Repeat("a", 1025) + "<"}},
		{"element in the session", request, "SAMLRequest", CodeMalformed, []string{">_s1<", "><b/><"}},
		{"101 sessions", request, "SAMLRequest", CodeMalformed, []string{"<samlp:SessionIndex>_s1</samlp:SessionIndex>", strings.Repeat("<samlp:SessionIndex>x</samlp:SessionIndex>", 100)}},
		{"session before the name", request, "SAMLRequest", CodeMalformed, []string{nameID + "<samlp:SessionIndex>_s1</samlp:SessionIndex>", "<samlp:SessionIndex>_s1</samlp:SessionIndex>" + nameID}},
		{"unknown child", request, "SAMLRequest", CodeMalformed, []string{nameID, nameID + "<x/>"}},
		{"assertion as a child", request, "SAMLRequest", CodeMalformed, []string{nameID, nameID + secretAssertion}},
		{"base id", request, "SAMLRequest", CodeMalformed, []string{nameID, "<saml:BaseID/>"}},
		{"unknown extension", request, "SAMLRequest", CodeMalformed, []string{nameID, "<samlp:Extensions><x/></samlp:Extensions>" + nameID}},
		{"full extension", request, "SAMLRequest", CodeMalformed, []string{nameID, `<samlp:Extensions><Asynchronous xmlns="` + nsLogoutAsync + `"><x/></Asynchronous></samlp:Extensions>` + nameID}},
		{"comment in the name", request, "SAMLRequest", CodeMalformed, []string{">ada@acme.example<", ">ada@acme.example<!-- -->.evil.example<"}},
		{"request as response", request, "SAMLResponse", CodeMalformed, nil},
		{"response as request", response, "SAMLRequest", CodeMalformed, nil},
		{"other namespace", request, "SAMLRequest", CodeMalformed, []string{`xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"`, `xmlns:samlp="urn:x"`}},
		{"sign-in request", plainRequest, "SAMLRequest", CodeMalformed, nil},
		{"answers nothing", response, "SAMLResponse", CodeInResponseTo, []string{` InResponseTo="_logout0"`, ""}},
		{"answers an empty name", response, "SAMLResponse", CodeInResponseTo, []string{` InResponseTo="_logout0"`, ` InResponseTo=""`}},
		{"no status", response, "SAMLResponse", CodeMalformed, []string{response[strings.Index(response, "<samlp:Status>"):strings.Index(response, "</samlp:LogoutResponse>")], ""}},
		{"no code", response, "SAMLResponse", CodeMalformed, []string{`Value="` + StatusResponder + `"`, ""}},
		{"message instead of a code", response, "SAMLResponse", CodeMalformed, []string{response[strings.Index(response, "<samlp:Status>"):strings.Index(response, "</samlp:LogoutResponse>")], "<samlp:Status><samlp:StatusMessage/></samlp:Status>"}},
		{"status with more", response, "SAMLResponse", CodeMalformed, []string{"<samlp:Status>", "<samlp:Status><x/>"}},
		{"empty status", response, "SAMLResponse", CodeMalformed, []string{"<samlp:Status>", "<samlp:Status/><samlp:X>", "</samlp:Status>", "</samlp:X>"}},
	}
	for _, c := range cases {
		document := change(t, c.from, c.changes...)
		if _, err := ConsumeLogoutRedirect(signedQuery(t, c.param, document), logoutExpected()); code(err) != c.wants {
			t.Errorf("%s by redirect: %v", c.name, err)
		}
		if strings.Contains(c.name, "comment") {
			continue // signing takes it out
		}
		got, err := ConsumeLogoutPost(signedForm(t, c.param, document), logoutExpected())
		if code(err) != c.wants {
			t.Errorf("%s by post: %+v, %v", c.name, got, err)
		}
		var e *Error
		if errors.As(err, &e) && (c.wants == CodeExpired || c.wants == CodeDestinationMismatch) && e.Claimed.ID == "" {
			t.Errorf("%s: nothing to find it by", c.name)
		}
	}
}

func TestLogout_keeps_to_its_times_with_the_skew_that_is_allowed(t *testing.T) {
	query := queryOf(t, logoutRequest(), "")
	for offset, good := range map[time.Duration]bool{
		-2 * time.Minute: true, -2*time.Minute - time.Second: false, // IssueInstant
		5*time.Minute - time.Second: true, 5 * time.Minute: false, // NotOnOrAfter of three minutes and two of skew
	} {
		e := logoutExpected()
		e.Now = noon.Add(offset)
		if _, err := ConsumeLogoutRedirect(query, e); (err == nil) != good {
			t.Errorf("at %s: %v", offset, err)
		}
	}
	without := logoutRequest()
	without.NotOnOrAfter = time.Time{}
	query = queryOf(t, without, "")
	for offset, good := range map[time.Duration]bool{7*time.Minute - time.Second: true, 7 * time.Minute: false} {
		e := logoutExpected()
		e.Now = noon.Add(offset)
		got, err := ConsumeLogoutRedirect(query, e)
		if (err == nil) != good || good && !got.UsableUntil.Equal(noon.Add(7*time.Minute)) {
			t.Errorf("without an end, at %s: %v", offset, err)
		}
	}
}

func TestS24_logout_by_another_key_or_algorithm_is_refused(t *testing.T) {
	key, _ := pairs[0]()
	foreign, err := logoutRequest().Redirect("", key)
	if err != nil {
		t.Fatal(err)
	}
	_, query, _ := strings.Cut(foreign, "?")
	if _, err := ConsumeLogoutRedirect(query, logoutExpected()); code(err) != CodeSignatureInvalid {
		t.Errorf("another key by redirect: %v", err)
	}
	own := queryOf(t, logoutRequest(), "")
	for _, algorithm := range []string{"http://www.w3.org/2000/09/xmldsig#hmac-sha1", nsSignature + "dsa-sha1", algRSASHA1, "none"} {
		swapped := strings.Replace(own, escape(algRSASHA256), escape(algorithm), 1)
		if _, err := ConsumeLogoutRedirect(swapped, logoutExpected()); code(err) != CodeAlgorithmNotAllowed {
			t.Errorf("%s: %v", algorithm, err)
		}
	}
	e := logoutExpected()
	e.Certificates = nil
	if _, err := ConsumeLogoutRedirect(own, e); code(err) != CodeCertificateUnknown {
		t.Errorf("no certificate, redirect: %v", err)
	}
	if _, err := ConsumeLogoutPost(formOf(t, logoutRequest(), ""), e); code(err) != CodeCertificateUnknown {
		t.Errorf("no certificate, post: %v", err)
	}
	_, first := pairs[0]()
	_, third := pairs[2]()
	e.Certificates = []*x509.Certificate{first, third}
	if got, err := ConsumeLogoutRedirect(own, e); err != nil || got.Certificate != sha256.Sum256(third.Raw) {
		t.Errorf("one of two certificates, redirect: %v", err)
	}
	if got, err := ConsumeLogoutPost(formOf(t, logoutRequest(), ""), e); err != nil || got.Certificate != sha256.Sum256(third.Raw) {
		t.Errorf("one of two certificates, post: %v", err)
	}
}

func TestS21_octets_are_verified_with_each_listed_algorithm_and_strong_keys(t *testing.T) {
	short := samltest.RSA("short", 1024)
	curve := samltest.ECDSA(elliptic.P256())
	small := samltest.ECDSA(elliptic.P224())
	large := samltest.ECDSA(elliptic.P521())
	strong, _ := pairs[2]()
	octets := "SAMLRequest=x"
	rsaBy := func(key *rsa.PrivateKey, h crypto.Hash) []byte {
		d := h.New()
		d.Write([]byte(octets))
		s, err := rsa.SignPKCS1v15(rand.Reader, key, h, d.Sum(nil))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	ecBy := func(key *ecdsa.PrivateKey, h crypto.Hash) []byte {
		d := h.New()
		d.Write([]byte(octets))
		r, s, err := ecdsa.Sign(rand.Reader, key, d.Sum(nil))
		if err != nil {
			t.Fatal(err)
		}
		size := (key.Curve.Params().N.BitLen() + 7) / 8
		return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
	}
	asn1By := func(key *ecdsa.PrivateKey) []byte {
		d := sha256.Sum256([]byte(octets))
		s, err := ecdsa.SignASN1(rand.Reader, key, d[:])
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	sum1 := sha1.Sum([]byte(octets))
	old, _ := rsa.SignPKCS1v15(rand.Reader, strong, crypto.SHA1, sum1[:])
	pss, _ := rsa.SignPSS(rand.Reader, strong, crypto.SHA256, shaOf(octets), nil)
	cases := []struct {
		name, algorithm string
		key             crypto.Signer
		signature       []byte
		sha1            bool
		want            string
	}{
		{"RSA-SHA256", algRSASHA256, strong, rsaBy(strong, crypto.SHA256), false, ""},
		{"RSA-SHA384", algRSASHA384, strong, rsaBy(strong, crypto.SHA384), false, ""},
		{"RSA-SHA512", algRSASHA512, strong, rsaBy(strong, crypto.SHA512), false, ""},
		{"ECDSA-SHA256", algECDSASHA256, curve, ecBy(curve, crypto.SHA256), false, ""},
		{"ECDSA-SHA384", algECDSASHA384, curve, ecBy(curve, crypto.SHA384), false, ""},
		{"ECDSA-SHA512 on P-521", algECDSASHA512, large, ecBy(large, crypto.SHA512), false, ""},
		{"SHA-1 while it is allowed", algRSASHA1, strong, old, true, ""},
		{"SHA-1 afterwards", algRSASHA1, strong, old, false, CodeAlgorithmNotAllowed},
		{"PSS", algRSASHA256, strong, pss, false, CodeSignatureInvalid},
		{"RSA-1024", algRSASHA256, short, rsaBy(short, crypto.SHA256), false, CodeSignatureInvalid},
		{"ECDSA on P-224", algECDSASHA256, small, ecBy(small, crypto.SHA256), false, CodeSignatureInvalid},
		{"ECDSA in ASN.1", algECDSASHA256, curve, asn1By(curve), false, CodeSignatureInvalid},
		{"ECDSA of zeros", algECDSASHA256, curve, make([]byte, 64), false, CodeSignatureInvalid},
		{"RSA named, ECDSA key", algRSASHA256, curve, ecBy(curve, crypto.SHA256), false, CodeSignatureInvalid},
		{"ECDSA named, RSA key", algECDSASHA256, strong, rsaBy(strong, crypto.SHA256), false, CodeSignatureInvalid},
		{"other hash named", algRSASHA512, strong, rsaBy(strong, crypto.SHA256), false, CodeSignatureInvalid},
		{"nothing", algRSASHA256, strong, nil, false, CodeUnsigned},
	}
	for _, c := range cases {
		cert := samltest.NewSigner(c.key, samltest.Year(2020), samltest.Year(2040)).Certificate
		q := &redirected{octets: octets, algorithm: c.algorithm, signature: c.signature}
		got, err := q.verify([]*x509.Certificate{cert}, c.sha1)
		if code(err) != c.want || c.want == "" && got != cert {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func shaOf(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

func TestLogout_by_SHA1_is_taken_until_its_date(t *testing.T) {
	key, _ := pairs[2]()
	packed, _ := deflate([]byte(text(t, logoutRequest().element())))
	octets := "SAMLRequest=" + escape(base64.StdEncoding.EncodeToString(packed)) + "&SigAlg=" + escape(algRSASHA1)
	digest := sha1.Sum([]byte(octets))
	signature, _ := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA1, digest[:])
	query := octets + "&Signature=" + escape(base64.StdEncoding.EncodeToString(signature))
	e := logoutExpected()
	e.SHA1Until = noon.Add(time.Second)
	if _, err := ConsumeLogoutRedirect(query, e); err != nil {
		t.Error(err)
	}
	e.SHA1Until = noon
	if _, err := ConsumeLogoutRedirect(query, e); code(err) != CodeAlgorithmNotAllowed {
		t.Error(err)
	}
}

func TestLogout_by_redirect_with_a_signature_inside_is_refused(t *testing.T) {
	key, cert := pairs[2]()
	el := logoutRequest().element()
	if err := SignElement(el, key, cert, "Issuer"); err != nil {
		t.Fatal(err)
	}
	if _, err := ConsumeLogoutRedirect(signedQuery(t, "SAMLRequest", text(t, el)), logoutExpected()); code(err) != CodeMalformed {
		t.Errorf("got %v", err)
	}
}

func TestLogout_opens_an_encrypted_name(t *testing.T) {
	ours, _ := pairs[0]()
	other, _ := pairs[1]()
	name := func(plain, cipher string) string {
		el, err := samltest.Encrypt([]byte(plain), &ours.PublicKey, samltest.Sealing{Cipher: cipher})
		if err != nil {
			t.Fatal(err)
		}
		el.Tag = "EncryptedID"
		return text(t, el)
	}
	request := text(t, logoutRequest().element())
	nameID := request[strings.Index(request, "<saml:NameID"):strings.Index(request, "<samlp:SessionIndex")]
	alone := strings.Replace(nameID, "<saml:NameID", `<saml:NameID xmlns:saml="`+nsAssertion+`"`, 1)
	cases := []struct {
		name, hidden string
		keys         []*rsa.PrivateKey
		want         string
	}{
		{"ours", name(alone, ""), []*rsa.PrivateKey{other, ours}, ""},
		{"for another", name(alone, ""), []*rsa.PrivateKey{other}, "malformed/decryption_failed"},
		{"without keys", name(alone, ""), nil, "malformed/decryption_failed"},
		{"CBC", name(alone, samltest.AES128CBC), []*rsa.PrivateKey{ours}, CodeAlgorithmNotAllowed},
		{"an assertion inside", name(secretAssertion, ""), []*rsa.PrivateKey{ours}, CodeMalformed},
		{"another name inside", name(`<saml:Issuer xmlns:saml="`+nsAssertion+`">ada</saml:Issuer>`, ""), []*rsa.PrivateKey{ours}, CodeMalformed},
		{"prose inside", name("ada", ""), []*rsa.PrivateKey{ours}, CodeMalformed},
		{"both", name(alone, "") + nameID, []*rsa.PrivateKey{ours}, CodeMalformed},
	}
	for _, c := range cases {
		e := logoutExpected()
		e.Keys = c.keys
		document := change(t, request, nameID, c.hidden)
		for binding, consume := range map[string]func() (*Logout, error){
			"redirect": func() (*Logout, error) { return ConsumeLogoutRedirect(signedQuery(t, "SAMLRequest", document), e) },
			"post":     func() (*Logout, error) { return ConsumeLogoutPost(signedForm(t, "SAMLRequest", document), e) },
		} {
			got, err := consume()
			if code(err) != c.want || c.want == "" && cmp.Diff(logoutRequest().NameID, got.Request.NameID) != "" {
				t.Errorf("%s by %s: %v", c.name, binding, err)
			}
		}
	}
}

func TestP14_logout_values_with_markup_stay_values(t *testing.T) {
	r := logoutRequest()
	r.NameID = NameID{markup, markup, markup, markup}
	r.SessionIndexes = []string{markup}
	got, err := ConsumeLogoutPost(formOf(t, r, ""), logoutExpected())
	if err != nil || cmp.Diff(&r, got.Request) != "" {
		t.Errorf("%+v, %v", got, err)
	}
}

func FuzzRedirect(f *testing.F) {
	f.Add(queryOf(f, logoutRequest(), "state"))
	f.Add(queryOf(f, logoutResponse(), ""))
	f.Add("SAMLRequest=a&SAMLResponse=b&SigAlg=%23&Signature=AA%3D%3D&SAMLEncoding=x")
	genuine := map[string]bool{}
	for _, q := range []string{queryOf(f, logoutRequest(), "state"), queryOf(f, logoutResponse(), "")} {
		p, err := parseRedirect(q)
		if err != nil {
			f.Fatal(err)
		}
		genuine[p.octets] = true
	}
	f.Fuzz(func(t *testing.T, query string) {
		q, err := parseRedirect(query)
		if err != nil {
			if code(err) != CodeMalformed {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		for pair := range strings.SplitSeq(strings.TrimSuffix(q.octets, "&"), "&") {
			if !strings.Contains("&"+query+"&", "&"+pair+"&") {
				t.Fatalf("%q is signed and did not come", pair)
			}
		}
		if _, err := ConsumeLogoutRedirect(query, logoutExpected()); err == nil && !genuine[q.octets] {
			t.Fatalf("accepted: %s", query)
		}
	})
}
