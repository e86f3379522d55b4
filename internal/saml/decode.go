package saml

import (
	"strings"
	"time"
)

// The layouts inside an assertion.
var (
	subjectLayout = []slot{
		{nsAssertion, "NameID", 1, false},
		{nsAssertion, "SubjectConfirmation", 2, true},
	}
	confirmationLayout = []slot{
		{nsAssertion, "NameID", 1, false},
		{nsAssertion, "SubjectConfirmationData", 2, false},
	}
	conditionsLayout = []slot{
		{nsAssertion, "AudienceRestriction", 1, true},
		{nsAssertion, "OneTimeUse", 1, false},
		{nsAssertion, "ProxyRestriction", 1, false},
	}
	audienceLayout = []slot{{nsAssertion, "Audience", 1, true}}
	authnLayout    = []slot{
		{nsAssertion, "SubjectLocality", 1, false},
		{nsAssertion, "AuthnContext", 2, false},
	}
	contextLayout = []slot{
		{nsAssertion, "AuthnContextClassRef", 1, false},
		{nsAssertion, "AuthnContextDeclRef", 2, false},
		{nsAssertion, "AuthenticatingAuthority", 3, true},
	}
	attributesLayout = []slot{{nsAssertion, "Attribute", 1, true}}
	attributeLayout  = []slot{{nsAssertion, "AttributeValue", 1, true}}
	valueLayout      = []slot{{nsAssertion, "NameID", 1, false}}
)

// message is the Response around an assertion; verified only if it was signed itself.
type message struct {
	id, inResponseTo, destination string
	issuer                        *issuer // nil: none, which is allowed
	issued                        time.Time
}

type issuer struct{ value, format string }

// statement is an assertion as it was signed, before anything of it was judged.
type statement struct {
	Assertion
	issuer        issuer
	issued        time.Time
	confirmations []confirmation
	conditions    *conditions
	authenticated bool // an AuthnStatement is there
}

type confirmation struct {
	method, recipient, inResponseTo string
	notBefore, notOnOrAfter         time.Time
}

type conditions struct {
	notBefore, notOnOrAfter time.Time
	audiences               [][]string // one list for each restriction; all of them hold
}

// claims reads what a message says about itself, from whatever is there.
func claims(root *node) Claimed {
	c := Claimed{ID: shown(root.value("ID")), InResponseTo: shown(root.value("InResponseTo"))}
	if n := root.child(nsAssertion, "Issuer"); n != nil {
		c.Issuer = shown(strings.TrimSpace(n.text))
	}
	return c
}

func decodeMessage(n *node) (message, error) {
	m := message{id: n.value("ID"), inResponseTo: n.value("InResponseTo"), destination: n.value("Destination")}
	if child := n.child(nsAssertion, "Issuer"); child != nil {
		decoded, err := decodeIssuer(child)
		if err != nil {
			return m, err
		}
		m.issuer = &decoded
	}
	var err error
	m.issued, err = header(n)
	return m, err
}

// header reads what every SAML message and assertion carries: version 2.0, an ID and when it was made.
func header(n *node) (issued time.Time, err error) {
	if got := n.value("Version"); got != "2.0" {
		return issued, wrongShape("SAML version 2.0", got)
	}
	if n.value("ID") == "" {
		return issued, wrongShape("an ID on "+n.local, "none")
	}
	if issued, err = timeOf(n, "IssueInstant"); err == nil && issued.IsZero() {
		err = wrongShape("an IssueInstant on "+n.local, "none")
	}
	return issued, err
}

// timeOf reads a time; zero where there is none. SAML's times are in UTC (core 1.3.3); one that names another zone still names its
// instant, one that names none does not.
func timeOf(n *node, key string) (t time.Time, err error) {
	text, there := n.attr(key)
	if !there {
		return t, nil
	}
	if err := t.UnmarshalText([]byte(text)); err != nil || t.IsZero() {
		return t, wrongShape("a time in "+key+" of "+n.local, text)
	}
	return t.UTC(), nil
}

func decodeIssuer(n *node) (issuer, error) {
	return issuer{strings.TrimSpace(n.text), n.value("Format")}, fit(n, leaf)
}

// decodeAssertion reads an assertion that was verified.
func decodeAssertion(v verified) (*statement, error) {
	s := &statement{}
	s.ID = v.value("ID")
	s.Certificate, s.SHA1 = sum(v.by.certificate), v.by.sha1
	var err error
	if s.issued, err = header(v.node); err != nil {
		return nil, err
	}
	for _, kid := range v.kids {
		if err := s.part(kid); err != nil {
			return nil, err
		}
	}
	s.Issuer = s.issuer.value
	return s, nil
}

func (s *statement) part(n *node) (err error) {
	switch n.local {
	case "Issuer":
		s.issuer, err = decodeIssuer(n)
	case "Subject":
		err = s.subject(n)
	case "Conditions":
		s.conditions, err = decodeConditions(n)
	case "AuthnStatement":
		err = s.authn(n)
	case "AttributeStatement":
		err = s.attributes(n)
	}
	return err
}

