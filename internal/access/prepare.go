package access

import (
	"context"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/db"
)

const (
	priorityStep = 100       // between roles, so that one can be put between two
	maxPriority  = 1_000_000 // that anybody may ask for

	maxSlug        = 48 // the contract's lengths
	maxName        = 48
	maxDescription = 150
	maxTeamName    = 256
)

// memberRole is everybody's role as it begins.
func memberRole() Role {
	return Role{ID: rolePrefix + "_00000000000000000000000000", Slug: RoleMember, Name: "Member", Description: "Everybody's role", Priority: priorityStep}
}

// prepare makes the role member where it is not there yet: once for each database, and asked once for each process.
func (s *Service) prepare(ctx context.Context) error {
	if s.prepared.Load() {
		return nil
	}
	r := memberRole()
	r.ID, r.CreatedAt = RoleID(s.ids.NewID(rolePrefix)), s.time()
	r.UpdatedAt = r.CreatedAt
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, insertMemberRole, insertRoleArgs(r)...)
		return err
	})
	if err != nil {
		return fmt.Errorf("make the role %s: %w", RoleMember, err)
	}
	s.prepared.Store(true)
	return nil
}

func insertRoleArgs(r Role) []any {
	return []any{
		string(r.ID), r.OrganizationID, r.Slug, r.Name, db.TextOrNull(r.Description), encode(orEmpty(r.Permissions)), r.Priority, r.IsAdmin,
		r.CreatedAt.UnixMicro(), r.UpdatedAt.UnixMicro(),
	}
}
