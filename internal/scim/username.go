package scim

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
)

// FoldKey is the key by which strings that differ only in letter case are the same (caseExact=false, RFC 7643 section 2.2):
// full Unicode case folding, which also holds outside ASCII, where a database's own folding does not.
func FoldKey(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	return cases.Fold().String(s)
}

// UserNameKey is the key by which user names are compared and unique (RFC 7644 section 5): prepared by the PRECIS profile
// UsernameCaseMapped, or, as every name a directory sends must have a key and many hold blanks, normalised and case-folded.
func UserNameKey(s string) string {
	if isASCII(s) {
		// What PRECIS makes of an ASCII name, if it allows it, is its lower case.
		return strings.ToLower(s)
	}
	if key, err := precis.UsernameCaseMapped.CompareKey(s); err == nil {
		return key
	}
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(s)))
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
