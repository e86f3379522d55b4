package member

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxEmail = 254 // bytes; RFC 5321 section 4.5.3.1.3, less the angle brackets
	maxLocal = 64
)

// EmailKey is the form in which addresses are compared; ok is false for what is no address that somebody can have here. Only ASCII
// letters are folded: folding others would make one address of two (the Kelvin sign becomes a k), and whose it is then
// depends on who asks. Quoted local parts (RFC 5321 section 4.1.2) and domains that are not in their ASCII form are refused.
func EmailKey(email string) (key string, ok bool) {
	local, domain, found := strings.Cut(email, "@")
	if !found || len(email) > maxEmail || local == "" || len(local) > maxLocal || !utf8.ValidString(local) || !domainName(domain) {
		return "", false
	}
	for _, r := range local {
		if unicode.IsSpace(r) || !unicode.IsPrint(r) || strings.ContainsRune(`"(),:;<>@[\]`, r) {
			return "", false
		}
	}
	return foldASCII(email), true
}

// EmailDomain is the domain of an address in lower case; "" if it is none.
func EmailDomain(email string) string {
	key, _ := EmailKey(email)
	_, domain, _ := strings.Cut(key, "@")
	return domain
}

func domainName(domain string) bool {
	if domain == "" || !strings.Contains(domain, ".") {
		return false
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			c := label[i] | 0x20
			if (c < 'a' || c > 'z') && (label[i] < '0' || label[i] > '9') && label[i] != '-' {
				return false
			}
		}
	}
	return true
}

func foldASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
