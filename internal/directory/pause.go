package directory

import (
	"context"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/db"
)

// Paused is a live directory whose people are given nothing yet.
type Paused struct {
	Directory Directory
	People    int64
}

// Pause is called at the start of an installation that keeps accounts. People whom a live directory brought before it did, because the app kept
// them, have become nothing yet, and would be invited one by one whenever something of them changes. So such a directory is paused: it goes on
// saying who may sign in and who is out, but nobody is made a member, invited or mailed by it until GoLive. It gives all that are paused, the
// new ones among them.
func (s *Service) Pause(ctx context.Context) ([]Paused, error) {
	if !s.keeps() {
		return nil, nil
	}
	var out []Paused
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, pauseDirectories, s.time().UnixMicro())
		if err != nil {
			return err
		}
		if n > 0 {
			if err := s.door.moved(ctx, tx); err != nil {
				return err
			}
		}
		found, err := directoriesIn(ctx, tx, selectPausedDirectories)
		if err != nil {
			return err
		}
		out = make([]Paused, len(found))
		for i, d := range found {
			out[i].Directory = d
			if err := tx.QueryRow(ctx, countUsers, string(d.ID)).Scan(&out[i].People); err != nil {
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
