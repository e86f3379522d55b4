package api

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/api/openapi"
	"github.com/rollcallhq/rollcall/internal/api/openapi/openapitest"
)

// pending are operations that are described ahead of their routes. A route that comes takes its line from here; then its answers
// are held against the description.
func pending() []openapi.Route {
	return []openapi.Route{}
}

func TestDocument_describes_every_route_and_no_other(t *testing.T) {
	routes, operations := served(), openapi.Operations()
	for _, r := range routes {
		if _, described := operations[r]; !described {
			t.Errorf("%s %s is not described in internal/api/openapi", r.Method, r.Pattern)
		}
	}
	for r := range operations {
		switch there, waits := slices.Contains(routes, r), slices.Contains(pending(), r); {
		case there && waits:
			t.Errorf("%s %s is there now; take it off the list of pending ones", r.Method, r.Pattern)
		case !there && !waits:
			t.Errorf("%s %s is described and there is no such route", r.Method, r.Pattern)
		}
	}
	for _, r := range pending() {
		if _, described := operations[r]; !described {
			t.Errorf("%s %s is pending and not described", r.Method, r.Pattern)
		}
	}
}

func TestDocument_holds_exactly_the_routes_that_are_served(t *testing.T) {
	d, err := theDocument()
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	for path, item := range d.At("paths").(map[string]any) {
		for method := range item.(map[string]any) {
			got++
			if !slices.Contains(served(), openapi.Route{Method: strings.ToUpper(method), Pattern: path}) {
				t.Errorf("%s %s is not served", method, path)
			}
		}
	}
	if got != len(served()) {
		t.Errorf("%d operations for %d routes", got, len(served()))
	}
}

func TestDocument_is_served_to_everybody_and_may_be_cached(t *testing.T) {
	onOne(t, func(w *world) {
		get := func(method, tag string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(method, openapi.Path, nil)
			if tag != "" {
				r.Header.Set("If-None-Match", tag)
			}
			got := httptest.NewRecorder()
			w.handler.ServeHTTP(got, r)
			return got
		}
		first := get("GET", "")
		etag := first.Header().Get("ETag")
		if first.Code != 200 || first.Header().Get("Content-Type") != "application/json" || !strings.Contains(first.Header().Get("Cache-Control"), "public") || etag == "" {
			t.Errorf("%d %v", first.Code, first.Header())
		}
		if text := first.Body.String(); !strings.Contains(text, `"openapi":"3.1.1"`) || strings.Contains(text, "/work") {
			t.Error("the document is none")
		}
		for tag, want := range map[string]int{etag: 304, "W/" + etag: 304, `"other", ` + etag: 304, "*": 304, `"other"`: 200, etag[1:]: 200} {
			if got := get("GET", tag); got.Code != want || want == 304 && got.Body.Len() > 0 || got.Header().Get("ETag") != etag {
				t.Errorf("%s: %d %v", tag, got.Code, got.Header())
			}
		}
		if got := get("HEAD", ""); got.Code != 200 {
			t.Errorf("HEAD: %d", got.Code)
		}
		if got := get("POST", ""); got.Code != 405 || got.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("POST: %d %v", got.Code, got.Header())
		}
		if got := newDocument(); got.etag != etag {
			t.Error("the same document has two tags")
		}
	})
}

func TestDocument_is_limited_like_any_request_without_a_key(t *testing.T) {
	limited(t, 1, func(w *world, _ *time.Time) {
		for _, want := range []int{http.StatusOK, http.StatusTooManyRequests} {
			got := httptest.NewRecorder()
			w.handler.ServeHTTP(got, httptest.NewRequest(http.MethodGet, openapi.Path, nil))
			if got.Code != want {
				t.Errorf("%d, want %d: %s", got.Code, want, got.Body)
			}
		}
	})
}

// theDocument is read once for all tests: compiling schemas takes a while.
var theDocument = sync.OnceValues(func() (*openapitest.Document, error) { return openapitest.Read(newDocument().text) })

// isAsDescribed holds an answer against the document.
func (w *world) isAsDescribed(r *http.Request, got reply) {
	w.Helper()
	at := w.server.find(r.URL)
	if at.row == nil || r.Method == http.MethodHead || got.status == http.StatusMethodNotAllowed || got.status >= http.StatusInternalServerError {
		return
	}
	route := openapi.Route{Method: r.Method, Pattern: at.row.pattern}
	if _, there := at.row.methods[route.Method]; !there {
		return
	}
	for _, fault := range w.described.Faults(route, got.status, got.header.Get("Content-Type"), []byte(got.raw)) {
		w.Errorf("%s %s is not as described in internal/api/openapi: %s\n%s", r.Method, r.URL, fault, got.raw)
	}
}
