package saml

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// The codes of a metadata document that cannot be used. The message says to an administrator what to do about it.
const (
	CodeMetadataTooLarge        = "metadata_too_large"
	CodeMetadataMalformed       = "metadata_malformed"        // not XML, or XML that is not read here
	CodeMetadataHTML            = "metadata_html"             // a web page
	CodeMetadataNotSAML         = "metadata_not_saml"         // something else than a SAML metadata document
	CodeMetadataServiceProvider = "metadata_service_provider" // the other side's document, often our own
	CodeMetadataSeveral         = "metadata_several_entities" // Wanted lists the entity ids
	CodeMetadataEntityUnknown   = "metadata_entity_unknown"   // the one that was named is not in it
	CodeMetadataExpired         = "metadata_expired"
	CodeMetadataNoSSO           = "metadata_no_sso"
	CodeMetadataAddress         = "metadata_address"
	CodeMetadataNoCertificate   = "metadata_no_certificate"
	CodeMetadataCertificate     = "metadata_certificate_unreadable"
)

const (
	maxMetadata       = 2 << 20 // bytes; a federation's aggregate is larger and has to be cut down to one entity
	maxMetadataTokens = 50_000  // AD FS, the longest of the usual ones, has 3,000
	maxMetadataDepth  = 64
	maxEntityID       = 1024 // characters (core 8.3.6)
	maxListed         = 20   // entity ids that an error names
)

// IDPMetadata is what a connection needs to know of an identity provider.
type IDPMetadata struct {
	EntityID           string
	SSO                []Endpoint          // where requests go; at least one
	SLO                []Endpoint          // where logout goes; often none
	Certificates       []*x509.Certificate // for signatures, each once, in the order of the document; at least one. Their dates are not judged here
	WantRequestsSigned bool                // what it says; Keycloak always says so
	NameIDFormats      []string
	ValidUntil         time.Time // zero: no end
}

// Endpoint is an address and the binding it speaks.
type Endpoint struct {
	Binding     Binding
	URL         string
	ResponseURL string // for responses, where that is another address; only in SLO
}

// ParseMetadata reads an identity provider's metadata (SAML metadata 2.0): an EntityDescriptor, or an EntitiesDescriptor of which entityID names
// one, where "" means the only identity provider in it. Errors are *fault.Error with a metadata_… code and a sentence for the administrator
// who brought the document.
//
// A signature in it is not verified: whom to trust is settled by where the document comes from. It is read from fixed places only; what
// stands elsewhere, as the WS-Federation roles of Microsoft's documents, is passed over. At most 2 MiB.
func ParseMetadata(data []byte, entityID string, now time.Time) (IDPMetadata, error) {
	root, err := readMetadata(data)
	if err != nil {
		return IDPMetadata{}, err
	}
	e, err := chooseEntity(root, entityID)
	if err != nil {
		return IDPMetadata{}, err
	}
	return e.read(now)
}

func wrongMetadata(code, wanted, got, format string, args ...any) *fault.Error {
	return fault.New(fault.Unprocessable, code, "%s", fmt.Sprintf(format, args...)).Compared(wanted, shown(got))
}

func malformedMetadata(format string, args ...any) *fault.Error {
	return wrongMetadata(CodeMetadataMalformed, "SAML metadata in XML", "", "The metadata cannot be read: %s.", fmt.Sprintf(format, args...))
}

// piece is an element of a metadata document.
type piece struct {
	name  xml.Name
	attrs []xml.Attr
	text  []byte
	mixed bool // a comment or an instruction stands inside, so that its text may be read in two ways
	kids  []*piece
}

func (p *piece) is(tag string) bool { return p.name == xml.Name{Space: nsMetadata, Local: tag} }

// attr gives an attribute without namespace, white space around it removed, as the schema's type anyURI has it.
func (p *piece) attr(name string) string {
	for _, a := range p.attrs {
		if a.Name.Space == "" && a.Name.Local == name {
			return strings.TrimSpace(a.Value)
		}
	}
	return ""
}

func (p *piece) children(space, tag string) []*piece {
	var found []*piece
	for _, kid := range p.kids {
		if kid.name.Space == space && kid.name.Local == tag {
			found = append(found, kid)
		}
	}
	return found
}

func (p *piece) value() (string, error) {
	if p.mixed || len(p.kids) > 0 {
		return "", malformedMetadata("%s holds more than text", p.name.Local)
	}
	return strings.TrimSpace(string(p.text)), nil
}

