package api

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

// proven makes a connection one that somebody has come in through.
func (w *world) proven(organization string) (connection string) {
	w.Helper()
	made, _ := w.samlConnection(organization)
	w.execute(`UPDATE connections SET first_success_at = 1, state = 'active' WHERE id = $1`, made.text("id"))
	return made.text("id")
}

func (w *world) execute(text string, args ...any) {
	w.Helper()
	var as db.Write
	as.Exec(text, args...)
	w.must(w.db.Write(w.Context(), &as))
}

// placed makes a person an active member and gives account and membership.
func (w *world) placed(organization, email, name string) (user, membership string) {
	w.Helper()
	user, membership = w.ids.NewID("user"), w.ids.NewID("om")
	w.execute(`INSERT INTO users (id, email, email_key, email_verified, first_name, metadata, version, created_at, updated_at) VALUES ($1, $2, $2, TRUE, $3, '{}', 1, 1, 1)`, user, email, name)
	w.execute(`INSERT INTO organization_memberships (id, organization_id, user_id, state, is_primary, role, why, version, created_at, updated_at, joined_at, joined_by)
		VALUES ($1, $2, $3, 'active', FALSE, 'member', 'sign_in', 1, 1, 1, 1, 'sign_in')`, membership, organization, user)
	return user, membership
}

// own are the events of an organization of types that the contract does not have.
func (w *world) own(organization string, types ...event.Type) (out []string) {
	w.Helper()
	found, err := w.server.o.Events.List(w.Context(), event.Query{OrganizationID: organization, Types: types, Limit: 100})
	w.must(err)
	for _, e := range found {
		out = append(out, string(e.Type))
		if !strings.Contains(string(e.Context), `"id":"management_key","source":"api"`) {
			w.Errorf("%s was caused by %s", e.Type, e.Context)
		}
	}
	return out
}

func TestPolicy_is_shown_and_set_part_by_part(t *testing.T) {
	onBoth(t, func(w *world) {
		id, other := w.organization("Acme"), w.organization("Other")
		path := "/organizations/" + id + "/policy"
		first := w.get(path).wants(200)
		if first.text("object") != "organization_policy" || first.text("sso") != "required_for_all" || first.text("sso_state") != "not_started" || first.text("jit_in_force") != "verified_domain" ||
			first.at("jit") != nil || first.at("session_idle_seconds") != nil || first.at("updated_at") != nil || first.text("organization_id") != id {
			t.Errorf("%s", first.raw)
		}
		until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		set := w.send("PUT", path, `{"sso":"optional","jit":"off","session_idle_seconds":3600,"session_life_seconds":86400}`).wants(200)
		if set.text("sso") != "optional" || set.text("sso_state") != "not_required" || set.text("jit") != "off" || set.at("session_idle_seconds") != 3600.0 || set.at("session_life_seconds") != 86400.0 {
			t.Errorf("%s", set.raw)
		}
		set = w.send("PUT", path, `{"jit":null,"session_life_seconds":null,"more":1}`).wants(200)
		if set.text("sso") != "optional" || set.at("jit") != nil || set.at("session_idle_seconds") != 3600.0 || set.at("session_life_seconds") != nil {
			t.Errorf("%s", set.raw)
		}
		w.send("PUT", path, `{"session_idle_seconds":3600}`).wants(200) // changes nothing and is silent
		same(t, "events", w.own(id, event.OrganizationPolicyUpdated), []string{"organization_policy.updated", "organization_policy.updated"})
		if w.get("/organizations/"+other+"/policy").wants(200).text("sso") != "required_for_all" {
			t.Error("another organization's policy was set")
		}

		for body, want := range map[string][2]string{
			`{"sso":"never"}`: {"invalid_sso", "sso"}, `{"sso":1}`: {"invalid_type", "sso"}, `{"jit":"always"}`: {"invalid_jit", "jit"}, `{"jit":""}`: {"invalid_jit", "jit"},
			`{"optional_until":"tomorrow"}`: {"invalid_date", "optional_until"}, `{"optional_until":"2001-01-01T00:00:00Z"}`: {"invalid_optional_until", "optional_until"},
			`{"optional_until":"2999-01-01T00:00:00Z"}`: {"invalid_optional_until", "optional_until"},
			`{"session_idle_seconds":299}`:              {"invalid_session_life", "session_idle_seconds"}, `{"session_life_seconds":0}`: {"invalid_session_life", "session_life_seconds"},
			`{"session_life_seconds":3599}`: {"invalid_session_life", "session_idle_seconds"}, `{"session_life_seconds":"1h"}`: {"invalid_type", "session_life_seconds"},
			`{"session_life_seconds":300.5}`: {"invalid_number", "session_life_seconds"}, `{"session_life_seconds":99999999999999999999}`: {"invalid_number", "session_life_seconds"},
			`{"confirm":-1}`: {"invalid_number", "confirm"},
		} {
			w.send("PUT", path, body).refused(422, want[0], want[1])
		}
		w.send("PUT", path, `{"sso":"required_for_all","optional_until":"`+until+`"}`).refused(409, "sso_not_proven", "")
		for _, bad := range []string{"nonsense", "org_01ARZ3NDEKTSV4RRFFQ69G5FAV"} {
			w.get("/organizations/"+bad+"/policy").refused(404, "entity_not_found", "")
			w.send("PUT", "/organizations/"+bad+"/policy", `{"sso":"optional"}`).refused(404, "entity_not_found", "")
			w.get("/organizations/"+bad+"/left_out").refused(404, "entity_not_found", "")
			w.get("/organizations/"+bad+"/break_glass_users").refused(404, "entity_not_found", "")
			w.send("POST", "/organizations/"+bad+"/end_sessions", "").refused(404, "entity_not_found", "")
			w.send("DELETE", "/organizations/"+bad+"/identity_provider", "").refused(404, "entity_not_found", "")
		}
	})
}

