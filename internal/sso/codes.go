package sso

import (
	"fmt"
	"strings"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// Code says why a sign-in was refused. Codes are stable.
type Code string

// The codes. Those that the grammar of SAML gives have the same names there; the last ones are given by who decides on accounts.
const (
	ConnectionInactive    Code = "connection_inactive"
	Unsigned              Code = "unsigned"
	SignatureInvalid      Code = "signature_invalid"
	CertificateUnknown    Code = "certificate_unknown"
	CertificateExpired    Code = "certificate_expired"
	AlgorithmNotAllowed   Code = "algorithm_not_allowed"
	AudienceMismatch      Code = "audience_mismatch"
	IssuerMismatch        Code = "issuer_mismatch"
	DestinationMismatch   Code = "destination_mismatch"
	RecipientMismatch     Code = "recipient_mismatch"
	Expired               Code = "expired"
	NotYetValid           Code = "not_yet_valid"
	Replayed              Code = "replayed"
	InResponseToUnknown   Code = "in_response_to_unknown"
	IDPInitiatedDisabled  Code = "idp_initiated_disabled"
	IDPDenied             Code = "idp_denied"
	UserNotAssigned       Code = "user_not_assigned"
	MissingAttribute      Code = "missing_attribute"
	EmailDomainNotAllowed Code = "email_domain_not_allowed"
	UserDeprovisioned     Code = "user_deprovisioned"
	StateLost             Code = "state_lost"
	IDPUnreachable        Code = "idp_unreachable"
	IDPTokenError         Code = "idp_token_error"
	Malformed             Code = "malformed"
	NotInDirectory        Code = "not_in_directory"
	VerifiersDisagree     Code = "verifiers_disagree"
	FeatureDisabled       Code = "feature_disabled"
	TimedOutCode          Code = "timed_out"
	NotAMember            Code = "not_a_member"
	MembershipInactive    Code = "membership_inactive"
	IdentityConflict      Code = "identity_conflict"
	LicenceLimitReached   Code = "licence_limit_reached"
)

// Fixer is who must mend what led to a refusal.
type Fixer string

// Who mends: the organization's IT admin, who runs Rollcall, the person who signs in, or Rollcall's makers.
const (
	ITAdmin  Fixer = "it_admin"
	Operator Fixer = "operator"
	Member   Fixer = "member"
	Rollcall Fixer = "rollcall"
)

// Explanation is what is known about a code.
type Explanation struct {
	Code    Code
	Fixer   Fixer
	Meaning string
	Advice  string // for who must mend it
}

// Explanations lists every code.
func Explanations() []Explanation {
	return []Explanation{
		{ConnectionInactive, Operator, "The connection is switched off, not complete, or gone with its organization.", "Switch the connection on, or complete what its protocol needs."},
		{FeatureDisabled, Operator, "Single sign-on is switched off for the organization, or the message uses something that the connection does not.", "Switch the feature sso on for the organization; for a message, change the option that the sentence names."},
		{Malformed, ITAdmin, "What came is not a message of the protocol, or not one that is read safely.", "Check that the identity provider posts its answer unchanged to the address shown as ACS URL or redirect URI. If it does, show the attempt to the operator."},
		{Unsigned, ITAdmin, "Nothing in the response, or the logout request, is signed.", "Let the identity provider sign the assertion, the response or both. A logout request that is not signed could be anybody's and ends no session; where the provider does not sign it, as is reported of Microsoft Entra ID, leave its logout URL empty: people who are deactivated in the directory are signed out at once."},
		{SignatureInvalid, ITAdmin, "There is a signature and it does not hold, or does not cover what it should.", "Compare the signing certificate at the identity provider with the certificates of the connection; nothing between the two may change the response. With OpenID Connect, check that the provider publishes the key at its `jwks_uri`."},
		{CertificateUnknown, ITAdmin, "The response is signed with a certificate that the connection does not have.", "Add the identity provider's present signing certificate to the connection, or give its metadata URL so that this happens by itself."},
		{CertificateExpired, ITAdmin, "The signing certificate is past its end.", "Renew the signing certificate at the identity provider and add the new one to the connection."},
		{AlgorithmNotAllowed, ITAdmin, "The signature or encryption uses an algorithm or key that is too weak or not on the list.", "Choose RSA with SHA-256 (and 2,048 bits or more) and, if it encrypts, AES-GCM at the identity provider. For one that only has SHA-1 set the connection's option `allow_sha1_until` to a date; for one that only encrypts with AES-CBC, as SimpleSAMLphp 1.x and LemonLDAP::NG do, set `allow_cbc` to true."},
		{AudienceMismatch, ITAdmin, "The answer was made for another application.", "Enter the SP entity id (for OpenID Connect the client id) exactly as the connection shows it."},
		{IssuerMismatch, ITAdmin, "The answer was made by another identity provider than the connection's.", "Compare the identity provider's entity id or issuer with the connection's, letter by letter."},
		{DestinationMismatch, ITAdmin, "The response names another address as its destination.", "Enter the ACS URL exactly as the connection shows it; a slash at the end makes another address."},
		{RecipientMismatch, ITAdmin, "The assertion is to be confirmed at another address.", "Enter the ACS URL exactly as the connection shows it, also as recipient."},
		{Expired, ITAdmin, "The answer came too late, or the person's sign-in at the provider is older than was asked for.", "Check the clock of the identity provider. If it is right, the person was too slow and should try again."},
		{NotYetValid, ITAdmin, "The answer is from the future.", "Check the clock of the identity provider: it is ahead."},
		{Replayed, Member, "The answer was used before.", "Begin the sign-in again. If it happens without going back in the browser, show the attempt to the operator."},
		{InResponseToUnknown, ITAdmin, "The response answers a request that was not made here.", "Begin the sign-in at the app. If the identity provider begins it, use the login URL of the connection there, or allow such responses to start over."},
		{IDPInitiatedDisabled, ITAdmin, "The identity provider began the sign-in, and the connection refuses that.", "Use the login URL of the connection as the app's address at the identity provider."},
		{IDPDenied, ITAdmin, "The identity provider said no.", "Look into the identity provider's own log at the time of the attempt."},
		{UserNotAssigned, ITAdmin, "The person is not assigned to the application at the identity provider.", "Assign the person, or a group of theirs, to the application."},
		{MissingAttribute, ITAdmin, "The answer lacks something that is needed to know the person, or has it in two versions.", "Let the identity provider send the attribute, or map the one it sends. The attempt lists the names that came."},
		{EmailDomainNotAllowed, ITAdmin, "The email address lies in no domain that the organization has verified.", "Verify the domain for the organization, or correct the person's email address at the identity provider. An invited guest begins on the sign-in page with that address and enters the mailed code first."},
		{UserDeprovisioned, ITAdmin, "The organization's directory has deactivated the person.", "Activate the person in the directory, or assign them again."},
		{NotInDirectory, ITAdmin, "The organization's directory does not know the person.", "Assign the person to the application that feeds the directory; if they are, compare the identifiers that the attempt names."},
		{NotAMember, ITAdmin, "The person is no member and accounts are not created at sign-in.", "Invite the person, or allow creation at sign-in."},
		{MembershipInactive, Operator, "The person's membership was deactivated by hand.", "Activate the membership."},
		{IdentityConflict, Operator, "The account is linked with another person of the same identity provider.", "Check who the two are; unlink the account if it is the same person with a new identifier."},
		{LicenceLimitReached, Operator, "The connection's mapping gives the person a licence that has no free seat and lets nobody in without one.", "Add seats to the licence type, free one, or let it admit people without a seat."},
		{StateLost, Member, "The answer came to another browser than the one that asked, or its cookie is gone.", "Begin the sign-in again in one browser window, with cookies allowed."},
		{TimedOutCode, Member, "The answer came more than ten minutes after the sign-in began.", "Begin the sign-in again."},
		{IDPUnreachable, Operator, "The identity provider could not be asked, or gave no usable answer.", "Check that the identity provider's addresses answer from where Rollcall runs, over https, and that its network may be called."},
		{IDPTokenError, ITAdmin, "The identity provider did not exchange the code for tokens.", "Check client id, client secret, redirect URI and the way of authentication at the token endpoint."},
		{VerifiersDisagree, Rollcall, "Two independent implementations read the same signed document differently. It may be an attack.", "Keep the attempt and report it as the security policy says. Let nobody in by switching the second verifier off."},
	}
}

// Explain tells about a code; an unknown one is ours to mend.
func Explain(code Code) Explanation {
	for _, e := range Explanations() {
		if e.Code == code {
			return e
		}
	}
	return Explanation{Code: code, Fixer: Rollcall, Meaning: "A reason without an explanation.", Advice: "Report the attempt."}
}

// explained is Explain at a connection: OpenID providers sign by keys that they publish, and have no certificates to compare.
func explained(code Code, by Protocol) Explanation {
	e := Explain(code)
	if by != OIDC {
		return e
	}
	switch code { //nolint:exhaustive // the others are the same for both
	case Unsigned, SignatureInvalid:
		e.Advice = "Check that the connection's issuer is the provider that signs, and that it publishes the key at its jwks_uri: keys are read again from there when an unknown one is named."
	case AlgorithmNotAllowed:
		e.Advice = "Let the identity provider sign ID tokens by RS256, PS256 or ES256, by one that the connection's option `id_token_signing_algs` names if it is set."
	}
	return e
}

// refusedOf is what is kept of a refusal.
func refusedOf(f *fault.Error, by Protocol) *Refused {
	e := explained(Code(f.Code), by)
	return &Refused{Code: e.Code, Message: f.Message, Wanted: f.Wanted, Got: f.Got, Fixer: e.Fixer, Advice: e.Advice}
}

// deny makes a refusal for people; wanted and got may be empty.
func deny(code Code, wanted, got, format string, args ...any) *fault.Error {
	kind := fault.Forbidden
	switch code {
	case Malformed:
		kind = fault.Invalid
	case IDPUnreachable:
		kind = fault.Unavailable
	}
	return fault.New(kind, string(code), format, args...).Compared(shown(wanted), shown(got))
}

// fixers are the words for who must mend.
func (f Fixer) String() string {
	switch f {
	case ITAdmin:
		return "IT admin"
	case Operator:
		return "operator"
	case Member:
		return "person"
	default:
		return "Rollcall"
	}
}

// Reference is the page about the codes.
func Reference() []byte {
	var b strings.Builder
	b.WriteString("# Sign-in errors\n\n<!-- Generated by `go generate ./internal/sso`; do not edit. -->\n\n")
	b.WriteString("A sign-in that is refused is recorded with one of these codes, what was wanted, what was got and who must mend it. The person sees a\n" +
		"neutral sentence and the attempt's id; operator and IT admin find the rest under that id (`GET /sign_in_attempts/{id}`). Codes are stable.\n\n")
	b.WriteString("| Code | Who mends it | What it means | What to do |\n| --- | --- | --- | --- |\n")
	for _, e := range Explanations() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", e.Code, e.Fixer, e.Meaning, e.Advice)
	}
	return []byte(b.String())
}
