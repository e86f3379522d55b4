package second

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
	saml2 "github.com/russellhaering/gosaml2"
	"github.com/russellhaering/gosaml2/types"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/saml"
)

// Gap is something that gosaml2 cannot do and we can: the document has only one verifier.
type Gap string

func (g Gap) Error() string { return "the second verifier cannot read this: " + string(g) }

// All gaps.
const (
	GapResponseIssuer Gap = "a signed Response without Issuer"
	GapConfirmations  Gap = "several subject confirmations"
	GapAddresses      Gap = "a destination that is not the recipient"
	GapECDSA          Gap = "an ECDSA signature"
	GapKeyInfo        Gap = "a KeyInfo without a certificate that is trusted"
	GapSize           Gap = "450 elements or more"
	GapEncryption     Gap = "a kind of encryption"
)

// Check asks gosaml2 about a response that saml.Consume has accepted with the same expectation. It gives nil where both agree about
// the signature and about who signed in, a Gap where gosaml2 cannot tell, and otherwise an *saml.Error with the code verifiers_disagree.
func Check(response []byte, e saml.Expectation, ours *saml.Assertion) error {
	return Guess{}.Check(response, e, ours)
}

// Guess is what gosaml2 said of a response that nobody has accepted yet. It counts only for one that saml.Consume accepts by the same
// certificate.
type Guess struct {
	certificate [32]byte
	asked       bool
	theirs      *types.Response
	err         error
}

// Ahead asks gosaml2 about a response that the caller has found to be short and simple or let through saml's gate, with the first
// certificate of the expectation, so that the answer is there when the first verifier is through. An encrypted response is not asked about: whether to open it is not for a guess.
func Ahead(response []byte, e saml.Expectation) Guess {
	if len(e.Certificates) == 0 || bytes.Contains(response, []byte("EncryptedAssertion")) {
		return Guess{}
	}
	first := e.Certificates[0]
	if _, is := first.PublicKey.(*ecdsa.PublicKey); is {
		return Guess{}
	}
	g := Guess{certificate: sha256.Sum256(first.Raw), asked: true}
	g.theirs, g.err = checker{expectation: e, certificate: dated(first, e), ours: &saml.Assertion{}}.ask(response)
	return g
}

// Check is the function Check, with the answer that is there already if it is one to the same question.
func (g Guess) Check(response []byte, e saml.Expectation, ours *saml.Assertion) error {
	c := checker{expectation: e, certificate: certificateOf(e, ours), ours: ours}
	if c.certificate == nil {
		return disagree("the certificate that verified", "none of the connection's")
	}
	if _, is := c.certificate.PublicKey.(*ecdsa.PublicKey); is {
		return GapECDSA
	}
	theirs, err := g.theirs, g.err
	if !g.asked || g.certificate != ours.Certificate || ours.Encrypted {
		theirs, err = c.ask(response)
	}
	if err == nil {
		return c.compare(theirs)
	}
	document, errParse := parse(response)
	if errParse != nil {
		return disagree("a response", errParse.Error())
	}
	if theirs, errAgain := c.ask(document.liked(c.certificate)); errAgain == nil {
		return c.compare(theirs)
	}
	if gap := document.gap(c.certificate); gap != "" {
		return gap
	}
	return disagree("a response that both accept", err.Error())
}

func disagree(ours, theirs string) error {
	return &saml.Error{Fault: fault.New(fault.Forbidden, saml.CodeVerifiersDisagree, "The response was read in two ways by two verifiers, so it is refused.").Compared(ours, theirs)}
}

// certificateOf finds the certificate that verified, and gives it dates that hold now: gosaml2 refuses one past its end, which is ours
// to decide.
func certificateOf(e saml.Expectation, ours *saml.Assertion) *x509.Certificate {
	for _, c := range e.Certificates {
		if sha256.Sum256(c.Raw) == ours.Certificate {
			return dated(c, e)
		}
	}
	return nil
}

func dated(c *x509.Certificate, e saml.Expectation) *x509.Certificate {
	now := *c
	now.NotBefore, now.NotAfter = e.Now.Add(-time.Hour), e.Now.Add(time.Hour)
	return &now
}

