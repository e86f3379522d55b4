package saml

import (
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"
)

const (
	// maxLogoutAge is how long after IssueInstant a message is taken: a browser carries it at once, so what comes later was kept by somebody.
	maxLogoutAge       = 5 * time.Minute
	maxSessionIndexes  = 100
	elementRequest     = "LogoutRequest"
	elementResponse    = "LogoutResponse"
	elementAsyncLogout = "Asynchronous"
)

// LogoutRequest says that a session has ended or shall end (core 3.7.1).
type LogoutRequest struct {
	ID             string // NewRequestID
	Issuer         string
	Destination    string
	IssuedAt       time.Time
	NotOnOrAfter   time.Time // zero: none given
	NameID         NameID    // as the assertion had it, with its qualifiers
	SessionIndexes []string  // none: all sessions of that person
	Asynchronous   bool      // no response is wanted (Asynchronous Single Logout Profile Extension 1.0)
}

// LogoutResponse answers a LogoutRequest (core 3.7.2).
type LogoutResponse struct {
	ID           string // NewRequestID
	Issuer       string
	Destination  string
	IssuedAt     time.Time
	InResponseTo string
	Status       string // StatusSuccess and others; "" is written as success
	Detail       string // the code below Status, if any, as StatusPartialLogout
}

// Redirect gives the address that carries the request; it is always signed. relayState has at most 80 bytes.
func (r LogoutRequest) Redirect(relayState string, key *rsa.PrivateKey) (string, error) {
	return signedRedirect(paramRequest, r.element(), r.Destination, relayState, key)
}

// Post gives the form that carries the request; it is always signed. relayState has at most 80 bytes.
func (r LogoutRequest) Post(relayState string, key *rsa.PrivateKey, cert *x509.Certificate) (Form, error) {
	return signedPost(paramRequest, r.element(), r.Destination, relayState, key, cert)
}

// Redirect gives the address that carries the response; it is always signed. relayState is what came with the request, at most 2 KiB.
func (r LogoutResponse) Redirect(relayState string, key *rsa.PrivateKey) (string, error) {
	return signedRedirect(paramResponse, r.element(), r.Destination, relayState, key)
}

// Post gives the form that carries the response; it is always signed. relayState is what came with the request, at most 2 KiB.
func (r LogoutResponse) Post(relayState string, key *rsa.PrivateKey, cert *x509.Certificate) (Form, error) {
	return signedPost(paramResponse, r.element(), r.Destination, relayState, key, cert)
}

// errUnsignedLogout: profiles 4.4.4.1 wants these messages authenticated, so one without a key is a mistake of ours.
var errUnsignedLogout = errors.New("saml: a logout message is always signed and needs a key")

func signedRedirect(param string, el *etree.Element, destination, relayState string, key *rsa.PrivateKey) (string, error) {
	if key == nil {
		return "", errUnsignedLogout
	}
	return redirect(param, el, destination, relayState, key)
}

func signedPost(param string, el *etree.Element, destination, relayState string, key *rsa.PrivateKey, cert *x509.Certificate) (Form, error) {
	if key == nil {
		return Form{}, errUnsignedLogout
	}
	return post(param, el, destination, relayState, key, cert)
}

func (r LogoutRequest) element() *etree.Element {
	el := envelope(elementRequest, r.ID, r.Issuer, r.Destination, r.IssuedAt)
	if !r.NotOnOrAfter.IsZero() {
		el.CreateAttr("NotOnOrAfter", instant(r.NotOnOrAfter))
	}
	if r.Asynchronous {
		el.CreateElement("samlp:Extensions").CreateElement("aslo:"+elementAsyncLogout).CreateAttr("xmlns:aslo", nsLogoutAsync)
	}
	name := el.CreateElement("saml:NameID")
	for _, a := range [][2]string{{"NameQualifier", r.NameID.NameQualifier}, {"SPNameQualifier", r.NameID.SPNameQualifier}, {"Format", r.NameID.Format}} {
		if a[1] != "" {
			name.CreateAttr(a[0], a[1])
		}
	}
	name.SetText(r.NameID.Value)
	for _, index := range r.SessionIndexes {
		el.CreateElement("samlp:SessionIndex").SetText(index)
	}
	return el
}

