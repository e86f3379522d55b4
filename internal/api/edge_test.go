package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/token"
)

// onOne runs a test whose requests are refused before a database could tell them apart.
func onOne(t *testing.T, test func(w *world)) {
	t.Helper()
	test(newWorld(t, dbtest.Open(t, db.SQLite, migrations.Files)))
}

func TestDoor_refuses_everything_but_a_management_key(t *testing.T) {
	onBoth(t, func(w *world) {
		scimToken := w.feed(w.organization("Acme"), "").made.text("bearer_token")
		key := w.key.Reveal()
		for name, headers := range map[string][]string{
			"nothing":          nil,
			"no scheme":        {key},
			"another scheme":   {"Basic " + key},
			"an empty key":     {"Bearer "},
			"no key":           {"Bearer"},
			"a wrong key":      {"Bearer " + token.NewSecret("sk").Reveal()},
			"part of the key":  {"Bearer " + key[:len(key)-1]},
			"two headers":      {"Bearer " + key, "Bearer " + key},
			"a SCIM token":     {"Bearer " + scimToken},
			"the key's hash":   {"Bearer " + string(token.HashOf(w.key))},
			"something binary": {"Bearer \x00\xff"},
		} {
			for _, row := range table() {
				for method := range row.methods {
					r := httptest.NewRequest(method, row.pattern, nil)
					r.Header["Authorization"] = headers
					got := w.serve(r)
					got.refused(http.StatusUnauthorized, "unauthorized", "")
					if got.header.Get("WWW-Authenticate") == "" {
						t.Errorf("%s: no WWW-Authenticate", name)
					}
					if strings.Contains(got.raw, scimToken) {
						t.Errorf("%s: the answer shows what was sent", name)
					}
				}
			}
		}
		if got := w.get("/directories").data(); len(got) != 1 {
			t.Errorf("a refused request changed something: %v", got)
		}
	})
}

func TestDoor_tells_a_scim_token_from_a_wrong_key(t *testing.T) {
	onOne(t, func(w *world) {
		r := httptest.NewRequest(http.MethodGet, "/events", nil)
		r.Header.Set("Authorization", "Bearer "+token.NewSecret("scim").Reveal())
		if got := w.serve(r); !strings.Contains(got.text("message"), "SCIM token") {
			t.Errorf("the message does not help: %s", got.raw)
		}
	})
}

func TestDoor_takes_the_scheme_in_any_letter_case(t *testing.T) {
	onOne(t, func(w *world) {
		r := httptest.NewRequest(http.MethodGet, "/events", nil)
		r.Header.Set("Authorization", "bearer "+w.key.Reveal())
		w.serve(r).wants(http.StatusOK)
	})
}

func TestDoor_is_shut_when_there_are_no_keys(t *testing.T) {
	onOne(t, func(w *world) {
		w.server.o.Keys = nil
		w.get("/events").refused(http.StatusUnauthorized, "unauthorized", "")
		w.server.o.Keys = []token.Hash{""}
		w.get("/events").refused(http.StatusUnauthorized, "unauthorized", "")
	})
}

func TestRoutes_answer_unknown_paths_and_methods_in_json(t *testing.T) {
	onOne(t, func(w *world) {
		for _, path := range []string{
			"/", "/nothing", "/organizations/a/b/c", "//organizations", "/organizations//x", "/organizations/../events", "/directory_users/a/b",
			"/organizations%2Fx", "/events/event_01", "/%FF", "/Organizations", "/<script>",
		} {
			w.get(path).refused(http.StatusNotFound, "not_found", "")
		}
		for path, allow := range map[string]string{
			"/organizations": "GET, HEAD, POST", "/directory_users/x": "DELETE, GET, HEAD", "/directories/x/tokens/y": "DELETE", "/events": "GET, HEAD",
		} {
			got := w.send(http.MethodPatch, path, "{}")
			got.refused(http.StatusMethodNotAllowed, "method_not_allowed", "")
			if got.header.Get("Allow") != allow {
				t.Errorf("%s: Allow is %q, want %q", path, got.header.Get("Allow"), allow)
			}
		}
	})
}

