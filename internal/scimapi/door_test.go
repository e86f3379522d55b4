package scimapi_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/scimapi"
	"github.com/rollcallhq/rollcall/internal/scimapi/scimapitest"
)

var requestID = regexp.MustCompile(`\(request req_[0-9A-Z]{26}\)`)

//scim:51,52,56
func TestStrangers_get_one_answer_whatever_is_wrong(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f, other := h.Linked(directory.New{Label: "acme"}), h.Linked(directory.New{Name: "Other"})
		base := h.Server.URL + "/scim/v2/"
		var first string
		for _, try := range []struct{ name, address, authorization string }{
			{"wrong token", f.Base + "/Users", "Bearer wrong"},
			{"wrong token at a label", base + "acme/Users", "Bearer wrong"},
			{"no token", f.Base + "/Users", ""},
			{"only the word", f.Base + "/Users", "Bearer"},
			{"another scheme", f.Base + "/Users", "Basic " + f.Token.Reveal()},
			{"a directory's token at another's address", f.Base + "/Users", "Bearer " + other.Token.Reveal()},
			{"a good token at an address that is nobody's", base + "nobody/Users", "Bearer " + f.Token.Reveal()},
			{"an address that cannot be one", base + "no_body/Users/1", "Bearer wrong"},
			{"wrong token where the token decides", base + "Users", "Bearer wrong"},
			{"an endpoint that is none", f.Base + "/Nothing", "Bearer wrong"},
			{"a version that is none", h.Server.URL + "/scim/v3/Users", "Bearer wrong"},
		} {
			a := f.DoAt(try.address, "GET", "", "Authorization", try.authorization).WantError(http.StatusUnauthorized, "")
			if got := a.Header.Get("WWW-Authenticate"); got != `Bearer realm="SCIM"` {
				t.Errorf("%s: WWW-Authenticate %q", try.name, got)
			}
			if !requestID.Match(a.Body) {
				t.Errorf("%s: no request id in %s", try.name, a.Body)
			}
			body := requestID.ReplaceAllString(string(a.Body), "")
			if first == "" {
				first = body
			}
			if body != first {
				t.Errorf("%s: the answer differs: %s, want %s", try.name, body, first)
			}
		}
	})
}

//scim:52,54,55,T16
func TestAddresses_and_tokens_are_taken_however_they_are_put_together(t *testing.T) {
	h := scimapitest.SQLite(t)
	f := h.Linked(directory.New{Label: "acme-staff"})
	id := f.User("ada")
	key, secret, host := f.Directory.AddressKey, f.Token.Reveal(), h.Server.URL
	for _, path := range []string{
		"/scim/v2/" + key, "/scim/v2/acme-staff", "/scim/v2", "/scim/" + key, "/scim", "/scim/v2/" + key + "/", "/scim//v2//" + key + "/",
		"/scim/v2/" + key + "/v2", "/scim/V2/" + key, "/scim/v2/" + strings.ToUpper(key), "/scim/v2/ACME-Staff",
	} {
		for _, rest := range []string{"/Users/" + id, "//Users//" + id + "/", "/users/" + id, "/Users/" + id + "?", "/Users/" + id + "?aadOptscim062020", "/Users/" + id + "?&"} {
			if got := f.DoAt(host+path+rest, "GET", "").Want(http.StatusOK).ID(); got != id {
				t.Errorf("%s%s: id %s", path, rest, got)
			}
		}
	}
	for _, authorization := range []string{"Bearer " + secret, "bearer " + secret, "BEARER   " + secret + " ", secret} {
		f.Do("GET", "/Users", "", "Authorization", authorization).Want(http.StatusOK)
	}
}

//scim:54
func TestAnother_version_is_refused_by_name(t *testing.T) {
	h := scimapitest.SQLite(t)
	f := h.Linked(directory.New{})
	for _, path := range []string{"/scim/v1/" + f.Directory.AddressKey + "/Users", "/scim/v3/Users", "/scim/v2.1/Users", "/scim/v2/" + f.Directory.AddressKey + "/v3/Users"} {
		f.DoAt(h.Server.URL+path, "GET", "").WantError(http.StatusBadRequest, "invalidVers")
	}
}

//scim:51,57,58,143
func TestUnknown_paths_and_methods_are_refused_in_SCIMs_words(t *testing.T) {
	h := scimapitest.SQLite(t)
	f := h.Linked(directory.New{})
	for _, path := range []string{"/Nothing", "/Users/1/2", "/Bulk/1", "/.search/1", "/Users/.search/1"} {
		f.Do("GET", path, "").WantError(http.StatusNotFound, "")
	}
	for _, path := range []string{"/Users/nobody", "/Groups/nobody"} {
		f.Do("GET", path, "").WantError(http.StatusNotFound, "")
		f.Do("DELETE", path, "").WantError(http.StatusNotFound, "")
		f.Do("PATCH", path, `{"Operations":[{"op":"replace","path":"displayName","value":"x"}]}`).WantError(http.StatusNotFound, "")
	}
	f.Do("PUT", "/Users/nobody", `{"userName":"x"}`).WantError(http.StatusNotFound, "")
	f.Do("PUT", "/Groups/nobody", `{"displayName":"x"}`).WantError(http.StatusNotFound, "")
	for method, path := range map[string]string{"DELETE": "/Users", "PUT": "/Groups", "POST": "/Schemas", "PATCH": "/ServiceProviderConfig", "GET": "/Bulk", "BREW": "/Users"} {
		if a := f.Do(method, path, "").WantError(http.StatusMethodNotAllowed, ""); a.Header.Get("Allow") == "" {
			t.Errorf("%s %s: no Allow header", method, path)
		}
	}
	f.WantNews()
}

