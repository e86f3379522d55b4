package simulate

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/beevik/etree"

	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/saml"
)

// SAMLServiceProvider is what the test identity provider knows of an application that asks it.
type SAMLServiceProvider struct {
	Name         string
	ACS          []string            // answers go to one of these and nowhere else; the first is the default
	SLO          string              // where logout messages go; "" if there is none
	Certificates []*x509.Certificate // verify its logout requests
	People       []Person            // who can be chosen there; nil: those of the provider
}

// SAMLOptions set up a test SAML identity provider.
type SAMLOptions struct {
	// Base is the address at which it is mounted, without a slash at its end: http://127.0.0.1:8080/simulate/saml. Below it are /metadata, which is
	// the entity id too, /sso, /slo and /start.
	Base   string
	People []Person // to choose from; others can be typed
	Now    func() time.Time
	// Key signs, by RS256, and its certificate goes into the metadata. The zero value: one is made, and lasts as long as the provider.
	Key oidc.SigningKey
	// ServiceProvider finds an application by its entity id.
	ServiceProvider func(ctx context.Context, entityID string) (SAMLServiceProvider, bool)
}

// SAML is a test SAML identity provider. It signs in anybody as anybody: see the package.
type SAML struct {
	options  SAMLOptions
	pages    *pages
	mux      *http.ServeMux
	path     string
	key      *rsa.PrivateKey
	cert     *x509.Certificate
	stranger func() (samlKey, error) // made when it is needed: nobody was told of it
	sessions *memory[samlSession]
}

type samlKey struct {
	private *rsa.PrivateKey
	cert    *x509.Certificate
}

type samlSession struct {
	person Person
	name   saml.NameID
	sp     string
}

const (
	rememberedSignIns = 50
	signInLife        = 8 * time.Hour
	maxSAMLRequest    = 64 << 10
	maxForm           = 256 << 10
	answerLife        = 5 * time.Minute
)

// NewSAML makes the provider, and its key where none is given. It has to be mounted at the path of Base.
func NewSAML(o SAMLOptions) (*SAML, error) {
	path, err := pathOf(o.Base)
	if err != nil {
		return nil, err
	}
	if o.ServiceProvider == nil || o.Now == nil {
		return nil, errors.New("simulate: ServiceProvider and Now are needed")
	}
	p, err := newPages()
	if err != nil {
		return nil, err
	}
	s := &SAML{options: o, pages: p, path: path, sessions: newMemory[samlSession](rememberedSignIns, signInLife)}
	s.options.People = withIDs(o.People)
	if s.key, s.cert, err = s.pair(); err != nil {
		return nil, err
	}
	s.stranger = sync.OnceValues(func() (samlKey, error) {
		key, cert, err := saml.NewKeyPair("nobody knows this key", o.Now())
		return samlKey{key, cert}, err
	})
	s.routes()
	return s, nil
}

// pathOf checks a base address and gives its path.
func pathOf(base string) (string, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(base, "/") || strings.ContainsAny(u.Path, "{} ") {
		return "", fmt.Errorf("simulate: base %q is not an absolute address without a slash at its end", base)
	}
	return u.Path, nil
}

// pair is the key that was given, or one of its own.
func (s *SAML) pair() (*rsa.PrivateKey, *x509.Certificate, error) {
	given := s.options.Key
	if given.Private == nil {
		return saml.NewKeyPair(s.EntityID(), s.options.Now())
	}
	key, ok := given.Private.(*rsa.PrivateKey)
	if !ok || given.Certificate == nil {
		return nil, nil, errors.New("simulate: a SAML provider signs with an RSA key that has a certificate")
	}
	certificate, err := x509.ParseCertificate(given.Certificate)
	if err != nil {
		return nil, nil, fmt.Errorf("simulate: certificate of the key: %w", err)
	}
	return key, certificate, nil
}

// EntityID is its name, which is the address of its metadata too.
func (s *SAML) EntityID() string { return s.options.Base + "/metadata" }

// Certificate is what verifies its signatures.
func (s *SAML) Certificate() *x509.Certificate { return s.cert }

func (s *SAML) sso() string { return s.options.Base + "/sso" }
func (s *SAML) slo() string { return s.options.Base + "/slo" }

