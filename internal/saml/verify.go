package saml

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"strconv"
	"strings"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// verified is an element that may be believed: parsed from the bytes whose digest was signed, or lying inside such an element. Only
// this file makes one, and only one can be decoded.
type verified struct {
	*node
	by proof
}

// proof is what verified it.
type proof struct {
	certificate *x509.Certificate
	sha1        bool
}

// signed verifies the signature of n with one of the connection's certificates and gives the element that was parsed from the
// digested bytes, without the signature.
func signed(n *node, s *signature, e Expectation) (verified, error) {
	weak, err := s.algorithms(e)
	if err != nil {
		return verified{}, err
	}
	candidates, err := s.candidates(e.Certificates)
	if err != nil {
		return verified{}, err
	}
	for _, c := range candidates {
		value, ok := s.encoded(c)
		if !ok {
			continue
		}
		if el, err := arithmetic(s.view(n, value), c); err == nil {
			root, err := resolve(el)
			return verified{root, proof{c, weak}}, err
		}
	}
	return verified{}, s.failed(e.Certificates)
}

// arithmetic is all that goxmldsig is asked: does this certificate's key verify this element. Its dates are policy and not ours to
// weigh, so the clock stands where they hold.
func arithmetic(view *etree.Element, c *x509.Certificate) (*etree.Element, error) {
	ctx := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{c}})
	ctx.Clock = dsig.NewFakeClockAt(c.NotBefore)
	return ctx.Validate(view)
}

// covered gives the assertion inside a verified Response; what is in a signed element is signed.
func covered(response verified, assertion *node) verified { return verified{assertion, response.by} }

const moreDsig = "http://www.w3.org/2001/04/xmldsig-more#"

// Algorithms by name (RFC 9231 section 2); the value tells SHA-1.
var (
	rsaMethods   = map[string]bool{moreDsig + "rsa-sha256": false, moreDsig + "rsa-sha384": false, moreDsig + "rsa-sha512": false, nsSignature + "rsa-sha1": true}
	ecdsaMethods = map[string]bool{moreDsig + "ecdsa-sha256": false, moreDsig + "ecdsa-sha384": false, moreDsig + "ecdsa-sha512": false, moreDsig + "ecdsa-sha1": true}
	digests      = map[string]bool{nsEncryption + "sha256": false, moreDsig + "sha384": false, nsEncryption + "sha512": false, nsSignature + "sha1": true}
)

// algorithms holds the signature to the lists and tells whether SHA-1 is among what it uses.
func (s *signature) algorithms(e Expectation) (weak bool, err error) {
	byRSA, isRSA := rsaMethods[s.method]
	byECDSA, isECDSA := ecdsaMethods[s.method]
	if !isRSA && !isECDSA {
		return false, refuse(CodeAlgorithmNotAllowed, "RSA or ECDSA with SHA-256, SHA-384 or SHA-512", s.method, "The signature's algorithm is not accepted.")
	}
	digest, known := digests[s.digest]
	if !known {
		return false, refuse(CodeAlgorithmNotAllowed, "SHA-256, SHA-384 or SHA-512", s.digest, "The signature's digest is not accepted.")
	}
	weak = byRSA || byECDSA || digest
	if weak && !sha1Allowed(e) {
		return false, refuse(CodeAlgorithmNotAllowed, "SHA-256 or better", "SHA-1", "The signature uses SHA-1, which this connection does not accept.")
	}
	return weak, nil
}

// candidates are the trusted certificates whose keys fit the algorithm and are strong enough, the one that the message names first:
// that is the order of trying and nothing more.
func (s *signature) candidates(trusted []*x509.Certificate) ([]*x509.Certificate, error) {
	if len(trusted) == 0 {
		return nil, refuse(CodeCertificateUnknown, "a certificate of the connection", "none", "The connection has no certificate to verify signatures with.")
	}
	_, byRSA := rsaMethods[s.method]
	var fit []*x509.Certificate
	var unfit []string
	for _, c := range trusted {
		switch kind, strong := strength(c); {
		case !strong || strings.HasPrefix(kind, "RSA") != byRSA:
			unfit = append(unfit, kind)
		case s.named != nil && c.Equal(s.named):
			fit = append([]*x509.Certificate{c}, fit...)
		default:
			fit = append(fit, c)
		}
	}
	if len(fit) == 0 {
		return nil, refuse(CodeAlgorithmNotAllowed, "RSA from 2,048 bits or ECDSA on P-256, P-384, P-521, as the signature says", strings.Join(unfit, ", "),
			"No certificate of the connection fits the signature's algorithm.")
	}
	return fit, nil
}

