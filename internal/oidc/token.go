package oidc

import (
	"encoding/base64"
	"fmt"
	"mime"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxTokenBody is how many bytes of a request to the token endpoint are worth reading.
const MaxTokenBody = 64 << 10

const (
	maxSecret = 512 // bytes of a client id or secret, a code, a token in a form
	maxToken  = 8 << 10
)

// Grant is what an application shows to get tokens.
type Grant string

// The closed list of grants. The parser refuses every other one with unsupported_grant_type.
const (
	GrantCode      Grant = "authorization_code"
	GrantRefresh   Grant = "refresh_token"
	GrantMagicAuth Grant = "urn:workos:oauth:grant-type:magic-auth:code" // StyleUserManagement only
)

// AuthMethod is how a client proves who it is (OpenID Connect Core 1.0, section 9).
type AuthMethod string

// The closed list of methods. AuthBearer exists on the compatible routes only: their clients send the management key as a bearer token.
// AuthPrivateKeyJWT is used towards identity providers.
const (
	AuthNone          AuthMethod = "none"
	AuthBasic         AuthMethod = "client_secret_basic"
	AuthPost          AuthMethod = "client_secret_post"
	AuthBearer        AuthMethod = "bearer"
	AuthPrivateKeyJWT AuthMethod = "private_key_jwt"
)

// ClientCredentials are what a request says of its sender; nothing of it is checked against what is stored.
type ClientCredentials struct {
	ID     string
	Secret string // in clear; hash it and forget it
	Method AuthMethod
}

// String hides the secret from logs.
func (c ClientCredentials) String() string { return fmt.Sprintf("%s by %s", c.ID, c.Method) }

// GoString hides the secret from %#v too.
func (c ClientCredentials) GoString() string { return c.String() }

// Request is an HTTP request as the parsers need it.
type Request struct {
	ContentType   string // header Content-Type
	Authorization string // header Authorization, "" when there is none
	Query         string // the raw query of the address
	Body          []byte // at most MaxTokenBody bytes; who reads it answers 413 for more
}

// TokenRequest is a request to a token endpoint. What its grant needs is there, all else is "".
type TokenRequest struct {
	Grant        Grant
	Client       ClientCredentials
	Code         string
	RedirectURI  string // "" where it did not come: the compatible routes send none
	Verifier     string
	RefreshToken string
	Scope        []string // of a refresh; nil: as before

	Email        string // GrantMagicAuth
	Organization string // organization_id: of a refresh, the organization to go on with
	Invitation   string // invitation_token
	IPAddress    string // of the person, as the application says
	UserAgent    string
}

// String hides what is secret in the request from logs.
func (r TokenRequest) String() string { return fmt.Sprintf("%s of %s", r.Grant, r.Client) }

// GoString hides it from %#v too.
func (r TokenRequest) GoString() string { return r.String() }

// ParseTokenRequest reads a request to a token endpoint (RFC 6749, sections 4.1.3, 6 and 2.3). On the standard route the body is a form;
// the compatible routes take JSON as well. Secrets, codes and tokens in the address are refused everywhere: addresses end up in logs.
// A refusal is an *ErrorResponse.
func ParseTokenRequest(in Request, style Style) (TokenRequest, error) {
	p, client, refusal := in.open(style)
	if refusal != nil {
		return TokenRequest{}, refusal
	}
	r := TokenRequest{Client: client, Grant: Grant(p.one("grant_type", maxParameter))}
	switch {
	case r.Grant == "":
		p.refuse(Refuse(InvalidRequest, "grant_type is missing.").On("grant_type"))
	case r.Grant == GrantCode:
		r.code(p)
	case r.Grant == GrantRefresh && style != StyleSSO:
		r.refresh(p)
	case r.Grant == GrantMagicAuth && style == StyleUserManagement:
		r.Code, r.Email = p.needed("code", maxSecret), p.needed("email", maxParameter)
	default:
		p.refuse(RefuseGrant(style))
	}
	if style.Compatible() {
		r.circumstances(p)
	}
	if p.refusal != nil {
		return TokenRequest{}, p.refusal
	}
	return r, nil
}

// RefuseGrant is the refusal of a grant that the style does not have. The contract of StyleUserManagement has a word of its own for it.
func RefuseGrant(style Style) *ErrorResponse {
	if style == StyleUserManagement {
		return Refuse(MethodNotAllowed, "grant_type is authorization_code or refresh_token here: people sign in on the hosted page, by their identity provider or a mailed code, and nobody has a password.").On("grant_type")
	}
	return Refuse(UnsupportedGrantType, "This grant_type is not supported.").On("grant_type")
}

func (r *TokenRequest) code(p *parameters) {
	r.Code = p.needed("code", maxSecret)
	r.RedirectURI = p.one("redirect_uri", maxParameter)
	r.Verifier = p.one("code_verifier", maxSecret)
}

func (r *TokenRequest) refresh(p *parameters) {
	r.RefreshToken = p.needed("refresh_token", maxToken)
	scopes, ok := ParseScope(p.one("scope", maxParameter))
	if !ok {
		p.refuse(Refuse(InvalidScope, "scope is a list of at most %d names separated by one space.", maxScopes).On("scope"))
	}
	r.Scope = scopes
}

func (r *TokenRequest) circumstances(p *parameters) {
	r.Organization = p.one("organization_id", maxParameter)
	r.Invitation = p.one("invitation_token", maxParameter)
	r.IPAddress = p.one("ip_address", maxParameter)
	r.UserAgent = p.one("user_agent", maxParameter)
}

// TokenQuestion is a request to the introspection (RFC 7662, section 2.1) or revocation endpoint (RFC 7009, section 2.1).
type TokenQuestion struct {
	Client ClientCredentials
	Token  string
	Hint   string // token_type_hint: access_token, refresh_token or ""; anything else was ignored, as the RFCs say
}

// String hides the token from logs.
func (q TokenQuestion) String() string { return "token of " + q.Client.String() }

// GoString hides it from %#v too.
func (q TokenQuestion) GoString() string { return q.String() }

// ParseTokenQuestion reads a request for introspection or revocation: a form, with the client's authentication as at the token endpoint.
// A refusal is an *ErrorResponse.
func ParseTokenQuestion(in Request) (TokenQuestion, error) {
	p, client, refusal := in.open(StyleOIDC)
	if refusal != nil {
		return TokenQuestion{}, refusal
	}
	q := TokenQuestion{Client: client, Token: p.needed("token", maxToken), Hint: p.one("token_type_hint", maxParameter)}
	if q.Hint != "access_token" && q.Hint != "refresh_token" {
		q.Hint = ""
	}
	if p.refusal != nil {
		return TokenQuestion{}, p.refusal
	}
	return q, nil
}

// open reads body and client: what all requests of an application's server have in common.
func (in Request) open(style Style) (*parameters, ClientCredentials, *ErrorResponse) {
	if refusal := in.refuseQuery(); refusal != nil {
		return nil, ClientCredentials{}, refusal
	}
	p, refusal := in.parameters(style)
	if refusal != nil {
		return nil, ClientCredentials{}, refusal
	}
	client, refusal := in.client(p, style)
	if p.refusal != nil {
		refusal = p.refusal
	}
	return p, client, refusal
}

// refuseQuery: RFC 6749, section 2.3.1, forbids credentials in the address, and section 3.2 wants a POST with a body.
func (in Request) refuseQuery() *ErrorResponse {
	query, err := url.ParseQuery(in.Query)
	if err != nil {
		return Refuse(InvalidRequest, "The query of the address cannot be read.").OnPage()
	}
	for _, name := range []string{"client_secret", "code", "code_verifier", "refresh_token", "access_token", "token", "client_assertion", "client_id", "grant_type"} {
		if query.Has(name) {
			return Refuse(InvalidRequest, "%s belongs into the body, not into the address.", name).On(name)
		}
	}
	return nil
}

func (in Request) parameters(style Style) (*parameters, *ErrorResponse) {
	kind, _, err := mime.ParseMediaType(in.ContentType)
	switch {
	case len(in.Body) > MaxTokenBody:
		return nil, Refuse(InvalidRequest, "The body has more than %d bytes.", MaxTokenBody)
	case err == nil && kind == "application/x-www-form-urlencoded":
		values, err := url.ParseQuery(string(in.Body))
		if err != nil {
			return nil, Refuse(InvalidRequest, "The body is not a form that can be read.")
		}
		return &parameters{values: values}, nil
	case err == nil && kind == "application/json" && style.Compatible():
		return jsonParameters(in.Body)
	case style.Compatible():
		return nil, Refuse(InvalidRequest, "Content-Type has to be application/x-www-form-urlencoded or application/json.").On("Content-Type")
	default:
		return nil, Refuse(InvalidRequest, "Content-Type has to be application/x-www-form-urlencoded.").On("Content-Type")
	}
}

// jsonParameters takes an object of strings. null counts as absent, as the SDKs send it for what was not given.
func jsonParameters(body []byte) (*parameters, *ErrorResponse) {
	var members map[string]jsontext.Value
	if err := json.Unmarshal(body, &members); err != nil || members == nil {
		return nil, Refuse(InvalidRequest, "The body is not a JSON object that can be read.")
	}
	p := &parameters{values: url.Values{}}
	for name, value := range members {
		switch value.Kind() {
		case '"':
			var text string
			if err := json.Unmarshal(value, &text); err != nil {
				return nil, Refuse(InvalidRequest, "The body is not a JSON object that can be read.")
			}
			p.values.Set(name, text)
		case 'n':
		default:
			if wantsString(name) {
				return nil, Refuse(InvalidRequest, "%s has to be a string.", describable(name)).On(name)
			}
		}
	}
	return p, nil
}

// wantsString: parameters that are read; what is not read may be of any kind.
func wantsString(name string) bool {
	switch name {
	case "grant_type", "client_id", "client_secret", "code", "code_verifier", "redirect_uri", "refresh_token", "scope", "email",
		"organization_id", "invitation_token", "ip_address", "user_agent":
		return true
	}
	return false
}

// client reads the client's authentication. Two methods at once are refused (RFC 6749, section 2.3): one of them would not be checked.
func (in Request) client(p *parameters, style Style) (ClientCredentials, *ErrorResponse) {
	id, secret := p.one("client_id", maxSecret), p.one("client_secret", maxSecret)
	if len(p.values["client_assertion"]) > 0 || len(p.values["client_assertion_type"]) > 0 {
		return ClientCredentials{}, Refuse(InvalidClient, "client_assertion is not supported; use client_secret_basic or client_secret_post.").On("client_assertion")
	}
	scheme, rest, _ := strings.Cut(in.Authorization, " ")
	switch {
	case in.Authorization == "":
		return inBody(id, secret)
	case strings.EqualFold(scheme, "Basic"):
		return basic(strings.TrimLeft(rest, " "), id, secret)
	case strings.EqualFold(scheme, "Bearer") && style.Compatible():
		return bearer(strings.TrimSpace(rest), id, secret)
	default:
		return ClientCredentials{}, Refuse(InvalidClient, "The Authorization header has to be Basic.").On("Authorization")
	}
}

func inBody(id, secret string) (ClientCredentials, *ErrorResponse) {
	switch {
	case id == "":
		return ClientCredentials{}, Refuse(InvalidClient, "client_id is missing.").On("client_id")
	case secret == "":
		return ClientCredentials{ID: id, Method: AuthNone}, nil
	}
	return ClientCredentials{ID: id, Secret: secret, Method: AuthPost}, nil
}

// basic decodes the header. Id and secret are form-encoded before they are put together (RFC 6749, section 2.3.1), so that either may
// hold a colon.
func basic(encoded, id, secret string) (ClientCredentials, *ErrorResponse) {
	malformed := Refuse(InvalidClient, "The Authorization header is not the base64 of id:secret, both form-encoded.").On("Authorization")
	pair, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return ClientCredentials{}, malformed
	}
	user, password, _ := strings.Cut(string(pair), ":")
	headerID, err1 := url.QueryUnescape(user)
	headerSecret, err2 := url.QueryUnescape(password)
	switch {
	case err1 != nil || err2 != nil || headerID == "" || !utf8.ValidString(headerID) || strings.ContainsRune(headerID, 0) || headerSecret == "" || len(headerID) > maxSecret || len(headerSecret) > maxSecret:
		return ClientCredentials{}, malformed
	case secret != "":
		return ClientCredentials{}, Refuse(InvalidRequest, "The client's secret came twice: use the Authorization header or client_secret.").On("client_secret")
	case id != "" && id != headerID:
		return ClientCredentials{}, Refuse(InvalidRequest, "client_id differs from the one in the Authorization header.").On("client_id")
	}
	return ClientCredentials{ID: headerID, Secret: headerSecret, Method: AuthBasic}, nil
}

// bearer: the SDKs send the management key with every request, and as client_secret too where the contract asks for it.
func bearer(key, id, secret string) (ClientCredentials, *ErrorResponse) {
	switch {
	case id == "":
		return ClientCredentials{}, Refuse(InvalidClient, "client_id is missing.").On("client_id")
	case key == "" || len(key) > maxSecret:
		return ClientCredentials{}, Refuse(InvalidClient, "The Authorization header holds no key.").On("Authorization")
	case secret == "":
		return ClientCredentials{ID: id, Secret: key, Method: AuthBearer}, nil
	case !equal(secret, key):
		return ClientCredentials{}, Refuse(InvalidRequest, "client_secret differs from the key in the Authorization header.").On("client_secret")
	}
	return ClientCredentials{ID: id, Secret: secret, Method: AuthPost}, nil
}

// needed is one, and there.
func (p *parameters) needed(name string, limit int) string {
	value := p.one(name, limit)
	if value == "" {
		p.refuse(Refuse(InvalidRequest, "%s is missing.", name).On(name))
	}
	return value
}
