package saml

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/russellhaering/gosaml2/types"

	"github.com/rollcallhq/rollcall/internal/fault"
)

func authnRequest() AuthnRequest {
	return AuthnRequest{
		ID: "_0123456789abcdef0123456789abcdef", Issuer: "https://sp.example/saml/a", Destination: "https://idp.example/sso",
		ACS: "https://sp.example/saml/a/acs", IssuedAt: noon,
	}
}

// sent takes the message out of an address and gives its XML and the raw query.
func sent(t testing.TB, address, param string) (document, query string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := base64.StdEncoding.DecodeString(u.Query().Get(param))
	if err != nil {
		t.Fatal(err)
	}
	message, err := inflate(packed)
	if err != nil {
		t.Fatal(err)
	}
	return string(message), u.RawQuery
}

func posted(t testing.TB, f Form, param string) string {
	t.Helper()
	if f.Fields[0][0] != param {
		t.Fatalf("the first field is %s", f.Fields[0][0])
	}
	message, err := base64.StdEncoding.DecodeString(f.Fields[0][1])
	if err != nil {
		t.Fatal(err)
	}
	return string(message)
}

const plainRequest = `<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ` +
	`ID="_0123456789abcdef0123456789abcdef" Version="2.0" IssueInstant="2026-11-22T12:00:00Z" Destination="https://idp.example/sso" ` +
	`ProtocolBinding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" AssertionConsumerServiceURL="https://sp.example/saml/a/acs">` +
	`<saml:Issuer>https://sp.example/saml/a</saml:Issuer></samlp:AuthnRequest>`

func TestRequest_says_no_more_than_is_asked(t *testing.T) {
	address, err := authnRequest().Redirect("", nil)
	if err != nil {
		t.Fatal(err)
	}
	document, query := sent(t, address, "SAMLRequest")
	if diff := cmp.Diff(plainRequest, document); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(query, "&") {
		t.Errorf("an unsigned request without state has one parameter: %s", query)
	}
	form, err := authnRequest().Post("", nil, nil)
	if err != nil || posted(t, form, "SAMLRequest") != plainRequest || form.Action != "https://idp.example/sso" || len(form.Fields) != 1 {
		t.Errorf("%+v, %v", form, err)
	}
}

func TestRequest_carries_all_that_is_asked_in_the_order_of_the_schema(t *testing.T) {
	r := authnRequest()
	r.ForceAuthn, r.NameIDFormat, r.LoginHint = true, "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", "ada@acme.example"
	r.Contexts = []string{"urn:mfa", "urn:smartcard"}
	address, err := r.Redirect("", nil)
	if err != nil {
		t.Fatal(err)
	}
	document, _ := sent(t, address, "SAMLRequest")
	want := change(t, plainRequest, ` ProtocolBinding`, ` ForceAuthn="true" ProtocolBinding`, "</saml:Issuer>", "</saml:Issuer>"+
		`<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified">ada@acme.example</saml:NameID></saml:Subject>`+
		`<samlp:NameIDPolicy Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent" AllowCreate="true"/>`+
		`<samlp:RequestedAuthnContext Comparison="exact"><saml:AuthnContextClassRef>urn:mfa</saml:AuthnContextClassRef>`+
		`<saml:AuthnContextClassRef>urn:smartcard</saml:AuthnContextClassRef></samlp:RequestedAuthnContext>`)
	if diff := cmp.Diff(want, document); diff != "" {
		t.Error(diff)
	}
	r.NameIDFormat = formatTransient
	address, _ = r.Redirect("", nil)
	if document, _ := sent(t, address, "SAMLRequest"); strings.Contains(document, "AllowCreate") {
		t.Errorf("a transient name is always created: %s", document)
	}
}

