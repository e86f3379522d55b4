package member

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/db"
)

// Carriage is a switch from one directory of an organization to another.
type Carriage struct {
	OrganizationID string
	From, To       string // directories
	People         []Carried
}

// Carried is somebody of the old directory with the counterpart in the new one.
type Carried struct {
	Old, New string
	// Signer: the old side knew them by their sign-ins alone, and Old is their membership.
	Signer bool
}

// CarryTx gives what the old directory has said of those who are matched to the new one, as if that had said it: memberships, roles, teams,
// licences and invitations stay, and sessions go on. Nobody's state changes, so no events are told; what the new directory says is heard when it is
// applied. What the old one has said of the others is for FreezeTx.
func (s *Service) CarryTx(ctx context.Context, tx db.Tx, c Carriage) error {
	known, signers := c.pairs()
	all := append(known[:len(known):len(known)], signers...)
	err := c.moveTx(ctx, tx)
	for _, one := range []rekeying{
		{forgetClaims, []any{c.To}, all.news()}, // what a former switch has left of them, or has put in no membership
		{carryClaims, []any{c.From, c.To}, known},
		{carryInvitations, []any{c.From, c.To}, known},
		{carryJoined, nil, known},
		{carrySigners, nil, signers},
	} {
		if err == nil {
			err = one.do(ctx, tx, c.OrganizationID)
		}
	}
	if err != nil {
		return fmt.Errorf("carry members over to directory %s: %w", c.To, err)
	}
	return nil
}

// ReturnTx undoes CarryTx. What the old directory said meanwhile was not heard.
func (s *Service) ReturnTx(ctx context.Context, tx db.Tx, c Carriage) error {
	known, signers := c.pairs()
	back := known.turned()
	err := c.moveTx(ctx, tx)
	for _, one := range []rekeying{
		{forgetClaims, []any{c.From}, known},
		{carryClaims, []any{c.To, c.From}, back},
		{carryInvitations, []any{c.To, c.From}, back},
		{carryJoined, nil, back},
		{forgetClaims, []any{c.To}, signers.news()},
		{returnSigners, nil, signers.news()},
	} {
		if err == nil {
			err = one.do(ctx, tx, c.OrganizationID)
		}
	}
	if err != nil {
		return fmt.Errorf("return members to directory %s: %w", c.From, err)
	}
	return nil
}

// moveTx makes whoever decides by what the directories said decide again.
func (c Carriage) moveTx(ctx context.Context, tx db.Tx) error {
	_, err := tx.Exec(ctx, moveCarried, c.OrganizationID, c.From, c.To)
	return err
}

// keys say as whom somebody goes on.
type keys [][2]string

func (c Carriage) pairs() (known, signers keys) {
	for _, p := range c.People {
		if p.Signer {
			signers = append(signers, [2]string{p.Old, p.New})
		} else {
			known = append(known, [2]string{p.Old, p.New})
		}
	}
	return known, signers
}

func (k keys) turned() keys {
	out := make(keys, len(k))
	for i, one := range k {
		out[i] = [2]string{one[1], one[0]}
	}
	return out
}

// news begin with the new ids, for statements that only name them.
func (k keys) news() keys { return k.turned() }

// rekeying is a statement about many.
type rekeying struct {
	text        string // with a place for the ids, and perhaps one for what becomes of them
	directories []any
	keys        keys
}

func (r rekeying) do(ctx context.Context, tx db.Tx, organizationID string) error {
	for part := range slices.Chunk(r.keys, askedAtOnce) {
		args := append([]any{organizationID}, r.directories...)
		ids := make([]string, len(part))
		for i, one := range part {
			ids[i] = one[0]
		}
		in, cases := marks(&args, ids), ""
		if strings.Contains(r.text, "%[2]s") {
			cases = whens(&args, len(r.directories)+1, part)
		}
		if _, err := tx.Exec(ctx, strings.NewReplacer("%[1]s", in, "%[2]s", cases).Replace(r.text), args...); err != nil {
			return err
		}
	}
	return nil
}

// whens are the branches of a CASE; the ids that are compared are among the arguments already, after so many others.
func whens(args *[]any, after int, part keys) string {
	var b strings.Builder
	for i, one := range part {
		*args = append(*args, one[1])
		fmt.Fprintf(&b, "WHEN $%d THEN $%d ", after+i+1, len(*args))
	}
	return b.String()
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

// OwnerIn says whose membership one person of a directory is, as OfDirectoryIn does; "" is nobody's.
func OwnerIn(ctx context.Context, r db.Reader, organizationID, directoryID, person string) (MembershipID, error) {
	id, err := readID(ctx, r, selectMemberOfPerson, organizationID, directoryID, person)
	return MembershipID(id), err
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
