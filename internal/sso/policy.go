package sso

import (
	"context"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/db"
)

// Proven says whether somebody has ever come in through a connection that an organization has, or tested it with success: from then on its
// policy may require it, also while it is switched off.
func Proven(ctx context.Context, r db.Reader, organizationID string) (bool, error) {
	var n int64
	if err := r.QueryRow(ctx, selectProven, organizationID).Scan(&n); err != nil {
		return false, fmt.Errorf("look for a connection of %s that has worked: %w", organizationID, err)
	}
	return n > 0, nil
}

// Open lists the connections of an organization that let people in.
func (s *Service) Open(ctx context.Context, organizationID string) ([]Connection, error) {
	return connections(ctx, s.c.DB, selectEntrances, organizationID)
}

// ProfilesOf counts the profiles that an organization's providers have asserted, and gives the first few.
func (s *Service) ProfilesOf(ctx context.Context, organizationID string, few int) (first []Profile, n int, err error) {
	if n, err = CountProfilesIn(ctx, s.c.DB, organizationID); err != nil {
		return nil, 0, err
	}
	first, err = profiles(ctx, s.c.DB, firstProfilesOf, organizationID, few)
	return first, n, err
}

// CountProfilesIn is how many profiles an organization's providers have asserted.
func CountProfilesIn(ctx context.Context, r db.Reader, organizationID string) (n int, err error) {
	if err := r.QueryRow(ctx, countProfilesOf, organizationID).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the profiles of %s: %w", organizationID, err)
	}
	return n, nil
}
