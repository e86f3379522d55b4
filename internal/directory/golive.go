package directory

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
)

// Live tells whether people become what the directory says of them.
func (d Directory) Live() bool { return !d.LiveAt.IsZero() && !d.Paused }

// GoLive ends the time in which a directory only collects, or is paused: from then on it says who is in, and everybody whom it has brought is looked at
// in the background. Asking again is harmless. One that belongs to a switch of the identity provider goes live with the cut-over: until then
// it is Conflict "identity_provider_switching".
func (s *Service) GoLive(ctx context.Context, actor event.Actor, id ID) (Directory, error) {
	var d Directory
	var began bool
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		at := s.time()
		n, err := tx.Exec(ctx, goLive, string(id), at.UnixMicro())
		if err != nil {
			return err
		}
		found, err := directoriesIn(ctx, tx, selectDirectory+" AND id = $1", string(id))
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return NotFound(string(id))
		}
		if d, began = found[0], n > 0; !began {
			if d.LiveAt.IsZero() {
				return errSwitching("let live by itself")
			}
			return nil
		}
		silent := d
		silent.LiveAt = time.Time{} // as it was, or as good as that: paused
		if err := s.auditTx(ctx, tx, actor, &silent, d); err != nil {
			return err
		}
		if err := s.reapplyTx(ctx, tx, event.Context{Actor: actor}, d); err != nil {
			return err
		}
		return s.door.moved(ctx, tx)
	})
	if err != nil {
		return Directory{}, fmt.Errorf("let directory %s go live: %w", id, err)
	}
	if !began {
		return d, nil
	}
	s.log.InfoContext(ctx, "a directory went live", "directory", id, "actor", actor.ID, "source", actor.Source)
	return d, s.awaitDoors(ctx)
}

// Foreseen is what would become of a person.
type Foreseen struct {
	User    UserID
	Email   string
	Name    string
	Says    member.Says
	Outcome member.Outcome
}

// PreviewQuery selects a page of people. Before and After are ids of directory users.
type PreviewQuery struct {
	Directory     ID
	Provisioning  Provisioning // as if it were this; "": as it is
	Before, After string
	Limit         int
	Ascending     bool
}

// Preview tells what would become of each person if they were applied now, and whether more follow in the direction read. It decides
// exactly as Provision does and writes nothing. Each person is decided by themselves: of two for the last seat both are shown to get it.
func (s *Service) Preview(ctx context.Context, q PreviewQuery) ([]Foreseen, bool, error) {
	d, err := s.Get(ctx, q.Directory)
	if err != nil {
		return nil, false, err
	}
	if !s.keeps() {
		return nil, false, fault.New(fault.Conflict, "accounts_elsewhere",
			"This installation keeps no accounts (accounts: app), so nothing becomes of the people of a directory.")
	}
	if q.Provisioning != "" {
		if err := q.Provisioning.check(); err != nil {
			return nil, false, err
		}
		d.Provisioning = q.Provisioning
	}
	p := db.Page{Before: q.Before, After: q.After, Limit: q.Limit, Ascending: q.Ascending}
	p.Arg(string(d.ID))
	text, args := p.Statement(selectUsersG, "u.id")
	users, err := s.queryUsers(ctx, text, args...)
	if err != nil {
		return nil, false, err
	}
	users, more := db.Cut(p, users)
	m, err := s.currentMapping(ctx, d)
	if err != nil {
		return nil, false, err
	}
	told, err := s.teller(d.OrganizationID).people(ctx, d, m, users)
	if err != nil {
		return nil, false, err
	}
	out := make([]Foreseen, len(users))
	for i, u := range users {
		if out[i], err = s.foresee(ctx, u, told[u.ID]); err != nil {
			return nil, false, err
		}
	}
	return out, more, nil
}

// foresee decides and throws away what would be written.
func (s *Service) foresee(ctx context.Context, u User, told member.DirectoryPerson) (Foreseen, error) {
	p, err := s.person(u)
	if err != nil {
		return Foreseen{}, fmt.Errorf("stored document of user %s: %w", u.ID, err)
	}
	var w db.Write
	outcome, err := s.members.ApplyInto(ctx, s.db, &w, told, nil, event.Context{})
	if err != nil {
		return Foreseen{}, fmt.Errorf("foresee what becomes of directory user %s: %w", u.ID, err)
	}
	return Foreseen{User: u.ID, Email: told.Email, Name: p.displayName(), Says: told.Says, Outcome: outcome}, nil
}