func (r LogoutResponse) element() *etree.Element {
	el := envelope(elementResponse, r.ID, r.Issuer, r.Destination, r.IssuedAt)
	el.CreateAttr("InResponseTo", r.InResponseTo)
	code := el.CreateElement("samlp:Status").CreateElement("samlp:StatusCode")
	code.CreateAttr("Value", StatusSuccess)
	if r.Status != "" {
		code.CreateAttr("Value", r.Status)
	}
	if r.Detail != "" {
		code.CreateElement("samlp:StatusCode").CreateAttr("Value", r.Detail)
	}
	return el
}

// LogoutExpectation is what a received logout message is held against.
type LogoutExpectation struct {
	Now          time.Time
	Issuer       string              // entity id of the identity provider
	Destinations []string            // our single logout addresses, compared byte for byte; one must be meant
	Certificates []*x509.Certificate // any one may verify; none: everything is refused
	ClockSkew    time.Duration       // how far clocks may differ: 1 to 3 minutes, 0 for 2
	SHA1Until    time.Time           // SHA-1 is accepted before this; zero: never
	Keys         []*rsa.PrivateKey   // open an encrypted name
	AllowCBC     bool
}

// response gives the same as the expectation of a response, whose checks are shared.
func (e LogoutExpectation) response() Expectation {
	return Expectation{Now: e.Now, Issuer: e.Issuer, Recipients: e.Destinations, Certificates: e.Certificates, ClockSkew: e.ClockSkew, SHA1Until: e.SHA1Until, Keys: e.Keys, AllowCBC: e.AllowCBC}
}

// Logout is a verified message: either Request or Response is set.
type Logout struct {
	Request     *LogoutRequest
	Response    *LogoutResponse
	RelayState  string    // goes back with the response to a request. By POST it is not signed
	UsableUntil time.Time // until then the message's ID has to be remembered, so that it is not taken twice
	Certificate [32]byte  // SHA-256 of the certificate that verified
}

// ConsumeLogoutRedirect verifies a logout message that came as a query. rawQuery is the query exactly as received: the signature covers its
// octets. The caller knows whether InResponseTo is a request of its own and whether the ID is new. Every error is an *Error.
func ConsumeLogoutRedirect(rawQuery string, e LogoutExpectation) (*Logout, error) {
	q, err := parseRedirect(rawQuery)
	if err != nil {
		return nil, err
	}
	cert, err := q.verify(e.Certificates, sha1Allowed(e.response()))
	if err != nil {
		return nil, claimedBy(q.message, err)
	}
	root, err := gate(q.message)
	if err != nil {
		return nil, err
	}
	if root.child(nsSignature, "Signature") != nil {
		return nil, claiming(wrongShape("no Signature in a message whose address is signed (bindings 3.4.4.1)", "one"), claims(root))
	}
	return finishLogout(root, cert, q.param, q.relayState, e)
}

// claimedBy adds to a refusal what the refused message says about itself, if it can be read.
func claimedBy(message []byte, refusal error) error {
	root, err := gate(message)
	if err != nil {
		return refusal
	}
	return claiming(refusal, claims(root))
}

// ConsumeLogoutPost verifies a logout message that came as a form, signed inside itself. Otherwise as ConsumeLogoutRedirect.
func ConsumeLogoutPost(form url.Values, e LogoutExpectation) (*Logout, error) {
	param, err := onlyMessage(form)
	if err != nil {
		return nil, err
	}
	data, err := DecodePost(form.Get(param))
	if err != nil {
		return nil, err
	}
	root, err := gate(data)
	if err != nil {
		return nil, err
	}
	v, err := verifyLogout(root, e)
	if err != nil {
		return nil, claiming(err, claims(root))
	}
	return finishLogout(v.node, v.by.certificate, param, form.Get("RelayState"), e)
}

