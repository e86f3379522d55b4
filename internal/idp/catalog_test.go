package idp

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
)

var withTraffic = sync.OnceValues(LoadWithTraffic)

func loadCatalog(t *testing.T) *Catalog {
	t.Helper()
	c, err := withTraffic()
	if err != nil {
		t.Fatalf("load the catalogue: %v", err)
	}
	return c
}

func TestCatalogue_has_every_provider_that_speaks_scim_or_is_asked_for(t *testing.T) {
	c := loadCatalog(t)
	speakers := []Slug{
		"auth0", "authentik", "custom-scim", "cyberark", "duo", "entra-id", "ibm-verify", "jumpcloud", "keycloak", "miniorange",
		"okta", "onelogin", "oracle-oci-iam", "pingfederate", "pingone", "rippling", "sailpoint",
	}
	silent := []Slug{
		"adfs", "authelia", "aws-iam-identity-center", "classlink", "cloudflare-access", "custom-oidc", "custom-saml", "fusionauth",
		"google-workspace", "lastpass", "netiq-opentext", "omnissa-workspace-one", "salesforce", "shibboleth", "simplesamlphp", "zitadel",
	}
	for _, slug := range speakers {
		provider, ok := c.Provider(slug)
		if !ok || !provider.Speaks(SCIM) || len(provider.Stories) == 0 {
			t.Errorf("%s: found=%t scim=%t stories=%d; want a SCIM client with traffic", slug, ok, provider.Speaks(SCIM), len(provider.Stories))
		}
	}
	for _, slug := range silent {
		provider, ok := c.Provider(slug)
		if !ok || provider.Speaks(SCIM) || !strings.HasSuffix(provider.WithoutSCIM, ".") {
			t.Errorf("%s: found=%t, without_scim %q; want a sentence that says what to do instead", slug, ok, provider.WithoutSCIM)
		}
	}
	if got, want := len(c.Providers()), len(speakers)+len(silent); got != want {
		t.Errorf("catalogue has %d providers, this test knows %d", got, want)
	}
	if _, ok := c.Provider("nobody"); ok {
		t.Error("an unknown slug was found")
	}
}

func TestEvery_directory_type_stands_for_one_provider(t *testing.T) {
	c := loadCatalog(t)
	want := map[DirectoryType]Slug{
		TypeAzure: "entra-id", TypeCyberArk: "cyberark", TypeGeneric: "custom-scim", TypeJumpCloud: "jumpcloud", TypeOkta: "okta",
		TypeOneLogin: "onelogin", TypePingFederate: "pingfederate", TypeRippling: "rippling", TypeSailPoint: "sailpoint",
	}
	for _, directoryType := range DirectoryTypes() {
		providers := c.ByDirectoryType(directoryType)
		if len(providers) == 0 || providers[0].Slug != want[directoryType] {
			t.Errorf("%s: got %v, want %s first", directoryType, slugsOf(providers), want[directoryType])
		}
	}
	if generic := slugsOf(c.ByDirectoryType(TypeGeneric)); !slices.Contains(generic, "keycloak") {
		t.Errorf("generic directories may be of %v; want keycloak among them", generic)
	}
	for _, unknown := range []DirectoryType{"", "bamboohr"} {
		if got := c.ByDirectoryType(unknown); len(got) != 0 {
			t.Errorf("type %q gave %v, want nobody", unknown, slugsOf(got))
		}
	}
}

func slugsOf(providers []Provider) []Slug {
	var slugs []Slug
	for _, provider := range providers {
		slugs = append(slugs, provider.Slug)
	}
	return slugs
}

func TestTraffic_is_recognised_by_what_only_its_provider_sends(t *testing.T) {
	c := loadCatalog(t)
	cases := []struct {
		name, userAgent, query string
		want                   Slug
	}{
		{"Okta by its client", "Okta SCIM Client 1.0.0", "", "okta"},
		{"letter case is no matter", "okta scim client 2.1", "", "okta"},
		{"Entra by the flag alone", "", "aadOptscim062020", "entra-id"},
		{"Entra by the older flag", "", "filter=x&AzureAdScimPatch2017=", "entra-id"},
		{"OneLogin by a media type as user agent", "application/json", "", "onelogin"},
		{"authentik with its version", "authentik@2025.10.1", "", "authentik"},
		{"nobody in particular", "Java/21", "filter=userName", ""},
		{"no sign at all", "", "", ""},
		{"a media type inside a longer name is not OneLogin", "x application/json y", "", ""},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			query, err := url.ParseQuery(tc.query)
			if err != nil {
				t.Fatal(err)
			}
			got, ok := c.Recognise(tc.userAgent, query, http.Header{})
			if got != tc.want || ok != (tc.want != "") {
				t.Errorf("got %q, %t; want %q", got, ok, tc.want)
			}
		})
	}
}