// readMetadata reads the bytes. Unlike a message a metadata document may hold comments and instructions, since those that people edit and
// several vendors' do; a text that is read has none inside. A document type is refused as everywhere. That a name survives being written and
// read again, which messages have to, plays no part: nothing here is written again or verified.
func readMetadata(data []byte) (*piece, error) {
	if len(data) > maxMetadata {
		return nil, wrongMetadata(CodeMetadataTooLarge, "at most 2 MiB", strconv.Itoa(len(data))+" bytes",
			"The metadata is too large. If it is that of a whole federation, take the document of your identity provider alone.")
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // Microsoft's documents begin with it
	if err := recognise(data); err != nil {
		return nil, err
	}
	b := builder{decoder: xml.NewDecoder(bytes.NewReader(data))}
	for range maxMetadataTokens {
		token, err := b.decoder.Token()
		switch {
		case errors.Is(err, io.EOF) && b.root != nil:
			return b.root, nil
		case err != nil:
			return nil, malformedMetadata("it is not well-formed XML").Because(err)
		}
		if err := b.take(token); err != nil {
			return nil, err
		}
	}
	return nil, malformedMetadata("it has more than %d parts", maxMetadataTokens)
}

// recognise tells by the first bytes what people bring instead of metadata.
func recognise(data []byte) error {
	start := strings.ToLower(string(bytes.TrimSpace(data[:min(len(data), 2048)])))
	begins := func(prefixes ...string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(start, p) })
	}
	switch {
	case start == "":
		return wrongMetadata(CodeMetadataMalformed, "SAML metadata in XML", "nothing", "The metadata is empty.")
	case begins("<!doctype html", "<html", "<head", "<body"):
		return wrongMetadata(CodeMetadataHTML, "SAML metadata in XML", "a web page",
			"This is a web page and no metadata. The address may need a sign-in, or it may be the address of the page about the metadata. Open it where you are not signed in: it has to show XML.")
	case begins("http://", "https://"):
		return wrongMetadata(CodeMetadataNotSAML, "SAML metadata in XML", "an address", "This is an address. Enter it as metadata address, or paste the document that it shows.")
	case begins("-----begin"):
		return wrongMetadata(CodeMetadataNotSAML, "SAML metadata in XML", "a certificate", "This is a certificate alone. Enter it together with entity id and sign-in address, or bring the metadata document.")
	case begins("{"):
		return wrongMetadata(CodeMetadataNotSAML, "SAML metadata in XML", "JSON", "This is JSON, perhaps an OpenID Connect discovery document. For SAML bring the metadata in XML; for OpenID Connect make an OIDC connection.")
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return wrongMetadata(CodeMetadataMalformed, "UTF-8", "UTF-16", "The metadata is saved as UTF-16. Save it as UTF-8.")
	case !begins("<"):
		return malformedMetadata("it does not begin as XML does")
	}
	return nil
}

// builder makes the tree out of tokens.
type builder struct {
	decoder *xml.Decoder
	root    *piece
	open    []*piece
}

func (b *builder) take(token xml.Token) error {
	switch token := token.(type) {
	case xml.StartElement:
		return b.start(token)
	case xml.EndElement:
		b.open = b.open[:len(b.open)-1]
	case xml.CharData:
		if len(b.open) > 0 {
			inside := b.open[len(b.open)-1]
			inside.text = append(inside.text, token...)
		} else if len(bytes.TrimSpace(token)) > 0 {
			return malformedMetadata("there is text outside of its elements")
		}
	case xml.Directive:
		return malformedMetadata("it has a document type, which is never read")
	default: // comment, instruction
		if len(b.open) > 0 {
			b.open[len(b.open)-1].mixed = true
		}
	}
	return nil
}

func (b *builder) start(token xml.StartElement) error {
	p := &piece{name: token.Name, attrs: slices.Clone(token.Attr)}
	if len(p.attrs) > maxAttrs {
		return malformedMetadata("%s has more than %d attributes", shown(p.name.Local), maxAttrs)
	}
	for i, a := range p.attrs {
		if slices.ContainsFunc(p.attrs[:i], func(other xml.Attr) bool { return other.Name == a.Name }) {
			return malformedMetadata("%s has an attribute twice", shown(p.name.Local))
		}
	}
	switch {
	case len(b.open) >= maxMetadataDepth:
		return malformedMetadata("it is nested deeper than %d levels", maxMetadataDepth)
	case len(b.open) > 0:
		parent := b.open[len(b.open)-1]
		parent.kids = append(parent.kids, p)
	case b.root != nil:
		return malformedMetadata("it has a second document behind the first")
	default:
		b.root = p
	}
	b.open = append(b.open, p)
	return nil
}

// entity is an EntityDescriptor with the ends that the groups around it set.
type entity struct {
	*piece
	ends []string
}

