package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
)

// renamed gives an account a first name, as a provider may.
func renamed(userID, name string) *db.Write {
	var w db.Write
	w.Exec(`UPDATE users SET first_name = $2 WHERE id = $1`, userID, name)
	return &w
}

func (w *world) turn() {
	w.Helper()
	_, err := w.offboardings.Begin(w.Context())
	w.must(err)
	_, err = w.offboardings.Follow(w.Context())
	w.must(err)
}

func TestOffboarding_is_shown_with_its_receipt_and_waits_for_the_apps_word(t *testing.T) {
	onBoth(t, func(w *world) {
		acme, other := w.organization("Acme"), w.organization("Other")
		ada := w.signIn(acme, "1", "ada@acme.test")
		_, err := w.members.Deactivate(w.Context(), event.Actor{ID: "test", Source: event.API}, ada.Membership.ID)
		w.must(err)
		w.turn()
		listed := w.get("/organizations/" + acme + "/offboardings").wants(200).data()
		if len(listed) != 1 || len(w.get("/organizations/"+other+"/offboardings").wants(200).data()) != 0 {
			t.Fatalf("%v", listed)
		}
		id := listed[0]["id"].(string)
		open := w.get("/offboardings/" + id).wants(200)
		if open.text("user_id") != string(ada.User.ID) || open.at("sessions.ended") != 1.0 || open.at("complete") != false || open.at("frozen_at") != nil || strings.Contains(open.raw, "ada@") {
			t.Errorf("%s", open.raw)
		}
		receipt := w.get("/offboardings/" + id + "/receipt").wants(200)
		if strings.Count(receipt.text("receipt"), ".") != 2 || receipt.at("complete") != false {
			t.Errorf("%s", receipt.raw)
		}
		bare := w.export("/offboardings/"+id+"/receipt?format=jws", "")
		if kind := bare.Header().Get("Content-Type"); kind != "application/jose" || strings.Count(bare.Body.String(), ".") != 2 {
			t.Errorf("%q %s", kind, bare.Body)
		}
		told := open.at("events").([]any)[0].(map[string]any)["id"].(string)
		first := w.send("POST", "/events/"+told+"/acknowledge", "").wants(200)
		time.Sleep(2 * time.Millisecond)
		if again := w.send("POST", "/events/"+told+"/acknowledge", "").wants(200); again.raw != first.raw || first.text("acknowledged_by.id") != "management_key" {
			t.Errorf("%s, then %s", first.raw, again.raw)
		}
		w.turn()
		frozen := w.get("/offboardings/" + id).wants(200)
		if frozen.at("complete") != true || frozen.at("frozen_at") == nil || frozen.text("acknowledgement.event_id") != told {
			t.Errorf("%s", frozen.raw)
		}
		w.send("POST", "/events/event_01JDXA5Q0G8YQZP0R3M4T7W9KE/acknowledge", "").refused(404, "entity_not_found", "")
		w.get("/offboardings/"+acme).refused(404, "entity_not_found", "")
		w.get("/offboardings/"+id+"/receipt?format=pdf").refused(422, "invalid_format", "format")
		w.get("/organizations/"+acme+"/offboardings?after=x").refused(400, "invalid_cursor", "after")
		for _, path := range []string{"/offboardings/" + id, "/offboardings/" + id + "/receipt", "/organizations/" + acme + "/offboardings"} {
			if got := w.serve(httptest.NewRequest(http.MethodGet, path, nil)); got.status != 401 {
				t.Errorf("a stranger at %s: %d", path, got.status)
			}
		}
	})
}

func TestGap_is_the_life_of_a_token_unless_every_logout_arrived_sooner(t *testing.T) {
	onBoth(t, func(w *world) {
		made := w.application(`,"backchannel_logout_uri":"https://127.0.0.1/logout"`)
		id := made.wants(201).text("id")
		path := "/connect/applications/" + id + "/gap"
		silent := w.get(path).wants(200)
		if silent.at("worst_gap_ms") != 300000.0 || silent.text("worst_gap_by") != "access_token" || silent.at("back_channel_logout.p50_ms") != nil || silent.at("introspection.in_use") != false {
			t.Errorf("%s", silent.raw)
		}
		at := time.Now().UTC().Truncate(time.Microsecond)
		deliver := func(n, ms int, state string) {
			var write db.Write
			session := w.issuer.Issuer() + state + time.Duration(n).String()
			write.Exec(`INSERT INTO logout_deliveries (id, application_id, session_id, organization_id, user_id, event_id, state, attempts, ended_at, created_at, finished_at)
				VALUES ($1, $2, $1, 'org_1', 'user_1', 'event_1', $3, 1, $4, $4, $5)`, session, id, state, at.UnixMicro(), at.Add(time.Duration(ms)*time.Millisecond).UnixMicro())
			w.must(w.db.Write(w.Context(), &write))
		}
		for i := 1; i <= 100; i++ {
			deliver(i, i, "delivered")
		}
		told := w.get(path).wants(200)
		if told.at("back_channel_logout.p50_ms") != 50.0 || told.at("back_channel_logout.p95_ms") != 95.0 || told.at("back_channel_logout.max_ms") != 100.0 ||
			told.at("worst_gap_ms") != 100.0 || told.text("worst_gap_by") != "back_channel_logout" {
			t.Errorf("%s", told.raw)
		}
		deliver(1, 1, "failed") // one that never arrived: only the token's end keeps them out
		if got := w.get(path).wants(200); got.at("worst_gap_ms") != 300000.0 || got.at("back_channel_logout.failed") != 1.0 {
			t.Errorf("%s", got.raw)
		}
		w.get("/connect/applications/conn_app_01JDXA5Q0G8YQZP0R3M4T7W9KE/gap").refused(404, "entity_not_found", "")
	})
}