func (s *SAML) routes() {
	s.mux = http.NewServeMux()
	s.mux.HandleFunc("GET "+s.path+"/{$}", s.home)
	s.mux.HandleFunc("GET "+s.path+"/metadata", s.metadata)
	s.mux.HandleFunc("GET "+s.path+"/sso", s.request)
	s.mux.HandleFunc("POST "+s.path+"/sso", s.request)
	s.mux.HandleFunc("GET "+s.path+"/start", s.start)
	s.mux.HandleFunc("POST "+s.path+"/answer", s.answer)
	s.mux.HandleFunc("GET "+s.path+"/slo", s.logout)
	s.mux.HandleFunc("POST "+s.path+"/slo", s.logout)
	s.mux.HandleFunc("POST "+s.path+"/sign-out", s.signOut)
}

func (s *SAML) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	s.mux.ServeHTTP(w, r)
}

func (s *SAML) home(w http.ResponseWriter, _ *http.Request) {
	p := page{
		Title: "Test identity provider (SAML)", Text: "Give these to a connection, or its metadata address alone. A sign-in that the provider starts is at /start?sp=<entity id>.",
		Facts: [][2]string{{"Metadata address and entity id", s.EntityID()}, {"Sign-in address", s.sso()}, {"Logout address", s.slo()}},
	}
	s.sessions.newest(s.options.Now(), func(id string, one samlSession) {
		p.Sessions = append(p.Sessions, sessionRow{ID: id, Who: one.person.Email, App: one.sp, Action: s.path + "/sign-out"})
	})
	s.pages.show(w, http.StatusOK, "message", p)
}

func (s *SAML) metadata(w http.ResponseWriter, _ *http.Request) {
	entity := etree.NewElement("md:EntityDescriptor")
	entity.CreateAttr("xmlns:md", "urn:oasis:names:tc:SAML:2.0:metadata")
	entity.CreateAttr("entityID", s.EntityID())
	role := entity.CreateElement("md:IDPSSODescriptor")
	role.CreateAttr("WantAuthnRequestsSigned", "false")
	role.CreateAttr("protocolSupportEnumeration", nsProtocol)
	key := role.CreateElement("md:KeyDescriptor")
	key.CreateAttr("use", "signing")
	info := key.CreateElement("ds:KeyInfo")
	info.CreateAttr("xmlns:ds", "http://www.w3.org/2000/09/xmldsig#")
	info.CreateElement("ds:X509Data").CreateElement("ds:X509Certificate").SetText(base64.StdEncoding.EncodeToString(s.cert.Raw))
	endpoints(role, "md:SingleLogoutService", s.slo())
	role.CreateElement("md:NameIDFormat").SetText(formatPersistent)
	endpoints(role, "md:SingleSignOnService", s.sso())
	data, err := write(entity)
	if err != nil {
		http.Error(w, "The metadata could not be written.", http.StatusInternalServerError)
		return
	}
	harden(w.Header())
	w.Header().Set("Content-Type", "application/samlmetadata+xml")
	_, _ = w.Write(data) // the reader has gone; there is nobody to tell
}

func endpoints(role *etree.Element, tag, address string) {
	for _, b := range []saml.Binding{saml.BindingRedirect, saml.BindingPost} {
		e := role.CreateElement(tag)
		e.CreateAttr("Binding", string(b))
		e.CreateAttr("Location", address)
	}
}

// authnRequest is what is read of a request. Its signature is not looked at: there is nothing to protect here.
type authnRequest struct {
	XMLName     xml.Name `xml:"urn:oasis:names:tc:SAML:2.0:protocol AuthnRequest"`
	ID          string   `xml:"ID,attr"`
	Destination string   `xml:"Destination,attr"`
	ACS         string   `xml:"AssertionConsumerServiceURL,attr"`
	IsPassive   string   `xml:"IsPassive,attr"`
	Issuer      string   `xml:"Issuer"`
	NameID      string   `xml:"Subject>NameID"`
	Policy      struct {
		Format string `xml:"Format,attr"`
	} `xml:"NameIDPolicy"`
}

func (s *SAML) request(w http.ResponseWriter, r *http.Request) {
	q, relayState, err := readRequest(r)
	if err != nil {
		s.pages.refuse(w, err.Error())
		return
	}
	a := exchange{ID: q.ID, SP: strings.TrimSpace(q.Issuer), ACS: q.ACS, RelayState: relayState, Format: q.Policy.Format}
	sp, err := s.check(r.Context(), &a)
	switch {
	case err != nil:
		s.pages.refuse(w, err.Error())
	case q.Destination != "" && q.Destination != s.sso():
		s.pages.refuse(w, fmt.Sprintf("The request is for %q; this is %q.", q.Destination, s.sso()))
	case q.IsPassive == "true" || q.IsPassive == "1":
		s.send(w, a, Person{}, Deny, statusNoPassive)
	default:
		s.pages.choose(w, "Sign in", sp.Name, s.path+"/answer", strings.TrimSpace(q.NameID), s.people(sp), samlMisbehaviours(), a.hidden())
	}
}

