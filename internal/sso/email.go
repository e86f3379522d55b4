package sso

import (
	"strings"

	"github.com/rollcallhq/rollcall/internal/org"
)

// atext are the signs beside letters and digits that an atom may have (RFC 5322 section 3.2.3).
const atext = "!#$%&'*+-/=?^_`{|}~"

// parseEmail reads an address as strictly as a decision about access needs: as org.ReadEmail does, and with a local part that is a dot-atom of
// ASCII. The domain comes back in the form the DNS has it. The reason is for people.
func parseEmail(text string) (email, domain, reason string) {
	e, reason := org.ReadEmail(text)
	switch {
	case reason != "":
		return "", "", reason
	case !dotAtom(e.Local):
		return "", "", "the part before the @ holds something else than letters, digits and " + atext
	}
	return e.String(), e.Domain, ""
}

func dotAtom(local string) bool {
	for part := range strings.SplitSeq(local, ".") {
		if part == "" {
			return false
		}
		for i := range len(part) {
			if !alphanumeric(part[i]) && strings.IndexByte(atext, part[i]) < 0 {
				return false
			}
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