// The octets that are signed are those that stand in the address, in the fixed order (bindings 3.4.4.1).
func TestRequest_by_redirect_is_signed_over_the_octets_of_the_query(t *testing.T) {
	key, cert := pairs[0]()
	r := authnRequest()
	for destination, start := range map[string]string{
		"https://idp.example/~/sso":       "https://idp.example/~/sso?SAMLRequest=",
		"https://idp.example/sso":         "https://idp.example/sso?SAMLRequest=",
		"https://idp.example/sso?":        "https://idp.example/sso?SAMLRequest=",
		"https://idp.example/sso?a=b":     "https://idp.example/sso?a=b&SAMLRequest=",
		"https://idp.example/sso?a=b&":    "https://idp.example/sso?a=b&SAMLRequest=",
		"http://localhost:8080/sso?x=%20": "http://localhost:8080/sso?x=%20&SAMLRequest=",
	} {
		r.Destination = destination
		address, err := r.Redirect("a b+c/=", key)
		if err != nil || !strings.HasPrefix(address, start) {
			t.Errorf("%s, %v", address, err)
			continue
		}
		query := address[strings.Index(address, "SAMLRequest="):]
		octets, encoded, _ := strings.Cut(query, "&Signature=")
		if names := parameterNames(octets); names != "SAMLRequest RelayState SigAlg" || !strings.Contains(octets, "RelayState=a%20b%2Bc%2F%3D&") {
			t.Errorf("%s in %s", names, octets)
		}
		text, _ := url.QueryUnescape(encoded)
		signature, _ := base64.StdEncoding.DecodeString(text)
		digest := sha256.Sum256([]byte(octets))
		if err := rsa.VerifyPKCS1v15(cert.PublicKey.(*rsa.PublicKey), crypto.SHA256, digest[:], signature); err != nil {
			t.Error(err)
		}
		opensslVerifies(t, octets, signature, cert)
	}
}

func parameterNames(query string) string {
	var names []string
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

func opensslVerifies(t testing.TB, octets string, signature []byte, cert *x509.Certificate) {
	t.Helper()
	program, err := exec.LookPath("openssl")
	if err != nil {
		return // the arithmetic above has said it already
	}
	dir := t.TempDir()
	der, err := x509.MarshalPKIXPublicKey(cert.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"key.der": der, "sig": signature, "octets": []byte(octets)} {
		write(t, filepath.Join(dir, name), data)
	}
	cmd := exec.Command(program, "dgst", "-sha256", "-keyform", "DER", "-verify", "key.der", "-signature", "sig", "octets")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("openssl: %s", out)
	}
}

func TestRequest_by_post_is_verified_by_goxmldsig_and_xmlsec(t *testing.T) {
	key, cert := pairs[0]()
	r := authnRequest()
	r.LoginHint = "line\r\nend"
	form, err := r.Post("state", key, cert)
	if err != nil {
		t.Fatal(err)
	}
	document := posted(t, form, "SAMLRequest")
	if !verifies(t, document, cert) || !xmlsecVerifies(t, document, cert, "urn:oasis:names:tc:SAML:2.0:protocol:AuthnRequest") {
		t.Errorf("refused: %s", document)
	}
	if form.Fields[1] != [2]string{"RelayState", "state"} {
		t.Errorf("%v", form.Fields)
	}
	children := parse(t, document).ChildElements()
	if children[0].Tag != "Issuer" || children[1].Tag != "Signature" || children[2].Tag != "Subject" {
		t.Errorf("order: %s", document)
	}
	other, _ := pairs[1]()
	if _, err := r.Post("", other, cert); err == nil {
		t.Error("signed with a key that is not the certificate's")
	}
}

const markup = `"><script>alert('1')</script>&amp;<!-- -->]]>`

