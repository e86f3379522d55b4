package member_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
)

// P09: two ways to write an address that mean different mailboxes never become one key.
func TestP09_addresses_are_folded_only_where_that_is_safe(t *testing.T) {
	for email, want := range map[string]string{
		"Ada@ACME.example":           "ada@acme.example",
		"o'neil+tag@acme.example":    "o'neil+tag@acme.example",
		"zoë@acme.example":           "zoë@acme.example",
		"ZOË@acme.example":           "zoË@acme.example",
		"\u212Aelvin@acme.example":   "\u212Aelvin@acme.example", // the Kelvin sign, which folds to k elsewhere
		"a@xn--bcher-kva.example":    "a@xn--bcher-kva.example",
		"":                           "",
		"ada":                        "",
		"@acme.example":              "",
		"ada@":                       "",
		"ada@acme":                   "",
		"ada@acme.example.":          "",
		"ada@.example":               "",
		"ada@acme..example":          "",
		"ada@-acme.example":          "",
		"ada@b@acme.example":         "",
		`"ada"@acme.example`:         "",
		`"a@b.example"@acme.example`: "",
		"a da@acme.example":          "",
		"ada@acme.example ":          "",
		"ada\u00a0@acme.example":     "",
		"ada\u200b@acme.example":     "",
		"ada@bücher.example":         "",
		"ada@аcme.example":           "", // a Cyrillic a
		"ada\x00@acme.example":       "",
		"ada\r\nBcc: x@acme.example": "",
		"\xff@acme.example":          "",
		"ada@[127.0.0.1]":            "",
		strings.Repeat("a", 65) + "@acme.example":        "",
		"ada@" + strings.Repeat("acme.", 60) + "example": "",
		strings.Repeat("a", 64) + "@acme.example":        strings.Repeat("a", 64) + "@acme.example",
	} {
		got, ok := member.EmailKey(email)
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q %t, want %q", email, got, ok, want)
		}
	}
	if got := member.EmailDomain("Ada@ACME.Example"); got != "acme.example" {
		t.Errorf("domain %q", got)
	}
}

func TestArrival_without_a_usable_id_or_address_is_refused(t *testing.T) {
	for _, a := range []member.Arrival{
		arrival(here, "", "ada@acme.example"), arrival(here, strings.Repeat("x", 1025), "ada@acme.example"), arrival(here, "a\x00b", "ada@acme.example"),
		arrival(here, "\xff", "ada@acme.example"), arrival(here, "1", ""), arrival(here, "1", "ada"),
	} {
		_, err := member.Admit(member.Facts{}, a, noon)
		if refusal, ok := fault.As(err); !ok || refusal.Code != member.CodeMissingAttribute {
			t.Errorf("%q %q: %v", a.IDPID, a.Email, err)
		}
	}
}

func TestNames_that_cannot_be_stored_are_mended(t *testing.T) {
	a := arrival(here, "1", "ada@acme.example")
	a.FirstName, a.LastName = " A\x00d\xffa ", strings.Repeat("é", 300)
	ad, err := member.Admit(member.Facts{}, a, noon)
	if err != nil || ad.User.FirstName != "Ad�a" || ad.User.LastName != strings.Repeat("é", 255) {
		t.Errorf("%q %q: %v", ad.User.FirstName, ad.User.LastName, err)
	}
}

func FuzzEmailKey(f *testing.F) {
	for _, seed := range []string{"Ada@ACME.example", "a@b@c.example", `"a b"@c.example`, "zoë@x.example", "a@b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, email string) {
		key, ok := member.EmailKey(email)
		if !ok {
			if key != "" || member.EmailDomain(email) != "" {
				t.Errorf("%q is refused and has the key %q", email, key)
			}
			return
		}
		again, ok := member.EmailKey(key)
		if !ok || again != key || len(key) != len(email) || strings.Count(key, "@") != 1 || !utf8.ValidString(key) || strings.ContainsAny(key, "\r\n\x00 <>") {
			t.Errorf("%q has the key %q, that %q", email, key, again)
		}
	})
}
