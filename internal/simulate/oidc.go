package simulate

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/oidc"
)

// OIDCClient is what the test provider knows of an application that asks it.
type OIDCClient struct {
	Name               string
	Secret             string   // "": a public client, which has to use PKCE
	RedirectURIs       []string // answers go to one of these and nowhere else
	InitiateLoginURI   string   // for a sign-in that the provider starts; "" if there is none
	BackChannelLogout  string   // told when somebody signs out here; "" if there is none
	AfterLogoutAddress []string // post_logout_redirect_uri
	People             []Person // who can be chosen there; nil: those of the provider
}

// OIDCOptions set up a test OpenID provider.
type OIDCOptions struct {
	// Base is the issuer and the address at which it is mounted, without a slash at its end: http://127.0.0.1:8080/simulate/oidc.
	Base   string
	People []Person // to choose from; others can be typed
	Now    func() time.Time
	// Client finds an application by its client id.
	Client func(ctx context.Context, clientID string) (OIDCClient, bool)
	// Key signs. The zero value: one is made, and lasts as long as the provider.
	Key oidc.SigningKey
	// HTTP sends back-channel logouts; nil: none are sent.
	HTTP *http.Client
}

// OIDC is a test OpenID provider. It signs in anybody as anybody: see the package.
type OIDC struct {
	options  OIDCOptions
	pages    *pages
	mux      *http.ServeMux
	path     string
	key      oidc.SigningKey
	stranger func() (oidc.SigningKey, error) // made when it is needed: nobody was told of it
	public   oidc.PublicKey
	codes    *memory[oidcCode]
	tokens   *memory[Person]
	sessions *memory[oidcSession]
}

type oidcCode struct {
	request  oidc.AuthorizationRequest
	person   Person
	scenario Scenario
	session  string
	at       time.Time
}

type oidcSession struct {
	person   Person
	clientID string
}

const (
	codeLife        = time.Minute
	tokenLife       = 10 * time.Minute
	rememberedCodes = 1000
)

// NewOIDC makes the provider, and its key where none is given. It has to be mounted at the path of Base.
func NewOIDC(o OIDCOptions) (*OIDC, error) {
	path, err := pathOf(o.Base)
	if err != nil {
		return nil, err
	}
	if o.Client == nil || o.Now == nil {
		return nil, errors.New("simulate: Client and Now are needed")
	}
	p, err := newPages()
	if err != nil {
		return nil, err
	}
	s := &OIDC{
		options: o, pages: p, path: path,
		codes: newMemory[oidcCode](rememberedCodes, codeLife), tokens: newMemory[Person](rememberedCodes, tokenLife), sessions: newMemory[oidcSession](rememberedSignIns, signInLife),
	}
	s.options.People = withIDs(o.People)
	s.stranger = sync.OnceValues(func() (oidc.SigningKey, error) { return oidc.NewSigningKey(oidc.RS256, o.Now()) })
	if s.key = o.Key; s.key.Private == nil {
		if s.key, err = oidc.NewSigningKey(oidc.RS256, o.Now()); err != nil {
			return nil, err
		}
	}
	if s.public, err = s.key.Public(); err != nil {
		return nil, err
	}
	s.routes()
	return s, nil
}

func (s *OIDC) routes() {
	s.mux = http.NewServeMux()
	s.mux.HandleFunc("GET "+s.path+"/{$}", s.home)
	s.mux.HandleFunc("GET "+s.path+"/.well-known/openid-configuration", s.document)
	s.mux.HandleFunc("GET "+s.path+"/jwks", s.jwks)
	s.mux.HandleFunc("GET "+s.path+"/authorize", s.authorize)
	s.mux.HandleFunc("POST "+s.path+"/answer", s.answer)
	s.mux.HandleFunc("POST "+s.path+"/token", s.token)
	s.mux.HandleFunc("GET "+s.path+"/userinfo", s.userinfo)
	s.mux.HandleFunc("POST "+s.path+"/userinfo", s.userinfo)
	s.mux.HandleFunc("GET "+s.path+"/logout", s.logout)
	s.mux.HandleFunc("GET "+s.path+"/start", s.start)
	s.mux.HandleFunc("POST "+s.path+"/sign-out", s.signOut)
}

