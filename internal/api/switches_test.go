package api

import (
	"net/http"
	"slices"
	"testing"

	"github.com/rollcallhq/rollcall/internal/event"
)

const switchesRoute = "/organizations/{id}/identity_provider_switches"

// moving is an organization with two directories, between which it switches.
type moving struct {
	*world
	organization, path string
	old, next          feed
}

func (w *world) moving(name string) moving {
	w.Helper()
	m := moving{world: w, organization: w.organization(name)}
	m.old, m.next = w.feed(m.organization, ""), w.feed(m.organization, `,"live":false`)
	m.path = "/organizations/" + m.organization + "/identity_provider_switches"
	return m
}

func (m moving) parts() string {
	return `{"from":{"directory_id":"` + m.old.id + `"},"to":{"directory_id":"` + m.next.id + `","connection_id":null}}`
}

func (w *world) auditsOfSwitches(does audited) {
	w.Helper()
	m := w.moving("Switching")
	ada, bob := m.old.person("ada", ""), m.next.person("bob", "")
	one, two := m.old.group("Everybody"), m.next.group("All")
	path := m.path + "/" + does("POST "+switchesRoute, m.path, m.parts(), "identity_provider_switch.created").text("id")
	const route = switchesRoute + "/{switch_id}"
	does("PUT "+route+"/people/{old_id}", path+"/people/"+ada, `{"new_id":"`+bob+`"}`, "identity_provider_switch.match_set")
	does("PUT "+route+"/groups/{old_id}", path+"/groups/"+one, `{"new_id":"`+two+`"}`, "identity_provider_switch.match_set")
	does("POST "+route+"/cut_over", path+"/cut_over", "", "identity_provider_switch.cut_over")
	does("POST "+route+"/revert", path+"/revert", "", "identity_provider_switch.reverted")
	path = m.path + "/" + m.send("POST", m.path, m.parts()).wants(http.StatusCreated).text("id")
	does("POST "+route+"/cancel", path+"/cancel", "", "identity_provider_switch.cancelled")
}

