package simulate_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/simulate"
)

func catalog(t *testing.T) *idp.Catalog {
	t.Helper()
	c, err := idp.LoadWithTraffic()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func provider(t *testing.T, slug idp.Slug) idp.Provider {
	t.Helper()
	p, ok := catalog(t).Provider(slug)
	if !ok {
		t.Fatalf("the catalogue has no %s", slug)
	}
	return p
}

// client makes a provider's client; no test waits.
func client(t *testing.T, p idp.Provider, base string, o simulate.SCIMOptions) *simulate.SCIMClient {
	t.Helper()
	if o.Wait == nil {
		o.Wait = func(context.Context, time.Duration) error { return nil }
	}
	c, err := simulate.NewSCIMClient(p, simulate.Target{BaseURL: base, Token: scimToken}, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func cast(t *testing.T) []simulate.Person {
	t.Helper()
	people, err := simulate.Cast("acme.example", 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	return people
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// everyDialect runs a test for each provider that can be played, as it is and with each of its options.
func everyDialect(t *testing.T, run func(t *testing.T, p idp.Provider, options []string)) {
	t.Helper()
	played := 0
	for _, p := range catalog(t).Providers() {
		if p.Dialect == nil {
			continue
		}
		played++
		t.Run(string(p.Slug), func(t *testing.T) { run(t, p, nil) })
		for _, name := range slices.Sorted(maps.Keys(p.Dialect.Options)) {
			t.Run(string(p.Slug)+" "+name, func(t *testing.T) { run(t, p, []string{name}) })
		}
	}
	if played < 6 {
		t.Errorf("%d providers can be played", played)
	}
}

func TestEvery_provider_plays_the_whole_story(t *testing.T) {
	everyDialect(t, func(t *testing.T, p idp.Provider, options []string) {
		server, base := newSCIMServer(t)
		c := client(t, p, base, simulate.SCIMOptions{Options: options, Seed: 1})
		people := cast(t)
		var parts []simulate.Plot
		ok(t, c.Play(t.Context(), simulate.PlotAll, people, func(plot simulate.Plot) { parts = append(parts, plot) }))
		if want := simulate.Plots()[:6]; !slices.Equal(parts, want) {
			t.Errorf("played %q", parts)
		}
		for _, x := range c.Exchanges() {
			if x.Failed || x.Says == "" {
				t.Errorf("%s %s: %d %q", x.Method, x.Target, x.Status, x.Says)
			}
		}
		for _, person := range people {
			if !server.active(t, person.Email) {
				t.Errorf("%s is out", person.Email)
			}
		}
		name, _ := server.find("Users", "ben@acme.example").Get("name")
		if got := name.Object().Text("familyName"); got != "Okafor-Berg" {
			t.Errorf("Ben's family name is %q", got)
		}
		want := 3
		if slices.Contains(options, "delete") { // who comes back is somebody new, whom no group has
			want = 2
		}
		if !c.Speaks(idp.MovePush) {
			return
		}
		if got := server.members(t, "Staff"); len(got) != want {
			t.Errorf("members of Staff: %q", got)
		}
		if c.Speaks(idp.MoveUnlink) && (server.find("Groups", "Leaders") != nil || server.find("Groups", "Management") != nil) {
			t.Error("a group that was deleted is still there")
		}
	})
}

// Between the parts of the story the server holds what each of them says.
func TestEvery_provider_says_who_is_in_and_who_is_out(t *testing.T) {
	everyDialect(t, func(t *testing.T, p idp.Provider, options []string) {
		server, base := newSCIMServer(t)
		c := client(t, p, base, simulate.SCIMOptions{Options: options, Seed: 1})
		ada := cast(t)[0]
		ctx := t.Context()
		ok(t, c.Connect(ctx))
		if len(server.records["Users"])+len(server.records["Groups"]) != 0 {
			t.Error("a tested connection left something behind")
		}
		ok(t, c.Hire(ctx, ada))
		id := server.find("Users", ada.Email).Text("id")
		ok(t, c.Leave(ctx, ada.Email))
		gone := server.find("Users", ada.Email) == nil
		if !gone && server.active(t, ada.Email) {
			t.Error("who left is in")
		}
		if k := c.State().People[0]; k.Active || k.Person.Email != ada.Email {
			t.Errorf("the client knows %+v", k)
		}
		ok(t, c.Return(ctx, ada.Email))
		if !server.active(t, ada.Email) {
			t.Error("who returned is out")
		}
		if !gone && server.find("Users", ada.Email).Text("id") != id {
			t.Error("who returned is somebody else")
		}
		if c.Speaks(idp.MoveDelete) {
			ok(t, c.Delete(ctx, ada.Email))
			if server.find("Users", ada.Email) != nil || len(c.State().People) != 0 {
				t.Error("who was deleted is still known")
			}
		}
	})
}

// A provider that sends the whole person with each change sends with it that they are out.
func TestChange_of_somebody_who_is_out_does_not_let_them_in(t *testing.T) {
	everyDialect(t, func(t *testing.T, p idp.Provider, options []string) {
		if slices.Contains(options, "delete") {
			t.Skip("who is out is not there")
		}
		server, base := newSCIMServer(t)
		c := client(t, p, base, simulate.SCIMOptions{Options: options})
		ada := cast(t)[0]
		ok(t, c.Hire(t.Context(), ada))
		ok(t, c.Leave(t.Context(), ada.Email))
		ada.LastName = "King"
		ok(t, c.Change(t.Context(), ada))
		name, _ := server.find("Users", ada.Email).Get("name")
		if server.active(t, ada.Email) || name.Object().Text("familyName") != "King" {
			t.Errorf("the server has %s", server.find("Users", ada.Email).AppendJSON(nil))
		}
		fresh := client(t, p, base, simulate.SCIMOptions{Options: options}) // somebody whom the server has from another time
		ok(t, fresh.Hire(t.Context(), ada))
		if !server.active(t, ada.Email) {
			t.Error("who was assigned again is out")
		}
	})
}

func TestSuspension_is_what_the_provider_makes_of_it(t *testing.T) {
	everyDialect(t, func(t *testing.T, p idp.Provider, options []string) {
		server, base := newSCIMServer(t)
		c := client(t, p, base, simulate.SCIMOptions{Options: options})
		ada := cast(t)[0].Email
		ok(t, c.Hire(t.Context(), cast(t)[0]))
		ok(t, c.Suspend(t.Context(), ada))
		stays := p.Slug == "okta" // the others tell the server
		if in := server.find("Users", ada) != nil && server.active(t, ada); in != stays || c.State().People[0].Active != stays {
			t.Errorf("in at the server: %t, at the client: %t", in, c.State().People[0].Active)
		}
	})
}

func TestSuspension_at_Okta_sends_nothing(t *testing.T) {
	server, base := newSCIMServer(t)
	var notes []string
	c := client(t, provider(t, "okta"), base, simulate.SCIMOptions{Note: func(s string) { notes = append(notes, s) }})
	ok(t, c.Hire(t.Context(), cast(t)[0]))
	sent := len(c.Exchanges())
	ok(t, c.Suspend(t.Context(), "ada@acme.example"))
	if len(c.Exchanges()) != sent || len(notes) != 1 || !strings.Contains(notes[0], "stays active") || !server.active(t, "ada@acme.example") {
		t.Errorf("%d requests, notes %q", len(c.Exchanges())-sent, notes)
	}
}

func TestChange_sends_what_differs_and_takes_away_what_is_empty(t *testing.T) {
	everyDialect(t, func(t *testing.T, p idp.Provider, options []string) {
		server, base := newSCIMServer(t)
		c := client(t, p, base, simulate.SCIMOptions{Options: options})
		people := cast(t)
		ok(t, c.Hire(t.Context(), people[0]))
		ben := people[1]
		ok(t, c.Hire(t.Context(), ben))
		ben.LastName, ben.Title, ben.Phone = "King", "", ""
		ok(t, c.Change(t.Context(), ben))
		o := server.find("Users", ben.Email)
		name, _ := o.Get("name")
		phones, _ := o.Get("phoneNumbers")
		if name.Object().Text("familyName") != "King" || o.Text("title") != "" || len(phones.List()) != 0 {
			t.Errorf("the server has %s", o.AppendJSON(nil))
		}
	})
}

func TestManager_and_role_of_Entra_are_references_and_text(t *testing.T) {
	server, base := newSCIMServer(t)
	c := client(t, provider(t, "entra-id"), base, simulate.SCIMOptions{Options: []string{"complex-roles"}})
	people := cast(t)
	people[1].Role = "Admin"
	ok(t, c.Hire(t.Context(), people[1])) // the manager is not provisioned yet
	enterprise, _ := server.find("Users", "ben@acme.example").Get(scim.EnterpriseURN)
	if _, has := enterprise.Object().Get("manager"); has {
		t.Error("a manager whom nobody provisioned was sent")
	}
	ok(t, c.Hire(t.Context(), people[0]))
	ok(t, c.Cycle(t.Context()))
	ben := server.find("Users", "ben@acme.example")
	enterprise, _ = ben.Get(scim.EnterpriseURN)
	manager, _ := enterprise.Object().Get("manager")
	if manager.Object().Text("value") != server.find("Users", "ada@acme.example").Text("id") {
		t.Errorf("manager %s", enterprise.AppendJSON(nil))
	}
	roles, _ := ben.Get("roles")
	var role struct{ Value, DisplayName string }
	if len(roles.List()) != 1 || json.Unmarshal([]byte(roles.List()[0].Object().Text("value")), &role) != nil || role.Value != "Admin" || role.DisplayName != "Admin" {
		t.Errorf("roles %s", roles.AppendJSON(nil))
	}
	sent := len(c.Exchanges())
	ok(t, c.Cycle(t.Context()))
	for _, x := range c.Exchanges()[sent:] {
		if x.Method != http.MethodGet {
			t.Errorf("a cycle in which nothing differs sent %s %s %s", x.Method, x.Target, x.Body)
		}
	}
}

func TestSomebody_whom_the_server_knows_is_changed_only_in_what_is_said(t *testing.T) {
	server, base := newSCIMServer(t)
	p := provider(t, "entra-id")
	ok(t, client(t, p, base, simulate.SCIMOptions{}).Hire(t.Context(), cast(t)[0]))
	c := client(t, p, base, simulate.SCIMOptions{}) // knows nobody
	ada, err := c.Find(t.Context(), "ADA@acme.example")
	ok(t, err)
	ok(t, ada.Set("department", "Legal"))
	ok(t, c.Change(t.Context(), ada))
	last := c.Exchanges()[len(c.Exchanges())-1]
	if want := `{"op":"Replace","path":"` + scim.EnterpriseURN + `:department","value":"Legal"}`; !strings.Contains(last.Body, `[`+want+`]`) {
		t.Errorf("sent %s", last.Body)
	}
	if got := server.find("Users", "ada@acme.example").Text("title"); got != "Analyst" {
		t.Errorf("title %q", got)
	}
	if err := ada.Set("shoe", "44"); err == nil {
		t.Error("an attribute that nobody has was set")
	}
	if _, err := c.Find(t.Context(), "nobody@acme.example"); !errors.Is(err, simulate.ErrUnknown) {
		t.Errorf("nobody: %v", err)
	}
}

// Manager and role are not taken away by a change of something else, though this client has never heard of them.
func TestChange_leaves_a_manager_and_a_role_alone_that_another_client_has_written(t *testing.T) {
	for _, options := range [][]string{nil, {"complex-roles"}, {"aadOptscim062020"}} {
		server, base := newSCIMServer(t)
		p := provider(t, "entra-id")
		people := cast(t)
		people[1].Role = "Admin"
		first := client(t, p, base, simulate.SCIMOptions{Options: options})
		ok(t, first.Hire(t.Context(), people[0]))
		ok(t, first.Hire(t.Context(), people[1]))
		for _, knowsTheManager := range []bool{false, true} {
			c := client(t, p, base, simulate.SCIMOptions{Options: options})
			if knowsTheManager {
				_, err := c.Find(t.Context(), people[0].Email)
				ok(t, err)
			}
			ben, err := c.Find(t.Context(), people[1].Email)
			ok(t, err)
			if ben.Role != "Admin" || (ben.Manager == people[0].Email) != knowsTheManager {
				t.Errorf("%v: read back %+v", options, ben)
			}
			ben.Department = "Legal"
			ok(t, c.Change(t.Context(), ben))
			if x := c.Exchanges()[len(c.Exchanges())-1]; strings.Contains(x.Body, "manager") || strings.Contains(x.Body, "roles") {
				t.Errorf("%v: sent %s", options, x.Body)
			}
			enterprise, _ := server.find("Users", ben.Email).Get(scim.EnterpriseURN)
			if manager, _ := enterprise.Object().Get("manager"); manager.Object().Text("value") == "" {
				t.Errorf("%v: the manager is lost", options)
			}
		}
		ben, err := first.Find(t.Context(), people[1].Email)
		ok(t, err)
		ben.Manager = ""
		ok(t, first.Change(t.Context(), ben))
		enterprise, _ := server.find("Users", ben.Email).Get(scim.EnterpriseURN)
		if manager, _ := enterprise.Object().Get("manager"); manager.Object().Text("value") != "" {
			t.Errorf("%v: the manager was not taken away: %s", options, enterprise.AppendJSON(nil))
		}
	}
}

func TestGroups_lose_nobody_whom_the_client_does_not_know(t *testing.T) {
	everyDialect(t, func(t *testing.T, p idp.Provider, options []string) {
		server, base := newSCIMServer(t)
		ok(t, client(t, p, base, simulate.SCIMOptions{Options: options}).Play(t.Context(), simulate.PlotGroups, cast(t), nil))
		c := client(t, p, base, simulate.SCIMOptions{Options: options})
		if !c.Speaks(idp.MoveQuit) || !c.Speaks(idp.MoveFindGroup) {
			t.Skip("it has no such move")
		}
		ok(t, c.Quit(t.Context(), "Staff", "chiara@acme.example"))
		if got := server.members(t, "Staff"); !slices.Equal(got, []string{"ada@acme.example", "ben@acme.example"}) {
			t.Errorf("members %q", got)
		}
		ok(t, c.Join(t.Context(), "Staff", "chiara@acme.example"))
		if got := server.members(t, "Staff"); len(got) != 3 {
			t.Errorf("members %q", got)
		}
		if err := c.Join(t.Context(), "Nobody's", "ada@acme.example"); !errors.Is(err, simulate.ErrUnknown) {
			t.Errorf("an unknown group: %v", err)
		}
	})
}

func TestThe_same_seed_sends_the_same(t *testing.T) {
	play := func(seed uint64) string {
		_, base := newSCIMServer(t)
		c := client(t, provider(t, "okta"), base, simulate.SCIMOptions{Seed: seed})
		ok(t, c.Play(t.Context(), simulate.PlotAll, cast(t), nil))
		var all strings.Builder
		for _, x := range c.Exchanges() {
			all.WriteString(x.Method + x.Target + strings.ReplaceAll(x.Body, base, "") + "\n")
		}
		return all.String()
	}
	one, again, other := play(7), play(7), play(8)
	if one != again {
		t.Errorf("two runs differ:\n%s\n%s", one, again)
	}
	if one == other {
		t.Error("another seed sends the same")
	}
}

func TestWhat_is_kept_lets_another_client_go_on_and_holds_no_token(t *testing.T) {
	_, base := newSCIMServer(t)
	p := provider(t, "okta")
	c := client(t, p, base, simulate.SCIMOptions{})
	ok(t, c.Hire(t.Context(), cast(t)[0]))
	kept, err := json.Marshal(c.State())
	ok(t, err)
	recorded, err := json.Marshal(c.Exchanges())
	ok(t, err)
	if strings.Contains(string(kept)+string(recorded), scimToken) {
		t.Error("the token was kept")
	}
	var state simulate.State
	ok(t, json.Unmarshal(kept, &state))
	next := client(t, p, base, simulate.SCIMOptions{State: state})
	ok(t, next.Leave(t.Context(), "ada@acme.example"))
	if n := len(next.Exchanges()); n != 1 {
		t.Errorf("%d requests; the id was known", n)
	}
	_, elsewhere := newSCIMServer(t)
	if _, err := simulate.NewSCIMClient(p, simulate.Target{BaseURL: elsewhere}, simulate.SCIMOptions{State: state}); err == nil || !strings.Contains(err.Error(), "name another file") {
		t.Errorf("the state of another server: %v", err)
	}
	if _, err := simulate.NewSCIMClient(provider(t, "entra-id"), simulate.Target{BaseURL: base}, simulate.SCIMOptions{State: state}); err == nil {
		t.Error("the state of another provider was taken")
	}
}

func TestClients_are_refused_what_their_provider_would_refuse(t *testing.T) {
	for _, tc := range []struct {
		name, base, want string
		slug             idp.Slug
		options          []string
	}{
		{"an underscore in Okta's base address", "http://127.0.0.1/scim/v2/a_b", "with '_' in it", "okta", nil},
		{"no address", "/scim/v2", "is no address", "okta", nil},
		{"another scheme", "ftp://127.0.0.1/scim", "is no address", "okta", nil},
		{"an option that there is not", "http://127.0.0.1/scim", `no option "sings"; there are ["header-token"`, "okta", []string{"sings"}},
		{"a provider without SCIM", "http://127.0.0.1/scim", "Google Workspace sends no SCIM. ", "google-workspace", nil},
		{"a provider without a dialect", "http://127.0.0.1/scim", "sailpoint/simulate.json", "sailpoint", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := simulate.NewSCIMClient(provider(t, tc.slug), simulate.Target{BaseURL: tc.base}, simulate.SCIMOptions{Options: tc.options})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
	_, base := newSCIMServer(t)
	c := client(t, provider(t, "pingfederate"), base, simulate.SCIMOptions{})
	if err := c.Import(t.Context()); !errors.Is(err, simulate.ErrNotSpoken) {
		t.Errorf("a move that it does not have: %v", err)
	}
}

func TestFlag_in_the_tenant_address_switches_the_dialect(t *testing.T) {
	_, base := newSCIMServer(t)
	c := client(t, provider(t, "entra-id"), base+"?aadOptscim062020", simulate.SCIMOptions{})
	ok(t, c.Hire(t.Context(), cast(t)[0]))
	ok(t, c.Leave(t.Context(), "ada@acme.example"))
	for _, x := range c.Exchanges() {
		if strings.Count(x.Target, "aadOptscim062020") != 1 {
			t.Errorf("%s %s", x.Method, x.Target)
		}
	}
	if last := c.Exchanges()[len(c.Exchanges())-1]; !strings.Contains(last.Body, `{"op":"replace","path":"active","value":false}`) {
		t.Errorf("sent %s", last.Body)
	}
}

func TestToken_is_sent_as_the_provider_sends_it(t *testing.T) {
	for _, tc := range []struct {
		options []string
		want    string
	}{{nil, "Bearer " + scimToken}, {[]string{"header-token"}, scimToken}} {
		server, base := newSCIMServer(t)
		var got http.Header
		server.before = func(_ http.ResponseWriter, r *http.Request) bool {
			got = r.Header.Clone()
			return false
		}
		ok(t, client(t, provider(t, "okta"), base, simulate.SCIMOptions{Options: tc.options}).Connect(t.Context()))
		if got.Get("Authorization") != tc.want || got.Get("User-Agent") != "Okta SCIM Client 1.0.0" || got.Get("Content-Type") != "" {
			t.Errorf("%v: %v", tc.options, got)
		}
	}
}
