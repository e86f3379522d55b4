package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/idempotency"
	"github.com/rollcallhq/rollcall/internal/token"
)

// keyed makes a request with an Idempotency-Key and gives the bare answer: that of a repeat names the first request's id.
func (w *world) keyed(method, path, body, key string) *httptest.ResponseRecorder {
	w.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+w.key.Reveal())
	r.Header.Set(idempotencyKey, key)
	got := httptest.NewRecorder()
	w.handler.ServeHTTP(got, r)
	return got
}

// again wants the same answer a second time.
func (w *world) again(first *httptest.ResponseRecorder, method, path, body, key string) {
	w.Helper()
	got := w.keyed(method, path, body, key)
	if got.Code != first.Code || got.Body.String() != first.Body.String() || got.Header().Get("Content-Type") != first.Header().Get("Content-Type") {
		w.Errorf("%s %s: the repeat got %d %s, the first %d %s", method, path, got.Code, got.Body, first.Code, first.Body)
	}
	if got.Header().Get(replayedHeader) != "true" || first.Header().Get(replayedHeader) != "" {
		w.Errorf("%s %s: a repeat and a first request are not told apart: %v", method, path, got.Header())
	}
	if got.Header().Get("X-Request-ID") == first.Header().Get("X-Request-ID") {
		w.Errorf("%s %s: two requests have one id", method, path)
	}
}

func TestIdempotency_carries_out_each_kind_of_request_once(t *testing.T) {
	onBoth(t, func(w *world) {
		const body = `{"name":"Acme"}`
		made := w.keyed("POST", "/organizations", body, "a")
		w.again(made, "POST", "/organizations", body, "a")
		id := w.get("/organizations").each("id")
		if made.Code != http.StatusCreated || len(id) != 1 {
			t.Fatalf("%d %s made %v", made.Code, made.Body, id)
		}

		f := w.feed(id[0], "")
		path := "/directories/" + f.id + "/tokens"
		secret := w.keyed("POST", path, "", "a") // another route: another key
		w.again(secret, "POST", path, "", "a")
		if secret.Code != http.StatusCreated || !strings.Contains(secret.Body.String(), "bearer_token") || len(w.get(path).data()) != 2 {
			t.Errorf("%d %s", secret.Code, secret.Body)
		}

		gone := w.keyed("DELETE", "/directories/"+f.id, "", "d")
		w.again(gone, "DELETE", "/directories/"+f.id, "", "d")
		if gone.Code != http.StatusAccepted || gone.Body.Len() != 0 {
			t.Errorf("%d %s", gone.Code, gone.Body)
		}

		refusal := w.keyed("POST", "/organizations", `{"name":""}`, "r")
		w.again(refusal, "POST", "/organizations", `{"name":""}`, "r")
		if refusal.Code != http.StatusUnprocessableEntity {
			t.Errorf("%d %s", refusal.Code, refusal.Body)
		}
	})
}

func TestIdempotency_refuses_a_key_that_stands_for_another_request(t *testing.T) {
	onBoth(t, func(w *world) {
		w.keyed("POST", "/organizations", `{"name":"Acme"}`, "a")
		for path, body := range map[string]string{"/organizations": `{"name":"Other"}`, "/organizations?x=1": `{"name":"Acme"}`} {
			got := w.keyed("POST", path, body, "a")
			if got.Code != http.StatusUnprocessableEntity || !strings.Contains(got.Body.String(), `"code":"idempotency_key_reused"`) {
				t.Errorf("%s %s: %d %s", path, body, got.Code, got.Body)
			}
		}
		if got := w.get("/organizations").data(); len(got) != 1 {
			t.Errorf("there are %d organizations", len(got))
		}
	})
}

func TestIdempotency_keys_belong_to_the_management_key_they_came_with(t *testing.T) {
	onBoth(t, func(w *world) {
		other := token.NewSecret("sk")
		w.server.o.Keys = append(w.server.o.Keys, token.HashOf(other))
		first := w.keyed("POST", "/organizations", `{"name":"Acme"}`, "a")
		w.key = other
		second := w.keyed("POST", "/organizations", `{"name":"Acme"}`, "a")
		if second.Code != http.StatusCreated || second.Header().Get(replayedHeader) != "" || second.Body.String() == first.Body.String() {
			t.Errorf("the other key got %d %s", second.Code, second.Body)
		}
	})
}