func TestTightening_lists_who_is_left_out_and_wants_their_number(t *testing.T) {
	onBoth(t, func(w *world) {
		id := w.organization("Acme")
		path := "/organizations/" + id
		connection := w.proven(id)
		w.send("PUT", path+"/policy", `{"sso":"optional"}`).wants(200)
		var places []string
		for _, name := range []string{"Ada", "Bob", "Cyd"} {
			_, place := w.placed(id, strings.ToLower(name)+"@home.example", name)
			places = append(places, place)
		}
		w.placed(w.organization("Other"), "dan@home.example", "Dan")

		all := w.get(path + "/left_out?order=asc").wants(200)
		same(t, "left out", all.each("organization_membership_id"), places)
		if one := all.data()[0]; one["object"] != "left_out_member" || one["name"] != "Ada" || len(one["reasons"].([]any)) != 2 || one["reasons"].([]any)[0] != "never_signed_in" {
			t.Errorf("%s", all.raw)
		}
		if got := w.get(path + "/left_out?limit=1").wants(200); got.at("total") != 3.0 {
			t.Errorf("%s", got.raw)
		}
		if got := w.get(path + "/left_out?limit=1&after=" + places[2]).wants(200); got.at("total") != nil {
			t.Errorf("everybody was looked at for another page: %s", got.raw)
		}
		w.execute(`INSERT INTO user_identities (connection_id, idp_id, organization_id, user_id, linked_by, created_at) SELECT $1, 'a', organization_id, user_id, 'email', 1 FROM organization_memberships WHERE id = $2`, connection, places[0])
		if got := w.get(path + "/left_out?order=asc&limit=1&connection=" + connection).wants(200); got.text("list_metadata.after") != places[0] || len(got.data()[0]["reasons"].([]any)) != 1 {
			t.Errorf("%s", got.raw)
		}
		same(t, "next page", w.get(path+"/left_out?order=asc&limit=1&after="+places[0]).wants(200).each("organization_membership_id"), places[1:2])
		same(t, "page before", w.get(path+"/left_out?order=asc&limit=1&before="+places[2]).wants(200).each("organization_membership_id"), places[1:2])
		same(t, "guests are not bound", w.get(path+"/left_out?sso=required_for_primary_members").wants(200).each("user_id"), []string{})
		w.get(path+"/left_out?sso=optional").refused(422, "invalid_sso", "sso")
		w.get(path+"/left_out?connection=conn_01ARZ3NDEKTSV4RRFFQ69G5FAV").refused(404, "entity_not_found", "")
		stranger := w.proven(w.organization("Stranger"))
		w.get(path+"/left_out?connection="+stranger).refused(404, "entity_not_found", "")

		for _, confirm := range []string{"", `,"confirm":2`, `,"confirm":null`} {
			got := w.send("PUT", path+"/policy", `{"sso":"required_for_all"`+confirm+`}`)
			got.refused(409, "people_left_out", "")
			if got.at("confirm") != 3.0 || !strings.Contains(got.text("message"), "Ada, Bob, Cyd") {
				t.Errorf("%s", got.raw)
			}
		}
		if w.get(path+"/policy").text("sso") != "optional" {
			t.Error("it was set all the same")
		}
		w.send("PUT", path+"/policy", `{"sso":"required_for_all","optional_until":"`+time.Now().Add(time.Hour).UTC().Format(time.RFC3339)+`"}`).wants(200)
		if got := w.get(path + "/policy"); got.text("sso_in_force") != "optional" || got.text("sso") != "required_for_all" {
			t.Errorf("%s", got.raw)
		}
		if got := w.send("PUT", path+"/policy", `{"sso":"required_for_all","confirm":3}`).wants(200); got.text("sso_state") != "required" || got.at("optional_until") != nil {
			t.Errorf("%s", got.raw)
		}
		w.send("PATCH", "/connections/"+connection, `{"state":"inactive"}`).wants(200)
		if got := w.get(path + "/policy"); got.text("sso_state") != "shut" {
			t.Errorf("%s", got.raw)
		}
		w.send("PUT", path+"/policy", `{"sso":"optional"}`).wants(200) // loosening is never refused
		w.send("PUT", path+"/policy", `{"sso":"required_for_all","confirm":3}`).refused(409, "sso_not_proven", "")
	})
}

