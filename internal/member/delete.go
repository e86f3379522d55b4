package member

import (
	"context"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/session"
)

// DeleteUser deletes an account with its memberships and identities, ends all its sessions, and asks for what is personal to be taken
// out of the log and whatever else has it.
func (s *Service) DeleteUser(ctx context.Context, actor event.Actor, id UserID) error {
	err := s.db.Tx(ctx, func(tx db.Tx) error { return s.deleteUserTx(ctx, tx, event.Context{Actor: actor}, id) })
	if err != nil {
		return fmt.Errorf("delete user %s: %w", id, err)
	}
	return nil
}

func (s *Service) deleteUserTx(ctx context.Context, tx db.Tx, cause event.Context, id UserID) error {
	at := s.time()
	u, err := user(ctx, tx, lockUser+s.db.ForUpdate(), string(id), string(id))
	if err != nil {
		return err
	}
	places, err := members(ctx, tx, selectPlaces, string(id))
	if err != nil {
		return err
	}
	var entries []event.Entry
	for _, m := range places {
		if err := s.leaveTx(ctx, tx, m.Membership); err != nil {
			return err
		}
		if m.Membership.State != Removed {
			entries = append(entries, memberEntry(event.OrganizationMembershipDeleted, m.Membership, cause.JSON()))
		}
	}
	if err := s.forgetInvitedTx(ctx, tx, u); err != nil {
		return err
	}
	for _, text := range []string{deleteIdentities, deletePlaces} {
		if _, err := tx.Exec(ctx, text, string(id)); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, deleteUser, string(id), at.UnixMicro()); err != nil {
		return err
	}
	if err := s.endTx(ctx, tx, session.Selection{UserID: string(id)}, session.UserDeleted, cause); err != nil {
		return err
	}
	if err := s.events.AppendTx(ctx, tx, at, append(entries, userEntry(event.UserDeleted, u, cause.JSON()))...); err != nil {
		return err
	}
	for _, m := range append(places, Member{}) { // events of the account itself are of no organization
		if err := s.events.ForgetTx(ctx, tx, m.Membership.OrganizationID, string(id), at); err != nil {
			return err
		}
	}
	return nil
}

// leaveTx takes out what is about a membership that goes for good. A directory that still has the person makes it anew with its next word.
func (s *Service) leaveTx(ctx context.Context, tx db.Tx, m Membership) error {
	if _, err := tx.Exec(ctx, deleteClaimsOn, m.OrganizationID, string(m.ID)); err != nil {
		return err
	}
	return s.access.LeaveTx(ctx, tx, m.OrganizationID, string(m.ID))
}

// DeleteOrganizationTx takes everybody out of an organization that is being deleted and held (org.Service.LockTx), and ends its sessions.
// Accounts stay, and are at home nowhere. No events are told of single members, as none are of directory users.
func (s *Service) DeleteOrganizationTx(ctx context.Context, tx db.Tx, actor event.Actor, organizationID string) error {
	for _, text := range []string{deleteClaimsOf, deleteIdentitiesOf, deleteMemberships, leaveHomes} {
		if _, err := tx.Exec(ctx, text, organizationID); err != nil {
			return fmt.Errorf("delete the members of %s: %w", organizationID, err)
		}
	}
	if err := s.access.DeleteOrganizationTx(ctx, tx, organizationID); err != nil {
		return err
	}
	return s.endTx(ctx, tx, session.Selection{OrganizationID: organizationID}, session.OrganizationDeleted, event.Context{Actor: actor})
}

// DeleteConnectionTx forgets who the people of a connection are that is being deleted. Their sessions are ended by who deletes it.
func (s *Service) DeleteConnectionTx(ctx context.Context, tx db.Tx, organizationID, connectionID string) error {
	if _, err := tx.Exec(ctx, deleteConnection, organizationID, connectionID); err != nil {
		return fmt.Errorf("delete the identities of connection %s: %w", connectionID, err)
	}
	return s.access.DeleteMappingTx(ctx, tx, organizationID, connectionID)
}
