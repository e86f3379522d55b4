package sso

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Lengths of an address (RFC 5321 section 4.5.3.1) and of a name in the DNS.
const (
	maxEmail  = 254
	maxLocal  = 64
	maxDomain = 253
	maxLabel  = 63
)

// atext are the signs beside letters and digits that an atom may have (RFC 5322 section 3.2.3).
const atext = "!#$%&'*+-/=?^_`{|}~"

// parseEmail reads an address as strictly as a decision about access needs: one @, a local part that is a dot-atom of ASCII (no quotes, no
// comments, no spaces), a domain name of at least two labels without a dot at the end. The domain comes back in lower case and in the
// form the DNS has it, so that names which only look alike compare as different. The reason is for people.
func parseEmail(text string) (email, domain, reason string) {
	local, host, found := strings.Cut(text, "@")
	switch {
	case !found:
		return "", "", "it has no @"
	case len(text) > maxEmail || len(local) > maxLocal:
		return "", "", "it is too long"
	case strings.Contains(host, "@"):
		return "", "", "it has more than one @"
	case !dotAtom(local):
		return "", "", "the part before the @ holds something else than letters, digits and " + atext
	}
	domain, reason = asciiDomain(host)
	if reason != "" {
		return "", "", reason
	}
	return local + "@" + domain, domain, ""
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

// asciiDomain brings a name into the form of the DNS: lower case, labels in other scripts as xn--.
func asciiDomain(host string) (domain, reason string) {
	if !utf8.ValidString(host) {
		return "", "its domain is not UTF-8"
	}
	labels := strings.Split(strings.ToLower(norm.NFC.String(host)), ".")
	if len(labels) < 2 {
		return "", "its domain has only one part"
	}
	for i, label := range labels {
		if labels[i], reason = asciiLabel(label); reason != "" {
			return "", reason
		}
	}
	if last := labels[len(labels)-1]; strings.Trim(last, "0123456789") == "" {
		return "", "its domain is no name"
	}
	domain = strings.Join(labels, ".")
	if len(domain) > maxDomain {
		return "", "its domain is too long"
	}
	return domain, ""
}

func asciiLabel(label string) (ascii, reason string) {
	if label == "" {
		return "", "its domain has an empty part, or a dot at the end"
	}
	foreign := false
	for _, r := range label {
		switch {
		case r < utf8.RuneSelf && !alphanumeric(byte(r)) && r != '-':
			return "", fmt.Sprintf("its domain holds %q", r)
		case r >= utf8.RuneSelf && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r):
			return "", fmt.Sprintf("its domain holds %q", r)
		}
		foreign = foreign || r >= utf8.RuneSelf
	}
	if foreign {
		label = "xn--" + punycode([]rune(label))
	}
	if len(label) > maxLabel || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
		return "", "a part of its domain is too long, or begins or ends with a hyphen"
	}
	return label, ""
}

// Parameters of Punycode (RFC 3492 section 5).
const (
	punyBase, punyMin, punyMax = 36, 1, 26
	punySkew, punyDamp         = 38, 700
	punyBias, punyFirst        = 72, 128
)

// punycode encodes a label (RFC 3492 section 6.3). The label is short (a domain in an address), so nothing overflows.
func punycode(label []rune) string {
	var out []byte
	for _, r := range label {
		if r < punyFirst {
			out = append(out, byte(r))
		}
	}
	basic := len(out)
	if basic > 0 {
		out = append(out, '-')
	}
	n, delta, bias := rune(punyFirst), 0, punyBias
	for done := basic; done < len(label); {
		next := rune(unicode.MaxRune)
		for _, r := range label {
			if r >= n && r < next {
				next = r
			}
		}
		delta += int(next-n) * (done + 1)
		n = next
		for _, r := range label {
			if r < n {
				delta++
			}
			if r != n {
				continue
			}
			out = appendVariable(out, delta, bias)
			bias = adapt(delta, done+1, done == basic)
			delta = 0
			done++
		}
		delta++
		n++
	}
	return string(out)
}

// appendVariable writes a number as one of variable length (RFC 3492 section 3.3).
func appendVariable(out []byte, q, bias int) []byte {
	const digits = "abcdefghijklmnopqrstuvwxyz0123456789"
	for k := punyBase; ; k += punyBase {
		t := min(max(k-bias, punyMin), punyMax)
		if q < t {
			return append(out, digits[q])
		}
		out = append(out, digits[t+(q-t)%(punyBase-t)])
		q = (q - t) / (punyBase - t)
	}
}

// adapt is RFC 3492 section 6.1.
func adapt(delta, points int, first bool) int {
	if first {
		delta /= punyDamp
	} else {
		delta /= 2
	}
	delta += delta / points
	k := 0
	for delta > (punyBase-punyMin)*punyMax/2 {
		delta /= punyBase - punyMin
		k += punyBase
	}
	return k + (punyBase-punyMin+1)*delta/(delta+punySkew)
}
