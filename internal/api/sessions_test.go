package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

const userPath = "/user_management/users/"

// session starts one of a user.
func (w *world) session(organizationID, userID string) string {
	w.Helper()
	var write db.Write
	s := w.sessions.StartInto(&write, session.New{
		Cookie: token.HashOf(token.NewSecret("cookie")), OrganizationID: organizationID, UserID: userID, Method: session.MagicAuth, IP: "203.0.113.9",
	})
	w.must(w.db.Write(w.Context(), &write))
	return s.ID
}

func (w *world) lives(id string) bool {
	w.Helper()
	s, err := w.sessions.Get(w.Context(), id)
	w.must(err)
	return s.Living(time.Now())
}

// typesAfter are the types of the events that a step has made.
func (w *world) typesAfter(step func()) []string {
	w.Helper()
	count := func() []string {
		w.server.o.Events.Nudge()
		var out []string
		after := ""
		for {
			part, err := w.server.o.Events.List(w.Context(), event.Query{After: after, Limit: 100})
			w.must(err)
			if len(part) == 0 {
				return out
			}
			for _, e := range part {
				out = append(out, string(e.Type))
			}
			after = part[len(part)-1].ID
		}
	}
	before := len(count())
	step()
	return count()[before:]
}

func TestSessions_of_a_user_are_listed_page_by_page_ended_ones_too(t *testing.T) {
	onBoth(t, func(w *world) {
		acme := w.organization("Acme")
		in := w.signIn(acme, "1", "one@example.com")
		w.signIn(acme, "2", "two@example.com")
		id := string(in.User.ID)
		second, third := w.session("", id), w.session(acme, id)
		w.send("POST", "/user_management/sessions/revoke", `{"session_id":"`+second+`"}`).wants(http.StatusOK)
		list := w.get(userPath + id + "/sessions").wants(http.StatusOK)
		same(t, "newest first", list.each("id")[:2], []string{third, second})
		same(t, "states", list.each("status"), []string{"active", "revoked", "active"})
		same(t, "organizations", list.each("organization_id"), []string{acme, "", acme})
		if _, there := list.data()[1]["organization_id"]; there || list.data()[1]["ended_at"] == nil {
			t.Errorf("%v", list.data()[1])
		}
		var seen []string
		next := ""
		for range 3 {
			page := w.get(userPath + id + "/sessions?limit=1&order=asc&after=" + next).wants(http.StatusOK)
			seen, next = append(seen, page.each("id")...), page.text("list_metadata.after")
		}
		same(t, "page by page", seen, reversed(list.each("id")))
		w.get(userPath+id+"/sessions?limit=1000").refused(http.StatusUnprocessableEntity, "invalid_request_parameters", "limit")
		w.get(userPath+id+"/sessions?after=user_1").refused(http.StatusBadRequest, "invalid_cursor", "after")
		w.get(userPath+"user_01JZ0000000000000000000000/sessions").refused(http.StatusNotFound, "entity_not_found", "")
		w.get(userPath+"nobody/sessions").refused(http.StatusNotFound, "entity_not_found", "")
	})
}

func TestSession_that_is_revoked_ends_once_and_says_so_once(t *testing.T) {
	onBoth(t, func(w *world) {
		acme := w.organization("Acme")
		in := w.signIn(acme, "1", "one@example.com")
		id := w.session(acme, string(in.User.ID))
		types := w.typesAfter(func() {
			for range 2 {
				if got := w.send("POST", "/user_management/sessions/revoke", `{"session_id":"`+id+`","return_to":null}`).wants(http.StatusOK); got.raw != "" {
					t.Errorf("a body: %s", got.raw)
				}
			}
		})
		same(t, "events", types, []string{"session.revoked"})
		if w.lives(id) {
			t.Error("it goes on")
		}
		got := w.get("/events?events=session.revoked").wants(http.StatusOK).data()
		if context := got[0]["context"].(map[string]any); context["reason"] != "revoked" || context["actor"].(map[string]any)["source"] != "api" {
			t.Errorf("%v", context)
		}
		w.send("POST", "/user_management/sessions/revoke", `{}`).refused(http.StatusUnprocessableEntity, "invalid_request_parameters", "session_id")
		w.send("POST", "/user_management/sessions/revoke", `{"session_id":1}`).refused(http.StatusUnprocessableEntity, "invalid_request_parameters", "session_id")
		for _, nothing := range []string{"x", "session_01JZ0000000000000000000000", string(in.User.ID)} {
			w.send("POST", "/user_management/sessions/revoke", `{"session_id":"`+nothing+`"}`).refused(http.StatusNotFound, "entity_not_found", "")
		}
	})
}

func TestSessions_of_a_user_end_all_at_once_and_nobody_elses(t *testing.T) {
	onBoth(t, func(w *world) {
		acme, other := w.organization("Acme"), w.organization("Other")
		one, two := w.signIn(acme, "1", "one@example.com"), w.signIn(acme, "2", "two@example.com")
		mine := []string{w.session(acme, string(one.User.ID)), w.session(other, string(one.User.ID)), w.session("", string(one.User.ID))}
		theirs := w.session(acme, string(two.User.ID))
		got := w.send("POST", userPath+string(one.User.ID)+"/sessions/revoke", "").wants(http.StatusOK)
		if got.at("revoked") != 4.0 || slices.ContainsFunc(mine, w.lives) || !w.lives(theirs) {
			t.Errorf("%s", got.raw)
		}
		if again := w.send("POST", userPath+string(one.User.ID)+"/sessions/revoke", `{}`).wants(http.StatusOK); again.at("revoked") != 0.0 {
			t.Errorf("%s", again.raw)
		}
	})
}

func TestAccounts_are_refused_where_the_app_keeps_them(t *testing.T) {
	onBoth(t, func(w *world) {
		acme := w.organization("Acme")
		in := w.signIn(acme, "1", "one@example.com")
		id := w.session(acme, string(in.User.ID))
		w.server.o.Members = nil
		for _, address := range []string{
			"GET " + userPath + string(in.User.ID), "GET " + userPath + string(in.User.ID) + "/sessions", "GET " + userPath + string(in.User.ID) + "/identities",
			"GET /user_management/organization_memberships?organization_id=" + acme, "PUT /user_management/organization_memberships/" + string(in.Membership.ID) + "/deactivate",
			"DELETE /user_management/organization_memberships/" + string(in.Membership.ID), "POST " + userPath + string(in.User.ID) + "/sessions/revoke",
		} {
			method, path, _ := strings.Cut(address, " ")
			w.send(method, path, "").refused(http.StatusForbidden, "accounts_not_kept", "")
		}
		w.send("POST", "/user_management/sessions/revoke", `{"session_id":"`+id+`"}`).refused(http.StatusForbidden, "accounts_not_kept", "")
		if !w.lives(id) {
			t.Error("something has ended")
		}
	})
}
