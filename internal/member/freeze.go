package member

import (
	"context"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
)

// FreezeTx leaves everybody as a directory that is being deleted has them: its last word stands until another directory or a hand says
// otherwise, and bars nobody any more. Nobody's state changes, so no events are told.
func (s *Service) FreezeTx(ctx context.Context, tx db.Tx, organizationID, directoryID string, _ event.Context) error {
	if _, err := tx.Exec(ctx, forgetNobodies, organizationID, directoryID); err != nil {
		return fmt.Errorf("freeze the members of directory %s: %w", directoryID, err)
	}
	if _, err := tx.Exec(ctx, freezeMembers, organizationID, directoryID); err != nil {
		return fmt.Errorf("freeze the members of directory %s: %w", directoryID, err)
	}
	if _, err := tx.Exec(ctx, freezeClaims, organizationID, directoryID, s.time().UnixMicro()); err != nil {
		return fmt.Errorf("freeze the members of directory %s: %w", directoryID, err)
	}
	return nil
}

// ManagedBy tells which directory manages a membership: a living one that has the person, or has shut them out.
func (s *Service) ManagedBy(ctx context.Context, r db.Reader, id MembershipID) (directoryID string, managed bool, err error) {
	claims, err := readClaims(ctx, r, selectClaimsByMember, string(id))
	if err != nil {
		return "", false, err
	}
	for _, c := range claims {
		if c.frozenAt.IsZero() && c.says != SaysRemoved {
			return c.directoryID, true, nil
		}
	}
	return "", false, nil
}