func (s *OIDC) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	s.mux.ServeHTTP(w, r)
}

// Issuer is its name.
func (s *OIDC) Issuer() string { return s.options.Base }

func (s *OIDC) home(w http.ResponseWriter, _ *http.Request) {
	p := page{
		Title: "Test identity provider (OpenID Connect)", Text: "Give the issuer to a connection, with a client id and secret that it knows. A sign-in that the provider starts is at /start?client_id=<client id>.",
		Facts: [][2]string{{"Issuer", s.Issuer()}, {"Discovery document", oidc.DiscoveryURL(s.Issuer())}},
	}
	s.sessions.newest(s.options.Now(), func(id string, one oidcSession) {
		p.Sessions = append(p.Sessions, sessionRow{ID: id, Who: one.person.Email, App: one.clientID, Action: s.path + "/sign-out"})
	})
	s.pages.show(w, http.StatusOK, "message", p)
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	data, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		http.Error(w, "The answer could not be written.", http.StatusInternalServerError)
		return
	}
	harden(w.Header())
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(data) //nolint:gosec // JSON, named so, and not to be guessed at; a reader that has gone cannot be told
}

func (s *OIDC) document(w http.ResponseWriter, _ *http.Request) {
	answerJSON(w, http.StatusOK, map[string]any{
		"issuer": s.Issuer(), "authorization_endpoint": s.Issuer() + "/authorize", "token_endpoint": s.Issuer() + "/token", "userinfo_endpoint": s.Issuer() + "/userinfo",
		"jwks_uri": s.Issuer() + "/jwks", "end_session_endpoint": s.Issuer() + "/logout", "response_types_supported": []string{"code"}, "response_modes_supported": []string{"query"},
		"grant_types_supported": []string{"authorization_code"}, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post", "none"}, "code_challenge_methods_supported": []string{"S256"},
		"scopes_supported": []string{"openid", "email", "profile", "groups"}, "claims_supported": []string{"sub", "email", "email_verified", "name", "given_name", "family_name", "groups"},
		"authorization_response_iss_parameter_supported": true, "backchannel_logout_supported": s.options.HTTP != nil, "backchannel_logout_session_supported": s.options.HTTP != nil,
		"request_uri_parameter_supported": false,
	})
}

func (s *OIDC) jwks(w http.ResponseWriter, _ *http.Request) {
	data, err := oidc.PublicJWKS([]oidc.PublicKey{s.public})
	if err != nil {
		http.Error(w, "The key set could not be written.", http.StatusInternalServerError)
		return
	}
	harden(w.Header())
	w.Header().Set("Content-Type", "application/jwk-set+json")
	_, _ = w.Write(data) // the reader has gone; there is nobody to tell
}

// known reads a request and finds its application. PKCE may be missing where the application has a secret, as with real providers.
func (s *OIDC) known(ctx context.Context, values url.Values) (oidc.AuthorizationRequest, OIDCClient, error) {
	request, err := oidc.ParseAuthorization(values, oidc.StyleSSO)
	var refusal *oidc.ErrorResponse
	if err != nil && (!errors.As(err, &refusal) || !refusal.Redirectable) {
		return request, OIDCClient{}, onPage{err}
	}
	client, ok := s.options.Client(ctx, request.ClientID)
	switch {
	case !ok:
		return request, client, onPage{fmt.Errorf("no application with the client id %q is known here", request.ClientID)}
	case !slices.Contains(client.RedirectURIs, request.RedirectURI):
		return request, client, onPage{fmt.Errorf("%q is not a redirect URI of this application", request.RedirectURI)}
	case err != nil:
		return request, client, err
	case !request.HasScope("openid"):
		return request, client, oidc.Refuse(oidc.InvalidScope, "scope has to contain openid.")
	case client.Secret == "" && request.Challenge == "":
		return request, client, oidc.Refuse(oidc.InvalidRequest, "A public client has to use PKCE.")
	case request.Prompts(oidc.PromptNone):
		return request, client, oidc.Refuse(oidc.LoginRequired, "Nobody is ever signed in here without being asked.")
	}
	if client.Name == "" {
		client.Name = request.ClientID
	}
	return request, client, nil
}

