package scimapi

import (
	"testing"
	"time"
)

func FuzzCursor(f *testing.F) {
	now := time.Unix(1_700_000_000, 0)
	c := cursors{secret: []byte("secret"), life: time.Hour, now: func() time.Time { return now }}
	l := listing{directory: "directory_1", endpoint: "/Users", filter: "a", sortBy: "b"}
	mine := c.encode(l, place{after: "directory_user_1", offset: 3})
	f.Add(mine)
	f.Add("")
	f.Add("AAAA")
	f.Add(mine + "=")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := c.decode(l, text)
		if err == nil && (text != mine || p != place{after: "directory_user_1", offset: 3}) {
			t.Fatalf("%q was taken as %+v", text, p)
		}
	})
}

//scim:147,148
func TestA_cursor_leads_where_it_was_made_for_and_nowhere_else(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	c := cursors{secret: []byte("secret"), life: time.Hour, now: func() time.Time { return now }}
	l := listing{directory: "d", endpoint: "/Users", filter: "ab", sortBy: "c"}
	for _, want := range []place{{after: "directory_user_1"}, {offset: 1 << 40}, {}} {
		got, err := c.decode(l, c.encode(l, want))
		if err != nil || got != want {
			t.Errorf("%+v came back as %+v, %v", want, got, err)
		}
	}
	text := c.encode(l, place{after: "x"})
	for _, other := range []listing{
		{directory: "e", endpoint: "/Users", filter: "ab", sortBy: "c"},
		{directory: "d", endpoint: "/Groups", filter: "ab", sortBy: "c"},
		{directory: "d", endpoint: "/Users", filter: "a", sortBy: "bc"},
		{directory: "d", endpoint: "/Users", filter: "ab", sortBy: "c", sortOrder: "descending"},
	} {
		if _, err := c.decode(other, text); err == nil {
			t.Errorf("taken for %+v", other)
		}
	}
	stranger := c
	stranger.secret = []byte("other")
	if _, err := stranger.decode(l, text); err == nil {
		t.Error("taken with another secret")
	}
}
