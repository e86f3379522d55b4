package saml

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"
)

// slot is one kind of child that an element may have. Children come in the order of their ranks, those of one rank in any order;
// rank 0 stands anywhere. A kind is there once unless many.
type slot struct {
	space, local string
	rank         int
	many         bool
}

// The layouts of what is read. What SAML allows beside (Advice, other conditions and statements, assertions inside assertions) is
// refused: nobody sends it, and a place for more elements is a place for forged ones.
var (
	responseLayout = []slot{
		{nsAssertion, "Issuer", 1, false},
		{nsSignature, "Signature", 0, false},
		{nsProtocol, "Extensions", 2, false},
		{nsProtocol, "Status", 3, false},
		{nsAssertion, "Assertion", 4, false},
		{nsAssertion, "EncryptedAssertion", 4, false},
	}
	assertionLayout = []slot{
		{nsAssertion, "Issuer", 1, false},
		{nsSignature, "Signature", 0, false},
		{nsAssertion, "Subject", 2, false},
		{nsAssertion, "Conditions", 3, false},
		{nsAssertion, "AuthnStatement", 4, true},
		{nsAssertion, "AttributeStatement", 4, true},
	}
	statusLayout = []slot{
		{nsProtocol, "StatusCode", 1, false},
		{nsProtocol, "StatusMessage", 2, false},
		{nsProtocol, "StatusDetail", 3, false},
	}
	statusCodeLayout = []slot{{nsProtocol, "StatusCode", 1, false}}
	signatureLayout  = []slot{
		{nsSignature, "SignedInfo", 1, false},
		{nsSignature, "SignatureValue", 2, false},
		{nsSignature, "KeyInfo", 3, false},
	}
	signedInfoLayout = []slot{
		{nsSignature, "CanonicalizationMethod", 1, false},
		{nsSignature, "SignatureMethod", 2, false},
		{nsSignature, "Reference", 3, false},
	}
	referenceLayout = []slot{
		{nsSignature, "Transforms", 1, false},
		{nsSignature, "DigestMethod", 2, false},
		{nsSignature, "DigestValue", 3, false},
	}
	transformsLayout = []slot{{nsSignature, "Transform", 1, true}}
	exclusiveLayout  = []slot{{nsExclusive, "InclusiveNamespaces", 1, false}}
	empty            = []slot{}
	leaf             = []slot(nil) // text and no elements
)

// fit holds the children of an element to a layout.
func fit(n *node, layout []slot) error {
	rank := 0
	seen := make([]bool, len(layout))
	for _, kid := range n.kids {
		i := slotOf(kid, layout)
		if i < 0 {
			return wrongShape(n.local+" without "+kid.local, kid.local+" in the namespace "+kid.space)
		}
		if seen[i] && !layout[i].many {
			return wrongShape("one "+kid.local+" in "+n.local, "several")
		}
		seen[i] = true
		if layout[i].rank != 0 && layout[i].rank < rank {
			return wrongShape("the elements of "+n.local+" in their order", kid.local+" too late")
		}
		rank = max(rank, layout[i].rank)
	}
	if !blank(n.text) && layout != nil {
		return wrongShape("no text in "+n.local, n.text)
	}
	return nil
}

func slotOf(kid *node, layout []slot) int {
	for i := range layout {
		if kid.is(layout[i].space, layout[i].local) {
			return i
		}
	}
	return -1
}

func wrongShape(wanted, got string) *Error {
	return refuse(CodeMalformed, wanted, got, "The message is not built as a SAML response is: wanted %s.", wanted)
}

// child gives the first child of a kind. Where a layout holds it is the only one.
func (n *node) child(space, local string) *node {
	for _, kid := range n.kids {
		if kid.is(space, local) {
			return kid
		}
	}
	return nil
}

// shaped is a Response whose shape holds. Its parts are nil where they are missing.
type shaped struct {
	response, assertion, encrypted *node
	signature                      *signature // of the Response
	success                        bool
}

// shapeResponse holds a Response to its layout, with exactly one assertion if it reports success and none otherwise.
func shapeResponse(root *node) (shaped, error) {
	if !root.is(nsProtocol, "Response") {
		return shaped{}, wrongShape("a Response", root.local+" in the namespace "+root.space)
	}
	if err := fit(root, responseLayout); err != nil {
		return shaped{}, err
	}
	e := shaped{response: root, assertion: root.child(nsAssertion, "Assertion"), encrypted: root.child(nsAssertion, "EncryptedAssertion")}
	if x := root.child(nsProtocol, "Extensions"); x != nil && len(x.kids) > 0 {
		return e, wrongShape("empty Extensions", x.kids[0].local)
	}
	if err := e.status(); err != nil {
		return e, err
	}
	if err := solitary(root); err != nil {
		return e, err
	}
	var err error
	e.signature, err = shapeSignature(root)
	return e, err
}

