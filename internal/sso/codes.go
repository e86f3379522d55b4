package sso

// Code says why a sign-in was refused. Codes are stable.
type Code string

// The codes.
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
