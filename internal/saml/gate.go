package saml

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/beevik/etree"
	rtvalidator "github.com/mattermost/xml-roundtrip-validator"
)

// Namespaces beside those of names.go.
const (
	nsSignature11 = "http://www.w3.org/2009/xmldsig11#"
	nsExclusive   = "http://www.w3.org/2001/10/xml-exc-c14n#"
	nsXML         = "http://www.w3.org/XML/1998/namespace"
	nsXMLNS       = "http://www.w3.org/2000/xmlns/"
)

// What a document may be at most.
const (
	maxDocument = 256 << 10
	maxTokens   = 20_000
	maxDepth    = 32
	maxPrefixes = 32 // declarations in scope at one place
	maxAttrs    = 64 // of one element
	maxName     = 1024
)

// DecodePost undoes the encoding of the HTTP-POST binding (bindings 3.5.4): base64 and nothing else. Line breaks, which some
// identity providers add, are no part of it (RFC 2045); any other foreign character refuses the whole.
func DecodePost(encoded string) ([]byte, error) {
	if len(encoded) > base64.StdEncoding.EncodedLen(maxDocument)*2 {
		return nil, tooLarge(len(encoded))
	}
	data, err := base64.StdEncoding.Strict().DecodeString(encoded)
	switch {
	case err != nil:
		return nil, refuse(CodeMalformed, "base64", err.Error(), "The message is not encoded as the POST binding asks.")
	case len(data) > maxDocument:
		return nil, tooLarge(len(data))
	}
	return data, nil
}

func tooLarge(size int) *Error {
	return refuse(CodeMalformed, "at most "+strconv.Itoa(maxDocument)+" bytes", strconv.Itoa(size), "The message is too large.")
}

// node is an element with its namespace resolved. el is what it was made from and what goxmldsig works on.
type node struct {
	space, local string
	text         string // its own character data
	el           *etree.Element
	parent       *node
	kids         []*node
}

func (n *node) is(space, local string) bool { return n.local == local && n.space == space }

// attr gives an attribute without a prefix, which is the only kind that SAML and XML Signature define.
func (n *node) attr(key string) (string, bool) {
	for i := range n.el.Attr {
		if a := &n.el.Attr[i]; a.Space == "" && a.Key == key {
			return a.Value, true
		}
	}
	return "", false
}

func (n *node) value(key string) string {
	v, _ := n.attr(key)
	return v
}

// gate reads a document once. What it returns was built from the tokens that it judged, so that no second parser can have seen
// another document. Every refusal is malformed.
func gate(data []byte) (*node, error) {
	if err := gateBytes(data); err != nil {
		return nil, err
	}
	dec := xml.NewDecoder(bytes.NewReader(data)) //nolint:gosec // the raw tokens of what nobody trusts; judging them is what this is for
	r := &reader{dec: dec, ids: map[string]bool{}, bound: map[string]string{}, sound: map[string]bool{}}
	for {
		at := r.dec.InputOffset()
		token, err := r.dec.RawToken()
		if errors.Is(err, io.EOF) {
			return r.end()
		}
		if err != nil {
			return nil, wrongXML("well-formed XML", err.Error())
		}
		if r.tokens++; r.tokens > maxTokens {
			return nil, wrongXML("at most "+strconv.Itoa(maxTokens)+" tokens", "more")
		}
		if err := r.token(token, at); err != nil {
			return nil, err
		}
	}
}

// gateBytes judges what the token pass cannot see: encoding/xml skips nothing at the front, but it hides CDATA from its caller.
func gateBytes(data []byte) error {
	switch {
	case len(data) > maxDocument:
		return tooLarge(len(data))
	case !utf8.Valid(data):
		return wrongXML("UTF-8", "another encoding")
	case bytes.HasPrefix(data, []byte("\ufeff")):
		return wrongXML("no byte order mark", "one")
	case bytes.Contains(data, []byte("<![CDATA[")):
		return wrongXML("no CDATA section", "one")
	}
	return nil
}

func wrongXML(wanted, got string) *Error {
	return refuse(CodeMalformed, wanted, got, "The message is not XML as it is accepted here: wanted %s.", wanted)
}

