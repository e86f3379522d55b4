package api

import (
	"net/http"
	"strings"
	"testing"
)

func TestConsumers_read_and_acknowledge(t *testing.T) {
	onBoth(t, func(w *world) {
		f := w.busy("Acme")
		made := w.send("POST", "/event_consumers", `{"name":"mirror","organization_id":"`+f.organization+`"}`).wants(http.StatusCreated)
		for path, want := range map[string]any{
			"object": "event_consumer", "name": "mirror", "organization_id": f.organization, "cursor": nil, "lag": 8.0, "gap": false, "acknowledged_at": nil,
		} {
			if got := made.at(path); got != want {
				t.Errorf("%s is %v, want %v", path, got, want)
			}
		}
		if types, is := made.at("events").([]any); !is || len(types) != 0 {
			t.Errorf("events are %v", made.at("events"))
		}
		all := w.get("/events?limit=100").each("id")
		page := w.get("/event_consumers/mirror/events?limit=3").wants(http.StatusOK)
		same(t, "the first", page.each("id"), all[:3])
		if page.text("list_metadata.after") != all[2] {
			t.Errorf("metadata %v", page.at("list_metadata"))
		}
		same(t, "the same again", w.get("/event_consumers/mirror/events?limit=3").each("id"), all[:3])
		got := w.send("POST", "/event_consumers/mirror/acknowledge", `{"event_id":"`+all[2]+`"}`).wants(http.StatusOK)
		if got.text("cursor") != all[2] || got.at("lag") != 5.0 || got.text("acknowledged_at") == "" {
			t.Errorf("%s", got.raw)
		}
		w.send("POST", "/event_consumers/mirror/acknowledge", `{"event_id":"`+all[0]+`"}`).wants(http.StatusOK)
		rest := w.get("/event_consumers/mirror/events?limit=100")
		same(t, "the rest", rest.each("id"), all[3:])
		if rest.at("list_metadata.after") != nil {
			t.Errorf("metadata %v", rest.at("list_metadata"))
		}
		w.send("POST", "/event_consumers", `{"name":"people","events":["dsync.user.created","session.created"],"start":"beginning"}`).wants(http.StatusCreated)
		w.send("POST", "/event_consumers", `{"name":"later","start":"now"}`).wants(http.StatusCreated)
		list := w.get("/event_consumers").wants(http.StatusOK)
		same(t, "consumers", list.each("name"), []string{"later", "mirror", "people"})
		same(t, "people", w.get("/event_consumers/people/events").each("event"), []string{"dsync.user.created", "dsync.user.created"})
		same(t, "later", w.get("/event_consumers/later/events").each("event"), []string{})
		if got := w.get("/event_consumers/later").wants(http.StatusOK).text("cursor"); got != all[len(all)-1] {
			t.Errorf("now is %s", got)
		}
		w.send("DELETE", "/event_consumers/later", "").wants(http.StatusNoContent)
		w.get("/event_consumers/later").refused(404, "entity_not_found", "")
	})
}

func TestConsumers_refuse_what_cannot_be_meant(t *testing.T) {
	onBoth(t, func(w *world) {
		f, other := w.busy("Acme"), w.busy("Other")
		w.send("POST", "/event_consumers", `{"name":"c","organization_id":"`+f.organization+`"}`).wants(http.StatusCreated)
		foreign := w.get("/events?organization_id=" + other.organization).each("id")[0]
		for body, want := range map[string][2]string{
			`{}`:           {"invalid_name", "name"},
			`{"name":"A"}`: {"invalid_name", "name"},
			`{"name":"d","events":["dsync.user.creatd"]}`:             {"invalid_event", "events"},
			`{"name":"d","organization_id":"x"}`:                      {"invalid_id", "organization_id"},
			`{"name":"d","start":"soon"}`:                             {"invalid_start", "start"},
			`{"name":"d","start":"event_01ARZ3NDEKTSV4RRFFQ69G5FAV"}`: {"invalid_start", "start"},
			`{"name":7}`: {"invalid_type", "name"},
		} {
			w.send("POST", "/event_consumers", body).refused(422, want[0], want[1])
		}
		w.send("POST", "/event_consumers", `{"name":"c"}`).wants(http.StatusConflict)
		w.send("POST", "/event_consumers", `{"name":"d","organization_id":"org_01ARZ3NDEKTSV4RRFFQ69G5FAV"}`).refused(404, "entity_not_found", "")
		for body, want := range map[string]string{
			`{}`: "required", `{"event_id":"x"}`: "unknown_event", `{"event_id":"event_01ARZ3NDEKTSV4RRFFQ69G5FAV"}`: "unknown_event", `{"event_id":"` + foreign + `"}`: "foreign_event",
		} {
			w.send("POST", "/event_consumers/c/acknowledge", body).refused(422, want, "event_id")
		}
		for _, name := range []string{"nobody", "A", "a%00b", "%ff", strings.Repeat("a", 300)} {
			w.get("/event_consumers/"+name).refused(404, "entity_not_found", "")
			w.get("/event_consumers/"+name+"/events").refused(404, "entity_not_found", "")
			w.send("DELETE", "/event_consumers/"+name, "").refused(404, "entity_not_found", "")
			w.send("POST", "/event_consumers/"+name+"/acknowledge", `{"event_id":"x"}`).refused(404, "entity_not_found", "")
		}
		w.get("/event_consumers/c/events?limit=0").refused(422, "invalid_limit", "limit")
	})
}
