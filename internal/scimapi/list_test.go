package scimapi_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/scimapi"
	"github.com/rollcallhq/rollcall/internal/scimapi/scimapitest"
)

func people(f *scimapitest.Feed, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = f.User(fmt.Sprintf("user%02d", i+1))
	}
	return ids
}

func names(a scimapitest.Answer) string {
	var out []string
	list, _ := a.At("Resources").([]any)
	for _, r := range list {
		name, _ := scimapitest.At(r, "userName").(string)
		if name == "" {
			name, _ = scimapitest.At(r, "displayName").(string)
		}
		out = append(out, name)
	}
	return strings.Join(out, " ")
}

//scim:55,91,95,96,97,98,99,T12,T15
func TestPages_by_index(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		people(f, 5)
		for _, c := range []struct {
			query  string
			start  float64
			wanted string
		}{
			{"", 1, "user01 user02 user03 user04 user05"},
			{"?startIndex=1&count=2", 1, "user01 user02"},
			{"?startindex=3&COUNT=2", 3, "user03 user04"},
			{"?count=2", 1, "user01 user02"},
			{"?startIndex=4", 4, "user04 user05"},
			{"?startIndex=0&count=1", 1, "user01"},
			{"?startIndex=-7&count=1", 1, "user01"},
			{"?startIndex=6", 6, ""},
			{"?count=0", 1, ""},
			{"?count=-1", 1, ""},
			{"?count=1000000", 1, "user01 user02 user03 user04 user05"},
			{"?startIndex=&count=", 1, "user01 user02 user03 user04 user05"},
			{"?count=1&nonsense=1&&", 1, "user01"},
			{"??count=1?", 1, "user01"},
		} {
			a := f.Do("GET", "/Users"+c.query, "").Want(http.StatusOK)
			if got := names(a); got != c.wanted || a.At("startIndex") != c.start || a.At("totalResults") != 5.0 {
				t.Errorf("%s: %q, startIndex %v, totalResults %v", c.query, got, a.At("startIndex"), a.At("totalResults"))
			}
			list, ok := a.At("Resources").([]any)
			if !ok || a.At("itemsPerPage") != float64(len(list)) || a.At("schemas.0") != "urn:ietf:params:scim:api:messages:2.0:ListResponse" {
				t.Errorf("%s: %s", c.query, a.Body)
			}
		}
		for _, query := range []string{"?count=ten", "?startIndex=1.5", "?startIndex=x&count=1"} {
			f.Do("GET", "/Users"+query, "").WantError(http.StatusBadRequest, "invalidValue")
		}
	})
}

//scim:74,78,79,90,91,T12,T13,T14
func TestFilters_find_what_they_say(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		f.Do("POST", "/Users", `{"userName":"Ada@x.org","externalId":"E1","active":false,"emails":[{"value":"ada@x.org","type":"work"}]}`).Want(http.StatusCreated)
		f.Do("POST", "/Users", `{"userName":"50% o\"neil+x","externalId":"e1","title":"Boss"}`).Want(http.StatusCreated)
		for filter, want := range map[string]string{
			`userName eq "ADA@X.ORG"`:                         "Ada@x.org",
			`USERNAME Eq "ada@x.org"`:                         "Ada@x.org",
			`externalId eq "E1"`:                              "Ada@x.org",
			`externalId eq "e1"`:                              `50% o"neil+x`,
			`userName eq "nobody"`:                            "",
			`userName eq ""`:                                  "",
			`id eq "` + f.Base + `"`:                          "",
			`active eq false`:                                 "Ada@x.org",
			`title pr`:                                        `50% o"neil+x`,
			`title eq "boss"`:                                 `50% o"neil+x`,
			`nonsense eq "x"`:                                 "",
			`userName sw "a" or title eq "Boss"`:              `Ada@x.org 50% o"neil+x`,
			`emails[type eq "work"].value eq "ada@x.org"`:     "Ada@x.org",
			`emails[type eq "work" and value ew "x.org"]`:     "Ada@x.org",
			`userName eq "50% o\"neil+x"`:                     `50% o"neil+x`,
			`meta.resourceType eq "User" and userName co "@"`: "Ada@x.org",
			`userName eq 'ada@x.org'`:                         "Ada@x.org",
			`groups pr`:                                       "",
		} {
			for name, a := range map[string]scimapitest.Answer{
				"GET":     f.Do("GET", "/Users?filter="+url.QueryEscape(filter), "").Want(http.StatusOK),
				".search": f.Do("POST", "/Users/.search", `{"filter":`+quoted(filter)+`}`).Want(http.StatusOK),
			} {
				if got := names(a); got != want {
					t.Errorf("%s %s: %q, want %q", name, filter, got, want)
				}
			}
		}
		if got := names(f.Do("GET", "/Users?filter=userName%20sw%20%2250%%22", "").Want(http.StatusOK)); got != `50% o"neil+x` {
			t.Errorf("a lone percent sign: %q", got)
		}
		for _, filter := range []string{`userName eq "a\u0000"`, `emails.value eq "a\u0000"`, "userName eq \"\x00\"", "userName eq \"\xff\"", `members eq "\ud800"`} {
			f.Do("GET", "/Users?filter="+url.QueryEscape(filter), "").Want(http.StatusOK, http.StatusBadRequest)
			f.Do("GET", "/Groups?filter="+url.QueryEscape(filter), "").Want(http.StatusOK, http.StatusBadRequest)
		}
		for _, filter := range []string{`userName xx "a"`, `userName eq`, `(userName eq "a"`, `active gt true`} {
			f.Do("GET", "/Users?filter="+url.QueryEscape(filter), "").WantError(http.StatusBadRequest, "invalidFilter")
		}
	})
}

