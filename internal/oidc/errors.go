package oidc

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// ErrorCode is the value of "error" in an answer to an application.
type ErrorCode string

// The error codes of RFC 6749 (4.1.2.1, 5.2), RFC 6750 (3.1), RFC 7009 (2.2.1) and OpenID Connect Core 1.0 (3.1.2.6) that are used.
const (
	InvalidRequest            ErrorCode = "invalid_request"
	InvalidClient             ErrorCode = "invalid_client"
	InvalidGrant              ErrorCode = "invalid_grant"
	UnauthorizedClient        ErrorCode = "unauthorized_client"
	UnsupportedGrantType      ErrorCode = "unsupported_grant_type"
	UnsupportedResponseType   ErrorCode = "unsupported_response_type"
	UnsupportedTokenType      ErrorCode = "unsupported_token_type"
	InvalidScope              ErrorCode = "invalid_scope"
	AccessDenied              ErrorCode = "access_denied"
	ServerError               ErrorCode = "server_error"
	TemporarilyUnavailable    ErrorCode = "temporarily_unavailable"
	LoginRequired             ErrorCode = "login_required"
	InteractionRequired       ErrorCode = "interaction_required"
	ConsentRequired           ErrorCode = "consent_required"
	AccountSelectionRequired  ErrorCode = "account_selection_required"
	RequestNotSupported       ErrorCode = "request_not_supported"
	RequestURINotSupported    ErrorCode = "request_uri_not_supported"
	RegistrationNotSupported  ErrorCode = "registration_not_supported"
	InvalidToken              ErrorCode = "invalid_token"
	InsufficientScope         ErrorCode = "insufficient_scope"
	UnmetAuthenticationNeeded ErrorCode = "unmet_authentication_requirements"
	MethodNotAllowed          ErrorCode = "authentication_method_not_allowed" // StyleUserManagement, for a grant type
)

// ErrorResponse is a refusal towards an application, as RFC 6749 words it.
type ErrorResponse struct {
	Code        ErrorCode
	Description string // a sentence for the developer; no secrets
	Field       string // the parameter it is about, if one

	// Redirectable: the application may be told by a redirect, once its redirect URI has proven to be registered. Else a page is shown.
	Redirectable bool

	// More are further members of the answer, where the contract of a compatible route has them; not code and description.
	More map[string]any

	cause error
}

// Refuse makes a refusal; args fill the description as in fmt.Sprintf.
func Refuse(code ErrorCode, format string, args ...any) *ErrorResponse {
	return &ErrorResponse{Code: code, Description: fmt.Sprintf(format, args...), Redirectable: true}
}

// On names the parameter the refusal is about.
func (e *ErrorResponse) On(field string) *ErrorResponse {
	e.Field = field
	return e
}

// OnPage makes it a refusal that is shown on a page and never sent by a redirect.
func (e *ErrorResponse) OnPage() *ErrorResponse {
	e.Redirectable = false
	return e
}

// Because attaches the cause, which is logged and never shown.
func (e *ErrorResponse) Because(cause error) *ErrorResponse {
	e.cause = cause
	return e
}

func (e *ErrorResponse) Error() string {
	text := string(e.Code) + ": " + e.Description
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Unwrap gives the cause.
func (e *ErrorResponse) Unwrap() error { return e.cause }

// Kind says what sort of refusal it is; edges map it to a status (RFC 6749, section 5.2: 401 for invalid_client, else 400).
func (e *ErrorResponse) Kind() fault.Kind {
	switch e.Code {
	case InvalidClient, InvalidToken:
		return fault.Unauthorized
	case InsufficientScope:
		return fault.Forbidden
	case ServerError:
		return fault.Internal
	case TemporarilyUnavailable:
		return fault.Unavailable
	default:
		return fault.Invalid
	}
}

// JSON is the body of the answer of a token endpoint (RFC 6749, section 5.2).
func (e *ErrorResponse) JSON() []byte {
	body, err := json.Marshal(struct {
		Error       ErrorCode `json:"error"`
		Description string    `json:"error_description,omitempty"`
	}{e.Code, describable(e.Description)})
	if err != nil { // two strings of plain ASCII cannot fail
		return []byte(`{"error":"server_error"}`)
	}
	return body
}

// RedirectTo is redirectURI with the refusal in its query (RFC 6749, section 4.1.2.1) and the issuer (RFC 9207). redirectURI must be a
// registered one; its own query stays. An empty state is left out.
func (e *ErrorResponse) RedirectTo(redirectURI, issuer, state string) (string, error) {
	answer := url.Values{"error": {string(e.Code)}, "iss": {issuer}}
	if text := describable(e.Description); text != "" {
		answer.Set("error_description", text)
	}
	if state != "" {
		answer.Set("state", state)
	}
	return withQuery(redirectURI, answer)
}

// RedirectWithCode is redirectURI with the code, the issuer (RFC 9207) and the state in its query (RFC 6749, section 4.1.2).
func RedirectWithCode(redirectURI, code, issuer, state string) (string, error) {
	answer := url.Values{"code": {code}, "iss": {issuer}}
	if state != "" {
		answer.Set("state", state)
	}
	return withQuery(redirectURI, answer)
}

// withQuery appends to a registered URI as it is written: parsing and writing it again could change it.
func withQuery(uri string, add url.Values) (string, error) {
	if _, err := url.Parse(uri); err != nil {
		return "", fmt.Errorf("redirect URI: %w", err)
	}
	if strings.Contains(uri, "#") {
		return "", errors.New("redirect URI has a fragment")
	}
	switch _, query, found := strings.Cut(uri, "?"); {
	case !found:
		uri += "?"
	case query != "" && !strings.HasSuffix(query, "&"):
		uri += "&"
	}
	return uri + add.Encode(), nil
}

// describable keeps what RFC 6749 lets an error_description hold: printable ASCII without quotation mark and backslash.
func describable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '"':
			return '\''
		case r < 0x20 || r > 0x7e || r == '\\':
			return '?'
		}
		return r
	}, text)
}
