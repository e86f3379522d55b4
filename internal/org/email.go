package org

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/rollcallhq/rollcall/internal/db"
)

// Lengths of an address and of the part before its @, in bytes (RFC 5321 section 4.5.3.1).
const (
	longestEmail = 254
	longestLocal = 64
)

// Email is an email address as all of us read it: the package member, where it is a key, and sso, where a provider asserts it, ask for more.
type Email struct {
	Local  string
	Domain string // in the form in which domains are kept: lower case, other scripts as xn--
}

func (e Email) String() string { return e.Local + "@" + e.Domain }

// ReadEmail reads an address where there is no doubt what it is: with quotes, comments, a second @ or a dot at its end it is read differently
// by different programs, and one of those readings may be another organization's domain. A domain in another script is brought into the
// form of the DNS, so that names which only look alike compare as different. reason, for people, is "" for an address.
func ReadEmail(text string) (_ Email, reason string) {
	local, host, found := strings.Cut(text, "@")
	switch {
	case !found:
		return Email{}, "it has no @"
	case len(text) > longestEmail || len(local) > longestLocal:
		return Email{}, "it is too long"
	case strings.Contains(host, "@"):
		return Email{}, "it has more than one @"
	case local == "":
		return Email{}, "it has nothing before the @"
	case !utf8.ValidString(text):
		return Email{}, "it is not UTF-8"
	case strings.ContainsFunc(local, doubtful):
		return Email{}, "the part before the @ holds a space or a sign that programs read differently"
	}
	domain, reason := domainOf(host)
	if reason != "" {
		return Email{}, reason
	}
	return Email{local, domain}, ""
}

// doubtful are spaces, signs that are not seen, and the specials of RFC 5322 section 3.2.3 but for the dot.
func doubtful(c rune) bool {
	return unicode.IsSpace(c) || !unicode.IsPrint(c) || strings.ContainsRune("\"\\(),:;<>@[]\ufffd", c)
}

// domainOf brings a name into the form of the DNS. What is ASCII is taken as it is; idna finds faults in names that are in use, such as
// hyphens in the third and fourth place. Nothing else is mapped but letter case and composition: a name is no other that looks like it.
func domainOf(host string) (domain, reason string) {
	domain = strings.ToLower(host)
	if !ascii(host) {
		var err error
		domain, err = idna.Registration.ToASCII(norm.NFC.String(strings.ToLower(host)))
		if err != nil || strings.ContainsFunc(host, sign) {
			return "", fmt.Sprintf("its domain %.80q cannot be registered", host)
		}
	}
	if len(domain) > maxDNSName || !domainForm.MatchString(domain) {
		return "", fmt.Sprintf("its domain %.80q is not a name such as example.com", host)
	}
	return domain, ""
}

// sign is what IDNA 2008 lets no name have, and idna does (RFC 5892 section 2).
func sign(c rune) bool {
	return c >= utf8.RuneSelf && !unicode.IsLetter(c) && !unicode.IsDigit(c) && !unicode.IsMark(c)
}

// EmailDomain is the domain of an email address in the form in which domains are kept, ok only for an address in that form: see ReadEmail.
func EmailDomain(email string) (domain string, ok bool) {
	_, host, _ := strings.Cut(email, "@")
	read, reason := ReadEmail(email)
	if reason != "" || !ascii(host) {
		return "", false
	}
	return read.Domain, true
}

// OfDomain finds the organization that has verified exactly this domain; "" if none has. Subdomains are other domains.
func OfDomain(ctx context.Context, r db.Reader, domain string) (id ID, err error) {
	err = db.Ask(ctx, r, AskOfDomain(domain, &id))
	return id, err
}

// AskOfDomain is the question behind OfDomain, to be asked with others.
func AskOfDomain(domain string, into *ID) db.Question {
	return db.Question{SQL: selectOfDomain, Args: []any{domain}, Read: func(rows db.Rows) error {
		*into = ""
		for rows.Next() { // one at most
			if err := rows.Scan((*string)(into)); err != nil {
				return err
			}
		}
		return rows.Err()
	}}
}
