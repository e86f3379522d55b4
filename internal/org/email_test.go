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
