package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
)

// NewPermission is what a permission is made of.
type NewPermission struct{ Slug, Name, Description string }

// PermissionChanges are what a permission is changed to; nil leaves a field as it is.
type PermissionChanges struct{ Name, Description *string }

// Page selects a page of a list. Limit is its size; Before and After are ids.
type Page struct {
	Before, After string
	Limit         int
	Ascending     bool
}

func (p Page) of() db.Page {
	return db.Page{Before: p.Before, After: p.After, Limit: p.Limit, Ascending: p.Ascending}
}

// PermissionNotFound is the refusal for a permission that is not there.
func PermissionNotFound(slug string) error {
	return fault.New(fault.NotFound, "entity_not_found", "Permission not found: '%.80s'.", slug)
}

// Permissions gives a page and whether more follow in the direction read.
func (s *Service) Permissions(ctx context.Context, q Page) ([]Permission, bool, error) {
	p := q.of()
	text, args := p.Statement(selectPermissions, "id")
	found, err := readPermissions(ctx, s.db, text, args...)
	if err != nil {
		return nil, false, err
	}
	found, more := db.Cut(p, found)
	return found, more, nil
}

// Permission finds one.
func (s *Service) Permission(ctx context.Context, slug string) (Permission, error) {
	return permission(ctx, s.db, selectPermission, slug)
}

func permission(ctx context.Context, r db.Reader, text, slug string) (Permission, error) {
	found, err := readPermissions(ctx, r, text, slug)
	if err != nil {
		return Permission{}, err
	}
	if len(found) == 0 {
		return Permission{}, PermissionNotFound(slug)
	}
	return found[0], nil
}

func readPermissions(ctx context.Context, r db.Reader, text string, args ...any) ([]Permission, error) {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read permissions: %w", err)
	}
	defer rows.Close()
	var out []Permission
	for rows.Next() {
		var p Permission
		var about *string
		var created, updated int64
		if err := rows.Scan((*string)(&p.ID), &p.Slug, &p.Name, &about, &p.System, &created, &updated); err != nil {
			return nil, fmt.Errorf("read permissions: %w", err)
		}
		p.Description, p.CreatedAt, p.UpdatedAt = textOf(about), db.Time(created), db.Time(updated)
		out = append(out, p)
	}
	return out, rows.Err()
}

// CreatePermission makes a permission. A taken slug is a Conflict "permission_slug_conflict".
func (s *Service) CreatePermission(ctx context.Context, actor event.Actor, n NewPermission) (Permission, error) {
	n.Name = strings.TrimSpace(n.Name)
	if err := errors.Join(checkSlug(n.Slug), checkTitle(n.Name, maxName), checkDescription(n.Description)); err != nil {
		return Permission{}, err
	}
	at := s.time()
	p := Permission{ID: PermissionID(s.ids.NewID(permissionPrefix)), Slug: n.Slug, Name: n.Name, Description: n.Description, CreatedAt: at, UpdatedAt: at}
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		if _, err := tx.Exec(ctx, insertPermission, string(p.ID), p.Slug, p.Name, db.TextOrNull(p.Description), p.System, at.UnixMicro(), at.UnixMicro()); err != nil {
			return err
		}
		return s.events.AppendTx(ctx, tx, at, permissionEntry(event.PermissionCreated, p, actor))
	})
	if unique := (*db.UniqueError)(nil); errors.As(err, &unique) && unique.Table == "permissions" {
		err = fault.New(fault.Conflict, "permission_slug_conflict", "There is a permission with the slug %q already. Choose another slug.", n.Slug)
	}
	if err != nil {
		return Permission{}, fmt.Errorf("create permission: %w", err)
	}
	return p, nil
}

func permissionEntry(kind event.Type, p Permission, actor event.Actor) event.Entry {
	return event.Entry{Type: kind, Context: event.Context{Actor: actor}.JSON(), Data: p.Payload()}
}

// UpdatePermission changes how a permission is called. What changes nothing is silent.
func (s *Service) UpdatePermission(ctx context.Context, actor event.Actor, slug string, c PermissionChanges) (out Permission, err error) {
	if c.Name != nil {
		name := strings.TrimSpace(*c.Name)
		c.Name = &name
		if err := checkTitle(name, maxName); err != nil {
			return Permission{}, err
		}
	}
	if c.Description != nil {
		if err := checkDescription(*c.Description); err != nil {
			return Permission{}, err
		}
	}
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		if out, err = permission(ctx, tx, selectPermission+s.db.ForUpdate(), slug); err != nil {
			return err
		}
		before := out
		if c.Name != nil {
			out.Name = *c.Name
		}
		if c.Description != nil {
			out.Description = *c.Description
		}
		if out == before {
			return nil
		}
		out.UpdatedAt = s.time()
		if _, err := tx.Exec(ctx, updatePermission, string(out.ID), out.Name, db.TextOrNull(out.Description), out.UpdatedAt.UnixMicro()); err != nil {
			return err
		}
		return s.events.AppendTx(ctx, tx, out.UpdatedAt, permissionEntry(event.PermissionUpdated, out, actor))
	})
	if err != nil {
		return Permission{}, fmt.Errorf("change permission %s: %w", slug, err)
	}
	return out, nil
}

// DeletePermission deletes a permission and takes it out of all roles that have it.
func (s *Service) DeletePermission(ctx context.Context, actor event.Actor, slug string) error {
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		p, err := permission(ctx, tx, selectPermission+s.db.ForUpdate(), slug)
		if err != nil {
			return err
		}
		at := s.time()
		roles, err := readRoles(ctx, tx, selectPermit+s.db.ForUpdate(), `%"`+slug+`"%`)
		if err != nil {
			return err
		}
		var entries []event.Entry
		for _, r := range roles {
			i := slices.Index(r.Permissions, slug)
			if i < 0 { // _ in a slug means any letter to the search
				continue
			}
			r.Permissions, r.UpdatedAt = slices.Delete(r.Permissions, i, i+1), at
			if _, err := tx.Exec(ctx, updateRole, r.OrganizationID, string(r.ID), r.Name, db.TextOrNull(r.Description), encode(orEmpty(r.Permissions)),
				r.Priority, r.IsAdmin, at.UnixMicro()); err != nil {
				return err
			}
			entries = append(entries, roleEntry(updated, r, event.Context{Actor: actor}))
		}
		if _, err := tx.Exec(ctx, deletePermission, string(p.ID)); err != nil {
			return err
		}
		return s.events.AppendTx(ctx, tx, at, append(entries, permissionEntry(event.PermissionDeleted, p, actor))...)
	})
	if err != nil {
		return fmt.Errorf("delete permission %s: %w", slug, err)
	}
	return nil
}
