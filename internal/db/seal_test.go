package db_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
)

func sealer(t *testing.T, keys ...string) *db.Sealer {
	t.Helper()
	raw := make([][]byte, len(keys))
	for i, k := range keys {
		raw[i] = bytes.Repeat([]byte(k), 32)
	}
	s, err := db.NewSealer(raw...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSealed_text_opens_only_at_its_place_and_with_its_key(t *testing.T) {
	t.Parallel()
	old, rotating, other := sealer(t, "a"), sealer(t, "b", "a"), sealer(t, "b")
	sealed := old.Seal("t.c/1", []byte("secret"))
	if strings.Contains(sealed, "secret") || sealed == old.Seal("t.c/1", []byte("secret")) {
		t.Error("the text shows what it holds, or that two are equal")
	}
	for _, s := range []*db.Sealer{old, rotating} {
		if got, err := s.Open("t.c/1", sealed); err != nil || string(got) != "secret" {
			t.Errorf("%q %v", got, err)
		}
	}
	for place, s := range map[string]*db.Sealer{"t.c/2": old, "t.c/1": other} {
		if _, err := s.Open(place, sealed); !errors.Is(err, db.ErrSealed) {
			t.Errorf("%s: %v", place, err)
		}
	}
	if got, err := other.Open("t.c/1", rotating.Seal("t.c/1", []byte("new"))); err != nil || string(got) != "new" {
		t.Errorf("the first key seals: %q %v", got, err)
	}
	for _, broken := range []string{"", "secret", "s1.", "s1.%%%", sealed[:len(sealed)-2], "s2" + sealed[2:]} {
		if _, err := old.Open("t.c/1", broken); !errors.Is(err, db.ErrSealed) {
			t.Errorf("%q: %v", broken, err)
		}
	}
}

func TestSealer_needs_a_key(t *testing.T) {
	t.Parallel()
	if _, err := db.NewSealer(); err == nil {
		t.Error("no key was enough")
	}
}
