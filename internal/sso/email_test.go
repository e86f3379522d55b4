package sso

import (
	"strings"
	"testing"
)

func TestEmail_is_read_strictly(t *testing.T) {
	for text, want := range map[string]string{
		"ann@acme.example": "ann@acme.example", "Ann.Ray+x@ACME.Example": "Ann.Ray+x@acme.example", "o'neil@acme.example": "o'neil@acme.example",
		"ann@bücher.example": "ann@xn--bcher-kva.example", "ann@münchen.de": "ann@xn--mnchen-3ya.de", "ann@例え.jp": "ann@xn--r8jz45g.jp",
		"ann@faß.de": "ann@xn--fa-hia.de", "ann@r3---x.example": "ann@r3---x.example", "ann@аcme.example": "ann@xn--cme-5cd.example", "ann@xn--bcher-kva.example": "ann@xn--bcher-kva.example",
	} {
		got, domain, reason := parseEmail(text)
		if got != want || reason != "" || !strings.HasSuffix(got, "@"+domain) {
			t.Errorf("%s: %q %q %q", text, got, domain, reason)
		}
	}
	for _, text := range []string{
		"", "ann", "@acme.example", "ann@", "a@b@acme.example", `"ann"@acme.example`, "ann @acme.example", ".ann@acme.example", "ann.@acme.example", "a..b@acme.example",
		"ann@acme", "ann@acme.example.", "ann@.acme.example", "ann@acme..example", "ann@-acme.example", "ann@acme-.example", "ann@acme_.example", "ann@127.0.0.1",
		"ann@[127.0.0.1]", "ann@acme.example\n", "ann\x00@acme.example", "änn@acme.example", strings.Repeat("a", 65) + "@acme.example",
		"a@" + strings.Repeat("a", 64) + ".example", "a@" + strings.Repeat("a.", 130) + "example", "ann@acme.example\xff", "ann@ac\u200bme.example",
		"ann@\uff41cme.example", "ann@acme\u3002example", "ann@\u2764.example", "ann@acme.\u00bd", "ann@xn--\u00fc.example", // names that are mapped to others, or cannot be had
	} {
		if got, _, reason := parseEmail(text); reason == "" || got != "" {
			t.Errorf("%q is taken as %q", text, got)
		}
	}
}

func FuzzEmail(f *testing.F) {
	for _, seed := range []string{"ann@acme.example", "a@b@c", "ann@bücher.example", `"a"@b.c`, "a@例え.jp"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		email, domain, reason := parseEmail(text)
		if reason != "" {
			return
		}
		again, sameDomain, reason := parseEmail(email)
		if again != email || sameDomain != domain || reason != "" || strings.Count(email, "@") != 1 || domain != strings.ToLower(domain) {
			t.Errorf("%q became %q, then %q (%s)", text, email, again, reason)
		}
		for i := range len(domain) {
			if domain[i] >= 0x80 {
				t.Errorf("%q has a domain outside ASCII", email)
			}
		}
	})
}
