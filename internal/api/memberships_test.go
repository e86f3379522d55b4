package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/member"
)

const membershipPath = "/user_management/organization_memberships"

func (w *world) memberships(query string) reply {
	w.Helper()
	return w.get(membershipPath + "?" + query).wants(http.StatusOK)
}

func TestMemberships_are_listed_by_state_and_only_active_ones_unless_asked_otherwise(t *testing.T) {
	onBoth(t, func(w *world) {
		acme, other := w.organization("Acme"), w.organization("Other")
		one, two, three := w.signIn(acme, "1", "one@example.com"), w.signIn(acme, "2", "two@example.com"), w.signIn(acme, "3", "three@example.com")
		w.signIn(other, "1", "four@example.com")
		w.send("PUT", membershipPath+"/"+string(two.Membership.ID)+"/deactivate", "").wants(http.StatusOK)
		w.send("DELETE", membershipPath+"/"+string(three.Membership.ID), "").wants(http.StatusOK)
		ids := map[string]string{"1": string(one.Membership.ID), "2": string(two.Membership.ID), "3": string(three.Membership.ID)}
		for query, want := range map[string][]string{
			"":                                {ids["1"]},
			"&statuses=active":                {ids["1"]},
			"&statuses=inactive":              {ids["2"]},
			"&statuses=active,inactive":       {ids["2"], ids["1"]},
			"&statuses[]=removed":             {ids["3"]},
			"&statuses=pending":               {},
			"&user_id=" + string(one.User.ID): {ids["1"]},
			"&statuses=active,inactive,pending,removed&order=asc&limit=2": {ids["1"], ids["2"]},
		} {
			same(t, query, w.memberships("organization_id="+acme+query).each("id"), want)
		}
		got := w.memberships("user_id=" + string(one.User.ID)).data()[0]
		if got["user"].(map[string]any)["email"] != "one@example.com" || got["role"].(map[string]any)["slug"] != "member" || got["directory_managed"] != false || got["directory_user_id"] != nil ||
			got["why"] != "sign_in" || got["primary"] != true || got["joined_at"] == nil || got["licence"] != nil {
			t.Errorf("%v", got)
		}
		if removed := w.memberships("organization_id=" + acme + "&statuses=removed").data()[0]; removed["why"] != "removed" || removed["status"] != "inactive" {
			t.Errorf("%v", removed)
		}
		w.get(membershipPath).refused(http.StatusBadRequest, "missing_user_id_or_organization_id", "organization_id")
		w.get(membershipPath+"?organization_id=org_01JZ0000000000000000000000").refused(http.StatusNotFound, "entity_not_found", "")
		w.get(membershipPath+"?user_id=user_01JZ0000000000000000000000").refused(http.StatusNotFound, "entity_not_found", "")
		w.get(membershipPath+"?user_id=nobody").refused(http.StatusUnprocessableEntity, "invalid_request_parameters", "user_id")
		w.get(membershipPath+"?organization_id="+acme+"&statuses=gone").refused(http.StatusUnprocessableEntity, "invalid_request_parameters", "statuses")
	})
}

func TestMembership_that_is_deactivated_ends_its_sessions_and_comes_back_by_hand(t *testing.T) {
	onBoth(t, func(w *world) {
		acme, other := w.organization("Acme"), w.organization("Other")
		in := w.signIn(acme, "1", "one@example.com")
		here, elsewhere := w.session(acme, string(in.User.ID)), w.session(other, string(in.User.ID))
		path := membershipPath + "/" + string(in.Membership.ID)
		types := w.typesAfter(func() {
			for range 2 { // silent when it is so already
				got := w.send("PUT", path+"/deactivate", `{}`).wants(http.StatusOK)
				if got.text("status") != "inactive" || got.text("why") != "deactivated" {
					t.Errorf("%s", got.raw)
				}
			}
		})
		same(t, "events", types, []string{"session.revoked", "session.revoked", "organization_membership.updated"})
		if w.lives(here) || !w.lives(elsewhere) {
			t.Error("the wrong sessions ended")
		}
		types = w.typesAfter(func() {
			for range 2 {
				if got := w.send("PUT", path+"/reactivate", "").wants(http.StatusOK); got.text("status") != "active" || got.text("user.id") != string(in.User.ID) {
					t.Errorf("%s", got.raw)
				}
			}
		})
		same(t, "events", types, []string{"organization_membership.updated"})
	})
}