// reader is the state of the one pass.
type reader struct {
	dec    *xml.Decoder
	tokens int
	root   *node
	top    *node
	depth  int
	scope  scope
	ids    map[string]bool
	bound  map[string]string // prefix to the namespace it was bound to first
	sound  map[string]bool   // start tags whose names survived a round trip
}

func (r *reader) token(t xml.Token, at int64) error {
	switch t := t.(type) {
	case xml.StartElement:
		return r.start(t)
	case xml.EndElement:
		return r.close(t)
	case xml.CharData:
		return r.chars(t)
	case xml.ProcInst:
		return declaration(t, at)
	case xml.Comment:
		return wrongXML("no comment", string(t))
	default:
		return wrongXML("no document type", "one")
	}
}

// xmlDeclaration is what may stand in <?xml …?> (XML 1.0 section 2.8). encoding/xml reads it loosely: it takes the first thing that
// ends in encoding= for the encoding.
var xmlDeclaration = regexp.MustCompile(`^version=("1\.0"|'1\.0')([ \t\r\n]+encoding=("(?i:UTF-8)"|'(?i:UTF-8)'))?([ \t\r\n]+standalone=("(yes|no)"|'(yes|no)'))?[ \t\r\n]*$`)

// declaration lets the XML declaration pass at the very front.
func declaration(t xml.ProcInst, at int64) error {
	if t.Target != "xml" || at != 0 {
		return wrongXML("no processing instruction", t.Target)
	}
	if !xmlDeclaration.Match(t.Inst) {
		return wrongXML("an XML declaration of version 1.0 and UTF-8", string(t.Inst))
	}
	return nil
}

func (r *reader) start(t xml.StartElement) error {
	if r.top == nil && r.root != nil {
		return wrongXML("one root element", "a second one, "+t.Name.Local)
	}
	if r.depth++; r.depth > maxDepth {
		return wrongXML("at most "+strconv.Itoa(maxDepth)+" levels", "more")
	}
	if err := r.names(t); err != nil {
		return err
	}
	el := r.element(t)
	if err := r.scope.push(el.Attr); err != nil {
		return err
	}
	if err := r.bindings(el.Attr); err != nil {
		return err
	}
	n, err := r.scope.node(el, r.top)
	if err != nil {
		return err
	}
	if err := r.identities(n); err != nil {
		return err
	}
	if r.top == nil {
		r.root = n
	}
	r.top = n
	return nil
}

// names wants every name to be [prefix:]name in ASCII, as all of SAML's are, each attribute once, and the tag to come out of
// encoding/xml as it went in (CVE-2020-29509, -29510, -29511). The last is asked once for each combination of names, since it costs
// as much as the rest of the gate and values play no part in it.
func (r *reader) names(t xml.StartElement) error {
	if len(t.Attr) > maxAttrs {
		return wrongXML("at most "+strconv.Itoa(maxAttrs)+" attributes", strconv.Itoa(len(t.Attr)))
	}
	key := make([]byte, 0, 128)
	key = append(append(append(key, t.Name.Space...), ':'), t.Name.Local...)
	for _, a := range t.Attr {
		key = append(append(append(append(key, ' '), a.Name.Space...), ':'), a.Name.Local...)
	}
	if r.sound[string(key)] {
		return nil
	}
	if !qualified(t.Name) {
		return wrongXML("names of letters, digits and one colon at most", t.Name.Space+":"+t.Name.Local)
	}
	for i, a := range t.Attr {
		if !qualified(a.Name) {
			return wrongXML("names of letters, digits and one colon at most", a.Name.Space+":"+a.Name.Local)
		}
		for _, b := range t.Attr[:i] {
			if a.Name == b.Name {
				return wrongXML("each attribute once", a.Name.Local+" twice")
			}
		}
	}
	if err := rtvalidator.CheckToken(t); err != nil {
		return wrongXML("names that survive being written and read again", err.Error())
	}
	r.sound[string(key)] = true
	return nil
}

func qualified(n xml.Name) bool {
	return isNCName(n.Local) && (n.Space == "" || isNCName(n.Space))
}

