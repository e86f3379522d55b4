package member

import (
	"context"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
)

// invited names an invitation.
type invited struct{ id, organizationID string }

// forgetInvitations takes a person out of the invitations of an organization by the addresses that the log knows, or everything of the organization
// out. What was pending is revoked by it, and nobody is told: there is nobody any more whom it could concern. What the log says of the
// invitations themselves is erased after, each by its own id: their events name nobody else's.
func (s *Service) forgetInvitations(ctx context.Context, who event.Forgotten) error {
	var w db.Write
	if who.Subject == "" {
		w.Exec(deleteInvitations, who.OrganizationID)
	}
	known := map[invited]bool{}
	for _, trace := range append([]string{""}, who.Traces...) {
		key, ok := EmailKey(trace)
		if who.Subject == "" || !ok && trace != "" {
			continue
		}
		found, err := readInvited(ctx, s.db, selectInvitedAs, who.OrganizationID, who.Subject, key)
		if err != nil {
			return err
		}
		for _, i := range found {
			if known[i] {
				continue
			}
			known[i] = true
			w.Exec(forgetInvitation, i.id, i.organizationID)
			s.events.ForgetInto(&w, i.organizationID, i.id, s.time())
		}
	}
	if err := s.db.Write(ctx, &w); err != nil {
		return fmt.Errorf("forget invitations: %w", err)
	}
	return nil
}

// forgetInvitedTx takes an account that is being deleted, and still has its memberships, out of all invitations to it.
func (s *Service) forgetInvitedTx(ctx context.Context, tx db.Tx, u User) error {
	key, _ := EmailKey(u.Email)
	found, err := readInvited(ctx, tx, selectInvited, string(u.ID), key)
	if err != nil {
		return err
	}
	for _, i := range found {
		if _, err := tx.Exec(ctx, forgetInvitation, i.id, i.organizationID); err != nil {
			return fmt.Errorf("forget the invitations of %s: %w", u.ID, err)
		}
		if err := s.events.ForgetTx(ctx, tx, i.organizationID, i.id, s.time()); err != nil {
			return err
		}
	}
	return nil
}

func readInvited(ctx context.Context, r db.Reader, text string, args ...any) (out []invited, err error) {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("look for invitations: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var i invited
		if err := rows.Scan(&i.id, &i.organizationID); err != nil {
			return nil, fmt.Errorf("look for invitations: %w", err)
		}
		out = append(out, i)
	}
	return out, rows.Err()
}
