package api

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/rollcallhq/rollcall/internal/api/contracttest"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/scim"
)

func readContract(t testing.TB) contracttest.Contract {
	t.Helper()
	return contracttest.Read(t, "testdata/contract.json")
}

// check holds an answer against the contract where that has the route and the status.
func (w *world) check(r *http.Request, at target, got reply) {
	w.Helper()
	if at.row == nil || got.raw == "" {
		return
	}
	var body any = got.object
	if got.array != nil {
		w.must(json.Unmarshal([]byte(got.raw), &body))
	}
	for _, f := range w.contract.Faults(r.Method+" "+at.row.pattern, got.status, body) {
		w.Errorf("%s %s: %s", r.Method, r.URL, f)
	}
}

// Every answer of every test is held against the contract (world.serve); here one of each kind and every type of event is made on
// purpose, so that none is left out.
func TestContract_holds_for_every_event_that_is_appended(t *testing.T) {
	onBoth(t, func(w *world) {
		made := w.send("POST", "/organizations", `{"name":"R&D <EU>","domain_data":[{"domain":"example.com","state":"pending"}]}`).wants(201)
		f := w.feed(made.text("id"), "")
		ann, bob := f.person("ann", `,"title":"Engineer"`), f.person("bob", "")
		team := f.group("Team", ann)
		f.set(ann, "title", `"Lead"`)
		f.set(bob, "active", "false")
		f.rename(team, "Crew", scim.MemberChange{Kind: scim.MembersRemoveAll})
		w.must(w.dirs.DeleteUser(w.Context(), f.access, ann, directory.Condition{}, nothing))
		w.must(w.dirs.DeleteGroup(w.Context(), f.access, team, directory.Condition{}, nothing))
		second := w.send("POST", "/directories/"+f.id+"/tokens", "").wants(201).text("id")
		w.send("DELETE", "/directories/"+f.id+"/tokens/"+second, "").wants(204)
		w.send("DELETE", "/directories/"+f.id, "").wants(202)
		w.everyChangeOfAMember(made.text("id"))
		w.everyChangeOfAnInvitation(made.text("id"))
		w.everythingOfASignIn(made.text("id"))
		w.everyEventOfSignIns(w.send("POST", "/organizations", `{"name":"S","domain_data":[{"domain":"acme.example","state":"verified"}]}`).wants(201).text("id"))
		w.everyChangeOfAccess(w.organization("Access"))
		w.everyChangeOfAnOrganization(made.text("id"))

		seen := map[string]bool{}
		for _, kind := range w.get("/events?limit=100").wants(200).each("event") {
			seen[kind] = true
		}
		for _, kind := range event.Types() {
			if !seen[string(kind)] {
				t.Errorf("no %s was made", kind)
			}
		}
	})
}
