package scimapi_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/scimapi/scimapitest"
)

func filtered(f *scimapitest.Feed, endpoint, filter string) scimapitest.Answer {
	f.House.T.Helper()
	return f.Do("GET", endpoint+"?filter="+url.QueryEscape(filter), "")
}

// found gives the names that a filter finds.
func found(f *scimapitest.Feed, endpoint, filter string) string {
	f.House.T.Helper()
	a := filtered(f, endpoint, filter)
	if a.Status != http.StatusOK {
		f.House.T.Errorf("%s: status %d, %s", filter, a.Status, a.Body)
		return ""
	}
	got := names(a)
	if list, _ := a.At("Resources").([]any); float64(len(list)) != a.At("totalResults") {
		f.House.T.Errorf("%s: totalResults %v of %d", filter, a.At("totalResults"), len(list))
	}
	return got
}

// cast are three people who differ in everything that a filter can ask for.
func cast(f *scimapitest.Feed) {
	for _, body := range []string{
		`{"userName":"ada","externalId":"E1","active":true,"title":"Countess","name":{"givenName":"Ada","familyName":"Lovelace"},"locale":"en_US",
			"emails":[{"value":"ada@Example.com","type":"work","primary":true},{"value":"ada@home.example","type":"home"}],"roles":[{"value":"admin","primary":true}],
			"x509Certificates":[{"value":"QUJD"}],"` + scim.EnterpriseURN + `":{"department":"Engines","manager":{"value":"m1"}}}`,
		`{"userName":"Grace","externalId":"e1","active":false,"name":{"givenName":"Grace"},"emails":[{"value":"grace@example.com","type":"home"}],
			"` + scim.EnterpriseURN + `":{"department":"engines","employeeNumber":"7"}}`,
		`{"userName":"eve \"the\" \\ é","title":"","nickName":"O'Eve","meta":{}}`,
	} {
		f.Do("POST", "/Users", body).Want(http.StatusCreated)
	}
}

const (
	ada, grace, eve = "ada", "Grace", `eve "the" \ é`
	everybody       = ada + " " + grace + " " + eve
)

