package oidc

import (
	"errors"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// Codes of refusals towards an identity provider. They are stable: programs and pages know them.
const (
	CodeMalformed           = "malformed"
	CodeSignatureInvalid    = "signature_invalid"
	CodeAlgorithmNotAllowed = "algorithm_not_allowed"
	CodeIssuerMismatch      = "issuer_mismatch"
	CodeAudienceMismatch    = "audience_mismatch"
	CodeExpired             = "expired"
	CodeNotYetValid         = "not_yet_valid"
	CodeAnotherSignIn       = "in_response_to_unknown" // nonce: the token belongs to another sign-in
	CodeMissingAttribute    = "missing_attribute"
	CodeDenied              = "idp_denied"
	CodeNotAssigned         = "user_not_assigned"
	CodeTokenError          = "idp_token_error"
	CodeStateLost           = "state_lost"
)

// ErrUnknownKey is inside the refusal of a token whose key is not in the key set: the set may be fetched anew, and the token tried once more.
// How often that may happen is for the caller to limit.
var ErrUnknownKey = errors.New("the key set does not hold the token's key")

// Limits of what an identity provider sends, in bytes.
const (
	MaxDocument = 256 << 10 // discovery, key set, userinfo, token response
	MaxToken    = 64 << 10  // an ID or logout token
)

func refuse(code, format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, code, format, args...)
}
