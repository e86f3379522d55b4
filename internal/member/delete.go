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

// leaveTx takes out what is about a membership that goes for good. A directory that wants the person in makes it anew with its next word. What
// one says that wants them out stays, said of nobody: else a new account with the address would get in.
func (s *Service) leaveTx(ctx context.Context, tx db.Tx, m Membership) error {
	for _, text := range []string{unlinkClaims, deleteClaimsOn} {
		if _, err := tx.Exec(ctx, text, m.OrganizationID, string(m.ID)); err != nil {
			return err
		}
	}
	return s.access.LeaveTx(ctx, tx, m.OrganizationID, string(m.ID))
}

// DeleteOrganizationTx takes everybody out of an organization that is being deleted and held (org.Service.LockTx), and ends its sessions.
// Accounts stay, and are at home nowhere; those that it had deprovisioned are given back to the other organizations that they are members of.
// No events are told of its single members, as none are of directory users. Somebody who changes one of those accounts meanwhile makes it a
// *db.GuardError, and the transaction is tried again.
func (s *Service) DeleteOrganizationTx(ctx context.Context, tx db.Tx, actor event.Actor, organizationID string) error {
	for _, text := range []string{deleteClaimsOf, deleteIdentitiesOf, deleteMemberships} {
		if _, err := tx.Exec(ctx, text, organizationID); err != nil {
			return fmt.Errorf("delete the members of %s: %w", organizationID, err)
		}
	}
	if err := s.giveBackTx(ctx, tx, event.Context{Actor: actor}, organizationID); err != nil {
		return fmt.Errorf("give back the accounts of %s: %w", organizationID, err)
	}
	if _, err := tx.Exec(ctx, leaveHomes, organizationID); err != nil {
		return fmt.Errorf("delete the members of %s: %w", organizationID, err)
	}
	if err := s.access.DeleteOrganizationTx(ctx, tx, organizationID); err != nil {
		return err
	}
	return s.endTx(ctx, tx, session.Selection{OrganizationID: organizationID}, session.OrganizationDeleted, event.Context{Actor: actor})
}

// giveBackTx draws anew what follows for members of other organizations whose account was deprovisioned by one that has no members any more.
func (s *Service) giveBackTx(ctx context.Context, tx db.Tx, cause event.Context, organizationID string) error {
	taken, err := readIDs(ctx, tx, selectTakenBy+s.db.ForUpdate(), organizationID)
	if err != nil {
		return err
	}
	for _, id := range taken {
		a, err := s.account(ctx, tx, UserID(id))
		if err != nil {
			return err
		}
		a.user.HomeOrganizationID = ""
		var w db.Write
		if _, err := s.accountInto(ctx, tx, &w, a, cause); err != nil {
			return err
		}
		if err := w.In(ctx, tx); err != nil {
			return err
		}
	}
	tx.OnCommit(s.Nudge)
	return nil
}

// DeleteConnectionTx forgets who the people of a connection are that is being deleted. Their sessions are ended by who deletes it.
func (s *Service) DeleteConnectionTx(ctx context.Context, tx db.Tx, organizationID, connectionID string) error {
	if _, err := tx.Exec(ctx, deleteConnection, organizationID, connectionID); err != nil {
		return fmt.Errorf("delete the identities of connection %s: %w", connectionID, err)
	}
	return s.access.DeleteMappingTx(ctx, tx, organizationID, connectionID)
}
