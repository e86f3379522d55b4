package org_test

import (
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/org"
)

// P09: an address whose domain two programs may read differently has none.
func TestP09_domain_of_an_email_is_taken_only_without_doubt(t *testing.T) {
	for email, want := range map[string]string{
		"ada@acme.example":          "acme.example",
		"Ada.L+x@ACME.example":      "acme.example",
		"ada@sub.acme.example":      "sub.acme.example",
		"ädä@acme.example":          "acme.example",
		"ada@xn--bcher-kva.example": "xn--bcher-kva.example",
	} {
		if got, ok := org.EmailDomain(email); !ok || got != want {
			t.Errorf("%q: %q %t, want %q", email, got, ok, want)
		}
	}
	for _, email := range []string{
		"", "ada", "@acme.example", "ada@", "a@b@acme.example", `"a@b"@acme.example`, "ada@acme.example.", "ada@acme.example ", " ada@acme.example",
		"ada@bücher.example", "ada@аcme.example", "ada@acme", "ada@[127.0.0.1]", "ada@acme.example>", "Ada <ada@acme.example>", "ada@acme.example\n", "a,b@acme.example",
		"ada\x00@acme.example", "ada@acme..example", "ada@-acme.example", strings.Repeat("a", 300) + "@acme.example", "a\u200bda@acme.example", "ada@acme.example@",
	} {
		if got, ok := org.EmailDomain(email); ok {
			t.Errorf("%q: has the domain %q, want none", email, got)
		}
	}
}

func TestReadEmail_says_what_is_wrong_and_brings_domains_into_one_form(t *testing.T) {
	e, reason := org.ReadEmail("Zoë@BÜCHER.example")
	if reason != "" || e.String() != "Zoë@xn--bcher-kva.example" || e.Local != "Zoë" {
		t.Errorf("%+v: %s", e, reason)
	}
	for text, want := range map[string]string{
		"ada": "no @", "a@b@c.example": "more than one @", "@acme.example": "nothing before", "ada@acme": "such as example.com", "ada@\u2764.example": "cannot be registered",
		"a da@acme.example": "a space", "ada@acme.example\xff": "UTF-8", strings.Repeat("a", 65) + "@acme.example": "too long",
	} {
		if e, reason := org.ReadEmail(text); !strings.Contains(reason, want) || e != (org.Email{}) {
			t.Errorf("%q: %+v, %q, want a reason with %q", text, e, reason, want)
		}
	}
}
