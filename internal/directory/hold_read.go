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

// HoldNow is a hold with how many people it decides about now: who has come back is none of them.
type HoldNow struct {
	Hold

	Still int64
}

// WaitingOf gives the hold of a directory that waits for a hand; ok is false where none does. A directory has one at most.
func (s *Service) WaitingOf(ctx context.Context, d Directory) (h HoldNow, ok bool, err error) {
	if !d.Holding {
		return HoldNow{}, false, nil
	}
	found, err := holdsIn(ctx, s.db, selectHolds+" AND state = 'waiting'", string(d.ID))
	if err != nil || len(found) == 0 {
		return HoldNow{}, false, err
	}
	h, err = s.holdNow(ctx, found[0])
	return h, err == nil, err
}

// Hold gives one of a directory. One that is not there is NotFound.
func (s *Service) Hold(ctx context.Context, id ID, hold HoldID) (HoldNow, error) {
	found, err := holdsIn(ctx, s.db, selectHold, string(id), string(hold))
	if err != nil {
		return HoldNow{}, err
	}
	if len(found) == 0 {
		return HoldNow{}, NoHold(string(hold))
	}
	return s.holdNow(ctx, found[0])
}

func (s *Service) holdNow(ctx context.Context, h Hold) (HoldNow, error) {
	still, err := stillHeld(ctx, s.db, h.DirectoryID, h.ID)
	return HoldNow{h, still}, err
}

func stillHeld(ctx context.Context, r db.Reader, id ID, hold HoldID) (n int64, err error) {
	if err := r.QueryRow(ctx, countStillHeld, string(id), string(hold)).Scan(&n); err != nil {
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