func (s *OIDC) people(client OIDCClient) []Person {
	if client.People != nil {
		return withIDs(client.People)
	}
	return s.options.People
}

// onPage marks what is shown here and not sent to the application.
type onPage struct{ error }

func (s *OIDC) fail(w http.ResponseWriter, r *http.Request, request oidc.AuthorizationRequest, err error) {
	var refusal *oidc.ErrorResponse
	var shown onPage
	if errors.As(err, &shown) || !errors.As(err, &refusal) {
		s.pages.refuse(w, err.Error())
		return
	}
	address, err := refusal.RedirectTo(request.RedirectURI, s.Issuer(), request.State)
	s.redirect(w, r, address, err)
}

func (s *OIDC) redirect(w http.ResponseWriter, r *http.Request, address string, err error) {
	if err != nil {
		s.pages.refuse(w, err.Error())
		return
	}
	harden(w.Header())
	http.Redirect(w, r, address, http.StatusSeeOther)
}

func (s *OIDC) authorize(w http.ResponseWriter, r *http.Request) {
	request, client, err := s.known(r.Context(), r.URL.Query())
	if err != nil {
		s.fail(w, r, request, err)
		return
	}
	hidden := [][2]string{{"request", r.URL.RawQuery}}
	s.pages.choose(w, "Sign in", client.Name, s.path+"/answer", request.LoginHint, s.people(client), oidcMisbehaviours(), hidden)
}

// answer sends the person back with a code, or with an error. The request comes back in the form, so it is checked again.
func (s *OIDC) answer(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.pages.refuse(w, "The form is too large or cannot be read.")
		return
	}
	values, err := url.ParseQuery(r.PostForm.Get("request"))
	if err != nil {
		s.pages.refuse(w, "The request cannot be read.")
		return
	}
	request, client, err := s.known(r.Context(), values)
	if err != nil {
		s.fail(w, r, request, err)
		return
	}
	person, scenario, err := chosen(r.PostForm, s.people(client))
	switch {
	case err != nil:
		s.pages.refuse(w, err.Error())
		return
	case scenario == Deny:
		s.fail(w, r, request, oidc.Refuse(oidc.AccessDenied, "The person or the provider said no."))
		return
	}
	now, code := s.options.Now(), random()
	grant := oidcCode{request: request, person: person, scenario: scenario, session: random(), at: now}
	s.codes.put(code, grant, now)
	address, err := oidc.RedirectWithCode(request.RedirectURI, code, s.Issuer(), request.State)
	s.redirect(w, r, address, err)
}

