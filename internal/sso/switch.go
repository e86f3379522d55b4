package sso

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
)

// Switching says what a connection is in a switch of its organization's identity provider. While it is in one it is not deleted.
type Switching string

// The closed list. "" is in none.
const (
	Coming  Switching = "coming"  // it can be tested, and lets nobody in until the cut-over
	Ruling  Switching = "ruling"  // it lets people in
	Retired Switching = "retired" // after the cut-over: inactive, and those who came through it may stay until the switch is finished
)

func errSwitching(what string) error {
	return fault.New(fault.Conflict, "identity_provider_switching",
		"The connection belongs to an identity provider switch and cannot be %s. Cut over, cancel or revert the switch, or wait until it is finished.", what)
}

// Pair are the connections that go and come in a switch.
type Pair struct{ From, To ID }

// Former is what a connection was before the cut-over.
type Former struct {
	State   State
	Default bool
}

// HoldTx takes both into a switch: the second lets nobody in from then on. Both have to be the organization's, the first letting people in, and
// neither in another switch. The caller holds the organization.
func (s *Service) HoldTx(ctx context.Context, tx db.Tx, organizationID string, p Pair) error {
	from, to, err := s.sidesTx(ctx, tx, organizationID, p)
	switch {
	case err != nil:
		return err
	case p.From == p.To:
		return invalid("to.connection_id", "same_connection", "from and to name the same connection. Make one for the new identity provider first.")
	case from.Switching != "" || to.Switching != "":
		return errSwitching("taken into another one")
	case !from.open():
		return fault.New(fault.Conflict, "connection_not_open", "The old connection lets nobody in, so there is nothing to switch from.").
			Compared("a connection that is validating or active", string(from.State)).On("from.connection_id")
	}
	return s.markTx(ctx, tx, organizationID, p, Ruling, Coming)
}

// sidesTx holds both, in the order of ids as everybody does.
func (s *Service) sidesTx(ctx context.Context, tx db.Tx, organizationID string, p Pair) (from, to Connection, err error) {
	all, err := connections(ctx, tx, lockConnections+s.c.DB.ForUpdate(), organizationID)
	if err != nil {
		return from, to, err
	}
	for _, c := range all {
		if c.ID == p.From {
			from = c
		}
		if c.ID == p.To {
			to = c
		}
	}
	switch {
	case from.ID == "":
		err = invalid("from.connection_id", "unknown_connection", "The organization has no connection '%.80s'.", p.From)
	case to.ID == "":
		err = invalid("to.connection_id", "unknown_connection", "The organization has no connection '%.80s'.", p.To)
	}
	return from, to, err
}

func (s *Service) markTx(ctx context.Context, tx db.Tx, organizationID string, p Pair, from, to Switching) error {
	for _, one := range []struct {
		id ID
		as Switching
	}{{p.From, from}, {p.To, to}} {
		if _, err := tx.Exec(ctx, holdSide, organizationID, string(one.id), db.TextOrNull(string(one.as))); err != nil {
			return fmt.Errorf("mark connection %s in its switch: %w", one.id, err)
		}
	}
	return nil
}

// LetGoTx takes both out of their switch before the cut-over, as they are.
func (s *Service) LetGoTx(ctx context.Context, tx db.Tx, organizationID string, p Pair) error {
	return s.markTx(ctx, tx, organizationID, p, "", "")
}

// Tested says whether somebody has ever come in through a connection of an organization, or tested it with success.
func Tested(ctx context.Context, r db.Reader, organizationID string, id ID) (bool, error) {
	var one int64
	err := r.QueryRow(ctx, selectTested, organizationID, string(id)).Scan(&one)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look whether connection %s was tested: %w", id, err)
	}
	return true, nil
}

// CutOverTx lets people in through the new connection in the place of the old one, which is retired: sessions through it go on. A new one that
// lacks something is Unprocessable "connection_incomplete".
func (s *Service) CutOverTx(ctx context.Context, tx db.Tx, actor event.Actor, o org.Organization, p Pair) (was Former, err error) {
	from, to, err := s.sidesTx(ctx, tx, string(o.ID), p)
	if err != nil {
		return was, err
	}
	was = Former{from.State, from.Options.Default}
	out, in, on := from, to, Active
	out.State, out.Options.Default = Inactive, false
	in.Options.Default = in.Options.Default || was.Default
	if err := in.settle(&on); err != nil {
		return was, err
	}
	if err := s.replaceTx(ctx, tx, actor, o, [2]Connection{from, out}, [2]Connection{to, in}); err != nil {
		return was, err
	}
	return was, s.markTx(ctx, tx, string(o.ID), p, Retired, Ruling)
}

// RevertTx makes the old connection what it was, and switches the new one off: sessions through that end. Neither is in a switch any more.
func (s *Service) RevertTx(ctx context.Context, tx db.Tx, actor event.Actor, o org.Organization, p Pair, was Former) error {
	from, to, err := s.sidesTx(ctx, tx, string(o.ID), p)
	if err != nil {
		return err
	}
	in, out := from, to
	in.State, in.Options.Default = was.State, was.Default
	out.State = Inactive
	if was.Default {
		out.Options.Default = false
	}
	if err := s.replaceTx(ctx, tx, actor, o, [2]Connection{to, out}, [2]Connection{from, in}); err != nil {
		return err
	}
	if err := s.endTx(ctx, tx, out, event.Context{Actor: actor}); err != nil {
		return err
	}
	return s.markTx(ctx, tx, string(o.ID), p, "", "")
}

// FinishTx takes both out of their switch after the cut-over, for good: sessions through the old one end.
func (s *Service) FinishTx(ctx context.Context, tx db.Tx, actor event.Actor, organizationID string, p Pair) error {
	from, _, err := s.sidesTx(ctx, tx, organizationID, p)
	if err != nil {
		return err
	}
	if err := s.endTx(ctx, tx, from, event.Context{Actor: actor}); err != nil {
		return err
	}
	return s.markTx(ctx, tx, organizationID, p, "", "")
}

// replaceTx stores what becomes of two connections, before and after, and tells of it: of the one that goes first.
func (s *Service) replaceTx(ctx context.Context, tx db.Tx, actor event.Actor, o org.Organization, both ...[2]Connection) error {
	for _, one := range both {
		before, after := one[0], one[1]
		after.UpdatedAt = s.moment()
		if err := s.updateTx(ctx, tx, after); err != nil {
			return err
		}
		if err := s.auditTx(ctx, tx, actor, &before, after); err != nil {
			return err
		}
		if err := s.tellTx(ctx, tx, o, before, after, event.Context{Actor: actor}.JSON()); err != nil {
			return err
		}
	}
	return nil
}
