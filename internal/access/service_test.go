package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
)

const acme, other = "org_01ARZ3NDEKTSV4RRFFQ69G5FAV", "org_01ARZ3NDEKTSV4RRFFQ69G5FAW"

var (
	actor = event.Actor{ID: "test", Source: event.API}
	cause = event.Context{Actor: event.Actor{ID: directoryID, Source: event.System}}
)

// world is the service over a database of its own.
type world struct {
	*testing.T
	*Service
	log  *event.Log
	now  time.Time
	dead map[string]bool // organizations that are being deleted
}

// each runs a test on both engines.
func each(t *testing.T, test func(w *world)) {
	t.Helper()
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) {
		w := &world{T: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), dead: map[string]bool{}}
		d, ids := open(), token.NewSource(time.Now)
		w.log = event.NewLog(d, ids)
		w.Service = NewService(Options{DB: d, Events: w.log, IDs: ids, Now: func() time.Time { return w.now }, Living: func(_ context.Context, _ db.Tx, id string) error {
			if w.dead[id] {
				return fault.New(fault.NotFound, "entity_not_found", "Organization not found.")
			}
			return nil
		}})
		for _, id := range []string{acme, other} {
			w.must(w.write(func(write *db.Write) {
				write.Exec(`INSERT INTO organizations (id, name, metadata, created_at, updated_at) VALUES ($1, 'x', '{}', 1, 1)`, id)
			}))
		}
		test(w)
	})
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func must[T any](v T, err error) func(w *world) T {
	return func(w *world) T {
		w.Helper()
		w.must(err)
		return v
	}
}

func (w *world) refused(err error, kind fault.Kind, code string) {
	w.Helper()
	f, ok := fault.As(err)
	if !ok || f.Kind != kind || f.Code != code || f.Message == "" {
		w.Errorf("got %v, want %s %s", err, kind, code)
	}
}

// told gives the types of the events since the last call.
func (w *world) told(want ...string) []event.Event {
	w.Helper()
	all, err := w.log.List(w.Context(), event.Query{Types: slices.Concat(event.Types(), event.OwnTypes()), Limit: 1000})
	w.must(err)
	var got []string
	var fresh []event.Event
	for _, e := range all {
		if !seenBefore(w, e.ID) {
			got, fresh = append(got, string(e.Type)), append(fresh, e)
		}
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		w.Errorf("told %q, want %q", got, want)
	}
	return fresh
}

func seenBefore(w *world, id string) bool {
	key := "seen " + id
	was := w.dead[key]
	w.dead[key] = true
	return was
}

func (w *world) write(add func(*db.Write)) error {
	var write db.Write
	add(&write)
	return w.db.Write(w.Context(), &write)
}

// member is a row as the member room writes it.
func (w *world) member(organizationID, id, role, licence string) {
	w.Helper()
	w.must(w.write(func(write *db.Write) {
		write.Exec(`INSERT INTO users (id, email, email_key, email_verified, metadata, version, created_at, updated_at) VALUES ($1, $1, $1, TRUE, '{}', 1, 1, 1)`, "user_"+id)
		write.Exec(`INSERT INTO organization_memberships (id, organization_id, user_id, state, is_primary, role, why, licence, version, created_at, updated_at)
			VALUES ($1, $2, $3, 'active', TRUE, $4, 'sign_in', $5, 1, 1, 1)`, id, organizationID, "user_"+id, role, db.TextOrNull(licence))
	}))
}

// directory is a row as the directory room writes it.
func (w *world) directory(name string) {
	w.Helper()
	w.must(w.write(func(write *db.Write) {
		write.Exec(`INSERT INTO directories (id, organization_id, address_key, name, type, provider, state, inactive_users, provisioning, strict, extensions, created_at, updated_at)
			VALUES ($1, $2, 'k', $3, 'okta scim v2.0', 'okta', 'linked', 'kept', 'invite', FALSE, '{}', 1, 1)`, directoryID, acme, name)
	}))
}

func slugs(roles []Role) (out []string) {
	for _, r := range roles {
		out = append(out, r.Slug)
	}
	return out
}

func (w *world) order(organizationID string, want ...string) {
	w.Helper()
	if got := slugs(must(w.Roles(w.Context(), organizationID))(w)); !slices.Equal(got, want) {
		w.Errorf("roles of %q are %q, want %q", organizationID, got, want)
	}
}

