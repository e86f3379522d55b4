//go:build unix

package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
)

// pair is two servers on one PostgreSQL.
type pair struct{ one, two *process }

func newPair(t *testing.T) pair {
	t.Helper()
	if !slices.Contains(dbtest.Engines(t), db.PostgreSQL) {
		t.Skip("several processes need PostgreSQL, which is left out")
	}
	h := newHome(t, db.PostgreSQL)
	// Both at once on an empty database: one of them migrates.
	var p pair
	p.one = h.launch(t, "serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--rate-limit", "0", "--api-rate-limit", "0")
	p.two = h.start(t)
	p.one.url = p.one.says(t, p.one.log, started)
	return p
}

func (p pair) each() []*process { return []*process{p.one, p.two} }

func (p pair) stop(t *testing.T) {
	t.Helper()
	p.one.stop(t)
	p.two.stop(t)
}

func TestTwo_processes_see_each_others_writes_at_once(t *testing.T) {
	p := newPair(t)
	x := newTenant(t, p.one, "Shared")
	for n := range 20 {
		here, there := x.scim(p.one), x.scim(p.two)
		if n%2 == 1 {
			here, there = there, here
		}
		name := fmt.Sprintf("person-%d", n)
		id := text(here.must(t, 201, "POST", "/Users", userBody(name, name)), "id")
		if got := there.must(t, 200, "GET", "/Users/"+id, ""); text(got, "userName") != name {
			t.Errorf("the other process has %v", got)
		}
		there.must(t, 200, "PATCH", "/Users/"+id, deactivate())
		if got := here.must(t, 200, "GET", "/Users/"+id, ""); got["active"] != false {
			t.Errorf("deactivated through the other process, she is %v", got)
		}
		twin := userBody("twin-of-"+name, "Twin")
		here.must(t, 201, "POST", "/Users", twin)
		there.must(t, 409, "POST", "/Users", twin)
	}
	p.stop(t)
}

func TestRevoked_token_is_refused_by_the_other_process_in_the_very_next_request(t *testing.T) {
	p := newPair(t)
	x := newTenant(t, p.one, "Shared")
	for range 10 {
		made := p.two.api().must(t, 201, "POST", "/directories/"+x.directory+"/tokens", "")
		second := newClient(p.one.url+x.path, text(made, "bearer_token"))
		for range 3 { // the process knows it well
			second.must(t, 200, "GET", "/Users", "")
		}
		p.two.api().must(t, 204, "DELETE", "/directories/"+x.directory+"/tokens/"+text(made, "id"), "")
		a, err := second.do(t.Context(), "GET", "/Users", "")
		must(t, err)
		if a.status != http.StatusUnauthorized || a.header.Get("WWW-Authenticate") == "" {
			t.Fatalf("a revoked token is answered %d %s", a.status, a.raw)
		}
	}
	x.scim(p.one).must(t, 200, "GET", "/Users", "") // the first one is nobody else's business
	p.stop(t)
}

func TestFormer_label_is_refused_by_the_other_process_in_the_very_next_request(t *testing.T) {
	p := newPair(t)
	x := newTenant(t, p.one, "Shared")
	for i, label := range []string{"first", "second", "third"} {
		p.two.api().must(t, 200, "PATCH", "/directories/"+x.directory, fmt.Sprintf(`{"label":%q,"strict":%v}`, label, i%2 == 1))
		labelled := newClient(p.one.url+"/scim/v2/"+label, x.token)
		for range 3 { // the process knows it well
			labelled.must(t, 200, "GET", "/Users", "")
		}
		p.two.api().must(t, 200, "PATCH", "/directories/"+x.directory, `{"label":null}`)
		labelled.must(t, 401, "GET", "/Users", "")
		x.scim(p.one).must(t, 200, "GET", "/Users", "")
	}
	p.stop(t)
}

