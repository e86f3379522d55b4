// Package samltest is an identity provider that does what it is told, for tests and benchmarks: it makes good responses in every layout,
// signs them with real keys, and builds the evil documents of the literature out of them. Documents are text, so that a test can change
// them before signing (what a strange identity provider would send) and after it (what an attacker would).
//
//	idp := samltest.New("https://idp.example/metadata")
//	message := idp.Message(samltest.To{EntityID: "https://sp.example/saml/k", ACS: "https://sp.example/saml/k/acs"}, now)
//	response := idp.Respond(message, samltest.AssertionSigned)
//
// It panics where a test is written wrongly; nothing of it is used outside of tests.
package samltest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"embed"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"html"
	"math/big"
	"strings"
	"sync"
	"time"
)

// Layout is what of a response is signed.
type Layout int

// The three layouts that identity providers use.
const (
	ResponseSigned Layout = iota
	AssertionSigned
	BothSigned
)

// Layouts lists them all.
func Layouts() []Layout { return []Layout{ResponseSigned, AssertionSigned, BothSigned} }

func (l Layout) String() string {
	return [...]string{"response signed", "assertion signed", "both signed"}[l]
}

// IDP is an identity provider with one key.
type IDP struct {
	EntityID string
	Signer
}

// Signer is a key, the certificate that goes with it, and how to sign with them. Everything but the key may be set to something wrong.
type Signer struct {
	Key         crypto.Signer
	Certificate *x509.Certificate
	Method      string // SignatureMethod; "" is RSA or ECDSA with SHA-256
	Digest      string // DigestMethod; "" is SHA-256
	KeyInfo     string // XML; "" holds the certificate, "none" leaves KeyInfo out

	Canonicalization string              // of SignedInfo; "" is exclusive
	Transforms       string              // XML in Transforms; "" is enveloped and exclusive
	Prefixes         string              // PrefixList of the exclusive transform
	URI              func(string) string // makes the reference's URI of the ID; nil: # and the ID
	SignedInfo       func(string) string // changes SignedInfo before it is signed
	DigestValue      string              // instead of the true one
}

// New makes an identity provider with an RSA key of 2,048 bits. Providers of one name share their key within a process, since keys
// are slow to make; their certificate begins in 2020 and ends in 2040.
func New(entityID string) *IDP {
	return &IDP{EntityID: entityID, Signer: NewSigner(RSA(entityID, 2048), Year(2020), Year(2040))}
}

// NewSigner makes a certificate for a key, signed by itself.
func NewSigner(key crypto.Signer, from, until time.Time) Signer {
	template := &x509.Certificate{SerialNumber: big.NewInt(from.Unix()), Subject: pkix.Name{CommonName: "signing"}, NotBefore: from, NotAfter: until}
	der := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	return Signer{Key: key, Certificate: must(x509.ParseCertificate(der))}
}

// Year is its first moment.
func Year(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }

type keyName struct {
	name string
	bits int
}

// keys are those of this process.
var keys = struct {
	sync.Mutex
	made  map[keyName]*rsa.PrivateKey
	spare int
}{made: map[keyName]*rsa.PrivateKey{}}

//go:embed keys
var files embed.FS

// First and Second are the names of two keys of 2,048 bits that are the same in every process. Fuzzing needs that: its workers are
// processes of their own and get documents that another one signed. The keys protect nothing.
const (
	First  = "first"
	Second = "second"
)

// RSA gives the key of a name, made at first use. The first six of 2,048 bits are not made but read, since making one takes as long as
// many tests do.
func RSA(name string, bits int) *rsa.PrivateKey {
	keys.Lock()
	defer keys.Unlock()
	if key := keys.made[keyName{name, bits}]; key != nil {
		return key
	}
	key := read(name)
	if key == nil && bits == 2048 {
		keys.spare++
		key = read(fmt.Sprint("spare", keys.spare))
	}
	if key == nil {
		key = must(rsa.GenerateKey(rand.Reader, bits))
	}
	keys.made[keyName{name, bits}] = key
	return key
}

// read gives the key in a file of that name, or nil.
func read(name string) *rsa.PrivateKey {
	text, err := files.ReadFile("keys/" + name + ".pem")
	if err != nil {
		return nil
	}
	block, _ := pem.Decode(text)
	return must(x509.ParsePKCS8PrivateKey(block.Bytes)).(*rsa.PrivateKey)
}

