// Package fault is the one error type that crosses floors: what kind of refusal it is, a stable code for programs,
// a sentence for people, and what was wanted and what was got. An edge translates it to its own wire format; nothing else
// of an error may reach a stranger.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what sort of refusal this is. Edges map it to a status, so a verb never names HTTP.
type Kind string

// The closed list of kinds, with the HTTP status each edge gives it.
const (
	Invalid       Kind = "invalid"       // 400: the request is wrong and has to be mended
	Unauthorized  Kind = "unauthorized"  // 401: no, or no valid, credential
	Forbidden     Kind = "forbidden"     // 403: known, but not allowed
	NotFound      Kind = "not_found"     // 404: not there, or not the caller's
	NotAllowed    Kind = "not_allowed"   // 405: the method does not exist here
	Conflict      Kind = "conflict"      // 409: something else has this name already
	Precondition  Kind = "precondition"  // 412: the version named is not the present one
	TooLarge      Kind = "too_large"     // 413: over a size limit
	Unprocessable Kind = "unprocessable" // 422: well formed, but a field is wrong
	Limited       Kind = "limited"       // 429: too many requests; RetryAfter says when
	Internal      Kind = "internal"      // 500: our fault; details are in the log only
	Unsupported   Kind = "unsupported"   // 501: a feature that is not offered
	Unavailable   Kind = "unavailable"   // 503: try again, nothing was changed
)

// Error is a refusal. Message is shown to the caller and must not hold secrets or another tenant's data.
type Error struct {
	Kind       Kind
	Code       string        // stable, for programs; in SCIM the scimType (RFC 7644 table 9)
	Message    string        // a sentence: what was wrong and how to mend it
	Detail     string        // a finer code under Code, where that is the code of a family
	Field      string        // the parameter or attribute it is about, if one
	Wanted     string        // what would have been right
	Got        string        // what came instead
	RetryAfter time.Duration // with Limited and Unavailable
	cause      error
}

// New makes a refusal; args fill the message as in fmt.Sprintf.
func New(kind Kind, code, format string, args ...any) *Error {
	return &Error{Kind: kind, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Because attaches the cause, which is logged and never shown.
func (e *Error) Because(cause error) *Error {
	e.cause = cause
	return e
}

// On names the field the refusal is about.
func (e *Error) On(field string) *Error {
	e.Field = field
	return e
}

// Compared adds what was wanted and what was got.
func (e *Error) Compared(wanted, got string) *Error {
	e.Wanted, e.Got = wanted, got
	return e
}

func (e *Error) Error() string {
	if e.cause != nil {
		return e.Message + ": " + e.cause.Error()
	}
	return e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// As returns the refusal inside err, if there is one.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// Is reports whether err is a refusal of this kind.
func Is(err error, kind Kind) bool {
	e, ok := As(err)
	return ok && e.Kind == kind
}
