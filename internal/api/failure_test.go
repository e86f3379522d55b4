package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/fault"
)

func TestFailure_of_ours_tells_a_stranger_nothing_and_the_log_everything(t *testing.T) {
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) {
		d := open()
		w := newWorld(t, d)
		w.must(d.Close())
		r := httptest.NewRequest(http.MethodGet, "/organizations", nil)
		r.Header.Set("Authorization", "Bearer "+w.key.Reveal())
		got := httptest.NewRecorder()
		w.handler.ServeHTTP(got, r)
		if got.Code != http.StatusInternalServerError || strings.Contains(got.Body.String(), "closed") || !strings.Contains(got.Body.String(), `"code":"internal_error"`) {
			t.Errorf("%d %s", got.Code, got.Body)
		}
		if log := w.log.String(); !strings.Contains(log, got.Header().Get("X-Request-ID")) || !strings.Contains(log, "closed") || strings.Contains(log, w.key.Reveal()) {
			t.Errorf("the log says %q", log)
		}
	})
}

func TestFailure_of_a_request_that_ran_out_of_time_is_not_ours(t *testing.T) {
	onBoth(t, func(w *world) {
		ctx, cancel := context.WithCancel(w.Context())
		cancel()
		r := httptest.NewRequest(http.MethodGet, "/organizations", nil).WithContext(ctx)
		r.Header.Set("Authorization", "Bearer "+w.key.Reveal())
		got := httptest.NewRecorder()
		w.handler.ServeHTTP(got, r)
		if got.Code != http.StatusServiceUnavailable || !strings.Contains(got.Body.String(), `"code":"timeout"`) {
			t.Errorf("%d %s", got.Code, got.Body)
		}
	})
}

func TestFailure_that_passes_says_when_to_come_back(t *testing.T) {
	onOne(t, func(w *world) {
		limited := fault.New(fault.Limited, "rate_limited", "Too many requests.")
		limited.RetryAfter = 1500 * time.Millisecond
		got := httptest.NewRecorder()
		w.server.refuse(got, httptest.NewRequest(http.MethodGet, "/events", nil), target{}, limited)
		if got.Code != http.StatusTooManyRequests || got.Header().Get("Retry-After") != "2" || !strings.Contains(got.Body.String(), `"message":"Too many requests."`) {
			t.Errorf("%d %v %s", got.Code, got.Header(), got.Body)
		}
	})
}

// Whatever comes, the answer is JSON and never a 5xx (world.serve looks at both).
func FuzzRequest(f *testing.F) {
	for _, r := range table() {
		f.Add("GET", r.pattern, "limit=3&order=asc&after=event_01ARZ3NDEKTSV4RRFFQ69G5FAV&events[]=dsync.activated", "")
		f.Add("POST", r.pattern, "", `{"name":"a","organization_id":"org_01ARZ3NDEKTSV4RRFFQ69G5FAV","type":"okta scim v2.0","extensions":{"user":[]}}`)
		f.Add("DELETE", strings.ReplaceAll(r.pattern, "{id}", "directory_01ARZ3NDEKTSV4RRFFQ69G5FAV"), "", "")
	}
	f.Add("GET", "/directory_users", "directory=directory_01ARZ3NDEKTSV4RRFFQ69G5FAV&email=%00&idp_id=%ff", "")
	f.Add("GET", "/events", "range_start=2026-01-15T12:00:00.000Z&range_end=9999-12-31&organization_id=org_01ARZ3NDEKTSV4RRFFQ69G5FAV", "")
	f.Add("POST", "/organizations", "", `{"name":"a","metadata":{"a":null},"domain_data":[{"domain":"a.example.com","state":"pending"}],"external_id":"\u0000"}`)
	d := dbtest.Open(f, db.SQLite, migrations.Files)
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		w := newWorld(t, d)
		r := httptest.NewRequest(http.MethodGet, "/", strings.NewReader(body))
		r.Method, r.URL = method, &url.URL{Path: path, RawQuery: query}
		r.Header.Set("Authorization", "Bearer "+w.key.Reveal())
		if got := w.serve(r); got.status == 0 {
			t.Error("no answer")
		}
	})
}

// What clients need of each kind of refusal: 400 is told by code and errors, 422 by errors with code and field, 409 has a code, 429 a
// message and Retry-After, and none has a member "error".
func TestFailure_of_each_kind_has_the_form_that_clients_take_for_it(t *testing.T) {
	onOne(t, func(w *world) {
		for kind, status := range map[fault.Kind]int{
			fault.Invalid: 400, fault.Unauthorized: 401, fault.Forbidden: 403, fault.NotFound: 404, fault.NotAllowed: 405, fault.Conflict: 409,
			fault.Precondition: 412, fault.TooLarge: 413, fault.Unprocessable: 422, fault.Limited: 429, fault.Internal: 500,
			fault.Unsupported: 501, fault.Unavailable: 503,
		} {
			for _, field := range []string{"", "name"} {
				f := fault.New(kind, "", "A sentence with \xff and <html>.").On(field)
				got := httptest.NewRecorder()
				w.server.refuse(got, httptest.NewRequest(http.MethodGet, "/events", nil), w.server.find(&url.URL{Path: "/events"}), f)
				var body map[string]any
				if err := json.Unmarshal(got.Body.Bytes(), &body); err != nil || got.Code != status || got.Header().Get("Content-Type") != "application/json" {
					t.Errorf("%s: %d %v %s", kind, got.Code, err, got.Body)
				}
				if body["code"] == "" || body["message"] == "" || body["error"] != nil {
					t.Errorf("%s: %s", kind, got.Body)
				}
				errs, _ := body["errors"].([]any)
				if (status == 400 || status == 422) != (len(errs) == 1) {
					t.Errorf("%s: errors are %v", kind, errs)
				}
				if status == 422 && (errs[0].(map[string]any)["field"] == nil || errs[0].(map[string]any)["code"] == nil) {
					t.Errorf("%s: an error without code or field: %s", kind, got.Body)
				}
				if (got.Header().Get("Retry-After") != "") != (status == 429) || (got.Header().Get("Allow") != "") != (status == 405) ||
					(got.Header().Get("WWW-Authenticate") != "") != (status == 401) {
					t.Errorf("%s: %v", kind, got.Header())
				}
			}
		}
	})
}
