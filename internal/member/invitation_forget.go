package member

import (
	"context"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
)

// forgetInvitations takes a person out of the invitations of an organization by the addresses that the log knows, or everything of the organization
// out. What was pending is revoked by it, and nobody is told: there is nobody any more whom it could concern.
func (s *Service) forgetInvitations(ctx context.Context, who event.Forgotten) error {
	var w db.Write
	if who.Subject == "" {
		w.Exec(deleteInvitations, who.OrganizationID)
	}
	for _, trace := range who.Traces {
		if key, ok := EmailKey(trace); ok && who.Subject != "" {
			w.Exec(forgetInvitations, who.OrganizationID, who.Subject, key)
		}
	}
	if err := s.db.Write(ctx, &w); err != nil {
		return fmt.Errorf("forget invitations: %w", err)
	}
	return nil
}

// forgetInvitedTx takes an account that is being deleted out of all invitations to its address.
func (s *Service) forgetInvitedTx(ctx context.Context, tx db.Tx, u User) error {
	key, _ := EmailKey(u.Email)
	if _, err := tx.Exec(ctx, forgetInvited, string(u.ID), key); err != nil {
		return fmt.Errorf("forget the invitations of %s: %w", u.ID, err)
	}
	return nil
}
