package webhook

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
)

// Health is how an endpoint gets on.
type Health struct {
	ID             EndpointID
	URL            string
	Status         Status
	FailingSince   time.Time // first failure since the last success; zero if the last attempt succeeded
	DisabledAt     time.Time // zero while it is enabled
	DisabledReason string    // ByOperator, ByFailing or ByGone; "" while it is enabled
}

// Healths tells of every endpoint there is, MaxEndpoints at most, in the order of their ids. It opens no secrets.
func (s *Service) Healths(ctx context.Context) ([]Health, error) {
	rows, err := s.db.Query(ctx, selectHealth)
	if err != nil {
		return nil, fmt.Errorf("read the health of webhook endpoints: %w", err)
	}
	defer rows.Close()
	var out []Health
	for rows.Next() {
		var h Health
		var failing, disabled *int64
		var reason *string
		if err := rows.Scan((*string)(&h.ID), &h.URL, (*string)(&h.Status), &failing, &disabled, &reason); err != nil {
			return nil, fmt.Errorf("read the health of webhook endpoints: %w", err)
		}
		h.FailingSince, h.DisabledAt = db.TimeOrZero(failing), db.TimeOrZero(disabled)
		if reason != nil {
			h.DisabledReason = *reason
		}
		out = append(out, h)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the health of webhook endpoints: %w", err)
	}
	return out, nil
}