// entities gives all EntityDescriptors, nested groups included.
func entities(p *piece, ends []string) []entity {
	ends = append(slices.Clone(ends), p.attr("validUntil"))
	if p.is("EntityDescriptor") {
		return []entity{{p, ends}}
	}
	var found []entity
	if p.is("EntitiesDescriptor") {
		for _, kid := range p.kids {
			found = append(found, entities(kid, ends)...)
		}
	}
	return found
}

func (e entity) id() string { return e.attr("entityID") }

func (e entity) isIDP() bool { return len(e.children(nsMetadata, "IDPSSODescriptor")) > 0 }

// chooseEntity finds the identity provider that is meant.
func chooseEntity(root *piece, entityID string) (entity, error) {
	all := entities(root, nil)
	if len(all) == 0 {
		return entity{}, wrongMetadata(CodeMetadataNotSAML, "EntityDescriptor or EntitiesDescriptor", root.name.Local, "This is XML, but no SAML metadata document.")
	}
	var providers, fitting []entity
	for _, e := range all {
		if e.isIDP() {
			providers = append(providers, e)
			if entityID == "" || e.id() == entityID {
				fitting = append(fitting, e)
			}
		}
	}
	switch {
	case len(providers) == 0:
		return entity{}, wrongMetadata(CodeMetadataServiceProvider, "an IDPSSODescriptor", otherRoles(all),
			"This is the metadata of a service provider, perhaps our own. Bring the metadata of your identity provider.")
	case len(fitting) == 0:
		return entity{}, wrongMetadata(CodeMetadataEntityUnknown, shown(entityID), listed(providers), "The identity provider that was named is not in the metadata.")
	case len(fitting) > 1 && entityID != "":
		return entity{}, malformedMetadata("the identity provider that was named is in it more than once")
	case len(fitting) > 1:
		return entity{}, wrongMetadata(CodeMetadataSeveral, "the entity id of one of: "+listed(providers), strconv.Itoa(len(providers))+" identity providers",
			"The metadata describes several identity providers. Name the entity id of yours.")
	}
	return fitting[0], nil
}

func otherRoles(all []entity) string {
	for _, e := range all {
		if len(e.children(nsMetadata, "SPSSODescriptor")) > 0 {
			return "SPSSODescriptor"
		}
	}
	return "neither that nor an SPSSODescriptor"
}

func listed(all []entity) string {
	var ids []string
	for _, e := range all[:min(len(all), maxListed)] {
		ids = append(ids, shown(e.id()))
	}
	if len(all) > maxListed {
		ids = append(ids, fmt.Sprintf("and %d more", len(all)-maxListed))
	}
	return strings.Join(ids, " ")
}

func (e entity) read(now time.Time) (IDPMetadata, error) {
	m := IDPMetadata{EntityID: e.id()}
	if m.EntityID == "" || len(m.EntityID) > maxEntityID {
		return m, malformedMetadata("the entityID is missing or longer than %d characters", maxEntityID)
	}
	role, err := e.role()
	if err != nil {
		return m, err
	}
	if m.ValidUntil, err = earliest(append(e.ends, role.attr("validUntil"))); err != nil {
		return m, err
	}
	if !m.ValidUntil.IsZero() && !now.Before(m.ValidUntil) {
		return m, wrongMetadata(CodeMetadataExpired, "validUntil after "+instant(now), instant(m.ValidUntil),
			"The metadata has run out. Bring a fresh copy from your identity provider.")
	}
	wants := role.attr("WantAuthnRequestsSigned")
	m.WantRequestsSigned = wants == "true" || wants == "1"
	if err := m.endpoints(role); err != nil {
		return m, err
	}
	if m.Certificates, err = signingCertificates(role); err != nil {
		return m, err
	}
	for _, format := range role.children(nsMetadata, "NameIDFormat") {
		value, err := format.value()
		if err != nil {
			return m, err
		}
		m.NameIDFormats = append(m.NameIDFormats, value)
	}
	return m, nil
}

// role gives the one IDPSSODescriptor that speaks SAML 2.0; others may stand beside it for older protocols.
func (e entity) role() (*piece, error) {
	var found []*piece
	for _, role := range e.children(nsMetadata, "IDPSSODescriptor") {
		if protocols := strings.Fields(role.attr("protocolSupportEnumeration")); len(protocols) == 0 || slices.Contains(protocols, nsProtocol) {
			found = append(found, role)
		}
	}
	switch len(found) {
	case 0:
		return nil, wrongMetadata(CodeMetadataNoSSO, nsProtocol, "older protocols only", "The identity provider does not offer SAML 2.0.")
	case 1:
		return found[0], nil
	}
	return nil, malformedMetadata("the identity provider has two IDPSSODescriptors for SAML 2.0")
}

