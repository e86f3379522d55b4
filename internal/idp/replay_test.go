package idp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// tinyServer knows one person and writes down what reached it.
type tinyServer struct {
	events   []Event
	requests []string
	answer   http.HandlerFunc
}

const tinyToken = "t0ken"

func (s *tinyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.requests = append(s.requests, fmt.Sprintf("%s %s auth=%q agent=%q type=%q %s", r.Method, r.RequestURI,
		r.Header.Get("Authorization"), r.Header.Get("User-Agent"), r.Header.Get("Content-Type"), body))
	s.answer(w, r)
}

func (s *tinyServer) emit(eventType, data, context string) {
	s.events = append(s.events, Event{Type: eventType, Data: json.RawMessage(data), Context: json.RawMessage(context)})
}

func (s *tinyServer) take() ([]Event, error) {
	taken := s.events
	s.events = nil
	return taken, nil
}

func respond(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/scim+json; charset=utf-8")
	w.WriteHeader(status)
	if _, err := io.WriteString(w, body); err != nil {
		panic(err)
	}
}

// play runs a story text against the server over a real connection.
func (s *tinyServer) play(t *testing.T, text string) []Failure {
	t.Helper()
	story, err := ParseStory("tiny.traffic", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	defer server.Close()
	return story.Run(t.Context(), Replay{Base: server.URL + "/scim/v2/k", Token: tinyToken, Do: server.Client().Do, Events: s.take})
}

const head = "# T\n= type okta scim v2.0\n\n"

func TestA_story_is_sent_as_written_and_names_are_carried_on(t *testing.T) {
	server := &tinyServer{}
	server.answer = func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodPost:
			server.emit("dsync.activated", `{}`, `{}`)
			server.emit("user.created", `{}`, `{}`)
			server.emit("dsync.user.created", `{"id":"u/1 \"x\"","state":"active"}`, `{"derived":false}`)
			w.Header().Set("Location", "http://example/Users/u%2F1")
			respond(w, http.StatusCreated, `{"id":"u/1 \"x\"","meta":{"version":"W/\"1\""}}`)
		case http.MethodDelete:
			server.emit("dsync.group.user_removed", `{"user":{"id":"u/1 \"x\""}}`, `{"derived":true}`)
			server.emit("dsync.user.deleted", `{"id":"u/1 \"x\""}`, "")
			w.WriteHeader(http.StatusNoContent)
		default:
			respond(w, http.StatusOK, `{"totalResults":1}`)
		}
	}
	failures := server.play(t, `# T
= type okta scim v2.0
= header User-Agent: Okta SCIM Client 1.0.0
= header Content-Type: application/scim+json

> POST //Users?
> {"userName":"ada",
>  "x":1}
< 201
< Location: *
< X-None: «absent»
< {"id": "{{ada}}"}
! dsync.user.created {"id": "{{ada}}", "state": "active"}

> GET /Users?filter=id+eq+%22{{ada}}%22&
< 200
< {"totalResults": 1}

> PATCH /Users/{{ada}}
> User-Agent: other
> {"value":"{{ada}}","at":"{{base}}"}
< 200|204
< {"totalResults": 1}
! none

> DELETE /Users/{{ada}}
> Authorization: {{token}}
< 204
! dsync.group.user_removed derived {"user": {"id": "{{ada}}"}}
! dsync.user.deleted derived? {"id": "{{ada}}"}
`)
	if len(failures) > 0 {
		t.Fatalf("want none, got %v", failures)
	}
	for i, want := range []string{
		"POST /scim/v2/k//Users? auth=\"Bearer t0ken\" agent=\"Okta SCIM Client 1.0.0\" type=\"application/scim+json\" {\"userName\":\"ada\",\n \"x\":1}",
		`GET /scim/v2/k/Users?filter=id+eq+%22u%2F1+%22x%22%22& auth="Bearer t0ken" agent="Okta SCIM Client 1.0.0" type="" `,
		`PATCH /scim/v2/k/Users/u%2F1%20%22x%22 auth="Bearer t0ken" agent="other" type="application/scim+json" {"value":"u/1 \"x\"","at":"http`,
		`DELETE /scim/v2/k/Users/u%2F1%20%22x%22 auth="t0ken" agent="Okta SCIM Client 1.0.0" type="" `,
	} {
		if got := server.requests[i]; !strings.HasPrefix(got, want) {
			t.Errorf("request %d:\n got %s\nwant %s", i, got, want)
		}
	}
}

func TestThe_token_is_sent_the_way_the_story_says(t *testing.T) {
	for auth, want := range map[string]string{"bearer": "Bearer t0ken", "raw": "t0ken", "none": ""} {
		server := &tinyServer{}
		server.answer = func(w http.ResponseWriter, r *http.Request) { respond(w, http.StatusOK, `{}`) }
		if failures := server.play(t, "# T\n= type okta scim v2.0\n= auth "+auth+"\n\n> GET /Users\n< 200\n"); len(failures) > 0 {
			t.Errorf("%s: %v", auth, failures)
		}
		if wanted := fmt.Sprintf("auth=%q agent=\"\"", want); !strings.Contains(server.requests[0], wanted) {
			t.Errorf("%s: got %s, want %s", auth, server.requests[0], wanted)
		}
	}
}

