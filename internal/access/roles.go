package access

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
)

var slugForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9:._-]*[a-z0-9])?$`)

// NewRole is what a role is made of. Of an organization's own role the slug may be "": it is made of the name.
type NewRole struct {
	OrganizationID string
	Slug           string
	Name           string
	Description    string
	IsAdmin        bool
	Priority       int64 // 0: after all there are
}

// RoleChanges are what a role is changed to; nil leaves a field as it is.
type RoleChanges struct {
	Name        *string
	Description *string
	Priority    *int64
	IsAdmin     *bool
}

// RoleNotFound is the refusal for a role that is not there.
func RoleNotFound(slug string) error {
	return fault.New(fault.NotFound, "entity_not_found", "Role not found: '%.80s'.", slug)
}

// Roles lists the roles of an organization, the installation's among them, or of "" the installation's alone: the one that wins first.
func (s *Service) Roles(ctx context.Context, organizationID string) ([]Role, error) {
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	return RolesIn(ctx, s.db, organizationID)
}

// Role finds a role that members of an organization can have; of "" it is one of the installation's.
func (s *Service) Role(ctx context.Context, organizationID, slug string) (Role, error) {
	found, err := s.Roles(ctx, organizationID)
	if err != nil {
		return Role{}, err
	}
	r, ok := Find(found, slug)
	if !ok {
		return Role{}, RoleNotFound(slug)
	}
	return r, nil
}

// CreateRole makes a role, which goes to the end of the order. A slug that is taken for any member who would have the role is a Conflict
// "role_slug_conflict", of an organization's role "organization_role_slug_conflict".
func (s *Service) CreateRole(ctx context.Context, actor event.Actor, n NewRole) (Role, error) {
	if err := n.check(); err != nil {
		return Role{}, err
	}
	if err := s.prepare(ctx); err != nil {
		return Role{}, err
	}
	at := s.time()
	r := Role{
		ID: RoleID(s.ids.NewID(rolePrefix)), OrganizationID: n.OrganizationID, Slug: n.Slug, Name: n.Name, Description: n.Description,
		Priority: n.Priority, IsAdmin: n.IsAdmin, CreatedAt: at, UpdatedAt: at,
	}
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		if err := s.placeTx(ctx, tx, &r); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, insertRole, insertRoleArgs(r)...); err != nil {
			return err
		}
		if err := s.lookAgainTx(ctx, tx, actor, r); err != nil {
			return err
		}
		return s.events.AppendTx(ctx, tx, at, roleEntry(created, r, event.Context{Actor: actor}))
	})
	if err != nil {
		return Role{}, fmt.Errorf("create role: %w", err)
	}
	return r, nil
}

// placeTx asks whether the slug is free and gives the role its place. Roles are made one after the other, by a lock on the role member: an
// installation's and an organization's of the same slug are different keys to the database.
func (s *Service) placeTx(ctx context.Context, tx db.Tx, r *Role) error {
	if r.OrganizationID != "" {
		if err := s.living(ctx, tx, r.OrganizationID); err != nil {
			return err
		}
	}
	if _, err := readRoles(ctx, tx, selectOwnRole+s.db.ForUpdate(), "", RoleMember); err != nil {
		return err
	}
	taken, err := slugTaken(ctx, tx, r.OrganizationID, r.Slug)
	if err != nil {
		return err
	}
	if taken {
		return errRoleTaken(*r)
	}
	if r.Priority > 0 {
		return nil
	}
	if err := tx.QueryRow(ctx, selectBottom, r.OrganizationID).Scan(&r.Priority); err != nil {
		return err
	}
	r.Priority += priorityStep
	return nil
}

// slugTaken: an installation's role is everybody's, so its slug must be no organization's either.
func slugTaken(ctx context.Context, r db.Reader, organizationID, slug string) (bool, error) {
	rows, err := r.Query(ctx, selectRoleSlug, slug)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	for rows.Next() {
		var of string
		if err := rows.Scan(&of); err != nil {
			return false, err
		}
		if of == "" || of == organizationID || organizationID == "" {
			return true, nil
		}
	}
	return false, rows.Err()
}

func errRoleTaken(r Role) error {
	code := "role_slug_conflict"
	if r.OrganizationID != "" {
		code = "organization_role_slug_conflict"
	}
	return fault.New(fault.Conflict, code, "There is a role with the slug %q already. Choose another slug.", r.Slug)
}

func (n *NewRole) check() error {
	n.Name = strings.TrimSpace(n.Name)
	if n.OrganizationID != "" && n.Slug == "" {
		n.Slug = slugOf(n.Name)
	}
	return errors.Join(checkSlug(n.Slug), checkTitle(n.Name, maxName), checkDescription(n.Description), checkPriority(n.Priority, 0))
}

// slugOf makes a slug of a name, as the contract does: org-billing-admin.
func slugOf(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	slug := "org-" + strings.Join(words, "-")
	return strings.TrimRight(slug[:min(len(slug), maxSlug)], "-")
}

func checkSlug(slug string) error {
	switch {
	case slug == "":
		return fault.New(fault.Unprocessable, "required", "Give a slug such as billing-admin.").On("slug")
	case len(slug) > maxSlug || !slugForm.MatchString(slug):
		return fault.New(fault.Unprocessable, "invalid_slug",
			"A slug has 1 to %d lower-case letters, digits, and between them : . _ and -; %.60q has not.", maxSlug, slug).On("slug")
	}
	return nil
}

// checkTitle checks a name for people, which has to be there.
func checkTitle(text string, longest int) error {
	switch {
	case strings.TrimSpace(text) == "":
		return fault.New(fault.Unprocessable, "required", "The name is empty.").On("name")
	case utf8.RuneCountInString(text) > longest:
		return fault.New(fault.Unprocessable, "too_long", "The name is longer than %d characters.", longest).On("name")
	}
	return nil
}

func checkDescription(text string) error {
	if utf8.RuneCountInString(text) > maxDescription {
		return fault.New(fault.Unprocessable, "too_long", "The description is longer than %d characters.", maxDescription).On("description")
	}
	return nil
}

func checkPriority(n, least int64) error {
	if n < least || n > maxPriority {
		return fault.New(fault.Unprocessable, "invalid_priority", "The priority is a number from 1 to %d; the smallest wins.", maxPriority).On("priority")
	}
	return nil
}

// UpdateRole changes a role. What changes nothing is silent.
func (s *Service) UpdateRole(ctx context.Context, actor event.Actor, organizationID, slug string, c RoleChanges) (Role, error) {
	if err := c.check(); err != nil {
		return Role{}, err
	}
	return s.changeRole(ctx, actor, organizationID, slug, func(_ db.Tx, r *Role) error {
		c.apply(r)
		return nil
	})
}

func (c *RoleChanges) check() error {
	var err error
	if c.Name != nil {
		name := strings.TrimSpace(*c.Name)
		c.Name, err = &name, checkTitle(name, maxName)
	}
	if c.Description != nil {
		err = errors.Join(err, checkDescription(*c.Description))
	}
	if c.Priority != nil {
		err = errors.Join(err, checkPriority(*c.Priority, 1))
	}
	return err
}

func (c RoleChanges) apply(r *Role) {
	if c.Name != nil {
		r.Name = *c.Name
	}
	if c.Description != nil {
		r.Description = *c.Description
	}
	if c.Priority != nil {
		r.Priority = *c.Priority
	}
	if c.IsAdmin != nil {
		r.IsAdmin = *c.IsAdmin
	}
}

// SetPermissions replaces the permissions of a role. One that is not there is refused.
func (s *Service) SetPermissions(ctx context.Context, actor event.Actor, organizationID, slug string, permissions []string) (Role, error) {
	wanted := slices.Compact(slices.Sorted(slices.Values(permissions)))
	return s.changeRole(ctx, actor, organizationID, slug, func(tx db.Tx, r *Role) error {
		r.Permissions = wanted
		return s.knownTx(ctx, tx, wanted, "permissions")
	})
}

// AddPermission adds one.
func (s *Service) AddPermission(ctx context.Context, actor event.Actor, organizationID, slug, permission string) (Role, error) {
	return s.changeRole(ctx, actor, organizationID, slug, func(tx db.Tx, r *Role) error {
		r.Permissions = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(r.Permissions), permission))))
		return s.knownTx(ctx, tx, []string{permission}, "slug")
	})
}

// RemovePermission takes one away; NotFound if the role has it not.
func (s *Service) RemovePermission(ctx context.Context, actor event.Actor, organizationID, slug, permission string) (Role, error) {
	return s.changeRole(ctx, actor, organizationID, slug, func(_ db.Tx, r *Role) error {
		i := slices.Index(r.Permissions, permission)
		if i < 0 {
			return PermissionNotFound(permission)
		}
		r.Permissions = slices.Delete(slices.Clone(r.Permissions), i, i+1)
		return nil
	})
}

// knownTx holds permissions so that none is deleted while it is given to a role.
func (s *Service) knownTx(ctx context.Context, tx db.Tx, permissions []string, field string) error {
	for _, slug := range permissions {
		found, err := readPermissions(ctx, tx, selectPermission+s.db.ForShare(), slug)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return fault.New(fault.Unprocessable, "unknown_permission", "There is no permission %.60q. Create it at /authorization/permissions first.", slug).On(field)
		}
	}
	return nil
}

// changeRole changes an organization's own role, or with "" one of the installation's.
func (s *Service) changeRole(ctx context.Context, actor event.Actor, organizationID, slug string, change func(db.Tx, *Role) error) (out Role, err error) {
	if err := s.prepare(ctx); err != nil {
		return Role{}, err
	}
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		before, err := s.ownRoleTx(ctx, tx, organizationID, slug)
		if err != nil {
			return err
		}
		out = before
		if err := change(tx, &out); err != nil || sameRole(before, out) {
			return err
		}
		out.UpdatedAt = s.time()
		if _, err := tx.Exec(ctx, updateRole, out.OrganizationID, string(out.ID), out.Name, db.TextOrNull(out.Description), encode(orEmpty(out.Permissions)),
			out.Priority, out.IsAdmin, out.UpdatedAt.UnixMicro()); err != nil {
			return err
		}
		if out.Priority != before.Priority {
			if err := s.lookAgainTx(ctx, tx, actor, out); err != nil {
				return err
			}
		}
		return s.events.AppendTx(ctx, tx, out.UpdatedAt, roleEntry(updated, out, event.Context{Actor: actor}))
	})
	if err != nil {
		return Role{}, fmt.Errorf("change role %s: %w", slug, err)
	}
	return out, nil
}

func sameRole(a, b Role) bool {
	return a.Name == b.Name && a.Description == b.Description && a.Priority == b.Priority && a.IsAdmin == b.IsAdmin && slices.Equal(a.Permissions, b.Permissions)
}

// ownRoleTx holds a role. The installation's are not an organization's to change.
func (s *Service) ownRoleTx(ctx context.Context, tx db.Tx, organizationID, slug string) (Role, error) {
	found, err := readRoles(ctx, tx, selectOwnRole+s.db.ForUpdate(), organizationID, slug)
	if err != nil {
		return Role{}, err
	}
	if len(found) > 0 {
		return found[0], nil
	}
	if organizationID == "" {
		return Role{}, RoleNotFound(slug)
	}
	everybodys, err := readRoles(ctx, tx, selectOwnRole, "", slug)
	if err == nil && len(everybodys) > 0 {
		err = fault.New(fault.Forbidden, "environment_role",
			"The role %q is not of this organization alone: every organization has it. Change it at /authorization/roles/%s.", slug, slug)
	}
	if err != nil {
		return Role{}, err
	}
	return Role{}, RoleNotFound(slug)
}

// DeleteRole deletes a role that nobody has and no mapping names: whoever has it would be left without what they were given, silently. A
// Conflict "role_has_assignments" or "role_has_group_role_mappings" says what to change first.
func (s *Service) DeleteRole(ctx context.Context, actor event.Actor, organizationID, slug string) error {
	if organizationID == "" && slug == RoleMember {
		return fault.New(fault.Conflict, "default_role", "The role %q is everybody's and stays.", slug)
	}
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		r, err := s.ownRoleTx(ctx, tx, organizationID, slug)
		if err != nil {
			return err
		}
		// Deleted before it is counted: who gives it to somebody holds the row (RoleInto), and is seen or lost.
		if _, err := tx.Exec(ctx, deleteRole, r.OrganizationID, string(r.ID)); err != nil {
			return err
		}
		if err := unheldTx(ctx, tx, r); err != nil {
			return err
		}
		if err := s.lookAgainTx(ctx, tx, actor, r); err != nil { // of those to whom it is mapped beside others
			return err
		}
		return s.events.AppendTx(ctx, tx, s.time(), roleEntry(deleted, r, event.Context{Actor: actor}))
	})
	if err != nil {
		return fmt.Errorf("delete role %s: %w", slug, err)
	}
	return nil
}

// lookAgainTx has the people of directories looked at again to whom a role may be mapped that has come, gone or changed its place. Through a
// connection people get what follows at their next sign-in.
func (s *Service) lookAgainTx(ctx context.Context, tx db.Tx, actor event.Actor, r Role) error {
	if s.directories == nil {
		return nil
	}
	all, err := mappingsFor(ctx, tx, r.OrganizationID)
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b Mapping) int { return strings.Compare(a.SourceID, b.SourceID) }) // of two who do this at once one waits for the other
	for _, m := range all {
		if !ofDirectory(m.SourceID) || !m.mayMap(r.Slug) {
			continue
		}
		if err := s.directories.LookAgainTx(ctx, tx, actor, m.OrganizationID, m.SourceID); err != nil {
			return err
		}
	}
	return nil
}

// mayMap tells whether a role may be mapped: what a rule reads cannot be known.
func (m Mapping) mayMap(slug string) bool {
	return m.DrivesRoles && slices.ContainsFunc(m.Rules, func(r Rule) bool { return r.Set == SetRole && (r.From != "" || r.To == slug) })
}

func unheldTx(ctx context.Context, tx db.Tx, r Role) error {
	var holders int64
	if err := tx.QueryRow(ctx, countRoleHolders, r.OrganizationID, r.Slug).Scan(&holders); err != nil {
		return err
	}
	if holders > 0 {
		return fault.New(fault.Conflict, "role_has_assignments", "Members who have the role %q: %d. Give them another role first.", r.Slug, holders)
	}
	named, err := mappingNaming(ctx, tx, r.OrganizationID, SetRole, r.Slug)
	if err == nil && named != "" {
		err = fault.New(fault.Conflict, "role_has_group_role_mappings", "The mapping of %s gives the role %q. Change that mapping first.", named, r.Slug)
	}
	return err
}

// mappingNaming finds a source whose mapping gives something; organization "" is all of them. "" if there is none.
func mappingNaming(ctx context.Context, r db.Reader, organizationID string, target Target, value string) (string, error) {
	all, err := mappingsFor(ctx, r, organizationID)
	if err != nil {
		return "", err
	}
	for _, m := range all {
		if slices.ContainsFunc(m.Rules, func(r Rule) bool { return r.Set == target && r.gives(value) }) {
			return m.SourceID, nil
		}
	}
	return "", nil
}

// mappingsFor are those of an organization; of "" all of them.
func mappingsFor(ctx context.Context, r db.Reader, organizationID string) ([]Mapping, error) {
	if organizationID == "" {
		return readMappings(ctx, r, selectEvery)
	}
	return readMappings(ctx, r, selectMappings, organizationID)
}

// gives: what a rule reads cannot be known, but for what its table holds.
func (r Rule) gives(value string) bool {
	return r.To == value || slices.ContainsFunc(r.Transforms, func(t Transform) bool {
		for _, to := range t.Table {
			if to == value {
				return true
			}
		}
		return false
	})
}

// verb of an event of a role.
type verb int

const (
	created verb = iota
	updated
	deleted
)

func roleEntry(v verb, r Role, cause event.Context) event.Entry {
	kinds := [...]event.Type{event.RoleCreated, event.RoleUpdated, event.RoleDeleted}
	if r.OrganizationID != "" {
		kinds = [...]event.Type{event.OrganizationRoleCreated, event.OrganizationRoleUpdated, event.OrganizationRoleDeleted}
	}
	return event.Entry{OrganizationID: r.OrganizationID, Type: kinds[v], Context: cause.JSON(), Data: r.eventPayload()}
}