//scim:74,75,76,77,78,79,80,81,82,83,84,85,86,87,88,89,91,T2,T12,T13,T14
func TestFilters_mean_what_RFC_7644_says(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		cast(f)
		for _, c := range []struct{ filter, want string }{
			{`userName eq "ADA"`, ada},
			{`USERNAME EQ "ada"`, ada},
			{`userName Eq 'ada'`, ada},
			{`userName eq ada`, ada},
			{`  userName   eq   "ada"  `, ada},
			{`userName eq"ada"`, ada},
			{`userName ne "ada"`, grace + " " + eve},
			{`userName CO "DA"`, ada},
			{`userName sw "gr"`, grace},
			{`userName ew "ace"`, grace},
			{`userName eq "eve \"the\" \\ \u00e9"`, eve},
			{`userName eq "eve \"the\" \\ É"`, eve},
			{`nickName eq "O'Eve"`, eve},
			{`userName eq "nobody"`, ""},
			{`userName eq ""`, ""},
			{`id eq "nonsense"`, ""},
			{`id eq "E0B5C7A6-F8C5-4C25-AB9B-6DAA1C4D9E33"`, ""},
			{`active eq "maybe"`, ""},
			{`userName eq 7`, ""},
			{`externalId eq "E1"`, ada},
			{`externalId eq "E1" and userName pr`, ada},
			{`externalId eq "e1" and active eq false`, grace},
			{`title pr`, ada},
			{`not (title pr)`, grace + " " + eve},
			{`not(title pr)`, grace + " " + eve},
			{`name pr`, ada + " " + grace},
			{`emails pr`, ada + " " + grace},
			{`name.familyName pr`, ada},
			{`title eq "countess"`, ada},
			{`title ne "Countess"`, grace + " " + eve},
			{`title eq null`, grace},
			{`nickName ne null`, eve},
			{`emails co "HOME.example"`, ada},
			{`emails eq "grace@EXAMPLE.com"`, grace},
			{`emails.value ew "example.com"`, ada + " " + grace},
			{`emails.type eq "home"`, ada + " " + grace},
			{`emails[type eq "work" and value co "@example"]`, ada},
			{`emails[type eq "work" and value co "@home"]`, ""},
			{`emails[type eq "home"].value eq "grace@example.com"`, grace},
			{`emails[not (type eq "work")]`, ada + " " + grace},
			{`userName eq "ada" and emails[type eq "work"]`, ada},
			{`emails[type eq "work"] or userName sw "gr"`, ada + " " + grace},
			{`emails[primary eq true].value sw "ada"`, ada},
			{`roles[primary eq "True"].value eq "admin"`, ada},
			{`active eq true`, ada + " " + eve},
			{`active eq "True"`, ada + " " + eve},
			{`active eq false`, grace},
			{`active ne true`, grace},
			{`userName eq "ada" or userName eq "grace" and active eq true`, ada},
			{`(userName eq "ada" or userName eq "grace") and active eq true`, ada},
			{`not (userName eq "ada") and title pr or userName eq "ada"`, ada},
			{`userName eq "grace" or not (active eq true) and title pr`, grace},
			{scim.UserURN + `:userName eq "ada"`, ada},
			{strings.ToUpper(scim.UserURN) + `:name.givenName eq "grace"`, grace},
			{scim.EnterpriseURN + `:department eq "ENGINES"`, ada + " " + grace},
			{scim.EnterpriseURN + `:manager.value eq "m1"`, ada},
			{scim.EnterpriseURN + `:manager eq "m1"`, ada},
			{scim.EnterpriseURN + `:employeeNumber pr`, grace},
			{scim.EnterpriseURN + ` pr`, ada + " " + grace},
			{`schemas eq "` + scim.EnterpriseURN + `"`, ada + " " + grace},
			{`schemas eq "` + scim.UserURN + `"`, everybody},
			{`meta.resourceType eq "User"`, everybody},
			{`meta.resourceType eq "Group"`, ""},
			{`meta.lastModified ge "2011-05-13T04:42:34Z"`, everybody},
			{`meta.lastModified lt "2011-05-13T04:42:34+02:00"`, ""},
			{`meta.created gt "2011-05-13T04:42:34.123Z" and title pr`, ada},
			{`userName gt "b"`, grace + " " + eve},
			{`userName le "ADA"`, ada},
			{`userName ge "grace"`, grace},
			{`userName lt "b"`, ada},
			{`x509Certificates.value eq "QUJD"`, ada},
			{`x509Certificates.value eq "qujd"`, ""},
			{`shoeSize eq "42"`, ""},
			{`shoeSize pr or title pr`, ada},
			{`urn:example:none:x eq "1"`, ""},
			{`groups pr`, ""},
			{`groups.value eq "x"`, ""},
			{`email eq "grace@example.com"`, grace},
		} {
			if got := found(f, "/Users", c.filter); got != c.want {
				t.Errorf("%s: found %q, want %q", c.filter, got, c.want)
			}
		}
	})
}

//scim:78,T12
func TestBlanks_and_signs_of_an_address_are_unescaped_before_the_filter_is_read(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	f.User("a+b c%41")
	for _, raw := range []string{
		"?filter=userName+eq+%22a%2Bb+c%2541%22", "?filter=userName%20eq%20%22a%2bb%20c%2541%22", "?FILTER=userName+eq+%22a%2Bb+c%2541%22&", "?&&filter=userName%20eq%20%22a%2Bb%20c%2541%22&aadOptscim062020",
	} {
		if got := names(f.Do("GET", "/Users"+raw, "").Want(http.StatusOK)); got != "a+b c%41" {
			t.Errorf("%s: %s", raw, got)
		}
	}
}

