package member

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/session"
)

// rounds is how often a verb computes again what others have changed meanwhile.
const rounds = 50

// guarded writes what compute adds, computed anew until it holds.
func (s *Service) guarded(ctx context.Context, lane string, compute func(w *db.Write) error) error {
	var lost error
	for range rounds {
		w := db.Write{Lane: lane}
		if err := compute(&w); err != nil || w.Len() == 0 {
			return err
		}
		if lost = s.db.Write(ctx, &w); lost == nil {
			s.events.Nudge()
			return nil
		}
		if !lostWrite(lost) {
			return lost
		}
	}
	return fault.New(fault.Unavailable, "busy", "Too much happened to this member at once. Try again.").Because(lost)
}

// Deactivate blocks a member by hand and ends their sessions of the organization. It holds until Reactivate, whatever directories say, and is
// refused for nobody who is in. Pending members whom no directory wants are a Conflict "membership_pending": they are removed instead.
func (s *Service) Deactivate(ctx context.Context, actor event.Actor, id MembershipID) (Member, error) {
	return s.move(ctx, actor, id, func(p *place, u User) error { return p.deactivate(actor.ID, u, s.time()) })
}

func (p *place) deactivate(by string, u User, now time.Time) error {
	if p.m.State == Pending && !p.decides(u).Wanted() {
		return fault.New(fault.Conflict, "membership_pending", "Nobody has come in by this membership yet. Remove it instead.").Compared(string(Active), string(Pending))
	}
	p.block(by, now)
	return nil
}

// Reactivate lets a member in again whom a hand has blocked, or whom a directory had shut out that is gone; their next sign-in may still be
// refused by a directory. A member whom a directory shuts out is a Conflict "directory_managed".
func (s *Service) Reactivate(ctx context.Context, actor event.Actor, id MembershipID) (Member, error) {
	return s.move(ctx, actor, id, func(p *place, u User) error { return p.reactivate(actor.ID, u) })
}

func (p *place) reactivate(by string, u User) error {
	switch p.m.State {
	case Active:
		return nil
	case Pending:
		return fault.New(fault.Conflict, "membership_pending", "Nobody has come in by this membership yet; it becomes active by a sign-in.").
			Compared(string(Inactive), string(Pending))
	}
	return p.readmitted(by, u)
}

// readmitted lifts what a hand may lift, or says who has to.
func (p *place) readmitted(by string, u User) error {
	if p.readmit(by, u) {
		return nil
	}
	if c := p.decides(u); !c.Barred() {
		return fault.New(fault.Conflict, "directory_managed", "The organization that the account belongs to has deprovisioned it. Only its directory gives the account back.").
			Compared("an account that is not deprovisioned", string(WhyAccountDeprovisioned))
	}
	return fault.New(fault.Conflict, "directory_managed", "The directory %s has shut this member out. Activate the person in the identity provider.", p.bars()).
		Compared("a member whom no directory shuts out", string(p.m.Why))
}

// bars names the living directory that shuts the member out.
func (p *place) bars() string {
	for _, c := range p.claims {
		if c.says != SaysActive && c.frozenAt.IsZero() {
			return c.directory()
		}
	}
	return ""
}

// manager names the living directory that has the member, in or out.
func (p *place) manager() string {
	if c := p.sayer(func(saying) bool { return true }); c != nil {
		return c.directory()
	}
	return ""
}

// directory names a claim's directory for people: its name as it was last said, and its id.
func (c *claim) directory() string {
	if one, err := c.read(); err == nil && one.Directory != "" {
		return fmt.Sprintf("%.100q (%s)", one.Directory, c.directoryID)
	}
	return c.directoryID
}

// Remove takes a member out of the organization and ends their sessions of it. The account stays. A member whom a directory wants in is a
// Conflict "directory_managed": they would be back with its next word. Deactivate shuts them out.
func (s *Service) Remove(ctx context.Context, actor event.Actor, id MembershipID) error {
	_, err := s.move(ctx, actor, id, func(p *place, u User) error { return p.remove(u, s.time()) })
	return err
}

func (p *place) remove(u User, now time.Time) error {
	if p.decides(u).Wanted() {
		return fault.New(fault.Conflict, "directory_managed",
			"The directory %s has this member. Remove the person in the identity provider; deactivate the membership to shut them out at once.", p.manager()).
			Compared("a member whom no directory has", "one whom a directory wants in")
	}
	p.m.RemovedAt, p.m.InvitationID = now, ""
	return nil
}

// move changes what is claimed of a membership that is not removed, and draws what follows.
func (s *Service) move(ctx context.Context, actor event.Actor, id MembershipID, change func(p *place, u User) error) (out Member, err error) {
	first, err := s.Member(ctx, id)
	if err != nil {
		return Member{}, fmt.Errorf("change membership %s: %w", id, err)
	}
	err = s.guarded(ctx, first.Membership.OrganizationID, func(w *db.Write) error {
		a, err := s.account(ctx, s.db, first.Membership.UserID)
		if err != nil {
			return err
		}
		p := a.at(first.Membership.OrganizationID)
		if p == nil || p.m.State == Removed {
			return NotFound("Organization membership", string(id))
		}
		if err := change(p, a.user); err != nil {
			return err
		}
		_, err = s.accountInto(ctx, s.db, w, a, event.Context{Actor: actor})
		out = Member{Membership: p.m, User: a.user}
		return err
	})
	if err != nil {
		return Member{}, fmt.Errorf("change membership %s: %w", id, err)
	}
	return out, nil
}

// EndAll ends all sessions of an account, wherever they are.
func (s *Service) EndAll(ctx context.Context, actor event.Actor, id UserID) (int, error) {
	if _, err := s.User(ctx, id); err != nil {
		return 0, err
	}
	return s.sessions.End(ctx, session.Selection{UserID: string(id)}, session.Ending{Reason: session.Revoked, Context: event.Context{Actor: actor}})
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