// readRequest reads the request of either binding (SAML bindings 3.4 and 3.5).
func readRequest(r *http.Request) (authnRequest, string, error) {
	var q authnRequest
	if err := r.ParseForm(); err != nil {
		return q, "", errors.New("the request is too large or cannot be read")
	}
	data, err := message(r, "SAMLRequest")
	if err != nil {
		return q, "", err
	}
	if err := xml.Unmarshal(data, &q); err != nil { //nolint:gosec // into strings
		return q, "", errors.New("the SAMLRequest is not an AuthnRequest")
	}
	if q.ID == "" || len(q.ID) > maxField {
		return q, "", errors.New("the AuthnRequest has no ID, or a very long one")
	}
	return q, r.Form.Get("RelayState"), nil
}

// message takes a message out of a request: by POST base64, by redirect base64 and deflate.
func message(r *http.Request, name string) ([]byte, error) {
	data, err := base64.StdEncoding.DecodeString(r.Form.Get(name))
	if err != nil || len(data) == 0 {
		return nil, fmt.Errorf("there is no %s, or it is not base64", name)
	}
	if r.Method == http.MethodPost {
		return data, nil
	}
	data, err = io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(data)), maxSAMLRequest+1))
	if err != nil || len(data) > maxSAMLRequest {
		return nil, fmt.Errorf("the %s cannot be inflated, or is longer than %d bytes", name, maxSAMLRequest)
	}
	return data, nil
}

// exchange is one request on its way through the page. It comes back in the form, so it is checked again there.
type exchange struct{ ID, SP, ACS, RelayState, Format string }

func (a exchange) hidden() [][2]string {
	return [][2]string{{"id", a.ID}, {"sp", a.SP}, {"acs", a.ACS}, {"relay_state", a.RelayState}, {"format", a.Format}}
}

// check finds the application and settles where the answer goes.
func (s *SAML) check(ctx context.Context, a *exchange) (SAMLServiceProvider, error) {
	sp, ok := s.options.ServiceProvider(ctx, a.SP)
	switch {
	case !ok || len(sp.ACS) == 0:
		return sp, fmt.Errorf("no application with the entity id %q is known here", a.SP)
	case a.ACS == "":
		a.ACS = sp.ACS[0]
	case !slices.Contains(sp.ACS, a.ACS):
		return sp, fmt.Errorf("%q is not an address of this application", a.ACS)
	}
	if sp.Name == "" {
		sp.Name = a.SP
	}
	return sp, nil
}

func (s *SAML) people(sp SAMLServiceProvider) []Person {
	if sp.People != nil {
		return withIDs(sp.People)
	}
	return s.options.People
}

// start is a sign-in that the provider begins: an unsolicited response.
func (s *SAML) start(w http.ResponseWriter, r *http.Request) {
	a := exchange{SP: r.URL.Query().Get("sp"), RelayState: r.URL.Query().Get("RelayState")}
	sp, err := s.check(r.Context(), &a)
	if err != nil {
		s.pages.refuse(w, err.Error())
		return
	}
	s.pages.choose(w, "Sign in at "+a.SP, "", s.path+"/answer", "", s.people(sp), samlMisbehaviours(), a.hidden())
}

func (s *SAML) answer(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.pages.refuse(w, "The form is too large or cannot be read.")
		return
	}
	a := exchange{ID: r.PostForm.Get("id"), SP: r.PostForm.Get("sp"), ACS: r.PostForm.Get("acs"), RelayState: r.PostForm.Get("relay_state"), Format: r.PostForm.Get("format")}
	sp, err := s.check(r.Context(), &a)
	if err != nil {
		s.pages.refuse(w, err.Error())
		return
	}
	person, scenario, err := chosen(r.PostForm, s.people(sp))
	if err != nil {
		s.pages.refuse(w, err.Error())
		return
	}
	s.send(w, a, person, scenario, statusDenied)
}

