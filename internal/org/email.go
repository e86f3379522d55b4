package org

import (
	"context"
	"errors"
	"strings"

	"github.com/rollcallhq/rollcall/internal/db"
)

// longestEmail is what a path of RFC 5321 section 4.5.3.1.3 has room for.
const longestEmail = 254

// EmailDomain is the domain of an email address in the form in which domains are kept, ok only where there is no doubt what it is:
// addresses with quotes, comments, a second @, letters outside ASCII in the domain or a dot at its end are read differently by
// different programs, and one of those readings may be another organization's domain.
func EmailDomain(email string) (domain string, ok bool) {
	local, domain, found := strings.Cut(email, "@")
	if !found || local == "" || len(email) > longestEmail || strings.ContainsFunc(local, doubtful) {
		return "", false
	}
	domain = strings.ToLower(domain)
	if !ascii(domain) || !domainForm.MatchString(domain) {
		return "", false
	}
	return domain, true
}

func doubtful(c rune) bool {
	return c <= ' ' || c == 0x7f || c >= 0x80 && c <= 0xa0 || strings.ContainsRune("\"\\(),:;<>[]\u200b\u200c\u200d\u2060\ufeff\ufffd", c)
}

// OfDomain finds the organization that has verified exactly this domain; "" if none has. Subdomains are other domains.
func OfDomain(ctx context.Context, r db.Reader, domain string) (id ID, err error) {
	err = r.QueryRow(ctx, selectOfDomain, domain).Scan((*string)(&id))
	if errors.Is(err, db.ErrNoRows) {
		return "", nil
	}
	return id, err
}
