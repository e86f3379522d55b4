package saml

import (
	"slices"
	"strings"
	"time"
)

const (
	methodBearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
	formatEntity = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
)

// judge holds the Response to what is expected. Unless it was signed this decides nothing that the assertion does not decide again;
// then it only refuses earlier what was sent to somebody else. A signed one has to name its destination (bindings 3.5.5.2).
func (m message) judge(signed bool, e Expectation) error {
	if m.issuer != nil {
		if err := m.issuer.judge(e); err != nil {
			return err
		}
	}
	if (m.destination != "" || signed) && !among(e.Recipients, m.destination) {
		return refuse(CodeDestinationMismatch, strings.Join(e.Recipients, " or "), orNone(m.destination), "The response was sent to another address.")
	}
	return notLater(m.issued, "IssueInstant of the Response", e)
}

// among compares byte for byte; nothing is among nothing.
func among(list []string, s string) bool { return s != "" && slices.Contains(list, s) }

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// judge compares the issuer with the connection's identity provider. An entity id is all it can be (core 2.2.5, profiles 4.1.4.2).
func (i issuer) judge(e Expectation) error {
	if i.value == "" || i.value != e.Issuer {
		return refuse(CodeIssuerMismatch, e.Issuer, orNone(i.value), "The response comes from another identity provider.")
	}
	if i.format != "" && i.format != formatEntity {
		return refuse(CodeIssuerMismatch, formatEntity, i.format, "The response names its issuer in a format that is no entity id.")
	}
	return nil
}

// judge holds a verified assertion to what is expected and completes it.
func (s *statement) judge(m message, responseSigned bool, e Expectation) error {
	if err := s.issuer.judge(e); err != nil {
		return err
	}
	if err := notLater(s.issued, "IssueInstant of the Assertion", e); err != nil {
		return err
	}
	if err := s.conditions.judge(e); err != nil {
		return err
	}
	if s.Subject.Value == "" {
		return refuse(CodeMissingAttribute, "NameID", "none", "The assertion does not name the person.").on("NameID")
	}
	confirmed, err := s.confirmed(e)
	if err != nil {
		return err
	}
	if err := s.judgeAuthn(e); err != nil {
		return err
	}
	s.UsableUntil = earlier(earlier(confirmed.notOnOrAfter, s.conditions.notOnOrAfter), s.SessionNotOnOrAfter).Add(e.skew())
	return s.answers(confirmed, m, responseSigned)
}

func (e *Error) on(field string) *Error {
	e.Field = field
	return e
}

// judge: conditions have to be there, for an audience that is us is the one thing that tells an assertion for this application from
// one for another (profiles 4.1.4.2). Each restriction has to hold (core 2.5.1.4).
func (c *conditions) judge(e Expectation) error {
	wanted := strings.Join(e.Audiences, " or ")
	if c == nil || len(c.audiences) == 0 {
		return refuse(CodeAudienceMismatch, wanted, "none", "The assertion does not say for which application it was made.")
	}
	for _, restriction := range c.audiences {
		if !slices.ContainsFunc(restriction, func(a string) bool { return among(e.Audiences, a) }) {
			return refuse(CodeAudienceMismatch, wanted, orNone(strings.Join(restriction, ", ")), "The assertion was made for another application.")
		}
	}
	if err := notLater(c.notBefore, "NotBefore of Conditions", e); err != nil {
		return err
	}
	return notOver(c.notOnOrAfter, "NotOnOrAfter of Conditions", e)
}

// notLater wants a time that is there not to lie ahead.
func notLater(t time.Time, what string, e Expectation) error {
	if t.Add(-e.skew()).After(e.Now) {
		return refuse(CodeNotYetValid, what+" not after "+clock(e), t.Format(time.RFC3339), "The assertion is not valid yet. Are both clocks right?").on(what)
	}
	return nil
}

// notOver wants a time that is there to lie ahead.
func notOver(t time.Time, what string, e Expectation) error {
	if !t.IsZero() && !e.Now.Before(t.Add(e.skew())) {
		return refuse(CodeExpired, what+" after "+clock(e), t.Format(time.RFC3339), "The assertion has expired. Are both clocks right?").on(what)
	}
	return nil
}

func clock(e Expectation) string {
	return e.Now.UTC().Format(time.RFC3339) + " (clocks may differ by " + e.skew().String() + ")"
}

// confirmed finds a subject confirmation that holds; one is enough (core 2.4.1). Otherwise the first bearer's fault is told.
func (s *statement) confirmed(e Expectation) (confirmation, error) {
	var first error
	for _, c := range s.confirmations {
		if c.method != methodBearer {
			continue
		}
		err := c.judge(e)
		if err == nil {
			return c, nil
		}
		if first == nil {
			first = err
		}
	}
	if first == nil {
		first = wrongShape("a SubjectConfirmation by bearer", "none")
	}
	return confirmation{}, first
}

// judge holds a bearer's confirmation to profiles 4.1.4.2.
func (c confirmation) judge(e Expectation) error {
	if !among(e.Recipients, c.recipient) {
		return refuse(CodeRecipientMismatch, strings.Join(e.Recipients, " or "), orNone(c.recipient), "The assertion is to be delivered to another address.")
	}
	if !c.notBefore.IsZero() {
		return wrongShape("no NotBefore in SubjectConfirmationData", c.notBefore.Format(time.RFC3339))
	}
	if c.notOnOrAfter.IsZero() {
		return wrongShape("NotOnOrAfter in SubjectConfirmationData", "none")
	}
	return notOver(c.notOnOrAfter, "NotOnOrAfter of SubjectConfirmationData", e)
}