func TestRole_member_is_there_from_the_start_and_stays(t *testing.T) {
	each(t, func(w *world) {
		before := must(RolesIn(w.Context(), w.db, acme))(w)
		if !slices.Equal(slugs(before), []string{"member"}) {
			t.Errorf("before the first use: %+v", before)
		}
		r := must(w.Role(w.Context(), acme, RoleMember))(w)
		if !token.Is(string(r.ID), "role") || r.ID == before[0].ID || r.OrganizationID != "" {
			t.Errorf("%+v", r)
		}
		w.prepared.Store(false) // another process
		if again := must(w.Role(w.Context(), "", RoleMember))(w); again.ID != r.ID {
			t.Errorf("%s became %s", r.ID, again.ID)
		}
		w.refused(w.DeleteRole(w.Context(), actor, "", RoleMember), fault.Conflict, "default_role")
		w.refused(w.DeleteRole(w.Context(), actor, acme, RoleMember), fault.Forbidden, "environment_role")
		_, err := w.CreateRole(w.Context(), actor, NewRole{OrganizationID: acme, Slug: RoleMember, Name: "Mine"})
		w.refused(err, fault.Conflict, "organization_role_slug_conflict")
		w.told()
	})
}

func TestRoles_new_ones_go_to_the_end_of_every_order_they_are_in(t *testing.T) {
	each(t, func(w *world) {
		ctx := w.Context()
		must(w.CreateRole(ctx, actor, NewRole{Slug: "admin", Name: " Admin ", IsAdmin: true}))(w)
		must(w.CreateRole(ctx, actor, NewRole{OrganizationID: acme, Name: "Billing & Admin"}))(w)
		must(w.CreateRole(ctx, actor, NewRole{OrganizationID: other, Slug: "x", Name: "X"}))(w)
		must(w.CreateRole(ctx, actor, NewRole{Slug: "auditor", Name: "Auditor"}))(w)
		w.order("", "member", "admin", "auditor")
		w.order(acme, "member", "admin", "org-billing-admin", "auditor")
		w.order(other, "member", "admin", "x", "auditor")
		first := int64(1)
		must(w.UpdateRole(ctx, actor, acme, "org-billing-admin", RoleChanges{Priority: &first}))(w)
		w.order(acme, "org-billing-admin", "member", "admin", "auditor")
		w.told("role.created", "organization_role.created", "organization_role.created", "role.created", "organization_role.updated")

		for _, n := range []NewRole{{Slug: "admin", Name: "A"}, {Slug: "x", Name: "X is some organization's"}} {
			_, err := w.CreateRole(ctx, actor, n)
			w.refused(err, fault.Conflict, "role_slug_conflict")
		}
		_, err := w.CreateRole(ctx, actor, NewRole{OrganizationID: acme, Slug: "auditor", Name: "A"})
		w.refused(err, fault.Conflict, "organization_role_slug_conflict")
		must(w.CreateRole(ctx, actor, NewRole{OrganizationID: acme, Slug: "x", Name: "X of another organization"}))(w)
		w.dead[acme] = true
		_, err = w.CreateRole(ctx, actor, NewRole{OrganizationID: acme, Slug: "late", Name: "Late"})
		w.refused(err, fault.NotFound, "entity_not_found")
	})
}

func TestRole_is_an_organizations_own_or_the_installations(t *testing.T) {
	each(t, func(w *world) {
		ctx := w.Context()
		must(w.CreateRole(ctx, actor, NewRole{OrganizationID: acme, Slug: "lead", Name: "Lead"}))(w)
		name := "Boss"
		for _, organization := range []string{other, ""} {
			_, err := w.Role(ctx, organization, "lead")
			w.refused(err, fault.NotFound, "entity_not_found")
			_, err = w.UpdateRole(ctx, actor, organization, "lead", RoleChanges{Name: &name})
			w.refused(err, fault.NotFound, "entity_not_found")
			w.refused(w.DeleteRole(ctx, actor, organization, "lead"), fault.NotFound, "entity_not_found")
		}
		_, err := w.UpdateRole(ctx, actor, acme, RoleMember, RoleChanges{Name: &name})
		w.refused(err, fault.Forbidden, "environment_role")
		w.told("organization_role.created")
		changed := must(w.UpdateRole(ctx, actor, acme, "lead", RoleChanges{Name: &name}))(w)
		must(w.UpdateRole(ctx, actor, acme, "lead", RoleChanges{Name: &name}))(w) // silent
		if changed.Name != name {
			t.Errorf("%+v", changed)
		}
		w.must(w.DeleteRole(ctx, actor, acme, "lead"))
		w.told("organization_role.updated", "organization_role.deleted")
	})
}

