package samltest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha512" // the longer SHA-2
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// Names of algorithms (RFC 9231).
const (
	RSASHA1     = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
	RSASHA256   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	RSASHA384   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384"
	RSASHA512   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"
	RSAPSS      = "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"
	ECDSASHA1   = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1"
	ECDSASHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
	ECDSASHA384 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
	ECDSASHA512 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"
	HMACSHA256  = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
	Exclusive   = "http://www.w3.org/2001/10/xml-exc-c14n#"
	Enveloped   = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
	namespace   = "http://www.w3.org/2000/09/xmldsig#"
)

// Over signs the element with an ID and puts the Signature behind its Issuer, or first in it where there is none. The rest of the
// document stays as it is, byte for byte.
func (s Signer) Over(doc, id string) string {
	tree := parse(doc)
	el := find(tree.Root(), id)
	signature := s.Signature(canonical(el, s.Prefixes), id)
	if el.Space == "" {
		signature = strings.NewReplacer("xmlns:ds=", "xmlns=", "<ds:", "<", "</ds:", "</").Replace(signature)
		signature = s.resigned(signature)
	}
	return insert(doc, id, signature)
}

// Signature makes a Signature over canonical bytes.
func (s Signer) Signature(content []byte, id string) string {
	info := s.info(content, id)
	return `<ds:Signature xmlns:ds="` + namespace + `">` + info + `<ds:SignatureValue>` + s.value(info) + `</ds:SignatureValue>` + s.keyInfo() + `</ds:Signature>`
}

// resigned signs a Signature's SignedInfo once more after its prefixes were changed.
func (s Signer) resigned(signature string) string {
	info := parse(signature).Root().SelectElement("SignedInfo")
	value := s.sign(canonical(info, ""))
	from, until := strings.Index(signature, "<SignatureValue>"), strings.Index(signature, "</SignatureValue>")
	return signature[:from] + "<SignatureValue>" + value + signature[until:]
}

func (s Signer) info(content []byte, id string) string {
	uri := "#" + id
	if s.URI != nil {
		uri = s.URI(id)
	}
	transforms := s.Transforms
	if transforms == "" {
		transforms = `<ds:Transform Algorithm="` + Enveloped + `"></ds:Transform>` + s.exclusive()
	}
	value := s.DigestValue
	if value == "" {
		value = base64.StdEncoding.EncodeToString(hash(s.Digest, content))
	}
	info := `<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="` + or(s.Canonicalization, Exclusive) + `"></ds:CanonicalizationMethod>` +
		`<ds:SignatureMethod Algorithm="` + s.method() + `"></ds:SignatureMethod>` +
		`<ds:Reference URI="` + uri + `"><ds:Transforms>` + transforms + `</ds:Transforms>` +
		`<ds:DigestMethod Algorithm="` + or(s.Digest, DigestSHA256) + `"></ds:DigestMethod><ds:DigestValue>` + value + `</ds:DigestValue></ds:Reference></ds:SignedInfo>`
	if s.SignedInfo != nil {
		info = s.SignedInfo(info)
	}
	return info
}

func (s Signer) exclusive() string {
	if s.Prefixes == "" {
		return `<ds:Transform Algorithm="` + Exclusive + `"></ds:Transform>`
	}
	return `<ds:Transform Algorithm="` + Exclusive + `"><ec:InclusiveNamespaces xmlns:ec="` + Exclusive + `" PrefixList="` + s.Prefixes + `"></ec:InclusiveNamespaces></ds:Transform>`
}

func (s Signer) method() string {
	if s.Method != "" {
		return s.Method
	}
	if _, is := s.Key.(*ecdsa.PrivateKey); is {
		return ECDSASHA256
	}
	return RSASHA256
}

func (s Signer) keyInfo() string {
	switch s.KeyInfo {
	case "none":
		return ""
	case "":
		return `<ds:KeyInfo><ds:X509Data><ds:X509Certificate>` + base64.StdEncoding.EncodeToString(s.Certificate.Raw) + `</ds:X509Certificate></ds:X509Data></ds:KeyInfo>`
	}
	return s.KeyInfo
}

