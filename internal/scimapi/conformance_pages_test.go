package scimapi_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/scimapi"
	"github.com/rollcallhq/rollcall/internal/scimapi/scimapitest"
)

//scim:95
func TestAn_empty_list_has_all_its_parts_and_numbers_are_numbers(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	for _, path := range []string{"/Users", "/Groups", "/Users?count=0", "/Groups?filter=displayName%20eq%20%22x%22", "?count=3"} {
		wantAt(t, f.Do("GET", path, "").Want(http.StatusOK), map[string]any{
			"schemas": []any{scim.ListURN}, "totalResults": 0.0, "startIndex": 1.0, "itemsPerPage": 0.0, "Resources": []any{},
		})
	}
}

//scim:96,97,99,T15
func TestPages_that_follow_each_other_show_everybody_once_while_others_arrive(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		ids := people(f, 7)
		var seen []string
		for start := 1; start <= 7; start += 3 {
			a := f.Do("GET", fmt.Sprintf("/Users?startIndex=%d&count=3", start), "").Want(http.StatusOK)
			list, _ := a.At("Resources").([]any)
			for _, r := range list {
				id, _ := scimapitest.At(r, "id").(string)
				seen = append(seen, id)
			}
			wantAt(t, a, map[string]any{"startIndex": float64(start), "itemsPerPage": float64(len(list))})
			if len(list) > 3 {
				t.Errorf("%d on a page of 3", len(list))
			}
			f.User(fmt.Sprintf("late %d", start))
		}
		if !slices.Equal(seen[:7], ids) {
			t.Errorf("seen %v, want %v", seen, ids)
		}
		wantAt(t, f.Do("GET", "/Users?startIndex=1000", ""), map[string]any{"totalResults": 10.0, "itemsPerPage": 0.0, "startIndex": 1000.0})
	})
}

//scim:98,107,149
func TestA_search_by_POST_answers_as_the_address_does(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		cast(f)
		f.Do("POST", "/Groups", `{"displayName":"Staff"}`).Want(http.StatusCreated)
		for _, c := range []struct{ endpoint, query, body string }{
			{"/Users", "filter=" + url.QueryEscape(`emails[type eq "home"]`) + "&sortBy=userName&sortOrder=descending", `"filter":"emails[type eq \"home\"]","sortBy":"userName","sortOrder":"descending"`},
			{"/Users", "startIndex=2&count=1&attributes=userName,name.givenName", `"startIndex":2,"count":1,"attributes":["userName","name.givenName"]`},
			{"/Users", "excludedAttributes=emails", `"ExcludedAttributes":["emails"]`},
			{"/Users", "count=0", `"COUNT":"0"`},
			{"/Groups", "", `"attributes":null,"filter":null`},
			{"", "filter=displayName+pr", `"filter":"displayName pr"`},
		} {
			get := f.Do("GET", c.endpoint+"?"+c.query, "").Want(http.StatusOK)
			post := f.Do("POST", c.endpoint+"/.search", `{"schemas":["`+scim.SearchURN+`"],`+c.body+`}`).Want(http.StatusOK)
			if string(get.Body) != string(post.Body) {
				t.Errorf("%s?%s: %s, by POST %s", c.endpoint, c.query, get.Body, post.Body)
			}
		}
		for _, wrong := range []string{`{"count":"ten"}`, `{"startIndex":true}`, `{"filter":7}`, `{"attributes":{"a":1}}`} {
			f.Do("POST", "/Users/.search", wrong).Want(http.StatusBadRequest)
		}
		wantAt(t, f.Do("POST", "/Users/.search", `{"cursor":"","count":1}`).Want(http.StatusOK), map[string]any{"itemsPerPage": 1.0, "Resources.0.userName": ada})
	})
}