func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

//scim:100,101
func TestLists_are_sorted_and_paged(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		for _, body := range []string{`{"userName":"b","title":"x"}`, `{"userName":"C"}`, `{"userName":"a","title":"Y"}`} {
			f.Do("POST", "/Users", body).Want(http.StatusCreated)
		}
		for query, want := range map[string]string{
			"sortBy=userName":                                  "a b C",
			"sortBy=USERNAME&sortOrder=descending":             "C b a",
			"sortBy=userName&startIndex=2&count=1":             "b",
			"sortBy=title":                                     "b a C",
			"sortBy=title&sortOrder=Descending":                "C a b",
			"sortBy=userName&filter=title+pr":                  "a b",
			"sortBy=nonsense":                                  "b C a",
			"sortBy=userName&attributes=userName&startIndex=3": "C",
		} {
			if got := names(f.Do("GET", "/Users?"+query, "").Want(http.StatusOK)); got != want {
				t.Errorf("%s: %q, want %q", query, got, want)
			}
		}
		f.Do("GET", "/Users?sortBy=userName&sortOrder=upwards", "").WantError(http.StatusBadRequest, "invalidValue")
	})
}

//scim:88,93,107
func TestThe_base_address_lists_all_types(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		f.User("m")
		f.User("z")
		f.Do("POST", "/Groups", `{"displayName":"n"}`).Want(http.StatusCreated)
		f.Do("POST", "/Groups", `{"displayName":"k"}`).Want(http.StatusCreated)
		for _, c := range []struct {
			query, want string
			total       float64
		}{
			{"", "m z n k", 4},
			{"startIndex=2&count=2", "z n", 4},
			{"startIndex=4&count=5", "k", 4},
			{"count=0", "", 4},
			{"filter=" + url.QueryEscape(`meta.resourceType eq "Group"`), "n k", 2},
			{"filter=" + url.QueryEscape(`meta.resourceType eq "User" and userName gt "n"`), "z", 1},
			{"filter=" + url.QueryEscape(`userName eq "m" or displayName eq "k"`), "m k", 2},
			{"filter=" + url.QueryEscape(`displayName eq "n"`), "n", 1},
			{"filter=" + url.QueryEscape(`meta.resourceType eq "Robot"`), "", 0},
			{"sortBy=meta.created&sortOrder=descending", "k n z m", 4},
			{"sortBy=meta.created&startIndex=2&count=2", "z n", 4},
		} {
			a := f.Do("GET", "/?"+c.query, "").Want(http.StatusOK)
			if got := names(a); got != c.want || a.At("totalResults") != c.total {
				t.Errorf("%s: %q of %v, want %q of %v", c.query, got, a.At("totalResults"), c.want, c.total)
			}
		}
		if got := names(f.Do("POST", "/.search", `{"startIndex":2,"count":"2"}`).Want(http.StatusOK)); got != "z n" {
			t.Errorf(".search: %q", got)
		}
		f.Do("GET", "/?sortBy=id&startIndex=10000&count=10", "").WantError(http.StatusBadRequest, "tooMany")
		var all []string
		for next := ""; ; {
			a := f.Do("GET", "/?count=3&cursor="+next, "").Want(http.StatusOK)
			all = append(all, strings.Fields(names(a))...)
			if next, _ = a.At("nextCursor").(string); next == "" {
				break
			}
		}
		if got := strings.Join(all, " "); got != "m z n k" {
			t.Errorf("by cursor: %q", got)
		}
	})
}