func TestP14_values_with_markup_stay_values(t *testing.T) {
	r := AuthnRequest{
		ID: markup, Issuer: markup, Destination: "https://idp.example/sso", ACS: markup, IssuedAt: noon,
		NameIDFormat: markup, LoginHint: markup + "\x00", Contexts: []string{markup},
	}
	address, err := r.Redirect("", nil)
	if err != nil {
		t.Fatal(err)
	}
	document, _ := sent(t, address, "SAMLRequest")
	el := parse(t, document)
	for name, got := range map[string]string{
		"ID": el.SelectAttrValue("ID", ""), "ACS": el.SelectAttrValue("AssertionConsumerServiceURL", ""),
		"Issuer": el.FindElement("./Issuer").Text(), "format": el.FindElement("./NameIDPolicy").SelectAttrValue("Format", ""),
		"context": el.FindElement("./RequestedAuthnContext/AuthnContextClassRef").Text(),
		"hint":    strings.TrimSuffix(el.FindElement("./Subject/NameID").Text(), "\ufffd"),
	} {
		if got != markup {
			t.Errorf("%s came out as %q", name, got)
		}
	}
	if el.FindElement("//script") != nil || strings.Contains(document, "\x00") {
		t.Errorf("markup became elements: %s", document)
	}
}

func TestP14_address_that_would_break_out_is_refused(t *testing.T) {
	r := authnRequest()
	for _, bad := range []string{
		"", "/sso", "//idp.example", "javascript:alert(1)", "data:text/html,x", "https://", "https://idp.example/#x", "https://idp.example/\r\nSet-Cookie: a=b",
		"https://idp.example/\"onload=x", "https://idp.example/<x>", "https://user:pass@idp.example/", "https://idp.example/ä", "ftp://idp.example", "https://idp.example/a b", "https://[::1", `https:\\idp.example`,
	} {
		r.Destination = bad
		if _, err := r.Redirect("", nil); faultCode(err) != "invalid_destination" {
			t.Errorf("%q: redirect: %v", bad, err)
		}
		if _, err := r.Post("", nil, nil); faultCode(err) != "invalid_destination" {
			t.Errorf("%q: post: %v", bad, err)
		}
	}
}

func TestP13_relay_state_keeps_to_80_bytes(t *testing.T) {
	r := authnRequest()
	if address, err := r.Redirect(strings.Repeat("s", 80), nil); err != nil || !strings.HasSuffix(address, "&RelayState="+strings.Repeat("s", 80)) {
		t.Errorf("%s, %v", address, err)
	}
	_, err := r.Redirect(strings.Repeat("s", 81), nil)
	if f, _ := fault.As(err); f == nil || f.Code != "relay_state_too_long" || f.Wanted != "at most 80 bytes" || f.Got != "81 bytes" {
		t.Errorf("%+v", err)
	}
	if _, err := r.Post(strings.Repeat("é", 41), nil, nil); faultCode(err) != "relay_state_too_long" {
		t.Errorf("82 bytes in 41 characters: %v", err)
	}
}

func serviceProvider() ServiceProvider {
	_, cert := pairs[0]()
	return ServiceProvider{
		EntityID: "https://sp.example/saml/a", ACS: []string{"https://sp.example/saml/a/acs", "https://old.example/acs?x=1&y=2"}, SLO: "https://sp.example/saml/a/slo",
		Certificate: cert, SignsRequests: true, WantsEncrypted: true, NameIDFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
	}
}

func TestMetadata_of_ours_has_the_order_of_the_schema(t *testing.T) {
	role := parse(t, string(serviceProvider().Metadata())).ChildElements()[0]
	var order []string
	for _, el := range role.ChildElements() {
		order = append(order, el.Tag)
		if el.NamespaceURI() != nsMetadata {
			t.Errorf("%s in %s", el.Tag, el.NamespaceURI())
		}
	}
	want := []string{"KeyDescriptor", "KeyDescriptor", "SingleLogoutService", "SingleLogoutService", "NameIDFormat", "AssertionConsumerService", "AssertionConsumerService"}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Error(diff)
	}
}