func TestBreak_glass_users_are_named_listed_and_revoked(t *testing.T) {
	onBoth(t, func(w *world) {
		id := w.organization("Acme")
		path := "/organizations/" + id + "/break_glass_users"
		user, _ := w.placed(id, "ada@home.example", "Ada")
		other, _ := w.placed(w.organization("Other"), "dan@home.example", "Dan")
		in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }
		body := func(user, reason, expires string) string {
			return `{"user_id":"` + user + `","reason":"` + reason + `","expires_at":"` + expires + `"}`
		}
		made := w.send("POST", path, body(user, "keeps the keys", in(29*24*time.Hour))).wants(http.StatusCreated)
		if made.text("object") != "break_glass_user" || made.text("user_id") != user || made.text("reason") != "keeps the keys" || made.text("named_by") != "management_key" {
			t.Errorf("%s", made.raw)
		}
		w.send("POST", path, body(user, "a little longer", in(24*time.Hour))).wants(http.StatusCreated)
		if got := w.get(path).wants(200); len(got.data()) != 1 || got.each("reason")[0] != "a little longer" {
			t.Errorf("%s", got.raw)
		}
		for text, want := range map[string][2]string{
			body(user, " ", in(time.Hour)): {"required", "reason"}, body(user, strings.Repeat("a", 501), in(time.Hour)): {"too_long", "reason"},
			body(user, "r", ""): {"required", "expires_at"}, body(user, "r", "soon"): {"invalid_date", "expires_at"}, body(user, "r", in(-time.Hour)): {"invalid_expires_at", "expires_at"},
			body(user, "r", in(31*24*time.Hour)): {"invalid_expires_at", "expires_at"}, body("", "r", in(time.Hour)): {"required", "user_id"},
		} {
			w.send("POST", path, text).refused(422, want[0], want[1])
		}
		for _, nobody := range []string{other, "nonsense", "user_01ARZ3NDEKTSV4RRFFQ69G5FAV"} {
			w.send("POST", path, body(nobody, "r", in(time.Hour))).refused(404, "entity_not_found", "")
			w.send("DELETE", path+"/"+nobody, "").refused(404, "entity_not_found", "")
		}
		for i := range 20 { // 19 more, and one too many
			one, _ := w.placed(id, "p"+strconv.Itoa(i)+"@home.example", "P")
			got := w.send("POST", path, body(one, "r", in(time.Hour)))
			if i == 19 {
				got.refused(409, "too_many_break_glass_users", "")
			} else {
				got.wants(http.StatusCreated)
			}
		}
		w.send("DELETE", path+"/"+user, "").wants(204)
		w.send("DELETE", path+"/"+user, "").refused(404, "entity_not_found", "")
		if got := len(w.get(path).wants(200).data()); got != 19 {
			t.Errorf("%d are left", got)
		}
		kinds := w.own(id, event.BreakGlassUserCreated, event.BreakGlassUserDeleted)
		if len(kinds) != 22 || strings.Count(strings.Join(kinds, " "), "deleted") != 1 {
			t.Errorf("%v", kinds)
		}
		w.send("DELETE", "/organizations/"+id, "").wants(202)
		var left int
		w.must(w.db.QueryRow(w.Context(), `SELECT COUNT(*) FROM break_glass_users`).Scan(&left))
		if left != 0 {
			t.Errorf("%d stay of a deleted organization", left)
		}
	})
}

