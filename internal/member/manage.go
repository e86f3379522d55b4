package member

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/session"
)

// Deactivate shuts a member out by hand and ends their sessions of the organization. An inactive one stays as they are.
func (s *Service) Deactivate(ctx context.Context, actor event.Actor, id MembershipID) (Member, error) {
	return s.move(ctx, actor, id, func(m *Membership) error {
		switch m.State {
		case Pending:
			return fault.New(fault.Conflict, "membership_pending", "Nobody has come in by this membership yet. Remove it instead.").Compared(string(Active), string(Pending))
		case Active:
			m.State, m.Why = Inactive, WhyDeactivated
		}
		return nil
	})
}

// Reactivate lets a member in again, whose next sign-in may still be refused by a directory. A member whom a directory has shut out is a
// Conflict "directory_managed".
func (s *Service) Reactivate(ctx context.Context, actor event.Actor, id MembershipID) (Member, error) {
	return s.move(ctx, actor, id, func(m *Membership) error {
		switch {
		case m.State == Pending:
			return fault.New(fault.Conflict, "membership_pending", "Nobody has come in by this membership yet; it becomes active by a sign-in.").
				Compared(string(Inactive), string(Pending))
		case m.State == Inactive && m.Why.directorys():
			return fault.New(fault.Conflict, "directory_managed", "The organization's directory has shut this member out. Activate the person in the identity provider.").
				Compared(string(WhyDeactivated), string(m.Why))
		case m.State == Inactive:
			m.State, m.Why = Active, WhyReactivated
		}
		return nil
	})
}

// Remove takes a member out of the organization and ends their sessions of it. The account stays.
func (s *Service) Remove(ctx context.Context, actor event.Actor, id MembershipID) error {
	_, err := s.move(ctx, actor, id, func(m *Membership) error {
		m.State, m.Why = Removed, WhyRemoved
		return nil
	})
	return err
}

// move changes a membership that is not removed. The row is held first: who signs in by it guards it (AdmitInto), so that no session is
// started beside its end.
func (s *Service) move(ctx context.Context, actor event.Actor, id MembershipID, change func(*Membership) error) (out Member, err error) {
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		out, err = s.moveTx(ctx, tx, event.Context{Actor: actor}, id, change)
		return err
	})
	if err != nil {
		return Member{}, fmt.Errorf("change membership %s: %w", id, err)
	}
	return out, nil
}

func (s *Service) moveTx(ctx context.Context, tx db.Tx, cause event.Context, id MembershipID, change func(*Membership) error) (Member, error) {
	if err := hold(ctx, tx, lockMembership+s.db.ForUpdate(), string(id)); err != nil {
		return Member{}, err
	}
	m, err := member(ctx, tx, selectMember, string(id), string(id))
	if err != nil {
		return Member{}, err
	}
	if m.Membership.State == Removed {
		return Member{}, NotFound("Organization membership", string(id))
	}
	before := m.Membership
	if err := change(&m.Membership); err != nil || m.Membership == before {
		return m, err
	}
	m.Membership.Version, m.Membership.UpdatedAt = before.Version+1, s.time()
	if _, err := tx.Exec(ctx, updateMembership, updateMembershipArgs(m.Membership, before.Version)...); err != nil {
		return Member{}, err
	}
	if m.Membership.State != Active {
		if err := s.endTx(ctx, tx, session.Selection{UserID: string(before.UserID), OrganizationID: before.OrganizationID}, session.MembershipEnded, cause); err != nil {
			return Member{}, err
		}
	}
	kind := event.OrganizationMembershipUpdated
	if m.Membership.State == Removed {
		kind = event.OrganizationMembershipDeleted
	}
	return m, s.events.AppendTx(ctx, tx, m.Membership.UpdatedAt, memberEntry(kind, m.Membership, cause.JSON()))
}

// hold locks the rows of a query until the transaction ends.
func hold(ctx context.Context, tx db.Tx, text string, args ...any) error {
	rows, err := tx.Query(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() { // whether they are there is asked by who reads them
		continue
	}
	return rows.Err()
}

func (s *Service) endTx(ctx context.Context, tx db.Tx, which session.Selection, why session.Reason, cause event.Context) error {
	_, err := s.sessions.EndTx(ctx, tx, which, session.Ending{Reason: why, Context: cause})
	return err
}

// Unlink forgets who an idp id is, so that its next sign-in is a first one, and with which directory person the member was joined. The
// member's sessions of the organization end. It is how an administrator says that an id that came in place of another is the same person's.
func (s *Service) Unlink(ctx context.Context, actor event.Actor, organizationID, connectionID, idpID string) error {
	cause := event.Context{Actor: actor}
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		var id string
		err := tx.QueryRow(ctx, selectIdentity, organizationID, connectionID, idpID).Scan(&id)
		if errors.Is(err, db.ErrNoRows) {
			return NotFound("Identity", idpID)
		}
		if err == nil {
			err = hold(ctx, tx, lockUser+s.db.ForUpdate(), id)
		}
		if err == nil {
			_, err = tx.Exec(ctx, deleteIdentity, organizationID, connectionID, idpID, id)
		}
		if err == nil {
			err = s.unjoinTx(ctx, tx, organizationID, id, cause)
		}
		if err != nil {
			return err
		}
		return s.endTx(ctx, tx, session.Selection{UserID: id, OrganizationID: organizationID}, session.Revoked, cause)
	})
	if err != nil {
		return fmt.Errorf("unlink an identity of connection %s: %w", connectionID, err)
	}
	return nil
}

func (s *Service) unjoinTx(ctx context.Context, tx db.Tx, organizationID, userID string, cause event.Context) error {
	n, err := tx.Exec(ctx, unjoinMembership, organizationID, userID, s.time().UnixMicro())
	if err != nil || n == 0 {
		return err
	}
	m, err := member(ctx, tx, selectMemberOf, userID, organizationID, userID)
	if err != nil || m.Membership.State == Removed {
		return err
	}
	return s.events.AppendTx(ctx, tx, m.Membership.UpdatedAt, memberEntry(event.OrganizationMembershipUpdated, m.Membership, cause.JSON()))
}