// A process that hears nothing for a while, on a paused virtual machine for instance, must not go on from what it remembers. One
// that has died must not hold up the others.
func TestToken_revoked_while_the_other_process_slept_or_died_is_refused(t *testing.T) {
	p := newPair(t)
	x := newTenant(t, p.one, "Shared")
	idp := x.scim(p.two)
	idp.must(t, 200, "GET", "/Users", "")
	made := p.one.api().must(t, 201, "POST", "/directories/"+x.directory+"/tokens", "")
	second := newClient(p.two.url+x.path, text(made, "bearer_token"))
	second.must(t, 200, "GET", "/Users", "") // remembered now
	p.two.signal(t, syscall.SIGSTOP)
	p.one.api().must(t, 204, "DELETE", "/directories/"+x.directory+"/tokens/"+text(made, "id"), "")
	p.two.signal(t, syscall.SIGCONT)
	second.must(t, 401, "GET", "/Users", "")
	idp.must(t, 200, "GET", "/Users", "")

	made = p.one.api().must(t, 201, "POST", "/directories/"+x.directory+"/tokens", "")
	second = newClient(p.one.url+x.path, text(made, "bearer_token"))
	second.must(t, 200, "GET", "/Users", "")
	p.two.kill(t)
	p.one.api().must(t, 204, "DELETE", "/directories/"+x.directory+"/tokens/"+text(made, "id"), "")
	second.must(t, 401, "GET", "/Users", "")
	p.one.stop(t)
}

func TestTwo_processes_patching_one_group_lose_no_member_and_no_event(t *testing.T) {
	const each, crowd = 8, 12 // people of a writer, writers of a process
	p := newPair(t)
	x := newTenant(t, p.one, "Shared")
	group := text(x.scim(p.one).must(t, 201, "POST", "/Groups", groupBody("Everybody")), "id")
	reading, done := context.WithCancel(context.Background())
	defer done()
	seen := make([][]happening, 2)
	var readers, writers sync.WaitGroup
	for i, server := range p.each() {
		readers.Go(func() { seen[i] = readUntil(reading, t, server.api()) })
		for w := range crowd {
			writers.Go(func() { joinAll(t, x.scim(server), group, fmt.Sprintf("p%d-w%d", i, w), each) })
		}
	}
	writers.Wait()
	done()
	readers.Wait()
	for _, server := range p.each() {
		in := members(t, x.scim(server), group)
		if len(in) != 2*crowd*each {
			t.Errorf("%d members, want %d", len(in), 2*crowd*each)
		}
		for id, n := range in {
			if n != 1 {
				t.Errorf("%s is %d times in the group", id, n)
			}
		}
	}
	checkSameOrder(t, p, seen, 2*crowd*each)
	p.stop(t)
}

func joinAll(t *testing.T, c *client, group, name string, n int) {
	for i := range n {
		a, err := c.do(context.Background(), "POST", "/Users", userBody(fmt.Sprintf("%s-%d", name, i), name))
		if err != nil || a.status != http.StatusCreated {
			t.Errorf("create: %v %d %s", err, a.status, a.raw)
			return
		}
		a, err = c.do(context.Background(), "PATCH", "/Groups/"+group+"?attributes=id", addMember(idOf(t, a)))
		if err != nil || a.status != http.StatusOK {
			t.Errorf("join: %v %d %s", err, a.status, a.raw)
			return
		}
	}
}

// readUntil follows the log, and once more to its end after the writers are done.
func readUntil(reading context.Context, t *testing.T, api *client) (seen []happening) {
	for last := false; !last; {
		last = reading.Err() != nil
		more, err := api.follow(context.Background(), lastID(seen))
		seen = append(seen, more...)
		if err != nil {
			t.Errorf("follow the log: %v", err)
			return seen
		}
	}
	return seen
}

// checkSameOrder: who followed through either process meanwhile saw what the whole log says now, no gap and no repeat. What the server makes of
// people in the background goes on after the last writer, so the log may have grown since; never by what a writer was answered.
func checkSameOrder(t *testing.T, p pair, seen [][]happening, people int) {
	t.Helper()
	for _, server := range p.each() {
		all, err := server.api().follow(t.Context(), "")
		must(t, err)
		checkOnce(t, all)
		count := map[string]int{}
		for _, e := range all {
			count[e.Event]++
		}
		if count[born] != people || count[joined] != people {
			t.Errorf("%d people were created and joined; the events are %v", people, count)
		}
		for i, got := range seen {
			if len(got) > len(all) || !slices.Equal(ids(got), ids(all[:len(got)])) {
				t.Errorf("reader %d saw %d events, not the first of the log's %d in their order", i, len(got), len(all))
				continue
			}
			if late := slices.IndexFunc(all[len(got):], func(e happening) bool { return e.Event == born || e.Event == joined }); late >= 0 {
				t.Errorf("reader %d saw %d events of %d and missed %s", i, len(got), len(all), all[len(got)+late].ID)
			}
		}
	}
}