func TestRole_wants_a_slug_a_name_and_a_priority_that_can_be(t *testing.T) {
	each(t, func(w *world) {
		for _, n := range []NewRole{
			{Slug: "", Name: "x"},
			{Slug: "UPPER", Name: "x"},
			{Slug: "a b", Name: "x"},
			{Slug: "-a", Name: "x"},
			{Slug: strings.Repeat("a", 49), Name: "x"},
			{Slug: "ok", Name: " "},
			{Slug: "ok", Name: strings.Repeat("é", 49)},
			{Slug: "ok", Name: "x", Description: strings.Repeat("x", 151)},
			{Slug: "ok", Name: "x", Priority: -1},
			{Slug: "ok", Name: "x", Priority: maxPriority + 1},
		} {
			if _, err := w.CreateRole(w.Context(), actor, n); !fault.Is(err, fault.Unprocessable) {
				t.Errorf("%+v: %v", n, err)
			}
		}
		empty, zero := "", int64(0)
		for _, c := range []RoleChanges{{Name: &empty}, {Priority: &zero}} {
			if _, err := w.UpdateRole(w.Context(), actor, "", RoleMember, c); !fault.Is(err, fault.Unprocessable) {
				t.Errorf("%+v: %v", c, err)
			}
		}
	})
}

func TestPermissions_are_given_to_roles_and_go_with_their_deletion(t *testing.T) {
	each(t, func(w *world) {
		ctx := w.Context()
		for _, slug := range []string{"posts:read", "posts_read", "posts:write"} {
			must(w.CreatePermission(ctx, actor, NewPermission{Slug: slug, Name: slug}))(w)
		}
		_, err := w.CreatePermission(ctx, actor, NewPermission{Slug: "posts:read", Name: "again"})
		w.refused(err, fault.Conflict, "permission_slug_conflict")
		must(w.CreateRole(ctx, actor, NewRole{OrganizationID: acme, Slug: "lead", Name: "Lead"}))(w)
		must(w.SetPermissions(ctx, actor, "", RoleMember, []string{"posts:write", "posts:read", "posts:read"}))(w)
		r := must(w.AddPermission(ctx, actor, acme, "lead", "posts_read"))(w)
		must(w.AddPermission(ctx, actor, acme, "lead", "posts_read"))(w) // silent
		if !slices.Equal(r.Permissions, []string{"posts_read"}) {
			t.Error(r.Permissions)
		}
		for _, f := range []func() (Role, error){
			func() (Role, error) { return w.SetPermissions(ctx, actor, "", RoleMember, []string{"gone"}) },
			func() (Role, error) { return w.AddPermission(ctx, actor, "", RoleMember, "gone") },
		} {
			_, err := f()
			w.refused(err, fault.Unprocessable, "unknown_permission")
		}
		_, err = w.RemovePermission(ctx, actor, acme, "lead", "posts:read")
		w.refused(err, fault.NotFound, "entity_not_found")
		w.told("permission.created", "permission.created", "permission.created", "organization_role.created", "role.updated", "organization_role.updated")
		if got := must(PermissionsIn(ctx, w.db, acme, RoleMember))(w); !slices.Equal(got, []string{"posts:read", "posts:write"}) {
			t.Error(got)
		}
		if got := must(PermissionsIn(ctx, w.db, other, "lead"))(w); len(got) > 0 {
			t.Errorf("a role of another organization permits %q", got)
		}

		name := "Read"
		must(w.UpdatePermission(ctx, actor, "posts:read", PermissionChanges{Name: &name}))(w)
		must(w.UpdatePermission(ctx, actor, "posts:read", PermissionChanges{Name: &name}))(w) // silent
		w.must(w.DeletePermission(ctx, actor, "posts_read"))                                  // _ is no wildcard
		w.told("permission.updated", "organization_role.updated", "permission.deleted")
		if got := must(PermissionsIn(ctx, w.db, acme, RoleMember))(w); len(got) != 2 {
			t.Error(got)
		}
		must(w.RemovePermission(ctx, actor, "", RoleMember, "posts:read"))(w)
		w.told("role.updated")
		w.refused(w.DeletePermission(ctx, actor, "posts_read"), fault.NotFound, "entity_not_found")
		page, more, err := w.Permissions(ctx, Page{Limit: 1, Ascending: true})
		w.must(err)
		if len(page) != 1 || !more || page[0].Name != "Read" {
			t.Errorf("%+v %v", page, more)
		}
	})
}

