package simulate_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/simulate"
)

func TestAddress_that_leads_nowhere_is_refused(t *testing.T) {
	for _, base := range []string{"http://[::1", "http:///scim", "https://", "127.0.0.1:8080/scim", ""} {
		if _, err := simulate.NewSCIMClient(provider(t, "okta"), simulate.Target{BaseURL: base}, simulate.SCIMOptions{}); err == nil || !strings.Contains(err.Error(), "is no address") {
			t.Errorf("%q: %v", base, err)
		}
	}
}

func TestPlay_needs_people_and_a_plot_that_there_is(t *testing.T) {
	_, base := newSCIMServer(t)
	c := client(t, provider(t, "okta"), base, simulate.SCIMOptions{})
	if err := c.Play(t.Context(), simulate.PlotConnect, nil, nil); err == nil || !strings.Contains(err.Error(), "needs people") {
		t.Errorf("nobody: %v", err)
	}
	if err := c.Play(t.Context(), "dance", cast(t), nil); err == nil || !strings.Contains(err.Error(), `no plot "dance"`) {
		t.Errorf("a plot that there is not: %v", err)
	}
	if n := len(c.Exchanges()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// Each part of the story can be played alone: who is needed for it is found, or hired.
func TestParts_of_the_story_are_played_alone(t *testing.T) {
	for _, tc := range []struct {
		plot      simulate.Plot
		moves     string // in the order in which they come first
		out, last string
	}{
		{simulate.PlotConnect, "connect", "", ""},
		{simulate.PlotHire, "find hire", "", "chiara@acme.example"},
		{simulate.PlotChange, "find hire change", "", "ben@acme.example"},
		{simulate.PlotGroups, "find hire find_group push quit join rename unlink", "", "chiara@acme.example"},
		{simulate.PlotLeave, "find hire leave", "chiara@acme.example", ""},
		{simulate.PlotReturn, "find hire", "", "chiara@acme.example"},
	} {
		server, base := newSCIMServer(t)
		c := client(t, provider(t, "okta"), base, simulate.SCIMOptions{})
		var begun []simulate.Plot
		ok(t, c.Play(t.Context(), tc.plot, cast(t), func(p simulate.Plot) { begun = append(begun, p) }))
		var moves []string
		for _, x := range c.Exchanges() {
			if !strings.Contains(" "+strings.Join(moves, " ")+" ", " "+string(x.Move)+" ") {
				moves = append(moves, string(x.Move))
			}
		}
		if got := strings.Join(moves, " "); got != tc.moves || len(begun) != 1 || begun[0] != tc.plot {
			t.Errorf("%s: moves %q, begun %q", tc.plot, got, begun)
		}
		if tc.out != "" && server.active(t, tc.out) {
			t.Errorf("%s: %s is in", tc.plot, tc.out)
		}
		if tc.last != "" && !server.active(t, tc.last) {
			t.Errorf("%s: %s is out", tc.plot, tc.last)
		}
	}
}

func TestAnswers_that_cannot_be_used_are_failures(t *testing.T) {
	for _, tc := range []struct{ method, path, body, want string }{
		{"GET", "/Users", `null`, "no JSON object"},
		{"GET", "/Users", `[]`, "no JSON object"},
		{"GET", "/Users", ``, "no JSON object"},
		{"GET", "/Users", `{"totalResults":1.5}`, "no integer"},
		{"GET", "/Users", `{"totalResults":true}`, "no integer"},
		{"GET", "/Users", `{}`, "no integer"},
		{"GET", "/Users", `{"totalResults":1,"Resources":["ada"]}`, "what was found has no id"},
		{"GET", "/Users", `{"totalResults":1,"Resources":[{"userName":"ada"}]}`, "what was found has no id"},
		{"POST", "/Groups", ``, "no body, so there is no id"},
		{"POST", "/Groups", `{"displayName":"Staff"}`, "the answer has no id"},
		{"POST", "/Groups", `no`, "no JSON object"},
	} {
		server, base := newSCIMServer(t)
		broken(server, tc.method, tc.path, respond(http.StatusOK, tc.body))
		c := client(t, provider(t, "okta"), base, simulate.SCIMOptions{})
		var err error
		if tc.path == "/Users" {
			err = c.Hire(t.Context(), cast(t)[0])
		} else {
			err = c.PushGroup(t.Context(), "Staff")
		}
		if f := failure(t, err); !strings.Contains(f.Sentence, tc.want) {
			t.Errorf("%s %s %s: %q, want %q", tc.method, tc.path, tc.body, f.Sentence, tc.want)
		}
	}
}

// One activation is enough where the server then shows the person as active, or says nothing.
func TestOkta_activates_once_where_that_helps(t *testing.T) {
	for _, answer := range []func(http.ResponseWriter){respond(200, `{"id":"1","active":true}`), respond(204, "")} {
		server, base := newSCIMServer(t)
		activated := 0
		server.before = func(w http.ResponseWriter, r *http.Request) bool {
			switch r.Method {
			case http.MethodPost:
				respond(201, `{"id":"1","active":"False"}`)(w)
			case http.MethodPatch:
				activated++
				answer(w)
			default:
				return false
			}
			return true
		}
		ok(t, client(t, provider(t, "okta"), base, simulate.SCIMOptions{}).Hire(t.Context(), cast(t)[0]))
		if activated != 1 {
			t.Errorf("activated %d times", activated)
		}
	}
}

// A dialect that is wrong in a way that only shows in play ends it with an error that says where, and never in a panic.
func TestDialect_that_is_wrong_is_no_failure_of_the_server(t *testing.T) {
	for _, tc := range []struct {
		name  string
		steps idp.Steps
		more  func(*idp.Dialect)
		want  string
	}{
		{"a name that means nothing", idp.Steps{{Send: "GET /Users/{{user.shoe}}"}}, nil, `names "user.shoe"`},
		{"a condition that means nothing", idp.Steps{{Send: "GET /Users", When: []string{"moon.full"}}}, nil, `names "moon.full"`},
		{"a sentence that means nothing", idp.Steps{{Says: map[string]string{"done": "{{group.name}}"}}}, nil, `names "group.name"`},
		{"a part that there is not", idp.Steps{{Send: "POST /Users", Body: map[string]any{"«part»": "user"}}}, nil, `no part "user"`},
		{"a beginning that is no object", idp.Steps{{Send: "POST /Users", Body: map[string]any{"«from»": "ada"}}}, nil, "which is no object here"},
		{"a list that means nothing", idp.Steps{{Send: "POST /Users", Body: []any{map[string]any{"«each»": "moon.phases", "«give»": "x"}}}}, nil, `names "moon.phases"`},
		{"a move that does itself", idp.Steps{{Do: idp.MoveHire}}, nil, "goes in circles"},
		{
			"a path that is none",
			idp.Steps{{Send: "GET /Users", When: []string{"changes.any"}}},
			func(d *idp.Dialect) { d.Attributes = []idp.AttributeMap{{From: "title", Path: "title[["}} }, `path "title[["`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, base := newSCIMServer(t)
			d := &idp.Dialect{Blank: "+", TimeoutSeconds: 1, Retry: idp.Retry{Tries: 1}, Says: map[string]string{"fail": "no"}, Moves: map[idp.Move]idp.Steps{idp.MoveHire: tc.steps}}
			if tc.more != nil {
				tc.more(d)
			}
			c := client(t, idp.Provider{Slug: "acme", Name: "Acme", Dialect: d}, base, simulate.SCIMOptions{})
			err := c.Hire(t.Context(), cast(t)[0])
			if err == nil || !strings.Contains(err.Error(), tc.want) || len(c.Exchanges()) != 0 {
				t.Errorf("got %v after %d requests, want %q", err, len(c.Exchanges()), tc.want)
			}
		})
	}
}
