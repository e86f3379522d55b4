package oidc

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
)

// Prompt is one value of the parameter prompt (OpenID Connect Core 1.0, section 3.1.2.1).
type Prompt string

// The closed list of prompts.
const (
	PromptNone          Prompt = "none"
	PromptLogin         Prompt = "login"
	PromptConsent       Prompt = "consent"
	PromptSelectAccount Prompt = "select_account"
	PromptCreate        Prompt = "create" // Initiating User Registration via OpenID Connect 1.0
)

// ScreenHint says which page a person without a session sees first.
type ScreenHint string

// The closed list of hints.
const (
	ScreenSignIn ScreenHint = "sign-in"
	ScreenSignUp ScreenHint = "sign-up"
)

// Limits of an authorization request, in bytes.
const (
	maxState     = 4 << 10
	maxHint      = 8 << 10 // an ID token
	maxParameter = 2 << 10
	maxScopes    = 50
)

// AuthorizationRequest is what an application asks for. Everything but the redirect URI's being registered has been checked.
type AuthorizationRequest struct {
	ClientID    string   `json:"client_id"`
	RedirectURI string   `json:"redirect_uri"` // as it was written; compare it exactly
	State       string   `json:"state,omitempty"`
	Nonce       string   `json:"nonce,omitempty"`
	Scope       []string `json:"scope,omitempty"`
	Challenge   string   `json:"challenge,omitempty"` // PKCE S256; empty only on the compatible routes

	Prompt      []Prompt       `json:"prompt,omitempty"`
	MaxAge      *time.Duration `json:"-"` // nil: not asked for; whole seconds (kept as max_age)
	LoginHint   string         `json:"login_hint,omitempty"`
	IDTokenHint string         `json:"id_token_hint,omitempty"` // not yet verified
	ACRValues   []string       `json:"acr_values,omitempty"`
	UILocales   []string       `json:"ui_locales,omitempty"`

	// Which way in; the parameters of WorkOS, understood on every route.
	Organization   string     `json:"organization,omitempty"`
	Connection     string     `json:"connection,omitempty"`
	Provider       string     `json:"provider,omitempty"`
	Domain         string     `json:"domain,omitempty"`
	DomainHint     string     `json:"domain_hint,omitempty"`
	ScreenHint     ScreenHint `json:"screen_hint,omitempty"`
	Invitation     string     `json:"invitation,omitempty"` // invitation_token
	ProviderScopes []string   `json:"provider_scopes,omitempty"`
	// ProviderQuery holds provider_query_params[name]=value: to be handed on to the identity provider.
	ProviderQuery map[string]string `json:"provider_query,omitempty"`
}

// Prompts tells whether a prompt was asked for.
func (r AuthorizationRequest) Prompts(p Prompt) bool { return slices.Contains(r.Prompt, p) }

// HasScope tells whether a scope was asked for.
func (r AuthorizationRequest) HasScope(scope string) bool { return slices.Contains(r.Scope, scope) }

// stored is how a request is kept: a duration has no form of its own in JSON.
type stored struct {
	Rest   plainRequest `json:",inline"`
	MaxAge *int64       `json:"max_age,omitempty"` // seconds
}

type plainRequest AuthorizationRequest

// MarshalJSON writes the request so that UnmarshalJSON reads the same.
func (r AuthorizationRequest) MarshalJSON() ([]byte, error) {
	s := stored{Rest: plainRequest(r)}
	if r.MaxAge != nil {
		seconds := int64(*r.MaxAge / time.Second)
		s.MaxAge = &seconds
	}
	return json.Marshal(s)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *AuthorizationRequest) UnmarshalJSON(data []byte) error {
	var s stored
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	*r = AuthorizationRequest(s.Rest)
	if s.MaxAge != nil {
		age := time.Duration(*s.MaxAge) * time.Second
		r.MaxAge = &age
	}
	return nil
}

// ParseAuthorization reads an authorization request (RFC 6749, section 4.1.1; OpenID Connect Core 1.0, section 3.1.2.1; RFC 7636).
// The values are those of the query, or of the form where it was posted.
//
// A refusal is an *ErrorResponse, and the request beside it holds ClientID, RedirectURI and State as far as they could be read: where the
// refusal is Redirectable and the redirect URI turns out to be registered for that client, the application is told there. In every other
// case it is shown on a page, as a stranger could have written the address.
func ParseAuthorization(values url.Values, style Style) (AuthorizationRequest, error) {
	p := &parameters{values: values}
	r := AuthorizationRequest{ClientID: p.one("client_id", maxParameter), RedirectURI: p.one("redirect_uri", maxParameter)}
	switch {
	case p.refusal != nil:
		return AuthorizationRequest{}, p.refusal.OnPage()
	case r.ClientID == "":
		return AuthorizationRequest{}, Refuse(InvalidRequest, "client_id is missing.").On("client_id").OnPage()
	case r.RedirectURI == "":
		return r, Refuse(InvalidRequest, "redirect_uri is missing.").On("redirect_uri").OnPage()
	}
	if refusal := CheckRedirectURI(r.RedirectURI); refusal != nil {
		return r, refusal
	}
	r.State = p.one("state", maxState)
	p.refuseObjects()
	p.response()
	r.standard(p, style)
	r.selection(p)
	if p.refusal != nil {
		return AuthorizationRequest{ClientID: r.ClientID, RedirectURI: r.RedirectURI, State: r.State}, p.refusal
	}
	return r, nil
}