func (s *statement) subject(n *node) error {
	if err := fit(n, subjectLayout); err != nil {
		return err
	}
	for _, kid := range n.kids {
		if kid.local == "NameID" {
			if err := s.nameID(kid); err != nil {
				return err
			}
			continue
		}
		c, err := decodeConfirmation(kid)
		if err != nil {
			return err
		}
		s.confirmations = append(s.confirmations, c)
	}
	return nil
}

// nameID reads the person's name. White space around it comes from indented documents and is no part of it.
func (s *statement) nameID(n *node) error {
	s.Subject = NameID{Value: strings.TrimSpace(n.text), Format: n.value("Format"), NameQualifier: n.value("NameQualifier"), SPNameQualifier: n.value("SPNameQualifier")}
	if len(s.Subject.Value) > maxName {
		return wrongShape("a NameID of 1,024 bytes at most", "a longer one")
	}
	return fit(n, leaf)
}

func decodeConfirmation(n *node) (c confirmation, err error) {
	if err := fit(n, confirmationLayout); err != nil {
		return c, err
	}
	c.method = n.value("Method")
	data := n.child(nsAssertion, "SubjectConfirmationData")
	if data == nil {
		return c, nil
	}
	c.recipient, c.inResponseTo = data.value("Recipient"), data.value("InResponseTo")
	if c.notBefore, err = timeOf(data, "NotBefore"); err != nil {
		return c, err
	}
	c.notOnOrAfter, err = timeOf(data, "NotOnOrAfter")
	return c, err
}

func decodeConditions(n *node) (*conditions, error) {
	if err := fit(n, conditionsLayout); err != nil {
		return nil, err
	}
	c := &conditions{}
	var err error
	if c.notBefore, err = timeOf(n, "NotBefore"); err != nil {
		return nil, err
	}
	if c.notOnOrAfter, err = timeOf(n, "NotOnOrAfter"); err != nil {
		return nil, err
	}
	for _, kid := range n.kids {
		if kid.local != "AudienceRestriction" {
			continue
		}
		if err := fit(kid, audienceLayout); err != nil {
			return nil, err
		}
		c.audiences = append(c.audiences, texts(kid))
	}
	return c, nil
}

func texts(n *node) []string {
	list := make([]string, len(n.kids))
	for i, kid := range n.kids {
		list[i] = strings.TrimSpace(kid.text)
	}
	return list
}

// authn reads an AuthnStatement. Of several the first names the session; the earliest end and the earliest sign-in count.
func (s *statement) authn(n *node) error {
	if err := fit(n, authnLayout); err != nil {
		return err
	}
	at, err := timeOf(n, "AuthnInstant")
	if err != nil {
		return err
	}
	if at.IsZero() {
		return wrongShape("an AuthnInstant", "none")
	}
	until, err := timeOf(n, "SessionNotOnOrAfter")
	if err != nil {
		return err
	}
	s.AuthnInstant, s.SessionNotOnOrAfter = earlier(s.AuthnInstant, at), earlier(s.SessionNotOnOrAfter, until)
	first := !s.authenticated
	s.authenticated = true
	context := n.child(nsAssertion, "AuthnContext")
	if first {
		s.SessionIndex = n.value("SessionIndex")
	}
	if context == nil {
		return nil
	}
	if err := fit(context, contextLayout); err != nil {
		return err
	}
	if class := context.child(nsAssertion, "AuthnContextClassRef"); class != nil && first {
		s.Context = strings.TrimSpace(class.text)
	}
	return nil
}

// earlier of two times, where zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (s *statement) attributes(n *node) error {
	if err := fit(n, attributesLayout); err != nil {
		return err
	}
	for _, kid := range n.kids {
		if err := s.attribute(kid); err != nil {
			return err
		}
	}
	return nil
}

// attribute reads one, or more values of one that was there before: some identity providers repeat the element instead of the value.
func (s *statement) attribute(n *node) error {
	if err := fit(n, attributeLayout); err != nil {
		return err
	}
	a := s.named(n)
	for _, kid := range n.kids {
		value, there, err := attributeValue(kid)
		if err != nil {
			return err
		}
		if there {
			a.Values = append(a.Values, value)
		}
	}
	return nil
}

// named finds the attribute or adds it. FriendlyName is for people and tells nothing apart (core 2.7.3.1).
func (s *statement) named(n *node) *Attribute {
	name, format := n.value("Name"), n.value("NameFormat")
	for i := range s.Attributes {
		if a := &s.Attributes[i]; a.Name == name && a.NameFormat == format {
			return a
		}
	}
	s.Attributes = append(s.Attributes, Attribute{Name: name, FriendlyName: n.value("FriendlyName"), NameFormat: format})
	return &s.Attributes[len(s.Attributes)-1]
}

// attributeValue reads text, or the NameID that an eduPersonTargetedID is; xsi:nil is no value.
func attributeValue(n *node) (value string, there bool, err error) {
	if err := fit(n, valueLayout); len(n.kids) > 0 && err != nil {
		return "", false, err
	}
	for _, a := range n.el.Attr {
		if a.Key == "nil" && a.Space != "" && (a.Value == "true" || a.Value == "1") {
			return "", false, nil
		}
	}
	if id := n.child(nsAssertion, "NameID"); id != nil {
		return strings.TrimSpace(id.text), true, fit(id, leaf)
	}
	return n.text, true, nil
}
