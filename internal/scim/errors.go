package scim

import (
	"strconv"
	"unicode/utf8"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// The scimTypes of RFC 7644 table 9 and RFC 9865 section 2.1, used as Code of a refusal.
const (
	CodeInvalidFilter = "invalidFilter"
	CodeTooMany       = "tooMany"
	CodeUniqueness    = "uniqueness"
	CodeMutability    = "mutability"
	CodeInvalidSyntax = "invalidSyntax"
	CodeInvalidPath   = "invalidPath"
	CodeNoTarget      = "noTarget"
	CodeInvalidValue  = "invalidValue"
	CodeInvalidVers   = "invalidVers"
	CodeSensitive     = "sensitive"
	CodeInvalidCursor = "invalidCursor"
	CodeExpiredCursor = "expiredCursor"
	CodeInvalidCount  = "invalidCount"
)

func invalidSyntax(format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, CodeInvalidSyntax, format, args...)
}

func invalidValue(format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, CodeInvalidValue, format, args...)
}

// echoLimit is how many runes of something a client sent an error repeats.
const echoLimit = 80

// shorten cuts text a client sent so that an error can repeat it.
func shorten(s string) string {
	if len(s) <= echoLimit || utf8.RuneCountInString(s) <= echoLimit {
		return s
	}
	n := 0
	for i := range s {
		if n == echoLimit {
			return s[:i] + "…"
		}
		n++
	}
	return s
}

// quoted is shorten between quotation marks, with control characters made visible.
func quoted(s string) string { return strconv.Quote(shorten(s)) }

// shown describes a value a client sent: its kind, and its text if it is short to say.
func shown(v Value) string {
	switch v.kind {
	case String:
		return "the string " + quoted(v.s)
	case Number:
		return "the number " + shorten(v.s)
	case Bool:
		return strconv.FormatBool(v.b)
	default:
		return v.kind.String()
	}
}