// random is 256 bits that nobody can guess.
func random() string {
	var raw [32]byte
	rand.Read(raw[:])
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

func (s *OIDC) token(w http.ResponseWriter, r *http.Request) {
	answer, err := s.redeem(r)
	var refusal *oidc.ErrorResponse
	switch {
	case errors.As(err, &refusal):
		status := http.StatusBadRequest
		if refusal.Code == oidc.InvalidClient {
			status = http.StatusUnauthorized
			w.Header().Set("WWW-Authenticate", `Basic realm="test identity provider"`)
		}
		answerJSON(w, status, map[string]string{"error": string(refusal.Code), "error_description": refusal.Description})
	case err != nil:
		answerJSON(w, http.StatusInternalServerError, map[string]string{"error": string(oidc.ServerError)})
	default:
		answerJSON(w, http.StatusOK, answer)
	}
}

func (s *OIDC) redeem(r *http.Request) (map[string]any, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, oidc.MaxTokenBody+1))
	if err != nil {
		return nil, oidc.Refuse(oidc.InvalidRequest, "The body cannot be read.")
	}
	in, err := oidc.ParseTokenRequest(oidc.Request{
		ContentType: r.Header.Get("Content-Type"), Authorization: r.Header.Get("Authorization"), Query: r.URL.RawQuery, Body: body,
	}, oidc.StyleOIDC)
	if err != nil {
		return nil, err
	}
	client, ok := s.options.Client(r.Context(), in.Client.ID)
	if !ok || subtle.ConstantTimeCompare([]byte(client.Secret), []byte(in.Client.Secret)) != 1 {
		return nil, oidc.Refuse(oidc.InvalidClient, "The client is not known, or its secret is another one.")
	}
	now := s.options.Now()
	grant, ok := s.codes.take(in.Code, now)
	if in.Grant != oidc.GrantCode || !ok || grant.request.ClientID != in.Client.ID || grant.request.RedirectURI != in.RedirectURI {
		return nil, oidc.Refuse(oidc.InvalidGrant, "The code is not known, was used, has expired, or belongs to another client or redirect URI.")
	}
	if err := oidc.CheckVerifier(grant.request.Challenge, in.Verifier); err != nil {
		return nil, err
	}
	access := random()
	raw, err := s.idToken(grant, access, now)
	if err != nil {
		return nil, err
	}
	s.tokens.put(access, grant.person, now)
	if grant.scenario == SignIn {
		s.sessions.put(grant.session, oidcSession{grant.person, in.Client.ID}, now)
	}
	return map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": int(tokenLife / time.Second), "id_token": raw, "scope": strings.Join(grant.request.Scope, " ")}, nil
}

func about(p Person) map[string]any {
	claims := map[string]any{"email": p.Email, "email_verified": true, "groups": append([]string{}, p.Groups...)}
	for name, value := range map[string]string{"given_name": p.FirstName, "family_name": p.LastName, "name": p.Name()} {
		if value != "" {
			claims[name] = value
		}
	}
	return claims
}

// idToken makes an ID token as the scenario wants it, good or bad.
func (s *OIDC) idToken(g oidcCode, access string, now time.Time) (string, error) {
	if g.scenario == Expired {
		now = now.Add(-time.Hour)
	}
	claims := oidc.IDTokenClaims{
		Issuer: s.Issuer(), Subject: g.person.ID, ClientID: g.request.ClientID, IssuedAt: now, Expires: now.Add(answerLife), AuthTime: earlier(g.at, now),
		Nonce: g.request.Nonce, SID: g.session, AMR: []string{"user"}, AccessToken: access, Extra: about(g.person),
	}
	key := s.key
	switch g.scenario {
	case WrongAudience:
		claims.ClientID = "another-app"
	case WrongKey:
		other, err := s.stranger()
		if err != nil {
			return "", err
		}
		key = other
	}
	raw, err := oidc.Sign(key, oidc.TypeIDToken, claims.Claims(key.Alg))
	if err != nil {
		return "", err
	}
	switch parts := strings.Split(raw, "."); g.scenario {
	case Unsigned:
		return encode(`{"alg":"none","typ":"JWT"}`) + "." + parts[1] + ".", nil
	case Tampered:
		claims.Subject = "sim-somebody-else"
		changed, err := json.Marshal(claims.Claims(key.Alg))
		if err != nil {
			return "", err
		}
		return parts[0] + "." + encode(string(changed)) + "." + parts[2], nil
	}
	return raw, nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func (s *OIDC) userinfo(w http.ResponseWriter, r *http.Request) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	person, ok := s.tokens.get(token, s.options.Now())
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		answerJSON(w, http.StatusUnauthorized, map[string]string{"error": string(oidc.InvalidToken)})
		return
	}
	claims := about(person)
	claims["sub"] = person.ID
	answerJSON(w, http.StatusOK, claims)
}