// ECDSA makes a new key on a curve.
func ECDSA(curve elliptic.Curve) *ecdsa.PrivateKey {
	return must(ecdsa.GenerateKey(curve, rand.Reader))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// To is whom a response is made for.
type To struct{ EntityID, ACS string }

// Message is a response before signing. Message of an IDP fills it with what is right; a test changes fields and leaves the rest.
type Message struct {
	ID, AssertionID        string
	InResponseTo           string // "" leaves it out in both places
	Issuer                 string // of both
	Destination, Recipient string
	Audience               string
	NameID, NameIDFormat   string
	SessionIndex           string
	Context                string
	Now                    time.Time     // when it is issued and the person signed in
	Life                   time.Duration // until NotOnOrAfter
	Attributes             []Attribute
	Microsoft              bool // default namespaces instead of prefixes on the assertion and the signature, as Entra ID and AD FS write
}

// Attribute is one attribute with its values.
type Attribute struct {
	Name   string
	Values []string
}

// The IDs that Message uses unless told otherwise.
const (
	ResponseID  = "_response-1"
	AssertionID = "_assertion-1"
)

// Person is the NameID that Message uses unless told otherwise.
const Person = "alice@acme.example"

// Message makes a right one: issued now, good for five minutes, about Person, answering _request-1.
func (p *IDP) Message(to To, now time.Time) Message {
	return Message{
		ID: ResponseID, AssertionID: AssertionID, InResponseTo: "_request-1", Issuer: p.EntityID,
		Destination: to.ACS, Recipient: to.ACS, Audience: to.EntityID,
		NameID: Person, NameIDFormat: "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
		SessionIndex: "_session-1", Context: "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
		Now: now, Life: 5 * time.Minute,
		Attributes: []Attribute{
			{"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", []string{Person}},
			{"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname", []string{"Alice"}},
			{"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname", []string{"Liddell"}},
			{"http://schemas.microsoft.com/identity/claims/objectidentifier", []string{"1f3c6f4e-55d7-4f4d-9a55-7f2b1c1f6a11"}},
			{"groups", []string{"engineering", "admins", "everyone"}},
		},
	}
}

// XML writes the message without signatures.
func (m Message) XML() string {
	at := m.Now.UTC().Format("2006-01-02T15:04:05.000Z")
	return `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"` +
		attr("ID", m.ID) + attr("Version", "2.0") + attr("IssueInstant", at) + attr("Destination", m.Destination) + attr("InResponseTo", m.InResponseTo) + `>` +
		`<saml:Issuer>` + html.EscapeString(m.Issuer) + `</saml:Issuer>` +
		`<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>` +
		m.assertion(at) + `</samlp:Response>`
}

func (m Message) assertion(at string) string {
	until := m.Now.Add(m.Life).UTC().Format("2006-01-02T15:04:05.000Z")
	text := `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"` + attr("ID", m.AssertionID) + attr("Version", "2.0") + attr("IssueInstant", at) + `>` +
		`<saml:Issuer>` + html.EscapeString(m.Issuer) + `</saml:Issuer>` +
		`<saml:Subject><saml:NameID` + attr("Format", m.NameIDFormat) + `>` + html.EscapeString(m.NameID) + `</saml:NameID>` +
		`<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData` +
		attr("NotOnOrAfter", until) + attr("Recipient", m.Recipient) + attr("InResponseTo", m.InResponseTo) + `/></saml:SubjectConfirmation></saml:Subject>` +
		`<saml:Conditions` + attr("NotBefore", at) + attr("NotOnOrAfter", until) + `><saml:AudienceRestriction><saml:Audience>` +
		html.EscapeString(m.Audience) + `</saml:Audience></saml:AudienceRestriction></saml:Conditions>` +
		`<saml:AuthnStatement` + attr("AuthnInstant", at) + attr("SessionIndex", m.SessionIndex) + `><saml:AuthnContext><saml:AuthnContextClassRef>` +
		html.EscapeString(m.Context) + `</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>` + m.attributes() + `</saml:Assertion>`
	if m.Microsoft {
		text = strings.NewReplacer("xmlns:saml=", "xmlns=", "<saml:", "<", "</saml:", "</").Replace(text)
	}
	return text
}

func (m Message) attributes() string {
	if len(m.Attributes) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString(`<saml:AttributeStatement>`)
	for _, a := range m.Attributes {
		b.WriteString(`<saml:Attribute` + attr("Name", a.Name) + `>`)
		for _, v := range a.Values {
			b.WriteString(`<saml:AttributeValue>` + html.EscapeString(v) + `</saml:AttributeValue>`)
		}
		b.WriteString(`</saml:Attribute>`)
	}
	b.WriteString(`</saml:AttributeStatement>`)
	return b.String()
}

func attr(key, value string) string {
	if value == "" {
		return ""
	}
	return " " + key + `="` + html.EscapeString(value) + `"`
}

// Denial is an error response (core 3.2.2.2): codes from the outermost inwards, without their common beginning.
func (m Message) Denial(words string, codes ...string) string {
	var open, shut string
	for i, c := range codes {
		open += `<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:` + html.EscapeString(c) + `"`
		if i == len(codes)-1 {
			open += `/>`
			break
		}
		open, shut = open+`>`, shut+`</samlp:StatusCode>`
	}
	if words != "" {
		shut += `<samlp:StatusMessage>` + html.EscapeString(words) + `</samlp:StatusMessage>`
	}
	doc := m.XML()
	status := doc[strings.Index(doc, `<samlp:Status>`):strings.Index(doc, `</samlp:Response>`)]
	return strings.Replace(doc, status, `<samlp:Status>`+open+shut+`</samlp:Status>`, 1)
}

// Respond makes and signs a response.
func (p *IDP) Respond(m Message, l Layout) []byte {
	return []byte(p.Sign(m.XML(), m.ID, m.AssertionID, l))
}

// Sign signs a document by a layout: the assertion first, the response around it last.
func (s Signer) Sign(doc, responseID, assertionID string, l Layout) string {
	if l != ResponseSigned {
		doc = s.Over(doc, assertionID)
	}
	if l != AssertionSigned {
		doc = s.Over(doc, responseID)
	}
	return doc
}

// Post encodes a document as the POST binding does.
func Post(doc []byte) string { return base64.StdEncoding.EncodeToString(doc) }

// Seal turns the assertion of a document into an encrypted one.
func Seal(doc string, to *rsa.PublicKey, s Sealing) string {
	from, until := assertionIn(doc)
	el := must(Encrypt([]byte(doc[from:until]), to, s))
	return doc[:from] + write(el) + doc[until:]
}

func assertionIn(doc string) (from, until int) {
	for _, prefix := range []string{"saml:", ""} {
		from, until = strings.Index(doc, "<"+prefix+"Assertion "), strings.LastIndex(doc, "</"+prefix+"Assertion>")
		if from >= 0 && until >= 0 {
			return from, until + len("</"+prefix+"Assertion>")
		}
	}
	panic(fmt.Sprintf("no assertion in %s", doc))
}
