package idp

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestTest_provider_is_in_no_catalogue_but_that_of_the_demo(t *testing.T) {
	plain, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	demo, err := LoadForDemo()
	if err != nil {
		t.Fatal(err)
	}
	const slug = "rollcall-test"
	if _, there := plain.Provider(slug); there || slices.ContainsFunc(plain.Providers(), func(p Provider) bool { return p.TestOnly }) {
		t.Error("the catalogue has a provider that lets anybody in")
	}
	p, there := demo.Provider(slug)
	if !there || !p.TestOnly || p.Dialect == nil || len(p.Guides) != 3 {
		t.Fatalf("the demo's catalogue has %v %+v", there, p)
	}
	if got, want := len(demo.Providers()), len(plain.Providers())+1; got != want {
		t.Errorf("the demo's catalogue has %d providers, want %d", got, want)
	}
	// Nobody who names a type alone means it.
	for _, kind := range DirectoryTypes() {
		if demo.ByDirectoryType(kind)[0].TestOnly {
			t.Errorf("the type %q stands for the test provider", kind)
		}
	}
}

func TestTest_provider_is_refused_in_the_catalogue(t *testing.T) {
	_, faults := read(fstest.MapFS{"evil/idp.json": {Data: []byte(`{"name": "Evil", "test_only": true, "protocols": ["scim"], "send_again": "Press it.", "directory_types": ["generic scim v2.0"]}`)}}, false, false)
	if !slices.ContainsFunc(faults, func(err error) bool { return err != nil && strings.Contains(err.Error(), "test_only") }) {
		t.Errorf("it is taken: %v", faults)
	}
	for _, placeholder := range testPlaceholders() {
		source := strings.Replace(samlGuide, "{{acs_url}}", "{{acs_url}} {{"+string(placeholder)+"}}", 1)
		if _, err := parseGuide(newMarkdown(), "catalog/acme/saml.md", SAML, []byte(source), false); err == nil || !strings.Contains(err.Error(), string(placeholder)) {
			t.Errorf("a guide of the catalogue may use %s: %v", placeholder, err)
		}
	}
}

func TestRanks_are_given_once_and_by_the_most_used(t *testing.T) {
	catalog, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	var ranked []Provider
	for _, p := range catalog.Providers() {
		if p.Rank > 0 {
			ranked = append(ranked, p)
		}
	}
	slices.SortFunc(ranked, func(a, b Provider) int { return a.Rank - b.Rank })
	if len(ranked) < 5 || ranked[0].Slug != "okta" {
		t.Errorf("the most used are %d, the first %v", len(ranked), ranked)
	}
	if _, err := parseProvider("acme", []byte(`{"name": "Acme", "rank": -1, "protocols": ["scim"], "directory_types": ["generic scim v2.0"]}`)); err == nil || !strings.Contains(err.Error(), "rank is -1") {
		t.Errorf("a rank of -1 is taken: %v", err)
	}
	twice := Catalog{providers: []Provider{{Slug: "a", Rank: 1}, {Slug: "b", Rank: 1}}}
	if !slices.ContainsFunc(twice.checkTogether(), func(err error) bool { return strings.Contains(err.Error(), "rank 1") }) {
		t.Error("two may have one rank")
	}
}
