package itadmin

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
)

const (
	workEvery  = 2 * time.Second
	cleanEvery = 10 * time.Minute
	keepAsks   = 24 * time.Hour
	keepOver   = 24 * time.Hour // links and sessions, after their end: tries are counted over a day
)

// Run answers who asks for links, tells contacts of changes, and deletes what is over, until ctx ends.
func (s *Service) Run(ctx context.Context) {
	work, clean := time.NewTicker(workEvery), time.NewTicker(cleanEvery)
	defer work.Stop()
	defer clean.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-work.C:
		case <-clean.C:
			s.complain(ctx, s.Clean(ctx))
			continue
		}
		s.complain(ctx, s.work(ctx))
	}
}

func (s *Service) complain(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		s.o.Logger.Error("IT contacts could not be served; it will be tried again", "error", err)
	}
}

// work does all that waits.
func (s *Service) work(ctx context.Context) error {
	for _, do := range []func(context.Context) (int, error){s.AnswerAsks, s.TellOfChanges} {
		for {
			n, err := do(ctx)
			if err != nil {
				return err
			}
			if n == 0 {
				break
			}
		}
	}
	return nil
}

// Clean deletes what is over.
func (s *Service) Clean(ctx context.Context) error {
	now := s.time()
	var w db.Write
	w.Exec(deleteOldAsks, now.Add(-keepAsks).UnixMicro())
	w.Exec(deleteOldLinks, now.Add(-keepOver).UnixMicro())
	w.Exec(deleteOldSessions, now.Add(-keepOver).UnixMicro())
	if err := s.db.Write(ctx, &w); err != nil {
		return fmt.Errorf("delete portal links and sessions that are over: %w", err)
	}
	return nil
}
