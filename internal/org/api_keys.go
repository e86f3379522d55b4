package org

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/token"
)

const (
	selectAPIKey = `SELECT k.id, k.organization_id, k.permissions, k.last_used_at, k.expires_at FROM api_keys k
		JOIN organizations o ON o.id = k.organization_id WHERE k.hash = $1 AND o.deleted_at IS NULL`
	touchAPIKey = `UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)`
)

// usePrecision is how exactly the last use of a key is kept.
const usePrecision = time.Minute

// APIKey is a key of an organization that was accepted.
type APIKey struct {
	ID             string
	OrganizationID string
	Permissions    []string
}

// May says whether the key was given a permission.
func (k APIKey) May(permission string) bool { return slices.Contains(k.Permissions, permission) }

// AuthenticateAPIKey finds the key of a secret as it is now, so that one deleted or expired is refused from then on; ok is false for
// what is no living key. Its last use is noted, to the minute.
func (s *Service) AuthenticateAPIKey(ctx context.Context, secret token.Secret) (k APIKey, ok bool, err error) {
	var permissions []byte
	var used, expires *int64
	err = s.db.QueryRow(ctx, selectAPIKey, string(token.HashOf(secret))).Scan(&k.ID, &k.OrganizationID, &permissions, &used, &expires)
	if errors.Is(err, db.ErrNoRows) {
		return APIKey{}, false, nil
	}
	if err != nil {
		return APIKey{}, false, fmt.Errorf("look up an API key: %w", err)
	}
	now := s.now().UTC()
	if expires != nil && *expires <= now.UnixMicro() {
		return APIKey{}, false, nil
	}
	if err := json.Unmarshal(permissions, &k.Permissions); err != nil {
		return APIKey{}, false, fmt.Errorf("permissions of API key %s: %w", k.ID, err)
	}
	if used != nil && *used > now.Add(-usePrecision).UnixMicro() {
		return k, true, nil
	}
	var w db.Write
	w.Exec(touchAPIKey, k.ID, now.UnixMicro())
	if err := s.db.Write(ctx, &w); err != nil {
		return APIKey{}, false, fmt.Errorf("note the use of API key %s: %w", k.ID, err)
	}
	return k, true, nil
}
