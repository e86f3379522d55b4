package switching_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/rollcallhq/rollcall/internal/switching"
)

func person(id, external, name string, emails ...string) switching.Known {
	k := switching.Known{ID: id, Name: name, Emails: emails}
	if external != "" {
		k.ExternalIDs = []string{external}
	}
	return k
}

func of(k switching.Known, membership string) switching.Known {
	k.Membership = membership
	return k
}

func told(pairs []switching.Counterpart) (out []string) {
	for _, p := range pairs {
		text := fmt.Sprintf("%s %s", p.Old.ID, p.Match)
		if p.New != "" {
			text += " " + p.New
		}
		if p.By != "" {
			text += " " + string(p.By)
		}
		if len(p.Candidates) > 0 {
			text += fmt.Sprint(" ", p.Candidates)
		}
		out = append(out, text)
	}
	return out
}

func TestPairs_are_found_by_what_is_surest_and_never_shared(t *testing.T) {
	known := func(all ...switching.Known) []switching.Known { return all }
	for name, c := range map[string]struct {
		kind        switching.Kind
		before, now []switching.Known
		hand        map[string]string
		want        []string
	}{
		"external id": {before: known(person("a", "1", "ann")), now: known(person("x", "1", "other")), want: []string{"a matched x external_id"}},
		"user name":   {before: known(person("a", "1", "ann")), now: known(person("x", "2", "ann")), want: []string{"a matched x user_name"}},
		"address":     {before: known(person("a", "1", "ann", "ann@a")), now: known(person("x", "2", "upn", "ann@a")), want: []string{"a matched x email"}},
		"nothing":     {before: known(person("a", "1", "ann", "ann@a")), now: known(person("x", "2", "bob", "bob@a")), want: []string{"a unmatched"}},
		"empty keys find nobody": {
			before: known(person("a", "", "")), now: known(person("x", "", "")), want: []string{"a unmatched"},
		},
		"of groups it is the name": {
			kind: switching.Groups, before: known(person("a", "", "sales")), now: known(person("x", "", "sales")), want: []string{"a matched x name"},
		},
		"both keys lead to one": {before: known(person("a", "1", "ann")), now: known(person("x", "1", "ann")), want: []string{"a matched x external_id"}},
		"two keys lead to two": {
			before: known(person("a", "1", "ann")), now: known(person("x", "1", "other"), person("y", "2", "ann")), want: []string{"a ambiguous external_id [x y]"},
		},
		"two of the new have the address": {
			before: known(person("a", "", "ann", "ann@a")), now: known(person("x", "", "u1", "ann@a"), person("y", "", "u2", "ann@a")),
			want: []string{"a ambiguous email [x y]"},
		},
		"two of the old lead to one": {
			before: known(person("a", "1", "ann"), person("b", "1", "bob")), now: known(person("x", "1", "upn")),
			want: []string{"a ambiguous external_id [x]", "b ambiguous external_id [x]"},
		},
		"an address does not take whom a name has found": {
			before: known(person("a", "", "ann", "shared@a"), person("b", "", "bob", "shared@a")), now: known(person("x", "", "ann", "shared@a")),
			want: []string{"a matched x user_name", "b unmatched"},
		},
		"nor whom a name is in doubt about": {
			before: known(person("a", "1", "ann"), person("b", "", "bob", "b@a")), now: known(person("x", "1", "u"), person("y", "2", "ann", "b@a")),
			want: []string{"a ambiguous external_id [x y]", "b unmatched"},
		},
		"the membership of another": {
			before: known(of(person("a", "1", "ann"), "om_1")), now: known(of(person("x", "1", "ann"), "om_2")), want: []string{"a ambiguous external_id [x]"},
		},
		"the membership of their own": {
			before: known(of(person("a", "1", "ann"), "om_1")), now: known(of(person("x", "1", "ann"), "om_1")), want: []string{"a matched x external_id"},
		},
		"a hand wins": {
			before: known(person("a", "1", "ann"), person("b", "2", "bob")), now: known(person("x", "1", "ann"), person("y", "9", "yve")),
			hand: map[string]string{"a": "y", "b": "x"}, want: []string{"a matched y hand", "b matched x hand"},
		},
		"a hand takes from others": {
			before: known(person("a", "1", "ann"), person("b", "2", "bob")), now: known(person("x", "2", "u")), hand: map[string]string{"a": "x"},
			want: []string{"a matched x hand", "b unmatched"},
		},
		"a hand says nobody":                {before: known(person("a", "1", "ann")), now: known(person("x", "1", "ann")), hand: map[string]string{"a": ""}, want: []string{"a unmatched hand"}},
		"a hand's word about who has left":  {before: known(person("a", "1", "ann")), now: known(person("x", "1", "u")), hand: map[string]string{"a": "gone"}, want: []string{"a matched x external_id"}},
		"a hand does not give two the same": {before: known(person("a", "", "ann"), person("b", "", "bob")), now: known(person("x", "", "u")), hand: map[string]string{"a": "x", "b": "x"}, want: []string{"a matched x hand", "b unmatched"}},
		"a hand does not take a member": {
			before: known(of(person("a", "", "ann"), "om_1")), now: known(of(person("x", "", "u"), "om_2")), hand: map[string]string{"a": "x"}, want: []string{"a unmatched"},
		},
	} {
		kind := c.kind
		if kind == "" {
			kind = switching.People
		}
		if got := told(switching.Pairs(kind, c.before, c.now, c.hand)); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %v\nwant %v", name, got, c.want)
		}
	}
}

func TestPairs_are_counted_with_who_is_left(t *testing.T) {
	before := []switching.Known{person("a", "1", "ann"), person("b", "2", "bob"), person("c", "3", "cyd")}
	now := []switching.Known{person("x", "1", "ann"), person("y", "3", "yve"), person("z", "9", "cyd"), person("u", "8", "new")}
	pairs := switching.Pairs(switching.People, before, now, nil)
	rest := switching.Rest(now, pairs)
	got := switching.Count(pairs, len(rest))
	if want := (switching.Counts{Matched: 1, Unmatched: 1, Ambiguous: 1, OnlyNew: 3}); got != want || got.Without() != 2 {
		t.Errorf("%+v, %d without; want %+v", got, got.Without(), want)
	}
	if len(rest) != 3 || rest[0].ID != "y" {
		t.Errorf("left are %+v", rest)
	}
}
