package session

import (
	"context"

	"github.com/rollcallhq/rollcall/internal/db"
)

// ListQuery selects a page of a user's sessions. Limit is the page size; Before and After are ids.
type ListQuery struct {
	UserID        string
	Before, After string
	Limit         int
	Ascending     bool
}

// List gives a page of a user's sessions, ended and expired ones too as long as they are kept, and whether more follow in the direction
// read.
func (s *Service) List(ctx context.Context, q ListQuery) ([]Session, bool, error) {
	p := db.Page{Before: q.Before, After: q.After, Limit: q.Limit, Ascending: q.Ascending}
	p.Where("user_id = " + p.Arg(q.UserID))
	text, args := p.Statement(selectSession+"TRUE", "id")
	found, err := read(ctx, s.db, scan, text, args...)
	if err != nil {
		return nil, false, err
	}
	found, more := db.Cut(p, found)
	return found, more, nil
}