func TestRole_that_somebody_holds_or_a_mapping_names_is_not_deleted(t *testing.T) {
	each(t, func(w *world) {
		ctx := w.Context()
		must(w.CreateRole(ctx, actor, NewRole{Slug: "admin", Name: "Admin"}))(w)
		must(w.CreateRole(ctx, actor, NewRole{OrganizationID: acme, Slug: "lead", Name: "Lead"}))(w)
		w.member(acme, "om_1", "lead", "")
		w.member(other, "om_2", "admin", "")
		w.refused(w.DeleteRole(ctx, actor, acme, "lead"), fault.Conflict, "role_has_assignments")
		w.refused(w.DeleteRole(ctx, actor, "", "admin"), fault.Conflict, "role_has_assignments")
		if found, err := w.Role(ctx, acme, "lead"); err != nil || found.Slug != "lead" {
			t.Errorf("what is refused deletes nothing: %v", err)
		}
		w.must(w.write(func(write *db.Write) {
			write.Exec(`UPDATE organization_memberships SET role = 'member', given_role = $1 WHERE id = 'om_1'`, "lead")
		}))
		w.refused(w.DeleteRole(ctx, actor, acme, "lead"), fault.Conflict, "role_has_assignments")
		w.must(w.write(func(write *db.Write) {
			write.Exec(`UPDATE organization_memberships SET state = 'removed' WHERE id = $1`, "om_1")
			write.Exec(`UPDATE organization_memberships SET role = 'member' WHERE id = $1`, "om_2")
		}))
		w.save(acme, `[{"set":"role","to":"lead"},{"set":"role","from":"x","transform":[{"map":{"y":"admin"}}]}]`)
		w.refused(w.DeleteRole(ctx, actor, acme, "lead"), fault.Conflict, "role_has_group_role_mappings")
		w.refused(w.DeleteRole(ctx, actor, "", "admin"), fault.Conflict, "role_has_group_role_mappings")
		w.save(acme, `[]`)
		w.must(w.DeleteRole(ctx, actor, acme, "lead"))
		w.must(w.DeleteRole(ctx, actor, "", "admin"))
		w.told("role.created", "organization_role.created", "mapping.updated", "mapping.updated", "organization_role.deleted", "role.deleted")
	})
}

func TestRole_that_is_deleted_meanwhile_is_given_to_nobody(t *testing.T) {
	each(t, func(w *world) {
		must(w.CreateRole(w.Context(), actor, NewRole{OrganizationID: acme, Slug: "lead", Name: "Lead"}))(w)
		give := func(organization, slug string) error {
			return w.write(func(write *db.Write) { w.RoleInto(write, organization, slug) })
		}
		w.must(give(acme, "lead"))
		w.must(give(acme, RoleMember))
		var lost *db.GuardError
		if err := give(other, "lead"); !errors.As(err, &lost) {
			t.Errorf("another organization's role: %v", err)
		}
		w.must(w.DeleteRole(w.Context(), actor, acme, "lead"))
		if err := give(acme, "lead"); !errors.As(err, &lost) {
			t.Errorf("a deleted role: %v", err)
		}
	})
}

// save sets the mapping of the directory of an organization, with everything switched on.
func (w *world) save(organizationID, text string) (m Mapping, changed bool) {
	w.Helper()
	w.must(w.db.Tx(w.Context(), func(tx db.Tx) (err error) {
		var was Mapping
		m, was, err = w.SetMappingTx(w.Context(), tx, actor, NewMapping{
			OrganizationID: organizationID, SourceID: directoryID, DrivesRoles: true, DrivesTeams: true, DrivesLicences: true, TeamsFollow: true, Rules: rules(w, text),
		})
		changed = m.Version != was.Version
		return err
	}))
	return m, changed
}

func (w *world) follow(f Followed) error {
	return w.write(func(write *db.Write) { w.must(w.FollowInto(w.Context(), w.db, write, f, cause)) })
}

func TestTeam_follows_a_directory_group(t *testing.T) {
	each(t, func(w *world) {
		ctx := w.Context()
		w.directory("Acme Okta")
		w.save(acme, `[]`)
		group := Followed{OrganizationID: acme, DirectoryID: directoryID, Group: Group{"directory_group_1", "Engineering"}}
		for range 2 { // the second is silent
			w.must(w.follow(group))
		}
		group.Group.Name = "Platform"
		w.must(w.follow(group))
		w.told("mapping.updated", "group.created", "group.updated")
		m := must(MappingIn(ctx, w.db, acme, directoryID))(w)
		id := m.Followed["directory_group_1"]
		found := must(w.Team(ctx, acme, id))(w)
		if found.Name != "Platform" || !found.Follows() {
			t.Errorf("%+v", found)
		}

		w.member(acme, "om_1", "member", "")
		w.into("om_1", ByMapping, id)
		w.told("group.member_added")
		name := "Mine"
		_, err := w.UpdateTeam(ctx, actor, acme, id, TeamChanges{Name: &name})
		w.refused(err, fault.Conflict, "directory_managed")
		if !strings.Contains(err.Error(), "Acme Okta") {
			t.Errorf("%v does not name the directory", err)
		}
		_, err = w.AddToTeam(ctx, actor, acme, id, "om_1")
		w.refused(err, fault.Conflict, "directory_managed")
		w.refused(w.RemoveFromTeam(ctx, actor, acme, id, "om_1"), fault.Conflict, "directory_managed")
		w.refused(w.DeleteTeam(ctx, actor, acme, id), fault.Conflict, "directory_managed")
		about := "ours"
		must(w.UpdateTeam(ctx, actor, acme, id, TeamChanges{Description: &about}))(w)
		w.told("group.updated")

		second := Followed{OrganizationID: acme, DirectoryID: directoryID, Group: Group{ID: "directory_group_2"}}
		w.must(w.follow(second))
		gone := second
		gone.Gone = true
		w.must(w.follow(gone))
		w.must(w.follow(gone)) // silent
		w.told("group.created", "group.deleted")

		w.must(w.db.Tx(ctx, func(tx db.Tx) error { return w.UnfollowTx(ctx, tx, acme, directoryID) }))
		must(w.UpdateTeam(ctx, actor, acme, id, TeamChanges{Name: &name}))(w)
		w.must(w.RemoveFromTeam(ctx, actor, acme, id, "om_1"))
		w.must(w.DeleteTeam(ctx, actor, acme, id))
		w.told("group.updated", "group.member_removed", "group.deleted")
		if m := must(MappingIn(ctx, w.db, acme, directoryID))(w); m.Version != 0 || m.DrivesTeams {
			t.Errorf("%+v", m)
		}
	})
}

