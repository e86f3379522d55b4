package directory

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
)

// Erase removes a person as the provider's DELETE does, inactive ones too, and asks in the same transaction that what the log and
// the exchanges hold about them be erased. Unlike after a DELETE no old id leads to a later record of the same person: that would
// need the values they were found by. The provider may send them again; they are somebody new then.
func (s *Service) Erase(ctx context.Context, actor event.Actor, id UserID) error {
	gone := fault.New(fault.NotFound, "entity_not_found", "Directory user not found: '%.80s'.", id)
	found, _, err := s.scanUser(s.db.QueryRow(ctx, selectAnyUser, string(id)))
	if err != nil {
		return orNotFound(err, gone)
	}
	d, err := s.Get(ctx, found.DirectoryID)
	if err != nil {
		return foundOr(err, gone)
	}
	err = s.db.Tx(ctx, func(tx db.Tx) error { return s.eraseTx(ctx, tx, actor, d, id) })
	if err != nil {
		return fmt.Errorf("erase directory user %s: %w", id, orNotFound(err, gone))
	}
	s.recent.forget(id)
	return nil
}

// foundOr gives the refusal in place of another one that nothing is there.
func foundOr(err, refusal error) error {
	if fault.Is(err, fault.NotFound) {
		return refusal
	}
	return err
}

// eraseTx locks the person before it reads their groups: who would join them to one meanwhile has to read them first.
func (s *Service) eraseTx(ctx context.Context, tx db.Tx, actor event.Actor, d Directory, id UserID) error {
	u, _, err := s.scanUser(tx.QueryRow(ctx, selectUsers+" AND u.id = $2"+s.db.ForUpdate(), string(d.ID), string(id)))
	if err != nil {
		return err
	}
	p, err := s.person(u)
	if err != nil {
		return fmt.Errorf("stored document: %w", err)
	}
	groups, err := groupsIn(ctx, tx, selectGroupsOfOne, string(d.ID), string(id))
	if err != nil {
		return err
	}
	at, old := s.time(), draftOf(p)
	n, err := tx.Exec(ctx, deleteUser, string(d.ID), string(id), u.Version)
	if err != nil {
		return err
	}
	if n == 0 {
		return errors.New("the person changed in spite of the lock")
	}
	forget := statement{deleteOldIDsOf, []any{d.OrganizationID, string(MemberUser), string(id), old.userNameKey, db.TextOrNull(old.externalID)}}
	for _, st := range append(old.belongings(d, groups, at), forget) {
		if _, err := tx.Exec(ctx, st.text, st.args...); err != nil {
			return err
		}
	}
	b := &batch{s: s, a: &Access{Directory: d}, at: at}
	b.context = event.Context{Actor: actor}.JSON()
	b.derived = event.Context{Actor: actor, Derived: true}.JSON()
	b.gone(p, groups)
	if err := s.events.AppendTx(ctx, tx, at, b.entries...); err != nil {
		return err
	}
	return s.events.ForgetTx(ctx, tx, d.OrganizationID, string(id), at)
}