//scim:78
func TestA_value_encoded_twice_is_found_only_for_the_provider_that_does_so(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		entra, other := h.Linked(directory.New{Type: "azure scim v2.0"}), h.Linked(directory.New{Name: "Other"})
		const encoded = `userName eq "ada%40example.com"`
		for _, f := range []*scimapitest.Feed{entra, other} {
			f.Do("POST", "/Users", `{"userName":"ada@example.com","emails":[{"type":"work","value":"ada+x@example.com"}]}`).Want(http.StatusCreated)
		}
		for filter, want := range map[string]string{
			encoded: "ada@example.com", `emails[type eq "work"].value eq "ada%2Bx%40example.com"`: "ada@example.com", `emails[type eq "w%6Frk"].value eq "ada+x%40example.com"`: "ada@example.com",
			`not (userName eq "x") and userName eq "ada%40example.com" or title eq "%41"`: "ada@example.com", `userName sw "ada%40"`: "", `userName eq "%zz"`: "", `userName eq "%ff"`: "", `userName eq "%00"`: "",
		} {
			if got := found(entra, "/Users", filter); got != want {
				t.Errorf("%s: %q, want %q", filter, got, want)
			}
			if got := found(other, "/Users", filter); got != "" {
				t.Errorf("elsewhere %s: %q", filter, got)
			}
		}
		entra.User("ada%40example.com")
		if got := found(entra, "/Users", encoded); got != "ada%40example.com" {
			t.Errorf("who really has that name: %q", got)
		}
		entra.Do("POST", "/Groups", `{"displayName":"R & D"}`).Want(http.StatusCreated)
		if got := found(entra, "/Groups", `displayName eq "R%20%26%20D"`); got != "R & D" {
			t.Errorf("group: %q", got)
		}
	})
}

//scim:80,85,90,92
func TestFilters_that_make_no_sense_are_refused(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	deep := strings.Repeat("(", 60) + `userName pr` + strings.Repeat(")", 60)
	long := `userName eq "` + strings.Repeat("x", 9000) + `"`
	many := strings.Repeat(`title pr or `, 400) + `title pr`
	for _, filter := range []string{
		`userName`, `userName eq`, `eq "x"`, `userName is "x"`, `userName eqq "x"`, `userName eq "x`, `userName eq "x" and`, `and userName pr`, `(userName pr`, `userName pr)`, `not userName pr`,
		`userName eq "\q"`, `userName eq "nul\u0000"`, `emails[type eq "x"`, `emails[emails[type eq "x"]]`, `emails[]`, `[type eq "x"]`, `userName eq "x" xor userName eq "y"`, `active gt true`, `active le false`,
		`x509Certificates.value gt "QUJD"`, `1userName eq "x"`, `urn: eq "x"`, `"userName" eq "x"`, deep, long, many,
	} {
		if a := filtered(f, "/Users", filter); a.Status != http.StatusBadRequest || a.At("scimType") != "invalidFilter" {
			t.Errorf("%.80s: status %d, %s", filter, a.Status, a.Body)
		}
		search, err := jsonText(filter)
		if err != nil {
			t.Fatal(err)
		}
		if a := f.Do("POST", "/Users/.search", `{"filter":`+search+`}`); a.Status != http.StatusBadRequest || a.At("scimType") != "invalidFilter" {
			t.Errorf("searched for %.80s: status %d, %s", filter, a.Status, a.Body)
		}
	}
	f.WantNews()
}

//scim:60,92
func TestWhat_is_never_answered_cannot_be_asked_about(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	f.Do("POST", "/Users", `{"userName":"ada","password":"secret-1"}`).Want(http.StatusCreated)
	for _, filter := range []string{`password eq "secret-1"`, `PASSWORD sw "s"`, `password pr`, scim.UserURN + `:password pr`, `userName eq "ada" and not (password pr)`, `userName eq "x" or password co "1"`} {
		for _, endpoint := range []string{"/Users", ""} {
			a := filtered(f, endpoint, filter).Want(http.StatusForbidden, http.StatusBadRequest)
			if strings.Contains(string(a.Body), "secret-1") {
				t.Errorf("%s is told back: %s", filter, a.Body)
			}
		}
	}
	f.Do("GET", "/Users?sortBy=password", "").Want(http.StatusForbidden, http.StatusBadRequest)
}