func (r *shaped) status() error {
	s := r.response.child(nsProtocol, "Status")
	if s == nil {
		return wrongShape("a Status", "none")
	}
	if err := fit(s, statusLayout); err != nil {
		return err
	}
	code := s.child(nsProtocol, "StatusCode")
	if code == nil {
		return wrongShape("a StatusCode", "none")
	}
	for c := code; c != nil; c = c.child(nsProtocol, "StatusCode") {
		if err := fit(c, statusCodeLayout); err != nil {
			return err
		}
	}
	r.success = code.value("Value") == statusPrefix+"Success"
	count := 0
	for _, n := range []*node{r.assertion, r.encrypted} {
		if n != nil {
			count++
		}
	}
	if r.success && count != 1 || !r.success && count != 0 {
		return wrongShape("one assertion with a status of success and none with any other", map[int]string{0: "none", 1: "one", 2: "two"}[count])
	}
	return nil
}

// solitary refuses the elements that carry meaning by their name wherever they have no place, however deep: a forged assertion has to
// be hidden somewhere (XSW, USENIX Security 2012). Where they have a place the layouts have counted them.
func solitary(n *node) error {
	for _, kid := range n.kids {
		if meaningful(kid) && !placed(kid, n) {
			return wrongShape("no "+kid.local+" there", kid.local+" in "+n.local)
		}
		if err := solitary(kid); err != nil {
			return err
		}
	}
	return nil
}

func meaningful(n *node) bool {
	switch n.local {
	case "Response":
		return n.space == nsProtocol
	case "Assertion", "EncryptedAssertion":
		return n.space == nsAssertion
	case "Signature", "Object":
		return n.space == nsSignature
	}
	return false
}

// placed: an assertion is a child of the Response, a Signature one of what it signs.
func placed(kid, parent *node) bool {
	inResponse := parent.is(nsProtocol, "Response")
	switch kid.local {
	case "Assertion", "EncryptedAssertion":
		return inResponse
	case "Signature":
		return inResponse || parent.is(nsAssertion, "Assertion")
	}
	return false
}

// shapeAssertion holds an Assertion to its layout. What is deeper in it the decoder judges.
func shapeAssertion(n *node) (*signature, error) {
	if !n.is(nsAssertion, "Assertion") {
		return nil, wrongShape("an Assertion", n.local+" in the namespace "+n.space)
	}
	if err := fit(n, assertionLayout); err != nil {
		return nil, err
	}
	return shapeSignature(n)
}

// signature is a Signature whose shape holds: over its parent and nothing else.
type signature struct {
	node   *node
	method string // SignatureMethod
	digest string // DigestMethod
	value  []byte
	named  *x509.Certificate // that KeyInfo brings along; never trusted
}

const (
	transformEnveloped = nsSignature + "enveloped-signature"
	exclusive          = nsExclusive
	maxPrefixList      = 16
)

// shapeSignature reads the Signature that is a child of n; nil where there is none.
func shapeSignature(n *node) (*signature, error) {
	s := n.child(nsSignature, "Signature")
	if s == nil {
		return nil, nil
	}
	if err := fit(s, signatureLayout); err != nil {
		return nil, err
	}
	info, value := s.child(nsSignature, "SignedInfo"), s.child(nsSignature, "SignatureValue")
	if info == nil || value == nil {
		return nil, refuse(CodeUnsigned, "a Signature with SignedInfo and SignatureValue", "less", "The signature is empty.")
	}
	sig := &signature{node: s}
	if err := sig.signedInfo(info, n.value("ID")); err != nil {
		return nil, err
	}
	var err error
	if sig.value, err = octets(value); err != nil {
		return nil, err
	}
	return sig, sig.keyInfo(s.child(nsSignature, "KeyInfo"))
}