func TestSwitch_is_prepared_matched_cut_over_and_reverted(t *testing.T) {
	onBoth(t, func(w *world) {
		w.provisioned()
		m := w.moving("Acme")
		ada, bob, cyd := m.old.person("ada", ""), m.old.person("bob", ""), m.old.person("cyd", "")
		newAda, robert, dan := m.next.person("ada", ""), m.next.person("robert", ""), m.next.person("dan", "")
		engineers, same := m.old.group("Engineers", ada), m.next.group("ENGINEERS", newAda)

		made := w.send("POST", m.path, m.parts()).wants(http.StatusCreated)
		if made.text("state") != "preparing" || made.text("from.directory_id") != m.old.id || made.at("to.connection_id") != nil || made.at("people.matched") != 1.0 || made.at("people.unmatched") != 2.0 {
			t.Errorf("made %s", made.raw)
		}
		path := m.path + "/" + made.text("id")
		w.send("POST", m.path, m.parts()).refused(http.StatusConflict, "switch_open", "")

		person := func(query string) []string {
			w.Helper()
			page := w.get(path + "/people?order=asc" + query).wants(http.StatusOK)
			return page.each("id")
		}
		if got := person("&match=matched"); !slices.Equal(got, []string{ada}) {
			t.Errorf("matched %v", got)
		}
		if got := person("&match=only_new"); !slices.Equal(got, []string{robert, dan}) {
			t.Errorf("only new %v", got)
		}
		w.walk(path+"/people?order=asc", []string{ada, bob, cyd, robert, dan})
		one := w.get(path + "/people?match=matched").wants(http.StatusOK).data()[0]
		if old := one["old"].(map[string]any); one["found_by"] != "user_name" || old["email"] != "ada@example.com" || old["active"] != true || one["new"].(map[string]any)["id"] != newAda {
			t.Errorf("shown %v", one)
		}
		group := w.get(path + "/groups").wants(http.StatusOK).data()
		if len(group) != 1 || group[0]["id"] != engineers || group[0]["found_by"] != "name" || group[0]["new"].(map[string]any)["id"] != same || group[0]["old"].(map[string]any)["name"] != "Engineers" {
			t.Errorf("groups %v", group)
		}
		w.get(path+"/people?match=perhaps").refused(http.StatusUnprocessableEntity, "invalid_match", "match")
		w.get(path+"/people?after=user_x").refused(http.StatusBadRequest, "invalid_cursor", "after")

		byHand := path + "/people/" + bob
		if set := w.send("PUT", byHand, `{"new_id":"`+robert+`"}`).wants(http.StatusOK); set.text("found_by") != "hand" || set.text("new.id") != robert || set.text("match") != "matched" {
			t.Errorf("set %s", set.raw)
		}
		w.send("PUT", byHand, `{}`).refused(http.StatusUnprocessableEntity, "required", "new_id")
		w.send("PUT", byHand, `{"new_id":"`+ada+`"}`).refused(http.StatusUnprocessableEntity, "unknown_counterpart", "new_id")
		w.send("PUT", byHand, `{"new_id":"om_x"}`).refused(http.StatusUnprocessableEntity, "unknown_counterpart", "new_id")
		w.send("PUT", byHand, `{"new_id":""}`).refused(http.StatusUnprocessableEntity, "unknown_counterpart", "new_id")
		w.send("PUT", path+"/people/"+cyd, `{"new_id":"`+robert+`"}`).refused(http.StatusConflict, "counterpart_taken", "")
		w.send("PUT", path+"/people/"+robert, `{"new_id":"`+dan+`"}`).refused(http.StatusNotFound, "entity_not_found", "")
		w.send("PUT", path+"/groups/"+engineers, `{"new_id":"`+robert+`"}`).refused(http.StatusUnprocessableEntity, "unknown_counterpart", "new_id")

		refused := w.send("POST", path+"/cut_over", "")
		refused.refused(http.StatusConflict, "people_unmatched", "")
		if refused.at("confirm") != 1.0 {
			t.Errorf("confirm %v", refused.at("confirm"))
		}
		w.send("POST", path+"/cut_over", `{"expected_unmatched":2}`).refused(http.StatusConflict, "people_unmatched", "")
		w.send("POST", path+"/cut_over", `{"expected_unmatched":"1"}`).refused(http.StatusUnprocessableEntity, "invalid_type", "expected_unmatched")
		w.send("POST", path+"/revert", "").refused(http.StatusConflict, "switch_state", "")
		over := w.send("POST", path+"/cut_over", `{"expected_unmatched":1}`).wants(http.StatusOK)
		if over.text("state") != "cut_over" || over.text("revertible_until") == "" || over.text("directory_mapping") != "none" {
			t.Errorf("cut over %s", over.raw)
		}
		w.send("POST", path+"/cut_over", `{"expected_unmatched":1}`).refused(http.StatusConflict, "switch_state", "")
		w.send("POST", path+"/cancel", "").refused(http.StatusConflict, "switch_state", "")
		for id, live := range map[string]bool{m.old.id: false, m.next.id: true} {
			if got := w.get("/directories/" + id).wants(http.StatusOK); got.object["live"] != live {
				t.Errorf("%s is live: %v", id, got.object["live"])
			}
			w.send("DELETE", "/directories/"+id, "").refused(http.StatusConflict, "identity_provider_switching", "")
		}
		w.send("POST", "/directories/"+m.old.id+"/go_live", "").refused(http.StatusConflict, "identity_provider_switching", "")
		if got := w.get(path + "/people?match=unmatched").wants(http.StatusOK).each("id"); !slices.Equal(got, []string{cyd}) {
			t.Errorf("left as they are: %v", got)
		}

		if back := w.send("POST", path+"/revert", "").wants(http.StatusOK); back.text("state") != "reverted" || back.text("ended_at") == "" {
			t.Errorf("reverted %s", back.raw)
		}
		w.send("DELETE", "/directories/"+m.next.id, "").wants(http.StatusAccepted)
		if list := w.get(m.path).wants(http.StatusOK).data(); len(list) != 1 || list[0]["state"] != "reverted" {
			t.Errorf("listed %v", list)
		}
		kinds := w.own(m.organization, event.SwitchCreated, event.SwitchCutOver, event.SwitchReverted)
		if want := []string{"identity_provider_switch.created", "identity_provider_switch.cut_over", "identity_provider_switch.reverted"}; !slices.Equal(kinds, want) {
			t.Errorf("events %v", kinds)
		}
	})
}

func TestSwitch_of_another_organization_is_not_there(t *testing.T) {
	onBoth(t, func(w *world) {
		m, other := w.moving("Acme"), w.moving("Other")
		ada := m.old.person("ada", "")
		id := w.send("POST", m.path, m.parts()).wants(http.StatusCreated).text("id")
		theirs := other.path + "/" + id
		for _, at := range [][3]string{
			{"GET", ""},
			{"GET", "/people"},
			{"GET", "/groups"},
			{"POST", "/cut_over"},
			{"POST", "/revert"},
			{"POST", "/cancel"},
			{"PUT", "/people/" + ada, `{"new_id":null}`},
			{"PUT", "/groups/" + m.old.group("G"), `{"new_id":null}`},
		} {
			w.send(at[0], theirs+at[1], at[2]).refused(http.StatusNotFound, "entity_not_found", "")
		}
		if list := w.get(other.path).wants(http.StatusOK).data(); len(list) != 0 {
			t.Errorf("listed %v", list)
		}
		mixed := `{"from":{"directory_id":"` + other.old.id + `"},"to":{"directory_id":"` + m.next.id + `"}}`
		w.send("POST", other.path, mixed).refused(http.StatusUnprocessableEntity, "unknown_directory", "to.directory_id")
		mixed = `{"from":{"directory_id":"` + m.old.id + `"},"to":{"directory_id":"` + other.next.id + `"}}`
		w.send("POST", other.path, mixed).refused(http.StatusUnprocessableEntity, "unknown_directory", "from.directory_id")
		mine, _ := w.samlConnection(m.organization)
		their, _ := w.samlConnection(other.organization)
		for field, body := range map[string]string{
			"from.connection_id": `{"from":{"connection_id":"` + mine.text("id") + `"},"to":{"connection_id":"` + their.text("id") + `"}}`,
			"to.connection_id":   `{"from":{"connection_id":"` + their.text("id") + `"},"to":{"connection_id":"` + mine.text("id") + `"}}`,
		} {
			w.send("POST", other.path, body).refused(http.StatusUnprocessableEntity, "unknown_connection", field)
		}
		if got := w.get(m.path + "/" + id).wants(http.StatusOK); got.text("state") != "preparing" {
			t.Errorf("is %s", got.raw)
		}
	})
}

