package member

import (
	"context"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/db"
)

// Carriage is a switch from one directory of an organization to another. Who is carried over is in the rows of the switch.
type Carriage struct {
	OrganizationID string
	From, To       string // directories
	Switch         string
	Only           string // the old id of one alone; "" for all
}

// CarryTx gives what the old directory has said of those who are matched to the new one, as if that had said it: memberships, roles, teams,
// licences and invitations stay, and sessions go on. What it has said of the others is frozen, as that of a directory that is deleted. Nobody's
// state changes, so no events are told; what the new directory says is heard when it is applied.
func (s *Service) CarryTx(ctx context.Context, tx db.Tx, c Carriage) error {
	err := c.doTx(ctx, tx, []step{
		{forgetArrived, []any{c.To}}, {carryClaims, []any{c.From, c.To}}, {carryInvitations, []any{c.From, c.To}}, {carryJoined, nil}, {carrySigners, nil},
	})
	if err == nil && c.Only == "" {
		err = s.leaveBehindTx(ctx, tx, c.OrganizationID, c.From)
	}
	if err != nil {
		return fmt.Errorf("carry members over to directory %s: %w", c.To, err)
	}
	return nil
}

// ReturnTx undoes CarryTx. What the new directory has said of those who came by it alone is frozen.
func (s *Service) ReturnTx(ctx context.Context, tx db.Tx, c Carriage) error {
	err := c.doTx(ctx, tx, []step{
		{forgetLeft, []any{c.From}},
		{returnClaim, []any{c.To, c.From}},
		{returnInvitations, []any{c.To, c.From}},
		{returnJoined, nil},
		{forgetArrived, []any{c.To}}, // of those who had only signed in
	})
	if err == nil {
		err = s.leaveBehindTx(ctx, tx, c.OrganizationID, c.To)
	}
	if err != nil {
		return fmt.Errorf("return members to directory %s: %w", c.From, err)
	}
	return nil
}

func (s *Service) leaveBehindTx(ctx context.Context, tx db.Tx, organizationID, directoryID string) error {
	if _, err := tx.Exec(ctx, forgetNobodies, organizationID, directoryID); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, freezeClaims, organizationID, directoryID, s.time().UnixMicro())
	return err
}

// step is a statement about those who are matched, with its directories.
type step struct {
	text        string
	directories []any
}

// doTx takes the steps. Before, whoever decides by what the directories said is made to decide again.
func (c Carriage) doTx(ctx context.Context, tx db.Tx, steps []step) error {
	if _, err := tx.Exec(ctx, moveCarried, c.OrganizationID, c.From, c.To); err != nil {
		return err
	}
	for _, one := range steps {
		if _, err := tx.Exec(ctx, one.text, append([]any{c.OrganizationID, c.Switch, c.Only}, one.directories...)...); err != nil {
			return err
		}
	}
	return nil
}

// heldBack tells whether a switch that can still be reverted leaves the account's membership as it is: its new directory then joins it by
// nothing but a match.
func (s *Service) heldBack(ctx context.Context, r db.Reader, p DirectoryPerson, id UserID) (bool, error) {
	held, err := readID(ctx, r, selectHeld, p.OrganizationID, p.DirectoryID, string(id))
	return held != "", err
}

// Standby is a membership as the people of a directory, or of a connection, have it.
type Standby struct {
	Membership MembershipID
	State      State
	// Of somebody who signs in through a connection.
	IDPIDs   []string
	Email    string
	PersonID string // the directory person they were joined with; "" nobody
}

// OfDirectoryIn says whose membership the people of a directory are, by the people's ids. People of other directories who were joined with a
// membership for signing in are among them.
func OfDirectoryIn(ctx context.Context, r db.Reader, organizationID, directoryID string) (map[string]Standby, error) {
	rows, err := r.Query(ctx, selectMembersOfDirectory, organizationID, directoryID)
	if err != nil {
		return nil, fmt.Errorf("read the members of directory %s: %w", directoryID, err)
	}
	defer rows.Close()
	out := map[string]Standby{}
	for rows.Next() {
		var person string
		var one Standby
		if err := rows.Scan(&person, (*string)(&one.Membership), (*string)(&one.State)); err != nil {
			return nil, fmt.Errorf("read the members of directory %s: %w", directoryID, err)
		}
		out[person] = one
	}
	return out, rows.Err()
}

// SignersIn are the members who have signed in through a connection, by their ids.
func SignersIn(ctx context.Context, r db.Reader, organizationID, connectionID string) ([]Standby, error) {
	rows, err := r.Query(ctx, selectSigners, organizationID, connectionID)
	if err != nil {
		return nil, fmt.Errorf("read who signs in through connection %s: %w", connectionID, err)
	}
	defer rows.Close()
	var out []Standby
	for rows.Next() {
		var one Standby
		var idpID string
		var person *string
		if err := rows.Scan((*string)(&one.Membership), &idpID, &one.Email, (*string)(&one.State), &person); err != nil {
			return nil, fmt.Errorf("read who signs in through connection %s: %w", connectionID, err)
		}
		one.PersonID = text(person)
		if last := len(out) - 1; last >= 0 && out[last].Membership == one.Membership {
			out[last].IDPIDs = append(out[last].IDPIDs, idpID)
			continue
		}
		one.IDPIDs = []string{idpID}
		out = append(out, one)
	}
	return out, rows.Err()
}