// value signs SignedInfo in canonical form.
func (s Signer) value(info string) string {
	el := parse(`<ds:Signature xmlns:ds="` + namespace + `">` + info + `</ds:Signature>`).Root().ChildElements()[0]
	return s.sign(canonical(el, ""))
}

func (s Signer) sign(content []byte) string {
	algorithm := hashOf(s.method())
	h := algorithm.New()
	h.Write(content)
	digest := h.Sum(nil)
	var raw []byte
	switch key := s.Key.(type) {
	case *ecdsa.PrivateKey:
		r, v, err := ecdsa.Sign(rand.Reader, key, digest)
		must(0, err)
		raw = sideBySide(r, v, (key.Params().N.BitLen()+7)/8)
	case *rsa.PrivateKey:
		raw = s.rsa(key, algorithm, digest, content)
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func (s Signer) rsa(key *rsa.PrivateKey, algorithm crypto.Hash, digest, content []byte) []byte {
	switch s.method() {
	case HMACSHA256: // keyed with what everybody knows, the public certificate
		mac := hmac.New(crypto.SHA256.New, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate.Raw}))
		mac.Write(content)
		return mac.Sum(nil)
	case RSAPSS:
		return must(rsa.SignPSS(rand.Reader, key, algorithm, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}))
	}
	return must(rsa.SignPKCS1v15(rand.Reader, key, algorithm, digest))
}

func sideBySide(r, s *big.Int, size int) []byte {
	out := make([]byte, 2*size)
	r.FillBytes(out[:size])
	s.FillBytes(out[size:])
	return out
}

func hashOf(algorithm string) crypto.Hash {
	switch {
	case strings.HasSuffix(algorithm, "sha1"):
		return crypto.SHA1
	case strings.HasSuffix(algorithm, "sha384"):
		return crypto.SHA384
	case strings.HasSuffix(algorithm, "sha512"):
		return crypto.SHA512
	}
	return crypto.SHA256
}

func hash(algorithm string, content []byte) []byte {
	h := hashOf(or(algorithm, DigestSHA256)).New()
	h.Write(content)
	return h.Sum(nil)
}

// Canonical gives the exclusive canonical form of the element with an ID, without its own Signature.
func Canonical(doc []byte, id string) []byte {
	el := find(parse(string(doc)).Root(), id)
	for _, child := range el.ChildElements() {
		if child.Tag == "Signature" {
			el.RemoveChild(child)
		}
	}
	return canonical(el, "")
}

func canonical(el *etree.Element, prefixes string) []byte {
	detached := el.Copy()
	for up := el.Parent(); up != nil; up = up.Parent() {
		for _, a := range up.Attr {
			if (a.Space == "xmlns" || a.Space == "" && a.Key == "xmlns") && detached.SelectAttr(a.FullKey()) == nil {
				detached.Attr = append(detached.Attr, a)
			}
		}
	}
	return must(dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList(prefixes).Canonicalize(detached))
}

// insert puts text behind the Issuer of the element with an ID.
func insert(doc, id, text string) string {
	tag := strings.Index(doc, `ID="`+id+`"`)
	start := tag + strings.IndexByte(doc[tag:], '>') + 1
	rest := doc[start:]
	for _, prefix := range []string{"saml:", ""} {
		if end := "</" + prefix + "Issuer>"; strings.HasPrefix(rest, "<"+prefix+"Issuer") {
			start += strings.Index(rest, end) + len(end)
		}
	}
	return doc[:start] + text + doc[start:]
}

func parse(doc string) *etree.Document {
	d := etree.NewDocument()
	must(0, d.ReadFromString(doc))
	return d
}

func write(el *etree.Element) string {
	d := etree.NewDocument()
	d.WriteSettings.CanonicalText, d.WriteSettings.CanonicalAttrVal = true, true
	d.SetRoot(el.Copy())
	var b bytes.Buffer
	must(d.WriteTo(&b))
	return b.String()
}

// find gives the first element with an ID, in the order of the document.
func find(el *etree.Element, id string) *etree.Element {
	if el.SelectAttrValue("ID", "") == id {
		return el
	}
	for _, child := range el.ChildElements() {
		if found := find(child, id); found != nil {
			return found
		}
	}
	return nil
}

// Text writes an element.
func Text(el *etree.Element) string { return write(el) }