type checker struct {
	expectation saml.Expectation
	certificate *x509.Certificate
	ours        *saml.Assertion
}

// maxSkew is the most that the first verifier grants.
const maxSkew = 3 * time.Minute

// ask has gosaml2 validate the document at each of our addresses and with each of our keys, until it accepts one. A panic of it is a no.
func (c checker) ask(response []byte) (theirs *types.Response, err error) {
	defer func() {
		if r := recover(); r != nil {
			theirs, err = nil, fmt.Errorf("the second verifier panicked: %v", r)
		}
	}()
	encoded := base64.StdEncoding.EncodeToString(response)
	keys := c.expectation.Keys
	if !c.ours.Encrypted {
		keys = []*rsa.PrivateKey{nil}
	}
	err = errors.New("no address to ask for")
	for _, address := range c.expectation.Recipients {
		for _, key := range keys {
			if theirs, err = c.provider(address, key).ValidateEncodedResponse(encoded); err == nil {
				return theirs, nil
			}
		}
		if wrong := (saml2.ErrInvalidValue{}); !errors.As(err, &wrong) || wrong.Key != saml2.RecipientAttr && wrong.Key != saml2.DestinationAttr {
			return nil, err
		}
	}
	return nil, err
}

func (c checker) provider(address string, key *rsa.PrivateKey) *saml2.SAMLServiceProvider {
	sp := &saml2.SAMLServiceProvider{
		IdentityProviderIssuer:      c.expectation.Issuer,
		AssertionConsumerServiceURL: address,
		IDPCertificateStore:         &dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{c.certificate}},
		Clock:                       dsig.NewFakeClockAt(c.expectation.Now.Add(-maxSkew)),
		MaximumDecompressedBodySize: 1, // what cannot be read as it is would be inflated, and POST compresses nothing
	}
	if key != nil {
		sp.SPKeyStore = keyStore{key}
	}
	return sp
}

// keyStore opens encrypted assertions. gosaml2 compares its certificate with the one that the message names, if it names one.
type keyStore struct{ key *rsa.PrivateKey }

// GetKeyPair gives the key and, in the place of a certificate that nobody has, bytes that match none.
func (k keyStore) GetKeyPair() (*rsa.PrivateKey, []byte, error) { return k.key, []byte("none"), nil }

// compare holds what gosaml2 read against what was read before: the signature's extent, the assertion, its issuer, the person, the
// session, the request and every attribute.
func (c checker) compare(theirs *types.Response) error {
	if len(theirs.Assertions) != 1 {
		return disagree("one assertion", "another number")
	}
	a := &theirs.Assertions[0]
	if !theirs.SignatureValidated && !a.SignatureValidated {
		return disagree("a verified signature", "none")
	}
	if a.Issuer == nil || a.Subject == nil || a.Subject.NameID == nil {
		return disagree("an assertion with issuer and NameID", "less")
	}
	id := a.Subject.NameID
	for _, pair := range [][3]string{
		{"assertion", c.ours.ID, a.ID},
		{"issuer", c.ours.Issuer, strings.TrimSpace(a.Issuer.Value)},
		{"NameID", c.ours.Subject.Value, strings.TrimSpace(id.Value)},
		{"NameID's format", c.ours.Subject.Format, id.Format},
		{"NameID's qualifier", c.ours.Subject.NameQualifier, id.NameQualifier},
		{"NameID's qualifier by us", c.ours.Subject.SPNameQualifier, id.SPNameQualifier},
	} {
		if pair[1] != pair[2] {
			return disagree(pair[0]+" "+pair[1], pair[2])
		}
	}
	return compareAttributes(c.ours.Attributes, a.AttributeStatement)
}

func compareAttributes(ours []saml.Attribute, statement *types.AttributeStatement) error {
	type key struct{ name, format string }
	values := map[key][]string{}
	if statement != nil {
		for _, a := range statement.Attributes {
			values[key{a.Name, a.NameFormat}] = append(values[key{a.Name, a.NameFormat}], texts(a.Values)...)
		}
	}
	if len(values) != len(ours) {
		return disagree("as many attributes as were read", "another number")
	}
	for _, a := range ours {
		theirs, there := values[key{a.Name, a.NameFormat}]
		if !there || !slices.Equal(full(a.Values), full(theirs)) {
			return disagree("attribute "+a.Name, "another value")
		}
	}
	return nil
}