func TestA_header_of_its_own_is_a_sign(t *testing.T) {
	signs := Signs{Headers: []string{"X-Acme-Sync"}}
	if !signs.match("", nil, http.Header{"X-Acme-Sync": {"1"}}) || signs.match("", nil, http.Header{"X-Other": {"1"}}) {
		t.Error("want the named header, and no other, to be a sign")
	}
}

// Every request of every story must point to the provider whose folder it is in,
// or to nobody: a sign that fits a stranger's traffic would mislead people.
func TestNo_story_is_recognised_as_another_providers(t *testing.T) {
	c := loadCatalog(t)
	eachStep(c, func(provider Provider, story Story, step Step) {
		header := make(http.Header)
		for _, h := range append(slices.Clone(story.Headers), step.Headers...) {
			header.Set(h.Name, h.Value)
		}
		_, rawQuery, _ := strings.Cut(step.Target, "?")
		query, err := url.ParseQuery(rawQuery)
		if err != nil {
			t.Errorf("%s:%d: query: %v", story.Name, step.Line, err)
		}
		if got, ok := c.Recognise(header.Get("User-Agent"), query, header); ok && got != provider.Slug {
			t.Errorf("%s:%d: recognised as %s", story.Name, step.Line, got)
		}
	})
}

func eachStep(c *Catalog, visit func(Provider, Story, Step)) {
	for _, provider := range c.Providers() {
		for _, story := range provider.Stories {
			for _, step := range story.Steps {
				visit(provider, story, step)
			}
		}
	}
}

func TestStories_cover_every_dialect_and_every_tolerance(t *testing.T) {
	c := loadCatalog(t)
	shown := make(map[string]bool)
	for _, provider := range c.Providers() {
		for _, story := range provider.Stories {
			for _, mark := range story.Covers {
				shown[mark] = true
			}
			if len(story.Covers) == 0 {
				t.Errorf("%s covers nothing", story.Name)
			}
		}
	}
	for number := 1; number <= 12; number++ {
		// B5 is a provider without a SCIM client: there is nothing to show.
		if mark := fmt.Sprintf("B%d", number); number != 5 && !shown[mark] {
			t.Errorf("no story covers %s", mark)
		}
	}
	for number := 1; number <= 20; number++ {
		if mark := fmt.Sprintf("T%d", number); !shown[mark] {
			t.Errorf("no story covers %s", mark)
		}
	}
}

// A slip in a recorded body would be blamed on the server that refuses it.
func TestBodies_of_the_stories_are_json_without_duplicate_names(t *testing.T) {
	c := loadCatalog(t)
	eachStep(c, func(_ Provider, story Story, step Step) {
		if !step.HasBody {
			return
		}
		if err := uniqueNames(step.Body); err != nil {
			t.Errorf("%s:%d: body: %v", story.Name, step.Line, err)
		}
	})
}

func uniqueNames(text string) error {
	decoder := json.NewDecoder(strings.NewReader(text))
	var walk func() error
	walk = func() error {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		delim, ok := token.(json.Delim)
		if !ok {
			return nil
		}
		seen := make(map[string]bool)
		for decoder.More() {
			if delim == '{' {
				name, err := decoder.Token()
				if err != nil {
					return err
				}
				folded := strings.ToLower(fmt.Sprint(name))
				if seen[folded] {
					return fmt.Errorf("duplicate name %v", name)
				}
				seen[folded] = true
			}
			if err := walk(); err != nil {
				return err
			}
		}
		_, err = decoder.Token()
		return err
	}
	if err := walk(); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the value")
	}
	return nil
}

const smallProvider = `{"name": "Acme", "protocols": ["scim"], "send_again": "Again.", "directory_types": ["generic scim v2.0"]}`