// onlyMessage tells which of the two fields carries the message.
func onlyMessage(form url.Values) (string, error) {
	asks, answers := len(form[paramRequest]), len(form[paramResponse])
	if asks+answers != 1 || len(form["RelayState"]) > 1 {
		return "", refuse(CodeMalformed, "one SAMLRequest or one SAMLResponse, RelayState once", strconv.Itoa(asks)+" and "+strconv.Itoa(answers), "The form does not carry exactly one SAML message.")
	}
	if asks == 1 {
		return paramRequest, nil
	}
	return paramResponse, nil
}

// verifyLogout wants the one signature of the message to be its own child and to cover it.
func verifyLogout(root *node, e LogoutExpectation) (verified, error) {
	if err := fit(root, logoutLayout(root.local)); err != nil {
		return verified{}, err
	}
	s, err := shapeSignature(root)
	if err != nil {
		return verified{}, err
	}
	if s == nil {
		return verified{}, refuse(CodeUnsigned, "a signed "+shown(root.local), "none", "The logout message is not signed.")
	}
	return signed(root, s, e.response())
}

// The layouts of the two messages. Nothing else has a place in them: what is not listed is where something is hidden.
func logoutLayout(local string) []slot {
	if local == elementRequest {
		return []slot{
			{nsAssertion, "Issuer", 1, false},
			{nsSignature, "Signature", 0, false},
			{nsProtocol, "Extensions", 2, false},
			{nsAssertion, "NameID", 3, false},
			{nsAssertion, "EncryptedID", 3, false},
			{nsProtocol, "SessionIndex", 4, true},
		}
	}
	return []slot{
		{nsAssertion, "Issuer", 1, false},
		{nsSignature, "Signature", 0, false},
		{nsProtocol, "Extensions", 2, false},
		{nsProtocol, "Status", 3, false},
	}
}

// finishLogout reads a message that was verified, and judges it.
func finishLogout(root *node, cert *x509.Certificate, param, relayState string, e LogoutExpectation) (*Logout, error) {
	l := &Logout{RelayState: relayState, Certificate: sum(cert)}
	if err := l.read(root, param, e); err != nil {
		return nil, claiming(err, claims(root))
	}
	return l, nil
}

func (l *Logout) read(root *node, param string, e LogoutExpectation) error {
	wanted := map[string]string{paramRequest: elementRequest, paramResponse: elementResponse}[param]
	if !root.is(nsProtocol, wanted) {
		return wrongShape("a "+wanted+" as "+param, root.local+" in the namespace "+root.space)
	}
	if err := fit(root, logoutLayout(wanted)); err != nil {
		return err
	}
	m, err := decodeMessage(root)
	if err != nil {
		return err
	}
	if err := judgeLogout(m, e.response()); err != nil {
		return err
	}
	async, err := asynchronous(root)
	if err != nil {
		return err
	}
	l.UsableUntil = m.issued.Add(maxLogoutAge + e.response().skew())
	if wanted == elementResponse {
		l.Response = &LogoutResponse{ID: m.id, Issuer: m.issuer.value, Destination: m.destination, IssuedAt: m.issued, InResponseTo: m.inResponseTo}
		return l.Response.read(root)
	}
	l.Request = &LogoutRequest{ID: m.id, Issuer: m.issuer.value, Destination: m.destination, IssuedAt: m.issued, Asynchronous: async}
	return l.Request.read(root, e)
}

// judgeLogout: a signed message names its issuer and where it was sent (bindings 3.4.5.2, 3.5.5.2; profiles 4.4.4), and is fresh.
func judgeLogout(m message, e Expectation) error {
	if m.issuer == nil {
		return refuse(CodeIssuerMismatch, e.Issuer, "none", "The logout message does not name its issuer.")
	}
	if err := m.issuer.judge(e); err != nil {
		return err
	}
	if !among(e.Recipients, m.destination) {
		return refuse(CodeDestinationMismatch, strings.Join(e.Recipients, " or "), orNone(m.destination), "The logout message was sent to another address.")
	}
	if err := notLater(m.issued, "IssueInstant", e); err != nil {
		return err
	}
	return notOver(m.issued.Add(maxLogoutAge), "IssueInstant and five minutes", e)
}