func TestTeam_of_a_group_is_made_once(t *testing.T) {
	each(t, func(w *world) {
		group := Followed{OrganizationID: acme, DirectoryID: directoryID, Group: Group{"directory_group_1", "Engineering"}}
		var one, two db.Write
		w.must(w.FollowInto(w.Context(), w.db, &one, group, cause))
		w.must(w.FollowInto(w.Context(), w.db, &two, group, cause))
		w.must(w.db.Write(w.Context(), &one))
		var lost *db.GuardError
		if err := w.db.Write(w.Context(), &two); !errors.As(err, &lost) {
			t.Errorf("%v", err)
		}
		w.told("group.created")
	})
}

func (w *world) into(membershipID string, by PutBy, teams ...TeamID) {
	w.Helper()
	w.must(w.write(func(write *db.Write) {
		of := TeamsOf{OrganizationID: acme, MembershipID: membershipID, Teams: teams, By: by}
		if by == ByMapping {
			of.Takes = []PutBy{ByMapping}
		}
		w.must(w.TeamsInto(w.Context(), w.db, write, of, cause))
	}))
}

func (w *world) places(membershipID string) string {
	w.Helper()
	var out []string
	for _, p := range must(PlacesIn(w.Context(), w.db, acme, membershipID))(w) {
		name := must(w.Team(w.Context(), acme, p.Team))(w).Name
		out = append(out, name+" "+string(p.PutBy))
	}
	return strings.Join(out, ", ")
}

func TestTeams_what_a_mapping_puts_it_takes_and_what_a_hand_puts_stays(t *testing.T) {
	each(t, func(w *world) {
		ctx := w.Context()
		team := func(organization, name string) TeamID {
			return must(w.CreateTeam(ctx, actor, NewTeam{OrganizationID: organization, Name: name}))(w).ID
		}
		a, b, c, foreign := team(acme, "A"), team(acme, "B"), team(acme, "C"), team(other, "Foreign")
		w.member(acme, "om_1", "member", "")
		w.told("group.created", "group.created", "group.created", "group.created")
		must(w.AddToTeam(ctx, actor, acme, a, "om_1"))(w)
		must(w.AddToTeam(ctx, actor, acme, a, "om_1"))(w) // silent
		w.into("om_1", ByMapping, a, b, b, foreign, "group_unknown")
		w.into("om_1", ByMapping, a, b) // silent
		w.into("om_1", ByInvitation, c)
		if got := w.places("om_1"); got != "A hand, B mapping, C invitation" {
			t.Error(got)
		}
		events := w.told("group.member_added", "group.member_added", "group.member_added")
		if got, want := string(events[1].Data), fmt.Sprintf(`{"group_id":%q,"organization_membership_id":"om_1"}`, b); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		w.directory("Acme Okta")
		w.must(w.write(func(write *db.Write) {
			write.Exec(`INSERT INTO membership_claims (organization_id, directory_id, directory_user_id, membership_id, says, provisioning, outcome, claim, version, created_at, updated_at)
				VALUES ($1, $2, 'directory_user_1', 'om_1', 'active', 'direct', 'linked', $3, 1, 1, 1)`, acme, directoryID, `{"mapped":{"teams":["`+string(b)+`"]}}`)
		}))
		err := w.RemoveFromTeam(ctx, actor, acme, b, "om_1")
		w.refused(err, fault.Conflict, "directory_managed")
		if !strings.Contains(err.Error(), `"Acme Okta" (`+directoryID+`)`) {
			t.Errorf("%v does not name the directory", err)
		}
		w.into("om_1", ByMapping)
		if got := w.places("om_1"); got != "A hand, C invitation" {
			t.Error(got)
		}
		w.must(w.RemoveFromTeam(ctx, actor, acme, c, "om_1"))
		w.refused(w.RemoveFromTeam(ctx, actor, acme, c, "om_1"), fault.NotFound, "entity_not_found")
		w.told("group.member_removed", "group.member_removed")

		for _, f := range []func() error{
			func() error { _, err := w.AddToTeam(ctx, actor, acme, foreign, "om_1"); return err },
			func() error { _, err := w.AddToTeam(ctx, actor, other, a, "om_1"); return err },
			func() error { _, err := w.AddToTeam(ctx, actor, other, foreign, "om_1"); return err },
			func() error { return w.RemoveFromTeam(ctx, actor, other, a, "om_1") },
			func() error { return w.DeleteTeam(ctx, actor, other, a) },
		} {
			w.refused(f(), fault.NotFound, "entity_not_found")
		}
		w.must(w.DeleteTeam(ctx, actor, acme, a))
		if got := w.places("om_1"); got != "" {
			t.Error(got)
		}
		w.into("om_1", ByHand, b)
		w.must(w.write(func(write *db.Write) { w.LeaveInto(write, acme, "om_1") }))
		w.told("group.deleted", "group.member_added")
		if got := w.places("om_1"); got != "" {
			t.Error(got)
		}
		page, more, err := w.Teams(ctx, acme, Page{Limit: 5, Ascending: true})
		w.must(err)
		if more || len(page) != 2 || page[0].Name != "B" {
			t.Errorf("%+v", page)
		}
	})
}

