package directory

import (
	"context"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/db"
)

// Held is a live directory whose people are given nothing yet.
type Held struct {
	Directory Directory
	People    int64
}

// Hold is called at the start of an installation that keeps accounts. People whom a live directory brought before it did, because the app kept
// them, have become nothing yet, and would be invited one by one whenever something of them changes. So such a directory is held: it goes on
// saying who may sign in and who is out, but nobody is made a member, invited or mailed by it until GoLive. It gives all that are held, the
// new ones among them.
func (s *Service) Hold(ctx context.Context) ([]Held, error) {
	if !s.keeps() {
		return nil, nil
	}
	var out []Held
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, holdDirectories, s.time().UnixMicro())
		if err != nil {
			return err
		}
		if n > 0 {
			if err := s.door.moved(ctx, tx); err != nil {
				return err
			}
		}
		found, err := directoriesIn(ctx, tx, selectHeldDirectories)
		if err != nil {
			return err
		}
		out = make([]Held, len(found))
		for i, d := range found {
			out[i].Directory = d
			if err := tx.QueryRow(ctx, countUsersAfter, string(d.ID), "").Scan(&out[i].People); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for directories whose people became nothing: %w", err)
	}
	return out, nil
}
