package saml

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// The codes of a refusal. They are stable: attempts are stored and documented under them.
const (
	CodeMalformed           = "malformed"              // not the XML, the shape or the encoding that is read here
	CodeUnsigned            = "unsigned"               // nothing is signed that could carry an identity
	CodeSignatureInvalid    = "signature_invalid"      // there is a signature and it does not hold, or covers something else
	CodeCertificateUnknown  = "certificate_unknown"    // it names a certificate that is none of the connection's
	CodeCertificateExpired  = "certificate_expired"    // kept for callers whose policy refuses such a certificate; Consume only marks it
	CodeAlgorithmNotAllowed = "algorithm_not_allowed"  // an algorithm, or a key, that is too weak or not on the list
	CodeAudienceMismatch    = "audience_mismatch"      // made for another application
	CodeIssuerMismatch      = "issuer_mismatch"        // made by another identity provider
	CodeDestinationMismatch = "destination_mismatch"   // sent to another address
	CodeRecipientMismatch   = "recipient_mismatch"     // to be confirmed at another address
	CodeExpired             = "expired"                // too late
	CodeNotYetValid         = "not_yet_valid"          // too early
	CodeInResponseTo        = "in_response_to_unknown" // answers something else than it says, or than was asked
	CodeDenied              = "idp_denied"             // the identity provider said no
	CodeNotAssigned         = "user_not_assigned"      // it said no because the person is not assigned to the application
	CodeMissingAttribute    = "missing_attribute"      // something that identifies the person is not there
	CodeFeatureDisabled     = "feature_disabled"       // well formed, but this connection does not use it
	CodeVerifiersDisagree   = "verifiers_disagree"     // the second verifier read the same document otherwise
)

// Fault is the error that crosses floors; the alias lets Error embed it beside a method of that name.
type Fault = fault.Error

// Error is a refusal: code, sentence, what was wanted and what came. fault.As finds the fault inside it.
type Error struct {
	*Fault
	Claimed Claimed
}

// Claimed is what a refused message said about itself. Nothing of it is verified: it may find the attempt that the message
// belongs to and must decide nothing.
type Claimed struct {
	ID           string // of the Response or the request
	InResponseTo string
	Issuer       string
}

// Unwrap gives the fault, whose own cause is the next one.
func (e *Error) Unwrap() error { return e.Fault }

// With adds what the message claimed.
func (e *Error) With(c Claimed) *Error {
	e.Claimed = c
	return e
}

// maxShown is how many bytes of foreign text an error repeats.
const maxShown = 256

// refuse makes a refusal. wanted and got may be empty; got is foreign text and comes out short and printable.
func refuse(code, wanted, got, format string, args ...any) *Error {
	kind := fault.Forbidden
	if code == CodeMalformed {
		kind = fault.Invalid
	}
	return &Error{Fault: fault.New(kind, code, "%s", shown(fmt.Sprintf(format, args...))).Compared(wanted, shown(got))}
}

// shown makes foreign text fit for a log line and a page: one line, printable, at most maxShown bytes.
func shown(s string) string {
	if len(s) > maxShown {
		s = s[:maxShown]
		for len(s) > 0 && !utf8.ValidString(s) {
			s = s[:len(s)-1]
		}
		s += "…"
	}
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
}

// claiming puts the claim into a refusal that has none yet; other errors pass.
func claiming(err error, c Claimed) error {
	var e *Error
	if errors.As(err, &e) && e.Claimed == (Claimed{}) {
		e.Claimed = c
	}
	return err
}