//scim:100,101,102
func TestOrder_follows_the_attribute(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		for _, body := range []string{
			`{"userName":"b","externalId":"b","title":"beta","emails":[{"value":"z@example.com"},{"value":"a@example.com","primary":true}],"name":{"familyName":"Zed"}}`,
			`{"userName":"C","externalId":"C","title":"Alpha","emails":[{"value":"B@example.com"},{"value":"y@example.com"}]}`,
			`{"userName":"a","externalId":"a","active":false}`,
		} {
			f.Do("POST", "/Users", body).Want(http.StatusCreated)
		}
		for query, want := range map[string]string{
			"sortBy=userName": "a b C", "sortBy=USERNAME&sortOrder=Descending": "C b a", "sortBy=externalId": "C a b", "sortBy=title": "C b a", "sortBy=title&sortOrder=descending": "a b C",
			"sortBy=emails": "b C a", "sortBy=emails.value&sortOrder=descending": "a C b", "sortBy=name.familyName": "b C a", "sortBy=meta.created": "b C a", "sortBy=meta.created&sortOrder=descending": "a C b",
			"sortBy=id": "b C a", "sortBy=" + scim.UserURN + ":userName": "a b C", "sortOrder=descending": "b C a", "sortBy=active": "a b C", "sortBy=shoeSize": "b C a",
			"sortBy=userName&startIndex=2&count=1": "b", "sortBy=userName&count=2&filter=title+pr": "b C", "sortBy=userName&sortOrder=": "a b C",
		} {
			if got := names(f.Do("GET", "/Users?"+query, "").Want(http.StatusOK)); got != want {
				t.Errorf("%s: %q, want %q", query, got, want)
			}
		}
		f.Do("GET", "/Users?sortBy=userName&sortOrder=sideways", "").WantError(http.StatusBadRequest, "invalidValue")
		f.Do("GET", "/Users?sortBy=emails[type", "").Want(http.StatusBadRequest)
		wantAt(t, f.Do("GET", "/ServiceProviderConfig", ""), map[string]any{"sort.supported": true})
	})
}

//scim:44,103,104,105
func TestA_projection_takes_sub_attributes_URNs_and_any_letter_case(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	id := f.Do("POST", "/Users", `{"userName":"ada","title":"x","name":{"givenName":"A","familyName":"L"},"emails":[{"value":"a@example.com","type":"work"},{"value":"h@example.com","type":"home"}],
		"`+scim.EnterpriseURN+`":{"department":"E","manager":{"value":"m"}}}`).Want(http.StatusCreated).ID()
	path := "/Users/" + id
	for query, want := range map[string]map[string]any{
		"attributes=NAME.givenname":                                     {"id": id, "name": map[string]any{"givenName": "A"}, "userName": nil, "emails": nil},
		"attributes=" + scim.EnterpriseURN + ":manager.value":           {scim.EnterpriseURN: map[string]any{"manager": map[string]any{"value": "m"}}, "userName": nil},
		"attributes=" + scim.EnterpriseURN:                              {scim.EnterpriseURN + ".department": "E", "title": nil},
		"attributes=emails.value":                                       {"emails": []any{map[string]any{"value": "a@example.com"}, map[string]any{"value": "h@example.com"}}},
		"attributes=" + url.QueryEscape(`emails[type eq "work"].value`): {"userName": nil, "emails.0.value": "a@example.com"},
		"attributes=userName,nonsense,%20title":                         {"userName": "ada", "title": "x", "name": nil},
		"attributes=":                                                   {"userName": "ada", "title": "x"},
		"attributes=title&excludedAttributes=title":                     {"title": "x", "userName": nil},
		"excludedAttributes=name.familyName,EMAILS,id,schemas":          {"name": map[string]any{"givenName": "A"}, "emails": nil, "id": id, "userName": "ada"},
		"excludedAttributes=meta":                                       {"meta": nil, "userName": "ada"},
		"excludedAttributes=" + scim.EnterpriseURN + ":department":      {scim.EnterpriseURN: map[string]any{"manager": map[string]any{"value": "m"}}},
		"attributes=meta.location":                                      {"meta.location": f.Base + path, "meta.version": nil},
	} {
		wantAt(t, f.Do("GET", path+"?"+query, "").Want(http.StatusOK), want)
		if got := f.Do("GET", "/Users?"+query, "").Want(http.StatusOK); got.At("Resources.0.id") != id {
			t.Errorf("%s: %s", query, got.Body)
		}
	}
}

