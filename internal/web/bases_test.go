package web

import (
	"net/url"
	"slices"
	"testing"
)

// What an organization's own host serves is not served as another organization's.
func TestBases_of_an_organization_leave_out_other_organizations_hosts(t *testing.T) {
	parse := func(text string) *url.URL {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	d := NewDomains(parse("https://public.example"), Domain{URL: parse("https://all.example")},
		Domain{URL: parse("https://a.example"), Organization: "org_a"}, Domain{URL: parse("https://b.example"), Organization: "org_b"})
	for organization, want := range map[string][]string{
		"org_a": {"https://a.example", "https://all.example", "https://public.example"},
		"org_b": {"https://b.example", "https://all.example", "https://public.example"},
		"org_c": {"https://all.example", "https://public.example"},
		"":      {"https://all.example", "https://public.example", "https://a.example", "https://b.example"},
	} {
		if got := d.Bases(organization, "http://127.0.0.1:8080"); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", organization, got, want)
		}
	}
}