// CheckRedirectURI refuses what no application may register or ask for: an address that is relative, carries a fragment (RFC 6749,
// section 3.1.2), a name and password, or characters that browsers mend silently; javascript: and data: run in a page.
func CheckRedirectURI(uri string) *ErrorResponse {
	refusal := func(why string) *ErrorResponse {
		return Refuse(InvalidRequest, "redirect_uri %s.", why).On("redirect_uri").OnPage()
	}
	u, err := url.Parse(uri)
	switch {
	case err != nil || !u.IsAbs():
		return refusal("has to be an absolute URI")
	case strings.ContainsAny(uri, "#"):
		return refusal("must not have a fragment")
	case u.User != nil:
		return refusal("must not hold a user name")
	case strings.ContainsAny(uri, "\\ \t\r\n<>\"{}|^`"):
		return refusal("holds a character that has to be percent-encoded")
	case slices.Contains([]string{"javascript", "data", "vbscript", "file", "blob", "about"}, strings.ToLower(u.Scheme)):
		return refusal("has a scheme that is not allowed")
	case (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() == "":
		return refusal("has no host")
	}
	return nil
}

func (r *AuthorizationRequest) standard(p *parameters, style Style) {
	r.Scope = p.scope(style)
	r.Nonce = p.one("nonce", maxParameter)
	r.Challenge = p.challenge(style)
	r.Prompt = p.prompt()
	r.MaxAge = p.maxAge()
	r.LoginHint = p.one("login_hint", maxParameter)
	r.IDTokenHint = p.one("id_token_hint", maxHint)
	r.ACRValues = strings.Fields(p.one("acr_values", maxParameter))
	r.UILocales = strings.Fields(p.one("ui_locales", maxParameter))
}

func (r *AuthorizationRequest) selection(p *parameters) {
	r.Organization = p.first("organization", "organization_id")
	r.Connection = p.first("connection", "connection_id")
	r.Provider = p.one("provider", maxParameter)
	r.Domain = p.one("domain", maxParameter)
	r.DomainHint = p.one("domain_hint", maxParameter)
	r.Invitation = p.one("invitation_token", maxParameter)
	r.ProviderScopes = p.list("provider_scopes")
	r.ProviderQuery = p.named("provider_query_params")
	r.ScreenHint = ScreenHint(p.one("screen_hint", maxParameter))
	if h := r.ScreenHint; h != "" && h != ScreenSignIn && h != ScreenSignUp {
		p.refuse(Refuse(InvalidRequest, "screen_hint is sign-in or sign-up.").On("screen_hint"))
	}
}

// parameters reads a query or a form; the first refusal stays.
type parameters struct {
	values  url.Values
	refusal *ErrorResponse
}

func (p *parameters) refuse(e *ErrorResponse) {
	if p.refusal == nil {
		p.refusal = e
	}
}

// one gives a parameter that may come once (RFC 6749, section 3.1); one without a value counts as absent.
func (p *parameters) one(name string, limit int) string {
	values := p.values[name]
	switch {
	case len(values) == 0:
		return ""
	case len(values) > 1:
		p.refuse(Refuse(InvalidRequest, "%s is given %d times; it may come once.", name, len(values)).On(name))
		return ""
	}
	return p.plain(name, values[0], limit)
}

// plain refuses what is too long or holds characters that belong into no parameter: they would end up in headers and pages.
func (p *parameters) plain(name, value string, limit int) string {
	switch {
	case len(value) > limit:
		p.refuse(Refuse(InvalidRequest, "%s has %d bytes; at most %d are allowed.", name, len(value), limit).On(name))
	case !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return r < 0x20 || r == 0x7f }):
		p.refuse(Refuse(InvalidRequest, "%s holds a control character or is not UTF-8.", name).On(name))
	default:
		return value
	}
	return ""
}

// first reads a parameter that has two names; both at once are one too many.
func (p *parameters) first(name, other string) string {
	a, b := p.one(name, maxParameter), p.one(other, maxParameter)
	if a != "" && b != "" && a != b {
		p.refuse(Refuse(InvalidRequest, "%s and %s differ.", name, other).On(name))
	}
	if a != "" {
		return a
	}
	return b
}

// refuseObjects: what would carry the request in another form is not offered, and says so in its own code (OpenID Connect Core 1.0,
// section 3.1.2.6).
func (p *parameters) refuseObjects() {
	for _, object := range []struct {
		name string
		code ErrorCode
	}{{"request", RequestNotSupported}, {"request_uri", RequestURINotSupported}, {"registration", RegistrationNotSupported}} {
		if strings.Join(p.values[object.name], "") != "" {
			p.refuse(Refuse(object.code, "The parameter %s is not supported; send plain parameters.", object.name).On(object.name))
		}
	}
}

