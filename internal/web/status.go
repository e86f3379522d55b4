package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// Status gives the HTTP status of a kind of refusal. A kind that is not listed is our own mistake and therefore a 500.
func Status(kind fault.Kind) int {
	switch kind {
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.Unauthorized:
		return http.StatusUnauthorized
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.NotAllowed:
		return http.StatusMethodNotAllowed
	case fault.Conflict:
		return http.StatusConflict
	case fault.Precondition:
		return http.StatusPreconditionFailed
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.Unprocessable:
		return http.StatusUnprocessableEntity
	case fault.Limited:
		return http.StatusTooManyRequests
	case fault.Unsupported:
		return http.StatusNotImplemented
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	case fault.Internal:
		return http.StatusInternalServerError
	default:
		return http.StatusInternalServerError
	}
}

// Public gives the refusal a stranger may see for err. Anything that is not a fault.Error, and every Internal one, comes
// back as the same neutral sentence; the caller logs err itself.
func Public(err error) *fault.Error {
	f, ok := fault.As(err)
	if ok && f.Kind != fault.Internal {
		return f
	}
	return fault.New(fault.Internal, "internal_error", "Something went wrong on our side. The request id names this failure in the log.")
}

// SetRetryAfter writes the Retry-After header (RFC 9110 section 10.2.3) in whole seconds, rounded up and at least one:
// a client told to wait for zero seconds comes straight back.
func SetRetryAfter(h http.Header, wait time.Duration) {
	seconds := max(1, int64((wait+time.Second-1)/time.Second))
	h.Set("Retry-After", strconv.FormatInt(seconds, 10))
}
