package session

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
)

// How long rows are kept after they serve no more.
const (
	keepSessions = 30 * 24 * time.Hour // people see where they were signed in
	keepCodes    = 24 * time.Hour      // a code that is shown twice within it ends its grant
	keepTokens   = time.Hour
	keepMagics   = MagicDay // they are counted so long

	flushEvery   = 5 * time.Second
	cleanEvery   = time.Minute
	cleanBatch   = 1000
	cleanBatches = 50 // of one table, at a time
)

// Run writes down the use of sessions and deletes what has expired long ago, until ctx ends; it then writes what is left.
func (s *Service) Run(ctx context.Context) {
	flush, clean := time.NewTicker(flushEvery), time.NewTicker(cleanEvery)
	defer flush.Stop()
	defer clean.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushEvery)
			defer cancel()
			s.complain(last, s.FlushUses(last))
			return
		case <-flush.C:
			s.complain(ctx, s.FlushUses(ctx))
		case <-clean.C:
			s.complain(ctx, s.Clean(ctx))
		}
	}
}

func (s *Service) complain(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		s.log.Error("sessions could not be kept in order; it will be tried again", "error", err)
	}
}

// Clean deletes what has expired long ago, in small batches and not all at once when there is much.
func (s *Service) Clean(ctx context.Context) error {
	now := s.time()
	for _, c := range []struct {
		texts []string
		keep  time.Duration
	}{
		{[]string{expireApps, expireNames, expireSessions}, keepSessions},
		{[]string{expireCodes}, keepCodes},
		{[]string{expireAccess}, keepTokens},
		{[]string{expireRefresh}, keepTokens},
		{[]string{expireMagics}, keepMagics},
	} {
		if err := s.clean(ctx, c.texts, now.Add(-c.keep).UnixMicro()); err != nil {
			return fmt.Errorf("delete expired rows: %w", err)
		}
	}
	return nil
}

func (s *Service) clean(ctx context.Context, texts []string, before int64) error {
	for range cleanBatches {
		var n int64
		err := s.db.Tx(ctx, func(tx db.Tx) (err error) {
			for _, text := range texts {
				if n, err = tx.Exec(ctx, text, before, cleanBatch); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || n < cleanBatch {
			return err
		}
	}
	return nil
}