//scim:58,141
func TestMe_is_not_offered(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	f.Do("GET", "/Me", "").WantError(http.StatusNotImplemented, "")
	f.Do("PATCH", "/Me", "{}").WantError(http.StatusNotImplemented, "")
}

//scim:49,50,51
func TestContent_types_are_answered_as_accepted_and_taken_as_they_come(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	for accept, want := range map[string]string{
		"":                      "application/scim+json; charset=utf-8",
		"*/*":                   "application/scim+json; charset=utf-8",
		"application/scim+json": "application/scim+json; charset=utf-8",
		"application/json":      "application/json; charset=utf-8",
		"application/json, application/scim+json": "application/scim+json; charset=utf-8",
		"text/html": "application/scim+json; charset=utf-8",
	} {
		if got := f.Do("GET", "/Users", "", "Accept", accept).Want(http.StatusOK).Header.Get("Content-Type"); got != want {
			t.Errorf("Accept %q: Content-Type %q, want %q", accept, got, want)
		}
		if got := f.Do("GET", "/Users/none", "", "Accept", accept).Want(http.StatusNotFound).Header.Get("Content-Type"); got != want {
			t.Errorf("Accept %q: Content-Type of the error %q, want %q", accept, got, want)
		}
	}
	for i, contentType := range []string{"", "application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded", ";;;"} {
		f.Do("POST", "/Users", `{"userName":"u`+string(rune('0'+i))+`"}`, "Content-Type", contentType).Want(http.StatusCreated)
	}
}

//scim:51
func TestHEAD_answers_as_GET_without_a_body_and_OPTIONS_names_the_methods(t *testing.T) {
	f := scimapitest.SQLite(t).Linked(directory.New{})
	id := f.User("ada")
	get, head := f.Do("GET", "/Users/"+id, ""), f.Do("HEAD", "/Users/"+id, "").Want(http.StatusOK)
	if len(head.Body) != 0 || head.Header.Get("ETag") != get.Header.Get("ETag") || head.Header.Get("Content-Length") != get.Header.Get("Content-Length") {
		t.Errorf("HEAD: %v %q, GET: %v", head.Header, head.Body, get.Header)
	}
	if got := f.Do("OPTIONS", "/Users/"+id, "").Want(http.StatusNoContent).Header.Get("Allow"); got != "DELETE, GET, HEAD, OPTIONS, PATCH, PUT" {
		t.Errorf("Allow: %q", got)
	}
}

//scim:51,58
func TestA_token_over_its_limit_is_told_when_to_come_back(t *testing.T) {
	h := scimapitest.SQLite(t, func(o *scimapi.Options) { o.RateLimit = 2 })
	f, other := h.Feed(directory.New{}), h.Feed(directory.New{Name: "Other"})
	var limited scimapitest.Answer
	for range 5 {
		if a := f.Do("GET", "/Users", ""); a.Status != http.StatusOK {
			limited = a
		}
	}
	limited.WantError(http.StatusTooManyRequests, "")
	if got := limited.Header.Get("Retry-After"); got != "1" {
		t.Errorf("Retry-After %q", got)
	}
	other.Do("GET", "/Users", "").Want(http.StatusOK)
	for _, x := range f.Exchanges(5) {
		if (x.Status == http.StatusTooManyRequests) != x.Refused {
			t.Errorf("status %d, refused %v", x.Status, x.Refused)
		}
	}
}

//scim:51,109
func TestBodies_that_are_no_object_are_refused(t *testing.T) {
	f := scimapitest.SQLite(t, func(o *scimapi.Options) { o.MaxBody = 1000 }).Linked(directory.New{})
	for _, body := range []string{"", "[]", "null", `"x"`, "{", `{"userName":"a"} x`, `{"userName":"a","USERNAME":"b"}`, "{\"userName\":\"\xff\"}", strings.Repeat("[", 500)} {
		f.Do("POST", "/Users", body).WantError(http.StatusBadRequest, "invalidSyntax")
	}
	f.Do("POST", "/Users", `{"userName":"a\u0000b"}`).WantError(http.StatusBadRequest, "invalidValue")
	f.Do("POST", "/Users", `{"userName":"`+strings.Repeat("a", 1000)+`"}`).WantError(http.StatusRequestEntityTooLarge, "")
	f.WantNews()
}