//scim:145,146,147
func TestCursors_show_everybody_once_in_every_kind_of_list(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		people(f, 5)
		for _, g := range []string{"g1", "g2"} {
			f.Do("POST", "/Groups", `{"displayName":"`+g+`"}`).Want(http.StatusCreated)
		}
		for query, want := range map[string]string{
			"/Users?count=2": "user01 user02 user03 user04 user05", "/Users?count=2&sortBy=userName&sortOrder=descending": "user05 user04 user03 user02 user01",
			"/Users?count=1&filter=" + url.QueryEscape(`userName co "r0" and active eq true`): "user01 user02 user03 user04 user05", "?count=3": "user01 user02 user03 user04 user05 g1 g2",
			"?count=2&sortBy=displayName": "g1 g2 user01 user02 user03 user04 user05", "/Groups?count=1": "g1 g2", "/Users?count=5": "user01 user02 user03 user04 user05",
			"/Users?count=2&filter=userName+eq+%22user03%22": "user03", "/Users?count=2&filter=userName+eq+%22nobody%22": "",
		} {
			var all []string
			for cursor, pages := "", 0; pages < 10; pages++ {
				a := f.Do("GET", query+"&cursor="+cursor, "").Want(http.StatusOK)
				if page := names(a); page != "" {
					all = append(all, page)
				}
				if a.At("startIndex") != nil || pages == 0 && a.At("previousCursor") != nil {
					t.Errorf("%s: %s", query, a.Body)
				}
				next, there := a.At("nextCursor").(string)
				if !there {
					break
				}
				if cursor = next; strings.Trim(cursor, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~") != "" {
					t.Errorf("%s: cursor %q needs escaping", query, cursor)
				}
			}
			if got := strings.Join(all, " "); got != want {
				t.Errorf("%s: %q, want %q", query, got, want)
			}
		}
	})
}

//scim:148,150,151
func TestCursors_and_counts_that_cannot_be_are_refused_by_their_own_names(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	people(f, 3)
	for _, cursor := range []string{"x", "AAAA", strings.Repeat("A", 2000), "%00", "%ff", "!!"} {
		f.Do("GET", "/Users?cursor="+cursor, "").WantError(http.StatusBadRequest, "invalidCursor")
	}
	f.Do("GET", "/Users?cursor=&count=ten", "").WantError(http.StatusBadRequest, "invalidCount")
	f.Do("POST", "/Users/.search", `{"cursor":"","count":"ten"}`).WantError(http.StatusBadRequest, "invalidCount")
	wantAt(t, f.Do("GET", "/Users?cursor=&count=-3", "").Want(http.StatusOK), map[string]any{"itemsPerPage": 0.0, "Resources": []any{}})
	if a := f.Do("GET", "/Users?count=1", "").Want(http.StatusOK); a.At("nextCursor") != nil || a.At("startIndex") != 1.0 {
		t.Errorf("without a cursor: %s", a.Body)
	}
}

//scim:94
func TestA_sorted_list_of_everything_that_reaches_too_far_is_tooMany(t *testing.T) {
	f := scimapitest.SQLite(t, func(o *scimapi.Options) { o.MaxPageSize = 20_000 }).Linked(directory.New{})
	people(f, 1)
	f.Do("GET", "?sortBy=displayName&startIndex=1&count=10001", "").WantError(http.StatusBadRequest, "tooMany")
	f.Do("GET", "?sortBy=displayName&startIndex=9223372036854775807&count=10", "").Want(http.StatusBadRequest)
	f.Do("GET", "?sortBy=displayName&startIndex=1&count=100", "").Want(http.StatusOK)
}
