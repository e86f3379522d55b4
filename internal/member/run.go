package member

import (
	"context"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// poll is how often it is looked for what nobody's request brings about. Without anything to do it reads two small indexes.
const poll = time.Second

// Run does what no request asks for, until ctx ends. fail is told what went wrong and will be tried again.
func (s *Service) Run(ctx context.Context, fail func(error)) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, work := range []func(context.Context) error{s.GiveSeats, s.LapseInvitations} {
			if err := work(ctx); err != nil && ctx.Err() == nil {
				fail(err)
			}
		}
	}
}

func ignoreMissing(err error) error {
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}