// earliest gives the first of several ends; zero if there is none.
func earliest(ends []string) (time.Time, error) {
	var first time.Time
	for _, text := range ends {
		if text == "" {
			continue
		}
		end, err := moment(text)
		if err != nil {
			return first, malformedMetadata("validUntil is no date: %s", shown(text))
		}
		if first.IsZero() || end.Before(first) {
			first = end
		}
	}
	return first, nil
}

// moment reads xs:dateTime; without a zone it is UTC (core 1.3.3).
func moment(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t, err = time.Parse("2006-01-02T15:04:05", text)
	}
	return t.UTC(), err
}

func (m *IDPMetadata) endpoints(role *piece) error {
	var other []string
	var err error
	if m.SSO, other, err = readEndpoints(role, "SingleSignOnService"); err != nil {
		return err
	}
	if len(m.SSO) == 0 {
		return wrongMetadata(CodeMetadataNoSSO, "HTTP-Redirect or HTTP-POST", strings.Join(other, " "),
			"The metadata has no sign-in address for the Redirect or the POST binding.")
	}
	m.SLO, _, err = readEndpoints(role, "SingleLogoutService")
	return err
}

// readEndpoints gives the endpoints of the two bindings that are spoken here, and the names of all other bindings.
func readEndpoints(role *piece, tag string) (found []Endpoint, other []string, err error) {
	for _, service := range role.children(nsMetadata, tag) {
		e := Endpoint{Binding(service.attr("Binding")), service.attr("Location"), service.attr("ResponseLocation")}
		if e.Binding != BindingRedirect && e.Binding != BindingPost {
			other = append(other, string(e.Binding))
			continue
		}
		for _, address := range []string{e.URL, e.ResponseURL} {
			if !isAddress(address) && (address != "" || e.URL == "") {
				return nil, nil, wrongMetadata(CodeMetadataAddress, "an absolute http or https address", address, "An address of %s in the metadata cannot be used.", tag)
			}
		}
		found = append(found, e)
	}
	return found, other, nil
}

// signingCertificates reads all keys that may sign. Where use is not given the key is for both (metadata 2.4.1.1).
func signingCertificates(role *piece) ([]*x509.Certificate, error) {
	var found []*x509.Certificate
	for _, descriptor := range role.children(nsMetadata, "KeyDescriptor") {
		if use := descriptor.attr("use"); use != "" && use != "signing" {
			continue
		}
		for _, info := range descriptor.children(nsSignature, "KeyInfo") {
			certificates, err := readKeyInfo(info)
			if err != nil {
				return nil, err
			}
			for _, c := range certificates {
				if !slices.ContainsFunc(found, c.Equal) {
					found = append(found, c)
				}
			}
		}
	}
	if len(found) == 0 {
		return nil, wrongMetadata(CodeMetadataNoCertificate, "a KeyDescriptor for signing with an X509Certificate", "none",
			"The metadata has no certificate to check signatures with.")
	}
	return found, nil
}

// readKeyInfo gives the certificates of one key. Some bring the whole chain: an issuer of another certificate there signs certificates and no
// assertions, so it is left out and not trusted for them.
func readKeyInfo(info *piece) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for _, data := range info.children(nsSignature, "X509Data") {
		for _, el := range data.children(nsSignature, "X509Certificate") {
			text, err := el.value()
			if err != nil {
				return nil, err
			}
			c, err := ParseCertificate(text)
			if err != nil {
				return nil, err
			}
			all = append(all, c)
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(c *x509.Certificate) bool {
		return slices.ContainsFunc(all, func(of *x509.Certificate) bool { return !of.Equal(c) && of.CheckSignatureFrom(c) == nil })
	}), nil
}

// ParseCertificate reads one X.509 certificate as administrators paste it: base64 with or without white space and PEM lines around it. The
// error is *fault.Error with CodeMetadataCertificate.
func ParseCertificate(text string) (*x509.Certificate, error) {
	const begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
	body := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(text), begin), end)
	der, err := base64.StdEncoding.DecodeString(withoutSpace(body))
	if err != nil {
		return nil, wrongMetadata(CodeMetadataCertificate, "an X.509 certificate in base64", "", "A certificate cannot be read: it is not base64.").Because(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, wrongMetadata(CodeMetadataCertificate, "an X.509 certificate in base64", "", "A certificate cannot be read: the bytes are no X.509 certificate.").Because(err)
	}
	return c, nil
}
