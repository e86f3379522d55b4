package simulate_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/simulate"
)

// broken lets a test answer some requests in the server's place.
func broken(server *scimServer, method, path string, answer func(w http.ResponseWriter)) {
	server.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != method || !strings.Contains(r.URL.Path, path) {
			return false
		}
		answer(w)
		return true
	}
}

func refuse(status int, detail string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.WriteHeader(status)
		_, _ = w.Write(scim.AppendError(nil, status, "", detail))
	}
}

func respond(status int, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// failure is what the client says of an answer.
func failure(t *testing.T, err error) *simulate.Failure {
	t.Helper()
	var f *simulate.Failure
	if !errors.As(err, &f) {
		t.Fatalf("got %v, want a failure", err)
	}
	return f
}

func TestAnswers_are_failures_as_the_provider_sees_them(t *testing.T) {
	hire := func(c *simulate.SCIMClient, ctx context.Context) error {
		return c.Hire(ctx, simulate.Person{Email: "ada@acme.example", FirstName: "Ada", LastName: "Lindqvist"})
	}
	connect := func(c *simulate.SCIMClient, ctx context.Context) error { return c.Connect(ctx) }
	for _, tc := range []struct {
		name         string
		slug         idp.Slug
		method, path string
		answer       func(http.ResponseWriter)
		do           func(*simulate.SCIMClient, context.Context) error
		move         idp.Move
		want         string
	}{
		{
			"Okta is refused a person", "okta", "POST", "/Users", refuse(409, "ada is taken"), hire, idp.MoveHire,
			"Automatic provisioning of user Ada Lindqvist to app failed: Error while creating user ada@acme.example: Conflict. Errors reported by remote server: ada is taken",
		},
		{"Okta gets an empty body for a person", "okta", "POST", "/Users", respond(201, ""), hire, idp.MoveHire, "The answer cannot be used: the answer has no body, so there is no id"},
		{"Okta gets a person without an id", "okta", "POST", "/Users", respond(201, `{"userName":"ada"}`), hire, idp.MoveHire, "The answer cannot be used: the answer has no id"},
		{"Okta gets a total that is text", "okta", "GET", "/Users", respond(200, `{"totalResults":"0","Resources":[]}`), connect, idp.MoveConnect, "totalResults is no integer"},
		{"Okta gets a page of the web", "okta", "GET", "/Users", respond(200, `<html>`), connect, idp.MoveConnect, "the answer is no JSON object"},
		{"Okta is sent elsewhere", "okta", "GET", "/Users", respond(302, ``), connect, idp.MoveConnect, "Error authenticating: Found"},
		{"Entra gets 404 for nobody", "entra-id", "GET", "/Users", refuse(404, "no such user"), connect, idp.MoveConnect, "200 and an empty list, not by 404"},
		{"Entra finds a random name", "entra-id", "GET", "/Users", respond(200, `{"totalResults":1,"Resources":[{"id":"1"}]}`), connect, idp.MoveConnect, "by a name that nobody has"},
		{"Entra has a wrong token", "entra-id", "GET", "/Users", refuse(401, "no"), connect, idp.MoveConnect, "You appear to have entered invalid credentials"},
		{"Entra is refused a person", "entra-id", "POST", "/Users", refuse(400, "no\x1b[31m"), hire, idp.MoveHire, "Failed to create User 'ada@acme.example' in customappsso; Error: StatusCode: 400 Bad Request. Message: no [31m. It is held back"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server, base := newSCIMServer(t)
			broken(server, tc.method, tc.path, tc.answer)
			p := provider(t, tc.slug)
			c := client(t, p, base, simulate.SCIMOptions{})
			f := failure(t, tc.do(c, t.Context()))
			if f.Provider != p.Name || f.Move != tc.move || !strings.Contains(f.Sentence, tc.want) {
				t.Errorf("%s %s: %q, want %q", f.Provider, f.Move, f.Sentence, tc.want)
			}
			last := c.Exchanges()[len(c.Exchanges())-1]
			if !last.Failed || last.Says != f.Sentence || last.Status != f.Status || !strings.HasPrefix(f.Error(), p.Name+" would show: ") {
				t.Errorf("recorded %+v", last)
			}
		})
	}
}

func TestOkta_takes_404_for_nobody(t *testing.T) {
	server, base := newSCIMServer(t)
	broken(server, "GET", "/Users", refuse(404, "no such user"))
	ok(t, client(t, provider(t, "okta"), base, simulate.SCIMOptions{}).Hire(t.Context(), cast(t)[0]))
	if !server.active(t, "ada@acme.example") {
		t.Error("she is out")
	}
}

// A server that shows invited people as inactive makes Okta activate them again and again.
func TestOkta_goes_in_circles_where_an_invited_person_is_shown_inactive(t *testing.T) {
	for _, tc := range []struct {
		option []string
		method string
	}{{nil, "PATCH"}, {[]string{"wizard-app"}, "PUT"}} {
		server, base := newSCIMServer(t)
		server.before = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == "GET" {
				return false
			}
			respond(201, `{"id":"1","userName":"ada@acme.example","active":false}`)(w)
			return true
		}
		c := client(t, provider(t, "okta"), base, simulate.SCIMOptions{Options: tc.option})
		f := failure(t, c.Hire(t.Context(), cast(t)[0]))
		again := 0
		for _, x := range c.Exchanges() {
			if x.Method == tc.method && strings.Contains(x.Body, `"active":true`) {
				again++
			}
		}
		if again != 3 || !strings.Contains(f.Sentence, "again and again") {
			t.Errorf("%v: activated %d times, %q", tc.option, again, f.Sentence)
		}
	}
}

