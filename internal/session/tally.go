package session

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/token"
)

// Tally counts the sessions that began between neighbouring edges, at most most for each.
func (s *Service) Tally(ctx context.Context, edges []time.Time, most int) ([]int, error) {
	counts, err := s.db.Tally(ctx, tallySessions, token.Edges(Prefix, edges), most)
	if err != nil {
		return nil, fmt.Errorf("count sessions: %w", err)
	}
	return counts, nil
}
