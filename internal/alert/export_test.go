package alert

import (
	"context"
	"time"
)

// Tell tells of an alert as a process would that read it a while ago.
func (s *Service) Tell(ctx context.Context, now time.Time, a Alert) error { return s.tell(ctx, now, a) }

// CloseWell closes an alert as a process would that read it a while ago.
func (s *Service) CloseWell(ctx context.Context, a Alert, now time.Time) error {
	return s.close(ctx, a, now, true)
}
