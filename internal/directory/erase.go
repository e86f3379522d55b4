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
	erase := s.eraseOnce
	if errors.Is(err, db.ErrNoRows) {
		var held heldRow
		held, err = s.goneUser(ctx, id)
		found, erase = held.User, s.eraseHeld
	}
	if err != nil {
		return orNotFound(err, gone)
	}
	d, err := s.Get(ctx, found.DirectoryID)
	if err != nil {
		return foundOr(err, gone)
	}
	for attempt := range attempts {
		if err = erase(ctx, actor, d, id); !lost(err) {
			break
		}
		if err := again(ctx, attempt); err != nil {
			return err
		}
	}
	if lost(err) {
		return errBusy()
	}
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

func (s *Service) eraseOnce(ctx context.Context, actor event.Actor, d Directory, id UserID) error {
	mapping, err := s.currentMapping(ctx, d)
	if err != nil {
		return err
	}
	a := (&Access{Directory: d, mapping: mapping}).relinked()
	u, err := s.findUser(ctx, a, "u.id = $2", string(id))
	if err != nil {
		return err
	}
	p, err := s.person(u)
	if err != nil {
		return fmt.Errorf("stored document: %w", err)
	}
	groups, err := s.groupsOf(ctx, d.ID, u)
	if err != nil {
		return err
	}
	old := draftOf(p)
	known, err := s.known(ctx, p)
	if err != nil {
		return err
	}
	b := s.begin(a, s.time(), nil)
	b.causedBy(event.Context{Actor: actor})
	b.settles(u, HeldApplied)
	u.Held = ""
	b.w.Guard(deleteUser, string(d.ID), string(id), u.Version)
	b.unmoved(u)
	for _, st := range old.belongings(d, groups, b.at) {
		b.w.Exec(st.text, st.args...)
	}
	b.w.Exec(deleteOldIDsOf, d.OrganizationID, string(MemberUser), string(id), old.userNameKey, db.TextOrNull(old.externalID))
	b.gone(known, groups)
	b.left(u)
	s.events.ForgetInto(&b.w, d.OrganizationID, string(id), b.at)
	return b.commit(ctx, Outcome{Change: Deleted, User: &u})
}

// eraseHeld is eraseOnce for somebody whom the directory has removed, and of whom consumers were not to learn it.
func (s *Service) eraseHeld(ctx context.Context, actor event.Actor, d Directory, id UserID) error {
	r, err := s.goneUser(ctx, id)
	if err != nil {
		return err
	}
	known, err := r.person(s)
	if err != nil {
		return err
	}
	old := draftOf(known)
	b := s.begin((&Access{Directory: d}).relinked(), s.time(), nil)
	b.causedBy(event.Context{Actor: actor})
	b.settles(r.User, HeldApplied)
	b.w.Exec(deleteOldIDsOf, d.OrganizationID, string(MemberUser), string(id), old.userNameKey, db.TextOrNull(old.externalID))
	if err := b.goneAfterAll(ctx, known, r.Groups); err != nil {
		return err
	}
	b.ends = append(b.ends, r.end())
	s.events.ForgetInto(&b.w, d.OrganizationID, string(id), b.at)
	return b.commit(ctx, Outcome{Change: Deleted, User: &known.User})
}