// send answers by POST, with a page that posts itself or by its button.
func (s *SAML) send(w http.ResponseWriter, a exchange, person Person, scenario Scenario, denial string) {
	data, err := s.respond(a, person, scenario, denial)
	if err != nil {
		s.pages.refuse(w, "The response could not be made: "+err.Error())
		return
	}
	hidden := [][2]string{{"SAMLResponse", base64.StdEncoding.EncodeToString(data)}}
	if a.RelayState != "" {
		hidden = append(hidden, [2]string{"RelayState", a.RelayState})
	}
	s.pages.show(w, http.StatusOK, "post", page{Title: "Back to the application", Action: a.ACS, Hidden: hidden})
}

// logout answers a logout request of an application, or shows the answer to one of ours.
func (s *SAML) logout(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.pages.refuse(w, "The request is too large or cannot be read.")
		return
	}
	l, sp, err := s.readLogout(r)
	switch {
	case err != nil:
		s.pages.refuse(w, err.Error())
	case l.Response != nil:
		s.pages.show(w, http.StatusOK, "message", page{Title: "The application answered", Text: "It says: " + l.Response.Status})
	case sp.SLO == "":
		s.pages.show(w, http.StatusOK, "message", page{Title: "Signed out", Text: l.Request.NameID.Value + " is signed out. The application has no address for an answer."})
	default:
		answer := saml.LogoutResponse{ID: saml.NewRequestID(), Issuer: s.EntityID(), Destination: sp.SLO, IssuedAt: s.options.Now(), InResponseTo: l.Request.ID, Status: saml.StatusSuccess}
		address, err := answer.Redirect(l.RelayState, s.key)
		if err != nil {
			s.pages.refuse(w, err.Error())
			return
		}
		s.forget(l.Request)
		harden(w.Header())
		http.Redirect(w, r, address, http.StatusSeeOther)
	}
}

// readLogout finds by the unverified issuer whose certificates count, and verifies with them.
func (s *SAML) readLogout(r *http.Request) (*saml.Logout, SAMLServiceProvider, error) {
	name := "SAMLRequest"
	if r.Form.Get(name) == "" {
		name = "SAMLResponse"
	}
	data, err := message(r, name)
	if err != nil {
		return nil, SAMLServiceProvider{}, err
	}
	var claimed struct {
		Issuer string `xml:"Issuer"`
	}
	if err := xml.Unmarshal(data, &claimed); err != nil { //nolint:gosec // into one string
		return nil, SAMLServiceProvider{}, errors.New("the logout message cannot be read")
	}
	issuer := strings.TrimSpace(claimed.Issuer)
	sp, ok := s.options.ServiceProvider(r.Context(), issuer)
	if !ok {
		return nil, sp, fmt.Errorf("no application with the entity id %q is known here", issuer)
	}
	e := saml.LogoutExpectation{Now: s.options.Now(), Issuer: issuer, Destinations: []string{s.slo()}, Certificates: sp.Certificates}
	if r.Method == http.MethodPost {
		l, err := saml.ConsumeLogoutPost(r.PostForm, e)
		return l, sp, err
	}
	l, err := saml.ConsumeLogoutRedirect(r.URL.RawQuery, e)
	return l, sp, err
}

func (s *SAML) forget(r *saml.LogoutRequest) {
	var gone []string
	s.sessions.newest(s.options.Now(), func(id string, one samlSession) {
		if one.sp == r.Issuer && one.name.Value == r.NameID.Value && (len(r.SessionIndexes) == 0 || slices.Contains(r.SessionIndexes, id)) {
			gone = append(gone, id)
		}
	})
	for _, id := range gone {
		s.sessions.take(id, s.options.Now())
	}
}

// signOut sends a logout request to the application of one of the last sign-ins.
func (s *SAML) signOut(w http.ResponseWriter, r *http.Request) {
	id := r.PostFormValue("session")
	one, ok := s.sessions.get(id, s.options.Now())
	if !ok {
		s.pages.refuse(w, "This sign-in is not known any more.")
		return
	}
	sp, ok := s.options.ServiceProvider(r.Context(), one.sp)
	if !ok || sp.SLO == "" {
		s.pages.refuse(w, "The application has no address for logout.")
		return
	}
	now := s.options.Now()
	request := saml.LogoutRequest{
		ID: saml.NewRequestID(), Issuer: s.EntityID(), Destination: sp.SLO, IssuedAt: now, NotOnOrAfter: now.Add(answerLife), NameID: one.name, SessionIndexes: []string{id},
	}
	address, err := request.Redirect("", s.key)
	if err != nil {
		s.pages.refuse(w, err.Error())
		return
	}
	s.sessions.take(id, now)
	harden(w.Header())
	http.Redirect(w, r, address, http.StatusSeeOther)
}