// judgeAuthn: an AuthnStatement has to be there (profiles 4.1.4.2) and to be what was asked for.
func (s *statement) judgeAuthn(e Expectation) error {
	if !s.authenticated {
		return wrongShape("an AuthnStatement", "none")
	}
	if err := notLater(s.AuthnInstant, "AuthnInstant", e); err != nil {
		return err
	}
	if err := notOver(s.SessionNotOnOrAfter, "SessionNotOnOrAfter", e); err != nil {
		return err
	}
	if s.AuthnInstant.Add(e.skew()).Before(e.AuthnAfter) {
		return refuse(CodeExpired, "a sign-in after "+e.AuthnAfter.UTC().Format(time.RFC3339), s.AuthnInstant.Format(time.RFC3339),
			"The person was to sign in anew and the identity provider answered with an earlier sign-in.").on("AuthnInstant")
	}
	if len(e.Contexts) > 0 && !among(e.Contexts, s.Context) {
		return refuse(CodeDenied, strings.Join(e.Contexts, " or "), orNone(s.Context), "The person did not sign in by a method that was asked for.").detailed("NoAuthnContext")
	}
	return nil
}

func (e *Error) detailed(detail string) *Error {
	e.Detail = detail
	return e
}

// answers sets the request that is answered. The Response may say it too, and then says the same; what only an unsigned Response says
// is nobody's word, and taking it would let a stranger turn an assertion that was made for no request into the answer to one.
func (s *statement) answers(c confirmation, m message, responseSigned bool) error {
	s.InResponseTo = c.inResponseTo
	if m.inResponseTo == c.inResponseTo || m.inResponseTo == "" {
		return nil
	}
	if c.inResponseTo == "" && responseSigned {
		s.InResponseTo = m.inResponseTo
		return nil
	}
	return refuse(CodeInResponseTo, orNone(shown(c.inResponseTo)), m.inResponseTo, "The response and its assertion answer different requests.").on("InResponseTo")
}

const statusPrefix = "urn:oasis:names:tc:SAML:2.0:status:"

// statusSentences translate what an identity provider may answer (core 3.2.2.2).
var statusSentences = map[string]string{
	"AuthnFailed":              "The identity provider could not sign the person in.",
	"NoPassive":                "The identity provider would have had to ask the person something and was told not to.",
	"RequestDenied":            "The identity provider understood the request and declined it.",
	"InvalidNameIDPolicy":      "The identity provider cannot give the NameID format that the connection asks for.",
	"InvalidAttrNameOrValue":   "The identity provider found a wrong attribute in the request.",
	"NoAuthnContext":           "The identity provider cannot sign the person in by the method that was asked for.",
	"NoAvailableIDP":           "The identity provider knows no other one that could sign the person in.",
	"NoSupportedIDP":           "The identity provider supports none of those that were asked for.",
	"PartialLogout":            "The person could not be signed out everywhere.",
	"ProxyCountExceeded":       "The identity provider would have had to ask another one and was told not to.",
	"RequestUnsupported":       "The identity provider does not support this kind of request.",
	"RequestVersionDeprecated": "The identity provider does not support SAML in this version.",
	"RequestVersionTooHigh":    "The identity provider does not support SAML in this version.",
	"RequestVersionTooLow":     "The identity provider does not support SAML in this version.",
	"ResourceNotRecognized":    "The identity provider does not know the resource.",
	"TooManyResponses":         "The identity provider has more answers than it can give.",
	"UnknownAttrProfile":       "The identity provider does not know an attribute profile.",
	"UnknownPrincipal":         "The identity provider does not know the person.",
	"UnsupportedBinding":       "The identity provider cannot answer by the binding that was asked for.",
	"Requester":                "The identity provider found the request wrong.",
	"Responder":                "The identity provider failed to answer.",
	"VersionMismatch":          "The identity provider does not support SAML in this version.",
}

// unassigned are words by which identity providers say that the person may not use this application: Microsoft's AADSTS50105 and
// Okta's sentence.
var unassigned = []string{"aadsts50105", "is not assigned to", "not assigned to this application"}

// denied translates a status other than success: the innermost code that is known, and the identity provider's own words as what came.
func denied(response *node) *Error {
	status := response.child(nsProtocol, "Status")
	sentence, detail := "The identity provider refused the sign-in.", ""
	var codes []string
	for c := status.child(nsProtocol, "StatusCode"); c != nil; c = c.child(nsProtocol, "StatusCode") {
		code := strings.TrimPrefix(c.value("Value"), statusPrefix)
		codes = append(codes, shown(code))
		if known := statusSentences[code]; known != "" {
			sentence, detail = known, code
		}
	}
	got := strings.Join(codes, ", ")
	var words string
	if n := status.child(nsProtocol, "StatusMessage"); n != nil {
		words = strings.TrimSpace(n.text)
		got += ": " + words
	}
	lower := strings.ToLower(words)
	if slices.ContainsFunc(unassigned, func(s string) bool { return strings.Contains(lower, s) }) {
		return refuse(CodeNotAssigned, "a person who is assigned to the application", got, "The person is not assigned to the application at the identity provider.").detailed(detail)
	}
	return refuse(CodeDenied, "Success", got, "%s", sentence).detailed(detail)
}
