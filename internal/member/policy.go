package member

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/db"
)

// askedAtOnce bounds the arguments of one statement.
const askedAtOnce = 400

// CameThrough tells of accounts which have ever come in through one of an organization's connections.
func CameThrough(ctx context.Context, r db.Reader, organizationID string, connections []string, users []UserID) (map[UserID]bool, error) {
	out := map[UserID]bool{}
	if len(connections) == 0 {
		return out, nil
	}
	for part := range slices.Chunk(users, askedAtOnce) {
		args := []any{organizationID}
		text := fmt.Sprintf(selectCameThrough, marks(&args, connections), marks(&args, part))
		if err := tell(ctx, r, out, text, args...); err != nil {
			return nil, fmt.Errorf("read who came through a connection of %s: %w", organizationID, err)
		}
	}
	return out, nil
}

// Primaries tells of accounts which are primary members of an organization.
func Primaries(ctx context.Context, r db.Reader, organizationID string, users []UserID) (map[UserID]bool, error) {
	out := map[UserID]bool{}
	for part := range slices.Chunk(users, askedAtOnce) {
		args := []any{organizationID}
		text := fmt.Sprintf(selectPrimaries, marks(&args, part))
		if err := tell(ctx, r, out, text, args...); err != nil {
			return nil, fmt.Errorf("read the primary members of %s: %w", organizationID, err)
		}
	}
	return out, nil
}

// marks adds values to the arguments and gives their placeholders.
func marks[T ~string](args *[]any, values []T) string {
	out := make([]string, len(values))
	for i, v := range values {
		*args = append(*args, string(v))
		out[i] = fmt.Sprintf("$%d", len(*args))
	}
	return strings.Join(out, ", ")
}

func tell(ctx context.Context, r db.Reader, out map[UserID]bool, text string, args ...any) error {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id UserID
		if err := rows.Scan((*string)(&id)); err != nil {
			return err
		}
		out[id] = true
	}
	return rows.Err()
}