func TestRequests_are_sent_again_only_as_the_provider_does(t *testing.T) {
	for _, tc := range []struct {
		name   string
		slug   idp.Slug
		status int
		after  string
		tries  int
		waits  []time.Duration
	}{
		{"Okta at 400", "okta", 400, "", 1, nil},
		{"Okta at 503", "okta", 503, "", 3, []time.Duration{time.Second, 2 * time.Second}},
		{"Okta at 429 that says when", "okta", 429, "7", 3, []time.Duration{7 * time.Second, 7 * time.Second}},
		{"Okta at 429 that says too much", "okta", 429, "86400", 3, []time.Duration{time.Minute, time.Minute}},
		{"Okta at 429 with a date that is over", "okta", 429, "Sun, 06 Nov 1994 08:49:37 GMT", 3, []time.Duration{0, 0}},
		{"Okta at 429 with nonsense", "okta", 429, "soon", 3, []time.Duration{time.Second, 2 * time.Second}},
		{"Entra at 500", "entra-id", 500, "", 1, nil},
		{"Entra at 429", "entra-id", 429, "", 2, []time.Duration{5 * time.Second}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server, base := newSCIMServer(t)
			broken(server, "POST", "/Users", func(w http.ResponseWriter) {
				if tc.after != "" {
					w.Header().Set("Retry-After", tc.after)
				}
				refuse(tc.status, "not now")(w)
			})
			var waits []time.Duration
			c := client(t, provider(t, tc.slug), base, simulate.SCIMOptions{Wait: func(_ context.Context, d time.Duration) error {
				waits = append(waits, d)
				return nil
			}})
			f := failure(t, c.Hire(t.Context(), cast(t)[0]))
			tries := 0
			for _, x := range c.Exchanges() {
				if x.Method == "POST" {
					tries++
				}
			}
			if tries != tc.tries || !slices.Equal(waits, tc.waits) || f.Status != tc.status {
				t.Errorf("%d tries with waits %v, status %d", tries, waits, f.Status)
			}
		})
	}
}

func TestServer_that_is_down_is_a_failure_without_a_status(t *testing.T) {
	c := client(t, provider(t, "okta"), "http://127.0.0.1:1/scim", simulate.SCIMOptions{})
	if f := failure(t, c.Connect(t.Context())); f.Status != 0 || !strings.Contains(f.Sentence, "cannot be reached") || len(c.Exchanges()) != 1 {
		t.Errorf("%d %q", f.Status, f.Sentence)
	}
}

func TestWhoever_stops_is_told_no_failure(t *testing.T) {
	_, base := newSCIMServer(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	c := client(t, provider(t, "okta"), base, simulate.SCIMOptions{})
	var f *simulate.Failure
	if err := c.Connect(ctx); !errors.Is(err, context.Canceled) || errors.As(err, &f) {
		t.Errorf("got %v", err)
	}
}

// What Entra is refused it holds back and tries again in the next cycle; Okta leaves it to its administrator.
func TestEntra_tries_again_what_failed_in_the_next_cycle(t *testing.T) {
	for _, tc := range []struct {
		slug idp.Slug
		owed idp.Move
	}{{"entra-id", idp.MoveLeave}, {"okta", ""}} {
		server, base := newSCIMServer(t)
		c := client(t, provider(t, tc.slug), base, simulate.SCIMOptions{})
		ok(t, c.Hire(t.Context(), cast(t)[0]))
		broken(server, "PATCH", "/Users", refuse(400, "not today"))
		failure(t, c.Leave(t.Context(), "ada@acme.example"))
		if k := c.State().People[0]; k.Owed != tc.owed || !k.Active {
			t.Errorf("%s: %+v", tc.slug, k)
		}
		server.before = nil
		ok(t, c.Cycle(t.Context()))
		if in := server.active(t, "ada@acme.example"); in != (tc.owed == "") || c.State().People[0].Owed != "" {
			t.Errorf("%s: after a cycle she is in: %t", tc.slug, in)
		}
	}
}

func TestCycle_goes_on_after_a_failure(t *testing.T) {
	server, base := newSCIMServer(t)
	c := client(t, provider(t, "entra-id"), base, simulate.SCIMOptions{})
	people := cast(t)
	ok(t, c.Play(t.Context(), simulate.PlotGroups, people, nil))
	id := server.find("Users", people[0].Email).Text("id")
	broken(server, "GET", "/Users/"+id, refuse(500, "broken"))
	before := len(c.Exchanges())
	failure(t, c.Cycle(t.Context()))
	if n := len(c.Exchanges()) - before; n != 1+2*len(people[1:])+1 { // one failed, two read with their manager, one group
		t.Errorf("%d requests", n)
	}
}

func TestCast_is_bounded_and_has_no_two_of_one_name(t *testing.T) {
	for _, n := range []int{0, -1, 10_001} {
		if _, err := simulate.Cast("acme.example", n, 1); err == nil {
			t.Errorf("a cast of %d", n)
		}
	}
	people, err := simulate.Cast("acme.example", 90, 3)
	ok(t, err)
	seen := map[string]bool{}
	for i, p := range people {
		if seen[p.Email] || p.FirstName == "" || p.LastName == "" || (p.Manager == "") != (i == 0) {
			t.Errorf("%d: %+v", i, p)
		}
		seen[p.Email] = true
	}
}
