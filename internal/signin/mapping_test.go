package signin_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/token"
)

// roleWith lets the person of the world sign in as somebody of these groups, and gives their role.
func (w *world) roleWith(groups ...string) string {
	w.t.Helper()
	b := w.browser()
	request, relay := b.atProvider(w.authorization("organization", string(w.org.ID), "prompt", "login"))
	m := w.message(w.conn, request)
	m.Attributes = append(m.Attributes, samltest.Attribute{Name: "groups", Values: groups})
	w.code(b.deliver(w.conn, m, relay).location(w.t))
	return w.member("alice@acme.example").Membership.Role
}

func TestMapping_of_a_connection_gives_roles_at_each_sign_in_but_never_takes_the_last_administrators(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		give := access.NewService(access.Options{
			DB: w.db, Events: w.events, IDs: token.NewSource(time.Now), Now: w.now,
			Living: func(ctx context.Context, tx db.Tx, id string) error { return w.orgs.LockTx(ctx, tx, org.ID(id)) },
		})
		for slug, admin := range map[string]bool{"editor": false, "admin": true} {
			_, err := give.CreateRole(ctx, operator(), access.NewRole{OrganizationID: string(w.org.ID), Slug: slug, Name: slug, IsAdmin: admin})
			w.ok(err)
		}
		rules, err := access.ParseRules([]byte(`[{"set":"role","to":"editor","when":{"group":"Editors"}},{"set":"role","to":"admin","when":{"group":"Admins"}}]`))
		w.ok(err)
		drive := func(on bool) {
			w.ok(w.db.Tx(ctx, func(tx db.Tx) error {
				_, _, err := give.SetMappingTx(ctx, tx, operator(), access.NewMapping{
					OrganizationID: string(w.org.ID), SourceID: string(w.conn.ID), DrivesRoles: on, Rules: rules,
				})
				return err
			}))
		}
		drive(false)
		for _, c := range []struct {
			on     bool
			groups []string
			want   string
		}{
			{false, []string{"Editors"}, "member"},
			{true, []string{"Editors"}, "editor"},
			{true, []string{"admin"}, "member"}, // a name alone grants nothing
			{true, []string{"Admins"}, "admin"},
			{true, []string{"Editors"}, "admin"}, // there is no other
		} {
			drive(c.on)
			if role := w.roleWith(c.groups...); role != c.want {
				t.Errorf("with %v, driving %v, the role is %q, want %q", c.groups, c.on, role, c.want)
			}
		}
	})
}

func TestMapping_of_a_connection_gives_teams_and_attributes_without_roles(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		give := w.members.Access()
		team, err := give.CreateTeam(ctx, operator(), access.NewTeam{OrganizationID: string(w.org.ID), Name: "Engines"})
		w.ok(err)
		rules, err := access.ParseRules([]byte(`[{"set":"team","to":"` + string(team.ID) + `","when":{"group":"Engineers"}},{"set":"attribute","name":"crew","from":"groups","as":"list"}]`))
		w.ok(err)
		w.ok(w.db.Tx(ctx, func(tx db.Tx) error {
			_, _, err := give.SetMappingTx(ctx, tx, operator(), access.NewMapping{OrganizationID: string(w.org.ID), SourceID: string(w.conn.ID), DrivesTeams: true, Rules: rules})
			return err
		}))
		w.roleWith("Engineers", "Sailors")
		m := w.member("alice@acme.example").Membership
		places, err := access.PlacesIn(ctx, w.db, string(w.org.ID), string(m.ID))
		w.ok(err)
		if crew, _ := m.CustomAttributes["crew"].([]any); len(places) != 1 || places[0].Team != team.ID || !slices.Contains(crew, any("Sailors")) {
			t.Errorf("in %v, %v", places, m.CustomAttributes)
		}
		w.roleWith("Sailors")
		places, err = access.PlacesIn(ctx, w.db, string(w.org.ID), string(m.ID))
		w.ok(err)
		if len(places) != 0 {
			t.Errorf("still in %v", places)
		}
	})
}