// asynchronous reads Extensions, which may hold the wish for no response and nothing else.
func asynchronous(root *node) (bool, error) {
	x := root.child(nsProtocol, "Extensions")
	if x == nil {
		return false, nil
	}
	if err := fit(x, []slot{{nsLogoutAsync, elementAsyncLogout, 1, false}}); err != nil {
		return false, err
	}
	wish := x.child(nsLogoutAsync, elementAsyncLogout)
	if wish == nil {
		return false, nil
	}
	return true, fit(wish, leaf)
}

func (r *LogoutRequest) read(root *node, e LogoutExpectation) error {
	var err error
	if r.NotOnOrAfter, err = timeOf(root, "NotOnOrAfter"); err != nil {
		return err
	}
	if err := notOver(r.NotOnOrAfter, "NotOnOrAfter", e.response()); err != nil {
		return err
	}
	if r.NameID, err = logoutName(root, e); err != nil {
		return err
	}
	for _, kid := range root.kids {
		if !kid.is(nsProtocol, "SessionIndex") {
			continue
		}
		index := strings.TrimSpace(kid.text) // where elements stand instead it is empty: the gate lets nobody mix the two
		if index == "" || len(index) > maxName || len(r.SessionIndexes) == maxSessionIndexes {
			return wrongShape("at most "+strconv.Itoa(maxSessionIndexes)+" SessionIndexes of 1 to "+strconv.Itoa(maxName)+" bytes", index)
		}
		r.SessionIndexes = append(r.SessionIndexes, index)
	}
	return nil
}

// logoutName reads whose session it is. An encrypted name is opened only now, when the message is known to be the identity provider's.
func logoutName(root *node, e LogoutExpectation) (NameID, error) {
	plain, hidden := root.child(nsAssertion, "NameID"), root.child(nsAssertion, "EncryptedID")
	if (plain == nil) == (hidden == nil) {
		return NameID{}, wrongShape("one NameID or one EncryptedID", "another number")
	}
	if hidden != nil {
		var err error
		if plain, err = openName(hidden, e); err != nil {
			return NameID{}, err
		}
	}
	name := NameID{Value: strings.TrimSpace(plain.text), Format: plain.value("Format"), NameQualifier: plain.value("NameQualifier"), SPNameQualifier: plain.value("SPNameQualifier")}
	if name.Value == "" || len(name.Value) > maxName {
		return name, wrongShape("a NameID of 1 to "+strconv.Itoa(maxName)+" bytes", strconv.Itoa(len(name.Value))+" bytes")
	}
	return name, fit(plain, leaf)
}

func openName(hidden *node, e LogoutExpectation) (*node, error) {
	data, err := decrypt(hidden.el, e.Keys, e.AllowCBC)
	if err != nil {
		return nil, err
	}
	root, err := gate(data)
	if err != nil {
		return nil, err
	}
	if !root.is(nsAssertion, "NameID") {
		return nil, wrongShape("a NameID in EncryptedID", root.local)
	}
	return root, nil
}

func (r *LogoutResponse) read(root *node) error {
	if r.InResponseTo == "" {
		return refuse(CodeInResponseTo, "InResponseTo", "none", "The logout response does not say which request it answers.")
	}
	s := root.child(nsProtocol, "Status")
	if s == nil {
		return wrongShape("a Status", "none")
	}
	if err := fit(s, statusLayout); err != nil {
		return err
	}
	code := s.child(nsProtocol, "StatusCode")
	if code == nil || code.value("Value") == "" {
		return wrongShape("a StatusCode", "none")
	}
	r.Status = shown(code.value("Value"))
	if below := code.child(nsProtocol, "StatusCode"); below != nil {
		r.Detail = shown(below.value("Value"))
	}
	return nil
}