// start is a sign-in that the provider begins (OpenID Connect Core 1.0, section 4): it sends the person to the application, which asks back.
func (s *OIDC) start(w http.ResponseWriter, r *http.Request) {
	client, ok := s.options.Client(r.Context(), r.URL.Query().Get("client_id"))
	if !ok || client.InitiateLoginURI == "" {
		s.pages.refuse(w, "No application with this client id and an address to start at is known here.")
		return
	}
	address, err := url.Parse(client.InitiateLoginURI)
	if err != nil {
		s.pages.refuse(w, "The application's address cannot be read.")
		return
	}
	query := address.Query()
	query.Set("iss", s.Issuer())
	if hint := r.URL.Query().Get("login_hint"); hint != "" {
		query.Set("login_hint", hint)
	}
	address.RawQuery = query.Encode()
	s.redirect(w, r, address.String(), nil)
}

// logout is RP-initiated logout: nobody is signed in here for longer than one answer, so there is only the way back.
func (s *OIDC) logout(w http.ResponseWriter, r *http.Request) {
	in, err := oidc.ParseEndSession(r.URL.Query())
	if err != nil {
		s.pages.refuse(w, err.Error())
		return
	}
	now, clientID := s.options.Now(), in.ClientID
	if in.IDTokenHint != "" {
		hint, err := oidc.VerifyHint(in.IDTokenHint, []oidc.PublicKey{s.public}, s.Issuer(), in.ClientID, now)
		if err != nil {
			s.pages.refuse(w, err.Error())
			return
		}
		clientID = hint.ClientID
		s.sessions.take(hint.SID, now)
	}
	client, _ := s.options.Client(r.Context(), clientID)
	if in.PostLogoutRedirectURI == "" || !slices.Contains(client.AfterLogoutAddress, in.PostLogoutRedirectURI) {
		s.pages.show(w, http.StatusOK, "message", page{Title: "Signed out", Text: "You are signed out of the test identity provider."})
		return
	}
	address, err := oidc.RedirectAfterLogout(in.PostLogoutRedirectURI, in.State)
	s.redirect(w, r, address, err)
}

// signOut tells the application of one of the last sign-ins by the back channel (OpenID Connect Back-Channel Logout 1.0).
func (s *OIDC) signOut(w http.ResponseWriter, r *http.Request) {
	id := r.PostFormValue("session")
	one, ok := s.sessions.get(id, s.options.Now())
	if !ok {
		s.pages.refuse(w, "This sign-in is not known any more.")
		return
	}
	client, ok := s.options.Client(r.Context(), one.clientID)
	if !ok || client.BackChannelLogout == "" || s.options.HTTP == nil {
		s.pages.refuse(w, "The application has no address for back-channel logout, or none are sent here.")
		return
	}
	status, err := s.tell(r.Context(), client.BackChannelLogout, one, id)
	if err != nil {
		s.pages.refuse(w, "The application could not be told: "+err.Error())
		return
	}
	s.sessions.take(id, s.options.Now())
	s.pages.show(w, http.StatusOK, "message", page{Title: "The application was told", Text: "It answered " + status + "."})
}

func (s *OIDC) tell(ctx context.Context, address string, one oidcSession, session string) (string, error) {
	raw, err := oidc.Sign(s.key, oidc.TypeLogoutToken, oidc.LogoutClaims(s.Issuer(), one.clientID, one.person.ID, session, random(), s.options.Now()))
	if err != nil {
		return "", err
	}
	body := strings.NewReader(url.Values{"logout_token": {raw}}.Encode())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, body)
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := s.options.HTTP.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	return answer.Status, nil
}