func (s *signature) signedInfo(info *node, id string) error {
	if err := fit(info, signedInfoLayout); err != nil {
		return err
	}
	if err := algorithm(info, "CanonicalizationMethod", empty, exclusive); err != nil {
		return err
	}
	method, err := demand(info, "SignatureMethod", empty)
	if err != nil {
		return err
	}
	s.method = method.value("Algorithm")
	reference, err := demand(info, "Reference", referenceLayout)
	if err != nil {
		return err
	}
	if uri, _ := reference.attr("URI"); id == "" || uri != "#"+id {
		return refuse(CodeSignatureInvalid, "#"+shown(id), uri, "The signature covers something else than the element that it is in.")
	}
	return s.reference(reference)
}

func (s *signature) reference(n *node) error {
	digest, err := demand(n, "DigestMethod", empty)
	if err != nil {
		return err
	}
	s.digest = digest.value("Algorithm")
	value, err := demand(n, "DigestValue", leaf)
	if err != nil {
		return err
	}
	if _, err := octets(value); err != nil {
		return err
	}
	transforms, err := demand(n, "Transforms", transformsLayout)
	if err != nil {
		return err
	}
	if len(transforms.kids) != 2 {
		return wrongTransform("two transforms", "another number")
	}
	return transform(transforms.kids[0], transforms.kids[1])
}

// transform holds the two transforms to enveloped-signature and then exclusive canonicalization (core 5.4.4).
func transform(first, second *node) error {
	if err := fit(first, empty); err != nil {
		return err
	}
	if got := first.value("Algorithm"); got != transformEnveloped {
		return wrongTransform(transformEnveloped, got)
	}
	if got := second.value("Algorithm"); got != exclusive {
		return wrongTransform(exclusive, got)
	}
	if err := fit(second, exclusiveLayout); err != nil {
		return err
	}
	for _, list := range second.kids {
		if err := fit(list, empty); err != nil {
			return err
		}
		if got := len(strings.Fields(list.value("PrefixList"))); got > maxPrefixList {
			return wrongTransform("a short PrefixList", "a long one")
		}
	}
	return nil
}

func wrongTransform(wanted, got string) *Error {
	return refuse(CodeAlgorithmNotAllowed, wanted, got, "The signature transforms what it covers in a way that is not accepted.")
}

// demand gives a child that has to be there and fits a layout.
func demand(n *node, local string, layout []slot) (*node, error) {
	kid := n.child(nsSignature, local)
	if kid == nil {
		return nil, wrongShape(local+" in "+n.local, "none")
	}
	return kid, fit(kid, layout)
}

func algorithm(n *node, local string, layout []slot, wanted string) error {
	kid, err := demand(n, local, layout)
	if err != nil {
		return err
	}
	if got := kid.value("Algorithm"); got != wanted {
		return refuse(CodeAlgorithmNotAllowed, wanted, got, "The signature uses a %s that is not accepted.", local)
	}
	return nil
}

// octets reads base64 that may be broken into lines.
func octets(n *node) ([]byte, error) {
	if err := fit(n, leaf); err != nil {
		return nil, err
	}
	data, err := base64.StdEncoding.Strict().DecodeString(strings.Join(strings.Fields(n.text), ""))
	if err != nil || len(data) == 0 {
		return nil, wrongShape("base64 in "+n.local, n.text)
	}
	return data, nil
}

// keyInfo reads which certificate the message names, for the text of an error. KeyInfo holds elements of XML Signature only.
func (s *signature) keyInfo(n *node) error {
	if n == nil {
		return nil
	}
	for _, kid := range n.kids {
		if kid.space != nsSignature && kid.space != nsSignature11 {
			return wrongShape("keys in KeyInfo", kid.local+" in the namespace "+kid.space)
		}
		if kid.local == "X509Certificate" && s.named == nil {
			s.named = certificateIn(kid.text)
		}
		if err := s.keyInfo(kid); err != nil {
			return err
		}
	}
	return nil
}

// certificateIn gives nil for what is no certificate: nothing depends on it.
func certificateIn(text string) *x509.Certificate {
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil
	}
	return cert
}

// fingerprint is how people compare certificates: SHA-256 of the DER, in hexadecimal.
func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// sha1Allowed tells whether the connection's grace still runs.
func sha1Allowed(e Expectation) bool { return e.Now.Before(e.SHA1Until) }

// skew is how far clocks may differ: 1 to 3 minutes, 2 unless set.
func (e Expectation) skew() time.Duration {
	if e.ClockSkew == 0 {
		return 2 * time.Minute
	}
	return min(max(e.ClockSkew, time.Minute), 3*time.Minute)
}
