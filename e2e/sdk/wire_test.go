package sdk_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rollcallhq/rollcall/internal/api/contracttest"
)

// wire is what lies between an SDK and the server: it passes everything on and holds each answer, and each delivery of a webhook,
// against the contract.
type wire struct {
	contract contracttest.Contract

	mu     sync.Mutex
	seen   map[string]int // route → answers of success
	faults []string
}

// newWire takes the routes that it will see; the contract's file lacks those that answer with no body.
func newWire(t *testing.T, routes []string) *wire {
	w := &wire{contract: contracttest.Read(t, root+"/internal/api/testdata/contract.json"), seen: map[string]int{}}
	bySignIn := contracttest.Read(t, "testdata/sso.json") // what browsers and apps call, and no operator
	maps.Copy(w.contract.Answers, bySignIn.Answers)
	maps.Copy(w.contract.Schemas, bySignIn.Schemas)
	for _, route := range routes {
		if w.contract.Answers[route] == nil {
			w.contract.Answers[route] = map[string]*contracttest.Schema{}
		}
	}
	return w
}

// ownRoutes are used by the stories and no part of the contract.
var ownRoutes = []string{"POST /directories", "POST /connections"}

// browserRoutes are called by people's browsers: they answer with redirects and pages.
var browserRoutes = []string{"GET /user_management/authorize", "GET /user_management/sessions/logout", "POST /sign-in", "GET /sso/authorize", "GET /sso/logout", "GET /signed-out"}

// to gives the address under which a server is reached through the wire.
func (w *wire) to(t *testing.T, server string) string {
	t.Helper()
	target, err := url.Parse(server)
	must(t, err)
	return w.listen(t, &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // the addresses in answers lead through the wire too
		},
		ModifyResponse: func(r *http.Response) error {
			body, err := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			if err == nil && !strings.HasPrefix(r.Request.URL.Path, "/scim/") {
				w.answer(r, body)
			}
			return err
		},
	})
}

// hooks gives an address whose path /PORT/… leads to http://127.0.0.1:PORT/…: a receiver of webhooks that a script runs.
func (w *wire) hooks(t *testing.T) string {
	t.Helper()
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		port, path, _ := strings.Cut(strings.TrimPrefix(r.In.URL.Path, "/"), "/")
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.URL.Path = "http", "127.0.0.1:"+port, "/"+path
	}}
	return w.listen(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		w.delivery(r, body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(rw, r)
	}))
}

func (w *wire) listen(t *testing.T, h http.Handler) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func (w *wire) answer(r *http.Response, body []byte) {
	route, found := w.contract.Route(r.Request.Method, r.Request.URL.EscapedPath())
	own := strings.TrimRight(r.Request.Method+" "+r.Request.URL.Path, "/")
	fault := func(format string, args ...any) {
		w.faults = append(w.faults, fmt.Sprintf("%s %s: %d: %s", r.Request.Method, r.Request.URL, r.StatusCode, fmt.Sprintf(format, args...)))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if slices.Contains(browserRoutes, own) {
		if r.StatusCode < http.StatusBadRequest {
			w.seen[own]++
		}
		return
	}
	switch {
	case !found && !slices.Contains(ownRoutes, own) && r.StatusCode != http.StatusNotFound:
		fault("the contract does not have this route")
	case !found:
		route = own
	}
	if r.StatusCode < http.StatusMultipleChoices {
		w.seen[route]++
	}
	if r.Header.Get("X-Request-ID") == "" {
		fault("no X-Request-ID")
	}
	if len(body) == 0 {
		return
	}
	if got := r.Header.Get("Content-Type"); got != "application/json" {
		fault("the body is %q", got)
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		fault("%v in %s", err, body)
		return
	}
	object, _ := v.(map[string]any) // secrets are listed as they are, with nothing around them
	message, _ := object["message"].(string)
	description, _ := object["error_description"].(string) // of OAuth
	if r.StatusCode >= http.StatusBadRequest && message == "" && description == "" {
		fault("no message in %s", body)
	}
	if found && r.StatusCode < http.StatusMultipleChoices && w.contract.Answers[route][fmt.Sprint(r.StatusCode)] == nil {
		fault("the contract has no such status with a body")
	}
	for _, f := range w.contract.Faults(route, r.StatusCode, v) {
		fault("%s", f)
	}
}

func (w *wire) delivery(r *http.Request, body []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		w.faults = append(w.faults, fmt.Sprintf("a delivery: %v in %s", err, body))
		return
	}
	for _, f := range w.contract.FaultsOf("EventSchema", v) {
		w.faults = append(w.faults, fmt.Sprintf("delivery %s: %s", r.Header.Get("Webhook-Id"), f))
	}
	w.seen["webhook"]++
}

// report fails the test with what was wrong since the last report.
func (w *wire) report(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.faults {
		t.Error(f)
	}
	w.faults = nil
}

// saw checks that each of the routes has been answered with success.
func (w *wire) saw(t *testing.T, routes []string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, route := range routes {
		if w.seen[route] == 0 {
			t.Errorf("the SDK has not driven %s", route)
		}
	}
}