func TestDifferences_are_reported_with_line_and_step(t *testing.T) {
	const errorBody = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"404","detail":"no"}`
	cases := []struct {
		name, step string
		answer     func(*tinyServer, http.ResponseWriter)
		want       string
	}{
		{"status", "> GET /a\n< 200\n", func(_ *tinyServer, w http.ResponseWriter) { respond(w, 404, errorBody) }, "status: want 200, got 404 with body"},
		{"one of two statuses", "> GET /a\n< 200|204\n", func(_ *tinyServer, w http.ResponseWriter) { respond(w, 201, "{}") }, "status: want 200 or 204, got 201"},
		{"header", "> GET /a\n< 200\n< Location: «any»/1\n", func(_ *tinyServer, w http.ResponseWriter) {
			w.Header().Set("Location", "x/2")
			respond(w, 200, "{}")
		}, "header Location: want \"«any»/1\""},
		{"missing header", "> GET /a\n< 200\n< Location: *\n", func(_ *tinyServer, w http.ResponseWriter) { respond(w, 200, "{}") }, "got none"},
		{"unwanted header", "> GET /a\n< 200\n< X-A: «absent»\n", func(_ *tinyServer, w http.ResponseWriter) {
			w.Header().Set("X-A", "1")
			respond(w, 200, "{}")
		}, "header X-A: want absent"},
		{"body", "> GET /a\n< 200\n< {\"a\": 1}\n", func(_ *tinyServer, w http.ResponseWriter) { respond(w, 200, `{"a":2}`) }, "answer /a: want the number 1, got 2"},
		{"empty body", "> GET /a\n< 200\n< {}\n", func(_ *tinyServer, w http.ResponseWriter) { respond(w, 200, "") }, "empty body"},
		{"no JSON", "> GET /a\n< 200\n", func(_ *tinyServer, w http.ResponseWriter) { respond(w, 200, "<html>") }, "answer body: not JSON"},
		{"media type", "> GET /a\n< 200\n", func(_ *tinyServer, w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(200)
			_, _ = io.WriteString(w, "{}")
		}, "Content-Type: want application/scim+json"},
		{"an error without a body", "> GET /a\n< 404\n", func(_ *tinyServer, w http.ResponseWriter) { respond(w, 404, "") }, "empty body"},
		{"an error that is no SCIM Error", "> GET /a\n< 404\n", func(_ *tinyServer, w http.ResponseWriter) {
			respond(w, 404, strings.Replace(errorBody, `"404"`, "404", 1))
		}, "error body /status"},
		{"no event", "> PUT /a\n< 200\n! dsync.user.updated\n", func(_ *tinyServer, w http.ResponseWriter) { respond(w, 200, "{}") }, "want 1 events, got 0: none"},
		{"an event too many", "> GET /a\n< 200\n", func(s *tinyServer, w http.ResponseWriter) {
			s.emit("dsync.user.updated", "{}", "{}")
			respond(w, 200, "{}")
		}, "want 0 events, got 1: dsync.user.updated"},
		{"another event", "> PUT /a\n< 200\n! dsync.user.updated\n", func(s *tinyServer, w http.ResponseWriter) {
			s.emit("dsync.user.created", "{}", "{}")
			respond(w, 200, "{}")
		}, "want dsync.user.updated, got dsync.user.created"},
		{"event data", "> PUT /a\n< 200\n! dsync.user.updated {\"state\": \"active\"}\n", func(s *tinyServer, w http.ResponseWriter) {
			s.emit("dsync.user.updated", `{"state":"inactive"}`, "{}")
			respond(w, 200, "{}")
		}, `data of dsync.user.updated /state: want "active", got "inactive"`},
		{"not marked as derived", "> PUT /a\n< 200\n! dsync.user.updated derived\n", func(s *tinyServer, w http.ResponseWriter) {
			s.emit("dsync.user.updated", "{}", "{}")
			respond(w, 200, "{}")
		}, "want dsync.user.updated derived, got dsync.user.updated"},
		{"marked as derived", "> PUT /a\n< 200\n! dsync.user.updated\n", func(s *tinyServer, w http.ResponseWriter) {
			s.emit("dsync.user.updated", "{}", `{"derived":true}`)
			respond(w, 200, "{}")
		}, "got dsync.user.updated derived"},
		{"a context that cannot be read", "> PUT /a\n< 200\n! dsync.user.updated\n", func(s *tinyServer, w http.ResponseWriter) {
			s.emit("dsync.user.updated", "{}", `{"derived":"yes"}`)
			respond(w, 200, "{}")
		}, "context of dsync.user.updated"},
		{"order", "> PUT /a\n< 200\n! dsync.user.updated\n! dsync.user.deleted\n", func(s *tinyServer, w http.ResponseWriter) {
			s.emit("dsync.user.deleted", "{}", "{}")
			s.emit("dsync.user.updated", "{}", "{}")
			respond(w, 200, "{}")
		}, "want dsync.user.updated, got dsync.user.deleted"},
		{"any order, but not the same", "> PUT /a\n< 200\n! any order\n! dsync.user.updated\n! dsync.user.deleted\n", func(s *tinyServer, w http.ResponseWriter) {
			s.emit("dsync.user.updated", "{}", "{}")
			s.emit("dsync.user.updated", "{}", "{}")
			respond(w, 200, "{}")
		}, "want dsync.user.deleted, got dsync.user.updated"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			server := &tinyServer{}
			server.answer = func(w http.ResponseWriter, _ *http.Request) { tc.answer(server, w) }
			failures := server.play(t, head+tc.step)
			if len(failures) == 0 || !strings.Contains(failures[0].Problem, tc.want) {
				t.Fatalf("got %v, want %q", failures, tc.want)
			}
			if failures[0].Story != "tiny.traffic" || failures[0].Line < 4 || !strings.HasSuffix(failures[0].Step, " /a") {
				t.Errorf("the failure does not say where: %v", failures[0])
			}
		})
	}
}

func TestEvents_in_any_order_are_each_found_once(t *testing.T) {
	server := &tinyServer{}
	server.answer = func(w http.ResponseWriter, _ *http.Request) {
		server.emit("dsync.group.user_added", `{"user":{"id":"2"}}`, "{}")
		server.emit("dsync.group.user_added", `{"user":{"id":"1"}}`, "{}")
		server.emit("dsync.group.updated", `{}`, "{}")
		respond(w, 200, "{}")
	}
	step := "> PUT /a\n< 200\n! any order\n! dsync.group.updated\n! dsync.group.user_added {\"user\": {\"id\": \"1\"}}\n! dsync.group.user_added {\"user\": {\"id\": \"2\"}}\n"
	if failures := server.play(t, head+step); len(failures) > 0 {
		t.Error(failures)
	}
}

func TestActivation_counts_only_in_a_story_that_names_it(t *testing.T) {
	for step, want := range map[string]int{
		"> GET /a\n< 200\n": 0,
		"> GET /a\n< 200\n! dsync.activated\n\n> GET /b\n< 200\n":                    1,
		"> GET /a\n< 200\n! dsync.activated\n\n> GET /b\n< 200\n! dsync.activated\n": 0,
	} {
		server := &tinyServer{}
		server.answer = func(w http.ResponseWriter, _ *http.Request) {
			server.emit("dsync.activated", "{}", "{}")
			respond(w, 200, "{}")
		}
		if failures := server.play(t, head+step); len(failures) != want {
			t.Errorf("%q: got %v, want %d failures", step, failures, want)
		}
	}
}

func TestA_replay_stops_at_the_first_step_that_fails(t *testing.T) {
	server := &tinyServer{}
	server.answer = func(w http.ResponseWriter, _ *http.Request) { respond(w, 200, "{}") }
	failures := server.play(t, head+"> GET /a\n< 201\n\n> GET /b\n< 201\n")
	if len(failures) != 1 || len(server.requests) != 1 {
		t.Errorf("got %v after %d requests, want one of each", failures, len(server.requests))
	}
}

func TestFaults_around_a_replay_are_failures_too(t *testing.T) {
	story, err := ParseStory("s", []byte(head+"> GET /a\n< 200\n"))
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("out of order")
	recorded := func(*http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		respond(w, 200, "{}")
		return w.Result(), nil
	}
	none := func() ([]Event, error) { return nil, nil }
	cases := map[string]Replay{
		"send the request":  {Base: "http://127.0.0.1", Do: func(*http.Request) (*http.Response, error) { return nil, broken }, Events: none},
		"read the events":   {Base: "http://127.0.0.1", Do: recorded, Events: func() ([]Event, error) { return nil, broken }},
		"build the request": {Base: "http://[bad", Do: recorded, Events: none},
	}
	for want, replay := range cases {
		failures := story.Run(context.Background(), replay)
		if len(failures) != 1 || !strings.Contains(failures[0].Problem, want) || !strings.HasPrefix(failures[0].Error(), "s:4: GET /a: ") {
			t.Errorf("got %v, want a failure to %s", failures, want)
		}
	}
}

func TestA_body_where_none_may_be_is_a_failure(t *testing.T) {
	story, err := ParseStory("s", []byte(head+"> DELETE /a\n< 204\n! none\n"))
	if err != nil {
		t.Fatal(err)
	}
	failures := story.Run(t.Context(), Replay{
		Base: "http://127.0.0.1",
		Do: func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 204, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}, nil
		},
		Events: func() ([]Event, error) { return nil, nil },
	})
	if len(failures) != 1 || !strings.Contains(failures[0].Problem, "must have no body") {
		t.Errorf("got %v", failures)
	}
}