func TestMembership_that_is_deleted_is_gone_and_the_user_stays(t *testing.T) {
	onBoth(t, func(w *world) {
		acme := w.organization("Acme")
		in := w.signIn(acme, "1", "one@example.com")
		path := membershipPath + "/" + string(in.Membership.ID)
		w.get(path).wants(http.StatusOK)
		types := w.typesAfter(func() { w.send("DELETE", path, "").wants(http.StatusOK) })
		same(t, "events", types, []string{"session.revoked", "organization_membership.deleted"})
		for _, r := range []reply{w.get(path), w.send("DELETE", path, ""), w.send("PUT", path+"/deactivate", ""), w.send("PUT", path+"/reactivate", ""), w.get(membershipPath + "/om_nothing")} {
			r.refused(http.StatusNotFound, "entity_not_found", "")
		}
		w.get(userPath + string(in.User.ID)).wants(http.StatusOK)
	})
}

func TestMembership_that_is_pending_is_neither_deactivated_nor_reactivated(t *testing.T) {
	onBoth(t, func(w *world) {
		acme := w.organization("Acme")
		in := w.signIn(acme, "1", "one@example.com")
		w.exec(`UPDATE organization_memberships SET state = 'pending', why = 'invited', joined_at = NULL, joined_by = NULL WHERE id = $1`, string(in.Membership.ID))
		path := membershipPath + "/" + string(in.Membership.ID)
		w.send("PUT", path+"/deactivate", "").refused(http.StatusBadRequest, "cannot_deactivate_pending_organization_membership", "")
		w.send("PUT", path+"/reactivate", "").refused(http.StatusBadRequest, "cannot_reactivate_pending_organization_membership", "")
	})
}

func (w *world) exec(text string, args ...any) {
	w.Helper()
	var write db.Write
	write.Exec(text, args...)
	w.must(w.db.Write(w.Context(), &write))
}

// applied lets members take over what a directory says of a person.
func (w *world) applied(organizationID, directoryID string, says member.Says) {
	w.Helper()
	w.must(w.retried(func(write *db.Write) error {
		_, err := w.members.ApplyInto(w.Context(), w.db, write, member.DirectoryPerson{
			OrganizationID: organizationID, DirectoryID: directoryID, DirectoryName: "Acme Okta", DirectoryUserID: "directory_user_1", Says: says,
			Provisioning: member.Direct, Email: "ann@example.com", EmailVerified: true, FirstName: "Ann",
		}, nil, event.Context{Actor: event.Actor{ID: directoryID, Source: event.System}})
		return err
	}))
	w.server.o.Events.Nudge()
}

func (w *world) retried(compute func(*db.Write) error) error {
	var write db.Write
	if err := compute(&write); err != nil {
		return err
	}
	return w.db.Write(w.Context(), &write)
}

func TestMembership_that_a_directory_manages_is_refused_by_hand_with_the_directorys_name(t *testing.T) {
	onBoth(t, func(w *world) {
		acme := w.send("POST", "/organizations", `{"name":"Acme","domain_data":[{"domain":"example.com","state":"verified"}]}`).wants(http.StatusCreated).text("id")
		w.applied(acme, "directory_1", member.SaysActive)
		m := w.memberships("organization_id=" + acme).data()[0]
		path, user := membershipPath+"/"+m["id"].(string), usersPath+"/"+m["user_id"].(string)
		if m["directory_managed"] != true || m["directory_user_id"] != "directory_user_1" || m["why"] != "directory" || m["primary"] != true {
			t.Errorf("%v", m)
		}
		managed := func(r reply, field string) {
			t.Helper()
			r.refused(http.StatusConflict, "directory_managed", "")
			if !strings.Contains(r.text("message"), "Acme Okta") || !strings.Contains(r.text("message"), field) {
				t.Errorf("%s", r.raw)
			}
		}
		managed(w.send("DELETE", path, ""), "")
		managed(w.send("PUT", user, `{"first_name":"Anna"}`), "first_name")
		managed(w.send("PUT", user, `{"email":"anna@example.com"}`), "email")
		w.send("PUT", user, `{"external_id":"42","metadata":{"a":"b"}}`).wants(http.StatusOK) // the app's own
		w.send("PUT", path+"/deactivate", "").wants(http.StatusOK)                            // restricting is never refused
		w.send("PUT", path+"/reactivate", "").wants(http.StatusOK)
		w.applied(acme, "directory_1", member.SaysInactive)
		if got := w.get(path).wants(http.StatusOK); got.text("status") != "inactive" || got.text("why") != "directory_inactive" {
			t.Errorf("%s", got.raw)
		}
		managed(w.send("PUT", path+"/reactivate", ""), "")
		managed(w.send("POST", membershipPath, `{"user_id":"`+m["user_id"].(string)+`","organization_id":"`+acme+`"}`), "")
		w.applied(acme, "directory_1", member.SaysActive)
		if got := w.get(path).wants(http.StatusOK); got.text("status") != "active" {
			t.Errorf("%s", got.raw)
		}
	})
}
