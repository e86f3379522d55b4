package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func scimQueries() []string {
	return []string{
		"filter=%00", "filter=%ff", "filter=%zz", "filter=userName+eq+%22%00%22", "filter=" + strings.Repeat("(", 3000),
		"filter=userName+eq+" + strings.Repeat("x", 20_000), "filter=" + strings.Repeat("not+(", 500), "filter=userName+eq+1",
		"filter=a.b.c.d+pr", "filter=emails%5Btype+eq+%22work%22+and+(", "filter=active+gt+true",
		"filter=meta.lastModified+gt+%22yesterday%22", "startIndex=-1&count=-1", "startIndex=99999999999999999999&count=1e9",
		"count=%F0%28", "count=" + strings.Repeat("9", 5000), "cursor=%00", "cursor=" + strings.Repeat("A", 5000), "cursor=&count=0",
		"sortBy=%00&sortOrder=sideways", "sortBy=a.b.c[", "attributes=%00&excludedAttributes=%ff",
		"attributes=" + strings.Repeat("a,", 5000), "%=%", ";;;&&&===", "a=1;b=2",
	}
}

func apiQueries() []string {
	return []string{
		"limit=0", "limit=-1", "limit=1e9", "limit=ten", "limit=" + strings.Repeat("9", 5000), "after=%00", "after=%ff", "after=event_1",
		"before=x&after=y", "after=event_01ARZ3NDEKTSV4RRFFQ69G5FAV", "order=sideways", "events=nothing.happened", "events=%00",
		"events=" + strings.Repeat("a,", 500), "range_start=yesterday", "range_end=%ff", "organization_id=%00", "organization_id=1",
		"directory=%00", "directory=x", "directory=directory_01ARZ3NDEKTSV4RRFFQ69G5FAV", "group=%ff", "user=x", "search=%00",
		"search=" + strings.Repeat("%25", 2000), "statuses=gone", "%zz", "a=%", ";",
	}
}

func oddIDs() []string {
	return []string{
		"%00", "%ff%fe", "%2e%2e%2f%2e%2e", "..%2f..%2fetc%2fpasswd", "%e2%80%ae", strings.Repeat("a", 30_000), "'%3B--", "a%20b", "%2F",
		"directory_user_x", "🙂",
	}
}

func oddMethods() []string {
	return []string{"TRACE", "OPTIONS", "HEAD", "PROPFIND", "LINK", "get", "PURGE", strings.Repeat("M", 2000), "PATCH", "PUT", "CONNECT"}
}

// queried, identified and methodical are the addresses that the lists above are tried at.
func (f fixture) queried() (all []target) {
	s := f.x.path
	for _, query := range scimQueries() {
		for _, path := range []string{s + "/Users?", s + "/Groups?", s + "/?", s + "/Users/" + f.user + "?"} {
			all = append(all, target{"GET", path + query, f.x.token})
		}
	}
	for _, query := range apiQueries() {
		for _, path := range []string{"/organizations?", "/directories?", "/directory_users?", "/directory_groups?", "/events?", "/directories/" + f.x.directory + "/exchanges?"} {
			all = append(all, target{"GET", path + query, managementKey})
		}
	}
	return all
}

func (f fixture) identified() (all []target) {
	s := f.x.path
	for _, id := range oddIDs() {
		for _, method := range []string{"GET", "DELETE"} {
			for _, path := range []string{s + "/Users/", s + "/Groups/", s + "/Schemas/", s + "/ResourceTypes/", s + "/", "/scim/v2/", "/scim/", "/scim/v9/"} {
				all = append(all, target{method, path + id, f.x.token})
			}
			for _, path := range []string{"/organizations/", "/organizations/external_id/", "/directories/", "/directory_users/", "/directory_groups/", "/"} {
				all = append(all, target{method, path + id, managementKey})
			}
		}
	}
	return all
}

func (f fixture) methodical() (all []target) {
	s := f.x.path
	for _, path := range []string{
		s, s + "/Users", s + "/Users/" + f.user, "//scim//v2//Users", s + "/Me", s + "/Nothing", "/organizations",
		"/directories/" + f.x.directory + "/tokens", "/", "//", "/livez/..", "/metrics",
	} {
		for _, method := range oddMethods() {
			all = append(all, target{method, path, f.x.token}, target{method, path, managementKey})
		}
	}
	return all
}

func TestNasty_addresses_are_refused_in_words(t *testing.T) {
	besieged(t, func(t *testing.T, f fixture) {
		for _, all := range [][]target{f.queried(), f.identified(), f.methodical()} {
			for _, at := range all {
				f.sendAndCheck(t, fmt.Sprintf("%.30s %.120s", at.method, at.path), f.request(at, ""))
			}
		}
	})
}

func TestWrong_secrets_are_a_401_that_says_how_to_send_one(t *testing.T) {
	besieged(t, func(t *testing.T, f fixture) {
		token := f.x.token
		for _, secret := range []string{"", " ", "\xff", strings.Repeat("x", 20_000), "Bearer Bearer", token[:len(token)-1], token + "0", managementKey + "0", "sk_", "\t"} {
			for _, path := range []string{f.x.path + "/Users", "/scim/v2/Users", "/scim/v2/nobody/Users", "/organizations"} {
				what := fmt.Sprintf("GET %s with the secret %.20q", path, secret)
				a := f.sendAndCheck(t, what, f.request(target{"GET", path, secret}, ""))
				if a.status != http.StatusUnauthorized || !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer ") {
					t.Errorf("%s: %d %s", what, a.status, a.raw)
				}
			}
		}
	})
}

// A base address that ends with a slash makes doubled ones, and providers do not follow redirects.
func TestDoubled_slashes_in_a_SCIM_address_do_no_harm(t *testing.T) {
	besieged(t, func(t *testing.T, f fixture) {
		for _, path := range []string{"/" + f.x.path + "/Users", "//scim//v2//Users", f.x.path + "//Users//" + f.user + "/"} {
			if a := f.sendAndCheck(t, "GET "+path, f.request(target{"GET", path, f.x.token}, "")); a.status != http.StatusOK {
				t.Errorf("GET %s: %d %s", path, a.status, a.raw)
			}
		}
	})
}
