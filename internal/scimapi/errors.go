package scimapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"unicode/utf8"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/web"
)

// refusal turns an error into the answer of RFC 7644 section 3.12 and what is recorded of it. What is nobody's business is
// only logged, under the request id that the answer names.
func (s *server) refusal(ctx context.Context, v visit, err error) (answer, *fault.Error) {
	f := public(err)
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		s.log.Log(ctx, severity(err), "a SCIM request failed", "request_id", v.requestID, "method", shorten(v.method), "route", v.target.class(), "error", err)
	}
	a := errorAnswer(web.Status(f.Kind), f, v.requestID)
	a.retryAfter = f.RetryAfter
	if f.Kind == fault.NotAllowed {
		a.allow = v.target.allow()
	}
	return a, f
}

// severity: that a client left is its own affair.
func severity(err error) slog.Level {
	if errors.Is(err, context.Canceled) {
		return slog.LevelInfo
	}
	return slog.LevelError
}

// public is web.Public, but that a request which ran out of time or whose client left is not our fault.
func public(err error) *fault.Error {
	if _, ok := fault.As(err); !ok && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)) {
		f := fault.New(fault.Unavailable, "", "The request took too long and was given up. Send it again, or ask for less.")
		return f.Because(err)
	}
	return web.Public(err)
}

// Codes of refusals that SCIM has no word for; they are in what is recorded.
const (
	codeFeatureOff = "feature_disabled"
	codeUndecided  = "undecided_address"
)

// errFeatureOff is the refusal of everything while the operator has switched the organization's directory sync off.
func errFeatureOff() *fault.Error {
	return fault.New(fault.Forbidden, codeFeatureOff, "Directory sync is switched off for this organization, so nothing was read or changed. "+
		"What was synced before is kept. Ask the provider of the app to switch it on, then let the identity provider send this again.")
}

func errorAnswer(status int, f *fault.Error, requestID string) answer {
	detail := f.Message
	if requestID != "" {
		detail += " (request " + requestID + ")"
	}
	return answer{status: status, body: scim.AppendError(nil, status, scimType(status, f.Code), detail)}
}

// scimType lets only the words of RFC 7644 table 9 and RFC 9865 section 2.1 out: codes of other floors mean nothing to a SCIM
// client.
func scimType(status int, code string) string {
	switch code {
	case scim.CodeInvalidFilter, scim.CodeTooMany, scim.CodeMutability, scim.CodeInvalidSyntax, scim.CodeInvalidPath, scim.CodeNoTarget,
		scim.CodeInvalidValue, scim.CodeInvalidVers, scim.CodeInvalidCursor, scim.CodeExpiredCursor, scim.CodeInvalidCount,
		scim.CodeUniqueness, scim.CodeSensitive:
		return code
	}
	if status == http.StatusBadRequest && code != codeUndecided {
		return scim.CodeInvalidSyntax // a body that could not be received
	}
	return ""
}

// shorten keeps a client's words short enough for a sentence.
func shorten(s string) string {
	const longest = 80
	if utf8.RuneCountInString(s) <= longest {
		return s
	}
	return string([]rune(s)[:longest]) + "…"
}
