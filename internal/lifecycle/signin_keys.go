package lifecycle

import (
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// Attributes that carry what directories know people by, whoever the provider is: by plain names in OpenID Connect, by URIs in SAML.
func objectIDNames() []string {
	return []string{"oid", "http://schemas.microsoft.com/identity/claims/objectidentifier", "objectidentifier", "objectGUID"}
}

func userNameNames() []string {
	return []string{
		"upn", "preferred_username", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
		"userPrincipalName", "urn:oid:1.3.6.1.4.1.5923.1.1.1.6", "eduPersonPrincipalName",
	}
}

// keysOf are what the directories are asked by.
func keysOf(v *sso.Verified, verified bool) directory.Keys {
	p := v.Profile
	return directory.Keys{
		IDPID: p.IDPID, NameID: v.Subject, ObjectID: rawText(p, objectIDNames()), UPN: rawText(p, userNameNames()),
		Email: p.Email, EmailVerified: verified,
	}
}

// rawText is the first of some attributes that has exactly one value.
func rawText(p sso.Profile, names []string) string {
	for _, name := range names {
		switch value := p.Raw[name].(type) {
		case string:
			if value != "" {
				return value
			}
		case []string:
			if len(value) == 1 && value[0] != "" {
				return value[0]
			}
		case []any:
			if text, ok := one(value); ok {
				return text
			}
		}
	}
	return ""
}

func one(values []any) (string, bool) {
	if len(values) != 1 {
		return "", false
	}
	text, ok := values[0].(string)
	return text, ok && text != ""
}
