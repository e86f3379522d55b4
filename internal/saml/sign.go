package saml

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// SignElement signs el in place as SAML wants it (core 5.4): one enveloped signature over the whole element by its ID attribute, exclusive
// canonicalisation, RSA-SHA256, the certificate in KeyInfo. The Signature becomes the child right behind the direct child whose local name is
// after, where the schemas have its place (behind Issuer); with after "" it becomes the first child, as in metadata. el may stand in a
// document; nothing inside it may be changed or indented afterwards. It refuses an element without ID, one that is signed already, and a
// key that is not the certificate's.
func SignElement(el *etree.Element, key *rsa.PrivateKey, cert *x509.Certificate, after string) error {
	at, err := signaturePlace(el, after)
	if err != nil {
		return err
	}
	if err := pair(key, cert); err != nil {
		return err
	}
	context, err := dsig.NewSigningContext(key, [][]byte{cert.Raw})
	if err != nil {
		return fmt.Errorf("sign %s: %w", el.Tag, err)
	}
	context.Hash = crypto.SHA256
	context.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	signature, err := context.ConstructSignature(detach(el), true)
	if err != nil {
		return fmt.Errorf("sign %s: %w", el.Tag, err)
	}
	el.InsertChildAt(at, signature)
	return nil
}

// signaturePlace gives the index among el's children at which its Signature belongs.
func signaturePlace(el *etree.Element, after string) (int, error) {
	if el.SelectAttrValue("ID", "") == "" {
		return 0, fmt.Errorf("sign %s: it has no ID to be referred to by", el.Tag)
	}
	at := -1
	if after == "" {
		at = 0
	}
	for _, child := range el.ChildElements() {
		if child.Tag == "Signature" && child.NamespaceURI() == nsSignature {
			return 0, fmt.Errorf("sign %s: it is signed already", el.Tag)
		}
		if at < 0 && child.Tag == after {
			at = child.Index() + 1
		}
	}
	if at < 0 {
		return 0, fmt.Errorf("sign %s: it has no %s to put the signature behind", el.Tag, after)
	}
	return at, nil
}

// pair refuses a key whose signatures the certificate would not verify: the other side would find out, we would not.
func pair(key *rsa.PrivateKey, cert *x509.Certificate) error {
	if key == nil || cert == nil {
		return errors.New("sign: a key and its certificate are needed")
	}
	if public, ok := cert.PublicKey.(*rsa.PublicKey); !ok || !key.PublicKey.Equal(public) {
		return errors.New("sign: the certificate belongs to another key")
	}
	return nil
}

// detach copies el with all namespaces that its ancestors declare for it, so that it means the same when it stands alone.
// Canonicalisation changes its argument, so a copy is needed anyway.
func detach(el *etree.Element) *etree.Element {
	alone := el.Copy()
	declared := map[string]bool{}
	for _, a := range el.Attr {
		declared[declaredName(a)] = true
	}
	for up := el.Parent(); up != nil; up = up.Parent() {
		for _, a := range up.Attr {
			if name := declaredName(a); name != "" && !declared[name] {
				declared[name] = true
				alone.CreateAttr(a.FullKey(), a.Value)
			}
		}
	}
	return alone
}

// declaredName gives the full name of a namespace declaration, "" for any other attribute.
func declaredName(a etree.Attr) string {
	if a.Space == "xmlns" || a.Space == "" && a.Key == "xmlns" {
		return a.FullKey()
	}
	return ""
}

// serialize writes el as a document in the form whose reading gives the same characters again: line ends inside values are written as
// references, since a parser would otherwise normalise them and break the signature.
func serialize(el *etree.Element) ([]byte, error) {
	doc := etree.NewDocumentWithRoot(el.Copy())
	doc.WriteSettings = etree.WriteSettings{CanonicalEndTags: false, CanonicalText: true, CanonicalAttrVal: true}
	return doc.WriteToBytes()
}
