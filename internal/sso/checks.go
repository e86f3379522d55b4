package sso

import (
	"fmt"
	"strings"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// passed is a green check.
func passed(name, wanted, got string) Check {
	return Check{Name: name, Passed: true, Wanted: shown(wanted), Got: shown(got)}
}

// checkOf is the red check of a refusal.
func checkOf(f *fault.Error) Check {
	wanted, got := f.Wanted, f.Got
	if wanted == "" && got == "" {
		got = f.Message
	}
	return Check{Name: checkName(Code(f.Code)), Wanted: wanted, Got: got, Code: Code(f.Code)}
}

// checkName says what a refusal is a failed check of.
func checkName(code Code) string {
	switch code {
	case Unsigned, SignatureInvalid, AlgorithmNotAllowed, VerifiersDisagree:
		return "signature"
	case CertificateUnknown, CertificateExpired:
		return "certificate"
	case IssuerMismatch:
		return "issuer"
	case AudienceMismatch:
		return "audience"
	case DestinationMismatch, RecipientMismatch:
		return "recipient"
	case Expired, NotYetValid:
		return "times"
	case InResponseToUnknown, Replayed, StateLost, TimedOutCode, IDPInitiatedDisabled:
		return "in_response_to"
	case MissingAttribute:
		return "attributes"
	case EmailDomainNotAllowed:
		return "email_in_verified_domain"
	case UserDeprovisioned, NotInDirectory, NotAMember, MembershipInactive, IdentityConflict:
		return "person"
	case IDPDenied, UserNotAssigned, IDPUnreachable, IDPTokenError, Malformed:
		return "answer"
	default:
		return string(code)
	}
}

// personChecks are about who came. Whose domain the address lies in is checked by who decides it.
func personChecks(p Profile) []Check {
	out := []Check{
		passed("identifier", "an identifier that stays", p.IDPID),
		passed("email", "an email address", p.Email),
	}
	names := strings.TrimSpace(p.FirstName + " " + p.LastName)
	if names == "" {
		names = p.Name
	}
	if names == "" {
		names = "no name came; people will be shown by their address"
	}
	groups := "none came; nothing can be decided by groups"
	if n := len(p.Groups); n > 0 {
		groups = fmt.Sprintf("%d: %s", n+p.GroupsCut, strings.Join(p.Groups[:min(n, 5)], ", "))
	}
	return append(out, passed("name", "first and last name", names), passed("groups", "groups, if the app uses them", groups))
}
