package api

import (
	"net/http"
	"testing"

	"github.com/rollcallhq/rollcall/internal/token"
)

const brakeOn = `{"enabled":true,"share_percent":1,"people":2,"hold_minutes":30}`

// burst is a directory whose brake holds the second of two people who leave.
func (w *world) burst(organization string) (f feed, people []string) {
	w.Helper()
	f = w.feed(organization, `,"provisioning":"direct"`)
	for _, name := range []string{"ada", "bob", "cleo"} {
		people = append(people, f.person(name, ""))
	}
	w.must(w.dirs.Provision(w.Context()))
	w.send("PUT", "/directories/"+f.id+"/brake", brakeOn).wants(http.StatusOK)
	var err error
	f.access, err = w.dirs.Authenticate(w.Context(), "", token.Secret(f.made.text("bearer_token")))
	w.must(err)
	f.set(people[0], "active", "false")
	f.set(people[1], "active", "false")
	return f, people
}

func TestBrake_is_set_as_a_whole_and_shown(t *testing.T) {
	onBoth(t, func(w *world) {
		f := w.feed(w.organization("Acme"), "")
		path := "/directories/" + f.id + "/brake"
		if b := w.get(path).wants(http.StatusOK); b.object["enabled"] != false || b.object["share_percent"] != 10.0 || b.object["people"] != 5.0 ||
			b.object["window_minutes"] != 15.0 || b.object["hold_minutes"] != 60.0 || b.text("directory_id") != f.id || b.text("object") != "directory_brake" {
			t.Errorf("%s", b.raw)
		}
		if b := w.send("PUT", path, brakeOn).wants(http.StatusOK); b.object["enabled"] != true || b.object["hold_minutes"] != 30.0 || b.object["window_minutes"] != 15.0 {
			t.Errorf("%s", b.raw)
		}
		if b := w.send("PUT", path, `{"enabled":true}`).wants(http.StatusOK); b.object["share_percent"] != 10.0 {
			t.Errorf("%s", b.raw)
		}
		for body, field := range map[string]string{
			`{"share_percent":0}`: "share_percent", `{"share_percent":100}`: "share_percent", `{"people":1}`: "people", `{"window_minutes":1441}`: "window_minutes",
			`{"hold_minutes":61}`: "hold_minutes", `{"hold_minutes":0}`: "hold_minutes",
		} {
			w.send("PUT", path, body).refused(http.StatusUnprocessableEntity, "invalid", field)
		}
		const nobodys = "/directories/directory_01M80ZTZ164MCZ9G3QZ4VJG000"
		w.get(nobodys+"/brake").refused(http.StatusNotFound, "entity_not_found", "")
		w.send("PUT", nobodys+"/brake", brakeOn).refused(http.StatusNotFound, "entity_not_found", "")
		w.get(nobodys+"/holds").refused(http.StatusNotFound, "entity_not_found", "")
	})
}

func TestHold_is_listed_with_its_people_and_undone(t *testing.T) {
	onBoth(t, func(w *world) {
		w.provisioned()
		f, people := w.burst(w.organization("Acme"))
		path := "/directories/" + f.id + "/holds"
		found := w.get(path).wants(http.StatusOK).data()
		if len(found) != 1 || found[0]["state"] != "waiting" || found[0]["count"] != 1.0 || found[0]["reason"] != nil || found[0]["ended_at"] != nil ||
			found[0]["engaged_at"] == nil || found[0]["until"] == nil || found[0]["departed"] != 2.0 || found[0]["active"] != 3.0 {
			t.Fatalf("%v", found)
		}
		held := found[0]["people"].([]any)
		if one := held[0].(map[string]any); len(held) != 1 || one["directory_user_id"] != people[1] || one["state"] != "waiting" || one["says"] != "inactive" {
			t.Errorf("%v", held)
		}
		if u := w.get("/directory_users/" + people[1]).wants(http.StatusOK); u.text("state") != "active" || u.object["held"] != true {
			t.Errorf("%s", u.raw)
		}
		if u := w.get("/directory_users/" + people[0]).wants(http.StatusOK); u.text("state") != "inactive" || u.object["held"] != nil {
			t.Errorf("%s", u.raw)
		}
		id := found[0]["id"].(string)
		if h := w.send("POST", path+"/"+id+"/undo", "").wants(http.StatusOK); h.text("state") != "undone" || h.text("reason") != "by_hand" || h.text("ended_by") == "" {
			t.Errorf("%s", h.raw)
		}
		w.send("POST", path+"/"+id+"/release", "").refused(http.StatusConflict, "hold_ended", "")
		w.send("POST", path+"/hold_1/release", "").refused(http.StatusNotFound, "entity_not_found", "")
		w.send("POST", path+"/directory_hold_01M80ZTZ164MCZ9G3QZ4VJG000/undo", "").refused(http.StatusNotFound, "entity_not_found", "")
		w.get(path+"?after=directory_1").refused(http.StatusBadRequest, "invalid_cursor", "after")
		other := w.feed(w.organization("Other"), "")
		w.send("POST", "/directories/"+other.id+"/holds/"+id+"/undo", "").refused(http.StatusNotFound, "entity_not_found", "")
	})
}
