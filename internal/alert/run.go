package alert

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
)

const (
	lookEvery  = 30 * time.Second
	cleanEvery = time.Hour
)

// Run looks every half minute, and deletes what was closed long ago, until ctx ends.
func (s *Service) Run(ctx context.Context) {
	look, clean := time.NewTicker(lookEvery), time.NewTicker(cleanEvery)
	defer look.Stop()
	defer clean.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			err = s.Look(ctx)
		case <-clean.C:
			err = s.Clean(ctx)
		}
		if err != nil && ctx.Err() == nil {
			s.o.Logger.Error("alerts could not be looked after; it will be tried again", "error", err)
		}
	}
}

// Clean deletes alerts that were closed long ago.
func (s *Service) Clean(ctx context.Context) error {
	var w db.Write
	w.Exec(deleteClosed, s.time().Add(-keptClosed).UnixMicro())
	if err := s.db.Write(ctx, &w); err != nil {
		return fmt.Errorf("delete alerts that were closed long ago: %w", err)
	}
	return nil
}