func (p *parameters) response() {
	switch kind := p.one("response_type", maxParameter); {
	case kind == "":
		p.refuse(Refuse(InvalidRequest, "response_type is missing; it is always code.").On("response_type"))
	case kind != "code":
		p.refuse(Refuse(UnsupportedResponseType, "The only response_type is code.").On("response_type"))
	}
	if mode := p.one("response_mode", maxParameter); mode != "" && mode != "query" {
		p.refuse(Refuse(InvalidRequest, "The only response_mode is query.").On("response_mode"))
	}
}

// scope reads the space-separated list (RFC 6749, section 3.3), each value once.
func (p *parameters) scope(style Style) []string {
	scopes, ok := ParseScope(p.one("scope", maxParameter))
	switch {
	case !ok:
		p.refuse(Refuse(InvalidScope, "scope is a list of at most %d names separated by one space.", maxScopes).On("scope"))
	case style == StyleOIDC && !slices.Contains(scopes, "openid"):
		p.refuse(Refuse(InvalidScope, "scope has to contain openid.").On("scope"))
	}
	return scopes
}

// ParseScope splits a scope into its values, each once and in their order; ok is false where it does not follow RFC 6749, section 3.3.
func ParseScope(scope string) (scopes []string, ok bool) {
	for _, name := range strings.Fields(scope) {
		if strings.ContainsFunc(name, func(r rune) bool { return r <= 0x20 || r > 0x7e || r == '"' || r == '\\' }) {
			return nil, false
		}
		if !slices.Contains(scopes, name) {
			scopes = append(scopes, name)
		}
	}
	return scopes, len(scopes) <= maxScopes
}

// challenge reads PKCE (RFC 7636, section 4.3). A missing method means "plain", which is refused like every other one but S256.
func (p *parameters) challenge(style Style) string {
	challenge, method := p.one("code_challenge", maxParameter), p.one("code_challenge_method", maxParameter)
	switch {
	case challenge == "" && method != "":
		p.refuse(Refuse(InvalidRequest, "code_challenge_method came without code_challenge.").On("code_challenge"))
	case challenge == "" && style == StyleOIDC:
		p.refuse(Refuse(InvalidRequest, "code_challenge is missing; PKCE with S256 is required.").On("code_challenge"))
	case challenge == "":
	case method != "S256":
		p.refuse(Refuse(InvalidRequest, "code_challenge_method has to be S256.").On("code_challenge_method"))
	case !isChallenge(challenge):
		p.refuse(Refuse(InvalidRequest, "code_challenge is the base64url of 32 bytes, 43 characters.").On("code_challenge"))
	}
	return challenge
}

func isChallenge(s string) bool {
	_, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(s) == 43
}

func (p *parameters) prompt() []Prompt {
	var prompts []Prompt
	for _, word := range strings.Fields(p.one("prompt", maxParameter)) {
		prompt := Prompt(word)
		if !slices.Contains([]Prompt{PromptNone, PromptLogin, PromptConsent, PromptSelectAccount, PromptCreate}, prompt) {
			p.refuse(Refuse(InvalidRequest, "prompt knows none, login, consent, select_account and create.").On("prompt"))
			return nil
		}
		if !slices.Contains(prompts, prompt) {
			prompts = append(prompts, prompt)
		}
	}
	if len(prompts) > 1 && slices.Contains(prompts, PromptNone) {
		p.refuse(Refuse(InvalidRequest, "prompt none stands alone.").On("prompt"))
	}
	return prompts
}

func (p *parameters) maxAge() *time.Duration {
	text := p.one("max_age", maxParameter)
	if text == "" {
		return nil
	}
	seconds, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		p.refuse(Refuse(InvalidRequest, "max_age is a number of seconds.").On("max_age"))
		return nil
	}
	age := time.Duration(seconds) * time.Second
	return &age
}

// list reads a list that comes comma-joined, repeated, or with brackets after its name.
func (p *parameters) list(name string) []string {
	var out []string
	for _, value := range slices.Concat(p.values[name], p.values[name+"[]"]) {
		for part := range strings.SplitSeq(p.plain(name, value, maxParameter), ",") {
			if part = strings.TrimSpace(part); part != "" {
				out = append(out, part)
			}
		}
	}
	if len(out) > maxScopes {
		p.refuse(Refuse(InvalidRequest, "%s has %d values; at most %d are allowed.", name, len(out), maxScopes).On(name))
	}
	return out
}

// named reads name[key]=value.
func (p *parameters) named(name string) map[string]string {
	out := map[string]string{}
	for full := range p.values {
		key, opened := strings.CutPrefix(full, name+"[")
		key, closed := strings.CutSuffix(key, "]")
		if opened && closed && key != "" {
			out[p.plain(name, key, 100)] = p.one(full, maxParameter)
		}
	}
	if len(out) > maxScopes {
		p.refuse(Refuse(InvalidRequest, "%s has %d values; at most %d are allowed.", name, len(out), maxScopes).On(name))
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