func TestTeam_that_is_deleted_meanwhile_gets_nobody(t *testing.T) {
	each(t, func(w *world) {
		id := must(w.CreateTeam(w.Context(), actor, NewTeam{OrganizationID: acme, Name: "A"}))(w).ID
		var write db.Write
		w.must(w.TeamsInto(w.Context(), w.db, &write, TeamsOf{OrganizationID: acme, MembershipID: "om_1", Teams: []TeamID{id}, By: ByMapping}, cause))
		w.must(w.DeleteTeam(w.Context(), actor, acme, id))
		var lost *db.GuardError
		if err := w.db.Write(w.Context(), &write); !errors.As(err, &lost) {
			t.Errorf("%v", err)
		}
	})
}

func TestTeam_that_a_mapping_names_is_not_deleted(t *testing.T) {
	each(t, func(w *world) {
		id := must(w.CreateTeam(w.Context(), actor, NewTeam{OrganizationID: acme, Name: "A"}))(w).ID
		w.save(acme, `[{"set":"team","to":"`+string(id)+`"}]`)
		w.refused(w.DeleteTeam(w.Context(), actor, acme, id), fault.Conflict, "team_has_mappings")
		w.told("group.created", "mapping.updated")
	})
}

func TestLicence_more_seats_than_there_are_is_taken_by_nobody(t *testing.T) {
	each(t, func(w *world) {
		ctx, seats := w.Context(), int64(3)
		made := must(w.CreateLicenceType(ctx, actor, NewLicenceType{OrganizationID: acme, Slug: "pro", Name: "Pro", Seats: &seats}))(w)
		if made.Type.OverLimit != Admit || !made.Free() {
			t.Errorf("%+v", made)
		}
		for i := range 8 {
			w.member(acme, fmt.Sprintf("om_%d", i), "member", "")
		}
		take := func(i int) error {
			return w.write(func(write *db.Write) {
				write.Lane = fmt.Sprint(i)
				w.SeatInto(write, acme, "pro")
				write.Exec(`UPDATE organization_memberships SET licence = $2 WHERE id = $1`, fmt.Sprintf("om_%d", i), "pro")
			})
		}
		var all sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			all.Go(func() { errs[i] = take(i) })
		}
		all.Wait()
		got := 0
		for _, err := range errs {
			var lost *db.GuardError
			switch {
			case err == nil:
				got++
			case !errors.As(err, &lost):
				t.Error(err)
			}
		}
		u := must(w.Licence(ctx, acme, "pro"))(w)
		if got != 3 || u.Used != 3 || u.Free() {
			t.Errorf("%d got a seat, %d are used", got, u.Used)
		}
		w.refused(w.DeleteLicenceType(ctx, actor, acme, "pro"), fault.Conflict, "licence_has_holders")
		var unlimited *int64
		must(w.UpdateLicenceType(ctx, actor, acme, "pro", LicenceTypeChanges{Seats: &unlimited}))(w)
		for i := range 8 {
			w.must(take(i))
		}
		fewer := &seats
		now := must(w.UpdateLicenceType(ctx, actor, acme, "pro", LicenceTypeChanges{Seats: &fewer}))(w)
		if now.Used != 8 || now.Free() {
			t.Errorf("%+v: fewer seats take none away", now)
		}
		w.told("licence_type.created", "licence_type.updated", "licence_type.updated")
	})
}