//scim:145,146,147,149,150
func TestCursors_lead_through_a_list(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		people(f, 7)
		for _, query := range []string{"", "sortBy=userName&sortOrder=descending", "filter=" + url.QueryEscape(`userName sw "user"`)} {
			var all []string
			cursor, pages := "", 0
			for {
				a := f.Do("GET", "/Users?count=3&"+query+"&cursor="+cursor, "").Want(http.StatusOK)
				pages++
				all = append(all, strings.Fields(names(a))...)
				if a.At("startIndex") != nil || a.At("previousCursor") != nil {
					t.Errorf("%q: %s", query, a.Body)
				}
				if total := a.At("totalResults"); total != nil && total != 7.0 || pages == 1 && total == nil {
					t.Errorf("%q: totalResults %v", query, total)
				}
				next, ok := a.At("nextCursor").(string)
				if !ok {
					break
				}
				if strings.Trim(next, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") != "" {
					t.Errorf("cursor %q holds characters that have to be escaped", next)
				}
				cursor = next
			}
			if strings.Contains(query, "descending") {
				slices.Reverse(all)
			}
			if got := strings.Join(all, " "); pages != 3 || got != "user01 user02 user03 user04 user05 user06 user07" {
				t.Errorf("%q: %d pages, %s", query, pages, got)
			}
		}
		first := f.Do("POST", "/Users/.search", `{"cursor":"","count":5}`).Want(http.StatusOK)
		cursor, _ := first.At("nextCursor").(string)
		second := f.Do("POST", "/Users/.search", `{"cursor":"`+cursor+`","count":5}`).Want(http.StatusOK)
		if got := names(second); got != "user06 user07" || second.At("nextCursor") != nil {
			t.Errorf(".search: %s", second.Body)
		}
	})
}

//scim:148,151
func TestCursors_are_refused_where_they_do_not_belong(t *testing.T) {
	now := time.Now()
	h := scimapitest.SQLite(t, func(o *scimapi.Options) {
		o.Secret = []byte("the same after a restart")
		o.Now = func() time.Time { return now }
		o.CursorLife = time.Minute
	})
	f, other := h.Linked(directory.New{}), h.Linked(directory.New{Name: "Other"})
	people(f, 3)
	people(other, 3)
	cursor, _ := f.Do("GET", "/Users?cursor&count=1", "").Want(http.StatusOK).At("nextCursor").(string)
	if cursor == "" {
		t.Fatal("no cursor")
	}
	detail := map[string]bool{}
	for name, a := range map[string]scimapitest.Answer{
		"forged":        f.Do("GET", "/Users?cursor=x"+cursor, ""),
		"cut":           f.Do("GET", "/Users?cursor="+cursor[:len(cursor)-1], ""),
		"long":          f.Do("GET", "/Users?cursor="+strings.Repeat("A", 4000), ""),
		"nonsense":      f.Do("GET", "/Users?cursor=%00", ""),
		"other list":    f.Do("GET", "/Groups?cursor="+cursor, ""),
		"everything":    f.Do("GET", "/?cursor="+cursor, ""),
		"other filter":  f.Do("GET", "/Users?filter=title+pr&cursor="+cursor, ""),
		"other order":   f.Do("GET", "/Users?sortBy=userName&cursor="+cursor, ""),
		"other company": other.Do("GET", "/Users?cursor="+cursor, ""),
	} {
		t.Log(name)
		a.WantError(http.StatusBadRequest, "invalidCursor")
		detail[requestID.ReplaceAllString(a.At("detail").(string), "")] = true
	}
	if len(detail) != 1 {
		t.Errorf("the answers tell the cases apart: %v", detail)
	}
	f.Do("GET", "/Users?cursor=&count=ten", "").WantError(http.StatusBadRequest, "invalidCount")
	if a := f.Do("GET", "/Users?cursor=&count=-3", "").Want(http.StatusOK); names(a) != "" || a.At("totalResults") != 3.0 {
		t.Errorf("negative count: %s", a.Body)
	}
	f.Do("GET", "/Users?cursor="+cursor, "").Want(http.StatusOK)
	now = now.Add(2 * time.Minute)
	f.Do("GET", "/Users?cursor="+cursor, "").WantError(http.StatusBadRequest, "expiredCursor")
}