func TestRoutes_forgive_a_slash_at_the_end_and_answer_HEAD(t *testing.T) {
	onOne(t, func(w *world) {
		w.get("/events/").wants(http.StatusOK)
		w.send(http.MethodHead, "/organizations", "").wants(http.StatusOK)
	})
}

func TestRoutes_patterns_stand_in_the_table_once(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range table() {
		if seen[r.pattern] || r.class == "" || len(r.methods) == 0 {
			t.Errorf("%s is there twice or incomplete", r.pattern)
		}
		seen[r.pattern] = true
	}
}

func TestBody_that_is_no_json_object_is_refused_and_not_quoted(t *testing.T) {
	onOne(t, func(w *world) {
		for body, want := range map[string]struct {
			status      int
			code, field string
		}{
			`{"name":`:                          {400, "invalid_json", ""},
			`{"name":"hunter2`:                  {400, "invalid_json", ""},
			`{"name":hunter2}`:                  {400, "invalid_json", "name"},
			`{"name":"hunter2"}{}`:              {400, "invalid_json", ""},
			`{"name":"hunter2"},`:               {400, "invalid_json", ""},
			`["hunter2"]`:                       {400, "invalid_json", ""},
			`"hunter2"`:                         {400, "invalid_json", ""},
			`null`:                              {400, "invalid_json", ""},
			`name=hunter2`:                      {400, "invalid_json", ""},
			"\x00":                              {400, "invalid_json", ""},
			"{\"name\":\"hunter2\xff\"}":        {400, "invalid_json", "name"},
			`{"name":"hunter2","name":"b"}`:     {400, "invalid_json", "name"},
			`{"name":["hunter2"]}`:              {422, "invalid_type", "name"},
			`{"name":2}`:                        {422, "invalid_type", "name"},
			`{"name":"hunter2","metadata":[]}`:  {422, "invalid_type", "metadata"},
			`{"name":"a","metadata":{"a":1}}`:   {422, "invalid_type", "metadata.a"},
			`{"name":"a","domain_data":{}}`:     {422, "invalid_type", "domain_data"},
			`{"name":"hunter2\u0000"}`:          {422, "invalid_character", "name"},
			`{"name":"a","x":{"a":["\u0000"]}}`: {422, "invalid_character", "x.a.0"},
			`{"name":"a","x\u0000":1}`:          {422, "invalid_character", "x\x00"},
			strings.Repeat(`{"a":`, 20_000):     {400, "invalid_json", strings.TrimSuffix(strings.Repeat("a.", 40), "")},
		} {
			got := w.send(http.MethodPost, "/organizations", body)
			got.refused(want.status, want.code, want.field)
			if strings.Contains(got.raw, "hunter2") {
				t.Errorf("the answer quotes the body: %s", got.raw)
			}
		}
		if got := w.get("/organizations").data(); len(got) != 0 {
			t.Errorf("a refused request made %v", got)
		}
	})
}

func TestBody_over_the_limit_or_encoded_is_refused(t *testing.T) {
	onOne(t, func(w *world) {
		w.send(http.MethodPost, "/organizations", `{"name":"`+strings.Repeat("a", defaultMaxBody)+`"}`).refused(http.StatusRequestEntityTooLarge, "body_too_large", "")
		r := httptest.NewRequest(http.MethodPost, "/organizations", strings.NewReader("x"))
		r.Header.Set("Authorization", "Bearer "+w.key.Reveal())
		r.Header.Set("Content-Encoding", "gzip")
		w.serve(r).refused(http.StatusBadRequest, "unsupported_encoding", "")
	})
}

func TestQuery_that_cannot_be_read_is_refused(t *testing.T) {
	onOne(t, func(w *world) {
		for _, query := range []string{"?search=%00", "?search=%ff", "?search=%zz", "?a=1;b=2", "?x%00=1", "?organization_id=%00", "?after=%00"} {
			for _, path := range []string{"/organizations", "/directories", "/directory_users", "/directory_groups", "/events"} {
				if got := w.get(path + query); got.status != http.StatusBadRequest || got.text("code") != "invalid_query" {
					t.Errorf("%s%s: %d %s", path, query, got.status, got.raw)
				}
			}
		}
	})
}
