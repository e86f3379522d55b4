package operator

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
)

const (
	tidyEvery = 10 * time.Minute
	// keptEnded is how long what has ended is kept for who looks into it.
	keptEnded = 30 * 24 * time.Hour
)

// Run clears away what has ended, until ctx does.
func (s *Service) Run(ctx context.Context) {
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	for {
		if err := s.Tidy(ctx); err != nil && ctx.Err() == nil {
			s.o.Logger.ErrorContext(ctx, "background work failed and will be tried again", "work", "operators", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Tidy deletes challenges that nobody answered, and links and sessions a month after their end.
func (s *Service) Tidy(ctx context.Context) error {
	at := s.now()
	var w db.Write
	w.Exec(expireAsked, at.UnixMicro())
	w.Exec(expireLinks, at.Add(-keptEnded).UnixMicro())
	w.Exec(expireSession, at.Add(-keptEnded).UnixMicro())
	if err := s.o.DB.Write(ctx, &w); err != nil {
		return fmt.Errorf("clear away what has ended of operators: %w", err)
	}
	return nil
}
