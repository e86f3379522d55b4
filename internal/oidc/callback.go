package oidc

import (
	"net/url"
	"strings"
)

// Callback is a provider's answer at the redirect URI.
type Callback struct {
	State string
	Code  string
}

// CallbackExpectation is what the answer has to say of its sender (RFC 9207).
type CallbackExpectation struct {
	Issuer       string
	IssParameter bool // the provider's document says that it sends iss
}

// State gives the state of an answer that is not yet checked, to find the sign-in it belongs to; "" if there is none, or more than one.
func State(query url.Values) string {
	if states := query["state"]; len(states) == 1 && len(states[0]) <= maxState {
		return states[0]
	}
	return ""
}

// CheckCallback reads a provider's answer (RFC 6749, section 4.1.2; RFC 9207). The caller has found the sign-in by State and knows by it, and by the
// address that was called, which provider was asked. Parameters that come twice, an answer that is both an error and a code, and one
// of another issuer are refused. A refusal is a *fault.Error.
func CheckCallback(query url.Values, e CallbackExpectation) (Callback, error) {
	for _, name := range []string{"state", "code", "error", "error_description", "iss"} {
		if len(query[name]) > 1 {
			return Callback{}, refuse(CodeMalformed, "The provider's answer holds %s twice.", name).On(name)
		}
	}
	c := Callback{State: State(query), Code: query.Get("code")}
	issuer, problem := query.Get("iss"), query.Get("error")
	switch {
	case c.State == "":
		return Callback{}, refuse(CodeStateLost, "The provider's answer has no state.").On("state")
	case issuer == "" && e.IssParameter:
		return Callback{}, refuse(CodeIssuerMismatch, "The provider's answer does not say who sent it, though the provider announces that it does.").On("iss").Compared(e.Issuer, "no iss")
	case issuer != "" && issuer != e.Issuer:
		return Callback{}, refuse(CodeIssuerMismatch, "The answer comes from another provider than the one that was asked.").On("iss").Compared(e.Issuer, clip(issuer))
	case problem != "" && c.Code != "":
		return Callback{}, refuse(CodeMalformed, "The provider's answer is an error and a code at once.").On("code")
	case problem != "":
		return Callback{}, denied(problem, query.Get("error_description"))
	case c.Code == "":
		return Callback{}, refuse(CodeMalformed, "The provider's answer has no code.").On("code")
	case len(c.Code) > MaxToken:
		return Callback{}, refuse(CodeMalformed, "The provider's code is too long.").On("code")
	}
	return c, nil
}

// Initiation is a sign-in that the provider's portal starts (OpenID Connect Core 1.0, section 4). target_link_uri is not followed: the
// sign-in ends at the default application.
type Initiation struct{ LoginHint string }

// CheckInitiation reads the parameters of a sign-in that is started by another party: it has to name the connection's issuer.
func CheckInitiation(values url.Values, issuer string) (Initiation, error) {
	p := &parameters{values: values}
	got, hint := p.one("iss", maxParameter), p.one("login_hint", maxParameter)
	switch {
	case p.refusal != nil:
		return Initiation{}, refuse(CodeMalformed, "%s", p.refusal.Description).On(p.refusal.Field)
	case got != issuer:
		return Initiation{}, refuse(CodeIssuerMismatch, "Another issuer than this connection's starts the sign-in.").On("iss").Compared(issuer, clip(got))
	}
	return Initiation{LoginHint: hint}, nil
}

// denied translates a provider's error. AADSTS50105 is how Microsoft Entra ID says that the person is not assigned to the application; others
// say so in words.
func denied(problem, description string) error {
	code, message := CodeDenied, "The identity provider refused the sign-in."
	text := strings.ToLower(description)
	if strings.Contains(text, "aadsts50105") || strings.Contains(text, "not assigned to") {
		code, message = CodeNotAssigned, "The person is not assigned to this application at the identity provider."
	}
	return refuse(code, "%s", message).On("error").Compared("a code", clip(strings.TrimSpace(problem+" "+description)))
}

// clip makes a foreign text fit to be stored and shown: one line, 500 bytes at most.
func clip(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if len(text) > 500 {
		text = strings.ToValidUTF8(text[:500], "") + "…"
	}
	return text
}
