package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestNew_refuses_addresses_and_keys_that_cannot_work(t *testing.T) {
	for _, address := range []string{"", "sync.example.com", "ftp://a", "http://", "http://me:secret@a", "http://a/?x=1", "http://a b"} {
		if _, err := New(address, "k"); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", address, err)
		}
	}
	for _, key := range []string{"", "a b", "a\n"} {
		if _, err := New("http://a", key); err == nil {
			t.Errorf("key %q passes", key)
		}
	}
}

func TestCalls_carry_key_agent_and_one_idempotency_key_for_all_attempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var keys []string
		var last *http.Request
		var body string
		c := newTest(t, func(w http.ResponseWriter, r *http.Request) {
			text, _ := io.ReadAll(r.Body)
			keys, last, body = append(keys, r.Header.Get("Idempotency-Key")), r, string(text)
			if len(keys) < 3 {
				refuse(w, 503, "unavailable")
				return
			}
			answer(w, 201, `{"object":"organization","id":"org_1","name":"Acme","external_id":null,"new":1}`)
		}, WithUserAgent("acme/1"))
		made, err := c.CreateOrganization(t.Context(), NewOrganization{Name: "Acme"})
		must(t, err)
		if len(keys) != 3 || keys[0] == "" || keys[0] != keys[1] || keys[1] != keys[2] {
			t.Errorf("the keys of the attempts are %q", keys)
		}
		if last.Header.Get("Authorization") != "Bearer "+testKey || !strings.HasPrefix(last.Header.Get("User-Agent"), "acme/1 rollcall-go/"+Version) || body != `{"name":"Acme"}` {
			t.Errorf("sent %v %s", last.Header, body)
		}
		if made.ID != "org_1" || made.ExternalID != "" || !strings.HasSuffix(string(made.JSON()), `"new":1}`) {
			t.Errorf("got %+v", made)
		}
		_, err = c.CreateOrganization(t.Context(), NewOrganization{Name: "Acme"})
		must(t, err)
		if keys[3] == keys[0] {
			t.Error("two calls have one key")
		}
	})
}

func TestRefusals_are_typed_and_not_tried_again(t *testing.T) {
	n := 0
	c := newTest(t, func(w http.ResponseWriter, _ *http.Request) {
		n++
		refuse(w, 422, "invalid_name")
	})
	_, err := c.CreateOrganization(t.Context(), NewOrganization{})
	var e *Error
	if !errors.As(err, &e) || e.Status != 422 || e.Code != "invalid_name" || e.Message != "It was refused." || e.RequestID != "req_1" || e.Fields[0].Field != "name" {
		t.Fatalf("%#v", err)
	}
	if n != 1 || Status(err) != 422 || Code(err) != "invalid_name" || err.Error() != "It was refused. (422 invalid_name, field name, request req_1)" {
		t.Errorf("%d %s", n, err)
	}
}

func TestRetryAfter_is_honoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		c := newTest(t, func(w http.ResponseWriter, _ *http.Request) {
			if n++; n == 1 {
				w.Header().Set("Retry-After", "7")
				refuse(w, 429, "rate_limited")
				return
			}
			answer(w, 200, `{"id":"org_1"}`)
		})
		start := time.Now()
		_, err := c.Organization(t.Context(), "org_1")
		must(t, err)
		if took := time.Since(start); took < 7*time.Second || took > 8*time.Second {
			t.Errorf("came back after %s", took)
		}
	})
}

func TestRetries_end_when_the_wait_is_too_long_or_the_deadline_too_near(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		c := newTest(t, func(w http.ResponseWriter, _ *http.Request) {
			n++
			w.Header().Set("Retry-After", "300")
			refuse(w, 429, "rate_limited")
		})
		_, err := c.Organization(t.Context(), "org_1")
		if e := asRefusal(err); n != 1 || e == nil || e.RetryAfter != 300*time.Second {
			t.Errorf("%d attempts, %v", n, err)
		}
		n = 0
		c = newTest(t, func(w http.ResponseWriter, _ *http.Request) {
			n++
			w.Header().Set("Retry-After", "10")
			refuse(w, 503, "unavailable")
		})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		if _, err := c.Organization(ctx, "org_1"); n != 1 || Status(err) != 503 || time.Since(start) > time.Second {
			t.Errorf("%d attempts, %v", n, err)
		}
	})
}

func TestLost_connections_are_tried_again_as_often_as_told(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		c := newFailing(t, func(*http.Request) (*http.Response, error) { n++; return nil, errors.New("connection refused") }, WithRetries(2))
		_, err := c.Organization(t.Context(), "org_1")
		var u *UnreachableError
		if n != 3 || !errors.As(err, &u) || err.Error() != "no answer from http://sync.example.com: connection refused" {
			t.Errorf("%d attempts, %v", n, err)
		}
	})
}

