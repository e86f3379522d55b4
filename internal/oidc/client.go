package oidc

import (
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// AuthorizationParameters are what a sign-in at an identity provider is asked with.
type AuthorizationParameters struct {
	ClientID, RedirectURI string
	Scopes                []string // openid is added where it lacks
	State, Nonce          string   // one use each; needed
	Verifier              string   // of PKCE; needed. Its challenge is sent; a provider that knows no PKCE ignores it
	LoginHint             string
	ForceAuthn            bool       // ask the person again: prompt=login and max_age=0
	Extra                 url.Values // for one provider, such as hd or domain_hint; cannot replace any of the others
}

// AuthorizationURL is where the person is sent to sign in (OpenID Connect Core 1.0, section 3.1.2.1; RFC 7636). A query of the endpoint stays.
func AuthorizationURL(d Discovery, p AuthorizationParameters) (string, error) {
	if p.ClientID == "" || p.RedirectURI == "" || p.State == "" || p.Nonce == "" || !isVerifier(p.Verifier) {
		return "", errors.New("authorization URL: client id, redirect URI, state, nonce and a verifier of 43 to 128 characters are needed")
	}
	scopes := p.Scopes
	if !slices.Contains(scopes, "openid") {
		scopes = append([]string{"openid"}, scopes...)
	}
	query := url.Values{}
	for name, values := range p.Extra {
		query[name] = slices.Clone(values)
	}
	for _, name := range []string{"request", "request_uri", "registration", "response_mode", "prompt", "max_age", "login_hint", "claims"} {
		query.Del(name)
	}
	for name, value := range map[string]string{
		"response_type": "code", "client_id": p.ClientID, "redirect_uri": p.RedirectURI, "scope": strings.Join(scopes, " "),
		"state": p.State, "nonce": p.Nonce, "code_challenge": Challenge(p.Verifier), "code_challenge_method": "S256",
	} {
		query.Set(name, value)
	}
	if p.LoginHint != "" {
		query.Set("login_hint", p.LoginHint)
	}
	if p.ForceAuthn {
		query.Set("prompt", "login")
		query.Set("max_age", "0")
	}
	return withQuery(d.AuthorizationEndpoint, query)
}

// Exchange is what a code is exchanged for tokens with.
type Exchange struct {
	Code, RedirectURI, Verifier string
	ClientID                    string
	Method                      AuthMethod
	Secret                      string // AuthBasic, AuthPost
	Assertion                   string // AuthPrivateKeyJWT: of ClientAssertion
}

// GoString hides the secrets from %#v; String from the rest.
func (x Exchange) GoString() string { return "exchange of " + x.ClientID }

// String hides the secrets from logs.
func (x Exchange) String() string { return x.GoString() }

// Request gives the body (application/x-www-form-urlencoded) and the Authorization header ("" for none) of the request to the token endpoint
// (RFC 6749, section 4.1.3; RFC 7523, section 2.2).
func (x Exchange) Request() (body, authorization string, err error) {
	form := url.Values{"grant_type": {string(GrantCode)}, "code": {x.Code}, "redirect_uri": {x.RedirectURI}, "code_verifier": {x.Verifier}}
	switch x.Method {
	case AuthBasic:
		pair := url.QueryEscape(x.ClientID) + ":" + url.QueryEscape(x.Secret)
		authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
	case AuthPost:
		form.Set("client_id", x.ClientID)
		form.Set("client_secret", x.Secret)
	case AuthNone:
		form.Set("client_id", x.ClientID)
	case AuthPrivateKeyJWT:
		form.Set("client_id", x.ClientID)
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", x.Assertion)
	default:
		return "", "", fmt.Errorf("exchange a code: unknown client authentication %q", x.Method)
	}
	if (x.Method == AuthBasic || x.Method == AuthPost) && x.Secret == "" || x.Method == AuthPrivateKeyJWT && x.Assertion == "" {
		return "", "", fmt.Errorf("exchange a code: nothing to authenticate with by %s", x.Method)
	}
	return form.Encode(), authorization, nil
}

// assertionLife is short: an assertion is made for one request.
const assertionLife = time.Minute

// ClientAssertion makes the JWT of private_key_jwt. Its audience is the issuer and nothing else: with the token endpoint as audience
// a hostile provider could have one made that counts elsewhere (CVE-2025-27370; draft-ietf-oauth-rfc7523bis). id is used once.
func ClientAssertion(key SigningKey, clientID, issuer, id string, now time.Time) (string, error) {
	if clientID == "" || issuer == "" || id == "" {
		return "", errors.New("client assertion: client id, issuer and id are needed")
	}
	return Sign(key, "client-authentication+jwt", map[string]any{
		"iss": clientID, "sub": clientID, "aud": issuer, "jti": id, "iat": now.Unix(), "exp": now.Add(assertionLife).Unix(),
	})
}

// TokenResponse is what a provider gives for a code.
type TokenResponse struct {
	IDToken, AccessToken, RefreshToken string
}

// String hides the tokens from logs.
func (TokenResponse) String() string { return "tokens" }

// GoString hides the tokens from %#v too.
func (TokenResponse) GoString() string { return "tokens" }

// ParseTokenResponse reads an answer of the provider's token endpoint (RFC 6749, sections 5.1 and 5.2; OpenID Connect Core 1.0, section 3.1.3.3). status is
// that of HTTP. A refusal is a *fault.Error with CodeTokenError that quotes the provider's error code and description, and never a token.
func ParseTokenResponse(data []byte, status int, contentType string) (TokenResponse, error) {
	kind, _, err := mime.ParseMediaType(contentType)
	switch {
	case len(data) > MaxDocument:
		return TokenResponse{}, fault.New(fault.TooLarge, CodeTokenError, "The answer of the token endpoint has more than %d bytes.", MaxDocument)
	case err != nil || kind != "application/json":
		return TokenResponse{}, refuse(CodeTokenError, "The token endpoint did not answer with JSON.").Compared("200 application/json", strconv.Itoa(status)+" "+clip(kind))
	}
	var answer struct {
		IDToken      string `json:"id_token"`
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token"`
		TokenType    string `json:"token_type"`
		Error        string `json:"error"`
		Description  string `json:"error_description"`
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return TokenResponse{}, refuse(CodeTokenError, "The answer of the token endpoint cannot be read.").Compared("200 with an id_token", strconv.Itoa(status))
	}
	switch {
	case answer.Error != "" || status != 200:
		return TokenResponse{}, refuse(CodeTokenError, "The provider refused to exchange the code.").
			Compared("200 with an id_token", clip(strings.TrimSpace(strconv.Itoa(status)+" "+answer.Error+" "+answer.Description)))
	case answer.IDToken == "":
		return TokenResponse{}, refuse(CodeTokenError, "The provider sent no ID token; the scope openid has to be allowed.").On("id_token")
	case answer.AccessToken != "" && answer.TokenType != "" && !strings.EqualFold(answer.TokenType, "Bearer"):
		return TokenResponse{}, refuse(CodeTokenError, "The provider's access token is not a bearer token.").On("token_type").Compared("Bearer", clip(answer.TokenType))
	}
	return TokenResponse{IDToken: answer.IDToken, AccessToken: answer.AccessToken, RefreshToken: answer.RefreshToken}, nil
}
