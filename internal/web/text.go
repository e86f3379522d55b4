package web

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// IsText tells whether something can be looked for in a database: neither engine holds text that is not UTF-8, or NUL.
func IsText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// AreText tells it of the names and values of a form or a query.
func AreText(values url.Values) bool {
	for name, all := range values {
		if !IsText(name) || slices.ContainsFunc(all, func(value string) bool { return !IsText(value) }) {
			return false
		}
	}
	return true
}
