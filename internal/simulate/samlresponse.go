package simulate

import (
	"errors"
	"time"

	"github.com/beevik/etree"

	"github.com/rollcallhq/rollcall/internal/saml"
)

const (
	nsProtocol  = "urn:oasis:names:tc:SAML:2.0:protocol"
	nsAssertion = "urn:oasis:names:tc:SAML:2.0:assertion"

	formatPersistent = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	formatEmail      = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
	formatBasic      = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
	methodBearer     = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
	contextPassword  = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"

	statusDenied    = "urn:oasis:names:tc:SAML:2.0:status:RequestDenied"
	statusNoPassive = "urn:oasis:names:tc:SAML:2.0:status:NoPassive"

	elsewhere = "https://another-app.example/saml" // the audience of a response that is not for us
)

// respond makes a response (core 3.3.3) as the scenario wants it, good or bad.
func (s *SAML) respond(a exchange, person Person, scenario Scenario, denial string) ([]byte, error) {
	now := s.options.Now()
	if scenario == Expired {
		now = now.Add(-time.Hour)
	}
	response := s.envelope(a, now)
	if scenario == Deny {
		status(response, saml.StatusResponder, denial)
		if err := saml.SignElement(response, s.key, s.cert, "Issuer"); err != nil {
			return nil, err
		}
		return write(response)
	}
	status(response, saml.StatusSuccess, "")
	name, index := nameOf(person, a.Format), saml.NewRequestID()
	assertion := s.assertion(response, a, person, name, index, scenario, now)
	if err := s.sign(assertion, scenario); err != nil {
		return nil, err
	}
	if scenario == SignIn {
		s.sessions.put(index, samlSession{person, name, a.SP}, now)
	}
	return write(response)
}

func (s *SAML) envelope(a exchange, now time.Time) *etree.Element {
	el := etree.NewElement("samlp:Response")
	el.CreateAttr("xmlns:samlp", nsProtocol)
	el.CreateAttr("xmlns:saml", nsAssertion)
	el.CreateAttr("ID", saml.NewRequestID())
	el.CreateAttr("Version", "2.0")
	el.CreateAttr("IssueInstant", instant(now))
	el.CreateAttr("Destination", a.ACS)
	if a.ID != "" {
		el.CreateAttr("InResponseTo", a.ID)
	}
	el.CreateElement("saml:Issuer").SetText(s.EntityID())
	return el
}

func status(response *etree.Element, code, detail string) {
	top := response.CreateElement("samlp:Status").CreateElement("samlp:StatusCode")
	top.CreateAttr("Value", code)
	if detail != "" {
		top.CreateElement("samlp:StatusCode").CreateAttr("Value", detail)
	}
}

func nameOf(p Person, format string) saml.NameID {
	if format == formatEmail {
		return saml.NameID{Value: p.Email, Format: formatEmail}
	}
	return saml.NameID{Value: p.ID, Format: formatPersistent}
}

func (s *SAML) assertion(response *etree.Element, a exchange, p Person, name saml.NameID, index string, scenario Scenario, now time.Time) *etree.Element {
	el := response.CreateElement("saml:Assertion")
	el.CreateAttr("ID", saml.NewRequestID())
	el.CreateAttr("Version", "2.0")
	el.CreateAttr("IssueInstant", instant(now))
	el.CreateElement("saml:Issuer").SetText(s.EntityID())
	subject(el, a, name, now)
	conditions := el.CreateElement("saml:Conditions")
	conditions.CreateAttr("NotBefore", instant(now.Add(-time.Minute)))
	conditions.CreateAttr("NotOnOrAfter", instant(now.Add(answerLife)))
	audience := a.SP
	if scenario == WrongAudience {
		audience = elsewhere
	}
	conditions.CreateElement("saml:AudienceRestriction").CreateElement("saml:Audience").SetText(audience)
	authn := el.CreateElement("saml:AuthnStatement")
	authn.CreateAttr("AuthnInstant", instant(now))
	authn.CreateAttr("SessionIndex", index)
	authn.CreateElement("saml:AuthnContext").CreateElement("saml:AuthnContextClassRef").SetText(contextPassword)
	attributes(el, p)
	return el
}

func subject(assertion *etree.Element, a exchange, name saml.NameID, now time.Time) {
	el := assertion.CreateElement("saml:Subject")
	id := el.CreateElement("saml:NameID")
	id.CreateAttr("Format", name.Format)
	id.SetText(name.Value)
	confirmation := el.CreateElement("saml:SubjectConfirmation")
	confirmation.CreateAttr("Method", methodBearer)
	data := confirmation.CreateElement("saml:SubjectConfirmationData")
	data.CreateAttr("NotOnOrAfter", instant(now.Add(answerLife)))
	data.CreateAttr("Recipient", a.ACS)
	if a.ID != "" {
		data.CreateAttr("InResponseTo", a.ID)
	}
}

func attributes(assertion *etree.Element, p Person) {
	statement := assertion.CreateElement("saml:AttributeStatement")
	for _, one := range []struct {
		name   string
		values []string
	}{{"id", []string{p.ID}}, {"email", []string{p.Email}}, {"firstName", []string{p.FirstName}}, {"lastName", []string{p.LastName}}, {"groups", p.Groups}} {
		if len(one.values) == 0 || one.values[0] == "" {
			continue
		}
		attribute := statement.CreateElement("saml:Attribute")
		attribute.CreateAttr("Name", one.name)
		attribute.CreateAttr("NameFormat", formatBasic)
		for _, v := range one.values {
			attribute.CreateElement("saml:AttributeValue").SetText(v)
		}
	}
}

// sign signs the assertion as the scenario wants it.
func (s *SAML) sign(assertion *etree.Element, scenario Scenario) error {
	switch scenario {
	case Unsigned:
		return nil
	case WrongKey:
		key, err := s.stranger()
		if err != nil {
			return err
		}
		return saml.SignElement(assertion, key.private, key.cert, "Issuer")
	case Tampered:
		if err := saml.SignElement(assertion, s.key, s.cert, "Issuer"); err != nil {
			return err
		}
		name := assertion.FindElement("./Subject/NameID")
		if name == nil {
			return errors.New("the assertion has no name to change")
		}
		name.SetText("sim-somebody-else")
		return nil
	default:
		return saml.SignElement(assertion, s.key, s.cert, "Issuer")
	}
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// write keeps every character as it was signed: a parser would otherwise normalise line ends.
func write(el *etree.Element) ([]byte, error) {
	doc := etree.NewDocumentWithRoot(el)
	doc.WriteSettings = etree.WriteSettings{CanonicalText: true, CanonicalAttrVal: true}
	return doc.WriteToBytes()
}
