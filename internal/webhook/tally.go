package webhook

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/token"
)

// Tally counts the deliveries that were made between neighbouring edges, at most most for each.
func (s *Service) Tally(ctx context.Context, edges []time.Time, most int) ([]int, error) {
	counts, err := s.db.Tally(ctx, tallyDeliveries, token.Edges(DeliveryPrefix, edges), most)
	if err != nil {
		return nil, fmt.Errorf("count webhook deliveries: %w", err)
	}
	return counts, nil
}
