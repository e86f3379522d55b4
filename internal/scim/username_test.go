package scim

import "testing"

//scim:24,25,T14
func TestUser_names_that_differ_in_letter_case_width_or_composition_are_one(t *testing.T) {
	for _, same := range [][]string{
		{"Barbara.Jensen@Example.com", "barbara.jensen@example.COM"},
		{"Jürgen@x", "JÜRGEN@x", "ju\u0308rgen@x", "JU\u0308RGEN@X"},
		{"ｂｏｂ", "bob", "BOB"},
		{"Ärger mit Leerzeichen", "ärger MIT leerzeichen", "A\u0308rger mit Leerzeichen"},
		{"two  blanks", "TWO  BLANKS"},
		{"Ωmega", "ωmega"},
		{"", ""},
	} {
		for _, s := range same[1:] {
			if UserNameKey(s) != UserNameKey(same[0]) {
				t.Errorf("%q and %q have the keys %q and %q", s, same[0], UserNameKey(s), UserNameKey(same[0]))
			}
		}
	}
	for _, differ := range [][2]string{{"a", "b"}, {"a b", "ab"}, {"jose", "josé"}, {"a", "а"}, {"a ", "a"}} {
		if UserNameKey(differ[0]) == UserNameKey(differ[1]) {
			t.Errorf("%q and %q have the same key", differ[0], differ[1])
		}
	}
}

func TestUser_name_keys_are_their_own_keys(t *testing.T) {
	for _, s := range []string{"Bob", "ÄÖÜ", "ｂｏｂ", "Straße 1", "İstanbul", "a\u0300 b", "\u202eabc", "😀 X", "𐐀"} {
		if once := UserNameKey(s); UserNameKey(once) != once {
			t.Errorf("%q: key %q, key of the key %q", s, once, UserNameKey(once))
		}
	}
}

//scim:47
func TestFolding_ignores_letter_case_in_every_script(t *testing.T) {
	for _, same := range [][2]string{{"WORK", "work"}, {"Straße", "STRASSE"}, {"ΣΑΣ", "σας"}, {"Ж", "ж"}} {
		if FoldKey(same[0]) != FoldKey(same[1]) {
			t.Errorf("%q and %q fold to %q and %q", same[0], same[1], FoldKey(same[0]), FoldKey(same[1]))
		}
	}
	if FoldKey("a") == FoldKey("á") {
		t.Error("an accent was folded away")
	}
}