func TestFaulty_folders_are_refused_with_the_file_and_the_reason(t *testing.T) {
	cases := []struct{ name, slug, json, want string }{
		{"not JSON", "acme", `{`, "acme/idp.json: not a provider's JSON"},
		{"an unknown member", "acme", `{"nam": "Acme"}`, `unknown field "nam"`},
		{"more than one value", "acme", smallProvider + `{}`, "something follows"},
		{"no name", "acme", `{"protocols": ["saml"]}`, "name is missing"},
		{"no protocol", "acme", `{"name": "A"}`, "protocols is empty"},
		{"an unknown protocol", "acme", `{"name": "A", "protocols": ["ldap"]}`, `protocols has "ldap"`},
		{"a protocol twice", "acme", `{"name": "A", "protocols": ["saml", "saml"]}`, "twice"},
		{"no SCIM and no word about it", "acme", `{"name": "A", "protocols": ["saml"]}`, "without_scim must be set"},
		{"SCIM without a directory type", "acme", `{"name": "A", "protocols": ["scim"]}`, "directory_types must be set"},
		{"an unknown directory type", "acme", `{"name": "A", "protocols": ["scim"], "directory_types": ["bamboohr"]}`, `directory_types has "bamboohr"`},
		{"standing for a type that is not its own", "acme", `{"name": "A", "protocols": ["scim"], "directory_types": ["generic scim v2.0"], "stands_for": "okta scim v2.0"}`, "not among directory_types"},
		{"an unknown quirk", "acme", `{"name": "A", "protocols": ["scim"], "directory_types": ["generic scim v2.0"], "quirks": ["sleeps"]}`, `quirks has "sleeps"`},
		{"quirks without SCIM", "acme", `{"name": "A", "protocols": ["saml"], "without_scim": "No.", "connection_types": {"saml": "GenericSAML"}, "claims": {"saml": {"id": ["id"]}}, "quirks": ["encoded-filter-value"]}`, "nothing to act on"},
		{"an unknown claim", "acme", `{"name": "A", "protocols": ["saml"], "without_scim": "No.", "claims": {"saml": {"shoe": ["s"]}}}`, `claims.saml has "shoe"`},
		{"a claim without names", "acme", `{"name": "A", "protocols": ["saml"], "without_scim": "No.", "claims": {"saml": {"id": []}}}`, "at least one name"},
		{"claims of a protocol it lacks", "acme", `{"name": "A", "protocols": ["saml"], "without_scim": "No.", "claims": {"oidc": {"id": ["sub"]}}}`, `claims has "oidc"`},
		{"no word about sending again", "acme", `{"name": "A", "protocols": ["scim"], "directory_types": ["generic scim v2.0"]}`, "send_again must be set"},
		{"an unknown attribute", "acme", `{"name": "A", "protocols": ["scim"], "directory_types": ["generic scim v2.0"], "send_again": "Again.", "never_sends": ["shoe"]}`, `never_sends has "shoe"`},
		{"attributes that are never sent without SCIM", "acme", `{"name": "A", "protocols": ["saml"], "without_scim": "No.", "connection_types": {"saml": "GenericSAML"}, "claims": {"saml": {"id": ["id"]}}, "never_sends": ["picture"]}`, "never_sends mean nothing"},
		{"an empty sign", "acme", `{"name": "A", "protocols": ["scim"], "directory_types": ["generic scim v2.0"], "recognise": {"user_agents": [""]}}`, "empty sign"},
		{"signs without SCIM", "acme", `{"name": "A", "protocols": ["saml"], "without_scim": "No.", "connection_types": {"saml": "GenericSAML"}, "claims": {"saml": {"id": ["id"]}}, "recognise": {"user_agents": ["x"]}}`, "no traffic to recognise"},
		{"a folder name with capitals", "Acme", smallProvider, "lower-case"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			_, err := load(fstest.MapFS{tc.slug + "/idp.json": {Data: []byte(tc.json)}}, true)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
		})
	}
}

func TestFaults_between_and_inside_folders_are_all_named_at_once(t *testing.T) {
	claiming := `{"name": "A", "protocols": ["scim"], "send_again": "Again.", "directory_types": ["generic scim v2.0"], "stands_for": "generic scim v2.0", "recognise": {"user_agents": ["Sync"]}}`
	_, err := load(fstest.MapFS{
		"a/idp.json":             {Data: []byte(claiming)},
		"b/idp.json":             {Data: []byte(claiming)},
		"c/traffic/01-x.traffic": {Data: []byte("")},
		"d/idp.json":             {Data: []byte(smallProvider)},
		"d/trafic/01-x.traffic":  {Data: []byte("")},
		"e/idp.json":             {Data: []byte(smallProvider)},
		"e/traffic/notes.txt":    {Data: []byte("")},
		"f/idp.json":             {Data: []byte(smallProvider)},
		"f/traffic/01-x.traffic": {Data: []byte("# Wrong place\n= type okta scim v2.0\n\n> GET /Users\n< 200\n")},
		"g/idp.json":             {Data: []byte(smallProvider)},
		"g/traffic/01-x.traffic": {Data: []byte("# Bad\n?\n")},
		"README":                 {Data: []byte("")},
	}, true)
	if err == nil {
		t.Fatal("want faults, got none")
	}
	for _, want := range []string{
		"a and b both claim the user agent sync", `directory type "generic scim v2.0": want exactly one provider`, `directory type "okta scim v2.0"`,
		"read c/idp.json", "d/trafic: nothing reads it", "e/traffic/notes.txt", "f/traffic/01-x.traffic: type", "g/traffic/01-x.traffic:2:", "README: the catalogue holds one folder",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q:\n%v", want, err)
		}
	}
}

func TestQuirks_are_on_only_where_listed(t *testing.T) {
	c := loadCatalog(t)
	want := map[Quirk][]Slug{QuirkEncodedFilterValue: {"entra-id"}}
	for _, quirk := range Quirks() {
		var has []Slug
		for _, provider := range c.Providers() {
			if provider.Has(quirk) {
				has = append(has, provider.Slug)
			}
		}
		if !slices.Equal(has, want[quirk]) {
			t.Errorf("quirk %s is on for %v, want %v", quirk, has, want[quirk])
		}
	}
}