const minRSABits = 2048

// strength names a certificate's key and tells whether it is accepted.
func strength(c *x509.Certificate) (kind string, strong bool) {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return "RSA " + strconv.Itoa(key.N.BitLen()), key.N.BitLen() >= minRSABits
	case *ecdsa.PublicKey:
		return "ECDSA " + key.Curve.Params().Name, key.Curve == elliptic.P256() || key.Curve == elliptic.P384() || key.Curve == elliptic.P521()
	}
	return c.PublicKeyAlgorithm.String(), false
}

// view is the element as goxmldsig gets it: the same children, with the namespaces of its ancestors declared on it, and with the
// Signature first, without its KeyInfo, its value as goxmldsig reads it. Nothing of that is part of what is digested. Nested
// signatures keep theirs, since this one covers them.
func (s *signature) view(n *node, value string) *etree.Element {
	own := &etree.Element{Space: s.node.el.Space, Tag: s.node.el.Tag, Attr: s.node.el.Attr}
	for _, child := range s.node.kids {
		switch child.local {
		case "SignedInfo":
			// A copy that knows its place: goxmldsig puts the canonical form where the element says it stands, and white space
			// before it, which stays behind here, would make that another place.
			own.AddChild(child.el.Copy())
		case "SignatureValue":
			el := &etree.Element{Space: child.el.Space, Tag: child.el.Tag, Attr: child.el.Attr}
			el.SetText(value)
			own.AddChild(el)
		}
	}
	view := &etree.Element{Space: n.el.Space, Tag: n.el.Tag, Attr: inherited(n)}
	view.Child = make([]etree.Token, 0, len(n.el.Child))
	view.Child = append(view.Child, own)
	for _, child := range n.el.Child {
		if child != etree.Token(s.node.el) {
			view.Child = append(view.Child, child)
		}
	}
	return view
}

// inherited gives an element's attributes with the declarations of its ancestors that it does not override.
func inherited(n *node) []etree.Attr {
	attrs := append([]etree.Attr(nil), n.el.Attr...)
	for up := n.parent; up != nil; up = up.parent {
		for _, a := range up.el.Attr {
			if _, is := declaredPrefix(a.Space, a.Key); is && !has(attrs, a) {
				attrs = append(attrs, a)
			}
		}
	}
	return attrs
}

func has(attrs []etree.Attr, a etree.Attr) bool {
	for i := range attrs {
		if attrs[i].Space == a.Space && attrs[i].Key == a.Key {
			return true
		}
	}
	return false
}

// encoded is the signature's value for goxmldsig, which hands it to crypto/x509 as it is. That is right for RSA. ECDSA's r and s stand
// side by side in XML, each as long as the curve's order (RFC 9231 section 2.3.6), and in ASN.1 in X.509. A value of another length is
// none of this key.
func (s *signature) encoded(c *x509.Certificate) (value string, ok bool) {
	key, is := c.PublicKey.(*ecdsa.PublicKey)
	if !is {
		return base64.StdEncoding.EncodeToString(s.value), true
	}
	size := (key.Curve.Params().N.BitLen() + 7) / 8
	if len(s.value) != 2*size {
		return "", false
	}
	der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(s.value[:size]), new(big.Int).SetBytes(s.value[size:])})
	return base64.StdEncoding.EncodeToString(der), err == nil
}

// failed says why no certificate verified: the message names another one, or it was changed.
func (s *signature) failed(trusted []*x509.Certificate) error {
	var ours []string
	for _, c := range trusted {
		if s.named != nil && c.Equal(s.named) {
			return refuse(CodeSignatureInvalid, "a signature that holds", "one that does not", "The signature does not hold: the message was changed after it was signed.")
		}
		ours = append(ours, fingerprint(c))
	}
	if s.named == nil {
		return refuse(CodeSignatureInvalid, "a signature by "+strings.Join(ours, " or "), "one that none of them made", "The signature does not hold with any certificate of the connection.")
	}
	return refuse(CodeCertificateUnknown, "SHA-256 "+strings.Join(ours, " or "), "SHA-256 "+fingerprint(s.named),
		"The message is signed with a certificate that the connection does not know.")
}

func sum(c *x509.Certificate) [32]byte { return sha256.Sum256(c.Raw) }