func TestLicence_types_are_an_organizations_own(t *testing.T) {
	each(t, func(w *world) {
		ctx := w.Context()
		must(w.CreateLicenceType(ctx, actor, NewLicenceType{OrganizationID: acme, Slug: "pro", Name: "Pro", OverLimit: Refuse}))(w)
		must(w.CreateLicenceType(ctx, actor, NewLicenceType{OrganizationID: other, Slug: "pro", Name: "Pro"}))(w)
		_, err := w.CreateLicenceType(ctx, actor, NewLicenceType{OrganizationID: acme, Slug: "pro", Name: "Pro"})
		w.refused(err, fault.Conflict, "licence_slug_conflict")
		w.member(other, "om_1", "member", "pro")
		if all := must(w.Licences(ctx, acme))(w); len(all) != 1 || all[0].Used != 0 {
			t.Errorf("%+v", all)
		}
		w.save(acme, `[{"set":"licence","to":"pro"}]`)
		w.refused(w.DeleteLicenceType(ctx, actor, acme, "pro"), fault.Conflict, "licence_has_mappings")
		w.save(acme, `[]`)
		w.must(w.DeleteLicenceType(ctx, actor, acme, "pro"))
		w.refused(w.DeleteLicenceType(ctx, actor, acme, "pro"), fault.NotFound, "entity_not_found")
		var lost *db.GuardError
		if err := w.write(func(write *db.Write) { w.SeatInto(write, acme, "pro") }); !errors.As(err, &lost) {
			t.Errorf("a seat of a deleted type: %v", err)
		}
		tooMany, negative, odd := int64(maxSeats+1), int64(-1), OverLimit("maybe")
		for _, n := range []NewLicenceType{{Slug: "a", Name: "a", Seats: &tooMany}, {Slug: "a", Name: "a", Seats: &negative}, {Slug: "a", Name: "a", OverLimit: odd}, {Slug: "A", Name: "a"}, {Slug: "a"}} {
			n.OrganizationID = acme
			if _, err := w.CreateLicenceType(ctx, actor, n); !fault.Is(err, fault.Unprocessable) {
				t.Errorf("%+v: %v", n, err)
			}
		}
		w.told("licence_type.created", "licence_type.created", "mapping.updated", "mapping.updated", "licence_type.deleted")
	})
}

func TestMapping_is_saved_in_versions(t *testing.T) {
	each(t, func(w *world) {
		ctx := w.Context()
		none := must(w.Mapping(ctx, acme, directoryID))(w)
		if none.Version != 0 || none.DrivesRoles || len(none.Map(source(t), nil).Attributes) == 0 {
			t.Errorf("nothing is driven that nobody switched on, and the default attributes are there: %+v", none)
		}
		one, changed := w.save(acme, everyRule)
		_, again := w.save(acme, everyRule)
		if one.Version != 1 || !changed || again {
			t.Errorf("version %d %v %v", one.Version, changed, again)
		}
		got := must(w.Mapping(ctx, acme, directoryID))(w)
		if got.Version != 1 || !got.DrivesRoles || !got.DrivesTeams || !got.DrivesLicences || !got.TeamsFollow || string(RulesJSON(got.Rules)) != string(RulesJSON(one.Rules)) {
			t.Errorf("%+v", got)
		}
		if elsewhere := must(w.Mapping(ctx, other, directoryID))(w); elsewhere.Version != 0 {
			t.Error("another organization sees it")
		}
		set := func(version int64) (m Mapping, err error) {
			err = w.db.Tx(ctx, func(tx db.Tx) error {
				m, _, err = w.SetMappingTx(ctx, tx, actor, NewMapping{OrganizationID: acme, SourceID: directoryID, Version: &version})
				return err
			})
			return m, err
		}
		_, err := set(0)
		w.refused(err, fault.Precondition, "version_conflict")
		if two := must(set(1))(w); two.Version != 2 || two.DrivesRoles || len(two.Rules) > 0 {
			t.Errorf("%+v", two)
		}
		w.dead[acme] = true
		_, err = set(2)
		w.refused(err, fault.NotFound, "entity_not_found")
		events := w.told("mapping.updated", "mapping.updated")
		var data struct {
			SourceID string           `json:"source_id"`
			Rules    []map[string]any `json:"rules"`
		}
		w.must(json.Unmarshal(events[0].Data, &data))
		if data.SourceID != directoryID || len(data.Rules) != 2 {
			t.Errorf("%s", events[0].Data)
		}
	})
}

const everyRule = `[{"set":"role","to":"member","when":{"group":"A"}},{"set":"attribute","name":"a","from":"title","transform":["trim"]}]`