// isNCName is the ASCII part of NCName (XML Names 1.0 section 3).
func isNCName(s string) bool {
	if s == "" || len(s) > maxName {
		return false
	}
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || (c < '0' || c > '9') && c != '-' && c != '.') {
			return false
		}
	}
	return true
}

// bindings: a prefix that ever meant one of the namespaces of SAML means nothing else in the document, so that nobody who compares
// prefixes instead of namespaces reads something else (CVE-2025-66567). The default namespace is free: Microsoft's documents change it
// from element to element.
func (r *reader) bindings(attrs []etree.Attr) error {
	for _, a := range attrs {
		if a.Space != "xmlns" {
			continue
		}
		before, known := r.bound[a.Key]
		if known && before != a.Value && (sensitive(before) || sensitive(a.Value)) {
			return wrongXML("a prefix that means one namespace", a.Key+" means two")
		}
		if !known || sensitive(a.Value) {
			r.bound[a.Key] = a.Value
		}
	}
	return nil
}

func sensitive(uri string) bool {
	switch uri {
	case nsAssertion, nsProtocol, nsMetadata, nsSignature, nsSignature11, nsEncryption, nsEncryption11, nsExclusive:
		return true
	}
	return false
}

// element adds the element to the tree.
func (r *reader) element(t xml.StartElement) *etree.Element {
	el := &etree.Element{Space: t.Name.Space, Tag: t.Name.Local, Attr: make([]etree.Attr, len(t.Attr))}
	for i, a := range t.Attr {
		el.Attr[i] = etree.Attr{Space: a.Name.Space, Key: a.Name.Local, Value: a.Value}
	}
	if r.top != nil {
		r.top.el.AddChild(el)
	}
	return el
}

// identities: an ID is written ID on an element of SAML and Id on one of XML Signature and XML Encryption, each value is there once.
// Whoever looks for any other (id, xml:id, x:ID) would find something else than we do.
func (r *reader) identities(n *node) error {
	for _, a := range n.el.Attr {
		if !strings.EqualFold(a.Key, "id") || a.Space == "xmlns" {
			continue
		}
		if a.Space != "" || a.Key != idAttribute(n.space) {
			return wrongXML("ID attributes where SAML and XML Signature have them", strings.TrimPrefix(a.Space+":", ":")+a.Key+" on "+n.local)
		}
		if !isNCName(a.Value) {
			return wrongXML("an ID that is a name", a.Value)
		}
		if r.ids[a.Value] {
			return wrongXML("each ID once", a.Value+" twice")
		}
		r.ids[a.Value] = true
	}
	return nil
}

func idAttribute(space string) string {
	switch space {
	case nsAssertion, nsProtocol, nsMetadata:
		return "ID"
	case nsSignature, nsSignature11, nsEncryption, nsEncryption11:
		return "Id"
	}
	return ""
}

func (r *reader) close(t xml.EndElement) error {
	if r.top == nil || r.top.el.Tag != t.Name.Local || r.top.el.Space != t.Name.Space {
		return wrongXML("well-formed XML", "an end of "+t.Name.Local+" that was not open")
	}
	r.scope.pop()
	r.depth--
	r.top = r.top.parent
	return nil
}

func (r *reader) chars(t xml.CharData) error {
	text := string(t)
	if r.top == nil {
		if !blank(text) {
			return wrongXML("nothing outside the root element", text)
		}
		return nil
	}
	r.top.el.CreateText(text)
	return r.top.write(text)
}

// write adds character data. An element holds text or elements, never both: text around an element is read in part by one program and
// as a whole by another (CVE-2017-11427 and its kin). White space between elements is nothing.
func (n *node) write(text string) error {
	switch {
	case len(n.kids) == 0:
		n.text = text
	case !blank(text):
		return mixed(n)
	}
	return nil
}

func mixed(n *node) error { return wrongXML("text or elements in "+n.local, "both") }

func (r *reader) end() (*node, error) {
	if r.root == nil || r.top != nil {
		return nil, wrongXML("one whole element", "less")
	}
	return r.root, nil
}

// blank tells white space as XML has it, which is not what unicode has.
func blank(s string) bool { return strings.Trim(s, " \t\r\n") == "" }