func TestMetadata_of_ours_is_read_back_by_gosaml2(t *testing.T) {
	p := serviceProvider()
	var got types.EntityDescriptor
	if err := xml.Unmarshal(p.Metadata(), &got); err != nil {
		t.Fatal(err)
	}
	role := got.SPSSODescriptor
	if got.EntityID != p.EntityID || !role.AuthnRequestsSigned || !role.WantAssertionsSigned || role.ProtocolSupportEnumeration != nsProtocol || role.NameIDFormats[0] != p.NameIDFormat {
		t.Errorf("%+v", got)
	}
	acs := role.AssertionConsumerServices
	if len(acs) != 2 || acs[0].Location != p.ACS[0] || acs[1].Location != p.ACS[1] || acs[0].Index != 0 || acs[1].Index != 1 || acs[0].Binding != string(BindingPost) {
		t.Errorf("%+v", acs)
	}
	if slo := role.SingleLogoutServices; len(slo) != 2 || slo[0].Location != p.SLO || slo[0].Binding == slo[1].Binding {
		t.Errorf("%+v", slo)
	}
	keys := role.KeyDescriptors
	if len(keys) != 2 || keys[0].Use != "signing" || keys[1].Use != "encryption" || keys[0].KeyInfo.X509Data.X509Certificates[0].Data != base64.StdEncoding.EncodeToString(p.Certificate.Raw) {
		t.Errorf("%+v", keys)
	}
	for _, m := range keys[1].EncryptionMethods {
		if c, known := contentCiphers[m.Algorithm]; known && c.cbc || !known && m.Algorithm != oaepMGF1SHA1 {
			t.Errorf("%s is offered and would be refused", m.Algorithm)
		}
	}
	if first := parse(t, string(p.Metadata())).FindElement("//AssertionConsumerService"); first.SelectAttrValue("isDefault", "") != "true" {
		t.Error("the first address is not the default")
	}
}

func TestMetadata_of_ours_leaves_out_what_is_not_offered(t *testing.T) {
	p := ServiceProvider{EntityID: "e" + markup, ACS: []string{"https://sp.example/acs"}}
	document := string(p.Metadata())
	for _, word := range []string{"KeyDescriptor", "SingleLogoutService", "NameIDFormat"} {
		if strings.Contains(document, word) {
			t.Errorf("%s in %s", word, document)
		}
	}
	el := parse(t, document)
	if el.SelectAttrValue("entityID", "") != p.EntityID || el.ChildElements()[0].SelectAttrValue("AuthnRequestsSigned", "") != "false" {
		t.Error(document)
	}
	q := serviceProvider()
	q.WantsEncrypted = false
	if strings.Contains(string(q.Metadata()), "encryption") {
		t.Error("a key for encryption makes some identity providers encrypt")
	}
	if _, err := ParseMetadata(q.Metadata(), "", noon); faultCode(err) != CodeMetadataServiceProvider {
		t.Errorf("ours given for the identity provider's: %v", err)
	}
}

// schemas are where Debian puts those of OASIS with SimpleSAMLphp.
const schemas = "/usr/share/simplesamlphp/schemas"

func TestSchemas_of_OASIS_accept_all_that_is_written(t *testing.T) {
	program, err := exec.LookPath("php")
	if _, missing := os.Stat(schemas); err != nil || missing != nil {
		t.Skip("php or the schemas are not installed")
	}
	key, cert := pairs[0]()
	r := authnRequest()
	r.ForceAuthn, r.NameIDFormat, r.LoginHint, r.Contexts = true, formatTransient, "ada", []string{"urn:mfa"}
	request, err := r.Post("", key, cert)
	if err != nil {
		t.Fatal(err)
	}
	out, err := logoutRequest().Post("", key, cert)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := logoutResponse().Post("", key, cert)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ schema, document string }{
		{"metadata", string(serviceProvider().Metadata())},
		{"protocol", posted(t, request, "SAMLRequest")},
		{"protocol", posted(t, out, "SAMLRequest")},
		{"protocol", posted(t, answer, "SAMLResponse")},
	} {
		file := filepath.Join(t.TempDir(), "m.xml")
		write(t, file, []byte(c.document))
		script := `$d=new DOMDocument(); $d->load($argv[1]); exit($d->schemaValidate($argv[2])?0:1);`
		if out, err := exec.Command(program, "-r", script, file, schemas+"/saml-schema-"+c.schema+"-2.0.xsd").CombinedOutput(); err != nil {
			t.Errorf("%s\n%s", out, c.document)
		}
	}
}
