package saml

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/russellhaering/gosaml2/types"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// The documents under testdata/metadata have the shape of those of real products; keys and names are ours. {first} and {second} are to be
// found, {stranger} stands where nothing is to be read.
func metadataOf(t testing.TB, product string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "metadata", product+".xml"))
	if err != nil {
		t.Fatal(err)
	}
	return []byte(filled(string(data)))
}

func filled(document string) string {
	for i, name := range []string{"first", "second", "stranger"} {
		_, cert := pairs[i]()
		plain := base64.StdEncoding.EncodeToString(cert.Raw)
		document = strings.ReplaceAll(document, "{"+name+"}", plain)
		document = strings.ReplaceAll(document, "{"+name+" wrapped}", folded(plain, "\n"))
	}
	return document
}

func folded(s, end string) string {
	var lines []string
	for chunk := range slices.Chunk([]byte(s), 64) {
		lines = append(lines, string(chunk))
	}
	return strings.Join(lines, end)
}

func TestMetadata_of_each_product_is_read(t *testing.T) {
	const first, second = 0, 1
	redirect := func(url string) Endpoint { return Endpoint{BindingRedirect, url, ""} }
	post := func(url string) Endpoint { return Endpoint{BindingPost, url, ""} }
	email, persistent, transient := "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress", "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", formatTransient
	cases := map[string]struct {
		want  IDPMetadata
		certs []int
	}{
		"okta": {IDPMetadata{
			EntityID: "http://www.okta.com/exk1example", NameIDFormats: []string{formatUnspecified, email},
			SSO: []Endpoint{post("https://acme.okta.example/app/acme_app_1/exk1example/sso/saml"), redirect("https://acme.okta.example/app/acme_app_1/exk1example/sso/saml")},
		}, []int{first}},
		"entra": {IDPMetadata{
			EntityID: "https://sts.windows.example/00000000-aaaa-bbbb-cccc-000000000001/",
			SSO:      []Endpoint{redirect("https://login.windows.example/1/saml2"), post("https://login.windows.example/1/saml2")},
			SLO:      []Endpoint{redirect("https://login.windows.example/1/saml2")},
		}, []int{first, second}},
		"adfs": {IDPMetadata{
			EntityID: "http://adfs.acme.example/adfs/services/trust", NameIDFormats: []string{email, persistent, transient},
			SSO: []Endpoint{redirect("https://adfs.acme.example/adfs/ls/"), post("https://adfs.acme.example/adfs/ls/")},
			SLO: []Endpoint{redirect("https://adfs.acme.example/adfs/ls/"), post("https://adfs.acme.example/adfs/ls/")},
		}, []int{first, second}},
		"google": {IDPMetadata{
			EntityID: "https://accounts.google.example/o/saml2?idpid=C01example", NameIDFormats: []string{email},
			SSO:        []Endpoint{redirect("https://accounts.google.example/o/saml2/idp?idpid=C01example"), post("https://accounts.google.example/o/saml2/idp?idpid=C01example")},
			ValidUntil: time.Date(2031, 11, 21, 9, 30, 0, 0, time.UTC),
		}, []int{first, second}},
		"keycloak": {IDPMetadata{
			EntityID: "https://keycloak.example/realms/acme", NameIDFormats: []string{persistent}, WantRequestsSigned: true,
			SSO: []Endpoint{post("https://keycloak.example/realms/acme/protocol/saml"), redirect("https://keycloak.example/realms/acme/protocol/saml")},
			SLO: []Endpoint{post("https://keycloak.example/realms/acme/protocol/saml"), redirect("https://keycloak.example/realms/acme/protocol/saml")},
		}, []int{first}},
		"shibboleth": {IDPMetadata{
			EntityID: "https://idp.uni.example/idp/shibboleth",
			SSO:      []Endpoint{post("https://idp.uni.example/idp/profile/SAML2/POST/SSO"), redirect("https://idp.uni.example/idp/profile/SAML2/Redirect/SSO")},
			SLO:      []Endpoint{{BindingRedirect, "https://idp.uni.example/idp/profile/SAML2/Redirect/SLO", "https://idp.uni.example/idp/profile/SAML2/Redirect/SLO/answer"}},
		}, []int{first, second}},
		"simplesamlphp": {IDPMetadata{
			EntityID: "https://login.ngo.example/saml2/idp/metadata.php", NameIDFormats: []string{transient},
			SSO: []Endpoint{redirect("https://login.ngo.example/saml2/idp/SSOService.php")},
			SLO: []Endpoint{redirect("https://login.ngo.example/saml2/idp/SingleLogoutService.php")},
		}, []int{first}},
	}
	for product, c := range cases {
		for _, i := range c.certs {
			_, cert := pairs[i]()
			c.want.Certificates = append(c.want.Certificates, cert)
		}
		for _, named := range []string{"", c.want.EntityID} {
			got, err := ParseMetadata(metadataOf(t, product), named, noon)
			if err != nil {
				t.Errorf("%s: %v", product, err)
				continue
			}
			if diff := cmp.Diff(c.want, got, cmp.Comparer(func(a, b *x509.Certificate) bool { return a.Equal(b) })); diff != "" {
				t.Errorf("%s: %s", product, diff)
			}
		}
	}
}