func TestIdempotency_of_two_replicas_carries_out_one_of_many_at_once(t *testing.T) {
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) {
		d := open()
		one := newWorld(t, d)
		two := newWorld(t, d)
		two.key = one.key
		two.server.o.Keys = one.server.o.Keys
		var mu sync.Mutex
		var made []string
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				w := []*world{one, two}[i%2]
				got := w.keyed("POST", "/organizations", `{"name":"Acme"}`, "a")
				switch {
				case got.Code == http.StatusCreated:
					mu.Lock()
					defer mu.Unlock()
					made = append(made, got.Body.String())
				case got.Code != http.StatusConflict || got.Header().Get("Retry-After") != "1" || !strings.Contains(got.Body.String(), "idempotency_in_progress"):
					t.Errorf("%d %v %s", got.Code, got.Header(), got.Body)
				}
			})
		}
		all.Wait()
		if got := one.get("/organizations").data(); len(got) != 1 || len(made) == 0 {
			t.Errorf("%d organizations were made, %d answered", len(got), len(made))
		}
		for _, body := range made {
			if body != made[0] {
				t.Errorf("two answers: %s and %s", made[0], body)
			}
		}
	})
}

func TestIdempotency_keeps_nothing_that_a_repeat_could_mend(t *testing.T) {
	onBoth(t, func(w *world) {
		limited := fault.New(fault.Limited, "busy", "Later.")
		limited.RetryAfter = time.Second
		for code, failure := range map[int]error{429: limited, 503: fault.New(fault.Unavailable, "later", "Later."), 500: http.ErrBodyNotAllowed} {
			w.failOnce("POST", "/organizations", failure)
			if got := w.keyed("POST", "/organizations", `{"name":"Acme"}`, http.StatusText(code)); got.Code != code {
				t.Errorf("%d, want %d", got.Code, code)
			}
			if got := w.keyed("POST", "/organizations", `{"name":"Acme"}`, http.StatusText(code)); got.Code != http.StatusCreated || got.Header().Get(replayedHeader) != "" {
				t.Errorf("after %d: %d %s", code, got.Code, got.Body)
			}
		}
	})
}

// failOnce has the next request to a route fail.
func (w *world) failOnce(method, pattern string, failure error) {
	for _, rt := range w.server.routes {
		if rt.row.pattern == pattern {
			real := rt.row.methods[method]
			rt.row.methods[method] = func(*call) (answer, error) {
				rt.row.methods[method] = real
				return answer{}, failure
			}
		}
	}
}

func TestIdempotency_does_not_repeat_what_was_cut_off(t *testing.T) {
	onBoth(t, func(w *world) {
		w.failOnce("POST", "/organizations", &db.UnknownOutcomeError{Cause: http.ErrAbortHandler})
		if got := w.keyed("POST", "/organizations", `{"name":"Acme"}`, "a"); got.Code != http.StatusInternalServerError {
			t.Errorf("%d %s", got.Code, got.Body)
		}
		if got := w.keyed("POST", "/organizations", `{"name":"Acme"}`, "a"); got.Code != http.StatusConflict {
			t.Errorf("%d %s", got.Code, got.Body)
		}
		if got := w.get("/organizations").data(); len(got) != 0 {
			t.Errorf("it was carried out: %v", got)
		}
	})
}

func TestIdempotency_does_not_repeat_what_panicked(t *testing.T) {
	onOne(t, func(w *world) {
		for _, rt := range w.server.routes {
			if rt.row.pattern == "/organizations" {
				rt.row.methods["POST"] = func(*call) (answer, error) { panic("a fault of ours") }
			}
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			r := httptest.NewRequest("POST", "/organizations", strings.NewReader("{}"))
			r.Header = http.Header{"Authorization": {"Bearer " + w.key.Reveal()}, idempotencyKey: {"a"}}
			w.server.ServeHTTP(httptest.NewRecorder(), r)
		}()
		if got := w.keyed("POST", "/organizations", "{}", "a"); got.Code != http.StatusConflict {
			t.Errorf("%d %s", got.Code, got.Body)
		}
	})
}

