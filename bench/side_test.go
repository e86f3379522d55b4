package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// management plays the part of Rollcall's REST API that the benchmark uses.
func management(t *testing.T, events int) *side {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /organizations", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"id":"org_1"}`)
	})
	mux.HandleFunc("POST /directories", func(w http.ResponseWriter, r *http.Request) {
		var body map[string]string
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body["organization_id"] != "org_1" || body["type"] != "generic scim v2.0" || body["mode"] != "existing" {
			t.Errorf("POST /directories with %v, %v", body, err)
		}
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"scim_endpoint":"https://public.example/scim/v2/dir1/","bearer_token":"tok"}`)
	})
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("organization_id") != "org_1" || q.Get("events") != "dsync.user.created" {
			t.Errorf("GET /events?%s", r.URL.RawQuery)
		}
		first := 0
		_, _ = fmt.Sscanf(q.Get("after"), "ev%d", &first)
		var data []string
		for n := first + 1; n <= min(first+100, events); n++ {
			data = append(data, fmt.Sprintf(`{"id":"ev%d","data":{"id":"u%d","idp_id":"x"}}`, n, n))
		}
		after := "null"
		if first+100 < events {
			after = fmt.Sprintf(`"ev%d"`, first+100)
		}
		fmt.Fprintf(w, `{"data":[%s],"list_metadata":{"after":%s}}`, strings.Join(data, ","), after)
	})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer key" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	return &side{name: "ours", addr: strings.TrimPrefix(srv.URL, "http://"), apiKey: "key"}
}

func TestDirectories_are_reached_on_the_loopback_at_the_path_they_name(t *testing.T) {
	s := management(t, 0)
	d, err := s.newDirectory(t.Context(), &lab{opt: options{directoryExtra: `{"mode":"existing"}`}}, "main")
	if err != nil {
		t.Fatal(err)
	}
	if d.addr != s.addr || d.base != "/scim/v2/dir1" || d.token != "tok" || d.organization != "org_1" {
		t.Errorf("directory %+v", d)
	}
}

func TestEvents_are_read_to_the_last_page(t *testing.T) {
	for _, n := range []int{0, 1, 100, 101, 250} {
		got, err := management(t, n).createdEvents(t.Context(), "org_1")
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != n || n > 0 && got[n-1].Data.ID != fmt.Sprintf("u%d", n) {
			t.Errorf("%d events, want %d", len(got), n)
		}
	}
}

func TestA_refusal_of_the_management_API_is_an_error_with_its_answer(t *testing.T) {
	s := management(t, 0)
	s.apiKey = "wrong"
	if _, err := s.createdEvents(t.Context(), "org_1"); err == nil || !strings.Contains(err.Error(), "401 who are you?") {
		t.Errorf("got %v", err)
	}
}

func TestA_step_counts_wrong_answers_and_stops_after_too_many(t *testing.T) {
	s := management(t, 0)
	s.proc = nil
	n := 0
	w := &worker{c: newConn(s.addr, ""), latencies: map[kind][]float64{}, do: func(*conn) (kind, error) {
		n++
		return 0, fmt.Errorf("wrong answer %d", n)
	}}
	w.loop(t.Context(), time.Now().Add(time.Minute), 0)
	if n != toleratedErrors || w.errors != n || w.firstErr.Error() != "wrong answer 1" {
		t.Errorf("%d tries, %d errors, first %v; want it to stop after %d", n, w.errors, w.firstErr, toleratedErrors)
	}
}
