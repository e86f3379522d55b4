package sso

import (
	"context"
	"fmt"
	"time"
)

// Ending is a connection whose last certificate, or whose client secret, comes to its end.
type Ending struct {
	Connection Connection
	At         time.Time
}

// Ending gives connections whose last certificate ends before a moment or has ended, at most limit.
func (s *Service) Ending(ctx context.Context, before time.Time, limit int) ([]Ending, error) {
	found, err := connections(ctx, s.c.DB, selectEnding, before.UnixMicro(), "", int64(limit))
	if err != nil {
		return nil, fmt.Errorf("look for certificates that end: %w", err)
	}
	var out []Ending
	for _, c := range found {
		if last, ok := c.last(); ok {
			out = append(out, Ending{c, last.NotAfter})
		}
	}
	return out, nil
}

// EndingSecrets gives connections whose client secret ends before a moment or has ended, as far as somebody has told when, at most limit.
func (s *Service) EndingSecrets(ctx context.Context, before time.Time, limit int) ([]Ending, error) {
	found, err := connections(ctx, s.c.DB, selectEndingSecrets, before.UnixMicro(), int64(limit))
	if err != nil {
		return nil, fmt.Errorf("look for client secrets that end: %w", err)
	}
	var out []Ending
	for _, c := range found {
		out = append(out, Ending{c, c.ClientSecretExpiresAt})
	}
	return out, nil
}
