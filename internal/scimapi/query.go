package scimapi

import (
	"net/url"
	"strings"

	"github.com/rollcallhq/rollcall/internal/scim"
)

// parameters are the names the query of an address may hold; everything else is ignored (RFC 7644 section 3.4.2), such as the
// flag that Entra's administrators put into the base address.
var parameters = [...]string{
	"attributes", "excludedAttributes", "filter", "sortBy", "sortOrder", "startIndex", "count", "cursor",
}

func parameterNamed(name string) (string, bool) {
	for _, p := range parameters {
		if strings.EqualFold(p, name) {
			return p, true
		}
	}
	return "", false
}

// searchRequest reads the query of the address: names in any letter case, the first of repeated ones, stray "?" and "&"
// passed over.
func (v *visit) searchRequest() (scim.SearchRequest, error) {
	if v.query == "" {
		return scim.SearchRequest{}, nil
	}
	members := make([]scim.Member, 0, len(parameters))
	o := scim.NewObject()
	for name, value := range v.eachParameter() {
		p, known := parameterNamed(name)
		if _, twice := o.Get(p); !known || twice {
			continue
		}
		if p == "count" || p == "startIndex" {
			value = strings.TrimRight(value, "?")
		}
		members = append(members, scim.Member{Name: p, Value: scim.StringOf(value)})
		o = scim.NewObject(members...)
	}
	return scim.ParseSearchRequest(o)
}

// eachParameter gives names and values, unescaped.
func (v *visit) eachParameter() func(yield func(name, value string) bool) {
	return func(yield func(name, value string) bool) {
		for part := range strings.SplitSeq(v.query, "&") {
			name, value, _ := strings.Cut(part, "=")
			name = strings.Trim(unescape(name), "? ")
			if name != "" && !yield(name, unescape(value)) {
				return
			}
		}
	}
}

// unescape decodes what can be decoded and leaves a lone percent sign as it is: it may well be part of a name looked for.
func unescape(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := url.QueryUnescape(s[i : i+3]); err == nil {
				b.WriteString(c)
				i += 2
				continue
			}
		}
		if s[i] == '+' {
			b.WriteByte(' ')
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
