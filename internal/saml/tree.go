package saml

import (
	"strings"

	"github.com/beevik/etree"
)

// childrenNamed gives the direct children with that name; nothing here ever searches deeper, since what lies deeper is somebody else's.
func childrenNamed(el *etree.Element, namespace, tag string) []*etree.Element {
	var found []*etree.Element
	for _, child := range el.ChildElements() {
		if child.Tag == tag && child.NamespaceURI() == namespace {
			found = append(found, child)
		}
	}
	return found
}

// plainText gives the text of an element that holds nothing else. A comment or an instruction in between is a refusal and never skipped: parsers
// differ in what they read then (CVE-2017-11427).
func plainText(el *etree.Element) (string, bool) {
	var text strings.Builder
	for _, child := range el.Child {
		data, ok := child.(*etree.CharData)
		if !ok {
			return "", false
		}
		text.WriteString(data.Data)
	}
	return text.String(), true
}

// withoutSpace takes XML white space out of base64, which others break into lines, often with carriage returns.
func withoutSpace(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '\n' || r == '\r' {
			return -1
		}
		return r
	}, s)
}
