package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// lists fills every list that has cursors with n entries and gives their ids, the oldest first, by address.
func (w *world) lists(n int) map[string][]string {
	w.Helper()
	home := w.organization("Home")
	f := w.feed(home, "")
	ids := map[string][]string{}
	users, groups, organizations, directories := "/directory_users?directory="+f.id, "/directory_groups?directory="+f.id, "/organizations?search=many", "/directories?search=people&organization_id="+home
	ids[directories] = []string{f.id}
	for i := range n {
		ids[users] = append(ids[users], f.person(fmt.Sprintf("p%d", i), ""))
		ids[groups] = append(ids[groups], f.group(fmt.Sprintf("g%d", i)))
		ids[organizations] = append(ids[organizations], w.organization(fmt.Sprintf("Many %d", i)))
		if i > 0 {
			ids[directories] = append(ids[directories], w.feed(home, "").id)
		}
	}
	return ids
}

func TestLists_are_walked_in_both_orders_and_directions(t *testing.T) {
	onBoth(t, func(w *world) {
		for path, oldestFirst := range w.lists(7) {
			for order, want := range map[string][]string{"asc": oldestFirst, "desc": reversed(oldestFirst), "normal": reversed(oldestFirst), "": reversed(oldestFirst)} {
				w.walk(path+"&order="+order, want)
			}
		}
	})
}

// walk reads a list in pages of three to its end and back again.
func (w *world) walk(path string, want []string) {
	w.Helper()
	var pages [][]string
	var read []string
	page := w.get(path + "&limit=3").wants(http.StatusOK)
	if page.at("list_metadata.before") != nil {
		w.Errorf("%s: something is before the beginning: %v", path, page.at("list_metadata"))
	}
	for {
		pages = append(pages, page.each("id"))
		read = append(read, page.each("id")...)
		after := page.text("list_metadata.after")
		if after == "" || len(pages) > len(want) {
			break
		}
		page = w.get(path + "&limit=3&after=" + after).wants(http.StatusOK)
	}
	same(w.T, path, read, want)
	if _, there := page.object["list_metadata"].(map[string]any)["after"]; !there {
		w.Errorf("%s: after is left out at the end", path)
	}
	for _, expected := range slices.Backward(pages[:len(pages)-1]) {
		page = w.get(path + "&limit=3&before=" + page.text("list_metadata.before")).wants(http.StatusOK)
		same(w.T, path+" back", page.each("id"), expected)
		if page.text("list_metadata.after") != expected[len(expected)-1] {
			w.Errorf("%s back: after is %v", path, page.at("list_metadata"))
		}
	}
	if page.at("list_metadata.before") != nil {
		w.Errorf("%s: something is before the beginning: %v", path, page.at("list_metadata"))
	}
}

func TestLists_show_ten_entries_unless_asked_and_a_hundred_at_most(t *testing.T) {
	onBoth(t, func(w *world) {
		for path, oldestFirst := range w.lists(11) {
			same(t, path, w.get(path).wants(http.StatusOK).each("id"), reversed(oldestFirst)[:10])
			same(t, path, w.get(path+"&limit=1").wants(http.StatusOK).each("id"), reversed(oldestFirst)[:1])
			same(t, path, w.get(path+"&limit=100").wants(http.StatusOK).each("id"), reversed(oldestFirst))
			for _, limit := range []string{"0", "-1", "101", "1e1", "ten", "1.5", "99999999999999999999"} {
				w.get(path+"&limit="+limit).refused(http.StatusUnprocessableEntity, "invalid_limit", "limit")
			}
			w.get(path+"&order=up").refused(http.StatusUnprocessableEntity, "invalid_order", "order")
		}
	})
}

func TestLists_refuse_cursors_of_another_noun_or_of_nobody(t *testing.T) {
	onBoth(t, func(w *world) {
		ids := w.lists(2)
		for path := range ids {
			for other, theirs := range ids {
				if other != path {
					w.get(path+"&after="+theirs[0]).refused(http.StatusBadRequest, "invalid_cursor", "after")
				}
			}
			own := ids[path][0]
			for _, forged := range []string{"x", own + "0", own[:len(own)-1], strings.ToLower(own), "'%20OR%201=1", own + "%20"} {
				w.get(path+"&after="+forged).refused(http.StatusBadRequest, "invalid_cursor", "after")
				w.get(path+"&before="+forged).refused(http.StatusBadRequest, "invalid_cursor", "before")
			}
		}
	})
}

func TestLists_take_a_window_between_two_cursors(t *testing.T) {
	onBoth(t, func(w *world) {
		for path, ids := range w.lists(5) {
			same(t, path, w.get(path+"&order=asc&after="+ids[0]+"&before="+ids[4]).wants(http.StatusOK).each("id"), ids[1:4])
			same(t, path, w.get(path+"&after="+ids[4]+"&before="+ids[0]).wants(http.StatusOK).each("id"), reversed(ids[1:4]))
		}
	})
}

func TestLists_that_are_empty_have_data_and_null_cursors(t *testing.T) {
	onBoth(t, func(w *world) {
		f := w.feed(w.organization("Acme"), "")
		for _, path := range []string{"/organizations?search=none", "/directories?search=none", "/directory_users?directory=" + f.id, "/directory_groups?directory=" + f.id} {
			if got := w.get(path).wants(http.StatusOK); got.raw != `{"object":"list","data":[],"list_metadata":{"before":null,"after":null}}` {
				t.Errorf("%s is %s", path, got.raw)
			}
		}
	})
}