func texts(values []types.AttributeValue) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = v.Value
		if v.NameID != nil {
			list[i] = strings.TrimSpace(v.NameID.Value)
		}
	}
	return list
}

// full leaves out empty values: gosaml2 does not tell nil from empty.
func full(values []string) []string {
	return slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" })
}

// document is the response as a tree, with what the first verifier had found in it.
type document struct {
	root, assertion *etree.Element
	signed          bool // the Response itself
}

func parse(response []byte) (document, error) {
	d := etree.NewDocument()
	if err := d.ReadFromBytes(response); err != nil {
		return document{}, err
	}
	if d.Root() == nil {
		return document{}, errors.New("no element")
	}
	return document{d.Root(), d.Root().SelectElement("Assertion"), d.Root().SelectElement("Signature") != nil}, nil
}

// liked changes what no signature covers into what gosaml2 understands: the Issuer of an unsigned Response, its Destination and
// details of its status, and a KeyInfo that names no trusted certificate.
func (d document) liked(c *x509.Certificate) []byte {
	copied := etree.NewDocument()
	copied.SetRoot(d.root.Copy())
	root := copied.Root()
	signer := root
	if !d.signed {
		root.RemoveAttr("Destination")
		for _, detail := range root.FindElements("./Status/StatusDetail") {
			detail.Parent().RemoveChild(detail)
		}
		signer = root.SelectElement("Assertion")
		d.issuer(root)
		for _, key := range root.FindElements("./EncryptedAssertion//X509Data") {
			key.Parent().RemoveChild(key)
		}
	}
	if signer != nil && !namesTrusted(signer, c) {
		if info := signer.FindElement("./Signature/KeyInfo"); info != nil {
			info.Parent().RemoveChild(info)
		}
	}
	copied.WriteSettings.CanonicalText, copied.WriteSettings.CanonicalAttrVal = true, true
	out, err := copied.WriteToBytes()
	if err != nil {
		return nil
	}
	return out
}

// issuer gives an unsigned Response the Issuer of its assertion.
func (d document) issuer(root *etree.Element) {
	if root.SelectElement("Issuer") != nil || d.assertion == nil || d.assertion.SelectElement("Issuer") == nil {
		return
	}
	issuer := etree.NewElement("Issuer")
	issuer.CreateAttr("xmlns", saml2.SAMLAssertionNamespace)
	issuer.SetText(d.assertion.SelectElement("Issuer").Text())
	root.InsertChildAt(0, issuer)
}

// namesTrusted tells whether the first certificate in an element's signature is the trusted one, or nothing is named at all.
func namesTrusted(el *etree.Element, c *x509.Certificate) bool {
	info := el.FindElement("./Signature/KeyInfo")
	if info == nil {
		return true
	}
	named := info.FindElement("./X509Data/X509Certificate")
	if named == nil {
		return false
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(named.Text()), ""))
	return err == nil && string(der) == string(c.Raw)
}

// maxElements is from where goxmldsig may stop walking: it counts to 1,000, and counts an element of what is signed twice.
const maxElements = 450

// gap finds what the document shows of the list.
func (d document) gap(c *x509.Certificate) Gap {
	covered := d.root
	if !d.signed && d.assertion != nil {
		covered = d.assertion
	}
	switch {
	case d.root.SelectElement("EncryptedAssertion") != nil:
		return GapEncryption
	case d.signed && d.root.SelectElement("Issuer") == nil:
		return GapResponseIssuer
	case len(covered.FindElements(".//SubjectConfirmation")) > 1:
		return GapConfirmations
	case d.signed && d.assertion != nil && !namesTrusted(d.assertion, c):
		return GapKeyInfo
	case d.signed && !d.oneAddress():
		return GapAddresses
	case len(covered.FindElements(".//*")) >= maxElements:
		return GapSize
	}
	return ""
}

func (d document) oneAddress() bool {
	to := d.root.SelectAttrValue("Destination", "")
	data := d.root.FindElement(".//SubjectConfirmationData")
	return data != nil && data.SelectAttrValue("Recipient", "") == to
}
