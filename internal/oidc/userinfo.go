package oidc

import (
	"mime"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// UserInfo is an answer of the userinfo endpoint.
type UserInfo struct {
	Subject string
	Claims  map[string]any
}

// ParseUserInfo reads an answer of the userinfo endpoint (OpenID Connect Core 1.0, section 5.3.2). subject is that of the ID token: an
// answer about somebody else is refused, as it could have been exchanged for another (section 5.3.4). Signed answers (application/jwt) are
// refused: Rollcall asks for none, and reading one without verifying it would be worth less than TLS.
func ParseUserInfo(data []byte, contentType, subject string) (UserInfo, error) {
	kind, _, err := mime.ParseMediaType(contentType)
	switch {
	case len(data) > MaxDocument:
		return UserInfo{}, fault.New(fault.TooLarge, CodeTokenError, "The userinfo answer has more than %d bytes.", MaxDocument)
	case err == nil && kind == "application/jwt":
		return UserInfo{}, refuse(CodeTokenError, "The provider signs its userinfo answers. Turn that off for this application.").Compared("application/json", kind)
	case err != nil || kind != "application/json":
		return UserInfo{}, refuse(CodeTokenError, "The userinfo endpoint did not answer with JSON.").Compared("application/json", kind)
	}
	var claims map[string]any
	if err := json.Unmarshal(data, &claims); err != nil || claims == nil {
		return UserInfo{}, refuse(CodeTokenError, "The userinfo answer is not a JSON object that can be read.").Because(err)
	}
	got, _ := claims["sub"].(string)
	if got == "" || got != subject {
		return UserInfo{}, refuse(CodeTokenError, "The userinfo answer is about another person than the ID token.").On("sub").Compared(subject, got)
	}
	return UserInfo{Subject: got, Claims: claims}, nil
}

// EmailClaim is the email that a provider asserts.
type EmailClaim struct {
	Address  string // "" if there is none
	Verified bool   // the provider says that it checked it, in the same document
	Source   string // id_token or userinfo
}

// EmailOf finds the email and whether the provider vouches for it. Both are read from the same document, the ID token first: an
// email_verified beside no email says nothing about the email of the other document. info may be nil.
//
// Only true and "true" count as verified; absent, a number or any other text does not. An issuer of Microsoft Entra ID lets tenants
// write any email, so there only xms_edov (the domain's owner was verified) counts, and email_verified is not looked at.
func EmailOf(t IDToken, info *UserInfo) EmailClaim {
	if address, _ := t.Claims["email"].(string); address != "" {
		return EmailClaim{address, vouchedFor(t.Issuer, t.Claims), "id_token"}
	}
	if info != nil {
		if address, _ := info.Claims["email"].(string); address != "" {
			return EmailClaim{address, vouchedFor(t.Issuer, info.Claims), "userinfo"}
		}
	}
	return EmailClaim{}
}

func vouchedFor(issuer string, claims map[string]any) bool {
	if WritesAnyEmail(issuer) {
		switch v := claims["xms_edov"].(type) {
		case bool:
			return v
		case float64: // the claim has been seen as 1 and "1"
			return v == 1
		case string:
			return v == "1" || strings.EqualFold(v, "true")
		}
		return false
	}
	switch v := claims["email_verified"].(type) {
	case bool:
		return v
	case string:
		return strings.EqualFold(v, "true")
	}
	return false
}

// WritesAnyEmail tells the issuers whose tenants may put any address into the email claim: those of Microsoft Entra ID, in its clouds
// (Microsoft: "Migrate away from using email claims for user identification or authorization").
func WritesAnyEmail(issuer string) bool {
	u, err := url.Parse(issuer)
	if err != nil {
		return true
	}
	return slices.Contains([]string{
		"login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn", "login.chinacloudapi.cn", "login.windows.net", "sts.windows.net",
	}, strings.ToLower(u.Hostname()))
}