func TestSessions_of_an_organization_or_a_member_end_by_hand(t *testing.T) {
	onBoth(t, func(w *world) {
		id, other := w.organization("Acme"), w.organization("Other")
		ada, _ := w.placed(id, "ada@home.example", "Ada")
		bob, _ := w.placed(id, "bob@home.example", "Bob")
		w.live(ada, id)
		w.live(ada, id)
		w.live(bob, id)
		w.live(ada, other)
		path := "/organizations/" + id + "/end_sessions"
		if got := w.send("POST", path, `{"user_id":"`+ada+`"}`).wants(200); got.at("ended") != 2.0 || got.text("object") != "ended_sessions" {
			t.Errorf("%s", got.raw)
		}
		if got := w.send("POST", path, "").wants(200); got.at("ended") != 1.0 {
			t.Errorf("%s", got.raw)
		}
		stranger, _ := w.placed(other, "dan@home.example", "Dan")
		for _, nobody := range []string{"nonsense", stranger} {
			w.send("POST", path, `{"user_id":"`+nobody+`"}`).refused(404, "entity_not_found", "")
		}
		var left int
		w.must(w.db.QueryRow(w.Context(), `SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL`).Scan(&left))
		if left != 1 {
			t.Errorf("%d live", left)
		}
		same(t, "events", w.own(id, event.SessionRevoked), []string{"session.revoked", "session.revoked", "session.revoked"})
	})
}

func TestIdentity_provider_is_deleted_with_the_number_of_those_left_out(t *testing.T) {
	onBoth(t, func(w *world) {
		id, other := w.organization("Acme"), w.organization("Other")
		path := "/organizations/" + id + "/identity_provider"
		w.send("DELETE", path, "").refused(404, "entity_not_found", "")
		connection, foreign := w.proven(id), w.proven(other)
		w.execute(`UPDATE connections SET key = key || '2' WHERE id = $1`, foreign)
		feed := w.send("POST", "/directories", `{"organization_id":"`+id+`","name":"D","type":"okta scim v2.0"}`).wants(201).text("id")
		ada, place := w.placed(id, "ada@home.example", "Ada")
		w.live(ada, id, connection)
		w.send("PUT", "/organizations/"+id+"/policy", `{"jit":"off"}`).wants(200)
		for _, confirm := range []string{"", "?confirm=0", "?confirm=2"} {
			got := w.send("DELETE", path+confirm, "")
			got.refused(409, "people_left_out", "")
			if got.at("confirm") != 1.0 || !strings.Contains(got.text("message"), "1 person would be left without a way in: Ada") {
				t.Errorf("%s", got.raw)
			}
		}
		w.send("DELETE", path+"?confirm=all", "").refused(422, "invalid_number", "confirm")
		list := "/organizations/" + id + "/left_out?without=identity_provider"
		if got := w.get(list).wants(200); got.at("total") != 1.0 || len(got.data()) != 1 || got.data()[0]["name"] != "Ada" || got.data()[0]["status"] != "active" || got.data()[0]["reasons"].([]any)[0] == "never_signed_in" {
			t.Errorf("%s", got.raw)
		}
		same(t, "next page", w.get(list+"&after="+place).wants(200).each("user_id"), []string{})
		for _, bad := range []string{"&sso=required_for_all", "&connection=" + connection} {
			w.get(list+bad).refused(422, "invalid_without", "without")
		}
		w.get("/organizations/"+id+"/left_out?without=nobody").refused(422, "invalid_without", "without")
		w.get("/connections/" + connection).wants(200)
		w.send("DELETE", path+"?confirm=1", "").wants(204)
		w.get("/connections/"+connection).refused(404, "entity_not_found", "")
		w.get("/directories/"+feed).refused(404, "entity_not_found", "")
		w.get("/connections/" + foreign).wants(200)
		var state string
		var living int
		w.must(w.db.QueryRow(w.Context(), `SELECT state FROM organization_memberships WHERE id = $1`, place).Scan(&state))
		w.must(w.db.QueryRow(w.Context(), `SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL`).Scan(&living))
		if state != "active" || living != 0 {
			t.Errorf("the member is %s, %d sessions live", state, living)
		}
		if got := w.get("/organizations/" + id + "/policy").wants(200); got.text("sso_state") != "not_started" || got.text("jit") != "off" {
			t.Errorf("%s", got.raw)
		}
		w.send("DELETE", path, "").refused(404, "entity_not_found", "")
	})
}

// live begins a session of an account in an organization, through a connection if one is given.
func (w *world) live(user, organization string, connection ...string) {
	w.Helper()
	n := session.New{Cookie: token.HashOf(token.NewSecret("session")), OrganizationID: organization, UserID: user, Method: session.MagicAuth}
	if len(connection) > 0 {
		n.ConnectionID, n.Method = connection[0], session.SSO
	}
	var as db.Write
	w.sessions.StartInto(&as, n)
	w.must(w.db.Write(w.Context(), &as))
}