// scope holds the namespace declarations that are in force, the innermost last.
type scope struct {
	declared []etree.Attr // Key is the prefix
	marks    []int
}

// push enters an element.
func (s *scope) push(attrs []etree.Attr) error {
	s.marks = append(s.marks, len(s.declared))
	for _, a := range attrs {
		prefix, is := declaredPrefix(a.Space, a.Key)
		if !is {
			continue
		}
		if err := declarable(prefix, a.Value); err != nil {
			return err
		}
		s.declared = append(s.declared, etree.Attr{Key: prefix, Value: a.Value})
	}
	if len(s.declared) > maxPrefixes {
		return wrongXML("at most "+strconv.Itoa(maxPrefixes)+" namespace prefixes", "more")
	}
	return nil
}

func (s *scope) pop() {
	last := len(s.marks) - 1
	s.declared, s.marks = s.declared[:s.marks[last]], s.marks[:last]
}

// declaredPrefix tells whether an attribute declares a namespace, and for which prefix.
func declaredPrefix(space, key string) (prefix string, is bool) {
	if space == "xmlns" {
		return key, true
	}
	return "", space == "" && key == "xmlns"
}

// declarable: a namespace is an absolute URI. Canonical XML refuses relative ones, and libraries that ignore the refusal sign the
// empty text (CVE-2025-66568). Nothing of XML's own may be declared either.
func declarable(prefix, uri string) error {
	if prefix == "xml" || prefix == "xmlns" || uri == nsXML || uri == nsXMLNS {
		return wrongXML("no namespace of XML itself", prefix)
	}
	scheme, _, ok := strings.Cut(uri, ":")
	if !ok || !isNCName(strings.ReplaceAll(scheme, "+", "-")) {
		return wrongXML("absolute namespace URIs", uri)
	}
	return nil
}

func (s *scope) lookup(prefix string) (string, bool) {
	for i := len(s.declared) - 1; i >= 0; i-- {
		if s.declared[i].Key == prefix {
			return s.declared[i].Value, true
		}
	}
	if prefix == "xml" {
		return nsXML, true
	}
	return "", prefix == ""
}

// node resolves an element that was just entered. Two attributes of one name in one namespace are refused whatever their prefixes.
func (s *scope) node(el *etree.Element, parent *node) (*node, error) {
	n := &node{local: el.Tag, el: el, parent: parent}
	var known bool
	if n.space, known = s.lookup(el.Space); !known {
		return nil, wrongXML("declared prefixes", el.Space)
	}
	if parent != nil {
		if !blank(parent.text) {
			return nil, mixed(parent)
		}
		parent.kids = append(parent.kids, n)
	}
	for i := range el.Attr {
		if err := s.attribute(el.Attr, i); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (s *scope) attribute(attrs []etree.Attr, i int) error {
	a := attrs[i]
	if a.Space == "" || a.Space == "xmlns" {
		return nil
	}
	space, known := s.lookup(a.Space)
	if !known {
		return wrongXML("declared prefixes", a.Space)
	}
	for _, b := range attrs[:i] {
		if other, _ := s.lookup(b.Space); b.Space != "" && b.Key == a.Key && other == space {
			return wrongXML("each attribute once", a.Key+" twice")
		}
	}
	return nil
}

// resolve makes nodes of a tree whose bytes have passed the gate in another form: what goxmldsig parsed from the canonical bytes.
func resolve(el *etree.Element) (*node, error) {
	var s scope
	return s.resolve(el, nil)
}

func (s *scope) resolve(el *etree.Element, parent *node) (*node, error) {
	if err := s.push(el.Attr); err != nil {
		return nil, err
	}
	defer s.pop()
	n, err := s.node(el, parent)
	if err != nil {
		return nil, err
	}
	for _, child := range el.Child {
		switch child := child.(type) {
		case *etree.Element:
			if _, err := s.resolve(child, n); err != nil {
				return nil, err
			}
		case *etree.CharData:
			if err := n.write(child.Data); err != nil {
				return nil, err
			}
		default:
			return nil, wrongXML("elements and text", "something else")
		}
	}
	return n, nil
}
