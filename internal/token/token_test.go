package token

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestIDs_of_one_process_only_grow(t *testing.T) {
	s := NewSource(time.Now)
	ids := make([]string, 20000)
	for i := range ids {
		ids[i] = s.NewID("org")
	}
	if !slices.IsSorted(ids) || len(slices.Compact(ids)) != len(ids) {
		t.Fatal("ids are not strictly growing")
	}
}

func TestIDs_grow_when_the_clock_goes_back(t *testing.T) {
	now := time.UnixMilli(5000)
	s := NewSource(func() time.Time { return now })
	a := s.NewID("org")
	now = time.UnixMilli(1000)
	if b := s.NewID("org"); b <= a {
		t.Fatalf("%s after %s", b, a)
	}
}

func TestRange_holds_consecutive_ids_before_the_next_id(t *testing.T) {
	s := NewSource(func() time.Time { return time.UnixMilli(7) })
	first := s.Range("event")
	next := s.NewID("event")
	last := At(first, 65535)
	if last <= first || last >= next {
		t.Fatalf("%s %s %s", first, last, next)
	}
	if n, ok := Offset(first, At(first, 499)); !ok || n != 499 {
		t.Fatalf("offset %d %v", n, ok)
	}
	if _, ok := Offset(first, next); ok {
		t.Fatal("an id of another range was taken for one of this range")
	}
	if _, ok := Offset(At(first, 2), first); ok {
		t.Fatal("an id before the first has no offset")
	}
}

func TestParse_refuses_what_is_no_id(t *testing.T) {
	for _, bad := range []string{"", "org", "org_", "_01JD0000000000000000000000", "org_xyz", "org_01JD000000000000000000000U", "org_01JD000000000000000000000\x00"} {
		if _, _, ok := Parse(bad); ok {
			t.Errorf("%q was taken for an id", bad)
		}
	}
	if !Is("directory_user_01JD0000000000000000000000", "directory_user") {
		t.Error("a prefix may hold underscores")
	}
}

func TestSecret_is_never_printed(t *testing.T) {
	s := NewSecret("scim")
	for _, out := range []string{fmt.Sprint(s), fmt.Sprintf("%v %s %#v", s, s, s)} {
		if strings.Contains(out, s.Reveal()) {
			t.Errorf("printed: %s", out)
		}
	}
}

func TestSecret_has_a_checksum_and_matches_its_hash_only(t *testing.T) {
	s, other := NewSecret("scim"), NewSecret("scim")
	if !WellFormed(s, "scim") || WellFormed(s+"x", "scim") || WellFormed(s, "key") {
		t.Error("the checksum does not tell a good token from a mistyped one")
	}
	if !HashOf(s).Matches(s) || HashOf(s).Matches(other) {
		t.Error("hash matching")
	}
}

func TestNewKey_has_only_what_every_provider_takes(t *testing.T) {
	k := NewKey(20)
	if len(k) != 20 || strings.Trim(k, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		t.Error(k)
	}
}
