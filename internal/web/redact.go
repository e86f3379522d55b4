package web

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// harmless are the query parameters whose values say nothing about a person and are no secret.
var harmless = []string{
	"after", "attributes", "before", "count", "directory", "events", "excludedattributes", "group", "limit", "order",
	"organization_id", "sortby", "sortorder", "startindex", "statuses", "user",
}

// RedactQuery makes a query fit for the log: harmless parameters as they are, a filter with its literals taken out, every other
// one by its name only. A query that cannot be read is left out whole.
func RedactQuery(raw string) string {
	if raw == "" {
		return ""
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return "(unreadable)"
	}
	var out []string
	for name, all := range values {
		for _, v := range all {
			out = append(out, cut(Mask(name))+"="+redactValue(strings.ToLower(name), v))
		}
	}
	slices.Sort(out)
	return strings.Join(out, "&")
}

func redactValue(name, value string) string {
	switch {
	case slices.Contains(harmless, name):
		return cut(Mask(value))
	case name == "filter":
		return cut(RedactFilter(value))
	default:
		return "…"
	}
}

// RedactFilter takes the literals out of a SCIM filter: `userName eq "ann@example.com"` becomes `userName eq "…"`. The
// shape stays, which is what one looks for in a log. What does not look like a filter's own words goes too, so that
// a literal sent without quotes is not kept either.
func RedactFilter(filter string) string {
	var b strings.Builder
	rest := filter
	for rest != "" {
		at := strings.IndexAny(rest, `"'`)
		if at < 0 {
			redactWords(&b, rest)
			break
		}
		redactWords(&b, rest[:at])
		b.WriteString(`"…"`)
		rest = afterQuoted(rest[at+1:], rest[at])
	}
	return b.String()
}

func afterQuoted(s string, quote byte) string {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case quote:
			return s[i+1:]
		}
	}
	return ""
}

// redactWords: what follows a comparison without quotes is a literal up to the next "and" or "or", blanks included.
func redactWords(b *strings.Builder, s string) {
	literal := false
	for i, word := range strings.Split(s, " ") {
		if i > 0 {
			b.WriteByte(' ')
		}
		switch lower := strings.ToLower(word); {
		case lower == "and", lower == "or":
			literal = false
		case literal && word != "":
			word = "…" + word[len(strings.TrimRight(word, ")]")):]
		}
		b.WriteString(word)
		literal = literal || comparison(word)
	}
}

func comparison(word string) bool {
	switch strings.ToLower(word) {
	case "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le":
		return true
	}
	return false
}

// Secrets are told by a prefix of ours with some of the rest, or by a run of letters and digits longer than ids and words have.
const (
	prefixedRun = 10
	anyRun      = 32
)

var secretForm = regexp.MustCompile(`\b(?:sk|scim|whsec)_[0-9A-Za-z+/=]{10,}|[0-9A-Za-z+=]{32,}`)

// Mask takes out of a text what looks like a secret, whole, mistyped or in part: people paste one where an id was wanted, and
// neither a log nor an answer should keep it. A false alarm costs a few dots.
func Mask(text string) string {
	if !suspicious(text) { // every request's path comes by here; the pattern takes microseconds
		return text
	}
	return secretForm.ReplaceAllLiteralString(text, "•••")
}

func suspicious(text string) bool {
	run := 0
	for i := range len(text) {
		switch c := text[i]; {
		case '0' <= c && c <= '9', 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', c == '+', c == '=':
			if run++; run >= anyRun {
				return true
			}
		default:
			run = 0
		}
	}
	for _, prefix := range []string{"sk_", "scim_", "whsec_"} {
		if at := strings.Index(text, prefix); at >= 0 && len(text)-at >= len(prefix)+prefixedRun {
			return true
		}
	}
	return false
}
