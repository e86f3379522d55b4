package member

import (
	"strings"

	"github.com/rollcallhq/rollcall/internal/org"
)

// EmailKey is the form in which addresses are compared; ok is false for what is no address that somebody can have here, see org.ReadEmail.
// Only ASCII letters are folded: folding others would make one address of two (the Kelvin sign becomes a k), and whose it is then depends
// on who asks. Domains that are not in their ASCII form are refused.
func EmailKey(email string) (key string, ok bool) {
	if _, ok := org.EmailDomain(email); !ok {
		return "", false
	}
	return foldASCII(email), true
}

// EmailDomain is the domain of an address in lower case; "" if it is none.
func EmailDomain(email string) string {
	domain, ok := org.EmailDomain(email)
	if !ok {
		return ""
	}
	return domain
}

func foldASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
