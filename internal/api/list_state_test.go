package api

import (
	"net/http"
	"testing"
)

// paged reads a list in pages of one, and gives the ids of all entries.
func (w *world) paged(path string) (ids []string) {
	w.Helper()
	ids = []string{}
	for after := ""; ; {
		page := w.get(path + "&limit=1" + after).wants(http.StatusOK)
		ids = append(ids, page.each("id")...)
		next, _ := page.object["list_metadata"].(map[string]any)["after"].(string)
		if next == "" || len(ids) > 20 {
			return ids
		}
		after = "&after=" + next
	}
}

func TestInvitations_are_listed_by_what_they_are_now(t *testing.T) {
	onBoth(t, func(w *world) {
		acme := w.organization("Acme")
		var ids []string
		for _, name := range []string{"pending", "accepted", "revoked", "late", "expired", "directorys"} {
			ids = append(ids, w.invited(acme, name+"@home.example").text("id"))
		}
		w.invited(w.organization("Other"), "pending@home.example")
		w.send("POST", invitationsPath+"/"+ids[1]+"/accept", "").wants(200)
		w.send("POST", invitationsPath+"/"+ids[2]+"/revoke", "").wants(200)
		w.exec(`UPDATE invitations SET expires_at = 1 WHERE id IN ($1, $2, $3)`, ids[3], ids[4], ids[5])
		w.exec(`UPDATE invitations SET state = 'expired' WHERE id = $1`, ids[4])
		w.exec(`UPDATE invitations SET directory_id = 'directory_1' WHERE id = $1`, ids[5])
		for query, want := range map[string][]string{
			"":                            {ids[5], ids[4], ids[3], ids[2], ids[1], ids[0]},
			"&state=pending":              {ids[5], ids[0]},
			"&state=accepted":             {ids[1]},
			"&state=expired":              {ids[4], ids[3]},
			"&state=revoked":              {ids[2]},
			"&state=pending,revoked":      {ids[5], ids[2], ids[0]},
			"&state[]=expired&order=asc":  {ids[3], ids[4]},
			"&state=pending&email=x@y.zz": {},
		} {
			same(t, query, w.paged(invitationsPath+"?organization_id="+acme+query), want)
		}
		for _, one := range w.get(invitationsPath + "?state=expired").wants(200).data() {
			if one["state"] != "expired" {
				t.Errorf("%v", one)
			}
		}
		w.get(invitationsPath+"?state=gone").refused(http.StatusUnprocessableEntity, "invalid_request_parameters", "state")
	})
}

func TestUsers_are_listed_by_the_states_of_their_memberships(t *testing.T) {
	onBoth(t, func(w *world) {
		acme, other := w.organization("Acme"), w.organization("Other")
		in, out, gone := w.signIn(acme, "1", "in@example.com"), w.signIn(acme, "2", "out@example.com"), w.signIn(acme, "3", "gone@example.com")
		w.signIn(other, "2", "out@example.com") // is active there
		w.invited(acme, "asked@home.example")
		asked, err := w.server.o.Members.UserByEmail(w.Context(), "asked@home.example")
		w.must(err)
		w.send("PUT", membershipPath+"/"+string(out.Membership.ID)+"/deactivate", "").wants(http.StatusOK)
		w.send("DELETE", membershipPath+"/"+string(gone.Membership.ID), "").wants(http.StatusOK)
		here, there := "&organization_id="+acme, "&organization_id="+other
		a, b, c, d := string(in.User.ID), string(out.User.ID), string(gone.User.ID), string(asked.ID)
		for query, want := range map[string][]string{
			here:                                               {d, b, a},
			here + "&statuses=active":                          {a},
			here + "&statuses=inactive":                        {b},
			here + "&statuses=pending":                         {d},
			here + "&statuses=removed":                         {c},
			here + "&statuses=active,removed":                  {c, a},
			there + "&statuses=active":                         {b},
			there + "&statuses=inactive":                       {},
			"&statuses=active":                                 {b, a},
			"&statuses=inactive":                               {b},
			"&statuses[]=removed&statuses[]=pending&order=asc": {c, d},
			"": {d, c, b, a},
		} {
			same(t, query, w.paged("/user_management/users?x=y"+query), want)
		}
		w.get("/user_management/users?statuses=gone").refused(http.StatusUnprocessableEntity, "invalid_request_parameters", "statuses")
	})
}

func TestDirectory_users_are_listed_by_state(t *testing.T) {
	onBoth(t, func(w *world) {
		f := w.feed(w.organization("Acme"), "")
		active, inactive, suspended, held := f.person("active", ""), f.person("inactive", ""), f.person("suspended", ""), f.person("held", "")
		w.exec(`UPDATE directory_users SET active = FALSE WHERE id IN ($1, $2)`, inactive, held)
		w.exec(`UPDATE directory_users SET suspended = TRUE WHERE id = $1`, suspended)
		w.exec(`UPDATE directory_users SET held = 'waiting' WHERE id = $1`, held)
		for query, want := range map[string][]string{
			"":                          {held, suspended, inactive, active},
			"&state=active":             {held, active},
			"&state=inactive":           {inactive},
			"&state=suspended":          {suspended},
			"&state=inactive,suspended": {suspended, inactive},
			"&state=active&order=asc":   {active, held},
			"&state=inactive&email=active@example.com": {},
		} {
			same(t, query, w.paged("/directory_users?directory="+f.id+query), want)
		}
		w.get("/directory_users?directory="+f.id+"&state=gone").refused(http.StatusUnprocessableEntity, "invalid_state", "state")
	})
}

func TestMembers_of_a_team_are_listed_by_state(t *testing.T) {
	onBoth(t, func(w *world) {
		acme := w.organization("Acme")
		team := w.send("POST", "/organizations/"+acme+"/groups", `{"name":"Engines"}`).wants(http.StatusCreated).text("id")
		path := "/organizations/" + acme + "/groups/" + team + "/organization-memberships"
		var ids []string
		for i, name := range []string{"one", "two"} {
			ids = append(ids, string(w.signIn(acme, string(rune('1'+i)), name+"@example.com").Membership.ID))
			w.send("POST", path, `{"organization_membership_id":"`+ids[i]+`"}`).wants(http.StatusOK)
		}
		w.signIn(acme, "3", "three@example.com") // in no team
		w.send("PUT", membershipPath+"/"+ids[1]+"/deactivate", "").wants(http.StatusOK)
		for query, want := range map[string][]string{
			"": {ids[1], ids[0]}, "&statuses=active": {ids[0]}, "&statuses=inactive": {ids[1]}, "&statuses=active,inactive&order=asc": ids, "&statuses=pending": {},
		} {
			same(t, query, w.paged(path+"?x=y"+query), want)
		}
		w.get(path+"?statuses=gone").refused(http.StatusUnprocessableEntity, "invalid_status", "statuses")
	})
}
