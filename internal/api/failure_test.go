package api

import (
	"context"
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