func TestDelete_that_was_carried_out_before_the_connection_broke_has_succeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		c := newFailing(t, func(r *http.Request) (*http.Response, error) {
			if n++; n == 1 {
				return nil, errors.New("connection reset")
			}
			return &http.Response{StatusCode: 404, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"message":"gone"}`)), Request: r}, nil
		})
		must(t, c.DeleteDirectory(t.Context(), "directory_1"))
		if err := c.DeleteDirectory(t.Context(), "directory_1"); Status(err) != 404 {
			t.Errorf("a first attempt at what is not there: %v", err)
		}
	})
}

func TestSilent_server_is_given_up(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFailing(t, func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, WithTimeout(2*time.Second), WithRetries(1))
		if _, err := c.Organization(t.Context(), "org_1"); err == nil || !strings.Contains(err.Error(), "longer than 2s") {
			t.Error(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err := c.Organization(ctx, "org_1"); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func TestAnswers_are_bounded_and_strangers_are_named(t *testing.T) {
	c := newTest(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, `{"id":"%s"}`, strings.Repeat("x", 2000)) }, WithMaxAnswer(1000))
	if _, err := c.Organization(t.Context(), "org_1"); err == nil || !strings.Contains(err.Error(), "larger than 1000 bytes") {
		t.Error(err)
	}
	c = newTest(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(404)
		_, _ = w.Write([]byte("<html>nginx</html>"))
	})
	if _, err := c.Organization(t.Context(), "org_1"); err == nil || !strings.Contains(err.Error(), "is the server's address right?") {
		t.Error(err)
	}
	reached := false
	c = newTest(t, func(w http.ResponseWriter, r *http.Request) {
		reached = reached || r.URL.Path == "/elsewhere"
		http.Redirect(w, r, "https://other.example.com/elsewhere", http.StatusFound)
	})
	if _, err := c.Organization(t.Context(), "org_1"); err == nil || reached || !strings.Contains(err.Error(), "leads elsewhere, to https://other.example.com") {
		t.Error(err)
	}
}

func TestIds_cannot_leave_their_place_in_the_address(t *testing.T) {
	var got string
	c := newTest(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.URL.EscapedPath()
		answer(w, 200, `{"id":"org_1"}`)
	})
	_, err := c.OrganizationByExternalID(t.Context(), "a/../b?c#d e")
	must(t, err)
	if got != "/organizations/external_id/a%2F..%2Fb%3Fc%23d%20e" {
		t.Error(got)
	}
	for _, id := range []string{"", ".", ".."} {
		got = ""
		if err := c.DeleteOrganization(t.Context(), id); err == nil || got != "" {
			t.Errorf("%q was sent to %s", id, got)
		}
	}
}

func TestLists_follow_their_cursor_and_stop_where_they_are_told(t *testing.T) {
	var queries []string
	c := newTest(t, func(w http.ResponseWriter, r *http.Request) {
		queries = append(queries, r.URL.RawQuery)
		switch r.URL.Query().Get("after") {
		case "":
			answer(w, 200, `{"object":"list","data":[{"id":"org_1"},{"id":"org_2"}],"list_metadata":{"before":null,"after":"org_2"}}`)
		case "org_2":
			answer(w, 200, `{"object":"list","data":[{"id":"org_3"}],"list_metadata":{"before":"org_3","after":null}}`)
		}
	})
	q := OrganizationQuery{Search: "ac me", Domains: []string{"a.com", "b.com"}}
	all, err := Collect(c.Organizations(t.Context(), q), 0)
	must(t, err)
	if len(all) != 3 || all[2].ID != "org_3" || string(all[0].JSON()) != `{"id":"org_1"}` {
		t.Errorf("got %v", all)
	}
	if len(queries) != 2 || queries[1] != "after=org_2&domains=a.com%2Cb.com&limit=100&search=ac+me" {
		t.Errorf("asked for %q", queries)
	}
	if two, err := Collect(c.Organizations(t.Context(), q), 2); err != nil || len(two) != 2 || len(queries) != 3 {
		t.Errorf("%v %v, %d requests", two, err, len(queries))
	}
}

func TestLists_that_lead_back_to_themselves_end(t *testing.T) {
	n := 0
	c := newTest(t, func(w http.ResponseWriter, _ *http.Request) {
		n++
		answer(w, 200, `{"object":"list","data":[{"id":"org_1"}],"list_metadata":{"before":null,"after":"org_1"}}`)
	})
	if all, err := Collect(c.Organizations(t.Context(), OrganizationQuery{}), 0); err != nil || n != 2 || len(all) != 2 {
		t.Errorf("%d requests, %v", n, err)
	}
}

func TestRetryAfter_reads_seconds_and_dates(t *testing.T) {
	now := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "3": 3 * time.Second, "-3": 0, "x": 0, "Thu, 15 Jan 2026 12:00:10 GMT": 10 * time.Second, "Thu, 15 Jan 2026 11:00:00 GMT": 0,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