// small is a document to change.
const small = `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="https://idp.example">
<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{first}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
<md:NameIDFormat>urn:f</md:NameIDFormat>
<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example/sso"/>
</md:IDPSSODescriptor>
</md:EntityDescriptor>`

// group puts EntityDescriptors into one EntitiesDescriptor.
func group(attributes string, entities ...string) string {
	return `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ` + attributes + `>` + strings.Join(entities, "") + `</md:EntitiesDescriptor>`
}

func named(id string) string { return strings.Replace(small, "https://idp.example", id, 1) }

func spOnly(id string) string {
	return strings.ReplaceAll(strings.ReplaceAll(named(id), "IDPSSODescriptor", "SPSSODescriptor"), "SingleSignOnService", "AssertionConsumerService")
}

// change replaces once and insists that there was something to replace.
func change(t testing.TB, s string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(s, pairs[i]) {
			t.Fatalf("nothing to change: %s", pairs[i])
		}
		s = strings.Replace(s, pairs[i], pairs[i+1], 1)
	}
	return s
}

func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d=\"\" ", i)
	}
	return b.String()
}

func faultCode(err error) string {
	f, ok := fault.As(err)
	if !ok {
		return ""
	}
	return f.Code
}

func TestP15_metadata_that_cannot_be_used_says_why(t *testing.T) {
	key := `<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{first}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`
	sso := `<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example/sso"/>`
	cases := []struct {
		name, document, code, words string
	}{
		{"nothing", " \n", CodeMetadataMalformed, "empty"},
		{"web page", "<!DOCTYPE html>\n<html><body>Sign in</body></html>", CodeMetadataHTML, "web page"},
		{"web page without document type", "\n<HTML><head></head></HTML>", CodeMetadataHTML, "web page"},
		{"address", "https://idp.example/metadata", CodeMetadataNotSAML, "address"},
		{"certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", CodeMetadataNotSAML, "certificate alone"},
		{"discovery document", `{"issuer": "https://idp.example"}`, CodeMetadataNotSAML, "OpenID"},
		{"UTF-16", "\xff\xfe<\x00a\x00", CodeMetadataMalformed, "UTF-16"},
		{"UTF-16, other end", "\xfe\xff\x00<\x00a", CodeMetadataMalformed, "UTF-16"},
		{"other encoding", `<?xml version="1.0" encoding="ISO-8859-1"?>` + small, CodeMetadataMalformed, "well-formed"},
		{"prose", "Please find the metadata attached", CodeMetadataMalformed, "begin"},
		{"half of it", small[:300], CodeMetadataMalformed, "well-formed"},
		{"comment alone", "<!-- nothing -->", CodeMetadataMalformed, "well-formed"},
		{"text behind", small + "x", CodeMetadataMalformed, ""},
		{"second document", small + small, CodeMetadataMalformed, ""},
		{"document type", `<!DOCTYPE md:EntityDescriptor [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + small, CodeMetadataMalformed, "document type"},
		{"document type behind", `<?xml version="1.0"?><!DOCTYPE x>` + small, CodeMetadataMalformed, "document type"},
		{"entity", change(t, small, "urn:f", "&e;"), CodeMetadataMalformed, "well-formed"},
		{"bytes that are no text", change(t, small, "urn:f", "\xff"), CodeMetadataMalformed, "well-formed"},
		{"attribute twice", change(t, small, `entityID=`, `entityID="https://evil.example" entityID=`), CodeMetadataMalformed, "attribute twice"},
		{"many attributes", change(t, small, "entityID=", attributes(65)+"entityID="), CodeMetadataMalformed, "64 attributes"},
		{"names that do not survive", change(t, small, `use="signing"`, `a:b:c="x"`), CodeMetadataMalformed, "well-formed"},
		{"depth", strings.Repeat("<a>", 65) + strings.Repeat("</a>", 65), CodeMetadataMalformed, "64 levels"},
		{"many parts", "<a>" + strings.Repeat("<b/>", 25_000) + "</a>", CodeMetadataMalformed, "parts"},
		{"too large", small + strings.Repeat(" ", 2<<20), CodeMetadataTooLarge, "too large"},
		{"other XML", `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"/>`, CodeMetadataNotSAML, "no SAML metadata"},
		{"other namespace", change(t, small, "urn:oasis:names:tc:SAML:2.0:metadata", "urn:oasis:names:tc:SAML:1.0:metadata"), CodeMetadataNotSAML, "no SAML metadata"},
		{"service provider", spOnly("https://sp.example"), CodeMetadataServiceProvider, "service provider"},
		{"other roles only", change(t, small, "<md:IDPSSODescriptor", "<md:PDPDescriptor", "</md:IDPSSODescriptor", "</md:PDPDescriptor"), CodeMetadataServiceProvider, "identity provider"},
		{"several", group("", named("https://a.example"), named("https://b.example"), spOnly("https://sp.example")), CodeMetadataSeveral, "several"},
		{"empty group", group(""), CodeMetadataNotSAML, "no SAML metadata"},
		{"no entity id", change(t, small, `entityID="https://idp.example"`, ""), CodeMetadataMalformed, "entityID"},
		{"long entity id", named(strings.Repeat("x", 1025)), CodeMetadataMalformed, "1024"},
		{"run out", change(t, small, "entityID=", `validUntil="2026-11-22T12:00:00Z" entityID=`), CodeMetadataExpired, "run out"},
		{"role run out", change(t, small, "<md:IDPSSODescriptor", `<md:IDPSSODescriptor validUntil="2026-11-22T13:59:59+02:00"`), CodeMetadataExpired, "run out"},
		{"group run out", group(`validUntil="2020-01-01T00:00:00"`, small), CodeMetadataExpired, "run out"},
		{"outer group run out", group(`validUntil="2020-01-01T00:00:00Z"`, group(`validUntil="2030-01-01T00:00:00Z"`, small)), CodeMetadataExpired, "run out"},
		{"no date", change(t, small, "entityID=", `validUntil="soon" entityID=`), CodeMetadataMalformed, "no date"},
		{"SAML 1.1", change(t, small, "urn:oasis:names:tc:SAML:2.0:protocol", "urn:oasis:names:tc:SAML:1.1:protocol"), CodeMetadataNoSSO, "SAML 2.0"},
		{"two roles", change(t, small, "</md:EntityDescriptor>", small[strings.Index(small, "<md:IDPSSODescriptor"):]), CodeMetadataMalformed, "two IDPSSODescriptors"},
		{"no address", change(t, small, sso, ""), CodeMetadataNoSSO, "no sign-in address"},
		{"address of SOAP only", change(t, small, "bindings:HTTP-Redirect", "bindings:SOAP"), CodeMetadataNoSSO, "no sign-in address"},
		{"script as address", change(t, small, "https://idp.example/sso", "javascript:alert(1)"), CodeMetadataAddress, "cannot be used"},
		{"address without host", change(t, small, "https://idp.example/sso", "https:///sso"), CodeMetadataAddress, "cannot be used"},
		{"relative address", change(t, small, "https://idp.example/sso", "/sso"), CodeMetadataAddress, "cannot be used"},
		{"line end in an address", change(t, small, "https://idp.example/sso", "https://idp.example/&#13;&#10;sso"), CodeMetadataAddress, "cannot be used"},
		{"no Location", change(t, small, ` Location="https://idp.example/sso"`, ""), CodeMetadataAddress, "cannot be used"},
		{"logout address", change(t, small, "<md:NameIDFormat>", `<md:SingleLogoutService Binding="`+string(BindingPost)+`" Location="ftp://idp.example"/><md:NameIDFormat>`), CodeMetadataAddress, "SingleLogoutService"},
		{"logout answer address", change(t, small, "<md:NameIDFormat>", `<md:SingleLogoutService Binding="`+string(BindingPost)+`" Location="https://idp.example" ResponseLocation="x"/><md:NameIDFormat>`), CodeMetadataAddress, "SingleLogoutService"},
		{"no key", change(t, small, key, ""), CodeMetadataNoCertificate, "no certificate"},
		{"key for encryption only", change(t, small, `use="signing"`, `use="encryption"`), CodeMetadataNoCertificate, "no certificate"},
		{"key without certificate", change(t, small, "<ds:X509Data><ds:X509Certificate>{first}</ds:X509Certificate></ds:X509Data>", "<ds:KeyName>k</ds:KeyName>"), CodeMetadataNoCertificate, "no certificate"},
		{"certificate in another place", change(t, small, "<ds:X509Data>", `<x:X509Data xmlns:x="urn:x">`, "</ds:X509Data>", "</x:X509Data>"), CodeMetadataNoCertificate, "no certificate"},
		{"certificate cut off", change(t, small, "{first}", "MIIC"), CodeMetadataCertificate, "no X.509 certificate"},
		{"certificate that is no base64", change(t, small, "{first}", "%%%"), CodeMetadataCertificate, "not base64"},
		{"second certificate unreadable", change(t, small, key, key+strings.Replace(key, "{first}", "AAAA", 1)), CodeMetadataCertificate, "no X.509 certificate"},
		{"comment inside the certificate", change(t, small, "{first}", "<!-- new -->{first}"), CodeMetadataMalformed, "more than text"},
		{"instruction inside the certificate", change(t, small, "{first}", "{first}<?x y?>"), CodeMetadataMalformed, "more than text"},
		{"comment inside a format", change(t, small, "urn:f", "urn:<!-- -->f"), CodeMetadataMalformed, "more than text"},
		{"element inside a format", change(t, small, "urn:f", "urn:<b/>f"), CodeMetadataMalformed, "more than text"},
	}
	for _, c := range cases {
		got, err := ParseMetadata([]byte(filled(c.document)), "", noon)
		f, ok := fault.As(err)
		if !ok || f.Code != c.code || f.Kind != fault.Unprocessable || !strings.Contains(f.Message, c.words) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

func TestP15_metadata_of_several_is_chosen_by_entity_id(t *testing.T) {
	both := []byte(filled(group("", named("https://a.example"), group("", spOnly("https://sp.example"), named("https://b.example")))))
	for _, id := range []string{"https://a.example", "https://b.example"} {
		if got, err := ParseMetadata(both, id, noon); err != nil || got.EntityID != id {
			t.Errorf("%s: %+v, %v", id, got, err)
		}
	}
	_, err := ParseMetadata(both, "", noon)
	if f, _ := fault.As(err); f == nil || f.Wanted != "the entity id of one of: https://a.example https://b.example" {
		t.Errorf("it lists %+v", f)
	}
	for _, id := range []string{"https://c.example", "https://sp.example", "https://A.example", "https://a.example/"} {
		if _, err := ParseMetadata(both, id, noon); faultCode(err) != CodeMetadataEntityUnknown {
			t.Errorf("%s: %v", id, err)
		}
	}
	twice := []byte(filled(group("", named("https://a.example"), named("https://a.example"))))
	if _, err := ParseMetadata(twice, "https://a.example", noon); faultCode(err) != CodeMetadataMalformed {
		t.Errorf("one of two of the same name was taken: %v", err)
	}
	single := []byte(filled(group("", spOnly("https://sp.example"), named("https://b.example"))))
	if got, err := ParseMetadata(single, "", noon); err != nil || got.EntityID != "https://b.example" {
		t.Errorf("the only one: %+v, %v", got, err)
	}
}

func TestP15_list_of_entities_stays_short(t *testing.T) {
	var many []string
	for i := range 25 {
		many = append(many, named(fmt.Sprintf("https://i%02d.example", i)))
	}
	_, err := ParseMetadata([]byte(filled(group("", many...))), "", noon)
	f, _ := fault.As(err)
	if f == nil || !strings.HasSuffix(f.Wanted, "https://i19.example and 5 more") || f.Got != "25 identity providers" {
		t.Errorf("%+v", f)
	}
}

// Keycloak CVE-2026-16443: a key without use was passed over.
func TestP15_key_without_use_signs(t *testing.T) {
	got, err := ParseMetadata([]byte(filled(change(t, small, ` use="signing"`, ""))), "", noon)
	if err != nil || len(got.Certificates) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestP15_certificate_is_read_however_it_is_folded(t *testing.T) {
	_, cert := pairs[0]()
	plain := base64.StdEncoding.EncodeToString(cert.Raw)
	for _, form := range []string{
		"\n\t" + folded(plain, "\n\t") + " ",
		folded(plain, "&#13;\n"),
		"-----BEGIN CERTIFICATE-----\n" + folded(plain, "\n") + "\n-----END CERTIFICATE-----\n",
		"<![CDATA[" + plain + "]]>",
	} {
		got, err := ParseMetadata([]byte(change(t, small, "{first}", form)), "", noon)
		if err != nil || len(got.Certificates) != 1 || !got.Certificates[0].Equal(cert) {
			t.Errorf("%.40q: %v", form, err)
		}
	}
}

func TestP15_certificates_count_once_and_an_issuer_in_the_chain_does_not_sign(t *testing.T) {
	caKey, _ := pairs[1]()
	leafKey, _ := pairs[0]()
	ca := issue(t, "ca", nil, func(c *x509.Certificate) ([]byte, error) {
		return x509.CreateCertificate(rand.Reader, c, c, caKey.Public(), caKey)
	})
	leaf := issue(t, "leaf", ca, func(c *x509.Certificate) ([]byte, error) {
		return x509.CreateCertificate(rand.Reader, c, ca, leafKey.Public(), caKey)
	})
	b64 := func(c *x509.Certificate) string { return base64.StdEncoding.EncodeToString(c.Raw) }
	between := "</ds:X509Certificate><ds:X509Certificate>"
	for _, chain := range []string{b64(leaf) + between + b64(ca), b64(ca) + between + b64(leaf), b64(leaf) + between + b64(leaf)} {
		got, err := ParseMetadata([]byte(change(t, small, "{first}", chain)), "", noon)
		if err != nil || len(got.Certificates) != 1 || !got.Certificates[0].Equal(leaf) {
			t.Errorf("%d certificates, %v", len(got.Certificates), err)
		}
	}
	// A self-signed one that may issue certificates is the key itself, as openssl makes it.
	if got, err := ParseMetadata([]byte(change(t, small, "{first}", b64(ca))), "", noon); err != nil || len(got.Certificates) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

func issue(t testing.TB, name string, parent *x509.Certificate, sign func(*x509.Certificate) ([]byte, error)) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: noon, NotAfter: noon.AddDate(1, 0, 0),
		IsCA: parent == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := sign(template)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestMetadata_may_have_2_MiB(t *testing.T) {
	document := filled(small)
	if _, err := ParseMetadata([]byte(document+strings.Repeat(" ", 2<<20-len(document))), "", noon); err != nil {
		t.Error(err)
	}
}

func TestMetadata_tells_its_earliest_end_and_what_it_wants(t *testing.T) {
	document := group(`validUntil="2027-01-01T00:00:00Z"`, change(t, small,
		"entityID=", `validUntil="2028-01-01T00:00:00Z" entityID=`, "<md:IDPSSODescriptor", `<md:IDPSSODescriptor WantAuthnRequestsSigned="1" validUntil="2029-01-01T00:00:00Z"`))
	got, err := ParseMetadata([]byte(filled(document)), "", noon)
	if err != nil || !got.WantRequestsSigned || !got.ValidUntil.Equal(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v, %v", got, err)
	}
	reversed := change(t, document, `validUntil="2027`, `validUntil="2030`)
	if got, err := ParseMetadata([]byte(filled(reversed)), "", noon); err != nil || got.ValidUntil.Year() != 2028 {
		t.Errorf("the earliest in the middle: %+v, %v", got, err)
	}
	again := change(t, document, `"1" `, `"false" `)
	if got, err := ParseMetadata([]byte(filled(again)), "", noon); err != nil || got.WantRequestsSigned {
		t.Errorf("%+v, %v", got, err)
	}
	lastMoment := change(t, small, "entityID=", `validUntil="2026-11-22T12:00:01Z" entityID=`)
	if _, err := ParseMetadata([]byte(filled(lastMoment)), "", noon); err != nil {
		t.Errorf("one second before its end: %v", err)
	}
	missing := change(t, small, ` protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"`, "")
	if _, err := ParseMetadata([]byte(filled(missing)), "", noon); err != nil {
		t.Errorf("without protocolSupportEnumeration, which some leave out: %v", err)
	}
	spaced := change(t, small, `"https://idp.example"`, `" https://idp.example&#10;"`, `"https://idp.example/sso"`, `"&#9;https://idp.example/sso "`)
	if got, err := ParseMetadata([]byte(filled(spaced)), "", noon); err != nil || got.EntityID != "https://idp.example" || got.SSO[0].URL != "https://idp.example/sso" {
		t.Errorf("white space in addresses: %+v, %v", got, err)
	}
}

// Elements of the right name in wrong places, where a search through the tree would find them.
func TestP15_metadata_is_read_from_fixed_places_only(t *testing.T) {
	decoy := `<md:Extensions><md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{second}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>` +
		`<md:SingleSignOnService Binding="` + string(BindingPost) + `" Location="https://evil.example"/>` + named("https://evil.example") + `</md:Extensions>`
	document := change(t, small, "<md:KeyDescriptor", decoy+"<md:KeyDescriptor")
	got, err := ParseMetadata([]byte(filled(document)), "", noon)
	if err != nil || len(got.Certificates) != 1 || len(got.SSO) != 1 || got.EntityID != "https://idp.example" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestP15_metadata_without_an_identity_provider_tells_what_it_has(t *testing.T) {
	for document, got := range map[string]string{
		spOnly("https://sp.example"): "SPSSODescriptor",
		change(t, small, "<md:IDPSSODescriptor", "<md:PDPDescriptor", "</md:IDPSSODescriptor", "</md:PDPDescriptor"): "neither that nor an SPSSODescriptor",
	} {
		_, err := ParseMetadata([]byte(filled(document)), "", noon)
		if f, _ := fault.As(err); f == nil || f.Got != got || f.Wanted != "an IDPSSODescriptor" {
			t.Errorf("%+v", err)
		}
	}
}

func TestP15_attributes_of_other_namespaces_are_not_those_of_metadata(t *testing.T) {
	document := change(t, small, `entityID="https://idp.example"`, `xmlns:x="urn:x" x:entityID="https://evil.example" x:validUntil="2000-01-01T00:00:00Z" entityID="https://idp.example"`,
		`Location=`, `x:Location="https://evil.example" Location=`)
	got, err := ParseMetadata([]byte(filled(document)), "", noon)
	if err != nil || got.EntityID != "https://idp.example" || got.SSO[0].URL != "https://idp.example/sso" {
		t.Errorf("%+v, %v", got, err)
	}
}

// gosaml2's own reading of the same documents must agree about what matters.
func TestMetadata_is_read_as_gosaml2_reads_it(t *testing.T) {
	for _, product := range []string{"okta", "google", "keycloak", "simplesamlphp"} {
		data := metadataOf(t, product)
		ours, err := ParseMetadata(data, "", noon)
		if err != nil {
			t.Fatal(err)
		}
		var theirs types.EntityDescriptor
		if err := xml.Unmarshal(data, &theirs); err != nil {
			t.Fatal(err)
		}
		if theirs.EntityID != ours.EntityID || theirs.IDPSSODescriptor.WantAuthnRequestsSigned != ours.WantRequestsSigned {
			t.Errorf("%s: %+v", product, theirs)
		}
		if first := theirs.IDPSSODescriptor.KeyDescriptors[0].KeyInfo.X509Data.X509Certificates[0].Data; withoutSpace(first) != base64.StdEncoding.EncodeToString(ours.Certificates[0].Raw) {
			t.Errorf("%s: another certificate", product)
		}
	}
}

func FuzzMetadata(f *testing.F) {
	for _, product := range []string{"okta", "entra", "adfs", "google", "keycloak", "shibboleth", "simplesamlphp"} {
		f.Add(metadataOf(f, product), "")
	}
	f.Add([]byte(filled(group("", named("https://a.example"), named("https://b.example")))), "https://b.example")
	f.Fuzz(func(t *testing.T, data []byte, id string) {
		got, err := ParseMetadata(data, id, noon)
		if err != nil {
			if !strings.HasPrefix(faultCode(err), "metadata_") {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		if got.EntityID == "" || id != "" && got.EntityID != id || len(got.SSO) == 0 || len(got.Certificates) == 0 {
			t.Fatalf("accepted without what is needed: %+v", got)
		}
		for _, e := range append(got.SSO, got.SLO...) {
			if !isAddress(e.URL) {
				t.Fatalf("a browser would be sent to %q", e.URL)
			}
		}
	})
}
