package main

import (
	"slices"
	"strings"
	"testing"
)

func TestPage_that_is_neither_walked_nor_left_out_is_named(t *testing.T) {
	rows := []string{"/a/{id}", "/a/new", "/a/{id}/b", "/portal/done"}
	walked := []measuredPage{{address: "/a/org_1?x=1"}, {address: "/a/org_1/b"}}
	err := unwalked(rows, walked)
	if err == nil || !strings.Contains(err.Error(), "1 pages") || !strings.HasSuffix(err.Error(), ": /a/new") {
		t.Error(err)
	}
	if err := unwalked(rows, append(walked, measuredPage{address: "/a/new"})); err != nil {
		t.Error(err)
	}
	if err := unwalked(rows, []measuredPage{{address: "/a/new"}, {address: "/a/1/b"}}); err == nil || !strings.HasSuffix(err.Error(), ": /a/{id}") {
		t.Errorf("an address that is written out counts for one with a placeholder: %v", err)
	}
}

func TestAddresses_that_are_left_out_are_there_and_say_why(t *testing.T) {
	for address, why := range leftOut {
		if why == "" || !slices.Contains(addresses(), address) {
			t.Errorf("%s is not a page, or it is not said why it is left out", address)
		}
	}
}

func TestLinks_of_a_page_are_its_anchors_what_it_asks_again_and_a_search_for_what_is_nowhere(t *testing.T) {
	got := linksOf(`<a class="x" href="/a">A</a><div hx-get="/b?c=1"></div><form class="filter" method="get" action="/d">
		<input type="search" id="s" name="q"></form><a href="#here">`)
	if !slices.Equal(got, []string{"/a", "/b?c=1", "/d?q=nowhere"}) {
		t.Error(got)
	}
}