func TestMapping_gives_only_what_the_organization_has(t *testing.T) {
	each(t, func(w *world) {
		ctx := w.Context()
		must(w.CreateRole(ctx, actor, NewRole{OrganizationID: other, Slug: "lead", Name: "Lead"}))(w)
		must(w.CreateLicenceType(ctx, actor, NewLicenceType{OrganizationID: other, Slug: "pro", Name: "Pro"}))(w)
		foreign := must(w.CreateTeam(ctx, actor, NewTeam{OrganizationID: other, Name: "A"}))(w).ID
		w.must(w.follow(Followed{OrganizationID: acme, DirectoryID: directoryID, Group: Group{"g", "G"}}))
		page, _, err := w.Teams(ctx, acme, Page{Limit: 1})
		w.must(err)
		w.told("organization_role.created", "licence_type.created", "group.created", "group.created")
		for text, field := range map[string]string{
			`[{"set":"role","to":"member"},{"set":"role","to":"lead"}]`: "rules.1.to",
			`[{"set":"licence","to":"pro"}]`:                            "rules.0.to",
			`[{"set":"team","to":"` + string(foreign) + `"}]`:           "rules.0.to",
			`[{"set":"team","to":"` + string(page[0].ID) + `"}]`:        "rules.0.to",
			`[{"set":"role","to":"member","when":{"group_id":"g"}}] c`:  "rules.0.when.group_id",
			`[] c`: "teams_follow_groups",
		} {
			text, isConnection := strings.CutSuffix(text, " c")
			n := NewMapping{OrganizationID: acme, SourceID: directoryID, TeamsFollow: len(text) == 2, Rules: rules(t, text)}
			if isConnection {
				n.SourceID = "conn_1"
			}
			err := w.db.Tx(ctx, func(tx db.Tx) error {
				_, _, err := w.SetMappingTx(ctx, tx, actor, n)
				return err
			})
			if f, ok := fault.As(err); !ok || f.Kind != fault.Unprocessable || f.Field != field {
				t.Errorf("%s: %v", text, err)
			}
		}
		w.told()
	})
}

func TestOrganization_takes_what_it_has_with_it(t *testing.T) {
	each(t, func(w *world) {
		ctx := w.Context()
		for _, organization := range []string{acme, other} {
			must(w.CreateRole(ctx, actor, NewRole{OrganizationID: organization, Slug: "lead", Name: "Lead"}))(w)
			must(w.CreateTeam(ctx, actor, NewTeam{OrganizationID: organization, Name: "A"}))(w)
			must(w.CreateLicenceType(ctx, actor, NewLicenceType{OrganizationID: organization, Slug: "pro", Name: "Pro"}))(w)
			w.save(organization, `[]`)
		}
		w.must(w.db.Tx(ctx, func(tx db.Tx) error { return w.DeleteOrganizationTx(ctx, tx, acme) }))
		for organization, want := range map[string]int{acme: 0, other: 1} {
			teams, _, err := w.Teams(ctx, organization, Page{Limit: 5})
			w.must(err)
			licences, roles := must(w.Licences(ctx, organization))(w), must(w.Roles(ctx, organization))(w)
			m := must(w.Mapping(ctx, organization, directoryID))(w)
			if len(teams) != want || len(licences) != want || len(roles) != want+1 || m.Version != int64(want) {
				t.Errorf("%s: %d teams, %d licences, %d roles, mapping %d", organization, len(teams), len(licences), len(roles), m.Version)
			}
		}
	})
}

func TestTeams_of_a_member_are_those_of_the_organization_with_who_put_them_in(t *testing.T) {
	each(t, func(w *world) {
		sales := must(w.CreateTeam(w.Context(), actor, NewTeam{OrganizationID: acme, Name: "Sales"}))(w)
		crew := must(w.CreateTeam(w.Context(), actor, NewTeam{OrganizationID: acme, Name: "Crew"}))(w)
		must(w.CreateTeam(w.Context(), actor, NewTeam{OrganizationID: acme, Name: "Empty"}))(w)
		w.must(w.write(func(write *db.Write) {
			write.Exec(insertTeamMember, acme, string(sales.ID), "om_1", string(ByHand), 1)
			write.Exec(insertTeamMember, acme, string(crew.ID), "om_1", string(ByMapping), 1)
		}))
		got := must(w.TeamsOfMember(w.Context(), acme, "om_1"))(w)
		if len(got) != 2 || got[0].Team.Name != "Crew" || got[0].PutBy != ByMapping || got[1].Team.Name != "Sales" || got[1].PutBy != ByHand {
			t.Errorf("got %+v", got)
		}
		for _, nobody := range [][2]string{{other, "om_1"}, {acme, "om_2"}} {
			if got := must(w.TeamsOfMember(w.Context(), nobody[0], nobody[1]))(w); len(got) != 0 {
				t.Errorf("%v: got %+v", nobody, got)
			}
		}
	})
}