func TestSwitch_says_what_it_cannot_begin_with(t *testing.T) {
	onBoth(t, func(w *world) {
		m := w.moving("Acme")
		live := w.feed(m.organization, "").id
		first, _ := w.samlConnection(m.organization)
		second, _ := w.samlConnection(m.organization)
		off, _ := w.samlConnection(m.organization)
		w.send("PATCH", "/connections/"+off.text("id"), `{"state":"inactive"}`).wants(http.StatusOK)
		directories := func(from, to string) string {
			return `{"from":{"directory_id":"` + from + `"},"to":{"directory_id":"` + to + `"}}`
		}
		connections := func(from, to string) string {
			return `{"from":{"connection_id":"` + from + `"},"to":{"connection_id":"` + to + `"}}`
		}
		for body, want := range map[string]struct {
			status      int
			code, field string
		}{
			`{}`: {422, "required", "from"},
			`{"from":{"directory_id":"` + m.old.id + `"},"to":{}}`:                                                                                        {422, "kinds_differ", "to.directory_id"},
			`{"from":{},"to":{"directory_id":"` + m.next.id + `","connection_id":"` + first.text("id") + `"}}`:                                            {422, "required", "from"},
			`{"from":{"directory_id":"` + m.old.id + `"},"to":{"connection_id":"` + first.text("id") + `"}}`:                                              {422, "kinds_differ", "from.connection_id"},
			`{"from":{"connection_id":"` + first.text("id") + `"},"to":{"directory_id":"` + m.next.id + `"}}`:                                             {422, "kinds_differ", "to.connection_id"},
			`{"from":{"connection_id":"` + first.text("id") + `"},"to":{"connection_id":"` + second.text("id") + `","directory_id":"` + m.next.id + `"}}`: {422, "kinds_differ", "from.directory_id"},
			directories("directory_x", m.next.id):                            {422, "unknown_directory", "from.directory_id"},
			directories(m.old.id, m.old.id):                                  {422, "same_directory", "to.directory_id"},
			directories(m.old.id, live):                                      {409, "directory_live", ""},
			directories(m.next.id, m.old.id):                                 {409, "directory_not_live", ""},
			connections(first.text("id"), first.text("id")):                  {422, "same_connection", "to.connection_id"},
			connections(off.text("id"), first.text("id")):                    {409, "connection_not_open", ""},
			connections(first.text("id"), "conn_01JDXA5Q0G8YQZP0R3M4T7W9KE"): {422, "unknown_connection", "to.connection_id"},
		} {
			w.send("POST", m.path, body).refused(want.status, want.code, want.field)
		}
		if list := w.get(m.path).wants(http.StatusOK).data(); len(list) != 0 {
			t.Errorf("a refused one was made: %v", list)
		}
		id := w.send("POST", m.path, connections(first.text("id"), second.text("id"))).wants(http.StatusCreated).text("id")
		w.send("POST", m.path+"/"+id+"/cut_over", "").refused(http.StatusConflict, "connection_not_tested", "")
		w.send("PUT", m.path+"/"+id+"/people/"+m.old.person("ada", ""), `{"new_id":null}`).refused(http.StatusConflict, "no_directory", "")
		for _, c := range []string{first.text("id"), second.text("id")} {
			w.send("DELETE", "/connections/"+c, "").refused(http.StatusConflict, "identity_provider_switching", "")
		}
		w.send("PATCH", "/connections/"+second.text("id"), `{"state":"active"}`).refused(http.StatusConflict, "identity_provider_switching", "")
		w.send("POST", m.path+"/"+id+"/cancel", "").wants(http.StatusOK)
		w.send("DELETE", "/connections/"+second.text("id"), "").wants(http.StatusNoContent)
	})
}
