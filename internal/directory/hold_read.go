package directory

import (
	"context"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/db"
)

// Waiting lists the holds of all directories that wait for a hand, the one whose time comes first before the others; at most limit.
func (s *Service) Waiting(ctx context.Context, limit int) ([]Hold, error) {
	return holdsIn(ctx, s.db, selectWaitingHolds, int64(limit))
}

// WaitingOf gives the hold of a directory that waits for a hand; ok is false where none does. A directory has one at most.
func (s *Service) WaitingOf(ctx context.Context, id ID) (h Hold, ok bool, err error) {
	found, err := holdsIn(ctx, s.db, selectHolds+" AND state = 'waiting'", string(id))
	if err != nil || len(found) == 0 {
		return Hold{}, false, err
	}
	return found[0], true, nil
}

// Hold gives one of a directory. One that is not there is NotFound.
func (s *Service) Hold(ctx context.Context, id ID, hold HoldID) (Hold, error) {
	found, err := holdsIn(ctx, s.db, selectHold, string(id), string(hold))
	if err != nil {
		return Hold{}, err
	}
	if len(found) == 0 {
		return Hold{}, NoHold(string(hold))
	}
	return found[0], nil
}

// StillHeld counts the people of a hold whom it still decides about: who has come back is none of them.
func (s *Service) StillHeld(ctx context.Context, id ID, hold HoldID) (n int64, err error) {
	if err := s.db.QueryRow(ctx, countStillHeld, string(id), string(hold)).Scan(&n); err != nil {
		return 0, fmt.Errorf("count who is held by %s: %w", hold, err)
	}
	return n, nil
}

// HeldQuery selects a page of the people of a hold. Before and After are their ids.
type HeldQuery struct {
	Directory     ID
	Hold          HoldID
	Before, After UserID
	Limit         int
}

// HeldPerson is one person of a hold as people know them: as they were before the write that is held, and once that is settled as they are. Of
// somebody who is there no more nothing but the id is known.
type HeldPerson struct {
	Held
	Shown
}

// HeldPeople gives a page of the people of a hold and whether more follow in the direction read.
func (s *Service) HeldPeople(ctx context.Context, q HeldQuery) ([]HeldPerson, bool, error) {
	p := db.Page{Before: string(q.Before), After: string(q.After), Limit: q.Limit}
	p.Arg(string(q.Directory))
	p.Arg(string(q.Hold))
	text, args := p.Statement(selectPeopleOfHold, "p.directory_user_id")
	found, err := heldIn(ctx, s.db, text, args...)
	if err != nil {
		return nil, false, err
	}
	rows, more := db.Cut(p, found)
	out, err := s.showHeld(ctx, q.Directory, rows)
	return out, more, err
}

func (s *Service) showHeld(ctx context.Context, id ID, rows []heldRow) ([]HeldPerson, error) {
	out := make([]HeldPerson, len(rows))
	var settled []string
	for i, r := range rows {
		out[i].Held = Held{User: r.User.ID, State: r.State, Says: r.Says, Since: r.Since}
		if len(r.User.Document) == 0 {
			settled = append(settled, string(r.User.ID))
			continue
		}
		p, err := r.person(s)
		if err != nil {
			return nil, err
		}
		out[i].Shown = p.shown()
	}
	now, err := s.ShowPeople(ctx, id, settled)
	if err != nil {
		return nil, err
	}
	for i := range out {
		if is, there := now[string(out[i].User)]; there {
			out[i].Shown = is
		}
	}
	return out, nil
}
