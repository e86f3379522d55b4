package member

import (
	"context"
	"fmt"
	"strings"

	"github.com/rollcallhq/rollcall/internal/access"
)

// Own is what an active member has without the mapping of a connection.
type Own struct {
	Given  access.Given
	Driven access.Kinds // by directories, whose word goes before a connection's
}

// Own reads it for accounts; those that are no active members of the organization are not in it.
func (s *Service) Own(ctx context.Context, organizationID string, ids []UserID) (map[UserID]Own, error) {
	out := map[UserID]Own{}
	if len(ids) == 0 {
		return out, nil
	}
	args, marks := []any{organizationID}, make([]string, len(ids))
	for i, id := range ids {
		args, marks[i] = append(args, string(id)), fmt.Sprintf("$%d", i+2)
	}
	rows, err := s.db.Query(ctx, fmt.Sprintf(selectOwn, strings.Join(marks, ",")), args...)
	if err != nil {
		return nil, fmt.Errorf("read what members have: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id UserID
		var h Own
		var role, licence, said *string
		if err := rows.Scan((*string)(&id), &h.Given.MembershipID, &role, &licence, &said); err != nil {
			return nil, fmt.Errorf("read what members have: %w", err)
		}
		if known, there := out[id]; there { // another directory's word
			h = known
		}
		h.Given.Role, h.Given.Licence = text(role), text(licence)
		if said != nil {
			one, err := (&claim{said: []byte(*said)}).read()
			if err != nil {
				return nil, err
			}
			h.Driven.Attributes = true
			h.Driven.Roles = h.Driven.Roles || one.Mapped.Roles != nil
			h.Driven.Teams = h.Driven.Teams || one.Mapped.Teams != nil
			h.Driven.Licences = h.Driven.Licences || one.Mapped.Licence != nil
		}
		out[id] = h
	}
	return out, rows.Err()
}
