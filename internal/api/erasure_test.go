package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// Every event of a person and of an organization is still an event of the contract when they have been forgotten (world.serve holds
// each page against it).
func TestErasure_leaves_events_that_the_contract_allows(t *testing.T) {
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) {
		d := open()
		w := newWorld(t, d)
		organization := w.send("POST", "/organizations", `{"name":"Babbage Works","external_id":"babbage-1","metadata":{"tier":"babbage"},
			"domain_data":[{"domain":"babbage.example","state":"pending"}]}`).wants(http.StatusCreated).text("id")
		f := w.feed(organization, "")
		ann := f.person("babbage-ann", `,"title":"Babbage","externalId":"babbage-x"`)
		bob := f.person("babbage-bob", "")
		team := f.group("Babbage Team", ann, bob)
		f.set(ann, "title", `"Lead"`)
		f.set(ann, "active", "false")
		f.set(ann, "active", "true")
		f.rename(team, "Babbage Crew", scim.MemberChange{Kind: scim.MembersRemoveAll})
		w.must(w.dirs.DeleteUser(w.Context(), f.access, ann, directory.Condition{}, nothing))
		w.signIn(organization, "babbage-1", "babbage-cal@babbage.example")

		forget := func(subject string) {
			events := w.server.o.Events
			w.must(d.Tx(w.Context(), func(tx db.Tx) error { return events.ForgetTx(w.Context(), tx, organization, subject, time.Now()) }))
			if n, err := events.Erase(w.Context(), time.Now().Add(time.Hour)); err != nil || n != 1 {
				t.Fatalf("%d erased: %v", n, err)
			}
		}
		ids := w.get("/events?limit=100").each("id")
		forget(ann)
		after := w.get("/events?limit=100").wants(http.StatusOK)
		same(t, "ids", after.each("id"), ids)
		if strings.Contains(after.raw, "babbage-ann") || !strings.Contains(after.raw, "babbage-bob") {
			t.Errorf("of a person: %s", after.raw)
		}
		forget("")
		after = w.get("/events?limit=100").wants(http.StatusOK)
		same(t, "ids", after.each("id"), ids)
		for _, e := range after.data() {
			text, err := json.Marshal(e)
			w.must(err)
			if strings.Contains(strings.ToLower(string(text)), "babbage") && e["event"] != "user.created" { // accounts do not go with an organization
				t.Errorf("an event still says %s", text)
			}
			for _, f := range w.contract.FaultsOf("EventSchema", e) {
				t.Errorf("%s: %s", text, f)
			}
		}
	})
}

// An account that is deleted leaves no address, name or place in what is told of it, of its sessions and of the codes that were mailed to it.
func TestErasure_of_an_account_leaves_events_that_the_contract_allows(t *testing.T) {
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) {
		w := newWorld(t, open())
		organization := w.organization("Acme")
		w.everyChangeOfAMember(organization) // ends with an account that is there
		eve := w.signIn(organization, "2", "eve@example.com")
		dan, err := w.members.UserByEmail(w.Context(), "dan@example.com")
		w.must(err)
		w.must(w.members.DeleteUser(w.Context(), event.Actor{ID: "test", Source: event.API}, dan.ID))
		ids := w.get("/events?limit=100").each("id")
		for {
			n, err := w.server.o.Events.Erase(w.Context(), time.Now().Add(time.Hour))
			w.must(err)
			if n == 0 {
				break
			}
		}
		after := w.get("/events?limit=100").wants(http.StatusOK)
		same(t, "ids", after.each("id"), ids)
		for _, e := range after.data() {
			text, err := json.Marshal(e)
			w.must(err)
			// That of before there was an account is known by the address.
			if strings.Contains(string(text), "cal@") || strings.Contains(string(text), "ohara@") || strings.Contains(string(text), "dan@") {
				t.Errorf("an event still says %s", text)
			}
			for _, f := range w.contract.FaultsOf("EventSchema", e) {
				t.Errorf("%s: %s", text, f)
			}
		}
		if !strings.Contains(after.raw, eve.User.Email) {
			t.Error("somebody else was forgotten too")
		}
	})
}