//scim:90
func TestA_strict_directory_knows_only_eq_and_and_on_declared_attributes(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{Strict: true})
	f.Do("POST", "/Users", `{"schemas":["`+scim.UserURN+`"],"userName":"ada","title":"x"}`).Want(http.StatusCreated)
	if got := found(f, "/Users", `userName eq "ADA" and title eq "x"`); got != ada {
		t.Errorf("found %q", got)
	}
	for _, filter := range []string{`shoeSize eq "42"`, `title sw "x"`, `title eq "x" or title eq "y"`, `not (title eq "x")`, `urn:example:x:y eq "1"`} {
		filtered(f, "/Users", filter).WantError(http.StatusBadRequest, "invalidFilter")
	}
}

//scim:88,93
func TestThe_base_address_searches_people_and_groups(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		cast(f)
		f.Do("POST", "/Groups", `{"displayName":"Engines"}`).Want(http.StatusCreated)
		for filter, want := range map[string]string{
			`meta.resourceType eq "User"`: everybody, `meta.resourceType eq Group`: "Engines", `displayName eq "engines"`: "Engines", `userName sw "gr"`: grace,
			`userName pr or displayName pr`: everybody + " Engines", `not (userName pr)`: "Engines", `meta.resourceType eq "Group" and userName pr`: "", `nonsense eq "1"`: "",
			`meta.resourceType eq "User" or displayName pr`: everybody + " Engines", `not (meta.resourceType eq "User")`: "Engines", `meta.resourceType eq "Robot"`: "",
		} {
			if got := found(f, "", filter); got != want {
				t.Errorf("%s: found %q, want %q", filter, got, want)
			}
		}
	})
}

//scim:83,84,87
func TestGroups_are_found_by_name_and_by_their_members(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		id := f.User("ada")
		g := f.Do("POST", "/Groups", `{"displayName":"Staff","externalId":"G1","members":[{"value":"`+id+`"},{"value":"not here yet"}]}`).Want(http.StatusCreated).ID()
		f.Do("POST", "/Groups", `{"displayName":"Empty"}`).Want(http.StatusCreated)
		for filter, want := range map[string]string{
			`displayName eq "STAFF"`: "Staff", `externalId eq "G1"`: "Staff", `externalId eq "g1"`: "", `members eq "` + id + `"`: "Staff", `members.value eq "` + id + `"`: "Staff",
			`members[value eq "` + id + `"]`: "Staff", `id eq "` + g + `" and members eq "` + id + `"`: "Staff", `id eq "` + g + `" and members eq "nobody"`: "", `members pr`: "Staff",
			`not (members pr)`: "Empty", `members.value eq "not here yet"`: "Staff", `members.display eq "ada"`: "", `displayName sw "e" or externalId pr`: "Staff Empty", scim.GroupURN + `:displayName eq "empty"`: "Empty",
		} {
			if got := found(f, "/Groups", filter); got != want {
				t.Errorf("%s: found %q, want %q", filter, got, want)
			}
		}
		a := f.Do("GET", "/Groups?excludedAttributes=members&filter="+url.QueryEscape(`members eq "`+id+`"`), "").Want(http.StatusOK)
		if names(a) != "Staff" || a.At("Resources.0.members") != nil {
			t.Errorf("%s", a.Body)
		}
		if got := found(f, "/Users", `groups eq "`+g+`"`) + found(f, "/Users", `groups.display eq "Staff"`); got != "adaada" {
			t.Errorf("by group: %q", got)
		}
		check := f.Do("GET", "/Users?attributes=id&filter="+url.QueryEscape(`id eq "`+id+`" and `+scim.EnterpriseURN+`:manager eq "x"`), "").Want(http.StatusOK)
		wantAt(t, check, map[string]any{"totalResults": 0.0})
	})
}
