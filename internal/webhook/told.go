package webhook

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/event"
)

// Told gives the deliveries of these events, without replays, and whether some are still to be made for an endpoint that asked for such an
// event. At most some hundreds of events.
func (s *Service) Told(ctx context.Context, events []event.Event) (found []Delivery, waiting bool, err error) {
	if len(events) == 0 {
		return nil, false, nil
	}
	marks, args := make([]string, len(events)), make([]any, len(events))
	for i, e := range events {
		marks[i], args[i] = fmt.Sprintf("$%d", i+1), e.ID
	}
	found, err = s.readDeliveries(ctx, s.db, fmt.Sprintf(deliveriesTelling, strings.Join(marks, ",")), args...)
	if err != nil {
		return nil, false, err
	}
	endpoints, err := s.endpoints(ctx, s.db, selectEndpoint)
	if err != nil {
		return nil, false, err
	}
	var at cursor
	if err := s.db.QueryRow(ctx, selectCursor).Scan(&at.event, &at.last, &at.version); err != nil {
		return nil, false, fmt.Errorf("read the cursor of webhooks: %w", err)
	}
	for _, e := range events {
		if !slices.ContainsFunc(endpoints, func(to stored) bool { return to.asksFor(e) && !madeFor(found, to.ID, e.ID) }) {
			continue
		}
		reached, err := s.o.Events.Reached(ctx, at.event, e.ID)
		if err != nil {
			return nil, false, err
		}
		waiting = waiting || !reached
	}
	return found, waiting, nil
}

func (e stored) asksFor(one event.Event) bool {
	return e.Status == Enabled && !e.CreatedAt.After(one.CreatedAt) && slices.Contains(e.Types, one.Type)
}

func madeFor(found []Delivery, endpoint EndpointID, eventID string) bool {
	return slices.ContainsFunc(found, func(d Delivery) bool { return d.EndpointID == endpoint && d.EventID == eventID })
}