func TestIdempotency_claims_nothing_before_a_handler_is_found(t *testing.T) {
	onOne(t, func(w *world) {
		const body = `{"name":"Acme"}`
		w.get("/events").wants(200)
		key := w.key
		w.key = token.NewSecret("sk")
		w.keyed("POST", "/organizations", body, "a") // 401
		w.key = key
		w.keyed("POST", "/nothing", body, "a")                                           // 404
		w.keyed("PATCH", "/organizations", body, "a")                                    // 405
		w.keyed("POST", "/organizations?a=%zz", body, "a")                               // 400
		w.keyed("POST", "/organizations", strings.Repeat(" ", defaultMaxBody)+body, "a") // 413
		if got := w.keyed("POST", "/organizations", body, "a"); got.Code != http.StatusCreated || got.Header().Get(replayedHeader) != "" {
			t.Errorf("%d %s", got.Code, got.Body)
		}
	})
}

func TestIdempotency_key_of_a_wrong_form_is_refused(t *testing.T) {
	onOne(t, func(w *world) {
		for _, key := range []string{"", strings.Repeat("k", idempotency.MaxKey+1), "a\tb", "é", "\xff"} {
			r := httptest.NewRequest("POST", "/organizations", strings.NewReader(`{"name":"Acme"}`))
			r.Header.Set("Authorization", "Bearer "+w.key.Reveal())
			r.Header[idempotencyKey] = []string{key}
			w.serve(r).refused(http.StatusBadRequest, "invalid_idempotency_key", idempotencyKey)
		}
		r := httptest.NewRequest("POST", "/organizations", strings.NewReader(`{"name":"Acme"}`))
		r.Header.Set("Authorization", "Bearer "+w.key.Reveal())
		r.Header[idempotencyKey] = []string{"a", "a"}
		w.serve(r).refused(http.StatusBadRequest, "invalid_idempotency_key", idempotencyKey)
		if got := w.get("/organizations").data(); len(got) != 0 {
			t.Errorf("a refused request made %v", got)
		}
	})
}

func TestIdempotency_leaves_reading_alone(t *testing.T) {
	onOne(t, func(w *world) {
		w.keyed("GET", "/organizations", "", "a")
		w.organization("Acme")
		if got := w.keyed("GET", "/organizations", "", "a"); !strings.Contains(got.Body.String(), "Acme") || got.Header().Get(replayedHeader) != "" {
			t.Errorf("%v %s", got.Header(), got.Body)
		}
		// A kept answer would call a key valid that has been revoked since.
		c := &call{server: w.server, r: httptest.NewRequest("POST", "/", nil)}
		c.r.Header.Set(idempotencyKey, "a")
		for pattern, want := range map[string]bool{"/api_keys/validations": false, "/organizations": true} {
			if got := c.repeatable(target{row: &row{pattern: pattern}}); got != want {
				t.Errorf("%s: answers are kept: %v", pattern, got)
			}
		}
	})
}

func TestIdempotency_logs_neither_key_nor_body(t *testing.T) {
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) {
		d := open()
		w := newWorld(t, d)
		first := w.keyed("POST", "/organizations", `{"name":"hunter2"}`, "key-hunter3")
		w.again(first, "POST", "/organizations", `{"name":"hunter2"}`, "key-hunter3")
		w.failOnce("POST", "/organizations", http.ErrBodyNotAllowed)
		w.keyed("POST", "/organizations", `{"name":"hunter2"}`, "key-hunter4")
		w.must(d.Close())
		w.keyed("POST", "/organizations", `{"name":"hunter2"}`, "key-hunter5")
		if log := w.log.String(); strings.Contains(log, "hunter") || !strings.Contains(log, "an API request failed") {
			t.Errorf("the log says %s", log)
		}
	})
}
