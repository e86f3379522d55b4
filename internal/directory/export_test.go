package directory

import (
	"context"
	"fmt"
)

// RefusedWindow is how far a page of refused exchanges looks.
const RefusedWindow = refusedWindow

// What the background does on a clock, tests do at once.

func (s *Service) FoldTally(ctx context.Context) error  { return s.foldTally(ctx) }
func (s *Service) FlushNotes(ctx context.Context) error { return s.flushNotes(ctx) }
func (s *Service) Expire(ctx context.Context) error     { return s.expire(ctx) }
func (s *Service) Sweep(ctx context.Context) error      { return s.sweepParked(ctx) }
func (s *Service) Align(ctx context.Context) error      { return s.align(ctx) }

// Forget has the next change of a person read them.
func (s *Service) Forget(id UserID) { s.recent.forget(id) }

// EndDueHolds is the first half of KeepHolds: what a process leaves that is killed before the second.
func (s *Service) EndDueHolds(ctx context.Context) error { return s.endDueHolds(ctx) }

// Reapplied goes on with those who are looked at again, as they were known before something else happened.
func (s *Service) Reapplied(ctx context.Context, meanwhile func()) error {
	all, err := s.reapplying(ctx)
	meanwhile()
	for _, r := range all {
		if err == nil {
			_, _, err = s.claimNext(ctx, r)
		}
	}
	return err
}

// ForgetDepartures takes out who has left too long ago to count.
func (s *Service) ForgetDepartures(ctx context.Context) error { return s.forgetDepartures(ctx) }

// LeftBehindTexts are the two ways of looking for leavers in groups: from those who are inactive, and from everybody.
func LeftBehindTexts() [2]string {
	return [2]string{fmt.Sprintf(selectLeftBehind, byLeavers), fmt.Sprintf(selectLeftBehind, byIDs)}
}
