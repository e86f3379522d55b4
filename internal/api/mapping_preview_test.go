package api

import (
	"fmt"
	"testing"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/member"
)

// asserted stores what a connection's provider said of a member at their last sign-in.
func (w *world) asserted(connection, id string, m member.Membership, raw, groups string) {
	w.Helper()
	var write db.Write
	write.Exec(`INSERT INTO profiles (id, organization_id, connection_id, idp_id, email, email_verified, name, attribute_groups, roles, custom, raw, user_id, version, created_at, updated_at)
		VALUES ($1, $2, $3, $1, $4, FALSE, $5, $6, '[]', '{}', $7, $8, 1, 1, 1)`, id, m.OrganizationID, connection, id+"@example.com", "Somebody", groups, raw, string(m.UserID))
	w.must(w.db.Write(w.Context(), &write))
}

func TestMapping_of_a_connection_is_previewed_over_the_last_sign_ins(t *testing.T) {
	onBoth(t, func(w *world) {
		acme := w.organization("Acme")
		w.send("POST", "/authorization/roles", `{"slug":"editor","name":"Editor"}`).wants(201)
		w.send("POST", "/organizations/"+acme+"/licence_types", `{"slug":"pro","name":"Pro","seats":1}`).wants(201)
		team := w.send("POST", "/organizations/"+acme+"/groups", `{"name":"Engines"}`).wants(201).text("id")
		conn := w.send("POST", "/connections", `{"organization_id":"`+acme+`","name":"Okta","connection_type":"GenericSAML"}`).wants(201).text("id")
		other := w.send("POST", "/connections", `{"organization_id":"`+acme+`","name":"Other","connection_type":"GenericSAML"}`).wants(201).text("id")
		ann, bob, out := w.signIn(acme, "ann", "ann@example.com").Membership, w.signIn(acme, "bob", "bob@example.com").Membership, w.signIn(acme, "out", "out@example.com").Membership
		const prof = "prof_01JZ000000000000000000000"
		w.asserted(conn, prof+"1", ann, `{"title":"Lead"}`, `["Editors"]`)
		w.asserted(conn, prof+"2", bob, `{"title":"Lead"}`, `[]`)
		w.asserted(conn, prof+"3", out, `{"title":"Lead"}`, `["Editors"]`)
		w.asserted(other, prof+"4", ann, `{"title":"Lead"}`, `["Editors"]`)
		w.send("PUT", "/user_management/organization_memberships/"+string(out.ID)+"/deactivate", "").wants(200)

		preview := "/connections/" + conn + "/mapping/preview"
		body := `{"drives_roles":true,"drives_teams":true,"drives_licences":true,"rules":[{"set":"role","to":"editor","when":{"group":"Editors"}},
			{"set":"team","to":"` + team + `","when":{"group":"Editors"}},{"set":"licence","to":"pro"},{"set":"attribute","name":"office","from":"title"}]}`
		got := w.send("POST", preview, body).wants(200)
		same(t, "who", got.each("profile_id"), []string{prof + "1", prof + "2"})
		if got.at("scanned") != 3.0 || got.at("list_metadata.after") != nil {
			t.Error(got.raw)
		}
		one, two := got.data()[0], got.data()[1]
		for what, pair := range map[string][2]any{
			"member":    {one["organization_membership_id"], string(ann.ID)},
			"directory": {one["directory_user_id"], nil},
			"role":      {one["role"], map[string]any{"before": "member", "after": "editor"}},
			"teams":     {one["teams_gained"], []any{map[string]any{"id": team, "name": "Engines"}}},
			"licence":   {two["licence"], map[string]any{"before": nil, "after": "pro"}},
			"attribute": {two["attributes"], map[string]any{"office": map[string]any{"before": nil, "after": "Lead"}}},
			"no role":   {two["role"], nil},
		} {
			if fmt.Sprint(pair[0]) != fmt.Sprint(pair[1]) {
				t.Errorf("%s: got %v, want %v", what, pair[0], pair[1])
			}
		}
		first := w.send("POST", preview+"?limit=1", body).wants(200)
		same(t, "first", first.each("profile_id"), []string{prof + "1"})
		same(t, "rest", w.send("POST", preview+"?limit=1&after="+first.text("list_metadata.after"), body).wants(200).each("profile_id"), []string{prof + "2"})
		if m := w.get("/connections/" + conn + "/mapping").wants(200); m.at("version") != 0.0 {
			t.Error("a preview saved something")
		}
		w.send("POST", preview, `{"rules":[{"set":"licence","to":"none"}]}`).refused(422, "invalid_rule", "rules.0.to")
		w.send("POST", preview+"?order=desc", body).refused(422, "invalid_order", "before")
		w.send("POST", "/connections/conn_01ARZ3NDEKTSV4RRFFQ69G5FAV/mapping/preview", body).refused(404, "entity_not_found", "")

		w.driven(acme, "ann@example.com", access.Mapped{DrivesRoles: true, DrivesTeams: true, DrivesLicences: true})
		same(t, "whom a directory drives", w.send("POST", preview, body).wants(200).each("profile_id"), []string{prof + "2"})
	})
}

// driven has a directory say what it gives to the member with an address.
func (w *world) driven(organizationID, email string, m access.Mapped) {
	w.Helper()
	var write db.Write
	_, err := w.members.ApplyInto(w.Context(), w.db, &write, member.DirectoryPerson{
		OrganizationID: organizationID, DirectoryID: "directory_1", DirectoryUserID: "directory_user_" + email, Says: member.SaysActive,
		Provisioning: member.ExistingOnly, Email: email, EmailVerified: true, Mapped: m,
	}, nil, event.Context{Actor: event.Actor{ID: "directory_1", Source: event.System}})
	w.must(err)
	w.must(w.db.Write(w.Context(), &write))
}
